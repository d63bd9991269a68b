"""Files that are CMS signed data: one signer, over one object (EF.SOD, EF.CardSecurity).

Source: RFC 5652, 5; ICAO Doc 9303-10, 4.6.2 (EF.SOD) and 3.11.4 (EF.CardSecurity).
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asn1crypto import cms
from cryptography.exceptions import InvalidSignature

from devices.emrtd.asn1 import asn1_errors, load_asn1, parse_time
from devices.emrtd.certificates import Certificate, parse_certificate
from devices.emrtd.errors import AuthenticationRefusedError, KeyUnsupportedError
from devices.emrtd.public_keys import HASHES, verify_signature
from devices.errors import DeviceError

_MAX_CERTIFICATES = 8
_SET_OF = b"\x31"


@dataclass(frozen=True)
class SignedFile:
    """What a signed file must be, and how to speak of it."""

    name: str
    """The standard's name, for messages."""
    content_types: tuple[str, ...]
    """Object identifiers of what may be signed in it."""
    malformed: type[DeviceError]
    """Error that is raised where the file is malformed."""
    reason_prefix: str
    """What its permanent reason codes begin with."""

    def refuse(self, reason: str, message: str) -> AuthenticationRefusedError:
        """Return the finding `reason` against this file."""
        return AuthenticationRefusedError(f"{self.reason_prefix}-{reason}", message)


@dataclass(frozen=True)
class SignedData:
    """Parsed signed data; nothing in it is proven yet."""

    file: SignedFile
    content: bytes = field(repr=False)
    """The object that is signed, as in the file."""
    certificates: tuple[Certificate, ...]
    """Certificates that the file carries; may be empty."""
    signing_time: datetime | None
    """The signer's claim of when it signed."""
    _signer: Any = field(repr=False)


def parse_signed_data(data: bytes, file: SignedFile) -> SignedData:
    """Return the signed data that `data` is, a ContentInfo in DER or BER.

    Raises:
        DeviceError: `file.malformed`, where it is malformed, signs another kind of object, has not
            exactly one signer, or does not announce the signer's hash algorithm.
        KeyUnsupportedError: a certificate in it is malformed.
    """
    with asn1_errors(file.malformed(f"{file.name} is malformed")):
        info = load_asn1(cms.ContentInfo, data)
        if info["content_type"].native != "signed_data":
            raise file.malformed(f"{file.name} is not signed data")
        signed = info["content"]
        encapsulated = signed["encap_content_info"]
        if encapsulated["content_type"].dotted not in file.content_types:
            raise file.malformed(f"{file.name} signs another kind of object than it must")
        if len(signed["signer_infos"]) != 1:
            raise file.malformed(f"{file.name} must have exactly one signer")
        signer = signed["signer_infos"][0]
        # RFC 5652, 5.1: the signer's hash is one of those announced.
        announced = {str(item["algorithm"].dotted) for item in signed["digest_algorithms"]}
        if str(signer["digest_algorithm"]["algorithm"].dotted) not in announced:
            raise file.malformed(f"{file.name} does not announce the hash algorithm of its signer")
        choices = signed["certificates"] or ()
        if len(choices) > _MAX_CERTIFICATES:
            raise file.malformed(f"{file.name} carries too many certificates")
        return SignedData(
            file=file,
            content=bytes(encapsulated["content"]),
            certificates=tuple(
                parse_certificate(choice.chosen.dump())
                for choice in choices
                if choice.name == "certificate"
            ),
            signing_time=_signing_time(signer),
            _signer=signer,
        )


def verify_signed_data(
    signed: SignedData, known_signers: tuple[Certificate, ...] = ()
) -> Certificate:
    """Verify the signature and return the signer's certificate; who issued it is not looked at.

    Args:
        signed: the parsed signed data.
        known_signers: certificates from elsewhere, for files that carry none.

    Raises:
        AuthenticationRefusedError: with the file's prefix, `signer-missing`, `digest-mismatch`,
            `signature-invalid` or `algorithm-unsupported`.
        DeviceError: `file.malformed`, where a part that is needed now is malformed.
    """
    file = signed.file
    try:
        with asn1_errors(file.malformed(f"{file.name} is malformed")):
            candidates = (*signed.certificates, *known_signers)
            signer = next((c for c in candidates if _is_signer(c, signed._signer)), None)
            if signer is None:
                raise file.refuse(
                    "signer-missing", f"the certificate of {file.name}'s signer is missing"
                )
            digest_name = str(signed._signer["digest_algorithm"]["algorithm"].native)
            verify_signature(
                signer.public_key,
                signed._signer["signature_algorithm"],
                digest_name,
                bytes(signed._signer["signature"]),
                _signed_bytes(signed, digest_name),
            )
    except InvalidSignature:
        raise file.refuse("signature-invalid", f"the signature of {file.name} is wrong") from None
    except KeyUnsupportedError as error:
        raise file.refuse("algorithm-unsupported", str(error)) from None
    return signer


def _signed_bytes(signed: SignedData, digest_name: str) -> bytes:
    """Return the bytes under the signature, after the checks of RFC 5652, 5.4 and 5.6."""
    attributes = signed._signer["signed_attrs"]
    if not attributes:
        return signed.content
    if digest_name not in HASHES:
        raise KeyUnsupportedError(f"the hash algorithm of {signed.file.name} is not supported")
    digest = hashlib.new(digest_name, signed.content, usedforsecurity=False).digest()
    values = {a["type"].native: a["values"] for a in attributes}
    # RFC 5652, 11.1 and 11.2: each present once, with one value.
    types, digests = values.get("content_type", ()), values.get("message_digest", ())
    if (
        len(values) != len(attributes)
        or len(types) != 1
        or len(digests) != 1
        or types[0].dotted not in signed.file.content_types
        or not hmac.compare_digest(bytes(digests[0]), digest)
    ):
        raise signed.file.refuse(
            "digest-mismatch", f"the signed attributes do not fit the content of {signed.file.name}"
        )
    # RFC 5652, 5.4: the bytes as transmitted, with the tag of SET OF in place of [0].
    return _SET_OF + bytes(attributes.dump())[1:]


def _is_signer(certificate: Certificate, signer: Any) -> bool:
    identifier = signer["sid"]
    if identifier.name == "issuer_and_serial_number":
        chosen = identifier.chosen
        same_number = int(chosen["serial_number"].native) == certificate.serial_number
        return same_number and bool(chosen["issuer"].hashable == certificate.issuer)
    return certificate.subject_key_identifier == bytes(identifier.native)


def _signing_time(signer: Any) -> datetime | None:
    for attribute in signer["signed_attrs"] or ():
        if attribute["type"].native == "signing_time":
            return parse_time(attribute["values"][0].native)
    return None
