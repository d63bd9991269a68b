"""A small certificate authority: a root kept offline, an issuing CA, leaves that sign assertions.

Three tiers, so that the root's key is needed once in years and can lie in a safe; P-256 and
ECDSA-SHA-256 throughout. The leaf carries digitalSignature, id-kp-documentSigning, and its issuer
identifier as a URI; why, is said in `chain`.

Source: RFC 5280 §4.2.1 (extensions), RFC 9336 §3.1.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api.assertions.chain import DOCUMENT_SIGNING

ROOT_DAYS = 3650
ISSUING_CA_DAYS = 1095
LEAF_DAYS = 90
BACKDATE = timedelta(hours=1)
"""So that a relying party whose clock is behind accepts a new certificate."""


@dataclass(frozen=True)
class KeyPair:
    """A certificate with its private key, which may be one in a security module."""

    certificate: x509.Certificate
    private_key: ec.EllipticCurvePrivateKey = field(repr=False)


PrivateKey = ec.EllipticCurvePrivateKey | None
"""A key that exists, in memory or in a security module; None for a new one in memory."""


def make_root(organisation: str, at: datetime, key: PrivateKey = None) -> KeyPair:
    """Make a self-signed root for ten years that may sign one tier of CAs."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = _name(organisation, "chinhchu root CA")
    builder = _builder(name, name, key, key.public_key(), at, at + timedelta(days=ROOT_DAYS))
    return KeyPair(_as_ca(builder, path_length=1).sign(key, hashes.SHA256()), key)


def make_issuing_ca(
    organisation: str, root: KeyPair, at: datetime, key: PrivateKey = None
) -> KeyPair:
    """Make the CA, for three years at most, that signs leaves and no other CA."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = _builder(
        _name(organisation, f"chinhchu issuing CA {_key_digits(key)}"),
        root.certificate.subject,
        key,
        root.private_key.public_key(),
        at,
        min(at + timedelta(days=ISSUING_CA_DAYS), root.certificate.not_valid_after_utc),
    )
    return KeyPair(_as_ca(builder, path_length=0).sign(root.private_key, hashes.SHA256()), key)


def make_leaf(
    organisation: str, issuer: str, issuing_ca: KeyPair, at: datetime, key: PrivateKey = None
) -> KeyPair:
    """Make the certificate, for 90 days at most, whose key signs the assertions of one issuer."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(
            _name(organisation, "chinhchu assertions"),
            issuing_ca.certificate.subject,
            key,
            issuing_ca.private_key.public_key(),
            at,
            min(at + timedelta(days=LEAF_DAYS), issuing_ca.certificate.not_valid_after_utc),
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([DOCUMENT_SIGNING]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(issuer)]), critical=False
        )
    )
    return KeyPair(builder.sign(issuing_ca.private_key, hashes.SHA256()), key)


def _key_digits(key: ec.EllipticCurvePrivateKey) -> str:
    """Return what tells two issuing CAs of one organisation apart, and their revocation lists."""
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest[:4].hex()


def _name(organisation: str, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePublicKey,
    at: datetime,
    until: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - BACKDATE)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False
        )
    )


def _as_ca(builder: x509.CertificateBuilder, path_length: int) -> x509.CertificateBuilder:
    return builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=path_length), critical=True
    ).add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)


def _key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
