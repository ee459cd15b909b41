"""How many places axes have at least, where a graph makes sense.

No size is below 0, and a constant place lies on its axis. A proof holds for such sizes alone: for
others the code does not run, or does something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chainrule.graph.node import Node, reached
from chainrule.graph.sizes import Size


def floors(nodes: Iterable[Node]) -> dict[str, int]:
    """Axis → how many places it has at least, for those with more than one.

    >>> from chainrule.graph.node import Graph
    >>> g = Graph({"n": 5})
    >>> x = g.input("x", (g.axis("n", 5),))
    >>> floors([g.index(x, (("at", Size.of(2)),))])
    {'n': 3}
    """
    out: dict[str, int] = {}
    for node in reached(nodes):
        for size in _sizes(node):
            rest = dict(node.graph.size(size).terms)
            constant = rest.pop((), 0)
            if len(rest) != 1:
                continue
            ((names, factor),) = rest.items()
            if len(names) == 1 and factor > 0 and -constant > factor:
                low = -(constant // factor)
                out[names[0]] = max(out.get(names[0], 1), low)
    return out


def _sizes(node: Node) -> Iterator[Size]:
    """Sizes that are 0 or more."""
    yield from node.shape
    if node.op in ("index", "put"):
        for part, size in zip(node.params[0], node.inputs[0].shape, strict=True):
            if part[0] == "at":
                yield part[1]
                yield size - 1 - part[1]


__all__ = ["floors"]
