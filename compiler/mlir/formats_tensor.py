"""Records of the dialects tensor and linalg, but linalg.generic (see structure_linalg.py).

Gives: TABLE. Must not know: printing, parsing.
"""

from __future__ import annotations

from ..types import element, index
from .define import Table, define
from .forms import RegionRule, View
from .kinds import INTS, NUMBER, UNIT, IntList
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
    type_of,
)
from .shapes import REASSOCIATES, SLICES, slice_fits

TABLE: Table = {}

define(
    TABLE, "tensor.empty", "dynamicSizes*:index", "result:tensor", "(%dynamicSizes) : type(result)",
    require(lambda v: not v.op.operands, "a tensor of static shape takes no operands"),
    example="| %0 = tensor.empty() : tensor<4x8xf32>; %1 = tensor.empty() : tensor<f32>",
)  # fmt: skip
define(
    TABLE, "tensor.extract", "tensor:tensor indices*:index", "result",
    "%tensor[%indices] : type(tensor)", indexed("tensor", "indices"),
    infer={"result": element_of("tensor")},
    example="t: tensor<4x8xf32>, s: tensor<i1>, i: index | %0 = tensor.extract %t[%i, %i] : tensor<4x8xf32>;"
    " %1 = tensor.extract %s[] : tensor<i1>",
)  # fmt: skip
define(
    TABLE, "tensor.insert", "scalar dest:tensor indices*:index", "result:tensor",
    "%scalar into %dest[%indices] : type(dest)",
    indexed("dest", "indices"), holds("scalar", element_of("dest")), infer={"result": type_of("dest")},
    example="x: f32, t: tensor<4x8xf32>, i: index | %0 = tensor.insert %x into %t[%i, %i] : tensor<4x8xf32>",
)  # fmt: skip
_WINDOW = (
    "mixed(offsets, static_offsets) mixed(sizes, static_sizes) mixed(strides, static_strides)"
)
define(
    TABLE, "tensor.extract_slice", "source:tensor offsets*:index sizes*:index strides*:index",
    "result:tensor", f"%source{_WINDOW} : type(source) to type(result)",
    same_element("source", "result"),
    require(lambda v: slice_fits(v, "source", "result"), "the window does not fit {source} and {result}"),
    **SLICES,
    example="t: tensor<8x16xf32>, i: index |"
    " %0 = tensor.extract_slice %t[0, 2] [4, 4] [1, 2] : tensor<8x16xf32> to tensor<4x4xf32>;"
    " %1 = tensor.extract_slice %t[%i, 0] [1, 16] [1, 1] : tensor<8x16xf32> to tensor<16xf32>",
)  # fmt: skip
define(
    TABLE, "tensor.insert_slice",
    "source:tensor dest:tensor offsets*:index sizes*:index strides*:index", "result:tensor",
    f"%source into %dest{_WINDOW} : type(source) into type(dest)",
    same_element("source", "dest"),
    require(lambda v: slice_fits(v, "dest", "source"), "the window does not fit {source} and {dest}"),
    infer={"result": type_of("dest")}, **SLICES,
    example="s: tensor<4x4xf32>, t: tensor<8x16xf32>, i: index |"
    " %0 = tensor.insert_slice %s into %t[%i, 2] [4, 4] [1, 2] : tensor<4x4xf32> into tensor<8x16xf32>",
)  # fmt: skip
define(
    TABLE, "tensor.expand_shape", "src:tensor output_shape*:index", "result:tensor",
    "%src attr(reassociation) output_shape mixed(output_shape, static_output_shape)"
    " : type(src) into type(result)",
    same_size("src", "result"), *REASSOCIATES("result", "src"),
    require(lambda v: v.attr("static_output_shape") == v.type("result").shape, "output_shape differs from {result}"),
    attrs={"reassociation": IntList(2), "static_output_shape": INTS},
    counts={"output_shape": dynamic_count("static_output_shape")},
    example="m: tensor<8x16xf32>, s: tensor<f32> | %0 = tensor.expand_shape %m [[0, 1], [2]] output_shape [2, 4, 16]"
    " : tensor<8x16xf32> into tensor<2x4x16xf32>;"
    " %1 = tensor.expand_shape %s [] output_shape [1, 1] : tensor<f32> into tensor<1x1xf32>",
)  # fmt: skip
define(
    TABLE, "tensor.collapse_shape", "src:tensor", "result:tensor",
    "%src attr(reassociation) : type(src) into type(result)",
    same_size("src", "result"), *REASSOCIATES("src", "result"),
    attrs={"reassociation": IntList(2)},
    example="m: tensor<8x16xf32>, s: tensor<1x1xf32> | %0 = tensor.collapse_shape %m [[0, 1]] : tensor<8x16xf32> into tensor<128xf32>;"
    " %1 = tensor.collapse_shape %s [] : tensor<1x1xf32> into tensor<f32>",
)  # fmt: skip


def _padded(view: View) -> bool:
    low, high = view.attr("static_low"), view.attr("static_high")
    before, after = view.type("source").shape, view.type("result").shape
    if not len(low) == len(high) == len(before) == len(after):
        return False
    dynamic = -(1 << 63)
    return all(
        dynamic in (a, b) or n + a + b == m for a, b, n, m in zip(low, high, before, after)
    )


define(
    TABLE, "tensor.pad", "source:tensor low*:index high*:index", "result:tensor",
    "%source(?nofold  nofold?) lowmixed(low, static_low) highmixed(high, static_high) {region}"
    " : type(source) to type(result)",
    same_element("source", "result"),
    require(_padded, "the padding does not make {result} of {source}"),
    attrs={"static_low": INTS, "static_high": INTS, "nofold": UNIT}, optional="nofold",
    counts={"low": dynamic_count("static_low"), "high": dynamic_count("static_high")},
    regions=(RegionRule(
        lambda v, _: [index] * rank_of(v.type("result")), "tensor.yield",
        lambda v, _: [element(v.type("result"))]),),
    segments="derived",
    example="t: tensor<8x16xf32>, x: f32 | %0 = tensor.pad %t low[0, 1] high[2, 3] {\n^bb0(%i: index, %j: index):\n"
    "  tensor.yield %x : f32\n} : tensor<8x16xf32> to tensor<10x20xf32>",
)  # fmt: skip
define(
    TABLE, "tensor.splat", "input", "aggregate:tensor", "%input : type(aggregate)",
    holds("input", element_of("aggregate")),
    example="x: f32 | %0 = tensor.splat %x : tensor<4x8xf32>",
)  # fmt: skip
define(
    TABLE, "tensor.from_elements", "elements*", "result:tensor", "%elements : type(result)",
    holds("elements", lambda v: [v.type("result").dtype] * v.type("result").size),
    require(lambda v: len(v.values("elements")) == v.type("result").size, "one operand for each element of {result}"),
    example="x: f32 | %0 = tensor.from_elements %x, %x : tensor<2xf32>; %1 = tensor.from_elements %x : tensor<f32>",
)  # fmt: skip
define(
    TABLE, "tensor.generate", "dynamicExtents*:index", "result:tensor",
    "%dynamicExtents {region} : type(result)",
    require(lambda v: not v.op.operands, "a tensor of static shape takes no operands"),
    regions=(RegionRule(
        lambda v, _: [index] * rank_of(v.type("result")), "tensor.yield",
        lambda v, _: [element(v.type("result"))]),),
    example="x: f32 | %0 = tensor.generate {\n^bb0(%i: index, %j: index):\n"
    "  tensor.yield %x : f32\n} : tensor<4x8xf32>",
)  # fmt: skip
define(TABLE, "tensor.yield", "value", "", "%value : type(value)", terminator=True)
define(
    TABLE, "tensor.dim", "source:tensor index:index", "result:index", "%source, %index : type(source)",
    infer={"result": type_of("index")},
    example="t: tensor<8xf32>, i: index | %0 = tensor.dim %t, %i : tensor<8xf32>",
)  # fmt: skip
define(
    TABLE, "tensor.cast", "source:tensor", "dest:tensor", "%source : type(source) to type(dest)",
    same_shape("source", "dest"), same_element("source", "dest"),
    example="t: tensor<8xf32> | %0 = tensor.cast %t : tensor<8xf32> to tensor<8xf32>",
)  # fmt: skip

# -- linalg ----------------------------------------------------------------------------------------
define(
    TABLE, "linalg.fill", "inputs:scalar outputs:buffer", "results*:tensor",
    "{dict} ins(%inputs : type(inputs)) outs(%outputs : type(outputs))(?results  -> type(results)?)",
    holds("inputs", element_of("outputs")),
    segments="derived", hidden_region=True,
    example="x: f32, t: tensor<8x16xf32>, m: memref<8xf32> |"
    " %0 = linalg.fill ins(%x : f32) outs(%t : tensor<8x16xf32>) -> tensor<8x16xf32>;"
    " linalg.fill ins(%x : f32) outs(%m : memref<8xf32>)",
)  # fmt: skip
define(
    TABLE, "linalg.yield", "values*", "", "{dict}(?values  %values : type(values)?)", terminator=True,
)  # fmt: skip
define(
    TABLE, "linalg.index", "", "result:index", "attr(dim) : type(result)", attrs={"dim": NUMBER},
)  # fmt: skip
