"""Programs that the interpreter runs, for tests that are about formulas and names, not about code.

Takes: graphs, as `engine.compile` does. Gives: programs; `interpreter` sets them in the place of
compiled ones for one test. Must not know: what is tested.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

from lazir import engine, pending
from lazir.compiler.interpret import interpret


class Interpreted:
    """A program without code."""

    def __init__(self, graph: Any, *_: Any, **__: Any) -> None:
        self.graph = graph

    def call(self, arrays: Any, **_: Any) -> Any:
        return interpret(self.graph, arrays)


def interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let lazy tensors be computed by the interpreter until the test ends."""
    monkeypatch.setattr(engine, "compile", Interpreted)
    monkeypatch.setattr(pending, "_plans", OrderedDict())
