"""Modules that hold other modules: in a row, in a list, by name.

Takes: modules. Gives: modules. Must not know: any particular layer.
What is inside are attributes named "0", "1", … (or as the dict says), so that states have PyTorch's
names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from .module import Module


class _Holder(Module):
    """Attributes in an order."""

    _names: tuple[str, ...] = ()

    @property
    def _items(self) -> list[Any]:
        return [self.__dict__[name] for name in self._names]

    def _put(self, name: str, item: Any) -> None:
        if name in Module.__dict__ or "." in name:
            raise KeyError(f"{name!r} cannot name a module: it is a method, or has a dot")
        self.__dict__[name] = item
        if name not in self._names:
            self._names = (*self._names, name)

    def _drop(self, name: str) -> None:
        del self.__dict__[name]
        self._names = tuple(n for n in self._names if n != name)

    def __len__(self) -> int:
        return len(self._names)


class _Listed(_Holder):
    """A list of modules or parameters."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self.extend(items)

    def append(self, item: Any) -> Self:
        """One more at the end; gives the list itself."""
        self._put(str(len(self)), item)
        return self

    def extend(self, items: Iterable[Any]) -> Self:
        """More at the end; gives the list itself."""
        for item in list(items):
            self.append(item)
        return self

    def insert(self, index: int, item: Any) -> None:
        """One more before position `index`."""
        items = self._items
        items.insert(index, item)
        self._set(items)

    def _set(self, items: list[Any]) -> None:
        for name in self._names:
            self._drop(name)
        self.extend(items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __contains__(self, item: Any) -> bool:
        return any(item is held for held in self._items)

    def __getitem__(self, k: int | slice) -> Any:
        if isinstance(k, slice):
            made = object.__new__(type(self))
            made._set(self._items[k])
            return made
        return self._items[k]

    def __setitem__(self, k: int, item: Any) -> None:
        self.__dict__[self._names[k]] = item

    def __delitem__(self, k: int | slice) -> None:
        items = self._items
        del items[k]
        self._set(items)


class ModuleList(_Listed):
    """Modules in a list.

    >>> import lazir as lz
    >>> layers = lz.nn.ModuleList([lz.nn.Linear(2, 2) for _ in range(3)])
    >>> len(layers), list(layers.state_dict())[:2]
    (3, ['0.weight', '0.bias'])
    """


class ParameterList(_Listed):
    """Parameters in a list.

    >>> import lazir as lz
    >>> held = lz.nn.ParameterList([lz.nn.Parameter([1.0])])
    >>> [name for name, _ in held.named_parameters()]
    ['0']
    """


class Sequential(_Listed):
    """Modules one after the other; one dict gives them names.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> net = lz.nn.Sequential(lz.nn.Linear(3, 4), lz.nn.ReLU(), lz.nn.Linear(4, 2))
    >>> net(lnp.ones((5, 3))).shape
    (5, 2)
    """

    def __init__(self, *layers: Any) -> None:
        if len(layers) == 1 and isinstance(layers[0], Mapping):
            for name, layer in layers[0].items():
                self._put(name, layer)
        else:
            self.extend(layers)

    def forward(self, x: Any) -> Any:
        """The layers applied in turn."""
        for layer in self:
            x = layer(x)
        return x


class _Named(_Holder):
    """Modules or parameters by name."""

    def __init__(self, items: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        self.update(items)

    def update(self, items: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """More of them, or others under the same names."""
        for name, item in dict(items).items():
            self._put(name, item)

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        return self.__dict__[name]

    def __setitem__(self, name: str, item: Any) -> None:
        self._put(name, item)

    def __delitem__(self, name: str) -> None:
        self._drop(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, name: Any) -> bool:
        return name in self._names

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._names

    def values(self) -> Iterable[Any]:
        """What is held."""
        return self._items

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names and what is held."""
        return zip(self._names, self._items)


class ModuleDict(_Named):
    """Modules by name.

    >>> import lazir as lz
    >>> heads = lz.nn.ModuleDict({"a": lz.nn.Linear(2, 1)})
    >>> list(heads), "b" in heads
    (['a'], False)
    """


class ParameterDict(_Named):
    """Parameters by name.

    >>> import lazir as lz
    >>> held = lz.nn.ParameterDict({"scale": lz.nn.Parameter([1.0])})
    >>> [name for name, _ in held.named_parameters()]
    ['scale']
    """
