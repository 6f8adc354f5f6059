"""Nested containers of leaves: flatten to a list, rebuild, map.

Takes: dicts (by sorted key), lists, tuples, namedtuples, registered dataclasses, None (no leaf).
Gives: leaves and a hashable Structure. Must not know: what a leaf is.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from .public import listing

C = TypeVar("C", bound=type)

__all__ = ["Structure", "all", "flatten", "flatten_with_path", "leaves", "map", "map_with_path"]
__all__ += ["reduce", "register", "register_dataclass", "register_pytree_node"]
__all__ += ["register_pytree_node_class", "structure", "unflatten"]
__dir__ = listing(__name__)


class Structure(NamedTuple):
    """The shape of a tree without its leaves; equal for trees that map onto each other.

    `kind` is the container type (None for a leaf), `meta` its keys or static fields.
    """

    kind: type | None
    meta: Any
    children: tuple[Any, ...]
    leaf_count: int

    def __repr__(self) -> str:
        return f"Structure({_describe(self)})"


LEAF = Structure(None, None, (), 1)


class _Kind(NamedTuple):
    take: Callable[[Any], tuple[Sequence[Any], Any]]  # container → children, meta
    make: Callable[[Any, Sequence[Any]], Any]  # meta, children → container


def _sorted_keys(tree: dict[Any, Any]) -> list[Any]:
    try:
        return sorted(tree)
    except TypeError:
        kinds = sorted({type(k).__name__ for k in tree})
        raise TypeError(f"the keys of a dict must be sortable, got {', '.join(kinds)}") from None


def _take_dict(tree: dict[Any, Any]) -> tuple[Sequence[Any], Any]:
    keys = _sorted_keys(tree)
    return [tree[k] for k in keys], tuple(keys)


_KINDS: dict[type, _Kind] = {
    tuple: _Kind(lambda t: (t, None), lambda meta, xs: tuple(xs)),
    list: _Kind(lambda t: (t, None), lambda meta, xs: list(xs)),
    dict: _Kind(_take_dict, lambda meta, xs: dict(zip(meta, xs))),
    OrderedDict: _Kind(
        lambda t: (list(t.values()), tuple(t)), lambda meta, xs: OrderedDict(zip(meta, xs))
    ),
    type(None): _Kind(lambda t: ((), None), lambda meta, xs: None),
}


def _kind(cls: type) -> _Kind | None:
    found = _KINDS.get(cls)
    if found is None and issubclass(cls, tuple) and hasattr(cls, "_fields"):
        found = _Kind(lambda t: (t, None), lambda meta, xs: cls(*xs))
        _KINDS[cls] = found
    return found


def is_registered(cls: type) -> bool:
    """Whether trees look inside objects of this class."""
    return _kind(cls) is not None


def register(
    cls: C,
    take: Callable[[Any], tuple[Sequence[Any], Any]],
    make: Callable[[Any, Sequence[Any]], Any],
) -> C:
    """Let trees look inside `cls`: `take(object)` gives children and a hashable rest, `make` undoes
    it.

    >>> class Pair:
    ...     def __init__(self, a, b): self.a, self.b = a, b
    >>> _ = register(Pair, lambda p: ((p.a, p.b), None), lambda rest, xs: Pair(*xs))
    >>> leaves([Pair(1, 2), 3])
    [1, 2, 3]
    """
    _KINDS[cls] = _Kind(take, make)
    return cls


register_pytree_node = register


def register_pytree_node_class(cls: C) -> C:
    """Let trees look inside a class with JAX's methods `tree_flatten` (children, rest) and the
    class method `tree_unflatten(rest, children)`.

    >>> @register_pytree_node_class
    ... class Pair:
    ...     def __init__(self, a, b): self.a, self.b = a, b
    ...     def tree_flatten(self): return (self.a, self.b), None
    ...     @classmethod
    ...     def tree_unflatten(cls, rest, children): return cls(*children)
    >>> leaves(Pair(1, [2, 3]))
    [1, 2, 3]
    """
    kind: Any = cls
    return register(cls, lambda tree: tree.tree_flatten(), kind.tree_unflatten)


def register_dataclass(cls: C | None = None, *, static: Iterable[str] = ()) -> Any:
    """Let trees look inside a dataclass; fields named in `static` belong to the structure.

    >>> @register_dataclass
    ... @dataclasses.dataclass
    ... class Layer:
    ...     weight: int
    ...     bias: int
    >>> map(lambda x: x + 1, Layer(1, 2))
    Layer(weight=2, bias=3)
    """
    if cls is None:
        return lambda c: register_dataclass(c, static=static)
    if not dataclasses.is_dataclass(cls):
        raise TypeError(
            f"{cls.__name__} is not a dataclass; use lz.tree.register for other classes"
        )
    fixed = tuple(static)
    names = [f.name for f in dataclasses.fields(cls)]
    unknown = [n for n in fixed if n not in names]
    if unknown:
        raise ValueError(f"{cls.__name__} has no field {unknown[0]!r}; it has {', '.join(names)}")
    moving = [n for n in names if n not in fixed]

    def take(tree: Any) -> tuple[Sequence[Any], Any]:
        return [getattr(tree, n) for n in moving], tuple(getattr(tree, n) for n in fixed)

    def make(meta: Any, xs: Sequence[Any]) -> Any:
        tree = object.__new__(cls)
        for name, value in zip((*moving, *fixed), (*xs, *meta)):
            object.__setattr__(tree, name, value)
        return tree

    return register(cls, take, make)


def _flatten(tree: Any, out: list[Any], is_leaf: Callable[[Any], bool] | None) -> Structure:
    kind = _KINDS.get(type(tree)) or _kind(type(tree))
    if kind is None or (is_leaf is not None and is_leaf(tree)):
        out.append(tree)
        return LEAF
    before = len(out)
    items, meta = kind.take(tree)
    children = tuple([_flatten(x, out, is_leaf) for x in items])
    return Structure(type(tree), meta, children, len(out) - before)


_FLAT = [Structure(tuple, None, (LEAF,) * n, n) for n in range(32)]


def flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], Structure]:
    """The leaves of a tree, left to right, and its structure.

    >>> flatten({"b": [1, 2], "a": 3})[0]
    [3, 1, 2]
    """
    out: list[Any] = []
    return out, _flatten(tree, out, is_leaf)


def flatten_arguments(args: tuple[Any, ...]) -> tuple[list[Any], Structure]:
    """`flatten(args)`, quick where no argument is a container."""
    if len(args) < 32:
        for x in args:
            if _KINDS.get(type(x)) or isinstance(x, tuple):
                break
        else:
            return list(args), _FLAT[len(args)]
    return flatten(args)


def unflatten(structure: Structure, leaves: Iterable[Any]) -> Any:
    """The tree with this structure and these leaves. ValueError where their number differs.

    >>> items, shape = flatten({"a": 1, "b": (2, 3)})
    >>> unflatten(shape, [x * 10 for x in items])
    {'a': 10, 'b': (20, 30)}
    """
    values = list(leaves)
    if len(values) != structure.leaf_count:
        raise ValueError(
            f"a tree with {structure.leaf_count} leaves cannot be built from {len(values)}"
        )
    return _build(structure, iter(values))


def _build(structure: Structure, values: Any) -> Any:
    if structure.kind is None:
        return next(values)
    kind = _KINDS[structure.kind]
    return kind.make(structure.meta, [_build(c, values) for c in structure.children])


def leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """The leaves, left to right.

    >>> leaves((1, None, {"x": 2}))
    [1, 2]
    """
    return flatten(tree, is_leaf)[0]


def structure(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> Structure:
    """The structure.

    >>> structure([1, 2]) == structure([5, 6])
    True
    """
    return flatten(tree, is_leaf)[1]


def flatten_up_to(prefix: Structure, tree: Any, what: str = "tree") -> list[Any]:
    """The subtrees of `tree` at the leaves of `prefix`. ValueError where they do not match."""
    if prefix.kind is None:
        return [tree]
    kind = _KINDS[prefix.kind]
    if type(tree) is not prefix.kind:
        raise ValueError(f"{what}: expected a {prefix.kind.__name__}, got {type(tree).__name__}")
    items, meta = kind.take(tree)
    if meta != prefix.meta or len(items) != len(prefix.children):
        raise ValueError(f"{what}: expected {_describe(prefix)}, got {structure(tree)}")
    return [x for c, item in zip(prefix.children, items) for x in flatten_up_to(c, item, what)]


def map(
    f: Callable[..., Any], tree: Any, *rest: Any, is_leaf: Callable[[Any], bool] | None = None
) -> Any:
    """The tree with `f` applied to its leaves (and the matching parts of further trees).

    >>> map(lambda x, y: x + y, {"a": 1, "b": [2]}, {"a": 10, "b": [20]})
    {'a': 11, 'b': [22]}
    """
    items, shape = flatten(tree, is_leaf)
    others = [flatten_up_to(shape, r, "lz.tree.map") for r in rest]
    return unflatten(shape, [f(*xs) for xs in zip(items, *others)])


def map_with_path(f: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """As `map`, with where each leaf is as the first argument, as Python would write it.

    >>> map_with_path(lambda path, x: f"{path} = {x}", {"w": [1, 2]})
    {'w': ["['w'][0] = 1", "['w'][1] = 2"]}
    """
    shape = structure(tree)
    others = [flatten_up_to(shape, r, "lz.tree.map_with_path") for r in rest]
    return unflatten(
        shape, [f(*found, *xs) for found, *xs in zip(flatten_with_path(tree), *others)]
    )


def reduce(f: Callable[[Any, Any], Any], tree: Any, *initial: Any) -> Any:
    """The leaves joined by `f` from left to right.

    >>> reduce(lambda a, b: a + b, {"x": 1, "y": (2, 3)})
    6
    """
    items = [*initial, *leaves(tree)]
    if not items:
        raise TypeError("reduce of a tree without leaves needs an initial value")
    total = items[0]
    for x in items[1:]:
        total = f(total, x)
    return total


def all(tree: Any) -> bool:
    """Whether every leaf is true.

    >>> all([True, {"a": False}])
    False
    """
    return not any(not x for x in leaves(tree))


def flatten_with_path(tree: Any, name: str = "") -> list[tuple[str, Any]]:
    """The leaves with where they are, as Python would write it.

    >>> flatten_with_path({"w": [1, 2]}, "params")
    [("params['w'][0]", 1), ("params['w'][1]", 2)]
    """
    kind = _kind(type(tree))
    if kind is None:
        return [(name, tree)]
    items, meta = kind.take(tree)
    found: list[tuple[str, Any]] = []
    for step, item in zip(_steps(type(tree), meta, len(items)), items):
        found += flatten_with_path(item, name + step)
    return found


def _steps(cls: type, meta: Any, count: int) -> list[str]:
    if dataclasses.is_dataclass(cls):
        names = [f.name for f in dataclasses.fields(cls)]
        return [f".{n}" for n in names[:count]]
    if issubclass(cls, dict):
        return [f"[{k!r}]" for k in meta]
    if hasattr(cls, "_fields"):
        return [f".{n}" for n in cls._fields]
    return [f"[{k}]" for k in range(count)]


def _describe(s: Structure) -> str:
    if s.kind is None:
        return "*"
    inner = [_describe(c) for c in s.children]
    if s.kind is type(None):
        return "None"
    if issubclass(s.kind, dict):
        return "{" + ", ".join(f"{k!r}: {v}" for k, v in zip(s.meta, inner)) + "}"
    text = ", ".join(inner)
    if s.kind is list:
        return f"[{text}]"
    if s.kind is tuple:
        return f"({text},)" if len(inner) == 1 else f"({text})"
    return f"{s.kind.__name__}({text})"
