"""Linear algebra with SciPy's names and arguments, as `jax.scipy.linalg` has them.

`from lazir.scipy import linalg`: what differs from `lazir.linalg` (NumPy's names) are defaults,
such as the upper triangle of `cholesky`, and what a function gives back. Everything takes stacks of
matrices and has derivatives; what has no answer gives infinities or NaN, never an error. SciPy's
`overwrite_…`, `check_finite` and `lapack_driver` are taken and change nothing.
"""

from __future__ import annotations

from typing import Any

from ...linalg import det, eigvals, inv, norm, svdvals
from ...public import listing
from .eigen import eig, eigh, eigh_tridiagonal, eigvalsh
from .equations import cho_factor, cho_solve, lu_factor, lu_solve, pinv, solve, solve_triangular
from .factors import cholesky, lu, polar, qr, svd
from .functions import expm, expm_frechet
from .patterns import block_diag, hilbert, toeplitz

__all__ = [
    "block_diag", "cho_factor", "cho_solve", "cholesky", "det", "eig", "eigh", "eigh_tridiagonal",
    "eigvals", "eigvalsh", "expm", "expm_frechet", "hilbert", "inv", "lu", "lu_factor", "lu_solve",
    "norm", "pinv", "polar", "qr", "solve", "solve_triangular", "svd", "svdvals", "toeplitz",
]  # fmt: skip
__dir__ = listing(__name__)

_SCHUR = ("funm", "hessenberg", "logm", "rsf2csf", "schur", "signm", "solve_sylvester", "sqrtm")


def __getattr__(name: str) -> Any:
    """Names that SciPy or JAX have and this module lacks, with the reason."""
    if name in _SCHUR:
        raise AttributeError(
            f"lazir.scipy.linalg has no {name}: lazir has no Schur decomposition; functions of "
            "symmetric matrices can be written with eigh, of diagonalizable ones with eig"
        )
    raise AttributeError(f"module 'lazir.scipy.linalg' has no attribute {name!r}")
