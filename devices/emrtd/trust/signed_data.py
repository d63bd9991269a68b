"""CMS signed data with one signer over one object: EF.SOD, EF.CardSecurity, master lists.

Source: RFC 5652, 5; ICAO Doc 9303-10, 4.6.2 (EF.SOD) and 3.11.4 (EF.CardSecurity); 9303-12, 8
(master lists).
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import chain

from cryptography.exceptions import InvalidSignature

from devices.emrtd.crypto import der
from devices.emrtd.crypto.asn1 import MAX_ASN1_BYTES, asn1_errors
from devices.emrtd.crypto.public_keys import verify_signature
from devices.emrtd.crypto.signature_algorithms import (
    digest_of,
    parse_hash_algorithm,
    parse_signature_algorithm,
)
from devices.emrtd.errors import AuthenticationRefusedError, KeyUnsupportedError
from devices.emrtd.trust.certificates import Certificate, parse_certificate
from devices.emrtd.trust.names import Name
from devices.emrtd.trust.trust_policy import DEFAULT_POLICY, TrustPolicy
from devices.errors import DeviceError

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_TIME = "1.2.840.113549.1.9.5"
_ALGORITHM_PROTECTION = "1.2.840.113549.1.9.52"
_KEY_IDENTIFIER = 0x80  # [0] SubjectKeyIdentifier
_MAX_CERTIFICATES = 8
_MAX_SIGNERS = 8
_MAX_ATTRIBUTES = 32


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
    max_bytes: int = MAX_ASN1_BYTES
    """Longest file that is parsed."""

    def refuse(self, reason: str, message: str) -> AuthenticationRefusedError:
        """Return the finding `reason` against this file."""
        return AuthenticationRefusedError(f"{self.reason_prefix}-{reason}", message)


@dataclass(frozen=True)
class SignerInfo:
    """One signature as the file has it."""

    issuer: Name | None
    """With `serial_number` one way to name the signer's certificate; None for the other way."""
    serial_number: int | None
    subject_key_identifier: bytes | None
    """The other way."""
    digest_algorithm: bytes
    """AlgorithmIdentifier, DER."""
    attributes: bytes | None = field(repr=False)
    """The signed attributes as transmitted, with the tag of SET OF; None if there are none."""
    values: dict[str, list[bytes]] = field(repr=False)
    """Object identifier of each signed attribute to the encodings of its values."""
    signature_algorithm: bytes
    """AlgorithmIdentifier, DER."""
    signature: bytes = field(repr=False)

    @property
    def signing_time(self) -> datetime | None:
        """The signer's claim of when it signed; call it inside `asn1_errors`."""
        values = self.values.get(_SIGNING_TIME)
        return der.time(values[0], der.read(values[0], 0, len(values[0]))) if values else None

    def names(self, certificate: Certificate) -> bool:
        """Return whether this is the signer's certificate (RFC 5652, 5.3)."""
        if self.subject_key_identifier is not None:
            return certificate.extensions.subject_key_identifier == self.subject_key_identifier
        return certificate.serial_number == self.serial_number and certificate.issuer == self.issuer


@dataclass(frozen=True)
class SignedData:
    """Parsed signed data; nothing in it is proven yet."""

    file: SignedFile
    content: bytes = field(repr=False)
    """The object that is signed, as in the file."""
    content_type: str
    """Object identifier of what is signed."""
    digest_algorithms: tuple[str, ...]
    """Object identifiers of the hash algorithms that the file announces."""
    certificates: tuple[Certificate, ...]
    """Certificates that the file carries; may be empty."""
    signers: tuple[SignerInfo, ...] = field(repr=False)
    """Anything but one is refused when the signature is verified."""
    signing_time: datetime | None
    """The only signer's claim of when it signed."""


def parse_signed_data(data: bytes, file: SignedFile) -> SignedData:
    """Return the signed data that `data` is, a ContentInfo in DER or BER.

    Raises:
        DeviceError: `file.malformed`, where it is malformed or signs another kind of object.
        KeyUnsupportedError: a certificate in it is malformed.
    """
    malformed = file.malformed(f"{file.name} is malformed")
    if len(data) > file.max_bytes:
        raise malformed
    with asn1_errors(malformed):
        data = der.to_definite(data)
        kind, holder = der.children(data, der.whole(data, der.SEQUENCE))
        if der.oid(data, kind) != _SIGNED_DATA:
            raise file.malformed(f"{file.name} is not signed data")
        (sequence,) = der.children(data, holder, der.CONTEXT)
        _, digests, encapsulated, *optional, signer_set = der.children(data, sequence, der.SEQUENCE)
        type_element, content_holder = der.children(data, encapsulated, der.SEQUENCE)
        content_type = der.oid(data, type_element)
        if content_type not in file.content_types:
            raise file.malformed(f"{file.name} signs another kind of object than it must")
        (content,) = der.children(data, content_holder, der.CONTEXT)
        signers = der.children(data, signer_set, der.SET)
        certificates = _certificates(data, optional)
        if len(certificates) > _MAX_CERTIFICATES or len(signers) > _MAX_SIGNERS:
            raise file.malformed(f"{file.name} carries too many certificates or signers")
        infos = tuple(_signer_info(data, signer) for signer in signers)
        return SignedData(
            file=file,
            content=der.contents(data, content, der.OCTET_STRING),
            content_type=content_type,
            digest_algorithms=tuple(
                _identifier_oid(der.encoding(data, algorithm))
                for algorithm in der.children(data, digests, der.SET)
            ),
            certificates=tuple(parse_certificate(der.encoding(data, c)) for c in certificates),
            signers=infos,
            signing_time=infos[0].signing_time if len(infos) == 1 else None,
        )


def verify_signed_data(
    signed: SignedData,
    known_signers: Sequence[Certificate] = (),
    policy: TrustPolicy | None = None,
) -> Certificate:
    """Verify the signature and return the signer's certificate; who issued it is not looked at.

    Args:
        signed: the parsed signed data.
        known_signers: certificates from elsewhere, for files that carry none.
        policy: floors for the algorithms; the default ones if not given.

    Raises:
        AuthenticationRefusedError: with the file's prefix, `without-signer`, `signers-ambiguous`,
            `hash-algorithm-missing`, `algorithm-mismatch`, `signer-missing`, `digest-mismatch`,
            `signature-invalid`, `algorithm-unsupported`, `md5-refused` or `sha1-refused`.
    """
    file = signed.file
    if len(signed.signers) != 1:
        finding = "signers-ambiguous" if signed.signers else "without-signer"
        raise file.refuse(finding, f"{file.name} must have exactly one signer")
    (info,) = signed.signers
    try:
        algorithm = parse_signature_algorithm(info.signature_algorithm)
        digest_name = parse_hash_algorithm(info.digest_algorithm)
        _check_announced(signed, info)
        candidates = chain(signed.certificates, known_signers)
        signer = next((c for c in candidates if info.names(c)), None)
        if signer is None:
            raise file.refuse("signer-missing", f"{file.name} lacks its signer's certificate")
        for name in (digest_name, algorithm.hash_beside(digest_name)):
            weakness = (policy or DEFAULT_POLICY).hash_weakness(name, signer.not_before)
            if weakness is not None:
                raise file.refuse(weakness, f"{file.name} is signed with a hash below the floor")
        message = _signed_bytes(signed, info, digest_name)
        verify_signature(signer.public_key, algorithm, digest_name, info.signature, message)
    except InvalidSignature:
        raise file.refuse("signature-invalid", f"the signature of {file.name} is wrong") from None
    except KeyUnsupportedError as error:
        raise file.refuse(error.finding, str(error)) from None
    return signer


def _check_announced(signed: SignedData, info: SignerInfo) -> None:
    """RFC 5652, 5.1 and RFC 6211: nobody took the hash away or put another one in its place."""
    if _identifier_oid(info.digest_algorithm) not in signed.digest_algorithms:
        raise signed.file.refuse(
            "hash-algorithm-missing",
            f"{signed.file.name} does not announce the hash algorithm of its signer",
        )
    for value in info.values.get(_ALGORITHM_PROTECTION, ()):
        with asn1_errors(KeyUnsupportedError("the protected algorithms are malformed")):
            digest, *others = der.children(value, der.whole(value, der.SEQUENCE))
            stated = [value[start:end] for tag, _, start, end in others if tag == der.CONTEXT + 1]
        is_same = _identifier_oid(der.encoding(value, digest)) == _identifier_oid(
            info.digest_algorithm
        )
        if not is_same or stated != [_inside(info.signature_algorithm)]:
            raise signed.file.refuse(
                "algorithm-mismatch",
                f"the algorithms of {signed.file.name} are not the ones that were signed",
            )


def _signed_bytes(signed: SignedData, info: SignerInfo, digest_name: str) -> bytes:
    """Return the bytes under the signature, after the checks of RFC 5652, 5.4 and 5.6."""
    if info.attributes is None:
        return signed.content
    digest = digest_of(digest_name, signed.content)
    # RFC 5652, 11.1 and 11.2: each present once, with one value.
    types = info.values.get(_CONTENT_TYPE, [])
    digests = info.values.get(_MESSAGE_DIGEST, [])
    with asn1_errors(signed.file.malformed(f"{signed.file.name} is malformed")):
        is_right = (
            len(types) == len(digests) == 1
            and der.oid(types[0], der.whole(types[0], der.OBJECT_IDENTIFIER)) == signed.content_type
            and hmac.compare_digest(digests[0], der.encode(der.OCTET_STRING, digest))
        )
    if not is_right:
        raise signed.file.refuse(
            "digest-mismatch", f"the signed attributes do not fit the content of {signed.file.name}"
        )
    return info.attributes


def _certificates(data: bytes, optional: Sequence[der.Element]) -> list[der.Element]:
    """RFC 5652, 10.2.2: of the choices, only X.509 certificates are of use."""
    return [
        choice
        for element in optional
        if element[0] == der.CONTEXT
        for choice in der.children(data, element)
        if choice[0] == der.SEQUENCE
    ]


def _signer_info(data: bytes, signer: der.Element) -> SignerInfo:
    """RFC 5652, 5.3."""
    _, identifier, digest, *rest = der.children(data, signer, der.SEQUENCE)
    issuer = number = key_identifier = attributes = None
    if identifier[0] == _KEY_IDENTIFIER:
        key_identifier = data[identifier[2] : identifier[3]]
    else:
        name, serial = der.children(data, identifier, der.SEQUENCE)
        issuer, number = Name(der.encoding(data, name)), der.integer(data, serial)
    values: dict[str, list[bytes]] = {}
    if rest[0][0] == der.CONTEXT:
        # RFC 5652, 5.4: the bytes as transmitted, with the tag of SET OF in place of [0].
        attributes = bytes([der.SET]) + der.encoding(data, rest[0])[1:]
        values = _attributes(data, rest.pop(0))
    algorithm, signature = rest[:2]
    return SignerInfo(
        issuer=issuer,
        serial_number=number,
        subject_key_identifier=key_identifier,
        digest_algorithm=der.encoding(data, der.expect(digest, der.SEQUENCE)),
        attributes=attributes,
        values=values,
        signature_algorithm=der.encoding(data, der.expect(algorithm, der.SEQUENCE)),
        signature=der.contents(data, signature, der.OCTET_STRING),
    )


def _attributes(data: bytes, holder: der.Element) -> dict[str, list[bytes]]:
    attributes = der.children(data, holder)
    values = {}
    for attribute in attributes:
        kind, value_set = der.children(data, attribute, der.SEQUENCE)
        values[der.oid(data, kind)] = [
            der.encoding(data, value) for value in der.children(data, value_set, der.SET)
        ]
    if not 0 < len(values) == len(attributes) <= _MAX_ATTRIBUTES:
        raise ValueError("the signed attributes are none, too many, or one comes twice")
    return values


@lru_cache(maxsize=64)
def _identifier_oid(identifier: bytes) -> str:
    return der.oid(identifier, der.children(identifier, der.whole(identifier, der.SEQUENCE))[0])


def _inside(element: bytes) -> bytes:
    return element[der.read(element, 0, len(element))[2] :]
