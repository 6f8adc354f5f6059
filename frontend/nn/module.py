"""Modules: objects that hold parameters, as in PyTorch, and trees, as in JAX.

Takes: parameters, submodules. Gives: `Module`, `Parameter`; every subclass is registered as a tree,
so that `grad`, `compile` and optimisers see inside. Must not know: any particular layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

from lazir.compiler.errors import ShapeError

from .. import tree
from ..handle import Handle
from ..tensor import Tensor


class Parameter(Tensor):
    """A tensor that a module learns; it requires a gradient unless told otherwise.

    >>> import lazir as lz
    >>> lz.nn.Parameter([1.0]).requires_grad
    True
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data.detach() if isinstance(data, Tensor) else data)
        if requires_grad:
            self.requires_grad = True


def _is_dynamic(value: Any) -> bool:
    """Whether an attribute belongs to the leaves: it is, or contains, a tensor or module."""
    if isinstance(value, Handle | Module):
        return True
    if isinstance(value, list | tuple):
        return any(_is_dynamic(v) for v in value)
    if isinstance(value, dict):
        return any(_is_dynamic(v) for v in value.values())
    return False


class LoadedKeys(NamedTuple):
    """What `load_state_dict` did not find in the state, and what it found too much there."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """Base of all layers: set tensors and modules as attributes, define `forward`.

    A tensor is a parameter if it is a `Parameter` or requires a gradient, else a buffer: part of
    the state, not trained. Lists and dicts of modules and tensors count as well.

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
    _not_saved: tuple[str, ...] = ()
    """Names of buffers that are no part of the state."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        tree.register(cls, _take, lambda meta, leaves: _make(cls, meta, leaves))

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward(self, x)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    # -- what it holds -------------------------------------------------------------------
    def register_parameter(self, name: str, param: Tensor | None) -> None:
        """Set a parameter, or None in the place of one, by name."""
        setattr(self, name, param)

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Set a tensor that is not trained; without `persistent` it is no part of the state."""
        setattr(self, name, tensor)
        if not persistent:
            self._not_saved = (*self._not_saved, name)

    def register_module(self, name: str, module: Module | None) -> None:
        """Set a submodule by name."""
        setattr(self, name, module)

    add_module = register_module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules held directly, with their names."""
        for name, value in self.__dict__.items():
            yield from _modules(value, name)

    def children(self) -> Iterator[Module]:
        """The modules held directly."""
        for _, child in self.named_children():
            yield child

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all below it, with dotted names; its own is `prefix`."""
        yield prefix, self
        dot = f"{prefix}." if prefix else ""
        for name, child in self.named_children():
            yield from child.named_modules(dot + name)

    def modules(self) -> Iterator[Module]:
        """This module and all below it."""
        for _, module in self.named_modules():
            yield module

    def get_submodule(self, target: str) -> Module:
        """The module with this dotted name. AttributeError where there is none."""
        for name, module in self.named_modules():
            if name == target:
                return module
        raise AttributeError(f"{type(self).__name__} has no module {target!r}")

    def get_parameter(self, target: str) -> Tensor:
        """The parameter with this dotted name. AttributeError where there is none."""
        for name, value in self.named_parameters():
            if name == target:
                return value
        raise AttributeError(f"{type(self).__name__} has no parameter {target!r}")

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """Parameters with dotted names; one that is held twice comes once."""
        seen: set[int] = set()
        for name, value, _ in _tensors(self, prefix):
            if _is_parameter(value) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def parameters(self) -> Iterator[Tensor]:
        """All parameters."""
        for _, value in self.named_parameters():
            yield value

    def named_buffers(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """Tensors that are no parameters, with dotted names."""
        for name, value, _ in _tensors(self, prefix):
            if not _is_parameter(value):
                yield name, value

    def buffers(self) -> Iterator[Tensor]:
        """All tensors that are no parameters."""
        for _, value in self.named_buffers():
            yield value

    # -- state ---------------------------------------------------------------------------
    def state_dict(self) -> dict[str, Tensor]:
        """All parameters and persistent buffers by dotted name."""
        return {name: value for name, value, saved in _tensors(self, "") if saved}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> LoadedKeys:
        """Take the data of tensors by name. KeyError where the names differ, unless not strict;
        ShapeError for a tensor of another shape."""
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        extra = [name for name in state if name not in own]
        if strict and (missing or extra):
            raise KeyError(f"missing: {sorted(missing)}; unexpected: {sorted(extra)}")
        for name, value in own.items():
            if name in state:
                _load(name, value, state[name])
        return LoadedKeys(missing, extra)

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` with every module below this one, then with this; gives the module itself."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set training mode here and below; gives the module itself."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Leave training mode; gives the module itself."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set `requires_grad` of all parameters; gives the module itself."""
        for value in self.parameters():
            value.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        for value in self.parameters():
            value.zero_grad()

    def to(self, *targets: Any, **options: Any) -> Self:
        """Every tensor on another device, every inexact one in another dtype; gives the module
        itself. The tensors stay the same objects, so that optimisers keep them."""
        seen: set[int] = set()
        for _, value, _ in _tensors(self, ""):
            if id(value) not in seen:
                seen.add(id(value))
                _move(value, targets, options)
        return self

    def float(self) -> Self:
        """All inexact tensors as float32; gives the module itself."""
        return self.to("float32")

    def double(self) -> Self:
        """All inexact tensors as float64; gives the module itself."""
        return self.to("float64")

    def half(self) -> Self:
        """All inexact tensors as float16; gives the module itself."""
        return self.to("float16")

    def bfloat16(self) -> Self:
        """All inexact tensors as bfloat16; gives the module itself."""
        return self.to("bfloat16")

    def cpu(self) -> Self:
        """All tensors in main memory; gives the module itself."""
        return self.to("cpu")

    def extra_repr(self) -> str:
        """What stands in the brackets when the module is printed."""
        shown = [
            f"{name}={value!r}"
            for name, value in self.__dict__.items()
            if isinstance(value, bool | int | float | str | tuple)
            and name != "training"
            and not name.startswith("_")
            and not _is_dynamic(value)
        ]
        return ", ".join(shown)

    def __repr__(self) -> str:
        inner = [
            f"  ({name}): " + repr(child).replace("\n", "\n  ")
            for name, child in self.named_children()
        ]
        head = f"{type(self).__name__}({self.extra_repr()}"
        return head + ("\n" + "\n".join(inner) + "\n)" if inner else ")")


def _is_parameter(value: Tensor) -> bool:
    return isinstance(value, Parameter) or value.requires_grad


def _load(name: str, target: Tensor, source: Any) -> None:
    data = source.detach() if isinstance(source, Tensor) else Tensor(source)
    if data.shape != target.shape:
        raise ShapeError(
            f"load_state_dict: {name} has shape {data.shape} in the state, {target.shape} in the "
            "module"
        )
    _replace(target, data.astype(target.dtype))


def _replace(target: Tensor, data: Tensor) -> None:
    """Give a tensor other data, also in another dtype; it stays a leaf."""
    wanted = target.requires_grad
    if wanted:
        target.requires_grad = False
    array = data._data("the data")
    target._array, target._value, target._dtype = array, None, data._dtype
    if wanted:
        target.requires_grad = True


def _move(value: Tensor, targets: Sequence[Any], options: Mapping[str, Any]) -> None:
    moved = value.detach().to(*targets, **options)
    if moved._dtype is not value._dtype and not value._dtype.is_inexact:
        return  # a counter stays an integer
    grad = value.grad
    _replace(value, moved)
    if grad is not None:
        value.grad = grad.to(*targets, **options)


def _parts(value: Any, name: str) -> Iterable[tuple[str, Any]]:
    """The items of a list, tuple or dict with their dotted names."""
    dot = f"{name}." if name else ""
    if isinstance(value, list | tuple):
        return [(f"{dot}{k}", item) for k, item in enumerate(value)]
    if isinstance(value, dict):
        return [(f"{dot}{key}", item) for key, item in value.items()]
    return ()


def _modules(value: Any, name: str) -> Iterator[tuple[str, Module]]:
    if isinstance(value, Module):
        yield name, value
    for label, item in _parts(value, name):
        yield from _modules(item, label)


def _tensors(value: Any, name: str, saved: bool = True) -> Iterator[tuple[str, Tensor, bool]]:
    """Tensors with dotted names, and whether they are part of the state."""
    if isinstance(value, Tensor):
        yield name, value, saved
    elif isinstance(value, Module):
        dot = f"{name}." if name else ""
        for key, item in value.__dict__.items():
            yield from _tensors(item, dot + key, saved and key not in value._not_saved)
    else:
        for label, item in _parts(value, name):
            yield from _tensors(item, label, saved)


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
