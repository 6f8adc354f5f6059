"""Values for arguments: read from files, or drawn at random from a seed.

Takes: paths of `.npy` and `.npz` files, trees of specs. Gives: trees of arrays.
Must not know: functions, programs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lazir.compiler.ops.source import bf16_bits
from lazir.compiler.types import DType, bf16

from .. import tree
from ..handle import array_and_dtype, wrap_array
from ..signature import Spec
from .arguments import show
from .problems import InputError, suggestion

Array = np.ndarray[Any, Any]


class Item(NamedTuple):
    """An array from a file; `name` is its key in an `.npz`, empty where it goes by position."""

    name: str
    array: Array
    origin: str


def read_inputs(paths: Sequence[str]) -> list[Item]:
    """The arrays of all files, in order. Keys `arr_0`, `arr_1`… go by position."""
    found: list[Item] = []
    for path in paths:
        try:
            loaded = np.load(path, allow_pickle=False)
        except FileNotFoundError:
            raise InputError(f"there is no file {path}") from None
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{path} is no .npy or .npz file of numbers: {error}") from None
        if isinstance(loaded, np.ndarray):
            found.append(Item("", loaded, path))
            continue
        with loaded:
            for key in loaded.files:
                name = "" if key.startswith("arr_") and key[4:].isdecimal() else key
                found.append(Item(name, loaded[key], f"{path}:{key}"))
    return found


def draw(spec: Spec, generator: np.random.Generator) -> Any:
    """A value for a spec: floats standard normal, integers 0 to 9, bools either."""
    dtype, shape = spec.dtype, spec.shape
    if dtype.is_bool:
        return np.asarray(generator.integers(0, 2, shape)).astype(bool)
    if dtype.is_integer:
        return np.asarray(generator.integers(0, 10, shape)).astype(dtype.numpy)
    values = np.asarray(generator.standard_normal(shape))
    if dtype.is_complex:
        values = values + 1j * generator.standard_normal(shape)
    return stored(values, dtype)


def stored(values: Array, dtype: DType) -> Any:
    """An array of the element type; bf16, which NumPy has not, as a Tensor."""
    if dtype is bf16:
        return wrap_array(bf16_bits(values.astype(np.float32)), bf16)
    return np.asarray(values).astype(dtype.numpy)


def fill(args: Any, names: Sequence[str], items: Sequence[Item], seed: int | None) -> Any:
    """The tree with its specs replaced: by name, then by position, then (with a seed) at random.

    `names` are those of the leaves. InputError where an array fits no place, or a place gets none.
    """
    leaves, structure = tree.flatten(args)
    places = [k for k, leaf in enumerate(leaves) if isinstance(leaf, Spec)]
    chosen = _assign([names[k] for k in places], items)
    generator = np.random.default_rng(seed)
    for k in places:
        item = chosen.get(names[k])
        if item is not None:
            leaves[k] = _fitting(item, leaves[k], names[k])
        elif seed is not None:
            leaves[k] = draw(leaves[k], generator)
        else:
            raise InputError(
                f"no value for {names[k]}: {show(leaves[k])}; give --input FILE.npy, or --random"
            )
    return tree.unflatten(structure, leaves)


def _assign(names: Sequence[str], items: Sequence[Item]) -> dict[str, Item]:
    """Which array goes where."""
    chosen: dict[str, Item] = {}
    for item in items:
        if item.name:
            if item.name not in names:
                hint = suggestion(item.name, names)
                raise InputError(f"{item.origin}: there is no argument {item.name!r}{hint}")
            chosen[item.name] = item
    free = [name for name in names if name not in chosen]
    plain = [item for item in items if not item.name]
    if len(plain) > len(free):
        raise InputError(
            f"{plain[len(free)].origin} has no argument left to fill: there "
            f"{'is' if len(names) == 1 else 'are'} {', '.join(names) or 'none'}"
        )
    chosen.update(zip(free, plain))
    return chosen


def _fitting(item: Item, spec: Spec, name: str) -> Any:
    array, dtype = array_and_dtype(item.array)
    if array.shape != spec.shape:
        raise InputError(
            f"{item.origin} is {dtype}[{','.join(map(str, array.shape))}], "
            f"but {name} is {show(spec)}"
        )
    if dtype is spec.dtype:
        return array
    if spec.dtype is bf16 and dtype.is_float:
        return stored(array, bf16)
    raise InputError(
        f"{item.origin} is of {dtype}, but {name} is of {spec.dtype}; "
        f"convert it with array.astype('{spec.dtype.numpy_name}')"
    )


def save(path: str, results: Sequence[tuple[str, Array]]) -> None:
    """Results into an `.npz` under their names, or a single one into an `.npy`."""
    kind = Path(path).suffix
    try:
        if kind == ".npy" and len(results) == 1:
            np.save(path, results[0][1])
        elif kind == ".npz":
            held: dict[str, Any] = dict(results)
            np.savez(path, **held)
        else:
            raise InputError(
                f"--output {path}: {len(results)} results go into an .npz file"
                + (", or an .npy" if len(results) == 1 else "")
            )
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None
