"""The sessions of one reading: opened with what is known of the card, opened again when lost."""

from devices.apdu import SHORT_LE_MAX
from devices.emrtd.terminal.access import ChipAccess
from devices.emrtd.terminal.file_reading import ByteProgress, FileReader
from devices.emrtd.terminal.lengths import KnownLengths, LengthMemory, chunks_for, known_chunks
from devices.emrtd.terminal.master_file import adopt_limits, announces_extended_length
from devices.emrtd.terminal.secure_messaging import SecureChannel, SecureMessaging
from devices.trace import ApduTrace
from devices.transport import PlainChannel

MAX_SESSIONS = 4
"""Sessions that one reading opens at most: a card that loses each of them is no card to go on."""


class Sessions:
    """Opens the chip for a `FileReader`, and again where the card loses the session."""

    def __init__(
        self,
        plain: PlainChannel,
        access: ChipAccess,
        memory: LengthMemory | None = None,
        trace: ApduTrace | None = None,
    ) -> None:
        """Take the card, how it opens, and what remembers lengths and records exchanges."""
        self._plain = plain
        self._access = access
        self._memory = memory
        self._trace = trace
        self._known: KnownLengths | None = None
        self._count = 0
        self._messaging: SecureMessaging
        self._first_chunk_bytes: int
        self.reader: FileReader
        """Reads files in the current session; there is none before `open`."""

    @property
    def renewals(self) -> int:
        """How often a session was opened in place of one that was lost."""
        return max(0, self._count - 1)

    def open(self, progress: ByteProgress) -> None:
        """Open the first session.

        Raises:
            DeviceError: as `ChipAccess.open`.
        """
        if self._memory is not None:
            self._known = self._memory.recall(self._plain.atr, self._plain.name)
        known = self._known
        if known and not known.is_extended:
            self._plain.extended_length = False
        channel = self._access.open()
        self._count = 1
        chunks = chunks_for(channel.messaging, self._max_response_bytes)
        self.reader = FileReader(
            self._observed(channel),
            known_chunks(chunks, known.chunk_bytes) if known else chunks,
            progress,
            renew=self._renew,
            short_identifiers=not known or known.short_identifiers,
        )
        self._messaging = channel.messaging
        self._first_chunk_bytes = self.reader.chunk_bytes
        self.note(
            "session-opened",
            protocol=self._access.protocol,
            chunks=list(self.reader.chunks),
            short_identifiers=self.reader.short_identifiers,
        )

    def learn(self) -> None:
        """Remember what worked."""
        if self._memory is not None:
            uses = self._known.uses + 1 if self._known else 0
            lengths = KnownLengths(self.reader.chunk_bytes, self.reader.short_identifiers, uses)
            self._memory.learn(self._plain.atr, self._plain.name, lengths)

    def note(self, event: str, **details: object) -> None:
        """Record a step of the reading where it is traced."""
        if self._trace is not None:
            self._trace.event(event, **details)

    def _renew(self) -> SecureChannel | None:
        """Open a session in place of one that was lost; None if too many were.

        The password is the one that the card took before, so this is no blind try.
        """
        if self._count == MAX_SESSIONS:
            return None
        self.note("session-lost")
        if self._count == 1 and self.reader.is_extended:
            self._ask_limits()
        channel = self._access.reopen()
        self._count += 1
        self.note("session-opened", protocol=self._access.protocol, chunk=self.reader.chunk_bytes)
        return self._observed(channel)

    def _ask_limits(self) -> None:
        """Ask a card that announces its limits for them: a read may have been too long for it."""
        if not announces_extended_length(self._plain.atr):
            return
        adopt_limits(self._plain, application_selected=True)
        chunk = chunks_for(self._messaging, self._max_response_bytes)[0]
        if chunk < self._first_chunk_bytes:
            self.reader.ask_at_most(chunk)

    @property
    def _max_response_bytes(self) -> int:
        return self._plain.max_response_bytes if self._plain.extended_length else SHORT_LE_MAX

    def _observed(self, channel: SecureChannel) -> SecureChannel:
        if self._trace is not None:
            channel.observer = self._trace.session_exchange
        return channel
