"""Certificates of the issuer that are revoked, or whose revocation cannot be known."""

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import crl as asn1_crl
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from api.assertions.crl_check import (
    ChainRevokedError,
    CrlStaleError,
    CrlUnusableError,
    check_revocation,
    load_crls,
)
from api.assertions.verification import CheckName
from api.keys.authority import KeyPair
from api.keys.revocation import Revocation, make_list

DAY = timedelta(days=1)


def crl(ca: KeyPair, at: datetime, *revoked: x509.Certificate, days: int = 30, **how: Any) -> bytes:
    entries = [Revocation(c.serial_number, how.pop("since", at), **how) for c in revoked]
    return make_list(ca, at, days=days, add=entries).public_bytes(Encoding.DER)


class Lists:
    """An office with its leaf, and lists of both its CAs."""

    def __init__(self, office: Any) -> None:
        self.office = office
        self.at: datetime = office.at
        self.leaf = x509.load_der_x509_certificate(base64.b64decode(office.key.x5c[0]))
        self.ca = office.issuing_ca.certificate
        self.roots = crl(office.root, self.at - DAY)

    def of_leaves(self, *revoked: x509.Certificate, **how: Any) -> bytes:
        return crl(self.office.issuing_ca, self.at - DAY, *revoked, **how)

    def verify(self, crls: Sequence[bytes], **changes: Any) -> Any:
        return self.office.verify(self.office.issue(), crls=crls, **changes)


@pytest.fixture(scope="module")
def lists(office: Any) -> Lists:
    return Lists(office)


def test_nobody_is_revoked(lists: Lists, passes: Callable[..., None]) -> None:
    passes(lists.verify([lists.of_leaves(), lists.roots]), CheckName.REVOCATION)


def test_lists_in_pem_in_one_file(lists: Lists, passes: Callable[..., None]) -> None:
    ders = [lists.of_leaves(), lists.roots]
    pems = [x509.load_der_x509_crl(der).public_bytes(Encoding.PEM) for der in ders]
    passes(lists.verify([b"a comment\n" + b"\n".join(pems)]), CheckName.REVOCATION)


def test_no_list_is_not_required(lists: Lists, passes: Callable[..., None]) -> None:
    passes(lists.verify([]))


def test_leaf_on_the_list(lists: Lists, fails: Callable[..., None]) -> None:
    fails(lists.verify([lists.of_leaves(lists.leaf), lists.roots]), "chain-revoked")


def test_leaf_on_the_list_while_the_roots_list_is_missing(
    lists: Lists, fails: Callable[..., None]
) -> None:
    fails(lists.verify([lists.of_leaves(lists.leaf)]), "chain-revoked")


def test_issuing_ca_on_the_roots_list(lists: Lists, fails: Callable[..., None]) -> None:
    roots = crl(lists.office.root, lists.at - DAY, lists.ca, reason="ca-compromise")
    fails(lists.verify([lists.of_leaves(), roots]), "chain-revoked")


def test_revoked_later_than_the_time_asked_about_without_proof(
    lists: Lists, fails: Callable[..., None]
) -> None:
    """Whoever holds a stolen key chooses the times that it signs."""
    later = crl(lists.office.issuing_ca, lists.at + DAY, lists.leaf)
    fails(lists.verify([later, lists.roots]), "chain-revoked")


def test_stale_list_that_names_the_leaf_still_counts(
    lists: Lists, fails: Callable[..., None]
) -> None:
    old = crl(lists.office.issuing_ca, lists.at - 40 * DAY, lists.leaf)
    fails(lists.verify([old, lists.roots]), "chain-revoked")


@pytest.mark.parametrize("kept", [0, 1])
def test_list_of_one_ca_is_missing(
    lists: Lists, is_unknown: Callable[..., None], kept: int
) -> None:
    is_unknown(lists.verify([[lists.of_leaves(), lists.roots][kept]]), "crl-missing")


def test_stale_list(lists: Lists, is_unknown: Callable[..., None]) -> None:
    stale = crl(lists.office.issuing_ca, lists.at - 31 * DAY)
    is_unknown(lists.verify([stale, lists.roots]), "crl-stale")


def test_newer_list_beside_a_stale_one(lists: Lists, passes: Callable[..., None]) -> None:
    stale = crl(lists.office.issuing_ca, lists.at - 31 * DAY)
    passes(lists.verify([stale, lists.of_leaves(), lists.roots]), CheckName.REVOCATION)


def test_list_of_another_authority(
    lists: Lists, other_office: Any, is_unknown: Callable[..., None]
) -> None:
    is_unknown(
        lists.verify([crl(other_office.issuing_ca, lists.at - DAY), lists.roots]), "crl-missing"
    )


def test_list_in_the_name_of_the_authority_by_another_key(
    lists: Lists, other_office: Any, is_unknown: Callable[..., None]
) -> None:
    impostor = KeyPair(lists.ca, other_office.issuing_ca.private_key)
    forged = crl(impostor, lists.at - DAY)
    is_unknown(lists.verify([forged, lists.roots]), "crl-signature-invalid")


def test_list_signed_by_the_leaf(lists: Lists, is_unknown: Callable[..., None]) -> None:
    leaf_as_ca = KeyPair(lists.ca, lists.office.key.private_key)
    is_unknown(
        lists.verify([crl(leaf_as_ca, lists.at - DAY), lists.roots]), "crl-signature-invalid"
    )


def test_list_with_a_changed_byte(lists: Lists, is_unknown: Callable[..., None]) -> None:
    der = bytearray(lists.of_leaves(lists.leaf))
    der[-1] ^= 1
    is_unknown(lists.verify([bytes(der), lists.roots]), "crl-signature-invalid")


@pytest.mark.parametrize(
    "extension",
    [
        x509.DeltaCRLIndicator(1),
        x509.IssuingDistributionPoint(
            full_name=None,
            relative_name=None,
            only_contains_user_certs=False,
            only_contains_ca_certs=True,
            only_some_reasons=None,
            indirect_crl=False,
            only_contains_attribute_certs=False,
        ),
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"),
    ],
    ids=["delta", "only-cas", "unknown"],
)
def test_list_of_a_part(
    lists: Lists, is_unknown: Callable[..., None], extension: x509.ExtensionType
) -> None:
    ca = lists.office.issuing_ca
    part = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.certificate.subject)
        .last_update(lists.at - DAY)
        .next_update(lists.at + DAY)
        .add_extension(extension, critical=True)
        .sign(ca.private_key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    is_unknown(lists.verify([part, lists.roots]), "crl-signature-invalid")


@pytest.mark.parametrize(
    "data", [b"", b"\x30\x00", b"-----BEGIN X509 CRL-----", b"no list", bytes(17 << 20)]
)
def test_something_else_than_a_list(lists: Lists, data: bytes) -> None:
    with pytest.raises(CrlUnusableError):
        lists.verify([data])


@pytest.mark.parametrize("order", [1, -1])
def test_two_lists_of_one_second(lists: Lists, fails: Callable[..., None], order: int) -> None:
    """Renewed and revoked within a second: whichever is given first, the later one counts."""
    ca, at = lists.office.issuing_ca, lists.at - DAY
    before = make_list(ca, at, days=30)
    entry = Revocation(lists.leaf.serial_number, at)
    after = make_list(ca, at, days=30, previous=before, add=[entry])
    ders = [made.public_bytes(Encoding.DER) for made in (before, after)][::order]
    fails(lists.verify([*ders, lists.roots]), "chain-revoked")


def test_a_later_list_that_is_silent_does_not_reinstate(
    lists: Lists, fails: Callable[..., None]
) -> None:
    """As after a backup was restored at the CA."""
    before = crl(lists.office.issuing_ca, lists.at - 2 * DAY, lists.leaf)
    fails(lists.verify([before, lists.of_leaves(), lists.roots]), "chain-revoked")


@pytest.mark.parametrize("days", [1, 3])
def test_a_hold_ends_with_the_next_list(
    lists: Lists, fails: Callable[..., None], passes: Callable[..., None], days: int
) -> None:
    ca, at = lists.office.issuing_ca, lists.at - days * DAY
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(lists.leaf.serial_number)
        .revocation_date(at)
        .add_extension(x509.CRLReason(x509.ReasonFlags.certificate_hold), critical=False)
        .build()
    )
    held = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.certificate.subject)
        .last_update(at)
        .next_update(at + 30 * DAY)
        .add_revoked_certificate(entry)
        .sign(ca.private_key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    other = crl(ca, lists.at - 2 * DAY)
    verification = lists.verify([held, other, lists.roots])
    if days == 1:
        fails(verification, "chain-revoked")
    else:
        passes(verification, CheckName.REVOCATION)


def test_lists_that_are_not_given_as_lists_are_not_passed_over(lists: Lists) -> None:
    der = lists.of_leaves(lists.leaf)
    for given in (der, [bytearray(der)], [memoryview(der)], "list.crl", [None]):
        with pytest.raises(CrlUnusableError):
            lists.verify(given)  # type: ignore[arg-type]


@pytest.mark.parametrize("dated", ["revoked", "invalid"])
def test_entry_of_the_year_0_is_from_before(lists: Lists, dated: str) -> None:
    """It is a time that Python cannot hold, and never later than what a timestamp proves."""
    far = datetime(2060, 1, 1, tzinfo=UTC)
    how = {"since": far} if dated == "revoked" else {"reason": None, "invalid_since": far}
    der = lists.of_leaves(lists.leaf, **how)
    assert der.count(b"20600101000000Z") == 1
    changed = asn1_crl.CertificateList.load(der.replace(b"20600101", b"00000101"))
    signed = changed["tbs_cert_list"].dump()
    key = lists.office.issuing_ca.private_key
    changed["signature"] = key.sign(signed, ec.ECDSA(hashes.SHA256()))
    path = (lists.leaf, lists.ca, lists.office.root.certificate)
    crls = load_crls(changed.dump(), lists.roots)
    with pytest.raises(ChainRevokedError):
        check_revocation(path, crls, at=lists.at, proven=True)


def test_lists_already_parsed(lists: Lists, fails: Callable[..., None]) -> None:
    fails(lists.verify(load_crls(lists.of_leaves(lists.leaf), lists.roots)), "chain-revoked")  # type: ignore[arg-type]


@pytest.mark.parametrize("kept", [30, 200])
def test_file_whose_last_list_is_cut_off(lists: Lists, kept: int) -> None:
    """A copy that broke off must not count without the list that it lacks."""
    pems = [
        x509.load_der_x509_crl(der).public_bytes(Encoding.PEM)
        for der in (lists.of_leaves(), lists.of_leaves(lists.leaf))
    ]
    with pytest.raises(CrlUnusableError):
        lists.verify([pems[0] + pems[1][:kept], lists.roots])


def test_list_of_a_part_that_does_not_call_itself_critical(
    lists: Lists, is_unknown: Callable[..., None]
) -> None:
    ca = lists.office.issuing_ca
    delta = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.certificate.subject)
        .last_update(lists.at - DAY)
        .next_update(lists.at + DAY)
        .add_extension(x509.DeltaCRLIndicator(1), critical=False)
        .sign(ca.private_key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    is_unknown(lists.verify([delta, lists.roots]), "crl-signature-invalid")


class TestOfExpiredLeaves:
    """Years later, by a path whose leaf has expired."""

    @pytest.fixture
    def path(self, lists: Lists) -> tuple[x509.Certificate, ...]:
        return (lists.leaf, lists.ca, lists.office.root.certificate)

    def lists_after(self, lists: Lists, **how: Any) -> Any:
        """Lists of a time when the leaf had expired; `make_list` keeps the entries."""
        later = lists.leaf.not_valid_after_utc + DAY
        return load_crls(
            crl(lists.office.issuing_ca, later, **how), crl(lists.office.root, later, days=365)
        )

    def test_list_that_keeps_them(self, lists: Lists, path: Any) -> None:
        check_revocation(path, self.lists_after(lists), at=lists.at, proven=True)

    def test_list_that_may_have_dropped_them(self, lists: Lists, path: Any) -> None:
        ca = lists.office.issuing_ca
        silent = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(ca.certificate.subject)
            .last_update(lists.leaf.not_valid_after_utc + DAY)
            .next_update(lists.leaf.not_valid_after_utc + 30 * DAY)
            .sign(ca.private_key, hashes.SHA256())
        )
        with pytest.raises(CrlStaleError, match="had expired"):
            check_revocation(path, [silent, *load_crls(lists.roots)], at=lists.at, proven=True)

    @pytest.mark.parametrize(
        ("since_days", "invalid_days", "proven", "revoked"),
        [
            (10, None, True, False),  # revoked after the proven time
            (10, None, False, True),  # the same without proof
            (-10, None, True, True),  # revoked before
            (10, -10, True, True),  # revoked after, known to be compromised before
            (10, 5, True, False),  # compromised after, too
        ],
    )
    def test_revocation_and_proven_time(
        self,
        lists: Lists,
        path: Any,
        since_days: int,
        invalid_days: int | None,
        proven: bool,
        revoked: bool,
    ) -> None:
        invalid = None if invalid_days is None else lists.at + invalid_days * DAY
        revocation = Revocation(
            lists.leaf.serial_number, lists.at + since_days * DAY, "key-compromise", invalid
        )
        made = make_list(lists.office.issuing_ca, lists.at + 11 * DAY, days=30, add=[revocation])
        crls = [made, *load_crls(lists.roots)]
        if revoked:
            with pytest.raises(ChainRevokedError):
                check_revocation(path, crls, at=lists.at, proven=proven)
        else:
            check_revocation(path, crls, at=lists.at, proven=proven)
