"""The parser: hand-written variants it accepts, and errors that point at the place."""

# ruff: noqa: E501  (MLIR lines are not broken)
from __future__ import annotations

import random
from pathlib import Path

import pytest

from lazir.compiler.errors import ParseError
from lazir.compiler.mlir.compare import equal
from lazir.compiler.mlir.ir import AffineMap, Loc, Module, Symbol, Typed, Unit
from lazir.compiler.mlir.parser import parse_module
from lazir.compiler.mlir.printer import print_module
from lazir.compiler.types import FunctionType, MemRefType, bf16, f32

EXAMPLES = Path(__file__).parent / "examples"


def body(*lines: str, args: str = "") -> Module:
    return parse_module(f"func.func @f({args}) {{\n" + "\n".join(lines) + "\nreturn\n}")


# -- what is accepted ------------------------------------------------------------------------------
def test_comments_whitespace_and_a_bare_module_do_not_matter() -> None:
    plain = parse_module("func.func @f(%x: f32) -> f32 {\n  return %x : f32\n}")
    spread = parse_module(
        "// head\nmodule{func.func@f (\n%x:f32 // the argument\n)->(f32){func.return %x:f32}}\n// end"
    )
    assert equal(plain, spread)
    assert print_module(plain) == print_module(spread)
    assert parse_module("").ops == []
    assert parse_module("module @m attributes {a = 1} {}").attrs == {"sym_name": "m", "a": 1}


def test_aliases_may_stand_anywhere_and_after_their_use() -> None:
    module = parse_module(
        "func.func @f() {\n"
        '  "lz.a"() {m = #m, n = #n} : () -> !t loc(#loc2)\n'
        '  "lz.b"() : () -> () loc("x"(#loc1))\n'
        "  return\n}\n"
        "#m = affine_map<(i, j) -> (j)>\n#n = [1, #m]\n!t = tensor<4xf32>\n"
        '#loc1 = loc("a.py":3:4)\n#loc2 = loc(fused[#loc1, "b.py":5:6])\n'
    )
    first, second, _ = module.ops[0].regions[0].ops
    assert first.attrs == {"m": AffineMap.select(2, [1]), "n": [1, AffineMap.select(2, [1])]}
    assert first.locs == (Loc("a.py", 3, 4), Loc("b.py", 5, 6))
    assert second.locs == (Loc("a.py", 3, 4),)


@pytest.mark.parametrize(
    "text, locs",
    [
        ("unknown", ()),
        ('"a.py":1:2', (Loc("a.py", 1, 2),)),
        ('"a.py":1:2 to :5', (Loc("a.py", 1, 2),)),
        ('"a.py":1:2 to 3:5', (Loc("a.py", 1, 2),)),
        ('"name"', ()),
        ('"name"("a.py":1:2)', (Loc("a.py", 1, 2),)),
        ('fused["a.py":1:2, unknown, "b.py":3:4, "a.py":1:2]', (Loc("a.py", 1, 2), Loc("b.py", 3, 4))),
        ('fused<"why">["a.py":1:2]', (Loc("a.py", 1, 2),)),
        ('callsite("f"("a.py":1:2) at "b.py":3:4)', (Loc("a.py", 1, 2), Loc("b.py", 3, 4))),
    ],
)  # fmt: skip
def test_locations(text: str, locs: tuple[Loc, ...]) -> None:
    module = body(f'"lz.a"() : () -> () loc({text})')
    op = module.ops[0].regions[0].ops[0]
    assert op.locs == locs
    again = parse_module(print_module(module, locations=True))
    assert again.ops[0].regions[0].ops[0].locs == locs


def test_generic_form_of_any_operation_of_the_table() -> None:
    generic = body(
        '%0 = "arith.cmpi"(%a, %a) {predicate = 2 : i64} : (i32, i32) -> i1',
        '%1 = "arith.addf"(%x, %x) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32',
        '"scf.if"(%0) ({\n"scf.yield"() : () -> ()\n}, {\n}) : (i1) -> ()',
        args="%a: i32, %x: f32",
    )
    pretty = body(
        "%0 = arith.cmpi slt, %a, %a : i32",
        "%1 = arith.addf %x, %x : f32",
        "scf.if %0 {\n}",
        args="%a: i32, %x: f32",
    )
    assert equal(generic, pretty)
    assert print_module(generic) == print_module(pretty)


def test_siblings_may_reuse_names_and_results_may_stay_unnamed() -> None:
    module = body(
        "scf.if %c {\n%x = arith.constant 1 : i32\n} else {\n%x = arith.constant 2 : i32\n}",
        "%x = arith.constant 3 : i32",
        "arith.addi %x, %x : i32",
        args="%c: i1",
    )
    assert print_module(module).count("%x = ") == 3


def test_attributes_are_held_as_documented() -> None:
    op = body(
        '"lz.a"() {a = 5, b = 5 : i32, c = 0.5, d = "s", e, f = true, g = array<i64: 1, 2>,'
        " h = [1, [2]], i = {k = @f}, j = f32, l = 0x7FC0 : bf16, m = (f32) -> (),"
        ' "odd key" = memref<4xf32, #gpu.address_space<workgroup>>} : () -> ()'
    ).ops[0].regions[0].ops[0]  # fmt: skip
    assert op.attrs == {
        "a": 5, "b": Typed(5, op.attrs["b"].type), "c": 0.5, "d": "s", "e": Unit(), "f": True,
        "g": (1, 2), "h": [1, [2]], "i": {"k": Symbol("f")}, "j": f32, "l": Typed(0x7FC0, bf16),
        "m": FunctionType((f32,), ()), "odd key": MemRefType((4,), f32, space=3),
    }  # fmt: skip


def test_nesting_of_150_levels_is_read() -> None:
    text = "scf.if %c {\n" * 150 + "}\n" * 150
    assert sum(op.name == "scf.if" for op in body(text, args="%c: i1").walk()) == 150


# -- errors ----------------------------------------------------------------------------------------
ERRORS = {
    "a value that is not defined": (["%0 = arith.negf %y : f32"], "2:17", "%y is not defined"),
    "a value defined twice": (
        ["%0 = arith.negf %x : f32", "%0 = arith.negf %x : f32"], "3:1", "%0 is defined twice"),
    "a type that is not the value's": (
        ["%0 = arith.negf %x : f64"], "2:6", "operand has f32"),
    "an operand of another type": (["%0 = arith.addi %x, %x : f32"], "2:6", "signless integers"),
    "two types of operands": (["%0 = arith.addf %x, %d : f32"], "2:6", "they must agree"),
    "a wrong written type": (
        ["%0 = memref.load %m[%i] : memref<8xf32>"], "2:27", "the text says memref<8xf32>"),
    "too few indices": (
        ["%0 = memref.load %m[] : memref<4xf32>"], "2:6", "0 indices into memref<4xf32>"),
    "an unknown predicate": (["%0 = arith.cmpi less, %n, %n : i32"], "2:17", "one of eq, ne, slt"),
    "an unknown operation": (["%0 = arith.plus %x, %x : f32"], "2:6", "unknown operation `arith.plus`"),
    "an lz operation without quotes": (["%0 = lz.add %x, %x : f32"], "2:6", "in quotes"),
    "generic operand count": (['"lz.a"(%x) : () -> ()'], "2:14", "0 types are written for 1 values"),
    "generic operand type": (['"lz.a"(%x) : (f64) -> ()'], "2:14", "the value has type f32"),
    "generic known operation": (
        ['%0 = "arith.addf"(%x) : (f32) -> f32'], "2:6", "expected lhs, rhs"),
    "result count": (["%0:2 = arith.negf %x : f32"], "2:8", "has 1 results, 2 are named"),
    "a result that is not there": (
        ['%0:2 = "lz.a"() : () -> (f32, f32)', "%1 = arith.negf %0#2 : f32"], "3:17", "2 results"),
    "a licence": (["%0 = arith.addf %x, %x fastmath<fast> : f32"], "2:24", "expected `:`"),
    "a generic licence": (
        ['%0 = "arith.addf"(%x, %x) {fastmath = #arith.fastmath<fast>} : (f32, f32) -> f32'],
        "2:6", "attribute fastmath is not known"),
    "an unknown type": (["%0 = arith.negf %x : f31"], "2:22", "expected a type, found `f31`"),
    "an unknown element type": (['"lz.a"() {t = tensor<4xf31>} : () -> ()'], "2:15", "f31"),
    "a dynamic size": (['"lz.a"() {t = tensor<?xf32>} : () -> ()'], "2:15", "dynamic sizes"),
    "a type that does not close": (["%0 = arith.negf %x : tensor<4xf32"], "2:22", "does not close"),
    "an integer out of range": (["%0 = arith.constant 300 : i8"], "2:21", "300 does not fit i8"),
    "an integer for a float": (["%0 = arith.constant 3 : f32"], "2:21", "write 3.0"),
    "a float for an integer": (["%0 = arith.constant 3.5 : i32"], "2:21", "not an integer"),
    "a float out of range": (["%0 = arith.constant 1.0e39 : f32"], "2:21", "too large for f32"),
    "too many bits": (["%0 = arith.constant 0x1FFFF : f16"], "2:21", "not the 16 bits"),
    "ragged rows": (
        ["%0 = arith.constant dense<[[1, 2], [3]]> : tensor<2x2xi32>"], "2:21", "differ in length"),
    "a wrong shape": (
        ["%0 = arith.constant dense<[1, 2, 3]> : tensor<2xi32>"], "2:21", "shape (3,)"),
    "an undefined alias": (['"lz.a"() {m = #map7} : () -> ()'], "2:15", "#map7 is not defined"),
    "a non-linear map": (
        ['"lz.a"() {m = affine_map<(i) -> (i mod 2)>} : () -> ()'], "2:36", "only linear"),
    "an unknown dimension": (
        ['"lz.a"() {m = affine_map<(i) -> (j)>} : () -> ()'], "2:34", "`j` is not a dimension"),
    "an unexpected character": (["%0 = arith.negf %x ; f32"], "2:20", "unexpected character ';'"),
    "an open string": (['"lz.a() : () -> ()'], "2:1", "string does not end"),
    "an attribute given twice": (['"lz.a"() {a, a} : () -> ()'], "2:14", "given twice"),
    "a branch": (["^bb1:"], "2:1", "one block"),
    "a missing iter type": (
        ["%0 = scf.for %k = %i to %i step %i iter_args(%a = %x) -> (f64) {", "}"], "2:36", "f64"),
    "bytes that do not fit": (
        ['%0 = arith.constant dense<"0x01"> : tensor<2xi32>'], "2:21", "1 bytes are given"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str) -> None:
    lines, place, message = ERRORS[name]
    args = "%x: f32, %d: f64, %n: i32, %i: index, %m: memref<4xf32>"
    with pytest.raises(ParseError) as caught:
        body(*lines, args=args)
    head, shown, caret = str(caught.value).split("\n")
    assert message in head
    assert head.startswith(f"<text>:{place}: ")
    line, column = map(int, place.split(":"))
    assert shown == "  " + lines[line - 2]
    assert caret == "  " + " " * (column - 1) + "^"


@pytest.mark.parametrize(
    "text, message",
    [
        ("func.func @f() {\n  return\n}\nfunc.func @f() {\n  return\n}", "@f is defined twice"),
        ("func.func @f(", "found the end of the text"),
        ("func.func @f() {\n", "found the end of the text"),
        ("func.func @f() {\n}", "ends with `return`"),
        ("module {\n}\nfunc.func @f()", "after the module"),
        ("#a = #a\nfunc.func @f() attributes {x = #a}", "defined by itself"),
        ("#a = 1\n#a = 2", "#a is defined twice"),
        ("func.func @f(%x: f32, i32)", "either all arguments have names or none"),
        ("builtin.unrealized %x", "expected an operation"),
        ("func.func @f() { return } }", "expected an operation, found `}`"),
    ],
)
def test_error_of_a_module(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=None) as caught:
        parse_module(text, "a.mlir")
    assert message in str(caught.value)
    assert str(caught.value).startswith("a.mlir:")


@pytest.mark.parametrize(
    "open, close",
    [
        ("scf.if %c {\n", "}\n"),
        ('"lz.a"() ({\n', "}) : () -> ()\n"),
        ("scf.for %i = %n to %n step %n {\n", "}\n"),
    ],
)
def test_deep_nesting_is_an_error(open: str, close: str) -> None:
    text = "".join(open.replace("%i ", f"%i{k} ") for k in range(5000))
    with pytest.raises(ParseError, match="deep"):
        body(text + close * 5000, args="%c: i1, %n: index")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "dense<" + "[" * 5000,
        "{a = " * 5000,
        "() -> (" * 5000,
        "affine_map<(i) -> (" + "(" * 5000,
        "affine_map<(i) -> (" + "-" * 5000,
        "9" * 5000,
        "#linalg.x<" + "(" * 5000,
    ],
)
def test_deep_or_long_attributes_are_errors(text: str) -> None:
    with pytest.raises(ParseError):
        body(f'"lz.a"() {{a = {text}')


def test_deep_locations_are_errors() -> None:
    with pytest.raises(ParseError):
        body('"lz.a"() : () -> () loc(' + "fused[" * 5000)


# -- hostile text ----------------------------------------------------------------------------------
def _tries(text: str) -> None:
    try:
        parse_module(text)
    except ParseError as error:
        assert str(error).startswith("<text>:")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.mlir")), ids=lambda p: p.stem)
def test_damaged_text_gives_parse_errors_only(path: Path) -> None:
    """Cut off, with a piece left out, doubled, or swapped for something from elsewhere (seeded)."""
    text = path.read_text()
    rng = random.Random(path.stem)
    functions = text.split("\n\n") if "\n\n" in text else [text]
    words = text.split()
    for _ in range(150):
        piece = rng.choice(functions)
        a, b = sorted(rng.randrange(len(piece) + 1) for _ in range(2))
        b = min(b, a + 12)
        _tries(piece[:a])
        _tries(piece[:a] + piece[b:])
        _tries(piece[:a] + rng.choice(words) + piece[b:])
        _tries(piece[:b] + piece[a:])


def test_damaged_generic_text_gives_parse_errors_only() -> None:
    rng = random.Random(11)
    for path in sorted(EXAMPLES.glob("*.mlir")):
        text = print_module(parse_module(path.read_text()), generic=True)
        words = text.split()
        for _ in range(15):
            a = rng.randrange(len(text))
            _tries(text[:a] + rng.choice(words) + text[a + rng.randrange(10) :])
