"""CMS signed data, as EF.SOD and EF.CardSecurity carry it.

Source: ICAO Doc 9303-10 §4.6.2.2 (SignedData profile); RFC 5652 §5.
"""

import hashlib
from datetime import datetime

from asn1crypto import algos, cms, core, x509

from devices.simulator.der_variants import with_extra_zeros
from devices.simulator.object_identifiers import FILLER_ATTRIBUTE
from devices.simulator.pki import TestPki


def sign_data(
    content_type: str,
    content: bytes,
    pki: TestPki,
    signed_at: datetime,
    *,
    filler_bytes: int | None = None,
    extra_zeros: bool = False,
) -> bytes:
    """Return ContentInfo with the content, signed by the document signer.

    Args:
        content_type: object identifier of the content, dotted.
        content: DER.
        pki: whose document signer signs.
        signed_at: signing time attribute; moved into the certificate's validity.
        filler_bytes: length of an octet string in an unsigned attribute, which makes the file
            longer; None for no such attribute.
        extra_zeros: write the integers of an ECDSA signature with a surplus 00.
    """
    digest_algorithm = algos.DigestAlgorithm({"algorithm": pki.digest})
    certificate = x509.Certificate.load(pki.dsc)
    signing_time = min(max(signed_at, certificate.not_valid_before), certificate.not_valid_after)
    # RFC 5652 §11: content type, message digest, signing time.
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": [content_type]},
            {"type": "message_digest", "values": [hashlib.new(pki.digest, content).digest()]},
            {"type": "signing_time", "values": [cms.Time({"utc_time": signing_time})]},
        ]
    )
    # RFC 5652 §5.4: the signature covers the attributes as an explicit SET OF.
    signature = pki.dsc_key.sign(attributes.dump(), pki.digest, pki.rsa_padding)
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": {
                "issuer_and_serial_number": {
                    "issuer": certificate.issuer,
                    "serial_number": certificate.serial_number,
                }
            },
            "digest_algorithm": digest_algorithm,
            "signed_attrs": attributes,
            "signature_algorithm": pki.dsc_key.signature_algorithm(pki.digest, pki.rsa_padding),
            "signature": with_extra_zeros(signature) if extra_zeros else signature,
        }
    )
    if filler_bytes is not None:
        filler = core.Any(core.OctetString(bytes(filler_bytes)))
        signer["unsigned_attrs"] = [{"type": FILLER_ATTRIBUTE, "values": [filler]}]
    signed_data = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [digest_algorithm],
            "encap_content_info": {
                "content_type": content_type,
                "content": core.ParsableOctetString(content),
            },
            "certificates": [certificate],
            "signer_infos": [signer],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": signed_data}).dump())
