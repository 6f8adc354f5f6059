"""Every op of the table, compiled, against the interpreter: examples, edge values, other targets.

Integers and bools exactly; floats within the op's error bound, which `agreement` takes from it.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from agreement import Compared, check_graph, run_compiled
from random_programs import NAMES, Example, draw_array

from lazir.compiler.graph import Builder, Graph
from lazir.compiler.interpret import interpret
from lazir.compiler.opdef import OPS, Domain
from lazir.compiler.ops.source import bf16_bits
from lazir.compiler.target import Target, host_target, named_target
from lazir.compiler.types import DType, TensorType, bf16

TOGETHER = 8
"""Examples that are compiled as one program."""


def examples_of(name: str) -> list[Example]:
    """The same examples in every run."""
    op = OPS[name]
    assert op.examples is not None
    return op.examples(np.random.default_rng(zlib.crc32(name.encode())))


def joined(name: str, examples: Sequence[Example]) -> Graph:
    """One graph of a node for each example, each with operands of its own."""
    b = Builder(name=name)
    results = []
    for types, attrs in examples:
        results += OPS[name].many(b, *(b.param(t) for t in types), **attrs)
    return b.graph(results)


def check_examples(
    name: str, examples: Sequence[Example], target: Target | None = None
) -> Compared:
    """Compile the examples and hold them to the interpreter on values of the op's domain."""
    graph = joined(name, examples)
    rng = np.random.default_rng(7)
    inputs = [draw_array(rng, t, OPS[name].domain) for t in graph.param_types]
    return check_graph(graph, inputs, run_compiled(graph, inputs, target), name)


@pytest.mark.parametrize("name", NAMES)
def test_examples(name):
    examples = examples_of(name)
    total = Compared()
    for first in range(0, len(examples), TOGETHER):
        total += check_examples(name, examples[first : first + TOGETHER])
    assert total.compared >= 0.95 * total.total
    assert total.finite > 0


# -- edge values --------------------------------------------------------------------------------
def edges(dtype: DType) -> np.ndarray:
    """Edge values of a dtype, in the interpreter's outer form."""
    if dtype.is_bool:
        return np.array([False, True])
    if dtype.is_integer:
        limits = np.iinfo(dtype.numpy)
        whole = [limits.min, limits.min + 1, limits.max, limits.max - 1, limits.max // 2 + 1, 0, 1]
        whole += [
            2,
            3,
            7,
            8,
            dtype.bits - 1,
            dtype.bits,
            dtype.bits + 1,
            -1 if dtype.is_signed else 5,
        ]
        return np.array(whole, object).astype(dtype.numpy)
    values = [
        0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, np.inf, -np.inf, np.nan, 127.5, 128.0,
        -128.9, 255.5, 32768.0, 65504.0, -32769.0, 2147483648.0, -2147483904.0, 4294967296.0,
        9.3e18, -9.3e18, 1.9e19, 6e-8, 1e-40, -1e-45, 3e38, 5e-324, 1.7e308, -1e300,
    ]  # fmt: skip
    if dtype is bf16:
        return bf16_bits(np.array(values).astype(np.float32))
    return np.array(values).astype(dtype.numpy)


SIGNS_FREE = ("copysign",)
"""Its sign is that of a NaN here and there."""
ELEMENTWISE = [n for n in NAMES if OPS[n].family == "elementwise"]


def edge_examples(name: str) -> list[tuple[Example, list[np.ndarray]]]:
    """For each dtype and set of attributes all combinations of edge values."""
    found = {}
    for types, attrs in examples_of(name):
        found.setdefault((*(t.dtype for t in types), str(sorted(attrs.items()))), (types, attrs))
    made = []
    for types, attrs in found.values():
        values = [edges(t.dtype) for t in types]
        if len(types) > 2:  # every third one is enough of three operands
            values = [v[::3] if len(v) > 2 else v for v in values]
        grid = [g.reshape(-1) for g in np.meshgrid(*values, indexing="ij")]
        wide = tuple(TensorType(g.shape, t.dtype) for g, t in zip(grid, types))
        made.append(((wide, attrs), grid))
    return made


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_edge_values(name):
    """Infinities, NaN, zeros of both signs, subnormals, extreme integers, shift counts ≥ width."""
    total = Compared()
    made = edge_examples(name)
    for first in range(0, len(made), 2 * TOGETHER):
        part = made[first : first + 2 * TOGETHER]
        graph = joined(name, [example for example, _ in part])
        inputs = [array for _, grid in part for array in grid]
        outputs = run_compiled(graph, inputs)
        total += check_graph(graph, inputs, outputs, name)
        for got, wanted in zip(outputs, interpret(graph, inputs)):
            if got.dtype.kind == "f" and name not in SIGNS_FREE:
                zero = (got == 0) & (wanted == 0)
                assert np.array_equal(np.signbit(got[zero]), np.signbit(wanted[zero]))
    assert total.compared >= 0.9 * total.total


HOSTILE = ("gather", "scatter", "dynamic_slice", "dynamic_update_slice")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_indices(name):
    """Indices far out of range on both sides, the extremes of their dtype among them."""
    rng = np.random.default_rng(3)
    examples = [e for e in examples_of(name) if all(t.size for t in e[0])]
    total = Compared()
    for first in range(0, len(examples), TOGETHER):
        part = examples[first : first + TOGETHER]
        graph = joined(name, part)
        inputs = [
            rng.choice(edges(t.dtype), t.shape)
            if t.dtype.is_integer
            else draw_array(rng, t, Domain())
            for t in graph.param_types
        ]
        inputs = [np.asarray(a, t.dtype.numpy) for a, t in zip(inputs, graph.param_types)]
        total += check_graph(graph, inputs, run_compiled(graph, inputs), name)
    assert total.compared >= 0.9 * total.total > 0


# -- other targets --------------------------------------------------------------------------------
def other_targets() -> list[Target]:
    """This machine with narrower vectors, and the fixed target x86-64-v3 if it can run."""
    here = host_target()
    found = [
        replace(here, name=f"host{bits}", vector_bits=bits)
        for bits in (128, 256)
        if bits < here.vector_bits
    ]
    fixed = named_target("x86-64-v3")
    if fixed.arch == here.arch and fixed.feature_set <= here.feature_set:
        found.append(replace(fixed, triple=here.triple))
    return found


@pytest.mark.parametrize("target", other_targets(), ids=lambda t: t.name)
def test_other_vector_widths(target):
    """Some examples of every op, for targets whose vectors have another width."""
    total = Compared()
    for name, start in zip(NAMES, itertools.count()):
        examples = examples_of(name)
        some = [examples[(start + 5 * k) % len(examples)] for k in range(min(4, len(examples)))]
        total += check_examples(name, some, target)
    assert total.compared >= 0.95 * total.total > 0
