"""The document security object: the issuer's signature over the hashes of all data groups.

Source: ICAO Doc 9303-10, 4.6.2 and appendix D; 9303-12, 7.1.4; RFC 5652.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from devices.emrtd.crypto import der
from devices.emrtd.crypto.asn1 import asn1_errors
from devices.emrtd.crypto.signature_algorithms import HASHES, digest_of, parse_hash_algorithm
from devices.emrtd.errors import (
    HashBrokenError,
    KeyUnsupportedError,
    SodHashAlgorithmError,
    SodHashBrokenError,
    SodHashLengthError,
    SodMalformedError,
    SodWithoutHashesError,
)
from devices.emrtd.files import DATA_GROUPS, SOD
from devices.emrtd.trust.certificates import Certificate
from devices.emrtd.trust.signed_data import (
    SignedData,
    SignedFile,
    parse_signed_data,
    verify_signed_data,
)
from devices.emrtd.trust.trust_policy import DEFAULT_POLICY, TrustPolicy
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
        digest = digest_of(self.sod.hash_name, data)
        return expected is not None and hmac.compare_digest(digest, expected)


def parse_sod(raw: bytes) -> Sod:
    """Return the document security object of EF.SOD as read.

    Raises:
        SodMalformedError: it is malformed; SodWithoutHashesError where it lists no data group,
            SodHashAlgorithmError (SodHashBrokenError for MD5) where no chip may use the hash
            algorithm, SodHashLengthError where a hash is not by the algorithm.
        KeyUnsupportedError: a certificate in it is malformed.
    """
    malformed = SodMalformedError("EF.SOD is malformed")
    try:
        content = parse_tlv(raw, SOD.tag).value
    except TlvMalformedError:
        raise malformed from None
    signed = parse_signed_data(content, _SOD_FILE)
    data = signed.content
    with asn1_errors(malformed):
        # 9303-10, D: LDSSecurityObject.
        _, algorithm, hashes, *_ = der.children(data, der.whole(data, der.SEQUENCE))
        hash_name = _hash_name(der.encoding(data, algorithm))
        return Sod(raw, hash_name, _data_group_hashes(data, hashes, hash_name), signed)


def verify_sod(
    sod: Sod, known_signers: Sequence[Certificate] = (), policy: TrustPolicy | None = None
) -> VerifiedSod:
    """Verify the signature and return what it proves.

    Args:
        sod: the parsed object.
        known_signers: certificates from elsewhere, for objects that carry none.
        policy: floors for the algorithms; the default ones if not given.

    Raises:
        AuthenticationRefusedError: `sod-without-signer`, `sod-signers-ambiguous`,
            `sod-signer-missing`, `sod-hash-algorithm-missing`, `sod-algorithm-mismatch`,
            `sod-digest-mismatch`, `sod-signature-invalid`, `sod-algorithm-unsupported`,
            `sod-md5-refused` or `sod-sha1-refused`.
    """
    signer = verify_signed_data(sod.signed_data, known_signers, policy)
    if (policy or DEFAULT_POLICY).hash_weakness(sod.hash_name, signer.not_before) is not None:
        raise _SOD_FILE.refuse("sha1-refused", "the data groups' hashes are below the floor")
    return VerifiedSod(sod, signer, _SEALED)


def _hash_name(identifier: bytes) -> str:
    try:
        return parse_hash_algorithm(identifier)
    except HashBrokenError:
        raise SodHashBrokenError("EF.SOD lists hashes by MD5 or older") from None
    except KeyUnsupportedError:
        raise SodHashAlgorithmError("EF.SOD uses a hash algorithm that no chip may use") from None


def _data_group_hashes(data: bytes, hashes: der.Element, hash_name: str) -> dict[int, bytes]:
    entries = der.children(data, hashes, der.SEQUENCE)
    if not entries:
        raise SodWithoutHashesError("EF.SOD lists no data group, so it proves nothing")
    if len(entries) > len(DATA_GROUPS):
        raise SodMalformedError("EF.SOD lists too many data groups")
    found = {}
    for entry in entries:
        number, value = der.children(data, entry, der.SEQUENCE)
        found[der.integer(data, number)] = der.contents(data, value, der.OCTET_STRING)
    if len(found) != len(entries) or not found.keys() <= DATA_GROUPS.keys():
        raise SodMalformedError("EF.SOD lists a data group twice or one that does not exist")
    size = HASHES[hash_name]().digest_size
    if {*map(len, found.values())} != {size}:
        raise SodHashLengthError("EF.SOD lists hashes of another length than their algorithm has")
    return found
