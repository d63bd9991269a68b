"""EF.SOD: the document security object.

Source: ICAO Doc 9303-10 §4.6.2 (LDSSecurityObject).
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from asn1crypto import algos, core

from devices.simulator import tlv
from devices.simulator.object_identifiers import LDS_SECURITY_OBJECT
from devices.simulator.pki import TestPki
from devices.simulator.signed_data import sign_data


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


def build_sod(
    data_groups: Mapping[int, bytes],
    pki: TestPki,
    signed_at: datetime,
    *,
    filler_bytes: int | None = None,
    extra_zeros: bool = False,
) -> bytes:
    """Return EF.SOD over the data groups, signed by the document signer.

    Args:
        data_groups: contents by number.
        pki: whose document signer signs; its digest hashes the data groups as well.
        signed_at: signing time attribute; moved into the certificate's validity.
        filler_bytes: see `sign_data`.
        extra_zeros: see `sign_data`.
    """
    security_object = _LdsSecurityObject(
        {
            "version": 0,
            "hash_algorithm": algos.DigestAlgorithm({"algorithm": pki.digest}),
            "data_group_hashes": [
                {"number": number, "value": hashlib.new(pki.digest, content).digest()}
                for number, content in sorted(data_groups.items())
            ],
        }
    ).dump()
    signed = sign_data(
        LDS_SECURITY_OBJECT,
        security_object,
        pki,
        signed_at,
        filler_bytes=filler_bytes,
        extra_zeros=extra_zeros,
    )
    return tlv.encode(0x77, signed)
