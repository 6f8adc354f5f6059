"""`lazir run`: where values come from, what is printed and saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lazir.cli import main

FILE = str(Path(__file__).with_name("cli_layer.py"))


@pytest.fixture
def lazir(capsys: pytest.CaptureFixture[str]):
    """Runs a command; gives exit code, stdout, stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words)
        out, err = capsys.readouterr()
        return code, out, err.replace("this goes to stderr\n", "")

    return run


def test_the_files_own_example(lazir) -> None:
    code, out, _ = lazir("run", f"{FILE}:pair")
    assert code == 0
    assert out == (
        "result['both'][0]: f32[3]\n[2. 2. 2.]\n\n"
        "result['both'][1]: f32[3]\n[-1.  0.  1.]\n\n"
        "result['sum']: f32[3]\n[1. 2. 3.]\n"
    )


def test_random_values_come_from_the_seed(lazir) -> None:
    first, again, other = (
        lazir("run", f"{FILE}:layer", "--random", "--seed", seed)[1] for seed in "112"
    )
    assert first == again != other
    assert first.startswith("result: f32[4,16]\n[[")


def test_every_kind_of_value_agrees_with_the_interpreter(lazir) -> None:
    code, out, _ = lazir("run", f"{FILE}:kinds", "--random")
    assert code == 0 and "result[0]: i32[4]" in out and "result[1]: bf16[3]" in out
    assert lazir("run", f"{FILE}:kinds", "--random", "--interpret")[1] == out


def test_static_arguments(lazir) -> None:
    words = ["run", f"{FILE}:total", "--arg", "f32[3,4]", "--arg", "1", "--arg", "'sum'"]
    assert lazir(*words, "--static", "axis", "--random")[1].startswith("result: f32[3]\n")
    named = [*words[:4], "--arg", "axis=0", "--arg", "how='max'", "--static", "axis", "--random"]
    assert lazir(*named)[1].startswith("result: f32[4]\n")
    code, _, err = lazir(*words, "--static", "axes", "--random")
    assert code == 2 and "no argument 'axes'" in err


def test_compiled_functions_keep_their_options(lazir, tmp_path: Path) -> None:
    """Static by decorator; the donated argument may be used for every timed call."""
    np.save(tmp_path / "x.npy", -np.ones((2, 3), np.float32))
    inputs = ["--input", str(tmp_path / "x.npy")]
    code, out, err = lazir("run", f"{FILE}:act", *inputs, "--time", "3")
    assert code == 0 and "[[0. 0.]" in out
    assert err.startswith("3 calls: least ") and "median" in err
    words = ["run", f"{FILE}:act", "--arg", "f32[2,3]", "--arg", "mode='none'", *inputs]
    assert "[[-3. -3.]" in lazir(*words)[1]


def test_arrays_from_files(lazir, tmp_path: Path) -> None:
    a, b = np.arange(3.0), np.full(3, 10.0)
    np.save(tmp_path / "a.npy", a)
    np.savez(tmp_path / "b.npz", b=b)
    words = ["--input", str(tmp_path / "a.npy"), "--input", str(tmp_path / "b.npz")]
    saved = str(tmp_path / "out.npz")
    code, out, err = lazir("run", f"{FILE}:pair", *words, "--output", saved)
    assert (code, out) == (0, "") and err.startswith(f"wrote {saved}: result['both'][0] f64[3]")
    with np.load(saved) as found:
        np.testing.assert_array_equal(found["result['sum']"], a + b)
        np.testing.assert_array_equal(found["result['both'][0]"], a * 2)


def test_arrays_fill_nested_arguments_by_name_and_order(lazir, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    w, x = rng.random((8, 16), np.float32), rng.random((4, 8), np.float32)
    named = {"params[0][1]": np.zeros(16, np.float32), "y": np.zeros((4, 16), np.float32)}
    np.savez(tmp_path / "named.npz", **named)
    np.savez(tmp_path / "rest.npz", w, x)
    words = ["run", f"{FILE}:loss", "--arg", "[(f32[8,16], f32[16])]", "--arg", "f32[4,8]",
             "--arg", "f32[4,16]", "--input", str(tmp_path / "named.npz"),
             "--input", str(tmp_path / "rest.npz"),
             "--output", str(tmp_path / "r.npy")]  # fmt: skip
    code, _, err = lazir(*words)
    assert code == 0, err
    np.testing.assert_allclose(np.load(tmp_path / "r.npy"), np.mean((x @ w) ** 2), rtol=1e-5)


WRONG = [
    ({"c": np.ones(3)}, "there is no argument 'c'"),
    ({"x": np.ones((4, 8))}, "is of f64, but x is of f32; convert it with array.astype('float32')"),
    ({"x": np.ones((4, 7), np.float32)}, "f32[4,7], but x is f32[4,8]"),
    ({f"arr_{k}": np.ones(16, np.float32) for k in range(4)}, "has no argument left to fill"),
]  # fmt: skip


@pytest.mark.parametrize(("arrays", "message"), WRONG)
def test_arrays_that_do_not_fit(lazir, tmp_path: Path, arrays, message: str) -> None:
    np.savez(tmp_path / "in.npz", **arrays)
    code, _, err = lazir("run", f"{FILE}:layer", "--input", str(tmp_path / "in.npz"), "--random")
    assert code == 1 and message in err


def test_files_that_hold_no_numbers(lazir, tmp_path: Path) -> None:
    (tmp_path / "text.npy").write_text("hello")
    code, _, err = lazir("run", f"{FILE}:pair", "--input", str(tmp_path / "text.npy"))
    assert code == 1 and "is no .npy or .npz file" in err
    code, _, err = lazir("run", f"{FILE}:pair", "--output", str(tmp_path / "r.npy"))
    assert code == 1 and "3 results go into an .npz file" in err


@pytest.mark.parametrize("stage", ["graph", "optimized", "kernels", "loops"])
def test_text_of_every_stage_runs(lazir, tmp_path: Path, stage: str) -> None:
    path = str(tmp_path / "text.mlir")
    assert lazir("dump", f"{FILE}:kinds", "--stage", stage, "-o", path)[0] == 0
    words = ["run", path, "--random", *(["--from", stage] if stage == "optimized" else [])]
    code, out, err = lazir(*words)
    assert code == 0, err
    assert out == lazir("run", f"{FILE}:kinds", "--random")[1]
    code, same, err = lazir(*words, "--interpret")
    assert (same == out) if stage in ("graph", "optimized") else (code == 2)


def test_gradient(lazir, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.float32(3))
    source = tmp_path / "cube.py"
    source.write_text("def cube(x: 'f32'):\n    return x**3\n")
    words = ["run", str(source), "--grad", "0", "--input", str(tmp_path / "x.npy")]
    assert lazir(*words)[1] == "result: f32[]\n27.0\n"


@pytest.mark.parametrize("stage", ("graph", "kernels", "loops"))
def test_text_with_a_callback_lacks_what_is_called(lazir, tmp_path: Path, stage: str) -> None:
    file, text = tmp_path / "calls.py", tmp_path / "calls.mlir"
    file.write_text(
        "import lazir as lz\n\n\ndef f(x):\n"
        "    return lz.pure_callback(lambda a: a, lz.ShapeDtypeStruct(x.shape, x.dtype), x)\n"
    )
    dumped = lazir("dump", f"{file}:f", "--arg", "f32[3]", "--stage", stage)
    text.write_text(dumped[1])
    code, _, err = lazir("run", str(text), "--random")
    assert code != 0 and "calls back into Python" in err and "FILE.py:FUNCTION" in err
