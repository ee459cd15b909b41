"""Does a condition surely hold, for all real inputs and every size, or where others hold?

First by intervals, operation by operation (see `ranges`), from what is given of nodes. Else by the
normal form: a product is not 0 where none of its factors is, and a factor is known by its form, or
because it divides what is given not to be 0. A condition is judged where its node is defined: what
the node needs for that are conditions of their own. *No* means *not sure*.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from chainrule.errors import BudgetError
from chainrule.graph.infinite import BELOW
from chainrule.graph.node import Node
from chainrule.graph.sizes import Size
from chainrule.proof import functions
from chainrule.proof import polynomials as po
from chainrule.proof.algebra import Algebra
from chainrule.proof.conditions import Condition, Kind
from chainrule.proof.elements import ONE, Element, Unknown
from chainrule.proof.indices import ZERO, Index, among, plain
from chainrule.proof.intervals import Interval
from chainrule.proof.ranges import INSIDE, NONNEGATIVE, POSITIVE, ranges
from chainrule.proof.reading import Reading
from chainrule.proof.templates import closed, oriented

BUDGET = 100_000
BITS = 4
#: Where functions are inside of their domain, as an interval of what they are of.
DOMAINS = {
    "log1p": Interval.of(-1, None, open_low=True),
    "arccosh": Interval.of(1, None, open_low=True),
    "arctanh": INSIDE,
    "arcsin": INSIDE,
    "arccos": INSIDE,
    "lgamma": POSITIVE,
    "polygamma": POSITIVE,
    "tan": Interval.of(-1, 1),
}
SIGNS = {"nonzero": Interval(nonzero=True), "nonnegative": NONNEGATIVE, "positive": POSITIVE}
#: What the normal form is asked.
ASKED = (*SIGNS, "singular", "finite")
#: What follows from a condition on the same node.
STRONGER: dict[Kind, tuple[Kind, ...]] = {
    "nonzero": ("positive",),
    "nonnegative": ("positive",),
}


def holds(condition: Condition, given: Sequence[Condition] = (), *, budget: int = BUDGET) -> bool:
    """Whether a condition surely holds wherever those given do; all nodes are of one graph.

    >>> from fractions import Fraction
    >>> from chainrule.graph.node import Graph
    >>> g = Graph({"n": 3})
    >>> x = g.input("x", (g.axis("n", 3),))
    >>> squares, one = g.power(x, 2), g.number(Fraction(1))
    >>> holds(Condition("nonzero", g.add(squares, one)))
    True
    >>> holds(Condition("nonzero", g.sub(squares, one)))
    False
    >>> holds(Condition("nonzero", squares), [Condition("nonzero", x)])
    True
    """
    return holding([condition], given, budget=budget)[0]


def holding(
    conditions: Sequence[Condition], given: Sequence[Condition] = (), *, budget: int = BUDGET
) -> list[bool]:
    """`holds` for each of several conditions, in one reading."""
    known = set(given)
    seeds = _seeds(given)
    within = ranges([c.node for c in conditions], seeds)
    out = [
        c in known
        or any(Condition(k, c.node) in known for k in STRONGER.get(c.kind, ()))
        or _by_range(c, within)
        for c in conditions
    ]
    rest = [k for k, c in enumerate(conditions) if not out[k] and c.kind in ASKED]
    if rest:
        try:
            facts = _Facts(given, [conditions[k].node for k in rest], budget)
        except (BudgetError, Unknown, RecursionError):
            return out
        for k in rest:
            out[k] = facts.hold(conditions[k])
    return out


def _seeds(given: Iterable[Condition]) -> dict[Node, Interval]:
    out: dict[Node, Interval] = {}
    for c in given:
        node, found = c.node, SIGNS.get(c.kind)
        if c.kind == "inside":
            if node.op in ("tan", "lgamma", "polygamma"):
                continue  # their domains have other parts
            node, found = node.inputs[0], DOMAINS.get(node.op)
        if found is not None:
            out[node] = out.get(node, Interval()).meet(found)
    return out


def _by_range(c: Condition, within: dict[Node, Interval]) -> bool:
    if c.kind == "inside":
        domain = DOMAINS.get(c.node.op)
        x = within[c.node.inputs[0]]
        return domain is not None and x.meet(domain) == x
    x = within[c.node]
    return {
        "nonzero": x.without_zero,
        "nonnegative": x.nonnegative,
        "positive": x.positive,
    }.get(c.kind, False)


@dataclass(frozen=True)
class _Fact:
    """Of a factor, at every place of these sizes: not 0; sign 1 above it, −1 below."""

    sizes: tuple[Size, ...]
    sign: int = 0


class _Facts:
    """What is given, factor by factor of the normal form."""

    def __init__(self, given: Sequence[Condition], nodes: Sequence[Node], budget: int) -> None:
        self.reading = Reading(1, budget, False)
        self.algebra: Algebra = self.reading.algebra
        useful = [c for c in given if c.kind in ("nonzero", "positive", "singular", "inside")]
        self.reading.add([*nodes, *(c.node for c in useful)])
        self.known: dict[object, _Fact] = {}
        self.regular = {k for c in useful if c.kind == "singular" for k in self._matrix(c.node)}
        for c in useful:
            for e in self._elements(c):
                self._learn(e, c.kind == "positive" or c.kind == "inside")

    def _elements(self, c: Condition) -> Iterable[Element]:
        if c.kind in ("nonzero", "positive"):
            yield from self._entries(c.node)
        if c.kind == "inside" and c.node.op in ("log1p", "arctanh", "arcsin", "arccos"):
            x = c.node.inputs[0]
            for e in self._entries(x):
                yield self.algebra.add(self.algebra.number(1), e)
                if c.node.op != "log1p":
                    yield self.algebra.add(self.algebra.number(1), self.algebra.neg(e))

    def _entries(self, node: Node) -> list[Element]:
        found = [made[node] for made in self.reading.seen]
        return found[:1] if found[0].key == found[1].key else found

    def _matrix(self, node: Node) -> list[object]:
        own = self.reading.entries.own(node)
        turned = [*own[:-2], own[-1], own[-2]]
        out: list[object] = []
        for e in self._entries(node):
            for order in (own, turned):
                key = closed(self.algebra, self.reading.entries.read(node, e, order), own)
                out.append((key, tuple(s.terms for s in node.shape)))
        return out

    # -- learning ------------------------------------------------------------------------------

    def _learn(self, e: Element, positive: bool) -> None:
        if not e.num or self.algebra.bits(e):
            return
        lead, parts = functions.factored(self.algebra, e)
        loose = [(f, k) for f, k in parts if self._sign(f) != 2]
        odd = [f for f, k in loose if not (isinstance(k, int) and k % 2 == 0)]
        for f, k in loose:
            if k > 0:
                alone = positive and len(odd) == 1 and f is odd[0]
                self._note(Element(f), (1 if lead > 0 else -1) if alone else 0)

    def _note(self, f: Element, sign: int) -> None:
        base = self._below_root(f)
        if base is not None:
            self._learn(base, True)
            return
        t, flipped = oriented(self.algebra, f)
        variables = [plain(i) or None for i in t.args]
        if None in variables or len(set(variables)) < len(variables):
            return
        sizes = tuple(self.algebra.ranges[v] for v in variables if v is not None)
        old = self.known.get(t.key)
        if old is None or (sign and not old.sign):
            self.known[t.key] = _Fact(sizes, -sign if flipped else sign)

    def _below_root(self, f: Element) -> Element | None:
        """What a root is of, where a factor is one."""
        if len(f.num) == 1:
            ((m, _),) = f.num.items()
            if len(m) == 1 and self.algebra.kind(m[0][0]) == "root":
                return functions.inside(self.algebra, m[0][0])
        return None

    # -- asking --------------------------------------------------------------------------------

    def hold(self, c: Condition) -> bool:
        """Whether a condition holds at every entry."""
        if c.kind == "singular":
            return any(k in self.regular for k in self._matrix(c.node))
        if c.kind == "finite":
            return self._attained(c.node)
        try:
            return any(self._entry(c.kind, e, BITS) for e in self._entries(c.node))
        except (BudgetError, Unknown, RecursionError):
            return False

    def _attained(self, node: Node) -> bool:
        """Whether the first entry of each axis is a real number, so that the largest one is."""
        if node.op != "reduce_max" or node.inputs[0].infinite != BELOW:
            return False
        x, gone, entries = node.inputs[0], node.params[0], self.reading.entries
        at = [ZERO if k in gone else i for k, i in enumerate(entries.own(x))]
        try:
            first = self.algebra.expanded(entries.read(x, self.reading.seen[0][x], at))
        except (BudgetError, Unknown, RecursionError):
            return False
        atoms = po.atoms_of([first.num, *(dict(q) for q, _ in first.den)])
        return not any(self.algebra.kind(a) == "infinite" for a in atoms)

    def _entry(self, kind: str, e: Element, bits: int) -> bool:
        for bit in islice(self.algebra.bits(e), 1):  # both cases
            if not bits:
                return False
            cases = [self.algebra.at_bit(e, bit, value) for value in (0, 1)]
            return all(self._entry(kind, case, bits - 1) for case in cases)
        nonzero, sign = self._known(e)
        return {
            "nonzero": nonzero,
            "positive": nonzero and sign > 0,
            "nonnegative": sign > 0,
        }[kind]

    def _known(self, e: Element) -> tuple[bool, int]:
        """Whether it is not 0; 1 where it is not below 0, −1 where not above, 0 not known."""
        if not e.num:
            return False, 1
        lead, parts = functions.factored(self.algebra, e)
        nonzero, sign = True, 1 if lead > 0 else -1
        for f, k in parts:
            here, side = self._factor(f)
            nonzero = nonzero and (here or k < 0)  # what stands below a bar is not 0
            if not (isinstance(k, int) and k % 2 == 0):
                sign *= side
        return nonzero, sign

    def _factor(self, f: po.Poly) -> tuple[bool, int]:
        known = self._sign(f)
        if known == 2:
            return True, 1
        base = self._below_root(Element(f))
        if base is not None:
            return self._known(base)[0], 1
        fact, flipped = self._fact(f)
        if fact is not None:
            return True, 1 if known else -fact.sign if flipped else fact.sign
        return False, 1 if known else 0

    def _fact(self, f: po.Poly) -> tuple[_Fact | None, bool]:
        t, flipped = oriented(self.algebra, Element(f))
        fact = self.known.get(t.key)
        if fact is None or not all(map(self._among, t.args, fact.sizes)):
            return None, False
        return fact, flipped

    def _among(self, index: Index, size: Size) -> bool:
        """Whether an index is surely one of 0 … size − 1."""
        return among(index, size, self.algebra.ranges, self.algebra.floors)

    def _sign(self, p: po.Poly) -> int:
        """`Algebra.sign_of` with what is known of atoms."""
        found = self.algebra.sign_of(p)
        if found or len(p) == 1:
            return found
        strict = False
        for m, c in p.items():
            here = 2
            for x, k in m:
                sign = self.algebra.heads[self.algebra.of[x][0]].sign
                if sign < 2:
                    fact, flipped = self._fact({((x, 1),): ONE})
                    known = 0 if fact is None else -fact.sign if flipped else fact.sign
                    if known > 0 or (fact is not None and isinstance(k, int) and k % 2 == 0):
                        sign = 2
                    elif isinstance(k, int) and k % 2 == 0:
                        sign = max(sign, 1)
                here = min(here, sign)
            if c < 0 or not here:
                return 0
            strict = strict or here == 2
        return 2 if strict else 1


__all__ = ["holding", "holds"]
