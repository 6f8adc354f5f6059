"""Devices by name.

Takes `"cpu"`, `"cuda"`, `"cuda:1"`. Gives `Device`, and whether one can be used here, with the
reason if not. Must not know: programs, arrays. PyCUDA is imported only when a GPU is asked about.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass

__all__ = ["Device", "available", "parse_device", "require"]


@dataclass(frozen=True, slots=True)
class Device:
    """A place where programs run. `kind` is `"cpu"` or `"cuda"`, `index` counts from 0."""

    kind: str
    index: int = 0

    def __str__(self) -> str:
        return "cpu" if self.kind == "cpu" else f"cuda:{self.index}"


def parse_device(name: str | Device) -> Device:
    """The device of that name. Raises ValueError, with the names there are, for any other text.

    >>> parse_device("cuda")
    Device(kind='cuda', index=0)
    """
    if isinstance(name, Device):
        return name
    if not isinstance(name, str):
        raise TypeError(f"a device is a name such as 'cpu' or 'cuda:0', not {name!r}")
    match = re.fullmatch(r"cpu|cuda(?::(\d{1,4}))?", name)
    if match is None:
        raise ValueError(f"unknown device {name!r}; there are 'cpu', 'cuda' and 'cuda:<number>'")
    return Device("cpu") if name == "cpu" else Device("cuda", int(match[1] or 0))


def available() -> tuple[Device, ...]:
    """The devices that can be used here, the CPU first."""
    count, _ = _cuda_state()
    return (Device("cpu"), *(Device("cuda", index) for index in range(count)))


def require(device: Device) -> None:
    """Raises RuntimeError, saying what is missing and how to get it, if it cannot be used here."""
    if device.kind == "cpu":
        return
    count, problem = _cuda_state()
    if problem is not None:
        raise RuntimeError(f"device {device} cannot be used: {problem}")
    if device.index >= count:
        raise RuntimeError(
            f"device {device} cannot be used: there {'is' if count == 1 else 'are'} only {count} "
            f"GPU{'' if count == 1 else 's'}, cuda:0 to cuda:{count - 1}"
        )


def _cuda_state() -> tuple[int, str | None]:
    """Number of GPUs, and what is missing if there is none."""
    try:
        driver = importlib.import_module("pycuda.driver")
    except ModuleNotFoundError:
        return 0, "PyCUDA is not installed; `pip install 'lazir[cuda]'`"
    except ImportError as error:
        return 0, f"PyCUDA cannot load NVIDIA's driver library: {error}; install the driver"
    try:
        driver.init()
        count = int(driver.Device.count())
    except driver.Error as error:
        return 0, f"NVIDIA's driver does not start: {error}"
    return (count, None) if count else (0, "the driver sees no NVIDIA GPU")
