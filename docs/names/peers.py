"""Writes docs/names/peers.json, the public names of NumPy, JAX and PyTorch, from those installed.

    python docs/names/peers.py      # where a peer is not installed, its names stay as they were

Takes nothing. Gives: the file, with the versions. Must not know: lazir.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "peers.json"
MODULES = {
    "numpy": ["numpy", "numpy.linalg", "numpy.fft", "numpy.random", "numpy.ndarray"],
    "jax": [
        "jax", "jax.numpy", "jax.numpy.linalg", "jax.numpy.fft", "jax.lax", "jax.scipy.special",
        "jax.random", "jax.nn", "jax.tree", "jax.debug", "jax.Array",
    ],
    "torch": [
        "torch", "torch.linalg", "torch.fft", "torch.special", "torch.nn",
        "torch.nn.functional", "torch.optim", "torch.func", "torch.Tensor",
    ],
}  # fmt: skip


def names(path: str) -> list[str]:
    """The public names of a module or class."""
    try:
        found: Any = importlib.import_module(path)
    except ImportError:
        module, name = path.rsplit(".", 1)
        found = getattr(importlib.import_module(module), name)
    return sorted(n for n in dir(found) if not n.startswith("_"))


def main() -> None:
    known = json.loads(FILE.read_text()) if FILE.exists() else {"versions": {}, "names": {}}
    for peer, modules in MODULES.items():
        try:
            version = importlib.import_module(peer).__version__
        except ImportError:
            continue
        known["versions"][peer] = version.split("+")[0]
        known["names"] |= {path: " ".join(names(path)) for path in modules}
    FILE.write_text(json.dumps(known, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
