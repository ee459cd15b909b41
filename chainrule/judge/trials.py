"""The points tried for one function of the user's, and what each of them tells.

What a point costs is counted in operations, so that the verdict is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from chainrule.claim.pair import PairClaim
from chainrule.errors import ChainruleError
from chainrule.evidence import accuracy, calling, drawing, enclosures
from chainrule.evidence.calling import Caller
from chainrule.evidence.drawing import Point
from chainrule.evidence.enclosures import Apart, Met, OffPath, Side
from chainrule.judge.sides import Ways, again, inputs_of
from chainrule.verdict import Witness

ENOUGH, TRIED = 16, 54  # points decided, and tried
ZEROS = (7, 11)  # which of them have zeros among their numbers
FILLS = (40.0, -40.0, 800.0, -800.0)  # where float64 code of one input saturates or overflows
YOURS, DRAWN, ALL = 2_000_000, 400_000, 6_000_000  # operations: at a point, at all
RETRACED = 6  # points where the code takes another path, and is followed again
TINY = 2.0**-56  # of the largest entry: what no float64 code can show
SOFT = 2.0**-40  # of the largest entry: what rounded constants may explain
SOFT_ULPS = 4  # times what one unit in the last place of the inputs may explain
BESIDE, HELD = 24, 4  # points looked at beside a kink, and with one input held
SWITCHES, CROSSED, HALVINGS = 6, 2, 25  # selections looked at, pairs of points, bisections
FEW = 12  # numbers of a point that are few enough for a witness
PLENTY = 40  # numbers of a point above which a smaller witness is looked for
#: What evaluation at a drawn point may raise where it cannot be told.
UNTOLD = (ChainruleError, ValueError, IndexError, np.linalg.LinAlgError)


EXPLAINED = "the difference is no larger than rounded constants explain"
LAST_DIGITS = "the difference is no larger than the last digits of the inputs explain"


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
    undecided: int = 0
    bits: int = 10**6
    reasons: dict[str, None] = field(default_factory=dict)
    samples: list[accuracy.Sample] = field(default_factory=list)


class Trials:
    """One function of the user's against the derivation, point by point.

    caller : how it is called. ways : both sides on the path of the user's own point.
    """

    def __init__(self, claim: PairClaim, point: Point, caller: Caller, ways: Ways) -> None:
        self.claim, self.point, self.caller, self.ways = claim, point, caller, ways
        self.spent = self.retraced = 0
        self.rounded = False  # whether constants, or what hangs together, explained a difference
        self.untold = ""  # why nothing was told at the user's own point
        self.sizes: dict[str, None] = {}
        self.lonely = ""  # a place that only the user's function reads
        self.held = ""  # why sizes or inputs stay as they are
        self.free = self._free()
        self.tallies = {k: Tally() for k in caller.wrt}

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
        if self.ways.graph is not None:
            ours = enclosures.near_constants(list(derivation.trace.outputs.values()))
            mine = enclosures.near_constants(list(self.ways.graph.nodes.values()))
            held = enclosures.constant_arrays(list(self.ways.graph.nodes.values()))
            for name in derivation.trace.inputs:
                value: Any = derivation.prepared.inputs.get(name)
                if np.size(value) > 1 and any(np.array_equal(c, value) for c in held):
                    lonely.append(f"an array equal to {name}")
            lonely += [f"the number {n.split()[0]}" for n in mine if n not in ours]
        if lonely:
            self.lonely = lonely[0]
            self.held = f"{lonely[0]} is read by {one.part.name} only, so all else stays as it is"
            return False, tuple(derivation.trace.inputs)
        for prepared in (derivation.prepared, one.prepared):
            number = drawing.numbers_as_sizes(prepared, derivation.trace)
            if number:
                self.held = f"{number} is read as a number, so the sizes stay as they are"
                return False, ()
        return True, ()

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
            sizes = drawing.sizings(self.claim.derivation.trace, others, inputs)
            sizes = [s for s in sizes if ways.fit(s.shapes)]
            settings = [*sizes, *settings]
        if small:
            settings = [s for s in settings if not s.breaks]
            settings.sort(key=lambda s: sum(int(np.prod(x)) for x in s.shapes.values()))
        settings = [s for s in settings if self._work_at(ways, s) <= DRAWN]
        if not settings:
            return
        seed = f"{self.claim.derivation.trace.function}: {', '.join(inputs)}"
        streams = [
            (s, drawing.drawn(inputs, own, s.shapes, self.free[1], seed=f"{seed} {s.says}"))
            for s in settings
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
                values = {n: v if n in self.free[1] else _zeros(v) for n, v in values.items()}
            yield Point(values, sizing.says, sizing.breaks)

    def _work_at(self, ways: Ways, sizing: drawing.Sizing) -> int:
        """Operations at a set of sizes, before any point is drawn."""
        return ways.work(Point({n: np.zeros(s) for n, s in sizing.shapes.items()}))

    def climb(self) -> None:
        """Compare at one point after the other, until enough is known."""
        decided = 0
        ways, tallies = self.ways, self.tallies
        for point in self._points(ways):
            open_ = [t for t in tallies.values() if t.witness is None or self._large(t)]
            if decided > ENOUGH or not open_:
                break
            cost = ways.work(point)
            if cost > (YOURS if point.yours else DRAWN) or self.spent + cost > ALL:
                continue
            self.spent += cost
            there = ways
            try:
                try:
                    met = enclosures.compare(there.derived, there.there, point.values)
                except OffPath:
                    there = self._again(point)
                    met = enclosures.compare(there.derived, there.there, point.values)
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
            floats = self.caller.floats(point.values)
            for key, tally in tallies.items():
                self._count(there, point, key, tally, met[key], floats.get(key))
        if not self.lonely:
            self._crossings(ways)
        self._fills(ways, tallies)
        if enclosures.AT_A_KINK in self.untold:
            self._beside(ways)
        for key, tally in tallies.items():
            if tally.witness is not None and tally.yours and not self.lonely:
                tally.assumes = self._assumption(ways, key)
        wrong = {k: t for k, t in tallies.items() if t.entries > FEW}
        if wrong:
            self._smaller(ways, wrong)

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
        for point in self._switching(ways):
            if all(t.witness is not None for t in self.tallies.values()):
                return
            cost = ways.work(point)
            if cost > DRAWN or self.spent + cost > ALL:
                return
            self.spent += cost
            there = ways
            try:
                try:
                    met = enclosures.compare(ways.derived, ways.there, point.values)
                except OffPath:
                    there = self._again(point)
                    met = enclosures.compare(there.derived, there.there, point.values)
            except (OffPath, *UNTOLD):
                continue
            floats = self.caller.floats(point.values)
            for key, tally in self.tallies.items():
                if met[key].apart is not None and tally.witness is None:
                    self._count(there, point, key, tally, met[key], floats.get(key))

    def _switching(self, ways: Ways) -> Iterator[Point]:
        """Pairs of points close together, between which a selection switches."""
        sides = [s for s in (ways.derived.side, ways.graph) if s is not None]
        switches = [(s, n) for s in sides for n in enclosures.crossed(s)]
        if not switches:
            return
        inputs, own = inputs_of(self.claim, self.claim.derivation), self.point.values
        shapes = {n: np.shape(own[n]) for n in inputs}
        if ways.work(self.point) > DRAWN // 4:
            small = next(self._points(ways, small=True), None)
            if small is None:
                return
            shapes = {n: np.shape(small.values[n]) for n in inputs}
        seed = f"{self.claim.derivation.trace.function}: switches"
        drawn = list(islice(drawing.drawn(inputs, own, shapes, self.free[1], seed=seed), 4))
        same = all(np.shape(own[n]) == shapes[n] for n in inputs)
        pairs = [(dict(own), drawn[0])] if same else []
        pairs += [(drawn[0], drawn[1]), (drawn[2], drawn[3])]
        done: dict[int, int] = {}
        for one, two in pairs:
            for number, (side, node) in enumerate(switches):
                if done.get(number, 0) < CROSSED and len(done) <= SWITCHES:
                    for values in enclosures.bisected(side, node, one, two, HALVINGS):
                        done[number] = done.get(number, 0) + 1
                        yield Point(values)

    # -- at a kink, and what a claim assumes ---------------------------------------------------

    def _beside(self, ways: Ways) -> None:
        """At a point of the user's that is a kink: whether what the code gives there lies far
        outside of what the derivative is beside it."""
        floats = self.caller.floats(self.point.values)
        seen: dict[str, list[np.ndarray]] = {}
        for k in range(BESIDE):
            try:
                found = enclosures.truth_only(ways.derived, drawing.beside(self.point.values, k))
            except OffPath:
                try:
                    moved = Point(drawing.beside(self.point.values, k))
                    found = enclosures.truth_only(self._again(moved).derived, moved.values)
                except (OffPath, *UNTOLD):
                    continue
            except UNTOLD:
                continue
            for key, value in found.items():
                seen.setdefault(key, []).append(value)
        for key, tally in self.tallies.items():
            code, there = floats.get(key), seen.get(key, [])
            if code is None or len(there) < BESIDE // 2 or there[0].shape != code.shape:
                continue
            low, high = np.min(there, axis=0), np.max(there, axis=0)
            scale = max(float(np.max(np.abs(there))) if there[0].size else 0.0, 1e-300)
            slack = (high - low) + 2.0**-12 * scale
            far = (code < low - slack) | (code > high + slack)
            if far.any():
                entry = tuple(int(i) for i in np.argwhere(far)[0])
                shown = f"entry {list(entry)} is" if entry else "it is"
                a, b = float(low[entry]), float(high[entry])
                around = f"about {a:.6g}" if b - a < 2.0**-12 * scale else f"{a:.6g} to {b:.6g}"
                tally.outside = f"{shown} {float(code[entry]):.6g} there, and {around} beside it"

    def _assumption(self, ways: Ways, key: str) -> str:
        """Which input must be as the user gave it for the claim to be right; "" if none is seen."""
        inputs, own = inputs_of(self.claim, self.claim.derivation), self.point.values
        if ways.work(self.point) > DRAWN:
            return ""
        shapes = {n: np.shape(own[n]) for n in inputs}
        for name, node in inputs.items():
            special = drawing.structure(own[name])
            if name in self.free[1] or node.kind != "f" or not special:
                continue
            fixed = (*self.free[1], name)
            if set(inputs) <= set(fixed):
                continue
            seed = f"{self.claim.derivation.trace.function}: {name} held"
            right = 0
            for values in islice(drawing.drawn(inputs, own, shapes, fixed, seed=seed), HELD):
                try:
                    met = enclosures.compare(ways.derived, ways.there, values)[key]
                except (OffPath, *UNTOLD):
                    continue
                if met.apart is not None and not self._of_last_digits(ways, values, key, met.apart):
                    right = 0
                    break
                right += 1
            if right >= HELD // 2:
                return f"{name} is as you gave it ({special})"
        return ""

    def _of_last_digits(self, ways: Ways, values: dict[str, Any], key: str, apart: Apart) -> bool:
        """Whether the last digits of the inputs explain a difference: P sums to 1, but for
        rounding."""
        if apart.gap >= SOFT or apart.claimed is None:
            return False
        if apart.least < TINY:
            return True
        sides = [s for s in (ways.derived.side, ways.graph) if s is not None]
        moved = 0.0
        for side in sides:
            try:
                one = enclosures.entry_of(side, key, apart.entry)
                moved += enclosures.spread(one, key, values, 2.0**-53)
            except UNTOLD:
                return False
        return abs(float((apart.claimed - apart.derived).mid())) <= SOFT_ULPS * moved

    def _again(self, point: Point) -> Ways:
        if self.retraced >= RETRACED:
            raise OffPath("it was followed on enough other paths")
        self.retraced += 1
        return again(self.claim, self.caller, self.ways, point)

    def _one_input(self) -> str:
        """The only float input, if there is one only."""
        names = [n for n, v in self.point.values.items() if np.asarray(v).dtype.kind == "f"]
        return names[0] if len(names) == 1 else ""

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
            self._sample_only(ways, Point(self._filled(name, t)), tallies, anyway=True)

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
                    self._count(ways, point, key, tally, met[key], floats.get(key))

    def _count(
        self,
        ways: Ways,
        point: Point,
        key: str,
        tally: Tally,
        met: Met,
        code: np.ndarray | None,
    ) -> None:
        if met.apart is not None:
            doubt = self._doubt(ways, point, key, met, code)
            if doubt is EXPLAINED:  # equal as far as the constants are known
                self.rounded = True
                bits = -int(np.floor(np.log2(met.apart.gap)))
                met = Met(bits=min(bits, enclosures.BITS[0]), truth=met.truth)
            elif doubt:
                tally.undecided += 1
                tally.reasons[doubt] = None
                if point.yours:
                    tally.mine = doubt
                    tally.yours |= doubt is LAST_DIGITS or met.apart.least < TINY
                return
        if met.apart is not None:
            if self.lonely:
                tally.seen = tally.seen or met.apart.digits()
                return
            if point.breaks:
                tally.apart_where[point.breaks] = None
                return
            yours, derived = met.apart.digits()
            tally.witness = Witness(
                drawing.written(point),
                yours,
                derived,
                met.apart.entry,
                "edge" if met.apart.claimed is None else "interior",
                enclosures.BITS,
            )
            tally.entries, tally.least = point.entries, met.apart.least
            tally.yours_too |= point.yours
            tally.where = "yours" if point.yours else point.sizes or "drawn"
            return
        if met.bits:
            tally.points += 1
            tally.yours |= point.yours
            tally.bits = min(tally.bits, met.bits)
        else:
            tally.undecided += 1
            tally.reasons[met.reason] = None
            tally.mine = met.reason if point.yours else tally.mine
        if met.truth is not None:
            self._sample(ways, point, key, tally, met.truth, code)

    def _doubt(self, ways: Ways, point: Point, key: str, met: Met, code: np.ndarray | None) -> str:
        """Why a difference may come from how the code was followed; "" if it cannot."""
        apart = met.apart
        assert apart is not None
        if not self._forward_is_followed(ways, point):
            return "the forward code gives other values there than its graph"
        value = None if code is None else code[apart.entry] if code.shape else code[()]
        if value is None and ways.graph is not None:
            return "its code gives no value there"
        if apart.claimed is None:
            fine = value is not None and np.isfinite(value)
            return "undefined as it is written, and a number in float64" if fine else ""
        if apart.least < TINY:
            return (
                f"the two are apart by {apart.least:.1e} of its value, certified: less than "
                "float64 can tell"
            )
        if apart.gap < SOFT:
            nodes = [*ways.derived.side.nodes.values()]
            nodes += ways.graph.nodes.values() if ways.graph else []
            if ways.graph is None or self.held or enclosures.rounded_constants(nodes):
                return EXPLAINED
        if point.yours and self._of_last_digits(ways, dict(point.values), key, apart):
            return LAST_DIGITS
        if value is None or not np.isfinite(value):
            return "" if ways.graph is not None else "its float64 code gives no number there"
        mine, truth = float(apart.claimed.mid()), float(apart.derived.mid())
        to_mine, to_truth = abs(float(value) - mine), abs(float(value) - truth)
        if to_mine < to_truth / 2:
            return ""
        if ways.graph is not None:
            pairs = enclosures.graph_values(ways.graph, point.values)
            limit = pairs[list(ways.graph.nodes).index(key)][1][apart.entry]
            if to_mine <= 2 * float(limit):
                return ""
        return "its float64 values are not those of the path that was followed"

    def _forward_is_followed(self, ways: Ways, point: Point) -> bool:
        """Whether the forward code gives at a point what its graph gives, within the bounds."""
        side = ways.derived.side
        outputs = side.trace.outputs
        looked = Side(side.trace, dict(outputs), side.names, side.own, side.inputs)
        own = {
            n: point.values[n] for n in self.claim.derivation.prepared.inputs if n in point.values
        }
        try:
            returned = dict(calling.parts(self.claim.derivation.prepared.run(own)))
            ((value, limit),) = enclosures.graph_values(looked, point.values)
        except (Exception, SystemExit):
            return False
        name = next(iter(outputs))
        key = name if name in returned else ""
        found = np.asarray(returned.get(key), np.float64)
        if found.shape != value.shape:
            return False
        told = np.isfinite(found) & np.isfinite(value)
        gap = np.abs(np.subtract(found, value, where=told, out=np.zeros(value.shape)))
        return bool(np.all(gap[told] <= 2 * limit[told] + np.finfo(float).tiny))

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
        if code is None:
            code = np.full(truth.shape, np.nan)
        if code.shape != truth.shape:
            return
        unit = self._unit(code, point)
        says = "at your point" if point.yours else _range(point)
        sample = accuracy.Sample(np.asarray(code, float), truth, 0.0, says, point.yours)
        why = ""
        allowed = 0.0
        if sample.broken.any() and ways.graph is not None:
            values = ways.graph.values(point.values)
            why = accuracy.overflow(ways.graph.trace, [ways.graph.nodes[key]], values)
        elif sample.gap > enclosures.ROUNDINGS * unit * sample.scale or ways.graph is None:
            allowed = enclosures.allowance(ways.derived.side, key, point.values, truth, unit)
        else:
            allowed = enclosures.ROUNDINGS * unit * sample.scale
        tally.samples.append(accuracy.Sample(sample.code, truth, allowed, says, point.yours, why))

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
