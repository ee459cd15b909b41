"""One entry of an array, with indices: one rule for each operation that moves or sums entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from chainrule.graph.node import Node
from chainrule.graph.notation.terms import (
    Name,
    Number,
    Product,
    Relation,
    Term,
    Total,
    added,
    joined,
    number,
    sized,
    split,
    times,
)
from chainrule.graph.sizes import Shape

if TYPE_CHECKING:
    from chainrule.graph.notation.former import Former

Indices = tuple[Term, ...]
Used = frozenset[str]


def aligned(at: Indices, shape: Shape) -> Indices:
    """The indices of an input that is broadcast."""
    back = at[len(at) - len(shape) :]
    return tuple(number(0) if s == 1 else i for i, s in zip(back, shape, strict=True))


def _bound(letters: Indices) -> Indices:
    return tuple(i for i in letters if isinstance(i, Name))


# -- sums ------------------------------------------------------------------------------------------


def _contract(former: Former, node: Node, at: Indices, used: Used) -> Term:
    labels, out = node.params
    index: dict[int, Term] = {}
    factors: list[Term] = []
    for label, i in zip(out, at, strict=True):
        if label in index:
            factors.append(Relation("=", (index[label], i)))
        index.setdefault(label, i)
    sizes = {
        label: s
        for names, x in zip(labels, node.inputs, strict=True)
        for label, s in zip(names, x.shape, strict=True)
    }
    gone = [label for label in sizes if label not in index]
    letters, inner = former.letters(tuple(sizes[label] for label in gone), used)
    index |= dict(zip(gone, letters, strict=True))
    for names, x in zip(labels, node.inputs, strict=True):
        factors.append(former.entry(x, tuple(index[label] for label in names), inner))
    return summed(factors, _bound(letters))


def summed(factors: Sequence[Term], over: Indices) -> Term:
    """Σ of a product; what does not depend on the indices goes in front of Σ."""
    p = split(times(*factors))
    if not over:
        return joined(p)
    bound = set(over)
    inside = [tuple(t for t in ts if mentions(t, bound)) for ts in (p.over, p.under)]
    outside = [tuple(t for t in ts if not mentions(t, bound)) for ts in (p.over, p.under)]
    total = Total("sum", over, joined(Product(Fraction(1), inside[0], inside[1])))
    return joined(Product(p.number, (*outside[0], total), outside[1]))


def mentions(t: Term, names: set[Term]) -> bool:
    """Whether a term has one of these names in it."""
    return t in names or any(mentions(x, names) for x in _parts(t))


def _parts(t: Term) -> Iterator[Term]:
    for value in vars(t).values():
        for x in value if isinstance(value, tuple) else (value,):
            if isinstance(x, Term):
                yield x


def _reduced(former: Former, node: Node, at: Indices, used: Used) -> Term:
    x, gone = node.inputs[0], node.params[0]
    letters, inner = former.letters(tuple(x.shape[a] for a in gone), used)
    left, bound = list(at), list(letters)
    whole = tuple(bound.pop(0) if a in gone else left.pop(0) for a in range(x.ndim))
    term = former.entry(x, whole, inner)
    over = _bound(letters)
    return Total("prod" if node.op == "reduce_mul" else "max", over, term) if over else term


# -- entries that move -----------------------------------------------------------------------------


def _broadcast(former: Former, node: Node, at: Indices, used: Used) -> Term:
    x = node.inputs[0]
    return former.entry(x, aligned(at, x.shape), used)


def _reshape(former: Former, node: Node, at: Indices, used: Used) -> Term | None:
    x = node.inputs[0]
    if [s for s in x.shape if s != 1] != [s for s in node.shape if s != 1] or not at:
        return None
    left = [i for i, s in zip(at, node.shape, strict=True) if s != 1]
    return former.entry(x, tuple(number(0) if s == 1 else left.pop(0) for s in x.shape), used)


def _index(former: Former, node: Node, at: Indices, used: Used) -> Term:
    left = list(at)
    whole: list[Term] = []
    for part in node.params[0]:
        first = sized(part[1])
        if part[0] == "at":
            whole.append(first)
        else:
            whole.append(_moved(first, times(number(part[2]), left.pop(0))))
    return former.entry(node.inputs[0], tuple(whole), used)


def _moved(first: Term, move: Term) -> Term:
    if isinstance(move, Number) and isinstance(first, Number):
        return Number(move.value + first.value)
    if first == number(0):
        return move
    if move == number(0):
        return first
    return added([move, first] if split(move).number > 0 else [first, move])


def _gather(former: Former, node: Node, at: Indices, used: Used) -> Term:
    x, *where = node.inputs
    d = where[0].ndim
    chosen = tuple(former.entry(w, at[:d], used) for w in where)
    return former.entry(x, (*chosen, *at[d:]), used)


def _scatter_add(former: Former, node: Node, at: Indices, used: Used) -> Term:
    g, *where = node.inputs
    letters, inner = former.letters(g.shape[: where[0].ndim], used)
    bound = _bound(letters)
    for w, size, i in zip(where, node.params[0], at, strict=False):
        if w.op == "iota" and node.graph.size(size) == w.shape[0]:  # Σ_k [k = i] g[k] is g[i]
            letters, bound = (i,), ()
            break
    value = former.entry(g, (*letters, *at[len(where) :]), inner)
    pairs = [(former.entry(w, letters, inner), i) for w, i in zip(where, at, strict=False)]
    there = [Relation("=", pair) for pair in pairs if pair[0] != pair[1]]
    return summed([value, *there], bound)


def _delta(former: Former, node: Node, at: Indices, used: Used) -> Term:
    k = node.params[2]
    return Relation("=", (at[0] if k == 0 else _moved(number(k), at[0]), at[1]))


def _iota(former: Former, node: Node, at: Indices, used: Used) -> Term:
    return at[0]


ENTRIES: dict[str, Callable[[Former, Node, Indices, Used], Term | None]] = {
    "contract": _contract,
    "broadcast": _broadcast,
    "reshape": _reshape,
    "index": _index,
    "gather": _gather,
    "scatter_add": _scatter_add,
    "delta": _delta,
    "iota": _iota,
    "reduce_mul": _reduced,
    "reduce_max": _reduced,
}
