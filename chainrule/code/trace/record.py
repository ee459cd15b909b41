"""What a trace holds: frozen data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from chainrule.code.source import Site
from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import Size


@dataclass(frozen=True)
class Event:
    """A name was bound to a node, or a function returned one, in the order of the run.

    kind : assign, argument, return, store (into an array: node is the array afterwards).
    name : the name, or the function's for a return. version : counts bindings within a call.
    frame : which call, from 0 in the order of entering. loops : the turns that it happened in,
        outermost first: (site of the loop, turn from 1).
    """

    kind: Literal["assign", "argument", "return", "store"]
    name: str
    version: int
    node: Node
    site: Site
    frame: int
    loops: tuple[tuple[Site, int], ...] = ()


@dataclass(frozen=True)
class Call:
    """A call of a user's function whose result is one array or scalar.

    function : its qualified name; `name` the last part. arguments : (name, node) of those that are
    traced. frame : which call, and `caller` from which one (−1: from outside).
    """

    function: str
    arguments: tuple[tuple[str, Node], ...]
    result: Node
    site: Site
    frame: int
    caller: int

    @property
    def name(self) -> str:
        """The function's own name."""
        return self.function.split(".")[-1]


@dataclass(frozen=True, eq=False)
class Guard:
    """What the run looked at: the trace holds where it comes out as it did.

    text : as a person reads it ("z[0, 1] < 0.0 is false"). site : where, if known.
    node, value : the condition in the graph and what it was (a number or an array); None for sizes.
    how : what was asked of the node's value, if it is not the value itself (argmax).
    size : the two sizes compared and how, where sizes were looked at.
    """

    text: str
    site: Site | None
    node: Node | None = None
    value: Any = None
    how: Callable[[Any], Any] | None = None
    size: tuple[Size, str, Size] | None = None


@dataclass(frozen=True, eq=False)
class Trace:
    """A function as mathematics, for the path that it took.

    function : its name. graph : the literal operations.
    inputs : place ("x", "W1", "net.W1") → its input node, arguments first.
    outputs : key → node: "" where one array is returned; else the dict's keys or positions.
    names : node → the name that the user gave it first. calls, events, guards : in order.
    pinned : axis or size that the path fixes, as text → why.
    notes : what a reader must know ("float32 inputs are followed in float64").
    literals : numbers of many digits that stand in the source, and not in some place.
    sizes : axis → its size at the point of the trace.
    """

    function: str
    graph: Graph
    inputs: Mapping[str, Node]
    outputs: Mapping[str, Node]
    names: Mapping[Node, str]
    calls: tuple[Call, ...] = ()
    events: tuple[Event, ...] = ()
    guards: tuple[Guard, ...] = ()
    pinned: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    literals: frozenset[float] = frozenset()

    def __post_init__(self) -> None:
        for name in ("inputs", "outputs", "names", "pinned"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def sizes(self) -> Mapping[str, int]:
        """Axis → its size at the point of the trace."""
        return MappingProxyType(self.graph.env)
