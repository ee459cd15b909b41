"""Forward code that cannot be followed, only called: what differences of its values tell.

The claim is read as for any pair of functions, with a stand-in for the derivation that knows the
inputs, the shapes, and how to call. The contract is the same; then each claimed derivative is held
against differences at the user's own point and near it: `agrees`, `disagrees` or `inconclusive`,
never proved, and refuted only by a wrong shape or no value at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import floor, log10
from random import Random
from typing import Any

import numpy as np

from chainrule.claim.pair import PairClaim, Part
from chainrule.code.derive import CodeDerivation
from chainrule.code.trace.places import prepare
from chainrule.errors import ShapeError, UsageError
from chainrule.evidence import calling, differences, drawing, keeping
from chainrule.evidence.calling import Caller
from chainrule.evidence.differences import Array, Line
from chainrule.evidence.drawing import Point
from chainrule.judge.called import claim_of, float64, is_real, names_of, outputs_of, repeats
from chainrule.judge.code import _STILL, _Judge, at_fault
from chainrule.judge.seen import LOOSE, SLIGHT, TIMES, Probe, Seen, Told, entry_line, typical
from chainrule.verdict import Evidence, Finding, Scope, Status

EACH, NEAR_EACH = 400, 12  # entries that are taken one by one, at the user's point and near it
ALONG, SINGLE = 6, 12  # larger inputs: random directions, and entries that count most
POINTS = 3  # near the user's own
FEWEST = 3  # digits that differences must tell, to tell anything
SURE = 2.0**-40  # of the largest entry: what a complex step that is confirmed can tell
Given = Mapping[str, Any]


def judge_outside(
    forward: Any, claimed: Any, at: Given | None, options: Given, why: Exception, only: int | None
) -> dict[str, Finding] | None:
    """The findings of a claim on a forward function that cannot be followed; None where it cannot
    be called either, or where it is not clear what is claimed.

    why : why it cannot be followed. only : the number of the one function of the user's to judge.
    """
    if isinstance(forward, CodeDerivation):
        return None
    try:
        claim = claim_of(forward, claimed, dict(at or {}), dict(options))
        if claim is None or claim.mode == "hessian":
            return None
        point = Point(float64(calling.point(claim, drawing.direction)), yours=True)
        counts = calling.forward_counts(
            claim.derivation.prepared, point.values, lambda f: keeping.keep([f])
        )
    except (UsageError, ShapeError):
        return None
    asked = claim.parts if only is None else claim.parts[only : only + 1]
    if counts:
        return {k: at_fault(p.name, counts) for p in asked for k in p.wrt or (p.name,)}
    text = _STILL.sub("", " ".join(str(why).partition("\n    ")[0].split())).rstrip(".;, ")
    if not repeats(claim.derivation.prepared, point.values):
        name = claim.derivation.trace.function
        says = (
            f"{name} is a black box ({text}) and gives another result when it is called again with "
            "the same arguments: nothing can be told from its values; give it its generator as an "
            "argument"
        )
        scope = Scope("none", followed="black box")
        return {
            k: Finding(p.name, "inconclusive", says, scope)
            for p in asked
            for k in p.wrt or (p.name,)
        }
    found: dict[str, Finding] = {}
    for part in asked:
        try:
            findings = _Outside(claim, part, point, text).findings()
        except (UsageError, ShapeError):
            return None
        for key, finding in findings.items():
            unique = key if key not in found else f"{key} ({part.name})"
            found[unique] = finding
    return found


class _Outside(_Judge):
    """One function of the user's against differences of forward."""

    def __init__(self, claim: PairClaim, part: Part, point: Point, why: str) -> None:
        super().__init__(claim, part, point)
        self.why = why
        named = names_of(claim.derivation.prepared.functions)
        self.slight = max((LOOSE[n] for n in named if n in LOOSE), default=SLIGHT)
        self.random = Random(f"{claim.derivation.trace.function}/{part.name}")

    def findings(self) -> dict[str, Finding]:
        """The contract first; then what differences tell."""
        given = calling.arguments(self.claim, self.part, self.point.values)
        given |= calling.places(self.claim, self.part, given)
        loose = calling.with_places(self.claim, prepare(self.part.function, given))
        one = calling.caller(self.claim, self.part, loose)
        with keeping.kept([self.part.function], {}):
            kept = calling.contract(self.claim, one, self.point.values, lambda f: keeping.keep([f]))
        found = {k: f for fault in kept.faults for k, f in self._fault(fault)}
        if kept.fatal:
            return found
        self.kept = kept
        self.caller = Caller(one.part, one.prepared, one.names, kept.wrt, kept.keys)
        points = [self.point, *self._near()]
        for key in kept.wrt:
            found[key] = self._held(key, points)
        return found

    # -- the function ------------------------------------------------------------------------------

    def _values(self, values: Given) -> Array | None:
        """What is differentiated, as one axis: forward's values, or their sum with a cotangent."""
        of = self.claim.derivation.of[0]
        found = outputs_of(self.claim.derivation.prepared, values)
        name = self.claim.derivation.trace.function
        array = found.get(of, found.get("") if of == name else None)
        (output,) = self.claim.derivation.trace.outputs.values()
        if array is None or array.shape != output.number_shape:
            return None
        if self.claim.mode == "vjp":
            seed = values[self.claim.of_part(next(iter(self.claim.directions)))]
            return np.array([np.sum(np.asarray(seed) * array)])
        return array.ravel()

    def _line(self, point: Point, probe: Probe) -> Line:
        values = point.values

        def at(step: float) -> Array | None:
            there = {n: values[n] + step * move for n, move in probe.moves.items()}
            return self._values({**values, **there})

        if probe.entry is None:
            return Line(at, probe.scale)
        ((name, move),) = probe.moves.items()
        start = float(np.asarray(values[name])[np.asarray(move) != 0][0])
        return Line(at, probe.scale, lambda step: (start + step) - start)

    def _near(self) -> Iterator[Point]:
        """Points near the user's: every float times 3/4 to 5/4. Declared inputs stay."""
        for _ in range(POINTS):
            values = {
                n: v if n in self.claim.domains or not is_real(v) else self._moved(v)
                for n, v in self.point.values.items()
            }
            if self._values(values) is not None:
                yield Point(values)

    def _moved(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return value * (1 + self.random.uniform(-0.25, 0.25))
        factors = [self.random.uniform(-0.25, 0.25) for _ in range(value.size)]
        return value * (1 + np.reshape(factors, value.shape))

    # -- the lines ---------------------------------------------------------------------------------

    def _probes(self, key: str, point: Point) -> list[Probe]:
        """The lines for one derivative at one point."""
        values = point.values
        if self.claim.mode == "jvp":
            moves = {
                p: np.asarray(values[self.claim.of_part(a)], float)
                for a, p in self.claim.directions.items()
            }
            long = max((float(np.max(np.abs(m), initial=0.0)) for m in moves.values()), default=0.0)
            wide = min((typical(values[p]) for p in moves), default=1.0)
            return [Probe("along the tangent", None, moves, wide / long if long else 1.0)]
        x = np.asarray(values[key], float)
        most = EACH if point.yours else NEAR_EACH
        if x.size <= most:
            return [entry_line(key, x, i) for i in np.ndindex(x.shape)]
        found = [self._along(key, x) for _ in range(ALONG)]
        if point.yours:
            flat = sorted(self.random.sample(range(x.size), min(SINGLE, x.size)))
            found += [
                entry_line(key, x, tuple(map(int, np.unravel_index(k, x.shape)))) for k in flat
            ]
        return found

    def _along(self, key: str, x: Array) -> Probe:
        signs = np.reshape([self.random.choice((-1.0, 1.0)) for _ in range(x.size)], x.shape)
        wide = np.where(x == 0, typical(x), np.abs(x))
        return Probe("in a random direction", None, {key: signs * wide}, 1.0)

    def _told(self, key: str, points: Sequence[Point]) -> Told:
        told = Told()
        for point in points:
            claimed = self.caller.floats(point.values).get(key)
            here = self._values(point.values)
            shape = calling.wanted_shape(self.claim, key)
            if claimed is None or here is None or claimed.shape != shape:
                continue
            if not np.isfinite(claimed).all():
                if point.yours:
                    return told
                continue
            rough = self._rough(key, point, claimed)
            jitter = self._jitter(key, point, here)
            seen = []
            for probe in self._probes(key, point):
                slope = differences.slope(self._line(point, probe), here, jitter)
                yours, besides = self._contracted(probe, claimed, rough)
                seen.append(Seen(probe, point, slope, yours, besides))
            sizes = [self._largest(s, here) for s in seen]
            alone = [z for s, z in zip(seen, sizes, strict=True) if s.probe.entry is not None]
            for one, mine in zip(seen, sizes, strict=True):
                size = max(alone, default=mine) if one.probe.entry is not None else mine
                told.seen.append(replace(one, size=size, slight=self.slight))
            told.points += 1
            if point.yours and self.claim.mode != "jvp":
                told.complex_off = self._complex(key, point, seen)
        return told

    @staticmethod
    def _largest(seen: Seen, here: Array) -> float:
        """The size that errors are measured by; of a derivative that is 0, that of the values."""
        known = np.isfinite(seen.slope.error)
        size = float(np.max(np.abs(seen.slope.value), where=known, initial=0.0))
        error = float(np.max(seen.slope.error, where=known, initial=0.0))
        flat = float(np.max(np.abs(here), initial=0.0)) / seen.probe.scale
        return size if size > TIMES * error else max(size, flat)

    def _contracted(self, probe: Probe, claimed: Array, rough: Array) -> tuple[Array, Array]:
        """What is claimed of a line, and how far its own rounding may put it off."""
        if self.claim.mode == "jvp":
            return claimed.ravel(), rough.ravel()
        ((_, move),) = probe.moves.items()
        if probe.entry is not None:
            cut: Any = (..., *probe.entry)
            return claimed[cut].ravel(), rough[cut].ravel()
        axes = np.ndim(move)
        return (
            np.ravel(np.tensordot(claimed, move, axes)),
            np.ravel(np.tensordot(rough, np.abs(move), axes)),
        )

    def _jitter(self, key: str, point: Point, here: Array) -> Array:
        """The noise of forward's values, in two directions of all that moves."""
        if self.claim.mode == "jvp":
            probes = self._probes(key, point)
        else:
            probes = [self._along(key, np.asarray(point.values[key], float)) for _ in range(2)]
        found = [differences.noise(self._line(point, p), here) for p in probes]
        return np.asarray(np.max(found, axis=0))

    def _rough(self, key: str, point: Point, claimed: Array) -> Array:
        """How far the claimed values jump where every input moves by units in the last place."""
        found = 16 * differences.EPS * np.abs(claimed)
        jumps = 4 * differences.EPS * np.max(np.abs(claimed), initial=0.0)
        for turn in range(4):
            values = {
                n: np.nextafter(v, np.inf if (turn + k) % 2 else -np.inf)
                if is_real(v) and n not in self.claim.domains
                else v
                for k, (n, v) in enumerate(point.values.items())
            }
            there = self.caller.floats(values).get(key)
            if there is not None and there.shape == claimed.shape and np.isfinite(there).all():
                found = np.maximum(found, 4 * np.abs(there - claimed))
        return np.asarray(found + jumps)

    def _complex(self, key: str, point: Point, seen: Sequence[Seen]) -> float | None:
        """How far what is claimed is from complex steps that all differences confirm."""
        if len(seen) > EACH or not seen:
            return None
        prepared, values = self.claim.derivation.prepared, point.values
        worst = 0.0
        for one in seen:

            def at(step: complex, one: Seen = one) -> Any:
                there = {n: values[n] + step * move for n, move in one.probe.moves.items()}
                returned = dict(calling.parts(prepared.run({**values, **there})))
                array = np.asarray(returned.get(self.claim.derivation.of[0], returned.get("")))
                if self.claim.mode == "vjp":
                    seed = values[self.claim.of_part(next(iter(self.claim.directions)))]
                    return np.array([np.sum(np.asarray(seed) * array)])
                return array

            found = differences.complex_slope(at, one.probe.scale)
            if found is None or found.shape != one.slope.value.shape:
                return None
            with np.errstate(invalid="ignore"):
                if not np.all(np.abs(found - one.slope.value) <= one.slope.error):
                    return None
            size = max(float(np.max(np.abs(found), initial=0.0)), one.size)
            gap = np.maximum(np.abs(found - one.claimed) - TIMES * one.besides, 0.0)
            worst = max(worst, float(np.max(gap, initial=0.0)) / size if size else 0.0)
        return worst

    # -- what it comes to --------------------------------------------------------------------------

    def _held(self, key: str, points: Sequence[Point]) -> Finding:
        """One derivative: agrees, disagrees, or why that cannot be said."""
        name, derived = self._name(key), self.claim.said(key)
        forward = self.claim.derivation.trace.function
        told = self._told(key, points)
        calls = f"{forward} is a black box ({self.why})"
        mine = [s for s in told.seen if s.point.yours]
        if not mine:
            reason = f"{calls}; {name} gives no finite numbers at your point"
            return self._finding_of(name, "inconclusive", reason, told)
        apart = [s for s in told.seen if bool(np.any(s.apart))]
        surely = [s for s in apart if bool(np.any(s.surely))]
        if any(s.point.yours for s in surely) or len({id(s.point) for s in surely}) > 1:
            return self._finding_of(name, "disagrees", self._differs(surely, derived, calls), told)
        worst = max(mine, key=Seen.share)
        if worst.share() > 10.0**-FEWEST:
            reason = (
                f"{calls}; differences at no step settle {worst.probe.says}: its values are too "
                "noisy, or jump, for a derivative to be told from them"
            )
            return self._finding_of(name, "inconclusive", reason, told)
        kinks = [s for s in mine if s.slope.kinked.any()]
        if kinks:
            reason = (
                f"{calls}; {derived} does not exist at your point, or all but there: one-sided "
                f"differences do not meet {kinks[0].probe.says}; check it at a point "
                f"where {forward} is smooth"
            )
            return self._finding_of(name, "inconclusive", reason, told)
        if apart:
            first = sorted(apart, key=lambda s: not s.point.yours)[0]
            only_near = "differences agree at your point, and not at a point near it: "
            reason = (
                f"{calls}; {'' if first.point.yours else only_near}"
                f"{self._values_of(first, derived)}; that is more than differences explain"
            )
            if not surely:
                reason += (
                    ", and less than code that solves or integrates to a tolerance may be off: "
                    "tighten such a tolerance and check again"
                )
            return self._finding_of(name, "inconclusive", reason, told)
        if told.complex_off is not None and told.complex_off > SURE:
            reason = (
                f"{calls}; differences cannot tell it from {derived}, but a complex step, which "
                f"they confirm, is off by {told.complex_off:.0e} of the largest entry"
            )
            return self._finding_of(name, "inconclusive", reason, told)
        digits = self._digits(mine)
        at = "1 point" if told.points == 1 else f"{told.points} points"
        how = (
            ""
            if all(s.probe.entry is not None for s in mine) or self.claim.mode == "jvp"
            else (f", in {ALONG} random directions and {SINGLE} entries")
        )
        told_so = f"{digits} digits" + (" of the largest entry" if len(mine) > 1 else "")
        if all(s.vanishes for s in mine):
            limit = max(float(np.max(s.slope.error, initial=0.0)) for s in mine)
            told_so = f"at your point both are 0 but for {limit:.0e}"
        reason = (
            f"its values are {derived} within what differences can tell: {told_so}, at "
            f"{at}{how}; {calls}"
        )
        if told.complex_off is not None:
            reason += "; complex steps agree to 12 digits"
        return self._finding_of(name, "agrees", reason, told)

    @staticmethod
    def _digits(seen: Sequence[Seen]) -> int:
        worst = max((s.share() for s in seen), default=0.0)
        return min(15, floor(-log10(max(worst, 1e-15))))

    def _differs(self, apart: Sequence[Seen], derived: str, calls: str) -> str:
        """What to say where the two are apart beyond every error known of."""
        first = sorted(apart, key=lambda s: (not s.point.yours, s.probe.entry is None))[0]
        return f"{self._values_of(first, derived)}, beyond every error that is known of; {calls}"

    def _values_of(self, seen: Seen, derived: str) -> str:
        k = int(np.argmax(np.where(seen.apart, np.abs(seen.claimed - seen.slope.value), -1.0)))
        value, error = float(seen.slope.value[k]), float(seen.slope.error[k])
        place = "at your point" if seen.point.yours else "at a point near yours"
        return (
            f"{place}, {seen.probe.says}, it gives {float(seen.claimed[k])!r} where differences of "
            f"{self.claim.derivation.trace.function} give {value:.15g} ± {error:.0e} for {derived}"
        )

    def _finding_of(self, name: str, status: Status, reason: str, told: Told) -> Finding:
        told_well = [s for s in told.seen if s.share() <= 10.0**-FEWEST]
        figures: dict[str, int | float | str] = {
            "points": told.points,
            "lines": len(told.seen),
            "told": len(told_well),
        }
        if told_well:
            figures["digits"] = self._digits(told_well)
        says = f"differences along {len(told.seen)} lines, {len(told_well)} of them told"
        scope = Scope(self._shapes(), domain=tuple(self.claim.said_domains()), followed="black box")
        return Finding(name, status, reason, scope, (Evidence("differences", says, figures),))
