"""Other ways to count the same places of a sum, of which one is chosen.

A variable that is only counted back is counted forth. Two digits that stand together only, as
by·high + low, are one variable. A run of places that does not start at 0 is the run up to its end
less the run up to its start, where the summand is defined everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from chainrule.graph.sizes import Size
from chainrule.proof import polynomials as po
from chainrule.proof.algebra import Algebra
from chainrule.proof.elements import Element
from chainrule.proof.indices import (
    POINTER,
    ZERO,
    Index,
    moved,
    offset,
    variable,
)

#: A sign, variables with what they are now, new variables.
Way = tuple[int, Mapping[int, Index], Sequence[int]]

#: Kinds of atoms that are defined everywhere, if what they are of is.
REGULAR = ("input", "whole", "flag", "onehot", "place", "size", "delta", "before", "exp")
OF_REGULAR = ("exp", "cos", "cut")


def recounted(algebra: Algebra, a: Element, names: Sequence[int]) -> list[Way] | None:
    """The parts of another way to sum over variables, None where it is the chosen one."""
    atoms = po.atoms_of([a.num, *(dict(q) for q, _ in a.den)])
    places = [i for x in atoms for j in algebra.of[x][1] for i in _all(j)]
    several = any(len(i[0]) > 1 for i in places)
    for v in names:
        here = [i for i in places if any(b == (v, ()) for b, _ in i[0])]
        factors = [Size(dict(f)) for i in here for b, f in i[0] if b == (v, ())]
        size = algebra.ranges[v]
        if all(f.terms[-1][1] < 0 for f in factors):
            u = algebra.fresh(size)
            return [(1, {v: moved(variable(u), -1, size - 1)}, [u])]
        if several:
            for w in names:
                if w != v and _together(places, w, v, size):
                    u = algebra.fresh(algebra.ranges[w] * size)
                    return [(1, {w: ZERO, v: variable(u)}, [u])]
        if any(f != 1 for f in factors) or any(len(i[0]) > 1 for i in here):
            continue
        first = min((offset(i) for i in here), key=_Ordered)
        if first.terms and algebra.surely(first) and regular(algebra, a):
            return [*_run(algebra, 1, v, first, size + first), *_run(algebra, -1, v, first, first)]
    return None


def _run(algebra: Algebra, sign: int, v: int, first: Size, size: Size) -> list[Way]:
    """Places 0 … size − 1 where the variable stood for first …"""
    if size == 1:
        return [(sign, {v: moved(ZERO, 1, -first)}, [])]
    u = algebra.fresh(size)
    return [(sign, {v: moved(variable(u), 1, -first)}, [u])]


class _Ordered:
    """Sizes in an order that adding to both does not change."""

    def __init__(self, size: Size) -> None:
        self.size = size

    def __lt__(self, other: _Ordered) -> bool:
        gap = other.size - self.size
        return bool(gap.terms) and gap.terms[-1][1] > 0


def _all(i: Index) -> Iterator[Index]:
    """An index and those of its pointers."""
    yield i
    for (_, args), _ in i[0]:
        for j in args:
            yield from _all(j)


def _together(places: Sequence[Index], high: int, low: int, size: Size) -> bool:
    """Whether two variables stand as size·high + low only."""
    found = False
    for i in places:
        factors = {b[0]: Size(dict(f)) for b, f in i[0] if b[0] < POINTER}
        if high not in factors and low not in factors:
            continue
        found = True
        if high not in factors or low not in factors or factors[high] != factors[low] * size:
            return False
    return found


def regular(algebra: Algebra, a: Element) -> bool:
    """Whether an element is defined for all real inputs at all places, by its form."""
    if a.den:
        return False
    for m in a.num:
        for x, e in m:
            info = algebra.heads[algebra.of[x][0]]
            kind, body = info.kind, info.payload
            if info.kind == "sin":
                kind, body = "cos", algebra.heads[body].payload
            if not isinstance(e, int) or (e < 0 and kind != "exp"):
                return False
            if kind == "sum":
                kind, body = "cut", body[0]
            if kind not in (*REGULAR, *OF_REGULAR):
                return False
            if kind in OF_REGULAR and not regular(algebra, body):
                return False
    return True


__all__ = ["recounted", "regular"]
