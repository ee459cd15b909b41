"""Sums of balls, and their linear algebra, with holes where an entry has no value.

Products of matrices, solutions and determinants are FLINT's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flint
import numpy as np
from flint import arb, arb_mat

from chainrule.graph.node import Node
from chainrule.values import structure
from chainrule.values.ball import Undecided, Undefined, finite
from chainrule.values.entries import (
    HOLES,
    ONE,
    ZERO,
    as_objects,
    collected,
    filled,
    first_hole,
    lifted,
)
from chainrule.values.structure import Array, Kernel, Sizes


def _lined(x: Array, axes: Sequence[int]) -> tuple[list[list[Any]], tuple[int, ...]]:
    """The entries along some axes, for every position of the others; and the others' shape."""
    others = [a for a in range(x.ndim) if a not in axes]
    shape = tuple(x.shape[a] for a in others)
    lines = np.transpose(x, (*others, *axes)).reshape(
        int(np.prod(shape)), int(np.prod([x.shape[a] for a in axes]))
    )
    return lines.tolist(), shape


def folded(
    f: Callable[[arb, arb], arb],
    x: Array,
    axes: Sequence[int],
    start: Any,
    check: Callable[[arb], arb] = finite,
) -> Array:
    """Entries joined along axes by a function of two balls; `start` of none."""
    lines, shape = _lined(x, axes)
    join = lifted(f, 2, check)
    out = []
    for line in lines:
        total = start if not line else line[0]
        for entry in line[1:]:
            total = join(total, entry)[()]
        out.append(total)
    return collected(out, shape)


def _total(x: Array, axes: tuple[int, ...]) -> Array:
    lines, shape = _lined(x, axes)
    return collected([sum(line, ZERO) for line in lines], shape)


def _matmul(x: Array, y: Array) -> Array:
    (b, n, k), m = x.shape, y.shape[2]
    out = filled((b, n, m))
    if k:
        for batch in range(b):
            rows = arb_mat(n, k, x[batch].ravel().tolist())
            product = rows * arb_mat(k, m, y[batch].ravel().tolist())
            out[batch] = collected(product.entries(), (n, m))
    return out


KERNEL = Kernel(lambda x, y: np.asarray(x * y, object), _total, _matmul, ONE)


def contracted(labels: Any, out: Any, xs: Sequence[Array]) -> Array:
    """`structure.contract` for balls and holes: a sum with a hole in a term is a hole."""
    if len(xs) == 1 and {*labels[0]} <= {*out}:  # axes turned round: entries stay what they are
        return as_objects(structure.contract(labels, out, xs, KERNEL))
    holes = [h for h in map(first_hole, xs) if h is not None]
    if not holes:
        return checked(as_objects(structure.contract(labels, out, xs, KERNEL)))
    filler = [_without_holes(x) for x in xs]
    total = np.array(checked(as_objects(structure.contract(labels, out, filler, KERNEL))))
    for kind in reversed(HOLES):  # Undefined last: it is certain
        hole = next((x for a in xs for x in a.flat if isinstance(x, kind)), None)
        if hole is None:
            continue
        marks = [np.frompyfunc(lambda x, k=kind: isinstance(x, k), 1, 1)(x) for x in xs]
        touched = np.zeros(total.shape, bool)
        for k in range(len(xs)):
            counts = [
                np.asarray(marks[k] if j == k else np.ones(x.shape), np.float64)
                for j, x in enumerate(xs)
            ]
            touched |= structure.contract(labels, out, counts, COUNTS) > 0
        total[touched] = hole
    return total


COUNTS = Kernel(np.multiply, lambda x, axes: np.asarray(x.sum(axis=axes)), np.matmul, 1.0)


def _without_holes(x: Array) -> Array:
    return as_objects(np.frompyfunc(lambda v: v if isinstance(v, arb) else ZERO, 1, 1)(x))


def checked(x: Array) -> Array:
    """Entries that are not finite become holes."""
    if all(isinstance(v, arb) and v.is_finite() for v in x.flat):
        return x
    return _FINITE(x)


_FINITE = lifted(lambda v: v, 1)


# -- linear algebra ------------------------------------------------------------------------------


def _regular(a: arb_mat, entries: Sequence[arb], n: int) -> arb:
    """det A, certainly not zero. Raises Undefined where it is zero, Undecided."""
    d = a.det()
    if d.is_finite() and not d.contains(0):
        return d
    if all(x.is_exact() for x in entries) and _exact_det(entries, n) == 0:
        raise Undefined("a singular matrix")
    raise Undecided("a matrix that may be singular")


def _exact_det(entries: Sequence[arb], n: int) -> Any:
    if any(not x == 0 and abs(int(x.man_exp()[1])) > 4096 for x in entries):
        return None
    whole = [flint.fmpq(x.man_exp()[0]) * flint.fmpq(2) ** int(x.man_exp()[1]) for x in entries]
    return flint.fmpq_mat(n, n, whole).det()


def stacked(f: Callable[..., Any], shape: Sequence[int], *xs: Array) -> Array:
    """A function of matrices on stacks of them; what it raises fills its place with holes.

    shape : of the whole result. f gets the entries of each matrix in row-major order, and gives
    those of its value.
    """
    batch = xs[0].shape[:-2]
    count = int(np.prod(batch))
    flat = [x.reshape(count, int(np.prod(x.shape[-2:]))).tolist() for x in xs]
    size = int(np.prod(tuple(shape)[len(batch) :]))
    out: list[Any] = []
    for entries in zip(*flat, strict=True):
        bad = [x for part in entries for x in part if not isinstance(x, arb)]
        try:
            if bad:
                raise next((x for x in bad if isinstance(x, Undefined)), bad[0])
            out.extend(f(*entries))
        except HOLES as hole:
            out.extend([hole] * size)
    return checked(collected(out, shape))


def solve(node: Node, xs: list[Array], sizes: Sizes) -> Array:
    """A⁻¹B for stacks of matrices."""
    a, b = xs
    n, k = b.shape[-2:]

    def one(left: list[arb], right: list[arb]) -> list[arb]:
        if n == 0 or k == 0:
            return []
        matrix = arb_mat(n, n, left)
        try:
            return arb_mat.solve(matrix, arb_mat(n, k, right)).entries()
        except ZeroDivisionError:
            _regular(matrix, left, n)
            raise Undecided("a matrix that is nearly singular") from None

    if first_hole(b) is None:
        return stacked(one, b.shape, a, b)
    found = np.array(stacked(one, b.shape, a, _without_holes(b)))
    for at in np.ndindex(b.shape[:-2]):  # a column of the right side makes one of the result
        for column in range(k):
            hole = first_hole(b[(*at, slice(None), column)])
            if hole is not None and first_hole(a[at]) is None:
                found[(*at, slice(None), column)] = hole
    return found


def det(node: Node, xs: list[Array], sizes: Sizes) -> Array:
    """det A for stacks of matrices."""
    n = xs[0].shape[-1]
    return stacked(lambda a: [arb_mat(n, n, a).det()], xs[0].shape[:-2], xs[0])


def logdet(node: Node, xs: list[Array], sizes: Sizes) -> Array:
    """log |det A| for stacks of matrices."""
    n = xs[0].shape[-1]
    return stacked(lambda a: [abs(_regular(arb_mat(n, n, a), a, n)).log()], xs[0].shape[:-2], xs[0])
