"""Reads a call of LAPACK back from its declared function: the inverse of `library_function`.

Takes: a verified `func.func` of kind library. Gives: a LibraryCall, or a VerifyError with the text
at fault. Must not know: the program around it.
"""

from __future__ import annotations

from .errors import LazirError
from .kernel_reader import refuse, tensor_type
from .kernel_text import KIND
from .library import LIBRARY, ROUTINE, LibraryCall
from .mlir.ir import Op
from .opdef import OPS

_OTHERS = (KIND, ROUTINE)


def function_to_call(func: Op) -> LibraryCall:
    """The call of a declared function; its attributes are checked by the op's own type rule."""
    name, type = func.attrs.get(ROUTINE), func.attrs["function_type"]
    if name not in LIBRARY:
        refuse(func, f"{ROUTINE} is one of {', '.join(sorted(LIBRARY))}, not {name!r}")
    if func.regions[0].ops:
        refuse(func, f"{name} is declared, without a body")
    params, results = (
        tuple(tensor_type(func, t) for t in side) for side in (type.inputs, type.results)
    )
    given = {k: v for k, v in func.attrs.items() if k.startswith("lz.") and k not in _OTHERS}
    attrs = {key.removeprefix("lz."): value for key, value in given.items()}
    try:
        wanted = OPS[name].infer(params, attrs)
    except LazirError as error:
        refuse(func, error.message)
    if wanted != results:
        refuse(func, f"{name} of these operands gives ({', '.join(map(str, wanted))})")
    return LibraryCall(name, tuple(sorted(attrs.items())), params, results)
