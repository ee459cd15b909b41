"""Certified values: every number is an interval that surely contains the truth (FLINT's arb).

`Ball` is one such number. It does arithmetic with Python numbers, answers the methods that NumPy
asks of the entries of an object array (`x.exp()`, `x.sqrt()`), and compares only where the answer
is certain; so unmodified NumPy code runs on arrays of balls. `values.enclose` evaluates SymPy
expressions with the very same rules.

Outside a function's real domain: `Undefined`, where that is certain; `Undecided` where the
interval is too wide to tell. A float met in code stands for the real number that it means, so it
is read with ±4 units in its last place, unless it is a short binary fraction such as 0.5 or 2.0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import sympy as sp
from flint import arb

from chainrule.errors import ChainruleError, UsageError

ULPS = 4
RESIDUE = 2.0**-48
LARGEST = 100_000  # bits before the point that a value may have


class Undefined(ChainruleError):
    """There is no real value here, for certain."""


class Undecided(ChainruleError):
    """The interval is too wide, or the number too large, to tell."""


_readings: ContextVar[dict[float, None] | None] = ContextVar("readings", default=None)


@contextmanager
def reading_constants() -> Iterator[dict[float, None]]:
    """Collect the float constants that were read with an uncertainty, in order."""
    seen: dict[float, None] = {}
    token = _readings.set(seen)
    try:
        yield seen
    finally:
        _readings.reset(token)


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Work with `bits` bits inside."""
    with flint.ctx.workprec(bits):
        yield


def exact(value: Any) -> arb:
    """A Python, NumPy or SymPy number as exactly what it is."""
    if isinstance(value, (bool, np.bool_, int, np.integer)):
        return arb(int(value))
    if isinstance(value, (float, np.floating)):
        if not math.isfinite(float(value)):
            raise UsageError(f"{value!r} is not a finite number")
        return arb(float(value))
    if isinstance(value, (Fraction, sp.Rational)):
        p, q = (
            (value.numerator, value.denominator)
            if isinstance(value, Fraction)
            else (int(value.p), int(value.q))
        )
        return arb(flint.fmpq(p, q))
    raise UsageError(
        f"{value!r} ({type(value).__name__}) is no exact number; give an int, a float, "
        "a Fraction or a SymPy Rational"
    )


def _constant(value: float) -> arb:
    """A float met in code: the real number that it means lies within ±4 ulp.

    NumPy hands float16 and float32 on as Python floats, so a fraction with so few binary digits is
    read with ±4 of their ulp. What is smaller than RESIDUE may be all rounding (sin π is 1e−16).
    """
    if not math.isfinite(value):
        raise Undecided(f"the constant {value!r} is no number")
    if abs(value) <= 2.0**20 and (value * 2.0**10).is_integer():
        return arb(value)
    seen = _readings.get()
    if seen is not None:
        seen[value] = None
    numerator = abs(value.as_integer_ratio()[0])
    significant = numerator // (numerator & -numerator)
    ulp = math.ulp(value)
    if abs(value) < RESIDUE:
        return arb(value, abs(value))
    if not value.is_integer():
        short = [bits for bits in (11, 24) if significant.bit_length() <= bits]
        ulp *= 2.0 ** (53 - short[0]) if short else 1.0
    return arb(value, ULPS * ulp)


def _positive(x: arb, what: str) -> None:
    if x > 0:
        return
    if x <= 0:
        raise Undefined(f"{what} of a number that is not positive")
    raise Undecided(f"{what} of a number whose sign cannot be told")


def _between(x: arb, low: int | None, high: int | None, what: str) -> None:
    inside = (low is None or x >= low) and (high is None or x <= high)
    if inside:
        return
    if (low is not None and x < low) or (high is not None and x > high):
        raise Undefined(f"{what} outside its domain")
    raise Undecided(f"{what} at the border of its domain")


def off_poles(x: arb, what: str) -> arb:
    if x.is_integer() and x <= 0:
        raise Undefined(f"{what} at a pole")
    return x


def finite(x: arb) -> arb:
    if not x.is_finite():
        raise Undecided("a value too large, or an interval too wide")
    return x


def infinite(x: arb) -> int:
    """1 for ∞, −1 for −∞, 0 for every other interval, however wide."""
    if x.is_finite() or not x.rad().is_finite():
        return 0
    return 1 if x.mid() > 0 else -1 if x.mid() < 0 else 0


def finite_or_infinite(x: arb) -> arb:
    """A real number, or ±∞ itself. Raises Undecided."""
    if x.is_finite():
        return x
    sign = infinite(x)
    if sign:
        return INFINITY[sign]
    if x.is_nan():
        raise Undecided("∞ − ∞, or 0·∞, is no number")
    return finite(x)


INFINITY = {1: arb("inf"), -1: arb("-inf")}


def _small_enough(x: arb) -> arb:
    """Refuse exponents that FLINT would choke on."""
    if x.is_finite() and abs(x) < LARGEST:
        return x
    raise Undecided("a value too large")


class Ball:
    """One certified real number. See the module's docstring."""

    __slots__ = ("value",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: Any) -> None:
        self.value: arb = value if isinstance(value, arb) else exact(value)

    # -- arithmetic ----------------------------------------------------------------------------

    @staticmethod
    def number(other: Any) -> arb | None:
        if isinstance(other, Ball):
            return other.value
        if isinstance(other, (float, np.floating)):
            return _constant(float(other))
        if isinstance(other, (bool, np.bool_, int, np.integer, Fraction, sp.Rational)):
            return exact(other)
        if isinstance(other, np.ndarray) and other.ndim == 0:
            return Ball.number(other.item())
        return None

    def _with(self, other: Any, operation: Callable[[arb, arb], arb]) -> Any:
        value = self.number(other)
        if value is None:
            return NotImplemented
        return Ball(finite(operation(self.value, value)))

    def __add__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a + b)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a - b)

    def __rsub__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: b - a)

    def __mul__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a * b)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return self._with(other, _divide)

    def __rtruediv__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: _divide(b, a))

    def __pow__(self, other: Any) -> Any:
        return self._with(other, power)

    def __rpow__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: power(b, a))

    def __neg__(self) -> Ball:
        return Ball(-self.value)

    def __pos__(self) -> Ball:
        return self

    def __abs__(self) -> Ball:
        return Ball(abs(self.value))

    # -- comparisons: certain, or an error -----------------------------------------------------

    def sign_against(self, other: Any) -> int | None:
        value = self.number(other)
        if value is None:
            return None
        if self.value < value:
            return -1
        if self.value > value:
            return 1
        if self.value.is_exact() and value.is_exact():
            return 0
        raise Undecided("a comparison of two numbers that cannot be told apart")

    def __eq__(self, other: object) -> Any:
        sign = self.sign_against(other)
        return NotImplemented if sign is None else sign == 0

    def __ne__(self, other: object) -> Any:
        sign = self.sign_against(other)
        return NotImplemented if sign is None else sign != 0

    def __lt__(self, other: Any) -> Any:
        sign = self.sign_against(other)
        return NotImplemented if sign is None else sign < 0

    def __le__(self, other: Any) -> Any:
        sign = self.sign_against(other)
        return NotImplemented if sign is None else sign <= 0

    def __gt__(self, other: Any) -> Any:
        sign = self.sign_against(other)
        return NotImplemented if sign is None else sign > 0

    def __ge__(self, other: Any) -> Any:
        sign = self.sign_against(other)
        return NotImplemented if sign is None else sign >= 0

    def __bool__(self) -> bool:
        return bool(self != 0)

    def __float__(self) -> float:
        raise TypeError("a certified number does not become a float on the way")

    def __repr__(self) -> str:
        return f"Ball({self.value})"

    # -- functions, by the names that NumPy calls -----------------------------------------------

    def exp(self) -> Ball:
        if infinite(self.value) < 0:
            return Ball(0)
        return Ball(finite(_small_enough(self.value).exp()))

    def expm1(self) -> Ball:
        return Ball(finite(_small_enough(self.value).expm1()))

    def log(self) -> Ball:
        _positive(self.value, "log")
        return Ball(self.value.log())

    def log1p(self) -> Ball:
        _positive(self.value + 1, "log1p")
        return Ball(self.value.log1p())

    def log2(self) -> Ball:
        return Ball(self.log().value / arb(2).log())

    def log10(self) -> Ball:
        return Ball(self.log().value / arb(10).log())

    def sqrt(self) -> Ball:
        _between(self.value, 0, None, "sqrt")
        return Ball(self.value.sqrt())

    def cbrt(self) -> Ball:
        sign = self.sign_against(0)
        if not sign:
            return Ball(0)
        return Ball(sign * power(abs(self.value), arb(flint.fmpq(1, 3))))

    def square(self) -> Ball:
        return Ball(self.value * self.value)

    def reciprocal(self) -> Ball:
        return Ball(_divide(arb(1), self.value))

    def sin(self) -> Ball:
        return Ball(_small_enough(self.value).sin())

    def cos(self) -> Ball:
        return Ball(_small_enough(self.value).cos())

    def tan(self) -> Ball:
        return self.sin() / self.cos()  # type: ignore[no-any-return]

    def sinh(self) -> Ball:
        return Ball(finite(_small_enough(self.value).sinh()))

    def cosh(self) -> Ball:
        return Ball(finite(_small_enough(self.value).cosh()))

    def tanh(self) -> Ball:
        return Ball(finite(_small_enough(self.value).tanh()))

    def arcsin(self) -> Ball:
        _between(self.value, -1, 1, "arcsin")
        return Ball(self.value.asin())

    def arccos(self) -> Ball:
        _between(self.value, -1, 1, "arccos")
        return Ball(self.value.acos())

    def arctan(self) -> Ball:
        return Ball(self.value.atan())

    def arctan2(self, other: Any) -> Ball:
        x = self.number(other)
        if x is None:
            raise Undecided(f"arctan2 with {other!r}")
        if self.value == 0 and x == 0:
            raise Undefined("arctan2 at the origin")
        return Ball(finite(arb.atan2(self.value, x)))

    def arcsinh(self) -> Ball:
        return Ball(self.value.asinh())

    def arccosh(self) -> Ball:
        _between(self.value, 1, None, "arccosh")
        return Ball(self.value.acosh())

    def arctanh(self) -> Ball:
        _positive(1 - self.value * self.value, "arctanh, 1 − x²")
        return Ball(self.value.atanh())

    def erf(self) -> Ball:
        return Ball(self.value.erf())

    def erfc(self) -> Ball:
        return Ball(self.value.erfc())

    def gamma(self) -> Ball:
        return Ball(finite(off_poles(_small_enough(self.value), "gamma").gamma()))

    def lgamma(self) -> Ball:
        if not self.value > 0:  # log |Γ| for some, complex for others
            raise Undecided("lgamma of a number that is not positive")
        return Ball(finite(self.value.lgamma()))

    def digamma(self) -> Ball:
        return Ball(finite(off_poles(_small_enough(self.value), "digamma").digamma()))

    def conjugate(self) -> Ball:
        return self

    @property
    def real(self) -> Ball:
        return self

    @property
    def imag(self) -> Ball:
        return Ball(0)

    def item(self) -> Ball:
        return self


def _divide(a: arb, b: arb) -> arb:
    if b == 0:
        raise Undefined("a division by zero")
    if b.contains(0):
        raise Undecided("a division by a number that may be zero")
    return a / b


def power(a: arb, b: arb) -> arb:
    """a^b over the reals: integer exponents for every base, others for a ≥ 0."""
    _small_enough(b)
    n = b.unique_fmpz() if b.is_exact() else None
    if n is not None:
        if int(n) < 0:
            a, n = _divide(arb(1), a), -n
        if not a.contains(0) and abs(int(n)) * abs(float(abs(a).log().mid())) > LARGEST:
            raise Undecided("a value too large")
        return finite(a ** int(n))
    if a == 0:
        if b > 0:
            return arb(0)
        raise Undefined("a power of zero with an exponent that is not positive")
    if a < 0 and b.is_exact():
        raise Undefined("a power of a negative number with an exponent that is no integer")
    if not a > 0:
        if a >= 0 and b == arb(flint.fmpq(1, 2)):
            return a.sqrt()
        raise Undecided("a power of a number that may be negative")
    return finite(_small_enough(a.log() * b).exp())


def decimals(x: arb, digits: int = 20) -> str:
    """The digits of an interval that are certain, at most `digits`; "…" where more follow."""
    if x.is_exact() and x == 0:
        return "0"
    shown = str(x.str(digits, radius=False))
    if "e" not in shown and "." in shown:
        stripped = shown.rstrip("0").rstrip(".")
        if arb(flint.fmpq(*Fraction(stripped).as_integer_ratio())) == x:
            return stripped
    return shown + "…" if x.rel_accuracy_bits() < 1_000_000 and not x.is_exact() else shown
