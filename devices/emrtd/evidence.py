"""What a reading leaves behind: everything a verifier needs, and nothing it has to trust.

The encoding is deterministic CBOR (RFC 8949, 4.2), so that evidence has one digest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import cbor2

from devices.emrtd.cbor_structure import check_structure
from devices.emrtd.errors import EvidenceMalformedError
from devices.emrtd.files import BY_NAME, CARD_ACCESS, CARD_SECURITY, DATA_GROUPS, SOD

VERSION = 2
FORMAT = "chinhchu-chip-evidence"
MAX_EVIDENCE_BYTES = 8 << 20
MAX_FILE_BYTES = 1 << 20
MAX_TEXT = 256
ACCESS_PROTOCOLS = ("PACE-CAN", "PACE-MRZ", "BAC")
ACCESS_POLICIES = ("require_pace", "prefer_pace", "bac_only")
MAX_ANSWER_BYTES = 4096
"""Longest answer to a challenge; an RSA signature of 8192 bits has 1024 bytes."""
_MAX_COUNT = 1 << 32
_MAX_POINT_BYTES = 1 + 2 * 66
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class CamRecord:
    """What Chip Authentication Mapping showed: CA_IC · PK_IC is the chip's mapping key.

    The terminal could have made it up, so it proves nothing to a verifier elsewhere.
    """

    mapping_key: bytes = field(repr=False)
    """PK_Map,IC: the chip's ephemeral public key, uncompressed."""
    authentication_data: bytes = field(repr=False)
    """CA_IC, decrypted; PK_IC is in EF.CardSecurity."""


@dataclass(frozen=True)
class PaceRecord:
    """The PACE protocol that opened the chip."""

    oid: str
    """Object identifier of PACEInfo."""
    parameter_id: int | None
    """Domain parameters as PACEInfo names them; None if it names none."""
    cam: CamRecord | None = None
    """None for the other mappings."""


@dataclass(frozen=True)
class ChipAuthenticationRequest:
    """What the verifier had carried to the chip: nothing in it is secret."""

    oid: str
    """Object identifier of the protocol variant."""
    key_id: int | None
    """Number of the chip's key; None where DG14 gives it none."""
    public_key: bytes = field(repr=False)
    """The verifier's ephemeral public key: 04 || x || y, or the number as long as p."""
    command: bytes = field(repr=False)
    """The command APDU that the verifier sealed with the new session keys."""


@dataclass(frozen=True)
class ChipAuthenticationRecord:
    """A run of Chip Authentication; only who made the request can tell whether it succeeded."""

    request: ChipAuthenticationRequest
    answer: bytes | None = field(repr=False)
    """The sealed response APDU, status word included; None if the chip declined."""


@dataclass(frozen=True)
class ChipEvidence:
    """Raw files of one chip and how they were read."""

    files: Mapping[str, bytes] = field(repr=False)
    """File name (`EF.CardAccess`, `EF.SOD`, `EF.DG1` …) to the bytes as read."""
    access: str
    """`PACE-CAN`, `PACE-MRZ` or `BAC`: what opened the chip."""
    access_offered: tuple[str, ...]
    """PACE offers of EF.CardAccess as object identifiers; empty if it offers none."""
    downgrade_reason: str | None
    """Why BAC was used although PACE was offered; None if it was not."""
    policy: str
    """`require_pace`, `prefer_pace` or `bac_only`: what the terminal was told."""
    pace: PaceRecord | None
    """How PACE opened the chip; None for BAC."""
    aa_challenge: bytes | None = field(repr=False)
    """What the chip was asked to sign, eight bytes; None if it was not asked."""
    aa_response: bytes | None = field(repr=False)
    """The chip's signature; None if it was not asked or gave none."""
    times_ms: Mapping[str, int]
    """Phase (`access`, `EF.DG2` …) to duration."""
    apdu_count: int
    """Command APDUs that were sent."""
    reader: str
    """Name of the reader."""
    agent: str
    """Name and version of the software that read the chip."""
    resumed: int = 0
    """How often the reading went on after the card had left the field or the session had ended."""
    ca: ChipAuthenticationRecord | None = None
    """Chip Authentication; None if no verifier asked for it."""
    started_at: datetime | None = None
    """When the reading began by the terminal's clock, UTC, whole seconds."""
    finished_at: datetime | None = None
    """When it ended."""

    def data_group(self, number: int) -> bytes | None:
        """Return data group `number` as read, or None."""
        return self.files.get(DATA_GROUPS[number].name)

    @property
    def data_groups(self) -> dict[int, bytes]:
        """Number to bytes of all data groups that were read."""
        files = self.files
        groups = DATA_GROUPS.items()
        return {number: files[file.name] for number, file in groups if file.name in files}

    @property
    def sod(self) -> bytes | None:
        """EF.SOD as read, or None."""
        return self.files.get(SOD.name)

    @property
    def card_access(self) -> bytes | None:
        """EF.CardAccess as read, or None."""
        return self.files.get(CARD_ACCESS.name)

    def only(self, data_groups: Iterable[int]) -> "ChipEvidence":
        """Return the evidence with these data groups and no other.

        It proves as much about them: each hash in the SOD stands for itself. EF.CardAccess and
        EF.CardSecurity, which hold nothing personal, stay.
        """
        kept_always = {CARD_ACCESS.name, CARD_SECURITY.name, SOD.name}
        names = kept_always.union(DATA_GROUPS[number].name for number in data_groups)
        kept = {name: data for name, data in self.files.items() if name in names}
        return replace(self, files=kept)

    def to_bytes(self) -> bytes:
        """Return the evidence as CBOR."""
        content = {
            "format": FORMAT,
            "version": VERSION,
            "files": dict(self.files),
            "access": self.access,
            "access_offered": list(self.access_offered),
            "downgrade_reason": self.downgrade_reason,
            "policy": self.policy,
            "pace": None if self.pace is None else asdict(self.pace),
            "aa_challenge": self.aa_challenge,
            "aa_response": self.aa_response,
            "times_ms": dict(self.times_ms),
            "apdu_count": self.apdu_count,
            "reader": self.reader,
            "agent": self.agent,
            "resumed": self.resumed,
            "ca": None if self.ca is None else _ca_entry(self.ca),
            "started_at": _time_entry(self.started_at),
            "finished_at": _time_entry(self.finished_at),
        }
        return cbor2.dumps(content, canonical=True)

    @classmethod
    def from_bytes(cls, data: bytes) -> "ChipEvidence":
        """Return the evidence in `data`.

        Raises:
            EvidenceMalformedError: it is truncated, too large, of another version, has a missing,
                unknown or wrongly typed entry, or is not in its deterministic encoding.
        """
        evidence = cls(**_entries(data))
        if evidence.to_bytes() != data:
            raise EvidenceMalformedError("the evidence is not in its deterministic encoding")
        return evidence


def _entries(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_EVIDENCE_BYTES:
        raise EvidenceMalformedError("the evidence is too large")
    try:
        check_structure(data)
        content = cbor2.loads(data)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError):
        raise EvidenceMalformedError("the evidence is truncated or not CBOR") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise EvidenceMalformedError("this is not chip evidence")
    if content.get("version") != VERSION:
        raise EvidenceMalformedError("the evidence is of another version")
    if set(content) != {"format", "version", *_VALID}:
        raise EvidenceMalformedError("the evidence has missing or unknown entries")
    for name, is_valid in _VALID.items():
        if not is_valid(content[name]):
            raise EvidenceMalformedError(f"the evidence's entry {name} is malformed")
    entries = {name: content[name] for name in _VALID}
    if (entries["pace"] is None) is not (entries["access"] == "BAC"):
        raise EvidenceMalformedError("the evidence's entries access and pace disagree")
    entries["access_offered"] = tuple(entries["access_offered"])
    entries["pace"] = _pace_record(entries["pace"])
    entries["ca"] = _ca_record(entries["ca"])
    for name in ("started_at", "finished_at"):
        entries[name] = _time(entries[name])
    return entries


def _pace_record(entry: dict[str, Any] | None) -> PaceRecord | None:
    if entry is None:
        return None
    cam = entry["cam"]
    return PaceRecord(entry["oid"], entry["parameter_id"], CamRecord(**cam) if cam else None)


def _ca_entry(record: ChipAuthenticationRecord) -> dict[str, Any]:
    return asdict(record.request) | {"answer": record.answer}


def _ca_record(entry: dict[str, Any] | None) -> ChipAuthenticationRecord | None:
    if entry is None:
        return None
    request = {name: value for name, value in entry.items() if name != "answer"}
    return ChipAuthenticationRecord(ChipAuthenticationRequest(**request), entry["answer"])


def _time_entry(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).strftime(_TIME_FORMAT)


def _time(entry: str | None) -> datetime | None:
    return None if entry is None else datetime.strptime(entry, _TIME_FORMAT).replace(tzinfo=UTC)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < _MAX_COUNT


def _is_bytes(value: Any, limit: int) -> bool:
    return isinstance(value, bytes) and 0 < len(value) <= limit


def _are_files(value: Any) -> bool:
    return isinstance(value, dict) and all(
        name in BY_NAME and _is_bytes(data, MAX_FILE_BYTES) for name, data in value.items()
    )


def _are_times(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= MAX_TEXT
        and all(_is_text(name) and _is_count(time) for name, time in value.items())
    )


def _is_pace(value: Any) -> bool:
    return value is None or (
        isinstance(value, dict)
        and set(value) == {"oid", "parameter_id", "cam"}
        and _is_text(value["oid"])
        and (value["parameter_id"] is None or _is_count(value["parameter_id"]))
        and _is_cam(value["cam"])
    )


def _is_cam(value: Any) -> bool:
    return value is None or (
        isinstance(value, dict)
        and set(value) == {"mapping_key", "authentication_data"}
        and all(_is_bytes(part, _MAX_POINT_BYTES) for part in value.values())
    )


def _is_ca(value: Any) -> bool:
    return value is None or (
        isinstance(value, dict)
        and set(value) == {"oid", "key_id", "public_key", "command", "answer"}
        and _is_text(value["oid"])
        and (value["key_id"] is None or _is_count(value["key_id"]))
        and _is_bytes(value["public_key"], MAX_ANSWER_BYTES)
        and _is_bytes(value["command"], MAX_ANSWER_BYTES)
        and (value["answer"] is None or _is_bytes(value["answer"], MAX_ANSWER_BYTES))
    )


def _is_time(value: Any) -> bool:
    try:
        return value is None or (isinstance(value, str) and _time(value) is not None)
    except ValueError:
        return False


_VALID = {
    "files": _are_files,
    "access": lambda value: value in ACCESS_PROTOCOLS,
    "access_offered": lambda value: (
        isinstance(value, list) and len(value) <= 64 and all(_is_text(offer) for offer in value)
    ),
    "downgrade_reason": lambda value: value is None or _is_text(value),
    "policy": lambda value: value in ACCESS_POLICIES,
    "pace": _is_pace,
    "aa_challenge": lambda value: value is None or _is_bytes(value, 8),
    "aa_response": lambda value: value is None or _is_bytes(value, MAX_ANSWER_BYTES),
    "times_ms": _are_times,
    "apdu_count": _is_count,
    "reader": _is_text,
    "agent": _is_text,
    "resumed": _is_count,
    "ca": _is_ca,
    "started_at": _is_time,
    "finished_at": _is_time,
}
