"""The verifier: every rule it states is broken once, in trees built by hand."""

# ruff: noqa: E501  (MLIR lines are not broken)
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lazir.compiler.errors import VerifyError
from lazir.compiler.mlir.ir import Block, Loc, Module, Op, Symbol, Typed, Value, function
from lazir.compiler.mlir.parser import parse_module
from lazir.compiler.mlir.verify import verify
from lazir.compiler.types import (
    FunctionType,
    MemRefType,
    TensorType,
    VectorType,
    f32,
    f64,
    i1,
    i32,
    index,
    ui8,
)

BUFFER = MemRefType((4, 8), f32)


class Tree:
    """A function with some arguments, into which a test puts broken operations."""

    def __init__(self) -> None:
        types = [f32, f64, i32, index, i1, BUFFER, VectorType((4,), f32), TensorType((4,), f32)]
        self.function = function("f", types, [])
        names = ["x", "d", "n", "i", "c", "m", "v", "t"]
        self.values = dict(zip(names, self.function.regions[0].args))
        self.module = Module([self.function])

    def __getitem__(self, name: str) -> Value:
        return self.values[name]

    def add(self, name: str, operands: str = "", types: Any = (), **rest: Any) -> Op:
        op = Op(name, [self.values[n] for n in operands.split()], types, **rest)
        self.function.regions[0].ops.append(op)
        return op

    def verify(self) -> None:
        self.function.regions[0].ops.append(Op("func.return"))
        verify(self.module)


def block(*ops: Op, args: Any = ()) -> Block:
    return Block([Value(t) for t in args], list(ops))


def test_a_good_function_passes() -> None:
    tree = Tree()
    tree.add("arith.addf", "x x", [f32])
    tree.add("memref.load", "m i i", [f32])
    tree.add("lz.thing", "x n", [ui8], attrs={"a": 1})
    tree.verify()


BROKEN: dict[str, tuple[Callable[[Tree], Any], str]] = {
    "unknown operation": (lambda t: t.add("foo.bar", "x"), "unknown operation"),
    "unknown operation of a known dialect": (lambda t: t.add("arith.plus", "x x", [f32]), "unknown"),
    "operand count": (lambda t: t.add("arith.addf", "x", [f32]), "1 operands do not fit"),
    "result count": (lambda t: t.add("arith.addf", "x x", [f32, f32]), "2 results do not fit"),
    "operand class": (lambda t: t.add("arith.addf", "n n", [i32]), "lhs must be floats, not i32"),
    "unsigned in arith": (
        lambda t: t.add("arith.addi", "", [], attrs={}), "operands do not fit"),
    "operands differ": (lambda t: t.add("arith.addf", "x d", [f32]), "must agree"),
    "result differs": (lambda t: t.add("arith.addf", "x x", [f64]), "must agree"),
    "missing attribute": (lambda t: t.add("arith.cmpi", "n n", [i1]), "predicate is missing"),
    "unknown predicate": (
        lambda t: t.add("arith.cmpi", "n n", [i1], attrs={"predicate": "lt"}), "one of eq, ne"),
    "float predicate on integers": (
        lambda t: t.add("arith.cmpi", "n n", [i1], attrs={"predicate": "olt"}), "one of eq, ne"),
    "compare result": (
        lambda t: t.add("arith.cmpi", "n n", [i32], attrs={"predicate": "eq"}), "must be i1"),
    "licence": (
        lambda t: t.add("arith.addf", "x x", [f32], attrs={"fastmath": "fast"}), "not known here"),
    "constant type": (
        lambda t: t.add("arith.constant", "", [f32], attrs={"value": Typed(1, i32)}), "expected i32"),
    "select condition": (
        lambda t: t.add("arith.select", "c v v", [VectorType((5,), f32)]), "must agree"),
    "narrowing extension": (lambda t: t.add("arith.extf", "d", [f32]), "not wider"),
    "cast without index": (lambda t: t.add("arith.index_cast", "n", [i32]), "must be index"),
    "index count": (lambda t: t.add("memref.load", "m i", [f32]), "1 indices into"),
    "index type": (lambda t: t.add("memref.load", "m i n", [f32]), "must be index"),
    "loaded type": (lambda t: t.add("memref.load", "m i i", [f64]), "expected f32"),
    "stored type": (lambda t: t.add("memref.store", "d m i i"), "expected f32"),
    "vector element": (
        lambda t: t.add("vector.load", "m i i", [VectorType((4,), f64)]), "differ"),
    "mask shape": (
        lambda t: t.add("vector.create_mask", "i i", [VectorType((4,), i1)]), "one operand a dimension"),
    "shuffle mask": (
        lambda t: t.add("vector.shuffle", "v v", [VectorType((1,), f32)], attrs={"mask": (8,)}),
        "the mask picks"),
    "extract position": (
        lambda t: t.add("vector.extract", "v", [f32], attrs={"static_position": (4,)}), "not inside"),
    "broadcast": (lambda t: t.add("vector.broadcast", "v", [VectorType((4, 5), f32)]), "broadcast"),
    "reduction kind": (
        lambda t: t.add("vector.reduction", "v", [f32], attrs={"kind": "and"}), "does not act on"),
    "undefined operand": (
        lambda t: t.function.regions[0].ops.append(Op("arith.negf", [Value(f32)], [f32])),
        "operand 0 is not defined"),
    "slice out of bounds": (
        lambda t: t.add("tensor.extract_slice", "t", [TensorType((2,), f32)], attrs={
            "static_offsets": (3,), "static_sizes": (2,), "static_strides": (1,)}),
        "the window does not fit"),
    "call of nothing": (
        lambda t: t.add("func.call", "x", [], attrs={"callee": Symbol("g")}), "no func.func"),
    "call types": (
        lambda t: t.add("func.call", "x", [], attrs={"callee": Symbol("f")}), "the arguments of @f"),
    "early terminator": (lambda t: t.add("func.return"), "operations follow it"),
    "if without yield": (
        lambda t: t.add("scf.if", "c", regions=[block(), block()]), "must end with scf.yield"),
    "if without else": (
        lambda t: t.add("scf.if", "c", [f32], regions=[block(Op("scf.yield", [t["x"]])), block()]),
        "has an `else`"),
    "yielded type": (
        lambda t: t.add("scf.if", "c", [f32], regions=[
            block(Op("scf.yield", [t["x"]])), block(Op("scf.yield", [t["d"]]))]),
        "gives (f64) to scf.if, expected (f32)"),
    "loop counter": (
        lambda t: t.add("scf.for", "i i i", regions=[block(Op("scf.yield"), args=[i32])]),
        "has arguments (i32), expected (index)"),
    "loop results": (
        lambda t: t.add("scf.for", "i i i x", [], regions=[block(Op("scf.yield"), args=[index])]),
        "as many results"),
    "loop terminator": (
        lambda t: t.add("scf.parallel", "i i i", regions=[block(Op("scf.yield"), args=[index])]),
        "must end with scf.reduce"),
    "region count": (
        lambda t: t.add("scf.for", "i i i"), "0 regions, expected 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken(name: str) -> None:
    build, message = BROKEN[name]
    tree = Tree()
    build(tree)
    with pytest.raises(VerifyError) as caught:
        tree.verify()
    assert message in str(caught.value)


def test_the_message_shows_the_operation_and_the_users_line() -> None:
    tree = Tree()
    op = tree.add("arith.addf", "x d", [f32])
    op.locs = (Loc("model.py", 3, 7),)
    with pytest.raises(VerifyError) as caught:
        tree.verify()
    text = str(caught.value)
    assert "arith.addf" in text
    assert "model.py:3:7" in text
    assert "\n  %" in text or '"arith.addf"(' in text


def test_values_of_an_inner_region_do_not_leave_it() -> None:
    tree = Tree()
    inner = Op("arith.negf", [tree["x"]], [f32])
    tree.add("scf.if", "c", regions=[block(inner, Op("scf.yield")), block()])
    tree.values["y"] = inner.result
    tree.add("arith.negf", "y", [f32])
    with pytest.raises(VerifyError, match="not defined before"):
        tree.verify()


def test_regions_of_lz_operations_are_closed() -> None:
    tree = Tree()
    tree.add("lz.while", "x", [f32], regions=[block(Op("lz.yield", [tree["x"]]))])
    with pytest.raises(VerifyError, match="not defined before"):
        tree.verify()


def test_one_operation_in_two_places() -> None:
    tree = Tree()
    op = tree.add("arith.negf", "x", [f32])
    tree.function.regions[0].ops.append(op)
    with pytest.raises(VerifyError, match="defined twice"):
        tree.verify()


def test_two_functions_of_one_name() -> None:
    ops = [function("f", [], []), function("f", [], [])]
    with pytest.raises(VerifyError, match="@f is defined twice"):
        verify(Module(ops))


def test_body_arguments_are_those_of_the_function_type() -> None:
    f = function("f", [f32], [])
    f.attrs["function_type"] = FunctionType((f64,), ())
    f.regions[0].ops.append(Op("func.return"))
    with pytest.raises(VerifyError, match="arguments"):
        verify(Module([f]))


def test_returned_types_are_those_of_the_function_type() -> None:
    f = function("f", [f32], [f64])
    f.regions[0].ops.append(Op("func.return", f.regions[0].args))
    with pytest.raises(VerifyError, match=r"gives \(f32\) to func.func"):
        verify(Module([f]))


GENERIC = """
func.func @f(%a: tensor<4x8xf32>, %e: tensor<4xf32>) -> tensor<4xf32> {{
  %0 = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{iterators}]}}
      ins(%a : tensor<4x8xf32>) outs(%e : tensor<4xf32>) {{
  ^bb0(%x: f32, %y: f32):
    linalg.yield %x : f32
  }} -> tensor<4xf32>
  return %0 : tensor<4xf32>
}}
"""
IJ, ROW, COLUMN = (f"affine_map<(i, j) -> ({r})>" for r in ("i, j", "i", "j"))


@pytest.mark.parametrize(
    "maps, iterators, message",
    [
        (f"{IJ}, {COLUMN}", '"parallel", "reduction"', "dimension d1 is 8 elsewhere and 4"),
        (IJ, '"parallel", "reduction"', "1 indexing maps for 2 operands"),
        (f"{IJ}, {ROW}", '"parallel"', "an indexing map takes 1 dimensions"),
        (f"{IJ}, {ROW}", '"parallel", "windowed"', 'must be a list of "parallel"'),
        (f"affine_map<(i, j) -> (i, i + j)>, {ROW}", '"parallel", "reduction"', "plain index"),
        (f"affine_map<(i, j) -> (i, j * 2)>, {IJ}", '"parallel", "parallel"', "gives 1 for"),
    ],
)
def test_linalg_maps(maps: str, iterators: str, message: str) -> None:
    parse_module(GENERIC.format(maps=f"{IJ}, {ROW}", iterators='"parallel", "reduction"'))
    with pytest.raises(ValueError) as caught:
        parse_module(GENERIC.format(maps=maps, iterators=iterators))
    assert message in str(caught.value)


def test_launches_name_kernels_and_pass_their_types() -> None:
    text = """
module attributes {gpu.container_module} {
  gpu.module @g {
    gpu.func @k(%a: memref<4xf32>) kernel {
      gpu.return
    }
  }
  func.func @f(%a: memref<TYPE>) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @g::@NAME blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%a : memref<TYPE>)
    return
  }
}
"""
    verify(parse_module(text.replace("TYPE", "4xf32").replace("NAME", "k")))
    with pytest.raises(VerifyError, match="the arguments of @k"):
        verify(parse_module(text.replace("TYPE", "5xf32").replace("NAME", "k")))
    with pytest.raises(VerifyError, match=r"no gpu\.func"):
        verify(parse_module(text.replace("TYPE", "4xf32").replace("NAME", "l")))
