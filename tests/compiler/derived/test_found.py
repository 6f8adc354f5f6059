"""Graphs that were once compiled wrongly, each with what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from agreement import Compared, check_graph, run_compiled
from random_programs import draw_array

from lazir.compiler.graph import Builder, Value
from lazir.compiler.opdef import OPS, Domain
from lazir.compiler.ops.source import constant
from lazir.compiler.types import TensorType, f16, f32, f64, i1, i8, i32, i64, tensor, ui32


def check(
    types: Sequence[TensorType], build: Callable[..., Sequence[Value]], domain: Domain | None = None
) -> Compared:
    """Compile `build(b, *params)` and hold it to the interpreter."""
    b = Builder()
    graph = b.graph(build(b, *(b.param(t) for t in types)))
    rng = np.random.default_rng(0)
    inputs = [draw_array(rng, t, domain or Domain()) for t in types]
    total = check_graph(graph, inputs, run_compiled(graph, inputs))
    assert total.compared == total.total
    return total


def test_one_value_converted_to_two_types():
    """Scalar nodes were told apart by op and operands: the second conversion was the first."""
    for source, first, second in ((f16, f32, f64), (i8, i32, i64), (i64, i32, i8), (f64, f32, f16)):
        check(
            [tensor(source, 19)],
            lambda b, x, first=first, second=second: [
                OPS["convert"](b, x, dtype=first),
                OPS["convert"](b, x, dtype=second),
            ],
        )


def test_integer_stored_as_its_truth():
    """The conversion of an i8 to bool was taken for the loading of a bool, and stored as it was."""
    check([tensor(i8, 70)], lambda b, x: [OPS["convert"](b, x, dtype=i1)])


def test_carried_array_is_read_in_another_shape():
    """A loop's carried array was overwritten while an element of it was read through a view."""
    x, n = tensor(i64, 5, 4), tensor(i32)

    def test(b: Builder, i: Value, v: Value) -> list[Value]:
        return [OPS["less"](b, i, constant(b, 3, i32))]

    def body(b: Builder, i: Value, v: Value) -> list[Value]:
        flat = OPS["reshape"](b, v, shape=(20,))
        two = [OPS["slice"](b, flat, start=(k,), limit=(k + 1,), stride=(1,)) for k in (3, 17)]
        once = OPS["reshape"](b, OPS["sub"](b, *two), shape=())
        return [OPS["add"](b, i, constant(b, 1, i32)),
                OPS["broadcast"](b, once, shape=(5, 4), axes=())]  # fmt: skip

    def graph(build: Callable[..., list[Value]]):
        b = Builder()
        return b.graph(build(b, b.param(n), b.param(x)))

    attrs = {"cond": graph(test), "body": graph(body), "n_const": 0}
    check([x], lambda b, v: OPS["while"].many(b, constant(b, 0, i32), v, **attrs))


ROWS = {
    "axes": (0,), "collapsed": (0,), "operand_batch": (), "index_batch": (), "offset": (1,),
}  # fmt: skip


def test_scatter_of_its_own_indices():
    """Updates that are the indices too made the scatter a slice, out of bounds."""
    for mode in ("clip", "drop"):
        check(
            [tensor(i32, 3, 1), tensor(i32, 20, 1)],
            lambda b, x, v, mode=mode: [OPS["scatter"](b, x, v, v, op="set", mode=mode, **ROWS)],
        )


def test_scatter_of_an_array_into_itself():
    """The array is read at other places while it is written: in place only on a copy."""

    def build(b: Builder, x: Value, at: Value) -> list[Value]:
        y = OPS["add"](b, x, x)
        return [OPS["scatter"](b, y, at, y, op="add", mode="clip", **ROWS)]

    check([tensor(i64, 6, 1), tensor(i32, 6, 1)], build, Domain(int_low=0, int_high=6))


def test_views_without_elements():
    """Matching axes of shapes with a zero ran out of axes."""
    check(
        [tensor(f32, 0, 3), tensor(f32, 4)],
        lambda b, x, y: [
            OPS["neg"](b, OPS["reshape"](b, OPS["exp"](b, x), shape=(3, 0))),
            OPS["neg"](b, y),
        ],
    )  # fmt: skip


def test_products_of_ramps_and_constants():
    """What has no place in memory was computed inside of the product, which reads both factors."""

    def build(b: Builder, y: Value) -> list[Value]:
        plain = {"lhs_batch": (), "rhs_batch": ()}
        ramp = OPS["iota"](b, shape=(9, 4), axis=0, dtype=f32)
        two = constant(b, 2, f32, (1, 4))
        dims = {"lhs_contracting": (1,), "rhs_contracting": (0,)}
        return [OPS["dot_general"](b, x, y, **dims, **plain) for x in (ramp, two)]

    check([tensor(f32, 4, 5)], build)


def test_size_of_negated_unsigned_integers():
    """|−x| is |x| for signed numbers alone."""
    check([tensor(ui32, 9)], lambda b, x: [OPS["abs"](b, OPS["neg"](b, x))])


def test_reader_of_a_kernel_that_it_cannot_join():
    """A kernel that reads another at another point was joined with it, for what both read."""

    def build(b: Builder, x: Value) -> list[Value]:
        e = OPS["sin"](b, x)
        turned = OPS["transpose"](b, e, permutation=(1, 0))
        return [
            OPS["add"](b, turned, x),
            OPS["mul"](b, e, x),
            OPS["sub"](b, OPS["mul"](b, e, x), x),
        ]

    check([tensor(f32, 12, 12)], build)


def test_a_kernel_is_joined_once():
    """Clusters already joined were found again as readers, and their members computed twice."""

    def build(b: Builder, x: Value, y: Value, z: Value, t: Value) -> list[Value]:
        d = OPS["div"](b, x, y)
        total = OPS["reduce_max"](b, OPS["convert"](b, d, dtype=i64), axes=(0, 1, 2))
        top = OPS["reduce_max"](b, z, axes=(0, 1, 2))
        rest = OPS["rem"](b, OPS["convert"](b, OPS["abs"](b, total), dtype=f16), top)
        spread = OPS["broadcast"](b, rest, shape=(1, 2, 5), axes=())
        more = OPS["greater"](b, y, d)
        return [spread, OPS["greater_equal"](b, t, more)]

    for n in (0, 3):
        check([tensor(f64, 15, 1, n)] * 2 + [tensor(f16, 15, 1, n), tensor(i1, 15, 1, n)], build)


def test_product_of_which_nothing_is_made():
    """What follows a product may not read it at all: x to the power 0 is 1."""

    def build(b: Builder, x: Value, y: Value) -> list[Value]:
        dims = {"lhs_contracting": (1,), "rhs_contracting": (0,), "lhs_batch": (), "rhs_batch": ()}
        power = OPS["integer_pow"](b, OPS["dot_general"](b, x, y, **dims), exponent=0)
        return [OPS["copysign"](b, power, constant(b, -1, f32, power.shape))]

    check([tensor(f32, 5, 3), tensor(f32, 3, 17)], build)
