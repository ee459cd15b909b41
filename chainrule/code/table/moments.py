"""Means, variances and averages along any axes.

A mean divides by the size of its axes as a symbol, so that it holds for every size.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.code.table.arguments import (
    as_node,
    axes_of,
    integer,
    kept,
    ones_at,
    truth,
    typed,
    whole,
)
from chainrule.code.table.reductions import BOOLS, EMPTY, FILLED, largest, smallest, summed
from chainrule.code.table.row import Sample, row
from chainrule.errors import ShapeError
from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import Size, product


def number_of(g: Graph, x: Node, axes: tuple[int, ...]) -> Size:
    """How many entries lie along axes."""
    return product(x.shape[k] for k in axes)


def mean(g: Graph, x: Node, axes: tuple[int, ...]) -> Node:
    """Σ x / n over axes, which go; n is a symbol."""
    return g.div(summed(g, x, axes), g.sized(number_of(g, x, axes)))


def _mean(
    g: Graph,
    a: Node,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    *,
    where: Any = True,
) -> Node:
    whole("np.mean", where)
    axes = axes_of("np.mean", axis, a.ndim)
    return typed(g, "np.mean", kept(g, mean(g, a, axes), a, axes, keepdims), dtype)


row(
    "np.mean",
    np.mean,
    methods=("mean",),
    says="Σ a / n",
    samples=(*FILLED, *EMPTY, *(s for s in BOOLS if s.args != ((),))),
)(_mean)


def variance(
    g: Graph, name: str, a: Node, axis: Any, dtype: Any, ddof: Any, keepdims: Any, given: Any
) -> Node:
    """Σ (a − mean)² / (n − ddof), as NumPy computes it."""
    axes = axes_of(name, axis, a.ndim)
    middle = kept(g, mean(g, a, axes), a, axes, True) if given is None else as_node(g, given)
    rest = g.sub(a, middle)
    n = number_of(g, a, axes)
    if isinstance(ddof, float) and not ddof.is_integer():
        below = g.sub(g.sized(n), g.number(Fraction(repr(ddof))))
    else:
        fixed = int(ddof) if isinstance(ddof, float) else integer(name, "ddof", ddof)
        below = g.sized(n - fixed)
    result = g.div(summed(g, g.mul(rest, rest), axes), below)
    return typed(g, name, kept(g, result, a, axes, keepdims), dtype)


def _moment(name: str, root: bool) -> Any:
    def build(
        g: Graph,
        a: Node,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        ddof: Any = 0,
        keepdims: Any = False,
        *,
        where: Any = True,
        mean: Any = None,
        correction: Any = None,
    ) -> Node:
        whole(name, where)
        less = ddof if correction is None else correction
        result = variance(g, name, a, axis, dtype, less, keepdims, mean)
        return g.power(result, Fraction(1, 2)) if root else result

    return build


for _name, _f, _root, _says in (
    ("np.var", np.var, False, "Σ (a − mean a)² / (n − ddof)"),
    ("np.std", np.std, True, "√(Σ (a − mean a)² / (n − ddof))"),
):
    row(
        _name,
        _f,
        operands=("a", "mean"),
        methods=(_name[3:],),
        says=_says,
        samples=(
            *(s for s in FILLED if s.options != (("axis", ()),)),
            Sample(((4,),), (("ddof", 1),)),
            Sample(((4,),), (("ddof", 1.5),)),
            Sample(((3, 4),), (("axis", (0, 1)), ("ddof", 1), ("keepdims", True))),
        ),
    )(_moment(_name, _root))


def _average(
    g: Graph,
    a: Node,
    axis: Any = None,
    weights: Any = None,
    returned: Any = False,
    *,
    keepdims: Any = False,
) -> Any:
    name = "np.average"
    axes = axes_of(name, axis, a.ndim)
    if weights is None:
        result = kept(g, mean(g, a, axes), a, axes, keepdims)
        below = g.sized(number_of(g, a, axes))
        return (result, g.broadcast(below, result.shape)) if returned else result
    w = as_node(g, weights)
    if w.ndim != a.ndim:
        if axis is None or w.ndim != len(axes):
            raise ShapeError(f"{name}: weights of another shape than a need an axis each")
        ordered = sorted(range(len(axes)), key=lambda k: axes[k])
        w = g.transpose(w, ordered) if ordered != list(range(len(axes))) else w
        w = ones_at(g, w, [k for k in range(a.ndim) if k not in axes])
    sums = kept(g, summed(g, w, tuple(k for k in axes)), w, axes, keepdims)
    top = kept(g, summed(g, g.mul(a, w), axes), a, axes, keepdims)
    result = g.div(top, sums)
    return (result, g.broadcast(sums, result.shape)) if returned else result


row(
    "np.average",
    np.average,
    operands=("a", "weights"),
    says="Σ a w / Σ w; without weights the mean",
    samples=[
        Sample(((2, 3),)),
        Sample(((2, 3),), (("axis", 1), ("keepdims", True))),
        Sample(((2, 3), None, (2, 3)), domain="real, positive"),
        Sample(((2, 3), 1, (3,)), domain="real, positive"),
        Sample(((2, 3), 0, (2,)), (("returned", True),), domain="real, positive"),
        Sample(((2, 3, 4), -1, (4,)), (("keepdims", True),), domain="real, positive"),
    ],
)(_average)


def _ptp(g: Graph, a: Node, axis: Any = None, out: Any = None, keepdims: Any = False) -> Node:
    axes = axes_of("np.ptp", axis, a.ndim)
    return kept(g, g.sub(largest(g, a, axes), smallest(g, a, axes)), a, axes, keepdims)


row("np.ptp", np.ptp, says="max a − min a", samples=FILLED)(_ptp)


def _count_nonzero(g: Graph, a: Node, axis: Any = None, *, keepdims: Any = False) -> Node:
    axes = axes_of("np.count_nonzero", axis, a.ndim)
    return kept(g, summed(g, truth(g, a), axes), a, axes, keepdims)


row(
    "np.count_nonzero",
    np.count_nonzero,
    says="Σ (a ≠ 0)",
    samples=[
        Sample(((2, 3),), domain="integers"),
        Sample(((2, 3),), (("axis", 1), ("keepdims", True)), domain="bool"),
        Sample(((),), domain="bool"),
        Sample(((0,),)),
    ],
)(_count_nonzero)
