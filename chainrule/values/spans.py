"""The graph in spans: every entry is a value, and an interval for its derivative in one direction
that contains what that derivative is, or tends to, however the point is approached.

At a point where a comparison is undecided its condition is 0 or 1, and what it selects is either
branch; the largest of equal entries moves as any of them; √Σu² at 0 moves by at most √Σu̇². So the
interval contains v·w for every v in the convex hull of the Jacobians of all adjacent cells (of
Clarke's subdifferential), whatever cells there are: none is counted, none can be missed.

A value is an interval too where branches differ. The function is continuous at the point only if
the value that comes out is sharp; the caller must look. A hole is a derivative that is not told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.node import Node, reached
from chainrule.values import certified, jets, structure
from chainrule.values.ball import Undecided
from chainrule.values.ball_sums import contracted
from chainrule.values.entries import (
    HOLES,
    ONE,
    ZERO,
    add,
    as_objects,
    balls,
    collected,
    filled,
    multiply,
    rational_power,
)
from chainrule.values.kinks import nonnegative
from chainrule.values.structure import Array, Sizes

Span = tuple[Array, Array | None]  # values, and intervals of derivatives; None: nothing moves
EITHER = arb(0.5, 0.5)  # a condition that is 0 or 1
_HALF = Fraction(1, 2)


def spans(
    outputs: Sequence[Node],
    values: Mapping[str, Any],
    tangents: Mapping[str, Any],
    sizes: Sizes | None = None,
) -> list[tuple[Array, Array]]:
    """The values of nodes and their generalized derivatives in a direction, as arrays of balls.

    values, tangents, sizes : as for `jets.enclose`; an input without a tangent stays where it is,
    and a comparison of what stays is no kink.
    Returns (value, interval) for each output, with holes. Raises Undecided, UsageError, ShapeError.

    >>> from chainrule.graph.node import Graph
    >>> g = Graph()
    >>> x = g.input("x", ())
    >>> (_, slope), = spans([g.call("abs", x)], {"x": 0}, {"x": 1})
    >>> print(slope)
    [+/- 1.01]
    """
    arrays = certified.given(outputs, values)
    known = structure.sizes_of(outputs, {k: v.shape for k, v in arrays.items()}, sizes)
    at: dict[Node, Span] = {}
    for node in reached(outputs):
        if node.op == "input":
            name = node.params[0]
            at[node] = arrays[name], balls(tangents[name]) if name in tangents else None
        else:
            at[node] = _through(node, at, known)
    return [(np.array(v), np.array(_still((v, d)))) for v, d in (at[o] for o in outputs)]


def _still(x: Span) -> Array:
    return filled(x[0].shape) if x[1] is None else np.broadcast_to(x[1], x[0].shape)


def _through(node: Node, at: Mapping[Node, Span], sizes: Sizes) -> Span:
    xs = [at[i] for i in node.inputs]
    if all(d is None for _, d in xs):
        return certified.RULES[node.op](node, [x for x, _ in xs], sizes), None
    if node.op in ("less", "equal"):
        return as_objects(_COMPARED[node.op](xs[0][0], xs[1][0])), filled(_shape(node, sizes))
    if node.op == "and":
        return as_objects(_BOTH(xs[0][0], xs[1][0])), filled(_shape(node, sizes))
    if node.op == "select":
        return _select(xs)
    if node.op == "reduce_max":
        return _largest(node, xs[0])
    if node.op in FUNCTIONS and FUNCTIONS[node.op].singular:
        return _defined(node, xs, sizes)
    if node.op == "power" and node.params[0].denominator > 1 and node.params[0] > 0:
        return _root(node, at, sizes)
    return jets.through(node, xs, sizes)


def _shape(node: Node, sizes: Sizes) -> tuple[int, ...]:
    return structure.lengths(node.shape, sizes)


def _defined(node: Node, xs: list[Span], sizes: Sizes) -> Span:
    """A function with a kink, value and all, through its definition."""
    arguments, result = structure.definition(node.op)
    at: dict[Node, Span] = dict(zip(arguments, xs, strict=True))
    for inner in reached([result]):
        if inner not in at:
            at[inner] = _through(inner, at, sizes)
    return at[result]


# -- conditions ------------------------------------------------------------------------------------


def _hole(*xs: Any) -> Any:
    return next((x for x in xs if isinstance(x, HOLES)), None)


def _less(a: Any, b: Any) -> Any:
    if _hole(a, b) is not None:
        return _hole(a, b)
    return ZERO if a is b or a > b else ONE if a < b else EITHER


def _equal(a: Any, b: Any) -> Any:
    if _hole(a, b) is not None:
        return _hole(a, b)
    return ONE if a is b else ZERO if a < b or a > b else EITHER


def _both(a: Any, b: Any) -> Any:
    if _hole(a, b) is not None:
        return _hole(a, b)
    return ZERO if a == 0 or b == 0 else ONE if a == 1 and b == 1 else EITHER


def union(a: Any, b: Any) -> Any:
    """What holds both; a hole where one of them is one."""
    if a is b:
        return a
    if _hole(a, b) is not None:
        return Undecided(f"one of two branches that meet there has no value: {_hole(a, b)}")
    if a.is_exact() and b.is_exact():
        return a if a == b else arb((a + b) / 2, abs(a - b) / 2)
    return a.union(b)


def _chosen(c: Any, a: Any, b: Any) -> Any:
    if isinstance(c, HOLES):
        return c
    return a if c == 1 else b if c == 0 else union(a, b)


_COMPARED = {"less": np.frompyfunc(_less, 2, 1), "equal": np.frompyfunc(_equal, 2, 1)}
_BOTH = np.frompyfunc(_both, 2, 1)
_CHOSEN = np.frompyfunc(_chosen, 3, 1)


def _select(xs: list[Span]) -> Span:
    c, a, b = xs
    values = as_objects(_CHOSEN(c[0], a[0], b[0]))
    slopes = as_objects(_CHOSEN(c[0], _still(a), _still(b)))
    return values, slopes


# -- the largest entry, and roots ------------------------------------------------------------------


def _largest(node: Node, x: Span) -> Span:
    axes = node.params[0]
    others = [k for k in range(x[0].ndim) if k not in axes]
    shape = tuple(x[0].shape[k] for k in others)
    count = int(np.prod(shape)), int(np.prod([x[0].shape[k] for k in axes]))
    lines = [np.transpose(y, (*others, *axes)).reshape(count).tolist() for y in (x[0], _still(x))]
    values, slopes = [], []
    for line, moves in zip(*lines, strict=True):
        hole = _hole(*line)
        if hole is not None or not line:
            hole = Undecided("the largest of no numbers") if hole is None else hole
            values.append(hole)
            slopes.append(hole)
            continue
        top = line[0]
        for v in line[1:]:
            top = top if top >= v else v if v >= top else top.max(v)
        slope: Any = None
        for v, d in zip(line, moves, strict=True):
            if not v < top:
                slope = d if slope is None else union(slope, d)
        values.append(top)
        slopes.append(slope)
    return collected(values, shape), collected(slopes, shape)


def _root(node: Node, at: Mapping[Node, Span], sizes: Sizes) -> Span:
    """A power that is no whole number: the end of its domain, and √Σu² at 0."""
    base, below = node.inputs[0], at[node.inputs[0]]
    touched = np.array([isinstance(v, arb) and v.contains(0) for v in below[0].flat], bool)
    touched = touched.reshape(below[0].shape)
    if not touched.any():
        return jets.through(node, [below], sizes)
    safe = nonnegative([base])[base]
    if node.params[0] > 1 and safe:
        return jets.through(node, [below], sizes)
    value = _nonnegative_power(node, below[0], safe)
    sums = _squares(base, at, sizes) if node.params[0] == _HALF else None
    slopes = np.array(_still(jets.through(node, [below], sizes)))
    end = Undecided("the derivative of a root at the end of its domain")
    for k in np.ndindex(touched.shape):
        if touched[k]:
            slopes[k] = end if sums is None else _ball(sums[k])
    return value, slopes


def _nonnegative_power(node: Node, x: Array, clip: bool) -> Array:
    def entry(v: Any) -> Any:
        if isinstance(v, HOLES):
            return v
        try:
            return rational_power(node.params[0], v.nonnegative_part() if clip else v)
        except HOLES as hole:
            return hole

    return as_objects(np.frompyfunc(entry, 1, 1)(x))


def _ball(square: Any) -> Any:
    """What is at most √square in size."""
    if isinstance(square, HOLES):
        return square
    most = square.abs_upper().sqrt().abs_upper()
    return (-most).union(most)


def _squared(x: Array) -> Array:
    """The squares of what intervals hold, as bounds."""

    def entry(v: Any) -> Any:
        if isinstance(v, HOLES):
            return v
        return v * v if v.is_exact() else v.abs_upper() * v.abs_upper()

    return as_objects(np.frompyfunc(entry, 1, 1)(x))


def _squares(base: Node, at: Mapping[Node, Span], sizes: Sizes) -> Array | None:
    """Σu̇², bounded, for a node that is Σu² by the look of it; None for others."""
    known: dict[Node, Array | None] = {}
    for node in reached([base]):
        known[node] = _square(node, known, at, sizes)
    return known[base]


def _square(
    node: Node, known: Mapping[Node, Array | None], at: Mapping[Node, Span], sizes: Sizes
) -> Array | None:
    xs = node.inputs
    if node.op == "power" and node.params[0] == 2:
        return _squared(_still(at[xs[0]]))
    if node.op == "mul" and xs[0] is xs[1]:
        return _squared(_still(at[xs[0]]))
    if node.op == "contract" and len(xs) == 2:
        labels, out = node.params
        if xs[0] is not xs[1] or labels[0] != labels[1]:
            return None
        return contracted([labels[0]], out, [_squared(_still(at[xs[0]]))])
    parts = [known[i] for i in xs]
    if node.op == "mul":
        for part, other in zip(parts, xs[::-1], strict=True):
            fixed, moves = at[other]
            if part is not None and moves is None and all(_sure(v) for v in fixed.flat):
                return multiply(part, fixed)
        return None
    if any(p is None for p in parts):
        return None
    sums = [p for p in parts if p is not None]
    if node.op == "add":
        return add(*sums)
    if node.op == "contract" and len(xs) == 1:
        labels, out = node.params
        return contracted(labels, out, sums)
    if node.op in ("reshape", "broadcast", "index"):
        return certified.RULES[node.op](node, sums, sizes)
    return None


def _sure(v: Any) -> bool:
    return isinstance(v, arb) and bool(v >= 0)
