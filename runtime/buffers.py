"""Memory for results and scratch: aligned, recycled, bounded.

Takes array types. Gives NumPy arrays with undefined contents; a large one's memory comes from a
pool and returns to it when the array and everything that refers to it (views, exports) are gone.
Must not know: programs.

A fresh large array costs far more than the arithmetic on it (the system hands out zeroed pages one
fault at a time: some 0.5 ms per MiB on virtual machines), hence the pool.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import mmap
import os
import sys
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .forks import INNERMOST, hold_in_forks
from .program import ArraySpec

__all__ = [
    "POOLED_BYTES",
    "BufferPool",
    "PoolStats",
    "allocator",
    "default_pool",
    "empty",
    "empty_cache",
    "is_sole_owner",
    "parse_pool_bytes",
    "stats",
]

#: Arrays from this size on come from the pool. Below it (glibc's threshold for asking the system
#: anew at each allocation) the heap has warm memory at hand, and an array takes 0.2 µs, where one
#: from the pool takes 2 µs including its return.
POOLED_BYTES = 128 << 10

#: From this size on the system is asked for huge pages.
_HUGE_BYTES = 2 << 20

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class PoolStats:
    """Bytes. `in_use` counts whole blocks of living arrays; `cached` is kept for reuse."""

    in_use: int
    cached: int
    limit: int
    hits: int
    misses: int


class _Block:
    """A page-aligned piece of memory from the system."""

    __slots__ = ("_memory", "address", "capacity")

    def __init__(self, capacity: int) -> None:
        if hasattr(mmap, "MAP_PRIVATE"):  # Python's default is shared, also with forked children
            flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
            self._memory = mmap.mmap(-1, capacity, flags=flags)
        else:
            self._memory = mmap.mmap(-1, capacity)
        if capacity >= _HUGE_BYTES and hasattr(mmap, "MADV_HUGEPAGE"):
            with contextlib.suppress(OSError):  # a kernel without them: ordinary pages
                self._memory.madvise(mmap.MADV_HUGEPAGE)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self.capacity = capacity

    def free(self) -> None:
        self._memory.close()


def size_class(nbytes: int) -> int:
    """The capacity of the block for `nbytes`: four sizes per doubling, so at most a fifth idle;
    from the size of huge pages on, which make what is idle real memory, 64 sizes."""
    finer = 7 if nbytes >= _HUGE_BYTES else 3
    step = 1 << max((nbytes - 1).bit_length() - finer, 14)
    return -(-nbytes // step) * step


class BufferPool:
    """Blocks by size, kept up to `limit` bytes while nobody uses them; thread-safe.

    Blocks come back from finalizers, which may run at any moment in any thread, also in the middle
    of the pool's own work: so they go through an inbox that needs no lock.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._inbox: deque[_Block] = deque()
        self._leases: dict[int, Any] = {}
        self._free: dict[int, list[_Block]] = {}
        self._by_age: OrderedDict[int, _Block] = OrderedDict()
        self._cached = 0
        self._in_use = 0
        self._hits = 0
        self._misses = 0

    def empty(self, spec: ArraySpec) -> Array:
        """An array of this type, C-contiguous, contents undefined; 64-byte aligned if large."""
        return self.allocator(spec)()

    def allocator(self, spec: ArraySpec) -> Callable[[], Array]:
        """A function that does `empty(spec)` with everything prepared."""
        shape, dtype, nbytes = spec.shape, spec.numpy_dtype, spec.nbytes
        if nbytes < POOLED_BYTES:
            return functools.partial(np.empty, shape, dtype)
        capacity = size_class(nbytes)
        lease_at = self._lease_type(capacity).from_address
        take, ndarray = self._take, np.ndarray

        def allocate() -> Array:
            block = take(capacity)
            lease = lease_at(block.address)
            lease.block = block
            return ndarray(shape, dtype, lease)

        return allocate

    def stats(self) -> PoolStats:
        """How much memory there is, and how often a block was at hand."""
        self._drain()
        with self._lock:
            numbers = (self._in_use, self._cached, self._limit, self._hits, self._misses)
        return PoolStats(*numbers)

    def empty_cache(self) -> None:
        """Give all memory that nobody uses back to the system."""
        self._drain()
        with self._lock:
            self._evict(0)
        self._drain()

    def _lease_type(self, capacity: int) -> Any:
        """The type of the objects that arrays of one block size have as their base.

        A ctypes array over the block: it lends its memory through the buffer protocol, and its
        finalizer runs when the last array, view or export is gone.
        """
        lease_type = self._leases.get(capacity)
        if lease_type is None:

            def finalize(lease: Any, give_back: Callable[[_Block], None] = self._give_back) -> None:
                give_back(lease.block)

            lease_type = type("Lease", (ctypes.c_char * capacity,), {"__del__": finalize})
            lease_type = self._leases.setdefault(capacity, lease_type)
        return lease_type

    def _take(self, capacity: int) -> _Block:
        if self._inbox:
            self._drain()
        with self._lock:
            self._in_use += capacity
            free = self._free.get(capacity)
            if free:
                self._hits += 1
                self._cached -= capacity
                block = free.pop()
                del self._by_age[block.address]
                fresh = False
            else:
                self._misses += 1
                fresh = True
        if fresh:
            block = self._new_block(capacity)
        if self._inbox:
            self._drain()
        return block

    def _new_block(self, capacity: int) -> _Block:
        try:
            return _Block(capacity)
        except (OSError, MemoryError):
            self.empty_cache()  # perhaps other sizes sit on the memory
        try:
            return _Block(capacity)
        except (OSError, MemoryError) as error:
            with self._lock:
                self._in_use -= capacity
            raise MemoryError(f"no memory for an array of {capacity} bytes: {error}") from error

    def _give_back(self, block: _Block) -> None:
        """From a finalizer: never waits."""
        self._inbox.append(block)
        self._drain()

    def _drain(self) -> None:
        """Sort the inbox in. If somebody else has the lock, they look again after releasing it."""
        while self._inbox and self._lock.acquire(blocking=False):
            try:
                while self._inbox:
                    self._keep(self._inbox.popleft())
            finally:
                self._lock.release()

    def _keep(self, block: _Block) -> None:
        capacity = block.capacity
        self._in_use -= capacity
        if capacity > self._limit:
            block.free()
            return
        self._evict(self._limit - capacity)
        self._free.setdefault(capacity, []).append(block)
        self._by_age[block.address] = block
        self._cached += capacity

    def _evict(self, target: int) -> None:
        """Free the blocks that lay idle longest until at most `target` bytes are cached."""
        while self._cached > target:
            _, block = self._by_age.popitem(last=False)
            self._free[block.capacity].remove(block)
            self._cached -= block.capacity
            block.free()


def parse_pool_bytes(text: str) -> int:
    """The value of LAZIR_POOL_BYTES: bytes, or with K, M, G. Raises ValueError for nonsense."""
    value = text.strip().upper()
    shift = {"K": 10, "M": 20, "G": 30}.get(value[-1:], 0)
    digits = value[:-1] if shift else value
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(
            f"LAZIR_POOL_BYTES={text!r} is not a size: write bytes, or a number with K, M or G, "
            "such as 512M; 0 keeps nothing"
        )
    return int(digits) << shift


def _default_limit() -> int:
    text = os.environ.get("LAZIR_POOL_BYTES", "")
    if text.strip():
        return parse_pool_bytes(text)
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        memory = 4 << 30
    return min(memory // 4, 2 << 30)


@functools.cache
def default_pool() -> BufferPool:
    """The pool of this process, made at first use, bounded by LAZIR_POOL_BYTES (default: a quarter
    of the memory, at most 2 GiB)."""
    pool = BufferPool(_default_limit())
    hold_in_forks(pool._lock, INNERMOST)
    return pool


def empty(spec: ArraySpec) -> Array:
    """An array of this type from the default pool, contents undefined."""
    return default_pool().empty(spec)


def allocator(spec: ArraySpec) -> Callable[[], Array]:
    """A function that does `empty(spec)` with everything prepared."""
    return default_pool().allocator(spec)


def is_sole_owner(array: Array) -> bool:
    """Whether nobody but this array refers to its memory; who refers to the array is not looked at.

    >>> array = np.zeros(4)
    >>> is_sole_owner(array), is_sole_owner(array[1:])
    (True, False)
    """
    if array.base is None:
        return bool(array.flags.owndata)
    # the array, and the argument of getrefcount
    return (
        isinstance(getattr(array.base, "block", None), _Block) and sys.getrefcount(array.base) <= 2
    )


def empty_cache() -> None:
    """Give all pooled memory that nobody uses back to the system."""
    default_pool().empty_cache()


def stats() -> PoolStats:
    """The default pool's state."""
    return default_pool().stats()
