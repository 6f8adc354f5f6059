"""Text is enough: from the text of any stage the rest of the pipeline makes the same LLVM text."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lazir.compiler.errors import LazirError, ParseError, VerifyError
from lazir.compiler.graph import Graph
from lazir.compiler.pipeline import Compilation
from lazir.compiler.start import READABLE
from lazir.compiler.target import host_target
from lazir.compiler.types import FunctionType, f32, i1, i8, i32, tensor, ui8, ui32
from lazir.runtime.execute import LoadedProgram
from tests.compiler.kernel_programs import PROGRAMS, inputs_of, is_lowered
from tests.random_programs import random_graph

RANDOM = {
    f"random {seed}": graph
    for seed in range(700, 708)
    if is_lowered(graph := random_graph(seed).graph)
}
GRAPHS: dict[str, Graph] = PROGRAMS | RANDOM

READER = """\
import hashlib, json, pathlib, sys
from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import host_target
found = {}
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    again = Compilation.from_text(path.read_text(), path.suffix[1:], host_target())
    found[path.name] = hashlib.sha256(again.llvm.encode()).hexdigest()
print(json.dumps(found))
"""
"""Reads every text of a folder, in a process that knows nothing else of the programs."""

BY_HAND = """\
// A kernel written by hand: constants outside, one empty tensor for two operations.
#ij = affine_map<(i, j) -> (i, j)>
#i = affine_map<(i, j) -> (i)>
#k = affine_map<(k) -> (k)>
func.func private @total(%a: tensor<3x5xf32>) -> tensor<3xf32> attributes {lz.kind = "reduce"} {
  %zero = arith.constant 0.0 : f32
  %half = arith.constant 0.5 : f32
  %e = tensor.empty() : tensor<3xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<3xf32>) -> tensor<3xf32>
  %s = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]}
      ins(%a : tensor<3x5xf32>) outs(%f : tensor<3xf32>) {
  ^bb0(%v: f32, %t: f32):
    %q = arith.addf %t, %v : f32
    linalg.yield %q : f32
  } -> tensor<3xf32>
  %r = linalg.generic {indexing_maps = [#k, #k], iterator_types = ["parallel"]}
      ins(%s : tensor<3xf32>) outs(%e : tensor<3xf32>) {
  ^bb0(%v: f32, %t: f32):
    %q = arith.mulf %v, %half : f32
    linalg.yield %q : f32
  } -> tensor<3xf32>
  return %r : tensor<3xf32>
}
func.func @halves(%x: tensor<3x5xf32>) -> tensor<3xf32> {
  %0 = call @total(%x) : (tensor<3x5xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}
"""


def compiled(name: str) -> Compilation:
    return Compilation(GRAPHS[name], host_target())


@pytest.mark.parametrize("name", GRAPHS)
def test_every_stage_goes_on_alike(name: str) -> None:
    first = compiled(name)
    for stage in READABLE:
        text = first.text(stage)
        again = Compilation.from_text(text, stage, first.target)
        assert again.text(stage) == text, stage
        assert again.llvm == first.llvm, stage
        assert again.start.types == first.start.types, stage
        assert again.workspace_bytes == first.workspace_bytes, stage


def test_in_a_process_that_never_saw_the_function(tmp_path: Path) -> None:
    wanted = {}
    for name in GRAPHS:
        first = compiled(name)
        for stage in READABLE:
            path = tmp_path / f"{name.replace(' ', '_')}.{stage}"
            path.write_text(first.text(stage))
            wanted[path.name] = hashlib.sha256(first.llvm.encode()).hexdigest()
    done = subprocess.run(
        [sys.executable, "-c", READER, str(tmp_path)], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == wanted


def test_locations_change_nothing() -> None:
    first = compiled("softmax")
    for stage in READABLE:
        text = first.text(stage, locations=True)
        assert Compilation.from_text(text, stage, first.target).llvm == first.llvm


@pytest.mark.parametrize("stage", READABLE)
@pytest.mark.parametrize("name", ["unsigned_and_bools", "choices", "dense_layer"])
def test_a_program_from_text_runs(name: str, stage: str) -> None:
    """On arrays of the types that the program was made for, with the same bits."""
    first = compiled(name)
    again = Compilation.from_text(first.text(stage), stage, first.target)
    assert again.program.inputs == first.program.inputs
    assert again.program.outputs == first.program.outputs
    arrays = inputs_of(GRAPHS[name])
    wanted = LoadedProgram(first.program).call(arrays)
    found = LoadedProgram(again.program).call(arrays)
    for a, b in zip(found, wanted, strict=True):
        assert a.dtype == b.dtype and a.tobytes() == b.tobytes()


def test_types_are_noted_where_buffers_do_not_say_them() -> None:
    first = compiled("unsigned_and_bools")
    wide = tensor(ui32, 40)
    types = FunctionType(
        (tensor(ui8, 40), wide, tensor(i1, 40)), (wide, tensor(i1, 40), tensor(i1, 40))
    )
    for stage in ("kernels", "loops"):
        assert f"lz.types = {types}" in first.text(stage)
        assert "lz.types" not in compiled("softmax").text(stage)


def test_kernels_by_hand() -> None:
    made = Compilation.from_text(BY_HAND, "kernels", host_target())
    assert made.start.types == FunctionType((tensor(f32, 3, 5),), (tensor(f32, 3),))
    x = np.arange(15, dtype=np.float32).reshape(3, 5)
    (found,) = LoadedProgram(made.program).call([x])
    assert np.array_equal(found, x.sum(1) * np.float32(0.5))


# -- errors ---------------------------------------------------------------------------------------
def test_what_came_before_is_not_known() -> None:
    made = Compilation.from_text(BY_HAND, "kernels", host_target())
    for stage in ("graph", "optimized"):
        with pytest.raises(LazirError, match="read at the stage kernels"):
            made.text(stage)


def test_stages_have_names() -> None:
    made = compiled("softmax")
    with pytest.raises(LazirError, match="graph, optimized, kernels, loops, llvm"):
        made.text("kernel")
    with pytest.raises(LazirError, match="'llvm' is not read"):
        Compilation.from_text(made.llvm, "llvm", host_target())


@pytest.mark.parametrize("stage", READABLE)
def test_text_of_no_program_is_an_error(stage: str) -> None:
    with pytest.raises(ParseError, match=r"program\.mlir:1:1"):
        Compilation.from_text("nonsense", stage, host_target(), "program.mlir")
    with pytest.raises(LazirError, match="holds no function"):
        Compilation.from_text("", stage, host_target())


@pytest.mark.parametrize("stage", ["kernels", "loops"])
def test_broken_text_is_refused_before_it_is_compiled(stage: str) -> None:
    text = compiled("softmax").text(stage)
    broken = re.sub(r"(arith\.subf %\w+), (%\w+) : (\S+)", r"\1, %nowhere : \3", text, count=1)
    assert broken != text
    with pytest.raises((ParseError, VerifyError), match="nowhere"):
        Compilation.from_text(broken, stage, host_target())


def test_loops_say_which_arguments_are_inputs() -> None:
    text = compiled("softmax").text("loops")
    for old, new in (("lz.inputs = 1", "lz.other = 1"), ("lz.outputs = 1", "lz.outputs = 5")):
        with pytest.raises(VerifyError, match="how many of its arguments"):
            Compilation.from_text(text.replace(old, new), "loops", host_target())


def test_storage_types_stand_for_themselves() -> None:
    """Without a note, an i8 is an i8."""
    text = re.sub(
        r" attributes \{lz.types = [^}]*\}", "", compiled("unsigned_and_bools").text("kernels")
    )
    made = Compilation.from_text(text, "kernels", host_target())
    assert made.start.types.inputs == (tensor(i8, 40), tensor(i32, 40), tensor(i8, 40))
