"""Functions of the user's files: `FILE.py:FN`, loaded as Python would run the file.

Takes: a path and a name. Gives: the object of that name, what the file offers besides.
Must not know: commands. Nothing is written: no `.pyc`, also for modules that the file imports.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from ..compiled import CompiledFunction
from .problems import InputError, UsageError, suggestion


class Place(NamedTuple):
    """Where a function is: a file and a name in it, which may be empty."""

    file: str
    name: str


class Found(NamedTuple):
    """A function, its name, and the module that it was found in."""

    function: Callable[..., Any]
    name: str
    module: ModuleType


def split_place(text: str) -> Place:
    """`FILE.py:FN` taken apart.

    >>> split_place("models/mlp.py:Net.loss")
    Place(file='models/mlp.py', name='Net.loss')
    """
    file, colon, name = text.rpartition(":")
    if not colon or name.endswith(".py"):
        file, name = text, ""
    if not file.endswith(".py"):
        raise UsageError(f"{text!r} is neither FILE.py:FUNCTION, FILE.mlir nor - (standard input)")
    if name and not all(part.isidentifier() for part in name.split(".")):
        raise UsageError(f"{name!r} is no name of a function; write FILE.py:FUNCTION")
    return Place(file, name)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """While the body runs files may be loaded; what that changes here is undone after."""
    path, writing = list(sys.path), sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.path[:] = path
        sys.dont_write_bytecode = writing


def find(text: str) -> Found:
    """The function that `FILE.py:FN` names; without a name, the only one there is.

    What the file prints goes to stderr, so that stdout holds the command's text alone.
    """
    place = split_place(text)
    with contextlib.redirect_stdout(sys.stderr):
        module = load(place.file)
        name = place.name or _only_function(module, place.file)
        found = _resolve(module, place.file, name)
    if not callable(found):
        raise InputError(f"{name} in {place.file} is a {type(found).__name__}, no function")
    return Found(found, name, module)


def compiled_in(file: str) -> list[Found]:
    """All compiled functions of a file, methods included: of the file's objects, else of classes
    that can be made without arguments."""
    with contextlib.redirect_stdout(sys.stderr):
        module = load(file)
        names = [n for n in functions_of(module) if isinstance(vars(module)[n], CompiledFunction)]
        for owner, value in vars(module).items():
            if inspect.isclass(value) and value.__module__ == module.__name__:
                made = [n for n, v in vars(module).items() if type(v) is value]
                methods = [n for n, f in vars(value).items() if isinstance(f, CompiledFunction)]
                names += [f"{(made or [owner])[0]}.{method}" for method in methods]
        return [Found(_resolve(module, file, name), name, module) for name in names]


def load(file: str) -> ModuleType:
    """Run a file as a module; its folder comes first on `sys.path`."""
    path = Path(file)
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"there is no file {file}{_near_files(path)}") from None
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from None
    folder = os.path.abspath(path.parent)
    if sys.path[:1] != [folder]:
        sys.path.insert(0, folder)
    module = ModuleType(path.stem)
    module.__file__ = os.path.abspath(file)
    known = sys.modules.get(path.stem)
    if known is None or getattr(known, "__file__", None) == module.__file__:
        sys.modules[path.stem] = module
    try:
        exec(compile(text, file, "exec"), module.__dict__)
    except SystemExit as stop:
        raise InputError(
            f"{file} ends Python while it is loaded (exit code {stop.code}); keep that under "
            '`if __name__ == "__main__":`'
        ) from None
    return module


def functions_of(module: ModuleType) -> list[str]:
    """Names of the functions that the file itself defines, compiled ones first."""
    compiled, plain = [], []
    for name, value in vars(module).items():
        if isinstance(value, CompiledFunction):
            compiled.append(name)
        elif inspect.isfunction(value) and value.__module__ == module.__name__:
            plain.append(name)
    return compiled + [name for name in plain if not name.startswith("_")]


def _only_function(module: ModuleType, file: str) -> str:
    names = functions_of(module)
    compiled = [n for n in names if isinstance(getattr(module, n), CompiledFunction)]
    for choice in (compiled, names):
        if len(choice) == 1:
            return choice[0]
    if not names:
        raise InputError(f"{file} defines no function")
    raise UsageError(f"say which function: {', '.join(f'{file}:{n}' for n in names[:8])}")


def _resolve(module: ModuleType, file: str, name: str) -> Any:
    owner: Any = module
    value: Any = module
    for step in name.split("."):
        owner, value = value, getattr(value, step, _MISSING)
        if value is _MISSING:
            raise _unknown(owner, file, step)
    if inspect.isclass(owner) and not inspect.ismethod(value):
        static = inspect.getattr_static(owner, step)
        if not isinstance(static, staticmethod):
            return getattr(_instance(owner, file), step)
    return value


_MISSING = object()


def _unknown(owner: Any, file: str, name: str) -> InputError:
    if isinstance(owner, ModuleType):
        return InputError(f"{file} has no function {name!r}{suggestion(name, functions_of(owner))}")
    public = [n for n in dir(owner) if not n.startswith("_")]
    label = getattr(owner, "__name__", type(owner).__name__)
    return InputError(f"{label} in {file} has no {name!r}{suggestion(name, public)}")


def _instance(cls: type, file: str) -> Any:
    """An object to call a method on, where the class needs nothing to make one."""
    try:
        inspect.signature(cls).bind()
    except (TypeError, ValueError):
        raise InputError(
            f"{cls.__name__} in {file} needs arguments to be made; make one in the file, "
            f"`model = {cls.__name__}(…)`, and name that: {file}:model.METHOD"
        ) from None
    return cls()


def _near_files(path: Path) -> str:
    folder = path.parent
    names = sorted(p.name for p in folder.glob("*.py")) if folder.is_dir() else []
    return suggestion(path.name, names[:12])
