"""Vector operations in registers, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from lazir.compiler.mlir.ir import Dense, Module, Op
from lazir.compiler.types import (
    MemRefType,
    VectorType,
    bf16,
    f16,
    f32,
    f64,
    i1,
    i8,
    i32,
    i64,
    index,
)


def run(kit, target, build, arrays, dtype, result_shape, result=None):
    """`build(b, vectors)` gives one vector; arrays are the vectors' values."""
    result = result or dtype
    inputs = [MemRefType(a.shape, dtype) for a in arrays]
    f, b, args = kit.main_function(inputs, [MemRefType(result_shape, kit.stored(result))])
    zero = b.index(0)
    vectors = [
        b.emit("vector.load", [v, *[zero] * a.ndim], [VectorType(a.shape, dtype)]).result
        for v, a in zip(args, arrays)
    ]
    value = build(b, vectors)
    if result is i1:
        value = b.op("arith.extui", [value], VectorType(result_shape, i8))
    b.emit("vector.store", [value, args[-1], *[zero] * len(result_shape)])
    b.emit("func.return")
    got = np.zeros(result_shape, kit.storage(kit.stored(result)))
    assert kit.Native(Module([f]), target)(arrays, [got]) == 0
    return got


def numbers(kit, dtype, *shape):
    size = int(np.prod(shape))
    return (np.arange(size) % 120 + 1).reshape(shape).astype(kit.storage(dtype))


DTYPES = (i8, i64, f16, bf16, f32, f64)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_slices_and_shuffles(kit, target, dtype):
    a, b2 = numbers(kit, dtype, 16), numbers(kit, dtype, 16)[::-1].copy()
    slice = {"offsets": [3], "sizes": [5], "strides": [1]}
    got = run(
        kit,
        target,
        lambda b, v: b.op("vector.extract_strided_slice", [v[0]], VectorType((5,), dtype), **slice),
        [a],
        dtype,
        (5,),
    )
    np.testing.assert_array_equal(got, a[3:8])
    mask = (0, 17, 5, 5, 31, 2, 16)
    got = run(
        kit,
        target,
        lambda b, v: b.op("vector.shuffle", v, VectorType((7,), dtype), mask=mask),
        [a, b2],
        dtype,
        (7,),
    )
    np.testing.assert_array_equal(got, np.concatenate([a, b2])[list(mask)])
    got = run(
        kit,
        target,
        lambda b, v: b.op("vector.interleave", v, VectorType((32,), dtype)),
        [a, b2],
        dtype,
        (32,),
    )
    np.testing.assert_array_equal(got, np.stack([a, b2], 1).ravel())
    half = [VectorType((8,), dtype)] * 2
    got = run(
        kit,
        target,
        lambda b, v: b.op(
            "vector.shuffle",
            b.emit("vector.deinterleave", v, half).results,
            VectorType((16,), dtype),
            mask=tuple(range(16)),
        ),
        [a],
        dtype,
        (16,),
    )
    np.testing.assert_array_equal(got, np.concatenate([a[::2], a[1::2]]))


@pytest.mark.parametrize("sizes", ((4, 16), (16, 4), (3, 16)))
def test_shuffle_of_unequal_vectors(kit, target, sizes):
    a, b2 = (numbers(kit, f32, n) for n in sizes)
    mask = (0, sizes[0], 1, sizes[0] + 2)
    got = run(
        kit,
        target,
        lambda b, v: b.op("vector.shuffle", v, VectorType((4,), f32), mask=mask),
        [a, b2],
        f32,
        (4,),
    )
    np.testing.assert_array_equal(got, np.concatenate([a, b2])[list(mask)])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_insert_slice(kit, target, dtype):
    part, whole = numbers(kit, dtype, 2, 4), numbers(kit, dtype, 3, 8)[::-1].copy()
    where = {"offsets": [1, 3], "strides": [1, 1]}
    got = run(
        kit,
        target,
        lambda b, v: b.op("vector.insert_strided_slice", v, VectorType((3, 8), dtype), **where),
        [part, whole],
        dtype,
        (3, 8),
    )
    want = whole.copy()
    want[1:3, 3:7] = part
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [
    (4, 4), (8, 8), (16, 16), (4, 8), (8, 4), (2, 16), (16, 2), (1, 8), (8, 1), (3, 5), (6, 4),
])  # fmt: skip
def test_transpose(kit, target, shape, dtype):
    a = numbers(kit, dtype, *shape)
    got = run(
        kit,
        target,
        lambda b, v: b.op(
            "vector.transpose", v, VectorType(shape[::-1], dtype), permutation=(1, 0)
        ),
        [a],
        dtype,
        shape[::-1],
    )
    np.testing.assert_array_equal(got, a.T)


def test_transpose_of_leading_axes(kit, target):
    a = numbers(kit, f32, 2, 3, 4)
    got = run(
        kit,
        target,
        lambda b, v: b.op("vector.transpose", v, VectorType((3, 2, 4), f32), permutation=(1, 0, 2)),
        [a],
        f32,
        (3, 2, 4),
    )
    np.testing.assert_array_equal(got, a.transpose(1, 0, 2))


@pytest.mark.parametrize("shapes", [
    ((4, 8), (32,)), ((32,), (4, 8)), ((2, 12), (8, 3)), ((3, 4), (12,)), ((5, 3), (15,)),
    ((2, 3, 4), (6, 4)), ((4, 2), (2, 4)),
])  # fmt: skip
def test_shape_cast(kit, target, shapes):
    a = numbers(kit, f32, *shapes[0])
    got = run(
        kit,
        target,
        lambda b, v: b.op("vector.shape_cast", v, VectorType(shapes[1], f32)),
        [a],
        f32,
        shapes[1],
    )
    np.testing.assert_array_equal(got, a.reshape(shapes[1]))


@pytest.mark.parametrize("shapes", [
    ((8,), (3, 8)), ((1, 8), (3, 8)), ((3, 1), (3, 8)), ((2, 1, 4), (2, 3, 4)), ((1,), (8,)),
])  # fmt: skip
def test_broadcast(kit, target, shapes):
    a = numbers(kit, f32, *shapes[0])
    got = run(
        kit,
        target,
        lambda b, v: b.op("vector.broadcast", v, VectorType(shapes[1], f32)),
        [a],
        f32,
        shapes[1],
    )
    np.testing.assert_array_equal(got, np.broadcast_to(a, shapes[1]))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_extract_and_insert(kit, target, dtype):
    a = numbers(kit, dtype, 3, 8)

    def build(b, v):
        lane = b.op("vector.extract", v, dtype, static_position=(1, 5))
        late = b.op("vector.extract", [v[0], b.index(2)], dtype, static_position=(2, -(1 << 63)))
        line, grid = VectorType((8,), dtype), VectorType((3, 8), dtype)
        row = b.op("vector.extract", v, line, static_position=(2,))
        row = b.op("vector.insert", [lane, row], line, static_position=(0,))
        row = b.op("vector.insert", [late, row, b.index(7)], line, static_position=(-(1 << 63),))
        every = b.splat(lane, 8)
        whole = b.op("vector.insert", [row, v[0]], grid, static_position=(0,))
        return b.op("vector.insert", [every, whole], grid, static_position=(1,))

    got = run(kit, target, build, [a], dtype, (3, 8))
    want = a.copy()
    want[0] = a[2]
    want[0, 0], want[0, 7], want[1] = a[1, 5], a[2, 2], a[1, 5]
    np.testing.assert_array_equal(got, want)


def test_elements(kit, target):
    a = numbers(kit, f32, 2, 3)

    def build(b, v):
        parts = b.emit("vector.to_elements", v, [f32] * 6).results
        return b.op("vector.from_elements", parts[::-1], VectorType((3, 2), f32))

    got = run(kit, target, build, [a], f32, (3, 2))
    np.testing.assert_array_equal(got, a.ravel()[::-1].reshape(3, 2))


@pytest.mark.parametrize("bound", (-3, 0, 1, 5, 8, 1 << 40))
def test_masks_are_clamped(kit, target, bound):
    a = numbers(kit, i64, 1)

    def build(b, v):
        n = b.op("vector.extract", v, i64, static_position=(0,))
        n = b.op("arith.index_cast", [n], index)
        return b.emit("vector.create_mask", [b.index(2), n], [VectorType((3, 8), i1)]).result

    a[0] = bound
    got = run(kit, target, build, [a], i64, (3, 8), result=i1)
    i, j = np.mgrid[:3, :8]
    np.testing.assert_array_equal(got, (i < 2) & (j < bound))


def test_step_and_constants(kit, target):
    a = numbers(kit, i64, 8)

    def build(b, v):
        step = b.op(
            "arith.index_cast",
            [b.op("vector.step", [], VectorType((8,), index))],
            VectorType((8,), i64),
        )
        table = b.const(0, VectorType((8,), i64))
        dense = Op(
            "arith.constant",
            (),
            (table.type,),
            {"value": Dense(table.type, np.arange(8)[::-1] ** 3)},
        )
        b.block.ops.append(dense)
        return b.op("arith.addi", [b.op("arith.muli", [step, v[0]]), dense.result])

    got = run(kit, target, build, [a], i64, (8,))
    np.testing.assert_array_equal(got, np.arange(8) * a + np.arange(8)[::-1] ** 3)


def test_bitcast_changes_the_last_axis(kit, target):
    a = numbers(kit, f32, 2, 8)
    got = run(
        kit,
        target,
        lambda b, v: b.op("vector.bitcast", v, VectorType((2, 4), i64)),
        [a],
        f32,
        (2, 4),
        result=i64,
    )
    np.testing.assert_array_equal(got, a.view(np.int64))


REDUCTIONS = {
    "add": np.sum, "mul": np.prod, "minsi": np.min, "maxsi": np.max,
    "and": np.bitwise_and.reduce, "or": np.bitwise_or.reduce, "xor": np.bitwise_xor.reduce,
}  # fmt: skip


@pytest.mark.parametrize("kind", REDUCTIONS)
def test_integer_reductions(kit, target, kind):
    a = np.array([3, -5, 7, 11, -2, 9, 1, 6], np.int32)

    def build(b, v):
        plain = b.op("vector.reduction", v, i32, kind=kind)
        more = b.op("vector.reduction", [v[0], b.const(4, i32)], i32, kind=kind)
        return b.op("vector.from_elements", [plain, more], VectorType((2,), i32))

    got = run(kit, target, build, [a], i32, (2,))
    rule = REDUCTIONS[kind]
    assert got.tolist() == [rule(a), rule(np.append(a, np.int32(4)))]


@pytest.mark.parametrize("kind", ("maximumf", "minimumf"))
@pytest.mark.parametrize("bad", (False, True))
def test_float_extremes(kit, target, kind, bad):
    a = np.array([3, -5, 7, np.nan if bad else 1], np.float32)
    got = run(
        kit,
        target,
        lambda b, v: b.splat(b.op("vector.reduction", v, f32, kind=kind), 2),
        [a],
        f32,
        (2,),
    )
    rule = np.max if kind == "maximumf" else np.min
    np.testing.assert_array_equal(got, np.full(2, rule(a)))


@pytest.mark.parametrize("kind", ("add", "mul"))
def test_float_sums_are_refused(kit, target, kind):
    a = np.ones(4, np.float32)
    with pytest.raises(ValueError, match="fixed tree"):
        run(
            kit,
            target,
            lambda b, v: b.splat(b.op("vector.reduction", v, f32, kind=kind), 2),
            [a],
            f32,
            (2,),
        )
