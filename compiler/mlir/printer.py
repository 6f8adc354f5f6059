"""Writes a module as MLIR text: pretty forms for the operations in the table, generic for the rest.

Takes: Module, Op, Type. Gives: text, the same for the same tree.
Must not know: parsing, what operations mean.
"""

from __future__ import annotations

from ..types import Type
from .affine import affine_text
from .attributes import string_text, symbol_text
from .ir import Module, Op
from .kinds import INTS32
from .records import FormError, Record, View
from .structure import type_tuple
from .table import RECORDS, SHORT_NAMES
from .writer import Writer

_LONG_TO_SHORT = {long: short for short, long in SHORT_NAMES.items()}


def print_module(module: Module, *, locations: bool = False, generic: bool = False) -> str:
    """The module's text, ending with a newline. Affine maps are named at its top.

    `locations`: each operation ends with its `loc(…)`. `generic`: upstream's generic form
    throughout, as `mlir-opt --mlir-print-op-generic` prints it.

    >>> from lazir.compiler.mlir.ir import function
    >>> f = function("nothing", [], [])
    >>> f.regions[0].ops.append(Op("func.return"))
    >>> print(print_module(Module([f])), end="")
    func.func @nothing() {
      return
    }
    """
    w = Writer(_write_op, locations=locations, generic=generic)
    if module.attrs:
        attrs = dict(module.attrs)
        name = attrs.pop("sym_name", None)
        w.write("module ", f"{symbol_text(name)} " if name else "")
        w.write(f"attributes {w.dict(attrs)} " if attrs else "", "{\n")
        w.indent = "  "
    for op in module.ops:
        w.write(w.indent)
        _write_op(w, op)
        w.write("\n")
    if module.attrs:
        w.write("}\n")
    aliases = "".join(f"{name} = {affine_text(map)}\n" for map, name in w.maps.items())
    return aliases + w.text()


def print_op(op: Op, *, locations: bool = False, generic: bool = False) -> str:
    """One operation with its regions; affine maps stand in full. No newline at the end."""
    w = Writer(_write_op, locations=locations, aliases=False, generic=generic)
    _write_op(w, op)
    return w.text()


def print_type(type: Type) -> str:
    """`tensor<4x8xf32>`."""
    return str(type)


def _write_op(w: Writer, op: Op) -> None:
    if op.results:
        # Operands are named first, for the case that this operation is printed by itself.
        w.uses(op.operands)
        w.write(w.define_results(op), " = ")
    record = RECORDS.get(op.name)
    if record is None or (w.generic and not record.hidden_region):
        _write_generic(w, op, record)
    else:
        _write_pretty(w, op, record)
    w.write(w.loc(op.locs))


def _write_pretty(w: Writer, op: Op, record: Record) -> None:
    start = len(w.out)
    try:
        view = View(record, op)
        short = _LONG_TO_SHORT.get(op.name) if w.parents[-1:] == ["func.func"] else None
        w.write(short or op.name)
        writer = record.custom or record.form
        assert writer is not None, op.name
        writer.write(w, view)
        return
    except (FormError, KeyError, IndexError, StopIteration, AttributeError, TypeError):
        # A broken operation (a missing attribute, too few operands) is still shown: generically.
        del w.out[start:]
    _write_generic(w, op, None)


def _write_generic(w: Writer, op: Op, record: Record | None) -> None:
    view = None if record is None else View(record, op)
    attrs = dict(op.attrs) if view is None else full_attrs(view)
    w.write(string_text(op.name), f"({w.uses(op.operands)})")
    own = {k: v for k, v in attrs.items() if record is not None and k in record.own_attrs()}
    if own:
        w.write(f" <{w.dict(own)}>")
    _write_regions(w, op, record)
    rest = {k: v for k, v in attrs.items() if k not in own}
    w.write(f" {w.dict(rest)}" if rest else "")
    outs = [r.type for r in op.results]
    right = str(outs[0]) if len(outs) == 1 else type_tuple(outs)
    w.write(f" : {type_tuple([v.type for v in op.operands])} -> {right}")


def _write_regions(w: Writer, op: Op, record: Record | None) -> None:
    if not op.regions:
        return
    w.write(" (")
    for i, block in enumerate(op.regions):
        w.write(", " if i else "")
        with w.names(isolated=record is not None and record.isolated):
            declared = record is not None and not block.ops and op.name == "func.func"
            w.region(block, op.name, label=not declared)
    w.write(")")


def full_attrs(view: View) -> dict[str, object]:
    """All attributes for the generic form: needed defaults and segment sizes written out."""
    attrs: dict[str, object] = {}
    for key, default in view.record.defaults.items():
        if callable(default):
            attrs[key] = view.default(key)
    attrs |= view.op.attrs
    for key, value in attrs.items():
        kind = view.record.attrs.get(key)
        if kind is not None and kind.accepts(value):
            attrs[key] = kind.generic(value)
    if view.record.segments:
        attrs["operandSegmentSizes"] = INTS32.generic(view.segments())
    return attrs
