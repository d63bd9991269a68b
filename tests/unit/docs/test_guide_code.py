"""The relying party's guide shows code that runs, and does what the page says of it."""

import re
from pathlib import Path
from typing import Any

import pytest

from api.assertions.seen import SeenAssertions
from api.assertions.status_array import StatusReference
from tests.fixtures.office import AT, AUDIENCE, DOCUMENT, NONCE, Office

GUIDE = (Path(__file__).parents[3] / "docs/guides/relying-party.md").read_text("utf-8")
(BLOCK,) = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
CODE = BLOCK.replace('"notary-7"', repr(AUDIENCE)).replace("nonce=nonce,", "nonce=nonce, at=at,")
STATUS = StatusReference(idx=7, uri="https://chinhchu.example/v1/status-lists/1")


def follow(office: Office, assertion: str, **changes: Any) -> dict[str, Any]:
    """Run the block with what the page says that a relying party has."""
    logged: list[tuple[str, ...]] = []
    names: dict[str, Any] = {
        **{"assertion": assertion, "pdf": DOCUMENT, "root_pem": office.root_pem, "nonce": NONCE},
        **{"lists": [], "crls": [], "token": None, "tsa_root_pem": office.root_pem},
        **{"accepted_before": set(), "at": AT, "log": logged.append, **changes},
    }
    exec(compile(CODE, "relying-party.md", "exec"), names)
    return {**names, "logged": logged}


def test_passed(office: Office, tmp_path: Path) -> None:
    assertion = office.issue()
    with SeenAssertions(tmp_path / "accepted.db") as accepted_before:
        done = follow(office, assertion, accepted_before=accepted_before)
        assert (done["level"], done["logged"]) == ("high", [])
        claims = done["verification"].claims
        accepted_before.add(claims["iss"], claims["jti"])
        again = follow(office, assertion, accepted_before=accepted_before)
    assert again["logged"] == [("assertion-replayed",)]


def test_not_passed(office: Office) -> None:
    unknown = follow(office, office.issue(status=STATUS))
    assert unknown["logged"] == [("status-unknown",)]
    changed = follow(office, office.issue(), pdf=DOCUMENT + b" ")
    assert changed["logged"] == [("document-changed",)]
    assert changed["verification"].claims is None
    with pytest.raises(TypeError):
        bool(changed["verification"])
