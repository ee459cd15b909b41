"""Operations that move entries: at which entries of its inputs an entry is taken.

Concatenation and writing to slices are cases of the place, an integer array names places (see
`indices`), what is added at them is a sum over δ, a reshape goes by the digits of the place in the
order of memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.graph.node import Node, constant
from chainrule.graph.sizes import Size, product
from chainrule.proof import assumptions
from chainrule.proof.elements import Element, Unknown
from chainrule.proof.indices import ZERO, Index, fixed, moved, plus, times, variable
from chainrule.proof.places import place_of
from chainrule.proof.reductions import largest, multiplied
from chainrule.proof.sums import run, total
from chainrule.proof.templates import closed, opaque

if TYPE_CHECKING:
    from chainrule.proof.entries import Entries

#: (input number, where) → the entry of an input.
Read = Callable[[int, Sequence[Index]], Element]
Rule = Callable[["Entries", Node, list[Index], Read], Element]


def _input(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    return assumptions.entry(e.algebra, node, own)


def _const(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    g, how = e.algebra, node.params[0]
    if how == "number":
        return g.number(node.params[1])
    if how == "named" and node.params[1] == "e":
        return opaque(g, "exp", g.number(1), sign=2)
    if how == "named":
        return g.gen(g.atom(g.head("named", node.params[1], sign=2)))
    if how == "infinite":
        return g.gen(g.atom(g.head("infinite", node.params[1])))
    if how == "near":  # a real number near this float; the same float is the same number
        sign = 2 if constant(node) > 0 else 0
        return g.gen(g.atom(g.head("near", node.params[1], sign=sign)))
    value = np.asarray(constant(node))
    if node.kind != "f" and value.size and (value == value.flat[0]).all():
        return g.number(int(value.flat[0]))
    table = None if node.kind == "f" else value
    head = g.head("flag" if node.kind == "b" else "array", node.params, payload=table)
    return g.moved_atom("array", head, tuple(own))


def _contract(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    labels, out = node.params
    at: dict[int, Index] = dict(zip(out, own, strict=True))
    bound = []
    for names, x in zip(labels, node.inputs, strict=True):
        for name, size in zip(names, x.shape, strict=True):
            if name not in at:
                if size == 1:
                    at[name] = ZERO
                    continue
                v = e.algebra.fresh(size)
                at[name] = variable(v)
                bound.append(v)
    value = e.algebra.number(1)
    for k, names in enumerate(labels):
        value = e.algebra.mul(value, read(k, [at[n] for n in names]))
    return total(e.algebra, value, bound)


def _index(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    at: list[Index] = []
    rest = iter(own)
    x = node.inputs[0]
    for part, size in zip(node.params[0], x.shape, strict=True):
        if part[0] == "at":
            place = part[1] if size != 1 else Size.of(0)
            at.append(fixed(node.graph.size(place)))
        else:
            at.append(moved(next(rest), part[2], node.graph.size(part[1])))
            if size == 1:
                at[-1] = ZERO
    return read(0, at)


def _broadcast(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    x = node.inputs[0]
    at = own[node.ndim - x.ndim :]
    return read(0, [ZERO if s == 1 else i for s, i in zip(x.shape, at, strict=True)])


def _reshape(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    """By the place in the order of memory, in the digits of the old shape."""
    x = node.inputs[0]
    where: Index = ZERO
    for k, i in enumerate(own):
        where = plus(where, times(i, product(node.shape[k + 1 :])))
    at: list[Index] = []
    for k, size in enumerate(x.shape):
        below = product(x.shape[k + 1 :])
        if size == 1:
            at.append(ZERO)
        elif below == 1:
            at.append(where)
            where = ZERO
        else:
            digit, where = e.algebra.divided(where, below)
            at.append(digit)
    return read(0, at)


def _concat(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    """The part that a place lies in, at the place less what is before."""
    g, axis = e.algebra, node.params[0]
    firsts = [Size.of(0)]
    for x in node.inputs:
        firsts.append(firsts[-1] + x.shape[axis])
    out: Element | None = None
    for k in reversed(range(len(node.inputs))):
        size = node.inputs[k].shape[axis]
        if size == 0:
            continue
        here = g.number(1) if out is None else g.before(moved(own[axis], 1, -firsts[k + 1]))
        if not here.num:
            continue
        at = list(own)
        at[axis] = ZERO if size == 1 else moved(own[axis], 1, -firsts[k])
        part = read(k, at)
        out = part if out is None or here.key == g.number(1).key else g.choose(here, part, out)
    if out is None:
        raise Unknown("nothing to put together")
    return out


def _put(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    """What was written where a place is among those written, else what was there."""
    g = e.algebra
    here = g.number(1)
    at: list[Index] = []
    bound: list[int] = []
    for part, i, size in zip(node.params[0], own, node.shape, strict=True):
        first = node.graph.size(part[1])
        if part[0] == "at":
            here = g.mul(here, g.delta(i, ZERO if size == 1 else fixed(first)))
            continue
        step, length = part[2], node.graph.size(part[3])
        k = times(moved(i, 1, -first), step)
        if step in (1, -1):
            here = g.mul(here, g.inside(k, length))
        else:
            k, more = run(g, length)
            here = g.mul(here, g.delta(i, moved(k, step, first)))
            bound += more
        at.append(ZERO if length == 1 else k)
    if bound:
        value = total(g, g.choose(here, read(1, at), Element({})), bound)
        kept = g.add(g.number(1), g.neg(total(g, here, bound)))
        return g.add(value, g.choose(kept, read(0, own), Element({})))
    if here.key == g.number(1).key:
        return read(1, at)
    return g.choose(here, read(1, at), read(0, own)) if here.num else read(0, own)


def _named(
    e: Entries, node: Node, first: int, sizes: Sequence[Size], own: Sequence[Index], read: Read
) -> list[Index]:
    """The places that the integer inputs from `first` on name, at an entry of theirs."""
    out = []
    for k, size in enumerate(sizes):
        x = node.inputs[first + k]
        at = [ZERO if s == 1 else i for s, i in zip(x.shape, own, strict=True)]
        out.append(place_of(e.algebra, read(first + k, at), size))
    return out


def _gather(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    x, many = node.inputs[0], len(node.inputs) - 1
    drawn = node.inputs[1].ndim
    places = _named(e, node, 1, x.shape[:many], own[:drawn], read)
    return read(0, [*places, *own[drawn:]])


def _hits(
    e: Entries, node: Node, first: int, own: Sequence[Index], read: Read
) -> tuple[Element, list[Index], list[int], list[Index]]:
    """Whether an entry is at the places named; these entries' indices, letters; the other axes."""
    g, sample = e.algebra, node.inputs[first]
    many = len(node.inputs) - first
    at: list[Index] = []
    bound: list[int] = []
    for size in sample.shape:
        i, more = run(g, size)
        at.append(i)
        bound += more
    places = _named(e, node, first, node.shape[:many], at, read)
    here = g.number(1)
    for place, i in zip(places, own[:many], strict=True):
        here = g.mul(here, g.delta(place, i))
    return here, at, bound, list(own[many:])


def _scatter_add(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    here, at, bound, rest = _hits(e, node, 1, own, read)
    value = e.algebra.choose(here, read(0, [*at, *rest]), Element({}))
    return total(e.algebra, value, bound)


def _put_at(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    """The places named are different ones: each entry is hit once, or not at all."""
    g = e.algebra
    here, at, bound, rest = _hits(e, node, 2, own, read)
    value = total(g, g.choose(here, read(1, [*at, *rest]), Element({})), bound)
    kept = g.add(g.number(1), g.neg(total(g, here, bound)))
    return g.add(g.choose(kept, read(0, own), Element({})), value)


def _reduced(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    """The product or the largest over axes."""
    x, gone = node.inputs[0], node.params[0]
    at: list[Index] = []
    bound: list[int] = []
    rest = iter(own)
    for k, size in enumerate(x.shape):
        if k in gone:
            i, more = run(e.algebra, size)
            at.append(i)
            bound += more
        else:
            at.append(next(rest))
    found = largest if node.op == "reduce_max" else multiplied
    return found(e.algebra, read(0, at), bound)


def _turned(e: Entries, x: Node, read: Read) -> tuple[Any, bool, bool]:
    """The key of A or Aᵀ, whichever comes first; whether it is of Aᵀ; whether both are the same."""
    places = e.own(x)
    turned = [*places[:-2], places[-1], places[-2]]
    key = closed(e.algebra, read(0, places), places)
    other = closed(e.algebra, read(0, turned), places)
    shape = tuple(s.terms for s in x.shape)
    return ((other if other < key else key), shape), other < key, other == key


def _solve(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    """Σₖ A⁻¹[i, k]·B[k, j]; the inverse of Aᵀ is that of A, turned."""
    g, a = e.algebra, node.inputs[0]
    n = a.ndim
    key, swap, same = _turned(e, a, read)
    straight = tuple(range(n))
    symmetries = [straight, (*straight[:-2], n - 1, n - 2)] if same else []
    v = g.fresh(a.shape[-1])
    k = ZERO if a.shape[-1] == 1 else variable(v)
    places = [*own[:-2], k, own[-2]] if swap else [*own[:-2], own[-2], k]
    array, here = read(0, e.own(a)), (*own[:-2], own[-2], k)
    known = assumptions.inverse(g, array, e.own(a), here)
    inverse = known or g.gen(g.atom(g.head("inverse", key, symmetries), places))
    value = g.mul(inverse, read(1, [*own[:-2], k, own[-1]]))
    return value if k == ZERO else total(g, value, [v])


def _determinant(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    """The determinant of Aᵀ is that of A."""
    x = node.inputs[0]
    key = _turned(e, x, read)[0]
    sign = 0
    if node.op == "det":
        sign = assumptions.determinant_sign(e.algebra, read(0, e.own(x)), e.own(x))
    return e.algebra.gen(e.algebra.atom(e.algebra.head(node.op, key, sign=sign), own))


STRUCTURE: dict[str, Rule] = {
    "solve": _solve,
    "det": _determinant,
    "logdet": _determinant,
    "input": _input,
    "const": _const,
    "size": lambda e, node, own, read: e.algebra.size(node.graph.size(node.params[0])),
    "iota": lambda e, node, own, read: e.algebra.place(own[0]),
    "delta": lambda e, node, own, read: e.algebra.delta(
        moved(own[0], 1, Size.of(node.params[2])), own[1]
    ),
    "contract": _contract,
    "index": _index,
    "broadcast": _broadcast,
    "reshape": _reshape,
    "concat": _concat,
    "put": _put,
    "gather": _gather,
    "scatter_add": _scatter_add,
    "put_at": _put_at,
    "reduce_mul": _reduced,
    "reduce_max": _reduced,
}

__all__ = ["STRUCTURE", "Read"]
