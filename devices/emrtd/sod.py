"""The document security object: the issuer's signature over the hashes of all data groups.

Source: ICAO Doc 9303-10, 4.6.2 and appendix D; 9303-12, 7.1.4; RFC 5652.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime

from asn1crypto import algos, core

from devices.emrtd.asn1 import asn1_errors, load_asn1
from devices.emrtd.certificates import Certificate
from devices.emrtd.errors import SodMalformedError
from devices.emrtd.files import SOD
from devices.emrtd.public_keys import HASHES
from devices.emrtd.signed_data import SignedData, SignedFile, parse_signed_data, verify_signed_data
from devices.errors import TlvMalformedError
from devices.tlv import parse_tlv

# 9303-10, D: id-icao-mrtd-security-ldsSecurityObject; then what early issuers used instead.
_SOD_FILE = SignedFile(
    name=SOD.name,
    content_types=("2.23.136.1.1.1", "1.3.27.1.1.1", "1.2.528.1.1006.1.20.1"),
    malformed=SodMalformedError,
    reason_prefix="sod",
)
_SEALED = object()


class _DataGroupHash(core.Sequence):  # type: ignore[misc]
    _fields = [  # noqa: RUF012 (asn1crypto's way)
        ("number", core.Integer),
        ("value", core.OctetString),
    ]


class _DataGroupHashes(core.SequenceOf):  # type: ignore[misc]
    _child_spec = _DataGroupHash


class _LdsSecurityObject(core.Sequence):  # type: ignore[misc]
    _fields = [  # noqa: RUF012 (asn1crypto's way)
        ("version", core.Integer),
        ("hash_algorithm", algos.DigestAlgorithm),
        ("hashes", _DataGroupHashes),
        ("lds_version_info", core.Any, {"optional": True}),
    ]


@dataclass(frozen=True)
class Sod:
    """A parsed document security object; nothing in it is proven yet."""

    raw: bytes = field(repr=False)
    """The file as read."""
    hash_name: str
    """Hash of the data groups: `sha1` … `sha512`."""
    hashes: dict[int, bytes] = field(repr=False)
    """Data group number to expected hash; at least one."""
    signed_data: SignedData = field(repr=False)
    """The issuer's signature and what it covers."""

    @property
    def data_groups(self) -> tuple[int, ...]:
        """Numbers of the data groups that the chip holds, ascending."""
        return tuple(sorted(self.hashes))

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """Certificates that the file carries; may be empty."""
        return self.signed_data.certificates

    @property
    def signing_time(self) -> datetime | None:
        """The signer's claim of when it signed."""
        return self.signed_data.signing_time


@dataclass(frozen=True)
class VerifiedSod:
    """A document security object whose signature was found right; only `verify_sod` makes one."""

    sod: Sod
    signer: Certificate
    """The document signer certificate; who issued it is another question."""
    _seal: object = field(repr=False)

    def __post_init__(self) -> None:
        if self._seal is not _SEALED:
            raise TypeError("a VerifiedSod comes from verify_sod only")

    def covers(self, number: int, data: bytes) -> bool:
        """Return whether `data` is the data group that the issuer signed."""
        expected = self.sod.hashes.get(number)
        digest = hashlib.new(self.sod.hash_name, data, usedforsecurity=False).digest()
        return expected is not None and hmac.compare_digest(digest, expected)


def parse_sod(data: bytes) -> Sod:
    """Return the document security object of EF.SOD as read.

    Raises:
        SodMalformedError: it is malformed, has not exactly one signer, lists no data group, or
            uses a hash algorithm that no chip may use.
        KeyUnsupportedError: a certificate in it is malformed.
    """
    malformed = SodMalformedError("EF.SOD is malformed")
    try:
        content = parse_tlv(data, SOD.tag).value
    except TlvMalformedError:
        raise malformed from None
    signed = parse_signed_data(content, _SOD_FILE)
    with asn1_errors(malformed):
        lds_object = load_asn1(_LdsSecurityObject, signed.content)
        hash_name = str(lds_object["hash_algorithm"]["algorithm"].native)
        hashes = _data_group_hashes(lds_object, hash_name)
    return Sod(raw=data, hash_name=hash_name, hashes=hashes, signed_data=signed)


def verify_sod(sod: Sod, known_signers: tuple[Certificate, ...] = ()) -> VerifiedSod:
    """Verify the signature and return what it proves.

    Args:
        sod: the parsed object.
        known_signers: certificates from elsewhere, for objects that carry none.

    Raises:
        AuthenticationRefusedError: `sod-signer-missing`, `sod-digest-mismatch`,
            `sod-signature-invalid` or `sod-algorithm-unsupported`.
        SodMalformedError: a part of the signature is malformed.
    """
    return VerifiedSod(sod, verify_signed_data(sod.signed_data, known_signers), _SEALED)


def _data_group_hashes(lds_object: _LdsSecurityObject, hash_name: str) -> dict[int, bytes]:
    if hash_name not in HASHES:
        raise SodMalformedError("EF.SOD uses a hash algorithm that no chip may use")
    size = hashlib.new(hash_name, usedforsecurity=False).digest_size
    entries = lds_object["hashes"]
    if not 1 <= len(entries) <= 16:
        raise SodMalformedError("EF.SOD lists no data group or too many")
    hashes = {int(entry["number"].native): bytes(entry["value"]) for entry in entries}
    well_formed = all(1 <= n <= 16 and len(value) == size for n, value in hashes.items())
    if len(hashes) != len(entries) or not well_formed:
        raise SodMalformedError("EF.SOD lists a data group twice or wrongly")
    return hashes
