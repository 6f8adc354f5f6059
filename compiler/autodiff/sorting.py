"""`sort` under differentiation: the sort that gives the outputs gives the places of tangents too.

Takes: the rule of its record. Gives: an entry of `rules.py`. Must not know: what the rule does.
"""

from ..ops.sort import with_tangents
from . import rules

rules.enter("sort", linearise=with_tangents)
