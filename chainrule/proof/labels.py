"""Canonical labels: expressions that differ only in the names of their indices get one key.

Indices are told apart by what they stand in: first by the atoms and monomials around them, refined
until nothing changes, then by the expression with one of them marked; those that remain alike are
tried in every order, up to a cap. The orders that give the same key are the symmetries:
Σₖ A[i,k]·A[j,k] is the same with i and j exchanged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import permutations, product
from math import factorial, prod
from typing import Any

from chainrule.errors import BudgetError

ORDERS = 5_040

#: (tokens of the free indices, tokens of the bound variables) → the expression with them.
Render = Callable[[dict[Any, Any], dict[int, Any]], Any]
Item = tuple[int, Any]  # (0, a free index) or (1, a bound variable)
Tokens = tuple[dict[Any, Any], dict[int, Any]]
#: Tokens → what each index stands in.
Around = Callable[[Tokens], dict[Item, Any]]


def canonical(
    render: Render, around: Around, free: Sequence[Any], bound: Sequence[tuple[int, Any]]
) -> tuple[Any, list[Any], list[int], list[tuple[int, ...]]]:
    """(key, free indices in order, bound variables in order, symmetries of the free ones).

    render : the expression with tokens in place of indices, in an order that only they decide.
    around : what each index stands in, by such tokens. bound : (variable, its size).
    Raises BudgetError where too many indices are alike.
    """
    items: list[Item] = [(0, x) for x in free] + [(1, v) for v, _ in bound]
    sizes = dict(bound)
    color = _ranks({x: (x[0], sizes.get(x[1])) for x in items})
    color = _stable(color, lambda old: around(_tokens(old)))
    color = _stable(color, lambda old: _marked(old, render))
    classes: dict[int, list[Item]] = {}
    for x in items:
        classes.setdefault(color[x], []).append(x)
    if prod(factorial(len(c)) for c in classes.values()) > ORDERS:
        raise BudgetError("too many indices are alike")
    best: Any = None
    winners: list[list[Item]] = []
    for orders in product(*(permutations(classes[c]) for c in sorted(classes))):
        order = [x for part in orders for x in part]
        first = {x[1]: n for n, x in enumerate(x for x in order if x[0] == 0)}
        second = {x[1]: n for n, x in enumerate(x for x in order if x[0] == 1)}
        made = render(first, second)
        if best is None or made < best:
            best, winners = made, []
        if made == best:
            winners.append(order)
    slots = [[x[1] for x in w if x[0] == 0] for w in winners]
    slots.sort()
    base = slots[0]
    symmetries = {tuple(base.index(x) for x in other) for other in slots}
    chosen = next(w for w in winners if [x[1] for x in w if x[0] == 0] == base)
    return best, base, [x[1] for x in chosen if x[0] == 1], sorted(symmetries)


def _tokens(color: dict[Item, int], marked: Item | None = None) -> Tokens:
    made: tuple[dict[Any, Any], dict[int, Any]] = ({}, {})
    for x, c in color.items():
        made[x[0]][x[1]] = (c, int(x == marked))
    return made


def _stable(
    color: dict[Item, int], found: Callable[[dict[Item, int]], dict[Item, Any]]
) -> dict[Item, int]:
    """Colors refined by what is found with them, until that tells no more apart."""
    many = len(set(color.values()))
    while many < len(color):
        color = _ranks({x: (color[x], told) for x, told in found(color).items()})
        before, many = many, len(set(color.values()))
        if many == before:
            break
    return color


def _marked(color: dict[Item, int], render: Render) -> dict[Item, Any]:
    """The expression with one index marked, for those that are still alike."""
    many = Counter(color.values())
    return {x: render(*_tokens(color, x)) if many[c] > 1 else () for x, c in color.items()}


def _ranks(found: dict[Any, Any]) -> dict[Any, int]:
    order = {v: n for n, v in enumerate(sorted(set(found.values())))}
    return {x: order[v] for x, v in found.items()}
