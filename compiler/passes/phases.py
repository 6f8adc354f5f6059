"""A convolution of a signal with gaps as one dense convolution for each phase of its places.

    conv(x, w) {lhs_dilation = 2}   →   places 0, 2, … from w[0], w[2], …; 1, 3, … from w[1], …

The gradient of a convolution with a stride is such a convolution: of the zeros between elements,
which would be three of four in two dims, none is read. Where each place meets one element (a window
as wide as the gaps, as in upsampling and patches), all phases are one product.
Takes and gives: values of a Graph. Must not know: other ops, targets.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..graph import Builder, Node, Value
from ..opdef import OPS
from ..ops.source import constant


@dataclass(frozen=True)
class Phase:
    """The places j = p, p + period, … along one axis: which kernel elements meet a signal there,
    and the window that these elements are on the signal without gaps."""

    taps: range
    stride: int
    step: int
    low: int
    high: int


def has_phases(node: Node) -> bool:
    """Whether a convolution is to be taken apart."""
    sized = node.types[0].size and all(v.type.size for v in node.inputs)
    return bool(sized) and max(node.attrs["lhs_dilation"], default=1) > 1


def by_phases(b: Builder, node: Node, x: Value, kernel: Value) -> Value:
    """The same values as `node` on x and the kernel; its convolutions are padded, without gaps."""
    attrs = node.attrs
    digits = [str(k) for k in range(len(attrs["stride"]))]
    places = [attrs["out"].index(d) for d in digits]
    along = [_phases(node, k) for k in range(len(digits))]
    shape = list(node.types[0].shape)
    for axis, phases in zip(places, along):
        shape[axis] = -(-shape[axis] // len(phases))
    x, shifts = _padded(b, x, [attrs["lhs"].index(d) for d in digits], along)
    if _meets_one(node, along):
        made = _at_once(b, node, x, kernel, [phases[0] for phases in along if phases[0]], shifts)
        return _first(b, made, node.types[0].shape)
    parts = []
    for point in itertools.product(*along):
        whole = [p for p in point if p is not None]
        if len(whole) < len(point):
            parts.append(constant(b, 0, node.types[0].dtype, tuple(shape)))
        else:
            parts.append(_part(b, node, x, kernel, whole, shifts))
    for axis, phases in reversed([*zip(places, along)]):
        parts = [
            _interleaved(b, parts[k : k + len(phases)], axis)
            for k in range(0, len(parts), len(phases))
        ]
    return _first(b, parts[0], node.types[0].shape)


def _period(gap: int, stride: int) -> int:
    """After so many places the same kernel elements meet a signal again."""
    return gap // math.gcd(gap, stride)


def _phases(node: Node, k: int) -> list[Phase | None]:
    """The phases along spatial axis k; None where a place meets gaps alone."""
    attrs = node.attrs
    size = node.inputs[0].shape[attrs["lhs"].index(str(k))]
    window = node.inputs[1].shape[attrs["rhs"].index(str(k))]
    gap, stride, step = attrs["lhs_dilation"][k], attrs["stride"][k], attrs["rhs_dilation"][k]
    period, every = _period(gap, stride), gap // math.gcd(gap, step)
    count = -(-node.types[0].shape[attrs["out"].index(str(k))] // period)
    found: list[Phase | None] = []
    for p in range(period):
        first = p * stride - attrs["low"][k]  # what place p's first kernel element meets
        start = next((t for t in range(every) if (first + t * step) % gap == 0), window)
        taps = range(start, window, every)
        if not taps:
            found.append(None)
            continue
        low = -((first + start * step) // gap)
        inner, outer = every * step // gap, period * stride // gap
        high = (count - 1) * outer + (len(taps) - 1) * inner + 1 - size - low
        found.append(Phase(taps, outer, inner, low, high))
    return found


def _padded(
    b: Builder, x: Value, axes: Sequence[int], along: Sequence[Sequence[Phase | None]]
) -> tuple[Value, list[tuple[int, int]]]:
    """The signal with the padding of all phases, and for each axis how much there is at its ends:
    one copy of which each phase reads a part."""
    shifts = [
        (max([0, *(p.low for p in phases if p)]), max([0, *(p.high for p in phases if p)]))
        for phases in along
    ]
    low, high = [0] * len(x.shape), [0] * len(x.shape)
    for axis, (before, after) in zip(axes, shifts):
        low[axis], high[axis] = before, after
    if any((*low, *high)):
        zero = constant(b, 0, x.type.dtype)
        none = (0,) * len(low)
        x = OPS["pad"](b, x, zero, low=tuple(low), high=tuple(high), interior=none)
    return x, shifts


def _meets_one(node: Node, along: Sequence[Sequence[Phase | None]]) -> bool:
    """Whether along each axis the phases see one window, of one element, and all of the kernel."""
    if "p" in node.attrs["rhs"]:
        return False
    for k, phases in enumerate(along):
        size = node.inputs[1].shape[node.attrs["rhs"].index(str(k))]
        first = phases[0]
        if first is None or len(phases) != size:
            return False
        for t, p in enumerate(phases):
            if p is None or list(p.taps) != [size - 1 - t] or p.low != first.low:
                return False
    return True


def _at_once(
    b: Builder, node: Node, x: Value, kernel: Value, phases: Sequence[Phase],
    shifts: Sequence[tuple[int, int]],
) -> Value:  # fmt: skip
    """All phases as more features of one convolution with a window of one element."""
    rhs, out = node.attrs["rhs"], node.attrs["out"]
    digits = [str(k) for k in range(len(phases))]
    kernel = OPS["reverse"](b, kernel, axes=tuple(sorted(map(rhs.index, digits))))
    order = [a for a in rhs if a in "gi"] + digits + ["o"]
    kernel = OPS["transpose"](b, kernel, permutation=tuple(map(rhs.index, order)))
    *outer, features = kernel.shape
    outer, gaps = outer[: -len(digits)], outer[-len(digits) :]
    ones = (1,) * len(digits)
    kernel = OPS["reshape"](b, kernel, shape=(*outer, math.prod(gaps) * features, *ones))
    layout = "".join(a for a in order if a not in digits) + "".join(digits)
    made = _conv(b, node, _signal(b, node, x, phases, shifts), kernel, phases, layout)
    place = out.index("c")
    split = (*made.shape[:place], *gaps, features, *made.shape[place + 1 :])
    made = OPS["reshape"](b, made, shape=split)
    where = {a: k if k < place else k + len(digits) for k, a in enumerate(out)}
    permutation: list[int] = []
    shape: list[int] = []
    for a in out:
        pair = [where[a]] if a not in digits else [where[a], place + int(a)]
        permutation += pair
        shape.append(math.prod(split[axis] for axis in pair))
    made = OPS["transpose"](b, made, permutation=tuple(permutation))
    return OPS["reshape"](b, made, shape=tuple(shape))


def _part(
    b: Builder, node: Node, x: Value, kernel: Value, phases: Sequence[Phase],
    shifts: Sequence[tuple[int, int]],
) -> Value:  # fmt: skip
    """One phase's places: its kernel elements against its part of the padded signal."""
    window = [slice(None)] * len(kernel.shape)
    for k, p in enumerate(phases):
        window[node.attrs["rhs"].index(str(k))] = slice(p.taps.start, p.taps.stop, p.taps.step)
    signal = _signal(b, node, x, phases, shifts)
    return _conv(b, node, signal, _sliced(b, kernel, window), phases, node.attrs["rhs"])


def _signal(
    b: Builder, node: Node, x: Value, phases: Sequence[Phase], shifts: Sequence[tuple[int, int]]
) -> Value:
    """What one phase reads of the padded signal."""
    parts = [slice(None)] * len(x.shape)
    for k, (p, (before, after)) in enumerate(zip(phases, shifts)):
        axis = node.attrs["lhs"].index(str(k))
        parts[axis] = slice(before - p.low, x.shape[axis] + p.high - after)
    return _sliced(b, x, parts)


def _conv(
    b: Builder, node: Node, x: Value, kernel: Value, phases: Sequence[Phase], rhs: str
) -> Value:
    """A convolution without padding and gaps, with the windows of a phase."""
    none = (0,) * len(phases)
    return OPS["conv"](
        b, x, kernel, lhs=node.attrs["lhs"], rhs=rhs, out=node.attrs["out"],
        stride=tuple(p.stride for p in phases), low=none, high=none,
        lhs_dilation=(1,) * len(phases), rhs_dilation=tuple(p.step for p in phases),
    )  # fmt: skip


def _sliced(b: Builder, x: Value, parts: Sequence[slice]) -> Value:
    bounds = [part.indices(n) for part, n in zip(parts, x.shape)]
    start, limit, stride = zip(*bounds)
    if all(s == (0, n, 1) for s, n in zip(bounds, x.shape)):
        return x
    return OPS["slice"](b, x, start=start, limit=limit, stride=stride)


def _interleaved(b: Builder, parts: Sequence[Value], axis: int) -> Value:
    """Element 0 of each part along the axis, then element 1 of each."""
    if len(parts) == 1:
        return parts[0]
    shape = parts[0].shape
    apart = (*shape[: axis + 1], 1, *shape[axis + 1 :])
    together = (*shape[:axis], shape[axis] * len(parts), *shape[axis + 1 :])
    joined = OPS["concat"](b, *(OPS["reshape"](b, p, shape=apart) for p in parts), axis=axis + 1)
    return OPS["reshape"](b, joined, shape=together)


def _first(b: Builder, x: Value, shape: Sequence[int]) -> Value:
    return _sliced(b, x, [slice(0, n, 1) for n in shape])
