"""Linear algebra with NumPy's and JAX's names: `import lazir as lz; lz.linalg.solve(a, b)`.

Everything takes stacks of matrices, has derivatives, and becomes part of a compiled function, which
calls LAPACK without going back to Python. LAPACK is SciPy's: `pip install 'lazir[linalg]'`. Float32
and float64, complex64 and complex128. What has no answer (a singular matrix, one that is not
positive definite, no convergence) gives infinities or NaN, never an error.
"""

from __future__ import annotations

from ..numpy.linear import matmul, tensordot, vecdot
from ..numpy.manipulation import matrix_transpose
from ..public import listing
from .eigen import eig, eigvals
from .equations import (
    inv,
    lstsq,
    matrix_power,
    pinv,
    solve,
    solve_triangular,
    tensorinv,
    tensorsolve,
)
from .factors import cholesky, eigh, eigvalsh, lu, qr, svd, svdvals
from .measures import (
    cond,
    det,
    matrix_norm,
    matrix_rank,
    norm,
    slogdet,
    vector_norm,
)
from .products import cross, diagonal, multi_dot, outer, trace

__all__ = [
    "cholesky", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv",
    "lstsq", "lu", "matmul", "matrix_norm", "matrix_power", "matrix_rank", "matrix_transpose",
    "multi_dot", "norm", "outer", "pinv", "qr", "slogdet", "solve", "solve_triangular", "svd",
    "svdvals", "tensordot", "tensorinv", "tensorsolve", "trace", "vecdot", "vector_norm",
]  # fmt: skip
__dir__ = listing(__name__)
