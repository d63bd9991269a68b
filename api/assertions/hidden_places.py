"""Where the profile lets an assertion hide something, and the refusal of all other places.

What is withheld looks like a decoy, and tells not even its name: it could be the holder's key
(`cnf`), the status list, one more document, or a finding that is adverse. Where that would change
the verdict for the better nothing may be hidden, so that whoever presents an assertion cannot leave
it out.

Source: RFC 9901 §9.7 (validity claims); the `sd` of each claim in vct.json.
"""

from typing import Any

from api.assertions.disclosures import ClaimPath
from api.assertions.errors import DisclosureWithheldError
from api.assertions.sd_jwt import SdJwt

_OBJECTS = frozenset({("verified_claims",), ("face",), ("chip", "dg_verified")})
"""What lacks something here only says less."""
_TREES: tuple[tuple[str | None, ...], ...] = (
    ("verified_claims", "claims"),
    ("verified_claims", "verification", "evidence", None, "document_details"),
)
"""Of person and card: here and in all below. None stands for any index."""


def reveal(token: SdJwt) -> dict[str, Any]:
    """Return the claims of an assertion, none of them withheld but where the profile lets it be.

    Raises:
        DisclosureWithheldError: something is hidden in another place.
        ApiError: what `disclosures.reveal` raises.
    """
    revealed = token.reveal()
    if not all(_may_hide(path, revealed.payload) for path in revealed.withheld):
        raise DisclosureWithheldError("something is hidden that must always be visible")
    return revealed.payload


def _may_hide(path: ClaimPath, payload: dict[str, Any]) -> bool:
    if path == ("attendance",):  # beside an officer's name, never what the officer said
        return "officer_decision" in payload["attendance"]
    return path in _OBJECTS or any(_begins(path, tree) for tree in _TREES)


def _begins(path: ClaimPath, tree: tuple[str | None, ...]) -> bool:
    return len(path) >= len(tree) and all(
        step is None or step == there for step, there in zip(tree, path, strict=False)
    )
