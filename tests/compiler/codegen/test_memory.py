"""Addresses, views, copies, globals, and vector loads and stores, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from lazir.compiler.mlir.ir import AffineMap, Dense, Module, Op, Symbol, Typed, Value
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
    index,
)  # fmt: skip

DYNAMIC = -(1 << 63)


def ref(dtype, *shape, **more):
    return MemRefType(tuple(shape), dtype, **more)


def run(kit, target, f, inputs, outputs, **more):
    """Compile and run a finished main function."""
    assert (
        kit.Native(Module([f] if not isinstance(f, list) else f), target)(inputs, outputs, **more)
        == 0
    )


@pytest.mark.parametrize("dtype", (i8, i16, i32, i64, f16, bf16, f32, f64), ids=str)
def test_strided_window_is_copied(kit, target, dtype):
    """load and store through subviews with static and variable offsets."""
    f, b, (a, out) = kit.main_function([ref(dtype, 6, 10)], [ref(dtype, 3, 4)])
    view = ref(dtype, 3, 4, strides=(10, 2), offset=None)
    start = b.index(2)
    window = b.emit(
        "memref.subview", [a, start], [view],
        {"static_offsets": (1, DYNAMIC), "static_sizes": (3, 4), "static_strides": (1, 2)},
    ).result  # fmt: skip
    zero, one = b.index(0), b.index(1)
    with b.loop(zero, b.index(3), one) as i, b.loop(zero, b.index(4), one) as j:
        b.store(b.load(window, [i, j]), out, [i, j])
    b.emit("func.return")
    values = np.random.default_rng(0).integers(0, 100, (6, 10)).astype(kit.storage(dtype))
    got = np.zeros((3, 4), values.dtype)
    run(kit, target, f, [values], [got])
    np.testing.assert_array_equal(got, values[1:4, 2:10:2])


def test_offset_arithmetic_before_the_buffer(kit, target):
    """Steps on the way may leave the buffer: (i + 5) − 5 and a negative coefficient."""
    f, b, (a, out) = kit.main_function([ref(i32, 10)], [ref(i32, 10)])
    with b.loop(b.index(0), b.index(10), b.index(1)) as i:
        back = b.op("arith.subi", [b.index(9), i])
        far = b.op("arith.subi", [b.add(back, 500), b.index(500)])
        b.store(b.load(a, [far]), out, [i])
    b.emit("func.return")
    values = np.arange(10, dtype=np.int32)
    got = np.zeros_like(values)
    run(kit, target, f, [values], [got])
    np.testing.assert_array_equal(got, values[::-1])


def test_affine_apply_and_dim(kit, target):
    f, b, (a, out) = kit.main_function([ref(f32, 64)], [ref(f32, 4, 4)])
    size = b.emit("memref.dim", [out, b.index(1)], [index]).result
    map = AffineMap(2, (((8, 2), 3),))
    with b.loop(b.index(0), size, b.index(1)) as i, b.loop(b.index(0), size, b.index(1)) as j:
        at = b.emit("affine.apply", [i, j], [index], {"map": map}).result
        b.store(b.load(a, [at]), out, [i, j])
    b.emit("func.return")
    values = np.arange(64, dtype=np.float32)
    got = np.zeros((4, 4), np.float32)
    run(kit, target, f, [values], [got])
    i, j = np.mgrid[:4, :4]
    np.testing.assert_array_equal(got, values[8 * i + 2 * j + 3])


def test_workspace_views_and_casts(kit, target):
    """A typed view of the byte workspace, reinterpreted, collapsed and expanded."""
    f, b, (a, out, work) = kit.main_function([ref(f32, 4, 6)], [ref(f32, 24)], workspace=4096)
    view = b.emit("memref.view", [work, b.index(256)], [ref(f32, 4, 6)]).result
    b.emit("memref.copy", [a, view])
    flat = b.emit(
        "memref.collapse_shape", [view], [ref(f32, 24)], {"reassociation": [[0, 1]]}
    ).result
    grown = b.emit(
        "memref.expand_shape", [flat], [ref(f32, 2, 12)],
        {"reassociation": [[0, 1]], "static_output_shape": (2, 12)},
    ).result  # fmt: skip
    again = b.emit(
        "memref.reinterpret_cast", [grown, b.index(3)], [ref(f32, 21, strides=(1,), offset=None)],
        {"static_offsets": (DYNAMIC,), "static_sizes": (21,), "static_strides": (1,)},
    ).result  # fmt: skip
    with b.loop(b.index(0), b.index(21), b.index(1)) as i:
        b.store(b.load(again, [i]), out, [i])
    with b.loop(b.index(21), b.index(24), b.index(1)) as i:
        b.store(b.load(grown, [b.index(0), b.op("arith.subi", [i, b.index(21)])]), out, [i])
    b.emit("func.return")
    values = np.arange(24, dtype=np.float32).reshape(4, 6)
    got = np.zeros(24, np.float32)
    run(kit, target, f, [values], [got], workspace=np.zeros(4096, np.uint8))
    np.testing.assert_array_equal(got, np.concatenate([values.ravel()[3:], values.ravel()[:3]]))


@pytest.mark.parametrize("rows", (3, 40))
@pytest.mark.parametrize("columns", (1, 5, 40))
def test_copy_between_strided_windows(kit, target, rows, columns):
    source = ref(f32, rows, columns, strides=(columns + 3, 1), offset=0)
    f, b, (a, out) = kit.main_function([ref(f32, rows, columns + 3)], [ref(f32, rows, columns)])
    window = b.emit(
        "memref.subview", [a], [source],
        {"static_offsets": (0, 0), "static_sizes": (rows, columns), "static_strides": (1, 1)},
    ).result  # fmt: skip
    b.emit("memref.copy", [window, out])
    b.emit("func.return")
    values = np.random.default_rng(1).standard_normal((rows, columns + 3)).astype(np.float32)
    got = np.zeros((rows, columns), np.float32)
    run(kit, target, f, [values], [got])
    np.testing.assert_array_equal(got, values[:, :columns])


def test_copy_of_transposed_window(kit, target):
    """No axis is dense: element by element, in a loop outside and unrolled inside."""
    source = ref(f64, 30, 7, strides=(1, 30), offset=0)
    f, b, (a, out) = kit.main_function([ref(f64, 7, 30)], [ref(f64, 30, 7)])
    window = b.emit(
        "memref.reinterpret_cast", [a], [source],
        {"static_offsets": (0,), "static_sizes": (30, 7), "static_strides": (1, 30)},
    ).result  # fmt: skip
    b.emit("memref.copy", [window, out])
    b.emit("func.return")
    values = np.random.default_rng(1).standard_normal((7, 30))
    got = np.zeros((30, 7))
    run(kit, target, f, [values], [got])
    np.testing.assert_array_equal(got, values.T)


def test_stack_global_and_alignment(kit, target):
    table = np.array([3, 1, 4, 1, 5], np.int32)
    constant = Op(
        "memref.global",
        attrs={
            "sym_name": "digits", "sym_visibility": "private", "type": ref(i32, 5),
            "initial_value": Dense(ref(i32, 5), table), "constant": True,
        },
    )  # fmt: skip
    f, b, (out,) = kit.main_function([], [ref(i32, 5)])
    digits = b.emit("memref.get_global", [], [ref(i32, 5)], {"name": Symbol("digits")}).result
    local = b.alloca(ref(i32, 5))
    b.emit("memref.assume_alignment", [local], [], {"alignment": Typed(64, i32)})
    with b.loop(b.index(0), b.index(5), b.index(1)) as i:
        x = b.load(digits, [i])
        b.store(b.op("arith.muli", [x, x]), local, [i])
    with b.loop(b.index(0), b.index(5), b.index(1)) as i:
        b.store(b.load(local, [b.op("arith.subi", [b.index(4), i])]), out, [i])
    b.emit("func.return")
    got = np.zeros(5, np.int32)
    run(kit, target, [constant, f], [], [got])
    np.testing.assert_array_equal(got, (table**2)[::-1])


def test_atomic_and_prefetch(kit, target):
    f, b, (a, out) = kit.main_function([ref(i64, 8)], [ref(i64, 4)])
    with b.loop(b.index(0), b.index(8), b.index(1)) as i:
        b.emit("memref.prefetch", [a, i], [], {"isWrite": False, "localityHint": 3})
        x = b.load(a, [i])
        for k, kind in enumerate(("addi", "maxs", "ori", "assign")):
            b.emit("memref.atomic_rmw", [x, out, b.index(k)], [i64], {"kind": kind})
    b.emit("func.return")
    values = np.array([5, -2, 9, 1, 0, 3, 8, 4])
    got = np.zeros(4, np.int64)
    run(kit, target, f, [values], [got])
    assert got.tolist() == [values.sum(), 9, np.bitwise_or.reduce(values), 4]


@pytest.mark.parametrize("dtype", (i8, i16, i32, i64, f16, bf16, f32, f64), ids=str)
@pytest.mark.parametrize("lanes", (4, 16))
def test_masked_tail(kit, target, dtype, lanes):
    """A vector loop whose last step is masked; nothing is touched behind the end."""
    count = 21
    f, b, (a, out) = kit.main_function([ref(dtype, count)], [ref(dtype, count)])
    vector, mask = VectorType((lanes,), dtype), VectorType((lanes,), i1)
    fill = b.const(0 if not dtype.is_float or dtype is bf16 else 0.0, vector)
    with b.loop(b.index(0), b.index(count), b.index(lanes)) as i:
        left = b.op("arith.subi", [b.index(count), i])
        on = b.emit("vector.create_mask", [left], [mask]).result
        x = b.emit("vector.maskedload", [a, i, on, fill], [vector]).result
        b.emit("vector.maskedstore", [out, i, on, x])
    b.emit("func.return")
    values = np.random.default_rng(2).integers(1, 100, count).astype(kit.storage(dtype))
    room = np.full(count + lanes, 7, values.dtype)
    run(kit, target, f, [values], [room])
    np.testing.assert_array_equal(room[:count], values)
    np.testing.assert_array_equal(room[count:].astype(np.float64), 7)


@pytest.mark.parametrize("words", (i32, i64, index), ids=str)
@pytest.mark.parametrize("dtype", (i8, f16, f32, f64), ids=str)
@pytest.mark.parametrize("stride", (1, 3))
def test_gather_and_scatter(kit, target, dtype, words, stride):
    lanes = 8
    grid = ref(dtype, 4, 16) if stride == 1 else ref(dtype, 4, 16, strides=(48, stride), offset=0)
    whole = ref(dtype, 4, 16 * stride)
    places = ref(words if words is not index else i64, lanes)
    f, b, (a, where, out) = kit.main_function([whole, places], [whole])
    source, sink = a, out
    if stride != 1:
        view = {"static_offsets": (0, 0), "static_sizes": (4, 16), "static_strides": (1, 3)}
        source = b.emit("memref.subview", [a], [grid], view).result
        sink = b.emit("memref.subview", [out], [grid], view).result
    at = b.vload(where, [b.index(0)], lanes)
    if words is index:
        at = b.op("arith.index_cast", [at], VectorType((lanes,), index))
    vector, mask = VectorType((lanes,), dtype), VectorType((lanes,), i1)
    on = b.emit("vector.constant_mask", [], [mask], {"mask_dim_sizes": (6,)}).result
    fill = b.const(1.0 if dtype.is_float else 1, vector)
    with b.loop(b.index(0), b.index(4), b.index(1)) as i:
        x = b.emit("vector.gather", [source, i, b.index(1), at, on, fill], [vector]).result
        b.emit("vector.scatter", [sink, i, b.index(0), at, on, x])
    b.emit("func.return")
    rng = np.random.default_rng(3)
    values = rng.integers(2, 100, (4, 16 * stride)).astype(kit.storage(dtype))
    picks = np.array([14, 0, 3, 7, 1, 12, 2, 5])
    got = np.zeros_like(values)
    run(kit, target, f, [values, picks.astype(places.dtype.numpy)], [got])
    want = np.zeros_like(values)
    want[:, picks[:6] * stride] = values[:, (picks[:6] + 1) * stride]
    np.testing.assert_array_equal(got, want)


def test_rank_two_vectors_in_memory(kit, target):
    """A vector<3x4> is loaded from and stored to rows of a wider buffer."""
    tile = VectorType((3, 4), f32)
    f, b, (a, out) = kit.main_function([ref(f32, 2, 5, 9)], [ref(f32, 2, 3, 4)])
    with b.loop(b.index(0), b.index(2), b.index(1)) as i:
        x = b.emit("vector.load", [a, i, b.index(1), b.index(2)], [tile]).result
        b.vstore(b.op("arith.addf", [x, x]), out, [i, b.index(0), b.index(0)])
    b.emit("func.return")
    values = np.random.default_rng(4).standard_normal((2, 5, 9)).astype(np.float32)
    got = np.zeros((2, 3, 4), np.float32)
    run(kit, target, f, [values], [got])
    np.testing.assert_array_equal(got, 2 * values[:, 1:4, 2:6])


def test_misuse_is_refused_with_a_reason(kit):
    target = named_target("x86-64-v3")

    def refuse(match, build, types=(f32,)):
        f, b, args = kit.main_function([ref(t, 4, 4) for t in types], [])
        build(b, args)
        b.emit("func.return")
        with pytest.raises(ValueError, match=match):
            kit.Native(Module([f]), target)

    refuse("bool buffer", lambda b, a: b.load(a[0], [b.index(0)] * 2), (i1,))
    refuse("do not allocate", lambda b, a: b.op("memref.alloc", [], ref(f32, 4)))
    refuse("needs 2 indices", lambda b, a: b.load(a[0], [b.index(0)]))
    refuse("before it is defined", lambda b, a: b.store(Value(f32), a[0], [b.index(0)] * 2))
    refuse("is needed, not f32", lambda b, a: b.load(b.const(0.0, f32), []))
    refuse(
        "changes the size",
        lambda b, a: b.emit("memref.collapse_shape", [a[0]], [ref(f32, 15)], {"reassociation": []}),
    )
