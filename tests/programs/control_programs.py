"""Programs with control flow, each written once for two libraries: lazir's functions, and `plain`,
which says with Python's loops on NumPy arrays what they mean.

A program takes the library `L`, the namespace `np` and a vector of three floats; it gives an array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

import lazir as lz
import lazir.numpy as lnp
from lazir import tree


# -- the two libraries -------------------------------------------------------------------
class plain:
    """What the functions mean: Python's own control flow."""

    np = numpy

    @staticmethod
    def cond(pred: Any, yes: Any, no: Any, *operands: Any) -> Any:
        return (yes if pred else no)(*operands)

    @staticmethod
    def switch(index: Any, branches: Any, *operands: Any) -> Any:
        return branches[min(max(int(index), 0), len(branches) - 1)](*operands)

    @staticmethod
    def while_loop(test: Any, body: Any, value: Any, max_steps: int | None = None) -> Any:
        steps = 0
        while (max_steps is None or steps < max_steps) and test(value):
            value, steps = body(value), steps + 1
        return value

    @staticmethod
    def fori_loop(lower: Any, upper: Any, body: Any, value: Any) -> Any:
        for i in range(int(lower), int(upper)):
            value = body(i, value)
        return value

    @staticmethod
    def scan(f: Any, carry: Any, xs: Any = None, length: int = 0, reverse: bool = False) -> Any:
        count = len(tree.leaves(xs)[0]) if xs is not None else length
        rows: list[Any] = [None] * count
        for k in reversed(range(count)) if reverse else range(count):
            carry, rows[k] = f(carry, tree.map(lambda x, k=k: x[k], xs))
        return carry, tree.map(lambda *ys: numpy.stack(ys), *rows) if rows else numpy.zeros(0)

    @staticmethod
    def map(f: Any, xs: Any, batch_size: int | None = None) -> Any:
        return plain.scan(lambda _, x: ((), f(x)), (), xs)[1]

    @staticmethod
    def associative_scan(fn: Any, elems: Any, reverse: bool = False) -> Any:
        def join(so_far: Any, x: Any) -> Any:
            so_far = x if so_far is None else fn(so_far, x)
            return so_far, so_far

        rows = tree.map(lambda x: x[:, None], elems)
        made = plain.scan(join, None, rows, reverse=reverse)[1]
        return tree.map(lambda y: y[:, 0], made)

    @staticmethod
    def vmap(f: Any) -> Any:
        return lambda *xs: plain.map(lambda row: f(*row), xs)

    @staticmethod
    def put(x: Any, k: Any, value: Any) -> Any:
        x = x.copy()
        x[k] = value
        return x

    @staticmethod
    def jit(f: Any) -> Any:
        return f

    @staticmethod
    def checkpoint(f: Any, **options: Any) -> Any:
        return f

    @staticmethod
    def ruled(f: Any, slope: Any, way: str) -> Any:
        return f

    @staticmethod
    def slope_of_sin(x: Any) -> Any:
        return numpy.cos(x)


class lazy(plain):
    """lazir's functions by the same names."""

    np = lnp  # type: ignore[assignment]
    cond, switch, while_loop, fori_loop = lz.cond, lz.switch, lz.while_loop, lz.fori_loop
    scan, map, vmap, jit = lz.scan, lz.map, lz.vmap, lz.jit
    associative_scan, checkpoint = lz.lax.associative_scan, lz.checkpoint

    @staticmethod
    def put(x: Any, k: Any, value: Any) -> Any:
        return lnp.asarray(x).at[k].set(value)

    @staticmethod
    def ruled(f: Any, slope: Any, way: str) -> Any:
        """f with its derivative `slope` given by a rule."""
        if way == "jvp":
            made = lz.custom_jvp(f)
            made.defjvp(lambda xs, ts: (made(*xs), slope(*xs) * ts[0]))
            return made
        other = lz.custom_vjp(f)
        other.defvjp(lambda x: (other(x), x), lambda x, ct: (slope(x) * ct,))
        return other

    @staticmethod
    def slope_of_sin(x: Any) -> Any:
        return lz.grad(lnp.sin)(x)


# -- the programs ------------------------------------------------------------------------
Program = Callable[[Any, Any, Any], Any]
PROGRAMS: dict[str, Program] = {}
FORWARD_ONLY: set[str] = set()
"""Programs with a loop whose number of steps is not known: no reverse derivatives."""
REVERSE_ONLY: set[str] = set()
"""Programs with a custom_vjp."""


def program(name: str, only: str = "") -> Callable[[Program], Program]:
    def enter(f: Program) -> Program:
        PROGRAMS[name] = f
        if only:
            (FORWARD_ONLY if only == "forward" else REVERSE_ONLY).add(name)
        return f

    return enter


@program("cond")
def _(L: Any, np: Any, x: Any) -> Any:
    return L.cond(x[0] > 0, lambda v: np.sin(v) * x[1], lambda v: v * v, x)


@program("cond of captured values, one branch constant")
def _(L: Any, np: Any, x: Any) -> Any:
    y = np.exp(x)
    a = L.cond(x[0] > 0, lambda: y * 0 + 1.0, lambda: y * x[2])
    return a + L.cond(x[1] > 0, lambda: y[0], lambda: np.float64(2.0))


@program("cond of trees with integers")
def _(L: Any, np: Any, x: Any) -> Any:
    def yes(v: Any) -> Any:
        return {"n": 2, "v": (v * v, v[0])}

    def no(v: Any) -> Any:
        return {"n": 3, "v": (np.cos(v), v[1])}

    found = L.cond(x.sum() > 0, yes, no, x)
    return found["v"][0] * found["n"] * found["v"][1]


@program("switch")
def _(L: Any, np: Any, x: Any) -> Any:
    which = np.floor(x[0] * 2).astype("int64")
    return L.switch(which, [np.sin, lambda v: v * x[1], lambda v: v**3 + v[0]], x)


@program("while", "forward")
def _(L: Any, np: Any, x: Any) -> Any:
    return L.while_loop(lambda v: (v * v).sum() < 90.0, lambda v: v * 1.5 + np.sin(x), x + 0.1)


@program("while of trees", "forward")
def _(L: Any, np: Any, x: Any) -> Any:
    def test(state: Any) -> Any:
        return (state["n"] < 6) & (abs(state["v"][0]).sum() < 40.0)

    def body(state: Any) -> Any:
        v, w = state["v"]
        return {"n": state["n"] + 1, "v": (v * w + x, np.cos(w) + 1)}

    found = L.while_loop(test, body, {"n": 0, "v": (x, x * x)})
    return found["v"][0] + found["v"][1] * found["n"]


@program("while with max_steps")
def _(L: Any, np: Any, x: Any) -> Any:
    out = L.while_loop(lambda v: (v * v).sum() < 9.0, lambda v: v * 1.2 + x, x * x, max_steps=6)
    return out + L.while_loop(lambda v: v[0] < 90.0, lambda v: v * x + 1, x, max_steps=0)


@program("fori_loop")
def _(L: Any, np: Any, x: Any) -> Any:
    return L.fori_loop(-1, 3, lambda i, v: np.sin(v) * (i + 0.5) + x, x)


@program("fori_loop that writes")
def _(L: Any, np: Any, x: Any) -> Any:
    def body(i: Any, a: Any) -> Any:
        return L.put(a, i, a[i - 1] * x[i % 3] + a[i - 2])

    return L.fori_loop(2, 7, body, np.concatenate([x, np.ones(4)]))


@program("fori_loop over no steps")
def _(L: Any, np: Any, x: Any) -> Any:
    return L.fori_loop(3, 1, lambda i, v: v * 2, np.sin(x))


@program("fori_loop with bounds of tensors", "forward")
def _(L: Any, np: Any, x: Any) -> Any:
    n = np.floor(abs(x[0]) * 2).astype("int64")
    return L.fori_loop(np.minimum(n, 1), n + 3, lambda i, v: v * x + i, np.cos(x))


@program("scan")
def _(L: Any, np: Any, x: Any) -> Any:
    last, rows = L.scan(lambda c, v: (c * v + 1.0, np.sin(c) * v), x[1] * 1.0, x)
    return rows * last


@program("scan in reverse")
def _(L: Any, np: Any, x: Any) -> Any:
    last, rows = L.scan(lambda c, v: (np.sin(c) + v, c * v), x[0] * 1.0, x * x, reverse=True)
    return rows + last


@program("scan of a length")
def _(L: Any, np: Any, x: Any) -> Any:
    last, rows = L.scan(lambda c, _: (np.sin(c * x), c[0]), x, length=4)
    return np.concatenate([last, rows])


@program("scan without steps")
def _(L: Any, np: Any, x: Any) -> Any:
    return L.scan(lambda c, v: (c * v, None), np.exp(x), np.zeros((0, 3)))[0]


@program("scan without a carry")
def _(L: Any, np: Any, x: Any) -> Any:
    return L.scan(lambda _, v: (None, np.sin(v) * x), None, np.stack([x, x * x]))[1].reshape(-1)


@program("scan of trees")
def _(L: Any, np: Any, x: Any) -> Any:
    def body(c: Any, row: Any) -> Any:
        a, (b, n) = row
        carry = {"s": c["s"] * a + b, "n": c["n"] + n, "t": c["t"]}
        return carry, {"y": c["s"] * c["n"], "z": (np.cos(a), n)}

    xs = (x, (np.stack([x, x[::-1], np.sin(x)]), np.arange(3)))
    carry, ys = L.scan(body, {"s": x, "n": 1, "t": x * 2}, xs)
    return carry["s"] * carry["n"] + ys["y"].sum(0) + ys["z"][0] * ys["z"][1] + carry["t"]


@program("scan whose carry a value of another dtype decides")
def _(L: Any, np: Any, x: Any) -> Any:
    def body(c: Any, k: Any) -> Any:
        n, v = c
        return (n * 2 + k, np.where(n % 2 == 0, v * x, v + np.sin(x[k]))), n

    (n, v), ns = L.scan(body, (np.int64(1), x), np.arange(3))
    return v + ns + n


@program("scan with dynamic reads and writes")
def _(L: Any, np: Any, x: Any) -> Any:
    def body(c: Any, k: Any) -> Any:
        return L.put(c, k, c[(k + 1) % 3] * x[k]), c[k] ** 2

    last, rows = L.scan(body, np.cos(x), np.array([2, 0, 2, 1]))
    return np.concatenate([last, rows])


@program("scan with products")
def _(L: Any, np: Any, x: Any) -> Any:
    a = np.outer(x, np.cos(x))

    def body(c: Any, v: Any) -> Any:
        c = np.sin(a @ c + v)
        return c, (c[:, None] * a).sum(1) @ v

    last, rows = L.scan(body, x, np.stack([x, x * x]))
    return np.concatenate([last, rows])


@program("scan with sums and sorts")
def _(L: Any, np: Any, x: Any) -> Any:
    def body(c: Any, v: Any) -> Any:
        c = np.cumsum(np.sort(c)) * v
        return c, c.max() + np.prod(v)

    last, rows = L.scan(body, x, np.stack([x, x + 1.0]))
    return np.concatenate([last, rows])


@program("map")
def _(L: Any, np: Any, x: Any) -> Any:
    return L.map(lambda v: np.sin(v) * x[0] + v, x)


@program("map of batches")
def _(L: Any, np: Any, x: Any) -> Any:
    rows = np.stack([x, x * x, x + 1, np.sin(x), x - 1])
    return L.map(lambda r: (r * x).sum() * r, rows, batch_size=2).sum(0)


@program("map of cond")
def _(L: Any, np: Any, x: Any) -> Any:
    return L.map(lambda v: L.cond(v > 0, lambda: v * x[0], lambda: np.exp(v)), x)


@program("associative_scan")
def _(L: Any, np: Any, x: Any) -> Any:
    xs = np.concatenate([x, np.cos(x)])
    return L.associative_scan(lambda a, b: a * b, xs) + L.associative_scan(
        lambda a, b: a + b, xs, reverse=True
    )


@program("associative_scan of pairs")
def _(L: Any, np: Any, x: Any) -> Any:
    def join(p: Any, q: Any) -> Any:  # of the maps c ↦ a·c + b
        return q[0] * p[0], q[0] * p[1] + q[1]

    a, b = L.associative_scan(join, (np.sin(x), x * x))
    return a * 0.3 + b


@program("scan in scan")
def _(L: Any, np: Any, x: Any) -> Any:
    def outer(c: Any, v: Any) -> Any:
        inner, ys = L.scan(lambda d, w: (d * w + c[0], np.sin(d) * v), c[1], c)
        return np.sin(c) * inner + ys, inner

    last, rows = L.scan(outer, x, x * 2)
    return last * rows


@program("cond in scan")
def _(L: Any, np: Any, x: Any) -> Any:
    def body(c: Any, k: Any) -> Any:
        c = L.cond(k % 2 == 0, lambda u: u * x, np.sin, c)
        return L.cond(c[0] > 0.1, lambda u: u + x[1], lambda u: u * 0.5, c), c[k]

    last, rows = L.scan(body, x, np.arange(3))
    return last + rows


@program("switch in fori_loop")
def _(L: Any, np: Any, x: Any) -> Any:
    branches = [np.sin, lambda v: v * x, lambda v: v[::-1] + x, lambda v: L.put(v, 0, x[2])]
    return L.fori_loop(0, 5, lambda i, v: L.switch(i % 4, branches, v), x)


@program("while in cond")
def _(L: Any, np: Any, x: Any) -> Any:
    def grow(v: Any) -> Any:
        return L.while_loop(lambda u: (u * u).sum() < 30.0, lambda u: u * 1.5 + x, v, max_steps=8)

    return L.cond(x[0] > 0, grow, np.cos, x + 0.5)


@program("endless while in cond in scan", "forward")
def _(L: Any, np: Any, x: Any) -> Any:
    def grow(v: Any) -> Any:
        return L.while_loop(lambda u: (u * u).sum() < 30.0, lambda u: u * 1.5 + 0.1, v)

    def body(c: Any, k: Any) -> Any:
        return L.cond(c[0] > 0.2, grow, lambda v: v + x * x, c) * 0.5, c[k]

    last, rows = L.scan(body, x, np.arange(3))
    return last * rows


@program("while in scan")
def _(L: Any, np: Any, x: Any) -> Any:
    def body(c: Any, v: Any) -> Any:
        c = L.while_loop(lambda u: abs(u) < 2.0, lambda u: u * 1.4 + v, c, max_steps=5)
        return np.sin(c) + v, c

    last, rows = L.scan(body, x[0] * 1.0 + 1, x)
    return rows * last * 0.2


@program("fori_loop in while", "forward")
def _(L: Any, np: Any, x: Any) -> Any:
    def body(v: Any) -> Any:
        return L.fori_loop(0, 3, lambda i, u: u + np.cos(x * i), v)

    return L.while_loop(lambda v: abs(v).sum() < 20.0, body, x)


@program("scan in vmap in cond")
def _(L: Any, np: Any, x: Any) -> Any:
    def each(v: Any, w: Any) -> Any:
        def walk() -> Any:
            return L.scan(lambda c, u: (np.sin(c * u) + w, None), v, x)[0]

        return L.cond(v > w, walk, lambda: v * w)

    return L.cond(x[0] > 0, lambda: L.vmap(each)(x, x[::-1]), lambda: L.vmap(each)(x * x, x))


@program("vmap in scan")
def _(L: Any, np: Any, x: Any) -> Any:
    each = L.vmap(lambda a, b: L.cond(a > b, lambda: np.sin(a) * b, lambda: a + b * b))
    return L.scan(lambda c, v: (each(c, x * v), None), x, x)[0]


@program("custom_jvp in scan")
def _(L: Any, np: Any, x: Any) -> Any:
    f = L.ruled(lambda v: np.sin(v) * 2, lambda v: np.cos(v) * 2, "jvp")
    return L.scan(lambda c, v: (f(c * v) + x, f(v)), x, x)[0]


@program("custom_jvp in while", "forward")
def _(L: Any, np: Any, x: Any) -> Any:
    f = L.ruled(lambda v: v * v + 0.5, lambda v: 2 * v, "jvp")
    return L.while_loop(lambda v: v.sum() < 6.0, f, x)


@program("custom_vjp in scan", "reverse")
def _(L: Any, np: Any, x: Any) -> Any:
    f = L.ruled(lambda v: np.sin(v) * 2, lambda v: np.cos(v) * 2, "vjp")
    last, rows = L.scan(lambda c, v: (f(c * v) + x, f(v)), x, x)
    return last * rows


@program("custom_vjp in cond", "reverse")
def _(L: Any, np: Any, x: Any) -> Any:
    f = L.ruled(lambda v: np.sin(v) * 2, lambda v: np.cos(v) * 2, "vjp")
    return L.cond(x[0] > 0, f, lambda v: f(v * v) * x, x)


@program("checkpoint in scan")
def _(L: Any, np: Any, x: Any) -> Any:
    layer = L.checkpoint(lambda c, v: np.sin(np.exp(np.sin(c)) * v + x))
    last, rows = L.scan(lambda c, v: (layer(c, v), c[0]), x, x)
    return last + rows


@program("scan in checkpoint in scan")
def _(L: Any, np: Any, x: Any) -> Any:
    @L.checkpoint
    def block(c: Any) -> Any:
        return L.scan(lambda d, v: (np.sin(d) * v + x, None), c, x)[0]

    return L.scan(lambda c, _: (block(c), None), x, length=2)[0]


@program("cond in checkpoint")
def _(L: Any, np: Any, x: Any) -> Any:
    f = L.checkpoint(lambda v: L.cond(v[0] > 0, lambda u: np.sin(u) * x, np.exp, np.cos(v)))
    return f(f(x))


@program("derivative in scan")
def _(L: Any, np: Any, x: Any) -> Any:
    return L.scan(lambda c, v: (c * L.slope_of_sin(c[0] * v) + x, None), x, x)[0]


@program("compiled functions in scan")
def _(L: Any, np: Any, x: Any) -> Any:
    step = L.jit(lambda c, v: np.sin(c) * v + x)
    return L.scan(lambda c, v: (step(step(c, v), v), None), x, x)[0]
