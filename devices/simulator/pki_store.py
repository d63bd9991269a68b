"""A test CSCA in a folder, so that the cards of several runs share it."""

from pathlib import Path

from asn1crypto import pem, x509

from devices.simulator.errors import PkiUnusableError
from devices.simulator.keys import load_key
from devices.simulator.pki import TestCsca
from devices.simulator.profile import Signers
from devices.simulator.secret_files import write_secret

_CERTIFICATE, _KEY = "csca.pem", "csca.key.der"
_MAX_BYTES = 1 << 16


def keep_csca(folder: Path, signers: Signers) -> TestCsca:
    """Return the CSCA of a folder, made as the profile says if the folder has none yet.

    Args:
        folder: holds the certificate and the private key; it is made if need be.
        signers: of the first card's profile.

    Raises:
        PkiUnusableError: the folder cannot be used, holds half a CSCA, or one of another country.
    """
    try:
        if (folder / _CERTIFICATE).exists() or (folder / _KEY).exists():
            return _load(folder, signers.country)
        csca = TestCsca.create(
            signers.csca,
            country=signers.country,
            digest=signers.digest,
            rsa_padding=signers.rsa_padding,
        )
        folder.mkdir(parents=True, exist_ok=True)
        write_secret(folder / _KEY, csca.key.private_key_info())
        (folder / _CERTIFICATE).write_bytes(pem.armor("CERTIFICATE", csca.certificate))
    except OSError as error:
        raise PkiUnusableError(f"{folder}: {error.strerror or 'cannot be used'}") from None
    return csca


def _load(folder: Path, country: str) -> TestCsca:
    try:
        _, _, certificate = pem.unarmor(_read(folder / _CERTIFICATE))
        parsed = x509.Certificate.load(certificate, strict=True)
        key = load_key(_read(folder / _KEY))
        found = parsed.subject.native["country_name"]
        mine = parsed.public_key.dump() == key.public_key_info()
    except (ValueError, TypeError, KeyError):
        raise PkiUnusableError(f"{folder} holds no usable test CSCA") from None
    if not mine:
        raise PkiUnusableError(f"{folder}: certificate and key do not belong together")
    if found != country:
        raise PkiUnusableError(f"{folder} holds a CSCA of {found}, the profile asks for {country}")
    return TestCsca(certificate, key)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAX_BYTES)
