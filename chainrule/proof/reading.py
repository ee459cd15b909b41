"""One pass over a graph, inputs first, with so many barriers opened.

A *barrier* (a sum, or an entry that has grown long) is cut: it becomes one atom, named by its
normal form over earlier atoms, so that equal stages of several sides are one atom and cost grows
linearly with depth. Each barrier is named a second time with the barriers below it opened, and is
made one with an earlier one of that name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chainrule.domains import Domain
from chainrule.errors import BudgetError
from chainrule.graph.node import Node, reached
from chainrule.graph.sizes import Size
from chainrule.proof import polynomials as po
from chainrule.proof.algebra import Algebra
from chainrule.proof.elements import Element, Unknown
from chainrule.proof.entries import Entries
from chainrule.proof.indices import POINTER, Floors, Index, fixed, letters, minus, plain, times
from chainrule.proof.sums import run, threshold
from chainrule.proof.templates import opaque, oriented, template

#: Terms above which an entry is cut, at each depth.
LONG = 40
#: Operations of a node, whatever its entry.
NODE = 10
#: Cases of places, one within another.
CASES = 12


class Reading:
    """The entries of nodes, for several pairs at once.

    opened : the most barriers to open; None for no cuts at all. assuming : input → its domain.
    floors : see `Atoms`.
    """

    def __init__(
        self,
        opened: int | None,
        budget: int,
        apart: bool,
        assuming: Mapping[str, Domain] | None = None,
        *,
        floors: Floors = (),
    ) -> None:
        self.uncut = opened is None
        self.algebra = Algebra(budget, apart, assuming or {})
        self.algebra.floors = floors
        self.entries = Entries(self.algebra)
        self.named: dict[Any, tuple[Node, tuple[Index, ...]]] = {}
        levels = 1 if opened is None else max(opened, 1) + 1
        #: opened barriers → node → its entry, cut and not cut
        self.seen: list[dict[Node, Element]] = [{} for _ in range(levels)]
        self.full: list[dict[Node, Element]] = [{} for _ in range(levels)]

    def add(self, nodes: Iterable[Node]) -> None:
        """Read what nodes need."""
        for node in reached(nodes):
            if node not in self.full[0]:
                self.read(node)

    def same(self, a: Node, b: Node, depth: int) -> bool:
        """Whether the entries agree with so many barriers opened; both have been read."""
        if a is b:
            return True
        e = self.entries
        for made in (self.seen, self.full):  # an end may be a barrier, or a barrier turned round
            other = self.algebra.neg(e.read(b, made[depth][b], e.own(a)))
            gap = self.algebra.add(made[depth][a], other)
            if self.zero(self.algebra.expanded(gap), CASES):
                return True
        return False

    def read(self, node: Node) -> None:
        """One node at every depth."""
        e, seen, full = self.entries, self.seen, self.full
        self.algebra.products += NODE  # no error: what cannot be read any more is opaque
        for d in range(len(seen)):
            full[d][node] = e.entry(node, seen[d])
        if self.uncut:
            seen[0][node] = full[0][node]
            return
        summing = node.op == "solve" or (node.op == "contract" and _sums(node))
        if node.infinite or (not summing and len(full[0][node].num) <= LONG):
            seen[0][node] = full[0][node]
        else:
            seen[0][node] = self.cut(node, full[0][node], full[1][node], seen[0])
        for d in range(1, len(seen)):
            if summing:
                seen[d][node] = full[d - 1][node]
            elif node.infinite or len(full[d][node].num) <= LONG * 4:
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
                    values = {plain(i): w for i, w in zip(args, t.args, strict=True) if i[0]}
                    there = g.expanded(seen[other])
                    used = po.atoms_of([there.num, *(dict(q) for q, _ in there.den)])
                    there_too = all(i == w for i, w in zip(args, t.args, strict=True) if not i[0])
                    if there_too and {v for x in used for v in g.at(x)} <= values.keys():
                        return g.renamed(there, values)
                elif all(plain(i) for i in t.args if i[0]):
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

    def zero(self, d: Element, left: int) -> bool:
        """Whether a difference is 0; where places may meet, or lie on two sides, both cases."""
        if not d.num:
            return True
        if not left:
            return False
        g = self.algebra
        atoms = po.atoms_of([d.num])
        for x in (x for x in atoms if g.kind(x) == "before"):
            split = threshold(g, g.of[x][1][0])
            if split is None:
                cases = [g.at_bit(d, x, 0), g.at_bit(d, x, 1)]
            else:
                v, first = split
                runs = (run(g, first), run(g, g.ranges[v] - first, first))
                cases = [g.renamed(d, {v: there}) for there, _ in runs]
            return all(self.zero(case, left - 1) for case in cases)
        for v in sorted({v for x in atoms for v in g.at(x)} if g.unrolled else ()):
            many = g.ranges[v].const if v in g.ranges else None
            if many is not None and many <= g.unrolled:
                places = [g.renamed(d, {v: fixed(Size.of(k))}) for k in range(many)]
                return all(self.zero(case, left - 1) for case in places)
        for x in (x for x in atoms if g.kind(x) == "delta"):  # last: places settle many of them
            found = _solved(g.of[x][1])
            meet = g.renamed(d, dict([found])) if found else g.at_bit(d, x, 1)
            return self.zero(g.at_bit(d, x, 0), left - 1) and self.zero(meet, left - 1)
        return False


def _solved(places: tuple[Index, ...]) -> tuple[int, Index] | None:
    """A variable of its own and where it must be for two places to be one."""
    gap = minus(*places)
    for base, factor in gap[0]:
        sign = Size(dict(factor)).const
        rest = (tuple(t for t in gap[0] if t[0] != base), gap[1])
        if 0 < base[0] < POINTER and sign in (1, -1) and base[0] not in letters(rest):
            return base[0], times(rest, -sign)
    return None


def _sums(node: Node) -> bool:
    labels, out = node.params
    return any(
        name not in out and size != 1
        for names, x in zip(labels, node.inputs, strict=True)
        for name, size in zip(names, x.shape, strict=True)
    )


__all__ = ["Reading"]
