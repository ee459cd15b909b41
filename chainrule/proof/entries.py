"""Entries: a node of the graph to the element of its entry at index variables of its own.

One rule for each primitive (for those that move entries see `structure`); a defined function goes
by its definition. What the rule of an operation on arrays does not cover is a function of its
inputs' arrays: equal inputs, equal values. What cannot be normalized at all is an atom by the
node's identity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chainrule.errors import ChainruleError
from chainrule.graph.node import DEFINED, Node
from chainrule.graph.sizes import Size
from chainrule.proof import functions
from chainrule.proof.algebra import Algebra
from chainrule.proof.elements import Element, Unknown
from chainrule.proof.indices import ZERO, Index, variable
from chainrule.proof.structure import STRUCTURE
from chainrule.proof.templates import closed
from chainrule.values.structure import definition


class Entries:
    """The rules, over one table of atoms.

    axes : node → its own index variables (0 where an axis has one place).
    """

    def __init__(self, algebra: Algebra) -> None:
        self.algebra: Algebra = algebra
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
        g = self.algebra
        values: dict[int, Index] = {}
        for i, w in zip(self.own(node), at, strict=True):
            self._matched(g.in_digits(i), w, values)
        return g.renamed(g.expanded(entry), values)

    def _matched(self, i: Index, w: Index, values: dict[int, Index]) -> None:
        """What the digits of an index are where it is another one."""
        g, digits = self.algebra, {b[0]: Size(dict(f)) for b, f in i[0]}
        while len(digits) > 1:
            highest = next(
                v
                for v, f in digits.items()
                if f != 1 and not any(h != f and h.exact_div(f) for h in digits.values())
            )
            values[highest], w = g.divided(w, digits.pop(highest))
        for v in digits:
            values[v] = w

    def unknown(self, node: Node) -> Element:
        """An entry of which nothing is known but which node it is of."""
        key = ("node", node.number)
        infinite = node.infinite != 0
        head = self.algebra.head("infinite", key) if infinite else self.algebra.head(*key)
        own = [self.algebra.in_digits(i) for i in self.own(node)]
        return self.algebra.gen(self.algebra.atom(head, own))

    def entry(self, node: Node, inputs: Mapping[Node, Element]) -> Element:
        """A node's entry from those of its inputs."""
        try:
            found = self.algebra.expanded(self.rule(node, inputs))
        except (Unknown, ChainruleError):  # over the budget, too
            found = self.algebra.expanded(self.unknown(node))
        self.axes[node] = [self.algebra.in_digits(i) for i in self.own(node)]
        return found

    def rule(self, node: Node, inputs: Mapping[Node, Element]) -> Element:
        """The same; raises Unknown, BudgetError."""

        def read(k: int, at: Sequence[Index]) -> Element:
            x = node.inputs[k]
            return self.read(x, inputs[x], at)

        own = self.own(node)
        if node.op in STRUCTURE:
            try:
                if node.infinite and not _bare(node):
                    raise Unknown("an infinity inside a sum")
                return STRUCTURE[node.op](self, node, own, read)
            except Unknown:
                return self.opaque(node, inputs)
        xs = []
        for k, x in enumerate(node.inputs):
            at = own[node.ndim - x.ndim :]
            here = [ZERO if s == 1 else i for s, i in zip(x.shape, at, strict=True)]
            xs.append(read(k, here))
        return self.elementwise(node, xs)

    def opaque(self, node: Node, inputs: Mapping[Node, Element]) -> Element:
        """Equal operations on equal arrays are equal."""
        g = self.algebra
        arrays = tuple(closed(g, inputs[x], self.own(x)) for x in node.inputs)
        shapes = tuple(tuple(s.terms for s in x.shape) for x in node.inputs)
        key = (node.op, _hashable(node.params), node.kind, arrays, shapes)
        kind = "flag" if node.kind == "b" else "infinite" if node.infinite else "array"
        head = g.head(kind, key)
        return g.gen(g.atom(head, [g.in_digits(i) for i in self.own(node)]))

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
                    made[n] = STRUCTURE["const"](self, n, [], lambda k, at: xs[0])
                else:
                    made[n] = self.elementwise(n, [made[i] for i in n.inputs])
        return made[value]


def _bare(node: Node) -> bool:
    """Whether the rule of a node shows an infinity as it is, and puts it into no other atom."""
    if node.op == "put":
        return all(part[0] == "at" or part[2] in (1, -1) for part in node.params[0])
    return node.op not in ("put_at", "scatter_add", "reduce_max", "reduce_mul")


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

__all__ = ["Entries"]
