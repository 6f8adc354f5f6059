"""PyTorch's gradients on the lazy graph: `backward`, `no_grad`, `detach`.

Takes: lazy tensors whose history leads to leaves that require a gradient. Gives: lazy gradients in
those leaves. The derivative is a graph like any other and joins the pending one, so that forward
and backward pass run as one program. Must not know: operations.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from lazir.compiler.autodiff.vjp import vjp_graph
from lazir.compiler.graph import NO_ATTRS, Builder, Value
from lazir.compiler.ops.source import constant

from .apply import as_tensor, call, fail, lift, operand, tensor, value_of
from .handle import Handle, State, wrap_array
from .lazy import LAZY, TORCH, LazyNode, Recording, alias, cone, leaf, record, settings
from .numpy.parts import conjugate_of
from .tensor import Tensor
from .trace import active

# -- settings ----------------------------------------------------------------------------


def grad_is_off() -> bool:
    """Whether recording for `backward` is off in this thread."""
    return bool(getattr(settings, "no_grad", False))


@contextmanager
def no_grad() -> Iterator[None]:
    """Operations inside are not recorded for `backward`. Also a decorator: `@lz.no_grad()`.

    >>> import lazir as lz
    >>> w = lz.Tensor([1.0], requires_grad=True)
    >>> with lz.no_grad():
    ...     (w * 2).requires_grad
    False
    """
    before = grad_is_off()
    settings.no_grad = True
    try:
        yield
    finally:
        settings.no_grad = before


@contextmanager
def enable_grad() -> Iterator[None]:
    """Recording for `backward` is on again inside."""
    before = grad_is_off()
    settings.no_grad = False
    try:
        yield
    finally:
        settings.no_grad = before


@contextmanager
def _grad_set(before: bool) -> Iterator[None]:
    try:
        yield
    finally:
        settings.no_grad = before


def set_grad_enabled(mode: bool) -> AbstractContextManager[None]:
    """Turn recording for `backward` on or off at once; as a `with` block, until its end.

    >>> import lazir as lz
    >>> w = lz.Tensor([1.0], requires_grad=True)
    >>> with lz.set_grad_enabled(False):
    ...     (w * 2).requires_grad
    False
    """
    block = _grad_set(grad_is_off())
    settings.no_grad = not mode
    return block


def is_grad_enabled() -> bool:
    """Whether operations are recorded for `backward` in this thread."""
    return not grad_is_off()


inference_mode = no_grad


def gradient_state(handle: Handle) -> State:
    """The handle's state, made where there is none."""
    if handle._state is None:
        handle._state = State()
    return handle._state


def make_leaf(handle: Handle, value: Value | None = None) -> None:
    """Let gradients end in this handle: from its data, or from a pending value."""
    if value is None:
        array = handle._array
        assert array is not None
        node = leaf(array, handle._dtype, TORCH)
    else:
        node = alias(value, TORCH)
        node.tracked = TORCH
    node.owner = weakref.ref(handle)
    handle._array, handle._value = None, node.result


def detach(handle: Handle) -> Tensor:
    """The same value, out of reach of gradients."""
    if handle._array is not None:
        return wrap_array(handle._array, handle._dtype, handle._weak)
    value = value_of(handle)
    if active() is not None:
        return tensor(call("stop_gradient", value), handle._weak)
    node = LazyNode("alias", (value,), NO_ATTRS, (value.type,), ())
    node.tracked = 0
    data = value.node.data  # type: ignore[attr-defined]
    if data is not None:
        return wrap_array(data[value.index], handle._dtype, handle._weak)
    return tensor(node.result, handle._weak)


# -- reverse mode ------------------------------------------------------------------------
def gradients(
    recording: Recording, active_inputs: Sequence[bool], given: Sequence[Value]
) -> list[Value]:
    """As `cotangents`, in PyTorch's convention: a gradient with respect to x + iy is ∂/∂x + i ∂/∂y,
    the conjugate of the cotangent.
    """
    found = cotangents(recording, active_inputs, [conjugate_of(v) for v in given])
    return [conjugate_of(v) for v in found]


def cotangents(
    recording: Recording, active_inputs: Sequence[bool], seeds: Sequence[Value]
) -> list[Value]:
    """The lazy cotangents of the active inputs, for lazy cotangents of the float results.

    The forward pass is not recorded twice: what the adjoint reads of it are the values that are
    there.
    """
    forward, backward = vjp_graph(recording.graph, active_inputs)
    shared, back = shared_builder(recording)
    params = [shared.mapping[v] for v in recording.inputs]
    outs = shared.builder.inline(forward.results, dict(zip(forward.params, params)), forward.locs)
    residuals = outs[len(recording.graph.results) :]
    cts = [shared.builder.param(s.type) for s in seeds]
    ends = shared.builder.inline(
        backward.results, dict(zip(backward.params, [*residuals, *cts])), backward.locs
    )
    back.update(zip(cts, seeds))
    return LAZY.inline(ends, back, shared.builder.locs)


class _Shared:
    """A Builder that holds a recording's graph, where a derivative's forward part merges with
    it.
    """

    def __init__(self, recording: Recording) -> None:
        self.builder = Builder(name="shared")
        graph = recording.graph
        inner = {p: self.builder.param(p.type) for p in graph.params}
        self.builder.inline(graph.results, inner, graph.locs)
        self.mapping = {
            lazy: inner[value] for lazy, value in recording.mapping.items() if value in inner
        }


def shared_builder(recording: Recording) -> tuple[_Shared, dict[Value, Value]]:
    """The Builder, and its values that exist as lazy values."""
    shared = _Shared(recording)
    back: dict[Value, Value] = {}
    for lazy, value in shared.mapping.items():
        back.setdefault(value, lazy)
    return shared, back


def _history(value: Value, stop: Callable[[LazyNode], bool]) -> Recording:
    return record(cone([value], stop), [value], stop, "loss")


def _ends(node: LazyNode) -> bool:
    return not node.tracked & TORCH or node.op in ("param", "alias") or not node.inputs


def _seed(loss: Any, gradient: Any) -> Value:
    if gradient is None:
        if loss.size != 1:
            fail(
                "backward() without an argument needs a scalar, got shape "
                f"{loss.shape}; reduce it with sum or mean, or pass its gradient"
            )
        if loss._dtype.is_complex:
            fail(
                f"backward() without an argument needs a real scalar, got {loss._dtype}; take a "
                "real part or the size, or pass its gradient"
            )
        return constant(LAZY, 1, loss._dtype, loss.shape)
    found = lift(operand(gradient), loss._dtype)
    if found.shape != loss.shape:
        fail(f"the gradient of shape {found.shape} does not fit the tensor's {loss.shape}")
    return found


def backward(loss: Any, gradient: Any = None, retain_graph: bool = False) -> None:
    """Add the gradient of `loss` to `.grad` of every leaf in its history."""
    if active() is not None:
        fail(
            "backward() inside of a compiled function is not possible; use lz.value_and_grad there"
        )
    value = loss._value
    if value is None or not value.node.tracked & TORCH:
        fail(
            "backward() needs a tensor computed from one that requires a gradient (and a second "
            "backward() needs retain_graph=True in the first)"
        )
    before = grad_is_off()
    settings.no_grad = True
    try:
        seed = _seed(loss, gradient)
        recording = _history(value, _ends)
        flags = [_wanted(v) for v in recording.inputs]
        grads = gradients(recording, flags, [seed]) if any(flags) else []
        targets = [v for v, flag in zip(recording.inputs, flags) if flag]
        for target, grad in zip(targets, grads):
            _accumulate(target, grad)
        _retained(value, seed)
    finally:
        settings.no_grad = before
    if not retain_graph and value.node.owner is None:
        value.node.tracked = 0


def _wanted(value: Value) -> bool:
    node: Any = value.node
    return bool(node.tracked & TORCH) and node.owner is not None and value.type.dtype.is_inexact


def _retained(value: Value, seed: Value) -> None:
    """Gradients of intermediate tensors that asked for it."""
    for node in cone([value], _ends):
        if node.owner is None or _ends(node):
            continue
        target = node.result

        def stop(n: LazyNode, node: LazyNode = node) -> bool:
            return n is node or _ends(n)

        recording = _history(value, stop)
        flags = [v == target for v in recording.inputs]
        _accumulate(target, gradients(recording, flags, [seed])[0])


def _accumulate(target: Value, grad: Value) -> None:
    owner = target.node.owner  # type: ignore[attr-defined]
    handle = owner() if owner is not None else None
    if handle is None:
        return
    state = gradient_state(handle)
    new = tensor(grad)
    state.grad = new if state.grad is None else new + state.grad


def functional_grad(
    outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: bool = True
) -> tuple[Any, ...]:
    """Gradients of a scalar with respect to chosen tensors, not added to `.grad`
    (torch.autograd.grad).

    >>> import lazir as lz
    >>> w = lz.Tensor([3.0], requires_grad=True)
    >>> print(functional_grad((w * w).sum(), [w])[0])
    [6.]
    """
    wanted = [inputs] if isinstance(inputs, Handle) else list(inputs)
    value = outputs._value
    if value is None or not value.node.tracked & TORCH:
        fail("the gradient needs a tensor computed from one that requires a gradient")
    targets = {x._value.node for x in wanted if x._value is not None}

    def stop(node: LazyNode) -> bool:
        return node in targets or _ends(node)

    recording = _history(value, stop)
    flags = [v.node in targets for v in recording.inputs]
    found = dict(
        zip(
            [v for v, flag in zip(recording.inputs, flags) if flag],
            gradients(recording, flags, [_seed(outputs, grad_outputs)]),
        )
    )
    return tuple(
        tensor(found[x._value]) if x._value in found else as_tensor(0.0) * x for x in wanted
    )
