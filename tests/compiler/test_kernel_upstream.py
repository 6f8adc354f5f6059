"""Upstream MLIR as a judge of the stages `kernels` and `loops`: it verifies, lowers and runs them.

What it computes is what the interpreter says. Skipped where its tools are not installed.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from lazir.compiler.graph import Graph
from lazir.compiler.interpret import interpret
from lazir.compiler.mlir.ir import Module, Symbol
from lazir.compiler.mlir.parser import parse_module
from lazir.compiler.mlir.printer import print_module
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.source import bf16_values
from lazir.compiler.pipeline import Compilation
from lazir.compiler.program_parse import main_function
from lazir.compiler.scalars import storage
from lazir.compiler.target import host_target
from lazir.compiler.types import MemRefType, TensorType, bf16, i1
from tests.compiler.kernel_programs import PROGRAMS, inputs_of, is_lowered, op_graphs
from tests.random_programs import draw_array, random_graph
from tests.upstream import mlir_opt, run_each

Array = np.ndarray[Any, Any]
STAGES = ("kernels", "loops")
TOLERANCE = {"f16": 4e-3, "bf16": 3e-2, "f32": 2e-5, "f64": 1e-11}
NAMES = [n for n in OPS if n != "custom_linear"]
LIBRARY_OPS = {n for n in NAMES if OPS[n].family in ("linalg", "fourier")}
DECLARED = {"kernels": {"sort", *LIBRARY_OPS}, "loops": LIBRARY_OPS}
"""Ops that are only declared functions at a stage: upstream verifies them, but cannot run them."""
SIZE = 27
"""Programs in one text: lowering is slow to start."""


def joined(graphs: Sequence[Graph], stage: str) -> tuple[str, list[str]]:
    """One text of several programs, and the names of their functions in it."""
    ops, names = [], []
    for k, graph in enumerate(graphs):
        module = parse_module(Compilation(graph, host_target()).text(stage))
        main = main_function(module)
        for op in module.walk():
            if "sym_name" in op.attrs:
                op.attrs["sym_name"] = f"p{k}_{op.attrs['sym_name']}"
            symbols = {key: v for key, v in op.attrs.items() if isinstance(v, Symbol)}
            op.attrs.update({key: Symbol(f"p{k}_{v.name}") for key, v in symbols.items()})
        ops += module.ops
        names.append(main.attrs["sym_name"])
    return print_module(Module(ops)), names


def as_stored(array: Array, type: TensorType) -> Array:
    """An array with the dtype of the buffer that holds it."""
    if type.dtype.is_complex:
        return as_pairs(array)
    dtype = storage(type.dtype)
    return array.astype(np.int8) if type.dtype is i1 else array.view(dtype.numpy)


def as_pairs(array: Array) -> Array:
    """Complex numbers as real pairs along a last axis."""
    return np.stack([array.real, array.imag], axis=-1)


def run_upstream(
    graphs: Sequence[Graph], stage: str, inputs: Sequence[Sequence[Array]]
) -> list[list[Array]]:
    """The results of each program, in its own dtypes."""
    text, names = joined(graphs, stage)
    module = parse_module(text)
    calls = []
    for graph, name, arrays in zip(graphs, names, inputs, strict=True):
        given = [as_stored(a, t) for a, t in zip(arrays, graph.param_types)]
        if stage == "loops":  # outputs and workspace are arguments
            types = module.function(name).attrs["function_type"].inputs[len(given) :]
            given += [np.zeros(t.shape, t.dtype.numpy) for t in types if isinstance(t, MemRefType)]
        calls.append((name, given))
    found = []
    for graph, made in zip(graphs, run_each(text, stage, calls), strict=True):
        count = len(graph.results)
        results = made[len(graph.params) :][:count] if stage == "loops" else made
        assert len(results) == count
        found.append([_logical(a, t) for a, t in zip(results, graph.result_types)])
    return found


def _logical(array: Array, type: TensorType) -> Array:
    if type.dtype is i1:
        assert set(np.unique(array)) <= {0, 1}
        return array.astype(bool)
    return array.view(type.dtype.numpy).reshape(type.shape)


def assert_agrees(found: Sequence[Array], wanted: Sequence[Array], graph: Graph) -> None:
    """Integers and bools exactly, floats within what rounding in another order gives."""
    for a, b, type in zip(found, wanted, graph.result_types, strict=True):
        assert a.shape == b.shape
        if not type.dtype.is_inexact:
            assert np.array_equal(a, b), graph.name
            continue
        if type.dtype.is_complex:
            a, b = as_pairs(a), as_pairs(b)
        x, y = (bf16_values(v) if type.dtype is bf16 else v.astype(np.float64) for v in (a, b))
        bound = TOLERANCE[type.dtype.part.name]
        scale = np.max(np.abs(y[np.isfinite(y)]), initial=1.0)
        np.testing.assert_allclose(
            x, y, rtol=bound, atol=bound * float(scale) / 50, err_msg=graph.name
        )


def wanted_of(graph: Graph, arrays: Sequence[Array]) -> list[Array]:
    with np.errstate(all="ignore"):
        return interpret(graph, arrays)


def op_inputs(graph: Graph, name: str) -> list[Array]:
    rng = np.random.default_rng(zlib.crc32(graph.name.encode()))
    return [draw_array(rng, t, OPS[name].domain) for t in graph.param_types]


@pytest.mark.parametrize("stage", STAGES)
def test_upstream_verifies_every_op(stage: str) -> None:
    """One text of all programs, none of whose operations upstream finds fault with."""
    graphs = [g for name in NAMES for g in op_graphs(name, 5)]
    graphs += filter(is_lowered, (random_graph(seed).graph for seed in range(300, 330)))
    texts = [Compilation(g, host_target()).text(stage) for g in graphs]
    assert len(texts) > 3 * len(NAMES)
    mlir_opt("// -----\n".join(texts), "--split-input-file")


@pytest.mark.parametrize("stage", ["graph", "optimized"])
def test_upstream_reads_the_graphs_of_every_op(stage: str) -> None:
    """The `lz` dialect is ours, so upstream checks syntax, types and regions alone."""
    graphs = [g for name in NAMES for g in op_graphs(name, 3)]
    texts = [Compilation(g, host_target()).text(stage, locations=True) for g in graphs]
    assert len(texts) > 200
    mlir_opt("// -----\n".join(texts), "--split-input-file", "--allow-unregistered-dialect")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("start", range(0, len(NAMES), SIZE))
def test_upstream_computes_every_op(start: int, stage: str) -> None:
    names = [n for n in NAMES[start : start + SIZE] if n not in DECLARED[stage]]
    pairs = [(g, n) for n in names for g in op_graphs(n, 2)]
    graphs = [g for g, _ in pairs]
    inputs = [op_inputs(g, n) for g, n in pairs]
    for graph, arrays, found in zip(graphs, inputs, run_upstream(graphs, stage, inputs)):
        assert_agrees(found, wanted_of(graph, arrays), graph)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("start", range(0, len(PROGRAMS), SIZE))
def test_upstream_computes_programs(start: int, stage: str) -> None:
    graphs = list(PROGRAMS.values())[start : start + SIZE]
    graphs = [g for g in graphs if not DECLARED[stage] & {n.op for n in g.nodes}]
    inputs = [inputs_of(g) for g in graphs]
    for graph, arrays, found in zip(graphs, inputs, run_upstream(graphs, stage, inputs)):
        assert_agrees(found, wanted_of(graph, arrays), graph)
