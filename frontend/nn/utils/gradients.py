"""Gradients clipped where they are held; parameters as one vector and back.

Takes: parameters. Gives: norms, vectors. Must not know: modules, optimisers. For gradients that are
values, as those of `lz.grad`, see `lazir.optim.clip_by_global_norm` and `clip_by_value`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from lazir.compiler.errors import ShapeError

from ... import numpy as lnp
from ...autograd import no_grad
from ...slots import Literal
from ...tensor import Tensor


def _with_gradients(parameters: Any) -> list[Tensor]:
    given = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [p for p in given if p.grad is not None]


def get_total_norm(
    tensors: Any, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """The norm of all elements together. ValueError where it is not finite, if asked for.

    >>> import lazir as lz
    >>> lz.nn.utils.get_total_norm([lz.Tensor([3.0]), lz.Tensor([[4.0]])]).item()
    5.0
    """
    given = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    p = float(norm_type)
    if not given:
        return lnp.zeros(())
    sizes = [lnp.abs(t) for t in given]
    if p == math.inf:
        total = lnp.max(lnp.stack([lnp.max(s, initial=0) for s in sizes]))
    elif p == 1:
        total = sum([lnp.sum(s) for s in sizes], lnp.zeros((), sizes[0].dtype))
    else:
        powers = sum([lnp.sum(s**p) for s in sizes], lnp.zeros((), sizes[0].dtype))
        total = lnp.sqrt(powers) if p == 2 else powers ** (1 / p)
    if error_if_nonfinite and not lnp.isfinite(total).item():
        raise ValueError(f"the norm of order {p} of the gradients is {total.item()}")
    return total


def clip_grads_with_norm_(parameters: Any, max_norm: float, total_norm: Any) -> None:
    """Gradients scaled by max_norm / (total_norm + 10⁻⁶) where that is below 1.

    >>> import lazir as lz
    >>> w = lz.nn.Parameter([1.0])
    >>> w.grad = lz.Tensor([8.0])
    >>> lz.nn.utils.clip_grads_with_norm_([w], 2.0, 4.0)
    >>> round(w.grad.item(), 4)
    4.0
    """
    scale = lnp.minimum(lnp.divide(max_norm, lnp.add(total_norm, Literal(1e-6))), Literal(1.0))
    with no_grad():
        for p in _with_gradients(parameters):
            p.grad = p.grad * scale.astype(p.grad.dtype)  # type: ignore[union-attr, operator]


def clip_grad_norm_(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Gradients scaled so that their common norm is at most `max_norm`; gives the norm before.

    Nothing is computed yet: the optimiser's step takes it along.

    >>> import lazir as lz
    >>> w = lz.nn.Parameter([1.0, 1.0])
    >>> w.grad = lz.Tensor([3.0, 4.0])
    >>> lz.nn.utils.clip_grad_norm_([w], 1.0).item()
    5.0
    >>> print(w.grad.round(3))
    [0.6 0.8]
    """
    held = _with_gradients(parameters)
    total = get_total_norm([p.grad for p in held], norm_type, error_if_nonfinite)
    clip_grads_with_norm_(held, max_norm, total)
    return total


def clip_grad_value_(parameters: Any, clip_value: float) -> None:
    """Gradients whose elements are held between −clip_value and clip_value.

    >>> import lazir as lz
    >>> w = lz.nn.Parameter([1.0, 1.0])
    >>> w.grad = lz.Tensor([3.0, -0.5])
    >>> lz.nn.utils.clip_grad_value_([w], 1.0)
    >>> print(w.grad)
    [ 1.  -0.5]
    """
    with no_grad():
        for p in _with_gradients(parameters):
            p.grad = lnp.clip(p.grad, -clip_value, clip_value)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of the parameters, one after the other; derivatives go through it.

    >>> import lazir as lz
    >>> w, b = lz.nn.Parameter([[1.0, 2.0]]), lz.nn.Parameter([3.0])
    >>> lz.nn.utils.parameters_to_vector([w, b]).tolist()
    [1.0, 2.0, 3.0]
    """
    return lnp.concatenate([lnp.ravel(p) for p in parameters])


def vector_to_parameters(vec: Any, parameters: Iterable[Tensor]) -> None:
    """The parameters set from what `parameters_to_vector` gives. ShapeError for another length.

    >>> import lazir as lz
    >>> w = lz.nn.Parameter([[1.0, 2.0]])
    >>> lz.nn.utils.vector_to_parameters(lz.Tensor([5.0, 6.0]), [w])
    >>> w.tolist()
    [[5.0, 6.0]]
    """
    held = list(parameters)
    vector = lnp.asarray(vec)
    total = sum(p.size for p in held)
    if vector.shape != (total,):
        raise ShapeError(f"the parameters have {total} elements, the vector {vector.shape}")
    offset = 0
    with no_grad():
        for p in held:
            part = lnp.reshape(vector[offset : offset + p.size], p.shape)
            p[...] = part.astype(p.dtype)
            offset += p.size
