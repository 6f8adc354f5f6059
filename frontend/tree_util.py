"""`jax.tree_util` by the same names: the functions of `lazir.tree` with `tree_` before them.

Takes: nests of containers. Gives: nests. Must not know: tensors.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from .public import listing
from .tree import Structure as PyTreeDef
from .tree import all as tree_all
from .tree import broadcast as tree_broadcast
from .tree import flatten as tree_flatten
from .tree import flatten_with_path as tree_flatten_with_path
from .tree import (
    is_registered,
    register,
    register_dataclass,
    register_pytree_node,
    register_pytree_node_class,
    register_pytree_with_keys,
    register_static,
)
from .tree import leaves as tree_leaves
from .tree import leaves_with_path as tree_leaves_with_path
from .tree import map as tree_map
from .tree import map_with_path as tree_map_with_path
from .tree import reduce as tree_reduce
from .tree import structure as tree_structure
from .tree import transpose as tree_transpose
from .tree import unflatten as tree_unflatten
from .tree_keys import DictKey, FlattenedIndexKey, GetAttrKey, SequenceKey, keystr

__all__ = [
    "DictKey", "FlattenedIndexKey", "GetAttrKey", "Partial", "PyTreeDef", "SequenceKey",
    "all_leaves", "keystr", "register_dataclass", "register_pytree_node",
    "register_pytree_node_class", "register_pytree_with_keys", "register_pytree_with_keys_class",
    "register_static", "tree_all", "tree_broadcast", "tree_flatten", "tree_flatten_with_path",
    "tree_leaves", "tree_leaves_with_path", "tree_map", "tree_map_with_path", "tree_reduce",
    "tree_structure", "tree_transpose", "tree_unflatten", "treedef_children", "treedef_is_leaf",
    "treedef_tuple",
]  # fmt: skip
__dir__ = listing(__name__)


class Partial(functools.partial[Any]):
    """`functools.partial` as a tree: the arguments are its children, the function belongs to the
    structure. So a function with tensors inside is an argument of compiled functions.

    >>> import lazir as lz
    >>> apply = lz.compile(lambda f, x: f(x))
    >>> apply(Partial(lambda a, x: a * x, 3.0), 2.0).item()
    6.0
    """


register(
    Partial,
    lambda p: ((p.args, p.keywords), p.func),
    lambda func, xs: Partial(func, *xs[0], **xs[1]),
)


def register_pytree_with_keys_class(cls: type) -> type:
    """As `register_pytree_node_class`, for a class whose method `tree_flatten_with_keys` gives
    pairs (key, child) and the rest.
    """
    kind: Any = cls
    return register_pytree_with_keys(
        cls, lambda tree: tree.tree_flatten_with_keys(), kind.tree_unflatten
    )


def all_leaves(iterable: Iterable[Any], is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether none of the items is a container.

    >>> all_leaves([1, 2]), all_leaves([1, [2]])
    (True, False)
    """
    return not any(
        is_registered(type(x)) and not (is_leaf is not None and is_leaf(x)) for x in iterable
    )


def treedef_children(treedef: PyTreeDef) -> list[PyTreeDef]:
    """The structures of a tree's children.

    >>> len(treedef_children(tree_structure([1, (2, 3)])))
    2
    """
    return list(treedef.children)


def treedef_is_leaf(treedef: PyTreeDef) -> bool:
    """Whether the tree is one leaf.

    >>> treedef_is_leaf(tree_structure(1)), treedef_is_leaf(tree_structure([1]))
    (True, False)
    """
    return treedef.kind is None


def treedef_tuple(treedefs: Iterable[PyTreeDef]) -> PyTreeDef:
    """The structure of a tuple of trees.

    >>> treedef_tuple([tree_structure(1), tree_structure([2])]) == tree_structure((1, [2]))
    True
    """
    children = tuple(treedefs)
    return PyTreeDef(tuple, None, children, sum(c.leaf_count for c in children))
