"""Lanes on their way between vectors as memory has them and vectors as loops want them.

Takes: a Builder and vectors of one width. Gives: vectors of that width. Must not know: memory.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..mlir.builder import Builder
from ..mlir.ir import Value


def pick(b: Builder, parts: Sequence[Value], starts: Sequence[int], wanted: Sequence[int]) -> Value:
    """A vector whose lane k is number wanted[k] of a stretch of memory, of which `parts` hold
    vectors that begin at `starts`.
    """
    count = len(wanted)

    def lane(number: int, part: int) -> int | None:
        at = number - starts[part]
        return at if 0 <= at < count else None

    result = parts[0]
    mask: list[int] = [lane(n, 0) or 0 for n in wanted]
    if len(parts) == 1:
        return b.op("vector.shuffle", [result, result], mask=mask)
    done = [lane(n, 0) is not None for n in wanted]
    for part in range(1, len(parts)):
        for k, n in enumerate(wanted):
            at = lane(n, part)
            if not done[k] and at is not None:
                mask[k], done[k] = count + at, True
        result = b.op("vector.shuffle", [result, parts[part]], mask=mask)
        mask = list(range(count))
    return result


def weave(b: Builder, vectors: Sequence[Value], lanes: int) -> list[Value]:
    """Vectors a, b, c as a0 b0 c0 a1 b1 c1 …, in as many vectors of the same width."""
    count = len(vectors)
    starts = [k * lanes for k in range(count)]
    made = []
    for part in range(count):
        places = [divmod(part * lanes + k, count) for k in range(lanes)]
        made.append(pick(b, vectors, starts, [which * lanes + lane for lane, which in places]))
    return made
