"""Text to object code: passes, symbols, errors; and targets as values."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from lazir.compiler.codegen.llvm import emit_llvm
from lazir.compiler.codegen.machine import assembly, compile_ir, parse, undefined_symbols
from lazir.compiler.codegen.text import bf16_bits, literal
from lazir.compiler.mlir.ir import Module
from lazir.compiler.target import host_target, named_target, target_names
from lazir.compiler.types import MemRefType, VectorType, bf16, f16, f32, f64, i8, i64

CALLER = """declare double @sin(double)
define double @f(double %x) {
  %y = call double @sin(double %x)
  ret double %y
}
"""


def test_undefined_symbols_are_found():
    target = named_target("x86-64-v3")
    assert undefined_symbols(compile_ir(CALLER, target)) == {"sin"}
    assert undefined_symbols(compile_ir(CALLER, named_target("aarch64-neon"))) == {"sin"}
    with pytest.raises(ValueError, match="ELF"):
        undefined_symbols(compile_ir(CALLER, named_target("wasm32")))


def test_parse_error_shows_the_line():
    wrong = CALLER.replace("double %x)\n  ret", "float %x)\n  ret")
    with pytest.raises(ValueError, match=r"(?s)defect of the code generator.*> 3:   %y = call"):
        parse(wrong)


def test_verifier_error_shows_the_instruction():
    wrong = "define i32 @f(i1 %c) {\na:\n  br i1 %c, label %b, label %d\nb:\n  %x = add i32 1, 2\n"
    wrong += "  br label %d\nd:\n  ret i32 %x\n}\n"
    with pytest.raises(ValueError, match=r"(?s)does not dominate.*%x = add i32 1, 2"):
        parse(wrong, verify=True)


@pytest.mark.parametrize("opt", (0, 1, 2, 3))
def test_every_level_gives_the_same_values(kit, opt):
    f, b, (a, out) = kit.main_function([MemRefType((64,), f32)], [MemRefType((64,), f32)])
    with b.loop(b.index(0), b.index(64), b.index(16)) as i:
        x = b.vload(a, [i], 16)
        b.vstore(b.op("arith.addf", [b.op("arith.mulf", [x, x]), x]), out, [i])
    b.emit("func.return")
    values = np.random.default_rng(0).standard_normal(64).astype(np.float32)
    got = np.zeros_like(values)
    assert kit.Native(Module([f]), host_target(), opt)([values], [got]) == 0
    np.testing.assert_array_equal(got, values * values + values)


def recurrence(kit, in_place):
    """x[i] = x[i − 1] · 0.5 + a[i], or the same without the recurrence."""
    f, b, (a, x) = kit.main_function([MemRefType((100,), f64)], [MemRefType((100,), f64)])
    half = b.const(0.5, f64)
    with b.loop(b.index(1), b.index(100), b.index(1)) as i:
        old = b.load(x, [b.add(i, -1) if in_place else i])
        b.store(b.op("arith.addf", [b.op("arith.mulf", [old, half]), b.load(a, [i])]), x, [i])
    b.emit("func.return")
    return Module([f])


def test_recurrences_are_kept_in_registers(kit, target):
    """Marked in the text, right in value, and without a load of what was just stored."""
    native = kit.Native(recurrence(kit, True), target)
    assert "!lz.carried" in native.text
    values = np.random.default_rng(0).standard_normal(100)
    got = np.ones(100)
    assert native([values], [got]) == 0
    want = np.ones(100)
    for i in range(1, 100):
        want[i] = want[i - 1] * 0.5 + values[i]
    np.testing.assert_array_equal(got, want)
    assert "!lz.carried" not in kit.Native(recurrence(kit, False), target).text
    blocks = re.split(r"(?m)^\.L\w+:", assembly(native.text, target))
    (loop,) = [block for block in blocks if "mulsd" in block and "jne" in block]
    assert not re.search(r"movsd\s+[^%\s].*, %xmm", loop), "the recurrence is not loaded again"


def test_product_and_sum_are_not_joined(kit):
    """On a machine with fma, two roundings stay two."""
    f, b, (a,) = kit.main_function([MemRefType((16,), f64)], [])
    x = b.vload(a, [b.index(0)], 8)
    b.vstore(b.op("arith.addf", [b.op("arith.mulf", [x, x]), x]), a, [b.index(0)])
    b.emit("func.return")
    for name in ("x86-64-v3", "x86-64-v4", "aarch64-neon"):
        target = named_target(name)
        for opt in (1, 3):
            text = assembly(emit_llvm(Module([f]), target, entry="run"), target, opt=opt)
            assert not re.search(r"\b(vfn?m(add|sub)|fml[as]|fmadd)", text)


def test_vectors_use_the_full_width(kit):
    """A loop over vectors becomes a loop over full registers, not over scalars."""
    f, b, (a, out) = kit.main_function([MemRefType((1024,), f32)], [MemRefType((1024,), f32)])
    with b.loop(b.index(0), b.index(1024), b.index(16)) as i:
        x = b.vload(a, [i], 16)
        b.vstore(b.op("math.fma", [x, x, x]), out, [i])
    b.emit("func.return")
    target = named_target("x86-64-v4")
    text = assembly(emit_llvm(Module([f]), target, entry="run"), target)
    assert re.search(r"vfmadd\d+ps\s+.*%zmm", text)
    assert not re.search(r"vfmadd\d+ss", text)


def test_wide_products_by_halves(kit):
    """The expansion for WebAssembly, run here under this machine's name."""
    from lazir.compiler.codegen import llvm as emitter
    from lazir.runtime.jit import LoadedCode

    host = host_target()
    rng = np.random.default_rng(1)
    edges = [0, 1, -1, 2**63 - 1, -(2**63), 2**32, -(2**32), 2**31]
    a = np.array([*edges, *rng.integers(-(2**63), 2**63 - 1, 24)])
    b = np.roll(a, 5)
    for name, wide in (("arith.mulsi_extended", np.int64), ("arith.mului_extended", np.uint64)):
        module = kit.elementwise([(name, {})], [i64] * 2, [i64] * 2, 32, 0)
        text = emitter.emit_llvm(module, named_target("wasm32"), entry="entry")
        text = re.sub(r"(?m)^(target .*|attributes (#\d) = .*)$", _without_machine, text)
        assert "i128" not in text
        code = LoadedCode(compile_ir(text, host), ["entry"])
        low, high = np.zeros_like(a), np.zeros_like(a)
        native = object.__new__(kit.Native)
        native._code, native._entry = code, kit.entry(code.address("entry"))
        assert native([a, b], [low, high]) == 0
        whole = [int(x) * int(y) for x, y in zip(a.view(wide), b.view(wide))]
        assert low.view(np.uint64).tolist() == [w % 2**64 for w in whole]
        assert high.view(np.uint64).tolist() == [(w >> 64) % 2**64 for w in whole]


def _without_machine(match):
    return f"attributes {match[2]} = {{ nounwind }}" if match[2] else ""


def test_literals_are_exact():
    assert literal(0.1, f32) == "0x3FB99999A0000000"
    assert literal(float("-inf"), f64) == "0xFFF0000000000000"
    assert literal(1.0, f16) == "15360" and literal(0x3F80, bf16) == literal(1.0, bf16)
    assert literal(200, i8) == "200" and literal(2**64 - 1, i64) == "-1"
    ml_dtypes = pytest.importorskip("ml_dtypes")
    for value in (1.0, -0.0, 1 + 2**-8, 1 + 2**-8 + 2**-40, 3.4e38, 1e-45, 2.0**-133):
        want = np.float64(value).astype(np.float32)
        if float(want) == value:
            bits = int(np.array(want).astype(ml_dtypes.bfloat16).view(np.uint16))
            assert bf16_bits(value) == bits
    assert bf16_bits(1 + 2**-8 + 2**-40) == 0x3F81, "one rounding, not two"


def test_targets_are_values():
    v3 = named_target("x86-64-v3")
    assert v3 == named_target("x86-64-v3") and hash(v3) == hash(dataclasses.replace(v3))
    assert v3.lanes(f32) == 8 and v3.lanes(f64) == 4 and v3.lanes(i8) == 32
    assert v3.fma and v3.native_f16 and not v3.native_bf16
    assert not named_target("x86-64-v2").fma and not named_target("x86-64-v2").native_f16
    assert named_target("sm_90a").is_gpu and named_target("sm_90a").arch == "nvptx64"
    keys = {named_target(n).key() for n in target_names()}
    assert len(keys) == len(target_names()) and all("\n" not in k for k in keys)
    with pytest.raises(KeyError, match="x86-64-v3"):
        named_target("x86-64-v9")


def test_host_target_names_this_machine():
    host = host_target()
    assert host == host_target() and host.cpu and host.vector_bits in (128, 256, 512)
    assert host.l1_bytes <= host.l2_bytes
    if host.arch == "x86_64":
        assert host.fma == host.has("fma")


def test_vector_types_reach_the_widest_registers(kit):
    """Passing vectors between functions uses full registers under the same attributes."""
    target = named_target("x86-64-v4")
    module = kit.elementwise([("arith.addf", {})], [f32, f32], [f32], 32, 16)
    text = emit_llvm(module, target, entry="run")
    assert '"prefer-vector-width"="512"' in text and str(VectorType((16,), f32)) not in text


def test_code_does_not_depend_on_what_was_made_before(kit):
    """Loops that carry values are made with an option that other code goes without."""
    host = host_target()
    plain, carried = (emit_llvm(recurrence(kit, c), host, entry="run") for c in (False, True))
    first = compile_ir(plain, host), compile_ir(carried, host)
    assert (compile_ir(plain, host), compile_ir(carried, host)) == first
