"""Facts about this machine, read and never measured.

Takes the operating system's and LLVM's own words. Gives `Host`, the number of usable cores and of
threads. Must not know: programs, schedules, cost models (the compiler makes its `Target` of this).
"""

from __future__ import annotations

import functools
import math
import os
from dataclasses import dataclass
from pathlib import Path

import llvmlite.binding as llvm

__all__ = ["MAX_THREADS", "Host", "default_threads", "host", "parse_thread_count", "usable_cores"]

#: More threads than this are refused: it is a typing mistake rather than a wish.
MAX_THREADS = 1024

_CPU = Path("/sys/devices/system/cpu/cpu0/cache")
#: Bytes of L1d, L2, L3 where the system does not say: small enough to fit any machine of today.
_CACHE_DEFAULTS = (32 << 10, 512 << 10, 8 << 20)


@dataclass(frozen=True, slots=True)
class Host:
    """What code for this machine may assume. Sizes in bytes; `vector_bits` is 128, 256 or 512."""

    triple: str
    cpu: str
    features: str
    vector_bits: int
    l1d: int
    l2: int
    l3: int
    cores: int


@functools.cache
def host() -> Host:
    """The machine this process runs on; read once."""
    names = {name: bool(on) for name, on in _host_features().items()}
    l1d, l2, l3 = cache_sizes()
    return Host(
        triple=llvm.get_process_triple(),
        cpu=llvm.get_host_cpu_name(),
        features=",".join(("+" if names[name] else "-") + name for name in sorted(names)),
        vector_bits=_vector_bits(names),
        l1d=l1d,
        l2=l2,
        l3=l3,
        cores=usable_cores(),
    )


def _host_features() -> dict[str, bool]:
    try:
        return dict(llvm.get_host_cpu_features())
    except RuntimeError:  # LLVM cannot list them on this processor; the name alone must do
        return {}


def _vector_bits(features: dict[str, bool]) -> int:
    if features.get("avx512f"):
        return 512
    if features.get("avx"):
        return 256
    return 128


def cache_sizes(folder: Path = _CPU) -> tuple[int, int, int]:
    """Bytes of the L1 data, L2 and L3 cache as core 0 sees them (Linux sysfs), or defaults."""
    sizes = list(_CACHE_DEFAULTS)
    try:
        for name in sorted(os.listdir(folder)):
            if not name.startswith("index") or _word(folder, name, "type") == "Instruction":
                continue
            level = int(_word(folder, name, "level"))
            if 1 <= level <= 3:
                sizes[level - 1] = _parse_size(_word(folder, name, "size"))
    except (OSError, ValueError):
        return _CACHE_DEFAULTS
    return sizes[0], sizes[1], sizes[2]


def _word(*path: str | Path) -> str:
    with open(os.path.join(*path), "rb", buffering=0) as file:
        return file.read().decode("ascii").strip()


def _parse_size(text: str) -> int:
    shift = {"K": 10, "M": 20, "G": 30}.get(text[-1:], 0)
    digits = text[:-1] if shift else text
    if not digits.isdigit() or int(digits) == 0:
        raise ValueError(f"cache size {text!r}")
    return int(digits) << shift


def usable_cores() -> int:
    """Cores that this process may use: affinity mask and cgroup quota (rounded up) respected."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota = cgroup_quota()
    if quota is not None:
        cores = min(cores, math.ceil(quota))
    return max(1, cores)


def cgroup_quota(
    membership: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> float | None:
    """Cores granted by the control group (v2 `cpu.max`, v1 `cpu.cfs_quota_us`), None if unlimited.

    The tightest limit between this process's group and the root counts. Inside a container the
    group's path may not exist under the mounted root; then only the root's own files are read.
    """
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return None
    quotas = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            base = root
        elif "cpu" in controllers.split(","):
            base = root / "cpu"
        else:
            continue
        group = base / path.strip("/")
        for folder in [group, *group.parents]:
            quotas.append(_quota_of(folder))
            if folder == base:
                break
    limits = [quota for quota in quotas if quota is not None]
    return min(limits) if limits else None


def _quota_of(folder: Path) -> float | None:
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu.cfs_period_us").read_text().strip()
        cores = int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):  # "max" is no number: unlimited
        return None
    return cores if cores > 0 else None


def parse_thread_count(text: str) -> int:
    """The value of LAZIR_NUM_THREADS. Raises ValueError, saying what to write, for nonsense."""
    value = text.strip()
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= MAX_THREADS):
        raise ValueError(
            f"LAZIR_NUM_THREADS={text!r} is not a number of threads: "
            f"set it to a whole number from 1 to {MAX_THREADS}, or unset it"
        )
    return int(value)


def default_threads() -> int:
    """LAZIR_NUM_THREADS if set and not empty, else the usable cores."""
    text = os.environ.get("LAZIR_NUM_THREADS", "")
    return parse_thread_count(text) if text.strip() else min(usable_cores(), MAX_THREADS)
