"""Contraction kernels to test with, and a way to run one on buffers that end where memory ends.

Takes shapes. Gives Kernels, their compiled functions, results. Nothing is random without a seed.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lazir.compiler.codegen.llvm import emit_llvm
from lazir.compiler.codegen.machine import compile_ir
from lazir.compiler.graph import Builder, Graph, Value
from lazir.compiler.kernel import PARALLEL, REDUCTION, Generic, Kernel, Output, Read
from lazir.compiler.mlir import builder as mlir_builder
from lazir.compiler.mlir.ir import AffineMap, Dense, Module, Symbol, function
from lazir.compiler.scalars import Scalars, scalar_type
from lazir.compiler.schedule.contract import schedule_contract
from lazir.compiler.target import Target, host_target
from lazir.compiler.types import DType, MemRefType, TensorType, bf16, f16, f32, i8
from lazir.runtime.jit import LoadedCode
from lazir.runtime.native import native

Array = np.ndarray[Any, Any]
Body = Callable[[Scalars, list[Value]], Sequence[Value]]


def accumulator(dtype: DType) -> DType:
    """The type that products of `dtype` are summed in."""
    return f32 if dtype in (f16, bf16) else dtype


def product_body(dtype: DType, total: DType, *, fused: bool = True) -> Graph:
    """total + x · y, operands converted to the type of the total."""
    builder = Builder(name="product")
    x, y = (builder.param(scalar_type(dtype)) for _ in range(2))
    so_far = builder.param(scalar_type(total))
    s = Scalars(builder)

    def wide(v: Value) -> Value:
        if dtype is total:
            return v
        if total.is_float:
            return s.resize_float(v, total)
        return s.resize(v, total, signed=True)

    if total.is_float and fused:
        return builder.graph([s.fma(wide(x), wide(y), so_far)])
    return builder.graph([s.add(so_far, s.mul(wide(x), wide(y)))])


def zero(dtype: DType) -> Dense:
    return Dense(TensorType((), dtype), np.asarray(0, dtype.numpy))


def contraction(
    dims: Sequence[int], kinds: str, maps: Sequence[AffineMap], shapes: Sequence[tuple[int, ...]],
    dtype: DType = f32, total: DType | None = None, *, fused: bool = True,
) -> tuple[tuple[TensorType, ...], Generic]:  # fmt: skip
    """The first Generic: `kinds` has p or r for each dim; maps and shapes of lhs, rhs, result."""
    total = total or accumulator(dtype)
    params = tuple(TensorType(tuple(s), dtype) for s in shapes[:2])
    out = Output(TensorType(tuple(shapes[2]), total), maps[2], zero(total))
    words = tuple(PARALLEL if k == "p" else REDUCTION for k in kinds)
    reads = (Read(0, maps[0]), Read(1, maps[1]))
    g = Generic(tuple(dims), words, reads, product_body(dtype, total, fused=fused), (out,))
    return params, g


def einsum(
    text: str, sizes: dict[str, int], dtype: DType = f32, total: DType | None = None, *,
    fused: bool = True,
) -> tuple[tuple[TensorType, ...], Generic]:  # fmt: skip
    """`einsum("ij,jk->ik", {"i": 2, …})` as a contraction."""
    (left, right), result = text.split("->")[0].split(","), text.split("->")[1]
    letters = result + "".join(c for c in sizes if c not in result)
    kinds = "p" * len(result) + "r" * (len(letters) - len(result))
    maps = [
        AffineMap.select(len(letters), [letters.index(c) for c in t]) for t in (left, right, result)
    ]
    shapes = [tuple(sizes[c] for c in t) for t in (left, right, result)]
    return contraction([sizes[c] for c in letters], kinds, maps, shapes, dtype, total, fused=fused)


def kernel_of(
    parts: tuple[tuple[TensorType, ...], Generic], *stages: Stage, results: Sequence[int] = (),
    name: str = "k0_contract",
) -> Kernel:  # fmt: skip
    """A kernel; each stage reads the value before it and more params. Results: the last value."""
    params, first = parts
    extra = [t for s in stages for t in s.params]
    count = len(params) + len(extra)
    generics, previous, at = [first], count, len(params)
    for stage in stages:
        generics.append(stage.generic(generics[-1].outs[0].type, previous, at))
        at += len(stage.params)
        previous += 1
    values = tuple(count + r for r in results) or (previous,)
    return Kernel(name, "contract", (*params, *extra), tuple(generics), values)


@dataclass
class Stage:
    """A pointwise step on a value. `params` are more operands, read by `maps` from its axes."""

    body: Body
    params: Sequence[TensorType] = ()
    maps: Sequence[AffineMap] = ()
    dtype: DType | None = None
    permutation: Sequence[int] | None = None

    def generic(self, type: TensorType, source: int, at: int) -> Generic:
        rank = len(type.shape)
        dtype = self.dtype or type.dtype
        builder = Builder(name="stage")
        values = [builder.param(scalar_type(t.dtype)) for t in (type, *self.params)]
        builder.param(scalar_type(dtype))
        body = builder.graph(list(self.body(Scalars(builder), values)))
        same = AffineMap.identity(rank)
        axes = tuple(self.permutation or range(rank))
        out = Output(
            TensorType(tuple(type.shape[a] for a in axes), dtype), AffineMap.select(rank, axes)
        )
        reads = (Read(source, same), *(Read(at + k, m) for k, m in enumerate(self.maps)))
        return Generic(type.shape, (PARALLEL,) * rank, reads, body, (out,))


# -- running ---------------------------------------------------------------------------------------
class Compiled:
    """A kernel's machine code behind the C interface of programs."""

    def __init__(self, kernel: Kernel, target: Target | None = None) -> None:
        self.kernel = kernel
        self.target = target or host_target()
        self.module, self.workspace = scheduled_module(kernel, self.target)
        self.text = emit_llvm(self.module, self.target, entry="run")
        self.code = LoadedCode(compile_ir(self.text, self.target), ("run",))
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p
        )
        self.run = kind(self.code.address("run"))
        self.room = aligned(self.workspace)

    def __call__(self, *arrays: Array) -> list[Array]:
        """Results for these arguments (bf16 as uint16 bits)."""
        outs = [np.empty(t.shape, t.dtype.numpy) for t in self.kernel.result_types]
        for out in outs:  # what is not written shows
            out.view(np.uint8).fill(0xA5)
        self.into([a.ctypes.data for a in arrays], [o.ctypes.data for o in outs])
        return outs

    def into(self, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        """Run on addresses."""
        ins = (ctypes.c_void_p * max(1, len(inputs)))(*inputs)
        outs = (ctypes.c_void_p * max(1, len(outputs)))(*outputs)
        call = (ctypes.c_uint64 * 64)()
        ctx = (ctypes.c_void_p * 5)(
            native().address("lz_parallel_for"), None, None, ctypes.addressof(call), None
        )
        assert self.run(ins, outs, self.room.ctypes.data, ctx) == 0


def scheduled_module(kernel: Kernel, target: Target) -> tuple[Module, int]:
    """A module whose main function calls the scheduled kernel, and its workspace's bytes."""
    module = Module()
    made = schedule_contract(kernel, target, module, kernel.name)
    types = [MemRefType(t.shape, t.dtype) for t in (*kernel.params, *kernel.result_types)]
    types += [MemRefType((made.workspace_bytes,), i8)] if made.workspace_bytes else []
    attrs = {"lz.inputs": len(kernel.params), "lz.outputs": len(kernel.results)}
    main = function("main", types, [], attrs=attrs)
    b = mlir_builder.Builder(main)
    b.emit("func.call", main.regions[0].args, (), {"callee": Symbol(kernel.name)})
    b.emit("func.return")
    module.ops.append(main)
    return module, made.workspace_bytes


def aligned(bytes: int) -> Array:
    """Memory that begins at a cache line, filled with NaN so that reading it unwritten shows."""
    block = np.full(bytes + 64, 0xFF, np.uint8)
    start = -block.ctypes.data % 64
    return block[start : start + bytes]


class Guarded:
    """An array that ends (or begins) exactly at a page which nobody may touch."""

    def __init__(self, array: Array, *, at_end: bool) -> None:
        page = mmap.PAGESIZE
        body = -(-max(1, array.nbytes) // page) * page
        self.memory = mmap.mmap(-1, body + 2 * page)
        base = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        for at in (base, base + page + body):
            assert protect(ctypes.c_void_p(at), ctypes.c_size_t(page), 0) == 0
        self.address = base + page + (body - array.nbytes if at_end else 0)
        self.shape, self.dtype = array.shape, array.dtype
        ctypes.memmove(self.address, np.ascontiguousarray(array).ctypes.data, array.nbytes)

    def read(self) -> Array:
        """A copy of what is in it now."""
        out = np.empty(self.shape, self.dtype)
        ctypes.memmove(out.ctypes.data, self.address, out.nbytes)
        return out


@dataclass(frozen=True)
class Convolution:
    """A 2-d convolution of a padded image: `layout` is that of image and result, NHWC or NCHW."""

    images: int
    size: tuple[int, int]  # of the padded image
    channels: int
    features: int
    window: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1  # channels and features are those of one group
    layout: str = "NHWC"

    @property
    def out_size(self) -> tuple[int, ...]:
        return tuple(
            (n - d * (k - 1) - 1) // s + 1
            for n, k, s, d in zip(self.size, self.window, self.stride, self.dilation)
        )

    @property
    def sizes(self) -> dict[str, int]:
        """All dims: image, group, feature, rows, columns, window, channel."""
        (h, w), (p, q) = self.out_size, self.window
        return {
            "n": self.images, "g": self.groups, "f": self.features, "h": h, "w": w,
            "p": p, "q": q, "c": self.channels,
        }  # fmt: skip

    def parts(
        self, dtype: DType = f32, total: DType | None = None
    ) -> tuple[tuple[TensorType, ...], Generic]:
        """The contraction's params and Generic."""
        sizes, last = self.sizes, self.layout == "NHWC"
        out = "nhwgf" if last else "ngfhw"
        letters = out + "pqc"
        row = {k: tuple(int(x == k) for x in letters) for k in letters}

        def moved(at: str, step: int, by: str, dilation: int) -> tuple[int, ...]:
            return tuple(step * a + dilation * b for a, b in zip(row[at], row[by]))

        high = moved("h", self.stride[0], "p", self.dilation[0])
        wide = moved("w", self.stride[1], "q", self.dilation[1])
        g, c = row["g"], row["c"]
        image = (row["n"], high, wide, g, c) if last else (row["n"], g, c, high, wide)
        weights = "gpqcf" if last else "gfcpq"
        full = dict(zip("hw", self.size))
        image_shape = [full.get(k, sizes[k]) for k in ("nhwgc" if last else "ngchw")]
        maps = [
            AffineMap(len(letters), tuple((r, 0) for r in image)),
            AffineMap.select(len(letters), [letters.index(k) for k in weights]),
            AffineMap.select(len(letters), range(5)),
        ]
        shapes = [image_shape, [sizes[k] for k in weights], [sizes[k] for k in out]]
        return contraction(
            [sizes[k] for k in letters], "ppppprrr", maps, [tuple(s) for s in shapes], dtype, total
        )

    def weight_gradient(self) -> tuple[tuple[TensorType, ...], Generic]:
        """The sum over images and places of image times result, for each weight (one group), as
        the derivative of a convolution with weights f, c, p, q."""
        sizes, last = self.sizes, self.layout == "NHWC"
        letters = "fcpqnhw"
        row = {k: tuple(int(x == k) for x in letters) for k in letters}

        def moved(at: str, step: int, by: str, dilation: int) -> tuple[int, ...]:
            return tuple(step * a + dilation * b for a, b in zip(row[at], row[by]))

        high = moved("h", self.stride[0], "p", self.dilation[0])
        wide = moved("w", self.stride[1], "q", self.dilation[1])
        image = (row["n"], high, wide, row["c"]) if last else (row["n"], row["c"], high, wide)
        full = dict(zip("hw", self.size))
        out = "nhwf" if last else "nfhw"
        maps = [
            AffineMap(len(letters), tuple((r, 0) for r in image)),
            AffineMap.select(len(letters), [letters.index(k) for k in out]),
            AffineMap.select(len(letters), range(4)),
        ]
        shapes = [
            tuple(full.get(k, sizes[k]) for k in ("nhwc" if last else "nchw")),
            tuple(sizes[k] for k in out),
            tuple(sizes[k] for k in "fcpq"),
        ]
        return contraction([sizes[k] for k in letters], "pppprrr", maps, shapes)

    def weight_gradient_reference(self, image: Array, result: Array) -> Array:
        """The same in float64."""
        (h, w), (s, t), (d, e) = self.out_size, self.stride, self.dilation
        text = "nhwc,nhwf->fc" if self.layout == "NHWC" else "nchw,nfhw->fc"
        total = np.zeros((self.features, self.channels, *self.window))
        for p in range(self.window[0]):
            for q in range(self.window[1]):
                rows = slice(p * d, p * d + s * (h - 1) + 1, s)
                columns = slice(q * e, q * e + t * (w - 1) + 1, t)
                at = (slice(None),) * (1 if self.layout == "NHWC" else 2)
                part = image[(*at, rows, columns)]
                total[:, :, p, q] = np.einsum(text, part, result, dtype=np.float64)
        return total

    def reference(self, image: Array, weights: Array) -> Array:
        """The result in float64."""
        (h, w), (s, t), (d, e) = self.out_size, self.stride, self.dilation
        total: Any = 0
        for p in range(self.window[0]):
            for q in range(self.window[1]):
                rows = slice(p * d, p * d + s * (h - 1) + 1, s)
                columns = slice(q * e, q * e + t * (w - 1) + 1, t)
                if self.layout == "NHWC":
                    x, k = image[:, rows, columns], weights[:, p, q]
                    total = total + np.einsum("nhwgc,gcf->nhwgf", x, k, dtype=np.float64)
                else:
                    x, k = image[:, :, :, rows, columns], weights[:, :, :, p, q]
                    total = total + np.einsum("ngchw,gfc->ngfhw", x, k, dtype=np.float64)
        return np.asarray(total)
