"""Which file schedules a kernel of which kind, for CPUs.

Takes: a kernel's kind. Gives: the function that schedules it. Must not know: what schedules do.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from ..kernel import Kernel
from ..mlir.ir import Module
from ..target import Target
from .scheduled import Scheduled

Schedule = Callable[[Kernel, Target, Module, str], Scheduled]
SCHEDULES: dict[str, str] = {
    "map": "map",
    "reduce": "column",
    "row": "row",
    "contract": "contract",
    "scatter": "scatter",
    "cumulate": "cumulate",
    "sort": "sort",
}
"""The file with `schedule_KIND` for each kind of kernel. It is loaded when such a kernel occurs:
all of them are half of what a first compilation loads."""


def schedule_of(kind: str) -> Schedule:
    """The `schedule_KIND` of a kind."""
    module = importlib.import_module(f".{SCHEDULES[kind]}", __package__)
    found: Schedule = getattr(module, f"schedule_{kind}")
    return found
