"""Measures one workload in several libraries at once: a pinned process for each, rounds in turn.

Takes: a workload's name, `Peer`s, options. Gives: an `Outcome`: times round by round, first calls,
whether the results agree. Must not know: what the libraries are, how a table is written.

Rounds are interleaved (A B C A B C …), so a slow minute of the machine meets everyone, and ratios
are taken within a round. Results are compared before anything is timed.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

HERE = Path(__file__).parent
DROPPED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONDONTWRITEBYTECODE", "LAZIR_VERIFY")
"""Variables that would change what a library is: none of them reaches a measured process."""

SETTLE = 0.05
"""Seconds before each round in which threads of the previous process stop spinning (OpenBLAS's
spin for about 2²⁶ cycles)."""


@dataclass(frozen=True)
class Peer:
    """A library and the interpreter that has it."""

    name: str
    python: str = sys.executable


@dataclass(frozen=True)
class Options:
    """How to measure. `threads`: 1, or 0 for all CPUs that this process may use."""

    rounds: int = 5
    seconds: float = 0.3
    threads: int = 1
    quick: bool = False
    patience: float = 300.0


@dataclass
class Outcome:
    """What came out for one library. `note` says why there are no times; `shares` are CPU time ÷
    time of each round: below 1 on one thread, others used the CPU meanwhile. `memory` is by how
    many bytes the first call raised the most that the process held.
    """

    peer: str
    version: str = ""
    first: float | None = None
    memory: int | None = None
    rounds: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    least: float | None = None
    gap: float | None = None
    note: str = ""

    @property
    def seconds(self) -> float | None:
        """The median of the rounds, each the median of its calls."""
        return median(self.rounds) if self.rounds else None

    @property
    def spread(self) -> float | None:
        """(slowest − fastest round) / median."""
        return (max(self.rounds) - min(self.rounds)) / median(self.rounds) if self.rounds else None


class WorkerError(Exception):
    """A worker said that it failed, died, or did not answer in time."""


def all_cpus() -> list[int]:
    """The CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def cpus_for(threads: int) -> list[int]:
    """The last CPU for one thread (the first one takes interrupts), else all of them."""
    return all_cpus()[-1:] if threads == 1 else all_cpus()


def environment(threads: int, folder: Path | None = None) -> dict[str, str]:
    """The environment of a measured process: its threads, a heap that stays warm, no caches.

    Freed memory stays with the process (glibc's M_MMAP_MAX and M_TRIM_THRESHOLD): otherwise every
    large result of a library without a pool of buffers is faulted in page by page, again and again.
    """
    count = str(len(cpus_for(threads)))
    made = {k: v for k, v in os.environ.items() if k not in DROPPED}
    names = ("OMP", "OPENBLAS", "MKL", "NUMBA", "LAZIR")
    made.update({f"{name}_NUM_THREADS": count for name in names})
    made.update(
        MALLOC_ARENA_MAX="1", MALLOC_MMAP_MAX_="0", MALLOC_TRIM_THRESHOLD_=str(1 << 40),
        MALLOC_TOP_PAD_=str(64 << 20), LAZIR_CACHE="0", JAX_PLATFORMS="cpu",
        TF_CPP_MIN_LOG_LEVEL="3",
    )  # fmt: skip
    if threads == 1:
        flags = made.get("XLA_FLAGS", "")
        made["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
    if folder is not None:
        made["LAZIR_CACHE"] = str(folder)
    return made


class Worker:
    """The process of one library. It answers one request at a time."""

    def __init__(self, peer: Peer, workload: str, options: Options) -> None:
        self.peer = peer
        self._patience = options.patience
        command = [peer.python, str(HERE / "harness_worker.py"), peer.name, workload]
        command += ["--cpus", ",".join(map(str, cpus_for(options.threads)))]
        command += ["--quick"] * options.quick
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed with the process)
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
            env=environment(options.threads), cwd=HERE,
        )  # fmt: skip

    def ask(self, **request: Any) -> dict[str, Any]:
        """The answer to a request. WorkerError: there is none, or it is a failure."""
        pipe_in, pipe_out = self._process.stdin, self._process.stdout
        assert pipe_in is not None and pipe_out is not None
        try:
            pipe_in.write(json.dumps(request) + "\n")
            pipe_in.flush()
        except BrokenPipeError:
            raise WorkerError(self._last_words()) from None
        with selectors.DefaultSelector() as selector:
            selector.register(pipe_out, selectors.EVENT_READ)
            if not selector.select(self._patience):
                raise WorkerError(f"no answer in {self._patience:.0f} s")
        line = pipe_out.readline()
        if not line:
            raise WorkerError(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            missing = answer["error"] in ("ImportError", "ModuleNotFoundError")
            what = "not installed: " if missing else ""
            plain = answer["error"] == "Unsupported"
            first = answer["message"].strip().splitlines() or [""]
            raise WorkerError(
                answer["message"] if plain else f"{what}{answer['error']}: {first[0]}"
            )
        return answer

    def _last_words(self) -> str:
        code = self._process.wait(timeout=10)
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines() or [""]
        return f"the process ended with {code}: {lines[-1]}"

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()


def difference(ours: Sequence[Any], theirs: Sequence[Any]) -> float:
    """The largest |a − b| over all results, each relative to its largest magnitude; inf where
    shapes differ or a NaN meets a number.
    """
    if [a.shape for a in ours] != [b.shape for b in theirs]:
        return float("inf")
    worst = 0.0
    for a, b in zip(ours, theirs):
        x, y = a.astype("f8"), b.astype("f8")
        scale = float(np.abs(y).max(initial=0.0)) or 1.0
        gap = float(np.abs(x - y).max(initial=0.0)) / scale
        worst = max(worst, gap) if gap == gap else float("inf")
    return worst


def _prepare(worker: Worker, folder: Path, outcome: Outcome) -> list[Any]:
    path = folder / f"{worker.peer.name}.npz"
    answer = worker.ask(do="prepare", path=str(path))
    outcome.first, outcome.version = answer["first"], answer["version"]
    outcome.memory = answer["memory"]
    with np.load(path) as kept:
        return [kept[name] for name in kept.files]


def _measure(workers: dict[str, Worker], outcomes: dict[str, Outcome], options: Options) -> None:
    """All rounds; a library that fails in one has no times."""
    for _ in range(options.rounds):
        for name in list(workers):
            time.sleep(0 if options.quick else SETTLE)
            try:
                answer = workers[name].ask(do="round", seconds=options.seconds, most=100_000)
            except WorkerError as error:
                outcomes[name].note, outcomes[name].rounds = str(error), []
                workers.pop(name).close()
                continue
            outcome, times = outcomes[name], answer["times"]
            outcome.shares.append(answer["share"])
            outcome.rounds.append(median(times))
            outcome.least = min([*times, outcome.least or times[0]])


def run(workload: str, tolerance: float, peers: Sequence[Peer], options: Options) -> list[Outcome]:
    """Measure a workload; the first peer's results are compared with those of all the others.

    A library whose results differ by more than `tolerance` says so in its note and is not timed.
    """
    outcomes = {p.name: Outcome(p.name) for p in peers}
    workers: dict[str, Worker] = {}
    results: dict[str, list[Any]] = {}
    try:
        with tempfile.TemporaryDirectory() as folder:
            for peer in peers:
                worker = workers[peer.name] = Worker(peer, workload, options)
                try:
                    results[peer.name] = _prepare(worker, Path(folder), outcomes[peer.name])
                except WorkerError as error:
                    outcomes[peer.name].note = str(error)
                    workers.pop(peer.name).close()
        first = peers[0].name
        for name in [n for n in workers if n != first and first in results]:
            outcomes[name].gap = gap = difference(results[first], results[name])
            if not gap <= tolerance:
                outcomes[name].note = f"differs by {gap:.1e}, more than {tolerance:.0e}"
                workers.pop(name).close()
        _measure(workers, outcomes, options)
    finally:
        for worker in workers.values():
            worker.close()
    return list(outcomes.values())


def ratio(outcome: Outcome, ours: Outcome) -> float | None:
    """Their time ÷ ours: the median over rounds of the ratio within the round."""
    if not outcome.rounds or not ours.rounds:
        return None
    return median(a / b for a, b in zip(outcome.rounds, ours.rounds))


def least_ratio(outcome: Outcome, ours: Outcome) -> float | None:
    """Their fastest call ÷ our fastest: the steadier figure on a machine with other work."""
    if outcome.least is None or ours.least is None or not outcome.rounds or not ours.rounds:
        return None
    return outcome.least / ours.least
