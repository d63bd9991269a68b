"""EF.SOD: the document security object.

Source: ICAO Doc 9303-10 §4.6.2 (SignedData profile and LDSSecurityObject).
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from asn1crypto import algos, cms, core, x509

from devices.simulator import tlv
from devices.simulator.object_identifiers import LDS_SECURITY_OBJECT
from devices.simulator.pki import TestPki


class _DataGroupHash(core.Sequence):  # type: ignore[misc]
    _fields = [("number", core.Integer), ("value", core.OctetString)]  # noqa: RUF012


class _DataGroupHashes(core.SequenceOf):  # type: ignore[misc]
    _child_spec = _DataGroupHash


class _LdsSecurityObject(core.Sequence):  # type: ignore[misc]
    _fields = [  # noqa: RUF012
        ("version", core.Integer),
        ("hash_algorithm", algos.DigestAlgorithm),
        ("data_group_hashes", _DataGroupHashes),
    ]


_SHA256 = algos.DigestAlgorithm({"algorithm": "sha256"})


def build_sod(data_groups: Mapping[int, bytes], pki: TestPki, signed_at: datetime) -> bytes:
    """Return EF.SOD over the data groups, signed by the document signer.

    Args:
        data_groups: contents by number.
        pki: whose document signer signs.
        signed_at: signing time attribute; moved into the certificate's validity.
    """
    security_object = _LdsSecurityObject(
        {
            "version": 0,
            "hash_algorithm": _SHA256,
            "data_group_hashes": [
                {"number": number, "value": hashlib.sha256(content).digest()}
                for number, content in sorted(data_groups.items())
            ],
        }
    ).dump()
    certificate = x509.Certificate.load(pki.dsc)
    signing_time = min(max(signed_at, certificate.not_valid_before), certificate.not_valid_after)
    # RFC 5652 §11: content type, message digest, signing time.
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": [LDS_SECURITY_OBJECT]},
            {"type": "message_digest", "values": [hashlib.sha256(security_object).digest()]},
            {"type": "signing_time", "values": [cms.Time({"utc_time": signing_time})]},
        ]
    )
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": {
                "issuer_and_serial_number": {
                    "issuer": certificate.issuer,
                    "serial_number": certificate.serial_number,
                }
            },
            "digest_algorithm": _SHA256,
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": pki.dsc_key.signature_algorithm},
            # RFC 5652 §5.4: the signature covers the attributes as an explicit SET OF.
            "signature": pki.dsc_key.sign(attributes.dump()),
        }
    )
    signed_data = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [_SHA256],
            "encap_content_info": {
                "content_type": LDS_SECURITY_OBJECT,
                "content": core.ParsableOctetString(security_object),
            },
            "certificates": [certificate],
            "signer_infos": [signer],
        }
    )
    content = cms.ContentInfo({"content_type": "signed_data", "content": signed_data})
    return tlv.encode(0x77, content.dump())
