"""Constant folding: ops on constants alone are computed, where compiled code could not differ.

    add(constant 2, constant 3)    →   constant 5
    exp(constant 1.0)              →   stays: compiled code rounds exp in its own way

Only exact ops fold: movement and integer arithmetic of any dtype, comparisons, and the correctly
rounded float ops in f32 and f64; never to a NaN, whose bits differ among machines, and never to
more than 1 KiB. Takes and gives: Graph. Must not know: rules of algebra.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..graph import Graph, Node, Value
from ..opdef import OPS
from ..ops.source import CONSTANT_BYTES, array_constant, bf16_bits, bf16_values
from ..rewrite import Editor, everywhere, uniform
from ..types import DType, TensorType, bf16, f32, f64

ROUNDED = frozenset({"add", "sub", "mul", "div", "sqrt", "fma", "convert"})
"""Float ops whose result IEEE 754 fixes, in f32 and f64."""

EXACT = frozenset({"abs", "bitcast", "ceil", "equal", "floor", "greater", "greater_equal",
                   "is_finite", "less", "less_equal", "maximum", "minimum", "neg", "not_equal",
                   "round", "select", "sign", "trunc"})  # fmt: skip
"""Ops that only choose among representable values, in every dtype."""


def fold(graph: Graph) -> Graph:
    """`graph` with constant subgraphs computed, in bodies too."""
    return everywhere(_fold)(graph)


def _fold(graph: Graph) -> Graph:
    editor = Editor(graph)

    def replace(node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
        if not inputs:
            return _splat(editor, node)
        for v in inputs:
            if v.node.op not in ("constant", "broadcast"):
                return None
        if len(node.types) != 1 or not _is_exact(node):
            return None
        if all(v.node.op == "constant" for v in inputs):
            return _computed(editor, node, inputs)
        return _computed_once(editor, node, inputs)

    return editor.edit(replace)


def _splat(editor: Editor, node: Node) -> Sequence[Value] | None:
    """An array constant of equal elements as the broadcast of a scalar: the form rules look for."""
    if node.op != "constant" or node.types[0].size < 2:
        return None
    type = node.types[0]
    data = node.attrs["value"].data
    flat = np.broadcast_to(data, type.shape).reshape(-1)
    if flat.tobytes() != flat[:1].tobytes() * flat.size:
        return None
    scalar = array_constant(editor, flat[0].reshape(()), type.dtype)
    return [OPS["broadcast"](editor, scalar, shape=type.shape, axes=())]


def _is_exact(node: Node) -> bool:
    record = OPS[node.op]
    if record.family == "movement":
        return node.op != "broadcast" or node.inputs[0].shape != ()
    dtypes = [node.types[0].dtype, *(v.type.dtype for v in node.inputs)]
    if record.family == "elementwise":
        if node.op in EXACT:
            return not any(d.is_complex for d in dtypes)
        if node.op in ROUNDED:
            return all(not d.is_inexact or d in (f32, f64) for d in dtypes)
        return not any(d.is_inexact for d in dtypes)
    return record.family == "reduction" and not any(d.is_inexact for d in dtypes)


def _computed(editor: Editor, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
    """The result by the op's reference, None where it is too large or has a NaN."""
    type = node.types[0]
    if type.nbytes > CONSTANT_BYTES:
        return None
    arrays = [_array(v) for v in inputs]
    ins = tuple(v.type for v in inputs)
    (result,) = OPS[node.op].reference(arrays, node.attrs, ins, node.types)
    if type.dtype.is_inexact and np.isnan(result).any() and OPS[node.op].family != "movement":
        return None
    return [array_constant(editor, _bits(result, type.dtype), type.dtype)]


def _computed_once(editor: Editor, node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
    """An elementwise op of broadcast scalar constants, as the broadcast of its one value."""
    if OPS[node.op].family != "elementwise" or any(uniform(v) is None for v in inputs):
        return None
    scalars = [v.node.inputs[0] if v.node.op == "broadcast" else v for v in inputs]
    if any(s.shape != () for s in scalars):
        return None
    types = (TensorType((), node.types[0].dtype),)
    found = _computed(editor, Node(node.op, (), node.attrs, types), tuple(scalars))
    if found is None:
        return None
    return [OPS["broadcast"](editor, found[0], shape=node.types[0].shape, axes=())]


def _array(v: Value) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    data = v.node.attrs["value"].data
    if v.type.dtype is bf16:
        data = bf16_values(data)
    return np.broadcast_to(data, v.shape)


def _bits(
    array: np.ndarray[tuple[int, ...], np.dtype[np.generic]], dtype: DType
) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    return bf16_bits(array) if dtype is bf16 else np.asarray(array, dtype.numpy)
