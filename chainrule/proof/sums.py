"""Sums over indices: flat, connected, and named by what is summed, not by their letters.

Σ is linear: what does not hold the index goes outside, a sum inside a sum becomes one sum over both
indices, Σⱼ δ(i,j)·f(j) is f(i), and what holds no index is multiplied by the size. What is left is
taken apart into parts that share no index; each is an atom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chainrule.graph.sizes import Size
from chainrule.proof import polynomials as po
from chainrule.proof.algebra import Algebra
from chainrule.proof.assumptions import settled
from chainrule.proof.counting import recounted
from chainrule.proof.elements import ONE, Element
from chainrule.proof.indices import (
    ONCE,
    POINTER,
    Index,
    among,
    bases,
    fixed,
    letters,
    minus,
    moved,
    offset,
    plain,
    times,
    variable,
)
from chainrule.proof.polynomials import Monomial, PolyKey
from chainrule.proof.templates import BOUND, template

Den = tuple[tuple[PolyKey, int], ...]


def total(algebra: Algebra, a: Element, bound: Sequence[int]) -> Element:
    """Σ of an element over variables, each over its range."""
    bound = [w for v in bound for w in sorted(letters(algebra.in_digits(variable(v))))]
    a = algebra.expanded(a)
    if not bound or not a.num:
        return a
    cases = _cases(algebra, a, bound)
    if cases is not None:
        out = algebra.number(0)
        for v, image, more in cases:
            rest = [*(w for w in bound if w != v), *more]
            out = algebra.add(out, total(algebra, algebra.renamed(a, {v: image}), rest))
        return out
    inside = set(bound)
    outer = tuple((q, e) for q, e in a.den if not inside & held(algebra, dict(q)))
    inner = tuple((q, e) for q, e in a.den if inside & held(algebra, dict(q)))
    pieces = {inner: a.num}
    for q, _ in inner:
        pieces = _split(algebra, pieces, q, inside)
    out = algebra.gathered(
        algebra.scale(_term(algebra, m, den, list(bound)), c)
        for den, num in pieces.items()
        for m, c in num.items()
    )
    return algebra.mul(out, Element({(): ONE}, outer)) if outer else out


Case = tuple[int, Index, list[int]]  # a variable, what it is, the letters that this has


def _cases(algebra: Algebra, a: Element, bound: Sequence[int]) -> list[Case] | None:
    """A sum in parts: before and after a place where a condition switches; or place by place."""
    for x in po.atoms_of([a.num]):
        if algebra.kind(x) != "before":
            continue
        found = threshold(algebra, algebra.of[x][1][0])
        if found is not None and found[0] in bound:
            v, first = found
            return [(v, *run(algebra, first)), (v, *run(algebra, algebra.ranges[v] - first, first))]
    for v in bound if algebra.unrolled else ():
        many = algebra.ranges[v].const
        if many is not None and many <= algebra.unrolled:
            return [(v, fixed(Size.of(k)), []) for k in range(many)]
    return None


def threshold(algebra: Algebra, index: Index) -> tuple[int, Size] | None:
    """The variable and the place at which [index < 0] switches, surely within its range."""
    if len(index[0]) != 1:
        return None
    v, first = plain((index[0], ())), -offset(index)
    size = algebra.ranges.get(v)
    if size is None or not algebra.surely(first) or not algebra.surely(size - first):
        return None
    return v, first


def run(algebra: Algebra, size: Size, first: int | Size = 0) -> tuple[Index, list[int]]:
    """A new index over first … first + size − 1, and its letters."""
    if size == 1:
        return fixed(Size.of(first)), []
    u = algebra.fresh(size)
    return moved(variable(u), 1, Size.of(first)), [u]


def held(algebra: Algebra, p: po.Poly) -> set[int]:
    """The variables in a polynomial."""
    return {v for x in po.atoms_of([p]) for v in algebra.at(x)}


def _split(
    algebra: Algebra, pieces: Mapping[Den, po.Poly], q: PolyKey, inside: set[int]
) -> dict[Den, po.Poly]:
    """Remainders by one denominator, where it is monic in an atom: x/(1 + x) is 1 − 1/(1 + x).

    Without this, sums of equal totals over one denominator would look different.
    """
    main = _main(algebra, q, inside)
    if main is None:
        return dict(pieces)
    atom, degree = main
    rest = {m: c for m, c in q if dict(m).get(atom, 0) != degree}
    lead = next(c for m, c in q if dict(m).get(atom, 0) == degree)
    out: dict[Den, po.Poly] = {}
    todo = [(den, dict(num)) for den, num in pieces.items()]
    while todo:
        den, num = todo.pop()
        here = dict(den)
        high = {m: c for m, c in num.items() if dict(m).get(atom, 0) >= degree}
        if q not in here or not high:
            out[den] = po.plus(out.get(den, {}), num)
            continue
        algebra.spend(len(high) * len(q))
        low = {m: c for m, c in num.items() if m not in high}
        less = po.shifted(high, ((atom, -degree),), 1 / lead)
        fewer = {**here, q: here[q] - 1}
        below = tuple(sorted((k, e) for k, e in fewer.items() if e))
        todo.append((below, less))
        product = algebra.mul(Element(less), Element(rest))
        if product.den:
            out[den] = po.plus(out.get(den, {}), num)
            todo.pop()
            continue
        todo.append((den, po.plus(low, {m: -c for m, c in product.num.items()})))
    return {den: num for den, num in out.items() if num}


def _main(algebra: Algebra, q: PolyKey, inside: set[int]) -> tuple[int, int] | None:
    for atom in reversed(po.atoms_of([dict(q)])):
        if not inside & algebra.at(atom) or algebra.kind(atom) in (
            "root",
            "sin",
        ):
            continue
        powers = [dict(m).get(atom, 0) for m, _ in q]
        degree = max(powers)
        top = next(m for m, _ in q if dict(m).get(atom, 0) == degree)
        if powers.count(degree) == 1 and len(top) == 1 and isinstance(degree, int):
            if all(isinstance(p, int) and p >= 0 for p in powers):
                return atom, degree
    return None


def _term(algebra: Algebra, m: Monomial, den: Den, bound: list[int]) -> Element:
    """Σ of one monomial over denominators."""
    opened = _opened(algebra, m, bound)
    if opened is not None:
        more, extra, wider = opened
        if extra.den:
            den = _joined(den, extra.den)
        whole = algebra.mul(algebra.monomial(more), Element(extra.num))
        both = _joined(den, whole.den)
        return algebra.gathered(
            algebra.scale(_term(algebra, k, both, wider), c) for k, c in whole.num.items()
        )
    for x, e in m:
        if algebra.kind(x) == "delta" and e == 1:
            found = _substitution(algebra, algebra.of[x][1], bound)
            if found is not None:
                v, w = found
                rest = Element({tuple(y for y in m if y[0] != x): ONE}, den)
                left = [b for b in bound if b != v]
                there = algebra.inside(w, algebra.ranges[v])
                value = algebra.renamed(rest, {v: w})
                return total(algebra, algebra.choose(there, value, Element({})), left)
    named = _named(algebra, m, den, bound)
    if named is not None:
        return total(algebra, named, bound)
    inner = _cancelled(algebra, m, den, bound)
    if inner is not None:
        return total(algebra, *inner)
    known = settled(algebra, m, den, bound)
    if known is not None:
        return total(algebra, *known)
    return _parts(algebra, m, den, bound)


def _named(algebra: Algebra, m: Monomial, den: Den, bound: list[int]) -> Element | None:
    """A product with δ(p, w), for a pointer p and a place w outside of the sum, with w for p."""
    inside = set(bound)
    for x, e in m:
        if algebra.kind(x) != "delta" or e != 1:
            continue
        for p, w in (algebra.of[x][1], algebra.of[x][1][::-1]):
            alone = len(p[0]) == 1 and not p[1] and p[0][0][0][0] >= POINTER
            if not alone or p[0][0][1] != ONCE or letters(w) & inside or not letters(p) & inside:
                continue
            rest = Element({tuple(y for y in m if y[0] != x): ONE}, den)
            used = po.atoms_of([rest.num, *(dict(q) for q, _ in den)])
            if any(p[0][0][0] in bases(i) for y in used for i in algebra.of[y][1]):
                return algebra.mul(algebra.gen(x), algebra.rebased(rest, p[0][0][0], w))
    return None


def _cancelled(
    algebra: Algebra, m: Monomial, den: Den, bound: list[int]
) -> tuple[Element, list[int]] | None:
    """Σⱼ Σₖ f(j, k)/Σₖ f(j, k): a sum within that stands below the bar as well is taken first."""
    sums = {x for x, e in m if e < 0 and algebra.kind(x) == "sum" and algebra.at(x) & set(bound)}
    if not sums:
        return None
    below = {v for q, _ in den for v in held(algebra, dict(q))}
    for v in bound:
        inside = tuple((x, e) for x, e in m if v in algebra.at(x))
        if v in below or not inside or any(x in sums for x, _ in inside):
            continue
        value = total(algebra, Element({inside: ONE}), [v])
        if len(value.num) == 1 and any(x in sums for x, _ in next(iter(value.num))):
            rest = Element({tuple(y for y in m if y not in inside): ONE}, den)
            return algebra.mul(rest, value), [w for w in bound if w != v]
    return None


def _joined(a: Den, b: Den) -> Den:
    out = dict(a)
    for q, e in b:
        out[q] = out.get(q, 0) + e
    return tuple(sorted(out.items()))


def _opened(
    algebra: Algebra, m: Monomial, bound: list[int]
) -> tuple[Monomial, Element, list[int]] | None:
    """One sum in the monomial that holds a bound variable, with new letters for its own."""
    for x, e in m:
        head, args = algebra.of[x]
        info = algebra.heads[head]
        if info.kind != "sum" or not isinstance(e, int) or e < 1:
            continue
        if not algebra.at(x) & set(bound):
            continue
        body, sizes = info.payload
        letters = [algebra.fresh(s) for s in sizes]
        values: dict[int, Index] = {-1 - k: i for k, i in enumerate(args)}
        values |= {BOUND - k: variable(v) for k, v in enumerate(letters)}
        inner = algebra.renamed(body, values)
        rest = tuple((y, n) for y, n in m if y != x)
        more = po.times(rest, ((x, e - 1),)) if e > 1 else rest
        return more, inner, [*bound, *letters]
    return None


def _substitution(
    algebra: Algebra, places: tuple[Index, ...], bound: list[int]
) -> tuple[int, Index] | None:
    """v and what it is by δ; where one can be chosen, one that is surely within its range."""
    gap = minus(*places)
    found = None
    for base, factor in gap[0]:
        v, sign = base[0], Size(dict(factor)).const
        if v not in bound or sign not in (1, -1):
            continue
        rest = (tuple(t for t in gap[0] if t[0] != base), gap[1])
        if v in letters(rest):
            continue
        w = times(rest, -sign)
        if among(w, algebra.ranges[v], algebra.ranges, algebra.floors):
            return v, w
        found = found or (v, w)
    return found


def _parts(algebra: Algebra, m: Monomial, den: Den, bound: list[int]) -> Element:
    """The product of the parts that share no bound variable."""
    inside = set(bound)
    pieces: list[tuple[set[int], Monomial, Den]] = []
    for x, e in m:
        pieces.append((set(algebra.at(x)) & inside, ((x, e),), ()))
    for q, n in den:
        pieces.append((held(algebra, dict(q)) & inside, (), ((q, n),)))
    out = algebra.number(1)
    groups: list[tuple[set[int], Monomial, Den]] = []
    for names, monomial, below in pieces:
        if not names:
            out = algebra.mul(out, Element({monomial: ONE}, below))
            continue
        apart = [g for g in groups if not g[0] & names]
        for g in groups:
            if g[0] & names:
                names = names | g[0]
                monomial, below = po.times(monomial, g[1]), _joined(below, g[2])
        groups = [*apart, (names, monomial, below)]
    for v in inside - {v for g in groups for v in g[0]}:
        out = algebra.mul(out, algebra.size(algebra.ranges[v]))
    for names, monomial, below in groups:
        content = Element({monomial: ONE}, below)
        out = algebra.mul(out, _part(algebra, content, sorted(names)))
    return out


def _part(algebra: Algebra, content: Element, names: list[int]) -> Element:
    """Σ of a product whose factors hang together, in the first of the ways to count."""
    other = recounted(algebra, content, names)
    if other is not None:
        out = algebra.number(0)
        for sign, values, more in other:
            image = algebra.renamed(content, values)
            rest = [*(v for v in names if v not in values), *more]
            out = algebra.add(out, algebra.scale(total(algebra, image, rest), sign * ONE))
        return out
    t = template(algebra, content, names)
    sign = min((algebra.sign_of({k: c}) for k, c in t.body.num.items()), default=0)
    if any(algebra.sign_of(dict(q)) != 2 for q, n in t.body.den if n % 2):
        sign = 0
    if not all(algebra.surely(s - 1) for s in t.sizes):
        sign = min(sign, 1)
    head = algebra.head("sum", t.key, t.symmetries, sign, (t.body, t.sizes))
    return algebra.gen(algebra.atom(head, t.args))
