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
from chainrule.code.table.kinds import converted, nested
from chainrule.code.table.row import Sample, Unsupported, row
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
STARTED = (
    Sample(((2, 3),), (("axis", 0), ("initial", 0.25), ("keepdims", True))),
    Sample(((3,),), (("initial", 2),)),
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


def _start(g: Graph, found: Node, initial: Any) -> Node:
    """A starting value as a scalar of the result's kind."""
    start = nested(g, initial)
    if start.ndim or (start.kind == "f" and found.kind != "f"):
        raise Unsupported("initial= takes one number of the array's own kind")
    return converted(g, start, found.kind)


def _reduction(
    name: str,
    f: Any,
    says: str,
    *callables: Any,
    samples: Any,
    methods: Any = (),
    ufunc: Any = None,
    join: Any = None,
) -> None:
    """Adds the row of np.sum and its like, and that of the ufunc's `reduce` (over axis 0).

    join : (graph, result, initial) → what a starting value makes of it; None refuses one.
    """

    def result(
        g: Graph, called: str, a: Node, axis: Any, dtype: Any, keepdims: Any, initial: Any
    ) -> Node:
        axes = axes_of(called, axis, a.ndim)
        found = f(g, a, axes)
        if initial is not None:
            if join is None:
                whole(called, True, initial)
            found = join(g, found, _start(g, found, initial))
        return typed(g, called, kept(g, found, a, axes, keepdims), dtype)

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
        whole(name, where)
        return result(g, name, a, axis, dtype, keepdims, initial)

    def without_dtype(
        g: Graph,
        a: Node,
        axis: Any = None,
        out: Any = None,
        keepdims: Any = False,
        initial: Any = None,
        where: Any = True,
    ) -> Node:
        whole(name, where)
        return result(g, name, a, axis, None, keepdims, initial)

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
        whole(f"{ufunc_name}.reduce", where)
        return result(g, f"{ufunc_name}.reduce", array, axis, dtype, keepdims, initial)

    build = with_dtype if name in ("np.sum", "np.prod") else without_dtype
    operands = ("a", "initial") if join else ("a",)
    row(name, *callables, operands=operands, says=says, samples=samples, methods=methods)(build)
    if ufunc is not None:
        ufunc_name = f"np.{ufunc.__name__}"
        row(
            f"{ufunc_name}.reduce",
            ufunc.reduce,
            operands=("array", "initial") if join else ("array",),
            says=f"{says}; over axis 0 unless told otherwise",
            samples=[s for s in samples if s.args != ((),)],
        )(reduce)


_reduction(
    "np.sum",
    summed,
    "Σ a",
    np.sum,
    samples=(*FILLED, *STARTED, *EMPTY, *BOOLS),
    methods=("sum",),
    ufunc=np.add,
    join=lambda g, a, b: g.add(a, b),
)
_reduction(
    "np.prod",
    multiplied,
    "Π a",
    np.prod,
    samples=(*FILLED, *STARTED, *EMPTY, *BOOLS),
    methods=("prod",),
    ufunc=np.multiply,
    join=lambda g, a, b: g.mul(a, b),
)
_reduction(
    "np.max",
    largest,
    "the largest entry",
    np.max,
    samples=(*FILLED, *STARTED, Sample(((2, 3),), (("axis", 0),), domain="bool")),
    methods=("max",),
    ufunc=np.maximum,
    join=lambda g, a, b: g.call("maximum", a, b),
)
_reduction(
    "np.min",
    smallest,
    "−max(−a)",
    np.min,
    samples=(*FILLED, *STARTED, Sample(((2, 3),), (("axis", 0),), domain="bool")),
    methods=("min",),
    ufunc=np.minimum,
    join=lambda g, a, b: g.call("minimum", a, b),
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
