"""`lz.compile`: specialisation, arguments of all kinds, captures, statics, effects, methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir.errors import DonationError


def test_trees_in_and_out() -> None:
    @lz.compile
    def f(params: Any, x: Any, *, scale: Any = 1.0) -> Any:
        return {"y": x @ params["w"] + params["b"], "pair": (x * scale, None, [x.sum()])}

    params = {"w": np.eye(3), "b": np.ones(3)}
    out = f(params, np.arange(3.0), scale=2.0)
    assert out["y"].tolist() == [1, 2, 3]
    assert out["pair"][0].tolist() == [0, 2, 4]
    assert out["pair"][1] is None
    assert out["pair"][2][0].item() == 3


def test_cache_and_reasons() -> None:
    @lz.compile(static_argnames="n")
    def f(x: Any, n: int) -> Any:
        return x * n

    f(np.zeros(3), 2)
    f(np.ones(3), 2)
    f(np.zeros(3), n=2)
    f(np.zeros(3), 3)
    f(np.zeros((3, 1)), 3)
    f(np.zeros((3, 1), np.float32), 3)
    assert f.cache_info()[1:] == (5, 5)
    why = f.explain_recompile()
    assert why[0] == "the first call"
    assert "static argument" in why[1] or "nested" in why[1]
    assert why[3] == "argument x was f64[3] and is f64[3,1]"
    assert why[4] == "argument x was f64[3,1] and is f32[3,1]"
    f.clear_cache()
    assert f.cache_info() == (0, 0, 0)


def test_static_values_differ_by_type() -> None:
    f = lz.compile(lambda x, k: x + (1 if isinstance(k, bool) else 2), static_argnums=1)
    x = np.zeros(1)
    assert f(x, True).item() == 1
    assert f(x, 1).item() == 2
    assert f(x, 1.0).item() == 2
    with pytest.raises(TypeError, match="must be hashable, got list"):
        f(x, [1])


def test_python_numbers_are_weak_and_do_not_recompile() -> None:
    f = lz.compile(lambda x, a: x * a)
    x = np.ones(2, np.float32)
    assert str(f(x, 2.5).dtype) == "f32"
    assert f(x, 3.5).tolist() == [3.5, 3.5]
    assert f.cache_info().misses == 1
    assert str(f(x, np.float64(2)).dtype) == "f64"


def test_captured_tensors_are_read_at_every_call() -> None:
    big = np.arange(1000.0)
    bias = lz.Tensor(1.0)

    @lz.compile
    def f(x: Any) -> Any:
        return (x + bias + big).sum()

    assert f(np.zeros(1000)).item() == 499500 + 1000
    bias[...] = 2.0
    assert f(np.zeros(1000)).item() == 499500 + 2000
    assert f.cache_info().misses == 1


def test_assignments_reach_the_caller() -> None:
    total = lz.Tensor(np.zeros(2))

    @lz.compile
    def f(x: Any) -> Any:
        x[0] = 9
        total[...] = total + x
        return x.sum()

    t, data = lz.Tensor([1.0, 2.0], "f64"), np.array([1.0, 2.0])
    assert f(t).item() == 11
    assert t.tolist() == [9, 2]
    assert total.tolist() == [9, 2]
    f(data)
    assert data.tolist() == [9, 2]
    assert total.tolist() == [18, 4]


def test_nested_functions_inline_and_methods() -> None:
    inner = lz.compile(lambda x: x * 2)

    class Layer:
        def __init__(self, w: float) -> None:
            self.w = lz.Tensor(w)

        @lz.compile
        def forward(self, x: Any) -> Any:
            return inner(x) * self.w

    a, b = Layer(1.0), Layer(10.0)
    x = np.ones(2, np.float32)
    assert a.forward(x).tolist() == [2, 2]
    assert b.forward(x).tolist() == [20, 20]
    a.w[...] = 3.0
    assert a.forward(x).tolist() == [6, 6]

    @lz.tree.register_dataclass
    @dataclass
    class Pair:
        u: Any

        @lz.compile
        def double(self, k: Any) -> Any:
            return Pair(self.u * k)

    assert Pair(np.ones(2)).double(2.0).u.tolist() == [2, 2]


def test_gradients_flow_through_compiled_functions() -> None:
    f = lz.compile(lambda w, x: (w * x).sum())
    w = lz.Tensor([1.0, 2.0], requires_grad=True)
    f(w, np.array([3.0, 4.0], np.float32)).backward()
    assert w.grad.tolist() == [3.0, 4.0]
    assert lz.grad(f)(np.ones(2, np.float32), np.array([3.0, 4.0], np.float32)).tolist() == [3, 4]
    with lz.no_grad():
        assert f(w, np.ones(2, np.float32)).item() == 3


def test_trace_lower_explain() -> None:
    @lz.compile
    def f(x: Any) -> Any:
        return x + 1

    traced = f.trace(lz.spec((2, 3), "f64"))
    assert str(traced.graph.result_types[0]) == "tensor<2x3xf64>"
    assert f.lower(lz.spec(2)).compile()(np.ones(2, np.float32)).tolist() == [2, 2]
    assert "not compiled yet" in f.explain(np.ones(2))
    f(np.ones(2))
    assert f.explain(np.ones(2)).startswith("f: compiled")
    assert f.cache_info().misses == 1


def test_a_repeated_call_gives_the_same_containers() -> None:
    f = lz.compile(lambda x: ([x + 1], {"a": x}, ()))
    for _ in range(3):
        first, second, third = f(np.ones(2))
        assert [t.tolist() for t in first] == [[2, 2]] and third == ()
        assert second["a"].tolist() == [1, 1]


def test_wrong_arguments_and_results() -> None:
    f = lz.compile(lambda x, mode: x)
    with pytest.raises(TypeError, match=r"argument mode of <lambda> is a str.*static_argnames"):
        f(np.ones(1), "a")
    with pytest.raises(TypeError, match="returned a str"):
        lz.compile(lambda x: "no")(np.ones(1))
    with pytest.raises(ValueError, match="has no argument 'y'"):
        lz.compile(lambda x: x, static_argnames="y")
    with pytest.raises(ValueError, match="unknown device"):
        lz.compile(lambda x: x, device="tpu")


def test_donation() -> None:
    f = lz.compile(lambda x, y: x + y, donate_argnums=0)
    x, y = lz.Tensor(np.ones(4)), lz.Tensor(np.ones(4))
    assert f(x, y).tolist() == [2, 2, 2, 2]
    with pytest.raises(DonationError, match="donated here"):
        print(x)
    with pytest.raises(DonationError):
        x + 1
    held = lz.Tensor(np.ones(4))
    view = held.numpy()
    with pytest.raises(DonationError, match="shares its data"):
        f(held, y)
    assert view[0] == 1 and y.tolist() == [1, 1, 1, 1]


def test_donated_memory_is_used_again() -> None:
    """Also memory of the pool, and in nested arguments; a NumPy array stays its owner's."""
    for size in (10, 300_000):
        f = lz.compile(lambda t, y: {"x": t["x"] + y}, donate_argnums=0)
        t = {"x": lz.Tensor(np.ones(size))}
        place = t["x"]._array.ctypes.data
        for k in range(3):
            t = f(t, 1.0)
            assert t["x"]._array.ctypes.data == place
            assert t["x"][0].item() == t["x"][size - 1].item() == k + 2
        mine = np.ones(size)
        mine.flags.writeable = False
        assert f({"x": mine}, 1.0)["x"][0].item() == 2 and mine[0] == 1
        assert f({"x": np.ones((size, 2))[:, 0]}, 1.0)["x"][0].item() == 2
        lowered = f.lower(t, 1.0).compile()
        assert lowered(t, 1.0)["x"]._array.ctypes.data == place
        with pytest.raises(DonationError, match="donated here"):
            lowered(t, 1.0)


def test_one_tensor_is_not_given_twice() -> None:
    f = lz.compile(lambda x, y: (x + y, y), donate_argnums=0)
    x = lz.Tensor(np.ones(4))
    with pytest.raises(DonationError, match=r"leaves \[0, 1\] are one tensor"):
        f(x, x)
    shared = lz.Tensor(np.ones(4))
    g = lz.compile(lambda x: x + shared, donate_argnums=0)
    assert g(shared).tolist() == [2, 2, 2, 2]  # read as a captured tensor too: a new array


def test_layouts_of_arguments() -> None:
    f = lz.compile(lambda x: x * 2)
    x = np.arange(12.0).reshape(3, 4)
    for array in (x, x.T, x[::-1], x[:, ::2], np.asfortranarray(x), x.astype(">f8"), x[1:1]):
        np.testing.assert_array_equal(f(array).numpy(), array * 2)
    x.flags.writeable = False
    np.testing.assert_array_equal(f(x).numpy(), x * 2)
    assert f(np.float64(3.0)).item() == 6


def test_pass_through_and_constants() -> None:
    f = lz.compile(lambda x: (x, 5, x[0], lnp.zeros(2)))
    x = np.arange(3.0)
    same, five, first, zeros = f(x)
    x[0] = 9
    assert same.tolist() == [0, 1, 2]
    assert five.item() == 5 and first.item() == 0 and zeros.tolist() == [0, 0]


def test_bf16_and_uint16_are_told_apart() -> None:
    f = lz.compile(lambda x: x + x)
    assert f(lz.Tensor([1.5], "bf16")).tolist() == [3.0]
    assert f(np.array([7], np.uint16)).tolist() == [14]
    assert f(lz.Tensor([1.5], "bf16")).tolist() == [3.0]
