"""Published specimen chips: every file parses, and the issuers' signatures hold.

Data: `chip/` of the test data, whose SOURCES.md names origin and licence of each file.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from devices.emrtd.crypto.public_keys import EcKey, RsaKey
from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.lds import Com, parse_com, parse_dg1, parse_dg2, parse_dg14, parse_dg15
from devices.emrtd.lds.sod import parse_sod, verify_sod
from devices.emrtd.trust.certificates import parse_certificate
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.verification.verifier import ChipVerdict, verify_evidence

BSI = {
    "EF.SOD": "EF_SOD.bin",
    "EF.DG1": "Datagroup1.bin",
    "EF.DG2": "Datagroup2.bin",
    "EF.DG14": "Datagroup14.bin",
}
LOES = {
    "EF.SOD": "ef011D.bin",
    "EF.DG1": "ef0101.bin",
    "EF.DG2": "ef0102.bin",
    "EF.DG15": "ef010F.bin",
}
SPECIMENS = [
    pytest.param("bsi2008", BSI, datetime(2008, 6, 1, tzinfo=UTC), id="bsi2008"),
    pytest.param("loes2006", LOES, datetime(2008, 6, 1, tzinfo=UTC), id="loes2006"),
]


def _evidence(folder: Path, names: dict[str, str]) -> ChipEvidence:
    return ChipEvidence(
        files={name: (folder / file).read_bytes() for name, file in names.items()},
        access="BAC",
        access_offered=(),
        downgrade_reason=None,
        policy="prefer_pace",
        pace=None,
        aa_challenge=None,
        aa_response=None,
        times_ms={},
        apdu_count=0,
        reader="test",
        agent="test",
    )


def _verify(evidence: ChipEvidence, anchors: TrustAnchors, at: datetime) -> ChipVerdict:
    return verify_evidence(evidence, anchors, challenge=None, at=at)


def _pinned(evidence: ChipEvidence) -> TrustAnchors:
    assert evidence.sod is not None
    return TrustAnchors((verify_sod(parse_sod(evidence.sod)).signer,))


@pytest.mark.parametrize(("folder", "names", "at"), SPECIMENS)
def test_passive_authentication_with_the_signer_pinned(
    test_data: Path, folder: str, names: dict[str, str], at: datetime
) -> None:
    evidence = _evidence(test_data / "chip" / folder, names)
    verdict = _verify(evidence, _pinned(evidence), at)
    assert verdict.passive_authentication == "ok"
    assert verdict.check("dsc-chain").reason == "dsc-pinned"
    assert verdict.document is not None
    assert verdict.document.portrait_media_type in ("image/jpeg", "image/jp2")
    assert verdict.dg_verified == tuple(sorted(int(n[5:]) for n in names if n != "EF.SOD"))


@pytest.mark.parametrize(("folder", "names", "at"), SPECIMENS)
def test_expired_signer_fails_today(
    test_data: Path, folder: str, names: dict[str, str], at: datetime
) -> None:
    evidence = _evidence(test_data / "chip" / folder, names)
    verdict = _verify(evidence, _pinned(evidence), datetime(2026, 11, 21, tzinfo=UTC))
    assert verdict.outcome == "FAILED"
    assert "dsc-expired" in verdict.reasons
    assert verdict.document is None


@pytest.mark.parametrize(("folder", "names", "at"), SPECIMENS)
def test_unknown_issuer_is_indeterminate(
    test_data: Path, folder: str, names: dict[str, str], at: datetime
) -> None:
    verdict = _verify(_evidence(test_data / "chip" / folder, names), TrustAnchors(()), at)
    assert (verdict.outcome, verdict.document) == ("INDETERMINATE", None)
    assert "csca-unknown" in verdict.reasons


@pytest.mark.parametrize(("folder", "names", "at"), SPECIMENS)
def test_each_altered_data_group_is_found(
    test_data: Path, folder: str, names: dict[str, str], at: datetime
) -> None:
    genuine = _evidence(test_data / "chip" / folder, names)
    for name in names:
        if name == "EF.SOD":
            continue
        data = bytearray(genuine.files[name])
        data[len(data) // 2] ^= 1
        altered = ChipEvidence(**{**vars(genuine), "files": {**genuine.files, name: bytes(data)}})
        verdict = _verify(altered, _pinned(genuine), at)
        assert verdict.check("data-group-hashes").reason == "dg-hash-mismatch"
        assert (verdict.outcome, verdict.document) == ("FAILED", None)


def test_a_data_group_that_the_sod_does_not_list_is_a_failure(test_data: Path) -> None:
    # The BSI set brings a DG15 that its own SOD does not list.
    names = BSI | {"EF.DG15": "Datagroup15.bin"}
    evidence = _evidence(test_data / "chip/bsi2008", names)
    verdict = _verify(evidence, _pinned(evidence), datetime(2008, 6, 1, tzinfo=UTC))
    assert (verdict.outcome, verdict.document) == ("FAILED", None)
    assert verdict.check("data-group-hashes").reason == "dg-not-in-sod"


def test_bsi_files_parse(test_data: Path) -> None:
    folder = test_data / "chip/bsi2008"
    mrz = parse_dg1((folder / "Datagroup1.bin").read_bytes())
    assert (mrz.format, mrz.issuer, mrz.name) == ("TD3", "D", "MUSTERMANN ERIKA")
    com = parse_com((folder / "EF_COM.bin").read_bytes())
    assert com == Com("1.7", "4.0.0", (1, 2, 3, 14))
    (face,) = parse_dg2((folder / "Datagroup2.bin").read_bytes())
    assert face.media_type in ("image/jpeg", "image/jp2")
    infos = parse_dg14((folder / "Datagroup14.bin").read_bytes())
    assert any(info.oid.startswith("0.4.0.127.0.7.2.2.1") for info in infos)
    key = parse_dg15((folder / "Datagroup15.bin").read_bytes())
    assert isinstance(key, RsaKey)
    assert key.size_bytes == 128


def test_iso_39794_face_is_the_published_picture(test_data: Path) -> None:
    folder = test_data / "chip/dg2_iso39794"
    picture = (folder / "silver.jp2").read_bytes()
    for name in ("dg2_silver_mandatory_fields.bin", "dg2_silver_all_fields.bin"):
        faces = parse_dg2((folder / name).read_bytes())
        assert [face.data for face in faces] == [picture]
        assert faces[0].media_type == "image/jp2"


def test_vietnamese_csca_with_explicit_parameters_loads(test_data: Path) -> None:
    path = test_data / "chip/certs/VN_CSCA_ePassport_2022_from_DE_ML.der"
    certificate = parse_certificate(path.read_bytes())
    assert isinstance(certificate.public_key, EcKey)
    assert certificate.public_key.curve.name == "brainpoolP512r1"
    assert (certificate.country, certificate.extensions.is_ca) == ("VN", True)
    certificate.verify_issued_by(certificate)
