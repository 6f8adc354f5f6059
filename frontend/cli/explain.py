"""`lazir explain`: what each kernel does, what bounds it, how near to the bound it runs.

Takes: parsed options. Gives: a table or JSON on stdout. Must not know: how figures are found.
"""

from __future__ import annotations

import json
import math
from argparse import Namespace
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from lazir.compiler.explain import KernelReport, ProgramReport, explain
from lazir.compiler.mlir.ir import Loc
from lazir.compiler.target import host_target

from .output import count, seconds, size, write_table
from .problems import UsageError
from .program import read_program, target_of

HEAD = (
    "kernel", "kind", "source", "flops", "bytes", "predicted", "bound", "measured", "of bound",
)  # fmt: skip
_NUMBERS = (3, 4, 5, 7, 8)


def explain_command(options: Namespace) -> int:
    """Print the report."""
    target = target_of(options)
    program = read_program(options)
    stage = program.compilation.start.stage
    if stage != "graph":
        raise UsageError(f"explain starts from a function or text of the stage graph, not {stage}")
    measure = not options.no_measure and target == host_target()
    report = explain(program.compilation, measure=measure)
    if options.json:
        print(json.dumps(as_data(report, target.name), indent=2, ensure_ascii=False))
        return 0
    shown = [k for k in range(len(HEAD)) if measure or k < 7]
    rows = [[cells(step)[k] for k in shown] for step in report.steps]
    if len(rows) > 1:
        total = totals(report.steps)
        rows.append([total[k] for k in shown])
    print(summary(report))
    if rows:
        numbers = [shown.index(k) for k in _NUMBERS if k in shown]
        write_table([HEAD[k] for k in shown], rows, numbers, options.color)
    print(foot(report, target.name, measure, options.no_measure))
    return 0


def summary(report: ProgramReport) -> str:
    """`loss: 17 operations in 3 kernels`."""
    kernels = sum(step.kind != "control" for step in report.steps)
    control = len(report.steps) - kernels
    text = f"{report.name}: {plural(report.operations, 'operation')} in {plural(kernels, 'kernel')}"
    return text + (
        f", {plural(control, 'loop or branch', 'loops and branches')}" if control else ""
    )


def plural(number: int, one: str, many: str = "") -> str:
    """`1 kernel`, `2 kernels`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def foot(report: ProgramReport, target: str, measured: bool, chosen: bool) -> str:
    """Memory, and what the figures are."""
    lines = [
        f"inputs {size(report.input_bytes)}, outputs {size(report.output_bytes)}, "
        f"workspace {size(report.workspace_bytes)}"
    ]
    if report.memory is not None:
        most, live = report.memory.peak_memory_in_bytes, report.memory.live_size_in_bytes
        lines[0] += f" (at least {size(live)}), {size(most)} at most in all"
    if measured:
        lines.append(
            "predicted: the bound by arithmetic or memory on one core; measured: each kernel "
            "alone, the least of several runs"
        )
    else:
        why = "" if chosen else f" (not measured: the target {target} is not this machine)"
        lines.append(f"predicted: the bound by arithmetic or memory on one core{why}")
    return "\n".join(lines)


def cells(step: KernelReport) -> list[str]:
    """One row of the table."""
    known = step.kind != "control"
    return [
        step.name,
        step.kind,
        source_lines(step.locs),
        count(step.flops) if known else "",
        size(step.nbytes) if known else "",
        seconds(step.predicted) if known else "",
        step.bound,
        seconds(step.measured) if step.measured is not None else "",
        fraction(step.predicted, step.measured),
    ]


def fraction(predicted: float, measured: float | None) -> str:
    """How much of the bound is reached; empty where it was not measured."""
    if measured is None or math.isnan(predicted):
        return ""
    return f"{100 * predicted / measured:.0f} %"


def totals(steps: Sequence[KernelReport]) -> list[str]:
    """The last row: sums of all kernels."""
    known = [s for s in steps if s.kind != "control"]
    predicted = sum(s.predicted for s in known)
    measured = sum(s.measured or 0 for s in known)
    return [
        "total", "", "", count(sum(s.flops for s in known)), size(sum(s.nbytes for s in known)),
        seconds(predicted), "", seconds(measured), fraction(predicted, measured or None),
    ]  # fmt: skip


def source_lines(locs: Sequence[Loc]) -> str:
    """`mlp.py:6,8-10`, for each file its lines.

    >>> source_lines((Loc("a/mlp.py", 6), Loc("a/mlp.py", 8), Loc("a/mlp.py", 7), Loc("b.py", 1)))
    'mlp.py:6-8 b.py:1'
    """
    files: dict[str, set[int]] = {}
    for loc in locs:
        files.setdefault(loc.file, set()).add(loc.line)
    return " ".join(f"{PurePath(f).name}:{_ranges(sorted(n))}" for f, n in files.items())


def _ranges(lines: Sequence[int]) -> str:
    parts: list[list[int]] = []
    for line in lines:
        if parts and line == parts[-1][1] + 1:
            parts[-1][1] = line
        else:
            parts.append([line, line])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def as_data(report: ProgramReport, target: str) -> dict[str, Any]:
    """The report for programs: times in seconds, null where unknown."""
    return {
        "name": report.name,
        "target": target,
        "operations": report.operations,
        "input_bytes": report.input_bytes,
        "output_bytes": report.output_bytes,
        "workspace_bytes": report.workspace_bytes,
        "peak_bytes": report.memory and report.memory.peak_memory_in_bytes,
        "live_bytes": report.memory and report.memory.live_size_in_bytes,
        "kernels": [
            {
                "name": step.name,
                "kind": step.kind,
                "source": [{"file": c.file, "line": c.line, "column": c.column} for c in step.locs],
                "flops": _number(step.flops),
                "bytes": step.nbytes,
                "predicted": _number(step.predicted),
                "bound": step.bound or None,
                "measured": step.measured,
            }
            for step in report.steps
        ],
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
