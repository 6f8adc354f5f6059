"""What the array standard asks a namespace about itself.

Takes nothing. Gives: `__array_namespace_info__` and the version of the standard. Must not know:
operations. Source: Python array API standard, 2025.12.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lazir.compiler.types import DType
from lazir.runtime.device import Device, available

from .. import dtypes
from ..places import check_device
from .data_types import isdtype

VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")
"""The versions of the standard that the namespace fulfils: each adds to the one before."""

_DTYPES: dict[str, DType] = {
    "bool": dtypes.bool_,
    **{
        name: getattr(dtypes, name)
        for name in (
            "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
            "float32", "float64", "complex64", "complex128",
        )
    },
}  # fmt: skip


class NamespaceInfo:
    """What `lazir.numpy` can do, by the standard's names."""

    def capabilities(self) -> dict[str, Any]:
        """Whether shapes may depend on data (outside of `compile` they may), and the most axes."""
        axes = 64 if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else 32  # of NumPy's arrays
        return {
            "boolean indexing": True,
            "data-dependent shapes": True,
            "max dimensions": axes,
        }

    def default_device(self) -> Device:
        """The CPU."""
        return Device("cpu")

    def devices(self) -> tuple[Device, ...]:
        """The devices that tensors can be on."""
        return tuple(d for d in available() if d.kind == "cpu")

    def default_dtypes(self, *, device: Any = None) -> dict[str, DType]:
        """The dtypes of tensors that are made without one.

        >>> import lazir.numpy as lnp
        >>> lnp.__array_namespace_info__().default_dtypes()["real floating"]
        f32
        """
        check_device(device)
        return {
            "real floating": dtypes.default_float(),
            "complex floating": dtypes.as_dtype(complex),
            "integral": dtypes.DEFAULT_INT,
            "indexing": dtypes.DEFAULT_INT,
        }

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, DType]:
        """The standard's dtypes by name; those of a kind, as in `isdtype`, where it is given.

        >>> import lazir.numpy as lnp
        >>> lnp.__array_namespace_info__().dtypes(kind="real floating")
        {'float32': f32, 'float64': f64}
        """
        check_device(device)
        return {n: t for n, t in _DTYPES.items() if kind is None or isdtype(t, kind)}


def __array_namespace_info__() -> NamespaceInfo:
    """What this namespace can do.

    >>> import lazir.numpy as lnp
    >>> lnp.__array_namespace_info__().default_device()
    Device(kind='cpu', index=0)
    """
    return NamespaceInfo()
