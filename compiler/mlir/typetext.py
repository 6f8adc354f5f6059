"""Types from their MLIR text.

Takes: the text of one type. Gives: the type, or a ValueError that says what is wrong with it.
Must not know: tokens, operations.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ..types import DType, MemRefType, TensorType, Type, VectorType, dtype_named

SPACES = {"workgroup": 3, "global": 1, "private": 5}
"""`#gpu.address_space<…>` as the NVPTX address space numbers that stand for them."""

_SHAPED = re.compile(
    r"(tensor|vector|memref)<\s*((?:(?:\d+|\?)\s*x\s*)*)([^,]*?)\s*(?:,(.*))?>", re.S
)
_STRIDED = re.compile(
    r"\s*strided<\s*\[([^\]]*)\]\s*(?:,\s*offset\s*:\s*(\?|-?\d+)\s*)?>\s*(?:,(.*))?", re.S
)
_SPACE = re.compile(r"\s*(?:(\d+)(?:\s*:\s*\w+)?|#gpu\.address_space<\s*(\w+)\s*>)\s*", re.S)
_DYNAMIC = "dynamic sizes (`?`) are not supported: write the size as a number"


def scalar_type(name: str) -> DType | None:
    """The element type with this MLIR name (`f32`, `index`, `!lz.token`), or None."""
    found = dtype_named(name)
    return found if found is not None and found.name == name else None


@lru_cache(maxsize=4096)
def shaped_type(text: str) -> Type:
    """`tensor<4x8xf32>`, `vector<…>` or `memref<…>`; else a ValueError with the reason."""
    match = _SHAPED.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is not a type")
    kind, dims, name, rest = match.groups()
    dtype = scalar_type(name.replace(" ", ""))
    if dtype is None:
        raise ValueError(_unknown_element(kind, name))
    sizes = [d.strip() for d in dims.split("x")[:-1]]
    if "?" in sizes:
        raise ValueError(_DYNAMIC)
    shape = tuple(map(int, sizes))
    if kind == "memref":
        return _memref(shape, dtype, rest)
    if rest is not None:
        raise ValueError(f"a {kind} type ends after its element type, not with `,{rest}`")
    return (TensorType if kind == "tensor" else VectorType)(shape, dtype)


def _unknown_element(kind: str, name: str) -> str:
    if name.startswith(("?", "*")):
        return _DYNAMIC
    if name.startswith("["):
        return "scalable vectors are not supported"
    return f"{name or 'nothing'} is not an element type of a {kind}"


def _memref(shape: tuple[int, ...], dtype: DType, rest: str | None) -> MemRefType:
    if rest is None:
        return MemRefType(shape, dtype)
    strides: tuple[int, ...] | None = None
    offset: int | None = 0
    strided = _STRIDED.fullmatch(rest)
    if strided is not None:
        steps = [s.strip() for s in strided[1].split(",")] if strided[1].strip() else []
        if "?" in steps:
            raise ValueError("dynamic strides are not supported: write the stride as a number")
        strides = tuple(map(int, steps))
        if len(strides) != len(shape):
            raise ValueError(f"{len(strides)} strides for a memref of rank {len(shape)}")
        offset = None if strided[2] == "?" else int(strided[2] or 0)
        rest = strided[3]
    return MemRefType(shape, dtype, strides, offset, _space(rest))


def _space(text: str | None) -> int:
    if text is None:
        return 0
    match = _SPACE.fullmatch(text)
    if match is None or (match[2] and match[2] not in SPACES):
        raise ValueError(
            f"`{text.strip()}` is neither a layout `strided<[…], offset: …>` nor a memory space"
        )
    return SPACES[match[2]] if match[2] else int(match[1])
