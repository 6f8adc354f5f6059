"""The op table, one family a file. Importing this package fills `lazir.compiler.opdef.OPS`."""

from . import (
    arithmetic,
    contraction,
    control,
    convolution,
    custom,
    dynamic,
    functions,
    indexing,
    logic,
    movement,
    powers,
    random,
    reduction,
    source,
    windows,
)

__all__ = [
    "arithmetic",
    "contraction",
    "control",
    "convolution",
    "custom",
    "dynamic",
    "functions",
    "indexing",
    "logic",
    "movement",
    "powers",
    "random",
    "reduction",
    "source",
    "windows",
]
