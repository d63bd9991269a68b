"""Timestamp tokens made by hand: by who has no pinned key, and by an authority that is careless."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from api.assertions.errors import RootsUnusableError
from api.assertions.timestamp_errors import (
    TimestampCertificateError,
    TimestampExpiredError,
    TimestampMalformedError,
    TimestampSignatureError,
)
from api.assertions.timestamps import verify_timestamp
from api.errors import ApiError
from tests.fixtures.timestamp_authority import Ca, Tsa

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
DIGEST = hashlib.sha256(b"an assertion").digest()
Parts = tuple[tsp.TSTInfo, dict[str, Any], Any]
"""What is stamped, the signed attributes by name, and the list of certificates."""


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    root = Ca("Gốc", begin=AT - timedelta(days=30))
    return Tsa(tmp_path_factory.mktemp("tsa"), root=root, kind="rsa", begin=AT - timedelta(days=1))


def judge(tsa: Tsa, token: bytes) -> datetime:
    return verify_timestamp(token, DIGEST, [tsa.root.certificate])


def made(
    tsa: Tsa,
    change: Callable[[Parts], None] = lambda parts: None,
    rewrite: Callable[[bytes], bytes] = bytes,
) -> bytes:
    """Return a token whose content was changed before the authority signed it.

    Args:
        tsa: the authority.
        change: what is different.
        rewrite: changes bytes of the content that asn1crypto would not write, but not how many.
    """
    envelope = cms.ContentInfo.load(tsa.token_at(DIGEST, AT))
    signed = envelope["content"]
    (signer,) = signed["signer_infos"]
    info = tsp.TSTInfo.load(bytes(signed["encap_content_info"]["content"]))
    attributes = {a["type"].native: a["values"].copy() for a in signer["signed_attrs"]}
    certificates = [choice.chosen for choice in signed["certificates"]]
    change((info, attributes, certificates))
    content = info.dump(force=True)
    rewritten = rewrite(content)
    hash_name = signer["digest_algorithm"]["algorithm"].native
    attributes["message_digest"] = [hashlib.new(hash_name, rewritten).digest()]
    signed["encap_content_info"] = {
        "content_type": "tst_info",
        "content": core.ParsableOctetString(content),
    }
    signed["certificates"] = [
        cms.CertificateChoices(name="certificate", value=certificate)
        for certificate in certificates
    ]
    signer["signed_attrs"] = cms.CMSAttributes(
        [{"type": name, "values": values} for name, values in attributes.items()]
    )
    assert isinstance(tsa.key, rsa.RSAPrivateKey)
    signer["signature"] = tsa.key.sign(
        signer["signed_attrs"].untag().dump(force=True),
        padding.PKCS1v15(),
        getattr(hashes, hash_name.upper())(),
    )
    signer["signature_algorithm"] = algos.SignedDigestAlgorithm({"algorithm": f"{hash_name}_rsa"})
    return bytes(envelope.dump(force=True)).replace(content, rewritten)


def by_sha1(certificate: x509.Certificate) -> tsp.SigningCertificate:
    digest = hashlib.sha1(certificate.public_bytes(Encoding.DER)).digest()
    return tsp.SigningCertificate({"certs": [{"cert_hash": digest}]})


def by(algorithm: str, certificate: x509.Certificate) -> tsp.SigningCertificateV2:
    digest = hashlib.new(algorithm, certificate.public_bytes(Encoding.DER)).digest()
    identifier = {"hash_algorithm": {"algorithm": algorithm}, "cert_hash": digest}
    return tsp.SigningCertificateV2({"certs": [identifier]})


def test_one_made_by_hand_is_good(tsa: Tsa) -> None:
    assert judge(tsa, made(tsa)) == AT


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_identifier_of_rfc_5816(tsa: Tsa, algorithm: str) -> None:
    def change(parts: Parts) -> None:
        parts[1].pop("signing_certificate")
        parts[1]["signing_certificate_v2"] = [by(algorithm, tsa.certificate)]

    assert judge(tsa, made(tsa, change)) == AT


def test_both_identifiers_of_one_certificate(tsa: Tsa) -> None:
    def change(parts: Parts) -> None:
        parts[1]["signing_certificate"] = [by_sha1(tsa.certificate)]
        parts[1]["signing_certificate_v2"] = [by("sha256", tsa.certificate)]

    assert judge(tsa, made(tsa, change)) == AT


UNFIT: dict[str, Callable[[Tsa, dict[str, Any]], Any]] = {
    "no-identifier": lambda tsa, a: a.pop("signing_certificate"),
    "empty": lambda tsa, a: a.update(signing_certificate=[tsp.SigningCertificate({"certs": []})]),
    "empty-v2": lambda tsa, a: a.update(
        signing_certificate_v2=[tsp.SigningCertificateV2({"certs": []})]
    ),
    "of-another": lambda tsa, a: a.update(signing_certificate=[by_sha1(tsa.root.certificate)]),
    "of-its-ca": lambda tsa, a: a.update(signing_certificate=[by_sha1(tsa.issuing.certificate)]),
    "the-newer-of-another": lambda tsa, a: a.update(
        signing_certificate_v2=[by("sha256", tsa.issuing.certificate)]
    ),
    "the-older-of-another": lambda tsa, a: a.update(
        signing_certificate=[by_sha1(tsa.issuing.certificate)],
        signing_certificate_v2=[by("sha256", tsa.certificate)],
    ),
    "md5": lambda tsa, a: a.update(signing_certificate_v2=[by("md5", tsa.certificate)]),
    "sha1-as-newer": lambda tsa, a: a.update(signing_certificate_v2=[by("sha1", tsa.certificate)]),
}


@pytest.mark.parametrize("change", UNFIT.values(), ids=UNFIT)
def test_certificate_that_was_not_signed_for(
    tsa: Tsa, change: Callable[[Tsa, dict[str, Any]], Any]
) -> None:
    token = made(tsa, lambda parts: change(tsa, parts[1]))
    with pytest.raises(TimestampCertificateError):
        judge(tsa, token)


def test_attribute_twice(tsa: Tsa) -> None:
    def change(parts: Parts) -> None:
        parts[1]["signing_certificate"] = [by_sha1(tsa.certificate)] * 2

    with pytest.raises(TimestampMalformedError):
        judge(tsa, made(tsa, change))


@pytest.mark.parametrize(
    "written", [b"2026112103+0700", b"202611210300000", b"00000121030000Z", b"20261321030000Z"]
)
def test_time_that_is_not_in_utc_or_none(tsa: Tsa, written: bytes) -> None:
    """RFC 3161 §2.4.2: genTime ends in Z."""
    token = made(
        tsa, rewrite=lambda content: content.replace(f"{AT:%Y%m%d%H%M%SZ}".encode(), written)
    )
    assert written in token
    with pytest.raises(TimestampMalformedError):
        judge(tsa, token)


def test_extension_that_must_be_understood(tsa: Tsa) -> None:
    def change(critical: bool) -> Callable[[Parts], None]:
        extension = {"extn_id": "1.2.3.4", "critical": critical, "extn_value": b"\x05\x00"}
        return lambda parts: parts[0].__setitem__("extensions", [extension])

    assert judge(tsa, made(tsa, change(critical=False))) == AT
    with pytest.raises(TimestampMalformedError):
        judge(tsa, made(tsa, change(critical=True)))


def test_other_version(tsa: Tsa) -> None:
    def change(parts: Parts) -> None:
        parts[0]["version"] = 2

    with pytest.raises(TimestampMalformedError):
        judge(tsa, made(tsa, change))


def certificate_with(tsa: Tsa, *extensions: tuple[x509.ExtensionType, bool]) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(tsa.certificate.subject)
        .issuer_name(tsa.issuing.certificate.subject)
        .public_key(tsa.key.public_key())
        .serial_number(7)
        .not_valid_before(AT - timedelta(days=1))
        .not_valid_after(AT + timedelta(days=1))
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(tsa.issuing.key.public_key()), False
        )
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(tsa.issuing.key, hashes.SHA256())


def usage(**allowed: bool) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{**dict.fromkeys(names, False), **allowed})


TIMESTAMPS = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
WITH_MORE = x509.ExtendedKeyUsage(
    [ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING]
)


def stamped_by(tsa: Tsa, certificate: x509.Certificate) -> bytes:
    def change(parts: Parts) -> None:
        parts[1]["signing_certificate"] = [by_sha1(certificate)]
        parts[2].append(asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER)))

    return made(tsa, change)


@pytest.mark.parametrize(
    "extensions",
    [
        [(TIMESTAMPS, True)],
        [(TIMESTAMPS, True), (usage(digital_signature=True), True)],
        [(TIMESTAMPS, True), (usage(content_commitment=True), True)],
    ],
    ids=["no-usage", "signature", "commitment"],
)
def test_certificate_for_timestamps(tsa: Tsa, extensions: Any) -> None:
    assert judge(tsa, stamped_by(tsa, certificate_with(tsa, *extensions))) == AT


@pytest.mark.parametrize(
    "extensions",
    [
        [],
        [(TIMESTAMPS, False)],
        [(WITH_MORE, True)],
        [(TIMESTAMPS, True), (usage(key_encipherment=True), True)],
        [(TIMESTAMPS, True), (usage(key_cert_sign=True), True)],
    ],
    ids=["no-purpose", "not-critical", "not-alone", "for-encryption", "for-certificates"],
)
def test_certificate_for_something_else(tsa: Tsa, extensions: Any) -> None:
    token = stamped_by(tsa, certificate_with(tsa, *extensions))
    with pytest.raises(TimestampCertificateError):
        judge(tsa, token)


def test_certificate_that_had_expired_at_the_stated_time(tmp_path: Path) -> None:
    root = Ca("Gốc", begin=AT - timedelta(days=30))
    old = Tsa(tmp_path, root=root, kind="rsa", begin=AT - timedelta(days=20), days=10)
    with pytest.raises(TimestampExpiredError):
        judge(old, made(old))


def test_certificate_that_nobody_can_read(tsa: Tsa) -> None:
    """An extension is there twice: what an attacker embeds beside the token is not signed."""
    der = tsa.certificate.public_bytes(Encoding.DER)
    twice = asn1_x509.Certificate.load(der).copy()
    extensions = twice["tbs_certificate"]["extensions"]
    extensions.append(extensions[0])
    with pytest.raises(TimestampMalformedError):
        judge(tsa, made(tsa, lambda parts: parts[2].append(twice)))


def test_more_certificates_than_a_chain_has(tsa: Tsa) -> None:
    with pytest.raises(TimestampMalformedError):
        judge(tsa, made(tsa, lambda parts: parts[2].extend([parts[2][0]] * 20)))


@pytest.mark.parametrize("salt_length", [-1, 0, 2**31, 10**30])
def test_parameters_of_a_signature_that_make_no_sense(tsa: Tsa, salt_length: int) -> None:
    envelope = cms.ContentInfo.load(made(tsa))
    (signer,) = envelope["content"]["signer_infos"]
    signer["signature_algorithm"] = algos.SignedDigestAlgorithm(
        {"algorithm": "rsassa_pss", "parameters": {"salt_length": salt_length}}
    )
    with pytest.raises(TimestampSignatureError):
        judge(tsa, envelope.dump(force=True))


@pytest.mark.parametrize("part", ["signed_attrs", "signature", "sid"])
def test_signer_with_a_part_of_another(tsa: Tsa, part: str) -> None:
    """Whatever is combined, the answer is a finding of its own and never another time."""
    envelope, other = cms.ContentInfo.load(made(tsa)), cms.ContentInfo.load(made(tsa))
    other["content"]["signer_infos"][0]["signature"] = bytes(256)
    (signer,) = envelope["content"]["signer_infos"]
    if part == "signed_attrs":
        signer[part] = cms.CMSAttributes([])
    else:
        signer[part] = other["content"]["signer_infos"][0][part]
    try:
        assert judge(tsa, envelope.dump(force=True)) == AT
    except ApiError as error:
        assert error.code.startswith("timestamp-")


@pytest.mark.parametrize("other", [None, "tsa.pem", 7])
def test_roots_in_another_type_are_not_passed_over(tsa: Tsa, other: Any) -> None:
    with pytest.raises(RootsUnusableError):
        verify_timestamp(made(tsa), DIGEST, [tsa.root.certificate, other])
