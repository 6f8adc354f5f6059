"""What a public function takes and can do, found by tracing it; nothing runs on a device.

Takes: a function and its sample calls. Gives: Facts. Must not know: pages.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from samples import Call, X, calls

import lazir as lz
from lazir.compiler.graph import Graph
from lazir.compiler.pipeline import Compilation
from lazir.compiler.schedule.gpu_program import GpuUnsupportedError
from lazir.compiler.target import host_target, named_target
from lazir.compiler.types import TensorType, c64, f32, i1, i32
from lazir.staging import trace_body

KINDS = {"float": f32, "int": i32, "bool": i1, "complex": c64}
GPU = "sm_90a"
YES, NO, NONE = "yes", "no", "–"
BATCH = 2


class Facts(NamedTuple):
    """One row: the kinds of element type it takes, and a word for each ability."""

    takes: str
    jvp: str
    vjp: str
    vmap: str
    cpu: str
    gpu: str


class Sample(NamedTuple):
    """A call as a function of its tensors."""

    function: Callable[..., Any]
    call: Call
    shapes: list[tuple[int, ...]]

    def __call__(self, leaves: Sequence[Any]) -> Any:
        rest = iter(leaves)
        args = [_filled(a, rest) for a in self.call.args]
        options = {k: _filled(a, rest) for k, a in self.call.options.items()}
        return self.function(*args, **options)


def _filled(value: Any, rest: Any) -> Any:
    if isinstance(value, X):
        return next(rest)
    if type(value) in (list, tuple):
        return type(value)(_filled(v, rest) for v in value)
    return value


def _shapes(value: Any) -> list[tuple[int, ...]]:
    if isinstance(value, X):
        return [value.shape]
    if type(value) in (list, tuple):
        return [s for v in value for s in _shapes(v)]
    return []


def sample_of(function: Callable[..., Any], call: Call) -> Sample:
    """The call with its tensors left open."""
    return Sample(function, call, _shapes([*call.args, *call.options.values()]))


def traced(fn: Callable[[Sequence[Any]], Any], types: Sequence[TensorType]) -> Graph | None:
    """The graph of a function of tensors, or None where it is refused."""
    try:
        return trace_body(fn, types).graph
    except Exception:  # any refusal is the answer
        return None


def types_of(sample: Sample, kind: str, batch: tuple[int, ...] = ()) -> list[TensorType]:
    """The sample's tensors with elements of a kind."""
    return [TensorType((*batch, *s), KINDS[kind]) for s in sample.shapes]


def facts(
    name: str, function: Callable[..., Any], samples: Sequence[Call] | None = None
) -> Facts | None:
    """What is found out by the first sample call that works; None where none does.

    `samples`: the calls to try, instead of those that the name and the parameters suggest.
    """
    tried = list(calls(name, function)) if samples is None else list(samples)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for call in tried:
            sample = sample_of(function, call)
            graphs = {k: traced(sample, types_of(sample, k)) for k in KINDS}
            taken = [k for k, g in graphs.items() if g is not None]
            if taken:
                graph = graphs[taken[0]]
                assert graph is not None
                return _abilities(sample, taken, graph)
        for call in tried:
            sample = sample_of(function, call)
            taken = [k for k in KINDS if _runs(sample, k)]
            if taken:
                return Facts(_takes(sample, taken) + ", not traced", *[NONE] * 3, YES, NO)
    return None


def _runs(sample: Sample, kind: str) -> bool:
    """Whether the function works on known values, for those that must see them."""
    try:
        sample([lz.numpy.ones(t.shape, t.dtype) for t in types_of(sample, kind)])
    except Exception:
        return False
    return True


def _takes(sample: Sample, taken: Sequence[str]) -> str:
    if not sample.shapes:
        return NONE
    return "all" if len(taken) == len(KINDS) else ", ".join(taken)


def _abilities(sample: Sample, taken: Sequence[str], graph: Graph) -> Facts:
    types = types_of(sample, taken[0])
    tensors = [t for t in graph.result_types if isinstance(t, TensorType)]
    smooth = bool(types) and types[0].dtype.is_inexact and any(t.dtype.is_inexact for t in tensors)
    vmap = NONE
    if types and tensors:
        batched = traced(lambda ts: lz.vmap(lambda *a: sample(a))(*ts),
                         types_of(sample, taken[0], (BATCH,)))  # fmt: skip
        vmap = _word(batched is not None)
    jvp = _word(traced(lambda ts: _jvp(sample, ts), types) is not None) if smooth else NONE
    vjp = _word(traced(lambda ts: _vjp(sample, ts), types) is not None) if smooth else NONE
    cpu, gpu = (_lowers(graph), _lowers(graph, GPU)) if tensors else (NONE, NONE)
    return Facts(_takes(sample, taken), jvp, vjp, vmap, cpu, gpu)


def _word(fact: bool) -> str:
    return YES if fact else NO


def _jvp(sample: Sample, leaves: Sequence[Any]) -> Any:
    return lz.jvp(lambda *a: sample(a), tuple(leaves), tuple(leaves))


def _vjp(sample: Sample, leaves: Sequence[Any]) -> Any:
    out, back = lz.vjp(lambda *a: sample(a), *leaves)
    return back(out)


def _lowers(graph: Graph, target: str | None = None) -> str:
    """Whether loops for the target can be made of the graph, as text."""
    try:
        compilation = Compilation(graph, named_target(target) if target else host_target())
        _ = compilation.loops
    except GpuUnsupportedError:
        return NO
    return YES
