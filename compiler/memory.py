"""How much memory a program needs, before it runs.

Takes: a Compilation. Gives: MemoryStats. Must not know: who allocates it.
"""

from __future__ import annotations

from dataclasses import dataclass

from .pipeline import Compilation, array_spec
from .schedule.program import ProgramLowering


@dataclass(frozen=True)
class MemoryStats:
    """Bytes that a call needs, with JAX's names.

    - `argument_size_in_bytes`: arguments, captured tensors among them.
    - `output_size_in_bytes`: results, those in the places of donated arguments too.
    - `alias_size_in_bytes`: results in the places of donated arguments.
    - `temp_size_in_bytes`: the workspace, for all values between.
    - `live_size_in_bytes`: the most of the workspace that holds values at one time: no plan for
      this order of kernels needs less.

    A process holds beside that: its code and libraries, pages that round sizes up (at most 2 MiB
    for each large array), and memory that the pool keeps for the next results (`lz.empty_cache`).
    """

    argument_size_in_bytes: int
    output_size_in_bytes: int
    alias_size_in_bytes: int
    temp_size_in_bytes: int
    live_size_in_bytes: int

    @property
    def peak_memory_in_bytes(self) -> int:
        """Arguments, results and workspace together, each place counted once."""
        apart = self.output_size_in_bytes - self.alias_size_in_bytes
        return self.argument_size_in_bytes + apart + self.temp_size_in_bytes

    def __str__(self) -> str:
        text = f"memory: {self.peak_memory_in_bytes} bytes at most"
        if self.alias_size_in_bytes:
            text += f", {self.alias_size_in_bytes} of the results in places of arguments"
        if self.temp_size_in_bytes:
            text += f"; {self.live_size_in_bytes} bytes of the workspace hold values at one time"
        return text


def memory_stats(compilation: Compilation) -> MemoryStats:
    """The stats of a program for a CPU whose kernels are known."""
    lowering = ProgramLowering(compilation.kernels, compilation.target, compilation.start.donated)
    workspace = lowering.write()
    types = compilation.start.types
    results = [array_spec(t).nbytes for t in types.results]
    return MemoryStats(
        argument_size_in_bytes=sum(array_spec(t).nbytes for t in types.inputs),
        output_size_in_bytes=sum(results),
        alias_size_in_bytes=sum(results[k] for k, _ in lowering.plan.aliases),
        temp_size_in_bytes=workspace,
        live_size_in_bytes=lowering.arena.live_bytes(),
    )
