"""Affine maps as text: `affine_map<(d0, d1) -> (d0 * 2 + 3, d1)>`.

Takes: an AffineMap. Gives: its text.
Must not know: tokens, operations.
"""

from __future__ import annotations

from .ir import AffineMap


def affine_text(map: AffineMap) -> str:
    """The text as upstream spells it; `+ d1 * -2` is written `- d1 * 2`.

    >>> affine_text(AffineMap(2, (((2, 0), 3), ((0, 1), 0))))
    'affine_map<(d0, d1) -> (d0 * 2 + 3, d1)>'
    """
    dims = ", ".join(f"d{i}" for i in range(map.dims))
    rows = ", ".join(_row_text(coefficients, constant) for coefficients, constant in map.rows)
    return f"affine_map<({dims}) -> ({rows})>"


def _row_text(coefficients: tuple[int, ...], constant: int) -> str:
    text = ""
    for i, factor in enumerate(coefficients):
        if not factor:
            continue
        size = abs(factor)
        term = f"d{i}" if size == 1 else f"d{i} * {size}"
        if text:
            text += f" {'-' if factor < 0 else '+'} {term}"
        else:
            text = term if factor > 0 else f"-d{i}" if size == 1 else f"d{i} * {factor}"
    if not text:
        return str(constant)
    if constant:
        text += f" {'-' if constant < 0 else '+'} {abs(constant)}"
    return text
