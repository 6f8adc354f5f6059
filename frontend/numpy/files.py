"""Tensors out of and into files and text: NumPy reads and writes, lazir makes tensors of it.

Takes: files, bytes, text, tensors. Gives: tensors. Files are NumPy's own formats; nothing is ever
unpickled. Must not know: graphs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..apply import as_tensor
from ..dtypes import as_dtype
from ..tensor import Tensor
from .creation import asarray


def _numpy_dtype(dtype: Any) -> Any:
    return as_dtype(dtype).numpy if dtype is not None and dtype is not float else dtype


def load(file: Any, mmap_mode: Any = None, **options: Any) -> Any:
    """The tensor in a `.npy` file, or a dict of those in an `.npz` file.

    >>> import io, lazir.numpy as lnp
    >>> file = io.BytesIO()
    >>> lnp.save(file, lnp.arange(3))
    >>> _ = file.seek(0)
    >>> print(lnp.load(file))
    [0 1 2]
    """
    options["allow_pickle"] = False
    found = np.load(file, mmap_mode, **options)
    if isinstance(found, np.ndarray):
        return asarray(found)
    with found as entries:
        return {name: asarray(entries[name]) for name in entries.files}


def save(file: Any, arr: Any) -> None:
    """Writes a tensor to a `.npy` file.

    >>> import io, lazir.numpy as lnp
    >>> lnp.save(io.BytesIO(), lnp.arange(3))
    """
    np.save(file, as_tensor(arr).numpy(), allow_pickle=False)


def savez(file: Any, *args: Any, **kwds: Any) -> None:
    """Writes tensors to an `.npz` file, by their keywords, or as `arr_0`, `arr_1`, …

    >>> import io, lazir.numpy as lnp
    >>> lnp.savez(io.BytesIO(), x=lnp.arange(3))
    """
    named = {name: as_tensor(x).numpy() for name, x in kwds.items()}
    np.savez(file, *(as_tensor(x).numpy() for x in args), **named)  # type: ignore[arg-type]


def savez_compressed(file: Any, *args: Any, **kwds: Any) -> None:
    """As `savez`, compressed.

    >>> import io, lazir.numpy as lnp
    >>> lnp.savez_compressed(io.BytesIO(), x=lnp.arange(3))
    """
    named = {name: as_tensor(x).numpy() for name, x in kwds.items()}
    np.savez_compressed(file, *(as_tensor(x).numpy() for x in args), **named)  # type: ignore[arg-type]


def loadtxt(fname: Any, dtype: Any = float, **options: Any) -> Tensor:
    """The numbers in a text file (float64 unless `dtype` says otherwise); NumPy's options.

    >>> import io, lazir.numpy as lnp
    >>> print(lnp.loadtxt(io.StringIO("1 2"), dtype="int64"))
    [1 2]
    """
    return asarray(np.loadtxt(fname, _numpy_dtype(dtype), **options))


def genfromtxt(fname: Any, dtype: Any = float, **options: Any) -> Tensor:
    """As `loadtxt`, with values for missing entries; NumPy's options.

    >>> import io, lazir.numpy as lnp
    >>> print(lnp.genfromtxt(io.StringIO("1,,3"), delimiter=","))
    [ 1. nan  3.]
    """
    return asarray(np.genfromtxt(fname, _numpy_dtype(dtype), **options))


def savetxt(fname: Any, X: Any, *args: Any, **options: Any) -> None:
    """Writes a vector or matrix to a text file; NumPy's options.

    >>> import io, lazir.numpy as lnp
    >>> lnp.savetxt(io.StringIO(), lnp.arange(3))
    """
    np.savetxt(fname, as_tensor(X).numpy(), *args, **options)


def frombuffer(buffer: Any, dtype: Any = float, count: int = -1, offset: int = 0) -> Tensor:
    """A tensor of a copy of the bytes of a buffer, read as `dtype` (float64 by default).

    >>> import lazir.numpy as lnp
    >>> print(lnp.frombuffer(b"abc", "uint8"))
    [97 98 99]
    """
    return asarray(np.frombuffer(buffer, _numpy_dtype(dtype), count, offset))


def fromfile(
    file: Any, dtype: Any = float, count: int = -1, sep: str = "", offset: int = 0
) -> Tensor:
    """A tensor of the bytes of a file, or of its text where `sep` is given."""
    return asarray(np.fromfile(file, _numpy_dtype(dtype), count, sep, offset))


def fromstring(string: str, dtype: Any = float, count: int = -1, *, sep: str) -> Tensor:
    """A tensor of the numbers in a text.

    >>> import lazir.numpy as lnp
    >>> print(lnp.fromstring("1 2", "int64", sep=" "))
    [1 2]
    """
    return asarray(np.fromstring(string, _numpy_dtype(dtype), count, sep=sep))


def fromiter(iter: Any, dtype: Any, count: int = -1) -> Tensor:
    """A vector of the numbers of an iterable.

    >>> import lazir.numpy as lnp
    >>> print(lnp.fromiter((k * k for k in range(3)), "int64"))
    [0 1 4]
    """
    return asarray(np.fromiter(iter, _numpy_dtype(dtype), count))


# -- text --------------------------------------------------------------------------------
def array_repr(arr: Any, *args: Any, **options: Any) -> str:
    """NumPy's `array_repr` of the data.

    >>> import lazir.numpy as lnp
    >>> lnp.array_repr(lnp.arange(2))
    'array([0, 1])'
    """
    return np.array_repr(as_tensor(arr).numpy(), *args, **options)


def array_str(a: Any, *args: Any, **options: Any) -> str:
    """NumPy's `array_str` of the data.

    >>> import lazir.numpy as lnp
    >>> lnp.array_str(lnp.arange(2))
    '[0 1]'
    """
    return np.array_str(as_tensor(a).numpy(), *args, **options)


def array2string(a: Any, *args: Any, **options: Any) -> str:
    """NumPy's `array2string` of the data.

    >>> import lazir.numpy as lnp
    >>> lnp.array2string(lnp.arange(2), separator=", ")
    '[0, 1]'
    """
    return np.array2string(as_tensor(a).numpy(), *args, **options)
