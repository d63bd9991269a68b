"""Whatever a careless issuer signs is answered and told; no check passes by another type."""

import copy
import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.assertions import jws, sd_jwt
from api.assertions.messages import LANGUAGES, load_messages
from api.assertions.verification import Outcome
from api.cli.verify_output import as_json, print_verification
from tests.fixtures.office import ISSUER, Office

JUDGED = {
    *("chip.pa.result", "chip.pa.crl_check", "chip.clone.result", "chip.downgrade_check"),
    *("face.result", "pad.result", "pad.methods.0.result", "pad.methods.1.result"),
    *("iad.checks.0.result", "iad.capture", "attendance.mode", "attendance.officer_decision"),
    *("policy.digest", "txn.documents.0.alg", "txn.documents.0.digest", "vct", "iss", "aud"),
    *("nonce", "exp", "iat", "nbf", "jti", "chip.clone.method", "chip.clone.server_challenge"),
    *("iad.agent_key", "face.fmr_at_threshold", "vct#integrity"),
    "verified_claims.verification.assurance_level",
    "verified_claims.verification.evidence.0.type",
    "verified_claims.verification.evidence.0.check_details.0.result",
    "verified_claims.verification.evidence.0.check_details.1.result",
}
"""Claims without which, or with another type of value, the specimen cannot pass."""

OTHER_TYPES: tuple[Any, ...] = (None, True, False, 10**400, 1.5, [], {}, [[]], ["ok"], {"ok": "ok"})
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6) | st.sampled_from(["ok", "failed", "not_performed"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)  # fmt: skip

Path = tuple[str | int, ...]


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for step, item in pairs:
        yield (*path, step)
        if isinstance(item, (dict, list)):
            yield from places(item, (*path, step))


def payload_of(office: Office) -> dict[str, Any]:
    return office.claims().to_payload(ISSUER).claims


def changed(office: Office, path: Path, value: Any) -> Any:
    """Verify the specimen with one claim replaced, or left out where the value is ellipsis."""
    payload = copy.deepcopy(payload_of(office))
    holder: Any = payload
    for step in path[:-1]:
        holder = holder[step]
    if value is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    header = {"typ": sd_jwt.TYPE, "x5c": list(office.key.x5c)}
    return office.verify(jws.sign(header, payload, office.key) + "~")


@pytest.mark.parametrize("name", sorted(JUDGED))
def test_what_is_judged_passes_in_no_other_type(office: Office, name: str) -> None:
    path = tuple(int(step) if step.isdigit() else step for step in name.split("."))
    assert path in set(places(payload_of(office)))
    for value in (..., *OTHER_TYPES):
        assert changed(office, path, value).outcome is not Outcome.PASSED, value


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), value=json_values)
def test_whatever_stands_wherever_is_answered(
    office: Office, data: st.DataObject, value: Any
) -> None:
    path = data.draw(st.sampled_from(sorted(places(payload_of(office)), key=repr)))
    verification = changed(office, path, value)
    json.dumps(as_json(verification))
    for language in LANGUAGES:
        with redirect_stdout(io.StringIO()) as out:
            print_verification(verification, load_messages(language), time_asked=True)
        assert out.getvalue()
