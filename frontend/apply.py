"""From what users pass to operations (tensors, arrays, numbers) to graph values, and back.

Takes: operands of any kind. Gives: values of one dtype and shape in the current builder; tensors.
Must not know: which operation asks. Numbers in lazy code become inputs, so that a schedule does not
recompile; those that decide what code is best (0, ±1, 2, ½) and all numbers in traces are
constants.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lazir.compiler.errors import ShapeError, TypeRuleError
from lazir.compiler.graph import Builder, Value
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.source import bf16_bits, constant
from lazir.compiler.types import DType, Shape, TensorType, bf16, broadcast_shapes, ui64

from . import views
from .dtypes import as_dtype, check_integer, result_dtype, to_inexact, weak_dtype
from .handle import Handle, array_and_dtype, wrap, wrap_array
from .lazy import LAZY, PENDING_LIMIT, LazyNode, leaf
from .locate import user_line
from .pending import force, watch
from .slots import Literal
from .tensor import Tensor
from .trace import TraceBuilder, builder, lazy_value

NUMBERS = (bool, int, float, complex)
_STRUCTURAL = frozenset((0.0, 1.0, -1.0, 2.0, 0.5))


def fail(message: str, kind: type[TypeRuleError] | type[ShapeError] = TypeRuleError) -> Any:
    """Raise a type or shape error at the user's line."""
    raise kind(message, user_line())


# -- values ------------------------------------------------------------------------------
def value_of(x: Handle) -> Value:
    """The tensor's value in the current builder."""
    if x._state is not None:
        views.check_read(x)
    b = builder()
    if isinstance(b, TraceBuilder):
        return b.read(x)
    return lazy_value(x)


def number(x: bool | int | float | complex, dtype: DType, structural: bool = False) -> Value:
    """A Python number as a rank-0 value of `dtype`."""
    b = builder()
    if isinstance(x, int):
        check_integer(x, dtype)
    if b is not LAZY or structural or isinstance(x, bool) or x in _STRUCTURAL:
        return constant(b, x, dtype)
    data = bf16_bits(np.asarray(x, np.float32)) if dtype is bf16 else np.array(x, dtype.numpy)
    return leaf(data, dtype).result


def array_value(x: np.ndarray[Any, Any]) -> Value:
    """A NumPy array as a value; it is copied where it is kept."""
    b = builder()
    if isinstance(b, TraceBuilder):
        return b.read_array(x)
    stored, dtype = array_and_dtype(x)
    return leaf(np.array(stored, order="C"), dtype).result


class Operand(NamedTuple):
    """What is known of an operand before it is lifted."""

    source: Any
    dtype: DType
    weak: bool
    shape: Shape


def operand(x: Any) -> Operand:
    """Look at a tensor, array, number, or nested sequence."""
    if isinstance(x, Handle):
        return Operand(x, x._dtype, x._weak, x.shape)
    if isinstance(x, Literal):
        return Operand(x, weak_dtype(x.value), True, ())
    if isinstance(x, np.ndarray | np.generic):
        array = np.asarray(x)
        return Operand(
            array, array_and_dtype(array[:0] if array.ndim else array)[1], False, array.shape
        )
    if isinstance(x, NUMBERS):
        return Operand(x, weak_dtype(x), True, ())
    if isinstance(x, list | tuple):
        return _listed(x)
    if isinstance(x, range) or hasattr(x, "__dlpack__") or hasattr(x, "__array__"):
        return operand(np.asarray(x))
    return fail(f"{x!r} of type {type(x).__name__} is no tensor, array or number")  # type: ignore[no-any-return]


def lift(x: Operand, dtype: DType | None = None) -> Value:
    """The operand as a value, converted to `dtype`."""
    source = x.source
    wanted = x.dtype if dtype is None else dtype
    if isinstance(source, Handle):
        return convert(value_of(source), wanted)
    if isinstance(source, Literal):
        return number(source.value, wanted, structural=True)
    if isinstance(source, np.ndarray):
        if wanted.is_inexact and wanted is not bf16 and source.dtype != x.dtype.numpy:
            source = _rounded(source, wanted)  # a list's numbers, straight to the type wanted
        return convert(array_value(source), wanted)
    if isinstance(source, complex) and not wanted.is_complex:
        fail(f"the complex number {source!r} does not fit {wanted}")
    return number(source, wanted)


def convert(value: Value, dtype: DType) -> Value:
    """The value in another dtype."""
    return value if value.type.dtype is dtype else OPS["convert"](builder(), value, dtype=dtype)


def expand(value: Value, shape: Shape) -> Value:
    """The value broadcast to `shape` by NumPy's rule."""
    own = value.shape
    if own == shape:
        return value
    b = builder()
    lead = len(shape) - len(own)
    kept = [k for k, n in enumerate(own) if n == shape[lead + k]]
    if len(kept) < len(own):
        value = OPS["reshape"](b, value, shape=tuple(own[k] for k in kept))
    return OPS["broadcast"](b, value, shape=shape, axes=tuple(lead + k for k in kept))


class Operands(NamedTuple):
    """Values of one dtype and shape, and whether their dtype is weak."""

    values: list[Value]
    dtype: DType
    weak: bool


def promote(
    *xs: Any, name: str = "operation", inexact: bool = False, dtype: Any = None
) -> Operands:
    """The operands lifted, in their common dtype, broadcast to their common shape."""
    if dtype is None and len(xs) == 2:
        x, y = xs
        if isinstance(x, Handle) and isinstance(y, Handle) and x._dtype is y._dtype:
            common = x._dtype  # the frequent case, without looking further
            if not (x._weak or y._weak) and (common.is_inexact or not inexact):
                return Operands(broadcast([value_of(x), value_of(y)], name), common, False)
    found = [operand(x) for x in xs]
    if dtype is not None:
        common, weak = as_dtype(dtype), False
    else:
        common, weak = result_dtype(
            [o.dtype for o in found if not o.weak], [o.dtype for o in found if o.weak]
        )
    if inexact:
        common = to_inexact(common)
    return Operands(broadcast([lift(o, common) for o in found], name), common, weak)


def broadcast(values: Sequence[Value], name: str) -> list[Value]:
    """The values broadcast against each other."""
    first = values[0].shape
    for v in values:
        if v.shape != first:
            break
    else:
        return list(values)
    shape = broadcast_shapes([v.shape for v in values])
    if shape is None:
        shapes = ", ".join(v.type.short for v in values)
        fail(f"{name}: the shapes of {shapes} do not broadcast together", ShapeError)
    assert shape is not None
    return [expand(v, shape) for v in values]


# -- tensors -----------------------------------------------------------------------------
def tensor(value: Value, weak: bool = False) -> Tensor:
    """A tensor on a value that an operation made."""
    made = wrap(value, weak)
    node = value.node
    if type(node) is LazyNode:
        if node.data is None:
            watch(made)
            if node.window >= PENDING_LIMIT:
                force([made])
        elif not node.tracked:
            made._array = node.data[value.index]
    return made


def view(
    value: Value, base: Any, get: Callable[[Any], Any] | None = None,
    put: Callable[[Any, Any], Any] | None = None,
) -> Tensor:  # fmt: skip
    """As `tensor`, noting that NumPy would give a view of `base` (see `views.link`)."""
    made = tensor(value, isinstance(base, Handle) and base._weak)
    if isinstance(base, Handle) and value.shape != ():
        views.link(made, base, get, put)
    return made


def call(op: str, /, *values: Value, **attrs: Any) -> Value:
    """Build an op in the current builder."""
    return OPS[op](builder(), *values, **attrs)


def as_tensor(x: Any, dtype: Any = None) -> Tensor:
    """Any operand as a tensor (itself where it is one of that dtype)."""
    wanted = None if dtype is None else as_dtype(dtype)
    if isinstance(x, Handle) and (wanted is None or wanted is x._dtype):
        return x  # type: ignore[return-value]
    found = operand(x)
    return tensor(lift(found, wanted), found.weak and wanted is None)


def current_builder() -> Builder:
    """The builder that operations use now."""
    return builder()


def nested(x: Any) -> Any:
    """A nested sequence as an array, or as a tensor where it holds tensors."""
    return _listed(x).source


_WIDE = {"bool": np.bool_, "int": np.int64, "float": np.float64, "complex": np.complex128}


def _listed(x: Any) -> Operand:
    """A nested sequence. Python numbers are kept as exact as they are, whatever dtype they count
    as, so that `array([0.1], "float64")` is 0.1.
    """
    flat: list[Any] = []
    shape = _walk(x, flat)
    if any(isinstance(v, Handle) for v in flat):
        return operand(_joined(flat, shape))
    if not all(isinstance(v, NUMBERS) and not isinstance(v, np.generic) for v in flat):
        return operand(np.asarray(x))
    kinds = [weak_dtype(v) for v in flat]
    dtype = result_dtype([], kinds)[0] if kinds else as_dtype(float)
    try:
        data: np.ndarray[Any, Any] = np.array(flat, _WIDE[dtype.kind])
    except OverflowError:  # Python integers of more than 63 bits
        data, dtype = np.array(flat, np.uint64), ui64
    return Operand(data.reshape(shape), dtype, False, shape)


def _rounded(data: np.ndarray[Any, Any], dtype: DType) -> np.ndarray[Any, Any]:
    if data.dtype.kind == "c" and not dtype.is_complex:
        fail(f"complex numbers do not fit {dtype}")
    with np.errstate(over="ignore"):
        return data.astype(dtype.numpy)


def _joined(flat: list[Any], shape: Shape) -> Tensor:
    found = [operand(v) for v in flat]
    dtype, _ = result_dtype(
        [o.dtype for o in found if not o.weak], [o.dtype for o in found if o.weak]
    )
    rows = [call("reshape", lift(o, dtype), shape=(1, *o.shape)) for o in found]
    joined = call("concat", *broadcast(rows, "array"), axis=0)
    return tensor(call("reshape", joined, shape=(*shape, *found[0].shape)))


def _walk(x: Any, flat: list[Any]) -> tuple[int, ...]:
    if isinstance(x, list | tuple):
        shapes = [_walk(item, flat) for item in x]
        if any(s != shapes[0] for s in shapes):
            fail(f"a nested sequence must be rectangular, got rows of shapes {shapes}", ShapeError)
        return (len(x), *(shapes[0] if shapes else ()))
    flat.append(x)
    return ()


class OutOfBounds(ShapeError, IndexError):
    """An axis, or a static index, that is not there; too many indices."""


def normal_axis(axis: int, rank: int, name: str) -> int:
    """An axis counted from 0, negative ones from the end."""
    if not isinstance(axis, int | np.integer) or isinstance(axis, bool):
        fail(f"{name}: an axis is an integer, got {axis!r}")
    if not -rank <= axis < rank:
        fail(f"{name}: axis {axis} is out of range for a tensor of rank {rank}", OutOfBounds)
    return int(axis) % rank


def normal_axes(axis: Any, rank: int, name: str) -> tuple[int, ...]:
    """Axes counted from 0, in increasing order; None means all."""
    if axis is None:
        return tuple(range(rank))
    given = axis if isinstance(axis, tuple | list) else (axis,)
    found = sorted(normal_axis(a, rank, name) for a in given)
    if len(set(found)) != len(found):
        fail(f"{name}: an axis is named twice in {tuple(given)}", ShapeError)
    return tuple(found)


def concrete(x: Any) -> Tensor | None:
    """The operand as a tensor with data, where it has any without running the graph."""
    if isinstance(x, Handle):
        return x if x._array is not None else None  # type: ignore[return-value]
    array, dtype = array_and_dtype(np.asarray(x))
    return wrap_array(array, dtype)


def shape_of(spec: Any) -> Shape:
    """A shape given as an integer or a sequence of integers."""
    single = isinstance(spec, int | np.integer) or (isinstance(spec, Handle) and not spec.shape)
    entries = (spec,) if single else tuple(spec)
    dims = []
    for n in entries:
        if isinstance(n, Handle):
            n = int(n)  # type: ignore[call-overload]
        if not isinstance(n, int | np.integer) or n < 0:
            fail(f"a shape consists of integers that are not negative, got {entries}", ShapeError)
        dims.append(int(n))
    return tuple(dims)


def element_count(shape: Shape) -> int:
    """Number of elements."""
    return math.prod(shape)


def type_of(x: Any) -> TensorType:
    """The type of an operand."""
    found = operand(x)
    return TensorType(found.shape, found.dtype)
