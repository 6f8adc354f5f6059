"""Where NumPy's Fourier transforms are: the inner loops of its generalised ufuncs.

Takes: the C symbols that programs call them by. Gives: addresses of functions that programs can
call. NumPy's ufuncs hold their loops in a public struct (PyUFuncObject in numpy/ufuncobject.h); the
loops are plain C, need no GIL, and are safe in any thread. What is read from the struct is compared
with what Python says of the ufunc, and each loop's first result with the ufunc's own.
Must not know: what calls them.
"""

from __future__ import annotations

import ctypes
import importlib
import threading
from typing import Any

import numpy as np

from .forks import FOURIER, hold_in_forks
from .jit import LoadedCode
from .native import object_code

__all__ = ["FFT", "FourierError", "transform_address"]

FFT = "lz_fft_"
"""How the symbols begin: lz_fft_rfft_odd_f64."""
_UFUNCS = {
    "fft": "fft", "ifft": "ifft", "rfft_even": "rfft_n_even", "rfft_odd": "rfft_n_odd",
    "irfft": "irfft",
}  # fmt: skip
_LETTERS = {"f32": "f", "f64": "d"}
_LOOP = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)

_lock = threading.Lock()
hold_in_forks(_lock, FOURIER)
_known: dict[str, LoadedCode] = {}


class FourierError(ImportError, RuntimeError):
    """This version of NumPy has no loops of Fourier transforms that lazir knows."""


class _Ufunc(ctypes.Structure):
    """The head of PyUFuncObject, the same in all of NumPy 2."""

    _fields_ = (
        ("header", ctypes.c_char * object.__basicsize__),
        ("nin", ctypes.c_int),
        ("nout", ctypes.c_int),
        ("nargs", ctypes.c_int),
        ("identity", ctypes.c_int),
        ("functions", ctypes.POINTER(ctypes.c_void_p)),
        ("data", ctypes.POINTER(ctypes.c_void_p)),
        ("ntypes", ctypes.c_int),
        ("reserved1", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("types", ctypes.POINTER(ctypes.c_char)),
    )


def transform_address(symbol: str, program: str) -> int:
    """The address of `void f(operand, result, sizes)`; the arguments are addresses.

    Raises FourierError naming the program where NumPy has no such loop, or one that differs.
    """
    with _lock:
        if symbol not in _known:
            _known[symbol] = _linked(symbol, program)
        return _known[symbol].address(symbol)


def _linked(symbol: str, program: str) -> LoadedCode:
    kind, _, dtype = symbol.removeprefix(FFT).rpartition("_")
    if kind not in _UFUNCS or dtype not in _LETTERS:
        raise FourierError(
            f"{program} needs {symbol}, of which this version of lazir knows nothing"
        )
    try:
        function, data = _loop(_UFUNCS[kind], _LETTERS[dtype])
    except (ImportError, AttributeError, ValueError) as error:
        raise FourierError(
            f"{program} computes Fourier transforms with NumPy's own loops, which NumPy "
            f"{np.__version__} does not have as lazir knows them ({error}): install NumPy 2"
        ) from error
    return LoadedCode(object_code(_bridge(symbol, dtype, function, data)), (symbol,))


def _loop(name: str, letter: str) -> tuple[int, int]:
    """The addresses of a ufunc's loop for one precision, and of its data."""
    ufunc = getattr(importlib.import_module("numpy.fft._pocketfft_umath"), name)
    seen = _Ufunc.from_address(id(ufunc))
    counts = (ufunc.nin, ufunc.nout, ufunc.nargs, ufunc.ntypes)
    if (seen.nin, seen.nout, seen.nargs, seen.ntypes) != counts or counts[:3] != (2, 1, 3):
        raise ValueError(f"the ufunc {name} is laid out in another way")
    if seen.name != ufunc.__name__.encode():
        raise ValueError(f"the ufunc {name} has another name")
    wanted = {"fft": "CrC", "ifft": "CrC", "irfft": "Crr"}.get(name, "rrC")
    wanted = wanted.replace("C", letter.upper()).replace("r", letter)
    signatures = [str(t).replace("->", "") for t in ufunc.types]
    number = signatures.index(wanted)
    codes = [np.dtype(c).num for c in wanted]
    if [ord(seen.types[3 * number + k]) for k in range(3)] != codes:
        raise ValueError(f"the ufunc {name} lists its types in another way")
    function = seen.functions[number] or 0
    data = (seen.data[number] or 0) if seen.data else 0
    if not function:
        raise ValueError(f"the ufunc {name} has no loop for {wanted}")
    _check(ufunc, wanted, function, data)
    return function, data


def _check(ufunc: Any, wanted: str, function: int, data: int) -> None:
    """Run the loop on a few numbers and compare with what the ufunc itself makes of them."""
    n_in, n_out = {"fft": (7, 7), "ifft": (7, 7), "irfft": (4, 7), "rfft_n_odd": (7, 4)}.get(
        ufunc.__name__, (6, 4)
    )
    random = np.random.default_rng(0).uniform(-1, 1, (2, n_in))
    given = (random[0] + 1j * random[1]).astype(wanted[0]) if wanted[0].isupper() else random[0]
    given = np.ascontiguousarray(given, wanted[0])
    one, made, answer = np.ones((), wanted[1]), *(np.zeros(n_out, wanted[2]) for _ in range(2))
    ufunc(given, one, out=answer)
    arrays = (ctypes.c_void_p * 3)(given.ctypes.data, one.ctypes.data, made.ctypes.data)
    sizes = (ctypes.c_ssize_t * 3)(1, n_in, n_out)
    steps = (ctypes.c_ssize_t * 5)(0, 0, 0, given.itemsize, made.itemsize)
    _LOOP(function)(arrays, sizes, steps, data)
    if not np.array_equal(made, answer):
        raise ValueError(f"the loop of {ufunc.__name__} computes something else")


def _bridge(symbol: str, dtype: str, function: int, data: int) -> str:
    """A function of three addresses that calls a loop: the operand, the result, nine sizes.

    These are the number of rows and the lengths of a row in and out; the steps in bytes from row to
    row of operand, factor and result, from number to number in and out; and the row to begin with.
    """
    one = "float 1.0" if dtype == "f32" else "double 1.0"
    return f"""
@one = private constant {one}

define void @{symbol}(ptr %in, ptr %out, ptr %sizes) {{
  %steps = getelementptr i64, ptr %sizes, i64 3
  %step_out.at = getelementptr i64, ptr %sizes, i64 5
  %start.at = getelementptr i64, ptr %sizes, i64 8
  %step_in = load i64, ptr %steps
  %step_out = load i64, ptr %step_out.at
  %start = load i64, ptr %start.at
  %skip_in = mul i64 %start, %step_in
  %skip_out = mul i64 %start, %step_out
  %source = getelementptr i8, ptr %in, i64 %skip_in
  %target = getelementptr i8, ptr %out, i64 %skip_out
  %args = alloca [3 x ptr]
  %args.1 = getelementptr ptr, ptr %args, i64 1
  %args.2 = getelementptr ptr, ptr %args, i64 2
  store ptr %source, ptr %args
  store ptr @one, ptr %args.1
  store ptr %target, ptr %args.2
  call void inttoptr (i64 {function} to ptr)(ptr %args, ptr %sizes, ptr %steps, ptr inttoptr (i64 {data} to ptr))
  ret void
}}
"""  # noqa: E501
