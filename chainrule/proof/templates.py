"""Templates: an element without its own indices, so that equal functions of entries are one head.

The distinct indices of an element become slots 0, 1, … in canonical order (variables −1, −2, …),
bound variables of a sum become −1001, −1002, …; the indices themselves go with the atom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.graph.sizes import Size
from chainrule.proof import polynomials as po
from chainrule.proof.algebra import Algebra
from chainrule.proof.elements import ONE, Element
from chainrule.proof.indices import ONCE, POINTER, Index, letters, plus, put, times, variable
from chainrule.proof.labels import canonical

BOUND = -1001
AXIS = -2001


@dataclass(frozen=True)
class Template:
    """key : one for elements that differ in names only. args : what stands in the slots.

    body : the element over slots. sizes : of the bound variables, in order.
    """

    key: Any
    args: tuple[Index, ...]
    symmetries: tuple[tuple[int, ...], ...]
    body: Element
    sizes: tuple[Size, ...] = ()


def template(algebra: Algebra, a: Element, bound: Sequence[int] = ()) -> Template:
    """The template of an element, with some variables bound."""
    inner = set(bound)
    polys = [a.num, *(dict(q) for q, _ in a.den)]
    used = po.atoms_of(polys)
    found: set[Index] = set()
    for x in used:
        for i in algebra.of[x][1]:
            _free(i, inner, found)
    free = sorted(found)
    flat = [[(c, m) for m, c in p.items()] for p in polys]
    exponents = [1, *(e for _, e in a.den)]

    def render(slots: dict[Any, Any], places: dict[int, Any]) -> Any:
        names = {}
        for x in used:
            head, args = algebra.of[x]
            tokens = tuple(_token(i, inner, slots, places) for i in args)
            names[x] = (head, algebra.ordered(head, tokens))
        parts = [
            (e, tuple(sorted((tuple(sorted((names[x], n) for x, n in m)), c) for c, m in terms)))
            for e, terms in zip(exponents, flat, strict=True)
        ]
        return (parts[0], tuple(sorted(parts[1:])))

    sizes = {v: algebra.ranges[v] for v in bound}
    algebra.spend(sum(map(len, flat)) * (len(free) + len(inner)))
    key, args, order, symmetries = canonical(render, free, [(v, sizes[v].terms) for v in bound])
    slot = {i: -1 - k for k, i in enumerate(args)}
    place = {v: BOUND - k for k, v in enumerate(order)}
    new: dict[int, int] = {}
    for x in used:
        head, old = algebra.of[x]
        new[x] = algebra.atom(head, [_body(i, inner, slot, place) for i in old])
    bodies = [{tuple(sorted((new[x], n) for x, n in m)): c for m, c in p.items()} for p in polys]
    den: list[tuple[po.PolyKey, int]] = []
    scale = ONE
    for p, e in zip(bodies[1:], exponents[1:], strict=True):
        lead, _, q = po.normal(p)
        scale, den = scale / lead**e, [*den, (po.key(q), e)]
    num = {m: c * scale for m, c in bodies[0].items()}
    frozen = (key, tuple(sizes[v].terms for v in order))
    body = Element(num, tuple(sorted(den)))
    return Template(frozen, tuple(args), tuple(symmetries), body, tuple(sizes[v] for v in order))


def _apart(i: Index, inner: set[int]) -> tuple[list[Any], Index]:
    """The terms of an index that hold bound variables, and the rest."""
    terms = [t for t in i[0] if _bases(t[0]) & inner]
    return terms, (tuple(t for t in i[0] if t not in terms), i[1])


def _bases(base: Any) -> set[int]:
    return letters((((base, ONCE),), ()))


def _free(i: Index, inner: set[int], found: set[Index]) -> None:
    """What stands in slots: indices without bound variables, and what is added to these."""
    if not letters(i) & inner:
        found.add(i)
        return
    terms, rest = _apart(i, inner)
    if rest[0]:
        found.add(rest)
    for (_, args), _ in terms:
        for j in args:
            _free(j, inner, found)


def _token(i: Index, inner: set[int], slots: dict[Any, Any], places: dict[int, Any]) -> Any:
    if i in slots and not letters(i) & inner:
        return (0, slots[i])
    terms, rest = _apart(i, inner)
    made: list[Any] = []
    for (v, args), factor in terms:
        if v < POINTER:
            made.append(((0, places[v]), factor))
        else:
            made.append(((1, v, tuple(_token(j, inner, slots, places) for j in args)), factor))
    return (1, tuple(sorted(made)), (1, slots[rest]) if rest[0] else (0, rest[1]))


def _body(i: Index, inner: set[int], slot: dict[Any, int], place: dict[int, int]) -> Index:
    if not letters(i) & inner:
        return variable(slot[i])
    terms, rest = _apart(i, inner)
    out = variable(slot[rest]) if rest[0] else rest
    for (v, args), factor in terms:
        if v < POINTER:
            one = variable(place[v])
        else:
            one = (((v, tuple(_body(j, inner, slot, place) for j in args)), ONCE),), ()
        out = plus(out, times(one, Size(dict(factor))))
    return out


def oriented(algebra: Algebra, a: Element) -> tuple[Template, bool]:
    """The template of a or −a, whichever comes first, and whether it is of −a."""
    t, u = template(algebra, a), template(algebra, algebra.neg(a))
    return (u, True) if (u.key, u.args) < (t.key, t.args) else (t, False)


def opaque(algebra: Algebra, kind: str, a: Element, sign: int = 0, more: Any = ()) -> Element:
    """A function of an element by name: equal functions of equal elements are equal."""
    t = template(algebra, a)
    head = algebra.head(kind, (more, t.key), t.symmetries, sign, t.body)
    return algebra.gen(algebra.atom(head, t.args))


def closed(algebra: Algebra, a: Element, axes: Sequence[Index]) -> Any:
    """The key of an array from its entry at axes."""
    a, axes = algebra.expanded(a), [algebra.in_digits(i) for i in axes]
    values: dict[int, Index] = {}
    for i in axes:
        for (v, _), _ in i[0]:
            values[v] = variable(AXIS - len(values))
    shape = tuple(put(i, values) for i in axes)
    return algebra.renamed(a, values).key, shape


__all__ = ["Template", "closed", "opaque", "oriented", "template"]
