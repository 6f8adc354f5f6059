"""The general call: conversions, out=, donation, messages; loading and unloading."""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from lazir.runtime.execute import LoadedProgram
from lazir.runtime.program import ArraySpec, Program

Make = Callable[..., Program]
SHAPE = (4, 6)


def arrays() -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(2)
    return [rng.standard_normal(SHAPE).astype(np.float32) for _ in range(3)]


@pytest.fixture(scope="module")
def loaded(multiply_add: Make) -> LoadedProgram:
    return LoadedProgram(multiply_add(SHAPE, aliases=((0, 2),)))


def layouts(array: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    misaligned = np.zeros(array.nbytes + 1, np.uint8)[1:].view(np.float32).reshape(array.shape)
    misaligned[:] = array
    frozen = array.copy()
    frozen.flags.writeable = False
    return [
        array,
        np.asfortranarray(array),
        np.repeat(array, 2, axis=1)[:, ::2],
        array[::-1, ::-1].copy()[::-1, ::-1],
        np.broadcast_to(array, (2, *SHAPE))[1],
        array.astype(">f4"),
        misaligned,
        frozen,
        array.view(np.recarray),
    ]


@pytest.mark.parametrize("kind", range(9))
def test_any_layout(loaded: LoadedProgram, kind: int) -> None:
    a, b, c = arrays()
    for out in (None, [None], [np.full(SHAPE, 9, np.float32)]):
        (result,) = loaded.call([layouts(a)[kind], b, layouts(c)[kind]], out=out)
        np.testing.assert_array_equal(result, a * b + c)


@pytest.mark.parametrize("kind", range(7))
def test_out_of_any_layout(loaded: LoadedProgram, kind: int) -> None:
    a, b, c = arrays()
    target = layouts(np.zeros(SHAPE, np.float32))[kind]
    if not target.flags.writeable:
        with pytest.raises(ValueError, match="read-only"):
            loaded.call([a, b, c], out=[target])
        return
    (result,) = loaded.call([a, b, c], out=[target])
    assert result is target
    np.testing.assert_array_equal(target, a * b + c)


def test_out_may_overlap_inputs(loaded: LoadedProgram) -> None:
    memory = np.arange(30, dtype=np.float32)
    a, target = memory[:24].reshape(SHAPE), memory[3:27].reshape(SHAPE)
    _, b, c = arrays()
    expected = a * b + c
    (result,) = loaded.call([a, b, c], out=[target])
    assert result is target
    np.testing.assert_array_equal(target, expected)


def test_messages(loaded: LoadedProgram) -> None:
    a, b, c = arrays()
    with pytest.raises(TypeError, match="takes 3 arrays, not 2"):
        loaded.call([a, b])
    with pytest.raises(TypeError, match=r"input 1 is float64\[4,6\], not float32\[4,6\]"):
        loaded.call([a, b.astype(float), c])
    with pytest.raises(ValueError, match=r"input 2 is float32\[4,5\], not float32\[4,6\]"):
        loaded.call([a, b, c[:, :5]])
    with pytest.raises(TypeError, match="input 0 is a list"):
        loaded.call([a.tolist(), b, c])
    with pytest.raises(TypeError, match="input 0 is a float"):
        loaded.call([1.0, b, c])
    with pytest.raises(ValueError, match=r"out\[0\] is float64"):
        loaded.call([a, b, c], out=[a.astype(float)])
    with pytest.raises(ValueError, match="1 outputs, out has 2"):
        loaded.call([a, b, c], out=[None, None])


def test_outputs_must_not_overlap(program: Make) -> None:
    text = "define i32 @main(ptr %i, ptr %o, ptr %w, ptr %c) { ret i32 0 }"
    spec = ArraySpec("float32", (4,))
    loaded = LoadedProgram(program(text, (), (spec, spec)))
    memory = np.zeros(6, np.float32)
    with pytest.raises(ValueError, match="overlaps another output"):
        loaded.call([], out=[memory[:4], memory[2:]])


def test_scalars_and_zero_sizes(multiply_add: Make) -> None:
    zero_d = LoadedProgram(multiply_add(()))
    (result,) = zero_d.call([2.0, np.float32(3), np.array(1, np.float32)])
    assert result.shape == () and float(result) == 7
    empty = LoadedProgram(multiply_add((0, 3)))
    nothing = np.zeros((0, 3), np.float32)
    assert empty.call([nothing, nothing, nothing[:, ::-1]])[0].shape == (0, 3)
    assert empty.call([nothing] * 3, out=[nothing.copy()])[0].shape == (0, 3)


def test_donation(loaded: LoadedProgram) -> None:
    a, b, c = arrays()
    expected = a * b + c
    (result,) = loaded.call([a, b, c])
    assert not np.shares_memory(result, c)
    (result,) = loaded.call([a, b, c], donate=[0, 2])
    assert np.shares_memory(result, c)
    np.testing.assert_array_equal(result, expected)


def test_donation_is_declined_where_it_would_hurt(loaded: LoadedProgram) -> None:
    a, b, c = arrays()
    frozen = c.copy()
    frozen.flags.writeable = False
    cases = [[a, b, frozen], [c, b, c], [a, b, np.asfortranarray(c)]]
    for case in cases:
        expected = case[0] * b + c
        kept = case[2].copy()
        (result,) = loaded.call(case, donate=[2])
        np.testing.assert_array_equal(result, expected)
        np.testing.assert_array_equal(case[2], kept)


def test_donation_and_out_together(loaded: LoadedProgram) -> None:
    a, b, c = arrays()
    expected = a * b + c
    (result,) = loaded.call([a, b, c], out=[c], donate=[2])
    assert result is c
    np.testing.assert_array_equal(c, expected)


def test_donated_storage_of_another_type(program: Make) -> None:
    text = """
    define i32 @main(ptr %in, ptr %out, ptr %workspace, ptr %ctx) {
      %a = load ptr, ptr %in
      %o = load ptr, ptr %out
      %x = load i64, ptr %a
      store i64 %x, ptr %o
      ret i32 0
    }"""
    old, new = ArraySpec("float32", (1, 2)), ArraySpec("int64", ())
    loaded = LoadedProgram(program(text, (old,), (new,), aliases=((0, 0),)))
    given = np.array([[1, 2]], np.float32)
    bits = int(given.view(np.int64)[0, 0])
    (result,) = loaded.call([given], donate=[0])
    assert result.shape == () and np.shares_memory(result, given) and int(result) == bits
    assert loaded.fast_donating([0]) is loaded.call_fast


def test_code_for_other_machines_is_refused(multiply_add: Make) -> None:
    made = multiply_add()
    with pytest.raises(RuntimeError, match="compiled for sparc-"):
        LoadedProgram(dataclasses.replace(made, triple="sparc-unknown-linux"))
    with pytest.raises(RuntimeError, match=r"not here: \+warp9"):
        LoadedProgram(dataclasses.replace(made, features="+warp9,-x87"))
    with pytest.raises(RuntimeError, match="compiled for cuda"):
        LoadedProgram(dataclasses.replace(made, device="cuda"))
    with pytest.raises(ValueError, match="3 inputs, not 4 to bind"):
        LoadedProgram(made, [np.zeros(8, np.float32)] * 4)


def test_missing_symbols(program: Make, capfd: pytest.CaptureFixture[str]) -> None:
    text = """
    declare i32 @no_such_function_anywhere()
    define i32 @main(ptr %in, ptr %out, ptr %workspace, ptr %ctx) {
      %r = call i32 @no_such_function_anywhere()
      ret i32 %r
    }"""
    with pytest.raises(RuntimeError, match="cannot be linked"):
        LoadedProgram(program(text, (), ()))
    assert "no_such_function_anywhere" in capfd.readouterr().err


def test_threads_call_one_program(multiply_add: Make) -> None:
    loaded = LoadedProgram(multiply_add((40000,), workspace_bytes=200_000))
    rng = np.random.default_rng(3)

    def work(seed: int) -> bool:
        a = np.full(40000, seed, np.float32)
        fast = all((loaded.call_fast(a, a, a) == seed * seed + seed).all() for _ in range(30))
        out = np.zeros(40000, np.float32)
        return fast and bool((loaded.call([a, a, a], out=[out])[0] == seed * seed + seed).all())

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, rng.integers(1, 1000, 24).tolist()))


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def test_loading_many_programs_takes_no_memory(multiply_add: Make) -> None:
    made = multiply_add()
    a = np.ones(8, np.float32)

    def work(times: int) -> None:
        for _ in range(times):
            assert LoadedProgram(made).call_fast(a, a, a)[0] == 2
        gc.collect()

    work(100)
    before = resident()
    work(400)
    assert resident() - before < 1 << 20
