"""RFC 5280 §5.3: a list with a critical entry extension that is not understood tells nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from api.assertions.verification import CheckName

DAY = timedelta(days=1)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
OF_ANOTHER_AUTHORITY = x509.CertificateIssuer([x509.UniformResourceIdentifier("urn:another")])


def lists(office: Any, extension: x509.ExtensionType, *, critical: bool) -> list[bytes]:
    """Return lists of both CAs, the issuing one's with an entry of nobody in particular."""
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(7)
        .revocation_date(office.at - DAY)
        .add_extension(extension, critical)
        .build()
    )
    made = []
    for ca in (office.issuing_ca, office.root):
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(ca.certificate.subject)
            .last_update(office.at - DAY)
            .next_update(office.at + DAY)
        )
        if ca is office.issuing_ca:
            builder = builder.add_revoked_certificate(entry)
        made.append(builder.sign(ca.private_key, hashes.SHA256()).public_bytes(Encoding.DER))
    return made


@pytest.mark.parametrize(
    "extension", [UNKNOWN, OF_ANOTHER_AUTHORITY], ids=["unknown", "of-another-authority"]
)
def test_critical_extension_of_any_entry(
    office: Any, is_unknown: Callable[..., None], extension: x509.ExtensionType
) -> None:
    """Of an indirect list the entries that follow are another authority's: who could tell."""
    given = lists(office, extension, critical=True)
    is_unknown(office.verify(office.issue(), crls=given), "crl-signature-invalid")


@pytest.mark.parametrize(
    "extension",
    [
        x509.CRLReason(x509.ReasonFlags.superseded),
        x509.InvalidityDate(datetime(2026, 1, 2, tzinfo=UTC).replace(tzinfo=None)),
    ],
    ids=["reason", "invalidity-date"],
)
def test_what_is_understood_may_be_critical(
    office: Any, passes: Callable[..., None], extension: x509.ExtensionType
) -> None:
    """Their standard has them not critical, and nothing speaks against those who mark them so."""
    given = lists(office, extension, critical=True)
    passes(office.verify(office.issue(), crls=given), CheckName.REVOCATION)


def test_other_extensions_may_be_passed_over(office: Any, passes: Callable[..., None]) -> None:
    given = lists(office, UNKNOWN, critical=False)
    passes(office.verify(office.issue(), crls=given), CheckName.REVOCATION)
