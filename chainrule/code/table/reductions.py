"""Sums, products and extremes along any axes, and the ufuncs' `reduce`. Bools count."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.code.table.arguments import (
    axes_of,
    counted,
    kept,
    truth,
    typed,
    whole,
)
from chainrule.code.table.row import Sample, row
from chainrule.code.table.special import log_sum_exp
from chainrule.graph.node import Graph, Node

_NONE: tuple[tuple[str, Any], ...] = ()
#: Every way of naming axes; `FILLED` where there must be an entry.
FILLED = (
    Sample(((),)),
    Sample(((1,),)),
    Sample(((3,),), (("keepdims", True),)),
    Sample(((2, 3),)),
    Sample(((2, 3),), (("axis", 0),)),
    Sample(((2, 3),), (("axis", -1), ("keepdims", True))),
    Sample(((2, 3, 4),), (("axis", (0, -1)),)),
    Sample(((2, 3, 4),), (("axis", (2, 1)), ("keepdims", True))),
    Sample(((2, 1, 3),), (("axis", 1),)),
    Sample(((2, 3),), (("axis", ()),)),
    Sample(((2, 3),), (("axis", 0),), domain="integers"),
)
EMPTY = (Sample(((0,),)), Sample(((0, 3),), (("axis", 0),)), Sample(((3, 0),), (("axis", 0),)))
BOOLS = tuple(
    Sample((shape,), options, domain="bool")
    for shape in ((), (3,), (2, 3), (0,))
    for options in (_NONE, (("axis", 0), ("keepdims", True)))
)


def summed(g: Graph, x: Node, axes: tuple[int, ...]) -> Node:
    """The sum over axes, which go; bools count."""
    return g.sum(x, axes) if axes else counted(g, x)


def multiplied(g: Graph, x: Node, axes: tuple[int, ...]) -> Node:
    """The product over axes, which go."""
    x = counted(g, x)
    return g.reduce("reduce_mul", x, axes) if axes else x


def largest(g: Graph, x: Node, axes: tuple[int, ...]) -> Node:
    """The largest entry over axes, which go."""
    return g.reduce("reduce_max", x, axes) if axes else x


def smallest(g: Graph, x: Node, axes: tuple[int, ...]) -> Node:
    """The smallest entry over axes, which go: − max(−x)."""
    if not axes:
        return x
    if x.kind == "b":
        return g.not_(g.reduce("reduce_max", g.not_(x), axes))
    return g.neg(g.reduce("reduce_max", g.neg(x), axes))


def some(g: Graph, x: Node, axes: tuple[int, ...]) -> Node:
    """Whether an entry is not 0: how many there are is above 0."""
    return g.less(g.number(0), summed(g, truth(g, x), axes)) if axes else truth(g, x)


def every(g: Graph, x: Node, axes: tuple[int, ...]) -> Node:
    """Whether no entry is 0: how many there are is 0."""
    if not axes:
        return truth(g, x)
    return g.equal(summed(g, g.not_(truth(g, x)), axes), g.number(0))


def _reduction(
    name: str,
    f: Any,
    says: str,
    *callables: Any,
    samples: Any,
    methods: Any = (),
    ufunc: Any = None,
) -> None:
    """Adds the row of np.sum and its like, and that of the ufunc's `reduce` (over axis 0)."""

    def result(g: Graph, called: str, a: Node, axis: Any, dtype: Any, keepdims: Any) -> Node:
        axes = axes_of(called, axis, a.ndim)
        return typed(g, called, kept(g, f(g, a, axes), a, axes, keepdims), dtype)

    def with_dtype(
        g: Graph,
        a: Node,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        keepdims: Any = False,
        initial: Any = None,
        where: Any = True,
    ) -> Node:
        whole(name, where, initial)
        return result(g, name, a, axis, dtype, keepdims)

    def without_dtype(
        g: Graph,
        a: Node,
        axis: Any = None,
        out: Any = None,
        keepdims: Any = False,
        initial: Any = None,
        where: Any = True,
    ) -> Node:
        whole(name, where, initial)
        return result(g, name, a, axis, None, keepdims)

    def reduce(
        g: Graph,
        array: Node,
        axis: Any = 0,
        dtype: Any = None,
        out: Any = None,
        keepdims: Any = False,
        initial: Any = None,
        where: Any = True,
    ) -> Node:
        whole(f"{ufunc_name}.reduce", where, initial)
        return result(g, f"{ufunc_name}.reduce", array, axis, dtype, keepdims)

    build = with_dtype if name in ("np.sum", "np.prod") else without_dtype
    row(name, *callables, says=says, samples=samples, methods=methods)(build)
    if ufunc is not None:
        ufunc_name = f"np.{ufunc.__name__}"
        row(
            f"{ufunc_name}.reduce",
            ufunc.reduce,
            operands=("array",),
            says=f"{says}; over axis 0 unless told otherwise",
            samples=[s for s in samples if s.args != ((),)],
        )(reduce)


_reduction(
    "np.sum",
    summed,
    "Σ a",
    np.sum,
    samples=(*FILLED, *EMPTY, *BOOLS),
    methods=("sum",),
    ufunc=np.add,
)
_reduction(
    "np.prod",
    multiplied,
    "Π a",
    np.prod,
    samples=(*FILLED, *EMPTY, *BOOLS),
    methods=("prod",),
    ufunc=np.multiply,
)
_reduction(
    "np.max",
    largest,
    "the largest entry",
    np.max,
    samples=(*FILLED, Sample(((2, 3),), (("axis", 0),), domain="bool")),
    methods=("max",),
    ufunc=np.maximum,
)
_reduction(
    "np.min",
    smallest,
    "−max(−a)",
    np.min,
    samples=(*FILLED, Sample(((2, 3),), (("axis", 0),), domain="bool")),
    methods=("min",),
    ufunc=np.minimum,
)
_reduction(
    "np.any",
    some,
    "whether Σ (a ≠ 0) is above 0",
    np.any,
    samples=(*FILLED, *EMPTY, *BOOLS),
    methods=("any",),
    ufunc=np.logical_or,
)
_reduction(
    "np.all",
    every,
    "whether Σ (a = 0) is 0",
    np.all,
    samples=(*FILLED, *EMPTY, *BOOLS),
    methods=("all",),
    ufunc=np.logical_and,
)


def _logaddexp_reduce(
    g: Graph,
    array: Node,
    axis: Any = 0,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = None,
    where: Any = True,
) -> Node:
    name = "np.logaddexp.reduce"
    whole(name, where, initial)
    axes = axes_of(name, axis, array.ndim)
    result = log_sum_exp(g, array, axes)
    left = [s for k, s in enumerate(array.shape) if k not in axes]
    return typed(g, name, result if keepdims else g.reshape(result, left), dtype)


row(
    "np.logaddexp.reduce",
    np.logaddexp.reduce,
    operands=("array",),
    says="m + log Σ exp(a − m), m the largest entry; over axis 0 unless told otherwise",
    samples=[
        Sample(((3,),)),
        Sample(((2, 3),)),
        Sample(((2, 3),), (("axis", -1), ("keepdims", True))),
        Sample(((2, 3),), (("axis", None),)),
    ],
)(_logaddexp_reduce)
