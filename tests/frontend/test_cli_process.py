"""The command as a process: exit codes, pipes, what it leaves behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).with_name("cli_layer.py")
LAZIR = [sys.executable, "-m", "lazir"]


def lazir(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Runs `python -m lazir`."""
    return subprocess.run([*LAZIR, *words], capture_output=True, text=True, **options)  # type: ignore[call-overload,no-any-return]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(FILE, tmp_path / "net.py")
    (tmp_path / "beside.py").write_text("size = 3\n")
    (tmp_path / "user.py").write_text(
        "from beside import size\ndef f(x: f'f32[{size}]'):\n    return x * size\n"
    )
    return tmp_path


def test_exit_codes(folder: Path) -> None:
    assert lazir("dump", "net.py:layer", cwd=folder).returncode == 0
    assert lazir("dump", "net.py:crashes", cwd=folder).returncode == 1
    assert lazir("dump", "net.py:layer", "--stage", "x", cwd=folder).returncode == 2
    assert lazir().returncode == 2


def test_a_file_finds_its_neighbours_and_nothing_is_left_behind(folder: Path) -> None:
    done = lazir("dump", f"{folder.name}/user.py:f", cwd=folder.parent)
    assert done.returncode == 0 and "%x: tensor<3xf32>" in done.stdout, done.stderr
    assert sorted(p.name for p in folder.iterdir()) == ["beside.py", "net.py", "user.py"]


def test_text_goes_through_pipes(folder: Path) -> None:
    graph = lazir("dump", "net.py:layer", cwd=folder).stdout
    kernels = lazir("opt", "-", "--to", "kernels", input=graph)
    assert kernels.returncode == 0, kernels.stderr
    target = ["--target", "x86-64-v3"]
    llvm = lazir("dump", "-", "--stage", "llvm", *target, input=kernels.stdout).stdout
    direct = lazir("dump", "net.py:layer", "--stage", "llvm", *target, cwd=folder).stdout
    assert llvm == direct != ""
    assert "<stdin>:1:" in lazir("opt", "-", input="nonsense").stderr


def test_a_reader_that_has_enough_is_no_error(folder: Path) -> None:
    """The text is far longer than what a pipe holds."""
    source = "def f(x: 'f32[3]'):\n" + "    x = x * 2 + 1\n" * 1500 + "    return x\n"
    (folder / "long.py").write_text(source)
    with subprocess.Popen(
        [*LAZIR, "dump", "long.py"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith(b"func.func @f")
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_the_installed_command_and_no_colour_in_a_pipe(folder: Path) -> None:
    command = Path(sys.executable).with_name("lazir")
    if not command.exists():
        pytest.skip("lazir is not installed beside this Python")
    done = subprocess.run(
        [command, "dump", "net.py:layer", "--op", "maximum"],
        capture_output=True, text=True, cwd=folder, env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.startswith('  %5 = "lz.maximum"(%2, %4)')


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
def test_colour_on_a_terminal_unless_no_color_is_set(folder: Path) -> None:
    pytest.importorskip("pygments")
    import pty

    def output(**environment: str) -> bytes:
        main, side = pty.openpty()
        kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
        words = [*LAZIR, "dump", "net.py:layer", "--op", "maximum"]
        subprocess.run(
            words, cwd=folder, stdout=side, stderr=subprocess.DEVNULL, check=True,
            env={**kept, "TERM": "xterm", **environment},
        )  # fmt: skip
        os.close(side)
        found = os.read(main, 65536)
        os.close(main)
        return found

    assert b"\x1b[" in output()
    assert b"\x1b[" not in output(NO_COLOR="1")
    assert b"\x1b[" not in output(TERM="dumb")
