"""Modules: objects that hold parameters, as in PyTorch, and trees, as in JAX.

Takes: parameters, submodules. Gives: `Module`, `Parameter`; every subclass is registered as a tree,
so that `grad`, `compile` and optimisers see inside. Must not know: any particular layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .. import tree
from ..handle import Handle
from ..tensor import Tensor


def Parameter(data: Any, requires_grad: bool = True) -> Tensor:
    """A tensor that requires a gradient.

    >>> import lazir as lz
    >>> lz.nn.Parameter([1.0]).requires_grad
    True
    """
    made = data.detach() if isinstance(data, Tensor) else Tensor(data)
    if requires_grad:
        made.requires_grad = True
    return made


def _is_dynamic(value: Any) -> bool:
    """Whether an attribute belongs to the leaves: it is, or contains, a tensor or module."""
    if isinstance(value, Handle | Module):
        return True
    if isinstance(value, list | tuple):
        return any(_is_dynamic(v) for v in value)
    if isinstance(value, dict):
        return any(_is_dynamic(v) for v in value.values())
    return False


class Module:
    """Base of all layers: set tensors and modules as attributes, define `forward`.

    >>> import lazir as lz
    >>> class Scale(lz.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = lz.nn.Parameter([2.0])
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> print(Scale()(lz.Tensor([3.0])).detach())
    [6.]
    """

    training: bool = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        tree.register(cls, _take, lambda meta, leaves: _make(cls, meta, leaves))

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward(self, x)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def children(self) -> Iterator[Module]:
        """The modules held directly."""
        for value in self.__dict__.values():
            yield from _modules(value)

    def modules(self) -> Iterator[Module]:
        """This module and all below it."""
        yield self
        for child in self.children():
            yield from child.modules()

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """Tensors that require a gradient, with dotted names."""
        for name, value in _tensors(self, prefix):
            if value.requires_grad:
                yield name, value

    def parameters(self) -> list[Tensor]:
        """Tensors that require a gradient."""
        return [value for _, value in self.named_parameters()]

    def state_dict(self) -> dict[str, Tensor]:
        """All tensors by dotted name."""
        return dict(_tensors(self, ""))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the data of tensors by name. KeyError where the names differ."""
        own = self.state_dict()
        missing, extra = own.keys() - state.keys(), state.keys() - own.keys()
        if missing or extra:
            raise KeyError(f"missing: {sorted(missing)}; unexpected: {sorted(extra)}")
        for name, value in own.items():
            wanted = value.requires_grad
            if wanted:
                value.requires_grad = False
            value[...] = state[name].detach() if isinstance(state[name], Tensor) else state[name]
            if wanted:
                value.requires_grad = True

    def train(self, mode: bool = True) -> Any:
        """Set training mode here and below; gives the module itself."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Any:
        """Leave training mode; gives the module itself."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for value in self.parameters():
            value.zero_grad()

    def to(self, *targets: Any, **options: Any) -> Any:
        """Every tensor on another device or in another dtype; gives the module itself."""
        for owner in self.modules():
            for name, value in list(owner.__dict__.items()):
                if isinstance(value, Tensor):
                    moved = value.detach().to(*targets, **options)
                    if value.requires_grad:
                        moved.requires_grad = True
                    setattr(owner, name, moved)
        return self

    def __repr__(self) -> str:
        inner = []
        for name, value in self.__dict__.items():
            for k, child in enumerate(_modules(value)):
                label = name if isinstance(value, Module) else f"{name}[{k}]"
                inner.append(f"  {label}: " + repr(child).replace("\n", "\n  "))
        head = type(self).__name__
        return f"{head}(\n" + "\n".join(inner) + "\n)" if inner else f"{head}()"


def _modules(value: Any) -> Iterator[Module]:
    if isinstance(value, Module):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _modules(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _modules(item)


def _tensors(value: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    dot = f"{name}." if name else ""
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, Module):
        for key, item in value.__dict__.items():
            yield from _tensors(item, dot + key)
    elif isinstance(value, list | tuple):
        for k, item in enumerate(value):
            yield from _tensors(item, f"{dot}{k}")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _tensors(item, f"{dot}{key}")


def _take(module: Module) -> tuple[Sequence[Any], Any]:
    moving = {n: v for n, v in sorted(module.__dict__.items()) if _is_dynamic(v)}
    fixed = tuple(
        (n, v)
        for n, v in sorted(module.__dict__.items())
        if n not in moving and not n.startswith("_compiled_")
    )
    return list(moving.values()), (tuple(moving), fixed)


def _make(cls: type, meta: Any, leaves: Sequence[Any]) -> Any:
    module: Any = object.__new__(cls)
    names, fixed = meta
    module.__dict__.update(zip(names, leaves))
    module.__dict__.update(fixed)
    return module
