"""A device that cannot run programs is an error, never the CPU in its place."""

from __future__ import annotations

import pytest

from lazir import engine
from lazir.compiler.errors import LazirError
from lazir.compiler.graph import Builder
from lazir.compiler.ops.arithmetic import add
from lazir.compiler.types import f32, tensor


def test_a_gpu_program_is_text_and_does_not_run_on_the_cpu() -> None:
    b = Builder(name="twice")
    x = b.param(tensor(f32, 8))
    graph = b.graph([add(b, x, x)])
    assert ".visible .entry" in engine.text(graph, "ptx", "cuda")
    with pytest.raises(LazirError, match="not run yet"):
        engine.compile(graph, "cuda:0")
