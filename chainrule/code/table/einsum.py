"""einsum and its relatives: tensordot, Kronecker and cross products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.code.table.arguments import (
    axes_of,
    integer,
    one_axis,
    ones_at,
    same_ndim,
    stacked,
    typed,
)
from chainrule.code.table.elementwise import multiply, subtract
from chainrule.code.table.products import last, product_over
from chainrule.code.table.row import Sample, Unsupported, row
from chainrule.code.table.ufunc import present
from chainrule.errors import ShapeError
from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import Size

# -- einsum, tensordot -----------------------------------------------------------------------------


def subscripts_of(text: str, ndims: Sequence[int]) -> tuple[list[list[int]], list[int]]:
    """The labels of each operand and of the result: letters by code, an ellipsis −1, −2, …

    Raises ValueError where the text does not fit the operands, as NumPy does.
    """
    left, arrow, right = text.replace(" ", "").partition("->")
    parts = left.split(",")
    if len(parts) != len(ndims):
        raise ValueError(
            f"einsum: {text!r} names {len(parts)} operands, and there are {len(ndims)}"
        )
    widest = max(
        (n - len(p.replace("...", "")) for p, n in zip(parts, ndims, strict=True) if "..." in p),
        default=0,
    )
    dots = [-1 - k for k in reversed(range(widest))]

    def labels(part: str, ndim: int) -> list[int]:
        before, ellipsis, after = part.partition("...")
        more = ndim - len(before) - len(after)
        if more < 0 or (more and not ellipsis):
            raise ValueError(f"einsum: {part!r} does not fit an operand with {ndim} axes")
        middle = dots[len(dots) - more :] if ellipsis else []
        return [*map(ord, before), *middle, *map(ord, after)]

    names = [labels(p, n) for p, n in zip(parts, ndims, strict=True)]
    if arrow:
        before, ellipsis, after = right.partition("...")
        return names, [*map(ord, before), *(dots if ellipsis else []), *map(ord, after)]
    letters = [c for c in left if c not in ",."]
    once = sorted(c for c in set(letters) if letters.count(c) == 1)
    return names, [*dots, *map(ord, once)]


def _einsum(
    g: Graph,
    subscripts: Any,
    *operands: Node,
    out: Any = None,
    optimize: Any = False,
    dtype: Any = None,
    order: str = "K",
    casting: str = "safe",
) -> Node:
    if not isinstance(subscripts, str):
        raise Unsupported(
            "np.einsum: labels as lists are not followed. Write them as a text, as in 'ij,jk->ik'"
        )
    names, result = subscripts_of(subscripts, [x.ndim for x in operands])
    every = {m for n in names for m in n}
    if not set(result) <= every:
        raise ValueError(f"einsum: {subscripts!r} has a label in the result only")
    return typed(
        g, "np.einsum", product_over(g, names, result, *operands, stretch=sorted(every)), dtype
    )


row(
    "np.einsum",
    np.einsum,
    operands=("*operands",),
    says="Σ of products over the labels that the result leaves out",
    samples=[
        Sample(("ij,jk->ik", (2, 3), (3, 4))),
        Sample(("ij,jk", (2, 3), (3, 4))),
        Sample(("ba", (2, 3))),
        Sample(("ii", (3, 3))),
        Sample(("ii->i", (3, 3))),
        Sample(("iij->j", (3, 3, 2))),
        Sample(("ij->", (2, 3))),
        Sample(("i,i,i->", (3,), (3,), (3,))),
        Sample(("ni,ij,nj->n", (5, 2), (2, 3), (5, 3))),
        Sample(("...ij,...jk->...ik", (5, 2, 3), (3, 4))),
        Sample(("...i,...i", (5, 2, 3), (2, 3))),
        Sample(("i...,...", (2, 3), (3,))),
        Sample(("...a->a...", (5, 2, 3))),
        Sample(("ij,jk->ik", (2, 1), (3, 4))),
        Sample((",i->i", (), (3,))),
        Sample((",", (), ())),
        Sample(("i,j->ji", (2,), (3,)), (("optimize", True),)),
        Sample(("Ba,a", (2, 3), (3,))),
        Sample(("ij,j->i", (2, 0), (0,))),
        Sample(("ij,jk->ik", (2, 3), (3, 4)), domain="bool"),
    ],
)(_einsum)


def _tensordot(g: Graph, a: Node, b: Node, axes: Any = 2) -> Node:
    name = "np.tensordot"
    if isinstance(axes, (tuple, list)):
        first, second = axes
        of_a = axes_of(name, first if isinstance(first, (tuple, list)) else (first,), a.ndim)
        of_b = axes_of(name, second if isinstance(second, (tuple, list)) else (second,), b.ndim)
    else:
        n = integer(name, "axes", axes)
        if not 0 <= n <= min(a.ndim, b.ndim):
            raise ShapeError(f"{name}: axes={n}, and the arrays have {a.ndim} and {b.ndim} axes")
        of_a, of_b = tuple(range(a.ndim - n, a.ndim)), tuple(range(n))
    if len(of_a) != len(of_b):
        raise same_ndim(name, a, b)
    left = list(range(a.ndim))
    right = list(range(a.ndim, a.ndim + b.ndim))
    for i, j in zip(of_a, of_b, strict=True):
        right[j] = left[i]
    out = [m for k, m in enumerate(left) if k not in of_a]
    out += [m for k, m in enumerate(right) if k not in of_b]
    return product_over(g, [left, right], out, a, b)


row(
    "np.tensordot",
    np.tensordot,
    *present(np.linalg, "tensordot"),
    operands=("a", "b"),
    says="Σ of products over pairs of axes, the others side by side",
    samples=[
        Sample(((2, 3, 4), (3, 4, 5))),
        Sample(((2, 3), (4, 5)), (("axes", 0),)),
        Sample(((2, 3), (3, 5)), (("axes", 1),)),
        Sample(((2, 3, 4), (4, 5, 2)), (("axes", ((0, -1), (2, 0))),)),
        Sample(((2, 3), (4, 2)), (("axes", (0, 1)),)),
    ],
)(_tensordot)

# -- Kronecker and cross products ------------------------------------------------------------------


def _kron(g: Graph, a: Node, b: Node) -> Node:
    n = max(a.ndim, b.ndim)
    if n == 0:
        return multiply(g, a, b)
    a = ones_at(g, a, range(n - a.ndim)) if a.ndim < n else a
    b = ones_at(g, b, range(n - b.ndim)) if b.ndim < n else b
    out = [label for k in range(n) for label in (k, n + k)]
    wide = product_over(g, [range(n), range(n, 2 * n)], out, a, b)
    return g.reshape(wide, [p * q for p, q in zip(a.shape, b.shape, strict=True)])


row(
    "np.kron",
    np.kron,
    operands=("a", "b"),
    says="a_ij b_kl at (i, k), (j, l), each pair as one axis",
    samples=[
        Sample(((2, 3), (4, 5))),
        Sample(((2,), (3,))),
        Sample(((2,), (3, 4))),
        Sample(((), ())),
        Sample(((2, 3, 2), (3,))),
    ],
)(_kron)


def _cross(
    g: Graph, a: Node, b: Node, axisa: Any = -1, axisb: Any = -1, axisc: Any = -1, axis: Any = None
) -> Node:
    name = "np.cross"
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = last(g, name, a, axisa), last(g, name, b, axisb)
    for v in (x, y):
        if v.shape[-1].at(g.env) != 3:
            raise Unsupported(
                f"{name}: only vectors with 3 entries are followed, and one has "
                f"{v.shape[-1].at(g.env)}. Write the plane's product as a[0]*b[1] - a[1]*b[0]"
            )
        g.pin(v.shape[-1])
    xs, ys = _entries(g, x), _entries(g, y)
    parts = [
        subtract(
            g,
            multiply(g, xs[(k + 1) % 3], ys[(k + 2) % 3]),
            multiply(g, xs[(k + 2) % 3], ys[(k + 1) % 3]),
        )
        for k in range(3)
    ]
    return stacked(g, parts, one_axis(name, axisc, parts[0].ndim + 1))


def _entries(g: Graph, x: Node) -> list[Node]:
    whole = g.whole(x)[:-1]
    return [g.index(x, (*whole, ("at", Size.of(k)))) for k in range(3)]


row(
    "np.cross",
    np.cross,
    operands=("a", "b"),
    says="(a₁b₂ − a₂b₁, a₂b₀ − a₀b₂, a₀b₁ − a₁b₀)",
    samples=[
        Sample(((3,), (3,)), pins=True),
        Sample(((5, 3), (3,)), pins=True),
        Sample(((3, 5), (5, 3)), (("axisa", 0), ("axisc", 0)), pins=True),
        Sample(((3, 5), (3, 5)), (("axis", 0),), pins=True),
    ],
)(_cross)

if hasattr(np.linalg, "cross"):

    def _linalg_cross(g: Graph, x1: Node, x2: Node, *, axis: Any = -1) -> Node:
        return _cross(g, x1, x2, axis=axis)

    row(
        "np.linalg.cross",
        np.linalg.cross,
        operands=("x1", "x2"),
        says="as np.cross",
        samples=[Sample(((5, 3), (5, 3)), pins=True)],
    )(_linalg_cross)
