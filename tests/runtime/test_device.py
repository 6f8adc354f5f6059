"""Device names, and what is said when one cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from lazir.runtime import device as module
from lazir.runtime.device import Device, available, parse_device, require


def test_names() -> None:
    assert parse_device("cpu") == Device("cpu")
    assert parse_device("cuda") == parse_device("cuda:0") == Device("cuda", 0)
    assert parse_device("cuda:12") == Device("cuda", 12)
    assert [str(parse_device(name)) for name in ("cpu", "cuda:3")] == ["cpu", "cuda:3"]
    assert parse_device(Device("cuda", 1)) == Device("cuda", 1)


@pytest.mark.parametrize("name", ["", "gpu", "cuda:", "cuda:-1", "CPU", "cpu:0", "cuda:x", "cpu\n"])
def test_other_names(name: str) -> None:
    with pytest.raises(ValueError, match="there are 'cpu', 'cuda'"):
        parse_device(name)


def test_other_types() -> None:
    with pytest.raises(TypeError, match="a device is a name"):
        parse_device(0)  # type: ignore[arg-type]


def test_the_cpu_is_always_there() -> None:
    require(Device("cpu"))
    assert available()[0] == Device("cpu")


class DriverError(Exception):
    pass


def driver(count: int, failure: str | None = None) -> ModuleType:
    """A stand-in for pycuda.driver."""
    made: Any = ModuleType("pycuda.driver")
    made.Error = DriverError

    def init() -> None:
        if failure is not None:
            raise DriverError(failure)

    made.init = init
    made.Device = type("Device", (), {"count": staticmethod(lambda: count)})
    return made  # type: ignore[no-any-return]


def importer(result: ModuleType | Exception) -> Any:
    def load(name: str) -> ModuleType:
        assert name == "pycuda.driver"
        if isinstance(result, Exception):
            raise result
        return result

    return load


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (ModuleNotFoundError("No module named 'pycuda'"), r"pip install 'lazir\[cuda\]'"),
        (ImportError("libcuda.so.1: cannot open"), "install the driver"),
        (driver(1, "cuInit failed: no device"), "driver does not start: cuInit failed"),
        (driver(0), "sees no NVIDIA GPU"),
    ],
)
def test_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, result: ModuleType | Exception, message: str
) -> None:
    monkeypatch.setattr(module.importlib, "import_module", importer(result))
    with pytest.raises(RuntimeError, match="device cuda:0 cannot be used: .*" + message):
        require(Device("cuda"))
    assert available() == (Device("cpu"),)


def test_gpus_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.importlib, "import_module", importer(driver(2)))
    assert available() == (Device("cpu"), Device("cuda", 0), Device("cuda", 1))
    require(Device("cuda", 1))
    with pytest.raises(RuntimeError, match="only 2 GPUs, cuda:0 to cuda:1"):
        require(Device("cuda", 2))


SCRIPT = """
import importlib, importlib.util, pkgutil, sys, types
bare = types.ModuleType("lazir")  # without what users import, which needs the compiler
bare.__path__ = list(importlib.util.find_spec("lazir").submodule_search_locations)
sys.modules["lazir"] = bare
import lazir.runtime as package
for module in pkgutil.iter_modules(package.__path__):
    importlib.import_module("lazir.runtime." + module.name)
heavy = ("pycuda", "networkx", "scipy", "lazir.compiler")
print([name for name in sys.modules if name.startswith(heavy)])
"""


def test_importing_the_runtime_imports_nothing_heavy(python: Callable[..., Any]) -> None:
    process = python(SCRIPT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "[]\n", "")
