"""Which key agreement MANAGE SECURITY ENVIRONMENT begins: the chip's offers and static keys.

Source: ICAO Doc 9303-11 §4.4.4.1 (PACE), §6.2.4 (Chip Authentication).
"""

from devices.simulator import apdu
from devices.simulator.agreement_keys import AgreementKeyPair
from devices.simulator.apdu import StatusError
from devices.simulator.chip_authentication import ChipAuthentication, agree
from devices.simulator.image import CardImage
from devices.simulator.object_identifiers import oid_contents
from devices.simulator.pace import Pace, Password, password_secret
from devices.simulator.protocols import CIPHERS, ChipAuthenticationKey, PaceOffer
from devices.simulator.randomness import Randomness
from devices.simulator.secure_messaging import SecureMessaging

_DO_PROTOCOL = 0x80
_DO_PASSWORD = 0x83
_DO_PRIVATE_KEY = 0x84
_DO_EPHEMERAL_KEY = 0x91


class KeyAgreements:
    """The protocols of one chip."""

    def __init__(self, image: CardImage, randomness: Randomness) -> None:
        self._behaviour = image.behaviour
        self._random = randomness
        pairs = (AgreementKeyPair.load(key) for key in image.ca_keys)
        self._keys = list(zip(image.behaviour.chip_authentication, pairs, strict=True))

    def begin_pace(self, objects: dict[int, bytes]) -> tuple[Password, Pace]:
        """Begin a run of PACE: return the password that it is about, and the run.

        Args:
            objects: data objects of MSE:Set AT by tag; unknown ones are ignored (note 2).

        Raises:
            StatusError: protocol, domain parameters or password are not the chip's.

        Source: ICAO Doc 9303-11 §4.4.4.1.
        """
        self._check_parameter_id(_DO_PRIVATE_KEY in objects)
        offer = self._offer(objects.get(_DO_PROTOCOL, b""), objects.get(_DO_PRIVATE_KEY))
        try:
            password = Password(int.from_bytes(objects.get(_DO_PASSWORD, b""), "big"))
        except ValueError:
            raise StatusError(apdu.REFERENCE_NOT_FOUND) from None
        if password is Password.CAN and not self._behaviour.can:
            raise StatusError(apdu.REFERENCE_NOT_FOUND)
        secret = password_secret(password, self._behaviour.can, self._behaviour.mrz_information)
        return password, Pace(offer, secret, self._random, self._mapping_key(offer))

    def begin_chip_authentication(self, objects: dict[int, bytes]) -> ChipAuthentication:
        """Begin a run of Chip Authentication over GENERAL AUTHENTICATE.

        Raises:
            StatusError: protocol or key are not the chip's.

        Source: ICAO Doc 9303-11 §6.2.4.2 (MSE:Set AT).
        """
        protocol = objects.get(_DO_PROTOCOL, b"")
        able = [pair for pair in self._keys if pair[0].cipher_of(protocol)]
        if not able:
            raise StatusError(apdu.WRONG_DATA)
        key, pair = self._referenced(able, objects.get(_DO_PRIVATE_KEY))
        cipher = key.cipher_of(protocol)
        assert cipher is not None
        return ChipAuthentication(CIPHERS[cipher], pair)

    def authenticate_by_template(self, objects: dict[int, bytes]) -> SecureMessaging:
        """Perform Chip Authentication in the one command that 3DES has for it.

        Raises:
            StatusError: the chip has no such key, or the terminal's is bad.

        Source: ICAO Doc 9303-11 §6.2.4.1 (MSE:Set KAT).
        """
        able = [pair for pair in self._keys if "3des" in pair[0].ciphers]
        if not able:
            raise StatusError(apdu.WRONG_DATA)
        _, pair = self._referenced(able, objects.get(_DO_PRIVATE_KEY))
        try:
            return agree(CIPHERS["3des"], pair, objects.get(_DO_EPHEMERAL_KEY, b""))
        except ValueError:
            raise StatusError(apdu.WRONG_DATA) from None

    def _check_parameter_id(self, given: bool) -> None:
        quirk = "pace-refuses-do84" if given else "pace-needs-do84"
        if quirk in self._behaviour.quirks:
            raise StatusError(apdu.WRONG_DATA)

    def _offer(self, protocol: bytes, parameter_id: bytes | None) -> PaceOffer:
        offers = [o for o in self._behaviour.pace if oid_contents(o.protocol) == protocol]
        if "pace" not in self._behaviour.access or not offers:
            raise StatusError(apdu.WRONG_DATA)
        if parameter_id is not None:
            wanted = int.from_bytes(parameter_id, "big")
            offers = [offer for offer in offers if offer.parameter_id == wanted]
        # DO'84' may be left out where the protocol has one set of domain parameters.
        if len(offers) != 1:
            raise StatusError(apdu.REFERENCE_NOT_FOUND)
        return offers[0]

    def _mapping_key(self, offer: PaceOffer) -> int | None:
        """Return SK_IC for Chip Authentication Mapping: its id is the parameter id (§9.2.1)."""
        if offer.mapping != "cam":
            return None
        return next(
            pair.private_key for key, pair in self._keys if key.key_id == offer.parameter_id
        )

    @staticmethod
    def _referenced(
        keys: list[tuple[ChipAuthenticationKey, AgreementKeyPair]], key_id: bytes | None
    ) -> tuple[ChipAuthenticationKey, AgreementKeyPair]:
        """Return the key of DO'84', or the only one where the object is left out."""
        if key_id is not None:
            wanted = int.from_bytes(key_id, "big")
            keys = [pair for pair in keys if pair[0].key_id == wanted]
        if len(keys) != 1:
            raise StatusError(apdu.REFERENCE_NOT_FOUND)
        return keys[0]
