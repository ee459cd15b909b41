"""Sign and size, the larger and the smaller, choices, and rounding, entry by entry.

Each is a selection by a comparison, or a floor: kinks and jumps stand in the graph as such.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.code.table.arguments import (
    as_node,
    counted,
    floored,
    integer,
    real,
    truncated,
    truth,
    typed,
    whole,
    zero,
)
from chainrule.code.table.row import Sample, Unsupported, row
from chainrule.code.table.ufunc import SHAPES, named, number, one, present, two
from chainrule.graph.node import Graph, Node

# -- sign, size, choice ----------------------------------------------------------------------------


def absolute(g: Graph, x: Node) -> Node:
    """|x|; of bools, the same bools."""
    return x if x.kind == "b" else g.call("abs", x)


def sign(g: Graph, x: Node) -> Node:
    """−1, 0 or 1."""
    if x.kind == "b":
        raise TypeError("ufunc 'sign' not supported for bools")
    return g.call("sign", x)


one(
    "np.absolute",
    absolute,
    "−x where x < 0, else x",
    *present(np, "absolute", "abs"),
    abs,
    operator.abs,
)
one("np.fabs", lambda g, x: g.call("abs", real(g, x)), "|x|", np.fabs, math.fabs)
one("np.sign", sign, "1 where x > 0, −1 where x < 0, else 0", np.sign)


def _copysign(g: Graph, a: Node, b: Node) -> Node:
    size = g.call("abs", real(g, a))
    return g.select(g.less(b, zero(g, b)), g.neg(size), size)


two(
    "np.copysign",
    _copysign,
    "|x1| with the sign of x2",
    np.copysign,
    math.copysign,
    domain="nonzero",
)
two("np.maximum", named("maximum"), "x2 where x1 < x2, else x1", np.maximum, np.fmax)
two("np.minimum", named("minimum"), "x2 where x2 < x1, else x1", np.minimum, np.fmin)


def _heaviside(g: Graph, a: Node, b: Node) -> Node:
    above = g.select(g.less(zero(g, a), a), number(g, 1), real(g, b))
    return g.select(g.less(a, zero(g, a)), number(g, 0), above)


two(
    "np.heaviside",
    _heaviside,
    "0 where x1 < 0, x2 where x1 is 0, else 1",
    np.heaviside,
    domain="integers, real",
)


def _clip(
    g: Graph,
    a: Node,
    a_min: Any = None,
    a_max: Any = None,
    out: Any = None,
    *,
    min: Any = None,
    max: Any = None,
    where: Any = True,
    dtype: Any = None,
) -> Node:
    whole("np.clip", where)
    low = a_min if a_min is not None else min
    high = a_max if a_max is not None else max
    x = a
    if low is not None:
        x = g.call("maximum", x, as_node(g, low))
    if high is not None:
        x = g.call("minimum", x, as_node(g, high))
    return typed(g, "np.clip", x, dtype)


row(
    "np.clip",
    np.clip,
    operands=("a", "a_min", "a_max", "min", "max"),
    methods=("clip",),
    says="min(max(a, a_min), a_max); a bound that is None is left out",
    samples=[
        *(Sample((shape, -0.5, 1)) for shape in SHAPES),
        Sample(((2, 3), None, 0.5)),
        Sample(((2, 3), 0, None)),
        Sample(((2, 3), (3,), (2, 1))),
    ],
)(_clip)


def _where(g: Graph, condition: Node, x: Any = None, y: Any = None) -> Node:
    if x is None and y is None:
        raise Unsupported(
            "np.where: with one argument its result has a size that depends on the values. "
            "Write np.where(mask, a, b), or multiply by the mask"
        )
    if x is None or y is None:
        raise ValueError("either both or neither of x and y should be given")
    return g.select(truth(g, condition), as_node(g, x), as_node(g, y))


row(
    "np.where",
    np.where,
    operands=("condition", "x", "y"),
    says="x where the condition is not 0, else y",
    samples=[
        *(Sample((shape, shape, shape), domain="bool, real") for shape in SHAPES),
        Sample(((2, 3), (3,), 0), domain="bool, real"),
        Sample(((2, 1), (3,), ()), domain="integers, real"),
    ],
)(_where)


def _select(
    g: Graph, condlist: Sequence[Node], choicelist: Sequence[Node], default: Any = 0
) -> Any:
    result = as_node(g, default)
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = g.select(truth(g, condition), choice, result)
    return result


row(
    "np.select",
    np.select,
    operands=("*condlist", "*choicelist", "default"),
    says="the first choice whose condition holds, else the default",
    samples=[Sample(([(2, 3), (3,)], [(2, 3), (3,)]), domain="bool, bool, real")],
)(_select)

# -- rounding --------------------------------------------------------------------------------------


def rounded(g: Graph, x: Node, *, whole: bool = False) -> Node:
    """The nearest integer; the even one of two."""
    if x.kind != "f":
        return x
    below = floored(g, x, whole=whole)
    above = g.add(below, g.number(1) if whole else number(g, 1))
    rest, half = g.sub(x, below), number(g, Fraction(1, 2))
    middle = floored(g, g.div(below, number(g, 2)))
    even = g.equal(g.mul(number(g, 2), middle), below)
    tie = g.select(even, below, above)
    return g.select(g.less(rest, half), below, g.select(g.less(half, rest), above, tie))


def to_decimals(g: Graph, name: str, x: Node, decimals: Any) -> Node:
    """x to a number of decimals, as NumPy does it: scaled, rounded, scaled back."""
    places = integer(name, "the number of decimals", decimals)
    if places == 0 or (x.kind != "f" and places > 0):
        return rounded(g, x)
    scale = number(g, 10 ** abs(places))
    if places > 0:
        return g.div(rounded(g, g.mul(x, scale)), scale)
    return g.mul(rounded(g, g.div(real(g, x), scale)), scale)


one("np.floor", lambda g, x: floored(g, x), "⌊x⌋", np.floor)
one("np.ceil", lambda g, x: g.neg(floored(g, g.neg(counted(g, x)))), "−⌊−x⌋", np.ceil)
one("np.trunc", lambda g, x: truncated(g, x), "⌊x⌋, or −⌊−x⌋ where x < 0", np.trunc, np.fix)
one("np.rint", lambda g, x: rounded(g, x), "the nearest integer, the even one of two", np.rint)


def _round(g: Graph, a: Node, decimals: Any = 0, out: Any = None) -> Node:
    return to_decimals(g, "np.round", a, decimals)


row(
    "np.round",
    np.round,
    operands=("a",),
    methods=("round",),
    says="the nearest integer of 10^decimals · a, over 10^decimals",
    samples=[*(Sample((shape,)) for shape in SHAPES), Sample(((2, 3), 2)), Sample(((3,), -1))],
)(_round)


def _modf(g: Graph, x: Node) -> tuple[Node, Node]:
    cut = real(g, truncated(g, x))
    return g.sub(x, cut), cut


row(
    "np.modf",
    np.modf,
    math.modf,
    operands=("x",),
    says="(x − its integer part, its integer part)",
    samples=[Sample((shape,)) for shape in SHAPES],
)(_modf)
