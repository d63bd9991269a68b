"""A personalised card at rest: files, secrets and keys, in memory or in a folder."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from asn1crypto import pem
from pydantic import ConfigDict, TypeAdapter, ValidationError

from devices.simulator.agreement_keys import AgreementKeyPair
from devices.simulator.errors import CardImageInvalidError
from devices.simulator.faults import Fault
from devices.simulator.keys import Digest, generate_key, load_key, type_of
from devices.simulator.lds import APPLICATION_FILES, MASTER_FILES
from devices.simulator.limits import Limits
from devices.simulator.link import LinkModel
from devices.simulator.protocols import ChipAuthenticationKey, PaceOffer
from devices.simulator.quirks import Quirk
from devices.simulator.secret_files import write_secret

DESCRIPTION = "card.json"
FORMAT_VERSION = 2

_FILE_SUFFIX = ".bin"
_MAX_FILE_BYTES = 1 << 20


@dataclass(frozen=True)
class CardBehaviour(Limits):
    """How the chip behaves, apart from its files and keys."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    can: str = field(repr=False)
    mrz_information: str = field(repr=False)
    """Document number, birth and expiry with check digits: the password printed on the card."""
    access: tuple[str, ...]
    """Protocols that open the chip: `pace`, `bac`."""
    quirks: tuple[Quirk, ...]
    pace: tuple[PaceOffer, ...] = (PaceOffer(),)
    """What PACE can be run with."""
    chip_authentication: tuple[ChipAuthenticationKey, ...] = ()
    """What each of `CardImage.ca_keys` is for."""
    active_authentication_digest: Digest = "sha256"
    link: LinkModel | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class CardImage:
    """Everything that a card consists of."""

    behaviour: CardBehaviour
    files: Mapping[str, bytes] = field(repr=False)
    """Contents by name: EF.CardAccess, EF.COM, EF.SOD, EF.DG1 …"""
    csca: bytes = field(repr=False)
    """Certificate of the test CSCA, DER: the trust anchor for a reader."""
    aa_key: bytes | None = field(default=None, repr=False)
    """Private key of Active Authentication, PKCS #8 DER."""
    ca_keys: tuple[bytes, ...] = field(default=(), repr=False)
    """Private keys of Chip Authentication and its mapping, as `AgreementKeyPair` writes them."""

    def cloned(self) -> "CardImage":
        """Return a clone: the same signed files, but other private keys.

        Files can be copied from a genuine chip, its private keys can't.
        """
        ca_keys = tuple(
            AgreementKeyPair.generate(key.parameter_id).private_key_info()
            for key in self.behaviour.chip_authentication
        )
        return replace(self, aa_key=_another(self.aa_key), ca_keys=ca_keys)

    def save(self, folder: Path) -> None:
        """Write the card into a folder, in place of the card that may be there.

        `trust/` in it holds the CSCA's certificate and nothing else.

        Raises:
            CardImageInvalidError: the folder holds something that is no card, or can't be written.
        """
        try:
            if folder.exists() and not (folder / DESCRIPTION).is_file() and any(folder.iterdir()):
                raise CardImageInvalidError(f"{folder} is not empty and holds no card")
            for name in ("files", "keys", "trust"):
                (folder / name).mkdir(parents=True, exist_ok=True)
            for stale in (*(folder / "files").glob("*.bin"), *(folder / "keys").glob("*.der")):
                stale.unlink()
            for name, content in self.files.items():
                (folder / "files" / (name + _FILE_SUFFIX)).write_bytes(content)
            if self.aa_key is not None:
                write_secret(folder / "keys" / "aa.der", self.aa_key)
            for number, key in enumerate(self.ca_keys, 1):
                write_secret(folder / "keys" / f"ca-{number}.der", key)
            (folder / "trust" / "csca.pem").write_bytes(pem.armor("CERTIFICATE", self.csca))
            description = {"format": FORMAT_VERSION} | asdict(self.behaviour)
            write_secret(folder / DESCRIPTION, json.dumps(description, indent=2).encode())
        except OSError as error:
            raise CardImageInvalidError(
                f"{folder}: {error.strerror or 'cannot be written'}"
            ) from None

    @classmethod
    def load(cls, folder: Path) -> "CardImage":
        """Read a card that `save` wrote.

        Raises:
            CardImageInvalidError: the folder holds no complete card.
        """
        behaviour = _parse_behaviour(_read(folder / DESCRIPTION))
        files = {
            name: _read(path)
            for name in MASTER_FILES | APPLICATION_FILES
            if (path := folder / "files" / (name + _FILE_SUFFIX)).exists()
        }
        if not {"EF.COM", "EF.SOD", "EF.DG1"} <= files.keys():
            raise CardImageInvalidError(f"{folder} lacks EF.COM, EF.SOD or EF.DG1")
        if "pace" in behaviour.access and "EF.CardAccess" not in files:
            raise CardImageInvalidError(f"{folder} offers PACE without EF.CardAccess")
        mapping_keys = {offer.parameter_id for offer in behaviour.pace if offer.mapping == "cam"}
        if mapping_keys - {key.key_id for key in behaviour.chip_authentication}:
            raise CardImageInvalidError(f"{folder} offers a mapping without its static key")
        aa_key = _read_aa_key(folder / "keys" / "aa.der")
        ca_keys = tuple(
            _read_ca_key(folder / "keys" / f"ca-{number}.der", key.parameter_id)
            for number, key in enumerate(behaviour.chip_authentication, 1)
        )
        try:
            _, _, csca = pem.unarmor(_read(folder / "trust" / "csca.pem"))
        except ValueError:
            raise CardImageInvalidError(f"{folder}: trust/csca.pem is no certificate") from None
        return cls(behaviour, files, csca, aa_key, ca_keys)


def _another(key: bytes | None) -> bytes | None:
    """Return a fresh private key of the same kind."""
    return None if key is None else generate_key(type_of(load_key(key))).private_key_info()


def _parse_behaviour(description: bytes) -> CardBehaviour:
    try:
        values: Any = json.loads(description)
        if not isinstance(values, dict) or values.pop("format", None) != FORMAT_VERSION:
            raise CardImageInvalidError(f"{DESCRIPTION} is not of format {FORMAT_VERSION}")
        return TypeAdapter(CardBehaviour).validate_python(values)
    except (ValueError, RecursionError, ValidationError):
        raise CardImageInvalidError(f"{DESCRIPTION} does not describe a card") from None


def _read_ca_key(path: Path, parameter_id: int) -> bytes:
    key = _read(path)
    try:
        usable = AgreementKeyPair.load(key).parameter_id == parameter_id
    except ValueError:
        usable = False
    if not usable:
        raise CardImageInvalidError(f"keys/{path.name} is no usable private key")
    return key


def _read_aa_key(path: Path) -> bytes | None:
    if not path.exists():
        return None
    key = _read(path)
    try:
        load_key(key)
    except ValueError:
        raise CardImageInvalidError(f"keys/{path.name} is no usable private key") from None
    return key


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise CardImageInvalidError(f"{path}: {error.strerror or 'cannot be read'}") from None
    if len(content) > _MAX_FILE_BYTES:
        raise CardImageInvalidError(f"{path} is too large for a card")
    return content
