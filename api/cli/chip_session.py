"""Read the card that the arguments name, and go on when a card that was torn away is back."""

import argparse
import time
from collections.abc import Callable
from importlib import metadata
from typing import TypeVar

from api.cli.chip_challenges import Challenger
from api.cli.chip_source import open_card
from biometrics.weights.cache import cache_folder
from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.lds.mrz import Password
from devices.emrtd.terminal.access import AccessPolicy
from devices.emrtd.terminal.decoding import FileReading
from devices.emrtd.terminal.interruption import (
    TORN,
    PartialReading,
    ReadingInterruptedError,
)
from devices.emrtd.terminal.lengths import LengthMemory
from devices.emrtd.terminal.reader import DEFAULT_DATA_GROUPS, Progress, ProgressListener, read_chip
from devices.errors import CardRemovedError
from devices.trace import ApduTrace
from devices.transport import CardTransport

T = TypeVar("T")

MAX_PLACINGS = 4
"""How often the same card is waited for in one reading."""

_LOOK_S = 0.5
"""How often to look whether a reader that was unplugged is back."""

CARD_REMOVED = "card-removed"
"""Phase of the progress while a card that was taken away is waited for."""


def with_card(
    args: argparse.Namespace,
    progress: ProgressListener,
    read: Callable[[CardTransport, PartialReading | None], T],
) -> T:
    """Return what `read` returns of the card; it gets what is kept of the card that went away.

    Raises:
        DeviceError: there is no card, or it cannot be read.
    """
    resume: PartialReading | None = None
    for placing in range(1, MAX_PLACINGS + 1):
        if resume is None:
            transport = open_card(args.reader, args.card, args.wait)
        else:
            transport = _open_again(args)
        try:
            return read(transport, resume)
        except CardRemovedError as torn:
            if isinstance(torn, ReadingInterruptedError):
                resume = torn.partial
            if resume is None or placing == MAX_PLACINGS or not args.wait:
                raise
            progress(Progress(CARD_REMOVED, None, 0, 0))
        finally:
            transport.close()
    raise AssertionError("the last placing returns or raises")


def _open_again(args: argparse.Namespace) -> CardTransport:
    """Return the card that is back.

    Its reader and the PC/SC service may be on their way out still, or not be back yet; a service
    that ends under a call answers with whatever code it comes to.
    """
    deadline_s = time.monotonic() + args.wait
    while True:
        left_s = max(0.0, deadline_s - time.monotonic())
        try:
            return open_card(args.reader, args.card, left_s)
        except TORN:
            if not left_s:
                raise
        time.sleep(min(_LOOK_S, left_s))


def read_card(
    args: argparse.Namespace,
    password: Password,
    progress: ProgressListener,
    trace: ApduTrace | None = None,
    challenger: Challenger | None = None,
) -> tuple[ChipEvidence, tuple[FileReading, ...]]:
    """Return the evidence, and each file as it was read.

    Args:
        args: the card and how it is read.
        password: what opens it.
        progress: called as the reading goes on.
        trace: records the exchanges.
        challenger: makes the challenges; without it there is `args.challenge`, if anything.

    Raises:
        DeviceError: there is no card, or it cannot be read.
    """
    files: dict[str, FileReading] = {}

    def read(transport: CardTransport, resume: PartialReading | None) -> ChipEvidence:
        return read_chip(
            transport,
            password,
            data_groups=args.data_groups or DEFAULT_DATA_GROUPS,
            challenge=challenger.aa if challenger else args.challenge,
            clone_challenge=challenger.challenge_chip if challenger else None,
            agent=agent(),
            progress=progress,
            policy=AccessPolicy(args.policy),
            allow_last_try=args.last_try,
            on_file=lambda file: files.update({file.name: file}),
            resume=resume,
            lengths=length_memory(args),
            trace=trace,
        )

    evidence = with_card(args, progress, read)
    return evidence, tuple(files.values())


def length_memory(args: argparse.Namespace) -> LengthMemory | None:
    """Return what earlier readings on this computer learnt about cards and readers.

    Nothing is kept of simulated cards in process: they are all alike from outside.
    """
    if args.card is not None:
        return None
    return LengthMemory(cache_folder() / "card-lengths.json")


def agent() -> str:
    """Return name and version of this software."""
    return f"chinhchu {metadata.version('chinhchu')}"
