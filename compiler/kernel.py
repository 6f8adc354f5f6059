"""A Kernel: one or more index spaces with scalar bodies, what `linalg.generic` says in text.

Takes: reads with index maps, a body Graph of scalars (nodes named after MLIR ops, `scalars.py`).
Gives: immutable Kernel, Generic, Read, Output. The program around them is again a Graph, whose
`kernel` nodes hold a Kernel each. Element types are storage types: signless, bool as i8.
Must not know: loops, vectors, threads, targets.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from .graph import Graph
from .mlir.ir import AffineMap, Dense
from .types import Shape, TensorType

PARALLEL = "parallel"
REDUCTION = "reduction"


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
    In a kernel of kind scatter, `map` is None and `into` numbers the value that is updated: the body
    gets that tensor as it stands, and yields the new element, whether to write it (i1), and where
    (one `index` per axis).
    """

    type: TensorType
    map: AffineMap | None
    init: Dense | None = None
    into: int | None = None


@dataclass(frozen=True)
class Generic:
    """For every point of `dims`: read, run the body, write or accumulate.

    Body params: one per read (a scalar of its element type, or the tensor type where it has no map),
    then one per output (the element so far). Body results: one per output. Bodies use
    `linalg.index` (attr dim) for the point itself. Iterations along parallel dims are independent;
    along reduction dims they run in any order that the schedule fixes.
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


@dataclass(frozen=True)
class Kernel:
    """Generics that run as one unit and keep their intermediate values out of memory.

    `kind` names the schedule: map, reduce, row, contract, scatter. `results` numbers the values it
    returns (as in Read.source). In kinds row and reduce, the leading dims of every Generic are the same
    parallel ones, and a Generic's result read by a later one is read at the same leading point.
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
                (o.type, o.map, o.init and (o.init.type, o.init.data.tobytes())) for o in g.outs
            ]
            digest.update(repr((g.dims, g.kinds, g.reads, g.body.fingerprint, outs)).encode())
        return digest.hexdigest()
