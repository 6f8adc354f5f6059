"""Type rules say what is wrong, with the shapes and dtypes involved, and what to do."""

import pytest

from lazir.compiler.errors import LazirError, ShapeError, TypeRuleError
from lazir.compiler.graph import Builder
from lazir.compiler.mlir.ir import Loc
from lazir.compiler.opdef import OPS
from lazir.compiler.types import f32, f64, i1, i32, tensor, ui8, ui32, ui64

SHAPE, TYPE = ShapeError, TypeRuleError
WINDOWS = {"axes": (0,), "collapsed": (0,), "operand_batch": (), "index_batch": (), "offset": (1,)}
GATHER = {**WINDOWS, "sizes": (1, 3), "mode": "clip"}
SCATTER = {**WINDOWS, "op": "add", "mode": "drop"}
CONV = {
    "lhs": "nc0", "rhs": "oi0", "out": "nc0", "stride": (1,), "low": (0,), "high": (0,),
    "lhs_dilation": (1,), "rhs_dilation": (1,),
}  # fmt: skip
POOL = {
    "op": "max", "window": (2, 2), "stride": (1, 1), "low": (0, 0), "high": (0, 0),
    "base_dilation": (1, 1), "window_dilation": (1, 1),
}  # fmt: skip
MATRIX, ROWS = tensor(f32, 4, 3), tensor(i32, 5, 1)


def body(params, build):
    b = Builder()
    return b.graph(build(b, *(b.param(t) for t in params)))


SAME = body((tensor(f32, 3),), lambda b, x: [x])
WIDER = body((tensor(f32, 3),), lambda b, x: [OPS["convert"](b, x, dtype=f64)])
TEST = body((tensor(f32, 3),), lambda b, x: [OPS["reduce_any"](b, OPS["less"](b, x, x), axes=(0,))])
NO_TEST = body((tensor(f32, 3),), lambda b, x: [OPS["less"](b, x, x)])
SCAN = {"n_const": 0, "n_carry": 1, "length": 3, "reverse": False}

START, VECTOR, FLAG = tensor(i32), tensor(f32, 3), tensor(i1)
SIGNAL, KERNEL = tensor(f32, 1, 3, 8), tensor(f32, 4, 3, 3)
UPDATE = "dynamic_update_slice"

CASES = [
    ("exp", (tensor(i32, 3),), {}, TYPE, r"exp does not take i32; it takes f16, bf16"),
    ("pow", (VECTOR, tensor(f64, 3)), {}, TYPE, r"f32\[3\], f64\[3\]"),
    ("atan2", (VECTOR, tensor(f32, 4)), {}, SHAPE, r"one shape, got f32\[3\], f32\[4\]"),
    ("hypot", (VECTOR,), {}, TYPE, "2 operands, got 1"),
    ("integer_pow", (tensor(i32, 3),), {"exponent": -2}, TYPE, "convert it to a float"),
    ("integer_pow", (VECTOR,), {"exponent": 0.5}, TYPE, "use pow"),
    ("gather", (MATRIX, tensor(f32, 5, 1)), GATHER, TYPE, "integer indices, got f32"),
    ("gather", (MATRIX, tensor(i32, 5, 2)), GATHER, SHAPE, "one component"),
    ("gather", (MATRIX, ROWS), {**GATHER, "sizes": (1, 4)}, SHAPE, r"\(1, 4\).*f32\[4,3\]"),
    ("gather", (MATRIX, ROWS), {**GATHER, "sizes": (2, 3)}, SHAPE, "must be 1 on the collapsed"),
    ("gather", (MATRIX, ROWS), {**GATHER, "sizes": (1,)}, SHAPE, "one entry"),
    ("gather", (MATRIX, ROWS), {**GATHER, "mode": "wrap"}, TYPE, "'clip' or 'fill'"),
    ("gather", (MATRIX, ROWS), {**GATHER, "axes": (7,)}, SHAPE, r"axes \(7,\).*rank 2"),
    ("gather", (MATRIX, ROWS), {**GATHER, "offset": (2,)}, SHAPE, r"offset \(2,\)"),
    ("gather", (MATRIX, ROWS), {**GATHER, "operand_batch": (0,)}, SHAPE, "must not be in axes"),
    ("scatter", (MATRIX, ROWS, tensor(f32, 5)), SCATTER, SHAPE, "need 2 axes"),
    ("scatter", (MATRIX, ROWS, tensor(f32, 6, 3)), SCATTER, SHAPE, r"need shape \(5, 3\)"),
    ("scatter", (MATRIX, ROWS, tensor(f64, 5, 3)), SCATTER, TYPE, r"f32\[4,3\], f64\[5,3\]"),
    ("scatter", (MATRIX, ROWS, tensor(f32, 5, 3)), {**SCATTER, "op": "xor"}, TYPE, "set, add"),
    ("scatter", (MATRIX, ROWS, tensor(f32, 5, 9)), {**SCATTER, "mode": "clip"}, SHAPE, "fit into"),
    ("dynamic_slice", (MATRIX, START), {"sizes": (1, 1)}, TYPE, "needs 2 starts"),
    ("dynamic_slice", (MATRIX, START, tensor(f32)), {"sizes": (1, 1)}, TYPE, "integer"),
    ("dynamic_slice", (MATRIX, START, START), {"sizes": (5, 1)}, SHAPE, r"\(5, 1\)"),
    (
        UPDATE,
        (MATRIX, tensor(f32, 5, 1), START, START),
        {},
        SHAPE,
        r"\(5, 1\)",
    ),
    (UPDATE, (MATRIX, VECTOR, START, START), {}, TYPE, "rank"),
    ("conv", (SIGNAL, tensor(f32, 4, 2, 3)), CONV, SHAPE, "has 3 features.*takes 2"),
    ("conv", (SIGNAL, tensor(f64, 4, 3, 3)), CONV, TYPE, "one numeric dtype"),
    ("conv", (tensor(f32, 3, 8), KERNEL), CONV, SHAPE, "has 2 axes, its layout"),
    (
        "conv",
        (SIGNAL, KERNEL),
        {**CONV, "out": "nn0"},
        SHAPE,
        "out='nn0'",
    ),
    (
        "conv",
        (SIGNAL, KERNEL),
        {**CONV, "stride": (0,)},
        SHAPE,
        "at least 1",
    ),
    ("conv", (SIGNAL, KERNEL), {**CONV, "low": ()}, SHAPE, "one entry"),
    ("reduce_window", (MATRIX,), {**POOL, "window": (0, 2)}, SHAPE, r"window \(0, 2\)"),
    ("reduce_window", (MATRIX,), {**POOL, "op": "mean"}, TYPE, "sum, max, min"),
    ("reduce_window", (tensor(i1, 4, 3),), {**POOL, "op": "sum"}, TYPE, "does not take i1"),
    ("cumsum", (tensor(i1, 3),), {"axis": 0, "reverse": False}, TYPE, "does not take i1"),
    ("cummax", (MATRIX,), {"axis": 2, "reverse": False}, SHAPE, r"axis 2.*f32\[4,3\]"),
    ("sort", (), {"axis": 0, "num_keys": 1}, TYPE, "at least one operand"),
    ("sort", (VECTOR, VECTOR), {"axis": 0, "num_keys": 3}, TYPE, "from 1 to .* 2; got 3"),
    ("sort", (VECTOR, MATRIX), {"axis": 0, "num_keys": 1}, SHAPE, r"f32\[3\], f32\[4,3\]"),
    ("sort", (VECTOR,), {"axis": 1, "num_keys": 1}, SHAPE, r"axis 1.*f32\[3\]"),
    ("philox", (tensor(ui32, 2),), {"shape": (3,), "bits": 32}, TYPE, "ui64, got ui32"),
    ("philox", (tensor(ui64, 2),), {"shape": (3,), "bits": 16}, TYPE, "32 or 64 bits, got 16"),
    ("polygamma", (tensor(f32, 2),), {"order": -1}, TYPE, "orders from 0 to 100, got -1"),
    ("cond", (tensor(f32), VECTOR), {"branches": (SAME, SAME)}, TYPE, "bool or i32"),
    ("cond", (tensor(i1, 3), VECTOR), {"branches": (SAME, SAME)}, TYPE, "use where"),
    ("cond", (FLAG, VECTOR), {"branches": (SAME,)}, TYPE, "2 branches, got 1"),
    ("cond", (FLAG, tensor(f32, 4)), {"branches": (SAME, SAME)}, TYPE, r"takes \(f32\[3\]\)"),
    ("cond", (FLAG, VECTOR), {"branches": (SAME, WIDER)}, TYPE, r"branch 1 \(f64"),
    (
        "while",
        (VECTOR,),
        {"cond": TEST, "body": WIDER, "n_const": 0},
        TYPE,
        r"out as f64\[3\]",
    ),
    ("while", (VECTOR,), {"cond": NO_TEST, "body": SAME, "n_const": 0}, TYPE, "any or all"),
    ("while", (VECTOR,), {"cond": TEST, "body": SAME, "n_const": 2}, TYPE, "n_const"),
    (
        "scan",
        (VECTOR, tensor(f32, 4)),
        {**SCAN, "body": SAME},
        SHAPE,
        r"axis of 3, got f32\[4\]",
    ),
    ("scan", (VECTOR,), {**SCAN, "body": WIDER}, TYPE, r"carried value 0"),
    (
        "scan",
        (VECTOR,),
        {**SCAN, "body": SAME, "reverse": 1},
        TYPE,
        "reverse must be a bool",
    ),
    ("call", (tensor(f32, 4),), {"body": SAME, "name": "f"}, TYPE, r"f takes \(f32\[3\]\)"),
    ("barrier", (tensor(f32, 4),), {"n": 2}, TYPE, "number of operands 1"),
    ("clz", (tensor(ui8, 2), tensor(ui8, 2)), {}, TYPE, "1 operands, got 2"),
]


@pytest.mark.parametrize("name, types, attrs, error, message", CASES)
def test_message(name, types, attrs, error, message):
    b = Builder()
    with pytest.raises(error, match=message) as caught:
        OPS[name].node(b, [b.param(t) for t in types], attrs)
    assert name in str(caught.value) or attrs.get("name", name) in str(caught.value)


def test_the_error_shows_the_users_line():
    b = Builder()
    b.current = (Loc("model.py", 7, 3),)
    with pytest.raises(LazirError, match=r"model\.py:7:3"):
        OPS["exp"](b, b.param(tensor(i32, 3)))
