"""The runtime's own machine code: compiled once, cached, checked against NumPy's layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import pytest

from lazir.runtime import native as module

SCRIPT = """
import sys
from lazir.runtime import native, threads
compiled = []
real = native.object_code
native.object_code = lambda text: compiled.append(text) or real(text)
print(threads.get_num_threads(), len(compiled))
"""


def test_second_process_compiles_nothing(tmp_path: Path, python: Callable[..., Any]) -> None:
    environment = {"LAZIR_CACHE": str(tmp_path / "c"), "LAZIR_NUM_THREADS": "3"}
    for expected in ("3 1", "3 0"):
        out, err = python(SCRIPT, **environment).communicate(timeout=60)
        assert (out.strip(), err) == (expected, "")
    (entry,) = (tmp_path / "c").iterdir()
    entry.write_bytes(entry.read_bytes()[:-10])
    out, err = python(SCRIPT, **environment).communicate(timeout=60)
    assert out.strip() == "3 1" and err.count("damaged entry") == 1
    out, _ = python(SCRIPT, LAZIR_CACHE="0", LAZIR_NUM_THREADS="3").communicate(timeout=60)
    assert out.strip() == "3 1"


def test_the_text_is_stable_and_valid() -> None:
    text = module.native_ir()
    assert text == module.native_ir()
    parsed = llvm.parse_assembly(text)
    parsed.verify()
    defined = {function.name for function in parsed.functions if not function.is_declaration}
    assert set(module._SYMBOLS) <= defined
    assert "thread_local" not in text
    assert all(glob.linkage != llvm.Linkage.external or glob.name.startswith("PyExc")
               for glob in parsed.global_variables)  # fmt: skip


def test_an_unknown_numpy_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(module._python_values()) == 8
    monkeypatch.setattr(module, "_KNOWN_ABIS", (7,))
    with pytest.raises(RuntimeError, match="update lazir"):
        module._python_values()


def test_another_array_layout_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    module._check_array_layout()
    other = module.np.zeros((3, 5), "f4").view(module.np.recarray)
    monkeypatch.setattr(module.np, "zeros", lambda *_: other)
    with pytest.raises(RuntimeError, match="does not know"):
        module._check_array_layout()
