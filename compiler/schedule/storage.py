"""The buffer plan: which values live where in the workspace, by when they are alive.

Takes: requests in the order in which code is emitted. Gives: an offset for each, and the total.
Must not know: kernels, or what the bytes hold.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from ..mlir.ir import Op, Typed, Value
from ..types import index

ALIGNMENT = 64
"""Every slot starts on a cache line."""


@dataclass(eq=False)
class Slot:
    """A piece of the workspace: its bytes, the first and last clock tick it is needed, its offset.

    `offset_op` is the `arith.constant` in the code that gets the offset when the plan is made.
    """

    nbytes: int
    start: int
    end: int
    offset_op: Op
    offset: int = 0


@dataclass(eq=False)
class Store:
    """A place for values: a buffer in the code; its workspace slot, if it has one.

    `owned`: this program may overwrite it when nobody needs its value any more.
    `last_use` is the position of the last node, in the graph being lowered, that needs it.
    `base` is the place that this one is another shape of: what stands in one stands in the other,
    so `root` tells whether two places are one, and has the last use of all of them.
    """

    buffer: Value
    slot: Slot | None = None
    owned: bool = False
    last_use: int = -1
    base: Store | None = None

    @property
    def root(self) -> Store:
        """The place itself, for all its shapes."""
        return self if self.base is None else self.base.root


@dataclass
class Arena:
    """The workspace of one program under construction."""

    slots: list[Slot] = field(default_factory=list)
    clock: int = 0

    def tick(self) -> int:
        """The next moment; everything emitted for one node shares one."""
        self.clock += 1
        return self.clock

    def request(self, nbytes: int, offset_op: Op) -> Slot:
        """A new slot, alive from now on; `keep` extends it."""
        slot = Slot(max(nbytes, 1), self.clock, self.clock, offset_op)
        self.slots.append(slot)
        return slot

    def keep(self, slot: Slot) -> None:
        """The slot is needed now."""
        slot.end = max(slot.end, self.clock)

    def live_bytes(self) -> int:
        """The most bytes of slots that are alive at one moment: no plan needs less."""
        change: dict[int, int] = {}
        for slot in self.slots:
            change[slot.start] = change.get(slot.start, 0) + slot.nbytes
            change[slot.end + 1] = change.get(slot.end + 1, 0) - slot.nbytes
        totals = itertools.accumulate(change[moment] for moment in sorted(change))
        return max(totals, default=0)

    def plan(self) -> int:
        """Give every slot an offset, so that slots alive together do not overlap; the total bytes.

        First fit, the largest first: a known good heuristic for offline dynamic storage allocation.
        """
        placed: list[Slot] = []
        total = 0
        for slot in sorted(self.slots, key=lambda s: (-s.nbytes, s.start)):
            busy = sorted(
                (s.offset, s.offset + s.nbytes)
                for s in placed
                if s.start <= slot.end and slot.start <= s.end
            )
            offset = 0
            for low, high in busy:
                if offset + slot.nbytes <= low:
                    break
                offset = max(offset, -(-high // ALIGNMENT) * ALIGNMENT)
            slot.offset = offset
            slot.offset_op.attrs["value"] = Typed(offset, index)
            placed.append(slot)
            total = max(total, offset + slot.nbytes)
        return total
