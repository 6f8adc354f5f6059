"""Records of the dialects memref and affine, but memref.global (see structure.py).

Gives: TABLE. Must not know: printing, parsing.
"""

from __future__ import annotations

from ..types import i8, index
from .define import Table, define
from .forms import View
from .ir import AffineMap
from .kinds import BOOL, INTS, MAP, NUMBER, SYMBOL, IntList, choice
from .rules import (
    dynamic_count,
    element_of,
    holds,
    indexed,
    rank_of,
    require,
    same_element,
    same_shape,
    same_size,
)
from .shapes import REASSOCIATES, SLICES

TABLE: Table = {}

ALIGNMENT = {"alignment": NUMBER}
_ACCESS = {"nontemporal": BOOL, "alignment": NUMBER}
_ACCESS_FORM = {"optional": "nontemporal alignment", "defaults": {"nontemporal": False}}
ATOMIC = choice(
    "addf addi andi assign maximumf maxnumf maxs maxu minimumf minnumf mins minu mulf muli ori xori"
)

for _op in ("alloc", "alloca"):
    define(
        TABLE, f"memref.{_op}", "dynamicSizes*:index symbolOperands*:index", "memref:memref",
        "(%dynamicSizes) : type(memref)",
        require(lambda v: not v.op.operands, "a memref of static shape takes no operands"),
        attrs=ALIGNMENT, optional="alignment", segments="derived",
        counts={"dynamicSizes": lambda v: 0},
        example=f"| %0 = memref.{_op}() : memref<4x8xf32>; %1 = memref.{_op}() {{alignment = 64 : i64}} : memref<f64>;"
        f" %2 = memref.{_op}() : memref<8xi8, 3>",
    )  # fmt: skip
define(
    TABLE, "memref.dealloc", "memref:memref", "", "%memref : type(memref)",
    example="m: memref<4xf32> | memref.dealloc %m : memref<4xf32>",
)  # fmt: skip
define(
    TABLE, "memref.load", "memref:memref indices*:index", "result", "%memref[%indices] : type(memref)",
    indexed("memref", "indices"),
    attrs=_ACCESS, infer={"result": element_of("memref")}, **_ACCESS_FORM,
    example="m: memref<4x8xf32>, s: memref<i8>, i: index | %0 = memref.load %m[%i, %i] : memref<4x8xf32>;"
    " %1 = memref.load %s[] : memref<i8>",
)  # fmt: skip
define(
    TABLE, "memref.store", "value memref:memref indices*:index", "",
    "%value, %memref[%indices] : type(memref)",
    indexed("memref", "indices"), holds("value", element_of("memref")),
    attrs=_ACCESS, **_ACCESS_FORM,
    example="x: f32, m: memref<4x8xf32>, i: index, k: memref<4xf32, strided<[8], offset: 3>> |"
    " memref.store %x, %m[%i, %i] : memref<4x8xf32>;"
    " memref.store %x, %k[%i] : memref<4xf32, strided<[8], offset: 3>>",
)  # fmt: skip
define(
    TABLE, "memref.view", "source:memref byte_shift:index sizes*:index", "result:memref",
    "%source[%byte_shift][%sizes] : type(source) to type(result)",
    require(lambda v: v.type("source").dtype is i8 and rank_of(v.type("source")) == 1,
            "the source is a memref<…xi8> of rank 1, not {source}"),
    require(lambda v: not v.values("sizes"), "a memref of static shape takes no sizes"),
    example="m: memref<64xi8>, i: index | %0 = memref.view %m[%i][] : memref<64xi8> to memref<2x4xf32>",
)  # fmt: skip
define(
    TABLE, "memref.reinterpret_cast",
    "source:memref offsets*:index sizes*:index strides*:index", "result:memref",
    "%source to offset: mixed(offsets, static_offsets), sizes: mixed(sizes, static_sizes),"
    " strides: mixed(strides, static_strides) : type(source) to type(result)",
    same_element("source", "result"),
    require(lambda v: v.attr("static_sizes") == v.type("result").shape, "the sizes differ from {result}"),
    **SLICES,
    example="m: memref<8x16xf32>, i: index | %0 = memref.reinterpret_cast %m to offset: [%i], sizes: [4, 2],"
    " strides: [8, 1] : memref<8x16xf32> to memref<4x2xf32, strided<[8, 1], offset: ?>>",
)  # fmt: skip
define(
    TABLE, "memref.subview", "source:memref offsets*:index sizes*:index strides*:index",
    "result:memref",
    "%source mixed(offsets, static_offsets) mixed(sizes, static_sizes)"
    " mixed(strides, static_strides) : type(source) to type(result)",
    same_element("source", "result"),
    require(lambda v: all(len(v.attr(a)) == rank_of(v.type("source")) for a in
                          ("static_offsets", "static_sizes", "static_strides")),
            "one offset, size and stride for each dimension of {source}"),
    **SLICES,
    example="m: memref<8x16xf32>, i: index |"
    " %0 = memref.subview %m[%i, 0] [4, 4] [1, 1] : memref<8x16xf32> to memref<4x4xf32, strided<[16, 1], offset: ?>>;"
    " %1 = memref.subview %m[2, 3] [1, 4] [1, 2] : memref<8x16xf32> to memref<4xf32, strided<[2], offset: 35>>",
)  # fmt: skip
define(
    TABLE, "memref.cast", "source:memref", "dest:memref", "%source : type(source) to type(dest)",
    same_shape("source", "dest"), same_element("source", "dest"),
    example="m: memref<8xf32> | %0 = memref.cast %m : memref<8xf32> to memref<8xf32, strided<[1], offset: ?>>",
)  # fmt: skip
define(
    TABLE, "memref.copy", "source:memref target:memref", "",
    "%source, %target : type(source) to type(target)",
    same_shape("source", "target"), same_element("source", "target"),
    example="a: memref<8xf32>, b: memref<8xf32> | memref.copy %a, %b : memref<8xf32> to memref<8xf32>",
)  # fmt: skip
define(
    TABLE, "memref.dim", "source:memref index:index", "result:index",
    "%source, %index : type(source)", infer={"result": lambda v: v.type("index")},
    example="m: memref<8xf32>, i: index | %0 = memref.dim %m, %i : memref<8xf32>",
)  # fmt: skip
define(
    TABLE, "memref.get_global", "", "result:memref", "attr(name) : type(result)",
    attrs={"name": SYMBOL},  # its example stands with memref.global
)  # fmt: skip
define(
    TABLE, "memref.expand_shape", "src:memref output_shape*:index", "result:memref",
    "%src attr(reassociation) output_shape mixed(output_shape, static_output_shape)"
    " : type(src) into type(result)",
    same_size("src", "result"), *REASSOCIATES("result", "src"),
    require(lambda v: v.attr("static_output_shape") == v.type("result").shape, "output_shape differs from {result}"),
    attrs={"reassociation": IntList(2), "static_output_shape": INTS},
    counts={"output_shape": dynamic_count("static_output_shape")},
    example="m: memref<8x16xf32> | %0 = memref.expand_shape %m [[0, 1], [2]] output_shape [2, 4, 16]"
    " : memref<8x16xf32> into memref<2x4x16xf32>",
)  # fmt: skip
define(
    TABLE, "memref.collapse_shape", "src:memref", "result:memref",
    "%src attr(reassociation) : type(src) into type(result)",
    same_size("src", "result"), *REASSOCIATES("src", "result"),
    attrs={"reassociation": IntList(2)},
    example="m: memref<8x16xf32> | %0 = memref.collapse_shape %m [[0, 1]] : memref<8x16xf32> into memref<128xf32>",
)  # fmt: skip
define(
    TABLE, "memref.atomic_rmw", "value memref:memref indices*:index", "result",
    "attr(kind) %value, %memref[%indices] : (type(value), type(memref)) -> type(result)",
    indexed("memref", "indices"), holds("value", element_of("memref")),
    holds("result", element_of("memref")),
    require(lambda v: v.attr("kind").endswith("f") == v.type("value").is_float or v.attr("kind") == "assign",
            "this kind does not act on {value}"),
    attrs={"kind": ATOMIC},
    example="x: f32, n: i32, m: memref<8xf32>, k: memref<8xi32>, i: index | " + "; ".join(
        f"%{j} = memref.atomic_rmw {kind} " + (
            "%x, %m[%i] : (f32, memref<8xf32>) -> f32" if kind.endswith("f") or kind == "assign"
            else "%n, %k[%i] : (i32, memref<8xi32>) -> i32")
        for j, kind in enumerate(ATOMIC.words)
    ),
)  # fmt: skip


def _is_index_map(view: View) -> bool:
    map = view.attr("map")
    return isinstance(map, AffineMap) and (map.dims, len(map.rows)) == (len(view.op.operands), 1)


define(
    TABLE, "affine.apply", "mapOperands*:index", "result:index", "attr(map)(%mapOperands)",
    require(_is_index_map, "the map has one result and as many dimensions as there are operands"),
    attrs={"map": MAP}, infer={"result": lambda v: index},
    example="i: index, j: index | %0 = affine.apply affine_map<(d0, d1) -> (d0 * 2 - d1 + 3)>(%i, %j)",
)  # fmt: skip

