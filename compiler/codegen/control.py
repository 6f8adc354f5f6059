"""`func` and `scf` operations: loops, branches, calls, and leaving early when interrupted.

Takes: structured regions. Gives: basic blocks. Must not know: arithmetic, memory, threads.

A function that polls, or calls one that does, is *fallible*: it returns i32 0, or 1 as soon as an
interruption was seen, ahead of its other results.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..mlir.ir import Block, Op, Symbol, Value
from ..runtime_abi import CTX_CALLBACK
from .emitter import Emit, FunctionEmitter, Rows, int_attr, results_text
from .text import CodegenError, row_count, type_text

WHILE_POLL = 1024
"""Iterations between polls of an `scf.while` that does not say otherwise with `lz.poll`."""
