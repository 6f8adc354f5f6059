"""Matrix products of random shapes: odd, skinny, transposed, batched, in f32 and f64.

The shapes are drawn with a fixed seed, so that no schedule can be made for them, and every run has
the same ones. They are measured when asked for: `run.py --only product_`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import Workload

SEED = 2026
TEXTS = ("ik,kj->ij", "ki,kj->ij", "ik,jk->ij", "ki,jk->ij")
BATCHED = ("bik,bkj->bij", "bik,bjk->bij", "bki,bkj->bij")


@dataclass(frozen=True)
class Shape:
    """One product: which axes meet, as for einsum, how long they are, and the element type."""

    text: str
    sizes: dict[str, int]
    dtype: str

    @property
    def name(self) -> str:
        lengths = "x".join(str(self.sizes[k]) for k in "bijk" if k in self.sizes)
        return f"product_{'_'.join(self.operands)}_{lengths}_{self.dtype}"

    @property
    def operands(self) -> tuple[str, str]:
        left, right = self.text.split("->")[0].split(",")
        return left, right


def _long(rng: Any, low: int, high: int) -> int:
    """A length, small ones as likely as large ones."""
    return int(np.exp(rng.uniform(np.log(low), np.log(high + 1))))


def shapes() -> list[Shape]:
    """Eight of each kind; the last two of every eight in f64."""
    rng = np.random.default_rng(SEED)
    kinds: list[tuple[tuple[str, ...], Callable[[], dict[str, int]]]] = [
        (TEXTS, lambda: {k: _long(rng, 40, 1500) for k in "ijk"}),
        (TEXTS, lambda: {"i": _long(rng, 1, 12), **{k: _long(rng, 256, 4096) for k in "jk"}}),
        (TEXTS, lambda: {"j": _long(rng, 1, 12), **{k: _long(rng, 256, 4096) for k in "ik"}}),
        (TEXTS, lambda: {"k": _long(rng, 2, 24), **{k: _long(rng, 128, 2048) for k in "ij"}}),
        (BATCHED, lambda: {"b": _long(rng, 8, 256), **{k: _long(rng, 8, 96) for k in "ijk"}}),
    ]
    return [
        Shape(texts[n % len(texts)], draw(), "f4" if n < 6 else "f8")
        for texts, draw in kinds
        for n in range(8)
    ]


def workload(shape: Shape) -> Workload:
    """A shape as a workload; the quick size is a product of the same kind, but small."""

    def inputs(rng: Any, **size: int) -> Any:
        return [
            rng.standard_normal([size[k] for k in axes], dtype=shape.dtype)
            for axes in shape.operands
        ]

    def make(lib: Any) -> Any:
        def matrices(x: Any, axes: str, wanted: str) -> Any:
            wanted = "b" * ("b" in axes) + wanted
            return x if axes == wanted else lib.transpose(x, tuple(map(axes.index, wanted)))

        left, right = shape.operands
        return lambda x, y: matrices(x, left, "ik") @ matrices(y, right, "kj")

    def work(**size: int) -> tuple[float, float]:
        counts = [np.prod([size[k] for k in axes]) for axes in (*shape.operands, "ij")]
        each = np.dtype(shape.dtype).itemsize
        return 2.0 * float(np.prod(list(size.values()))), float(each * sum(counts))

    small = {k: min(n, 5) for k, n in shape.sizes.items()}
    return Workload(shape.name, shape.sizes, small, inputs, make, work)


WORKLOADS = [workload(shape) for shape in shapes()]
