"""A session that was opened by an earlier version goes on, whatever may be asked for by now."""

import sqlite3
from contextlib import closing
from typing import Any

from api.assertions import sd_jwt


def test_a_request_that_would_be_refused_now(
    server: Any, read_card: Any, perform: Any, send: Any
) -> None:
    session, role = server.open(), "r" * 200
    with closing(sqlite3.connect(server.database)) as database, database:
        database.execute(
            "UPDATE sessions SET request = json_set(request, '$.documents[0].role', ?)", (role,)
        )
    assert session.read()["state"] == "consented"
    read_card(session)
    send(session, perform(session))
    assert session.decide()["outcome"] == "PASSED"
    transaction = sd_jwt.parse(session.assertion()).issued.payload["txn"]
    assert transaction["documents"][0]["role"] == role
