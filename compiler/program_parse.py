"""Reads the `kernels` stage back: the inverse of `kernel_text.kernels_to_module`.

Takes: a Module. Gives: the kernel-level Graph, or a VerifyError with the operation's text.
Must not know: how a kernel is read (`kernel_parse.py`), how text is parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from .graph import Builder, Graph
from .graph import Value as GraphValue
from .hosts import KIND as HOST_KIND
from .hosts import HostCall
from .hosts_parse import function_to_host
from .kernel import Kernel, alias
from .kernel_parse import function_to_kernel
from .kernel_reader import refuse, scalar_constant, tensor_type
from .kernel_text import KIND, TYPES, captures
from .library import KIND as LIBRARY_KIND
from .library import LibraryCall
from .library_parse import function_to_call
from .mlir.ir import Block, Dense, Module, Op, Value
from .mlir.verify import verify
from .types import FunctionType, MemRefType, TensorType, Type


def module_to_kernels(module: Module) -> Graph:
    """The kernel-level Graph of the module's public function."""
    verify(module)
    main = main_function(module)
    functions = {f.attrs["sym_name"]: _function(f) for f in module.functions() if f is not main}
    name, block = main.attrs["sym_name"], main.regions[0]
    for arg in block.args:
        tensor_type(main, arg.type)
    definitions = {result: op for op in main.walk() for result in op.results}
    reader = _Reader(functions, definitions, Builder(name=name))
    params = [reader.b.param(tensor_type(main, a.type), a.hint) for a in block.args]
    reader.known.update(zip(block.args, params))
    return reader.b.graph(reader.read(block))


Callee: TypeAlias = Kernel | LibraryCall | HostCall | None
"""What a private function is: a kernel, a call of LAPACK or of the host, or (None) a barrier."""


def _function(func: Op) -> Callee:
    kind = func.attrs.get(KIND)
    if kind == LIBRARY_KIND:
        return function_to_call(func)
    if kind == HOST_KIND:
        return function_to_host(func)
    return None if kind == "barrier" else function_to_kernel(func)


def main_function(module: Module) -> Op:
    """The program's function: the only public one."""
    found = [f for f in module.functions() if f.attrs.get("sym_visibility") != "private"]
    if len(found) != 1:
        names = ", ".join(f"@{f.attrs['sym_name']}" for f in found) or "none"
        where = (found or module.ops or [Op("builtin.module")])[-1]
        refuse(where, f"a program has one function that is not private; here: {names}")
    return found[0]


def program_types(main: Op) -> FunctionType:
    """The program's types, with bools and unsigned integers; of the stages kernels and loops."""
    noted = main.attrs.get(TYPES)
    if noted is not None:
        if not isinstance(noted, FunctionType):
            refuse(main, f"{TYPES} is a function type")
        return noted
    type: FunctionType = main.attrs["function_type"]
    if not any(isinstance(t, MemRefType) for t in type.inputs):
        return type
    counts = [main.attrs.get("lz.inputs"), main.attrs.get("lz.outputs")]
    known = [n for n in counts if isinstance(n, int)]
    if len(known) != 2 or len(type.inputs) - sum(known) not in (0, 1):
        refuse(
            main,
            "at the stage loops the program's function says by lz.inputs and lz.outputs how many "
            "of its arguments are which; one more may be the workspace",
        )
    inputs, outputs = known
    tensors = tuple(_tensor(main, t) for t in type.inputs)
    return FunctionType(tensors[:inputs], tensors[inputs : inputs + outputs])


def _tensor(main: Op, type: Type) -> TensorType:
    if not isinstance(type, MemRefType):
        refuse(main, f"the program's arguments are buffers, not {type}")
    return TensorType(type.shape, type.dtype)


@dataclass
class _Reader:
    """Reads one block of the program into a Graph: the function's, or a region's."""

    functions: Mapping[str, Callee]
    definitions: Mapping[Value, Op]
    b: Builder
    known: dict[Value, GraphValue] = field(default_factory=dict)

    def read(self, block: Block) -> list[GraphValue]:
        """All operations; gives the operands of the terminator that are tensors."""
        for op in block.ops[:-1]:
            step = _STEPS.get(op.name)
            if step is None:
                refuse(op, f"{op.name} has no place in a program of kernels")
            step(self, op)
        last = block.ops[-1]
        return [self.value(last, v) for v in last.operands if isinstance(v.type, TensorType)]

    def value(self, op: Op, value: Value) -> GraphValue:
        """The tensor behind a name."""
        if value not in self.known:
            refuse(op, "the operand is no tensor that the program has computed")
        return self.known[value]

    def _values(self, op: Op, values: Sequence[Value]) -> tuple[GraphValue, ...]:
        return tuple(self.value(op, v) for v in values)

    def _add(self, op: Op, name: str, inputs: Sequence[Value], attrs: Mapping[str, object]) -> None:
        types = tuple(tensor_type(op, r.type) for r in op.results)
        node = self.b.add(name, self._values(op, inputs), attrs, types, op.locs)
        self.known.update(zip(op.results, node.results))

    # -- operations -------------------------------------------------------------------------
    def scalar(self, op: Op) -> None:
        """Part of a condition; read when the condition is."""

    def constant(self, op: Op) -> None:
        if isinstance(op.result.type, TensorType):
            dense = op.attrs["value"]
            if not isinstance(dense, Dense):
                refuse(op, "an array constant is a dense<…>")
            self._add(op, "constant", (), {"value": dense})

    def reshape(self, op: Op) -> None:
        self.b.current = op.locs
        type = tensor_type(op, op.result.type)
        self.known[op.result] = alias(self.b, self.value(op, op.operands[0]), type.shape)
        self.b.current = ()

    def call(self, op: Op) -> None:
        kernel = self.functions[op.attrs["callee"].name]
        if kernel is None:
            self._add(op, "barrier", op.operands, {"n": len(op.results)})
        elif isinstance(kernel, HostCall):
            attrs = {"index": kernel.index, "ordered": kernel.ordered}
            self._add(op, "callback", op.operands, attrs)
        elif isinstance(kernel, LibraryCall):
            self._add(op, kernel.op, op.operands, dict(kernel.attrs))
        else:
            self._add(op, "kernel", op.operands, {"kernel": kernel})

    def while_(self, op: Op) -> None:
        before, after = op.regions
        condition = before.ops[-1]
        if list(condition.operands[1:]) != before.args:
            refuse(condition, "scf.condition passes on what the loop carries, unchanged")
        (flag,) = self._tested(condition, condition.operands[0], "arith.cmpi", ("ne",))
        operands = self._captured(op, op.regions)
        attrs = {
            "cond": self._region("cond", before, operands, [flag]),
            "body": self._region("body", after, operands),
            "n_const": len(operands),
        }
        self._add(op, "while", [*operands, *op.operands], attrs)

    def if_(self, op: Op) -> None:
        (which,) = self._tested(op, op.operands[0], "arith.cmpi", ("sgt", "ne"))
        self._branches(op, which, [op.regions[1], op.regions[0]])

    def switch(self, op: Op) -> None:
        cases = op.attrs["cases"]
        if tuple(cases) != tuple(range(len(cases))):
            refuse(op, "the cases are 0, 1, … in order; the default is the last branch")
        cast = self._definition(op, op.operands[0], "arith.index_cast")
        (which,) = self._tested(cast, cast.operands[0], "arith.maxsi")
        self._branches(op, which, [*op.regions[1:], op.regions[0]])

    def _branches(self, op: Op, which: Value, blocks: list[Block]) -> None:
        operands = self._captured(op, blocks)
        graphs = tuple(self._region("branch", block, operands) for block in blocks)
        self._add(op, "cond", [which, *operands], {"branches": graphs})

    # -- conditions -------------------------------------------------------------------------
    def _definition(self, op: Op, value: Value, name: str) -> Op:
        found = self.definitions.get(value)
        if found is None or found.name != name:
            refuse(op, f"expected the result of {name} here")
        return found

    def _tested(
        self, op: Op, value: Value, name: str, predicates: Sequence[str] = ()
    ) -> tuple[Value]:
        """The tensor whose element is compared with (or raised to) 0."""
        test = self._definition(op, value, name)
        zero = self._definition(test, test.operands[1], "arith.constant")
        right = not predicates or test.attrs["predicate"] in predicates
        if not right or scalar_constant(zero).data != 0:
            how = " or ".join(predicates)
            refuse(test, f"the condition is {name} {how} of an extracted element and 0")
        return (self._definition(test, test.operands[0], "tensor.extract").operands[0],)

    # -- regions ----------------------------------------------------------------------------
    def _captured(self, op: Op, blocks: Sequence[Block]) -> list[Value]:
        """What regions take from outside: what they list at their heads, then all else."""
        listed = next((heads for heads in map(_heads, blocks) if heads), [])
        first = [head.operands[0] for head in listed]
        return first + [v for v in captures(blocks) if v not in first]

    def _region(
        self,
        name: str,
        block: Block,
        operands: Sequence[Value],
        results: Sequence[Value] | None = None,
    ) -> Graph:
        """The closed Graph of a region: parameters for what it takes from outside, then its own."""
        inner = _Reader(self.functions, self.definitions, Builder(name=name))
        heads = _heads(block)
        for k, value in enumerate(operands):
            param = inner.b.param(tensor_type(block.ops[-1], value.type))
            inner.known.setdefault(value, param)
            if k < len(heads):
                inner.known[heads[k].result] = param
        for arg in block.args:
            inner.known[arg] = inner.b.param(tensor_type(block.ops[-1], arg.type))
        made = inner.read(Block(block.args, block.ops[len(heads) :]))
        if results is not None:
            made = [inner.value(block.ops[-1], v) for v in results]
        return inner.b.graph(made)


def _heads(block: Block) -> list[Op]:
    """The casts to the same type at the head of a region, which list what it takes."""
    count = 0
    for op in block.ops:
        if op.name != "tensor.cast" or op.operands[0].type != op.result.type:
            break
        count += 1
    return block.ops[:count]


_STEPS: dict[str, Callable[[_Reader, Op], None]] = {
    "arith.constant": _Reader.constant,
    "arith.cmpi": _Reader.scalar,
    "arith.maxsi": _Reader.scalar,
    "arith.index_cast": _Reader.scalar,
    "tensor.extract": _Reader.scalar,
    "tensor.collapse_shape": _Reader.reshape,
    "tensor.expand_shape": _Reader.reshape,
    "func.call": _Reader.call,
    "scf.while": _Reader.while_,
    "scf.if": _Reader.if_,
    "scf.index_switch": _Reader.switch,
}
