"""Domains of lines along an axis: one-hot, simplex, unit length."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np

from chainrule.domains.base import Array, Domain, along, digits, entry, first, line, number, slack


@dataclass(frozen=True, repr=False)
class Lines(Domain):
    """A domain that asks the same of every line along an axis. axis : may count from the end."""

    axis: int = 0

    def misfit(self, shape: tuple[int, ...]) -> str:
        if not shape:
            return "it is a single number and has no axis"
        if not -len(shape) <= self.axis < len(shape):
            what = "1 axis" if len(shape) == 1 else f"{len(shape)} axes"
            return f"it has {what}, and no axis {self.axis}"
        return "" if shape[self.axis] else f"it has no entries along axis {self.axis}"

    def broken(self, xs: np.ndarray) -> str:
        """What of a line breaks the rule, beyond rounding; "" if nothing does."""
        raise NotImplementedError

    def fits(self, xs: Array) -> bool:
        """Whether an exact line belongs to it."""
        raise NotImplementedError

    def made(self, raw: Array, rng: Random) -> list[Fraction]:
        """A member that a line decides."""
        raise NotImplementedError

    def beside(self, xs: Array) -> list[Fraction]:
        """The member next to a line."""
        raise NotImplementedError

    def fault(self, name: str, value: np.ndarray) -> str:
        for at in along(value.shape, self.axis):
            what = self.broken(value[at])
            if what:
                return f"{line(name, at)} {what}"
        return ""

    def holds(self, exact: Array) -> bool:
        return all(self.fits(exact[at]) for at in along(exact.shape, self.axis))

    def member(self, raw: Array, rng: Random) -> Array:
        out = np.empty(raw.shape, object)
        for at in along(raw.shape, self.axis):
            out[at] = self.made(raw[at], rng)
        return out

    def nearest(self, exact: Array) -> Array:
        out = np.empty(exact.shape, object)
        for at in along(exact.shape, self.axis):
            out[at] = self.beside(exact[at])
        return out


@dataclass(frozen=True, repr=False)
class OneHot(Lines):
    """One entry of every line is 1, the others are 0."""

    @property
    def said(self) -> str:
        return f"one-hot along axis {self.axis}"

    @property
    def code(self) -> str:
        return f"cr.one_hot(axis={self.axis})"

    def broken(self, xs: np.ndarray) -> str:
        near = np.rint(xs)
        if near.sum() == 1 and np.all((near == 0) | (near == 1)):
            if np.all(np.abs(xs - near) <= slack(xs)):
                return ""
        sums = f"sums to {number(xs.sum())}"
        odd = ~((xs == 0) | (xs == 1))
        shown = f" and holds {number(xs[first(odd)])}" if odd.any() else ""
        return f"{sums}{shown}: one entry of each must be 1, and the others 0"

    def fits(self, xs: Array) -> bool:
        return all(x == 0 or x == 1 for x in xs) and sum(xs) == 1

    def made(self, raw: Array, rng: Random) -> list[Fraction]:
        hot = rng.randrange(len(raw))
        return [Fraction(int(k == hot)) for k in range(len(raw))]

    def beside(self, xs: Array) -> list[Fraction]:
        return [Fraction(round(x)) for x in xs]


@dataclass(frozen=True, repr=False)
class Simplex(Lines):
    """The entries of every line are above 0 and sum to 1. zeros : whether entries may be 0."""

    zeros: bool = False

    @property
    def said(self) -> str:
        what = "not negative" if self.zeros else "positive"
        return f"{what} and sums to 1 along axis {self.axis}"

    @property
    def code(self) -> str:
        return f"cr.simplex(axis={self.axis}{', zeros=True' if self.zeros else ''})"

    def fault(self, name: str, value: np.ndarray) -> str:
        wrong = value < 0 if self.zeros else value <= 0
        if wrong.any():
            at = first(wrong)
            rule = "no entry may be negative" if self.zeros else "every entry must be above 0"
            more = "" if self.zeros or value[at] < 0 else "; where some may be 0, say zeros=True"
            return f"{entry(name, at)} is {number(value[at])}: {rule}{more}"
        return super().fault(name, value)

    def broken(self, xs: np.ndarray) -> str:
        total = xs.sum(dtype=float)
        if abs(total - 1) <= slack(xs, len(xs)):
            return ""
        return f"sums to {number(total)}: each must sum to 1"

    def fits(self, xs: Array) -> bool:
        return sum(xs) == 1 and all(x >= 0 if self.zeros else x > 0 for x in xs)

    def made(self, raw: Array, rng: Random) -> list[Fraction]:
        # whole numbers that sum to a power of two: binary fractions, as floats have them
        n = len(raw)
        whole = 2 ** (16 + n.bit_length())
        sizes = [abs(x) for x in raw]
        if self.zeros and n > 1:
            keep = rng.randrange(n)
            sizes = [s if k == keep or rng.random() < 0.7 else 0 for k, s in enumerate(sizes)]
        total = sum(sizes)
        parts = [max(int(s * whole / total), 1) if s else 0 for s in sizes]
        parts[parts.index(max(parts))] += whole - sum(parts)
        return [Fraction(p, whole) for p in parts]

    def beside(self, xs: Array) -> list[Fraction]:
        total = sum(xs)
        return [x / total for x in xs]


@dataclass(frozen=True, repr=False)
class UnitVector(Lines):
    """The squares of the entries of every line sum to 1."""

    @property
    def said(self) -> str:
        return f"of length 1 along axis {self.axis}"

    @property
    def code(self) -> str:
        return f"cr.unit_vector(axis={self.axis})"

    def broken(self, xs: np.ndarray) -> str:
        with np.errstate(all="ignore"):
            length = float(np.sqrt(np.sum(xs.astype(float) ** 2)))
        if abs(length - 1) <= slack(xs, len(xs)):
            return ""
        return f"has the length {number(length)}: the length of each must be 1"

    def fits(self, xs: Array) -> bool:
        return bool(sum(x * x for x in xs) == 1)

    def made(self, raw: Array, rng: Random) -> list[Fraction]:
        pole = rng.randrange(len(raw))
        flat = [digits(x) * Fraction(rng.randrange(1, 16), 16) for x in raw]
        return projected(flat, pole, rng.choice((1, -1)))

    def beside(self, xs: Array) -> list[Fraction]:
        pole = max(range(len(xs)), key=lambda k: abs(xs[k]))
        return projected([x / (1 + abs(xs[pole])) for x in xs], pole, 1 if xs[pole] > 0 else -1)


def projected(flat: list[Any], pole: int, way: int) -> list[Fraction]:
    """The point of the sphere over a point of the plane: 2t/(1 + |t|²), and ±(1 − |t|²)/(1 + |t|²)
    at the pole. Rational for a rational t, so that its length is 1 exactly."""
    square = sum((t * t for k, t in enumerate(flat) if k != pole), Fraction(0))
    found = [2 * t / (1 + square) for t in flat]
    found[pole] = way * (1 - square) / (1 + square)
    return found
