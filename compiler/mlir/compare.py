"""Whether two modules say the same.

Takes: two Modules. Gives: bool. Names and locations do not count; attributes that are left out
count as their defaults, a splat constant as the array it stands for.
Must not know: text.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..types import element, f64
from .ir import Block, Dense, Module, Op, Typed, Value
from .literals import float_bits
from .records import FormError, View
from .table import RECORDS


def equal(a: Module, b: Module) -> bool:
    """Same operations, operands, types, attributes and regions; floats count by their bits."""
    values: dict[Value, Value] = {}
    return attrs_key(a.attrs) == attrs_key(b.attrs) and _same_ops(a.ops, b.ops, values)


def _same_ops(a: list[Op], b: list[Op], values: dict[Value, Value]) -> bool:
    return len(a) == len(b) and all(_same_op(x, y, values) for x, y in zip(a, b))


def _same_op(a: Op, b: Op, values: dict[Value, Value]) -> bool:
    """`values` maps the values of the first module met so far to those of the second."""
    if a.name != b.name or len(a.operands) != len(b.operands) or len(a.regions) != len(b.regions):
        return False
    if any(values.get(x, x) is not y for x, y in zip(a.operands, b.operands)):
        return False
    if op_key(a) != op_key(b) or not _bind(a.results, b.results, values):
        return False
    return all(_same_block(x, y, values) for x, y in zip(a.regions, b.regions))


def _same_block(a: Block, b: Block, values: dict[Value, Value]) -> bool:
    return _bind(a.args, b.args, values) and _same_ops(a.ops, b.ops, values)


def _bind(a: list[Value], b: list[Value], values: dict[Value, Value]) -> bool:
    values.update(zip(a, b))
    return [v.type for v in a] == [v.type for v in b]


def op_key(op: Op) -> tuple[Any, ...]:
    """An operation's attributes in one canonical form."""
    attrs = dict(op.attrs)
    record = RECORDS.get(op.name)
    if record is not None:
        try:
            view = View(record, op)
        except FormError:
            return attrs_key(attrs)
        if record.segments:
            attrs["operandSegmentSizes"] = view.segments()
        attrs = {k: v for k, v in attrs.items() if not view.is_default(k, v)}
    return attrs_key(attrs)


def attrs_key(attrs: dict[str, Any]) -> tuple[Any, ...]:
    return tuple((key, attr_key(attrs[key])) for key in sorted(attrs))


def attr_key(value: Any) -> Any:
    """A value that compares as attributes do: by type and bits, never `1 == True == 1.0`."""
    if isinstance(value, (bool, np.bool_)):
        return "bool", bool(value)
    if isinstance(value, (int, np.integer)):
        return "i64", int(value)
    if isinstance(value, float):
        return "f64", float_bits(value, f64).to_bytes(8, "little")
    if isinstance(value, Typed):
        return _typed_key(value)
    if isinstance(value, Dense):
        shape = getattr(value.type, "shape", ())
        return "dense", value.type, np.broadcast_to(value.data, shape).tobytes()
    if isinstance(value, (tuple, list)):
        return type(value).__name__, tuple(map(attr_key, value))
    if isinstance(value, dict):
        return "dict", attrs_key(value)
    return value


def _typed_key(value: Typed) -> Any:
    """`Typed(5, i64)` is the int 5, `Typed(True, i1)` the bool; floats count by their bits."""
    dtype = element(value.type)
    if dtype.is_bool:
        return "bool", bool(value.value)
    if dtype.is_float:
        return dtype.name, float_bits(value.value, dtype).to_bytes(8, "little")
    return dtype.name, int(value.value)
