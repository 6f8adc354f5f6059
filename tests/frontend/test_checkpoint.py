"""Policies of checkpoint: what is kept, what is computed again, and that values stay the same."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp

P = lz.checkpoint_policies
RNG = np.random.default_rng(5)
W, X = RNG.normal(size=(5, 5)), RNG.normal(size=(4, 5))


def network(w: Any, x: Any) -> Any:
    """Two products; between them a value with a name."""
    hidden = lz.checkpoint_name(lnp.sin(x @ w), "hidden")
    return lz.checkpoint_name(lnp.exp(hidden @ w), "out").sum()


def stacked(w: Any, x: Any) -> Any:
    """A product with a batch dimension, then one without."""
    pairs = lnp.sin(lnp.einsum("bij,bjk->bik", x.reshape(2, 2, 5), lnp.stack([w, w.T])))
    return lnp.sin(pairs.reshape(4, 5) @ w).sum()


def ops(f: Any, *args: Any) -> Counter[str]:
    """How often each op stands in the optimized graph of a function."""
    graph = lz.compile(f).lower(*args).ir("optimized")
    return Counter(word.split('"')[0] for word in graph.split('"lz.')[1:])


POLICIES = {
    # products (5 are needed), sin (1), exp (1): what is more is computed again
    "default": (None, 7, 2, 2),
    "nothing": (P.nothing_saveable, 7, 2, 2),
    "everything": (P.everything_saveable, 5, 1, 1),
    "dots": (P.dots_saveable, 5, 2, 2),
    "checkpoint_dots": (P.checkpoint_dots, 5, 2, 2),
    "no batch": (P.dots_with_no_batch_dims_saveable, 5, 2, 2),
    "only hidden": (P.save_only_these_names("hidden"), 7, 1, 2),
    "only out": (P.save_only_these_names("out"), 6, 2, 1),
    "hidden, out": (P.save_only_these_names("hidden", "out"), 6, 1, 1),
    "unknown": (P.save_only_these_names("other"), 7, 2, 2),
    "any but out": (P.save_any_names_but_these("out"), 7, 1, 2),
    "except hidden": (P.save_anything_except_these_names("hidden"), 5, 2, 1),
    "except none": (P.save_anything_except_these_names(), 5, 1, 1),
    "both": (P.save_from_both_policies(P.dots_saveable, P.save_only_these_names("out")), 5, 2, 1),
}


@pytest.mark.parametrize("name", POLICIES)
def test_policies(name: str) -> None:
    policy, *wanted = POLICIES[name]
    f = lz.value_and_grad(lz.checkpoint(network, policy=policy))
    counts = ops(f, W, X)
    assert [counts[op] for op in ("dot_general", "sin", "exp")] == wanted
    value, slope = lz.value_and_grad(network)(W, X)
    for way in (f, lz.compile(f)):
        got = way(W, X)
        assert got[0].item() == value.item()
        np.testing.assert_allclose(got[1].numpy(), slope.numpy(), rtol=1e-13)


def test_products_with_batch_dimensions() -> None:
    counts = [
        ops(lz.value_and_grad(lz.checkpoint(stacked, policy=policy)), W, X)["dot_general"]
        for policy in (P.everything_saveable, P.dots_saveable,
                       P.dots_with_no_batch_dims_saveable, P.nothing_saveable)
    ]  # fmt: skip
    assert counts == [counts[0], counts[0], counts[0] + 1, counts[0] + 2]


@pytest.mark.parametrize("name", ["default", "dots", "only hidden", "except hidden", "everything"])
def test_policies_under_other_transforms(name: str) -> None:
    f = lz.checkpoint(network, policy=POLICIES[name][0])
    batch = np.stack([X, 2 * X])

    def both(transform: Any, *args: Any) -> None:
        want = transform(network)(*args)
        for got in (transform(f)(*args), lz.compile(transform(f))(*args)):
            np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-9, atol=1e-9)

    both(lambda g: lz.vmap(lz.grad(g), (None, 0)), W, batch)
    both(lambda g: lz.grad(lambda w, x: lz.vmap(g, (None, 0))(w, x).sum()), W, batch)
    both(lambda g: lz.grad(lambda w, x: (lz.grad(g)(w, x) ** 2).sum()), W, X)
    both(lambda g: lambda w, x: lz.jvp(lambda v: lz.grad(g)(v, x), (w,), (lnp.cos(w),))[1], W, X)
    both(lambda g: lambda w, x: lz.linearize(lambda v: g(v, x), w)[1](w * w), W, X)

    def layers(g: Any) -> Any:
        def deep(w: Any, x: Any) -> Any:
            return lz.scan(lambda c, v: (c + g(w, v), None), 0.0, lnp.stack([x, x + 1]))[0]

        return lz.grad(deep)

    both(layers, W, X)


def test_a_scan_keeps_what_the_policy_says() -> None:
    """What is kept of a checkpoint in a body is stacked over the steps."""

    def deep(policy: Any) -> Any:
        @lz.checkpoint(policy=policy)
        def layer(w: Any, x: Any) -> Any:
            return lnp.sin(lnp.exp(x @ w))

        return lambda w, x: lz.scan(lambda c, _: (layer(w, c), None), x, length=3)[0].sum()

    found = {p: ops(lz.grad(deep(p)), W, X) for p in (P.nothing_saveable, P.dots_saveable)}
    assert [c["dot_general"] for c in found.values()] == [4, 3]
    want = lz.grad(deep(P.everything_saveable))(W, X).numpy()
    for policy in found:
        np.testing.assert_allclose(lz.grad(deep(policy))(W, X).numpy(), want, rtol=1e-12)


def test_products_inside_of_called_functions_are_seen() -> None:
    inner = lz.compile(lambda w, x: lnp.sin(x @ w))

    def f(w: Any, x: Any) -> Any:
        return lnp.sin(inner(w, x)).sum()

    kept = ops(lz.value_and_grad(lz.checkpoint(f, policy=P.dots_saveable)), W, X)
    again = ops(lz.value_and_grad(lz.checkpoint(f)), W, X)
    assert again["dot_general"] == kept["dot_general"] + 1


def test_merging_with_the_first_run_may_be_allowed() -> None:
    f = lz.checkpoint(network, prevent_cse=False)
    counts = ops(lz.value_and_grad(f), W, X)
    assert (counts["dot_general"], counts["exp"], counts["barrier"]) == (5, 1, 0)
    want = lz.grad(network)(W, X).numpy()
    np.testing.assert_allclose(lz.grad(f)(W, X).numpy(), want, rtol=1e-13)


def test_arguments_passed_as_they_are() -> None:
    @lz.checkpoint(static_argnums=(0, -1), policy=P.dots_saveable)
    def f(kind: str, w: Any, power: int) -> Any:
        return (getattr(lnp, kind)(w) ** power).sum()

    got = lz.grad(f, argnums=1)("sin", W, 2)
    np.testing.assert_allclose(got.numpy(), np.sin(2 * W), rtol=1e-12)


def test_names_do_not_change_values() -> None:
    tree = {"a": W, "b": (1, 2.5)}
    got = lz.checkpoint_name(tree, "all")
    np.testing.assert_array_equal(got["a"].numpy(), W)
    assert [str(x.dtype) for x in got["b"]] == ["i64", "f32"]
    assert lz.grad(lambda x: lz.checkpoint_name(x * x, "square"))(3.0).item() == 6.0
    z = lz.grad(lambda z: abs(lz.checkpoint_name(z * z, "z")), holomorphic=False)(1.0 + 1j)
    np.testing.assert_allclose(z.numpy(), lz.grad(lambda z: abs(z * z))(1.0 + 1j).numpy())


def test_errors() -> None:
    with pytest.raises(lz.errors.TypeRuleError, match=r"save_only_these_names takes the names"):
        lz.checkpoint(network, policy=P.save_only_these_names)
    with pytest.raises(lz.errors.TypeRuleError, match=r"one of lz\.checkpoint_policies, got True"):
        lz.checkpoint(network, policy=True)
    with pytest.raises(lz.errors.TypeRuleError, match=r"each an argument; got \['hidden'\]"):
        P.save_only_these_names(["hidden"])
    with pytest.raises(lz.errors.TypeRuleError, match="the name is a str, got 3"):
        lz.checkpoint_name(1.0, 3)

    def loop(x: Any) -> Any:
        return lz.fori_loop(0, 3, lambda i, v: lz.checkpoint_name(lnp.sin(v), "s"), x)

    with pytest.raises(lz.errors.TypeRuleError, match=r"named values inside of a scan"):
        lz.checkpoint(loop, policy=P.save_only_these_names("s"))(1.0)
    wanted = lz.grad(loop)(1.0).item()
    assert lz.grad(lz.checkpoint(loop, policy=P.everything_saveable))(1.0).item() == wanted
