"""Sizes as arguments: whole numbers, shapes, lengths of strides, and what sizes must reach.

That two sizes are equal is a condition of the graph. That one is large enough (`x[2]` needs three
entries) is a need: a size that must not be negative. Needs hold where the graph was made, and are
kept here for whoever states what a result rests on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from chainrule.code.table.row import Unsupported
from chainrule.graph.node import Graph, Node, constant
from chainrule.graph.sizes import Shape, Size

_NEEDS: WeakKeyDictionary[Graph, dict[Size, None]] = WeakKeyDictionary()


def need(g: Graph, size: Size) -> None:
    """Note that a size must not be negative; nothing, if it cannot be."""
    size = g.size(size)
    if all(c > 0 for _, c in size.terms):
        return
    _NEEDS.setdefault(g, {})[size] = None


def needs(g: Graph) -> list[Size]:
    """What must not be negative, in the axes that are left."""
    left = dict.fromkeys(g.size(s) for s in _NEEDS.get(g, ()))
    return [s for s in left if not all(c > 0 for _, c in s.terms)]


def at(g: Graph, size: Size) -> int:
    """A size as the number that it is where the graph was made."""
    return size.at(g.env)


def whole_number(g: Graph, value: Any) -> Size | None:
    """An integer or a size, also one that a node holds, as a `Size`; None for anything else."""
    if isinstance(value, Node):
        if value.op == "size":
            return g.size(value.params[0])
        exact = value.op == "const" and value.kind == "i" and not value.shape
        return Size.of(int(constant(value))) if exact else None
    if isinstance(value, Size):
        return g.size(value)
    if isinstance(value, np.ndarray) and value.shape == () and value.dtype.kind in "iu":
        return Size.of(int(value))
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        return None
    return Size.of(int(value))


def size_of(g: Graph, value: Any, what: str) -> Size:
    """As `whole_number`. Raises Unsupported, naming the argument, for anything else."""
    size = whole_number(g, value)
    if size is None:
        raise Unsupported(
            f"{what} is computed from values; it must be an integer or come from a shape"
        )
    return size


def pinned(g: Graph, value: Any, what: str) -> int:
    """A plain integer; a size is fixed at what it is here."""
    return g.pin(size_of(g, value, what))


def shape_of(g: Graph, shape: Any, what: str = "the shape") -> Shape:
    """A shape argument: one size, or a sequence of them."""
    if isinstance(shape, np.ndarray) and shape.ndim == 1:
        shape = shape.tolist()
    parts = shape if isinstance(shape, Sequence) else (shape,)
    return tuple(size_of(g, part, what) for part in parts)


def integer_list(g: Graph, values: Any, what: str) -> list[Size]:
    """A list of integers or sizes. Raises Unsupported where it is computed from values."""
    if isinstance(values, Node):
        if values.op != "const" or values.kind != "i":
            raise Unsupported(f"{what} is computed from values; it must be given in integers")
        values = constant(values)
    parts = values.ravel().tolist() if isinstance(values, np.ndarray) else values
    return [size_of(g, v, what) for v in parts]


def length(g: Graph, span: Size, step: int) -> Size:
    """How many steps of a positive width fit into a span: 0 if it is negative, else rounded up.

    What a polynomial cannot say is fixed at what it is here.
    """
    span = g.size(span)
    if at(g, span) < 0 or (span.const is not None and span.const <= 0):
        g.pin(span)
        return Size.of(0)
    need(g, span)
    for more in range(step):
        exact = (span + more).exact_div(step)
        if exact is not None:
            return exact
    return Size.of(-(-g.pin(span) // step))


def fitted(g: Graph, x: Node, shape: Sequence[int | Size]) -> Node:
    """x broadcast to a shape; x itself where it has that shape."""
    wanted = tuple(g.size(Size.of(s)) for s in shape)
    if x.shape == wanted:
        return x
    out = g.broadcast(x, wanted)
    return x if x.shape == out.shape else out


def reshaped(g: Graph, x: Node, shape: Sequence[int | Size]) -> Node:
    """x in another shape; x itself where it has that shape."""
    wanted = tuple(g.size(Size.of(s)) for s in shape)
    return x if x.shape == wanted else g.reshape(x, wanted)


def ordered(g: Graph, x: Node, order: Sequence[int]) -> Node:
    """x with its axes in another order; x itself where they are in that order."""
    return x if list(order) == list(range(x.ndim)) else g.transpose(x, order)
