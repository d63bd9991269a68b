"""What can be wrong with an assertion, and which of the npm libraries sees it.

docs/interoperability.md has this table for people; a test compares the two.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api.assertions import jws, sd_jwt
from api.assertions.disclosures import Disclosure
from api.assertions.encoding import b64url_decode, b64url_encode, dump_json
from api.assertions.es256 import PrivateKeySigner
from tests.fixtures.office import AT, AUDIENCE, NONCE, Office

REFUSED, ACCEPTED, NOT_LOOKED_AT = "refused", "accepted", "–"
"""`–`: what was altered is outside what the library is given."""


@dataclass(frozen=True)
class Alteration:
    """One altered assertion with three verdicts over it."""

    what: str
    """In words, as in the table."""
    make: Callable[[Office], str]
    reason: str
    """The code under which this project's verifier refuses it."""
    jose: str = REFUSED
    sd_jwt_vc: str = REFUSED
    nonce: str | None = None
    """The relying party asks sd-jwt-vc for key binding with this nonce."""


def with_header(assertion: str, signature: str | None = None, **changes: Any) -> str:
    compact, rest = assertion.split("~", 1)
    _, payload, old_signature = compact.split(".")
    changed = dump_json({**jws.parse(compact).header, **changes})
    signed = f"{b64url_encode(changed)}.{payload}"
    return f"{signed}.{old_signature if signature is None else signature}~{rest}"


def signed_under(office: Office, **header: Any) -> str:
    """Sign the specimen honestly under another header."""
    compact, rest = office.issue().split("~", 1)
    token = jws.parse(compact)
    return jws.sign({**token.header, **header}, token.payload, office.key) + "~" + rest


def with_hmac(office: Office) -> str:
    public = office.key.private_key.public_key()
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    unsigned = with_header(office.issue(), signature="", alg="HS256")
    mac = hmac.digest(secret, unsigned.split("~")[0].rpartition(".")[0].encode(), "sha256")
    return unsigned.replace(".~", f".{b64url_encode(mac)}~", 1)


def payload_changed(office: Office) -> str:
    compact, rest = office.issue().split("~", 1)
    header, payload, signature = compact.split(".")
    changed = b64url_decode(payload).replace(b"HS-2026", b"HS-2027")
    return f"{header}.{b64url_encode(changed)}.{signature}~{rest}"


def signature_respelled(office: Office) -> str:
    """Spell the same 64 bytes otherwise: the last character has four bits that decoders drop."""
    compact, rest = office.issue().split("~", 1)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return compact[:-1] + alphabet[alphabet.index(compact[-1]) ^ 1] + "~" + rest


def disclosure_changed(office: Office) -> str:
    assertion = office.issue()
    name = next(d for d in sd_jwt.parse(assertion).disclosures if d.name == "name")
    changed = b64url_decode(name.encoded).decode().replace("MẪU", "KHÁC")
    return assertion.replace(name.encoded, b64url_encode(changed.encode()))


def named(office: Office, name: str, value: Any) -> str:
    """Put a disclosure of any name into `txn`, by a careless issuer."""
    hidden = Disclosure.make(value, name)
    assertion = office.sign(lambda p: p["txn"].update(_sd=[hidden.digest]), hide=False)
    return f"{assertion}{hidden.encoded}~"


def digest_twice(office: Office) -> str:
    hidden = Disclosure.make("x", "note")

    def change(payload: dict[str, Any]) -> None:
        payload["txn"]["_sd"] = [hidden.digest]
        payload["policy"]["_sd"] = [hidden.digest]

    return office.sign(change, hide=False) + f"{hidden.encoded}~"


def bound(office: Office, *, by: str = "holder", **claims: Any) -> str:
    """Bind the specimen to a holder, with a proof that may be somebody else's or about another."""
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("holder", "thief")}
    assertion = office.bound(keys["holder"])
    digest = b64url_encode(hashlib.sha256(assertion.encode()).digest())
    proof = {"iat": int(AT.timestamp()), "aud": AUDIENCE, "nonce": NONCE, "sd_hash": digest}
    header = {"typ": claims.pop("typ", "kb+jwt")}
    return assertion + jws.sign(header, {**proof, **claims}, PrivateKeySigner(keys[by]))


def seconds(**delta: int) -> int:
    return int((AT + timedelta(**delta)).timestamp())


def without_face(payload: dict[str, Any]) -> None:
    payload["face"]["result"] = "not_performed"


ALTERATIONS = (
    Alteration("payload changed after signing", payload_changed, "signature-invalid"),
    Alteration(
        "signature of another assertion",
        lambda o: with_header(o.issue(), o.issue().split("~")[0].rpartition(".")[2]),
        "signature-invalid",
    ),
    Alteration(
        "`alg: none`, no signature",
        lambda o: with_header(o.issue(), signature="", alg="none"),
        "algorithm-not-allowed",
    ),
    Alteration("`alg: HS256` with the public key as secret", with_hmac, "algorithm-not-allowed"),
    Alteration(
        "signed by ES256 and named `alg: ES384`",
        lambda o: signed_under(o, alg="ES384"),
        "algorithm-not-allowed",
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "`typ: JWT`", lambda o: signed_under(o, typ="JWT"), "type-not-allowed", sd_jwt_vc=ACCEPTED
    ),
    Alteration(
        "an extension that must be understood (`crit`)",
        lambda o: signed_under(o, crit=["x"], x=1),
        "assertion-malformed",
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "a claim twice in the JSON",
        lambda o: o.sign_bytes(twice(o)) + "~",
        "assertion-malformed",
        jose=ACCEPTED,
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "signature spelled otherwise",
        signature_respelled,
        "assertion-malformed",
        jose=ACCEPTED,
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "another issuer's `iss`",
        lambda o: o.sign(lambda p: p.update(iss="https://other.example")),
        "issuer-mismatch",
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "a disclosure changed",
        disclosure_changed,
        "disclosure-unreferenced",
        jose=NOT_LOOKED_AT,
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "a disclosure that the issuer did not sign",
        lambda o: f"{o.issue()}{Disclosure.make('079999999999', 'id_number').encoded}~",
        "disclosure-unreferenced",
        jose=NOT_LOOKED_AT,
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "a disclosure twice",
        lambda o: (a := o.issue()) + sd_jwt.parse(a).disclosures[0].encoded + "~",
        "disclosure-duplicate",
        jose=NOT_LOOKED_AT,
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "a digest in two places",
        digest_twice,
        "disclosure-duplicate",
        jose=NOT_LOOKED_AT,
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "a disclosure named `_sd`",
        lambda o: named(o, "_sd", ["x"]),
        "disclosure-name-forbidden",
        jose=NOT_LOOKED_AT,
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "a disclosure that overwrites a claim",
        lambda o: named(o, "dossier_id", "HS-2026-2"),
        "disclosure-name-taken",
        jose=NOT_LOOKED_AT,
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "digests by SHA-512",
        lambda o: o.sign_raw(lambda p: p.update(_sd_alg="sha-512")),
        "digest-algorithm-not-allowed",
        jose=NOT_LOOKED_AT,
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "expired",
        lambda o: o.sign(
            lambda p: p.update(
                {k: seconds(minutes=-m) for k, m in {"iat": 30, "nbf": 30, "exp": 15}.items()}
            )
        ),
        "expired",
    ),
    Alteration(
        "not yet valid (`nbf`)",
        lambda o: o.sign(lambda p: p.update(nbf=seconds(minutes=10))),
        "not-yet-valid",
    ),
    Alteration(
        "issued in the future (`iat`)",
        lambda o: o.sign(lambda p: p.update(iat=seconds(minutes=10))),
        "issued-in-future",
        jose=ACCEPTED,
    ),
    Alteration(
        "valid for more than a day",
        lambda o: o.sign(lambda p: p.update(exp=seconds(days=2))),
        "lifetime-too-long",
        jose=ACCEPTED,
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "without `exp`",
        lambda o: o.sign(lambda p: p.pop("exp")),
        "validity-missing",
        jose=ACCEPTED,
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "for another audience",
        lambda o: o.sign(lambda p: p.update(aud="van-phong-cong-chung-8")),
        "audience-mismatch",
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "for several audiences",
        lambda o: o.sign(lambda p: p.update(aud=[AUDIENCE, "van-phong-cong-chung-8"])),
        "audience-mismatch",
        jose=ACCEPTED,
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "another relying party's nonce",
        lambda o: o.sign(lambda p: p.update(nonce="n-another")),
        "nonce-mismatch",
        jose=ACCEPTED,
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "bound to a holder, no proof, none asked for",
        lambda o: o.bound(ec.generate_private_key(ec.SECP256R1())),
        "key-binding-missing",
        jose=NOT_LOOKED_AT,
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "bound to a holder, no proof, asked for",
        lambda o: o.bound(ec.generate_private_key(ec.SECP256R1())),
        "key-binding-missing",
        jose=NOT_LOOKED_AT,
        nonce=NONCE,
    ),
    Alteration(
        "the holder's proof by another key",
        lambda o: bound(o, by="thief"),
        "key-binding-invalid",
        jose=NOT_LOOKED_AT,
        nonce=NONCE,
    ),
    Alteration(
        "the holder's proof with another nonce",
        lambda o: bound(o, nonce="n-another"),
        "key-binding-invalid",
        jose=NOT_LOOKED_AT,
        nonce=NONCE,
    ),
    Alteration(
        "the holder's proof over another presentation",
        lambda o: bound(o, sd_hash=b64url_encode(bytes(32))),
        "key-binding-invalid",
        jose=NOT_LOOKED_AT,
        nonce=NONCE,
    ),
    Alteration(
        "the holder's proof for another audience",
        lambda o: bound(o, aud="van-phong-cong-chung-8"),
        "key-binding-invalid",
        jose=NOT_LOOKED_AT,
        sd_jwt_vc=ACCEPTED,
        nonce=NONCE,
    ),
    Alteration(
        "the holder's proof of an hour ago",
        lambda o: bound(o, iat=seconds(hours=-1)),
        "key-binding-invalid",
        jose=NOT_LOOKED_AT,
        sd_jwt_vc=ACCEPTED,
        nonce=NONCE,
    ),
    Alteration(
        "another credential type",
        lambda o: o.sign(lambda p: p.update(vct="urn:other")),
        "vct-unknown",
        jose=ACCEPTED,
        sd_jwt_vc=ACCEPTED,
    ),
    Alteration(
        "a mandatory check that was not performed",
        lambda o: o.sign(without_face, hide=False),
        "mandatory-check-not-ok",
        jose=ACCEPTED,
        sd_jwt_vc=ACCEPTED,
    ),
)


def twice(office: Office) -> bytes:
    """Return the payload with `aud` before the real one, for whoever reads the first."""
    payload = dump_json(office.claims().to_payload(office.key.issuer).claims)
    return b'{"aud":"someone-else",' + payload[1:]
