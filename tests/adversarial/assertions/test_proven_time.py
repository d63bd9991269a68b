"""Assertions verified years later: what a timestamp proves, and what it does not."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from api.assertions import sd_jwt
from api.assertions.status_array import StatusArray
from api.assertions.status_list import Status, sign_status_list
from api.assertions.verification import CheckName
from api.keys import keys
from api.keys.authority import KeyPair, make_issuing_ca, make_leaf, make_root
from api.keys.revocation import Revocation, make_list
from tests.fixtures.timestamp_authority import Tsa

NOW = datetime.now(UTC).replace(microsecond=0)
YEARS = timedelta(days=5 * 365)
DAY = timedelta(days=1)
URI = "urn:chinhchu:status:1"


class Dossier:
    """An assertion of now, with its timestamp, and who made both."""

    def __init__(self, office: Any, folder: Path) -> None:
        self.office = office
        self.tsa = Tsa(folder, kind="rsa", days=10)
        self.root = make_root("Mẫu", NOW - DAY)
        self.ca = make_issuing_ca("Mẫu", self.root, NOW - DAY)
        self.leaf = make_leaf("Mẫu", "https://chinhchu.example", self.ca, NOW - DAY)
        self.key = keys.signing_key(
            self.leaf.private_key, (self.leaf.certificate, self.ca.certificate)
        )
        self.assertion = sd_jwt.issue(office.claims(issued_at=NOW), self.key)

    def stamp(self, at: datetime = NOW, assertion: str | None = None) -> bytes:
        text = self.assertion if assertion is None else assertion
        return self.tsa.token_at(hashlib.sha256(text.encode()).digest(), at)

    def verify(self, **changes: Any) -> Any:
        asked = {
            "roots": [self.root.certificate],
            "at": NOW + YEARS,
            "timestamp": self.stamp(),
            "timestamp_roots": [self.tsa.root.pem],
        }
        assertion = changes.pop("assertion", self.assertion)
        return self.office.verify(assertion, **{**asked, **changes})


@pytest.fixture(scope="module")
def dossier(office: Any, tmp_path_factory: pytest.TempPathFactory) -> Dossier:
    return Dossier(office, tmp_path_factory.mktemp("tsa"))


def test_passes_years_later(dossier: Dossier, passes: Callable[..., None]) -> None:
    verification = dossier.verify()
    passes(verification, CheckName.TIMESTAMP, CheckName.VALIDITY, CheckName.CHAIN)
    assert verification.judged_at == NOW
    assert verification.time_proven


def test_years_later_without_a_timestamp(dossier: Dossier, fails: Callable[..., None]) -> None:
    fails(dossier.verify(timestamp=None), "chain-expired")


def test_expired_while_its_certificates_still_hold(
    dossier: Dossier, fails: Callable[..., None]
) -> None:
    verification = dossier.verify(timestamp=None, at=NOW + DAY)
    fails(verification, "expired")
    assert not verification.time_proven


def test_timestamp_of_another_assertion(dossier: Dossier, fails: Callable[..., None]) -> None:
    other = dossier.stamp(assertion="another")
    fails(dossier.verify(timestamp=other), "timestamp-imprint-mismatch")


def test_timestamp_over_fewer_disclosures(dossier: Dossier, fails: Callable[..., None]) -> None:
    fewer = sd_jwt.present(dossier.assertion, [])
    fails(dossier.verify(assertion=fewer), "timestamp-imprint-mismatch")


def test_timestamp_after_the_assertion_expired(
    dossier: Dossier, fails: Callable[..., None]
) -> None:
    fails(dossier.verify(timestamp=dossier.stamp(NOW + DAY)), "expired")


def test_timestamp_before_the_assertion_was_made(
    dossier: Dossier, fails: Callable[..., None]
) -> None:
    early = dossier.stamp(NOW - timedelta(hours=1))
    fails(dossier.verify(timestamp=early), "not-yet-valid")


def test_timestamp_of_a_time_to_come(dossier: Dossier, fails: Callable[..., None]) -> None:
    verification = dossier.verify(timestamp=dossier.stamp(NOW + DAY), at=NOW + DAY / 2)
    fails(verification, "timestamp-in-future")
    assert [check.name for check in verification.checks] == list(CheckName)


def test_asked_at_the_end_of_time(dossier: Dossier, passes: Callable[..., None]) -> None:
    passes(dossier.verify(at=datetime.max.replace(tzinfo=UTC)), CheckName.TIMESTAMP)


def test_authority_that_nobody_pinned(
    dossier: Dossier, fails: Callable[..., None], tmp_path: Path
) -> None:
    other = Tsa(tmp_path, kind="rsa")
    fails(dossier.verify(timestamp_roots=[other.root.pem]), "timestamp-unpinned-root")


def test_the_issuers_root_does_not_vouch_for_timestamps(
    dossier: Dossier, fails: Callable[..., None]
) -> None:
    issuer = dossier.root.certificate.public_bytes(Encoding.PEM)
    fails(dossier.verify(timestamp_roots=[issuer]), "timestamp-unpinned-root")


def test_no_root_for_the_timestamp(dossier: Dossier, is_unknown: Callable[..., None]) -> None:
    is_unknown(dossier.verify(timestamp_roots=[], at=NOW), "timestamp-root-not-given")


@pytest.mark.parametrize("junk", [b"", b"\x30\x80", b"no token", bytes(100_000)])
def test_something_else_than_a_timestamp(
    dossier: Dossier, fails: Callable[..., None], junk: bytes
) -> None:
    fails(dossier.verify(timestamp=junk), "timestamp-malformed")


class TestRevokedLater:
    """The leaf's key was stolen some time after the assertion was made."""

    def crls(self, dossier: Dossier, invalid_since: datetime | None = None) -> list[Any]:
        entry = Revocation(
            dossier.leaf.certificate.serial_number, NOW + DAY, "key-compromise", invalid_since
        )
        return [
            make_list(dossier.ca, NOW + DAY, days=30, add=[entry]),
            make_list(dossier.root, NOW - DAY, days=365),
        ]

    def test_what_was_timestamped_before_survives(
        self, dossier: Dossier, passes: Callable[..., None]
    ) -> None:
        passes(dossier.verify(crls=self.crls(dossier)), CheckName.REVOCATION)

    def test_what_has_no_timestamp_does_not(
        self, dossier: Dossier, fails: Callable[..., None]
    ) -> None:
        fails(dossier.verify(crls=self.crls(dossier), timestamp=None, at=NOW), "chain-revoked")

    def test_nor_what_was_made_after_the_theft(
        self, dossier: Dossier, fails: Callable[..., None]
    ) -> None:
        fails(dossier.verify(crls=self.crls(dossier, NOW - DAY)), "chain-revoked")


class TestRevokedAuthority:
    """What `--crl` says of the timestamp authority (RFC 3161 §4)."""

    def crls(self, dossier: Dossier, entry: Revocation | None, **how: Any) -> list[Any]:
        """Return the issuer's lists and those of both of the authority's CAs."""
        at = how.pop("at", NOW + DAY)
        entries = [] if entry is None else [entry]
        issuing, root = dossier.tsa.issuing, dossier.tsa.root
        return [
            make_list(dossier.ca, NOW - DAY, days=30),
            make_list(dossier.root, NOW - DAY, days=365),
            make_list(KeyPair(issuing.certificate, issuing.key), at, days=30, add=entries, **how),
            make_list(KeyPair(root.certificate, root.key), at, days=365),
        ]

    def entry(self, dossier: Dossier, since: datetime, reason: str, **how: Any) -> Revocation:
        return Revocation(dossier.tsa.certificate.serial_number, since, reason, **how)

    def test_not_revoked(self, dossier: Dossier, passes: Callable[..., None]) -> None:
        passes(dossier.verify(crls=self.crls(dossier, None)), CheckName.TIMESTAMP)

    def test_lists_of_the_issuer_alone(self, dossier: Dossier, passes: Callable[..., None]) -> None:
        """Of an authority that gives no lists nothing can be looked up."""
        passes(dossier.verify(crls=self.crls(dossier, None)[:2]), CheckName.TIMESTAMP)

    @pytest.mark.parametrize("days", [-1, 1])
    def test_key_lost_before_or_after(
        self, dossier: Dossier, fails: Callable[..., None], days: int
    ) -> None:
        """Who has the key chooses the time in the token."""
        entry = self.entry(dossier, NOW + days * DAY, "key-compromise")
        verification = dossier.verify(crls=self.crls(dossier, entry))
        fails(verification, "timestamp-revoked")
        assert not verification.time_proven

    def test_ended_in_peace_afterwards(self, dossier: Dossier, passes: Callable[..., None]) -> None:
        entry = self.entry(dossier, NOW + DAY, "cessation-of-operation")
        passes(dossier.verify(crls=self.crls(dossier, entry)), CheckName.TIMESTAMP)

    def test_ended_in_peace_before(self, dossier: Dossier, fails: Callable[..., None]) -> None:
        entry = self.entry(dossier, NOW - DAY, "cessation-of-operation")
        fails(dossier.verify(crls=self.crls(dossier, entry)), "timestamp-revoked")

    def test_list_that_ended_before(
        self, dossier: Dossier, is_unknown: Callable[..., None]
    ) -> None:
        old = self.crls(dossier, None, at=NOW - 40 * DAY)
        is_unknown(dossier.verify(crls=old), "timestamp-revocation-unknown")


class TestStatusLater:
    """An assertion that names a status list, and the list that was kept with it."""

    @pytest.fixture
    def named(self, dossier: Dossier) -> str:
        payload = dossier.office.claims(issued_at=NOW).to_payload(dossier.key.issuer)
        claims = {**payload.claims, "status": {"status_list": {"idx": 3, "uri": URI}}}
        return sd_jwt.sign_payload(claims, payload.disclosable, dossier.key)

    def kept(self, dossier: Dossier, status: Status = Status.VALID, at: datetime = NOW) -> str:
        statuses = StatusArray.of_valid(100).set(3, status)
        return sign_status_list(
            statuses, uri=URI, key=dossier.key, at=at, expires_at=at + DAY, ttl_s=86_400
        )

    def judge(self, dossier: Dossier, named: str, *lists: str, **changes: Any) -> Any:
        stamp = dossier.stamp(assertion=named)
        return dossier.verify(
            **{"assertion": named, "timestamp": stamp, "status_lists": lists, **changes}
        )

    def test_list_that_was_fresh_at_the_proven_time(
        self, dossier: Dossier, named: str, passes: Callable[..., None]
    ) -> None:
        passes(self.judge(dossier, named, self.kept(dossier)), CheckName.STATUS)

    def test_the_same_list_without_that_proof_is_stale(
        self, dossier: Dossier, named: str, is_unknown: Callable[..., None]
    ) -> None:
        before = self.kept(dossier, at=NOW - 2 * DAY)
        verification = self.judge(dossier, named, before, timestamp=None, at=NOW)
        is_unknown(verification, "status-list-stale")

    def test_list_that_revokes_and_is_stale_by_now(
        self, dossier: Dossier, named: str, is_unknown: Callable[..., None]
    ) -> None:
        """Its leaf has expired as well; that it revoked is known all the same."""
        later = self.kept(dossier, Status.INVALID, NOW + 20 * DAY)
        judged = self.judge(dossier, named, self.kept(dossier), later)
        is_unknown(judged, "status-list-stale-revoked")

    def test_list_of_today_that_revokes(
        self, dossier: Dossier, named: str, fails: Callable[..., None]
    ) -> None:
        later = self.kept(dossier, Status.INVALID, NOW + 20 * DAY)
        verification = self.judge(
            dossier, named, self.kept(dossier), later, at=NOW + 20 * DAY + DAY / 2
        )
        fails(verification, "revoked")
