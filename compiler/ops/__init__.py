"""The op table, one family a file. Importing this package fills `lazir.compiler.opdef.OPS`."""

from . import (
    arithmetic,
    contraction,
    convolution,
    dynamic,
    functions,
    indexing,
    logic,
    movement,
    powers,
    reduction,
    source,
)

__all__ = [
    "arithmetic",
    "contraction",
    "convolution",
    "dynamic",
    "functions",
    "indexing",
    "logic",
    "movement",
    "powers",
    "reduction",
    "source",
]
