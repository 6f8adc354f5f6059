"""Records of the dialects memref and affine, but memref.global (see structure.py).

Gives: TABLE. Must not know: printing, parsing.
"""

from __future__ import annotations

from typing import Any

from ..types import i8, index
from .define import Table, define
from .ir import AffineMap
from .kinds import BOOL, INTS, MAP, NUMBER, SYMBOL, IntList, choice
from .records import View
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
_ACCESS_FORM: dict[str, Any] = {
    "optional": "nontemporal alignment",
    "defaults": {"nontemporal": False},
}
ATOMIC = choice(
    "addf addi andi assign maximumf maxnumf maxs maxu minimumf minnumf mins minu mulf muli ori xori"
)

for _op in ("alloc", "alloca"):
    define(
        TABLE,
        f"memref.{_op}",
        "dynamicSizes*:index symbolOperands*:index",
        "memref:memref",
        "(%dynamicSizes) : type(memref)",
        require(lambda v: not v.op.operands, "a memref of static shape takes no operands"),
        attrs=ALIGNMENT,
        optional="alignment",
        segments="derived",
        counts={"dynamicSizes": lambda v: 0},
    )
define(
    TABLE,
    "memref.dealloc",
    "memref:memref",
    "",
    "%memref : type(memref)",
)
define(
    TABLE,
    "memref.load",
    "memref:memref indices*:index",
    "result",
    "%memref[%indices] : type(memref)",
    indexed("memref", "indices"),
    attrs=_ACCESS,
    infer={"result": element_of("memref")},
    **_ACCESS_FORM,
)
define(
    TABLE,
    "memref.store",
    "value memref:memref indices*:index",
    "",
    "%value, %memref[%indices] : type(memref)",
    indexed("memref", "indices"),
    holds("value", element_of("memref")),
    attrs=_ACCESS,
    **_ACCESS_FORM,
)
define(
    TABLE,
    "memref.view",
    "source:memref byte_shift:index sizes*:index",
    "result:memref",
    "%source[%byte_shift][%sizes] : type(source) to type(result)",
    require(
        lambda v: v.type("source").dtype is i8 and rank_of(v.type("source")) == 1,
        "the source is a memref<…xi8> of rank 1, not {source}",
    ),
    require(lambda v: not v.values("sizes"), "a memref of static shape takes no sizes"),
)
define(
    TABLE,
    "memref.reinterpret_cast",
    "source:memref offsets*:index sizes*:index strides*:index",
    "result:memref",
    "%source to offset: mixed(offsets, static_offsets), sizes: mixed(sizes, static_sizes),"
    " strides: mixed(strides, static_strides) : type(source) to type(result)",
    same_element("source", "result"),
    require(
        lambda v: v.attr("static_sizes") == v.type("result").shape, "the sizes differ from {result}"
    ),
    **SLICES,
)
define(
    TABLE,
    "memref.subview",
    "source:memref offsets*:index sizes*:index strides*:index",
    "result:memref",
    "%source mixed(offsets, static_offsets) mixed(sizes, static_sizes)"
    " mixed(strides, static_strides) : type(source) to type(result)",
    same_element("source", "result"),
    require(
        lambda v: all(
            len(v.attr(a)) == rank_of(v.type("source"))
            for a in ("static_offsets", "static_sizes", "static_strides")
        ),
        "one offset, size and stride for each dimension of {source}",
    ),
    **SLICES,
)
define(
    TABLE,
    "memref.cast",
    "source:memref",
    "dest:memref",
    "%source : type(source) to type(dest)",
    same_shape("source", "dest"),
    same_element("source", "dest"),
)
define(
    TABLE,
    "memref.copy",
    "source:memref target:memref",
    "",
    "%source, %target : type(source) to type(target)",
    same_shape("source", "target"),
    same_element("source", "target"),
)
define(
    TABLE,
    "memref.dim",
    "source:memref index:index",
    "result:index",
    "%source, %index : type(source)",
    infer={"result": lambda v: v.type("index")},
)
define(
    TABLE,
    "memref.extract_aligned_pointer_as_index",
    "source:memref",
    "aligned_pointer:index",
    "%source : type(source) -> type(aligned_pointer)",
)
define(
    TABLE,
    "memref.get_global",
    "",
    "result:memref",
    "attr(name) : type(result)",
    attrs={"name": SYMBOL},  # its example stands with memref.global
)
define(
    TABLE,
    "memref.expand_shape",
    "src:memref output_shape*:index",
    "result:memref",
    "%src attr(reassociation) output_shape mixed(output_shape, static_output_shape)"
    " : type(src) into type(result)",
    same_size("src", "result"),
    *REASSOCIATES("result", "src"),
    require(
        lambda v: v.attr("static_output_shape") == v.type("result").shape,
        "output_shape differs from {result}",
    ),
    attrs={"reassociation": IntList(2), "static_output_shape": INTS},
    counts={"output_shape": dynamic_count("static_output_shape")},
)
define(
    TABLE,
    "memref.collapse_shape",
    "src:memref",
    "result:memref",
    "%src attr(reassociation) : type(src) into type(result)",
    same_size("src", "result"),
    *REASSOCIATES("src", "result"),
    attrs={"reassociation": IntList(2)},
)
define(
    TABLE,
    "memref.atomic_rmw",
    "value memref:memref indices*:index",
    "result",
    "attr(kind) %value, %memref[%indices] : (type(value), type(memref)) -> type(result)",
    indexed("memref", "indices"),
    holds("value", element_of("memref")),
    holds("result", element_of("memref")),
    require(
        lambda v: (
            v.attr("kind").endswith("f") == v.type("value").is_float or v.attr("kind") == "assign"
        ),
        "this kind does not act on {value}",
    ),
    attrs={"kind": ATOMIC},
)


def _is_index_map(view: View) -> bool:
    map = view.attr("map")
    return isinstance(map, AffineMap) and (map.dims, len(map.rows)) == (len(view.op.operands), 1)


define(
    TABLE,
    "affine.apply",
    "mapOperands*:index",
    "result:index",
    "attr(map)(%mapOperands)",
    require(_is_index_map, "the map has one result and as many dimensions as there are operands"),
    attrs={"map": MAP},
    infer={"result": lambda v: index},
)
