"""What rows share about arguments: axes, options, and the kinds bool, int and float.

An option that a row does not cover is refused by name, with what to do; it is never overlooked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.code.table.row import Unsupported
from chainrule.errors import ShapeError, UsageError
from chainrule.graph.node import Graph, Node, constant
from chainrule.graph.sizes import Shape, Size, show

#: A power with a larger denominator, or a larger exponent, is exp(b·log a).
LARGEST_ROOT, LARGEST_POWER = 10_000, 1_000_000


# -- options -------------------------------------------------------------------------------------


def whole(name: str, where: Any = True, initial: Any = None) -> None:
    """Refuses a mask and a starting value."""
    if where is not True and where is not None:
        raise Unsupported(
            f"{name}: where= is not followed. Write np.where(mask, …, 0) (or the neutral element) "
            "for the entries, and leave where= out"
        )
    if initial is not None:
        raise Unsupported(f"{name}: initial= is not followed. Join it to the result instead")


def typed(g: Graph, name: str, node: Node, dtype: Any) -> Node:
    """The node as the dtype asks for: float64, or what the result is anyway."""
    if dtype is None:
        return node
    kind, size = np.dtype(dtype).kind, np.dtype(dtype).itemsize
    if kind == "f" and size == 8:
        return real(g, node)
    if kind == "i" and size == 8 and node.kind != "f":
        return counted(g, node)
    if kind == "b" and node.kind == "b":
        return node
    raise Unsupported(
        f"{name}: dtype={np.dtype(dtype).name} is not followed; arithmetic is judged in float64. "
        "Leave dtype= out, or use float64"
    )


def as_node(g: Graph, value: Any) -> Node:
    """A node as it is; a default that is a plain number as the number that its literal means."""
    if isinstance(value, Node):
        return value
    return g.number(Fraction(repr(value)) if isinstance(value, float) else value)


def integer(name: str, what: str, value: Any) -> int:
    """A plain integer from an int, NumPy's integers, a constant size or a constant node."""
    if isinstance(value, Node):
        exact = exponent(value)
        if exact is not None and exact.denominator == 1:
            return exact.numerator
    if isinstance(value, Size) and value.const is not None:
        return value.const
    if isinstance(value, (int, np.integer)):
        return int(value)
    raise Unsupported(f"{name}: {what} must be a constant integer, and is {value!r}")


def nodes(name: str, sequence: Any) -> list[Node]:
    """The parts of a sequence of arrays; of one array, its rows."""
    if isinstance(sequence, Node):
        g = sequence.graph
        if sequence.ndim == 0:
            raise UsageError(f"{name}: a scalar cannot be iterated over")
        length = g.pin(sequence.shape[0])
        rest = g.whole(sequence)[1:]
        return [g.index(sequence, (("at", Size.of(k)), *rest)) for k in range(length)]
    return [as_node(sequence[0].graph, part) for part in sequence]


# -- axes ----------------------------------------------------------------------------------------


def one_axis(name: str, axis: Any, ndim: int) -> int:
    """One axis, counted from the front.

    Raises ShapeError where there is no such axis.
    """
    position = integer(name, "axis", axis)
    if not -ndim <= position < ndim:
        raise ShapeError(f"{name}: axis {position} of an array with {ndim} axes")
    return position % ndim


def axes_of(name: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes that an `axis` argument means, from the front, in the order given: None is all.

    Raises ShapeError for an axis that is not there, or is there twice.
    """
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, (tuple, list)):
        found = tuple(one_axis(name, a, ndim) for a in axis)
        if len(set(found)) < len(found):
            raise ShapeError(f"{name}: the same axis twice in axis={axis}")
        return found
    if ndim == 0 and integer(name, "axis", axis) in (0, -1):
        return ()  # NumPy lets a scalar be reduced over axis 0
    return (one_axis(name, axis, ndim),)


def kept(g: Graph, result: Node, x: Node, axes: Iterable[int], keepdims: Any) -> Node:
    """The result of a reduction of x, with the axes that went put back as 1 if `keepdims`."""
    if keepdims is not True and not (keepdims and isinstance(keepdims, (int, np.bool_))):
        return result
    gone = set(axes)
    return g.reshape(result, [Size.of(1) if k in gone else s for k, s in enumerate(x.shape)])


def flat(g: Graph, x: Node) -> Node:
    """All entries in row-major order."""
    if x.ndim == 1:
        return x
    total = Size.of(1)
    for size in x.shape:
        total = total * size
    return g.reshape(x, (total,))


def ones_at(g: Graph, x: Node, positions: Sequence[int]) -> Node:
    """x with axes of size 1 put in, at positions of the result."""
    left = iter(x.shape)
    ndim = x.ndim + len(positions)
    return g.reshape(x, [Size.of(1) if k in positions else next(left) for k in range(ndim)])


def stacked(g: Graph, parts: Sequence[Node], axis: int) -> Node:
    """Arrays of one shape along a new axis."""
    return g.concat([ones_at(g, part, [axis]) for part in parts], axis)


def same_ndim(name: str, a: Node, b: Node) -> ShapeError:
    """The error for shapes that do not fit a product."""
    return ShapeError(f"{name}: the shapes {show(a.shape)} and {show(b.shape)} do not fit")


def leading(shape: Shape, core: int) -> Shape:
    """The axes before the last `core` ones."""
    return shape[: len(shape) - core]


# -- kinds ---------------------------------------------------------------------------------------


def real(g: Graph, x: Node) -> Node:
    """x as a float: an integer times the real number 1."""
    return x if x.kind == "f" else g.mul(x, g.number(Fraction(1)))


def counted(g: Graph, x: Node) -> Node:
    """x as a number: 1 for true and 0 for false."""
    return g.select(x, g.number(1), g.number(0)) if x.kind == "b" else x


def truth(g: Graph, x: Node) -> Node:
    """Whether entries are not 0."""
    return x if x.kind == "b" else g.not_(g.equal(x, zero(g, x)))


def zero(g: Graph, x: Node) -> Node:
    """The 0 that goes with x."""
    return g.number(Fraction(0)) if x.kind == "f" else g.number(0)


def floored(g: Graph, x: Node, *, whole: bool = False) -> Node:
    """The largest integer ≤ x, of kind "i" where NumPy (or Python) gives an integer."""
    if x.kind != "f":
        return counted(g, x)
    return g.make("floor", (x,), (), x.shape, "i" if whole else "f")


def truncated(g: Graph, x: Node, *, whole: bool = False) -> Node:
    """The integer next to x on the side of 0."""
    if x.kind != "f":
        return counted(g, x)
    below, above = floored(g, x, whole=whole), g.neg(floored(g, g.neg(x), whole=whole))
    return g.select(g.less(x, zero(g, x)), above, below)


def exponent(node: Node) -> Fraction | None:
    """The rational number that a constant scalar is, if a root or power of it is of use."""
    if node.op != "const" or node.ndim or node.params[0] == "named":
        return None
    value = constant(node)
    if isinstance(value, np.ndarray):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    exact = Fraction(value)
    if isinstance(value, float) and exact.denominator > 1024:
        return None  # this float stands for some real number near it
    if exact.denominator > LARGEST_ROOT or abs(exact.numerator) > LARGEST_POWER:
        return None
    return exact
