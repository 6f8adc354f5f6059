"""Compare lazir with its peers: `python benchmarks/run.py --help`.

Takes: options. Gives: tables on stdout and a report in a folder; exit status 1 where results
differ. Must not know: how a workload is computed or timed.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import harness
import harness_costs as costs
import harness_floor as floors
import harness_report as report
from harness_libraries import PACKAGES
from harness_plot import roofline
from workloads import Workload, find

PEERS = ("numpy", "jax", "torch", "inductor", "onnxruntime", "numba")
RESULTS = harness.HERE / "results"
EXAMPLES = """examples:
  python benchmarks/run.py --quick
  python benchmarks/run.py --only softmax,matmul --threads 1 --rounds 9
  python benchmarks/run.py --costs only
  python benchmarks/run.py --peer-python jax=/envs/jax/bin/python --peers numpy,jax"""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options. Exits with status 2 where they make no sense."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0].split(":")[0],
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", default="", help="names, or starts of names, with commas")
    parser.add_argument("--peers", default=",".join(PEERS), help="libraries to compare with")
    parser.add_argument(
        "--peer-python", action="append", default=[], metavar="NAME=PATH",
        help="the interpreter that has a library; otherwise this one",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each library, in turn")
    parser.add_argument("--seconds", type=float, default=0.3, help="length of a round")
    parser.add_argument("--threads", choices=("1", "all", "both"), default="both")
    parser.add_argument("--costs", choices=("yes", "no", "only"), default="yes")
    parser.add_argument("--quick", action="store_true", help="small sizes: does everything run?")
    parser.add_argument("--output", type=Path, help="folder of the report (results/)")
    parser.add_argument("--list", action="store_true", help="name the workloads and costs")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    options.names = [n for n in options.only.split(",") if n]
    try:
        options.pythons = dict(p.split("=", 1) for p in options.peer_python)
    except ValueError:
        parser.error("--peer-python needs NAME=PATH, as in jax=/envs/jax/bin/python")
    unknown = {*options.peers.split(","), *options.pythons} - {*PEERS, "lazir", ""}
    if unknown:
        parser.error(f"no such library: {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    return options


def peers_of(options: argparse.Namespace) -> list[harness.Peer]:
    """lazir first, then all others that were asked for."""
    names = ["lazir", *(p for p in PEERS if p in options.peers.split(","))]
    return [harness.Peer(n, options.pythons.get(n, sys.executable)) for n in names]


def installed(peer: harness.Peer) -> bool:
    """Whether a library is there at all: a missing one is left out with a note."""
    if peer.python == sys.executable:
        try:
            importlib.metadata.version(PACKAGES.get(peer.name, peer.name))
        except importlib.metadata.PackageNotFoundError:
            return False
    return Path(peer.python).exists()


def section_of(
    chosen: Sequence[Workload], peers: list[harness.Peer], options: harness.Options
) -> report.Section:
    """All workloads at one number of threads, each printed when it is done."""
    section = report.Section(options, floors.measure(peers, options))
    for workload in chosen:
        able = [p for p in peers if p.name not in workload.without]
        outcomes = harness.run(workload.name, workload.tolerance, able, options)
        row = report.Row(workload.name, outcomes, section.floor.seconds(workload, options.quick))
        section.rows.append(row)
        best = row.best()
        ours = report.number(row.ours.seconds, 1e3)
        against = f"{best[1]:.2f} of {best[0]}" if best else row.ours.note or "no peer"
        print(f"{workload.name:18} lazir {ours:>7} ms   {against}", flush=True)
    return section


def about(
    sections: Sequence[report.Section], missing: Sequence[str], quick: bool
) -> dict[str, str]:
    """What was measured where."""
    versions = {
        o.peer: o.version for s in sections for r in s.rows for o in r.outcomes if o.version
    }
    made = {
        "date": datetime.date.today().isoformat(),
        "processor": f"{report.cpu_name()}, {len(harness.all_cpus())} CPUs",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }
    if versions:
        made["versions"] = ", ".join(f"{n} {v}" for n, v in versions.items())
    if missing:
        made["not installed"] = ", ".join(missing)
    if quick:
        made["sizes"] = "small ones (--quick): the times say nothing"
    return made


def write(folder: Path, date: str, text: str, data: dict[str, Any]) -> Path:
    """The report as `<date>-<processor>.md` and `.json`; the path without its ending."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"{date}-{report.slug(report.cpu_name())}"
    stem.with_suffix(".md").write_text(text)
    stem.with_suffix(".json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    return stem


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write. 0, or 1 where a library's results differ or lazir failed."""
    options = parse(arguments)
    if options.list:
        print("\n".join([w.name for w in find([])] + [f"cost: {k.name}" for k in costs.KINDS]))
        return 0
    asked = peers_of(options)
    peers = [p for p in asked if installed(p)]
    missing = [p.name for p in asked if p not in peers]
    if missing:
        print(f"left out, not installed: {', '.join(missing)}")
    try:
        chosen = find(options.names) if options.costs != "only" else []
    except ValueError as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 2
    seconds = 0.005 if options.quick else options.seconds
    sections = []
    for threads in {"1": (1,), "all": (0,), "both": (1, 0)}[options.threads]:
        if chosen:
            how = harness.Options(options.rounds, seconds, threads, options.quick)
            print(f"-- {'1 thread' if threads else 'all threads'}", flush=True)
            sections.append(section_of(chosen, peers, how))
    paid = []
    if options.costs != "no":
        words = options.names if options.costs == "only" else []
        paid = [costs.measure(k, peers, options.rounds, 300) for k in costs.find(words)]
    facts = about(sections, missing, options.quick)
    text = report.markdown(facts, sections, paid)
    print("\n" + text)
    folder = options.output or (None if options.quick else RESULTS)
    if folder:
        stem = write(folder, facts["date"], text, report.data(facts, sections, paid))
        if sections and not roofline(sections, stem.with_suffix(".svg")):
            print("no roofline picture: matplotlib is not installed")
    wrong = [
        o for s in sections for r in s.rows for o in r.outcomes
        if "differs" in o.note or (o.note and o.peer == "lazir")
    ]  # fmt: skip
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
