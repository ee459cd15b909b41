"""Entries that are balls or holes, and every elementwise function of them.

A hole is the exception that the entry would raise, in the entry's place; what uses a hole is one.
An entry may be ±∞ where code says so (a mask); few operations take it, and give what NumPy gives
for it: a finite number or ±∞ again. What would be nan, 0·∞ or ∞ − ∞, is undecided, never a number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from chainrule.graph.functions import FUNCTIONS
from chainrule.values.ball import (
    INFINITY,
    Ball,
    Undecided,
    Undefined,
    exact,
    finite,
    finite_or_infinite,
    infinite,
    power,
)
from chainrule.values.structure import Array

#: What stands in the place of an entry without a value.
Hole = Undefined | Undecided
HOLES = (Undefined, Undecided)

ZERO, ONE = arb(0), arb(1)


def raise_hole(array: Array) -> None:
    """Raise the first Undefined of an array, else the first Undecided, if there is one."""
    hole = first_hole(array)
    if hole is not None:
        raise hole


def first_hole(array: Array) -> Hole | None:
    """The first Undefined of an array, else the first Undecided."""
    if {*map(type, array.flat)} <= {arb}:
        return None
    for kind in HOLES:
        for x in array.flat:
            if isinstance(x, kind):
                return x
    raise AssertionError("an entry that is neither a ball nor a hole")


def lifted(
    f: Callable[..., arb], arity: int, check: Callable[[arb], arb] = finite
) -> Callable[..., Array]:
    """A function of balls on arrays of balls and holes, broadcast.

    What it raises (Undefined, Undecided) becomes the entry; a hole stays one. check : what a value
    must be, `finite`, or `finite_or_infinite` where ±∞ comes only from ±∞.
    """

    def entry(*xs: Any) -> Any:
        for x in xs:
            if type(x) is not arb and isinstance(x, HOLES):
                return next((h for h in xs if isinstance(h, Undefined)), x)
        try:
            return check(f(*xs))
        except HOLES as hole:
            return hole

    ufunc = np.frompyfunc(entry, arity, 1)

    def on_arrays(*xs: Any) -> Array:
        return as_objects(ufunc(*xs))

    return on_arrays


def as_objects(value: Any) -> Array:
    """An object array; one entry as an array without axes."""
    if isinstance(value, np.ndarray):
        return value
    array = np.empty((), object)
    array[()] = value
    return array


def _ball(x: Any) -> arb:
    return arb(x) if isinstance(x, arb) else exact(x)


_BALLS = lifted(_ball, 1)


def balls(value: Any) -> Array:
    """Exact numbers as an object array of balls; an arb is what it is."""
    array = np.asarray(value, None if isinstance(value, np.ndarray) else object)
    return _BALLS(array)


def infinities(sign: int) -> Array:
    """∞ or −∞ as an array without axes."""
    return as_objects(INFINITY[sign])


def divided(a: arb, b: arb) -> arb:
    """a/b. Raises Undefined, Undecided."""
    if infinite(a) and not b.contains(0):
        return finite_or_infinite(a / b)
    return (Ball(a) / Ball(b)).value  # type: ignore[no-any-return]


def rational_power(exponent: Fraction, x: arb) -> arb:
    """x^exponent over the reals. Raises Undefined, Undecided."""
    if exponent.denominator == 1:
        return power(x, arb(exponent.numerator))
    if exponent.denominator == 2:
        return power(Ball(x).sqrt().value, arb(exponent.numerator))
    if x.is_exact() and x == 0:
        return power(x, exact(exponent))
    if x < 0:
        raise Undefined("a fractional power of a negative number")
    return power(x, exact(exponent))


def sign_between(a: arb, b: arb) -> int:
    """−1, 0 or 1 for a < b, a = b, a > b. Raises Undecided."""
    if a is b:  # one object is one number
        return 0
    sign = Ball(a).sign_against(Ball(b))
    assert sign is not None
    return sign


def both(a: arb, b: arb) -> arb:
    """1 where both are 1, else 0."""
    return ONE if a == 1 and b == 1 else ZERO


def larger(a: arb, b: arb) -> arb:
    """The larger one, as the same object where it is certain."""
    return a if a >= b else b if b >= a else a.max(b)


def smaller(a: arb, b: arb) -> arb:
    """The smaller one, as the same object where it is certain."""
    return a if a <= b else b if b <= a else a.min(b)


def floor(x: arb) -> arb:
    """⌊x⌋. Raises Undecided."""
    below = x.floor()
    if not below.is_exact():
        raise Undecided("the floor of a number that may be on either side of an integer")
    return below


def polygamma(order: int, x: arb) -> arb:
    """ψ of an order (0: digamma), for every x that is no pole. Raises Undefined, Undecided."""
    if order == 0:
        return Ball(x).digamma().value
    if x.is_integer() and x <= 0:
        raise Undefined("polygamma at a pole")
    if not x > -1000:
        raise Undecided("polygamma far to the left")
    sign = -1 if order % 2 == 0 else 1
    below, n = ZERO, arb(order + 1)
    while not x > 0:  # ψ(x) = ψ(x + 1) − (−1)ⁿ n!/xⁿ⁺¹
        below += divided(ONE, x ** (order + 1))
        x = x + 1
    return finite(sign * arb(order).fac() * (n.zeta(x) + below))


def expit(x: arb) -> arb:
    """1/(1 + e⁻ˣ)."""
    if infinite(x):
        return ONE if infinite(x) > 0 else ZERO
    return 1 / (1 + Ball(-x).exp().value)


def logaddexp(a: arb, b: arb) -> arb:
    """log(eᵃ + eᵇ), taken from the larger."""
    if a.mid() < b.mid():
        a, b = b, a
    return a + Ball(Ball(b - a).exp().value).log1p().value


def _arctan2(y: arb, x: arb) -> arb:
    if y.is_exact() and x.is_exact() and y == 0 and x == 0:
        return ZERO  # NumPy's value
    return Ball(y).arctan2(Ball(x)).value


def _pow(a: arb, b: arb) -> arb:
    """e^(b log a); a base that is not positive has its whole powers, as in NumPy."""
    if not a > 0 and b.is_exact() and b.is_integer():
        return power(a, b)
    return Ball(Ball(a).log().value * b).exp().value


def _method(name: str) -> Callable[[arb], arb]:
    method = getattr(Ball, name)
    return lambda x: method(Ball(x)).value


#: Every function that is not a primitive with a parameter, on balls.
ENTRIES: dict[str, Callable[..., arb]] = {
    **{
        name: _method(name)
        for name in (
            *("exp", "log", "sin", "cos", "arctan", "erf", "lgamma", "log1p", "expm1", "log2"),
            *("log10", "tan", "tanh", "sinh", "cosh", "arcsin", "arccos", "arcsinh", "arccosh"),
            *("arctanh", "erfc", "cbrt"),
        )
    },
    "exp2": lambda x: Ball(x * arb(2).log()).exp().value,
    "expit": expit,
    "abs": abs,
    "sign": lambda x: arb(sign_between(x, ZERO)),
    "maximum": larger,
    "minimum": smaller,
    "logaddexp": logaddexp,
    "arctan2": _arctan2,
    "hypot": lambda a, b: (a * a + b * b).nonnegative_part().sqrt(),
    "pow": _pow,
}

#: Functions of which ±∞ is a value, for arguments that are ±∞.
_EXTENDED = ("maximum", "minimum")
add = lifted(lambda a, b: a + b, 2, finite_or_infinite)
multiply = lifted(lambda a, b: a * b, 2, finite_or_infinite)
divide = lifted(divided, 2, finite_or_infinite)
negate = lifted(lambda a: -a, 1, finite_or_infinite)
LIFTED = {
    name: lifted(f, FUNCTIONS[name].arity, finite_or_infinite if name in _EXTENDED else finite)
    for name, f in ENTRIES.items()
}


def filled(shape: Sequence[int], value: Any = ZERO) -> Array:
    """An object array of one entry."""
    array = np.empty(tuple(shape), object)
    array.fill(value)
    return array


def collected(entries: Sequence[Any], shape: Sequence[int]) -> Array:
    """Entries in row-major order as an object array."""
    array = np.empty(len(entries), object)
    array[:] = entries
    return array.reshape(tuple(shape))
