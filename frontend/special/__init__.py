"""Special functions with SciPy's and JAX's names and with derivatives: `lz.special.gammaln(x)`.

Everything works elementwise on tensors of any shape, which broadcast; integers become floats, and
16-bit floats are computed in float32. Each function says how accurate it is. The same module is
`lazir.scipy.special`.
"""

from __future__ import annotations

from ..numpy import i0
from ..numpy.functions import sinc
from ..public import listing
from .gammas import (
    beta,
    betaln,
    digamma,
    factorial,
    gamma,
    gammaln,
    gammasgn,
    multigammaln,
    poch,
    polygamma,
    zeta,
)
from .incomplete import betainc, gammainc, gammaincc
from .integrals import exp1, expi, spence
from .logs import (
    entr,
    expit,
    kl_div,
    log_expit,
    log_softmax,
    logit,
    logsumexp,
    rel_entr,
    softmax,
    xlog1py,
    xlogy,
)
from .normals import erf, erfc, erfinv, i0e, i1, i1e, log_ndtr, ndtr, ndtri

lgamma = gammaln

__all__ = [
    "beta", "betainc", "betaln", "digamma", "entr", "erf", "erfc", "erfinv", "exp1", "expi",
    "expit", "factorial", "gamma", "gammainc", "gammaincc", "gammaln", "gammasgn", "i0", "i0e",
    "i1", "i1e", "kl_div", "lgamma", "log_expit", "log_ndtr", "log_softmax", "logit", "logsumexp",
    "multigammaln", "ndtr", "ndtri", "poch", "polygamma", "rel_entr", "sinc", "softmax", "spence",
    "xlog1py", "xlogy", "zeta",
]  # fmt: skip
__dir__ = listing(__name__)
