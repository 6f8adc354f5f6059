"""For mkdocstrings: `>>>` examples of docstrings become fenced code, wherever in the text they are.

Takes: docstrings, as griffe has read them. Gives: the same with fences. Must not know: any module.
"""

from __future__ import annotations

import inspect
from typing import Any

import griffe


def fenced(text: str) -> str:
    """Each example, from its first `>>>` to the next empty line, between fences."""
    lines: list[str] = []
    inside = False
    for line in inspect.cleandoc(text).splitlines():
        if not inside and line.startswith(">>> "):
            lines.append("```pycon")
            inside = True
        elif inside and not line.strip():
            lines.append("```")
            inside = False
        lines.append(line)
    return "\n".join([*lines, "```"] if inside else lines)


class FenceExamples(griffe.Extension):
    """Runs over every object when griffe has read it."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)
