"""The reference interpreter: what a Graph means, node by node, in NumPy.

Takes: a Graph and arrays. Gives: arrays. It is the oracle of every test, and slow on purpose.
Must not know: kernels, targets, speed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .graph import Graph
from .opdef import Array
from .ops.control import evaluate
from .ops.source import bf16_bits, bf16_values
from .types import TensorType, bf16


def interpret(graph: Graph, arrays: Sequence[Array]) -> list[Array]:
    """Run `graph` on arrays of its parameter types (bf16 as uint16 bits); gives its results.

    >>> import numpy as np
    >>> from lazir.compiler.graph import Builder
    >>> from lazir.compiler.ops.arithmetic import add
    >>> from lazir.compiler.types import f32, tensor
    >>> b = Builder()
    >>> x = b.param(tensor(f32, 2))
    >>> interpret(b.graph([add(b, x, x)]), [np.array([1, 2], np.float32)])
    [array([2., 4.], dtype=float32)]
    """
    inside = [_enter(a, t) for a, t in zip(arrays, graph.param_types, strict=True)]
    return [_leave(a, t) for a, t in zip(evaluate(graph, inside), graph.result_types)]


def _enter(array: Array, type: TensorType) -> Array:
    if array.shape != type.shape or array.dtype != type.dtype.numpy:
        raise ValueError(f"expected {type.short}, got an array of {array.dtype}{list(array.shape)}")
    return bf16_values(array) if type.dtype is bf16 else array


def _leave(array: Array, type: TensorType) -> Array:
    return bf16_bits(array) if type.dtype is bf16 else np.asarray(array, type.dtype.numpy)
