"""The type of floats that nothing else decides, and what follows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    yield
    lz.set_default_dtype("float32")


CREATED: dict[str, Any] = {
    "zeros": lambda: lnp.zeros(2),
    "full": lambda: lnp.full(2, 0.5),
    "a list": lambda: lnp.array([0.5]),
    "an empty list": lambda: lnp.array([]),
    "arange": lambda: lnp.arange(0.0, 1.0, 0.5),
    "linspace": lambda: lnp.linspace(0, 1, 3),
    "eye": lambda: lnp.eye(2),
    "tri": lambda: lnp.tri(2),
    "a function of integers": lambda: lnp.sqrt(lnp.arange(3)),
    "division": lambda: lnp.arange(3) / 2,
    "a mean": lambda: lnp.arange(3).mean(),
    "a float beside integers": lambda: lnp.arange(3) * 0.5,
    "float": lambda: lnp.arange(3).astype(float),
    "kaiser": lambda: lnp.kaiser(3, 2.0),
    "a gradient": lambda: lz.grad(lambda x: x**2)(2.0),
    "random numbers": lambda: lz.random.normal(lz.random.key(0), (2,)),
    "uniform ones": lambda: lz.random.uniform(lz.random.key(0), (2,)),
    "gamma numbers": lambda: lz.random.gamma(lz.random.key(0), 2.0, (2,)),
    "initial values": lambda: lz.nn.initializers.lecun_normal()(lz.random.key(0), (2, 3)),
    "a layer's weight": lambda: lz.nn.Linear(2, 3).weight,
    "a layer's moments": lambda: lz.nn.BatchNorm1d(3).running_mean,
    "an embedding": lambda: lz.nn.Embedding(2, 3).weight,
}


@pytest.mark.parametrize("name", CREATED)
def test_what_is_made(name: str) -> None:
    assert CREATED[name]().dtype == np.float32
    lz.set_default_dtype("float64")
    assert CREATED[name]().dtype == np.float64


def test_tensors_decide_over_python_numbers() -> None:
    lz.set_default_dtype(lz.float64)
    assert (lnp.ones(2, "float32") * 0.5).dtype == np.float32
    assert (lnp.ones(2, "float32") * 1j).dtype == np.complex64
    assert (lnp.ones(2, "int32") * 1j).dtype == np.complex128
    assert lnp.array([1j]).dtype == np.complex128
    assert lz.get_default_dtype() is lz.float64


def test_compiled_functions_follow() -> None:
    """On the short way of a call too, and back without another trace."""
    f = lz.compile(lambda x: x + lnp.full(3, 0.1))
    x = np.zeros(3, np.float32)
    for _ in range(3):
        assert f(x).dtype == np.float32
    lz.set_default_dtype("float64")
    for _ in range(3):
        assert f(x).dtype == np.float64
        assert f(x).numpy()[0] == 0.1
    lz.set_default_dtype("float32")
    assert f(x).dtype == np.float32
    assert f.explain_recompile() == ["the first call", "the default dtype was f32 and is f64"]


def test_the_setting_of_jax() -> None:
    lz.config.update("jax_enable_x64", True)
    assert lz.config.jax_enable_x64 and lnp.zeros(1).dtype == np.float64
    lz.config.update("jax_enable_x64", False)
    assert not lz.config.read("jax_enable_x64")
    lz.config.update("jax_platform_name", "cpu")
    with pytest.raises(ValueError, match="can be None, '', 'cpu' here, not 'tpu'"):
        lz.config.update("jax_platform_name", "tpu")
    with pytest.raises(AttributeError, match="no setting 'jax_debug_nans'"):
        lz.config.update("jax_debug_nans", True)


def test_only_floats() -> None:
    with pytest.raises(TypeError, match="float type"):
        lz.set_default_dtype("int32")
