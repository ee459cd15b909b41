"""The points tried for one function of the user's, and what each of them tells.

What a point costs is counted in operations, so that the verdict is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import Any

import numpy as np

from chainrule.claim.pair import PairClaim
from chainrule.code.trace.audit import on_path
from chainrule.domains import Domain, candidates
from chainrule.domains.values import Values, within
from chainrule.errors import ChainruleError
from chainrule.evidence import accuracy, drawing, enclosures
from chainrule.evidence.calling import Caller
from chainrule.evidence.drawing import Point
from chainrule.evidence.enclosures import AtKink, Met, OffPath
from chainrule.graph.node import Node, reached
from chainrule.judge import crossings, kinks
from chainrule.judge.doubts import (
    EXPLAINED,
    LAST_DIGITS,
    TINY,
    coarse,
    doubt,
    forward_is_followed,
    of_last_digits,
    strays,
)
from chainrule.judge.probing import Open, Probed, Probing, Seen, evidence
from chainrule.judge.sides import Ways, again, inputs_of
from chainrule.verdict import Evidence, Witness

NONE: Mapping[str, Domain] = MappingProxyType({})
ENOUGH, TRIED = 16, 54  # points decided, and tried
ASKED, PROVED = 3, 8  # after how many a proof is asked for; points decided, if there is one
ZEROS = (7, 11)  # which of them have zeros among their numbers
FILLS = (40.0, -40.0, 800.0, -800.0)  # where float64 code of one input saturates or overflows
YOURS, DRAWN, ALL = 2_000_000, 400_000, 6_000_000  # operations: at a point, at all
RETRACED = 6  # points where the code takes another path, and is followed again
HELD = 4  # points looked at with one input held
FEW = 12  # numbers of a point that are few enough for a witness
PLENTY = 40  # numbers of a point above which a smaller witness is looked for
#: What evaluation at a drawn point may raise where it cannot be told.
UNTOLD = (ChainruleError, ValueError, IndexError, np.linalg.LinAlgError)


INSIDE = (
    "at your point, which lies at a kink of the forward code, it is one of the derivatives' "
    "convex hull"
)


@dataclass
class Tally:
    """What the points told of one derivative."""

    witness: Witness | None = None
    entries: int = 0
    least: float = 0.0
    where: str = ""
    yours_too: bool = False
    points: int = 0
    yours: bool = False
    apart_where: dict[str, None] = field(default_factory=dict)
    seen: tuple[str, str] | None = None  # (yours, derived), apart where that is no witness
    mine: str = ""  # why nothing was told at the user's own point
    assumes: str = ""  # where alone it is right: "P is as you gave it (its entries sum to 1)"
    outside: str = ""  # at a kink: how far from the derivatives beside it
    at_kink: str = ""  # the user's own point is one, and the values lie in the hull there
    does: str = ""  # what is wrong at the witness, where that is more than two numbers
    right_where: str = ""  # at an edge: where alone the points tried were right
    at: Mapping[str, Any] = field(default_factory=dict)  # the witness's point
    right_at: set[str] = field(default_factory=set)  # what is special where it is right
    corners: dict[str, Seen] = field(default_factory=dict)  # edges tried, by kind
    undecided: int = 0
    bits: int = 10**6
    reasons: dict[str, None] = field(default_factory=dict)
    samples: list[accuracy.Sample] = field(default_factory=list)
    stray: Point | None = None  # where the code gives what its graph cannot give

    @property
    def edges(self) -> list[str]:
        """The kinds of edges that were tried."""
        return list(self.corners)

    def edge_evidence(self) -> Evidence | None:
        """What edges were tried, and how they came out."""
        return evidence(self.corners)


class Trials:
    """One function of the user's against the derivation, point by point.

    caller : how it is called. ways : both sides on the path of the user's own point.
    """

    def __init__(self, claim: PairClaim, point: Point, caller: Caller, ways: Ways) -> None:
        self.claim, self.point, self.caller, self.ways = claim, point, caller, ways
        self.spent = self.retraced = 0
        self.elsewhere: list[Ways] = []  # both sides on other paths, as they were met
        self.rounded = False  # whether constants, or what hangs together, explained a difference
        self.untold = ""  # why nothing was told at the user's own point
        self.sizes: dict[str, None] = {}
        self.lonely = ""  # a place that only the user's function reads
        self.held = ""  # why sizes or inputs stay as they are
        self.free = self._free()
        self.tallies = {k: Tally() for k in caller.wrt}
        self.probing = Probing(self)
        self.settled = False  # whether it is proved, and no edge could tell any more
        self.forward_strays: Point | None = None  # likewise, of the forward code

    def _free(self) -> tuple[bool, tuple[str, ...]]:
        """Whether sizes may change, and which inputs stay as the user gave them.

        What only the user's function reads may hang together with the rest (a transposed copy,
        what an earlier call of forward left): then nothing moves but a cotangent or a tangent.
        """
        derivation, one = self.claim.derivation, self.caller
        trace = self.ways.graph and self.ways.graph.trace
        lonely = [
            n for n, name in one.names.items() if not name and (not trace or n in trace.inputs)
        ]
        buffers = self._only_written(lonely)
        lonely = [n for n in lonely if n not in buffers]
        if self.ways.graph is not None:
            ours = enclosures.near_constants(list(derivation.trace.outputs.values()))
            mine = enclosures.near_constants(list(self.ways.graph.nodes.values()))
            held = enclosures.constant_arrays(list(self.ways.graph.nodes.values()))
            for name in derivation.trace.inputs:
                value: Any = derivation.prepared.inputs.get(name)
                if np.size(value) > 1 and any(np.array_equal(c, value) for c in held):
                    lonely.append(f"an array equal to {name}")
            literal = {repr(v) for v in self.ways.graph.trace.literals}  # no place holds these
            numbers = [n.split()[0] for n in mine if n not in ours]
            lonely += [f"the number {n}" for n in numbers if n not in literal]
        if lonely:
            self.lonely = lonely[0]
            self.held = f"{lonely[0]} is read by {one.part.name} only, so all else stays as it is"
            return False, tuple(derivation.trace.inputs)
        if buffers:
            self.held = f"{buffers[0]} is there already, so the sizes stay as they are"
            return False, ()
        for prepared in (derivation.prepared, one.prepared):
            number = drawing.numbers_as_sizes(prepared, derivation.trace)
            if number:
                self.held = f"{number} is read as a number, so the sizes stay as they are"
                return False, ()
        return True, ()

    def _only_written(self, places: Sequence[str]) -> list[str]:
        """Places whose former content nothing that is returned, and no look, depends on."""
        graph = self.ways.graph
        if graph is None:
            return []
        looked = [g.node for g in graph.trace.guards if g.node is not None]
        read = set(reached([*graph.nodes.values(), *looked]))
        return [n for n in places if graph.trace.inputs[n] not in read]

    def _points(self, ways: Ways, small: bool = False) -> Iterator[Point]:
        """The user's own point, then drawn ones: at the user's sizes, and at small ones.

        small : only drawn ones, the fewest numbers first, two for each set of sizes.
        """
        if not small:
            yield self.point
        inputs = inputs_of(self.claim, self.claim.derivation)
        own = self.point.values
        if set(inputs) <= set(self.free[1]):
            return
        here = {n: np.shape(own[n]) for n in inputs}
        settings = [drawing.Sizing(here, "")]
        if self.free[0]:
            others = [(ways.graph.trace, ways.graph.names)] if ways.graph else []
            sizes = drawing.sizings(self.claim.derivation.trace, others, inputs, self.claim.domains)
            sizes = [s for s in sizes if ways.fit(s.shapes)]
            settings = [*sizes, *settings]
        if small:
            settings = [s for s in settings if not s.breaks]
            settings.sort(key=lambda s: sum(int(np.prod(x)) for x in s.shapes.values()))
        settings = [s for s in settings if self.work_at(ways, s) <= DRAWN]
        if not settings:
            return
        seed = f"{self.claim.derivation.trace.function}: {', '.join(inputs)}"
        streams = [
            (s, self.drawn(inputs, s.shapes, self.free[1], f"{seed} {s.says}")) for s in settings
        ]
        if small:
            for sizing, stream in streams:
                for values in islice(stream, 2):
                    yield Point(values, sizing.says)
            return
        for turn in range(TRIED):
            sizing, stream = streams[turn % len(streams)]
            values = next(stream)
            if turn in ZEROS:
                zeros = {n: v if n in self.free[1] else _zeros(v) for n, v in values.items()}
                values = within(self.claim.domains, zeros, values)
            yield Point(values, sizing.says, sizing.breaks)

    def drawn(
        self,
        inputs: Mapping[str, Node],
        shapes: Mapping[str, tuple[int, ...]],
        fixed: Sequence[str],
        seed: str,
        more: Mapping[str, Domain] = NONE,
    ) -> Iterator[Values]:
        """Values of these shapes, from the domains declared; more : and supposed."""
        domains = {**self.claim.domains, **more}
        return drawing.drawn(inputs, self.point.values, shapes, fixed, seed=seed, domains=domains)

    def work_at(self, ways: Ways, sizing: drawing.Sizing) -> int:
        """Operations at a set of sizes, before any point is drawn."""
        return ways.work(Point({n: np.zeros(s) for n, s in sizing.shapes.items()}))

    def climb(self, sure: Callable[[], bool]) -> None:
        """Compare at one point after the other, until enough is known.

        sure : asked once, when a few points agree: whether all of it is proved.
        """
        decided, enough = 0, ENOUGH
        ways, tallies = self.ways, self.tallies
        for point in self._points(ways):
            open_ = [t for t in tallies.values() if t.witness is None or self._large(t)]
            if decided > enough or not open_:
                break
            if (
                decided == ASKED
                and enough == ENOUGH
                and all(t.witness is None for t in tallies.values())
            ):
                enough = PROVED if sure() else ENOUGH + 1
            cost = ways.work(point)
            if cost > (YOURS if point.yours else DRAWN) or self.spent + cost > ALL:
                continue
            self.spent += cost
            there = ways
            try:
                there, met = self.told(ways, point)
            except OffPath as why:
                self._own(point, f"another path: {why}")
                for tally in tallies.values():
                    tally.undecided += 1
                    tally.reasons[f"another path: {why}"] = None
                continue
            except UNTOLD as why:
                for tally in tallies.values():
                    tally.undecided += 1
                    tally.reasons[str(why)] = None
                self._own(point, str(why))
                self._sample_only(there, point, tallies)
                continue
            if point.sizes and any(m.bits or m.apart for m in met.values()):
                self.sizes[point.sizes] = None
            decided += any(m.bits > 0 for m in met.values())
            if point.yours and any(m.reason == enclosures.AT_A_KINK for m in met.values()):
                self.untold = enclosures.AT_A_KINK
            floats = self.caller.floats(point.values)
            for key, tally in tallies.items():
                self.count(there, point, key, tally, met[key], floats.get(key))
            fine = cost <= DRAWN and not any(map(coarse, point.values.values()))
            if fine and not forward_is_followed(self, there, point):
                self.forward_strays = self.forward_strays or point
        if not self.lonely:
            self._crossings(ways)
            self.probing.climb()
        self._fills(ways, tallies)
        self._strays(tallies)
        if enclosures.AT_A_KINK in self.untold:
            crossings.beside(self, ways)
        for key, tally in tallies.items():
            interior = tally.witness is not None and tally.witness.where == "interior"
            if interior and tally.yours and not self.lonely:
                tally.assumes = self._assumption(ways, key)
        wrong = {k: t for k, t in tallies.items() if t.entries > FEW}
        if wrong:
            self._smaller(ways, wrong)

    def told(self, ways: Ways, point: Point) -> tuple[Ways, dict[str, Met]]:
        """What a point tells, at a kink too, and on which path. Raises OffPath, and `UNTOLD`."""
        try:
            return ways, self._on_path(ways, point)
        except OffPath:
            pass
        except UNTOLD:  # a look at what has no exact value: math.sqrt of a negative number
            if self._takes(ways, point):
                raise
        there = self._elsewhere(point) or self.followed_at(point)
        return there, self._on_path(there, point)

    def _takes(self, ways: Ways, point: Point, unsure: bool = True) -> bool:
        """Whether a point takes the path of both sides, told in float64; `unsure` if it is not."""
        sides = [s for s in (ways.derived.side, ways.graph) if s is not None]
        try:
            return all(on_path(s.trace, s.values(point.values)) for s in sides)
        except UNTOLD:
            return unsure

    def _elsewhere(self, point: Point) -> Ways | None:
        """Both sides on a path that was followed before, and that a point takes in float64."""
        known = (there for there in self.elsewhere if self._takes(there, point, unsure=False))
        return next(known, None)

    def _on_path(self, ways: Ways, point: Point) -> dict[str, Met]:
        try:
            return enclosures.compare(ways.derived, ways.there, point.values)
        except AtKink:
            budget = min(YOURS if point.yours else DRAWN, ALL - self.spent)
            try:
                met, cost = kinks.told(self.claim, ways, point, budget, self._beyond)
            except ArithmeticError as why:  # a number that no float holds
                raise AtKink(enclosures.AT_A_KINK) from why
            self.spent += cost
            return met

    def probe(self, conditions: Sequence[Open], key: str | None = None) -> list[Probed]:
        """Whether the two sides differ where a condition of a proof fails: one answer for each.

        A condition has a `kind` and a `node` (of the claimed graph, of the derivation's, or of one
        whose inputs have the derivation's names). key : of one derivative only.
        """
        return self.probing.probe(conditions, key)

    def _own(self, point: Point, why: str) -> None:
        """Note why nothing was told at the user's own point."""
        if point.yours:
            self.untold = why
            for tally in self.tallies.values():
                tally.mine = why

    # -- where selections switch ---------------------------------------------------------------

    def _crossings(self, ways: Ways) -> None:
        """Compare on both sides of where either code switches: a threshold that is a little off
        is met by no drawn point."""
        for point in crossings.switching(self, ways):
            if all(t.witness is not None for t in self.tallies.values()):
                return
            cost = ways.work(point)
            if cost > DRAWN or self.spent + cost > ALL:
                return
            self.spent += cost
            try:
                there, met = self.told(ways, point)
            except (OffPath, *UNTOLD):
                continue
            floats = self.caller.floats(point.values)
            for key, tally in self.tallies.items():
                if met[key].apart is not None and tally.witness is None:
                    self.count(there, point, key, tally, met[key], floats.get(key))

    # -- at a kink, and what a claim assumes ---------------------------------------------------

    def _assumption(self, ways: Ways, key: str) -> str:
        """What must hold of which input for the claim to be right: a domain that the user's value
        belongs to, else that it is as it was given; "" if none is seen."""
        inputs, own = inputs_of(self.claim, self.claim.derivation), self.point.values
        if ways.work(self.point) > DRAWN:
            return ""
        for name, node in inputs.items():
            if name in self.free[1] or name in self.claim.domains:
                continue
            for domain in candidates(own[name]):
                there = np.asarray(self.tallies[key].at.get(name, own[name]))
                if (there.shape and domain.misfit(there.shape)) or not domain.fault(name, there):
                    continue  # the witness lies in it
                if self._right_where(ways, key, self.free[1], {name: domain}):
                    return f'{name} is {domain.said}: domains={{"{name}": {domain.code}}}'
            special = drawing.structure(own[name]) if node.kind == "f" else ""
            held = (*self.free[1], name)
            if special and not set(inputs) <= set(held) and self._right_where(ways, key, held, {}):
                return f"{name} is as you gave it ({special})"
        return ""

    def _right_where(
        self, ways: Ways, key: str, fixed: Sequence[str], more: Mapping[str, Domain]
    ) -> bool:
        """Whether a claim is right at points with inputs held, or with domains supposed."""
        inputs = inputs_of(self.claim, self.claim.derivation)
        shapes = {n: np.shape(self.point.values[n]) for n in inputs}
        seed = f"{self.claim.derivation.trace.function}: {', '.join((*fixed, *more))} held"
        right = 0
        for values in islice(self.drawn(inputs, shapes, fixed, seed, more), HELD):
            try:
                met = enclosures.compare(ways.derived, ways.there, values)[key]
            except (OffPath, *UNTOLD):
                continue
            if met.apart is not None and not of_last_digits(self, ways, values, key, met.apart):
                return False
            right += 1
        return right >= HELD // 2

    def followed_at(self, point: Point) -> Ways:
        """Both sides followed anew on the path of a point. Raises OffPath."""
        if self.retraced >= RETRACED:
            raise OffPath("it was followed on enough other paths")
        self.retraced += 1
        there = again(self.claim, self.caller, self.ways, point)
        self.elsewhere.append(there)
        return there

    def _beyond(self, point: Point) -> Ways:
        """Both sides on the path of a point next to a kink. Raises OffPath, and `UNTOLD`."""
        try:
            self.ways.derived.side.enclose(point.values)
        except OffPath:
            return self._elsewhere(point) or self.followed_at(point)
        return self.ways

    def _one_input(self) -> str:
        """The only float input, if there is one only."""
        names = [n for n, v in self.point.values.items() if np.asarray(v).dtype.kind == "f"]
        return names[0] if len(names) == 1 and not self.claim.domains else ""

    def _filled(self, name: str, t: float) -> dict[str, Any]:
        """The user's point with one input all of one number."""
        own = self.point.values[name]
        return {**self.point.values, name: np.full_like(own, t) if np.shape(own) else t}

    def _fills(self, ways: Ways, tallies: dict[str, Tally]) -> None:
        """The float64 code of a function of one input, where it is likely to fail."""
        name = self._one_input()
        if not name or self.lonely or ways.work(self.point) > DRAWN:
            return
        for t in FILLS:
            point = Point(self._filled(name, t))
            try:
                there, met = self.told(ways, point)
            except (OffPath, *UNTOLD):
                self._sample_only(ways, point, tallies, anyway=True)
                continue
            floats = self.caller.floats(point.values)
            for key, tally in tallies.items():
                truth = met[key].truth
                if met[key].apart is not None and tally.witness is None:
                    self.count(there, point, key, tally, met[key], floats.get(key))
                elif truth is not None:
                    self._sample(there, point, key, tally, truth, floats.get(key))

    def _strays(self, tallies: dict[str, Tally]) -> None:
        """Where the code gives what its graph cannot give it is followed anew: a path that was
        not seen may be wrong there."""
        for key, tally in tallies.items():
            point = tally.stray
            if point is None or tally.witness is not None:
                continue
            try:
                there = self.followed_at(point)
                met = enclosures.compare(there.derived, there.there, point.values)[key]
            except (OffPath, *UNTOLD):
                continue
            code = self.caller.floats(point.values).get(key)
            if code is not None and not strays(self, there, point, key, code):
                tally.stray = None if self.elsewhere_counts(there) else point
            if met.apart is not None:
                self.count(there, point, key, tally, met, code)

    def elsewhere_counts(self, there: Ways) -> bool:
        """Whether both sides took another path there: one that a look at a value decided."""
        a, b = self.ways.graph, there.graph
        if a is None or b is None:
            return False
        return [g.text for g in a.trace.guards] != [g.text for g in b.trace.guards]

    def _large(self, tally: Tally) -> bool:
        """Whether a witness is at a point of the user's that is long to write."""
        return tally.where == "yours" and self.point.entries > PLENTY

    def _smaller(self, ways: Ways, wrong: dict[str, Tally]) -> None:
        """A witness of fewer numbers, if a small size has one."""
        for point in self._points(ways, small=True):
            left = {k: t for k, t in wrong.items() if t.entries > point.entries}
            if not left:
                return
            try:
                met = enclosures.compare(ways.derived, ways.there, point.values)
            except (OffPath, *UNTOLD):
                continue
            floats = self.caller.floats(point.values)
            for key, tally in left.items():
                if met[key].apart is not None:
                    self.count(ways, point, key, tally, met[key], floats.get(key))

    def count(
        self,
        ways: Ways,
        point: Point,
        key: str,
        tally: Tally,
        met: Met,
        code: np.ndarray | None,
    ) -> None:
        if met.apart is not None:
            why, apart = doubt(self, ways, point, key, met, code), met.apart
            if why is EXPLAINED and met.kink:
                met = Met(reason=why, truth=met.truth)
            elif why is EXPLAINED:  # equal as far as the constants are known
                self.rounded = True
                bits = -int(np.floor(np.log2(apart.gap)))
                met = Met(bits=min(bits, enclosures.BITS[0]), truth=met.truth)
            elif why:
                tally.undecided += 1
                tally.reasons[why] = None
                if apart.claimed is not None and apart.least < TINY:  # alike so far, no further
                    tally.bits = min(tally.bits, -int(np.floor(np.log2(apart.least))))
                if point.yours:
                    tally.mine = why
                    tally.yours |= why is LAST_DIGITS or apart.least < TINY
                return
        if met.apart is not None:
            if self.lonely:
                tally.seen = tally.seen or met.apart.digits()
                return
            if point.breaks:
                tally.apart_where[point.breaks] = None
                return
            yours, derived = met.apart.digits()
            edge = met.apart.claimed is None or met.kink or bool(point.edge)
            tally.does = met.apart.says
            kind, off = _special(point)
            tally.right_where = off if edge and kind not in tally.right_at else ""
            tally.witness = Witness(
                drawing.written(point),
                yours,
                derived,
                met.apart.entry,
                "edge" if edge else "interior",
                enclosures.BITS,
            )
            tally.entries, tally.least = point.entries, met.apart.least
            tally.at = point.values
            tally.yours_too |= point.yours
            tally.where = "yours" if point.yours else point.sizes or "drawn"
            return
        if met.inside:
            if point.yours:
                tally.at_kink = INSIDE
            return
        if point.edge:
            if met.bits:
                tally.right_at.add(_special(point)[0])
            return
        if met.bits:
            tally.points += 1
            tally.right_at.add(_special(point)[0])
            tally.yours |= point.yours
            tally.bits = min(tally.bits, met.bits)
        else:
            tally.undecided += 1
            tally.reasons[met.reason] = None
            tally.mine = met.reason if point.yours else tally.mine
        if met.truth is not None:
            self._sample(ways, point, key, tally, met.truth, code)

    def _sample_only(
        self, ways: Ways, point: Point, tallies: dict[str, Tally], anyway: bool = False
    ) -> None:
        """Where the user's side tells nothing, the float64 code is held to the derived side."""
        if ways.graph is not None and not point.yours and not anyway:
            return
        try:
            truths = enclosures.truth_only(ways.derived, point.values)
        except (OffPath, *UNTOLD):
            return
        floats = self.caller.floats(point.values)
        for key, tally in tallies.items():
            self._sample(ways, point, key, tally, truths[key], floats.get(key))

    def _sample(
        self,
        ways: Ways,
        point: Point,
        key: str,
        tally: Tally,
        truth: np.ndarray,
        code: np.ndarray | None,
    ) -> None:
        raised = "" if code is not None else self.caller.raised(point.values)
        if code is None:
            code = np.full(truth.shape, np.nan)
        if code.shape != truth.shape:
            return
        if tally.stray is None and strays(self, ways, point, key, code):
            tally.stray = point
        unit = self._unit(code, point)
        says = "at your point" if point.yours else _range(point)
        sample = accuracy.Sample(np.asarray(code, float), truth, 0.0, says, point.yours)
        why = ""
        allowed = 0.0
        if sample.broken.any() and ways.graph is not None and not raised:
            values = ways.graph.values(point.values)
            why = accuracy.overflow(ways.graph.trace, [ways.graph.nodes[key]], values)
        elif sample.gap > enclosures.ROUNDINGS * unit * sample.scale or ways.graph is None:
            allowed = enclosures.allowance(ways.derived.side, key, point.values, truth, unit)
        else:
            allowed = enclosures.ROUNDINGS * unit * sample.scale
        tally.samples.append(
            accuracy.Sample(sample.code, truth, allowed, says, point.yours, why, raised)
        )

    def _unit(self, code: np.ndarray, point: Point) -> float:
        """The coarsest unit roundoff of what goes in and comes out."""
        kinds = [code.dtype, *(np.asarray(v).dtype for v in point.values.values())]
        return max(float(np.finfo(k).eps) / 2 for k in kinds if k.kind == "f")

    def edge(self, key: str, tally: Tally) -> str:
        """Where a function of one float input begins to fail."""
        name = self._one_input()
        if not name or self.lonely or not any(s.broken.any() for s in tally.samples):
            return ""

        def fails(t: float) -> bool:
            found = self.caller.floats(self._filled(name, t)).get(key)
            return found is None or not bool(np.isfinite(found).all())

        return accuracy.threshold(fails, name)


def _zeros(value: Any) -> Any:
    """The same with every other float 0."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        out = value.copy()
        out.reshape(-1)[::2] = 0.0
        return out
    return value


def _special(point: Point) -> tuple[str, str]:
    """What is special about a point, and where a point is not: ("zero", "no entry of x is 0");
    empty where nothing of the kind is seen."""
    real = {n: v for n, v in point.values.items() if _real(v)}
    if any(np.size(v) == 0 for v in real.values()):
        return "empty", "no axis is empty"
    zero = [n for n, v in real.items() if np.any(np.asarray(v) == 0)]
    if zero:
        parts = [f"entry of {n}" if np.ndim(real[n]) else n for n in zero]
        return "zero", f"no {' and no '.join(parts)} is 0"
    for name, value in real.items():
        if len(np.unique(value)) < np.size(value):
            return "tie", f"no two entries of {name} are equal"
    return "", ""


def _real(value: Any) -> bool:
    return np.asarray(value).dtype.kind == "f"


def _range(point: Point) -> str:
    """``at a drawn point (x from −800 to 512)``."""
    shown = []
    for name, value in point.values.items():
        array = np.asarray(value)
        if array.dtype.kind != "f" or not array.size:
            continue
        low, high = float(array.min()), float(array.max())
        shown.append(
            f"{name} = {low:.6g}" if low == high else f"{name} from {low:.4g} to {high:.4g}"
        )
    text = ", ".join(shown[:3]) + (", …" if len(shown) > 3 else "")
    return f"at a drawn point ({text})".replace("-", "−")
