"""Bit for bit the same: any number of threads, run to run, a fresh process, from the disk cache."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from random_programs import RandomGraph, draw_array, random_graph

from lazir.compiler.graph import Builder
from lazir.compiler.opdef import OPS, Domain
from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import host_target
from lazir.compiler.types import TensorType, f32
from lazir.runtime.execute import LoadedProgram
from lazir.runtime.threads import get_num_threads, pool_counts, set_num_threads

SEEDS = range(5000, 5040)


@pytest.fixture
def threads() -> Iterator[None]:
    """Tests may change the number of threads."""
    before = get_num_threads()
    yield
    set_num_threads(before)


def bits(arrays: list[np.ndarray]) -> str:
    return hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest()


def wide_graph() -> RandomGraph:
    """Maps, rows, sums over columns and a product, all large enough for several chunks."""
    b = Builder(name="wide")
    x, w = b.param(TensorType((257, 300), f32)), b.param(TensorType((300, 65), f32))
    e = OPS["exp"](b, x)
    total = OPS["reduce_sum"](b, e, axes=(1,))
    share = OPS["div"](b, e, OPS["broadcast"](b, total, shape=x.shape, axes=(0,)))
    product = OPS["dot_general"](
        b, share, w, lhs_contracting=(1,), rhs_contracting=(0,), lhs_batch=(), rhs_batch=()
    )
    columns = OPS["reduce_sum"](b, e, axes=(0,))
    everything = OPS["reduce_sum"](b, share, axes=(0, 1))
    return RandomGraph(0, b.graph([share, product, columns, everything]), (Domain(), Domain()))


def test_threads_do_not_matter(threads):
    """With chunks of next to no work, so that even small programs have several of them."""
    target = replace(host_target(), parallel_work=32.0)
    ran = 0
    for made in [wide_graph(), *map(random_graph, SEEDS)]:
        program = LoadedProgram(Compilation(made.graph, target).program)
        inputs = made.inputs()
        results = set()
        for count in (1, 2, 3, 3):
            set_num_threads(count)
            before = pool_counts()
            results.add(bits(program.call(inputs)))
            after = pool_counts()
            assert count > 1 or after.worker_chunks == before.worker_chunks
            ran += after.worker_chunks - before.worker_chunks
        assert len(results) == 1, made.graph.name
    for _ in range(200):  # a busy machine may have let one thread do it all
        if ran >= 2:
            break
        made = wide_graph()
        LoadedProgram(Compilation(made.graph, target).program).call(made.inputs())
        ran = pool_counts().worker_chunks
    assert ran >= 2, "no chunk ran on a worker thread"


def test_threads_do_not_matter_for_long_sums(threads):
    """Sums whose partial results come from several chunks."""
    target = replace(host_target(), parallel_work=32.0)
    rng = np.random.default_rng(1)
    for shape, axes in (((300_001,), (0,)), ((3, 70_003), (1,)), ((4097, 130), (0,))):
        b = Builder(name="long")
        x = b.param(TensorType(shape, f32))
        graph = b.graph([OPS["reduce_sum"](b, x, axes=axes)])
        inputs = [draw_array(rng, x.type, Domain())]
        program = LoadedProgram(Compilation(graph, target).program)
        results = set()
        for count in (1, 2, 3):
            set_num_threads(count)
            results.add(bits(program.call(inputs)))
        assert len(results) == 1


_SCRIPT = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from random_programs import random_graph
from lazir.compiler.build import cached_program
from lazir.compiler.target import host_target
from lazir.runtime.execute import LoadedProgram
for seed in map(int, sys.argv[2:]):
    made = random_graph(seed)
    arrays = LoadedProgram(cached_program(made.graph, host_target())).call(made.inputs())
    print(hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest())
"""


def test_fresh_processes_and_the_disk_cache(tmp_path: Path):
    """The first process fills the cache, the second reads it, this one compiles by itself."""
    seeds = SEEDS[:12]
    found = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT, str(Path(__file__).parents[2]), *map(str, seeds)],
            capture_output=True, text=True, timeout=120, check=True,
            env={**os.environ, "LAZIR_CACHE": str(tmp_path / "cache")},
        )  # fmt: skip
        found.append(done.stdout.split())
        assert any(p.is_file() for p in (tmp_path / "cache").rglob("*"))
    here = []
    for seed in seeds:
        made = random_graph(seed)
        program = LoadedProgram(Compilation(made.graph, host_target()).program)
        here.append(bits(program.call(made.inputs())))
        assert bits(program.call(made.inputs())) == here[-1]
    assert found == [here, here]
