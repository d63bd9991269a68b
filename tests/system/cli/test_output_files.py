"""A file that a person names with --out: whole, or what was there before."""

import errno
import os
import threading
from pathlib import Path

import pytest

from api.cli.output import write_output
from api.errors import InputUnusableError


def test_a_new_file_and_one_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "signed.pdf"
    for content in (b"one", b"another, longer"):
        write_output(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_there_outlives_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "contract.pdf"
    path.write_bytes(b"the only copy")
    write = Path.write_bytes

    def half(file: Path, data: bytes) -> int:
        write(file, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(InputUnusableError, match="No space left on device"):
        write_output(path, b"what cannot be written whole")
    assert path.read_bytes() == b"the only copy"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="links need a right of their own there")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "there.pdf", tmp_path / "here.pdf"
    path.write_bytes(b"old")
    link.symlink_to(path)
    write_output(link, b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_output(pipe, b"through")
    reader.join()
    assert read == [b"through"]


@pytest.mark.parametrize("name", ["", "missing/file"])
def test_where_nothing_can_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputUnusableError, match="directory"):
        write_output(tmp_path / name, b"data")
    assert list(tmp_path.iterdir()) == []
