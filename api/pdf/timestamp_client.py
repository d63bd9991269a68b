"""The client of a timestamp authority: RFC 3161 over HTTP, bounded in time and size."""

import secrets
from hashlib import sha256

import httpx
from asn1crypto import tsp
from pyhanko.sign.timestamps import TimeStamper

from api.assertions.timestamps import MAX_TOKEN_BYTES
from api.pdf.downloads import AnswerTooLargeError, read_body
from api.pdf.errors import TimestampRefusedError

TIMEOUT_S = 30.0


def request_timestamp(url: str, data: bytes, *, timeout_s: float = TIMEOUT_S) -> bytes:
    """Ask an authority for a timestamp token over the SHA-256 of data.

    What comes back is a token for this request; that it is signed by somebody whom the relying
    party trusts, is for `api.assertions.timestamps.verify_timestamp` to say.

    Args:
        url: the authority's address, http or https.
        data: what is timestamped; only its digest is sent.
        timeout_s: for connecting, and then for the whole answer.

    Returns:
        `TimeStampToken` in DER.

    Raises:
        TimestampRefusedError: unreachable, refused, or something else than an answer to this.
    """
    digest = sha256(data).digest()
    nonce = secrets.randbits(64)
    request = tsp.TimeStampReq(
        {
            "version": "v1",
            "message_imprint": {
                "hash_algorithm": {"algorithm": "sha256"},
                "hashed_message": digest,
            },
            "nonce": nonce,
            "cert_req": True,
        }
    )
    response = post(url, request, timeout_s=timeout_s)
    # RFC 3161 §2.4.2: the answer must be to what was asked.
    try:
        token = response["time_stamp_token"]
        info = token["content"]["encap_content_info"]["content"].parsed
        imprint = info["message_imprint"]["hashed_message"].native
        answered = info["nonce"].native
        encoded = bytes(token.dump())
    except (ValueError, TypeError, KeyError, AttributeError):
        raise TimestampRefusedError("the timestamp authority answered without a token") from None
    if imprint != digest or answered != nonce:
        raise TimestampRefusedError("the timestamp authority answered to something else")
    return encoded


def post(url: str, request: tsp.TimeStampReq, *, timeout_s: float = TIMEOUT_S) -> tsp.TimeStampResp:
    """Send a request and return the response that grants it (raises `TimestampRefusedError`)."""
    headers = {
        "Content-Type": "application/timestamp-query",
        "Accept": "application/timestamp-reply",
    }
    try:
        with httpx.stream(
            "POST", url, content=request.dump(), headers=headers, timeout=timeout_s
        ) as reply:
            if reply.status_code != httpx.codes.OK:
                raise TimestampRefusedError(
                    f"the timestamp authority answered with HTTP status {reply.status_code}"
                )
            body = read_body(reply, limit=MAX_TOKEN_BYTES, timeout_s=timeout_s)
    except AnswerTooLargeError:
        raise TimestampRefusedError("the timestamp authority's answer is too large") from None
    except httpx.TimeoutException:
        raise TimestampRefusedError("the timestamp authority did not answer in time") from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise TimestampRefusedError("the timestamp authority cannot be reached") from None
    try:
        response = tsp.TimeStampResp.load(body, strict=True)
        status = response["status"]["status"].native
        _ = response.native
    except (ValueError, TypeError, KeyError):
        raise TimestampRefusedError(
            "the timestamp authority answered with something else"
        ) from None
    if status not in ("granted", "granted_with_mods"):
        raise TimestampRefusedError(f"the timestamp authority refused: {status}")
    # Read again: what `native` has read through is encoded anew whenever its bytes are wanted, many
    # times in a signature, and not as the authority spelled it.
    return tsp.TimeStampResp.load(body, strict=True)


class HttpTimeStamper(TimeStamper):
    """pyHanko's way to the same client."""

    def __init__(self, url: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._url = url

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Return the authority's answer; a signing run has nothing else to do meanwhile."""
        return post(self._url, req)
