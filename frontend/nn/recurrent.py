"""Recurrent layers and their cells, with PyTorch's names, equations and states.

Takes: sequences. Gives: modules. Must not know: how loops run. A layer is one `scan` over time; the
products with the inputs of all steps are done before it, in one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, ClassVar

from lazir.compiler.errors import ShapeError

from .. import numpy as lnp
from ..apply import fail
from ..control import scan
from ..tensor import Tensor
from . import functional, init
from .module import Module, Parameter

State = tuple[Tensor, ...]
Step = Callable[[Any, Any, State], State]
"""From what comes of the input, and of the hidden state, and the state: the next state."""


# -- the equations -------------------------------------------------------------------------
def _gates(x: Any, count: int) -> list[Tensor]:
    found: list[Tensor] = lnp.split(x, count, axis=-1)
    return found


def _tanh_step(a: Any, b: Any, state: State) -> State:
    return (lnp.tanh(a + b),)


def _relu_step(a: Any, b: Any, state: State) -> State:
    return (functional.relu(a + b),)


def _gru_step(a: Any, b: Any, state: State) -> State:
    """Cho et al. (2014), in the form whose reset gate acts after the product (PyTorch's)."""
    (h,) = state
    (reset, update, new), (reset_h, update_h, new_h) = _gates(a, 3), _gates(b, 3)
    keep = functional.sigmoid(update + update_h)
    fresh = lnp.tanh(new + functional.sigmoid(reset + reset_h) * new_h)
    return (fresh + keep * (h - fresh),)


def _lstm_step(a: Any, b: Any, state: State) -> State:
    """Hochreiter and Schmidhuber (1997), with a forget gate."""
    _, cell = state
    i, f, g, o = _gates(a + b, 4)
    cell = functional.sigmoid(f) * cell + functional.sigmoid(i) * lnp.tanh(g)
    return functional.sigmoid(o) * lnp.tanh(cell), cell


def _relu_or_tanh(nonlinearity: str) -> Step:
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"nonlinearity is 'tanh' or 'relu', not {nonlinearity!r}")
    return _tanh_step if nonlinearity == "tanh" else _relu_step


# -- cells ---------------------------------------------------------------------------------
class _Cell(Module):
    _step: Step
    _gate_count: ClassVar[int] = 1
    _state_count: ClassVar[int] = 1

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, *, key: Any = None
    ) -> None:
        self.input_size, self.hidden_size = input_size, hidden_size
        rows = self._gate_count * hidden_size
        self.weight_ih = Parameter(init.by_fan_in((rows, input_size), hidden_size, key))
        self.weight_hh = Parameter(init.by_fan_in((rows, hidden_size), hidden_size))
        self.bias_ih = Parameter(init.by_fan_in((rows,), hidden_size)) if bias else None
        self.bias_hh = Parameter(init.by_fan_in((rows,), hidden_size)) if bias else None

    def _next(self, x: Any, state: State | None) -> State:
        x = lnp.asarray(x)
        if state is None:
            shape = (*x.shape[:-1], self.hidden_size)
            state = (lnp.zeros(shape, x.dtype),) * self._state_count
        from_input = functional.linear(x, self.weight_ih, self.bias_ih)
        from_state = functional.linear(state[0], self.weight_hh, self.bias_hh)
        return self._step(from_input, from_state, state)

    def forward(self, x: Any, hx: Any = None) -> Any:
        """The next hidden state, from inputs (n, input_size) or (input_size)."""
        return self._next(x, None if hx is None else (hx,))[0]


class RNNCell(_Cell):
    """One step h' = tanh(W_ih x + b_ih + W_hh h + b_hh).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.RNNCell(3, 4)(lnp.ones((2, 3))).shape
    (2, 4)
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", *,
        key: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, key=key)
        self._step = _relu_or_tanh(nonlinearity)


class GRUCell(_Cell):
    """One step of a gated recurrent unit.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> lz.nn.GRUCell(3, 4)(lnp.ones((2, 3))).shape
    (2, 4)
    """

    _step = staticmethod(_gru_step)
    _gate_count = 3


class LSTMCell(_Cell):
    """One step of a long short-term memory; the state is a pair (h, c).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> h, c = lz.nn.LSTMCell(3, 4)(lnp.ones((2, 3)))
    >>> h.shape, c.shape
    ((2, 4), (2, 4))
    """

    _step = staticmethod(_lstm_step)
    _gate_count = 4
    _state_count = 2

    def forward(self, x: Any, hx: Any = None) -> Any:
        """The next pair (h, c)."""
        return self._next(x, None if hx is None else tuple(hx))


# -- layers --------------------------------------------------------------------------------
class _Recurrent(Module):
    """Layers over time, one or two directions each."""

    _step: Step
    _gate_count: ClassVar[int] = 1
    _state_count: ClassVar[int] = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        key: Any = None,
    ) -> None:
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, dropout
        self.bidirectional = bidirectional
        rows = self._gate_count * hidden_size
        for layer, suffix in itertools.product(range(num_layers), self._suffixes):
            width = hidden_size * len(self._suffixes) if layer else input_size
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (rows, width),
                "weight_hh": (rows, hidden_size),
            }
            if bias:
                shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
            for name, shape in shapes.items():
                start = init.by_fan_in(shape, hidden_size, key)
                self.__dict__[f"{name}_l{layer}{suffix}"] = Parameter(start)
                key = None

    @property
    def _suffixes(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def _along(self, xs: Any, state: State, label: str, reverse: bool) -> tuple[Tensor, State]:
        """One direction of one layer: all hidden states, and the last state."""
        held = self.__dict__
        from_inputs = functional.linear(
            xs, held[f"weight_ih_{label}"], held.get(f"bias_ih_{label}")
        )
        weight, bias = held[f"weight_hh_{label}"], held.get(f"bias_hh_{label}")

        def step(before: State, a: Any) -> tuple[State, Tensor]:
            after = self._step(a, functional.linear(before[0], weight, bias), before)
            return after, after[0]

        last, hidden = scan(step, state, from_inputs, reverse=reverse)
        return hidden, last

    def _run(self, x: Any, state: State | None) -> tuple[Tensor, State]:
        x = lnp.asarray(x)
        if len(x.shape) not in (2, 3) or x.shape[-1] != self.input_size:
            fail(
                f"{type(self).__name__} needs inputs (length, batch, {self.input_size}) or "
                f"(length, {self.input_size}), got shape {x.shape}", ShapeError,
            )  # fmt: skip
        turned = self.batch_first and len(x.shape) == 3
        if turned:
            x = lnp.swapaxes(x, 0, 1)
        count = self.num_layers * len(self._suffixes)
        if state is None:
            shape = (count, *x.shape[1:-1], self.hidden_size)
            state = (lnp.zeros(shape, x.dtype),) * self._state_count
        finals: list[State] = []
        for layer in range(self.num_layers):
            outs = []
            for suffix in self._suffixes:
                own = tuple([s[len(finals)] for s in state])
                out, last = self._along(x, own, f"l{layer}{suffix}", bool(suffix))
                outs.append(out)
                finals.append(last)
            x = outs[0] if len(outs) == 1 else lnp.concatenate(outs, -1)
            if self.dropout and layer + 1 < self.num_layers:
                x = functional.dropout(x, self.dropout, self.training)
        ends = tuple([lnp.stack(parts) for parts in zip(*finals)])
        return (lnp.swapaxes(x, 0, 1) if turned else x), ends

    def forward(self, x: Any, hx: Any = None) -> Any:
        """All hidden states of the last layer, and the last ones of all layers."""
        out, state = self._run(x, None if hx is None else (hx,))
        return out, state[0]


class RNN(_Recurrent):
    """A recurrent network, h' = tanh(W_ih x + b_ih + W_hh h + b_hh).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> out, h = lz.nn.RNN(3, 4)(lnp.ones((5, 2, 3)))
    >>> out.shape, h.shape
    ((5, 2, 4), (1, 2, 4))
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh",
        bias: bool = True, batch_first: bool = False, dropout: float = 0.0,
        bidirectional: bool = False, *, key: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, key=key
        )
        self._step = _relu_or_tanh(nonlinearity)


class GRU(_Recurrent):
    """Gated recurrent units.

    >>> import lazir as lz, lazir.numpy as lnp
    >>> out, h = lz.nn.GRU(3, 4, batch_first=True)(lnp.ones((2, 5, 3)))
    >>> out.shape, h.shape
    ((2, 5, 4), (1, 2, 4))
    """

    _step = staticmethod(_gru_step)
    _gate_count = 3


class LSTM(_Recurrent):
    """Long short-term memory; the state is a pair (h, c).

    >>> import lazir as lz, lazir.numpy as lnp
    >>> out, (h, c) = lz.nn.LSTM(3, 4, num_layers=2)(lnp.ones((5, 2, 3)))
    >>> out.shape, h.shape, c.shape
    ((5, 2, 4), (2, 2, 4), (2, 2, 4))
    """

    _step = staticmethod(_lstm_step)
    _gate_count = 4
    _state_count = 2

    def forward(self, x: Any, hx: Any = None) -> Any:
        """All hidden states of the last layer, and the last (h, c) of all layers."""
        return self._run(x, None if hx is None else tuple(hx))
