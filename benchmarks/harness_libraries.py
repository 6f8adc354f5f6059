"""The libraries that are compared, behind one small face, so that a workload is written once.

Takes: the name of a library. Gives: its `Library`, or ImportError where it is not installed.
Must not know: workloads, timing. Each library is imported only in the process that measures it.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
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
    NCHW and OIHW, without padding or (at stride 1) with "SAME" padding.
    """

    name = "numpy"
    package = "numpy"

    def __init__(self) -> None:
        self.np: Any = np
        self.version = str(np.__version__)

    def put(self, array: Any) -> Any:
        """The library's own array."""
        return array

    def compile(self, function: Function) -> Function:
        return function

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

    name = package = "lazir"

    def __init__(self) -> None:
        self.lz = importlib.import_module("lazir")
        self.np = self.lz.numpy
        self.version = importlib.import_module("importlib.metadata").version("lazir")

    def put(self, array: Any) -> Any:
        return self.lz.Tensor(array)

    def compile(self, function: Function) -> Function:
        return self.lz.compile(function)  # type: ignore[no-any-return]

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

    def conv(
        self, x: Any, w: Any, padding: str = "VALID", stride: int = 1, groups: int = 1,
        layout: str = "NHWC",
    ) -> Any:  # fmt: skip
        kernels = self.np.transpose(w, (3, 2, 0, 1)) if layout == "NHWC" else w
        return self.lz.nn.functional.conv2d(
            x, kernels, stride=stride, padding=padding.lower(), groups=groups, layout=layout
        )


class Jax(Library):
    """JAX: `jax.jit`."""

    name = package = "jax"

    def __init__(self) -> None:
        self.jax = importlib.import_module("jax")
        self.jax.config.update("jax_platforms", "cpu")
        self.np = importlib.import_module("jax.numpy")
        self.version = str(self.jax.__version__)

    def put(self, array: Any) -> Any:
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

    def conv(
        self, x: Any, w: Any, padding: str = "VALID", stride: int = 1, groups: int = 1,
        layout: str = "NHWC",
    ) -> Any:  # fmt: skip
        names = (layout, "HWIO" if layout == "NHWC" else "OIHW", layout)
        return self.jax.lax.conv_general_dilated(
            x, w, (stride, stride), padding, dimension_numbers=names, feature_group_count=groups
        )


class Torch(Library):
    """PyTorch, without torch.compile: every operation a kernel of its own."""

    name = package = "torch"

    def __init__(self) -> None:
        self.np = self.torch = importlib.import_module("torch")
        self.version = str(self.torch.__version__)
        self.torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))

    def put(self, array: Any) -> Any:
        return self.torch.from_numpy(np.array(array))

    def compile(self, function: Function) -> Function:
        return function

    def read(self, leaf: Any) -> Any:
        return leaf.detach().numpy()

    def value_and_grad(self, function: Function) -> Function:
        both = self.torch.func.grad_and_value(function)

        def turned(*args: Any) -> Any:
            gradient, value = both(*args)
            return value, gradient

        return turned

    def fori_loop(self, lower: int, upper: int, body: Function, start: Any) -> Any:
        raise Unsupported("torch would run the loop in Python")

    def erf(self, x: Any) -> Any:
        return self.torch.erf(x)

    def relu(self, x: Any) -> Any:
        return self.torch.relu(x)

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        return x.permute(axes)

    def amax(self, x: Any, axis: Any, keepdims: bool = False) -> Any:
        return self.torch.amax(x, dim=axis, keepdim=keepdims)

    def conv(
        self, x: Any, w: Any, padding: str = "VALID", stride: int = 1, groups: int = 1,
        layout: str = "NHWC",
    ) -> Any:  # fmt: skip
        if layout == "NHWC":
            x, w = x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1)
        out = self.torch.nn.functional.conv2d(
            x, w, stride=stride, padding=padding.lower(), groups=groups
        )
        return out.permute(0, 2, 3, 1) if layout == "NHWC" else out


class Numba(Library):
    """Numba: the workload as loops over NumPy arrays, compiled."""

    name = package = "numba"

    def __init__(self) -> None:
        super().__init__()
        self.numba = importlib.import_module("numba")
        self.version = str(self.numba.__version__)

    def compile(self, function: Function) -> Function:
        return self.numba.njit(function)  # type: ignore[no-any-return]


LIBRARIES: dict[str, type[Library]] = {
    kind.name: kind for kind in (Lazir, Library, Jax, Torch, Numba)
}


def load(name: str) -> Library:
    """The library of that name. ImportError: it is not installed here."""
    return LIBRARIES[name]()
