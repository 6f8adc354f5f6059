"""Whether two computations of one Graph agree, within the error bounds of the op table.

Takes: a Graph, inputs, and what some other way of running it gave. Gives: `Compared`, or an
AssertionError that shows the worst element. Must not know: how the other way works.

How far a result may be off follows from the graph itself: the interpreter runs it several times,
each time moving every inexact element by the error bound of its op, up or down at random (Monte
Carlo arithmetic: D. S. Parker, "Monte Carlo arithmetic: exploiting randomness in floating-point
arithmetic", 1997). What spreads far is ill-conditioned and gets a wide bound; integers and bools
that do not come out the same every time hang on a rounding and are left out, and so are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from lazir.compiler.graph import Graph, Node, Value
from lazir.compiler.interpret import interpret
from lazir.compiler.maths.accuracy import FLOORS
from lazir.compiler.opdef import OPS
from lazir.compiler.ops import control, custom
from lazir.compiler.ops.source import bf16_bits, bf16_values
from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import Target, host_target
from lazir.compiler.types import DType, TensorType, bf16, f32, f64
from lazir.runtime.execute import LoadedProgram
from lazir.runtime.program import Program

Array = np.ndarray[Any, Any]

ALIGNMENT = 64
"""What a program's workspace may lose to alignment."""
RUNS = 6
"""Disturbed runs of the interpreter: three, and the same with all signs turned over."""
ROOM = 3.0
"""The bound is so many times the largest spread seen, and so many units in the last place where an
inexact op is involved: of two that move a result, one may undo the other in every run."""
JOINING = (
    "reduce_sum", "reduce_prod", "dot_general", "conv", "reduce_window", "cumsum", "cumprod",
)  # fmt: skip
"""Ops that join many elements: their bound grows with how many, in terms of the absolute values."""
FIXED = ("convert", "scatter")
"""Ops that round in one prescribed way: whatever computes them gives the same bits."""


@dataclass(frozen=True)
class Compared:
    """How many elements there were, how many were held to a bound, how many of those are finite."""

    total: int = 0
    compared: int = 0
    finite: int = 0

    def __add__(self, other: Compared) -> Compared:
        return Compared(
            self.total + other.total,
            self.compared + other.compared,
            self.finite + other.finite,
        )


def run_compiled(
    graph: Graph, inputs: Sequence[Array], target: Target | None = None
) -> list[Array]:
    """The results of the graph compiled for `target` (this machine), without the disk cache."""
    return run_guarded(Compilation(graph, target or host_target()).program, inputs)


def run_guarded(program: Program, inputs: Sequence[Array]) -> list[Array]:
    """Run a program with guard bytes around all of its memory, filled with garbage beforehand.

    AssertionError where it writes outside of its results and workspace, or into its inputs.
    """
    loaded = LoadedProgram(program)
    given = [Guarded(a.shape, a.dtype, a) for a in inputs]
    results = [Guarded(spec.shape, spec.numpy_dtype) for spec in program.outputs]
    workspace = Guarded((program.workspace_bytes + ALIGNMENT,), np.dtype(np.uint8))
    loaded._new_workspace = lambda: workspace.array
    loaded.call([g.array for g in given], out=[g.array for g in results])
    for kind, guarded in (("input", given), ("result", results), ("workspace", [workspace])):
        for number, g in enumerate(guarded):
            assert g.is_whole(), f"{program.name} wrote outside of {kind} {number}"
    for number, (g, a) in enumerate(zip(given, inputs)):
        assert g.array.tobytes() == a.tobytes(), f"{program.name} changed input {number}"
    return [g.array for g in results]


class Guarded:
    """An array on a cache line, full of garbage or a copy of another, guard bytes around it."""

    GUARD = 512

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], like: Array | None = None
    ) -> None:
        nbytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        self._memory = np.full(nbytes + 2 * self.GUARD + 64, 0xA5, np.uint8)
        start = self.GUARD + -(self._memory.ctypes.data + self.GUARD) % 64
        self._span = slice(start, start + nbytes)
        self.array = self._memory[self._span].view(dtype).reshape(shape)
        if like is not None:
            self.array[...] = like

    def is_whole(self) -> bool:
        """Whether the guard bytes are as they were."""
        before, after = self._memory[: self._span.start], self._memory[self._span.stop :]
        return bool(np.all(before == 0xA5) and np.all(after == 0xA5))


# -- units in the last place ------------------------------------------------------------------
def spacing(values: Array, dtype: DType) -> Array:
    """The distance between neighbouring floats of `dtype` at each value, f64; inf at infinity."""
    size = np.abs(np.asarray(values, np.float64))
    if dtype is f64:
        step = np.spacing(size)
    else:
        bits, lowest = {"f32": (23, -149), "f16": (10, -24), "bf16": (7, -133)}[dtype.name]
        exponent = np.frexp(np.where(np.isfinite(size), size, 1.0))[1] - 1
        step = np.ldexp(1.0, np.maximum(exponent - bits, lowest))
    return np.where(np.isfinite(size), step, np.inf)


def _computed_in(dtype: DType) -> DType:
    return f64 if dtype is f64 else f32


def _rounded(wide: Array, type: TensorType) -> Array:
    """f64 values in the interpreter's form of a type."""
    if type.dtype is bf16:
        return bf16_values(bf16_bits(wide.astype(np.float32)))
    return wide.astype(type.dtype.numpy)


# -- the disturbed interpreter ----------------------------------------------------------------
class Disturbed:
    """Runs Graphs as `ops.control.evaluate` does, every inexact result moved by its op's bound."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed // 2)
        self.side = 1.0 - 2.0 * (seed % 2)

    def _signs(self, shape: tuple[int, ...]) -> Array:
        return self.side * self.rng.choice([-1.0, 1.0], shape)

    def interpret(self, graph: Graph, arrays: Sequence[Array]) -> list[Array]:
        """The results, in the form that programs give them."""
        inside = [
            bf16_values(a) if t.dtype is bf16 else a for a, t in zip(arrays, graph.param_types)
        ]
        with self._bodies():
            results = self.evaluate(graph, inside)
        pairs = zip(results, graph.result_types)
        return [bf16_bits(a) if t.dtype is bf16 else a for a, t in pairs]

    @contextmanager
    def _bodies(self) -> Iterator[None]:
        """Bodies of control flow are disturbed too."""
        before = control.evaluate
        control.evaluate = custom.evaluate = self.evaluate
        try:
            yield
        finally:
            control.evaluate = custom.evaluate = before

    def evaluate(self, graph: Graph, arrays: Sequence[Array]) -> list[Array]:
        values = {p: np.asarray(a) for p, a in zip(graph.params, arrays, strict=True)}
        for node in graph.nodes:
            operands = [values[v] for v in node.inputs]
            ins = tuple(v.type for v in node.inputs)
            results = OPS[node.op].reference(operands, node.attrs, ins, node.types)
            for k, (result, type) in enumerate(zip(results, node.types, strict=True)):
                value = np.asarray(result)
                if type.dtype.is_float and type.size:
                    value = self._moved(node, operands, value, type)
                values[Value(node, k)] = np.asarray(value)
        return [values[v] for v in graph.results]

    def _moved(self, node: Node, operands: list[Array], result: Array, type: TensorType) -> Array:
        op = OPS[node.op]
        if type.dtype is bf16:
            result = bf16_values(bf16_bits(result))
        if not op.ulp or node.op in FIXED:
            return result
        wide = result.astype(np.float64)
        if type.dtype is not f64:
            wide = _in_f64(node, operands)
        if node.op in JOINING:
            bound = joining_bound(node, operands, wide, type.dtype)
        else:
            size = wide
            if (
                node.op in FLOORS
            ):  # they cross zero between their poles, as differences of large parts
                size = np.where(operands[0] < 0, np.maximum(np.abs(wide), 1.0), wide)
            bound = op.ulp * spacing(size, _computed_in(type.dtype))
            if op.ulp <= 0.5:
                bound = np.where(_exact(node, operands, wide, result), 0.0, bound)
        sign = self._signs(wide.shape)
        step = sign * bound * self.rng.choice([1.0, 2.0], wide.shape)  # so that few cancel out
        moved = _rounded(np.where(np.isfinite(wide), wide + step, wide), type)
        if node.op in JOINING:  # the sign of a sum that is zero is not fixed
            moved = np.where(moved == 0, (moved * sign).astype(moved.dtype), moved)
        return self._any_nan(moved.astype(result.dtype))

    def _any_nan(self, values: Array) -> Array:
        """The sign of a NaN means nothing: those who look at it get either."""
        sign = self._signs(values.shape).astype(values.dtype)
        return np.where(np.isnan(values), np.copysign(values, sign), values)


def _in_f64(node: Node, operands: list[Array]) -> Array:
    """The node's result before it is rounded to its dtype."""
    wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in operands]

    def widened(type: TensorType) -> TensorType:
        return TensorType(type.shape, f64) if type.dtype.is_float else type

    ins = tuple(widened(v.type) for v in node.inputs)
    (result, *_) = OPS[node.op].reference(wide, node.attrs, ins, tuple(map(widened, node.types)))
    return np.asarray(result)


_DIRECT = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide,
    "sqrt": np.sqrt,
}  # fmt: skip


def _exact(node: Node, operands: list[Array], wide: Array, result: Array) -> Array:
    """Where a correctly rounded result is exact, so that every way to compute it gives it."""
    if node.inputs[0].type.dtype is not f64:
        return np.asarray(wide == result)
    if node.op not in _DIRECT:
        return np.zeros(wide.shape, bool)
    extended = _DIRECT[node.op](*(a.astype(np.longdouble) for a in operands))
    return np.asarray(extended == result)


def joining_bound(node: Node, operands: list[Array], wide: Array, dtype: DType) -> Array:
    """n · ulp · u · Σ|terms| for sums (N. Higham, "Accuracy and Stability of Numerical Algorithms",
    §4.2: u is half a unit in the last place of 1); |product| for products. Infinite where a partial
    result might overflow."""
    if node.op == "reduce_window" and node.attrs["op"] != "sum":
        return np.zeros(wide.shape)
    size = [np.abs(a.astype(np.float64)) for a in operands]
    total = _in_f64(node, size) if node.op != "reduce_prod" else np.abs(wide)
    unit = 2.0 ** (-53 if dtype is f64 else -24)
    count = joined(node)
    bound = 2 * OPS[node.op].ulp * count * unit * total + count * spacing(0.0, _computed_in(dtype))
    largest = float(np.finfo(_computed_in(dtype).numpy).max)
    risky = total * (1 + count * unit) >= largest
    if node.op in ("reduce_prod", "cumprod"):
        running = node.op == "cumprod"
        axes = (node.attrs["axis"],) if running else tuple(node.attrs["axes"])
        high, low = (
            np.prod(part, axes, keepdims=running)
            for part in (np.maximum(size[0], 1), np.minimum(size[0], 1))
        )
        tiny = float(np.finfo(_computed_in(dtype).numpy).tiny)
        risky = (high >= largest) | ((low < tiny) & (low > 0)) | ((low == 0) & (high > 1))
    return np.where(risky, np.inf, bound)


def joined(node: Node) -> int:
    """How many elements go into one element of the result."""
    first, attrs = node.inputs[0].shape, node.attrs
    if node.op == "dot_general":
        sizes = [first[a] for a in attrs["lhs_contracting"]]
    elif node.op == "conv":
        kernel = dict(zip(attrs["rhs"], node.inputs[1].shape))
        sizes = [n for axis, n in kernel.items() if axis not in "og"]
    elif node.op == "reduce_window":
        sizes = list(attrs["window"])
    elif node.op in ("cumsum", "cumprod"):
        sizes = [first[attrs["axis"]]]
    else:
        sizes = [first[a] for a in attrs["axes"]]
    return max(1, int(np.prod(sizes, dtype=np.int64)))


# -- comparing --------------------------------------------------------------------------------
def check_graph(
    graph: Graph, inputs: Sequence[Array], outputs: Sequence[Array], label: str = ""
) -> Compared:
    """Hold `outputs` to what the interpreter gives for the graph."""
    wanted = interpret(graph, inputs)
    runs = [Disturbed(seed).interpret(graph, inputs) for seed in range(RUNS)]
    total = Compared()
    for k, type in enumerate(graph.result_types):
        disturbed = [run[k] for run in runs]
        slack = ROOM if is_inexact(graph.results[k]) else 0.0
        total += check_array(outputs[k], wanted[k], disturbed, type, slack, f"{label} result {k}")
    return total


def is_inexact(value: Value) -> bool:
    """Whether an op that rounds is among those that `value` follows from."""
    found = Graph("cone", (), (value,))
    return any(n.op != "param" and OPS[n.op].ulp for g in found.walk() for n in g.nodes)


def check_array(
    got: Array,
    wanted: Array,
    disturbed: Sequence[Array],
    type: TensorType,
    slack: float,
    label: str,
) -> Compared:
    """Hold one array to a bound (`slack` in units in the last place is added to what the spread
    says); AssertionError shows an element that is wrong.
    """
    assert got.shape == wanted.shape and got.dtype == wanted.dtype, (label, type)
    if type.dtype is bf16:
        got, wanted = bf16_values(got), bf16_values(wanted)
        disturbed = [bf16_values(d) for d in disturbed]
    if type.dtype.is_float:
        wrong, held = _wrong_floats(got, wanted, disturbed, type.dtype, slack)
        finite = int(np.sum(held & np.isfinite(wanted)))
    else:
        held = np.ones(wanted.shape, bool)
        for run in disturbed:
            held &= run == wanted
        wrong = held & (got != wanted)
        finite = int(np.sum(held))
    if np.any(wrong):
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise AssertionError(
            f"{label} {type.short}: {int(np.sum(wrong))} of {wanted.size} elements differ; at {at} "
            f"got {got[at]!r}, wanted {wanted[at]!r}, disturbed {[run[at] for run in disturbed]}"
        )
    return Compared(int(wanted.size), int(np.sum(held)), finite)


def _wrong_floats(
    got: Array, wanted: Array, disturbed: Sequence[Array], dtype: DType, slack: float
) -> tuple[Array, Array]:
    """Which elements are wrong, and which are held to a bound at all."""
    exact = wanted.astype(np.float64)
    spread = np.zeros(exact.shape)
    held = np.ones(exact.shape, bool)
    for run in disturbed:
        away = np.abs(run.astype(np.float64) - exact)
        same = (run == wanted) | (np.isnan(run) & np.isnan(wanted))
        away = np.where(same, 0.0, away)
        held &= np.isfinite(away)
        spread = np.maximum(spread, away)
    bound = ROOM * spread + slack * spacing(exact, dtype)
    away = np.abs(got.astype(np.float64) - exact)
    same = (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    near = same | (away <= bound) | _overflows(got, exact, bound, dtype)
    return held & ~near, held


def _overflows(got: Array, exact: Array, bound: Array, dtype: DType) -> Array:
    """An infinity where the bound reaches beyond the largest number."""
    largest = 3.3895314e38 if dtype is bf16 else float(np.finfo(dtype.numpy).max)
    return np.isinf(got) & (np.sign(got) == np.sign(exact)) & (np.abs(exact) + bound >= largest)
