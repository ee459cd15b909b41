"""Certified values of both sides at exact points: a witness, or how well they agree.

The only policy that may refute a formula inside its domain. Enclosures that have no number in
common at two precisions are a witness; a point where either side cannot be told, or where the
derivation's own conditions are not certain, is passed over and not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import sympy as sp
from flint import arb

from chainrule.derivation import FormulaDerivation
from chainrule.formulas.definitions import entries
from chainrule.points import instances, points, put_instances
from chainrule.typeset import text
from chainrule.values.ball import Undecided, Undefined, decimals, exact, precision
from chainrule.values.enclose import enclose, holds, through
from chainrule.verdict import Witness

BITS = (160, 320)
ENOUGH = 16  # points that were decided
TRIED = 96  # points at most
RESOLVED = 40  # bits that an enclosure must have, of the largest entry, to count as agreeing

Point = Mapping[sp.Symbol, Any]
#: At a point with all names bound to balls: the claimed entries. May raise Undefined, Undecided.
Claimed = Callable[[Mapping[sp.Symbol, arb]], Sequence[arb]]
#: (point, derived entries, claimed entries) that look like a witness: raises Undecided if unsure.
Doubt = Callable[[Point, Sequence[arb], Sequence[arb]], None]


@dataclass(frozen=True)
class Comparison:
    """witness : where they differ, if they do. points : at how many they were seen equal.

    undecided : at how many nothing could be told. bits : of the worst agreement.
    """

    witness: Witness | None
    points: int
    undecided: int
    bits: int
    reasons: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Sides:
    """A derivation ready for evaluation; undefined functions stand as polynomials."""

    derivation: FormulaDerivation
    derived: tuple[sp.Expr, ...]
    local: Mapping[str, Any]
    made: Mapping[sp.Basic, sp.Lambda]

    def bind(self, free: Point) -> dict[sp.Symbol, arb]:
        """Balls for the free variables and every intermediate name, from exact numbers."""
        return self.bind_balls({s: exact(v) for s, v in free.items()})

    def bind_balls(self, free: Mapping[sp.Symbol, arb]) -> dict[sp.Symbol, arb]:
        """The same from balls."""
        return through(self.local, self.derivation.symbols, free)

    def values(self, at: Mapping[sp.Symbol, arb]) -> list[arb]:
        """The derived entries, where the derivative certainly exists; else Undecided."""
        for condition in self.derivation.conditions:
            if not holds(condition, at):
                raise Undecided(f"{text(condition)} does not hold there")
        return [enclose(e, at) for e in self.derived]

    @property
    def free(self) -> list[sp.Symbol]:
        """The symbols of the free variables."""
        d = self.derivation
        return [s for n in (*d.wrt, *d.parameters) for s in entries(d.symbols[n])]


def prepare(
    derivation: FormulaDerivation, derived: Sequence[sp.Expr], also: Sequence[sp.Expr] = ()
) -> Sides:
    """Both sides with undefined functions replaced by one polynomial each."""
    inner = [e for v in derivation.local.values() for e in entries(v)]
    made = instances([*derived, *also, *inner])
    local = {
        name: value.applyfunc(lambda e: put_instances(e, made))
        if isinstance(value, sp.MatrixBase)
        else put_instances(value, made)
        for name, value in derivation.local.items()
    }
    return Sides(derivation, tuple(put_instances(e, made) for e in derived), local, made)


def show_point(derivation: FormulaDerivation, point: Point) -> dict[str, str]:
    """A point by the user's names, each value exact."""
    shown = {}
    for name in (*derivation.wrt, *derivation.parameters):
        symbol = derivation.symbols[name]
        if isinstance(symbol, sp.MatrixBase):
            values = symbol.applyfunc(lambda s: sp.Rational(str(Fraction(point[s]))))
            shown[name] = text(values)
        else:
            shown[name] = str(point[symbol])
    return shown


def _index(block_shape: tuple[int, int], k: int) -> tuple[int, ...]:
    return () if block_shape == (1, 1) else divmod(k, block_shape[1])


def compare(
    sides: Sides,
    claimed: Claimed,
    shape: tuple[int, int],
    *,
    seed: str,
    users: Sequence[Point] = (),
    undefined_refutes: bool = True,
    doubt: Doubt | None = None,
) -> Comparison:
    """Compare certified values, the user's own points first.

    doubt : is asked before a difference inside the domain becomes a witness.

    undefined_refutes : whether a claim that is certainly undefined, where the derivative exists,
        is a witness (of formulas it is; code may compute what it then throws away).
    """
    good = undecided = 0
    worst_bits = 10**6
    reasons: dict[str, None] = {}
    candidates = [*users, *points(sides.free, seed=seed, count=TRIED)]
    for point in candidates:
        if good >= ENOUGH + len(users):
            break
        try:
            outcome = _at(sides, claimed, shape, point, undefined_refutes, doubt)
        except (Undecided, Undefined) as why:
            undecided += 1
            reasons[str(why)] = None
            continue
        if isinstance(outcome, Witness):
            return Comparison(outcome, good, undecided, 0)
        good += 1
        worst_bits = min(worst_bits, outcome)
    return Comparison(None, good, undecided, worst_bits if good else 0, tuple(reasons)[:3])


def _at(
    sides: Sides,
    claimed: Claimed,
    shape: tuple[int, int],
    point: Point,
    undefined_refutes: bool,
    doubt: Doubt | None,
) -> Witness | int:
    """A witness, or the bits to which the two sides agree. Undecided, Undefined: nothing told."""
    found: list[tuple[int, arb, arb | None]] = []
    agreement = 10**6
    for bits in BITS:
        with precision(bits):
            at = sides.bind(point)
            derived = sides.values(at)
            try:
                values: Sequence[arb | None] = claimed(at)
            except Undefined:
                if not undefined_refutes:
                    raise
                values = [None] * len(derived)
            scale = max([abs(d) for d in derived], key=lambda x: float(x.mid()), default=arb(0))
            scale = scale if scale > 0 else arb(1)
            apart = []
            for k, (d, c) in enumerate(zip(derived, values, strict=True)):
                if c is None or not d.overlaps(c):
                    apart.append((k, d, c))
                    continue
                radius = arb(max(d.rad(), c.rad(), key=float)) / scale
                if not radius < arb(2) ** -RESOLVED:
                    raise Undecided("the claimed values could not be told sharply enough")
                if radius > 0:
                    agreement = min(
                        agreement, int(-float((radius.upper().log() / arb(2).log()).mid()))
                    )
                else:
                    agreement = min(agreement, bits)
            if not apart:
                return agreement
            found = apart if not found else [f for f in apart if f[0] in {k for k, *_ in found}]
            if not found:
                raise Undecided("the two precisions do not say the same")
            if doubt is not None:
                doubt(point, derived, [c for c in values if c is not None])
    k, d, c = found[0]
    shown = show_point(sides.derivation, point)
    for function, body in sides.made.items():
        slots = ", ".join(str(s) for s in body.variables)
        shown[f"{function}({slots})"] = text(body.expr)
    return Witness(
        point=shown,
        claimed="undefined" if c is None else _digits(c, d),
        derived=_digits(d, c),
        entry=_index(shape, k),
        where="edge" if c is None else "interior",
        bits=BITS,
    )


def _digits(x: arb, other: arb | None) -> str:
    """Enough certain digits of x to see that it is not `other`, at least 20 if there are."""
    if other is None:
        return decimals(x, 20)
    for digits in (20, 30, 40, 60, 90):
        if decimals(x, digits) != decimals(other, digits):
            return decimals(x, digits)
    return str(x.str(90))
