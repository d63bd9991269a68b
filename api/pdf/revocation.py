"""Revocation lists of the certificates that sign, fetched while the authorities still publish them.

A signature that is to hold for years carries the lists that held when it was made (PAdES B-LT).
"""

from collections.abc import Iterable, Iterator

import httpx
from asn1crypto import x509
from cryptography.hazmat.primitives.serialization import Encoding

from api.assertions.crl_check import MAX_CRL_BYTES, CrlUnusableError, load_crls
from api.pdf.downloads import AnswerTooLargeError, read_body
from api.pdf.errors import RevocationListUnavailableError

TIMEOUT_S = 30.0


def fetch_revocation_lists(certificates: Iterable[x509.Certificate]) -> tuple[bytes, ...]:
    """Fetch the list that each certificate names, once each.

    Returns:
        Lists in DER. A certificate that names none adds none.

    Raises:
        RevocationListUnavailableError: one cannot be had, is too large, or is none.
    """
    urls = dict.fromkeys(url for certificate in certificates for url in _addresses(certificate))
    return tuple(data for url in urls for data in _fetch(url))


def _addresses(certificate: x509.Certificate) -> Iterator[str]:
    for point in certificate.crl_distribution_points:
        url = point.url
        if url is not None and url.startswith(("http://", "https://")):
            yield url


def _fetch(url: str) -> list[bytes]:
    try:
        with httpx.stream("GET", url, timeout=TIMEOUT_S, follow_redirects=True) as reply:
            reply.raise_for_status()
            body = read_body(reply, limit=MAX_CRL_BYTES, timeout_s=TIMEOUT_S)
        lists = load_crls(body)
    except AnswerTooLargeError:
        raise RevocationListUnavailableError(f"the revocation list {url} is too large") from None
    except httpx.TimeoutException:
        raise RevocationListUnavailableError(
            f"the revocation list {url} did not come in time"
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise RevocationListUnavailableError(f"the revocation list {url} cannot be had") from None
    except CrlUnusableError:
        raise RevocationListUnavailableError(f"{url} is not a revocation list") from None
    return [one.public_bytes(Encoding.DER) for one in lists]
