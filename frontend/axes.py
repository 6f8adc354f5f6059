"""The text of a shape in an annotation: `"batch 784"`, `"*rows n+1"`, read and matched.

Takes: texts in jaxtyping's language. Gives: `Axis` records, sizes bound to names, and in words what
does not fit. Must not know: functions, tensors.

    784      this size              n        a size, the same wherever the name stands
    _        any size               n+1      computed from names: + - * // % and brackets
    ...      any axes               *batch   any axes, the same wherever the name stands
    #n       1 or n                 *#batch  what broadcasts to batch
    rows=4   the same as 4          ""       no axes: a scalar
"""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Callable, Mapping
from typing import NamedTuple

from lazir.compiler.errors import LazirError

Shape = tuple[int, ...]

_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}  # fmt: skip


class AnnotationError(LazirError, TypeError):
    """An annotation of a tensor that cannot be read."""


class Axis(NamedTuple):
    """One word of a shape. Exactly one of `size`, `name`, `formula` is set, none for any size."""

    text: str
    size: int | None = None
    name: str = ""
    formula: str = ""
    many: bool = False
    loose: bool = False


@functools.lru_cache(1024)
def read_axes(text: str) -> tuple[Axis, ...]:
    """The words of a shape. AnnotationError where one has no meaning.

    >>> [axis.name for axis in read_axes("batch 784 *rest")]
    ['batch', '', 'rest']
    """
    axes = tuple([_read(word) for word in text.split()])
    if sum(axis.many for axis in axes) > 1:
        raise AnnotationError(f"the shape {text!r} has two words for several axes; it may have one")
    return axes


def _read(word: str) -> Axis:
    if word == "...":
        return Axis(word, many=True)
    rest = word.lstrip("*#?")
    marks = word[: len(word) - len(rest)]
    rest = rest.rpartition("=")[2]
    many, loose = "*" in marks, "#" in marks
    # jaxtyping's `?name` is a name for each leaf of a tree, `{…}` a value of the call: any size
    if rest.startswith(("_", "{")) or "?" in marks:
        return Axis(word, many=many)
    if rest.isdecimal() and not many:
        return Axis(word, size=int(rest), loose=loose)
    if rest.isidentifier():
        return Axis(word, name=rest, many=many, loose=loose)
    if not rest or many or loose or not _is_formula(rest):
        raise AnnotationError(
            f"{word!r} is no axis: write a size, a name, '_', '...', '*name', '#name', or a "
            "formula of names such as 'n+1' (without blanks)"
        )
    return Axis(word, formula=rest)


def _is_formula(text: str) -> bool:
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError:
        return False
    return all(
        isinstance(node, ast.Name | ast.expr_context)
        or (isinstance(node, ast.Constant) and type(node.value) is int)
        or (isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS)
        or type(node) in _OPERATORS
        for node in ast.walk(tree)
    )


def names_in(formula: str) -> list[str]:
    """The names of a formula.

    >>> names_in("2*n+m")
    ['m', 'n']
    """
    return sorted({n.id for n in ast.walk(ast.parse(formula)) if isinstance(n, ast.Name)})


def evaluate(formula: str, sizes: Mapping[str, int]) -> int:
    """The value of a formula; KeyError for a name without a size.

    >>> evaluate("(n+1)//2", {"n": 5})
    3
    """

    def value(node: ast.expr) -> int:
        if isinstance(node, ast.Name):
            return sizes[node.id]
        if isinstance(node, ast.Constant):
            return int(node.value)  # type: ignore[arg-type]
        assert isinstance(node, ast.BinOp)
        return _OPERATORS[type(node.op)](value(node.left), value(node.right))

    return value(ast.parse(formula, mode="eval").body)


class Later(NamedTuple):
    """An axis whose formula is looked at when all names are known."""

    axis: Axis
    place: int
    size: int
    what: str


class Bound:
    """What the names stand for, and in which tensor that was seen first."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.groups: dict[str, Shape] = {}
        self.seen: dict[str, str] = {}
        self.later: list[Later] = []

    def copy(self) -> Bound:
        """The same, to try something on."""
        made = Bound()
        made.sizes, made.groups = dict(self.sizes), dict(self.groups)
        made.seen, made.later = dict(self.seen), list(self.later)
        return made

    def match(self, axes: tuple[Axis, ...], shape: Shape, what: str) -> str:
        """Bind the names of one tensor; in words what does not fit, empty where all does."""
        many = next((k for k, axis in enumerate(axes) if axis.many), None)
        if many is None:
            if len(axes) != len(shape):
                return f"it needs {_axes(len(axes))}, not {len(shape)}"
            places = list(enumerate(axes))
        else:
            tail = len(axes) - many - 1
            if len(shape) < many + tail:
                return f"it needs at least {_axes(many + tail)}, not {len(shape)}"
            middle = shape[many : len(shape) - tail]
            if reason := self._group(axes[many], middle, what):
                return reason
            first = len(shape) - tail
            places = [*enumerate(axes[:many]), *enumerate(axes[many + 1 :], first)]
        for place, axis in places:
            if reason := self._one(axis, place, shape[place], what):
                return reason
        return ""

    def _one(self, axis: Axis, place: int, size: int, what: str) -> str:
        if axis.formula:
            self.later.append(Later(axis, place, size, what))
            return ""
        if axis.loose and size == 1:
            return ""
        if axis.size is not None:
            return "" if size == axis.size else f"axis {place} must be {axis.text}, not {size}"
        if not axis.name:
            return ""
        known = self.sizes.setdefault(axis.name, size)
        seen = self.seen.setdefault(axis.name, what)
        if known == size:
            return ""
        return f"axis {place} ({axis.name!r}) is {size}, but {axis.name!r} is {known} in {seen}"

    def _group(self, axis: Axis, shape: Shape, what: str) -> str:
        if not axis.name:
            return ""
        known = self.groups.get(axis.name)
        seen = self.seen.setdefault(axis.name, what)
        if known is None or known == shape:
            self.groups[axis.name] = shape
            return ""
        if axis.loose:
            joined = _joined(known, shape)
            if joined is not None:
                self.groups[axis.name] = joined
                return ""
        return f"its axes {axis.text!r} are {shape}, but {axis.name!r} is {known} in {seen}"

    def settle(self) -> tuple[str, str]:
        """Look at the formulas: which tensor does not fit and why, both empty where all do."""
        later, self.later = self.later, []
        for axis, place, size, what in later:
            unknown = [n for n in names_in(axis.formula) if n not in self.sizes]
            if unknown:
                return what, f"no argument gives the size of {unknown[0]!r} in {axis.text!r}"
            wanted = evaluate(axis.formula, self.sizes)
            if size != wanted and not (axis.loose and size == 1):
                values = ", ".join(f"{n} = {self.sizes[n]}" for n in names_in(axis.formula))
                return what, f"axis {place} must be {axis.text} = {wanted} ({values}), not {size}"
        return "", ""


def _axes(count: int) -> str:
    return f"{count} ax{'is' if count == 1 else 'es'}"


def _joined(a: Shape, b: Shape) -> Shape | None:
    """Two shapes broadcast against each other, None where they do not fit."""
    rank = max(len(a), len(b))
    wide = [(1,) * (rank - len(s)) + s for s in (a, b)]
    if any(m != n and 1 not in (m, n) for m, n in zip(*wide)):
        return None
    return tuple([n if m == 1 else m for m, n in zip(*wide)])
