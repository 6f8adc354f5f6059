"""Evaluates the scalar code of one op at every point of its result, in NumPy, lane by lane.

It refuses what machine code must not do even in a lane that a select discards: divisions by zero,
shifts by the width, reads out of range, float to integer out of range.
"""

from __future__ import annotations

import numpy as np

from lazir.compiler.fuse.body import BodyWriter, identity_point
from lazir.compiler.graph import Builder, Graph
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.source import bf16_bits, bf16_values
from lazir.compiler.types import bf16, index


def in_registers(dtype):
    """The NumPy dtype of a scalar in a register; bf16 as float32 values that bf16 can hold."""
    if dtype is index:
        return np.dtype(np.int64)
    return np.dtype(np.float32) if dtype is bf16 else dtype.numpy


def to_memory(array: np.ndarray) -> np.ndarray:
    """A buffer as kernels see it: bool as bytes, unsigned as signed of the same width."""
    if array.dtype.kind == "b":
        return array.astype(np.int8)
    return array.view(f"i{array.dtype.itemsize}") if array.dtype.kind == "u" else array


def from_register(lanes: np.ndarray, dtype) -> np.ndarray:
    """What the lanes say in the op's own dtype."""
    return lanes.view(dtype.numpy) if dtype.kind == "uint" else lanes


def run_scalar(name: str, types, attrs, arrays) -> np.ndarray:
    """The op's first result, computed by its scalar code."""
    b = Builder()
    params = [b.param(t) for t in types]
    node = OPS[name].node(b, params, attrs)
    shape = node.types[0].shape
    writer = BodyWriter(len(shape), lambda value: value.op == "param")
    result = writer.value(node.result, identity_point(len(shape)))
    lanes = np.indices(shape)
    memory = {p: to_memory(a) for p, a in zip(params, arrays)}
    values = {}
    for value, map in writer.reads:
        param = writer._params[value, map]
        source = memory[value]
        if map is None:
            values[param] = source
            continue
        at = []
        for (coefficients, constant), n in zip(map.rows, source.shape):
            place = np.full(shape, constant)
            for c, lane in zip(coefficients, lanes):
                place = place + c * lane
            assert place.size == 0 or (place.min() >= 0 and place.max() < n), "read out of range"
            at.append(place)
        values[param] = np.broadcast_to(source[tuple(at)], shape)
    return from_register(_evaluate(result, values, lanes), node.types[0].dtype)


def _evaluate(result, values, lanes):
    shape = lanes.shape[1:]
    for node in Graph("body", (), (result,)).nodes:
        operands = [values[v] for v in node.inputs]
        dtype = node.types[0].dtype
        with np.errstate(all="ignore"):
            got = np.asarray(_one(node, operands, dtype, lanes))
            got = np.broadcast_to(got, shape).astype(in_registers(dtype))
        values[node.result] = bf16_values(bf16_bits(got)) if dtype is bf16 else got
    return values[result]


def _one(node, xs, dtype, lanes):
    kind, name = node.op.split(".", 1)
    if node.op == "arith.constant":
        data = node.attrs["value"].data
        return bf16_values(data) if dtype is bf16 else data
    if node.op == "linalg.index":
        return lanes[node.attrs["dim"]]
    if node.op == "tensor.extract":
        for at, n in zip(xs[1:], xs[0].shape):
            assert at.size == 0 or (at.min() >= 0 and at.max() < n), "read out of range"
        return xs[0][tuple(xs[1:])]
    if kind == "math":
        return _math(name, xs)
    if name in ("cmpi", "cmpf"):
        return _compare(name, node.attrs["predicate"], *xs)
    source = node.inputs[0].type.dtype
    return _arith(name, xs, source, dtype)


def _unsigned(x):
    return x.view(f"u{x.dtype.itemsize}") if x.dtype.kind == "i" else x


def _compare(name, predicate, a, b):
    if predicate == "uno":
        return np.isnan(a) | np.isnan(b)
    rule = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal,
            "gt": np.greater, "ge": np.greater_equal}[predicate[-2:]]  # fmt: skip
    if name == "cmpi" and predicate[0] == "u" and a.dtype.kind == "i":
        a, b = _unsigned(a), _unsigned(b)
    return rule(a, b)


def _math(name, xs):
    wide = [x.astype(np.longdouble if x.dtype == np.float64 else np.float64) for x in xs]
    special = {"absf": np.abs, "roundeven": np.rint, "powf": np.power, "atan2": np.arctan2,
               "copysign": np.copysign, "rsqrt": lambda x: 1 / np.sqrt(x)}  # fmt: skip
    inverse = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh",
               "acosh": "arccosh", "atanh": "arctanh"}  # fmt: skip
    if name in ("ctpop", "ctlz"):
        return OPS[{"ctpop": "popcount", "ctlz": "clz"}[name]].reference(
            xs, {}, (None,), (_Typed(xs[0].dtype),)
        )[0]
    if name in ("erf", "erfc"):
        out = (_Typed(np.dtype(np.float64)),)
        return OPS[name].reference([xs[0].astype(np.float64)], {}, (None,), out)[0]
    if name == "fma":
        return OPS["fma"].reference(xs, {}, (None,) * 3, (_Typed(xs[0].dtype),))[0]
    return (special.get(name) or getattr(np, inverse.get(name, name)))(*wide)


class _Typed:
    """As much of a tensor type as a reference looks at."""

    def __init__(self, dtype):
        self.dtype = self
        self.numpy = dtype
        self.name = str(dtype)


def _arith(name, xs, source, dtype):
    a = xs[0]
    target = in_registers(dtype)
    if name in ("extsi", "trunci", "index_cast", "sitofp", "extf", "truncf"):
        return a.astype(target)
    if name in ("extui", "index_castui", "uitofp"):
        return _unsigned(a).astype(target)
    if name == "bitcast":
        raw = bf16_bits(a) if source is bf16 else a
        return bf16_values(raw.view(np.uint16)) if dtype is bf16 else raw.view(target)
    if name in ("fptosi", "fptoui"):
        kind = np.dtype(f"u{target.itemsize}") if name == "fptoui" else target
        whole = np.trunc(a.astype(np.float64))
        limits = np.iinfo(kind)
        assert (whole >= limits.min).all() and (whole < limits.max + 1.0).all(), "out of range"
        return whole.astype(kind).view(target)
    if name == "select":
        return np.where(*xs)
    return _binary(name, xs)


def _binary(name, xs):
    if name == "negf":
        return -xs[0]
    a, b = xs
    if name in ("divsi", "remsi", "divui", "remui"):
        assert (b != 0).all(), "division by zero"
        if name.endswith("ui"):
            a, b = _unsigned(a), _unsigned(b)
        else:
            assert not ((b == -1) & (a == np.iinfo(a.dtype).min)).any(), "overflow"
        remainder = np.fmod(a, b)
        return (remainder if name[:3] == "rem" else (a - remainder) // b).view(xs[0].dtype)
    if name in ("shli", "shrui", "shrsi"):
        assert ((b >= 0) & (b < 8 * a.dtype.itemsize)).all(), "shift out of range"
        if name == "shli":
            return np.left_shift(a, b)
        if name == "shrsi":
            return np.right_shift(a, b)
        return np.right_shift(_unsigned(a), _unsigned(b)).view(a.dtype)
    extremum = {"maximumf": "maximum", "minimumf": "minimum"}.get(name)
    if extremum:
        return OPS[extremum].reference(xs, {}, (None, None), (_Typed(a.dtype),))[0]
    if name in ("maxui", "minui"):
        rule = np.maximum if name == "maxui" else np.minimum
        return rule(_unsigned(a), _unsigned(b)).view(a.dtype)
    rule = {"addf": np.add, "addi": np.add, "subf": np.subtract, "subi": np.subtract,
            "mulf": np.multiply, "muli": np.multiply, "divf": np.divide, "remf": np.fmod,
            "maxsi": np.maximum, "minsi": np.minimum, "andi": np.bitwise_and,
            "ori": np.bitwise_or, "xori": np.bitwise_xor}[name]  # fmt: skip
    return rule(a, b)
