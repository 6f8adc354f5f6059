"""The emulator notices what is wrong: damaged kernels fail loudly, and damaged values differ."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import named_target
from tests.gpu.emulator import launch
from tests.gpu.plan import run_plan
from tests.gpu.programs import PROGRAMS, arguments
from tests.gpu.ptx_arithmetic import OPERATIONS, bf16_round, fma
from tests.gpu.ptx_memory import Memory
from tests.gpu.ptx_text import PtxError, parse_ptx

HEAD = """
.visible .entry k(
\t.param .u64 .ptr .align 4 k_param_0
)
{
\t.reg .pred \t%p<9>;
\t.reg .b32 \t%r<9>;
\t.reg .b64 \t%rd<9>;
\t.shared .align 4 .b8 pad[256];
"""


def run(body: str, threads: int = 64, grid: int = 1) -> np.ndarray[Any, Any]:
    """Run a kernel on 64 elements of i32 that count up; gives them after."""
    text = HEAD + "".join(f"\t{line.strip()}\n" for line in body.strip().splitlines()) + "}\n"
    memory = Memory()
    data = np.arange(64, dtype=np.uint32)
    region = memory.add("x", data.nbytes, data.copy(), 4)
    launch(parse_ptx(text)["k"], memory, grid, threads, [region.base])
    return region.bytes.view(np.uint32).copy()


START = """
    ld.param.b64 %rd1, [k_param_0];
    mov.u32 %r1, %tid.x;
    mul.wide.u32 %rd2, %r1, 4;
    add.s64 %rd3, %rd1, %rd2;
    mov.b64 %rd4, pad;
    add.s64 %rd5, %rd4, %rd2;
    ld.global.b32 %r2, [%rd3];
"""
"""%rd3 is the thread's element, %r2 its value, %rd5 its place in shared memory."""

ROTATE = """
    st.shared.b32 [%rd5], %r2;
    bar.sync 0;
    add.s32 %r3, %r1, 1;
    and.b32 %r3, %r3, 63;
    mul.wide.u32 %rd6, %r3, 4;
    add.s64 %rd6, %rd6, %rd4;
    ld.shared.b32 %r4, [%rd6];
    st.global.b32 [%rd3], %r4;
    ret;
"""


def test_shared_memory_and_barriers() -> None:
    assert (run(START + ROTATE) == np.roll(np.arange(64), -1)).all()


def test_loops_and_branches_meet_again() -> None:
    """Each thread counts down its own number, then all shuffle."""
    body = (
        START
        + """
        mov.b32 %r3, 0;
        $L__again:
        setp.eq.b32 %p1, %r2, 0;
        @%p1 bra $L__end;
        sub.s32 %r2, %r2, 1;
        add.s32 %r3, %r3, 2;
        bra.uni $L__again;
        $L__end:
        shfl.sync.bfly.b32 %r4|%p2, %r3, 1, 31, -1;
        st.global.b32 [%rd3], %r4;
        ret;
    """
    )
    assert (run(body) == 2 * (np.arange(64) ^ 1)).all()


WRONG = {
    "race on one place": START + ROTATE.replace("bar.sync 0;", ""),
    "was not written": START + "add.s32 %r4, %r1, %r5;",
    "nobody wrote": START + "ld.shared.b32 %r4, [%rd5];",
    "access of 4 at 256": START + "ld.global.b32 %r4, [%rd3+4];",
    "is in no buffer": START + "mov.b64 %rd6, 7;\nld.global.b32 %r4, [%rd6];",
    "misaligned": START + "ld.global.b64 %rd6, [%rd1+4];\nld.global.b64 %rd6, [%rd1];",
    "unknown instruction frobnicate.b32": START + "frobnicate.b32 %r4, %r1;",
    "no rounding is given": START + "add.f32 %r4, %r2, %r2;",
    "two threads write one place": START + "st.global.b32 [%rd1], %r2;",
    "a barrier that not all": START
    + "setp.gt.u32 %p1, %r1, 40;\n@%p1 bra $L__x;\nbar.sync 0;\n$L__x:\nret;",
    "a shuffle that not all": START
    + "setp.gt.u32 %p1, %r1, 40;\n@%p1 shfl.sync.bfly.b32 %r4|%p2, %r2, 1, 31, -1;\nret;",
    "is not in global memory": START + "st.global.b32 [%rd5], %r2;",
    "does not end": START + "$L__x:\nbra.uni $L__x;",
    "runs past its end": START,
    "is not declared": START + "mov.b32 %q1, %r1;",
    "does not fit into": START + "cvt.u64.u32 %r4, %r1;",
}


@pytest.mark.parametrize("message", WRONG)
def test_misuse_is_noticed(message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.gpu.emulator.MOST_STEPS", 500)
    with pytest.raises(PtxError, match=re.escape(message)):
        run(WRONG[message])


def test_blocks_race_whatever_barriers_they_pass() -> None:
    body = START + "bar.sync 0;\nadd.s32 %r2, %r2, 1;\nst.global.b32 [%rd3], %r2;\nret;"
    assert (run(body) == np.arange(64) + 1).all()
    with pytest.raises(PtxError, match="race"):
        run(body, grid=2)


# -- damage to generated code ----------------------------------------------------------------------
def damaged(name: str, pattern: str, replacement: str, count: int = 0) -> list[Any]:
    compilation = Compilation(PROGRAMS[name](), named_target("sm_90a"))
    text, found = re.subn(pattern, replacement, compilation.ptx, count=count)
    assert found, "nothing to damage"
    return run_plan(compilation.loops, text, arguments(compilation.graph))[0]


@pytest.mark.parametrize(
    "name, pattern, replacement, message",
    [
        ("softmax_700", r"\tbar\.sync \t0;\n", "", "race|nobody wrote"),
        ("sum_0", r"\tbar\.sync \t0;\n", "", "race|nobody wrote"),
        ("whole_i32", r"@%p\d+ bra", "@%p99 bra", "was not written"),
        ("whole_i32", r"@%p\d+ bra", "// @%p9 bra", "cannot read|access of 4"),
        ("chain_f32", r"st\.global\.b32 \t\[%rd\d+\]", "st.global.b32 [%rd1]", "two threads write"),
    ],
)
def test_damaged_kernels_fail(name: str, pattern: str, replacement: str, message: str) -> None:
    with pytest.raises(PtxError, match=message):
        damaged(name, pattern, replacement)


@pytest.mark.parametrize(
    "name, pattern, replacement",
    [
        ("joined_f64", r", 16, 31, -1", ", 8, 31, -1"),
        ("layer_norm", r", 1, 31, -1", ", 2, 31, -1"),
        ("best", r"setp\.lt\.s64", "setp.gt.s64"),
        ("chain_f64", r"fma\.rn\.f64 \t(%rd\d+), (%rd\d+)", r"fma.rn.f64 \t\1, 0d0000000000000000"),
    ],
)
def test_damaged_values_differ(name: str, pattern: str, replacement: str) -> None:
    compilation = Compilation(PROGRAMS[name](), named_target("sm_90a"))
    inputs = arguments(compilation.graph)
    if name == "best":
        inputs = [np.zeros_like(a) for a in inputs]  # ties
    right = run_plan(compilation.loops, compilation.ptx, inputs)[0]
    text = re.sub(pattern, replacement, compilation.ptx)
    wrong = run_plan(compilation.loops, text, inputs)[0]
    assert any((a.view(np.uint8) != b.view(np.uint8)).any() for a, b in zip(right, wrong))


# -- arithmetic ------------------------------------------------------------------------------------
def test_roundings() -> None:
    """fma rounds once, also where a double-width sum would round twice; bf16 ties go to even."""
    a, b = np.float32([1 + 2**-12, 1 + 2**-23]), np.float32([1 + 2**-12, 1 - 2**-23])
    c = np.float32([-1, 2**-80])
    once = fma(a, b, c)
    assert once[0] == np.float32(2**-11 + 2**-24) and once[1] == np.float32(1)
    x = np.float64([1 + 2**-30])
    assert fma(x, x, np.float64([-1]))[0] == 2**-29 + 2**-60
    ties = np.float32([1 + 2**-8, 1 + 3 * 2**-8, np.nan, -np.inf])
    assert bf16_round(ties).tolist() == [0x3F80, 0x3F82, 0x7FFF, 0xFF80]


def test_integers_as_the_hardware() -> None:
    low = np.iinfo(np.int32).min
    a, b = np.int32([7, -7, low, 5]), np.int32([2, 2, -1, 0])
    assert OPERATIONS["div"](a, b).tolist() == [3, -3, low, -1]
    assert OPERATIONS["rem"](a, b).tolist() == [1, -1, 0, 5]
    shifted = OPERATIONS["shl"](np.uint32([1, 1, 1]), np.uint32([31, 32, 1 << 20]))
    assert shifted.tolist() == [1 << 31, 0, 0]
    assert OPERATIONS["shr"](np.int32([-8, -8]), np.uint32([1, 99])).tolist() == [-4, -1]
    assert OPERATIONS["mul.hi"](np.uint64([1 << 63]), np.uint64([6])).tolist() == [3]
    zeros = np.float32([0.0]), np.float32([-0.0])
    assert not np.signbit(OPERATIONS["max.float"](*zeros))[0]
    assert np.signbit(OPERATIONS["min.float"](*zeros))[0]
