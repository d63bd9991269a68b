"""The demonstration's story: one honest session to a verified assertion, then four frauds.

The service, the cryptography and the models are real. The card is simulated, with cryptography of
its own, and the camera's frames are rendered from published pictures.
"""

import hashlib
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.agent.capture import hand_in_frames
from api.agent.client import ProofingClient, SessionClient
from api.agent.reading import read_for_session
from api.assertions.chain import load_roots
from api.assertions.verifier import Verification, verify
from api.composition import build_service
from api.demo.card_source import CardSource, InProcess, OverPcsc
from api.demo.document import PARAGRAPHS, TITLE, make_pdf
from api.demo.server import LocalServer
from api.keys import keys
from api.settings import Settings
from biometrics.challenge import Challenge
from biometrics.manifest import load_manifest
from biometrics.rig import Rig, Species
from biometrics.weights import sample
from devices.emrtd.lds.mrz import Can
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, load_profile

PROCEDURE = "2.000884"
AUDIENCE = "https://notary.example"

PORTRAIT, SAME_PERSON, OTHER_PERSON = "obama", "obama3", "biden"
PERFORMER = 10
"""Seed of how the rendered people move, and of room and camera; the challenge is drawn each time.
Of 70 challenges it passed each at the first attempt, and each photo held up was refused; of 100
seeds drawn anew one turned so far that the picture could not be rendered."""

CHANGE = "Bên được ủy quyền được bán tài sản. / The agent may sell the property."

DOCUMENT_FILE, ASSERTION_FILE, ROOT_FILE = "document.pdf", "assertion.txt", "root.pem"
STATUS_FILE = "status-list.jwt"


@dataclass(frozen=True)
class Row:
    """One step, and whether it came out as it must."""

    step: str
    result: str
    ok: bool
    ms: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What the demonstration did."""

    via: str
    """How the card was reached."""
    steps: tuple[Row, ...]
    frauds: tuple[Row, ...]
    files: tuple[Path, ...]
    nonce: str

    @property
    def rows(self) -> tuple[Row, ...]:
        """All that was tried, in order."""
        return (*self.steps, *self.frauds)

    @property
    def ok(self) -> bool:
        """True if every step and each of the four frauds came out as it must."""
        return len(self.frauds) == 4 and all(row.ok for row in self.rows)

    @property
    def verify_command(self) -> tuple[str, ...]:
        """How anyone verifies the assertion again."""
        document, assertion, root, statuses = (str(path) for path in self.files)
        return (
            *("chinhchu", "verify", assertion, "--document", document, "--root", root),
            *("--status-list", statuses),
            *("--audience", AUDIENCE, "--nonce", self.nonce),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report for machines."""
        return {
            "ok": self.ok,
            "via": self.via,
            "steps": [vars(row) for row in self.steps],
            "frauds": [vars(row) for row in self.frauds],
            "files": [str(path) for path in self.files],
            "verify_command": list(self.verify_command),
        }


def run_demo(out: Path, *, pcsc: bool, progress: Callable[[str], None]) -> Report:
    """Run the story and leave document, assertion, root certificate and status list in `out`.

    Args:
        out: folder, made if it is missing.
        pcsc: lay the card on a virtual reader of a real pcscd.
        progress: called with each step before it begins.

    Raises:
        ApiError, BiometricsError, DeviceError: a step could not be carried out at all.
    """
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chinhchu-demo-")))
        story = _Story(out, home, stack, progress)
        with suppress(_StepFailedError):
            story.prepare(pcsc=pcsc)
            story.honest_session()
            story.frauds()
        return story.report()


class _StepFailedError(Exception):
    """A step came out otherwise than it must: nothing after it means anything."""


@dataclass
class _Note:
    """What a step has to say."""

    result: str = ""
    ok: bool = True
    reasons: tuple[str, ...] = ()

    def session(self, answer: dict[str, Any], text: str, *, ok: bool) -> None:
        """Take a session's answer."""
        self.result, self.ok, self.reasons = text, ok, tuple(answer["reasons"])

    def refusal(self, outcome: str | None, reasons: Sequence[str], *expected: str) -> None:
        """Take the answer to a fraud: refused, and for one of the reasons that it must have."""
        self.result, self.reasons = outcome or "accepted", tuple(reasons)
        self.ok = outcome == "FAILED" and not set(expected).isdisjoint(reasons)


@dataclass
class _Story:
    out: Path
    home: Path
    stack: ExitStack
    progress: Callable[[str], None]
    steps: list[Row] = field(default_factory=list)
    refused: list[Row] = field(default_factory=list)
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))
    via: str = ""

    def prepare(self, *, pcsc: bool) -> None:
        """Make the document, the keys and the card; start the service and the reader."""
        with self._step("document made") as note:
            self.document = make_pdf()
            (self.out / DOCUMENT_FILE).write_bytes(self.document)
            note.result = f"PDF, {len(self.document)} bytes"
        with self._step("citizen card personalised") as note:
            manifest = load_manifest()
            names = (PORTRAIT, SAME_PERSON, OTHER_PERSON)
            self.pictures = {name: sample(manifest, name).read_bytes() for name in names}
            self.card = personalise(load_profile(SPECIMEN), portrait=self.pictures[PORTRAIT])
            trust = self.home / "trust"
            trust.mkdir()
            (trust / "csca.der").write_bytes(self.card.csca)
            note.result = f"{len(self.card.files)} files, signed by a test CSCA"
        with self._step("service started") as note:
            settings = Settings(home=self.home)
            keys.init(settings.keys, name="chinhchu demo", password=None)
            self.root = (settings.keys / keys.ROOT).read_bytes()
            (self.out / ROOT_FILE).write_bytes(self.root)
            self.service = service = build_service(settings)
            self.rig = Rig(service.pipeline.detector, service.pipeline.mesh_estimator)
            server = self.stack.enter_context(LocalServer(service))
            self.client = self.stack.enter_context(ProofingClient(server.url))
            note.result = "HTTP on this machine, models loaded"
        with self._step("card reader ready") as note:
            source: CardSource = OverPcsc(self.card) if pcsc else InProcess()
            self.source = self.stack.enter_context(source)
            self.via = note.result = source.via

    def honest_session(self) -> None:
        """Take the rightful person from the request to a verified assertion."""
        with self._step("session opened") as note:
            session = self._open(self.nonce)
            note.result = "for this document; consent given"
        with self._step("chip read and verified") as note:
            text, answer = self._read(session, self.card)
            note.session(answer, text, ok=answer["state"] == "chip")
        while answer["outcome"] is None and answer["attempts_left"]:
            with self._step("frames sent (simulated)") as note:
                challenge, sent = self._perform(session, Species.BONA_FIDE, SAME_PERSON)
                asked = ", ".join(step.action.value for step in challenge.steps)
                note.result = f"{sent} frames in real time: {asked}"
            with self._step("face and liveness decided") as note:
                answer = session.decide()
                again = answer["outcome"] is None and answer["attempts_left"] > 0
                text = "once more" if again else f"{answer['outcome']}, level {answer['level']}"
                note.session(answer, text, ok=again or answer["outcome"] == "PASSED")
        with self._step("assertion issued") as note:
            self.assertion = session.assertion()
            (self.out / ASSERTION_FILE).write_text(self.assertion, "ascii")
            note.result = f"SD-JWT VC, {len(self.assertion)} bytes"
        with self._step("status list exported") as note:
            statuses = self.service.statuses
            assert statuses is not None
            (found,) = statuses.register.lists()
            self.status_list = statuses.publisher.exported(found.id, days=1)
            (self.out / STATUS_FILE).write_text(self.status_list, "ascii")
            note.result = f"{found.size} places in {len(self.status_list)} bytes"
        with self._step("assertion verified offline") as note:
            verdict = self._verify(self.document)
            note.result, note.reasons = str(verdict.outcome), verdict.reasons
            note.ok = verdict.outcome == "PASSED"

    def frauds(self) -> None:
        """Try what must be refused, each for its own reason."""
        self._fraud_before_the_camera(
            "fraud: another person's face",
            Species.BONA_FIDE,
            OTHER_PERSON,
            "comparison-no-match",
        )
        with self._fraud("fraud: a cloned chip") as note:
            _, answer = self._read(self._open(), self.card.cloned())
            note.refusal(answer["outcome"], answer["reasons"], "aa-signature-invalid")
        with self._fraud("fraud: a changed document") as note:
            verdict = self._verify(make_pdf((*PARAGRAPHS, CHANGE)))
            note.refusal(verdict.outcome, verdict.reasons, "document-changed")
        self._fraud_before_the_camera(
            "fraud: a photo held flat",
            Species.PRINT,
            SAME_PERSON,
            "challenge-flat-surface",
            "challenge-step-missing",
            "challenge-step-too-small",
        )

    def report(self) -> Report:
        """Return what was done."""
        names = (DOCUMENT_FILE, ASSERTION_FILE, ROOT_FILE, STATUS_FILE)
        return Report(
            via=self.via,
            steps=tuple(self.steps),
            frauds=tuple(self.refused),
            files=tuple(self.out / name for name in names),
            nonce=self.nonce,
        )

    def _open(self, nonce: str | None = None) -> SessionClient:
        created = self.client.create_session(
            {
                "procedure_code": PROCEDURE,
                "audience": AUDIENCE,
                "nonce": nonce or secrets.token_hex(16),
                "dossier_id": "demo",
                "party_role": "applicant",
                "purpose": "certification of a signature",
                "documents": [
                    {
                        "role": "main",
                        "media_type": "application/pdf",
                        "sha256": hashlib.sha256(self.document).hexdigest(),
                        "byte_length": len(self.document),
                        "title": TITLE,
                    }
                ],
            }
        )
        session = self.client.session(created["id"], created["token"])
        session.consent()
        return session

    def _read(self, session: SessionClient, card: CardImage) -> tuple[str, dict[str, Any]]:
        transport = self.source.place(card)
        try:
            reading = read_for_session(session, transport, Can(card.behaviour.can))
        finally:
            transport.close()
        evidence = reading.evidence
        size = sum(map(len, evidence.files.values()))
        text = f"{evidence.access}, {evidence.apdu_count} APDUs, {size} bytes"
        return text, reading.session

    def _perform(
        self, session: SessionClient, species: Species, picture: str
    ) -> tuple[Challenge, int]:
        """Begin a capture and send it; return its challenge and how many frames it has."""
        challenge = Challenge.from_dict(session.begin_capture()["challenge"])
        frames = self.rig.perform(
            self.pictures[picture], challenge, species=species, seed=PERFORMER
        )
        pictures = [(frame.t_ms, bytes(frame.picture)) for frame in frames]
        return challenge, hand_in_frames(session, pictures, challenge=challenge)

    def _verify(self, document: bytes) -> Verification:
        return verify(
            self.assertion,
            documents=[document],
            roots=load_roots(self.root),
            audience=AUDIENCE,
            nonce=self.nonce,
            status_lists=[self.status_list],
        )

    def _fraud_before_the_camera(
        self, name: str, species: Species, picture: str, *expected: str
    ) -> None:
        with self._fraud(name) as note:
            session = self._open()
            _, answer = self._read(session, self.card)
            while answer["outcome"] is None and answer["attempts_left"]:
                self._perform(session, species, picture)
                answer = session.decide()
            reasons = self.client.record(session.session_id)["reasons"]
            note.refusal(answer["outcome"], reasons, *expected)

    @contextmanager
    def _step(self, name: str) -> Iterator[_Note]:
        with self._row(name, self.steps) as note:
            yield note
        if not note.ok:
            raise _StepFailedError

    @contextmanager
    def _fraud(self, name: str) -> Iterator[_Note]:
        with self._row(name, self.refused) as note:
            yield note

    @contextmanager
    def _row(self, name: str, rows: list[Row]) -> Iterator[_Note]:
        self.progress(name)
        note, start = _Note(), time.perf_counter()
        yield note
        ms = (time.perf_counter() - start) * 1000
        rows.append(Row(name, note.result, note.ok, round(ms, 1), note.reasons))
