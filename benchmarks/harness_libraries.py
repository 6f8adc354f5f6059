"""The libraries that are compared, behind one small face, so that a workload is written once.

Takes: the name of a library. Gives: its `Library`, or ImportError where it is not installed.
Must not know: workloads, timing. Each library is imported only in the process that measures it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Function = Callable[..., Any]


class Unsupported(Exception):
    """A library cannot say a workload; the table shows a dash and the reason."""


def map_leaves(function: Callable[[Any], Any], value: Any) -> Any:
    """The same nest of lists, tuples and dicts with `function` applied to every leaf."""
    if isinstance(value, list | tuple):
        return type(value)(map_leaves(function, v) for v in value)
    if isinstance(value, dict):
        return {k: map_leaves(function, v) for k, v in value.items()}
    return function(value)


def leaves_of(value: Any) -> list[Any]:
    """The leaves of a nest, in order; dicts by key."""
    if isinstance(value, list | tuple):
        return [leaf for v in value for leaf in leaves_of(v)]
    if isinstance(value, dict):
        return [leaf for k in sorted(value) for leaf in leaves_of(value[k])]
    return [value]


def _half(w: Any, layout: str) -> tuple[int, int]:
    """Half of a kernel's sides."""
    high, wide = w.shape[:2] if layout == "NHWC" else w.shape[2:]
    return high // 2, wide // 2


def tree_map(function: Function, tree: Any, *others: Any) -> Any:
    """`function` on the leaves of equal nests."""
    if isinstance(tree, list | tuple):
        return type(tree)(tree_map(function, *parts) for parts in zip(tree, *others))
    if isinstance(tree, dict):
        return {k: tree_map(function, tree[k], *(o[k] for o in others)) for k in tree}
    return function(tree, *others)


class Library:
    """NumPy, and what the others say differently.

    `np` is the namespace with NumPy's names. `conv(x, w)` takes images NHWC and kernels HWIO, or
    NCHW and OIHW, without padding, or with "SAME" padding: half a kernel on every side, whatever
    the stride.
    """

    name = "numpy"

    def __init__(self) -> None:
        self.np: Any = np
        self.version = str(np.__version__)

    def put(self, array: Any) -> Any:
        """The library's own array."""
        return array

    def compile(self, function: Function) -> Function:
        return function

    def fix(self, function: Function, fixed: Sequence[Any]) -> Function:
        """The function with its last arguments given once and for all: the weights of a network
        that is used, not trained. They are NumPy arrays."""
        given = [map_leaves(self.put, a) for a in fixed]
        return self.compile(lambda *args: function(*args, *given))

    def ready(self, result: Any) -> Any:
        """The result once it is computed."""
        return result

    def read(self, leaf: Any) -> Any:
        return np.asarray(leaf)

    def value_and_grad(self, function: Function) -> Function:
        raise Unsupported(f"{self.name} has no derivatives")

    def fori_loop(self, lower: int, upper: int, body: Function, start: Any) -> Any:
        for k in range(lower, upper):
            start = body(k, start)
        return start

    def put_at(self, array: Any, index: Any, value: Any) -> Any:
        """The array with one element replaced; NumPy does it in place."""
        array[index] = value
        return array

    def erf(self, x: Any) -> Any:
        try:
            return importlib.import_module("scipy.special").erf(x)
        except ImportError:
            raise Unsupported("NumPy has no erf, and SciPy is not installed") from None

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        return self.np.transpose(x, axes)

    def amax(self, x: Any, axis: Any, keepdims: bool = False) -> Any:
        return x.max(axis=axis, keepdims=keepdims)

    def relu(self, x: Any) -> Any:
        return self.np.maximum(x, 0)

    def attention(self, q: Any, k: Any, v: Any, causal: bool) -> Any:
        """softmax(q kᵀ / √d) v over the last two axes; causal: a row sees none behind itself."""
        scores = q @ self.transpose(k, (0, 1, 3, 2)) * q.shape[-1] ** -0.5
        if causal:
            scores = self.np.where(self.np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
        e = self.np.exp(scores - self.amax(scores, -1, keepdims=True))
        return (e / e.sum(-1, keepdims=True)) @ v

    def leaky(self, x: Any) -> Any:
        """LeakyReLU with slope 0.1."""
        return self.np.maximum(x, x * 0.1)

    def concat(self, parts: Any) -> Any:
        """Images side by side along their channels, the last axis."""
        return self.np.concatenate(parts, -1)

    def doubled(self, x: Any) -> Any:
        """Images NHWC with every pixel four times: nearest-neighbour upsampling."""
        return self.np.repeat(self.np.repeat(x, 2, axis=1), 2, axis=2)

    def pool(self, x: Any, stride: int = 2) -> Any:
        """The largest of 2×2 pixels, NHWC; with stride 1 the edge is padded below and right."""
        if stride == 1:
            x = np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=-np.inf)
        windows = np.lib.stride_tricks.sliding_window_view(x, (2, 2), axis=(1, 2))
        return windows[:, ::stride, ::stride].max(axis=(-1, -2))

    def conv(
        self, x: Any, w: Any, padding: str = "VALID", stride: int = 1, groups: int = 1,
        layout: str = "NHWC",
    ) -> Any:  # fmt: skip
        if layout == "NCHW":
            x, w = x.transpose(0, 2, 3, 1), w.transpose(2, 3, 1, 0)
            return self.conv(x, w, padding, stride, groups).transpose(0, 3, 1, 2)
        high, wide, channels, features = w.shape
        if padding == "SAME":
            x = np.pad(x, ((0, 0), (high // 2,) * 2, (wide // 2,) * 2, (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(x, (high, wide), axis=(1, 2))
        windows = windows[:, ::stride, ::stride]
        rows = windows.transpose(0, 1, 2, 4, 5, 3)  # n, y, x, kernel y, kernel x, channel
        shape = rows.shape[:3]
        parts = [
            part.reshape(-1, high * wide * channels) @ weights.reshape(-1, features // groups)
            for part, weights in zip(np.split(rows, groups, -1), np.split(w, groups, -1))
        ]
        return np.concatenate(parts, -1).reshape(*shape, features)


class Lazir(Library):
    """lazir: what is measured."""

    name = "lazir"

    def __init__(self) -> None:
        self.lz = importlib.import_module("lazir")
        self.np = self.lz.numpy
        self.version = importlib.import_module("importlib.metadata").version("lazir")

    def put(self, array: Any) -> Any:
        return self.lz.Tensor(array)

    def compile(self, function: Function) -> Function:
        return self.lz.compile(function)  # type: ignore[no-any-return]

    def fix(self, function: Function, fixed: Sequence[Any]) -> Function:
        given = [map_leaves(self.put, a) for a in fixed]
        return self.lz.compile(lambda *args: function(*args, *given), freeze=True)  # type: ignore[no-any-return]

    def ready(self, result: Any) -> Any:
        map_leaves(lambda t: t.block_until_ready(), result)
        return result

    def value_and_grad(self, function: Function) -> Function:
        return self.lz.value_and_grad(function)  # type: ignore[no-any-return]

    def fori_loop(self, lower: int, upper: int, body: Function, start: Any) -> Any:
        return self.lz.fori_loop(lower, upper, body, start)

    def put_at(self, array: Any, index: Any, value: Any) -> Any:
        return array.at[index].set(value)

    def erf(self, x: Any) -> Any:
        return self.lz.lax.erf(x)

    def relu(self, x: Any) -> Any:
        return self.lz.nn.functional.relu(x)

    def attention(self, q: Any, k: Any, v: Any, causal: bool) -> Any:
        return self.lz.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)

    def pool(self, x: Any, stride: int = 2) -> Any:
        if stride == 1:
            x = self.np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=-np.inf)
        windows = self.lz.nn.functional.max_pool2d(self.np.transpose(x, (0, 3, 1, 2)), 2, stride)
        return self.np.transpose(windows, (0, 2, 3, 1))

    def conv(
        self, x: Any, w: Any, padding: str = "VALID", stride: int = 1, groups: int = 1,
        layout: str = "NHWC",
    ) -> Any:  # fmt: skip
        sides = _half(w, layout) if padding == "SAME" else (0, 0)
        kernels = self.np.transpose(w, (3, 2, 0, 1)) if layout == "NHWC" else w
        return self.lz.nn.functional.conv2d(
            x, kernels, stride=stride, padding=sides, groups=groups, layout=layout
        )


class Jax(Library):
    """JAX: `jax.jit`."""

    name = "jax"

    def __init__(self) -> None:
        self.jax = importlib.import_module("jax")
        self.jax.config.update("jax_platforms", "cpu")
        self.np = importlib.import_module("jax.numpy")
        self.version = str(self.jax.__version__)

    def put(self, array: Any) -> Any:
        """Eight-byte numbers stay so: JAX halves them unless told otherwise before it compiles."""
        if array.dtype.itemsize == 8:
            self.jax.config.update("jax_enable_x64", True)
        return self.np.asarray(array)

    def compile(self, function: Function) -> Function:
        return self.jax.jit(function)  # type: ignore[no-any-return]

    def ready(self, result: Any) -> Any:
        return self.jax.block_until_ready(result)

    def value_and_grad(self, function: Function) -> Function:
        return self.jax.value_and_grad(function)  # type: ignore[no-any-return]

    def fori_loop(self, lower: int, upper: int, body: Function, start: Any) -> Any:
        return self.jax.lax.fori_loop(lower, upper, body, start)

    def put_at(self, array: Any, index: Any, value: Any) -> Any:
        return array.at[index].set(value)

    def erf(self, x: Any) -> Any:
        return self.jax.lax.erf(x)

    def relu(self, x: Any) -> Any:
        return self.jax.nn.relu(x)

    def pool(self, x: Any, stride: int = 2) -> Any:
        edges = ((0, 0), (0, stride == 1), (0, stride == 1), (0, 0))
        shape, steps = (1, 2, 2, 1), (1, stride, stride, 1)
        return self.jax.lax.reduce_window(x, -np.inf, self.jax.lax.max, shape, steps, edges)

    def conv(
        self, x: Any, w: Any, padding: str = "VALID", stride: int = 1, groups: int = 1,
        layout: str = "NHWC",
    ) -> Any:  # fmt: skip
        sides = [(n, n) for n in _half(w, layout)] if padding == "SAME" else padding
        names = (layout, "HWIO" if layout == "NHWC" else "OIHW", layout)
        return self.jax.lax.conv_general_dilated(
            x, w, (stride, stride), sides, dimension_numbers=names, feature_group_count=groups
        )


class Numba(Library):
    """Numba: the workload as loops over NumPy arrays, compiled."""

    name = "numba"

    def __init__(self) -> None:
        super().__init__()
        self.numba = importlib.import_module("numba")
        self.version = str(self.numba.__version__)

    def compile(self, function: Function) -> Function:
        return self.numba.njit(function)  # type: ignore[no-any-return]


PLACES = {
    "lazir": "harness_libraries.Lazir",
    "numpy": "harness_libraries.Library",
    "jax": "harness_libraries.Jax",
    "numba": "harness_libraries.Numba",
    "torch": "harness_torch.Torch",
    "inductor": "harness_torch.Inductor",
    "onnxruntime": "harness_onnx.OnnxRuntime",
}
PACKAGES = {"inductor": "torch"}
"""The package of a library that has another name than the library."""


def load(name: str) -> Library:
    """The library of that name. ImportError: it is not installed here."""
    module, kind = PLACES[name].split(".")
    made: Library = getattr(importlib.import_module(module), kind)()
    return made
