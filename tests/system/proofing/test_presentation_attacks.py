"""Presentation attacks on the camera, each through the running service, each with its reasons.

The attacks are simulated: they show that the checks act, and say nothing about real artefacts.
"""

from typing import Any

import pytest

from biometrics.rig import Species

STEPS = {
    f"challenge-step-{failure}" for failure in ("early", "late", "missing", "wrong", "too-small")
}

PLANE = {"challenge-flat-surface", "challenge-geometry-uncertain"}

REASONS = {
    # What is flat turns too little before its relief shows it, and a print does not blink.
    Species.PRINT: PLANE | STEPS,
    # Paper bent as round as a head has a head's relief: it cannot blink, and turns too little.
    Species.BENT_PRINT: PLANE | STEPS,
    Species.TABLET: PLANE | STEPS,
    Species.VIDEO_REPLAY: {"pad-light-mismatch", *STEPS},
    Species.WRONG_ORDER: STEPS,
    Species.FROZEN: {"capture-frozen", *STEPS},
    Species.SPLICED: {"challenge-identity-changed", "capture-cut"},
    Species.CUT_OUT_EYES: PLANE | STEPS,
    Species.RIGID_MASK: STEPS,
}


@pytest.mark.parametrize("species", list(REASONS), ids=str)
def test_attack_is_refused_for_its_own_reason(
    server: Any, read_card: Any, perform: Any, send: Any, species: Species
) -> None:
    session = server.open()
    read_card(session)
    send(session, perform(session, species=species))
    answer = session.decide()
    assert answer["outcome"] != "PASSED"
    assert answer["level"] is None
    assert set(server.reasons(session)) & REASONS[species]
    told = set(answer["reasons"])
    assert "liveness-not-confirmed" in told
    assert not any(reason.startswith(("challenge-step", "capture-", "pad-")) for reason in told)
