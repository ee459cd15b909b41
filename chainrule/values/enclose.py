"""SymPy expressions in balls: one table from SymPy's classes to `Ball`'s methods.

What has no rule is `Undecided`, never a guess; so is a sign or a step at its jump.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp
from flint import arb

from chainrule.errors import UsageError
from chainrule.values.ball import Ball, Undecided, Undefined, exact, finite, power

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

    >>> from chainrule.values.ball import precision
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
                return Ball(power(b.value, exact(exponent)))
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
            sign = x.sign_against(0) or 0
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
        return finite(value(expression).value)
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


def through(
    local: Mapping[str, Any], symbols: Mapping[str, Any], free: Mapping[sp.Symbol, arb]
) -> dict[sp.Symbol, arb]:
    """The free variables' values and those of every defined name, each after what it uses.

    local : name → its value in other names' symbols, in order. symbols : name → its own.
    """
    at = dict(free)
    for name, value in local.items():
        pairs = (
            zip(symbols[name], value, strict=True)
            if isinstance(value, sp.MatrixBase)
            else [(symbols[name], value)]
        )
        for symbol, expression in pairs:
            at[symbol] = enclose(expression, at)
    return at
