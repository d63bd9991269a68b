"""What the quality of pictures does to a session, and what is said and recorded of it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from api.assertions.chain import load_roots
from api.assertions.verifier import verify
from api.cli import agent
from api.composition import build_service
from api.keys import keys
from api.settings import Settings, SettingsInvalidError
from biometrics.manifest import Manifest
from biometrics.quality import load_requirements
from biometrics.types import FrameSample
from devices.emrtd.trust.csca import TrustAnchors
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, load_profile

PACKS_PAGE = Path(__file__).parents[3] / "docs" / "packs.md"
DARK = "quality-too-dark"


def darken(data: bytes, factor: float) -> bytes:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    dark = (picture * factor).astype(np.uint8)
    return cv2.imencode(".jpg", dark, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def in_the_dark(frames: Sequence[FrameSample]) -> list[FrameSample]:
    return [replace(f, picture=darken(bytes(f.picture), 0.25)) for f in frames]


def face_of(session: Any, root: bytes) -> dict[str, Any]:
    report = verify(
        session.assertion(),
        documents=[b"%PDF-1.7 a specimen"],
        roots=load_roots(root),
        audience="https://notary.example",
        nonce="nonce-of-the-notary",
    )
    assert report.claims is not None, report.reasons
    face: dict[str, Any] = report.claims["face"]
    return face


def test_good_pictures_are_recorded_with_what_judged_them(
    server: Any, read_card: Any, perform: Any, send: Any, root: bytes, manifest: Manifest
) -> None:
    session = server.open()
    read_card(session)
    send(session, perform(session))
    answer = session.decide()
    assert (answer["outcome"], answer["advice"]) == ("PASSED", [])
    face = face_of(session, root)
    assert (face["reference_quality"], face["probe_quality"]) == ("ok", "ok")
    assert face["manifest_sha256"] == manifest.sha256
    assert face["quality_sha256"] == load_requirements().sha256


@pytest.mark.parametrize("who", ["obama3", "biden"])
def test_dark_frames_decide_nothing_and_the_person_is_told_what_to_do(
    server: Any, read_card: Any, perform: Any, send: Any, who: str
) -> None:
    session = server.open()
    read_card(session)
    send(session, in_the_dark(perform(session, who)))
    answer = session.decide()
    assert answer["outcome"] != "PASSED"
    assert DARK in answer["reasons"]
    assert "comparison-no-match" not in answer["reasons"]
    (told,) = [advice for advice in answer["advice"] if advice["reason"] == DARK]
    assert told["vi"] == "Hơi tối, xin quay mặt về phía có ánh sáng"
    assert told["en"] == "It is too dark, please turn towards the light"
    assert f"  {told['vi']} / {told['en']}" in agent._in_words(answer)
    assert session.read()["advice"] == answer["advice"]


def test_a_poor_portrait_that_matches_is_recorded_as_poor(
    start: Any,
    read_card: Any,
    pictures: Any,
    perform: Any,
    send: Any,
    root: bytes,
    tmp_path: Path,
) -> None:
    dark = personalise(load_profile(SPECIMEN), portrait=darken(pictures["obama"], 0.2))
    (tmp_path / "csca.der").write_bytes(dark.csca)
    session = start(anchors=TrustAnchors.from_directory(tmp_path)).open()
    read_card(session, dark)
    send(session, perform(session))
    assert session.decide()["outcome"] == "PASSED"
    face = face_of(session, root)
    assert (face["reference_quality"], face["probe_quality"]) == ("failed", "ok")


def test_a_pack_whose_models_are_missing_is_not_passed_over(
    tmp_path: Path, manifest: Manifest
) -> None:
    settings = Settings(home=tmp_path)
    keys.init(settings.keys, name="test", password=None)
    build_service(settings).repository.close()
    pack = PACKS_PAGE.read_text("utf-8").split("```toml\n")[1].split("```")[0]
    # Another digest: weights that no machine has.
    (tmp_path / "face-pack.toml").write_text(pack.replace("87aac", "00000"), "utf-8")
    with pytest.raises(SettingsInvalidError, match="second"):
        build_service(settings)
