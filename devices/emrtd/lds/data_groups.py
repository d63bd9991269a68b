"""Data groups whose content has a module of its own: DG1, DG14 and DG15; DG3 and DG4 are refused.

Source: ICAO Doc 9303-10, 4.7.1, 4.7.3, 4.7.4, 4.7.14 and 4.7.15.
"""

from typing import NoReturn

from devices.emrtd.crypto.public_keys import PublicKey, parse_public_key
from devices.emrtd.errors import FileMalformedError, TerminalAuthenticationRequiredError
from devices.emrtd.files import DATA_GROUPS
from devices.emrtd.lds.mrz import Mrz, parse_mrz
from devices.emrtd.lds.security_infos import SecurityInfo, parse_security_infos
from devices.tlv import find_span, parse_span, parse_spans, parse_tlv

_MRZ_DATA = 0x5F1F


def parse_dg1(data: bytes) -> Mrz:
    """Return the MRZ of DG1.

    Raises:
        TlvMalformedError, FileMalformedError, MrzMalformedError: the file is malformed.
    """
    _, start, end = parse_span(data, DATA_GROUPS[1].tag)
    _, start, end = find_span(parse_spans(data, start, end), _MRZ_DATA)
    try:
        return parse_mrz(data[start:end].decode("ascii"))
    except UnicodeDecodeError:
        raise FileMalformedError("the MRZ in DG1 is not ASCII") from None


def parse_dg3(data: bytes) -> NoReturn:
    """Refuse the fingerprints.

    Raises:
        TerminalAuthenticationRequiredError: always.
    """
    raise TerminalAuthenticationRequiredError(
        "DG3 (fingerprints) is behind Terminal Authentication, which this software does not hold "
        "keys for; it is neither read nor parsed"
    )


def parse_dg4(data: bytes) -> NoReturn:
    """Refuse the iris images.

    Raises:
        TerminalAuthenticationRequiredError: always.
    """
    raise TerminalAuthenticationRequiredError(
        "DG4 (irises) is behind Terminal Authentication, which this software does not hold keys "
        "for; it is neither read nor parsed"
    )


def parse_dg14(data: bytes) -> tuple[SecurityInfo, ...]:
    """Return the security infos of DG14.

    Raises:
        TlvMalformedError, FileMalformedError: the file is malformed.
    """
    return parse_security_infos(parse_tlv(data, DATA_GROUPS[14].tag).value)


def parse_dg15(data: bytes) -> PublicKey:
    """Return the public key of Active Authentication.

    Raises:
        TlvMalformedError, KeyUnsupportedError: the file or the key is malformed or not supported.
    """
    return parse_public_key(parse_tlv(data, DATA_GROUPS[15].tag).value)
