"""`lazir export`: a function as an object file and a C header, captured tensors built in.

Takes: parsed options. Gives: files; their paths on stdout. Must not know: what is in them.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np

from lazir.compiler.export import export
from lazir.compiler.types import TensorType, bf16

from ..tensor import Tensor
from .problems import InputError
from .program import read_program


def export_command(options: Namespace) -> int:
    """Write the files and name them."""
    program = read_program(options)
    compilation, traced = program.compilation, program.traced
    held = traced.captures if traced is not None else ()
    types = compilation.start.types.inputs
    constants = [_bytes_of(x, t) for x, t in zip(held, types[len(types) - len(held) :])]
    name = options.name or compilation.entry
    try:
        paths = export(compilation, Path(options.output), name, constants)
    except OSError as error:
        raise InputError(f"{options.output} cannot be written: {error.strerror}") from None
    for path in paths:
        print(path)
    return 0


def _bytes_of(tensor: object, type: object) -> np.ndarray[Any, Any]:
    """A captured tensor as the array that the program reads."""
    assert isinstance(tensor, Tensor) and isinstance(type, TensorType)
    if type.dtype is bf16:
        bits: np.ndarray[Any, Any] | None = tensor._array
        assert bits is not None
        return bits
    values: np.ndarray[Any, Any] = tensor.numpy()
    return values
