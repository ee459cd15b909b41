"""Index expressions: where an entry of an array is taken, as (terms, offset).

terms : ((base, factor), …), sorted; a base is (variable, ()), or a pointer (code, its own indices):
the place that an entry of an integer array names. Factors and offsets are the terms of a `Size`.
((((v, ()), 1),), ()) is the variable v itself, and ((), t) a constant place. Plain tuples, so that
they sort and hash. Negative variables stand for the slots and bound places of a template, see
`templates`; codes from `POINTER` on are heads of pointers.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from chainrule.graph.sizes import Size

Base = tuple[int, tuple[Any, ...]]
Terms = tuple[Any, ...]  # of a Size
Index = tuple[tuple[tuple[Base, Terms], ...], Terms]

ONCE: Terms = Size.of(1).terms
ZERO: Index = ((), ())
POINTER = 1_000_000_000


def variable(v: int) -> Index:
    """The variable itself."""
    return ((((v, ()), ONCE),), ())


def fixed(place: Size) -> Index:
    """A constant place."""
    return ((), place.terms)


def pointer(head: int, args: tuple[Index, ...]) -> Index:
    """The place that an entry of an integer array names."""
    return ((((POINTER + head, args), ONCE),), ())


def plain(i: Index) -> int:
    """The variable that an index is, else 0."""
    terms, more = i
    if more or len(terms) != 1:
        return 0
    (v, args), factor = terms[0]
    return v if factor == ONCE and not args and v < POINTER else 0


def bases(i: Index) -> set[Base]:
    """The bases in an index, those in its pointers too."""
    out: set[Base] = set()
    for base, _ in i[0]:
        out.add(base)
        for a in base[1]:
            out |= bases(a)
    return out


def letters(i: Index) -> set[int]:
    """The variables in an index, those of its pointers too."""
    out: set[int] = set()
    for (v, args), _ in i[0]:
        if v < POINTER:
            out.add(v)
        for a in args:
            out |= letters(a)
    return out


def offset(i: Index) -> Size:
    """What is added to the variables' part."""
    return Size(dict(i[1]))


def plus(i: Index, j: Index) -> Index:
    """The sum."""
    if not j[0] and not j[1]:
        return i
    terms = dict(i[0])
    for base, factor in j[0]:
        total = Size(dict(terms.get(base, ()))) + Size(dict(factor))
        terms[base] = total.terms
    kept = tuple(sorted((b, f) for b, f in terms.items() if f))
    return kept, (offset(i) + offset(j)).terms


def times(i: Index, factor: int | Size) -> Index:
    """A multiple."""
    if factor == 1:
        return i
    terms = tuple((b, (Size(dict(f)) * factor).terms) for b, f in i[0])
    return tuple(t for t in terms if t[1]), (offset(i) * factor).terms


def minus(i: Index, j: Index) -> Index:
    """The difference."""
    return plus(i, times(j, -1))


def moved(i: Index, factor: int | Size, more: Size) -> Index:
    """factor·index + more."""
    return plus(times(i, factor), fixed(more))


def put(i: Index, values: Mapping[int, Index]) -> Index:
    """The index with variables replaced."""
    v = plain(i)
    if v:
        return values.get(v, i)
    if not i[0] or not (letters(i) & values.keys()):
        return i
    out = fixed(offset(i))
    for (v, args), factor in i[0]:
        if v < POINTER:
            value = values.get(v, variable(v))
        else:
            value = ((((v, tuple(put(a, values) for a in args)), ONCE),), ())
        out = plus(out, times(value, Size(dict(factor))))
    return out


def rebased(i: Index, old: Base, new: Index) -> Index:
    """The index with a base replaced, in its pointers too."""
    out = fixed(offset(i))
    for base, factor in i[0]:
        if base == old:
            value = new
        else:
            v, args = base
            value = ((((v, tuple(rebased(a, old, new) for a in args)), ONCE),), ())
        out = plus(out, times(value, Size(dict(factor))))
    return out


#: (axis, how many places it has at least), for those that have more than one.
Floors = tuple[tuple[str, int], ...]


@lru_cache(10_000)
def least(size: Size, floors: Floors = ()) -> int | None:
    """The least value of a size where every axis has one place or more; None if not known."""
    known = dict(floors)
    more = size.put({name: Size.axis(name) + known.get(name, 1) for name in size.names})
    if any(c < 0 for names, c in more.terms if names):
        return None
    return dict(more.terms).get((), 0)


def surely(size: Size, floors: Floors = ()) -> bool:
    """Whether a size is 0 or more for all sizes of the axes."""
    low = least(size, floors)
    return low is not None and low >= 0


def extent(i: Index, sizes: Mapping[int, Size], floors: Floors = ()) -> tuple[Size, Size] | None:
    """The least and the largest place, as sizes; None where a variable has no known range.

    sizes : variable, or code of a pointer → the size that it runs over.
    """
    low = high = offset(i)
    for (v, _), terms in i[0]:
        size, factor = sizes.get(v), Size(dict(terms))
        if size is None:
            return None
        if surely(factor, floors):
            high = high + factor * (size - 1)
        elif surely(-factor, floors):
            low = low + factor * (size - 1)
        else:
            return None
    return low, high


def among(i: Index, size: Size, sizes: Mapping[int, Size], floors: Floors = ()) -> bool:
    """Whether an index is surely one of 0 … size − 1."""
    ends = extent(i, sizes, floors)
    if ends is None:
        return False
    return surely(ends[0], floors) and surely(size - 1 - ends[1], floors)


def division(
    i: Index, by: Size, sizes: Mapping[int, Size], floors: Floors = ()
) -> tuple[Index, Index] | int:
    """i = by·quotient + remainder with 0 ≤ remainder < by.

    Else the variable that must be split for that, 0 if none is known to help.
    """
    quotient: Index = ZERO
    rest: Index = ZERO
    for base, factor in i[0]:
        exact = Size(dict(factor)).exact_div(by)
        if exact is None:
            rest = plus(rest, (((base, factor),), ()))
        else:
            quotient = plus(quotient, (((base, exact.terms),), ()))
    more = offset(i)
    for names, c in more.terms:
        part = Size({names: c})
        exact = part.exact_div(by)
        if exact is None and by.const and not names:
            exact, part = Size.of(c // by.const), Size.of(c % by.const)
            rest = moved(rest, 1, part)
            quotient = moved(quotient, 1, exact)
        elif exact is None:
            rest = moved(rest, 1, part)
        else:
            quotient = moved(quotient, 1, exact)
    for less in (0, 1):  # what lies below 0 by less than one digit borrows one
        borrowed = moved(rest, 1, by * less)
        if among(borrowed, by, sizes, floors):
            return moved(quotient, 1, Size.of(-less)), borrowed
    for (v, _), terms in rest[0]:
        each, size = Size(dict(terms)), sizes.get(v)
        low = by.exact_div(each if surely(each, floors) else -each)
        if v >= POINTER or low is None or size is None or low == size:
            continue
        high = size.exact_div(low)
        if high is not None and low != 1 and surely(low - 1, floors) and surely(high - 1, floors):
            return v  # both digits have one place or more
    return 0


def digit(v: int, i: Index, by: Size) -> Size:
    """The size of the lower digit of a variable that `division` wants split."""
    factor = next(Size(dict(f)) for (x, _), f in i[0] if x == v)
    size = by.exact_div(factor if surely(factor) else -factor)
    assert size is not None
    return size
