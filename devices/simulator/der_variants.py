"""Encodings that DER does not allow and real cards have nevertheless."""

from asn1crypto import core, keys

from devices.simulator import tlv

_INTEGER, _SEQUENCE = 0x02, 0x30


def with_extra_zeros(signature: bytes) -> bytes:
    """Return an ECDSA-Sig-Value whose integers begin with a surplus 00.

    X.690 §8.3.2 forbids it.
    """
    ((_, value),) = tlv.parse(signature)
    integers = (tlv.encode(_INTEGER, b"\x00", number) for _, number in tlv.parse(value))
    return tlv.encode(_SEQUENCE, *integers)


def with_negative_modulus(public_key_info: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of an RSA key whose modulus lacks its leading 00.

    Its first bit is 1, so read strictly (X.690 §8.3.3) it is a negative number.
    """
    info = keys.PublicKeyInfo.load(public_key_info)
    if info.algorithm != "rsa":
        return public_key_info
    public_key = info["public_key"].parsed
    modulus = public_key["modulus"].contents.lstrip(b"\x00")
    exponent = bytes(core.Integer(public_key["public_exponent"].native).dump())
    key = tlv.encode(_SEQUENCE, tlv.encode(_INTEGER, modulus), exponent)
    return tlv.encode(_SEQUENCE, info["algorithm"].dump(), tlv.encode(0x03, b"\x00", key))
