"""The command `chinhchu`: one module a command group, each importing its work only when it runs."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module, metadata

from api.cli.output import EXIT_FAULT, print_json
from api.errors import ApiError
from biometrics.errors import BiometricsError
from devices.errors import DeviceError

GROUPS = ("demo", "chip", "card", "face", "models", "keys", "verify", "serve", "agent", "bench")

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
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all command groups."""
    parser = argparse.ArgumentParser(
        prog="chinhchu",
        description="Identity proofing with the citizen card's chip and the live face.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"chinhchu {metadata.version('chinhchu')}"
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for group in GROUPS:
        import_module(f"api.cli.{group}").register(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (see the epilog of `--help`)."""
    args = build_parser().parse_args(argv)
    try:
        return int(args.run(args))
    except (ApiError, BiometricsError, DeviceError) as error:
        if getattr(args, "json", False):
            fault = {"code": error.code, "message": str(error), "retryable": error.retryable}
            print_json({"error": fault})
        print(f"chinhchu: {error} [{error.code}]", file=sys.stderr)
        return EXIT_FAULT
    except KeyboardInterrupt:
        print("chinhchu: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAULT
