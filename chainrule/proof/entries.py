"""Entries: a node of the graph to the element of its entry at index variables of its own.

One rule for each primitive; a defined function goes by its definition. What has no rule (a solve, a
determinant, the largest of an axis, a reshape that mixes axes) is a function of its inputs' arrays:
equal inputs, equal values. What cannot be normalized at all is an atom by the node's identity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.errors import ChainruleError
from chainrule.graph.node import DEFINED, Node, constant
from chainrule.graph.sizes import Size
from chainrule.proof import functions
from chainrule.proof.algebra import Algebra
from chainrule.proof.elements import ONE, Element, Unknown
from chainrule.proof.indices import ZERO, Index, affine, moved, variable
from chainrule.proof.sums import total
from chainrule.proof.templates import closed, opaque
from chainrule.values.structure import definition

#: (input number, where) → the entry of an input.
Read = Callable[[int, Sequence[Index]], Element]


class Entries:
    """The rules, over one table of atoms.

    axes : node → its own index variables (0 where an axis has one place).
    """

    def __init__(self, algebra: Algebra) -> None:
        self.algebra = algebra
        self.axes: dict[Node, list[Index]] = {}
        self.definitions: dict[tuple[Node, Any], tuple[list[Node], Node]] = {}

    def own(self, node: Node) -> list[Index]:
        """The index variables of a node's entry."""
        if node not in self.axes:
            self.axes[node] = [
                ZERO if s == 1 else variable(self.algebra.fresh(s)) for s in node.shape
            ]
        return self.axes[node]

    def read(self, node: Node, entry: Element, at: Sequence[Index]) -> Element:
        """A node's entry somewhere else."""
        values = {i[1]: w for i, w in zip(self.own(node), at, strict=True) if i[1]}
        return self.algebra.renamed(entry, values)

    def unknown(self, node: Node) -> Element:
        """An entry of which nothing is known but which node it is of."""
        head = self.algebra.head("node", node.number)
        return self.algebra.gen(self.algebra.atom(head, self.own(node)))

    def entry(self, node: Node, inputs: Mapping[Node, Element]) -> Element:
        """A node's entry from those of its inputs."""
        try:
            return self.rule(node, inputs)
        except (Unknown, ChainruleError):
            return self.unknown(node)

    def rule(self, node: Node, inputs: Mapping[Node, Element]) -> Element:
        """The same; raises Unknown, BudgetError."""

        def read(k: int, at: Sequence[Index]) -> Element:
            x = node.inputs[k]
            return self.read(x, inputs[x], at)

        own = self.own(node)
        if node.op in _STRUCTURE:
            return _STRUCTURE[node.op](self, node, own, read)
        if node.op in _OPAQUE:
            arrays = tuple(closed(self.algebra, inputs[x], self.own(x)) for x in node.inputs)
            shapes = tuple(tuple(s.terms for s in x.shape) for x in node.inputs)
            key = (node.op, _hashable(node.params), node.kind, arrays, shapes)
            head = self.algebra.head("flag" if node.kind == "b" else "array", key)
            return self.algebra.gen(self.algebra.atom(head, own))
        xs = []
        for k, x in enumerate(node.inputs):
            at = own[node.ndim - x.ndim :]
            here = [ZERO if s == 1 else i for s, i in zip(x.shape, at, strict=True)]
            xs.append(read(k, here))
        return self.elementwise(node, xs)

    def elementwise(self, node: Node, xs: list[Element]) -> Element:
        """An elementwise operation on entries."""
        g, op = self.algebra, node.op
        if op in DEFINED:
            return self.defined(node, xs)
        if op in _ELEMENTWISE:
            return _ELEMENTWISE[op](g, xs)
        if op == "power":
            return functions.power(g, xs[0], node.params[0])
        if op in functions.OPAQUE:
            return functions.other(g, op, xs[0], node.params)
        raise Unknown(f"no rule for {op}")

    def defined(self, node: Node, xs: list[Element]) -> Element:
        """A defined function by its definition, in a graph of its own."""
        arguments, value = definition(node.op)
        made: dict[Node, Element] = dict(zip(arguments, xs, strict=True))
        todo = [value]
        while todo:
            n = todo[-1]
            if n in made:
                todo.pop()
                continue
            missing = [i for i in n.inputs if i not in made]
            todo += missing
            if not missing:
                todo.pop()
                if n.op == "const":
                    made[n] = _const(self, n, [], lambda k, at: xs[0])
                else:
                    made[n] = self.elementwise(n, [made[i] for i in n.inputs])
        return made[value]


def _hashable(x: Any) -> Any:
    if isinstance(x, Size):
        return x.terms
    return tuple(map(_hashable, x)) if isinstance(x, tuple) else x


def _select(g: Algebra, xs: list[Element]) -> Element:
    return g.lifted(lambda c: _chosen(g, c, xs[1], xs[2]), xs[0])


def _chosen(g: Algebra, c: Element, a: Element, b: Element) -> Element:
    if not c.num:
        return b
    if c.key == g.number(1).key:
        return a
    return g.choose(c, a, b)


_ELEMENTWISE: dict[str, Callable[[Algebra, list[Element]], Element]] = {
    "add": lambda g, xs: g.add(xs[0], xs[1]),
    "mul": lambda g, xs: g.mul(xs[0], xs[1]),
    "div": lambda g, xs: g.mul(xs[0], g.inverse(xs[1])),
    "neg": lambda g, xs: g.neg(xs[0]),
    "exp": lambda g, xs: functions.exp(g, xs[0]),
    "log": lambda g, xs: functions.log(g, xs[0]),
    "sin": lambda g, xs: functions.circular(g, "sin", xs[0]),
    "cos": lambda g, xs: functions.circular(g, "cos", xs[0]),
    "less": lambda g, xs: functions.less(g, xs[0], xs[1]),
    "equal": lambda g, xs: functions.equal(g, xs[0], xs[1]),
    "not": lambda g, xs: g.add(g.number(1), g.neg(xs[0])),
    "and": lambda g, xs: g.mul(xs[0], xs[1]),
    "select": _select,
}

Rule = Callable[[Entries, Node, list[Index], Read], Element]


def _input(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    kind = {"b": "flag", "i": "whole", "f": "input"}[node.kind]
    return e.algebra.gen(e.algebra.atom(e.algebra.head(kind, node.params[0]), own))


def _const(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    g, how = e.algebra, node.params[0]
    if how == "number":
        return g.number(node.params[1])
    if how == "named" and node.params[1] == "e":
        return opaque(g, "exp", g.number(1), sign=2)
    if how == "named":
        return g.gen(g.atom(g.head("named", node.params[1], sign=2)))
    if how == "near":  # a real number near this float; the same float is the same number
        sign = 2 if constant(node) > 0 else 0
        return g.gen(g.atom(g.head("near", node.params[1], sign=sign)))
    value = np.asarray(constant(node))
    if node.kind != "f" and value.size and (value == value.flat[0]).all():
        return g.number(int(value.flat[0]))
    head = g.head("flag" if node.kind == "b" else "array", node.params)
    return g.gen(g.atom(head, own))


def _contract(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    labels, out = node.params
    at: dict[int, Index] = dict(zip(out, own, strict=True))
    bound = []
    for names, x in zip(labels, node.inputs, strict=True):
        for name, size in zip(names, x.shape, strict=True):
            if name not in at:
                if size == 1:
                    at[name] = ZERO
                    continue
                v = e.algebra.fresh(size)
                at[name] = variable(v)
                bound.append(v)
    value = e.algebra.number(1)
    for k, names in enumerate(labels):
        value = e.algebra.mul(value, read(k, [at[n] for n in names]))
    return total(e.algebra, value, bound)


def _index(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    at: list[Index] = []
    rest = iter(own)
    x = node.inputs[0]
    for part, size in zip(node.params[0], x.shape, strict=True):
        if part[0] == "at":
            place = part[1] if size != 1 else Size.of(0)
            at.append(affine(0, 0, node.graph.size(place)))
        else:
            at.append(moved(next(rest), part[2], node.graph.size(part[1])))
            if size == 1:
                at[-1] = ZERO
    return read(0, at)


def _broadcast(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    x = node.inputs[0]
    at = own[node.ndim - x.ndim :]
    return read(0, [ZERO if s == 1 else i for s, i in zip(x.shape, at, strict=True)])


def _reshape(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    x = node.inputs[0]
    old = [s for s in x.shape if s != 1]
    new = [(s, i) for s, i in zip(node.shape, own, strict=True) if s != 1]
    if old != [s for s, _ in new]:
        key = tuple(s.terms for s in node.shape)
        array = closed(e.algebra, read(0, e.own(x)), e.own(x))
        shape = tuple(s.terms for s in x.shape)
        head = e.algebra.head(
            "flag" if node.kind == "b" else "array", ("reshape", key, array, shape)
        )
        return e.algebra.gen(e.algebra.atom(head, own))
    places = iter(i for _, i in new)
    return read(0, [ZERO if s == 1 else next(places) for s in x.shape])


def _turned(e: Entries, x: Node, read: Read) -> tuple[Any, bool, bool]:
    """The key of A or Aᵀ, whichever comes first; whether it is of Aᵀ; whether both are the same."""
    places = e.own(x)
    turned = [*places[:-2], places[-1], places[-2]]
    key = closed(e.algebra, read(0, places), places)
    other = closed(e.algebra, read(0, turned), places)
    shape = tuple(s.terms for s in x.shape)
    return ((other if other < key else key), shape), other < key, other == key


def _solve(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    """Σₖ A⁻¹[i, k]·B[k, j]; the inverse of Aᵀ is that of A, turned."""
    g, a = e.algebra, node.inputs[0]
    n = a.ndim
    key, swap, same = _turned(e, a, read)
    straight = tuple(range(n))
    symmetries = [straight, (*straight[:-2], n - 1, n - 2)] if same else []
    v = g.fresh(a.shape[-1])
    k = ZERO if a.shape[-1] == 1 else variable(v)
    places = [*own[:-2], k, own[-2]] if swap else [*own[:-2], own[-2], k]
    inverse = g.gen(g.atom(g.head("inverse", key, symmetries), places))
    value = g.mul(inverse, read(1, [*own[:-2], k, own[-1]]))
    return value if k == ZERO else total(g, value, [v])


def _determinant(e: Entries, node: Node, own: list[Index], read: Read) -> Element:
    """The determinant of Aᵀ is that of A."""
    key = _turned(e, node.inputs[0], read)[0]
    return e.algebra.gen(e.algebra.atom(e.algebra.head(node.op, key), own))


_STRUCTURE: dict[str, Rule] = {
    "solve": _solve,
    "det": _determinant,
    "logdet": _determinant,
    "input": _input,
    "const": _const,
    "size": lambda e, node, own, read: e.algebra.size(node.graph.size(node.params[0])),
    "iota": lambda e, node, own, read: e.algebra.place(own[0]),
    "delta": lambda e, node, own, read: e.algebra.delta(
        moved(own[0], 1, Size.of(node.params[2])), own[1]
    ),
    "contract": _contract,
    "index": _index,
    "broadcast": _broadcast,
    "reshape": _reshape,
}
_OPAQUE = (
    "put",
    "gather",
    "scatter_add",
    "put_at",
    "concat",
    "reduce_mul",
    "reduce_max",
)

__all__ = ["ONE", "Entries"]
