"""Results in the places of arguments and of values that nobody needs any more: never other bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.graph import Graph
from lazir.compiler.pipeline import Compilation
from lazir.compiler.schedule import program as lowering
from lazir.compiler.target import host_target
from lazir.runtime.execute import LoadedProgram
from tests.upstream import mlir_opt

Array = np.ndarray[Any, Any]
MANY_CHUNKS = replace(host_target(), parallel_work=32.0)


def graph_of(function: Callable[..., Any], *arrays: Array) -> Graph:
    graph: Graph = lz.compile(function).trace(*arrays).graph
    return graph


def compiled(graph: Graph, donated: Sequence[int] = ()) -> Compilation:
    return Compilation(graph, MANY_CHUNKS, donated)


def normal(shape: tuple[int, ...], seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def adam(w: Any, m: Any, v: Any, x: Any) -> Any:
    g = x.T @ (x @ w)
    m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
    return w - 0.1 * m / (lnp.sqrt(v) + 1e-8), m, v


CASES: dict[str, tuple[Callable[..., Any], Sequence[tuple[int, ...]], int, int]] = {
    "map": (lambda x, y: x * 2 + y, [(40, 9)] * 2, 2, 1),
    "two_maps": (lambda x, y: (x + y, x - y), [(40, 9)] * 2, 2, 2),
    "other_shape": (lambda x: (x * 2).reshape(9, 40), [(40, 9)], 1, 1),
    "other_point": (lambda x: x[::-1] + 1, [(40, 9)], 1, 0),
    "swapped": (lambda x, y: (y, x), [(40, 9)] * 2, 2, 2),
    "same": (lambda x, y: (x, x.sum() + y), [(40, 9), (5,)], 2, 2),
    "twice": (lambda x: (x + 1, x + 1), [(40, 9)], 1, 0),
    "softmax": (lambda x: lz.nn.functional.softmax(x, -1), [(40, 90)], 1, 1),
    "centred": (lambda x: x - x.mean(0), [(40, 90)], 1, 1),
    "bias": (lambda b, x: b - 0.1 * x.sum(0), [(90,), (40, 90)], 1, 1),
    "weight": (lambda w, x: w - 0.1 * (x.T @ x), [(40, 40), (90, 40)], 1, 1),
    "factor": (lambda w, x: w - 0.1 * (w @ x), [(40, 40), (40, 40)], 1, 0),
    "adam": (adam, [(40, 40)] * 3 + [(90, 40)], 3, 3),
    "state_last": (lambda y, x: x * 2 + y, [(40, 9)] * 2, 2, 1),
    "own_place": (lambda y, x: (lnp.sort(x, 0) + y.sum(), x * 2), [(40, 9)] * 2, 2, 2),
    "update": (lambda x, y: x.at[3:5].set(y).at[0].add(1.0), [(40, 9), (2, 9)], 1, 1),
    "update_read_later": (lambda x: (x.at[3].set(0), x.sum()), [(40, 9)], 1, 1),
    "loop": (lambda x: lz.fori_loop(0, 5, lambda i, x: x.at[i].mul(2.0), x), [(40, 9)], 1, 1),
    "empty": (lambda x: x + 1, [(0, 9)], 1, 0),
    "number": (lambda x: x + 1, [()], 1, 0),
    "other_size": (lambda x: x[:3], [(40, 9)], 1, 0),
}
"""A function, the shapes of its arguments, how many are donated, how many results find a place."""


@pytest.mark.parametrize("name", CASES)
def test_bits_and_places(name: str) -> None:
    function, shapes, count, places = CASES[name]
    arrays = [normal(shape, k) for k, shape in enumerate(shapes)]
    graph = graph_of(function, *arrays)
    wanted = LoadedProgram(compiled(graph).program).call(arrays)
    program = compiled(graph, range(count)).program
    assert len(program.aliases) == places
    loaded = LoadedProgram(program)
    kept = [a.copy() for a in arrays]
    assert [a.tobytes() for a in loaded.call(kept)] == [a.tobytes() for a in wanted]
    assert [a.tobytes() for a in kept] == [a.tobytes() for a in arrays]  # nothing was given away
    found = loaded.call(kept, donate=range(count))
    assert [a.tobytes() for a in found] == [a.tobytes() for a in wanted]
    for result, argument in program.aliases:
        assert np.shares_memory(found[result], kept[argument])


@pytest.mark.parametrize("name", ["two_maps", "weight", "adam", "update", "other_shape"])
def test_text_says_what_is_given_away(name: str) -> None:
    function, shapes, count, _ = CASES[name]
    graph = graph_of(function, *map(normal, shapes))
    first = compiled(graph, range(count))
    for stage in ("graph", "optimized", "kernels", "loops"):
        again = Compilation.from_text(first.text(stage), stage, first.target)
        assert again.text(stage) == first.text(stage)
        assert again.llvm == first.llvm
        assert again.program.aliases == first.program.aliases != ()
    assert "lz.donated" not in compiled(graph).text("kernels")


def test_upstream_takes_the_text() -> None:
    function, shapes, count, _ = CASES["adam"]
    first = compiled(graph_of(function, *map(normal, shapes)), range(count))
    for stage in ("kernels", "loops"):
        mlir_opt(first.text(stage))


def test_text_with_wrong_places_is_refused() -> None:
    function, shapes, _, _ = CASES["map"]
    text = compiled(graph_of(function, *map(normal, shapes)), [0, 1]).text("loops")
    assert "lz.aliases = array<i64: 0, 0>" in text
    for wrong in ("0", "1, 0", "0, 7", "0, 0, 0, 1"):
        other = text.replace("lz.aliases = array<i64: 0, 0>", f"lz.aliases = array<i64: {wrong}>")
        with pytest.raises(lz.errors.VerifyError, match=r"lz\.aliases"):
            Compilation.from_text(other, "loops", host_target())
    text = compiled(graph_of(function, *map(normal, shapes)), [0, 1]).text("graph")
    with pytest.raises(lz.errors.VerifyError, match=r"lz\.donated"):
        Compilation.from_text(text.replace("0, 1>", "0, 2>"), "graph", host_target())


# -- random programs -----------------------------------------------------------------------
N = 33
STEPS: Sequence[Callable[..., Any]] = (
    lambda a, b, c, k: a * 0.5 + b,
    lambda a, b, c, k: lnp.tanh(a) - b * c,
    lambda a, b, c, k: lz.nn.functional.softmax(a, -1),
    lambda a, b, c, k: lnp.roll(a, 1 + k % 3, axis=k % 2) + b,
    lambda a, b, c, k: b - 0.1 * (a.T @ c),
    lambda a, b, c, k: a @ b + c,
    lambda a, b, c, k: a + 0.1 * lnp.sum(a, axis=0, keepdims=True),
    lambda a, b, c, k: a.at[k % N].set(b[(k + 5) % N]),
    lambda a, b, c, k: lz.fori_loop(0, 3, lambda i, x: x * 0.5 + b, a),
    lambda a, b, c, k: lnp.concatenate([a[: k % N], b[k % N :]], 0),
    lambda a, b, c, k: a.T * 0.7,
    lambda a, b, c, k: lnp.cumsum(a, axis=k % 2) * 0.1,
    lambda a, b, c, k: lnp.where(a > 0, a, b * lnp.mean(c)),
    lambda a, b, c, k: (a - lnp.mean(a, axis=0)) * c[:, :1],
)


def random_program(seed: int) -> tuple[Callable[..., Any], list[Array]]:
    """Some steps, each on one of the last values and two others; some of the values are results."""
    rng = np.random.default_rng(seed)
    arrays = [normal((N, N), k) for k in range(int(rng.integers(1, 5)))]
    steps = rng.integers(0, 100, (int(rng.integers(2, 9)), 5)).tolist()
    ends = rng.integers(0, 100, len(arrays)).tolist()

    def function(*values: Any) -> Any:
        held = list(values)
        for kind, a, b, c, k in steps:
            first = held[-1 - a % min(len(held), 3)]
            held.append(
                STEPS[kind % len(STEPS)](first, held[b % len(held)], held[c % len(held)], k)
            )
        return [held[-1], *(held[k % len(held)] for k in ends)]

    return function, arrays


def test_random_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """With values overwritten in place, in arguments and in the workspace, and without."""
    places = overwritten = 0
    dying = lowering.GraphLowering._dying

    def counted(*args: Any) -> Any:
        nonlocal overwritten
        found = dying(*args)
        overwritten += found is not None
        return found

    for seed in range(14):
        function, arrays = random_program(seed)
        graph = graph_of(function, *arrays)
        monkeypatch.setattr(lowering.GraphLowering, "_dying", lambda *args: None)
        wanted = [a.tobytes() for a in LoadedProgram(compiled(graph).program).call(arrays)]
        monkeypatch.setattr(lowering.GraphLowering, "_dying", counted)
        loaded = LoadedProgram(compiled(graph, range(len(arrays))).program)
        assert [a.tobytes() for a in loaded.call(arrays)] == wanted, seed
        given = [a.copy() for a in arrays]
        assert [a.tobytes() for a in loaded.call(given, donate=range(len(given)))] == wanted, seed
        places += len(loaded.program.aliases)
    assert places >= 10 and overwritten >= 2
