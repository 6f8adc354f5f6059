"""Structured control flow: records of scf with their own reading and writing.

Gives: TABLE. Must not know: other dialects.
"""

from __future__ import annotations

from typing import Any

from ..types import Type, i1, index
from .define import Table, define
from .ir import Block, Op, Value
from .kinds import INTS
from .reader import Reader
from .records import RegionRule, View, pretty_attrs
from .rules import holds, require, same, types_of
from .structure import (
    arrow,
    expect_types,
    named_args,
    read_arrow,
    read_attributes,
    read_named_inits,
    type_tuple,
)
from .writer import Writer

TABLE: Table = {}


# -- scf -------------------------------------------------------------------------------------------
class For:
    """`scf.for %i = %a to %b step %c iter_args(%x = %y) -> (f32) { … }`."""

    def write(self, w: Writer, view: View) -> None:
        op, body = view.op, view.op.regions[0]
        low, high, step = (w.use(v) for v in op.operands[:3])
        with w.names():
            counter = w.define_arg(body.args[0])
            w.write(f" {counter} = {low} to {high} step {step}")
            if op.results:
                w.write(f" iter_args({named_args(w, body.args[1:], view.values('inits'))})")
                w.write(arrow(view.types("results"), always_tuple=True))
            if body.args[0].type is not index:
                w.write(f" : {body.args[0].type}")
            w.write(" ")
            w.region(body, op.name, label=False, drop="scf.yield")
        extra = pretty_attrs(view)
        w.write(f" {w.dict(extra)}" if extra else "")

    def read(self, r: Reader) -> Op:
        counter = r.name()
        r.expect("=")
        bounds = [r.use()]
        for word in ("to", "step"):
            r.expect(word)
            bounds.append(r.use())
        names: list[tuple[str, int]] = []
        inits: list[Value] = []
        types: list[Type] = []
        at = r.at
        if r.accept("iter_args"):
            names, inits = read_named_inits(r)
            r.expect("->")
            types = r.result_types()
            expect_types(r, inits, types, at)
        type = r.type() if r.accept(":") else index
        r.expect("{")
        with r.names():
            block = Block([r.define_arg(n, t) for n, t in zip([counter, *names], [type, *types])])
            r.body(block, end="" if types else "scf.yield")
        return Op("scf.for", [*bounds, *inits], types, r.attr_dict(), [block])


def _init_types(view: View, _: int) -> list[Type]:
    return view.types("inits")


def _result_types(view: View, _: int) -> list[Type]:
    return view.types("results")


define(
    TABLE,
    "scf.for",
    "lower:int upper:int step:int inits*",
    "results*",
    None,
    same("lower", "upper", "step"),
    holds("results", types_of("inits")),
    require(
        lambda v: len(v.values("results")) == len(v.values("inits")),
        "as many results as initial values",
    ),
    custom=For(),
    regions=(
        RegionRule(lambda v, _: [v.type("lower"), *v.types("inits")], "scf.yield", _init_types),
    ),
)


class If:
    """`scf.if %c -> (f32) { … } else { … }`."""

    def write(self, w: Writer, view: View) -> None:
        op = view.op
        w.write(f" {w.use(op.operands[0])}", arrow(view.types("results"), always_tuple=True), " ")
        drop = "" if op.results else "scf.yield"
        with w.names():
            w.region(op.regions[0], op.name, drop=drop)
        if len(op.regions) > 1 and op.regions[1].ops:
            w.write(" else ")
            with w.names():
                w.region(op.regions[1], op.name, drop=drop)
        extra = pretty_attrs(view)
        w.write(f" {w.dict(extra)}" if extra else "")

    def read(self, r: Reader) -> Op:
        condition = r.use()
        types = read_arrow(r)
        end = "" if types else "scf.yield"
        regions = [r.region(end=end), r.region(end=end) if r.accept("else") else Block()]
        return Op("scf.if", [condition], types, r.attr_dict(), regions)


define(
    TABLE,
    "scf.if",
    "condition:i1",
    "results*",
    None,
    require(
        lambda v: not v.values("results") or (len(v.op.regions) == 2 and bool(v.op.regions[1].ops)),
        "an `scf.if` with results has an `else`",
    ),
    custom=If(),
    regions=(
        RegionRule(lambda v, _: [], "scf.yield", _result_types),
        RegionRule(lambda v, _: [], "scf.yield", _result_types, optional=True),
    ),
)


class While:
    """`scf.while (%a = %x) : (f32) -> f32 { … } do { ^bb0(…): … }`."""

    def write(self, w: Writer, view: View) -> None:
        op = view.op
        with w.names():
            before = op.regions[0]
            w.write(f" ({named_args(w, before.args, op.operands)})" if op.operands else "")
            outs = view.types("results")
            right = str(outs[0]) if len(outs) == 1 else type_tuple(outs)
            w.write(f" : {type_tuple(view.types('inits'))} -> {right} ")
            w.region(before, op.name, label=False)
        w.write(" do ")
        with w.names():
            w.region(op.regions[1], op.name)
        extra = pretty_attrs(view)
        w.write(f" attributes {w.dict(extra)}" if extra else "")

    def read(self, r: Reader) -> Op:
        names, inits = read_named_inits(r) if r.peek("(") else ([], [])
        r.expect(":")
        at = r.at
        type = r.function_type()
        expect_types(r, inits, type.inputs, at)
        r.expect("{")
        with r.names():
            before = Block([r.define_arg(n, t) for n, t in zip(names, type.inputs)])
            r.body(before)
        r.expect("do")
        regions = [before, r.region(end="" if type.inputs else "scf.yield")]
        attrs: dict[str, Any] = {}
        read_attributes(r, attrs)
        return Op("scf.while", inits, type.results, attrs, regions)


define(
    TABLE,
    "scf.while",
    "inits*",
    "results*",
    custom=While(),
    regions=(
        RegionRule(_init_types, "scf.condition", lambda v, _: [i1, *v.types("results")]),
        RegionRule(_result_types, "scf.yield", _init_types),
    ),
)
define(
    TABLE,
    "scf.condition",
    "condition:i1 args*",
    "",
    "(%condition){dict}(?args  %args : type(args)?)",
    terminator=True,
)
define(
    TABLE,
    "scf.yield",
    "results*",
    "",
    "{dict}(?results  %results : type(results)?)",
    terminator=True,
)


class Parallel:
    """`scf.parallel (%i) = (%a) to (%b) step (%c) init (%x) -> f32 { … scf.reduce … }`."""

    def write(self, w: Writer, view: View) -> None:
        op = view.op
        bounds = [w.uses(view.values(n)) for n in ("lower", "upper", "step")]
        inits = w.uses(view.values("inits"))
        with w.names():
            counters = ", ".join(map(w.define_arg, op.regions[0].args))
            w.write(f" ({counters}) = ({bounds[0]}) to ({bounds[1]}) step ({bounds[2]})")
            w.write(f" init ({inits})" if inits else "", arrow(view.types("results")), " ")
            w.region(op.regions[0], op.name, label=False)
        extra = pretty_attrs(view)
        w.write(f" {w.dict(extra)}" if extra else "")

    def read(self, r: Reader) -> Op:
        r.expect("(")
        counters = r.listed(r.name, ")")
        r.expect("=")
        operands = self._uses(r)
        for word in ("to", "step"):
            r.expect(word)
            at = r.at
            bounds = self._uses(r)
            if len(bounds) != len(counters):
                r.fail(f"{len(bounds)} values for {len(counters)} loop counters", at)
            operands += bounds
        operands += self._uses(r) if r.accept("init") else []
        types = read_arrow(r)
        r.expect("{")
        with r.names():
            block = Block([r.define_arg(n, index) for n in counters])
            r.body(block, end="" if types else "scf.reduce")
        return Op("scf.parallel", operands, types, r.attr_dict(), [block])

    @staticmethod
    def _uses(r: Reader) -> list[Value]:
        r.expect("(")
        return r.listed(r.use, ")")


def _axes(view: View) -> int:
    return (len(view.op.operands) - len(view.op.results)) // 3


define(
    TABLE,
    "scf.parallel",
    "lower*:index upper*:index step*:index inits*",
    "results*",
    None,
    holds("results", types_of("inits")),
    counts={"lower": _axes, "upper": _axes, "step": _axes},
    segments="derived",
    custom=Parallel(),
    regions=(RegionRule(lambda v, _: [index] * _axes(v), "scf.reduce", _init_types),),
)


class Reduce:
    """`scf.reduce(%a : f32) { ^bb0(%x: f32, %y: f32): … scf.reduce.return %z : f32 }`."""

    def write(self, w: Writer, view: View) -> None:
        op = view.op
        if op.operands:
            w.write(f"({w.uses(op.operands)} : {', '.join(str(v.type) for v in op.operands)}) ")
        for i, block in enumerate(op.regions):
            w.write(", " if i else "")
            with w.names():
                w.region(block, op.name)

    def read(self, r: Reader) -> Op:
        operands: list[Value] = []
        if r.accept("("):
            operands = r.uses()
            r.expect(":")
            at = r.at
            expect_types(r, operands, r.listed(r.type, ")"), at)
        regions: list[Block] = []
        while len(regions) < len(operands):
            if regions:
                r.expect(",")
            regions.append(r.region())
        return Op("scf.reduce", operands, regions=regions)


def _pair(view: View, number: int) -> list[Type]:
    return [view.op.operands[number].type] * 2


define(
    TABLE,
    "scf.reduce",
    "operands*",
    "",
    None,
    require(lambda v: len(v.op.regions) == len(v.op.operands), "one region for each operand"),
    custom=Reduce(),
    terminator=True,
    more_regions=True,
    regions=(RegionRule(_pair, "scf.reduce.return", lambda v, n: _pair(v, n)[:1]),),
)
define(TABLE, "scf.reduce.return", "result", "", "%result : type(result)", terminator=True)


class Switch:
    """`scf.index_switch %i -> f32 case 2 { … } default { … }`; the default is region 0."""

    def write(self, w: Writer, view: View) -> None:
        op = view.op
        w.write(f" {w.use(op.operands[0])}")
        extra = pretty_attrs(view, frozenset(["cases"]))
        types = ", ".join(map(str, view.types("results")))  # upstream has no parentheses here
        w.write(f" {w.dict(extra)}" if extra else "", f" -> {types}" if types else "")
        heads = [*(f"case {n}" for n in op.attrs["cases"]), "default"]
        drop = "" if op.results else "scf.yield"
        for head, block in zip(heads, [*op.regions[1:], op.regions[0]]):
            w.write("\n", w.indent, head, " ")
            with w.names():
                w.region(block, op.name, drop=drop)

    def read(self, r: Reader) -> Op:
        operand = r.use()
        attrs = r.attr_dict()
        types = read_arrow(r)
        while types and r.accept(","):
            types.append(r.type())
        end = "" if types else "scf.yield"
        cases, regions = [], []
        while r.accept("case"):
            cases.append(r.integer())
            regions.append(r.region(end=end))
        r.expect("default")
        regions.insert(0, r.region(end=end))
        return Op("scf.index_switch", [operand], types, {"cases": tuple(cases), **attrs}, regions)


define(
    TABLE,
    "scf.index_switch",
    "arg:index",
    "results*",
    None,
    require(
        lambda v: len(v.op.regions) == len(v.attr("cases")) + 1,
        "a region for each case and the default",
    ),
    require(lambda v: len(set(v.attr("cases"))) == len(v.attr("cases")), "a case is given twice"),
    attrs={"cases": INTS},
    custom=Switch(),
    more_regions=True,
    regions=(RegionRule(lambda v, _: [], "scf.yield", _result_types),),
)
