"""Sums over indices: flat, connected, and named by what is summed, not by their letters.

Σ is linear: what does not hold the index goes outside, a sum inside a sum becomes one sum over both
indices, Σⱼ δ(i,j)·f(j) is f(i), and what holds no index is multiplied by the size. What is left is
taken apart into parts that share no index; each is an atom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chainrule.proof import polynomials as po
from chainrule.proof.algebra import Algebra
from chainrule.proof.elements import ONE, Element
from chainrule.proof.indices import Index, variable
from chainrule.proof.polynomials import Monomial, PolyKey
from chainrule.proof.templates import BOUND, template

Den = tuple[tuple[PolyKey, int], ...]


def total(algebra: Algebra, a: Element, bound: Sequence[int]) -> Element:
    """Σ of an element over variables, each over its range."""
    if not bound or not a.num:
        return a
    inside = set(bound)
    outer = tuple((q, e) for q, e in a.den if not inside & _of(algebra, dict(q)))
    inner = tuple((q, e) for q, e in a.den if inside & _of(algebra, dict(q)))
    pieces = {inner: a.num}
    for q, _ in inner:
        pieces = _split(algebra, pieces, q, inside)
    out = algebra.number(0)
    for den, num in pieces.items():
        for m, c in num.items():
            out = algebra.add(out, algebra.scale(_term(algebra, m, den, list(bound)), c))
    return algebra.mul(out, Element({(): ONE}, outer)) if outer else out


def _of(algebra: Algebra, p: po.Poly) -> set[int]:
    return {i[1] for x in po.atoms_of([p]) for i in algebra.of[x][1]}


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
        if not inside & {i[1] for i in algebra.of[atom][1]} or algebra.kind(atom) in (
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
        out = algebra.number(0)
        whole = algebra.mul(algebra.monomial(more), Element(extra.num))
        for k, c in whole.num.items():
            both = _joined(den, whole.den)
            out = algebra.add(out, algebra.scale(_term(algebra, k, both, wider), c))
        return out
    for x, e in m:
        if algebra.kind(x) == "delta" and e == 1:
            found = _substitution(algebra, algebra.of[x][1], bound)
            if found is not None:
                v, w = found
                rest = Element({tuple(y for y in m if y[0] != x): ONE}, den)
                left = [b for b in bound if b != v]
                return total(algebra, algebra.renamed(rest, {v: w}), left)
    return _parts(algebra, m, den, bound)


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
        if not any(i[1] in bound for i in args):
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
    """v and what it is by δ(v, w), where w runs over the same range."""
    for a, b in (places, places[::-1]):
        plain = a[0] == 1 and not a[2] and a[1] in bound
        if not plain or b[1] == a[1]:
            continue
        size = algebra.ranges[a[1]]
        if b[0] == 1 and not b[2] and algebra.ranges.get(b[1]) == size:
            return a[1], b
    return None


def _parts(algebra: Algebra, m: Monomial, den: Den, bound: list[int]) -> Element:
    """The product of the parts that share no bound variable."""
    inside = set(bound)
    pieces: list[tuple[set[int], Monomial, Den]] = []
    for x, e in m:
        pieces.append(({i[1] for i in algebra.of[x][1]} & inside, ((x, e),), ()))
    for q, n in den:
        pieces.append((_of(algebra, dict(q)) & inside, (), ((q, n),)))
    out = algebra.number(1)
    groups: list[tuple[set[int], Monomial, Den]] = []
    for letters, monomial, below in pieces:
        if not letters:
            out = algebra.mul(out, Element({monomial: ONE}, below))
            continue
        apart = [g for g in groups if not g[0] & letters]
        for g in groups:
            if g[0] & letters:
                letters = letters | g[0]
                monomial, below = po.times(monomial, g[1]), _joined(below, g[2])
        groups = [*apart, (letters, monomial, below)]
    for v in inside - {v for g in groups for v in g[0]}:
        out = algebra.mul(out, algebra.size(algebra.ranges[v]))
    for letters, monomial, below in groups:
        content = Element({monomial: ONE}, below)
        t = template(algebra, content, sorted(letters))
        sign = min(1, min((algebra.sign_of({k: c}) for k, c in t.body.num.items()), default=0))
        if any(algebra.sign_of(dict(q)) != 2 for q, n in t.body.den if n % 2):
            sign = 0
        head = algebra.head("sum", t.key, t.symmetries, sign, (t.body, t.sizes))
        out = algebra.mul(out, algebra.gen(algebra.atom(head, t.args)))
    return out
