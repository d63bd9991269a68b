"""Asking an authority over HTTP about a document whose chip has passed.

The protocol of Viet Nam's authority (C06, through RAR) is not public, so this one is ours, and a
gateway beside the authority's system has to speak it: `POST` of `{"lds_sha256": …, "nonce": …}` as
JSON, answered with status 200 and the compact JWS that `verify_signed_verdict` describes. Another
protocol is another `OnlineVerdictClient`.

Nothing personal is sent: the digest of the LDS security object names the document to who issued
it, and to nobody else. Neither question nor answer is logged.
"""

import asyncio
import logging
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from api.settings import OnlineAuthoritySettings, SettingsInvalidError
from devices.emrtd.errors import OnlineAuthorityUnavailableError
from devices.emrtd.verification.online_verdict import (
    MAX_ANSWER_BYTES,
    AuthorityKey,
    OnlineVerdictClient,
    VerdictRequest,
)

MIN_RSA_BITS = 2048
MAX_QUESTIONS = 32
"""Asked at the same time; others wait, and their time runs."""
_CURVES = ("secp256r1", "secp384r1", "secp521r1")

log = logging.getLogger("chinhchu.api")


@dataclass(frozen=True)
class OnlineAuthority:
    """Whom to ask, and the key that makes an answer count."""

    client: OnlineVerdictClient
    key: AuthorityKey


class HttpAuthority:
    """An authority behind a URL."""

    def __init__(self, url: str, timeout_s: float, tls_ca: Path | None = None) -> None:
        """Take where questions go; `tls_ca` holds the only certificates that it may lead to.

        Raises:
            httpx.InvalidURL: it is no URL.
            OSError, ValueError: `tls_ca` cannot be read or holds no certificate.
        """
        self._url = httpx.URL(url)
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(MAX_QUESTIONS, "online-authority")
        self._tls = ssl.create_default_context(cafile=tls_ca)
        if tls_ca is not None:
            # A server's own certificate may be pinned in place of its authority's.
            self._tls.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN

    def ask(self, request: VerdictRequest) -> bytes:
        """Return the authority's answer as it came.

        Raises:
            OnlineAuthorityUnavailableError: no answer came within the time, or one with another
                status than 200 or longer than an answer may be.
        """
        # Looking up a name cannot be interrupted, so nobody waits for the thread that does it.
        asking = self._threads.submit(lambda: asyncio.run(self._post(request)))
        try:
            return asking.result(self._timeout_s)
        except OnlineAuthorityUnavailableError as error:
            log.warning("online authority: %s", error)
            raise
        except (httpx.HTTPError, OSError) as error:
            log.warning("online authority: %s", type(error).__name__)
            raise OnlineAuthorityUnavailableError("the authority cannot be reached") from None
        finally:
            asking.cancel()

    async def _post(self, request: VerdictRequest) -> bytes:
        # The library's time limit starts anew with each byte that comes; this one does not.
        async with (
            asyncio.timeout(self._timeout_s),
            httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=self._timeout_s) as client,
            client.stream(
                "POST",
                self._url,
                json={"lds_sha256": request.lds_sha256, "nonce": request.nonce},
                headers={"Accept-Encoding": "identity"},
            ) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise OnlineAuthorityUnavailableError(f"status {response.status_code}")
            answer = bytearray()
            async for chunk in response.aiter_raw():
                answer += chunk
                if len(answer) > MAX_ANSWER_BYTES:
                    raise OnlineAuthorityUnavailableError("the answer is too long")
            return bytes(answer)


def load_online_authority(settings: OnlineAuthoritySettings | None) -> OnlineAuthority | None:
    """Return the authority of the settings, None where there is none.

    Raises:
        SettingsInvalidError: a file that they name cannot be used.
    """
    if settings is None:
        return None
    try:
        key = _parse_key(settings.key.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm, JoseError):
        raise SettingsInvalidError(
            f"{settings.key} must be the PEM of a public key or certificate: EC on P-256, P-384 or "
            "P-521, Ed25519, or RSA of 2048 bits and more"
        ) from None
    try:
        client = HttpAuthority(settings.url, settings.timeout_s, settings.tls_ca)
    except httpx.InvalidURL:
        raise SettingsInvalidError("the url of the online authority is none") from None
    except (OSError, ValueError):
        raise SettingsInvalidError(f"{settings.tls_ca} must be PEM certificates") from None
    return OnlineAuthority(client, key)


def _parse_key(pem: bytes) -> AuthorityKey:
    is_certificate = b"-----BEGIN CERTIFICATE-----" in pem
    key = (
        x509.load_pem_x509_certificate(pem).public_key()
        if is_certificate
        else load_pem_public_key(pem)
    )
    public = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return ECKey.import_key(public)
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
        return RSAKey.import_key(public)
    if isinstance(key, ed25519.Ed25519PublicKey):
        return OKPKey.import_key(public)
    raise ValueError("a key that may not sign answers")
