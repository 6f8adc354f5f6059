"""What networks do with rows, and its gradients: normalisations, cross entropy of each row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import MATH, Workload
from .rows import SIZE, SMALL, layer_norm, norm_inputs, softmax, softmax_inputs

Make = Callable[[Any], Callable[..., Any]]


def log_softmax(lib: Any) -> Any:
    def run(x: Any) -> Any:
        off = x - lib.amax(x, -1, keepdims=True)
        return off - lib.np.log(lib.np.exp(off).sum(-1, keepdims=True))

    return run


def rms_norm(lib: Any) -> Any:
    def run(x: Any, scale: Any, shift: Any) -> Any:
        return x / lib.np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * scale + shift

    return run


def cross_entropy(lib: Any) -> Any:
    """The mean over rows of −Σ target · log softmax, the targets being weights of all classes."""

    def run(x: Any, targets: Any) -> Any:
        return -(log_softmax(lib)(x) * targets).sum(-1).mean()

    return run


def squares(make: Make) -> Make:
    """The gradient of the sum of squares, by the first operand."""

    def gradient(lib: Any) -> Any:
        run = make(lib)

        def loss(*args: Any) -> Any:
            y = run(*args)
            return (y * y).sum()

        return lib.value_and_grad(loss)

    return gradient


def entropy_inputs(rng: Any, rows: int, columns: int) -> Any:
    (x,) = softmax_inputs(rng, rows, columns)
    targets = rng.random((rows, columns), dtype="f4")
    return x, targets / targets.sum(-1, keepdims=True)


def light(rows: int, columns: int) -> tuple[float, float]:
    return 6 * rows * columns, 8 * rows * columns


def heavy(rows: int, columns: int) -> tuple[float, float]:
    return (6 + MATH) * rows * columns, 8 * rows * columns


def _gradient(name: str, inputs: Any, make: Make, work: Any) -> Workload:
    return Workload(
        f"{name}_grad", SIZE, SMALL, inputs, make, work, tolerance=5e-4,
        without=("numba", "numpy", "onnxruntime"),
    )  # fmt: skip


WORKLOADS = [
    Workload("log_softmax", SIZE, SMALL, softmax_inputs, log_softmax, heavy),
    Workload("rms_norm", SIZE, SMALL, norm_inputs, rms_norm, light),
    Workload("cross_entropy", SIZE, SMALL, entropy_inputs, cross_entropy, heavy),
    _gradient("softmax", softmax_inputs, squares(softmax), heavy),
    _gradient("log_softmax", softmax_inputs, squares(log_softmax), heavy),
    _gradient("layer_norm", norm_inputs, squares(layer_norm), light),
    _gradient("rms_norm", norm_inputs, squares(rms_norm), light),
    _gradient(
        "cross_entropy", entropy_inputs, lambda lib: lib.value_and_grad(cross_entropy(lib)), heavy
    ),
]
