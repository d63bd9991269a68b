"""New keys, certificates and first revocation lists, put where the folder has them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from api.errors import ApiError
from api.keys import private_keys
from api.keys.authority import KeyPair
from api.keys.files import encode_private_key, write_file
from api.keys.folder import KEY_SUFFIX, LISTS, name_of
from api.keys.keys_toml import TokenPlace
from api.keys.pkcs11_key import Pkcs11PrivateKey
from api.keys.private_keys import KeySecrets
from api.keys.revocation import days_of, make_list


@dataclass(frozen=True)
class KeyMaker:
    """Makes and stores private keys where the folder has them."""

    folder: Path
    token: TokenPlace | None
    secrets: KeySecrets

    def new(self, use: str) -> Pkcs11PrivateKey | None:
        """Return a new key in the token; None where there is no token and a file will hold it."""
        if self.token is None:
            return None
        return private_keys.open_token(self.token, self.secrets.pin).generate(f"chinhchu {use}")

    def store(self, kind: str, pair: KeyPair, *above: KeyPair) -> str:
        """Write a certificate with what is above it, and its key if that is not in a token."""
        name = name_of(pair.certificate)
        place = self.folder / kind / name
        try:
            if not isinstance(pair.private_key, Pkcs11PrivateKey):
                data = encode_private_key(pair.private_key, self.secrets.password)
                write_file(place.with_name(f"{name}{KEY_SUFFIX}"), data, private=True)
            # Last, for a server takes what has a certificate.
            write_file(place.with_name(f"{name}.pem"), encode_certificates(pair, *above))
        except ApiError:
            if isinstance(pair.private_key, Pkcs11PrivateKey):
                pair.private_key.destroy()
            raise
        return name


def write_first_list(folder: Path, name: str, ca: KeyPair, at: datetime) -> None:
    """Write the first revocation list of a CA, by its NAME or `root`."""
    made = make_list(ca, at, days=days_of(name))
    der = made.public_bytes(serialization.Encoding.DER)
    write_file(folder / LISTS / f"{name}.crl", der)


def encode_certificates(*pairs: KeyPair) -> bytes:
    """Return certificates in PEM, one after another."""
    encoding = serialization.Encoding.PEM
    return b"".join(pair.certificate.public_bytes(encoding) for pair in pairs)
