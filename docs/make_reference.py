"""Writes docs/reference/ops.md, the table of all ops, from the op table.

    python docs/make_reference.py            # writes the page
    python docs/make_reference.py --check    # exit code 1 where the page is not current

Takes nothing. Gives: the page. Must not know: any particular op.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from lazir.compiler import autodiff, ops
from lazir.compiler.opdef import OPS, OpDef
from lazir.compiler.types import COMPLEX, DType

PAGE = Path(__file__).parent / "reference" / "ops.md"
HEAD = """\
# All ops

Everything in `lazir.numpy` and `lazir.nn` is composed of these {count} ops. This page is made from
the op table by `python docs/make_reference.py`.

*Derivative*: **linear** ops are linear in their operands, or in each of them; **yes** means a
declared linearisation, from which both modes follow; else the reason for none. *ULP* bounds the
error of a float result in units in the last place (of each term for sums and products); 0 is exact.
Complex results are off by a few units in the last place of their absolute value.
*Accepts* names the element types of the first operand.
"""
KINDS = ("bool", "int", "uint", "float", "complex")


def derivative(op: OpDef) -> str:
    """In a word, or the reason for none."""
    if op.linearise is None:
        return f"none: {op.no_gradient}"
    return "linear" if op.transpose is not None else "yes"


def accepts(dtypes: tuple[DType, ...]) -> str:
    """The kinds of element type; single ones where not the whole kind is meant."""
    known = {op_dtype for op in OPS.values() for op_dtype in op.dtypes}
    parts = []
    for kind in KINDS:
        mine = [d.name for d in dtypes if d.kind == kind]
        whole = {d.name for d in known if d.kind == kind}
        if mine:
            parts.append(kind if set(mine) == whole else " ".join(mine))
    return ", ".join(parts) or "any"


def row(op: OpDef) -> str:
    """One line of the table."""
    doc = " ".join(op.doc.split()).replace("|", "\\|")
    dtypes = op.dtypes if op.parts is None else tuple(dict.fromkeys((*op.dtypes, *COMPLEX)))
    return f"| `{op.name}` | {doc} | {accepts(dtypes)} | {derivative(op)} | {op.ulp:g} |"


def page() -> str:
    """The text of the whole page."""
    assert autodiff and ops  # imported for what they enter into the tables
    parts = [HEAD.format(count=len(OPS))]
    families = list(dict.fromkeys(op.family for op in OPS.values()))
    ordered = sorted(OPS.values(), key=lambda op: families.index(op.family))
    for family, members in groupby(ordered, key=lambda op: op.family):
        parts.append(f"## {family.capitalize()}\n")
        parts.append("| op | meaning | accepts | derivative | ULP |\n|---|---|---|---|---|")
        parts.append("\n".join(row(op) for op in members) + "\n")
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    text = page()
    if "--check" in arguments:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print("docs/reference/ops.md is out of date: run python docs/make_reference.py")
        return 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
