"""What a run keeps of itself: where it is, the guards of its path, the sizes that it fixed."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np

from chainrule.code.source import Site
from chainrule.code.trace.record import Call, Event, Guard
from chainrule.errors import TraceError
from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import Size

#: A note of traces: no proof is of such code.
TRAPS = "its path depends on floating point traps"
LONG = 40  # characters of code in a guard


class Watch:
    """graph : what is written. What a run finds is in `guards`, `events`, `calls`, `pinned`."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        graph.on_condition = self._on_condition
        self.site: Site | None = None
        self.reason = ""
        self.guards: list[Guard] = []
        self.events: list[Event] = []
        self.calls: list[Call] = []
        self.pinned: dict[str, str] = {}
        self.notes: dict[str, None] = {}
        self.catching = False  # whether code that is followed may catch what numbers raise
        self.functions: dict[int, FunctionType] = {}
        self._varies: dict[int, tuple[bool, frozenset[str]]] = {}

    @property
    def me(self) -> Any:
        """The tracer that this is a part of."""
        return self

    def where(self) -> str:
        """``net.py:31``, or nothing where no source is known."""
        return "" if self.site is None else f" at {self.site}"

    def fail(self, message: str) -> TraceError:
        """A TraceError with the place, where the message says {at}, else at its end."""
        text = "" if self.site is None else f"\n    {self.site.text.strip().splitlines()[0]}"
        if "{at}" not in message:
            message += "{at}"
        return TraceError(message.replace("{at}", self.where()) + text)

    def _on_condition(self, a: Size, b: Size) -> None:
        why = self.reason or f"{a} must equal {b}"
        for one, other in ((a, b), (b, a)):
            if other.const is not None and one.const is None:
                self.pinned.setdefault(str(one), f"{why}{self.where()}")
        self.guards.append(Guard(f"{a} = {b}", self.site, size=(a, "==", b)))

    def pin(self, size: Size, why: str) -> int:
        """Fix a size at what it is here, and say why."""
        self.reason = why
        try:
            return self.graph.pin(size)
        finally:
            self.reason = ""

    def varies(self, node: Node) -> bool:
        """Whether a node depends on an input's values."""
        return self._about(node)[0]

    def axes_of(self, node: Node) -> frozenset[str]:
        """The axes whose sizes a node's value depends on, or may."""
        return self._about(node)[1]

    def looked_at(self, node: Node) -> bool:
        """Whether a look at a node must become a guard: it is no constant."""
        varies, axes = self._about(node)
        return varies or any(self.graph.size(Size.axis(a)).const is None for a in axes)

    def _about(self, node: Node) -> tuple[bool, frozenset[str]]:
        todo = [node]
        while todo:
            top = todo[-1]
            if top.number in self._varies:
                todo.pop()
                continue
            rest = [i for i in top.inputs if i.number not in self._varies]
            if rest:
                todo.extend(rest)
                continue
            below = [self._varies[i.number] for i in top.inputs]
            axes = _names(top.params).union(*(a for _, a in below), *(s.names for s in top.shape))
            self._varies[top.number] = top.op == "input" or any(v for v, _ in below), axes
            todo.pop()
        return self._varies[node.number]

    def fix(self, node: Node, why: str) -> None:
        """Pin every size that a node depends on."""
        for name in sorted(self.axes_of(node)):
            self.pin(Size.axis(name), why)

    def keep(self, node: Node, value: Any, what: str) -> None:
        """A guard: a node's value stays as it is here."""
        if self.looked_at(node):
            text = f"{what} stays as it is here"
            self.guards.append(Guard(text, self.site, node, np.array(value)))

    def real(self, node: Node) -> None:
        """A guard: every entry is a number, so that no exception is raised. Where the code may
        catch it, that is a look at the value: another path begins where it is raised."""
        if not self.looked_at(node):
            return
        if self.catching:
            what = " ".join(self.site.text.split())[:LONG] if self.site else "the code"
            text = f"{what} raises no exception"
            self.guards.append(Guard(text, self.site, node, True, not_raised))
        else:
            self.guards.append(Guard("it is a number", self.site, node, True, all_finite))


def all_finite(value: Any) -> bool:
    """Whether every entry is a number."""
    return bool(np.all(np.isfinite(value)))


def not_raised(value: Any) -> bool:
    """The same, where an exception would lead to another path."""
    return all_finite(value)


def _names(params: Any) -> frozenset[str]:
    """The axes in a node's parameters."""
    if isinstance(params, Size):
        return params.names
    if isinstance(params, tuple):
        return frozenset().union(*(_names(p) for p in params))
    return frozenset()
