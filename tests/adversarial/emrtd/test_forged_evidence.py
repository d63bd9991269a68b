"""A hostile terminal alters, drops, swaps or replays: each attempt ends in its own reason."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from devices.emrtd.checks import Outcome
from devices.emrtd.errors import AuthenticationRefusedError
from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.lds import parse_dg1
from devices.emrtd.lds.dg13 import parse_dg13
from devices.emrtd.lds.mrz import Can, MrzKey
from devices.emrtd.lds.sod import VerifiedSod, parse_sod, verify_sod
from devices.emrtd.terminal.reader import read_chip
from devices.emrtd.trust.certificates import Certificate, parse_certificate
from devices.emrtd.trust.certification_path import verify_chain
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.verification.consistency import check_consistency
from devices.emrtd.verification.document import VerifiedDocument
from devices.emrtd.verification.verifier import ChipVerdict
from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.pki import TestPki
from devices.simulator.profile import CardProfile

Verify = Callable[..., ChipVerdict]
WithFiles = Callable[..., ChipEvidence]
CHALLENGE = bytes.fromhex("0011223344556677")
AT = datetime(2026, 11, 21, tzinfo=UTC)


def _read(image: CardImage, challenge: bytes | None = CHALLENGE) -> ChipEvidence:
    return read_chip(SimulatedCard(image), Can("123456"), challenge=challenge)


def _flipped(data: bytes, position: int) -> bytes:
    changed = bytearray(data)
    changed[position] ^= 1
    return bytes(changed)


def _refused(verdict: ChipVerdict, check: str, reason: str) -> None:
    assert verdict.outcome is Outcome.FAILED
    assert (verdict.check(check).result, verdict.check(check).reason) == ("failed", reason)
    assert reason in verdict.reasons


def test_the_genuine_reading_passes(genuine: ChipEvidence, verdict_on: Verify) -> None:
    verdict = verdict_on(genuine)
    assert (verdict.outcome, verdict.reasons) == ("PASSED", ())
    assert (verdict.clone_method, verdict.clone_result) == ("AA", "ok")
    assert (verdict.passive_authentication, verdict.downgrade_check) == ("ok", "ok")
    assert verdict.dg_verified == (1, 2, 13, 14, 15)
    assert verdict.document is not None
    assert verdict.document.name == "NGUYỄN THỊ MẪU ĐƠN"
    assert verdict.document.id_number == "001190123456"
    assert verdict.document.portrait_media_type == "image/jp2"


@pytest.mark.parametrize("number", [1, 2, 13, 14, 15])
def test_altered_data_group(
    genuine: ChipEvidence, with_files: WithFiles, verdict_on: Verify, number: int
) -> None:
    data = genuine.data_group(number)
    assert data is not None
    verdict = verdict_on(with_files(**{f"DG{number}": _flipped(data, len(data) // 2)}))
    _refused(verdict, "data-group-hashes", "dg-hash-mismatch")
    assert verdict.document is None
    assert verdict.dg_verified == ()


def test_altered_hash_in_the_sod(
    genuine: ChipEvidence, with_files: WithFiles, verdict_on: Verify
) -> None:
    assert genuine.sod is not None
    sod = parse_sod(genuine.sod)
    position = genuine.sod.index(sod.hashes[1])
    verdict = verdict_on(with_files(SOD=_flipped(genuine.sod, position)))
    _refused(verdict, "sod-signature", "sod-digest-mismatch")
    assert verdict.document is None


def test_altered_signature(
    genuine: ChipEvidence, with_files: WithFiles, verdict_on: Verify
) -> None:
    assert genuine.sod is not None
    verdict = verdict_on(with_files(SOD=_flipped(genuine.sod, len(genuine.sod) - 1)))
    _refused(verdict, "sod-signature", "sod-signature-invalid")


def test_no_byte_of_the_sod_changes_what_it_proves(
    genuine: ChipEvidence, with_files: WithFiles, verdict_on: Verify
) -> None:
    assert genuine.sod is not None
    document = verdict_on(genuine).document
    for position in range(len(genuine.sod)):
        altered = with_files(SOD=_flipped(genuine.sod, position))
        verdict = verdict_on(altered, challenge=None)
        if verdict.passive_authentication == "ok":
            # A few bytes of the CMS wrapping are under no signature and say nothing.
            assert altered.sod is not None
            assert parse_sod(altered.sod).hashes == parse_sod(genuine.sod).hashes
            assert verdict.document == document


def test_missing_files(with_files: WithFiles, verdict_on: Verify) -> None:
    _refused(verdict_on(with_files(SOD=None)), "sod-signature", "sod-missing")
    _refused(verdict_on(with_files(DG1=None)), "data-group-hashes", "dg-missing")
    _refused(verdict_on(with_files(DG15=None)), "active-authentication", "dg15-missing")
    _refused(verdict_on(with_files(CardAccess=None)), "downgrade", "card-access-missing")
    without_dg14 = verdict_on(with_files(DG14=None))
    assert without_dg14.outcome is Outcome.INDETERMINATE
    assert "dg14-not-read" in without_dg14.reasons


def test_nothing_at_all_is_refused(genuine: ChipEvidence, verdict_on: Verify) -> None:
    _refused(verdict_on(replace(genuine, files={})), "sod-signature", "sod-missing")


def test_data_group_that_the_sod_does_not_list(
    genuine: ChipEvidence, with_files: WithFiles, verdict_on: Verify
) -> None:
    verdict = verdict_on(with_files(DG11=b"\x6b\x00"))
    _refused(verdict, "data-group-hashes", "dg-not-in-sod")


def test_files_of_another_card(
    profile: CardProfile, portrait: bytes, genuine: ChipEvidence, verdict_on: Verify
) -> None:
    other = _read(personalise(profile, portrait=portrait))
    mixed = replace(genuine, files={**genuine.files, "EF.DG15": other.files["EF.DG15"]})
    verdict = verdict_on(mixed)
    _refused(verdict, "data-group-hashes", "dg-hash-mismatch")
    _refused(verdict, "active-authentication", "dg15-not-authentic")


def test_swapped_dg15_with_the_clones_own_answer(
    profile: CardProfile, genuine: ChipEvidence, verdict_on: Verify
) -> None:
    clone = _read(personalise(profile))
    mixed = replace(
        genuine,
        files={**genuine.files, "EF.DG15": clone.files["EF.DG15"]},
        aa_response=clone.aa_response,
    )
    _refused(verdict_on(mixed), "active-authentication", "dg15-not-authentic")


def test_cloned_chip(card_image: CardImage, verdict_on: Verify) -> None:
    verdict = verdict_on(_read(card_image.cloned()))
    _refused(verdict, "active-authentication", "aa-signature-invalid")
    assert verdict.passive_authentication == "ok"
    assert (verdict.clone_method, verdict.clone_result) == ("AA", "failed")


def test_replayed_answer(card_image: CardImage, genuine: ChipEvidence, verdict_on: Verify) -> None:
    earlier = _read(card_image, bytes(8))
    _refused(verdict_on(earlier), "active-authentication", "aa-challenge-mismatch")
    relabelled = replace(earlier, aa_challenge=CHALLENGE)
    _refused(verdict_on(relabelled), "active-authentication", "aa-signature-invalid")


def test_dropped_answer(genuine: ChipEvidence, verdict_on: Verify) -> None:
    for silent in (
        replace(genuine, aa_response=None),
        replace(genuine, aa_challenge=None, aa_response=None),
    ):
        _refused(verdict_on(silent), "active-authentication", "aa-answer-missing")


def test_the_evidences_own_challenge_proves_nothing(
    genuine: ChipEvidence, verdict_on: Verify
) -> None:
    verdict = verdict_on(genuine, challenge=None)
    assert verdict.outcome is Outcome.INDETERMINATE
    assert verdict.check("active-authentication").result == "not_performed"
    assert verdict.clone_result == "not_performed"


def test_removed_pace_offer(with_files: WithFiles, verdict_on: Verify) -> None:
    # id-TA alone: what a card without PACE would show.
    ta_only = bytes.fromhex("310F300D060804007F0007020202020101")
    evidence = replace(with_files(CardAccess=ta_only), access="BAC", access_offered=(), pace=None)
    _refused(verdict_on(evidence), "downgrade", "pace-offer-removed")
    hidden = replace(with_files(CardAccess=None), access="BAC", access_offered=(), pace=None)
    _refused(verdict_on(hidden), "downgrade", "pace-offer-removed")


def test_bac_despite_pace(genuine: ChipEvidence, verdict_on: Verify) -> None:
    silent = replace(genuine, access="BAC", pace=None)
    _refused(verdict_on(silent), "downgrade", "downgrade-in-silence")
    told = verdict_on(replace(silent, downgrade_reason="pace-failed"))
    assert (told.outcome, told.reasons) == ("INDETERMINATE", ("bac-despite-pace",))


def test_weaker_pace_offer_slipped_in(
    genuine: ChipEvidence, with_files: WithFiles, verdict_on: Verify
) -> None:
    assert genuine.card_access is not None
    # The parameterId of the last info, 13, becomes 12.
    verdict = verdict_on(with_files(CardAccess=genuine.card_access[:-1] + b"\x0c"))
    _refused(verdict, "downgrade", "pace-offer-removed")


def test_unknown_issuer(genuine: ChipEvidence, verdict_on: Verify) -> None:
    for anchors in (TrustAnchors(()), TrustAnchors((parse_certificate(TestPki.create().csca),))):
        verdict = verdict_on(genuine, anchors=anchors)
        assert (verdict.outcome, verdict.reasons) == ("INDETERMINATE", ("csca-unknown",))
        assert verdict.document is None
        assert verdict.passive_authentication == "not_performed"


def _impostor(real: Certificate) -> Certificate:
    """Return a CSCA with the name and key identifier of the real one, for another key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.load_der_x509_certificate(real.der).subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2021, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2049, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier(real.key_identifier), critical=False)
    )
    return parse_certificate(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


def test_impostor_with_the_authoritys_name_and_key_identifier(
    genuine: ChipEvidence, anchors: TrustAnchors, verdict_on: Verify
) -> None:
    impostor = _impostor(anchors.certificates[0])
    verdict = verdict_on(genuine, anchors=TrustAnchors((impostor,)))
    _refused(verdict, "dsc-chain", "dsc-signature-invalid")
    both = verdict_on(genuine, anchors=TrustAnchors((impostor, *anchors.certificates)))
    assert both.outcome is Outcome.PASSED


def test_pinned_signer_vouches_for_itself_only(genuine: ChipEvidence, verdict_on: Verify) -> None:
    assert genuine.sod is not None
    signer = verify_sod(parse_sod(genuine.sod)).signer
    verdict = verdict_on(genuine, anchors=TrustAnchors((signer,)))
    assert (verdict.outcome, verdict.check("dsc-chain").reason) == ("PASSED", "dsc-pinned")


def test_times_outside_validity(genuine: ChipEvidence, verdict_on: Verify) -> None:
    early = verdict_on(genuine, at=datetime(2020, 1, 1, tzinfo=UTC))
    _refused(early, "dsc-chain", "csca-not-yet-valid")
    late = verdict_on(genuine, at=datetime(2047, 1, 1, tzinfo=UTC))
    _refused(late, "dsc-chain", "dsc-expired")
    later = verdict_on(genuine, at=datetime(2050, 1, 1, tzinfo=UTC))
    _refused(later, "dsc-chain", "csca-expired")


def test_signer_not_valid_when_it_signed(genuine: ChipEvidence, anchors: TrustAnchors) -> None:
    assert genuine.sod is not None
    signer = verify_sod(parse_sod(genuine.sod)).signer
    before = signer.not_before - timedelta(days=1)
    with pytest.raises(AuthenticationRefusedError) as refusal:
        verify_chain(signer, anchors, at=AT, signing_time=before)
    assert refusal.value.reason == "dsc-not-valid-when-signing"


def test_signer_of_another_country(
    profile: CardProfile, anchors: TrustAnchors, genuine: ChipEvidence
) -> None:
    assert genuine.sod is not None
    signer = replace(verify_sod(parse_sod(genuine.sod)).signer, country="DE")
    with pytest.raises(AuthenticationRefusedError) as refusal:
        verify_chain(signer, anchors, at=AT, signing_time=None)
    assert refusal.value.reason == "dsc-country-mismatch"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_ca": False}, "csca-key-usage"),
        ({"key_usage": frozenset({"digital_signature"})}, "csca-key-usage"),
        ({"key_usage": None}, "csca-key-usage"),
    ],
)
def test_authority_that_may_not_issue(
    genuine: ChipEvidence,
    anchors: TrustAnchors,
    verdict_on: Verify,
    change: dict[str, Any],
    reason: str,
) -> None:
    real = anchors.certificates[0]
    weak = replace(real, extensions=replace(real.extensions, **change))
    _refused(verdict_on(genuine, anchors=TrustAnchors((weak,))), "dsc-chain", reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"key_usage": frozenset({"key_agreement"})}, "dsc-key-usage"),
        ({"key_usage": None}, "dsc-key-usage"),
        ({"extended_key_usage": frozenset({"2.23.136.1.1.3"})}, "dsc-key-usage"),
        ({"critical": frozenset({"2.5.29.15", "1.2.3"})}, "dsc-extension-unknown"),
    ],
)
def test_signer_that_the_authority_certified_for_something_else(
    genuine: ChipEvidence, anchors: TrustAnchors, change: dict[str, Any], reason: str
) -> None:
    assert genuine.sod is not None
    real = verify_sod(parse_sod(genuine.sod)).signer
    signer = replace(real, extensions=replace(real.extensions, **change))
    with pytest.raises(AuthenticationRefusedError) as refusal:
        verify_chain(signer, anchors, at=AT, signing_time=None)
    assert refusal.value.reason == reason


def test_authority_with_a_rule_that_is_not_understood(
    genuine: ChipEvidence, anchors: TrustAnchors, verdict_on: Verify
) -> None:
    real = anchors.certificates[0]
    name_constraints = frozenset({"2.5.29.30"})
    bound = replace(real, extensions=replace(real.extensions, critical=name_constraints))
    verdict = verdict_on(genuine, anchors=TrustAnchors((bound,)))
    _refused(verdict, "dsc-chain", "csca-extension-unknown")


def test_purpose_and_critical_extensions_are_read_from_the_certificate() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "VN")])
    master_list_signer = x509.ObjectIdentifier("2.23.136.1.1.3")
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2021, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2049, 1, 1, tzinfo=UTC))
        .add_extension(x509.ExtendedKeyUsage([master_list_signer]), critical=True)
        .add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"), critical=True
        )
    )
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    parsed = parse_certificate(certificate)
    assert parsed.extensions.extended_key_usage == {"2.23.136.1.1.3"}
    assert parsed.extensions.critical == {"2.5.29.37", "1.2.3"}


def test_an_authority_cannot_sign_a_card_itself(
    genuine: ChipEvidence, anchors: TrustAnchors
) -> None:
    (authority,) = anchors.certificates
    with pytest.raises(AuthenticationRefusedError) as refusal:
        verify_chain(authority, anchors, at=AT, signing_time=None)
    assert refusal.value.reason == "dsc-is-ca"


def test_expired_document(genuine: ChipEvidence, verdict_on: Verify) -> None:
    last_day = datetime(2030, 5, 20, 23, 59, tzinfo=UTC)
    assert verdict_on(genuine, at=last_day).outcome is Outcome.PASSED
    verdict = verdict_on(genuine, at=last_day + timedelta(minutes=1))
    _refused(verdict, "document-expiry", "document-expired")
    assert verdict.document is not None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id_number": "001190654321"}, "id-number-mismatch"),
        ({"date_of_birth": "21/05/1990"}, "date-of-birth-mismatch"),
        ({"date_of_expiry": "21/05/2030"}, "date-of-expiry-mismatch"),
        ({"sex": "Nam"}, "sex-mismatch"),
        ({"sex": "NAM "}, "sex-mismatch"),
        ({"date_of_issue": "19/05/1990"}, "date-of-issue-mismatch"),
        ({"date_of_issue": "21/05/2030"}, "date-of-issue-mismatch"),
        ({"date_of_issue": "22/11/2026"}, "date-of-issue-mismatch"),
    ],
)
def test_dg1_and_dg13_of_different_people(
    genuine: ChipEvidence, change: dict[str, str], reason: str
) -> None:
    mrz, dg13 = parse_dg1(genuine.files["EF.DG1"]), parse_dg13(genuine.files["EF.DG13"])
    assert check_consistency(mrz, dg13, "VN", AT).result == "ok"
    check = check_consistency(mrz, replace(dg13, **change), "VN", AT)
    assert (check.result, check.reason) == ("failed", reason)


def test_nationality_of_dg1_and_dg13(genuine: ChipEvidence) -> None:
    mrz = replace(parse_dg1(genuine.files["EF.DG1"]), nationality="LAO")
    dg13 = parse_dg13(genuine.files["EF.DG13"])
    assert check_consistency(mrz, dg13, "VN", AT).reason == "nationality-mismatch"


def test_another_states_authority_cannot_issue_a_vietnamese_card(
    profile: CardProfile, verdict_on: Verify
) -> None:
    pki = TestPki.create(country="DE")
    evidence = _read(personalise(profile, pki=pki))
    verdict = verdict_on(evidence, anchors=TrustAnchors((parse_certificate(pki.csca),)))
    _refused(verdict, "document-consistency", "issuing-state-mismatch")


def test_document_number_that_does_not_end_the_personal_number(genuine: ChipEvidence) -> None:
    mrz = replace(parse_dg1(genuine.files["EF.DG1"]), document_number="190123457")
    assert check_consistency(mrz, None, "VN", AT).reason == "document-number-mismatch"


def test_verified_types_cannot_be_made_by_hand(genuine: ChipEvidence, verdict_on: Verify) -> None:
    document = verdict_on(genuine).document
    assert genuine.sod is not None
    sod = parse_sod(genuine.sod)
    with pytest.raises(TypeError):
        VerifiedSod(sod, sod.certificates[0], object())
    fields = {name: value for name, value in vars(document).items() if name != "_seal"}
    with pytest.raises(TypeError):
        VerifiedDocument(**fields, _seal=object())


def test_nothing_personal_is_printable(genuine: ChipEvidence, verdict_on: Verify) -> None:
    verdict = verdict_on(genuine)
    printed = repr((genuine, verdict, verdict.document, MrzKey("190123456", "900520", "300520")))
    printed += repr(Can("123456"))
    for secret in ("190123456", "MẪU", "MAU<", "Ví Dụ", "1990-05-20", "2030-05-20", "(1990, "):
        assert secret not in printed
