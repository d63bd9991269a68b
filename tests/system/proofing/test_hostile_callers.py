"""Relying parties and pages that mean harm: strange text, slow bodies, two requests at once."""

import hashlib
import io
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image as PillowImage
from sqlalchemy.exc import OperationalError

from api import app
from api.agent.client import ProofingClient, ServerRefusedError
from api.assertions.verifier import verify
from api.problems import MAX_ERRORS
from api.proofing.schemas import CaptureIn
from api.proofing.states import StateConflictError
from api.settings import RelyingParty
from biometrics.rig import Species
from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.reader import read_chip
from devices.simulator.card import SimulatedCard
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, load_profile


def outcome_of(call: Any, *arguments: Any) -> str:
    """Return the state that a call ends in, or the code of its refusal."""
    try:
        return str(call(*arguments)["state"])
    except ServerRefusedError as error:
        return error.code


@dataclass(frozen=True)
class Concluding:
    """The pipeline, with something about its verdicts."""

    pipeline: Any
    around: Callable[[Any, Any], Any]
    """Takes the analysis' own `conclude` and the frames."""

    def begin_capture(self, *arguments: Any) -> Any:
        analysis = self.pipeline.begin_capture(*arguments)
        analysis.conclude = partial(self.around, analysis.conclude)
        return analysis


@pytest.mark.parametrize(
    "body",
    [
        b'{"\\ud800": 1}',
        b'{"nonce": "\\ud8001234567"}',
        b'{"audience": "\\u202egpj.exe", "nonce": "12345678"}',
        b'{"purpose": "a\\u0000b"}',
        b"[" * 200_000,
        b'{"byte_length": ' + b"9" * 5000 + b"}",
        b"\xff\xfe{}",
        b"{" + b",".join(b'"k%d": 1' % n for n in range(50_000)) + b"}",
    ],
    ids=["surrogate-name", "surrogate", "bidi", "control", "deep", "digits", "utf-16", "wide"],
)
def test_strange_json_is_refused_in_few_words(server: Any, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = server.client._http.post("/v1/sessions", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 20_000
    assert len(answer.json().get("errors", [])) <= MAX_ERRORS


@pytest.mark.parametrize("field", ["audience", "nonce", "dossier_id", "purpose"])
def test_text_that_people_will_read_holds_no_hidden_character(server: Any, field: str) -> None:
    for character in ("\u202e", "\x1b", "\u200b"):
        with pytest.raises(ServerRefusedError) as refused:
            server.client.create_session(server.request(**{field: f"12345678{character}"}))
        assert refused.value.code == "request-invalid"
    named = server.request(**{field: "Văn phòng công chứng Đống Đa"})
    assert server.client.create_session(named)["state"] == "created"


def test_a_slash_too_many_leads_nowhere_else(server: Any) -> None:
    """A redirect would name this machine, and http:// where a proxy ends TLS."""
    for path in ("/v1/keys/", "/v1/sessions/", "/.well-known/jwks.json/"):
        answer = server.client._http.get(path, headers={"host": "elsewhere.example"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), path


def test_audience_in_vietnamese_is_compared_not_a_fault(start: Any) -> None:
    digest = hashlib.sha256(b"the key").hexdigest()
    server = start(relying_parties=(RelyingParty("Phòng Tư pháp", digest),))
    with ProofingClient(server.url, api_key="the key") as client:
        assert client.create_session(server.request(audience="Phòng Tư pháp"))["id"]
        with pytest.raises(ServerRefusedError) as refused:
            client.create_session(server.request(audience="Phòng Khác"))
    assert refused.value.code == "request-not-allowed"


def test_body_that_never_ends_is_given_up(server: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(app, "BODY_TIME_S", 0.5)
    url = urlsplit(server.url)
    with socket.create_connection((url.hostname, url.port), timeout=60) as slow:
        slow.sendall(
            b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1000\r\n\r\n{"
        )
        answer = slow.recv(4096)
    assert answer.startswith(b"HTTP/1.1 408")
    assert server.client._http.get("/healthz").status_code == 200


def test_sweep_outlives_a_busy_database(start: Any, monkeypatch: Any) -> None:
    from api.proofing.repository import Repository

    calls = []

    def busy(_: Repository) -> int:
        calls.append(1)
        raise OperationalError("", None, Exception())

    monkeypatch.setattr(app, "SWEEP_INTERVAL_S", 0.01)
    monkeypatch.setattr(Repository, "expire_overdue", busy)
    server = start()
    deadline = time.monotonic() + 60
    while len(calls) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(calls) >= 3
    assert server.client._http.get("/healthz").status_code == 200


def png(width: int, height: int) -> bytes:
    """Return a black picture, which nobody has to hold in memory to draw."""
    compressor = zlib.compressobj()
    row = bytes(1 + (width + 7) // 8)
    data = b"".join(compressor.compress(row) for _ in range(height)) + compressor.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def drawn(format_: str, frames: int) -> bytes:
    stored = io.BytesIO()
    first, *others = (PillowImage.new("1", (32, 32), number % 2) for number in range(frames))
    first.save(stored, format_, save_all=frames > 1, append_images=others)
    return stored.getvalue()


@pytest.mark.parametrize(
    ("draw", "code"),
    [
        (partial(png, 8000, 4000), "image-too-large"),
        (partial(png, 30_000, 30_000), "image-too-large"),
        (partial(drawn, "PNG", 3), "image-animated"),
        (partial(drawn, "GIF", 1), "image-format-unsupported"),
    ],
    ids=["large", "huge", "animated", "gif"],
)
def test_picture_that_no_camera_frame_is_refused_as_the_callers_fault(
    server: Any, read_card: Any, draw: Callable[[], bytes], code: str
) -> None:
    picture = draw()
    session = server.open()
    read_card(session)
    session.begin_capture()
    answer = server.client._http.put(
        f"/v1/sessions/{session.session_id}/frames/0?t_ms=0",
        content=picture,
        headers={"Authorization": f"Bearer {session._token}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert session.read()["state"] == "capture"


def test_frames_have_a_cameras_format(server: Any, read_card: Any) -> None:
    drawn = io.BytesIO()
    PillowImage.new("RGB", (64, 48)).save(drawn, "JPEG2000")
    session = server.open()
    read_card(session)
    session.begin_capture()
    with pytest.raises(ServerRefusedError) as refused:
        session.put_frame(0, 0, drawn.getvalue())
    assert refused.value.code == "image-format-unsupported"


def test_chip_twice_at_once_is_taken_once(server: Any, card: Any) -> None:
    session = server.open()
    challenge = bytes.fromhex(session.read()["chip_challenge"])
    evidence = read_chip(SimulatedCard(card), Can(card.behaviour.can), challenge=challenge)
    data = evidence.to_bytes()
    with ThreadPoolExecutor(6) as pool:
        ends = list(pool.map(lambda _: outcome_of(session.put_chip, data), range(6)))
    assert set(ends) <= {"chip", "state-conflict"}
    assert "chip" in ends
    assert len(server.service.repository.pieces(session.session_id, "chip")) == 1


def test_two_decisions_at_once_make_one(
    server: Any, read_card: Any, perform: Any, send: Any
) -> None:
    session = server.open()
    read_card(session)
    send(session, perform(session))
    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(lambda _: outcome_of(session.decide), range(4)))
    assert sorted(ends) == ["passed"] + ["state-conflict"] * 3
    assert session.assertion() == session.assertion()


@pytest.mark.parametrize("ending", ["cancelled", "expired"])
def test_session_that_ends_during_its_decision_gets_no_assertion(
    start: Any, pipeline: Any, read_card: Any, perform: Any, send: Any, ending: str
) -> None:
    entered, leave = threading.Event(), threading.Event()

    def wait(conclude: Any, frames: Any) -> Any:
        entered.set()
        assert leave.wait(60)
        return conclude(frames)

    server = start(pipeline=Concluding(pipeline, wait))
    session = server.open()
    read_card(session)
    frames = perform(session)
    send(session, frames)
    repository = server.service.repository
    with ThreadPoolExecutor(1) as pool:
        decision = pool.submit(outcome_of, session.decide)
        assert entered.wait(60)
        with pytest.raises(ServerRefusedError):  # a frame too late
            session.put_frame(len(frames), 9000, frames[0].picture)
        if ending == "cancelled":
            assert session.cancel()["state"] == "cancelled"
        else:
            _let_time_run_out(repository)
            assert session.read()["state"] == "expired"
        leave.set()
        assert decision.result() == "state-conflict"
    assert outcome_of(session.read) == ending
    assert repository.get(session.session_id).assertion is None
    assert repository.pieces(session.session_id, "frame") == []


def test_refused_liveness_stays_refused_without_a_comparison(
    start: Any, pipeline: Any, read_card: Any, perform: Any, send: Any
) -> None:
    def without_comparison(conclude: Any, frames: Any) -> Any:
        return replace(conclude(frames), comparison=None)

    server = start(pipeline=Concluding(pipeline, without_comparison))
    session = server.open()
    read_card(session)
    send(session, perform(session, species=Species.PRINT, seed=3))
    answer = session.decide()
    assert (answer["state"], answer["reasons"]) == ("failed", ["liveness-not-confirmed"])
    assert "challenge-flat-surface" in server.reasons(session)


def test_requests_that_waited_belong_to_the_capture_they_were_made_for(
    server: Any, read_card: Any, pictures: Any
) -> None:
    session, service = server.open(), server.service
    read_card(session)
    before = service.repository.get(session.session_id)
    session.begin_capture()
    during = service.repository.get(session.session_id)
    session.put_frame(0, 0, pictures["obama3"])
    assert session.decide()["attempts_left"] == 1
    # It would be the first capture a second time, with a challenge of the caller's choice.
    with pytest.raises(StateConflictError):
        service.begin_capture(before, CaptureIn())
    session.begin_capture()
    with pytest.raises(StateConflictError):
        service.put_frame(during, 1, 40, pictures["obama3"])
    session.put_frame(0, 0, pictures["biden"])
    with pytest.raises(StateConflictError):
        service.decide(during)
    (kept,) = service.repository.pieces(session.session_id, "frame")
    assert kept.data == pictures["biden"]


def test_a_capture_given_up_is_in_memory_no_more(
    server: Any, read_card: Any, pictures: Any
) -> None:
    session, live = server.open(), server.service.captures
    read_card(session)
    session.begin_capture()
    session.put_frame(3, 120, pictures["obama3"])
    (capture,) = live._captures.values()
    assert list(capture.waiting) == [3]
    session.cancel()
    assert (live._captures, capture.waiting) == ({}, {})


def _let_time_run_out(repository: Any) -> None:
    from datetime import timedelta

    from sqlalchemy import update
    from sqlalchemy.orm import Session

    from api.proofing.repository import utc_now
    from api.store.tables import SessionRow

    with Session(repository._engine) as db, db.begin():
        db.execute(update(SessionRow).values(deadline=utc_now() - timedelta(seconds=1)))


def test_nothing_unasked_of_the_chip_is_kept_or_told(
    server: Any, card: Any, perform: Any, send: Any, root: bytes
) -> None:
    session = server.open(procedure_code="2.000635")  # wants no DG13
    challenge = bytes.fromhex(session.read()["chip_challenge"])
    evidence = read_chip(SimulatedCard(card), Can(card.behaviour.can), challenge=challenge)
    assert evidence.data_group(13)
    session.put_chip(evidence.to_bytes())
    assert session.put_chip(evidence.to_bytes())["state"] == "chip"  # the answer may be lost
    (piece,) = server.service.repository.pieces(session.session_id, "chip")
    assert evidence.data_group(13) not in piece.data
    send(session, perform(session))
    assert session.decide()["outcome"] == "PASSED"
    report = verify(
        session.assertion(),
        documents=[b"%PDF-1.7 a specimen"],
        roots=[root],
        audience="https://notary.example",
        nonce="nonce-of-the-notary",
    )
    assert report.claims is not None
    assert report.claims["chip"]["dg_verified"] == [1, 2, 14, 15]
    assert report.claims["verified_claims"]["claims"] == {
        "name": "NGUYEN THI MAU DON",
        "id_number": "001190123456",
    }


@pytest.mark.parametrize(
    ("omitted", "state", "reason"),
    [
        ("EF.SOD", "failed", "sod-missing"),
        ("EF.CardAccess", "failed", "card-access-missing"),
        ("EF.DG1", "failed", "dg-missing"),
        ("EF.DG2", "review", "portrait-missing"),
        ("EF.DG13", "review", "data-group-missing"),
        ("EF.DG14", "review", "dg14-not-read"),
        ("EF.DG15", "failed", "dg15-missing"),
    ],
)
def test_evidence_without_a_file_that_the_card_holds_never_passes(
    server: Any, card: Any, omitted: str, state: str, reason: str
) -> None:
    session = server.open()
    challenge = bytes.fromhex(session.read()["chip_challenge"])
    evidence = read_chip(SimulatedCard(card), Can(card.behaviour.can), challenge=challenge)
    files = {name: data for name, data in evidence.files.items() if name != omitted}
    answer = session.put_chip(replace(evidence, files=files).to_bytes())
    assert answer["state"] == state
    assert reason in answer["reasons"]
    assert answer["capture"] is None
    assert server.service.repository.pieces(session.session_id, "chip") == []


def test_files_of_two_cards_are_refused(server: Any, card: Any, pictures: Any) -> None:
    session = server.open()
    challenge = bytes.fromhex(session.read()["chip_challenge"])
    other = personalise(load_profile(SPECIMEN), portrait=pictures["biden"])
    readings = [
        read_chip(SimulatedCard(image), Can(image.behaviour.can), challenge=challenge)
        for image in (card, other)
    ]
    files = {**readings[0].files, "EF.DG2": readings[1].files["EF.DG2"]}
    answer = session.put_chip(replace(readings[0], files=files).to_bytes())
    assert (answer["state"], answer["reasons"]) == ("failed", ["dg-hash-mismatch"])
