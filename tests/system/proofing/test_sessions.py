"""Sessions through a running server, from the request to the assertion or the refusal."""

import hashlib
import random
import sqlite3
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api.agent.client import ProofingClient, ServerRefusedError, ServerUnreachableError
from api.agent.reading import read_for_session
from api.assertions.chain import load_roots
from api.assertions.verifier import verify
from api.proofing.repository import utc_now
from api.proofing.states import State
from api.settings import RelyingParty
from biometrics.challenge import choose_challenge
from biometrics.rig import Species
from devices.emrtd.errors import PasswordWrongError
from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.reader import read_chip
from devices.emrtd.trust.csca import TrustAnchors
from devices.errors import CardRemovedError
from devices.simulator.card import SimulatedCard
from devices.simulator.faults import Fault
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, load_profile

DOCUMENT = b"%PDF-1.7 a specimen"
OTHER = choose_challenge(random.Random(7), light=False)
"""What nobody is asked here."""


def refusal(call: Any, *arguments: Any) -> str:
    """Return the code with which the server refuses a call."""
    with pytest.raises(ServerRefusedError) as refused:
        call(*arguments)
    return refused.value.code


def test_rightful_person_gets_an_assertion_that_verifies_offline(
    server: Any, read_card: Any, perform: Any, send: Any, root: bytes
) -> None:
    session = server.open()
    answer = read_card(session)
    assert (answer["state"], answer["outcome"]) == ("chip", None)
    send(session, perform(session))
    answer = session.decide()
    assert (answer["outcome"], answer["level"], answer["state"]) == ("PASSED", "basic", "passed")

    assertion = session.assertion()
    report = verify(
        assertion,
        documents=[DOCUMENT],
        roots=load_roots(root),
        audience="https://notary.example",
        nonce="nonce-of-the-notary",
    )
    assert report.outcome == "PASSED", report.reasons
    assert report.claims is not None
    claims = report.claims["verified_claims"]["claims"]
    assert claims["name"] == "NGUYỄN THỊ MẪU ĐƠN"
    assert "residence" not in claims  # the procedure does not ask for it
    assert report.claims["iad"]["capture"] == "browser"
    clone = report.claims["chip"]["clone"]
    assert (clone["method"], clone["result"]) == ("CA", "ok")
    # The server's ephemeral public key, on the curve of the card.
    assert (len(clone["server_challenge"]), clone["server_challenge"][:2]) == (130, "04")


def test_nothing_biometric_is_left_when_a_session_has_ended(
    server: Any, read_card: Any, perform: Any, send: Any
) -> None:
    session = server.open()
    read_card(session)
    frames = perform(session)
    send(session, frames)
    session.decide()
    with sqlite3.connect(server.database) as database:
        (count,) = database.execute("select count(*) from pieces").fetchone()
    database.close()
    assert count == 0
    stored = b"".join(path.read_bytes() for path in server.database.parent.glob("sessions.*"))
    assert frames[0].picture[600:664] not in stored
    assert "MẪU ĐƠN".encode() not in stored


def test_another_persons_face_is_refused(
    server: Any, read_card: Any, perform: Any, send: Any
) -> None:
    session = server.open()
    answer = read_card(session)
    send(session, perform(session, "biden"))
    answer = session.decide()
    assert answer["outcome"] == "FAILED"
    assert "comparison-no-match" in answer["reasons"]
    assert refusal(session.assertion) == "assertion-not-issued"


def test_flat_photo_is_refused(server: Any, read_card: Any, perform: Any, send: Any) -> None:
    session = server.open()
    answer = read_card(session)
    send(session, perform(session, species=Species.PRINT, seed=3))
    answer = session.decide()
    assert (answer["outcome"], answer["reasons"]) == ("FAILED", ["liveness-not-confirmed"])
    assert "challenge-flat-surface" in server.reasons(session)


def test_steps_done_wrong_may_be_repeated_once_with_a_new_challenge(
    server: Any, read_card: Any, perform: Any, send: Any
) -> None:
    session = server.open()
    read_card(session)
    send(session, perform(session, light=False, mistaken_for=OTHER))
    first = session.read()["capture"]
    answer = session.decide()
    assert (answer["state"], answer["outcome"], answer["attempts_left"]) == ("chip", None, 1)
    assert answer["reasons"] == ["liveness-not-confirmed"]
    assert any(reason.startswith("challenge-step-") for reason in server.reasons(session))
    assert server.service.repository.pieces(session.session_id, "frame") == []
    frames = perform(session)
    second = session.read()["capture"]
    assert (first["attempt"], second["attempt"]) == (1, 2)
    assert first["challenge"]["id"] != second["challenge"]["id"]
    send(session, frames)
    assert session.decide()["outcome"] == "PASSED"


def test_second_capture_that_fails_is_the_last(
    server: Any, read_card: Any, perform: Any, send: Any
) -> None:
    session = server.open()
    read_card(session)
    frames = perform(session, light=False, mistaken_for=OTHER)
    for _ in range(2):
        session.begin_capture(light=False)
        send(session, frames)
        answer = session.decide()
    assert (answer["state"], answer["attempts_left"]) == ("failed", 0)
    assert refusal(session.begin_capture) == "state-conflict"
    record = server.client.record(session.session_id)
    assert [capture["attempt"] for capture in record["captures"]] == [1, 2]
    # The same frames under a second challenge come from no camera.
    assert "capture-frames-seen-before" in record["reasons"]


def test_capture_of_another_session_is_refused_at_once(
    server: Any, read_card: Any, perform: Any, send: Any
) -> None:
    session, other = server.open(), server.open()
    for opened in (session, other):
        read_card(opened)
    foreign = perform(other)
    session.begin_capture()
    send(session, foreign)
    answer = session.decide()
    assert (answer["state"], answer["outcome"]) == ("failed", "FAILED")
    assert answer["reasons"] == ["liveness-not-confirmed"]
    # Steps may be got wrong; the light of another challenge is no mistake.
    assert "pad-light-mismatch" in server.reasons(session)
    assert refusal(session.begin_capture) == "state-conflict"


def test_challenge_is_not_chosen_again_by_asking_again(server: Any, read_card: Any) -> None:
    session = server.open()
    assert refusal(session.begin_capture) == "state-conflict"
    read_card(session)
    begun = session.begin_capture()
    assert session.begin_capture() == begun
    assert refusal(lambda: session.begin_capture(light=False)) == "capture-conflict"


def test_card_has_three_sessions_a_day_without_a_pass(
    server: Any, read_card: Any, perform: Any, send: Any
) -> None:
    for _ in range(2):
        read_card(server.open())
    third = server.open()
    read_card(third)
    fourth = server.open()
    answer = read_card(fourth)
    assert (answer["outcome"], answer["reasons"]) == ("INDETERMINATE", ["card-attempts-exceeded"])
    send(third, perform(third))
    assert third.decide()["outcome"] == "PASSED"
    assert read_card(server.open())["state"] == "chip"


def test_record_is_for_the_office_alone(start: Any, read_card: Any) -> None:
    key = "key-of-the-notary"
    digest = hashlib.sha256(key.encode()).hexdigest()
    parties = (
        RelyingParty("https://notary.example", digest),
        RelyingParty("https://other.example", hashlib.sha256(b"other").hexdigest()),
    )
    server = start(relying_parties=parties)
    created = server.client.json("POST", "/v1/sessions", key, json=server.request())
    path = f"/v1/sessions/{created['id']}/record"
    assert server.client.json("GET", path, key)["state"] == "created"
    for token, code in ((created["token"], "api-key-invalid"), ("other", "session-unknown")):
        assert refusal(server.client.json, "GET", path, token) == code


def test_clone_is_refused(server: Any, read_card: Any, card: Any) -> None:
    answer = read_card(server.open(), card.cloned())
    assert (answer["outcome"], answer["state"]) == ("FAILED", "failed")
    assert answer["reasons"] == ["aa-signature-invalid", "ca-answer-invalid"]


def test_evidence_of_another_session_is_refused(server: Any, card: Any) -> None:
    first, second = server.open(), server.open()
    evidence = read_for_session(first, SimulatedCard(card), Can(card.behaviour.can)).evidence
    answer = second.put_chip(evidence.to_bytes())
    assert (answer["outcome"], answer["reasons"]) == ("FAILED", ["aa-challenge-mismatch"])


def test_unknown_issuer_goes_to_an_officer(start: Any, read_card: Any) -> None:
    answer = read_card(start(anchors=TrustAnchors(())).open())
    assert (answer["outcome"], answer["state"]) == ("INDETERMINATE", "review")
    assert "csca-unknown" in answer["reasons"]


def test_card_without_portrait_goes_to_an_officer(
    start: Any, read_card: Any, tmp_path: Any
) -> None:
    card = personalise(load_profile(SPECIMEN))
    (tmp_path / "csca.der").write_bytes(card.csca)
    server = start(anchors=TrustAnchors.from_directory(tmp_path))
    answer = read_card(server.open(), card)
    assert (answer["outcome"], answer["reasons"]) == ("INDETERMINATE", ["portrait-missing"])


def test_truncated_evidence_changes_nothing(server: Any, card: Any, read_card: Any) -> None:
    session = server.open()
    challenge = bytes.fromhex(session.read()["chip_challenge"])
    evidence = read_chip(SimulatedCard(card), Can(card.behaviour.can), challenge=challenge)
    data = evidence.to_bytes()
    for cut in (0, 1, len(data) // 2, len(data) - 1):
        assert refusal(session.put_chip, data[:cut]) == "evidence-malformed"
    assert session.read()["state"] == "consented"
    assert session.put_chip(data)["state"] == "chip"
    assert session.put_chip(data)["state"] == "chip"  # the answer may have been lost
    other = replace(evidence, reader="another reader").to_bytes()
    assert refusal(session.put_chip, other) == ("state-conflict")


def test_card_pulled_out_can_be_placed_again(server: Any, card: Any, read_card: Any) -> None:
    session = server.open()
    torn = SimulatedCard(card, [Fault("tear", at_apdu=9)])
    with pytest.raises(CardRemovedError) as removed:
        read_for_session(session, torn, Can(card.behaviour.can))
    assert removed.value.retryable
    assert read_card(session)["state"] == "chip"


def test_wrong_can_is_said_and_the_session_waits(server: Any, card: Any) -> None:
    session = server.open()
    with pytest.raises(PasswordWrongError):
        read_for_session(session, SimulatedCard(card), Can("000000"))
    assert session.read()["state"] == "consented"


def test_steps_only_in_their_order(server: Any, read_card: Any, pictures: Any) -> None:
    session = server.open(consent=False)
    assert refusal(session.put_chip, b"x") == "state-conflict"
    assert refusal(session.put_frame, 0, 0, pictures["obama3"]) == "state-conflict"
    assert refusal(session.decide) == "state-conflict"
    assert refusal(session.assertion) == "assertion-not-issued"
    session.consent()
    session.consent()
    assert read_card(session)["state"] == "chip"
    assert refusal(session.consent) == "state-conflict"
    assert refusal(session.put_frame, 0, 0, pictures["obama3"]) == "state-conflict"
    assert refusal(session.decide) == "state-conflict"


def test_frames_are_checked_as_they_arrive(server: Any, read_card: Any, pictures: Any) -> None:
    session = server.open()
    read_card(session)
    session.begin_capture()
    assert refusal(session.put_frame, 0, 0, b"no picture") == "image-format-unsupported"
    session.put_frame(1, 40, pictures["obama3"])
    session.put_frame(1, 40, pictures["obama3"])
    assert refusal(session.put_frame, 1, 40, pictures["biden"]) == "piece-conflict"
    assert refusal(session.decide) == "frames-incomplete"
    session.put_frame(0, 0, pictures["obama3"])
    assert session.decide()["outcome"] != "PASSED"


def test_portrait_without_a_face_goes_to_an_officer(
    start: Any, perform: Any, send: Any, read_card: Any, tmp_path: Any
) -> None:
    import io

    from PIL import Image

    stored = io.BytesIO()
    Image.radial_gradient("L").save(stored, "PNG")
    card = personalise(load_profile(SPECIMEN), portrait=stored.getvalue())
    (tmp_path / "csca.der").write_bytes(card.csca)
    session = start(anchors=TrustAnchors.from_directory(tmp_path)).open()
    answer = read_card(session, card)
    send(session, perform(session))
    answer = session.decide()
    assert answer["outcome"] == "INDETERMINATE"
    assert "portrait-unusable" in answer["reasons"]


def test_level_below_the_procedure_goes_to_an_officer(
    server: Any, read_card: Any, perform: Any, send: Any
) -> None:
    session = server.open(procedure_code="1.000656")
    answer = read_card(session)
    send(session, perform(session))
    answer = session.decide()
    assert (answer["outcome"], answer["reasons"]) == ("INDETERMINATE", ["level-below-procedure"])
    assert refusal(session.assertion) == "assertion-not-issued"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"procedure_code": "9.999999"}, "procedure-unknown"),
        ({"party_role": "witness"}, "request-not-allowed"),
        ({"procedure_code": "2.001019", "party_role": "testator"}, "request-not-allowed"),
        ({"documents": []}, "request-invalid"),
        ({"nonce": "short"}, "request-invalid"),
        ({"surplus": 1}, "request-invalid"),
    ],
)
def test_request_that_cannot_be_met(server: Any, changes: Any, code: str) -> None:
    assert refusal(server.client.create_session, server.request(**changes)) == code


def test_problems_are_rfc_9457_and_repeat_no_input(server: Any) -> None:
    request = server.request(nonce="Nguyễn", surplus="Nguyễn")
    answer = server.client._http.post("/v1/sessions", json=request)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:chinhchu:problem:request-invalid"
    assert answer.json()["status"] == answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/body/nonce",
        "/body/surplus",
    }
    assert "Nguyễn" not in answer.text
    missing = server.client._http.get("/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "not-found")


def test_session_opens_only_with_its_token(server: Any) -> None:
    first, second = server.open(), server.open()
    for token in ("", "x", second._token):
        stranger = server.client.session(first.session_id, token)
        assert refusal(stranger.read) == "session-unknown"
    assert refusal(server.client.session("0" * 32, first._token).read) == "session-unknown"


def test_oversized_body_is_refused_while_it_arrives(server: Any) -> None:
    assert refusal(server.open().put_chip, bytes(5 << 20)) == "body-too-large"


def test_cancelled_session_is_over(server: Any, read_card: Any) -> None:
    session = server.open()
    read_card(session)
    assert session.cancel()["state"] == "cancelled"
    assert session.cancel()["state"] == "cancelled"
    assert server.service.repository.pieces(session.session_id, "chip") == []
    assert refusal(session.consent) == "state-conflict"


def test_session_out_of_time_is_over_and_empty(server: Any, read_card: Any) -> None:
    session = server.open()
    read_card(session)
    with sqlite3.connect(server.database) as database:
        past = (utc_now() - timedelta(seconds=1)).isoformat(" ")
        database.execute("update sessions set deadline = ?", (past,))
    database.close()
    assert session.read()["state"] == "expired"
    assert refusal(session.consent) == "session-expired"
    assert server.service.repository.pieces(session.session_id, "chip") == []


def test_assertion_is_forgotten_after_a_day(server: Any) -> None:
    session = server.open()
    repository = server.service.repository
    with sqlite3.connect(server.database) as database:
        database.execute("update sessions set state = 'passed', deadline = null, assertion = 'x~'")
    database.close()
    repository.expire_overdue()
    assert session.assertion() == "x~"
    with sqlite3.connect(server.database) as database:
        day_ago = (utc_now() - timedelta(days=1, seconds=1)).isoformat(" ")
        database.execute("update sessions set created_at = ?", (day_ago,))
    database.close()
    repository.expire_overdue()
    assert refusal(session.assertion) == "assertion-not-issued"
    assert session.read()["state"] == "passed"
    assert session.read()["attempts_left"] == 0


def test_interrupted_decision_can_be_made_again(server: Any, read_card: Any, pictures: Any) -> None:
    session = server.open()
    read_card(session)
    session.begin_capture()
    session.put_frame(0, 0, pictures["obama3"])
    repository = server.service.repository
    repository.move(session.session_id, State.CAPTURE, State.DECIDING)
    assert refusal(session.decide) == "state-conflict"
    repository.recover()
    assert session.decide()["state"] == "chip"  # one frame is too few, and may be repeated
    (capture,) = server.client.record(session.session_id)["captures"]
    assert "challenge-too-few-frames" in capture["face"]["reasons"]


def test_absent_server_is_said(server: Any) -> None:
    with ProofingClient("http://127.0.0.1:9") as client, pytest.raises(ServerUnreachableError):
        client.create_session(server.request())
    with pytest.raises(ServerUnreachableError):
        ProofingClient("http://[").create_session({})


def test_only_configured_relying_parties_open_sessions(start: Any) -> None:
    import hashlib

    from api.settings import RelyingParty

    digest = hashlib.sha256(b"the key").hexdigest()
    server = start(relying_parties=(RelyingParty("https://notary.example", digest),))
    assert refusal(server.client.create_session, server.request()) == "api-key-invalid"
    with ProofingClient(server.url, api_key="the key") as client:
        foreign = server.request(audience="https://other.example")
        assert refusal(client.create_session, foreign) == "request-not-allowed"
        assert client.create_session(server.request())["state"] == "created"
