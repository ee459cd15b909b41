"""The ring in which an entry lives at one random point: residues, roots and conditions.

An entry is a residue modulo p, or an `Element`: a polynomial in generators with such coefficients.
A root ρ = u^(1/d) is a generator with ρᵈ = u, and nothing else: √(x²) is not x, and √u·√v is not
√(uv). A comparison has three cases, t < 0, t = 0, t > 0, of which one holds: two generators that
are 0 or 1, of which one is 0; and k·t = 0 in the middle case. So a product of ten steps is a
monomial, all cells of all conditions are compared at once, and no condition is ever given a random
value. Generators are free: an element is 0 only if each of its coefficients is, and then it is 0
for real roots and real conditions too.

Generators and unknown functions are named by the residue of what they are of; `Point.keyed` counts
the names, since two that differ may have one residue by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

from chainrule.values.fields import Field, NoResidue, Unlucky, Vacuous

#: (generator, power or case), in the order of the generators.
Monomial = tuple[tuple[int, int], ...]
Terms = dict[Monomial, int]
#: The most cells that a function is taken apart into, terms that a point may spend, and powers.
CELLS, WORK, LONGEST_POWER = 243, 40_000, 256
#: Cells up to which a comparison is taken apart; above it is named as a whole.
FEW = 9


@dataclass(frozen=True)
class Generator:
    """states : cases of a condition besides the last one; 0 for a root. order, below : ρᵈ = u."""

    states: int
    order: int = 0
    below: Any = None


class Element:
    """A polynomial in the generators of a point. Made by arithmetic; % reduces coefficients."""

    __slots__ = ("point", "terms")

    def __init__(self, point: Point, terms: Terms) -> None:
        self.point, self.terms = point, terms

    def __add__(self, other: Any) -> Any:
        terms = dict(self.terms)
        for m, c in terms_of(other).items():
            terms[m] = terms.get(m, 0) + c
        return made(self.point, terms)

    __radd__ = __add__

    def __neg__(self) -> Any:
        return made(self.point, {m: -c for m, c in self.terms.items()})

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, Element):
            return made(self.point, {m: c * other for m, c in self.terms.items()})
        self.point.spend(len(self.terms) * len(other.terms))
        terms: Terms = {}
        for m, a in self.terms.items():
            for n, b in other.terms.items():
                for both, c in self.point.product(m, n).items():
                    terms[both] = terms.get(both, 0) + a * b * c
        return made(self.point, terms)

    __rmul__ = __mul__

    def __mod__(self, m: int) -> Any:
        return made(self.point, {k: c % m for k, c in self.terms.items()})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Element) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __repr__(self) -> str:
        return f"Element({self.terms})"


def made(point: Point, terms: Terms) -> Any:
    """An element; a number if it is one."""
    left = {m: c for m, c in terms.items() if c and not (m and point.nulls and point.null(m, c))}
    point.spend(len(left))
    if not left:
        return 0
    return left[()] if left.keys() == {()} else Element(point, left)


def terms_of(value: Any) -> Terms:
    """The coefficients of an entry."""
    return value.terms if isinstance(value, Element) else {(): int(value)}


def generators_of(value: Any) -> set[int]:
    """The generators in an entry."""
    return {g for m in value.terms for g, _ in m} if isinstance(value, Element) else set()


class Point:
    """The generators and names at one random point.

    apart : nothing is claimed where a comparison of smooth functions switches: t > 0 is not t < 0.
    nulls : by a comparison with t, what is 0 where t is.
    keyed : how many names were given. cases : how many zeros were looked for. work : terms made.
    """

    def __init__(self, over: Field, apart: bool = False) -> None:
        self.over, self.p, self.apart = over, over.p, apart
        self.generators: list[Generator] = []
        self.known: dict[Any, int] = {}
        self.products: dict[tuple[Monomial, Monomial], Terms] = {}
        self.nulls: dict[int, frozenset[int]] = {}
        self.keyed = self.cases = self.work = 0

    def spend(self, terms: int) -> None:
        """Count work with elements; raises NoResidue where it is too much."""
        self.work += terms
        if self.work > WORK:
            raise NoResidue("select", "too many roots and conditions")

    # -- names -----------------------------------------------------------------------------------

    def key(self, value: Any) -> Any:
        """What an entry is known by: equal entries have equal keys."""
        value = value % self.p
        return tuple(sorted(value.terms.items())) if isinstance(value, Element) else value

    def oriented(self, value: Any) -> tuple[Any, int]:
        """One key for x and −x, and which of them this is; (0, 0) for 0."""
        self.keyed += 1
        value = value % self.p
        if not isinstance(value, Element):
            if not value:
                return 0, 0
            return (value, 1) if 2 * value < self.p else (self.p - value, -1)
        one, other = self.key(value), self.key(-value)
        return (one, 1) if one < other else (other, -1)

    def unknown(self, name: Any, *values: Any) -> int:
        """A function of which nothing is used but that it is one."""
        self.keyed += 1
        return self.over.random(self.p, name, *(self.key(v) for v in values))

    def generator(self, key: Any, value: Generator) -> int:
        """The generator of a name."""
        if key not in self.known:
            self.known[key] = len(self.generators)
            self.generators.append(value)
        return self.known[key]

    def gen(self, number: int, power: int = 1) -> Element:
        """A generator as an entry."""
        return Element(self, {((number, power),): 1})

    # -- products and cells ------------------------------------------------------------------------

    def product(self, m: Monomial, n: Monomial) -> Terms:
        """The product of two monomials."""
        if not m or not n:
            return {m or n: 1}
        key = (m, n)
        if key not in self.products:
            self.products[key] = self._product(m, n)
        return self.products[key]

    def _product(self, m: Monomial, n: Monomial) -> Terms:
        powers, rest = dict(m), []
        for g, e in n:
            if g not in powers:
                powers[g] = e
                continue
            what = self.generators[g]
            if what.states:
                if powers[g] != e:
                    return {}  # two cases of one comparison
                continue
            powers[g] += e
            if powers[g] >= what.order:
                powers[g] -= what.order
                rest.append(what.below)
        left = tuple(sorted((g, e) for g, e in powers.items() if e))
        out: Any = Element(self, {left: 1})
        for u in rest:
            out = out * u % self.p
        return terms_of(out)

    def null(self, m: Monomial, c: int) -> bool:
        """Whether a term is k·t where t = 0, for a small k."""
        for g, e in m:
            if e == 2 and g in self.nulls:
                self.cases += 6
                if c % self.p in self.nulls[g]:
                    return True
        return False

    def conditions(self, *values: Any) -> list[int]:
        """The conditions in entries."""
        found = set().union(*map(generators_of, values))
        return sorted(g for g in found if self.generators[g].states)

    def where(self, value: Any, g: int, case: int) -> Any:
        """An entry in one case of a condition; 0 is the case besides the named ones."""
        if not isinstance(value, Element):
            return value
        terms: Terms = {}
        for m, c in value.terms.items():
            here = dict(m).get(g)
            if here is None:
                terms[m] = terms.get(m, 0) + c
            elif here == case:
                rest = tuple(x for x in m if x[0] != g)
                terms[rest] = terms.get(rest, 0) + c
        out = made(self, terms)
        null = case == 2 and not isinstance(out, Element) and out % self.p in self.nulls.get(g, ())
        return 0 if null else out

    def lifted(self, f: Callable[..., Any], *values: Any) -> Any:
        """f with the conditions in its arguments taken outside, cell by cell.

        In a cell in which f is undefined nothing has to be shown; in all of them: Vacuous.
        """
        found = self.conditions(*values)
        if not found:
            return f(*values)
        if prod(self.generators[g].states + 1 for g in found) > CELLS:
            raise NoResidue("select", f"more than {CELLS} cells inside of one function")
        g = found[0]
        cells: list[Any] = []
        for case in range(self.generators[g].states + 1):
            self.cases += 1
            try:
                cells.append(self.lifted(f, *(self.where(v, g, case) for v in values)))
            except Vacuous as why:
                cells.append(why)
        if all(isinstance(c, Vacuous) for c in cells):
            raise cells[0]
        last, *others = (0 if isinstance(c, Vacuous) else c for c in cells)
        out = last
        for case, cell in enumerate(others, 1):
            out = out + (cell - last) * self.gen(g, case)
        return out

    # -- division and roots ------------------------------------------------------------------------

    def inverse(self, value: Any) -> Any:
        """1/x; raises Vacuous where it is 0, NoResidue for a divisor of 0."""
        return self.lifted(self._inverse, value % self.p) % self.p

    def _inverse(self, x: Any) -> Any:
        self.cases += 1
        x = x % self.p
        if not isinstance(x, Element):
            if not x:
                raise Vacuous("div", "a denominator that is 0 for these inputs, or always")
            return pow(x, -1, self.p)
        if len(x.terms) == 1:
            ((m, c),) = x.terms.items()
            out: Any = pow(c, -1, self.p)
            for g, e in m:
                what = self.generators[g]
                out = out * self.gen(g, what.order - e) * self._unit(what.below) % self.p
            return out
        g = max(generators_of(x))
        if self.generators[g].order != 2:
            raise NoResidue("div", "a sum with a root of higher order below a bar")
        even = made(self, {m: c for m, c in x.terms.items() if g not in dict(m)})
        odd = made(
            self, {tuple(y for y in m if y[0] != g): c for m, c in x.terms.items() if g in dict(m)}
        )
        norm = (even * even - odd * odd % self.p * self.generators[g].below) % self.p
        return (even - odd * self.gen(g)) * self._unit(norm) % self.p

    def _unit(self, x: Any) -> Any:
        try:
            return self._inverse(x)
        except Vacuous:  # √(x²) − x divides 0, but is not 0 for every x
            raise Unlucky("div", "a denominator with a root of a square, or always 0") from None

    def power(self, x: Any, exponent: Fraction) -> Any:
        """x to a rational power; for one that is not whole x is not negative."""
        if exponent.denominator == 1:
            return self._whole(x, int(exponent))
        return self.lifted(lambda u: self._root(u % self.p, exponent), x) % self.p

    def _whole(self, x: Any, n: int) -> Any:
        if n < 0:
            return self._whole(self.inverse(x), -n)
        if not isinstance(x, Element):
            return pow(int(x), n, self.p)
        if n > LONGEST_POWER:
            raise NoResidue("power", "a high power of roots or conditions")
        out: Any = 1
        for bit in bin(n)[2:]:
            out = out * out % self.p
            out = out * x % self.p if bit == "1" else out
        return out

    def _root(self, u: Any, exponent: Fraction) -> Any:
        n, d = exponent.numerator, exponent.denominator
        self.keyed += 1
        if u == 0:
            if n > 0:
                return 0
            raise Vacuous("power", "0 to a negative power")
        if u == 1:
            return 1
        g = self.generator(("root", d, self.key(u)), Generator(0, d, u))
        return self.gen(g, n % d) * self._whole(u, n // d) % self.p

    # -- comparisons -------------------------------------------------------------------------------

    def compared(self, test: Callable[[Any, bool], Any], t: Any, smooth: bool) -> Any:
        """`below` or `zero`, cell by cell where they are few: |t| < 0 is decided by t < 0."""
        if prod(self.generators[g].states + 1 for g in self.conditions(t)) > FEW:
            return test(t, smooth)
        return self.lifted(lambda u: test(u, smooth), t)

    def below(self, t: Any, smooth: bool) -> Any:
        """1 where t < 0, else 0."""
        key, sign = self.oriented(t)
        if not sign:
            return 0
        if self.apart and smooth:
            negative = self.gen(self.generator(("apart", key), Generator(1)))
            return negative if sign > 0 else 1 - negative
        g = self._order(key)
        return self.gen(g, 1) if sign > 0 else 1 - self.gen(g, 1) - self.gen(g, 2)

    def _order(self, key: Any) -> int:
        g = self.generator(("order", key), Generator(2))
        if isinstance(key, int) and g not in self.nulls:
            half = pow(2, -1, self.p)
            self.nulls[g] = frozenset(s * k * key % self.p for s in (1, -1) for k in (1, 2, half))
        return g

    def zero(self, t: Any, smooth: bool) -> Any:
        """1 where t = 0, else 0."""
        key, sign = self.oriented(t)
        if not sign:
            return 1
        if self.apart and smooth:
            return self.gen(self.generator(("flag", key), Generator(1)))
        return self.gen(self._order(key), 2)


def entries(values: Any) -> Iterator[Element]:
    """The entries of an object array that are no plain numbers."""
    return (v for v in values.flat if isinstance(v, Element))


__all__ = ["CELLS", "Element", "Generator", "Point", "entries", "generators_of", "made", "terms_of"]
