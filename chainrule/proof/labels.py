"""Canonical labels: expressions that differ only in the names of their indices get one key.

Indices are told apart by what they stand in (refined until nothing changes); those that remain
alike are tried in every order, up to a cap. The orders that give the same key are the symmetries:
Σₖ A[i,k]·A[j,k] is the same with i and j exchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations, product
from math import factorial, prod
from typing import Any

from chainrule.errors import BudgetError

ORDERS = 5_040

#: (tokens of the free indices, tokens of the bound variables) → the expression with them.
Render = Callable[[dict[Any, Any], dict[int, Any]], Any]


def canonical(
    render: Render, free: Sequence[Any], bound: Sequence[tuple[int, Any]]
) -> tuple[Any, list[Any], list[int], list[tuple[int, ...]]]:
    """(key, free indices in order, bound variables in order, symmetries of the free ones).

    render : the expression with tokens in place of indices, in an order that only they decide.
    bound : (variable, its size).
    Raises BudgetError where too many indices are alike.
    """
    items: list[tuple[int, Any]] = [(0, x) for x in free] + [(1, v) for v, _ in bound]
    sizes = dict(bound)
    color: dict[tuple[int, Any], int] = _ranks({x: (x[0], sizes.get(x[1])) for x in items})
    while len(items) > 1:
        found = {}
        for x in items:
            tokens = [
                {k[1]: (c, int(k == x)) for k, c in color.items() if k[0] == kind}
                for kind in (0, 1)
            ]
            found[x] = (color[x], render(*tokens))
        finer = _ranks(found)
        done = len(set(finer.values())) == len(set(color.values()))
        color = finer
        if done:
            break
    classes: dict[int, list[tuple[int, Any]]] = {}
    for x in items:
        classes.setdefault(color[x], []).append(x)
    if prod(factorial(len(c)) for c in classes.values()) > ORDERS:
        raise BudgetError("too many indices are alike")
    best: Any = None
    winners: list[list[tuple[int, Any]]] = []
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


def _ranks(found: dict[Any, Any]) -> dict[Any, int]:
    order = {v: n for n, v in enumerate(sorted(set(found.values())))}
    return {x: order[v] for x, v in found.items()}
