"""The loop IR: a plain tree of MLIR operations, the form in which every stage is read and printed.

Takes: operation names, operands, attributes, types. Gives: Module, Op, Block, Value.
Graphs and Kernels convert to this tree to be printed and from it when parsed; the `loops` stage
*is* this tree. Regions are structured: one block each. Must not know: what any operation means.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from ..types import FunctionType, Type


class Value:
    """An SSA value: the result of an Op or the argument of a Block. Equality is identity.

    `hint` is the name to print after `%` (made unique by the printer), empty for a number.
    """

    __slots__ = ("hint", "type")

    def __init__(self, type: Type, hint: str = "") -> None:
        self.type = type
        self.hint = hint

    def __repr__(self) -> str:
        return f"%{self.hint or '_'}: {self.type}"


@dataclass(frozen=True)
class Typed:
    """A number with a type: `0 : index`, `1.0 : f32`, `7 : i32`. Floats keep exact values.

    A bf16 read from text is held as its 16 bits, an int, as in `Dense`.
    """

    value: int | float
    type: Type


@dataclass(frozen=True)
class Symbol:
    """`@name`."""

    name: str


@dataclass(frozen=True)
class Raw:
    """A dialect attribute kept as its text: `#linalg.iterator_type<parallel>`."""

    text: str


@dataclass(frozen=True)
class Unit:
    """An attribute that is present without a value."""


@dataclass(frozen=True)
class AffineMap:
    """`(d0, d1) -> (d0 * 2 + 3, d1)`: each result linear, `rows[r] = (coefficients, constant)`."""

    dims: int
    rows: tuple[tuple[tuple[int, ...], int], ...]

    @staticmethod
    def identity(dims: int) -> AffineMap:
        """`(d0, …) -> (d0, …)`."""
        return AffineMap.select(dims, range(dims))

    @staticmethod
    def select(dims: int, picks: Sequence[int]) -> AffineMap:
        """The map to the named dimensions: `select(3, [0, 2])` is `(d0, d1, d2) -> (d0, d2)`."""
        return AffineMap(dims, tuple((tuple(int(d == p) for d in range(dims)), 0) for p in picks))

    def picks(self) -> tuple[int, ...] | None:
        """The dimension each result is, where every result is a plain dimension; else None."""
        found = []
        for coefficients, constant in self.rows:
            if constant or sum(coefficients) != 1 or any(c not in (0, 1) for c in coefficients):
                return None
            found.append(coefficients.index(1))
        return tuple(found)

    def __call__(self, point: Sequence[int]) -> tuple[int, ...]:
        return tuple(k + sum(c * p for c, p in zip(cs, point)) for cs, k in self.rows)


@dataclass(frozen=True, eq=False)
class Dense:
    """`dense<…> : tensor<…>` (or vector): an array constant. Equality is by type and bits."""

    type: Type
    data: np.ndarray[Any, Any]  # of the type's shape, or 0-d for a splat; bf16 as uint16 bits

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Dense)
            and self.type == other.type
            and self.data.shape == other.data.shape
            and self.data.tobytes() == other.data.tobytes()
        )

    def __hash__(self) -> int:
        return hash((self.type, self.data.tobytes()))

    @property
    def fingerprint(self) -> str:
        """Its type and bits as text: `repr` of an array shows eight digits."""
        return f"{self.type} {self.data.shape} {self.data.tobytes().hex()}"


Attr: TypeAlias = (
    "bool | int | float | str | Type | Typed | Symbol | Raw | Unit | AffineMap | Dense"
    " | tuple[int, ...] | list[Any] | dict[str, Any]"
)
"""How attribute values are held: `bool` is `true`/`false`, `int` is `5 : i64`, `float` is
`5.0 : f64`, `str` is a quoted string, a tuple of ints is `array<i64: 1, 2>` (of bools
`array<i1: …>`), a list is `[a, b]`, a dict `{k = v}`; a Type is a type attribute; the rest are the
classes above."""


@dataclass(frozen=True)
class Loc:
    """`"file":line:column` of the user's source, column 1-based as in MLIR."""

    file: str
    line: int
    column: int = 1


class Op:
    """One operation: `results = name(operands) {attrs} (regions)`."""

    __slots__ = ("attrs", "locs", "name", "operands", "regions", "results")

    def __init__(
        self,
        name: str,
        operands: Sequence[Value] = (),
        result_types: Sequence[Type] = (),
        attrs: dict[str, Any] | None = None,
        regions: Sequence[Block] = (),
        locs: tuple[Loc, ...] = (),
    ) -> None:
        self.name = name
        self.operands = list(operands)
        self.results = [Value(t) for t in result_types]
        self.attrs: dict[str, Any] = attrs if attrs is not None else {}
        self.regions = list(regions)
        self.locs = locs

    @property
    def result(self) -> Value:
        """The only result."""
        if len(self.results) != 1:
            raise ValueError(f"{self.name} has {len(self.results)} results, not one")
        return self.results[0]

    def walk(self) -> Iterator[Op]:
        """This op and all below it, outermost first."""
        rest = [self]
        while rest:
            op = rest.pop()
            yield op
            for region in reversed(op.regions):
                rest.extend(reversed(region.ops))


@dataclass(eq=False)
class Block:
    """Arguments and a list of operations; the last is the terminator where the parent needs one."""

    args: list[Value] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)


@dataclass(eq=False)
class Module:
    """A list of top-level operations: `func.func`s, and on GPUs a `gpu.module`."""

    ops: list[Op] = field(default_factory=list)
    attrs: dict[str, Any] = field(default_factory=dict)

    def function(self, name: str) -> Op:
        """The `func.func` called `name`; KeyError where there is none."""
        for op in self.ops:
            if op.name == "func.func" and op.attrs["sym_name"] == name:
                return op
        raise KeyError(f"no function @{name} in the module")

    def functions(self) -> list[Op]:
        return [op for op in self.ops if op.name == "func.func"]

    def walk(self) -> Iterator[Op]:
        for op in self.ops:
            yield from op.walk()


def function(
    name: str,
    arg_types: Sequence[Type],
    result_types: Sequence[Type],
    *,
    hints: Sequence[str] = (),
    private: bool = False,
    attrs: dict[str, Any] | None = None,
) -> Op:
    """A `func.func` with an empty body block; without `ops` and private it prints as a declaration.

    Its attributes: `sym_name` (str), `function_type`, `sym_visibility` ("private") where private,
    then `attrs`, printed after `attributes`.
    """
    names = list(hints) or [""] * len(arg_types)
    block = Block([Value(t, h) for t, h in zip(arg_types, names, strict=True)])
    head: dict[str, Any] = {
        "sym_name": name,
        "function_type": FunctionType(tuple(arg_types), tuple(result_types)),
    }
    if private:
        head["sym_visibility"] = "private"
    return Op("func.func", attrs={**head, **(attrs or {})}, regions=[block])
