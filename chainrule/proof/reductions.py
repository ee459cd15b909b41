"""The largest of an axis, and the product over one.

max(c + x) = c + max x and max(k·x) = k·max x for c and k > 0 that do not vary along the axis. A
product of powers is the powers' product; Π e^u = e^(Σu); a short axis is written out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product as places

from chainrule.graph.sizes import Size
from chainrule.proof import functions
from chainrule.proof import polynomials as po
from chainrule.proof.algebra import Algebra
from chainrule.proof.elements import ONE, Element, Unknown
from chainrule.proof.indices import fixed, letters, variable
from chainrule.proof.sums import held, total
from chainrule.proof.templates import template

SHORT = 8


def _digits(algebra: Algebra, a: Element, bound: Sequence[int]) -> tuple[Element, list[int]]:
    names = [w for v in bound for w in sorted(letters(algebra.in_digits(variable(v))))]
    return algebra.expanded(a), names


def largest(algebra: Algebra, a: Element, bound: Sequence[int]) -> Element:
    """The largest over variables; an axis has one place or more."""
    a, names = _digits(algebra, a, bound)
    inside = set(names)
    if not all(algebra.surely(algebra.ranges[v] - 1) for v in names):
        raise Unknown("the largest of what may be empty")
    if a.den:
        return _largest(algebra, a, names) if _varies(algebra, a, inside) else a
    moving = {m: c for m, c in a.num.items() if _varies(algebra, Element({m: c}), inside)}
    still = Element({m: c for m, c in a.num.items() if m not in moving})
    if not moving:
        return a
    shift = tuple(
        (x, n)
        for x, n in po.common(moving)
        if not algebra.at(x) & inside and algebra.heads[algebra.of[x][0]].sign == 2
    )
    scale = po.content(moving)
    inner = Element(po.shifted(moving, po.raised(shift, -1), 1 / scale))
    found = algebra.mul(Element({shift: scale}), _largest(algebra, inner, names))
    return algebra.add(still, found)


def _varies(algebra: Algebra, a: Element, inside: set[int]) -> bool:
    return any(held(algebra, p) & inside for p in (a.num, *(dict(q) for q, _ in a.den)))


def _largest(algebra: Algebra, a: Element, names: Sequence[int]) -> Element:
    used = {v for p in (a.num, *(dict(q) for q, _ in a.den)) for v in held(algebra, p)}
    t = template(algebra, a, [v for v in names if v in used])
    sign = 0 if t.body.den else algebra.sign_of(t.body.num)
    head = algebra.head("largest", t.key, t.symmetries, sign, (t.body, t.sizes))
    return algebra.gen(algebra.atom(head, t.args))


def multiplied(algebra: Algebra, a: Element, bound: Sequence[int]) -> Element:
    """The product over variables."""
    a, names = _digits(algebra, a, bound)
    if not names:
        return a
    many = 1
    for v in names:
        many *= algebra.ranges[v].const or SHORT + 1
    if many <= SHORT:
        out = algebra.number(1)
        ranges = [range(algebra.ranges[v].const or 0) for v in names]
        for at in places(*ranges):
            here = {v: fixed(Size.of(k)) for v, k in zip(names, at, strict=True)}
            out = algebra.mul(out, algebra.renamed(a, here))
        return out
    if not a.num or algebra.bits(a):
        raise Unknown("a product of what may be 0")
    lead, parts = functions.factored(algebra, a)
    inside = set(names)
    rest = algebra.number(lead)
    out = algebra.number(1)
    for f, k in parts:
        if not isinstance(k, int):
            raise Unknown("a product of roots")
        one = Element(f)
        atom = next(iter(f))[0][0] if len(f) == 1 else None
        if not held(algebra, f) & inside:
            rest = algebra.mul(rest, algebra.power(one, k))
        elif atom is not None and algebra.kind(atom) == "exp":
            inner = functions.inside(algebra, atom)
            out = algebra.mul(
                out, functions.exp(algebra, total(algebra, algebra.scale(inner, k * ONE), names))
            )
        else:
            out = algebra.mul(out, algebra.power(_product(algebra, one, names), k))
    if rest.key != algebra.number(1).key:
        out = algebra.mul(out, _product(algebra, rest, names))
    return out


def _product(algebra: Algebra, a: Element, names: Sequence[int]) -> Element:
    t = template(algebra, a, names)
    sign = 0 if t.body.den else algebra.sign_of(t.body.num)
    head = algebra.head("product", t.key, t.symmetries, sign, (t.body, t.sizes))
    return algebra.gen(algebra.atom(head, t.args))


__all__ = ["largest", "multiplied"]
