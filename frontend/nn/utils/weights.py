"""Layers whose weight is computed of other parameters: of a length and a direction, or divided by
its largest singular value.

Takes: a module. Gives: the same object, of a class made for it, in which the weight is a property;
states have PyTorch's names. Must not know: what the weight is for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ... import numpy as lnp
from ... import random
from ...autograd import no_grad
from .. import functional, init
from ..layers import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..module import Module, Parameter

M = TypeVar("M", bound=Module)


# -- classes with a computed weight ----------------------------------------------------------
_made: dict[tuple[type, str, str, Any], type] = {}


def _class_of(base: type, kind: str, name: str, settings: Any) -> type:
    """The class of modules like `base` with the weight `name` computed; one for each question."""
    asked = (base, kind, name, settings)
    if asked not in _made:
        _made[asked] = _KINDS[kind](base, name, settings)
    return _made[asked]


def _restored(base: type, kind: str, name: str, settings: Any, held: dict[str, Any]) -> Any:
    """A module of such a class, out of a pickle."""
    module: Any = object.__new__(_class_of(base, kind, name, settings))
    module.__dict__.update(held)
    return module


def _subclass(
    base: Any, kind: str, name: str, settings: Any, weight: Callable[[Any], Any],
    before: Callable[[Any], None] | None,
) -> type:  # fmt: skip
    class Computed(base):  # type: ignore[misc]
        computed = (base, kind, name, settings)

        def forward(self, *args: Any, **kwargs: Any) -> Any:
            if before is not None:
                before(self)
            return super().forward(*args, **kwargs)

        def __reduce__(self) -> Any:
            return _restored, (*self.computed, self.__dict__)

    setattr(Computed, name, property(weight))
    Computed.__name__ = Computed.__qualname__ = base.__name__
    Computed.__doc__ = base.__doc__
    return Computed


def _enter(module: M, kind: str, name: str, settings: Any) -> M:
    object.__setattr__(module, "__class__", _class_of(type(module), kind, name, settings))
    return module


def _leave(module: M, kind: str, name: str, parts: tuple[str, ...]) -> M:
    """The module as it was before, with the weight as it is now."""
    found = getattr(module, "computed", None)
    if found is None or found[1:3] != (kind, name):
        raise ValueError(f"{kind} was not applied to {name!r} of this {type(module).__name__}")
    value = getattr(module, name).detach()
    object.__setattr__(module, "__class__", found[0])
    for part in parts:
        del module.__dict__[name + part]
    module.__dict__[name] = Parameter(value)
    return module


def _weight_of(module: Module, name: str) -> Any:
    if getattr(module, "computed", None) is not None:
        raise ValueError(f"the weight of this {type(module).__name__} is computed already")
    found = module.__dict__.get(name)
    if found is None:
        raise ValueError(f"this {type(module).__name__} has no parameter {name!r}")
    return found


# -- length and direction ----------------------------------------------------------------------
def _lengths(v: Any, dim: int | None) -> Any:
    axes = None if dim is None else tuple(k for k in range(len(v.shape)) if k != dim)
    return lnp.sqrt(lnp.sum(lnp.square(v), axes, keepdims=dim is not None))


def _by_length(base: type, name: str, dim: int | None) -> type:
    def weight(self: Any) -> Any:
        g, v = self.__dict__[name + "_g"], self.__dict__[name + "_v"]
        return v * (g / _lengths(v, dim))

    return _subclass(base, "weight_norm", name, dim, weight, None)


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """The weight as length times direction (Salimans and Kingma, 2016): parameters weight_g, _v.

    There is a length for each entry of axis `dim`, or one for all where it is None. Gives the
    module itself.

    >>> import lazir as lz
    >>> layer = lz.nn.utils.weight_norm(lz.nn.Linear(3, 2))
    >>> [(name, p.shape) for name, p in layer.named_parameters()]
    [('bias', (2,)), ('weight_g', (2, 1)), ('weight_v', (2, 3))]
    """
    held = _weight_of(module, name)
    axis = dim if dim is None else dim % len(held.shape)
    _enter(module, "weight_norm", name, axis)
    value = held.detach()
    del module.__dict__[name]
    module.__dict__[name + "_g"] = Parameter(_lengths(value, axis))
    module.__dict__[name + "_v"] = Parameter(value)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Undo weight_norm: the weight is a parameter again, with its present value.

    >>> import lazir as lz
    >>> layer = lz.nn.utils.weight_norm(lz.nn.Linear(3, 2))
    >>> [name for name, _ in lz.nn.utils.remove_weight_norm(layer).named_parameters()]
    ['bias', 'weight']
    """
    return _leave(module, "weight_norm", name, ("_g", "_v"))


# -- the largest singular value ----------------------------------------------------------------
def _as_matrix(w: Any, dim: int) -> Any:
    return lnp.reshape(lnp.moveaxis(w, dim, 0), (w.shape[dim], -1))


def _by_singular_value(base: type, name: str, settings: tuple[int, int, float]) -> type:
    dim, rounds, eps = settings

    def weight(self: Any) -> Any:
        held = self.__dict__
        w, u, v = held[name + "_orig"], held[name + "_u"], held[name + "_v"]
        sigma = lnp.dot(u.detach(), lnp.matmul(_as_matrix(w, dim), v.detach()))
        return w / sigma

    def before(self: Any) -> None:
        """In training u and v come nearer to the singular vectors, by the power method."""
        held = self.__dict__
        if not self.training:
            return
        with no_grad():
            matrix = _as_matrix(held[name + "_orig"].detach(), dim)
            u = held[name + "_u"].detach()
            v = held[name + "_v"].detach()
            for _ in range(rounds):
                v = functional.normalize(lnp.matmul(lnp.transpose(matrix), u), dim=0, eps=eps)
                u = functional.normalize(lnp.matmul(matrix, v), dim=0, eps=eps)
            held[name + "_u"][...] = u
            held[name + "_v"][...] = v

    return _subclass(base, "spectral_norm", name, settings, weight, before)


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
    dim: int | None = None, key: Any = None,
) -> M:  # fmt: skip
    """The weight divided by its largest singular value (Miyato et al., 2018).

    In training each call of the module makes `n_power_iterations` steps of the power method, whose
    vectors are buffers: in a compiled function they change in place, as BatchNorm's moments. Axis
    `dim` (1 for ConvTranspose, else 0) holds the rows of the matrix that is meant. Gives the module
    itself.

    >>> import lazir as lz
    >>> layer = lz.nn.utils.spectral_norm(lz.nn.Linear(3, 2), n_power_iterations=50)
    >>> _ = layer(lz.Tensor([1.0, 2.0, 3.0]))
    >>> round(lz.linalg.svdvals(layer.weight.detach())[0].item(), 4)
    1.0
    """
    if n_power_iterations < 1:
        raise ValueError(f"n_power_iterations is at least 1, got {n_power_iterations}")
    held = _weight_of(module, name)
    if dim is None:
        dim = int(isinstance(module, ConvTranspose1d | ConvTranspose2d | ConvTranspose3d))
    dim %= len(held.shape)
    _enter(module, "spectral_norm", name, (dim, n_power_iterations, eps))
    rows, columns = _as_matrix(held.detach(), dim).shape
    first, second = random.split(init.next_key() if key is None else key)
    del module.__dict__[name]
    module.__dict__[name + "_orig"] = held
    for part, size, own in (("_u", rows, first), ("_v", columns, second)):
        drawn = random.normal(own, (size,), held.dtype)
        start = functional.normalize(drawn, dim=0, eps=eps).block_until_ready()
        module.__dict__[name + part] = start
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Undo spectral_norm: the weight is a parameter again, with its present value.

    >>> import lazir as lz
    >>> layer = lz.nn.utils.spectral_norm(lz.nn.Linear(3, 2))
    >>> [name for name, _ in lz.nn.utils.remove_spectral_norm(layer).named_parameters()]
    ['bias', 'weight']
    """
    return _leave(module, "spectral_norm", name, ("_orig", "_u", "_v"))


_KINDS: dict[str, Callable[[type, str, Any], type]] = {
    "weight_norm": _by_length, "spectral_norm": _by_singular_value,
}  # fmt: skip
