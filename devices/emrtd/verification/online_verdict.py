"""An authority's own answer about a document, asked for online and kept as signed evidence.

Viet Nam's authority (C06, through RAR) answers such questions; its protocol is not public. So this
is the least that any such answer must be to count: signed by a key that the operator pinned, about
this document, to this question, now. Who speaks to the authority implements `OnlineVerdictClient`,
which turns its protocol into the compact JWS that `verify_signed_verdict` describes; where the
authority signs in another form, that form needs its own verification here.

Source: RFC 7515 (JWS); Decree 69/2024/ND-CP (electronic identification) for who answers.
"""

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

import cbor2
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from devices.emrtd.cbor_structure import check_structure
from devices.emrtd.checks import (
    ONLINE_VERDICT,
    ONLINE_VERDICT_NOT_CONFIGURED,
    Check,
    failed,
    not_performed,
    ok,
)
from devices.emrtd.errors import AuthenticationRefusedError, EvidenceMalformedError
from devices.errors import DeviceError

NONCE_BYTES = 16
MAX_ANSWER_BYTES = 64 << 10
MAX_AGE = timedelta(minutes=5)
"""How far the time of the answer may be from the question's: both clocks and the way between."""
_MAX_QUESTION_BYTES = 1024
_ALGORITHMS = ("ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA", "Ed25519")
_TYPE = "chip-verdict+jwt"
_FORMAT = "chinhchu-online-verdict"
_VERSION = 1
# What entries of other types than they must have, or bytes that are no CBOR, raise.
_FOREIGN = (cbor2.CBORError, ValueError, TypeError, KeyError, OverflowError, RecursionError)
_SEALED = object()

AuthorityKey = ECKey | RSAKey | OKPKey


class Answer(StrEnum):
    """What an authority says of a document."""

    GENUINE = "genuine"
    REFUSED = "refused"
    """Forged, revoked, reported lost or stolen."""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class VerdictRequest:
    """A question to an authority: is the document with this LDS security object in force?"""

    lds_sha256: str
    """SHA-256 of the LDS security object (Doc 9303-10, 4.6.2.3), hexadecimal: nothing personal
    leaves with it. That is what the issuer signed; around it, EF.SOD has bytes that a terminal can
    change (unsigned attributes, more certificates), and with them the digest of the file."""
    nonce: str
    """Random and hexadecimal; the answer repeats it."""
    asked_at: datetime

    @classmethod
    def about(cls, lds_sha256: str) -> "VerdictRequest":
        """Return a fresh question."""
        return cls(lds_sha256, secrets.token_hex(NONCE_BYTES), datetime.now(UTC))


class OnlineVerdictClient(Protocol):
    """Whoever can ask an authority."""

    def ask(self, request: VerdictRequest) -> bytes:
        """Return the authority's answer as it came.

        Raises:
            DeviceError: the authority could not be reached or gave no answer in time.
        """
        ...


@dataclass(frozen=True)
class SignedVerdict:
    """An authority's answer whose signature is right; only `verify_signed_verdict` makes one."""

    raw: bytes = field(repr=False)
    """The answer as it came: evidence that anyone with the key can verify again."""
    answer: Answer
    issued_at: datetime
    request: VerdictRequest
    _seal: object = field(repr=False)

    def __post_init__(self) -> None:
        if self._seal is not _SEALED:
            raise TypeError("a SignedVerdict comes from verify_signed_verdict only")


@dataclass(frozen=True)
class OnlineVerdictRecord:
    """A question and what came back: evidence, to be verified whenever it is looked at."""

    request: VerdictRequest
    raw: bytes | None = field(repr=False)
    """None where no answer came."""

    def to_bytes(self) -> bytes:
        """Return the record as deterministic CBOR (RFC 8949, 4.2)."""
        request = self.request
        content = {
            "format": _FORMAT,
            "version": _VERSION,
            "lds_sha256": request.lds_sha256,
            "nonce": request.nonce,
            "asked_at": request.asked_at.astimezone(UTC).isoformat(),
            "answer": self.raw,
        }
        return cbor2.dumps(content, canonical=True)

    @classmethod
    def from_bytes(cls, data: bytes) -> "OnlineVerdictRecord":
        """Return the record in `data`.

        Raises:
            EvidenceMalformedError: it is none, or not in its deterministic encoding.
        """
        malformed = EvidenceMalformedError("this is no record of an authority's online verdict")
        if len(data) > MAX_ANSWER_BYTES + _MAX_QUESTION_BYTES:
            raise malformed
        try:
            check_structure(data)
            entries = cbor2.loads(data)
            lds_sha256, nonce, raw = entries["lds_sha256"], entries["nonce"], entries["answer"]
            asked_at = datetime.fromisoformat(entries["asked_at"])
            record = cls(VerdictRequest(lds_sha256, nonce, asked_at), raw)
            is_same = record.to_bytes() == data
        except _FOREIGN:
            raise malformed from None
        is_typed = isinstance(lds_sha256, str) and isinstance(nonce, str)
        if not is_same or not is_typed or not isinstance(raw, bytes | None):
            raise malformed
        return record


def ask_authority(client: OnlineVerdictClient, lds_sha256: str) -> OnlineVerdictRecord:
    """Ask about a document; where no answer comes, the record says so."""
    request = VerdictRequest.about(lds_sha256)
    try:
        return OnlineVerdictRecord(request, client.ask(request))
    except DeviceError:
        return OnlineVerdictRecord(request, None)


def verify_signed_verdict(record: OnlineVerdictRecord, key: AuthorityKey) -> SignedVerdict:
    """Verify an answer: a compact JWS, typ `chip-verdict+jwt`, that repeats the question.

    Its claims are `lds_sha256`, `nonce`, `iat` and `verdict` (`genuine`, `refused`, `unknown`).

    Args:
        record: the question and the answer.
        key: the authority's public key that the operator pinned.

    Raises:
        AuthenticationRefusedError: `online-verdict-unavailable`, `online-verdict-malformed`,
            `online-verdict-signature-invalid`, `online-verdict-mismatch` (another document or
            question) or `online-verdict-expired` (another time).
    """
    claims = _claims(record.raw, key)
    try:
        answer, nonce = Answer(claims["verdict"]), str(claims["nonce"])
        digest, issued_at = str(claims["lds_sha256"]), datetime.fromtimestamp(claims["iat"], UTC)
    except (KeyError, ValueError, TypeError, OverflowError, OSError):
        raise _refusal("malformed", "the authority's answer lacks what it must say") from None
    request = record.request
    asked, answered = (f"{request.lds_sha256}.{request.nonce}", f"{digest}.{nonce}")
    # A JSON string may hold half a surrogate pair, which has no UTF-8.
    if not hmac.compare_digest(asked.encode(), answered.encode("utf-8", "surrogatepass")):
        raise _refusal("mismatch", "the authority's answer is about another document or question")
    if abs(issued_at - request.asked_at) > MAX_AGE:
        raise _refusal("expired", "the authority's answer is of another time than the question")
    assert record.raw is not None
    return SignedVerdict(record.raw, answer, issued_at, request, _SEALED)


def check_online_verdict(
    record: OnlineVerdictRecord | None, key: AuthorityKey | None, lds_sha256: str | None
) -> tuple[Check, SignedVerdict | None]:
    """Return the check and the answer that it rests on.

    An answer that is missing or not authentic says nothing about the document, for or against; the
    outcome stays open then.

    Reasons: `online-verdict-not-configured` (no key is pinned), those of `verify_signed_verdict`,
    `online-verdict-unknown` (not performed); `online-verdict-refused` (failed).
    """
    if key is None:
        return not_performed(ONLINE_VERDICT, ONLINE_VERDICT_NOT_CONFIGURED), None
    if record is None:
        return not_performed(ONLINE_VERDICT, "online-verdict-unavailable"), None
    if record.request.lds_sha256 != lds_sha256:
        return not_performed(ONLINE_VERDICT, "online-verdict-mismatch"), None
    try:
        verdict = verify_signed_verdict(record, key)
    except AuthenticationRefusedError as error:
        return not_performed(ONLINE_VERDICT, error.reason), None
    if verdict.answer is Answer.GENUINE:
        return ok(ONLINE_VERDICT), verdict
    finding = failed if verdict.answer is Answer.REFUSED else not_performed
    return finding(ONLINE_VERDICT, f"online-verdict-{verdict.answer}"), verdict


def _claims(raw: bytes | None, key: AuthorityKey) -> Mapping[str, Any]:
    if raw is None:
        raise _refusal("unavailable", "the authority gave no answer")
    if len(raw) > MAX_ANSWER_BYTES:
        raise _refusal("malformed", "the authority's answer is too large")
    try:
        found = jws.deserialize_compact(raw, key, algorithms=list(_ALGORITHMS))
        claims = json.loads(found.payload)
    except JoseError:
        raise _refusal("signature-invalid", "the signature of the answer is wrong") from None
    except (ValueError, TypeError, RecursionError):
        raise _refusal("malformed", "the authority's answer is malformed") from None
    if found.headers().get("typ") != _TYPE or not isinstance(claims, dict):
        raise _refusal("malformed", "the authority's answer is of another type")
    return claims


def _refusal(reason: str, message: str) -> AuthenticationRefusedError:
    return AuthenticationRefusedError(f"online-verdict-{reason}", message)
