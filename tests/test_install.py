"""Installed as users install it: what wheel and sdist hold, a plain and an editable install.

Builds happen in a copy of the sources, installs in an environment of their own, programs run in
another folder. Skipped where no package index can be reached.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {"frontend": "lazir", "compiler": "lazir/compiler", "runtime": "lazir/runtime"}
SCRIPT = """
import sys
from pathlib import Path

import lazir as lz
import lazir.numpy as lnp

f = lz.compile(lz.grad(lambda x: lnp.sum(x * x)))
assert f(lnp.arange(3.0)).numpy().tolist() == [0.0, 2.0, 4.0]
generic = {"frontend", "compiler", "runtime"} & {name.split(".")[0] for name in sys.modules}
assert not generic, generic
print(Path(lz.__file__).parent)
"""

pytestmark = pytest.mark.slow


def clean_environment() -> dict[str, str]:
    """Without what would make other packages visible."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, env=clean_environment(), text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def source_files() -> set[str]:
    """All files of the three folders, as they should lie in an installed package."""
    return {
        str(PurePosixPath(package) / path.relative_to(ROOT / folder).as_posix())
        for folder, package in FOLDERS.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


class Installation:
    """An environment with the build tool, and a copy of the sources beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "source"
        self.bin = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        self.source.mkdir()
        for name in FOLDERS:
            shutil.copytree(ROOT / name, self.source / name, ignore=ignored)
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, self.source)
        run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)

    def pip(self, *arguments: str | Path) -> None:
        run(self.bin / "python", "-m", "pip", "install", "-q", *arguments, cwd=self.folder)

    def build(self, kind: str, source: Path) -> Path:
        """A wheel or an sdist of the sources; gives its path."""
        code = (
            "import sys; from setuptools import build_meta;"
            f"print(build_meta.build_{kind}(sys.argv[1]))"
        )
        out = self.folder / f"{kind}-of-{source.name}"
        out.mkdir()
        return out / run(self.bin / "python", "-c", code, out, cwd=source).split()[-1]

    def run_script(self) -> Path:
        """Run a program elsewhere; gives where the package came from."""
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        (elsewhere / "program.py").write_text(SCRIPT)
        return Path(run(self.bin / "python", "program.py", cwd=elsewhere).split()[-1])


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = Installation(tmp_path_factory.mktemp("install"))
    try:
        made.pip("setuptools>=77")
    except AssertionError as error:
        if "No matching distribution" in str(error):
            pytest.skip("no package index can be reached")
        raise
    return made


def test_wheel_and_sdist_hold_the_package_and_nothing_else(installation: Installation) -> None:
    wheel = installation.build("wheel", installation.source)
    held = set(zipfile.ZipFile(wheel).namelist())
    package = {name for name in held if ".dist-info/" not in name}
    assert package == source_files()
    assert "lazir/py.typed" in package
    shutil.unpack_archive(installation.build("sdist", installation.source), installation.folder)
    (unpacked,) = installation.folder.glob("lazir-*")
    again = installation.build("wheel", unpacked)
    assert set(zipfile.ZipFile(again).namelist()) == held


def test_plain_install_runs_elsewhere(installation: Installation) -> None:
    """The package comes with all that it needs, and the command `lazir` with it."""
    installation.pip(installation.source)
    place = installation.run_script()
    assert place.is_relative_to(installation.folder / "venv")
    (installation.folder / "f.py").write_text("def f(x):\n    return x + 1\n")
    command = installation.bin / "lazir"
    text = run(command, "dump", "f.py:f", "--arg", "f32[2]", cwd=installation.folder)
    assert "lz.add" in text


def test_editable_install_follows_the_sources(installation: Installation) -> None:
    installation.pip("--no-build-isolation", "-e", installation.source)
    assert installation.run_script() == installation.source / "frontend"
    with (installation.source / "runtime" / "__init__.py").open("a") as file:
        file.write("\nEDITED = True\n")
    code = "import lazir.runtime; print(lazir.runtime.EDITED)"
    assert run(installation.bin / "python", "-c", code, cwd=installation.folder).strip() == "True"
