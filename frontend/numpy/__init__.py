# isort: skip_file
"""NumPy's names on lazir tensors: `import lazir.numpy as lnp`.

Everything here takes tensors, arrays and numbers, and gives tensors. Outside of `@lazir.compile`
nothing runs before its value is needed; inside, everything becomes part of the compiled function.
"""

from __future__ import annotations

import sys
from math import e, inf, nan, pi

from numpy import (
    errstate, euler_gamma, get_printoptions, isscalar, iterable, ndenumerate, ndindex,
    printoptions, set_printoptions, seterr,
)  # fmt: skip

from .. import fft, late, linalg
from ..dtypes import (
    bfloat16, bool_, complex128, complex64, float16, float32, float64, int16, int32, int64,
    int8, uint16, uint32, uint64, uint8,
)  # fmt: skip
from ..public import listing
from ..tensor import Tensor
from .arithmetic import (
    abs, absolute, add, clip, divide, divmod, fabs, floor_divide, fmax, fmin, fmod, maximum,
    minimum, mod, multiply, nan_to_num, negative, positive, pow, power, reciprocal, remainder,
    sign, square, subtract, true_divide,
)  # fmt: skip
from .bits import (
    float_power, frexp, gcd, isneginf, isposinf, lcm, ldexp, logaddexp2, modf, packbits,
    spacing, unpackbits,
)  # fmt: skip
from .classification import copysign, heaviside, isfinite, isinf, isnan, signbit
from .complex_numbers import (
    angle, conj, conjugate, imag, iscomplex, iscomplexobj, isreal, isrealobj, real,
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
from .diagonals import (
    diag_indices, diag_indices_from, diagflat, mask_indices, tril_indices, tril_indices_from,
    triu_indices, triu_indices_from, vander,
)  # fmt: skip
from .distinct import isin, unique_all, unique_counts, unique_inverse, unique_values
from .editing import (
    atleast_3d, block, delete, dsplit, dstack, hsplit, insert, ix_, resize, trim_zeros, vsplit,
)  # fmt: skip
from .einsum import einsum, einsum_path
from .files import (
    array2string, array_repr, array_str, frombuffer, fromfile, fromiter, fromstring, genfromtxt,
    load, loadtxt, save, savetxt, savez, savez_compressed,
)  # fmt: skip
from .functions import (
    arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, cbrt, ceil, cos, cosh, deg2rad,
    erf, exp, exp2, expm1, fix, floor, hypot, log, log10, log1p, log2, logaddexp, nextafter,
    rad2deg, rint, round, rsqrt, sin, sinc, sinh, sqrt, tan, tanh, trunc,
)  # fmt: skip
from .grids import (
    c_, fromfunction, index_exp, mgrid, ndim, ogrid, r_, ravel_multi_index, s_, shape, size,
    unravel_index,
)  # fmt: skip
from .kinds import (
    byte, cdouble, complexfloating, csingle, double, dtype, floating, generic, half, inexact,
    int_, intc, integer, intp, issubdtype, longlong, number, short, signedinteger, single,
    ubyte, uint, uintc, uintp, ulonglong, unsignedinteger, ushort,
)  # fmt: skip
from .linear import cross, dot, inner, kron, matmul, matvec, outer, tensordot, vdot, vecdot, vecmat
from .logic import (
    allclose, array_equal, array_equiv, bitwise_and, bitwise_count, bitwise_invert,
    bitwise_left_shift, bitwise_not, bitwise_or, bitwise_right_shift, bitwise_xor, equal,
    greater, greater_equal, invert, isclose, left_shift, less, less_equal, logical_and,
    logical_not, logical_or, logical_xor, not_equal, right_shift, select, where,
)  # fmt: skip
from .manipulation import (
    append, array_split, astype, atleast_1d, atleast_2d, broadcast_arrays, broadcast_shapes_
    as broadcast_shapes, broadcast_to, column_stack, concat, concatenate, expand_dims, hstack,
    matrix_transpose, moveaxis, permute_dims, ravel, reshape, rollaxis, split, squeeze, stack,
    swapaxes, transpose, unstack, vstack,
)  # fmt: skip
from .mapping import apply_along_axis, apply_over_axes, choose, frompyfunc, piecewise, vectorize
from .matrices import diag, diagonal, eye, identity, indices, meshgrid, trace, tri, tril, triu
from .namespace import __array_namespace_info__, VERSIONS
from .nans import nanargmax, nanargmin, nanmax, nanmean, nanmin, nanprod, nanstd, nansum, nanvar
from .ordered import argpartition, argsort, lexsort, partition, sort, sort_complex
from .padding import pad
from .placing import copyto, fill_diagonal, place, put, putmask
from .polynomial import (
    poly, polyadd, polyder, polydiv, polyfit, polyint, polymul, polysub, polyval, roots,
)  # fmt: skip
from .quantiles import (
    median, nanmedian, nanpercentile, nanquantile, percentile, quantile,
)  # fmt: skip
from .ranges import arange, geomspace, linspace, logspace
from .rearrange import diff, ediff1d, flip, fliplr, flipud, repeat, roll, rot90, tile
from .reduction import (
    all, amax, amin, any, argmax, argmin, average, count_nonzero, logsumexp, max, mean, min,
    prod, ptp, std, sum, var,
)  # fmt: skip
from .search import digitize, interp, searchsorted
from .sets import intersect1d, setdiff1d, setxor1d, union1d
from .signal import (
    bartlett, blackman, convolve, correlate, gradient, hamming, hanning, i0, kaiser, unwrap,
)  # fmt: skip
from .statistics import corrcoef, cov, histogram2d, histogramdd
from .taking import put_along_axis, take, take_along_axis

late.numpy = sys.modules[__name__]
newaxis = None
around, degrees, radians = round, rad2deg, deg2rad
ndarray = Tensor
asanyarray = ascontiguousarray = asfortranarray = asarray
bool = bool_
acos, acosh, asin, asinh, atan, atan2, atanh = (
    arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh,
)  # fmt: skip
__array_api_version__ = VERSIONS[-1]

__all__ = [
    "__array_api_version__", "__array_namespace_info__", "abs", "absolute", "acos", "acosh",
    "add", "all", "allclose", "amax", "amin", "angle", "any", "append", "apply_along_axis",
    "apply_over_axes", "arange", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2",
    "arctanh", "argmax", "argmin", "argpartition", "argsort", "argwhere", "around", "array",
    "array2string", "array_equal", "array_equiv", "array_repr", "array_split", "array_str",
    "asanyarray", "asarray", "ascontiguousarray", "asfortranarray", "asin", "asinh", "astype",
    "atan", "atan2", "atanh", "atleast_1d", "atleast_2d", "atleast_3d", "average", "bartlett",
    "bfloat16", "bincount", "bitwise_and", "bitwise_count", "bitwise_invert",
    "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    "blackman", "block", "bool", "bool_", "broadcast_arrays", "broadcast_shapes", "broadcast_to",
    "byte", "c_", "can_cast", "cbrt", "cdouble", "ceil", "choose", "clip", "column_stack",
    "complex64", "complex128", "complexfloating", "compress", "concat", "concatenate", "conj",
    "conjugate", "convolve", "copy", "copysign", "copyto", "corrcoef", "correlate", "cos", "cosh",
    "count_nonzero", "cov", "cross", "csingle", "cumprod", "cumsum", "cumulative_prod",
    "cumulative_sum", "deg2rad", "degrees", "delete", "diag", "diag_indices", "diag_indices_from",
    "diagflat", "diagonal", "diff", "digitize", "divide", "divmod", "dot", "double", "dsplit",
    "dstack", "dtype", "e", "ediff1d", "einsum", "einsum_path", "empty", "empty_like", "equal",
    "erf", "errstate", "euler_gamma", "exp", "exp2", "expand_dims", "expm1", "extract", "eye",
    "fabs", "fft", "fill_diagonal", "finfo", "fix", "flatnonzero", "flip", "fliplr", "flipud",
    "float16", "float32", "float64", "float_power", "floating", "floor", "floor_divide", "fmax",
    "fmin", "fmod", "frexp", "from_dlpack", "frombuffer", "fromfile", "fromfunction", "fromiter",
    "frompyfunc", "fromstring", "full", "full_like", "gcd", "generic", "genfromtxt", "geomspace",
    "get_printoptions", "gradient", "greater", "greater_equal", "half", "hamming", "hanning",
    "heaviside", "histogram", "histogram2d", "histogram_bin_edges", "histogramdd", "hsplit",
    "hstack", "hypot", "i0", "identity", "iinfo", "imag", "index_exp", "indices", "inexact", "inf",
    "inner", "insert", "int8", "int16", "int32", "int64", "int_", "intc", "integer", "interp",
    "intersect1d", "intp", "invert", "isclose", "iscomplex", "iscomplexobj", "isdtype",
    "isfinite", "isin", "isinf", "isnan", "isneginf", "isposinf", "isreal", "isrealobj",
    "isscalar", "issubdtype", "iterable", "ix_", "kaiser", "kron", "lcm", "ldexp", "left_shift",
    "less", "less_equal", "lexsort", "linalg", "linspace", "load", "loadtxt", "log", "log1p",
    "log2", "log10", "logaddexp", "logaddexp2", "logical_and", "logical_not", "logical_or",
    "logical_xor", "logspace", "logsumexp", "longlong", "mask_indices", "matmul",
    "matrix_transpose", "matvec", "max", "maximum", "mean", "median", "meshgrid", "mgrid", "min",
    "minimum", "mod", "modf", "moveaxis", "multiply", "nan", "nan_to_num", "nanargmax",
    "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin",
    "nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum", "nanvar", "ndarray",
    "ndenumerate", "ndim", "ndindex", "negative", "newaxis", "nextafter", "nonzero", "not_equal",
    "number", "ogrid", "ones", "ones_like", "outer", "packbits", "pad", "partition", "percentile",
    "permute_dims", "pi", "piecewise", "place", "poly", "polyadd", "polyder", "polydiv",
    "polyfit", "polyint", "polymul", "polysub", "polyval", "positive", "pow", "power",
    "printoptions", "prod", "promote_types", "ptp", "put", "put_along_axis", "putmask",
    "quantile", "r_", "rad2deg", "radians", "ravel", "ravel_multi_index", "real", "reciprocal",
    "remainder", "repeat", "reshape", "resize", "result_type", "right_shift", "rint", "roll",
    "rollaxis", "roots", "rot90", "round", "rsqrt", "s_", "save", "savetxt", "savez",
    "savez_compressed",
    "searchsorted", "select", "set_printoptions", "setdiff1d", "seterr", "setxor1d", "shape",
    "short", "sign", "signbit", "signedinteger", "sin", "sinc", "single", "sinh", "size", "sort",
    "sort_complex", "spacing", "split", "sqrt", "square", "squeeze", "stack", "std", "subtract",
    "sum", "swapaxes", "take", "take_along_axis", "tan", "tanh", "tensordot", "tile", "trace",
    "transpose", "trapezoid", "tri", "tril", "tril_indices", "tril_indices_from", "trim_zeros",
    "triu", "triu_indices", "triu_indices_from", "true_divide", "trunc", "ubyte", "uint", "uint8",
    "uint16", "uint32", "uint64", "uintc", "uintp", "ulonglong", "union1d", "unique",
    "unique_all", "unique_counts", "unique_inverse", "unique_values", "unpackbits",
    "unravel_index", "unsignedinteger", "unstack", "unwrap", "ushort", "vander", "var", "vdot",
    "vecdot", "vecmat", "vectorize", "vsplit", "vstack", "where", "zeros", "zeros_like",
]  # fmt: skip
__dir__ = listing(__name__)
