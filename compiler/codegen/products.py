"""Integer products and sums of double width.

Takes: rows of integers. Gives: low and high halves. Must not know: memory, control flow.
"""

from __future__ import annotations

from ..mlir.ir import Op
from .emitter import Emit, FunctionEmitter
from .text import Row, row_of


def multiply_extended(signed: bool) -> Emit:
    """`arith.mulsi_extended`, `arith.mului_extended`: the low and the high half of the product."""

    def emit(f: FunctionEmitter, op: Op) -> None:
        one = row_of(op.results[0].type)
        halves = one.dtype.bits == 64 and f.target.arch == "wasm32"
        rule = _by_halves if halves else _by_width
        pairs = [
            rule(f, one, a, b, signed)
            for a, b in zip(f.get(op.operands[0]), f.get(op.operands[1]), strict=True)
        ]
        f.set(op.results[0], tuple(low for low, _ in pairs))
        f.set(op.results[1], tuple(high for _, high in pairs))

    return emit


def _by_width(f: FunctionEmitter, one: Row, a: str, b: str, signed: bool) -> tuple[str, str]:
    """In integers twice as wide."""
    bits = one.dtype.bits
    wide = f"<{one.lanes} x i{2 * bits}>" if one.lanes else f"i{2 * bits}"
    shift = f"splat (i{2 * bits} {bits})" if one.lanes else str(bits)
    extend = "sext" if signed else "zext"
    x, y = (f.inst(f"{extend} {one.text} {v} to {wide}") for v in (a, b))
    product = f.inst(f"mul {wide} {x}, {y}")
    upper = f.inst(f"lshr {wide} {product}, {shift}")
    low = f.inst(f"trunc {wide} {product} to {one.text}")
    return low, f.inst(f"trunc {wide} {upper} to {one.text}")


def _by_halves(f: FunctionEmitter, one: Row, a: str, b: str, signed: bool) -> tuple[str, str]:
    """64-bit numbers as 32-bit digits, where i128 would be a call (Knuth, TAOCP 2, 4.3.1, M)."""

    def do(name: str, x: str, y: str) -> str:
        return f.inst(f"{name} {one.text} {x}, {y}")

    mask, shift = one.const(0xFFFFFFFF), one.const(32)
    a0, b0 = do("and", a, mask), do("and", b, mask)
    a1, b1 = do("lshr", a, shift), do("lshr", b, shift)
    middle = do("add", do("mul", a1, b0), do("lshr", do("mul", a0, b0), shift))
    other = do("add", do("mul", a0, b1), do("and", middle, mask))
    high = do("add", do("mul", a1, b1), do("lshr", middle, shift))
    high = do("add", high, do("lshr", other, shift))
    if signed:
        last = one.const(63)
        for x, y in ((a, b), (b, a)):
            high = do("sub", high, do("and", do("ashr", x, last), y))
    return do("mul", a, b), high


def add_extended(f: FunctionEmitter, op: Op) -> None:
    """`arith.addui_extended`: the sum and whether it overflowed."""
    one = row_of(op.results[0].type)
    sums, flags = [], []
    for a, b in zip(f.get(op.operands[0]), f.get(op.operands[1]), strict=True):
        total = f.inst(f"add {one.text} {a}, {b}")
        sums.append(total)
        flags.append(f.inst(f"icmp ult {one.text} {total}, {a}"))
    f.set(op.results[0], tuple(sums))
    f.set(op.results[1], tuple(flags))


PRODUCTS: dict[str, Emit] = {
    "arith.mulsi_extended": multiply_extended(signed=True),
    "arith.mului_extended": multiply_extended(signed=False),
    "arith.addui_extended": add_extended,
}
