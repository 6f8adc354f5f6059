"""The roofline picture: every workload by operations per byte and operations per second.

Takes: sections of a report, a file's name. Gives: an SVG file. Must not know: how it was measured.
Roofline model: Williams, Waterman & Patterson, "Roofline: an insightful visual performance model",
2009. Needs matplotlib (extra `bench`).
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import Outcome
from harness_report import Row, Section
from workloads import exactly

LEAST, MOST = 2**-6, 2**12
"""Operations per byte that the picture spans; what lies outside stands on its edge."""


def point(row: Row, outcome: Outcome, quick: bool) -> tuple[float, float] | None:
    """Where a library's result lies: operations per byte, operations per second."""
    workload = exactly(row.workload)
    operations, moved = workload.work(**workload.size(quick))
    if outcome.seconds is None or not operations:
        return None
    density = operations / moved if moved else MOST
    return min(max(density, LEAST), MOST), operations / outcome.seconds


def draw(section: Section, axes: Any, title: str) -> None:
    """The roof of the machine, and below it a dot for lazir and a ring for the best peer."""
    floor, quick = section.floor, section.options.quick
    spots = [LEAST, floor.operations / floor.copied, MOST]
    roof = [min(floor.operations, x * floor.copied) / 1e9 for x in spots]
    axes.plot(spots, roof, color="black", linewidth=1)
    for row in section.rows:
        best = row.best()
        peer = next((o for o in row.outcomes[1:] if best and o.peer == best[0]), None)
        ours = point(row, row.ours, quick)
        theirs = point(row, peer, quick) if peer else None
        if ours:
            axes.plot(ours[0], ours[1] / 1e9, "o", color="tab:blue", markersize=4)
            axes.annotate(row.workload, (ours[0], ours[1] / 1e9), fontsize=5, rotation=20)
        if theirs:
            axes.plot(theirs[0], theirs[1] / 1e9, "o", markerfacecolor="none", color="tab:orange")
    axes.set(xscale="log", yscale="log", title=title)
    axes.set(xlabel="operations per byte", ylabel="10⁹ operations per second")


def roofline(sections: Sequence[Section], file: Path) -> bool:
    """Write the picture; False where matplotlib is not installed."""
    try:
        matplotlib = importlib.import_module("matplotlib")
    except ImportError:
        return False
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "lazir"
    pyplot = importlib.import_module("matplotlib.pyplot")
    figure, places = pyplot.subplots(1, len(sections), figsize=(8 * len(sections), 6))
    for section, axes in zip(sections, [places] if len(sections) == 1 else places):
        draw(section, axes, f"{section.options.threads or 'all'} threads: lazir ●, best peer ○")
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
    return True
