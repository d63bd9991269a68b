"""Which `iss` keys can be made for: it is in every assertion, and cannot be changed there."""

from pathlib import Path

import pytest

from api.assertions.errors import SigningKeyUnusableError
from api.keys import keys


@pytest.mark.parametrize(
    "issuer",
    [
        *("office", "https:", "https://", "https:///path", "http:office.example", "urn:"),
        *("https://văn.example", "https://a b", "https://a\nb", "https://a\x7f", "https://a\t"),
        *("https://[", "https://[::1", " https://a.example", "://a.example"),
        "https://a.example/" + "x" * 2000,
    ],
)
def test_what_is_no_uri_is_refused(tmp_path: Path, issuer: str) -> None:
    with pytest.raises(SigningKeyUnusableError):
        keys.init(tmp_path / "keys", issuer=issuer, password=None)
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize(
    "issuer", ["https://a.example", "https://a.example:8443/b", "urn:uuid:1", "did:web:a.example"]
)
def test_what_is_one_is_in_the_leaf(tmp_path: Path, issuer: str) -> None:
    assert keys.init(tmp_path / "keys", issuer=issuer, password=None).issuer == issuer
    assert keys.load(tmp_path / "keys", None).issuer == issuer
