"""`jax.lax`'s names for work on several devices: lazir programs run on one, and say so.

Takes anything. Gives: an error that says what to do. Must not know: devices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lazir.compiler.errors import LazirError

from ..locate import user_line

NAMES = (
    "all_gather", "all_to_all", "axis_index", "axis_size", "pbroadcast", "pcast", "pmax", "pmean",
    "pmin", "ppermute", "precv", "psend", "pshuffle", "psum", "psum_scatter", "pswapaxes",
    "ragged_all_to_all",
)  # fmt: skip
"""The names that need a named axis of devices."""


def refusal(name: str) -> Callable[..., Any]:
    """A function of that name that raises LazirError."""

    def collective(*args: Any, **kwargs: Any) -> Any:
        raise LazirError(
            f"lax.{name} communicates along a named axis, which lazir does not have: a program "
            "runs on one device; reduce along the batch axis instead, outside of vmap",
            user_line(),
        )

    collective.__name__ = collective.__qualname__ = name
    collective.__doc__ = "Raises LazirError: there are no named axes."
    return collective
