"""Comparisons and logic, entry by entry: their values are true or false, of kind "b"."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from chainrule.code.table.arguments import (
    as_node,
    truth,
    zero,
)
from chainrule.code.table.elementwise import subtract
from chainrule.code.table.row import Sample, Unsupported, row
from chainrule.code.table.ufunc import Two, one, two
from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import product

_INTEGERS = "integers"
two("np.less", lambda g, a, b: g.less(a, b), "x1 < x2", np.less, operator.lt, domain=_INTEGERS)
two(
    "np.less_equal",
    lambda g, a, b: g.less_equal(a, b),
    "x1 ≤ x2",
    np.less_equal,
    operator.le,
    domain=_INTEGERS,
)
two(
    "np.greater",
    lambda g, a, b: g.less(b, a),
    "x1 > x2",
    np.greater,
    operator.gt,
    domain=_INTEGERS,
)
two(
    "np.greater_equal",
    lambda g, a, b: g.less_equal(b, a),
    "x1 ≥ x2",
    np.greater_equal,
    operator.ge,
    domain=_INTEGERS,
)
two(
    "np.equal",
    lambda g, a, b: g.equal(a, b),
    "whether x1 and x2 are equal",
    np.equal,
    operator.eq,
    domain=_INTEGERS,
)
two(
    "np.not_equal",
    lambda g, a, b: g.not_(g.equal(a, b)),
    "x1 ≠ x2",
    np.not_equal,
    operator.ne,
    domain=_INTEGERS,
)


def exclusive(g: Graph, a: Node, b: Node) -> Node:
    """Whether just one of two bools is true."""
    return g.not_(g.equal(a, b))


def _logical(f: Two) -> Two:
    return lambda g, a, b: f(g, truth(g, a), truth(g, b))


def _bitwise(name: str, f: Two) -> Two:
    def build(g: Graph, a: Node, b: Node) -> Node:
        if not a.kind == b.kind == "b":
            raise Unsupported(
                f"{name}: bits of integers are not followed, only bools. "
                "Compare first, as in (x > 0) & (y > 0)"
            )
        return f(g, a, b)

    return build


def _and(g: Graph, a: Node, b: Node) -> Node:
    return g.and_(a, b)


def _or(g: Graph, a: Node, b: Node) -> Node:
    return g.or_(a, b)


two("np.logical_and", _logical(_and), "x1 ≠ 0 and x2 ≠ 0", np.logical_and, domain=_INTEGERS)
two("np.logical_or", _logical(_or), "x1 ≠ 0 or x2 ≠ 0", np.logical_or, domain=_INTEGERS)
two(
    "np.logical_xor",
    _logical(exclusive),
    "just one of x1 and x2 is not 0",
    np.logical_xor,
    domain=_INTEGERS,
)
for _name, _f, _says, _ufunc, _operator in (
    ("np.bitwise_and", _and, "x1 and x2, of bools", np.bitwise_and, operator.and_),
    ("np.bitwise_or", _or, "x1 or x2, of bools", np.bitwise_or, operator.or_),
    ("np.bitwise_xor", exclusive, "just one of x1, x2, of bools", np.bitwise_xor, operator.xor),
):
    two(_name, _bitwise(_name, _f), _says, _ufunc, _operator, domain="bool")


def _not(g: Graph, x: Node) -> Node:
    return g.not_(truth(g, x))


def _invert(g: Graph, x: Node) -> Node:
    if x.kind == "f":
        raise TypeError("ufunc 'invert' not supported for floats; use np.logical_not")
    return g.not_(x) if x.kind == "b" else g.sub(g.neg(x), g.number(1))


one("np.logical_not", _not, "whether x is 0", np.logical_not, operator.not_, domain=_INTEGERS)
one(
    "np.invert",
    _invert,
    "not x; of integers −x − 1",
    np.invert,
    operator.invert,
    domain="bool",
)


def _is_finite(g: Graph, x: Node) -> Node:
    if x.infinite:
        return g.and_(g.less(g.number(-inf), x), g.less(x, g.number(inf)))
    return g.equal(g.sub(x, x), zero(g, x)) if x.kind == "f" else g.equal(x, x)


def _is_nan(g: Graph, x: Node) -> Node:
    return g.not_(g.equal(x, x))


def _is_end(end: float) -> Callable[[Graph, Node], Node]:
    return lambda g, x: g.equal(x, g.number(end))


def _is_inf(g: Graph, x: Node) -> Node:
    if x.infinite:
        return g.or_(_is_end(inf)(g, x), _is_end(-inf)(g, x))
    return g.and_(g.not_(_is_nan(g, x)), g.not_(_is_finite(g, x)))


one("np.isfinite", _is_finite, "whether x − x is 0", np.isfinite, math.isfinite)
one("np.isnan", _is_nan, "x ≠ x", np.isnan, math.isnan)
one("np.isinf", _is_inf, "x equals x, and x − x ≠ 0", np.isinf, math.isinf)
for _name, _end, _says, _function in (
    ("np.isposinf", inf, "whether x is ∞", np.isposinf),
    ("np.isneginf", -inf, "whether x is −∞", np.isneginf),
):
    row(_name, _function, operands=("x",), says=_says, samples=[Sample(((2, 3),)), Sample(((),))])(
        _is_end(_end)
    )


def _isin(
    g: Graph,
    element: Node,
    test_elements: Node,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: Any = None,
) -> Node:
    many = product(test_elements.shape)
    flat = g.reshape(test_elements, (*[1] * element.ndim, many))
    alike = g.equal(g.reshape(element, (*element.shape, 1)), flat)
    found = g.less(g.number(0), g.sum(alike, [element.ndim]))
    return g.not_(found) if invert else found


row(
    "np.isin",
    np.isin,
    operands=("element", "test_elements"),
    says="whether x is one of the others",
    samples=[Sample(((2, 3), (4,)), domain=_INTEGERS), Sample(((), (2, 2)), domain=_INTEGERS)],
)(_isin)


def _isclose(
    g: Graph, a: Node, b: Node, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False
) -> Node:
    bound = g.add(as_node(g, atol), g.mul(as_node(g, rtol), g.call("abs", b)))
    return g.less_equal(g.call("abs", subtract(g, a, b)), bound)


row(
    "np.isclose",
    np.isclose,
    operands=("a", "b", "rtol", "atol"),
    says="|a − b| ≤ atol + rtol |b|",
    samples=[Sample(((2, 3), (3,)), domain=_INTEGERS), Sample(((), ()), (("atol", 2),))],
)(_isclose)
