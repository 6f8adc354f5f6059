"""The thread pool, seen from Python: how many threads, and what it has done.

Takes a number of threads. Gives the pool's settings and counts; the pool itself is machine code
(`pool_ir`) that programs reach through their context. Must not know: programs.
"""

from __future__ import annotations

import atexit
import ctypes
from dataclasses import dataclass

from .host import MAX_THREADS
from .native import loaded, native

__all__ = ["PoolCounts", "get_num_threads", "pool_counts", "set_num_threads"]


@dataclass(frozen=True, slots=True)
class PoolCounts:
    """Since the process began: parallel regions that were shared out, and chunks that worker
    threads (not the calling one) ran; and the workers alive now."""

    regions: int
    worker_chunks: int
    workers: int


def get_num_threads() -> int:
    """Threads that a parallel region may use, the calling one included.

    At first `LAZIR_NUM_THREADS`, or the cores that affinity and control groups leave.
    """
    return int(ctypes.CFUNCTYPE(ctypes.c_int32)(native().address("lz_pool_threads"))())


def set_num_threads(count: int) -> None:
    """Let parallel regions use `count` threads from now on. Results do not depend on it.

    Raises ValueError unless 1 ≤ count ≤ 1024, TypeError for what is not an int.
    """
    if not isinstance(count, int) or isinstance(count, bool):
        raise TypeError(f"the number of threads must be an int, not {type(count).__name__}")
    if not 1 <= count <= MAX_THREADS:
        raise ValueError(f"the number of threads must be from 1 to {MAX_THREADS}, not {count}")
    address = native().address("lz_pool_set_threads")
    ctypes.CFUNCTYPE(None, ctypes.c_int32)(address)(count)
    if pool_counts().workers >= count:
        _stop()  # the next region starts as many workers as it needs


def pool_counts() -> PoolCounts:
    """What the pool has done so far."""
    counts = (ctypes.c_int64 * 3)()
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(native().address("lz_pool_statistics"))(counts)
    return PoolCounts(*counts)


def _stop() -> None:
    """End the workers, unless a region is running. The interpreter lock is free meanwhile."""
    code = loaded()
    if code is not None:
        ctypes.CFUNCTYPE(ctypes.c_int32)(code.address("lz_pool_stop"))()


atexit.register(_stop)
