"""Ordinary differential equations from initial values, with steps that suit the error.

Takes: a right-hand side, an initial value, times. Gives: the values at the times, differentiable.
Must not know: SciPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .. import numpy as lnp
from ..apply import fail, operand
from ..batching import vmap
from ..control import scan, while_loop
from ..custom import custom_vjp
from ..flatten_util import ravel_pytree
from ..implicit import closure_convert
from ..tensor import Tensor
from ..transforms import vjp

# Dormand and Prince, A family of embedded Runge-Kutta formulae (1980), Table 2
_NODES = (1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
_STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)

Slope = Callable[[Tensor, Tensor], Tensor]


class _Options(NamedTuple):
    rtol: float
    atol: float
    mxstep: float


def odeint(
    func: Callable[..., Any],
    y0: Any,
    t: Any,
    *args: Any,
    rtol: float = 1.4e-8,
    atol: float = 1.4e-8,
    mxstep: float = 100_000,
) -> Any:
    """y at the times t, where dy/dt = func(y, t, *args) and y = y0 at t[0].

    y0: a tensor or a tree of them; t: a vector that grows, or one that falls from its start on (a
    number twice is fine); results have a first axis for t, NaN where t turns round. Steps are
    those of Dormand and Prince (1980), of order 5, chosen so that the error of each stays below
    atol + rtol · |y|; after `mxstep` of them between two times the result is NaN from there on.
    Reverse derivatives in y0, t and args (and in what func closes over) come from the adjoint
    equation, solved backwards: Chen and others, Neural ordinary differential equations (2018).

    >>> import lazir as lz
    >>> from lazir.scipy.integrate import odeint
    >>> y = odeint(lambda y, t: -y, lz.Tensor(1.0), lz.Tensor([0.0, 1.0]), rtol=1e-5, atol=1e-5)
    >>> [round(v, 3) for v in y.tolist()]
    [1.0, 0.368]
    """
    times = lnp.asarray(t)
    flat, unravel = ravel_pytree(y0)
    if times.ndim != 1 or times.shape[0] < 1:
        fail(f"odeint takes a vector of times, got shape {times.shape}")
    if not lnp.isdtype(flat.dtype, "real floating"):
        fail(f"odeint takes real floating-point values, got {flat.dtype}")
    times = times.astype(flat.dtype)

    def slope(y: Tensor, at: Tensor, *rest: Any) -> Tensor:
        found = ravel_pytree(func(unravel(y), at, *rest))[0]
        if found.shape != y.shape:
            fail(f"odeint: func gives {found.size} numbers for a y of {y.size}")
        return found.astype(y.dtype)

    sign = lnp.where(times[-1] < times[0], -1, 1).astype(times.dtype)

    def along(y: Tensor, s: Tensor, sign: Tensor, *rest: Any) -> Tensor:
        """By s = ±t, which grows."""
        return sign * slope(y, sign * s, *rest)

    converted, consts = closure_convert(along, flat, times[0], sign, *args)
    solution = _solution(converted, _Options(rtol, atol, mxstep))
    path = solution(flat, sign * times, sign, *args, *consts)
    turned = (lnp.diff(sign * times, prepend=sign * times[:1]) < 0).reshape(-1, 1)
    return vmap(unravel)(lnp.where(lnp.cumsum(turned, axis=0) > 0, lnp.nan, path))


def _solution(slope: Callable[..., Tensor], options: _Options) -> Callable[..., Tensor]:
    """(y0, times, *held) → the path, with the adjoint equation as its derivative."""

    def path(y0: Tensor, times: Tensor, *held: Any) -> Tensor:
        return _path(lambda y, at: slope(y, at, *held), y0, times, options)

    smooth = custom_vjp(path)

    def ahead(y0: Tensor, times: Tensor, *held: Any) -> tuple[Tensor, Any]:
        ys = smooth(y0, times, *held)
        return ys, (ys, times, held)

    def back(kept: Any, cts: Tensor) -> Any:
        ys, times, held = kept
        return _adjoint(slope, ys, times, held, cts, options)

    smooth.defvjp(ahead, back)
    return smooth


def _path(slope: Slope, y0: Tensor, times: Tensor, options: _Options) -> Tensor:
    """The values at all times, one interval after the other."""
    if times.shape[0] == 1:
        return y0[None]
    first = slope(y0, times[0])
    start = (y0, first, times[0], _first_step(slope, y0, times[0], first, options))

    def interval(state: Any, goal: Tensor) -> tuple[Any, Tensor]:
        state = _advance(slope, state, goal, options)
        return state, state[0]

    ys = scan(interval, start, times[1:])[1]
    return lnp.concatenate([y0[None], ys])


def _first_step(slope: Slope, y: Tensor, at: Tensor, f: Tensor, options: _Options) -> Tensor:
    """Hairer, Nørsett and Wanner, Solving ordinary differential equations I (1993), II.4."""
    size = options.atol + options.rtol * lnp.abs(y)
    d0, d1 = _rms(y / size), _rms(f / size)
    small = (d0 < 1e-5) | (d1 < 1e-5)
    h0 = lnp.where(small, 1e-6, 0.01 * d0 / lnp.where(small, 1, d1))
    d2 = _rms((slope(y + h0 * f, at + h0) - f) / size) / h0
    most = lnp.maximum(d1, d2)
    h1 = lnp.where(
        most <= 1e-15, lnp.maximum(1e-6, h0 * 1e-3), (0.01 / lnp.maximum(most, 1e-15)) ** 0.2
    )
    return lnp.minimum(100 * h0, h1).astype(y.dtype)


def _rms(x: Tensor) -> Tensor:
    return lnp.sqrt(lnp.mean(x * x))


def _step(slope: Slope, y: Tensor, f: Tensor, at: Tensor, h: Tensor) -> tuple[Tensor, ...]:
    """One step: the new value and slope (which is the next step's first), and the error."""
    slopes, new = [f], y
    for node, weights in zip(_NODES, _STAGES):
        new = y + h * sum(w * k for w, k in zip(weights, slopes) if w)
        slopes.append(slope(new, at + node * h))
    error = h * sum(w * k for w, k in zip(_ERROR, slopes) if w)
    return new, slopes[-1], error


def _advance(slope: Slope, state: Any, goal: Tensor, options: _Options) -> Any:
    """From one time to the next; the last step is cut so that it ends there."""

    def going(carry: Any) -> Any:
        _, _, at, _, count = carry
        return (at < goal) & (count < options.mxstep)

    def step(carry: Any) -> Any:
        y, f, at, h, count = carry
        cut = at + h >= goal
        taken = lnp.where(cut, goal - at, h)
        new, slope_there, error = _step(slope, y, f, at, taken)
        size = options.atol + options.rtol * lnp.maximum(lnp.abs(y), lnp.abs(new))
        ratio = _rms(error / size)
        good = ratio <= 1
        # a fifth-order method's error grows as h⁵; 0.9 of the ideal, at most ten times, at least
        # a fifth, and no growth after a step that was not good
        factor = 0.9 * lnp.maximum(ratio, 1e-10) ** -0.2
        factor = lnp.clip(lnp.where(lnp.isnan(factor), 0.2, factor), 0.2, lnp.where(good, 10, 1))
        longer = (taken * factor).astype(h.dtype)
        h = lnp.where(cut & good, lnp.maximum(h, longer), longer)
        where = lnp.where(cut, goal, at + taken)
        return (
            lnp.where(good, new, y), lnp.where(good, slope_there, f),
            lnp.where(good, where, at), h, count + 1,
        )  # fmt: skip

    y, f, at, h, _ = while_loop(going, step, (*state, 0))
    return lnp.where(at < goal, lnp.nan, y), f, lnp.where(at < goal, goal, at), h


def _adjoint(
    slope: Callable[..., Tensor],
    ys: Tensor,
    times: Tensor,
    held: tuple[Any, ...],
    cts: Tensor,
    options: _Options,
) -> tuple[Any, ...]:
    """Cotangents of the initial value, the times, and what is held."""
    smooth = [operand(h).dtype.is_float for h in held]
    moving = [h for h, flag in zip(held, smooth) if flag]

    def with_moving(y: Tensor, at: Tensor, some: list[Any]) -> Tensor:
        rest = iter(some)
        return slope(y, at, *(next(rest) if flag else h for h, flag in zip(held, smooth)))

    zero = [lnp.zeros_like(m) for m in moving]
    _, unravel = ravel_pytree((ys[0], cts[0], times[0], zero))

    def backwards(joint: Tensor, s: Tensor) -> Tensor:
        """Of (y, its adjoint, the start's cotangent, those of what is held), by s = −time."""
        y, adjoint, _, _ = unravel(joint)
        value, pull = vjp(with_moving, y, -s, moving)
        of_y, of_t, of_moving = pull(adjoint)
        return ravel_pytree((-value, of_y, of_t, of_moving))[0]

    def interval(state: Any, item: Any) -> tuple[Any, Tensor]:
        adjoint, of_start, of_moving = state
        y, later, earlier, ct_there = item
        adjoint = adjoint + ct_there
        of_time = lnp.vdot(with_moving(y, later, moving), ct_there)
        joint = ravel_pytree((y, adjoint, of_start - of_time, of_moving))[0]
        ends = lnp.stack([-later, -earlier])
        _, adjoint, of_start, of_moving = unravel(_path(backwards, joint, ends, options)[1])
        return (adjoint, of_start, of_moving), of_time

    items = (ys[1:], times[1:], times[:-1], cts[1:])
    start = (lnp.zeros_like(cts[0]), lnp.zeros_like(times[0]), zero)
    (adjoint, of_start, of_moving), of_times = scan(interval, start, items, reverse=True)
    found = iter(of_moving)
    rest = [next(found) if flag else None for flag in smooth]
    return (adjoint + cts[0], lnp.concatenate([of_start[None], of_times]), *rest)
