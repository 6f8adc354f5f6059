"""Reads MLIR text: pretty forms of the operations in the table, the generic form of any operation.

Takes: text. Gives: a Module, or a ParseError that points at the place.
Must not know: what operations mean, where the text came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from ..types import FunctionType, Type
from .ir import Block, Module, Op, Value
from .kinds import INTS32
from .lexer import Source
from .problems import class_problem, op_problem, terminator_problem
from .reader import Reader
from .records import FormError, Parsed, Record, View
from .table import RECORDS, SHORT_NAMES


def parse_module(text: str, filename: str = "<text>") -> Module:
    """The module that a text describes, with or without `module { … }` around it.

    Errors are ParseError: file, line and column, the line with a caret, and what was expected.

    >>> parse_module("func.func private @f(tensor<4xf32>)").ops[0].name
    'func.func'
    """
    reader = Reader(Source(text, filename), _read_op)
    try:
        return _module(reader)
    except RecursionError:
        pass
    reader.fail("nested too deeply")


def _module(r: Reader) -> Module:
    r.skip_aliases()
    if r.peek("module") or r.peek("builtin.module"):
        return _wrapped(r)
    if r.peek_kind("string") and r.token.text == '"builtin.module"':
        op = _read_op(r)
        _at_end(r)
        return Module(op.regions[0].ops if op.regions else [], op.attrs)
    module = Module()
    while r.skip_aliases():
        module.ops.append(_read_op(r))
    return module


def _wrapped(r: Reader) -> Module:
    """`module @name attributes {…} { … }`."""
    r.at += 1
    attrs: dict[str, Any] = {"sym_name": r.symbol()} if r.peek_kind("symbol") else {}
    if r.accept("attributes"):
        attrs |= r.attr_entries()
    block = r.region(isolated=True)
    r.trailing_loc()
    _at_end(r)
    return Module(block.ops, attrs)


def _at_end(r: Reader) -> None:
    if r.skip_aliases():
        r.fail(f"expected the end of the text after the module, found {r.found()}")


def _read_op(r: Reader) -> Op:
    """One operation with its result names and location."""
    names = _result_names(r)
    start = r.at
    token = r.token
    if token.kind == "string":
        op = _generic(r)
    else:
        if token.kind != "word":
            r.fail(f"expected an operation, found {r.found()}")
        r.at += 1
        record = RECORDS.get(SHORT_NAMES.get(token.text, token.text))
        if record is None:
            _unknown(r, token.text, start)
        if record.custom is not None:
            op = record.custom.read(r)
            _finish(r, record, op, start)
        else:
            assert record.form is not None
            op = _assemble(r, record, record.form.read(r), start)
    op.locs = r.trailing_loc()
    _define_results(r, names, op, start)
    if "sym_name" in op.attrs:
        r.define_symbol(op.attrs["sym_name"], start)
    return op


def _unknown(r: Reader, name: str, at: int) -> NoReturn:
    """An error: `name` has no pretty form."""
    dialect = name.partition(".")[0] + "."
    if "." in name and any(known.startswith(dialect) for known in RECORDS):
        r.fail(f"unknown operation `{name}`; other dialects' operations are written in quotes", at)
    r.fail(f"expected an operation, found `{name}`; lz operations are written in quotes", at)


def _result_names(r: Reader) -> list[tuple[str, int, int]]:
    """`%a, %b:2 =`: name, how many results it stands for, token."""
    names: list[tuple[str, int, int]] = []
    while r.peek_kind("ssa"):
        name, at = r.name()
        count = r.integer() if r.accept(":") else 1
        if count < 1:
            r.fail("a name stands for at least one result", at)
        names.append((name, count, at))
        if not r.accept(","):
            r.expect("=")
            return names
    if names:
        r.fail(f"expected another result name, found {r.found()}")
    return names


def _define_results(r: Reader, names: Sequence[tuple[str, int, int]], op: Op, start: int) -> None:
    named = sum(count for _, count, _ in names)
    if names and named != len(op.results):
        r.fail(f"{op.name} has {len(op.results)} results, {named} are named", start)
    at = 0
    for name, count, place in names:
        r.define(name, op.results[at : at + count], place)
        at += count


# -- pretty forms ----------------------------------------------------------------------------------
def _assemble(r: Reader, record: Record, parsed: Parsed, start: int) -> Op:
    """The operation that a form has read; written types must be those of the operands."""
    operands: list[Value] = []
    for slot in record.operands:
        values = parsed.operands.get(slot.name, [])
        operands += values
        written = parsed.types.get(slot.name)
        if written is not None:
            _check_written(r, values, written, parsed.type_places[slot.name])
    attrs = {k: _held(record, k, v) for k, v in parsed.attrs.items()}
    op = Op(record.name, operands, (), attrs, parsed.regions)
    if record.segments:
        op.attrs["operandSegmentSizes"] = tuple(
            len(parsed.operands.get(s.name, [])) for s in record.operands
        )
    view = _view(r, record, op, start, results=False)
    problem = class_problem(view, record.operands)
    if problem:
        r.fail(f"{op.name}: {problem}", start)
    for slot in record.results:
        types = parsed.types.get(slot.name)
        if types is None:
            types = _inferred(record, slot.name, view)
        values = [Value(t) for t in types]
        view.groups[slot.name] = values
        op.results += values
    _finish(r, record, op, start)
    return op


def _inferred(record: Record, name: str, view: View) -> list[Type]:
    """The types that a record gives to results which the form does not write."""
    found = record.infer[name](view) if name in record.infer else None
    if found is None:
        return []
    return list(found) if isinstance(found, (list, tuple)) else [found]


def _check_written(r: Reader, values: Sequence[Value], types: Sequence[Type], at: int) -> None:
    if len(values) != len(types):
        r.fail(f"{len(types)} types are written for {len(values)} values", at)
    for value, type in zip(values, types):
        if value.type != type:
            r.fail(f"the value has type {value.type}, the text says {type}", at)


def _held(record: Record, key: str, value: Any) -> Any:
    kind = INTS32 if key == "operandSegmentSizes" else record.attrs.get(key)
    return value if kind is None else kind.held(value)


def _view(r: Reader, record: Record, op: Op, start: int, *, results: bool = True) -> View:
    try:
        return View(record, op, results=results)
    except (FormError, TypeError, KeyError) as error:
        r.fail(f"{op.name}: {error}", start)


def _finish(r: Reader, record: Record, op: Op, start: int) -> None:
    """Attributes as the tree holds them, defaults left out; then the record's rules."""
    op.attrs = {k: _held(record, k, v) for k, v in op.attrs.items()}
    view = _view(r, record, op, start)
    if record.segments == "derived":
        segments = view.segments()
        op.attrs.pop("operandSegmentSizes", None)
        try:
            derived = View(record, op).segments()
        except FormError:
            derived = ()
        if derived != segments:
            op.attrs["operandSegmentSizes"] = segments
    for key in [k for k, v in op.attrs.items() if view.is_default(k, v)]:
        del op.attrs[key]
    problem = op_problem(view) or terminator_problem(record, op)
    if problem:
        r.fail(f"{op.name}: {problem}", start)


# -- generic form ----------------------------------------------------------------------------------
def _generic(r: Reader) -> Op:
    """`"name"(%a) <{…}> ({ … }) {…} : (types) -> types`."""
    start = r.at
    name = r.string()
    r.expect("(")
    operands = r.listed(r.use, ")")
    attrs: dict[str, Any] = {}
    if r.accept("<"):
        attrs = r.attr_entries()
        r.expect(">")
    record = RECORDS.get(name)
    regions: list[Block] = []
    if r.accept("("):
        isolated = name == "builtin.module" or (record is not None and record.isolated)
        regions.append(r.region(isolated=isolated))
        while r.accept(","):
            regions.append(r.region(isolated=isolated))
        r.expect(")")
    for key, value in r.attr_dict().items():
        if key in attrs:
            r.fail(f"attribute {key} is given twice", start)
        attrs[key] = value
    r.expect(":")
    at = r.at
    type = r.function_type()
    _check_written(r, operands, type.inputs, at)
    op = Op(name, operands, type.results, attrs, regions)
    if record is not None:
        _from_upstream(record, op)
        _finish(r, record, op, start)
    return op


def _from_upstream(record: Record, op: Op) -> None:
    """What upstream's generic form holds and the tree does not."""
    if record.hidden_region:
        op.regions = []
    type = op.attrs.get("function_type")
    if op.name == "func.func" and isinstance(type, FunctionType):
        op.regions = op.regions or [Block()]
        if not op.regions[0].ops:
            op.regions[0].args = [Value(t) for t in type.inputs]
    if op.name == "scf.if" and len(op.regions) == 1:
        op.regions.append(Block())
