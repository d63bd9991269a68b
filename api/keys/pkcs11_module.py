"""The PKCS#11 library of a vendor, loaded by python-pkcs11, which is not installed everywhere."""

from pathlib import Path
from types import ModuleType
from typing import Any

from api.keys.errors import (
    Pkcs11FaultError,
    Pkcs11ModuleUnusableError,
    Pkcs11NotInstalledError,
    Pkcs11TokenMissingError,
)


def library() -> ModuleType:
    """Return python-pkcs11.

    Raises:
        Pkcs11NotInstalledError: it is not installed.
    """
    try:
        import pkcs11
    except ImportError:
        raise Pkcs11NotInstalledError(
            "keys in a security module need python-pkcs11: python -m pip install python-pkcs11"
        ) from None
    return pkcs11


def find_token(module: Path, label: str) -> Any:
    """Return the token of a label, as python-pkcs11 has it.

    Raises:
        Pkcs11ModuleUnusableError: the module cannot be loaded.
        Pkcs11TokenMissingError: there is no such token, or more than one.
    """
    pkcs11 = library()
    try:
        loaded = pkcs11.lib(str(module))
    except (pkcs11.PKCS11Error, RuntimeError, OSError, UnicodeError, SystemError):
        raise Pkcs11ModuleUnusableError(f"{module} is not a PKCS#11 module that loads") from None
    try:
        return loaded.get_token(token_label=label)
    except pkcs11.NoSuchToken:
        raise Pkcs11TokenMissingError(f"there is no token {label!r}") from None
    except pkcs11.MultipleTokensReturned:
        raise Pkcs11TokenMissingError(f"there is more than one token {label!r}") from None


def fault(error: Exception) -> Pkcs11FaultError:
    """Return what is raised for an error of the module that says nothing of its own."""
    return Pkcs11FaultError(f"the token failed: {type(error).__name__}")
