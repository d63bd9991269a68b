"""States, catalogue, decision, settings: the rules that no request can bend."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.assertions.vocabulary import Capture
from api.procedures.catalogue import Catalogue, CatalogueInvalidError, ProcedureUnknownError
from api.proofing.capture_step import JudgedCapture
from api.proofing.decision import decide
from api.proofing.injection import InjectionVerdict
from api.proofing.sections import _is_over_18, _quality_result
from api.proofing.states import (
    TIME_LIMIT_S,
    TRANSITIONS,
    State,
    StateConflictError,
    check_transition,
)
from api.proofing.telling import for_subject
from api.settings import Settings, SettingsInvalidError
from biometrics.liveness import continuity, geometry, identity, protocol
from biometrics.manifest import ManifestInvalidError, load_manifest
from biometrics.types import Outcome

VALID = """\
code = "1.1"
version = "1"
name.vi = "Thử"
name.en = "Test"
minimum_level = "basic"
party_roles = ["applicant"]
attendance = ["unattended"]
claims = ["name"]
data_groups = [1, 2]
"""


@dataclass(frozen=True)
class Verdict:
    outcome: str
    reasons: tuple[str, ...] = ()


def test_every_state_ends_or_has_a_time_limit() -> None:
    assert set(TRANSITIONS) == set(State)
    for state, following in TRANSITIONS.items():
        assert bool(following) == (state in TIME_LIMIT_S)
        assert not following or {State.EXPIRED, State.CANCELLED} <= following


def test_no_way_to_passed_around_chip_and_capture() -> None:
    before = {state for state, following in TRANSITIONS.items() if State.PASSED in following}
    assert before == {State.DECIDING, State.REVIEW}
    assert {s for s, following in TRANSITIONS.items() if State.DECIDING in following} == {
        State.CAPTURE
    }
    with pytest.raises(StateConflictError):
        check_transition(State.CONSENTED, State.PASSED)


def test_shipped_catalogue_loads_and_takes_portal_codes() -> None:
    catalogue = Catalogue.load()
    assert len(catalogue.all()) == 11
    assert catalogue.get("2.000815.000.00.00.H55") is catalogue.get("2.000815")
    assert "unattended" not in catalogue.get("2.001019").attendance  # a will is never online
    for code in ("", "2", "2.00081", "x" * 10_000):
        with pytest.raises(ProcedureUnknownError):
            catalogue.get(code)


@pytest.mark.parametrize(
    ("line", "broken"),
    [
        ('minimum_level = "basic"', 'minimum_level = "none"'),
        ('version = "1"', 'version = "1"\nminimum_age_years = 0'),
        ('version = "1"', 'version = "1"\nminimum_age_years = 121'),
        ('version = "1"', 'version = "1"\nminimum_age_years = true'),
        ('version = "1"', 'version = "1"\nminimum_age_years = "18"'),
        ('attendance = ["unattended"]', "attendance = []"),
        ('claims = ["name"]', 'claims = ["religion"]'),
        ("data_groups = [1, 2]", "data_groups = [1]"),
        ("data_groups = [1, 2]", "data_groups = [1, 2, 3]"),
        ('party_roles = ["applicant"]', "party_roles = []"),
        ('party_roles = ["applicant"]', 'party_roles = "applicant"'),
        ('party_roles = ["applicant"]', "party_roles = [1]"),
        ('code = "1.1"', ""),
        ('code = "1.1"', "code ="),
    ],
)
def test_broken_catalogue_is_refused(tmp_path: Path, line: str, broken: str) -> None:
    (tmp_path / "a.toml").write_text(VALID, "utf-8")
    assert len(Catalogue.load(tmp_path).all()) == 1
    (tmp_path / "a.toml").write_text(VALID.replace(line, broken), "utf-8")
    with pytest.raises(CatalogueInvalidError):
        Catalogue.load(tmp_path)


def test_two_files_for_one_code_are_refused(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(VALID, "utf-8")
    with pytest.raises(CatalogueInvalidError):
        Catalogue.load(tmp_path)


OUTCOMES = ("PASSED", "INDETERMINATE", "FAILED")


@given(
    chip=st.sampled_from(OUTCOMES),
    face=st.sampled_from(OUTCOMES),
    capture=st.sampled_from(OUTCOMES),
    level=st.sampled_from((None, "basic", "substantial", "high")),
    minimum=st.sampled_from(("basic", "substantial", "high")),
)
def test_a_pass_needs_every_verdict_and_the_level(
    chip: str, face: str, capture: str, level: str | None, minimum: str
) -> None:
    from api.assertions.vocabulary import AssuranceLevel
    from api.proofing import decision

    procedure: Any = SimpleNamespace(minimum_level=minimum)
    reached = level and AssuranceLevel(level)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decision, "cap_level", lambda _: reached)
        verdicts = (Verdict(chip), Verdict(face), Verdict(capture))
        made = decide(procedure, verdicts, findings=None)  # type: ignore[arg-type]
    enough = reached is not None and reached.rank >= AssuranceLevel(minimum).rank
    passes = chip == face == capture == "PASSED" and enough
    assert (made.outcome == "PASSED") == passes
    assert (made.level is not None) == passes
    assert passes or made.reasons
    assert (made.outcome == "FAILED") == ("FAILED" in (chip, face, capture))


@pytest.mark.parametrize(
    ("born", "at", "over"),
    [
        (date(2008, 11, 21), datetime(2026, 11, 20, 17, tzinfo=UTC), True),  # the 21st in Viet Nam
        (date(2008, 11, 21), datetime(2026, 11, 20, 16, tzinfo=UTC), False),
        (date(2008, 2, 29), datetime(2026, 2, 28, 12, tzinfo=UTC), False),
        (date(2008, 2, 29), datetime(2026, 3, 1, 12, tzinfo=UTC), True),
        (None, datetime(2026, 3, 1, tzinfo=UTC), None),
    ],
)
def test_age_over_18_on_the_day_in_viet_nam(
    born: date | None, at: datetime, over: bool | None
) -> None:
    assert _is_over_18(born, at) is over


@pytest.mark.parametrize(
    ("outcome", "reasons", "result"),
    [
        ("PASSED", (), "ok"),
        ("INDETERMINATE", ("quality-blurred",), "failed"),
        ("INDETERMINATE", ("quality-not-measurable",), "not_performed"),
        (None, (), "not_performed"),
    ],
)
def test_quality_is_ok_only_where_every_limit_was_met(
    outcome: str | None, reasons: tuple[str, ...], result: str
) -> None:
    verdict: Any = outcome and SimpleNamespace(outcome=Outcome(outcome), reasons=reasons)
    assert _quality_result(verdict) == result


@pytest.mark.parametrize("name", ["relying-parties", "online-authority", "face-pack"])
def test_a_configuration_that_cannot_be_read_is_not_an_absent_one(
    tmp_path: Path, name: str
) -> None:
    def read(home: Path) -> object:
        settings = Settings(home=home)
        if name == "face-pack":
            return settings.face_pack and load_manifest(pack=settings.face_pack)
        return getattr(settings, name.replace("-", "_"))()

    assert read(tmp_path) is None
    path = tmp_path / f"{name}.toml"
    path.symlink_to(tmp_path / "gone.toml")
    with pytest.raises((SettingsInvalidError, ManifestInvalidError)):
        read(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises((SettingsInvalidError, ManifestInvalidError)):
        read(tmp_path)


def test_relying_parties_are_read_strictly(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert settings.relying_parties() is None
    path = tmp_path / "relying-parties.toml"
    path.write_text(f'["https://a.example"]\nkey_sha256 = "{"A" * 64}"\n')
    parties = settings.relying_parties()
    assert parties is not None
    assert (parties[0].audience, parties[0].key_sha256) == ("https://a.example", "a" * 64)
    for broken in ("[a]\n", "a = 1\n", "[a]\nkey_sha256 = 'short'\n", "not toml"):
        path.write_text(broken)
        with pytest.raises(SettingsInvalidError):
            settings.relying_parties()


def test_assertion_says_that_no_passive_model_looked() -> None:
    from api.proofing.sections import pad_section
    from biometrics.liveness.passive import PassivePad, PassiveWatch
    from biometrics.liveness.signal import Signal
    from biometrics.types import CheckResult, Method

    active = Signal(Method("turns", "1"), (), True, 1.0)
    passive = PassiveWatch(PassivePad(())).judge()
    liveness = SimpleNamespace(signals=(active, passive), challenge_id="c")
    verdict: Any = SimpleNamespace(liveness=liveness, pad_result=CheckResult.OK)
    methods = [(str(m.kind), str(m.result)) for m in pad_section(verdict).methods]
    assert methods == [("active", "ok"), ("passive", "not_performed")]


def test_subject_learns_nothing_of_liveness() -> None:
    signals = [m.METHOD.id for m in (protocol, geometry, continuity, identity)]
    hidden = [
        *(f"{signal}-not-performed" for signal in signals),
        *("pad-attack-suspected", "camera-virtual", "frame-unsigned", "agent-revoked"),
        *("capture-burst", "challenge-step-late"),
    ]
    assert for_subject(hidden) == ["liveness-not-confirmed"]
    told = ["comparison-no-match", "challenge-face-lost", "ca-not-performed"]
    assert for_subject([*told, *hidden]) == [*told, "liveness-not-confirmed"]
    assert for_subject(["camera-not-pinned"], passed=True) == []


@pytest.mark.parametrize(
    ("face", "outcome", "reasons", "may_retry"),
    [
        ("PASSED", "INDETERMINATE", ["capture-late"], True),
        ("PASSED", "INDETERMINATE", ["capture-not-in-time", "camera-not-pinned"], True),
        ("PASSED", "INDETERMINATE", ["camera-not-the-pinned"], False),
        ("PASSED", "INDETERMINATE", ["capture-late", "camera-not-the-pinned"], False),
        ("PASSED", "PASSED", ["camera-not-pinned"], False),
        ("PASSED", "FAILED", ["capture-burst", "capture-late"], False),
        ("INDETERMINATE", "INDETERMINATE", ["capture-late"], False),
    ],
)
def test_capture_over_a_slow_network_may_be_repeated(
    face: str, outcome: str, reasons: list[str], may_retry: bool
) -> None:
    injection = InjectionVerdict(
        Outcome(outcome), tuple(reasons), Capture.BROWSER, None, None, None, ()
    )
    verdict: Any = SimpleNamespace(outcome=Outcome(face), may_retry=False)
    assert JudgedCapture(verdict, injection).may_retry is may_retry
