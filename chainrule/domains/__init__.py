"""What may be declared of an input: its draw, its test, how it is said.

A declaration is part of the claim: points are drawn from the domain, a proof may use its rules, and
the scope says it. Derivatives are taken with all entries free; a domain only says where they are
compared. The rules that a proof uses stand in `proof/assumptions`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np

from chainrule.domains.base import Domain, belongs, exactly
from chainrule.domains.lines import Lines, OneHot, Simplex, UnitVector
from chainrule.domains.matrices import Orthogonal, PositiveDefinite, Square, Symmetric
from chainrule.domains.numeric import Integers, Interval, Positive, Real
from chainrule.errors import ShapeError, UsageError

__all__ = [
    "Domain",
    "Integers",
    "Interval",
    "Lines",
    "OneHot",
    "Orthogonal",
    "Positive",
    "PositiveDefinite",
    "Real",
    "Simplex",
    "Square",
    "Symmetric",
    "UnitVector",
    "belongs",
    "candidates",
    "declared",
    "exactly",
    "integers",
    "interval",
    "one_hot",
    "orthogonal",
    "positive",
    "positive_definite",
    "real",
    "simplex",
    "symmetric",
    "unit_vector",
]


def real() -> Real:
    """Any real numbers: what an input is if nothing is declared.

    >>> real()
    cr.real()
    """
    return Real()


def positive() -> Positive:
    """Numbers above 0.

    >>> positive().said
    'positive'
    """
    return Positive()


def interval(low: float, high: float) -> Interval:
    """Numbers from low to high, the ends included; an end may be infinite.

    Raises UsageError unless low is below high.

    >>> interval(0, 1).said
    'in [0, 1]'
    """
    ends = []
    for end in (low, high):
        if isinstance(end, bool) or not isinstance(end, (Rational, float, np.floating)):
            raise UsageError(f"cr.interval: {end!r} is no number; give two, low below high")
        ends.append(float(end) if isinstance(end, (float, np.floating)) else Fraction(end))
    return Interval(*ends)


def integers(low: int, high: int) -> Integers:
    """Whole numbers from low to high, both included, in an array of floats or of integers.

    Raises UsageError unless low is below high.

    >>> integers(1, 6).said
    'a whole number from 1 to 6'
    """
    for end in (low, high):
        if isinstance(end, bool) or not isinstance(end, (int, np.integer)):
            raise UsageError(f"cr.integers: {end!r} is no whole number; give two, low below high")
    return Integers(int(low), int(high))


def one_hot(axis: int = 0) -> OneHot:
    """One entry of every line along an axis is 1, the others are 0: labels as columns or rows.

    >>> one_hot(axis=0).said
    'one-hot along axis 0'
    """
    return OneHot(_axis("one_hot", axis))


def simplex(axis: int = 0, zeros: bool = False) -> Simplex:
    """The entries of every line along an axis are above 0 and sum to 1: probabilities.

    zeros : whether entries may be 0 as well.

    >>> simplex(axis=1).said
    'positive and sums to 1 along axis 1'
    """
    return Simplex(_axis("simplex", axis), bool(zeros))


def symmetric() -> Symmetric:
    """A[i, j] = A[j, i], for the last two axes. Derivatives by A are taken with all entries free.

    >>> symmetric().said
    'symmetric'
    """
    return Symmetric()


def positive_definite() -> PositiveDefinite:
    """Symmetric, with all eigenvalues above 0.

    >>> positive_definite().said
    'symmetric and positive definite'
    """
    return PositiveDefinite()


def orthogonal() -> Orthogonal:
    """A square matrix whose columns have length 1 and are perpendicular.

    >>> orthogonal().said
    'orthogonal'
    """
    return Orthogonal()


def unit_vector(axis: int = 0) -> UnitVector:
    """Every line along an axis has length 1.

    >>> unit_vector().said
    'of length 1 along axis 0'
    """
    return UnitVector(_axis("unit_vector", axis))


def _axis(name: str, axis: Any) -> int:
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
        raise UsageError(f"cr.{name}: axis={axis!r} must be a whole number, such as axis=0")
    return int(axis)


def declared(name: str, domain: Any, value: Any) -> None:
    """Hold a user's value to the domain that is declared for it.

    Raises UsageError, ShapeError: what breaks the rule, and what to do.
    """
    if not isinstance(domain, Domain):
        shown = f"cr.{domain.__name__}" if callable(domain) and hasattr(domain, "__name__") else ""
        call = f"call it: {shown}(…)" if shown in _CALLS else "give one such as cr.one_hot(axis=0)"
        raise UsageError(f"domains: {name} is given {domain!r}, which is no domain; {call}")
    array = np.asarray(value)
    head = f"domains: {name} is declared {domain.code}, and"
    misfit = domain.misfit(array.shape)
    if misfit:
        raise ShapeError(f"{head} {misfit}; declare what fits its shape {array.shape}")
    if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
        raise UsageError(f"{head} it holds what is no finite number; correct {name}")
    fault = domain.fault(name, _floats(array))
    if fault:
        raise UsageError(f"{head} {fault}; correct {name}, or declare something else")


def _floats(array: np.ndarray) -> np.ndarray:
    return array if array.dtype.kind == "f" else array.astype(float)


def candidates(value: Any) -> Iterator[Domain]:
    """The domains that a value belongs to and that say something of it, the strictest first.

    >>> list(candidates(np.eye(2)[:, [0, 0, 1]]))[:2]
    [cr.one_hot(axis=0), cr.simplex(axis=0, zeros=True)]
    """
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" or not array.size or not np.isfinite(array).all():
        return
    axes = [a for a in range(array.ndim) if array.shape[a] > 1]
    tried: list[Domain] = [OneHot(a) for a in axes]
    tried += [Simplex(a, zeros) for zeros in (False, True) for a in axes]
    if array.size > 1:
        tried.append(Integers(0, 1))
    if array.ndim > 1 and array.shape[-1] == array.shape[-2] > 1:
        tried += [Symmetric(), PositiveDefinite(), Orthogonal()]
    tried += [*map(UnitVector, axes), Positive()]
    for domain in tried:
        if not domain.misfit(array.shape) and not domain.fault("", _floats(array)):
            yield domain


#: Domain constructors by the name under which users know them.
_CALLS: Mapping[str, Any] = {
    f"cr.{f.__name__}": f
    for f in (
        real, positive, interval, integers, one_hot, simplex, symmetric, positive_definite,
        orthogonal, unit_vector,
    )
}  # fmt: skip
