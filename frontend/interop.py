"""How other libraries see a tensor: NumPy's dispatch protocols.

Takes: calls that NumPy hands over (`np.sin(tensor)`). Gives: tensors.
Must not know: graphs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import numpy as lnp
from . import special, tree
from .apply import fail
from .numpy.ufunc import Ufunc
from .tensor import Tensor

_UFUNC_NAMES = {"conjugate": "conj"}
_WRITERS = ("copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask")
_OF_VALUES = ("may_share_memory", "shares_memory", "common_type", "min_scalar_type")
"""NumPy's functions that give no arrays: they answer for the tensors' data."""
_ELSEWHERE = {"i0": special.i0}
"""NumPy's functions that lazir has in another module."""


def array_ufunc(ufunc: Any, method: str, inputs: Any, options: dict[str, Any]) -> Any:
    """NumPy's ufuncs and their methods on tensors: those of the same name in `lazir.numpy`.

    Into an array of NumPy's (`array += tensor`) the result is written at once.
    """
    name = ufunc.__name__
    if any(isinstance(x, np.ndarray) for x in options.get("out") or ()):
        return _written(ufunc, method, inputs, options)
    if isinstance(options.get("out"), tuple) and len(options["out"]) == 1:
        options["out"] = options["out"][0]
    function = getattr(lnp, _UFUNC_NAMES.get(name, name), None)
    if method != "__call__":
        function = getattr(function, method, None)
    elif options and not isinstance(function, Ufunc) and name != "matmul":
        function = None
    if function is None:
        fail(
            f"np.{name} ({method}) has no counterpart in lazir.numpy with these options; "
            "convert with .numpy() first"
        )
    assert function is not None
    return function(*inputs, **options)


def _written(ufunc: Any, method: str, inputs: Any, options: dict[str, Any]) -> Any:
    """NumPy's own ufunc on the values, for results that go into its arrays."""
    if any(isinstance(x, Tensor) for x in options["out"]):
        fail(
            f"np.{ufunc.__name__}: out= has both tensors and arrays; make them all one or the other"
        )
    inputs, options = _values((inputs, options))
    options["out"] = options["out"][0] if len(options["out"]) == 1 else options["out"]
    return getattr(ufunc, method)(*inputs, **options)


def _values(x: Any) -> Any:
    """The tree with NumPy arrays for its tensors."""
    return tree.map(lambda leaf: leaf.numpy() if isinstance(leaf, Tensor) else leaf, x)


def _has_objects(args: Any) -> bool:
    """Whether something among the arguments is no number: matplotlib broadcasts None and names."""
    return any(x is None or isinstance(x, str) for x in args)


def array_function(func: Any, args: Any, kwargs: Any) -> Any:
    """NumPy's other functions on tensors: those of the same names in `lazir.numpy`.

    Those that write into an array of NumPy's do so at once, with the tensors' values.
    """
    name = func.__name__
    writes = name in _WRITERS and args and isinstance(args[0], np.ndarray)
    if writes or name in _OF_VALUES or (name == "broadcast_arrays" and _has_objects(args)):
        args, kwargs = _values((args, kwargs))
        return func(*args, **kwargs)
    module = getattr(func, "__module__", "numpy") or "numpy"
    home = {"numpy": lnp, "numpy.linalg": lnp.linalg, "numpy.fft": lnp.fft}.get(module)
    function = getattr(home, name, None) or _ELSEWHERE.get(name)
    if function is None:
        fail(
            f"{module}.{func.__name__} has no counterpart in lazir.numpy; "
            "convert with .numpy() first"
        )
    assert function is not None
    return function(*args, **kwargs)
