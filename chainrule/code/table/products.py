"""Products of arrays: all of them one contraction, a sum of products over shared labels.

A batch axis, or a label of einsum, of size 1 stretches: it is taken out of the array that has it.
Products of bools are whether any pair is true in both, as in NumPy.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from chainrule.code.table.arguments import (
    flat,
    one_axis,
    typed,
)
from chainrule.code.table.elementwise import multiply
from chainrule.code.table.row import Sample, Unsupported, row
from chainrule.code.table.ufunc import present
from chainrule.errors import ShapeError
from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import Shape, Size


def product_over(
    g: Graph,
    labels: Sequence[Sequence[int]],
    out: Sequence[int],
    *xs: Node,
    stretch: Collection[int] = (),
) -> Node:
    """Σ of the product over the labels that `out` leaves out; labels in `stretch` broadcast.

    Raises ShapeError where sizes do not fit.
    """
    names = [list(n) for n in labels]
    parts = list(xs)
    full: dict[int, Shape] = {}
    for label in stretch:
        sizes = [
            (x.shape[k],)
            for n, x in zip(names, parts, strict=True)
            for k, m in enumerate(n)
            if m == label
        ]
        full[label] = g.stretched(*sizes)
    for at, x in enumerate(parts):
        gone = [
            k
            for k, m in enumerate(names[at])
            if m in full and x.shape[k] == 1 and g.size(full[m][0]) != 1
        ]
        if gone:
            parts[at] = g.reshape(x, [s for k, s in enumerate(x.shape) if k not in gone])
            names[at] = [m for k, m in enumerate(names[at]) if k not in gone]
    result = g.contract(names, out, *parts)
    if result.kind == "i" and all(x.kind == "b" for x in xs):
        return g.less(g.number(0), result)
    return result


# -- matmul and dot --------------------------------------------------------------------------------

ROW, SHARED, COLUMN = 0, 1, 2


def matmul(g: Graph, a: Node, b: Node) -> Node:
    """a @ b: the last axis of a with the last but one of b; the axes before are a batch.

    Raises ShapeError where they do not fit, or one is a scalar.
    """
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError("matmul: a scalar is no matrix; use *")
    left = [ROW, SHARED] if a.ndim > 1 else [SHARED]
    right = [SHARED, COLUMN] if b.ndim > 1 else [SHARED]
    return _batched(g, a, left, b, right, left[:-1] + right[1:])


def _batched(
    g: Graph,
    a: Node,
    left: list[int],
    b: Node,
    right: list[int],
    out: list[int],
) -> Node:
    """A product over the last axes, under the batch axes before them."""
    before = [3 + k for k in range(max(a.ndim - len(left), b.ndim - len(right)))]
    batch = before[::-1]  # axes are counted from the last one
    of_a = batch[len(batch) - (a.ndim - len(left)) :]
    of_b = batch[len(batch) - (b.ndim - len(right)) :]
    return product_over(g, [of_a + left, of_b + right], batch + out, a, b, stretch=batch)


def _matmul(
    g: Graph,
    x1: Node,
    x2: Node,
    out: Any = None,
    *,
    casting: str = "same_kind",
    order: str = "K",
    dtype: Any = None,
    subok: bool = True,
    axes: Any = None,
    axis: Any = None,
) -> Node:
    if axes is not None or axis is not None:
        raise Unsupported("np.matmul: axes= is not followed. Transpose first, or use np.einsum")
    return typed(g, "np.matmul", matmul(g, x1, x2), dtype)


_MATMUL = (
    Sample(((3,), (3,))),
    Sample(((2, 3), (3,))),
    Sample(((2,), (2, 3))),
    Sample(((2, 3), (3, 4))),
    Sample(((2, 0), (0, 3))),
    Sample(((0, 2), (2, 3))),
    Sample(((1, 1), (1, 1))),
)
row(
    "np.matmul",
    np.matmul,
    operator.matmul,
    *present(np.linalg, "matmul"),
    operands=("x1", "x2"),
    says="Σ_k x1_ik x2_kj, under the axes before",
    samples=[
        *_MATMUL,
        Sample(((5, 2, 3), (3, 4))),
        Sample(((2, 3), (5, 3, 4))),
        Sample(((5, 2, 3), (5, 3, 4))),
        Sample(((6, 1, 2, 3), (5, 3, 4))),
        Sample(((1, 2, 3), (5, 3, 4))),
        Sample(((5, 2, 3), (3,))),
        Sample(((3,), (5, 3, 4))),
        Sample(((2, 3), (3, 4)), domain="integers"),
        Sample(((2, 3), (3, 4)), domain="bool"),
    ],
)(_matmul)


def dot(g: Graph, a: Node, b: Node, out: Any = None) -> Node:
    """The last axis of a with the last but one of b, the others side by side; scalars multiply."""
    if a.ndim == 0 or b.ndim == 0:
        return multiply(g, a, b)
    left = list(range(a.ndim))
    right = list(range(a.ndim, a.ndim + b.ndim))
    right[-1 if b.ndim == 1 else -2] = left[-1]
    return product_over(g, [left, right], left[:-1] + [m for m in right if m != left[-1]], a, b)


row(
    "np.dot",
    np.dot,
    operands=("a", "b"),
    methods=("dot",),
    says="Σ_k a_…k b_…kj, the other axes side by side; with a scalar the product",
    samples=[
        *_MATMUL,
        Sample(((), ())),
        Sample(((), (2, 3))),
        Sample(((2, 3), 2)),
        Sample(((5, 2, 3), (3,))),
        Sample(((5, 2, 3), (4, 3, 6))),
        Sample(((3,), (4, 3, 2))),
        Sample(((2, 3), (3, 4)), domain="bool"),
    ],
)(dot)


def inner(g: Graph, a: Node, b: Node) -> Node:
    """The last axes with each other; scalars multiply."""
    if a.ndim == 0 or b.ndim == 0:
        return multiply(g, a, b)
    left = list(range(a.ndim))
    right = [*range(a.ndim, a.ndim + b.ndim - 1), left[-1]]
    return product_over(g, [left, right], left[:-1] + right[:-1], a, b)


row(
    "np.inner",
    np.inner,
    operands=("a", "b"),
    says="Σ_k a_ik b_jk",
    samples=[
        Sample(((3,), (3,))),
        Sample(((2, 3), (3,))),
        Sample(((2, 3), (4, 3))),
        Sample(((), (2, 3))),
        Sample(((5, 2, 3), (4, 3))),
        Sample(((0,), (0,))),
    ],
)(inner)


def _vdot(g: Graph, a: Node, b: Node) -> Node:
    if a.number_shape != b.number_shape:
        return dot(g, flat(g, a), flat(g, b))
    if a.ndim == 0:
        return multiply(g, a, b)
    every = range(a.ndim)  # entry by entry, which fixes no size as two flat arrays would
    return product_over(g, [every, every], [], a, b)


row(
    "np.vdot",
    np.vdot,
    operands=("a", "b"),
    says="Σ a b over all entries",
    samples=[
        Sample(((3,), (3,))),
        Sample(((2, 3), (2, 3))),
        Sample(((), ())),
        Sample(((0,), (0,))),
    ],
)(_vdot)


def _outer(g: Graph, a: Node, b: Node, out: Any = None) -> Node:
    return product_over(g, [[0], [1]], [0, 1], flat(g, a), flat(g, b))


row(
    "np.outer",
    np.outer,
    *present(np.linalg, "outer"),
    operands=("a", "b"),
    says="a_i b_j",
    samples=[Sample(((2,), (3,))), Sample(((1,), (0,))), Sample(((2,), (3,)), domain="bool")],
)(_outer)


def _vecdot(g: Graph, x1: Node, x2: Node, out: Any = None, *, axis: Any = -1) -> Node:
    a, b = last(g, "np.vecdot", x1, axis), last(g, "np.vecdot", x2, axis)
    return _batched(g, a, [SHARED], b, [SHARED], [])


def last(g: Graph, name: str, x: Node, axis: Any) -> Node:
    """x with an axis moved to the end."""
    at = one_axis(name, axis, x.ndim)
    if at == x.ndim - 1:
        return x
    return g.transpose(x, [*(k for k in range(x.ndim) if k != at), at])


def _matvec(g: Graph, x1: Node, x2: Node, out: Any = None) -> Node:
    return _batched(g, x1, [ROW, SHARED], x2, [SHARED], [ROW])


def _vecmat(g: Graph, x1: Node, x2: Node, out: Any = None) -> Node:
    return _batched(g, x1, [SHARED], x2, [SHARED, COLUMN], [COLUMN])


for _name, _build, _says, _samples in (
    (
        "vecdot",
        _vecdot,
        "Σ_k x1_…k x2_…k",
        [
            Sample(((5, 3), (3,))),
            Sample(((5, 3), (1, 3))),
            Sample(((3, 5), (3, 5)), (("axis", 0),)),
        ],
    ),
    ("matvec", _matvec, "Σ_k x1_…ik x2_…k", [Sample(((2, 3), (3,))), Sample(((2, 3), (5, 3)))]),
    ("vecmat", _vecmat, "Σ_k x1_…k x2_…kj", [Sample(((3,), (3, 4))), Sample(((5, 3), (3, 4)))]),
):
    if hasattr(np, _name):
        row(
            f"np.{_name}",
            getattr(np, _name),
            *(present(np.linalg, _name)),
            operands=("x1", "x2"),
            says=_says,
            samples=_samples,
        )(_build)


def _slid(g: Graph, a: Node, v: Node, mode: str) -> Node:
    """Σ_j v[j] · (a moved by j): the shorter one's size is fixed; but for "full", both are."""
    if a.ndim != 1 or v.ndim != 1:
        raise Unsupported("arrays of one axis are needed")
    if mode not in ("full", "same", "valid"):
        raise Unsupported(f"mode={mode!r} is none of 'full', 'same', 'valid'")
    if a.number_shape[0] < v.number_shape[0]:
        a, v = v, a
    m = g.pin(v.shape[0])
    if mode != "full":
        g.pin(a.shape[0])
    n = a.shape[0]
    total = g.full(0, (n + (m - 1),))
    for j in range(m):
        part = g.mul(a, g.index(v, (("at", Size.of(j)),)))
        total = g.add(total, g.put(g.full(0, total.shape), part, (("cut", Size.of(j), 1, n),)))
    if mode == "full":
        return total
    first = m - 1 if mode == "valid" else (m - 1) // 2
    length = n - (m - 1) if mode == "valid" else n
    return g.index(total, (("cut", Size.of(first), 1, length),))


@row(
    "np.convolve",
    np.convolve,
    operands=("a", "v"),
    says="Σ_j a[k − j] v[j]; the size of the shorter array is fixed, of both but for mode='full'",
    samples=[
        Sample(((5,), (3,)), pins=True),
        Sample(((2,), (4,)), pins=True),
        Sample(((5,), (3,)), (("mode", "same"),), pins=True),
        Sample(((5,), (4,)), (("mode", "valid"),), pins=True),
        Sample(((4,), (1,)), (("mode", "valid"),), pins=True),
    ],
)
def _convolve(g: Graph, a: Node, v: Node, mode: str = "full") -> Node:
    return _slid(g, a, v, mode)


@row(
    "np.correlate",
    np.correlate,
    operands=("a", "v"),
    says="Σ_j a[k + j] v[j]; both sizes are fixed",
    samples=[
        Sample(((5,), (3,)), pins=True),
        Sample(((5,), (3,)), (("mode", "same"),), pins=True),
        Sample(((5,), (2,)), (("mode", "full"),), pins=True),
    ],
)
def _correlate(g: Graph, a: Node, v: Node, mode: str = "valid") -> Node:
    if a.ndim == 1 and v.ndim == 1 and a.number_shape[0] < v.number_shape[0]:
        raise Unsupported("the first array is the shorter one; give the longer one first")
    m = g.pin(v.shape[0])
    turned = g.index(v, (("cut", Size.of(m - 1), -1, Size.of(m)),))
    return _slid(g, a, turned, mode)
