"""What public modules show: `dir` gives the names in `__all__`, and these are lazir's own."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp


def public_modules() -> dict[str, ModuleType]:
    """The modules that are reached from `lazir` by public names, and those imported by name."""
    found = {"lazir": lz}
    found |= {n: importlib.import_module(n) for n in ("lazir.cli", "lazir.ad_checkpoint")}
    waiting = list(found.items())
    while waiting:
        path, module = waiting.pop()
        for name in module.__all__:
            value = getattr(module, name)
            if isinstance(value, ModuleType) and f"{path}.{name}" not in found:
                found[f"{path}.{name}"] = value
                waiting.append((f"{path}.{name}", value))
    return found


MODULES = public_modules()


def test_the_known_modules_are_among_them() -> None:
    expected = {"numpy", "nn.functional", "nn.init", "optim.lr_scheduler", "scipy.special", "fft"}
    assert {f"lazir.{name}" for name in expected} <= MODULES.keys()


@pytest.mark.parametrize("path", MODULES)
def test_dir_shows_public_names_alone(path: str) -> None:
    module = MODULES[path]
    assert len(set(module.__all__)) == len(module.__all__)
    assert dir(module) == sorted(dir(module))
    shown = {name for name in dir(module) if not name.startswith("__")}
    assert shown == {name for name in module.__all__ if not name.startswith("__")}
    assert {"__name__", "__doc__", "__all__"} <= set(dir(module))


@pytest.mark.parametrize("path", MODULES)
def test_public_names_are_lazirs_own(path: str) -> None:
    """A helper of the standard library, or a name that nothing says anything about, is a leak."""
    for name in MODULES[path].__all__:
        value = getattr(MODULES[path], name)
        if (path, name) == ("lazir.nn.initializers", "Initializer"):
            continue  # a type: Callable[..., Tensor]
        home = str(getattr(value, "__module__", None) or "lazir").split(".")[0]
        allowed = ("lazir", "numpy") if path == "lazir.numpy" else ("lazir",)
        assert home in allowed, f"{path}.{name} is of {home}"
        if callable(value):
            assert value.__doc__, f"{path}.{name} says nothing"


def test_packages_without_public_names_are_not_shown() -> None:
    hidden = {m.name for m in pkgutil.iter_modules(lz.__path__)} - set(lz.__all__)
    assert {"apply", "trace", "tensor"} <= hidden
    assert not (hidden | {"compiler", "runtime"}) & set(dir(lz))


# -- copies that are not made --------------------------------------------------------------
A = np.arange(4.0)
T = lz.Tensor([1.0, 2.0])
NEEDS_COPY: dict[str, Callable[[], Any]] = {
    "list": lambda: lnp.array([1], copy=False),
    "number": lambda: lnp.array(3.0, copy=False),
    "dtype": lambda: lnp.array(A, "f32", copy=False),
    "tensor's dtype": lambda: lnp.array(T, "i32", copy=False),
    "columns": lambda: lnp.array(np.ones((3, 2)).T, copy=False),
    "strides": lambda: lnp.array(A[::2], copy=False),
}


@pytest.mark.parametrize("what", NEEDS_COPY)
def test_array_without_copy_is_an_error_where_one_is_needed(what: str) -> None:
    with pytest.raises(ValueError, match=r"array with copy=False"):
        NEEDS_COPY[what]()


def test_array_copies_as_numpy_2_does() -> None:
    held = np.arange(4.0)
    shared, own, either = (lnp.array(held, copy=c) for c in (False, True, None))
    held[0] = 9
    assert (shared[0].item(), own[0].item(), either[0].item()) == (9, 0, 0)
    assert lnp.array(T, copy=False) is T and lnp.array(T, copy=None) is T
    assert lnp.array(T) is not T
    assert lnp.array([1, 2], "f32", copy=None).tolist() == [1.0, 2.0]
    assert lnp.array(T, copy=False, ndmin=2).shape == (1, 2)


# -- device_put ----------------------------------------------------------------------------
@lz.tree.register_dataclass
@dataclass
class Layer:
    weight: Any
    bias: Any


@dataclass
class Unknown:
    weight: Any


def test_device_put_takes_trees() -> None:
    given = {"a": 1, "b": (2.5, [A, T], None), "c": Layer(A, True)}
    put = lz.device_put(given)
    assert lz.tree.structure(put) == lz.tree.structure(given)
    assert all(isinstance(leaf, lz.Tensor) for leaf in lz.tree.leaves(put))
    assert put["a"].item() == 1 and put["c"].weight.tolist() == A.tolist()
    assert put["b"][1][1].device == T.device
    for wrong in (Unknown(A), [Unknown(A)], "text", {"a": object()}):
        with pytest.raises(TypeError):
            lz.device_put(wrong)
    with pytest.raises(TypeError, match="register_dataclass"):
        lz.device_put(Unknown(A))
