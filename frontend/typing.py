"""Annotations that say a tensor's dtype and axes: `x: Float[Tensor, "batch 784"]`.

A compiled function's arguments and result are checked against them whenever it is traced, and
`lazir check` takes its shapes from them. To type checkers `Float[Tensor, "…"]` is `Tensor`. The
language of the axes is jaxtyping's (see `lazir.axes`), whose own annotations are checked as well.

Takes: a type of arrays and a text. Gives: `typing.Annotated` types. Must not know: functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from .axes import AnnotationError, Axis, read_axes
from .public import listing
from .tensor import Tensor

__all__ = [
    "ArrayHint", "BFloat16", "Bool", "Complex", "Complex64", "Complex128", "Float", "Float16",
    "Float32", "Float64", "Inexact", "Int", "Int8", "Int16", "Int32", "Int64", "Integer", "Num",
    "Shaped", "Tensor", "UInt", "UInt8", "UInt16", "UInt32", "UInt64",
]  # fmt: skip
__dir__ = listing(__name__)


class ArrayHint(NamedTuple):
    """What an annotation asks of a tensor: NumPy names of dtypes (empty: any), and axes."""

    kind: str
    of: str
    dtypes: tuple[str, ...]
    text: str

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The words of the shape."""
        return read_axes(self.text)

    def __repr__(self) -> str:
        return f'{self.kind}[{self.of}, "{self.text}"]'


class _Kind:
    """What stands before the brackets."""

    def __init__(self, name: str, *dtypes: str) -> None:
        self._name, self._dtypes = name, dtypes

    def __getitem__(self, item: Any) -> Any:
        if not isinstance(item, tuple) or len(item) != 2 or not isinstance(item[1], str | int):
            raise AnnotationError(
                f'{self._name}[…] takes a type and the axes as text: {self._name}[Tensor, "n 3"]'
            )
        of, text = item[0], str(item[1])
        read_axes(text)
        name = str(getattr(of, "__name__", of))
        return Annotated[of, ArrayHint(self._name, name, self._dtypes, text)]

    def __repr__(self) -> str:
        return f"lazir.typing.{self._name}"


if TYPE_CHECKING:
    from typing import Annotated as BFloat16
    from typing import Annotated as Bool
    from typing import Annotated as Complex
    from typing import Annotated as Complex64
    from typing import Annotated as Complex128
    from typing import Annotated as Float
    from typing import Annotated as Float16
    from typing import Annotated as Float32
    from typing import Annotated as Float64
    from typing import Annotated as Inexact
    from typing import Annotated as Int
    from typing import Annotated as Int8
    from typing import Annotated as Int16
    from typing import Annotated as Int32
    from typing import Annotated as Int64
    from typing import Annotated as Integer
    from typing import Annotated as Num
    from typing import Annotated as Shaped
    from typing import Annotated as UInt
    from typing import Annotated as UInt8
    from typing import Annotated as UInt16
    from typing import Annotated as UInt32
    from typing import Annotated as UInt64
else:
    _FLOATS = ("float32", "float64", "float16", "bfloat16")
    _INTS = ("int64", "int32", "int16", "int8")
    _UINTS = ("uint8", "uint16", "uint32", "uint64")
    _COMPLEX = ("complex64", "complex128")
    for _names in (_FLOATS, _INTS, _UINTS, _COMPLEX):
        for _dtype in _names:
            _title = _dtype.replace("bf", "BF").replace("ui", "UI")
            _title = _title[0].upper() + _title[1:]
            globals()[_title] = _Kind(_title, _dtype)
    Float = _Kind("Float", *_FLOATS)
    Int = _Kind("Int", *_INTS)
    UInt = _Kind("UInt", *_UINTS)
    Integer = _Kind("Integer", *_INTS, *_UINTS)
    Complex = _Kind("Complex", *_COMPLEX)
    Inexact = _Kind("Inexact", *_FLOATS, *_COMPLEX)
    Num = _Kind("Num", *_FLOATS, *_INTS, *_UINTS, *_COMPLEX)
    Bool = _Kind("Bool", "bool")
    Shaped = _Kind("Shaped")
