"""The runtime's own machine code: the thread pool and the way in from Python.

Takes the texts of `pool_ir`, `control_ir`, `entry_ir`, `call_ir`. Gives their functions' addresses;
compiled once (then read from the disk cache) and linked once per process, at first need.
Must not know: programs.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import threading
import time
from types import ModuleType
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numpy as np

from .cache import DiskCache, key
from .call_ir import CALL_IR
from .control_ir import control_ir
from .entry_ir import entry_ir
from .forks import NATIVE, hold_in_forks
from .host import default_threads, host
from .jit import LoadedCode, initialize_llvm
from .pool_ir import pool_ir

__all__ = ["Native", "native", "object_code"]

_SYMBOLS = (
    "lz_parallel_for",
    "lz_pool_init",
    "lz_pool_set_threads",
    "lz_pool_threads",
    "lz_pool_statistics",
    "lz_pool_stop",
    "lz_entry_init",
    "lz_run",
    "lz_call",
)

# Places in NumPy's table of C functions (numpy/__multiarray_api.h); they never move.
_API_ABI_VERSION = 0
_API_ARRAY_TYPE = 2
_API_NEW_FROM_DESCR = 94

#: Majors of NumPy's C ABI whose array struct `entry_ir` knows: NumPy 1.x and 2.x.
_KNOWN_ABIS = (1, 2)


class Native:
    """The linked code, ready to use: pool set to `default_threads`, Python's objects known."""

    __slots__ = ("_code", "_values")

    def __init__(self) -> None:
        threads = default_threads()
        self._code = LoadedCode(_object_code(), _SYMBOLS)
        self._values = _python_values()
        self.restart()
        ctypes.CFUNCTYPE(None, ctypes.c_int32)(self.address("lz_pool_set_threads"))(threads)

    def address(self, name: str) -> int:
        """Address of one of the functions."""
        return self._code.address(name)

    def restart(self) -> None:
        """Forget all worker threads; the calling thread is the one that Python's signals go to."""
        values = [*self._values, threading.main_thread().ident or threading.get_ident()]
        ctypes.CFUNCTYPE(None)(self.address("lz_pool_init"))()
        array = (ctypes.c_uint64 * len(values))(*values)
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self.address("lz_entry_init"))(array)


_lock = threading.Lock()
_loaded: Native | None = None


def native() -> Native:
    """The runtime's own code, linked at the first call."""
    global _loaded
    with _lock:
        if _loaded is None:
            _loaded = Native()
        return _loaded


def loaded() -> Native | None:
    """The same if it is linked already, else None."""
    return _loaded


def native_ir() -> str:
    """The whole text, as compiled. RuntimeError where there are no POSIX threads."""
    if not hasattr(signal, "pthread_sigmask"):
        raise RuntimeError("lazir runs programs on Linux and macOS; here are no POSIX threads")
    text = pool_ir(host().triple, int(signal.SIG_SETMASK), time.CLOCK_REALTIME)
    text += control_ir() + entry_ir(object.__basicsize__, time.CLOCK_MONOTONIC)
    return text + CALL_IR


def _object_code() -> bytes:
    """The text compiled for this machine, from the disk cache if it is there."""
    text = native_ir()
    facts = host()
    version = ".".join(map(str, llvm.llvm_version_info))
    entry = key("native", text, facts.triple, llvmlite.__version__, version)
    cache = DiskCache()
    code = cache.get(entry)
    if code is None:
        code = object_code(text)
        cache.put(entry, code)
    return code


def object_code(text: str) -> bytes:
    """LLVM IR text to an object file, quickly: 11 ms, where LLVM's -O2 takes 110 ms for the same.

    The first use on a machine waits for this; a call is some 0.04 µs slower for it. The code is
    for the plainest processor of its kind, so a cache folder may serve many machines.
    """
    initialize_llvm()
    facts = host()
    module = llvm.parse_assembly(text)
    module.verify()
    module.triple = facts.triple
    target = llvm.Target.from_triple(facts.triple)
    machine = target.create_target_machine(opt=0, reloc="pic", codemodel="default")
    passes = llvm.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_sroa_pass()
    passes.add_simplify_cfg_pass()
    options = llvm.create_pipeline_tuning_options(speed_level=1)
    passes.run(module, llvm.create_pass_builder(machine, options))
    return bytes(machine.emit_object(module))


def _numpy_api() -> Any:
    """NumPy's table of C functions, as an array of pointers."""
    module: ModuleType | None = None
    for name in ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath"):
        try:
            module = importlib.import_module(name)
            break
        except ImportError:  # NumPy 1 knows the second name only
            continue
    if module is None:
        raise RuntimeError(f"NumPy {np.__version__} has no C interface that lazir knows")
    # A prototype of our own: the function objects of ctypes.pythonapi are shared by everybody.
    prototype = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
    get_pointer = prototype(("PyCapsule_GetPointer", ctypes.pythonapi))
    address = get_pointer(module._ARRAY_API, None)
    return ctypes.cast(address, ctypes.POINTER(ctypes.c_void_p))


def _python_values() -> list[int]:
    """What `lz_entry_init` wants, but for its last value: addresses of objects and functions."""
    api = _numpy_api()
    abi = ctypes.PYFUNCTYPE(ctypes.c_uint)(api[_API_ABI_VERSION])() >> 24
    if abi not in _KNOWN_ABIS or api[_API_ARRAY_TYPE] != id(np.ndarray):
        raise RuntimeError(
            f"NumPy {np.__version__} has C ABI {abi}; lazir knows {_KNOWN_ABIS}: update lazir"
        )
    _check_array_layout()
    return [
        api[_API_ARRAY_TYPE],
        api[_API_NEW_FROM_DESCR],
        id(float),
        id(int),
        id(True),
        id(False),
        id(_ATTRIBUTE),
        id(NotImplemented),
    ]


#: The attribute that holds a wrapped array. A literal that looks like a name is interned.
_ATTRIBUTE = "_array"


def _check_array_layout() -> None:
    """Compare the fields that `entry_ir` reads, read the same way, with what NumPy says."""
    header = object.__basicsize__

    class Array(ctypes.Structure):
        _fields_ = (
            ("header", ctypes.c_char * header),
            ("data", ctypes.c_void_p),
            ("nd", ctypes.c_int),
            ("dims", ctypes.POINTER(ctypes.c_ssize_t)),
            ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
            ("base", ctypes.c_void_p),
            ("descr", ctypes.c_void_p),
            ("flags", ctypes.c_int),
        )

    probe = np.zeros((3, 5), np.float32)
    seen = Array.from_address(id(probe))
    descr = np.dtype(np.float32)
    number = ctypes.c_int.from_address(id(descr) + header + 12).value
    order = ctypes.c_char.from_address(id(descr) + header + 10).value
    type_slot = ctypes.c_void_p.from_address(id(probe) + header - 8).value
    right = (
        type_slot == id(np.ndarray)
        and (seen.data, seen.nd) == (probe.ctypes.data, 2)
        and (seen.dims[0], seen.dims[1]) == probe.shape
        and seen.descr == id(probe.dtype)
        and seen.flags == probe.flags.num
        and (number, order) == (descr.num, b"=")
    )
    if not right:
        raise RuntimeError(
            f"NumPy {np.__version__} lays out its arrays in a way that lazir does not know"
        )


def _in_child() -> None:
    if _loaded is not None:
        _loaded.restart()


hold_in_forks(_lock, NATIVE)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
