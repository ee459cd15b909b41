"""Where a graph may have a kink, or its domain an end, and whether a point lies there.

Every operation that is not smooth inside its domain is on one list, with what must not happen at
it. Exact values tell whether it happens; a value that is not sharp enough counts as if it did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from flint import arb

from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.infinite import endless
from chainrule.graph.node import Node, constant, reached
from chainrule.values.entries import HOLES

Kink = tuple[str, Node]  # what must not happen, and where


def switches(outputs: Sequence[Node]) -> list[Kink]:
    """(what must not happen, node) for the operations where a function may have a kink.

    >>> from chainrule.graph.node import Graph
    >>> g = Graph()
    >>> [what for what, _ in switches([g.call("abs", g.power(g.input("x", ()), 2))])]
    ['{0} = 0']
    """
    found: list[Kink] = []
    safe = nonnegative(outputs)
    for node in safe:
        if any(map(endless, node.inputs)):  # nothing real meets it
            continue
        if node.op in ("less", "equal", "reduce_max", "floor"):
            found.append((node.op, node))
        elif node.op in FUNCTIONS and FUNCTIONS[node.op].singular:
            found.append((FUNCTIONS[node.op].singular, node))
        elif node.op == "power" and node.params[0].denominator > 1 and node.params[0] > 0:
            if node.params[0] < 1 or not safe[node.inputs[0]]:
                found.append(("{0} = 0", node))
    return found


def nonnegative(outputs: Sequence[Node]) -> dict[Node, bool]:
    """For every node below, whether it is ≥ 0 wherever it is defined, by the look of it.

    The end of a root's domain is no edge of the function's then: nothing near by is outside.
    """
    known: dict[Node, bool] = {}
    for node in reached(outputs):
        known[node] = _nonnegative(node, known)
    return known


def _nonnegative(node: Node, known: Mapping[Node, bool]) -> bool:
    xs = node.inputs
    signs = [known[i] for i in xs]
    if node.kind == "b" or node.op in _NEVER_NEGATIVE:
        return True
    if node.op == "const":
        return node.params[0] != "array" and bool(constant(node) >= 0)
    if node.op == "power":
        q = node.params[0]
        return bool(q.denominator > 1 or q % 2 == 0 or signs[0])
    if node.op == "mul":
        return xs[0] is xs[1] or all(signs)
    if node.op == "contract":
        left = [p for p in zip(xs, node.params[0], strict=True) if not known[p[0]]]
        return all(left.count(p) % 2 == 0 for p in left)
    if node.op == "maximum":
        return any(signs)
    if node.op in ("index", "gather"):
        return signs[0]
    if node.op == "select":
        return signs[1] and signs[2]
    return node.op in _AS_INPUTS and all(signs)


_NEVER_NEGATIVE = ("exp", "exp2", "expit", "abs", "hypot", "size", "iota", "delta")
_AS_INPUTS = ("add", "div", "minimum", "reshape", "broadcast", "concat", "reduce_mul")


def at_a_kink(what: str, node: Node, xs: Sequence[np.ndarray]) -> bool:
    """Whether an operation is, or may be, at its kink for some entry; xs : its inputs in balls."""
    if what == "reduce_max":
        return _ties(node, xs[0])
    if what == "floor":
        return any(_holes(x) or bool(x.is_integer()) or x.contains_integer() for x in xs[0].flat)
    if what in ("less", "equal", "{0} = {1}"):
        if all(i.kind != "f" for i in node.inputs):
            return False
        return any(a is not b and _meet(a, b) for a, b in _pairs(*xs))
    if what == "{0} = {1} = 0":
        return any(_meet(a, 0) and _meet(b, 0) for a, b in _pairs(*xs))
    if what == "{0} = 0 and {1} ≤ 0":
        return any(_meet(a, 0) and (_holes(b) or not b > 0) for a, b in _pairs(*xs))
    if what == "{0} = ±1":
        return any(_meet(a, 1) or _meet(a, -1) for a in xs[0].flat)
    value = 1 if what == "{0} = 1" else 0
    return any(_meet(a, value) for a in xs[0].flat)


def near_a_kink(kinks: Iterable[Kink], found: Sequence[tuple[np.ndarray, np.ndarray]]) -> bool:
    """`at_a_kink` for any of them, told in float64 with its bounds.

    found : for the inputs of each kink's node in turn, the values and their bounds.
    """
    for what, node in kinks:
        xs, found = found[: len(node.inputs)], found[len(node.inputs) :]
        if all(i.kind != "f" for i in node.inputs):
            continue
        (x, e), *rest = [(np.asarray(v, float), b) for v, b in xs]
        if what == "reduce_max":
            if node.inputs[0].ndim == 0 or bool(np.any(~np.isfinite(e))):
                return True
            moved = np.moveaxis(x, node.params[0], range(x.ndim - len(node.params[0]), x.ndim))
            lines = np.sort(moved.reshape(*moved.shape[: x.ndim - len(node.params[0])], -1), -1)
            near = lines.shape[-1] > 1 and np.any(
                lines[..., -1] - lines[..., -2] <= 2 * np.max(e, initial=0.0)
            )
        elif rest and what not in ("{0} = 0 and {1} ≤ 0", "{0} = {1} = 0"):
            near = np.any(~(np.abs(x - rest[0][0]) > e + rest[0][1]))
        elif what == "floor":
            near = np.any(~(np.abs(x - np.rint(x)) > e))
        else:
            at = {"{0} = ±1": 1.0, "{0} = 1": 1.0}.get(what, 0.0)
            near = np.any(~(np.abs(np.abs(x) - at) > e))
        if bool(near):
            return True
    return False


def _pairs(a: np.ndarray, b: np.ndarray) -> list[tuple[Any, Any]]:
    left, right = np.broadcast_arrays(a, b)
    return list(zip(left.flat, right.flat, strict=True))


def _holes(x: Any) -> bool:
    return isinstance(x, HOLES)


def _meet(a: Any, b: Any) -> bool:
    return _holes(a) or _holes(b) or bool(a.overlaps(arb(b) if isinstance(b, int) else b))


def _ties(node: Node, x: np.ndarray) -> bool:
    gone = node.params[0]
    lines = np.moveaxis(x, gone, range(x.ndim - len(gone), x.ndim))
    lines = lines.reshape(-1, int(np.prod([x.shape[a] for a in gone])))
    for line in lines:
        if any(_holes(v) for v in line):
            return True
        top = max(line, key=lambda v: float(v.mid()), default=None)
        if any(v is not top and _meet(v, top) for v in line):
            return True
    return False
