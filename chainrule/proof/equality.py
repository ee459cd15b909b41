"""Are two nodes of a graph the same function, for every size? *Proved* or *don't know*.

The graph is read once, inputs first. A *barrier* (a sum, or an entry that has grown long) is cut:
it becomes one atom, named by its normal form over earlier atoms, so that equal stages of the two
sides are one atom and cost grows linearly with depth. Each barrier is named a second time with the
barriers below it opened, and is made one with an earlier one of that name. If the ends differ, the
whole is read again with more barriers opened, and at last with none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from chainrule.errors import BudgetError, ShapeError
from chainrule.graph.node import Node, constant, reached
from chainrule.graph.sizes import show
from chainrule.proof import polynomials as po
from chainrule.proof.algebra import Algebra
from chainrule.proof.elements import Element, Unknown
from chainrule.proof.entries import Entries
from chainrule.proof.indices import Index
from chainrule.proof.templates import opaque, oriented, template

#: Terms above which an entry is cut, at each depth; the last is for no cuts at all.
LONG = 40
BUDGET = 400_000
DEPTHS = (0, 1, 2, 64)
DELTAS = 6


@dataclass(frozen=True)
class Condition:
    """What a proof leaves open: it holds where all of these hold, at every entry.

    kind : "nonzero" (a denominator), "nonnegative" (a radicand), "positive" (below a log, or a
    radicand below a bar; for arcsin and the like: the inside of its domain), "switch" (the proof
    holds there too, but the function may have a kink or a jump where this switches), "apart"
    (nothing is claimed where this switches), "largest" (the largest entry of an axis; a kink where
    two are equal), "singular" (a matrix that must not be).
    node : of what.
    """

    kind: Literal["nonzero", "nonnegative", "positive", "switch", "apart", "largest", "singular"]
    node: Node


@dataclass(frozen=True)
class Proof:
    """That two nodes are the same real function wherever both are defined, for every size.

    equal : True, or False for *don't know*. reason : why not, where equal is False.
    conditions : what both sides need to be defined, and where they switch. depth : how many
    barriers were opened. products : term products spent.
    """

    equal: bool
    reason: str = ""
    conditions: tuple[Condition, ...] = ()
    depth: int = 0
    products: int = 0


def prove_equal(a: Node, b: Node, *, apart: bool = False, budget: int = BUDGET) -> Proof:
    """Whether two nodes of one graph are one function for every size.

    apart : leave out where a comparison of smooth functions of the inputs switches; the proof then
    says nothing there, and its conditions have the kind "apart" in place of "switch".
    budget : term products for each of the readings.

    >>> from chainrule.graph.node import Graph
    >>> g = Graph({"n": 3})
    >>> x = g.input("x", (g.axis("n", 3),))
    >>> left = g.einsum("i,j->", x, x)
    >>> prove_equal(left, g.power(g.sum(x, [0]), 2)).equal
    True
    >>> prove_equal(left, g.einsum("i,i->", x, x)).equal
    False
    """
    if a.graph is not b.graph:
        raise ShapeError("the nodes belong to different graphs; see joined")
    if a.shape != b.shape:
        return Proof(False, f"the shapes differ: {show(a.shape)} and {show(b.shape)}")
    spent, reason = 0, "the normal forms differ"
    for depth in DEPTHS:
        reading = _Reading(depth, budget, apart)
        try:
            same = reading.same(a, b)
        except (BudgetError, Unknown, RecursionError) as why:
            same, reason = False, str(why)
        spent += reading.algebra.products
        if reading.algebra.products > budget:
            reason = f"more than {budget:,} term products"
        if same:
            return Proof(True, "", tuple(conditions((a, b), apart)), depth, spent)
    return Proof(False, reason, (), DEPTHS[-1], spent)


class _Reading:
    """One pass over the graph with so many barriers opened."""

    def __init__(self, depth: int, budget: int, apart: bool) -> None:
        self.depth = depth
        self.algebra = Algebra(budget, apart)
        self.entries = Entries(self.algebra)
        self.named: dict[Any, tuple[Node, tuple[Index, ...]]] = {}

    def same(self, a: Node, b: Node) -> bool:
        """Whether the entries agree."""
        if a is b:
            return True
        depth = min(self.depth, 2)
        seen: list[dict[Node, Element]] = [{} for _ in range(max(depth, 1) + 1)]
        full: list[dict[Node, Element]] = [{} for _ in seen]
        uncut = self.depth > 2
        for node in reached([a, b]):
            self.read(node, seen, full, uncut)
        e = self.entries
        for made in (seen, full):  # an end may be a barrier, or a barrier turned round
            other = self.algebra.neg(e.read(b, made[depth][b], e.own(a)))
            if self.zero(self.algebra.add(made[depth][a], other), DELTAS):
                return True
        return False

    def read(
        self,
        node: Node,
        seen: list[dict[Node, Element]],
        full: list[dict[Node, Element]],
        uncut: bool,
    ) -> None:
        """One node at every depth."""
        e = self.entries
        for d in range(len(seen)):
            full[d][node] = e.entry(node, seen[d])
        if uncut:
            for d in range(len(seen)):
                seen[d][node] = full[d][node]
            return
        summing = node.op == "solve" or (node.op == "contract" and _sums(node))
        if not summing and len(full[0][node].num) <= LONG:
            seen[0][node] = full[0][node]
        else:
            seen[0][node] = self.cut(node, full[0][node], full[1][node], seen[0])
        for d in range(1, len(seen)):
            if summing:
                seen[d][node] = full[d - 1][node]
            elif len(full[d][node].num) <= LONG * 4:
                seen[d][node] = full[d][node]
            else:
                seen[d][node] = seen[d - 1][node]

    def cut(self, node: Node, coarse: Element, fine: Element, seen: dict[Node, Element]) -> Element:
        """The entry as one atom, times what all its terms have in common."""
        g, e = self.algebra, self.entries
        try:
            if len(fine.num) <= LONG * 4:
                t = template(g, fine)
                if t.key in self.named:
                    other, args = self.named[t.key]
                    values = {i[1]: w for i, w in zip(args, t.args, strict=True) if i[1]}
                    if {i[1] for i in e.own(other) if i[1]} <= values.keys():
                        return g.renamed(seen[other], values)
                else:
                    if all(i[0] == 1 and not i[2] for i in t.args if i[1]):
                        self.named[t.key] = (node, t.args)
            if not coarse.num:
                return coarse
            lead, shift, q = po.normal(coarse.num)
            out = g.number(lead)
            if len(q) > 1:
                t, flipped = oriented(g, Element(q))
                head = g.head("cut", t.key, t.symmetries, g.sign_of(t.body.num), t.body)
                atom = g.gen(g.atom(head, t.args))
                out = g.mul(out, g.neg(atom) if flipped else atom)
            for x, n in shift:  # a sum must not be opened later
                sign = g.heads[g.of[x][0]].sign
                one = opaque(g, "cut", g.gen(x), sign) if g.kind(x) == "sum" else g.gen(x)
                ((m, c),) = one.num.items()
                out = g.mul(out, Element({po.raised(m, n): c}))
            return g.mul(out, Element(g.number(1).num, coarse.den)) if coarse.den else out
        except (BudgetError, Unknown):
            return e.unknown(node)

    def zero(self, d: Element, deltas: int) -> bool:
        """Whether a difference is 0; where places may meet, both cases."""
        if not d.num:
            return True
        for x in po.atoms_of([d.num]):
            head, args = self.algebra.of[x]
            plain = self.algebra.heads[head].kind == "delta" and deltas
            if plain and all(i[0] == 1 and not i[2] and i[1] > 0 for i in args):
                apart = self.algebra.at_bit(d, x, 0)
                meet = self.algebra.renamed(d, {args[0][1]: args[1]})
                return self.zero(apart, deltas - 1) and self.zero(meet, deltas - 1)
        return False


def _sums(node: Node) -> bool:
    labels, out = node.params
    return any(
        name not in out and size != 1
        for names, x in zip(labels, node.inputs, strict=True)
        for name, size in zip(names, x.shape, strict=True)
    )


def conditions(nodes: Iterable[Node], apart: bool = False) -> Iterator[Condition]:
    """What nodes need to be defined, and where they switch, operation by operation."""
    for n in dict.fromkeys(c for node in reached(nodes) for c in _needs(node)):
        if not _plainly(n):
            yield Condition("apart", n.node) if apart and n.kind == "switch" else n


def _needs(node: Node) -> Iterator[Condition]:
    op, xs = node.op, node.inputs
    if op == "div":
        yield Condition("nonzero", xs[1])
    elif op == "power":
        p = node.params[0]
        if p.denominator > 1:
            yield Condition("nonnegative" if p > 0 else "positive", xs[0])
        elif p < 0:
            yield Condition("nonzero", xs[0])
    elif op in ("log", "log2", "log10", "log1p", "pow", "arccosh", "arctanh", "tan"):
        yield Condition("positive", node if op in ("log1p", "arccosh", "arctanh", "tan") else xs[0])
    elif op in ("arcsin", "arccos", "lgamma", "polygamma"):
        yield Condition("positive", node)
    elif op in ("less", "equal", "abs", "sign", "floor", "maximum", "minimum", "arctan2", "cbrt"):
        yield Condition("switch", node)
    elif op == "reduce_max":
        yield Condition("largest", node)
    elif op in ("solve", "logdet"):
        yield Condition("singular", xs[0])


def _plainly(c: Condition) -> bool:
    """Whether a condition holds by the look of its node."""
    if c.kind not in ("nonzero", "nonnegative", "positive"):
        return False
    number = c.node.op == "const" and c.node.params[0] in ("number", "near", "named")
    return c.node.op == "exp" or (number and constant(c.node) > 0)


__all__ = ["Condition", "Proof", "conditions", "prove_equal"]
