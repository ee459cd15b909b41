"""Are two nodes of a graph the same function, for every size? *Proved* or *don't know*.

The graph is read once for all pairs, see `reading`. Pairs whose ends differ are read again with
more barriers opened, and at last with none. One budget holds for all readings of all pairs: it
counts operations and not seconds, so that every machine says the same. Every size is every axis of
one place or more for which the sizes of all nodes make sense: where the code runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from chainrule.domains import Domain
from chainrule.errors import BudgetError, ShapeError
from chainrule.graph.node import Node, reached
from chainrule.graph.sizes import show
from chainrule.proof.conditions import Condition, conditions
from chainrule.proof.elements import Unknown
from chainrule.proof.floors import floors
from chainrule.proof.indices import Floors
from chainrule.proof.reading import Reading

#: Operations for all readings of all pairs: those of some pairs, and more for long code.
BUDGET = 250_000
NODE = 800
#: Of what is left, what the first reading may spend, which finds nearly all; and what others may.
SHARES = (Fraction(4, 5), Fraction(1, 2))
#: Of that, what several pairs may spend together, before they are read one by one.
TOGETHER = Fraction(9, 10)
#: What is read, the depths at which the ends are compared, and what else is done: sums over short
#: axes are written out, angles are halved. None is for no cuts at all.
READINGS: tuple[tuple[int | None, tuple[int, ...], str], ...] = (
    (1, (0, 1), ""),
    (2, (2,), ""),
    (None, (0,), ""),
    (1, (0, 1), "short"),
    (None, (0,), "short"),
    (None, (0,), "halves"),
)
UNCUT = 64
#: The longest axis of a known size whose sums are written out.
SHORT = 8


@dataclass(frozen=True)
class Proof:
    """That two nodes are the same real function wherever both are defined, for every size.

    equal : True, or False for *don't know*. reason : why not, where equal is False.
    conditions : what both sides need to be defined, and where they switch. depth : how many
    barriers were opened. products : operations spent, by all pairs of a call together.
    """

    equal: bool
    reason: str = ""
    conditions: tuple[Condition, ...] = ()
    depth: int = 0
    products: int = 0


def prove_equal(
    a: Node,
    b: Node,
    *,
    apart: bool = False,
    budget: int | None = None,
    assuming: Mapping[str, Domain] | None = None,
) -> Proof:
    """Whether two nodes of one graph are one function for every size.

    apart : leave out where a comparison of smooth functions of the inputs switches; the proof then
    says nothing there, and its conditions have the kind "apart" in place of "switch".
    budget : operations for all readings together; see `operations`.
    assuming : input → its declared domain; the proof then says nothing outside of it.

    >>> from chainrule.graph.node import Graph
    >>> g = Graph({"n": 3})
    >>> x = g.input("x", (g.axis("n", 3),))
    >>> left = g.einsum("i,j->", x, x)
    >>> prove_equal(left, g.power(g.sum(x, [0]), 2)).equal
    True
    >>> prove_equal(left, g.einsum("i,i->", x, x)).equal
    False
    """
    return prove_all([(a, b)], apart=apart, budget=budget, assuming=assuming)[0]


def prove_all(
    pairs: Sequence[tuple[Node, Node]],
    *,
    apart: bool = False,
    budget: int | None = None,
    assuming: Mapping[str, Domain] | None = None,
) -> list[Proof]:
    """`prove_equal` for several pairs of one graph: what they share is read once.

    Sizes of the two sides that must be equal are made one, which the graph keeps as a condition.

    budget : operations for all pairs and readings together; see `operations`. Pairs that exceed
    their share together are read again one by one, the shortest first, with what is left of it.

    >>> from chainrule.graph.node import Graph
    >>> g = Graph({"n": 3})
    >>> x = g.input("x", (g.axis("n", 3),))
    >>> left, right = g.add(x, x), g.mul(g.number(2), x)
    >>> [p.equal for p in prove_all([(left, right), (left, x)])]
    [True, False]
    """
    found: dict[int, Proof] = {}
    for k, (a, b) in enumerate(pairs):
        if a.graph is not b.graph:
            raise ShapeError("the nodes belong to different graphs; see joined")
        if len(a.shape) == len(b.shape):
            _joined(a, b)
        if a.shape != b.shape:
            reason = f"the shapes differ: {show(a.shape)} and {show(b.shape)}"
            found[k] = Proof(False, reason)
    budget = operations(pairs) if budget is None else budget
    spent = 0
    reasons: dict[int, str] = {}
    over: set[int] = set()
    for n, (opened, depths, more) in enumerate(READINGS):
        left = [k for k in range(len(pairs)) if k not in found]
        if more:
            left = [k for k in left if _USEFUL[more](pairs[k])]
        left.sort(key=lambda k: sum(1 for _ in reached(pairs[k])))
        end = spent + int((budget - spent) * SHARES[min(n, 1)])
        groups = [left] if left else []
        while groups:
            group = groups.pop(0)
            part = TOGETHER if len(group) > 1 else Fraction(1, 1 + len(groups))
            low = _floors([pairs[k] for k in group])
            allowed = int((end - spent) * part)
            reading = Reading(opened, allowed, apart, assuming, floors=low)
            reading.algebra.unrolled = SHORT if more == "short" else 0
            reading.algebra.angle = 2 if more == "halves" else 1
            equal = _compare(reading, {k: pairs[k] for k in group}, depths, reasons)
            spent += min(reading.algebra.products, allowed)
            for k, depth in equal.items():
                told = tuple(conditions(pairs[k], apart))
                found[k] = Proof(True, "", told, UNCUT if opened is None else depth, spent)
            if reading.algebra.products > reading.algebra.budget:
                if len(group) > 1:
                    groups = [[k] for k in group if k not in equal]
                else:
                    over |= {k for k in group if k not in equal}
    for k in over & reasons.keys():
        reasons[k] = f"more than {budget:,} operations"
    for k in range(len(pairs)):
        if k not in found:
            found[k] = Proof(False, reasons[k], (), UNCUT, spent)
    return [found[k] for k in range(len(pairs))]


def _joined(a: Node, b: Node) -> None:
    """Two shapes that must be one."""
    for x, y in zip(a.shape, b.shape, strict=True):
        if a.graph.size(x).at(a.graph.env) == a.graph.size(y).at(a.graph.env):
            a.graph.same(x, y, "two sides")


def _short(pair: tuple[Node, Node]) -> bool:
    """Whether there is a short axis of a known size."""
    sizes = {s.const for node in reached(pair) for s in node.shape}
    return any(s is not None and 1 < s <= SHORT for s in sizes)


def _angles(pair: tuple[Node, Node]) -> bool:
    """Whether there is a sine."""
    return any(node.op in ("sin", "cos", "tan") for node in reached(pair))


_USEFUL: dict[str, Callable[[tuple[Node, Node]], bool]] = {"short": _short, "halves": _angles}


def _floors(pairs: Sequence[tuple[Node, Node]]) -> Floors:
    """What axes have at least wherever one of the pairs makes sense."""
    found = [floors(pair) for pair in pairs]
    names = sorted(set.intersection(*(set(f) for f in found)))
    return tuple((name, min(f[name] for f in found)) for name in names)


def _compare(
    reading: Reading,
    pairs: dict[int, tuple[Node, Node]],
    depths: Sequence[int],
    reasons: dict[int, str],
) -> dict[int, int]:
    """Which pairs are equal, and at which depth; why the others are not known to be."""
    equal: dict[int, int] = {}
    for k, (a, b) in pairs.items():
        reading.add([a, b])  # pair by pair: what exceeds the budget takes no short one with it
        for depth in depths:
            try:
                same, reason = reading.same(a, b, depth), "the normal forms differ"
            except (BudgetError, Unknown, RecursionError) as why:
                same, reason = False, str(why)
            if same:
                equal[k] = depth
                break
        else:
            reasons[k] = reason
    return equal


def operations(pairs: Sequence[tuple[Node, Node]]) -> int:
    """The budget of a call that names none: it grows with the length of the code."""
    return BUDGET + NODE * sum(1 for _ in reached(n for pair in pairs for n in pair))


__all__ = ["BUDGET", "Condition", "Proof", "conditions", "operations", "prove_all", "prove_equal"]
