# ruff: noqa: E501 (messages are shown as they are)
"""The texts of errors in users' programs, whole: the user's line, the types, what to do."""

from __future__ import annotations

import linecache
import textwrap
from typing import Any

import pytest

CASES: dict[str, tuple[str, str]] = {
    "branch on a traced value": (
        """
        @lz.compile
        def f(x):
            if x.sum() > 0:
                return x
            return -x
        f(np.ones(3))
        """,
        """
        TraceError: the truth of a traced tensor is not known while tracing, so Python cannot branch on it: use lz.cond(pred, true_fun, false_fun, *operands) for two computations, lnp.where(pred, x, y) to pick between two values, lz.while_loop for a loop
          --> program.py:3:8
           | if x.sum() > 0:
           |    ^
        """,
    ),
    "a number of a traced value": (
        """
        lz.compile(lambda x: float(x[0]) + 1)(np.ones(3))
        """,
        """
        TraceError: the value of a traced tensor is not known while tracing; float() needs a number: keep it a tensor, or make the argument static
          --> program.py:1:22
           | lz.compile(lambda x: float(x[0]) + 1)(np.ones(3))
           |                      ^
        """,
    ),
    "a leaked tracer": (
        """
        kept = []
        @lz.compile
        def f(x):
            kept.append(x * 2)
            return x
        f(np.ones(3))
        kept[0] + 1
        """,
        """
        TraceError: a traced value was used outside of the function in which it was traced; return it from that function instead of keeping it
        it was made here:
          --> program.py:4:17
           | kept.append(x * 2)
           |             ^
        and is used here:
          --> program.py:7:1
           | kept[0] + 1
           | ^
        """,
    ),
    "a leaked tracer in another trace": (
        """
        kept = []
        f = lz.compile(lambda x: kept.append(x * 2))
        f(np.ones(3))
        lz.compile(lambda x: x + kept[0])(np.ones(3))
        """,
        """
        TraceError: a traced value was used outside of the function in which it was traced; return it from that function instead of keeping it
        it was made here:
          --> program.py:2:38
           | f = lz.compile(lambda x: kept.append(x * 2))
           |                                      ^
        and is used here:
          --> program.py:4:22
           | lz.compile(lambda x: x + kept[0])(np.ones(3))
           |                      ^
        """,
    ),
    "shapes that do not broadcast": (
        """
        a = lnp.zeros((2, 3))
        b = lnp.zeros(4)
        c = (a * 2) + (b
             * 3)
        """,
        """
        ShapeError: add: the shapes of f32[2,3], f32[4] do not broadcast together
          --> program.py:3:5
           | c = (a * 2) + (b
           |     ^
        """,
    ),
    "matmul": (
        """
        lnp.zeros((2, 3)) @ lnp.zeros((4, 5))
        """,
        """
        ShapeError: matmul: the last axis of f32[2,3] is 3, but the second last of f32[4,5] is 4
          --> program.py:1:1
           | lnp.zeros((2, 3)) @ lnp.zeros((4, 5))
           | ^
        """,
    ),
    "reshape": (
        """
        x = lnp.zeros((2, 3))
        y = x.reshape(4, 2)
        """,
        """
        ShapeError: reshape: f32[2,3] has 6 elements, shape (4, 2) has 8
          --> program.py:2:5
           | y = x.reshape(4, 2)
           |     ^
        """,
    ),
    "an axis out of range": (
        """
        lnp.zeros((2, 3)).sum(axis=2)
        """,
        """
        OutOfBounds: sum: axis 2 is out of range for a tensor of rank 2
          --> program.py:1:1
           | lnp.zeros((2, 3)).sum(axis=2)
           | ^
        """,
    ),
    "a computed slice bound": (
        """
        lz.compile(lambda x, n: x[:n])(np.ones(3), 2)
        """,
        """
        TraceError: a slice bound of a traced tensor is not known while tracing; use lz.lax.dynamic_slice(x, starts, sizes) for computed places
          --> program.py:1:25
           | lz.compile(lambda x, n: x[:n])(np.ones(3), 2)
           |                         ^
        """,
    ),
    "an argument that is no array": (
        """
        lz.compile(lambda x, mode: x)(np.ones(3), "fast")
        """,
        """
        TypeRuleError: argument mode of <lambda> is a str, which is no array or number; name it in static_argnames if it selects what is computed
          --> program.py:1:1
           | lz.compile(lambda x, mode: x)(np.ones(3), "fast")
           | ^
        """,
    ),
    "a gradient of no scalar": (
        """
        lz.grad(lambda x: x * 2)(np.ones(3))
        """,
        """
        DifferentiationError: the gradient needs a function with a float scalar result, lambda_ returned f64[3]; reduce it with sum or mean, or use vjp or jacrev
          --> program.py:1:1
           | lz.grad(lambda x: x * 2)(np.ones(3))
           | ^
        """,
    ),
    "a carry that changes its type": (
        """
        lz.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, lnp.stack([s[1]] * 2)), (0, np.ones(2)))
        """,
        """
        TypeRuleError: while_loop: carry[1] goes into the body as f64[2] and comes out as f64[2,2]; its shape must not change
          --> program.py:1:1
           | lz.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, lnp.stack([s[1]] * 2)), (0, np.ones(2)))
           | ^
        """,
    ),
    "a write in a loop body": (
        """
        total = lnp.zeros(1)
        @lz.compile
        def f(n):
            def body(i, x):
                total[0] = i
                return x
            return lz.fori_loop(0, 3, body, n)
        f(1.0)
        """,
        """
        TraceError: this assigns into a tensor from outside of the function that is traced here; a loop body, branch or differentiated function returns new values instead: y = x.at[i].set(v)
          --> program.py:5:9
           | total[0] = i
           | ^
        """,
    ),
    "bools subtracted": (
        """
        x = lnp.zeros(2, "bool")
        x - x
        """,
        """
        TypeRuleError: subtract is not defined on bools; use logical_xor, or convert to integers first
          --> program.py:2:1
           | x - x
           | ^
        """,
    ),
    "a view that is written": (
        """
        x = lnp.zeros((2, 3))
        row = x.ravel()
        row[1] = 5
        """,
        """
        AliasError: this assigns into a view: in NumPy its base would change too, a lazir tensor shares no memory. Assign into the base, or copy the view with lnp.copy(x).
        the view was made here:
          --> program.py:2:7
           | row = x.ravel()
           |       ^
        assigned here:
          --> program.py:3:1
           | row[1] = 5
           | ^
        """,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_message(name: str) -> None:
    program, wanted = (textwrap.dedent(text).lstrip("\n") for text in CASES[name])
    linecache.cache["program.py"] = (len(program), None, program.splitlines(True), "program.py")
    scope: dict[str, Any] = {}
    exec("import lazir as lz, lazir.numpy as lnp, numpy as np", scope)
    with pytest.raises(Exception) as caught:
        exec(compile(program, "program.py", "exec"), scope)
    assert f"{type(caught.value).__name__}: {caught.value}\n" == wanted
