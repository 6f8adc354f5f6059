"""Sequences of different lengths side by side.

Takes: lists of tensors. Gives: tensors with padding, and lists again. Must not know: modules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError

from ... import numpy as lnp
from ...public import listing
from ...tensor import Tensor

__all__ = ["pad_sequence", "unpad_sequence"]
__dir__ = listing(__name__)


def pad_sequence(
    sequences: Sequence[Any], batch_first: bool = False, padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:  # fmt: skip
    """Sequences (length, …) as one tensor (longest, batch, …), or (batch, longest, …).

    >>> import lazir as lz
    >>> a, b = lz.Tensor([1, 2, 3]), lz.Tensor([4])
    >>> print(lz.nn.utils.rnn.pad_sequence([a, b], batch_first=True))
    [[1 2 3]
     [4 0 0]]
    """
    if padding_side not in ("right", "left"):
        raise ValueError(f"padding_side is 'right' or 'left', not {padding_side!r}")
    given = [lnp.asarray(s) for s in sequences]
    if not given or any(not s.shape for s in given):
        raise ShapeError("pad_sequence needs sequences, each with an axis of time")
    longest = max(s.shape[0] for s in given)
    rows = []
    for s in given:
        missing = longest - s.shape[0]
        ends = (0, missing) if padding_side == "right" else (missing, 0)
        widths = [ends, *[(0, 0)] * (len(s.shape) - 1)]
        rows.append(lnp.pad(s, widths, constant_values=padding_value))
    return lnp.stack(rows, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The sequences that pad_sequence has joined, whose padding is on the right.

    >>> import lazir as lz
    >>> x = lz.Tensor([[1, 2, 3], [4, 0, 0]])
    >>> [s.tolist() for s in lz.nn.utils.rnn.unpad_sequence(x, [3, 1], batch_first=True)]
    [[1, 2, 3], [4]]
    """
    x = lnp.asarray(padded_sequences)
    rows = x if batch_first else lnp.swapaxes(x, 0, 1)
    return [rows[k, : int(n)] for k, n in enumerate(np.asarray(lengths))]
