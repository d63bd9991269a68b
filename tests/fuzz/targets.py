"""Everything that takes bytes from a chip, a camera or a file, as one callable each.

Each ends in a value, or in a `DeviceError` or `BiometricsError`; the fuzzer holds it to that.
"""

import contextlib
import zlib
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature

from biometrics.image import decode_image
from devices.apdu import OK, ResponseApdu
from devices.emrtd.crypto.kdf import SessionCipher
from devices.emrtd.crypto.public_keys import parse_public_key
from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.lds import (
    parse_com,
    parse_dg1,
    parse_dg2,
    parse_dg5,
    parse_dg7,
    parse_dg11,
    parse_dg12,
    parse_dg14,
    parse_dg15,
    parse_dg16,
)
from devices.emrtd.lds.atr_info import parse_atr_info, parse_historical_bytes
from devices.emrtd.lds.card_security import parse_card_security, verify_card_security
from devices.emrtd.lds.dg13 import parse_dg13
from devices.emrtd.lds.dir import parse_dir
from devices.emrtd.lds.mrz import parse_mrz
from devices.emrtd.lds.security_infos import parse_security_infos
from devices.emrtd.lds.sod import parse_sod, verify_sod
from devices.emrtd.terminal.secure_messaging import SecureMessaging
from devices.emrtd.trust.certificates import parse_certificate
from devices.emrtd.trust.certification_path import verify_chain
from devices.emrtd.trust.crl import parse_crl
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.trust.master_list import parse_entries, verify_master_list
from devices.qr import parse_qr
from devices.tlv import parse_header, parse_tlv, parse_tlvs
from tests.fuzz.master_list import AT, ROOT


def _tlv(data: bytes) -> None:
    parse_header(data)
    for element in parse_tlvs(data):
        element.children()


def _sod(data: bytes) -> None:
    verify_sod(parse_sod(data))


def _card_security(data: bytes) -> None:
    verify_card_security(parse_card_security(data))


def _certificate(data: bytes) -> None:
    certificate = parse_certificate(data)
    with contextlib.suppress(InvalidSignature):
        certificate.verify_issued_by(certificate)


def _trust_anchor(data: bytes) -> None:
    anchor = parse_certificate(data)
    day = anchor.not_before
    verify_chain(anchor, TrustAnchors((anchor,)), at=day, signing_time=day)


def _protected_response(data: bytes) -> None:
    session = SecureMessaging(SessionCipher.AES_128, bytes(16), bytes(16), bytes(16))
    session.unwrap(ResponseApdu(data, OK))


def _picture(data: bytes) -> None:
    # Few pixels, so that memory beyond the fuzzer's limit is the structure's doing.
    decode_image(data, max_pixels=500_000)


def _png(data: bytes) -> None:
    """Mend every chunk's check sum first: the fuzzer does not hit them by chance."""
    mended, position = bytearray(data), 8
    while position + 12 <= len(data):
        end = position + 8 + int.from_bytes(data[position : position + 4], "big")
        mended[end : end + 4] = zlib.crc32(data[position + 4 : end]).to_bytes(4, "big")
        position = end + 4
    _picture(bytes(mended[: len(data)]))


TARGETS: dict[str, Callable[[bytes], Any]] = {
    "tlv": _tlv,
    "one-tlv": parse_tlv,
    "apdu-response": ResponseApdu.parse,
    "protected-response": _protected_response,
    "mrz": lambda data: parse_mrz(data.decode("latin-1")),
    "card-access": parse_security_infos,
    "card-security": _card_security,
    "atr-info": parse_atr_info,
    "historical-bytes": parse_historical_bytes,
    "dir": parse_dir,
    "com": parse_com,
    "sod": _sod,
    "dg1": parse_dg1,
    "dg2": parse_dg2,
    "dg5": parse_dg5,
    "dg7": parse_dg7,
    "dg11": parse_dg11,
    "dg12": parse_dg12,
    "dg13": parse_dg13,
    "dg14": parse_dg14,
    "dg15": parse_dg15,
    "dg16": parse_dg16,
    "public-key": parse_public_key,
    "certificate": _certificate,
    "trust-anchor": _trust_anchor,
    "crl": parse_crl,
    "master-list": lambda data: verify_master_list(data, ROOT.certificate, at=AT),
    "master-list-entries": parse_entries,
    "evidence": ChipEvidence.from_bytes,
    "qr": parse_qr,
    "picture-jpeg": _picture,
    "picture-png": _png,
    "picture-webp": _picture,
    "picture-jpeg2000": _picture,
}
"""Name to callable; what it returns is of no interest here."""
