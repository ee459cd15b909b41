"""Kinds of arrays, and arrays from what stands in lists.

Kinds stand for dtypes: "f" float64, "i" int32 and int64, "b" bool. Other dtypes round or wrap
around, which the graph does not, and are refused.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.code.table.arguments import stacked, truncated
from chainrule.code.table.row import Unsupported
from chainrule.errors import ShapeError
from chainrule.graph.node import Graph, Kind, Node, constant
from chainrule.graph.sizes import Size


def kind_of(dtype: Any) -> Kind:
    """The kind that a dtype is. Raises Unsupported for one that rounds or wraps differently."""
    known = np.dtype(dtype)
    if known == np.dtype(np.float64):
        return "f"
    if known in (np.dtype(np.int64), np.dtype(np.int32)):
        return "i"
    if known == np.dtype(np.bool_):
        return "b"
    raise Unsupported(f"dtype {known} has no rule; compute in float64, int64 or bool")


def real(g: Graph, value: float) -> Node:
    """A float of the code's: exact if it is a short binary fraction, else the real near it."""
    if abs(value) <= 2.0**20 and (value * 2.0**10).is_integer():
        return g.number(Fraction(value))
    return g.number(float(value))


def converted(g: Graph, x: Node, kind: Kind) -> Node:
    """x as an array of another kind, as `astype` gives it: fractions are cut off."""
    if x.kind == kind:
        return x
    if kind == "b":
        return g.not_(g.equal(x, g.number(0)))
    if x.op == "broadcast":
        return g.broadcast(converted(g, x.inputs[0], kind), x.params[0])
    if x.op == "const" and x.params[0] == "number":
        value = Fraction(constant(x))
        return g.number(value if kind == "f" else int(value))
    if kind == "i" and x.kind == "f":
        return truncated(g, x, whole=True)
    if x.op == "const":
        exact = constant(x)
        other = exact.astype(np.float64 if kind == "f" else np.int64)
        if x.kind == "b" or bool(np.all(other.astype(object) == exact.astype(object))):
            return g.array(other)
    one: Fraction | int = Fraction(1) if kind == "f" else 1
    zero: Fraction | int = Fraction(0) if kind == "f" else 0
    if x.kind == "b":
        return g.select(x, g.number(one), g.number(zero))
    return g.mul(x, g.number(one))


def cast(g: Graph, x: Node, dtype: Any) -> Node:
    """x in the kind of a dtype; x itself for None."""
    return x if dtype is None else converted(g, x, kind_of(dtype))


def nested(g: Graph, value: Any) -> Node:
    """What `np.array` makes of a node, a number, a size, an array, or nested sequences of them."""
    if isinstance(value, Node):
        return value
    if isinstance(value, Size):
        return g.sized(value)
    if isinstance(value, bool | np.bool_):
        return g.array(np.asarray(value))
    if isinstance(value, int | np.integer):
        return g.number(int(value))
    if isinstance(value, float | np.floating):
        return real(g, float(value))
    if isinstance(value, list | tuple) and _holds_nodes(value):
        parts = [nested(g, v) for v in value]
        if len({p.ndim for p in parts}) > 1:
            raise ShapeError("the parts of a nested list have different shapes")
        return stacked(g, parts, 0)
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise Unsupported(f"an array of {array.dtype} has no rule; use floats, integers or bools")
    return g.array(array)


def _holds_nodes(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_holds_nodes(v) for v in value)
    return isinstance(value, Node | Size)
