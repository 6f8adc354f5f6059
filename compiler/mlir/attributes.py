"""Attribute values as MLIR text.

Takes: attribute values as the tree holds them (see `ir.Attr`). Gives: their text.
Must not know: tokens, which attributes an operation has.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from ..types import DType, FunctionType, MemRefType, TensorType, VectorType, element, f64
from .affine import affine_text
from .ir import AffineMap, Dense, Raw, Symbol, Typed, Unit
from .literals import array_texts, float_text, scalar_text

MapText = Callable[[AffineMap], str]

HEX_ELEMENTS = 4096
"""Constants of more elements than this are written as one hex string."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][\w$.]*", re.ASCII)
_TYPES = (DType, TensorType, MemRefType, VectorType, FunctionType)


def string_text(text: str) -> str:
    """A quoted string with MLIR's escapes: backslash, quote, and two hex digits for the rest."""
    out = []
    for byte in text.encode("utf-8", "surrogateescape"):
        char = chr(byte)
        if char in '"\\':
            out.append("\\" + char)
        else:
            out.append(char if 0x20 <= byte < 0x7F else f"\\{byte:02X}")
    return f'"{"".join(out)}"'


def symbol_text(name: str) -> str:
    """`@name`, nested `@a::@b` where the name is `a::b`, quoted where it is no plain name."""
    parts = name.split("::")
    return "::".join("@" + (p if _PLAIN_KEY.fullmatch(p) else string_text(p)) for p in parts)


def dense_text(dense: Dense) -> str:
    """`dense<…>` without its type."""
    dtype, data = element(dense.type), dense.data
    if data.size > HEX_ELEMENTS and not dtype.is_bool:
        raw = data.astype(data.dtype.newbyteorder("<"), copy=False).tobytes()
        return f'dense<"0x{raw.hex().upper()}">'
    if data.size == 0:
        return "dense<>"
    texts = array_texts(data, dtype)
    for size in reversed(data.shape):
        texts = [f"[{', '.join(texts[i : i + size])}]" for i in range(0, len(texts), size)]
    return f"dense<{texts[0]}>"


def typed_text(value: Typed) -> str:
    """`0 : index`, `0.1 : f32`."""
    dtype = element(value.type)
    return f"{scalar_text(value.value, dtype)} : {value.type}"


def dict_text(attrs: dict[str, Any], map_text: MapText = affine_text) -> str:
    """`{a = 1 : i64, b}`, keys sorted so that equal trees have equal text."""
    return "{" + ", ".join(entry_text(k, attrs[k], map_text) for k in sorted(attrs)) + "}"


def entry_text(key: str, value: Any, map_text: MapText = affine_text) -> str:
    """`key = value`, or the key alone for a unit attribute."""
    name = key if _PLAIN_KEY.fullmatch(key) else string_text(key)
    return name if isinstance(value, Unit) else f"{name} = {attr_text(value, map_text)}"


def _tuple_text(value: tuple[Any, ...], _: MapText) -> str:
    kind = "i1" if value and all(isinstance(v, (bool, np.bool_)) for v in value) else "i64"
    items = ("true" if v else "false" for v in value) if kind == "i1" else map(str, map(int, value))
    return f"array<{kind}: {', '.join(items)}>" if value else "array<i64>"


def _list_text(value: list[Any], map_text: MapText) -> str:
    # Inside a list upstream leaves out the types i64 and f64.
    items = []
    for item in value:
        plain_int = isinstance(item, (int, np.integer)) and not isinstance(item, bool)
        if plain_int:
            items.append(str(int(item)))
        elif isinstance(item, float):
            items.append(float_text(item, f64))
        else:
            items.append(attr_text(item, map_text))
    return f"[{', '.join(items)}]"


_WRITERS: list[tuple[type | tuple[type, ...], Callable[[Any, MapText], str]]] = [
    ((bool, np.bool_), lambda v, _: "true" if v else "false"),
    ((int, np.integer), lambda v, _: f"{int(v)} : i64"),
    (float, lambda v, _: f"{float_text(v, f64)} : f64"),
    (str, lambda v, _: string_text(v)),
    (Typed, lambda v, _: typed_text(v)),
    (Symbol, lambda v, _: symbol_text(v.name)),
    (Raw, lambda v, _: v.text),
    (Unit, lambda v, _: "unit"),
    (AffineMap, lambda v, map_text: map_text(v)),
    (Dense, lambda v, _: f"{dense_text(v)} : {v.type}"),
    (tuple, _tuple_text),
    (list, _list_text),
    (dict, dict_text),
    (_TYPES, lambda v, _: str(v)),
]


def attr_text(value: Any, map_text: MapText = affine_text) -> str:
    """The text of any attribute value; `map_text` names affine maps (an alias, or in full)."""
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value, map_text)
    raise TypeError(f"{type(value).__name__} is not an attribute value: {value!r}")
