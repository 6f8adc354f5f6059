"""Fourier transforms through NumPy's own loops: one function for each op, type and attributes.

Takes: a LibraryCall on rows in memory, complex numbers as pairs. Gives: the calls that transform
the rows, a few at a time, so that a long run can be stopped. Must not know: where the loops are.

A call takes three addresses: of the operand, of the result, and of nine sizes of 64 bits, which are
what a loop of NumPy's generalised ufuncs wants (its documentation, "ufunc loop functions"): the
number of rows, the lengths of a row in and out; bytes from row to row of operand, factor and
result, from number to number in and out; and last the row to begin with.
"""

from __future__ import annotations

import math

from ..library import PREFIX, LibraryCall
from ..mlir.ir import Typed, function
from ..types import MemRefType, i64
from .lapack import POLL, POLL_WORK, Stacks, first_element

COUNT, START, SIZES = 0, 8, 9
"""Places of the number of rows and of the first one among the sizes, and how many there are."""


def fourier_work(call: LibraryCall) -> float:
    """Machine operations, roughly: 5 n log n for each row."""
    rows, n, _, _ = _rows(call)
    return 200.0 + rows * _row_work(n)


def _row_work(n: int) -> float:
    return 100.0 + 5.0 * n * math.log2(n + 1)


def _rows(call: LibraryCall) -> tuple[int, int, int, int]:
    """How many rows there are, the length of the transform, and of a row in and out."""
    source, target = call.params[0].shape, call.results[0].shape
    lengths = [
        shape[-1] if is_real else shape[-2]
        for shape, is_real in ((source, call.op == "rfft"), (target, call.op == "irfft"))
    ]
    tail = 1 if call.op == "rfft" else 2
    return math.prod(source[:-tail]), max(lengths), lengths[0], lengths[1]


def routine(call: LibraryCall) -> str:
    """The C symbol of the loop, such as lz_fft_rfft_odd_f64."""
    attrs = dict(call.attrs)
    name = call.op
    if name == "fft" and attrs["inverse"]:
        name = "ifft"
    elif name == "rfft":
        name = f"rfft_{'odd' if call.params[0].shape[-1] % 2 else 'even'}"
    return f"{PREFIX}fft_{name}_{call.params[0].dtype}"


def write_transform(f: Stacks) -> None:
    """The calls, so many rows at a time as take about a millisecond."""
    b, item = f.b, f.dtype.itemsize
    rows, n, length, made = _rows(f.call)
    step_in = item * (1 if f.call.op == "rfft" else 2)
    step_out = item * (1 if f.call.op == "irfft" else 2)
    together = max(1, min(rows, int(POLL_WORK / _row_work(n))))
    values = [together, length, made, length * step_in, 0, made * step_out, step_in, step_out, 0]
    sizes = b.alloca(MemRefType((SIZES,), i64))
    for k, value in enumerate(values):
        b.store(b.const(value, i64), sizes, [b.index(k)])
    arguments = [first_element(b, v) for v in (f.params[0], f.results[0], sizes)]
    name = routine(f.call)
    if name not in {op.attrs["sym_name"] for op in f.module.functions()}:
        f.module.ops.append(function(name, [v.type for v in arguments], [], private=True))
    whole = rows - rows % together
    if whole == together:
        b.call(name, arguments, [])
    else:
        with b.loop(b.index(0), b.index(whole), b.index(together)) as start:
            b.store(b.op("arith.index_cast", [start], i64), sizes, [b.index(START)])
            b.call(name, arguments, [])
        b.block.ops[-1].attrs[POLL] = Typed(1, i64)
    if rows % together:
        b.store(b.const(rows % together, i64), sizes, [b.index(COUNT)])
        b.store(b.const(whole, i64), sizes, [b.index(START)])
        b.call(name, arguments, [])
