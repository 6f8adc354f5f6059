"""The builtin: what fits, what does not, references, scalars, donation, callbacks, errors."""

from __future__ import annotations

import gc
import sys
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazir.runtime import buffers
from lazir.runtime.entry import type_numbers
from lazir.runtime.execute import LoadedProgram, array_at
from lazir.runtime.program import ArraySpec, Program

Make = Callable[..., Program]


class Holder:
    """Stands for the frontend's Tensor."""

    __slots__ = ("_array",)

    def __init__(self, array: Any) -> None:
        self._array = array


def arrays(shape: tuple[int, ...] = (8,)) -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(1)
    return [rng.standard_normal(shape).astype(np.float32) for _ in range(3)]


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (8,), (2, 3, 4), (40000,)])
@pytest.mark.parametrize("release", [True, False])
def test_values(multiply_add: Make, shape: tuple[int, ...], release: bool) -> None:
    call = LoadedProgram(multiply_add(shape, release_gil=release)).call_fast
    a, b, c = arrays(shape)
    for arguments in ((a, b, c), (Holder(a), b, Holder(c))):
        result = call(*arguments)
        assert type(result) is np.ndarray and result.dtype == np.float32 and result.shape == shape
        assert result.flags.c_contiguous and result.flags.writeable
        np.testing.assert_array_equal(result, a * b + c)


def misfits(a: np.ndarray[Any, Any]) -> dict[str, Any]:
    matrix = np.zeros((8, 2), np.float32)
    raw = np.zeros(33, np.uint8)
    return {
        "dtype": a.astype(np.float64),
        "same size dtype": a.view(np.int32),
        "byte order": a.astype(">f4"),
        "shape": a[:7].copy(),
        "rank": a.reshape(2, 4),
        "0-d": np.float32(1),
        "strided": matrix[:, 0],
        "reversed": a[::-1],
        "misaligned": raw[1:].view(np.float32),
        "list": a.tolist(),
        "number": 1.0,
        "none": None,
        "subclass": a.view(np.recarray),
        "pending": Holder(None),
        "holder of holder": Holder(Holder(a)),
        "holder of float64": Holder(a.astype(np.float64)),
        "structured": np.zeros(8, [("x", "f4")]),
    }


@pytest.mark.parametrize("name", list(misfits(np.zeros(8, np.float32))))
@pytest.mark.parametrize("position", [0, 2])
def test_misfits_are_answered_with_notimplemented(
    multiply_add: Make, name: str, position: int
) -> None:
    call = LoadedProgram(multiply_add()).call_fast
    arguments: list[Any] = arrays()
    arguments[position] = misfits(arguments[0])[name]
    watched = [value for value in arguments if value is not None]
    before = [sys.getrefcount(value) for value in watched]
    assert call(*arguments) is NotImplemented
    assert [sys.getrefcount(value) for value in watched] == before


def test_number_of_arguments(multiply_add: Make) -> None:
    call = LoadedProgram(multiply_add()).call_fast
    a, b, c = arrays()
    assert call() is NotImplemented
    assert call(a, b) is NotImplemented
    assert call(a, b, c, c) is NotImplemented
    with pytest.raises(TypeError, match="keyword"):
        call(a, b, c=c)


def test_readonly_is_fine_and_other_type_number_too(program: Make, multiply_add: Make) -> None:
    a, b, c = arrays()
    for value in (a, b, c):
        value.flags.writeable = False
    assert isinstance(LoadedProgram(multiply_add()).call_fast(a, b, c), np.ndarray)
    first, second = type_numbers(np.dtype("int64"))
    assert {first, second} == {np.dtype(code).num for code in "lqi" if np.dtype(code).itemsize == 8}
    call = LoadedProgram(program(COPY.format(size=4), (I64x4,), (I64x4,))).call_fast
    long_long = np.arange(4, dtype=np.longlong)
    np.testing.assert_array_equal(call(long_long), long_long)
    assert call(long_long.astype(np.uint64)) is NotImplemented


def test_other_errors_of_the_attribute_propagate(multiply_add: Make) -> None:
    class Angry:
        @property
        def _array(self) -> Any:
            raise ZeroDivisionError("angry")

    a, b, _ = arrays()
    with pytest.raises(ZeroDivisionError, match="angry"):
        LoadedProgram(multiply_add()).call_fast(Holder(a), b, Angry())
    assert sys.getrefcount(a) == 2


I64x4 = ArraySpec("int64", (4,))
COPY = """
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
define i32 @main(ptr %in, ptr %out, ptr %workspace, ptr %ctx) {{
  %a = load ptr, ptr %in
  %o = load ptr, ptr %out
  %size = mul i64 {size}, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %o, ptr %a, i64 %size, i1 false)
  ret i32 0
}}
"""

SEVERAL = """
define i32 @main(ptr %in, ptr %out, ptr %workspace, ptr %ctx) {
  %a = load ptr, ptr %in
  %x = load i64, ptr %a
  %o0 = load ptr, ptr %out
  store i64 %x, ptr %o0
  %s1 = getelementptr ptr, ptr %out, i64 1
  %o1 = load ptr, ptr %s1
  %y = add i64 %x, 1
  store i64 %y, ptr %o1
  ret i32 0
}
"""


def test_several_outputs_are_a_tuple_and_none_is_an_empty_one(program: Make) -> None:
    spec = ArraySpec("int64", ())
    call = LoadedProgram(program(SEVERAL, (spec,), (spec, spec))).call_fast
    result = call(np.array(41))
    assert type(result) is tuple and [int(item) for item in result] == [41, 42]
    nothing = "define i32 @main(ptr %i, ptr %o, ptr %w, ptr %c) { ret i32 0 }"
    assert LoadedProgram(program(nothing, (), ())).call_fast() == ()


def test_a_thousand_arguments(program: Make) -> None:
    nothing = "define i32 @main(ptr %i, ptr %o, ptr %w, ptr %c) { ret i32 0 }"
    spec = ArraySpec("float32", (3,))
    aliases = tuple((k, 2 * k) for k in range(300))
    loaded = LoadedProgram(program(nothing, (spec,) * 1000, (spec,) * 300, aliases=aliases))
    given = [np.full(3, k, np.float32) for k in range(1000)]
    assert [item.shape for item in loaded.call_fast(*given)] == [(3,)] * 300
    results = loaded.fast_donating(range(1000))(*given)
    assert all(result is given[2 * k] for k, result in enumerate(results))


def test_bound_constants(multiply_add: Make) -> None:
    a, b, c = arrays()
    call = LoadedProgram(multiply_add(), [b, c]).call_fast
    np.testing.assert_array_equal(call(a), a * b + c)
    assert call(a, b, c) is NotImplemented
    strided = np.repeat(c, 2)[::2]
    call = LoadedProgram(multiply_add(), [strided]).call_fast
    del strided
    np.testing.assert_array_equal(call(a, b), a * b + c)


@pytest.mark.parametrize(
    ("dtype", "good", "bad"),
    [
        ("float32", [0.1, float("inf"), -0.0, 1e300], [1, True, np.float64(1), "1", None]),
        ("float64", [0.1, 1e300], [1, np.float32(1)]),
        ("int32", [0, -(2**31), 2**31 - 1], [2**31, -(2**31) - 1, 10**30, 1.0, True]),
        ("int64", [0, -(2**63), 2**63 - 1], [2**63, -(10**30), 1.0, np.int64(1)]),
        ("bool", [True, False], [1, 0, np.True_, None]),
    ],
)
def test_python_numbers(program: Make, dtype: str, good: list[Any], bad: list[Any]) -> None:
    spec = ArraySpec(dtype, ())
    text = COPY.format(size=1).replace("mul i64 1, 8", f"add i64 0, {spec.nbytes}")
    call = LoadedProgram(program(text, (spec,), (spec,)), scalars=[0]).call_fast
    for value in good:
        with np.errstate(over="ignore"):
            expected = np.asarray(value).astype(dtype)
        assert call(value).tobytes() == expected.tobytes()
    for value in [*bad, np.zeros((), dtype)]:
        assert call(value) is NotImplemented


def test_python_numbers_need_a_scalar_type(multiply_add: Make) -> None:
    with pytest.raises(ValueError, match="Python number"):
        LoadedProgram(multiply_add(), scalars=[0])


def test_donation_returns_the_argument(multiply_add: Make) -> None:
    loaded = LoadedProgram(multiply_add(aliases=((0, 1),)))
    a, b, c = arrays()
    expected = a * b + c
    kept = b.copy()
    assert loaded.call_fast(a, b, c) is not b
    np.testing.assert_array_equal(b, kept)
    call = loaded.fast_donating([1])
    for argument in (b, Holder(kept)):
        result = call(a, argument, c)
        assert result is (b if argument is b else kept)
        np.testing.assert_array_equal(result, expected)
    fixed = kept.copy()
    fixed.flags.writeable = False
    assert call(a, fixed, c) is NotImplemented
    both = np.zeros(12, np.float32)
    assert call(a, both[:8], both[4:]) is NotImplemented
    assert call(a, c, c) is NotImplemented
    assert call(both[4:], both[:8], c) is NotImplemented
    neighbours = np.ones(16, np.float32)
    np.testing.assert_array_equal(call(neighbours[8:], neighbours[:8], c), 1 + c)
    assert loaded.fast_donating([0]) is loaded.call_fast


def test_donation_looks_at_bound_constants(multiply_add: Make) -> None:
    a, b, c = arrays()
    call = LoadedProgram(multiply_add(aliases=((0, 1),)), [c]).fast_donating([1])
    assert call(a, c) is NotImplemented
    assert call(a, b) is b


STATUS = "define i32 @main(ptr %i, ptr %o, ptr %w, ptr %c) { ret i32 7 }"


def test_unknown_status(program: Make) -> None:
    loaded = LoadedProgram(program(STATUS, (), (), name="odd"))
    for call in (loaded.call_fast, lambda: loaded.call([])):
        with pytest.raises(RuntimeError, match="program odd returned the unknown status 7"):
            call()


CALLBACK = """
define i32 @main(ptr %in, ptr %out, ptr %workspace, ptr %ctx) {
  %slot = getelementptr { ptr, ptr, ptr, ptr, ptr }, ptr %ctx, i32 0, i32 4
  %callback = load ptr, ptr %slot
  %pointers = alloca [2 x ptr]
  %a = load ptr, ptr %in
  %o = load ptr, ptr %out
  store ptr %a, ptr %pointers
  %second = getelementptr ptr, ptr %pointers, i64 1
  store ptr %o, ptr %second
  %status = call i32 %callback(ptr %ctx, i64 1, ptr %pointers)
  ret i32 %status
}
"""


@pytest.mark.parametrize("release", [True, False])
def test_callbacks(program: Make, release: bool) -> None:
    def swap(address: int) -> None:
        source, target = array_at(address, ArraySpec("uint64", (2,)))
        array_at(int(target), I64x4)[:] = array_at(int(source), I64x4)[::-1]

    def fail(address: int) -> None:
        raise LookupError("from the callback")

    made = program(CALLBACK, (I64x4,), (I64x4,), release_gil=release)
    numbers = np.arange(4)
    loaded = LoadedProgram(made, callbacks=[fail, swap])
    np.testing.assert_array_equal(loaded.call_fast(numbers), numbers[::-1])
    np.testing.assert_array_equal(loaded.call([numbers], out=[np.zeros(4, int)])[0], numbers[::-1])
    with pytest.raises(LookupError, match="from the callback"):
        LoadedProgram(made, callbacks=[swap, fail]).call_fast(numbers)
    with pytest.raises(IndexError):
        LoadedProgram(made, callbacks=[swap]).call_fast(numbers)
    assert sys.getrefcount(numbers) == 2


def test_no_references_leak(multiply_add: Make) -> None:
    loaded = LoadedProgram(multiply_add((8,), aliases=((0, 0),)))
    donating = loaded.fast_donating([0])
    a, b, c = arrays()
    holder, wrong = Holder(b), Holder(a.astype(np.float64))
    dtype = np.dtype(np.float32)
    watched = (a, b, c, holder, wrong, wrong._array, dtype, loaded.call_fast)

    def work(times: int) -> None:
        for _ in range(times):
            loaded.call_fast(a, holder, c)
            loaded.call_fast(a, holder, wrong)
            donating(a, holder, c)
            a[:] = 1
            loaded.call([a, holder, c], out=[np.empty(8, np.float32)])

    work(10)
    counts = [sys.getrefcount(value) for value in watched]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    work(2000)
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert [sys.getrefcount(value) for value in watched] == counts
    assert after - before < 5000


def test_the_builtin_keeps_everything_alive(multiply_add: Make) -> None:
    loaded = LoadedProgram(multiply_add())
    gone = weakref.ref(loaded)
    call = loaded.call_fast
    del loaded
    gc.collect()
    assert gone() is None
    assert call.__name__ == "main"
    a, b, c = arrays()
    np.testing.assert_array_equal(call(a, b, c), a * b + c)
    constant = c.copy()
    alive = weakref.ref(constant)
    call = LoadedProgram(multiply_add(), [constant]).call_fast
    del constant
    np.testing.assert_array_equal(call(a, b), a * b + c)
    del call
    gc.collect()
    assert alive() is None


WORKSPACE = """
define i32 @main(ptr %in, ptr %out, ptr %workspace, ptr %ctx) {{
entry:
  %a = load ptr, ptr %in
  %x = load i64, ptr %a
  %address = ptrtoint ptr %workspace to i64
  %o = load ptr, ptr %out
  %low = and i64 %address, 63
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %n, %head ]
  %p = getelementptr i64, ptr %workspace, i64 %i
  store i64 %x, ptr %p
  %n = add i64 %i, 1
  %done = icmp eq i64 %n, {words}
  br i1 %done, label %end, label %head
end:
  %last = load i64, ptr %p
  %r = add i64 %last, %low
  store i64 %r, ptr %o
  ret i32 0
}}
"""


@pytest.mark.parametrize("words", [1, 100, 20000])
def test_workspace(program: Make, words: int) -> None:
    spec = ArraySpec("int64", ())
    made = program(WORKSPACE.format(words=words), (spec,), (spec,), workspace_bytes=8 * words)
    loaded = LoadedProgram(made)
    used = buffers.stats().in_use
    for value in range(3):
        assert int(loaded.call_fast(np.array(value))) == value
        assert int(loaded.call([np.array(value)], out=[np.array(0)])[0]) == value
    assert buffers.stats().in_use == used
