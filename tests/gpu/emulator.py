"""A GPU in NumPy: runs the PTX of a small grid, all threads of a block at once, and notices misuse.

Takes: kernels, launches, memory. Gives: memory after. Threads at the lowest instruction run first;
the others wait, so all meet again where paths join. PtxError for unknown instructions, for reads of
registers and memory that nobody wrote, places out of bounds, races between barriers, and barriers
and shuffles that not all threads reach. Must not know: what the program should compute.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .ptx_arithmetic import TYPES, comparison, convert, operation
from .ptx_memory import Memory, Region
from .ptx_text import Instruction, Kernel, PtxError

__all__ = ["launch"]

Array = np.ndarray[Any, np.dtype[Any]]
WARP = 32
MOST_STEPS = 2_000_000
"""Instructions of one block, beyond which it is taken to run forever."""


def launch(kernel: Kernel, memory: Memory, grid: int, block: int, arguments: Sequence[int]) -> None:
    """Run `grid` blocks of `block` threads; arguments are addresses."""
    if len(arguments) != len(kernel.params):
        raise PtxError(f"{kernel.name} takes {len(kernel.params)} arguments, not {len(arguments)}")
    if kernel.block and kernel.block != (block, 1, 1):
        raise PtxError(f"{kernel.name} is for {kernel.block} threads, launched with {block}")
    if not 0 < block <= 1024 or grid <= 0:
        raise PtxError(f"{kernel.name}: no such launch, {grid} blocks of {block}")
    for region in memory.regions.values():
        region.forget()
    values = dict(zip(kernel.params, arguments))
    for number in range(grid):
        Block(kernel, memory, number, grid, block, values).run()


class Block:
    """The threads of one block on their way through the kernel."""

    def __init__(
        self, kernel: Kernel, memory: Memory, number: int, grid: int, threads: int,
        arguments: dict[str, int],
    ) -> None:  # fmt: skip
        self.kernel, self.memory, self.number, self.threads = kernel, memory, number, threads
        self.arguments = arguments
        self.registers: dict[str, Array] = {}
        self.written: dict[str, Array] = {}
        self.pc = np.zeros(threads, np.int64)
        self.waiting = np.zeros(threads, bool)
        self.gone = np.zeros(threads, bool)
        self.epoch = 0
        self.thread = number * threads + np.arange(threads)
        self.special = {
            "%tid.x": np.arange(threads, dtype=np.uint32), "%ctaid.x": number,
            "%ntid.x": threads, "%nctaid.x": grid, "%laneid": np.arange(threads) % WARP,
        }  # fmt: skip
        self.owned = [memory.add(n, size) for n, size in kernel.shared.items()]
        self.symbols: dict[str, Any] = {r.name: r.base for r in self.owned}
        for name, size in kernel.local.items():
            mine = memory.add(name, size * threads)  # one thread's after the other's
            self.owned.append(mine)
            self.symbols[name] = mine.base + np.arange(threads) * size

    def run(self) -> None:
        """Until every thread has returned."""
        for _ in range(MOST_STEPS):
            ready = ~self.gone & ~self.waiting
            if not ready.any():
                if self.gone.all():
                    break
                self._release()
                continue
            here = int(self.pc[ready].min())
            self._step(here, np.flatnonzero(ready & (self.pc == here)))
        else:
            raise PtxError(f"{self.kernel.name} does not end")
        for region in self.owned:
            self.memory.remove(region)

    def _release(self) -> None:
        """All threads stand at a barrier: the same one, or the kernel is wrong."""
        if self.gone.any() or len(np.unique(self.pc[self.waiting])) > 1:
            raise PtxError(f"{self.kernel.name}: a barrier that not all threads reach")
        self.waiting[:] = False
        self.epoch += 1

    def _step(self, here: int, active: Array) -> None:
        if here >= len(self.kernel.code):
            raise PtxError(f"{self.kernel.name} runs past its end")
        code = self.kernel.code[here]
        self.pc[active] += 1
        if code.guard:
            chosen = self._get(code.guard, TYPES["pred"], active)
            active = active[chosen != code.negated]
        if not active.size:
            return
        try:
            special = _SPECIAL.get(code.parts[0])
            if special is None:
                self._compute(code, active)
            else:
                special(self, code, active)
        except PtxError as error:
            raise PtxError(f"{error}\n  in {code.text}, {self.kernel.name}") from None

    # -- registers --------------------------------------------------------------------------
    def _get(self, operand: Any, dtype: np.dtype[Any], active: Array) -> Array:
        """An operand as the type, for the active threads; the low bits of a wider register."""
        if not isinstance(operand, str):
            raise PtxError(f"cannot read the operand {operand}")
        if operand in self.special or operand in self.symbols:
            value = self.special.get(operand, self.symbols.get(operand))
            return np.broadcast_to(np.asarray(value), self.threads)[active].astype(dtype)
        if not operand.startswith("%"):
            return np.full(active.size, _immediate(operand, dtype), dtype)
        if operand not in self.registers or not self.written[operand][active].all():
            raise PtxError(f"register {operand} is read, but was not written")
        return _as(self.registers[operand][active], dtype)

    def _set(self, name: Any, value: Array, active: Array) -> None:
        """Write a register; a narrower value is extended as its type says."""
        if name == "_":
            return
        prefix = name.rstrip("0123456789") if name not in self.kernel.registers else name
        bits = self.kernel.registers.get(prefix)
        if bits is None:
            raise PtxError(f"register {name} is not declared")
        holder = np.dtype(bool if bits == 1 else f"u{bits // 8}")
        if value.dtype.itemsize > holder.itemsize or (value.dtype == bool) != (bits == 1):
            raise PtxError(f"a {value.dtype} does not fit into {name}")
        if value.dtype.kind == "f":
            value = value.view(f"u{value.dtype.itemsize}")
        if name not in self.registers:
            self.registers[name] = np.zeros(self.threads, holder)
            self.written[name] = np.zeros(self.threads, bool)
        self.registers[name][active] = value.astype(holder)
        self.written[name][active] = True

    # -- instructions -----------------------------------------------------------------------
    def _compute(self, code: Instruction, active: Array) -> None:
        if code.parts[0] == "mov" and any(isinstance(o, tuple) for o in code.operands):
            self._move_halves(code, active)
            return
        parts, target, *operands = code.parts, *code.operands
        mixed = parts[-2:] in (("f32", "f16"), ("f32", "bf16"))
        run, dtype = operation(parts[:-1] if mixed else parts)
        kinds = [dtype] * len(operands)
        if mixed:  # all operands but the last are small floats, taken as f32
            self._compute_mixed(run, code, active)
            return
        if code.parts[0] in ("shl", "shr"):
            kinds[1] = TYPES["u32"]
        elif code.parts[0] == "bfe":
            kinds[1:] = [TYPES["u32"]] * 2
        elif "wide" in code.parts and code.parts[0] == "mad":
            raise PtxError("mad.wide is not known")
        with np.errstate(all="ignore"):
            result = run(*(self._get(o, k, active) for o, k in zip(operands, kinds)))
        self._set(target, np.asarray(result), active)

    def _compute_mixed(self, run: Any, code: Instruction, active: Array) -> None:
        target, *small, last = code.operands
        source = code.parts[-1]
        wide = [convert(("cvt", "f32", source), self._get(o, TYPES[source], active)) for o in small]
        with np.errstate(all="ignore"):
            self._set(target, run(*wide, self._get(last, TYPES["f32"], active)), active)

    def _move_halves(self, code: Instruction, active: Array) -> None:
        """`mov.b64 {low, high}, x` and `mov.b64 x, {low, high}`."""
        whole = TYPES[code.parts[1]]
        half = np.dtype(f"u{whole.itemsize // 2}")
        target, source = code.operands
        if isinstance(target, tuple) and len(target) == 2:
            parts = self._get(source, whole, active).view(half).reshape(-1, 2)
            for k, name in enumerate(target):
                self._set(name, parts[:, k], active)
        elif isinstance(source, tuple) and len(source) == 2:
            parts = np.stack([self._get(n, half, active) for n in source], 1)
            self._set(target, np.ascontiguousarray(parts).view(whole)[:, 0], active)
        else:
            raise PtxError("mov of more than halves is not known")

    def convert(self, code: Instruction, active: Array) -> None:
        target, source = code.operands
        value = self._get(source, TYPES[code.parts[-1]], active)
        with np.errstate(all="ignore"):
            self._set(target, convert(code.parts, value), active)

    def compare(self, code: Instruction, active: Array) -> None:
        run, dtype = comparison(code.parts)
        target, *operands = code.operands
        self._set(target, run(*(self._get(o, dtype, active) for o in operands)), active)

    def select(self, code: Instruction, active: Array) -> None:
        target, yes, no, flag = code.operands
        dtype = TYPES[code.parts[1]]
        chosen = self._get(flag, TYPES["pred"], active)
        both = (self._get(o, dtype, active) for o in (yes, no))
        self._set(target, np.where(chosen, *both), active)

    def branch(self, code: Instruction, active: Array) -> None:
        self.pc[active] = self.kernel.labels[str(code.operands[0])]

    def leave(self, code: Instruction, active: Array) -> None:
        self.gone[active] = True

    def barrier(self, code: Instruction, active: Array) -> None:
        if code.parts != ("bar", "sync") or code.operands != ("0",):
            raise PtxError("this barrier is not known")
        self.waiting[active] = True

    def shuffle(self, code: Instruction, active: Array) -> None:
        """A whole warp exchanges registers: every lane of it must be here."""
        if code.parts[:2] != ("shfl", "sync") or code.parts[2:] != ("bfly", "b32"):
            raise PtxError("this shuffle is not known")
        target, value, distance, clamp, members = code.operands
        if clamp != "31" or members != "-1":
            raise PtxError("only shuffles of whole warps are known")
        if active.size % WARP or (np.diff(active.reshape(-1, WARP), axis=1) != 1).any():
            raise PtxError("a shuffle that not all threads of a warp reach")
        rows = self._get(value, TYPES["b32"], active).reshape(-1, WARP)
        steps = self._get(distance, TYPES["u32"], active).reshape(-1, WARP)
        lanes = np.arange(WARP) ^ steps.astype(np.int64)
        moved = np.take_along_axis(rows, lanes, 1).reshape(-1)
        name, valid = target if isinstance(target, tuple) else (target, "_")
        self._set(name, moved, active)
        self._set(valid, np.ones(active.size, bool), active)

    # -- memory -----------------------------------------------------------------------------
    def _addresses(self, operand: Any, active: Array) -> Array:
        if not isinstance(operand, tuple) or operand[0] != "[":
            raise PtxError(f"{operand} is no address")
        _, name, offset = operand
        return self._get(name, TYPES["u64"], active) + np.uint64(offset % (1 << 64))

    def _layout(self, code: Instruction) -> tuple[int, np.dtype[Any]]:
        """How many elements, of which type, an access moves."""
        spaces = ("global", "shared", "local", "nc")
        rest = [p for p in code.parts[1:-1] if p not in spaces]
        count = {(): 1, ("v2",): 2, ("v4",): 4}.get(tuple(rest))
        if count is None or code.parts[-1] not in TYPES:
            raise PtxError("this access is not known")
        return count, TYPES[code.parts[-1]]

    def load(self, code: Instruction, active: Array) -> None:
        target, place = code.operands
        if code.parts[1] == "param":
            assert isinstance(place, tuple)
            address = self.arguments[str(place[1])]
            self._set(target, np.full(active.size, address, np.uint64), active)
            return
        count, dtype = self._layout(code)
        addresses = self._addresses(place, active)
        data = np.zeros((active.size, count * dtype.itemsize), np.uint8)
        for region, mine in self.memory.region_of(addresses):
            self._check_space(code, region)
            who = self.thread[active[mine]]
            data[mine] = region.read(addresses[mine], data.shape[1], who, self.number, self.epoch)
        values = data.view(dtype)
        names = target if isinstance(target, tuple) else (target,)
        for k, name in enumerate(names):
            self._set(name, np.ascontiguousarray(values[:, k]), active)

    def store(self, code: Instruction, active: Array) -> None:
        place, source = code.operands
        count, dtype = self._layout(code)
        addresses = self._addresses(place, active)
        names = source if isinstance(source, tuple) else (source,)
        values = np.stack([self._get(n, dtype, active) for n in names], 1)
        assert values.shape[1] == count
        data = np.ascontiguousarray(values).view(np.uint8)
        for region, mine in self.memory.region_of(addresses):
            self._check_space(code, region)
            who = self.thread[active[mine]]
            region.write(addresses[mine], data[mine], who, self.number, self.epoch)

    def _check_space(self, code: Instruction, region: Region) -> None:
        own = any(region is r for r in self.owned)
        space = code.parts[1]
        wanted = region.name in self.kernel.shared if space == "shared" else None
        if (space == "global" and own) or wanted is False:
            raise PtxError(f"{region.name} is not in {space} memory")

    def to_space(self, code: Instruction, active: Array) -> None:
        """`cvta`: addresses are the same in every space here."""
        target, source = code.operands
        self._set(target, self._get(source, TYPES["u64"], active), active)


_SPECIAL: dict[str, Callable[[Block, Instruction, Array], None]] = {
    "cvt": Block.convert, "setp": Block.compare, "selp": Block.select, "bra": Block.branch,
    "ret": Block.leave, "bar": Block.barrier, "shfl": Block.shuffle, "ld": Block.load,
    "st": Block.store, "cvta": Block.to_space,
}  # fmt: skip


def _as(value: Array, dtype: np.dtype[Any]) -> Array:
    """A register's bits as a type of the same width, or their low end as a narrower one."""
    if "b" in (dtype.kind, value.dtype.kind):
        if value.dtype != dtype:
            raise PtxError("a predicate is no number")
        return value
    if dtype.itemsize > value.dtype.itemsize:
        raise PtxError(f"a register of {8 * value.dtype.itemsize} bits is read as {dtype}")
    return value.astype(f"u{dtype.itemsize}").view(dtype)


def _immediate(text: str, dtype: np.dtype[Any]) -> Any:
    """`-1`, `0f3F800000`, `0d…`, `0x…` as an element of the type."""
    if text.startswith(("0f", "0d")):
        value = struct.unpack(">f" if text[1] == "f" else ">d", bytes.fromhex(text[2:]))[0]
        width = 4 if text[1] == "f" else 8
        bits = int.from_bytes(bytes.fromhex(text[2:]), "big")
        if width != dtype.itemsize:
            raise PtxError(f"{text} is given for {dtype}")
        return value if dtype.kind == "f" else np.array(bits, f"u{width}").astype(dtype)[()]
    try:
        number = int(text, 0)
    except ValueError:
        raise PtxError(f"{text} is no number and no register") from None
    word = np.dtype(f"u{dtype.itemsize}")
    return np.array(number % (1 << (8 * dtype.itemsize)), word).view(dtype)[()]
