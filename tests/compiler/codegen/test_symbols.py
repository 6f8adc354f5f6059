"""No operation on any type may need libm or the compiler's runtime library, on any target."""

from __future__ import annotations

import re

import pytest

from lazir.compiler.codegen.llvm import CPU, emit_llvm
from lazir.compiler.codegen.machine import assembly, compile_ir, undefined_symbols
from lazir.compiler.mlir.ir import Module
from lazir.compiler.target import named_target
from lazir.compiler.types import (
    MemRefType,
    VectorType,
    bf16,
    f16,
    f32,
    f64,
    i1,
    i8,
    i16,
    i32,
    i64,
)  # fmt: skip

TARGETS = ("x86-64-v2", "x86-64-v3", "x86-64-v4", "aarch64-neon")
INTEGERS, FLOATS = (i8, i16, i32, i64), (f16, bf16, f32, f64)
REFUSED = {"arith.remf", "memref.alloc"}
FREE = {"arith.constant", "arith.index_cast", "arith.index_castui"}
CASTS = {
    "arith.extf": (FLOATS, FLOATS), "arith.truncf": (FLOATS, FLOATS),
    "arith.extsi": (INTEGERS, INTEGERS), "arith.extui": (INTEGERS, INTEGERS),
    "arith.trunci": (INTEGERS, INTEGERS), "arith.sitofp": (INTEGERS, FLOATS),
    "arith.uitofp": (INTEGERS, FLOATS), "arith.fptosi": (FLOATS, INTEGERS),
    "arith.fptoui": (FLOATS, INTEGERS), "arith.bitcast": (INTEGERS, FLOATS),
}  # fmt: skip
UNARY = {"math.ctpop", "math.absi", "math.ctlz", "math.cttz", "arith.negf", "math.absf"}
UNARY |= {f"math.{n}" for n in ("sqrt", "floor", "ceil", "trunc", "roundeven", "round")}
TESTS = {"math.isnan", "math.isinf", "math.isfinite", "arith.cmpi", "arith.cmpf"}
PAIRS = {"arith.mulsi_extended", "arith.mului_extended"}


def fits(name, source, result):
    """Whether a cast is between these types."""
    if name in ("arith.extf", "arith.extsi", "arith.extui"):
        return source.bits < result.bits
    if name in ("arith.truncf", "arith.trunci"):
        return source.bits > result.bits
    return name != "arith.bitcast" or source.bits == result.bits


def all_operations(b, x, dtype, target, wrap):
    """Every scalar operation on `x`; gives all results."""
    out = []
    acts_on_float = {n for n in CPU if n.startswith("math.") or n.endswith("f")} - {
        "math.ctpop", "math.absi", "math.ctlz", "math.cttz",
    }  # fmt: skip
    acts_on_float -= {"arith.extf", "arith.truncf"}
    for name in sorted(n for n in CPU if n.startswith(("arith.", "math."))):
        if name in REFUSED | FREE:
            continue
        if name in CASTS:
            sources, results = CASTS[name]
            picked = [r for r in results if dtype in sources and fits(name, dtype, r)]
            out += [b.op(name, [x], wrap(r)) for r in picked]
        elif name == "arith.select":
            flags = b.compare("oeq" if dtype.is_float else "eq", x, x)
            out.append(b.op(name, [flags, x, x], x.type))
        elif (name in acts_on_float) != dtype.is_float:
            continue
        elif name == "math.fma":
            if target.fma or dtype is not f64:
                out.append(b.op(name, [x, x, x]))
        elif name in TESTS:
            word = {"arith.cmpi": "ult", "arith.cmpf": "ueq"}.get(name)
            attrs = {"predicate": word} if word else {}
            flags = b.op(name, [x] * (2 if word else 1), wrap(i1), **attrs)
            out.append(b.op("arith.extui", [flags], wrap(i8)))
        elif name in PAIRS:
            out += b.emit(name, [x, x], [x.type] * 2).results
        elif name == "arith.addui_extended":
            out.append(b.emit(name, [x, x], [x.type, wrap(i1)]).results[0])
        else:
            out.append(b.op(name, [x] if name in UNARY else [x, x]))
    return out


def module_of_everything(kit, dtype, lanes, target):
    """One function that does everything to a buffer of `dtype` and keeps all results."""

    def wrap(element):
        return VectorType((lanes,), element) if lanes else element

    size = max(1, lanes)
    outputs = [MemRefType((1 << 16,), t) for t in (*INTEGERS, *FLOATS)]
    f, b, (a, *outs) = kit.main_function([MemRefType((size,), dtype)], outputs)
    x = b.vload(a, [b.index(0)], lanes) if lanes else b.load(a, [b.index(0)])
    for k, value in enumerate(all_operations(b, x, dtype, target, wrap)):
        element = value.type.dtype if lanes else value.type
        out = outs[(*INTEGERS, *FLOATS).index(element)]
        (b.vstore if lanes else b.store)(value, out, [b.index(k * size)])
    b.emit("func.return")
    return Module([f])


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("dtype", (*INTEGERS, *FLOATS), ids=str)
def test_nothing_is_called(kit, dtype, name):
    target = named_target(name)
    # LLVM 22 fails an assertion of its own on a stored trunc of <3 x i64> for AArch64.
    odd = () if target.arch == "aarch64" else (3,)
    for lanes in (0, *odd, target.lanes(dtype), 16):
        text = emit_llvm(module_of_everything(kit, dtype, lanes, target), target, entry="run")
        wanted = undefined_symbols(compile_ir(text, target)) - kit.allowed
        assert not wanted, f"{dtype} x {lanes}: {sorted(wanted)}"


@pytest.mark.parametrize("dtype", (*INTEGERS, *FLOATS), ids=str)
def test_nothing_is_called_on_wasm(kit, dtype):
    """WebAssembly objects are no ELF: the assembly lists what it calls."""
    target = named_target("wasm32")
    for lanes in (0, target.lanes(dtype)):
        text = emit_llvm(module_of_everything(kit, dtype, lanes, target), target, entry="run")
        called = set(re.findall(r"^\s+call\s+(\w[\w.]*)", assembly(text, target), re.M))
        assert called <= kit.allowed | {"main", "lz.poll"}, f"{dtype} x {lanes}"


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_no_licences(kit, dtype):
    """No fast-math flag, and fma only for fma."""
    target = named_target("x86-64-v4")
    text = emit_llvm(module_of_everything(kit, dtype, 16, target), target, entry="run")
    flags = r"\b(fast|nnan|ninf|nsz|arcp|contract|afn|reassoc)\b"
    code = [line for line in text.splitlines() if not line.startswith(("attributes", "!"))]
    assert not re.search(flags, "\n".join(code))
    assert "unsafe" not in text


def test_same_module_same_text(kit):
    target = named_target("x86-64-v3")
    texts = {
        emit_llvm(module_of_everything(kit, f32, 8, target), target, entry="run") for _ in range(3)
    }
    assert len(texts) == 1
