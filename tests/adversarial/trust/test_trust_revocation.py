"""Revocation lists: fresh, stale, missing, forged; and what they take back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509

from devices.emrtd.errors import CrlUnusableError
from devices.emrtd.trust.crl import Crl, parse_crl
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.verification.verifier import ChipVerdict
from devices.tlv import parse_tlv
from tests.fixtures import trust_pki as pki
from tests.fixtures.trust_pki import AT, Issued, authority, document_signer, resigned

CSCA = authority()
SIGNER = document_signer(CSCA)


def _check(*crls: Crl, csca: Issued = CSCA, signer: Issued = SIGNER, more: tuple[Issued, ...] = ()):
    certificates = tuple(c.certificate for c in (csca, *more))
    verdict = pki.verdict_of(resigned(signer), TrustAnchors(certificates, crls))
    check = verdict.check("crl")
    return verdict, (str(check.result), check.reason)


def test_missing() -> None:
    verdict, found = _check()
    assert found == ("not_performed", "crl-missing")
    assert (verdict.outcome, verdict.crl_time) == ("PASSED", None)


def test_of_another_authority() -> None:
    other = authority(3, "another CSCA")
    _, found = _check(pki.crl(other), more=(other,))
    assert found == ("not_performed", "crl-missing")


def test_fresh() -> None:
    crl = pki.crl(CSCA, revoked=[1, 2, 3])
    verdict, found = _check(crl)
    assert (found, verdict.crl_time) == (("ok", None), crl.this_update)


def test_stale() -> None:
    crl = pki.crl(CSCA, this_update=AT - timedelta(days=99), next_update=AT - timedelta(days=9))
    verdict, found = _check(crl)
    assert found == ("not_performed", "crl-stale")
    assert verdict.outcome == "PASSED"


def test_newest_counts() -> None:
    old = pki.crl(CSCA, this_update=AT - timedelta(days=99), next_update=AT - timedelta(days=9))
    for crls in ((old, pki.crl(CSCA)), (pki.crl(CSCA), old)):
        assert _check(*crls)[1] == ("ok", None)


def test_not_yet_valid() -> None:
    crl = pki.crl(CSCA, this_update=AT + timedelta(days=1))
    assert _check(crl)[1] == ("not_performed", "crl-not-yet-valid")


@pytest.mark.parametrize("days", [80, -9])
def test_revoked_by_a_fresh_or_a_stale_list(days: int) -> None:
    serial = SIGNER.certificate.serial_number
    crl = pki.crl(
        CSCA,
        revoked=[7, serial],
        this_update=AT - timedelta(days=99),
        next_update=AT + timedelta(days=days),
    )
    verdict, found = _check(crl)
    assert found == ("failed", "dsc-revoked")
    assert (verdict.outcome, verdict.reasons) == ("FAILED", ("dsc-revoked",))
    assert verdict.document is None


def test_forged_list_neither_clears_nor_revokes() -> None:
    stranger = pki.key(9)
    for revoked in ([], [SIGNER.certificate.serial_number]):
        verdict, found = _check(pki.crl(CSCA, revoked=revoked, signed_by=stranger))
        assert found == ("not_performed", "crl-signature-invalid")
        assert verdict.outcome == "PASSED"


def test_altered_list() -> None:
    crl = pki.crl(CSCA, revoked=[SIGNER.certificate.serial_number])
    serial = SIGNER.certificate.serial_number.to_bytes(20, "big").lstrip(b"\0")
    assert serial in crl.der
    altered = parse_crl(crl.der.replace(serial, serial[:-1] + bytes([serial[-1] ^ 1])))
    assert _check(altered)[1] == ("not_performed", "crl-signature-invalid")


def test_authority_that_may_not_sign_lists() -> None:
    csca = authority(4, key_usage=pki.usage("key_cert_sign"))
    signer = document_signer(csca)
    _, found = _check(pki.crl(csca), csca=csca, signer=signer)
    assert found == ("not_performed", "crl-signature-invalid")


def test_authority_that_lists_itself() -> None:
    for days in (80, -9):
        crl = pki.crl(
            CSCA,
            revoked=[CSCA.certificate.serial_number],
            this_update=AT - timedelta(days=99),
            next_update=AT + timedelta(days=days),
        )
        verdict, found = _check(crl)
        assert found == ("failed", "csca-revoked")
        assert (verdict.outcome, verdict.reasons) == ("FAILED", ("csca-revoked",))
        assert verdict.document is None


class TestCardSecurity:
    """EF.CardSecurity has a signer of its own, which can be revoked like the SOD's."""

    signer = document_signer(CSCA, number=101, subject=pki.name("CardSecurity signer"))

    def _check(
        self, *crls: Crl, signer: Issued | None = None, **odd: Any
    ) -> tuple[ChipVerdict, tuple[str, str | None]]:
        evidence = resigned(SIGNER)
        content = parse_tlv(evidence.files["EF.DG14"], 0x6E).value
        kind = "0.4.0.127.0.7.3.2.1"
        signed = pki.signed_data(content, signer or self.signer, content_type=kind, **odd)
        files = {**evidence.files, "EF.CardSecurity": signed}
        anchors = TrustAnchors((CSCA.certificate,), crls)
        verdict = pki.verdict_of(replace(evidence, files=files), anchors)
        check = verdict.check("card-security")
        return verdict, (str(check.result), check.reason)

    def test_not_listed(self) -> None:
        for crls in ((), (pki.crl(CSCA, revoked=[1, 2, 3]),)):
            verdict, found = self._check(*crls)
            assert found == ("ok", None)
            assert verdict.outcome == "PASSED"

    def test_revoked(self) -> None:
        verdict, found = self._check(pki.crl(CSCA, revoked=[self.signer.certificate.serial_number]))
        assert found == ("failed", "dsc-revoked")
        assert str(verdict.check("crl").result) == "ok"
        assert (verdict.outcome, verdict.reasons) == ("FAILED", ("dsc-revoked",))

    def test_its_authority_lists_itself(self) -> None:
        _, found = self._check(pki.crl(CSCA, revoked=[CSCA.certificate.serial_number]))
        assert found == ("failed", "csca-revoked")

    def test_forged_list_revokes_nothing(self) -> None:
        serial = self.signer.certificate.serial_number
        _, found = self._check(pki.crl(CSCA, revoked=[serial], signed_by=pki.key(9)))
        assert found == ("ok", None)

    @pytest.mark.parametrize(
        ("signing_time", "reason"),
        [
            (AT + timedelta(days=1), "signing-time-in-future"),
            (datetime(2020, 12, 31, tzinfo=UTC), "dsc-not-valid-when-signing"),
        ],
    )
    def test_signed_at_another_time(self, signing_time: datetime, reason: str) -> None:
        verdict, found = self._check(signing_time=signing_time)
        assert found == ("failed", reason)
        assert verdict.outcome == "FAILED"


class TestRollover:
    """After a change of key one list, by the new key, speaks for all (9303-12, 7.1.4)."""

    old = authority(10, "CSCA 1")
    new = authority(11, "CSCA 2")
    link = pki.link(old, new)

    def test_list_of_the_new_key_revokes_what_the_old_key_issued(self) -> None:
        signer = document_signer(self.old)
        crl = pki.crl(self.new, revoked=[signer.certificate.serial_number])
        _, found = _check(crl, csca=self.old, signer=signer, more=(self.link,))
        assert found == ("failed", "dsc-revoked")

    def test_fresh_list_of_the_new_key_covers_what_the_old_key_issued(self) -> None:
        signer = document_signer(self.old)
        _, found = _check(pki.crl(self.new), csca=self.old, signer=signer, more=(self.link,))
        assert found == ("ok", None)
        _, unlinked = _check(pki.crl(self.new), csca=self.old, signer=signer, more=(self.new,))
        assert unlinked == ("not_performed", "crl-missing")

    def test_revoked_link(self) -> None:
        signer = document_signer(self.new)
        crl = pki.crl(self.old, revoked=[self.link.certificate.serial_number])
        verdict, found = _check(crl, csca=self.old, signer=signer, more=(self.link,))
        assert found == ("failed", "csca-revoked")
        assert verdict.outcome == "FAILED"

    def test_list_of_the_new_key_says_nothing_about_an_old_anchor_of_the_same_number(self) -> None:
        old = authority(10, "CSCA 1", serial=1)
        signer, linked = document_signer(old), pki.link(old, self.new)
        _, found = _check(pki.crl(self.new, revoked=[1]), csca=old, signer=signer, more=(linked,))
        assert found == ("ok", None)


@pytest.mark.parametrize(
    "extension",
    [
        x509.DeltaCRLIndicator(1),
        x509.IssuingDistributionPoint(
            full_name=[x509.UniformResourceIdentifier("http://a.invalid")],
            relative_name=None,
            only_contains_user_certs=False,
            only_contains_ca_certs=False,
            only_some_reasons=None,
            indirect_crl=True,
            only_contains_attribute_certs=False,
        ),
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"),
    ],
    ids=["delta", "indirect", "unknown"],
)
def test_lists_that_say_less_than_they_seem(extension: x509.ExtensionType) -> None:
    with pytest.raises(CrlUnusableError):
        pki.crl(CSCA, extensions=[(extension, True)])


def test_a_list_of_a_mebibyte_is_read_and_one_beyond_the_bound_refused() -> None:
    serials = range(1 << 100, (1 << 100) + 34_000)
    big = pki.crl(CSCA, revoked=[*serials, SIGNER.certificate.serial_number])
    assert len(big.der) > 1 << 20
    assert len(big.revoked) == 34_001
    assert _check(big)[1] == ("failed", "dsc-revoked")
    with pytest.raises(CrlUnusableError):
        parse_crl(big.der * 5)


def test_pinned_signer_is_revoked_by_its_authoritys_list() -> None:
    crl = pki.crl(CSCA, revoked=[SIGNER.certificate.serial_number])
    verdict, found = _check(crl, csca=SIGNER, more=(CSCA,))
    assert verdict.check("dsc-chain").reason == "dsc-pinned"
    assert found == ("failed", "dsc-revoked")


def test_policy_bounds_a_list_without_next_update() -> None:
    crl = replace(pki.crl(CSCA), next_update=None)
    policy = TrustAnchors(()).policy
    assert not crl.is_stale(crl.this_update + timedelta(days=90), policy)
    assert crl.is_stale(crl.this_update + timedelta(days=91), policy)
