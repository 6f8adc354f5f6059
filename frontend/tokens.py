"""The order of effects: which token the next effect follows, in each trace and outside of them.

Takes: tokens that operations gave. Gives: the current one. In the body of a loop or branch the
first is a parameter; outside of any trace effects run at once, except while a function is recorded
for a derivative: then they wait for its result. Must not know: what effects there are.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lazir.compiler.graph import NO_ATTRS, Value
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.host import TOKEN
from lazir.compiler.types import token

from .lazy import FUNCTIONAL, LazyNode
from .pending import force_values
from .trace import active


class Frame:
    """The last token of a function that is recorded lazily, None before its first effect."""

    def __init__(self) -> None:
        self.token: Value | None = None


class _Frames(threading.local):
    def __init__(self) -> None:
        self.stack: list[Frame] = []


_frames = _Frames()


@contextmanager
def gathering() -> Iterator[Frame]:
    """While a function is recorded: its effects are gathered in the frame."""
    frame = Frame()
    _frames.stack.append(frame)
    try:
        yield frame
    finally:
        _frames.stack.pop()


def runs_at_once() -> bool:
    """Whether an effect made now is to happen now: no trace and no recording is under way."""
    return active() is None and not _frames.stack


def current_token() -> Value:
    """The token that the next effect follows."""
    trace = active()
    if trace is not None:
        if trace.token is None:
            if trace.is_body:
                trace.token = trace.param(TOKEN, "token")
            else:
                trace.token = OPS["token"](trace)
        return trace.token
    frame = _frames.stack[-1] if _frames.stack else None
    if frame is not None and frame.token is not None:
        return frame.token
    node = LazyNode("token", (), NO_ATTRS, (TOKEN,), ())
    if frame is not None:
        node.tracked = FUNCTIONAL  # so that what follows it is part of the recording
        frame.token = node.result
    return node.result


def follow(values: Sequence[Value]) -> None:
    """Let the next effect follow the first token among `values`, if there is any; outside of
    traces, run the effects."""
    value = next((v for v in values if v.type.dtype is token), None)
    trace = active()
    if value is None:
        return
    if trace is not None:
        trace.token = value
    elif _frames.stack:
        _frames.stack[-1].token = value
    else:
        force_values([value])


def is_token(value: Value) -> bool:
    """Whether a value only says in what order effects happen."""
    return value.type.dtype is token


__all__ = ["Frame", "current_token", "follow", "gathering", "is_token", "runs_at_once"]
