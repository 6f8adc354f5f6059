"""`lazir devices`: what this machine is, whether a GPU can be used, where programs are kept.

Takes: parsed options. Gives: lines on stdout. Must not know: programs.
"""

from __future__ import annotations

import json
import os
import re
from argparse import Namespace
from pathlib import Path
from typing import Any

from lazir.compiler.target import host_target, target_names
from lazir.runtime.cache import default_folder
from lazir.runtime.device import Device, available, require
from lazir.runtime.host import default_threads, host

from .output import size


def devices(options: Namespace) -> int:
    """Print the facts."""
    facts = collect()
    if options.json:
        print(json.dumps(facts, indent=2))
        return 0
    print("\n".join(_lines(facts, options.features)))
    return 0


def collect() -> dict[str, Any]:
    """All facts as plain data; sizes in bytes."""
    machine = host()
    features = [f[1:] for f in machine.features.split(",") if f.startswith("+")]
    gpus = [str(d) for d in available() if d.kind == "cuda"]
    return {
        "cpu": {
            "name": _cpu_name(),
            "llvm": machine.cpu,
            "triple": machine.triple,
            "features": features,
            "vector_bits": machine.vector_bits,
            "fma": host_target().fma,
            "l1": machine.l1d,
            "l2": machine.l2,
            "l3": machine.l3,
            "cores": machine.cores,
            "threads": default_threads(),
        },
        "cuda": {"devices": gpus, "missing": None if gpus else _cuda_problem()},
        "cache": _cache(),
        "targets": ["host", *target_names()],
    }


def _cuda_problem() -> str:
    try:
        require(Device("cuda"))
    except RuntimeError as error:
        return str(error).partition("cannot be used: ")[2] or str(error)
    return ""


def _cpu_name(path: Path = Path("/proc/cpuinfo")) -> str:
    """The maker's name for the processor where the system says it, else the architecture."""
    try:
        match = re.search(r"^model name\s*:\s*(.+)$", path.read_text(), re.MULTILINE)
    except OSError:
        match = None
    return match[1].strip() if match else os.uname().machine if hasattr(os, "uname") else ""


def _cache() -> dict[str, Any]:
    folder = default_folder()
    sizes = []
    if folder is not None and folder.is_dir():
        for path in folder.iterdir():
            try:
                sizes.append(path.stat().st_size)
            except OSError:  # another process removed it
                continue
    return {
        "folder": None if folder is None else str(folder),
        "entries": len(sizes),
        "bytes": sum(sizes),
    }


def _lines(facts: dict[str, Any], all_features: bool) -> list[str]:
    cpu, cuda, cache = facts["cpu"], facts["cuda"], facts["cache"]
    caches = f"L1 {size(cpu['l1'])}, L2 {size(cpu['l2'])}, L3 {size(cpu['l3'])}"
    vector = f"{cpu['vector_bits']} bits{', with fused multiply-add' if cpu['fma'] else ''}"
    features = cpu["features"] if all_features else _telling(cpu["features"])
    pairs = [
        ("cpu", cpu["name"]),
        ("  llvm", f"{cpu['llvm']}, {cpu['triple']}"),
        ("  vectors", vector),
        ("  features", " ".join(features) + ("" if all_features else " … (--features for all)")),
        ("  caches", caches),
        ("  threads", f"{cpu['threads']} of {cpu['cores']} cores (LAZIR_NUM_THREADS)"),
        ("cuda", ", ".join(cuda["devices"]) or f"none: {cuda['missing']}"),
        ("cache", cache["folder"] or "off (LAZIR_CACHE=0)"),
    ]
    if cache["folder"]:
        pairs.append(("  holds", f"{cache['entries']} programs, {size(cache['bytes'])}"))
    pairs.append(("targets", " ".join(facts["targets"])))
    return [f"{name:<11}{value}" for name, value in pairs]


_TELLING = re.compile(r"(avx.*|fma|f16c|bf16|amx.*|neon|sve.*|dotprod|fullfp16|sse4\.2)$")


def _telling(features: list[str]) -> list[str]:
    """Those that decide how code is made."""
    return [f for f in features if _TELLING.match(f)]
