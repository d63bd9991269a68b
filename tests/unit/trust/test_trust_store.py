"""The trust store on disk, and what an import does to it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import core, pem
from asn1crypto import x509 as asn1_x509
from cryptography import x509

from devices.emrtd.crypto.public_keys import parse_public_key
from devices.emrtd.errors import TrustAnchorsUnusableError, TrustBundleRefusedError
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.trust.trust_bundle import bundle_digest, export_bundle, import_bundle, is_bundle
from devices.emrtd.trust.trust_import import ImportEntry, import_objects
from devices.emrtd.trust.trust_policy import TrustPolicy
from devices.emrtd.trust.trust_status import concerns
from devices.emrtd.trust.trust_store import TrustStore, load_store, open_store, save_store
from tests.fixtures import trust_pki as pki
from tests.fixtures.trust_pki import AT, Issued, authority, document_signer

CSCA = authority()
LIST_ROOT = authority(40, "List CSCA", "DE")
LIST_SIGNER = pki.issue(
    pki.name("ML signer", "DE"),
    pki.key(41),
    LIST_ROOT,
    extensions=[(x509.ExtendedKeyUsage([pki.MASTER_LIST_SIGNER]), True)],
)


class _Certificates(core.SetOf):  # type: ignore[misc]
    _child_spec = asn1_x509.Certificate


class _MasterList(core.Sequence):  # type: ignore[misc]
    _fields = [("version", core.Integer), ("certificates", _Certificates)]  # noqa: RUF012


def _master_list(
    *listed: Issued, signed_at: datetime = AT - timedelta(days=5), signer: Issued = LIST_SIGNER
) -> bytes:
    certificates = [asn1_x509.Certificate.load(c.certificate.der) for c in listed]
    content = _MasterList({"version": 0, "certificates": certificates}).dump()
    return pki.signed_data(content, signer, content_type="2.23.136.1.1.2", signing_time=signed_at)


def _take(
    store: TrustStore, *files: bytes, root: Issued | None = None, pin: bool = False
) -> tuple[TrustStore, list[tuple[str, str, str | None]]]:
    named = [(f"file-{n}", data) for n, data in enumerate(files)]
    certificate = root.certificate if root else None
    store, entries = import_objects(store, named, root=certificate, pin=pin, at=AT)
    return store, _told(entries)


def _told(entries: Sequence[ImportEntry]) -> list[tuple[str, str, str | None]]:
    return [(str(entry.outcome), entry.kind, entry.reason) for entry in entries]


def test_import_save_and_load(tmp_path: Path) -> None:
    crl = pki.crl(CSCA)
    armored = pem.armor("CERTIFICATE", CSCA.certificate.der)
    store, told = _take(TrustStore(), pem.armor("X509 CRL", crl.der), armored)
    # The list comes first and is judged last.
    assert told == [("new", "certificate", None), ("new", "crl", None)]
    save_store(tmp_path / "trust", store)
    anchors = TrustAnchors.from_directory(tmp_path / "trust")
    assert (anchors.certificates, anchors.crls) == ((CSCA.certificate,), (crl,))
    assert anchors.digest == store.anchors.digest
    again, told = _take(load_store(tmp_path / "trust"), CSCA.certificate.der, crl.der)
    assert told == [("unchanged", "certificate", None), ("unchanged", "crl", None)]
    assert again.anchors.digest == anchors.digest


def test_a_plain_folder_with_lists(tmp_path: Path) -> None:
    (tmp_path / "a.cer").write_bytes(CSCA.certificate.der)
    (tmp_path / "a.crl").write_bytes(pki.crl(CSCA).der)
    (tmp_path / "policy.toml").write_text("min_rsa_bits = 3072\nallow_sha1 = false\n")
    anchors = TrustAnchors.from_directory(tmp_path)
    assert (len(anchors.certificates), len(anchors.crls)) == (1, 1)
    assert anchors.policy == TrustPolicy(min_rsa_bits=3072, allow_sha1=False)
    assert pki.verdict_of(pki.resigned(document_signer(CSCA)), anchors).outcome == "PASSED"


@pytest.mark.parametrize(
    "text",
    ["min_rsa_bits = '1024'", "rsa = 1", "allow_sha1 = 1", "=", "sha1_signers_before = 2020-01-01"],
)
def test_a_policy_that_is_not_understood_stops_everything(tmp_path: Path, text: str) -> None:
    (tmp_path / "policy.toml").write_text(text)
    with pytest.raises(TrustAnchorsUnusableError):
        TrustAnchors.from_directory(tmp_path)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    store, _ = _take(TrustStore(), CSCA.certificate.der, pki.crl(CSCA).der)
    save_store(tmp_path, store)
    return tmp_path


@pytest.mark.parametrize("suffix", [".cer", ".crl"])
def test_a_file_that_was_altered_cut_off_or_lost(stored: Path, suffix: str) -> None:
    (file,) = stored.glob(f"*{suffix}")
    data = file.read_bytes()
    for changed in (data[:-1], data[:-1] + bytes([data[-1] ^ 1]), b""):
        file.write_bytes(changed)
        with pytest.raises(TrustAnchorsUnusableError, match=suffix):
            load_store(stored)
    file.unlink()
    with pytest.raises(TrustAnchorsUnusableError, match=suffix):
        load_store(stored)


def test_a_file_that_slipped_in_does_not_count(stored: Path) -> None:
    (stored / "evil.cer").write_bytes(authority(5).certificate.der)
    store = open_store(stored)
    assert list(store.certificates) == [CSCA.certificate.sha256]
    assert ("file-unlisted", "evil.cer") in [(c.code, c.subject) for c in concerns(store, at=AT)]


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"format": "x"},
        {"certificates": 1},
        {"crls": [{}]},
        {"master_lists": [1]},
        {"certificates": [{"sha256": "00", "file": "../a.cer", "sources": []}]},
        {"certificates": [{"sha256": 1, "file": "a.cer", "sources": []}]},
    ],
)
def test_a_manifest_that_is_not_ours(stored: Path, change: dict[str, object]) -> None:
    manifest = json.loads((stored / "trust.json").read_text())
    (stored / "trust.json").write_text(json.dumps(manifest | change))
    with pytest.raises(TrustAnchorsUnusableError):
        load_store(stored)
    (stored / "trust.json").write_text("[" * 10_000)
    with pytest.raises(TrustAnchorsUnusableError):
        load_store(stored)


def test_what_is_refused() -> None:
    signer = document_signer(CSCA)
    stranger = authority(6, "stranger")
    _, told = _take(
        TrustStore(),
        b"",
        b"text",
        pem.armor("PRIVATE KEY", b"\x30\x00"),
        CSCA.certificate.der[:-1],
        CSCA.certificate.der,
        signer.certificate.der,
        _master_list(CSCA),
        pki.crl(stranger).der,
        pki.crl(CSCA, signed_by=stranger.private_key).der,
    )
    assert [reason for _, _, reason in told] == [
        "file-unknown",
        "file-unknown",
        "file-unknown",
        "file-unknown",
        None,
        "certificate-no-authority",
        "master-list-root-missing",
        "crl-signature-invalid",
        "crl-signature-invalid",
    ]
    pinned, told = _take(TrustStore(), signer.certificate.der, pin=True)
    assert told == [("new", "certificate", None)]
    assert pki.verdict_of(pki.resigned(signer), pinned.anchors).outcome == "PASSED"


def test_a_newer_list_withdraws_and_an_older_one_is_refused() -> None:
    one, two, by_hand = authority(7, "one"), authority(8, "two"), authority(9, "by hand")
    first = _master_list(one, two, by_hand, signed_at=AT - timedelta(days=9))
    second = _master_list(two, signed_at=AT - timedelta(days=2))
    store, told = _take(TrustStore(), by_hand.certificate.der, first, root=LIST_ROOT)
    assert [outcome for outcome, *_ in told] == ["new", "new", "new", "new", "unchanged"]
    store, told = _take(store, second, root=LIST_ROOT)
    assert told == [
        ("new", "master-list", None),
        ("unchanged", "certificate", None),
        ("withdrawn", "certificate", None),
    ]
    expected = {two.certificate.sha256, by_hand.certificate.sha256}
    assert set(store.certificates) == expected
    _, told = _take(store, first, root=LIST_ROOT)
    assert told == [("refused", "master-list", "master-list-older")]


def test_a_master_list_signed_by_somebody_else() -> None:
    plain = pki.issue(pki.name("no ML signer", "DE"), pki.key(42), LIST_ROOT)
    foreign = pki.issue(
        pki.name("ML signer", "FR"),
        pki.key(43),
        LIST_ROOT,
        extensions=[(x509.ExtendedKeyUsage([pki.MASTER_LIST_SIGNER]), True)],
    )
    for signer in (plain, foreign):
        store, told = _take(TrustStore(), _master_list(CSCA, signer=signer), root=LIST_ROOT)
        assert told == [("refused", "master-list", "master-list-signer-key-usage")]
        assert not store.certificates
    _, told = _take(TrustStore(), _master_list(CSCA, signer=LIST_SIGNER), root=CSCA)
    assert told == [("refused", "master-list", "master-list-root-mismatch")]
    _, told = _take(TrustStore(), _master_list(), root=LIST_ROOT)
    assert told == [("refused", "master-list", "master-list-malformed")]


def test_what_only_a_master_list_brought_is_pinned_nowhere() -> None:
    signer = document_signer(CSCA)
    store, _ = _take(TrustStore(), _master_list(signer), root=LIST_ROOT)
    assert signer.certificate.sha256 in store.certificates
    verdict = pki.verdict_of(pki.resigned(signer), store.anchors)
    assert verdict.reasons == ("csca-unknown",)


def test_a_newer_crl_replaces_and_an_older_one_is_refused() -> None:
    old = pki.crl(CSCA, this_update=AT - timedelta(days=50))
    new = pki.crl(CSCA, this_update=AT - timedelta(days=5))
    store, _ = _take(TrustStore(), CSCA.certificate.der, old.der)
    store, told = _take(store, new.der)
    assert told == [("withdrawn", "crl", None), ("new", "crl", None)]
    assert list(store.crls) == [new.sha256]
    _, told = _take(store, old.der)
    assert told == [("refused", "crl", "crl-older")]


def test_saving_removes_what_was_withdrawn_and_nothing_else(stored: Path) -> None:
    (stored / "notes.txt").write_text("the operator's")
    other = authority(5)
    store, _ = _take(TrustStore(), other.certificate.der)
    save_store(stored, store)
    names = sorted(file.name for file in stored.iterdir())
    assert names == sorted([f"VN-{other.certificate.sha256[:32]}.cer", "notes.txt", "trust.json"])


class TestBundle:
    store, _ = _take(TrustStore(), CSCA.certificate.der, pki.crl(CSCA).der)
    bundle = export_bundle(store)

    def test_gives_the_same_store(self) -> None:
        assert is_bundle(self.bundle)
        assert not is_bundle(CSCA.certificate.der)
        digest = bundle_digest(self.bundle)
        policy = TrustPolicy(min_rsa_bits=4096)
        before = TrustStore(policy=policy)
        after = import_bundle(self.bundle, before, digest=digest, signer=None)
        assert after.anchors.digest == self.store.anchors.digest
        assert (after.certificates, after.crls) == (self.store.certificates, self.store.crls)
        assert (after.sources, after.policy) == (self.store.sources, policy)
        assert export_bundle(replace(after, policy=self.store.policy)) == self.bundle

    def test_needs_a_digest_or_a_signature(self) -> None:
        for digest in (None, "00" * 32):
            with pytest.raises(TrustBundleRefusedError):
                import_bundle(self.bundle, TrustStore(), digest=digest, signer=None)

    def test_signature(self) -> None:
        key, other = pki.key(50, "secp256r1"), pki.key(51, "secp256r1")
        signed = export_bundle(self.store, key)  # type: ignore[arg-type]
        public = [_spki(k) for k in (key, other)]
        after = import_bundle(signed, TrustStore(), digest=None, signer=public[0])
        assert after.anchors.digest == self.store.anchors.digest
        for data, signer in ((signed, public[1]), (self.bundle, public[0])):
            with pytest.raises(TrustBundleRefusedError):
                import_bundle(data, TrustStore(), digest=None, signer=signer)

    def test_altered(self) -> None:
        digest = bundle_digest(self.bundle)
        for position in range(0, len(self.bundle), 7):
            altered = bytearray(self.bundle)
            altered[position] ^= 1
            try:
                after = import_bundle(bytes(altered), TrustStore(), digest=digest, signer=None)
            except TrustBundleRefusedError:
                continue
            assert after.anchors.digest == self.store.anchors.digest


def _spki(key: pki.PrivateKey) -> object:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    encoded = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return parse_public_key(encoded)


def test_concerns() -> None:
    assert [c.code for c in concerns(TrustStore(), at=AT)] == ["store-empty"]
    soon = authority(7, "soon", end=AT + timedelta(days=30))
    past = authority(8, "past", end=AT - timedelta(days=30))
    twice = authority(0, begin=datetime(2022, 1, 1, tzinfo=AT.tzinfo))
    stale = pki.crl(CSCA, this_update=AT - timedelta(99), next_update=AT - timedelta(9))
    files = [c.certificate.der for c in (CSCA, soon, past, twice)]
    old = _master_list(CSCA, signed_at=AT - timedelta(days=200))
    store, _ = _take(TrustStore(), *files, old, stale.der, root=LIST_ROOT)
    found = [(c.code, c.is_urgent) for c in concerns(store, at=AT)]
    assert found == [
        ("crl-stale", True),
        ("certificate-expires-soon", False),
        ("certificate-unusable", False),
        ("key-twice", False),
        ("master-list-old", False),
    ]
