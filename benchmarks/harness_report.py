"""Results as tables for people and as JSON for programs.

Takes: outcomes, costs, the floor. Gives: Markdown, and plain data. Must not know: how they were
measured.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from math import exp, log
from statistics import fmean
from typing import Any

from harness import Options, Outcome, all_cpus, least_ratio, ratio
from harness_costs import Cost
from harness_floor import Floor

Compare = Callable[[Outcome, Outcome], float | None]

QUIET = 0.9
"""The share of a CPU below which a round was disturbed by others."""


@dataclass
class Row:
    """One workload: what every library gave, the least possible time in seconds."""

    workload: str
    outcomes: list[Outcome]
    floor: float

    @property
    def ours(self) -> Outcome:
        return self.outcomes[0]

    def best(self, of: Compare = ratio) -> tuple[str, float] | None:
        """The fastest peer and its time ÷ ours."""
        found = [(r, o.peer) for o in self.outcomes[1:] if (r := of(o, self.ours)) is not None]
        return (min(found)[1], min(found)[0]) if found else None

    def reached(self) -> float | None:
        """The floor ÷ our time."""
        return None if self.ours.seconds is None else self.floor / self.ours.seconds


@dataclass
class Section:
    """All workloads at one number of threads."""

    options: Options
    floor: Floor
    rows: list[Row] = field(default_factory=list)


def cpu_name() -> str:
    """The processor, as the system calls it, and how many CPUs were used."""
    try:
        with open("/proc/cpuinfo") as file:
            found = re.search(r"^model name\s*:\s*(.+)$", file.read(), re.MULTILINE)
    except OSError:
        found = None
    return found.group(1).strip() if found else platform.processor() or platform.machine()


def slug(text: str) -> str:
    """A name for a file: lower case, words joined by dashes."""
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))


def number(value: float | None, scale: float = 1.0) -> str:
    """Three significant digits; a dash where there is no figure."""
    if value is None:
        return "–"
    value *= scale
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:.{digits}f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table whose columns line up as plain text; the first is text, others numbers."""
    widths = [max(3, *(len(r[k]) for r in [head, *rows])) for k in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(cells, widths))
        ]
        return "| " + " | ".join(padded) + " |"

    rule = ["-" * w if k == 0 else "-" * (w - 1) + ":" for k, w in enumerate(widths)]
    return [line(head), line(rule), *map(line, rows)]


def cells(row: Row, peers: Sequence[str]) -> list[str]:
    """One line of the table of workloads."""
    by_name = {o.peer: o for o in row.outcomes}
    times = [number(by_name[p].seconds if p in by_name else None, 1e3) for p in peers]
    reached, spread = row.reached(), row.ours.spread
    return [
        row.workload,
        *times,
        *(
            "–" if b is None else f"{b[1]:.2f} ({b[0]})"
            for b in (row.best(), row.best(least_ratio))
        ),
        "–" if reached is None else f"{reached:.0%}",
        "–" if spread is None else f"{spread:.0%}",
        number(row.ours.first, 1e3),
        number(row.ours.memory, 2**-20),
        number(min((o.memory for o in row.outcomes[1:] if o.memory), default=None), 2**-20),
    ]


def geometric_mean(rows: Sequence[Row]) -> str:
    """Of the ratios to the best peer: one line."""
    found = [b[1] for row in rows if (b := row.best())]
    if not found:
        return "No peer to compare with."
    wins = sum(r >= 1 for r in found)
    mean = exp(fmean(map(log, found)))
    return (
        f"Geometric mean of best peer ÷ lazir: {mean:.2f} over {len(found)} workloads; "
        f"at least as fast as the best peer on {wins}."
    )


def disturbed(rows: Sequence[Row]) -> str:
    """Workloads in which a library had less than QUIET of its CPU in a round; the least share."""
    least = {r.workload: min((s for o in r.outcomes for s in o.shares), default=1.0) for r in rows}
    return ", ".join(f"{name} {share:.0%}" for name, share in least.items() if share < QUIET)


def section_lines(section: Section, peers: Sequence[str]) -> list[str]:
    """The heading, the floor, the table, and the notes of one section."""
    threads = section.options.threads or len(all_cpus())
    floor = section.floor
    head = ["workload", *(f"{p} ms" for p in peers)]
    head += ["best peer ÷ lazir", "by fastest calls", "of floor", "spread", "first call ms"]
    head += ["its MiB", "least peer's MiB"]
    every = [(row.workload, o) for row in section.rows for o in row.outcomes]
    notes = [f"- {name}, {o.peer}: {o.note}" for name, o in every if o.note]
    if threads == 1 and (busy := disturbed(section.rows)):
        notes.append(f"- Others used the CPU meanwhile (least share that was left): {busy}")
    return [
        f"## {threads} thread{'s' * (threads > 1)}",
        "",
        f"Floor: {floor.operations / 1e9:.0f} GFLOP/s f32 ({floor.sources[0]}), "
        f"{floor.copied / 1e9:.1f} GB/s read + written ({floor.sources[1]}).",
        "",
        *table(head, [cells(row, peers) for row in section.rows]),
        "",
        geometric_mean(section.rows),
        *(["", *notes] if notes else []),
    ]


def unit(cost: Cost) -> tuple[float, str]:
    """The scale of a cost, and its unit."""
    return (1e6, "µs") if cost.kind.name.startswith("call") else (1e3, "ms")


def cost_lines(costs: Sequence[Cost], peers: Sequence[str]) -> list[str]:
    """The table of costs."""
    rows = []
    for cost in costs:
        scale, name = unit(cost)
        rows.append([f"{cost.kind.title}, {name}", *(number(cost.median(p), scale) for p in peers)])
    notes = [f"- {c.kind.title}, {p}: {note}" for c in costs for p, note in c.notes.items()]
    lines = ["## Costs", "", "Each in fresh processes, median.", "", *table(["cost", *peers], rows)]
    return [*lines, *(["", *notes] if notes else [])]


def markdown(about: dict[str, str], sections: Sequence[Section], costs: Sequence[Cost]) -> str:
    """The whole report."""
    peers = list(dict.fromkeys(o.peer for s in sections for r in s.rows for o in r.outcomes))
    payers = list(dict.fromkeys(p for c in costs for p in c.seconds))
    lines = [f"# Benchmarks, {about['date']}", ""]
    lines += [f"- {key}: {value}" for key, value in about.items() if key != "date"]
    for section in sections:
        lines += ["", *section_lines(section, peers)]
    if costs:
        lines += ["", *cost_lines(costs, payers)]
    return "\n".join(lines) + "\n"


def data(
    about: dict[str, str], sections: Sequence[Section], costs: Sequence[Cost]
) -> dict[str, Any]:
    """The whole report for programs: all times in seconds, round by round."""
    return {
        "about": about,
        "sections": [
            {
                "options": asdict(s.options),
                "floor": asdict(s.floor),
                "workloads": [
                    {
                        "name": r.workload,
                        "floor": r.floor,
                        "libraries": [asdict(o) for o in r.outcomes],
                        "ratios": {o.peer: ratio(o, r.ours) for o in r.outcomes[1:]},
                        "least": {o.peer: least_ratio(o, r.ours) for o in r.outcomes[1:]},
                    }
                    for r in s.rows
                ],
            }
            for s in sections
        ],
        "costs": [
            {"name": c.kind.name, "title": c.kind.title, "seconds": c.seconds, "notes": c.notes}
            for c in costs
        ],
    }
