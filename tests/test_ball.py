"""Certified numbers: the enclosure contains the truth, or nothing is said.

The truth is mpmath's, at 60 digits, of its own implementation of every function.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath  # type: ignore[import-untyped]
import numpy as np
import pytest
import sympy as sp
from flint import arb

import chainrule as cr
from chainrule.errors import DefinitionError, UsageError
from chainrule.values.ball import (
    Ball,
    Undecided,
    Undefined,
    decimals,
    exact,
    precision,
    reading_constants,
)
from chainrule.values.enclose import _METHODS, enclose, holds

x, y = sp.symbols("x y", real=True)
MP = mpmath.MPContext()
MP.dps = 60

#: Method of Ball → (mpmath's function, the interval in which it is tried).
ROWS: dict[str, tuple[Callable[[Any], Any], tuple[float, float]]] = {
    "exp": (MP.exp, (-60, 60)),
    "expm1": (MP.expm1, (-2, 2)),
    "log": (MP.log, (1e-9, 1e9)),
    "log1p": (lambda v: MP.log(1 + v), (-0.99, 9)),
    "log2": (lambda v: MP.log(v) / MP.log(2), (1e-9, 1e9)),
    "log10": (lambda v: MP.log(v) / MP.log(10), (1e-9, 1e9)),
    "sqrt": (MP.sqrt, (0, 1e9)),
    "cbrt": (lambda v: MP.sign(v) * MP.root(abs(v), 3), (-1e3, 1e3)),
    "square": (lambda v: v * v, (-9, 9)),
    "reciprocal": (lambda v: 1 / v, (-9, 9)),
    "sin": (MP.sin, (-900, 900)),
    "cos": (MP.cos, (-900, 900)),
    "tan": (MP.tan, (-9, 9)),
    "sinh": (MP.sinh, (-60, 60)),
    "cosh": (MP.cosh, (-60, 60)),
    "tanh": (MP.tanh, (-60, 60)),
    "arcsin": (MP.asin, (-1, 1)),
    "arccos": (MP.acos, (-1, 1)),
    "arctan": (MP.atan, (-1e6, 1e6)),
    "arcsinh": (MP.asinh, (-1e6, 1e6)),
    "arccosh": (MP.acosh, (1, 1e6)),
    "arctanh": (MP.atanh, (-0.999, 0.999)),
    "erf": (MP.erf, (-6, 6)),
    "erfc": (MP.erfc, (-6, 6)),
    "gamma": (MP.gamma, (-5, 30)),
    "lgamma": (MP.loggamma, (0.01, 90)),
    "digamma": (MP.digamma, (-5, 90)),
    "__abs__": (abs, (-9, 9)),
    "__neg__": (lambda v: -v, (-9, 9)),
}


def contains(ball: arb, truth: Any) -> bool:
    """Whether mpmath's number lies in an interval, mpmath's own error of 1e−55 allowed for."""
    with precision(400):
        shown = arb(MP.nstr(MP.mpf(truth), 58))
        return bool(ball.overlaps(shown + arb(0, 1) * abs(shown) * arb(10) ** -54))


@pytest.mark.parametrize("name", ROWS)
def test_every_row_contains_what_mpmath_says(name: str) -> None:
    """At 40 random floats of the row's interval, at 80 and 300 bits, the truth is inside."""
    function, (low, high) = ROWS[name]
    rng = random.Random(name)
    for _ in range(40):
        v = rng.uniform(low, high)
        truth = function(MP.mpf(v))
        for bits in (80, 300):
            with precision(bits):
                assert contains(getattr(Ball(v), name)().value, truth), (name, v, bits)


def test_every_row_of_sympy_contains_what_sympy_says() -> None:
    """`enclose` and SymPy's own evalf agree for each class that has a rule, also 60 digits deep."""
    for kind in _METHODS:
        for v in (sp.Rational(3, 7), sp.Rational(9, 7)):
            truth = sp.N(kind(v), 60)
            if not truth.is_real:
                continue
            with precision(220):
                assert contains(enclose(kind(x), {x: exact(v)}), str(truth)), kind


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (sp.sqrt(x), -1),
        (sp.log(x), -1),
        (sp.log(x), 0),
        (1 / x, 0),
        (x ** sp.Rational(1, 3), -8),
        (x ** sp.Rational(-1, 2), 0),
        (sp.asin(x), 2),
        (sp.acos(x), -2),
        (sp.acosh(x), 0),
        (sp.atanh(x), 1),
        (sp.gamma(x), -2),
        (sp.Piecewise((x, x > 0)), -1),
        (0 * sp.log(x) + sp.Mul(0, sp.log(x), evaluate=False), -1),
    ],
)
def test_certainly_undefined(expression: sp.Expr, value: int) -> None:
    """Outside its real domain a formula is undefined, and certainly so at an exact point."""
    with precision(128), pytest.raises(Undefined):
        enclose(expression, {x: exact(value)})


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (sp.sqrt(sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1), 1),  # 0, which no interval shows
        (1 / (sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1), 1),
        (sp.Heaviside(x), 0),  # conventions differ
        (sp.exp(sp.exp(sp.exp(x))), 9),  # too large to write down
        (sp.exp(-sp.exp(sp.exp(x))), 99),
        (x**y, -2),  # defined for a few y only
        (sp.loggamma(x), sp.Rational(-3, 2)),  # log |Γ| for some, complex for others
        (sp.floor(x), 1),
        (sp.Integral(y, (y, 0, x)), 1),
    ],
)
def test_what_cannot_be_told_is_undecided(expression: sp.Expr, value: Any) -> None:
    """Where the interval is too wide, the number too large or no rule known, nothing is said."""
    with precision(128), pytest.raises(Undecided):
        enclose(expression, {x: exact(value), y: exact(3)})


def test_a_negative_base_with_a_symbolic_exponent() -> None:
    """(−2)^(1/2) is undefined; (−2)^k for a declared integer k is a number."""
    k = sp.Symbol("k", integer=True)
    with precision(128):
        with pytest.raises(Undefined):
            enclose(x**y, {x: exact(-2), y: exact(Fraction(1, 2))})
        assert enclose(x**k, {x: exact(-2), k: exact(3)}) == -8


def test_sign_is_zero_at_zero_for_sympy_and_numpy_alike() -> None:
    """sign 0 = 0 has one convention, the step at 0 has several."""
    with precision(64):
        assert enclose(sp.sign(x), {x: exact(0)}) == 0
        assert np.sign(np.array([Ball(0), Ball(-3)], dtype=object)).tolist() == [0, -1]


def test_absurd_exponents_do_not_abort_the_process() -> None:
    """FLINT aborts on exponents that do not fit: they are refused before."""
    with precision(64):
        for absurd in (
            lambda: Ball(2) ** 10**12,
            lambda: Ball(10**9).exp(),
            lambda: Ball(-(10**30)).exp(),
            lambda: Ball(10**30).sinh(),
            lambda: Ball(10**30).gamma(),
            lambda: Ball(10**9) ** Ball(10**9),
            lambda: Ball(Fraction(1, 10**9)) ** -(10**9),
        ):
            with pytest.raises(Undecided):
                absurd()
        with pytest.raises(Undecided):
            e = Ball(3)
            for _ in range(50):
                e = (e + 1) ** 999


def test_constants_mean_what_was_written() -> None:
    """A float in code lies within 4 ulp of the number meant; short binary fractions are exact; the
    readings are listed; float32 fractions carry float32's ulp; what may be all rounding does."""
    with precision(200), reading_constants() as seen:
        third, tenth = arb(1) / 3, arb(1) / 10
        one = Ball(1)
        assert (one * (1 / 3)).value.contains(third)
        assert (one * 0.1).value.contains(tenth)
        assert (one * (3 * 0.1)).value.contains(arb(3) / 10)
        assert (one * np.sqrt(2 / np.pi)).value.contains((2 / arb.pi()).sqrt())
        assert not (one * 0.1001).value.contains(tenth)
        assert not (one * 0.0447).value.contains(arb("0.044715"))
        assert (one * 0.1).value.rad() <= arb(5) * math.ulp(0.1)
        for value in (0.5, 2.0, -0.25, 3.0, 1e6, 0.0009765625):
            assert (one * value).value.is_exact(), value
        assert (one * np.float32(0.1)).value.contains(tenth)
        assert (one * float(np.float32(1 / 3))).value.contains(third)
        assert (one * np.float16(0.1)).value.contains(tenth)
        assert (one * np.sin(np.pi)).value.contains(0)
        assert (one * 1e9).value.rad() < 1e-3
    assert 0.1 in seen and 0.5 not in seen and next(iter(seen)) == 1 / 3
    with pytest.raises(Undecided):
        Ball(1) * math.inf
    with pytest.raises(Undecided):
        Ball(1) * math.nan


def test_comparisons_are_certain_or_errors() -> None:
    """<, ≤, =, ≠ answer for numbers that are apart or exactly equal, and else do not answer."""
    with precision(64):
        root = Ball(2).sqrt()
        assert Ball(1) < root < Ball(2) and root > 1 and root >= 1 and root <= 2 and root != 1
        assert Ball(3) == 3 and Ball(3) >= 3 and not Ball(3) < 3 and bool(Ball(3))
        assert not bool(Ball(0))
        for undecided in (
            lambda: root * root == 2,
            lambda: root * root < 2,
            lambda: Ball(Fraction(1, 10)) < 0.1,
            lambda: bool(root * root - 2),
        ):
            with pytest.raises(Undecided):
                undecided()


def test_conditions_hold_fail_or_cannot_be_told() -> None:
    """`holds` is True or False only where that is certain."""
    at = {x: exact(2)}
    with precision(64):
        assert holds(sp.Gt(x, 1), at) is True and holds(sp.Ne(x, 2), at) is False
        assert holds(sp.Ge(x, 2), at) is True and holds(sp.Lt(x, 2), at) is False
        assert holds(sp.Ne(sp.sqrt(x) ** 2 - sp.exp(sp.log(x, evaluate=False)), 0), at) is False
        assert holds(sp.Gt(sp.sin(x) ** 2 + sp.cos(x) ** 2, 1), at) is None
        assert holds(sp.true, at) is True
        assert holds(sp.Contains(x, sp.S.Integers), at) is None


def test_unmodified_numpy_code_runs_on_balls() -> None:
    """ufuncs, einsum, where, maximum, clip, norms and indexing work on object arrays of balls."""

    def code(a: Any, b: Any) -> Any:
        h = np.tanh(a @ b) + np.where(b > 0, np.exp(b), 2.0 * b)
        h = np.maximum(h, 0) * np.abs(b) + np.clip(b, -1, 1) ** 2
        h = h / np.sum(h**2) + np.sqrt(np.mean(h**2)) + np.einsum("ij,j->i", a, b)
        return h - h[::-1].cumsum() + np.linalg.norm(b) + np.log1p(np.square(b)) + np.sign(b)

    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(3, 3)), rng.normal(size=3)
    wrap = np.vectorize(Ball, otypes=[object])
    with precision(160):
        result = code(wrap(a), wrap(b))
        for ball, number in zip(result, code(a, b), strict=True):
            assert abs(ball.value - number) < 1e-12
            assert ball.value.rad() < 1e-40


def test_nothing_certified_becomes_a_float_on_the_way() -> None:
    """float(), math.exp and casts of arrays refuse: precision would be lost unseen."""
    for lossy in (
        lambda: float(Ball(1)),
        lambda: math.exp(Ball(1)),
        lambda: np.array([Ball(1)], dtype=object).astype(float),
        lambda: np.float64(Ball(1)),
        lambda: hash(Ball(1)),
    ):
        with pytest.raises(TypeError):
            lossy()


def test_exact_takes_numbers_only() -> None:
    """What is not exactly a finite number is refused by name."""
    with precision(64):
        assert exact(np.float32(0.5)) == exact(sp.Rational(1, 2)) == arb(1) / 2
        assert exact(True) == 1
    for bad in (math.nan, math.inf, "1", None, 1j):
        with pytest.raises(UsageError):
            exact(bad)


def test_decimals_show_certain_digits_only() -> None:
    """Exact decimals in full; others cut, with … behind."""
    with precision(64):
        assert decimals(arb(0)) == "0" and decimals(arb("-2.5")) == "-2.5"
        assert decimals(arb(1) / 3, 8) == "0.33333333…"


def test_evaluate_is_correctly_rounded_and_knows_its_domain() -> None:
    """The nearest float64, also where float code cancels; outside the conditions an error."""
    d = cr.derive({"f": "log(1 + exp(x))"}, of="f", wrt="x")
    for v in (-745.0, -800.0, -40.0, 0.0, 1e-300, 40.0, 800.0):
        with MP.workdps(400):
            truth = float(1 / (1 + MP.exp(-MP.mpf(v))))
        assert d.evaluate(x=v) == truth
    for text, outside in (("sqrt(x)*sqrt(x)", -1), ("x**2/x", 0), ("abs(x)", 0), ("log(x)", -1)):
        with pytest.raises(DefinitionError):
            cr.derive({"f": text}, of="f", wrt="x").evaluate(x=outside)
