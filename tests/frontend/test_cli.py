"""`lazir dump`, `opt`, `check`, `explain`, `export`, `devices`, in this process."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from lazir.cli import main
from lazir.compiler.pipeline import STAGES

FILE = str(Path(__file__).with_name("cli_layer.py"))
GOLDEN = Path(__file__).parent.parent / "golden"
PARAMS = ["--arg", "[(f32[8,16], f32[16])]", "--arg", "f32[4,8]", "--arg", "f32[4,16]"]
FIXED = ["--target", "x86-64-v3"]


@pytest.fixture
def lazir(capsys: pytest.CaptureFixture[str]):
    """Runs a command; gives stdout. Another exit code than 0 is a failure."""

    def run(*words: str) -> str:
        code = main(words)
        out, err = capsys.readouterr()
        assert code == 0, err
        return out

    return run


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]):
    """Runs a command that must fail with the exit code; gives stderr. stdout stays empty."""

    def run(code: int, *words: str) -> str:
        assert main(words) == code
        out, err = capsys.readouterr()
        assert out == ""
        return err.replace("this goes to stderr\n", "")

    return run


# -- dump ----------------------------------------------------------------------------------
@pytest.mark.parametrize("stage", ["graph", "kernels", "loops"])
def test_golden_text(lazir, stage: str) -> None:
    text = lazir("dump", f"{FILE}:layer", "--stage", stage, *FIXED)
    path = GOLDEN / f"cli_layer.{stage}.mlir"
    if os.environ.get("LAZIR_UPDATE_GOLDEN") == "1":
        path.write_text(text)
    assert text == path.read_text()


def test_what_the_file_prints_goes_to_stderr(capsys) -> None:
    assert main(["dump", f"{FILE}:layer"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("func.func @layer(%x: tensor<4x8xf32>")
    assert err == "this goes to stderr\n"


def test_all_stages_into_a_folder_and_back(lazir, tmp_path: Path) -> None:
    folder = tmp_path / "stages"
    assert lazir("dump", f"{FILE}:loss", *PARAMS, *FIXED, "-o", f"{folder}/") == ""
    names = sorted(p.name for p in folder.iterdir())
    assert names == [
        "1-graph.mlir", "2-optimized.mlir", "3-kernels.mlir", "4-loops.mlir", "5-llvm.ll", "6-asm.s"
    ]  # fmt: skip
    machine = (folder / "5-llvm.ll").read_text()
    for name in names[:4]:
        assert lazir("opt", str(folder / name), "--to", "llvm", *FIXED) == machine
        assert lazir("dump", str(folder / name), "--stage", "llvm", *FIXED) == machine


def test_one_file(lazir, tmp_path: Path) -> None:
    path = tmp_path / "layer.s"
    lazir("dump", f"{FILE}:layer", "--stage", "asm", *FIXED, "-o", str(path))
    assert re.search(r"^layer:", path.read_text(), re.MULTILINE)


def test_gradient_and_difference(lazir) -> None:
    text = lazir("dump", f"{FILE}:loss", *PARAMS, "--grad", "0")
    assert "@grad_loss(" in text
    assert text.splitlines()[-2].endswith(": tensor<8x16xf32>, tensor<16xf32>")
    two = lazir("dump", f"{FILE}:loss", *PARAMS, "--grad", "0,1").splitlines()[-2]
    assert two.endswith(": tensor<8x16xf32>, tensor<16xf32>, tensor<4x8xf32>")
    diff = lazir("dump", f"{FILE}:loss", *PARAMS, "--diff", "graph", "optimized")
    assert diff.startswith("--- graph\n+++ optimized\n@@")


def test_parts_of_a_stage(lazir) -> None:
    text = lazir("dump", f"{FILE}:layer", "--stage", "kernels", "--op", "generic")
    assert text.count("linalg.generic") == 2
    assert text.count("linalg.yield") == 2 and "func.func" not in text
    assert set(re.findall(r"arith\.\w+", lazir(
        "dump", f"{FILE}:layer", "--stage", "kernels", "--op", "arith.*"
    ))) >= {"arith.addf", "arith.constant"}  # fmt: skip
    for name in ("k0", "dot_general_maximum", "k0_dot*"):
        part = lazir("dump", f"{FILE}:layer", "--kernel", name)
        assert part.count("func.func") == 1 and "private @k0_dot_general_maximum" in part
        assert "#map0 = affine_map" in part
    whole = lazir("dump", f"{FILE}:layer", "--stage", "llvm", *FIXED)
    for stage, start in (("loops", "func.func"), ("llvm", "define"), ("asm", "layer")):
        part = lazir("dump", f"{FILE}:layer", "--stage", stage, "--kernel", "layer", *FIXED)
        assert part.startswith(start)
        assert stage != "llvm" or part.strip() in whole


def test_locations(lazir) -> None:
    text = lazir("dump", f"{FILE}:layer", "--locations", "--op", "dot_general")
    line = Path(FILE).read_text().splitlines().index("    return lnp.maximum(x @ w + b, 0)") + 1
    assert text.rstrip().endswith(f'cli_layer.py":{line}:24)')


def test_colours_do_not_change_the_text(lazir, monkeypatch) -> None:
    plain = lazir("dump", f"{FILE}:layer", "--stage", "loops")
    assert "\x1b" not in plain
    coloured = lazir("dump", f"{FILE}:layer", "--stage", "loops", "--color", "always")
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


def test_functions_in_a_file(lazir) -> None:
    assert "@Model_call(%x: tensor<3xf32>)" in lazir("dump", f"{FILE}:Model.call")
    assert "@model_call(" in lazir("dump", f"{FILE}:model.call")
    assert "@Model_double(" in lazir("dump", f"{FILE}:Model.double")
    assert "@act(%x: tensor<2x3xf32>" in lazir("dump", FILE)  # the only compiled one


def test_a_gpu_is_a_target(lazir, refused) -> None:
    text = lazir("dump", f"{FILE}:pair", "--device", "cuda", "--stage", "ptx")
    assert ".visible .entry" in text and ".target sm_80" in text
    assert "has the stage ptx" in refused(2, "dump", f"{FILE}:pair", "--target", "sm_90a",
                                          "--stage", "asm")  # fmt: skip
    assert "add --target sm_80" in refused(2, "dump", f"{FILE}:pair", "--stage", "ptx")
    assert "not for the device cuda" in refused(
        2, "dump", f"{FILE}:pair", "--device", "cuda", "--target", "x86-64-v3"
    )


@pytest.mark.parametrize("target", ["x86-64-v2", "aarch64-neon", "wasm32"])
def test_kernels_in_assembly_of_every_machine(lazir, target: str) -> None:
    words = ["dump", f"{FILE}:layer", "--stage", "asm", "--target", target]
    part = lazir(*words, "--kernel", "layer")
    assert part.startswith("layer:") and part.strip() in lazir(*words)
    assert "k0_dot_general_maximum:" not in part


# -- opt -----------------------------------------------------------------------------------
@pytest.fixture
def graph(lazir, tmp_path: Path) -> str:
    path = tmp_path / "graph.mlir"
    lazir("dump", f"{FILE}:loss", *PARAMS, "-o", str(path))
    return str(path)


def test_opt_prints_what_it_read(lazir, graph: str) -> None:
    assert lazir("opt", graph) == Path(graph).read_text()
    assert '"func.func"() <{' in lazir("opt", graph, "--generic")


def test_opt_runs_passes(lazir, graph: str) -> None:
    assert "lz.div" in lazir("opt", graph, "--passes", "fold")
    text = lazir("opt", graph, "--passes", "decompose,simplify", "--verify")
    assert "lz.div" not in text and "dense<0.015625>" in text
    kernels = lazir("opt", graph, "--passes", "decompose,simplify", "--to", "kernels")
    assert 'lz.kind = "contract"' in kernels
    assert lazir("opt", graph, "--to", "kernels").count("func.func private") == 2


def test_opt_lists_passes(lazir) -> None:
    lines = lazir("opt", "--list-passes").splitlines()
    assert lines[0].split()[:2] == ["pass", "required"]
    assert [line.split()[0] for line in lines[1:4]] == ["decompose", "split", "fold"]


def test_opt_refuses(refused, graph: str, tmp_path: Path) -> None:
    err = refused(2, "opt", graph, "--passes", "fold,simplfy")
    assert "no pass 'simplfy'; did you mean 'simplify'?" in err
    assert "name a FILE.mlir" in refused(2, "opt")
    wrong = tmp_path / "wrong.mlir"
    wrong.write_text(Path(graph).read_text().replace('"lz.sub"(%5', '"lz.sub"(%55'))
    assert "wrong.mlir:8:17: %55 is not defined" in refused(1, "opt", str(wrong))
    wrong.write_text("func.func @f(\n")
    assert "wrong.mlir:" in refused(1, "opt", str(wrong), "--to", "llvm")
    wrong.write_bytes(b"\xff\xfe")
    assert "is no text" in refused(1, "opt", str(wrong))


# -- check, explain, export, devices -------------------------------------------------------
def test_check(lazir, graph: str) -> None:
    assert lazir("check", f"{FILE}:layer") == (
        "layer(x: f32[4,8], w: f32[8,16], b: f32[16]) -> f32[4,16]: ok, 6 operations\n"
    )
    assert "with 1 captured tensor: ok" in lazir("check", f"{FILE}:act")
    assert lazir("check", graph).endswith("-> f32[]: ok, stage graph\n")


def test_explain(lazir) -> None:
    text = lazir("explain", f"{FILE}:loss", *PARAMS)
    lines = text.splitlines()
    assert lines[0] == "loss: 11 operations in 2 kernels"
    assert re.sub(" +", " ", lines[1]) == (
        "kernel kind source flops bytes predicted bound measured of bound"
    )
    assert re.match(r"dot_general\w+ +contract +cli_layer.py:\d+,\d+ +1.28 k +1.19 KiB", lines[2])
    assert lines[4].startswith("total") and lines[4].endswith(" %")
    assert "workspace" in lines[5]
    other = lazir("explain", f"{FILE}:loss", *PARAMS, *FIXED, "--no-measure")
    assert "measured" not in other


def test_explain_as_data(lazir) -> None:
    data = json.loads(lazir("explain", f"{FILE}:layer", "--json", *FIXED))
    (kernel,) = data["kernels"]
    assert data["operations"] == 6 and data["target"] == "x86-64-v3"
    assert kernel["flops"] == 2 * 4 * 8 * 16 + 2 * 4 * 16
    assert kernel["source"][0]["file"] == FILE and kernel["bound"] == "memory"


def test_export(lazir, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    paths = lazir("export", f"{FILE}:act", "-o", str(folder), "--name", "dense").split()
    assert [Path(p).name for p in paths] == ["dense.o", "dense.h"]
    header = (folder / "dense.h").read_text()
    assert "dense(" in header and all(Path(p).stat().st_size for p in paths)


def test_devices(lazir) -> None:
    text = lazir("devices")
    assert re.search(r"^cpu +\S", text) and re.search(r"^cuda ", text, re.MULTILINE)
    data = json.loads(lazir("devices", "--json"))
    assert data["cpu"]["vector_bits"] in (128, 256, 512) and data["targets"][0] == "host"


# -- help ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "command", ["dump", "opt", "run", "explain", "check", "export", "devices", ""]
)
def test_help_shows_an_example(lazir, command: str) -> None:
    text = lazir(*[command] * bool(command), "--help")
    assert re.search(r"examples?:\n +lazir " + command, text)


def test_stage_names_are_those_of_the_pipeline(lazir) -> None:
    assert ", ".join(STAGES) in lazir("dump", "--help")
