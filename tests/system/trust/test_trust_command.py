"""`chinhchu trust`, as people and machines call it."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from api.cli import main
from tests.fixtures import trust_pki as pki
from tests.fixtures.trust_pki import authority, document_signer, resigned

CSCA = authority()
SIGNER = document_signer(CSCA)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: object) -> tuple[int, Any]:
        code = main([*map(str, arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return call


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "csca.cer").write_bytes(CSCA.certificate.der)
    (folder / "csca.crl").write_bytes(pki.crl(CSCA).der)
    (folder / "evidence.cbor").write_bytes(resigned(SIGNER).to_bytes())
    return folder


def test_import_list_check_verify(run: Any, files: Path, tmp_path: Path) -> None:
    trust = tmp_path / "trust"
    code, result = run("trust", "import", files / "csca.cer", "--trust", trust)
    assert (code, result["counts"]["new"]) == (0, 1)
    code, listed = run("trust", "list", "--trust", trust, "--country", "vn")
    (entry,) = listed["certificates"]
    assert (entry["country"], entry["key"], entry["role"]) == ("VN", "brainpoolP256r1", "anchor")
    assert (entry["unusable_reason"], entry["sources"]) == (None, ["file"])
    assert run("trust", "list", "--trust", trust, "--country", "DE")[1]["certificates"] == []
    code, checked = run("trust", "check", "--trust", trust)
    assert (code, [c["code"] for c in checked["concerns"]]) == (0, ["crl-missing"])
    verify = ("chip", "verify", files / "evidence.cbor", "--trust", trust)
    verify = (*verify, "--challenge", pki.CHALLENGE.hex(), "--at", pki.AT.isoformat())
    code, verdict = run(*verify)
    assert (code, verdict["outcome"]) == (0, "PASSED")
    assert verdict["trust_list_id"] == result["trust_list_id"]
    assert _crl(verdict) == ("not_performed", "crl-missing")
    assert run("trust", "import", files / "csca.crl", "--trust", trust)[0] == 0
    _, verdict = run(*verify)
    assert _crl(verdict) == ("ok", None)
    assert verdict["crl_time"] == pki.crl(CSCA).this_update.isoformat()
    assert verdict["path_sha256"] == [SIGNER.certificate.sha256, CSCA.certificate.sha256]


def _crl(verdict: Any) -> tuple[str, str | None]:
    (check,) = (c for c in verdict["checks"] if c["name"] == "crl")
    return check["result"], check["reason"]


def test_refusals_have_their_exit_code(run: Any, files: Path, tmp_path: Path) -> None:
    (files / "signer.cer").write_bytes(SIGNER.certificate.der)
    trust = tmp_path / "trust"
    taken = ("trust", "import", files / "csca.cer", files / "signer.cer", "--trust", trust)
    code, result = run(*taken)
    assert (code, result["counts"]) == (
        1,
        {"new": 1, "unchanged": 0, "withdrawn": 0, "refused": 1},
    )
    assert result["entries"][1]["reason"] == "certificate-no-authority"
    assert run(*taken, "--pin")[0] == 0
    code, fault = run("trust", "import", tmp_path / "missing", "--trust", trust)
    assert (code, fault["error"]["code"]) == (4, "input-unusable")


def test_export_and_import_elsewhere(run: Any, files: Path, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    run("trust", "import", files / "csca.cer", files / "csca.crl", "--trust", here)
    key = pki.key(50, "secp256r1")
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (files / "key.pem").write_bytes(private)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (files / "public.pem").write_bytes(public)
    bundle = tmp_path / "counter.bundle"
    export = ("trust", "export", "--trust", here, "--out", bundle)
    code, exported = run(*export, "--key", files / "key.pem")
    assert (code, exported["signed"]) == (0, True)
    take = ("trust", "import", bundle, "--trust", there)
    assert run(*take)[0] == 4
    assert run(*take, "--digest", "00" * 32)[1]["error"]["code"] == "trust-bundle-refused"
    code, result = run(*take, "--signer", files / "public.pem")
    assert (code, result["counts"]["new"]) == (0, 2)
    assert result["trust_list_id"] == exported["trust_list_id"]
    code, result = run(*take, "--digest", exported["digest"])
    assert (code, result["counts"]["unchanged"]) == (0, 2)
    assert run("trust", "import", bundle, files / "csca.cer", "--trust", there)[0] == 4


def test_check_of_an_empty_folder_and_of_none(run: Any, tmp_path: Path) -> None:
    code, checked = run("trust", "check", "--trust", tmp_path)
    assert (code, [c["code"] for c in checked["concerns"]]) == (1, ["store-empty"])
    code, fault = run("trust", "check", "--trust", tmp_path / "missing")
    assert (code, fault["error"]["code"]) == (4, "trust-anchors-unusable")


def test_what_people_see(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trust = str(tmp_path / "trust")
    assert main(["trust", "import", str(files / "csca.cer"), "--trust", trust]) == 0
    assert "1 new" in capsys.readouterr().out
    for action in ("list", "check"):
        assert main(["trust", action, "--trust", trust]) == 0
        assert "1 certificates" in capsys.readouterr().out
    assert main(["trust", "export", "--trust", trust, "--out", str(tmp_path / "b")]) == 0
    assert "digest" in capsys.readouterr().out


@pytest.mark.parametrize("action", ["import", "list", "check", "export"])
def test_help_has_examples(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["trust", action, "--help"])
    assert f"chinhchu trust {action}" in capsys.readouterr().out.split("examples:")[1]
