"""Where a claim, as written, is undefined and the derivative exists: x·y/x at x = 0.

Such points are solved for exactly. What cannot be solved is handed back as a condition of the
scope, so that nothing is claimed there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp

from chainrule.algebra import nonzero_factors
from chainrule.claim import FormulaClaim
from chainrule.formulas.definitions import entries
from chainrule.formulas.differentiate import tidy
from chainrule.typeset import text
from chainrule.values.ball import Undecided, Undefined, decimals, enclose, exact, precision
from chainrule.verdict import Witness

OTHERS = (Fraction(1), Fraction(2), Fraction(3, 2), Fraction(-1), Fraction(1, 2))
DEGREE = 8


@dataclass(frozen=True)
class Edge:
    """witness : a point where only the claim is undefined. says : what is undefined there.

    remaining : conditions of the claim alone for which no such point was found.
    """

    witness: Witness | None
    says: str
    remaining: tuple[sp.Basic, ...]


def _zeros(factor: sp.Expr, symbols: list[sp.Symbol]) -> Iterator[dict[sp.Symbol, Fraction]]:
    """Exact rational points with factor = 0, other variables at simple values."""
    for s in sorted(factor.free_symbols, key=str):
        if s not in symbols:
            continue
        for shift in range(len(OTHERS)):
            at = {
                o: OTHERS[(k + shift) % len(OTHERS)]
                for k, o in enumerate(sorted(symbols, key=str))
                if o != s
            }
            line = factor.xreplace({o: sp.Rational(str(v)) for o, v in at.items()})
            if not line.is_polynomial(s) or not line.has(s):
                continue
            polynomial = sp.Poly(line, s)
            if polynomial.degree() > DEGREE or not all(
                c.is_Rational for c in polynomial.all_coeffs()
            ):
                continue
            for root in sorted(polynomial.ground_roots()):
                yield {**at, s: Fraction(int(root.p), int(root.q))}


def _exists(claim: FormulaClaim, point: Mapping[sp.Symbol, Fraction]) -> list[str] | None:
    """The derived values at a point, if the derivative certainly exists there."""
    d = claim.derivation
    with precision(256):
        at = {s: exact(v) for s, v in point.items()}
        try:
            for condition in d.conditions:
                gap = enclose(condition.lhs - condition.rhs, at)
                above = isinstance(condition, (sp.Gt, sp.Ge)) and gap > 0
                below = isinstance(condition, (sp.Lt, sp.Le)) and gap < 0
                apart = isinstance(condition, sp.Ne) and not gap.contains(0)
                if not (above or below or apart):
                    return None
            for name, value in d.local.items():
                for s, e in zip(entries(d.symbols[name]), entries(value), strict=True):
                    at[s] = enclose(e, at)
            return [decimals(enclose(e, at)) for e in claim.derived]
        except (Undefined, Undecided):
            return None


def edge(claim: FormulaClaim, swap: Mapping[sp.Symbol, sp.Expr]) -> Edge:
    """Look where the claim alone is undefined; `swap` puts intermediate variables in."""
    d = claim.derivation
    if d.undefined:
        return Edge(None, "", ())
    symbols = [s for n in (*d.wrt, *d.parameters) for s in entries(d.symbols[n])]
    known = set(d.conditions)
    remaining = []
    for condition in tidy(c.xreplace(dict(swap)) for c in claim.defined):
        if condition in known:
            continue
        remaining.append(condition)
        if not isinstance(condition, sp.Ne):
            continue
        for factor in nonzero_factors(condition.lhs - condition.rhs):
            for point in _zeros(factor, symbols):
                derived = _exists(claim, point)
                if derived is None:
                    continue
                shown = {}
                for name in (*d.wrt, *d.parameters):
                    cells = [str(point[s]) for s in entries(d.symbols[name])]
                    shown[name] = (
                        cells[0] if d.symbols[name] in symbols else ("[" + ", ".join(cells) + "]")
                    )
                witness = Witness(
                    shown,
                    "undefined",
                    derived[0] if len(derived) == 1 else "[" + ", ".join(derived) + "]",
                    where="edge",
                    bits=(256,),
                )
                return Edge(witness, text(sp.Eq(factor, 0, evaluate=False)), tuple(remaining))
    return Edge(None, "", tuple(remaining))
