"""Sums by label, and of stretches: `bincount`, `add.reduceat`."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.code.table.arguments import one_axis
from chainrule.code.table.extents import at, fitted, integer_list, size_of
from chainrule.code.table.row import Sample, Unsupported, row
from chainrule.errors import ShapeError
from chainrule.graph.node import At, Cut, Graph, Node
from chainrule.graph.sizes import Size


@row(
    "np.bincount",
    np.bincount,
    operands=("x", "weights"),
    says="Σ of the weights (or of ones) with x = k, for k below minlength",
    samples=[Sample(((5,), (5,)), (("minlength", 9),), "integers,real")],
)
def bincount(g: Graph, x: Node, weights: Node | None = None, minlength: Any = 0) -> Node:
    if x.ndim != 1 or x.kind == "f":
        raise ShapeError("np.bincount takes a vector of integers")
    length = size_of(g, minlength, "minlength")
    if length == 0:
        raise Unsupported(
            "np.bincount: how long its result is depends on the values. Give minlength= "
            "(the number of labels)"
        )
    if weights is None:
        return g.scatter_add(fitted(g, g.number(1), x.shape), [length], x)
    real = weights if weights.kind == "f" else g.mul(weights, g.full(1, ()))
    return g.scatter_add(real, [length], x)


@row(
    "np.add.reduceat",
    np.add.reduceat,
    operands=("array",),
    says="Σ from each index to the next one; one entry where the next is not larger",
    samples=[
        Sample(((5,), [0, 2, 4])),
        Sample(((5,), [0, 3, 1])),
        Sample(((2, 4), [0, 2]), (("axis", 1),)),
    ],
)
def reduceat(
    g: Graph, array: Node, indices: Any, axis: Any = 0, dtype: Any = None, out: Any = None
) -> Node:
    axis = one_axis("np.add.reduceat", axis, array.ndim)
    if dtype is not None or array.kind == "b":
        raise Unsupported("np.add.reduceat: dtype= is not followed, nor are bools")
    n = array.shape[axis]
    firsts = integer_list(g, indices, "the indices")
    parts = []
    for k, first in enumerate(firsts):
        end = firsts[k + 1] if k + 1 < len(firsts) else n
        if not 0 <= at(g, first) < at(g, n):
            raise ShapeError(f"np.add.reduceat: the index {at(g, first)} is out of bounds")
        length = end - first if at(g, end) > at(g, first) else Size.of(1)
        spec: list[At | Cut] = g.whole(array)
        spec[axis] = ("cut", first, 1, length)
        total = g.sum(g.index(array, tuple(spec)), [axis])
        shape = [Size.of(1) if a == axis else s for a, s in enumerate(array.shape)]
        parts.append(g.reshape(total, shape))
    return g.concat(parts, axis)
