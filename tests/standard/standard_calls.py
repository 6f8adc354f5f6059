"""Calls of the array standard's functions, as text, by the kinds of dtypes they take.

Each line is evaluated twice: with `lazir.numpy` and with the standard's reference implementation,
on the same operands (`operands`). What it leaves open is left out: signs of zeros among extrema,
integer division by zero, shifts by more than the width.
"""

from __future__ import annotations

from typing import Any

import numpy as np

BOOL, SIGNED, UNSIGNED, FLOAT, COMPLEX = "bool", "signed", "unsigned", "float", "complex"
KINDS: dict[str, tuple[str, ...]] = {
    "any": (BOOL, SIGNED, UNSIGNED, FLOAT, COMPLEX),
    "numeric": (SIGNED, UNSIGNED, FLOAT, COMPLEX),
    "real": (SIGNED, UNSIGNED, FLOAT),
    "integral": (SIGNED, UNSIGNED),
    "bits": (BOOL, SIGNED, UNSIGNED),
    "signed": (SIGNED, FLOAT, COMPLEX),
    "inexact": (FLOAT, COMPLEX),
    "float": (FLOAT,),
    "complex": (COMPLEX,),
    "bool": (BOOL,),
}
DTYPES: dict[str, str] = {
    "bool": BOOL,
    **{f"int{n}": SIGNED for n in (8, 16, 32, 64)},
    **{f"uint{n}": UNSIGNED for n in (8, 16, 32, 64)},
    "float32": FLOAT,
    "float64": FLOAT,
    "complex64": COMPLEX,
    "complex128": COMPLEX,
}


def operands(dtype: str) -> dict[str, Any]:
    """Arrays by the letters that calls use.

    A, B: 3 × 4 (B without zeros); T: 2 × 3 × 4; V, W: 4 and 3; S: rank 0; E: empty; O: with axes of
    size 1; Q: square matrices; C: vectors of three; M, L: masks; I, J, K: indices; H: shifts.
    """
    rng = np.random.default_rng(5)
    kind = DTYPES[dtype]
    low = 0 if kind in (BOOL, UNSIGNED) else -4

    def draw(*shape: int) -> Any:
        values = rng.integers(low, 6, shape) if kind != BOOL else rng.integers(0, 2, shape)
        parts = values * (1.25 if kind in (FLOAT, COMPLEX) else 1)
        return (parts + 1j * np.flip(parts) if kind == COMPLEX else parts).astype(dtype)

    b = draw(3, 4)
    return {
        "A": draw(3, 4), "B": np.where(b == 0, np.ones_like(b), b), "T": draw(2, 3, 4),
        "V": draw(4), "W": draw(3), "S": draw(), "E": draw(0, 3), "O": draw(1, 3, 1),
        "Q": draw(2, 3, 3), "C": draw(2, 3), "M": rng.integers(0, 2, (3, 4)).astype(bool),
        "L": np.array([True, False, True]), "I": np.array([2, 0, -1]),
        "J": np.array([[0], [1], [-2]]),
        "K": np.array([1, 2, 0]), "R": np.array([2, 0, 1]),
        "H": draw(3, 4) * 0 + np.array(1, dtype),
    }  # fmt: skip


CALLS: dict[str, str] = {
    "any": """
        asarray(A)
        asarray(A, copy=True)
        astype(A, A.dtype, copy=False)
        A.to_device(A.device)
        full_like(A, 1)
        zeros_like(T)
        ones_like(E)
        tril(A)
        triu(T, k=1)
        tril(A, k=-1)
        meshgrid(V, W)
        meshgrid(V, W, indexing='ij')
        meshgrid(V)
        broadcast_to(V, (3, 4))
        broadcast_to(S, (2, 2))
        broadcast_arrays(A, V, S)
        concat([A, B])
        concat((A, B), axis=1)
        concat([A, V], axis=None)
        concat([E, E, E], axis=-1)
        expand_dims(A, axis=0)
        expand_dims(A, axis=-1)
        expand_dims(S, axis=0)
        flip(T)
        flip(T, axis=1)
        flip(T, axis=(0, -1))
        moveaxis(T, 0, -1)
        moveaxis(T, (0, 1), (-1, 0))
        permute_dims(T, (2, 0, 1))
        permute_dims(T, (-1, 0, -2))
        repeat(A, 2)
        repeat(A, 2, axis=-1)
        repeat(A, R, axis=0)
        repeat(A, 0, axis=0)
        reshape(T, (4, -1))
        reshape(E, (3, 0))
        reshape(S, (1, 1))
        reshape(T, (24,), copy=True)
        roll(A, 1)
        roll(A, (1, -2), axis=(0, 1))
        roll(T, 7, axis=-1)
        roll(E, 1, axis=0)
        squeeze(O, 0)
        squeeze(O, (0, -1))
        stack([A, B])
        stack([A, B], axis=1)
        stack([A, B], axis=-1)
        tile(A, (2, 1))
        tile(V, (2, 2))
        tile(T, (2,))
        tile(S, (3,))
        tile(A, ())
        unstack(A)
        unstack(A, axis=-1)
        unstack(E)
        take(A, I, axis=0)
        take(A, I, axis=-1)
        take(V, I)
        take_along_axis(A, J, axis=1)
        take_along_axis(A, J)
        where(M, A, B)
        where(M, A, V)
        where(M, S, B)
        all(A)
        all(T, axis=(0, -1))
        all(E, axis=0)
        all(E)
        any(A, axis=1, keepdims=True)
        any(E)
        any(S)
        count_nonzero(A)
        count_nonzero(T, axis=(0, 2), keepdims=True)
        count_nonzero(E, axis=-1)
        equal(A, B)
        not_equal(A, V)
        A == S
        A != B
        matrix_transpose(T)
        A.T
        T.mT
        A[1, :]
        A[1, ...]
        A[-1, ::2]
        A[::-1, :]
        A[2:0:-1, 1:]
        A[..., 0]
        A[None, :, 1:3]
        T[0, ..., 1]
        A[1:1, :]
        S[()]
        S[...]
        E[:, 1]
        A[K, I]
        A[I, 1]
        linalg.diagonal(T)
        linalg.diagonal(A, offset=1)
        linalg.diagonal(A, offset=-2)
        linalg.diagonal(A, offset=9)
        linalg.matrix_transpose(A)
    """,
    "numeric": """
        add(A, B)
        A + V
        A + 1
        2 + A
        subtract(A, B)
        A - S
        multiply(A, B)
        A * 2
        pow(A, H)
        A ** 2
        positive(A)
        +A
        square(A)
        sign(A)
        abs(A)
        isfinite(A)
        isinf(A)
        isnan(A)
        round(A)
        sum(A)
        sum(T, axis=(0, 2), keepdims=True)
        sum(E)
        sum(E, axis=0)
        sum(S)
        prod(B, axis=0)
        prod(E)
        cumulative_sum(V)
        cumulative_sum(A, axis=0)
        cumulative_sum(T, axis=-1, include_initial=True)
        cumulative_sum(E, axis=0, include_initial=True)
        cumulative_prod(V)
        cumulative_prod(B, axis=1, include_initial=True)
        diff(A)
        diff(A, axis=0)
        diff(T, n=2)
        diff(A, axis=0, prepend=B)
        diff(V, prepend=W, append=W)
        diff(E, axis=0)
        matmul(T, A.T)
        matmul(A.T, Q)
        A @ V
        W @ A
        V @ V
        matmul(E, Q)
        vecdot(A, B)
        vecdot(T, A, axis=-2)
        tensordot(A, T, axes=((0, 1), (1, 2)))
        tensordot(T, V, axes=1)
        tensordot(V, W, axes=0)
        linalg.outer(V, W)
        linalg.cross(C, W)
        linalg.cross(C.T, C.T, axis=-2)
        linalg.trace(Q)
        linalg.trace(A, offset=1)
        linalg.matmul(Q, Q)
        linalg.vecdot(A, B)
        linalg.tensordot(A, T, axes=((0, 1), (1, 2)))
    """,
    "real": """
        astype(A, bool)
        astype(A, int32)
        astype(A, float64)
        astype(A, float32, copy=False)
        astype(A, complex64)
        floor_divide(A, B)
        A // 2
        remainder(A, B)
        A % 3
        maximum(A, B)
        minimum(A, V)
        clip(A, 1, 3)
        clip(A, min=2)
        clip(A, max=S)
        clip(A)
        less(A, B)
        less_equal(A, B)
        greater(A, B)
        greater_equal(A, B)
        A < 2
        A >= S
        ceil(A)
        floor(A)
        trunc(A)
        argmax(A)
        argmax(A, axis=0)
        argmax(T, axis=-1, keepdims=True)
        argmin(A)
        argmin(T, axis=1)
        argmin(S)
        max(A)
        max(T, axis=(0, 2))
        max(E, axis=1)
        min(A, axis=-1, keepdims=True)
        min(S)
        sum(A, dtype=float64)
        prod(B, axis=1, dtype=float32)
        cumulative_sum(A, axis=1, dtype=float64)
        sort(A)
        sort(A, axis=0, descending=True)
        sort(T, axis=1, stable=False)
        sort(E, axis=0)
        argsort(A)
        argsort(A, axis=0, descending=True)
        argsort(T, axis=-1)
        searchsorted(sort(V), W)
        searchsorted(sort(V), A, side='right')
        searchsorted(V, A, sorter=argsort(V))
        linalg.trace(T, offset=-1, dtype=float64)
    """,
    "bits": """
        bitwise_and(A, B)
        bitwise_or(A, B)
        bitwise_xor(A, V)
        bitwise_invert(A)
        A & B
        A | S
        A ^ B
        ~A
    """,
    "integral": """
        bitwise_left_shift(A, H)
        bitwise_right_shift(A, H)
        A << 1
        A >> 1
        isin(A, V)
        isin(A, 2)
        isin(A, E)
        A & 3
        6 | A
    """,
    "bool": """
        logical_and(A, B)
        logical_or(A, V)
        logical_xor(A, B)
        logical_not(A)
        A & True
    """,
    "signed": """
        negative(A)
        -A
        abs(A - B)
    """,
    "inexact": """
        fft.fftshift(A)
        fft.fftshift(T, axes=(0, 1))
        fft.ifftshift(A)
        fft.ifftshift(A, axes=1)
        divide(A, B)
        A / 2
        1 / B
        reciprocal(B)
        exp(A)
        expm1(A)
        log(abs(B))
        log1p(abs(A))
        log2(abs(B))
        log10(abs(B))
        sqrt(abs(A))
        sin(A)
        cos(A)
        tan(A)
        sinh(A)
        cosh(A)
        tanh(A)
        asin(A / 8)
        acos(A / 8)
        atan(A)
        asinh(A)
        acosh(abs(B) + 1)
        atanh(A / 8)
        A ** 0.5
        mean(A)
        mean(T, axis=(0, 2))
        mean(A, axis=-1, keepdims=True)
        mean(E)
        linalg.matrix_norm(T)
        linalg.matrix_norm(T, ord=1, keepdims=True)
        linalg.matrix_power(Q, 3)
        linalg.matrix_power(Q, 0)
        linalg.vector_norm(T)
        linalg.vector_norm(T, axis=(0, 1), ord=1)
        linalg.vector_norm(A, axis=-1, ord=inf, keepdims=True)
        linalg.vector_norm(A, axis=0, ord=-inf)
        linalg.vector_norm(A, axis=0, ord=0)
        linalg.vector_norm(A, axis=0, ord=3)
    """,
    "float": """
        fft.rfft(A)
        fft.rfft(T, n=3, axis=1, norm='ortho')
        fft.rfftn(T)
        fft.rfftn(T, s=(3, 4), axes=(0, 1))
        fft.ihfft(A)
        fft.ihfft(A, n=3, axis=0, norm='forward')
        linalg.det(Q)
        linalg.inv(Q + 9 * eye(3, dtype=Q.dtype))
        linalg.solve(Q + 9 * eye(3, dtype=Q.dtype), C[..., None])
        linalg.solve(Q[0, ...] + 9 * eye(3, dtype=Q.dtype), W)
        linalg.matrix_norm(T, ord='nuc')
        linalg.pinv(A)
        linalg.svdvals(T)
        atan2(A, B)
        hypot(A, V)
        logaddexp(A, B)
        copysign(A, B)
        nextafter(A, B)
        signbit(A)
        std(A)
        std(T, axis=1, correction=1)
        var(A, axis=0, keepdims=True)
        var(T, axis=(1, 2), correction=0.5)
        var(S)
        linalg.matrix_rank(Q)
        linalg.slogdet(Q)
        linalg.eigvalsh(Q + Q.mT)
        linalg.cholesky(Q @ Q.mT + eye(3, dtype=Q.dtype))
        linalg.cholesky(Q @ Q.mT + eye(3, dtype=Q.dtype), upper=True)
    """,
    "complex": """
        fft.fft(A)
        fft.fft(A, axis=0, n=5, norm='ortho')
        fft.ifft(T, axis=1)
        fft.ifft(A, n=2)
        fft.fftn(T)
        fft.fftn(T, s=(3, 5), axes=(0, -1), norm='forward')
        fft.ifftn(T, axes=(1,))
        fft.fft(V)
        fft.irfft(A)
        fft.irfft(A, n=5, axis=0, norm='ortho')
        fft.irfftn(T)
        fft.irfftn(T, s=(3, 5), axes=(0, -1))
        fft.hfft(A)
        fft.hfft(A, n=7, norm='forward')
        imag(A)
        conj(A)
        real(A)
        mean(A, axis=0)
        sum(A, dtype=complex128)
        log(B)
        sqrt(A)
        acosh(B)
        log1p(A)
        vecdot(A, B)
        abs(A)
        astype(A, complex128)
    """,
}

CREATION = """
    arange(5)
    arange(2, 9, 3)
    arange(5, -3, -2)
    arange(0)
    arange(3, dtype=float64)
    arange(1.5, 4.0, dtype=float64)
    arange(0, 1, 0.25, dtype=float32)
    arange(2, stop=5, step=2)
    linspace(0, 1, 5, dtype=float64)
    linspace(1, 2, num=4, endpoint=False, dtype=float64)
    linspace(3, -3, 7, dtype=float32)
    linspace(0, 1, 1, dtype=float64)
    linspace(0, 1, 0, dtype=float64)
    zeros(3, dtype=float64)
    zeros((2, 0), dtype=int8)
    ones((), dtype=bool)
    ones((2, 3), dtype=uint16, device=None)
    full((2,), 7)
    full((2, 2), True)
    full(2, 2.5, dtype=float64)
    full((), 3, dtype=uint8)
    eye(3, dtype=float64)
    eye(2, 4, k=1, dtype=int32)
    eye(3, 2, k=-1, dtype=float32)
    eye(0, dtype=int64)
    asarray(3)
    asarray(True)
    asarray([[1, 2], [3, 4]])
    asarray([1, 2.5], dtype=float64)
    asarray([0.1, 0.2], dtype=float64)
    asarray([True, False])
    asarray([1, 0, 2], dtype=bool)
    asarray([[]], dtype=float64)
    asarray(9223372036854775808, dtype=uint64)
    asarray([9223372036854775808], dtype=uint64)
    fft.fftfreq(5, dtype=float64)
    fft.fftfreq(6, d=0.5, dtype=float32)
    fft.rfftfreq(5, dtype=float64)
    fft.rfftfreq(6, d=2.0, dtype=float32)
    broadcast_shapes((2, 1), (3,))
    broadcast_shapes()
    broadcast_shapes((0, 3), (1, 1))
"""


def lines(text: str) -> list[str]:
    """The calls of a table's entry."""
    return [line.strip() for line in text.strip().split("\n")]


def calls_for(dtype: str) -> list[str]:
    """All calls that take a dtype."""
    kind = DTYPES[dtype]
    return [c for name, text in CALLS.items() if kind in KINDS[name] for c in lines(text)]
