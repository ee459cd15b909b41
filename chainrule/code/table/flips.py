"""The order of entries along an axis: reversed, turned, moved round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.code.table.arguments import axes_of, flat, one_axis
from chainrule.code.table.extents import at, ordered, pinned, reshaped, size_of
from chainrule.code.table.row import Sample, row
from chainrule.code.table.subscript import read
from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import Size


def flipped(g: Graph, x: Node, axes: Sequence[int]) -> Node:
    """x with the order of entries reversed along axes."""
    back = slice(None, None, -1)
    return read(g, x, tuple(back if k in axes else slice(None) for k in range(x.ndim)))


@row(
    "np.flip",
    np.flip,
    operands=("m",),
    view=True,
    says="x[n − 1 − i]",
    samples=[Sample(((2, 3),)), Sample(((2, 3), 1)), Sample(((),)), Sample(((0, 2), 0))],
)
def flip(g: Graph, m: Node, axis: Any = None) -> Node:
    return flipped(g, m, axes_of("flip", axis, m.ndim))


@row(
    "np.fliplr",
    np.fliplr,
    operands=("m",),
    view=True,
    says="x[:, n − 1 − j]",
    samples=[Sample(((2, 3),))],
)
def fliplr(g: Graph, m: Node) -> Node:
    return flipped(g, m, axes_of("fliplr", 1, m.ndim))


@row(
    "np.flipud",
    np.flipud,
    operands=("m",),
    view=True,
    says="x[n − 1 − i]",
    samples=[Sample(((2, 3),))],
)
def flipud(g: Graph, m: Node) -> Node:
    return flipped(g, m, axes_of("flipud", 0, m.ndim))


@row(
    "np.rot90",
    np.rot90,
    operands=("m",),
    view=True,
    says="a quarter turn, k times",
    samples=[
        Sample(((2, 3),)),
        Sample(((2, 3), 2)),
        Sample(((2, 3), -1)),
        Sample(((2, 3), 4)),
        Sample(((2, 3, 4), 1), (("axes", (2, 0)),)),
    ],
)
def rot90(g: Graph, m: Node, k: Any = 1, axes: Any = (0, 1)) -> Node:
    i, j = axes_of("rot90", tuple(axes), m.ndim)
    turns = pinned(g, k, "k") % 4
    if turns in (0, 2):
        return flipped(g, m, (i, j)) if turns else m
    order = [{i: j, j: i}.get(axis, axis) for axis in range(m.ndim)]
    if turns == 1:
        return ordered(g, flipped(g, m, (j,)), order)
    return flipped(g, ordered(g, m, order), (j,))


@row(
    "np.roll",
    np.roll,
    says="x[(i − s) mod n]",
    samples=[
        Sample(((5,), 2)),
        Sample(((5,), -1)),
        Sample(((5,), 7), pins=True),
        Sample(((5,), 13), pins=True),
        Sample(((5,), -13), pins=True),
        Sample(((5,), 0)),
        Sample(((2, 3), 1)),
        Sample(((2, 3), 1), (("axis", 1),)),
        Sample(((2, 3),), (("shift", (1, -1)), ("axis", (0, 1)))),
        Sample(((0,), 2)),
        Sample(((3, 0), 1), (("axis", 0),)),
    ],
)
def roll(g: Graph, a: Node, shift: Any, axis: Any = None) -> Node:
    if axis is None:
        rolled: Node = roll(g, flat(g, a), shift, 0)
        return reshaped(g, rolled, a.shape)
    many = shift if isinstance(shift, Sequence) else (shift,)
    axes = axis if isinstance(axis, Sequence) else (axis,)
    pairs = [(s, k) for s in many for k in axes] if 1 in (len(many), len(axes)) else None
    x = a
    for by, k in pairs or zip(many, axes, strict=True):
        x = _rolled(g, x, size_of(g, by, "shift"), one_axis("roll", k, x.ndim))
    return x


def _rolled(g: Graph, x: Node, by: Size, axis: int) -> Node:
    n = x.shape[axis]
    if not at(g, n) or by == 0:
        g.pin(n) if not at(g, n) else None
        return x
    if abs(at(g, by)) > at(g, n):
        by = Size.of(g.pin(by) % g.pin(n))
    split = n - by if at(g, by) >= 0 else -by
    before = [slice(None)] * axis
    head, tail = (
        read(g, x, (*before, slice(None, split))),
        read(g, x, (*before, slice(split, None))),
    )
    return g.concat([tail, head], axis)
