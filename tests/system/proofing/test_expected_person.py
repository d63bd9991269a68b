"""The relying party says whose card it expects; another's ends the session."""

import logging
from typing import Any

import pytest

from api.agent.client import ServerRefusedError
from devices.emrtd.lds.dg13 import parse_dg13
from devices.simulator.image import CardImage

OTHER = "001199099998"


@pytest.fixture(scope="session")
def id_number(card: CardImage) -> str:
    number = parse_dg13(card.files["EF.DG13"]).id_number
    assert number is not None
    return number


def stored(server: Any) -> bytes:
    """Return every byte of the database, its log among them."""
    files = server.database.parent.glob(f"{server.database.name}*")
    return b"".join(path.read_bytes() for path in files)


def test_the_expected_person(server: Any, read_card: Any, id_number: str) -> None:
    answer = read_card(server.open(expected_id_number=id_number))
    assert (answer["state"], answer["outcome"]) == ("chip", None)


def test_another_person(server: Any, read_card: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    session = server.open(expected_id_number=OTHER)
    assert OTHER.encode() in stored(server)
    answer = read_card(session)
    assert (answer["outcome"], answer["reasons"]) == ("FAILED", ["other-person"])
    assert OTHER not in str(answer) + str(session.read()) + caplog.text
    # Forgotten with the evidence.
    assert OTHER.encode() not in stored(server)


def test_nobody_else_learns_whom_the_relying_party_expects(server: Any, id_number: str) -> None:
    session = server.open(expected_id_number=id_number)
    assert id_number not in str(session.read())
    session.cancel()
    assert id_number.encode() not in stored(server)


def test_a_session_that_is_cancelled_before_consent_forgets_it(server: Any) -> None:
    session = server.open(consent=False, expected_id_number=OTHER)
    session.cancel()
    assert OTHER.encode() not in stored(server)


def test_a_card_without_a_number_leaves_it_open(
    server: Any, read_card: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from devices.emrtd.verification import verifier

    def without_number(*arguments: Any, **more: Any) -> Any:
        document = build(*arguments, **more)
        object.__setattr__(document, "id_number", None)
        return document

    build = verifier.build_document
    monkeypatch.setattr(verifier, "build_document", without_number)
    answer = read_card(server.open(expected_id_number=OTHER))
    assert (answer["outcome"], answer["reasons"]) == ("INDETERMINATE", ["id-number-missing"])


@pytest.mark.parametrize(
    "number", ["", "12345678901", "1234567890123", "00119909999X", 12, "１" * 12]
)
def test_what_is_no_number(server: Any, number: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ServerRefusedError) as refused:
        server.open(expected_id_number=number)
    assert refused.value.code == "request-invalid"
    if isinstance(number, str) and number:
        assert number not in str(refused.value) + caplog.text
