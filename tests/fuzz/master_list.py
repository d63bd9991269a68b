"""A small master list under a root whose key is the same in every process.

The fuzzer makes its seeds in one process and checks inputs in another.
"""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from devices.tlv import encode_tlv
from tests.fixtures import trust_pki as pki

AT = pki.AT
_ROOT_KEY, _SIGNER_KEY = (ec.derive_private_key(n, ec.SECP256R1()) for n in (9303, 9304))
ROOT = pki.issue(pki.name("root of a list"), _ROOT_KEY, is_ca=True, serial=1)


def entries() -> bytes:
    """Return a CscaMasterList with two authorities and an entry that is no certificate."""
    listed = [pki.authority(n, f"CSCA {n}", kind="secp256r1").certificate.der for n in (1, 2)]
    certificates = encode_tlv(0x31, b"".join((*listed, b"\x30\x00")))
    return encode_tlv(0x30, b"\x02\x01\x00" + certificates)


def master_list() -> bytes:
    """Return the list signed under `ROOT`, as CMS signed data."""
    purpose = x509.ExtendedKeyUsage([pki.MASTER_LIST_SIGNER])
    signer = pki.issue(pki.name("signer"), _SIGNER_KEY, ROOT, extensions=[(purpose, True)])
    return pki.signed_data(entries(), signer, content_type="2.23.136.1.1.2")
