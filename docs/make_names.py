"""Writes docs/reference/names*.md: every public name, what it takes and can do, who else has it.

    python docs/make_names.py            # writes the pages
    python docs/make_names.py --check    # exit code 1 where a name has no row, or a row no name

Takes nothing. Gives: the pages. Must not know: any particular name; `names/` finds the facts.
"""

from __future__ import annotations

import inspect
import json
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent / "names"))

from modules import HOLDERS, called
from probe import Facts, facts
from samples import Call

import lazir as lz
from lazir.compiler.types import DType

FOLDER = Path(__file__).parent / "reference"
PEERS = json.loads((Path(__file__).parent / "names" / "peers.json").read_text(encoding="utf-8"))
KNOWN = {path: set(names.split()) for path, names in PEERS["names"].items()}
_PEERS = zip(("NumPy", "JAX", "PyTorch"), PEERS["versions"].values())
VERSIONS = ", ".join(f"{name} {version}" for name, version in _PEERS)
HEAD = f"""\
# {{title}}

Made by `python docs/make_names.py`, which traces each function on sample arguments and looks what
works. *Takes*: kinds of element type of the tensors (float, int, bool, complex; a dash: no
tensors); *not traced*: it must see values, so it works outside of compiled functions only. *jvp*,
*vjp*, *vmap*: forward and reverse derivatives and batching; a dash where there is nothing to
differentiate. *CPU*, *GPU*: whether loops for the CPU, or CUDA kernels as text, can be made of the
sample. Classes of lazir.nn: of a module called with sample inputs, parameters fixed (of tables: by
their elements). *function*: it takes functions or files, and has no row of its own.
Distributions are traced by their logarithmic densities. Peers: {VERSIONS}.
"""
COLUMNS = "| name | takes | jvp | vjp | vmap | CPU | GPU | NumPy | JAX | PyTorch |\n"
COLUMNS += "|---" * 10 + "|"


class Section(NamedTuple):
    """A module (or class), and where each peer has such names; the first that has it is shown."""

    path: str
    numpy: tuple[str, ...] = ()
    jax: tuple[str, ...] = ()
    torch: tuple[str, ...] = ()


_TORCH = ("torch", "torch.special", "torch.linalg", "torch.nn.functional")
PAGES: dict[str, tuple[str, list[Section]]] = {
    "names.md": ("All names: lazir and small modules", [
        Section("lazir", ("numpy",), ("jax", "jax.lax", "jax.numpy"), ("torch", "torch.func")),
        Section("lazir.linalg", ("numpy.linalg",), ("jax.numpy.linalg",), ("torch.linalg",)),
        Section("lazir.fft", ("numpy.fft",), ("jax.numpy.fft",), ("torch.fft",)),
        Section("lazir.special", (), ("jax.scipy.special",), ("torch.special", "torch")),
        Section("lazir.random", ("numpy.random",), ("jax.random",), ("torch",)),
        Section("lazir.optim", (), (), ("torch.optim",)),
        Section("lazir.tree", (), ("jax.tree",), ()),
        Section("lazir.debug", (), ("jax.debug",), ()),
        Section("lazir.ops", (), ("jax.ops",), ()),
        Section("lazir.flatten_util", (), ("jax.flatten_util",), ()),
        Section("lazir.scipy.stats", (), ("jax.scipy.stats",), ()),
        Section("lazir.scipy.signal", (), ("jax.scipy.signal",), ()),
        Section("lazir.scipy.ndimage", (), ("jax.scipy.ndimage",), ()),
        Section("lazir.scipy.sparse.linalg", (), ("jax.scipy.sparse.linalg",), ()),
        Section("lazir.scipy.integrate", (), ("jax.scipy.integrate", "jax.experimental.ode"), ()),
        Section("lazir.scipy.interpolate", (), ("jax.scipy.interpolate",), ()),
    ]),
    "names-numpy.md": ("All names: lazir.numpy", [
        Section("lazir.numpy", ("numpy",), ("jax.numpy", "jax.lax", "jax.scipy.special"), _TORCH),
    ]),
    "names-lax.md": ("All names: lazir.lax", [
        Section("lazir.lax", ("numpy",), ("jax.lax",), _TORCH),
    ]),
    "names-nn.md": ("All names: lazir.nn", [
        Section("lazir.nn", (), ("jax.nn",), ("torch.nn",)),
        Section("lazir.nn.functional", (), ("jax.nn",), ("torch.nn.functional", "torch")),
    ]),
    "names-tensor.md": ("All names: methods of Tensor", [
        Section("lazir.Tensor", ("numpy.ndarray",), ("jax.Array",), ("torch.Tensor",)),
    ]),
}  # fmt: skip


def owner(path: str) -> Any:
    """The module or class that a section is about."""
    found: Any = lz
    for part in path.split(".")[1:]:
        found = getattr(found, part)
    return found


def public(path: str) -> list[str]:
    """The public names of a section, in order."""
    where = owner(path)
    return sorted(getattr(where, "__all__", None) or (n for n in dir(where) if n[0] != "_"))


def kind(value: Any) -> str | None:
    """What a name is that is no function of tensors; None for those that are."""
    if isinstance(value, DType):
        return "element type"
    if isinstance(value, ModuleType):
        return "module"
    if isinstance(value, type):
        return "class" if not issubclass(value, BaseException) else "error"
    if isinstance(value, property) or not callable(value):
        return "property" if hasattr(value, "__get__") else "constant"
    return None


_found: dict[int, Facts | None] = {}


def facts_of(name: str, value: Any) -> Facts | None:
    """The facts of a function, or of a class's modules, once for all names that it has."""
    if id(value) not in _found:
        if isinstance(value, type):
            function, inputs = called(value.__name__)
            _found[id(value)] = facts(name, function, [Call(inputs, {})])
        else:
            _found[id(value)] = facts(name, value)
    return _found[id(value)]


def computes(value: Any) -> bool:
    """Whether a name is a class of modules that do something."""
    layer = isinstance(value, type) and issubclass(value, lz.nn.Module)
    return layer and value.__name__ not in HOLDERS


def peer(name: str, modules: tuple[str, ...]) -> str:
    """Where the peer has the name, or nothing."""
    return next((f"`{m}.{name}`" for m in modules if name in KNOWN[m]), "")


def row(section: Section, name: str) -> str:
    """One line of the table."""
    value = inspect.getattr_static(owner(section.path), name)
    value = value.__func__ if isinstance(value, staticmethod | classmethod) else value
    if section.path == "lazir.scipy.stats":  # distributions
        value = getattr(value, "logpdf", None) or getattr(value, "logpmf", value)
    what = kind(value)
    found = None if what and not computes(value) else facts_of(f"{section.path}.{name}", value)
    cells = [f"*{what or 'function'}*", *["–"] * 5] if found is None else list(found)
    peers = [peer(name, modules) for modules in section[1:]]
    return "| " + " | ".join([f"`{name}`", *cells, *peers]) + " |"


def page(title: str, sections: list[Section]) -> str:
    """The text of one page."""
    parts = [HEAD.format(title=title)]
    for section in sections:
        rows = [row(section, name) for name in public(section.path)]
        parts.append(f"## {section.path}\n\n{COLUMNS}\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def problems(count: int, seed: int) -> list[str]:
    """Names without a row, rows without a name, and rows of a seeded sample that say other than
    what is found now.
    """
    wrong: list[str] = []
    every: list[tuple[Section, str, str]] = []
    for file, (_, sections) in PAGES.items():
        text = (FOLDER / file).read_text(encoding="utf-8")
        for section, part in zip(sections, text.split("\n## ")[1:], strict=True):
            rows = {r.split("`")[1]: r for r in part.splitlines() if r.startswith("| `")}
            names = public(section.path)
            wrong += [f"{section.path}.{n} has no row" for n in names if n not in rows]
            wrong += [f"{section.path}.{n} is no public name" for n in rows if n not in names]
            every += [(section, n, rows[n]) for n in names if n in rows]
    for section, name, line in random.Random(seed).sample(every, count):
        now = row(section, name)
        if computes(getattr(owner(section.path), name)) and "*class*" in line:
            wrong.append(f"{section.path}.{name} needs a sample in docs/names/modules.py")
        if now != line:
            wrong.append(f"the row of {section.path}.{name} is now\n  {now}\nand was\n  {line}")
    return wrong


def main(arguments: list[str]) -> int:
    if "--check" in arguments:
        wrong = problems(40, 0)
        print("\n".join([*wrong, "run python docs/make_names.py"] if wrong else []), end="")
        return bool(wrong)
    for file, (title, sections) in PAGES.items():
        (FOLDER / file).write_text(page(title, sections), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
