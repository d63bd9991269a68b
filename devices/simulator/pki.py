"""A test country signing authority and a document signer, made for simulated cards.

Source: ICAO Doc 9303-12 §7 (certificate profiles, table 6).
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

from asn1crypto import core, keys, x509

from devices.simulator.keys import Digest, KeyPair, KeyType, RsaPadding, generate_key
from devices.simulator.object_identifiers import DOCUMENT_TYPE_LIST

COUNTRY = "VN"
ORGANISATION = "chinhchu test PKI, not a state's"

FIRST_CHIP_CARD = datetime(2021, 1, 1, tzinfo=UTC)
"""The test PKI is valid since chip cards are issued, so that any specimen can be signed by it."""
DSC_END = datetime(2046, 1, 1, tzinfo=UTC)
CSCA_END = datetime(2049, 1, 1, tzinfo=UTC)

_CRL_URL = "http://csca.invalid/test.crl"  # RFC 6761: a name that never resolves


@dataclass(frozen=True)
class TestPki:
    """A CSCA's certificate, and a DSC with its key."""

    __test__: ClassVar[bool] = False  # pytest: no test class

    csca: bytes
    """Certificate of the country signing authority, DER."""
    dsc: bytes
    """Certificate of the document signer, DER."""
    dsc_key: KeyPair = field(repr=False)
    digest: Digest = "sha256"
    """With it the document signer signs."""
    rsa_padding: RsaPadding = "pkcs1"

    @classmethod
    def create(
        cls,
        csca_key_type: KeyType = "ecdsa-brainpoolP256r1",
        dsc_key_type: KeyType = "ecdsa-brainpoolP256r1",
        *,
        country: str = COUNTRY,
        dsc_validity: tuple[datetime, datetime] = (FIRST_CHIP_CARD, DSC_END),
        document_type: str = "ID",
        digest: Digest = "sha256",
        rsa_padding: RsaPadding = "pkcs1",
    ) -> "TestPki":
        """Make a fresh CSCA and a document signer; the CSCA's key is gone afterwards.

        Args:
            csca_key_type: key of the country signing authority.
            dsc_key_type: key of the document signer.
            country: two letters, the same in both certificates.
            dsc_validity: first and last moment of the document signer's certificate.
            document_type: see `TestCsca.issue`.
            digest: what all signatures hash with.
            rsa_padding: of all signatures by RSA keys.
        """
        csca = TestCsca.create(
            csca_key_type, country=country, digest=digest, rsa_padding=rsa_padding
        )
        return csca.issue(
            dsc_key_type,
            validity=dsc_validity,
            document_type=document_type,
            digest=digest,
            rsa_padding=rsa_padding,
        )


@dataclass(frozen=True)
class TestCsca:
    """A country signing authority with its key, so that it can sign several document signers."""

    __test__: ClassVar[bool] = False  # pytest: no test class

    certificate: bytes
    """DER."""
    key: KeyPair = field(repr=False)

    @classmethod
    def create(
        cls,
        key_type: KeyType = "ecdsa-brainpoolP256r1",
        *,
        country: str = COUNTRY,
        digest: Digest = "sha256",
        rsa_padding: RsaPadding = "pkcs1",
    ) -> "TestCsca":
        """Make a fresh key and a self-signed certificate."""
        key = generate_key(key_type)
        name, identifier = _name(country, "CSCA TEST"), _key_identifier(key)
        certificate = _certificate(
            issuer=(name, key),
            subject=(name, key),
            validity=(FIRST_CHIP_CARD, CSCA_END),
            extensions=[
                _authority_key_identifier(identifier),
                _extension("key_identifier", core.OctetString(identifier)),
                _extension("key_usage", x509.KeyUsage({"key_cert_sign", "crl_sign"}), True),
                _extension(
                    "basic_constraints",
                    x509.BasicConstraints({"ca": True, "path_len_constraint": 0}),
                    True,
                ),
                *_names_and_crl(country),
            ],
            digest=digest,
            rsa_padding=rsa_padding,
        )
        return cls(certificate, key)

    def issue(
        self,
        key_type: KeyType = "ecdsa-brainpoolP256r1",
        *,
        validity: tuple[datetime, datetime] = (FIRST_CHIP_CARD, DSC_END),
        document_type: str = "ID",
        digest: Digest = "sha256",
        rsa_padding: RsaPadding = "pkcs1",
    ) -> TestPki:
        """Make a document signer.

        Args:
            key_type: its key.
            validity: first and last moment of its certificate.
            document_type: the first one or two characters of the MRZ of what it may sign.
            digest: what the certificate and the signer's own signatures hash with.
            rsa_padding: of signatures by RSA keys.
        """
        key = generate_key(key_type)
        issuer = x509.Certificate.load(self.certificate).subject
        country = issuer.native["country_name"]
        certificate = _certificate(
            issuer=(issuer, self.key),
            subject=(_name(country, "DSC TEST"), key),
            validity=validity,
            extensions=[
                _authority_key_identifier(_key_identifier(self.key)),
                _extension("key_identifier", core.OctetString(_key_identifier(key))),
                _extension("key_usage", x509.KeyUsage({"digital_signature"}), True),
                *_names_and_crl(country),
                _document_type_list(document_type),
            ],
            digest=digest,
            rsa_padding=rsa_padding,
        )
        return TestPki(self.certificate, certificate, key, digest, rsa_padding)


def fingerprint(certificate: bytes) -> str:
    """Return the SHA-256 of a DER certificate, in hexadecimal."""
    return hashlib.sha256(certificate).hexdigest()


def _certificate(
    issuer: tuple[x509.Name, KeyPair],
    subject: tuple[x509.Name, KeyPair],
    validity: tuple[datetime, datetime],
    extensions: list[x509.Extension],
    digest: Digest,
    rsa_padding: RsaPadding,
) -> bytes:
    issuer_name, issuer_key = issuer
    subject_name, subject_key = subject
    algorithm = issuer_key.signature_algorithm(digest, rsa_padding)
    start, end = (x509.Time({"utc_time": moment}) for moment in validity)
    tbs = x509.TbsCertificate(
        {
            "version": "v3",
            # Doc 9303-12 table 6: positive, at most 20 octets.
            "serial_number": 1 + secrets.randbelow(1 << 126),
            "signature": algorithm,
            "issuer": issuer_name,
            "validity": x509.Validity({"not_before": start, "not_after": end}),
            "subject": subject_name,
            "subject_public_key_info": keys.PublicKeyInfo.load(subject_key.public_key_info()),
            "extensions": extensions,
        }
    )
    signature = issuer_key.sign(tbs.dump(), digest, rsa_padding)
    certificate = x509.Certificate(
        {"tbs_certificate": tbs, "signature_algorithm": algorithm, "signature_value": signature}
    )
    return bytes(certificate.dump())


def _name(country: str, common_name: str) -> x509.Name:
    return x509.Name.build(
        {
            "country_name": country,
            "organization_name": ORGANISATION,
            "common_name": common_name,
        }
    )


def _key_identifier(key: KeyPair) -> bytes:
    """Source: RFC 5280 §4.2.1.2, method 1."""
    info = keys.PublicKeyInfo.load(key.public_key_info())
    public_key = info["public_key"].contents[1:]  # without the count of unused bits
    return hashlib.sha1(public_key, usedforsecurity=False).digest()


def _authority_key_identifier(identifier: bytes) -> x509.Extension:
    value = x509.AuthorityKeyIdentifier({"key_identifier": identifier})
    return _extension("authority_key_identifier", value)


def _names_and_crl(country: str) -> list[x509.Extension]:
    """Source: ICAO Doc 9303-12 §7.1.1 (subject and issuer alternative name: the locality)."""
    place = x509.Name.build({"locality_name": country})
    alternative = x509.GeneralNames([x509.GeneralName("directory_name", place)])
    url = x509.GeneralNames([x509.GeneralName("uniform_resource_identifier", _CRL_URL)])
    point = x509.DistributionPoint(
        {"distribution_point": x509.DistributionPointName("full_name", url)}
    )
    return [
        _extension("subject_alt_name", alternative),
        _extension("issuer_alt_name", alternative),
        _extension("crl_distribution_points", x509.CRLDistributionPoints([point])),
    ]


def _document_type_list(document_type: str) -> x509.Extension:
    """Source: ICAO Doc 9303-12 §7.1.1.6 (DocumentTypeListSyntax)."""
    types = core.SetOf([core.PrintableString(document_type)], spec=core.PrintableString)
    value = core.SequenceOf([core.Any(core.Integer(0)), core.Any(types)], spec=core.Any)
    return _extension(DOCUMENT_TYPE_LIST, core.ParsableOctetString(value.dump()))


def _extension(name: str, value: core.Asn1Value, critical: bool = False) -> x509.Extension:
    return x509.Extension({"extn_id": name, "critical": critical, "extn_value": value})
