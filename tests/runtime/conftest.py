"""Small hand-written programs in LLVM IR, compiled to object code, for the runtime's tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import pytest

from lazir.runtime import threads
from lazir.runtime.host import host
from lazir.runtime.jit import initialize_llvm
from lazir.runtime.program import ArraySpec, Program

_LOOP = """
define i32 @main(ptr %in, ptr %out, ptr %workspace, ptr %ctx) {{
entry:
{loads}
  %o = load ptr, ptr %out
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %n, %body ]
  %more = icmp slt i64 %i, {size}
  br i1 %more, label %body, label %end
body:
{body}
  %n = add i64 %i, 1
  br label %head
end:
  ret i32 0
}}
"""


def compile_ir(text: str) -> bytes:
    """LLVM IR text to an object file for this machine."""
    initialize_llvm()
    module = llvm.parse_assembly(text)
    module.verify()
    module.triple = host().triple
    machine = llvm.Target.from_triple(host().triple).create_target_machine(
        cpu=host().cpu, opt=1, reloc="pic", codemodel="default"
    )
    return bytes(machine.emit_object(module))


def make_program(
    text: str,
    inputs: tuple[ArraySpec, ...],
    outputs: tuple[ArraySpec, ...],
    **options: Any,
) -> Program:
    """A program around the function `@main` of the text."""
    return Program(
        name=options.pop("name", "main"),
        triple=host().triple,
        cpu=host().cpu,
        features="",
        object_code=compile_ir(text),
        entry="main",
        inputs=inputs,
        outputs=outputs,
        **options,
    )


def _multiply_add(shape: tuple[int, ...] = (8,), **options: Any) -> Program:
    """out = in0 · in1 + in2, float32, element by element."""
    spec = ArraySpec("float32", shape)
    loads, body = [], []
    for index in range(3):
        loads.append(f"  %s{index} = getelementptr ptr, ptr %in, i64 {index}")
        loads.append(f"  %a{index} = load ptr, ptr %s{index}")
        body.append(f"  %p{index} = getelementptr float, ptr %a{index}, i64 %i")
        body.append(f"  %x{index} = load float, ptr %p{index}")
    body += [
        "  %m = fmul float %x0, %x1",
        "  %r = fadd float %m, %x2",
        "  %po = getelementptr float, ptr %o, i64 %i",
        "  store float %r, ptr %po",
    ]
    text = _LOOP.format(loads="\n".join(loads), body="\n".join(body), size=spec.size)
    return make_program(text, (spec,) * 3, (spec,), **options)


@pytest.fixture(scope="session")
def multiply_add() -> Callable[..., Program]:
    """Makes the program a·b + c for a shape."""
    return _multiply_add


@pytest.fixture(scope="session")
def program() -> Callable[..., Program]:
    """Makes a program from LLVM IR text."""
    return make_program


@pytest.fixture
def four_threads() -> Iterator[None]:
    """Four threads, whatever the machine has."""
    before = threads.get_num_threads()
    threads.set_num_threads(4)
    yield
    threads.set_num_threads(before)


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts a fresh Python on a script's text; arguments become sys.argv[1:]."""
    started: list[subprocess.Popen[str]] = []

    def start(script: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        path = tmp_path / f"script{len(started)}.py"
        path.write_text(script)
        process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", str(path), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        started.append(process)
        return process

    yield start  # type: ignore[misc]
    for process in started:
        process.kill()
        process.communicate()
