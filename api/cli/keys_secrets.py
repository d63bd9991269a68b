"""Passwords and PINs: from a file, the environment or a person; never from the command line."""

import argparse
import os
import sys
from collections.abc import Mapping
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli.output import read_input
from api.errors import InputUnusableError

if TYPE_CHECKING:
    from api.keys.keys_toml import TokenPlace
    from api.keys.private_keys import KeySecrets

PASSWORD_VARIABLE = "CHINHCHU_KEYS_PASSWORD"  # noqa: S105 - the variable's name, not a password
PIN_VARIABLE = "CHINHCHU_KEYS_PIN"
MAX_SECRET_FILE = 4096


def add_secrets(parser: argparse.ArgumentParser) -> None:
    """Let a command open private keys."""
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="its first line")
    parser.add_argument("--pin-file", type=Path, metavar="FILE", help="the token's PIN, first line")


def opening_secrets(args: argparse.Namespace, token: "TokenPlace | None") -> "KeySecrets":
    """Return what opens the keys of a folder; a person is asked only at a terminal.

    Raises:
        InputUnusableError: a file is unreadable.
    """
    from api.keys.private_keys import KeySecrets

    password = _given(args.password_file, os.environ, PASSWORD_VARIABLE)
    if password is None and sys.stdin.isatty():
        password = getpass("Password of the keys (empty: not encrypted): ") or None
    return KeySecrets(password, token_pin(args.pin_file, token))


def add_root_password(parser: argparse.ArgumentParser) -> None:
    """Let a command open the root's private key."""
    parser.add_argument("--root-password-file", type=Path, metavar="FILE",
                        help="the root's password, if it is another")  # fmt: skip


def root_password(args: argparse.Namespace, others: "KeySecrets") -> str | None:
    """Return the password of the root's key; that of the other keys if it has none of its own.

    Raises:
        InputUnusableError: a file is unreadable.
    """
    if args.root_password_file is not None:
        return first_line(args.root_password_file)
    if sys.stdin.isatty():
        return getpass("Password of the root's key (empty: that of the keys): ") or others.password
    return others.password


def token_pin(file: Path | None, token: "TokenPlace | None") -> str | None:
    """Return the PIN of a token, None where there is no token or it says itself where the PIN is.

    Raises:
        InputUnusableError: the file is unreadable.
    """
    if token is None:
        return None
    pin = _given(file, os.environ, PIN_VARIABLE)
    if pin is None and token.pin_file is None and sys.stdin.isatty():
        pin = getpass(f"PIN of the token {token.token}: ")
    return pin


def first_line(file: Path) -> str:
    """Return the first line of a file that holds a secret.

    Raises:
        InputUnusableError: it is unreadable.
    """
    from api.keys import files as key_files

    try:
        return key_files.first_line(read_input(file, MAX_SECRET_FILE))
    except UnicodeDecodeError:
        raise InputUnusableError(f"{file} is not text in UTF-8") from None


def new_password(
    file: Path | None, environment: Mapping[str, str], variable: str = PASSWORD_VARIABLE
) -> str:
    """Return a new password from a file's first line, the environment, or a person (twice).

    Raises:
        InputUnusableError: none is to be had, the two do not agree, or the file is unreadable.
    """
    given = _given(file, environment, variable)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise InputUnusableError(
            f"no password: set {variable}, or use --password-file or --no-password"
        )
    password = getpass("Password for the new keys: ")
    if getpass("The same again: ") != password:
        raise InputUnusableError("the two passwords are not the same")
    return password


def _given(file: Path | None, environment: Mapping[str, str], variable: str) -> str | None:
    return first_line(file) if file is not None else environment.get(variable)
