"""What nodes need to be defined, and where they switch, operation by operation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from chainrule.graph import infinite
from chainrule.graph.node import Node, constant, reached

Kind = Literal[
    "nonzero",
    "nonnegative",
    "positive",
    "inside",
    "switch",
    "apart",
    "largest",
    "singular",
    "finite",
]


@dataclass(frozen=True)
class Condition:
    """What a proof leaves open: it holds where all of these hold, at every entry.

    kind : "nonzero" (a denominator), "nonnegative" (a radicand), "positive" (below a log, or a
    radicand below a bar), "inside" (a log1p, arcsin or the like: its argument lies inside the
    domain), "switch" (the proof holds there too, but the function may have a kink or a jump where
    this switches), "apart" (nothing is claimed where this switches), "largest" (the largest entry
    of an axis; a kink where two are equal), "singular" (a matrix that must not be), "finite" (it
    must be no infinity: a row of a mask that hides all of it).
    node : of what.
    """

    kind: Kind
    node: Node


def conditions(nodes: Iterable[Node], apart: bool = False) -> Iterator[Condition]:
    """What nodes need to be defined, and where they switch, operation by operation."""
    nodes = list(nodes)
    ends = [Condition("finite", n) for n in nodes if n.infinite]
    for n in dict.fromkeys([*(c for node in reached(nodes) for c in _needs(node)), *ends]):
        if not _plainly(n):
            yield Condition("apart", n.node) if apart and n.kind == "switch" else n


def _needs(node: Node) -> Iterator[Condition]:
    op, xs = node.op, node.inputs
    if any(map(infinite.endless, xs)) and op in ("less", "equal", "maximum", "minimum"):
        pass  # nothing real meets ∞
    elif op == "div":
        yield Condition("nonzero", xs[1])
    elif op == "power":
        p = node.params[0]
        if p.denominator > 1:
            yield Condition("nonnegative" if p > 0 else "positive", xs[0])
        elif p < 0:
            yield Condition("nonzero", xs[0])
    elif op in ("log", "log2", "log10", "pow"):
        yield Condition("positive", xs[0])
    elif op in ("log1p", "arccosh", "arctanh", "tan", "arcsin", "arccos", "lgamma", "polygamma"):
        yield Condition("inside", node)
    elif op in ("less", "equal", "abs", "sign", "floor", "maximum", "minimum", "arctan2", "cbrt"):
        yield Condition("switch", node)
    elif op == "reduce_max":
        yield Condition("largest", node)
    elif op in ("solve", "logdet"):
        yield Condition("singular", xs[0])
    yield from (Condition("finite", x) for x in infinite.needs(node))


def _plainly(c: Condition) -> bool:
    """Whether a condition holds by the look of its node."""
    if c.kind not in ("nonzero", "nonnegative", "positive"):
        return False
    number = c.node.op == "const" and c.node.params[0] in ("number", "near", "named")
    exponential = c.node.op == "exp" and not c.node.inputs[0].infinite  # exp(−∞) is 0
    return exponential or (number and constant(c.node) > 0)


__all__ = ["Condition", "Kind", "conditions"]
