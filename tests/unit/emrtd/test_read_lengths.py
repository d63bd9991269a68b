"""Which lengths are tried, and what is remembered of them."""

import json
from pathlib import Path

import pytest

from devices.emrtd.crypto.kdf import SessionCipher
from devices.emrtd.terminal.lengths import (
    CAUTIOUS_CHUNKS,
    EVEN_OFFSET_END,
    KnownLengths,
    LengthMemory,
    chunks_for,
    known_chunks,
)
from devices.emrtd.terminal.secure_messaging import SecureMessaging

ATR = bytes.fromhex("3B8580018073940140C3")
SILENT_ATR = bytes.fromhex("3B80800101")
KNOWN = KnownLengths(223, short_identifiers=False)


def _messaging(cipher: SessionCipher = SessionCipher.AES_128) -> SecureMessaging:
    key = bytes(range(cipher.key_bytes))
    return SecureMessaging(cipher, key, key, bytes(cipher.block_bytes))


def test_chunks_get_smaller_and_fit_their_responses() -> None:
    assert chunks_for(_messaging()) == (EVEN_OFFSET_END, 1503, 223, *CAUTIOUS_CHUNKS)
    assert chunks_for(_messaging(SessionCipher.TDES))[1:3] == (1511, 231)
    assert chunks_for(_messaging(), 256) == (223, *CAUTIOUS_CHUNKS)
    assert chunks_for(_messaging(), 1000) == (975, 223, *CAUTIOUS_CHUNKS)


@pytest.mark.parametrize(
    ("known", "first"),
    [(EVEN_OFFSET_END, EVEN_OFFSET_END), (4000, 4000), (223, 231), (231, 231), (192, 192), (8, 16)],
)
def test_what_is_known_is_tried_first(known: int, first: int) -> None:
    assert known_chunks(chunks_for(_messaging(SessionCipher.TDES)), known)[0] == first


def test_memory_lasts_in_its_file(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "lengths.json"
    LengthMemory(path).learn(ATR, "reader", KNOWN)
    memory = LengthMemory(path)
    assert memory.recall(ATR, "reader") == KNOWN
    assert memory.recall(ATR, "another reader") is None
    assert memory.recall(SILENT_ATR, "reader") is None
    assert list(path.parent.iterdir()) == [path]


def test_an_answer_to_reset_that_says_nothing_of_the_card_is_not_kept(tmp_path: Path) -> None:
    memory = LengthMemory()
    for atr in (SILENT_ATR, b"", b"\x3b"):
        memory.learn(atr, "reader", KNOWN)
        assert memory.recall(atr, "reader") is None


def test_a_card_that_gives_crumbs_spoils_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "lengths.json"
    LengthMemory(path).learn(ATR, "reader", KNOWN)
    LengthMemory(path).learn(ATR, "another reader", KnownLengths(4, short_identifiers=True))
    memory = LengthMemory(path)
    assert memory.recall(ATR, "reader") == KNOWN
    assert memory.recall(ATR, "another reader") == KnownLengths(16, short_identifiers=True)


def test_memory_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "lengths.json"
    memory = LengthMemory(path)
    for number in range(300):
        memory.learn(ATR + number.to_bytes(2, "big"), "reader", KNOWN)
    assert len(json.loads(path.read_text())["known"]) == 256
    assert memory.recall(ATR + b"\x00\x00", "reader") is None
    assert memory.recall(ATR + (299).to_bytes(2, "big"), "reader") == KNOWN


def test_what_was_relied_on_long_enough_is_tried_anew() -> None:
    memory = LengthMemory()
    memory.learn(ATR, "reader", KnownLengths(16, short_identifiers=True, uses=49))
    assert memory.recall(ATR, "reader") is not None
    memory.learn(ATR, "reader", KnownLengths(16, short_identifiers=True, uses=50))
    assert memory.recall(ATR, "reader") is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"format": "another"}',
        b'{"format": "chinhchu-read-lengths-1", "known": {"a": 1}}',
        b'{"format": "chinhchu-read-lengths-1", "known": {"%s": {"chunk_bytes": 1e9, '
        b'"short_identifiers": true, "uses": 0}}}' % (b"0" * 32),
        b'{"format": "chinhchu-read-lengths-1", "known": {"%s": {"chunk_bytes": 192, '
        b'"short_identifiers": 1, "uses": 0}}}' % (b"0" * 32),
        b" " * (1 << 17),
    ],
)
def test_a_damaged_file_is_left_out_with_a_warning(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lengths.json"
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="not usable"):
        memory = LengthMemory(path)
    memory.learn(ATR, "reader", KNOWN)
    assert LengthMemory(path).recall(ATR, "reader") == KNOWN


def test_a_folder_that_nobody_may_enter_costs_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "stat", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.warns(UserWarning, match="not usable"):
        LengthMemory(tmp_path / "lengths.json")


def test_a_folder_that_cannot_be_written_costs_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = LengthMemory(tmp_path / "file" / "lengths.json")
    with pytest.warns(UserWarning, match="cannot be written"):
        memory.learn(ATR, "reader", KNOWN)
    assert memory.recall(ATR, "reader") == KNOWN
