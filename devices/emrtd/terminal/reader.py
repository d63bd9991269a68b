"""Read a chip into evidence. Nothing here decides whether the chip is genuine.

Source: ICAO Doc 9303-11, 4.2; 9303-10, 3.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime

from devices.apdu import OK, SHORT_LE_MAX, WRONG_LENGTH
from devices.emrtd.active_authentication import CHALLENGE_BYTES, internal_authenticate
from devices.emrtd.crypto.public_keys import RsaKey
from devices.emrtd.errors import ChallengeMalformedError
from devices.emrtd.evidence import (
    MAX_ANSWER_BYTES,
    MAX_TEXT,
    ChipAuthenticationRecord,
    ChipEvidence,
)
from devices.emrtd.files import CARD_ACCESS, DATA_GROUPS, SOD, ElementaryFile
from devices.emrtd.lds.mrz import Password
from devices.emrtd.lds.security_infos import offers_chip_authentication
from devices.emrtd.lds.sod import Sod
from devices.emrtd.terminal.access import AccessPolicy, ChipAccess
from devices.emrtd.terminal.chip_authentication_terminal import CloneChallenge, authenticate_chip
from devices.emrtd.terminal.decoding import FileDecoder, FileListener, FileReading
from devices.emrtd.terminal.interruption import (
    TORN,
    PartialReading,
    ReadingInterruptedError,
    ResumeOtherCardError,
)
from devices.emrtd.terminal.lengths import (
    LengthMemory,
)
from devices.emrtd.terminal.master_file import announces_extended_length
from devices.emrtd.terminal.progress import Progress, ProgressListener
from devices.emrtd.terminal.session import Sessions
from devices.errors import (
    CardRefusedError,
    DeviceError,
)
from devices.trace import ApduTrace, file_head
from devices.transport import CardTransport, PlainChannel

DEFAULT_DATA_GROUPS = (1, 2, 13, 14, 15)
DEFAULT_TIMEOUT_S = 300.0
__all__ = [
    "DEFAULT_DATA_GROUPS",
    "DEFAULT_TIMEOUT_S",
    "Progress",
    "ProgressListener",
    "read_chip",
]

_READABLE_DATA_GROUPS = frozenset(DATA_GROUPS) - {3, 4}
_SHORT_ANSWER_BYTES = 223


def read_chip(
    transport: CardTransport,
    password: Password,
    *,
    data_groups: Sequence[int] = DEFAULT_DATA_GROUPS,
    challenge: bytes | None = None,
    clone_challenge: CloneChallenge | None = None,
    agent: str = "chinhchu",
    progress: ProgressListener | None = None,
    policy: AccessPolicy = AccessPolicy.PREFER_PACE,
    on_file: FileListener | None = None,
    resume: PartialReading | None = None,
    lengths: LengthMemory | None = None,
    timeout_s: float | None = DEFAULT_TIMEOUT_S,
    allow_last_try: bool = False,
    trace: ApduTrace | None = None,
) -> ChipEvidence:
    """Read the wanted data groups that the chip's SOD lists, and let it answer the challenges.

    Whatever a listener raises ends the reading and comes out of it.

    Args:
        transport: the card.
        password: `Can` or `MrzKey`.
        data_groups: numbers of the data groups wanted, 1–16 without 3 and 4.
        challenge: the verifier's eight bytes for Active Authentication; None leaves it out.
        clone_challenge: asks the verifier for a challenge for Chip Authentication, once DG14 is
            read; None leaves it out. It comes last: the session with the chip ends with it.
        agent: name and version of this software, for the evidence.
        progress: called as the reading goes on.
        policy: which access protocol may open the chip.
        on_file: told of each file, hashed and decoded, while the next one is read.
        resume: what an interrupted reading of the same card left; its files are not read again.
        lengths: what is known about cards and readers, and learnt; None remembers nothing.
        timeout_s: how long the card may take for everything; None for no limit. A reader that
            does not come back from a single exchange is not interrupted.
        allow_last_try: use the password although the card says that one try of it is left.
        trace: records the exchanges without what is personal.

    Raises:
        PasswordWrongError: the card refuses the password; it was tried once.
        AccessUnsupportedError: no access protocol fits.
        ReadingInterruptedError: the card or the reader went away; it carries what to resume with.
        ResumeOtherCardError: the card is not the one that `resume` is of.
        CardTooSlowError: the time is over.
        DeviceError: any other fault; its `retryable` says whether to try again.
    """
    unreadable = sorted(set(data_groups) - _READABLE_DATA_GROUPS)
    if unreadable:
        raise CardRefusedError(
            f"data group {unreadable[0]} cannot be read: it is behind Terminal Authentication "
            "or does not exist",
            0x6982,
        )
    if challenge is not None and len(challenge) != CHALLENGE_BYTES:
        raise ChallengeMalformedError("a challenge for Active Authentication has eight bytes")
    plain = PlainChannel(transport if trace is None else trace.transport(transport), timeout_s)
    decoder = FileDecoder(on_file)
    try:
        access = ChipAccess(plain, password, policy, allow_last_try=allow_last_try)
        sessions = Sessions(plain, access, lengths, trace)
        reading = _Reading(plain, access, decoder, progress, resume, sessions)
        wanted = tuple(dict.fromkeys(data_groups))
        evidence = reading.run(wanted, challenge, clone_challenge, agent)
        sessions.note("end", error=None)
        return evidence
    except DeviceError as error:
        if trace is not None:
            trace.event("end", error=error.code)
        raise
    finally:
        decoder.close()


class _Reading:
    """One reading in progress."""

    def __init__(
        self,
        plain: PlainChannel,
        access: ChipAccess,
        decoder: FileDecoder,
        listener: ProgressListener | None,
        resume: PartialReading | None,
        sessions: Sessions,
    ) -> None:
        self._plain = plain
        self._access = access
        self._decoder = decoder
        self._listener = listener
        self._resume = resume
        self._sessions = sessions
        self._started_at = resume.started_at if resume else datetime.now(UTC)
        self._files: dict[str, bytes] = {}
        self._times_ms = dict(resume.times_ms) if resume else {}
        self._apdus_before = resume.apdu_count if resume else 0
        self._resumed = resume.resumed + 1 if resume else 0
        self._decoded: dict[str, Future[FileReading]] = {}
        self._current: ElementaryFile | None = None
        self._files_total = 0

    def run(
        self,
        wanted: tuple[int, ...],
        challenge: bytes | None,
        clone_challenge: CloneChallenge | None,
        agent: str,
    ) -> ChipEvidence:
        """Read everything and return the evidence."""
        self._tell("access")
        with self._timed("access"):
            self._open()
        try:
            self._read_files(wanted)
            response = self._authenticate(challenge) if challenge and self._has_key else None
            ca = self._authenticate_chip(clone_challenge) if clone_challenge else None
        except TORN as error:
            raise ReadingInterruptedError(str(error), self._partial()) from error
        self._sessions.learn()
        self._decoder.finish()
        return ChipEvidence(
            files=self._files,
            access="BAC" if self._downgrade_reason else self._access.protocol,
            access_offered=tuple(offer.oid for offer in self._access.offers),
            downgrade_reason=self._downgrade_reason,
            policy=self._access.policy,
            pace=None if self._downgrade_reason else self._access.pace_record,
            aa_challenge=challenge if self._has_key else None,
            aa_response=response,
            times_ms=self._times_ms,
            apdu_count=self._apdus_before + self._plain.apdu_count,
            reader=self._plain.name[:MAX_TEXT],
            agent=agent[:MAX_TEXT],
            resumed=self._resumed + self._sessions.renewals,
            ca=ca,
            started_at=self._started_at.replace(microsecond=0),
            finished_at=datetime.now(UTC).replace(microsecond=0),
        )

    def _open(self) -> None:
        self._sessions.open(self._on_bytes)
        for name, data in self._access.files.items():
            self._keep(name, data)

    def _read_files(self, wanted: tuple[int, ...]) -> None:
        """EF.SOD first, then what is wanted of the data groups that it lists."""
        if self._resume is not None:
            self._check_same_card(self._resume)
        if not self._read(SOD):
            raise CardRefusedError("the card has no EF.SOD that can be read", 0x6A82)
        # 9303-10, 4.7.1: every chip has DG1. It comes in while the host takes EF.SOD apart.
        if 1 in wanted:
            self._read(DATA_GROUPS[1])
        decoded = self._decoded[SOD.name].result()
        if decoded.error is not None:
            raise decoded.error
        assert isinstance(decoded.parsed, Sod)
        # 9303-10, 4.6.2: the SOD lists every data group that the chip holds.
        present = [number for number in wanted if number in decoded.parsed.hashes]
        self._files_total = len(present) + 1
        for number in present:
            self._read(DATA_GROUPS[number])
        if 1 not in present:
            self._files.pop(DATA_GROUPS[1].name, None)

    def _check_same_card(self, before: PartialReading) -> None:
        """EF.SOD differs from card to card; EF.CardAccess tells series apart.

        Raises:
            ResumeOtherCardError: it is another card.
        """
        self._sessions.note("same-card-check")
        card_access = before.files.get(CARD_ACCESS.name)
        sod = before.files.get(SOD.name)
        is_same_series = card_access == self._files.get(CARD_ACCESS.name)
        if not is_same_series or (sod is not None and not self._sessions.reader.holds(SOD, sod)):
            raise ResumeOtherCardError("this is another card: start from the beginning")

    @property
    def _has_key(self) -> bool:
        return DATA_GROUPS[15].name in self._files

    def _read(self, file: ElementaryFile) -> bool:
        """Read one file, or go on with it; return whether the card gives it."""
        if file.name in self._files:
            return True
        before = self._resume
        if before is not None and file.name in before.files:
            self._keep(file.name, before.files[file.name])
            return True
        start = b""
        # Only a whole EF.SOD says whose card it is: one that was begun is begun anew.
        if before is not None and before.unfinished_file == file.name and file != SOD:
            start = before.unfinished_bytes
        self._current = file
        self._sessions.note("file", file=file.name, start=len(start), head=file_head(start))
        with self._timed(file.name):
            data = self._sessions.reader.read(file, start)
        self._current = None
        if data is not None:
            self._keep(file.name, data)
        return data is not None

    def _keep(self, name: str, data: bytes) -> None:
        """Keep a file, and let it be decoded while the next one is read."""
        self._files[name] = data
        self._decoded[name] = self._decoder.submit(name, data, self._times_ms.get(name, 0))

    def _authenticate(self, challenge: bytes) -> bytes | None:
        """Return the chip's signature, or None if it declines."""
        self._tell("active-authentication")
        self._sessions.note("active-authentication")
        with self._timed("active-authentication"):
            lengths = self._answer_lengths()
            response = self._sessions.reader.send(internal_authenticate(challenge, lengths[0]))
            if response.status == WRONG_LENGTH and len(lengths) > 1:
                self._plain.extended_length = True
                response = self._sessions.reader.send(internal_authenticate(challenge, lengths[1]))
        is_answer = response.status == OK and 0 < len(response.data) <= MAX_ANSWER_BYTES
        return response.data if is_answer else None

    def _authenticate_chip(
        self, clone_challenge: CloneChallenge
    ) -> ChipAuthenticationRecord | None:
        """Return the run of Chip Authentication, or None if chip or verifier know none."""
        dg14 = self._files.get(DATA_GROUPS[14].name)
        if dg14 is None:
            return None
        infos = self._decoded[DATA_GROUPS[14].name].result().parsed
        if not isinstance(infos, tuple) or not offers_chip_authentication(infos):
            return None
        self._tell("chip-authentication")
        self._sessions.note("chip-authentication")
        reader = self._sessions.reader
        with self._timed("chip-authentication-challenge"):
            request = clone_challenge(dg14, short_identifiers=reader.short_identifiers)
        if request is None:
            return None
        with self._timed("chip-authentication"):
            answer = authenticate_chip(reader, self._plain, request)
        return ChipAuthenticationRecord(request, answer)

    def _answer_lengths(self) -> tuple[int, ...]:
        """Le for the signature: one of an RSA key of 2048 bits does not fit a short answer."""
        if not self._plain.extended_length and not announces_extended_length(self._plain.atr):
            return (SHORT_LE_MAX,)
        key = self._decoded[DATA_GROUPS[15].name].result().parsed
        size = key.size_bytes if isinstance(key, RsaKey) else 0
        reader = self._sessions.reader
        # What limits a read need not limit a signature.
        long_answer = max(reader.chunk_bytes, SHORT_LE_MAX + 1, size)
        is_long_first = reader.is_extended and size > _SHORT_ANSWER_BYTES
        return (long_answer, SHORT_LE_MAX) if is_long_first else (SHORT_LE_MAX, long_answer)

    def _partial(self) -> PartialReading:
        """Return what is there to go on with, that of earlier readings included."""
        before = self._resume
        name = self._current.name if self._current else None
        begun = self._sessions.reader.unfinished if self._current else b""
        if before is not None and not begun:
            name, begun = before.unfinished_file, before.unfinished_bytes
        return PartialReading(
            files={**(before.files if before else {}), **self._files},
            unfinished_file=name,
            unfinished_bytes=begun,
            times_ms=self._times_ms,
            apdu_count=self._apdus_before + self._plain.apdu_count,
            resumed=self._resumed + self._sessions.renewals,
            downgrade_reason=self._downgrade_reason,
            started_at=self._started_at,
        )

    @property
    def _downgrade_reason(self) -> str | None:
        """Why BAC opened the chip although it offers PACE, be it for an earlier part alone."""
        before = self._resume.downgrade_reason if self._resume else None
        return before or self._access.downgrade_reason

    def _on_bytes(self, file: ElementaryFile, done: int, total: int) -> None:
        self._tell("read", file.name, done, total)

    def _tell(self, phase: str, file: str | None = None, done: int = 0, total: int = 0) -> None:
        if self._listener is not None:
            files_done = len(self._files.keys() - self._access.files.keys())
            self._listener(Progress(phase, file, done, total, files_done, self._files_total))

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        """Add up how long a phase takes; one that breaks off counts as well."""
        start = time.perf_counter()
        try:
            yield
        finally:
            taken_ms = round((time.perf_counter() - start) * 1000)
            self._times_ms[phase] = self._times_ms.get(phase, 0) + taken_ms
