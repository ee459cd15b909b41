"""Two graphs as one: inputs of one name are one input, and their axes are made the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from chainrule.errors import ShapeError
from chainrule.graph.node import Graph, Node, reached
from chainrule.graph.sizes import Size, show


@dataclass(frozen=True, eq=False)
class Joined:
    """inputs : name → node. first, second : the copies of the nodes that were given, in order.
    graph : of them all. axes : of each graph, an axis → the size that it was made of.
    """

    graph: Graph
    inputs: Mapping[str, Node]
    first: tuple[Node, ...]
    second: tuple[Node, ...]
    axes: tuple[Mapping[str, Size], Mapping[str, Size]]

    def size(self, size: Size, side: int = 0) -> Size:
        """A size of the first (0) or the second (1) graph, in the axes that are left."""
        return self.graph.size(size.put(self.axes[side]))


def joined(
    first: Sequence[Node],
    second: Sequence[Node],
    names: Mapping[str, str] | None = None,
    square: Collection[str] = (),
) -> Joined:
    """Copies of nodes of two graphs in a third one.

    names : an input of the second graph → the first one's that it is, where it has another name.
    square : inputs whose last two axes are one size, because their matrices are declared square.

    Raises ShapeError where an input of both has another number of axes, another kind, or another
    size where the graphs were made.
    """
    graph = Graph()
    inputs: dict[str, Node] = {}
    copies, both = [], []
    for number, nodes in enumerate((first, second)):
        axes: dict[str, Size] = {}
        for node in nodes:
            for axis, size in node.graph.env.items():
                if axis not in node.graph.axes:
                    axes[axis] = graph.axis(f"{axis}.′" if number else axis, size)
        both.append(axes)
        other = (names or {}) if number else {}
        copies.append(_copied(nodes, graph, axes, inputs, other, square))
    return Joined(graph, MappingProxyType(inputs), copies[0], copies[1], (both[0], both[1]))


def _copied(
    nodes: Sequence[Node],
    graph: Graph,
    axes: Mapping[str, Size],
    inputs: dict[str, Node],
    names: Mapping[str, str],
    square: Collection[str],
) -> tuple[Node, ...]:
    put: dict[Node, Node] = {}
    everything = list(reached(nodes))
    for node in everything:
        if node.op == "input":
            shape = tuple(s.put(axes) for s in node.shape)
            name = names.get(node.params[0], node.params[0])
            if name in square:
                graph.same(shape[-2], shape[-1], name)
            if name not in inputs:
                inputs[name] = graph.input(name, shape, node.kind)
                continue
            there = inputs[name]
            if there.ndim != len(shape) or there.kind != node.kind:
                raise ShapeError(f"{name} is {show(there.shape)} here and {show(shape)} there")
            for a, b in zip(there.shape, shape, strict=True):
                graph.same(a, b, name)
    for node in everything:
        if node.op == "input":
            put[node] = inputs[names.get(node.params[0], node.params[0])]
            continue
        params = tuple(_placed(node.graph, p, axes) for p in node.params)
        moved = Node(node.graph, node.op, node.inputs, params, node.shape, node.kind)
        if not node.inputs:
            shape = tuple(graph.size(s.put(axes)) for s in node.shape)
            put[node] = graph.make(node.op, (), _settled(graph, params), shape, node.kind)
        else:
            put[node] = graph.remade(moved, [put[i] for i in node.inputs])
    return tuple(put[n] for n in nodes)


def _placed(graph: Graph, param: object, axes: Mapping[str, Size]) -> object:
    if isinstance(param, Size):
        return graph.size(param).put(axes)
    if isinstance(param, tuple):
        return tuple(_placed(graph, p, axes) for p in param)
    return param


def _settled(graph: Graph, params: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(graph.size(p) if isinstance(p, Size) else p for p in params)


__all__ = ["Joined", "joined"]
