"""Every record is whole, and its examples run: shapes and dtypes as the type rule says."""

import numpy as np
import pytest
from ops_support import apply, draw_all, examples, generator, one_op

from lazir.compiler.errors import LazirError
from lazir.compiler.graph import Builder
from lazir.compiler.opdef import OPS, define, with_fields
from lazir.compiler.ops.control import evaluate
from lazir.compiler.types import bf16, f32, tensor

NAMES = sorted(OPS)
RUNNABLE = [name for name in NAMES if name != "custom_linear"]


@pytest.mark.parametrize("name", NAMES)
def test_examples_cover_every_dtype(name):
    op = OPS[name]
    assert op.examples is not None
    if not op.dtypes:
        return
    made = examples(name)
    operand = 1 if name == "select" else 0
    seen = {
        types[operand].dtype if types else op.infer(types, attrs)[0].dtype for types, attrs in made
    }
    assert seen == set(op.dtypes)


@pytest.mark.parametrize("name", RUNNABLE)
def test_reference_gives_what_the_type_rule_says(name):
    rng = generator(name)
    for types, attrs in examples(name):
        graph = one_op(name, types, attrs)
        results = evaluate(graph, draw_all(rng, name, types))
        for result, type in zip(results, graph.result_types, strict=True):
            wanted = np.float32 if type.dtype is bf16 else type.dtype.numpy
            assert result.shape == type.shape
            assert result.dtype == wanted, (name, type)


@pytest.mark.parametrize("name", [n for n in NAMES if OPS[n].edge_cases])
def test_edge_cases(name):
    for operands, wanted in OPS[name].edge_cases:
        for dtype in OPS[name].dtypes:
            kind = np.float32 if dtype is bf16 else dtype.numpy
            with np.errstate(over="ignore"):
                arrays = [np.asarray(x).astype(kind) for x in operands]
            (got,) = apply(name, arrays, {}, (dtype,) * len(arrays))
            np.testing.assert_array_equal(got, np.asarray(wanted, kind), err_msg=f"{operands}")
            if not np.isnan(wanted):
                assert np.signbit(got) == np.signbit(wanted), (operands, dtype)


def test_half_defined_records_are_refused():
    whole = with_fields(OPS["exp"], name="exp_again")
    for missing in ({"scalar": None}, {"route": "x"}, {"doc": ""}, {"batch": None}):
        with pytest.raises(ValueError, match="exp_again"):
            define(with_fields(whole, **missing))
    with pytest.raises(ValueError, match="neither a linearisation"):
        define(with_fields(whole, linearise=None))
    with pytest.raises(ValueError, match="twice"):
        define(OPS["exp"])
    assert "exp_again" not in OPS


def test_interning_makes_equal_nodes_one():
    b = Builder()
    x = b.param(tensor(f32, 3))
    assert OPS["exp"](b, x) is not None
    assert OPS["exp"](b, x).node is OPS["exp"](b, x).node


def test_errors_name_the_op_and_the_types():
    b = Builder()
    with pytest.raises(LazirError, match=r"exp.*i32"):
        OPS["exp"](b, b.param(tensor(OPS["clz"].dtypes[2], 3)))
