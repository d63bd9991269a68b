"""Private keys in a security module (PKCS#11): made there, used there, never to leave it.

`Pkcs11PrivateKey` is an opaque `EllipticCurvePrivateKey` of cryptography, so certificates,
revocation lists and assertions are signed with it by the same code as with a key in memory.

One session a token, behind one lock: python-pkcs11 calls C_Initialize without arguments, which
tells the module that a single thread calls it (PKCS#11 v2.40 §5.4), and SoftHSM then does without
its own locks. A lost session is opened again once; a PIN that was refused is never tried again.
Where it comes from a file, that is read whenever the token wants it: a new one needs no restart.

A key is found by its CKA_ID, the key identifier of its certificate. ES256 is CKM_ECDSA over a
digest made here (§2.3.1 of the mechanisms): not every module has CKM_ECDSA_SHA256.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from api.keys.errors import (
    Pkcs11KeyMismatchError,
    Pkcs11KeyMissingError,
    Pkcs11PinLockedError,
    Pkcs11PinMissingError,
    Pkcs11PinWrongError,
)
from api.keys.pkcs11_key import Pkcs11PrivateKey, can_leave, generate_key_pair
from api.keys.pkcs11_module import fault, find_token, library

ES256 = ec.ECDSA(hashes.SHA256())

Value = TypeVar("Value")
ReadPin = Callable[[], str]
"""Returns the PIN as it is now; raises `Pkcs11PinMissingError` where there is none."""


def open_token(module: Path, label: str, read_pin: ReadPin) -> "Pkcs11Token":
    """Return the token of a label, logged in; the same object for all of the process.

    A login holds for a whole process (PKCS#11 v2.40 §5.6), so one object holds it.

    Args:
        module: the vendor's PKCS#11 library.
        label: the token's label.
        read_pin: the user's PIN; asked again whenever the token wants it.

    Raises:
        ApiError: what `Pkcs11Token.log_in` raises.
    """
    with _REGISTRY_LOCK:
        token = _TOKENS.get((str(module), label))
        if token is None:
            token = _TOKENS[str(module), label] = Pkcs11Token(module, label, read_pin)
    token.log_in(read_pin)
    return token


def forget_tokens() -> None:
    """Log out of all tokens, and forget which PINs they refused."""
    with _REGISTRY_LOCK:
        for token in _TOKENS.values():
            token.close()
        _TOKENS.clear()


class Pkcs11Token:
    """One token with one session, opened when it is needed and opened again when it is lost."""

    def __init__(self, module: Path, label: str, read_pin: ReadPin) -> None:
        self.label = label
        self._module = module
        self._read_pin = read_pin
        self._pin: str | None = None
        """What the token took last."""
        self._refused: set[str] = set()
        self._session: Any = None
        self._keys: dict[bytes, Any] = {}
        self._lock = _module_lock(module)

    def __repr__(self) -> str:
        return f"Pkcs11Token({self.label!r})"

    def log_in(self, read_pin: ReadPin) -> None:
        """Be logged in with a PIN; another one than before is tried once, for it may be new.

        Where the token refuses it, the PIN before it is used on.

        Raises:
            Pkcs11PinMissingError: there is no PIN.
            ApiError: what `use` raises.
        """
        with self._lock:
            pin = read_pin()
            self._refuse_again(pin)
            self._read_pin = read_pin
            if pin != self._pin:
                self._drop(library())
            self.use(lambda session: None)

    def use(self, work: Callable[[Any], Value]) -> Value:
        """Do something with the session, once more where the session had been lost.

        Raises:
            Pkcs11NotInstalledError: python-pkcs11 is not installed.
            Pkcs11ModuleUnusableError: the module cannot be loaded.
            Pkcs11TokenMissingError: there is no such token, or more than one.
            Pkcs11PinWrongError: the PIN is wrong.
            Pkcs11PinLockedError: the PIN is locked, or would be by one more wrong try.
            Pkcs11FaultError: anything else that the token could not do.
        """
        pkcs11 = library()
        with self._lock:
            was_open = self._session is not None
            try:
                return work(self._open(pkcs11))
            except pkcs11.PKCS11Error as error:
                self._drop(pkcs11)
                if not was_open:
                    raise fault(error) from None
            try:
                return work(self._open(pkcs11))
            except pkcs11.PKCS11Error as error:
                self._drop(pkcs11)
                raise fault(error) from None

    def private_key(self, certificate: x509.Certificate) -> "Pkcs11PrivateKey":
        """Return the private key of a certificate, proven by a signature to be that.

        Raises:
            Pkcs11KeyMissingError: the token has none of that identifier, or two.
            Pkcs11KeyMismatchError: the key is not the certificate's, or the token would give it
                out.
            ApiError: what `use` raises.
        """
        public = certificate.public_key()
        if not isinstance(public, ec.EllipticCurvePublicKey):
            raise Pkcs11KeyMismatchError("the certificate's key is not an elliptic curve key")
        key = Pkcs11PrivateKey(self, public)
        self._refuse_extractable(key.identifier)
        probe = b"chinhchu: does this key fit its certificate?"
        try:
            public.verify(key.sign(probe, ES256), probe, ES256)
        except InvalidSignature:
            raise Pkcs11KeyMismatchError(
                f"the key in the token {self.label!r} is not the certificate's"
            ) from None
        return key

    def generate(self, label: str) -> "Pkcs11PrivateKey":
        """Make a key pair on P-256 in the token, which never gives the private key out.

        Raises:
            Pkcs11KeyMismatchError: the token would give it out.
            ApiError: what `use` raises.
        """
        pkcs11 = library()

        def work(_: Any) -> ec.EllipticCurvePublicKey:
            with self._read_write() as writing:
                return generate_key_pair(writing, pkcs11, label)

        return Pkcs11PrivateKey(self, self.use(work))

    def destroy(self, identifier: bytes) -> None:
        """Destroy the key pair of that CKA_ID.

        Raises:
            ApiError: what `use` raises.
        """
        pkcs11 = library()

        def work(_: Any) -> None:
            with self._read_write() as writing:
                for found in list(writing.get_objects({pkcs11.Attribute.ID: identifier})):
                    found.destroy()

        self.use(work)

    def sign_digest(self, identifier: bytes, digest: bytes) -> bytes:
        """Return r and s over a digest by the private key of that CKA_ID.

        Raises:
            Pkcs11KeyMissingError: the token has none of that identifier, or two.
            ApiError: what `use` raises.
        """
        pkcs11 = library()

        def work(session: Any) -> bytes:
            key = self._keys.get(identifier)
            if key is None:
                key = self._keys[identifier] = self._find_key(pkcs11, session, identifier)
            return bytes(key.sign(digest, mechanism=pkcs11.Mechanism.ECDSA))

        return self.use(work)

    def close(self) -> None:
        """Log out; the next use logs in again."""
        with self._lock:
            self._drop(library())

    def _refuse_extractable(self, identifier: bytes) -> None:
        pkcs11 = library()

        def leaves(session: Any) -> bool:
            return can_leave(self._find_key(pkcs11, session, identifier), pkcs11)

        if self.use(leaves):
            raise Pkcs11KeyMismatchError(
                f"the token {self.label!r} would give the private key out: make it anew there"
            )

    def _read_write(self) -> Any:
        """Return a second session that may write; it shares the first one's login."""
        return self._session.token.open(rw=True)

    def _find_key(self, pkcs11: ModuleType, session: Any, identifier: bytes) -> Any:
        try:
            return session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, id=identifier)
        except (pkcs11.NoSuchKey, pkcs11.MultipleObjectsReturned):
            raise Pkcs11KeyMissingError(
                f"the token {self.label!r} does not hold one private key of the certificate"
            ) from None

    def _open(self, pkcs11: ModuleType) -> Any:
        if self._session is None:
            token = find_token(self._module, self.label)
            self._session = self._log_in(pkcs11, token)
        return self._session

    def _log_in(self, pkcs11: ModuleType, token: Any) -> Any:
        pin = self._present_pin()
        flags = token.flags
        if flags & (pkcs11.TokenFlag.USER_PIN_LOCKED | pkcs11.TokenFlag.USER_PIN_FINAL_TRY):
            raise Pkcs11PinLockedError(
                f"the PIN of the token {self.label!r} is locked, or has one try left that is not "
                "taken here; use the vendor's tool"
            )
        try:
            session = token.open(user_pin=pin)
        except pkcs11.PinLocked:
            raise Pkcs11PinLockedError(f"the PIN of the token {self.label!r} is locked") from None
        except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange, pkcs11.PinExpired):
            self._refused.add(pin)
            raise Pkcs11PinWrongError(f"the token {self.label!r} refused the PIN") from None
        self._pin = pin
        return session

    def _present_pin(self) -> str:
        """Return the PIN as it is now; where there is none, or a refused one, the last good one."""
        try:
            pin = self._read_pin()
            self._refuse_again(pin)
        except (Pkcs11PinMissingError, Pkcs11PinWrongError):
            if self._pin is None or self._pin in self._refused:
                raise
            return self._pin
        return pin

    def _refuse_again(self, pin: str) -> None:
        if pin in self._refused:
            raise Pkcs11PinWrongError(
                f"the token {self.label!r} refused the PIN before; it is not tried again"
            )

    def _drop(self, pkcs11: ModuleType) -> None:
        session, self._session = self._session, None
        self._keys.clear()  # a handle means nothing outside its session
        if session is not None:
            with suppress(pkcs11.PKCS11Error):  # where it was lost before
                session.close()


_REGISTRY_LOCK = threading.Lock()
_TOKENS: dict[tuple[str, str], Pkcs11Token] = {}
_MODULE_LOCKS: dict[str, threading.RLock] = {}


def _module_lock(module: Path) -> threading.RLock:
    return _MODULE_LOCKS.setdefault(str(module), threading.RLock())
