"""What a one-hot line picks: Σₖ Y[k, n]·g(k) is the one g where Y is 1.

So functions and products go inside: f(ΣY·g) = ΣY·f(g), and ΣY·g·ΣY·h = ΣY·g·h on one line. What
stands where Y is 0 may be undefined; it is multiplied by 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chainrule.proof import polynomials as po
from chainrule.proof.elements import ONE, Element, Unknown, Vacuous
from chainrule.proof.indices import Index, letters, put, variable

if TYPE_CHECKING:
    from chainrule.proof.algebra import Algebra
    from chainrule.proof.polynomials import Monomial

#: The bound variable of a sum over one letter, see `templates`.
BOUND = -1001


@dataclass(frozen=True)
class Picked:
    """Σᵥ Y[v, n]·g(v) for one-hot Y, which is g where Y is 1: an atom of that form, or Y itself.

    line : one for all that pick from the same line of the same input. at : the place, for Y itself.
    g : the body at a place, for a sum.
    """

    atom: int
    line: Any
    axis: int
    at: Index | None = None
    g: Callable[[Index], Element] | None = None


def picked(algebra: Algebra, atom: int) -> Picked | None:
    """An atom as what a one-hot line picks; None for all else."""
    if atom not in algebra.picks:
        algebra.picks[atom] = _picked(algebra, atom)
    found: Picked | None = algebra.picks[atom]
    return found


def _picked(algebra: Algebra, atom: int) -> Picked | None:
    head, args = algebra.of[atom]
    fact = algebra.facts.get(head)
    if fact is not None and fact.exclusive is not None:
        axis = fact.exclusive
        return Picked(atom, (head, *args[:axis], *args[axis + 1 :]), axis, at=args[axis])
    if algebra.kind(atom) != "sum":
        return None
    body, sizes = algebra.heads[head].payload
    if len(sizes) != 1 or len(body.num) != 1:
        return None
    letter = variable(BOUND)
    (m,) = body.num
    for x, e in m:
        one, places = algebra.of[x]
        fact = algebra.facts.get(one)
        if e != 1 or fact is None or fact.exclusive is None:
            continue
        axis = fact.exclusive
        rest = (*places[:axis], *places[axis + 1 :])
        whole = places[axis] == letter and sizes[0] == fact.shape[axis]
        if not whole or any(BOUND in letters(i) for i in rest):
            continue
        slots = {-1 - k: i for k, i in enumerate(args)}
        inner = algebra.at_bit(body, x, 1)

        def g(at: Index, inner: Element = inner, slots: dict[int, Index] = slots) -> Element:
            return algebra.renamed(inner, {**slots, BOUND: at})

        return Picked(atom, (one, *(put(i, slots) for i in rest)), axis, g=g)
    return None


def exclusive(algebra: Algebra, m: Monomial) -> Element | None:
    """Products on one line of what is one-hot; None where a monomial has none.

    Y[a]·Y[b] = δ(a, b)·Y[a], Y[a]·ΣY[v]·g(v) = Y[a]·g(a), ΣY·g·ΣY·h = ΣY·g·h.
    """
    lines: dict[Any, list[tuple[Picked, int]]] = {}
    for x, e in m:
        if isinstance(e, int) and e > 0:
            one = picked(algebra, x)
            if one is not None:
                lines.setdefault(one.line, []).append((one, e))
    for line, found in lines.items():
        if len(found) == 1 and (found[0][1] == 1 or found[0][0].at is not None):
            continue
        gone = {one.atom for one, _ in found}
        out = algebra.monomial(tuple(y for y in m if y[0] not in gone))
        places = [one.at for one, _ in found if one.at is not None]
        axis = found[0][0].axis
        letter = 0 if places else algebra.fresh(algebra.facts[line[0]].shape[axis])
        at = places[0] if places else variable(letter)
        hot = algebra.gen(algebra.atom(line[0], (*line[1 : axis + 1], at, *line[axis + 1 :])))
        for place in places[1:]:
            out = algebra.mul(out, algebra.delta(at, place))
        value = hot
        for one, e in found:
            if one.g is not None:
                value = algebra.mul(value, algebra.power(one.g(at), e))
        return algebra.mul(out, value if places else algebra.total(value, [letter]))
    return None


def inside(algebra: Algebra, f: Callable[[Element], Element], a: Element) -> Element | None:
    """f(c + ΣY[v]·g(v)) = ΣY[v]·f(c + g(v)) for one-hot Y; None where a holds no such sum.

    What f is of where Y is 0 may be undefined; it is multiplied by 0.
    """
    for x in po.atoms_of([a.num]):
        one = picked(algebra, x)
        if one is None or one.g is None:
            continue
        if any(y == x and not (isinstance(e, int) and e > 0) for m in a.num for y, e in m):
            continue
        letter = algebra.fresh(algebra.facts[one.line[0]].shape[one.axis])
        at = variable(letter)
        places = (*one.line[1 : one.axis + 1], at, *one.line[one.axis + 1 :])
        hot = algebra.gen(algebra.atom(one.line[0], places))
        body = Element({})
        for m, c in a.num.items():
            kept = Element({tuple(y for y in m if y[0] != x): c})
            for y, e in m:
                if y == x:
                    kept = algebra.mul(kept, algebra.power(one.g(at), int(e)))
            body = algebra.add(body, kept)
        try:
            value = f(algebra.mul(body, Element({(): ONE}, a.den)) if a.den else body)
        except Vacuous as why:
            raise Unknown(str(why)) from None
        for q, _ in value.den:
            roots = any(algebra.kind(y) == "root" for y in po.atoms_of([dict(q)]))
            if roots and algebra.sign_of(dict(q)) != 2:
                raise Unknown("a root in a denominator of one case")
        return algebra.total(algebra.mul(hot, value), [letter])
    return None


__all__ = ["exclusive", "inside"]
