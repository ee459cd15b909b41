"""Writing into arrays: a copy with other entries at an index.

The positions of one assignment must be different ones. Where index arrays are constants, they are
compared, and of two values for one entry the last one stays, as in NumPy. Where they are symbols,
as labels y, they are different if another index is: (arange(N), y) is, for every y. What is one
value for all positions may meet itself: then the entries that are hit are selected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.code.table.extents import at, fitted, ordered, reshaped
from chainrule.code.table.kinds import converted
from chainrule.code.table.row import Unsupported
from chainrule.code.table.subscript import Plan, is_whole, plan, read, result_shape, viewed
from chainrule.errors import ShapeError
from chainrule.graph.node import Graph, Node, constant
from chainrule.graph.sizes import Size

DUPLICATES = (
    "this index may name an entry twice, and which value stays depends on more than values; pair "
    "it with np.arange, as in x[np.arange(n), y] = v, or add with np.add.at"
)


def write(g: Graph, base: Node, index: Any, value: Node) -> Node:
    """base after base[index] = value.

    index : as in `read`; or a mask that is a node of kind "b", of the shape of the leading axes of
        base, for a value that does not depend on which entries are hit.
    Raises Unsupported where floats would be cut to integers, where entries may be named twice;
    ShapeError where shapes do not fit.
    """
    value = stored(g, base, value)
    mask = _mask(index)
    if mask is not None:
        return _masked(g, base, mask, value)
    p = plan(g, base, index)
    shape = result_shape(p)
    short = _dropped(g, value, len(shape))
    value = fitted(g, short, shape)
    if not p.arrays:
        return _put(g, base, p, value)
    old = ordered(g, viewed(g, base, p), p.front)
    drawn = ordered(g, value, _inverse(p.home))
    new = _scattered(g, old, p.indices, drawn, _plain(g, short, p))
    return _put(g, base, p, ordered(g, new, _inverse(p.front)))


def add_at(g: Graph, base: Node, index: Any, value: Node) -> Node:
    """base after np.add.at(base, index, value): what is named twice is added twice."""
    if base.kind == "b":
        raise Unsupported("np.add.at into an array of bools; use integers")
    value = stored(g, base, value)
    mask = _mask(index)
    if mask is not None:
        zero = converted(g, g.number(0), base.kind)
        return g.add(base, _masked(g, fitted(g, zero, base.shape), mask, value))
    p = plan(g, base, index)
    shape = result_shape(p)
    value = fitted(g, _dropped(g, value, len(shape)), shape)
    if not p.arrays:
        return _put(g, base, p, g.add(read(g, base, index), value))
    old = ordered(g, viewed(g, base, p), p.front)
    leading = old.shape[: len(p.arrays)]
    more = g.scatter_add(ordered(g, value, _inverse(p.home)), leading, *p.indices)
    return _put(g, base, p, ordered(g, g.add(old, more), _inverse(p.front)))


def stored(g: Graph, base: Node, value: Node) -> Node:
    """A value in the kind of the array that it is written into.

    Raises Unsupported where that loses something.
    """
    if value.kind == base.kind:
        return value
    if base.kind == "b" or value.kind == "f":
        what = "bools" if base.kind == "b" else "integers"
        given = "floats" if value.kind == "f" else "integers"
        raise Unsupported(
            f"{given} are written into an array of {what}, which does not keep them; make the "
            "array one of floats (np.zeros(n), not np.zeros(n, int) or a list of integers)"
        )
    return converted(g, value, base.kind)


def _inverse(order: Sequence[int]) -> list[int]:
    return sorted(range(len(order)), key=order.__getitem__)


def _put(g: Graph, base: Node, p: Plan, view: Node) -> Node:
    """base with its view replaced."""
    value = reshaped(g, view, g.cut_shape(p.spec))
    return value if is_whole(g, base, p.spec) else g.put(base, value, p.spec)


def _dropped(g: Graph, value: Node, ndim: int) -> Node:
    """Without leading axes of size 1 beyond `ndim` axes, as NumPy assigns."""
    more = max(value.ndim - ndim, 0)
    for size in value.shape[:more]:
        g.same(size, Size.of(1), "an assignment")
    return reshaped(g, value, value.shape[more:])


# -- masks -----------------------------------------------------------------------------------------


def _mask(index: Any) -> Node | None:
    """The index, if it is one mask that is no constant."""
    if isinstance(index, tuple) and (len(index) == 1 or (len(index) == 2 and index[1] is Ellipsis)):
        index = index[0]
    if isinstance(index, Node) and index.kind == "b" and index.op != "const":
        return index
    return None


def _masked(g: Graph, base: Node, mask: Node, value: Node) -> Node:
    more = base.ndim - mask.ndim
    if more < 0:
        raise ShapeError("the mask has more axes than the array")
    for a, b in zip(mask.shape, base.shape, strict=False):
        g.same(a, b, "a mask")
    rest = base.shape[mask.ndim :]
    value = _dropped(g, value, more + 1)
    if value.ndim > more:
        if at(g, value.shape[0]) != 1:
            raise Unsupported(
                "x[mask] = values takes one value for each true, which depends on the mask; "
                "np.where(mask, new, x) with new of the shape of x does the same"
            )
        value = _dropped(g, value, more)
    value = fitted(g, value, rest)
    return g.select(reshaped(g, mask, (*mask.shape, *[1] * more)), value, base)


# -- index arrays ----------------------------------------------------------------------------------


def _scattered(
    g: Graph, old: Node, indices: Sequence[Node], value: Node, plain: Node | None
) -> Node:
    """old with old[i, j, …] = value, the leading axes indexed; value of the shape of old[i, j, …].

    plain : the value, where it is the same at all positions, without their axes.
    Entries that may be named twice are sorted out.
    """
    drawn = indices[0].ndim
    known = [known_entries(g, i) for i in indices]
    if all(k is not None for k in known):
        return _scattered_constants(
            g, old, [k for k in known if k is not None], indices, value, plain
        )
    if all(
        s == 1 or any(is_different_along(g, i, drawn - a) for i in indices)
        for a, s in enumerate(indices[0].shape)
    ):
        return g.put_at(old, value, *indices)
    if plain is None:
        raise Unsupported(DUPLICATES)
    leading = old.shape[: len(indices)]
    hits = g.scatter_add(fitted(g, g.number(1), indices[0].shape), leading, *indices)
    rest = [1] * (old.ndim - len(indices))
    return g.select(reshaped(g, g.less(g.number(0), hits), (*leading, *rest)), plain, old)


def _scattered_constants(
    g: Graph,
    old: Node,
    known: Sequence[np.ndarray],
    indices: Sequence[Node],
    value: Node,
    plain: Node | None,
) -> Node:
    shape = known[0].shape
    places = []
    for entries, size in zip(known, old.shape, strict=False):
        if entries.size and entries.min() < 0 <= entries.max():
            g.pin(size)  # which entries meet depends on the size
        places.append(np.where(entries < 0, entries + at(g, size), entries).ravel())
    last = dict(zip(zip(*places, strict=True), range(places[0].size), strict=True))
    if len(last) == places[0].size:
        return g.put_at(old, value, *indices)
    keep = np.array(sorted(last.values()), np.int64)
    if plain is None and len(shape) > 1:
        raise Unsupported(DUPLICATES)
    kept = [g.array(entries.ravel()[keep]) for entries in known]
    rest = value.shape[len(shape) :]
    if plain is not None:
        return g.put_at(old, fitted(g, plain, (len(keep), *rest)), *kept)
    return g.put_at(old, g.gather(value, g.array(keep)), *kept)


def _plain(g: Graph, value: Node, p: Plan) -> Node | None:
    """A value as it is at every position, if it is the same at all of them.

    value : as it was given; it is stretched to the result. The axes left are those beside the
    index arrays', each whole or 1.
    """
    if not value.ndim:
        return value
    ndim = p.drawn + len(p.rest)
    wide = reshaped(g, value, (*[1] * (ndim - value.ndim), *value.shape))
    if any(s != 1 for s in wide.shape[p.place : p.place + p.drawn]):
        return None
    return reshaped(g, wide, (*wide.shape[: p.place], *wide.shape[p.place + p.drawn :]))


def _is_transposition(node: Node) -> bool:
    return len(node.inputs) == 1 and len(node.params[1]) == node.inputs[0].ndim


def known_entries(g: Graph, node: Node) -> np.ndarray | None:
    """The entries of an integer array that is made of constants alone; None for any other."""
    if node.op == "const":
        return np.asarray(constant(node), np.int64)
    if any(s.const is None for s in node.shape):
        return None
    if node.op == "iota":
        return np.arange(at(g, node.shape[0]))
    if node.op in ("reshape", "broadcast"):
        inner = known_entries(g, node.inputs[0])
        if inner is None:
            return None
        move = np.reshape if node.op == "reshape" else np.broadcast_to
        return np.asarray(move(inner, node.number_shape))
    if node.op in ("add", "mul"):
        a, b = (known_entries(g, i) for i in node.inputs)
        if a is None or b is None:
            return None
        return np.asarray(a + b if node.op == "add" else a * b)
    return None


def is_different_along(g: Graph, node: Node, back: int) -> bool:
    """Whether an index array has different entries, none negative, along its axis −back, whatever
    the values are, and does not change along others."""
    if back > node.ndim:
        return False
    if node.op == "broadcast":
        source = node.inputs[0]
        return (
            back <= source.ndim
            and source.shape[-back] == node.shape[-back]
            and is_different_along(g, source, back)
        )
    if any(s != 1 for k, s in enumerate(node.shape) if k != node.ndim - back):
        return False
    if node.op == "iota":
        return True
    if node.op in ("reshape", "index") or (node.op == "contract" and _is_transposition(node)):
        source = node.inputs[0]
        long = [k for k, s in enumerate(source.shape) if s != 1]
        return len(long) == 1 and is_different_along(g, source, source.ndim - long[0])
    if node.op == "const":
        entries = np.asarray(constant(node)).ravel()
        return len(set(entries.tolist())) == entries.size and bool((entries >= 0).all())
    if node.op == "add":
        for a, b in (node.inputs, node.inputs[::-1]):
            if not b.ndim and b.op in ("const", "size") and is_different_along(g, a, back):
                size = b.params[0] if b.op == "size" else Size.of(int(constant(b)))
                return all(c > 0 for _, c in g.size(size).terms)
    return False
