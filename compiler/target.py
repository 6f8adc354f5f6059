"""Targets: what a machine can do, as one explicit value.

Takes: a name, or what the runtime found out about this machine. Gives: Target.
Must not know: ops, kernels, schedules. Nothing is measured here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property

from lazir.runtime.host import host

from .types import DType

PARALLEL_WORK = 32768.0
"""Machine operations of a chunk: about 10 µs, ten times the cost of waking a thread."""


@dataclass(frozen=True)
class Target:
    """A processor to generate code for. Equal targets give equal code.

    `features` is LLVM's feature text (`+avx2,+fma`), `vector_bits` the width of the vectors that
    schedules should use, cache sizes are bytes for one core (`l3_bytes` shared). `vector_registers`
    counts architectural registers, `flops_per_cycle` is f32 multiply and add at full width on one
    core, `copy_bandwidth` bytes per cycle of a copy from memory on one core, `clock_hz` the clock,
    `parallel_work` the machine operations that a chunk of parallel work should hold: guesses that a
    tuned Target may replace with `dataclasses.replace`.
    """

    name: str
    triple: str
    cpu: str = "generic"
    features: str = ""
    vector_bits: int = 128
    l1_bytes: int = 32 << 10
    l2_bytes: int = 512 << 10
    l3_bytes: int = 8 << 20
    fma: bool = False
    vector_registers: int = 16
    flops_per_cycle: int = 16
    copy_bandwidth: float = 8.0
    parallel_work: float = PARALLEL_WORK
    clock_hz: float = 3e9
    tuning: tuple[tuple[str, int], ...] = field(default=())

    @property
    def is_gpu(self) -> bool:
        return self.triple.startswith("nvptx64")

    @property
    def arch(self) -> str:
        """`x86_64`, `aarch64`, `wasm32`, `nvptx64`."""
        return self.triple.split("-", 1)[0]

    @cached_property
    def feature_set(self) -> frozenset[str]:
        """The features that are on, without their plus."""
        return frozenset(f[1:] for f in self.features.split(",") if f.startswith("+"))

    def has(self, feature: str) -> bool:
        """Whether the feature is on: `target.has("avx512f")`."""
        return feature in self.feature_set

    @property
    def native_f16(self) -> bool:
        """Whether f16 to and from f32 is one instruction."""
        return self.has("f16c") or self.arch in ("aarch64", "nvptx64")

    @property
    def native_bf16(self) -> bool:
        """Whether f32 to bf16 is one instruction that rounds as IEEE does (AVX-512's flushes
        subnormal numbers, so it does not count)."""
        return self.is_gpu

    @property
    def vnni(self) -> bool:
        """Whether i8 dot products of four are one instruction."""
        return self.has("avx512vnni") or self.has("avxvnni") or self.has("dotprod")

    def lanes(self, dtype: DType) -> int:
        """Elements of one full vector: 16 for f32 where vectors have 512 bits. At least 1."""
        return max(1, self.vector_bits // (8 * dtype.itemsize))

    def key(self) -> str:
        """All of it as one line of text, for cache keys.

        >>> named_target("x86-64-v3").key().split(";")[:3]
        ['name=x86-64-v3', 'triple=x86_64-unknown-linux-gnu', 'cpu=x86-64-v3']
        """
        return ";".join(f"{f.name}={getattr(self, f.name)}" for f in fields(self))


_SSE = "+cx16,+sahf,+mmx,+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt"
_AVX2 = _SSE + ",+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe,+xsave"
_AVX512 = _AVX2 + ",+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl"
_LINUX = "x86_64-unknown-linux-gnu"
_CUDA = "nvptx64-nvidia-cuda"

# PTX versions: the first that knows the architecture (NVIDIA, "PTX ISA", release notes).
_GPUS = {
    "sm_75": "+ptx63", "sm_80": "+ptx70", "sm_86": "+ptx71", "sm_89": "+ptx78",
    "sm_90a": "+ptx80", "sm_100": "+ptx86",
}  # fmt: skip


def _gpu(name: str, ptx: str) -> Target:
    """L1 is what one block can use as shared memory, registers those of one thread."""
    shared = {"sm_75": 64, "sm_80": 163, "sm_86": 99, "sm_89": 99}.get(name, 227)
    return Target(
        name, _CUDA, name, ptx, 128, shared << 10, 40 << 20, 0, True, 255, 256, 512.0
    )  # fmt: skip


_NAMED = {
    t.name: t
    for t in (
        Target("x86-64-v2", _LINUX, "x86-64-v2", _SSE, 128),
        Target(
            "x86-64-v3", _LINUX, "x86-64-v3", _AVX2, 256, fma=True, flops_per_cycle=32
        ),
        Target(
            "x86-64-v4", _LINUX, "x86-64-v4", _AVX512, 512, l2_bytes=1 << 20, fma=True,
            vector_registers=32, flops_per_cycle=64,
        ),
        Target(
            "aarch64-neon", "aarch64-unknown-linux-gnu", "generic", "+neon,+fp-armv8", 128,
            l1_bytes=64 << 10, l2_bytes=1 << 20, fma=True, vector_registers=32,
        ),
        Target("wasm32", "wasm32-unknown-unknown", "generic", "+simd128,+bulk-memory", 128),
        *(_gpu(name, ptx) for name, ptx in _GPUS.items()),
    )
}  # fmt: skip


def named_target(name: str) -> Target:
    """A fixed target by name: the same on every machine, for golden tests and exporting.

    KeyError lists the names where there is none.
    """
    if name not in _NAMED:
        raise KeyError(f"no target {name!r}; there are {', '.join(target_names())}")
    return _NAMED[name]


def target_names() -> tuple[str, ...]:
    """The names that `named_target` knows."""
    return tuple(_NAMED)


def host_target() -> Target:
    """The machine this process runs on, as the runtime describes it; no number is measured."""
    machine = host()
    on = frozenset(f[1:] for f in machine.features.split(",") if f.startswith("+"))
    x86 = machine.triple.startswith("x86_64")
    fma = "fma" in on or machine.triple.startswith(("aarch64", "arm64"))
    wide = machine.vector_bits == 512 or not x86
    return Target(
        name="host",
        triple=machine.triple,
        cpu=machine.cpu,
        features=machine.features,
        vector_bits=machine.vector_bits,
        l1_bytes=machine.l1d,
        l2_bytes=machine.l2,
        l3_bytes=machine.l3,
        fma=fma,
        vector_registers=32 if wide else 16,
        flops_per_cycle=machine.vector_bits // 32 * (4 if fma else 2),
    )
