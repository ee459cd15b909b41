"""Reverse mode: the graph of the gradient, with the adjoint of every node on the way.

The chain rule node by node, from the output to the inputs, in one pass without recursion; adjoints
add up in the order in which the graph is read backwards, so that the result never changes.
What is built is built by `graph.simplify`, and is what one would write by hand.

One step is longer than a node. √s raised to a power, |x| to an even one: (√s)² is s and |x|² is x²
wherever the code is defined, so the derivative goes to s and x at once, and has no √s below a bar.
The adjoint of √s or |x| itself is kept all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chainrule.errors import ShapeError, UsageError
from chainrule.graph.derivative.rules import PULLBACKS, kinks, whole
from chainrule.graph.derivative.simplify import Lean
from chainrule.graph.derivative.slopes import CONSTANT, power_rule, shortcut
from chainrule.graph.derivative.slots import Slot, filled, slot
from chainrule.graph.derivative.units import Region, Unit, regions
from chainrule.graph.node import Node, reached
from chainrule.graph.sizes import Shape, show

__all__ = ["Adjoints", "Unit", "hessian", "identity", "jacobian", "reverse"]

Part = Node | Slot


class Lazy(Mapping[Node, Node]):
    """Adjoints by node; those inside a unit are made when they are first asked for."""

    def __init__(self) -> None:
        self.made: dict[Node, Node] = {}
        self.later: dict[Node, Callable[[], Mapping[Node, Node]]] = {}

    def __getitem__(self, node: Node) -> Node:
        if node not in self.made and node in self.later:
            new = self.later[node]()
            self.made.update((k, v) for k, v in new.items() if k not in self.made)
        return self.made[node]

    def __contains__(self, node: object) -> bool:
        return node in self.made or node in self.later

    def __iter__(self) -> Iterator[Node]:
        yield from self.made
        yield from [n for n in self.later if n not in self.made]

    def __len__(self) -> int:
        return len(self.made.keys() | self.later.keys())


@dataclass(frozen=True)
class Adjoints:
    """What reverse mode gives.

    output : of which the derivatives are. of : node → adjoint, of shape extra + node.shape, for
    every real node between the inputs and the output, zeros where nothing arrives (inside a unit:
    made on demand). slopes : (unit, k) → ∂result/∂argument k, entry by entry. kinks : nodes on the
    way with the places where they have no derivative; {0}, {1} stand for their inputs.
    ignored : units that were followed node by node, and why.
    """

    output: Node
    of: Mapping[Node, Node]
    slopes: Mapping[tuple[Unit, int], Node] = field(default_factory=dict)
    kinks: tuple[tuple[Node, str], ...] = ()
    ignored: tuple[tuple[Unit, str], ...] = ()


@dataclass
class _Reach:
    """The nodes of the output: which matter, and who uses them."""

    nodes: list[Node]
    active: dict[int, bool]
    varying: dict[int, bool]
    users: dict[int, list[Node]]

    @staticmethod
    def of(output: Node, wrt: Iterable[Node]) -> _Reach:
        ends = {n.number for n in wrt}
        self = _Reach(list(reached([output])), {}, {}, {})
        for node in self.nodes:
            self.users[node.number] = []
            for i in dict.fromkeys(node.inputs):
                self.users[i.number].append(node)
            varies = node.number in ends or any(self.varying[i.number] for i in node.inputs)
            self.varying[node.number] = varies
            real = any(self.active[i.number] for i in node.inputs)
            self.active[node.number] = node.kind == "f" and (node.number in ends or real)
        return self


class _Sweep:
    """One pass back over nodes."""

    def __init__(self, lean: Lean, reach: _Reach, extra: int, lead: Shape) -> None:
        self.lean, self.reach, self.extra, self.lead = lean, reach, extra, lead
        self.all: dict[int, list[Part]] = {}
        self.passing: dict[int, list[Part]] = {}
        self.split: set[int] = set()
        self.of: dict[Node, Node] = {}
        self.kinks: list[tuple[Node, str]] = []
        self.closed: Callable[[int], bool] = lambda n: False

    def give(self, node: Node, part: Part, passes: bool = True) -> None:
        """A share of a node's adjoint. passes : whether it goes on to the node's inputs."""
        if isinstance(part, Node) and self.lean.is_zero(part):
            return
        self.all.setdefault(node.number, []).append(part)
        if passes:
            self.passing.setdefault(node.number, []).append(part)
        else:
            self.split.add(node.number)

    def total(self, node: Node, parts: list[Part] | None) -> Node | None:
        return filled(self.lean, (*self.lead, *node.shape), parts) if parts else None

    def run(
        self, nodes: Sequence[Node], through: Mapping[int, Region], skipped: Callable[[int], bool]
    ) -> Iterator[tuple[Region, Node]]:
        """Goes over nodes, which are in order, backwards; yields the units that are met."""
        self.closed = lambda n: n in through or skipped(n)
        for node in reversed(nodes):
            if not self.reach.active[node.number] or skipped(node.number):
                continue
            bar = self.total(node, self.all.pop(node.number, None))
            passing = self.passing.pop(node.number, None)
            self.of[node] = self.lean.zeros((*self.lead, *node.shape)) if bar is None else bar
            if node.number in self.split:
                bar = self.total(node, passing)
            if bar is None:
                continue
            if node.number in through:
                yield through[node.number], bar
            else:
                self.back(node, bar)

    def back(self, node: Node, bar: Node) -> None:
        """From a node to its inputs."""
        reach = self.reach
        if node.op not in CONSTANT and self.jumps(node, bar):
            return
        switches = [reach.varying[i.number] and i.kind != "f" for i in node.inputs]
        self.kinks += [(node, text) for text in kinks(node, switches)]
        wanted = [k for k, i in enumerate(node.inputs) if reach.active[i.number]]
        if not wanted or node.op in CONSTANT:
            return
        x = node.inputs[0]
        if node.op == "index":
            spec = (*whole(self.lead), *self.lean.spec(node.params[0]))
            self.give(x, slot(self.lean, (*self.lead, *x.shape), bar, spec))
            return
        parts = PULLBACKS[node.op](self.lean, node, bar, self.extra, wanted)
        for k, part in zip(wanted, parts, strict=True):
            if part is not None:
                self.give(node.inputs[k], part)

    def jumps(self, node: Node, bar: Node) -> bool:
        """(√s)² and the like: past the node below, to s at once."""
        found = shortcut(node)
        if found is None:
            return False
        root, s, p, q = found
        if not self.reach.active[s.number]:
            return False
        if self.closed(root.number) or self.closed(s.number):  # a unit goes in one step
            return False
        self.give(root, power_rule(self.lean, bar, root, q), passes=False)
        self.give(s, power_rule(self.lean, bar, s, p * q))
        if p * q < 1:
            self.kinks.append((root, "{0} = 0"))
        return True


def reverse(
    output: Node,
    wrt: Iterable[Node] | None = None,
    *,
    seed: Node | None = None,
    units: Iterable[Unit] = (),
) -> Adjoints:
    """The adjoint of every real node between the output and `wrt` (None: all real inputs).

    seed : the cotangent of the output, of shape extra + output.shape; the adjoints have the same
    extra axes in front. None: 1, for a scalar output.
    units : calls with a slope each, see `Unit`.
    Raises UsageError for an array output without a seed, and for a `wrt` that holds no reals;
    ShapeError for a seed that does not fit.

    >>> from chainrule.graph.node import Graph
    >>> g = Graph({"n": 3})
    >>> x = g.input("x", (g.axis("n", 3),))
    >>> reverse(g.einsum("i,i->", x, x)).of[x]
    <%4 = mul(%3, %0) (n)>
    """
    lean = Lean(output.graph)
    if wrt is None:
        ends = [n for n in reached([output]) if n.op == "input" and n.kind == "f"]
    else:
        ends = list(wrt)
    for node in ends:
        if node.kind != "f":
            raise UsageError(f"{node!r} holds no real numbers, and has no derivative")
    seed = _seed(lean, output, seed)
    extra = seed.ndim - output.ndim
    reach = _Reach.of(output, ends)
    found, ignored = regions(units, reach.active, reach.users, {n.number for n in ends})
    inside = {n for r in found.values() for n in r.numbers} - found.keys()
    sweep = _Sweep(lean, reach, extra, seed.shape[:extra])
    sweep.give(output, seed)
    of, slopes = Lazy(), {}
    for region, bar in sweep.run(reach.nodes, found, inside.__contains__):
        for k, argument in enumerate(region.unit.arguments):
            if not reach.active.get(argument.number):
                continue
            s = region.slope(lean, k)
            if s is not None:
                slopes[region.unit, k] = s
                sweep.give(argument, lean.unbroadcast(lean.mul(bar, s), argument.shape, extra))
        for node in region.inner:
            switches = [reach.varying[i.number] and i.kind != "f" for i in node.inputs]
            sweep.kinks += [(node, text) for text in kinks(node, switches)]
    of.made = sweep.of
    for region in found.values():
        later = _inside(lean, reach, region, of, sweep.lead)
        of.later.update((n, later) for n in region.inner if n.kind == "f" and n not in of.made)
    for node in ends:
        if node not in of.made:
            of.made[node] = lean.zeros((*sweep.lead, *node.shape))
    return Adjoints(output, of, slopes, tuple(sweep.kinks), tuple(ignored))


def _seed(lean: Lean, output: Node, seed: Node | None) -> Node:
    if seed is None:
        if output.ndim:
            raise UsageError(
                f"the output has the shape {show(output.shape)}; give a seed of that shape, or use "
                "jacobian"
            )
        return lean.number(1)
    extra = seed.ndim - output.ndim
    if extra < 0:
        raise ShapeError(
            f"the seed has the shape {show(seed.shape)}; the output's {show(output.shape)} is "
            "what it must end with"
        )
    for a, b in zip(seed.shape[extra:], output.shape, strict=True):
        output.graph.same(a, b, "the seed of a derivative")
    return seed


def _inside(
    lean: Lean, reach: _Reach, region: Region, of: Lazy, lead: Shape
) -> Callable[[], Mapping[Node, Node]]:
    """The adjoints inside a unit, from that of its result; once."""

    def make() -> Mapping[Node, Node]:
        result = region.unit.result
        sweep = _Sweep(lean, reach, len(lead), lead)
        sweep.give(result, of.made[result])
        for _ in sweep.run(region.inner, {}, lambda n: False):
            pass
        return sweep.of

    return make


def identity(lean: Lean, shape: Shape) -> Node:
    """1 where the first half of the indices is the second, else 0; of shape + shape."""
    if not shape:
        return lean.number(1)
    n = len(shape)
    deltas = [lean.graph.delta(s, s) for s in shape]
    if n == 1:
        return deltas[0]
    labels = [(k, n + k) for k in range(n)]
    return lean.graph.contract(labels, range(2 * n), *deltas)


def jacobian(output: Node, x: Node) -> Node:
    """∂output/∂x, of shape output.shape + x.shape."""
    lean = Lean(output.graph)
    return reverse(output, [x], seed=identity(lean, output.shape)).of[x]


def hessian(output: Node, x: Node, y: Node) -> Node:
    """∂²output/∂x∂y of a scalar output, of shape x.shape + y.shape."""
    return jacobian(reverse(output, [x]).of[x], y)
