"""Forward code that cannot be followed, only called: what differences of its values tell.

The claim is read as for any pair of functions, with a stand-in for the derivation that knows the
inputs, the shapes, and how to call. The contract is the same; then each claimed derivative is held
against differences at the user's own point and near it: `agrees`, `disagrees` or `inconclusive`,
never proved, and refuted only by a wrong shape or no value at all.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import floor, log10
from random import Random
from typing import Any

import numpy as np

from chainrule.claim.pair import PairClaim, Part, functions_of, pair_claim
from chainrule.code.derive import CodeDerivation
from chainrule.code.trace.places import Prepared, canonical, prepare, said
from chainrule.code.trace.record import Trace
from chainrule.errors import ShapeError, UsageError
from chainrule.evidence import calling, differences, drawing, keeping
from chainrule.evidence.calling import Caller
from chainrule.evidence.differences import Array, Line, Slope
from chainrule.evidence.drawing import Point
from chainrule.graph.node import Graph
from chainrule.graph.sizes import Size
from chainrule.judge.code import _STILL, _Judge, at_fault
from chainrule.verdict import Evidence, Finding, Scope, Status

EACH, NEAR_EACH = 400, 12  # entries that are taken one by one, at the user's point and near it
ALONG, SINGLE = 6, 12  # larger inputs: random directions, and entries that count most
WIDEST = 2**14  # numbers of a Jacobian
POINTS = 3  # near the user's own
TIMES = 10.0  # the estimated error, for two values to differ
FEWEST = 3  # digits that differences must tell, to tell anything
SURE = 2.0**-40  # of the largest entry: what a complex step that is confirmed can tell
GROSS = 2.0**-10  # of a value: no tolerance of a solver explains as much
SLIGHT, ABSOLUTE = 2.0**-21, 2.0**-36  # of a value, and in a value: less may be such a tolerance
SMALL = 2.0**-10  # of the largest entry: smaller ones are measured by this

Given = Mapping[str, Any]


class Called(CodeDerivation):
    """A function that is called and not followed, in a derivation's place: inputs and shapes."""

    @cached_property
    def blocks(self) -> Mapping[tuple[str, str], Any]:
        """Nothing is derived of it."""
        raise UsageError(f"{self.trace.function} was not followed")


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
        claim = _claim(forward, claimed, dict(at or {}), dict(options))
        if claim is None or claim.mode == "hessian":
            return None
        point = Point(_float64(calling.point(claim, drawing.direction)), yours=True)
        counts = calling.forward_counts(
            claim.derivation.prepared, point.values, lambda f: keeping.keep([f])
        )
    except (UsageError, ShapeError):
        return None
    asked = claim.parts if only is None else claim.parts[only : only + 1]
    if counts:
        return {k: at_fault(p.name, counts) for p in asked for k in p.wrt or (p.name,)}
    text = _STILL.sub("", " ".join(str(why).partition("\n    ")[0].split())).rstrip(".;, ")
    if not _repeats(claim.derivation.prepared, point.values):
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


# ---- what is claimed -----------------------------------------------------------------------------


def _claim(
    forward: Any, claimed: Any, at: dict[str, Any], options: dict[str, Any]
) -> PairClaim | None:
    """The claim, with a stand-in for the derivation; None if forward cannot be called."""
    functions = functions_of(claimed)
    options.pop("shapes", None)
    wrt, of = options.pop("wrt", None), options.pop("of", None)
    keys = tuple(canonical(k) for k in functions if k)
    wanted = keys if wrt is None else (wrt,) if isinstance(wrt, str) else tuple(wrt)
    directed = {options.get("cotangent"), *_arguments(options.get("tangent"))}
    takes = {p for f in functions.values() for p in _parameters(f)}
    own = _parameters(forward)
    directions = {}
    for name in [n for n in at if n not in own]:
        if name in directed or (name in takes and not _reads(forward, own, at, name)):
            directions[name] = at.pop(name)
    prepared = prepare(forward, at, wanted)
    derivation = _called(prepared, of)
    if derivation is None:
        return None
    asked = {**options, "wrt": derivation.wrt if wanted else None}
    claim = pair_claim(derivation, claimed, directions, **asked)
    meant = calling.unnamed(claim)
    if meant:
        return _claim(forward, claimed, {**at, **directions}, {**options, "wrt": meant, "of": of})
    return claim


def _arguments(tangent: Any) -> tuple[Any, ...]:
    """The arguments that take tangents."""
    return tuple(tangent.values()) if isinstance(tangent, Mapping) else (tangent,)


def _parameters(function: Any) -> Mapping[str, Any]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


def _reads(forward: Any, own: Given, at: Given, name: str) -> bool:
    """Whether a name is a place that forward can read."""
    try:
        prepare(forward, {n: v for n, v in at.items() if n in own}, [name])
    except UsageError:
        return False
    return True


def _called(prepared: Prepared, of: str | None) -> Called | None:
    """The stand-in of a function that was called once; None where it gives no real numbers."""
    inputs = _float64(prepared.inputs)
    if any(type(v) is not np.ndarray for v in inputs.values() if isinstance(v, np.ndarray)):
        return None  # masked arrays and the like: a copy of one is another thing
    name = said(prepared.function)
    values = _outputs(prepared, inputs)
    if not values:
        return None
    shapes = {key or name: v.shape for key, v in values.items() if of in (None, key, key or name)}
    if not shapes:
        return None
    graph = Graph()
    nodes = {}
    for place, value in prepared.inputs.items():
        kind: Any = "f" if np.asarray(value).dtype.kind == "f" else "i"
        nodes[place] = graph.input(place, tuple(Size.of(n) for n in np.shape(value)), kind)
    outputs = {
        key: graph.input(f"value of {key}", tuple(Size.of(n) for n in shape))
        for key, shape in shapes.items()
    }
    trace = Trace(name, graph, nodes, outputs, {})
    wrt = prepared.wrt or tuple(n for n, v in nodes.items() if v.kind == "f")
    if not wrt or any(nodes[n].kind != "f" for n in wrt):
        return None
    return Called(trace, prepared, tuple(outputs), wrt)


def _float64(values: Given) -> dict[str, Any]:
    """Values as they are differentiated: arrays of coarser floats in float64."""
    return {
        n: v.astype(np.float64) if type(v) is np.ndarray and v.dtype.kind == "f" else v
        for n, v in values.items()
    }


def _repeats(prepared: Prepared, values: Given) -> bool:
    """Whether forward gives the same bits again, after it was called elsewhere."""
    moved = {n: v * 0.875 if _real(v) else v for n, v in values.items()}
    first, _, second = (_outputs(prepared, v) for v in (values, moved, values))
    return first.keys() == second.keys() and all(
        first[k].tobytes() == second[k].tobytes() for k in first
    )


def _outputs(prepared: Prepared, values: Given) -> dict[str, Array]:
    """Key → what forward gives, where that is finite real numbers; empty if it raises."""
    try:
        returned = dict(calling.parts(prepared.run(values)))
    except (Exception, SystemExit):
        return {}
    found = {}
    for key, value in returned.items():
        if value is None or (np.ma.isMaskedArray(value) and np.ma.getmaskarray(value).any()):
            continue
        array = np.asarray(value)
        if array.dtype.kind == "O":
            numbers = all(isinstance(v, float | np.floating) for v in array.ravel())
            array = array.astype(np.float64) if numbers else array
        if array.dtype.kind == "f" and np.isfinite(array).all():
            found[key] = array.astype(np.float64)
    return found


# ---- what differences tell -----------------------------------------------------------------------


@dataclass(frozen=True)
class Probe:
    """One line through a point. says : what was moved. entry : the entry of the derivative; None
    for a direction. moves : input → by how much, for a step of 1."""

    says: str
    entry: tuple[int, ...] | None
    moves: Mapping[str, Array]
    scale: float


@dataclass(frozen=True)
class Seen:
    """A slope beside what is claimed of it. besides : how far the claimed one's code may be off.
    size : the largest derivative of its kind at the point."""

    probe: Probe
    point: Point
    slope: Slope
    claimed: Array
    besides: Array
    size: float = 0.0

    @property
    def apart(self) -> Any:
        """Where the two are further apart than every error known of explains."""
        return self.slope.beyond(self.claimed, self.besides, TIMES)

    @property
    def vanishes(self) -> bool:
        """Whether differences do not tell the slope from 0."""
        return bool(np.all(np.abs(self.slope.value) <= TIMES * self.slope.error))

    @property
    def surely(self) -> Any:
        """Where they are so besides by more than the tolerance of code that solves or integrates:
        its values may be smooth and off by that much, and no difference shows it."""
        gap = np.abs(self.claimed - self.slope.value)
        value = np.maximum(np.abs(self.slope.value), SMALL * self.size)
        large = (gap > SLIGHT * value) & (gap * self.probe.scale > ABSOLUTE)
        return self.apart & (large | (gap > GROSS * value))

    def share(self) -> float:
        """The largest error, of the largest derivative; inf where an entry is untold."""
        if not np.isfinite(self.slope.error).all():
            return float("inf")
        error = float(np.max(self.slope.error, initial=0.0))
        return error / self.size if self.size else 0.0 if not error else float("inf")


@dataclass
class Told:
    """All that was seen of one derivative. complex_off : how far a complex step that differences
    confirm is from what is claimed, of the largest entry; None if there is none."""

    seen: list[Seen] = field(default_factory=list)
    points: int = 0
    complex_off: float | None = None


class _Outside(_Judge):
    """One function of the user's against differences of forward."""

    def __init__(self, claim: PairClaim, part: Part, point: Point, why: str) -> None:
        super().__init__(claim, part, point)
        self.why = why
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
        found = _outputs(self.claim.derivation.prepared, values)
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
                n: v if n in self.claim.domains or not _real(v) else self._moved(v)
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
            wide = min((_typical(values[p]) for p in moves), default=1.0)
            return [Probe("along the tangent", None, moves, wide / long if long else 1.0)]
        x = np.asarray(values[key], float)
        most = EACH if point.yours else NEAR_EACH
        if x.size <= most:
            return [_entry(key, x, i) for i in np.ndindex(x.shape)]
        found = [self._along(key, x) for _ in range(ALONG)]
        if point.yours:
            flat = sorted(self.random.sample(range(x.size), min(SINGLE, x.size)))
            found += [_entry(key, x, tuple(map(int, np.unravel_index(k, x.shape)))) for k in flat]
        return found

    def _along(self, key: str, x: Array) -> Probe:
        signs = np.reshape([self.random.choice((-1.0, 1.0)) for _ in range(x.size)], x.shape)
        wide = np.where(x == 0, _typical(x), np.abs(x))
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
            for one, own in zip(seen, sizes, strict=True):
                size = max(alone, default=own) if one.probe.entry is not None else own
                told.seen.append(Seen(one.probe, point, one.slope, one.claimed, one.besides, size))
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
                if _real(v) and n not in self.claim.domains
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
        kinks = [s for s in mine if s.slope.kinked.any()]
        if kinks:
            reason = (
                f"{calls}; {derived} does not exist at your point: one-sided differences do not "
                f"meet {kinks[0].probe.says}; check it at a point where {forward} is smooth"
            )
            return self._finding_of(name, "inconclusive", reason, told)
        worst = max(mine, key=Seen.share)
        if worst.share() > 10.0**-FEWEST:
            reason = (
                f"{calls}; differences at no step settle {worst.probe.says}: its values are too "
                "noisy, or jump, for a derivative to be told from them"
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
        told_so = f"{digits} digits"
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


def _real(value: Any) -> bool:
    return np.asarray(value).dtype.kind == "f"


def _typical(value: Any) -> float:
    """The size that steps of an input are measured by: its largest entry; 1 for zeros."""
    return float(np.max(np.abs(np.asarray(value, float)), initial=0.0)) or 1.0


def _entry(key: str, x: Array, index: tuple[int, ...]) -> Probe:
    """The line that moves one entry."""
    wide = abs(float(x[index])) or _typical(x)
    move = np.zeros(x.shape)
    move[index] = 1.0
    shown = f"at entry {list(index)}" if index else f"as {key} moves"
    return Probe(shown, index, {key: move}, 2.0 ** floor(np.log2(wide)))
