"""Checks a module: values defined before use, types, terminators, regions, symbols.

Takes: a Module. Gives: nothing, or a VerifyError with the operation's text.
Must not know: how text is written or read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from ..errors import VerifyError
from ..types import FunctionType, Type
from .ir import Block, Module, Op, Symbol, Value
from .printer import print_op
from .problems import op_problem, region_rules, terminator_problem
from .records import FormError, Record, RegionRule, View
from .table import RECORDS

_SHOWN_LINES = 12


def verify(module: Module) -> None:
    """Raises VerifyError for the first operation that breaks a rule; the message has its text.

    Operations outside the table must be `lz.…`; their regions are closed (use only their own
    arguments and values), which is checked too.
    """
    table = _symbols(module.ops)
    visible: set[Value] = set()
    for op in module.ops:
        _verify_op(op, visible, [table], ())


def _fail(op: Op, message: str) -> NoReturn:
    try:
        lines = print_op(op).split("\n")
    except TypeError:  # an attribute that is none; the message names it
        lines = [op.name]
    if len(lines) > _SHOWN_LINES:
        lines = [*lines[: _SHOWN_LINES - 1], f"… ({len(lines) - _SHOWN_LINES + 1} more lines)"]
    text = "\n  ".join(lines)
    raise VerifyError(f"{op.name}: {message}\n  {text}", op.locs[0] if op.locs else None)


def _symbols(ops: Sequence[Op]) -> dict[str, Op]:
    """Functions and globals by name; those of a gpu.module as `module::name`."""
    table: dict[str, Op] = {}
    for op in ops:
        name = op.attrs.get("sym_name")
        if not isinstance(name, str):
            continue
        if name in table:
            _fail(op, f"@{name} is defined twice")
        table[name] = op
        if op.name == "gpu.module":
            table |= {f"{name}::{k}": v for k, v in _symbols(op.regions[0].ops).items()}
    return table


def _verify_op(
    op: Op, visible: set[Value], tables: list[dict[str, Op]], parents: tuple[str, ...]
) -> None:
    """`visible`: values that may be used; results are added. `parents`: names, innermost last."""
    for i, operand in enumerate(op.operands):
        if operand not in visible:
            _fail(op, f"operand {i} is not defined before this place")
    record = RECORDS.get(op.name)
    if record is None and not op.name.startswith("lz."):
        _fail(op, "unknown operation; outside the known dialects only lz operations are allowed")
    view = None if record is None else _checked_view(op, record)
    if record is not None and view is not None:
        _verify_symbols(op, view, tables[-1])
        _verify_regions(op, record, view)
    closed = record is None or record.isolated
    inner_tables = [*tables, _symbols(op.regions[0].ops)] if op.name == "gpu.module" else tables
    for block in op.regions:
        inner = set(block.args) if closed else visible | set(block.args)
        for child in block.ops:
            _verify_op(child, inner, inner_tables, (*parents, op.name))
    if not visible.isdisjoint(op.results):
        _fail(op, "a result is defined twice: the operation stands in two places")
    visible.update(op.results)


def _checked_view(op: Op, record: Record) -> View:
    try:
        view = View(record, op)
        problem = op_problem(view)
    except FormError as error:
        _fail(op, str(error))
    if problem:
        _fail(op, problem)
    return view


# -- symbols ---------------------------------------------------------------------------------------
def _signature(op: Op) -> FunctionType | None:
    type = op.attrs.get("function_type")
    return type if isinstance(type, FunctionType) else None


def _verify_symbols(op: Op, view: View, table: dict[str, Op]) -> None:
    check = _REFERENCES.get(op.name)
    if check is None:
        return
    attribute, kind = check
    symbol = op.attrs[attribute]
    assert isinstance(symbol, Symbol)
    target = table.get(symbol.name)
    if target is None or target.name != kind:
        _fail(op, f"@{symbol.name.replace('::', '::@')} is no {kind} of this module")
    _verify_reference(op, view, target)


_REFERENCES = {
    "func.call": ("callee", "func.func"),
    "memref.get_global": ("name", "memref.global"),
    "gpu.launch_func": ("kernel", "gpu.func"),
}
"""Operations that name another: the attribute, and what it must name."""


def _verify_reference(op: Op, view: View, target: Op) -> None:
    """The types of a call, launch or global agree with what it names."""
    if target.name == "memref.global":
        wanted: Sequence[Type] = [target.attrs["type"]]
        found: Sequence[Type] = view.types("result")
        pairs = [("the global", wanted, found)]
    else:
        signature = _signature(target)
        assert signature is not None
        name = "operands" if op.name == "func.call" else "kernelOperands"
        pairs = [("the arguments", signature.inputs, view.types(name))]
        if op.name == "func.call":
            pairs.append(("the results", signature.results, view.types("results")))
    for what, wanted, found in pairs:
        if list(wanted) != list(found):
            _fail(
                op,
                f"{what} of @{target.attrs['sym_name']} are {_tuple(wanted)}, here {_tuple(found)}",
            )


def _tuple(types: Sequence[Type]) -> str:
    return f"({', '.join(map(str, types))})"


# -- regions ---------------------------------------------------------------------------------------
def _verify_regions(op: Op, record: Record, view: View) -> None:
    problem = terminator_problem(record, op)
    if problem:
        _fail(op, problem)
    for number, (rule, block) in enumerate(zip(region_rules(record, op), op.regions)):
        _verify_region(op, view, rule, block, number)


def _verify_region(op: Op, view: View, rule: RegionRule, block: Block, number: int) -> None:
    wanted = rule.args(view, number) if rule.args is not None else None
    found = [a.type for a in block.args]
    if wanted is not None and list(wanted) != found and (block.ops or not rule.optional):
        _fail(op, f"region {number} has arguments {_tuple(found)}, expected {_tuple(wanted)}")
    for child in block.ops[:-1]:
        inner = RECORDS.get(child.name)
        if inner is not None and inner.terminator:
            _fail(child, f"ends a region, but operations follow it in {op.name}")
    if not rule.ends or (rule.optional and not block.ops):
        return
    last = block.ops[-1]
    given = rule.gives(view, number) if rule.gives is not None else None
    types = [v.type for v in last.operands]
    if given is not None and list(given) != types:
        _fail(last, f"gives {_tuple(types)} to {op.name}, expected {_tuple(given)}")
