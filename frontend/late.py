"""What the methods of Tensor are bound to when lazir is imported.

Tensor is the lowest class of the frontend, so that every function can name it as its result; what
its methods do lies above it. Takes: four modules, each set once. Must not know: what they hold.
"""

from __future__ import annotations

from typing import Any

numpy: Any = None
"""`lazir.numpy`: operators, and the methods that are functions of the same name."""

indexing: Any = None
"""`lazir.numpy.indexing`: what brackets and `.at` do."""

methods: Any = None
"""`lazir.methods`: data, assignment, gradients, protocols."""

functional: Any = None
"""`lazir.nn.functional`: methods with PyTorch's names."""
