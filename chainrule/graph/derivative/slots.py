"""Adjoints of arrays that are read entry by entry: put together once, not added up array by array.

Reading x[i] for n values of i gives n shares, each an array of zeros but for one place. What reads
at whole numbers is kept as (place, value), and becomes one concatenation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chainrule.graph.derivative.simplify import Lean
from chainrule.graph.node import Node, Spec
from chainrule.graph.sizes import Shape, Size


@dataclass(frozen=True)
class Slot:
    """A value at a position on some axes, zeros elsewhere. at : (axis, position), in order."""

    at: tuple[tuple[int, int], ...]
    value: Node
    spec: Spec


def slot(lean: Lean, shape: Shape, value: Node, spec: Spec) -> Node | Slot:
    """Zeros of a shape with the value at a spec."""
    spec = lean.spec(spec)
    at: list[tuple[int, int]] = []
    for axis, (part, n) in enumerate(zip(spec, shape, strict=True)):
        if part[0] == "at":
            position = part[1].const
            if position is None or position < 0:
                break
            at.append((axis, position))
        elif not (part[1] == 0 and part[2] == 1 and part[3] == n):
            break
    else:
        if at:
            return Slot(tuple(at), value, spec)
    return lean.put(lean.zeros(shape), value, spec)


def filled(lean: Lean, shape: Shape, parts: Sequence[Node | Slot]) -> Node:
    """The sum of shares of a shape, in their order; what lies side by side is put side by side."""
    groups: dict[tuple[int, ...], list[Slot]] = {}
    nodes: list[Node] = []
    for part in parts:
        if isinstance(part, Slot):
            groups.setdefault(tuple(axis for axis, _ in part.at), []).append(part)
        else:
            nodes.append(part)
    for axes, slots in groups.items():
        if len({s.at for s in slots}) == 1:
            value = total(lean, [s.value for s in slots])
            nodes.append(lean.put(lean.zeros(shape), value, slots[0].spec))
        else:
            placed = [(tuple(p for _, p in s.at), s.value) for s in slots]
            nodes.append(_beside(lean, shape, axes, placed))
    return total(lean, nodes)


def total(lean: Lean, nodes: Sequence[Node]) -> Node:
    """The sum from the left."""
    out = nodes[0]
    for node in nodes[1:]:
        out = lean.add(out, node)
    return out


def _beside(
    lean: Lean,
    shape: Shape,
    axes: Sequence[int],
    placed: Sequence[tuple[tuple[int, ...], Node]],
) -> Node:
    """Values at positions on axes, in an array of zeros of a shape."""
    if not axes:
        return total(lean, [value for _, value in placed])
    axis, rest = axes[0], [a - 1 for a in axes[1:]]
    inner = (*shape[:axis], *shape[axis + 1 :])
    rows: dict[int, list[tuple[tuple[int, ...], Node]]] = {}
    for at, value in placed:
        rows.setdefault(at[0], []).append((at[1:], value))

    def gap(n: int | Size) -> Node:
        return lean.zeros((*shape[:axis], n, *shape[axis + 1 :]))

    parts: list[Node] = []
    done = 0
    for position in sorted(rows):
        if position > done:
            parts.append(gap(position - done))
        row = _beside(lean, inner, rest, rows[position])
        parts.append(lean.reshape(row, (*shape[:axis], 1, *shape[axis + 1 :])))
        done = position + 1
    left = lean.graph.size(shape[axis] - done)
    if left != 0:
        parts.append(gap(left))
    return lean.concat(parts, axis)
