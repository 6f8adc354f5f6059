"""How other libraries see a tensor: NumPy's dispatch protocols.

Takes: calls that NumPy hands over (`np.sin(tensor)`). Gives: tensors.
Must not know: graphs.
"""

from __future__ import annotations

from typing import Any

from . import numpy as lnp
from .apply import fail
from .numpy.ufunc import Ufunc

_UFUNC_NAMES = {"conjugate": "conj"}


def array_ufunc(ufunc: Any, method: str, inputs: Any, options: dict[str, Any]) -> Any:
    """NumPy's ufuncs and their methods on tensors: those of the same name in `lazir.numpy`."""
    name = ufunc.__name__
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
