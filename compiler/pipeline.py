"""The stages in order, each a pure function: graph → optimized → kernels → loops → llvm → asm.

Takes: a Graph and a Target. Gives: the text of each stage, and a Program to run.
"""

from __future__ import annotations

STAGES = ("graph", "optimized", "kernels", "loops", "llvm", "asm")
