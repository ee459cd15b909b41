"""The same entries in another shape: reshape, the order of axes, axes of 1, broadcasting.

All of these are chains of `reshape`, `index` and `contract` with one input, so that a write through
a view can be followed back. The rows of `diagonals`, `flips`, `joins`, `repeats` come with these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.code.table import diagonals, flips, joins, repeats
from chainrule.code.table.arguments import axes_of, one_axis, ones_at
from chainrule.code.table.arguments import flat as flattened
from chainrule.code.table.extents import (
    at,
    fitted,
    need,
    ordered,
    pinned,
    reshaped,
    shape_of,
)
from chainrule.code.table.reshaping import filled_in
from chainrule.code.table.row import Sample, Unsupported, row
from chainrule.code.table.ufunc import present
from chainrule.errors import ShapeError
from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import Size

__all__ = ["diagonals", "flips", "joins", "repeats"]


# -- reshape ---------------------------------------------------------------------------------------


def _reshape(g: Graph, a: Node, shape: Any, order: Any) -> Node:
    if order not in ("C", "F"):
        raise Unsupported(
            f"order={order!r} depends on how the array lies in memory; use 'C' or 'F'"
        )
    wanted = shape_of(g, shape)
    if order == "C":
        return reshaped(g, a, filled_in(g, a, wanted))
    back = _reversed(g, a)
    return _reversed(g, reshaped(g, back, filled_in(g, back, wanted[::-1])))


def _reversed(g: Graph, a: Node) -> Node:
    return ordered(g, a, range(a.ndim)[::-1])


@row(
    "np.reshape",
    np.reshape,
    view=True,
    says="the entries in row-major order",
    samples=[
        Sample(((2, 6), -1)),
        Sample(((2, 6),), (("shape", (3, 4)),), pins=True),
        Sample(((2, 6),), (("shape", (4, -1)), ("order", "F")), pins=True),
        Sample(((),), (("shape", (1, 1)),)),
        Sample(((0, 3),), (("shape", (3, -1)),), pins=True),
        Sample(((1,),), (("shape", ()),)),
    ],
)
def reshape(g: Graph, a: Node, shape: Any, order: Any = "C", *, copy: Any = None) -> Node:
    return _reshape(g, a, shape, order)


@row(
    "ndarray.reshape",
    np.ndarray.reshape,
    methods=("reshape",),
    view=True,
    says="the entries in row-major order",
    samples=[
        Sample(((2, 6), 3, -1), pins=True),
        Sample(((4,), 2, 2), (("order", "F"),), pins=True),
    ],
)
def reshape_method(g: Graph, a: Node, *shape: Any, order: Any = "C", copy: Any = None) -> Node:
    whole = len(shape) == 1 and isinstance(shape[0], Sequence | np.ndarray)
    return _reshape(g, a, shape[0] if whole else shape, order)


@row(
    "np.ravel",
    np.ravel,
    np.ndarray.ravel,
    np.ndarray.flatten,
    methods=("ravel", "flatten"),
    view=True,
    says="all entries in row-major order",
    samples=[
        Sample(((2, 3),)),
        Sample(((),)),
        Sample(((0, 2),)),
        Sample(((4,),)),
        Sample(((2, 3), "F")),
    ],
)
def ravel(g: Graph, a: Node, order: Any = "C") -> Node:
    return _reshape(g, a, -1, order) if order != "C" else flattened(g, a)


# -- the order of axes -----------------------------------------------------------------------------


@row(
    "np.transpose",
    np.transpose,
    view=True,
    says="the axes in another order; reversed, if none is given",
    samples=[
        Sample(((2, 3),)),
        Sample(((2, 3, 4),), (("axes", (1, 2, 0)),)),
        Sample(((),)),
        Sample(((3,),)),
        Sample(((0, 2),)),
    ],
)
def transpose(g: Graph, a: Node, axes: Any = None) -> Node:
    if axes is None:
        return _reversed(g, a)
    order = axes_of("transpose", tuple(axes), a.ndim)
    if len(order) != a.ndim:
        raise ShapeError(f"transpose: {len(order)} axes of an array with {a.ndim}")
    return ordered(g, a, order)


@row(
    "ndarray.transpose",
    np.ndarray.transpose,
    methods=("transpose",),
    view=True,
    says="the axes in another order; reversed, if none is given",
    samples=[Sample(((2, 3),)), Sample(((2, 3, 4), 2, 0, 1))],
)
def transpose_method(g: Graph, a: Node, *axes: Any) -> Node:
    if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], Sequence)):
        return transpose(g, a, axes[0])  # type: ignore[no-any-return]
    return transpose(g, a, axes or None)  # type: ignore[no-any-return]


row("ndarray.T", attributes=("T",), view=True, says="the axes reversed", samples=[])(_reversed)


@row(
    "np.matrix_transpose",
    *present(np, "matrix_transpose"),
    *present(np.linalg, "matrix_transpose"),
    operands=("x",),
    attributes=("mT",),
    view=True,
    says="the last two axes exchanged",
    samples=[Sample(((2, 3),)), Sample(((4, 2, 3),))],
)
def matrix_transpose(g: Graph, x: Node) -> Node:
    if x.ndim < 2:
        raise ShapeError("a matrix is needed, and this has fewer than two axes")
    return ordered(g, x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


@row(
    "np.swapaxes",
    np.swapaxes,
    np.ndarray.swapaxes,
    methods=("swapaxes",),
    view=True,
    says="two axes exchanged",
    samples=[Sample(((2, 3, 4), 0, -1)), Sample(((2, 3), 1, 1))],
)
def swapaxes(g: Graph, a: Node, axis1: Any, axis2: Any) -> Node:
    i, j = (one_axis("swapaxes", k, a.ndim) for k in (axis1, axis2))
    order = list(range(a.ndim))
    order[i], order[j] = j, i
    return ordered(g, a, order)


@row(
    "np.moveaxis",
    np.moveaxis,
    view=True,
    says="axes moved to other places, the others in their order",
    samples=[
        Sample(((2, 3, 4), 0, -1)),
        Sample(((2, 3, 4),), (("source", (0, 1)), ("destination", (-1, 0)))),
    ],
)
def moveaxis(g: Graph, a: Node, source: Any, destination: Any) -> Node:
    here = axes_of("moveaxis", source, a.ndim)
    there = axes_of("moveaxis", destination, a.ndim)
    order = [k for k in range(a.ndim) if k not in here]
    for place, axis in sorted(zip(there, here, strict=True)):
        order.insert(place, axis)
    return ordered(g, a, order)


@row(
    "np.rollaxis",
    np.rollaxis,
    view=True,
    says="an axis moved before another",
    samples=[Sample(((2, 3, 4), 2)), Sample(((2, 3, 4), 0, 3))],
)
def rollaxis(g: Graph, a: Node, axis: Any, start: Any = 0) -> Node:
    here, there = one_axis("rollaxis", axis, a.ndim), pinned(g, start, "start")
    there = there + a.ndim if there < 0 else there
    order = [k for k in range(a.ndim) if k != here]
    order.insert(there - 1 if here < there else there, here)
    return ordered(g, a, order)


# -- axes of size 1 --------------------------------------------------------------------------------


@row(
    "np.expand_dims",
    np.expand_dims,
    view=True,
    says="axes of size 1 put in",
    samples=[
        Sample(((2, 3), 0)),
        Sample(((2, 3), -1)),
        Sample(((),), (("axis", (0, 1)),)),
        Sample(((2, 3),), (("axis", (0, -1)),)),
    ],
)
def expand_dims(g: Graph, a: Node, axis: Any) -> Node:
    many = len(axis) if isinstance(axis, Sequence) else 1
    return ones_at(g, a, axes_of("expand_dims", axis, a.ndim + many))


@row(
    "np.squeeze",
    np.squeeze,
    np.ndarray.squeeze,
    methods=("squeeze",),
    view=True,
    says="axes of size 1 taken out",
    samples=[
        Sample(((1, 3, 1),), pins=True),
        Sample(((1, 3, 1), 0), pins=True),
        Sample(((2, 3),)),
        Sample(((1, 1),), pins=True),
        Sample(((),)),
    ],
)
def squeeze(g: Graph, a: Node, axis: Any = None) -> Node:
    if axis is None:
        gone = [k for k, s in enumerate(a.shape) if at(g, s) == 1]
        for k, s in enumerate(a.shape):
            if k not in gone and s.const is None and at(g, s) > 1:
                need(g, s - 2)
    else:
        gone = list(axes_of("squeeze", axis, a.ndim)) if a.ndim else []
    for k in gone:
        g.same(a.shape[k], Size.of(1), "squeeze")
    return reshaped(g, a, [s for k, s in enumerate(a.shape) if k not in gone])


def _at_least(g: Graph, arrays: Sequence[Node], ndim: int) -> Any:
    places: dict[tuple[int, int], tuple[int, ...]] = {(3, 2): (2,), (3, 1): (0, 2)}
    out = []
    for x in arrays:
        missing = range(max(ndim - x.ndim, 0))
        out.append(ones_at(g, x, places.get((ndim, x.ndim), tuple(missing))) if missing else x)
    return out[0] if len(out) == 1 else tuple(out)


def _at_least_row(name: str, function: Any, ndim: int) -> None:
    @row(
        name,
        function,
        operands=("*arys",),
        view=True,
        says=f"axes of size 1 put in, up to {ndim} axes",
        samples=[
            Sample(((),)),
            Sample(((3,),)),
            Sample(((2, 3),)),
            Sample(((2, 3, 4),)),
            Sample(((), (2, 3))),
        ],
    )
    def build(g: Graph, *arys: Node) -> Any:
        return _at_least(g, arys, ndim)


_at_least_row("np.atleast_1d", np.atleast_1d, 1)
_at_least_row("np.atleast_2d", np.atleast_2d, 2)
_at_least_row("np.atleast_3d", np.atleast_3d, 3)


# -- broadcasting ----------------------------------------------------------------------------------


@row(
    "np.broadcast_to",
    np.broadcast_to,
    operands=("array",),
    view=True,
    says="stretched to a shape",
    samples=[
        Sample(((3,),), (("shape", (2, 3)),), pins=True),
        Sample(((), 4)),
        Sample(((2, 1),), (("shape", (2, 3)),), pins=True),
        Sample(((1,), 0)),
        Sample(((2, 3),), (("shape", (2, 3)),), pins=True),
    ],
)
def broadcast_to(g: Graph, array: Node, shape: Any, subok: bool = False) -> Node:
    return fitted(g, array, shape_of(g, shape))


@row(
    "np.broadcast_arrays",
    np.broadcast_arrays,
    operands=("*args",),
    view=True,
    says="stretched to one shape",
    samples=[Sample(((2, 1), (3,)), pins=True), Sample(((), (2, 3)))],
)
def broadcast_arrays(g: Graph, *args: Node, subok: bool = False) -> tuple[Node, ...]:
    shape = g.stretched(*(x.shape for x in args))
    return tuple(fitted(g, x, shape) for x in args)
