"""Whether nodes of different graphs are the same operations: a digest of all that a node is.

Inputs count by their names, sizes by the axes of inputs that they are (what an axis is called is
chance), constants by their bytes. Equal digests are equal operations on equal inputs, in the same
order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from chainrule.graph.node import Node, reached
from chainrule.graph.sizes import Size


def fingerprints(
    nodes: Iterable[Node], inputs: Mapping[str, Node] | None = None
) -> dict[Node, bytes]:
    """Node → its digest, for the nodes and all that they need.

    inputs : every input of the graph: an axis counts as the first place where it stands there.
        Without them it counts by its name.

    >>> from chainrule.graph.node import Graph
    >>> g, h = Graph(), Graph()
    >>> a = g.call("exp", g.input("x", ()))
    >>> made = h.number(2)
    >>> b = h.call("exp", h.input("x", ()))
    >>> fingerprints([a])[a] == fingerprints([b])[b]
    True
    """
    found: dict[Node, bytes] = {}
    axes = _axes(inputs or {})
    for node in reached(nodes):
        digest = hashlib.blake2b(digest_size=16)
        params, shape = _told(node, node.params, axes), _told(node, node.shape, axes)
        for part in (node.op, node.kind, params, shape):
            digest.update(part.encode() + b"\x00")
        for i in node.inputs:
            digest.update(found[i])
        found[node] = digest.digest()
    return found


def _axes(inputs: Mapping[str, Node]) -> dict[str, Size]:
    """Axis → where it stands first: ``x.0``."""
    found: dict[str, Size] = {}
    for name in sorted(inputs):
        node = inputs[name]
        for k, size in enumerate(node.graph.size(s) for s in node.shape):
            for axis in size.names:
                if size == Size.axis(axis):
                    found.setdefault(axis, Size.axis(f"{name}.{k}"))
    return found


def _told(node: Node, param: Any, axes: Mapping[str, Size]) -> str:
    """A parameter as text that says its type."""
    if isinstance(param, Size):
        return f"size {node.graph.size(param).put(axes)!r}"
    if isinstance(param, tuple):
        return f"({','.join(_told(node, p, axes) for p in param)})"
    if isinstance(param, bytes):
        return f"bytes {hashlib.blake2b(param, digest_size=16).hexdigest()}"
    if isinstance(param, Fraction | int | str | float) or param is None:
        return f"{type(param).__name__} {param!r}"
    raise TypeError(f"a parameter of the type {type(param).__name__} has no digest")


__all__ = ["fingerprints"]
