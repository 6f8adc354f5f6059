# isort: skip_file
"""NumPy's names on lazir tensors: `import lazir.numpy as lnp`.

Everything here takes tensors, arrays and numbers, and gives tensors. Outside of `@lazir.compile`
nothing runs before its value is needed; inside, everything becomes part of the compiled function.
"""

from __future__ import annotations

import sys
from math import e, inf, nan, pi

from .. import late, linalg
from ..dtypes import (
    bfloat16, bool_, complex128, complex64, float16, float32, float64, int16, int32, int64,
    int8, uint16, uint32, uint64, uint8,
)  # fmt: skip
from .arithmetic import (
    abs, absolute, add, clip, divide, divmod, fabs, floor_divide, fmax, fmin, fmod, maximum,
    minimum, mod, multiply, nan_to_num, negative, positive, pow, power, reciprocal, remainder,
    sign, square, subtract, true_divide,
)  # fmt: skip
from .counting import (
    argwhere, bincount, compress, extract, flatnonzero, histogram, histogram_bin_edges,
    nonzero, unique,
)  # fmt: skip
from .creation import (
    array, asarray, copy, empty, empty_like, from_dlpack, full, full_like, ones, ones_like,
    zeros, zeros_like,
)  # fmt: skip
from .cumulative import (
    cumprod, cumsum, cumulative_prod, cumulative_sum, nancumprod, nancumsum, trapezoid,
)  # fmt: skip
from .data_types import can_cast, finfo, iinfo, isdtype, promote_types, result_type
from .distinct import isin, unique_all, unique_counts, unique_inverse, unique_values
from .einsum import einsum
from .functions import (
    arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, cbrt, ceil, copysign, cos,
    cosh, deg2rad, erf, exp, exp2, expm1, fix, floor, heaviside, hypot, isfinite, isinf,
    isnan, log, log10, log1p, log2, logaddexp, nextafter, rad2deg, rint, round, rsqrt,
    signbit, sin, sinc, sinh, sqrt, tan, tanh, trunc,
)  # fmt: skip
from .indexing import put_along_axis, take, take_along_axis
from .linear import cross, dot, inner, kron, matmul, outer, tensordot, vdot, vecdot
from .logic import (
    allclose, array_equal, bitwise_and, bitwise_count, bitwise_invert, bitwise_left_shift,
    bitwise_not, bitwise_or, bitwise_right_shift, bitwise_xor, equal, greater, greater_equal,
    invert, isclose, left_shift, less, less_equal, logical_and, logical_not, logical_or,
    logical_xor, not_equal, right_shift, select, where,
)  # fmt: skip
from .manipulation import (
    append, array_split, astype, atleast_1d, atleast_2d, broadcast_arrays, broadcast_shapes_
    as broadcast_shapes, broadcast_to, column_stack, concat, concatenate, expand_dims, hstack,
    matrix_transpose, moveaxis, permute_dims, ravel, reshape, rollaxis, split, squeeze, stack,
    swapaxes, transpose, unstack, vstack,
)  # fmt: skip
from .matrices import diag, diagonal, eye, identity, indices, meshgrid, trace, tri, tril, triu
from .namespace import __array_namespace_info__, VERSIONS
from .ordered import (
    argpartition, argsort, lexsort, median, nanmedian, nanpercentile, nanquantile, partition,
    percentile, quantile, sort,
)  # fmt: skip
from .ranges import arange, geomspace, linspace, logspace
from .rearrange import diff, ediff1d, flip, fliplr, flipud, pad, repeat, roll, rot90, tile
from .reduction import (
    all, amax, amin, any, argmax, argmin, average, count_nonzero, logsumexp, max, mean, min,
    nanmax, nanmean, nanmin, nansum, prod, ptp, std, sum, var,
)  # fmt: skip
from .search import digitize, interp, searchsorted

late.numpy = sys.modules[__name__]
newaxis = None
bool = bool_
acos, acosh, asin, asinh, atan, atan2, atanh = (
    arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh,
)  # fmt: skip
__array_api_version__ = VERSIONS[-1]

__all__ = [
    "__array_api_version__", "__array_namespace_info__", "abs", "absolute", "acos", "acosh",
    "add", "all", "allclose", "amax", "amin", "any", "append", "arange", "arccos", "arccosh",
    "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "argmax", "argmin", "argpartition",
    "argsort", "argwhere", "array", "array_equal", "array_split", "asarray", "asin", "asinh",
    "astype", "atan", "atan2", "atanh", "atleast_1d", "atleast_2d", "average", "bfloat16",
    "bincount", "bitwise_and", "bitwise_count", "bitwise_invert", "bitwise_left_shift",
    "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "bool", "bool_",
    "broadcast_arrays", "broadcast_shapes", "broadcast_to", "can_cast", "cbrt", "ceil", "clip",
    "column_stack", "complex64", "complex128", "compress", "concat", "concatenate", "copy",
    "copysign", "cos", "cosh", "count_nonzero", "cross", "cumprod", "cumsum", "cumulative_prod",
    "cumulative_sum", "deg2rad", "diag", "diagonal", "diff", "digitize", "divide", "divmod",
    "dot", "e", "ediff1d", "einsum", "empty", "empty_like", "equal", "erf", "exp", "exp2",
    "expand_dims", "expm1", "extract", "eye", "fabs", "finfo", "fix", "flatnonzero", "flip",
    "fliplr", "flipud", "float16", "float32", "float64", "floor", "floor_divide", "fmax",
    "fmin", "fmod", "from_dlpack", "full", "full_like", "geomspace", "greater", "greater_equal",
    "heaviside", "histogram", "histogram_bin_edges", "hstack", "hypot", "identity", "iinfo",
    "indices", "inf", "inner", "int8", "int16", "int32", "int64", "interp", "invert", "isclose",
    "isdtype", "isfinite", "isin", "isinf", "isnan", "kron", "left_shift", "less", "less_equal",
    "lexsort", "linalg", "linspace", "log", "log1p", "log2", "log10", "logaddexp",
    "logical_and", "logical_not", "logical_or", "logical_xor", "logspace", "logsumexp",
    "matmul", "matrix_transpose", "max", "maximum", "mean", "median", "meshgrid", "min",
    "minimum", "mod", "moveaxis", "multiply", "nan", "nan_to_num", "nancumprod", "nancumsum",
    "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile", "nanquantile", "nansum",
    "negative", "newaxis", "nextafter", "nonzero", "not_equal", "ones", "ones_like", "outer",
    "pad", "partition", "percentile", "permute_dims", "pi", "positive", "pow", "power", "prod",
    "promote_types", "ptp", "put_along_axis", "quantile", "rad2deg", "ravel", "reciprocal",
    "remainder", "repeat", "reshape", "result_type", "right_shift", "rint", "roll", "rollaxis",
    "rot90", "round", "rsqrt", "searchsorted", "select", "sign", "signbit", "sin", "sinc",
    "sinh", "sort", "split", "sqrt", "square", "squeeze", "stack", "std", "subtract", "sum",
    "swapaxes", "take", "take_along_axis", "tan", "tanh", "tensordot", "tile", "trace",
    "transpose", "trapezoid", "tri", "tril", "triu", "true_divide", "trunc", "uint8", "uint16",
    "uint32", "uint64", "unique", "unique_all", "unique_counts", "unique_inverse",
    "unique_values", "unstack", "var", "vdot", "vecdot", "vstack", "where", "zeros",
    "zeros_like",
]  # fmt: skip
