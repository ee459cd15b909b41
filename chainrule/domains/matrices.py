"""Domains of square matrices, the last two axes of an array: symmetric, positive definite,
orthogonal.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from random import Random

import numpy as np

from chainrule.domains.base import Array, Domain, digits, number, slack

LARGE = 16  # rows of an orthogonal matrix whose exact neighbor is made


class Square(Domain):
    """A domain that asks the same of every matrix."""

    def misfit(self, shape: tuple[int, ...]) -> str:
        if len(shape) < 2:
            return "it is no matrix"
        if shape[-1] != shape[-2]:
            return f"its matrices are {shape[-2]}×{shape[-1]}, not square"
        return "" if shape[-1] else "it has no entries"

    def broken(self, name: str, a: np.ndarray) -> str:
        """What of a matrix breaks the rule, beyond rounding; "" if nothing does."""
        raise NotImplementedError

    def fits(self, a: Array) -> bool:
        """Whether an exact matrix belongs to it."""
        raise NotImplementedError

    def made(self, raw: Array, rng: Random) -> Array:
        """A member that a matrix decides."""
        raise NotImplementedError

    def beside(self, a: Array) -> Array | None:
        """The member next to a matrix."""
        raise NotImplementedError

    def fault(self, name: str, value: np.ndarray) -> str:
        for rest in np.ndindex(*value.shape[:-2]):
            shown = f"{name}[{', '.join(map(str, rest))}]" if rest else name
            what = self.broken(shown, value[rest])
            if what:
                return what
        return ""

    def holds(self, exact: Array) -> bool:
        return all(self.fits(exact[rest]) for rest in np.ndindex(*exact.shape[:-2]))

    def member(self, raw: Array, rng: Random) -> Array:
        out = np.empty(raw.shape, object)
        for rest in np.ndindex(*raw.shape[:-2]):
            out[rest] = self.made(raw[rest], rng)
        return out

    def nearest(self, exact: Array) -> Array | None:
        out = np.empty(exact.shape, object)
        for rest in np.ndindex(*exact.shape[:-2]):
            one = self.beside(exact[rest])
            if one is None:
                return None
            out[rest] = one
        return out


@dataclass(frozen=True, repr=False)
class Symmetric(Square):
    """A[i, j] = A[j, i]."""

    said = "symmetric"
    code = "cr.symmetric()"

    def broken(self, name: str, a: np.ndarray) -> str:
        gap = np.abs(a - a.T)
        i, j = (int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
        if gap[i, j] <= slack(a, len(a)) * float(np.max(np.abs(a))):
            return ""
        i, j = min(i, j), max(i, j)
        both = f"{name}[{i}, {j}] is {number(a[i, j])} and {name}[{j}, {i}] is {number(a[j, i])}"
        return f"{both}: they must be equal"

    def fits(self, a: Array) -> bool:
        return bool(np.all(a == a.T))

    def made(self, raw: Array, rng: Random) -> Array:
        return np.tril(raw) + np.tril(raw, -1).T

    def beside(self, a: Array) -> Array | None:
        return (a + a.T) / 2


@dataclass(frozen=True, repr=False)
class PositiveDefinite(Symmetric):
    """Symmetric, and xᵀAx is above 0 for every x but 0."""

    said = "symmetric and positive definite"
    code = "cr.positive_definite()"

    def broken(self, name: str, a: np.ndarray) -> str:
        what = super().broken(name, a)
        if what:
            return what
        values = np.linalg.eigvalsh((a + a.T) / 2)
        if values[0] > slack(a, len(a)) * abs(values[-1]):
            return ""
        return f"the least eigenvalue of {name} is {values[0]:.6g}: all must be above 0"

    def fits(self, a: Array) -> bool:
        return super().fits(a) and _pivots(a)

    def made(self, raw: Array, rng: Random) -> Array:
        lower = identity(len(raw))
        for i, j in np.ndindex(*raw.shape):
            if j <= i:
                lower[i, j] = abs(digits(raw[i, j])) if i == j else digits(raw[i, j]) / 2
        return (lower @ lower.T) * Fraction(4) ** rng.randrange(-3, 4)


@dataclass(frozen=True, repr=False)
class Orthogonal(Square):
    """QᵀQ is the identity, and so is QQᵀ."""

    said = "orthogonal"
    code = "cr.orthogonal()"

    def broken(self, name: str, a: np.ndarray) -> str:
        gap = np.abs(a.T @ a - np.eye(len(a)))
        i, j = (int(k) for k in np.unravel_index(np.argmax(gap), gap.shape))
        if gap[i, j] <= slack(a, len(a)):
            return ""
        value = float(a[:, i] @ a[:, j])
        if i == j:
            return f"column {i} of {name} has the length {number(value**0.5)}: it must be 1"
        return f"columns {i} and {j} of {name} have the product {number(value)}: it must be 0"

    def fits(self, a: Array) -> bool:
        return bool(np.all(a.T @ a == np.eye(len(a), dtype=int)))

    def made(self, raw: Array, rng: Random) -> Array:
        # a product of reflections: exact, and both determinants occur
        n = len(raw)
        q = identity(n)
        for _ in range(min(n, 4) - rng.randrange(2)):
            signs = [rng.choice((1, -1)) * rng.randrange(1, 5) for _ in range(n)]
            q = reflected(q, np.array([Fraction(s) for s in signs], object))
        return q

    def beside(self, a: Array) -> Array | None:
        n = len(a)
        if n > LARGE:
            return None
        rest, mirrors = a.astype(float), []
        for k in range(n):  # Householder: each takes a column to an axis
            v = np.zeros(n)
            v[k:] = rest[k:, k]
            v[k] += np.copysign(np.linalg.norm(v), v[k])
            rest = rest - np.outer(v, 2 / (v @ v) * (v @ rest))
            mirrors.append(np.array([Fraction(x) for x in v.tolist()], object))
        q = identity(n)
        for k in range(n):
            q[k, k] = Fraction(1 if rest[k, k] > 0 else -1)
        for v in reversed(mirrors):
            q = reflected(q, v)
        return q


def identity(n: int) -> Array:
    """The identity in fractions."""
    out = np.empty((n, n), object)
    out.reshape(-1)[:] = [Fraction(int(k % (n + 1) == 0)) for k in range(n * n)]
    return out


def reflected(q: Array, v: Array) -> Array:
    """(I − 2vvᵀ/vᵀv)·q: orthogonal where q is."""
    return q - np.outer(v, (2 / (v @ v)) * (v @ q))


def _pivots(a: Array) -> bool:
    """Whether every pivot of elimination is above 0: then a symmetric matrix is positive definite.

    Large ones are not looked at: False.
    """
    if len(a) > LARGE:
        return False
    left = a.copy()
    while len(left):
        if not left[0, 0] > 0:
            return False
        left = left[1:, 1:] - np.outer(left[1:, 0], left[0, 1:]) / left[0, 0]
    return True
