"""SOD and certificates, verified by libraries that did not make them."""

import hashlib
from datetime import UTC, datetime

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from devices.simulator import tlv
from devices.simulator.personalise import personalise
from devices.simulator.pki import TestPki
from devices.simulator.profile import parse_profile


def verify(public_key, signature, message):
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        public_key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    else:
        public_key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())


def signed_data(sod):
    ((tag, content),) = tlv.parse(sod)
    assert tag == 0x77
    return cms.ContentInfo.load(content, strict=True)["content"]


def verify_sod(image):
    """Check chain, signature and message digest; return the security object."""
    data = signed_data(image.files["EF.SOD"])
    dsc = x509.load_der_x509_certificate(data["certificates"][0].chosen.dump())
    csca = x509.load_der_x509_certificate(image.csca)
    dsc.verify_directly_issued_by(csca)
    csca.verify_directly_issued_by(csca)
    (signer,) = data["signer_infos"]
    attributes = {item["type"].native: item["values"] for item in signer["signed_attrs"]}
    raw = bytes([0x31]) + signer["signed_attrs"].dump()[1:]
    verify(dsc.public_key(), signer["signature"].native, raw)
    content = data["encap_content_info"]["content"].contents
    assert attributes["message_digest"][0].native == hashlib.sha256(content).digest()
    assert attributes["content_type"][0].dotted == "2.23.136.1.1.1"
    assert attributes["signing_time"][0].native.date().isoformat() == "2024-07-15"
    return data["encap_content_info"]["content"].parsed


@pytest.mark.parametrize("csca", ["ecdsa-brainpoolP256r1", "rsa-2048"])
@pytest.mark.parametrize("dsc", ["ecdsa-brainpoolP256r1", "rsa-2048"])
def test_the_sod_verifies_up_to_the_csca(table, csca, dsc):
    table["signers"] = {"csca": csca, "dsc": dsc}
    table["chip"]["active_authentication"] = "none"
    verify_sod(personalise(parse_profile(table)))


def test_the_sod_holds_the_hash_of_every_data_group(image):
    hashes_listed = verify_sod(image)[2]
    entries = [hashes_listed[index] for index in range(len(hashes_listed))]
    listed = {entry[0].native: entry[1].native for entry in entries}
    groups = {
        int(name.removeprefix("EF.DG")): hashlib.sha256(content).digest()
        for name, content in image.files.items()
        if name.startswith("EF.DG")
    }
    assert listed == groups


def test_the_csca_has_its_profile(pki):
    certificate = x509.load_der_x509_certificate(pki.csca)
    extensions = certificate.extensions
    basic = extensions.get_extension_for_class(x509.BasicConstraints)
    assert basic.critical
    assert (basic.value.ca, basic.value.path_length) == (True, 0)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert usage.value.crl_sign
    assert not usage.value.digital_signature


def test_the_dsc_has_its_profile(pki):
    csca, dsc = (x509.load_der_x509_certificate(der) for der in (pki.csca, pki.dsc))
    extensions = dsc.extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    with pytest.raises(x509.ExtensionNotFound):
        extensions.get_extension_for_class(x509.BasicConstraints)
    issuer_key = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    subject_key = csca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert issuer_key.key_identifier == subject_key.digest
    types = extensions.get_extension_for_oid(x509.ObjectIdentifier("2.23.136.1.1.6.2"))
    assert types.value.value == bytes.fromhex("3009020100310413024944")
    for certificate in (csca, dsc):
        (country,) = certificate.subject.get_attributes_for_oid(x509.NameOID.COUNTRY_NAME)
        assert country.value == "VN"


def test_cards_can_share_a_csca(table, pki):
    first, second = (personalise(parse_profile(table), pki=pki) for _ in range(2))
    assert first.csca == second.csca
    assert first.aa_key != second.aa_key


def test_validity_can_be_chosen():
    start, end = datetime(2022, 1, 1, tzinfo=UTC), datetime(2023, 1, 1, tzinfo=UTC)
    dsc = x509.load_der_x509_certificate(TestPki.create(dsc_validity=(start, end)).dsc)
    assert (dsc.not_valid_before_utc, dsc.not_valid_after_utc) == (start, end)
