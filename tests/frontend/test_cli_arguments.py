"""The text of `--arg`, and where arguments come from without it."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace

import pytest

import lazir as lz
from lazir.cli.arguments import read_arguments, read_value, show
from lazir.cli.output import count, plain_table, seconds, size
from lazir.cli.problems import InputError, UsageError
from lazir.cli.program import stage_of
from lazir.cli.shapes import choose, from_hints

VALUES = [
    ("f32[32,784]", lz.spec((32, 784))),
    ("f64", lz.spec((), "f64")),
    ("float32[2]", lz.spec(2)),
    ("bool[3]", lz.spec(3, "i1")),
    ("i8[0, 4]", lz.spec((0, 4), "i8")),
    ("complex64[2]", lz.spec(2, "complex64")),
    ("complex<f64>[2]", lz.spec(2, "complex128")),
    ("(1-2.5j)", 1 - 2.5j),
    ("[2j, complex]", [2j, lz.spec((), "complex64")]),
    ("[(f32[3], i64), (bf16[2],)]",
     [(lz.spec(3), lz.spec((), "i64")), (lz.spec(2, "bf16"),)]),
    ("{w: f32[3], 'b': [1, -2.5e1]}", {"w": lz.spec(3), "b": [1, -25.0]}),
    ("()", ()), ("(f32)", lz.spec(())), ("(1,)", (1,)), ("[1, 2,]", [1, 2]),
    ("True", True), ("None", None), ("'a b'", "a b"), ("+007", 7), (".5", 0.5),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_values(text: str, value: object) -> None:
    found = read_value(text)
    assert found == value and type(found) is type(value)
    assert read_value(show(value)) == value


MISTAKES = [
    ("f33[2]", "no element type 'f33'; did you mean 'f32'?", 0),
    ("f32[2", "expected ',' or ']'", 5),
    ("f32[2.5]", "expected a size", 4),
    ("f32[-1]", "expected a size", 4),
    ("f32[2] f32", "expected one value, but more follows", 7),
    ("(1, $)", "'$' has no meaning here", 4),
    ("{a 1}", "expected ':'", 3),
    ("{[]: 1}", "expected a key", 1),
    ("]", "expected a type such as f32[2,3]", 0),
    ("", "expected a type such as f32[2,3]", 0),
    ("[1", "expected ',' or ']'", 2),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "column"), MISTAKES)
def test_mistakes_have_a_caret(text: str, message: str, column: int) -> None:
    with pytest.raises(UsageError) as error:
        read_value(text)
    lines = str(error.value).splitlines()
    assert message in lines[0]
    assert lines[1:] == [f"  {text}", "  " + " " * column + "^"]


def test_named_arguments_come_last() -> None:
    assert read_arguments(["f32", "k=2"]).kwargs == {"k": 2}
    with pytest.raises(UsageError, match="comes after one that has"):
        read_arguments(["k=2", "f32"])


def hinted(x: f32[2, 3], y: "i64", p: "[(f32[1], f32)]", *, k: lz.spec(4) = None):  # noqa: F821,UP037
    pass


def test_hints() -> None:
    found = from_hints(hinted)
    assert found is not None
    assert found.args == (lz.spec((2, 3)), lz.spec((), "i64"), [(lz.spec(1), lz.spec(()))])
    assert found.kwargs == {"k": lz.spec(4)}


def test_hints_as_jaxtyping_makes_them() -> None:
    def f(x, y=1):
        pass

    f.__annotations__ = {"x": SimpleNamespace(dtypes=["float32"], dim_str="2 3"), "y": int}
    found = from_hints(f)
    assert found is not None and found.args == (lz.spec((2, 3)),) and not found.kwargs
    f.__annotations__ = {"x": SimpleNamespace(dtypes=["float32"], dim_str="batch 3")}
    assert from_hints(f) is None


def test_order_of_precedence() -> None:
    module = ModuleType("m")
    module.example_args = {"f": (1.0,)}  # type: ignore[attr-defined]

    def f(x):
        pass

    assert choose(f, "f", module, []).arguments.args == (1.0,)
    assert choose(f, "f", module, ["f32[2]"]).arguments.args == (lz.spec(2),)
    f.__annotations__ = {"x": "f32[5]"}
    assert choose(f, "f", module, []).arguments.args == (lz.spec(5),)
    f.__annotations__ = {"x": "f32[5"}
    with pytest.raises(InputError, match="the hint of x: expected"):
        choose(f, "f", module, [])
    f.__annotations__ = {}
    module.example_args = 3  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="example_args is a int"):
        choose(f, "f", module, [])


STAGES = [
    ("func.func @f() { return }", "graph"),
    ('func.func @f() { %0 = "lz.iota"() : () -> tensor<2xi64> return }', "graph"),
    ('// "lz.add"(\nfunc.func private @k() attributes {lz.kind = "map"}', "kernels"),
    ("func.func @f(%x: memref<2xf32>) { %c = arith.constant 0 : index return }", "loops"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "stage"), STAGES)
def test_the_stage_of_a_text(text: str, stage: str) -> None:
    assert stage_of(text) == stage


def test_quantities() -> None:
    assert [size(n) for n in (0, 1, 1023, 1024, 1.5 * 2**30)] == [
        "0 B", "1 B", "1023 B", "1 KiB", "1.5 GiB"
    ]  # fmt: skip
    assert [count(n) for n in (0, 999, 1234, 2e12)] == ["0", "999", "1.23 k", "2 T"]
    assert [seconds(s) for s in (2, 0.0345, 5e-10)] == ["2 s", "34.5 ms", "0.5 ns"]
    assert plain_table(["a"], [], []) == "a\n"
