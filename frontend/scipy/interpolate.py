"""Functions between samples on a grid.

Takes: samples. Gives: a callable, differentiable in points and samples.
Must not know: what the samples mean.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from .. import numpy as lnp
from ..apply import fail
from ..public import listing
from ..tensor import Tensor

__all__ = ["RegularGridInterpolator"]
__dir__ = listing(__name__)


class RegularGridInterpolator:
    """Samples on a grid of any spacing, read in between.

    points: d growing vectors; values: [n₁, …, n_d, …]; method: "linear" or "nearest". Points
    outside give fill_value, by default NaN; None goes on as at the border.

    >>> import lazir as lz
    >>> from lazir.scipy.interpolate import RegularGridInterpolator
    >>> f = RegularGridInterpolator([[0.0, 1.0], [0.0, 2.0]], lz.Tensor([[0.0, 2.0], [1.0, 3.0]]))
    >>> f([[0.5, 1.0]]).tolist()
    [1.5]
    """

    def __init__(
        self,
        points: Sequence[Any],
        values: Any,
        method: str = "linear",
        bounds_error: bool = False,
        fill_value: float | None = float("nan"),
    ) -> None:
        if method not in ("linear", "nearest"):
            fail(f"RegularGridInterpolator has the methods linear and nearest, not {method!r}")
        if bounds_error:
            fail("RegularGridInterpolator cannot raise on values; bounds_error must be False")
        self.grid = [lnp.asarray(p) for p in points]
        self.values = lnp.asarray(values)
        self.method, self.fill_value = method, fill_value
        sizes = tuple(p.shape[0] for p in self.grid)
        if any(p.ndim != 1 for p in self.grid) or self.values.shape[: len(sizes)] != sizes:
            fail(f"a grid of {sizes} points does not fit values of shape {self.values.shape}")
        if any(n < 2 for n in sizes):
            fail("RegularGridInterpolator needs two points on each axis")

    def __call__(self, xi: Any, method: str | None = None) -> Tensor:
        """The values at points [..., d], or at a tuple of d tensors."""
        places = (
            lnp.stack(lnp.broadcast_arrays(*xi), -1) if isinstance(xi, tuple) else lnp.asarray(xi)
        )
        if places.shape[-1:] != (len(self.grid),):
            fail(f"points have {len(self.grid)} coordinates; got shape {places.shape}")
        nearest = (method or self.method) == "nearest"
        axes = [self._neighbours(p, places[..., k], nearest) for k, p in enumerate(self.grid)]
        extra = (1,) * (self.values.ndim - len(self.grid))
        total: Any = 0
        for corner in itertools.product(*axes):
            weight: Any = 1
            for _, w in corner:
                weight = weight * w
            weight = lnp.asarray(weight)
            part = self.values[tuple(k for k, _ in corner)]
            total = total + weight.reshape(*weight.shape, *(extra if weight.ndim else ())) * part
        if self.fill_value is None:
            return lnp.asarray(total)
        outside: Any = False
        for k, p in enumerate(self.grid):
            outside = outside | (places[..., k] < p[0]) | (places[..., k] > p[-1])
        return lnp.where(outside.reshape(*outside.shape, *extra), self.fill_value, total)

    @staticmethod
    def _neighbours(points: Tensor, at: Tensor, nearest: bool) -> list[tuple[Tensor, Any]]:
        low = lnp.clip(lnp.searchsorted(points, at, side="right") - 1, 0, points.shape[0] - 2)
        share = (at - points[low]) / (points[low + 1] - points[low])
        if nearest:
            return [(lnp.where(share <= 0.5, low, low + 1), 1)]
        return [(low, 1 - share), (low + 1, share)]
