"""Along an axis: sums up to each entry, differences, the positions of extremes; and traces."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.code.table.arguments import (
    counted,
    flat,
    integer,
    kept,
    one_axis,
    ones_at,
    typed,
)
from chainrule.code.table.logic import exclusive
from chainrule.code.table.reductions import largest, smallest
from chainrule.code.table.row import Sample, Unsupported, row
from chainrule.errors import ShapeError
from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import Size


def _up_to(g: Graph, n: Size) -> Node:
    """A matrix with true where row ≤ column."""
    first = g.iota(n)
    return g.less_equal(ones_at(g, first, [1]), ones_at(g, first, [0]))


def _along(g: Graph, name: str, a: Node, axis: Any) -> tuple[Node, int]:
    """The array and the axis that run; without an axis, all entries in order."""
    return (flat(g, a), 0) if axis is None else (a, one_axis(name, axis, a.ndim))


def running_sum(g: Graph, x: Node, axis: int) -> Node:
    """Σ of the entries up to each, along an axis: a product with a triangle of ones."""
    labels = list(range(x.ndim))
    out = [x.ndim if k == axis else k for k in labels]
    return g.contract([labels, [axis, x.ndim]], out, x, _up_to(g, x.shape[axis]))


def running_product(g: Graph, x: Node, axis: int) -> Node:
    """Π of the entries up to each, along an axis."""
    x = counted(g, x)
    triangle = _up_to(g, x.shape[axis])
    after = x.ndim - axis - 1
    wide = ones_at(g, x, [axis + 1])
    mask = ones_at(g, triangle, range(2, 2 + after))
    one = g.number(1) if x.kind == "i" else g.number(Fraction(1))
    return g.reduce("reduce_mul", g.select(mask, wide, one), [axis])


def _running(name: str, f: Any, first: Any) -> Any:
    def build(g: Graph, a: Node, axis: Any = first, dtype: Any = None, out: Any = None) -> Node:
        x, along = _along(g, name, a, axis)
        return typed(g, name, f(g, x, along), dtype)

    return build


_RUNS = (
    Sample(((3,),)),
    Sample(((0,),)),
    Sample(((2, 3),), (("axis", 0),)),
    Sample(((2, 3, 2),), (("axis", -2),)),
    Sample(((3,),), domain="bool"),
    Sample(((3,),), domain="integers"),
)
_RUNNING: tuple[tuple[str, Any, Any, Any, tuple[str, ...], str], ...] = (
    ("np.cumsum", np.cumsum, running_sum, None, ("cumsum",), "Σ of the entries up to each"),
    ("np.cumprod", np.cumprod, running_product, None, ("cumprod",), "Π of the entries up to each"),
    ("np.add.accumulate", np.add.accumulate, running_sum, 0, (), "Σ of the entries up to each"),
    (
        "np.multiply.accumulate",
        np.multiply.accumulate,
        running_product,
        0,
        (),
        "Π of the entries up to each",
    ),
)
for _name, _f, _run, _first, _methods, _says in _RUNNING:
    _samples = [s for s in _RUNS if s.domain != "bool" or _first is None]
    _samples += [Sample(((2, 3),)), Sample(((),))] if _first is None else []
    row(_name, _f, methods=_methods, says=_says, samples=_samples)(_running(_name, _run, _first))


def _diff(
    g: Graph, a: Node, n: Any = 1, axis: Any = -1, prepend: Any = None, append: Any = None
) -> Node:
    name = "np.diff"
    if prepend is not None or append is not None:
        raise Unsupported(
            f"{name}: prepend= and append= are not followed. Put the values there with "
            "np.concatenate first"
        )
    along, x = one_axis(name, axis, a.ndim), a
    for _ in range(integer(name, "n", n)):
        length = g.size(x.shape[along])
        if length.at(g.env) == 0:
            return x
        low, high = g.whole(x), g.whole(x)
        low[along] = ("cut", Size.of(0), 1, length - 1)
        high[along] = ("cut", Size.of(1), 1, length - 1)
        after, before = g.index(x, tuple(high)), g.index(x, tuple(low))
        x = exclusive(g, after, before) if x.kind == "b" else g.sub(after, before)
    return x


row(
    "np.diff",
    np.diff,
    says="a_i+1 − a_i, n times",
    samples=[
        Sample(((4,),)),
        Sample(((4,),), domain="bool"),
        Sample(((4, 3),), (("axis", 0), ("n", 2))),
        Sample(((2, 3, 2),), (("axis", -2),)),
        Sample(((3,), 0)),
    ],
)(_diff)


def _position(name: str, sign: int) -> Any:
    def build(
        g: Graph, a: Node, axis: Any = None, out: Any = None, *, keepdims: Any = False
    ) -> Node:
        if axis is None:
            x, along, all_axes = flat(g, a), 0, tuple(range(a.ndim))
        else:
            along = one_axis(name, axis, a.ndim)
            x, all_axes = a, (along,)
        best = kept(g, (largest if sign > 0 else smallest)(g, x, (along,)), x, (along,), True)
        n = x.shape[along]
        after = x.ndim - along - 1
        places = ones_at(g, g.iota(n), range(1, 1 + after))
        first = smallest(g, g.select(g.equal(x, best), places, g.sized(n)), (along,))
        return kept(g, first, a, all_axes, keepdims)

    return build


_POSITIONS: tuple[tuple[str, Any, int, str], ...] = (
    ("np.argmax", np.argmax, 1, "max"),
    ("np.argmin", np.argmin, -1, "min"),
)
for _name, _f, _sign, _word in _POSITIONS:
    row(
        _name,
        _f,
        methods=(_name[3:],),
        says=f"the first i with a_i = {_word} a",
        samples=[
            Sample(((3,),)),
            Sample(((2, 3),)),
            Sample(((2, 3),), (("axis", 0),)),
            Sample(((2, 3, 4),), (("axis", -2), ("keepdims", True)), domain="integers"),
            Sample(((2, 3),), (("keepdims", True),)),
        ],
    )(_position(_name, _sign))


def _trace(
    g: Graph,
    a: Node,
    offset: Any = 0,
    axis1: Any = 0,
    axis2: Any = 1,
    dtype: Any = None,
    out: Any = None,
) -> Node:
    """Σ of a diagonal; off the middle, or of an oblong matrix, with a delta."""
    name = "np.trace"
    if a.ndim < 2:
        raise ShapeError(f"{name}: an array with {a.ndim} axes has no diagonal")
    first, second = one_axis(name, axis1, a.ndim), one_axis(name, axis2, a.ndim)
    if first == second:
        raise ShapeError(f"{name}: axis1 and axis2 are the same axis")
    k = integer(name, "offset", offset)
    x = counted(g, a)
    labels = list(range(x.ndim))
    out_labels = [m for m in labels if m not in (first, second)]
    rows, columns = x.shape[first], x.shape[second]
    if k == 0 and g.size(rows) == g.size(columns):
        labels[second] = first
        return typed(g, name, g.contract([labels], out_labels, x), dtype)
    delta = g.delta(rows, columns, k)
    result = g.contract([labels, [first, second]], out_labels, x, delta)
    return typed(g, name, result, dtype)


row(
    "np.trace",
    np.trace,
    methods=("trace",),
    says="Σ a_ii",
    samples=[
        Sample(((3, 3),)),
        Sample(((2, 4),)),
        Sample(((3, 3),), (("offset", 1),)),
        Sample(((3, 4),), (("offset", -1),)),
        Sample(((2, 3, 3),), (("axis1", 1), ("axis2", -1))),
        Sample(((0, 0),)),
        Sample(((1, 1),)),
    ],
)(_trace)

if hasattr(np.linalg, "trace"):

    def _matrix_trace(g: Graph, x: Node, *, offset: Any = 0, dtype: Any = None) -> Node:
        return _trace(g, x, offset, -2, -1, dtype)

    row(
        "np.linalg.trace",
        np.linalg.trace,
        operands=("x",),
        says="Σ x_ii over the last two axes",
        samples=[Sample(((3, 3),)), Sample(((2, 3, 3),))],
    )(_matrix_trace)
