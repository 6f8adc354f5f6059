"""Running values and sorts as text of the stage kernels: how they look, and what reads back."""

from __future__ import annotations

import pytest

from lazir.compiler.errors import VerifyError
from lazir.compiler.fuse.kernels import to_kernels
from lazir.compiler.graph import Graph
from lazir.compiler.kernel import BACKWARD, PARALLEL, Kernel, Read
from lazir.compiler.kernel_sort import ORDERS, Sorting, sort_kernel, sorting_of
from lazir.compiler.kernel_text import kernels_to_module
from lazir.compiler.mlir.ir import AffineMap
from lazir.compiler.mlir.parser import parse_module
from lazir.compiler.mlir.printer import print_module
from lazir.compiler.passes import optimize
from lazir.compiler.program_parse import module_to_kernels
from lazir.compiler.types import TensorType, f32, i8, i32, i64, tensor
from tests.compiler.kernel_programs import graph_of

RUNNING = """\
func.func private @k0_cumsum(%arg0: tensor<3x5xi32>) -> tensor<3x5xi32> \
attributes {lz.kind = "cumulate"} {
  %c0 = arith.constant 0 : index
  %c5 = arith.constant 5 : index
  %c1 = arith.constant 1 : index
  %c0_i32 = arith.constant 0 : i32
  %c3 = arith.constant 3 : index
  %c2 = arith.constant 2 : index
  %0 = tensor.empty() : tensor<3x5xi32>
  %1 = scf.for %arg1 = %c0 to %c5 step %c1 iter_args(%arg2 = %0) -> (tensor<3x5xi32>) {
    %2:2 = scf.for %arg3 = %c0 to %c3 step %c1 \
iter_args(%arg4 = %arg2, %arg5 = %c0_i32) -> (tensor<3x5xi32>, i32) {
      %3 = arith.subi %c2, %arg3 : index
      %4 = tensor.extract %arg0[%3, %arg1] : tensor<3x5xi32>
      %5 = arith.addi %arg5, %4 : i32
      %6 = tensor.insert %5 into %arg4[%3, %arg1] : tensor<3x5xi32>
      scf.yield %6, %5 : tensor<3x5xi32>, i32
    }
    scf.yield %2#0 : tensor<3x5xi32>
  }
  return %1 : tensor<3x5xi32>
}
func.func @run(%x: tensor<3x5xi32>) -> tensor<3x5xi32> {
  %0 = call @k0_cumsum(%x) : (tensor<3x5xi32>) -> tensor<3x5xi32>
  return %0 : tensor<3x5xi32>
}
"""

SORT = """\
func.func private @k0_sort(tensor<4xi32>, tensor<4xf32>) -> (tensor<4xi32>, tensor<4xf32>) \
attributes {lz.axis = 0 : i64, lz.keys = ["signed", "float"], lz.kind = "sort"}
func.func @rows(%x: tensor<4xi32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0:2 = call @k0_sort(%x, %y) : (tensor<4xi32>, tensor<4xf32>) -> (tensor<4xi32>, tensor<4xf32>)
  return %0#1 : tensor<4xf32>
}
"""


def running() -> Graph:
    sums = graph_of("run", [tensor(i32, 3, 5)], lambda m, x: m.cumsum(x, axis=0, reverse=True))
    return to_kernels(optimize(sums))


def rows() -> Graph:
    made = graph_of(
        "rows",
        [tensor(i32, 4), tensor(f32, 4)],
        lambda m, x, y: m.many("sort", x, y, axis=0, num_keys=2)[1],
    )
    return to_kernels(optimize(made))


@pytest.mark.parametrize(("graph", "text"), [(running(), RUNNING), (rows(), SORT)])
def test_text_and_back(graph: Graph, text: str) -> None:
    assert print_module(kernels_to_module(graph)) == text
    again = module_to_kernels(parse_module(text))
    assert again.fingerprint == graph.fingerprint
    assert print_module(kernels_to_module(again)) == text


def test_what_is_read_of_a_running_value() -> None:
    kernel: Kernel = module_to_kernels(parse_module(RUNNING)).nodes[0].attrs["kernel"]
    (generic,) = kernel.generics
    assert generic.dims == (3, 5)
    assert generic.kinds == (BACKWARD, PARALLEL)
    assert generic.reads == (Read(0, AffineMap.identity(2)),)
    assert generic.running_dim == 0


def test_constants_may_stand_inside_of_loops() -> None:
    text = RUNNING.replace("  %c2 = arith.constant 2 : index\n", "").replace(
        "      %3 = arith.subi",
        "      %k = arith.constant 0 : i32\n      %3 = arith.subi",
    )
    moved = text.replace(
        "    %2:2 = scf.for", "    %c2 = arith.constant 2 : index\n    %2:2 = scf.for"
    )
    assert moved != text
    assert module_to_kernels(parse_module(moved)).fingerprint == running().fingerprint


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("%5 = arith.addi %arg5, %4 : i32\n      %6 = tensor.insert %5",
         "%5 = arith.addi %arg5, %4 : i32\n      %6 = tensor.insert %4", "these"),
        ("into %arg4[%3, %arg1]", "into %arg4[%c0, %arg1]", "own indices"),
        ("into %arg4[", "into %arg2[", "these"),
        ("scf.yield %2#0", "scf.yield %arg2", "one in another"),
        ("%arg3 = %c0 to", "%arg3 = %c1 to", "from 0 by 1"),
        ("iter_args(%arg2 = %0)", "iter_args(%arg2 = %arg0)", "tensor.empty"),
        ('"cumulate"', '"map"', "no place in a kernel of this kind"),
    ],
)  # fmt: skip
def test_running_values_of_another_form(old: str, new: str, message: str) -> None:
    text = RUNNING.replace(old, new)
    assert text != RUNNING
    with pytest.raises(VerifyError, match=message):
        module_to_kernels(parse_module(text))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lz.axis = 0 : i64", "lz.axis = 1 : i64", "one of its axes"),
        ("lz.axis = 0 : i64, ", "", "one of its axes"),
        ('["signed", "float"]', "[]", "order of each key"),
        ('["signed", "float"]', '["float", "float"]', "not how i32 is ordered"),
        ('["signed", "float"]', '["up"]', "not how i32 is ordered"),
        ('"sort"', '"map"', "has a body"),
    ],
)
def test_sorts_of_another_form(old: str, new: str, message: str) -> None:
    text = SORT.replace(old, new)
    assert text != SORT
    with pytest.raises(VerifyError, match=message):
        module_to_kernels(parse_module(text))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_a_sort_goes_by_is_found_again(count: int) -> None:
    types = [TensorType((2, 5), t) for t in (f32, i8, i64)]
    for axis in (0, 1):
        for integers in (ORDERS[1:], ORDERS[:0:-1]):
            orders = ("float", *integers)[:count]
            kernel = sort_kernel("sort", types, axis, orders)
            assert sorting_of(kernel) == Sorting(axis, orders)
