"""Annotations of tensors: what fits, what does not and in which words; `lazir check` on them."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import lazir as lz
from lazir.axes import Bound, evaluate, read_axes
from lazir.cli import main
from lazir.errors import LazirError, ShapeError, TypeRuleError
from lazir.typing import Float, Shaped, Tensor

sys.path.insert(0, str(Path(__file__).parent))
import typed_file as typed

FILE = str(Path(__file__).with_name("typed_file.py"))


def zeros(*shape: int, dtype: Any = np.float32) -> Any:
    return np.zeros(shape, dtype)


def test_what_fits_is_computed() -> None:
    layer = typed.Layer(zeros(4, 5), zeros(5))
    assert typed.affine(layer, zeros(3, 4), 1.0).shape == (3, 5)
    batch = typed.Batch(zeros(3, 4), zeros(3, dtype=np.int32))
    assert [x.shape for x in typed.of_batch(batch)] == [(3,), ()]
    for rows in ((), (2,), (2, 3)):
        for keep in (None, zeros(1, dtype=bool), zeros(4, dtype=bool)):
            assert typed.shapes(zeros(*rows, 4), zeros(5), keep).shape == (4, *rows)


MISFITS = [
    (lambda: typed.affine(typed.Layer(zeros(4, 5), zeros(5)), zeros(3, 6), 1.0), ShapeError,
     "affine: argument x is f32[3,6], annotated Float[Tensor, \"batch inner\"]: axis 1 ('inner') "
     "is 6, but 'inner' is 4 in argument p.w: f32[4,5]"),
    (lambda: typed.affine(typed.Layer(zeros(4, 5), zeros(5, dtype=np.int64)), zeros(3, 4), 1.0),
     TypeRuleError, "argument p.b is i64[5], annotated Float[Tensor, \"out\"]: its dtype must be"),
    (lambda: typed.affine(typed.Layer(zeros(4, 5), zeros(5)), zeros(4), 1.0), ShapeError,
     "it needs 2 axes, not 1"),
    (lambda: typed.turned(typed.Layer(zeros(4, 4), zeros(4)), zeros(2, 5)), ShapeError, "'inner'"),
    (lambda: typed.swapped(zeros(2, 3, dtype=np.float64)), TypeRuleError, "must be float32, not"),
    (lambda: typed.swapped(zeros(2, 3)), ShapeError,
     "swapped: the result is f32[3,2], annotated Float[Tensor, \"n m\"]: axis 0 ('n') is 3, but "
     "'n' is 2 in argument x: f32[2,3]"),
    (lambda: typed.of_batch(typed.Batch(zeros(3, 4), zeros(2, dtype=np.int32))), ShapeError,
     "argument batch.labels is i32[2]"),
    (lambda: typed.shapes(zeros(2, 4), zeros(2, 6), None), ShapeError,
     "argument y: f32[2,6]: axis 1 must be n+1 = 5 (n = 4), not 6"),
    (lambda: typed.shapes(zeros(2, 4), zeros(3, 5), None), ShapeError, "axes '*#rows' are (3,)"),
    (lambda: typed.shapes(zeros(2, 4), zeros(2, 5), zeros(3, dtype=bool)), ShapeError, "'n' is 4"),
    (lambda: typed.shapes(zeros(2, 4), zeros(), None), ShapeError, "it needs at least 1 axis"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(MISFITS)))
def test_misfits(case: int) -> None:
    call, kind, message = MISFITS[case]
    with pytest.raises(kind) as caught:
        call()
    assert message in str(caught.value)
    assert isinstance(caught.value, LazirError) and caught.value.loc is not None


def test_the_line_of_a_result_is_the_one_that_made_it() -> None:
    with pytest.raises(ShapeError) as caught:
        typed.swapped(zeros(2, 3))
    assert "return x.T" in str(caught.value)


def test_a_compiled_function_inside_of_another_is_checked() -> None:
    outer = lz.compile(lambda x: typed.swapped(x[:2]) + 1)
    with pytest.raises(ShapeError, match="swapped: the result"):
        outer(zeros(4, 3))


def test_transforms_do_not_inherit_shapes() -> None:
    def f(x: Float[Tensor, 3]) -> Float[Tensor, ""]:  # noqa: F722
        return x.sum()

    f.__annotations__["x"] = Float[Tensor, "3"]
    assert lz.compile(lz.vmap(f))(zeros(2, 3)).shape == (2,)
    assert lz.compile(lz.grad(f))(zeros(3)).shape == (3,)
    with pytest.raises(ShapeError):
        lz.compile(f)(zeros(2))


def test_annotations_as_jaxtyping_makes_them() -> None:
    def f(x, y):
        return x, y

    class AnyDtype:
        pass

    f.__annotations__ = {
        "x": SimpleNamespace(dtypes=("float32",), dim_str="a=2 ?b {c}", __name__="Float32[A, 'a']"),
        "y": SimpleNamespace(dtypes=AnyDtype(), dim_str="... 2"),
    }
    compiled = lz.compile(f)
    compiled(zeros(2, 3, 4), zeros(7, 2, dtype=bool))
    with pytest.raises(ShapeError, match="axis 0 must be a=2, not 3"):
        compiled(zeros(3, 3, 4), zeros(2))
    with pytest.raises(TypeRuleError, match="must be float32, not f64"):
        compiled(zeros(2, 3, 4, dtype=np.float64), zeros(2))


def test_jaxtyping_itself() -> None:
    jaxtyping = pytest.importorskip("jaxtyping")

    def f(x, y):
        return x + y

    f.__annotations__ = {
        "x": jaxtyping.Float[np.ndarray, "n"], "y": jaxtyping.Shaped[np.ndarray, "n"]
    }  # fmt: skip
    assert lz.compile(f)(zeros(2), zeros(2)).shape == (2,)
    with pytest.raises(ShapeError, match="Shaped\\[ndarray, \"n\"\\]: axis 0 \\('n'\\) is 3"):
        lz.compile(f)(zeros(2), zeros(3))


@pytest.mark.parametrize("text", ["n m.k", "*a *b", "... *b", "n-", "*", "n+f(1)", "-1", "#n+1"])
def test_texts_without_meaning(text: str) -> None:
    with pytest.raises(TypeError, match=r"no axis|two words"):
        read_axes(text)
    with pytest.raises(LazirError):
        Shaped[Tensor, text]
    with pytest.raises(TypeError, match="takes a type and the axes"):
        Shaped[Tensor]


def test_an_annotation_that_cannot_be_read_is_no_silence() -> None:
    def f(x: Any) -> Any:
        return x

    f.__annotations__["x"] = 'Shaped[Tensor, "a,b"]'
    with pytest.raises(LazirError, match="'a,b' is no axis"):
        lz.compile(f)(zeros(2, 2))


def test_formulas() -> None:
    sizes = {"n": 7, "m": 3}
    for formula in ("n+m*2", "(n+1)//m", "n%m-1", "2*(n-m)"):
        assert evaluate(formula, sizes) == eval(formula, dict(sizes))
    bound = Bound()
    assert bound.match(read_axes("k+1"), (3,), "x") == ""
    assert bound.settle() == ("x", "no argument gives the size of 'k' in 'k+1'")


# -- lazir check ---------------------------------------------------------------------------
def test_check_of_a_whole_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", FILE]) == 1
    out, err = capsys.readouterr()
    assert re.sub(r"\d+ operations?", "…", out).splitlines() == [
        "affine(p.w: f32[5,7], p.b: f32[7], x: f32[11,5], n: f32[]) -> f32[11,7]: ok, "
        "…, with inner=5, out=7, batch=11",
        "of_batch(batch.images: f32[5,7], batch.labels: i64[5]) -> f32[5], i64[]: ok, "
        "…, with batch=5, inner=7",
        "shapes(x: f32[5,7,11], y: f32[5,7,12], keep: i1[11]) -> f32[11,5,7]: ok, …, "
        "with rows[0]=5, rows[1]=7, n=11",
        "call(x: f32[5,3]) -> f32[5], with 1 captured tensor: ok, …, with batch=5",
    ]
    assert "turned: error: matmul:" in err and "p.w.T" in err
    assert "swapped: error: swapped: the result is f32[7,5], annotated" in err
    assert "bare(x): which shapes?" in err


def test_check_with_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", f"{FILE}:affine", "--size", "batch=2", "--size", "out=5"]) == 0
    assert "x: f32[2,7]" in capsys.readouterr().out
    assert main(["check", FILE, "--size", "btach=2"]) == 2
    assert "has no axis 'btach'; did you mean 'batch'?" in capsys.readouterr().err
    assert main(["check", f"{FILE}:affine", "--size", "batch"]) == 2
    assert main(["check", FILE, "--arg", "f32"]) == 2
    assert main(["check", f"{FILE}:model.call"]) == 0
