"""What is known of nodes by their form, before anything is evaluated; by node number."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.graph.node import Node, constant
from chainrule.values import structure
from chainrule.values.ball import Ball


def is_short(value: float) -> bool:
    """Whether a float is read as exactly itself."""
    exactly = Ball.number(value)
    return exactly is not None and bool(exactly.is_exact())


#: Operations that make exact numbers of exact numbers, and are linear in one input at least.
RATIONAL = frozenset({"add", "neg", "mul", "div", "contract", *structure.MOVES})


def numeric(order: Sequence[Node]) -> set[int]:
    """Nodes that are exact numbers, whatever the inputs are."""
    out: set[int] = set()
    for n in order:
        if n.kind != "f":
            exact = all(i.number in out for i in n.inputs)
        elif n.op == "delta":
            exact = True
        elif n.op == "const":
            exact = n.params[0] == "number" or (n.params[0] == "near" and is_short(constant(n)))
        else:
            exact = n.op in RATIONAL and all(i.number in out for i in n.inputs)
        if exact:
            out.add(n.number)
    return out


def smooth(order: Sequence[Node]) -> dict[int, bool]:
    """Which nodes are smooth functions of real inputs, and of one at least; by node number."""
    rough = ("less", "equal", "floor", "select", "reduce_max", "not", "and")
    moving: dict[int, bool] = {}
    plain: dict[int, bool] = {}
    for n in order:
        plain[n.number] = n.op not in rough and all(plain[i.number] for i in n.inputs)
        moving[n.number] = (n.op == "input" and n.kind == "f") or any(
            moving[i.number] for i in n.inputs
        )
    return {k: plain[k] and moving[k] for k in plain}


def signs(order: Sequence[Node]) -> dict[int, int]:
    """What is known of values by form, by node number: 2 positive, 1 not negative, 0 nothing."""
    out: dict[int, int] = {}
    for n in order:
        xs = [out[i.number] for i in n.inputs]
        least = min(xs, default=0)
        if n.op == "const" and n.params[0] != "array":
            sign = 2 if constant(n) > 0 else int(constant(n) == 0)
        elif n.op == "exp":
            sign = 2
        elif n.op == "power":
            even = n.params[0].denominator == 1 and n.params[0] % 2 == 0
            sign = max(xs[0], int(even or n.params[0].denominator > 1))
        elif n.op == "mul" and n.inputs[0] is n.inputs[1]:
            sign = max(least, 1)
        elif n.op == "add":
            sign = max(xs) if least else 0
        elif n.op in ("mul", "div"):
            sign = least
        elif n.op == "contract":
            labels = n.params[0]
            square = len(n.inputs) == 2 and n.inputs[0] is n.inputs[1] and labels[0] == labels[1]
            summed = {x for names in labels for x in names} - {*n.params[1]}
            sign = max(min(least, 1) if summed else least, int(square))  # a sum may be empty
        elif n.op in ("reshape", "broadcast", "index", "concat", "put", "gather"):
            sign = min(out[i.number] for i in structure.split(n, n.inputs)[0])
        else:
            sign = int(n.kind == "b" or n.op in ("size", "iota", "delta"))
        out[n.number] = sign
    return out


def formed(order: Sequence[Node], numeric: set[int]) -> dict[int, bool]:
    """Nodes whose exponents an exp, sin or cos needs; whether they are linear in their inputs'."""
    out: dict[int, bool] = {}
    for n in reversed(order):
        if n.op in ("exp", "sin", "cos"):
            out.setdefault(n.inputs[0].number, False)
        if n.number not in out or n.kind != "f":
            continue
        others = [i for i in n.inputs if i.number not in numeric]
        product = n.op in ("mul", "contract") and len(others) > 1
        bar = n.op == "div" and n.inputs[1].number not in numeric
        if n.op not in (*RATIONAL, "select") or product or bar:
            continue
        out[n.number] = True
        moved = structure.split(n, n.inputs)[0] if n.op in structure.MOVES else n.inputs
        for i in moved[1:] if n.op == "select" else moved:
            out.setdefault(i.number, False)
    return out
