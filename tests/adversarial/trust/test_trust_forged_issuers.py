"""Forged issuers, weak algorithms and odd SODs: each ends in its own reason."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509

from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.trust.trust_policy import TrustPolicy
from devices.emrtd.verification.verifier import ChipVerdict
from tests.fixtures import trust_pki as pki
from tests.fixtures.trust_pki import AT, YEAR, Issued, authority, document_signer, resigned

CSCA = authority()
SIGNER = document_signer(CSCA, extensions=[pki.document_types("ID", "P")])


def _refused(verdict: ChipVerdict, check: str, reason: str) -> None:
    assert verdict.outcome == "FAILED"
    assert (verdict.check(check).result, verdict.check(check).reason) == ("failed", reason)
    assert verdict.document is None or check == "document-consistency"


def test_the_control_passes() -> None:
    verdict = pki.verdict_of(resigned(SIGNER), CSCA.anchors)
    assert (verdict.outcome, verdict.reasons) == ("PASSED", ())
    assert verdict.path_sha256 == (SIGNER.certificate.sha256, CSCA.certificate.sha256)


@pytest.mark.parametrize("kind", ["secp256r1", "rsa-2048"])
def test_signer_identified_by_its_key(kind: str) -> None:
    signer = document_signer(CSCA, kind=kind)
    verdict = pki.verdict_of(resigned(signer, by_key_identifier=True), CSCA.anchors)
    assert verdict.outcome == "PASSED"


def test_signer_that_names_its_issuer_only_or_names_another_key() -> None:
    stranger = x509.AuthorityKeyIdentifier(b"\x01" * 20, None, None)
    for extensions in ([], [(stranger, False)]):
        signer = document_signer(CSCA, authority_key_identifier=False, extensions=extensions)
        assert pki.verdict_of(resigned(signer), CSCA.anchors).outcome == "PASSED"


def test_issuing_state_that_nobody_knows_is_not_passed_over() -> None:
    evidence = pki.genuine()
    dg1 = evidence.files["EF.DG1"].replace(b"IDVNM", b"IDXYZ")
    groups = evidence.data_groups | {1: dg1}
    files = {**resigned(SIGNER, groups=groups).files, "EF.DG1": dg1}
    verdict = pki.verdict_of(replace(evidence, files=files), CSCA.anchors)
    assert (verdict.outcome, verdict.reasons) == ("INDETERMINATE", ("issuing-state-unknown",))


def test_another_authority_with_the_same_name() -> None:
    verdict = pki.verdict_of(resigned(SIGNER), authority(1).anchors)
    assert (verdict.outcome, verdict.reasons) == ("INDETERMINATE", ("csca-unknown",))
    assert verdict.document is None


FORGED: dict[str, Callable[[], tuple[Issued, TrustAnchors]]] = {
    "dsc-expired": lambda: (document_signer(CSCA, end=AT - timedelta(days=1)), CSCA.anchors),
    "dsc-not-yet-valid": lambda: (
        document_signer(CSCA, begin=AT + timedelta(days=1)),
        CSCA.anchors,
    ),
    "dsc-is-ca": lambda: (document_signer(CSCA, is_ca=True), CSCA.anchors),
    "dsc-key-usage": lambda: (
        document_signer(CSCA, key_usage=pki.usage("key_agreement")),
        CSCA.anchors,
    ),
    "dsc-country-mismatch": lambda: (document_signer(CSCA, country="DE"), CSCA.anchors),
    "dsc-issuer-mismatch": lambda: (
        document_signer(CSCA, issuer_name=pki.name("another name")),
        CSCA.anchors,
    ),
    "dsc-rsa-key-too-short": lambda: (document_signer(CSCA, kind="rsa-1024"), CSCA.anchors),
    "dsc-sha1-refused": lambda: (pki.with_sha1(document_signer(CSCA), CSCA), CSCA.anchors),
    "dsc-extension-unknown": lambda: (
        document_signer(CSCA, extensions=[(_unknown("1.2.3"), True)]),
        CSCA.anchors,
    ),
    "csca-expired": lambda: _under(authority(end=AT - timedelta(days=1))),
    "csca-not-yet-valid": lambda: _under(authority(begin=AT + timedelta(days=1))),
    "csca-key-usage": lambda: _under(authority(key_usage=pki.usage("crl_sign"))),
    "csca-rsa-key-too-short": lambda: _under(authority(kind="rsa-1024")),
    "csca-extension-unknown": lambda: _under(authority(extensions=[(_unknown("1.2.3"), True)])),
}


def _unknown(oid: str) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), b"\x05\x00")


def _under(csca: Issued) -> tuple[Issued, TrustAnchors]:
    return document_signer(csca), csca.anchors


@pytest.mark.parametrize("reason", FORGED)
def test_path(reason: str) -> None:
    signer, anchors = FORGED[reason]()
    _refused(pki.verdict_of(resigned(signer), anchors), "dsc-chain", reason)


def test_purpose_other_than_documents() -> None:
    purpose = x509.ExtendedKeyUsage([pki.MASTER_LIST_SIGNER])
    signer = document_signer(CSCA, extensions=[(purpose, True)])
    _refused(pki.verdict_of(resigned(signer), CSCA.anchors), "dsc-chain", "dsc-key-usage")


def test_authority_signs_a_card_itself_with_its_certificate_pinned() -> None:
    verdict = pki.verdict_of(resigned(CSCA), CSCA.anchors)
    _refused(verdict, "dsc-chain", "dsc-is-ca")


def test_signed_before_or_after_the_key_was_in_use() -> None:
    period = x509.PrivateKeyUsagePeriod(datetime(2022, 1, 1), datetime(2022, 4, 1))
    signer = document_signer(CSCA, extensions=[(period, False)])
    within = resigned(signer, signing_time=datetime(2022, 2, 1, tzinfo=UTC))
    # The key has long stopped signing, the document is valid: so it is meant.
    assert pki.verdict_of(within, CSCA.anchors).outcome == "PASSED"
    for month in (datetime(2021, 12, 1, tzinfo=UTC), datetime(2022, 5, 1, tzinfo=UTC)):
        verdict = pki.verdict_of(resigned(signer, signing_time=month), CSCA.anchors)
        _refused(verdict, "dsc-chain", "dsc-not-valid-when-signing")


def test_signed_later_than_it_is_judged() -> None:
    at = AT.replace(hour=12)
    for later in (timedelta(seconds=1), timedelta(days=400)):
        evidence = resigned(SIGNER, signing_time=at + later)
        verdict = pki.verdict_of(evidence, CSCA.anchors, at)
        _refused(verdict, "dsc-chain", "signing-time-in-future")
        # The same evidence, judged when that time has come.
        assert pki.verdict_of(evidence, CSCA.anchors, at + later).outcome == "PASSED"
    assert pki.verdict_of(resigned(SIGNER, signing_time=at), CSCA.anchors, at).outcome == "PASSED"


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"signers": 0}, "sod-without-signer"),
        ({"signers": 2}, "sod-signers-ambiguous"),
        ({"announced": ()}, "sod-hash-algorithm-missing"),
        ({"announced": ("sha512",)}, "sod-hash-algorithm-missing"),
        ({"groups": {}}, "sod-without-hashes"),
        ({"certificates": ()}, "sod-signer-missing"),
        ({"algorithm": {"algorithm": "md5_rsa"}}, "sod-md5-refused"),
        ({"algorithm": {"algorithm": "sha256_dsa"}}, "sod-algorithm-unsupported"),
        ({"algorithm": {"algorithm": "sha256_rsa"}}, "sod-algorithm-unsupported"),
        ({"algorithm": {"algorithm": "sha512_ecdsa"}}, "sod-signature-invalid"),
        ({"hash_name": "sha1"}, "sod-sha1-refused"),
        ({"content": pki.security_object(pki.genuine().data_groups, "md5")}, "sod-md5-refused"),
        ({"content": pki.security_object(pki.genuine().data_groups, "sha1")}, "sod-sha1-refused"),
        ({"content_type": "2.23.136.1.1.2"}, "sod-malformed"),
    ],
)
def test_sod(odd: dict[str, Any], reason: str) -> None:
    _refused(pki.verdict_of(resigned(SIGNER, **odd), CSCA.anchors), "sod-signature", reason)


def test_hashes_of_another_length_than_the_algorithm_has() -> None:
    content = pki.security_object(pki.genuine().data_groups, "sha256")
    sha256, sha512 = bytes.fromhex("608648016503040201"), bytes.fromhex("608648016503040203")
    forged = resigned(SIGNER, content=content.replace(sha256, sha512))
    verdict = pki.verdict_of(forged, CSCA.anchors)
    _refused(verdict, "sod-signature", "sod-hash-algorithm-mismatch")


def test_hash_algorithm_emptied() -> None:
    content = pki.security_object(pki.genuine().data_groups, "sha256")
    identifier = bytes.fromhex("0609608648016503040201")
    assert identifier in content
    emptied = content.replace(identifier, b"\x05" + identifier[1:])
    verdict = pki.verdict_of(resigned(SIGNER, content=emptied), CSCA.anchors)
    _refused(verdict, "sod-signature", "sod-hash-algorithm-unsupported")


@pytest.mark.parametrize("number", [1, 2, 13, 14, 15])
def test_each_data_group_altered(number: int) -> None:
    evidence = resigned(SIGNER)
    altered = bytearray(evidence.files[f"EF.DG{number}"])
    altered[-1] ^= 1
    files = {**evidence.files, f"EF.DG{number}": bytes(altered)}
    verdict = pki.verdict_of(replace(evidence, files=files), CSCA.anchors)
    _refused(verdict, "data-group-hashes", "dg-hash-mismatch")


def test_floors_can_be_raised_and_lowered() -> None:
    short = document_signer(CSCA, kind="rsa-1024")
    lax = replace(CSCA.anchors, policy=TrustPolicy(min_rsa_bits=1024))
    assert pki.verdict_of(resigned(short), lax).outcome == "PASSED"
    strict = replace(CSCA.anchors, policy=TrustPolicy(min_ec_bits=384))
    _refused(pki.verdict_of(resigned(SIGNER), strict), "dsc-chain", "csca-ec-key-too-short")


def test_sha1_counts_only_of_signers_from_before_the_limit() -> None:
    old_csca = authority(begin=datetime(2010, 1, 1, tzinfo=UTC))
    old = document_signer(old_csca, begin=datetime(2016, 1, 1, tzinfo=UTC))
    old = pki.with_sha1(old, old_csca)
    evidence: ChipEvidence = resigned(
        old,
        hash_name="sha1",
        content=pki.security_object(pki.genuine().data_groups, "sha1"),
        signing_time=datetime(2016, 6, 1, tzinfo=UTC),
    )
    assert pki.verdict_of(evidence, old_csca.anchors).outcome == "PASSED"
    strict = replace(old_csca.anchors, policy=TrustPolicy(allow_sha1=False))
    _refused(pki.verdict_of(evidence, strict), "sod-signature", "sod-sha1-refused")


@pytest.mark.parametrize(
    ("codes", "is_fit"),
    [(("ID",), True), (("P", "ID"), True), (("P",), False), (("I",), False), ((), False)],
)
def test_document_type(codes: tuple[str, ...], is_fit: bool) -> None:
    signer = document_signer(CSCA, extensions=[pki.document_types(*codes)])
    verdict = pki.verdict_of(resigned(signer), CSCA.anchors)
    if is_fit:
        assert verdict.outcome == "PASSED"
    else:
        _refused(verdict, "document-consistency", "document-type-mismatch")


def test_another_states_signer_cannot_issue_a_vietnamese_card() -> None:
    german = authority(2, country="DE")
    verdict = pki.verdict_of(resigned(document_signer(german, country="DE")), german.anchors)
    _refused(verdict, "document-consistency", "issuing-state-mismatch")


class TestLinkCertificates:
    """The authority changes its key; the old key signs the new one."""

    old = authority(10, "CSCA 1")
    new = authority(11, "CSCA 2")
    link = pki.link(old, new)
    signer = document_signer(new)

    def _verdict(self, *certificates: Issued, at: datetime = AT) -> ChipVerdict:
        anchors = TrustAnchors(tuple(c.certificate for c in certificates))
        return pki.verdict_of(resigned(self.signer), anchors, at)

    def test_old_anchor_and_link(self) -> None:
        verdict = self._verdict(self.link, self.old)
        assert verdict.outcome == "PASSED"
        assert verdict.path_sha256 == tuple(
            c.certificate.sha256 for c in (self.signer, self.link, self.old)
        )
        assert verdict.csca_ski == self.old.certificate.key_identifier.hex()

    def test_new_anchor_alone_or_with_link(self) -> None:
        for certificates in ((self.new,), (self.link, self.new), (self.link, self.new, self.old)):
            verdict = self._verdict(*certificates)
            assert verdict.outcome == "PASSED"
            assert verdict.csca_ski == self.new.certificate.key_identifier.hex()

    def test_link_or_old_anchor_alone(self) -> None:
        for certificates in ((self.link,), (self.old,)):
            verdict = self._verdict(*certificates)
            assert (verdict.outcome, verdict.reasons) == ("INDETERMINATE", ("csca-unknown",))

    def test_chain_of_links(self) -> None:
        generations = [authority(20 + n, f"CSCA {n}") for n in range(4)]
        links = [pki.link(a, b) for a, b in itertools.pairwise(generations)]
        signer = document_signer(generations[-1])
        anchors = TrustAnchors(tuple(c.certificate for c in (generations[0], *links)))
        verdict = pki.verdict_of(resigned(signer), anchors)
        assert (verdict.outcome, len(verdict.path_sha256)) == ("PASSED", 5)

    def test_links_in_a_circle_end(self) -> None:
        back = pki.link(self.new, self.old)
        verdict = self._verdict(self.link, back)
        assert (verdict.outcome, verdict.reasons) == ("INDETERMINATE", ("csca-unknown",))

    def test_forged_link(self) -> None:
        other = authority(12, "CSCA 1")
        forged = pki.link(other, self.new)
        verdict = self._verdict(forged, self.old)
        assert verdict.reasons == ("csca-unknown",)

    def test_expired_link(self) -> None:
        expired = pki.link(self.old, self.new, end=AT - timedelta(days=1))
        _refused(self._verdict(expired, self.old), "dsc-chain", "csca-expired")
        assert self._verdict(expired, self.old, self.new).outcome == "PASSED"

    def test_link_to_another_country(self) -> None:
        german = authority(13, "CSCA", "DE")
        signer = document_signer(german, country="DE")
        crossing = pki.link(self.old, german)
        anchors = TrustAnchors((crossing.certificate, self.old.certificate))
        verdict = pki.verdict_of(resigned(signer), anchors)
        _refused(verdict, "dsc-chain", "csca-country-mismatch")

    def test_an_authority_below_the_authority(self) -> None:
        subject = pki.name("SubCA", organisation="Somebody else")
        below = pki.issue(subject, pki.key(14), self.old, is_ca=True)
        signer = document_signer(below)
        anchors = TrustAnchors((below.certificate, self.old.certificate))
        _refused(pki.verdict_of(resigned(signer), anchors), "dsc-chain", "csca-path-length")


def test_expiry_of_the_signer_is_judged_at_the_time_of_the_verdict() -> None:
    signer = document_signer(CSCA, end=AT + YEAR)
    evidence = resigned(signer)
    assert pki.verdict_of(evidence, CSCA.anchors).outcome == "PASSED"
    late = pki.verdict_of(evidence, CSCA.anchors, at=AT + 2 * YEAR)
    _refused(late, "dsc-chain", "dsc-expired")
