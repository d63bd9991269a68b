"""The document security object: the issuer's signature over the hashes of all data groups.

Source: ICAO Doc 9303-10, 4.6.2 and appendix D; 9303-12, 7.1.4; RFC 5652.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asn1crypto import algos, cms, core
from cryptography.exceptions import InvalidSignature

from devices.emrtd.asn1 import asn1_errors, load_asn1, parse_time
from devices.emrtd.certificates import Certificate, parse_certificate
from devices.emrtd.errors import AuthenticationRefusedError, KeyUnsupportedError, SodMalformedError
from devices.emrtd.files import SOD
from devices.emrtd.public_keys import HASHES, verify_signature
from devices.errors import TlvMalformedError
from devices.tlv import parse_tlv

# 9303-10, D: id-icao-mrtd-security-ldsSecurityObject; then what early issuers used instead.
_LDS_SECURITY_OBJECTS = ("2.23.136.1.1.1", "1.3.27.1.1.1", "1.2.528.1.1006.1.20.1")
_MAX_CERTIFICATES = 8
_SET_OF = b"\x31"
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
    certificates: tuple[Certificate, ...]
    """Certificates that the file carries; may be empty."""
    signing_time: datetime | None
    """The signer's claim of when it signed."""
    _signed_object: bytes = field(repr=False)
    _signer: Any = field(repr=False)

    @property
    def data_groups(self) -> tuple[int, ...]:
        """Numbers of the data groups that the chip holds, ascending."""
        return tuple(sorted(self.hashes))


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
    """
    malformed = SodMalformedError("EF.SOD is malformed")
    try:
        content = parse_tlv(data, SOD.tag).value
    except TlvMalformedError:
        raise malformed from None
    with asn1_errors(malformed):
        info = load_asn1(cms.ContentInfo, content)
        if info["content_type"].native != "signed_data":
            raise SodMalformedError("EF.SOD is not signed data")
        signed = info["content"]
        encapsulated = signed["encap_content_info"]
        if encapsulated["content_type"].dotted not in _LDS_SECURITY_OBJECTS:
            raise SodMalformedError("EF.SOD signs something else than an LDS security object")
        if len(signed["signer_infos"]) != 1:
            raise SodMalformedError("EF.SOD must have exactly one signer")
        signer = signed["signer_infos"][0]
        # RFC 5652, 5.1: the signer's hash is one of those announced.
        announced = {str(item["algorithm"].dotted) for item in signed["digest_algorithms"]}
        if str(signer["digest_algorithm"]["algorithm"].dotted) not in announced:
            raise SodMalformedError("EF.SOD does not announce the hash algorithm of its signer")
        signed_object = bytes(encapsulated["content"])
        lds_object = load_asn1(_LdsSecurityObject, signed_object)
        hash_name = str(lds_object["hash_algorithm"]["algorithm"].native)
        return Sod(
            raw=data,
            hash_name=hash_name,
            hashes=_data_group_hashes(lds_object, hash_name),
            certificates=_certificates(signed),
            signing_time=_signing_time(signer),
            _signed_object=signed_object,
            _signer=signer,
        )


def verify_sod(sod: Sod, known_signers: tuple[Certificate, ...] = ()) -> VerifiedSod:
    """Verify the signature and return what it proves.

    Args:
        sod: the parsed object.
        known_signers: certificates from elsewhere, for objects that carry none.

    Raises:
        AuthenticationRefusedError: `sod-signer-missing`, `sod-digest-mismatch`,
            `sod-signature-invalid` or `sod-algorithm-unsupported`.
    """
    try:
        with asn1_errors(SodMalformedError("EF.SOD is malformed")):
            candidates = (*sod.certificates, *known_signers)
            signer = next((c for c in candidates if _is_signer(c, sod)), None)
            if signer is None:
                raise AuthenticationRefusedError(
                    "sod-signer-missing", "the certificate of the SOD's signer is missing"
                )
            digest_name = str(sod._signer["digest_algorithm"]["algorithm"].native)
            verify_signature(
                signer.public_key,
                sod._signer["signature_algorithm"],
                digest_name,
                bytes(sod._signer["signature"]),
                _signed_bytes(sod, digest_name),
            )
    except InvalidSignature:
        raise AuthenticationRefusedError(
            "sod-signature-invalid", "the signature of the SOD is wrong"
        ) from None
    except KeyUnsupportedError as error:
        raise AuthenticationRefusedError("sod-algorithm-unsupported", str(error)) from None
    return VerifiedSod(sod, signer, _SEALED)


def _signed_bytes(sod: Sod, digest_name: str) -> bytes:
    """Return the bytes under the signature, after the checks of RFC 5652, 5.4 and 5.6."""
    attributes = sod._signer["signed_attrs"]
    if not attributes:
        return sod._signed_object
    if digest_name not in HASHES:
        raise KeyUnsupportedError("the SOD's hash algorithm is not supported")
    digest = hashlib.new(digest_name, sod._signed_object, usedforsecurity=False).digest()
    values = {a["type"].native: a["values"] for a in attributes}
    # RFC 5652, 11.1 and 11.2: each present once, with one value.
    types, digests = values.get("content_type", ()), values.get("message_digest", ())
    if (
        len(values) != len(attributes)
        or len(types) != 1
        or len(digests) != 1
        or types[0].dotted not in _LDS_SECURITY_OBJECTS
        or not hmac.compare_digest(bytes(digests[0]), digest)
    ):
        raise AuthenticationRefusedError(
            "sod-digest-mismatch", "the signed attributes do not fit the SOD's content"
        )
    # RFC 5652, 5.4: the bytes as transmitted, with the tag of SET OF in place of [0].
    return _SET_OF + bytes(attributes.dump())[1:]


def _is_signer(certificate: Certificate, sod: Sod) -> bool:
    identifier = sod._signer["sid"]
    if identifier.name == "issuer_and_serial_number":
        chosen = identifier.chosen
        same_number = int(chosen["serial_number"].native) == certificate.serial_number
        return same_number and bool(chosen["issuer"].hashable == certificate.issuer)
    return certificate.subject_key_identifier == bytes(identifier.native)


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


def _certificates(signed: cms.SignedData) -> tuple[Certificate, ...]:
    choices = signed["certificates"] or ()
    if len(choices) > _MAX_CERTIFICATES:
        raise SodMalformedError("EF.SOD carries too many certificates")
    return tuple(
        parse_certificate(choice.chosen.dump())
        for choice in choices
        if choice.name == "certificate"
    )


def _signing_time(signer: cms.SignerInfo) -> datetime | None:
    for attribute in signer["signed_attrs"] or ():
        if attribute["type"].native == "signing_time":
            return parse_time(attribute["values"][0].native)
    return None
