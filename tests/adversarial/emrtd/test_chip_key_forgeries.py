"""Forged chip keys, and PACE-CAM that a terminal made up: each ends in its own reason."""

import tomllib
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from devices.emrtd.errors import ChallengeMalformedError
from devices.emrtd.evidence import CamRecord, ChipAuthenticationRequest, ChipEvidence, PaceRecord
from devices.emrtd.lds import parse_dg14
from devices.emrtd.lds.card_security import parse_card_security
from devices.emrtd.lds.mrz import Can
from devices.emrtd.lds.sod import parse_sod
from devices.emrtd.terminal.reader import read_chip
from devices.emrtd.trust.certificates import parse_certificate
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.verification.chip_authentication import (
    ChipAuthenticationChallenge,
    challenge_chip,
)
from devices.emrtd.verification.downgrade import check_downgrade
from devices.emrtd.verification.verifier import ChipVerdict, verify_evidence
from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.pki import TestPki
from devices.simulator.profile import SPECIMEN, CardProfile, parse_profile

AT = datetime(2026, 11, 21, tzinfo=UTC)
CHALLENGE = bytes.fromhex("0011223344556677")


class Server:
    def __init__(self) -> None:
        self.ca: ChipAuthenticationChallenge | None = None

    def __call__(self, dg14: bytes, *, short_identifiers: bool) -> ChipAuthenticationRequest:
        self.ca = challenge_chip(dg14, short_identifiers=short_identifiers)
        return self.ca.request(dg14)


def profile(**chip: object) -> CardProfile:
    table = tomllib.loads(SPECIMEN.read_text("utf-8"))
    table["chip"] |= {"quirks": []} | chip
    return parse_profile(table)


def read(image: CardImage, server: Server | None = None) -> ChipEvidence:
    return read_chip(
        SimulatedCard(image), Can("123456"), challenge=CHALLENGE, clone_challenge=server
    )


def verdict_of(
    evidence: ChipEvidence, image: CardImage, server: Server | None = None
) -> ChipVerdict:
    return verify_evidence(
        ChipEvidence.from_bytes(evidence.to_bytes()),
        TrustAnchors((parse_certificate(image.csca),)),
        challenge=CHALLENGE,
        ca_challenge=server.ca if server else None,
        at=AT,
    )


@pytest.mark.parametrize("active_authentication", ["none", "rsa-2048"])
def test_ca_key_swapped_with_dg14_rehashed(active_authentication: str) -> None:
    """The forger's own chip answers rightly for its key; the issuer's signature is what breaks."""
    pki = TestPki.create()
    card = profile(active_authentication=active_authentication)
    victim, forger = personalise(card, pki=pki), personalise(card, pki=pki)
    server = Server()
    theirs, own = read(victim), read(forger, server)
    assert theirs.sod is not None
    assert own.sod is not None
    hashes, own_hashes = parse_sod(theirs.sod).hashes, parse_sod(own.sod).hashes
    files = {**theirs.files, "EF.DG14": own.files["EF.DG14"]}
    swapped = replace(own, files=files)
    verdict = verdict_of(swapped, victim, server)
    assert verdict.check("chip-authentication").reason == "dg14-not-authentic"
    assert verdict.check("data-group-hashes").reason == "dg-hash-mismatch"
    files["EF.SOD"] = theirs.sod.replace(hashes[14], own_hashes[14])
    assert files["EF.SOD"] != theirs.sod
    verdict = verdict_of(replace(swapped, files=files), victim, server)
    assert verdict.check("sod-signature").reason == "sod-digest-mismatch"
    check = verdict.check("chip-authentication")
    assert (check.result, check.reason) == ("not_performed", "sod-not-verified")
    assert (verdict.outcome, verdict.document) == ("FAILED", None)


@pytest.fixture(scope="module")
def cam_card() -> CardImage:
    return personalise(
        profile(
            pace=[{"mapping": "cam", "parameter_id": 13, "cipher": "aes-128"}],
            active_authentication="none",
        )
    )


@pytest.fixture(scope="module")
def cam(cam_card: CardImage) -> ChipEvidence:
    return read(cam_card)


def test_pace_cam_is_no_proof_to_a_server(cam: ChipEvidence, cam_card: CardImage) -> None:
    verdict = verdict_of(cam, cam_card)
    check = verdict.check("chip-authentication-mapping")
    assert (check.result, check.reason) == ("not_performed", "cam-known-to-terminal")
    assert verdict.check("card-security").result == "ok"
    assert verdict.clone_result != "ok"
    assert verdict.outcome == "INDETERMINATE"
    assert "clone-check-withheld" in verdict.reasons


def test_pace_cam_beside_chip_authentication(cam_card: CardImage) -> None:
    server = Server()
    evidence = read(cam_card, server)
    verdict = verdict_of(evidence, cam_card, server)
    assert (verdict.outcome, verdict.clone_methods) == ("PASSED", ("CA",))


def _with_cam(evidence: ChipEvidence, record: CamRecord | None, number: int = 13) -> ChipEvidence:
    assert evidence.pace is not None
    return replace(evidence, pace=PaceRecord(evidence.pace.oid, number, record))


def test_forged_pace_cam(cam: ChipEvidence, cam_card: CardImage) -> None:
    assert cam.pace is not None
    assert cam.pace.cam is not None
    record = cam.pace.cam
    forged = {
        "cam-key-mismatch": _with_cam(cam, replace(record, authentication_data=b"\x02")),
        "cam-data-malformed": _with_cam(cam, replace(record, authentication_data=b"\xff" * 40)),
        "cam-parameters-unknown": _with_cam(cam, record, 31),
        "card-security-missing": replace(
            cam, files={n: d for n, d in cam.files.items() if n != "EF.CardSecurity"}
        ),
    }
    for reason, evidence in forged.items():
        verdict = verdict_of(evidence, cam_card)
        check = verdict.check("chip-authentication-mapping")
        assert (check.result, check.reason) == ("failed", reason)
        assert verdict.outcome == "FAILED"
    assert verdict_of(_with_cam(cam, None), cam_card).outcome == "INDETERMINATE"


def test_forged_card_security(cam: ChipEvidence, cam_card: CardImage) -> None:
    name = "EF.CardSecurity"
    data = cam.files[name]
    content = parse_card_security(data).signed_data.content
    position = data.index(content) + len(content) - 1
    altered = bytearray(data)
    altered[position] ^= 1
    other = personalise(
        profile(pace=[{"mapping": "cam", "parameter_id": 13, "cipher": "aes-128"}])
    ).files[name]
    for forged, result, reason in (
        (bytes(altered), "failed", "card-security-digest-mismatch"),
        (data[:-1] + bytes([data[-1] ^ 1]), "failed", "card-security-signature-invalid"),
        (b"\x30\x00", "failed", "card-security-malformed"),
        (other, "not_performed", "csca-unknown"),
    ):
        verdict = verdict_of(replace(cam, files={**cam.files, name: forged}), cam_card)
        check = verdict.check("card-security")
        assert (check.result, check.reason) == (result, reason)
        assert verdict.outcome != "PASSED"


def test_offer_that_card_security_alone_still_names(cam: ChipEvidence) -> None:
    """EF.CardAccess without the offers that the issuer signed in EF.CardSecurity."""
    signed = parse_card_security(cam.files["EF.CardSecurity"]).security_infos
    ta_only = bytes.fromhex("310F300D060804007F0007020202020101")
    stripped = replace(cam, files={**cam.files, "EF.CardAccess": ta_only}, access="BAC", pace=None)
    check = check_downgrade(stripped, None, sod_lists_dg14=False, card_security=signed)
    assert (check.result, check.reason) == ("failed", "pace-offer-removed")


def test_another_pace_than_was_offered() -> None:
    evidence = read(personalise(profile()))
    dg14 = parse_dg14(evidence.files["EF.DG14"])
    assert evidence.pace is not None
    for used in (replace(evidence.pace, parameter_id=12), replace(evidence.pace, oid="0.4.0")):
        check = check_downgrade(replace(evidence, pace=used), dg14, sod_lists_dg14=True)
        assert (check.result, check.reason) == ("failed", "pace-not-offered")


@pytest.fixture(scope="module")
def dg14() -> bytes:
    return personalise(profile(active_authentication="none")).files["EF.DG14"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("oid", None),
        ("oid", "1" * 65),
        ("key_id", -1),
        ("key_id", "1"),
        ("key_id", True),
        ("private_key", "0"),
        ("private_key", "-1"),
        ("private_key", 5),
        ("private_key", "ff" * 300),
        ("private_key", "no hex"),
        ("dg14_sha256", None),
        ("short_identifiers", 1),
        ("more", 1),
    ],
)
def test_challenges_that_are_none(dg14: bytes, name: str, value: object) -> None:
    values = challenge_chip(dg14).to_dict()
    assert ChipAuthenticationChallenge.from_dict(values).to_dict() == values
    with pytest.raises(ChallengeMalformedError):
        ChipAuthenticationChallenge.from_dict(values | {name: value})
    for something_else in (None, [], "text", {}):
        with pytest.raises(ChallengeMalformedError):
            ChipAuthenticationChallenge.from_dict(something_else)


def test_the_servers_secret_is_not_printable(dg14: bytes) -> None:
    challenge = challenge_chip(dg14)
    printed = repr(challenge) + repr(challenge.request(dg14))
    assert f"{challenge.private_key}" not in printed
    assert f"{challenge.private_key:x}" not in printed
