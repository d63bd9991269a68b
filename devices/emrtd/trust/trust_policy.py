"""Floors for algorithms and limits on freshness: what an operator may tighten or loosen.

Defaults and their reasons:

- RSA from 2048 bits. RSA-1024 can be broken by a state and has not been allowed to issuers since
  the fifth edition of Doc 9303 (9303-12, 4.1.6.1).
- Elliptic curves from 192 bits: breaking one costs 2^96 steps, more than an RSA key of 1024 bits.
- SHA-1 is real in old passports, so it counts where the document signer's certificate began before
  2020, when collisions with chosen beginnings became practical; a forger cannot backdate it. For a
  signer of 2020 and later it is refused, and everywhere with `allow_sha1=False`.
- MD5 and older are refused under every policy.
"""

import tomllib
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from devices.emrtd.crypto.public_keys import PublicKey, RsaKey
from devices.emrtd.errors import TrustAnchorsUnusableError


@dataclass(frozen=True)
class TrustPolicy:
    """The operator's floors; `DEFAULT_POLICY` where none are configured."""

    min_rsa_bits: int = 2048
    """Shortest RSA modulus of document signers and authorities."""
    min_ec_bits: int = 192
    """Shortest group order of an elliptic curve."""
    allow_sha1: bool = True
    """Whether SHA-1 is accepted at all."""
    sha1_signers_before: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    """SHA-1 is accepted of document signers whose certificate began before this."""
    crl_max_age_days: int = 90
    """For a CRL without nextUpdate: how long it is fresh (9303-12, 5.1.4: issued every 90 days)."""

    @property
    def crl_max_age(self) -> timedelta:
        """`crl_max_age_days` as a duration."""
        return timedelta(days=self.crl_max_age_days)

    def hash_weakness(self, hash_name: str, signer_from: datetime) -> str | None:
        """Return why a hash does not count, the end of a reason code, or None if it does.

        Args:
            hash_name: as in `signature_algorithms.HASHES`.
            signer_from: when the certificate of the document signer began.
        """
        is_allowed = self.allow_sha1 and signer_from < self.sha1_signers_before
        return "sha1-refused" if hash_name == "sha1" and not is_allowed else None

    def key_weakness(self, key: PublicKey) -> str | None:
        """Return why a key does not count, the end of a reason code, or None if it does."""
        if isinstance(key, RsaKey):
            return "rsa-key-too-short" if key.modulus.bit_length() < self.min_rsa_bits else None
        return "ec-key-too-short" if key.curve.n.bit_length() < self.min_ec_bits else None


DEFAULT_POLICY = TrustPolicy()


def parse_policy(text: str) -> TrustPolicy:
    """Return the policy of a TOML text with any of the fields' names.

    Raises:
        TrustAnchorsUnusableError: it is malformed, or names something that is no field.
    """
    try:
        given: dict[str, Any] = tomllib.loads(text)
    except ValueError:
        raise TrustAnchorsUnusableError("the trust policy is not TOML") from None
    types = {field.name: type(getattr(DEFAULT_POLICY, field.name)) for field in fields(TrustPolicy)}
    for name, value in given.items():
        if type(value) is not types.get(name):
            raise TrustAnchorsUnusableError(
                f"the trust policy's entry {name} is unknown or of a wrong type"
            )
    policy = replace(DEFAULT_POLICY, **given)
    if policy.sha1_signers_before.tzinfo is None:
        raise TrustAnchorsUnusableError("the trust policy's time needs its offset")
    return policy
