"""Laurent polynomials over the rationals in numbered atoms, as plain dicts, and the way to FLINT.

A monomial is a sorted tuple of (atom, exponent); exponents are integers, and fractions where the
atom is positive. Exact division and factoring go through FLINT in the atoms concerned alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from math import gcd, lcm
from random import Random
from typing import Any

import flint

Exponent = int | Fraction
Monomial = tuple[tuple[int, Exponent], ...]
Poly = dict[Monomial, Any]  # coefficients are fmpq

ONE = flint.fmpq(1)
FACTOR_TERMS = 120
FACTOR_DEGREE = 64
#: Where quotients are tried before they are taken.
PRIME = 2**61 - 1
ROOTS = 12


class PolyKey(tuple[tuple[Monomial, Any], ...]):
    """The terms of a polynomial in order; its hash is taken once."""

    kept: int | None = None

    def __hash__(self) -> int:
        if self.kept is None:
            self.kept = super().__hash__()
        return self.kept


def rational(value: int | Fraction) -> Any:
    """An exact number as FLINT's."""
    value = Fraction(value)
    return flint.fmpq(value.numerator, value.denominator)


def whole(e: Exponent) -> Exponent:
    """An exponent as an integer where it is one."""
    if type(e) is int:
        return e
    return e.numerator if e.denominator == 1 else e


def times(a: Monomial, b: Monomial) -> Monomial:
    """The product of monomials."""
    if not a or not b:
        return a or b
    if a[-1][0] < b[0][0]:
        return a + b
    out = dict(a)
    for atom, e in b:
        if atom not in out:
            out[atom] = e
            continue
        total = whole(out[atom] + e)
        if total:
            out[atom] = total
        else:
            del out[atom]
    return tuple(sorted(out.items()))


def raised(a: Monomial, n: Exponent) -> Monomial:
    """A power of a monomial."""
    return tuple((atom, whole(e * n)) for atom, e in a) if n else ()


def product(a: Poly, b: Poly) -> Poly:
    """a·b."""
    out: Poly = {}
    for m, c in a.items():
        for k, d in b.items():
            both = times(m, k)
            out[both] = out[both] + c * d if both in out else c * d
    return {m: c for m, c in out.items() if c != 0}


def shifted(a: Poly, by: Monomial, factor: Any) -> Poly:
    """factor·by·a."""
    return {times(m, by): c * factor for m, c in a.items()}


def plus(a: Poly, b: Poly) -> Poly:
    """a + b."""
    out = dict(a)
    for m, c in b.items():
        total = out[m] + c if m in out else c
        if total == 0:
            del out[m]
        else:
            out[m] = total
    return out


def atoms_of(polys: Iterable[Poly]) -> list[int]:
    """The atoms that occur, in order."""
    return sorted({atom for p in polys for m in p for atom, _ in m})


def common(p: Poly) -> Monomial:
    """The largest monomial that divides every term; negative exponents where terms have them."""
    lowest: dict[int, Exponent] = {}
    seen: dict[int, int] = {}
    for m in p:
        for atom, e in m:
            if atom not in lowest or e < lowest[atom]:
                lowest[atom] = e
            seen[atom] = seen.get(atom, 0) + 1
    many = len(p)  # an atom that some term lacks has the exponent 0 there
    found = ((a, e if seen[a] == many else min(e, 0)) for a, e in lowest.items())
    return tuple(sorted(x for x in found if x[1]))


def key(p: Poly) -> PolyKey:
    """One tuple for equal polynomials."""
    return PolyKey(sorted(p.items()))


def content(p: Poly) -> Any:
    """The positive number c for which p/c has coprime integers."""
    top, bottom = 0, 1
    for c in p.values():
        top, bottom = gcd(top, int(c.p)), lcm(bottom, int(c.q))
    return flint.fmpq(top, bottom)


def normal(p: Poly) -> tuple[Any, Monomial, Poly]:
    """p as number·monomial·q: q has no monomial factor, coprime integers, and one of its two signs
    (by its coefficients where they tell it, so that names of atoms matter little)."""
    shift = common(p)
    up, down = sorted(p.values()), sorted(-c for c in p.values())
    positive = up > down if up != down else max(p.items())[1] > 0
    lead = content(p) * (1 if positive else -1)
    return lead, shift, shifted(p, raised(shift, -1), 1 / lead)


@cache
def _ring(n: int) -> Any:
    return flint.fmpq_mpoly_ctx.get([f"g{i}" for i in range(n)], flint.Ordering.lex)


class Bridge:
    """Polynomials with no negative exponents, in FLINT's form and back."""

    def __init__(self, *polys: Poly) -> None:
        self.atoms = atoms_of(polys)
        self.unit = dict.fromkeys(self.atoms, 1)
        for p in polys:
            for m in p:
                for atom, e in m:
                    if type(e) is not int:
                        self.unit[atom] = lcm(self.unit[atom], e.denominator)
        self.ring = _ring(max(len(self.atoms), 1))

    def there(self, p: Poly) -> Any:
        """The FLINT polynomial."""
        out = {}
        number = {a: n for n, a in enumerate(self.atoms)}
        units = list(self.unit.values())
        for m, c in p.items():
            row = [0] * max(len(number), 1)
            for a, e in m:
                n = number[a]
                row[n] = int(e * units[n])
            out[tuple(row)] = c
        return self.ring.from_dict(out)

    def back(self, p: Any) -> Poly:
        """And back."""
        out: Poly = {}
        for exponents, c in p.terms():
            m = [
                (a, whole(Fraction(int(e), self.unit[a])))
                for a, e in zip(self.atoms, exponents, strict=False)
                if int(e)
            ]
            out[tuple(m)] = flint.fmpq(c)
        return out


@cache
def _value(atom: int) -> int:
    """A place for an atom's root, the same in every process."""
    return Random(atom).randrange(2, PRIME)


@cache
def _raised(atom: int, e: Exponent) -> int | None:
    whole_power = e * ROOTS
    return pow(_value(atom), int(whole_power), PRIME) if whole_power.denominator == 1 else None


def _at(
    p: Iterable[tuple[Monomial, Any]], main: int = -1, factor: int = 1, step: Exponent = 1
) -> int | None:
    """A polynomial modulo a prime, with a power of one atom times a factor; None where it has
    none."""
    total = 0
    for m, c in p:
        bottom = int(c.q)
        if not bottom % PRIME:
            return None
        one = int(c.p) if bottom == 1 else int(c.p) * pow(bottom, -1, PRIME)
        for atom, e in m:
            here = _raised(atom, e)
            if here is None:
                return None
            one = one * here % PRIME
            if atom == main:
                turns, rest = divmod(e, step)
                if rest:
                    return None
                one = one * (factor if turns == 1 else pow(factor, int(turns), PRIME)) % PRIME
        total += one
    return total % PRIME


def _factor(q: PolyKey, atom: int, powers: set[Exponent]) -> int | None:
    """What makes a polynomial 0 modulo a prime, times an atom, or its only power; None if nothing
    is known to."""
    if len(powers) > 1 and powers != {1, 2}:
        return None
    split: dict[Exponent, list[tuple[Monomial, Any]]] = {}
    for m, c in q:
        split.setdefault(dict(m).get(atom, 0), []).append((m, c))
    rest = _at(split.get(0, ()))
    tops = [_at(split[e]) for e in sorted(powers, reverse=True)]
    if rest is None or None in tops or not tops[0]:
        return None
    top = tops[0]
    if len(tops) == 1:
        return -rest * pow(top, -1, PRIME) % PRIME
    middle = tops[1] or 0
    square = (middle * middle - 4 * top * rest) % PRIME
    root = pow(square, (PRIME + 1) // 4, PRIME)  # the prime is 3 modulo 4
    if root * root % PRIME != square:
        return None
    return (root - middle) * pow(2 * top, -1, PRIME) % PRIME


class Zero:
    """A zero of a polynomial modulo a prime, found where it is linear in a power of an atom, or
    quadratic in an atom.

    What it divides is 0 there as well; what is not 0 there it does not divide.
    """

    def __init__(self, q: PolyKey) -> None:
        self.main, self.factor = -1, 0
        self.step: Exponent = 1
        powers: dict[int, set[Exponent]] = {}
        for m, _ in q:
            for atom, e in m:
                powers.setdefault(atom, set()).add(e)
        for atom, found in powers.items():
            factor = _factor(q, atom, found)
            if factor:
                self.main, self.factor = atom, factor
                self.step = next(iter(found)) if len(found) == 1 else 1
                return

    def excludes(self, p: Poly) -> bool:
        """Whether the polynomial surely does not divide another one."""
        if not self.factor:
            return False
        value = _at(p.items(), self.main, self.factor, self.step)
        return value is not None and value != 0


def quotient(p: Poly, q: Poly) -> Poly | None:
    """p/q where q divides p, else None; q has no monomial factor."""
    highest: dict[int, Exponent] = {}
    lowest: dict[int, Exponent] = {}
    for m in q:
        for atom, e in m:
            highest[atom] = max(highest.get(atom, 0), e)
    top: dict[int, Exponent] = {}
    for m in p:
        here = dict(m)
        for atom in highest:
            e = here.get(atom, 0)
            top[atom] = max(top.get(atom, e), e)
            lowest[atom] = min(lowest.get(atom, e), e)
    if any(top[a] - lowest[a] < e for a, e in highest.items()) or len(p) < 2:
        return None
    shift = common(p)
    bridge = Bridge(p0 := shifted(p, raised(shift, -1), 1), q)
    result, rest = divmod(bridge.there(p0), bridge.there(q))
    return None if rest != 0 else shifted(bridge.back(result), shift, 1)


def factors(q: Poly) -> tuple[Any, list[tuple[Poly, int]]]:
    """A number and normal irreducible factors; q itself where that would be too long."""
    degree = sum((abs(Fraction(x[1])) for m in q for x in m), Fraction(0))
    if len(q) > FACTOR_TERMS or degree > FACTOR_DEGREE * len(q):
        return ONE, [(q, 1)]
    bridge = Bridge(q)
    if any(int(e * bridge.unit[a]) > FACTOR_DEGREE for m in q for a, e in m):
        return ONE, [(q, 1)]
    constant, parts = bridge.there(q).factor()
    out: list[tuple[Poly, int]] = []
    for f, e in parts:
        lead, _, g = normal(bridge.back(f))
        constant, out = constant * lead ** int(e), [*out, (g, int(e))]
    return constant, out
