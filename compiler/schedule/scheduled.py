"""What a schedule gives back.

Takes: nothing. Gives: Scheduled. Must not know: how any schedule works.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..mlir.ir import Op


@dataclass(frozen=True)
class Scheduled:
    """A kernel's function in the module, and the bytes of scratch memory that it wants.

    Its arguments: a memref for each kernel parameter, one for each result, and where
    `workspace_bytes` is not 0 a `memref<…xi8>`, 64-byte aligned, contents undefined. No results.
    """

    function: Op
    workspace_bytes: int = 0
