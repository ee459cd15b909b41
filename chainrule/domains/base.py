"""What every domain can do: say itself, test a value, make members, and name what breaks it.

Members are exact: arrays of `Fraction`. A user's floats belong to a domain if they do but for
rounding; the point that is then judged is the nearest one that belongs to it exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np

Array = Any  # an object array of Fraction
ULPS = 4  # that a value may be off by, for each number that it was summed from and four more
MANY = 20_000  # entries above which a user's value is left as it is


class Domain:
    """What is known of an input beside its shape. Make one with `chainrule.one_hot` and the like.

    said : in words, after "is": "one-hot along axis 0". code : as one writes it.
    """

    @property
    def said(self) -> str:
        """In words."""
        raise NotImplementedError

    @property
    def code(self) -> str:
        """As Python, `cr.` before it."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.code

    def misfit(self, shape: tuple[int, ...]) -> str:
        """Why no array of a shape can belong to it; "" if one can."""
        return ""

    def fault(self, name: str, value: np.ndarray) -> str:
        """What of a value breaks the rule, beyond rounding, and the rule; "" if it belongs to it.

        value : finite floats, of a fitting shape.
        """
        raise NotImplementedError

    def holds(self, exact: Array) -> bool:
        """Whether exact numbers belong to it, with no rounding."""
        raise NotImplementedError

    def member(self, raw: Array, rng: Random) -> Array:
        """A member made of any numbers, of all magnitudes and signs, none of them 0."""
        raise NotImplementedError

    def nearest(self, exact: Array) -> Array | None:
        """A member next to a value that is one but for rounding; None where that takes too long."""
        return None


def exactly(value: Any) -> Array:
    """Numbers as the fractions that they are, in their shape."""
    array = np.asarray(value)
    out = np.empty(array.shape, object)
    flat = array.reshape(-1).tolist()
    out.reshape(-1)[:] = [x if isinstance(x, Fraction) else Fraction(x) for x in flat]
    return out


def belongs(domain: Domain, value: np.ndarray) -> Array | None:
    """A member of the domain where a user's value, that is one but for rounding, is none itself."""
    if value.size > MANY:
        return None
    exact = exactly(value)
    return None if domain.holds(exact) else domain.nearest(exact)


def slack(value: np.ndarray, terms: int = 1) -> float:
    """What rounding may make of numbers near 1, in the precision of a value."""
    kind: Any = value.dtype if value.dtype.kind == "f" else float
    return float(ULPS * (terms + 4) * np.finfo(kind).eps)


def digits(x: Fraction) -> Fraction:
    """A number between 1 and 2 (−2 and −1) of 8 binary places that x decides."""
    size = abs(x)
    scale = Fraction(2) ** (size.numerator.bit_length() - size.denominator.bit_length())
    mantissa = size / scale if size >= scale else 2 * size / scale
    found = Fraction(int(mantissa * 256), 256)
    return -found if x < 0 else found


def along(shape: tuple[int, ...], axis: int) -> Iterator[tuple[Any, ...]]:
    """The indices of every line along an axis."""
    at = axis % len(shape)
    for rest in np.ndindex(*shape[:at], *shape[at + 1 :]):
        yield (*rest[:at], slice(None), *rest[at:])


def line(name: str, at: tuple[Any, ...]) -> str:
    """A line as a person says it: ``column 2, y[:, 2],``; the name alone for a vector."""
    if len(at) == 1:
        return name
    shown = f"{name}[{', '.join(':' if isinstance(i, slice) else str(i) for i in at)}]"
    if len(at) > 2:
        return shown
    column = isinstance(at[0], slice)
    return f"{'column' if column else 'row'} {at[1] if column else at[0]}, {shown},"


def entry(name: str, at: tuple[int, ...]) -> str:
    """An entry as one writes it."""
    return f"{name}[{', '.join(map(str, at))}]" if at else name


def first(wrong: np.ndarray) -> tuple[int, ...]:
    """The index of the first entry that is true."""
    return tuple(int(i) for i in np.argwhere(wrong)[0])


def number(x: Any) -> str:
    """A number as one writes it, not longer than a float's own text."""
    if not np.isfinite(float(x)):
        return repr(float(x))
    return repr(float(x)) if float(x) != int(x) else str(int(x))
