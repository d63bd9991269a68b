"""Read a chip into evidence. Nothing here decides whether the chip is genuine.

Source: ICAO Doc 9303-11, 4.2; 9303-10, 3.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from devices.apdu import OK, SHORT_LE_MAX
from devices.emrtd.access import AccessPolicy, ChipAccess
from devices.emrtd.active_authentication import CHALLENGE_BYTES, internal_authenticate
from devices.emrtd.errors import (
    ChallengeMalformedError,
    KeyUnsupportedError,
    UnprotectedResponseError,
)
from devices.emrtd.evidence import MAX_TEXT, ChipEvidence
from devices.emrtd.file_reading import FileReader
from devices.emrtd.files import DATA_GROUPS, SOD, ElementaryFile
from devices.emrtd.lds import parse_dg15
from devices.emrtd.lengths import EVEN_OFFSET_END, chunks_for
from devices.emrtd.mrz import Password
from devices.emrtd.public_keys import RsaKey
from devices.emrtd.sod import parse_sod
from devices.errors import CardRefusedError, DeviceError, ReaderFailedError, TlvMalformedError
from devices.transport import CardTransport, PlainChannel

DEFAULT_DATA_GROUPS = (1, 2, 13, 14, 15)
_READABLE_DATA_GROUPS = frozenset(DATA_GROUPS) - {3, 4}
_SHORT_ANSWER_BYTES = 223


@dataclass(frozen=True)
class Progress:
    """Where a reading stands."""

    phase: str
    """`access`, `read` or `active-authentication`."""
    file: str | None
    """The file that is being read, or None."""
    done_bytes: int
    total_bytes: int
    """Size of the file; 0 where the phase has no size."""


ProgressListener = Callable[[Progress], None]


def read_chip(
    transport: CardTransport,
    password: Password,
    *,
    data_groups: Sequence[int] = DEFAULT_DATA_GROUPS,
    challenge: bytes | None = None,
    agent: str = "chinhchu",
    progress: ProgressListener | None = None,
    policy: AccessPolicy = AccessPolicy.PREFER_PACE,
) -> ChipEvidence:
    """Read the wanted data groups that the chip's SOD lists, and let it sign the challenge.

    Args:
        transport: the card.
        password: `Can` or `MrzKey`.
        data_groups: numbers of the data groups wanted, 1–16 without 3 and 4.
        challenge: the verifier's eight bytes for Active Authentication; None leaves it out.
        agent: name and version of this software, for the evidence.
        progress: called as the reading goes on.
        policy: which access protocol may open the chip.

    Raises:
        PasswordWrongError: the card refuses the password; it was tried once.
        AccessUnsupportedError: no access protocol fits.
        CardRemovedError: the card left the reader.
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
    reading = _Reading(PlainChannel(transport), password, policy, progress)
    return reading.run(tuple(dict.fromkeys(data_groups)), challenge, transport.name, agent)


class _Reading:
    """One reading in progress."""

    def __init__(
        self,
        plain: PlainChannel,
        password: Password,
        policy: AccessPolicy,
        listener: ProgressListener | None,
    ) -> None:
        self._plain = plain
        self._access = ChipAccess(plain, password, policy)
        self._listener = listener
        self._times_ms: dict[str, int] = {}
        self._files: dict[str, bytes] = {}
        self._reader: FileReader

    def run(
        self, wanted: tuple[int, ...], challenge: bytes | None, reader_name: str, agent: str
    ) -> ChipEvidence:
        self._tell("access")
        with self._timed("access"):
            channel = self._access.open()
        self._files.update(self._access.files)
        self._reader = FileReader(channel, chunks_for(channel.messaging), self._on_bytes)
        if not self._read(SOD):
            raise CardRefusedError("the card has no EF.SOD that can be read", 0x6A82)
        # 9303-10, 4.6.2: the SOD lists every data group that the chip holds.
        present = parse_sod(self._files[SOD.name]).data_groups
        for number in wanted:
            if number in present:
                self._read(DATA_GROUPS[number])
        response = self._authenticate(challenge) if challenge and self._has_key else None
        return ChipEvidence(
            files=self._files,
            access=self._access.protocol,
            access_offered=tuple(offer.oid for offer in self._access.offers),
            downgrade_reason=self._access.downgrade_reason,
            policy=self._access.policy,
            pace=self._access.pace_record,
            aa_challenge=challenge if self._has_key else None,
            aa_response=response,
            times_ms=self._times_ms,
            apdu_count=self._plain.apdu_count,
            reader=reader_name[:MAX_TEXT],
            agent=agent[:MAX_TEXT],
        )

    @property
    def _has_key(self) -> bool:
        return DATA_GROUPS[15].name in self._files

    def _read(self, file: ElementaryFile) -> bool:
        """Read one file, with smaller reads in a new session where a large one ends this one."""
        with self._timed(file.name):
            while True:
                try:
                    data = self._reader.read(file)
                    break
                except (UnprotectedResponseError, ReaderFailedError) as error:
                    if not _blames_length(error) or not self._reader.shrink():
                        raise
                    self._reader.channel = self._access.reopen()
        if data is not None:
            self._files[file.name] = data
        return data is not None

    def _authenticate(self, challenge: bytes) -> bytes | None:
        """Return the chip's signature, or None if it declines."""
        self._tell("active-authentication")
        with self._timed("active-authentication"):
            command = internal_authenticate(challenge, self._answer_length())
            response = self._reader.channel.send(command)
        return response.data if response.status == OK and response.data else None

    def _answer_length(self) -> int:
        """Le for the signature: an RSA key of 2048 bits does not fit a short protected answer."""
        try:
            key = parse_dg15(self._files[DATA_GROUPS[15].name])
        except (KeyUnsupportedError, TlvMalformedError):
            return SHORT_LE_MAX
        is_long = isinstance(key, RsaKey) and key.size_bytes > _SHORT_ANSWER_BYTES
        return EVEN_OFFSET_END if is_long and self._reader.is_extended else SHORT_LE_MAX

    def _on_bytes(self, file: ElementaryFile, done: int, total: int) -> None:
        self._tell("read", file.name, done, total)

    def _tell(self, phase: str, file: str | None = None, done: int = 0, total: int = 0) -> None:
        if self._listener is not None:
            self._listener(Progress(phase, file, done, total))

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self._times_ms[phase] = round((time.perf_counter() - start) * 1000)


def _blames_length(error: DeviceError) -> bool:
    """Return whether a card or reader may have stumbled over the length of a read."""
    if isinstance(error, UnprotectedResponseError):
        return error.status in (0x6700, 0x6F00) or error.status >> 8 == 0x6C
    return True
