"""Diagonals and triangles of matrices, for every size."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.code.table.arguments import axes_of, flat
from chainrule.code.table.extents import at, need, ordered, pinned
from chainrule.code.table.kinds import converted
from chainrule.code.table.ranges import band, scaled_iota
from chainrule.code.table.row import Sample, row
from chainrule.code.table.subscript import read
from chainrule.errors import ShapeError
from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import Size


def spread(g: Graph, v: Node, k: int) -> Node:
    """The matrix with v on its k-th diagonal and 0 elsewhere."""
    n = v.shape[0]
    if k == 0 and v.kind == "f":
        return g.einsum("ij,i->ij", g.delta(n, n), v)
    zeros = g.full(0, (n + abs(k), n + abs(k)), v.kind)
    rows, columns = (scaled_iota(g, n, Size.of(s), 1) for s in (max(-k, 0), max(k, 0)))
    return g.put_at(zeros, v, rows, columns)


def taken(g: Graph, x: Node, k: int) -> Node:
    """The k-th diagonals of the last two axes, as the last axis."""
    part = read(g, x, (..., slice(max(-k, 0), None), slice(max(k, 0), None)))
    rows, columns = part.shape[-2:]
    if at(g, rows) < at(g, columns):
        need(g, columns - rows)
        part = read(g, part, (..., slice(None, rows)))
    elif at(g, rows) > at(g, columns):
        need(g, rows - columns)
        part = read(g, part, (..., slice(None, columns), slice(None)))
    g.same(part.shape[-2], part.shape[-1], "the sides of a matrix")
    axes = list(range(part.ndim - 1))
    return g.contract([[*axes, axes[-1]]], axes, part)


@row(
    "np.diag",
    np.diag,
    operands=("v",),
    says="δᵢⱼ vᵢ of a vector; the diagonal of a matrix",
    samples=[
        Sample(((3,),)),
        Sample(((3,), 1)),
        Sample(((3,), -2)),
        Sample(((3,),), (), "integers"),
        Sample(((0,),)),
        Sample(((1,),)),
        Sample(((3, 3),)),
        Sample(((2, 4),)),
        Sample(((4, 2), -1)),
        Sample(((2, 4), 1)),
        Sample(((2, 4), 5), pins=True),
    ],
)
def diag(g: Graph, v: Node, k: Any = 0) -> Node:
    offset = pinned(g, k, "k")
    if v.ndim == 1:
        return spread(g, v, offset)
    if v.ndim != 2:
        raise ShapeError(f"np.diag takes a vector or a matrix; this has {v.ndim} axes")
    return taken(g, v, offset)


@row(
    "np.diagonal",
    np.diagonal,
    np.ndarray.diagonal,
    methods=("diagonal",),
    says="xᵢᵢ, as the last axis",
    samples=[
        Sample(((3, 3),)),
        Sample(((2, 3, 4), 1), (("axis1", 2), ("axis2", 0))),
        Sample(((2, 0),)),
    ],
)
def diagonal(g: Graph, a: Node, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Node:
    pair = axes_of("diagonal", (axis1, axis2), a.ndim)
    rest = [k for k in range(a.ndim) if k not in pair]
    return taken(g, ordered(g, a, [*rest, *pair]), pinned(g, offset, "offset"))


@row(
    "np.diagflat",
    np.diagflat,
    operands=("v",),
    says="δᵢⱼ vᵢ, of all entries",
    samples=[Sample(((2, 2),)), Sample(((),)), Sample(((3,), 1))],
)
def diagflat(g: Graph, v: Node, k: Any = 0) -> Node:
    return spread(g, flat(g, v), pinned(g, k, "k"))


def _triangle(g: Graph, m: Node, k: Any, *, lower: bool) -> Node:
    if m.ndim < 1:
        raise ShapeError("np.tril and np.triu take a matrix")
    rows, columns = (m.shape[-1], m.shape[-1]) if m.ndim == 1 else m.shape[-2:]
    if lower:
        below, across = band(g, rows, columns, k)
        inside = g.less_equal(across, below)
    else:
        below, across = band(g, rows, columns, k)
        inside = g.less_equal(below, across)
    return g.select(inside, m, converted(g, g.number(0), m.kind))


_TRIANGLES = [
    Sample(((3, 3),)),
    Sample(((2, 4), 1)),
    Sample(((4, 2), -1)),
    Sample(((2, 3, 3),)),
    Sample(((3,),)),
    Sample(((0, 2),)),
    Sample(((2, 2),), (), "integers"),
]


@row("np.tril", np.tril, operands=("m",), says="x where j − i ≤ k, else 0", samples=_TRIANGLES)
def tril(g: Graph, m: Node, k: Any = 0) -> Node:
    return _triangle(g, m, k, lower=True)


@row("np.triu", np.triu, operands=("m",), says="x where j − i ≥ k, else 0", samples=_TRIANGLES)
def triu(g: Graph, m: Node, k: Any = 0) -> Node:
    return _triangle(g, m, k, lower=False)
