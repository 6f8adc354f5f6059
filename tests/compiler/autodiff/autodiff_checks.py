"""Checks of derivatives and batching against finite differences, each other, and loops."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lazir.compiler.autodiff import (
    batch_graph,
    jvp_graph,
    linearize_graph,
    value_and_grad_graph,
    vjp_graph,
)
from lazir.compiler.graph import Builder, Graph, Value
from lazir.compiler.interpret import interpret
from lazir.compiler.opdef import OPS
from lazir.compiler.types import TensorType

Arrays = Sequence[Any]


def traced(types: Sequence[TensorType], build: Callable[..., Sequence[Value]]) -> Graph:
    """The Graph of `build(b, *params)`."""
    b = Builder(name="f")
    params = [b.param(t) for t in types]
    return b.graph(build(b, *params))


def op(b: Builder, name: str, *inputs: Value, **attrs: Any) -> Value:
    return OPS[name](b, *inputs, **attrs)


def draw(rng: np.random.Generator, type: TensorType, low: float = -1.5, high: float = 1.5) -> Any:
    """An array of a type; floats between low and high, small integers."""
    kind = type.dtype.kind
    if kind == "bool":
        return rng.integers(0, 2, type.shape).astype(bool)
    if kind in ("int", "uint"):
        return rng.integers(0, 4, type.shape).astype(type.dtype.numpy)
    values = rng.uniform(low, high, type.shape)
    if kind == "complex":
        values = values + 1j * rng.uniform(low, high, type.shape)
    return np.asarray(values).astype(type.dtype.numpy)


def smooth(types: Sequence[TensorType]) -> list[bool]:
    return [t.dtype.is_inexact for t in types]


def run(graph: Graph, arrays: Arrays) -> list[Any]:
    return interpret(graph, [np.asarray(a) for a in arrays])


def inner(xs: Arrays, ys: Arrays) -> Any:
    """Σ x·y without conjugation, the pairing under which transposes are adjoint."""
    return sum(np.sum(np.asarray(x) * np.asarray(y)) for x, y in zip(xs, ys, strict=True))


def numeric_jvp(graph: Graph, arrays: Arrays, tangents: Arrays, step: float = 1e-6) -> list[Any]:
    """Central differences of the float results along the tangents of the float parameters."""
    flags = smooth(graph.param_types)

    def moved(sign: float) -> list[Any]:
        left = iter(tangents)
        return run(graph, [a + sign * step * next(left) if f else a for a, f in zip(arrays, flags)])

    flags_out = smooth(graph.result_types)
    pairs = zip(moved(1.0), moved(-1.0), flags_out)
    return [(high - low) / (2 * step) for high, low, f in pairs if f]


def check_forward(graph: Graph, arrays: Arrays, tangents: Arrays, tolerance: float = 1e-6) -> None:
    """`jvp_graph` gives the graph's results, and tangents as finite differences have them."""
    made = run(jvp_graph(graph, smooth(graph.param_types)), [*arrays, *tangents])
    count = len(graph.results)
    for got, want in zip(made[:count], run(graph, arrays)):
        np.testing.assert_array_equal(got, want)
    for got, want in zip(made[count:], numeric_jvp(graph, arrays, tangents), strict=True):
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def check_adjoint(graph: Graph, arrays: Arrays, rng: np.random.Generator) -> None:
    """⟨ct, J t⟩ = ⟨Jᵀ ct, t⟩, with J from `jvp_graph` and from `linearize_graph`."""
    active = smooth(graph.param_types)
    tangents = [draw(rng, t) for t, f in zip(graph.param_types, active) if f]
    cts = [draw(rng, t) for t in graph.result_types if t.dtype.is_inexact]
    count = len(graph.results)
    pushed = run(jvp_graph(graph, active), [*arrays, *tangents])[count:]
    forward, backward = vjp_graph(graph, active)
    kept = run(forward, arrays)
    for got, want in zip(kept[:count], run(graph, arrays)):
        np.testing.assert_array_equal(got, want)
    pulled = run(backward, [*kept[count:], *cts])
    np.testing.assert_allclose(inner(cts, pushed), inner(pulled, tangents), rtol=1e-9, atol=1e-9)


def check_linearized(graph: Graph, arrays: Arrays, rng: np.random.Generator) -> None:
    """The linear part of `linearize_graph` agrees with `jvp_graph`."""
    active = smooth(graph.param_types)
    tangents = [draw(rng, t) for t, f in zip(graph.param_types, active) if f]
    count = len(graph.results)
    pushed = run(jvp_graph(graph, active), [*arrays, *tangents])[count:]
    forward, linear = linearize_graph(graph, active)
    residuals = run(forward, arrays)[count:]
    for got, want in zip(run(linear, [*residuals, *tangents]), pushed, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10)


def check_derivatives(graph: Graph, arrays: Arrays, seed: int = 0) -> None:
    """Forward, linearised and reverse mode of a smooth graph in f64."""
    rng = np.random.default_rng(seed)
    tangents = [draw(rng, t) for t in graph.param_types if t.dtype.is_inexact]
    check_forward(graph, arrays, tangents)
    check_linearized(graph, arrays, rng)
    check_adjoint(graph, arrays, rng)


def check_batch(graph: Graph, axes: Sequence[int | None], seed: int = 0, size: int = 3) -> None:
    """`batch_graph` gives what a loop over examples gives."""
    rng = np.random.default_rng(seed)
    batched, outs = batch_graph(graph, axes, size)
    arrays = [draw(rng, t) for t in batched.param_types]
    got = run(batched, arrays)
    for k in range(size):
        one = [x if a is None else np.take(x, k, a) for x, a in zip(arrays, axes)]
        for value, axis, want in zip(got, outs, run(graph, one), strict=True):
            mine = value if axis is None else np.take(value, k, axis)
            np.testing.assert_allclose(mine, want, rtol=1e-12, atol=1e-12)


def gradient(graph: Graph) -> Graph:
    """The gradients alone of a graph with one float scalar result, for all its parameters."""
    made = value_and_grad_graph(graph, smooth(graph.param_types))
    return Graph("gradient", made.params, made.results[1:], made.locs)


def summed(graph: Graph) -> Graph:
    """A scalar made of all float results, so that gradients can be taken."""

    def build(b: Builder, *params: Value) -> list[Value]:
        outs = b.inline(graph.results, dict(zip(graph.params, params)), graph.locs)
        parts = [
            op(b, "reduce_sum", op(b, "sin", o), axes=tuple(range(len(o.shape))))
            for o in outs
            if o.type.dtype.is_float
        ]
        total = parts[0]
        for part in parts[1:]:
            total = op(b, "add", total, part)
        return [total]

    return traced(graph.param_types, build)
