"""Exponents as exact linear forms: what exp, sin and cos know of their argument.

The argument of an exp is Σ c·v with exact rational c, as the graph adds it up; each v (a product,
another function, an input) is named by its residue and its sign. Then exp(Σ c·v) = ∏ T_v^c with a
random T_v of order q for each name, so that exp(a + b) = exp(a)·exp(b), and exp(c·log u) = u^c
where the log is defined. e^{iv} is a T_v of its own, so that sin and cos keep their theorems; i is
the root of −1. The T are independent, as the bound on the error needs it: gᵛ with the residue of v
modulo q would see more, and nobody knows how often it would see too much.

A condition in an exponent is split off: a form is a sum over cells.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm, prod
from typing import Any

from chainrule.values.cells import CELLS, Element, Monomial, Point, made
from chainrule.values.fields import NoResidue

#: Names: the number 1, π, log of an entry, any other entry.
Name = tuple[Any, ...]
ONE, PI = ("one",), ("pi",)
LONG = 4096


class Form:
    """Σ c·(conditions)·v. terms : (monomial of conditions, name of v) → c."""

    __slots__ = ("terms",)

    def __init__(self, terms: dict[tuple[Monomial, Name], Fraction]) -> None:
        if len(terms) > LONG:
            raise NoResidue("exp", "an exponent with too many terms")
        self.terms = terms

    def __add__(self, other: Any) -> Form:
        if not isinstance(other, Form):
            if other == 0:
                return self
            return NotImplemented
        out = dict(self.terms)
        for k, c in other.terms.items():
            out[k] = out[k] + c if k in out else c
        return Form({k: c for k, c in out.items() if c})

    __radd__ = __add__

    def __neg__(self) -> Form:
        return Form({k: -c for k, c in self.terms.items()})

    def constant(self) -> Fraction | None:
        """The number that it is, if it is one."""
        if not self.terms:
            return Fraction(0)
        return self.terms[(), ONE] if self.terms.keys() == {((), ONE)} else None

    def __mul__(self, other: Any) -> Form:
        if not isinstance(other, Form):
            return self * Form({((), ONE): Fraction(other)}) if other != 0 else Form({})
        for a, b in ((self, other), (other, self)):
            c = a.constant()
            if c is not None:
                return Form({k: v * c for k, v in b.terms.items()} if c else {})
        raise NoResidue("exp", "a product of two exponents")

    __rmul__ = __mul__

    def chosen(self, point: Point, condition: Any) -> Form:
        """The form where a condition holds, and 0 elsewhere."""
        if not isinstance(condition, Element):
            return self if condition else Form({})
        out: dict[tuple[Monomial, Name], Fraction] = {}
        for (m, name), c in self.terms.items():
            for n, d in condition.terms.items():
                point.spend(1)
                for both, e in point.product(m, n).items():
                    key = (both, name)
                    out[key] = out.get(key, Fraction(0)) + c * d * e
        return Form({k: c for k, c in out.items() if c})


def number(value: Any) -> Form:
    """An exact number; a sum of conditions with integers before them."""
    if isinstance(value, Element):
        return Form({(m, ONE): Fraction(c) for m, c in value.terms.items()})
    return Form({((), ONE): Fraction(value)} if value else {})


def leaf(point: Point, value: Any) -> Form:
    """An entry of which nothing more is known; conditions in it are split off."""
    value = value % point.p
    if not isinstance(value, Element):
        key, sign = point.oriented(value)
        return Form({((), ("value", key)): Fraction(sign)} if sign else {})
    parts: dict[Monomial, dict[Monomial, int]] = {}
    for m, c in value.terms.items():
        conditions = tuple(x for x in m if point.generators[x[0]].states)
        rest = tuple(x for x in m if not point.generators[x[0]].states)
        parts.setdefault(conditions, {})[rest] = c
    out = {}
    for conditions, terms in parts.items():
        key, sign = point.oriented(made(point, terms))
        out[conditions, ("value", key)] = Fraction(sign)
    return Form(out)


class Exponents:
    """exp, sin and cos at a point.

    heaviest : the largest Σ|c| in one cell; common : a multiple of all denominators.
    """

    def __init__(self, point: Point) -> None:
        self.point, self.over = point, point.over
        self.heaviest, self.common = Fraction(0), 1
        self.logs: dict[Any, Any] = {}
        self.drawn: dict[Any, int] = {}

    def log(self, value: Any) -> Form:
        """The form of log u."""
        self.point.keyed += 1
        key = self.point.key(value)
        self.logs[key] = value
        return Form({((), ("log", key)): Fraction(1)})

    def exp(self, form: Form) -> Any:
        """e to a form."""
        return self._cells(form, self._grown) % self.over.p

    def sin(self, form: Form) -> Any:
        """(e^{iv} − e^{−iv})/2i"""
        over = -self.imaginary() * pow(2, -1, self.over.p)

        def f(cell: dict[Name, Fraction]) -> Any:
            turned = self._turned(cell)
            return (turned - self.point.inverse(turned)) * over

        return self._cells(form, f) % self.over.p

    def cos(self, form: Form) -> Any:
        """(e^{iv} + e^{−iv})/2"""

        def f(cell: dict[Name, Fraction]) -> Any:
            turned = self._turned(cell)
            return (turned + self.point.inverse(turned)) * pow(2, -1, self.over.p)

        return self._cells(form, f) % self.over.p

    def imaginary(self) -> Any:
        """The root of −1."""
        return self.point.power(self.over.p - 1, Fraction(1, 2))

    def _cells(self, form: Form, f: Any) -> Any:
        point = self.point
        point.spend(4 * len(form.terms))
        found = sorted({g for m, _ in form.terms for g, _ in m})
        if prod(point.generators[g].states + 1 for g in found) > CELLS:
            raise NoResidue("exp", f"more than {CELLS} cells inside of one function")
        if found:
            g, cells = found[0], []
            for case in range(point.generators[g].states + 1):
                here: dict[tuple[Monomial, Name], Fraction] = {}
                for (m, name), c in form.terms.items():
                    state = dict(m).get(g)
                    if state is None or state == case:
                        key = (tuple(x for x in m if x[0] != g), name)
                        here[key] = here.get(key, Fraction(0)) + c
                cells.append(self._cells(Form({k: c for k, c in here.items() if c}), f))
            out = cells[0]
            for case, cell in enumerate(cells[1:], 1):
                out = out + (cell - cells[0]) * point.gen(g, case)
            return out
        cell = {name: c for (_, name), c in form.terms.items()}
        self.heaviest = max(self.heaviest, sum(map(abs, cell.values()), Fraction(0)))
        self.common = lcm(self.common, *(c.denominator for c in cell.values()))
        return f(cell)

    def _grown(self, cell: dict[Name, Fraction]) -> Any:
        exponent, out = 0, 1
        for name, c in cell.items():
            if name[0] == "log":
                out = out * self.point.power(self.logs[name[1]], c) % self.over.p
            else:
                exponent += self._times(c, "grow", name)
        return pow(self.over.g, exponent % self.over.q, self.over.p) * out

    def _turned(self, cell: dict[Name, Fraction]) -> Any:
        exponent, out = 0, 1
        for name, c in cell.items():
            if name == PI and (2 * c).denominator == 1:
                out = self._quarter(int(2 * c)) * out
            else:
                exponent += self._times(c, "turn", name)
        return out * pow(self.over.g, exponent % self.over.q, self.over.p)

    def _quarter(self, turns: int) -> Any:
        one: Any = -1 if turns % 4 in (2, 3) else 1
        return one * self.imaginary() if turns % 2 else one

    def _times(self, c: Fraction, tag: str, name: Name) -> int:
        q = self.over.q
        if c.denominator % q == 0:
            raise NoResidue("exp", "a number that the prime divides")
        if (tag, name) not in self.drawn:
            self.drawn[tag, name] = self.over.random(q, tag, name)
        return c.numerator * pow(c.denominator, -1, q) * self.drawn[tag, name]


__all__ = ["ONE", "PI", "Exponents", "Form", "leaf", "number"]
