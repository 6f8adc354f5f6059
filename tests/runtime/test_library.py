"""LAPACK's addresses: found in SciPy, checked, and one clear error without it."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lazir.runtime import library
from lazir.runtime.library import LibraryError, library_addresses

pytest.importorskip("scipy")

WITHOUT = """\
import sys
sys.modules["scipy"] = None
import numpy as np, lazir as lz
print(lz.linalg.norm(np.ones(4)).item())
for f in (lz.compile(lz.linalg.inv), lambda x: lz.linalg.inv(x).numpy()):
    try:
        f(np.eye(2))
    except ImportError as error:
        print(type(error).__name__, error)
"""


def test_a_pointer_is_the_function() -> None:
    address = library_addresses(["lz_blas_dtrsm", "lz_lapack_dpotrf"], "f")["lz_lapack_dpotrf"]
    potrf = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 5)(address)
    matrix, info = np.array([[4.0]]), ctypes.c_int32(7)
    n = ctypes.c_int32(1)
    potrf(b"U", ctypes.addressof(n), matrix.ctypes.data, ctypes.addressof(n),
          ctypes.addressof(info))  # fmt: skip
    assert matrix[0, 0] == 2 and info.value == 0


def test_nothing_is_imported_for_nothing() -> None:
    code = "import sys, lazir as lz; print(lz.compile(abs)(-2.0), 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2.0", "False"]


def test_without_scipy() -> None:
    """One clear error, in compiled code and outside; what needs no LAPACK runs."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "2.0" and len(lines) == 3
    for line in lines[1:]:
        assert line.startswith("LibraryError")
        assert "SciPy" in line and "pip install 'lazir[linalg]'" in line


@pytest.mark.parametrize("symbol", ["lz_fftw_plan", "lz_lapack_dnothing"])
def test_unknown_functions(symbol: str) -> None:
    with pytest.raises(LibraryError, match="program_f needs"):
        library_addresses([symbol], "program_f")


@pytest.mark.parametrize("word", ["int64_t", "blas_int"])
def test_another_calling_convention_is_refused(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    """Integers of 64 bits in SciPy must not be taken for 32."""
    new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    make: Any = new(("PyCapsule_New", ctypes.pythonapi))
    type = f"void (char *, {word} *, d *, {word} *, {word} *)".encode()
    home = SimpleNamespace(__pyx_capi__={"dpotrf": make(1, type, None)})
    monkeypatch.setattr(library.importlib, "import_module", lambda name: home)
    with pytest.raises(LibraryError, match=rf"32 bits.*{word}"):
        library_addresses(["lz_lapack_dpotrf"], "f")
