"""Before and after of each pass, as text."""

import numpy as np
import pytest

from lazir.compiler.interpret import interpret
from lazir.compiler.mlir.parser import parse_module
from lazir.compiler.mlir.printer import print_module
from lazir.compiler.passes import GRAPH_PASSES
from lazir.compiler.text import graph_to_module, module_to_graph
from lazir.compiler.verify import verify_graph

CASES = {}


def case(name, run, before, after):
    CASES[name] = (run, before.strip() + "\n", after.strip() + "\n")


case(
    "fold computes what every machine computes alike, and not exp",
    "fold",
    """
func.func @f() -> (tensor<f32>, tensor<f32>, tensor<2xi32>, tensor<3xf32>) {
  %0 = "lz.constant"() {value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
  %1 = "lz.constant"() {value = dense<3.0> : tensor<f32>} : () -> tensor<f32>
  %2 = "lz.add"(%0, %1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %3 = "lz.exp"(%2) : (tensor<f32>) -> tensor<f32>
  %4 = "lz.constant"() {value = dense<[5, 7]> : tensor<2xi32>} : () -> tensor<2xi32>
  %5 = "lz.reverse"(%4) {axes = array<i64: 0>} : (tensor<2xi32>) -> tensor<2xi32>
  %6 = "lz.broadcast"(%0) {axes = array<i64>} : (tensor<f32>) -> tensor<3xf32>
  %7 = "lz.broadcast"(%1) {axes = array<i64>} : (tensor<f32>) -> tensor<3xf32>
  %8 = "lz.mul"(%6, %7) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %2, %3, %5, %8 : tensor<f32>, tensor<f32>, tensor<2xi32>, tensor<3xf32>
}""",
    """
func.func @f() -> (tensor<f32>, tensor<f32>, tensor<2xi32>, tensor<3xf32>) {
  %0 = "lz.constant"() {value = dense<5.0> : tensor<f32>} : () -> tensor<f32>
  %1 = "lz.exp"(%0) : (tensor<f32>) -> tensor<f32>
  %2 = "lz.constant"() {value = dense<[7, 5]> : tensor<2xi32>} : () -> tensor<2xi32>
  %3 = "lz.constant"() {value = dense<6.0> : tensor<f32>} : () -> tensor<f32>
  %4 = "lz.broadcast"(%3) {axes = array<i64>} : (tensor<f32>) -> tensor<3xf32>
  return %0, %1, %2, %4 : tensor<f32>, tensor<f32>, tensor<2xi32>, tensor<3xf32>
}""",
)
case(
    "fold makes no NaN, nothing in f16, no float sums",
    "fold",
    """
func.func @f() -> (tensor<f32>, tensor<f16>, tensor<f32>) {
  %0 = "lz.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
  %1 = "lz.div"(%0, %0) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %2 = "lz.constant"() {value = dense<1.0> : tensor<f16>} : () -> tensor<f16>
  %3 = "lz.add"(%2, %2) : (tensor<f16>, tensor<f16>) -> tensor<f16>
  %4 = "lz.constant"() {value = dense<[1.0, 2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %5 = "lz.reduce_sum"(%4) {axes = array<i64: 0>} : (tensor<2xf32>) -> tensor<f32>
  return %1, %3, %5 : tensor<f32>, tensor<f16>, tensor<f32>
}""",
    """
func.func @f() -> (tensor<f32>, tensor<f16>, tensor<f32>) {
  %0 = "lz.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
  %1 = "lz.div"(%0, %0) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %2 = "lz.constant"() {value = dense<1.0> : tensor<f16>} : () -> tensor<f16>
  %3 = "lz.add"(%2, %2) : (tensor<f16>, tensor<f16>) -> tensor<f16>
  %4 = "lz.constant"() {value = dense<[1.0, 2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %5 = "lz.reduce_sum"(%4) {axes = array<i64: 0>} : (tensor<2xf32>) -> tensor<f32>
  return %1, %3, %5 : tensor<f32>, tensor<f16>, tensor<f32>
}""",
)
case(
    "split takes complex numbers apart between the borders of the program",
    "split",
    """
func.func @f(%z: tensor<3xcomplex<f32>>) -> (tensor<3xcomplex<f32>>, tensor<3xf32>) {
  %0 = "lz.neg"(%z) : (tensor<3xcomplex<f32>>) -> tensor<3xcomplex<f32>>
  %1 = "lz.imag"(%0) : (tensor<3xcomplex<f32>>) -> tensor<3xf32>
  return %z, %1 : tensor<3xcomplex<f32>>, tensor<3xf32>
}""",
    """
func.func @f(%z: tensor<3xcomplex<f32>>) -> (tensor<3xcomplex<f32>>, tensor<3xf32>) {
  %0 = "lz.as_pairs"(%z) : (tensor<3xcomplex<f32>>) -> tensor<3x2xf32>
  %1 = "lz.slice"(%0) {limit = array<i64: 3, 2>, start = array<i64: 0, 1>, stride = array<i64: 1, 1>} : (tensor<3x2xf32>) -> tensor<3x1xf32>
  %2 = "lz.reshape"(%1) : (tensor<3x1xf32>) -> tensor<3xf32>
  %3 = "lz.neg"(%2) : (tensor<3xf32>) -> tensor<3xf32>
  return %z, %3 : tensor<3xcomplex<f32>>, tensor<3xf32>
}""",  # noqa: E501
)
case(
    "decompose inlines calls, also within bodies",
    "decompose",
    """
func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = "lz.call"(%x) ({
  ^bb0(%u: tensor<2xf32>):
    %1 = "lz.checkpoint"(%u) ({
    ^bb0(%v: tensor<2xf32>):
      %2 = "lz.neg"(%v) : (tensor<2xf32>) -> tensor<2xf32>
      "lz.yield"(%2) : (tensor<2xf32>) -> ()
    }) : (tensor<2xf32>) -> tensor<2xf32>
    "lz.yield"(%1) : (tensor<2xf32>) -> ()
  }) {name = "inner"} : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}""",
    """
func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = "lz.neg"(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}""",
)
case(
    "trim drops a carry that only feeds itself, a fixed one, and an unread input",
    "trim",
    """
func.func @f(%w: tensor<f32>, %a: tensor<f32>, %i: tensor<i32>, %k: tensor<f32>, %xs: tensor<4xf32>) -> (tensor<f32>, tensor<f32>) {
  %0:4 = "lz.scan"(%w, %a, %i, %k, %xs) ({
  ^bb0(%v: tensor<f32>, %c: tensor<f32>, %j: tensor<i32>, %l: tensor<f32>, %x: tensor<f32>):
    %1 = "lz.mul"(%c, %l) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %2 = "lz.add"(%j, %j) : (tensor<i32>, tensor<i32>) -> tensor<i32>
    %3 = "lz.neg"(%x) : (tensor<f32>) -> tensor<f32>
    "lz.yield"(%1, %2, %l, %3) : (tensor<f32>, tensor<i32>, tensor<f32>, tensor<f32>) -> ()
  }) {length = 4 : i64, n_carry = 3 : i64, n_const = 1 : i64, reverse = false} : (tensor<f32>, tensor<f32>, tensor<i32>, tensor<f32>, tensor<4xf32>) -> (tensor<f32>, tensor<i32>, tensor<f32>, tensor<4xf32>)
  return %0#0, %0#2 : tensor<f32>, tensor<f32>
}""",  # noqa: E501
    """
func.func @f(%w: tensor<f32>, %a: tensor<f32>, %i: tensor<i32>, %k: tensor<f32>, %xs: tensor<4xf32>) -> (tensor<f32>, tensor<f32>) {
  %0 = "lz.scan"(%k, %a) ({
  ^bb0(%l: tensor<f32>, %c: tensor<f32>):
    %1 = "lz.mul"(%c, %l) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "lz.yield"(%1) : (tensor<f32>) -> ()
  }) {length = 4 : i64, n_carry = 1 : i64, n_const = 1 : i64, reverse = false} : (tensor<f32>, tensor<f32>) -> tensor<f32>
  return %0, %k : tensor<f32>, tensor<f32>
}""",  # noqa: E501
)
case(
    "trim takes the branch of a constant condition and drops what no branch reads",
    "trim",
    """
func.func @f(%p: tensor<i1>, %x: tensor<f32>, %y: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<f32>) {
  %0 = "lz.constant"() {value = dense<true> : tensor<i1>} : () -> tensor<i1>
  %1 = "lz.cond"(%0, %x) ({
  ^bb0(%u: tensor<f32>):
    "lz.yield"(%u) : (tensor<f32>) -> ()
  }, {
  ^bb0(%u: tensor<f32>):
    %2 = "lz.neg"(%u) : (tensor<f32>) -> tensor<f32>
    "lz.yield"(%2) : (tensor<f32>) -> ()
  }) : (tensor<i1>, tensor<f32>) -> tensor<f32>
  %3:3 = "lz.cond"(%p, %x, %y) ({
  ^bb0(%u: tensor<f32>, %v: tensor<f32>):
    %4 = "lz.exp"(%v) : (tensor<f32>) -> tensor<f32>
    "lz.yield"(%u, %v, %4) : (tensor<f32>, tensor<f32>, tensor<f32>) -> ()
  }, {
  ^bb0(%u: tensor<f32>, %v: tensor<f32>):
    %4 = "lz.neg"(%u) : (tensor<f32>) -> tensor<f32>
    "lz.yield"(%4, %v, %v) : (tensor<f32>, tensor<f32>, tensor<f32>) -> ()
  }) : (tensor<i1>, tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<f32>)
  return %1, %3#0, %3#1 : tensor<f32>, tensor<f32>, tensor<f32>
}""",  # noqa: E501
    """
func.func @f(%p: tensor<i1>, %x: tensor<f32>, %y: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<f32>) {
  %0 = "lz.neg"(%x) : (tensor<f32>) -> tensor<f32>
  %1 = "lz.cond"(%p, %x) ({
  ^bb0(%u: tensor<f32>):
    "lz.yield"(%u) : (tensor<f32>) -> ()
  }, {
  ^bb0(%u: tensor<f32>):
    %2 = "lz.neg"(%u) : (tensor<f32>) -> tensor<f32>
    "lz.yield"(%2) : (tensor<f32>) -> ()
  }) : (tensor<i1>, tensor<f32>) -> tensor<f32>
  return %0, %1, %y : tensor<f32>, tensor<f32>, tensor<f32>
}""",  # noqa: E501
)
case(
    "trim keeps a carry that the condition reads",
    "trim",
    """
func.func @f(%n: tensor<i32>, %x: tensor<f32>, %z: tensor<f32>) -> tensor<f32> {
  %0:3 = "lz.while"(%n, %x, %z) ({
  ^bb0(%i: tensor<i32>, %u: tensor<f32>, %v: tensor<f32>):
    %1 = "lz.equal"(%i, %i) : (tensor<i32>, tensor<i32>) -> tensor<i1>
    "lz.yield"(%1) : (tensor<i1>) -> ()
  }, {
  ^bb0(%i: tensor<i32>, %u: tensor<f32>, %v: tensor<f32>):
    %1 = "lz.neg"(%i) : (tensor<i32>) -> tensor<i32>
    %2 = "lz.neg"(%u) : (tensor<f32>) -> tensor<f32>
    %3 = "lz.add"(%v, %u) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "lz.yield"(%1, %2, %3) : (tensor<i32>, tensor<f32>, tensor<f32>) -> ()
  }) {n_const = 0 : i64} : (tensor<i32>, tensor<f32>, tensor<f32>) -> (tensor<i32>, tensor<f32>, tensor<f32>)
  return %0#1 : tensor<f32>
}""",  # noqa: E501
    """
func.func @f(%n: tensor<i32>, %x: tensor<f32>, %z: tensor<f32>) -> tensor<f32> {
  %0:2 = "lz.while"(%n, %x) ({
  ^bb0(%i: tensor<i32>, %u: tensor<f32>):
    %1 = "lz.equal"(%i, %i) : (tensor<i32>, tensor<i32>) -> tensor<i1>
    "lz.yield"(%1) : (tensor<i1>) -> ()
  }, {
  ^bb0(%i: tensor<i32>, %u: tensor<f32>):
    %1 = "lz.neg"(%i) : (tensor<i32>) -> tensor<i32>
    %2 = "lz.neg"(%u) : (tensor<f32>) -> tensor<f32>
    "lz.yield"(%1, %2) : (tensor<i32>, tensor<f32>) -> ()
  }) {n_const = 0 : i64} : (tensor<i32>, tensor<f32>) -> (tensor<i32>, tensor<f32>)
  return %0#1 : tensor<f32>
}""",
)
case(
    "hoist takes invariant work out and leaves views and constants in",
    "hoist",
    """
func.func @f(%w: tensor<2xf32>, %a: tensor<3x2xf32>, %xs: tensor<4x3x2xf32>) -> tensor<3x2xf32> {
  %0 = "lz.scan"(%w, %a, %xs) ({
  ^bb0(%v: tensor<2xf32>, %c: tensor<3x2xf32>, %x: tensor<3x2xf32>):
    %1 = "lz.exp"(%v) : (tensor<2xf32>) -> tensor<2xf32>
    %2 = "lz.broadcast"(%1) {axes = array<i64: 1>} : (tensor<2xf32>) -> tensor<3x2xf32>
    %3 = "lz.mul"(%c, %2) : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
    %4 = "lz.add"(%3, %x) : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
    "lz.yield"(%4) : (tensor<3x2xf32>) -> ()
  }) {length = 4 : i64, n_carry = 1 : i64, n_const = 1 : i64, reverse = false} : (tensor<2xf32>, tensor<3x2xf32>, tensor<4x3x2xf32>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}""",  # noqa: E501
    """
func.func @f(%w: tensor<2xf32>, %a: tensor<3x2xf32>, %xs: tensor<4x3x2xf32>) -> tensor<3x2xf32> {
  %0 = "lz.exp"(%w) : (tensor<2xf32>) -> tensor<2xf32>
  %1 = "lz.scan"(%0, %a, %xs) ({
  ^bb0(%arg0: tensor<2xf32>, %c: tensor<3x2xf32>, %x: tensor<3x2xf32>):
    %2 = "lz.broadcast"(%arg0) {axes = array<i64: 1>} : (tensor<2xf32>) -> tensor<3x2xf32>
    %3 = "lz.mul"(%c, %2) : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
    %4 = "lz.add"(%3, %x) : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
    "lz.yield"(%4) : (tensor<3x2xf32>) -> ()
  }) {length = 4 : i64, n_carry = 1 : i64, n_const = 1 : i64, reverse = false} : (tensor<2xf32>, tensor<3x2xf32>, tensor<4x3x2xf32>) -> tensor<3x2xf32>
  return %1 : tensor<3x2xf32>
}""",  # noqa: E501
)
case(
    "narrow compares places in i32, and nothing that may be larger",
    "narrow",
    """
func.func @f(%n: tensor<i64>) -> (tensor<4x4xi1>, tensor<4x4xi1>) {
  %0 = "lz.iota"() {axis = 1 : i64} : () -> tensor<4x4xi64>
  %1 = "lz.iota"() {axis = 0 : i64} : () -> tensor<4x4xi64>
  %2 = "lz.constant"() {value = dense<2> : tensor<i64>} : () -> tensor<i64>
  %3 = "lz.broadcast"(%2) {axes = array<i64>} : (tensor<i64>) -> tensor<4x4xi64>
  %4 = "lz.add"(%1, %3) : (tensor<4x4xi64>, tensor<4x4xi64>) -> tensor<4x4xi64>
  %5 = "lz.less_equal"(%0, %4) : (tensor<4x4xi64>, tensor<4x4xi64>) -> tensor<4x4xi1>
  %6 = "lz.broadcast"(%n) {axes = array<i64>} : (tensor<i64>) -> tensor<4x4xi64>
  %7 = "lz.less"(%0, %6) : (tensor<4x4xi64>, tensor<4x4xi64>) -> tensor<4x4xi1>
  return %5, %7 : tensor<4x4xi1>, tensor<4x4xi1>
}""",
    """
func.func @f(%n: tensor<i64>) -> (tensor<4x4xi1>, tensor<4x4xi1>) {
  %0 = "lz.iota"() {axis = 1 : i64} : () -> tensor<4x4xi32>
  %1 = "lz.iota"() {axis = 0 : i64} : () -> tensor<4x4xi32>
  %2 = "lz.constant"() {value = dense<2> : tensor<i64>} : () -> tensor<i64>
  %3 = "lz.convert"(%2) : (tensor<i64>) -> tensor<i32>
  %4 = "lz.broadcast"(%3) {axes = array<i64>} : (tensor<i32>) -> tensor<4x4xi32>
  %5 = "lz.add"(%1, %4) : (tensor<4x4xi32>, tensor<4x4xi32>) -> tensor<4x4xi32>
  %6 = "lz.less_equal"(%0, %5) : (tensor<4x4xi32>, tensor<4x4xi32>) -> tensor<4x4xi1>
  %7 = "lz.iota"() {axis = 1 : i64} : () -> tensor<4x4xi64>
  %8 = "lz.broadcast"(%n) {axes = array<i64>} : (tensor<i64>) -> tensor<4x4xi64>
  %9 = "lz.less"(%7, %8) : (tensor<4x4xi64>, tensor<4x4xi64>) -> tensor<4x4xi1>
  return %6, %9 : tensor<4x4xi1>, tensor<4x4xi1>
}""",
)
case(
    "narrow decides by the range of a counter, and leaves what is open",
    "narrow",
    """
func.func @f(%x: tensor<9xi64>) -> (tensor<i64>, tensor<i64>) {
  %0 = "lz.constant"() {value = dense<0> : tensor<i64>} : () -> tensor<i64>
  %1:3 = "lz.scan"(%x, %0, %0, %0) ({
  ^bb0(%arg0: tensor<9xi64>, %arg1: tensor<i64>, %arg2: tensor<i64>, %arg3: tensor<i64>):
    %2 = "lz.constant"() {value = dense<1> : tensor<i64>} : () -> tensor<i64>
    %3 = "lz.constant"() {value = dense<0> : tensor<i64>} : () -> tensor<i64>
    %4 = "lz.constant"() {value = dense<9> : tensor<i64>} : () -> tensor<i64>
    %5 = "lz.less"(%arg1, %3) : (tensor<i64>, tensor<i64>) -> tensor<i1>
    %6 = "lz.add"(%arg1, %4) : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %7 = "lz.select"(%5, %6, %arg1) : (tensor<i1>, tensor<i64>, tensor<i64>) -> tensor<i64>
    %8 = "lz.minimum"(%7, %4) : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %9 = "lz.constant"() {value = dense<7> : tensor<i64>} : () -> tensor<i64>
    %10 = "lz.minimum"(%7, %9) : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %11 = "lz.add"(%arg1, %2) : (tensor<i64>, tensor<i64>) -> tensor<i64>
    "lz.yield"(%11, %8, %10) : (tensor<i64>, tensor<i64>, tensor<i64>) -> ()
  }) {length = 9 : i64, n_carry = 3 : i64, n_const = 1 : i64, reverse = false} : (tensor<9xi64>, tensor<i64>, tensor<i64>, tensor<i64>) -> (tensor<i64>, tensor<i64>, tensor<i64>)
  return %1#1, %1#2 : tensor<i64>, tensor<i64>
}""",  # noqa: E501
    """
func.func @f(%x: tensor<9xi64>) -> (tensor<i64>, tensor<i64>) {
  %0 = "lz.constant"() {value = dense<0> : tensor<i64>} : () -> tensor<i64>
  %1:3 = "lz.scan"(%x, %0, %0, %0) ({
  ^bb0(%arg0: tensor<9xi64>, %arg1: tensor<i64>, %arg2: tensor<i64>, %arg3: tensor<i64>):
    %2 = "lz.constant"() {value = dense<1> : tensor<i64>} : () -> tensor<i64>
    %3 = "lz.add"(%arg1, %2) : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %4 = "lz.constant"() {value = dense<7> : tensor<i64>} : () -> tensor<i64>
    %5 = "lz.minimum"(%arg1, %4) : (tensor<i64>, tensor<i64>) -> tensor<i64>
    "lz.yield"(%3, %arg1, %5) : (tensor<i64>, tensor<i64>, tensor<i64>) -> ()
  }) {length = 9 : i64, n_carry = 3 : i64, n_const = 1 : i64, reverse = false} : (tensor<9xi64>, tensor<i64>, tensor<i64>, tensor<i64>) -> (tensor<i64>, tensor<i64>, tensor<i64>)
  return %1#1, %1#2 : tensor<i64>, tensor<i64>
}""",  # noqa: E501
)
case(
    "enter takes views of numbers into a loop, and leaves arrays outside",
    "enter",
    """
func.func @f(%i: tensor<i64>, %j: tensor<i64>, %x: tensor<3xi64>) -> tensor<2xi64> {
  %0 = "lz.broadcast"(%i) {axes = array<i64>} : (tensor<i64>) -> tensor<1xi64>
  %1 = "lz.broadcast"(%j) {axes = array<i64>} : (tensor<i64>) -> tensor<1xi64>
  %2 = "lz.concat"(%0, %1) {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %3 = "lz.reverse"(%x) {axes = array<i64: 0>} : (tensor<3xi64>) -> tensor<3xi64>
  %4 = "lz.scan"(%2, %3, %2) ({
  ^bb0(%arg0: tensor<2xi64>, %arg1: tensor<3xi64>, %arg2: tensor<2xi64>):
    %5 = "lz.slice"(%arg1) {limit = array<i64: 2>, start = array<i64: 0>, stride = array<i64: 1>} : (tensor<3xi64>) -> tensor<2xi64>
    %6 = "lz.add"(%arg2, %arg0) : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
    %7 = "lz.add"(%6, %5) : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
    "lz.yield"(%7) : (tensor<2xi64>) -> ()
  }) {length = 2 : i64, n_carry = 1 : i64, n_const = 2 : i64, reverse = false} : (tensor<2xi64>, tensor<3xi64>, tensor<2xi64>) -> tensor<2xi64>
  return %4 : tensor<2xi64>
}""",  # noqa: E501
    """
func.func @f(%i: tensor<i64>, %j: tensor<i64>, %x: tensor<3xi64>) -> tensor<2xi64> {
  %0 = "lz.reverse"(%x) {axes = array<i64: 0>} : (tensor<3xi64>) -> tensor<3xi64>
  %1 = "lz.broadcast"(%i) {axes = array<i64>} : (tensor<i64>) -> tensor<1xi64>
  %2 = "lz.broadcast"(%j) {axes = array<i64>} : (tensor<i64>) -> tensor<1xi64>
  %3 = "lz.concat"(%1, %2) {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %4 = "lz.scan"(%i, %j, %0, %3) ({
  ^bb0(%arg0: tensor<i64>, %arg1: tensor<i64>, %arg1_0: tensor<3xi64>, %arg2: tensor<2xi64>):
    %5 = "lz.broadcast"(%arg0) {axes = array<i64>} : (tensor<i64>) -> tensor<1xi64>
    %6 = "lz.broadcast"(%arg1) {axes = array<i64>} : (tensor<i64>) -> tensor<1xi64>
    %7 = "lz.concat"(%5, %6) {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
    %8 = "lz.add"(%arg2, %7) : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
    %9 = "lz.slice"(%arg1_0) {limit = array<i64: 2>, start = array<i64: 0>, stride = array<i64: 1>} : (tensor<3xi64>) -> tensor<2xi64>
    %10 = "lz.add"(%8, %9) : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
    "lz.yield"(%10) : (tensor<2xi64>) -> ()
  }) {length = 2 : i64, n_carry = 1 : i64, n_const = 3 : i64, reverse = false} : (tensor<i64>, tensor<i64>, tensor<3xi64>, tensor<2xi64>) -> tensor<2xi64>
  return %4 : tensor<2xi64>
}""",  # noqa: E501
)
case(
    "sink moves a reshape to the parameters",
    "sink",
    """
func.func @f(%x: tensor<2x3xf32>, %y: tensor<2x3xf32>) -> tensor<6xf32> {
  %0 = "lz.constant"() {value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
  %1 = "lz.broadcast"(%0) {axes = array<i64>} : (tensor<f32>) -> tensor<2x3xf32>
  %2 = "lz.mul"(%x, %1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %3 = "lz.exp"(%y) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %4 = "lz.add"(%2, %3) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %5 = "lz.reshape"(%4) : (tensor<2x3xf32>) -> tensor<6xf32>
  return %5 : tensor<6xf32>
}""",
    """
func.func @f(%x: tensor<2x3xf32>, %y: tensor<2x3xf32>) -> tensor<6xf32> {
  %0 = "lz.reshape"(%x) : (tensor<2x3xf32>) -> tensor<6xf32>
  %1 = "lz.constant"() {value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
  %2 = "lz.broadcast"(%1) {axes = array<i64>} : (tensor<f32>) -> tensor<6xf32>
  %3 = "lz.mul"(%0, %2) : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  %4 = "lz.reshape"(%y) : (tensor<2x3xf32>) -> tensor<6xf32>
  %5 = "lz.exp"(%4) : (tensor<6xf32>) -> tensor<6xf32>
  %6 = "lz.add"(%3, %5) : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  return %6 : tensor<6xf32>
}""",
)
_HEAVY = """
func.func @f(%x: tensor<2x3xf32>, %w: tensor<3x3xf32>) -> (tensor<6xf32>, tensor<3x2xf32>, tensor<2x3xf32>) {
  %0 = "lz.dot_general"(%x, %w) {lhs_contracting = array<i64: 1>, rhs_contracting = array<i64: 0>} : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>
  %1 = "lz.exp"(%0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %2 = "lz.reshape"(%1) : (tensor<2x3xf32>) -> tensor<6xf32>
  %3 = "lz.neg"(%x) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %4 = "lz.reshape"(%3) : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %5 = "lz.sin"(%3) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %2, %4, %5 : tensor<6xf32>, tensor<3x2xf32>, tensor<2x3xf32>
}"""  # noqa: E501
case("sink leaves epilogues and values with other readers alone", "sink", _HEAVY, _HEAVY)


_MIXING = """
func.func @f(%x: tensor<2x3xf32>, %b: tensor<3xf32>) -> tensor<6xf32> {
  %0 = "lz.broadcast"(%b) {axes = array<i64: 1>} : (tensor<3xf32>) -> tensor<2x3xf32>
  %1 = "lz.add"(%x, %0) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %2 = "lz.reshape"(%1) : (tensor<2x3xf32>) -> tensor<6xf32>
  return %2 : tensor<6xf32>
}"""
case("sink does not turn a bias into index arithmetic", "sink", _MIXING, _MIXING)
case(
    "sink keeps a broadcast whose axes stay apart",
    "sink",
    """
func.func @f(%x: tensor<2x2x3xf32>, %b: tensor<3xf32>) -> tensor<4x3xf32> {
  %0 = "lz.broadcast"(%b) {axes = array<i64: 2>} : (tensor<3xf32>) -> tensor<2x2x3xf32>
  %1 = "lz.add"(%x, %0) : (tensor<2x2x3xf32>, tensor<2x2x3xf32>) -> tensor<2x2x3xf32>
  %2 = "lz.reshape"(%1) : (tensor<2x2x3xf32>) -> tensor<4x3xf32>
  return %2 : tensor<4x3xf32>
}""",
    """
func.func @f(%x: tensor<2x2x3xf32>, %b: tensor<3xf32>) -> tensor<4x3xf32> {
  %0 = "lz.reshape"(%x) : (tensor<2x2x3xf32>) -> tensor<4x3xf32>
  %1 = "lz.broadcast"(%b) {axes = array<i64: 1>} : (tensor<3xf32>) -> tensor<4x3xf32>
  %2 = "lz.add"(%0, %1) : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  return %2 : tensor<4x3xf32>
}""",
)


@pytest.mark.parametrize("name", CASES)
def test_golden(name):
    run, before, after = CASES[name]
    graph = module_to_graph(parse_module(before))
    verify_graph(graph)
    made = GRAPH_PASSES[run](graph)
    verify_graph(made)
    assert print_module(graph_to_module(made)) == after
    if before == after:
        assert made is graph


@pytest.mark.parametrize("name", [n for n in CASES if "condition reads" not in n])
def test_golden_values(name):
    """The shown graphs compute the same."""
    _, before, after = CASES[name]
    first, second = (module_to_graph(parse_module(t)) for t in (before, after))
    rng = np.random.default_rng(0)
    args = [rng.integers(0, 2, t.shape).astype(t.dtype.numpy) for t in first.param_types]
    with np.errstate(all="ignore"):
        for a, c in zip(interpret(first, args), interpret(second, args), strict=True):
            np.testing.assert_array_equal(a, c)


CONV = {
    "stride": (1,), "low": (0,), "high": (0,), "lhs_dilation": (1,), "rhs_dilation": (1,),
    "lhs": "nc0", "rhs": "oi0", "out": "nc0",
}  # fmt: skip


@pytest.mark.parametrize("low, high", [(0, 0), (2, 1), (-1, 2), (3, -2), (-2, -2), (-9, 1)])
@pytest.mark.parametrize("spread", [1, 2, 3])
@pytest.mark.parametrize("stride, gap", [(1, 1), (2, 1), (1, 2)])
def test_padding_of_convolutions_becomes_pad(low, high, spread, stride, gap):
    from test_rules import graph_of

    from lazir.compiler.types import f64, tensor

    attrs = {**CONV, "low": (low,), "high": (high,), "lhs_dilation": (spread,),
             "stride": (stride,), "rhs_dilation": (gap,)}  # fmt: skip
    types = [tensor(f64, 2, 3, 5), tensor(f64, 4, 3, 2)]
    graph = graph_of(types, lambda m, x, k: m.conv(x, k, **attrs))
    made = GRAPH_PASSES["decompose"](graph)
    verify_graph(made)
    convs = [n for n in made.nodes if n.op == "conv"]
    assert len(convs) == 1 or spread > 1
    for conv in convs:
        assert conv.attrs["low"] == conv.attrs["high"] == (0,)
        assert conv.attrs["lhs_dilation"] == (1,)
    rng = np.random.default_rng(0)
    args = [rng.normal(size=t.shape) for t in types]
    for a, c in zip(interpret(graph, args), interpret(made, args)):
        np.testing.assert_allclose(a, c, rtol=1e-13)
