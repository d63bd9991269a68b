"""Any bytes in any parser of trust data: a typed error or a value, in bounded time."""

import contextlib
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.emrtd.crypto import der
from devices.emrtd.crypto.signature_algorithms import (
    parse_hash_algorithm,
    parse_signature_algorithm,
)
from devices.emrtd.lds.sod import parse_sod, verify_sod
from devices.emrtd.trust.certificates import parse_certificate
from devices.emrtd.trust.crl import parse_crl
from devices.emrtd.trust.master_list import verify_master_list
from devices.emrtd.trust.names import Name
from devices.emrtd.trust.trust_bundle import export_bundle, import_bundle
from devices.emrtd.trust.trust_import import import_objects
from devices.emrtd.trust.trust_store import TrustStore
from devices.errors import DeviceError
from tests.fixtures import trust_pki as pki
from tests.fixtures.trust_pki import AT, authority, document_signer

CSCA = authority()
SIGNER = document_signer(CSCA, extensions=[pki.document_types("ID")])
STORE, _ = import_objects(TrustStore(), [("a", CSCA.certificate.der)], root=None, pin=False, at=AT)
MASTER_LIST = pki.signed_data(b"\x30\x00", SIGNER, content_type="2.23.136.1.1.2")
ALGORITHM = bytes.fromhex("300d06092a864886f70d01010b0500")


def _import(data: bytes) -> None:
    import_objects(STORE, [("a", data)], root=CSCA.certificate, pin=True, at=AT)


PARSERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "certificate": (parse_certificate, SIGNER.certificate.der),
    "crl": (parse_crl, pki.crl(CSCA, revoked=[1, 2]).der),
    "sod": (lambda data: verify_sod(parse_sod(data)), pki.sod({1: b"a"}, SIGNER)),
    "master list": (
        lambda data: verify_master_list(data, CSCA.certificate, at=AT),
        MASTER_LIST,
    ),
    "bundle": (
        lambda data: import_bundle(data, STORE, digest="00" * 32, signer=None),
        export_bundle(STORE),
    ),
    "import": (_import, SIGNER.certificate.der),
    "signature algorithm": (parse_signature_algorithm, ALGORITHM),
    "hash algorithm": (parse_hash_algorithm, ALGORITHM),
}


@pytest.mark.parametrize("parser", PARSERS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged(parser: str, data: st.DataObject) -> None:
    parse, valid = PARSERS[parser]
    position = data.draw(st.integers(0, len(valid) - 1))
    end = data.draw(st.integers(position, len(valid)))
    damaged = valid[:position] + data.draw(st.binary(max_size=8)) + valid[end:]
    with contextlib.suppress(DeviceError):
        parse(damaged)


@pytest.mark.parametrize("parser", PARSERS)
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes(parser: str, data: bytes) -> None:
    with contextlib.suppress(DeviceError):
        PARSERS[parser][0](data)


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_names_are_total(data: bytes) -> None:
    name = Name(data)
    assert name == Name(data)
    assert hash(name) == hash(Name(data))
    assert isinstance(str(name), str)
    assert name != Name(data + b"\x00")


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_definite_lengths_of_definite_lengths_change_nothing(data: bytes) -> None:
    try:
        rebuilt = der.to_definite(data)
    except ValueError:
        return
    assert der.to_definite(rebuilt) == rebuilt


@pytest.mark.parametrize(
    "hostile",
    [
        b"\x30\x80" * 30_000,
        b"\x30\x84\xff\xff\xff\xff" * 10_000,
        b"\x30\x82\xff\xfc" + b"\x30\x00" * 32_766,
        b"\x1f" + b"\xff" * 60_000,
        b"\x24\x80" * 30_000,
    ],
    ids=["nested", "4-GiB", "many", "long tag", "strings in strings"],
)
@pytest.mark.parametrize("parser", ["certificate", "crl", "sod", "master list", "import"])
def test_hostile_structures_end_soon(parser: str, hostile: bytes) -> None:
    start = time.process_time()
    with contextlib.suppress(DeviceError):
        PARSERS[parser][0](hostile)
    assert time.process_time() - start < 2
