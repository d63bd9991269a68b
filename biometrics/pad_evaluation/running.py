"""Judge many presentations, in as many processes as there are cores to spare."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

import cv2

from biometrics.pad_evaluation.errors import PadDataInvalidError
from biometrics.pad_evaluation.judged import JudgedCapture
from biometrics.pad_evaluation.judging import Item, RigItem, UnitUnderTest
from biometrics.pad_evaluation.sitters import Sitters

Progress = Callable[[int, int], None]
"""Called with how many are done, of how many."""

_WAITING = 4
"""Items a process that wait for it; so few are lost when work is broken off."""

_unit: UnitUnderTest | None = None
"""One a process."""


def plan_rig(
    sitters: Sitters, species: Sequence[str], sequences: int, *, seed: int, fps: float
) -> list[RigItem]:
    """Return the captures to be rendered: sequence i of every species has the seed `seed` + i.

    The seed decides sitter, challenge, performance and camera, so one number names a capture. Each
    attack meets the same people and challenges as the bona fide captures.
    """
    items = []
    for index in range(sequences):
        picture, accomplice = sitters.pair(index)
        items += [RigItem(name, seed + index, picture, accomplice, fps) for name in species]
    return items


def judge_all(
    items: Sequence[Item], *, workers: int, fps: float, progress: Progress
) -> list[JudgedCapture]:
    """Judge all items and return them in their order.

    Args:
        items: the presentations.
        workers: processes; with one, the work is done in this one.
        fps: frames a second of a folder that does not tell its frames' times.
        progress: told about every presentation.

    Raises:
        PadDataInvalidError: files cannot be read, contradict one another, or end a process.
        ModelMissingError, DigestMismatchError, ModelUnusableError: models must not be used.
    """
    if workers == 1:
        unit = UnitUnderTest()
        done = []
        for item in items:
            done.append(unit.judge(item, fps))
            progress(len(done), len(items))
        return done
    try:
        return _in_processes(items, workers, fps, progress)
    except BrokenProcessPool as error:
        raise PadDataInvalidError("a process ended while it judged a presentation") from error


def _in_processes(
    items: Sequence[Item], workers: int, fps: float, progress: Progress
) -> list[JudgedCapture]:
    done: dict[int, JudgedCapture] = {}
    context = multiprocessing.get_context("spawn")  # the models' threads do not survive a fork
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin) as pool:
        queue = iter(enumerate(items))
        running: dict[Future[JudgedCapture], int] = {}
        try:
            while True:
                for index, item in islice(queue, workers * _WAITING - len(running)):
                    running[pool.submit(_judge, item, fps)] = index
                if not running:
                    return [done[index] for index in range(len(items))]
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    done[running.pop(future)] = future.result()
                    progress(len(done), len(items))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin() -> None:
    global _unit
    cv2.setNumThreads(1)
    _unit = UnitUnderTest()


def _judge(item: Item, fps: float) -> JudgedCapture:
    assert _unit is not None
    return _unit.judge(item, fps)
