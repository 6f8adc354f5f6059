"""The settings that programs written for JAX make, by JAX's names.

Takes: a name and a value. Gives: nothing. Must not know: what depends on a setting.
"""

from __future__ import annotations

from typing import Any

from .dtypes import default_float, float64, set_default_dtype
from .public import listing

_GIVEN = {
    "jax_default_matmul_precision": (None, "default", "high", "highest", "float32"),
    "jax_platform_name": (None, "", "cpu"),
    "jax_platforms": (None, "", "cpu"),
    "jax_threefry_partitionable": (True,),
}
"""Settings of JAX that lazir has no choice in, and the values that say what it does."""


def update(name: str, value: Any) -> None:
    """Make a setting. "jax_enable_x64": floats that nothing else decides are float64 (True) or
    float32 (False), as `lz.set_default_dtype` does; 64-bit types are there in any case.

    Settings that lazir cannot follow are an error, rather than something to wonder about.

    >>> import lazir as lz
    >>> lz.config.update("jax_enable_x64", True)
    >>> lz.numpy.ones(2).dtype
    f64
    >>> lz.config.update("jax_enable_x64", False)
    """
    if name == "jax_enable_x64":
        set_default_dtype("float64" if value else "float32")
    elif name not in _GIVEN:
        raise AttributeError(
            f"lazir has no setting {name!r}; it knows jax_enable_x64, and of "
            f"{', '.join(_GIVEN)} what it does anyway"
        )
    elif value not in _GIVEN[name]:
        can = ", ".join(repr(v) for v in _GIVEN[name])
        raise ValueError(f"{name} can be {can} here, not {value!r}")


def read(name: str) -> Any:
    """What a setting is.

    >>> import lazir as lz
    >>> lz.config.read("jax_enable_x64")
    False
    """
    if name == "jax_enable_x64":
        return default_float() is float64
    if name not in _GIVEN:
        raise AttributeError(f"lazir has no setting {name!r}")
    return _GIVEN[name][0]


def __getattr__(name: str) -> Any:
    """`config.jax_enable_x64` and `config.x64_enabled`."""
    return read("jax_enable_x64" if name == "x64_enabled" else name)


__all__ = ["read", "update"]
__dir__ = listing(__name__)
