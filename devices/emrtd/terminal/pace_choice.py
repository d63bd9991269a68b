"""Which of several PACE offers to take.

Source: ICAO Doc 9303-11, 4.2 and 9.2.1 (a chip may offer several; the terminal chooses).
"""

from devices.emrtd.crypto.dh_groups import DhGroup
from devices.emrtd.crypto.elliptic_curves import Curve
from devices.emrtd.crypto.kdf import SessionCipher
from devices.emrtd.lds.security_infos import Mapping, PaceInfo
from devices.emrtd.terminal.pace import agreement_of

# Chip Authentication Mapping is Generic Mapping that shows a clone to the terminal as well.
# Generic before Integrated: it is what most chips and readers have run against each other.
_MAPPINGS = (Mapping.CHIP_AUTHENTICATION, Mapping.GENERIC, Mapping.INTEGRATED)
_CIPHERS = (
    SessionCipher.AES_128,
    SessionCipher.AES_192,
    SessionCipher.AES_256,
    SessionCipher.TDES,
)


def choose_pace(offers: tuple[PaceInfo, ...]) -> PaceInfo | None:
    """Return the offer to run, or None if this software runs none of them.

    Stronger first, then cheaper, in this order:

    1. strength of the domain parameters: 128 bits and more, 112 and more, less;
    2. AES before 3DES;
    3. curves of the cryptographic library, other curves, Diffie-Hellman groups;
    4. Chip Authentication, Generic, Integrated Mapping;
    5. the smaller field; AES-128, AES-192, AES-256: more strength than 128 bits costs the card
       time and protects nothing that the rest of the chain would not give up first;
    6. the chip's own order.
    """
    return min((offer for offer in offers if agreement_of(offer)), key=_rank, default=None)


def _rank(offer: PaceInfo) -> tuple[int, ...]:
    domain = offer.domain
    assert domain is not None, "agreement_of() said so"
    strength = _strength_bits(domain)
    return (
        0 if strength >= 128 else 1 if strength >= 112 else 2,
        int(offer.cipher is SessionCipher.TDES),
        2 if isinstance(domain, DhGroup) else int(domain.library_curve is None),
        _MAPPINGS.index(offer.mapping),
        domain.p.bit_length(),
        _CIPHERS.index(offer.cipher),
    )


def _strength_bits(domain: Curve | DhGroup) -> int:
    """NIST SP 800-57 part 1, table 2: the strength that a size stands for."""
    if isinstance(domain, DhGroup):
        return 112 if domain.p.bit_length() >= 2048 else 80
    return domain.n.bit_length() // 2
