"""Ctrl-C ends a long native loop: in the entry, in parallel bodies, between chunks, in waiting."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lazir.runtime.execute import LoadedProgram
from lazir.runtime.program import ArraySpec, Program

Make = Callable[..., Program]

# Polls every 2^14 turns; ends by itself after in[0] turns.
LOOP = """
define internal i32 @loop(ptr %a, ptr %ctx) {
entry:
  %turns = load i64, ptr %a
  %slot = getelementptr { ptr, ptr, ptr, ptr, ptr }, ptr %ctx, i32 0, i32 1
  %poll = load ptr, ptr %slot
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %n, %on ]
  %n = add i64 %i, 1
  call void asm sideeffect "", "r"(i64 %n)
  %low = and i64 %n, 16383
  %due = icmp eq i64 %low, 0
  br i1 %due, label %ask, label %on
ask:
  %stop = call i32 %poll(ptr %ctx)
  %stopped = icmp ne i32 %stop, 0
  br i1 %stopped, label %interrupted, label %on
on:
  %more = icmp slt i64 %n, %turns
  br i1 %more, label %head, label %end
interrupted:
  ret i32 1
end:
  ret i32 0
}
define internal void @body(ptr %a, i64 %chunk, ptr %ctx) {
  %ignored = call i32 @loop(ptr %a, ptr %ctx)
  ret void
}
define internal void @short(ptr %a, i64 %chunk, ptr %ctx) {
entry:
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %n, %head ]
  %n = add i64 %i, 1
  call void asm sideeffect "", "r"(i64 %n)
  %more = icmp slt i64 %n, 1000000
  br i1 %more, label %head, label %end
end:
  ret void
}
; The first chunk taken ends at once, the others poll: so one thread waits for the others.
define internal void @uneven(ptr %a, i64 %chunk, ptr %ctx) {
  %first = icmp eq i64 %chunk, 0
  br i1 %first, label %end, label %long
long:
  %ignored = call i32 @loop(ptr %a, ptr %ctx)
  br label %end
end:
  ret void
}
define i32 @main(ptr %in, ptr %out, ptr %workspace, ptr %ctx) {
  %a = load ptr, ptr %in
  BODY
}
"""

BODIES = {
    "entry": "%r = call i32 @loop(ptr %a, ptr %ctx)\n  ret i32 %r",
    "parallel": "@body, ptr %a, i64 8)",
    "chunks": "@short, ptr %a, i64 1000000)",
    "waiting": "@uneven, ptr %a, i64 2)",
}


def text_for(kind: str) -> str:
    body = BODIES[kind]
    if kind != "entry":
        body = (
            "%parallel_for = load ptr, ptr %ctx\n"
            f"  call void %parallel_for(ptr %ctx, ptr {body}\n  ret i32 0"
        )
    return LOOP.replace("BODY", body)


SCRIPT = """
import signal, sys, time
import numpy as np
from pathlib import Path
from lazir.runtime.execute import LoadedProgram
from lazir.runtime.program import Program

signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
loaded = LoadedProgram(Program.from_bytes(Path(sys.argv[1]).read_bytes()))
forever, soon = np.array([1 << 62]), np.array([1])
call = (lambda x: loaded.call([x], out=[])) if sys.argv[2] == "call" else loaded.call_fast
print("ready", flush=True)
try:
    call(forever)
except KeyboardInterrupt:
    print("interrupted", time.time(), flush=True)
print("the same program again:", "no" if sys.argv[3] == "chunks" else call(soon))
"""


@pytest.mark.parametrize(
    ("kind", "how", "threads"),
    [(kind, "fast", threads) for kind in BODIES for threads in ("1", "3")]
    + [(kind, how, "3") for kind in ("entry", "parallel") for how in ("call", "held")],
)
def test_ctrl_c(
    program: Make,
    python: Callable[..., Any],
    tmp_path: Path,
    kind: str,
    how: str,
    threads: str,
) -> None:
    made = program(text_for(kind), (ArraySpec("int64", (1,)),), (), release_gil=how != "held")
    (tmp_path / "program").write_bytes(made.to_bytes())
    process = python(SCRIPT, str(tmp_path / "program"), how, kind, LAZIR_NUM_THREADS=threads)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.2)
    assert process.poll() is None
    sent = time.time()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    word, when = out.splitlines()[0].split()
    assert word == "interrupted"
    assert float(when) - sent < 5  # in practice 0.05 s; this bound only tells it from a hang
    assert "the same program again" in out


def test_a_handler_that_does_not_raise_lets_the_loop_go_on(program: Make) -> None:
    seen: list[int] = []
    loaded = LoadedProgram(program(text_for("entry"), (ArraySpec("int64", (1,)),), ()))
    before = signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    try:
        turns = 1 << 20
        while not seen:
            assert loaded.call_fast(np.array([turns])) == ()
            turns *= 2
    finally:
        signal.signal(signal.SIGALRM, before)
    assert seen == [signal.SIGALRM]


def test_other_threads_are_not_disturbed(program: Make) -> None:
    """On a thread that is not the main one polling never takes the interpreter lock."""
    loaded = LoadedProgram(program(text_for("entry"), (ArraySpec("int64", (1,)),), ()))
    results: list[object] = []
    worker = threading.Thread(target=lambda: results.append(loaded.call_fast(np.array([1 << 28]))))
    worker.start()
    interval = sys.getswitchinterval()
    while worker.is_alive():
        worker.join(interval)
    assert results == [()]
