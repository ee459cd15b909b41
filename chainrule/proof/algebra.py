"""Quotients of elements, conditions taken outside of functions, other indices, signs by form.

Denominators hold no condition: a quotient whose denominator does is taken apart, case by case. The
case that is not chosen may be undefined: then its denominators must be no zero divisors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chainrule.errors import BudgetError
from chainrule.proof import polynomials as po
from chainrule.proof.elements import BITS, ONE, Arithmetic, Element, Unknown, Vacuous
from chainrule.proof.indices import Index, put
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
                if self.kind(bits[0]) == "delta":  # but places do differ: undefined everywhere
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

    # -- other indices, and signs ----------------------------------------------------------------

    def renamed(self, a: Element, values: Mapping[int, Index]) -> Element:
        """a with variables replaced by indices."""
        put_atoms: dict[int, Element] = {}
        for x in po.atoms_of([a.num, *(dict(q) for q, _ in a.den)]):
            head, args = self.of[x]
            new = tuple(put(i, values) for i in args)
            if new != args:
                kind = self.heads[head].kind
                if kind == "delta":
                    put_atoms[x] = self.delta(*new)
                elif kind == "place":
                    put_atoms[x] = self.place(new[0])
                else:
                    put_atoms[x] = self.gen(self.atom(head, new))
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
        for m, c in a.num.items():
            total = self.add(total, self._replaced(m, c, put_atoms))
        return self.mul(total, self._renamed_den(a, put_atoms)) if a.den else total

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
            bottom = self.number(0)
            for m, c in k:
                bottom = self.add(bottom, self._replaced(m, c, values))
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
