"""SciPy's layout, for programs that import it so, as JAX's do: `from lazir.scipy.special import
gammaln`, `from lazir.scipy import linalg, stats`. Modules are loaded when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..public import lazy_modules, listing

if TYPE_CHECKING:
    from . import integrate, interpolate, linalg, ndimage, signal, sparse, special, stats

__all__ = [
    "integrate", "interpolate", "linalg", "ndimage", "signal", "sparse", "special", "stats",
]  # fmt: skip
__dir__ = listing(__name__)
__getattr__ = lazy_modules(__name__)
