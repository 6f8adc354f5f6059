"""Records of the dialects tensor and linalg, but linalg.generic (see structure_linalg.py).

Gives: TABLE. Must not know: printing, parsing.
"""

from __future__ import annotations

from ..types import element, index
from .define import Table, define
from .kinds import INTS, NUMBER, UNIT, IntList
from .records import RegionRule, View
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
    TABLE,
    "tensor.empty",
    "dynamicSizes*:index",
    "result:tensor",
    "(%dynamicSizes) : type(result)",
    require(lambda v: not v.op.operands, "a tensor of static shape takes no operands"),
)
define(
    TABLE,
    "tensor.extract",
    "tensor:tensor indices*:index",
    "result",
    "%tensor[%indices] : type(tensor)",
    indexed("tensor", "indices"),
    infer={"result": element_of("tensor")},
)
define(
    TABLE,
    "tensor.insert",
    "scalar dest:tensor indices*:index",
    "result:tensor",
    "%scalar into %dest[%indices] : type(dest)",
    indexed("dest", "indices"),
    holds("scalar", element_of("dest")),
    infer={"result": type_of("dest")},
)
_WINDOW = "mixed(offsets, static_offsets) mixed(sizes, static_sizes) mixed(strides, static_strides)"
define(
    TABLE,
    "tensor.extract_slice",
    "source:tensor offsets*:index sizes*:index strides*:index",
    "result:tensor",
    f"%source{_WINDOW} : type(source) to type(result)",
    same_element("source", "result"),
    require(
        lambda v: slice_fits(v, "source", "result"), "the window does not fit {source} and {result}"
    ),
    **SLICES,
)
define(
    TABLE,
    "tensor.insert_slice",
    "source:tensor dest:tensor offsets*:index sizes*:index strides*:index",
    "result:tensor",
    f"%source into %dest{_WINDOW} : type(source) into type(dest)",
    same_element("source", "dest"),
    require(
        lambda v: slice_fits(v, "dest", "source"), "the window does not fit {source} and {dest}"
    ),
    infer={"result": type_of("dest")},
    **SLICES,
)
define(
    TABLE,
    "tensor.expand_shape",
    "src:tensor output_shape*:index",
    "result:tensor",
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
    "tensor.collapse_shape",
    "src:tensor",
    "result:tensor",
    "%src attr(reassociation) : type(src) into type(result)",
    same_size("src", "result"),
    *REASSOCIATES("src", "result"),
    attrs={"reassociation": IntList(2)},
)


def _padded(view: View) -> bool:
    low, high = view.attr("static_low"), view.attr("static_high")
    before, after = view.type("source").shape, view.type("result").shape
    if not len(low) == len(high) == len(before) == len(after):
        return False
    dynamic = -(1 << 63)
    return all(dynamic in (a, b) or n + a + b == m for a, b, n, m in zip(low, high, before, after))


define(
    TABLE,
    "tensor.pad",
    "source:tensor low*:index high*:index",
    "result:tensor",
    "%source(?nofold  nofold?) lowmixed(low, static_low) highmixed(high, static_high) {region}"
    " : type(source) to type(result)",
    same_element("source", "result"),
    require(_padded, "the padding does not make {result} of {source}"),
    attrs={"static_low": INTS, "static_high": INTS, "nofold": UNIT},
    optional="nofold",
    counts={"low": dynamic_count("static_low"), "high": dynamic_count("static_high")},
    regions=(
        RegionRule(
            lambda v, _: [index] * rank_of(v.type("result")),
            "tensor.yield",
            lambda v, _: [element(v.type("result"))],
        ),
    ),
    segments="derived",
)
define(
    TABLE,
    "tensor.splat",
    "input",
    "aggregate:tensor",
    "%input : type(aggregate)",
    holds("input", element_of("aggregate")),
)
define(
    TABLE,
    "tensor.from_elements",
    "elements*",
    "result:tensor",
    "%elements : type(result)",
    holds("elements", lambda v: [v.type("result").dtype] * v.type("result").size),
    require(
        lambda v: len(v.values("elements")) == v.type("result").size,
        "one operand for each element of {result}",
    ),
)
define(
    TABLE,
    "tensor.generate",
    "dynamicExtents*:index",
    "result:tensor",
    "%dynamicExtents {region} : type(result)",
    require(lambda v: not v.op.operands, "a tensor of static shape takes no operands"),
    regions=(
        RegionRule(
            lambda v, _: [index] * rank_of(v.type("result")),
            "tensor.yield",
            lambda v, _: [element(v.type("result"))],
        ),
    ),
)
define(TABLE, "tensor.yield", "value", "", "%value : type(value)", terminator=True)
define(
    TABLE,
    "tensor.dim",
    "source:tensor index:index",
    "result:index",
    "%source, %index : type(source)",
    infer={"result": type_of("index")},
)
define(
    TABLE,
    "tensor.cast",
    "source:tensor",
    "dest:tensor",
    "%source : type(source) to type(dest)",
    same_shape("source", "dest"),
    same_element("source", "dest"),
)

# -- linalg ----------------------------------------------------------------------------------------
define(
    TABLE,
    "linalg.fill",
    "inputs:scalar outputs:buffer",
    "results*:tensor",
    "{dict} ins(%inputs : type(inputs)) outs(%outputs : type(outputs))"
    "(?results  -> type(results)?)",
    holds("inputs", element_of("outputs")),
    segments="derived",
    hidden_region=True,
)
define(
    TABLE,
    "linalg.yield",
    "values*",
    "",
    "{dict}(?values  %values : type(values)?)",
    terminator=True,
)
define(
    TABLE,
    "linalg.index",
    "",
    "result:index",
    "attr(dim) : type(result)",
    attrs={"dim": NUMBER},
)
