"""Reading and writing at an index: what brackets do, and the functions that do the same.

Rows in IN_PLACE write into their first argument and return None: their node is that argument as it
is afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.code.table.arguments import flat, one_axis
from chainrule.code.table.extents import at, fitted, need, reshaped, size_of
from chainrule.code.table.kinds import nested
from chainrule.code.table.row import Sample, Unsupported, row
from chainrule.code.table.stores import assembled, loaded
from chainrule.code.table.subscript import read
from chainrule.code.table.writing import add_at, stored, write
from chainrule.errors import ShapeError
from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import product

__all__ = ["IN_PLACE", "add_at", "assembled", "loaded", "read", "write"]

#: Rows whose node is their first argument as it is afterwards.
IN_PLACE = frozenset(
    {
        "np.add.at",
        "np.subtract.at",
        "np.copyto",
        "np.put",
        "np.putmask",
        "np.put_along_axis",
        "np.fill_diagonal",
        "ndarray.fill",
    }
)


# -- reading ---------------------------------------------------------------------------------------


@row(
    "np.take",
    np.take,
    np.ndarray.take,
    methods=("take",),
    says="x[…, i, …]",
    samples=[
        Sample(((4, 3), 2)),
        Sample(((4,), [0, 2]), (), "real, integers"),
        Sample(((4, 3), -1), (("axis", 1),)),
        Sample(((2, 3), 4)),
    ],
)
def take(
    g: Graph, a: Node, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise"
) -> Node:
    if mode != "raise":
        raise Unsupported(f"np.take(mode={mode!r}); index with i % n or np.clip(i, 0, n - 1)")
    if axis is None:
        return read(g, flat(g, a), indices)
    where = one_axis("np.take", axis, a.ndim)
    return read(g, a, (*[slice(None)] * where, indices))


def _along(g: Graph, name: str, a: Node, indices: Any, axis: Any) -> tuple[Node, tuple[Node, ...]]:
    """The array (flat, for no axis), and its index arrays: positions at every axis but one."""
    i = nested(g, indices)
    if axis is None:
        return flat(g, a), (i,)
    where = one_axis(name, axis, a.ndim)
    if i.ndim != a.ndim:
        raise ShapeError(f"{name}: {i.ndim} axes of indices for {a.ndim} of the array")
    return a, tuple(
        i if k == where else reshaped(g, g.iota(n), [n if j == k else 1 for j in range(a.ndim)])
        for k, n in enumerate(a.shape)
    )


@row(
    "np.take_along_axis",
    np.take_along_axis,
    operands=("arr", "indices"),
    says="x[j, …, i[j, …, k, …], …]",
)
def take_along_axis(g: Graph, arr: Node, indices: Any, axis: Any = -1) -> Node:
    x, where = _along(g, "np.take_along_axis", arr, indices, axis)
    return read(g, x, where)


@row(
    "np.choose",
    np.choose,
    np.ndarray.choose,
    operands=("a", "*choices"),
    methods=("choose",),
    says="the choice that i numbers, entry by entry",
)
def choose(g: Graph, a: Node, choices: Any, out: Any = None, mode: str = "raise") -> Node:
    if mode != "raise":
        raise Unsupported(f"np.choose(mode={mode!r}); use np.where")
    if a.kind == "f":
        raise Unsupported("np.choose by floats; choose by integers")
    if isinstance(choices, Node):
        choices = [read(g, choices, k) for k in range(g.pin(choices.shape[0]))]
    out = choices[-1]
    for k in reversed(range(len(choices) - 1)):
        out = g.select(g.equal(a, g.number(k)), choices[k], out)
    return fitted(g, out, g.stretched(a.shape, *(c.shape for c in choices)))


@row(
    "ndarray.item",
    np.ndarray.item,
    methods=("item",),
    says="the one entry, or the entry at an index",
    samples=[Sample(((),)), Sample(((1, 1),)), Sample(((2, 3), 4)), Sample(((2, 3), -1, 2))],
)
def item(g: Graph, a: Node, *args: Any) -> Node:
    if not args:
        return reshaped(g, a, ())
    index = tuple(args[0]) if len(args) == 1 and isinstance(args[0], Sequence) else args
    return read(g, flat(g, a) if len(index) == 1 else a, tuple(index))


@row("np.ix_", np.ix_, operands=("*args",), says="each along an axis of its own")
def ix_(g: Graph, *args: Node) -> tuple[Node, ...]:
    if any(i.kind == "b" for i in args):
        raise Unsupported("np.ix_ of masks has as many entries as there are trues; use indices")
    return tuple(
        reshaped(g, i, [i.shape[0] if j == k else 1 for j in range(len(args))])
        for k, i in enumerate(args)
    )


# -- writing ---------------------------------------------------------------------------------------


@row("np.add.at", np.add.at, operands=("a", "b"), says="x, to which v is added at i")
def add_at_(g: Graph, a: Node, indices: Any, b: Node) -> Node:
    return add_at(g, a, indices, b)


@row("np.subtract.at", np.subtract.at, operands=("a", "b"), says="x, from which v is taken at i")
def subtract_at(g: Graph, a: Node, indices: Any, b: Node) -> Node:
    return add_at(g, a, indices, g.neg(b))


@row("np.copyto", np.copyto, operands=("dst", "src", "where"), says="y where asked for, else x")
def copyto(g: Graph, dst: Node, src: Node, casting: str = "same_kind", where: Any = True) -> Node:
    value = write(g, dst, ..., src)
    mask = nested(g, where)
    if where is True or mask is nested(g, True):
        return value
    return g.select(fitted(g, mask, dst.shape), value, dst)


@row("np.put", np.put, np.ndarray.put, operands=("a", "v"), methods=("put",), says="x.flat[i] = v")
def put(g: Graph, a: Node, ind: Any, v: Node, mode: str = "raise") -> Node:
    if mode != "raise":
        raise Unsupported(f"np.put(mode={mode!r}); write x.flat[i] or x[i]")
    x = flat(g, a)
    places, given = product(read(g, x, ind).shape), product(v.shape)
    if given != 1 and at(g, given) != at(g, places):
        raise Unsupported("np.put repeats values to fit; give as many values as positions")
    flat_index = size_of(g, ind, "i") if isinstance(ind, int) else flat(g, nested(g, ind))
    return reshaped(g, write(g, x, flat_index, flat(g, v) if v.ndim else v), a.shape)


@row("np.putmask", np.putmask, operands=("a", "mask", "values"), says="y where the mask is, else x")
def putmask(g: Graph, a: Node, mask: Node, values: Node) -> Node:
    value = stored(g, a, values)
    if value.ndim and value.shape != a.shape:
        raise Unsupported("np.putmask repeats values to fit; use np.where(mask, values, x)")
    return g.select(g.not_(g.equal(mask, g.number(0))) if mask.kind != "b" else mask, value, a)


@row(
    "np.put_along_axis",
    np.put_along_axis,
    operands=("arr", "indices", "values"),
    says="x after x[j, …, i[j, …, k, …], …] = v",
)
def put_along_axis(g: Graph, arr: Node, indices: Any, values: Node, axis: Any) -> Node:
    x, where = _along(g, "np.put_along_axis", arr, indices, axis)
    return reshaped(g, write(g, x, where, values), arr.shape)


@row(
    "np.fill_diagonal",
    np.fill_diagonal,
    operands=("a", "val"),
    says="x after x[i, i] = v",
)
def fill_diagonal(g: Graph, a: Node, val: Node, wrap: bool = False) -> Node:
    if a.ndim != 2 or val.ndim > 1:
        raise Unsupported("np.fill_diagonal of anything but a matrix; write x[i, i, i] = v")
    rows, columns = a.shape
    if wrap and at(g, rows) > at(g, columns):
        raise Unsupported("np.fill_diagonal(wrap=True) of a tall matrix")
    short, long = (rows, columns) if at(g, rows) <= at(g, columns) else (columns, rows)
    need(g, long - short)
    if at(g, rows) == at(g, columns):
        short = g.same(rows, columns, "the sides of a matrix")
    if val.ndim and at(g, val.shape[0]) != 1:
        g.same(val.shape[0], short, "np.fill_diagonal repeats values to fit, which has no rule")
    i = g.iota(g.size(short))
    return write(g, a, (i, i), val)


@row(
    "ndarray.fill",
    np.ndarray.fill,
    operands=("a", "value"),
    methods=("fill",),
    says="v in every entry",
)
def fill(g: Graph, a: Node, value: Node) -> Node:
    return write(g, a, ..., reshaped(g, value, ()))
