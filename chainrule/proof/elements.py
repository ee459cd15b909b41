"""Elements: what an entry of an array is, as a polynomial in atoms over factored denominators.

An atom is a head (input, e^u, √u, Σ…, a condition) with indices. Atoms are treated as independent
but for the relations of `reduced`; that can lose a proof and never invents one. Every
rewriting holds wherever both sides are defined. Budgets count operations: the terms that are met.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import floor
from typing import Any

import flint

from chainrule.errors import BudgetError
from chainrule.graph.sizes import Size
from chainrule.proof import polynomials as po
from chainrule.proof.atoms import Atoms
from chainrule.proof.indices import (
    ONCE,
    ZERO,
    Index,
    extent,
    fixed,
    minus,
    moved,
    offset,
    plus,
    times,
)
from chainrule.proof.polynomials import Monomial, Poly, PolyKey

TERMS = 1_500
#: Kinds of atoms that are 0 or 1.
BITS = ("order", "delta", "before", "flag", "onehot")
#: Kinds of atoms that may pick from a one-hot line; and all kinds that `reduced` knows of.
PICKING = ("onehot", "sum")
RELATED = frozenset((*BITS, *PICKING, "root", "sin"))

ONE = flint.fmpq(1)


class Unknown(Exception):
    """What the normal form has no rule for; the node stays an opaque atom."""


class Vacuous(Unknown):
    """A denominator that is 0 by its form."""


@dataclass(frozen=True, eq=False)
class Element:
    """num/∏ denominators. num : a polynomial. den : (key of a normal polynomial, exponent)."""

    num: Poly
    den: tuple[tuple[PolyKey, int], ...] = ()

    @property
    def key(self) -> Any:
        """One tuple for equal elements."""
        return (po.key(self.num), self.den)


def _apart(a: Element, b: Element) -> set[PolyKey]:
    """Denominators that do not divide a product, since they do not divide the one numerator, and
    the other one is a monomial."""
    mine, theirs = {q for q, _ in a.den}, {q for q, _ in b.den}
    if len(a.num) == 1:
        return theirs - mine if len(b.num) > 1 else set()
    return mine - theirs if len(b.num) == 1 else set()


class Arithmetic(Atoms):
    """Sums, products and powers of elements over one table of atoms."""

    def gen(self, atom: int) -> Element:
        """An atom as an element."""
        return Element({((atom, 1),): ONE})

    def number(self, value: Any) -> Element:
        """A rational number as an element."""
        c = value if isinstance(value, flint.fmpq) else po.rational(value)
        return Element({(): c} if c != 0 else {})

    def size(self, size: Size) -> Element:
        """A size: a polynomial in axes."""
        total = self.number(0)
        for names, c in size.terms:
            m: Monomial = ()
            for name in names:
                m = po.times(m, ((self.atom(self.head("size", name, sign=1)), 1),))
            total = self.add(total, Element({m: po.rational(c)}))
        return total

    def place(self, index: Index) -> Element:
        """An index as a number."""
        total = self.size(offset(index))
        head = self.head("place", (), sign=1)
        for base, factor in index[0]:
            counter = self.gen(self.atom(head, [(((base, ONCE),), ())]))
            total = self.add(total, self.mul(self.size(Size(dict(factor))), counter))
        return total

    def delta(self, a: Index, b: Index) -> Element:
        """1 where two places are the same."""
        gap = minus(a, b)
        ends = extent(gap, self.ranges, self.floors)
        if ends is not None and (self.surely(ends[0] - 1) or self.surely(-1 - ends[1])):
            return self.number(0)
        if not gap[0]:
            if not gap[1]:
                return self.number(1)
            if offset(gap).const is not None:
                return self.number(0)
        digits = self.carried(gap)
        if digits is not None:
            return self.mul(self.delta(digits[0], ZERO), self.delta(digits[1], ZERO))
        up = tuple((x, f) for x, f in gap[0] if Size(dict(f)).terms[-1][1] > 0)
        down = tuple(t for t in gap[0] if t not in up)
        more = offset(gap)
        left, right = (up, ()), times((down, ()), -1)
        if more.terms and more.terms[-1][1] < 0:
            right = moved(right, 1, -more)
        else:
            left = moved(left, 1, more)
        return self.gen(self.atom(self.head("delta", (), [(0, 1), (1, 0)], 1), (left, right)))

    def carried(self, gap: Index) -> tuple[Index, Index] | None:
        """A difference of places as by·high + low with |low| < by: 0 where both are."""
        if len(gap[0]) < 2:
            return None
        for _, factor in gap[0]:
            by = Size(dict(factor))
            if by == 1 or not self.surely(by - 1):
                continue
            high: Index = ZERO
            low = fixed(offset(gap))
            for base, f in gap[0]:
                exact = Size(dict(f)).exact_div(by)
                if exact is None:
                    low = plus(low, (((base, f),), ()))
                else:
                    high = plus(high, (((base, exact.terms),), ()))
            ends = extent(low, self.ranges, self.floors)
            if ends is not None and self.surely(by - 1 - ends[1]) and self.surely(by - 1 + ends[0]):
                if low[0] or low[1]:
                    return high, low
        return None

    def before(self, index: Index) -> Element:
        """1 where a place lies before 0."""
        ends = extent(index, self.ranges, self.floors)
        if ends is not None and self.surely(-1 - ends[1]):
            return self.number(1)
        if ends is not None and self.surely(ends[0]):
            return self.number(0)
        if index[0] and Size(dict(index[0][0][1])).terms[-1][1] < 0:  # −i < 0 unless i < 1
            turned = self.before(moved(index, -1, Size.of(-1)))
            return self.add(self.number(1), self.neg(turned))
        return self.gen(self.atom(self.head("before", (), (), 1), (index,)))

    def inside(self, index: Index, size: Size) -> Element:
        """1 where a place is one of 0 … size − 1."""
        low = self.add(self.number(1), self.neg(self.before(index)))
        return self.mul(low, self.before(moved(index, 1, -size)))

    # -- arithmetic ----------------------------------------------------------------------------

    def made(self, num: Poly, den: Mapping[PolyKey, int], sure: Iterable[PolyKey] = ()) -> Element:
        """num/den with what divides both taken out. sure : what surely does not divide."""
        if not num:
            return Element({})
        if len(num) > TERMS:
            raise BudgetError(f"a polynomial of more than {TERMS:,} terms")
        if len(num) == 1:  # no factor of a denominator is a monomial
            return Element(num, tuple(sorted(den.items())))
        left = {q: den[q] for q in sure}
        for q, e in den.items():
            if q in left:
                continue
            zero = self.zeros.get(q)
            if zero is None:
                self.spend(len(q))
                zero = self.zeros[q] = po.Zero(q)
            while e > 0:
                self.spend(len(num) // 3)  # by far the cheapest step
                if zero.excludes(num):
                    break
                self.spend(len(num) * len(q))
                less = po.quotient(num, dict(q))
                if less is None:
                    break
                num, e = less, e - 1
            if e:
                left[q] = e
        return Element(num, tuple(sorted(left.items())))

    def scale(self, a: Element, c: Any) -> Element:
        """c·a for a number."""
        return Element({m: c * d for m, d in a.num.items()}, a.den) if c != 0 else Element({})

    def neg(self, a: Element) -> Element:
        """−a."""
        return self.scale(a, -ONE)

    def over(self, num: Poly, missing: Mapping[PolyKey, int]) -> Element:
        """num times denominators that it lacks."""
        total = Element(num)
        for q, e in missing.items():
            for _ in range(e):
                total = self.mul(total, Element(dict(q)))
        return total

    def add(self, a: Element, b: Element) -> Element:
        """a + b."""
        if not a.num or not b.num:
            return a if a.num else b
        self.spend(len(a.num) + len(b.num))
        if a.den == b.den:
            return self.made(po.plus(a.num, b.num), dict(a.den))
        p, q = dict(a.den), dict(b.den)
        both = {k: max(p.get(k, 0), q.get(k, 0)) for k in p.keys() | q.keys()}
        x = self.over(a.num, {k: e - p.get(k, 0) for k, e in both.items()})
        y = self.over(b.num, {k: e - q.get(k, 0) for k, e in both.items()})
        if x.den or y.den:  # a relation brought in a denominator
            bottom = Element({(): ONE}, tuple(sorted(both.items())))
            return self.mul(self.add(x, y), bottom)
        return self.made(po.plus(x.num, y.num), both)

    def gathered(self, parts: Iterable[Element]) -> Element:
        """The sum of several, those over one denominator first."""
        found: dict[Any, Poly] = {}
        for part in parts:
            self.spend(len(part.num))
            into = found.setdefault(part.den, {})
            for m, c in part.num.items():
                into[m] = into[m] + c if m in into else c
        out = self.number(0)
        for den, num in found.items():
            out = self.add(out, self.made({m: c for m, c in num.items() if c != 0}, dict(den)))
        return out

    def mul(self, a: Element, b: Element) -> Element:
        """a·b."""
        if not a.num or not b.num:
            return Element({})
        self.spend(len(a.num) * len(b.num))
        den = dict(a.den)
        for k, e in b.den:
            den[k] = den.get(k, 0) + e
        raw = po.product(a.num, b.num)
        fine: Poly = {}
        more: list[tuple[Any, Element]] = []
        for m, c in raw.items():
            by = self.reduced(m)
            if by is None:
                fine[m] = c
            else:
                more.append((c, by))
        sure = () if more else _apart(a, b)
        total = self.made(fine, den, sure)
        if more:
            bottom = Element({(): ONE}, tuple(sorted(den.items())))
            extra = self.gathered(self.scale(other, c) for c, other in more)
            if den:
                extra = self.made(extra.num, den) if not extra.den else self.mul(extra, bottom)
            total = self.add(total, extra)
        return total

    def power(self, a: Element, n: int) -> Element:
        """A whole power."""
        if n < 0:
            a, n = self.inverse(a), -n
        if n > 64:
            raise BudgetError("an exponent above 64")
        total = self.number(1)
        for _ in range(n):
            total = self.mul(total, a)
        return total

    def reduced(self, m: Monomial) -> Element | None:
        """A monomial by the relations of its atoms; None where none applies.

        c² = c for what is 0 or 1; products of conditions on one quantity; sin² = 1 − cos²;
        (√u)² = u, and √u below a bar is √u/u.
        """
        kinds = self.kinds
        if all(kinds[atom] not in RELATED for atom, _ in m):
            return None
        seen: dict[Any, int] = {}
        alone = self.facts and any(kinds[atom] in PICKING for atom, _ in m)
        for atom, e in m:
            kind = kinds[atom]
            if kind not in RELATED:
                continue
            rest = tuple(x for x in m if x[0] != atom)
            if kind in BITS and e != 1:
                if e < 0:
                    raise Unknown("a condition in a denominator")
                return self.monomial(po.times(rest, ((atom, 1),)))
            if alone and kind in PICKING:  # once for all of them
                alone, one = False, self.exclusive(m)
                if one is not None:
                    return one
            if kind == "order":
                head, args = self.of[atom]
                name = (self.heads[head].key[0], args)
                if name in seen:
                    rest = tuple(x for x in rest if x[0] != seen[name])
                    return self.mul(self.monomial(rest), self.orders(seen[name], atom))
                seen[name] = atom
            if kind == "before":
                for other, _ in m:
                    if other < atom and self.kind(other) == "before":
                        least = self.earlier(other, atom)
                        if least is not None:
                            rest = tuple(x for x in m if x[0] not in (atom, other))
                            return self.monomial(po.times(rest, ((least, 1),)))
            if kind == "root" and not 0 < e < 1:
                n = floor(e)
                head, args = self.of[atom]
                base = self.instance(self.heads[head].payload, args)
                left = po.whole(e - n)
                kept = self.monomial(po.times(rest, ((atom, left),) if left else ()))
                return self.mul(kept, self.power(base, n))
            if kind == "sin" and isinstance(e, int) and e >= 2:
                head, args = self.of[atom]
                cosine = self.gen(self.atom(self.heads[head].payload, args))
                square = self.add(self.number(1), self.neg(self.mul(cosine, cosine)))
                less = ((atom, e - 2),) if e > 2 else ()
                return self.mul(self.monomial(po.times(rest, less)), square)
        return None

    def monomial(self, m: Monomial) -> Element:
        """A monomial as an element."""
        other = self.reduced(m)
        return Element({m: ONE}) if other is None else other

    def orders(self, a: int, b: int) -> Element:
        """The product of two conditions t < p, t > q on one quantity t: a sum of conditions."""
        (_, way, p), (_, other, q) = (self.heads[self.of[x][0]].key for x in (a, b))
        if way == other:
            least = p <= q if way == "<" else p >= q
            return self.gen(a if least else b)
        below, above = (p, q) if way == "<" else (q, p)
        if below <= above:
            return Element({})
        return self.add(self.add(self.gen(a), self.gen(b)), self.number(-1))

    def earlier(self, a: int, b: int) -> int | None:
        """Of two conditions i < 0 and i + c < 0 the one that says both; None if not known."""
        gap = minus(self.of[b][1][0], self.of[a][1][0])
        if gap[0]:
            return None
        if self.surely(offset(gap)):
            return b
        return a if self.surely(-offset(gap)) else None

    # -- what `algebra` adds ---------------------------------------------------------------------

    def exclusive(self, m: Monomial) -> Element | None:
        """A monomial by what is known of one-hot entries."""
        raise NotImplementedError

    def inverse(self, a: Element) -> Element:
        """1/a where a ≠ 0."""
        raise NotImplementedError

    def instance(self, template: Element, args: tuple[Index, ...]) -> Element:
        """A template with indices in its slots."""
        raise NotImplementedError
