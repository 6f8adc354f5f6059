"""What a library costs before and around its kernels: import, first calls, compiling, calling.

Takes: peers, how often. Gives: `Cost`s. Must not know: how a cost is measured inside a process.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import harness


@dataclass(frozen=True)
class Kind:
    """A cost, who has it, and whether compiled programs come from a cache on disk."""

    name: str
    title: str
    measured: str
    peers: tuple[str, ...]
    disk: bool = False


COMPILERS = ("lazir", "jax")
KINDS = (
    Kind("import", "import, fresh process", "import", ("lazir", "numpy", "jax", "torch", "numba")),
    Kind("first_cold", "first call of a*b+a, cold", "first_call", COMPILERS),
    Kind("first_disk", "first call of a*b+a, from disk", "first_call", COMPILERS, disk=True),
    Kind("mlp_cold", "first MLP step, cold", "mlp", COMPILERS),
    Kind("mlp_disk", "first MLP step, from disk", "mlp", COMPILERS, disk=True),
    Kind("call", "call, two arrays of 10", "calling", ("lazir", "numpy", "jax")),
    Kind("call_numpy", "the same, NumPy arrays", "calling_numpy", COMPILERS),
    *(
        Kind(f"unrolled_{n}", f"gradient of {n} unrolled steps, cold", f"unrolled_{n}", COMPILERS)
        for n in (20, 100, 500)
    ),
)


@dataclass
class Cost:
    """Seconds by library, one for each repetition; notes of those that failed."""

    kind: Kind
    seconds: dict[str, list[float]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def median(self, peer: str) -> float | None:
        found = self.seconds.get(peer)
        return median(found) if found else None


def once(peer: harness.Peer, kind: Kind, folder: Path, patience: float) -> float:
    """One measurement. harness.WorkerError: it failed."""
    made = harness.environment(1, folder if kind.disk else None)
    if kind.disk:
        made.update(
            JAX_COMPILATION_CACHE_DIR=str(folder),
            JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
            JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES="-1",
        )
    command = [peer.python, str(harness.HERE / "harness_once.py"), peer.name, kind.measured]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=made, timeout=patience, cwd=harness.HERE
        )
    except subprocess.TimeoutExpired:
        raise harness.WorkerError(f"no answer in {patience:.0f} s") from None
    if done.returncode:
        last = done.stderr.strip().splitlines() or [""]
        raise harness.WorkerError(last[-1])
    return float(json.loads(done.stdout.strip().splitlines()[-1])["seconds"])


def measure(kind: Kind, peers: Sequence[harness.Peer], rounds: int, patience: float) -> Cost:
    """`rounds` fresh processes of each library, in turn, after one that warms the disk."""
    cost = Cost(kind)
    able = [p for p in peers if p.name in kind.peers]
    with tempfile.TemporaryDirectory() as folder:
        for k in range(rounds + 1):
            for peer in [p for p in able if p.name not in cost.notes]:
                try:
                    seconds = once(peer, kind, Path(folder) / peer.name, patience)
                except harness.WorkerError as error:
                    cost.notes[peer.name] = str(error)
                    continue
                if k:
                    cost.seconds.setdefault(peer.name, []).append(seconds)
    return cost


def find(names: Sequence[str]) -> list[Kind]:
    """Kinds whose name starts with one of the words; all without words."""
    return [k for k in KINDS if not names or any(k.name.startswith(n) for n in names)]
