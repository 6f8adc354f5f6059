"""Graphs as text: the shown form, round trips over the whole op table, and what is refused."""

import numpy as np
import pytest

from lazir.compiler.errors import VerifyError
from lazir.compiler.graph import Builder, Graph
from lazir.compiler.mlir.ir import Loc
from lazir.compiler.mlir.parser import parse_module
from lazir.compiler.mlir.printer import print_module
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.source import array_constant, constant
from lazir.compiler.text import REGIONS, graph_to_module, module_to_graph
from lazir.compiler.types import bf16, c64, f32, f64, i1, tensor
from lazir.compiler.verify import attribute_names, verify_graph


def dump(graph: Graph) -> str:
    return print_module(graph_to_module(graph), locations=True)


def read(text: str) -> Graph:
    return module_to_graph(parse_module(text))


def assert_round_trip(graph: Graph) -> None:
    text = dump(graph)
    again = read(text)
    assert again.fingerprint == graph.fingerprint
    assert dump(again) == text


LAYER = """\
func.func @layer(%x: tensor<32x784xf32>, %w: tensor<784x64xf32>, %b: tensor<64xf32>) -> tensor<32xf32> {
  %0 = "lz.dot_general"(%x, %w) {lhs_contracting = array<i64: 1>, rhs_contracting = array<i64: 0>} : (tensor<32x784xf32>, tensor<784x64xf32>) -> tensor<32x64xf32> loc("model.py":4:7)
  %1 = "lz.broadcast"(%b) {axes = array<i64: 1>} : (tensor<64xf32>) -> tensor<32x64xf32> loc("model.py":4:13)
  %2 = "lz.add"(%0, %1) : (tensor<32x64xf32>, tensor<32x64xf32>) -> tensor<32x64xf32> loc("model.py":4:13)
  %3 = "lz.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32> loc("model.py":5:18)
  %4 = "lz.broadcast"(%3) {axes = array<i64>} : (tensor<f32>) -> tensor<32x64xf32> loc("model.py":5:10)
  %5 = "lz.maximum"(%2, %4) : (tensor<32x64xf32>, tensor<32x64xf32>) -> tensor<32x64xf32> loc("model.py":5:10)
  %6 = "lz.reduce_sum"(%5) {axes = array<i64: 1>} : (tensor<32x64xf32>) -> tensor<32xf32> loc("model.py":6:10)
  return %6 : tensor<32xf32>
}
"""  # noqa: E501

NEWTON = """\
func.func @newton(%a: tensor<f32>, %y0: tensor<f32>) -> tensor<f32> {
  %0 = "lz.while"(%a, %y0) ({
  ^bb0(%c: tensor<f32>, %y: tensor<f32>):
    %1 = "lz.mul"(%y, %y) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %2 = "lz.greater"(%1, %c) : (tensor<f32>, tensor<f32>) -> tensor<i1>
    "lz.yield"(%2) : (tensor<i1>) -> ()
  }, {
  ^bb0(%c: tensor<f32>, %y: tensor<f32>):
    %1 = "lz.div"(%c, %y) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %2 = "lz.minimum"(%y, %1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "lz.yield"(%2) : (tensor<f32>) -> ()
  }) {n_const = 1 : i64} : (tensor<f32>, tensor<f32>) -> tensor<f32> loc("model.py":12:3)
  return %0 : tensor<f32>
}
"""


@pytest.mark.parametrize("text", [LAYER, NEWTON])
def test_reading_and_printing_gives_the_same_text(text):
    graph = read(text)
    verify_graph(graph)
    assert dump(graph) == text


def one_op(name, types, attrs):
    b = Builder(name=name)
    params = [b.param(t) for t in types]
    return b.graph(OPS[name].node(b, params, attrs).results)


@pytest.mark.parametrize("name", sorted(OPS))
def test_every_op_round_trips_and_verifies(name):
    draw = OPS[name].examples
    assert draw is not None
    for types, attrs in draw(np.random.default_rng(7)):
        graph = one_op(name, types, attrs)
        verify_graph(graph)
        assert_round_trip(graph)


def test_regions_are_the_attributes_that_hold_graphs():
    for name, record in OPS.items():
        for _, attrs in record.examples(np.random.default_rng(3)):
            graphs = {
                k
                for k, v in attrs.items()
                if isinstance(v, Graph) or (isinstance(v, tuple) and v and isinstance(v[0], Graph))
            }
            assert graphs == set(REGIONS.get(name, ())), name


def test_constants_keep_their_bits():
    b = Builder()
    values = [
        array_constant(b, np.array([0.0, -0.0, np.inf, -np.inf, 5e-324]), f64),
        array_constant(b, np.array([0x7FC0, 0x7F80, 0x8000], np.uint16), bf16),
        array_constant(b, np.array([1 - 2j, np.inf + 0j], np.complex64), c64),
        array_constant(b, np.array([True, False]), i1),
        array_constant(b, np.array([0x7FC00001, 0xFFC12345], np.uint32).view(np.float32), f32),
        constant(b, 1e-45, f32),
        array_constant(b, np.full((2, 2), 3.0), f64),
        array_constant(b, np.zeros((0, 2)), f64),
    ]
    assert_round_trip(b.graph(values))


def test_all_locations_of_a_merged_node_survive():
    b = Builder()
    x = b.param(tensor(f32))
    b.current = (Loc("a.py", 1, 2), Loc('say "b".py', 3, 4))
    y = OPS["neg"](b, x)
    again = read(dump(b.graph([y])))
    assert again.locs[again.results[0].node] == b.current


def test_results_may_be_parameters_and_repeat():
    b = Builder()
    x, y = b.param(tensor(f32), "x"), b.param(tensor(f32), "x")
    assert_round_trip(b.graph([y, x, y]))
    assert_round_trip(b.graph([]))


@pytest.mark.parametrize(
    "line, message",
    [
        ('%0 = "lz.neg"(%x) : (tensor<2xf32>) -> tensor<3xf32>', "give"),
        ('%0 = "lz.nag"(%x) : (tensor<2xf32>) -> tensor<2xf32>', "no op"),
        ('%0 = "lz.reduce_sum"(%x) : (tensor<2xf32>) -> tensor<2xf32>', "axes"),
        ('%0 = "lz.reduce_sum"(%x) {axes = 1 : i64} : (tensor<2xf32>) -> tensor<2xf32>', "take"),
        ('%0 = "lz.add"(%x) : (tensor<2xf32>) -> tensor<2xf32>', "2 operands"),
        ('%0 = "lz.call"(%x) {name = "f"} : (tensor<2xf32>) -> tensor<2xf32>', "1 regions"),
        ("%0 = tensor.empty() : tensor<2xf32>", "lz dialect"),
    ],
)
def test_wrong_text_is_refused_with_the_op(line, message):
    text = (
        f"func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {{\n  {line}"
        "\n  return %x : tensor<2xf32>\n}\n"
    )
    with pytest.raises(VerifyError, match=message) as caught:
        read(text)
    assert line.split("=")[1].split("(")[0].strip() in str(caught.value)


def test_attribute_names_come_from_the_records():
    assert attribute_names("scan") == {"body", "n_const", "n_carry", "length", "reverse"}
    assert attribute_names("add") == set()
