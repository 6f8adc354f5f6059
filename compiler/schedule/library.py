"""Linear algebra through LAPACK: one function for each op, type and attributes of a program.

Takes: a LibraryCall. Gives: its function, which goes through the stack of matrices in order and
calls LAPACK for each. Must not know: how memory and arguments are laid out (`lapack.py` does).

Arguments and sizes of work arrays: LAPACK Users' Guide, 3rd edition, and the comments of each
routine. Work arrays have room for LAPACK's blocked algorithms, with BLOCK columns at a time.
Matrices are copied to columns, as NumPy does, so that factors have the same signs as there.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ..library import LibraryCall
from ..mlir.ir import Module, Value
from ..types import i32, index
from .fourier import fourier_work, write_transform
from .lapack import Scratch, Stacks, clamped, first_element, is_empty
from .scheduled import Scheduled

FOURIER = frozenset({"fft", "rfft", "irfft"})
"""The ops that NumPy computes, not LAPACK."""
BLOCK = 32
"""Columns that LAPACK's blocked algorithms take at a time (ILAENV gives 32 or 64)."""


def schedule_library(call: LibraryCall, module: Module, name: str) -> Scheduled:
    """The function of a call; nothing happens where all results are empty."""
    stacks = Stacks(call, module, name)
    if not is_empty(call.results):
        if call.op in FOURIER:
            write_transform(stacks)
        else:
            attrs = {key: value for key, value in call.attrs if key != "pairs"}
            _WRITERS[call.op](stacks, **attrs)
    return stacks.finish()


def library_work(call: LibraryCall) -> float:
    """Machine operations, roughly: what is cubic in the matrices' size."""
    if call.op in FOURIER:
        return fourier_work(call)
    complex_ = dict(call.attrs).get("pairs", False)
    shapes = [p.shape[:-1] if complex_ else p.shape for p in (call.params[0], call.params[-1])]
    sizes = [math.prod(shape) for shape in shapes]
    total = max(sizes[0] * min(shapes[0][-2:]), sizes[1] * max(shapes[1][-2:], default=1))
    cost = (10.0 if call.op in ("eig", "eigh", "svd") else 1.0) * (4.0 if complex_ else 1.0)
    return 200.0 + cost * total


def _size(f: Stacks) -> tuple[int, int]:
    m, n = f.shape(f.call.params[0])[-2:]
    return m, n


# -- cholesky ------------------------------------------------------------------------------
def _cholesky(f: Stacks) -> None:
    """Row-major and lower is column-major and upper: it needs no turning. Of a complex matrix that
    is aᵀ = Uᴴ U, and so a = L Lᴴ with L = Uᵀ."""
    n, _ = _size(f)
    matrix, info = f.scratch(n * n), f.scratch(1, i32)
    sizes = f.integers(n)
    head = [*f.letters("U"), *sizes]
    b = f.b
    with f.each(n**3 / 3) as k:

        def copy(i: Value, j: Value) -> None:
            f.put(f.read(0, k, i, j), matrix.elements, f.at(j, i, n))

        f.elements(n, n, copy)
        f.lapack("potrf", [*head, matrix.first, *sizes, info.first])
        ok, zero = f.succeeded(info), f.number(0)

        def row(i: Value) -> None:
            after = b.add(i, 1)

            def put(j: Value) -> None:
                f.write(f.or_nan(ok, f.get(matrix.elements, f.at(j, i, n))), 0, k, i, j)

            f.loop(after, put)
            f.loop(n, lambda j: f.write(zero, 0, k, i, j), after)

        f.loop(n, row)


# -- triangular_solve ------------------------------------------------------------------------
def _triangular_solve(
    f: Stacks, left_side: bool, lower: bool, transpose: bool, unit_diagonal: bool
) -> None:
    """Seen by columns, all matrices are transposed: a x = y is xᵀ aᵀ = yᵀ, a's lower triangle is
    the upper one, and the side changes. Of one right side ?trsv is several times faster; that is
    a vector, so its side stays and a is transposed.
    """
    rows, columns = f.shape(f.call.params[1])[-2:]
    size, _ = _size(f)
    lda, ldb, step = f.integers(size, max(columns, 1), 1)
    uplo, unit = "U" if lower else "L", "U" if unit_diagonal else "N"
    b = f.b

    def solve(triangle: Value, right: Value) -> None:
        if (columns if left_side else rows) == 1:
            letters = f.letters(uplo + ("T" if left_side != transpose else "N") + unit)
            f.lapack("trsv", [*letters, *f.integers(size), triangle, lda, right, step], "blas")
            return
        letters = f.letters(("R" if left_side else "L") + uplo + ("T" if transpose else "N") + unit)
        sizes = f.integers(columns, rows)
        f.lapack("trsm", [*letters, *sizes, f.one(), triangle, lda, right, ldb], "blas")

    if f.count == 1:
        b.emit("memref.copy", [f.params[1], f.results[0]])
        solve(first_element(b, f.params[0]), first_element(b, f.results[0]))
        return
    matrix, right_side = f.scratch(size * size), f.scratch(rows * columns)
    with f.each(float(size * rows * columns)) as k:

        def copy(i: Value, j: Value) -> None:
            f.put(f.read(0, k, i, j), matrix.elements, f.at(j, i, size))

        def copy_right(i: Value, j: Value) -> None:
            f.put(f.read(1, k, i, j), right_side.elements, f.at(j, i, columns))

        def put(i: Value, j: Value) -> None:
            f.write(f.get(right_side.elements, f.at(j, i, columns)), 0, k, i, j)

        f.elements(size, size, copy)
        f.elements(rows, columns, copy_right)
        solve(matrix.first, right_side.first)
        f.elements(rows, columns, put)


# -- lu --------------------------------------------------------------------------------------
def _lu(f: Stacks) -> None:
    m, n = _size(f)
    steps = min(m, n)
    matrix, pivots, info = f.scratch(m * n), f.scratch(steps, i32), f.scratch(1, i32)
    sizes = f.integers(m, n)
    lda = f.integers(max(m, 1))
    b = f.b
    with f.each(float(m * n * steps)) as k:
        if steps:
            f.by_columns(0, k, matrix)
            f.lapack("getrf", [*sizes, matrix.first, *lda, pivots.first, info.first])
            f.deliver(0, k, matrix, None, m)
        f.loop(m, lambda i: f.write((b.op("arith.index_cast", [i], i32),), 2, k, i))

        def exchange(i: Value) -> None:
            counted = b.load(pivots.elements, [i])  # from 1
            pivot = b.op("arith.subi", [counted, b.const(1, i32)])
            pivot = clamped(b, pivot, b.op("arith.index_cast", [i], i32), m - 1)
            f.write((pivot,), 1, k, i)
            there, flat = b.op("arith.index_cast", [pivot], index), f.flat(f.results[2])
            places = [f.place(k, (m,), [row]) for row in (i, there)]
            values = [b.load(flat, [place]) for place in places]
            for place, value in zip(places, reversed(values)):
                b.store(value, flat, [place])

        if steps:
            f.loop(steps, exchange)


# -- qr --------------------------------------------------------------------------------------
def _qr(f: Stacks, full_matrices: bool) -> None:
    m, n = _size(f)
    steps = min(m, n)
    width = f.shape(f.call.results[0])[-1]
    room = BLOCK * max(n, width, 1)
    matrix, tau = f.scratch(m * max(n, width)), f.scratch(steps)
    work, info = f.scratch(room), f.scratch(1, i32)
    first = f.integers(m, n)
    second = f.integers(m, width, steps)
    lda, lwork = f.integers(max(m, 1), room)
    b = f.b
    with f.each(2.0 * m * n * steps) as k:
        if steps == 0:
            f.identity(0, k)
        else:
            tail = [tau.first, work.first, lwork, info.first]
            f.by_columns(0, k, matrix)
            f.lapack("geqrf", [*first, matrix.first, lda, *tail])
            zero = f.number(0)

            def put(i: Value, j: Value) -> None:
                upper = b.compare("sle", i, j)
                f.write(f.select(upper, f.get(matrix.elements, f.at(i, j, m)), zero), 1, k, i, j)

            f.result_elements(1, put)
            f.lapack("ungqr" if f.complex else "orgqr", [*second, matrix.first, lda, *tail])
            f.deliver(0, k, matrix, None, m)


# -- decompositions that iterate ----------------------------------------------------------------
def _copy_finite(f: Stacks, k: Value, matrix: Scratch, bad: Scratch, triangle: bool) -> Value:
    """The k-th matrix by columns, zeros where not all of it (or of its lower triangle) is finite;
    whether it is. LAPACK does not say what it does with NaN and infinities, and prints messages."""
    m, n = _size(f)
    b, zero = f.b, f.b.const(0, f.dtype)
    b.store(zero, bad.first, [])

    def look(i: Value, j: Value) -> None:
        for value in f.read(0, k, i, j):
            nothing = b.op("arith.mulf", [value, zero])  # NaN of what is not finite
            b.store(b.op("arith.addf", [b.load(bad.first, []), nothing]), bad.first, [])

    if triangle:
        f.loop(m, lambda i: f.loop(b.add(i, 1), lambda j: look(i, j)))
    else:
        f.elements(m, n, look)
    finite = b.compare("oeq", b.load(bad.first, []), zero)

    def copy(i: Value, j: Value) -> None:
        element = f.select(finite, f.read(0, k, i, j), f.number(0))
        f.put(element, matrix.elements, f.at(i, j, m))

    f.elements(m, n, copy)
    return finite


# -- eigh ------------------------------------------------------------------------------------
def _eigh(f: Stacks, vectors: bool) -> None:
    n, _ = _size(f)
    integer_room = 3 + 5 * n if vectors else 1
    real_room = (1 + (5 if f.complex else 6) * n + 2 * n * n) if vectors else 2 * n + 1
    room = (2 * n + n * n if vectors else n + 1) if f.complex else real_room
    room += BLOCK * n
    matrix, values = f.scratch(n * n), f.scratch(n, f.dtype)
    work, integers, info = f.scratch(room), f.scratch(integer_room, i32), f.scratch(1, i32)
    head = [*f.letters("VL" if vectors else "NL"), *f.integers(n)]
    lda, lwork, liwork = f.integers(n, room, integer_room)
    spaces = [work.first, lwork]
    if f.complex:
        spaces += [f.scratch(real_room, f.dtype).first, *f.integers(real_room)]
    bad = f.scratch(1, f.dtype)
    with f.each(9.0 * n**3) as k:
        finite = _copy_finite(f, k, matrix, bad, True)
        arguments = [*head, matrix.first, lda, values.first, *spaces, integers.first, liwork]
        f.lapack("heevd" if f.complex else "syevd", [*arguments, info.first])
        ok = f.b.op("arith.andi", [f.succeeded(info), finite])
        f.vector(0, k, values.elements, ok, n)
        if vectors:
            f.deliver(1, k, matrix, ok, n)


# -- eig -------------------------------------------------------------------------------------
def _eig(f: Stacks, vectors: bool) -> None:
    n, _ = _size(f)
    room = (5 + 2 * BLOCK) * n
    matrix, columns = f.scratch(n * n), f.scratch(n * n if vectors else 1)
    values = [f.scratch(n)] if f.complex else [f.scratch(n), f.scratch(n)]
    work, info, bad = f.scratch(room), f.scratch(1, i32), f.scratch(1, f.dtype)
    head = [*f.letters("NV" if vectors else "NN"), *f.integers(n)]
    lda, lwork = f.integers(n, room)
    spaces = [work.first, lwork]
    if f.complex:
        spaces.append(f.scratch(2 * n, f.dtype).first)
    b = f.b
    with f.each(25.0 * n**3) as k:
        finite = _copy_finite(f, k, matrix, bad, False)
        places = [*(v.first for v in values), columns.first, lda, columns.first, lda]
        f.lapack("geev", [*head, matrix.first, lda, *places, *spaces, info.first])
        ok = b.op("arith.andi", [f.succeeded(info), finite])

        def put(j: Value) -> None:
            for number, part in enumerate(values):
                f.write(f.or_nan(ok, f.get(part.elements, j)), number, k, j)

        f.loop(n, put)
        if vectors and f.complex:
            f.deliver(1, k, columns, ok, n)
        elif vectors:
            _eigenvectors(f, k, ok, values[1], columns)


def _eigenvectors(f: Stacks, k: Value, ok: Value, imaginary: Scratch, columns: Scratch) -> None:
    """Of a real matrix the vectors of a conjugate pair are two columns: the real part of both, and
    the imaginary part of the first vector, whose eigenvalue has the positive imaginary part."""
    n, _ = _size(f)
    b, zero = f.b, f.b.const(0, f.dtype)

    def put(i: Value, j: Value) -> None:
        side = b.load(imaginary.elements, [j])
        first, second = b.compare("ogt", side, zero), b.compare("olt", side, zero)
        before = b.op("arith.maxsi", [b.add(j, -1), b.index(0)])
        after = b.op("arith.minsi", [b.add(j, 1), b.index(n - 1)])
        own = b.load(columns.elements, [f.at(i, j, n)])
        real = b.load(columns.elements, [f.at(i, before, n)])
        rest = b.load(columns.elements, [f.at(i, after, n)])
        real = b.op("arith.select", [second, real, own], f.dtype)
        turned = b.op("arith.select", [second, b.op("arith.negf", [own]), zero], f.dtype)
        rest = b.op("arith.select", [first, rest, turned], f.dtype)
        f.write(f.or_nan(ok, (real,)), 2, k, i, j)
        f.write(f.or_nan(ok, (rest,)), 3, k, i, j)

    f.elements(n, n, put)


# -- svd -------------------------------------------------------------------------------------
def _svd(f: Stacks, full_matrices: bool, compute_uv: bool) -> None:
    m, n = _size(f)
    few, many = min(m, n), max(m, n)
    width, height = (m, n) if full_matrices else (few, few)
    room = 3 * few + max(many, 7 * few) + BLOCK * (m + n)
    real_room = 7 * few
    if compute_uv:
        room += 4 * few * few + 4 * few
        real_room = 7 * few * few + 6 * few + 2 * many * few
    else:
        width = height = 0
    matrix, values = f.scratch(m * n), f.scratch(few, f.dtype)
    left, right = f.scratch(m * width), f.scratch(height * n)
    work, integers, info = f.scratch(room), f.scratch(8 * few, i32), f.scratch(1, i32)
    job = "N" if not compute_uv else "A" if full_matrices else "S"
    head = [*f.letters(job), *f.integers(m, n)]
    lda, ldvt, lwork = f.integers(max(m, 1), max(height, 1), room)
    spaces = [work.first, lwork]
    if f.complex:
        spaces.append(f.scratch(real_room, f.dtype).first)
    bad = f.scratch(1, f.dtype)
    with f.each(20.0 * m * n * few) as k:
        if few == 0:
            f.identity(0, k)
            f.identity(2, k)
        else:
            finite = _copy_finite(f, k, matrix, bad, False)
            vectors = [left.first, lda, right.first, ldvt]
            tail = [*spaces, integers.first, info.first]
            f.lapack("gesdd", [*head, matrix.first, lda, values.first, *vectors, *tail])
            ok = f.b.op("arith.andi", [f.succeeded(info), finite])
            number = 1 if compute_uv else 0
            f.vector(number, k, values.elements, ok, few)
            if compute_uv:
                f.deliver(0, k, left, ok, m)
                f.deliver(2, k, right, ok, height)


_WRITERS: dict[str, Callable[..., None]] = {
    "cholesky": _cholesky,
    "triangular_solve": _triangular_solve,
    "lu": _lu,
    "qr": _qr,
    "eig": _eig,
    "eigh": _eigh,
    "svd": _svd,
}
