"""Faults that a simulated card can be told to show, and at which commands."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import field
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, ConfigDict, Field, Strict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from devices.simulator.errors import ProfileInvalidError
from devices.simulator.lds import APPLICATION_FILES, MASTER_FILES

FaultKind = Literal[
    "tear",
    "naked-status",
    "naked-6700",
    "slow-answer",
    "wrong-mac",
    "replayed-answer",
    "unprotected-data",
    "oversized-answer",
    "endless-61xx",
    "garbage",
    "stub-answer",
    "truncated-file",
    "length-4-gib",
]
"""What goes wrong.

- `tear`: the card leaves the field instead of answering; it is back, powered anew, when it is
  reset, or by itself after `back_after_s`.
- `naked-status`: the card answers `status` without protection and without looking at the command;
  its session stays as it was, but for the quirks `bare-status-…`.
- `naked-6700`: the same with 6700.
- `slow-answer`: the answer comes `seconds` later.
- `wrong-mac`: one bit of the MAC of a protected response is wrong (an unprotected one is intact).
- `replayed-answer`: the command is performed, but the answer is the one to the command before.
- `unprotected-data`: the command is performed, but its response comes without protection.
- `oversized-answer`: 60,000 zeros follow the data, rightly protected.
- `endless-61xx`: the card announces more data, and so with each GET RESPONSE.
- `garbage`: the answer is as many random bytes.
- `stub-answer`: the answer is one byte, too short for a status word.
- `truncated-file`: the second half of a file is missing.
- `length-4-gib`: a file's header says that 4 GiB follow (84 FFFFFFFF), the rest is as it was.
"""

_OF_FILES = ("truncated-file", "length-4-gib")
_LENGTH_4_GIB = bytes.fromhex("84FFFFFFFF")
_FILES = MASTER_FILES | APPLICATION_FILES
_GIVEN_AS = re.compile(r"(?P<kind>[a-z0-9-]+)(=(?P<value>[^@]+))?@(?P<place>.+)")


def _known_file(name: str) -> str:
    if name not in _FILES:
        raise ValueError("must be the name of a file, such as EF.DG2")
    return name


@dataclass(frozen=True, config=ConfigDict(extra="forbid", hide_input_in_errors=True))
class Fault:
    """One fault and its place."""

    kind: FaultKind
    at_apdu: Annotated[int, Strict(), Field(ge=1)] | None = None
    """Number of the command, counted from 1 since the card was made, over power-ups; with `ins` or
    `file` only commands that match are counted."""
    every: Annotated[int, Strict(), Field(ge=1)] | None = None
    """In place of `at_apdu`: each nth such command."""
    ins: Annotated[int, Strict(), Field(ge=0, le=0xFF)] | None = None
    """Instruction byte of the commands that count."""
    file: Annotated[str, AfterValidator(_known_file)] | None = None
    """The commands that count are READ BINARY of this file, such as `EF.DG2`; or the file that is
    truncated or whose length is wrong."""
    status: Annotated[int, Strict(), Field(ge=0x6000, le=0x9FFF)] | None = None
    """Status word of a naked status."""
    seconds: Annotated[float, Field(gt=0, le=3600)] | None = None
    """How much later a slow answer comes."""
    back_after_s: Annotated[float, Field(ge=0, le=3600)] | None = field(default=None)
    """When a torn card is back in the field; None if it stays away until it is reset."""

    def __post_init__(self) -> None:
        if self.kind in _OF_FILES:
            if self.file is None:
                raise ValueError(f"{self.kind} needs the name of a file")
        elif (self.at_apdu is None) == (self.every is None):
            raise ValueError(f"{self.kind} needs the number of a command: at_apdu or every")
        if (self.kind == "naked-status") != (self.status is not None):
            raise ValueError("naked-status needs a status, and no other fault has one")
        if (self.kind == "slow-answer") != (self.seconds is not None):
            raise ValueError("slow-answer needs seconds, and no other fault has them")
        if self.kind != "tear" and self.back_after_s is not None:
            raise ValueError("only a tear has back_after_s")


class FaultSchedule:
    """Says which faults are due as the commands come in."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults = tuple(faults)
        self._counts = [0] * len(self._faults)

    def due(self, ins: int | None, file: str | None) -> dict[FaultKind, Fault]:
        """Count one command and return the faults to show, by kind.

        Args:
            ins: its instruction byte, None if it is too short to have one.
            file: the file that it reads, if it is READ BINARY.
        """
        due: dict[FaultKind, Fault] = {}
        for index, fault in enumerate(self._faults):
            if fault.kind in _OF_FILES:
                continue
            if fault.ins not in (None, ins) or fault.file not in (None, file):
                continue
            self._counts[index] += 1
            if self._counts[index] == fault.at_apdu or (
                fault.every is not None and self._counts[index] % fault.every == 0
            ):
                due[fault.kind] = fault
        return due

    def spoil(self, name: str, content: bytes) -> bytes:
        """Return what is left of a file."""
        kinds = {fault.kind for fault in self._faults if fault.file == name}
        if "truncated-file" in kinds:
            content = content[: len(content) // 2]
        if "length-4-gib" in kinds:
            tag_bytes, length_at = (2, 2) if content[:1] and content[0] & 0x1F == 0x1F else (1, 1)
            first = content[length_at] if len(content) > length_at else 0
            rest = length_at + 1 + (first & 0x7F if first & 0x80 else 0)
            content = content[:tag_bytes] + _LENGTH_4_GIB + content[rest:]
        return content


def parse_fault(text: str) -> Fault:
    """Read a fault as the command line gives it: `KIND[=VALUE]@PLACE[,PLACE…]`.

    PLACE is the number of a command, `every=N`, `ins=B0` or the name of a file; VALUE is the status
    word of naked-status, the seconds of slow-answer, or after how many seconds a torn card is back.
    Examples: `tear@9`, `tear=1.5@3,EF.DG2`, `naked-status=6A80@every=4`, `truncated-file@EF.SOD`.

    Raises:
        ProfileInvalidError: it is no fault; the message says why.
    """
    given = _GIVEN_AS.fullmatch(text)
    if given is None or given["kind"] not in get_args(FaultKind):
        kinds = ", ".join(get_args(FaultKind))
        raise ProfileInvalidError(f"A fault is given as KIND@NUMBER; the kinds are {kinds}.")
    try:
        places = _places(given["place"].split(","))
        value = _value(given["kind"], given["value"])
        return TypeAdapter(Fault).validate_python({"kind": given["kind"]} | places | value)
    except ValidationError as error:
        reasons = error.errors(include_input=False, include_url=False, include_context=False)
        message = "; ".join(
            ": ".join((*map(str, reason["loc"]), reason["msg"].removeprefix("Value error, ")))
            for reason in reasons
        )
        raise ProfileInvalidError(f"Fault {given['kind']}: {message}.") from None
    except ValueError:
        raise ProfileInvalidError(
            f"Fault {given['kind']}: a number in its value or place cannot be read."
        ) from None


def _places(texts: Sequence[str]) -> dict[str, Any]:
    places: dict[str, Any] = {}
    for text in texts:
        name, _, number = text.partition("=")
        if name == "every":
            places["every"] = int(number)
        elif name == "ins":
            places["ins"] = int(number, 16)
        elif name.startswith("EF."):
            places["file"] = text
        else:
            places["at_apdu"] = int(text)
    return places


def _value(kind: str, text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    match kind:
        case "naked-status":
            return {"status": int(text, 16)}
        case "slow-answer":
            return {"seconds": float(text)}
        case "tear":
            return {"back_after_s": float(text)}
    raise ProfileInvalidError(f"Fault {kind} takes no value.")
