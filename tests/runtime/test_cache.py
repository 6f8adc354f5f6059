"""The disk cache: round trips, damage, other processes, bad folders, bounds."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lazir.runtime import cache as module
from lazir.runtime.cache import CacheWarning, DiskCache, key, source_hash

A, B = key("a"), key("b")


@pytest.fixture(autouse=True)
def fresh_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_warned", set())


def entry_file(folder: Path) -> Path:
    (file,) = folder.glob("*.lzc")
    return file


def test_round_trip_across_instances(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "cache"
    cache = DiskCache(folder)
    assert cache.get(A) is None
    assert not folder.exists()
    for payload in (b"", b"code", bytes(range(256)) * 1000):
        cache.put(A, payload)
        assert cache.get(A) == payload == DiskCache(folder).get(A)
    assert cache.get(B) is None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.suffix for file in folder.iterdir()] == [".lzc"]
    cache.clear()
    assert cache.get(A) is None


def flip(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:5],
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: flip(data, 0),
        lambda data: flip(data, 20),
        lambda data: flip(data, len(data) - 1),
        lambda data: b"\x80\x04\x95" + data,
    ],
)
def test_damage_is_a_miss_with_one_warning(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    cache = DiskCache(tmp_path / "c")
    cache.put(A, b"machine code")
    file = entry_file(tmp_path / "c")
    file.write_bytes(damage(file.read_bytes()))
    with pytest.warns(CacheWarning, match="damaged entry was removed"):
        assert cache.get(A) is None
    assert not file.exists()
    cache.put(A, b"machine code")
    file.write_bytes(b"again")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cache.get(A) is None
    cache.put(A, b"machine code")
    assert cache.get(A) == b"machine code"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs Unix permissions")
def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    DiskCache(folder).put(A, b"code")
    for mode in (0o777, 0o770, 0o702):
        folder.chmod(mode)
        module._warned.clear()
        cache = DiskCache(folder)
        with pytest.warns(CacheWarning, match="chmod 700") as caught:
            assert cache.get(A) is None
            cache.put(B, b"code")
            assert DiskCache(folder).get(A) is None
        assert len(caught) == 1
    folder.chmod(0o755)
    assert DiskCache(folder).get(A) == b"code"
    assert DiskCache(folder).get(B) is None


def test_a_folder_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    DiskCache(tmp_path / "c").put(A, b"code")
    monkeypatch.setattr(os, "getuid", lambda: 12345, raising=False)
    with pytest.warns(CacheWarning, match="belongs to another user"):
        assert DiskCache(tmp_path / "c").get(A) is None


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        module._warned.clear()
        cache = DiskCache(folder)
        with pytest.warns(CacheWarning, match="no disk cache") as caught:
            cache.put(A, b"code")
            cache.put(B, b"code")
            assert cache.get(A) is None
        assert len(caught) == 1


@pytest.mark.parametrize("error", [OSError(28, "No space left"), PermissionError(13, "denied")])
def test_full_or_unwritable_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    cache = DiskCache(tmp_path / "c")
    cache.put(A, b"code")

    class Full:
        def __init__(self, handle: int) -> None:
            os.close(handle)

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def write(self, data: bytes) -> None:
            raise error

    monkeypatch.setattr(os, "fdopen", lambda handle, mode: Full(handle))
    with pytest.warns(CacheWarning, match="cannot write to the disk cache") as caught:
        cache.put(B, b"code")
        cache.put(B, b"code")
    assert len(caught) == 1
    assert len(list((tmp_path / "c").iterdir())) == 1
    assert cache.get(A) == b"code"


def test_unreadable_entry(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "c")
    (tmp_path / "c").mkdir(mode=0o700)
    (tmp_path / "c" / (A + ".lzc")).mkdir()
    with pytest.warns(CacheWarning, match="cannot read"):
        assert cache.get(A) is None


def test_size_bound_drops_the_least_recently_used(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "c", max_bytes=10_000)
    keys = [key(str(number)) for number in range(12)]
    now = time.time()
    for number, entry in enumerate(keys[:9]):
        cache.put(entry, bytes(1000))
        age = now - 100_000 + number
        os.utime(tmp_path / "c" / (entry + ".lzc"), (age, age))
    assert cache.get(keys[0]) is not None  # used again: now the youngest
    for entry in keys[9:]:
        cache.put(entry, bytes(1000))
    left = [cache.get(entry) is not None for entry in keys]
    assert left[0] and all(left[9:]) and not any(left[1:3])
    assert sum(file.stat().st_size for file in (tmp_path / "c").iterdir()) <= 10_000
    cache.put(B, bytes(20_000))
    assert cache.get(B) is None


def test_leftovers_of_dead_writers_go(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "c")
    cache.put(A, b"code")
    old, young = tmp_path / "c" / ".tmp-old", tmp_path / "c" / ".tmp-young"
    for file in (old, young):
        file.write_bytes(b"half")
    os.utime(old, (1, 1))
    DiskCache(tmp_path / "c").put(B, b"code")
    assert not old.exists() and young.exists()


SCRIPT = """
import sys, warnings
from lazir.runtime.cache import DiskCache, key
warnings.simplefilter("error")
cache = DiskCache(sys.argv[1], max_bytes=40_000)
for step in range(400):
    number = step % 23
    found = cache.get(key(str(number)))
    expected = str(number).encode() * 2000
    assert found in (None, expected), number
    cache.put(key(str(number)), expected)
print("fine")
"""


def test_processes_share_a_folder(tmp_path: Path, python: Callable[..., Any]) -> None:
    processes = [python(SCRIPT, str(tmp_path / "c")) for _ in range(3)]
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, "fine\n", "")


def test_where_the_folder_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAZIR_CACHE", str(tmp_path / "x"))
    assert module.default_folder() == DiskCache().folder == tmp_path / "x"
    for off in ("0", "off", "No", "false"):
        monkeypatch.setenv("LAZIR_CACHE", off)
        cache = DiskCache()
        assert cache.folder is None
    cache.put(A, b"code")
    cache.clear()
    assert cache.get(A) is None
    monkeypatch.delenv("LAZIR_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert module.default_folder() == tmp_path / "lazir"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert module.default_folder() == tmp_path / ".cache" / "lazir"


def test_keys() -> None:
    parts = [("a", "b"), ("ab",), ("a", "b", ""), ("", "ab"), (b"a", "b"), (b"ab",), ("1:a", "b")]
    assert len({key(*part) for part in parts}) == len(parts)
    assert key("a") == key("a")
    for bad in ("../../etc/passwd", "", "zz" * 20, "ABCDEF" * 4):
        with pytest.raises(ValueError, match="hex digest"):
            DiskCache("nowhere").get(bad)


def test_source_hash_sees_contents_and_names(tmp_path: Path) -> None:
    def build(name: str, files: dict[str, str]) -> str:
        for path, text in files.items():
            file = tmp_path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            os.utime(file, (1, 1))
        return source_hash(tmp_path / name)

    base = build("a", {"x.py": "1", "p/y.py": "2", "notes.txt": "n"})
    assert base == build("b", {"x.py": "1", "p/y.py": "2"})
    assert base != build("c", {"x.py": "1", "p/y.py": "3"})
    assert base != build("d", {"x.py": "1", "p/z.py": "2"})


def test_source_hash_is_remembered_until_a_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, store = tmp_path / "sources", DiskCache(tmp_path / "cache")
    folder.mkdir()
    file = folder / "a.py"
    file.write_text("x = 1")

    def hashed() -> str:
        source_hash.cache_clear()
        return source_hash(folder, store)

    first = hashed()
    assert not list((tmp_path / "cache").rglob("*.lzc")), "a file that just changed is read anew"
    monkeypatch.setattr(module, "_TICK_NS", -(10**18))
    assert hashed() == first
    assert len(list((tmp_path / "cache").rglob("*.lzc"))) == 1
    with monkeypatch.context() as patch:
        patch.setattr(module, "open", lambda *_, **__: pytest.fail("read"), raising=False)
        patch.setattr(DiskCache, "get", lambda *_: first.encode())
        assert hashed() == first
    stamp = file.stat()
    time.sleep(0.02)  # a tick of the file system's clock
    file.write_text("x = 2")
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # an edit that keeps its time stamp
    assert hashed() != first
