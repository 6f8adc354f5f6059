"""GPU code: what the text says, that it assembles, and that arithmetic keeps its roundings."""

from __future__ import annotations

import importlib.util
import pathlib
import re
import subprocess

import pytest

from lazir.compiler.codegen.ptx import emit_ptx_ir, ptx
from lazir.compiler.mlir.builder import Builder
from lazir.compiler.mlir.ir import Block, Module, Op, Unit, Value, function
from lazir.compiler.target import named_target
from lazir.compiler.types import (
    MemRefType,
    VectorType,
    async_token,
    bf16,
    f16,
    f32,
    f64,
    i1,
    i8,
    i16,
    i32,
    i64,
    index,
)  # fmt: skip

ARCHITECTURES = ("sm_75", "sm_80", "sm_86", "sm_89", "sm_90a", "sm_100")


def assembler():
    """ptxas from the nvidia-cuda-nvcc package, or None."""
    spec = importlib.util.find_spec("nvidia")
    roots = list(spec.submodule_search_locations or ()) if spec else []
    found = [p for root in roots for p in sorted(pathlib.Path(root).glob("cu*/bin/ptxas"))]
    return found[-1] if found else None


def assemble(text, name, tmp_path):
    """Run ptxas; gives what it says of registers and memory."""
    tool = assembler()
    if tool is None:
        pytest.skip("ptxas is not installed: pip install nvidia-cuda-nvcc")
    source = tmp_path / "kernel.ptx"
    source.write_text(text)
    done = subprocess.run(
        [tool, f"-arch={name}", "-v", source, "-o", tmp_path / "kernel.cubin"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stderr


def kernel(arguments, shared=(), **attrs):
    """An empty kernel, its builder and its arguments, shared memory last."""
    head = {"gpu.kernel": Unit(), "workgroup_attributions": len(shared), **attrs}
    f = function("kernel", arguments, [], attrs=head)
    f.name = "gpu.func"
    f.regions[0].args.extend(Value(t) for t in shared)
    return f, Builder(f), f.regions[0].args


def module(*functions):
    return Module(
        [Op("gpu.module", attrs={"sym_name": "kernels"}, regions=[Block([], [*functions])])]
    )


def ref(dtype, *shape, space=0):
    return MemRefType(tuple(shape), dtype, space=space)


def row_sum():
    """One warp a row: vector loads, a shuffle tree, shared memory, a barrier."""
    f, b, (a, out, pad) = kernel(
        [ref(f32, 32, 128), ref(f32, 32)], [ref(f32, 32, space=3)],
        known_block_size=(32, 1, 1), **{"lz.noalias": Unit()},
    )  # fmt: skip
    row = b.op("gpu.block_id", [], index, dimension="x")
    lane = b.op("gpu.thread_id", [], index, dimension="x")
    v = b.op("vector.load", [a, row, b.mul(lane, 4)], VectorType((4,), f32), alignment=16)
    parts = [b.op("vector.extract", [v], f32, static_position=(k,)) for k in range(4)]
    total = b.op("arith.addf", [b.op("arith.addf", parts[:2]), b.op("arith.addf", parts[2:])])
    for step in (16, 8, 4, 2, 1):
        operands = [total, b.const(step, i32), b.const(32, i32)]
        moved, _ = b.emit("gpu.shuffle", operands, [f32, i1], {"mode": "xor"}).results
        total = b.op("arith.addf", [total, moved])
    b.store(total, pad, [lane])
    b.emit("gpu.barrier")
    other = b.load(pad, [b.op("arith.subi", [b.index(31), lane])])
    b.if_else(b.compare("eq", lane, b.index(0)), lambda: b.store(other, out, [row]) or [])
    b.emit("gpu.return")
    return module(f)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_row_sum_assembles(name, tmp_path):
    target = named_target(name)
    text = ptx(emit_ptx_ir(row_sum(), target), target)
    for pattern in (
        r"\.visible \.entry kernel", r"\.maxntid 32, 1, 1", r"ld\.global\.nc\.v4", r"bar\.sync",
        r"shfl\.sync\.bfly\.b32", r"\.shared .*\[128\]", r"st\.global",
    ):  # fmt: skip
        assert re.search(pattern, text), pattern
    assert "spill stores, 0 bytes spill loads" in assemble(text, name, tmp_path).replace("\n", " ")


def elementwise_kernel(name, dtype, results=None, operands=2, **attrs):
    """result[t] = name(a[t], …) for one thread each."""
    results = results or [dtype]
    stored = [i8 if r is i1 else r for r in results]
    f, b, (a, *outs) = kernel([ref(dtype, 64), *(ref(r, 64) for r in stored)])
    t = b.op("gpu.thread_id", [], index, dimension="x")
    x = b.load(a, [t])
    values = b.emit(name, [x] * operands, results, attrs).results
    for value, out in zip(values, outs):
        if value.type is i1:
            value = b.op("arith.extui", [value], i8)
        b.store(value, out, [t])
    b.emit("gpu.return")
    return module(f)


@pytest.mark.parametrize("operation, instruction", [
    ("arith.addf", "add.rn.f32"), ("arith.mulf", "mul.rn.f32"), ("arith.divf", "div.rn.f32"),
    ("math.sqrt", "sqrt.rn.f32"), ("math.fma", "fma.rn.f32"),
])  # fmt: skip
def test_roundings_are_spelled_out(operation, instruction):
    """Without .rn, ptxas would join a product and a sum."""
    count = {"math.sqrt": 1, "math.fma": 3}.get(operation, 2)
    target = named_target("sm_80")
    text = ptx(emit_ptx_ir(elementwise_kernel(operation, f32, operands=count), target), target)
    assert instruction in text
    assert not re.search(r"\b(ftz|approx)\b", text)


def test_product_and_sum_are_not_joined():
    f, b, (a,) = kernel([ref(f32, 64)])
    t = b.op("gpu.thread_id", [], index, dimension="x")
    x = b.load(a, [t])
    b.store(b.op("arith.addf", [b.op("arith.mulf", [x, x]), x]), a, [t])
    b.emit("gpu.return")
    target = named_target("sm_90a")
    text = ptx(emit_ptx_ir(module(f), target), target)
    assert "fma" not in text and "mul.rn.f32" in text and "add.rn.f32" in text


UNARY = ("math.floor", "math.roundeven", "math.sqrt", "arith.negf", "math.absf", "math.round")
BINARY = ("arith.addf", "arith.divf", "arith.maximumf", "arith.maxnumf", "math.copysign")


@pytest.mark.parametrize("dtype", (f16, bf16, f32, f64), ids=str)
@pytest.mark.parametrize("name", ("sm_75", "sm_80", "sm_90a"))
def test_float_operations_assemble(name, dtype, tmp_path):
    target = named_target(name)
    cases = [(op, 1, {}) for op in UNARY] + [(op, 2, {}) for op in BINARY] + [("math.fma", 3, {})]
    kernels = []
    for k, (op, count, attrs) in enumerate(cases):
        (top,) = elementwise_kernel(op, dtype, operands=count, **attrs).ops
        top.regions[0].ops[0].attrs["sym_name"] = f"kernel{k}"
        kernels += top.regions[0].ops
    for k, wide in enumerate((i8, i32, i64)):
        (top,) = elementwise_kernel("arith.fptosi", dtype, [wide], operands=1).ops
        top.regions[0].ops[0].attrs["sym_name"] = f"cast{k}"
        kernels += top.regions[0].ops
    text = ptx(emit_ptx_ir(module(*kernels), target), target)
    assert ".extern" not in text, "nothing is called"
    assemble(text, name, tmp_path)


@pytest.mark.parametrize("dtype", (i8, i16, f16, bf16, i32, f32, i64, f64), ids=str)
@pytest.mark.parametrize("mode", ("xor", "up", "down", "idx"))
def test_shuffles_of_every_width(dtype, mode, tmp_path):
    f, b, (a,) = kernel([ref(dtype, 32)])
    t = b.op("gpu.lane_id", [], index)
    operands = [b.load(a, [t]), b.const(1, i32), b.const(32, i32)]
    moved, valid = b.emit("gpu.shuffle", operands, [dtype, i1], {"mode": mode}).results
    b.if_else(valid, lambda: b.store(moved, a, [t]) or [])
    b.emit("gpu.return")
    target = named_target("sm_80")
    text = ptx(emit_ptx_ir(module(f), target), target)
    assert text.count("shfl.sync") == (2 if dtype.bits == 64 else 1)
    assemble(text, "sm_80", tmp_path)


FRAGMENTS = [
    (f16, (4, 2), (2, 2), f32, (16, 8, 16)), (f16, (2, 2), (1, 2), f32, (16, 8, 8)),
    (bf16, (4, 2), (2, 2), f32, (16, 8, 16)), (f32, (4, 1), (2, 1), f32, (16, 8, 8)),
    (i8, (4, 4), (2, 4), i32, (16, 8, 32)),
]  # fmt: skip


@pytest.mark.parametrize("case", FRAGMENTS, ids=lambda c: f"{c[0]}-k{c[4][2]}")
def test_tensor_core_products(case, tmp_path):
    dtype, left, right, total, shape = case
    f, b, (a, w, c) = kernel([ref(dtype, *left), ref(dtype, *right), ref(total, 2, 2)])
    zero = b.index(0)
    x, y = (
        b.op("vector.load", [m, zero, zero], VectorType(s, dtype))
        for m, s in ((a, left), (w, right))
    )
    z = b.op("vector.load", [c, zero, zero], VectorType((2, 2), total))
    attrs = {"mmaShape": list(shape), **({"tf32Enabled": Unit()} if dtype is f32 else {})}
    r = b.emit("nvgpu.mma.sync", [x, y, z], [z.type], attrs).result
    b.emit("vector.store", [r, c, zero, zero])
    b.emit("gpu.return")
    target = named_target("sm_80")
    text = ptx(emit_ptx_ir(module(f), target), target)
    assert re.search(rf"mma\.sync\.aligned\.m16n8k{shape[2]}\.row\.col", text)
    assemble(text, "sm_80", tmp_path)


def test_copies_to_shared_memory(tmp_path):
    """cp.async of 4 and 16 bytes, one of them partial, then ldmatrix plain and transposed."""
    f, b, (a, out, pad) = kernel(
        [ref(f16, 16, 16), ref(f16, 32, 4, 2)], [ref(f16, 16, 16, space=3)]
    )
    t = b.op("gpu.thread_id", [], index, dimension="x")
    zero = b.index(0)

    def copy(elements, *rest, **attrs):
        operands = [pad, t, zero, a, t, zero, *rest]
        attrs["dstElements"] = elements
        return b.emit("nvgpu.device_async_copy", operands, [async_token], attrs).result

    tokens = [copy(8, bypassL1=Unit()), copy(2), copy(2, b.index(1))]
    group = b.emit("nvgpu.device_async_create_group", tokens, [async_token]).result
    b.emit("nvgpu.device_async_wait", [group], [], {"numGroups": 0})
    b.emit("gpu.barrier")
    tile = VectorType((4, 2), f16)
    for turned in (False, True):
        attrs = {"numTiles": 4, "transpose": turned}
        x = b.emit("nvgpu.ldmatrix", [pad, t, zero], [tile], attrs).result
        b.emit("vector.store", [x, out, t, zero, zero])
    b.emit("gpu.return")
    target = named_target("sm_80")
    text = ptx(emit_ptx_ir(module(f), target), target)
    for pattern in (
        r"cp\.async\.cg\.shared\.global .*, 16;", r"cp\.async\.ca\.shared\.global .*, 4;",
        r"cp\.async\.commit_group", r"cp\.async\.wait_group", r"ldmatrix.*\.x4\.shared",
        r"ldmatrix.*\.x4\.trans",
    ):  # fmt: skip
        assert re.search(pattern, text), pattern
    assemble(text, "sm_80", tmp_path)


def test_device_functions_masks_and_atomics(tmp_path):
    g = function("square", [f32], [f32], private=True)
    c = Builder(g)
    x = g.regions[0].args[0]
    c.emit("func.return", [c.op("arith.mulf", [x, x])])
    f, b, (a, total) = kernel([ref(f32, 8), ref(f32, 1)])
    t = b.op("gpu.subgroup_id", [], index)
    (y,) = b.call("square", [b.load(a, [t])], [f32])
    b.emit("memref.atomic_rmw", [y, total, b.index(0)], [f32], {"kind": "addf"})
    v4, m4 = VectorType((4,), f32), VectorType((4,), i1)
    on = b.emit("vector.create_mask", [t], [m4]).result
    x = b.emit("vector.maskedload", [a, t, on, b.const(0.0, v4)], [v4]).result
    b.emit("vector.maskedstore", [a, t, on, b.op("arith.addf", [x, x])])
    b.emit("gpu.return")
    target = named_target("sm_90a")
    text = ptx(emit_ptx_ir(module(g, f), target), target)
    assert re.search(r"(atom|red)\.global\.add\.f32", text)
    assemble(text, "sm_90a", tmp_path)


def test_misuse_is_refused():
    target = named_target("sm_80")
    with pytest.raises(ValueError, match="is no GPU"):
        emit_ptx_ir(row_sum(), named_target("x86-64-v3"))
    f, b, (a,) = kernel([ref(f32, 32)])
    operands = [b.load(a, [b.index(0)]), b.const(1, i32), b.const(16, i32)]
    b.emit("gpu.shuffle", operands, [f32, i1], {"mode": "xor"})
    with pytest.raises(ValueError, match="whole warp"):
        emit_ptx_ir(module(f), target)
    f, b, (a,) = kernel([ref(f32, 32)])
    with b.parallel(b.index(0), b.index(4), b.index(1)):
        pass
    with pytest.raises(ValueError, match=r"scf\.parallel has no machine code on sm_80"):
        emit_ptx_ir(module(f), target)
    f, b, _ = kernel([ref(f32, 32)])
    body = Block([Value(index)])
    with b.inside(body):
        b.emit("scf.yield")
    b.emit("scf.for", [b.index(0), b.index(9), b.index(1)], [], {"lz.poll": 4}, [body])
    b.emit("gpu.return")
    with pytest.raises(ValueError, match="cannot be interrupted"):
        emit_ptx_ir(module(f), target)
