"""What must not pass: one case a line, each told by its own reason, by all three verifiers.

Each case changes one thing of a dossier that passes. It is shown to the importable module, to
`chinhchu verify` and to `chinhchu-verify.pyz` alone, in JSON and in both languages. Further forms
of each case are in tests/adversarial/assertions.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.assertions import jws, sd_jwt
from api.assertions.disclosures import Disclosure
from api.assertions.encoding import b64url_encode, dump_json
from api.assertions.jwk import to_jwk
from api.assertions.messages import LANGUAGES, load_messages
from api.assertions.status_array import StatusArray
from api.assertions.status_list import Status, sign_status_list
from api.cli.verify import EPILOG
from tests.fixtures.office import AUDIENCE, DOCUMENT, ISSUER, NONCE, Office
from tests.fixtures.three_verifiers import (
    Answer,
    Shown,
    VerifierAlone,
    arguments,
    by_command,
    by_module,
    read_answer,
)

ROOT = Path(__file__).resolve().parents[3]
POLICY = (ROOT / "api/procedures/catalogue/2.001035.toml").read_bytes()
JTI = "assertion-of-the-specimen"
URI = "https://chinhchu.example/v1/status-lists/0"
IDX = 41
HOUR = timedelta(hours=1)
EXIT_CODES = {"PASSED": 0, "FAILED": 1, "INDETERMINATE": 3}

Payload = dict[str, Any]


class Dossier:
    """Everything that a relying party has, and the issuer who made it."""

    def __init__(self, office: Office) -> None:
        self.office = office

    @property
    def specimen(self) -> Shown:
        """What passes, with every check made."""
        return Shown(
            assertion=self.signed(),
            roots=(self.office.root_pem,),
            documents=(DOCUMENT,),
            audience=AUDIENCE,
            nonce=NONCE,
            at=self.office.at,
            status_lists=(self.status_list(),),
            policies=(POLICY,),
            level="substantial",
            accepted=(),
        )

    def signed(self, change: Callable[[Payload], Any] = lambda p: None, **how: Any) -> str:
        """Sign the specimen with one change, as an issuer would that forgot its rules."""

        def prepare(payload: Payload) -> None:
            payload["jti"] = JTI
            payload["status"] = {"status_list": {"idx": IDX, "uri": URI}}
            payload["policy"]["digest"] = hashlib.sha256(POLICY).hexdigest()
            payload["txn"]["party_role"] = "party"
            change(payload)

        return self.office.sign(prepare, **how)

    def status_list(self, status: Status = Status.VALID, **how: Any) -> str:
        at = how.pop("at", self.office.at - HOUR)
        statuses = StatusArray.of_valid(how.pop("size", 100))
        statuses = statuses.set(IDX, status) if statuses.size > IDX else statuses
        given = {"uri": URI, "key": self.office.key, "at": at, "expires_at": at + 24 * HOUR}
        return sign_status_list(statuses, **{**given, "ttl_s": 43_200, **how})

    # One case each, in the order of the list.

    def with_header(self, **header: Any) -> Shown:
        compact, rest = self.signed().split("~", 1)
        _, payload, signature = compact.split(".")
        changed = b64url_encode(dump_json({**jws.parse(compact).header, **header}))
        signature = "" if header.get("alg") == "none" else signature
        return self.show(f"{changed}.{payload}.{signature}~{rest}")

    def under_another_root(self) -> Shown:
        return replace(self.specimen, roots=(Office().root_pem,))

    def by_an_expired_leaf(self) -> Shown:
        old = self.office.key_of(self.office.leaf(self.office.at - timedelta(days=91)))
        return self.show(self.signed(key=old))

    def by_a_leaf_for_something_else(self) -> Shown:
        return self.show(self.signed(key=self.office.flawed_leaf("wrong-key-usage")))

    def with_an_invented_disclosure(self) -> Shown:
        return self.show(self.signed() + Disclosure.make("0790", "id_number").encoded + "~")

    def with_a_doubled_disclosure(self) -> Shown:
        assertion = self.signed()
        return self.show(assertion + sd_jwt.parse(assertion).disclosures[0].encoded + "~")

    def with_a_disclosure_of_another_assertion(self) -> Shown:
        other = sd_jwt.parse(self.signed()).disclosures[0]
        return self.show(self.signed() + other.encoded + "~")

    def with_a_disclosure_named(self, name: str) -> Shown:
        hidden = Disclosure.make(["x"], name)
        signed = self.signed(lambda p: p["txn"].update(_sd=[hidden.digest]), hide=False)
        return self.show(signed + hidden.encoded + "~")

    def changed(self, change: Callable[[Payload], Any]) -> Shown:
        return self.show(self.signed(change))

    def shown(self, **changes: Any) -> Shown:
        return replace(self.specimen, **changes)

    def show(self, assertion: str) -> Shown:
        return replace(self.specimen, assertion=assertion)

    def from_some_time_on(self) -> Shown:
        begin = self.office.at + timedelta(minutes=9)
        return self.changed(lambda p: p.update(nbf=int(begin.timestamp())))

    def bound_to_a_holder(self) -> Shown:
        holder = ec.generate_private_key(ec.SECP256R1()).public_key()
        return self.changed(lambda p: p.update(cnf={"jwk": to_jwk(holder)}))

    def with_its_holder_kept_back(self) -> Shown:
        holder = ec.generate_private_key(ec.SECP256R1()).public_key()
        hidden = Disclosure.make({"jwk": to_jwk(holder)}, "cnf")
        return self.show(self.signed(lambda p: p.update(_sd=[hidden.digest]), hide=False))


@dataclass(frozen=True)
class Case:
    """Something that must not pass."""

    name: str
    """As the list of what is to be refused names it."""
    reason: str
    make: Callable[[Dossier], Shown]
    outcome: str = "FAILED"


def lists(make: Callable[[Dossier], str]) -> Callable[[Dossier], Shown]:
    return lambda d: d.shown(status_lists=(make(d),))


CASES = (
    Case("other algorithm", "algorithm-not-allowed", lambda d: d.with_header(alg="ES384")),
    Case("algorithm none", "algorithm-not-allowed", lambda d: d.with_header(alg="none")),
    Case("wrong typ", "type-not-allowed", lambda d: d.with_header(typ="JWT")),
    Case("unpinned root", "chain-unpinned-root", Dossier.under_another_root),
    Case("expired leaf", "chain-expired", Dossier.by_an_expired_leaf),
    Case("leaf without the key usage", "key-usage-missing", Dossier.by_a_leaf_for_something_else),
    Case("extra disclosure", "disclosure-unreferenced", Dossier.with_an_invented_disclosure),
    Case("doubled disclosure", "disclosure-duplicate", Dossier.with_a_doubled_disclosure),
    Case(
        "foreign disclosure",
        "disclosure-unreferenced",
        Dossier.with_a_disclosure_of_another_assertion,
    ),
    Case(
        "disclosure named _sd",
        "disclosure-name-forbidden",
        lambda d: d.with_a_disclosure_named("_sd"),
    ),
    Case("expired", "expired", lambda d: d.shown(at=d.office.at + timedelta(minutes=17))),
    Case("not yet valid", "not-yet-valid", Dossier.from_some_time_on),
    Case("wrong audience", "audience-mismatch", lambda d: d.shown(audience="van-phong-8")),
    Case("wrong nonce", "nonce-mismatch", lambda d: d.shown(nonce="n-of-another-dossier")),
    Case("replayed jti", "assertion-replayed", lambda d: d.shown(accepted=((ISSUER, JTI),))),
    Case("changed document", "document-changed", lambda d: d.shown(documents=(DOCUMENT + b" ",))),
    Case(
        "changed policy digest",
        "policy-unknown",
        lambda d: d.changed(lambda p: p["policy"].update(digest="7a" * 32)),
    ),
    Case("missing key binding", "key-binding-missing", Dossier.bound_to_a_holder),
    Case(
        "index out of range",
        "status-index-out-of-range",
        lists(lambda d: d.status_list(size=IDX - 5)),
    ),
    Case(
        "status list for another subject",
        "status-list-other-subject",
        lists(lambda d: d.status_list(uri=URI + "1")),
        "INDETERMINATE",
    ),
    Case(
        "stale list",
        "status-list-stale",
        lists(lambda d: d.status_list(at=d.office.at - 48 * HOUR)),
        "INDETERMINATE",
    ),
    Case(
        "session with a missing mandatory check",
        "mandatory-check-not-ok",
        lambda d: d.changed(lambda p: p["chip"]["pa"].update(result="not_performed")),
    ),
    # What the list does not name and an office meets as well.
    Case("holder kept back", "disclosure-withheld", Dossier.with_its_holder_kept_back),
    Case("no status list", "status-unknown", lambda d: d.shown(status_lists=()), "INDETERMINATE"),
    Case("revoked", "revoked", lists(lambda d: d.status_list(Status.INVALID))),
    Case("suspended", "suspended", lists(lambda d: d.status_list(Status.SUSPENDED))),
    Case(
        "revoked in a stale list",
        "status-list-stale-revoked",
        lists(lambda d: d.status_list(Status.INVALID, at=d.office.at - 48 * HOUR)),
        "INDETERMINATE",
    ),
    Case("no document", "document-missing", lambda d: d.shown(documents=()), "INDETERMINATE"),
    Case("no audience", "audience-not-given", lambda d: d.shown(audience=""), "INDETERMINATE"),
    Case("no nonce", "nonce-not-given", lambda d: d.shown(nonce=None), "INDETERMINATE"),
)

TOGETHER = ({"other algorithm", "algorithm none"}, {"extra disclosure", "foreign disclosure"})
"""Cases with one reason, for nobody can tell them apart: ES256 is all that is allowed, and what the
issuer did not sign may have been signed elsewhere."""

BY_NAME = {case.name: case for case in CASES}
STATUS_UNKNOWN = {
    *("status list for another subject", "stale list", "no status list"),
    "revoked in a stale list",
}


@pytest.fixture(scope="module")
def dossier(office: Office) -> Dossier:
    return Dossier(office)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VerifierAlone]:
    with VerifierAlone(tmp_path_factory.mktemp("alone")) as verifier:
        yield verifier


def ask_all(shown: Shown, alone: VerifierAlone, folder: Path) -> tuple[Answer, Answer, Answer]:
    """Ask the module, the command and the one file; each time from the same files."""
    command = read_answer(by_command([*arguments(shown, folder), "--json"]))
    one_file = read_answer(alone.run([*arguments(shown, folder), "--json"]))
    return by_module(shown), command, one_file


def test_the_specimen_passes(dossier: Dossier, alone: VerifierAlone, tmp_path: Path) -> None:
    answers = ask_all(dossier.specimen, alone, tmp_path)
    for code, answer in answers:
        assert (code, answer["outcome"], answer["reasons"]) == (0, "PASSED", [])
        performed = {check["name"] for check in answer["checks"] if check["result"] == "ok"}
        assert performed >= {"replay", "policy", "documents", "minimum_level", "status"}


@pytest.mark.parametrize("name", BY_NAME)
def test_is_refused_for_its_own_reason(
    name: str, dossier: Dossier, alone: VerifierAlone, tmp_path: Path
) -> None:
    case = BY_NAME[name]
    answers = ask_all(case.make(dossier), alone, tmp_path)
    for code, answer in answers:
        assert (answer["outcome"], answer["reasons"]) == (case.outcome, [case.reason])
        assert code == EXIT_CODES[case.outcome]
        assert (answer["claims"] is None) == (case.outcome == "FAILED")
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", BY_NAME)
def test_is_told_to_people(
    name: str,
    language: str,
    dossier: Dossier,
    alone: VerifierAlone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    case = BY_NAME[name]
    words = load_messages(language)
    asked = [*arguments(case.make(dossier), tmp_path), "--lang", language]
    code, out, err = by_command(asked)
    assert (code, err) == (EXIT_CODES[case.outcome], "")
    assert alone.run(asked) == (code, out, err)
    verdict = words["outcome"][case.outcome]
    if name in STATUS_UNKNOWN:
        verdict = words["heading"]["status_unknown"]
    assert out.splitlines()[0] == verdict
    told = f"{words['reason'][case.reason]} [{case.reason}]"
    assert told in " ".join(out.split())


def test_no_two_cases_share_a_reason_but_those_that_nobody_can_tell_apart() -> None:
    by_reason: dict[str, set[str]] = {}
    for case in CASES:
        by_reason.setdefault(case.reason, set()).add(case.name)
    shared = [names for names in by_reason.values() if len(names) > 1]
    assert sorted(map(sorted, shared)) == sorted(map(sorted, TOGETHER))


def test_exit_codes_are_documented() -> None:
    guide = (ROOT / "docs/guides/relying-party.md").read_text("utf-8")
    for outcome, code in EXIT_CODES.items():
        assert f"\n  {code}  {outcome}: " in EPILOG
        assert f"\n| {code} | {outcome}" in guide


shown_changes = st.fixed_dictionaries(
    {},
    optional={
        "audience": st.sampled_from([None, "", AUDIENCE, "someone-else", "vănphòng"]),
        "nonce": st.sampled_from([None, "", NONCE, "n-another"]),
        "documents": st.lists(st.sampled_from([DOCUMENT, b"", b"another"]), max_size=3).map(tuple),
        "policies": st.sampled_from([(), (POLICY,), (POLICY.replace(b"1", b"2"),), (b"junk",)]),
        "level": st.sampled_from([None, "basic", "high"]),
        "accepted": st.sampled_from([None, (), ((ISSUER, "another"),), ((ISSUER, JTI),)]),
        "roots": st.sampled_from([(b"junk",), (b"-----BEGIN CERTIFICATE-----\n",)]),
    },
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(name=st.sampled_from(sorted(BY_NAME)), changes=shown_changes, minutes=st.integers(-20, 20))
def test_all_three_say_the_same(
    dossier: Dossier,
    alone: VerifierAlone,
    tmp_path: Path,
    name: str,
    changes: dict[str, Any],
    minutes: int,
) -> None:
    shown = BY_NAME[name].make(dossier)
    shown = replace(shown, at=shown.at + timedelta(minutes=minutes), **changes)
    module, command, one_file = ask_all(shown, alone, tmp_path)
    assert module == command == one_file
    changed_again = {*changes, "at"} if minutes else set(changes)
    assert module[1].get("outcome") != "PASSED" or changed_by(name) in changed_again


def changed_by(name: str) -> str:
    """What of the specimen a case changed: only where that is changed again it can pass."""
    changed = {
        "expired": "at",
        "not yet valid": "at",
        "wrong audience": "audience",
        "wrong nonce": "nonce",
        "replayed jti": "accepted",
        "changed document": "documents",
        "changed policy digest": "policies",
        "unpinned root": "roots",
        "no audience": "audience",
        "no nonce": "nonce",
        "no document": "documents",
    }
    return changed.get(name, "assertion")
