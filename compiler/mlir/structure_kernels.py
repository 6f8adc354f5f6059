"""linalg.generic, GPU kernels and global constants: records with their own reading and writing.

Gives: TABLE. Must not know: other operations.
"""

from __future__ import annotations

from typing import Any

from ..types import MemRefType, TensorType, Type, element
from .attributes import dense_text, symbol_text
from .define import Table, define
from .ir import AffineMap, Block, Dense, Op, Unit, Value
from .kinds import INTS32, MAPS, NUMBER, STRING, UNIT, WORDS, Holds
from .reader import Reader
from .records import RegionRule, View, pretty_attrs
from .rules import holds, require, shape_of
from .structure import (
    FUNCTION_ATTRS,
    FUNCTION_RULES,
    OPTIONAL_FUNCTION_ATTRS,
    arrow,
    expect_types,
    read_arrow,
    read_attributes,
    read_signature,
    write_attributes,
    write_signature,
)
from .writer import Writer

TABLE: Table = {}


# -- linalg.generic --------------------------------------------------------------------------------
class Generic:
    """`linalg.generic {indexing_maps = […], iterator_types = […]} ins(…) outs(…) { … } -> …`."""

    _head = ("indexing_maps", "iterator_types")

    def write(self, w: Writer, view: View) -> None:
        op = view.op
        head = ", ".join(f"{key} = {w.attr(op.attrs[key])}" for key in self._head)
        w.write(f" {{{head}}}\n{w.indent}    ")
        for word, name in (("ins", "inputs"), ("outs", "outputs")):
            if view.values(name):
                types = ", ".join(map(str, view.types(name)))
                w.write(f"{word}({w.uses(view.values(name))} : {types}) ")
        extra = pretty_attrs(view, frozenset(self._head))
        w.write(f"attrs = {w.dict(extra)} " if extra else "")
        with w.names():
            w.region(op.regions[0], op.name)
        w.write(arrow(view.types("results")))

    def read(self, r: Reader) -> Op:
        at = r.at
        attrs = r.attr_entries()
        for key in self._head:
            if key not in attrs:
                r.fail(f"`linalg.generic` needs {key}", at)
        ins = self._operands(r, "ins")
        outs = self._operands(r, "outs")
        if r.accept("attrs"):
            r.expect("=")
            attrs |= r.attr_entries()
        attrs["operandSegmentSizes"] = (len(ins), len(outs))
        block = r.region()
        return Op("linalg.generic", [*ins, *outs], read_arrow(r), attrs, [block])

    @staticmethod
    def _operands(r: Reader, word: str) -> list[Value]:
        if not r.accept(word):
            return []
        r.expect("(")
        values = r.uses() if r.peek_kind("ssa") else []
        if values:
            r.expect(":")
            at = r.at
            types = [r.type()]
            while r.accept(","):
                types.append(r.type())
            expect_types(r, values, types, at)
        r.expect(")")
        return values


def _generic_maps(view: View) -> str | None:
    """Maps fit the operands, and the operands agree on the size of each dimension."""
    maps: list[AffineMap] = view.attr("indexing_maps")
    count = len(view.attr("iterator_types"))
    if len(maps) != len(view.op.operands):
        return f"{len(maps)} indexing maps for {len(view.op.operands)} operands"
    sizes: dict[int, int] = {}
    for map, value in zip(maps, view.op.operands):
        shape = shape_of(value.type)
        if map.dims != count or len(map.rows) != len(shape):
            return (
                f"an indexing map takes {count} dimensions and gives {len(shape)} for {value.type}"
            )
        for (coefficients, constant), size in zip(map.rows, shape):
            if (
                constant == 0
                and sorted(coefficients)[-1:] == [1]
                and sum(map_abs(coefficients)) == 1
            ):
                dim = coefficients.index(1)
                if sizes.setdefault(dim, size) != size:
                    return f"dimension d{dim} is {sizes[dim]} elsewhere and {size} in {value.type}"
    if len(sizes) != count:
        return "every dimension must be the plain index of some operand"
    return _generic_bounds(maps, view, sizes)


def map_abs(coefficients: tuple[int, ...]) -> list[int]:
    return [abs(c) for c in coefficients]


def _generic_bounds(maps: list[AffineMap], view: View, sizes: dict[int, int]) -> str | None:
    if 0 in sizes.values():
        return None
    for map, value in zip(maps, view.op.operands):
        for (coefficients, constant), size in zip(map.rows, shape_of(value.type)):
            ends = [c * (sizes[d] - 1) for d, c in enumerate(coefficients)]
            low = constant + sum(e for e in ends if e < 0)
            high = constant + sum(e for e in ends if e > 0)
            if low < 0 or high >= size:
                return f"an indexing map reaches {low} to {high}, outside {size} of {value.type}"
    return None


def _tensors(view: View) -> list[Type]:
    return [t for t in view.types("outputs") if isinstance(t, TensorType)]


define(
    TABLE,
    "linalg.generic",
    "inputs* outputs*:buffer",
    "results*:tensor",
    None,
    holds("results", _tensors),
    require(
        lambda v: len(v.values("results")) == len(_tensors(v)), "one result for each output tensor"
    ),
    _generic_maps,
    attrs={"indexing_maps": MAPS, "iterator_types": WORDS, "doc": STRING, "library_call": STRING},
    optional="doc library_call",
    segments="kept",
    custom=Generic(),
    regions=(
        RegionRule(
            lambda v, _: [element(o.type) for o in v.op.operands],
            "linalg.yield",
            lambda v, _: [element(t) for t in v.types("outputs")],
        ),
    ),
)


# -- gpu -------------------------------------------------------------------------------------------
class GpuModule:
    """`gpu.module @kernels { … }`."""

    def write(self, w: Writer, view: View) -> None:
        op = view.op
        w.write(" ", symbol_text(op.attrs["sym_name"]))
        if "targets" in op.attrs:
            w.write(f" {w.attr(op.attrs['targets'])}")
        write_attributes(w, view, ["sym_name", "targets"])
        w.write(" ")
        with w.names(isolated=True):
            w.region(op.regions[0], op.name)

    def read(self, r: Reader) -> Op:
        attrs: dict[str, Any] = {"sym_name": r.symbol()}
        if r.peek("["):
            attrs["targets"] = r.attr()
        read_attributes(r, attrs)
        return Op("gpu.module", attrs=attrs, regions=[r.region(isolated=True)])


define(
    TABLE,
    "gpu.module",
    custom=GpuModule(),
    isolated=True,
    regions=(RegionRule(lambda v, _: []),),
    attrs={"sym_name": STRING, "targets": Holds((list,), "a list")},
    optional="targets",
)


class GpuFunction:
    """`gpu.func @k(%a: f32) workgroup(%s : memref<…, 3>) kernel attributes {…} { … }`."""

    _own = (*FUNCTION_ATTRS, "gpu.kernel", "workgroup_attributions")

    def write(self, w: Writer, view: View) -> None:
        op = view.op
        w.write(" ", symbol_text(op.attrs["sym_name"]))
        with w.names(isolated=True):
            write_signature(w, op)
            rest = op.regions[0].args[len(op.attrs["function_type"].inputs) :]
            shared = view.attr("workgroup_attributions")
            for word, values in (("workgroup", rest[:shared]), ("private", rest[shared:])):
                if values:
                    texts = (f"{w.define_arg(v)} : {v.type}" for v in values)
                    w.write(f" {word}({', '.join(texts)})")
            w.write(" kernel" if "gpu.kernel" in op.attrs else "")
            write_attributes(w, view, self._own)
            w.write(" ")
            w.region(op.regions[0], op.name, label=False)

    def read(self, r: Reader) -> Op:
        attrs: dict[str, Any] = {"sym_name": r.symbol()}
        with r.names(isolated=True):
            args = read_signature(r, attrs)
            for word in ("workgroup", "private"):
                if r.accept(word):
                    r.expect("(")
                    more = r.typed_args()
                    args += more
                    if word == "workgroup" and more:
                        attrs["workgroup_attributions"] = len(more)
            if r.accept("kernel"):
                attrs["gpu.kernel"] = Unit()
            read_attributes(r, attrs)
            r.expect("{")
            block = r.body(Block(args))
        return Op("gpu.func", attrs=attrs, regions=[block])


def _gpu_arguments(view: View, _: int) -> list[Type] | None:
    """The function's inputs, then the buffers of the workgroup and of the thread."""
    inputs = list(view.attr("function_type").inputs)
    return inputs + [a.type for a in view.op.regions[0].args[len(inputs) :]]


define(
    TABLE,
    "gpu.func",
    "",
    "",
    None,
    *FUNCTION_RULES,
    custom=GpuFunction(),
    isolated=True,
    attrs={
        **FUNCTION_ATTRS,
        "gpu.kernel": UNIT,
        "workgroup_attributions": NUMBER,
        "known_block_size": INTS32,
        "known_grid_size": INTS32,
    },
    optional=f"{OPTIONAL_FUNCTION_ATTRS} gpu.kernel workgroup_attributions"
    " known_block_size known_grid_size",
    loose="gpu.kernel sym_name workgroup_attributions",
    defaults={"workgroup_attributions": 0},
    regions=(
        RegionRule(_gpu_arguments, "gpu.return", lambda v, _: v.attr("function_type").results),
    ),
)


# -- memref.global ---------------------------------------------------------------------------------
class Global:
    """`memref.global "private" constant @name : memref<4xf32> = dense<…> {…}`."""

    _own = ("sym_name", "sym_visibility", "constant", "type", "initial_value")

    def write(self, w: Writer, view: View) -> None:
        attrs = view.op.attrs
        visibility = attrs.get("sym_visibility")
        w.write(f" {w.attr(visibility)}" if visibility else "")
        w.write(" constant" if "constant" in attrs else "")
        w.write(f" {symbol_text(attrs['sym_name'])} : {attrs['type']}")
        value = attrs.get("initial_value")
        if value is not None:
            w.write(f" = {dense_text(value) if isinstance(value, Dense) else 'uninitialized'}")
        extra = pretty_attrs(view, frozenset(self._own))
        w.write(f" {w.dict(extra)}" if extra else "")

    def read(self, r: Reader) -> Op:
        visibility = r.string() if r.peek_kind("string") else ""
        constant = r.accept("constant")
        attrs: dict[str, Any] = {"sym_name": r.symbol()}
        r.expect(":")
        at = r.at
        type = r.type()
        if not isinstance(type, MemRefType):
            r.fail(f"a global is a memref, not {type}", at)
        attrs["type"] = type
        if visibility:
            attrs["sym_visibility"] = visibility
        if constant:
            attrs["constant"] = Unit()
        if r.accept("="):
            whole = TensorType(type.shape, type.dtype)
            attrs["initial_value"] = Unit() if r.accept("uninitialized") else r.dense(whole)
        return Op("memref.global", attrs={**attrs, **r.attr_dict()})


def _initial_fits(view: View) -> bool:
    value, type = view.attr("initial_value"), view.attr("type")
    return not isinstance(value, Dense) or value.type == TensorType(type.shape, type.dtype)


define(
    TABLE,
    "memref.global",
    "",
    "",
    None,
    require(_initial_fits, "the initial value does not have the memref's shape and element type"),
    custom=Global(),
    attrs={
        "sym_name": STRING,
        "sym_visibility": STRING,
        "constant": UNIT,
        "alignment": NUMBER,
        "type": Holds((MemRefType,), "a memref type"),
        "initial_value": Holds((Dense, Unit), "dense<…>"),
    },
    optional="sym_visibility constant alignment initial_value",
)
