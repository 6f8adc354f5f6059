"""NumPy's universal functions: functions of elements with `out=`, `where=`, `dtype=`, and the
methods `reduce`, `accumulate`, `reduceat`, `outer`, `at`.

Takes: a function of tensors (as a decorator). Gives: an object that is called as the function.
Must not know: which function.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from lazir.compiler.errors import ShapeError

from .. import late
from ..apply import as_tensor, call, fail, lift, normal_axis, operand, tensor
from ..dtypes import as_dtype, bool_
from ..handle import Handle
from ..tensor import Tensor
from ..trace import active
from .output import check_kind, delivered, written

_REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "fmax": "nanmax",
    "fmin": "nanmin", "logical_and": "all", "logical_or": "any", "logaddexp": "logsumexp",
}  # fmt: skip
"""The function that reduces by each ufunc; the others halve the axis until one element is left."""

_RUNNING = {"add": "cumsum", "multiply": "cumprod"}

_ASSOCIATIVE = frozenset((
    *_REDUCTIONS, "bitwise_and", "bitwise_or", "bitwise_xor", "logical_xor", "gcd", "lcm", "hypot",
    "logaddexp2",
))  # fmt: skip

_AT = {
    "add": "add", "subtract": "add", "multiply": "mul", "minimum": "min", "maximum": "max",
}  # fmt: skip
"""The indexed update that `at` is, where each index counts as often as it comes."""


class Ufunc:
    """A function of elements, called as a plain function or with NumPy's options."""

    nin = 1
    nout = 1

    def __init__(self, function: Callable[..., Tensor]) -> None:
        self._function = function
        self.__name__: str = function.__name__
        wrapper: Any = self  # which is called as Unary and Binary say
        functools.update_wrapper(wrapper, function)

    @property
    def nargs(self) -> int:
        """Arguments and results together."""
        return self.nin + self.nout

    def __repr__(self) -> str:
        return f"<ufunc {self.__name__!r}>"

    def __reduce__(self) -> str:
        return self.__name__

    def _run(self, xs: tuple[Any, ...], out: Any, where: Any, casting: str, dtype: Any) -> Tensor:
        """The call with options."""
        if isinstance(out, tuple) and len(out) == 1:
            (out,) = out
        result = self._function(*xs)
        if dtype is not None and not (result.dtype is bool_ is as_dtype(dtype)):
            wanted = as_dtype(dtype)
            for x in xs:
                check_kind(operand(x).dtype, wanted, casting, self.__name__)
            result = self._function(*(as_tensor(x, wanted) for x in xs))
        if where is not True and where is not None:
            if out is None:
                fail(
                    f"{self.__name__}: `where` needs `out`, which has the elements elsewhere; "
                    f"or write lnp.where(condition, lnp.{self.__name__}(…), other)"
                )
            result = as_tensor(late.numpy.where(where, result, out))
        return delivered(result, out, self.__name__, casting)


class Unary(Ufunc):
    """A ufunc of one operand."""

    def __call__(
        self,
        x: Any,
        /,
        out: Any = None,
        *,
        where: Any = True,
        casting: str = "same_kind",
        order: str = "K",
        dtype: Any = None,
        subok: bool = True,
    ) -> Tensor:
        if out is None and where is True and dtype is None:
            return self._function(x)
        return self._run((x,), out, where, casting, dtype)


class Binary(Ufunc):
    """A ufunc of two operands."""

    nin = 2

    def __call__(
        self,
        x1: Any,
        x2: Any,
        /,
        out: Any = None,
        *,
        where: Any = True,
        casting: str = "same_kind",
        order: str = "K",
        dtype: Any = None,
        subok: bool = True,
    ) -> Tensor:
        if out is None and where is True and dtype is None:
            return self._function(x1, x2)
        return self._run((x1, x2), out, where, casting, dtype)

    def outer(self, a: Any, b: Any, /, **options: Any) -> Tensor:
        """The function of all pairs of an element of a and one of b.

        >>> import lazir.numpy as lnp
        >>> print(lnp.add.outer(lnp.arange(2), lnp.arange(3)))
        [[0 1 2]
         [1 2 3]]
        """
        x = as_tensor(a)
        return self(x.reshape(x.shape + (1,) * len(operand(b).shape)), b, **options)

    def reduce(
        self,
        a: Any,
        axis: Any = 0,
        dtype: Any = None,
        out: Any = None,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = True,
    ) -> Tensor:
        """The elements along `axis` (all axes with None) joined by the function.

        >>> import lazir.numpy as lnp
        >>> print(lnp.maximum.reduce(lnp.array([[1, 5], [4, 2]])))
        [4 5]
        """
        name = _REDUCTIONS.get(self.__name__)
        x = as_tensor(a)
        masked = where is not True and where is not None
        if initial is np._NoValue:
            initial = None
        if name is None or (name == "logsumexp" and masked):
            made = self._folded(x, axis, dtype, keepdims, masked)
        else:
            options: dict[str, Any] = {"keepdims": keepdims}
            if masked:
                options["where"] = where
            if name in ("sum", "prod"):
                options["dtype"] = dtype
            elif dtype is not None:
                x = x.astype(dtype)
            if name in ("max", "min", "nanmax", "nanmin"):
                options["initial"], initial = initial, None
            made = getattr(late.numpy, name)(x, axis, **options)
        made = made if initial is None else self._function(initial, made)
        return delivered(made, out, "reduce")

    def _folded(self, x: Tensor, axis: Any, dtype: Any, keepdims: bool, masked: bool) -> Tensor:
        """Halves of the axis joined with each other until one element is left."""
        self._must_join("reduce")
        if masked:
            fail(f"{self.__name__}.reduce has no `where`; put lnp.where before it")
        x = self._of_kind(x, dtype)
        axes = range(len(x.shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        for k in sorted((normal_axis(k, len(x.shape), "reduce") for k in axes), reverse=True):
            rest = x.shape[k]
            if not rest:
                fail(f"{self.__name__}.reduce of an empty axis has no answer", ShapeError)
            lead = (slice(None),) * k
            while rest > 1:
                half = rest // 2
                low, high = x[(*lead, slice(0, half))], x[(*lead, slice(half, 2 * half))]
                made = self._function(low, high)
                if rest % 2:
                    made = late.numpy.concatenate([made, x[(*lead, slice(2 * half, rest))]], k)
                x, rest = made, half + rest % 2
            x = x if keepdims else x.squeeze(k)
        return x.copy()

    def _of_kind(self, x: Tensor, dtype: Any) -> Tensor:
        if self.__name__.startswith("logical"):
            return as_tensor(x != 0)
        return x if dtype is None else x.astype(dtype)

    def _must_join(self, method: str) -> None:
        if self.__name__ not in _ASSOCIATIVE:
            fail(
                f"{self.__name__}.{method}: the order of joining would matter, which lazir leaves "
                "open; write the loop as lz.lax.scan or with sums and products"
            )

    def accumulate(self, a: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Tensor:
        """The elements up to each one along `axis` joined by the function.

        >>> import lazir.numpy as lnp
        >>> print(lnp.maximum.accumulate(lnp.array([1, 3, 2])))
        [1 3 3]
        """
        x = as_tensor(a)
        k = normal_axis(axis, len(x.shape), "accumulate")
        name = self.__name__
        if name in _RUNNING:
            return delivered(getattr(late.numpy, _RUNNING[name])(x, k, dtype), out, "accumulate")
        x = self._of_kind(x, dtype)
        if name in ("maximum", "minimum"):
            made = call("cum" + name[:3], lift(operand(x)), axis=k, reverse=False)
            return delivered(tensor(made), out, "accumulate")
        self._must_join("accumulate")
        lead, step = (slice(None),) * k, 1
        while step < x.shape[k]:  # each is joined with what lies step before, then 2 · step, …
            joined = self._function(x[(*lead, slice(0, -step))], x[(*lead, slice(step, None))])
            x = late.numpy.concatenate([x[(*lead, slice(0, step))], joined], k)
            step *= 2
        return delivered(x.copy(), out, "accumulate")

    def reduceat(
        self, a: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None
    ) -> Tensor:
        """The elements from each index to the next one, or to the end, joined by the function.

        Where an index is not below the next, it is the element there. The indices must be known.

        >>> import lazir.numpy as lnp
        >>> print(lnp.add.reduceat(lnp.arange(6), [0, 2, 5]))
        [1 9 5]
        """
        x = as_tensor(a)
        k = normal_axis(axis, len(x.shape), "reduceat")
        if isinstance(indices, Handle) and indices._array is None and active() is not None:
            fail("reduceat needs indices that are known while tracing: they decide what is joined")
        places = np.asarray(indices).astype(np.int64).tolist()
        n, lead, parts = x.shape[k], (slice(None),) * k, []
        for low, high in zip(places, [*places[1:], n]):
            if not 0 <= low < n:
                fail(f"reduceat: index {low} is out of range for an axis of size {n}", ShapeError)
            part = x[(*lead, slice(low, high if low < high else low + 1))]
            parts.append(self.reduce(part, k, dtype, keepdims=True))
        return delivered(late.numpy.concatenate(parts, k), out, "reduceat")

    def at(self, a: Any, indices: Any, b: Any, /, *, inplace: bool = True) -> Any:
        """Sets a[indices] to the function of it and b; an index that comes twice counts twice.

        With `inplace=False` a stays, and the new tensor is given, as in JAX.

        >>> import lazir.numpy as lnp
        >>> x = lnp.zeros(3)
        >>> lnp.add.at(x, [0, 0, 2], 1.0)
        >>> print(x)
        [2. 0. 1.]
        """
        op = _AT.get(self.__name__)
        if op is None:
            fail(f"{self.__name__}.at: an indexed update is one of {', '.join(_AT)}")
        target = operand(a).dtype
        check_kind(operand(b).dtype, target, "same_kind", f"{self.__name__}.at")
        amount = as_tensor(b, target)
        made = late.indexing.write(
            a, indices, -amount if self.__name__ == "subtract" else amount, op
        )
        made = written(a, made, inplace, f"{self.__name__}.at")
        return None if inplace else made
