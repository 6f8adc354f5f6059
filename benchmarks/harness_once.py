"""One cost of one library, paid in a fresh process: import, first call, compiling, calling.

Takes: a library's name and a cost's name. Gives: seconds as JSON on the last line of stdout.
Must not know: other libraries, repetition.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

PACKAGES = {"lazir": ("lazir",), "jax": ("jax", "jax.numpy"), "numpy": ("numpy",)}
UNROLLED = (20, 100, 500)


def importing(name: str) -> float:
    """The package and its namespace of NumPy names, NumPy's own import included."""
    start = time.perf_counter()
    for package in PACKAGES.get(name, (name,)):
        importlib.import_module(package)
    return time.perf_counter() - start


def library(name: str) -> Any:
    return importlib.import_module("harness_libraries").load(name)


def arrays(*shapes: tuple[int, ...]) -> list[Any]:
    rng = importlib.import_module("numpy").random.default_rng(0)
    return [rng.standard_normal(s, dtype="f4") for s in shapes]


def first(lib: Any, function: Callable[..., Any], arguments: list[Any]) -> float:
    """Tracing, compiling and one run."""
    compiled = lib.compile(function)
    start = time.perf_counter()
    lib.ready(compiled(*arguments))
    return time.perf_counter() - start


def first_call(name: str) -> float:
    lib = library(name)
    return first(lib, lambda a, b: a * b + a, [lib.put(x) for x in arrays((10,), (10,))])


def mlp(name: str) -> float:
    lib = library(name)
    leaves = importlib.import_module("harness_libraries").map_leaves
    found = importlib.import_module("workloads").exactly("mlp_step")
    rng = importlib.import_module("numpy").random.default_rng(0)
    arguments = [leaves(lib.put, a) for a in found.inputs(rng, **found.full)]
    return first(lib, found.made(lib), arguments)


def unrolled(name: str, steps: int) -> float:
    """The gradient of a recurrence h ← tanh(h w), unrolled in Python."""
    lib = library(name)

    def loss(w: Any, h: Any) -> Any:
        for _ in range(steps):
            h = lib.np.tanh(h @ w)
        return (h * h).sum()

    arguments = [lib.put(x) for x in arrays((32, 32), (8, 32))]
    return first(lib, lib.value_and_grad(loss), arguments)


def calling(name: str, own_arrays: bool) -> float:
    """One call on two arrays of 10 elements: four operations. The best of 20 series."""
    lib = library(name)
    function = lib.compile(lambda a, b: (a * b + a) * b + a)
    a, b = (lib.put(x) if own_arrays else x for x in arrays((10,), (10,)))
    ready = lib.ready
    for _ in range(100):
        ready(function(a, b))
    best = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(1000):
            function(a, b)
        ready(function(a, b))
        best = min(best, (time.perf_counter() - start) / 1001)
    return best


COSTS: dict[str, Callable[[str], float]] = {
    "import": importing,
    "first_call": first_call,
    "mlp": mlp,
    "calling": lambda name: calling(name, True),
    "calling_numpy": lambda name: calling(name, False),
    **{f"unrolled_{n}": lambda name, n=n: unrolled(name, n) for n in UNROLLED},  # type: ignore[misc]
}


def main() -> None:
    name, cost = sys.argv[1:]
    print("\n" + json.dumps({"seconds": COSTS[cost](name)}))


if __name__ == "__main__":
    main()
