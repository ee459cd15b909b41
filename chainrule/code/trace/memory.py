"""Which memory holds which node: views and aliases followed by the arrays themselves.

Every array that the tracer knows belongs to a buffer, found by the array that owns the memory. A
view is the chain of index, reshape and transposition that leads to it, so that reading it again
after a write sees the write, and writing through it writes the buffer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.graph.node import LEAVES, Graph, Node, reached


@dataclass
class Buffer:
    """Memory with its present node. whole : the array that is all of it; owner : who owns it."""

    owner: Any
    whole: np.ndarray
    node: Node
    writes: int = 0


@dataclass
class Record:
    """An array: a buffer, and the operations that lead from the buffer's node to its own."""

    buffer: Buffer
    chain: tuple[Node, ...] = ()
    seen: tuple[int, Node] | None = field(default=None)


class NotAView(Exception):
    """A node that is no chain of index, reshape and transposition of another."""


def owner_of(array: Any) -> Any:
    """The array at the end of `.base`; `as_strided` has a holder of its own between the two."""
    while True:
        base = array.base
        if not isinstance(base, np.ndarray):
            base = getattr(base, "base", None)
        if not isinstance(base, np.ndarray):
            return array
        array = base


def is_link(node: Node) -> bool:
    """Whether a node only looks at entries of its one input, in another order or shape."""
    if node.op in ("index", "reshape"):
        return True
    if node.op == "gather":
        return all(
            i.op in LEAVES and i.op != "input" for i in reached(node.inputs[1:]) if not i.inputs
        )
    whole = node.op == "contract" and len(node.inputs) == 1
    return whole and len(node.params[1]) == node.inputs[0].ndim


def chain_between(node: Node, start: Node) -> tuple[Node, ...]:
    """The links from `start` to `node`, first one first. Raises NotAView."""
    links: list[Node] = []
    while node is not start:
        if not is_link(node) and node.op != "broadcast":
            raise NotAView
        links.append(node)
        node = node.inputs[0]
    return tuple(reversed(links))


def value_of(graph: Graph, record: Record) -> Node:
    """The node of an array as it is now."""
    buffer = record.buffer
    if record.seen is None or record.seen[0] != buffer.writes:
        node = buffer.node
        for link in record.chain:
            node = graph.remade(link, [node, *link.inputs[1:]])
        record.seen = (buffer.writes, node)
    return record.seen[1]


def store(graph: Graph, record: Record, value: Node) -> None:
    """The array's entries become `value` (of its shape): the buffer is written through the view.

    Raises NotAView for a view that repeats entries.
    """
    buffer, before = record.buffer, [record.buffer.node]
    for link in record.chain:
        before.append(graph.remade(link, [before[-1], *link.inputs[1:]]))
    for link, old in zip(reversed(record.chain), reversed(before[:-1]), strict=True):
        if link.op == "index":
            value = graph.put(old, value, link.params[0])
        elif link.op == "reshape":
            value = graph.reshape(value, old.shape)
        elif link.op == "contract":
            labels, out = link.params[0][0], link.params[1]
            value = graph.transpose(value, [out.index(x) for x in labels])
        elif link.op == "gather" and all(i.op == "const" for i in link.inputs[1:]):
            value = graph.put_at(old, value, *link.inputs[1:])
        else:
            raise NotAView
    buffer.node = value
    buffer.writes += 1
