"""A builder that writes LLVM IR over vectors, and runs it natively: fast enough for every float.

Takes a function over a builder; gives a callable on NumPy arrays.
Must not know any elementary function.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LANES = 8
TYPES = {"f32": "float", "f64": "double", "i32": "i32", "i64": "i64", "i1": "i1"}
KINDS = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64}


class Name(NamedTuple):
    text: str
    dtype: str


class LlvmBuilder:
    """Appends one instruction for each operation; equal constants cost nothing."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.intrinsics: set[str] = set()

    def dtype(self, x: Name) -> str:
        return x.dtype

    def type_of(self, dtype: str) -> str:
        return f"<{LANES} x {TYPES[dtype]}>"

    def emit(self, dtype: str, text: str) -> Name:
        name = f"%v{len(self.lines)}"
        self.lines.append(f"  {name} = {text}")
        return Name(name, dtype)

    def _splat(self, scalar: str, dtype: str) -> Name:
        return Name("<" + ", ".join([f"{TYPES[dtype]} {scalar}"] * LANES) + ">", dtype)

    def const(self, value: int | float, like: Name) -> Name:
        if like.dtype in ("i32", "i64"):
            return self._splat(str(int(value)), like.dtype)
        kind = KINDS[like.dtype]
        wide = float(kind(value))
        return self._splat(f"0x{struct.unpack('Q', struct.pack('d', wide))[0]:016X}", like.dtype)

    def const_bits(self, bits: int, like: Name) -> Name:
        if like.dtype == "f64":
            return self._splat(f"0x{bits:016X}", "f64")
        value = struct.unpack("f", struct.pack("I", bits))[0]
        return self._splat(f"0x{struct.unpack('Q', struct.pack('d', value))[0]:016X}", "f32")

    def _binary(self, name: str, x: Name, y: Name) -> Name:
        assert x.dtype == y.dtype, (name, x, y)
        opcode = name if x.dtype.startswith("i") else "f" + name
        return self.emit(x.dtype, f"{opcode} {self.type_of(x.dtype)} {x.text}, {y.text}")

    def add(self, x: Name, y: Name) -> Name:
        return self._binary("add", x, y)

    def sub(self, x: Name, y: Name) -> Name:
        return self._binary("sub", x, y)

    def mul(self, x: Name, y: Name) -> Name:
        return self._binary("mul", x, y)

    def div(self, x: Name, y: Name) -> Name:
        return self._binary("div", x, y)

    def neg(self, x: Name) -> Name:
        if x.dtype.startswith("i"):
            return self.sub(self.const(0, x), x)
        return self.emit(x.dtype, f"fneg {self.type_of(x.dtype)} {x.text}")

    def _call(self, name: str, *arguments: Name) -> Name:
        dtype = arguments[0].dtype
        assert all(a.dtype == dtype for a in arguments), (name, arguments)
        kind = self.type_of(dtype)
        full = f"@llvm.{name}.v{LANES}{dtype}"
        self.intrinsics.add(f"declare {kind} {full}({', '.join([kind] * len(arguments))})")
        inside = ", ".join(f"{kind} {a.text}" for a in arguments)
        return self.emit(dtype, f"call {kind} {full}({inside})")

    def abs(self, x: Name) -> Name:
        return self._call("fabs", x)

    def fma(self, x: Name, y: Name, z: Name) -> Name:
        return self._call("fma", x, y, z)

    def sqrt(self, x: Name) -> Name:
        return self._call("sqrt", x)

    def floor(self, x: Name) -> Name:
        return self._call("floor", x)

    def ceil(self, x: Name) -> Name:
        return self._call("ceil", x)

    def trunc(self, x: Name) -> Name:
        return self._call("trunc", x)

    def round(self, x: Name) -> Name:
        return self._call("roundeven", x)

    def minimum(self, x: Name, y: Name) -> Name:
        return self._call("minimum", x, y)

    def maximum(self, x: Name, y: Name) -> Name:
        return self._call("maximum", x, y)

    def _compare(self, floating: str, integer: str, x: Name, y: Name) -> Name:
        assert x.dtype == y.dtype, (floating, x, y)
        opcode = f"icmp {integer}" if x.dtype.startswith("i") else f"fcmp {floating}"
        return self.emit("i1", f"{opcode} {self.type_of(x.dtype)} {x.text}, {y.text}")

    def less(self, x: Name, y: Name) -> Name:
        return self._compare("olt", "slt", x, y)

    def less_equal(self, x: Name, y: Name) -> Name:
        return self._compare("ole", "sle", x, y)

    def greater(self, x: Name, y: Name) -> Name:
        return self._compare("ogt", "sgt", x, y)

    def greater_equal(self, x: Name, y: Name) -> Name:
        return self._compare("oge", "sge", x, y)

    def equal(self, x: Name, y: Name) -> Name:
        return self._compare("oeq", "eq", x, y)

    def not_equal(self, x: Name, y: Name) -> Name:
        return self._compare("une", "ne", x, y)

    def select(self, condition: Name, x: Name, y: Name) -> Name:
        assert x.dtype == y.dtype and condition.dtype == "i1", (condition, x, y)
        kind = self.type_of(x.dtype)
        return self.emit(
            x.dtype,
            f"select {self.type_of('i1')} {condition.text}, {kind} {x.text}, {kind} {y.text}",
        )

    def bit_and(self, x: Name, y: Name) -> Name:
        return self._binary("and", x, y)

    def bit_or(self, x: Name, y: Name) -> Name:
        return self._binary("or", x, y)

    def bit_xor(self, x: Name, y: Name) -> Name:
        return self._binary("xor", x, y)

    def bit_not(self, x: Name) -> Name:
        return self.bit_xor(x, self._splat("-1", x.dtype))

    def shift_left(self, x: Name, y: Name) -> Name:
        return self._binary("shl", x, y)

    def shift_right(self, x: Name, y: Name) -> Name:
        return self._binary("ashr", x, y)

    def bitcast(self, x: Name, dtype: str) -> Name:
        kind = self.type_of(x.dtype)
        return self.emit(dtype, f"bitcast {kind} {x.text} to {self.type_of(dtype)}")

    def convert(self, x: Name, dtype: str) -> Name:
        opcode = "sitofp" if x.dtype.startswith("i") else "fptosi"
        kind = self.type_of(x.dtype)
        return self.emit(dtype, f"{opcode} {kind} {x.text} to {self.type_of(dtype)}")

    def module_text(self, inputs: int, dtype: str, result: Name) -> str:
        """A loop over `count` elements, a multiple of LANES; the body is what was recorded."""
        kind, element = self.type_of(dtype), TYPES[dtype]
        pointers = ", ".join(f"ptr noalias %p{i}" for i in range(inputs))
        loads = []
        for i in range(inputs):
            loads.append(f"  %q{i} = getelementptr {element}, ptr %p{i}, i64 %i")
            loads.append(f"  %x{i} = load {kind}, ptr %q{i}, align 8")
        body = "\n".join(loads + self.lines)
        declarations = "\n".join(sorted(self.intrinsics))
        return f"""{declarations}
define void @kernel({pointers}, ptr noalias %out, i64 %count) {{
entry:
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
{body}
  %r = getelementptr {element}, ptr %out, i64 %i
  store {kind} {result.text}, ptr %r, align 8
  %next = add i64 %i, {LANES}
  %more = icmp slt i64 %next, %count
  br i1 %more, label %loop, label %exit
exit:
  ret void
}}
"""


_engines: list[Any] = []


def native(function: Callable[..., Any], inputs: int, dtype: str) -> Callable[..., Array]:
    """Compile `function(builder, *values)` for the host; the result maps 1-d arrays to an array."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    builder = LlvmBuilder()
    result = function(builder, *(Name(f"%x{i}", dtype) for i in range(inputs)))
    module = llvm.parse_assembly(builder.module_text(inputs, dtype, result))
    features = llvm.get_host_cpu_features()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features.flatten(), opt=2
    )
    passes = llvm.create_new_module_pass_manager()
    passes.add_instruction_combine_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    _engines.append(engine)
    pointers = [ctypes.c_void_p] * (inputs + 1)
    address = engine.get_function_address("kernel")
    kernel = ctypes.CFUNCTYPE(None, *pointers, ctypes.c_int64)(address)

    def run(*arrays: Array) -> Array:
        count = len(arrays[0])
        padded_count = -(-max(count, 1) // LANES) * LANES
        padded = [np.ones(padded_count, KINDS[dtype]) for _ in arrays]
        for target, source in zip(padded, arrays):
            target[:count] = source
        out = np.empty(padded_count, KINDS[dtype])
        kernel(*(a.ctypes.data for a in padded), out.ctypes.data, padded_count)
        return out[:count]

    run.operations = len(builder.lines)  # type: ignore[attr-defined]
    return run
