"""Random Graphs over all ops of the table, for tests that compare two ways to compute the same.

Takes: a seed, and optionally two families of which the second shall read the first. Gives:
`RandomGraph`: a Graph and inputs for it. The same seed gives the same graph and the same inputs.
Must not know: what any op computes; operands and attributes come from the records' examples, whose
shapes are replaced by those of values at hand.

Values that do not fit an operand are made to: converted, broadcast, cut, repeated, reshaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from random_examples import LARGEST, WIDE, Example

import lazir.compiler.ops  # noqa: F401  (fills the table)
from lazir.compiler.graph import Builder, Graph, Value
from lazir.compiler.opdef import OPS, Domain
from lazir.compiler.ops import draws
from lazir.compiler.ops.source import bf16_bits, constant
from lazir.compiler.types import FLOATS, REAL, DType, Shape, TensorType, bf16, i1, i32

Generator = np.random.Generator
Array = np.ndarray[Any, Any]

NEVER_RUN = frozenset({"custom_linear"})
"""Stands for tangents until it is transposed; a graph that is run never holds it."""
DRAWS = 8
"""How often an example is drawn before another op is tried."""

APART = frozenset({"linalg", "complex", "fourier"})
"""Families whose results hang on how an input lies to others (multiple eigenvalues, ties of pivots)
more than any bound says, and those that other ops cannot read; their own tests draw what is well
posed."""
NAMES = tuple(
    name
    for name, op in OPS.items()
    if name not in NEVER_RUN and op.family not in APART and not op.effects
)
FAMILIES = tuple(dict.fromkeys(OPS[name].family for name in NAMES))
_BY_FAMILY = {f: tuple(n for n in NAMES if OPS[n].family == f) for f in FAMILIES}
_INDICES = {"gather": (1,), "scatter": (1,)}


@dataclass(frozen=True)
class RandomGraph:
    """A graph and the domain that the inputs for each of its parameters are drawn from."""

    seed: int
    graph: Graph
    domains: tuple[Domain, ...]

    def inputs(self) -> list[Array]:
        """Arrays for the parameters, in the form that programs take (bf16 as uint16 bits).

        In one graph of five, a few floats are zeros of either sign, infinities and NaN, and a few
        integers the extremes.
        """
        rng = np.random.default_rng([self.seed, 1])
        hostile = rng.integers(5) == 0
        pairs = zip(self.graph.param_types, self.domains, strict=True)
        return [draw_array(rng, type, domain, hostile=hostile) for type, domain in pairs]


def draw_array(rng: Generator, type: TensorType, domain: Domain, *, hostile: bool = False) -> Array:
    """An array of the domain's values; with `hostile` one element in twelve is an edge value."""
    dtype, shape = type.dtype, type.shape
    if dtype.is_bool:
        return np.asarray(rng.integers(0, 2, shape)).astype(bool)
    if dtype.is_integer:
        limits = np.iinfo(dtype.numpy)
        low, high = max(domain.int_low, limits.min), min(domain.int_high, limits.max)
        whole = np.asarray(rng.integers(low, high + 1, shape)).astype(dtype.numpy)
        edges = np.array([limits.min, limits.max, 0, 1], object).astype(dtype.numpy)
    else:
        real = np.asarray(rng.uniform(domain.low, domain.high, shape))
        narrow = np.float32 if dtype is bf16 else dtype.numpy
        whole = real.astype(narrow)
        edges = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan]).astype(narrow)
    if hostile:
        chosen = np.asarray(rng.integers(0, 12, shape)) == 0
        whole = np.where(chosen, rng.choice(edges, shape), whole)
    return np.asarray(bf16_bits(whole) if dtype is bf16 else whole)


def random_graph(seed: int, families: tuple[str, str] | None = None, steps: int = 0) -> RandomGraph:
    """The random graph of a seed; of `families` the second reads results of the first.

    `steps` ops are drawn (6 to 12 where it is 0); converting and fitting operands adds more. Some
    come from the table in turn, so that consecutive seeds draw every op.
    """
    rng = np.random.default_rng(seed)
    maker = Maker(rng, Builder(name=f"random{seed}"))
    for _ in range(int(rng.integers(1, 4))):
        maker.fresh(maker.draw_type())
    for step in range(steps or int(rng.integers(6, 13))):
        if families is not None:
            maker.add_op(pick_op(rng, families[step % 2]), newest=step % 2 == 1)
            continue
        maker.add_op(NAMES[(5 * seed + step) % len(NAMES)] if step % 3 else pick_op(rng))
        if step % 2:
            names = _BY_FAMILY["elementwise"]
            maker.add_op(names[(7 * seed + step // 2) % len(names)])
    return RandomGraph(seed, maker.close(all_ends=families is not None), tuple(maker.domains))


def pick_op(rng: Generator, family: str | None = None) -> str:
    """Any op of the family; without one, of any family or just any op."""
    if family is None and rng.integers(2):
        family = draws.pick(rng, FAMILIES)
    return str(draws.pick(rng, _BY_FAMILY[family] if family else NAMES))


def ops_of(graph: Graph) -> list[str]:
    """The ops of all nodes, those of bodies too."""
    return [node.op for inner in graph.walk() for node in inner.nodes]


def pairs_of(graph: Graph) -> set[tuple[str, str]]:
    """The (family of the producer, family of the reader) of all operands, in bodies too."""
    return {
        (OPS[value.op].family, OPS[node.op].family)
        for inner in graph.walk()
        for node in inner.nodes
        for value in node.inputs
        if value.op != "param"
    }


@contextmanager
def shapes_drawn(shapes: Sequence[Shape]) -> Iterator[None]:
    """Examples are drawn with these shapes while the context lasts."""
    before, draws.SHAPES = draws.SHAPES, tuple(shapes)
    try:
        yield
    finally:
        draws.SHAPES = before


class Maker:
    """A graph (or a body, which has no parameters of its own making) under construction."""

    def __init__(self, rng: Generator, builder: Builder, depth: int = 0) -> None:
        self.rng = rng
        self.b = builder
        self.depth = depth
        self.pool: list[Value] = []
        self.domains: list[Domain] = []

    # -- types and leaves -------------------------------------------------------------------
    def draw_shape(self) -> Shape:
        """Rank 0 to 5; sizes 0, 1, few, or across the width of a vector."""
        rank = int(self.rng.choice([0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5]))
        while True:
            sizes = [self._size(rank) for _ in range(rank)]
            if np.prod(sizes, dtype=np.int64) <= LARGEST:
                return tuple(sizes)

    def _size(self, rank: int) -> int:
        kind = self.rng.integers(20)
        if kind == 0:
            return 0
        if kind <= 3:
            return 1
        high = 71 if kind <= 10 and rank <= 2 else 20 if kind <= 12 and rank <= 3 else 6
        return int(self.rng.integers(1, high))

    def draw_type(self) -> TensorType:
        """Any dtype, floats more often."""
        dtypes = FLOATS if self.rng.integers(2) else REAL
        return TensorType(self.draw_shape(), draws.pick(self.rng, dtypes))

    def fresh(self, type: TensorType, domain: Domain | None = None) -> Value:
        """A value that depends on no other: a parameter, in a body a constant or a ramp."""
        domain = domain or Domain()
        if self.depth == 0:
            self.domains.append(domain)
            value = self.b.param(type)
        elif type.rank and not type.dtype.is_bool and self.rng.integers(2):
            axis = int(self.rng.integers(type.rank))
            value = OPS["iota"](self.b, shape=type.shape, axis=axis, dtype=type.dtype)
        else:
            scalar = draw_array(self.rng, TensorType((), i32), Domain(int_low=0, int_high=3))
            value = constant(self.b, int(scalar), type.dtype, type.shape)
        self.pool.append(value)
        return value

    def pick(self) -> str:
        """An op for a body."""
        return pick_op(self.rng)

    # -- operands ---------------------------------------------------------------------------
    def choose(self, type: TensorType) -> Value:
        """A value to fit to `type`: rather one of that type or dtype, and rather a new one."""
        if not self.pool or self.rng.integers(8) == 0:
            return self.fresh(type)
        tests: list[Callable[[Value], bool]] = [
            lambda v: v.type == type,
            lambda v: v.type.dtype is type.dtype,
            lambda v: True,
        ]
        for fits in tests:
            found = [v for v in self.pool if fits(v)]
            if found and (self.rng.integers(3) or fits is tests[-1]):
                recent = found[-4:] if self.rng.integers(2) else found
                return draws.pick(self.rng, recent)  # type: ignore[no-any-return]
        raise AssertionError("the pool is not empty")

    def fit(self, value: Value, type: TensorType) -> Value:
        """`value` as `type`: converted, then broadcast, or cut or repeated and reshaped."""
        b = self.b
        if value.type.dtype is not type.dtype:
            value = self._convert(value, type.dtype)
        if value.shape == type.shape:
            return value
        if value.shape == () or value.type.size == 0 or type.size == 0:
            return self._fit_edge(value, type)
        if len(value.shape) == type.rank and all(
            n in (1, m) for n, m in zip(value.shape, type.shape)
        ):
            axes = tuple(k for k, n in enumerate(value.shape) if n != 1)
            kept = OPS["reshape"](b, value, shape=tuple(value.shape[k] for k in axes))
            return OPS["broadcast"](b, kept, shape=type.shape, axes=axes)
        flat = OPS["reshape"](b, value, shape=(value.type.size,))
        copies = -(-type.size // value.type.size)
        if copies > 6:
            first = OPS["slice"](b, flat, start=(0,), limit=(1,), stride=(1,))
            return self.fit(OPS["reshape"](b, first, shape=()), type)
        if copies > 1:
            flat = OPS["concat"](b, *[flat] * copies, axis=0)
        if flat.type.size > type.size:
            start = int(self.rng.integers(flat.type.size - type.size + 1))
            flat = OPS["slice"](b, flat, start=(start,), limit=(start + type.size,), stride=(1,))
        return OPS["reshape"](b, flat, shape=type.shape)

    def _convert(self, value: Value, dtype: DType) -> Value:
        if dtype is i1 and value.type.dtype.is_float:
            return OPS["less"](self.b, value, constant(self.b, 1, value.type.dtype, value.shape))
        return OPS["convert"](self.b, value, dtype=dtype)

    def _fit_edge(self, value: Value, type: TensorType) -> Value:
        """Scalars are repeated; of what is empty, or shall be, only the scalar type is left."""
        if value.shape != ():
            value = OPS["reduce_any" if type.dtype is i1 else "reduce_max"](
                self.b, value, axes=tuple(range(len(value.shape)))
            )
        return OPS["broadcast"](self.b, value, shape=type.shape, axes=()) if type.rank else value

    def inside(self, value: Value, domain: Domain) -> Value:
        """Mostly the value clamped to a narrow domain, so that not all is NaN or infinite."""
        dtype = value.type.dtype
        plain = domain.low <= Domain.low and domain.high >= Domain.high
        if not dtype.is_float or plain or self.rng.integers(5) == 0:
            return value
        low, high = (constant(self.b, x, dtype, value.shape) for x in (domain.low, domain.high))
        return OPS["minimum"](self.b, OPS["maximum"](self.b, value, low), high)

    # -- ops --------------------------------------------------------------------------------
    def add_op(self, name: str, *, newest: bool = False) -> None:
        """One node of the op (another op's where it finds no operands) and what fits its operands.

        With `newest` it reads the latest value, else rather a recent one.
        """
        for _ in range(DRAWS):
            anchor = None
            if self.pool:
                recent = self.pool[-1:] if newest else self.pool[-5:]
                anchor = draws.pick(self.rng, recent)
            if name in CONTROL:
                self.pool += CONTROL[name](self, anchor)
                return
            example = self.example(name, anchor)
            if example is not None:
                self.pool += self._apply(name, example, anchor, as_is=newest)
                return
            name = name if newest is False else pick_op(self.rng, OPS[name].family)

    def example(self, name: str, anchor: Value | None) -> Example | None:
        """Operand types and attributes; one operand is of the anchor's type, if the op takes it."""
        op = OPS[name]
        assert op.examples is not None
        shapes = [self.draw_shape() for _ in range(3)]
        found: list[Example] = []
        if anchor is not None:
            if name in WIDE and (made := WIDE[name](self.rng, anchor.type)) is not None:
                found = [made]
            else:
                with shapes_drawn([anchor.shape]):
                    found = [e for e in op.examples(self.rng) if anchor.type in e[0]]
        if not found:
            with shapes_drawn(shapes):
                found = op.examples(self.rng)
        found = [e for e in found if all(t.size <= LARGEST for t in (*e[0], *op.infer(*e)))]
        return draws.pick(self.rng, found) if found else None

    def _apply(
        self, name: str, example: Example, anchor: Value | None, *, as_is: bool
    ) -> tuple[Value, ...]:
        """The node; with `as_is` it reads the anchor itself, even out of its domain."""
        types, attrs = example
        places = [k for k, t in enumerate(types) if anchor is not None and t == anchor.type]
        anchored = draws.pick(self.rng, places) if places else None
        operands: list[Value] = []
        for k, type in enumerate(types):
            if k == anchored and anchor is not None:
                value = anchor
            elif k in _INDICES.get(name, ()) and self.rng.integers(2):
                value = self.fresh(type, OPS[name].domain)
            else:
                value = self.fit(self.choose(type), type)
            kept = as_is and value is anchor
            operands.append(value if kept else self.inside(value, OPS[name].domain))
        return OPS[name].many(self.b, *operands, **attrs)

    # -- bodies and results -------------------------------------------------------------------
    def body(
        self, params: Sequence[TensorType], wanted: Sequence[TensorType] | None, name: str = "body"
    ) -> Graph:
        """A random closed Graph; its results have the wanted types (any, where None)."""
        inner = self.__class__(self.rng, Builder(name=name), self.depth + 1)
        inner.pool = [inner.b.param(t) for t in params]
        for _ in range(int(self.rng.integers(1, 4))):
            op = self.pick()
            if op not in CONTROL or self.depth == 0:
                inner.add_op(op)
        if wanted is None:
            count = int(self.rng.integers(1, 3))
            return inner.b.graph([draws.pick(self.rng, inner.pool[-4:]) for _ in range(count)])
        results = []
        for type in wanted:
            value = inner.fit(inner.choose(type), type)
            results.append(inner.inside(value, Domain(-3, 3)))
        return inner.b.graph(results)

    def scalar(self, dtype: DType) -> Value:
        """Some value as a scalar."""
        type = TensorType((), dtype)
        return self.fit(self.choose(type), type)

    def operands(self, anchor: Value | None, most: int) -> list[Value]:
        """The anchor and up to `most` − 1 other values."""
        chosen = [anchor if anchor is not None else self.fresh(self.draw_type())]
        for _ in range(int(self.rng.integers(most))):
            chosen.append(draws.pick(self.rng, self.pool))
        return chosen

    def close(self, *, all_ends: bool = False) -> Graph:
        """The graph whose results are the last value and others, most of them read by no node."""
        read = {v for value in self.pool for v in value.node.inputs}
        ends = [v for v in self.pool[:-1] if v not in read and v.op != "param"]
        results = [v for v in ends if all_ends or self.rng.integers(6)][-8:]
        if self.rng.integers(3) == 0:
            results.append(draws.pick(self.rng, self.pool))
        results.append(self.pool[-1])
        return self.b.graph(results)


# -- control flow with random bodies ----------------------------------------------------------
def _cond(m: Maker, anchor: Value | None) -> tuple[Value, ...]:
    operands = m.operands(anchor, 3)
    types = [v.type for v in operands]
    first = m.body(types, None)
    count = int(m.rng.integers(1, 4))
    others = [m.body(types, first.result_types) for _ in range(count)]
    selector = m.scalar(i1 if count == 1 else i32)
    return OPS["cond"].many(m.b, selector, *operands, branches=(first, *others))


def _while(m: Maker, anchor: Value | None) -> tuple[Value, ...]:
    return _loop(m, anchor, "while")


def _bounded_while(m: Maker, anchor: Value | None) -> tuple[Value, ...]:
    return _loop(m, anchor, "bounded_while", max_steps=int(m.rng.integers(0, 5)))


def _loop(m: Maker, anchor: Value | None, name: str, **bound: int) -> tuple[Value, ...]:
    """Counts to a limit; one loop of two ends early where a carried value says so."""
    operands = m.operands(anchor, 4)
    n_const = int(m.rng.integers(len(operands)))
    counter = constant(m.b, 0, i32)
    limit = int(m.rng.integers(0, 5))
    types = [*(v.type for v in operands[:n_const]), counter.type]
    types += [v.type for v in operands[n_const:]]
    step = m.body(types, types[n_const + 1 :])
    b = Builder(name="body")
    params = [b.param(t) for t in types]
    moved = b.inline(step.results, dict(zip(step.params, params)))
    body = b.graph([OPS["add"](b, params[n_const], constant(b, 1, i32)), *moved])
    b = Builder(name="cond")
    params = [b.param(t) for t in types]
    go_on = OPS["less"](b, params[n_const], constant(b, limit, i32))
    if types[-1].rank == 0 and m.rng.integers(2):
        last = params[-1]
        early = last if last.type.dtype is i1 else OPS["convert"](b, last, dtype=i1)
        go_on = OPS["bit_and"](b, go_on, early)
    attrs = {"cond": b.graph([go_on]), "body": body, "n_const": n_const}
    operands.insert(n_const, counter)
    return OPS[name].many(m.b, *operands, **attrs, **bound)


def _scan(m: Maker, anchor: Value | None) -> tuple[Value, ...]:
    operands = m.operands(anchor, 4)
    n_const = int(m.rng.integers(len(operands)))
    stacked = [v for v in operands[n_const:] if v.shape and v.shape[0] <= 6][:2]
    length = stacked[0].shape[0] if stacked else int(m.rng.integers(0, 5))
    stacked = [v for v in stacked if v.shape[0] == length]
    carry = [v for v in operands[n_const:] if v not in stacked]
    types = [v.type for v in (*operands[:n_const], *carry)]
    types += [TensorType(v.shape[1:], v.type.dtype) for v in stacked]
    rows = [draws.pick(m.rng, types) for _ in range(int(m.rng.integers(3)))]
    body = m.body(types, [*(v.type for v in carry), *rows])
    return OPS["scan"].many(
        m.b, *operands[:n_const], *carry, *stacked, body=body, n_const=n_const,
        n_carry=len(carry), length=length, reverse=bool(m.rng.integers(2)),
    )  # fmt: skip


def _call(m: Maker, anchor: Value | None) -> tuple[Value, ...]:
    operands = m.operands(anchor, 3)
    return OPS["call"].many(
        m.b, *operands, body=m.body([v.type for v in operands], None), name="inner"
    )


def _checkpoint(m: Maker, anchor: Value | None) -> tuple[Value, ...]:
    operands = m.operands(anchor, 3)
    return OPS["checkpoint"].many(m.b, *operands, body=m.body([v.type for v in operands], None))


def _barrier(m: Maker, anchor: Value | None) -> tuple[Value, ...]:
    operands = m.operands(anchor, 3)
    return OPS["barrier"].many(m.b, *operands, n=int(m.rng.integers(1, len(operands) + 1)))


CONTROL: dict[str, Callable[[Maker, Value | None], tuple[Value, ...]]] = {
    "cond": _cond, "while": _while, "scan": _scan, "call": _call, "checkpoint": _checkpoint,
    "barrier": _barrier, "bounded_while": _bounded_while,
}  # fmt: skip
