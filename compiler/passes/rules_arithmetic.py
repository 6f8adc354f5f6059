"""Algebra of elementwise ops, true for floats as they are: −0 is not 0, inf · 0 is NaN.

Gives: RULES. Every rule keeps each result bit for bit (the payload and sign of a NaN aside).
Must not know: the driver.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from ..graph import Value
from ..opdef import OPS
from ..rewrite import Is, Match, Rule, Var, op, uniform
from ..types import DType, bf16, f16, f32, f64, i1

x, y, z, c = Var("x"), Var("y"), Var("z"), Var("c")
add, sub, mul, div, neg, abs_ = (op(n) for n in ("add", "sub", "mul", "div", "neg", "abs"))
bit_and, bit_or, bit_xor, bit_not = (op(f"bit_{n}") for n in ("and", "or", "xor", "not"))
select, equal, not_equal, convert = (op(n) for n in ("select", "equal", "not_equal", "convert"))
stop_gradient, named = op("stop_gradient"), op("named")
zero, one, ones = Is(0), Is(1), Is(-1)


def _whole(m: Match) -> bool:
    """On integers and bools."""
    return not m.root.types[0].dtype.is_inexact


def _signed(m: Match) -> bool:
    """On floats and signed integers."""
    return m.root.types[0].dtype.kind != "uint"


def _inexact(m: Match) -> bool:
    return m.root.types[0].dtype.is_inexact


def from_facts() -> Iterator[Rule]:
    """The rules that records state: units, idempotence, involutions."""
    for name, record in OPS.items():
        make = op(name)
        facts = record.facts
        if facts.unit is not None:
            yield Rule(f"{name}(x, {facts.unit}) = x", make(x, Is(facts.unit)), x)
        if facts.involution:
            yield Rule(f"{name}({name}(x)) = x", make(make(x)), x)
        if facts.idempotent and record.extra.get("operands") == 2:
            yield Rule(f"{name}(x, x) = x", make(x, x), x)
        elif facts.idempotent:
            yield Rule(f"{name}({name}(x)) = {name}(x)", make(make(x)), make(x))


SUMS = (
    Rule("x + 0 = x", add(x, zero), x, _whole),
    Rule("x + (−0) = x", add(x, Is(-0.0)), x, _inexact),
    Rule("x − x = 0", sub(x, x), zero, _whole),
    Rule("x + (−y) = x − y", add(x, neg(y)), sub(x, y)),
    Rule("x − (−y) = x + y", sub(x, neg(y)), add(x, y)),
)
PRODUCTS = (
    Rule("x · 0 = 0", mul(x, zero), zero, _whole),
    Rule("(−x) · (−y) = x · y", mul(neg(x), neg(y)), mul(x, y)),
    Rule("(−x) / (−y) = x / y", div(neg(x), neg(y)), div(x, y), _inexact),
    Rule("|−x| = |x|", abs_(neg(x)), abs_(x), _signed),
    Rule("||x|| = |x|", abs_(abs_(x)), abs_(x)),
    Rule("|x| · |x| = x · x", mul(abs_(x), abs_(x)), mul(x, x)),
)
BITS = (
    Rule("x & 0 = 0", bit_and(x, zero), zero),
    Rule("x & ones = x", bit_and(x, ones), x),
    Rule("x | 0 = x", bit_or(x, zero), x),
    Rule("x | ones = ones", bit_or(x, ones), ones),
    Rule("x ^ 0 = x", bit_xor(x, zero), x),
    Rule("x ^ x = 0", bit_xor(x, x), zero),
    Rule("x << 0 = x", op("shift_left")(x, zero), x),
    Rule("x >> 0 = x", op("shift_right")(x, zero), x),
    Rule("not (x == y) = x != y", bit_not(equal(x, y)), not_equal(x, y)),
    Rule("not (x != y) = x == y", bit_not(not_equal(x, y)), equal(x, y)),
)


def _bools(m: Match) -> bool:
    return m.root.types[0].dtype is i1


SELECTIONS = (
    Rule("c ? x : x = x", select(c, x, x), x),
    Rule("true ? x : y = x", select(ones, x, y), x),
    Rule("false ? x : y = y", select(zero, x, y), y),
    Rule("c ? true : false = c", select(c, ones, zero), c, _bools),
    Rule("not c ? x : y = c ? y : x", select(bit_not(c), x, y), select(c, y, x)),
    Rule("c ? x : (c ? y : z) = c ? x : z", select(c, x, select(c, y, z)), select(c, x, z)),
    Rule("c ? (c ? x : y) : z = c ? x : z", select(c, select(c, x, y), z), select(c, x, z)),
)


# -- division by a power of two ----------------------------------------------------------
def _by_reciprocal(m: Match) -> Value | None:
    """x / c as x · (1/c) where 1/c is exact and neither is subnormal."""
    dtype = m.root.types[0].dtype
    known = uniform(m["c"])
    if known is None or dtype not in (f32, f64):
        return None
    number = float(known)
    if number == 0 or not math.isfinite(number) or abs(math.frexp(number)[0]) != 0.5:
        return None
    tiny, huge = np.finfo(dtype.numpy).tiny, np.finfo(dtype.numpy).max
    if not (tiny <= abs(number) <= huge and tiny <= abs(1 / number) <= huge):
        return None
    scalar = m.builder.number(1 / number, m.root.types[0])
    return m.make("mul", m["x"], scalar)


# -- conversions -------------------------------------------------------------------------
_MANTISSA = {f16: 11, bf16: 8, f32: 24, f64: 53}


def is_exact(source: DType, target: DType) -> bool:
    """Whether every value of `source` is one of `target`, and comes back unchanged."""
    if source is target or source is i1:
        return source is target or target is not i1
    if source.is_integer and target.is_integer:
        room = target.bits - target.is_signed
        return room >= source.bits - source.is_signed and (target.is_signed or not source.is_signed)
    if source.is_integer and target in _MANTISSA:
        return source.bits - source.is_signed <= _MANTISSA[target] and target not in (f16,)
    if source.is_float and target.is_float:
        return target.bits > source.bits
    return False


def _convert_twice(m: Match) -> Value | None:
    """a → b → c as a → c, where b holds every a and c sees no difference."""
    inner = m["x"]
    source, middle = inner.type.dtype, m.node("first").types[0].dtype
    target = m.root.types[0].dtype
    if not is_exact(source, middle):
        return None
    saturates = target.is_integer and middle.is_float and not source.is_float
    if saturates and not is_exact(source, target):
        return None
    return m.make("convert", inner, dtype=target)


CONVERSIONS = (
    Rule("a → a = a", convert(x), lambda m: m["x"] if m["x"].type == m.root.types[0] else None),
    Rule("a → b → c = a → c", convert(convert(x, node="first")), _convert_twice),
    Rule("stop_gradient(x) = x", stop_gradient(x), x),
    Rule("named(x) = x", named(x), x),
)


# -- broadcasts below elementwise ops ----------------------------------------------------
def _lower_rank(name: str) -> Callable[[Match], Value | None]:
    def build(m: Match) -> Value | None:
        """f(broadcast a, broadcast b) = broadcast f(a, b): computed once per distinct element."""
        shape = m.root.types[0].shape
        inner, axes = [], None
        for v in m.root.inputs:
            node = v.node
            if node.op != "broadcast":
                return None
            if uniform(v) is None:
                if axes not in (None, node.attrs["axes"]):
                    return None
                axes = node.attrs["axes"]
            inner.append(v)
        kept = axes if axes is not None else ()
        if len(kept) == len(shape):
            return None
        small = tuple(shape[a] for a in kept)
        operands = [_shrunk(m, v, small, kept) for v in inner]
        value = m.make(name, *operands, **m.attrs())
        return m.make("broadcast", value, shape=shape, axes=kept)

    return build


def _shrunk(m: Match, v: Value, small: tuple[int, ...], kept: tuple[int, ...]) -> Value:
    """The operand of a broadcast, or a constant's broadcast to the smaller shape."""
    source = v.node.inputs[0]
    if v.node.attrs["axes"] == kept:
        return source
    if source.shape != ():
        source = m.make("reshape", source, shape=())
    return m.make("broadcast", source, shape=small, axes=())


def below_broadcasts() -> Iterator[Rule]:
    for name, record in OPS.items():
        if record.family == "elementwise":
            label = f"{name} of broadcasts = broadcast of {name}"
            yield Rule(label, op(name)(), _lower_rank(name), all_of="broadcast")


def rules() -> list[Rule]:
    """All of them, the cheapest to try first."""
    return [
        *from_facts(),
        *SUMS,
        *PRODUCTS,
        Rule("x / 2ⁿ = x · 2⁻ⁿ", div(x, c), _by_reciprocal, lambda m: uniform(m["c"]) is not None),
        *BITS,
        *SELECTIONS,
        *CONVERSIONS,
        *below_broadcasts(),
    ]
