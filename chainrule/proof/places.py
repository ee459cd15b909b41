"""Numbers as places: an integer element as an index, and comparisons of such numbers.

An element that is made of places and sizes with whole factors is an index if it is surely not below
0, and counted forth if it surely counts back from the end: what lies beyond the axis is an error,
and no value. Any other integer is a pointer: the place that it names, wherever that is; equal
integers name equal places.
"""

from __future__ import annotations

from chainrule.graph.sizes import Size
from chainrule.proof.algebra import Algebra
from chainrule.proof.elements import Element, Unknown
from chainrule.proof.indices import (
    POINTER,
    ZERO,
    Index,
    extent,
    moved,
    plus,
    pointer,
    times,
)
from chainrule.proof.templates import template


def counted(algebra: Algebra, a: Element) -> Index | None:
    """The index expression that an element is, None if it is none."""
    if a.den:
        return None
    out: Index = ZERO
    for m, c in a.num.items():
        if c.q != 1:
            return None
        factor, place = Size.of(int(c.p)), None
        for x, n in m:
            head, args = algebra.of[x]
            info = algebra.heads[head]
            if not isinstance(n, int) or n < 1:
                return None
            if info.kind == "size":
                for _ in range(n):
                    factor = factor * Size.axis(info.key)
            elif info.kind == "place" and place is None and n == 1:
                place = args[0]
            else:
                return None
        out = moved(out, 1, factor) if place is None else plus(out, times(place, factor))
    return out


def place_of(algebra: Algebra, a: Element, size: Size) -> Index:
    """Where an integer points to on an axis; negative ones count from the end."""
    if size == 1:
        return ZERO
    if algebra.bits(a):
        raise Unknown("a place that depends on a condition")
    i = counted(algebra, a)
    ends = None if i is None else extent(i, algebra.ranges, algebra.floors)
    if i is not None and ends is not None:  # a place beyond the axis is an error, and no value
        if algebra.surely(ends[0]):
            return i
        if algebra.surely(-1 - ends[1]):
            return moved(i, 1, size)
    t = template(algebra, a)
    head = algebra.head("pointer", (size.terms, t.key), t.symmetries, payload=t.body)
    algebra.ranges[POINTER + head] = size
    return pointer(head, algebra.ordered(head, t.args))


__all__ = ["counted", "place_of"]
