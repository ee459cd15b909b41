"""Entries that were written and are read again: the value itself, where that is certain.

A loop that fills an array leaves a chain of `put`s. What is read back from it, entry by entry or
whole, is what was written there, if every put is at the same place or at one that is provably
another. Both hold exactly, for every size; where it is not certain, the plain read stays.
Written for chains of ten thousand puts: nothing here recurs, and looking one entry up is a look
into a dictionary.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any
from weakref import WeakKeyDictionary

from chainrule.code.table.extents import fitted, ordered, reshaped
from chainrule.code.table.kinds import converted
from chainrule.code.table.subscript import is_whole, settled
from chainrule.graph.node import At, Cut, Graph, Node, Spec
from chainrule.graph.sizes import Size

#: How many puts are looked at one by one, where no dictionary helps.
PATIENCE = 64

Key = tuple[int, ...]


@dataclass(eq=False)
class _Run:
    """Puts one after another on `root`, all of one pattern. Nodes by their numbers, so that what is
    remembered about a graph does not keep it alive.

    pattern : for each axis the size that its positions differ from by a number, or the cut that all
        of them take. written : key → numbers of the puts there, rising, and what they wrote.
    """

    root: int
    pattern: tuple[Any, ...]
    length: int = 0
    written: dict[Key, tuple[list[int], list[int]]] = field(default_factory=dict)


@dataclass
class _Memory:
    """Which put is which in its run; made anew when sizes turn out to be equal."""

    version: int
    places: dict[int, tuple[_Run, int]] = field(default_factory=dict)


_MEMORIES: WeakKeyDictionary[Graph, _Memory] = WeakKeyDictionary()


def _split(part: At | Cut) -> tuple[Any, int | None]:
    """A part of a spec as what is common to a pattern, and the number that tells entries apart."""
    if part[0] == "cut":
        return part, None
    number = dict(part[1].terms).get((), 0)
    return part[1] - number, number


def _pattern(spec: Spec) -> tuple[tuple[Any, ...], Key]:
    parts = [_split(part) for part in spec]
    return tuple(p for p, _ in parts), tuple(n for _, n in parts if n is not None)


def _place(g: Graph, node: Node) -> tuple[_Run, int]:
    """The run of a put and its number in it."""
    memory = _MEMORIES.get(g)
    if memory is None or memory.version != g.version:
        memory = _MEMORIES[g] = _Memory(g.version)
    places, todo = memory.places, [node]
    while todo[-1].number not in places and todo[-1].inputs[0].op == "put":
        todo.append(todo[-1].inputs[0])
    for put in reversed(todo):
        if put.number in places:
            continue
        pattern, key = _pattern(settled(g, put.params[0]))
        base = put.inputs[0].number
        run, count = places.get(base, (None, 0))
        if run is None or run.length != count or run.pattern != pattern:
            run = _Run(base, pattern)
        run.length += 1
        numbers, values = run.written.setdefault(key, ([], []))
        numbers.append(run.length)
        values.append(put.inputs[1].number)
        places[put.number] = (run, run.length)
    return places[node.number]


def _latest(g: Graph, run: _Run, number: int, key: Key) -> Node | None:
    numbers, values = run.written.get(key, ([], []))
    count = bisect_right(numbers, number)
    return g.nodes[values[count - 1]] if count else None


# -- one read --------------------------------------------------------------------------------------


def loaded(g: Graph, x: Node, spec: Spec) -> Node:
    """x at a spec, past the puts that x is made of: the value that was written there, if it was.

    Exact for every size; `g.index(x, spec)` where nothing simpler is certain.
    """
    kind, patience = x.kind, PATIENCE
    spec = settled(g, spec)
    while True:
        if x.op == "put":
            run, number = _place(g, x)
            inner = _within(g, spec, run)
            if inner is not None:
                key, rest = inner
                value = _latest(g, run, number, key)
                if value is not None:
                    x, spec = value, rest
                    continue
                if patience:
                    x, patience = g.nodes[run.root], patience - 1
                    continue
            elif patience and _apart(g, spec, settled(g, x.params[0])):
                x, patience = x.inputs[0], patience - 1
                continue
        elif x.op == "broadcast" and not x.inputs[0].ndim:
            return fitted(g, converted(g, x.inputs[0], kind), g.cut_shape(spec))
        part = x if is_whole(g, x, spec) else g.index(x, spec)
        return converted(g, part, kind)


def _within(g: Graph, spec: Spec, run: _Run) -> tuple[Key, Spec] | None:
    """Where a read lies inside the places of a run: the key of its place, and the spec there."""
    key: list[int] = []
    rest: list[At | Cut] = []
    for k, (part, common) in enumerate(zip(spec, run.pattern, strict=True)):
        if isinstance(common, Size):
            offset, number = _split(part)
            if number is None or offset != common:
                return None
            key.append(number)
        elif part == common and part[0] == "cut":
            rest.append(("cut", Size.of(0), 1, part[3]))
        elif common[1] == 0 and common[2] == 1 and common[3] == g.nodes[run.root].shape[k]:
            rest.append(part)
        else:
            return None
    return tuple(key), tuple(rest)


def _apart(g: Graph, a: Spec, b: Spec) -> bool:
    """Whether two places have no entry in common, at every size."""
    return any(_off(p, q) for p, q in zip(a, b, strict=True))


def _off(a: At | Cut, b: At | Cut) -> bool:
    (low, high), (first, last) = _ends(a), _ends(b)
    return _positive(first - high) or _positive(low - last)


def _ends(part: At | Cut) -> tuple[Size, Size]:
    """The first and the last entry that a part takes (or would, if it took any)."""
    if part[0] == "at":
        return part[1], part[1]
    other = part[1] + part[2] * (part[3] - 1)
    return (part[1], other) if part[2] > 0 else (other, part[1])


def _positive(size: Size) -> bool:
    return size.const is not None and size.const > 0


# -- the whole -------------------------------------------------------------------------------------


def assembled(g: Graph, node: Node) -> Node:
    """A chain of puts that covers its array, as the values joined; the node itself if none does.

    The puts must be at single positions of some axes and take the other axes whole, or take slices
    of one axis that follow one another.
    """
    if node.op != "put":
        return node
    pattern, _ = _pattern(settled(g, node.params[0]))
    joined = None
    if all(isinstance(p, Size) or _takes_all(g, node, k, p) for k, p in enumerate(pattern)):
        joined = _from_entries(g, node, [k for k, p in enumerate(pattern) if isinstance(p, Size)])
    else:
        cuts = [k for k, p in enumerate(pattern) if not _takes_all(g, node, k, p)]
        joined = _from_slices(g, node, cuts[0]) if len(cuts) == 1 else None
    return node if joined is None else converted(g, joined, node.kind)


def _takes_all(g: Graph, node: Node, axis: int, part: Any) -> bool:
    if isinstance(part, Size) or part[0] == "at":
        return False
    return bool(part[1] == 0 and part[2] == 1 and part[3] == node.shape[axis])


def _from_entries(g: Graph, node: Node, axes: Sequence[int]) -> Node | None:
    sizes = [node.shape[a].const for a in axes]
    counts = [s for s in sizes if s is not None]
    if len(counts) != len(sizes):
        return None
    found: dict[Key, Node] = {}
    x = node
    while len(found) < prod(counts):
        if x.op != "put":
            return None
        spec = settled(g, x.params[0])
        pattern, key = _pattern(spec)
        for k, p in enumerate(pattern):
            if not (p == 0 if k in axes else _takes_all(g, node, k, p)):
                return None
        found.setdefault(key, x.inputs[1])
        x = x.inputs[0]
    if not all(0 <= i < n for key in found for i, n in zip(key, counts, strict=True)):
        return None
    values = [found[key] for key in sorted(found)]
    rest = [s for k, s in enumerate(node.shape) if k not in axes]
    rows = [g.reshape(v, (1, *rest)) for v in values]
    flat = rows[0] if len(rows) == 1 else g.concat(rows, 0)
    order = [*axes, *(k for k in range(node.ndim) if k not in axes)]
    full = reshaped(g, flat, [*counts, *rest])
    return ordered(g, full, sorted(range(node.ndim), key=order.__getitem__))


def _from_slices(g: Graph, node: Node, axis: int) -> Node | None:
    found: dict[Size, tuple[Size, Node]] = {}
    x, covered = node, Size.of(0)
    while x.op == "put" and covered != node.shape[axis]:
        spec = settled(g, x.params[0])
        if any(not _takes_all(g, node, k, p) for k, p in enumerate(spec) if k != axis):
            return None
        part, value = spec[axis], x.inputs[1]
        if part[0] == "at":
            shape = (*value.shape[:axis], Size.of(1), *value.shape[axis:])
            first, count, value = part[1], Size.of(1), reshaped(g, value, shape)
        elif part[2] == 1:
            first, count = part[1], part[3]
        else:
            return None
        if first not in found:
            found[first], covered = (count, value), covered + count
        elif found[first][0] != count:
            return None
        x = x.inputs[0]
    parts, place = [], Size.of(0)
    while place in found:
        count, value = found.pop(place)
        if count == 0:
            return None
        parts.append(value)
        place = g.size(place + count)
    if found or place != node.shape[axis]:
        return None
    return parts[0] if len(parts) == 1 else g.concat(parts, axis)
