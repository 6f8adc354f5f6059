"""Random graphs for pass tests: many ops, shapes that meet in views, constants worth folding."""

import numpy as np

from lazir.compiler.graph import Builder, Graph, Value
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.source import array_constant, constant
from lazir.compiler.types import DType, TensorType, f32, f64, i1, i32, i64

SHAPES = (
    (),
    (1,),
    (4,),
    (2, 3),
    (3, 2),
    (1, 4),
    (4, 1),
    (2, 1, 3),
    (6,),
    (2, 2, 2),
    (0, 2),
    (3, 3),
)
NUMBERS = (0, 1, -1, 2, 0.5, -0.0, 4)
UNARY = ("neg", "abs", "sign", "exp", "tanh", "sqrt", "floor", "stop_gradient")
BINARY = ("add", "sub", "mul", "div", "maximum", "minimum")
COMPARE = ("equal", "not_equal", "less", "greater_equal")
REDUCE = ("reduce_sum", "reduce_max", "reduce_min", "reduce_prod")


class Grower:
    """Adds random nodes to a graph; `values` are those to draw operands from."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.b = Builder(name=f"random{seed}")
        self.values: list[Value] = []

    def pick(self, options):
        return options[int(self.rng.integers(len(options)))]

    def param(self) -> None:
        dtype = self.pick((f64, f64, f32, i32, i64, i1))
        self.values.append(self.b.param(TensorType(self.pick(SHAPES), dtype)))

    def value(self, dtype: DType | None = None) -> Value | None:
        """A value drawn with a leaning towards the newest."""
        fitting = [v for v in self.values if dtype is None or v.type.dtype is dtype]
        return fitting[-1 - int(self.rng.integers(min(8, len(fitting))))] if fitting else None

    def like(self, x: Value) -> Value:
        """An operand of x's type: a value, x itself, a constant, or x negated."""
        same = [v for v in self.values if v.type == x.type]
        kind = int(self.rng.integers(5))
        if kind == 0:
            return constant(self.b, self.pick(NUMBERS), x.type.dtype, x.shape)
        if kind == 1 and x.type.dtype is not i1:
            return OPS["neg"](self.b, x)
        if kind == 2 and 1 < x.type.size < 16:
            data = self.rng.integers(-2, 3, x.shape).astype(x.type.dtype.numpy)
            return array_constant(self.b, data, x.type.dtype)
        return self.pick(same)

    def grow(self) -> None:
        x = self.value()
        step = self.pick((self.unary, self.binary, self.compare, self.view, self.view, self.reduce,
                          self.convert, self.product))  # fmt: skip
        made = step(x)
        if made is not None and made.type.size <= 64:
            self.values.append(made)

    def unary(self, x: Value) -> Value | None:
        name = self.pick(UNARY)
        if x.type.dtype not in OPS[name].dtypes:
            return OPS["bit_not"](self.b, x) if x.type.dtype is i1 else None
        return OPS[name](self.b, x)

    def binary(self, x: Value) -> Value | None:
        if x.type.dtype is i1:
            return OPS[self.pick(("bit_and", "bit_or", "bit_xor"))](self.b, x, self.like(x))
        pair = [x, self.like(x)]
        if self.rng.integers(2):
            pair.reverse()
        return OPS[self.pick(BINARY)](self.b, *pair)

    def compare(self, x: Value) -> Value | None:
        flag = OPS[self.pick(COMPARE)](self.b, x, self.like(x))
        if self.rng.integers(2):
            flag = OPS["bit_not"](self.b, flag)
        self.values.append(flag)
        return OPS["select"](self.b, flag, x, self.like(x))

    def convert(self, x: Value) -> Value | None:
        return OPS["convert"](self.b, x, dtype=self.pick((f32, f64, i32, i64, i1)))

    def reduce(self, x: Value) -> Value | None:
        axes = tuple(k for k in range(len(x.shape)) if self.rng.integers(2))
        name = self.pick(REDUCE)
        if x.type.dtype is i1:
            name = self.pick(("reduce_any", "reduce_all"))
        return OPS[name](self.b, x, axes=axes)

    def product(self, x: Value) -> Value | None:
        if x.type.dtype is i1 or len(x.shape) != 2:
            return None
        y = OPS["transpose"](self.b, x, permutation=(1, 0))
        left = int(self.rng.integers(2))
        attrs = {"lhs_contracting": (left,), "rhs_contracting": (1 - left,)}
        made = OPS["dot_general"](self.b, x, y, lhs_batch=(), rhs_batch=(), **attrs)
        return OPS["transpose"](self.b, made, permutation=(1, 0))

    def view(self, x: Value) -> Value | None:
        rank = len(x.shape)
        kind = int(self.rng.integers(7))
        if kind == 0:
            order = tuple(int(k) for k in self.rng.permutation(rank))
            return OPS["transpose"](self.b, x, permutation=order)
        if kind == 1:
            shapes = [s for s in SHAPES if np.prod(s, dtype=int) == x.type.size]
            shapes.append((*x.shape, 1))
            return OPS["reshape"](self.b, x, shape=self.pick(shapes))
        if kind == 2:
            at = int(self.rng.integers(rank + 1))
            shape = (*x.shape[:at], int(self.rng.integers(1, 4)), *x.shape[at:])
            axes = tuple(k for k in range(rank + 1) if k != at)
            return OPS["broadcast"](self.b, x, shape=shape, axes=axes)
        if kind == 3:
            start = tuple(int(self.rng.integers(n + 1)) for n in x.shape)
            limit = tuple(int(self.rng.integers(s, n + 1)) for s, n in zip(start, x.shape))
            stride = tuple(int(self.rng.integers(1, 3)) for _ in x.shape)
            return OPS["slice"](self.b, x, start=start, limit=limit, stride=stride)
        if kind == 4:
            low, high = (tuple(int(k) for k in self.rng.integers(0, 3, rank)) for _ in range(2))
            gaps = tuple(int(k) for k in self.rng.integers(0, 2, rank) * self.rng.integers(2))
            zero = constant(self.b, self.pick((0, 1)), x.type.dtype)
            return OPS["pad"](self.b, x, zero, low=low, high=high, interior=gaps)
        if kind == 5 and rank:
            return OPS["concat"](self.b, x, self.like(x), axis=int(self.rng.integers(rank)))
        axes = tuple(k for k in range(rank) if self.rng.integers(2))
        return OPS["reverse"](self.b, x, axes=axes)


def random_graph(seed: int, nodes: int = 40) -> Graph:
    """A graph of about `nodes` nodes whose results are its last few values."""
    grower = Grower(seed)
    for _ in range(4):
        grower.param()
    for _ in range(nodes):
        grower.grow()
    return grower.b.graph(grower.values[-4:])


def arguments(graph: Graph, seed: int = 0):
    """Arrays for the parameters, some of them full of special values."""
    rng = np.random.default_rng(seed)
    arrays = []
    for type in graph.param_types:
        if type.dtype is i1:
            arrays.append(rng.integers(0, 2, type.shape).astype(bool))
            continue
        values = rng.integers(-3, 4, type.shape).astype(float)
        if type.dtype.is_float:
            special = rng.choice([0.0, -0.0, np.inf, -np.inf, np.nan, 1.5, 1e-310], type.shape)
            values = np.where(rng.random(type.shape) < 0.25, special, values)
        arrays.append(np.asarray(values).astype(type.dtype.numpy))
    return arrays
