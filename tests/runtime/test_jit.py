"""Loading object code: addresses, imports, lifetime, rotation of LLJITs."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable

import pytest

from lazir.runtime import jit
from lazir.runtime.jit import LoadedCode
from lazir.runtime.program import Program

TEXT = """
declare i32 @somewhere()
declare ptr @PyLong_AsVoidPtr(ptr)
@cell = global i64 5
define i32 @first() { ret i32 1 }
define i32 @main(ptr %in, ptr %out, ptr %workspace, ptr %ctx) {
  %r = call i32 @somewhere()
  ret i32 %r
}
define ptr @python() { ret ptr @PyLong_AsVoidPtr }
"""


@pytest.fixture(scope="module")
def code(program: Callable[..., Program]) -> bytes:
    return program(TEXT, (), ()).object_code


def test_symbols_and_imports(code: bytes) -> None:
    prototype = ctypes.CFUNCTYPE(ctypes.c_int32)
    somewhere = prototype(lambda: 42)
    address = ctypes.cast(somewhere, ctypes.c_void_p).value
    assert address is not None
    symbols = ("first", "main", "cell", "python")
    loaded = [LoadedCode(code, symbols, {"somewhere": address}) for _ in range(2)]
    for item in loaded:
        assert prototype(item.address("first"))() == 1
        assert prototype(item.address("main"))() == 42
    cells = [ctypes.c_int64.from_address(item.address("cell")) for item in loaded]
    cells[0].value = 6
    assert [cell.value for cell in cells] == [6, 5]
    found = ctypes.CFUNCTYPE(ctypes.c_void_p)(loaded[0].address("python"))()
    assert found == ctypes.cast(ctypes.pythonapi.PyLong_AsVoidPtr, ctypes.c_void_p).value


def test_code_lives_on_while_others_go(code: bytes) -> None:
    imports = {"somewhere": 1}
    kept = [LoadedCode(code, ("first",), imports)]
    for number in range(3 * jit._LIBRARIES_PER_JIT):
        item = LoadedCode(code, ("first",), imports)
        if number % 10 == 0:
            kept.append(item)
    del item
    gc.collect()
    prototype = ctypes.CFUNCTYPE(ctypes.c_int32)
    assert all(prototype(item.address("first"))() == 1 for item in kept)


def test_in_a_dead_cycle(code: bytes) -> None:
    for _ in range(2 * jit._LIBRARIES_PER_JIT):
        loop: list[object] = [LoadedCode(code, ("first",), {"somewhere": 1})]
        loop.append(loop)
    del loop
    gc.collect()


def test_nonsense_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="cannot be linked"):
        LoadedCode(b"this is no object file", ("first",))
