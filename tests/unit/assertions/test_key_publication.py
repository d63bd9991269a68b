"""What is published: complete, public, the same as files and over HTTP."""

import asyncio
import base64
import hashlib
import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import FastAPI
from joserfc.jwk import KeySet

from api.keys import keys
from api.keys.errors import PublicationUnusableError
from api.keys.folder import KeyFolder
from api.keys.publication import Publication, publish
from api.keys.revocation import revoke
from api.keys.ring import KeyRing
from api.publishing import KeyPublisher, router

NOW = datetime.now(UTC)
ISSUER = "https://office.example/tenant/7"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.init(tmp_path / "keys", issuer=ISSUER, password="một mật khẩu đủ dài", at=NOW)
    return tmp_path / "keys"


@pytest.fixture
def secrets() -> keys.KeySecrets:
    return keys.KeySecrets("một mật khẩu đủ dài")


def published(folder: Path) -> Publication:
    return publish(KeyFolder.read(folder), NOW)


def add_leaf(folder: Path, secrets: keys.KeySecrets) -> str:
    read = KeyFolder.read(folder)
    ca = keys.open_newest_issuing_ca(read, secrets, NOW)
    return keys.renew_leaf(read, ca, secrets, NOW).name


def test_files_and_their_digests(folder: Path, tmp_path: Path) -> None:
    publication = published(folder)
    publication.write(tmp_path / "usb")
    (ca,) = KeyFolder.read(folder).issuing_cas
    names = {file.name for file in (tmp_path / "usb").iterdir()}
    lists = {"root.crl", "root.crl.pem", f"{ca.name}.crl", f"{ca.name}.crl.pem"}
    certificates = {"root.pem", "issuing-ca.pem"}
    assert names == lists | certificates | {
        *("jwks.json", "jwt-vc-issuer.json", "manifest.json", "SHA256SUMS")
    }
    manifest = json.loads((tmp_path / "usb/manifest.json").read_bytes())
    assert set(manifest["files"]) == names - {"manifest.json", "SHA256SUMS"}
    for name, said in manifest["files"].items():
        data = (tmp_path / "usb" / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == said["sha256"]
        assert len(data) == said["bytes"]
    assert manifest["issuer"] == ISSUER
    root = x509.load_pem_x509_certificate((tmp_path / "usb/root.pem").read_bytes())
    assert hashlib.sha256(root.public_bytes(Encoding.DER)).hexdigest() == manifest["root_sha256"]
    der = x509.load_der_x509_crl((tmp_path / f"usb/{ca.name}.crl").read_bytes())
    assert der == x509.load_pem_x509_crl((tmp_path / f"usb/{ca.name}.crl.pem").read_bytes())


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_sha256sum_takes_the_copy_and_finds_a_changed_file(folder: Path, tmp_path: Path) -> None:
    published(folder).write(tmp_path / "usb")
    command = ["sha256sum", "--strict", "-c", "SHA256SUMS"]
    good = subprocess.run(command, cwd=tmp_path / "usb", capture_output=True, check=False)
    assert good.returncode == 0
    assert len(good.stdout.splitlines()) == 9
    with (tmp_path / "usb/jwks.json").open("ab") as file:
        file.write(b" ")
    changed = subprocess.run(command, cwd=tmp_path / "usb", capture_output=True, check=False)
    assert changed.returncode == 1


def test_nothing_private_is_published(folder: Path) -> None:
    for file in published(folder).files.values():
        assert b"PRIVATE" not in file.data
        assert b'"d"' not in file.data


def test_rfc7517_key_set(folder: Path, secrets: keys.KeySecrets) -> None:
    add_leaf(folder, secrets)
    jwks = json.loads(published(folder).files["jwks.json"].data)
    assert len(jwks["keys"]) == 2
    assert len(KeySet.import_key_set(jwks).keys) == 2  # joserfc reads it
    newest = keys.load(folder, secrets.password)
    assert jwks["keys"][0]["kid"] == newest.kid
    for jwk in jwks["keys"]:
        assert (jwk["kty"], jwk["crv"], jwk["alg"], jwk["use"]) == ("EC", "P-256", "ES256", "sig")
        leaf = base64.b64decode(jwk["x5c"][0])
        digest = base64.urlsafe_b64encode(hashlib.sha256(leaf).digest()).rstrip(b"=").decode()
        assert jwk["x5t#S256"] == digest
        point = x509.load_der_x509_certificate(leaf).public_key().public_numbers()
        x = base64.urlsafe_b64decode(jwk["x"] + "=")
        assert int.from_bytes(x) == point.x
        # RFC 7638 §3: the thumbprint by joserfc.
        assert KeySet.import_key_set({"keys": [jwk]}).keys[0].thumbprint() == jwk["kid"]


def test_an_expired_leaf_stays_and_a_revoked_one_goes(
    folder: Path, secrets: keys.KeySecrets
) -> None:
    add_leaf(folder, secrets)
    late = publish(KeyFolder.read(folder), NOW + timedelta(days=1000))
    assert len(json.loads(late.files["jwks.json"].data)["keys"]) == 2
    read = KeyFolder.read(folder)
    ca = keys.open_newest_issuing_ca(read, secrets, NOW)
    revoke(read, read.leaves[0], ca, NOW)
    kids = [k["kid"] for k in json.loads(published(folder).files["jwks.json"].data)["keys"]]
    assert kids == [keys.load(folder, secrets.password).kid]


def test_issuer_metadata_only_for_https(folder: Path, tmp_path: Path) -> None:
    metadata = json.loads(published(folder).files["jwt-vc-issuer.json"].data)
    assert metadata["issuer"] == ISSUER
    assert set(metadata) == {"issuer", "jwks"}
    keys.init(tmp_path / "urn", password=None)
    assert "jwt-vc-issuer.json" not in published(tmp_path / "urn").files


def test_a_later_publication_takes_the_place(
    folder: Path, secrets: keys.KeySecrets, tmp_path: Path
) -> None:
    published(folder).write(tmp_path / "usb")
    add_leaf(folder, secrets)
    published(folder).write(tmp_path / "usb")
    assert len(json.loads((tmp_path / "usb/jwks.json").read_bytes())["keys"]) == 2


def test_no_foreign_folder_is_joined(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(PublicationUnusableError):
        published(folder).write(tmp_path)
    with pytest.raises(PublicationUnusableError):
        published(folder).write(tmp_path / "note.txt")


class Client:
    """Asks an application that has only these routes."""

    def __init__(self, publisher: KeyPublisher | None) -> None:
        self._app = FastAPI()
        self._app.include_router(router)
        self._app.state.key_publisher = publisher

    def get(self, path: str, **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                return await client.get(path, **more)

        return asyncio.run(ask())


@pytest.fixture
def client(folder: Path, secrets: keys.KeySecrets) -> Client:
    return Client(KeyPublisher(KeyRing(folder, secrets)))


def test_http_serves_the_same_files(client: Client, folder: Path) -> None:
    files = published(folder).files
    manifest = client.get("/v1/keys").json()
    assert set(manifest["files"]) == set(files) - {"manifest.json", "SHA256SUMS"}
    for name, said in manifest["files"].items():
        answer = client.get(f"/v1/keys/{name}")
        assert hashlib.sha256(answer.content).hexdigest() == said["sha256"]
        assert answer.headers["content-type"] == files[name].media_type
        assert answer.headers["cache-control"].startswith("public, max-age=")
    assert client.get("/v1/keys/root.crl").headers["content-type"] == "application/pkix-crl"


def test_http_well_known(client: Client) -> None:
    jwks = client.get("/.well-known/jwks.json")
    assert jwks.headers["content-type"] == "application/jwk-set+json"
    metadata = client.get("/.well-known/jwt-vc-issuer/tenant/7").json()
    assert metadata == {"issuer": ISSUER, "jwks": jwks.json()}
    for other in ("", "/tenant", "/tenant/7/8", "/tenant/77"):
        assert client.get(f"/.well-known/jwt-vc-issuer{other}").status_code == 404


def test_http_conditional(client: Client, folder: Path, secrets: keys.KeySecrets) -> None:
    first = client.get("/.well-known/jwks.json")
    tag = {"If-None-Match": first.headers["etag"]}
    same = client.get("/.well-known/jwks.json", headers=tag)
    assert (same.status_code, same.content) == (304, b"")
    assert client.get("/v1/keys", headers={"If-None-Match": '"other"'}).status_code == 200
    add_leaf(folder, secrets)
    renewed = client.get("/.well-known/jwks.json", headers=tag)
    assert renewed.status_code == 200
    assert len(renewed.json()["keys"]) == 2


@pytest.mark.parametrize(
    "name", ["none.pem", "root.key.pem", "..%2froot.pem", "%2e%2e/offline/root.key.pem", "a" * 3000]
)
def test_http_nothing_else(client: Client, name: str) -> None:
    assert client.get(f"/v1/keys/{name}").status_code == 404


def test_http_state(client: Client) -> None:
    state = client.get("/v1/keys/state")
    assert state.json()["days_left"] == 90
    assert state.json()["warnings"] == []
    assert state.headers["cache-control"] == "no-store"


def test_http_without_a_ring() -> None:
    assert Client(None).get("/v1/keys").status_code == 404
    assert Client(None).get("/.well-known/jwks.json").status_code == 404
