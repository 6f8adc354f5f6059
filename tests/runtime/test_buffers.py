"""The pool: recycling, living views, bounds, alignment, threads."""

from __future__ import annotations

import gc
import os
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lazir.runtime import buffers
from lazir.runtime.buffers import BufferPool
from lazir.runtime.program import ArraySpec

LARGE = ArraySpec("float32", (64, 1024))  # 256 KiB
MIB = 1 << 20


def address(array: np.ndarray) -> int:  # type: ignore[type-arg]
    return int(array.ctypes.data)


@pytest.mark.parametrize(
    "spec",
    [
        ArraySpec("float32", ()),
        ArraySpec("bool", (0, 5)),
        ArraySpec("int16", (100,)),
        ArraySpec("bfloat16", (200, 300)),
        ArraySpec("complex128", (7, 5000)),
        ArraySpec("float64", (600, 700)),
    ],
    ids=str,
)
def test_type_and_alignment(spec: ArraySpec) -> None:
    array = BufferPool(MIB).empty(spec)
    assert array.shape == spec.shape and array.dtype == spec.numpy_dtype
    assert array.flags.c_contiguous and array.flags.aligned and array.flags.writeable
    if spec.nbytes >= buffers.POOLED_BYTES:
        assert address(array) % 64 == 0
    array[...] = 1
    assert (array == 1).all()


def test_memory_comes_back_when_the_last_view_dies() -> None:
    pool = BufferPool(16 * MIB)
    array = pool.empty(LARGE)
    where = address(array)
    array[:] = 7
    view, export = array[3:, ::2].T, memoryview(array)
    del array
    gc.collect()
    other = pool.empty(LARGE)
    assert address(other) != where
    other[:] = 0
    assert (view == 7).all()
    del view
    assert address(pool.empty(LARGE)) != where
    assert export[0, 0] == 7
    del export
    assert pool.stats().cached >= LARGE.nbytes
    first, second = pool.empty(LARGE), pool.empty(LARGE)
    assert where in (address(first), address(second))
    assert pool.stats().hits >= 2


def test_recycled_memory_serves_other_shapes_of_the_same_class() -> None:
    pool = BufferPool(16 * MIB)
    where = address(pool.empty(LARGE))
    assert address(pool.empty(ArraySpec("uint8", (LARGE.nbytes,)))) == where


def test_cycles_and_many_arrays() -> None:
    pool = BufferPool(64 * MIB)
    for _ in range(50):
        array = pool.empty(LARGE)
        loop: list[object] = [array]
        loop.append(loop)
    del array, loop
    gc.collect()
    stats = pool.stats()
    assert stats.in_use == 0
    assert stats.cached <= stats.limit


def test_bound_evicts_the_oldest() -> None:
    pool = BufferPool(MIB)
    arrays = [pool.empty(LARGE) for _ in range(8)]
    places = [address(array) for array in arrays]
    while arrays:
        arrays.pop(0)
    assert pool.stats().cached == MIB
    again = [pool.empty(LARGE) for _ in range(4)]
    assert {address(array) for array in again} == set(places[4:])
    del again
    big = pool.empty(ArraySpec("uint8", (2 * MIB,)))
    assert pool.stats().in_use == 2 * MIB
    del big
    assert pool.stats().cached == MIB
    nothing = BufferPool(0)
    nothing.empty(LARGE)
    assert nothing.stats().cached == 0


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux's /proc")
def test_empty_cache_gives_memory_to_the_system() -> None:
    pool = BufferPool(256 * MIB)
    before = resident()
    pool.empty(ArraySpec("uint8", (64 * MIB,)))[:] = 1
    assert resident() - before > 60 * MIB
    assert pool.stats().cached == 64 * MIB
    pool.empty_cache()
    assert pool.stats().cached == 0
    assert resident() - before < 4 * MIB


def test_many_threads() -> None:
    pool = BufferPool(4 * MIB)
    specs = [ArraySpec("uint8", (size * 1024,)) for size in (130, 200, 256, 700)]

    def work(seed: int) -> bool:
        kept = []
        for step in range(200):
            array = pool.empty(specs[(seed + step) % 4])
            array[:] = seed
            kept.append(array)
            if len(kept) > 3:
                if not (kept[0] == seed).all():
                    return False
                kept.pop(0)
        return True

    with ThreadPoolExecutor(6) as executor:
        assert all(executor.map(work, range(12)))
    gc.collect()
    stats = pool.stats()
    assert stats.in_use == 0 and stats.cached <= stats.limit
    assert stats.cached == sum(block.capacity for block in pool._by_age.values())


def test_finalizers_in_the_middle_of_the_pools_own_work() -> None:
    pool = BufferPool(4 * MIB)
    held = pool.empty(LARGE)
    with pool._lock:  # as if the collector ran inside the pool
        del held
        gc.collect()
    assert pool.stats().in_use == 0


def test_pool_may_die_before_its_arrays() -> None:
    pool = BufferPool(MIB)
    array = pool.empty(LARGE)
    gone = weakref.ref(pool)
    del pool
    array[:] = 3
    assert (array == 3).all()
    del array
    gc.collect()
    assert gone() is None


def test_no_memory_is_an_error_not_a_crash() -> None:
    pool = BufferPool(MIB)
    with pytest.raises(MemoryError):
        pool.empty(ArraySpec("uint8", (1 << 55,)))
    assert pool.stats().in_use == 0


def test_size_classes_waste_little() -> None:
    for nbytes in [*range(131072, 400000, 777), 10**6, 10**8 + 1, 2**30]:
        capacity = buffers.size_class(nbytes)
        assert nbytes <= capacity <= nbytes * (1.25 if nbytes < 2 << 20 else 1.016)
        assert capacity % 4096 == 0


def test_pool_bytes() -> None:
    parse = buffers.parse_pool_bytes
    assert [parse(text) for text in ("0", "12", "3k", " 2M ", "1G")] == [
        0, 12, 3 << 10, 2 << 20, 1 << 30,
    ]  # fmt: skip
    for text in ("-1", "much", "1T", "1.5G", "K", "²"):
        with pytest.raises(ValueError, match=r"LAZIR_POOL_BYTES=.*bytes, or a number"):
            parse(text)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_does_not_share_memory() -> None:
    array = buffers.empty(LARGE)
    array[:] = 1
    child = os.fork()
    if child == 0:
        array[:] = 2
        os._exit(0 if (buffers.empty(LARGE) is not None) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert (array == 1).all()
