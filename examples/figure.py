"""Pictures of the examples: PNG files in the folder `figures/`, where matplotlib is installed.

Takes: a name and a function that draws. Gives: the file's path, or None without matplotlib.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any


def save(name: str, draw: Callable[[Any], None], size: tuple[float, float] = (7, 4)) -> Path | None:
    """Call `draw(axes)` on an empty picture and write it to `figures/<name>.png`."""
    try:
        matplotlib = importlib.import_module("matplotlib")
    except ImportError:
        print("no picture: matplotlib is not installed (pip install matplotlib)")
        return None
    matplotlib.use("agg")
    pyplot = importlib.import_module("matplotlib.pyplot")
    figure, axes = pyplot.subplots(figsize=size)
    draw(axes)
    figure.tight_layout()
    path = Path("figures") / f"{name}.png"
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
    print(f"picture    {path}")
    return path
