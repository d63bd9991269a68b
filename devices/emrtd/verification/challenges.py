"""What a verifier had asked the chip, kept until the evidence comes: a secret file or database row.

Whoever has it can make up the chip's answers, so it belongs to the verifier alone.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Self

from devices.emrtd.active_authentication import CHALLENGE_BYTES
from devices.emrtd.errors import ChallengeMalformedError
from devices.emrtd.verification.chip_authentication import ChipAuthenticationChallenge

FORMAT = "chinhchu-chip-challenges"
VERSION = 1
MAX_CHALLENGES_BYTES = 64 << 10


@dataclass(frozen=True)
class Challenges:
    """The challenges for one reading."""

    aa: bytes | None = field(default=None, repr=False)
    """Eight bytes for Active Authentication; None if none were given out."""
    ca: ChipAuthenticationChallenge | None = None
    """The verifier's secret part of Chip Authentication; None if none was given out."""

    def to_bytes(self) -> bytes:
        """Return them as JSON."""
        content = {
            "format": FORMAT,
            "version": VERSION,
            "active_authentication": None if self.aa is None else self.aa.hex(),
            "chip_authentication": None if self.ca is None else self.ca.to_dict(),
        }
        return json.dumps(content, indent=2).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return what `to_bytes` wrote.

        Raises:
            ChallengeMalformedError: it is something else, or of another version.
        """
        malformed = ChallengeMalformedError("this is no file of challenges for a chip")
        if len(data) > MAX_CHALLENGES_BYTES:
            raise malformed
        try:
            content: Any = json.loads(data)
            if (content["format"], content["version"]) != (FORMAT, VERSION):
                raise malformed
            aa, ca = content["active_authentication"], content["chip_authentication"]
            challenge = None if aa is None else bytes.fromhex(aa)
        except (ValueError, KeyError, TypeError, RecursionError):
            raise malformed from None
        if challenge is not None and len(challenge) != CHALLENGE_BYTES:
            raise malformed
        return cls(challenge, None if ca is None else ChipAuthenticationChallenge.from_dict(ca))
