"""Derivatives of one expression, and forms that read better. Knows nothing of chains.

`partial` is SymPy's derivative with our own rules at switches: sign and step have the derivative 0
away from their jump, |u| has sign(u), max has the step that picks (SymPy leaves DiracDelta, or
needs re and im). `simpler` offers shorter forms of a result, and keeps one only if exact algebra
proves it the same: no simplifier is believed.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

from chainrule import algebra

SIMPLIFY_OPERATIONS = 60
SHORTEN_OPERATIONS = 400


class _Sign(sp.Function):  # type: ignore[misc]
    """sign, constant on both sides."""

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return sp.S.Zero


class _Step(_Sign):
    """The unit step, constant on both sides."""


def _prepared(expression: sp.Expr) -> sp.Expr:
    """|u| = u·sign u, max(a, b) = a·step(a − b) + b·step(b − a), in functions of our own."""

    def extreme(e: sp.Expr, direction: int) -> sp.Expr:
        best, *rest = e.args
        for other in rest:
            gap = direction * (best - other)
            best = best * _Step(gap) + other * _Step(-gap)
        return best

    out = expression.replace(sp.Max, lambda *a: extreme(sp.Max(*a, evaluate=False), 1))
    out = out.replace(sp.Min, lambda *a: extreme(sp.Min(*a, evaluate=False), -1))
    out = out.replace(sp.Abs, lambda a: a * _Sign(a))
    out = out.replace(sp.sign, _Sign)
    return out.replace(sp.Heaviside, lambda a, *_: _Step(a))


def partial(expression: sp.Expr, symbol: sp.Symbol) -> sp.Expr:
    """∂expression/∂symbol away from kinks and jumps.

    >>> x = sp.Symbol("x", real=True)
    >>> partial(abs(x) * x, x), partial(sp.Max(x, 0), x)
    (2*x*sign(x), Heaviside(x))
    """
    if symbol not in expression.free_symbols:
        return sp.S.Zero
    if not expression.has(sp.Max, sp.Min, sp.Abs, sp.sign, sp.Heaviside):
        return sp.diff(expression, symbol)
    derived = sp.diff(_prepared(expression), symbol)
    return derived.replace(_Step, sp.Heaviside).replace(_Sign, sp.sign)


def size(expression: sp.Basic, memo: dict[sp.Basic, int] | None = None) -> int:
    """The number of nodes of an expression written out, counted without writing it out."""
    memo = {} if memo is None else memo
    if expression not in memo:
        memo[expression] = 1 + sum(size(a, memo) for a in expression.args)
    return memo[expression]


def _candidates(expression: sp.Expr) -> Iterable[sp.Expr]:
    operations = sp.count_ops(expression)
    if operations > SHORTEN_OPERATIONS:
        return
    yield sp.factor_terms(expression)
    if operations <= SIMPLIFY_OPERATIONS:
        # SymPy's simplify may fail in many ways on odd input; a shorter form is a courtesy.
        try:
            yield sp.simplify(expression)
        except Exception:
            return


def simpler(expression: sp.Expr) -> sp.Expr:
    """The shortest form found that exact algebra proves to be the same function."""
    best, cost = expression, sp.count_ops(expression)
    if cost <= 2:
        return expression
    for candidate in _candidates(expression):
        operations = sp.count_ops(candidate)
        if operations < cost:
            proof = algebra.prove_equal(candidate, expression)
            if proof.equal and not proof.switches:
                best, cost = candidate, operations
    return best


def tidy(conditions: Iterable[sp.Basic]) -> tuple[sp.Basic, ...]:
    """Conditions in their simplest form, those that always hold left out.

    >>> t = sp.Symbol("t", real=True)
    >>> tidy([sp.Ne(t**2 * (t**2 + 1), 0), sp.Gt(sp.exp(t), 0)])
    (Ne(t, 0),)
    """
    out: dict[sp.Basic, None] = {}
    for condition in conditions:
        if condition in (sp.true, sp.false) or size(condition) > 500:
            out[condition] = None
            continue
        if isinstance(condition, sp.Ne):
            for factor in algebra.nonzero_factors(condition.lhs - condition.rhs):
                out[sp.Ne(factor, 0)] = None
        elif isinstance(condition, (sp.Gt, sp.Lt)):
            if algebra.sign(condition.gts - condition.lts) != 1:
                out[condition] = None
        else:
            out[condition] = None
    out.pop(sp.true, None)
    positive = {c.lhs for c in out if isinstance(c, sp.Gt) and c.rhs == 0}
    return tuple(c for c in out if not (isinstance(c, sp.Ne) and c.lhs in positive))
