"""What the machine can do: arithmetic and copying, measured in the same run as the workloads.

Takes: peers, options. Gives: a `Floor`. Must not know: workloads' meaning.

Each figure is the best that any library reaches in a small program that aims at it: a copy with
the signs changed, and matrix products, which are fused multiply-adds on data in cache. So the floor
is what was seen to be possible in this run, not what a data sheet promises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import harness
from workloads import Workload
from workloads.floor import WORKLOADS


@dataclass(frozen=True)
class Floor:
    """Operations and copied bytes (read + written) a second; what gave them."""

    operations: float
    copied: float
    sources: tuple[str, str]

    def seconds(self, workload: Workload, quick: bool) -> float:
        """The least time of a workload: the longer of its arithmetic and its traffic."""
        operations, moved = workload.work(**workload.size(quick))
        return max(operations / self.operations, moved / self.copied)


def measure(peers: Sequence[harness.Peer], options: harness.Options) -> Floor:
    """Run the probes; RuntimeError where none gave a figure."""
    best: dict[str, tuple[float, str]] = {}
    for probe in WORKLOADS:
        able = [p for p in peers if p.name not in probe.without]
        operations, moved = probe.work(**probe.size(options.quick))
        for outcome in harness.run(probe.name, probe.tolerance, able, options):
            if outcome.least is None:
                continue
            what = "copied" if moved else "operations"
            rate = (moved or operations) / outcome.least
            best[what] = max(best.get(what, (0.0, "")), (rate, f"{probe.name} by {outcome.peer}"))
    if len(best) < 2:
        raise RuntimeError("the floor could not be measured: no probe ran")
    (operations, first), (copied, second) = best["operations"], best["copied"]
    return Floor(operations, copied, (first, second))
