"""Calls that are elementwise in their arguments: one slope for each argument, as σ′(z) is for σ(z).

A unit's adjoint goes from its result to its arguments in one step, result ⊙ slope. That is right
only if all that lies between them is elementwise and nothing else uses it; what is not so is
followed node by node, and the reason is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from chainrule.graph.derivative.simplify import Lean
from chainrule.graph.derivative.slopes import CONSTANT, elementwise_push
from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.node import ELEMENTWISE, Node

#: What may lie between the arguments and the result.
BETWEEN = frozenset((*ELEMENTWISE, *FUNCTIONS))


@dataclass(frozen=True)
class Unit:
    """A call of a user's function. name : as the user calls it. arguments, result : its nodes."""

    name: str
    arguments: tuple[Node, ...]
    result: Node


@dataclass
class Region:
    """A unit with what lies between: inner nodes in order, those that depend on an argument."""

    unit: Unit
    inner: list[Node]
    numbers: set[int] = field(default_factory=set)

    def slope(self, lean: Lean, k: int) -> Node | None:
        """∂result/∂argument k, entry by entry; None where it is 0."""
        dots: dict[int, Node] = {self.unit.arguments[k].number: lean.number(1)}
        for node in self.inner:
            if node.op in CONSTANT:
                continue
            given = [dots.get(i.number) for i in node.inputs]
            if any(d is not None for d in given):
                dot = elementwise_push(lean, node, given)
                if dot is not None:
                    dots[node.number] = dot
        return dots.get(self.unit.result.number)


def _between(unit: Unit) -> list[Node]:
    """What the result needs and the arguments do not, inputs first."""
    stop, seen = {a.number for a in unit.arguments}, {unit.result.number: unit.result}
    todo = [unit.result]
    while todo:
        for i in todo.pop().inputs:
            if i.number not in stop and i.number not in seen:
                seen[i.number] = i
                todo.append(i)
    return [seen[n] for n in sorted(seen)]


def _region(
    unit: Unit, active: Mapping[int, bool], users: Mapping[int, Sequence[Node]], ends: set[int]
) -> Region | str:
    """The region of a unit, or why it has none. ends : nodes whose adjoints are asked for."""
    result = unit.result.number
    if result not in users:
        return "the output does not need it"
    if any(a.number == result for a in unit.arguments):
        return "it returns an argument"
    depends = {a.number for a in unit.arguments}
    if len(depends) < len(unit.arguments):
        return "one value is several of its arguments"
    inner = []
    for node in _between(unit):
        if any(i.number in depends for i in node.inputs):
            if node.op not in BETWEEN:
                return f"{node.op} is not elementwise"
            depends.add(node.number)
            inner.append(node)
        elif active.get(node.number):
            return "it uses more than its arguments"
    numbers = {n.number for n in inner}
    if result not in numbers:
        return "it does not depend on its arguments"
    for node in inner:
        if node.number == result:
            continue
        if node.number in ends or any(u.number not in numbers for u in users[node.number]):
            return "what it computes on the way is used elsewhere"
    return Region(unit, inner, numbers)


def regions(
    units: Iterable[Unit],
    active: Mapping[int, bool],
    users: Mapping[int, Sequence[Node]],
    ends: set[int],
) -> tuple[dict[int, Region], list[tuple[Unit, str]]]:
    """The regions by the number of their result, outermost calls only; and what was left out.

    active : for each node reached, whether its adjoint is wanted. users : who uses it.
    """
    ignored: list[tuple[Unit, str]] = []
    good: list[Region] = []
    for unit in dict.fromkeys(units):
        found = _region(unit, active, users, ends)
        if isinstance(found, str):
            ignored.append((unit, found))
        else:
            good.append(found)
    good.sort(key=lambda r: (-r.unit.result.number, -len(r.inner)))
    taken: dict[int, str] = {}
    kept: dict[int, Region] = {}
    for region in good:
        over = next((taken[n] for n in sorted(region.numbers) if n in taken), None)
        if over is not None:
            ignored.append((region.unit, f"it is part of {over}"))
            continue
        kept[region.unit.result.number] = region
        taken.update((n, region.unit.name) for n in region.numbers)
    return kept, ignored
