"""SciPy's layout of what lazir has elsewhere, for programs that import it so, as JAX's do:
`from lazir.scipy.special import gammaln`, `from lazir.scipy import linalg, stats`.
"""

from __future__ import annotations

from ..public import listing
from . import linalg, special

__all__ = ["linalg", "special"]
__dir__ = listing(__name__)
