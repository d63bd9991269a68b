"""EF.CardSecurity: security infos that the issuer signed, outside the eMRTD application.

Source: ICAO Doc 9303-10, 3.11.4; 9303-11, 9.2.11; BSI TR-03110-3, A.1.2.5.
"""

from dataclasses import dataclass, field

from devices.emrtd.errors import FileMalformedError
from devices.emrtd.files import CARD_SECURITY
from devices.emrtd.lds.security_infos import SecurityInfo, parse_security_infos
from devices.emrtd.trust.certificates import Certificate
from devices.emrtd.trust.signed_data import (
    SignedData,
    SignedFile,
    parse_signed_data,
    verify_signed_data,
)

# 9303-11, 9.2.11: id-SecurityObject.
_CARD_SECURITY_FILE = SignedFile(
    name=CARD_SECURITY.name,
    content_types=("0.4.0.127.0.7.3.2.1",),
    malformed=FileMalformedError,
    reason_prefix="card-security",
)
_SEALED = object()


@dataclass(frozen=True)
class CardSecurity:
    """A parsed EF.CardSecurity; nothing in it is proven yet."""

    raw: bytes = field(repr=False)
    """The file as read."""
    security_infos: tuple[SecurityInfo, ...]
    """What the chip can do, its public keys for Chip Authentication among it; at least one."""
    signed_data: SignedData = field(repr=False)
    """The issuer's signature and what it covers."""


@dataclass(frozen=True)
class VerifiedCardSecurity:
    """EF.CardSecurity whose signature is right; only `verify_card_security` makes one."""

    card_security: CardSecurity
    signer: Certificate
    """The signer's certificate; who issued it is another question."""
    _seal: object = field(repr=False)

    def __post_init__(self) -> None:
        if self._seal is not _SEALED:
            raise TypeError("a VerifiedCardSecurity comes from verify_card_security only")


def parse_card_security(data: bytes) -> CardSecurity:
    """Return EF.CardSecurity as read.

    Raises:
        FileMalformedError: it is malformed, has not exactly one signer, or holds no security info.
        KeyUnsupportedError: a certificate in it is malformed.
    """
    signed = parse_signed_data(data, _CARD_SECURITY_FILE)
    return CardSecurity(data, parse_security_infos(signed.content), signed)


def verify_card_security(
    card_security: CardSecurity, certificates: tuple[Certificate, ...] = ()
) -> VerifiedCardSecurity:
    """Verify the signature and return what it proves.

    Args:
        card_security: the parsed file.
        certificates: possible signers from elsewhere, for files that carry none.

    Raises:
        AuthenticationRefusedError: `card-security-signer-missing`,
            `card-security-digest-mismatch`, `card-security-signature-invalid` or
            `card-security-algorithm-unsupported`.
        FileMalformedError: a part of the signature is malformed.
    """
    signer = verify_signed_data(card_security.signed_data, certificates)
    return VerifiedCardSecurity(card_security, signer, _SEALED)
