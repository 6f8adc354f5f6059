"""PyTorch's keywords on methods that NumPy has too: `x.sum(dim=1, keepdim=True)`.

Takes: what a method was called with. Gives: NumPy's arguments, or an error where the two differ.
Must not know: tensors.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import late


class Extremum(NamedTuple):
    """What `x.max(dim=…)` gives: the values, and their places along the axis."""

    values: Any
    indices: Any


def axis_of(axis: Any, options: dict[str, Any]) -> Any:
    """The axis, also from `dim=`; `keepdim=` becomes `keepdims=`. TypeError for both at once."""
    if "keepdim" in options:
        options["keepdims"] = options.pop("keepdim")
    if "dim" not in options:
        return axis
    if axis is not None:
        raise TypeError("axis and dim are two names of one argument: give one of them")
    return options.pop("dim")


def with_places(x: Any, name: str, dim: int, keepdim: bool = False, **options: Any) -> Any:
    """`x.max(dim)` or `x.min(dim)` as in PyTorch: the first of equals counts."""
    if options:
        raise TypeError(f"{name}(dim=…) takes keepdim=, not {', '.join(options)}=")
    return Extremum(
        getattr(late.numpy, name)(x, dim, keepdims=keepdim),
        getattr(late.numpy, f"arg{name}")(x, dim, keepdims=keepdim),
    )


def refuse_dim(name: str, options: dict[str, Any]) -> None:
    """PyTorch divides by n − 1, NumPy by n: `dim=` leaves open which is meant."""
    if "dim" in options or "keepdim" in options or "unbiased" in options:
        raise TypeError(
            f"{name}(dim=…) divides by n - 1 in PyTorch and by n in NumPy: "
            f"write {name}(axis=…, keepdims=…, ddof=1), or ddof=0 for NumPy's"
        )
