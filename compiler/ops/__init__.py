"""The op table, one family a file. Importing this package fills `lazir.compiler.opdef.OPS`."""

from . import arithmetic, contraction, logic, movement, reduction, source

__all__ = ["arithmetic", "contraction", "logic", "movement", "reduction", "source"]
