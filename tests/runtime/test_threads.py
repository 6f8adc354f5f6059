"""The thread pool: every chunk once, nested, several callers, fork, exit."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lazir.runtime import threads
from lazir.runtime.execute import LoadedProgram
from lazir.runtime.program import ArraySpec, Program

Make = Callable[..., Program]
FEW = 2000

# in[0]: chunks, turns of work per chunk. out[0][c] += f(c), out[1][0] += 1 for every chunk.
PARALLEL = """
define i32 @main(ptr %in, ptr %out, ptr %workspace, ptr %ctx) {
  %a = load ptr, ptr %in
  %chunks = load i64, ptr %a
  %turns_slot = getelementptr i64, ptr %a, i64 1
  %turns = load i64, ptr %turns_slot
  %env = alloca [3 x i64]
  %o = load ptr, ptr %out
  %s1 = getelementptr ptr, ptr %out, i64 1
  %total = load ptr, ptr %s1
  store ptr %o, ptr %env
  %e1 = getelementptr i64, ptr %env, i64 1
  store ptr %total, ptr %e1
  %e2 = getelementptr i64, ptr %env, i64 2
  store i64 %turns, ptr %e2
  %parallel_for = load ptr, ptr %ctx
  call void %parallel_for(ptr %ctx, ptr @body, ptr %env, i64 %chunks)
  ret i32 0
}

define internal void @body(ptr %env, i64 %chunk, ptr %ctx) {
entry:
  %o = load ptr, ptr %env
  %e1 = getelementptr i64, ptr %env, i64 1
  %total = load ptr, ptr %e1
  %e2 = getelementptr i64, ptr %env, i64 2
  %turns = load i64, ptr %e2
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %n, %head ]
  %hash = phi i64 [ %chunk, %entry ], [ %mixed, %head ]
  %scaled = mul i64 %hash, 6364136223846793005
  %mixed = add i64 %scaled, 1442695040888963407
  %n = add i64 %i, 1
  %more = icmp slt i64 %n, %turns
  br i1 %more, label %head, label %end
end:
  %p = getelementptr i64, ptr %o, i64 %chunk
  %old = atomicrmw add ptr %p, i64 %mixed monotonic
  %count = atomicrmw add ptr %total, i64 1 monotonic
  ret void
}
"""

# Every chunk runs 5 inner chunks through the context it was given.
NESTED = """
define i32 @main(ptr %in, ptr %out, ptr %workspace, ptr %ctx) {
  %o = load ptr, ptr %out
  %parallel_for = load ptr, ptr %ctx
  call void %parallel_for(ptr %ctx, ptr @outer, ptr %o, i64 16)
  ret i32 0
}
define internal void @outer(ptr %o, i64 %chunk, ptr %ctx) {
  %env = alloca [2 x i64]
  store ptr %o, ptr %env
  %e1 = getelementptr i64, ptr %env, i64 1
  store i64 %chunk, ptr %e1
  %parallel_for = load ptr, ptr %ctx
  call void %parallel_for(ptr %ctx, ptr @inner, ptr %env, i64 5)
  ret void
}
define internal void @inner(ptr %env, i64 %chunk, ptr %ctx) {
  %o = load ptr, ptr %env
  %e1 = getelementptr i64, ptr %env, i64 1
  %outer = load i64, ptr %e1
  %row = mul i64 %outer, 5
  %at = add i64 %row, %chunk
  %p = getelementptr i64, ptr %o, i64 %at
  %old = atomicrmw add ptr %p, i64 1 monotonic
  ret void
}
"""


def expected(chunks: int, turns: int) -> np.ndarray[Any, Any]:
    with np.errstate(over="ignore"):
        values = np.arange(chunks, dtype=np.uint64)
        for _ in range(turns):
            values = values * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
    return values.view(np.int64)


class Parallel:
    """Runs PARALLEL and checks that every chunk ran exactly once."""

    def __init__(self, make: Make) -> None:
        outputs = (ArraySpec("int64", (FEW,)), ArraySpec("int64", ()))
        self.loaded = LoadedProgram(make(PARALLEL, (ArraySpec("int64", (2,)),), outputs))

    def check(self, chunks: int, turns: int = 1) -> None:
        values, total = np.zeros(FEW, np.int64), np.zeros((), np.int64)
        self.loaded.call([np.array([chunks, turns])], out=[values, total])
        assert int(total) == chunks
        np.testing.assert_array_equal(values[:chunks], expected(chunks, turns))
        assert not values[chunks:].any()


@pytest.fixture(scope="module")
def parallel(program: Make) -> Parallel:
    return Parallel(program)


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_every_chunk_runs_once(parallel: Parallel, count: int) -> None:
    before = threads.get_num_threads()
    threads.set_num_threads(count)
    try:
        assert threads.get_num_threads() == count
        for chunks in (0, 1, 2, 3, 7, 100, FEW):
            for _ in range(20):
                parallel.check(chunks)
        counts = threads.pool_counts()
        assert counts.workers == count - 1
    finally:
        threads.set_num_threads(before)


def test_workers_take_part(parallel: Parallel, four_threads: None) -> None:
    before = threads.pool_counts()
    for _ in range(20):
        parallel.check(64, 20000)
    after = threads.pool_counts()
    assert after.regions == before.regions + 20
    assert after.worker_chunks > before.worker_chunks


def test_one_thread_never_shares(parallel: Parallel) -> None:
    before = threads.get_num_threads()
    threads.set_num_threads(1)
    try:
        counts = threads.pool_counts()
        parallel.check(100)
        assert threads.pool_counts().regions == counts.regions
        assert threads.pool_counts().workers == 0
    finally:
        threads.set_num_threads(before)


def test_nested(program: Make, four_threads: None) -> None:
    loaded = LoadedProgram(program(NESTED, (), (ArraySpec("int64", (80,)),)))
    for _ in range(200):
        result = np.zeros(80, np.int64)
        loaded.call([], out=[result])
        assert (result == 1).all()


def test_several_python_threads_at_once(parallel: Parallel, four_threads: None) -> None:
    def work(seed: int) -> None:
        for step in range(60):
            parallel.check(1 + (seed * 37 + step * 11) % 300, 5)

    with ThreadPoolExecutor(5) as pool:
        for future in [pool.submit(work, seed) for seed in range(10)]:
            future.result(timeout=60)


def test_changing_the_count_while_others_compute(parallel: Parallel, four_threads: None) -> None:
    stop = threading.Event()

    def change() -> None:
        count = 0
        while not stop.is_set():
            count += 1
            threads.set_num_threads(1 + count % 5)

    changer = threading.Thread(target=change)
    changer.start()
    try:
        for _ in range(300):
            parallel.check(50)
    finally:
        stop.set()
        changer.join()


def test_after_sleeping(parallel: Parallel, four_threads: None) -> None:
    for _ in range(5):
        parallel.check(8)
        time.sleep(0.005)  # long enough for the workers to fall asleep


@pytest.mark.parametrize("count", [0, -1, 1025])
def test_bad_counts(count: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 1024"):
        threads.set_num_threads(count)
    for value in (True, "2", 1.0):
        with pytest.raises(TypeError, match="int"):
            threads.set_num_threads(value)  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork(parallel: Parallel, four_threads: None) -> None:
    parallel.check(100)
    assert threads.pool_counts().workers == 3
    for _ in range(5):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                if threads.pool_counts().workers == 0 and threads.get_num_threads() == 4:
                    parallel.check(100)
                    code = 0 if threads.pool_counts().workers == 3 else 2
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
    parallel.check(100)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork_while_another_thread_is_in_a_region(parallel: Parallel, four_threads: None) -> None:
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            parallel.check(8, 30000)

    worker = threading.Thread(target=busy)
    worker.start()
    try:
        for _ in range(10):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    parallel.check(64, 10)
                    code = 0
                finally:
                    os._exit(code)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        worker.join()


SCRIPT = """
import sys
import numpy as np
from pathlib import Path
from lazir.runtime import threads
from lazir.runtime.execute import LoadedProgram
from lazir.runtime.program import Program

loaded = LoadedProgram(Program.from_bytes(Path(sys.argv[1]).read_bytes()))
values, total = np.zeros(2000, np.int64), np.zeros((), np.int64)
loaded.call([np.array([64, 1000])], out=[values, total])
print(int(total), threads.get_num_threads(), threads.pool_counts().workers)
"""


def test_exit_is_clean_and_the_environment_counts(
    parallel: Parallel, tmp_path: Path, python: Callable[..., Any]
) -> None:
    (tmp_path / "program").write_bytes(parallel.loaded.program.to_bytes())
    for count in ("1", "5"):
        process = python(SCRIPT, str(tmp_path / "program"), LAZIR_NUM_THREADS=count)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        assert out.split() == ["64", count, str(int(count) - 1)]
    process = python(SCRIPT, str(tmp_path / "program"), LAZIR_NUM_THREADS="many")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "ValueError: LAZIR_NUM_THREADS='many' is not a number of threads" in err
