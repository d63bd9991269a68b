"""The command `chinhchu`: one module a command group, each importing its work only when it runs."""

import argparse
import os
import re
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from api.cli.output import EXIT_FAULT, EXIT_INTERRUPTED, EXIT_USAGE, print_json
from api.errors import ApiError
from biometrics.errors import BiometricsError
from devices.errors import DeviceError

GROUPS = (
    *("demo", "chip", "card", "trust", "face", "models"),
    *("evaluate", "calibrate", "calibrate_pad"),
    *("keys", "status", "verify", "pdf", "serve", "agents", "agent", "bench"),
)

EPILOG = """\
examples:
  chinhchu demo                     the whole way through, without hardware
  chinhchu chip read --can 123456   read the card on the reader into an evidence file
  chinhchu verify assertion.txt --document contract.pdf --root root.pem --audience NAME

exit codes:
  0  done, or the verdict is PASSED
  1  the verdict is FAILED
  2  wrong usage
  3  the verdict is INDETERMINATE
  4  it could not be carried out (no card, unreadable file, no server, …)
  130  interrupted

With --json standard output holds one JSON document, also where the command fails; what people
read then goes to standard error.
"""

FREE_VALUES = ("--audience", "--dossier", "--jti", "--nonce", "--session")
"""Options whose values others choose, or chance: one `jti` in 64 begins with a hyphen."""
_NO_OPTION = re.compile(r"-(?!h$|-?$|-[a-z])")


class UsageError(Exception):
    """The arguments do not fit; the message is argparse's."""


class _Parser(argparse.ArgumentParser):
    """A parser, and by inheritance its subparsers, whose refusal `main` can report as JSON."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.format_usage()}{self.prog}: error: {message}")


class _Version(argparse.Action):
    """Print the version, looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> NoReturn:
        from importlib import metadata

        print(f"chinhchu {metadata.version('chinhchu')}")
        parser.exit()


def build_parser(groups: Sequence[str] = GROUPS) -> argparse.ArgumentParser:
    """Return the parser of some command groups, of all by default."""
    parser = _Parser(
        prog="chinhchu",
        description="Identity proofing with the citizen card's chip and the live face.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for group in groups:
        import_module(f"api.cli.{group}").register(commands)
    return parser


def main(argv: Sequence[str] | None = None, groups: Sequence[str] = GROUPS) -> int:
    """Run one command and return its exit code (see the epilog of `--help`).

    Args:
        argv: the arguments; those of the process if None.
        groups: the command groups that there are.
    """
    arguments = sys.argv[1:] if argv is None else argv
    _prepare_streams()
    try:
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _print_warning
                return _run(arguments, groups)
        finally:
            sys.stdout.flush()
    except OSError as error:
        # Whoever read the output has seen enough, or the disk is full: flush nothing at exit.
        if not isinstance(error, BrokenPipeError):
            print(f"chinhchu: standard output: {error.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAULT
    except KeyboardInterrupt:
        print("chinhchu: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


def _prepare_streams() -> None:
    """Make sure that everything can be printed: whoever started us may have closed a stream."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
        elif mode == "w" and isinstance(stream, TextIOWrapper):
            # A pipe on Windows lacks most letters of a name. RFC 8259, 8.1: JSON is UTF-8.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _print_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"chinhchu: {message}", file=sys.stderr)


def _run(arguments: Sequence[str], groups: Sequence[str]) -> int:
    as_json = "--json" in arguments
    try:
        # Whoever asks for one group need not wait for the modules of all.
        asked = arguments[:1] if arguments[:1] and arguments[0] in groups else groups
        args = build_parser(asked).parse_args(_join_values(arguments))
        return int(args.run(args))
    except UsageError as error:
        print(error, file=sys.stderr)
        if as_json:
            _print_fault("usage", str(error).rpartition("error: ")[2], retryable=False)
        return EXIT_USAGE
    except (ApiError, BiometricsError, DeviceError) as error:
        code, message, retryable = error.code, str(error), error.retryable
        cause = getattr(error, "cause_code", "")
    except BrokenPipeError:
        raise
    except OSError as error:
        # A disk that is full, a folder that may not be written to.
        named = f"{error.filename}: " if error.filename else ""
        code, message = "system-fault", f"{named}{error.strerror or type(error).__name__}"
        retryable, cause = False, ""
    codes = f"{code}: {cause}" if cause else code
    print(f"chinhchu: {message} [{codes}]", file=sys.stderr)
    if as_json:
        _print_fault(code, message, retryable=retryable, cause=cause)
    return EXIT_FAULT


def _join_values(arguments: Sequence[str]) -> list[str]:
    """Write `--nonce=-x` for `--nonce -x`, where argparse would take the value for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] in FREE_VALUES and _NO_OPTION.match(argument):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def _print_fault(code: str, message: str, *, retryable: bool, cause: str = "") -> None:
    record: dict[str, Any] = {"code": code, "message": message, "retryable": retryable}
    print_json({"error": record | ({"cause": cause} if cause else {})})
