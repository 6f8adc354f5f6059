"""The `kernels` stage as text: what it looks like, and that it reads back to the same kernels."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from lazir.compiler.errors import LazirError, VerifyError
from lazir.compiler.fuse.kernels import to_kernels
from lazir.compiler.graph import Builder, Graph
from lazir.compiler.interpret import interpret
from lazir.compiler.kernel import Generic, Output, Read, canonical, named_kernels
from lazir.compiler.kernel_parse import _READERS
from lazir.compiler.kernel_text import _WRITERS, kernels_to_module
from lazir.compiler.mlir.ir import AffineMap, Dense
from lazir.compiler.mlir.parser import parse_module
from lazir.compiler.mlir.printer import print_module
from lazir.compiler.mlir.verify import verify
from lazir.compiler.opdef import OPS
from lazir.compiler.passes import optimize
from lazir.compiler.passes.decompose import decompose
from lazir.compiler.pipeline import Compilation
from lazir.compiler.program_parse import module_to_kernels
from lazir.compiler.reshapes import reshape_steps
from lazir.compiler.scalars import Scalars
from lazir.compiler.schedule.kinds import SCHEDULES
from lazir.compiler.schedule.program import _LOWER
from lazir.compiler.target import host_target
from lazir.compiler.types import TensorType, f32, f64, i32, index, tensor
from lazir.runtime.execute import LoadedProgram
from tests.compiler.kernel_programs import PROGRAMS, graph_of, op_graphs

SUMS = """\
#map0 = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1) -> (d0)>
func.func private @k0_sum(%arg0: tensor<4x7xf32>) -> tensor<4xf32> \
attributes {lz.kind = "reduce"} {
  %cst = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<4x7xf32>
  %1 = linalg.generic {indexing_maps = [#map0, #map0], iterator_types = ["parallel", "parallel"]}
      ins(%arg0 : tensor<4x7xf32>) outs(%0 : tensor<4x7xf32>) {
  ^bb0(%arg1: f32, %arg2: f32):
    %2 = math.exp %arg1 : f32
    linalg.yield %2 : f32
  } -> tensor<4x7xf32>
  %2 = tensor.empty() : tensor<4xf32>
  %3 = linalg.fill ins(%cst : f32) outs(%2 : tensor<4xf32>) -> tensor<4xf32>
  %4 = linalg.generic {indexing_maps = [#map0, #map1], iterator_types = ["parallel", "reduction"]}
      ins(%1 : tensor<4x7xf32>) outs(%3 : tensor<4xf32>) {
  ^bb0(%arg1: f32, %arg2: f32):
    %5 = arith.addf %arg2, %arg1 : f32
    linalg.yield %5 : f32
  } -> tensor<4xf32>
  return %4 : tensor<4xf32>
}
func.func @sums(%x: tensor<4x7xf32>) -> tensor<2x2xf32> {
  %0 = call @k0_sum(%x) : (tensor<4x7xf32>) -> tensor<4xf32>
  %1 = tensor.expand_shape %0 [[0, 1]] output_shape [2, 2] : tensor<4xf32> into tensor<2x2xf32>
  return %1 : tensor<2x2xf32>
}
"""


def text_of(graph: Graph) -> str:
    """The text of a kernel-level Graph."""
    return print_module(kernels_to_module(graph))


def both_forms(graph: Graph) -> Iterator[Graph]:
    """The kernels without and with the optional graph passes."""
    yield to_kernels(decompose(graph))
    yield to_kernels(optimize(graph))


def assert_same_kernels(kernels: Graph) -> None:
    """Written and read, a program is what it was."""
    text = text_of(kernels)
    module = parse_module(text)
    verify(module)
    again = module_to_kernels(module)
    assert again.fingerprint == kernels.fingerprint
    assert text_of(again) == text
    assert text_of(kernels) == text


# -- what is written ------------------------------------------------------------------------------
def test_text_of_a_small_program() -> None:
    shape = {"shape": (2, 2)}
    sums = graph_of(
        "sums",
        [tensor(f32, 4, 7)],
        lambda m, x: m.reshape(m.reduce_sum(m.exp(x), axes=(1,)), **shape),
    )
    assert text_of(to_kernels(optimize(sums))) == SUMS


def test_a_prefix_is_a_slice() -> None:
    text = text_of(to_kernels(optimize(PROGRAMS["prefixes"])))
    assert "tensor.extract_slice %arg0[0, 0] [2, 3] [1, 1]" in text


def test_a_window_has_a_shape_operand() -> None:
    def build(m, x):  # type: ignore[no-untyped-def]
        zeros = (0, 0)
        return m.reduce_window(
            x, op="max", window=(4, 3), stride=(1, 2), low=zeros, high=zeros,
            base_dilation=(1, 1), window_dilation=(1, 1),
        )  # fmt: skip

    text = text_of(to_kernels(optimize(graph_of("pool", [tensor(f32, 6, 7)], build))))
    assert "%0 = tensor.empty() : tensor<4x3xf32>" in text
    assert "ins(%arg0, %0 : tensor<6x7xf32>, tensor<4x3xf32>)" in text


def test_a_small_window_is_a_map() -> None:
    def build(m, x):  # type: ignore[no-untyped-def]
        zeros = (0, 0)
        return m.reduce_window(
            x, op="max", window=(2, 2), stride=(2, 2), low=zeros, high=zeros,
            base_dilation=(1, 1), window_dilation=(1, 1),
        )  # fmt: skip

    text = text_of(to_kernels(optimize(graph_of("pool", [tensor(f32, 6, 8)], build))))
    assert text.count("linalg.generic") == 1 and text.count("arith.maximumf") == 3
    assert "reduction" not in text


def test_a_loop_captures_its_constants() -> None:
    text = text_of(to_kernels(optimize(PROGRAMS["counting_loop"])))
    assert "scf.while (%arg0 = %z, %arg1 = %u)" in text
    assert "tensor.cast" not in text


def test_constants_that_text_cannot_order_are_listed() -> None:
    """One that nobody reads, or one given twice, stands at the head of each region."""
    for name in ("counting_loop", "twice_the_same_constant"):
        text = text_of(to_kernels(decompose(PROGRAMS[name])))
        assert text.count("tensor.cast") == 2 * (2 if name == "counting_loop" else 3)


def test_a_function_named_like_a_kernel() -> None:
    graph = graph_of("k0_exp", [tensor(f32, 4)], lambda m, x: m.exp(x))
    kernels = to_kernels(optimize(graph))
    assert [name for name, _ in named_kernels(kernels).values()] == ["k0_exp_"]
    assert_same_kernels(kernels)


def test_all_that_is_lowered_has_text() -> None:
    assert set(_WRITERS) == set(_LOWER)
    assert set(_READERS) == set(SCHEDULES)


def test_a_node_without_text_is_an_error() -> None:
    b = Builder()
    b.current = ()
    x = b.param(tensor(f32, 4))
    graph = b.graph([b.add("sort", (x,), {}, (x.type,)).result])
    with pytest.raises(LazirError, match="sort has no text"):
        kernels_to_module(graph)


# -- there and back -------------------------------------------------------------------------------
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_read_back(name: str) -> None:
    for kernels in both_forms(PROGRAMS[name]):
        assert_same_kernels(kernels)


@pytest.mark.parametrize("name", [n for n in OPS if n != "custom_linear"])
def test_every_op_reads_back(name: str) -> None:
    for graph in op_graphs(name, 4):
        assert_same_kernels(to_kernels(optimize(graph)))


def test_locations_read_back() -> None:
    kernels = to_kernels(optimize(PROGRAMS["softmax"]))
    text = print_module(kernels_to_module(kernels), locations=True)
    again = module_to_kernels(parse_module(text))
    assert print_module(kernels_to_module(again), locations=True) == text


# -- Generics in the order of text ----------------------------------------------------------------
def test_canonical_order_of_reads() -> None:
    """Mapped reads first, then tensors by first use; unread ones are gone; the body is the same."""
    b = Builder()
    s = Scalars(b)
    table, far = b.param(tensor(f32, 9)), b.param(tensor(f32, 9))
    unread, x = b.param(tensor(f32)), b.param(tensor(i32))
    held = b.param(tensor(f32))
    at = s.resize(x, index, signed=True)
    one, two = (b.add("tensor.extract", (t, at), {}, (tensor(f32),)).result for t in (far, table))
    body = b.graph([s.sub(one, two)])
    keep = AffineMap.identity(1)
    reads = (Read(0, None), Read(1, None), Read(2, keep), Read(3, keep))
    generic = Generic((5,), ("parallel",), reads, body, (Output(tensor(f32, 5), keep),))
    tidy = canonical(generic)
    assert tidy.reads == (Read(3, keep), Read(1, None), Read(0, None))
    assert tidy.body.params == (x, far, table, held)
    assert canonical(tidy) is tidy
    assert unread not in tidy.body.params


def test_constants_are_told_apart_by_their_bits() -> None:
    """Beyond the digits that an array shows, and beyond the elements that it shows."""

    def constant(value) -> str:  # type: ignore[no-untyped-def]
        data = np.asarray(value)
        type = TensorType(data.shape, f64)
        b = Builder()
        return b.graph(
            [b.add("constant", (), {"value": Dense(type, data)}, (type,)).result]
        ).fingerprint

    assert constant(1.0) != constant(1.0 + 2**-50)
    assert constant(0.0) != constant(-0.0)
    long = np.zeros(2000)
    changed = long.copy()
    changed[1000] = 1
    assert constant(long) != constant(changed)


def test_kernels_that_differ_in_a_digit_stay_apart() -> None:
    def build(m, x):  # type: ignore[no-untyped-def]
        factors = [m.spread(m.number(c, f64), (4,)) for c in (0.1, 0.1 + 2**-40)]
        rows = [m.reduce_sum(m.mul(m.reverse(x, axes=(0,)), f), axes=(0,)) for f in factors]
        return [m.sub(*rows)]

    kernels = to_kernels(optimize(graph_of("close", [tensor(f64, 4)], build)))
    assert "0.1000000000009" in text_of(kernels)


# -- reshapes -------------------------------------------------------------------------------------
SHAPES = [
    (),
    (1,),
    (1, 1),
    (6,),
    (2, 3),
    (3, 2),
    (1, 6, 1),
    (2, 1, 3),
    (0,),
    (0, 4),
    (2, 0),
    (5, 0, 2),
]


PAIRS = [(a, b) for a in SHAPES for b in SHAPES if math.prod(a) == math.prod(b)]


@pytest.mark.parametrize(("shape", "to"), PAIRS)
def test_reshapes(shape: tuple[int, ...], to: tuple[int, ...]) -> None:
    """Every step fits its rule, and they lead from one shape to the other."""
    source, result = tensor(f32, *shape), tensor(f32, *to)
    b = Builder(name="f")
    x = b.param(source)
    node = b.add("alias", (x,), {"shape": to}, (result,))
    module = kernels_to_module(b.graph([node.result]))
    verify(module)
    steps = reshape_steps(source, result)
    assert 1 <= len(steps) <= 2 and steps[-1][1] == result
    text = print_module(module)
    again = module_to_kernels(parse_module(text))
    if shape != to:
        assert [n.op for n in again.nodes] == ["alias"]
        assert text_of(again) == text


# -- errors ---------------------------------------------------------------------------------------
def test_errors_show_the_operation() -> None:
    text = SUMS.replace('"reduce"', '"fancy"')
    with pytest.raises(VerifyError, match=r"one of map, reduce.*(?s:.*)@k0_sum"):
        module_to_kernels(parse_module(text))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("outs(%3 : tensor<4xf32>)", "outs(%2 : tensor<4xf32>)", "starts from a linalg.fill"),
        (" private", "", "one function that is not private"),
        (
            "%2 = math.exp %arg1 : f32",
            "%e = tensor.empty() : tensor<f32>\n    %2 = tensor.extract %e[] : tensor<f32>",
            "no place in the body",
        ),
        (
            "  return %1 : tensor<2x2xf32>",
            "  %s = tensor.cast %1 : tensor<2x2xf32> to tensor<2x2xf32>\n"
            "  return %s : tensor<2x2xf32>",
            "no place in a program",
        ),
        (
            "  return %4",
            "  %9 = tensor.splat %cst : tensor<4xf32>\n  return %9",
            "no place in a kernel",
        ),
    ],
)  # fmt: skip
def test_what_the_stage_has_no_place_for(old: str, new: str, message: str) -> None:
    text = SUMS.replace(old, new)
    assert text != SUMS
    with pytest.raises(VerifyError, match=message):
        module_to_kernels(parse_module(text))


UPDATE = """\
func.func private @k0_scatter(%a: tensor<9xf32>, %u: tensor<4xf32>) -> tensor<9xf32> \
attributes {lz.kind = "scatter"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%t = %a) -> (tensor<9xf32>) {
    %two = arith.constant 2 : index
    %at = arith.muli %i, %two : index
    %new = tensor.extract %u[%i] : tensor<4xf32>
    %w = tensor.insert %new into %t[%at] : tensor<9xf32>
    scf.yield %w : tensor<9xf32>
  }
  return %r : tensor<9xf32>
}
func.func @put(%a: tensor<9xf32>, %u: tensor<4xf32>) -> tensor<9xf32> {
  %0 = call @k0_scatter(%a, %u) : (tensor<9xf32>, tensor<4xf32>) -> tensor<9xf32>
  return %0 : tensor<9xf32>
}
"""


def test_an_update_by_hand() -> None:
    """Constants may stand inside; what is read at a linear place is a mapped read."""
    kernels = module_to_kernels(parse_module(UPDATE))
    (generic,) = kernels.nodes[0].attrs["kernel"].generics
    assert generic.reads == (Read(1, AffineMap.identity(1)),)
    assert_same_kernels(kernels)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("scf.yield %w", "scf.yield %t", "yields the updated tensor"),
        ("into %t", "into %a", "the tensor that the loop carries"),
        ("%c0 to %c4", "%c1 to %c4", "runs from 0 by 1"),
        ("return %r", "return %a", "returns the updated tensor"),
    ],
)
def test_updates_of_another_form(old: str, new: str, message: str) -> None:
    with pytest.raises(VerifyError, match=message):
        module_to_kernels(parse_module(UPDATE.replace(old, new)))


@pytest.mark.parametrize("stride, count", [((2, 1), 1), ((1, 2), 2)])
def test_products_read_slices_in_place(stride: tuple[int, int], count: int) -> None:
    """Where neighbours along the last axis stay neighbours; else the slice is copied first."""
    b = Builder(name="f")
    x, y = (b.param(tensor(f32, 12, 20)) for _ in range(2))
    part = OPS["slice"](b, x, start=(1, 2), limit=(11, 18), stride=stride)
    axes = {"lhs_contracting": (0,), "rhs_contracting": (0,), "lhs_batch": (), "rhs_batch": ()}
    whole = OPS["slice"](
        b, y, start=(0, 0), limit=(len(range(1, 11, stride[0])), 20), stride=(1, 1)
    )
    graph = b.graph([OPS["dot_general"](b, part, whole, **axes)])
    kernels = to_kernels(optimize(graph))
    assert [n.attrs["kernel"].kind for n in kernels.nodes if n.op == "kernel"][-1] == "contract"
    assert sum(n.op == "kernel" for n in kernels.nodes) == count
    rng = np.random.default_rng(0)
    args = [rng.standard_normal((12, 20)).astype("f4") for _ in range(2)]
    program = LoadedProgram(Compilation(graph, host_target()).program)
    (got,) = program.call(args)
    (wanted,) = interpret(graph, args)
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)
