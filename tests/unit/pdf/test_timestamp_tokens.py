"""RFC 3161 tokens: accepted from two engines and several keys, refused each for its own reason."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import cms
from cryptography.x509.oid import ExtendedKeyUsageOID

from api.assertions.errors import RootsUnusableError
from api.assertions.timestamp_errors import (
    TimestampCertificateError,
    TimestampExpiredError,
    TimestampImprintError,
    TimestampMalformedError,
    TimestampSignatureError,
    TimestampUntrustedError,
)
from api.assertions.timestamps import MAX_TOKEN_BYTES, verify_timestamp
from tests.fixtures.timestamp_authority import Ca, Tsa

DIGEST = hashlib.sha256(b"an assertion").digest()


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    return Tsa(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def token(tsa: Tsa) -> bytes:
    return tsa.token(DIGEST)


@pytest.mark.parametrize("kind", ["ec", "rsa"])
@pytest.mark.parametrize(
    ("digest", "ess"), [("sha256", "sha256"), ("sha512", "sha512"), ("sha384", "sha1")]
)
def test_tokens_of_openssl_verify(tmp_path: Path, kind: str, digest: str, ess: str) -> None:
    tsa = Tsa(tmp_path, kind=kind, digest=digest, ess=ess)
    at = verify_timestamp(tsa.token(DIGEST), DIGEST, [tsa.root.pem])
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_token_verifies_after_its_certificate_has_expired(tmp_path: Path) -> None:
    begin = datetime.now(UTC) - timedelta(days=20)
    tsa = Tsa(tmp_path, kind="rsa", begin=begin, days=10)
    during, after = begin + timedelta(days=5), begin + timedelta(days=15)
    verified = verify_timestamp(tsa.token_at(DIGEST, during), DIGEST, [tsa.root.certificate])
    assert verified == during.replace(microsecond=verified.microsecond)
    for unfit in (after, begin - timedelta(days=1)):
        with pytest.raises(TimestampExpiredError):
            verify_timestamp(tsa.token_at(DIGEST, unfit), DIGEST, [tsa.root.pem])


def test_a_token_over_other_data_is_refused(tsa: Tsa, token: bytes) -> None:
    with pytest.raises(TimestampImprintError):
        verify_timestamp(token, hashlib.sha256(b"another").digest(), [tsa.root.pem])


def test_a_token_by_another_digest_is_refused(tsa: Tsa) -> None:
    longer = tsa.token(hashlib.sha512(b"an assertion").digest(), "sha512")
    with pytest.raises(TimestampImprintError):
        verify_timestamp(longer, DIGEST, [tsa.root.pem])


def test_a_token_under_another_root_is_refused(token: bytes) -> None:
    with pytest.raises(TimestampUntrustedError):
        verify_timestamp(token, DIGEST, [Ca("Một gốc khác").pem])
    with pytest.raises(TimestampUntrustedError):
        verify_timestamp(token, DIGEST, [Ca("Gốc dấu thời gian mẫu").pem])
    with pytest.raises(RootsUnusableError):
        verify_timestamp(token, DIGEST, [])


@pytest.mark.parametrize(
    ("purposes", "critical"),
    [
        ((), True),
        ((ExtendedKeyUsageOID.TIME_STAMPING,), False),
        ((ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.EMAIL_PROTECTION), True),
        ((ExtendedKeyUsageOID.CODE_SIGNING,), True),
    ],
)
def test_a_certificate_for_something_else_is_refused(
    tmp_path: Path, purposes: tuple[object, ...], critical: bool
) -> None:
    # openssl itself refuses to sign with such a certificate; pyHanko's engine does not look.
    tsa = Tsa(tmp_path, kind="rsa", purposes=purposes, critical=critical)  # type: ignore[arg-type]
    with pytest.raises(TimestampCertificateError):
        verify_timestamp(tsa.token_at(DIGEST, datetime.now(UTC)), DIGEST, [tsa.root.pem])


def altered(token: bytes, part: str) -> bytes:
    envelope = cms.ContentInfo.load(token)
    signed = envelope["content"]
    (signer,) = signed["signer_infos"]
    if part == "signature":
        signature = bytearray(signer["signature"].native)
        signature[-1] ^= 1
        signer["signature"] = bytes(signature)
    elif part == "time":
        info = signed["encap_content_info"]["content"].parsed
        info["gen_time"] = datetime(2001, 1, 1, tzinfo=UTC)
        signed["encap_content_info"]["content"] = cms.ParsableOctetString(info.dump(force=True))
    elif part == "attribute":
        signer["signed_attrs"] = cms.CMSAttributes(
            [a for a in signer["signed_attrs"] if a["type"].native != "signing_time"]
        )
    elif part == "certificates":
        signed["certificates"] = cms.CertificateSet([])
    elif part == "signing certificate":
        signer["signed_attrs"] = cms.CMSAttributes(
            [a for a in signer["signed_attrs"] if "signing_certificate" not in a["type"].native]
        )
    elif part == "doubled attribute":
        attributes = list(signer["signed_attrs"])
        signer["signed_attrs"] = cms.CMSAttributes([*attributes, attributes[0]])
    elif part == "signers":
        signed["signer_infos"] = cms.SignerInfos([signer, signer])
    return bytes(envelope.dump(force=True))


@pytest.mark.parametrize(
    ("part", "error"),
    [
        ("signature", TimestampSignatureError),
        ("time", TimestampSignatureError),
        ("attribute", TimestampSignatureError),
        ("certificates", TimestampCertificateError),
        ("signing certificate", TimestampCertificateError),
        ("doubled attribute", TimestampMalformedError),
        ("signers", TimestampMalformedError),
    ],
)
def test_an_altered_token_is_refused(
    tsa: Tsa, token: bytes, part: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        verify_timestamp(altered(token, part), DIGEST, [tsa.root.pem])


def test_no_changed_byte_is_accepted_as_another_time(tsa: Tsa, token: bytes) -> None:
    """Whatever byte is changed, the token is refused or still says the same time."""
    time = verify_timestamp(token, DIGEST, [tsa.root.pem])
    refused = 0
    for position in range(0, len(token), 7):
        changed = bytearray(token)
        changed[position] ^= 0x11
        try:
            assert verify_timestamp(bytes(changed), DIGEST, [tsa.root.pem]) == time
        except (
            TimestampMalformedError,
            TimestampImprintError,
            TimestampSignatureError,
            TimestampCertificateError,
            TimestampUntrustedError,
        ):
            refused += 1
    assert refused > 50


@pytest.mark.parametrize(
    "data",
    [b"", b"0", b"not a token", b"\x30\x80\x00\x00", b"\x30\x03\x06\x01\x00", b"\xa0" * 4000],
)
def test_what_is_no_token_is_refused(tsa: Tsa, data: bytes) -> None:
    with pytest.raises(TimestampMalformedError):
        verify_timestamp(data, DIGEST, [tsa.root.pem])


def test_a_token_beyond_its_bounds_or_with_a_tail_is_refused(tsa: Tsa, token: bytes) -> None:
    for changed in (token + bytes(MAX_TOKEN_BYTES), token + b"\0", token[:-1]):
        with pytest.raises(TimestampMalformedError):
            verify_timestamp(changed, DIGEST, [tsa.root.pem])
