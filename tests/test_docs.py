"""The pages' console examples, run as shown; generated pages are current; links lead somewhere.

A fence with `title="NAME"` is a file beside the commands that follow it. Of a command that shows
output, the output must be as shown (`...` stands for anything); the others must only succeed.
`>>>` examples are doctests: `make docs` runs them.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MEASURED = {"benchmarks.md", "command-line.md"}
"""Pages whose console examples show times, or belong to a file that only the page has."""
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)(?: title=\"([\w.]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
SETUP = ("pip ", "make ", "git ", "python -m venv")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Commands of a console block, each with the output shown."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines(keepends=True)
        count = 1
        while lines[count - 1].endswith("\\\n"):
            count += 1
        yield "".join(lines[:count]), "".join(lines[count:])


def environment(folder: Path) -> dict[str, str]:
    """This interpreter's commands first on the path; a disk cache of its own."""
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    own = {"PATH": path, "LAZIR_CACHE": str(folder / "cache"), "NO_COLOR": "1"}
    return {**os.environ, **own}


@pytest.mark.parametrize("page", [p for p in PAGES if p.name not in MEASURED], ids=name_of)
def test_console_examples(page: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    for kind, title, body in FENCE.findall(page.read_text()):
        if title:
            (work / title).write_text(body)
        if kind != "console":
            continue
        for command, shown in commands(body):
            if command.startswith(SETUP):
                continue
            if command.startswith("cc ") and not shutil.which("cc"):
                pytest.skip("no C compiler (cc) for the rest of this page")
            check_command(command, shown, work, tmp_path)


def check_command(command: str, shown: str, work: Path, folder: Path) -> None:
    done = subprocess.run(
        command, shell=True, cwd=work, env=environment(folder), text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100,
    )  # fmt: skip
    if not shown:
        assert done.returncode == 0, f"$ {command}{done.stdout}"
        return
    same = doctest.OutputChecker().check_output(shown, done.stdout, doctest.ELLIPSIS)
    assert same, f"$ {command}{done.stdout}\nbut the page shows\n{shown}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files(page: Path) -> None:
    text = re.sub(r"^```.*?^```$|`[^`\n]*`", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in LINK.findall(text):
        if not target.startswith(("http://", "https://", "#")):
            path = page.parent / target.split("#")[0]
            assert path.exists(), f"{name_of(page)} links to {target}"


def test_the_table_of_ops_is_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "make_reference.py"), "--check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_pages_of_names_are_current() -> None:
    """Every public name has a row, and rows of a seeded sample say what is found now."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "make_names.py"), "--check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_architecture_names_files_that_are_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    known = [str(p) for p in ROOT.rglob("*.py") if ".venv" not in str(p)]
    for name in set(re.findall(r"`([\w/]+\.py)`", text)):
        assert any(path.endswith("/" + name) for path in known), f"there is no {name}"


def test_every_page_is_in_the_navigation() -> None:
    listed = set(re.findall(r"[\w/.-]+\.md", (ROOT / "mkdocs.yml").read_text()))
    there = {str(p.relative_to(ROOT / "docs")) for p in (ROOT / "docs").rglob("*.md")}
    assert listed == there
