"""Every operation of the table, in examples/*.mlir: round trips, and upstream says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from lazir.compiler.mlir.compare import equal
from lazir.compiler.mlir.ir import Module
from lazir.compiler.mlir.parser import parse_module
from lazir.compiler.mlir.printer import print_module
from lazir.compiler.mlir.table import RECORDS
from lazir.compiler.mlir.verify import verify
from tests.upstream import mlir_opt

EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*.mlir"))


def example(path: Path) -> Module:
    return parse_module(path.read_text(), path.name)


def test_every_operation_has_an_example() -> None:
    seen = {op.name for path in EXAMPLES for op in example(path).walk()}
    assert set(RECORDS) - seen == set()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
class TestExample:
    def test_verifies(self, path: Path) -> None:
        verify(example(path))

    def test_print_and_parse_are_inverse(self, path: Path) -> None:
        module = example(path)
        text = print_module(module)
        again = parse_module(text)
        assert equal(module, again)
        assert print_module(again) == text

    def test_generic_form_says_the_same(self, path: Path) -> None:
        module = example(path)
        generic = print_module(module, generic=True)
        assert '"func.func"' in generic
        again = parse_module(generic)
        assert equal(module, again)
        assert print_module(again) == print_module(module)

    def test_upstream_accepts_our_text_and_we_read_its_forms(self, path: Path) -> None:
        module = example(path)
        text = print_module(module)
        pretty = mlir_opt(text)
        assert equal(module, parse_module(pretty))
        assert equal(module, parse_module(mlir_opt(text, "--mlir-print-op-generic")))
        assert mlir_opt(print_module(module, generic=True)) == pretty

    def test_upstream_keeps_locations(self, path: Path) -> None:
        text = mlir_opt(path.read_text(), "--mlir-print-debuginfo")
        module = parse_module(text)
        assert equal(module, example(path))
        ours = print_module(module, locations=True)
        for op, again in zip(module.walk(), parse_module(ours).walk(), strict=True):
            if op.name != "scf.yield" or op.operands:  # those without operands are not printed
                assert op.locs
                assert again.locs == op.locs
        assert equal(module, parse_module(mlir_opt(ours, "--mlir-print-debuginfo")))


def test_unequal_modules_are_told_apart() -> None:
    """Each line of an example left out, or one number changed, makes another module."""
    path = next(p for p in EXAMPLES if p.stem == "structure")
    base = example(path)
    text = print_module(base)
    changes = [
        ("%b = arith.addf %a, %x", "%b = arith.addf %x, %a"),
        ("arith.constant 4 : index", "arith.constant 5 : index"),
        ("cmpf ogt", "cmpf oge"),
        ("0x7FC00000", "0x7FC00001"),
        ("case -5", "case -6"),
        ("linalg.index 1", "linalg.index 0"),
        ('lz.note = "bias"', 'lz.note = "bios"'),
        ("lz.first", "lz.second"),
        ("@scratch", "@other"),
    ]
    for old, new in changes:
        assert old in text, old
        assert not equal(base, parse_module(text.replace(old, new))), old
