"""What the tests derived from the op table share: drawn operands, small graphs, a transposer."""

from __future__ import annotations

import zlib

import numpy as np

import lazir.compiler.ops  # noqa: F401  (fills the table)
from lazir.compiler.graph import Builder, Graph, Value, topological
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.control import evaluate
from lazir.compiler.ops.source import bf16_bits, bf16_values
from lazir.compiler.types import DType, TensorType, bf16, f64, ui64

TOLERANCE = {"f16": 4e-3, "bf16": 3e-2, "f32": 2e-6, "f64": 1e-12}


def generator(name: str) -> np.random.Generator:
    """The same numbers for the same op in every run."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def examples(name: str):
    return OPS[name].examples(generator(name))


def draw(rng: np.random.Generator, type: TensorType, domain) -> np.ndarray:
    """Values of a domain in the interpreter's form: bf16 as float32 values that bf16 can hold."""
    dtype = type.dtype
    if dtype.is_bool:
        return rng.integers(0, 2, type.shape).astype(bool)
    if dtype is ui64:
        return rng.integers(0, 1 << 63, type.shape).astype(np.uint64)
    if dtype.is_integer:
        limits = np.iinfo(dtype.numpy)
        low, high = max(domain.int_low, limits.min), min(domain.int_high, limits.max)
        return rng.integers(low, high + 1, type.shape).astype(dtype.numpy)
    real = rng.uniform(domain.low, domain.high, type.shape)
    if dtype.is_complex:
        return (real + 1j * rng.uniform(domain.low, domain.high, type.shape)).astype(dtype.numpy)
    if dtype is bf16:
        return bf16_values(bf16_bits(real.astype(np.float32)))
    return real.astype(dtype.numpy)


def draw_all(rng: np.random.Generator, name: str, types) -> list[np.ndarray]:
    return [draw(rng, t, OPS[name].domain) for t in types]


def one_op(name: str, types, attrs) -> Graph:
    """The Graph of one node."""
    b = Builder()
    return b.graph(OPS[name].many(b, *(b.param(t) for t in types), **attrs))


def apply(name: str, arrays, attrs, dtypes: tuple[DType, ...]) -> list[np.ndarray]:
    """The op's meaning on arrays."""
    types = [TensorType(np.shape(a), d) for a, d in zip(arrays, dtypes, strict=True)]
    return evaluate(one_op(name, types, attrs), [np.asarray(a) for a in arrays])


def smooth_example(types, attrs):
    """The example with every float made f64, for finite differences."""
    wide = tuple(TensorType(t.shape, f64) if t.dtype.is_float else t for t in types)
    attrs = {k: f64 if isinstance(v, DType) and v.is_float else v for k, v in attrs.items()}
    return wide, attrs


def transpose_linear(b: Builder, outs, params, cts):
    """The cotangents of `params`, which `outs` are linear in; all nodes live in `b`."""
    order = topological([o for o in outs if o is not None])
    linear = {p.node for p in params}
    for node in order:
        if any(v.node in linear for v in node.inputs):
            linear.add(node)
    found: dict[Value, Value] = {}

    def accumulate(value: Value, ct: Value) -> None:
        found[value] = OPS["add"](b, found[value], ct) if value in found else ct

    for out, ct in zip(outs, cts, strict=True):
        if out is not None and out.node in linear:
            accumulate(out, ct)
    for node in reversed(order):
        if node not in linear or node.op == "param":
            continue
        node_cts = [found.get(v) for v in node.results]
        if all(ct is None for ct in node_cts):
            continue
        rule = OPS[node.op].transpose
        assert rule is not None, f"{node.op} is used as a linear op but has no adjoint"
        xs = [None if v.node in linear else v for v in node.inputs]
        backs = rule(b, node, xs, node_cts)
        assert len(backs) == len(node.inputs)
        for value, x, back in zip(node.inputs, xs, backs):
            if x is None and back is not None:
                assert back.type == value.type, (node.op, back.type, value.type)
                accumulate(value, back)
    return [found.get(p) for p in params]
