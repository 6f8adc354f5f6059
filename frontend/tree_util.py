"""`jax.tree_util` by the same names: the functions of `lazir.tree` with `tree_` before them.

Takes: nests of containers. Gives: nests. Must not know: tensors.
"""

from __future__ import annotations

from .public import listing
from .tree import all as tree_all
from .tree import flatten as tree_flatten
from .tree import leaves as tree_leaves
from .tree import map as tree_map
from .tree import map_with_path as tree_map_with_path
from .tree import reduce as tree_reduce
from .tree import (
    register_dataclass,
    register_pytree_node,
    register_pytree_node_class,
)
from .tree import structure as tree_structure
from .tree import unflatten as tree_unflatten

__all__ = [
    "register_dataclass", "register_pytree_node", "register_pytree_node_class", "tree_all",
    "tree_flatten", "tree_leaves", "tree_map", "tree_map_with_path", "tree_reduce",
    "tree_structure", "tree_unflatten",
]  # fmt: skip
__dir__ = listing(__name__)
