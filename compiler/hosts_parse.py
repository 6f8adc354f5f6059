"""Reads a callback back from its declared function: the inverse of `host_function`.

Takes: a verified `func.func` of kind callback. Gives: a HostCall, or a VerifyError with the text at
fault. Must not know: the program around it.
"""

from __future__ import annotations

from .hosts import NUMBER, ORDERED, HostCall
from .kernel_reader import refuse, tensor_type
from .mlir.ir import Op, Typed
from .types import TensorType, i8


def function_to_host(func: Op) -> HostCall:
    """The inverse of `host_function`. VerifyError with the text at fault."""
    index, ordered = func.attrs.get(NUMBER), func.attrs.get(ORDERED)
    number = index.value if isinstance(index, Typed) else index
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        refuse(func, f"{NUMBER} is the number of a function of the host, not {index!r}")
    if not isinstance(ordered, bool):
        refuse(func, f"{ORDERED} is true or false, not {ordered!r}")
    if func.regions[0].ops:
        refuse(func, "a callback is declared, without a body")
    type = func.attrs["function_type"]
    params, results = (
        tuple(tensor_type(func, t) for t in side) for side in (type.inputs, type.results)
    )
    byte = TensorType((), i8)
    if ordered and (params[:1] != (byte,) or results[:1] != (byte,)):
        refuse(func, "an ordered callback takes a token and gives one, each a tensor<i8>, first")
    assert isinstance(number, int)
    return HostCall(number, ordered, params, results)
