"""Arrays joined, and cut apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from chainrule.code.table.arguments import flat, nodes, one_axis, ones_at, stacked
from chainrule.code.table.extents import (
    integer_list,
    size_of,
)
from chainrule.code.table.kinds import cast
from chainrule.code.table.row import Sample, row
from chainrule.code.table.subscript import read
from chainrule.errors import ShapeError
from chainrule.graph.node import Graph, Node


def _arrays(name: str, sequence: Any) -> list[Node]:
    parts = nodes(name, sequence) if isinstance(sequence, Node) or len(sequence) else []
    if not parts:
        raise ShapeError(f"{name}: at least one array is needed")
    return parts


def _joined(g: Graph, name: str, parts: Sequence[Node], axis: Any, dtype: Any = None) -> Node:
    first = parts[0]
    if any(p.ndim != first.ndim for p in parts):
        raise ShapeError(f"{name}: the arrays have different numbers of axes")
    if not first.ndim:
        raise ShapeError(f"{name}: scalars cannot be joined; use np.stack or np.array")
    where = one_axis(name, axis, first.ndim)
    out = parts[0] if len(parts) == 1 else g.concat(parts, where)
    return cast(g, out, dtype)


_SEVERAL = [
    Sample(([(2, 3), (2, 3)],)),
    Sample(([(2, 3)],)),
    Sample(([(2, 3), (2, 3), (2, 3)],), (), "real, integers, real"),
]


@row(
    "np.concatenate",
    np.concatenate,
    operands=("*arrays",),
    says="one after another along an axis",
    samples=[
        *_SEVERAL,
        Sample(([(2, 3), (4, 3)],)),
        Sample(([(2, 3), (2, 1)],), (("axis", -1),)),
        Sample(([(2, 3), (2,)],), (("axis", None),)),
        Sample(([(0, 3), (2, 3)],)),
        Sample(([(2,), (3,)],), (("dtype", float),), "integers"),
        Sample(((2, 3, 2),), pins=True),
    ],
)
def concatenate(
    g: Graph,
    arrays: Any,
    axis: Any = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: str = "same_kind",
) -> Node:
    parts = _arrays("np.concatenate", arrays)
    if axis is None:
        parts, axis = [flat(g, p) for p in parts], 0
    return _joined(g, "np.concatenate", parts, axis, dtype)


@row(
    "np.stack",
    np.stack,
    operands=("*arrays",),
    says="one after another along a new axis",
    samples=[
        *_SEVERAL,
        Sample(([(2, 3), (2, 3)],), (("axis", -1),)),
        Sample(([(2, 3), (2, 3)],), (("axis", 1),)),
        Sample(([(), ()],)),
        Sample(([(0,), (0,)],)),
    ],
)
def stack(
    g: Graph,
    arrays: Any,
    axis: Any = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: str = "same_kind",
) -> Node:
    parts = _arrays("np.stack", arrays)
    where = one_axis("np.stack", axis, parts[0].ndim + 1)
    if any(p.ndim != parts[0].ndim for p in parts):
        raise ShapeError("np.stack: the arrays have different numbers of axes")
    for p in parts[1:]:
        for a, b in zip(parts[0].shape, p.shape, strict=True):
            g.same(a, b, "np.stack")
    return cast(g, stacked(g, parts, where), dtype)


@row(
    "np.vstack",
    np.vstack,
    operands=("*tup",),
    says="rows below one another",
    samples=[*_SEVERAL, Sample(([(3,), (2, 3)],)), Sample(([(), ()],))],
)
def vstack(g: Graph, tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Node:
    parts = [ones_at(g, p, range(2 - p.ndim)) if p.ndim < 2 else p for p in _arrays("vstack", tup)]
    return _joined(g, "np.vstack", parts, 0, dtype)


@row(
    "np.hstack",
    np.hstack,
    operands=("*tup",),
    says="side by side; vectors one after another",
    samples=[*_SEVERAL, Sample(([(3,), (2,)],)), Sample(([(), ()],))],
)
def hstack(g: Graph, tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Node:
    parts = [p if p.ndim else g.reshape(p, (1,)) for p in _arrays("np.hstack", tup)]
    return _joined(g, "np.hstack", parts, 0 if parts[0].ndim == 1 else 1, dtype)


@row(
    "np.dstack",
    np.dstack,
    operands=("*tup",),
    says="one behind another",
    samples=[*_SEVERAL, Sample(([(3,), (3,)],)), Sample(([(2, 3, 1), (2, 3)],))],
)
def dstack(g: Graph, tup: Any) -> Node:
    places = {0: (0, 1, 2), 1: (0, 2), 2: (2,)}
    parts = [ones_at(g, p, places[p.ndim]) if p.ndim < 3 else p for p in _arrays("np.dstack", tup)]
    return _joined(g, "np.dstack", parts, 2)


@row(
    "np.column_stack",
    np.column_stack,
    operands=("*tup",),
    says="columns side by side",
    samples=[*_SEVERAL, Sample(([(3,), (3,)],)), Sample(([(3,), (3, 2)],))],
)
def column_stack(g: Graph, tup: Any) -> Node:
    parts = [
        ones_at(g, p, range(p.ndim, 2)) if p.ndim < 2 else p for p in _arrays("column_stack", tup)
    ]
    return _joined(g, "np.column_stack", parts, 1)


@row(
    "np.append",
    np.append,
    operands=("arr", "values"),
    says="values after x",
    samples=[
        Sample(((3,), (2,))),
        Sample(((2, 3), ())),
        Sample(((2, 3), (1, 3)), (("axis", 0),)),
    ],
)
def append(g: Graph, arr: Node, values: Node, axis: Any = None) -> Node:
    if axis is None:
        return _joined(g, "np.append", [flat(g, arr), flat(g, values)], 0)
    return _joined(g, "np.append", [arr, values], axis)


# -- cutting apart ---------------------------------------------------------------------------------


def _pieces(g: Graph, x: Node, bounds: Sequence[Any], axis: int) -> tuple[Node, ...]:
    before = [slice(None)] * axis
    return tuple(read(g, x, (*before, slice(a, b))) for a, b in pairwise(bounds))


def _split(g: Graph, name: str, x: Node, where: Any, axis: Any, even: bool) -> tuple[Node, ...]:
    k = one_axis(name, axis, x.ndim)
    if isinstance(where, Sequence | np.ndarray) or (isinstance(where, Node) and where.ndim):
        points = integer_list(g, where, "where to split")
        return _pieces(g, x, [0, *points, None], k)
    number = g.pin(size_of(g, where, "the number of parts"))
    if number < 1:
        raise ShapeError(f"{name}: {number} parts")
    n = x.shape[k]
    exact = n.exact_div(number)
    if exact is not None:
        return _pieces(g, x, [exact * j for j in range(number)] + [None], k)
    size, more = divmod(g.pin(n), number)
    if more and even:
        raise ShapeError(f"{name}: {size * number + more} rows do not divide into {number} parts")
    bounds = [j * size + min(j, more) for j in range(number + 1)]
    return _pieces(g, x, bounds, k)


@row(
    "np.split",
    np.split,
    operands=("ary",),
    view=True,
    says="equal parts, or parts between given rows",
    samples=[
        Sample(((6, 2), 3), pins=True),
        Sample(((2, 5),), (("indices_or_sections", (1, 3)), ("axis", 1))),
        Sample(((3,), 1)),
    ],
)
def split(g: Graph, ary: Node, indices_or_sections: Any, axis: Any = 0) -> tuple[Node, ...]:
    return _split(g, "np.split", ary, indices_or_sections, axis, even=True)


@row(
    "np.array_split",
    np.array_split,
    operands=("ary",),
    view=True,
    says="nearly equal parts",
    samples=[Sample(((5, 2), 3), pins=True), Sample(((2,), 3), pins=True)],
)
def array_split(g: Graph, ary: Node, indices_or_sections: Any, axis: Any = 0) -> tuple[Node, ...]:
    return _split(g, "np.array_split", ary, indices_or_sections, axis, even=False)


def _split_row(name: str, function: Any, axis: int, least: int) -> None:
    @row(
        name,
        function,
        operands=("ary",),
        view=True,
        says=f"np.split along axis {axis}",
        samples=[Sample(((4, 4, 4), 2), pins=True)],
    )
    def build(g: Graph, ary: Node, indices_or_sections: Any) -> tuple[Node, ...]:
        if ary.ndim < least:
            raise ShapeError(f"{name} of an array with {ary.ndim} axes")
        where = 0 if ary.ndim == 1 else axis
        return _split(g, name, ary, indices_or_sections, where, even=True)


_split_row("np.hsplit", np.hsplit, 1, 1)
_split_row("np.vsplit", np.vsplit, 0, 2)
_split_row("np.dsplit", np.dsplit, 2, 3)


def _unstack(g: Graph, x: Node, *, axis: Any = 0) -> tuple[Node, ...]:
    k = one_axis("np.unstack", axis, x.ndim)
    return tuple(read(g, x, (*[slice(None)] * k, j)) for j in range(g.pin(x.shape[k])))


if hasattr(np, "unstack"):
    row(
        "np.unstack",
        np.unstack,
        operands=("x",),
        view=True,
        says="the parts along an axis",
        samples=[Sample(((2, 3),), pins=True), Sample(((2, 3),), (("axis", 1),), pins=True)],
    )(_unstack)
