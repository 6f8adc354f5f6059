"""Convolutions and correlations of any rank, and trends.

Takes: tensors. Gives: tensors. Must not know: how convolutions are scheduled.
"""

from __future__ import annotations

from typing import Any

from .. import fft, lax
from .. import numpy as lnp
from ..apply import fail
from ..public import listing
from ..tensor import Tensor

_MODES = ("full", "same", "valid")


def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Tensor:
    """The convolution of two tensors of one rank, 1 to 3.

    mode: "full", all places where they overlap; "same", the middle of it of in1's shape; "valid",
    only where one lies in the other. method: "fft" goes by `fftconvolve`, else sums are direct.

    >>> from lazir.scipy.signal import convolve
    >>> convolve([1.0, 2.0, 3.0], [1.0, 1.0]).tolist()
    [1.0, 3.0, 5.0, 3.0]
    """
    if method not in ("auto", "direct", "fft"):
        fail(f"convolve has the methods auto, direct and fft, not {method!r}")
    if method == "fft":
        return fftconvolve(in1, in2, mode)
    return _direct("convolve", in1, in2, mode, True)


def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Tensor:
    """The correlation of two tensors of one rank, 1 to 3: in2 is conjugated and not turned round.
    Modes and methods as those of `convolve`.

    >>> from lazir.scipy.signal import correlate
    >>> correlate([1.0, 2.0, 3.0], [0.0, 1.0]).tolist()
    [1.0, 2.0, 3.0, 0.0]
    """
    b = lnp.asarray(in2)
    return convolve(in1, lnp.conj(lnp.flip(b)), mode, method)


def convolve2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: float = 0
) -> Tensor:
    """`convolve` of matrices; beyond the border are zeros.

    >>> from lazir.scipy.signal import convolve2d
    >>> convolve2d([[1.0, 2.0]], [[1.0, 1.0]]).tolist()
    [[1.0, 3.0, 2.0]]
    """
    return convolve(*_matrices("convolve2d", in1, in2, boundary, fillvalue), mode)


def correlate2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: float = 0
) -> Tensor:
    """`correlate` of matrices; beyond the border are zeros. In mode "same" the middle of an in2 of
    even size is the element after its centre (that of `correlate` is the one before), as in SciPy.

    >>> from lazir.scipy.signal import correlate2d
    >>> correlate2d([[1.0, 2.0]], [[0.0, 1.0]]).tolist()
    [[1.0, 2.0, 0.0]]
    """
    a, b = _matrices("correlate2d", in1, in2, boundary, fillvalue)
    if mode != "same":
        return correlate(a, b, mode)
    return correlate(a, b)[tuple(slice(m // 2, m // 2 + n) for n, m in zip(a.shape, b.shape))]


def _matrices(name: str, in1: Any, in2: Any, boundary: str, fill: float) -> tuple[Tensor, Tensor]:
    a, b = lnp.asarray(in1), lnp.asarray(in2)
    if a.ndim != 2 or b.ndim != 2:
        fail(f"{name} takes two matrices, got shapes {a.shape} and {b.shape}")
    if boundary != "fill" or fill != 0:
        fail(f"{name} knows zeros beyond the border alone; use lnp.pad(in1, …, mode=…) before")
    return a, b


def _direct(name: str, in1: Any, in2: Any, mode: str, turned: bool) -> Tensor:
    a, b = _pair(name, in1, in2, mode)
    if lnp.isdtype(a.dtype, "complex floating"):
        parts = [
            (_direct(name, x, y, mode, turned))
            for x in (lnp.real(a), lnp.imag(a))
            for y in (lnp.real(b), lnp.imag(b))
        ]
        return (parts[0] - parts[3]) + 1j * (parts[1] + parts[2])
    if mode == "valid" and any(m < n for m, n in zip(a.shape, b.shape)):
        a, b = b, a
        if any(m < n for m, n in zip(a.shape, b.shape)):
            fail(f"{name}: in mode 'valid' one of {a.shape} and {b.shape} must fit into the other")
    pads = [(n - 1, n - 1) if mode != "valid" else (0, 0) for n in b.shape]
    whole = lnp.isdtype(a.dtype, "integral")
    x, k = (v.astype("float64") for v in (a, b)) if whole else (a, b)
    found = lax.conv_general_dilated(x[None, None], lnp.flip(k)[None, None], (1,) * a.ndim, pads)[
        0, 0
    ]
    found = lnp.round(found).astype(a.dtype) if whole else found
    return _middle(found, a.shape) if mode == "same" else found


def _pair(name: str, in1: Any, in2: Any, mode: str) -> tuple[Tensor, Tensor]:
    a, b = lnp.asarray(in1), lnp.asarray(in2)
    if mode not in _MODES:
        fail(f"{name} has the modes {', '.join(_MODES)}, not {mode!r}")
    if a.ndim != b.ndim or not 1 <= a.ndim <= 3:
        fail(f"{name} takes tensors of one rank, 1 to 3; got shapes {a.shape} and {b.shape}")
    if 0 in a.shape or 0 in b.shape:
        fail(f"{name} takes tensors with elements; got shapes {a.shape} and {b.shape}")
    dtype = lnp.result_type(a, b)
    return a.astype(dtype), b.astype(dtype)


def _middle(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    return x[tuple(slice((n - m) // 2, (n - m) // 2 + m) for n, m in zip(x.shape, shape))]


def fftconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Tensor:
    """As `convolve`, by Fourier transforms: faster where both are large. Axes not given broadcast.

    >>> from lazir.scipy.signal import fftconvolve
    >>> [round(v, 4) for v in fftconvolve([1.0, 2.0, 3.0], [1.0, 1.0]).tolist()]
    [1.0, 3.0, 5.0, 3.0]
    """
    a, b = lnp.asarray(in1), lnp.asarray(in2)
    if mode not in _MODES:
        fail(f"fftconvolve has the modes {', '.join(_MODES)}, not {mode!r}")
    if a.ndim != b.ndim:
        fail(f"fftconvolve takes tensors of one rank; got shapes {a.shape} and {b.shape}")
    given = range(a.ndim) if axes is None else [axes] if isinstance(axes, int) else axes
    along = [k % a.ndim for k in given]
    if mode == "valid" and any(a.shape[k] < b.shape[k] for k in along):
        a, b = b, a
    sizes = [a.shape[k] + b.shape[k] - 1 for k in along]
    if lnp.isdtype(lnp.result_type(a, b), "complex floating"):
        product = fft.fftn(a, sizes, along) * fft.fftn(b, sizes, along)
        found = fft.ifftn(product, sizes, along)
    else:
        product = fft.rfftn(a, sizes, along) * fft.rfftn(b, sizes, along)
        found = fft.irfftn(product, sizes, along)
    wanted = list(found.shape)
    for k in along:
        if mode == "same":
            wanted[k] = a.shape[k]
        elif mode == "valid":
            wanted[k] = a.shape[k] - b.shape[k] + 1
    return _middle(found, tuple(wanted))


def detrend(data: Any, axis: int = -1, type: str = "linear", bp: int = 0) -> Tensor:
    """The data less their mean ("constant"), or less the line of least squares ("linear").

    >>> from lazir.scipy.signal import detrend
    >>> [abs(round(v, 4)) for v in detrend([1.0, 2.0, 3.0]).tolist()]
    [0.0, 0.0, 0.0]
    """
    if type not in ("linear", "constant"):
        fail(f"detrend has the types linear and constant, not {type!r}")
    if bp:
        fail("detrend takes one trend for all data; cut them where it breaks")
    x = lnp.asarray(data)
    x = x if lnp.isdtype(x.dtype, ("real floating", "complex floating")) else x.astype(float)
    x = x - lnp.mean(x, axis=axis, keepdims=True)
    if type == "constant":
        return x
    n = x.shape[axis]
    ramp = lnp.arange(n, dtype=lnp.real(x).dtype) - (n - 1) / 2
    ramp = ramp.reshape(n, *(1,) * (x.ndim - 1 - axis % x.ndim))
    square = max(n * (n * n - 1) / 12, 1.0)
    return x - ramp * (lnp.sum(x * ramp, axis=axis, keepdims=True) / square)


__all__ = ["convolve", "convolve2d", "correlate", "correlate2d", "detrend", "fftconvolve"]
__dir__ = listing(__name__)
