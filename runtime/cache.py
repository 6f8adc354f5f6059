"""The disk cache: bytes under keys, shared by all processes of one user.

Takes keys (hex digests) and bytes. Gives the bytes back, or None; it never raises for what the
disk does. Must not know: what the bytes are. Nothing read from disk is ever unpickled.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import stat
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import Final

from .forks import INNERMOST, hold_in_forks

__all__ = ["CacheWarning", "DiskCache", "default_folder", "key", "source_hash"]

_MAGIC: Final = b"lazir-cache-1\n"
_DIGEST_BYTES: Final = 32
_SUFFIX: Final = ".lzc"
_TEMPORARY: Final = ".tmp-"

#: A used entry's time stamp is renewed only when older than this, so that a hit writes nothing.
_TOUCH_SECONDS: Final = 3600.0
#: Leftovers of writers that died are removed after this time.
_STALE_SECONDS: Final = 3600.0
#: File systems keep times in steps of at most 2 s (FAT); most in steps of a few milliseconds.
_TICK_NS: Final = 3 * 10**9
#: Pruning removes down to this share of the bound, so that it is rare.
_PRUNE_TO: Final = 0.8


class CacheWarning(RuntimeWarning):
    """Something is wrong with the disk cache; work goes on without it."""


_warned: set[str] = set()
_warned_lock = threading.Lock()


def _warn_once(kind: str, message: str) -> None:
    """At most one warning of each kind per process."""
    with _warned_lock:
        if kind in _warned:
            return
        _warned.add(kind)
    warnings.warn(message, CacheWarning, stacklevel=4)


def default_folder() -> Path | None:
    """`LAZIR_CACHE`, else `$XDG_CACHE_HOME/lazir`, else `~/.cache/lazir`.

    None for LAZIR_CACHE=0 (or off), and where there is no home folder.
    """
    chosen = os.environ.get("LAZIR_CACHE", "").strip()
    if chosen.lower() in ("0", "off", "no", "false"):
        return None
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):  # the XDG base directory rules: a relative path is to be ignored
        return Path(base) / "lazir"
    try:
        return Path.home() / ".cache" / "lazir"
    except RuntimeError:
        return None


def key(*parts: str | bytes) -> str:
    """A cache key: the SHA-256 of the parts, each with its length, so that no two lists collide.

    >>> key("a", "bc") != key("ab", "c")
    True
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(f"{'s' if isinstance(part, str) else 'b'}{len(data)}:".encode())
        digest.update(data)
    return digest.hexdigest()


@functools.cache
def source_hash(folder: Path, store: DiskCache | None = None) -> str:
    """SHA-256 of the names and contents of all `.py` files under `folder`; once per process.

    Reading 190 files costs 3 ms in a fresh process, so `store` remembers the hash under what the
    file system says of the files: sizes, inodes, times of the last change. An edit that keeps a
    time stamp (a checkout, an unpacked archive) still changes the time that the system keeps for
    itself (`st_ctime`). Files changed in the last seconds are read, because a second change may
    fall on the same tick of the clock.
    """
    files = _python_files(os.fspath(folder))
    newest = max((status.st_ctime_ns for _, status in files), default=0)
    settled = store is not None and time.time_ns() - newest > _TICK_NS
    entry = key("sources", "\n".join(f"{name}:{_identity(status)}" for name, status in files))
    if store is not None and settled:
        found = store.get(entry)
        if found is not None:
            return found.decode("ascii")
    digest = hashlib.sha256()
    for name, _ in files:
        with open(os.path.join(folder, name), "rb", buffering=0) as file:
            data = file.read()
        digest.update(f"{name.replace(os.sep, '/')}:{len(data)}:".encode())
        digest.update(data)
    if store is not None and settled:
        store.put(entry, digest.hexdigest().encode("ascii"))
    return digest.hexdigest()


def _identity(status: os.stat_result) -> str:
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_ctime_ns}"


def _python_files(folder: str, prefix: str = "") -> list[tuple[str, os.stat_result]]:
    """Names relative to the first folder, with what the file system says of each; sorted."""
    found: list[tuple[str, os.stat_result]] = []
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            found.extend(_python_files(entry.path, f"{prefix}{entry.name}{os.sep}"))
        elif entry.name.endswith(".py"):
            found.append((prefix + entry.name, entry.stat()))
    return sorted(found, key=lambda named: named[0])


class DiskCache:
    """A folder of entries, each one file: magic line, SHA-256, payload.

    `folder`: None means `default_folder()`; a cache without folder holds nothing. The folder is
    made with mode 0700; one that belongs to somebody else or that others may write to is refused,
    because it holds code that will run. `max_bytes` bounds its size: the least recently used
    entries go first. Any number of threads and processes may use one folder.
    """

    def __init__(self, folder: Path | str | None = None, *, max_bytes: int = 1 << 30) -> None:
        self._folder = default_folder() if folder is None else Path(folder)
        self._max_bytes = max_bytes
        self._size: int | None = None  # bytes in the folder as far as this process knows
        self._ready: bool | None = None  # None: the folder was not looked at yet
        self._lock = threading.Lock()
        hold_in_forks(self._lock, INNERMOST)

    @property
    def folder(self) -> Path | None:
        """Where the entries are; None if the cache is off."""
        return self._folder

    def get(self, entry: str) -> bytes | None:
        """The bytes under key `entry`, or None. A damaged entry is removed and counts as absent."""
        path = self._path(entry)
        if path is None or not self._usable(create=False):
            return None
        try:
            data = path.read_bytes()
            payload = _unwrap(data)
            if payload is None:
                path.unlink(missing_ok=True)
            elif time.time() - path.stat().st_mtime > _TOUCH_SECONDS:
                os.utime(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            _warn_once("read", f"cannot read the disk cache {self._folder}: {error}")
            return None
        if payload is None:
            _warn_once(
                "corrupt",
                f"a damaged entry was removed from the disk cache {self._folder}; "
                "what it held will be compiled again",
            )
        return payload

    def put(self, entry: str, payload: bytes) -> None:
        """Store `payload` under key `entry`: readers see the whole new entry or the old state."""
        path = self._path(entry)
        if path is None or not self._usable(create=True):
            return
        data = _MAGIC + hashlib.sha256(payload).digest() + payload
        if len(data) > self._max_bytes:
            return
        try:
            self._write(path, data)
            self._account(len(data))
        except OSError as error:
            _warn_once(
                "write",
                f"cannot write to the disk cache {self._folder}: {error}; going on without it "
                "(LAZIR_CACHE=<folder> moves it, LAZIR_CACHE=0 switches it off)",
            )

    def clear(self) -> None:
        """Remove every entry."""
        if self._folder is None or not self._usable(create=False):
            return
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                if path.name.endswith(_SUFFIX):
                    path.unlink(missing_ok=True)
        self._size = None

    def _path(self, entry: str) -> Path | None:
        if not re.fullmatch(r"[0-9a-f]{16,128}", entry):
            raise ValueError(f"a cache key is a hex digest (see `key`), not {entry!r}")
        return None if self._folder is None else self._folder / (entry + _SUFFIX)

    def _usable(self, *, create: bool) -> bool:
        if self._ready is None or (create and not self._ready):
            self._ready = self._inspect(create)
        return bool(self._ready)

    def _inspect(self, create: bool) -> bool | None:
        """True: use it. False: refused. None: not there yet."""
        assert self._folder is not None
        try:
            if create:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = self._folder.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            _warn_once("folder", f"no disk cache: {error}; set LAZIR_CACHE to a writable folder")
            return False
        if not stat.S_ISDIR(status.st_mode):
            _warn_once("folder", f"no disk cache: {self._folder} is not a folder")
            return False
        if hasattr(os, "getuid"):
            if status.st_uid != os.getuid():
                _warn_once("owner", f"no disk cache: {self._folder} belongs to another user")
                return False
            if status.st_mode & 0o022:
                _warn_once(
                    "mode",
                    f"no disk cache: others may write to {self._folder}, and it would hold code "
                    f"that runs as you; `chmod 700 {self._folder}` mends it",
                )
                return False
        return True

    def _write(self, path: Path, data: bytes) -> None:
        handle, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise

    def _account(self, added: int) -> None:
        """Keep the folder within its bound. The size is only estimated between two prunings."""
        with self._lock:
            if self._size is None:
                self._size = self._prune()
            else:
                self._size += added
                if self._size > self._max_bytes:
                    self._size = self._prune()

    def _prune(self) -> int:
        """Drop the oldest entries if there is too much. Returns the bytes that stay."""
        assert self._folder is not None
        found = []
        now = time.time()
        for item in os.scandir(self._folder):
            try:
                status = item.stat(follow_symlinks=False)
                if item.name.endswith(_SUFFIX):
                    found.append((status.st_mtime_ns, status.st_size, item.path))
                elif item.name.startswith(_TEMPORARY) and now - status.st_mtime > _STALE_SECONDS:
                    os.unlink(item.path)
            except FileNotFoundError:  # another process was faster
                continue
        total = sum(size for _, size, _ in found)
        if total > self._max_bytes:
            for _, size, name in sorted(found):
                if total <= self._max_bytes * _PRUNE_TO:
                    break
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name)
                total -= size
        return total


def _unwrap(data: bytes) -> bytes | None:
    """The payload of a whole, undamaged entry, else None."""
    start = len(_MAGIC) + _DIGEST_BYTES
    if len(data) < start or not data.startswith(_MAGIC):
        return None
    payload = data[start:]
    digest = data[len(_MAGIC) : start]
    return payload if hashlib.sha256(payload).digest() == digest else None
