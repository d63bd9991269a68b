"""Whatever the measures are, the verdict holds to its contract."""

import json

from hypothesis import given
from hypothesis import strategies as st

from biometrics.quality import Role, assess_quality, load_requirements, quality_weight
from biometrics.quality.components import quality_components
from biometrics.quality.measures import MEASURES, FaceQuality
from biometrics.types import Outcome

REQUIREMENTS = load_requirements()
ANY = st.builds(FaceQuality, **{name: st.floats(-1e9, 1e9) for name in MEASURES})
WILD = st.builds(FaceQuality, **{name: st.floats() for name in MEASURES})


@given(WILD)
def test_components_and_weight_stay_in_range(quality):
    assert all(0 <= value <= 100 for value in quality_components(quality).values())
    assert 0 < quality_weight(quality) <= 1


@given(ANY, st.sampled_from(Role))
def test_passed_and_reasons_exclude_one_another(quality, role):
    verdict = assess_quality(quality, REQUIREMENTS, role)
    assert (verdict.outcome is Outcome.PASSED) == (not verdict.reasons)
    assert verdict.outcome is not Outcome.FAILED
    assert len(set(verdict.reasons)) == len(verdict.reasons) == len(verdict.advice)
    json.dumps(verdict.to_dict(), allow_nan=False)


@given(ANY)
def test_what_passes_as_a_probe_passes_as_a_portrait(quality):
    if assess_quality(quality, REQUIREMENTS, Role.PROBE).outcome is Outcome.PASSED:
        assert assess_quality(quality, REQUIREMENTS, Role.REFERENCE).outcome is Outcome.PASSED
