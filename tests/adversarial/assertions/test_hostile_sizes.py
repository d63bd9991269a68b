"""Input that is large, deep or many-fold: refused within bounds of time and memory."""

import base64
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from api.assertions import jws, sd_jwt
from api.assertions.disclosures import Disclosure
from api.assertions.encoding import b64url_encode, dump_json
from api.assertions.status_list import TYPE as LIST_TYPE

SECONDS = 2.0
"""What any refusal may take on a machine that is busy; alone they take some milliseconds."""
MIB = 1 << 20
AT = datetime(2026, 11, 21, 3, tzinfo=UTC)


@contextmanager
def bounded(memory_mib: int = 32) -> Iterator[None]:
    tracemalloc.start()
    begin = time.process_time()
    try:
        yield
        taken = time.process_time() - begin
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < SECONDS
    assert peak < memory_mib * MIB


def part(data: bytes) -> str:
    return b64url_encode(data)


@pytest.mark.parametrize(
    "hostile",
    [
        "A" * (10 * MIB),
        "~" * (10 * MIB),
        "." * (10 * MIB),
        b"\xff" * (10 * MIB),
        "a.b.c~" + "WyJhIiwgImIiLCAiYyJd~" * 100_000,
        "a.b.c~" + "~" * 60_000,
        "é" * 60_000,
    ],
    ids=["letters", "tildes", "dots", "bytes", "disclosures", "empty-disclosures", "not-ascii"],
)
def test_large_input(office: Any, fails: Callable[..., None], hostile: str | bytes) -> None:
    with bounded():
        verification = office.verify(hostile)
    fails(verification, "assertion-malformed")


@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 45_000,
        b'{"a":' * 9_000,
        b"[" * 20_000 + b"]" * 20_000,
        b'{"a":' * 25 + b"1" + b"}" * 25,
        b'{"a":[' * 13 + b"]}" * 13,
        b'{"n":' + b"9" * 40_000 + b"}",
        b'{"n":1e' + b"9" * 40_000 + b"}",
        b'{"a":"' + b"\\u0041" * 7_000 + b'","a":1}',
        b"{" + b",".join(b'"%d":0' % n for n in range(4_000)) + b',"0":1}',
    ],
    ids=lambda p: f"{p[:8]!r}x{len(p)}",
)
def test_deep_and_long_json(office: Any, fails: Callable[..., None], payload: bytes) -> None:
    with bounded():
        verification = office.verify(office.sign_bytes(payload) + "~")
    fails(verification, "assertion-malformed")


def test_as_many_disclosures_as_there_may_be_are_answered_in_time(office: Any) -> None:
    made = [Disclosure.make(n, f"claim-{n}") for n in range(sd_jwt.MAX_DISCLOSURES)]
    digests = sorted(disclosure.digest for disclosure in made)
    signed = office.sign(lambda p: p["txn"].update(_sd=digests), hide=False)
    with bounded():
        verification = office.verify(signed + "".join(f"{d.encoded}~" for d in made))
    assert verification.reasons == ()


def test_disclosures_inside_one_another(office: Any, fails: Callable[..., None]) -> None:
    inner = Disclosure.make(1, "x")
    made = [inner]
    for _ in range(60):
        inner = Disclosure.make({"_sd": [inner.digest]}, "x")
        made.append(inner)
    signed = office.sign(lambda p: p["txn"].update(_sd=[inner.digest]), hide=False)
    with bounded():
        verification = office.verify(signed + "".join(f"{d.encoded}~" for d in made))
    fails(verification, "assertion-malformed")


def certificate(
    key: Any,
    extensions: int = 0,
    alternatives: int = 0,
    years: tuple[int, int] = (AT.year - 1, AT.year + 1),
) -> str:
    begin, end = (datetime(year, 1, 1, tzinfo=UTC) for year in years)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bomb")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    for number in range(extensions):
        oid = x509.ObjectIdentifier(f"1.2.3.{number}")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, b"\x05\x00"), False)
    if alternatives:
        names = [x509.UniformResourceIdentifier(f"urn:{n}") for n in range(alternatives)]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    signed = builder.sign(key, hashes.SHA256())
    return base64.b64encode(signed.public_bytes(Encoding.DER)).decode()


@pytest.mark.parametrize("kind", ["many-extensions", "many-names", "large-rsa", "the-same-often"])
def test_certificates_that_are_bombs(office: Any, fails: Callable[..., None], kind: str) -> None:
    small = ec.generate_private_key(ec.SECP256R1())
    bombs = {
        "many-extensions": lambda: [certificate(small, extensions=400)],
        "many-names": lambda: [certificate(small, alternatives=600)],
        "large-rsa": lambda: [certificate(rsa.generate_private_key(65537, 4096))] * 3,
        "the-same-often": lambda: [certificate(small)] * 4,
    }
    x5c = [office.key.x5c[0], *bombs[kind]()][:4]
    with bounded():
        verification = office.verify(office.sign_as(office.key, x5c=x5c))
    assert verification.reasons[0] in ("chain-unpinned-root", "assertion-malformed")
    assert verification.outcome == "FAILED"


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("time", [b"20600101000000Z", b"20700101000000Z"])
def test_certificate_of_the_year_0(
    office: Any, fails: Callable[..., None], position: int, time: bytes
) -> None:
    """A certificate that loads, and whose time Python cannot hold: anybody can make one."""
    key = ec.generate_private_key(ec.SECP256R1())
    der = base64.b64decode(certificate(key, years=(2060, 2070)))
    x5c = [*office.key.x5c]
    x5c[position] = office.b64(der.replace(time, b"0000" + time[4:]))
    assertion = office.sign_as(office.key, x5c=x5c)
    fails(office.verify(assertion), "assertion-malformed")
    listed = office.sign(lambda p: p.update(status={"status_list": {"idx": 3, "uri": "urn:list"}}))
    token = jws.sign({"typ": LIST_TYPE, "x5c": x5c}, {"iat": 1, "ttl": 600}, office.key)
    verification = office.verify(listed, status_lists=[token])
    assert verification.reasons == ("status-list-untrusted",)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("whose", ["subject", "issuer"])
@pytest.mark.parametrize("understood", [True, False])
def test_leaf_whose_name_cannot_be_read(
    office: Any, signed: bool, whose: str, understood: bool
) -> None:
    """Of an authority that is pinned, and of anybody; the path's verifier tells of names."""
    leaf = asn1_x509.Certificate.load(base64.b64decode(office.key.x5c[0]))
    content = leaf["tbs_certificate"]
    common_name = content[whose].chosen[-1][0]["value"].dump()
    bit_string = b"\x03" + common_name[1:2] + b"\x00" + common_name[3:]
    tbs = content.dump().replace(common_name, bit_string)
    if not understood:  # a critical extension of another kind than keyUsage
        tbs = tbs.replace(b"\x55\x1d\x0f\x01\x01\xff", b"\x55\x1d\x73\x01\x01\xff")
    key = office.issuing_ca.private_key
    signature = key.sign(tbs, ec.ECDSA(hashes.SHA256())) if signed else b"none"
    leaf["tbs_certificate"] = asn1_x509.TbsCertificate.load(tbs)
    leaf["signature_value"] = signature
    x5c = [office.b64(leaf.dump()), office.key.x5c[1]]
    verification = office.verify(office.sign_as(office.key, x5c=x5c))
    passes = signed and understood and whose == "subject"  # its issuer is compared, and is another
    assert verification.reasons == (() if passes else ("chain-unpinned-root",))


def test_header_larger_than_a_header_may_be(office: Any, fails: Callable[..., None]) -> None:
    token = sd_jwt.parse(office.issue()).issued
    header = {**token.header, "filler": "x" * jws.MAX_HEADER_BYTES}
    with bounded():
        verification = office.verify(jws.sign(header, token.payload, office.key) + "~")
    fails(verification, "assertion-malformed")


@pytest.mark.parametrize("size_mib", [5, 64])
def test_status_list_that_inflates(
    office: Any, is_unknown: Callable[..., None], size_mib: int
) -> None:
    reference = {"status_list": {"idx": 3, "uri": "urn:list"}}
    signed = office.sign(lambda p: p.update(status=reference))
    now = int(office.at.timestamp())
    bomb = b64url_encode(zlib.compress(bytes(size_mib * MIB), 9))
    claims = {"sub": "urn:list", "iat": now, "ttl": 600, "status_list": {"bits": 2, "lst": bomb}}
    token = jws.sign({"typ": LIST_TYPE, "x5c": list(office.key.x5c)}, claims, office.key)
    with bounded():
        verification = office.verify(signed, status_lists=[token])
    is_unknown(verification, "status-list-too-large")


def test_json_of_a_disclosure_is_bounded_too(office: Any, fails: Callable[..., None]) -> None:
    deep: Any = 1
    for _ in range(30):
        deep = [deep]
    encoded = part(dump_json(["salt", "name", deep]))
    with bounded():
        verification = office.verify(office.issue() + encoded + "~")
    fails(verification, "assertion-malformed")
