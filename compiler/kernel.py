"""A Kernel: one or more index spaces with scalar bodies, what `linalg.generic` says in text.

Takes: reads with index maps, a body Graph of scalars (nodes named after MLIR ops, `scalars.py`).
Gives: immutable Kernel, Generic, Read, Output. The program around them is again a Graph, whose
`kernel` nodes hold a Kernel each. Element types are storage types: signless, bool as i8.
Must not know: loops, vectors, threads, targets.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from .graph import Builder, Graph, Value
from .mlir.ir import AffineMap, Dense
from .types import Shape, TensorType

PARALLEL = "parallel"
REDUCTION = "reduction"
FORWARD = "forward"
BACKWARD = "backward"
SORTED = "sorted"


@dataclass(frozen=True)
class Read:
    """An operand of a Generic.

    `source` numbers the kernel's values: its params first, then every Generic's outputs in order.
    With `map`, the body gets the element at map(point). Without, the body gets the tensor itself
    and reads it by `tensor.extract` at computed indices.
    """

    source: int
    map: AffineMap | None


@dataclass(frozen=True)
class Output:
    """A result of a Generic: its tensor type, where a point writes, and for reductions the unit.

    `map` picks plain dimensions. `init` is the scalar that every element starts from (None for
    outputs that are written once, whose dims are all parallel).
    In a kernel of kind scatter, `map` is None and `into` numbers the value that is updated: the
    body gets that tensor as it stands, and yields the new element, whether to write it (i1), and
    where (one `index` per axis).
    """

    type: TensorType
    map: AffineMap | None
    init: Dense | None = None
    into: int | None = None


@dataclass(frozen=True)
class Generic:
    """For every point of `dims`: read, run the body, write or accumulate.

    Body params: one per read (a scalar of its element type, or the tensor type where it has no
    map), then one per output (the element so far). Body results: one per output. Bodies use
    `linalg.index` (attr dim) for the point itself. Iterations along parallel dims are independent;
    along reduction dims they run in any order that the schedule fixes.

    A Generic of kind cumulate may have one dim that is forward or backward: along it every point
    writes what it joins, and is handed what the point before it wrote, the first one the unit.
    In a kernel of kind sort one dim is sorted, and the body says of two places whether the first
    goes before the second: its params are the keys of the one, then those of the other.
    """

    dims: Shape
    kinds: tuple[str, ...]
    reads: tuple[Read, ...]
    body: Graph
    outs: tuple[Output, ...]

    @property
    def reduction_dims(self) -> tuple[int, ...]:
        return tuple(d for d, kind in enumerate(self.kinds) if kind == REDUCTION)

    @property
    def parallel_dims(self) -> tuple[int, ...]:
        return tuple(d for d, kind in enumerate(self.kinds) if kind == PARALLEL)

    @property
    def running_dim(self) -> int | None:
        """The dim along which it accumulates, point by point."""
        running = (d for d, kind in enumerate(self.kinds) if kind in (FORWARD, BACKWARD))
        return next(running, None)


@dataclass(frozen=True)
class Kernel:
    """Generics that run as one unit and keep their intermediate values out of memory.

    `kind` names the schedule: map, reduce, row, contract, scatter, cumulate, sort. `results`
    numbers the values it returns (as in Read.source). In kinds row and reduce, the leading dims of
    every Generic are the same parallel ones, and what a later Generic reads of an earlier one is at
    the same leading point. In kind cumulate all Generics have the same dims, and read each other at
    the same point.
    """

    name: str
    kind: str
    params: tuple[TensorType, ...]
    generics: tuple[Generic, ...]
    results: tuple[int, ...]

    @cached_property
    def value_types(self) -> tuple[TensorType, ...]:
        """The type of every numbered value: params, then the outputs of each Generic."""
        return self.params + tuple(out.type for g in self.generics for out in g.outs)

    @property
    def result_types(self) -> tuple[TensorType, ...]:
        return tuple(self.value_types[k] for k in self.results)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of what it computes, its name left out."""
        digest = hashlib.sha256(repr((self.kind, self.params, self.results)).encode())
        for g in self.generics:
            outs = [
                (o.type, o.map, o.init and (o.init.type, o.init.data.tobytes()), o.into)
                for o in g.outs
            ]
            digest.update(repr((g.dims, g.kinds, g.reads, g.body.fingerprint, outs)).encode())
        return digest.hexdigest()


def canonical(generic: Generic) -> Generic:
    """The same Generic with its reads in the order in which text has them.

    Reads with a map come first, then tensors read at computed indices in order of first use; what
    the body does not use is left out.
    """
    body = generic.body
    used = dict.fromkeys(v for node in body.nodes for v in node.inputs)
    used.update(dict.fromkeys(body.results))
    taken = [k for k in range(len(generic.reads)) if body.params[k] in used]
    mapped = [k for k in taken if generic.reads[k].map is not None]
    rest = [k for k in taken if generic.reads[k].map is None]
    order = {value: place for place, value in enumerate(used)}
    wanted = mapped + sorted(rest, key=lambda k: order[body.params[k]])
    if wanted == list(range(len(generic.reads))):
        return generic
    params = [body.params[k] for k in wanted] + list(body.params[len(generic.reads) :])
    reads = tuple(generic.reads[k] for k in wanted)
    return replace(generic, reads=reads, body=Graph(body.name, params, body.results, body.locs))


# -- programs of kernels --------------------------------------------------------------------------
def alias(builder: Builder, source: Value, shape: Shape) -> Value:
    """A node `alias`: the buffer of `source` in another shape. Never the alias of an alias."""
    if source.op == "alias":
        source = source.node.inputs[0]
    if source.shape == shape:
        return source
    type = TensorType(shape, source.type.dtype)
    return builder.add("alias", (source,), {"shape": shape}, (type,), builder.current).result


# -- names ----------------------------------------------------------------------------------------
def symbol(name: str) -> str:
    """A name that MLIR, LLVM and C all take.

    >>> symbol("<lambda>")
    '_lambda_'
    """
    clean = re.sub(r"\W", "_", name, flags=re.ASCII) or "f"
    return f"_{clean}" if clean[0].isdigit() else clean


def named_kernels(graph: Graph) -> dict[str, tuple[str, Kernel]]:
    """The distinct kernels of a kernel-level Graph, by fingerprint, each with its symbol.

    A symbol is `k3_` and the kernel's name; kernels are numbered in the order of the text.
    """
    found: dict[str, tuple[str, Kernel]] = {}
    for kernel in _kernels(graph):
        if kernel.fingerprint not in found:
            name = f"k{len(found)}_{symbol(kernel.name)}"
            name += "_" if name == symbol(graph.name) else ""
            found[kernel.fingerprint] = (name, kernel)
    return found


def _kernels(graph: Graph) -> Iterator[Kernel]:
    for node in graph.nodes:
        if node.op == "kernel":
            yield node.attrs["kernel"]
        for name in ("cond", "body", "branches"):
            inner = node.attrs.get(name, ())
            for body in inner if isinstance(inner, tuple) else (inner,):
                yield from _kernels(body)
