"""What is measured: one file for each kind of computation, each a list `WORKLOADS`.

Takes: nothing. Gives: `find(names)`. Must not know: how it is timed, which libraries exist.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Size = dict[str, int]
FILES = (
    "elementwise", "sums", "rows", "products", "convolution", "resnet", "yolo", "mlp", "cnn",
    "transformer", "black_scholes", "gauss_seidel", "recurrences", "tables", "pairwise",
)  # fmt: skip
ON_REQUEST = ("products_random", "residual", "attention", "rows_grad", "bandwidth", "stencils")
"""Sets of many shapes, which are measured only where one asks for them by name."""


@dataclass(frozen=True)
class Workload:
    """One computation.

    `inputs(rng, **size)` are NumPy arrays (nested, if need be), `make(library)` is the function of
    them, written with that library's face; `instead` has other texts for libraries that need one.
    `work(**size)` is (operations, bytes): what must at least be computed and moved; a fused
    multiply-add is two operations, an elementary function MATH. Results agree within `tolerance`
    of the largest magnitude. The last `fixed` inputs are the same in every call: weights of a
    network that is used, which a library may prepare beforehand.
    """

    name: str
    full: Size
    quick: Size
    inputs: Callable[..., Sequence[Any]]
    make: Callable[[Any], Callable[..., Any]]
    work: Callable[..., tuple[float, float]]
    tolerance: float = 1e-4
    instead: dict[str, Callable[[Any], Callable[..., Any]]] = field(default_factory=dict)
    without: tuple[str, ...] = ("numba", "onnxruntime")
    fixed: int = 0

    def made(self, library: Any) -> Callable[..., Any]:
        """The function for a library."""
        return self.instead.get(library.name, self.make)(library)

    def size(self, quick: bool) -> Size:
        return self.quick if quick else self.full


MATH = 20
"""Operations that one elementary function counts for, as in `lazir explain`."""


def _of(files: Sequence[str]) -> list[Workload]:
    return [w for name in files for w in importlib.import_module(f"workloads.{name}").WORKLOADS]


def everything() -> list[Workload]:
    """All workloads of the table, in its order."""
    return _of(FILES)


def on_request() -> list[Workload]:
    """Those that are in no table unless they are named."""
    return _of(ON_REQUEST)


def exactly(name: str) -> Workload:
    """The workload of that name; the probes of the floor are found too."""
    return next(w for w in [*everything(), *on_request(), *_of(["floor"])] if w.name == name)


def find(names: Sequence[str]) -> list[Workload]:
    """Workloads whose name is given or starts with a given word. ValueError: none does."""
    found = [*everything(), *(on_request() if names else ())]
    for name in names:
        if not any(w.name.startswith(name) for w in found):
            known = ", ".join(w.name for w in found)
            raise ValueError(f"no workload is called {name!r}; there are {known}")
    return [w for w in found if not names or any(w.name.startswith(n) for n in names)]
