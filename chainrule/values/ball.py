"""Certified values: every number is an interval that surely contains the truth (FLINT's arb).

`Ball` is one such number. It does arithmetic with Python numbers, answers the methods that NumPy
asks of the entries of an object array (`x.exp()`, `x.sqrt()`), and compares only where the answer
is certain; so unmodified NumPy code runs on arrays of balls. `enclose` evaluates a SymPy
expression with the very same rules.

Outside a function's real domain: `Undefined`, where that is certain; `Undecided` where the
interval is too wide to tell. A float met in code stands for the real number that it means, so it
is read with ±4 units in its last place, unless it is a short binary fraction such as 0.5 or 2.0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import flint
import numpy as np
import sympy as sp
from flint import arb

from chainrule.errors import ChainruleError, DefinitionError, ShapeError, UsageError

if TYPE_CHECKING:
    from chainrule.derivation import Derivation

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


def _off_poles(x: arb, what: str) -> arb:
    if x.is_integer() and x <= 0:
        raise Undefined(f"{what} at a pole")
    return x


def _finite(x: arb) -> arb:
    if not x.is_finite():
        raise Undecided("a value too large, or an interval too wide")
    return x


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
    def _other(other: Any) -> arb | None:
        if isinstance(other, Ball):
            return other.value
        if isinstance(other, (float, np.floating)):
            return _constant(float(other))
        if isinstance(other, (bool, np.bool_, int, np.integer, Fraction, sp.Rational)):
            return exact(other)
        if isinstance(other, np.ndarray) and other.ndim == 0:
            return Ball._other(other.item())
        return None

    def _with(self, other: Any, operation: Callable[[arb, arb], arb]) -> Any:
        value = self._other(other)
        if value is None:
            return NotImplemented
        return Ball(_finite(operation(self.value, value)))

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
        return self._with(other, _power)

    def __rpow__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: _power(b, a))

    def __neg__(self) -> Ball:
        return Ball(-self.value)

    def __pos__(self) -> Ball:
        return self

    def __abs__(self) -> Ball:
        return Ball(abs(self.value))

    # -- comparisons: certain, or an error -----------------------------------------------------

    def _sign_against(self, other: Any) -> int | None:
        value = self._other(other)
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
        sign = self._sign_against(other)
        return NotImplemented if sign is None else sign == 0

    def __ne__(self, other: object) -> Any:
        sign = self._sign_against(other)
        return NotImplemented if sign is None else sign != 0

    def __lt__(self, other: Any) -> Any:
        sign = self._sign_against(other)
        return NotImplemented if sign is None else sign < 0

    def __le__(self, other: Any) -> Any:
        sign = self._sign_against(other)
        return NotImplemented if sign is None else sign <= 0

    def __gt__(self, other: Any) -> Any:
        sign = self._sign_against(other)
        return NotImplemented if sign is None else sign > 0

    def __ge__(self, other: Any) -> Any:
        sign = self._sign_against(other)
        return NotImplemented if sign is None else sign >= 0

    def __bool__(self) -> bool:
        return bool(self != 0)

    def __float__(self) -> float:
        raise TypeError("a certified number does not become a float on the way")

    def __repr__(self) -> str:
        return f"Ball({self.value})"

    # -- functions, by the names that NumPy calls -----------------------------------------------

    def exp(self) -> Ball:
        return Ball(_finite(_small_enough(self.value).exp()))

    def expm1(self) -> Ball:
        return Ball(_finite(_small_enough(self.value).expm1()))

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
        sign = self._sign_against(0)
        if not sign:
            return Ball(0)
        return Ball(sign * _power(abs(self.value), arb(flint.fmpq(1, 3))))

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
        return Ball(_finite(_small_enough(self.value).sinh()))

    def cosh(self) -> Ball:
        return Ball(_finite(_small_enough(self.value).cosh()))

    def tanh(self) -> Ball:
        return Ball(_finite(_small_enough(self.value).tanh()))

    def arcsin(self) -> Ball:
        _between(self.value, -1, 1, "arcsin")
        return Ball(self.value.asin())

    def arccos(self) -> Ball:
        _between(self.value, -1, 1, "arccos")
        return Ball(self.value.acos())

    def arctan(self) -> Ball:
        return Ball(self.value.atan())

    def arctan2(self, other: Any) -> Ball:
        x = self._other(other)
        if x is None:
            raise Undecided(f"arctan2 with {other!r}")
        if self.value == 0 and x == 0:
            raise Undefined("arctan2 at the origin")
        return Ball(_finite(arb.atan2(self.value, x)))

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
        return Ball(_finite(_off_poles(_small_enough(self.value), "gamma").gamma()))

    def lgamma(self) -> Ball:
        if not self.value > 0:  # log |Γ| for some, complex for others
            raise Undecided("lgamma of a number that is not positive")
        return Ball(_finite(self.value.lgamma()))

    def digamma(self) -> Ball:
        return Ball(_finite(_off_poles(_small_enough(self.value), "digamma").digamma()))

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


def _power(a: arb, b: arb) -> arb:
    """a^b over the reals: integer exponents for every base, others for a ≥ 0."""
    _small_enough(b)
    n = b.unique_fmpz() if b.is_exact() else None
    if n is not None:
        if int(n) < 0:
            a, n = _divide(arb(1), a), -n
        if not a.contains(0) and abs(int(n)) * abs(float(abs(a).log().mid())) > LARGEST:
            raise Undecided("a value too large")
        return _finite(a ** int(n))
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
    return _finite(_small_enough(a.log() * b).exp())


# -- SymPy ---------------------------------------------------------------------------------------

_METHODS: Mapping[Any, Callable[[Ball], Ball]] = {
    sp.exp: Ball.exp,
    sp.log: Ball.log,
    sp.sin: Ball.sin,
    sp.cos: Ball.cos,
    sp.tan: Ball.tan,
    sp.cot: lambda x: x.cos() / x.sin(),
    sp.sec: lambda x: x.cos().reciprocal(),
    sp.csc: lambda x: x.sin().reciprocal(),
    sp.asin: Ball.arcsin,
    sp.acos: Ball.arccos,
    sp.atan: Ball.arctan,
    sp.acot: lambda x: Ball(arb.pi() / 2) if x.value == 0 else x.reciprocal().arctan(),
    sp.sinh: Ball.sinh,
    sp.cosh: Ball.cosh,
    sp.tanh: Ball.tanh,
    sp.coth: lambda x: x.tanh().reciprocal(),
    sp.sech: lambda x: x.cosh().reciprocal(),
    sp.csch: lambda x: x.sinh().reciprocal(),
    sp.asinh: Ball.arcsinh,
    sp.acosh: Ball.arccosh,
    sp.atanh: Ball.arctanh,
    sp.erf: Ball.erf,
    sp.erfc: Ball.erfc,
    sp.gamma: Ball.gamma,
    sp.loggamma: Ball.lgamma,
    sp.Abs: Ball.__abs__,
}


def enclose(expression: sp.Basic, at: Mapping[sp.Symbol, arb]) -> arb:
    """An interval that contains the value of a real SymPy expression, at the precision in force.

    at : symbol → its value. Raises Undefined, Undecided (also for what has no rule).

    >>> x = sp.Symbol("x", real=True)
    >>> with precision(64):
    ...     print(enclose(sp.exp(x) / 2, {x: arb(1)}).str(15, radius=False))
    1.35914091422952
    """
    memo: dict[sp.Basic, Ball] = {}

    def value(e: sp.Basic) -> Ball:
        if e not in memo:
            memo[e] = rule(e)
        return memo[e]

    def holds(condition: Any) -> bool:
        if condition in (sp.true, True):
            return True
        if condition in (sp.false, False):
            return False
        if isinstance(condition, sp.And):
            return all(holds(c) for c in condition.args)
        if isinstance(condition, sp.Or):
            return any(holds(c) for c in condition.args)
        if isinstance(condition, sp.Not):
            return not holds(condition.args[0])
        if type(condition) in _COMPARE:
            return bool(_COMPARE[type(condition)](value(condition.lhs), value(condition.rhs)))
        raise Undecided(f"the condition {condition} has no rule")

    def rule(e: sp.Basic) -> Ball:
        if isinstance(e, sp.Symbol):
            if e not in at:
                raise UsageError(f"no value was given for {e}")
            return Ball(at[e])
        if isinstance(e, sp.Rational):
            return Ball(exact(e))
        if isinstance(e, sp.Float):
            return Ball(exact(sp.Rational(str(e))))
        if e is sp.pi:
            return Ball(arb.pi())
        if e is sp.E:
            return Ball(arb(1).exp())
        if isinstance(e, sp.Add):
            return sum((value(a) for a in e.args[1:]), value(e.args[0]))
        if isinstance(e, sp.Mul):
            return math.prod((value(a) for a in e.args[1:]), start=value(e.args[0]))
        if isinstance(e, sp.Pow):
            base, exponent = e.args
            if exponent == sp.Rational(1, 2):
                return value(base).sqrt()
            if exponent == sp.Rational(-1, 2):
                return value(base).sqrt().reciprocal()
            if base is sp.E:
                return value(exponent).exp()
            if isinstance(exponent, sp.Rational) and not isinstance(exponent, sp.Integer):
                b = value(base)
                if b.value < 0:
                    raise Undefined("a fractional power of a negative number")
                return Ball(_power(b.value, exact(exponent)))
            b, n = value(base), value(exponent)
            if b.value < 0 and n.value.is_integer() and not exponent.is_integer:
                raise Undecided("a negative base, and an exponent that is integer only there")
            return b**n  # type: ignore[no-any-return]
        if isinstance(e, (sp.Max, sp.Min)):
            pick = arb.max if isinstance(e, sp.Max) else arb.min
            best = value(e.args[0]).value
            for a in e.args[1:]:
                best = pick(best, value(a).value)
            return Ball(best)
        if isinstance(e, (sp.sign, sp.Heaviside)):
            x = value(e.args[0])
            sign = x._sign_against(0) or 0
            if sign == 0 and isinstance(e, sp.Heaviside):
                raise Undecided(f"{e} at its jump")
            return Ball(sign if isinstance(e, sp.sign) else int(sign > 0))
        if isinstance(e, sp.Piecewise):
            for branch, condition in e.args:
                if holds(condition):
                    return value(branch)
            raise Undefined("no case of a definition by cases applies")
        if isinstance(e, sp.atan2):
            return value(e.args[0]).arctan2(value(e.args[1]))
        if isinstance(e, sp.polygamma) and e.args[0] == 0:
            return value(e.args[1]).digamma()
        if isinstance(e, sp.log) and isinstance(e.args[0], sp.Add) and sp.S.One in e.args[0].args:
            return value(e.args[0] - 1).log1p()  # keeps its digits where the rest is tiny
        for kind, method in _METHODS.items():
            if isinstance(e, kind):
                return method(value(e.args[0]))
        raise Undecided(f"{type(e).__name__} has no certified rule")

    try:
        return _finite(value(expression).value)
    except RecursionError:
        raise Undecided("nested too deeply") from None


_COMPARE: Mapping[Any, Callable[[Ball, Ball], Any]] = {
    sp.Gt: lambda a, b: a > b,
    sp.Ge: lambda a, b: a >= b,
    sp.Lt: lambda a, b: a < b,
    sp.Le: lambda a, b: a <= b,
    sp.Eq: lambda a, b: a == b,
    sp.Ne: lambda a, b: a != b,
}
for _strict, _kind in (
    (sp.StrictGreaterThan, sp.Gt),
    (sp.GreaterThan, sp.Ge),
    (sp.StrictLessThan, sp.Lt),
    (sp.LessThan, sp.Le),
    (sp.Equality, sp.Eq),
    (sp.Unequality, sp.Ne),
):
    assert _strict is _kind  # SymPy's short names are these classes; the table relies on it


def holds(condition: sp.Basic, at: Mapping[sp.Symbol, arb]) -> bool | None:
    """Whether a condition certainly holds at a point, certainly fails, or None: cannot be told."""
    if condition in (sp.true, sp.false):
        return bool(condition)
    compare = _COMPARE.get(type(condition))
    if compare is None:
        return None
    try:
        return bool(compare(Ball(enclose(condition.lhs, at)), Ball(enclose(condition.rhs, at))))
    except Undecided:
        return None


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


def bind(derivation: Derivation, values: Mapping[str, Any]) -> dict[sp.Symbol, Any]:
    """Values given by name, in the variables' shapes, as symbol → number.

    Raises UsageError for missing or unknown names, ShapeError for a wrong shape.
    """
    free = [*derivation.wrt, *derivation.parameters]
    unknown = [name for name in values if name not in free]
    missing = [name for name in free if name not in values]
    if unknown or missing:
        problem = f"{unknown[0]} is no free variable" if unknown else f"no value for {missing[0]}"
        raise UsageError(f"{derivation.name}: {problem}; it needs {', '.join(free)}")
    at: dict[sp.Symbol, Any] = {}
    for name in free:
        symbol, value = derivation.symbols[name], values[name]
        if isinstance(symbol, sp.MatrixBase):
            array = np.asarray(value, dtype=object)
            wanted = (symbol.rows, symbol.cols)
            if array.shape == (symbol.rows,) and symbol.cols == 1:
                array = array.reshape(wanted)
            if array.shape != wanted:
                shape = wanted if symbol.cols > 1 else (symbol.rows,)
                raise ShapeError(f"{name} has shape {array.shape}; it must be {shape}")
            at.update(zip(symbol, array.ravel().tolist(), strict=True))
        else:
            array = np.asarray(value, dtype=object)
            if array.shape != ():
                raise ShapeError(
                    f"{name} is a scalar and got shape {array.shape}; "
                    "for many points at once use derivation.lower()"
                )
            at[symbol] = array.item()
    return at


def evaluate(derivation: Derivation, values: Mapping[str, Any]) -> np.ndarray | float:
    """The derivative at a point, each entry correctly rounded to float64."""
    if derivation.undefined:
        raise UsageError(
            f"{derivation.name} holds undefined functions "
            f"({', '.join(derivation.undefined)}); it has no numbers"
        )
    at = {s: exact(v) for s, v in bind(derivation, values).items()}
    result = derivation.result
    for condition in derivation.conditions:
        try:
            with precision(128):
                fine = holds(condition, at)
        except (Undefined, Undecided):
            continue
        if fine is False:
            raise DefinitionError(f"{derivation.name} is not defined there: {condition} is needed")
    if isinstance(result, sp.MatrixBase):
        entries = [rounded(e, at, derivation.name) for e in result]
        return np.array(entries, dtype=float).reshape(result.rows, result.cols)
    return rounded(result, at, derivation.name)


def rounded(expression: sp.Expr, at: Mapping[sp.Symbol, arb], name: str) -> float:
    """The float64 nearest to an expression's value (0.0 below 2^−1100, which no float shows)."""
    bits = 128
    while True:
        with precision(bits):
            try:
                x = enclose(expression, at)
                low, high = float(x.lower()), float(x.upper())
                if low == high or (low <= 0 <= high and abs(x) < arb(2) ** -1100):
                    return low if low == high else 0.0
            except Undefined as why:
                raise DefinitionError(f"{name} is not defined there: {why}") from None
            except Undecided as why:
                if bits > 4000:
                    raise DefinitionError(f"{name} cannot be evaluated there: {why}") from None
        if bits > 4000:
            return float(x.mid())
        bits *= 2
