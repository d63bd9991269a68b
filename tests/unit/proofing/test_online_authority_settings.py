"""`online-authority.toml`: what it must hold, and that nothing doubtful in it is used."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey, OKPKey, RSAKey

from api.proofing.online_authority import load_online_authority
from api.settings import Settings, SettingsInvalidError
from tests.fixtures import trust_pki as pki

URL = 'url = "https://authority.example/verdicts"\n'
KEY = 'key = "authority.pem"\n'


def _pem(key: object) -> bytes:
    public = key.public_key()  # type: ignore[attr-defined]
    return bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


P256 = _pem(pki.key(0, "secp256r1"))


def _home(folder: Path, toml: str, pem: bytes = P256) -> Settings:
    (folder / "online-authority.toml").write_text(toml, encoding="utf-8")
    (folder / "authority.pem").write_bytes(pem)
    return Settings(folder)


def test_none(tmp_path: Path) -> None:
    assert Settings(tmp_path).online_authority() is None
    assert load_online_authority(None) is None


def test_all_of_it(tmp_path: Path) -> None:
    root = pki.authority(70, "TLS root", kind="secp256r1").certificate
    (tmp_path / "tls.pem").write_bytes(_certificate_pem(root.der))
    toml = URL + KEY + 'tls_ca = "tls.pem"\ntimeout_s = 2\n'
    settings = _home(tmp_path, toml).online_authority()
    assert settings is not None
    assert (settings.key, settings.tls_ca) == (tmp_path / "authority.pem", tmp_path / "tls.pem")
    assert settings.timeout_s == 2
    assert load_online_authority(settings) is not None


def _certificate_pem(der: bytes) -> bytes:
    from cryptography import x509

    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    ("pem", "kind"),
    [
        (P256, ECKey),
        (_pem(ec.generate_private_key(ec.SECP521R1())), ECKey),
        (_pem(ed25519.Ed25519PrivateKey.generate()), OKPKey),
        (_pem(rsa.generate_private_key(65537, 2048)), RSAKey),
        (_certificate_pem(pki.authority(1, kind="secp256r1").certificate.der), ECKey),
    ],
    ids=["p256", "p521", "ed25519", "rsa-2048", "certificate"],
)
def test_keys(tmp_path: Path, pem: bytes, kind: type) -> None:
    authority = load_online_authority(_home(tmp_path, URL + KEY, pem).online_authority())
    assert authority is not None
    assert isinstance(authority.key, kind)
    assert not authority.key.is_private


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"not a key",
        P256[:-40],
        _pem(rsa.generate_private_key(65537, 1024)),
        _pem(ec.generate_private_key(ec.BrainpoolP256R1())),
        _pem(ec.generate_private_key(ec.SECP256K1())),
        _pem(ed448.Ed448PrivateKey.generate()),
        _pem(x25519.X25519PrivateKey.generate()),
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ],
    ids=["empty", "text", "cut", "rsa-1024", "brainpool", "k256", "ed448", "x25519", "certificate"],
)
def test_keys_that_may_not_sign_answers(tmp_path: Path, pem: bytes) -> None:
    settings = _home(tmp_path, URL + KEY, pem).online_authority()
    with pytest.raises(SettingsInvalidError):
        load_online_authority(settings)


@pytest.mark.parametrize("name", ["key", "tls_ca"])
def test_files_that_are_not_there(tmp_path: Path, name: str) -> None:
    lines = {"key": KEY} | {name: f'{name} = "absent.pem"\n'}
    settings = _home(tmp_path, URL + "".join(lines.values())).online_authority()
    with pytest.raises(SettingsInvalidError):
        load_online_authority(settings)


@pytest.mark.parametrize(
    "toml",
    [
        "",
        "=",
        URL,
        KEY,
        URL + KEY + 'tls_key = "x"',
        URL + KEY + 'timeout_s = "5"',
        URL + KEY + "timeout_s = 0",
        URL + KEY + "timeout_s = 21",
        URL + KEY + "timeout_s = nan",
        URL + KEY + "timeout_s = inf",
        URL + "key = 5",
        URL + KEY + "tls_ca = 5",
        KEY + "url = 5",
        KEY + 'url = "authority.example"',
        KEY + 'url = "https://"',
        KEY + 'url = "http://authority.example/"',
        KEY + 'url = "http://127.0.0.1.example/"',
        KEY + 'url = "ftp://127.0.0.1/"',
        KEY + 'url = "https://user:secret@authority.example/"',
        KEY + 'url = "https://authority.example:99999/"',
        KEY + 'url = "https://[::1/"',
    ],
)
def test_what_is_not_taken(tmp_path: Path, toml: str) -> None:
    with pytest.raises(SettingsInvalidError) as refusal:
        _home(tmp_path, toml).online_authority()
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost:8080"])
def test_a_gateway_on_this_machine_needs_no_tls(tmp_path: Path, host: str) -> None:
    toml = KEY + f'url = "http://{host}/verdicts"\n'
    assert _home(tmp_path, toml).online_authority() is not None
