"""The state of one LLVM function while it is written, and of the module around it.

Takes: lines of LLVM text and the loop IR values they define. Gives: the finished function's text.
Must not know: which operations there are.

Regions nest as *scopes*. Index arithmetic and addresses are written in the outermost scope where
their operands exist and once only: no later pass has to move or merge them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..mlir.ir import Op, Typed, Value
from ..target import Target
from .text import CodegenError, Row, row_count, type_text

Rows: TypeAlias = tuple[str, ...]
"""The LLVM operands that hold a value: one, or one for each row of a vector of rank two or more."""

Lines: TypeAlias = "list[str | Lines]"
Emit: TypeAlias = "Callable[[FunctionEmitter, Op], None]"


@dataclass
class ModuleEmitter:
    """What the functions of a module share: declarations, globals, metadata."""

    target: Target
    declarations: dict[str, str] = field(default_factory=dict)
    globals: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    metadata: list[str] = field(default_factory=list)
    callees: dict[str, Op] = field(default_factory=dict)
    fallible: set[str] = field(default_factory=set)
    helpers: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    annotations: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)

    def declare(self, name: str, text: str) -> None:
        """A `declare` line, once for each name."""
        self.declarations.setdefault(name, text)

    def helper(self, name: str, text: str) -> None:
        """A private function that the emitter itself brings, once for each name."""
        self.helpers.setdefault(name, text)

    def loop_tail(self, *, scalar: bool = False) -> str:
        """Behind a loop's branch: a fresh id that tells LLVM to leave the loop as it is written, or
        of a loop of scalar code that it may make vectors of several rounds.

        Not on GPUs, where ptxas knows better how far to unroll.
        """
        return "" if self.target.is_gpu else f", !llvm.loop {self.loop_metadata(scalar)}"

    def loop_metadata(self, scalar: bool = False) -> str:
        """A fresh loop id."""
        if not self.metadata:
            self.metadata += [
                '!0 = !{!"llvm.loop.vectorize.enable", i1 false}',
                '!1 = !{!"llvm.loop.unroll.disable"}',
                '!2 = !{!"branch_weights", i32 1, i32 1048575}',
                "!3 = !{i32 1}",
            ]
        number = len(self.metadata)
        vectors = "" if scalar else "!0, "
        self.metadata.append(f"!{number} = distinct !{{!{number}, {vectors}!1}}")
        return f"!{number}"

    def hint(self) -> str:
        """The metadata node that holds a plain 1."""
        if not self.metadata:
            self.loop_metadata()
        return "!3"

    def cold_branch(self) -> str:
        """The branch weights of a condition that is hardly ever true."""
        if not self.metadata:
            self.loop_metadata()
        return "!2"


@dataclass
class Scope:
    """One region: the lines just before it, and what was computed in it already."""

    before: Lines
    known: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Affine:
    """An index as Σ coefficient · value + constant, values named by their LLVM text."""

    terms: tuple[tuple[str, int], ...]
    constant: int = 0

    def plus(self, other: Affine, scale: int = 1) -> Affine:
        """self + scale · other."""
        terms = dict(self.terms)
        for name, coefficient in other.terms:
            terms[name] = terms.get(name, 0) + scale * coefficient
        kept = tuple((n, c) for n, c in terms.items() if c)
        return Affine(kept, self.constant + scale * other.constant)


class FunctionEmitter:
    """Writes the body of one function."""

    def __init__(
        self, module: ModuleEmitter, table: dict[str, Emit], name: str, context: str = "%ctx"
    ) -> None:
        self.module = module
        self.target = module.target
        self.table = table
        self.name = name
        self.context = context
        self.label = "entry"
        self.fallible = False
        self.in_body = False
        self.failure = "ret i32 1"
        self.prologue: list[str] = []
        self.lines: Lines = []
        self.scopes = [Scope(self.lines)]
        self._values: dict[Value, Rows] = {}
        self._sums: dict[Value, Affine] = {}
        self._depth: dict[str, int] = {}
        self._affine: dict[str, Affine] = {}
        self._labels = 0
        self._temporaries = 0
        self.bodies = 0
        self.interrupted_used = False
        self.count = ""

    # -- values -----------------------------------------------------------------------------------
    def get(self, value: Value) -> Rows:
        """The operands that hold a value."""
        rows = self._values.get(value)
        if rows is None:
            if value not in self._sums:
                raise CodegenError(f"{value!r} is used in @{self.name} before it is defined")
            rows = self._values[value] = (self.index_value(self._sums[value]),)
        return rows

    def one(self, value: Value) -> str:
        """The operand of a value that is one machine value."""
        rows = self.get(value)
        if len(rows) != 1:
            raise CodegenError(f"{value.type}: a vector of rank 1 is needed here")
        return rows[0]

    def set(self, value: Value, rows: Rows | str) -> None:
        """Define a value."""
        self._values[value] = (rows,) if isinstance(rows, str) else rows

    def fresh(self, hint: str = "") -> str:
        """A new name; its value exists from the scope in hand on."""
        self._temporaries += 1
        name = f"%{hint}.{self._temporaries}" if hint else f"%t{self._temporaries}"
        self._depth[name] = len(self.scopes) - 1
        return name

    def depth(self, text: str) -> int:
        """The scope that defines an operand; constants and arguments exist everywhere."""
        return self._depth.get(text, 0)

    # -- lines ------------------------------------------------------------------------------------
    def line(self, text: str) -> None:
        self.lines.append(text)

    def inst(self, text: str, hint: str = "") -> str:
        """Append an instruction with a result."""
        name = self.fresh(hint)
        self.lines.append(f"  {name} = {text}")
        return name

    def shared(self, text: str, operands: Sequence[str], hint: str = "") -> str:
        """An instruction without effects, written once, as far out as its operands allow.

        Only for instructions that may run where the original would not have.
        """
        depth = max((self.depth(o) for o in operands), default=0)
        for scope in self.scopes[: depth + 1]:
            if text in scope.known:
                return scope.known[text]
        name = self.fresh(hint)
        self._depth[name] = depth
        inside = depth == len(self.scopes) - 1
        where = self.lines if inside else self.scopes[depth + 1].before
        where.append(f"  {name} = {text}")
        self.scopes[depth].known[text] = name
        return name

    def alloca(self, text: str, hint: str = "") -> str:
        """Stack memory, always in the function's first block."""
        name = self.fresh(hint)
        self._depth[name] = 0
        self.prologue.append(f"  {name} = alloca {text}")
        return name

    def new_label(self, hint: str) -> str:
        self._labels += 1
        return f"{hint}.{self._labels}"

    def start(self, label: str) -> None:
        """Begin a basic block."""
        self.lines.append(f"{label}:")
        self.label = label

    @contextmanager
    def scope(self, before: Lines | None = None) -> Iterator[None]:
        """A region. What is computed for the outside goes to `before`, by default right here."""
        if before is None:
            before = self.gap()
        self.scopes.append(Scope(before))
        yield
        self.scopes.pop()

    def gap(self) -> Lines:
        """A place for lines to come, between those written and those that follow."""
        before: Lines = []
        self.lines.append(before)
        return before

    # -- calls ------------------------------------------------------------------------------------
    def intrinsic(
        self, name: str, result: str, arguments: Sequence[tuple[str, str]], suffix: str = ""
    ) -> str:
        """Call `name.suffix`, declaring it; arguments are (type, operand) pairs."""
        full = f"{name}.{suffix}" if suffix else name
        types = ", ".join(t for t, _ in arguments)
        self.module.declare(full, f"declare {result} @{full}({types})")
        call = f"call {result} @{full}({', '.join(f'{t} {v}' for t, v in arguments)})"
        if result != "void":
            return self.inst(call)
        self.line("  " + call)
        return ""

    def like(self, name: str, row: Row, *operands: str) -> str:
        """Call an intrinsic whose operands and result have one type: `llvm.sqrt.v8f32`."""
        return self.intrinsic(name, row.text, [(row.text, o) for o in operands], row.suffix)

    # -- index arithmetic -------------------------------------------------------------------------
    def define_index(self, value: Value, affine: Affine) -> None:
        """Define an index; code for it is written when something other than an address asks."""
        self._sums[value] = affine

    def indices(self, values: Sequence[Value]) -> list[Affine]:
        """What is known of each of several indices."""
        return [self.index_of(v) for v in values]

    def index_of(self, value: Value) -> Affine:
        """What is known of an index."""
        found = self._sums.get(value)
        return self.affine(self.one(value)) if found is None else found

    def affine(self, text: str) -> Affine:
        """What is known of an index operand."""
        if text.lstrip("-").isdigit():
            return Affine((), int(text))
        return self._affine.get(text) or Affine(((text, 1),))

    def settle(self, texts: Sequence[str]) -> None:
        """Operands of a region that has ended, and surely has run, live on in the scope in hand."""
        depth = len(self.scopes) - 1
        for text in texts:
            if self.depth(text) > depth:
                self._depth[text] = depth
                self._affine.pop(text, None)

    def remember(self, text: str, affine: Affine) -> None:
        """Record how an operand came about."""
        self._affine[text] = affine

    def product(self, name: str, factor: int) -> str:
        """name · factor on i64."""
        return name if factor == 1 else self.shared(f"mul i64 {name}, {factor}", [name])

    def index_value(self, affine: Affine) -> str:
        """The operand that holds an affine index."""
        total = ""
        for name, coefficient in sorted(affine.terms, key=lambda t: self.depth(t[0])):
            term = self.product(name, coefficient)
            total = self.shared(f"add i64 {total}, {term}", [total, term]) if total else term
        if not total:
            return str(affine.constant)
        if affine.constant:
            total = self.shared(f"add i64 {total}, {affine.constant}", [total])
        self.remember(total, affine)
        return total

    # -- operations -------------------------------------------------------------------------------
    def emit(self, op: Op) -> None:
        """Write one operation; errors name it and where it came from."""
        function = self.table.get(op.name)
        if function is None:
            raise CodegenError(
                f"{op.name} has no machine code on {self.target.name}: "
                f"expand it before the loops stage ({_describe(op)})"
            )
        try:
            function(self, op)
        except CodegenError as error:
            if "\n  in " in str(error):
                raise
            raise CodegenError(f"{error}\n  in {_describe(op)}, @{self.name}") from None

    def text(self) -> str:
        """All lines of the body, from the label of the first block on."""
        out = ["entry:", *self.prologue]
        _flatten(self.lines, out)
        if self.interrupted_used:
            out += ["interrupted:", f"  {self.failure}"]
        return "\n".join(out)


def _flatten(lines: Lines, out: list[str]) -> None:
    for line in lines:
        if isinstance(line, str):
            out.append(line)
        else:
            _flatten(line, out)


def _describe(op: Op) -> str:
    types = ", ".join(str(v.type) for v in op.operands)
    results = ", ".join(str(v.type) for v in op.results)
    where = f" at {op.locs[0].file}:{op.locs[0].line}" if op.locs else ""
    return f"{op.name} : ({types}) -> ({results}){where}"


def int_attr(op: Op, name: str, default: int | None = None) -> int:
    """An integer attribute, however it was written."""
    given = op.attrs.get(name, default)
    value: Any = given.value if isinstance(given, Typed) else given
    if isinstance(value, int):
        return int(value)
    raise CodegenError(f"{op.name} needs an integer attribute {name}, not {value!r}")


def ints_attr(op: Op, name: str) -> tuple[int, ...]:
    """An attribute that lists integers, however it was written; empty where it is missing."""
    value: Any = op.attrs.get(name, ())
    items = value if isinstance(value, tuple | list) else [value]
    return tuple(int(v.value if isinstance(v, Typed) else v) for v in items)


def text_attr(op: Op, name: str) -> str:
    """A keyword attribute (`slt`, `#vector.kind<add>`) as its bare word."""
    value: Any = op.attrs.get(name)
    text = value if isinstance(value, str) else str(getattr(value, "text", ""))
    return text.split("<")[-1].rstrip(">").split(" ")[-1]


def results_text(op: Op) -> list[str]:
    """LLVM types of all machine values that an operation's results need."""
    return [t for v in op.results for t in [type_text(v.type)] * row_count(v.type)]
