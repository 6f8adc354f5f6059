"""Type classes and the rules that records are made of.

Takes: names of operands and results of a record. Gives: predicates on a View.
Must not know: any particular operation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..types import (
    DType,
    MemRefType,
    TensorType,
    Type,
    VectorType,
    element,
    i1,
    index,
)
from .records import DYNAMIC, Rule, View


def _element_is(test: Callable[[DType], bool]) -> Callable[[Type], bool]:
    """On scalars, vectors and tensors."""

    def check(type: Type) -> bool:
        return isinstance(type, (DType, VectorType, TensorType)) and test(element(type))

    return check


def _signless(t: DType) -> bool:
    return t.kind in ("int", "bool")


CLASSES: dict[str, tuple[str, Callable[[Type], bool]]] = {
    "any": ("any type", lambda t: True),
    "index": ("index", lambda t: t is index),
    "i1": ("i1", lambda t: t is i1),
    "i32": ("i32", lambda t: isinstance(t, DType) and t.name == "i32"),
    "int": ("signless integers or index", _element_is(lambda t: _signless(t) or t is index)),
    "signless": ("signless integers", _element_is(_signless)),
    "indices": ("index", _element_is(lambda t: t is index)),
    "float": ("floats", _element_is(lambda t: t.is_float)),
    "bool": ("i1", _element_is(lambda t: t is i1)),
    "number": ("integers, index or floats", _element_is(lambda t: not t.is_complex)),
    "complex": ("complex", lambda t: isinstance(t, DType) and t.is_complex),
    "scalar": ("a scalar", lambda t: isinstance(t, DType)),
    "memref": ("a memref", lambda t: isinstance(t, MemRefType)),
    "tensor": ("a tensor", lambda t: isinstance(t, TensorType)),
    "vector": ("a vector", lambda t: isinstance(t, VectorType)),
    "mask": ("a vector of i1", lambda t: isinstance(t, VectorType) and t.dtype is i1),
    "buffer": ("a memref or tensor", lambda t: isinstance(t, (MemRefType, TensorType))),
    "token": ("a token", lambda t: isinstance(t, DType) and t.kind == "token"),
}
"""What a slot may hold: the words for it and the test."""


def same(*names: str) -> Rule:
    """All operands and results of these names have one type."""

    def rule(view: View) -> str | None:
        types = [(n, t) for n in names for t in view.types(n)]
        for name, type in types[1:]:
            if type != types[0][1]:
                return f"{name} has type {type}, {types[0][0]} has {types[0][1]}; they must agree"
        return None

    return rule


def holds(
    name: str, expected: Callable[[View], Type | Sequence[Type] | None], why: str = ""
) -> Rule:
    """The operands or results of a name have the types that `expected` gives (None: anything)."""

    def rule(view: View) -> str | None:
        want = expected(view)
        if want is None:
            return None
        wanted = list(want) if isinstance(want, (list, tuple)) else [want]
        found = view.types(name)
        if found == wanted or not found:
            return None
        texts = [", ".join(map(str, types)) for types in (found, wanted)]
        return f"{name} has type {texts[0]}, expected {texts[1]}{why}"

    return rule


def indexed(container: str, indices: str) -> Rule:
    """As many indices as the container has dimensions."""

    def rule(view: View) -> str | None:
        rank, found = rank_of(view.type(container)), len(view.values(indices))
        if rank != found:
            return f"{found} indices into {view.type(container)}, which has rank {rank}"
        return None

    return rule


def require(test: Callable[[View], bool], message: str) -> Rule:
    """`message` (with `{name}` for the types of operands and results) where the test fails."""

    def rule(view: View) -> str | None:
        if test(view):
            return None
        types = {n: ", ".join(str(v.type) for v in vs) for n, vs in view.groups.items()}
        return message.format(**types)

    return rule


# -- functions of a View ---------------------------------------------------------------------------
def type_of(name: str) -> Callable[[View], Type]:
    return lambda view: view.type(name)


def types_of(name: str) -> Callable[[View], list[Type]]:
    return lambda view: view.types(name)


def element_of(name: str) -> Callable[[View], Type]:
    return lambda view: element(view.type(name))


def with_element(name: str, dtype: DType) -> Callable[[View], Type]:
    """The type of `name` with another element type: `vector<4xf32>` to `vector<4xi1>`."""
    return lambda view: replace_element(view.type(name), dtype)


def constant_type(dtype: Type) -> Callable[[View], Type]:
    return lambda view: dtype


def replace_element(type: Type, dtype: DType) -> Type:
    if isinstance(type, (VectorType, TensorType)):
        return type.__class__(type.shape, dtype)
    return dtype


def rank_of(type: Type) -> int:
    return len(shape_of(type))


def shape_of(type: Type) -> tuple[int, ...]:
    return getattr(type, "shape", ())


def dynamic_count(static: str) -> Callable[[View], int]:
    """How many entries of an attribute say "see the operand"."""
    return lambda view: sum(n == DYNAMIC for n in view.attr(static) or ())


def same_shape(a: str, b: str) -> Rule:
    return require(
        lambda v: shape_of(v.type(a)) == shape_of(v.type(b)) and type(v.type(a)) is type(v.type(b)),
        f"{a} and {b} differ in shape: {{{a}}} and {{{b}}}",
    )


def wider(narrow: str, wide: str) -> Rule:
    """The element of `wide` has more bits."""
    return require(
        lambda v: element(v.type(narrow)).bits < element(v.type(wide)).bits,
        f"{{{wide}}} is not wider than {{{narrow}}}",
    )


def same_size(a: str, b: str) -> Rule:
    """As many elements of the same element type."""
    return require(
        lambda v: (
            _total(v.type(a)) == _total(v.type(b)) and element(v.type(a)) is element(v.type(b))
        ),
        f"{{{a}}} and {{{b}}} do not have the same elements",
    )


def _total(type: Any) -> int:
    total = 1
    for n in shape_of(type):
        total *= n
    return total


def same_element(a: str, b: str) -> Rule:
    return require(
        lambda v: element(v.type(a)) is element(v.type(b)),
        f"the elements of {a} and {b} differ: {{{a}}} and {{{b}}}",
    )
