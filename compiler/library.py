"""Calls of LAPACK and of NumPy's transforms at the stage `kernels`: nodes that keep their op, text
of declared functions.

Takes: nodes of a kernel-level Graph. Gives: `LibraryCall`, and the function that it is in text
(`library_parse.py` is the way back). Must not know: LAPACK's own functions (`schedule/library.py`
does).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .graph import Graph, Node
from .kernel import symbol
from .mlir.ir import Module, Op, function
from .types import TensorType

LIBRARY = frozenset(
    {"cholesky", "eig", "eigh", "fft", "irfft", "lu", "qr", "rfft", "svd", "triangular_solve"}
)
"""The ops that LAPACK (or BLAS) computes, and the Fourier transforms, which NumPy computes."""
KIND = "library"
"""The `lz.kind` of such a function."""
ROUTINE = "lz.routine"
"""Its attribute that names the op; the op's own attributes stand beside it, `lz.` before them."""
PREFIX = "lz_"
"""How C symbols of functions of other libraries begin: lz_lapack_dpotrf, lz_fft_rfft_odd_f64."""


@dataclass(frozen=True)
class LibraryCall:
    """One op on operands of given types. `attrs` are its attributes by name, all bools."""

    op: str
    attrs: tuple[tuple[str, bool], ...]
    params: tuple[TensorType, ...]
    results: tuple[TensorType, ...]


def library_call(node: Node) -> LibraryCall:
    """What a node of LIBRARY calls."""
    params = tuple(v.type for v in node.inputs)
    return LibraryCall(node.op, tuple(sorted(node.attrs.items())), params, node.types)


def named_calls(graph: Graph) -> dict[LibraryCall, str]:
    """The distinct calls of a kernel-level Graph in the order in which they run, with names."""
    found: dict[LibraryCall, str] = {}
    for call in _calls(graph):
        if call not in found:
            name = f"library{len(found)}_{call.op}"
            found[call] = name + ("_" if name == symbol(graph.name) else "")
    return found


def _calls(graph: Graph) -> Iterator[LibraryCall]:
    for part in graph.walk():
        yield from (library_call(node) for node in part.nodes if node.op in LIBRARY)


# -- text -----------------------------------------------------------------------------------------
def library_function(call: LibraryCall, name: str, kind: str) -> Op:
    """The declaration of a call's function; `kind` is the attribute that says its kind."""
    attrs: dict[str, object] = {kind: KIND, ROUTINE: call.op}
    attrs |= {f"lz.{key}": value for key, value in call.attrs}
    return function(name, call.params, call.results, private=True, attrs=attrs)


def imported_symbols(loops: Module) -> tuple[str, ...]:
    """The C symbols of other libraries' functions that a program of the stage loops calls."""
    names = (op.attrs["sym_name"] for op in loops.functions() if not op.regions[0].ops)
    return tuple(sorted(name for name in names if name.startswith(PREFIX)))
