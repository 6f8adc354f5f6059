"""The MLIR-style tree of operations, its builder, printer and parser."""
