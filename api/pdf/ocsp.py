"""Whether an OCSP response in a document is its authority's word on a certificate.

pyHanko judges responses where it looks for them. Here is only told whether one is genuine: anybody
may add others, and those must not stand for a list that is missing.

Source: RFC 6960 §3.2 (acceptance), §4.2.2.2 (delegated responders).
"""

from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID


def is_vouched_for(
    certificate: x509.Certificate, issuer: x509.Certificate, responses: Iterable[bytes]
) -> bool:
    """Whether a genuine response, from before a certificate expired, says that it is good."""
    return any(_vouches(data, certificate, issuer) for data in responses)


def _vouches(data: bytes, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        response = ocsp.load_der_ocsp_response(data)
        return (
            response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
            and response.serial_number == certificate.serial_number
            and response.certificate_status is ocsp.OCSPCertStatus.GOOD
            and response.this_update_utc <= certificate.not_valid_after_utc
            and any(_is_signed(response, key) for key in _responders(response, issuer))
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _responders(response: ocsp.OCSPResponse, issuer: x509.Certificate) -> list[x509.Certificate]:
    """Return the issuer, and those in the response to whom it gave the right to answer."""
    return [issuer, *(one for one in response.certificates if _is_delegate(one, issuer))]


def _is_delegate(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (InvalidSignature, x509.ExtensionNotFound, ValueError, TypeError):
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in usage


def _is_signed(response: ocsp.OCSPResponse, by: x509.Certificate) -> bool:
    key, digest = by.public_key(), response.signature_hash_algorithm
    signature, signed = response.signature, response.tbs_response_bytes
    try:
        if digest is None:
            return False
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(digest))
        else:
            return False
    except InvalidSignature:
        return False
    return True
