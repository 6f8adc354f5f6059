"""`eigh` and `svd` under differentiation: one decomposition gives the results and their tangents.

Takes: the rules of their records. Gives: entries of `rules.py`. Must not know: what the rules do.
"""

from ..ops.eigen import eig_with_tangents
from ..ops.spectral import eigh_with_tangents, svd_with_tangents
from . import rules

rules.enter("eig", linearise=eig_with_tangents)
rules.enter("eigh", linearise=eigh_with_tangents)
rules.enter("svd", linearise=svd_with_tangents)
