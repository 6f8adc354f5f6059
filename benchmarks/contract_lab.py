"""Matrix products and convolutions against NumPy's BLAS, in one process, turn by turn.

Takes: nothing. Gives: a table: GFLOP/s of ours and of NumPy, their ratio, milliseconds to schedule
and compile. Must not know: how contractions are scheduled.

Run it pinned (`taskset -c 1 python benchmarks/contract_lab.py`) with OPENBLAS_NUM_THREADS and
LAZIR_NUM_THREADS set to the same number, and compare within one run only. With more than one thread
it sleeps between turns, since OpenBLAS's threads go on spinning for a while.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "compiler" / "schedule"))
from contract_kernels import Compiled, Convolution, einsum, kernel_of

from lazir.compiler.kernel import Kernel
from lazir.compiler.types import DType, f32, f64
from lazir.runtime.native import native

THREADS = int(os.environ.get("LAZIR_NUM_THREADS", "1"))
SQUARES = (256, 512, 1000, 1024, 2048)
OTHERS = (
    ("ik,kj->ij", (128, 512, 784)), ("ki,kj->ij", (784, 512, 128)), ("ik,jk->ij", (128, 784, 512)),
    ("ik,kj->ij", (37, 91, 53)), ("ik,kj->ij", (64, 64, 64)), ("ik,kj->ij", (777, 777, 777)),
    ("ik,kj->ij", (1, 4096, 4096)), ("ik,kj->ij", (4096, 1, 4096)), ("ki,kj->ij", (1024,) * 3),
    ("ik,jk->ij", (1024,) * 3),
)  # fmt: skip
IMAGES = (
    Convolution(8, (58, 58), 64, 64), Convolution(64, (16, 16), 32, 64),
    Convolution(1, (15, 15), 512, 1024), Convolution(8, (230, 230), 3, 64, (7, 7), (2, 2)),
)  # fmt: skip


def native_call(compiled: Compiled, inputs: list[int], outputs: list[int]) -> Callable[[], int]:
    """A call without the cost of preparing its arguments."""
    ins, outs = ((ctypes.c_void_p * max(1, len(v)))(*v) for v in (inputs, outputs))
    record = (ctypes.c_uint64 * 64)()
    address = native().address("lz_parallel_for")
    context = (ctypes.c_void_p * 5)(address, None, None, ctypes.addressof(record), None)
    room, run = compiled.room.ctypes.data, compiled.run
    kept = compiled, record  # the code and what the context points to
    return lambda kept=kept: run(ins, outs, room, context)  # type: ignore[misc]


def best_of(calls: list[Callable[[], object]], flops: float, turns: int = 7) -> list[float]:
    """Seconds of one call of each: the least over several turns."""
    repeats = max(1, int(2e8 * THREADS / flops))
    best = [float("inf")] * len(calls)
    for _ in range(turns):
        for k, call in enumerate(calls):
            if THREADS > 1:
                time.sleep(0.2)
            start = time.perf_counter()
            for _ in range(repeats):
                call()
            best[k] = min(best[k], (time.perf_counter() - start) / repeats)
    return best


def prepare(kernel: Kernel) -> tuple[Callable[[], object], list[np.ndarray], float]:
    """The call, its operands, and the seconds that it took to make."""
    start = time.perf_counter()
    compiled = Compiled(kernel)
    seconds = time.perf_counter() - start
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(t.shape).astype(t.dtype.numpy) for t in kernel.params]
    outs = [np.empty(t.shape, t.dtype.numpy) for t in kernel.result_types]
    call = native_call(compiled, [a.ctypes.data for a in arrays], [o.ctypes.data for o in outs])
    return call, [*arrays, *outs], seconds


def product(text: str, shape: tuple[int, ...], dtype: DType = f32) -> None:
    call, arrays, seconds = prepare(kernel_of(einsum(text, dict(zip("ijk", shape)), dtype)))
    left, right = text.split("->")[0].split(",")
    x = arrays[0] if left[1] == "k" else arrays[0].T
    y = arrays[1] if right[0] == "k" else arrays[1].T
    flops = 2.0 * np.prod([float(n) for n in shape])
    ours, theirs = best_of([call, lambda: np.matmul(x, y, out=arrays[2])], flops)
    print(
        f"{text} {shape!s:20} {dtype}  ours {flops / ours / 1e9:6.1f}"
        f"  NumPy {flops / theirs / 1e9:6.1f}  ratio {theirs / ours:5.2f}"
        f"  compiled in {seconds * 1e3:3.0f} ms",
        flush=True,
    )


def convolution(c: Convolution) -> None:
    call, arrays, seconds = prepare(kernel_of(c.parts()))
    flops = 2.0 * np.prod([float(n) for n in c.sizes.values()])
    (ours,) = best_of([call], flops)
    del arrays
    what = f"{c.layout} {c.images}x{c.size[0]}x{c.size[1]} {c.channels}->{c.features} {c.window}"
    print(
        f"{what} stride {c.stride}  {flops / ours / 1e9:6.1f} GFLOP/s"
        f"  compiled in {seconds * 1e3:3.0f} ms",
        flush=True,
    )


def main() -> None:
    for n in SQUARES:
        product("ik,kj->ij", (n, n, n))
    for n in SQUARES[1:4]:
        product("ik,kj->ij", (n, n, n), f64)
    for text, shape in OTHERS:
        product(text, shape)
    for c in IMAGES:
        for layout in ("NHWC", "NCHW"):
            convolution(Convolution(**{**vars(c), "layout": layout}))


if __name__ == "__main__":
    main()
