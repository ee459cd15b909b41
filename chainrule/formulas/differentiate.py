"""Derivatives of one expression, and forms that read better. Knows nothing of chains.

`partial` is SymPy's derivative with our own rules at switches: sign and step have the derivative 0
away from their jump, |u| has sign(u), max has the step that picks (SymPy leaves DiracDelta, or
needs re and im). `Shortener` offers shorter forms of a result, and keeps one only if exact algebra
proves it the same: no simplifier is believed.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

import sympy as sp
from sympy.functions.elementary.hyperbolic import HyperbolicFunction
from sympy.functions.elementary.trigonometric import TrigonometricFunction

from chainrule import algebra

SHORTEN_OPERATIONS = 400  # of an expression that is looked at
FACTOR_OPERATIONS = 40  # of one that is factored
FACTOR_ALTOGETHER = 400
TRIGONOMETRIC_OPERATIONS = 20  # of one whose sines and cosines are combined
TRIGONOMETRIC_SYMBOLS = 3  # in it; with many, trigonometric factoring does not end
MULTIPLIED_OUT = 500
LARGE = 10**6
EXTREME_HEIGHT = 12


class _Flat(sp.Function):  # type: ignore[misc]
    """Constant on both sides of its jump."""

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return sp.S.Zero


class _Step(_Flat):
    """The unit step."""


class _Sign(_Flat):
    """sign."""


class _Abs(sp.Function):  # type: ignore[misc]
    """|u|, with the derivative sign u."""

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return _Sign(self.args[0])


class _Extreme(sp.Function):  # type: ignore[misc]
    """max or min, whose derivative by an argument picks it: ∏ step(it − other), or other − it."""

    way: int

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        mine = self.args[argindex - 1]
        others = [a for k, a in enumerate(self.args) if k != argindex - 1]
        return sp.Mul(*(_Step(self.way * (mine - other)) for other in others))


class _Max(_Extreme):
    way = 1


class _Min(_Extreme):
    way = -1


_OURS = {sp.Max: _Max, sp.Min: _Min, sp.Abs: _Abs, sp.sign: _Sign}


def partial(expression: sp.Expr, symbol: sp.Symbol) -> sp.Expr:
    """∂expression/∂symbol away from kinks and jumps.

    >>> x = sp.Symbol("x", real=True)
    >>> partial(abs(x) * x, x), partial(sp.Max(x, 0), x)
    (x*sign(x) + Abs(x), Heaviside(x))
    """
    if symbol not in expression.free_symbols:
        return sp.S.Zero
    if not expression.has(*_OURS, sp.Heaviside):
        return sp.diff(expression, symbol)
    ours = expression.replace(sp.Heaviside, lambda u, *_: _Step(u))
    for theirs, own in _OURS.items():
        ours = ours.replace(theirs, own)
    derived = sp.diff(ours, symbol).replace(_Step, sp.Heaviside)
    for theirs, own in _OURS.items():
        derived = derived.replace(own, theirs)
    return derived


def size(expression: sp.Basic, memo: dict[sp.Basic, int] | None = None) -> int:
    """The number of nodes of an expression written out, counted without writing it out."""
    memo = {} if memo is None else memo
    if expression not in memo:
        memo[expression] = 1 + sum(size(a, memo) for a in expression.args)
    return memo[expression]


def height(expression: sp.Basic, memo: dict[sp.Basic, int]) -> int:
    """How deep an expression is nested; max and min, which SymPy compares at length, count more."""
    if expression not in memo:
        extreme = isinstance(expression, (sp.Max, sp.Min))
        own = EXTREME_HEIGHT * len(expression.args) if extreme else 1
        memo[expression] = own + max((height(a, memo) for a in expression.args), default=0)
    return memo[expression]


def _multiplied_out(e: sp.Basic) -> int:
    """About how many terms an expression has when its products and powers are multiplied out."""
    if isinstance(e, sp.Add):
        return min(sum(map(_multiplied_out, e.args)), LARGE)
    if isinstance(e, sp.Pow) and e.exp.is_Integer:
        terms, power = _multiplied_out(e.base), abs(int(e.exp))
        return LARGE if terms > 1 and power > 20 else min(terms**power, LARGE)
    return min(int(prod(map(_multiplied_out, e.args))), LARGE)


def _kinds(expression: sp.Expr) -> set[type]:
    return {type(f) for f in expression.atoms(sp.Function)}


class Shortener:
    """Finds shorter forms; of all it is asked, the costly ways get a bounded share.

    SymPy's own `simplify` is not among them: on forty operations with tanh it takes twenty seconds.
    """

    def __init__(self) -> None:
        self.left = FACTOR_ALTOGETHER

    def candidates(self, expression: sp.Expr) -> Iterable[sp.Expr]:
        operations = sp.count_ops(expression)
        if operations > SHORTEN_OPERATIONS or _multiplied_out(expression) > MULTIPLIED_OUT:
            return
        factored = sp.factor_terms(expression)
        yield factored
        if operations > min(FACTOR_OPERATIONS, self.left):
            return
        self.left -= operations
        yield sp.powsimp(expression)
        if expression.is_rational_function():
            yield sp.factor(expression)
        if (
            operations <= TRIGONOMETRIC_OPERATIONS
            and len(expression.free_symbols) <= TRIGONOMETRIC_SYMBOLS
            and len(expression.atoms(TrigonometricFunction)) > 1
            and not expression.has(HyperbolicFunction)
        ):
            yield sp.trigsimp(factored)

    def __call__(self, expression: sp.Expr) -> sp.Expr:
        """The shortest form found that exact algebra proves to be the same function."""
        best, cost = expression, sp.count_ops(expression)
        if cost <= 2:
            return expression
        for candidate in self.candidates(expression):
            operations = sp.count_ops(candidate)
            # A new kind of function is no simplification: e^z/(1 + e^z)² is not 1/cosh²(z/2)/4.
            if operations < cost and _kinds(candidate) <= _kinds(expression):
                proof = algebra.prove_equal(candidate, expression)
                if proof.equal and not proof.switches:
                    best, cost = candidate, operations
        return best


def simpler(expression: sp.Expr) -> sp.Expr:
    """The shortest form found of one expression."""
    return Shortener()(expression)


def tidy(conditions: Iterable[sp.Basic]) -> tuple[sp.Basic, ...]:
    """Conditions in their simplest form, those that always hold left out.

    >>> t = sp.Symbol("t", real=True)
    >>> tidy([sp.Ne(t**2 * (t**2 + 1), 0), sp.Gt(sp.exp(t), 0), sp.Ne(abs(t), 0)])
    (Ne(t, 0),)
    """
    out: dict[sp.Basic, None] = {}
    for condition in conditions:
        if condition in (sp.true, sp.false) or size(condition) > 500:
            out[condition] = None
            continue
        if isinstance(condition, sp.Ne):
            inner = condition.lhs - condition.rhs
            while isinstance(inner, (sp.Abs, sp.sign)) or (inner.is_Pow and inner.exp.is_positive):
                inner = inner.args[0]  # |u|, sign u and √u vanish where u does
            for factor in algebra.nonzero_factors(inner):
                out[sp.Ne(factor, 0)] = None
        elif isinstance(condition, (sp.Gt, sp.Lt)):
            gap = condition.gts - condition.lts
            if algebra.sign(gap) == 1:
                continue
            even = algebra.even_factors(gap)
            out |= {sp.Ne(f, 0): None for f in even} if even else {condition: None}
        else:
            out[condition] = None
    out.pop(sp.true, None)
    positive = {c.lhs for c in out if isinstance(c, sp.Gt) and c.rhs == 0}
    return tuple(c for c in out if not (isinstance(c, sp.Ne) and c.lhs in positive))
