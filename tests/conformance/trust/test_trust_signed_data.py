"""RFC 5652 signed data in the forms that issuers write."""

from typing import Any

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from devices.emrtd.crypto import der
from devices.emrtd.errors import AuthenticationRefusedError
from devices.emrtd.lds.sod import parse_sod, verify_sod
from devices.tlv import encode_tlv, parse_tlv
from tests.fixtures import trust_pki as pki
from tests.fixtures.trust_pki import authority, document_signer

CSCA = authority()
EC_SIGNER = document_signer(CSCA)
RSA_SIGNER = document_signer(CSCA, kind="rsa-2048")
GROUPS = {1: b"data group 1", 2: b"data group 2"}
HASHES = ["sha224", "sha256", "sha384", "sha512"]


def _verified(sod: bytes) -> None:
    verified = verify_sod(parse_sod(sod))
    assert verified.covers(1, GROUPS[1])
    assert not verified.covers(1, GROUPS[2])
    with pytest.raises(AuthenticationRefusedError) as refusal:
        verify_sod(parse_sod(sod[:-1] + bytes([sod[-1] ^ 1])))
    assert refusal.value.reason == "sod-signature-invalid"


@pytest.mark.parametrize("hash_name", HASHES)
@pytest.mark.parametrize("signer", [EC_SIGNER, RSA_SIGNER], ids=["ecdsa", "rsa"])
def test_each_hash(signer: pki.Issued, hash_name: str) -> None:
    content = pki.security_object(GROUPS, hash_name)
    _verified(pki.sod(GROUPS, signer, content=content, hash_name=hash_name))


@pytest.mark.parametrize("hash_name", HASHES)
def test_rsa_encryption_names_no_hash(hash_name: str) -> None:
    algorithm = {"algorithm": "rsassa_pkcs1v15"}
    _verified(pki.sod(GROUPS, RSA_SIGNER, algorithm=algorithm, hash_name=hash_name))


@pytest.mark.parametrize(
    ("hash_name", "mask", "salt"),
    [
        ("sha256", "sha256", 32),
        ("sha512", "sha256", 0),
        ("sha384", "sha1", 20),
        ("sha256", None, 7),
    ],
)
def test_rsa_pss_with_any_parameters(hash_name: str, mask: str | None, salt: int) -> None:
    parameters: dict[str, Any] = {"hash_algorithm": {"algorithm": hash_name}, "salt_length": salt}
    if mask is not None:
        mask_algorithm = {"algorithm": "mgf1", "parameters": {"algorithm": mask}}
        parameters["mask_gen_algorithm"] = mask_algorithm
    # RFC 4055, 3.1: what is left out is SHA-1.
    mask_hash = getattr(hashes, (mask or "sha1").upper())()
    sod = pki.sod(
        GROUPS,
        RSA_SIGNER,
        hash_name=hash_name,
        algorithm={"algorithm": "rsassa_pss", "parameters": parameters},
        pss=padding.PSS(padding.MGF1(mask_hash), salt),
    )
    _verified(sod)


@pytest.mark.parametrize("oid", ["2.23.136.1.1.1", "1.3.27.1.1.1", "1.2.528.1.1006.1.20.1"])
def test_object_identifiers_of_early_issuers(oid: str) -> None:
    _verified(pki.sod(GROUPS, EC_SIGNER, content_type=oid))


def test_plain_ecdsa_identifier_with_either_form_of_signature() -> None:
    # BSI TR-03111, 5.2.1.1: ecdsa-plain-SHA256.
    sod = pki.sod(GROUPS, EC_SIGNER, algorithm={"algorithm": "0.4.0.127.0.7.1.1.4.1.3"})
    _verified(sod)


def test_no_signed_attributes() -> None:
    content = pki.security_object(GROUPS)
    signed = cms.ContentInfo.load(pki.signed_data(content, EC_SIGNER))
    info = signed["content"]["signer_infos"][0]
    del info["signed_attrs"]
    info["signature"] = pki.sign(EC_SIGNER.private_key, content, "sha256")
    _verified(encode_tlv(0x77, signed.dump(force=True)))


@pytest.mark.parametrize("lie", [None, "digest", "signature"])
def test_protected_algorithms(lie: str | None) -> None:
    """RFC 6211: the algorithms are under the signature too, and must be the ones used."""
    signed = cms.ContentInfo.load(pki.signed_data(pki.security_object(GROUPS), EC_SIGNER))
    info = signed["content"]["signer_infos"][0]
    sha256, sha384 = (bytes.fromhex(f"300b060960864801650304020{n}") for n in (1, 2))
    used = info["signature_algorithm"].contents
    digest = sha384 if lie == "digest" else sha256
    signature = used[:-1] + b"\x04" if lie == "signature" else used
    value = der.encode(der.SEQUENCE, digest + der.encode(der.CONTEXT + 1, signature))
    attribute = cms.CMSAttribute.load(
        der.encode(
            der.SEQUENCE,
            bytes.fromhex("06092a864886f70d010934") + der.encode(der.SET, value),
        )
    )
    attributes = cms.CMSAttributes([*info["signed_attrs"], attribute])
    info["signed_attrs"] = attributes
    info["signature"] = pki.sign(EC_SIGNER.private_key, attributes.dump(), "sha256")
    sod = encode_tlv(0x77, signed.dump(force=True))
    if lie is None:
        _verified(sod)
        return
    with pytest.raises(AuthenticationRefusedError) as refusal:
        verify_sod(parse_sod(sod))
    assert refusal.value.reason == "sod-algorithm-mismatch"


def test_indefinite_lengths() -> None:
    """X.690, 8.1.3.6: BER, as some issuers' software writes the outer layers."""
    sod = pki.sod(GROUPS, EC_SIGNER)
    outer = der.children(content := parse_tlv(sod).value, der.whole(content, der.SEQUENCE))
    kind, holder = (der.encoding(content, element) for element in outer)
    signed = holder[der.read(holder, 0, len(holder))[2] :]
    inner = signed[der.read(signed, 0, len(signed))[2] :]
    end = b"\x00\x00"
    ber = b"\x30\x80" + kind + b"\xa0\x80\x30\x80" + inner + end * 3
    assert verify_sod(parse_sod(encode_tlv(0x77, ber))).covers(1, GROUPS[1])
