"""Object code into this process.

Takes the bytes of an object file. Gives the addresses of its symbols, valid as long as the
`LoadedCode` lives. Must not know: programs, Python's C interface, how the code was made.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Mapping, Sequence

import llvmlite.binding as llvm
from llvmlite.binding import ffi

from .forks import LINKING, LLVM, hold_in_forks

__all__ = ["LoadedCode", "initialize_llvm"]

#: Libraries that share one LLJIT. A new LLJIT costs 0.6 ms; but each library ever linked leaves
#: some 10 KiB in its LLJIT for good, so a single one for the process would leak. Rotation keeps
#: both small: an LLJIT goes away with the last of its libraries.
_LIBRARIES_PER_JIT = 32

_lock = threading.Lock()
_numbers = itertools.count()
_initialized = False
_current: llvm.LLJIT | None = None
_room = 0


def initialize_llvm() -> None:
    """Make LLVM ready to emit and link code for this machine; cheap when repeated."""
    global _initialized
    if not _initialized:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        _initialized = True


class LoadedCode:
    """An object file linked into this process. The code is unloaded when this object dies.

    `symbols` are the names whose addresses are wanted; `imports` gives addresses for undefined
    names; all others are looked up in the process (C library, Python). Raises RuntimeError if some
    cannot be found (LLVM itself prints which). Code with thread-local storage cannot be loaded.
    """

    __slots__ = ("__weakref__", "_addresses")

    def __init__(
        self,
        object_code: bytes,
        symbols: Sequence[str],
        imports: Mapping[str, int] | None = None,
    ) -> None:
        builder = llvm.JITLibraryBuilder().add_object_img(object_code).add_current_process()
        for name, address in (imports or {}).items():
            builder.import_symbol(name, address)
        for name in symbols:
            builder.export_symbol(name)
        jit, tracker = _link(builder)
        self._addresses: dict[str, int] = {name: tracker[name] for name in symbols}
        # The finalizer, not this object, owns tracker and LLJIT: so neither can be part of a dead
        # cycle, whose members may be finalized in the wrong order (LLJIT before its libraries).
        weakref.finalize(self, _unload, tracker, jit).atexit = False

    def address(self, symbol: str) -> int:
        """The address of one of the `symbols`."""
        return self._addresses[symbol]


def _link(builder: llvm.JITLibraryBuilder) -> tuple[llvm.LLJIT, llvm.ResourceTracker]:
    global _current, _room
    with _lock:
        initialize_llvm()
        if _current is None or _room == 0:
            _current = llvm.create_lljit_compiler()
            _room = _LIBRARIES_PER_JIT
        _room -= 1
        jit = _current
        try:
            return jit, builder.link(jit, f"lazir{next(_numbers)}")
        except RuntimeError as error:
            raise RuntimeError(
                f"object code cannot be linked: {error}; if symbols are missing, LLVM has printed "
                "their names to the standard error stream"
            ) from error


def _unload(tracker: llvm.ResourceTracker, jit: llvm.LLJIT) -> None:
    tracker.close()
    del jit  # held until here: the library goes before the LLJIT that holds it


class _InLlvm:
    """llvmlite's own lock, which each of its calls takes."""

    def acquire(self) -> None:
        """Wait until no thread is in LLVM."""
        ffi.lib._lock.__enter__()

    def release(self) -> None:
        """Let the others in again."""
        ffi.lib._lock.__exit__()


hold_in_forks(_lock, LINKING)
hold_in_forks(_InLlvm(), LLVM)
