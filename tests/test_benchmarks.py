"""The benchmarks run and their results agree; what is fast is not asked here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"
sys.path.insert(0, str(FOLDER))

import harness  # noqa: E402
from harness_libraries import Unsupported, leaves_of, load, map_leaves, tree_map  # noqa: E402
from harness_report import Row, number, slug, table  # noqa: E402
from workloads import Workload, everything, find, on_request  # noqa: E402
from workloads.mlp import RATE  # noqa: E402


def results(workload: Workload, library: str) -> list[np.ndarray]:
    lib = load(library)
    arrays = workload.inputs(np.random.default_rng(0), **workload.quick)
    arguments = [map_leaves(lib.put, a) for a in arrays]
    return [lib.read(leaf) for leaf in leaves_of(lib.compile(workload.made(lib))(*arguments))]


def slopes(workload: Workload, step: float = 1e-2) -> tuple[float, float]:
    """The slope of the loss along its gradient: by central differences, and the gradient's."""
    lib = load("lazir")
    params, *others = workload.inputs(np.random.default_rng(0), **workload.quick)
    run = lib.compile(workload.made(lib))
    gradient = map_leaves(lib.read, run(params, *others)[1])
    if workload.name.endswith("_step"):  # it gives parameters after a step against the gradient
        gradient = tree_map(lambda p, new: (p - new) / np.float32(RATE), params, gradient)
    length = np.sqrt(sum(float((g * g).sum()) for g in leaves_of(gradient)))

    def loss(way: float) -> float:
        moved = tree_map(lambda p, g: p + np.float32(way / length) * g, params, gradient)
        return float(run(moved, *others)[0].item())

    return (loss(step) - loss(-step)) / (2 * step), float(length)


@pytest.mark.parametrize("workload", [*everything(), *on_request()[::6]], ids=lambda w: w.name)
def test_results_agree_with_numpy(workload: Workload) -> None:
    if "numpy" in workload.without:
        by_differences, by_gradient = slopes(workload)
        assert by_differences == pytest.approx(by_gradient, rel=2e-2)
        return
    gap = harness.difference(results(workload, "lazir"), results(workload, "numpy"))
    assert gap <= workload.tolerance


def test_the_command_runs(tmp_path: Path) -> None:
    command = [sys.executable, str(FOLDER / "run.py"), "--quick", "--rounds", "2"]
    command += ["--only", "gauss_seidel", "--peers", "numpy", "--threads", "1", "--costs", "no"]
    done = subprocess.run(
        [*command, "--output", str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    (report,) = tmp_path.glob("*.md")
    assert "| gauss_seidel |" in report.read_text()
    data = json.loads(report.with_suffix(".json").read_text())
    (workload,) = data["sections"][0]["workloads"]
    assert [len(library["rounds"]) for library in workload["libraries"]] == [2, 2]


def test_a_library_that_is_not_there_is_a_note() -> None:
    """A failure of a peer says what it was, and does not stop the others."""
    peers = [harness.Peer("lazir"), harness.Peer("no_such_library")]
    options = harness.Options(rounds=1, seconds=0.001, quick=True)
    ours, theirs = harness.run("sum_axis_0", 1e-4, peers, options)
    assert len(ours.rounds) == 1 and not theirs.rounds
    assert "no_such_library" in theirs.note


def test_results_that_differ_are_found() -> None:
    a, b = np.ones(3, "f4"), np.array([1, 1, 1.5], "f4")
    assert harness.difference([a], [b]) == pytest.approx(1 / 3)
    assert harness.difference([a], [np.array([1, 1, np.nan], "f4")]) == float("inf")
    assert harness.difference([a], [np.ones((3, 1), "f4")]) == float("inf")
    assert harness.difference([a], []) == float("inf")


def test_ratios_are_taken_within_a_round() -> None:
    ours = harness.Outcome("lazir", rounds=[1.0, 10.0, 1.0])
    theirs = harness.Outcome("other", rounds=[2.0, 20.0, 2.0])
    assert harness.ratio(theirs, ours) == 2.0
    row = Row("w", [ours, theirs, harness.Outcome("third", note="not installed")], 0.5)
    assert row.best() == ("other", 2.0)
    assert row.reached() == 0.5


def test_names() -> None:
    assert [w.name for w in find(["sum_axis"])] == ["sum_axis_0", "sum_axis_1"]
    with pytest.raises(ValueError, match="no workload is called 'nothing'"):
        find(["nothing"])
    names = {w.name for w in find([])}
    assert not names & {w.name for w in on_request()}
    assert len(find(["product_"])) == len({w.name for w in find(["product_"])}) == 40
    with pytest.raises(Unsupported, match="numpy has no derivatives"):
        load("numpy").value_and_grad(abs)


def test_report_text() -> None:
    assert [number(x) for x in (None, 0.1234, 1.234, 12.34, 123.4)] == [
        "–", "0.123", "1.23", "12.3", "123",
    ]  # fmt: skip
    assert slug("AMD EPYC (Zen 4)") == "amd-epyc-zen-4"
    assert table(["name", "b"], [["x", "1"]]) == [
        "| name |   b |",
        "| ---- | --: |",
        "| x    |   1 |",
    ]
