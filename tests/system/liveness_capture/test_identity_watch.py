"""One person passes; another one, for however short, breaks the chain."""

import numpy as np
import pytest

from biometrics.liveness.identity import IdentityWatch
from biometrics.liveness.performance import Performance
from biometrics.liveness.protocol import judge_challenge
from biometrics.types import CheckResult, FrameSample, Outcome


@pytest.fixture
def judge(observer, embedder, manifest, challenge):
    def judged(frames):
        watch, capture, seen = (
            IdentityWatch(embedder, manifest.model("sface")), observer.open(), [])  # fmt: skip
        for frame in frames:
            seen.append(capture.observe(frame))
            watch.see(seen[-1])
        streamed = len(watch.compared)
        _, performance = judge_challenge(challenge, seen)
        signal = watch.judge(seen, performance)
        return signal, streamed, len(watch.compared)

    return judged


def test_the_person_alone_is_one(judge, film):
    signal, streamed, compared = judge(film)
    assert signal.findings == ()
    assert signal.result is CheckResult.OK
    assert signal.score > 0.45
    assert streamed <= 7 + len(film) / 4
    assert compared - streamed <= 8


def test_a_capture_is_always_judged_the_same_way(judge, film):
    assert judge(film) == judge(film)


def ahead(observations):
    rest = np.median([o.sighting.nose_offset for o in observations[:5]])
    return [abs(o.sighting.nose_offset - rest) < 0.12 for o in observations]


@pytest.mark.parametrize(
    "is_other",
    [
        lambda i, n, ahead: ahead[i],
        lambda i, n, ahead: not ahead[i],
        lambda i, n, ahead: i % 2 == 0,
        lambda i, n, ahead: i % 4 != 0,
        lambda i, n, ahead: i < n // 2,
        lambda i, n, ahead: i >= n - 5,
        lambda i, n, ahead: i == 1,
        lambda i, n, ahead: i == n - 3,
    ],
    ids=["ahead", "turned", "every other", "all but some", "first half", "end", "second", "late"],
)
def test_two_people_in_turns_are_not_one(judge, films, observations, is_other):
    first, second = films
    n, looks_ahead = min(map(len, films)), ahead(observations)
    mixed = [
        FrameSample((second if is_other(i, n, looks_ahead) else first)[i].picture, first[i].t_ms)
        for i in range(n)
    ]
    signal, streamed, compared = judge(mixed)
    assert {f.reason for f in signal.findings} <= {
        "challenge-identity-changed", "challenge-identity-uncertain"}  # fmt: skip
    assert any(f.outcome is Outcome.FAILED for f in signal.findings)
    assert signal.score < 0.36
    assert streamed <= 7 + n / 4
    assert compared - streamed <= 16


@pytest.mark.parametrize("frames", [0, 1])
def test_too_few_frames_are_not_judged(judge, film, frames):
    signal, _, _ = judge(film[:frames])
    assert signal.result is CheckResult.NOT_PERFORMED
    assert signal.score is None


def test_positions_without_a_face_decide_nothing(embedder, manifest, observations):
    watch = IdentityWatch(embedder, manifest.model("sface"))
    for observation in observations[:12]:
        watch.see(observation)
    signal = watch.judge(observations[:12], Performance((500, -4, 0, 1), ()))
    assert signal.result is CheckResult.OK
