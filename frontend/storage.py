"""Saving and loading tensors in the safetensors format: a JSON header and raw bytes, nothing that
runs.

Takes: a dict of tensors, a path. Gives: the same back. The format is that of Hugging Face's
safetensors (8 bytes of header length, the header, the data, little endian).
Must not know: models.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from lazir.compiler.types import DType, dtype_named

from . import numpy as lnp
from .handle import wrap_array
from .tensor import Tensor

_NAMES = {
    "i1": "BOOL", "i8": "I8", "ui8": "U8", "i16": "I16", "ui16": "U16", "i32": "I32",
    "ui32": "U32", "i64": "I64", "ui64": "U64", "f16": "F16", "bf16": "BF16", "f32": "F32",
    "f64": "F64", "complex<f32>": "C64",
}  # fmt: skip
_DTYPES = {text: name for name, text in _NAMES.items()}
_MOST_HEADER = 100_000_000


def save(tensors: Mapping[str, Any], path: Any, metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors by name. The file appears whole or not at all.

    >>> import lazir as lz, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "a.safetensors")
    >>> lz.save({"x": lz.Tensor([1.0, 2.0])}, path)
    >>> print(lz.load(path)["x"])
    [1. 2.]
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    parts: list[bytes] = []
    offset = 0
    for name, value in tensors.items():
        held = lnp.asarray(value)
        if held._dtype.name not in _NAMES:
            raise TypeError(f"{name}: safetensors has no dtype for {held._dtype}")
        data = np.ascontiguousarray(held._data("the data")).tobytes()
        header[name] = {
            "dtype": _NAMES[held._dtype.name],
            "shape": list(held.shape),
            "data_offsets": [offset, offset + len(data)],
        }
        parts.append(data)
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    temporary = f"{os.fspath(path)}.{os.getpid()}.part"
    with open(temporary, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(parts))
    os.replace(temporary, path)


def load(path: Any) -> dict[str, Tensor]:
    """The tensors of a safetensors file, by name. ValueError where the file is not one."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _MOST_HEADER:
            raise ValueError(f"{path}: not a safetensors file")
        try:
            header = json.loads(file.read(length))
        except ValueError as error:
            raise ValueError(f"{path}: not a safetensors file: {error}") from None
        data = file.read()
    header.pop("__metadata__", None)
    return {name: _read(name, entry, data) for name, entry in header.items()}


def _read(name: str, entry: Any, data: bytes) -> Tensor:
    try:
        dtype: DType | None = dtype_named(_DTYPES[entry["dtype"]])
        start, end = entry["data_offsets"]
        shape = tuple(int(n) for n in entry["shape"])
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"safetensors: the entry of {name!r} is damaged: {entry}") from None
    assert dtype is not None
    count = int(np.prod(shape, dtype=np.int64))
    if not 0 <= start <= end <= len(data) or end - start != count * dtype.itemsize:
        raise ValueError(f"safetensors: {name!r} does not fit its place in the file")
    array = np.frombuffer(data[start:end], dtype.numpy).reshape(shape).copy()
    return wrap_array(array, dtype)
