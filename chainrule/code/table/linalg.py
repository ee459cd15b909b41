"""Linear algebra: solve, inverse, determinants, powers and norms of matrices.

What needs singular values or eigenvalues is refused by name, with what to write instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.code.table.arguments import (
    integer,
    leading,
    ones_at,
    real,
)
from chainrule.code.table.products import dot, matmul
from chainrule.code.table.row import Sample, Unsupported, refuse, row
from chainrule.errors import ShapeError
from chainrule.graph.node import Graph, Node

HALF = Fraction(1, 2)

# -- solve, inverse, determinant -----------------------------------------------------------------


def solve(g: Graph, a: Node, b: Node) -> Node:
    """a⁻¹ b; a vector b only if it has one axis, else its last two axes are a matrix."""
    column = b.ndim == 1
    right = ones_at(g, b, [1]) if column else b
    if a.ndim < 2:
        raise ShapeError(f"np.linalg.solve: a needs two axes or more, and has {a.ndim}")
    batch = g.stretched(leading(a.shape, 2), leading(right.shape, 2))
    a, right = (
        x if leading(x.shape, 2) == batch else g.broadcast(x, (*batch, *x.shape[-2:]))
        for x in (a, right)
    )
    x = g.solve(real(g, a), real(g, right))
    return g.reshape(x, x.shape[:-1]) if column else x


def _solve(
    g: Graph,
    a: Node,
    b: Node,
    lower: Any = False,
    overwrite_a: Any = False,
    overwrite_b: Any = False,
    check_finite: Any = True,
    assume_a: Any = None,
    transposed: Any = False,
) -> Node:
    if lower or transposed or assume_a not in (None, "gen", "general"):
        raise Unsupported(
            "solve: lower=, transposed= and assume_a= are not followed. "
            "Give the whole matrix as it stands"
        )
    return solve(g, a, b)


row(
    "np.linalg.solve",
    np.linalg.solve,
    operands=("a", "b"),
    says="x with a x = b",
    samples=[
        Sample(((3, 3), (3,)), domain="regular, real"),
        Sample(((3, 3), (3, 2)), domain="regular, real"),
        Sample(((5, 3, 3), (3,)), domain="regular, real"),
        Sample(((5, 3, 3), (3, 2)), domain="regular, real"),
        Sample(((3, 3), (5, 3, 2)), domain="regular, real"),
        Sample(((1, 1), (1,)), domain="regular, real"),
    ],
    late=("scipy.linalg.solve",),
)(_solve)


def inverse(g: Graph, a: Node) -> Node:
    """a⁻¹, as a solution of a x = 1."""
    if a.ndim < 2:
        raise ShapeError(f"np.linalg.inv: a needs two axes or more, and has {a.ndim}")
    unit = g.delta(a.shape[-1], a.shape[-1])
    return g.solve(real(g, a), g.broadcast(unit, a.shape) if a.ndim > 2 else unit)


def _inv(g: Graph, a: Node, overwrite_a: Any = False, check_finite: Any = True) -> Node:
    return inverse(g, a)


_SQUARE = [
    Sample((shape,), domain="regular") for shape in ((3, 3), (1, 1), (5, 2, 2), (6, 5, 2, 2))
]
row(
    "np.linalg.inv",
    np.linalg.inv,
    says="x with a x = 1",
    samples=_SQUARE,
    late=("scipy.linalg.inv",),
)(_inv)


def _det(g: Graph, a: Node, overwrite_a: Any = False, check_finite: Any = True) -> Node:
    return g.det(real(g, a))


row(
    "np.linalg.det",
    np.linalg.det,
    says="the determinant",
    samples=_SQUARE,
    late=("scipy.linalg.det",),
)(_det)


def _slogdet(g: Graph, a: Node) -> tuple[Node, Node]:
    x = real(g, a)
    return g.call("sign", g.det(x)), g.logdet(x)


row(
    "np.linalg.slogdet",
    np.linalg.slogdet,
    says="(the sign of the determinant, log |det a|)",
    samples=_SQUARE,
)(_slogdet)


def _matrix_power(g: Graph, a: Node, n: Any) -> Node:
    name = "np.linalg.matrix_power"
    times = integer(name, "n", n)
    if a.ndim < 2:
        raise ShapeError(f"{name}: a needs two axes or more, and has {a.ndim}")
    g.same(a.shape[-1], a.shape[-2], f"{name}, a square matrix")
    if times == 0:
        return g.broadcast(g.delta(a.shape[-1], a.shape[-1]), a.shape)
    square = inverse(g, a) if times < 0 else a
    result: Node | None = None
    left = abs(times)
    if left == 3:
        return matmul(g, matmul(g, square, square), square)
    while left:  # squares of squares, as NumPy does it
        left, bit = divmod(left, 2)
        if bit:
            result = square if result is None else matmul(g, result, square)
        if left:
            square = matmul(g, square, square)
    assert result is not None
    return result


row(
    "np.linalg.matrix_power",
    np.linalg.matrix_power,
    says="a @ a @ …, by squares of squares",
    samples=[Sample(((3, 3), n), domain="regular") for n in (-2, 0, 1, 2, 3, 5)]
    + [Sample(((5, 2, 2), 2), domain="regular")],
)(_matrix_power)


def _multi_dot(g: Graph, arrays: Sequence[Node], *, out: Any = None) -> Node:
    result = arrays[0]
    for x in arrays[1:]:
        result = dot(g, result, x)
    return result


row(
    "np.linalg.multi_dot",
    np.linalg.multi_dot,
    operands=("*arrays",),
    says="a @ b @ …, from the left",
    samples=[
        Sample(([(2, 3), (3, 4)],)),
        Sample(([(2, 3), (3, 4), (4, 5)],)),
        Sample(([(2,), (2, 3), (3,)],)),
    ],
)(_multi_dot)

# -- refused -------------------------------------------------------------------------------------

_SINGULAR = "singular values are not followed."
_EIGEN = "eigenvalues are not followed."
for _name, _says in (
    ("pinv", f"{_SINGULAR} For full column rank write np.linalg.solve(a.T @ a, a.T)"),
    ("svd", f"{_SINGULAR} It can still be checked as a black box"),
    ("svdvals", f"{_SINGULAR} It can still be checked as a black box"),
    ("cond", f"{_SINGULAR} It can still be checked as a black box"),
    ("matrix_rank", f"{_SINGULAR} A rank has no derivative: compute it outside"),
    ("lstsq", f"{_SINGULAR} For full column rank write np.linalg.solve(a.T @ a, a.T @ b)"),
    ("eig", f"{_EIGEN} It can still be checked as a black box"),
    ("eigh", f"{_EIGEN} It can still be checked as a black box"),
    ("eigvals", f"{_EIGEN} It can still be checked as a black box"),
    ("eigvalsh", f"{_EIGEN} It can still be checked as a black box"),
    ("qr", "the factors are not followed. It can still be checked as a black box"),
    (
        "cholesky",
        "the factor is not followed. For log det use np.linalg.slogdet, for a⁻¹ b np.linalg.solve",
    ),
):
    if hasattr(np.linalg, _name):
        refuse(
            f"np.linalg.{_name}",
            getattr(np.linalg, _name),
            says=_says,
            late=(f"scipy.linalg.{_name}",),
        )
