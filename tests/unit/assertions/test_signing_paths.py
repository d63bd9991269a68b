"""The memory of verified paths: never beyond validity, never across roots, never without end."""

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from api.assertions import chain
from api.assertions.errors import ChainExpiredError, ChainUnpinnedRootError
from api.assertions.signing_path import PathMemory


def header_of(key: Any) -> tuple[bytes, ...]:
    return tuple(base64.b64decode(text) for text in key.x5c)


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often a path was built, one entry each."""
    built: list[int] = []
    real = chain.verify_path

    def counting(*arguments: Any) -> tuple[x509.Certificate, ...]:
        built.append(1)
        return real(*arguments)

    monkeypatch.setattr(chain, "verify_path", counting)
    return built


def test_built_once_for_one_issuer(office: Any, builds: list[int]) -> None:
    memory, x5c, roots = PathMemory(), header_of(office.key), [office.root.certificate]
    paths = [memory.verify(x5c, roots, office.at + timedelta(days=days)) for days in (0, 1, 2, 30)]
    assert len(builds) == 1
    assert all(path is paths[0] for path in paths)
    assert paths[0].certificates[-1] == office.root.certificate
    assert paths[0].leaf == paths[0].certificates[0]


@pytest.mark.parametrize("days", [-2, 91, 1200, 4000])
def test_remembered_but_not_valid_then(office: Any, days: int) -> None:
    memory, x5c, roots = PathMemory(), header_of(office.key), [office.root.certificate]
    memory.verify(x5c, roots, office.at)
    with pytest.raises(ChainExpiredError):
        memory.verify(x5c, roots, office.at + timedelta(days=days))
    memory.verify(x5c, roots, office.at)


def test_to_the_second(office: Any) -> None:
    memory, x5c, roots = PathMemory(), header_of(office.key), [office.root.certificate]
    path = memory.verify(x5c, roots, office.at)
    memory.verify(x5c, roots, path.not_after)
    memory.verify(x5c, roots, path.not_before)
    for outside in (path.not_after + timedelta(seconds=1), path.not_before - timedelta(seconds=1)):
        with pytest.raises(ChainExpiredError):
            memory.verify(x5c, roots, outside)


def test_remembered_for_another_root(office: Any, other_office: Any) -> None:
    memory, x5c = PathMemory(), header_of(office.key)
    memory.verify(x5c, [office.root.certificate], office.at)
    with pytest.raises(ChainUnpinnedRootError):
        memory.verify(x5c, [other_office.root.certificate], office.at)


def test_remembered_with_another_leaf(office: Any, other_office: Any) -> None:
    memory, roots = PathMemory(), [office.root.certificate]
    memory.verify(header_of(office.key), roots, office.at)
    swapped = (header_of(other_office.key)[0], header_of(office.key)[1])
    with pytest.raises(ChainUnpinnedRootError):
        memory.verify(swapped, roots, office.at)


def test_refusals_are_not_remembered(office: Any, other_office: Any, builds: list[int]) -> None:
    memory, roots = PathMemory(), [other_office.root.certificate]
    for _ in range(3):
        with pytest.raises(ChainUnpinnedRootError):
            memory.verify(header_of(office.key), roots, office.at)
    assert len(builds) == 3


def test_the_oldest_is_forgotten(office: Any, builds: list[int]) -> None:
    memory, roots = PathMemory(capacity=2), [office.root.certificate]
    headers = [header_of(office.key_of(office.leaf())) for _ in range(3)]
    for x5c in [*headers, headers[2], headers[1]]:
        memory.verify(x5c, roots, office.at)
    assert len(builds) == 3
    memory.verify(headers[0], roots, office.at)
    assert len(builds) == 4


def test_from_many_threads(office: Any, other_office: Any) -> None:
    memory = PathMemory(capacity=2)
    headers = [(header_of(o.key), o.root.certificate) for o in (office, other_office)] + [
        (header_of(office.key_of(office.leaf())), office.root.certificate)
    ]

    def verify(number: int) -> bool:
        x5c, root = headers[number % 3]
        return memory.verify(x5c, [root], office.at).leaf.public_bytes(Encoding.DER) == x5c[0]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(verify, range(300)))
