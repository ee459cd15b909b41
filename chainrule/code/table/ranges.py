"""Ranges and matrices of 0 and 1: what is made from sizes alone, for every size."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.code.table.extents import (
    at,
    fitted,
    length,
    need,
    pinned,
    reshaped,
    size_of,
    whole_number,
)
from chainrule.code.table.kinds import cast, converted, kind_of, nested
from chainrule.code.table.row import Sample, Unsupported, row
from chainrule.errors import ShapeError
from chainrule.graph.node import Graph, Node, constant
from chainrule.graph.sizes import Size


def scaled_iota(g: Graph, count: Size, start: Size, step: int) -> Node:
    """start + step·(0, 1, …, count − 1)."""
    out = g.iota(count)
    if step != 1:
        out = g.mul(out, g.number(step))
    return out if start == 0 else g.add(out, g.sized(start))


@row(
    "np.arange",
    np.arange,
    operands=(),
    says="start + step·(0, 1, …)",
    samples=[
        Sample((4,)),
        Sample((0,)),
        Sample((2, 7)),
        Sample((1, 8, 3)),
        Sample((7, 1, -2)),
        Sample((5, 2)),
        Sample((0.0, 2.0, 0.5)),
        Sample((4,), (("dtype", float),)),
    ],
)
def arange(
    g: Graph,
    start: Any,
    stop: Any = None,
    step: Any = 1,
    dtype: Any = None,
    *,
    device: Any = None,
    like: Any = None,
) -> Node:
    first, last = (0, start) if stop is None else (start, stop)
    by = 1 if step is None else step
    sizes = [whole_number(g, v) for v in (first, last, by)]
    if None not in sizes:
        low, high = size_of(g, first, "start"), size_of(g, last, "stop")
        width = pinned(g, by, "step")
        if not width:
            raise ShapeError("np.arange with step 0")
        count = length(g, high - low if width > 0 else low - high, abs(width))
        return cast(g, scaled_iota(g, count, low, width), dtype)
    numbers = [_number(g, v) for v in (first, last, by)]
    if dtype is not None and kind_of(dtype) != "f":
        raise Unsupported("np.arange of floats as integers; give it integers")
    count = Size.of(len(np.arange(*numbers)))
    steps = g.mul(g.iota(count), converted(g, nested(g, by), "f"))
    return g.add(steps, converted(g, nested(g, first), "f"))


def _number(g: Graph, value: Any) -> float:
    if isinstance(value, Node):
        if value.op != "const" or value.shape:
            raise Unsupported(
                "the length of np.arange would depend on a value; use np.linspace with a number of "
                "points, or a + step*np.arange(n)"
            )
        return float(constant(value))
    return float(g.pin(value)) if isinstance(value, Size) else float(value)


@row(
    "np.linspace",
    np.linspace,
    operands=("start", "stop"),
    says="start + i·(stop − start)/(n − 1)",
    samples=[
        Sample(((), (), 5)),
        Sample(((), (), 1)),
        Sample(((), (), 0)),
        Sample(((2,), (2,), 4)),
        Sample(((), (3,), 4), (("endpoint", False),)),
    ],
)
def linspace(
    g: Graph,
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: Any = 0,
    *,
    device: Any = None,
) -> Node:
    if retstep:
        raise Unsupported("np.linspace(retstep=True); compute the step as (stop - start)/(n - 1)")
    if dtype is not None and kind_of(dtype) != "f":
        raise Unsupported("np.linspace of integers; use np.arange")
    if pinned(g, axis, "axis") != 0:
        raise Unsupported("np.linspace along another axis than the first; transpose its result")
    count = size_of(g, num, "num")
    shape = g.stretched(nested(g, start).shape, nested(g, stop).shape)
    low, high = (fitted(g, converted(g, nested(g, v), "f"), shape) for v in (start, stop))
    parts = count - 1 if endpoint else count
    if at(g, parts) <= 0:
        return fitted(g, low, (g.pin(count), *shape))
    need(g, parts - 1)
    step = g.div(g.sub(high, low), g.sized(parts))
    positions = reshaped(g, g.iota(count), (count, *[1] * low.ndim))
    out = g.add(g.mul(positions, step), low)
    if not endpoint:
        return out
    return g.put(out, high, (("at", count - 1), *g.whole(high)))


def band(g: Graph, rows: Size, columns: Size, k: Any) -> tuple[Node, Node]:
    """Row number + k as a column, and column number as a row: equal on the k-th diagonal."""
    down = g.reshape(g.iota(rows), (rows, 1))
    offset = size_of(g, k, "k")
    across = g.reshape(g.iota(columns), (1, columns))
    return (down if offset == 0 else g.add(down, g.sized(offset))), across


@row(
    "np.eye",
    np.eye,
    operands=(),
    says="δ: 1 where column − row = k",
    samples=[
        Sample((3,)),
        Sample((2, 4)),
        Sample((0,)),
        Sample((3, 4, 1)),
        Sample((4, 3, -2)),
        Sample((3,), (("dtype", int),)),
    ],
)
def eye(
    g: Graph,
    N: Any,
    M: Any = None,
    k: Any = 0,
    dtype: Any = None,
    order: Any = "C",
    *,
    device: Any = None,
    like: Any = None,
) -> Node:
    rows = size_of(g, N, "N")
    columns = rows if M is None else size_of(g, M, "M")
    kind = "f" if dtype is None else kind_of(dtype)
    if kind == "f":
        return g.delta(rows, columns, pinned(g, k, "k"))
    return converted(g, g.equal(*band(g, rows, columns, k)), kind)


@row("np.identity", np.identity, operands=(), says="δ", samples=[Sample((3,)), Sample((0,))])
def identity(g: Graph, n: Any, dtype: Any = None, *, like: Any = None) -> Node:
    return eye(g, n, dtype=dtype)  # type: ignore[no-any-return]


@row(
    "np.tri",
    np.tri,
    operands=(),
    says="1 where column − row ≤ k, else 0",
    samples=[Sample((3,)), Sample((2, 4, 1)), Sample((4, 2, -1))],
)
def tri(
    g: Graph, N: Any, M: Any = None, k: Any = 0, dtype: Any = None, *, like: Any = None
) -> Node:
    rows = size_of(g, N, "N")
    columns = rows if M is None else size_of(g, M, "M")
    below, across = band(g, rows, columns, k)
    return converted(g, g.less_equal(across, below), "f" if dtype is None else kind_of(dtype))
