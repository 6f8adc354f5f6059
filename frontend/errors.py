"""The exceptions that lazir raises, under one name.

Takes nothing. Gives: exception classes. Must not know: where they are raised.
"""

from __future__ import annotations

from lazir.compiler.errors import (
    CheckError,
    DifferentiationError,
    LazirError,
    ParseError,
    ShapeError,
    TraceError,
    TypeRuleError,
    VerifyError,
)

from .apply import OutOfBounds
from .axes import AnnotationError
from .donated import DonationError
from .public import listing
from .views import AliasError

__all__ = [
    "AliasError",
    "AnnotationError",
    "CheckError",
    "DifferentiationError",
    "DonationError",
    "LazirError",
    "OutOfBounds",
    "ParseError",
    "ShapeError",
    "TraceError",
    "TypeRuleError",
    "VerifyError",
]
__dir__ = listing(__name__)
