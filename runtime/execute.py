"""Loaded programs, ready to be called.

Takes a `Program` and the arrays that it binds. Gives two ways to call it: `call_fast`, a builtin
for arguments that fit exactly, and `call`, which converts layouts, writes into given arrays and
explains what is wrong. Must not know: how the program came about.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from .abi import WORKSPACE_ALIGNMENT
from .buffers import allocator
from .entry import CallTable, EntrySpec
from .host import host
from .jit import LoadedCode
from .library import library_addresses
from .native import native
from .program import ArraySpec, Program

__all__ = ["MISFIT", "LoadedProgram", "array_at"]

#: What `call_fast` returns, with no exception set, when an argument does not fit exactly.
MISFIT = NotImplemented

Array = np.ndarray[Any, np.dtype[Any]]


class LoadedProgram:
    """A CPU program in this process; its code is unloaded when nothing refers to it any more.

    `constants` are bound to the last inputs (an array that is not dense is copied, others are
    referred to: who binds an array must not change it). `scalars`, `callbacks`: see `EntrySpec`.
    Several threads may call one program at the same time.

    Raises ValueError for constants of the wrong type, RuntimeError for code that this machine
    cannot run, LibraryError where it calls LAPACK and SciPy is not installed.

    `call_fast(*arguments)` is a builtin function: the result array (a tuple if the program has
    several or none), or `NotImplemented`; see `entry`. Results are new arrays.
    """

    def __init__(
        self,
        program: Program,
        constants: Sequence[Array] = (),
        *,
        scalars: Collection[int] = (),
        callbacks: Sequence[Callable[[int], object]] = (),
    ) -> None:
        _check_runs_here(program)
        self.program = program
        self._arguments = len(program.inputs) - len(constants)
        if self._arguments < 0:
            raise ValueError(
                f"{program.name} has {len(program.inputs)} inputs, not {len(constants)} to bind"
            )
        self._constants = tuple(
            self._dense(self._arguments + index, array) for index, array in enumerate(constants)
        )
        imports = library_addresses(program.imports, program.name)
        code = LoadedCode(program.object_code, (program.entry,), imports)
        self._spec = EntrySpec(
            name=program.name,
            address=code.address(program.entry),
            inputs=program.inputs,
            outputs=program.outputs,
            constants=self._constants,
            workspace_bytes=program.workspace_bytes,
            release_gil=program.release_gil,
            scalars=frozenset(scalars),
            callbacks=tuple(callbacks),
            keep=code,
        )
        self._table = CallTable(self._spec)
        self._new_outputs = tuple(allocator(spec) for spec in program.outputs)
        room = program.workspace_bytes + WORKSPACE_ALIGNMENT
        self._new_workspace = allocator(ArraySpec("uint8", (room,)))
        self._aliases = dict(program.aliases)
        self.call_fast: Callable[..., Any] = self._table.builtin()

    def fast_donating(self, donate: Collection[int]) -> Callable[..., Any]:
        """Like `call_fast`, but the arguments numbered in `donate` are given away.

        Where the program has an alias for such an argument and the types agree, the result *is*
        that array, overwritten; the caller must own it alone. Arguments without an alias are just
        read. Prepare once, call often.
        """
        program = self.program
        aliases = tuple(
            (output, argument)
            for output, argument in program.aliases
            if argument in donate
            and argument < self._arguments
            and argument not in self._spec.scalars
            and program.inputs[argument] == program.outputs[output]
        )
        if not aliases:
            return self.call_fast
        values = {name: getattr(self._spec, name) for name in EntrySpec.__dataclass_fields__}
        return CallTable(EntrySpec(**{**values, "aliases": aliases})).builtin()

    def call(
        self,
        arrays: Sequence[Any],
        *,
        out: Sequence[Array | None] | None = None,
        donate: Collection[int] = (),
    ) -> list[Array]:
        """Run on `arrays` (without the bound constants) and return the results.

        Arrays must have the program's dtypes (any byte order) and shapes; any strides, read-only
        ones too. Where the shape is `()`, Python numbers are taken. Everything that is not dense is
        copied first. `out` gives arrays to write into, one per output, None for a new one; they
        may overlap the inputs. `donate` numbers inputs whose storage the results may overwrite, as
        the program's aliases say. Raises TypeError and ValueError naming the argument.
        """
        if out is None and not donate:
            values = self.call_fast(*arrays)
            if values is not MISFIT:
                return [values] if len(self.program.outputs) == 1 else list(values)
        if len(arrays) != self._arguments:
            raise TypeError(
                f"{self.program.name} takes {self._arguments} arrays, not {len(arrays)}"
            )
        inputs = [self._dense(index, array) for index, array in enumerate(arrays)]
        inputs.extend(self._constants)
        targets = self._targets(out, len(self.program.outputs))
        results = [
            self._result(index, target, inputs, arrays, donate)
            for index, target in enumerate(targets)
        ]
        self._run(inputs, results)
        for index, target in enumerate(targets):
            if target is not None and results[index] is not target:
                np.copyto(target, results[index], casting="equiv")
                results[index] = target
        return results

    def _run(self, inputs: Sequence[Array], results: Sequence[Array]) -> None:
        workspace = self._new_workspace()
        scratch = -(-_address(workspace) // WORKSPACE_ALIGNMENT) * WORKSPACE_ALIGNMENT
        _run_function()(self._table.address, _pointers(inputs), _pointers(results), scratch)

    def _dense(self, index: int, value: Any) -> Array:
        """Input `index` as a dense, aligned array in host byte order; ValueError if it cannot."""
        spec = self.program.inputs[index]
        dtype = spec.numpy_dtype
        if type(value) is np.ndarray and value.dtype == dtype and value.shape == spec.shape:
            flags = value.flags
            if flags.c_contiguous and flags.aligned and value.dtype.isnative:
                return value
        if not isinstance(value, np.ndarray):
            value = getattr(value, "_array", value)
        if isinstance(value, bool | int | float | complex) and spec.shape == ():
            return np.array(value, dtype)
        if isinstance(value, np.generic):
            value = np.asarray(value)
        if not isinstance(value, np.ndarray):
            raise TypeError(
                f"{self.program.name}: input {index} is a {type(value).__name__}, "
                f"not an array {spec}"
            )
        if value.dtype.newbyteorder("=") != dtype or value.shape != spec.shape:
            found = f"{value.dtype}[{','.join(map(str, value.shape))}]"
            kind = ValueError if value.dtype.newbyteorder("=") == dtype else TypeError
            raise kind(f"{self.program.name}: input {index} is {found}, not {spec}")
        return np.require(np.asarray(value), dtype, ("C", "A"))

    def _targets(self, out: Sequence[Array | None] | None, count: int) -> list[Array | None]:
        if out is None:
            return [None] * count
        if len(out) != count:
            raise ValueError(f"{self.program.name} has {count} outputs, out has {len(out)}")
        for index, (target, spec) in enumerate(zip(out, self.program.outputs)):
            if target is None:
                continue
            if target.dtype.newbyteorder("=") != spec.numpy_dtype or target.shape != spec.shape:
                found = f"{target.dtype}[{','.join(map(str, target.shape))}]"
                raise ValueError(f"{self.program.name}: out[{index}] is {found}, not {spec}")
            if not target.flags.writeable:
                raise ValueError(f"{self.program.name}: out[{index}] is read-only")
            for earlier in out[:index]:
                if earlier is not None and np.may_share_memory(earlier, target):
                    raise ValueError(f"{self.program.name}: out[{index}] overlaps another output")
        return list(out)

    def _result(
        self,
        index: int,
        target: Array | None,
        inputs: Sequence[Array],
        given: Sequence[Any],
        donate: Collection[int],
    ) -> Array:
        """Where output `index` goes: the target if the core can write there, donated storage, or
        new memory (whose contents then go to the target)."""
        spec = self.program.outputs[index]
        argument = self._aliases.get(index)
        donated = None
        if argument is not None and argument in donate and argument < len(given):
            donated = self._donated(argument, spec, inputs, given)
        if target is None:
            return self._new_outputs[index]() if donated is None else donated
        others = list(inputs)
        if argument is not None and donated is not None and _address(target) == _address(donated):
            del others[argument]  # writing there is what the alias allows
        dense = target.flags.c_contiguous and target.flags.aligned and target.dtype.isnative
        if dense and not any(np.may_share_memory(target, other) for other in others):
            return target
        return self._new_outputs[index]()

    def _donated(
        self, argument: int, spec: ArraySpec, inputs: Sequence[Array], given: Sequence[Any]
    ) -> Array | None:
        """The storage of a donated input as an output, if it can be used."""
        array = inputs[argument]
        original = getattr(given[argument], "_array", given[argument])
        if not isinstance(original, np.ndarray) or not array.flags.writeable:
            return None
        if _address(array) != _address(original):
            return None  # it was copied: nothing is gained
        for number, other in enumerate(inputs):
            if number != argument and np.may_share_memory(array, other):
                return None
        if array.dtype == spec.numpy_dtype and array.shape == spec.shape:
            return array
        return array.reshape(-1).view(np.uint8).view(spec.numpy_dtype).reshape(spec.shape)


def _check_runs_here(program: Program) -> None:
    """RuntimeError for another device, another architecture, or missing processor features."""
    if program.device != "cpu":
        raise RuntimeError(f"{program.name} was compiled for {program.device}, not for the CPU")
    facts = host()
    if program.triple.split("-")[0] != facts.triple.split("-")[0]:
        raise RuntimeError(
            f"{program.name} was compiled for {program.triple}, this is {facts.triple}"
        )
    here = set(facts.features.split(","))
    wanted = {name for name in program.features.split(",") if name.startswith("+")}
    if here and (missing := sorted(wanted - here)):
        raise RuntimeError(
            f"{program.name} needs processor features that are not here: {', '.join(missing)}"
        )


@functools.cache
def _run_function() -> Callable[[int, Any, Any, int], int]:
    """`lz_run`; exceptions that it sets propagate."""
    prototype = ctypes.PYFUNCTYPE(
        ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p
    )
    return prototype(native().address("lz_run"))


def _address(array: Array) -> int:
    # The first field after the object header (see entry_ir; native.py has checked it). NumPy's own
    # ways to ask take more than 1 µs.
    return ctypes.c_size_t.from_address(id(array) + object.__basicsize__).value


def _pointers(arrays: Sequence[Array]) -> Any:
    return (ctypes.c_void_p * max(1, len(arrays)))(*map(_address, arrays))


def array_at(address: int, spec: ArraySpec) -> Array:
    """The array of that type at an address, for callbacks; valid while the callback runs."""
    memory: Any = (ctypes.c_char * spec.nbytes).from_address(address)
    return np.ndarray(spec.shape, spec.numpy_dtype, memory)
