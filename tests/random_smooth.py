"""Random f64 graphs with a scalar result whose derivative exists almost everywhere.

Takes: a seed. Gives: `RandomGraph`, for `value_and_grad_graph`. Must not know: how it is derived.
"""

from __future__ import annotations

import numpy as np
from random_programs import CONTROL, NAMES, Maker, RandomGraph

from lazir.compiler.graph import Builder, Value
from lazir.compiler.opdef import OPS
from lazir.compiler.ops import draws
from lazir.compiler.ops.source import constant
from lazir.compiler.types import Shape, TensorType, f64

NOT_SMOOTH = frozenset(
    {"convert", "bitcast", "select", "reduce_window", "custom_vjp", "custom_jvp", "scatter"}
)
"""Results of another dtype, or derivatives that jump where results are equal."""


def _is_smooth(name: str) -> bool:
    op = OPS[name]
    whole = op.family not in ("control", "source", "ordered") and name not in NOT_SMOOTH
    return whole and op.linearise is not None and op.domain.smooth and f64 in op.dtypes


SMOOTH = tuple(filter(_is_smooth, NAMES))
FLOW = ("cond", "scan", "call", "checkpoint")


class SmoothMaker(Maker):
    """Makes values of f64 alone, small enough for finite differences."""

    def draw_shape(self) -> Shape:
        rank = int(self.rng.integers(0, 4))
        return tuple(int(n) for n in self.rng.integers(1, 20 if rank == 1 else 5, rank))

    def draw_type(self) -> TensorType:
        return TensorType(self.draw_shape(), f64)

    def pick(self) -> str:
        some = SMOOTH if self.depth or self.rng.integers(4) else FLOW
        return str(draws.pick(self.rng, some))

    def loss(self) -> Value:
        """The mean of every value that no node reads, and of the last, summed."""
        read = {v for value in self.pool for v in value.node.inputs}
        ends = [v for v in self.pool[:-1] if v not in read and v.type.dtype is f64]
        total = constant(self.b, 0, f64)
        for value in [*ends[-4:], self.pool[-1]]:
            if value.type.dtype is f64 and value.type.size:
                share = constant(self.b, 1 / value.type.size, f64)
                sum_ = OPS["reduce_sum"](self.b, value, axes=tuple(range(value.type.rank)))
                total = OPS["add"](self.b, total, OPS["mul"](self.b, sum_, share))
        return total


def smooth_graph(seed: int) -> RandomGraph:
    """The graph of a seed: one f64 scalar, of 4 to 9 ops and what fits their operands."""
    rng = np.random.default_rng([seed, 2])
    maker = SmoothMaker(rng, Builder(name=f"smooth{seed}"))
    for _ in range(int(rng.integers(1, 3))):
        maker.fresh(maker.draw_type())
    for _ in range(int(rng.integers(4, 10))):
        name = maker.pick()
        assert name in CONTROL or name in SMOOTH
        maker.add_op(name)
    return RandomGraph(seed, maker.b.graph([maker.loss()]), tuple(maker.domains))
