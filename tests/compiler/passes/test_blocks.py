"""Wide products are made by blocks of rows: where they are, and where they must not be."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.graph import Graph
from lazir.compiler.interpret import interpret
from lazir.compiler.passes import blocks, optimize, regions
from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import host_target
from lazir.compiler.verify import verify_graph
from lazir.runtime.execute import LoadedProgram

F = lz.nn.functional
ROWS, COLUMNS, DEPTH = 21, 18, 4


def arrays(*shapes: tuple[int, ...], dtype: str = "f4") -> list[np.ndarray]:
    rng = np.random.default_rng(len(shapes))
    return [rng.standard_normal(s).astype(dtype) for s in shapes]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of five rows, for products of any size."""
    monkeypatch.setattr(regions, "WIDE_BYTES", 1)
    monkeypatch.setattr(regions, "ITEM_BYTES", 1)
    monkeypatch.setattr(blocks, "FEWEST_ROWS", 5)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1)


def wide(graph: Graph) -> list[str]:
    """Values of the size rows × columns outside of loops, in either order."""
    sizes = {(ROWS, COLUMNS), (COLUMNS, ROWS)}
    return [
        node.op
        for node in graph.nodes
        for t in node.types
        if tuple(n for n in t.shape if n in (ROWS, COLUMNS)) in sizes
        and node.op not in ("broadcast", "iota")
    ]


def scans(graph: Graph) -> int:
    return sum(node.op == "scan" for g in graph.walk() for node in g.nodes)


def attention(q: Any, k: Any, v: Any) -> Any:
    return F.scaled_dot_product_attention(q, k, v)


def causal(q: Any, k: Any, v: Any) -> Any:
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def masked(q: Any, k: Any, v: Any, mask: Any) -> Any:
    return F.scaled_dot_product_attention(q, k, v, mask > 0)


def biased(q: Any, k: Any, v: Any, bias: Any) -> Any:
    return F.scaled_dot_product_attention(q, k, v, bias)


def by_logarithm(q: Any, k: Any, v: Any) -> Any:
    return lnp.exp(F.log_softmax(q @ lnp.matrix_transpose(k), -1)) @ v


def turned(q: Any, k: Any, v: Any) -> Any:
    """Scores with a row for each key: the softmax runs along the first of their axes."""
    return lnp.matrix_transpose(F.softmax(k @ lnp.matrix_transpose(q), -2)) @ v


def written_out(q: Any, k: Any, v: Any) -> Any:
    scores = q @ lnp.matrix_transpose(k) * DEPTH**-0.5
    e = lnp.exp(scores - lnp.max(scores, -1, keepdims=True))
    return (e / e.sum(-1, keepdims=True)) @ v


def with_sums(q: Any, k: Any, v: Any) -> Any:
    """What each row sums to is a result too."""
    scores = q @ lnp.matrix_transpose(k)
    total = lnp.exp(scores).sum(-1, keepdims=True)
    return lnp.exp(scores) / total @ v, lnp.log(total)


def twice(q: Any, k: Any, v: Any) -> Any:
    return attention(attention(q, k, v), k, v)


def gradient(f: Callable[..., Any], count: int = 3) -> Callable[..., Any]:
    def loss(*args: Any) -> Any:
        return (f(*args) ** 2).sum()

    return lambda *args: lz.value_and_grad(loss, argnums=tuple(range(count)))(*args)


def checkpointed(*args: Any) -> Any:
    return gradient(lz.checkpoint(attention))(*args)


BATCHED = ((2, 3, ROWS, DEPTH), (2, 3, COLUMNS, DEPTH), (2, 3, COLUMNS, DEPTH))
ONE = tuple(s[2:] for s in BATCHED)
PLANE = (ROWS, COLUMNS)

CASES: dict[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = {
    "attention": (attention, BATCHED),
    "one head": (attention, ONE),
    "one example": (attention, tuple((1, *s[1:]) for s in BATCHED)),
    "causal": (causal, BATCHED),
    "causal, one head": (causal, ONE),
    "bool mask": (masked, (*BATCHED, PLANE)),
    "bias per head": (biased, (*BATCHED, (3, *PLANE))),
    "log softmax": (by_logarithm, BATCHED),
    "scores turned": (turned, BATCHED),
    "written out": (written_out, BATCHED),
    "row sums": (with_sums, BATCHED),
    "twice": (twice, ((2, ROWS, 4), (2, COLUMNS, 4), (2, COLUMNS, 4))),
    "vmap": (lz.vmap(attention), BATCHED),
    "gradient": (gradient(attention), BATCHED),
    "gradient, one head": (gradient(attention), ONE),
    "gradient, causal": (gradient(causal), BATCHED),
    "gradient, masked": (gradient(masked), (*BATCHED, PLANE)),
    "gradient, written out": (gradient(written_out), BATCHED),
    "gradient, turned": (gradient(turned), BATCHED),
    "gradient, twice": (gradient(twice), ((2, ROWS, 4), (2, COLUMNS, 4), (2, COLUMNS, 4))),
    "gradient, checkpoint": (checkpointed, BATCHED),
    "gradient of q": (gradient(attention, 1), BATCHED),
}


def traced(f: Callable[..., Any], args: list[np.ndarray]) -> Graph:
    return lz.compile(f).trace(*args).graph


@pytest.mark.parametrize("name", CASES)
def test_blocks_give_the_same_and_keep_nothing_wide(name: str, small: None) -> None:
    f, shapes = CASES[name]
    args = arrays(*shapes)
    graph = traced(f, args)
    plain, made = optimize(graph, ["blocks"]), optimize(graph)
    verify_graph(made)
    assert wide(plain) and scans(made) and not wide(made)
    for a, b in zip(interpret(plain, args), interpret(made, args), strict=True):
        np.testing.assert_allclose(b, a, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", ["causal", "gradient, masked", "one head", "gradient, turned"])
def test_blocks_run_and_are_read_back(name: str, small: None) -> None:
    f, shapes = CASES[name]
    args = arrays(*shapes)
    c = Compilation(traced(f, args), host_target())
    assert scans(c.optimized)
    for got, wanted in zip(LoadedProgram(c.program).call(args), interpret(c.graph, args)):
        np.testing.assert_allclose(got, wanted, rtol=5e-5, atol=5e-6)
    for stage in ("optimized", "kernels", "loops"):
        again = Compilation.from_text(c.text(stage), stage, host_target())
        assert again.llvm == c.llvm, stage


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_other_dtypes(dtype: str, small: None) -> None:
    """Sums over rows of 16-bit floats are not cut: they would be rounded after each block."""
    q, k, v = arrays(*BATCHED)

    def f(*args: Any) -> Any:
        return attention(*(lnp.astype(x, dtype) for x in args))

    graph = traced(f, [q, k, v])
    assert scans(optimize(graph)) > 0
    both = traced(gradient(lambda *args: lnp.astype(f(*args), "float32")), [q, k, v])
    assert (scans(optimize(both)) > 0) == (dtype == "float64")


def weights_too(q: Any, k: Any, v: Any) -> Any:
    p = F.softmax(q @ lnp.matrix_transpose(k), -1)
    return p @ v, p


def no_reduction(q: Any, k: Any, v: Any) -> Any:
    return lnp.maximum(q @ lnp.matrix_transpose(k), 0) @ v


def along_rows(q: Any, k: Any, v: Any) -> Any:
    scores = q @ lnp.matrix_transpose(k)
    return F.softmax(scores, -1) * F.softmax(scores, -2) @ v


def gradient_of_bias(q: Any, k: Any, v: Any, bias: Any) -> Any:
    return gradient(biased, 4)(q, k, v, bias)


LEFT_ALONE = {
    "weights are a result": (weights_too, BATCHED),
    "nothing is reduced": (no_reduction, BATCHED),
    "columns are reduced too": (along_rows, BATCHED),
    "a gradient per score": (gradient_of_bias, (*BATCHED, PLANE)),
    "as deep as wide": (attention, ((3, ROWS, 16), (3, COLUMNS, 16), (3, COLUMNS, 16))),
}


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_needs_all_scores_is_left_alone(name: str, small: None) -> None:
    f, shapes = LEFT_ALONE[name]
    graph = traced(f, arrays(*shapes))
    assert optimize(graph).fingerprint == optimize(graph, ["blocks"]).fingerprint


@pytest.mark.parametrize(
    ("shape", "cut"),
    [((2, 3, 21, 4), False), ((4096, 32, 16), False), ((512, 96, 16), True)],
    ids=["few", "many small", "many large"],
)
def test_small_products_are_left_alone(shape: tuple[int, ...], cut: bool) -> None:
    spec = lz.spec(shape, "f32")
    graph = lz.compile(attention).trace(spec, spec, spec).graph
    assert bool(scans(optimize(graph))) == cut


@pytest.mark.parametrize("f", [attention, gradient(attention)])
def test_no_memory_of_the_size_of_the_scores(f: Callable[..., Any]) -> None:
    """8 heads of 4096 × 4096 scores are 512 MiB, once."""
    spec = lz.spec((1, 8, 4096, 64), "f32")
    c = Compilation(lz.compile(f).trace(spec, spec, spec).graph, host_target())
    assert c.workspace_bytes < 128 << 20
    main = c.text("kernels").split("func.func @")[1]
    assert not re.search("4096x4096", main)


def test_rows_without_a_key_stay_nan(small: None) -> None:
    q, k, v = arrays(*ONE)
    mask = np.ones(PLANE, bool)
    mask[3] = False
    f = lz.compile(lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m))
    c = Compilation(f.trace(q, k, v, mask).graph, host_target())
    assert scans(c.optimized)
    (got,) = LoadedProgram(c.program).call([q, k, v, mask])
    assert np.isnan(got[3]).all() and np.isfinite(np.delete(got, 3, 0)).all()
    assert math.isclose(got[0].sum(), np.asarray(attention(q, k, v))[0].sum(), rel_tol=1e-5)
