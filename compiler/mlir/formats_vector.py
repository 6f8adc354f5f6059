"""Records of the dialect vector.

Gives: TABLE. Must not know: printing, parsing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..types import DType, MemRefType, Type, VectorType, element, i1, index
from .define import Table, define
from .ir import AffineMap
from .kinds import BOOL, BOOLS, INTS, MAP, NUMBER, IntList, choice
from .records import Rule, View
from .rules import (
    dynamic_count,
    element_of,
    holds,
    indexed,
    rank_of,
    require,
    same,
    same_element,
    same_size,
    shape_of,
    type_of,
    with_element,
)

TABLE: Table = {}

KINDS = choice(
    "add mul minui minsi minnumf maxui maxsi maxnumf and or xor minimumf maximumf",
    prefix="#vector.kind<",
    open="<",
    close=">",
)
_ACCESS = {"nontemporal": BOOL, "alignment": NUMBER}
_MASKED = {"alignment": NUMBER}


def _element_fits(buffer: str, vector: str) -> Rule:
    return require(
        lambda v: element(v.type(buffer)) is element(v.type(vector)),
        f"the elements of {{{buffer}}} and {{{vector}}} differ",
    )


def _rank_count(container: str) -> Callable[[View], int]:
    return lambda view: rank_of(view.type(container))


define(
    TABLE,
    "vector.load",
    "base:memref indices*:index",
    "result:vector",
    "%base[%indices] : type(base), type(result)",
    indexed("base", "indices"),
    _element_fits("base", "result"),
    attrs=_ACCESS,
    optional="nontemporal alignment",
    defaults={"nontemporal": False},
)
define(
    TABLE,
    "vector.store",
    "valueToStore:vector base:memref indices*:index",
    "",
    "%valueToStore, %base[%indices] : type(base), type(valueToStore)",
    indexed("base", "indices"),
    _element_fits("base", "valueToStore"),
    attrs=_ACCESS,
    optional="nontemporal alignment",
    defaults={"nontemporal": False},
)
define(
    TABLE,
    "vector.maskedload",
    "base:memref indices*:index mask:mask pass_thru:vector",
    "result:vector",
    "%base[%indices], %mask, %pass_thru"
    " : type(base), type(mask), type(pass_thru) into type(result)",
    indexed("base", "indices"),
    same("pass_thru", "result"),
    _element_fits("base", "result"),
    holds("mask", with_element("result", i1)),
    attrs=_MASKED,
    optional="alignment",
)
define(
    TABLE,
    "vector.maskedstore",
    "base:memref indices*:index mask:mask valueToStore:vector",
    "",
    "%base[%indices], %mask, %valueToStore : type(base), type(mask), type(valueToStore)",
    indexed("base", "indices"),
    _element_fits("base", "valueToStore"),
    holds("mask", with_element("valueToStore", i1)),
    attrs=_MASKED,
    optional="alignment",
)
_index_shape = require(
    lambda v: (
        shape_of(v.type("indices")) == shape_of(v.type("mask"))
        and element(v.type("indices")).kind in ("int", "index")
    ),
    "{indices} is not a vector of integers in the shape of {mask}",
)
define(
    TABLE,
    "vector.gather",
    "base:memref offsets*:index indices:vector mask:mask pass_thru:vector",
    "result:vector",
    "%base[%offsets] [%indices], %mask, %pass_thru :"
    " type(base), type(indices), type(mask), type(pass_thru) into type(result)",
    indexed("base", "offsets"),
    same("pass_thru", "result"),
    _element_fits("base", "result"),
    holds("mask", with_element("result", i1)),
    _index_shape,
    attrs=_MASKED,
    optional="alignment",
)
define(
    TABLE,
    "vector.scatter",
    "base:memref offsets*:index indices:vector mask:mask valueToStore:vector",
    "",
    "%base[%offsets] [%indices], %mask, %valueToStore :"
    " type(base), type(indices), type(mask), type(valueToStore)",
    indexed("base", "offsets"),
    _element_fits("base", "valueToStore"),
    holds("mask", with_element("valueToStore", i1)),
    _index_shape,
    attrs=_MASKED,
    optional="alignment",
)


def _broadcasts(view: View) -> bool:
    source, target = shape_of(view.type("source")), shape_of(view.type("vector"))
    tail = target[len(target) - len(source) :] if len(source) <= len(target) else ()
    return len(source) <= len(target) and all(a in (1, b) for a, b in zip(source, tail))


define(
    TABLE,
    "vector.broadcast",
    "source",
    "vector:vector",
    "%source : type(source) to type(vector)",
    require(_broadcasts, "{source} does not broadcast to {vector}"),
    same_element("source", "vector"),
)


def _part(container: str) -> Callable[[View], Type]:
    """What lies at `static_position` of a vector."""

    def type(view: View) -> Type:
        whole, depth = view.type(container), len(view.attr("static_position"))
        assert isinstance(whole, VectorType)
        rest = whole.shape[depth:]
        return VectorType(rest, whole.dtype) if rest or depth > len(whole.shape) else whole.dtype

    return type


def _position_inside(container: str) -> Rule:
    return require(
        lambda v: (
            len(v.attr("static_position")) <= rank_of(v.type(container))
            and all(
                n < 0 or n < d
                for n, d in zip(v.attr("static_position"), shape_of(v.type(container)))
            )
        ),
        f"the position is not inside {{{container}}}",
    )


_POSITION: dict[str, Any] = {
    "attrs": {"static_position": INTS},
    "counts": {"dynamic_position": dynamic_count("static_position")},
}
define(
    TABLE,
    "vector.extract",
    "source:vector dynamic_position*:index",
    "result",
    "%sourcemixed(dynamic_position, static_position) : type(result) from type(source)",
    _position_inside("source"),
    holds("result", _part("source")),
    **_POSITION,
)
define(
    TABLE,
    "vector.insert",
    "valueToStore dest:vector dynamic_position*:index",
    "result:vector",
    "%valueToStore, %dest mixed(dynamic_position, static_position)"
    " : type(valueToStore) into type(dest)",
    _position_inside("dest"),
    holds("valueToStore", _part("dest")),
    infer={"result": type_of("dest")},
    **_POSITION,
)
_LISTS = {"offsets": IntList(), "strides": IntList()}


def _strided_shape(view: View) -> bool:
    whole, part = shape_of(view.type("source")), shape_of(view.type("result"))
    offsets, sizes, strides = (view.attr(n) for n in ("offsets", "sizes", "strides"))
    count = len(sizes)
    return (
        len(offsets) == len(strides) == count <= len(whole)
        and all(k == 1 for k in strides)
        and all(o >= 0 and n > 0 and o + n <= d for o, n, d in zip(offsets, sizes, whole))
        and part == (*sizes, *whole[count:])
    )


define(
    TABLE,
    "vector.extract_strided_slice",
    "source:vector",
    "result:vector",
    "%source : type(source) to type(result)",
    same_element("source", "result"),
    require(_strided_shape, "offsets, sizes and strides do not cut {result} out of {source}"),
    attrs={**_LISTS, "sizes": IntList()},
)
define(
    TABLE,
    "vector.insert_strided_slice",
    "valueToStore:vector dest:vector",
    "result:vector",
    "%valueToStore, %dest : type(valueToStore) into type(dest)",
    same_element("valueToStore", "dest"),
    require(
        lambda v: (
            len(v.attr("offsets")) == rank_of(v.type("dest"))
            and len(v.attr("strides")) == rank_of(v.type("valueToStore"))
            and all(0 <= o < d for o, d in zip(v.attr("offsets"), shape_of(v.type("dest"))))
        ),
        "offsets and strides do not place {valueToStore} into {dest}",
    ),
    attrs=_LISTS,
    infer={"result": type_of("dest")},
)


def _shuffled(view: View) -> Type | None:
    first = view.type("v1")
    if not isinstance(first, VectorType):
        return None
    return VectorType((len(view.attr("mask")), *first.shape[1:]), first.dtype)


define(
    TABLE,
    "vector.shuffle",
    "v1:vector v2:vector",
    "result:vector",
    "%v1, %v2 attr(mask) : type(v1), type(v2)",
    same_element("v1", "v2"),
    require(
        lambda v: (
            rank_of(v.type("v1")) == 1 == rank_of(v.type("v2"))
            and all(-1 <= n < v.type("v1").shape[0] + v.type("v2").shape[0] for n in v.attr("mask"))
        ),
        "the mask picks from {v1} followed by {v2}",
    ),
    attrs={"mask": INTS},
    infer={"result": _shuffled},
)
define(
    TABLE,
    "vector.reduction",
    "vector:vector acc?",
    "dest",
    "attr(kind), %vector(?acc , %acc?) : type(vector) into type(dest)",
    holds("dest", element_of("vector")),
    holds("acc", element_of("vector")),
    require(
        lambda v: (
            v.attr("kind").endswith("f") == element(v.type("vector")).is_float
            or v.attr("kind") in ("add", "mul")
        ),
        "this kind does not act on {vector}",
    ),
    attrs={"kind": KINDS},
)
define(
    TABLE,
    "vector.fma",
    "lhs:vector rhs:vector acc:vector",
    "result:vector",
    "%lhs, %rhs, %acc : type(lhs)",
    same("lhs", "rhs", "acc"),
    infer={"result": type_of("lhs")},
)
define(
    TABLE,
    "vector.step",
    "",
    "result:vector",
    " : type(result)",
    require(
        lambda v: rank_of(v.type("result")) == 1 and v.type("result").dtype is index,
        "the result is a vector<…xindex>, not {result}",
    ),
)
define(
    TABLE,
    "vector.create_mask",
    "operands*:index",
    "result:mask",
    "%operands : type(result)",
    require(
        lambda v: len(v.values("operands")) == rank_of(v.type("result")),
        "one operand a dimension of {result}",
    ),
)
define(
    TABLE,
    "vector.constant_mask",
    "",
    "result:mask",
    "attr(mask_dim_sizes) : type(result)",
    require(
        lambda v: len(v.attr("mask_dim_sizes")) == rank_of(v.type("result")),
        "one size a dimension of {result}",
    ),
    attrs={"mask_dim_sizes": INTS},
)


def _last_dims(view: View) -> AffineMap:
    """The default map of a transfer: the vector's dimensions are the buffer's last."""
    rank, lanes = rank_of(view.type("base")), rank_of(view.type("vector"))
    return AffineMap.select(rank, range(rank - lanes, rank))


def _out_of_bounds(view: View) -> list[bool]:
    return [False] * rank_of(view.type("vector"))


_TRANSFER: dict[str, Any] = {
    "attrs": {"in_bounds": BOOLS, "permutation_map": MAP},
    "optional": "in_bounds permutation_map",
    "defaults": {"in_bounds": _out_of_bounds, "permutation_map": _last_dims},
    "counts": {"indices": _rank_count("base")},
    "segments": "derived",
}
_transfer_rules = (
    indexed("base", "indices"),
    _element_fits("base", "vector"),
    require(
        lambda v: len(v.attr("in_bounds")) == rank_of(v.type("vector")),
        "in_bounds has one entry a dimension of {vector}",
    ),
    require(
        lambda v: (
            (v.attr("permutation_map").dims, len(v.attr("permutation_map").rows))
            == (rank_of(v.type("base")), rank_of(v.type("vector")))
        ),
        "permutation_map does not map {base} to {vector}",
    ),
    require(
        lambda v: not v.values("mask") or shape_of(v.type("mask")) == shape_of(v.type("vector")),
        "the mask {mask} does not have the shape of {vector}",
    ),
)
define(
    TABLE,
    "vector.transfer_read",
    "base:buffer indices*:index padding mask?:mask",
    "vector:vector",
    "%base[%indices], %padding(?mask , %mask?) : type(base), type(vector)",
    *_transfer_rules,
    holds("padding", element_of("base")),
    **_TRANSFER,
)
define(
    TABLE,
    "vector.transfer_write",
    "vector:vector base:buffer indices*:index mask?:mask",
    "result?:tensor",
    "%vector, %base[%indices](?mask , %mask?) : type(vector), type(base)",
    *_transfer_rules,
    infer={"result": lambda v: _written(v)},
    **_TRANSFER,
)


def _written(view: View) -> list[Type]:
    base = view.type("base")
    return [] if isinstance(base, MemRefType) else [base]


def _bits(type: Type) -> int:
    assert not isinstance(type, DType)
    return element(type).bits * (shape_of(type)[-1] if shape_of(type) else 1)


define(
    TABLE,
    "vector.shape_cast",
    "source:vector",
    "result:vector",
    "%source : type(source) to type(result)",
    same_size("source", "result"),
)
define(
    TABLE,
    "vector.bitcast",
    "source:vector",
    "result:vector",
    "%source : type(source) to type(result)",
    require(
        lambda v: (
            _bits(v.type("source")) == _bits(v.type("result"))
            and shape_of(v.type("source"))[:-1] == shape_of(v.type("result"))[:-1]
        ),
        "{source} and {result} differ in bits along the last dimension",
    ),
)


def _scaled(name: str, up: bool) -> Callable[[View], Type]:
    """The vector with its last dimension doubled or halved."""

    def types(view: View) -> Type:
        whole = view.type(name)
        assert isinstance(whole, VectorType)
        last = whole.shape[-1] * 2 if up else whole.shape[-1] // 2
        return VectorType((*whole.shape[:-1], last), whole.dtype)

    return types


define(
    TABLE,
    "vector.interleave",
    "lhs:vector rhs:vector",
    "result:vector",
    "%lhs, %rhs : type(lhs) -> type(result)",
    same("lhs", "rhs"),
    holds("result", _scaled("lhs", up=True)),
)
define(
    TABLE,
    "vector.deinterleave",
    "source:vector",
    "res1:vector res2:vector",
    "%source : type(source) -> type(res1)",
    require(lambda v: v.type("source").shape[-1] % 2 == 0, "the last dimension of {source} is odd"),
    holds("res1", _scaled("source", up=False)),
    infer={"res2": type_of("res1")},
)
define(
    TABLE,
    "vector.transpose",
    "vector:vector",
    "result:vector",
    "%vector, attr(permutation) : type(vector) to type(result)",
    same_element("vector", "result"),
    require(
        lambda v: (
            sorted(v.attr("permutation")) == list(range(rank_of(v.type("vector"))))
            and shape_of(v.type("result"))
            == tuple(v.type("vector").shape[p] for p in v.attr("permutation"))
        ),
        "this permutation does not turn {vector} into {result}",
    ),
    attrs={"permutation": INTS},
)
