"""The slots of every tensor, and the state that few tensors need.

Takes: arrays, graph values. Gives: `Handle`, `State`, `Literal`. Must not know: operations.
`_array` is read by native code: it is the data exactly where the handle may go into a compiled
program as it is (known, and no gradient recorded through it).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lazir.compiler.graph import Value
from lazir.compiler.types import DType

Array = np.ndarray[Any, Any]


class Handle:
    """Slots shared by all tensors; users see `Tensor`.

    - `_array`: the data (bf16 as its uint16 bits), or None;
    - `_value`: a value of the active trace or of the lazy graph, or None;
    - `_dtype`, `_weak`: element type; whether it came from a Python scalar alone;
    - `_state`: gradient and aliasing state, None for most.
    """

    __slots__ = ("__weakref__", "_array", "_dtype", "_state", "_value", "_weak")
    _array: Array | None
    _value: Value | None
    _dtype: DType
    _weak: bool
    _state: State | None

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of its axes."""
        array = self._array
        if array is not None:
            shape: tuple[int, ...] = array.shape
            return shape
        assert self._value is not None
        return self._value.shape


class State:
    """What few handles need: gradients, and who shares memory with it as NumPy sees it."""

    __slots__ = ("family", "grad", "owner", "requires_grad", "seen", "source")

    def __init__(self) -> None:
        self.requires_grad = False
        self.grad: Any = None
        self.family: Any = None  # views.Family
        self.owner = False
        self.seen = 0
        self.source: Any = None  # views.Source


class Literal(NamedTuple):
    """A number of ours in a composed operation: always a constant of the graph, weakly typed."""

    value: bool | int | float
