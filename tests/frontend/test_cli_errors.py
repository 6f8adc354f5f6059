"""What the command says when something is wrong: to whom, where, and with which exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from lazir.cli import main

FILE = str(Path(__file__).with_name("cli_layer.py"))
LINES = Path(FILE).read_text().splitlines()


def line_of(text: str) -> int:
    """The number of the line of the file that holds the text."""
    return next(k for k, line in enumerate(LINES, 1) if text in line)


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]):
    """Runs a command that must fail with the exit code; gives stderr. stdout stays empty."""

    def run(code: int, *words: str) -> str:
        found = main(words)
        out, err = capsys.readouterr()
        assert found == code, err
        assert out == ""
        return err.replace("this goes to stderr\n", "")

    return run


USAGE = [
    (["dump", FILE + ":layer", "--stage", "kernel"], "no stage 'kernel'; did you mean 'kernels'?"),
    (["dump", FILE + ":layer", "--target", "x86-64-v5"], "no target 'x86-64-v5'; did you mean"),
    (["dump", FILE + ":layer", "--device", "tpu"], "unknown device 'tpu'"),
    (["dump", FILE + ":layer", "--op", "dotgeneral"], "did you mean 'lz.dot_general'?"),
    (["dump", FILE + ":layer", "--kernel", "k7"], "no function 'k7' at kernels; "),
    (["dump", FILE + ":layer", "--op", "add", "--stage", "asm"], "--op is for MLIR"),
    (["dump", FILE + ":layer", "--locations", "--stage", "llvm"], "--locations is for MLIR"),
    (["dump", FILE + ":layer", "--diff", "graph", "asm", "--stage", "asm"], "leave --stage out"),
    (["dump", FILE + ":layer", "--grad", "x"], "no list of argument numbers"),
    (["dump", FILE + ":layer", "--grad", "3"], "called with 3 positional arguments"),
    (["dump", FILE + ":layer", "--from", "graph"], "--from graph is for text"),
    (["dump", "layer"], "neither FILE.py:FUNCTION, FILE.mlir nor -"),
    (["dump", FILE + ":a-b"], "'a-b' is no name of a function"),
    (["run", FILE + ":pair", "--time", "0"], "no whole number from 1"),
    (["dum"], "no command 'dum'; did you mean 'dump'?"),
    ([], "required"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "message"), USAGE)
def test_usage(refused, words: list[str], message: str) -> None:
    err = refused(2, *words)
    assert message in err
    assert err.rstrip().endswith("--help")


INPUT = [
    (["dump", FILE + ":layr"], "has no function 'layr'; did you mean 'layer'?"),
    (["dump", FILE + ":model.cal"], "has no 'cal'; did you mean 'call'?"),
    (["dump", FILE + ":number"], "number in"),
    (["dump", FILE + ":Needy.call"], "make one in the file"),
    (["dump", FILE + ":total"], "total(x, axis, how): which shapes?"),
    (["dump", FILE + ":pair", "--arg", "f32"], "pair(a, b) does not take the 1 argument given"),
    (["dump", FILE.replace("layer", "layr") + ":f"], "did you mean 'cli_layer.py'?"),
    (["dump", "missing.mlir"], "there is no file missing.mlir"),
    (["run", FILE + ":layer"], "no value for x: f32[4,8]; give --input FILE.npy, or --random"),
    (["run", FILE + ":layer", "--input", "missing.npy"], "there is no file missing.npy"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "message"), INPUT)
def test_input(refused, words: list[str], message: str) -> None:
    assert message in refused(1, *words)


def test_a_caret_below_the_argument(refused) -> None:
    err = refused(2, "dump", f"{FILE}:layer", "--arg", "[(f32[8,16], f32[16)]")
    assert err.splitlines()[:3] == [
        "lazir dump: --arg: expected ',' or ']'",
        "  [(f32[8,16], f32[16)]",
        "                     ^",
    ]


def test_an_error_of_lazir_shows_the_line_and_the_calls(refused) -> None:
    err = refused(1, "check", f"{FILE}:wrong_shape").splitlines()
    assert err[0].startswith("error: matmul: ") and "f32[4,7]" in err[0]
    assert err[1] == f"  --> {FILE}:{line_of('x @ lnp.ones')}:12"
    assert err[2:4] == ["   | return x @ lnp.ones((8, 2))", "   |        ^"]
    assert err[4] == f"  called at {FILE}:{line_of('_helper(x * 2)')}: return _helper(x * 2)"
    assert len(err) == 5


def test_branching_names_what_to_use(refused) -> None:
    err = refused(1, "dump", f"{FILE}:branches")
    assert "lz.cond" in err and "return x if x > 0 else -x" in err and "Traceback" not in err


def test_the_users_exception_shows_the_users_lines(refused) -> None:
    err = refused(1, "run", f"{FILE}:crashes", "--random")
    assert err.startswith("Traceback (most recent call last):\n")
    assert err.count("  File ") == 1
    assert f'File "{FILE}", line {line_of("key")}, in crashes' in err
    assert err.rstrip().endswith("KeyError: 'key'")
    whole = refused(1, "run", f"{FILE}:crashes", "--random", "--traceback")
    assert "specialise.py" in whole


BROKEN = {
    "syntax": ("def f(x:\n", "SyntaxError"),
    "import": ("import nothing_of_that_name\n", "ModuleNotFoundError: No module named"),
    "exit": ("import sys\nsys.exit(3)\n", "ends Python while it is loaded"),
    "empty": ("x = 1\n", "defines no function"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_files_that_do_not_load(refused, tmp_path: Path, kind: str) -> None:
    text, message = BROKEN[kind]
    path = tmp_path / f"broken_{kind}.py"
    path.write_text(text)
    err = refused(1, "dump", str(path))
    assert message in err and "lazir/cli" not in err and "frontend" not in err


def test_several_functions_need_a_name(refused, tmp_path: Path) -> None:
    path = tmp_path / "two.py"
    path.write_text("def f(x): return x\ndef g(x): return x\n")
    assert f"say which function: {path}:f, {path}:g" in refused(2, "dump", str(path))
