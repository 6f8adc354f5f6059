"""The way to a compiled program: from the disk cache, or through the pipeline.

Takes: a Graph and a Target. Gives: a Program. A hit loads neither passes nor code generators: the
pipeline is imported when a program must be made, which is most of what a first call would cost.
Must not know: stages.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Collection
from functools import cache
from pathlib import Path

import llvmlite

from lazir.runtime.cache import DiskCache, key, source_hash
from lazir.runtime.program import Program

from .collector import paused
from .graph import Graph
from .target import Target


def cached_program(graph: Graph, target: Target, donated: Collection[int] = ()) -> Program:
    """The compiled program, from the disk cache if it is there; whatever is wrong with the cache
    costs a recompile and a warning. `donated` numbers the parameters in whose places results may
    be made."""
    store = _cache()
    given = " ".join(map(str, sorted(donated)))
    name = key(graph.name, graph.fingerprint, target.key(), given, *_versions())
    found = store.get(name)
    if found is not None:
        try:
            return Program.from_bytes(found)
        except ValueError:
            warnings.warn("lazir: a cached program is unreadable; compiling anew", stacklevel=2)
    with paused():
        program: Program = compilation(graph, target, donated).program
    store.put(name, program.to_bytes())
    return program


def compilation(graph: Graph, target: Target, donated: Collection[int] = ()):  # type: ignore[no-untyped-def]
    """A `pipeline.Compilation` of the graph; imports the pipeline."""
    return importlib.import_module(f"{__package__}.pipeline").Compilation(graph, target, donated)


@cache
def _cache() -> DiskCache:
    return DiskCache()


@cache
def _versions() -> tuple[str, str]:
    """What a program depends on beside graph and target: LLVM's version, and the compiler
    itself.
    """
    return llvmlite.__version__, source_hash(Path(__file__).parent, _cache())
