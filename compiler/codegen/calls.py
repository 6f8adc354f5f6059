"""Functions: their head, `func.call`, `func.return`, and the C entry around the main one.

Takes: `func.func` operations. Gives: LLVM `define`s. Must not know: what the bodies compute.

A private function without a body is foreign: it is called by the C convention with pointers for
buffers; with `lz.callback = n` it is the host's callback number n, called through the context with
an array of its operands' addresses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lazir.runtime.abi import CTX_CALLBACK, STATUS_OK

from ..mlir.ir import Module, Op, Symbol, Unit, Value
from ..types import FunctionType, MemRefType, Type
from .control import bind, fail_if, flat, poll_interval, types_of
from .emitter import Emit, FunctionEmitter, ModuleEmitter, int_attr, ints_attr
from .text import CodegenError, row_count, type_text


def signature(op: Op) -> FunctionType:
    """A function's type."""
    type = op.attrs.get("function_type")
    if not isinstance(type, FunctionType):
        raise CodegenError(f"{op.name} needs a function_type")
    return type


def is_foreign(op: Op) -> bool:
    """Whether a function has no body here."""
    return not op.regions or not op.regions[0].ops


def machine_types(types: tuple[Type, ...]) -> list[str]:
    """LLVM types of the machine values behind several types."""
    return [t for v in types for t in [type_text(v)] * row_count(v)]


def result_text(op: Op, fallible: bool) -> str:
    """What a function returns: nothing, one value, or a struct; its status first, if it has one."""
    parts = ["i32"] * fallible + machine_types(signature(op).results)
    if not parts:
        return "void"
    return parts[0] if len(parts) == 1 else "{ " + ", ".join(parts) + " }"


def find_fallible(module: Module) -> set[str]:
    """Names of the functions that may be interrupted: those that poll, and their callers."""
    functions = {op.attrs["sym_name"]: op for op in module.functions()}
    calls = {name: _callees(op) for name, op in functions.items()}
    found = {n for n, op in functions.items() if "lz.callback" in op.attrs or _polls(op)}
    while True:
        more = {n for n, callees in calls.items() if callees & found} - found
        if not more:
            return found
        found |= more


def _callees(op: Op) -> set[str]:
    return {
        o.attrs["callee"].name
        for o in op.walk()
        if o.name == "func.call" and isinstance(o.attrs.get("callee"), Symbol)
    }


def _polls(op: Op) -> bool:
    loops = ("scf.for", "scf.while")
    return any(
        o.name == "scf.parallel" or (o.name in loops and poll_interval(o)) for o in op.walk()
    )


# -- heads -----------------------------------------------------------------------------------------
def parameters(f: FunctionEmitter, op: Op, arguments: Sequence[Value]) -> str:
    """The parameter list; binds the arguments. `lz.noalias` (all, or the listed ones) and
    `lz.alignment` (bytes for each argument, 0 for its element's) are the function's attributes."""
    aligned = ints_attr(op, "lz.alignment")
    apart = _distinct(op)
    reads = read_only(op)
    texts: list[str] = []
    for k, value in enumerate(arguments):
        rows = []
        for type in machine_types((value.type,)):
            name = f"%a{len(texts)}"
            extra = ""
            if isinstance(value.type, MemRefType):
                extra += " noalias" if k in apart else ""
                extra += " readonly" if k in reads else ""
                bytes = aligned[k] if k < len(aligned) else 0
                extra += f" align {max(bytes, value.type.dtype.itemsize)}"
            texts.append(f"{type}{extra} {name}")
            rows.append(name)
        f.set(value, tuple(rows))
    return ", ".join(texts)


def _distinct(op: Op) -> frozenset[int]:
    value = op.attrs.get("lz.noalias", ())
    if isinstance(value, Unit) or value is True:
        return frozenset(range(len(signature(op).inputs)))
    return frozenset(ints_attr(op, "lz.noalias"))


_READERS = {
    "memref.load": 0, "vector.load": 0, "vector.maskedload": 0, "vector.gather": 0,
    "memref.prefetch": 0, "memref.copy": 0,
}  # fmt: skip


def read_only(op: Op) -> frozenset[int]:
    """Arguments of which all uses are loads; a view counts as a write: it may be stored to."""
    numbers: dict[Any, int] = {v: k for k, v in enumerate(op.regions[0].args)}
    clean = {k for v, k in numbers.items() if isinstance(v.type, MemRefType)}
    for user in op.walk():
        for position, operand in enumerate(user.operands):
            if operand in numbers and _READERS.get(user.name) != position:
                clean.discard(numbers[operand])
    return frozenset(clean)


def function_name(module: ModuleEmitter, name: str) -> str:
    """The LLVM name of a function of the loop IR."""
    return module.names.get(name, name)


def define(f: FunctionEmitter, op: Op, emit_body: Any) -> str:
    """The whole `define` of a function."""
    name = op.attrs["sym_name"]
    f.fallible = name in f.module.fallible
    result = result_text(op, f.fallible)
    if f.fallible:
        f.failure = _failure(op, result)
    heads = parameters(f, op, op.regions[0].args)
    if f.context:
        heads += ", ptr %ctx" if heads else "ptr %ctx"
    emit_body(f, op.regions[0])
    group = "#1" if "lz.inline" in op.attrs else "#0"
    head = f"define internal {result} @{function_name(f.module, name)}({heads}) {group}"
    return f"{head} {{\n{f.text()}\n}}"


def _failure(op: Op, result: str) -> str:
    rest = machine_types(signature(op).results)
    if not rest:
        return "ret i32 1"
    zeros = ", ".join(["i32 1", *(f"{t} zeroinitializer" for t in rest)])
    return f"ret {result} {{ {zeros} }}"


def body(f: FunctionEmitter, region: Any) -> None:
    """All operations of a function, the return included."""
    for op in region.ops:
        f.emit(op)


# -- operations ------------------------------------------------------------------------------------
def give_back(f: FunctionEmitter, op: Op) -> None:
    """`func.return`."""
    types = ["i32"] * f.fallible + types_of(op.operands)
    values = [str(STATUS_OK)] * f.fallible + flat(f, op.operands)
    if len(types) < 2:
        f.line(f"  ret {types[0]} {values[0]}" if types else "  ret void")
        return
    whole, text = "poison", "{ " + ", ".join(types) + " }"
    for k, (type, value) in enumerate(zip(types, values)):
        whole = f.inst(f"insertvalue {text} {whole}, {type} {value}, {k}")
    f.line(f"  ret {text} {whole}")


def call(f: FunctionEmitter, op: Op) -> None:
    """`func.call`; the status of a fallible callee is looked at before anything else."""
    callee = op.attrs.get("callee")
    name = callee.name if isinstance(callee, Symbol) else str(callee)
    target = f.module.callees.get(name)
    if target is None:
        raise CodegenError(f"func.call of @{name}, which the module does not have")
    if [v.type for v in op.operands] != list(signature(target).inputs):
        raise CodegenError(f"func.call of @{name}: operands do not fit {signature(target)}")
    if "lz.callback" in target.attrs:
        return _call_host(f, op, int_attr(target, "lz.callback"))
    fallible = name in f.module.fallible
    arguments = [f"{t} {v}" for t, v in zip(types_of(op.operands), flat(f, op.operands))]
    if is_foreign(target):
        _declare_foreign(f, target)
    elif f.context:
        arguments.append(f"ptr {f.context}")
    result = result_text(target, fallible)
    text = f"call {result} @{function_name(f.module, name)}({', '.join(arguments)})"
    if result == "void":
        f.line(f"  {text}")
        return None
    whole = f.inst(text)
    parts = machine_types(signature(target).results)
    return _unpack(f, op, whole, result, parts, fallible)


def _unpack(
    f: FunctionEmitter, op: Op, whole: str, result: str, parts: list[str], fallible: bool
) -> None:
    count = len(parts) + fallible
    if count == 1:
        if fallible:
            fail_if(f, whole)
        else:
            bind(f, op.results, [whole])
        return
    values = [f.inst(f"extractvalue {result} {whole}, {k}") for k in range(count)]
    if fallible:
        fail_if(f, values.pop(0))
    bind(f, op.results, values)


def _declare_foreign(f: FunctionEmitter, op: Op) -> None:
    name = op.attrs["sym_name"]
    types = ", ".join(machine_types(signature(op).inputs))
    f.module.declare(name, f"declare {result_text(op, False)} @{name}({types}) nounwind")


def _call_host(f: FunctionEmitter, op: Op, number: int) -> None:
    """Through the context: an array of the buffers' addresses; nonzero means that it raised."""
    if op.results or not all(isinstance(v.type, MemRefType) for v in op.operands):
        raise CodegenError("a host callback takes buffers and returns nothing")
    pointers = flat(f, op.operands)
    array = f.alloca(f"[{max(1, len(pointers))} x ptr]")
    for k, pointer in enumerate(pointers):
        place = f.inst(f"getelementptr inbounds ptr, ptr {array}, i64 {k}")
        f.line(f"  store ptr {pointer}, ptr {place}")
    place = f.inst(f"getelementptr inbounds ptr, ptr {f.context}, i64 {CTX_CALLBACK}")
    function = f.inst(f"load ptr, ptr {place}")
    status = f.inst(f"call i32 {function}(ptr {f.context}, i64 {number}, ptr {array})")
    fail_if(f, status)


# -- the entry -------------------------------------------------------------------------------------
def entry_function(module: ModuleEmitter, op: Op, entry: str) -> str:
    """`int32_t entry(void **in, void **out, void *workspace, lz_ctx *ctx)`, around the main one.

    Its arguments are `lz.inputs` inputs, `lz.outputs` outputs, then at most one workspace.
    """
    inputs, outputs = int_attr(op, "lz.inputs"), int_attr(op, "lz.outputs")
    types = signature(op).inputs
    rest = len(types) - inputs - outputs
    if rest not in (0, 1) or signature(op).results:
        raise CodegenError(
            f"@{op.attrs['sym_name']} has {len(types)} arguments for {inputs} inputs, {outputs} "
            "outputs and at most one workspace, and must return nothing"
        )
    if not all(isinstance(t, MemRefType) and not t.space for t in types):
        raise CodegenError("the main function takes buffers only")
    lines, arguments = [], []
    for base, count in (("in", inputs), ("out", outputs)):
        for k in range(count):
            lines.append(f"  %{base}.{k} = getelementptr inbounds ptr, ptr %{base}, i64 {k}")
            lines.append(f"  %{base}.p{k} = load ptr, ptr %{base}.{k}")
            arguments.append(f"ptr %{base}.p{k}")
    arguments += ["ptr %workspace"] * rest + ["ptr %ctx"]
    name = op.attrs["sym_name"]
    text = f"@{function_name(module, name)}({', '.join(arguments)})"
    if name in module.fallible:
        lines += [f"  %status = call i32 {text}", "  ret i32 %status"]
    else:
        lines += [f"  call void {text}", f"  ret i32 {STATUS_OK}"]
    head = f"define i32 @{entry}(ptr %in, ptr %out, ptr %workspace, ptr %ctx) #0"
    return "\n".join([head + " {", "entry:", *lines, "}"])


CALLS: dict[str, Emit] = {"func.call": call, "func.return": give_back}
