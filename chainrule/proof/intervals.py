"""Intervals of exact numbers, with ends that belong to them or not: what a value surely lies in.

Every operation encloses: the result holds each value that the operands can give. Nothing is rounded
inwards; what would need a number that is no fraction takes a wider one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import Any

#: An end: the number, and whether it is left out. None: there is none.
End = tuple[Fraction, bool] | None


@dataclass(frozen=True)
class Interval:
    """low, high : the ends. nonzero : 0 is left out, even where it lies between them.

    >>> Interval.of(0, 1, open_low=True).positive, Interval.of(-1, 1).positive
    (True, False)
    """

    low: End = None
    high: End = None
    nonzero: bool = False

    @staticmethod
    def of(
        low: int | Fraction | None,
        high: int | Fraction | None,
        *,
        open_low: bool = False,
        open_high: bool = False,
    ) -> Interval:
        """From numbers, None where there is no end."""
        a = None if low is None else (Fraction(low), open_low)
        b = None if high is None else (Fraction(high), open_high)
        return Interval(a, b)

    @property
    def positive(self) -> bool:
        """Whether it lies above 0."""
        if self.low is None:
            return False
        value, open_ = self.low
        return value > 0 or (value == 0 and (open_ or self.nonzero))

    @property
    def nonnegative(self) -> bool:
        """Whether nothing of it lies below 0."""
        return self.low is not None and self.low[0] >= 0

    @property
    def without_zero(self) -> bool:
        """Whether 0 is not in it."""
        return self.nonzero or self.positive or (-self).positive

    def __neg__(self) -> Interval:
        low = None if self.high is None else (-self.high[0], self.high[1])
        high = None if self.low is None else (-self.low[0], self.low[1])
        return Interval(low, high, self.nonzero)

    def __add__(self, other: Interval) -> Interval:
        return Interval(_sum(self.low, other.low), _sum(self.high, other.high))

    def __mul__(self, other: Interval) -> Interval:
        nonzero = self.without_zero and other.without_zero
        ends = [_product(a, s, b, t) for a, s in self._ends() for b, t in other._ends()]
        return Interval(_extreme(ends, -1, nonzero), _extreme(ends, 1, nonzero), nonzero)

    def _ends(self) -> tuple[tuple[End, int], tuple[End, int]]:
        return (self.low, -1), (self.high, 1)

    def square(self) -> Interval:
        """x² of one and the same x."""
        away = abs(self)
        return away * away

    def __abs__(self) -> Interval:
        if self.nonnegative:
            return self
        if (-self).nonnegative:
            return -self
        ends = [e for e in (self.high, _neg(self.low)) if e is not None]
        high = max(ends, key=lambda e: (e[0], not e[1])) if len(ends) == 2 else None
        return Interval((Fraction(0), self.nonzero), high, self.nonzero)

    def inverse(self) -> Interval:
        """1/x where x ≠ 0."""
        if self.nonnegative:
            assert self.low is not None
            high = None if not self.low[0] else (1 / self.low[0], self.low[1])
            low = (Fraction(0), True) if self.high is None else _over(self.high)
            return Interval(low, high, True)
        if (-self).nonnegative:
            return -(-self).inverse()
        return Interval(None, None, True)

    def union(self, other: Interval) -> Interval:
        """Both."""
        low = None
        if self.low is not None and other.low is not None:
            low = min(self.low, other.low)
        high = None
        if self.high is not None and other.high is not None:
            high = max(self.high, other.high, key=lambda e: (e[0], not e[1]))
        return Interval(low, high, self.without_zero and other.without_zero)

    def meet(self, other: Interval) -> Interval:
        """What lies in both."""
        lows = [e for e in (self.low, other.low) if e is not None]
        highs = [e for e in (self.high, other.high) if e is not None]
        low = max(lows, default=None)
        high = min(highs, key=lambda e: (e[0], not e[1]), default=None)
        return Interval(low, high, self.nonzero or other.nonzero)


def _neg(e: End) -> End:
    return None if e is None else (-e[0], e[1])


def _sum(a: End, b: End) -> End:
    return None if a is None or b is None else (a[0] + b[0], a[1] or b[1])


def _over(e: tuple[Fraction, bool]) -> End:
    return (1 / e[0], e[1]) if e[0] else None


def _product(a: End, s: int, b: End, t: int) -> tuple[Any, bool]:
    """The product of two ends, ±∞ where one is no number; 0·∞ is 0: the others bound what is near.

    s, t : −1 for a lower end, 1 for an upper one.
    """
    x, y = (a[0] if a else s * inf), (b[0] if b else t * inf)
    if not x or not y:
        return Fraction(0), False
    return x * y, bool((a and a[1]) or (b and b[1]))


def _extreme(ends: Sequence[tuple[Any, bool]], side: int, nonzero: bool) -> End:
    """The lowest (−1) or highest (1) of ends; a 0 belongs to it but where no factor can be 0."""
    value = max(e[0] for e in ends) if side > 0 else min(e[0] for e in ends)
    if isinstance(value, float):
        return None
    if not value:
        return value, nonzero
    return value, all(e[1] for e in ends if e[0] == value)


__all__ = ["Interval"]
