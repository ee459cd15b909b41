"""Where −∞ and +∞ may be: constants of a graph that are no real numbers.

A mask that is −∞ is an element of the extended reals, with NumPy's rules: x + (−∞) = −∞,
exp(−∞) = 0, max(−∞, x) = x, −∞ < x. What NumPy calls nan, (−∞) − (−∞) and 0·(−∞), has no value.
Each node knows which of the two its entries may be, from its inputs alone: `NONE` is sure, the
others are not. What must hold for that (the largest entry of a masked row is no −∞ where one entry
is left) is `needs`: whoever proves something must say so.

Imports nothing of chainrule at run time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.graph.node import Node

NONE, BELOW, ABOVE = 0, 1, 2  # surely finite; may be −∞; may be +∞; both: BELOW | ABOVE

#: Operations whose entries are entries of their inputs.
MOVED = ("reshape", "broadcast", "index", "put", "gather", "put_at", "concat")


def signs(op: str, inputs: Sequence[Node], params: tuple[Any, ...]) -> int:
    """Which infinities the entries of an operation may be, where all of its `needs` hold."""
    if op == "const":
        return (ABOVE if params[1] > 0 else BELOW) if params[0] == "infinite" else NONE
    xs = [x.infinite for x in inputs]
    if not any(xs):
        return NONE
    if op == "neg":
        return _turned(xs[0])
    if op == "select":
        return xs[1] | xs[2]
    if op in ("add", *MOVED):
        return _union(xs)
    if op == "mul":
        return _scaled(xs[0], inputs[1]) | _scaled(xs[1], inputs[0])
    if op == "div":
        return _scaled(xs[0], inputs[1])
    if op == "contract":
        return xs[0] if moves(inputs, params) else NONE
    if op == "maximum":
        return (xs[0] & xs[1] & BELOW) | (_union(xs) & ABOVE)
    if op == "minimum":
        return (xs[0] & xs[1] & ABOVE) | (_union(xs) & BELOW)
    return NONE


def needs(node: Node) -> Iterator[Node]:
    """What must be finite for a node surely to have a value."""
    op, inputs = node.op, node.inputs
    xs = [x.infinite for x in inputs]
    if not any(xs):
        return
    if op in ("neg", "select", "maximum", "minimum", *MOVED):
        return
    if op == "contract" and moves(inputs, node.params):
        return
    if op == "add":
        if xs[0] & _turned(xs[1]):
            yield inputs[1]
    elif op == "mul":
        for x, y in (inputs, inputs[::-1]):
            if x.infinite and not positive(y):
                yield x
    elif op == "div":  # that the denominator is not 0 is said of every division
        if xs[1]:
            yield inputs[1]
    elif op in ("less", "equal"):
        if xs[0] & xs[1]:
            yield inputs[1]
    elif op == "reduce_max" and xs[0] == BELOW:
        yield node
    elif op in ("exp", "logaddexp") and not _union(xs) & ABOVE:
        if op == "logaddexp" and all(xs):
            yield inputs[1]
    else:
        yield from (x for x in inputs if x.infinite)


def moves(inputs: Sequence[Node], params: tuple[Any, ...]) -> bool:
    """Whether a contraction only turns axes round, or takes a diagonal."""
    labels, out = params
    return len(inputs) == 1 and {*labels[0]} <= {*out}


def positive(node: Node) -> bool:
    """Whether a node is a constant above 0 by its form."""
    if node.op == "const":
        how, value = node.params[0], node.params[1]
        if how == "number":
            return bool(value > 0)
        return how == "named" or (how == "near" and float.fromhex(value) > 0)
    if node.op == "power":
        return node.params[0] != Fraction(0) and positive(node.inputs[0])
    if node.op in ("mul", "div", "broadcast", "reshape"):
        return all(map(positive, node.inputs))
    return node.op == "size"


def endless(node: Node) -> bool:
    """Whether every entry is ∞, or −∞: no real number is near it."""
    while node.op in ("broadcast", "reshape", "neg"):
        node = node.inputs[0]
    return node.op == "const" and node.params[0] == "infinite"


def _turned(x: int) -> int:
    return (ABOVE if x & BELOW else 0) | (BELOW if x & ABOVE else 0)


def _union(xs: Sequence[int]) -> int:
    out = NONE
    for x in xs:
        out |= x
    return out


def _scaled(x: int, by: Node) -> int:
    return x if not x or positive(by) else BELOW | ABOVE
