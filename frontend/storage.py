"""Saving and loading tensors in the safetensors format: a JSON header and raw bytes, nothing that
runs.

Takes: a dict of tensors, a path. Gives: the same back. The format is that of Hugging Face's
safetensors (8 bytes of header length, the header, the data, little endian).
Must not know: models.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from lazir.compiler.types import DType, dtype_named

from . import numpy as lnp
from .handle import Handle, wrap_array
from .tensor import Tensor

_NAMES = {
    "i1": "BOOL", "i8": "I8", "ui8": "U8", "i16": "I16", "ui16": "U16", "i32": "I32",
    "ui32": "U32", "i64": "I64", "ui64": "U64", "f16": "F16", "bf16": "BF16", "f32": "F32",
    "f64": "F64", "complex<f32>": "C64",
}  # fmt: skip
_DTYPES = {text: name for name, text in _NAMES.items()}
_MOST_HEADER = 100_000_000


_TREE = "lazir.tree"
"""The entry of the metadata that says how the tensors are nested, where they are."""


def save(tensors: Any, path: Any, metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors: a dict by name, or any nesting of dicts, lists, tuples, numbers and texts.

    NamedTuples and dataclasses are written as dicts of their fields, since loading makes no objects
    of the user's classes. The file appears whole or not at all.

    >>> import lazir as lz, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "a.safetensors")
    >>> lz.save({"x": lz.Tensor([1.0, 2.0]), "steps": [1, (2, None)]}, path)
    >>> loaded = lz.load(path)
    >>> print(loaded["x"], loaded["steps"])
    [1. 2.] [1, (2, None)]
    """
    extra = dict(metadata or {})
    if isinstance(tensors, Mapping) and all(map(_is_named_array, tensors.items())):
        named = dict(tensors)
    else:
        named = {}
        extra[_TREE] = json.dumps(_outline(tensors, "", named), allow_nan=True)
    _write(named, path, extra)


def _is_named_array(item: tuple[Any, Any]) -> bool:
    return isinstance(item[0], str) and isinstance(item[1], Handle | np.ndarray | np.generic)


def _outline(x: Any, name: str, found: dict[str, Any]) -> Any:
    """How a nested value is built, as JSON; its tensors go into `found`."""
    if isinstance(x, Handle | np.ndarray | np.generic):
        label = name or "value"
        if label in found:
            raise ValueError(f"two tensors would be named {label!r}: keys must not hold dots")
        found[label] = x
        return {"tensor": label}
    if x is None or isinstance(x, bool | int | float | str):
        return {"plain": x}
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        x = {f.name: getattr(x, f.name) for f in dataclasses.fields(x)}
    elif isinstance(x, tuple) and hasattr(x, "_asdict"):
        x = x._asdict()
    dot = f"{name}." if name else ""
    if isinstance(x, list | tuple):
        kind = "list" if isinstance(x, list) else "tuple"
        return {kind: [_outline(item, f"{dot}{k}", found) for k, item in enumerate(x)]}
    if isinstance(x, Mapping):
        if not all(isinstance(k, str) for k in x):
            raise TypeError(f"{name or 'the dict'}: keys of saved dicts are texts")
        return {"dict": {k: _outline(item, f"{dot}{k}", found) for k, item in x.items()}}
    raise TypeError(f"{name or 'the value'}: a {type(x).__name__} cannot be saved")


def _rebuilt(outline: Any, tensors: dict[str, Tensor]) -> Any:
    """The nested value that an outline describes. ValueError for one that is damaged."""
    if not isinstance(outline, dict) or len(outline) != 1:
        raise ValueError("the outline of nested values is damaged")
    ((kind, inner),) = outline.items()
    if kind == "tensor" and isinstance(inner, str) and inner in tensors:
        return tensors[inner]
    if kind == "plain" and (inner is None or isinstance(inner, bool | int | float | str)):
        return inner
    if kind in ("list", "tuple") and isinstance(inner, list):
        items = [_rebuilt(item, tensors) for item in inner]
        return items if kind == "list" else tuple(items)
    if kind == "dict" and isinstance(inner, dict):
        return {k: _rebuilt(item, tensors) for k, item in inner.items()}
    raise ValueError("the outline of nested values is damaged")


def _write(tensors: Mapping[str, Any], path: Any, metadata: Mapping[str, str]) -> None:
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


def load(path: Any) -> Any:
    """What `save` wrote, or the tensors of any safetensors file by name. Nothing in it is run.

    ValueError where the file is not one, or is damaged.
    """
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(_MOST_HEADER, os.fstat(file.fileno()).st_size):
            raise ValueError(f"{path}: not a safetensors file, or cut off")
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}: not a safetensors file: {error}") from None
        data = file.read()
    if not isinstance(header, dict):
        raise ValueError(f"{path}: not a safetensors file: its header is no object")
    metadata = header.pop("__metadata__", None)
    tensors = {name: _read(name, entry, data) for name, entry in header.items()}
    if not isinstance(metadata, dict) or _TREE not in metadata:
        return tensors
    try:
        return _rebuilt(json.loads(metadata[_TREE]), tensors)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from None


def _read(name: str, entry: Any, data: bytes) -> Tensor:
    try:
        dtype: DType | None = dtype_named(_DTYPES[entry["dtype"]])
        start, end = entry["data_offsets"]
        shape = tuple(entry["shape"])
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"safetensors: the entry of {name!r} is damaged: {entry}") from None
    assert dtype is not None
    count = math.prod(shape)
    integers = all(type(n) is int for n in (start, end, *shape))
    if (
        not integers
        or min(shape, default=0) < 0
        or not 0 <= start <= end <= len(data)
        or end - start != count * dtype.itemsize
    ):
        raise ValueError(f"safetensors: {name!r} does not fit its place in the file")
    array = np.frombuffer(data[start:end], dtype.numpy).reshape(shape).copy()
    return wrap_array(array, dtype)
