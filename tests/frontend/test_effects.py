"""Effects happen once, in program order, in every program and under every transform."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.export import ExportError
from lazir.compiler.interpret import interpret
from lazir.compiler.ops.host import hosts_bound, number_hosts
from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import named_target
from lazir.errors import CheckError, LazirError, TypeRuleError


class Seen:
    """Collects what callbacks get."""

    def __init__(self) -> None:
        self.items: list[float] = []

    def note(self, x):
        """A callback that passes x on, and is a value's only user."""
        lz.debug.callback(lambda v: self.items.append(float(v)), x)
        return x

    def take(self) -> list[float]:
        items, self.items = self.items, []
        return items


seen = Seen()


def straight(x):
    seen.note(x + 1)
    return seen.note(x * x)


def looped(x):
    return lz.fori_loop(0, 3, lambda i, v: seen.note(v) * x, x)


def scanned(x):
    total, ys = lz.scan(lambda c, v: (c * x, seen.note(c + v)), x, lnp.array([1.0, 2.0]))
    return total + ys.sum()


def unread(x):
    lz.scan(lambda c, v: ((), seen.note(v)), (), lnp.array([5.0, 6.0]))
    return x * 2


def branching(x):
    return lz.cond(x > 1.5, lambda v: seen.note(v) * 3, lambda v: v * v, x)


def nested(x):
    def outer(c, v):
        inner = lz.fori_loop(0, 2, lambda i, u: lz.cond(u > 3, seen.note, lambda t: t, u) * v, c)
        return seen.note(inner), None

    return lz.scan(outer, x, lnp.array([1.0, 2.0]))[0]


def saved(x):
    return lz.checkpoint(lambda v: lnp.sin(seen.note(v)) * v)(x)


PROGRAMS = {
    "straight": (straight, [3.0, 4.0]),
    "looped": (looped, [2.0, 4.0, 8.0]),
    "scanned": (scanned, [3.0, 6.0]),
    "unread": (unread, [5.0, 6.0]),
    "branching": (branching, [2.0]),
    "nested": (nested, [2.0, 4.0, 8.0]),
    "saved": (saved, [2.0]),
}
TRANSFORMS = {
    "call": lambda f: f(2.0),
    "compile": lambda f: lz.compile(f)(2.0),
    "grad": lambda f: lz.grad(f)(2.0),
    "compiled grad": lambda f: lz.compile(lz.grad(f))(2.0),
    "grad of compiled": lambda f: lz.grad(lz.compile(f))(2.0),
    "value_and_grad": lambda f: lz.value_and_grad(f)(2.0),
    "jvp": lambda f: lz.jvp(f, (2.0,), (1.0,)),
    "vjp": lambda f: lz.vjp(f, 2.0)[1](1.0),
    "linearize": lambda f: lz.linearize(f, 2.0)[1](1.0),
    "hessian": lambda f: lz.compile(lz.hessian(f))(2.0),
    "jacfwd": lambda f: lz.jacfwd(f)(2.0),
    "aux": lambda f: lz.value_and_grad(lambda x: (f(x), x), has_aux=True)(2.0),
    "vmap of one": lambda f: lz.vmap(f)(lnp.array([2.0])),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_effects_happen_once_in_order(name, transform):
    program, wanted = PROGRAMS[name]
    seen.take()
    TRANSFORMS[transform](program)
    if name == "nested":
        assert seen.take() == [2.0, 4.0, 8.0][: len(wanted)]
    else:
        assert seen.take() == wanted


def test_vmap_calls_for_each_example():
    x = lnp.array([1.0, 2.0, 3.0])
    for wrap in (lambda f: f, lz.compile):
        assert wrap(lz.vmap(branching))(x).numpy().tolist() == [1.0, 6.0, 9.0]
        assert seen.take() == [2.0, 3.0]
        wrap(lz.vmap(looped))(x)
        assert seen.take() == [1.0, 2.0, 3.0, 1.0, 4.0, 9.0, 1.0, 8.0, 27.0]
    double = lz.vmap(lambda v: lz.while_loop(lambda u: u < 4, lambda u: seen.note(u) * 2, v))
    assert double(x).numpy().tolist() == [4.0, 4.0, 6.0]
    assert seen.take() == [1.0, 2.0, 2.0, 3.0]
    lz.vmap(lambda v: seen.note(lnp.array(7.0)) * v)(x)
    assert seen.take() == [7.0]  # the same for all examples: once


def test_backward_does_not_repeat_effects():
    x = lz.Tensor([2.0], requires_grad=True)
    lz.scan(lambda c, _: (seen.note(c.sum()) * c, None), x, length=2)[0].sum().backward()
    assert seen.take() == [2.0, 4.0]
    assert x.grad.numpy().tolist() == [32.0]


def test_print_formats_when_the_program_gets_there(capsys):
    @lz.compile
    def f(x, flag):
        lz.debug.print("{0} of {name} {kind}", x, name=x[0], kind="row")
        lz.debug.print("{:.2f} {}", x.sum(), flag)
        return x

    f(np.array([1.5, 2.0], np.float32), np.array(True))
    assert capsys.readouterr().out == "[1.5 2. ] of 1.5 row\n3.50 True\n"
    lz.debug.print("at once {}", lz.Tensor(3, dtype="bf16"))
    assert capsys.readouterr().out == "at once 3.0\n"
    for bad in ("{} {}", "{name}", "no field"):
        with pytest.raises(TypeRuleError, match="does not fit"):
            lz.debug.print(bad, 1.0)


# -- check -----------------------------------------------------------------------------------
def below(limit):
    def f(x):
        def body(i, v):
            lz.check(v < limit, "{v} is too much", v=v, i=i)
            return v + 1

        return lz.fori_loop(0, 10, body, x)

    return f


def test_check_raises_with_values_and_the_line():
    f = lz.compile(below(5.0))
    with pytest.raises(CheckError, match=r"5.0 is too much\n  i = 3\n(.|\n)*lz.check\(v < limit"):
        f(2.0)
    assert f(-6.0).item() == 4.0  # the same program goes on working
    for run in (below(5.0), lz.grad(below(5.0)), lz.compile(lz.grad(below(5.0)))):
        with pytest.raises(CheckError, match=r"5\.0 is too much"):
            run(2.0)


def test_the_first_failing_check_wins_and_nothing_runs_after_it():
    @lz.compile
    def f(x):
        seen.note(x)
        lz.check(lnp.array([True, True]) & (x > 0), "first")
        lz.check(x > 1, "second")
        seen.note(x + 1)
        return x

    for value, message in ((0.0, "first"), (1.0, "second")):
        with pytest.raises(CheckError, match=message):
            f(value)
        assert seen.take() == [value]
    f(2.0)
    assert seen.take() == [2.0, 3.0]


def test_check_under_vmap_checks_every_example():
    def f(x):
        lz.check(x < 3, "example", x=x)
        return lz.cond(x < 0, lambda v: lz.check(v < -9, "untaken") or v, lambda v: v, x)

    assert lz.vmap(f)(lnp.array([1.0, 2.0])).numpy().tolist() == [1.0, 2.0]
    with pytest.raises(CheckError, match=r"example\n  x = 3.0"):
        lz.compile(lz.vmap(f))(lnp.array([1.0, 3.0, 4.0]))
    with pytest.raises(CheckError, match="untaken"):
        lz.vmap(f)(lnp.array([1.0, -1.0]))


def test_check_wants_a_bool_and_effects_have_their_places():
    with pytest.raises(TypeRuleError, match="check needs a bool"):
        lz.check(lz.Tensor(1.0), "x")
    with pytest.raises(TypeRuleError, match="condition of while_loop must have no effects"):
        lz.while_loop(lambda v: seen.note(v) < 3, lambda v: v + 1, 0.0)
    custom = lz.custom_vjp(seen.note)
    custom.defvjp(lambda x: (x, None), lambda r, c: (c,))
    with pytest.raises(TypeRuleError, match="must have no effects"):
        custom(1.0)


# -- callbacks with results --------------------------------------------------------------------
def test_pure_callback_batches_as_asked():
    shapes = []

    def add(a, b):
        shapes.append((a.shape, b.shape))
        return np.add(a, b)

    def f(method):
        number = lz.spec((), "f32")
        return lz.vmap(
            lambda x, y: lz.pure_callback(add, number, x, y, vmap_method=method), (0, None)
        )

    x, y = lnp.array([1.0, 2.0]), lnp.array(3.0)
    wanted = {
        "sequential": [((), ())] * 2, "expand_dims": [((2,), (1,))],
        "broadcast_all": [((2,), (2,))],
    }  # fmt: skip
    for method, sizes in wanted.items():
        for wrap in (lambda g: g, lz.compile):
            shapes.clear()
            assert wrap(f(method))(x, y).numpy().tolist() == [4.0, 5.0]
            assert shapes == sizes
    with pytest.raises(LazirError, match="vmap_method"):
        f(None)(x, y)
    with pytest.raises(TypeRuleError, match="vmap_method"):
        f("other")(x, y)


@pytest.mark.parametrize("dtype", ["bool", "i8", "uint32", "f16", "bf16", "f32", "f64"])
def test_callbacks_take_and_give_every_dtype(dtype):
    kinds = []

    def twice(pair):
        kinds.append(pair["x"].dtype)
        return pair["x"], [pair["x"][:0]]

    spec = lz.spec((3,), dtype), [lz.spec((0,), dtype)]
    x = lnp.array([0, 1, 1]).astype(dtype)
    out, (none,) = lz.compile(lambda v: lz.pure_callback(twice, spec, {"x": v}))(x)
    assert out.dtype is x.dtype and out.tolist() == x.tolist() and none.shape == (0,)
    assert kinds == [np.float32 if dtype == "bf16" else x.numpy().dtype]


def test_callbacks_have_no_derivative_but_may_be_given_one():
    def sine(x):
        return lz.pure_callback(np.sin, lz.spec((), "f32"), x)

    for run in (lz.grad(sine), lz.compile(lz.grad(sine)), lambda v: lz.jvp(sine, (v,), (v,))):
        with pytest.raises(LazirError, match="callback cannot be differentiated"):
            run(1.0)
    smooth = lz.custom_jvp(sine)
    smooth.defjvps(lambda t, y, x: t * lnp.cos(x))
    assert lz.compile(lz.grad(smooth))(0.0).item() == 1.0


def test_wrong_results_and_errors_come_back_to_the_caller():
    f = lz.compile(lambda x: lz.pure_callback(lambda v: v[:1], lz.spec((2,), "f32"), x))
    with pytest.raises(ValueError, match=r"returned shape \(1,\)"):
        f(lnp.zeros(2))
    f = lz.compile(lambda x: lz.pure_callback(lambda v: v.astype(int), lz.spec((2,), "f32"), x))
    with pytest.raises(ValueError, match="returned int64"):
        f(lnp.zeros(2))

    def fails(v):
        raise KeyError("mine")

    f = lz.compile(lambda x: lz.scan(lambda c, _: (lz.io_callback(fails, c, c), None), x, length=9))
    with pytest.raises(KeyError, match="mine"):
        f(lnp.zeros(2))


def test_io_callback_is_called_once_each_time_on_the_calling_thread():
    numbers, threads = iter(range(100)), set()

    def draw():
        threads.add(threading.get_ident())
        return np.float32(next(numbers))

    def f(x):
        a, b = (lz.io_callback(draw, lz.spec((), "f32")) for _ in range(2))
        return lz.scan(lambda c, _: (c * lz.io_callback(draw, lz.spec((), "f32")), a - b), x,
                       length=2)[0] + a * 0  # fmt: skip

    assert lz.compile(f)(1.0).item() == 2 * 3
    assert lz.compile(lz.grad(f))(1.0).item() == 6 * 7
    assert lz.grad(f)(1.0).item() == 10 * 11
    assert next(numbers) == 12 and threads == {threading.get_ident()}


# -- stages ------------------------------------------------------------------------------------
def everything(x, n):
    def body(c):
        i, v = c
        v = lz.cond(v > 3, lambda u: seen.note(u) / 2, lambda u: u * 3, v)
        lz.check(v < 100, "v {v}", v=v)
        return i + 1, lz.io_callback(lambda a: a + np.float32(1), lz.spec((), "f32"), v)

    return lz.while_loop(lambda c: c[0] < n, body, (0, x))[1]


def test_every_stage_reads_back_and_the_interpreter_agrees():
    graph, hosts = number_hosts(lz.compile(everything).trace(1.0, 3).graph)
    assert len(hosts) == 3
    target = named_target("x86-64-v3")
    first = Compilation(graph, target)
    for stage in ("graph", "optimized", "kernels", "loops"):
        assert Compilation.from_text(first.text(stage), stage, target).llvm == first.llvm, stage
    seen.take()
    with hosts_bound(hosts):
        value, _ = interpret(graph, [np.float32(1), np.int64(3)])
    assert value == lz.compile(everything)(1.0, 3).item() and seen.take() == [4.0, 4.0]
    with pytest.raises(LazirError, match="not this one"):
        interpret(graph, [np.float32(1), np.int64(3)])


def test_text_and_code_hold_nothing_of_the_process(tmp_path):
    texts = [lz.compile(everything).lower(1.0, 3).ir("llvm") for _ in range(2)]
    assert texts[0] == texts[1]
    with pytest.raises(ExportError, match="calls back into Python"):
        lz.compile(everything).export(tmp_path, 1.0, 3)


@pytest.mark.parametrize(
    "line, message",
    [
        ("lz.callback = -1 : i64", "number of a function"),
        ("lz.callback = true", "number of a function"),
        ('lz.ordered = "yes"', "true or false"),
        ("lz.ordered = false", "calls of"),
    ],
)
def test_wrong_text_is_refused(line, message):
    graph, _ = number_hosts(lz.compile(straight).trace(1.0).graph)
    target = named_target("x86-64-v3")
    text = Compilation(graph, target).text("kernels")
    name = line.split(" = ")[0]
    old = next(part for part in text.replace("{", ",").replace("}", ",").split(",") if name in part)
    wrong = text.replace(old.strip(), line)
    if message == "calls of":  # then the byte is data like any other
        assert Compilation.from_text(wrong, "kernels", target).loops is not None
        return
    with pytest.raises(LazirError, match=message):
        Compilation.from_text(wrong, "kernels", target)
