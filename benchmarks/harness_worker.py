"""One library in a process of its own: makes a workload's function, answers with results and times.

Takes: on the command line a library, a workload, its size, the CPUs; requests as lines of JSON on
stdin. Gives: one line of JSON for each; results as an .npz file. Must not know: other libraries.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO


def pin(cpus: str) -> None:
    """Bind the process to CPUs, before any library starts threads."""
    if cpus and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(c) for c in cpus.split(",")})


def protocol() -> TextIO:
    """Stdout for answers alone: what libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def peak_bytes() -> int:
    """The most memory that this process has held so far. (On Linux `getrusage` would count what
    the parent held when it forked.)"""
    try:
        with open("/proc/self/status") as file:
            line = next(line for line in file if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class Measured:
    """A workload's function in one library, with its arguments."""

    def __init__(self, library: str, workload: str, quick: bool) -> None:
        import numpy as np
        from harness_libraries import load, map_leaves
        from workloads import exactly

        found = exactly(workload)
        self.library = load(library)
        made = found.made(self.library)
        arrays = list(found.inputs(np.random.default_rng(0), **found.size(quick)))
        given = len(arrays) - found.fixed
        self.arguments = [map_leaves(self.library.put, a) for a in arrays[:given]]
        if found.fixed:
            self.function = self.library.fix(made, arrays[given:])
        else:
            self.function = self.library.compile(made)
        self.before = peak_bytes()

    def call(self) -> Any:
        return self.library.ready(self.function(*self.arguments))

    def prepare(self, path: str) -> dict[str, Any]:
        """The first call, with its time; the results are written to `path`."""
        import numpy as np
        from harness_libraries import leaves_of

        start = time.perf_counter()
        result = self.call()
        first = time.perf_counter() - start
        np.savez(path, *(self.library.read(leaf) for leaf in leaves_of(result)))
        memory = peak_bytes() - self.before
        return {"first": first, "version": self.library.version, "memory": memory}

    def round(self, seconds: float, most: int) -> dict[str, Any]:
        """Times of single calls for about that long, at least one, after a call to warm up; CPU
        time ÷ time meanwhile.
        """
        self.call()
        clock, call = time.perf_counter, self.call
        times: list[float] = []
        began, used = clock(), time.process_time()
        stop = began + seconds
        while not times or (clock() < stop and len(times) < most):
            start = clock()
            call()
            times.append(clock() - start)
        share = (time.process_time() - used) / (clock() - began)
        return {"times": times, "share": share}


def serve(make: Callable[[], Measured], answers: TextIO) -> None:
    """Answer requests until stdin closes. A failure is an answer too, and the end."""
    measured: Measured | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            measured = measured or make()
            answer = getattr(measured, request.pop("do"))(**request)
        except Exception as error:  # the parent shows it in the table
            kind = type(error).__name__
            answer = {"error": kind, "message": str(error)}
        print(json.dumps(answer), file=answers, flush=True)
        if "error" in answer:
            return


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("workload")
    parser.add_argument("--cpus", default="")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    pin(options.cpus)
    answers = protocol()
    serve(lambda: Measured(options.library, options.workload, options.quick), answers)


if __name__ == "__main__":
    main()
