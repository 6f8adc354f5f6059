"""Builds small loop modules, compiles them for a target, and runs them in this process."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from lazir.compiler.codegen.llvm import emit_llvm
from lazir.compiler.codegen.machine import compile_ir, undefined_symbols
from lazir.compiler.mlir.builder import Builder
from lazir.compiler.mlir.ir import Module, Op, Value, function
from lazir.compiler.target import Target, host_target, named_target
from lazir.compiler.types import DType, MemRefType, Type, VectorType, bf16, i1, i8
from lazir.runtime.jit import LoadedCode

POINTERS = ctypes.POINTER(ctypes.c_void_p)
ENTRY = ctypes.CFUNCTYPE(ctypes.c_int32, POINTERS, POINTERS, ctypes.c_void_p, ctypes.c_void_p)
BODY = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
PARALLEL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
POLL = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int64, POINTERS)
ALLOWED = {"memcpy", "memmove", "memset"}


def runnable_targets() -> list[Target]:
    """The targets whose code this machine can run: itself, and the x86-64 levels that it has."""
    host = host_target()
    found = [host]
    if host.arch == "x86_64":
        for name in ("x86-64-v2", "x86-64-v3"):
            level = named_target(name)
            if level.feature_set - {"cx16", "sahf", "mmx", "xsave"} <= host.feature_set:
                found.append(level)
    return found


class Context:
    """A `lz_ctx` that runs chunks in a chosen order and counts what it is asked."""

    def __init__(
        self,
        order: Callable[[int], Sequence[int]] = range,
        poll: Callable[[], int] | None = None,
        callback: Callable[[int, Any], int] | None = None,
    ) -> None:
        self.chunks: list[int] = []
        self.polls = 0
        self._order, self._ask = order, poll
        self._parallel = PARALLEL(self._run)
        self._poll = POLL(self._polled)
        self._callback = CALLBACK(lambda _, n, p: callback(n, p) if callback else 0)
        fields = [
            ctypes.cast(self._parallel, ctypes.c_void_p).value,
            ctypes.cast(self._poll, ctypes.c_void_p).value if poll else None,
            None,
            None,
            ctypes.cast(self._callback, ctypes.c_void_p).value,
        ]
        self.memory = (ctypes.c_void_p * 5)(*fields)

    def _run(self, ctx: int, body: int, env: int, chunks: int) -> None:
        function = BODY(body)
        self.chunks.append(chunks)
        for chunk in self._order(chunks):
            function(env, chunk, ctx)

    def _polled(self, _: int) -> int:
        self.polls += 1
        assert self._ask is not None
        return self._ask()


class Native:
    """A module compiled for a target and loaded."""

    def __init__(self, module: Module, target: Target, opt: int = 1) -> None:
        self.text = emit_llvm(module, target, entry="entry")
        code = compile_ir(self.text, target, opt=opt, verify=True)
        assert undefined_symbols(code) <= ALLOWED
        self._code = LoadedCode(code, ["entry"])
        self._entry = ENTRY(self._code.address("entry"))

    def __call__(
        self,
        inputs: Sequence[np.ndarray],
        outputs: Sequence[np.ndarray],
        context: Context | None = None,
        workspace: np.ndarray | None = None,
    ) -> int:
        """Run; outputs are written in place; gives the status."""

        def pointers(arrays: Sequence[np.ndarray]) -> Any:
            return (ctypes.c_void_p * max(1, len(arrays)))(*(a.ctypes.data for a in arrays))

        context = context or Context()
        scratch = workspace.ctypes.data if workspace is not None else None
        memory = ctypes.cast(context.memory, ctypes.c_void_p)
        return int(self._entry(pointers(inputs), pointers(outputs), scratch, memory))


def main_function(
    inputs: Sequence[Type], outputs: Sequence[Type], workspace: int = 0, **attrs: Any
) -> tuple[Op, Builder, list[Value]]:
    """An empty main function, its builder and its arguments."""
    rest = [MemRefType((workspace,), i8)] if workspace else []
    counts = {"lz.inputs": len(inputs), "lz.outputs": len(outputs)}
    f = function("main", [*inputs, *outputs, *rest], [], attrs={**counts, **attrs})
    return f, Builder(f), f.regions[0].args


def stored(dtype: DType) -> DType:
    """The type that holds it in memory: bools are bytes."""
    return i8 if dtype is i1 else dtype


def elementwise(
    cases: Sequence[tuple[str, dict[str, Any]]],
    operands: Sequence[DType],
    results: Sequence[DType],
    count: int,
    lanes: int,
) -> Module:
    """`outputs[k] = cases[k](inputs)` for `count` elements, `lanes` at a time (0: scalars)."""
    inputs = [MemRefType((count,), stored(d)) for d in operands]
    f, b, args = main_function(
        inputs, [MemRefType((count,), stored(d)) for d in results] * len(cases)
    )

    def value_type(dtype: DType) -> Type:
        return VectorType((lanes,), dtype) if lanes else dtype

    with b.loop(b.index(0), b.index(count), b.index(max(1, lanes))) as i:
        values = []
        for arg, dtype in zip(args, operands):
            value = b.vload(arg, [i], lanes) if lanes else b.load(arg, [i])
            if dtype is i1:
                value = b.op("arith.trunci", [value], value_type(i1))
            values.append(value)
        outputs = iter(args[len(operands) :])
        for name, attrs in cases:
            op = b.emit(name, values, [value_type(d) for d in results], dict(attrs))
            for value, dtype in zip(op.results, results):
                if dtype is i1:
                    value = b.op("arith.extui", [value], value_type(i8))
                (b.vstore if lanes else b.store)(value, next(outputs), [i])
    b.emit("func.return")
    return Module([f])


def storage(dtype: DType) -> np.dtype:
    """NumPy's dtype of a buffer, with ml_dtypes' bfloat16."""
    return np.dtype(ml_dtypes.bfloat16) if dtype is bf16 else dtype.numpy


def apply_all(
    cases: Sequence[tuple[str, dict[str, Any]]],
    arrays: Sequence[np.ndarray],
    operands: Sequence[DType],
    results: Sequence[DType],
    target: Target,
    lanes: int,
) -> list[list[np.ndarray]]:
    """Run several operations over the same arrays, padded to a multiple of the lanes."""
    size = len(arrays[0])
    step = max(1, lanes)
    count = -(-size // step) * step
    padded = [np.resize(a, count) for a in arrays]
    out = [np.empty(count, storage(d)) for _ in cases for d in results]
    assert Native(elementwise(cases, operands, results, count, lanes), target)(padded, out) == 0
    cut = [a[:size] for a in out]
    return [cut[k : k + len(results)] for k in range(0, len(cut), len(results))]


def apply(name: str, *arguments: Any, **attrs: Any) -> list[np.ndarray]:
    """`apply_all` for one operation."""
    (found,) = apply_all([(name, attrs)], *arguments)
    return found


@pytest.fixture(params=runnable_targets(), ids=lambda t: t.name)
def target(request: pytest.FixtureRequest) -> Target:
    """Each target that this machine can run."""
    return request.param


@pytest.fixture(scope="session")
def kit() -> Any:
    """The helpers of this file, for tests that are collected without a package."""
    from types import SimpleNamespace

    return SimpleNamespace(
        Native=Native, Context=Context, main_function=main_function, elementwise=elementwise,
        apply=apply, apply_all=apply_all, storage=storage, allowed=ALLOWED, stored=stored,
        entry=ENTRY,
    )  # fmt: skip
