"""Views of every stretch of an array: `sliding_window_view`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.lib.stride_tricks import sliding_window_view

from chainrule.code.table.arguments import axes_of, one_axis
from chainrule.code.table.extents import at, need, reshaped, shape_of
from chainrule.code.table.row import Sample, Unsupported, row
from chainrule.errors import ShapeError
from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import Size

_NAME = "np.lib.stride_tricks.sliding_window_view"


def window(g: Graph, x: Node, axis: int, length: Size) -> Node:
    """Every stretch of `length` entries along an axis: x[…, i + j, …] with j as the last axis.

    The axis keeps its place with n − length + 1 positions. Raises ShapeError where n is shorter.
    """
    n = x.shape[axis]
    if at(g, length) > at(g, n):
        raise ShapeError(f"{_NAME}: a window of {at(g, length)} in an axis of {at(g, n)}")
    need(g, n - length)
    many = g.size(n - length + 1)
    first = reshaped(g, g.iota(many), (many, Size.of(1)))
    places = g.add(first, g.iota(length))
    others = [k for k in range(x.ndim) if k != axis]
    taken = g.gather(g.transpose(x, [axis, *others]), places)  # (many, length, the others)
    order = [k + 2 for k in range(len(others))]
    return g.transpose(taken, [*order[:axis], 0, *order[axis:], 1])


@row(
    _NAME,
    sliding_window_view,
    operands=("x",),
    view=True,
    says="x[i + j], with j along a new last axis",
    samples=[
        Sample(((5,), 3)),
        Sample(((5,), 1)),
        Sample(((3,), 3)),
        Sample(((4, 3), 2), (("axis", 0),)),
        Sample(((3, 5), 2), (("axis", -1),)),
        Sample(((4, 5),), (("window_shape", (2, 3)),)),
        Sample(((2, 4, 5),), (("window_shape", (2, 3)), ("axis", (2, 1)))),
        Sample(((6,),), (("window_shape", (2, 3)), ("axis", (0, 0)))),
    ],
)
def build(
    g: Graph,
    x: Node,
    window_shape: Any,
    axis: Any = None,
    *,
    subok: bool = False,
    writeable: bool = False,
) -> Node:
    if writeable:
        raise Unsupported(
            f"{_NAME}: writing through it writes some entries twice, and is not followed; "
            "leave writeable= out and write into x"
        )
    lengths = shape_of(g, window_shape, "the window")
    if isinstance(axis, Sequence):  # an axis may be there twice
        axes = tuple(one_axis(_NAME, a, x.ndim) for a in axis)
    else:
        axes = axes_of(_NAME, axis, x.ndim)
    if len(axes) != len(lengths):
        raise ShapeError(f"{_NAME}: {len(lengths)} window sizes for {len(axes)} axes")
    for a, length in zip(axes, lengths, strict=True):
        x = window(g, x, a, length)
    return x


__all__ = ["window"]
