"""The test PKI with every key and algorithm, verified by the reader's code; a CSCA that is kept."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding

from devices.emrtd.lds.card_security import parse_card_security
from devices.emrtd.lds.sod import parse_sod, verify_sod
from devices.emrtd.trust.trust_policy import TrustPolicy
from devices.simulator.card_security import build_card_security
from devices.simulator.errors import PkiUnusableError
from devices.simulator.keys import generate_key, load_key, type_of
from devices.simulator.pki import TestCsca
from devices.simulator.pki_store import keep_csca
from devices.simulator.profile import Signers
from devices.simulator.security_infos import encode_security_infos, terminal_authentication_info
from devices.simulator.sod import build_sod

DIGESTS = ("sha1", "sha224", "sha256", "sha384", "sha512")
CURVES = (
    "secp192r1",
    "brainpoolP192r1",
    "secp224r1",
    "brainpoolP224r1",
    "secp256r1",
    "brainpoolP256r1",
    "brainpoolP320r1",
    "secp384r1",
    "brainpoolP384r1",
    "brainpoolP512r1",
    "secp521r1",
)
SIGNED_AT = datetime(2024, 7, 15, tzinfo=UTC)
ANY_DIGEST = TrustPolicy(sha1_signers_before=datetime(2050, 1, 1, tzinfo=UTC))
GROUPS = {1: b"\x61\x00", 13: b"\x6d\x00", 16: b"\x70\x00"}


@pytest.fixture(scope="module")
def csca() -> TestCsca:
    return TestCsca.create()


@pytest.mark.parametrize("padding_name", ["pkcs1", "pss"])
@pytest.mark.parametrize("digest", DIGESTS)
def test_rsa_signatures_over_each_digest(csca, padding_name, digest):
    pki = csca.issue("rsa-2048", digest=digest, rsa_padding=padding_name)
    sod = parse_sod(build_sod(GROUPS, pki, SIGNED_AT))
    assert sod.hash_name.replace("-", "").lower() == digest
    assert sod.data_groups == tuple(GROUPS)
    signer = x509.load_der_x509_certificate(pki.dsc)
    verified = verify_sod(sod, policy=ANY_DIGEST)
    assert verified.covers(13, GROUPS[13])
    assert not verified.covers(13, b"\x6d\x01\x00")
    found = padding.PSS if padding_name == "pss" else padding.PKCS1v15
    own = TestCsca.create("rsa-2048", digest=digest, rsa_padding=padding_name)
    certificate = x509.load_der_x509_certificate(own.certificate)
    assert isinstance(certificate.signature_algorithm_parameters, found)
    assert signer.issuer == x509.load_der_x509_certificate(csca.certificate).subject


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("digest", ["sha224", "sha256", "sha512"])
def test_ecdsa_signatures_over_each_curve(csca, curve, digest):
    pki = csca.issue(f"ecdsa-{curve}", digest=digest)
    sod = parse_sod(build_sod(GROUPS, pki, SIGNED_AT))
    assert verify_sod(sod).covers(16, GROUPS[16])


@pytest.mark.parametrize("size", [0, 1, 500, 5000])
def test_a_filler_leaves_the_signature_valid(csca, size):
    pki = csca.issue()
    sod = build_sod(GROUPS, pki, SIGNED_AT, filler_bytes=size)
    assert len(sod) > len(build_sod(GROUPS, pki, SIGNED_AT)) + size
    assert verify_sod(parse_sod(sod)).covers(1, GROUPS[1])


def test_integers_with_a_surplus_00_are_read_nevertheless(csca):
    pki = csca.issue()
    odd = build_sod(GROUPS, pki, SIGNED_AT, extra_zeros=True)
    assert len(odd) == len(build_sod(GROUPS, pki, SIGNED_AT)) + 2
    assert verify_sod(parse_sod(odd)).covers(1, GROUPS[1])


def test_ef_card_security_is_signed(csca):
    infos = encode_security_infos([terminal_authentication_info()])
    parsed = parse_card_security(build_card_security(infos, csca.issue(), SIGNED_AT))
    assert len(parsed.security_infos) == 1


@pytest.mark.parametrize("curve", CURVES)
def test_a_key_of_each_curve_survives_storage(curve):
    key = generate_key(f"ecdsa-{curve}")
    loaded = load_key(key.private_key_info())
    assert loaded.public_key_info() == key.public_key_info()
    assert type_of(loaded) == f"ecdsa-{curve}"


def test_a_kept_csca_is_used_again(tmp_path):
    first, second = (keep_csca(tmp_path / "pki", Signers()) for _ in range(2))
    assert first.certificate == second.certificate
    issuers = {x509.load_der_x509_certificate(c.issue().dsc).issuer for c in (first, second)}
    assert len(issuers) == 1
    assert first.issue().dsc != second.issue().dsc
    certificate = x509.load_der_x509_certificate(first.certificate)
    x509.load_der_x509_certificate(second.issue().dsc).verify_directly_issued_by(certificate)
    assert (tmp_path / "pki/csca.key.der").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("path", ["csca.pem", "csca.key.der"])
@pytest.mark.parametrize("content", [None, b"", b"\x00", b"[" * 100_000])
def test_half_a_csca_is_refused(tmp_path, path, content):
    keep_csca(tmp_path, Signers())
    if content is None:
        (tmp_path / path).unlink()
    else:
        (tmp_path / path).write_bytes(content)
    with pytest.raises(PkiUnusableError):
        keep_csca(tmp_path, Signers())


def test_a_key_of_another_csca_is_refused(tmp_path):
    keep_csca(tmp_path, Signers())
    (tmp_path / "csca.key.der").write_bytes(generate_key("rsa-1024").private_key_info())
    with pytest.raises(PkiUnusableError, match="belong together"):
        keep_csca(tmp_path, Signers())


def test_a_csca_of_another_country_is_refused(tmp_path):
    keep_csca(tmp_path, Signers())
    with pytest.raises(PkiUnusableError, match="of VN"):
        keep_csca(tmp_path, Signers(country="UT"))
