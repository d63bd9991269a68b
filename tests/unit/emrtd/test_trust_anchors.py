"""A folder of trust anchors."""

from pathlib import Path

import pytest
from asn1crypto import pem

from devices.emrtd.errors import TrustAnchorsUnusableError
from devices.emrtd.trust.csca import TrustAnchors
from devices.simulator.pki import TestPki


@pytest.fixture(scope="module")
def csca() -> bytes:
    return TestPki.create().csca


def test_der_and_pem_are_the_same_anchor(tmp_path: Path, csca: bytes) -> None:
    (tmp_path / "a.der").write_bytes(csca)
    one = TrustAnchors.from_directory(tmp_path)
    (tmp_path / "B.PEM").write_bytes(pem.armor("CERTIFICATE", csca))
    (tmp_path / "c.crt").write_bytes(csca)
    (tmp_path / "d.cer").write_bytes(csca)
    (tmp_path / "README").write_text("not a certificate")
    four = TrustAnchors.from_directory(tmp_path)
    assert [c.der for c in four.certificates] == [csca]
    assert four.digest == one.digest


def test_the_digest_tells_lists_apart(tmp_path: Path, csca: bytes) -> None:
    empty = TrustAnchors.from_directory(tmp_path)
    (tmp_path / "a.der").write_bytes(csca)
    assert empty.certificates == ()
    assert TrustAnchors.from_directory(tmp_path).digest != empty.digest


@pytest.mark.parametrize("content", [b"", b"text", b"-----BEGIN CERTIFICATE-----", bytes(100_000)])
def test_a_broken_certificate_is_not_skipped(tmp_path: Path, csca: bytes, content: bytes) -> None:
    (tmp_path / "good.der").write_bytes(csca)
    (tmp_path / "bad.cer").write_bytes(content)
    with pytest.raises(TrustAnchorsUnusableError, match=r"bad\.cer"):
        TrustAnchors.from_directory(tmp_path)


def test_a_private_key_is_no_anchor(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(pem.armor("PRIVATE KEY", b"\x30\x00"))
    with pytest.raises(TrustAnchorsUnusableError):
        TrustAnchors.from_directory(tmp_path)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(TrustAnchorsUnusableError):
        TrustAnchors.from_directory(tmp_path / "missing")
