"""Numbers as text: shortest decimals, exact bits, hex where a decimal cannot say it."""

# ruff: noqa: E501  (MLIR lines are not broken)
from __future__ import annotations

import math
import struct

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazir.compiler.mlir.attributes import attr_text, string_text
from lazir.compiler.mlir.compare import attr_key
from lazir.compiler.mlir.ir import Dense, Typed
from lazir.compiler.mlir.lexer import Source
from lazir.compiler.mlir.literals import (
    bits_text,
    float_bits,
    float_of_bits,
    float_text,
    round_to_bf16,
)
from lazir.compiler.mlir.parser import parse_module
from lazir.compiler.mlir.printer import print_module
from lazir.compiler.mlir.reader import Reader
from lazir.compiler.types import (
    DType,
    TensorType,
    VectorType,
    bf16,
    c64,
    c128,
    f16,
    f32,
    f64,
    i1,
    i8,
    i64,
    ui64,
)

FLOATS = [f16, bf16, f32, f64]


def read(text: str) -> object:
    return Reader(Source(text, "test"), lambda r: pytest.fail("no operations here")).attr()


@pytest.mark.parametrize(
    "value, dtype, text",
    [
        (0.1, f32, "0.1"),
        (0.1, f64, "0.1"),
        (1.0, bf16, "1.0"),
        (0x3DCD, bf16, "0.1"),
        (-0.0, f32, "-0.0"),
        (1e-5, f32, "1.0e-05"),
        (1e20, f64, "1.0e+20"),
        (1.5e-45, f32, "1.0e-45"),
        (65504.0, f16, "65504.0"),
        (math.inf, f32, "0x7F800000"),
        (-math.inf, f16, "0xFC00"),
        (math.nan, f64, "0x7FF8000000000000"),
    ],
)
def test_text_of_a_float(value: float, dtype: DType, text: str) -> None:
    assert float_text(value, dtype) == text


@pytest.mark.parametrize("dtype", [f16, bf16], ids=str)
def test_every_16_bit_float_survives(dtype: DType) -> None:
    for bits in range(1 << 16):
        text = bits_text(bits, dtype)
        again = int(text, 16) if text.startswith("0x") else float_bits(float(text), dtype)
        assert again == bits, text


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@settings(max_examples=200, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_bits_survive_as_attribute(dtype: DType, data: st.DataObject) -> None:
    bits = data.draw(st.integers(0, (1 << dtype.bits) - 1))
    held: int | float = bits if dtype is bf16 else float_of_bits(bits, dtype)
    value = held if dtype is f64 else Typed(held, dtype)
    text = attr_text(value)
    assert attr_key(read(text)) == attr_key(value), text
    assert attr_text(read(text)) == text


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.floats(width=64))
def test_bf16_rounds_once(value: float) -> None:
    """Against exact arithmetic: the nearest of the two neighbours, ties to even."""
    if math.isnan(value):
        assert round_to_bf16(value) & 0x7FFF > 0x7F80
        return
    bits = round_to_bf16(value)
    got = struct.unpack("<f", struct.pack("<I", bits << 16))[0]
    if math.isinf(got):
        assert abs(value) >= 3.3895313892515355e38
        return
    for other in (bits - 1, bits + 1):
        near = struct.unpack("<f", struct.pack("<I", (other & 0xFFFF) << 16))[0]
        if math.isfinite(near):
            assert abs(got - value) <= abs(near - value)


def test_bf16_agrees_with_ml_dtypes_on_floats() -> None:
    rng = np.random.default_rng(5)
    values = rng.integers(0, 1 << 32, 2000, dtype=np.uint32).view(np.float32)
    values = values[np.isfinite(values)]
    wanted = values.astype(ml_dtypes.bfloat16).view(np.uint16)
    assert [round_to_bf16(float(v)) for v in values] == wanted.tolist()


@pytest.mark.parametrize(
    "dtype, data",
    [
        (f32, np.array([[0.1, -0.0], [np.inf, np.nan]], np.float32)),
        (f32, np.array([0x7F800001, 0xFFFFFFFF], np.uint32).view(np.float32)),
        (f64, np.array([[1e300, 5e-324]])),
        (f16, np.array([1.0, 65504.0], np.float16)),
        (bf16, np.array([0x3F80, 0x7FC1, 0x8000], np.uint16)),
        (i1, np.array([True, False])),
        (i8, np.array([-128, 127], np.int8)),
        (ui64, np.array([2**64 - 1, 0], np.uint64)),
        (i64, np.array([-(2**63)], np.int64)),
        (c64, np.array([1 - 0j, complex(-0.0, np.inf)], np.complex64)),
        (c128, np.array([complex(np.nan, 0.1)], np.complex128)),
        (f32, np.zeros((0, 3), np.float32)),
        (f32, np.array(2.5, np.float32)),
        (f32, np.arange(5000, dtype=np.float32)),
        (c64, np.arange(5000).astype(np.complex64)),
    ],
    ids=lambda v: str(v) if isinstance(v, DType) else f"x{v.size}",
)
def test_dense_survives(dtype: DType, data: np.ndarray) -> None:  # type: ignore[type-arg]
    dense = Dense(TensorType(data.shape, dtype), data)
    again = read(attr_text(dense))
    assert again == dense
    assert attr_text(again) == attr_text(dense)


def test_splat_equals_the_array_it_stands_for() -> None:
    type = VectorType((4,), f32)
    splat = Dense(type, np.array(1.0, np.float32))
    assert attr_key(splat) == attr_key(Dense(type, np.ones(4, np.float32)))
    assert attr_text(splat) == "dense<1.0> : vector<4xf32>"
    assert read(attr_text(splat)) == splat


def test_dense_from_hex_bytes_and_bit_packed_bools() -> None:
    assert read('dense<"0x0000803F0000C03F"> : tensor<2xf32>') == read(
        "dense<[1.0, 1.5]> : tensor<2xf32>"
    )
    assert read('dense<"0x0A"> : tensor<4xi1>') == read(
        "dense<[false, true, false, true]> : tensor<4xi1>"
    )
    assert read("dense<0xFF> : tensor<2xi8>") == read("dense<-1> : tensor<2xi8>")


@pytest.mark.parametrize("text", ["", 'a"b\\c', "näh\n\t\x00", "%#@", "x" * 300])
def test_strings_survive(text: str) -> None:
    assert read(string_text(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "true", "5 : i64", "-5 : i8", "0.5 : f64", '"s"', "unit", "array<i64: 1, -2>", "array<i64>",
        "array<i1: true, false>", "array<i32: 1, 2>", "[]", "[1, 2.5, [3 : i32]]", "{a, b = 1 : i64}",
        "@f", "@a::@b", '@"odd name"', "#linalg.iterator_type<parallel>", "#gpu<dim x>",
        "affine_map<(d0, d1) -> (d0 * 2 - d1 + 3, -d1, 0)>", "tensor<4x8xf32>", "complex<f32>",
        "memref<4x8xf32, strided<[16, 1], offset: ?>, 3>", "(f32, i32) -> (f32)", "index", "!lz.token",
    ],
)  # fmt: skip
def test_attribute_text_is_stable(text: str) -> None:
    wanted = text.replace("(f32)", "f32") if "->" in text and "affine" not in text else text
    assert attr_text(read(text)) == wanted


def test_constants_keep_their_bits_through_a_module() -> None:
    text = (
        "func.func @f() {\n"
        "  %cst = arith.constant 0x7FC00001 : f32\n"
        "  %cst_0 = arith.constant dense<[0x7F800001, 0xFFC00000]> : vector<2xf32>\n"
        "  %cst_1 = arith.constant 1.0 : bf16\n"
        "  %c-7_i8 = arith.constant -7 : i8\n"
        "  return\n"
        "}\n"
    )
    assert print_module(parse_module(text)) == text
