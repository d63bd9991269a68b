"""Status lists of 2^20 assertions: size of the token, time and memory to make and to verify one.

A list is `empty` while nothing in it is revoked; `one_percent` and `half` of its places, drawn at
random, are revoked or suspended. Making and verifying stand beside what nothing could beat, taken
in turn with them: compressing the array at the best level, and inflating it.
"""

import random
import statistics
import tempfile
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from api.assertions.signing_key import SigningKey, signing_key
from api.assertions.status_list import (
    Status,
    StatusArray,
    sign_status_list,
    verify_status_list,
)
from api.keys import authority
from api.status.lists import StatusLists
from api.store.database import open_database
from benchmarks.result import Figures, Metric, in_turn, timed

SIZE = 1 << 20
SHARES = {"empty": 0.0, "one_percent": 0.01, "half": 0.5}
_ORGANISATION, _ISSUER = "Benchmark", "https://issuer.example"
_URI = "https://issuer.example/v1/status-lists/7cd5c23e-18a4-4a20-b8e8-0251ec0fadd0"


class _OneKey:
    """A ring of one key."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def current(self, at: datetime) -> SigningKey:
        return self._key


def measure(quick: bool) -> Figures:
    """Make and verify tokens, and give out and change places in a database on this disk."""
    rounds = 3 if quick else 15
    now = datetime.now(UTC)
    root = authority.make_root(_ORGANISATION, now)
    issuing_ca = authority.make_issuing_ca(_ORGANISATION, root, now)
    leaf = authority.make_leaf(_ORGANISATION, _ISSUER, issuing_ca, now)
    key = signing_key(leaf.private_key, (leaf.certificate, issuing_ca.certificate))
    figures: Figures = {}
    for name, share in SHARES.items():
        statuses = _drawn(share)
        make = partial(
            sign_status_list,
            statuses,
            uri=_URI,
            key=key,
            at=now,
            expires_at=now + timedelta(days=1),
            ttl_s=3600,
        )
        token = make()
        verify = partial(
            verify_status_list,
            token,
            uri=_URI,
            roots=[root.certificate],
            issuer=_ISSUER,
            at=now,
        )
        compress = partial(zlib.compress, statuses.packed, 9)
        inflate = partial(zlib.decompress, compress())
        figures |= {
            f"status.token_bytes.{name}": Metric(float(len(token)), "bytes", 1),
            f"status.make_ms.{name}": _beside(rounds, make, compress),
            f"status.verify_ms.{name}": _beside(rounds, verify, inflate),
            f"status.make_peak_mib.{name}": _peak_mib(make),
            f"status.verify_peak_mib.{name}": _peak_mib(verify),
        }
    return figures | _database(10 if quick else 200, key)


def _drawn(share: float) -> StatusArray:
    """Return a list with a share of its places revoked or suspended, the same in every run."""
    draw = random.Random(7)  # noqa: S311 - which places are revoked is no secret here
    revoked = draw.sample(range(SIZE), round(SIZE * share))
    kinds = (Status.INVALID, Status.SUSPENDED)
    return StatusArray.of_valid(SIZE).changed({idx: draw.choice(kinds) for idx in revoked})


def _beside(rounds: int, ours: Callable[[], object], bare: Callable[[], object]) -> Metric:
    """Return our time beside the bare one's."""
    taken = in_turn({"ours": timed(ours), "bare": timed(bare)}, rounds)
    mine, bound = (statistics.median(taken[name]) for name in ("ours", "bare"))
    return Metric(mine, "ms", rounds, bound=bound)


def _peak_mib(work: Callable[[], object]) -> Metric:
    """Return how much memory Python takes on top while it works."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Metric(peak / (1 << 20), "MiB", 1)


def _database(rounds: int, key: SigningKey) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(Path(folder) / "status.sqlite")
        lists = StatusLists.over(engine, _OneKey(key), keep_links_s=0)
        places = [lists.allocation.reserve(key.issuer) for _ in range(rounds + 1)]
        waiting = iter(places)

        def change() -> None:
            lists.register.revoke(next(waiting).reference, reason="benchmark", who="benchmark")

        works = {
            "reserve_ms": timed(lambda: lists.allocation.reserve(key.issuer)),
            "change_ms": timed(change),
            "renew_and_serve_ms": timed(lambda: lists.publisher.published(places[0].list_id)),
            "serve_ms": timed(lambda: lists.publisher.published(places[0].list_id)),
        }
        taken = in_turn(works, rounds)
        engine.dispose()
    return {
        f"status.{name}": Metric(statistics.median(times), "ms", rounds)
        for name, times in taken.items()
    }
