"""Quotients of elements, conditions taken outside of functions, other indices, signs by form.

Denominators hold no condition: a quotient whose denominator does is taken apart, case by case. The
case that is not chosen may be undefined: then its denominators must be no zero divisors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.errors import BudgetError
from chainrule.graph.sizes import Size
from chainrule.proof import picking
from chainrule.proof import polynomials as po
from chainrule.proof.elements import BITS, ONE, Arithmetic, Element, Unknown, Vacuous
from chainrule.proof.indices import (
    POINTER,
    Base,
    Index,
    digit,
    division,
    fixed,
    letters,
    offset,
    plus,
    put,
    rebased,
    surely,
    times,
    variable,
)
from chainrule.proof.polynomials import Monomial, Poly

LIFTS = 6


class Algebra(Arithmetic):
    """The field operations that need cases, and substitution of indices."""

    def bits(self, a: Element) -> list[int]:
        """The atoms of the numerator that are 0 or 1."""
        return [x for x in po.atoms_of([a.num]) if self.kind(x) in BITS]

    def at_bit(self, a: Element, bit: int, value: int) -> Element:
        """a where a condition is known."""
        out: Poly = {}
        for m, c in a.num.items():
            if any(x == bit for x, _ in m):
                if not value:
                    continue
                m = tuple(x for x in m if x[0] != bit)
            out[m] = out.get(m, 0) + c
        return self.made({m: c for m, c in out.items() if c != 0}, dict(a.den))

    def lifted(self, f: Callable[[Element], Element], a: Element, depth: int = 0) -> Element:
        """f(a) with the conditions in a taken outside: c·f(a where c) + (1 − c)·f(a else)."""
        bits = self.bits(a)
        if self.facts and depth < LIFTS:
            picked = picking.inside(self, lambda e: self.lifted(f, e, depth + 1), a)
            if picked is not None:
                return picked
        if not bits:
            return f(a)
        if depth == LIFTS:
            raise BudgetError(f"more than {LIFTS} conditions inside one function")
        c = self.gen(bits[0])
        parts = []
        for value in (0, 1):
            try:
                parts.append(self.lifted(f, self.at_bit(a, bits[0], value), depth + 1))
            except Vacuous:  # undefined in this case: nothing has to be shown there
                # places do differ, and of one-hot entries each value occurs: undefined everywhere
                if self.kind(bits[0]) in ("delta", "before", "onehot"):
                    raise Unknown("a division by 0") from None
                parts.append(Element({}))
        return self.choose(c, parts[1], parts[0])

    def choose(self, c: Element, a: Element, b: Element) -> Element:
        """c·a + (1 − c)·b. The case that is not chosen may be undefined: its denominators must be
        no zero divisors, and those with roots could be."""
        for e in (a, b):
            for q, _ in e.den:
                roots = any(self.kind(x) == "root" for x in po.atoms_of([dict(q)]))
                if roots and self.sign_of(dict(q)) != 2:
                    raise Unknown("a root in a denominator of one case")
        other = self.add(self.number(1), self.neg(c))
        return self.add(self.mul(c, a), self.mul(other, b))

    def inverse(self, a: Element) -> Element:
        """1/a where a ≠ 0."""
        return self.lifted(self._inverse, a)

    def _inverse(self, a: Element) -> Element:
        if not a.num:
            raise Vacuous("a division by 0")
        lead, shift, q = po.normal(a.num)
        out = self.scale(self.monomial(po.raised(shift, -1)), 1 / lead)
        if len(q) > 1:
            self.spend(len(q) ** 2)
            constant, parts = po.factors(q)
            out = self.scale(out, 1 / constant)
            den = tuple(sorted((po.key(f), e) for f, e in parts))
            if any(self.kind(x) in BITS for x in po.atoms_of([q])):
                raise Unknown("a condition in a denominator")
            out = self.mul(out, Element({(): ONE}, den))
        for k, e in a.den:
            out = self.mul(out, self.power(Element(dict(k)), e))
        return out

    def exclusive(self, m: Monomial) -> Element | None:
        """A monomial with two entries of a one-hot line."""
        return picking.exclusive(self, m)

    def total(self, a: Element, bound: Sequence[int]) -> Element:
        """Σ over variables; see `sums`."""
        from chainrule.proof.sums import total

        return total(self, a, bound)

    # -- other indices, and signs ----------------------------------------------------------------

    def renamed(self, a: Element, values: Mapping[int, Index]) -> Element:
        """a with variables replaced by indices."""
        return self.elsewhere(a, lambda i: put(i, values))

    def rebased(self, a: Element, old: Base, new: Index) -> Element:
        """a with the base of an index replaced, wherever it stands."""
        return self.elsewhere(a, lambda i: rebased(i, old, new))

    def elsewhere(self, a: Element, there: Callable[[Index], Index]) -> Element:
        """a with other indices."""
        self.spend(len(a.num) + sum(len(q) for q, _ in a.den))
        put_atoms: dict[int, Element] = {}
        for x in po.atoms_of([a.num, *(dict(q) for q, _ in a.den)]):
            head, args = self.of[x]
            new = tuple(self.pointed(there(i)) for i in args)
            if new != args:
                kind = self.heads[head].kind
                put_atoms[x] = self.moved_atom(kind, head, new)
        if not put_atoms:
            return a
        simple = {}
        for x, e in put_atoms.items():
            if len(e.num) == 1 and not e.den:
                ((m, c),) = e.num.items()
                if len(m) == 1 and c == 1 and m[0][1] == 1:
                    simple[x] = m[0][0]
        total = self.number(0)
        if len(simple) == len(put_atoms) and len(set(simple.values())) == len(simple):
            num: Poly = {}
            for m, c in a.num.items():
                image: Monomial = ()
                for x, n in m:
                    image = po.times(image, ((simple.get(x, x), n),))
                if self.reduced(image) is not None:
                    break
                num[image] = num.get(image, 0) + c
            else:
                total = Element({m: c for m, c in num.items() if c != 0})
                return self.mul(total, self._renamed_den(a, put_atoms)) if a.den else total
        total = self.gathered(self._replaced(m, c, put_atoms) for m, c in a.num.items())
        return self.mul(total, self._renamed_den(a, put_atoms)) if a.den else total

    def pointed(self, index: Index) -> Index:
        """An index with the places that are known by now in place of pointers."""
        for base, _ in index[0]:
            code, args = base
            if code < POINTER or any(i[0] or offset(i).const is None for i in args):
                continue
            value = self.instance(self.heads[code - POINTER].payload, args)
            if value.den or value.num.keys() - {()}:
                continue
            place = Size.of(int(value.num.get((), 0)))
            if not surely(place):
                place = place + self.ranges[code]
            return self.pointed(rebased(index, base, fixed(place)))
        return index

    def moved_atom(self, kind: str, head: int, args: tuple[Index, ...]) -> Element:
        """An atom at other indices; what is known at a place is said."""
        if kind == "delta":
            return self.delta(*args)
        if kind == "place":
            return self.place(args[0])
        if kind == "before":
            return self.before(args[0])
        table = self.heads[head].payload
        if isinstance(table, np.ndarray):
            places = [None if i[0] else offset(i).const for i in args]
            if None not in places:
                at = tuple(p for p in places if p is not None)
                if all(0 <= p < n for p, n in zip(at, table.shape, strict=True)):
                    return self.number(int(table[at]))
        return self.gen(self.atom(head, args))

    # -- indices of several digits ---------------------------------------------------------------

    def divided(self, index: Index, by: Size) -> tuple[Index, Index]:
        """Quotient and remainder of a place; variables are split into digits where that helps."""
        index = self.in_digits(index)
        for _ in range(8):
            found = division(index, by, self.ranges, self.floors)
            if not isinstance(found, int):
                return found
            if not found:
                break
            low = digit(found, index, by)
            size = self.ranges[found].exact_div(low)
            if size is None or not surely(low - 1) or not surely(size - 1):
                break
            high = times(variable(self.fresh(size)), low)
            self.digits[found] = plus(high, variable(self.fresh(low)))
            index = self.in_digits(index)
        raise Unknown("a place that has no digits in these sizes")

    def in_digits(self, index: Index) -> Index:
        """An index in the digits of its variables."""
        while self.digits and letters(index) & self.digits.keys():
            index = put(index, self.digits)
        return index

    def expanded(self, a: Element) -> Element:
        """An element in the digits of its variables."""
        if not self.digits:
            return a
        used = {v for x in po.atoms_of([a.num, *(dict(q) for q, _ in a.den)]) for v in self.at(x)}
        found = used & self.digits.keys()
        return self.renamed(a, {v: self.in_digits(variable(v)) for v in found}) if found else a

    def _replaced(self, m: Monomial, c: Any, values: Mapping[int, Element]) -> Element:
        kept = tuple(x for x in m if x[0] not in values)
        out = self.scale(self.monomial(kept), c)
        for x, e in m:
            if x in values:
                v = values[x]
                if isinstance(e, int) and (e > 0 or len(v.num) > 1 or v.den):
                    out = self.mul(out, self.power(v, e))
                    continue
                if len(v.num) != 1 or v.den:
                    raise Unknown("a root of a sum")
                ((image, factor),) = v.num.items()
                if factor != 1:
                    raise Unknown("a root of a number")
                out = self.mul(out, self.monomial(po.raised(image, e)))
        return out

    def _renamed_den(self, a: Element, values: Mapping[int, Element]) -> Element:
        out = self.number(1)
        for k, n in a.den:
            bottom = self.gathered(self._replaced(m, c, values) for m, c in k)
            out = self.mul(out, self.power(self._inverse(bottom), n))
        return out

    def instance(self, template: Element, args: tuple[Index, ...]) -> Element:
        """A template with indices in its slots."""
        return self.renamed(template, {-1 - k: i for k, i in enumerate(args)})

    def sign_of(self, p: Poly) -> int:
        """2 where p is positive by its form, 1 where it is never negative, else 0."""
        strict = False
        for m, c in p.items():
            if c < 0:
                return 0
            here = 2
            for x, e in m:
                sign = self.heads[self.of[x][0]].sign
                if isinstance(e, int) and e % 2 == 0 and sign < 2:
                    sign = 1
                here = min(here, sign)
            if not here:
                return 0
            strict = strict or here == 2
        return 2 if strict else 1
