# isort: skip_file
"""JAX's `jax.lax` by the same names: a program ports by changing its import.

Takes: tensors; dtypes are promoted, where JAX wants them equal. Gives: tensors.
"""

from __future__ import annotations

from .. import linalg
from ..transforms import stop_gradient
from .collectives import NAMES, refusal
from .control import (
    associative_scan, cond, custom_linear_solve, custom_root, fori_loop, map, scan, switch,
    while_loop,
)  # fmt: skip
from .elementwise import (
    bitcast_convert_type, clamp, clz, complex, convert_element_type, div, erf_inv, erfc, full_like,
    integer_pow, logistic, population_count, reduce_precision, rem, round, select, select_n,
    shift_left, shift_right_arithmetic, shift_right_logical,
)  # fmt: skip
from .ordered import (
    argmax, argmin, cumlogsumexp, cummax, cummin, cumprod, cumsum, reduce, reduce_and, reduce_max,
    reduce_min, reduce_or, reduce_prod, reduce_sum, reduce_window, sort, sort_key_val,
)  # fmt: skip
from .places import (
    GatherDimensionNumbers, GatherScatterMode, ScatterDimensionNumbers, gather, scatter,
    scatter_add, scatter_max, scatter_min, scatter_mul, scatter_sub,
)  # fmt: skip
from .products import (
    ConvDimensionNumbers, Precision, batch_matmul, conv, conv_dimension_numbers,
    conv_general_dilated, conv_transpose, conv_with_general_padding, dot, dot_general,
)  # fmt: skip
from .shape import (
    broadcast, broadcast_in_dim, broadcast_shapes, broadcast_to_rank, broadcasted_iota, collapse,
    concatenate, dynamic_index_in_dim, dynamic_slice, dynamic_slice_in_dim,
    dynamic_update_index_in_dim, dynamic_update_slice, dynamic_update_slice_in_dim, expand_dims,
    full, index_in_dim, iota, pad, reshape, rev, slice, slice_in_dim, split, squeeze, stack, tile,
    transpose, unstack,
)  # fmt: skip
from ..numpy import (
    abs, acos, acosh, add, asin, asinh, atan, atan2, atanh, bitwise_and, bitwise_not, bitwise_or,
    bitwise_xor, cbrt, ceil, conj, cos, cosh, erf, exp, exp2, expm1, floor, imag, log, log1p,
    maximum, minimum, nextafter, real, reciprocal, rsqrt, sign, sin, sinh, sqrt, square, tan, tanh,
)  # fmt: skip
from ..special import (
    betainc, digamma, lgamma, polygamma, zeta,
)  # fmt: skip
from ..special import gammainc as igamma
from ..special import gammaincc as igammac
from ..special import i0e as bessel_i0e
from ..special import i1e as bessel_i1e
from ..numpy.ordered import top_k
from ..numpy import equal as eq
from ..numpy import greater as gt
from ..numpy import greater_equal as ge
from ..numpy import isfinite as is_finite
from ..numpy import less as lt
from ..numpy import less_equal as le
from ..numpy import maximum as max
from ..numpy import minimum as min
from ..numpy import multiply as mul
from ..numpy import negative as neg
from ..numpy import not_equal as ne
from ..numpy import power as pow
from ..numpy import subtract as sub
from ..public import listing

globals().update({name: refusal(name) for name in NAMES})

__all__ = [
    "ConvDimensionNumbers",
    "GatherDimensionNumbers",
    "GatherScatterMode",
    "Precision",
    "ScatterDimensionNumbers",
    "abs",
    "acos",
    "acosh",
    "add",
    "argmax",
    "argmin",
    "asin",
    "asinh",
    "associative_scan",
    "atan",
    "atan2",
    "atanh",
    "batch_matmul",
    "bessel_i0e",
    "bessel_i1e",
    "betainc",
    "bitcast_convert_type",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "broadcast",
    "broadcast_in_dim",
    "broadcast_shapes",
    "broadcast_to_rank",
    "broadcasted_iota",
    "cbrt",
    "ceil",
    "clamp",
    "clz",
    "collapse",
    "complex",
    "concatenate",
    "cond",
    "conj",
    "conv",
    "conv_dimension_numbers",
    "conv_general_dilated",
    "conv_transpose",
    "conv_with_general_padding",
    "convert_element_type",
    "cos",
    "cosh",
    "cumlogsumexp",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "custom_linear_solve",
    "custom_root",
    "digamma",
    "div",
    "dot",
    "dot_general",
    "dynamic_index_in_dim",
    "dynamic_slice",
    "dynamic_slice_in_dim",
    "dynamic_update_index_in_dim",
    "dynamic_update_slice",
    "dynamic_update_slice_in_dim",
    "eq",
    "erf",
    "erf_inv",
    "erfc",
    "exp",
    "exp2",
    "expand_dims",
    "expm1",
    "floor",
    "fori_loop",
    "full",
    "full_like",
    "gather",
    "ge",
    "gt",
    "igamma",
    "igammac",
    "imag",
    "index_in_dim",
    "integer_pow",
    "iota",
    "is_finite",
    "le",
    "lgamma",
    "linalg",
    "log",
    "log1p",
    "logistic",
    "lt",
    "map",
    "max",
    "maximum",
    "min",
    "minimum",
    "mul",
    "ne",
    "neg",
    "nextafter",
    "pad",
    "polygamma",
    "population_count",
    "pow",
    "real",
    "reciprocal",
    "reduce",
    "reduce_and",
    "reduce_max",
    "reduce_min",
    "reduce_or",
    "reduce_precision",
    "reduce_prod",
    "reduce_sum",
    "reduce_window",
    "rem",
    "reshape",
    "rev",
    "round",
    "rsqrt",
    "scan",
    "scatter",
    "scatter_add",
    "scatter_max",
    "scatter_min",
    "scatter_mul",
    "scatter_sub",
    "select",
    "select_n",
    "shift_left",
    "shift_right_arithmetic",
    "shift_right_logical",
    "sign",
    "sin",
    "sinh",
    "slice",
    "slice_in_dim",
    "sort",
    "sort_key_val",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "stop_gradient",
    "sub",
    "switch",
    "tan",
    "tanh",
    "tile",
    "top_k",
    "transpose",
    "unstack",
    "while_loop",
    "zeta",
]  # fmt: skip
__dir__ = listing(__name__)
