"""Functions and structured control flow: records of func and scf with their own reading and writing.

Gives: TABLE. Must not know: other dialects.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..types import FunctionType, Type, i1, index
from .attributes import symbol_text
from .define import Table, define
from .forms import RegionRule, View, pretty_attrs
from .ir import Block, Op, Value
from .kinds import INTS, STRING, SYMBOL, Holds
from .reader import Reader
from .rules import holds, require, same, types_of
from .writer import Writer

TABLE: Table = {}


def type_tuple(types: Sequence[Type]) -> str:
    return f"({', '.join(map(str, types))})"


def arrow(types: Sequence[Type], *, always_tuple: bool = False) -> str:
    """` -> f32`, ` -> (f32, i32)`, nothing without types."""
    if not types:
        return ""
    return f" -> {types[0] if len(types) == 1 and not always_tuple else type_tuple(types)}"


def read_arrow(r: Reader) -> list[Type]:
    return r.result_types() if r.accept("->") else []


def named_args(w: Writer, args: Sequence[Value], inits: Sequence[Value]) -> str:
    """`%a = %x, %b = %y`, defining the names of the arguments."""
    names = [w.use(v) for v in inits]
    return ", ".join(f"{w.define_arg(a)} = {n}" for a, n in zip(args, names))


def read_named_inits(r: Reader) -> tuple[list[tuple[str, int]], list[Value]]:
    """`(%a = %x, %b = %y)`: the names, not yet defined, and the values."""

    def one() -> tuple[tuple[str, int], Value]:
        name = r.name()
        r.expect("=")
        return name, r.use()

    r.expect("(")
    pairs = r.listed(one, ")")
    return [p[0] for p in pairs], [p[1] for p in pairs]


def expect_types(r: Reader, values: Sequence[Value], types: Sequence[Type], at: int) -> None:
    """An error where values do not have the types that the text says."""
    found = [v.type for v in values]
    if found != list(types):
        r.fail(f"the values have types {type_tuple(found)}, the text says {type_tuple(types)}", at)


# -- func ------------------------------------------------------------------------------------------
FUNCTION_ATTRS = {
    "sym_name": STRING,
    "function_type": Holds((FunctionType,), "a function type"),
    "sym_visibility": STRING,
    "arg_attrs": Holds((list,), "a list"),
    "res_attrs": Holds((list,), "a list"),
}
OPTIONAL_FUNCTION_ATTRS = "sym_visibility arg_attrs res_attrs"


def _with_attrs(w: Writer, text: str, attrs: dict[str, Any]) -> str:
    return f"{text} {w.dict(attrs)}" if attrs else text


def write_signature(w: Writer, op: Op, declared: bool = False) -> None:
    """`(%a: f32 {…}, %b: i32) -> f32`, defining the arguments; a declaration has types alone."""
    type: FunctionType = op.attrs["function_type"]
    empty: dict[str, Any] = {}
    arg_attrs = op.attrs.get("arg_attrs") or [empty] * len(type.inputs)
    args = []
    for i, (input, attrs) in enumerate(zip(type.inputs, arg_attrs)):
        name = "" if declared else f"{w.define_arg(op.regions[0].args[i])}: "
        args.append(_with_attrs(w, f"{name}{input}", attrs))
    w.write(f"({', '.join(args)})")
    if "res_attrs" in op.attrs:
        results = zip(type.results, op.attrs["res_attrs"])
        w.write(f" -> ({', '.join(_with_attrs(w, str(t), a) for t, a in results)})")
    else:
        w.write(arrow(type.results))


def read_signature(r: Reader, attrs: dict[str, Any]) -> list[Value]:
    """Reads a signature in a scope that the caller opened; fills `attrs`, gives the arguments."""
    arg_attrs: list[dict[str, Any]] = []
    named: list[bool] = []

    def one() -> Value:
        at = r.at
        named.append(r.peek_kind("ssa"))
        if named[-1] != named[0]:
            r.fail("either all arguments have names or none", at)
        name = r.name() if named[-1] else None
        if name is not None:
            r.expect(":")
        type = r.type()
        value = Value(type) if name is None else r.define_arg(name, type)
        arg_attrs.append(r.attr_dict())
        r.trailing_loc()
        return value

    def result() -> tuple[Type, dict[str, Any]]:
        return r.type(), r.attr_dict()

    r.expect("(")
    args = r.listed(one, ")")
    results: list[tuple[Type, dict[str, Any]]] = []
    if r.accept("->"):
        if r.accept("("):
            results = r.listed(result, ")")
        else:
            results = [(r.type(), {})]
    attrs["function_type"] = FunctionType(
        tuple(a.type for a in args), tuple(t for t, _ in results)
    )
    if any(arg_attrs):
        attrs["arg_attrs"] = arg_attrs
    if any(a for _, a in results):
        attrs["res_attrs"] = [a for _, a in results]
    return args


def write_attributes(w: Writer, view: View, written: Sequence[str]) -> None:
    attrs = pretty_attrs(view, frozenset(written))
    if attrs:
        w.write(f" attributes {w.dict(attrs)}")


def read_attributes(r: Reader, attrs: dict[str, Any]) -> None:
    if r.accept("attributes"):
        at = r.at
        for key, value in r.attr_entries().items():
            if key in attrs:
                r.fail(f"attribute {key} is written elsewhere in this operation", at)
            attrs[key] = value


class Function:
    """`func.func private @f(%a: f32) -> f32 attributes {…} { … }`."""

    def write(self, w: Writer, view: View) -> None:
        op = view.op
        visibility = op.attrs.get("sym_visibility")
        w.write(f" {visibility}" if visibility else "", " ", symbol_text(op.attrs["sym_name"]))
        declared = not op.regions or not op.regions[0].ops
        with w.names(isolated=True):
            write_signature(w, op, declared)
            write_attributes(w, view, list(FUNCTION_ATTRS))
            if not declared:
                w.write(" ")
                w.region(op.regions[0], "func.func", label=False)

    def read(self, r: Reader) -> Op:
        attrs: dict[str, Any] = {}
        visibility = r.word() if r.peek_kind("word") else ""
        if visibility not in ("", "private", "public", "nested"):
            r.fail(f"expected `private`, `public` or `@name`, found `{visibility}`", r.at - 1)
        attrs["sym_name"] = r.symbol()
        with r.names(isolated=True):
            args = read_signature(r, attrs)
            if visibility:
                attrs["sym_visibility"] = visibility
            read_attributes(r, attrs)
            block = Block(args)
            if r.accept("{"):
                r.body(block)
                if not block.ops:
                    r.fail("a function's body ends with `return`; a declaration has no braces", r.at - 1)
        return Op("func.func", attrs=attrs, regions=[block])


define(
    TABLE, "func.func", custom=Function(), attrs=FUNCTION_ATTRS, optional=OPTIONAL_FUNCTION_ATTRS,
    regions=(RegionRule(
        lambda v, _: v.attr("function_type").inputs, "func.return",
        lambda v, _: v.attr("function_type").results, optional=True),),
    isolated=True,
)  # fmt: skip
define(
    TABLE, "func.call", "operands*", "results*", "attr(callee)(%operands) : functional(operands, results)",
    attrs={"callee": SYMBOL},
)  # fmt: skip
define(
    TABLE, "func.return", "operands*", "", "{dict}(?operands  %operands : type(operands)?)", terminator=True,
)  # fmt: skip


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
        names, inits, types = [], [], []
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
    TABLE, "scf.for", "lower:int upper:int step:int inits*", "results*", None,
    same("lower", "upper", "step"), holds("results", types_of("inits")),
    require(lambda v: len(v.values("results")) == len(v.values("inits")), "as many results as initial values"),
    custom=For(),
    regions=(RegionRule(lambda v, _: [v.type("lower"), *v.types("inits")], "scf.yield", _init_types),),
)  # fmt: skip


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
    TABLE, "scf.if", "condition:i1", "results*", None,
    require(lambda v: not v.values("results") or (len(v.op.regions) == 2 and bool(v.op.regions[1].ops)),
            "an `scf.if` with results has an `else`"),
    custom=If(),
    regions=(RegionRule(lambda v, _: [], "scf.yield", _result_types),
             RegionRule(lambda v, _: [], "scf.yield", _result_types, optional=True)),
)  # fmt: skip


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
    TABLE, "scf.while", "inits*", "results*", custom=While(),
    regions=(RegionRule(_init_types, "scf.condition", lambda v, _: [i1, *v.types("results")]),
             RegionRule(_result_types, "scf.yield", _init_types)),
)  # fmt: skip
define(
    TABLE, "scf.condition", "condition:i1 args*", "", "(%condition){dict}(?args  %args : type(args)?)",
    terminator=True,
)  # fmt: skip
define(
    TABLE, "scf.yield", "results*", "", "{dict}(?results  %results : type(results)?)", terminator=True,
)  # fmt: skip


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
    TABLE, "scf.parallel", "lower*:index upper*:index step*:index inits*", "results*", None,
    holds("results", types_of("inits")),
    counts={"lower": _axes, "upper": _axes, "step": _axes}, segments="derived", custom=Parallel(),
    regions=(RegionRule(lambda v, _: [index] * _axes(v), "scf.reduce", _init_types),),
)  # fmt: skip


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
    TABLE, "scf.reduce", "operands*", "", None,
    require(lambda v: len(v.op.regions) == len(v.op.operands), "one region for each operand"),
    custom=Reduce(), terminator=True, more_regions=True,
    regions=(RegionRule(_pair, "scf.reduce.return", lambda v, n: _pair(v, n)[:1]),),
)  # fmt: skip
define(TABLE, "scf.reduce.return", "result", "", "%result : type(result)", terminator=True)


class Switch:
    """`scf.index_switch %i -> f32 case 2 { … } default { … }`; the default is region 0."""

    def write(self, w: Writer, view: View) -> None:
        op = view.op
        w.write(f" {w.use(op.operands[0])}")
        extra = pretty_attrs(view, frozenset(["cases"]))
        w.write(f" {w.dict(extra)}" if extra else "", arrow(view.types("results")))
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
        end = "" if types else "scf.yield"
        cases, regions = [], []
        while r.accept("case"):
            cases.append(r.integer())
            regions.append(r.region(end=end))
        r.expect("default")
        regions.insert(0, r.region(end=end))
        return Op("scf.index_switch", [operand], types, {"cases": tuple(cases), **attrs}, regions)


define(
    TABLE, "scf.index_switch", "arg:index", "results*", None,
    require(lambda v: len(v.op.regions) == len(v.attr("cases")) + 1, "a region for each case and the default"),
    require(lambda v: len(set(v.attr("cases"))) == len(v.attr("cases")), "a case is given twice"),
    attrs={"cases": INTS}, custom=Switch(), more_regions=True,
    regions=(RegionRule(lambda v, _: [], "scf.yield", _result_types),),
)  # fmt: skip
