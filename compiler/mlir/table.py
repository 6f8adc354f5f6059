"""All records, by the operation's name.

Gives: RECORDS, `record_of`. Must not know: printing, parsing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import (
    formats_arith,
    formats_gpu,
    formats_memref,
    formats_tensor,
    formats_vector,
    structure,
    structure_kernels,
    structure_scf,
)
from .records import Record

_MODULES = (
    structure,
    structure_scf,
    structure_kernels,
    formats_arith,
    formats_memref,
    formats_vector,
    formats_tensor,
    formats_gpu,
)  # fmt: skip

RECORDS: Mapping[str, Record] = MappingProxyType(
    {name: record for module in _MODULES for name, record in module.TABLE.items()}
)
"""Every operation with a pretty form of its own."""

SHORT_NAMES = {"call": "func.call", "return": "func.return"}
"""Names that are written without their dialect directly inside a `func.func`."""
