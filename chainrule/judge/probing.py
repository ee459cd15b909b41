"""The edges rung for code: points at the edges of both sides, and what each of them tells.

An edge that only one side has shows there and nowhere else. Small sizes do; what it costs is
counted in operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from chainrule.domains.values import Values, within
from chainrule.errors import ChainruleError
from chainrule.evidence import corners, drawing, enclosures
from chainrule.evidence.corners import Critical
from chainrule.evidence.drawing import Point
from chainrule.evidence.enclosures import AtKink, Met, OffPath, Side
from chainrule.graph.fingerprint import fingerprints
from chainrule.graph.node import Node, bind_sizes, reached
from chainrule.judge.sides import Ways, inputs_of
from chainrule.values import float64
from chainrule.values.ball import precision
from chainrule.values.certified import holed
from chainrule.values.entries import HOLES
from chainrule.verdict import Evidence

if TYPE_CHECKING:
    from chainrule.judge.trials import Tally, Trials

#: What evaluation at a point may raise where it cannot be told.
UNTOLD = (ChainruleError, ValueError, IndexError, ArithmeticError, np.linalg.LinAlgError)
SMALL, BUDGET = 20_000, 120_000  # operations: at one point, and at all
SOLVING = 40_000  # of these, to solve for points
MOST = 40  # points
FEW = 4  # points where all is proved and smooth
SOLVED = 16  # operations with an edge that are solved for
PROBED = 6  # points for one condition of a proof
KEPT = 64  # candidates that are looked through for one


class Open(Protocol):
    """A condition that a proof leaves open: its kind, and of which node."""

    @property
    def kind(self) -> str: ...

    @property
    def node(self) -> Node: ...


@dataclass(frozen=True)
class Probed:
    """What was found of one condition of a proof.

    status : "apart": it fails at a point where the two sides certainly differ; "right": where it
    fails, they agree, or forward has no value or no derivative; "open": it fails at a point where
    nothing is told; "none": no point was found where it fails. points : how many were looked at.
    """

    kind: str
    node: Node
    status: Literal["apart", "right", "open", "none"]
    says: str
    points: int


@dataclass
class Seen:
    """Edges of one kind, for one derivative: right, inside a kink's hull, and not told."""

    right: int = 0
    inside: int = 0
    untold: int = 0


def evidence(seen: Mapping[str, Seen]) -> Evidence | None:
    """What edges were tried, in words and figures; None if none was."""
    if not seen:
        return None
    right, inside, untold = (
        sum(getattr(s, n) for s in seen.values()) for n in ("right", "inside", "untold")
    )
    figures = {"right": right, "inside": inside, "undecided": untold}
    return Evidence("edges", f"edges: {', '.join(seen)}", figures)


class Probing:
    """The edges of one function of the user's."""

    def __init__(self, trials: Trials) -> None:
        self.trials = trials
        self.inputs = inputs_of(trials.claim, trials.claim.derivation)
        self.spent, self.most = 0, SOLVING

    def climb(self) -> None:
        """Try edges until enough is known of every derivative."""
        trials, ways = self.trials, self.trials.ways
        for point in islice(self._points(ways), FEW if trials.settled else MOST):
            open_ = {k: t for k, t in trials.tallies.items() if t.witness is None}
            if not open_:
                return
            if self.spent + self._work(point) > BUDGET:
                return
            met = self.told(point, BUDGET)
            floats = trials.caller.floats(point.values) if met else {}
            for key, tally in open_.items():
                seen = tally.corners.setdefault(point.edge, Seen())
                told = met[key] if met else Met()
                if told.apart is not None or told.bits:
                    trials.count(self.there, point, key, tally, told, floats.get(key))
                seen.right += told.bits > 0
                seen.inside += told.inside
                seen.untold += not (told.bits or told.inside or tally.witness)

    def _work(self, point: Point) -> int:
        """Operations at a point; 0 where the code does not fit its sizes."""
        try:
            return self.trials.ways.work(point)
        except UNTOLD:
            return 0

    def told(self, point: Point, budget: int) -> dict[str, Met] | None:
        """What a point tells; None where it tells nothing, with `why`."""
        trials = self.trials
        self.why: Exception | str = "it takes too many operations"
        try:
            cost = trials.ways.work(point)
            if cost > SMALL or self.spent + cost > budget:
                return None
            before = trials.spent
            self.there, met = trials.told(trials.ways, point)
            self.spent += cost + trials.spent - before
            trials.spent = before
            return met
        except (OffPath, *UNTOLD) as why:
            self.why = why
            return None

    # -- points --------------------------------------------------------------------------------

    def _bases(self, ways: Ways) -> list[tuple[Values, str]]:
        """Points to start from, with their sizes in words: drawn ones, at small sizes."""
        trials, own = self.trials, self.trials.point.values
        here = {n: np.shape(own[n]) for n in self.inputs}
        settings = [drawing.Sizing(here, "")]
        if trials.free[0]:
            others = [(ways.graph.trace, ways.graph.names)] if ways.graph else []
            trace, domains = trials.claim.derivation.trace, trials.claim.domains
            sizes = drawing.sizings(trace, others, self.inputs, domains)
            settings += [s for s in sizes if ways.fit(s.shapes) and not s.breaks]
        settings = [s for s in settings if trials.work_at(ways, s) <= SMALL]
        if not settings:
            return []
        shapes, says = settings[0].shapes, settings[0].says
        stream = trials.drawn(self.inputs, shapes, trials.free[1], "edges")
        return [(values, says) for values in islice(stream, 2)]

    def _points(self, ways: Ways) -> Iterator[Point]:
        """Points at edges, those first that are solved for."""
        trials = self.trials
        bases = self._bases(ways)
        if trials.lonely or not bases:
            return
        base, says = bases[0]
        domains = trials.claim.domains
        sides = [s for s in (ways.graph, ways.derived.side) if s is not None]
        edges: list[tuple[Side, Critical]] = []
        known: set[tuple[Any, ...]] = set()
        for side in sides:
            outputs = [*side.nodes.values(), *_looked(side)]
            if side is ways.derived.side:
                outputs = [*side.trace.outputs.values(), *_looked(side)]
            found = corners.critical(outputs)
            prints = fingerprints([i for c in found for i in c.inputs])
            for c in found:
                key = (c.what, *(prints[i] for i in c.inputs))
                if key not in known:
                    known.add(key)
                    edges.append((side, c))
        seen: set[str] = set()

        def fresh(values: Mapping[str, Any], label: str, sizes: str = says) -> Iterator[Point]:
            point = Point(within(domains, values, base), sizes, edge=label)
            key = repr({n: np.asarray(v).tolist() for n, v in point.values.items()})
            if key not in seen:
                seen.add(key)
                yield point

        for side, one in edges[:SOLVED]:
            for values in self._solved(side, one, base):
                label = "thresholds" if one.switch else "ends of domains"
                yield from fresh(values, label)
        real = self._near([c for _, c in edges])
        whole = [n for n, x in self.inputs.items() if x.kind == "i" and n not in trials.free[1]]
        streams = [
            *(((n, v, says) for n, v in found) for found in by_kind(corners.plain(base, real))),
            ((n, v, says) for n, v in corners.labels(base, whole)),
            self._sizes(ways),
            ((n, v, says) for n, v in corners.extreme(base, real)),
        ]
        for turn in zip_longest(*streams):
            for label, put, sizes in (t for t in turn if t is not None):
                yield from fresh(put, label, sizes)

    def _near(self, edges: Iterable[Critical]) -> list[str]:
        """The real inputs that an operation with an edge depends on, and that may move."""
        names: dict[str, None] = {}
        for one in edges:
            for node in reached(one.inputs):
                if node.op == "input" and node.kind == "f":
                    names |= dict.fromkeys(self._named(node))
        return [n for n in self.inputs if n in names and n not in self.trials.free[1]]

    def _named(self, node: Node) -> list[str]:
        """The derivation's name of an input of either side."""
        name, graph = node.params[0], self.trials.ways.graph
        if graph is not None and node.graph is graph.trace.graph:
            return [graph.names.get(name, "")]
        return [name]

    def _solved(self, side: Side | None, one: Critical, base: Values) -> Iterator[dict[str, Any]]:
        """Points at the edge of one operation."""

        def margin(values: Mapping[str, Any]) -> np.ndarray:
            here = side.values(values) if side is not None else dict(values)
            sizes = _sizes(side, one.inputs, here)
            self.spent += drawing.work(list(one.inputs), sizes)
            if self.spent > self.most:
                raise ValueError("it takes too many operations")
            with np.errstate(all="ignore"):
                return corners.margins(one, float64.evaluate(list(one.inputs), here, sizes))

        names = self._near([one])
        yield from corners.solved(margin, base, names, one.switch)

    def _sizes(self, ways: Ways) -> Iterator[tuple[str, Mapping[str, Any], str]]:
        """One-element axes, and empty ones."""
        trials = self.trials
        env = trials.claim.derivation.trace.graph.env
        free = [n for n in env if any(n in s.names for x in self.inputs.values() for s in x.shape)]
        if not trials.free[0] or not free:
            return
        plain = {  # sizes that are plain numbers in the code stay, and what equals them
            n
            for x in self.inputs.values()
            for n, size in zip(x.number_shape, x.shape, strict=True)
            if not size.names and n > 1
        } | {1}  # an axis of one place is often one by its nature
        groups = list(dict.fromkeys(env[n] for n in free if env[n] not in plain))

        def sized(at: Mapping[int, int], rest: int) -> dict[str, int]:
            return {n: env[n] if env[n] in plain else at.get(env[n], rest) for n in free}

        tried = [("one-element axes", sized({}, 1))]
        tried += [("one-element axes", sized({g: 1}, 2)) for g in groups if len(groups) > 1]
        tried += [("empty axes", sized({g: 0}, 2)) for g in groups]
        for label, sizes in tried:
            shapes = {n: tuple(s.at(sizes) for s in x.shape) for n, x in self.inputs.items()}
            says = ", ".join(f"{n} = {v}" for n, v in sizes.items())
            try:
                if min((k for s in shapes.values() for k in s), default=0) >= 0 and ways.fit(
                    shapes
                ):
                    stream = trials.drawn(self.inputs, shapes, trials.free[1], says)
                    yield from ((label, v, says) for v in islice(stream, 1))  # domains may not fit
            except UNTOLD:
                continue

    # -- conditions of a proof -----------------------------------------------------------------

    def probe(self, conditions: Sequence[Open], key: str | None = None) -> list[Probed]:
        """What is found where each condition fails."""
        found = []
        self.most = self.spent + SOLVING
        bases = self._bases(self.trials.ways)
        plain: list[dict[str, Any]] = []
        if bases:
            real = [
                n for n, x in self.inputs.items() if x.kind == "f" and n not in self.trials.free[1]
            ]
            plain = [values for _, values in corners.plain(bases[0][0], real)]
        for condition in conditions:
            found.append(self._probed(condition, key, bases, plain))
        return found

    def _probed(
        self,
        condition: Open,
        key: str | None,
        bases: Sequence[tuple[Values, str]],
        plain: Sequence[dict[str, Any]],
    ) -> Probed:
        one = corners.of_condition(condition.kind, condition.node)
        kind, node, trials = condition.kind, condition.node, self.trials
        if one is None or not bases:
            return Probed(kind, node, "none", "no point could be made for it", 0)
        side = self._side(node)
        base, says = bases[0]
        looked, status, why = 0, "none", "no point was found where it fails"
        met_at = 0
        candidates = [*self._solved(side, one, base), *plain]
        for values in candidates[:KEPT]:
            here = within(trials.claim.domains, values, base)
            looked += 1
            if met_at >= PROBED or not self._fails(side, one, kind, here):
                continue
            met_at += 1
            point = Point(here, says, edge="ends of domains")
            met = self.told(point, self.most + BUDGET)
            if met is None:
                if not _harmless(self.why):
                    status, why = "open", str(self.why)
                elif status == "none":
                    status, why = "right", str(self.why)
                continue
            floats = trials.caller.floats(here)
            for k, told in met.items():
                if key is not None and k != key:
                    continue
                tally: Tally = trials.tallies[k]
                if told.apart is not None and tally.witness is None:
                    trials.count(self.there, point, k, tally, told, floats.get(k))
                if told.apart is not None and tally.witness is not None:
                    return Probed(kind, node, "apart", "the two sides are apart there", looked)
                if not (told.bits or told.inside):
                    status, why = "open", told.reason or "the two differ, and that is in doubt"
                elif status == "none":
                    status, why = "right", "the two sides agree there"
        return Probed(kind, node, status, why, looked)  # type: ignore[arg-type]

    def _side(self, node: Node) -> Side | None:
        """Whose graph a node is of; None: its inputs have the derivation's names."""
        for side in (self.trials.ways.graph, self.trials.ways.derived.side):
            if side is not None and side.trace.graph is node.graph:
                return side
        return None

    def _fails(self, side: Side | None, one: Critical, kind: str, values: Values) -> bool:
        """Whether a condition fails at a point, in exact arithmetic."""
        try:
            here = side.values(values, exact=True) if side is not None else dict(values)
            with precision(enclosures.BITS[0]):
                xs = holed(list(one.inputs), here, _sizes(side, one.inputs, here))
        except UNTOLD:
            return False
        if any(isinstance(x, HOLES) for a in xs for x in a.flat):
            return False
        if one.what == "singular":
            return bool(np.any(corners.margins(one, [_floats(a) for a in xs]) == 0))
        if kind in _FAILS:
            return any(_FAILS[kind](x) for x in xs[0].flat)
        return enclosures.at_a_kink(one.what, one.node, xs)


_FAILS = {
    "nonzero": lambda x: bool(x == 0),
    "positive": lambda x: bool(x <= 0),
    "nonnegative": lambda x: bool(x < 0),
    "finite": lambda x: not x.is_finite(),
}


def by_kind(found: Iterable[tuple[str, Any]]) -> list[list[tuple[str, Any]]]:
    """Points by the kind of their edge, so that kinds can take turns."""
    kinds: dict[str, list[tuple[str, Any]]] = {}
    for label, values in found:
        kinds.setdefault(label, []).append((label, values))
    return list(kinds.values())


def _floats(balls: np.ndarray) -> np.ndarray:
    return np.array([float(x.mid()) for x in balls.flat]).reshape(balls.shape)


def _looked(side: Side) -> list[Node]:
    return [g.node for g in side.trace.guards if g.node is not None]


def _sizes(side: Side | None, nodes: Sequence[Node], values: Mapping[str, Any]) -> dict[str, int]:
    if side is not None:
        return side.sizes(values)
    inputs = {n.params[0]: n for n in reached(nodes) if n.op == "input"}
    return bind_sizes(inputs, {n: np.shape(values[n]) for n in inputs})


def _harmless(why: Exception | str) -> bool:
    """Whether nothing can be wrong where that was the answer: forward has no value there."""
    return not isinstance(why, AtKink) and enclosures.NO_VALUE in str(why)
