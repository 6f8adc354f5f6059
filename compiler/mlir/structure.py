"""Functions: records of func, and what all operations with own reading and writing share.

Gives: TABLE, helpers. Must not know: other dialects.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..types import FunctionType, Type
from .attributes import symbol_text
from .define import Table, define
from .ir import Block, Op, Value
from .kinds import STRING, SYMBOL, Holds
from .reader import Reader
from .records import RegionRule, View, pretty_attrs
from .rules import require
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


FUNCTION_RULES = (
    require(
        lambda v: (
            len(v.attr("arg_attrs") or v.attr("function_type").inputs)
            == len(v.attr("function_type").inputs)
        ),
        "arg_attrs has one entry for each argument",
    ),
    require(
        lambda v: (
            len(v.attr("res_attrs") or v.attr("function_type").results)
            == len(v.attr("function_type").results)
        ),
        "res_attrs has one entry for each result",
    ),
)


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
        results = r.listed(result, ")") if r.accept("(") else [(r.type(), {})]
    attrs["function_type"] = FunctionType(tuple(a.type for a in args), tuple(t for t, _ in results))
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
                    r.fail(
                        "a function's body ends with `return`; a declaration has no braces",
                        r.at - 1,
                    )
        return Op("func.func", attrs=attrs, regions=[block])


define(
    TABLE,
    "func.func",
    "",
    "",
    None,
    *FUNCTION_RULES,
    custom=Function(),
    attrs=FUNCTION_ATTRS,
    optional=OPTIONAL_FUNCTION_ATTRS,
    regions=(
        RegionRule(
            lambda v, _: v.attr("function_type").inputs,
            "func.return",
            lambda v, _: v.attr("function_type").results,
            optional=True,
        ),
    ),
    isolated=True,
)
define(
    TABLE,
    "func.call",
    "operands*",
    "results*",
    "attr(callee)(%operands) : functional(operands, results)",
    attrs={"callee": SYMBOL},
)
define(
    TABLE,
    "func.return",
    "operands*",
    "",
    "{dict}(?operands  %operands : type(operands)?)",
    terminator=True,
)
