"""What stands in brackets: NumPy's rules of indexing, on arrays whose sizes are symbols.

An index is a chain of operations of the graph: integers, slices and None are `index` and `reshape`
(a view of the array), arrays of integers are one `gather` between two transpositions. Sizes stay
symbols: x[1:] has n − 1 rows, x[-1] is row n − 1. Where NumPy would clip a slice, and where the
number of steps is no polynomial, the axis is fixed at its size; what must be long enough is a need.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.code.table.extents import (
    at,
    fitted,
    length,
    need,
    ordered,
    pinned,
    reshaped,
    size_of,
    whole_number,
)
from chainrule.code.table.kinds import nested
from chainrule.code.table.row import Unsupported
from chainrule.errors import ShapeError
from chainrule.graph.node import At, Cut, Graph, Node, Spec, constant
from chainrule.graph.sizes import Shape, Size

_GAP = object()  # the place of an ellipsis, which parts index arrays even if it is no axis


@dataclass(frozen=True)
class Plan:
    """An index, taken apart.

    spec : for each axis of the array, what integers and slices take; all of it at index arrays.
    view : the shape after that, with a 1 for each None and without the axes of integers.
    arrays : (axis of the view, index array), broadcast to one shape, in their order.
    place : where the axes of the index arrays stand among the other axes of the result.
    """

    spec: Spec
    view: Shape
    arrays: tuple[tuple[int, Node], ...]
    place: int

    @property
    def indices(self) -> tuple[Node, ...]:
        """The index arrays."""
        return tuple(node for _, node in self.arrays)

    @property
    def rest(self) -> tuple[int, ...]:
        """The axes of the view that no array indexes."""
        taken = {axis for axis, _ in self.arrays}
        return tuple(a for a in range(len(self.view)) if a not in taken)

    @property
    def drawn(self) -> int:
        """How many axes the index arrays have."""
        return self.arrays[0][1].ndim if self.arrays else 0

    @property
    def front(self) -> tuple[int, ...]:
        """The axes of the view with those of the index arrays first."""
        return (*(axis for axis, _ in self.arrays), *self.rest)

    @property
    def home(self) -> tuple[int, ...]:
        """From (index axes, others) to the order of the result."""
        n, others = self.drawn, range(self.drawn, self.drawn + len(self.rest))
        return (*others[: self.place], *range(n), *others[self.place :])


def plan(g: Graph, x: Node, index: Any) -> Plan:
    """Take an index of x apart.

    Raises Unsupported, naming the part, for what a graph cannot follow; ShapeError for an index
    that does not fit the array.
    """
    entries = list(_entries(g, x, index))
    advanced = any(isinstance(e, Node) for e in entries)
    spec: list[At | Cut] = []
    view: list[Size] = []
    arrays: list[tuple[int, Node]] = []
    marks: list[bool] = []  # whether each entry belongs to the index arrays
    place, seen = 0, 0
    for entry in entries:
        inside = advanced and (isinstance(entry, Node | Size))
        if inside and not any(marks):
            place = seen
        marks.append(inside)
        if entry is _GAP:
            continue
        if entry is None:
            view.append(Size.of(1))
            seen += 1
            continue
        n = x.shape[len(spec)]
        if isinstance(entry, Size):
            spec.append(("at", position(g, entry, n)))
        elif isinstance(entry, slice):
            taken = cut(g, entry, n)
            spec.append(taken)
            view.append(taken[3])
            seen += 1
        else:
            _reach(g, entry, n)
            arrays.append((len(view), entry))
            spec.append(("cut", Size.of(0), 1, n))
            view.append(n)
    inner = "".join("x" if m else " " for m in marks).strip()
    shape = g.stretched(*(node.shape for _, node in arrays))
    return Plan(
        settled(g, spec),
        tuple(g.size(s) for s in view),
        tuple((axis, fitted(g, node, shape)) for axis, node in arrays),
        0 if " " in inner else place,
    )


def _entries(g: Graph, x: Node, index: Any) -> Iterator[Any]:
    """Size, slice, None, integer Node or _GAP: one for each axis of x, None and _GAP besides."""
    parts = [_entry(g, e) for e in (index if isinstance(index, tuple) else (index,))]
    used = sum(_width(e) for e in parts)
    if used > x.ndim:
        raise ShapeError(f"{used} indices for an array with {x.ndim} axes")
    if sum(e is Ellipsis for e in parts) > 1:
        raise ShapeError("an index has one ellipsis (...) at most")
    if not any(e is Ellipsis for e in parts):
        parts.append(Ellipsis)
    axis = 0
    for e in parts:
        if e is Ellipsis:
            yield _GAP
            yield from [slice(None)] * (x.ndim - used)
            axis += x.ndim - used
        elif isinstance(e, np.ndarray):
            sizes = tuple(g.pin(s) for s in x.shape[axis : axis + e.ndim])
            if any(m != n for m, n in zip(e.shape, sizes, strict=True) if m):  # as NumPy does
                raise ShapeError(f"a mask of shape {e.shape} on axes of sizes {sizes}")
            yield from (g.array(where) for where in np.nonzero(e))
            axis += e.ndim
        else:
            yield e
            axis += _width(e)


def _width(entry: Any) -> int:
    if entry is None or entry is Ellipsis:
        return 0
    return entry.ndim if isinstance(entry, np.ndarray) else 1


def _entry(g: Graph, entry: Any) -> Any:
    """One part of an index: Size, slice, None, Ellipsis, integer Node, or a mask as an array."""
    if entry is None or entry is Ellipsis or isinstance(entry, slice):
        return entry
    exact = whole_number(g, entry)
    if exact is not None:
        return exact
    if isinstance(entry, bool | np.bool_):
        raise Unsupported("x[True] adds an axis; write x[np.newaxis], or np.where for a choice")
    if isinstance(entry, list | tuple) and not len(entry):
        entry = np.zeros(0, np.int64)
    node = entry if isinstance(entry, Node) else nested(g, entry)
    if node.kind == "b":
        if node.op != "const" or not node.ndim:
            raise Unsupported(
                "x[mask] has as many entries as the mask has trues, which depends on values; "
                "np.where(mask, x, 0) keeps the shape"
            )
        return constant(node)
    if node.kind == "f":
        raise Unsupported("an index array must hold integers, and this one holds floats")
    return node


def position(g: Graph, i: Size, n: Size) -> Size:
    """The place that an integer means on an axis of size n; negative ones count from the end."""
    place = _from_front(g, i, n)
    if not 0 <= at(g, place) < at(g, n):
        raise ShapeError(f"index {at(g, i)} on an axis of size {at(g, n)}")
    need(g, place)
    need(g, n - 1 - place)
    return place


def _from_front(g: Graph, i: Size, n: Size) -> Size:
    if at(g, i) >= 0:
        need(g, i)
        return i
    need(g, -i - 1)
    return g.size(n + i)


def cut(g: Graph, part: slice, n: Size) -> Cut:
    """What a slice takes of an axis of size n."""
    step = 1 if part.step is None else pinned(g, part.step, "the step of a slice")
    if step == 0:
        raise ShapeError("a slice with step 0")
    low, high = (Size.of(0), n) if step > 0 else (Size.of(-1), n - 1)
    start = low if step > 0 else high
    stop = high if step > 0 else low
    if part.start is not None:
        start = _clipped(g, part.start, n, low, high)
    if part.stop is not None:
        stop = _clipped(g, part.stop, n, low, high)
    count = length(g, stop - start if step > 0 else start - stop, abs(step))
    if count == 0:
        return ("cut", Size.of(0), 1, count)
    return ("cut", g.size(start), step, count)


def _clipped(g: Graph, bound: Any, n: Size, low: Size, high: Size) -> Size:
    """A bound of a slice, which NumPy moves into the axis: then both are fixed where they are."""
    place = _from_front(g, size_of(g, bound, "the bound of a slice"), n)
    if at(g, low) <= at(g, place) <= at(g, high):
        need(g, place - low)
        need(g, high - place)
        return g.size(place)
    clipped = low if at(g, place) < at(g, low) else high
    g.pin(place)
    g.pin(n)
    return g.size(clipped)


def _reach(g: Graph, index: Node, n: Size) -> None:
    """What an axis of size n needs so that a known index array stays on it."""
    if index.op == "iota":
        need(g, n - index.shape[0])
    elif index.op == "const" and g.env.keys() >= n.names:
        values = np.asarray(constant(index))
        if values.size:
            need(g, n - 1 - int(values.max()))
            need(g, n + int(values.min()))


# -- reading ---------------------------------------------------------------------------------------


def viewed(g: Graph, x: Node, p: Plan) -> Node:
    """x after integers, slices and None."""
    part = x if is_whole(g, x, p.spec) else g.index(x, p.spec)
    return reshaped(g, part, p.view)


def read(g: Graph, x: Node, index: Any) -> Node:
    """x[index].

    index : what stands in brackets: int, `Size`, slice (of ints, sizes, None), None, Ellipsis,
        integer index arrays (nodes of kind "i", arrays, lists), masks as arrays of bools; or a
        tuple of those.
    Raises Unsupported for a mask that is no constant, ShapeError for an index that does not fit.
    """
    p = plan(g, x, index)
    view = viewed(g, x, p)
    if not p.arrays:
        return view
    return ordered(g, g.gather(ordered(g, view, p.front), *p.indices), p.home)


def settled(g: Graph, spec: Sequence[At | Cut]) -> Spec:
    """A spec in the axes that are left."""
    return tuple(
        ("at", g.size(part[1]))
        if part[0] == "at"
        else ("cut", g.size(part[1]), part[2], g.size(part[3]))
        for part in spec
    )


def is_whole(g: Graph, x: Node, spec: Sequence[At | Cut]) -> bool:
    """Whether a spec takes everything, in order."""
    return all(
        part[0] == "cut" and part[1] == 0 and part[2] == 1 and g.size(part[3]) == n
        for part, n in zip(spec, x.shape, strict=True)
    )


def result_shape(p: Plan) -> Shape:
    """The shape of x[index]."""
    drawn = p.arrays[0][1].shape if p.arrays else ()
    rest = [p.view[a] for a in p.rest]
    return (*rest[: p.place], *drawn, *rest[p.place :])
