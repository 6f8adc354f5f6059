"""Where the functions of LAPACK and BLAS are: in SciPy, whose Cython interface hands out pointers.

Takes: the C symbols that programs call them by. Gives: their addresses. SciPy is imported when a
program first needs it. Must not know: what the functions do, what calls them.

The pointers are in `__pyx_capi__` of `scipy.linalg.cython_lapack` and `cython_blas`: capsules, one
for each function, named by its C type (Cython's documentation, "Sharing declarations").
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .fourier import FFT, transform_address

__all__ = ["LibraryError", "library_addresses"]

_HOMES = {"lz_lapack_": "scipy.linalg.cython_lapack", "lz_blas_": "scipy.linalg.cython_blas"}
"""How symbols begin, and the module that has the functions."""
_TYPE = rb"void \((\w+ \*, )*\w+ \*\)"
"""The C type of a function that takes addresses alone."""


class LibraryError(ImportError, RuntimeError):
    """A program needs functions of LAPACK that are not installed here."""


def library_addresses(symbols: Iterable[str], program: str) -> dict[str, int]:
    """The address of each symbol, such as `lz_lapack_dpotrf`.

    Raises LibraryError naming the program where SciPy, or a function in it, is missing.
    """
    return {symbol: _address(symbol, program) for symbol in symbols}


def _address(symbol: str, program: str) -> int:
    if symbol.startswith(FFT):
        return transform_address(symbol, program)
    home = next((home for home in _HOMES if symbol.startswith(home)), None)
    if home is None:
        raise LibraryError(
            f"{program} needs {symbol}, of which this version of lazir knows nothing"
        )
    name = symbol.removeprefix(home)
    capsule = _functions(_HOMES[home], program).get(name)
    if capsule is None:
        raise LibraryError(f"{program} needs {name}, which {_HOMES[home]} does not have")
    type = _capsule_name(capsule)
    if not re.fullmatch(_TYPE, type) or not re.search(rb"\bint \*", type):
        raise LibraryError(
            f"{program} needs {name} with arguments by address and integers of 32 bits, but SciPy "
            f"has {type.decode()}: install another version of SciPy"
        )
    return _capsule_pointer(capsule, type)


def _functions(module: str, program: str) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = importlib.import_module(module).__pyx_capi__
    except (ImportError, AttributeError) as error:
        raise LibraryError(
            f"{program} uses linear algebra, which lazir computes with SciPy's LAPACK, and SciPy "
            f"cannot be loaded ({error}): pip install 'lazir[linalg]'"
        ) from error
    return found


@functools.cache
def _capsule_functions() -> tuple[Any, Any]:
    """CPython's PyCapsule_GetName and PyCapsule_GetPointer."""
    name = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
    return (
        name(("PyCapsule_GetName", ctypes.pythonapi)),
        pointer(("PyCapsule_GetPointer", ctypes.pythonapi)),
    )


def _capsule_name(capsule: Any) -> bytes:
    name: bytes = _capsule_functions()[0](capsule)
    return name


def _capsule_pointer(capsule: Any, name: bytes) -> int:
    address: int = _capsule_functions()[1](capsule, name)
    return address
