"""Keys and signatures in the forms that issuers use, made by another implementation."""

import hashlib
from typing import Any

import pytest
from asn1crypto import algos, keys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from ecdsa import NIST192p, SigningKey
from ecdsa.curves import (
    BRAINPOOLP192r1,
    BRAINPOOLP224r1,
    BRAINPOOLP256r1,
    BRAINPOOLP320r1,
    BRAINPOOLP384r1,
    BRAINPOOLP512r1,
    NIST224p,
    NIST256p,
    NIST384p,
    NIST521p,
)
from ecdsa.util import sigencode_der, sigencode_string

from devices.emrtd.active_authentication import verify_active_authentication
from devices.emrtd.crypto.public_keys import (
    EcKey,
    RsaKey,
    parse_public_key,
    verify_ecdsa,
    verify_signature,
)
from devices.emrtd.crypto.signature_algorithms import SignatureAlgorithm, parse_signature_algorithm
from devices.emrtd.errors import AuthenticationRefusedError, KeyUnsupportedError

MESSAGE = b"signed attributes"
CHALLENGE = bytes(range(8))
CURVES = [
    *(NIST192p, NIST224p, NIST256p, NIST384p, NIST521p),
    *(BRAINPOOLP192r1, BRAINPOOLP224r1, BRAINPOOLP256r1),
    *(BRAINPOOLP320r1, BRAINPOOLP384r1, BRAINPOOLP512r1),
]


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _rsa_public(key: rsa.RSAPrivateKey) -> RsaKey:
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    parsed = parse_public_key(spki)
    assert isinstance(parsed, RsaKey)
    return parsed


def _algorithm(fields: dict[str, Any]) -> SignatureAlgorithm:
    return parse_signature_algorithm(algos.SignedDigestAlgorithm(fields).dump())


@pytest.mark.parametrize("encoding", ["named_curve", "explicit"])
@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_ecdsa_on_every_curve_named_and_explicit(curve: Any, encoding: str) -> None:
    private = SigningKey.generate(curve)
    spki = private.verifying_key.to_der(curve_parameters_encoding=encoding)
    key = parse_public_key(spki)
    assert isinstance(key, EcKey)
    for sigencode in (sigencode_der, sigencode_string):
        signature = private.sign(
            MESSAGE, hashfunc=hashlib.sha256, sigencode=sigencode, allow_truncate=True
        )
        verify_ecdsa(key, "sha256", signature, MESSAGE)
        with pytest.raises(InvalidSignature):
            verify_ecdsa(key, "sha256", signature, MESSAGE + b"!")
        with pytest.raises(InvalidSignature):
            verify_ecdsa(key, "sha1", signature, MESSAGE)
    for forged in (b"", bytes(2 * key.curve.field_bytes), b"\x30\x06\x02\x01\x00\x02\x01\x00"):
        with pytest.raises(InvalidSignature):
            verify_ecdsa(key, "sha256", forged, MESSAGE)


def test_explicit_parameters_of_a_forger_are_refused() -> None:
    private = SigningKey.generate(BRAINPOOLP256r1)
    info = keys.PublicKeyInfo.load(
        private.verifying_key.to_der(curve_parameters_encoding="explicit")
    )
    point = bytes(info["public_key"])
    # CVE-2020-0601: the signer's own public key as base point.
    info["algorithm"]["parameters"].chosen["base"] = point
    forged = info.dump(force=True)
    with pytest.raises(KeyUnsupportedError):
        parse_public_key(forged)


def test_a_point_off_the_curve_is_no_key() -> None:
    spki = bytearray(SigningKey.generate(NIST256p).verifying_key.to_der())
    spki[-1] ^= 1
    with pytest.raises(KeyUnsupportedError):
        parse_public_key(bytes(spki))


def test_ecdsa_integers_with_surplus_zeros() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    spki = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    key = parse_public_key(spki)
    assert isinstance(key, EcKey)
    r, s = decode_dss_signature(private.sign(MESSAGE, ec.ECDSA(hashes.SHA256())))
    integers = b"".join(b"\x02\x22" + n.to_bytes(34, "big") for n in (r, s))
    verify_ecdsa(key, "sha256", b"\x30" + bytes([len(integers)]) + integers, MESSAGE)


@pytest.mark.parametrize("name", ["sha1", "sha224", "sha256", "sha384", "sha512"])
def test_rsa_pkcs1(rsa_key: rsa.RSAPrivateKey, name: str) -> None:
    public = _rsa_public(rsa_key)
    signature = rsa_key.sign(MESSAGE, padding.PKCS1v15(), getattr(hashes, name.upper())())
    for algorithm, digest in ((f"{name}_rsa", None), ("rsassa_pkcs1v15", name)):
        identifier = _algorithm({"algorithm": algorithm})
        verify_signature(public, identifier, digest, signature, MESSAGE)
        with pytest.raises(InvalidSignature):
            verify_signature(public, identifier, digest, signature, MESSAGE + b"!")


@pytest.mark.parametrize(
    ("name", "mask", "salt"), [("sha256", "sha256", 32), ("sha512", "sha1", 8)]
)
def test_rsa_pss(rsa_key: rsa.RSAPrivateKey, name: str, mask: str, salt: int) -> None:
    scheme = padding.PSS(padding.MGF1(getattr(hashes, mask.upper())()), salt)
    signature = rsa_key.sign(MESSAGE, scheme, getattr(hashes, name.upper())())

    def identifier(salt_length: int) -> SignatureAlgorithm:
        parameters = {
            "hash_algorithm": {"algorithm": name},
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": mask}},
            "salt_length": salt_length,
        }
        return _algorithm({"algorithm": "rsassa_pss", "parameters": parameters})

    public = _rsa_public(rsa_key)
    verify_signature(public, identifier(salt), None, signature, MESSAGE)
    with pytest.raises(InvalidSignature):
        verify_signature(public, identifier(salt + 1), None, signature, MESSAGE)


@pytest.mark.parametrize("algorithm", ["md5_rsa", "sha256_dsa"])
def test_algorithms_that_no_chip_may_use(algorithm: str) -> None:
    with pytest.raises(KeyUnsupportedError):
        _algorithm({"algorithm": algorithm})


def _iso9796(key: rsa.RSAPrivateKey, name: str, trailer: bytes, *, smaller: bool = False) -> bytes:
    """Sign as a chip does: 6A || M1 || H(M1 || challenge) || trailer, as large as the modulus."""
    size = key.key_size // 8
    digest_bytes = hashlib.new(name).digest_size
    m1 = bytes(range(size - digest_bytes - len(trailer) - 1))
    block = b"\x6a" + m1 + hashlib.new(name, m1 + CHALLENGE).digest() + trailer
    numbers = key.private_numbers()
    value = pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n)
    if smaller:
        value = min(value, numbers.public_numbers.n - value)
    return value.to_bytes(size, "big")


@pytest.mark.parametrize(
    ("name", "trailer"),
    [
        ("sha1", "BC"),
        ("sha1", "33CC"),
        ("sha224", "38CC"),
        ("sha256", "34CC"),
        ("sha384", "36CC"),
        ("sha512", "35CC"),
    ],
)
@pytest.mark.parametrize("smaller", [False, True])
def test_active_authentication_with_rsa(
    rsa_key: rsa.RSAPrivateKey, name: str, trailer: str, smaller: bool
) -> None:
    public = _rsa_public(rsa_key)
    signature = _iso9796(rsa_key, name, bytes.fromhex(trailer), smaller=smaller)
    verify_active_authentication(public, CHALLENGE, signature, None)
    with pytest.raises(AuthenticationRefusedError):
        verify_active_authentication(public, bytes(8), signature, None)


@pytest.mark.parametrize(
    ("name", "trailer"), [("sha256", "33CC"), ("sha1", "34CC"), ("sha1", "CC")]
)
def test_a_trailer_that_lies(rsa_key: rsa.RSAPrivateKey, name: str, trailer: str) -> None:
    signature = _iso9796(rsa_key, name, bytes.fromhex(trailer))
    with pytest.raises(AuthenticationRefusedError):
        verify_active_authentication(_rsa_public(rsa_key), CHALLENGE, signature, None)


def test_padded_message_and_leading_zeros(rsa_key: rsa.RSAPrivateKey) -> None:
    public, numbers = _rsa_public(rsa_key), rsa_key.private_numbers()
    m1 = bytes(16)
    tail = m1 + hashlib.sha256(m1 + CHALLENGE).digest() + b"\x34\xcc"
    block = b"\x6b" + b"\xbb" * (public.size_bytes - len(tail) - 2) + b"\xba" + tail
    value = pow(int.from_bytes(block, "big"), numbers.d, public.modulus)
    signature = value.to_bytes(public.size_bytes, "big")
    verify_active_authentication(public, CHALLENGE, signature, None)


def test_signature_without_its_leading_zero_bytes(rsa_key: rsa.RSAPrivateKey) -> None:
    public, numbers = _rsa_public(rsa_key), rsa_key.private_numbers()
    for counter in range(4096):
        m1 = counter.to_bytes(public.size_bytes - 35, "big")
        block = b"\x6a" + m1 + hashlib.sha256(m1 + CHALLENGE).digest() + b"\x34\xcc"
        signature = pow(int.from_bytes(block, "big"), numbers.d, public.modulus)
        if signature.bit_length() <= 8 * (public.size_bytes - 1):
            break
    short = signature.to_bytes(public.size_bytes - 1, "big")
    verify_active_authentication(public, CHALLENGE, short, None)
    verify_active_authentication(public, CHALLENGE, b"\x00" + short, None)
    for wrong in (b"\x00\x00" + short, short[:-1], short + b"\x00", b""):
        with pytest.raises(AuthenticationRefusedError):
            verify_active_authentication(public, CHALLENGE, wrong, None)


def test_ecdsa_algorithm_of_dg14_binds() -> None:
    private = SigningKey.generate(BRAINPOOLP256r1)
    key = parse_public_key(private.verifying_key.to_der())
    signature = private.sign(CHALLENGE, hashfunc=hashlib.sha256)
    plain = "0.4.0.127.0.7.1.1.4.1."
    verify_active_authentication(key, CHALLENGE, signature, f"{plain}3")
    verify_active_authentication(key, CHALLENGE, signature, None)
    # Some issuers name the algorithm as certificates do, and some chips sign in DER.
    verify_active_authentication(key, CHALLENGE, signature, "1.2.840.10045.4.3.2")
    der = private.sign(CHALLENGE, hashfunc=hashlib.sha256, sigencode=sigencode_der)
    verify_active_authentication(key, CHALLENGE, der, f"{plain}3")
    for oid, reason in (
        ("1.2.840.10045.4.3.3", "aa-signature-invalid"),
        ("3", "aa-algorithm-unsupported"),
        (f"{plain}4", "aa-signature-invalid"),
        ("1.2.3", "aa-algorithm-unsupported"),
    ):
        with pytest.raises(AuthenticationRefusedError) as refusal:
            verify_active_authentication(key, CHALLENGE, signature, oid)
        assert refusal.value.reason == reason
