"""Records of the dialects arith, math and complex.

Gives: TABLE. Must not know: printing, parsing.
"""

from __future__ import annotations

from ..types import DType, Type, dtype_named, element, f64, i1, i64, index
from .define import Table, define, each
from .ir import Dense, Typed
from .kinds import CONSTANT, LIST, choice
from .records import View
from .rules import (
    require,
    same,
    same_shape,
    type_of,
    wider,
    with_element,
)

TABLE: Table = {}

INT_PREDICATES = choice("eq ne slt sle sgt sge ult ule ugt uge")
FLOAT_PREDICATES = choice("false oeq ogt oge olt ole one ord ueq ugt uge ult ule une uno true")


def _constant_type(view: View) -> Type | None:
    value = view.attr("value")
    if isinstance(value, (Typed, Dense)):
        return value.type
    return {bool: i1, int: i64, float: f64}.get(type(value))


define(
    TABLE,
    "arith.constant",
    "",
    "result",
    "{dict} attr(value)",
    attrs={"value": CONSTANT},
    infer={"result": _constant_type},
)

for _op in each(
    "addi subi muli divsi divui remsi remui floordivsi ceildivsi ceildivui maxsi maxui minsi minui"
    " andi ori xori shli shrsi shrui"
):
    define(
        TABLE,
        f"arith.{_op}",
        "lhs:int rhs:int",
        "result:int",
        "%lhs, %rhs : type(result)",
        same("lhs", "rhs", "result"),
    )
for _op in each("addf subf mulf divf remf maximumf minimumf maxnumf minnumf"):
    define(
        TABLE,
        f"arith.{_op}",
        "lhs:float rhs:float",
        "result:float",
        "%lhs, %rhs : type(result)",
        same("lhs", "rhs", "result"),
    )
define(
    TABLE,
    "arith.negf",
    "operand:float",
    "result:float",
    "%operand : type(result)",
    same("operand", "result"),
)
define(
    TABLE,
    "arith.cmpi",
    "lhs:int rhs:int",
    "result:bool",
    "attr(predicate), %lhs, %rhs : type(lhs)",
    same("lhs", "rhs"),
    attrs={"predicate": INT_PREDICATES},
    infer={"result": with_element("lhs", i1)},
)
define(
    TABLE,
    "arith.cmpf",
    "lhs:float rhs:float",
    "result:bool",
    "attr(predicate), %lhs, %rhs : type(lhs)",
    same("lhs", "rhs"),
    attrs={"predicate": FLOAT_PREDICATES},
    infer={"result": with_element("lhs", i1)},
)
define(
    TABLE,
    "arith.select",
    "condition:bool true_value false_value",
    "result",
    "%condition, %true_value, %false_value : lead(condition)type(result)",
    same("true_value", "false_value", "result"),
    require(
        lambda v: v.type("condition") is i1 or v.type("condition") == with_element("result", i1)(v),
        "the condition is i1 or has the shape of {result}, not {condition}",
    ),
)

_CASTS = {
    "extsi": ("signless", "signless", "i8", "i32"),
    "extui": ("signless", "signless", "i1", "i32"),
    "extf": ("float", "float", "bf16", "f32"),
    "trunci": ("signless", "signless", "i64", "i8"),
    "truncf": ("float", "float", "f64", "f16"),
    "sitofp": ("signless", "float", "i32", "f32"),
    "uitofp": ("signless", "float", "i8", "f64"),
    "fptosi": ("float", "signless", "f32", "i32"),
    "fptoui": ("float", "signless", "f64", "i64"),
    "index_cast": ("int", "int", "index", "i32"),
    "index_castui": ("int", "int", "i64", "index"),
    "bitcast": ("number", "number", "f32", "i32"),
}
_same_bits = require(
    lambda v: element(v.type("in")).bits == element(v.type("out")).bits,
    "{in} and {out} differ in width",
)
_one_index = require(
    lambda v: (element(v.type("in")) is index) != (element(v.type("out")) is index),
    "exactly one of {in} and {out} must be index",
)
_CAST_RULES = {
    "ext": wider("in", "out"), "tru": wider("out", "in"), "ind": _one_index, "bit": _same_bits,
}  # fmt: skip
for _op, (_from, _to, _a, _b) in _CASTS.items():
    define(
        TABLE,
        f"arith.{_op}",
        f"in:{_from}",
        f"out:{_to}",
        "%in : type(in) to type(out)",
        same_shape("in", "out"),
        *([_CAST_RULES[_op[:3]]] if _op[:3] in _CAST_RULES else []),
    )

# -- math ------------------------------------------------------------------------------------------
for _op in each(
    "sqrt rsqrt exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh"
    " acosh atanh erf erfc cbrt absf floor ceil trunc round roundeven"
):
    define(
        TABLE,
        f"math.{_op}",
        "operand:float",
        "result:float",
        "%operand : type(result)",
        same("operand", "result"),
    )
for _op in each("absi ctpop ctlz cttz"):
    define(
        TABLE,
        f"math.{_op}",
        "operand:int",
        "result:int",
        "%operand : type(result)",
        same("operand", "result"),
    )
for _op in each("isnan isinf isfinite isnormal"):
    define(
        TABLE,
        f"math.{_op}",
        "operand:float",
        "result:bool",
        "%operand : type(operand)",
        infer={"result": with_element("operand", i1)},
    )
for _op in each("atan2 powf copysign"):
    define(
        TABLE,
        f"math.{_op}",
        "lhs:float rhs:float",
        "result:float",
        "%lhs, %rhs : type(result)",
        same("lhs", "rhs", "result"),
    )
define(
    TABLE,
    "math.ipowi",
    "lhs:signless rhs:signless",
    "result:signless",
    "%lhs, %rhs : type(result)",
    same("lhs", "rhs", "result"),
)
define(
    TABLE,
    "math.fpowi",
    "lhs:float rhs:signless",
    "result:float",
    "%lhs, %rhs : type(lhs), type(rhs)",
    same_shape("lhs", "rhs"),
    infer={"result": type_of("lhs")},
)
define(
    TABLE,
    "math.fma",
    "a:float b:float c:float",
    "result:float",
    "%a, %b, %c : type(result)",
    same("a", "b", "c", "result"),
)

# -- complex ---------------------------------------------------------------------------------------
define(
    TABLE,
    "complex.constant",
    "",
    "result:complex",
    "{dict} attr(value) : type(result)",
    require(
        lambda v: isinstance(v.attr("value"), list) and len(v.attr("value")) == 2,
        "value is a list of two floats",
    ),
    attrs={"value": LIST},
)
define(
    TABLE,
    "complex.create",
    "real:float imaginary:float",
    "complex:complex",
    "%real, %imaginary : type(complex)",
    same("real", "imaginary"),
    infer={"complex": lambda v: dtype_named(f"complex<{v.type('real')}>")},
)


def _part(view: View) -> DType | None:
    """The float type of a complex operand's parts."""
    return dtype_named(str(view.type("complex")).removeprefix("complex<").removesuffix(">"))


for _op in each("re im abs angle"):
    define(
        TABLE,
        f"complex.{_op}",
        "complex:complex",
        "result:float",
        "%complex : type(complex)",
        infer={"result": _part},
    )
for _op in each("add sub mul div pow atan2"):
    define(
        TABLE,
        f"complex.{_op}",
        "lhs:complex rhs:complex",
        "result:complex",
        "%lhs, %rhs : type(result)",
        same("lhs", "rhs", "result"),
    )
for _op in each("neg exp expm1 log log1p sqrt rsqrt sin cos tan tanh conj sign"):
    define(
        TABLE,
        f"complex.{_op}",
        "complex:complex",
        "result:complex",
        "%complex : type(complex)",
        infer={"result": type_of("complex")},
    )
for _op in ("eq", "neq"):
    define(
        TABLE,
        f"complex.{_op}",
        "lhs:complex rhs:complex",
        "result:i1",
        "%lhs, %rhs : type(lhs)",
        same("lhs", "rhs"),
        infer={"result": lambda v: i1},
    )
