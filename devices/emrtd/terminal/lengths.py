"""How much one READ BINARY may ask for, and what is remembered about it.

Source: ICAO Doc 9303-10, 3.6; ISO/IEC 7816-4:2020, 5.2 and 12.7.1 (DO'7F66').
"""

import hashlib
import json
import os
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from devices.apdu import EXTENDED_LE_MAX, SHORT_LE_MAX
from devices.emrtd.terminal.secure_messaging import SecureMessaging

EVEN_OFFSET_END = 0x8000
"""READ BINARY with even INS has 15 bits for the offset."""
CAUTIOUS_CHUNKS = (192, 128, 64, 32, 16)
"""What cards take that refuse a full short response."""

MODEST_RESPONSE_BYTES = 1536
"""Where a card speaks extended length but refuses to fill it, what its buffer most likely holds."""

_MAX_REMEMBERED = 256
_MAX_MEMORY_FILE_BYTES = 1 << 16
_MAX_USES = 50
"""After so many readings a card is tried anew: what was learnt may have been a passing fault."""
_MEMORY_FORMAT = "chinhchu-read-lengths-1"


def chunks_for(
    messaging: SecureMessaging, max_response_bytes: int = EXTENDED_LE_MAX
) -> tuple[int, ...]:
    """Return the chunk sizes to try, largest first; no read crosses the end of even offsets.

    Args:
        messaging: the session, whose protection takes its part of every response.
        max_response_bytes: longest response APDU that card and reader are known to bring.
    """
    sizes = {max_response_bytes, MODEST_RESPONSE_BYTES, SHORT_LE_MAX}
    protected = (
        min(messaging.max_response_data(size), EVEN_OFFSET_END)
        for size in sorted(sizes, reverse=True)
        if size <= max_response_bytes
    )
    return *protected, *CAUTIOUS_CHUNKS


def known_chunks(chunks: Iterable[int], known_bytes: int) -> tuple[int, ...]:
    """Return those of `chunks` that a card is known to take, which took `known_bytes` before.

    A full short response counts as one size, whatever the cipher leaves of it.
    """
    limit = known_bytes
    if CAUTIOUS_CHUNKS[0] < known_bytes <= SHORT_LE_MAX:
        limit = SHORT_LE_MAX
    kept = tuple(chunk for chunk in chunks if chunk <= limit)
    if known_bytes > SHORT_LE_MAX and known_bytes not in kept:
        kept = (known_bytes, *kept)
    return kept or CAUTIOUS_CHUNKS[-1:]


@dataclass(frozen=True)
class KnownLengths:
    """What one kind of card on one kind of reader was found to take."""

    chunk_bytes: int
    """Plain bytes that the largest read asked for which worked, 16–32768."""
    short_identifiers: bool
    """Whether READ BINARY with a short EF identifier works."""
    uses: int = 0
    """How many readings have relied on it."""

    @property
    def is_extended(self) -> bool:
        """Whether extended length works."""
        return self.chunk_bytes > SHORT_LE_MAX


class LengthMemory:
    """Remembers by answer to reset and reader what worked, in the process and maybe in a file.

    The cards of one series give one answer to reset. Where it holds a number of the single card all
    the same, nobody reads it here: the key is a hash. One without historical bytes says nothing
    about the card, so that nothing is kept under it.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Start with what the file holds; a file that cannot be used is left out with a warning."""
        self._path = path
        self._known: dict[str, KnownLengths] = {}
        if path is not None:
            try:
                self._known = _parse_memory(path)
            except (FileNotFoundError, NotADirectoryError):
                pass
            except (OSError, ValueError, RecursionError):
                warnings.warn(f"{path} is not usable and will be written anew", stacklevel=2)

    def recall(self, atr: bytes, reader: str) -> KnownLengths | None:
        """Return what is known, or None.

        Args:
            atr: answer to reset of the card.
            reader: name of the reader, which has limits of its own.
        """
        known = self._known.get(_key(atr, reader))
        return known if known is not None and known.uses < _MAX_USES else None

    def learn(self, atr: bytes, reader: str, lengths: KnownLengths) -> None:
        """Keep what worked; the oldest entry makes room. A file that cannot be written is left."""
        if not _names_series(atr):
            return
        key = _key(atr, reader)
        self._known.pop(key, None)
        # A card that was down to a few bytes shall not slow down others more than any does.
        chunk = max(lengths.chunk_bytes, CAUTIOUS_CHUNKS[-1])
        self._known[key] = replace(lengths, chunk_bytes=chunk)
        while len(self._known) > _MAX_REMEMBERED:
            del self._known[next(iter(self._known))]
        self._save()

    def _save(self) -> None:
        if self._path is None:
            return
        content = {
            "format": _MEMORY_FORMAT,
            "known": {key: asdict(lengths) for key, lengths in self._known.items()},
        }
        # A reader of the file sees the old one or the new one, never a part.
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(content), encoding="utf-8")
            temporary.replace(self._path)
        except OSError:
            warnings.warn(f"{self._path} cannot be written", stacklevel=3)


def _names_series(atr: bytes) -> bool:
    """ISO/IEC 7816-3, 8.2.2: the low half of T0 counts the historical bytes."""
    return len(atr) > 1 and bool(atr[1] & 0x0F)


def _key(atr: bytes, reader: str) -> str:
    return hashlib.sha256(atr + b"\x00" + reader.encode()).hexdigest()[:32]


def _parse_memory(path: Path) -> dict[str, KnownLengths]:
    """Return the entries of a memory file.

    Raises:
        OSError, ValueError, RecursionError: it cannot be read or is not one.
    """
    with path.open("rb") as file:
        raw = file.read(_MAX_MEMORY_FILE_BYTES + 1)
    content: Any = json.loads(raw) if len(raw) <= _MAX_MEMORY_FILE_BYTES else None
    if not isinstance(content, dict) or content.get("format") != _MEMORY_FORMAT:
        raise ValueError("not a memory of lengths")
    entries = content.get("known")
    if not isinstance(entries, dict) or len(entries) > _MAX_REMEMBERED:
        raise ValueError("not a memory of lengths")
    return {key: _parse_entry(key, entry) for key, entry in entries.items()}


def _parse_entry(key: str, entry: Any) -> KnownLengths:
    if len(key) != 32 or not isinstance(entry, dict):
        raise ValueError("not an entry")
    chunk, short_identifiers = entry.get("chunk_bytes"), entry.get("short_identifiers")
    if not isinstance(chunk, int) or not CAUTIOUS_CHUNKS[-1] <= chunk <= EVEN_OFFSET_END:
        raise ValueError("not a length")
    uses = entry.get("uses")
    if not isinstance(short_identifiers, bool) or not isinstance(uses, int) or len(entry) != 3:
        raise ValueError("not an entry")
    return KnownLengths(chunk, short_identifiers, uses)
