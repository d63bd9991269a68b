"""What holds for every list: what is packed is unpacked, and no index is given out twice."""

import multiprocessing
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.assertions.encoding import b64url_encode
from api.assertions.status_list import StatusArray
from api.errors import ApiError
from api.status.allocation import StatusAllocation
from api.status.permutation import KEY_BYTES, Permutation
from api.store.database import open_database

ISSUER = "https://chinhchu.example"
widths = st.sampled_from((1, 2, 4, 8))
timeless = settings(deadline=None)
"""A machine that is busy with other things is no fault."""


@timeless
@given(bits=widths, size=st.integers(1, 5000), data=st.data())
def test_what_is_packed_is_unpacked(bits: int, size: int, data: st.DataObject) -> None:
    statuses = data.draw(
        st.dictionaries(st.integers(0, size - 1), st.integers(0, (1 << bits) - 1), max_size=50)
    )
    array = StatusArray.decode(StatusArray.of_valid(size, bits).changed(statuses).encode())
    assert size <= array.size < size + 8
    for idx in {*statuses, 0, size - 1, *(i + 1 for i in statuses if i + 1 < size)}:
        assert array.get(idx) == statuses.get(idx, 0)


@timeless
@given(packed=st.binary(min_size=1, max_size=64), bits=widths, data=st.data())
def test_one_change_changes_one_status(packed: bytes, bits: int, data: st.DataObject) -> None:
    array = StatusArray(packed, bits)
    idx = data.draw(st.integers(0, array.size - 1))
    status = data.draw(st.integers(0, (1 << bits) - 1))
    changed = array.set(idx, status)
    assert changed.get(idx) == status
    assert [changed.get(i) for i in range(array.size) if i != idx] == [
        array.get(i) for i in range(array.size) if i != idx
    ]


@timeless
@given(
    claim=st.one_of(
        st.none(),
        st.text(),
        st.lists(st.integers()),
        st.fixed_dictionaries(
            {
                "bits": st.one_of(st.integers(), st.text(), st.booleans(), st.floats()),
                "lst": st.one_of(st.text(), st.binary(max_size=80).map(b64url_encode)),
            }
        ),
    )
)
def test_any_claim_is_an_array_or_refused_with_a_code(claim: object) -> None:
    with suppress(ApiError):
        assert StatusArray.decode(claim).size > 0


@timeless
@given(key=st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES), half=st.integers(1, 5))
def test_permutation_is_one_to_one(key: bytes, half: int) -> None:
    size = 1 << 2 * half
    permutation = Permutation(key, size)
    indices = [permutation.index(number) for number in range(size)]
    assert sorted(indices) == list(range(size))
    assert [permutation.number(index) for index in indices] == list(range(size))


@timeless
@given(key=st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES), number=st.integers(0, (1 << 20) - 1))
def test_permutation_of_a_million_can_be_undone(key: bytes, number: int) -> None:
    permutation = Permutation(key, 1 << 20)
    assert permutation.number(permutation.index(number)) == number


@pytest.mark.parametrize("size", [0, 1, 2, 3, 8, 1 << 19, -4, 5])
def test_permutation_refuses_other_sizes(size: int) -> None:
    with pytest.raises(ValueError, match="power of 4"):
        Permutation(bytes(KEY_BYTES), size)


def test_indices_look_drawn_at_random() -> None:
    """In each sixteenth of the list as many as chance would put there (chi-square, 15 d.f.)."""
    permutation = Permutation(bytes(range(KEY_BYTES)), 1 << 20)
    count = 4096
    indices = [permutation.index(number) for number in range(count)]
    bins = Counter(index >> 16 for index in indices)
    chi_square = sum((bins[i] - count / 16) ** 2 / (count / 16) for i in range(16))
    assert chi_square < 37.7  # exceeded by chance once in a thousand
    steps = Counter((b - a) % 16 for a, b in pairwise(indices))
    assert max(steps.values()) < 2 * count / 16


def _reserve(path: str, count: int) -> list[tuple[str, int]]:
    engine = open_database(Path(path))
    allocation = StatusAllocation(engine, list_size=256)
    reserved = [allocation.reserve(ISSUER).reference for _ in range(count)]
    engine.dispose()
    return [(reference.uri, reference.idx) for reference in reserved]


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_no_index_is_given_twice(kind: str, tmp_path: Path) -> None:
    path = str(tmp_path / "db.sqlite")
    open_database(Path(path)).dispose()
    if kind == "threads":
        pool: ThreadPoolExecutor | ProcessPoolExecutor = ThreadPoolExecutor(4)
    else:
        pool = ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn"))
    with pool:
        rounds = list(pool.map(_reserve, [path] * 4, [75] * 4))
    given_out = [place for places in rounds for place in places]
    assert len(set(given_out)) == len(given_out) == 300
    by_list = Counter(uri for uri, _ in given_out)
    assert sorted(by_list.values()) == [44, 256]  # a list is used up before the next is opened


@pytest.mark.parametrize("size", [4, 16, 64])
def test_a_list_is_used_to_its_last_index(size: int, tmp_path: Path) -> None:
    engine = open_database(tmp_path / "db.sqlite")
    allocation = StatusAllocation(engine, list_size=size)
    places = [allocation.reserve(ISSUER).reference for _ in range(2 * size)]
    engine.dispose()
    uris = {place.uri for place in places}
    assert len(uris) == 2
    for uri in uris:
        assert sorted(p.idx for p in places if p.uri == uri) == list(range(size))
