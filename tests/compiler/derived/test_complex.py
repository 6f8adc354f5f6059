"""Every op on complex numbers, compiled, against the interpreter; and its text at every stage."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import run_compiled
from complex_examples import NAMES, draw, examples_of, hold, one_op

from lazir.compiler.opdef import OPS
from lazir.compiler.pipeline import Compilation
from lazir.compiler.start import READABLE
from lazir.compiler.target import named_target


@pytest.mark.parametrize("name", NAMES)
def test_compiled_is_interpreted(name):
    rng = np.random.default_rng(11)
    examples = examples_of(name)
    assert examples
    for types, attrs in examples:
        graph = one_op(name, types, attrs)
        inputs = [draw(rng, t, OPS[name].domain) for t in types]
        hold(graph, inputs, run_compiled(graph, inputs))


@pytest.mark.parametrize("name", ["mul", "dot_general", "sort", "convert", "constant", "select"])
def test_text_of_every_stage_leads_to_the_same_program(name):
    types, attrs = next(e for e in examples_of(name) if e[1].get("num_keys", 0) < len(e[0]) + 1)
    target = named_target("x86-64-v3")
    whole = Compilation(one_op(name, types, attrs), target)
    for stage in READABLE:
        again = Compilation.from_text(whole.text(stage), stage, target)
        assert again.llvm == whole.llvm, stage
        assert again.start.types == whole.start.types, stage
