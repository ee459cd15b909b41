"""Where a claim, as written, has no value or another one, and the derivative exists.

x·y/x is undefined at x = 0, exp(log x) for x < 0; 1 − sign(x)² is 0 but for x = 0. Such points are
solved for exactly. What cannot be solved is handed back as a condition of the scope, so that
nothing is claimed there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp
from flint import arb

from chainrule.algebra import nonzero_factors
from chainrule.claim import FormulaClaim
from chainrule.derivation import FormulaDerivation
from chainrule.formulas.definitions import conditions_of, entries, replacements
from chainrule.formulas.differentiate import tidy
from chainrule.points import points
from chainrule.typeset import text
from chainrule.values.ball import Undecided, Undefined, decimals, exact, precision
from chainrule.values.enclose import enclose, holds, through
from chainrule.verdict import Witness

OTHERS = (Fraction(1), Fraction(2), Fraction(3, 2), Fraction(-1), Fraction(1, 2))
DEGREE = 8
BITS = 256
DRAWN = 24
SLIGHT = 2**40  # of the largest entry: what is less may come from the digits of code's constants

Point = Mapping[sp.Symbol, Fraction]
#: (point, all names bound to balls) → the claimed entries as the code does them, None where it
#: certainly has no value. May raise Undecided.
Literal = Callable[[Point, Mapping[sp.Symbol, arb]], Sequence["arb | None"]]


@dataclass(frozen=True)
class Edge:
    """witness : a point where only the claim is wrong. says : where that is.

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
    origin = dict.fromkeys(symbols, Fraction(0))  # x.x = 0 there alone
    if len(symbols) > 1 and factor.xreplace(dict.fromkeys(symbols, sp.S.Zero)) == 0:
        yield origin


def _allowed(point: Point) -> bool:
    """Whether the symbols' own assumptions hold at a point."""
    return all(
        (v > 0 or not s.is_positive)
        and (v >= 0 or not s.is_nonnegative)
        and (v < 0 or not s.is_negative)
        and (v != 0 or not s.is_nonzero)
        and (v.denominator == 1 or not s.is_integer)
        for s, v in point.items()
    )


def _beyond(condition: sp.Basic, symbols: list[sp.Symbol]) -> Iterator[dict[sp.Symbol, Fraction]]:
    """Points where an inequality may fail: beside its zeros, and drawn ones."""
    if not isinstance(condition, sp.core.relational.Relational):
        return
    gap = condition.lhs - condition.rhs
    for point in _zeros(gap, symbols):
        yield point
        for s in sorted(gap.free_symbols & set(symbols), key=str):
            yield {**point, s: point[s] - 1}
            yield {**point, s: point[s] + 1}
    yield from points(symbols, seed=str(condition), count=DRAWN)


def _wrong_at(
    claim: FormulaClaim, point: Point, broken: sp.Basic | None, literal: Literal | None
) -> Witness | None:
    """A witness, if the derivative certainly exists at a point and the claim is wrong there.

    broken : the condition that fails there and leaves the claim undefined, as it was written
        (its formula may have cancelled); None: the claim has a value, and that is compared.
    literal : where the claim is code, its value; what it leaves out by a case does no harm.
    """
    d = claim.derivation
    if not _allowed(point):
        return None
    with precision(BITS):
        try:
            at = through(d.local, d.symbols, {s: exact(v) for s, v in point.items()})
            if not all(holds(c, at) for c in d.conditions):
                return None
            derived = [enclose(e, at) for e in claim.derived]
            entry = None
            if literal is not None:
                there = literal(point, at)
                least = max((abs(e).upper() for e in derived), default=arb(0)).max(1) / SLIGHT
                pairs = enumerate(zip(there, derived, strict=True))
                apart = [k for k, (c, e) in pairs if c is None or abs(c - e) > least]
                if not apart:
                    return None
                claimed = [v for v in there if v is not None]
                entry = apart[0] if len(claimed) == len(derived) else None
            elif isinstance(broken, (sp.Gt, sp.Lt)):
                if not enclose(broken.gts - broken.lts, at) < 0:
                    return None
            elif broken is None:
                claimed = [enclose(e, at) for e in claim.entries]
                apart = [k for k, c in enumerate(claimed) if not c.overlaps(derived[k])]
                if not apart:
                    return None
                entry = apart[0]
        except (Undefined, Undecided):
            return None
    symbols = list(point)
    shown = {}
    for name in (*d.wrt, *d.parameters):
        cells = [str(point[s]) for s in entries(d.symbols[name])]
        shown[name] = cells[0] if d.symbols[name] in symbols else "[" + ", ".join(cells) + "]"
    values = [decimals(v) for v in derived]
    if entry is not None:
        place = divmod(entry, claim.block.shape[1]) if claim.block.shape != (1, 1) else ()
        return Witness(shown, decimals(claimed[entry]), values[entry], place, bits=(BITS,))
    whole = values[0] if len(values) == 1 else "[" + ", ".join(values) + "]"
    return Witness(shown, "undefined", whole, where="edge", bits=(BITS,))


def edge(claim: FormulaClaim, literal: Literal | None = None) -> Edge:
    """Look where the claim alone is wrong. literal : its values, where it is code."""
    d = claim.derivation
    if d.undefined:
        return Edge(None, "", ())
    swap = claim.closing
    symbols = [s for n in (*d.wrt, *d.parameters) for s in entries(d.symbols[n])]
    known = set(d.conditions)
    variables = {s for n in d.wrt for s in entries(d.symbols[n])}
    remaining = []
    for condition in tidy(c.xreplace(swap) for c in claim.defined):
        if condition in known:
            continue
        remaining.append(condition)
        if not condition.free_symbols & variables:
            continue  # on what is held fixed: part of the scope, K ≠ 0 in r P (1 − P/K)
        if isinstance(condition, sp.Ne):
            for factor in nonzero_factors(condition.lhs - condition.rhs):
                for point in _zeros(factor, symbols):
                    found = _wrong_at(claim, point, condition, literal)
                    if found is not None:
                        return Edge(found, _says(sp.Eq, factor, 0), tuple(remaining))
        elif isinstance(condition, (sp.Gt, sp.Lt)):
            for point in _beyond(condition, symbols):
                found = _wrong_at(claim, point, condition, literal)
                if found is not None:
                    other = sp.Lt if isinstance(condition, sp.Gt) else sp.Gt
                    exactly = {s: sp.Rational(str(v)) for s, v in point.items()}
                    if (condition.lhs - condition.rhs).xreplace(exactly) == 0:
                        other = sp.Eq
                    says = _says(other, condition.lhs, condition.rhs)
                    return Edge(found, says, tuple(remaining))
    for entry in claim.entries:
        for kink in conditions_of(entry.xreplace(swap)):
            if not isinstance(kink, sp.Ne):
                continue
            for factor in nonzero_factors(kink.lhs - kink.rhs):
                for point in _zeros(factor, symbols):
                    found = _wrong_at(claim, point, None, literal)
                    if found is not None:
                        return Edge(found, _says(sp.Eq, factor, 0), tuple(remaining))
    return Edge(None, "", tuple(remaining))


def switching(d: FormulaDerivation, conditions: Sequence[sp.Basic]) -> Iterator[Point]:
    """Exact points where conditions, in the derivation's symbols, may come out either way."""
    swap = replacements(d.symbols, d.closed)
    symbols = [s for n in (*d.wrt, *d.parameters) for s in entries(d.symbols[n])]

    def candidates(relation: sp.Basic) -> Iterator[Point]:
        yield dict.fromkeys(symbols, Fraction(0))
        for inner in sorted(relation.atoms(sp.Abs), key=str):  # |x - a| < eps
            yield from _zeros(inner.args[0], symbols)
        yield from _beyond(relation, symbols)

    for condition in conditions:
        for relation in sorted(condition.atoms(sp.core.relational.Relational), key=str):
            yield from filter(_allowed, candidates(relation.xreplace(swap)))


def _says(relation: type[sp.Rel], left: sp.Expr, right: sp.Expr) -> str:
    return text(relation(left, right, evaluate=False))
