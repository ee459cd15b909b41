"""The derivative of elementwise operations: a slope for each input, for both directions.

The slope of a function is its row's in `graph.functions`; what is multiplied by it is multiplied
here, so that 1·x, 0·x and a slope where a selection does not take it are never written.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from chainrule.graph.derivative.simplify import Lean
from chainrule.graph.derivative.written import fraction
from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.node import LEAVES, Node

#: What has no derivative but 0: conditions and whole numbers; and what has no inputs.
CONSTANT = frozenset((*LEAVES, "less", "equal", "not", "and", "floor"))


def times_slope(lean: Lean, node: Node, k: int, t: Node) -> Node | None:
    """t ⊙ ∂(node)/∂(input k) of an elementwise operation, entry by entry; None where that is 0."""
    zero = lean.number(0)
    if node.op == "add":
        return t
    if node.op == "neg":
        return lean.neg(t)
    if node.op == "select":
        return lean.select(node.inputs[0], *((t, zero) if k == 1 else (zero, t)))
    if node.op == "div" and k == 0:
        return lean.div(t, node.inputs[1])
    if node.op == "div":
        a, b = node.inputs
        if fraction(a) is None:
            return lean.neg(lean.div(lean.mul(t, node), b))
        return lean.neg(lean.div(lean.mul(lean.real(a), t), lean.power(b, 2)))
    if node.op == "mul":
        return lean.mul(t, node.inputs[1 - k])
    if node.op == "power" and node.params[0]:
        return power_rule(lean, t, node.inputs[0], node.params[0])
    if node.op not in FUNCTIONS:
        return None
    slope = FUNCTIONS[node.op].slopes[k](lean, node, *node.inputs)
    return None if lean.is_zero(slope) else lean.mul(t, slope)


def shortcut(node: Node) -> tuple[Node, Node, Fraction, Fraction] | None:
    """root, s, p, q where a node is root to the q and root is s to the p, which is s to the p·q.

    That is so for s ≥ 0 where p is no integer (root is undefined elsewhere), and for |s| (p = 1) to
    an even q.
    """
    if node.op == "mul" and node.inputs[0] is node.inputs[1]:
        q = Fraction(2)
    elif node.op == "power" and node.params[0] > 0:
        q = node.params[0]
    else:
        return None
    root = node.inputs[0]
    if root.op == "abs" and q.denominator == 1 and q % 2 == 0:
        p = Fraction(1)
    elif root.op == "power" and root.params[0] > 0 and root.params[0].denominator > 1:
        p = root.params[0]
    else:
        return None
    return (root, root.inputs[0], p, q) if root.inputs[0].kind == "f" else None


def power_rule(lean: Lean, t: Node, x: Node, exponent: Fraction) -> Node:
    """t ⊙ the slope of x to an exponent."""
    scaled = lean.mul(lean.number(exponent), t)
    return scaled if exponent == 1 else lean.mul(scaled, lean.power(x, exponent - 1))


def elementwise_back(
    lean: Lean, node: Node, bar: Node, extra: int, wanted: Sequence[int]
) -> list[Node | None]:
    out: list[Node | None] = []
    for k in wanted:
        if node.op == "select" and k == 0:
            out.append(None)
            continue
        t = times_slope(lean, node, k, bar)
        out.append(None if t is None else lean.unbroadcast(t, node.inputs[k].shape, extra))
    return out


def elementwise_push(lean: Lean, node: Node, dots: Sequence[Node | None]) -> Node | None:
    """The tangent, up to broadcasting to the shape of the node."""
    if node.op == "select":
        a, b = (lean.number(0) if d is None else d for d in dots[1:])
        return None if lean.is_zero(a) and lean.is_zero(b) else lean.select(node.inputs[0], a, b)
    total: Node | None = None
    for k, dot in enumerate(dots):
        t = None if dot is None else times_slope(lean, node, k, dot)
        if t is not None:
            total = t if total is None else lean.add(total, t)
    return None if total is None or lean.is_zero(total) else total
