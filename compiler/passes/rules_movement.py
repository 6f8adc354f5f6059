"""Views of views: what moves elements twice moves them once, or not at all.

Gives: RULES, all exact. Must not know: the driver.
"""

from __future__ import annotations

from ..graph import Value
from ..ops.movement import inverse_permutation
from ..rewrite import Match, Rule, Var, op
from .shapes import composed, inserted_units, moves_units_only, reshaped_broadcast

x, y, value = Var("x"), Var("y"), Var("value")
transpose, reshape, broadcast, slice_, pad, concat, reverse = (
    op(n) for n in ("transpose", "reshape", "broadcast", "slice", "pad", "concat", "reverse")
)


def _same_type(m: Match) -> Value | None:
    return m["x"] if m["x"].type == m.root.types[0] else None


# -- transpose ---------------------------------------------------------------------------
def _identity_transpose(m: Match) -> Value | None:
    order = m.attrs()["permutation"]
    if order == tuple(range(len(order))):
        return m["x"]
    if moves_units_only(m["x"].shape, order):
        return m.make("reshape", m["x"], shape=m.root.types[0].shape)
    return None


def _transpose_twice(m: Match) -> Value | None:
    inner = m.attrs("t")["permutation"]
    return m.make("transpose", m["x"], permutation=composed(m.attrs()["permutation"], inner))


def _transpose_of_broadcast(m: Match) -> Value | None:
    """The operand's axes go where they end up; a transpose of the operand puts them in order."""
    order = m.attrs()["permutation"]
    place = inverse_permutation(order)
    ends = [place[a] for a in m.attrs("t")["axes"]]
    inner = tuple(sorted(range(len(ends)), key=lambda k: ends[k]))
    small = m["x"]
    if inner != tuple(range(len(inner))):
        small = m.make("transpose", small, permutation=inner)
    return m.make("broadcast", small, shape=m.root.types[0].shape, axes=tuple(sorted(ends)))


# -- reshape -----------------------------------------------------------------------------
def _reshape_twice(m: Match) -> Value | None:
    return m.make("reshape", m["x"], shape=m.root.types[0].shape)


def _reshape_as_broadcast(m: Match) -> Value | None:
    """A reshape that puts in axes of size 1."""
    shape = m.root.types[0].shape
    axes = inserted_units(m["x"].shape, shape)
    if axes is None or len(shape) == len(axes):
        return None
    return m.make("broadcast", m["x"], shape=shape, axes=axes)


def _reshape_of_broadcast(m: Match) -> Value | None:
    """Repeated axes are reshaped by repeating to the new shape."""
    big, shape, axes = m.node("t").types[0].shape, m.root.types[0].shape, m.attrs("t")["axes"]
    small = m["x"]
    if small.type.size == m.node("t").types[0].size:
        return m.make("reshape", small, shape=shape)
    turned = reshaped_broadcast(big, shape, axes)
    if turned is None:
        return None
    inner, places = turned
    if inner != small.shape:
        small = m.make("reshape", small, shape=inner)
    return m.make("broadcast", small, shape=shape, axes=places)


# -- broadcast ---------------------------------------------------------------------------
def _broadcast_twice(m: Match) -> Value | None:
    axes = composed(m.attrs("t")["axes"], m.attrs()["axes"])
    return m.make("broadcast", m["x"], shape=m.root.types[0].shape, axes=axes)


# -- slice -------------------------------------------------------------------------------
def _slice_twice(m: Match) -> Value | None:
    first, then = m.attrs("t"), m.attrs()
    start, limit, stride = [], [], []
    for k, n in enumerate(m.root.types[0].shape):
        low = first["start"][k] + then["start"][k] * first["stride"][k]
        step = first["stride"][k] * then["stride"][k]
        start.append(low)
        stride.append(step)
        limit.append(low + (n - 1) * step + 1 if n else low)
    if any(lo > n for lo, n in zip(start, m["x"].shape)):
        return None
    return m.make("slice", m["x"], start=tuple(start), limit=tuple(limit), stride=tuple(stride))


def _slice_of_broadcast(m: Match) -> Value | None:
    """Repeated axes are cut by repeating less."""
    axes = m.attrs("t")["axes"]
    cut = {name: tuple(m.attrs()[name][a] for a in axes) for name in ("start", "limit", "stride")}
    small = m.make("slice", m["x"], **cut) if axes else m["x"]
    return m.make("broadcast", small, shape=m.root.types[0].shape, axes=axes)


def _slice_of_concat(m: Match) -> Value | None:
    """A slice that falls into one piece is a slice of that piece."""
    node = m.node("t")
    axis, offset = node.attrs["axis"], 0
    start, limit, stride = (m.attrs()[k] for k in ("start", "limit", "stride"))
    low, high = start[axis], limit[axis]
    for piece in node.inputs:
        size = piece.shape[axis]
        if offset <= low and high <= offset + size and high > low:
            at = (low - offset, high - offset)
            return m.make(
                "slice",
                piece,
                start=(*start[:axis], at[0], *start[axis + 1 :]),
                limit=(*limit[:axis], at[1], *limit[axis + 1 :]),
                stride=stride,
            )
        offset += size
    return None


def _slice_of_pad(m: Match) -> Value | None:
    """A slice that keeps clear of the padding is a slice of what was padded."""
    padding, then, shape = m.attrs("t"), m.attrs(), m["x"].shape
    start, limit = [], []
    for k, n in enumerate(shape):
        low = padding["low"][k]
        if padding["interior"][k] or not low <= then["start"][k] <= then["limit"][k] <= low + n:
            return None
        start.append(then["start"][k] - low)
        limit.append(then["limit"][k] - low)
    return m.make("slice", m["x"], start=tuple(start), limit=tuple(limit), stride=then["stride"])


# -- pad, concat, reverse ----------------------------------------------------------------
def _pad_twice(m: Match) -> Value | None:
    first, then = m.attrs("t"), m.attrs()
    if any(then["interior"]) or any(first["interior"]):
        return None
    wider = {
        name: tuple(a + c for a, c in zip(first[name], then[name])) for name in ("low", "high")
    }
    return m.make("pad", m["x"], m["value"], interior=then["interior"], **wider)


def _concat(m: Match) -> Value | None:
    """Empty pieces go; pieces that are concats along the axis are taken apart; slices join."""
    axis = m.attrs()["axis"]
    pieces: list[Value] = []
    for v in m.root.inputs:
        nested = v.node.op == "concat" and v.node.attrs["axis"] == axis
        parts = v.node.inputs if nested else (v,)
        pieces += [p for p in parts if p.shape[axis]]
    joined: list[Value] = []
    for piece in pieces:
        whole = _joined(m, joined[-1], piece, axis) if joined else None
        if whole is None:
            joined.append(piece)
        else:
            joined[-1] = whole
    if not joined:
        return m.root.inputs[0] if m.root.inputs[0].type == m.root.types[0] else None
    if len(joined) == 1:
        return joined[0]
    if tuple(joined) == m.root.inputs:
        return None
    return m.make("concat", *joined, axis=axis)


def _joined(m: Match, left: Value, right: Value, axis: int) -> Value | None:
    """Neighbouring slices of one value as one slice."""
    a, b = left.node, right.node
    if not (a.op == b.op == "slice" and a.inputs == b.inputs):
        return None
    if any(s != 1 for s in (*a.attrs["stride"], *b.attrs["stride"])):
        return None
    if a.attrs["limit"][axis] != b.attrs["start"][axis]:
        return None
    for name in ("start", "limit"):
        first, second = a.attrs[name], b.attrs[name]
        if any(p != q for k, (p, q) in enumerate(zip(first, second)) if k != axis):
            return None
    return m.make(
        "slice",
        a.inputs[0],
        start=a.attrs["start"],
        limit=b.attrs["limit"],
        stride=a.attrs["stride"],
    )


def _reverse(m: Match) -> Value | None:
    """Axes of size 1 need no reversing; two reversals of an axis cancel."""
    source = m["x"]
    axes = set(m.attrs()["axes"])
    if source.node.op == "reverse":
        axes ^= set(source.node.attrs["axes"])
        source = source.node.inputs[0]
    left = tuple(sorted(a for a in axes if source.shape[a] > 1))
    if not left:
        return source
    if source == m["x"] and left == tuple(m.attrs()["axes"]):
        return None
    return m.make("reverse", source, axes=left)


def _reverse_of_transpose(m: Match) -> Value | None:
    """The transpose comes last, where products and convolutions take it into their axes."""
    order = m.attrs("t")["permutation"]
    axes = tuple(sorted(order[a] for a in m.attrs()["axes"]))
    return m.make("transpose", m.make("reverse", m["x"], axes=axes), permutation=order)


RULES = (
    Rule("transpose by nothing", transpose(x), _identity_transpose),
    Rule("transpose(transpose(x))", transpose(transpose(x, node="t")), _transpose_twice),
    Rule("transpose(broadcast(x))", transpose(broadcast(x, node="t")), _transpose_of_broadcast),
    Rule("reshape to the same shape", reshape(x), _same_type),
    Rule("reshape(reshape(x))", reshape(reshape(x)), _reshape_twice),
    Rule("reshape(broadcast(x))", reshape(broadcast(x, node="t")), _reshape_of_broadcast),
    Rule("reshape as broadcast", reshape(x), _reshape_as_broadcast),
    Rule("broadcast to the same shape", broadcast(x), _same_type),
    Rule("broadcast(broadcast(x))", broadcast(broadcast(x, node="t")), _broadcast_twice),
    Rule("slice of everything", slice_(x), _same_type),
    Rule("slice(slice(x))", slice_(slice_(x, node="t")), _slice_twice),
    Rule("slice(broadcast(x))", slice_(broadcast(x, node="t")), _slice_of_broadcast),
    Rule("slice(concat(…))", slice_(concat(node="t")), _slice_of_concat),
    Rule("slice(pad(x))", slice_(pad(x, y, node="t")), _slice_of_pad),
    Rule("pad by nothing", pad(x, value), _same_type),
    Rule("pad(pad(x))", pad(pad(x, value, node="t"), value), _pad_twice),
    Rule("concat of pieces", concat(), _concat),
    Rule("reverse", reverse(x), _reverse),
    Rule("reverse(transpose(x))", reverse(transpose(x, node="t")), _reverse_of_transpose),
)
