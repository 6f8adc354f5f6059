"""Carries out the launch plan of a GPU program on the emulated device.

Takes: the `loops` module, the PTX, inputs. Gives: outputs. Inputs are aligned to their element and
no more, outputs and the workspace hold nothing that may be read. Must not know: how it was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lazir.compiler.mlir.ir import Module, Op, Symbol, Typed, Value
from lazir.compiler.types import MemRefType

from .emulator import launch
from .ptx_memory import Memory
from .ptx_text import PtxError, parse_ptx

__all__ = ["run_plan"]

Array = np.ndarray[Any, np.dtype[Any]]
SAME_PLACE = ("memref.collapse_shape", "memref.expand_shape", "memref.reinterpret_cast")


def run_plan(module: Module, ptx: str, inputs: Sequence[Array]) -> tuple[list[Array], int]:
    """The outputs, as arrays of storage types, and how many kernels were launched."""
    plan = _Plan(module, ptx, inputs)
    for op in plan.main.regions[0].ops:
        plan.step(op)
    return plan.outputs(), plan.launches


class _Plan:
    """Where every buffer of the host function is."""

    def __init__(self, module: Module, ptx: str, inputs: Sequence[Array]) -> None:
        (self.main,) = module.functions()
        self.module = module
        self.kernels = parse_ptx(ptx)
        self.memory = Memory()
        self.known: dict[Value, int] = {}
        self.launches = 0
        args = self.main.regions[0].args
        count = self.main.attrs["lz.inputs"]
        self.results = args[count : count + self.main.attrs["lz.outputs"]]
        for k, value in enumerate(args):
            type = self._type(value)
            data = np.array(inputs[k], order="C").reshape(-1) if k < count else None
            if data is not None and data.nbytes != type.nbytes:
                raise PtxError(f"input {k} has {data.nbytes} bytes, not {type.nbytes}")
            scratch = k >= count + len(self.results)
            align = 256 if scratch else type.dtype.itemsize
            name = value.hint or f"argument {k}"
            self.known[value] = self.memory.add(name, type.nbytes, data, align).base

    @staticmethod
    def _type(value: Value) -> MemRefType:
        assert isinstance(value.type, MemRefType)
        return value.type

    def step(self, op: Op) -> None:
        """One operation of the host function."""
        if op.name == "arith.constant":
            number = op.attrs["value"]
            self.known[op.result] = int(number.value if isinstance(number, Typed) else number)
        elif op.name == "memref.view":
            self.known[op.result] = self.known[op.operands[0]] + self.known[op.operands[1]]
        elif op.name in SAME_PLACE:
            self.known[op.result] = self.known[op.operands[0]]
        elif op.name == "memref.get_global":
            self.known[op.result] = self._constant(op)
        elif op.name == "gpu.memcpy":
            self._copy(*op.operands)
        elif op.name == "gpu.launch_func":
            self._launch(op)
        elif op.name != "func.return":
            raise PtxError(f"{op.name} in a launch plan")

    def _constant(self, op: Op) -> int:
        wanted = op.attrs["name"].name
        (found,) = (
            o for o in self.module.ops
            if o.name == "memref.global" and o.attrs["sym_name"] == wanted
        )  # fmt: skip
        type = self._type(op.result)
        data = np.broadcast_to(found.attrs["initial_value"].data, type.shape)
        flat = np.array(data, order="C").reshape(-1)
        return self.memory.add(wanted, type.nbytes, flat).base

    def _bytes(self, value: Value) -> tuple[Array, Array]:
        """The bytes of a buffer and which of them are known, as views."""
        address, size = self.known[value], self._type(value).nbytes
        ((region, _),) = self.memory.region_of(np.array([address], np.uint64))
        part = slice(address - region.base, address - region.base + size)
        if part.stop > len(region.bytes):
            raise PtxError(f"a view past the end of {region.name}")
        return region.bytes[part], region.known[part]

    def _copy(self, destination: Value, source: Value) -> None:
        (to, to_known), (data, known) = self._bytes(destination), self._bytes(source)
        to[:], to_known[:] = data, known

    def _launch(self, op: Op) -> None:
        symbol = op.attrs["kernel"]
        assert isinstance(symbol, Symbol)
        grid, one, two, block, three, four = (self.known[v] for v in op.operands[:6])
        assert one == two == three == four == 1
        arguments = [self.known[v] for v in op.operands[6:]]
        for value in op.operands[6:]:
            if self._type(value).nbytes:
                self._bytes(value)  # inside of its region
        self.launches += 1
        name = symbol.name.split("::")[-1]
        launch(self.kernels[name], self.memory, grid, block, arguments)

    def outputs(self) -> list[Array]:
        """What the results hold; PtxError where a byte was never written."""
        made = []
        for value in self.results:
            type = self._type(value)
            if type.nbytes == 0:
                made.append(np.zeros(type.shape, type.dtype.numpy))
                continue
            data, known = self._bytes(value)
            if not known.all():
                raise PtxError(f"{value.hint}: {int((~known).sum())} bytes were never written")
            made.append(data.view(type.dtype.numpy).reshape(type.shape).copy())
        return made
