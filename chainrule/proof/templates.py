"""Templates: an element without its own indices, so that equal functions of entries are one head.

The distinct indices of an element become slots 0, 1, … in canonical order (variables −1, −2, …),
bound variables of a sum become −1001, −1002, …; the indices themselves go with the atom.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chainrule.graph.sizes import Size
from chainrule.proof import polynomials as po
from chainrule.proof.algebra import Algebra
from chainrule.proof.elements import ONE, Element
from chainrule.proof.indices import ONCE, POINTER, Index, letters, plain, plus, put, times, variable
from chainrule.proof.labels import Item, Tokens, canonical

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
    algebra.spend(len(used))
    alike = _alike(algebra, a, used, bound)
    if alike is not None and alike[0] in algebra.templates:
        made, order = algebra.templates[alike[0]]
        t: Template = replace(made, args=tuple(alike[1][n] for n in order))
        return t
    standing = {x: {t for i in algebra.of[x][1] for t in _standing(i, inner)} for x in used}
    free = sorted({i for found in standing.values() for kind, i in found if not kind})
    flat = [[(c, m) for m, c in p.items()] for p in polys]
    exponents = [1, *(e for _, e in a.den)]

    length = sum(len(m) + 1 for terms in flat for _, m in terms)

    def named(
        slots: dict[Any, Any], places: dict[int, Any]
    ) -> tuple[tuple[Any, ...], dict[int, int]]:
        """The atoms' names in order, and which of them each atom has."""
        algebra.spend(length + len(used))
        names = {}
        for x in used:
            head, args = algebra.of[x]
            tokens = tuple(_token(i, inner, slots, places) for i in args)
            names[x] = (head, algebra.ordered(head, tokens))
        order = tuple(sorted(set(names.values())))
        number = {name: n for n, name in enumerate(order)}
        return order, {x: number[name] for x, name in names.items()}

    def render(slots: dict[Any, Any], places: dict[int, Any]) -> Any:
        order, names = named(slots, places)
        parts = [
            (e, tuple(sorted((tuple(sorted((names[x], n) for x, n in m)), c) for c, m in terms)))
            for e, terms in zip(exponents, flat, strict=True)
        ]
        return (order, parts[0], tuple(sorted(parts[1:])))

    def around(tokens: Tokens) -> dict[Item, Any]:
        _, names = named(*tokens)
        monomials = [
            ((k > 0, e, tuple(sorted((names[x], n) for x, n in m)), c), m)
            for k, (e, terms) in enumerate(zip(exponents, flat, strict=True))
            for c, m in terms
        ]
        order = {told: n for n, told in enumerate(sorted({told for told, _ in monomials}))}
        near: dict[int, list[Any]] = {x: [] for x in used}
        for told, m in monomials:
            for x, n in m:
                near[x].append((order[told], n))
        found: dict[Item, list[Any]] = {(0, i): [] for i in free} | {(1, v): [] for v in bound}
        for x in used:
            head, args = algebra.of[x]
            here = tuple(sorted(near[x]))
            for kind, i in standing[x]:
                known = tokens[kind][i]
                tokens[kind][i] = (known[0], 1)
                marked = tuple(_token(j, inner, *tokens) for j in args)
                tokens[kind][i] = known
                found[kind, i].append(((head, algebra.ordered(head, marked)), here))
        return {item: tuple(sorted(told)) for item, told in found.items()}

    sizes = {v: algebra.ranges[v] for v in bound}
    letters_bound = [(v, sizes[v].terms) for v in bound]
    key, args, order, symmetries = canonical(render, around, free, letters_bound)
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
    t = Template(frozen, tuple(args), tuple(symmetries), body, tuple(sizes[v] for v in order))
    if alike is not None:
        algebra.templates[alike[0]] = t, [alike[1].index(i) for i in args]
    return t


def _alike(
    algebra: Algebra, a: Element, used: Sequence[int], bound: Sequence[int]
) -> tuple[Any, list[Index]] | None:
    """A key of elements that are one but for the names of their indices, taken as they come; and
    the indices. None where one is made of bound variables and more."""
    inner, number = set(bound), dict[Index, int]()
    atoms = []
    for x in used:
        head, args = algebra.of[x]
        for i in args:
            if i not in number:
                if not plain(i) and letters(i) & inner:
                    return None
                number[i] = len(number)
        atoms.append((head, tuple(number[i] for i in args)))
    places = [(number.get(variable(v), -1), algebra.ranges[v].terms) for v in bound]
    if any(n < 0 for n, _ in places):
        return None
    position = {x: n for n, x in enumerate(used)}
    terms = [
        (e, tuple(sorted((tuple((position[x], n) for x, n in m), c) for m, c in p)))
        for e, p in ((1, a.num.items()), *((e, q) for q, e in a.den))
    ]
    return (tuple(atoms), tuple(terms), tuple(sorted(places))), list(number)


def _apart(i: Index, inner: set[int]) -> tuple[list[Any], Index]:
    """The terms of an index that hold bound variables, and the rest."""
    terms = [t for t in i[0] if _bases(t[0]) & inner]
    return terms, (tuple(t for t in i[0] if t not in terms), i[1])


def _bases(base: Any) -> set[int]:
    return letters((((base, ONCE),), ()))


def _standing(i: Index, inner: set[int]) -> Iterator[Item]:
    """The free indices and the bound variables that an index is made of."""
    if not letters(i) & inner:
        yield 0, i
        return
    terms, rest = _apart(i, inner)
    if rest[0]:
        yield 0, rest
    for (v, args), _ in terms:
        if v < POINTER:
            yield 1, v
        for j in args:
            yield from _standing(j, inner)


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
    up, down = sorted(a.num.values()), sorted(-c for c in a.num.values())
    if up != down and not a.den:  # its coefficients tell which of the two, whatever the names
        return (
            (template(algebra, a), False)
            if up > down
            else (template(algebra, algebra.neg(a)), True)
        )
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
