"""Rules of ops on complex numbers, taken as pairs of reals, and an arithmetic to write them in.

Takes: a node and its operands, complex ones as `Pair`s. Gives: the rules that many records share
(part by part, a product of two operands), and `Real`: a real value with Python's operators.
Must not know: which op asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from ..graph import Builder, Node, Value
from ..opdef import OPS, Pair, Part, Parts
from ..types import DType, i64
from .source import constant

Complex: TypeAlias = "tuple[Real, Real]"
Formula: TypeAlias = "Callable[..., Complex]"


# -- a real value in formulas --------------------------------------------------------------
class Real:
    """A real value under construction; numbers beside it take its dtype and shape."""

    __slots__ = ("b", "value")

    def __init__(self, b: Builder, value: Value) -> None:
        self.b = b
        self.value = value

    @property
    def dtype(self) -> DType:
        """The float type."""
        return self.value.type.dtype

    def like(self, number: float) -> Real:
        """A number in the dtype and shape of this value."""
        return Real(self.b, constant(self.b, number, self.dtype, self.value.shape))

    def apply(self, op: str, *others: Real | float) -> Real:
        """An elementwise op on this value and others."""
        given = [o if isinstance(o, Real) else self.like(o) for o in others]
        return Real(self.b, OPS[op](self.b, self.value, *(g.value for g in given)))

    def __add__(self, other: Real | float) -> Real:
        return self.apply("add", other)

    def __radd__(self, other: float) -> Real:
        return self.like(other) + self

    def __sub__(self, other: Real | float) -> Real:
        return self.apply("sub", other)

    def __rsub__(self, other: float) -> Real:
        return self.like(other) - self

    def __mul__(self, other: Real | float) -> Real:
        return self.apply("mul", other)

    def __rmul__(self, other: float) -> Real:
        return self.like(other) * self

    def __truediv__(self, other: Real | float) -> Real:
        return self.apply("div", other)

    def __neg__(self) -> Real:
        return self.apply("neg")

    def __lt__(self, other: Real | float) -> Real:
        return self.apply("less", other)

    def __gt__(self, other: Real | float) -> Real:
        return self.apply("greater", other)

    def __ge__(self, other: Real | float) -> Real:
        return self.apply("greater_equal", other)

    def equals(self, other: Real | float) -> Real:
        """Where they are equal; −0 equals 0."""
        return self.apply("equal", other)

    def __and__(self, other: Real) -> Real:
        return self.apply("bit_and", other)

    def __or__(self, other: Real) -> Real:
        return self.apply("bit_or", other)

    def __invert__(self) -> Real:
        return self.apply("bit_not")

    def then(self, chosen: Real | float, other: Real | float) -> Real:
        """`chosen` where this bool holds, else `other`; one of the two is a Real."""
        model = chosen if isinstance(chosen, Real) else other
        assert isinstance(model, Real)
        values = [v if isinstance(v, Real) else model.like(v) for v in (chosen, other)]
        return Real(self.b, OPS["select"](self.b, self.value, values[0].value, values[1].value))

    def __getattr__(self, op: str) -> Callable[..., Real]:
        """Other elementwise ops by their names: `x.exp()`, `y.atan2(x)`."""
        if op not in OPS:
            raise AttributeError(op)
        return lambda *others: self.apply(op, *others)


def finite(x: Real) -> Real:
    """Where x is neither infinite nor NaN."""
    return x.is_finite()


def infinite(x: Real) -> Real:
    """Where x is ±inf."""
    return x.abs().equals(float("inf"))


# -- rules that records share ----------------------------------------------------------------
def each(b: Builder, node: Node, xs: Sequence[Part]) -> Sequence[Part]:
    """Part by part: the rule of ops that move elements or are additive. Real operands (indices,
    conditions) go along with both parts.
    """
    op = OPS[node.op]
    res, ims = (
        op.many(b, *(x[k] if isinstance(x, Pair) else x for x in xs), **node.attrs) for k in (0, 1)
    )
    return [Pair(re, im) for re, im in zip(res, ims)]


def bilinear(b: Builder, node: Node, xs: Sequence[Part]) -> Sequence[Part]:
    """(a + bi)(c + di) = (ac − bd) + (ad + bc)i, for every op that multiplies and adds: four real
    products, where the way with three loses accuracy by cancellation (N. Higham, "Stability of a
    method for multiplying complex matrices with three real matrix multiplications", 1992).
    """
    x, y = xs
    assert isinstance(x, Pair) and isinstance(y, Pair)

    def product(u: Value, v: Value) -> Value:
        return OPS[node.op](b, u, v, **node.attrs)

    re = OPS["sub"](b, product(x.re, y.re), product(x.im, y.im))
    return [Pair(re, OPS["add"](b, product(x.re, y.im), product(x.im, y.re)))]


def of_formula(formula: Formula) -> Parts:
    """The rule of an elementwise op, from `formula(z, w, …)` on pairs of `Real`s."""

    def parts(b: Builder, node: Node, xs: Sequence[Part]) -> Sequence[Part]:
        operands = []
        for x in xs:
            assert isinstance(x, Pair)
            operands.append((Real(b, x.re), Real(b, x.im)))
        re, im = formula(*operands)
        return [Pair(re.value, im.value)]

    return parts


def of_test(formula: Callable[..., Real]) -> Parts:
    """The rule of an op with a bool result."""

    def parts(b: Builder, node: Node, xs: Sequence[Part]) -> Sequence[Part]:
        operands: list[Any] = []
        for x in xs:
            assert isinstance(x, Pair)
            operands.append((Real(b, x.re), Real(b, x.im)))
        return [formula(*operands).value]

    return parts


# -- pairs in memory -----------------------------------------------------------------------------
def stacked(b: Builder, x: Pair) -> Value:
    """The parts beside each other along a new last axis; what they were the columns of, if so."""
    whole_of = _columns_of(x)
    if whole_of is not None:
        return whole_of
    shape = (*x.re.shape, 1)
    columns = [OPS["reshape"](b, part, shape=shape) for part in x]
    return OPS["concat"](b, *columns, axis=len(shape) - 1)


def _columns_of(x: Pair) -> Value | None:
    """The value that `unstacked` took these parts from."""
    pieces = [part.node.inputs[0] for part in x if part.op == "reshape"]
    if [p.op for p in pieces] != ["slice", "slice"]:
        return None
    source, shape = pieces[0].node.inputs[0], (*x.re.shape, 2)
    for k, piece in enumerate(pieces):
        attrs, lead = piece.node.attrs, (0,) * len(x.re.shape)
        mine = piece.node.inputs[0] == source and source.shape == shape
        if not (mine and attrs["start"] == (*lead, k) and attrs["limit"] == (*x.re.shape, k + 1)):
            return None
    return source


def unstacked(b: Builder, x: Value) -> Pair:
    """The two columns of the last axis."""
    rank, shape = len(x.shape), x.shape[:-1]

    def column(k: int) -> Value:
        start, limit = (0,) * (rank - 1) + (k,), (*shape, k + 1)
        piece = OPS["slice"](b, x, start=start, limit=limit, stride=(1,) * rank)
        return OPS["reshape"](b, piece, shape=shape)

    return Pair(column(0), column(1))


# -- joining many factors ----------------------------------------------------------------------
def times(b: Builder, x: Pair, y: Pair) -> Pair:
    """The product of two pairs."""
    (a, c), (d, e) = (Real(b, x.re), Real(b, x.im)), (Real(b, y.re), Real(b, y.im))
    return Pair((a * d - c * e).value, (a * e + c * d).value)


def every_second(b: Builder, x: Value, axis: int, start: int, limit: int) -> Value:
    """x[start : limit : 2] along one axis."""
    rank = len(x.shape)
    return OPS["slice"](
        b,
        x,
        start=tuple(start if k == axis else 0 for k in range(rank)),
        limit=tuple(limit if k == axis else n for k, n in enumerate(x.shape)),
        stride=tuple(2 if k == axis else 1 for k in range(rank)),
    )


def _halves(b: Builder, x: Pair, axis: int, start: int, limit: int) -> Pair:
    return Pair(*(every_second(b, part, axis, start, limit) for part in x))


def product_over(b: Builder, node: Node, xs: Sequence[Part]) -> Sequence[Part]:
    """The product over axes: neighbours are multiplied until one is left, in a tree that depends on
    the shape alone.
    """
    (x,) = xs
    assert isinstance(x, Pair)
    axes = node.attrs["axes"]
    kept = tuple(k for k in range(len(x.re.shape)) if k not in axes)
    shape = node.types[0].shape
    count = 1
    for a in axes:
        count *= x.re.shape[a]

    def flat(part: Value) -> Value:
        moved = OPS["transpose"](b, part, permutation=(*kept, *axes))
        return OPS["reshape"](b, moved, shape=(*shape, count))

    x = Pair(flat(x.re), flat(x.im))
    last = len(shape)
    if count == 0:
        dtype = x.re.type.dtype
        return [Pair(constant(b, 1, dtype, shape), constant(b, 0, dtype, shape))]
    while (size := x.re.shape[last]) > 1:
        even = size - size % 2
        y = times(b, _halves(b, x, last, 0, even), _halves(b, x, last, 1, even))
        if size % 2:
            rest = _halves(b, x, last, size - 1, size)
            y = Pair(*(OPS["concat"](b, p, q, axis=last) for p, q in zip(y, rest)))
        x = y
    return [Pair(*(OPS["reshape"](b, part, shape=shape) for part in x))]


def running_product(b: Builder, node: Node, xs: Sequence[Part]) -> Sequence[Part]:
    """The products up to each element: those of neighbours first, then the elements between them
    (G. Blelloch, "Prefix sums and their applications", 1990).
    """
    (x,) = xs
    assert isinstance(x, Pair)
    axis, reverse = node.attrs["axis"], node.attrs["reverse"]

    def turned(z: Pair) -> Pair:
        return Pair(*(OPS["reverse"](b, part, axes=(axis,)) for part in z)) if reverse else z

    return [turned(_prefixes(b, turned(x), axis))]


def _prefixes(b: Builder, x: Pair, axis: int) -> Pair:
    size = x.re.shape[axis]
    if size < 2:
        return x
    even = size - size % 2
    odd_places = _prefixes(
        b, times(b, _halves(b, x, axis, 0, even), _halves(b, x, axis, 1, even)), axis
    )
    first = Pair(*(every_second(b, part, axis, 0, 1) for part in x))
    if size > 2:
        later = _halves(b, x, axis, 2, size)
        before = Pair(*(_leading(b, part, axis, later.re.shape[axis]) for part in odd_places))
        between = times(b, before, later)
        first = Pair(*(OPS["concat"](b, p, q, axis=axis) for p, q in zip(first, between)))
    return Pair(*(_interleaved(b, p, q, axis) for p, q in zip(first, odd_places)))


def _leading(b: Builder, x: Value, axis: int, count: int) -> Value:
    limit = tuple(count if k == axis else n for k, n in enumerate(x.shape))
    rank = len(x.shape)
    return OPS["slice"](b, x, start=(0,) * rank, limit=limit, stride=(1,) * rank)


def _interleaved(b: Builder, x: Value, y: Value, axis: int) -> Value:
    """x₀ y₀ x₁ y₁ …, where x may have one element more."""
    spread = []
    n, m = x.shape[axis], y.shape[axis]
    for part, low, high in ((x, 0, int(m == n)), (y, 1, int(n > m))):
        widths = {
            name: tuple(w if k == axis else 0 for k in range(len(x.shape)))
            for name, w in (("low", low), ("high", high), ("interior", 1))
        }
        zero = constant(b, 0, part.type.dtype)
        spread.append(OPS["pad"](b, part, zero, **widths))
    # The zeros between are added to: −0 + 0 would be 0, so a select chooses instead.
    places = OPS["iota"](b, shape=spread[0].shape, axis=axis, dtype=i64)
    one = constant(b, 1, i64, spread[0].shape)
    is_odd = OPS["equal"](b, OPS["bit_and"](b, places, one), one)
    return OPS["select"](b, is_odd, spread[1], spread[0])
