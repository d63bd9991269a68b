"""Signature and hash algorithms by their identifiers.

Source: RFC 4055 (RSA); RFC 5758 and ANSI X9.62 (ECDSA); BSI TR-03111, 5.2.1.1 (plain ECDSA);
ICAO Doc 9303-12, 4.1.6 (what a chip may use).
"""

import hashlib
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from cryptography.hazmat.primitives import hashes

from devices.emrtd.crypto import der
from devices.emrtd.crypto.asn1 import asn1_errors
from devices.emrtd.errors import HashBrokenError, KeyUnsupportedError

HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
"""Hash algorithms that a chip may use, by name."""
# `hashlib.new` looks each up by name, which takes as long as hashing a small file.
_DIGESTS = {name: getattr(hashlib, name) for name in HASHES}

MAX_SALT_BYTES = 1024
_HASH_OIDS = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
# Two documents with one MD5 hash are made in seconds: never accepted, under no policy.
_BROKEN_OIDS = {
    *("1.2.840.113549.2.2", "1.2.840.113549.2.4", "1.2.840.113549.2.5"),
    *("1.2.840.113549.1.1.2", "1.2.840.113549.1.1.3", "1.2.840.113549.1.1.4", "1.3.14.3.2.3"),
}
_ECDSA_OIDS = {
    "1.2.840.10045.4.1": "sha1",
    "1.2.840.10045.4.3.1": "sha224",
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
    "0.4.0.127.0.7.1.1.4.1.1": "sha1",
    "0.4.0.127.0.7.1.1.4.1.2": "sha224",
    "0.4.0.127.0.7.1.1.4.1.3": "sha256",
    "0.4.0.127.0.7.1.1.4.1.4": "sha384",
    "0.4.0.127.0.7.1.1.4.1.5": "sha512",
    # id-ecPublicKey, ecdsa-with-Specified and its arc leave the hash to the message.
    "1.2.840.10045.2.1": None,
    "1.2.840.10045.4": None,
    "1.2.840.10045.4.3": None,
}
_RSA_OIDS = {
    "1.2.840.113549.1.1.5": "sha1",
    "1.3.14.3.2.29": "sha1",
    "1.2.840.113549.1.1.14": "sha224",
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
    # rsaEncryption leaves the hash to the message.
    "1.2.840.113549.1.1.1": None,
}
_RSASSA_PSS = "1.2.840.113549.1.1.10"
_MGF1 = "1.2.840.113549.1.1.8"


class Scheme(Enum):
    """The signature schemes of Doc 9303-12, 4.1.6."""

    RSA_PKCS1 = "RSASSA-PKCS1-v1_5"
    RSA_PSS = "RSASSA-PSS"
    ECDSA = "ECDSA"


@dataclass(frozen=True)
class SignatureAlgorithm:
    """How a signature was made."""

    scheme: Scheme
    hash_name: str | None
    """Hash of the message; None where the identifier leaves it to what stands beside it."""
    mask_hash_name: str = "sha1"
    """Hash of the mask generation function, for RSASSA-PSS."""
    salt_bytes: int = 20
    """Length of the salt, for RSASSA-PSS."""

    def hash_beside(self, digest_name: str | None) -> str:
        """Return the hash of the message, `digest_name` where the identifier names none.

        Raises:
            KeyUnsupportedError: there is none.
        """
        name = self.hash_name or digest_name
        if name not in HASHES:
            raise KeyUnsupportedError("a signature's hash algorithm is missing or not supported")
        return name


def digest_of(hash_name: str, data: bytes) -> bytes:
    """Return the digest of `data` by a hash that is a key of `HASHES`."""
    digest: bytes = _DIGESTS[hash_name](data, usedforsecurity=False).digest()
    return digest


@lru_cache(maxsize=256)
def parse_signature_algorithm(identifier: bytes) -> SignatureAlgorithm:
    """Return the algorithm of a DER AlgorithmIdentifier.

    Raises:
        KeyUnsupportedError: it is malformed or not one that a chip may use; HashBrokenError where
            it is for MD5 or older.
    """
    with asn1_errors(KeyUnsupportedError("a signature algorithm is malformed")):
        elements = der.children(identifier, der.whole(identifier, der.SEQUENCE))
        oid = der.oid(identifier, elements[0])
        if oid in _ECDSA_OIDS:
            return SignatureAlgorithm(Scheme.ECDSA, _ECDSA_OIDS[oid])
        if oid in _RSA_OIDS:
            return SignatureAlgorithm(Scheme.RSA_PKCS1, _RSA_OIDS[oid])
        if oid == _RSASSA_PSS:
            return _pss(identifier, elements[1])
    raise _unsupported(oid)


@lru_cache(maxsize=256)
def parse_hash_algorithm(identifier: bytes) -> str:
    """Return the name of the hash of a DER AlgorithmIdentifier, a key of `HASHES`.

    Raises:
        KeyUnsupportedError: it is malformed or not one that a chip may use; HashBrokenError where
            it is MD5 or older.
    """
    with asn1_errors(KeyUnsupportedError("a hash algorithm is malformed")):
        elements = der.children(identifier, der.whole(identifier, der.SEQUENCE))
        oid = der.oid(identifier, elements[0])
    if oid not in _HASH_OIDS:
        raise _unsupported(oid)
    return _HASH_OIDS[oid]


def _pss(data: bytes, parameters: der.Element) -> SignatureAlgorithm:
    """RFC 4055, 3.1: what is left out has its default; there is one trailer field."""
    given = {
        element[0]: der.read(data, element[2], element[3])
        for element in der.children(data, parameters, der.SEQUENCE)
    }
    hash_name = mask_hash_name = "sha1"
    salt_bytes = 20
    for tag, value in given.items():
        if tag == der.CONTEXT:
            hash_name = parse_hash_algorithm(der.encoding(data, value))
        elif tag == der.CONTEXT + 1:
            function, mask_hash = der.children(data, value)
            if der.oid(data, function) != _MGF1:
                raise KeyUnsupportedError("RSA-PSS parameters are not supported")
            mask_hash_name = parse_hash_algorithm(der.encoding(data, mask_hash))
        elif tag == der.CONTEXT + 2:
            salt_bytes = der.integer(data, value)
        elif tag != der.CONTEXT + 3 or der.integer(data, value) != 1:
            raise KeyUnsupportedError("RSA-PSS parameters are not supported")
    if not 0 <= salt_bytes <= MAX_SALT_BYTES:
        raise KeyUnsupportedError("RSA-PSS parameters are not supported")
    return SignatureAlgorithm(Scheme.RSA_PSS, hash_name, mask_hash_name, salt_bytes)


def _unsupported(oid: str) -> KeyUnsupportedError:
    if oid in _BROKEN_OIDS:
        return HashBrokenError("MD5 and older hash algorithms prove nothing")
    return KeyUnsupportedError("a signature or hash algorithm is not supported")
