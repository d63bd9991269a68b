"""A test country signing authority and a document signer, made for simulated cards.

Source: ICAO Doc 9303-12 §7 (certificate profiles, table 6).
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

from asn1crypto import algos, core, keys, x509

from devices.simulator.keys import KeyPair, KeyType, generate_key
from devices.simulator.object_identifiers import DOCUMENT_TYPE_LIST

COUNTRY = "VN"
ORGANISATION = "chinhchu test PKI, not a state's"

FIRST_CHIP_CARD = datetime(2021, 1, 1, tzinfo=UTC)
"""The test PKI is valid since chip cards are issued, so that any specimen can be signed by it."""
DSC_END = datetime(2046, 1, 1, tzinfo=UTC)
CSCA_END = datetime(2049, 1, 1, tzinfo=UTC)

_DOCUMENT_TYPE = "ID"  # the first two characters of the card's MRZ
_CRL_URL = "http://csca.invalid/test.crl"  # RFC 6761: a name that never resolves


@dataclass(frozen=True)
class TestPki:
    """CSCA and DSC with the DSC's key. The CSCA's key is gone once the DSC is signed."""

    __test__: ClassVar[bool] = False  # pytest: no test class

    csca: bytes
    """Certificate of the country signing authority, DER."""
    dsc: bytes
    """Certificate of the document signer, DER."""
    dsc_key: KeyPair = field(repr=False)

    @classmethod
    def create(
        cls,
        csca_key_type: KeyType = "ecdsa-brainpoolP256r1",
        dsc_key_type: KeyType = "ecdsa-brainpoolP256r1",
        *,
        country: str = COUNTRY,
        dsc_validity: tuple[datetime, datetime] = (FIRST_CHIP_CARD, DSC_END),
    ) -> "TestPki":
        """Make fresh keys and certificates.

        Args:
            csca_key_type: key of the country signing authority.
            dsc_key_type: key of the document signer.
            country: two letters, the same in both certificates.
            dsc_validity: first and last moment of the document signer's certificate.
        """
        csca_key, dsc_key = generate_key(csca_key_type), generate_key(dsc_key_type)
        csca_name, dsc_name = (_name(country, f"{role} TEST") for role in ("CSCA", "DSC"))
        csca_id, dsc_id = _key_identifier(csca_key), _key_identifier(dsc_key)
        csca = _certificate(
            issuer=(csca_name, csca_key),
            subject=(csca_name, csca_key),
            validity=(FIRST_CHIP_CARD, CSCA_END),
            extensions=[
                _authority_key_identifier(csca_id),
                _extension("key_identifier", core.OctetString(csca_id)),
                _extension("key_usage", x509.KeyUsage({"key_cert_sign", "crl_sign"}), True),
                _extension(
                    "basic_constraints",
                    x509.BasicConstraints({"ca": True, "path_len_constraint": 0}),
                    True,
                ),
                *_names_and_crl(country),
            ],
        )
        dsc = _certificate(
            issuer=(csca_name, csca_key),
            subject=(dsc_name, dsc_key),
            validity=dsc_validity,
            extensions=[
                _authority_key_identifier(csca_id),
                _extension("key_identifier", core.OctetString(dsc_id)),
                _extension("key_usage", x509.KeyUsage({"digital_signature"}), True),
                *_names_and_crl(country),
                _document_type_list(),
            ],
        )
        return cls(csca, dsc, dsc_key)


def fingerprint(certificate: bytes) -> str:
    """Return the SHA-256 of a DER certificate, in hexadecimal."""
    return hashlib.sha256(certificate).hexdigest()


def _certificate(
    issuer: tuple[x509.Name, KeyPair],
    subject: tuple[x509.Name, KeyPair],
    validity: tuple[datetime, datetime],
    extensions: list[x509.Extension],
) -> bytes:
    issuer_name, issuer_key = issuer
    subject_name, subject_key = subject
    algorithm = algos.SignedDigestAlgorithm({"algorithm": issuer_key.signature_algorithm})
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
    signature = issuer_key.sign(tbs.dump())
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


def _document_type_list() -> x509.Extension:
    """Source: ICAO Doc 9303-12 §7.1.1.6 (DocumentTypeListSyntax)."""
    types = core.SetOf([core.PrintableString(_DOCUMENT_TYPE)], spec=core.PrintableString)
    value = core.SequenceOf([core.Any(core.Integer(0)), core.Any(types)], spec=core.Any)
    return _extension(DOCUMENT_TYPE_LIST, core.ParsableOctetString(value.dump()))


def _extension(name: str, value: core.Asn1Value, critical: bool = False) -> x509.Extension:
    return x509.Extension({"extn_id": name, "critical": critical, "extn_value": value})
