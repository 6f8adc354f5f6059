"""How other libraries see a tensor: NumPy's dispatch protocols.

Takes: calls that NumPy hands over (`np.sin(tensor)`). Gives: tensors.
Must not know: graphs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import numpy as lnp
from .apply import fail
from .numpy.cumulative import accumulate

_UFUNC_NAMES = {"conjugate": "conj", "arctan2": "arctan2"}
_REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min",
    "logical_and": "all", "logical_or": "any",
}  # fmt: skip


def array_ufunc(ufunc: Any, method: str, inputs: Any, options: dict[str, Any]) -> Any:
    """NumPy's ufuncs on tensors: the function of that name in `lazir.numpy`."""
    options.pop("casting", None)
    if options.pop("out", None) is not None:
        fail(f"np.{ufunc.__name__} cannot write into `out`: a tensor is never written in place")
    where = options.pop("where", None)
    dtype = options.pop("dtype", None)
    if method == "reduce" and ufunc.__name__ in _REDUCTIONS:
        if dtype is not None:
            options["dtype"] = dtype
        if where is not None and where is not True:
            options["where"] = where
        options.setdefault("axis", 0)
        initial = options.pop("initial", None)
        if initial is not None and initial is not np._NoValue:
            options["initial"] = initial
        return getattr(lnp, _REDUCTIONS[ufunc.__name__])(*inputs, **options)
    if method == "accumulate" and not options.keys() - {"axis"}:
        made = accumulate(ufunc.__name__, inputs[0], options.get("axis", 0), dtype)
        if made is not None:
            return made
    function = getattr(lnp, _UFUNC_NAMES.get(ufunc.__name__, ufunc.__name__), None)
    if method != "__call__" or function is None or options or where not in (None, True):
        fail(
            f"np.{ufunc.__name__} ({method}) has no counterpart in lazir.numpy with these options; "
            "convert with .numpy() first"
        )
    assert function is not None
    result = function(*inputs)
    return result if dtype is None else lnp.astype(result, dtype)


def array_function(func: Any, args: Any, kwargs: Any) -> Any:
    """NumPy's other functions on tensors: those of the same names in `lazir.numpy`."""
    module = getattr(func, "__module__", "numpy") or "numpy"
    home = {"numpy": lnp, "numpy.linalg": lnp.linalg, "numpy.fft": lnp.fft}.get(module)
    function = getattr(home, func.__name__, None)
    if function is None:
        fail(
            f"{module}.{func.__name__} has no counterpart in lazir.numpy; "
            "convert with .numpy() first"
        )
    assert function is not None
    return function(*args, **kwargs)
