"""The file that the tests of the command line read."""

import numpy as np

import lazir as lz
import lazir.numpy as lnp

print("this goes to stderr")

weights = lz.Tensor(np.ones((3, 2), np.float32))
example_args = {"pair": (np.ones(3, np.float32), np.arange(3.0, dtype=np.float32))}


def layer(x: "f32[4,8]", w: "f32[8,16]", b: "f32[16]"):  # noqa: F821
    return lnp.maximum(x @ w + b, 0)


def loss(params, x: lz.spec((4, 8)), y: lz.spec((4, 16))):
    for w, b in params:
        x = layer(x, w, b)
    return lnp.mean((x - y) ** 2)


@lz.compile(static_argnames="mode", donate_argnums=0)
def act(x: lz.spec((2, 3)), mode="relu"):
    y = x @ weights
    return lnp.maximum(y, 0) if mode == "relu" else y


def pair(a, b):
    return {"sum": a + b, "both": (a * 2, b - 1)}


def kinds(n: lz.spec(4, "i32"), flag: lz.spec(4, "bool"), h: lz.spec(3, "bf16")):
    return lnp.where(flag, n, -n), h * 2


def total(x, axis, how):
    return x.sum(axis) if how == "sum" else x.max(axis)


def crashes(x: lz.spec(3)):
    return {}["key"]


def wrong_shape(x: lz.spec((4, 7))):
    return _helper(x * 2)


def _helper(x):
    return x @ lnp.ones((8, 2))


def branches(x: lz.spec(())):
    return x if x > 0 else -x


class Model:
    def __init__(self, size=3):
        self.size = size

    def call(self, x: lz.spec(3)):
        return x * self.size

    @staticmethod
    def double(x: lz.spec(3)):
        return x * 2


class Needy:
    def __init__(self, size):
        self.size = size

    def call(self, x: lz.spec(3)):
        return x * self.size


model = Model()
number = 3
