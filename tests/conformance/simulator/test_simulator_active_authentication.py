"""ICAO Doc 9303-11 §6.1: what the chip signs, recovered without any code of the card or reader."""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from devices.simulator.active_authentication import sign_challenge
from devices.simulator.agreement_keys import AgreementKeyPair
from devices.simulator.keys import RsaKeyPair, generate_key, load_key
from devices.simulator.randomness import SystemRandomness

CHALLENGE = bytes.fromhex("F173589974BF40C6")


@pytest.fixture(scope="module")
def rsa_key():
    key = generate_key("rsa-2048")
    assert isinstance(key, RsaKeyPair)
    return key


def test_rsa_signature_is_iso_9796_2_scheme_1(rsa_key):
    public = load_der_public_key(rsa_key.public_key_info())
    assert isinstance(public, rsa.RSAPublicKey)
    numbers = public.public_numbers()
    assert numbers.n.bit_length() == 2048
    signature = sign_challenge(rsa_key, CHALLENGE, SystemRandomness())
    assert len(signature) == 256
    recovered = pow(int.from_bytes(signature, "big"), numbers.e, numbers.n).to_bytes(256, "big")
    # Header 6A: partial recovery; trailer 34CC: SHA-256.
    assert recovered[0] == 0x6A
    assert recovered[-2:] == b"\x34\xcc"
    m1, digest = recovered[1:-34], recovered[-34:-2]
    assert digest == hashlib.sha256(m1 + CHALLENGE).digest()


TRAILERS = {"sha1": "bc", "sha224": "38cc", "sha256": "34cc", "sha384": "36cc", "sha512": "35cc"}


@pytest.mark.parametrize("bits", [1024, 1536, 2048])
@pytest.mark.parametrize("digest", TRAILERS)
def test_iso_9796_2_with_each_hash(bits, digest):
    key = generate_key(f"rsa-{bits}")
    signature = sign_challenge(key, CHALLENGE, SystemRandomness(), digest)
    check_recovery(key, signature, digest, bytes.fromhex(TRAILERS[digest]))


def test_iso_9796_2_with_sha1_written_out(rsa_key):
    signature = sign_challenge(rsa_key, CHALLENGE, SystemRandomness(), "sha1", explicit_sha1=True)
    check_recovery(rsa_key, signature, "sha1", b"\x33\xcc")


def check_recovery(key, signature, digest, trailer):
    numbers = load_der_public_key(key.public_key_info()).public_numbers()
    size = numbers.n.bit_length() // 8
    assert len(signature) == size
    recovered = pow(int.from_bytes(signature, "big"), numbers.e, numbers.n).to_bytes(size, "big")
    assert (recovered[0], recovered[-len(trailer) :]) == (0x6A, trailer)
    body = recovered[1 : -len(trailer)]
    length = hashlib.new(digest).digest_size
    assert body[-length:] == hashlib.new(digest, body[:-length] + CHALLENGE).digest()


@pytest.mark.parametrize("curve", ["secp256r1", "brainpoolP384r1", "secp521r1", "brainpoolP512r1"])
@pytest.mark.parametrize(
    ("digest", "algorithm"), [("sha1", hashes.SHA1()), ("sha512", hashes.SHA512())]
)
def test_ecdsa_over_each_hash_plain_and_der(curve, digest, algorithm):
    key = generate_key(f"ecdsa-{curve}")
    public = load_der_public_key(key.public_key_info())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    plain = sign_challenge(key, CHALLENGE, SystemRandomness(), digest)
    half = len(plain) // 2
    assert half == (public.key_size + 7) // 8
    r, s = (int.from_bytes(part, "big") for part in (plain[:half], plain[half:]))
    public.verify(encode_dss_signature(r, s), CHALLENGE, ec.ECDSA(algorithm))
    der = sign_challenge(key, CHALLENGE, SystemRandomness(), digest, der=True)
    public.verify(der, CHALLENGE, ec.ECDSA(algorithm))


def test_rsa_signatures_of_one_challenge_differ(rsa_key):
    first, second = (sign_challenge(rsa_key, CHALLENGE, SystemRandomness()) for _ in range(2))
    assert first != second


def test_ecdsa_signature_is_plain():
    key = generate_key("ecdsa-brainpoolP256r1")
    signature = sign_challenge(key, CHALLENGE, SystemRandomness())
    assert len(signature) == 64
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    public = load_der_public_key(key.public_key_info())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(encode_dss_signature(r, s), CHALLENGE, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("key_type", ["rsa-2048", "ecdsa-brainpoolP256r1"])
def test_a_key_survives_storage(key_type):
    key = generate_key(key_type)
    loaded = load_key(key.private_key_info())
    assert type(loaded) is type(key)
    assert loaded.public_key_info() == key.public_key_info()


def test_explicit_parameters_are_the_named_curve_s(transcripts):
    """DG14 of an Austrian card writes brainpoolP256r1 out; the card's form must be the same."""
    key = AgreementKeyPair.generate(13)
    austrian = bytes.fromhex(transcripts["TestChipAuthAT"]["hex_values_in_order"][0][1])
    own = key.public_key_info("explicit")
    assert own[:-64] in austrian
