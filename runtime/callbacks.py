"""Python functions as a program calls them: with the addresses of arrays.

Takes: a function of arrays. Gives: a function of one address, for `LoadedProgram(callbacks=…)`.
Must not know: what the function does, what calls it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .execute import array_at
from .program import ArraySpec

__all__ = ["host_entry"]

Array = np.ndarray[Any, Any]


def host_entry(
    function: Callable[[Sequence[Array]], Sequence[Array]],
    params: Sequence[ArraySpec],
    results: Sequence[ArraySpec],
) -> Callable[[int], None]:
    """What the program calls: it reads the operands (copied: their memory is the program's), calls
    the function, and writes the results where the program wants them.

    The results are of the dtypes and shapes of `results` (bfloat16 as uint16); the function is
    trusted with that.
    """
    count = len(params) + len(results)

    def entry(address: int) -> None:
        pointers = (ctypes.c_void_p * count).from_address(address)
        given = [array_at(_place(p), s).copy() for p, s in zip(pointers, params)]
        found = function(given)
        for pointer, spec, array in zip(pointers[len(params) :], results, found, strict=True):
            if spec.nbytes:
                array_at(_place(pointer), spec)[...] = array

    return entry


def _place(pointer: int | None) -> int:
    """The address, where ctypes says None for null (empty arrays may have no place)."""
    return pointer or ctypes.addressof(_NOWHERE)


_NOWHERE = (ctypes.c_char * 1)()
