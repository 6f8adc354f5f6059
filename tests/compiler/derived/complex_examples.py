"""The table's own examples with complex operands in place of float ones.

Takes: the name of an op that takes complex numbers. Gives: examples, values, and how far a result
may be off: complex results are held to a bound on |error|, in units in the last place of |result|.
Must not know: how complex numbers are lowered.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from agreement import JOINING, joined
from random_examples import Example

from lazir.compiler.graph import Builder, Graph
from lazir.compiler.interpret import interpret
from lazir.compiler.opdef import OPS
from lazir.compiler.types import DType, TensorType, c64, c128, f32, f64

COMPLEX = {f32: c64, f64: c128}
NAMES = sorted(n for n, op in OPS.items() if op.parts is not None and op.family != "linalg")
"""Every op that takes complex numbers, but for decompositions, whose vectors turn with rounding and
whose matrices must have one: test_linalg.py and frontend/test_linalg_complex.py are theirs."""
OWN = ("complex", "fourier")
"""Families whose own examples are complex."""
PER_OP = 5
ULP = {"integer_pow": 24.0, "pow": 48.0, "rsqrt": 6.0}
"""Bounds on the error of elementwise ops in units in the last place of |result|, where it is not 4;
of pow it grows with |w log z|."""


def of_parts(dtype: Any) -> Any:
    """The complex type whose parts have this type; anything else stays."""
    return COMPLEX.get(dtype, dtype) if isinstance(dtype, DType) else dtype


def examples_of(name: str) -> list[Example]:
    """Examples with at least one complex operand or result."""
    op = OPS[name]
    assert op.examples is not None
    made = []
    for types, attrs in op.examples(np.random.default_rng(zlib.crc32(name.encode()))):
        kinds = {t.dtype for t in types} | {v for v in attrs.values() if isinstance(v, DType)}
        if op.family in OWN:
            made.append((types, attrs))
        elif name == "constant":
            made.append((types, complex_constant(attrs)))
        elif kinds & set(COMPLEX) and attrs.get("op") not in ("mul", "min", "max"):
            first = attrs.get("num_keys", 0)  # keys of a sort stay real
            wide = [TensorType(t.shape, of_parts(t.dtype)) for t in types[first:]]
            changed = {k: of_parts(v) for k, v in attrs.items()}
            if all(t.dtype not in COMPLEX for t in types) and name == "convert":
                wide = list(types)  # integer → complex
            made.append(((*types[:first], *wide), changed))
    good = [e for e in made if name != "convert" or allowed(*e)]
    return good if name == "convert" else good[: PER_OP * (1 + (op.family in OWN))]


def allowed(types: Any, attrs: Any) -> bool:
    """Whether a conversion is one: complex numbers do not become real."""
    return attrs["dtype"].is_complex or attrs["dtype"].is_bool or not types[0].dtype.is_complex


def complex_constant(attrs: Any) -> Any:
    """The constant with an imaginary part."""
    dense = attrs["value"]
    data = dense.data.astype(np.complex64)
    type_ = TensorType(dense.type.shape, c64)
    return {"value": type(dense)(type_, data + 2j * data[::-1] if data.ndim else data - 1j)}


def draw(rng: np.random.Generator, type: TensorType, domain: Any) -> np.ndarray:
    """Values of an op's domain, both parts of a complex one."""
    if type.dtype.is_bool:
        return rng.integers(0, 2, type.shape).astype(bool)
    if type.dtype.is_integer:
        limits = np.iinfo(type.dtype.numpy)
        low, high = max(domain.int_low, limits.min), min(domain.int_high, limits.max)
        return rng.integers(low, high + 1, type.shape).astype(type.dtype.numpy)
    if not type.dtype.is_complex:
        return rng.uniform(domain.low, domain.high, type.shape).astype(type.dtype.numpy)
    out = np.empty(type.shape, type.dtype.numpy)
    out.real, out.imag = (rng.uniform(domain.low, domain.high, type.shape) for _ in range(2))
    return out


def one_op(name: str, types: Any, attrs: Any) -> Graph:
    """The Graph of one node."""
    b = Builder(name=name)
    return b.graph(OPS[name].many(b, *(b.param(t) for t in types), **attrs))


def bound(graph: Graph, inputs: list[np.ndarray], wanted: np.ndarray, dtype: DType) -> Any:
    """How far |got − wanted| may be, elementwise."""
    (node,) = graph.nodes
    unit = np.finfo(dtype.numpy).eps
    ulp = ULP.get(node.op, 4.0)
    if OPS[node.op].family == "fourier":
        return 4 * ulp * unit * np.abs(wanted).max(initial=1)
    if node.op in ("reduce_prod", "cumprod"):
        return ulp * joined(node) * unit * np.abs(wanted)
    if node.op in (*JOINING, "scatter"):  # of a sum in terms of the sizes of its terms
        real = [np.abs(a) if a.dtype.kind == "c" else a for a in inputs]
        types = [TensorType(a.shape, t.dtype.part) for a, t in zip(inputs, graph.param_types)]
        (total,) = interpret(one_op(node.op, types, node.attrs), real)
        count = joined(node) if node.op in JOINING else inputs[-1].size
        return 2 * ulp * max(1, count) * unit * total
    return ulp * unit * np.abs(wanted)


def hold(graph: Graph, inputs: list[np.ndarray], outputs: list[np.ndarray]) -> int:
    """AssertionError where outputs are off; how many complex numbers were compared."""
    count = 0
    for got, wanted, type in zip(
        outputs, interpret(graph, inputs), graph.result_types, strict=True
    ):
        assert got.shape == wanted.shape and got.dtype == wanted.dtype
        if not type.dtype.is_complex and OPS[graph.name].family != "fourier":
            np.testing.assert_array_equal(got, wanted)
            continue
        same = (got == wanted) | (np.isnan(got) & np.isnan(wanted))
        near = np.abs(got - wanted) <= bound(graph, inputs, wanted, type.dtype)
        wrong = ~(same | near)
        assert not wrong.any(), (graph.name, type, got[wrong][:4], wanted[wrong][:4])
        count += got.size
    return count
