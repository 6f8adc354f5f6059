"""Imports go one way and no file grows too long: the shape of the code base, checked.

Every import counts, those inside functions and under TYPE_CHECKING included.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {"frontend": "lazir", "compiler": "lazir.compiler", "runtime": "lazir.runtime"}
MAY_IMPORT = {
    "lazir": {"lazir", "lazir.compiler", "lazir.runtime"},
    "lazir.compiler": {"lazir.compiler", "lazir.runtime"},
    "lazir.runtime": {"lazir.runtime"},
}
MAX_LINES = 500


def source_files() -> dict[str, Path]:
    """Every module of the package by import name."""
    found = {}
    for folder, package in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            found[".".join((package, *parts))] = path
    return found


FILES = source_files()


def package_of(module: str) -> str:
    """Which of the three packages a module belongs to."""
    for package in ("lazir.compiler", "lazir.runtime"):
        if module == package or module.startswith(package + "."):
            return package
    return "lazir"


def imports_of(module: str) -> set[str]:
    """The modules of lazir that a module imports, anywhere in its text, as files."""
    path = FILES[module]
    is_package = path.name == "__init__.py"
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(a.name for a in node.names if a.name.split(".")[0] == "lazir")
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                parts = parts[: len(parts) - node.level + is_package]
                base = ".".join([*parts, *([base] if base else [])])
            if base.split(".")[0] == "lazir":
                for alias in node.names:
                    inner = f"{base}.{alias.name}"
                    found.add(inner if inner in FILES else base)
    return {name for name in found if name in FILES and name != module}


@pytest.mark.parametrize("module", FILES)
def test_imports_point_down(module: str) -> None:
    allowed = MAY_IMPORT[package_of(module)]
    wrong = sorted(name for name in imports_of(module) if package_of(name) not in allowed)
    assert not wrong, f"{module} must not import {wrong}"


def test_no_import_cycles() -> None:
    """Depth-first search over all imports, those inside functions included."""
    state: dict[str, int] = {}

    def visit(module: str, path: list[str]) -> None:
        if state.get(module) == 2:
            return
        assert state.get(module) != 1, " → ".join([*path[path.index(module) :], module])
        state[module] = 1
        for name in sorted(imports_of(module)):
            visit(name, [*path, module])
        state[module] = 2

    for module in FILES:
        visit(module, [])


@pytest.mark.parametrize("module", FILES)
def test_files_stay_small(module: str) -> None:
    lines = len(FILES[module].read_text().splitlines())
    assert lines <= MAX_LINES, f"{FILES[module].name} has {lines} lines; split it by idea"


def test_every_package_is_listed() -> None:
    listed = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    )
    there = {name for name, path in FILES.items() if path.name == "__init__.py"}
    assert listed == there


def test_nothing_generic_is_imported() -> None:
    """A user who imports lazir gets no top-level module called frontend, compiler or runtime."""
    code = "import sys, lazir; print([m for m in sys.modules if m.split('.')[0] in " + (
        "('frontend', 'compiler', 'runtime')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "docs"
    )
    assert done.stdout.strip() == "[]"
