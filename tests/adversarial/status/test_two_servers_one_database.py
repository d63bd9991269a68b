"""Two server processes over one database, while lists fill: no place is given out twice."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from sqlalchemy.orm import Session

from api.assertions.status_array import Status, StatusReference
from api.status.allocation import StatusAllocation
from api.status.permutation import Permutation
from api.status.register import StatusRegister
from api.store.database import open_database
from api.store.status_tables import StatusListRow

ISSUER = "https://office.example"
SIZE, EACH = 64, 150
SERVER = f"""
import json, sys
from pathlib import Path
from api.status.allocation import StatusAllocation
from api.store.database import open_database
allocation = StatusAllocation(open_database(Path(sys.argv[1])), list_size={SIZE})
print(flush=True)
sys.stdin.readline()
given = [allocation.reserve({ISSUER!r}).reference for _ in range({EACH})]
json.dump([[place.uri, place.idx] for place in given], sys.stdout)
"""


def test_lists_fill_under_two_processes(tmp_path: Path) -> None:
    database = tmp_path / "home/chinhchu.sqlite"
    open_database(database).dispose()
    servers = [
        subprocess.Popen(
            [sys.executable, "-c", SERVER, str(database)],
            cwd=Path(__file__).parents[3],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for server in servers:
        assert server.stdout
        server.stdout.readline()
    given = [
        tuple(place)
        for out, _ in [server.communicate("\n", timeout=120) for server in servers]
        for place in json.loads(out)
    ]
    assert len(set(given)) == len(given) == 2 * EACH
    sizes = sorted(Counter(uri for uri, _ in given).values())
    assert sizes == [2 * EACH % SIZE, *[SIZE] * (2 * EACH // SIZE)]

    # An assertion of a list that has been full for long is revoked as any other.
    engine = open_database(database)
    register = StatusRegister(engine)
    uri, idx = given[0]
    register.revoke(StatusReference(idx, uri), reason="ticket 1", who="tests")
    assert register.entry(StatusReference(idx, uri)).status is Status.INVALID
    engine.dispose()


def test_a_list_of_full_size_runs_out_and_the_next_begins(tmp_path: Path) -> None:
    """The last two places of 1,048,576 and the first of the next list."""
    engine = open_database(tmp_path / "chinhchu.sqlite")
    allocation = StatusAllocation(engine)
    first = allocation.reserve(ISSUER)
    with Session(engine) as db, db.begin():
        row = db.get_one(StatusListRow, first.list_id)
        assert row.permutation_key is not None
        key, row.used = row.permutation_key, row.size - 2
    places = [allocation.reserve(ISSUER) for _ in range(3)]
    order = Permutation(key, 1 << 20)
    assert [place.reference.idx for place in places[:2]] == [
        order.index((1 << 20) - 2),
        order.index((1 << 20) - 1),
    ]
    assert [place.list_id == first.list_id for place in places] == [True, True, False]
    register = StatusRegister(engine)
    for place in (first, *places):
        register.suspend(place.reference, reason="ticket 1", who="tests")
        assert register.entry(place.reference).status is Status.SUSPENDED
    engine.dispose()
