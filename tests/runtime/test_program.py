"""The record and its bytes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lazir.runtime.program import ArraySpec, Program

F32 = ArraySpec("float32", (2, 3))
I64 = ArraySpec("int64", ())
PROGRAM = Program(
    "p", "x86_64-linux", "znver4", "+avx2", b"\x00\x01code", "main", (F32, I64), (F32,), 128,
    ((0, 0),), False, "cpu",
)  # fmt: skip


def test_bytes_round_trip_and_are_deterministic() -> None:
    again = Program.from_bytes(PROGRAM.to_bytes())
    assert again == PROGRAM
    assert again.to_bytes() == PROGRAM.to_bytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: b"y" + data,
        lambda data: data[:20],
        lambda data: data.replace(b'"format":1', b'"format":2'),
        lambda data: data.replace(b"float32", b"float33"),
        lambda data: data.replace(b'"entry"', b'"entrx"'),
    ],
)
def test_other_bytes_are_refused(change) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="lazir program"):
        Program.from_bytes(change(PROGRAM.to_bytes()))


def test_array_spec() -> None:
    assert (F32.size, F32.nbytes, str(F32)) == (6, 24, "float32[2,3]")
    assert (I64.size, I64.nbytes, str(I64)) == (1, 8, "int64[]")
    assert ArraySpec("bfloat16", (4,)).numpy_dtype == np.uint16
    assert ArraySpec("complex64", (0, 7)).nbytes == 0
    for dtype, shape in [("float", (1,)), ("object", ()), ("int64", (-1,))]:
        with pytest.raises(ValueError):
            ArraySpec(dtype, shape)


@pytest.mark.parametrize("aliases", [((1, 0),), ((0, 2),), ((0, 1),), ((0, 0), (0, 0)), ((-1, 0),)])
def test_bad_aliases(aliases: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match="alias"):
        dataclasses.replace(PROGRAM, aliases=aliases)


def test_bad_device_and_workspace() -> None:
    with pytest.raises(ValueError, match="device"):
        dataclasses.replace(PROGRAM, device="tpu")
    with pytest.raises(ValueError, match="workspace"):
        dataclasses.replace(PROGRAM, workspace_bytes=-1)
