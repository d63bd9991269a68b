"""EF.CardSecurity: the SecurityInfos of the master file, signed.

Source: ICAO Doc 9303-11 §9.2.11; Doc 9303-10 §3.11.4.
"""

from datetime import datetime

from devices.simulator.object_identifiers import SECURITY_OBJECT
from devices.simulator.pki import TestPki
from devices.simulator.signed_data import sign_data


def build_card_security(security_infos: bytes, pki: TestPki, signed_at: datetime) -> bytes:
    """Return EF.CardSecurity.

    Args:
        security_infos: SET OF SecurityInfo, DER.
        pki: whose document signer signs.
        signed_at: signing time attribute; moved into the certificate's validity.
    """
    return sign_data(SECURITY_OBJECT, security_infos, pki, signed_at)
