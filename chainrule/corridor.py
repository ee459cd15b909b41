"""The corridor: what is claimed goes to the judge, and a verdict comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from chainrule.claim import code_claim, formula_claims
from chainrule.derivation import Derivation
from chainrule.errors import UsageError
from chainrule.judge.formula import judge_formula
from chainrule.judge.function import judge_code
from chainrule.values.evaluate import bind
from chainrule.verdict import Finding, Status, Verdict

__all__ = ["assert_derivative", "check"]


def _users_points(derivation: Derivation, at: Any) -> list[dict[sp.Symbol, Fraction]]:
    """The user's own points, exactly."""
    if at is None:
        return []
    given = [at] if isinstance(at, Mapping) else at
    if not isinstance(given, Sequence) or not all(isinstance(p, Mapping) for p in given):
        raise UsageError(f"at={at!r}: give a point such as {{'t': 0.3}}, or a list of them")
    exact_points = []
    for point in given:
        numbers: dict[sp.Symbol, Fraction] = {}
        for symbol, value in bind(derivation, point).items():
            try:
                if isinstance(value, sp.Rational):
                    value = Fraction(int(value.p), int(value.q))
                number = Fraction(value.item() if isinstance(value, np.generic) else value)
            except (TypeError, ValueError, OverflowError):
                raise UsageError(f"at: {symbol} = {value!r} is not a finite number") from None
            numbers[symbol] = number
        _hold_to_assumptions(numbers)
        exact_points.append(numbers)
    return exact_points


def _hold_to_assumptions(point: Mapping[sp.Symbol, Fraction]) -> None:
    """A symbol that is declared positive has no value at −1: nothing can be asked there."""
    for symbol, value in point.items():
        given = sp.Rational(value.numerator, value.denominator)
        for fact in ("positive", "nonnegative", "negative", "nonpositive", "integer"):
            if getattr(symbol, f"is_{fact}") and not getattr(given, f"is_{fact}"):
                raise UsageError(f"at: {symbol} = {given}, but {symbol} is declared {fact}")


def check(derivation: Derivation, claimed: Any, *, at: Any = None) -> Verdict:
    """Whether `claimed` is the derivative.

    derivation : what `chainrule.derive` gave.
    claimed : a formula (text, SymPy object, list of them), or a NumPy function whose arguments are
        named after the derivation's variables (scalars, (n,) vectors, (m, n) matrices) and that
        returns the derivative, or a mapping input → derivative where there are several; or a
        mapping input → formula or function.
    at : a point of your own, name → value, or a list of them; tried first.

    Returns a Verdict: proved, agrees, inconclusive, disagrees or refuted for each derivative, with
    scope and witness. There is no tolerance to choose.
    Raises TextError, DefinitionError, ShapeError or UsageError for what cannot be asked.

    >>> import chainrule as cr
    >>> d = cr.derive({"f": "5*x", "x": "1 - u", "u": "t**2"}, of="f", wrt="t")
    >>> check(d, "5*u**0*(-2*t)").status
    'proved'
    >>> print(check(d, "10*t"))
    df/dt is wrong: refuted
      because    its value is not that of the derivative at the first point tried
      at         t = 401/256
      yours      15.6640625
      derived    -15.6640625
      certified  the enclosures at 160 and 320 bits have no number in common
      correct    -10*t
      scope      scalars; t real
    """
    if not isinstance(derivation, Derivation):
        raise UsageError(
            f"check needs a Derivation and got a {type(derivation).__name__}; "
            "make one with chainrule.derive"
        )
    if isinstance(claimed, Mapping) and not claimed:
        raise UsageError(
            f"there is nothing to check; give a formula or a function for {derivation.name}"
        )
    users = _users_points(derivation, at)
    findings: dict[str, Finding] = {}
    if isinstance(claimed, Mapping) and any(callable(c) for c in claimed.values()):
        for key, part in claimed.items():
            one = _alone(derivation, key)
            verdict = check(one, part)
            findings |= {f"∂{one.of[0]}/∂{one.wrt[0]}": f for f in verdict.findings.values()}
    elif callable(claimed) and not isinstance(claimed, (sp.Basic, sp.MatrixBase)):
        for finding in judge_code(code_claim(derivation, claimed), users):
            findings[finding.name] = finding
    else:
        for claim in formula_claims(derivation, claimed):
            findings[claim.name] = judge_formula(claim, users)
    return Verdict(derivation.name, findings)


def _alone(derivation: Derivation, key: Any) -> Derivation:
    """The derivation of one block; the other inputs become parameters."""
    block = derivation[key]
    rest = tuple(n for n in derivation.wrt if n != block.input)
    return replace(
        derivation,
        of=(block.output,),
        wrt=(block.input,),
        blocks={(block.output, block.input): block},
        parameters=(*rest, *derivation.parameters),
        factors=(),
    )


def assert_derivative(
    derivation: Derivation,
    claimed: Callable[..., Any] | Any,
    *,
    at: Any = None,
    require: Status = "agrees",
) -> Verdict:
    """`check`, raising DerivativeError (an AssertionError) unless the claim is right.

    require : the least status that is accepted; "proved" asks for more than "agrees".

    >>> import chainrule as cr
    >>> assert_derivative(cr.derive({"f": "t**2"}, of="f", wrt="t"), "2*t", require="proved").ok
    True
    """
    verdict = check(derivation, claimed, at=at)
    verdict.require(require)
    return verdict
