"""One rule of each family flipped: the derived check of that family must notice.

Every mutant changes one thing, runs a check that passes otherwise, and expects it to fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from agreement import check_graph, run_compiled
from complex_examples import draw
from random_programs import draw_array

from lazir.compiler.autodiff import batch_graph, value_and_grad_graph
from lazir.compiler.fuse import contract, expand, kernels, scatter
from lazir.compiler.graph import Builder, Graph
from lazir.compiler.interpret import interpret
from lazir.compiler.opdef import OPS, Domain, Facts, with_fields
from lazir.compiler.ops import factors, logic, matrices, random
from lazir.compiler.ops.source import constant
from lazir.compiler.schedule import fourier, lapack, nest, program, row, storage
from lazir.compiler.schedule.storage import Store
from lazir.compiler.types import DType, TensorType, c128, f32, f64, i1, i8, i32, i64, tensor, ui8

Patch = pytest.MonkeyPatch
FOLD, SIMPLIFY, DECOMPOSE = (
    import_module(f"lazir.compiler.passes.{name}") for name in ("fold", "simplify", "decompose")
)  # the package has functions of these names


# -- checks: each passes as things are ----------------------------------------------------------
def examples(name: str, seed: int = 0, count: int = 24) -> None:
    """The first examples of an op, compiled, against the interpreter."""
    op = OPS[name]
    assert op.examples is not None
    b = Builder(name=name)
    results = []
    for types, attrs in op.examples(np.random.default_rng(seed))[:count]:
        results += op.many(b, *(b.param(t) for t in types), **attrs)
    compare(b.graph(results), op.domain)


def compare(graph: Graph, domain: Domain | None = None) -> None:
    rng = np.random.default_rng(1)
    inputs = [draw_array(rng, t, domain or Domain()) for t in graph.param_types]
    assert check_graph(graph, inputs, run_compiled(graph, inputs)).compared > 0


def graph_of(types: list[TensorType], build: Callable[..., list[Any]]) -> Graph:
    b = Builder()
    return b.graph(build(b, *(b.param(t) for t in types)))


def gradient(name: str, **attrs: Any) -> None:
    """The gradient of Σ op(x)·w against central differences."""
    b = Builder()
    x, w = b.param(tensor(f64, 4, 5)), b.param(tensor(f64, 4, 5))
    y = OPS[name](b, x, **attrs)
    inputs = [np.random.default_rng(2).uniform(0.2, 0.9, (4, 5)) for _ in range(2)]
    weight = OPS["slice"](b, w, start=(0, 0), limit=y.shape, stride=(1, 1))
    loss = b.graph([OPS["reduce_sum"](b, OPS["mul"](b, y, weight), axes=(0, 1))])
    got = interpret(value_and_grad_graph(loss, [True, False]), inputs)[1]
    for at in np.ndindex(4, 5):
        sides = []
        for step in (1e-6, -1e-6):
            moved = inputs[0].copy()
            moved[at] += step
            sides.append(float(interpret(loss, [moved, inputs[1]])[0]))
        assert got[at] == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-4, abs=1e-6)


def batching() -> None:
    """A batched graph against one example after the other."""
    x, y = tensor(f64, 3, 2), tensor(f64, 3, 2)

    def build(b: Builder, u: Any, v: Any) -> list[Any]:
        return [OPS["transpose"](b, OPS["sub"](b, u, v), permutation=(1, 0))]

    graph = graph_of([x, y], build)
    rng = np.random.default_rng(3)
    inputs = [rng.uniform(-1, 1, (4, 3, 2)), rng.uniform(-1, 1, (3, 4, 2))]
    batched, (axis,) = batch_graph(graph, [0, 1], 4)
    (got,) = interpret(batched, inputs)
    assert axis is not None
    for k in range(4):
        (wanted,) = interpret(graph, [inputs[0][k], inputs[1][:, k]])
        assert np.array_equal(np.take(got, k, axis), wanted)


def folding() -> None:
    compare(graph_of([tensor(i32, 5)], lambda b, x: [
        OPS["mul"](b, x, OPS["add"](b, constant(b, 2, i32, (5,)), constant(b, 3, i32, (5,))))
    ]))  # fmt: skip


def complex_values(name: str, **attrs: Any) -> None:
    """An op on complex numbers, compiled, against the interpreter."""
    count = 2 if name == "mul" else 1
    graph = graph_of(
        [tensor(c128, 5)] * count, lambda b, *xs: list(OPS[name].many(b, *xs, **attrs))
    )
    rng = np.random.default_rng(4)
    inputs = [draw(rng, t, Domain()) for t in graph.param_types]
    (got,), (wanted,) = run_compiled(graph, inputs), interpret(graph, inputs)
    np.testing.assert_allclose(got, wanted, rtol=1e-13)


def units_of_rules() -> None:
    compare(graph_of([tensor(f32, 5)], lambda b, x: [OPS["div"](b, x, constant(b, 2, f32, (5,)))]))


def long_sum() -> None:
    compare(graph_of([tensor(f32, 131)], lambda b, x: [OPS["reduce_sum"](b, x, axes=(0,))]))


def bytes_as_words() -> None:
    graph = graph_of([tensor(ui8, 40)], lambda b, x: [OPS["convert"](b, x, dtype=i32)])
    compare(graph, Domain(int_high=255))


def turned_cube() -> None:
    attrs = {"permutation": (1, 2, 0)}
    compare(graph_of([tensor(f32, 3, 3, 3)], lambda b, x: [OPS["transpose"](b, x, **attrs)]))


def tails() -> None:
    compare(graph_of([tensor(f32, 19)], lambda b, x: [OPS["add"](b, x, x)]))


MATRIX = {"lhs_contracting": (1,), "rhs_contracting": (0,), "lhs_batch": (), "rhs_batch": ()}


def products() -> None:
    """A chain of products whose first stays in use until the end."""

    def build(b: Builder, x: Any) -> list[Any]:
        first = OPS["dot_general"](b, x, x, **MATRIX)
        value = first
        for _ in range(3):
            value = OPS["dot_general"](b, value, x, **MATRIX)
        return [OPS["dot_general"](b, value, first, **MATRIX)]

    compare(graph_of([tensor(f32, 9, 9)], build))


def carried_array() -> None:
    """A loop that overwrites its array with an element read through a view of it."""
    types = [tensor(i32), tensor(i64, 5, 4)]

    def body(b: Builder, i: Any, v: Any) -> list[Any]:
        flat = OPS["reshape"](b, v, shape=(20,))
        two = [OPS["slice"](b, flat, start=(k,), limit=(k + 1,), stride=(1,)) for k in (3, 17)]
        one = OPS["reshape"](b, OPS["sub"](b, *two), shape=())
        return [
            OPS["add"](b, i, constant(b, 1, i32)),
            OPS["broadcast"](b, one, shape=(5, 4), axes=()),
        ]

    test = graph_of(types, lambda b, i, v: [OPS["less"](b, i, constant(b, 3, i32))])
    attrs = {"cond": test, "body": graph_of(types, body), "n_const": 0}
    compare(graph_of(types[1:], lambda b, v: OPS["while"].many(b, constant(b, 0, i32), v, **attrs)))


def turned_sums() -> None:
    """Running sums, read for the last time at other points than those that are written."""

    def build(b: Builder, x: Any) -> list[Any]:
        sums = OPS["cumsum"](b, x, axis=1, reverse=False)
        turned = OPS["transpose"](b, sums, permutation=(1, 0))
        again = OPS["cumsum"](b, turned, axis=0, reverse=False)
        return [OPS["dot_general"](b, again, x, **MATRIX)]

    compare(graph_of([tensor(f32, 9, 9)], build))


# -- mutants --------------------------------------------------------------------------------------
def record(patch: Patch, name: str, **changes: Any) -> None:
    """Another record in the table."""
    patch.setitem(OPS, name, with_fields(OPS[name], **changes))


def as_record(name: str, field: str, other: str) -> Callable[[Patch], None]:
    """A field of one op taken from another."""
    return lambda patch: record(patch, name, **{field: getattr(OPS[other], field)})


def reversed_adjoint(patch: Patch) -> None:
    record(patch, "reverse", transpose=lambda b, node, xs, cts: [cts[0]])


def swapped_batch(patch: Patch) -> None:
    rule = OPS["sub"].batch
    assert rule is not None
    record(patch, "sub", batch=lambda b, n, xs, axes, size: rule(b, n, xs[::-1], axes[::-1], size))


def forward_transpose(patch: Patch) -> None:
    """The permutation where its inverse belongs."""

    def index(r: Any, node: Any, point: Any) -> Any:
        return r.read(0, [point[k] for k in node.attrs["permutation"]])

    record(patch, "transpose", index=index)


def not_reversed(patch: Patch) -> None:
    record(patch, "reverse", index=lambda r, node, point: r.read(0, point))


def high_unit(patch: Patch) -> None:
    extra = {**OPS["reduce_max"].extra, "unit": lambda dtype: 0}
    record(patch, "reduce_max", extra=extra)


def wrong_window_unit(patch: Patch) -> None:
    for module in (DECOMPOSE, kernels):
        patch.setattr(module, "window_unit", lambda op, dtype: 0)


def always_written(patch: Patch) -> None:
    """Scatter writes what it should drop, at the clamped place."""
    where = scatter._window

    def mutant(reader: Any, node: Any) -> Any:
        place, _ = where(reader, node)
        return place, reader.s.constant(1, i1)

    patch.setattr(scatter, "_window", mutant)


def turned_factor(patch: Patch) -> None:
    """The left factor is read across."""
    operands = contract._dot

    def mutant(node: Any) -> Any:
        outer, sizes, lhs, rhs, place = operands(node)
        return outer, sizes, tuple(reversed(lhs)), rhs, place

    patch.setattr(contract, "_dot", mutant)


def stride_lost(patch: Patch) -> None:
    operands = contract._conv

    def mutant(node: Any) -> Any:
        attrs = {**node.attrs, "stride": tuple(1 for _ in node.attrs["stride"])}
        return operands(SimpleNamespace(attrs=attrs, inputs=node.inputs, types=node.types))

    patch.setattr(contract, "_conv", mutant)


def scan_backwards(patch: Patch) -> None:
    body = expand._scan_body
    patch.setattr(expand, "_scan_body", lambda *args: body(*args[:-1], not args[-1]))


def other_words(patch: Patch) -> None:
    halves = random._halves
    patch.setattr(random, "_halves", lambda s, x: halves(s, x)[::-1])


def signed_conversion(patch: Patch) -> None:
    """Unsigned bytes are widened with their sign."""
    scalar = logic.convert_scalar

    def mutant(s: Any, x: Any, source: DType, target: DType) -> Any:
        return scalar(s, x, i8 if source is ui8 else source, target)

    patch.setattr(logic, "convert_scalar", mutant)


def other_triangle(patch: Patch) -> None:
    patch.setattr(factors, "lower", lambda b, x, strict=False: matrices.upper(b, x, strict))


def other_letters(patch: Patch) -> None:
    kept = lapack.Stacks.letters
    patch.setattr(
        lapack.Stacks, "letters", lambda f, text: kept(f, text.translate({76: 85, 85: 76}))
    )


def folded_wrong(patch: Patch) -> None:
    array = FOLD._array
    patch.setattr(FOLD, "_array", lambda value: array(value) + 1)


def wrong_rule(patch: Patch) -> None:
    """x / 2 = x."""
    record(patch, "div", facts=Facts(unit=2))
    fresh = SIMPLIFY.rule_set.__wrapped__()
    patch.setattr(SIMPLIFY, "rule_set", lambda: fresh)


def short_mask(patch: Patch) -> None:
    mask = nest.Nest.first_mask
    patch.setattr(nest.Nest, "first_mask", lambda self, n, lanes: mask(self, n - 1, lanes))


def lost_partial(patch: Patch) -> None:
    """One of the accumulators side by side is forgotten."""
    tree = row.tree
    patch.setattr(row, "tree", lambda n, g, parts: tree(n, g, parts[:-1] or parts))


def short_lives(patch: Patch) -> None:
    patch.setattr(storage.Arena, "keep", lambda self, slot: None)


def careless(patch: Patch) -> None:
    """Kernels write over operands whatever they read of them."""
    patch.setattr(program, "at_point", lambda *args: True)


def views_apart(patch: Patch) -> None:
    patch.setattr(Store, "root", property(lambda self: self))


def turned_transform(patch: Patch) -> None:
    patch.setattr(fourier, "routine", lambda call: f"lz_fft_ifft_{call.params[0].dtype}")


@dataclass(frozen=True)
class Mutant:
    """What is flipped, and the check that must fail then."""

    name: str
    flip: Callable[[Patch], None]
    check: Callable[[], None]


def of(name: str, **options: Any) -> Callable[[], None]:
    return lambda: examples(name, **options)


MUTANTS = [
    Mutant("derivative of sin", as_record("sin", "linearise", "exp"), lambda: gradient("sin")),
    Mutant("adjoint of reverse", reversed_adjoint, lambda: gradient("reverse", axes=(0,))),
    Mutant("batching of sub", swapped_batch, batching),
    Mutant("lowering of less", as_record("less", "scalar", "less_equal"), of("less")),
    Mutant("lowering of maximum", as_record("maximum", "scalar", "minimum"), of("maximum")),
    Mutant("conversion of ui8", signed_conversion, bytes_as_words),
    Mutant("index map of transpose", forward_transpose, turned_cube),
    Mutant("index map of reverse", not_reversed, of("reverse")),
    Mutant("unit of reduce_max", high_unit, of("reduce_max")),
    Mutant(
        "joining in reduce_min", as_record("reduce_min", "combine", "reduce_max"), of("reduce_min")
    ),
    Mutant("padding of windows", wrong_window_unit, of("reduce_window")),
    Mutant("places that scatter drops", always_written, of("scatter", count=60)),
    Mutant("factors of products", turned_factor, products),
    Mutant("strides of convolutions", stride_lost, of("conv")),
    Mutant("direction of scans", scan_backwards, of("scan")),
    Mutant("words of philox", other_words, of("philox")),
    Mutant("derivative of qr", other_triangle, lambda: gradient("qr", full_matrices=False)),
    Mutant("letters of LAPACK", other_letters, of("triangular_solve")),
    Mutant(
        "parts of a complex product",
        as_record("mul", "parts", "add"),
        lambda: complex_values("mul"),
    ),
    Mutant(
        "direction of transforms",
        turned_transform,
        lambda: complex_values("fft", inverse=False, pairs=False),
    ),
    Mutant("constant folding", folded_wrong, folding),
    Mutant("a rule's unit", wrong_rule, units_of_rules),
    Mutant("mask of a tail", short_mask, tails),
    Mutant("order of partial sums", lost_partial, long_sum),
    Mutant("lives in the buffer plan", short_lives, products),
    Mutant("writing over operands", careless, turned_sums),
    Mutant("views of a carried array", views_apart, carried_array),
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_mutant_is_noticed(mutant, monkeypatch):
    mutant.check()
    mutant.flip(monkeypatch)
    with pytest.raises(AssertionError):
        mutant.check()
