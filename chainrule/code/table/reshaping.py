"""Which sizes a reshape makes equal: as few as possible.

A reshape of (N, h, w) to (−1, 784) fixes h and w, and leaves N free. The shapes are cut into runs
of axes that hold the same number of entries, and each run stands for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chainrule.code.table.extents import at
from chainrule.errors import ShapeError
from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import Shape, Size, product


def _blocks(old: Sequence[int], new: Sequence[int]) -> Iterator[tuple[range, range]]:
    """Runs of axes of two shapes that hold the same number of entries, as short as possible."""
    i = j = 0
    while i < len(old) or j < len(new):
        start, begin = i, j
        a = b = 1
        while True:
            if i < len(old) and (a < b or i == start):
                a, i = a * old[i], i + 1
            elif j < len(new) and (b < a or j == begin):
                b, j = b * new[j], j + 1
            else:
                break
        yield range(start, i), range(begin, j)


def filled_in(g: Graph, x: Node, wanted: Shape) -> Shape:
    """A shape whose −1 is replaced; sizes that must be equal are made equal, as few as possible."""
    unknown = [k for k, s in enumerate(wanted) if s == -1]
    if len(unknown) > 1:
        raise ShapeError("a shape has one -1 at most")
    known = product(s for s in wanted if s != -1)
    total = product(x.shape)
    if not unknown:
        if total == known:
            return wanted
        numbers = [at(g, s) for s in wanted]
    else:
        exact = total.exact_div(known) if at(g, known) else None
        if exact is not None:
            return tuple(exact if s == -1 else s for s in wanted)
        if not at(g, known) or at(g, total) % at(g, known):
            raise ShapeError(f"{at(g, total)} entries in rows of {at(g, known)}")
        rest = at(g, total) // at(g, known)
        numbers = [rest if s == -1 else at(g, s) for s in wanted]
    sizes = list(wanted)
    blocks = _blocks(x.number_shape, numbers) if at(g, total) else iter([_all(x.ndim, sizes)])
    for mine, theirs in blocks:
        whole = product(x.shape[a] for a in mine)
        given = product(sizes[k] for k in theirs if sizes[k] != -1)
        missing = [k for k in theirs if sizes[k] == -1]
        if not missing:
            g.same(whole, given, "reshape")
            continue
        left = g.size(whole).exact_div(given)
        if left is None:
            left = Size.of(g.pin(whole) // g.pin(given))
        sizes[missing[0]] = left
    return tuple(g.size(s) for s in sizes)


def _all(ndim: int, sizes: Sequence[Size]) -> tuple[range, range]:
    return range(ndim), range(len(sizes))
