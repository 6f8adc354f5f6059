"""Records of the dialects arith, math and complex.

Gives: TABLE. Must not know: printing, parsing.
"""

from __future__ import annotations

from ..types import element, i1, index
from .define import Table, define
from .ir import Dense, Typed
from .forms import View
from .kinds import CONSTANT, LIST, choice
from .rules import (
    element_of,
    require,
    same,
    same_shape,
    type_of,
    wider,
    with_element,
)
from ..types import DType, Type, dtype_named, f64, i64

TABLE: Table = {}

INT_PREDICATES = choice("eq ne slt sle sgt sge ult ule ugt uge")
FLOAT_PREDICATES = choice("false oeq ogt oge olt ole one ord ueq ugt uge ult ule une uno true")


def _constant_type(view: View) -> Type | None:
    value = view.attr("value")
    if isinstance(value, (Typed, Dense)):
        return value.type
    return {bool: i1, int: i64, float: f64}.get(type(value))


define(
    TABLE, "arith.constant", "", "result", "{dict} attr(value)",
    attrs={"value": CONSTANT}, infer={"result": _constant_type},
    example="| %0 = arith.constant 0 : index; %1 = arith.constant true; %2 = arith.constant -3 : i32;"
    " %3 = arith.constant 0.1 : f32; %4 = arith.constant 0x7F800000 : f32; %5 = arith.constant -0.0 : f64;"
    " %6 = arith.constant 1.0e-05 : f16; %7 = arith.constant 0x7FC0 : bf16; %8 = arith.constant dense<[1, 2]> : vector<2xi8>;"
    " %9 = arith.constant dense<false> : vector<4xi1>; %10 = arith.constant dense<[[0.1, -1.0e+30]]> : tensor<1x2xf64>;"
    " %11 = arith.constant dense<0.1> : vector<8xbf16>; %12 = arith.constant 7 : i64; %13 = arith.constant 0.5 : f64;"
    " %14 = arith.constant dense<(1.0,-0.0)> : tensor<3xcomplex<f32>>; %15 = arith.constant dense<> : tensor<0x2xi32>",
)  # fmt: skip

for _op in (
    "addi subi muli divsi divui remsi remui floordivsi ceildivsi ceildivui maxsi maxui minsi minui"
    " andi ori xori shli shrsi shrui"
).split():
    define(
        TABLE, f"arith.{_op}", "lhs:int rhs:int", "result:int", "%lhs, %rhs : type(result)",
        same("lhs", "rhs", "result"),
        example=f"a: i32, b: vector<4xi64>, c: index | %0 = arith.{_op} %a, %a : i32;"
        f" %1 = arith.{_op} %b, %b : vector<4xi64>; %2 = arith.{_op} %c, %c : index",
    )  # fmt: skip
for _op in "addf subf mulf divf remf maximumf minimumf maxnumf minnumf".split():
    define(
        TABLE, f"arith.{_op}", "lhs:float rhs:float", "result:float", "%lhs, %rhs : type(result)",
        same("lhs", "rhs", "result"),
        example=f"a: f32, b: vector<4xf64> | %0 = arith.{_op} %a, %a : f32;"
        f" %1 = arith.{_op} %b, %b : vector<4xf64>",
    )  # fmt: skip
define(
    TABLE, "arith.negf", "operand:float", "result:float", "%operand : type(result)",
    same("operand", "result"), example="a: f32 | %0 = arith.negf %a : f32",
)  # fmt: skip
define(
    TABLE, "arith.cmpi", "lhs:int rhs:int", "result:bool", "attr(predicate), %lhs, %rhs : type(lhs)",
    same("lhs", "rhs"),
    attrs={"predicate": INT_PREDICATES}, infer={"result": with_element("lhs", i1)},
    example="a: i32, b: vector<4xi64>, c: index | " + "; ".join(
        [f"%{n} = arith.cmpi {p}, %a, %a : i32" for n, p in enumerate(INT_PREDICATES.words)]
        + ["%v = arith.cmpi ult, %b, %b : vector<4xi64>", "%x = arith.cmpi slt, %c, %c : index"]
    ),
)  # fmt: skip
define(
    TABLE, "arith.cmpf", "lhs:float rhs:float", "result:bool", "attr(predicate), %lhs, %rhs : type(lhs)",
    same("lhs", "rhs"),
    attrs={"predicate": FLOAT_PREDICATES}, infer={"result": with_element("lhs", i1)},
    example="a: f32, b: vector<4xf64> | " + "; ".join(
        [f"%{n} = arith.cmpf {p}, %a, %a : f32" for n, p in enumerate(FLOAT_PREDICATES.words)]
        + ["%v = arith.cmpf une, %b, %b : vector<4xf64>"]
    ),
)  # fmt: skip
define(
    TABLE, "arith.select", "condition:bool true_value false_value", "result",
    "%condition, %true_value, %false_value : lead(condition)type(result)",
    same("true_value", "false_value", "result"),
    require(
        lambda v: v.type("condition") is i1
        or v.type("condition") == with_element("result", i1)(v),
        "the condition is i1 or has the shape of {result}, not {condition}",
    ),
    example="c: i1, m: vector<4xi1>, a: i32, v: vector<4xf32>, t: tensor<4xf32>, b: memref<4xf32> |"
    " %0 = arith.select %c, %a, %a : i32; %1 = arith.select %c, %v, %v : vector<4xf32>;"
    " %2 = arith.select %m, %v, %v : vector<4xi1>, vector<4xf32>; %3 = arith.select %c, %c, %c : i1;"
    " %4 = arith.select %m, %m, %m : vector<4xi1>, vector<4xi1>; %5 = arith.select %c, %b, %b : memref<4xf32>",
)  # fmt: skip

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
        TABLE, f"arith.{_op}", f"in:{_from}", f"out:{_to}", "%in : type(in) to type(out)",
        same_shape("in", "out"),
        *([_CAST_RULES[_op[:3]]] if _op[:3] in _CAST_RULES else []),
        example=f"a: {_a}, v: vector<4x{_a}> | %0 = arith.{_op} %a : {_a} to {_b};"
        f" %1 = arith.{_op} %v : vector<4x{_a}> to vector<4x{_b}>",
    )  # fmt: skip

# -- math ------------------------------------------------------------------------------------------
for _op in (
    "sqrt rsqrt exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh"
    " acosh atanh erf erfc cbrt absf floor ceil trunc round roundeven"
).split():
    define(
        TABLE, f"math.{_op}", "operand:float", "result:float", "%operand : type(result)",
        same("operand", "result"),
        example=f"a: f32, v: vector<4xf64> | %0 = math.{_op} %a : f32;"
        f" %1 = math.{_op} %v : vector<4xf64>",
    )  # fmt: skip
for _op in "absi ctpop ctlz cttz".split():
    define(
        TABLE, f"math.{_op}", "operand:int", "result:int", "%operand : type(result)",
        same("operand", "result"),
        example=f"a: i32, v: vector<4xi64> | %0 = math.{_op} %a : i32;"
        f" %1 = math.{_op} %v : vector<4xi64>",
    )  # fmt: skip
for _op in "isnan isinf isfinite isnormal".split():
    define(
        TABLE, f"math.{_op}", "operand:float", "result:bool", "%operand : type(operand)",
        infer={"result": with_element("operand", i1)},
        example=f"a: f32, v: vector<4xf64> | %0 = math.{_op} %a : f32;"
        f" %1 = math.{_op} %v : vector<4xf64>",
    )  # fmt: skip
for _op in "atan2 powf copysign".split():
    define(
        TABLE, f"math.{_op}", "lhs:float rhs:float", "result:float", "%lhs, %rhs : type(result)",
        same("lhs", "rhs", "result"), example=f"a: f32 | %0 = math.{_op} %a, %a : f32",
    )  # fmt: skip
define(
    TABLE, "math.ipowi", "lhs:signless rhs:signless", "result:signless", "%lhs, %rhs : type(result)",
    same("lhs", "rhs", "result"), example="a: i32 | %0 = math.ipowi %a, %a : i32",
)  # fmt: skip
define(
    TABLE, "math.fpowi", "lhs:float rhs:signless", "result:float",
    "%lhs, %rhs : type(lhs), type(rhs)", same_shape("lhs", "rhs"),
    infer={"result": type_of("lhs")}, example="a: f32, n: i32 | %0 = math.fpowi %a, %n : f32, i32",
)  # fmt: skip
define(
    TABLE, "math.fma", "a:float b:float c:float", "result:float", "%a, %b, %c : type(result)",
    same("a", "b", "c", "result"),
    example="a: f32, v: vector<4xf32> | %0 = math.fma %a, %a, %a : f32;"
    " %1 = math.fma %v, %v, %v : vector<4xf32>",
)  # fmt: skip

# -- complex ---------------------------------------------------------------------------------------
define(
    TABLE, "complex.constant", "", "result:complex", "{dict} attr(value) : type(result)",
    require(
        lambda v: isinstance(v.attr("value"), list) and len(v.attr("value")) == 2,
        "value is a list of two floats",
    ),
    attrs={"value": LIST},
    example="| %0 = complex.constant [0.1 : f32, -0.0 : f32] : complex<f32>;"
    " %1 = complex.constant [1.0, 2.0] : complex<f64>",
)  # fmt: skip
define(
    TABLE, "complex.create", "real:float imaginary:float", "complex:complex",
    "%real, %imaginary : type(complex)", same("real", "imaginary"),
    infer={"complex": lambda v: dtype_named(f"complex<{v.type('real')}>")},
    example="a: f32, b: f64 | %0 = complex.create %a, %a : complex<f32>; %1 = complex.create %b, %b : complex<f64>",
)  # fmt: skip


def _part(view: View) -> DType | None:
    """The float type of a complex operand's parts."""
    return dtype_named(str(view.type("complex")).removeprefix("complex<").removesuffix(">"))


for _op in "re im abs angle".split():
    define(
        TABLE, f"complex.{_op}", "complex:complex", "result:float", "%complex : type(complex)",
        infer={"result": _part}, example=f"c: complex<f32> | %0 = complex.{_op} %c : complex<f32>",
    )  # fmt: skip
for _op in "add sub mul div pow atan2".split():
    define(
        TABLE, f"complex.{_op}", "lhs:complex rhs:complex", "result:complex",
        "%lhs, %rhs : type(result)", same("lhs", "rhs", "result"),
        example=f"c: complex<f64> | %0 = complex.{_op} %c, %c : complex<f64>",
    )  # fmt: skip
for _op in "neg exp expm1 log log1p sqrt rsqrt sin cos tan tanh conj sign".split():
    define(
        TABLE, f"complex.{_op}", "complex:complex", "result:complex", "%complex : type(complex)",
        infer={"result": type_of("complex")},
        example=f"c: complex<f32> | %0 = complex.{_op} %c : complex<f32>",
    )  # fmt: skip
for _op in ("eq", "neq"):
    define(
        TABLE, f"complex.{_op}", "lhs:complex rhs:complex", "result:i1", "%lhs, %rhs : type(lhs)",
        same("lhs", "rhs"), infer={"result": lambda v: i1},
        example=f"c: complex<f32> | %0 = complex.{_op} %c, %c : complex<f32>",
    )  # fmt: skip
