"""Nested containers as one vector.

Takes: a tree of tensors. Gives: a vector, and the way back. Must not know: what the tree is for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from . import numpy as lnp
from . import tree
from .apply import fail
from .public import listing
from .tensor import Tensor


def ravel_pytree(pytree: Any) -> tuple[Tensor, Callable[[Any], Any]]:
    """All leaves in one vector, of the dtype that they promote to, and the function that gives the
    tree back, each leaf with its own shape and dtype.

    >>> import lazir as lz
    >>> flat, unravel = lz.flatten_util.ravel_pytree({"a": lz.Tensor([1.0, 2.0]), "b": 3.0})
    >>> flat.tolist(), unravel(flat)["b"].item()
    ([1.0, 2.0, 3.0], 3.0)
    """
    leaves, structure = tree.flatten(pytree)
    tensors = [lnp.asarray(leaf) for leaf in leaves]
    shapes = [t.shape for t in tensors]
    dtypes = [t.dtype for t in tensors]
    sizes = [math.prod(s) for s in shapes]
    total = sum(sizes)
    dtype = lnp.result_type(*dtypes) if dtypes else lnp.float32

    def unravel(flat: Any) -> Any:
        vector = lnp.asarray(flat)
        if vector.shape != (total,):
            fail(f"unravel takes a vector of {total} elements, got shape {vector.shape}")
        parts, at = [], 0
        for shape, own, size in zip(shapes, dtypes, sizes):
            parts.append(vector[at : at + size].reshape(shape).astype(own))
            at += size
        return tree.unflatten(structure, parts)

    if not tensors:
        return lnp.zeros((0,)), unravel
    return lnp.concatenate([t.ravel().astype(dtype) for t in tensors]), unravel


__all__ = ["ravel_pytree"]
__dir__ = listing(__name__)
