"""A sum of products over shared axes as matrices: A Bᵀ, vᵀ A w, A diag(v) B, tr(A B), A 𝟏.

The factors with one or two axes make a graph whose corners are the axes: a path is a chain of
matrices, a ring a trace. What has no such form gives None, and is written with indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chainrule.graph.node import Node
from chainrule.graph.notation.terms import (
    Call,
    Chain,
    Ones,
    Product,
    Term,
    Transposed,
    chained,
    diagonal,
    hadamard,
    is_family,
    joined,
    split,
    times,
    total,
    trace,
    transposed,
)
from chainrule.graph.sizes import Shape, Size


@dataclass
class _Parts:
    """The factors by their axes; axes of size 1 are gone."""

    sizes: dict[int, Size] = field(default_factory=dict)
    numbers: list[Term] = field(default_factory=list)
    vectors: dict[int, list[Term]] = field(default_factory=dict)  # axis → columns
    matrices: list[tuple[Term, int, int]] = field(default_factory=list)  # with row and column axis
    out: tuple[int, ...] = ()

    def uses(self, axis: int) -> int:
        """How many matrices and results have this axis."""
        return sum(axis in (a, b) for _, a, b in self.matrices) + self.out.count(axis)

    def ones(self, axis: int) -> Term:
        return Ones(self.sizes[axis])

    def column(self, axis: int) -> Term | None:
        """The vectors of an axis as one."""
        found = self.vectors.get(axis, [])
        return times(*found) if found else None


def contracted(node: Node, terms: Sequence[Term]) -> Term | None:
    """The matrix form of a `contract` node whose inputs are written as terms, or None."""
    if any(is_family(t) for t in terms):
        return None
    parts = _sorted(node, terms)
    if parts is None or not _merge(parts):
        return None
    for axis in {*parts.sizes}:
        if parts.uses(axis) > 2:
            return None
    pieces = _vectors_alone(parts)
    while parts.matrices:
        piece = _component(parts)
        if piece is None:
            return None
        pieces.append(piece)
    return _assembled(node, parts, pieces)


def _sorted(node: Node, terms: Sequence[Term]) -> _Parts | None:
    labels, out = node.params
    parts = _Parts()
    for names, term, x in zip(labels, terms, node.inputs, strict=True):
        for name, size in zip(names, x.shape, strict=True):
            parts.sizes[name] = size
        kept = [n for n, s in zip(names, x.shape, strict=True) if s != 1]
        if x.ndim > 2 and len(kept) < x.ndim and term.array:
            return None
        if x.ndim == 2 and len(kept) == 1 and x.shape[0] == 1:
            term = transposed(term)
        if len(kept) > 2:
            return None
        if len(kept) == 2 and kept[0] == kept[1]:
            _square(parts, term, kept[0], node)
        elif len(kept) == 2:
            parts.matrices.append((term, kept[0], kept[1]))
        elif kept:
            parts.vectors.setdefault(kept[0], []).append(term)
        else:
            parts.numbers.append(term)
    parts.out = tuple(n for n in out if parts.sizes[n] != 1)
    return None if len(parts.out) > 2 or len(set(parts.out)) < len(parts.out) else parts


def _square(parts: _Parts, term: Term, axis: int, node: Node) -> None:
    """A matrix with one axis twice: its diagonal, or its trace."""
    labels, out = node.params
    if sum(names.count(axis) for names in labels) == 2 and axis not in out:
        parts.numbers.append(trace(term, parts.sizes[axis]))
        return
    p = split(term)
    assert p.body is not None
    diagonal_of = Call("diag", r"\operatorname{diag}", (p.body,), True, "vector")
    column = times(joined(Product(p.number, p.over, p.under)), diagonal_of)
    parts.vectors.setdefault(axis, []).append(column)


def _merge(parts: _Parts) -> bool:
    """Matrices with the same two axes become one, unless they make a trace."""
    grouped: dict[frozenset[int], list[tuple[Term, int, int]]] = {}
    for m in parts.matrices:
        grouped.setdefault(frozenset(m[1:]), []).append(m)
    for axes, group in grouped.items():
        _, a, b = group[0]
        free = not any(x in parts.out or parts.vectors.get(x) for x in axes)
        ring = len(group) == 2 and group[1][1] == b and free
        if len(group) == 1 or (ring and parts.uses(a) == 2 and parts.uses(b) == 2):
            continue
        same = [t if x == a else transposed(t) for t, x, _ in group]
        parts.matrices = [m for m in parts.matrices if frozenset(m[1:]) != axes]
        parts.matrices.append((times(*same), a, b))
    return True


def _vectors_alone(parts: _Parts) -> list[tuple[Term, tuple[int, ...]]]:
    """Vectors that meet no matrix: those of the result, and numbers made of the others."""
    pieces: list[tuple[Term, tuple[int, ...]]] = []
    for axis, found in parts.vectors.items():
        if any(axis in (a, b) for _, a, b in parts.matrices):
            continue
        if axis in parts.out:
            pieces.append((times(*found), (axis,)))
        elif len(found) == 1:
            pieces.append((total(found[0], 1, [parts.sizes[axis]]), ()))
        else:
            row = transposed(found[0])
            pieces.append((chained([row, times(*found[1:])], entries=False), ()))
    return pieces


def _component(parts: _Parts) -> tuple[Term, tuple[int, ...]] | None:
    """One path or ring of matrices, taken out of the parts."""
    degree: dict[int, int] = {}
    for _, a, b in parts.matrices:
        degree[a] = degree.get(a, 0) + 1
        degree[b] = degree.get(b, 0) + 1
    ends = [x for _, a, b in parts.matrices for x in (a, b) if degree[x] == 1]
    ends.sort(key=lambda x: x not in parts.out)  # from an axis of the result, if there is one
    if not ends:
        first = parts.matrices[0][1]
        factors, _ = _walk(parts, first, ring=True)
        return trace(chained(factors), parts.sizes[first]), ()
    start = ends[0]
    factors, stop = _walk(parts, start, ring=False)
    if start not in parts.out and stop not in parts.out:
        return _closed(parts, factors, start, stop), ()
    left, right = parts.column(start), parts.column(stop)
    if left is not None:
        factors.insert(0, diagonal(left))
    if stop in parts.out:
        if right is not None:
            factors.append(diagonal(right))
        return chained(factors), (start, stop)
    factors.append(parts.ones(stop) if right is None else right)
    return chained(factors), (start,)


def _walk(parts: _Parts, start: int, ring: bool) -> tuple[list[Term], int]:
    factors: list[Term] = []
    at = start
    while True:
        k = next((k for k, (_, a, b) in enumerate(parts.matrices) if at in (a, b)), None)
        if k is None:
            return factors, at
        if factors and not (ring and at == start):
            between = parts.column(at)
            if between is not None:
                factors.append(diagonal(between))
        term, a, b = parts.matrices.pop(k)
        factors.append(term if a == at else transposed(term))
        at = b if a == at else a
        if ring and at == start:
            around = parts.column(at)
            return factors if around is None else [*factors, diagonal(around)], at


def _closed(parts: _Parts, factors: list[Term], start: int, stop: int) -> Term:
    """A number: a row, matrices, a column; read in the direction with fewer transposes."""
    left, right = parts.column(start), parts.column(stop)
    if left is None and right is None and len(factors) == 1:
        shape = (parts.sizes[start], parts.sizes[stop])
        # The sum of a matrix is that of its transpose: the plainer is written.
        plain = min((factors[0], transposed(factors[0])), key=_transposes)
        return total(plain, 2, shape if plain == factors[0] else shape[::-1])
    row = transposed(parts.ones(start) if left is None else left)
    column = parts.ones(stop) if right is None else right
    forth = [row, *factors, column]
    back = [transposed(f) for f in reversed(forth)]
    return min((chained(forth, entries=False), chained(back, entries=False)), key=_transposes)


def _transposes(t: Term) -> int:
    if isinstance(t, Transposed):
        return 1 + _transposes(t.of)
    p = split(t)
    inside = [*p.over, *([p.body] if p.body is not None and p.body is not t else [])]
    if isinstance(t, Chain):
        inside = list(t.factors)
    return sum(_transposes(x) for x in inside if x is not t)


def _assembled(
    node: Node, parts: _Parts, pieces: list[tuple[Term, tuple[int, ...]]]
) -> Term | None:
    numbers = [*parts.numbers, *(t for t, axes in pieces if not axes)]
    arrays = [(t, axes) for t, axes in pieces if axes]
    body: Term | None = None
    if len(arrays) == 1:
        body, axes = arrays[0]
        if len(axes) == 2 and axes != parts.out:
            body = transposed(body)
        if len(axes) != len(parts.out):
            return None
    elif len(arrays) == 2 and len(parts.out) == 2 and all(len(a) == 1 for _, a in arrays):
        by = {a[0]: t for t, a in arrays}
        body = chained([by[parts.out[0]], transposed(by[parts.out[1]])])
    elif arrays:
        return None
    if body is None:
        return times(*numbers)
    if node.ndim == 2 and len(parts.out) == 1 and node.shape[0] == 1:
        body = transposed(body)
    elif node.ndim > 2:
        return None
    return times(*numbers, body)


# -- one shape in another --------------------------------------------------------------------------


def lifted(term: Term, have: Shape, want: Shape) -> Term | None:
    """An array written as an array of the shape that it is stretched to, or None."""
    if have == want or all(s == 1 for s in have) or not term.array:
        return term
    if len(want) > 2 or is_family(term):
        return None
    if len(have) == 1:
        row = transposed(term)
        return row if want[0] == 1 else chained([Ones(want[0]), row])
    if have[0] == 1:
        return chained([Ones(want[0]), term])
    return chained([term, transposed(Ones(want[1]))])


def ones(shape: Shape) -> Term | None:
    """An array of ones; None if it is one number."""
    if all(s == 1 for s in shape):
        return None
    if len(shape) == 1:
        return Ones(shape[0])
    if len(shape) == 2:
        if shape[1] == 1:
            return Ones(shape[0])
        row = transposed(Ones(shape[1]))
        return row if shape[0] == 1 else chained([Ones(shape[0]), row])
    return Ones(shape[0], tuple(shape))


__all__ = ["contracted", "hadamard", "lifted", "ones"]
