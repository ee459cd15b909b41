"""What a proof may use of an input whose domain is declared.

A domain gives its input's atoms a sign, orders of indices that mean the same, or a kind that is 0
or 1; and sums that are known: along a whole axis Σₖ Y[k, n] = 1 (one-hot, simplex), Σₖ x[k]² = 1
(unit vector), Σₖ Q[k, i]·Q[k, j] = δ(i, j) (orthogonal). A sum is known only where its letter runs
over the whole axis and stands nowhere else in the term. Domains have no members with an empty axis.
What a one-hot line picks stands in `picking`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from chainrule.domains import (
    Domain,
    Integers,
    Interval,
    OneHot,
    Orthogonal,
    Positive,
    PositiveDefinite,
    Simplex,
    Symmetric,
    UnitVector,
)
from chainrule.graph.node import Node
from chainrule.graph.sizes import Size
from chainrule.proof import polynomials as po
from chainrule.proof.elements import ONE, Element
from chainrule.proof.indices import Index, letters, variable
from chainrule.proof.intervals import Interval as Span

if TYPE_CHECKING:
    from chainrule.proof.algebra import Algebra
    from chainrule.proof.polynomials import Monomial, PolyKey

KINDS = {"b": "flag", "i": "whole", "f": "input"}


@dataclass(frozen=True)
class Fact:
    """What is known of an input's entries.

    kind, sign, symmetries : of its head, see `atoms.Head`. shape : its sizes.
    whole : axes along which the entries sum to 1. gram : (axis, other axis) along which products of
    two entries sum to 1 where their places on the other axis are the same, else to 0; no other
    axis: squares that sum to 1. exclusive : an axis along which one entry alone is not 0.
    definite : whether the determinant is positive. turned : whether the inverse is the transpose.
    """

    kind: str
    shape: tuple[Size, ...]
    sign: int = 0
    symmetries: tuple[tuple[int, ...], ...] = ()
    whole: tuple[int, ...] = ()
    gram: tuple[tuple[int, int | None], ...] = ()
    exclusive: int | None = None
    definite: bool = False
    turned: bool = False


def _one_hot(fact: Fact, domain: Any) -> Fact:
    axis = domain.axis % len(fact.shape)
    return replace(fact, kind="onehot", sign=1, whole=(axis,), exclusive=axis)


def _simplex(fact: Fact, domain: Any) -> Fact:
    sign = 1 if domain.zeros else 2
    return replace(fact, sign=sign, whole=(domain.axis % len(fact.shape),))


def _symmetric(fact: Fact, domain: Any) -> Fact:
    n = len(fact.shape)
    if fact.shape[-1] != fact.shape[-2]:
        return fact
    straight = tuple(range(n))
    return replace(fact, symmetries=(straight, (*straight[:-2], n - 1, n - 2)))


def _definite(fact: Fact, domain: Any) -> Fact:
    found = _symmetric(fact, domain)
    return replace(found, definite=bool(found.symmetries))


def _orthogonal(fact: Fact, domain: Any) -> Fact:
    n = len(fact.shape)
    if fact.shape[-1] != fact.shape[-2]:
        return fact
    return replace(fact, gram=((n - 2, n - 1), (n - 1, n - 2)), turned=True)


def _bounded(fact: Fact, domain: Any) -> Fact:
    return replace(fact, sign=2 if domain.low > 0 else 1 if domain.low >= 0 else 0)


RULES: dict[type[Domain], Callable[[Fact, Any], Fact]] = {
    OneHot: _one_hot,
    Simplex: _simplex,
    UnitVector: lambda fact, d: replace(fact, gram=((d.axis % len(fact.shape), None),)),
    Symmetric: _symmetric,
    PositiveDefinite: _definite,
    Orthogonal: _orthogonal,
    Positive: lambda fact, d: replace(fact, sign=2),
    Interval: _bounded,
    Integers: _bounded,
}


def entry(algebra: Algebra, node: Node, own: Sequence[Index]) -> Element:
    """The entry of an input, with what is assumed of it."""
    name = node.params[0]
    fact = Fact(KINDS[node.kind], tuple(node.shape))
    domain = algebra.assuming.get(name)
    if domain is not None and type(domain) in RULES and not domain.misfit(node.number_shape):
        fact = RULES[type(domain)](fact, domain)
    if any(node.shape[axis] == 1 for axis in fact.whole):
        return algebra.number(1)
    head = algebra.head(fact.kind, name, fact.symmetries, fact.sign)
    if domain is not None:
        algebra.facts[head] = fact
    return algebra.gen(algebra.atom(head, own))


_ENDS: dict[type[Domain], Callable[[Any], Span]] = {
    OneHot: lambda d: Span.of(0, 1),
    Simplex: lambda d: Span.of(0, 1, open_low=not d.zeros),
    UnitVector: lambda d: Span.of(-1, 1),
    Orthogonal: lambda d: Span.of(-1, 1),
    Positive: lambda d: Span.of(0, None, open_low=True),
    Interval: lambda d: Span.of(_end(d.low), _end(d.high)),
    Integers: lambda d: Span.of(d.low, d.high),
}


def _end(x: Fraction | float) -> Fraction | None:
    return None if isinstance(x, float) and math.isinf(x) else Fraction(x)


def spans(inputs: Iterable[Node], assuming: Mapping[str, Domain]) -> dict[Node, Span]:
    """Input → what its entries surely lie in, for those whose domain says so; see `ranges`.

    >>> from chainrule.domains import positive
    >>> from chainrule.graph.node import Graph
    >>> x = Graph().input("x", ())
    >>> spans([x], {"x": positive()})[x].positive
    True
    """
    return {
        node: _ENDS[type(domain)](domain)
        for node in inputs
        if (domain := assuming.get(node.params[0])) is not None
        and type(domain) in _ENDS
        and not domain.misfit(node.number_shape)
    }


# -- sums that are known ---------------------------------------------------------------------------


def settled(
    algebra: Algebra, m: Monomial, den: tuple[tuple[PolyKey, int], ...], bound: Sequence[int]
) -> tuple[Element, list[int]] | None:
    """Σ of a monomial over denominators with one of its sums done: what is left, and its letters.

    None where no sum is known.
    """
    if not algebra.facts:
        return None
    below = {w for q, _ in den for x in po.atoms_of([dict(q)]) for w in algebra.at(x)}
    for v in bound:
        if v in below:
            continue
        held = [(x, e) for x, e in m if v in algebra.at(x)]
        value = _known(algebra, held, v)
        if value is not None:
            rest = Element({tuple(y for y in m if y not in held): ONE}, den)
            return algebra.mul(rest, value), [b for b in bound if b != v]
    return None


def _known(algebra: Algebra, held: Sequence[tuple[int, Any]], v: int) -> Element | None:
    """Σᵥ of a product of atoms, all of which hold v."""
    heads = {algebra.of[x][0] for x, _ in held}
    if len(heads) != 1:
        return None
    fact = algebra.facts.get(heads.pop())
    if fact is None:
        return None
    places = [algebra.of[x][1] for x, e in held for _ in range(e if e in (1, 2) else 0)]
    if len(places) != sum(e for _, e in held):
        return None

    def runs(axis: int) -> bool:
        """Whether v runs over the whole of an axis, and stands on no other."""
        alone = all(
            at[axis] == variable(v) and sum(v in letters(i) for i in at) == 1 for at in places
        )
        return alone and algebra.ranges[v] == fact.shape[axis]

    if len(places) == 1 and any(runs(axis) for axis in fact.whole):
        return algebra.number(1)
    if len(places) == 2:
        one, two = places
        for axis, other in fact.gram:
            same = all(a == b for k, (a, b) in enumerate(zip(one, two, strict=True)) if k != other)
            if same and runs(axis):
                return algebra.number(1) if other is None else algebra.delta(one[other], two[other])
    return None


# -- inverses and determinants ---------------------------------------------------------------------


def _of_input(algebra: Algebra, a: Element, own: Sequence[Index]) -> tuple[Fact, int, bool] | None:
    """An array that is an input with a fact: the fact, the head, and whether it is transposed."""
    if len(a.num) != 1 or a.den:
        return None
    ((m, c),) = a.num.items()
    if c != 1 or len(m) != 1 or m[0][1] != 1:
        return None
    head, args = algebra.of[m[0][0]]
    fact = algebra.facts.get(head)
    turned = (*own[:-2], own[-1], own[-2])
    if fact is None or tuple(args) not in (tuple(own), turned):
        return None
    return fact, head, tuple(args) != tuple(own)


def inverse(
    algebra: Algebra, a: Element, own: Sequence[Index], at: Sequence[Index]
) -> Element | None:
    """An entry of the inverse of an orthogonal input, or of its transpose; None for all else.

    a : the array's entry at own. at : the place in the inverse.
    """
    found = _of_input(algebra, a, own)
    if found is None or not found[0].turned:
        return None
    _, head, transposed = found
    places = list(at) if transposed else [*at[:-2], at[-1], at[-2]]
    return algebra.gen(algebra.atom(head, places))


def determinant_sign(algebra: Algebra, a: Element, own: Sequence[Index]) -> int:
    """2 where a determinant is positive: of a positive definite input."""
    found = _of_input(algebra, a, own)
    return 2 if found is not None and found[0].definite else 0


__all__ = ["Fact", "determinant_sign", "entry", "inverse", "settled", "spans"]
