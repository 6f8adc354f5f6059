"""What all distributions have: location, scale, support, and the functions that follow from others.

Takes: functions of the standard variable. Gives: `Continuous`, `Discrete`. Must not know: which
distributions there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ... import numpy as lnp
from ...apply import fail
from ...special.operands import floats
from ...tensor import Tensor

Function = Callable[..., Any]


def _always(*shapes: Any) -> Any:
    return True


def _logarithm(share: Tensor, rest: Tensor) -> Tensor:
    """The logarithm of a probability, from its complement where it is near 1."""
    near = share > 0.5
    return lnp.where(near, lnp.log1p(-lnp.where(near, rest, 0)), lnp.log(lnp.where(near, 1, share)))


class Distribution:
    """Where it lives, and which shapes it may have."""

    def __init__(
        self,
        name: str,
        shapes: Sequence[str],
        support: Function,
        valid: Function = _always,
        doc: str = "",
    ) -> None:
        self.__name__ = name
        self.__doc__ = doc
        self.shapes = tuple(shapes)
        self._support = support
        self._valid = valid

    def __repr__(self) -> str:
        return f"<lazir.scipy.stats.{self.__name__}({', '.join(self.shapes)})>"

    def _split(self, given: Sequence[Any], named: dict[str, Any], last: Sequence[str]) -> list[Any]:
        """Shapes, then what `last` names, whose defaults are 0 and 1, by position or by name."""
        names = (*self.shapes, *last)
        if len(given) > len(names):
            fail(f"{self.__name__} takes {', '.join(names)}; {len(given)} arguments are too many")
        found = dict(zip(names, given))
        for name, value in named.items():
            if name not in names:
                fail(f"{self.__name__} has no argument {name!r}; it takes {', '.join(names)}")
            if name in found:
                fail(f"{self.__name__} got two values for {name!r}")
            found[name] = value
        missing = [n for n in self.shapes if n not in found]
        if missing:
            fail(f"{self.__name__} needs {', '.join(missing)}")
        defaults = {"loc": 0, "scale": 1}
        return [found[n] if n in found else defaults[n] for n in names]

    def _outside(self, x: Tensor, *shapes: Tensor) -> tuple[Any, Any, Any]:
        """Below the support, above it, and a place inside of it for those elements."""
        low, high, inner = self._support(*shapes)
        return x < low, x > high, lnp.where((x < low) | (x > high) | lnp.isnan(x), inner, x)

    def _or_nan(self, result: Any, x: Tensor, scale: Any, shapes: Sequence[Tensor]) -> Tensor:
        """NaN where a parameter is none, or x is NaN."""
        good = (scale > 0) & self._valid(*shapes) & ~lnp.isnan(x)
        kept: Tensor = lnp.where(good, result, lnp.nan)
        return kept


class Continuous(Distribution):
    """A family of densities. Every method takes x, the shapes, `loc` and `scale`, broadcast.

    Where a shape or the scale is not allowed the results are NaN, as SciPy's are. Values outside of
    the support have density 0, without NaN in gradients.
    """

    def __init__(
        self,
        name: str,
        shapes: Sequence[str],
        support: Function,
        log_density: Function,
        cdf: Function,
        sf: Function,
        ppf: Function | None = None,
        isf: Function | None = None,
        logcdf: Function | None = None,
        logsf: Function | None = None,
        valid: Function = _always,
        doc: str = "",
    ) -> None:
        super().__init__(name, shapes, support, valid, doc)
        self._log_density, self._cdf, self._sf = log_density, cdf, sf
        self._ppf, self._isf = ppf, isf
        self._logcdf, self._logsf = logcdf, logsf

    def _standard(self, what: str, x: Any, args: Any, named: Any) -> tuple[Any, Any, list[Any]]:
        *shapes, loc, scale = self._split(args, named, ("loc", "scale"))
        x, loc, scale, *shapes = floats(f"{self.__name__}.{what}", x, loc, scale, *shapes)
        return (x - loc) / scale, scale, shapes

    def logpdf(self, x: Any, *args: Any, **named: Any) -> Tensor:
        """The logarithm of the density: −inf outside of the support."""
        z, scale, shapes = self._standard("logpdf", x, args, named)
        below, above, inside = self._outside(z, *shapes)
        found = self._log_density(inside, *shapes) - lnp.log(scale)
        return self._or_nan(lnp.where(below | above, -lnp.inf, found), z, scale, shapes)

    def pdf(self, x: Any, *args: Any, **named: Any) -> Tensor:
        """The density: 0 outside of the support."""
        return lnp.exp(self.logpdf(x, *args, **named))

    def _bounded(
        self,
        what: str,
        x: Any,
        args: Any,
        named: Any,
        function: Function,
        ends: tuple[float, float],
    ) -> Tensor:
        z, scale, shapes = self._standard(what, x, args, named)
        below, above, inside = self._outside(z, *shapes)
        found = lnp.where(below, ends[0], lnp.where(above, ends[1], function(inside, *shapes)))
        return self._or_nan(found, z, scale, shapes)

    def cdf(self, x: Any, *args: Any, **named: Any) -> Tensor:
        """The probability of at most x."""
        return self._bounded("cdf", x, args, named, self._cdf, (0.0, 1.0))

    def sf(self, x: Any, *args: Any, **named: Any) -> Tensor:
        """The probability of more than x: 1 − cdf, accurate where that is small."""
        return self._bounded("sf", x, args, named, self._sf, (1.0, 0.0))

    def logcdf(self, x: Any, *args: Any, **named: Any) -> Tensor:
        """The logarithm of `cdf`."""
        if self._logcdf is None:
            return _logarithm(self.cdf(x, *args, **named), self.sf(x, *args, **named))
        return self._bounded("logcdf", x, args, named, self._logcdf, (-lnp.inf, 0.0))

    def logsf(self, x: Any, *args: Any, **named: Any) -> Tensor:
        """The logarithm of `sf`."""
        if self._logsf is None:
            return _logarithm(self.sf(x, *args, **named), self.cdf(x, *args, **named))
        return self._bounded("logsf", x, args, named, self._logsf, (0.0, -lnp.inf))

    def _quantile(
        self, what: str, q: Any, args: Any, named: Any, function: Function | None
    ) -> Tensor:
        if function is None:
            return fail(f"{self.__name__} has no {what}: the inverse has no closed form")  # type: ignore[no-any-return]
        *shapes, loc, scale = self._split(args, named, ("loc", "scale"))
        q, loc, scale, *shapes = floats(f"{self.__name__}.{what}", q, loc, scale, *shapes)
        good = (q >= 0) & (q <= 1)
        found = loc + scale * function(lnp.where(good, q, 0.5), *shapes)
        return self._or_nan(lnp.where(good, found, lnp.nan), q, scale, shapes)

    def ppf(self, q: Any, *args: Any, **named: Any) -> Tensor:
        """The inverse of `cdf`."""
        return self._quantile("ppf", q, args, named, self._ppf)

    def isf(self, q: Any, *args: Any, **named: Any) -> Tensor:
        """The inverse of `sf`."""
        return self._quantile("isf", q, args, named, self._isf)


class Discrete(Distribution):
    """A family of probabilities of integers. Every method takes k, the shapes and `loc`, broadcast.

    Numbers that are no integers have probability 0.
    """

    def __init__(
        self,
        name: str,
        shapes: Sequence[str],
        support: Function,
        log_mass: Function,
        cdf: Function | None = None,
        sf: Function | None = None,
        valid: Function = _always,
        doc: str = "",
    ) -> None:
        super().__init__(name, shapes, support, valid, doc)
        self._log_mass, self._cdf, self._sf = log_mass, cdf, sf

    def _standard(self, what: str, k: Any, args: Any, named: Any) -> tuple[Any, list[Any]]:
        *shapes, loc = self._split(args, named, ("loc",))
        k, loc, *shapes = floats(f"{self.__name__}.{what}", k, loc, *shapes)
        return k - loc, shapes

    def logpmf(self, k: Any, *args: Any, **named: Any) -> Tensor:
        """The logarithm of the probability of k."""
        z, shapes = self._standard("logpmf", k, args, named)
        below, above, inside = self._outside(z, *shapes)
        broken = z != lnp.floor(z)
        found = self._log_mass(lnp.floor(inside), *shapes)
        found = lnp.where(below | above | broken, -lnp.inf, found)
        return self._or_nan(found, z, 1, shapes)

    def pmf(self, k: Any, *args: Any, **named: Any) -> Tensor:
        """The probability of k."""
        return lnp.exp(self.logpmf(k, *args, **named))

    def _summed(
        self, what: str, k: Any, args: Any, named: Any, function: Function | None,
        ends: tuple[float, float],
    ) -> Tensor:  # fmt: skip
        if function is None:
            return fail(f"{self.__name__} has no {what}: the sum has no closed form")  # type: ignore[no-any-return]
        z, shapes = self._standard(what, k, args, named)
        below, above, inside = self._outside(lnp.floor(z), *shapes)
        found = lnp.where(below, ends[0], lnp.where(above, ends[1], function(inside, *shapes)))
        return self._or_nan(found, z, 1, shapes)

    def cdf(self, k: Any, *args: Any, **named: Any) -> Tensor:
        """The probability of at most k."""
        return self._summed("cdf", k, args, named, self._cdf, (0.0, 1.0))

    def sf(self, k: Any, *args: Any, **named: Any) -> Tensor:
        """The probability of more than k."""
        return self._summed("sf", k, args, named, self._sf, (1.0, 0.0))

    def logcdf(self, k: Any, *args: Any, **named: Any) -> Tensor:
        """The logarithm of `cdf`."""
        return _logarithm(self.cdf(k, *args, **named), self.sf(k, *args, **named))

    def logsf(self, k: Any, *args: Any, **named: Any) -> Tensor:
        """The logarithm of `sf`."""
        return _logarithm(self.sf(k, *args, **named), self.cdf(k, *args, **named))
