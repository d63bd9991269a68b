"""Read the tensors of a PyTorch state dict (the format before PyTorch 1.6) without PyTorch.

A .pth file is a pickle, and unpickling can run code. Here only four names resolve, to our own
harmless stand-ins; anything else is refused.

Source: torch/serialization.py, `_legacy_save`: magic number, protocol version, system information,
the object, the storages' keys, then the storages themselves, each a count and its raw elements.
"""

import io
import pickle
import struct
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from biometrics.weights.errors import ConversionError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001


@dataclass(frozen=True)
class _Storage:
    dtype: np.dtype[Any]
    key: str
    count: int


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def _rebuild_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> _Tensor:
    return _Tensor(storage, offset, shape, stride)


_ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}


class _StateUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise ConversionError("the state dict holds more than tensors and was not read")
        return _ALLOWED[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _location, count, view = pid
        if kind != "storage" or view is not None or not isinstance(dtype, np.dtype):
            raise ConversionError("the state dict holds storages of an unknown kind")
        return _Storage(dtype, str(key), int(count))


def read_state_dict(data: bytes) -> dict[str, npt.NDArray[np.generic]]:
    """Return the tensors of a state dict by name, without the prefix that DataParallel adds.

    Raises:
        ConversionError: it is not such a file, is cut off, or holds anything but tensors.
    """
    stream = io.BytesIO(data)
    try:
        header = [_StateUnpickler(stream).load() for _ in range(3)]
        if header[:2] != [MAGIC_NUMBER, PROTOCOL_VERSION] or not header[2]["little_endian"]:
            raise ConversionError("the file is not a PyTorch state dict of the expected format")
        state = _StateUnpickler(stream).load()
        keys = _StateUnpickler(stream).load()
        storages = _read_storages(stream, [str(key) for key in keys], state)
        return {
            str(name).removeprefix("module."): _view(entry, storages)
            for name, entry in state.items()
        }
    except ConversionError:
        raise
    except Exception as error:  # a damaged pickle can raise almost anything
        raise ConversionError("the PyTorch state dict is damaged") from error


def _read_storages(
    stream: io.BytesIO, keys: list[str], state: dict[str, _Tensor]
) -> dict[str, npt.NDArray[np.generic]]:
    declared = {entry.storage.key: entry.storage for entry in state.values()}
    storages: dict[str, npt.NDArray[np.generic]] = {}
    for key in keys:
        storage = declared[key]
        (count,) = struct.unpack("<q", stream.read(8))
        raw = stream.read(storage.count * storage.dtype.itemsize)
        if count != storage.count or len(raw) != count * storage.dtype.itemsize:
            raise ConversionError("the PyTorch state dict is cut off")
        storages[key] = np.frombuffer(raw, storage.dtype)
    return storages


def _view(entry: _Tensor, storages: dict[str, npt.NDArray[np.generic]]) -> npt.NDArray[np.generic]:
    flat = storages[entry.storage.key][entry.offset :]
    count = int(np.prod(entry.shape, dtype=np.int64))
    contiguous = tuple(int(np.prod(entry.shape[i + 1 :])) for i in range(len(entry.shape)))
    if entry.stride != contiguous:
        raise ConversionError("the PyTorch state dict holds a tensor that is not contiguous")
    return flat[:count].reshape(entry.shape)
