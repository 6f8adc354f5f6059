"""Random graphs over all ops, compiled, against the interpreter; with a pass left out; as text.

360 graphs by default, LAZIR_FULL_TESTS=1 makes it 3,600.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter

import pytest
from agreement import Compared, check_graph, run_compiled, run_guarded
from random_programs import FAMILIES, NAMES, RandomGraph, ops_of, pairs_of, random_graph

from lazir.compiler.mlir.parser import parse_module
from lazir.compiler.mlir.printer import print_module
from lazir.compiler.passes import GRAPH_PASSES, REQUIRED, optimize
from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import host_target
from lazir.compiler.text import graph_to_module, module_to_graph
from lazir.compiler.verify import verify_graph

FULL = os.environ.get("LAZIR_FULL_TESTS", "") not in ("", "0")
COUNT = 4000 if FULL else 400
BLOCK = 10
PAIRS = [(a, b) for a, b in itertools.product(FAMILIES, FAMILIES) if b != "source"]
"""All ordered pairs: an op without operands reads nothing."""


def graph_of(seed: int) -> RandomGraph:
    """Every third graph is of a pair of families, in turn."""
    return random_graph(seed, PAIRS[seed // 3 % len(PAIRS)] if seed % 3 == 0 else None)


@pytest.mark.parametrize("block", range(COUNT // BLOCK))
def test_compiled_against_interpreted(block):
    total = Compared()
    for seed in range(BLOCK * block, BLOCK * (block + 1)):
        made = graph_of(seed)
        verify_graph(made.graph)
        inputs = made.inputs()
        outputs = run_compiled(made.graph, inputs)
        total += check_graph(made.graph, inputs, outputs, f"seed {seed}")
    assert total.compared >= 0.5 * total.total > 0  # a single large result may hang on a rounding
    assert total.finite >= 0.2 * total.compared


def test_what_the_graphs_cover():
    """Every op, every ordered pair of families, every rank; empty axes, and several results."""
    ops: Counter[str] = Counter()
    pairs: set[tuple[str, str]] = set()
    ranks: Counter[int] = Counter()
    dtypes: Counter[str] = Counter()
    empty = several = 0
    for seed in range(COUNT):
        graph = graph_of(seed).graph
        ops.update(ops_of(graph))
        pairs |= pairs_of(graph)
        types = [t for node in graph.nodes for t in node.types]
        ranks.update(t.rank for t in types)
        dtypes.update(str(t.dtype) for t in types)
        empty += any(0 in t.shape for t in types)
        several += len(graph.results) > 1
    assert [name for name in NAMES if ops[name] < 20] == []
    assert set(PAIRS) - pairs == set()
    assert min(ranks[k] for k in range(6)) >= 20 and len(dtypes) == 13
    assert empty >= 20 and several >= 20


LARGE = {"blocks"}
"""Passes that change large programs alone: a test of their own leaves them out."""


@pytest.mark.parametrize("left_out", sorted(GRAPH_PASSES.keys() - REQUIRED - LARGE))
def test_a_pass_left_out(left_out):
    """No pass is needed for right results."""
    changed = 0
    for number, seed in enumerate(itertools.chain(range(0, COUNT, 2), range(1, 2 * COUNT, 2))):
        if changed and (number >= COUNT // 2 or (seed >= 90 and not FULL)):
            break
        made = graph_of(seed)
        work = Compilation(made.graph, host_target())
        without = optimize(made.graph, [left_out])
        if without.fingerprint == work.optimized.fingerprint:
            continue
        changed += 1
        work.__dict__["optimized"] = without
        inputs = made.inputs()
        check_graph(made.graph, inputs, run_guarded(work.program, inputs), f"seed {seed}")
    assert changed > 0


def test_text_and_back():
    """The text of a graph says all of it."""
    for seed in range(COUNT):
        graph = graph_of(seed).graph
        text = print_module(graph_to_module(graph))
        again = module_to_graph(parse_module(text))
        assert again.fingerprint == graph.fingerprint, f"seed {seed}"
        assert print_module(graph_to_module(again)) == text, f"seed {seed}"
