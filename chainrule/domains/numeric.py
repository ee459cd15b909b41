"""Domains of single numbers: every entry for itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from random import Random

import numpy as np

from chainrule.domains.base import Array, Domain, entry, first, number, slack
from chainrule.errors import UsageError


class Entrywise(Domain):
    """A domain that asks the same of every entry."""

    def broken(self, value: np.ndarray) -> np.ndarray:
        """Which entries break the rule, beyond rounding."""
        raise NotImplementedError

    def inside(self, x: Fraction) -> bool:
        """Whether a number belongs to it."""
        raise NotImplementedError

    def moved(self, x: Fraction, rng: Random) -> Fraction:
        """A member that a number decides."""
        raise NotImplementedError

    def rule(self) -> str:
        """What every entry must be."""
        raise NotImplementedError

    def fault(self, name: str, value: np.ndarray) -> str:
        wrong = self.broken(value)
        if not wrong.any():
            return ""
        at = first(wrong)
        return f"{entry(name, at)} is {number(value[at])}: {self.rule()}"

    def holds(self, exact: Array) -> bool:
        return all(self.inside(x) for x in exact.flat)

    def member(self, raw: Array, rng: Random) -> Array:
        out = np.empty(raw.shape, object)
        out.reshape(-1)[:] = [self.moved(x, rng) for x in raw.flat]
        return out


@dataclass(frozen=True, repr=False)
class Real(Entrywise):
    """Any real numbers."""

    said = "real"
    code = "cr.real()"

    def broken(self, value: np.ndarray) -> np.ndarray:
        return np.zeros(value.shape, bool)

    def inside(self, x: Fraction) -> bool:
        return True

    def moved(self, x: Fraction, rng: Random) -> Fraction:
        return x


@dataclass(frozen=True, repr=False)
class Positive(Entrywise):
    """Numbers above 0."""

    said = "positive"
    code = "cr.positive()"

    def rule(self) -> str:
        return "every entry must be above 0"

    def broken(self, value: np.ndarray) -> np.ndarray:
        return np.asarray(~(value > 0))

    def inside(self, x: Fraction) -> bool:
        return x > 0

    def moved(self, x: Fraction, rng: Random) -> Fraction:
        return abs(x) or Fraction(1)


@dataclass(frozen=True, repr=False)
class Interval(Entrywise):
    """Numbers from low to high, the finite ends included."""

    low: Fraction | float
    high: Fraction | float

    def __post_init__(self) -> None:
        for end in (self.low, self.high):
            if isinstance(end, float) and math.isnan(end):
                raise UsageError("cr.interval: an end is nan; give two numbers, low below high")
        if not self.low < self.high:
            raise UsageError(
                f"{self.code}: low must be below high; a number that never changes is no input"
            )

    @property
    def said(self) -> str:
        left = "(" if math.isinf(self.low) else "["
        right = ")" if math.isinf(self.high) else "]"
        ends = [str(float(e)).replace("inf", "∞").removesuffix(".0") for e in (self.low, self.high)]
        return f"in {left}{ends[0]}, {ends[1]}{right}".replace("-", "−")

    @property
    def code(self) -> str:
        return f"cr.interval({float(self.low):g}, {float(self.high):g})"

    def rule(self) -> str:
        return f"every entry must lie {self.said}"

    def broken(self, value: np.ndarray) -> np.ndarray:
        ends = [abs(float(e)) for e in (self.low, self.high) if not math.isinf(e)]
        more = slack(value) * max(ends, default=0.0)
        return np.asarray(~((value >= float(self.low) - more) & (value <= float(self.high) + more)))

    def inside(self, x: Fraction) -> bool:
        return bool(self.low <= x <= self.high)

    def moved(self, x: Fraction, rng: Random) -> Fraction:
        if self.low < x < self.high:
            return x
        if math.isinf(self.high):
            return Fraction(self.low) + abs(x)
        if math.isinf(self.low):
            return Fraction(self.high) - abs(x)
        low, high = Fraction(self.low), Fraction(self.high)
        return low + (high - low) * Fraction(rng.randrange(1, 1024), 1024)

    def nearest(self, exact: Array) -> Array:
        out = np.empty(exact.shape, object)
        ends = [None if math.isinf(e) else Fraction(e) for e in (self.low, self.high)]
        low, high = ends
        out.reshape(-1)[:] = [
            low if low is not None and x < low else high if high is not None and x > high else x
            for x in exact.flat
        ]
        return out


@dataclass(frozen=True, repr=False)
class Integers(Entrywise):
    """Whole numbers from low to high, both included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise UsageError(f"{self.code}: low must be below high; both are included")

    @property
    def said(self) -> str:
        if (self.low, self.high) == (0, 1):
            return "0 or 1"
        return f"a whole number from {self.low} to {self.high}".replace("-", "−")

    @property
    def code(self) -> str:
        return f"cr.integers({self.low}, {self.high})"

    def rule(self) -> str:
        return f"every entry must be {self.said}"

    def broken(self, value: np.ndarray) -> np.ndarray:
        near = np.rint(value)
        fits = (near >= self.low) & (near <= self.high)
        return np.asarray(~(fits & (np.abs(value - near) <= slack(value) * np.abs(near))))

    def inside(self, x: Fraction) -> bool:
        return x.denominator == 1 and self.low <= x <= self.high

    def moved(self, x: Fraction, rng: Random) -> Fraction:
        return Fraction(rng.randint(self.low, self.high))

    def nearest(self, exact: Array) -> Array:
        out = np.empty(exact.shape, object)
        out.reshape(-1)[:] = [Fraction(round(x)) for x in exact.flat]
        return out
