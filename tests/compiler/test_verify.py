"""The graph verifier: what it lets pass and what it refuses, with the op and the user's line."""

import pytest

from lazir.compiler.errors import VerifyError
from lazir.compiler.graph import Builder, Graph, Node, Value
from lazir.compiler.mlir.ir import Loc
from lazir.compiler.opdef import OPS
from lazir.compiler.types import f32, i1, tensor
from lazir.compiler.verify import verify_graph

VECTOR = tensor(f32, 2)


def graph_of(node: Node, *params: Value) -> Graph:
    return Graph("f", params, node.results, {node: (Loc("model.py", 4, 7),)})


def test_a_sound_graph_passes():
    b = Builder()
    x = b.param(VECTOR)
    verify_graph(b.graph([OPS["add"](b, x, x)]))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda x: Node("nag", (x,), {}, (VECTOR,)), "no op nag"),
        (lambda x: Node("neg", (x,), {}, (tensor(f32, 3),)), "give"),
        (lambda x: Node("neg", (x,), {"fast": True}, (VECTOR,)), "no attribute fast"),
        (lambda x: Node("neg", (x, x), {}, (VECTOR,)), "operand"),
        (lambda x: Node("neg", (Value(x.node, 1),), {}, (VECTOR,)), "no 1"),
        (lambda x: Node("select", (x, x, x), {}, (VECTOR,)), "bool condition"),
        (lambda x: Node("reduce_sum", (x,), {"axes": [0]}, (tensor(f32),)), "list"),
    ],
)
def test_broken_nodes_are_refused_with_the_line(make, message):
    x = Builder().param(VECTOR)
    with pytest.raises(VerifyError, match=message) as caught:
        verify_graph(graph_of(make(x), x))
    assert "model.py:4:7" in str(caught.value)


def test_a_free_value_is_refused():
    x, y = Builder().param(VECTOR), Builder().param(VECTOR)
    with pytest.raises(VerifyError, match="captures must be operands"):
        verify_graph(graph_of(Node("add", (x, y), {}, (VECTOR,)), x))


def test_bodies_are_verified():
    b = Builder()
    x = b.param(VECTOR)
    inside = Builder(name="inner")
    u = inside.param(VECTOR)
    good = inside.graph([OPS["neg"](inside, u)])
    bad = Graph("inner", [u], [Node("neg", (u,), {"fast": True}, (VECTOR,)).result])
    verify_graph(b.graph([OPS["call"](b, x, body=good, name="inner")]))
    with pytest.raises(VerifyError, match="no attribute fast"):
        verify_graph(b.graph([OPS["call"](b, x, body=bad, name="inner")]))


def test_a_parameter_twice_is_refused():
    x = Builder().param(VECTOR)
    with pytest.raises(VerifyError, match="twice"):
        verify_graph(Graph("f", [x, x], [x]))


def test_branches_must_agree():
    b = Builder()
    flag, x = b.param(tensor(i1)), b.param(VECTOR)
    inside = Builder()
    u = inside.param(VECTOR)
    one = inside.graph([u])
    node = Node("cond", (flag, x), {"branches": (one,)}, (VECTOR,))
    with pytest.raises(VerifyError, match="2 branches"):
        verify_graph(graph_of(node, flag, x))
