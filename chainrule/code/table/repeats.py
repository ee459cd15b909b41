"""Arrays repeated, padded, and laid out as grids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.code.table.arguments import flat, one_axis, ones_at
from chainrule.code.table.extents import (
    at,
    fitted,
    integer_list,
    reshaped,
    shape_of,
    size_of,
    whole_number,
)
from chainrule.code.table.kinds import nested
from chainrule.code.table.row import Sample, Unsupported, row
from chainrule.code.table.subscript import read
from chainrule.code.table.writing import stored
from chainrule.errors import ShapeError
from chainrule.graph.node import At, Cut, Graph, Node
from chainrule.graph.sizes import Size


@row(
    "np.tile",
    np.tile,
    operands=("A",),
    says="repeated as a whole along axes",
    samples=[
        Sample(((3,), 2)),
        Sample(((3,),), (("reps", (2, 2)),)),
        Sample(((2, 3),), (("reps", (2, 1)),)),
        Sample(((2, 3), 2)),
        Sample(((), 3)),
        Sample(((3,), 0)),
    ],
)
def tile(g: Graph, A: Node, reps: Any) -> Node:
    times = shape_of(g, reps, "reps")
    times = (*[Size.of(1)] * (A.ndim - len(times)), *times)
    x = ones_at(g, A, range(len(times) - A.ndim)) if len(times) > A.ndim else A
    wide = [part for r, n in zip(times, x.shape, strict=True) for part in _repeated(r, n)]
    narrow = [part for r, n in zip(times, x.shape, strict=True) for part in _repeated(r, n, 1)]
    out = fitted(g, reshaped(g, x, narrow), wide)
    return reshaped(g, out, [r * n for r, n in zip(times, x.shape, strict=True)])


def _repeated(r: Size, n: Size, instead: int | None = None) -> list[Size]:
    """A repeated axis: how often, and its size."""
    return [n] if r == 1 else [r if instead is None else Size.of(instead), n]


@row(
    "np.repeat",
    np.repeat,
    np.ndarray.repeat,
    methods=("repeat",),
    says="each entry repeated",
    samples=[
        Sample(((2, 3), 2)),
        Sample(((2, 3), 2), (("axis", 1),)),
        Sample(((), 3)),
        Sample(((3,), 0)),
        Sample(((3,),), (("repeats", (2, 0, 1)),), pins=True),
    ],
)
def repeat(g: Graph, a: Node, repeats: Any, axis: Any = None) -> Node:
    x = flat(g, a) if axis is None else a
    k = 0 if axis is None else one_axis("np.repeat", axis, a.ndim)
    times = whole_number(g, repeats)
    if times is None:
        counts = [g.pin(s) for s in integer_list(g, repeats, "repeats")]
        if len(counts) > 1 or not counts:
            entries = g.pin(x.shape[k])
            if len(counts) != entries:
                raise ShapeError(f"np.repeat: {len(counts)} counts for {entries} entries")
            places = g.array(np.repeat(np.arange(entries), counts))
            return read(g, x, (*[slice(None)] * k, places))
        times = Size.of(counts[0])
    n = x.shape[k]
    wide = (*x.shape[: k + 1], times, *x.shape[k + 1 :])
    out = fitted(g, ones_at(g, x, [k + 1]), wide)
    return reshaped(g, out, (*x.shape[:k], n * times, *x.shape[k + 1 :]))


@row(
    "np.pad",
    np.pad,
    operands=("array",),
    says="constants around the array",
    samples=[
        Sample(((3,), 1)),
        Sample(((2, 3),), (("pad_width", (1, 2)),)),
        Sample(((2, 3),), (("pad_width", ((0, 1), (2, 0))),)),
        Sample(((0,), 1), (("constant_values", 2),)),
        Sample(((2,), 0)),
    ],
)
def pad(
    g: Graph, array: Node, pad_width: Any, mode: Any = "constant", *, constant_values: Any = 0
) -> Node:
    if mode != "constant":
        raise Unsupported(f"np.pad(mode={mode!r}); only 'constant' is followed; use indices")
    widths = _widths(g, pad_width, array.ndim)
    if isinstance(constant_values, Sequence):
        raise Unsupported("np.pad with several constants; pad one side after another")
    if all(a == 0 and b == 0 for a, b in widths):
        return array
    outside = stored(g, array, nested(g, constant_values))
    shape = [a + n + b for (a, b), n in zip(widths, array.shape, strict=True)]
    spec: list[At | Cut] = [("cut", a, 1, n) for (a, _), n in zip(widths, array.shape, strict=True)]
    return g.put(fitted(g, reshaped(g, outside, ()), shape), array, tuple(spec))


def _widths(g: Graph, pad_width: Any, ndim: int) -> list[tuple[Size, Size]]:
    if isinstance(pad_width, np.ndarray):
        pad_width = pad_width.tolist()
    if not isinstance(pad_width, Sequence):
        both = size_of(g, pad_width, "pad_width")
        pairs = [(both, both)] * ndim
    elif not any(isinstance(p, Sequence) for p in pad_width):
        pair = shape_of(g, pad_width, "pad_width")
        pairs = [(pair[0], pair[-1])] * ndim
    else:
        rows = [shape_of(g, p, "pad_width") for p in pad_width]
        pairs = [(r[0], r[-1]) for r in rows] * (ndim if len(rows) == 1 else 1)
    if len(pairs) != ndim or any(at(g, w) < 0 for pair in pairs for w in pair):
        raise ShapeError(f"np.pad: the widths {pad_width} on an array with {ndim} axes")
    return pairs


@row(
    "np.meshgrid",
    np.meshgrid,
    operands=("*xi",),
    says="each vector along an axis of its own",
    samples=[
        Sample(((2,), (3,))),
        Sample(((2,), (3,)), (("indexing", "ij"),)),
        Sample(((2,), (3,), (4,)), (("sparse", True),)),
        Sample(((2,),)),
    ],
)
def meshgrid(
    g: Graph, *xi: Node, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> tuple[Node, ...]:
    vectors = [flat(g, x) for x in xi]
    axes = list(range(len(vectors)))
    if indexing == "xy" and len(axes) > 1:
        axes[:2] = [1, 0]
    sizes = [vectors[axes.index(k)].shape[0] for k in range(len(axes))]
    out = [
        reshaped(g, x, [x.shape[0] if j == k else 1 for j in range(len(axes))])
        for x, k in zip(vectors, axes, strict=True)
    ]
    return tuple(out if sparse else [fitted(g, x, sizes) for x in out])
