"""The profiles that are shipped: one card of every kind."""

from pathlib import Path

from devices.simulator.errors import ProfileInvalidError
from devices.simulator.profile import SPECIMEN

_FOLDER = Path(__file__).with_name("profiles")
_SPECIMEN_NAME = "vietnamese-2021"
_SPECIMEN_LINE = "The Vietnamese card of 2021: PACE and BAC, Chip and Active Authentication."


def shipped_profiles() -> dict[str, str]:
    """Return what each shipped profile is, a line each, by name."""
    return {_SPECIMEN_NAME: _SPECIMEN_LINE} | {
        path.stem: path.read_text("utf-8").splitlines()[0].removeprefix("# ")
        for path in sorted(_FOLDER.glob("*.toml"))
    }


def shipped_profile(name: str) -> Path:
    """Return the path of a shipped profile.

    Raises:
        ProfileInvalidError: there is none of this name.
    """
    if name not in shipped_profiles():
        raise ProfileInvalidError(f"no profile of this name is shipped: {name}")
    return SPECIMEN if name == _SPECIMEN_NAME else _FOLDER / f"{name}.toml"
