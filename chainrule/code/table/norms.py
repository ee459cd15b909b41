"""Norms of vectors and matrices, as NumPy computes them: literally, the 2-norm as √Σ x·x."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.code.table.arguments import (
    axes_of,
    exponent,
    integer,
    kept,
    one_axis,
    real,
    truth,
)
from chainrule.code.table.reductions import largest, smallest, summed
from chainrule.code.table.row import Sample, Unsupported, row
from chainrule.graph.node import Graph, Node

HALF = Fraction(1, 2)


def _root_of_squares(g: Graph, x: Node, axes: tuple[int, ...]) -> Node:
    return g.power(summed(g, g.mul(x, x), axes), HALF)


def _sum_of_sizes(g: Graph, x: Node, axes: tuple[int, ...]) -> Node:
    return summed(g, g.call("abs", x), axes)


def _order(ord: Any) -> Any:
    """`ord` as None, a text, ±inf or a rational number."""
    if isinstance(ord, Node):
        ord = exponent(ord)
        if ord is None:
            raise Unsupported("norm: ord must be a constant")
    if ord is None or isinstance(ord, (str, Fraction)):
        return ord
    if isinstance(ord, (float, np.floating)):
        return float(ord) if np.isinf(ord) else Fraction(repr(float(ord)))
    return Fraction(integer("norm", "ord", ord))


def vector_norm(g: Graph, x: Node, p: Any, axes: tuple[int, ...]) -> Node:
    """(Σ |x|ᵖ)^(1/p) over axes, which go; ±inf: the largest, the smallest |x|; 0: how many."""
    if p is None or p == 2:
        return _root_of_squares(g, x, axes)
    if p == float("inf"):
        return largest(g, g.call("abs", x), axes)
    if p == float("-inf"):
        return smallest(g, g.call("abs", x), axes)
    if isinstance(p, str):
        raise ValueError(f"norm: ord={p!r} is not a norm of vectors")
    if p == 0:
        return real(g, summed(g, truth(g, x), axes))
    if p == 1:
        return _sum_of_sizes(g, x, axes)
    return g.power(summed(g, g.power(g.call("abs", x), p), axes), 1 / p)


def matrix_norm(g: Graph, x: Node, p: Any, rows: int, columns: int) -> Node:
    """A norm of the matrices in two axes, which go.

    Raises Unsupported for those that need singular values.
    """
    if p is None or p in ("fro", "f"):
        return _root_of_squares(g, x, (rows, columns))
    if p in (2, -2) or p == "nuc":
        shown = p if isinstance(p, str) else int(p)
        raise Unsupported(
            f"norm: ord={shown!r} of a matrix needs singular values, which are not followed. "
            "Use the Frobenius norm (ord='fro', or leave ord out)"
        )
    best = {1: largest, -1: smallest, float("inf"): largest, float("-inf"): smallest}.get(p)
    if best is None:
        raise ValueError(f"norm: ord={p!r} is not a norm of matrices")
    summed_axis, other = (rows, columns) if p in (1, -1) else (columns, rows)
    sums = _sum_of_sizes(g, x, (summed_axis,))
    return best(g, sums, (other - (other > summed_axis),))


def _norm(
    g: Graph,
    x: Node,
    ord: Any = None,
    axis: Any = None,
    keepdims: Any = False,
    check_finite: Any = True,
) -> Node:
    name = "np.linalg.norm"
    p, x = _order(ord), real(g, x)
    axes = axes_of(name, axis, x.ndim)
    if axis is None and (
        p is None or (p in ("fro", "f") and x.ndim == 2) or (p == 2 and x.ndim == 1)
    ):
        result = _root_of_squares(g, x, axes)
    elif len(axes) == 1:
        result = vector_norm(g, x, p, axes)
    elif len(axes) == 2:
        result = matrix_norm(g, x, p, *axes)
    else:
        raise ValueError(f"{name}: improper number of dimensions to norm")
    return kept(g, result, x, axes, keepdims)


_INF = float("inf")
row(
    "np.linalg.norm",
    np.linalg.norm,
    operands=("x",),
    says="√Σ x²; ord=1: Σ |x|, ord=±inf: max |x|, min |x|, ord=p: (Σ |x|ᵖ)^(1/p)",
    samples=[
        Sample(((),)),
        Sample(((3,),)),
        Sample(((2, 3),)),
        Sample(((2, 3, 4),), (("keepdims", True),)),
        Sample(((0,),)),
        *(Sample(((4,),), (("ord", p),)) for p in (1, 2, 3, 1.5, 0, _INF, -_INF)),
        *(
            Sample(((2, 3),), (("ord", p), ("axis", k), ("keepdims", keep)))
            for p in (None, 1, 2, _INF, -_INF)
            for k, keep in ((0, False), (-1, True), ((1,), False))
        ),
        *(Sample(((2, 3),), (("ord", p),)) for p in ("fro", 1, -1, _INF, -_INF)),
        *(
            Sample(((2, 3, 4),), (("ord", p), ("axis", axes)))
            for p in ("fro", 1, _INF)
            for axes in ((0, 2), (2, 0), (-1, -2))
        ),
        Sample(((3,),), domain="integers"),
    ],
    late=("scipy.linalg.norm",),
)(_norm)


def _vector_norm(g: Graph, x: Node, axis: Any = None, keepdims: Any = False, ord: Any = 2) -> Node:
    axes = axes_of("np.linalg.vector_norm", axis, x.ndim)
    return kept(g, vector_norm(g, real(g, x), _order(ord), axes), x, axes, keepdims)


def _matrix_norm(g: Graph, x: Node, keepdims: Any = False, ord: Any = "fro") -> Node:
    axes = tuple(one_axis("np.linalg.matrix_norm", k, x.ndim) for k in (-2, -1))
    return kept(g, matrix_norm(g, real(g, x), _order(ord), *axes), x, axes, keepdims)


if hasattr(np.linalg, "vector_norm"):
    row(
        "np.linalg.vector_norm",
        np.linalg.vector_norm,
        operands=("x",),
        says="√Σ x²; other orders as np.linalg.norm",
        samples=[
            Sample(((2, 3),)),
            Sample(((2, 3),), (("ord", 1), ("axis", 0), ("keepdims", True))),
            Sample(((2, 3, 4),), (("axis", (0, 2)),)),
        ],
    )(_vector_norm)
    row(
        "np.linalg.matrix_norm",
        np.linalg.matrix_norm,
        operands=("x",),
        says="√Σ x² over the last two axes; other orders as np.linalg.norm",
        samples=[
            Sample(((5, 2, 3),)),
            Sample(((2, 3),), (("ord", 1), ("keepdims", True))),
        ],
    )(_matrix_norm)
