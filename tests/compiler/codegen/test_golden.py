"""Loop IR text in, LLVM IR text out, for fixed targets; written anew with LAZIR_UPDATE_GOLDEN=1."""

from __future__ import annotations

import os
import pathlib

import numpy as np
import pytest

from lazir.compiler.codegen.llvm import emit_llvm
from lazir.compiler.codegen.machine import parse
from lazir.compiler.codegen.ptx import emit_ptx_ir
from lazir.compiler.mlir.parser import parse_module
from lazir.compiler.mlir.printer import print_module
from lazir.compiler.target import named_target

FOLDER = pathlib.Path(__file__).parent / "golden"
CASES = [("row_sum", "x86-64-v3"), ("row_sum", "aarch64-neon"), ("warp_sum", "sm_80")]


def emitted(module, target):
    if target.is_gpu:
        return emit_ptx_ir(module, target)
    return emit_llvm(module, target, entry="run")


@pytest.mark.parametrize(("name", "machine"), CASES)
def test_text_is_as_recorded(name, machine):
    source = (FOLDER / f"{name}.mlir").read_text()
    target = named_target(machine)
    text = emitted(parse_module(source), target)
    path = FOLDER / f"{name}.{machine}.ll"
    if os.environ.get("LAZIR_UPDATE_GOLDEN") == "1":
        path.write_text(text)
    assert text == path.read_text()
    parse(text, verify=True)


@pytest.mark.parametrize(("name", "machine"), CASES)
def test_printed_module_gives_the_same_text(name, machine):
    module = parse_module((FOLDER / f"{name}.mlir").read_text())
    target = named_target(machine)
    for generic in (False, True):
        again = parse_module(print_module(module, generic=generic))
        assert emitted(again, target) == emitted(module, target)


def test_recorded_function_computes_its_tree(kit, target):
    """Bit for bit the summation tree that the text spells out."""
    module = parse_module((FOLDER / "row_sum.mlir").read_text())
    values = np.random.default_rng(0).standard_normal((5, 64)).astype(np.float32)
    got = np.zeros(5, np.float32)
    context = kit.Context(order=lambda n: reversed(range(n)))
    assert kit.Native(module, target)([values], [got], context) == 0
    lanes = np.zeros((5, 16), np.float32)
    for j in range(0, 64, 16):
        lanes += values[:, j : j + 16]
    while lanes.shape[1] > 1:
        half = lanes.shape[1] // 2
        lanes = lanes[:, :half] + lanes[:, half:]
    np.testing.assert_array_equal(got, lanes[:, 0] * np.float32(0.1))
    assert context.chunks == [5]
