"""`chinhchu status` as an operator uses it, and what a counter without network then has."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from api.assertions.chain import load_roots
from api.assertions.sd_jwt import issue, parse
from api.assertions.status_list import Status, StatusReference, verify_status
from api.cli import main
from api.keys import keys
from api.proofing.repository import utc_now
from api.status.allocation import StatusAllocation
from api.store.database import open_database
from api.store.tables import SessionRow


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def chinhchu(home: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs a command and gives exit code and JSON."""

    def run(*arguments: str) -> tuple[int, Any]:
        code = main(["status", *arguments, "--home", str(home), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def begun() -> datetime:
    """When the office began; its commands go by the clock."""
    return datetime.now(UTC) - timedelta(minutes=5)


@pytest.fixture
def assertions(home: Path, office: Any, begun: datetime, tmp_path: Path) -> list[Path]:
    """Three assertions of two dossiers, as their relying parties have them in a file."""
    key = keys.init(home / "keys", issuer=office.key.issuer, password=None, at=begun)
    engine = open_database(home / "chinhchu.sqlite")
    allocation = StatusAllocation(engine)
    files = []
    for number, (dossier, audience) in enumerate((("D-1", "a"), ("D-1", "b"), ("D-2", "a"))):
        reserved = allocation.reserve(key.issuer)
        claims = office.claims(issued_at=begun, status=reserved.reference)
        row = SessionRow(
            id=f"{number:032x}",
            token_sha256="",
            state="passed",
            created_at=utc_now(),
            request={"dossier_id": dossier, "audience": audience},
            chip_challenge=bytes(8),
            reasons=[],
        )
        with Session(engine) as db, db.begin():
            db.add_all([row, reserved.entry(jti=claims.jti, session_id=f"{number:032x}")])
        path = tmp_path / f"assertion-{number}.txt"
        path.write_text(issue(claims, key) + "\n", "ascii")
        files.append(path)
    engine.dispose()
    return files


def test_ids_may_begin_with_a_hyphen(chinhchu: Any, home: Path) -> None:
    """One random `jti` in 64 does, and a relying party calls a dossier what it likes."""
    engine = open_database(home / "chinhchu.sqlite")
    reserved = StatusAllocation(engine).reserve("https://office.example")
    row = SessionRow(
        id="0" * 32,
        token_sha256="",
        state="passed",
        created_at=utc_now(),
        request={"dossier_id": "-7", "audience": "-a"},
        chip_challenge=bytes(8),
        reasons=[],
    )
    with Session(engine) as db, db.begin():
        db.add_all([row, reserved.entry(jti="-A_b-C", session_id="0" * 32)])
    engine.dispose()
    reason = ("--reason", "ticket 9")
    for which in (("--jti", "-A_b-C"), ("--dossier", "-7", "--audience", "-a")):
        code, changed = chinhchu("suspend", *which, *reason)
        assert (code, [a["status"] for a in changed["assertions"]]) == (0, ["SUSPENDED"])
        assert chinhchu("reinstate", *which, *reason)[0] == 0
    code, error = chinhchu("suspend", "--jti", "--reason", "the id is missing")
    assert (code, error["error"]["code"]) == (2, "usage")


@pytest.mark.parametrize("option", ["--jti", "--session", "--dossier", "--list", "--audience"])
def test_bytes_that_are_no_text(chinhchu: Any, assertions: list[Path], option: str) -> None:
    """As a shell hands them over that is set to another encoding than UTF-8."""
    besides = {"--list": ("--index", "1"), "--audience": ("--dossier", "D-1")}.get(option, ())
    code, error = chinhchu("suspend", option, "\udcff", *besides, "--reason", "ticket 9")
    assert (code, error["error"]["code"]) == (2, "usage")
    assert option in error["error"]["message"]


@pytest.mark.parametrize("revoked", [0, 1])
def test_what_is_revoked_does_not_keep_the_others_of_a_dossier_from_being_suspended(
    chinhchu: Any, assertions: list[Path], revoked: int
) -> None:
    reason = ("--reason", "ticket 5")
    assert chinhchu("revoke", "--assertion", str(assertions[revoked]), *reason)[0] == 0
    code, error = chinhchu("suspend", "--dossier", "D-1", "--all", *reason)
    assert (code, error["error"]["code"]) == (4, "status-final")
    _, shown = chinhchu("show", "--dossier", "D-1")
    assert sorted(a["status"] for a in shown["assertions"]) == ["INVALID", "SUSPENDED"]


def test_suspend_reinstate_revoke_and_show(chinhchu: Any, assertions: list[Path]) -> None:
    code, shown = chinhchu("show", "--session", f"{0:032x}")
    (before,) = shown["assertions"]
    assert (code, before["status"], before["changes"]) == (0, "VALID", [])
    by_file = ("--assertion", str(assertions[0]))
    by_place = ("--list", before["uri"], "--index", str(before["idx"]))
    for action, which, status in (
        ("suspend", by_file, "SUSPENDED"),
        ("reinstate", by_place, "VALID"),
        ("revoke", ("--jti", before["jti"]), "INVALID"),
    ):
        code, changed = chinhchu(action, *which, "--reason", "ticket 9", "--by", "officer 3")
        assert (code, [a["status"] for a in changed["assertions"]]) == (0, [status])
    code, shown = chinhchu("show", *by_file)
    changes = shown["assertions"][0]["changes"]
    assert [(c["previous"], c["status"]) for c in changes] == [
        ("VALID", "SUSPENDED"),
        ("SUSPENDED", "VALID"),
        ("VALID", "INVALID"),
    ]
    assert {(c["reason"], c["who"]) for c in changes} == {("ticket 9", "officer 3")}
    code, error = chinhchu("reinstate", *by_file, "--reason", "an error")
    assert (code, error["error"]["code"]) == (4, "status-final")


def test_a_dossier_of_several_is_changed_only_when_meant(
    chinhchu: Any, assertions: list[Path]
) -> None:
    reason = ("--reason", "ticket 9")
    code, error = chinhchu("suspend", "--dossier", "D-1", *reason)
    assert (code, error["error"]["code"]) == (4, "input-unusable")
    code, changed = chinhchu("suspend", "--dossier", "D-1", "--audience", "b", *reason)
    assert (code, len(changed["assertions"])) == (0, 1)
    code, changed = chinhchu("revoke", "--dossier", "D-1", "--all", *reason)
    assert (code, [a["status"] for a in changed["assertions"]]) == (0, ["INVALID", "INVALID"])
    code, shown = chinhchu("show", "--dossier", "D-2")
    assert shown["assertions"][0]["status"] == "VALID"


def test_export_is_what_a_counter_verifies_with(
    chinhchu: Any, assertions: list[Path], tmp_path: Path, office: Any, home: Path
) -> None:
    chinhchu("revoke", "--assertion", str(assertions[1]), "--reason", "ticket 9")
    out = tmp_path / "usb" / "lists"
    code, exported = chinhchu("export", str(out), "--days", "3")
    ((path,), (uri,)) = zip(*((f["file"], f["uri"]) for f in exported["files"]), strict=True)
    assert code == 0
    assert [str(p) for p in out.iterdir()] == [path]
    token = Path(path).read_text("ascii")
    root = (home / "keys" / keys.ROOT).read_bytes()
    found = []
    for file in assertions:
        reference = StatusReference.from_payload(parse(file.read_text().strip()).issued.payload)
        assert reference is not None
        assert reference.uri == uri
        for after in (timedelta(), timedelta(days=2, hours=23)):
            found.append(
                verify_status(
                    token,
                    reference,
                    roots=load_roots(root),
                    issuer=office.key.issuer,
                    at=datetime.now(UTC) + after,
                )
            )
    assert found == [Status.VALID] * 2 + [Status.INVALID] * 2 + [Status.VALID] * 2


def test_lists_are_shown_and_closed(chinhchu: Any, assertions: list[Path]) -> None:
    _, shown = chinhchu("show")
    (found,) = shown["lists"]
    assert (found["used"], found["size"], found["changes"]) == (3, 1 << 20, 0)
    assert chinhchu("close") == (0, {"closed": 1})
    assert chinhchu("show")[1]["lists"][0]["used"] == 1 << 20


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", "--session", "unknown"), "assertion-unknown"),
        (("show", "--dossier", "unknown"), "assertion-unknown"),
        (("show", "--list", "urn:x", "--index", "0"), "status-list-unknown"),
        (("revoke", "--index", "0", "--reason", "why"), "input-unusable"),
        (("show", "--audience", "a"), "input-unusable"),
        (("revoke", "--jti", "x", "--reason", ""), "assertion-unknown"),
        (("export", "out", "--days", "32"), "input-unusable"),
        (("export", "out", "--days", "0"), "input-unusable"),
        (("show", "--assertion", "nowhere.txt"), "input-unusable"),
    ],
)
def test_what_cannot_be_done_is_said(
    chinhchu: Any, assertions: list[Path], arguments: tuple[str, ...], code: str
) -> None:
    exit_code, error = chinhchu(*arguments)
    assert (exit_code, error["error"]["code"]) == (4, code)


def test_a_forged_assertion_revokes_nothing(
    chinhchu: Any, assertions: list[Path], office: Any, tmp_path: Path
) -> None:
    named = StatusReference.from_payload(
        parse(assertions[0].read_text("ascii").strip()).issued.payload
    )
    forged = tmp_path / "forged.txt"
    forged.write_text(office.issue(status=named), "ascii")
    code, error = chinhchu("revoke", "--assertion", str(forged), "--reason", "ticket 6")
    assert (code, error["error"]["code"]) == (4, "chain-unpinned-root")
    assert chinhchu("show", "--dossier", "D-2")[1]["assertions"][0]["status"] == "VALID"


def test_what_a_thief_of_the_key_signed_revokes_nobody_elses(
    chinhchu: Any, assertions: list[Path], home: Path, office: Any, begun: datetime, tmp_path: Path
) -> None:
    """Its chain is right; the place that it names is that of an assertion with another id."""
    key = keys.load(home / "keys", None)
    named = StatusReference.from_payload(
        parse(assertions[0].read_text("ascii").strip()).issued.payload
    )
    stolen = tmp_path / "stolen.txt"
    stolen.write_text(
        issue(office.claims(issued_at=begun, status=named, jti="x" * 22), key), "ascii"
    )
    code, error = chinhchu("revoke", "--assertion", str(stolen), "--reason", "ticket 7")
    assert (code, error["error"]["code"]) == (4, "input-unusable")
    assert "another" in error["error"]["message"]
    assert chinhchu("show", "--session", f"{0:032x}")[1]["assertions"][0]["status"] == "VALID"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_an_assertion_as_an_editor_saves_it(
    chinhchu: Any, assertions: list[Path], encoding: str
) -> None:
    """`verify` reads it, so must the command that revokes what was verified."""
    text = assertions[0].read_text("ascii").strip()
    assertions[0].write_text(f"{text}\r\n", encoding, newline="")
    assert chinhchu("show", "--assertion", str(assertions[0]))[0] == 0


def test_a_free_index_and_an_assertion_without_status_are_refused(
    chinhchu: Any, assertions: list[Path], home: Path, office: Any, begun: datetime, tmp_path: Path
) -> None:
    shown = chinhchu("show", "--session", f"{0:032x}")[1]["assertions"][0]
    taken = {
        chinhchu("show", "--session", f"{n:032x}")[1]["assertions"][0]["idx"] for n in range(3)
    }
    free = str(next(idx for idx in range(4) if idx not in taken))
    code, error = chinhchu("revoke", "--list", shown["uri"], "--index", free, "--reason", "typo")
    assert (code, error["error"]["code"]) == (4, "status-index-not-issued")
    plain = tmp_path / "plain.txt"
    plain.write_text(issue(office.claims(issued_at=begun), keys.load(home / "keys", None)), "ascii")
    code, error = chinhchu("revoke", "--assertion", str(plain), "--reason", "why")
    assert (code, error["error"]["code"]) == (4, "input-unusable")


def test_without_a_database_there_is_nothing_to_change(chinhchu: Any, home: Path) -> None:
    code, error = chinhchu("show")
    assert (code, error["error"]["code"]) == (4, "database-unusable")
    assert not home.exists()
    home.mkdir()
    (home / "chinhchu.sqlite").write_bytes(b"something else" * 100)
    code, error = chinhchu("show")
    assert (code, error["error"]["code"]) == (4, "database-unusable")


def test_people_read_it_without_json(
    home: Path, assertions: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    at = ["--home", str(home)]
    reason = ["--reason", "ticket 9", "--by", "officer 3"]
    assert main(["status", "suspend", "--assertion", str(assertions[0]), *reason, *at]) == 0
    out = capsys.readouterr().out
    assert "SUSPENDED" in out
    assert "VALID to SUSPENDED, officer 3: ticket 9" in out
    assert main(["status", "show", *at]) == 0
    assert "3 of 1,048,576 given out" in capsys.readouterr().out
    assert main(["status", "export", str(home / "out"), *at]) == 0
    assert "lists: 1" in capsys.readouterr().out
