"""Archives and pickles made to hurt: refused, in bounded time and memory, with nothing written."""

import io
import pickle
import struct
import tarfile
import tracemalloc
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest

from biometrics.weights.archives import MAX_ENTRIES, read_member
from biometrics.weights.errors import ArchiveInvalidError, ConversionError
from biometrics.weights.torch_state import MAGIC_NUMBER, PROTOCOL_VERSION, read_state_dict

MEMBER = "package/model.onnx"


def make_zip(entries: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def make_tar(entries: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in entries:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


MAKERS = pytest.mark.parametrize("make", [make_zip, make_tar])
Maker = Callable[[list[tuple[str, bytes]]], bytes]


@MAKERS
def test_only_the_named_member_is_read(make: Maker) -> None:
    archive = make([("../../etc/evil", b"x"), ("/absolute", b"y"), (MEMBER, b"weights")])
    assert read_member(archive, MEMBER, 7) == b"weights"


@MAKERS
def test_another_path_to_the_same_name_is_not_the_member(make: Maker) -> None:
    archive = make([("package/../package/model.onnx", b"weights"), ("./" + MEMBER, b"weights")])
    with pytest.raises(ArchiveInvalidError) as caught:
        read_member(archive, MEMBER, 7)
    assert caught.value.code == "archive-invalid"


@MAKERS
def test_bomb_is_read_no_further_than_its_size_says(make: Maker) -> None:
    archive = make([(MEMBER, b"\0" * (64 << 20))])
    tracemalloc.start()
    with pytest.raises(ArchiveInvalidError, match="not 1000 bytes"):
        read_member(archive, MEMBER, 1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20


@MAKERS
def test_member_shorter_than_said_is_refused(make: Maker) -> None:
    with pytest.raises(ArchiveInvalidError):
        read_member(make([(MEMBER, b"short")]), MEMBER, 7)


@MAKERS
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(make: Maker) -> None:
    with pytest.raises(ArchiveInvalidError):
        read_member(make([(MEMBER, b"first"), (MEMBER, b"other")]), MEMBER, 5)


@MAKERS
def test_a_cut_never_yields_a_part_of_the_member(make: Maker) -> None:
    data = bytes(range(256)) * 8
    archive = make([(MEMBER, data)])
    refused = 0
    for length in range(len(archive)):
        try:
            assert read_member(archive[:length], MEMBER, len(data)) == data
        except ArchiveInvalidError:
            refused += 1
    assert refused > len(archive) // 2


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, b"3"])
def test_link_or_device_of_the_members_name_is_refused(kind: bytes, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"weights")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo(MEMBER)
        entry.type = kind
        entry.linkname = str(secret)
        archive.addfile(entry)
    with pytest.raises(ArchiveInvalidError):
        read_member(buffer.getvalue(), MEMBER, 7)


def test_too_many_entries_are_refused() -> None:
    archive = make_tar([(f"{index}", b"") for index in range(MAX_ENTRIES + 1)])
    with pytest.raises(ArchiveInvalidError, match="too many"):
        read_member(archive, MEMBER, 7)


def test_damaged_member_is_refused() -> None:
    archive = bytearray(make_zip([(MEMBER, bytes(range(256)) * 8)]))
    archive[60] ^= 0xFF
    with pytest.raises(ArchiveInvalidError):
        read_member(bytes(archive), MEMBER, 2048)


class _Touch:
    """Runs code when it is unpickled by a careless reader."""

    def __init__(self, path: Path):
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self._path,))


def state_dict(*objects: object) -> bytes:
    header = (MAGIC_NUMBER, PROTOCOL_VERSION, {"little_endian": True})
    return b"".join(pickle.dumps(entry, protocol=2) for entry in (*header, *objects))


def test_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    for data in (state_dict(OrderedDict(a=_Touch(mark)), []), pickle.dumps(_Touch(mark))):
        with pytest.raises(ConversionError, match="more than tensors"):
            read_state_dict(data)
    assert not mark.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        pickle.dumps(1),
        state_dict(),
        state_dict([], []),
        state_dict(OrderedDict(), ["0"]),
        state_dict({"a": 1}, ["0"]),
        pickle.dumps(MAGIC_NUMBER) + pickle.dumps(999) + pickle.dumps({"little_endian": True}),
    ],
)
def test_what_is_no_state_dict_is_refused(data: bytes) -> None:
    with pytest.raises(ConversionError):
        read_state_dict(data)


def _one_tensor(count: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> bytes:
    """Return a state dict of one tensor, pickled by hand: its classes are PyTorch's."""
    numbers = lambda values: b"(" + b"".join(b"K" + bytes([v]) for v in values) + b"t"  # noqa: E731
    storage = (
        b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu"
        + b"K"
        + bytes([count])
        + b"NtQ"
    )
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\0"
    tensor += numbers(shape) + numbers(stride) + b"\x89}tR"
    objects = b"\x80\x02}X\x08\0\0\0module.a" + tensor + b"s."
    header = state_dict()
    values = struct.pack("<q", count) + struct.pack(f"<{count}f", *range(count))
    return header + objects + pickle.dumps(["0"], protocol=2) + values


def test_tensor_is_read_as_it_was_written() -> None:
    state = read_state_dict(_one_tensor(6, (2, 3), (3, 1)))
    assert state["a"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("shape", "stride"), [((3, 3), (3, 1)), ((2, 3), (1, 2)), ((200,), (1,)), ((2, 3), (3,))]
)
def test_tensor_beyond_its_storage_or_in_another_order_is_refused(
    shape: tuple[int, ...], stride: tuple[int, ...]
) -> None:
    with pytest.raises(ConversionError):
        read_state_dict(_one_tensor(6, shape, stride))


def test_every_cut_of_a_state_dict_is_refused() -> None:
    data = _one_tensor(6, (2, 3), (3, 1))
    for length in range(len(data)):
        with pytest.raises(ConversionError):
            read_state_dict(data[:length])
