"""Determinants of complex matrices, by Gaussian elimination written as a loop.

Takes: a stack of square complex matrices. Gives: tensors. (Real ones have LAPACK's LU.) The slopes
are those of regular matrices: d log det a = tr(a⁻¹ da). Must not know: how loops run.
"""

from __future__ import annotations

from typing import Any

from ..control import fori_loop
from ..custom import custom_jvp
from ..numpy import reduction
from ..numpy.arithmetic import abs as absolute
from ..numpy.creation import ones
from ..numpy.functions import log
from ..numpy.linear import matmul
from ..numpy.logic import where
from ..numpy.matrices import diagonal
from ..numpy.ranges import arange
from ..numpy.taking import take_along_axis
from ..tensor import Tensor
from .equations import inv


def _pivots(a: Tensor) -> tuple[Tensor, Tensor]:
    """The diagonal of U in P a = L U, and the sign of P, with partial pivoting."""
    rows = arange(a.shape[-1], dtype="int32")

    def step(k: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        matrix, sign = state
        column = reduction.sum(where(rows == k, matrix, 0), axis=-1)
        size = where(rows >= k, absolute(column), -1)
        best = reduction.argmax(size, axis=-1, keepdims=True).astype("int32")
        source = where(rows == k, best, where(rows == best, k, rows))
        matrix = take_along_axis(matrix, source[..., None], axis=-2)
        column = take_along_axis(column, source, axis=-1)
        pivot = reduction.sum(where(rows == k, column, 0), axis=-1, keepdims=True)
        share = where((rows > k) & (pivot != 0), column / where(pivot == 0, 1, pivot), 0)
        row = reduction.sum(where((rows == k)[:, None], matrix, 0), axis=-2, keepdims=True)
        return matrix - share[..., None] * row, where(best[..., 0] == k, sign, -sign)

    sign = ones(a.shape[:-2], a.real.dtype)
    matrix, sign = fori_loop(0, len(rows), step, (a, sign)) if len(rows) else (a, sign)
    return diagonal(matrix, axis1=-2, axis2=-1), sign


def _log_slope(a: Any, da: Any) -> Tensor:
    return reduction.sum(diagonal(matmul(inv(a), da), axis1=-2, axis2=-1), axis=-1)


@custom_jvp
def complex_det(a: Any) -> Any:
    """The determinants."""
    pivots, sign = _pivots(a)
    return sign * reduction.prod(pivots, axis=-1)


@complex_det.defjvp
def _det_jvp(primals: Any, tangents: Any) -> Any:
    (a,), (da,) = primals, tangents
    found = complex_det(a)
    return found, found * _log_slope(a, da)


@custom_jvp
def complex_slogdet(a: Any) -> Any:
    """The directions of the determinants, and the logarithms of their absolute values."""
    pivots, sign = _pivots(a)
    size = absolute(pivots)
    direction = where(size == 0, 0, pivots / where(size == 0, 1, size))
    return sign * reduction.prod(direction, axis=-1), reduction.sum(log(size), axis=-1)


@complex_slogdet.defjvp
def _slogdet_jvp(primals: Any, tangents: Any) -> Any:
    (a,), (da,) = primals, tangents
    direction, logabs = complex_slogdet(a)
    slope = _log_slope(a, da)
    return (direction, logabs), (direction * (slope.imag * 1j), slope.real)
