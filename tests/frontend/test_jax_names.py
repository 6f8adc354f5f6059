"""JAX's functions under `lazir.nn`, its initializers, its names; PyTorch's keywords of methods."""

from __future__ import annotations

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp

X = np.array([[-3.5, -1.0, -0.2, 0.0], [0.3, 1.0, 2.5, 7.0]])


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def tanh_gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


FUNCTIONS = {
    "celu": (lambda x: np.where(x > 0, x, np.expm1(x))),
    "elu": (lambda x: np.where(x > 0, x, np.expm1(x))),
    "gelu": tanh_gelu,
    "glu": (lambda x: x[:, :2] * sigmoid(x[:, 2:])),
    "hard_sigmoid": (lambda x: np.clip(x + 3, 0, 6) / 6),
    "hard_silu": (lambda x: x * np.clip(x + 3, 0, 6) / 6),
    "hard_tanh": (lambda x: np.clip(x, -1, 1)),
    "identity": (lambda x: x),
    "leaky_relu": (lambda x: np.where(x > 0, x, 0.01 * x)),
    "log_sigmoid": (lambda x: np.log(sigmoid(x))),
    "log_softmax": (lambda x: x - np.log(np.exp(x).sum(-1, keepdims=True))),
    "logsumexp": (lambda x: np.log(np.exp(x).sum())),
    "mish": (lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    "relu": (lambda x: np.maximum(x, 0)),
    "relu6": (lambda x: np.clip(x, 0, 6)),
    "selu": (lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x))),
    "sigmoid": sigmoid,
    "silu": (lambda x: x * sigmoid(x)),
    "soft_sign": (lambda x: x / (1 + abs(x))),
    "softmax": (lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
    "softplus": (lambda x: np.log1p(np.exp(x))),
    "squareplus": (lambda x: (x + np.sqrt(x * x + 4)) / 2),
    "standardize": (
        lambda x: (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    ),
    "tanh": np.tanh,
}


def test_functions_of_jax_nn() -> None:
    found = lz.compile(lambda x: {name: getattr(lz.nn, name)(x) for name in FUNCTIONS})(X)
    for name, wanted in FUNCTIONS.items():
        np.testing.assert_allclose(
            found[name].numpy(), wanted(X), rtol=1e-12, atol=1e-14, err_msg=name
        )


def test_one_hot_is_float_and_has_an_axis() -> None:
    found = lz.nn.one_hot(np.array([2, 0, 5]), 3, axis=0)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found.numpy(), [[0, 1, 0], [0, 0, 0], [1, 0, 0]])


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / 700), ("glorot_normal", 2 / 700), ("lecun_uniform", 1 / 400),
        ("lecun_normal", 1 / 400), ("he_uniform", 2 / 400), ("kaiming_normal", 2 / 400),
    ],
)  # fmt: skip
def test_initializers_have_the_variance_they_promise(name: str, variance: float) -> None:
    made = getattr(lz.nn.initializers, name)()
    drawn = made(lz.random.key(0), (400, 300)).numpy()
    assert drawn.dtype == np.float32
    assert abs(drawn.mean()) < 0.02 * np.sqrt(variance)
    assert abs(drawn.var() / variance - 1) < 0.03


def test_orthogonal_and_its_axis() -> None:
    q = lz.nn.initializers.orthogonal(2.0, column_axis=0)(lz.random.key(1), (3, 5, 2)).numpy()
    np.testing.assert_allclose(q.reshape(3, 10) @ q.reshape(3, 10).T, 4 * np.eye(3), atol=1e-5)


def test_initializers_refuse_what_they_do_not_know() -> None:
    with pytest.raises(lz.errors.LazirError, match="mode is fan_in, fan_out or fan_avg"):
        lz.nn.initializers.variance_scaling(1.0, "fan", "normal")(lz.random.key(0), (2, 2))
    with pytest.raises(lz.errors.LazirError, match="unknown distribution 'gauss'"):
        lz.nn.initializers.variance_scaling(1.0, "fan_in", "gauss")(lz.random.key(0), (2, 2))
    with pytest.raises(lz.errors.LazirError, match="at least two axes"):
        lz.nn.initializers.he_normal()(lz.random.key(0), (2,))


def test_names_for_trees_and_devices() -> None:
    nest = {"a": 1, "b": (2, 3)}
    assert lz.tree_util.tree_map(lambda x, y: x + y, nest, nest) == {"a": 2, "b": (4, 6)}
    leaves, structure = lz.tree_util.tree_flatten(nest)
    assert lz.tree_util.tree_unflatten(structure, leaves) == nest
    got = lz.device_get({"a": lnp.arange(2), "b": 1.5})
    assert isinstance(got["a"], np.ndarray) and got["b"] == 1.5
    assert lz.device_put(1, lz.devices()[0]).device == lz.devices()[0]
    assert lz.default_backend() == "cpu" and lz.device_count() == 1
    assert lz.eval_shape(lambda x: x @ x.T, lz.ShapeDtypeStruct((3, 4), lnp.float32)).shape == (
        3,
        3,
    )


def test_special_functions_under_laxs_names() -> None:
    x = np.array([0.5, 2.0])
    np.testing.assert_array_equal(
        lz.lax.igamma(2.0, x).numpy(), lz.special.gammainc(2.0, x).numpy()
    )
    np.testing.assert_array_equal(lz.lax.bessel_i1e(x).numpy(), lz.special.i1e(x).numpy())


def test_pytorchs_keywords_on_methods() -> None:
    x = np.array([[3.0, 1.0, 3.0], [2.0, 5.0, 4.0]])
    t = lnp.asarray(x)
    for name in ("sum", "prod", "mean", "argmax", "argmin", "cumsum", "cumprod"):
        np.testing.assert_array_equal(
            getattr(t, name)(dim=1).numpy(), getattr(np, name)(x, axis=1), err_msg=name
        )
    assert t.sum(dim=(0, 1), keepdim=True).shape == (1, 1)
    np.testing.assert_array_equal((t > 2).any(dim=0, keepdim=True).numpy(), (x > 2).any(0)[None])
    values, places = t.max(dim=1)
    np.testing.assert_array_equal(values.numpy(), [3, 5])
    np.testing.assert_array_equal(places.numpy(), [0, 1])
    assert t.min(dim=0, keepdim=True).indices.shape == (1, 3)
    for call in (lambda: t.std(dim=0), lambda: t.var(dim=0, keepdim=True)):
        with pytest.raises(TypeError, match=r"divides by n - 1 in PyTorch .* ddof=1"):
            call()
    with pytest.raises(TypeError, match="give one of them"):
        t.sum(0, dim=1)
    with pytest.raises(TypeError, match="takes keepdim=, not where="):
        t.max(dim=0, where=x > 1)
