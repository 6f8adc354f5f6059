"""Upstream MLIR as a judge: its `mlir-opt` on our text, and our text lowered by its passes and run.

Takes: MLIR text, NumPy arrays. Gives: text, arrays. Skips the calling test where the tools are not
installed (they come with the extra `lazir[mlir]`).
Must not know: how lazir lowers anything.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest

from lazir.compiler.mlir.parser import parse_module
from lazir.compiler.types import DType, FunctionType, MemRefType, TensorType, Type

NO_TOOLS = "upstream MLIR is not installed: pip install 'lazir[mlir]' (Linux x86-64)"

# What both stages need at the end. `expand-strided-metadata` before, since it leaves affine maps.
_TO_LLVM = (
    "convert-vector-to-scf{full-unroll=true},lower-affine,convert-scf-to-cf,expand-strided-metadata,"
    "memref-expand,lower-affine,convert-complex-to-standard,convert-math-to-funcs{convert-ctlz=0},"
    "arith-expand{include-bf16=true},convert-vector-to-llvm,convert-math-to-llvm,"
    "convert-math-to-libm,convert-complex-to-llvm,convert-arith-to-llvm,convert-index-to-llvm,"
    "finalize-memref-to-llvm,convert-ub-to-llvm,convert-cf-to-llvm,convert-func-to-llvm,"
    "reconcile-unrealized-casts"
)
_WRAPPERS = "func.func(llvm-request-c-wrappers)"
PIPELINES = {
    "loops": f"builtin.module({_WRAPPERS},{_TO_LLVM})",
    "kernels": (
        "builtin.module(empty-tensor-to-alloc-tensor,"
        "one-shot-bufferize{bufferize-function-boundaries=true"
        " function-boundary-type-conversion=identity-layout-map"
        " allow-return-allocs-from-loops=true},"
        "buffer-results-to-out-params{modify-public-functions=true},"
        f"func.func(convert-linalg-to-loops),{_WRAPPERS},{_TO_LLVM})"
    ),
}
"""Pass pipelines by stage: `kernels` (linalg on tensors) and `loops` (memref, scf, vector)."""


@functools.cache
def _tools() -> Path | None:
    """The folder of mlir-opt and its friends, in the installed package `mlir`."""
    spec = importlib.util.find_spec("mlir")
    for place in spec.submodule_search_locations or () if spec else ():
        if (Path(place) / "bin" / "mlir-opt").exists():
            return Path(place)
    return None


def _tool(name: str) -> str:
    place = _tools()
    if place is None:
        pytest.skip(NO_TOOLS)
    return str(place / "bin" / name)


def _run(command: list[str], text: str) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
    if done.returncode:
        numbered = "\n".join(f"{i + 1:4} {line}" for i, line in enumerate(text.split("\n")))
        raise AssertionError(f"{' '.join(command)}\n{done.stderr[:4000]}\n{numbered[:8000]}")
    return done.stdout


def mlir_opt(text: str, *flags: str) -> str:
    """What `mlir-opt` prints for a text; AssertionError with its complaint where it refuses it.

    Unregistered dialects are refused; a text with `lz` operations needs
    `"--allow-unregistered-dialect"`.
    """
    return _run([_tool("mlir-opt"), *flags], text)


def llvm_ir(text: str, pipeline: str) -> str:
    """LLVM IR of a text: `pipeline` is a key of PIPELINES or a pipeline of your own."""
    lowered = mlir_opt(text, f"--pass-pipeline={PIPELINES.get(pipeline, pipeline)}")
    return _run([_tool("mlir-translate"), "--mlir-to-llvmir"], lowered)


def run_mlir(
    text: str, pipeline: str, entry: str, arguments: Sequence[Any]
) -> list[np.ndarray[Any, Any]]:
    """Lower a text with upstream passes, run `entry`, and give arrays back.

    `pipeline` "loops": arguments are arrays for memrefs (and numbers for scalars); returned are
    the arrays after the call, in order; yours are not changed. "kernels": arguments are arrays for
    tensors; returned are the function's results. bf16 arrays are uint16 bits; i1 arrays are bool.
    """
    return run_each(text, pipeline, [(entry, arguments)])[0]


def run_each(
    text: str, pipeline: str, calls: Sequence[tuple[str, Sequence[Any]]]
) -> list[list[np.ndarray[Any, Any]]]:
    """The same for several functions of a text, which is lowered once: what each call gives."""
    module = parse_module(text)
    prepared: list[tuple[str, list[Any], FunctionType]] = []
    given: list[list[np.ndarray[Any, Any]]] = []
    for entry, arguments in calls:
        type = module.function(entry).attrs["function_type"]
        values = [_checked(a, t) for a, t in zip(arguments, type.inputs, strict=True)]
        tensors = [t for t in type.results if isinstance(t, TensorType)]
        if len(tensors) != len(type.results):
            raise TypeError(f"{entry} returns {type.results}; only tensor results can be read back")
        results = [np.zeros(t.shape, t.dtype.numpy) for t in tensors]
        prepared.append((entry, [*values, *results], type))
        given.append(results or [v for v in values if isinstance(v, np.ndarray)])
    _call(llvm_ir(text, pipeline), prepared)
    return given


def _checked(argument: Any, type: Type) -> Any:
    """A fresh contiguous array of exactly the type, or a number for a scalar."""
    if isinstance(type, DType):
        return argument
    assert isinstance(type, (TensorType, MemRefType)), type
    array = np.array(argument, order="C", copy=True)
    if array.shape != type.shape or array.dtype != type.dtype.numpy:
        raise TypeError(f"{array.dtype}{list(array.shape)} is given for {type}")
    return array


_SCALARS = {
    "i1": ctypes.c_bool, "i8": ctypes.c_int8, "i16": ctypes.c_int16, "i32": ctypes.c_int32,
    "i64": ctypes.c_int64, "index": ctypes.c_int64, "f32": ctypes.c_float, "f64": ctypes.c_double,
}  # fmt: skip


def _descriptor(array: np.ndarray[Any, Any]) -> Any:
    """The struct by which compiled MLIR knows a buffer: pointers, offset, sizes, strides."""
    fields = [("base", ctypes.c_void_p), ("data", ctypes.c_void_p), ("offset", ctypes.c_int64)]
    if array.ndim:
        fields += [(n, ctypes.c_int64 * array.ndim) for n in ("sizes", "strides")]  # type: ignore[misc]
    kind = type("Descriptor", (ctypes.Structure,), {"_fields_": fields})
    steps = [1] * array.ndim
    for i in reversed(range(array.ndim - 1)):
        steps[i] = steps[i + 1] * max(1, array.shape[i + 1])
    made = kind(array.ctypes.data, array.ctypes.data, 0)
    if array.ndim:
        made.sizes[:] = array.shape
        made.strides[:] = steps
    return made


@functools.cache
def _libraries() -> None:
    """Makes libm, and memrefCopy and half-precision helpers of upstream, known to the JIT."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    llvm.load_library_permanently("libm.so.6")
    place = _tools()
    for name in ("libmlir_c_runner_utils.so", "libmlir_float16_utils.so"):
        if place is not None and (place / "lib" / name).exists():
            llvm.load_library_permanently(str(place / "lib" / name))


def _call(ir: str, calls: Sequence[tuple[str, list[Any], FunctionType]]) -> None:
    _libraries()
    module = llvm.parse_assembly(ir)
    module.verify()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    machine = target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=1
    )
    with llvm.create_mcjit_compiler(module, machine) as engine:
        engine.finalize_object()
        for entry, values, type in calls:
            address = engine.get_function_address(f"_mlir_ciface_{entry}")
            assert address, f"no function {entry} in the lowered module"
            arguments: list[Any] = []
            for i, value in enumerate(values):
                if isinstance(value, np.ndarray):
                    arguments.append(ctypes.byref(_descriptor(value)))
                else:
                    arguments.append(_SCALARS[str(type.inputs[i])](value))
            ctypes.CFUNCTYPE(None)(address)(*arguments)


__all__ = ["NO_TOOLS", "PIPELINES", "llvm_ir", "mlir_opt", "run_each", "run_mlir"]
