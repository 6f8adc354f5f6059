"""`@lazir.compile`: a Python function becomes one program per kind of arguments.

Takes: a function, which arguments are static or donated. Gives: CompiledFunction.
Must not know: how graphs become programs. A repeated call with arrays goes straight to the last
program's builtin, which checks the arguments itself; all else is decided in `_slow`.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, overload

from lazir.runtime.device import parse_device, require
from lazir.runtime.forks import lock_of

from . import engine, tree
from .apply import as_tensor
from .donation import donated_leaves, finish_donation, give_away
from .dtypes import watch_default
from .handle import Handle
from .hints import call_checked
from .signature import Call, Reader, difference
from .specialise import Specialisation, Traced, frozen, trace
from .tensor import Tensor
from .trace import active
from .tree import Structure
from .views import check_read

_MISFIT = NotImplemented
_Ready: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...], Callable[[Any], Any]]
"""A program's builtin, the captured tensors that it takes last, and what makes its results."""


class CacheInfo(NamedTuple):
    """How often a compiled function was called (hits), specialised (misses); specialisations
    held.
    """

    hits: int
    misses: int
    currsize: int


class Lowered:
    """A traced function on its way to machine code.

    >>> import lazir as lz
    >>> f = lz.compile(lambda x: x + 1)
    >>> lowered = f.lower(lz.spec(3))
    >>> print(lowered.ir("graph").splitlines()[0])
    func.func @lambda_(%x: tensor<3xf32>) -> tensor<3xf32> {
    """

    def __init__(self, traced: Traced, call: Call, device: str | None) -> None:
        self.traced = traced
        self._call = call
        self._device = device

    @property
    def graph(self) -> Any:
        """The recorded Graph."""
        return self.traced.graph

    def ir(self, stage: str = "graph") -> str:
        """The text of a stage: graph, optimized, kernels, loops, llvm, asm or ptx."""
        donated = self.traced.donated
        return engine.text(self.traced.graph, stage, self._device, donated=donated)

    as_text = ir

    def compile(self) -> Compiled:
        """The program as a function of the dynamic arguments, for these kinds of arguments
        alone.
        """
        return Compiled(Specialisation(self._call, self.traced, self._device))


class Compiled:
    """One program, for one kind of arguments.

    >>> import lazir as lz
    >>> program = lz.compile(lambda x: x + 1).lower(lz.spec(3)).compile()
    >>> program(lz.numpy.ones(3)).tolist()
    [2.0, 2.0, 2.0]
    """

    def __init__(self, special: Specialisation) -> None:
        self._special = special

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, structure = tree.flatten((args, kwargs))
        wanted = self._special.call.structure
        if structure != wanted:
            raise TypeError(f"this program takes arguments nested as {wanted}, got {structure}")
        return _run(self._special, leaves)

    def memory_analysis(self) -> Any:
        """The bytes that a call needs: arguments, results, workspace, and the peak of them all.

        >>> import lazir as lz
        >>> stats = lz.compile(lambda x: x + 1).lower(lz.spec(1000)).compile().memory_analysis()
        >>> stats.argument_size_in_bytes, stats.peak_memory_in_bytes
        (4000, 8000)
        """
        traced = self._special.traced
        return engine.memory(traced.graph, traced.donated)


def _stored(handle: Handle) -> Any:
    """The array that a program reads for a captured tensor; bf16 as its bits."""
    assert isinstance(handle, Tensor)
    return handle.numpy() if handle._array is None else handle._array


_living: weakref.WeakSet[CompiledFunction] = weakref.WeakSet()


def _look_again() -> None:
    """Programs are of one default dtype: let each function look for the right one."""
    for function in list(_living):
        function._flat = function._nested = None


watch_default(_look_again)


class CompiledFunction:
    """A function that runs as machine code; made by `lazir.compile`."""

    def __init__(
        self,
        fn: Callable[..., Any],
        *,
        device: str | None = None,
        static_argnums: Any = (),
        static_argnames: Any = (),
        donate_argnums: Any = (),
        donate_argnames: Any = (),
        freeze: bool = False,
        name: str | None = None,
    ) -> None:
        functools.update_wrapper(self, fn)
        if device is not None:
            require(parse_device(device))
        self._fn = fn
        self._device = device
        self._freeze = freeze
        self._options = {
            "device": device,
            "static_argnums": static_argnums,
            "static_argnames": static_argnames,
            "donate_argnums": donate_argnums,
            "donate_argnames": donate_argnames,
            "freeze": freeze,
        }
        self._reader = Reader(fn, static_argnums, static_argnames, donate_argnums, donate_argnames)
        self._name = _identifier(name or str(getattr(fn, "__name__", "function")))
        self._cache: dict[Hashable, Specialisation] = {}
        self._order: list[Specialisation] = []
        self._why: list[str] = []
        self._lock = lock_of(self)
        # What to try first, replaced as a whole, since other threads read it meanwhile.
        self._flat: _Ready | None = None
        self._nested: tuple[Structure, _Ready] | None = None
        self._preferred: Specialisation | None = None
        self._hits = 0
        _living.add(self)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        ready = self._flat
        if ready is not None and not kwargs:
            run, captures, finish = ready
            out = run(*args, *captures)
            if out is not _MISFIT:
                self._hits += 1
                return finish(out)
        return self._slow(args, kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        if tree.structure(instance).kind is not None:
            return functools.partial(self, instance)
        return self._bound(instance)

    def _bound(self, instance: Any) -> CompiledFunction:
        """A compiled function of its own for an object that is no tree: its tensors are
        captured.
        """
        held = instance.__dict__
        key = f"_compiled_{self._name}"
        found = held.get(key)
        if found is None or found[0] is not self:
            method = self._fn.__get__(instance, type(instance))
            made = CompiledFunction(method, name=self._name, **self._shifted())
            found = held[key] = (self, made)
        return found[1]  # type: ignore[no-any-return]

    def _shifted(self) -> dict[str, Any]:
        """The options for a method without its first argument."""
        options = dict(self._options)
        for key in ("static_argnums", "donate_argnums"):
            numbers = options[key]
            places = [numbers] if isinstance(numbers, int) else list(numbers)
            options[key] = tuple(k - 1 if k > 0 else k for k in places if k != 0)
        return options

    # -- the general call ----------------------------------------------------------------
    def _slow(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        nested = self._nested
        if nested is not None:
            leaves, structure = tree.flatten((args, kwargs))
            if structure == nested[0]:
                run, captures, finish = nested[1]
                out = run(*leaves, *captures)
                if out is not _MISFIT:
                    self._hits += 1
                    return finish(out)
        if active() is not None:
            return self._inline(args, kwargs)
        call = self._reader.read(args, kwargs)
        for x in call.leaves:
            if isinstance(x, Handle) and x._state is not None:
                check_read(x)
        special = self._cache.get(call.key)
        if special is None or special.stale():
            special = self._specialise(call)
        else:
            self._hits += 1
        self._prefer(special)
        return _run(special, call.leaves)

    def _inline(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Inside another trace the function becomes part of it."""
        call = self._reader.read(args, kwargs)
        leaves = [x if isinstance(x, Handle) else as_tensor(x) for x in call.leaves]
        inner_args, inner_kwargs = call.arguments(leaves)
        return call_checked(self._fn, inner_args, inner_kwargs)

    def _specialise(self, call: Call) -> Specialisation:
        with self._lock:
            found = self._cache.get(call.key)
            if found is not None and not (reason := found.stale()):
                return found
            traced = self._trace(call)
            special = Specialisation(call, traced, self._device)
            if found is None:
                reason = self._reason(call)
            self._why.append(reason)
            self._cache[call.key] = special
            self._order.append(special)
            return special

    def _trace(self, call: Call) -> Traced:
        traced = trace(self._fn, call, self._reader.names_of(call), self._name)
        if self._freeze:
            traced = frozen(traced)
        return traced._replace(donated=donated_leaves(self._reader, call))

    def _reason(self, call: Call) -> str:
        if not self._order:
            return "the first call"
        return difference(self._reader, self._order[-1].call, call)

    def _prefer(self, special: Specialisation) -> None:
        """Let the next call try this program first."""
        if special is self._preferred:
            return
        self._preferred = special
        direct = special.direct
        ready = None
        if direct is not None:
            ready = (direct, special.traced.captures, _finisher(special))
        self._flat = ready if special.flat else None
        self._nested = None
        if ready is not None and not special.flat:
            self._nested = (special.call.structure, ready)

    # -- looking inside ------------------------------------------------------------------
    def trace(self, *args: Any, **kwargs: Any) -> Traced:
        """What the function records for such arguments (`lz.spec` stands in for any).

        >>> import lazir as lz
        >>> lz.compile(lambda x: x * 2).trace(lz.spec(3)).graph.result_types
        (tensor<3xf32>,)
        """
        return self._trace(self._reader.read(args, kwargs))

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """The traced function, ready to show the text of every stage or to be compiled."""
        call = self._reader.read(args, kwargs)
        return Lowered(self._trace(call), call, self._device)

    def export(
        self, folder: str | Path, *args: Any, target: str = "host", name: str | None = None,
        **kwargs: Any,
    ) -> list[Path]:  # fmt: skip
        """Write the program for such arguments as an object file and a C header, free of Python.

        Captured tensors are built in. `target` is "host" or one of `lazir.compiler.target`'s names.
        Returns the files, `<name>.o` and `<name>.h`.

        >>> import lazir as lz, tempfile
        >>> twice = lz.compile(lambda x: x * 2, name="twice")
        >>> files = twice.export(tempfile.mkdtemp(), lz.spec(4))
        >>> [f.name for f in files]
        ['twice.o', 'twice.h']
        """
        traced = self.trace(*args, **kwargs)
        held = [_stored(tensor) for tensor in traced.captures]
        return engine.export(
            traced.graph, Path(folder), name or self._name, held, target, traced.donated
        )

    def explain(self, *args: Any, **kwargs: Any) -> str:
        """In words: whether such a call is compiled already, why not, and what the program does.

        >>> import lazir as lz
        >>> f = lz.compile(lambda x: x * 2)
        >>> print(f.explain(lz.spec(3)).splitlines()[0])
        lambda_: not compiled yet: the first call
        """
        call = self._reader.read(args, kwargs)
        known = self._cache.get(call.key)
        if known is None:
            head = f"not compiled yet: {self._reason(call)}"
            traced = self._trace(call)
        else:
            head = known.stale() or "compiled"
            traced = known.traced
        return f"{self._name}: {head}\n{engine.explain(traced.graph, self._device, traced.donated)}"

    def explain_recompile(self) -> list[str]:
        """Why each specialisation was made, oldest first.

        >>> import lazir as lz, numpy as np
        >>> f = lz.compile(lambda x: x * 2)
        >>> _ = f(np.zeros(2)), f(np.zeros(3))
        >>> f.explain_recompile()
        ['the first call', 'argument x was f64[2] and is f64[3]']
        """
        return list(self._why)

    def cache_info(self) -> CacheInfo:
        """Calls that found a program, calls that made one, programs held."""
        return CacheInfo(self._hits, len(self._why), len(self._cache))

    def clear_cache(self) -> None:
        """Forget all specialisations."""
        with self._lock:
            self._cache.clear()
            self._order.clear()
            self._why.clear()
            self._flat = self._nested = self._preferred = None
            self._hits = 0

    def __repr__(self) -> str:
        return f"<compiled {self._name}>"


def _run(special: Specialisation, leaves: Sequence[Any]) -> Any:
    """Call a program; what it gets for good cannot be used any more."""
    if not special.traced.donated:
        return special.run(leaves)
    places = give_away(leaves, special.traced.donated)
    result = special.run(leaves, places)
    finish_donation(leaves, places)
    return result


def _finisher(special: Specialisation) -> Callable[[Any], Any]:
    """From what the builtin returns to what the function returns."""
    traced = special.traced
    dtypes = [t.dtype for t in traced.graph.result_types]
    new: Callable[[type[Tensor]], Tensor] = object.__new__
    if special.single and not traced.out_weak[0]:
        (dtype,) = dtypes

        def one(array: Any) -> Tensor:
            made = new(Tensor)
            made._array = array
            made._value = None
            made._dtype = dtype
            made._weak = False
            made._state = None
            return made

        return one

    weak = traced.out_weak
    out = traced.out_tree
    flat = out.kind is tuple and all(child.kind is None for child in out.children)

    def many(arrays: Any) -> Any:
        found = arrays if len(dtypes) != 1 else (arrays,)
        results = []
        for array, dtype, loose in zip(found, dtypes, weak):
            made = new(Tensor)
            made._array = array
            made._value = None
            made._dtype = dtype
            made._weak = loose
            made._state = None
            results.append(made)
        return tuple(results) if flat else tree.unflatten(traced.out_tree, results)

    return many


def _identifier(name: str) -> str:
    """A name that MLIR takes: `<lambda>` becomes `lambda_`."""
    if name == "<lambda>":
        return "lambda_"
    return "".join(c if c.isalnum() or c == "_" else "_" for c in name)


@overload
def compile(
    fn: Callable[..., Any],
    *,
    device: str | None = ...,
    static_argnums: Any = ...,
    static_argnames: Any = ...,
    donate_argnums: Any = ...,
    donate_argnames: Any = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> CompiledFunction: ...


@overload
def compile(
    fn: None = None,
    *,
    device: str | None = ...,
    static_argnums: Any = ...,
    static_argnames: Any = ...,
    donate_argnums: Any = ...,
    donate_argnames: Any = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Callable[[Callable[..., Any]], CompiledFunction]: ...


def compile(
    fn: Callable[..., Any] | None = None,
    *,
    device: str | None = None,
    static_argnums: Any = (),
    static_argnames: Any = (),
    donate_argnums: Any = (),
    donate_argnames: Any = (),
    freeze: bool = False,
    name: str | None = None,
) -> Any:
    """Compile a function of tensors, arrays and numbers (nested in tuples, lists, dicts) to a
    program.

    It is traced once per kind of arguments (shapes, dtypes, nesting, static values); the program
    takes NumPy arrays as they are. Static arguments are plain Python values that select what is
    computed. Donated arguments may be overwritten. Tensors from outside are read at every call;
    with `freeze` they are taken as they are at the first one with each kind of arguments: what
    depends on them alone is computed once, and weights are laid out for the loops that read them.

    >>> import lazir as lz, numpy as np
    >>> @lz.compile
    ... def f(x, y):
    ...     return x * y + 1
    >>> print(f(np.arange(3.0), 2.0))
    [1. 3. 5.]
    """

    def make(function: Callable[..., Any]) -> CompiledFunction:
        return CompiledFunction(
            function,
            device=device,
            static_argnums=static_argnums,
            static_argnames=static_argnames,
            donate_argnums=donate_argnums,
            donate_argnames=donate_argnames,
            freeze=freeze,
            name=name,
        )

    return make if fn is None else make(fn)


jit = compile
