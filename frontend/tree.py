"""Nested containers of leaves: flatten to a list, rebuild, map.

Takes: dicts (by sorted key), lists, tuples, namedtuples, registered dataclasses, None (no leaf).
Gives: leaves and a hashable Structure. Must not know: what a leaf is.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from .public import listing
from .tree_keys import DictKey, FlattenedIndexKey, GetAttrKey, SequenceKey, keystr

C = TypeVar("C", bound=type)
Path = tuple[Any, ...]

__all__ = ["Structure", "all", "broadcast", "flatten", "flatten_with_path", "leaves"]
__all__ += ["leaves_with_path", "map", "map_with_path", "reduce", "register", "register_dataclass"]
__all__ += ["register_pytree_node", "register_pytree_node_class", "register_pytree_with_keys"]
__all__ += ["register_static", "structure", "transpose", "unflatten"]
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

    @property
    def num_leaves(self) -> int:
        """How many leaves there are."""
        return self.leaf_count

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """The tree with this structure and these leaves."""
        return unflatten(self, leaves)

    def flatten_up_to(self, tree: Any) -> list[Any]:
        """The parts of `tree` at the leaves of this structure."""
        return flatten_up_to(self, tree)


LEAF = Structure(None, None, (), 1)


class _Kind(NamedTuple):
    take: Callable[[Any], tuple[Sequence[Any], Any]]  # container → children, meta
    make: Callable[[Any, Sequence[Any]], Any]  # meta, children → container
    keys: Callable[[Any], Sequence[Any]] | None = None  # container → the children's keys


def _sorted_keys(tree: dict[Any, Any]) -> list[Any]:
    try:
        return sorted(tree)
    except TypeError:
        kinds = sorted({type(k).__name__ for k in tree})
        raise TypeError(f"the keys of a dict must be sortable, got {', '.join(kinds)}") from None


def _take_dict(tree: dict[Any, Any]) -> tuple[Sequence[Any], Any]:
    keys = _sorted_keys(tree)
    return [tree[k] for k in keys], tuple(keys)


def _numbered(tree: Sequence[Any]) -> list[SequenceKey]:
    return [SequenceKey(k) for k in range(len(tree))]


_KINDS: dict[type, _Kind] = {
    tuple: _Kind(lambda t: (t, None), lambda meta, xs: tuple(xs), _numbered),
    list: _Kind(lambda t: (t, None), lambda meta, xs: list(xs), _numbered),
    dict: _Kind(
        _take_dict,
        lambda meta, xs: dict(zip(meta, xs)),
        lambda t: [DictKey(k) for k in _sorted_keys(t)],
    ),
    OrderedDict: _Kind(
        lambda t: (list(t.values()), tuple(t)),
        lambda meta, xs: OrderedDict(zip(meta, xs)),
        lambda t: [DictKey(k) for k in t],
    ),
    type(None): _Kind(lambda t: ((), None), lambda meta, xs: None),
}


def _kind(cls: type) -> _Kind | None:
    found = _KINDS.get(cls)
    if found is None and issubclass(cls, tuple) and hasattr(cls, "_fields"):
        names = [GetAttrKey(n) for n in cls._fields]
        found = _Kind(lambda t: (t, None), lambda meta, xs: cls(*xs), lambda t: names)
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


def register_pytree_with_keys(
    nodetype: C,
    flatten_with_keys: Callable[[Any], tuple[Iterable[tuple[Any, Any]], Any]],
    unflatten_func: Callable[[Any, Sequence[Any]], Any],
    flatten_func: Callable[[Any], tuple[Sequence[Any], Any]] | None = None,
) -> C:
    """As `register`, by a function that gives pairs (key, child) and the rest: paths to leaves
    name the keys (`DictKey`, `SequenceKey`, `GetAttrKey` of `lz.tree_util`).

    >>> class Pair:
    ...     def __init__(self, a, b): self.a, self.b = a, b
    >>> def take(p): return ((GetAttrKey("a"), p.a), (GetAttrKey("b"), p.b)), None
    >>> _ = register_pytree_with_keys(Pair, take, lambda rest, xs: Pair(*xs))
    >>> [keystr(path) for path, _ in leaves_with_path([Pair(1, 2)])]
    ['[0].a', '[0].b']
    """

    def take(tree: Any) -> tuple[Sequence[Any], Any]:
        pairs, rest = flatten_with_keys(tree)
        return [child for _, child in pairs], rest

    def keys(tree: Any) -> list[Any]:
        return [key for key, _ in flatten_with_keys(tree)[0]]

    _KINDS[nodetype] = _Kind(flatten_func or take, unflatten_func, keys)
    return nodetype


def register_static(cls: C) -> C:
    """Let trees hold objects of a class as part of their structure, without leaves. They are
    compared and hashed.

    >>> @register_static
    ... class Mode(str): pass
    >>> leaves([Mode("fast"), 1])
    [1]
    """
    return register(cls, lambda tree: ((), tree), lambda tree, xs: tree)


def register_dataclass(
    cls: C | None = None,
    data_fields: Iterable[str] | None = None,
    meta_fields: Iterable[str] = (),
    *,
    static: Iterable[str] = (),
) -> Any:
    """Let trees look inside a dataclass; fields named in `meta_fields` (also called `static`), or
    made by `field(metadata={"static": True})`, belong to the structure. The rest, or
    `data_fields`, are children. TypeError for a class that is no dataclass, ValueError where the
    names are not those of its fields.

    >>> @register_dataclass
    ... @dataclasses.dataclass
    ... class Layer:
    ...     weight: int
    ...     bias: int
    >>> map(lambda x: x + 1, Layer(1, 2))
    Layer(weight=2, bias=3)
    """
    if cls is None:
        return lambda c: register_dataclass(c, data_fields, meta_fields, static=static)
    if not dataclasses.is_dataclass(cls):
        raise TypeError(
            f"{cls.__name__} is not a dataclass; use lz.tree.register for other classes"
        )
    moving, fixed = _parted_fields(cls, data_fields, (*meta_fields, *static))

    def take(tree: Any) -> tuple[Sequence[Any], Any]:
        return [getattr(tree, n) for n in moving], tuple(getattr(tree, n) for n in fixed)

    def make(meta: Any, xs: Sequence[Any]) -> Any:
        tree = object.__new__(cls)
        for name, value in zip((*moving, *fixed), (*xs, *meta)):
            object.__setattr__(tree, name, value)
        return tree

    keys = [GetAttrKey(n) for n in moving]
    _KINDS[cls] = _Kind(take, make, lambda tree: keys)
    return cls


def _parted_fields(
    cls: Any, data: Iterable[str] | None, meta: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The fields of a dataclass that are children, and those that belong to the structure."""
    fields = dataclasses.fields(cls)
    names = [f.name for f in fields]
    fixed = list(dict.fromkeys([*meta, *(f.name for f in fields if f.metadata.get("static"))]))
    moving = [n for n in names if n not in fixed] if data is None else list(data)
    unknown = [n for n in (*moving, *fixed) if n not in names]
    if unknown:
        raise ValueError(f"{cls.__name__} has no field {unknown[0]!r}; it has {', '.join(names)}")
    if sorted([*moving, *fixed]) != sorted(names):
        raise ValueError(
            f"{cls.__name__}: each field is either data or meta, got data_fields {moving} and "
            f"meta_fields {fixed} of {', '.join(names)}"
        )
    return moving, fixed


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


def map_with_path(
    f: Callable[..., Any], tree: Any, *rest: Any, is_leaf: Callable[[Any], bool] | None = None
) -> Any:
    """As `map`, with the path to each leaf as the first argument: a tuple of keys, which
    `lz.tree_util.keystr` writes out.

    >>> map_with_path(lambda path, x: f"{keystr(path)} = {x}", {"w": [1, 2]})
    {'w': ["['w'][0] = 1", "['w'][1] = 2"]}
    """
    pairs, shape = flatten_with_path(tree, is_leaf)
    others = [flatten_up_to(shape, r, "lz.tree.map_with_path") for r in rest]
    return unflatten(shape, [f(*found, *xs) for found, *xs in zip(pairs, *others)])


def reduce(
    f: Callable[[Any, Any], Any],
    tree: Any,
    *initial: Any,
    is_leaf: Callable[[Any], bool] | None = None,
) -> Any:
    """The leaves joined by `f` from left to right.

    >>> reduce(lambda a, b: a + b, {"x": 1, "y": (2, 3)})
    6
    """
    items = [*initial, *leaves(tree, is_leaf)]
    if not items:
        raise TypeError("reduce of a tree without leaves needs an initial value")
    return functools.reduce(f, items)


def all(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether every leaf is true.

    >>> all([True, {"a": False}])
    False
    """
    return not any(not x for x in leaves(tree, is_leaf))


def transpose(outer: Structure, inner: Structure | None, tree: Any) -> Any:
    """A tree nested as `outer` around `inner`, as one nested as `inner` around `outer`. ValueError
    where it is nested in another way.

    >>> transpose(structure([0, 0]), None, [{"a": 1, "b": 2}, {"a": 3, "b": 4}])
    {'a': [1, 3], 'b': [2, 4]}
    """
    parts = flatten_up_to(outer, tree, "lz.tree.transpose")
    inside = structure(parts[0]) if inner is None and parts else inner
    if inside is None:
        raise ValueError("lz.tree.transpose of a tree without leaves needs the inner structure")
    rows = [flatten_up_to(inside, part, "lz.tree.transpose") for part in parts]
    columns = [[row[k] for row in rows] for k in range(inside.leaf_count)]
    return unflatten(inside, [unflatten(outer, column) for column in columns])


def broadcast(prefix: Any, tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """`prefix`, a tree that ends early, with each leaf repeated where `tree` goes on.

    >>> broadcast({"a": 0, "b": 1}, {"a": [5, 6], "b": 7})
    {'a': [0, 0], 'b': 1}
    """
    items, shape = flatten(prefix, is_leaf)
    parts = flatten_up_to(shape, tree, "lz.tree.broadcast")
    pairs = zip(items, parts)
    return unflatten(shape, [map(lambda _, x=x: x, part, is_leaf=is_leaf) for x, part in pairs])


# -- paths -------------------------------------------------------------------------------
def flatten_with_path(
    tree: Any, is_leaf: Callable[[Any], bool] | None = None
) -> tuple[list[tuple[Path, Any]], Structure]:
    """The leaves, each with the path to it (a tuple of keys), and the structure.

    >>> [(keystr(path), x) for path, x in flatten_with_path({"w": [1, 2]})[0]]
    [("['w'][0]", 1), ("['w'][1]", 2)]
    """
    return leaves_with_path(tree, is_leaf), structure(tree, is_leaf)


def leaves_with_path(
    tree: Any, is_leaf: Callable[[Any], bool] | None = None
) -> list[tuple[Path, Any]]:
    """The leaves, each with the path to it.

    >>> leaves_with_path([5])
    [((SequenceKey(idx=0),), 5)]
    """
    kind = _kind(type(tree))
    if kind is None or (is_leaf is not None and is_leaf(tree)):
        return [((), tree)]
    items, _ = kind.take(tree)
    keys: Iterable[Any] = (FlattenedIndexKey(k) for k in range(len(items)))
    if kind.keys is not None:
        keys = kind.keys(tree)
    return [
        ((key, *path), leaf)
        for key, item in zip(keys, items)
        for path, leaf in leaves_with_path(item, is_leaf)
    ]


def named_leaves(tree: Any, name: str = "") -> list[tuple[str, Any]]:
    """The leaves of the tree called `name`, with where they are, as Python would write it.

    >>> named_leaves({"w": [1, 2]}, "params")
    [("params['w'][0]", 1), ("params['w'][1]", 2)]
    """
    return [(name + keystr(path), leaf) for path, leaf in leaves_with_path(tree)]


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
