"""Certified values of two pieces of code at one exact point: a witness, or how well they agree.

Both sides are enclosed in balls at two precisions. The point must lie on the path of both traces,
and off every place where the forward code has a kink; else nothing is told. Enclosures without a
common number are a witness; one side undefined where the derivative exists is one at an edge.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from chainrule.code.trace.audit import off_path
from chainrule.code.trace.record import Guard, Trace
from chainrule.code.trace.watch import not_raised
from chainrule.domains.values import meant
from chainrule.graph.node import Node, bind_sizes, constant, reached
from chainrule.graph.sizes import Size
from chainrule.values import float64
from chainrule.values.ball import Ball, Undecided, Undefined, decimals, precision
from chainrule.values.ball_sums import checked
from chainrule.values.certified import holed
from chainrule.values.entries import first_hole
from chainrule.values.kinks import Kink
from chainrule.values.kinks import at_a_kink as at_a_kink
from chainrule.values.kinks import near_a_kink as kinks_near
from chainrule.values.kinks import switches as switches

BITS = (160, 320)
RESOLVED = 40  # bits that an enclosure must have, of the largest entry, to count as agreeing
HOLES = (Undefined, Undecided)
AT_A_KINK = "the point lies at a kink of the forward code, or too near to one"

Balls = Mapping[str, np.ndarray]  # key → entries, each a ball or why there is none
Values = Mapping[str, Any]
#: The claimed entries at a point, at the precision in force. Raises OffPath, Undecided.
Claimed = Callable[[Values], Balls]


NO_VALUE = "the forward code has no value there"
MANY_LOOKED = 512  # numbers that were looked at together, up to which ties are looked for


class OffPath(Exception):
    """The code takes another path at this point."""


class AtKink(Undecided):
    """The forward code has a kink at this point, or may have one."""


@dataclass(frozen=True)
class Side:
    """Nodes of one trace to be enclosed. names : its input → the point's; "" for `own` values."""

    trace: Trace
    nodes: Mapping[str, Node]
    names: Mapping[str, str]
    own: Values
    inputs: Mapping[str, Node]

    def values(self, point: Values, exact: bool = False) -> dict[str, Any]:
        """The point by this side's own names, as it is; exact : as the fractions that it means,
        where a declared domain holds no such floats."""
        sharp = meant(point) if exact else {}
        return {
            mine: sharp[name]
            if name in sharp
            else _plain(point[name] if name in point else self.own[mine])
            for mine, name in self.names.items()
            if mine in self.inputs
        }

    def sizes(self, values: Values) -> dict[str, int]:
        """Axis → size at these values."""
        return bind_sizes(self.inputs, {n: np.shape(values[n]) for n in self.inputs})

    def enclose(
        self, point: Values, more: Sequence[Node] = (), turns: bool = False
    ) -> tuple[Balls, list[np.ndarray]]:
        """The nodes in balls, and further nodes. Raises OffPath, Undecided.

        turns : AtKink, too, where what the path looks at is just about to change.
        """
        values = self.values(point, exact=True)
        sizes = self.sizes(values)
        looked = [g for g in self.trace.guards if g.node is not None]
        guards = [g.node for g in looked if g.node is not None]
        nodes = [*self.nodes.values(), *more, *guards]
        found = holed(nodes, values, sizes, infinite=True)  # a kink may be told from a mask's −∞
        found[: len(self.nodes)] = map(checked, found[: len(self.nodes)])
        seen = dict(zip(looked, found[len(found) - len(guards) :], strict=True))
        told = {g: _told(g, v) for g, v in seen.items()}
        why = off_path(self.trace, sizes, told)
        if why:
            raise OffPath(why)
        if turns and any(_turns(g, v) for g, v in told.items()):
            raise AtKink(AT_A_KINK)
        n = len(self.nodes)
        return dict(zip(self.nodes, found[:n], strict=True)), found[n : n + len(more)]


def _plain(value: Any) -> Any:
    """Float32 and the like as the exact number that they are."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(np.float64)
    return float(value) if isinstance(value, np.floating) else value


def _told(guard: Guard, balls: np.ndarray) -> Any:
    """A guard's value as a plain number, where that is certain. Where an exception that the code
    may catch is raised, or may be, it is followed anew at that very point."""
    if guard.how is not_raised:
        return np.array([0.0 if isinstance(x, arb) else np.nan for x in balls.flat])
    for x in balls.flat:
        if isinstance(x, HOLES):
            raise Undecided(f"whether {guard.text} cannot be told there: {x}")
    if guard.how is None and guard.node is not None and guard.node.kind != "f":
        plain: list[Any] = [x.unique_fmpz() if x.is_exact() else None for x in balls.flat]
        if None in plain:
            raise Undecided(f"whether {guard.text} cannot be told there")
        kept = np.array([int(x) for x in plain], np.asarray(guard.value).dtype)
    else:
        kept = np.array([float(x.mid()) for x in balls.flat])
    return kept.reshape(balls.shape)


# -- kinks -----------------------------------------------------------------------------------------


def kinks_of(trace: Trace, wrt: Collection[Node]) -> list[Kink]:
    """The operations at which a function may have a kink as some inputs move, those that decide
    its path included. What depends on other inputs alone (a mask, labels) stays as it is."""
    looked = [g.node for g in trace.guards if g.node is not None and g.node.kind != "f"]
    nodes = [*trace.outputs.values(), *looked]
    moving: set[Node] = set(wrt)
    for node in reached(nodes):
        if any(i in moving for i in node.inputs):
            moving.add(node)
    return [kink for kink in switches(nodes) if kink[1] in moving]


def near_a_kink(kinks: Sequence[Kink], side: Side, point: Values) -> bool:
    """Whether a point is at any of them, or may be, told in float64 with its bounds."""
    values = side.values(point)
    inputs = [i for _, node in kinks for i in node.inputs]
    return kinks_near(kinks, float64.bounded(inputs, values, side.sizes(values)))


def _turns(guard: Guard, value: np.ndarray) -> bool:
    """Whether what was asked of real numbers is answered otherwise when one of them moves by one
    unit in its last place: two equal ones, where the largest was asked for."""
    if guard.how is None or guard.node is None or guard.node.kind != "f":
        return False
    if value.size > MANY_LOOKED:  # too many to move one by one: equal ones, and zeros
        return len(np.unique(value)) < value.size or bool(np.any(value == 0))
    try:
        here = guard.how(value)
        for k in range(value.size):
            for way in (np.inf, -np.inf):
                moved = np.array(value)
                moved.reshape(-1)[k] = np.nextafter(moved.reshape(-1)[k], way)
                if not _alike(guard.how(moved), here):
                    return True
    except Exception:  # whatever NumPy raises for what it was asked
        return True
    return False


def asked(side: Side, point: Values) -> list[tuple[bool, bool]]:
    """For every look at real numbers that is no condition: whether its answer turns just at a
    point, and whether it is there what it was in the run."""
    looked = [g for g in side.trace.guards if g.how is not None and g.node is not None]
    values = side.values(point, exact=True)
    found = holed([g.node for g in looked if g.node], values, side.sizes(values))
    out = []
    for guard, balls in zip(looked, found, strict=True):
        assert guard.how is not None
        value = _told(guard, balls)
        out.append((_turns(guard, value), _alike(guard.how(value), guard.value)))
    return out


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(_alike, a, b))
    return np.array_equal(np.asarray(a), np.asarray(b))


def crossed(side: Side) -> list[Node]:
    """The comparisons, absolute values and maxima of a side that may switch, guards included."""
    guards = [g.node for g in side.trace.guards if g.node is not None]
    wanted = ("less", "{0} = {1}", "{0} = 0")
    return [
        n
        for what, n in switches([*side.nodes.values(), *side.trace.outputs.values(), *guards])
        if what in wanted and all(i.kind == "f" for i in n.inputs)
    ]


def bisected(
    side: Side, node: Node, one: Values, two: Values, halvings: int
) -> list[dict[str, Any]]:
    """Two points close together on the segment from one point to another, between which the
    operation switches for some entry; none if it does not."""

    def between(t: float) -> dict[str, Any]:
        return {n: _mixed(v, two[n], t) for n, v in one.items()}

    def margin(point: Values) -> np.ndarray:
        values = side.values(point)
        found = float64.evaluate(list(node.inputs), values, side.sizes(values))
        with np.errstate(all="ignore"):
            return np.asarray(found[0] - found[1] if len(found) == 2 else found[0])

    try:
        low, high, at_low = 0.0, 1.0, margin(between(0.0))
        at_high = margin(between(1.0))
        with np.errstate(all="ignore"):
            changes = np.argwhere(at_low * at_high < 0)
        if not len(changes):
            return []
        entry = tuple(changes[0])
        for _ in range(halvings):
            middle = (low + high) / 2
            if float(margin(between(middle))[entry]) * float(at_low[entry]) > 0:
                low = middle
            else:
                high = middle
    except (ValueError, IndexError, ArithmeticError, np.linalg.LinAlgError):
        return []
    return [between(low), between(high)]


def _mixed(a: Any, b: Any, t: float) -> Any:
    """a + t (b − a) for floats; what is no float is a's."""
    x, y = np.asarray(a), np.asarray(b)
    if x.dtype.kind != "f" or x.shape != y.shape:
        return a
    mixed = (x + t * (y - x)).astype(x.dtype)
    return mixed if isinstance(a, np.ndarray) else float(mixed)


# -- two sides -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Derived:
    """The derived side with the kinks of the forward code."""

    side: Side
    kinks: Sequence[tuple[str, Node]]

    def enclose(self, point: Values) -> Balls:
        """The derived entries. Raises OffPath; AtKink; Undecided where forward has no value."""
        outputs = list(self.side.trace.outputs.values())
        more = [*outputs, *(i for _, node in self.kinks for i in node.inputs)]
        balls, found = self.side.enclose(point, more, turns=True)
        for value in found[: len(outputs)]:
            hole = first_hole(checked(value))
            if hole is not None:
                raise Undecided(f"{NO_VALUE} ({hole})")
        found = found[len(outputs) :]
        for what, node in self.kinks:
            xs, found = found[: len(node.inputs)], found[len(node.inputs) :]
            if at_a_kink(what, node, xs):
                raise AtKink(AT_A_KINK)
        return balls


@dataclass(frozen=True)
class Apart:
    """Where two sides differ: the entry, and both values at both precisions' last.

    gap : relative to the largest derived entry. shown : (claimed, derived) as text, and says : what
    is wrong there, where that is more than two numbers.
    """

    entry: tuple[int, ...]
    derived: arb
    claimed: arb | None
    gap: float
    shown: tuple[str, str] | None = None
    says: str = ""

    @property
    def least(self) -> float:
        """How far they are apart, relative to the larger of the two."""
        if self.claimed is None:
            return float("inf")
        size = abs(self.derived).max(abs(self.claimed))
        return float((abs(self.derived - self.claimed) / size).mid())

    def digits(self) -> tuple[str, str]:
        """(claimed, derived): certain digits, enough to see the difference."""
        if self.shown is not None:
            return self.shown
        if self.claimed is None:
            return "undefined", decimals(self.derived)
        for n in (20, 30, 40, 60, 90):
            a, b = decimals(self.claimed, n), decimals(self.derived, n)
            if a != b:
                return a, b
        return str(self.claimed.str(90)), str(self.derived.str(90))


@dataclass(frozen=True)
class Met:
    """What one point told of one derivative.

    apart : where the sides differ, if they do. bits : else to how many they agree; 0: nothing told.
    truth : the derived entries as floats, nan where there is none. reason : why nothing was told.
    kink : whether the point is a kink of the forward code. inside : that the values lie in the
    convex hull of the derivatives beside it.
    """

    apart: Apart | None = None
    bits: int = 0
    truth: np.ndarray | None = None
    reason: str = ""
    inside: bool = False
    kink: bool = False


def compare(derived: Derived, claimed: Claimed, point: Values) -> dict[str, Met]:
    """Key → what this point tells. Raises OffPath; Undecided, Undefined where it tells nothing."""
    apart: dict[str, dict[tuple[int, ...], Apart]] = {}
    met: dict[str, Met] = {}
    for bits in BITS:
        with precision(bits):
            there = derived.enclose(point)
            here = claimed(point)
            for key, array in there.items():
                if here[key].shape != array.shape:
                    met[key] = Met(reason=f"it has the shape {here[key].shape} there")
                    continue
                found, met[key] = _entries(array, here[key], bits)
                before = apart.get(key)
                apart[key] = {e: x for e, x in found.items() if before is None or e in before}
    for key, entries in apart.items():
        if entries:
            worst = max(entries.values(), key=lambda x: x.gap)
            met[key] = Met(worst, truth=met[key].truth)
        elif met[key].bits == 0 and not met[key].reason:
            met[key] = Met(truth=met[key].truth, reason="the two precisions do not say the same")
    return met


def truth_only(derived: Derived, point: Values) -> dict[str, np.ndarray]:
    """Key → the derived entries as floats. Raises OffPath, Undecided, Undefined."""
    with precision(BITS[1]):
        return {k: _floats(v) for k, v in derived.enclose(point).items()}


def _entries(
    derived: np.ndarray, claimed: np.ndarray, bits: int
) -> tuple[dict[tuple[int, ...], Apart], Met]:
    """The entries that are apart; and what else is told."""
    balls = [d for d in derived.flat if isinstance(d, arb)]
    scale = max((abs(d).upper() for d in balls), default=arb(0), key=float)
    scale = scale if scale > 0 else arb(1)
    apart: dict[tuple[int, ...], Apart] = {}
    agreement, reason, told = bits, "", 0
    for entry in np.ndindex(derived.shape):
        d: Any = derived[entry]
        c: Any = claimed[entry]
        if isinstance(d, HOLES) or isinstance(c, Undecided):
            reason = str(d if isinstance(d, HOLES) else c)
        elif isinstance(c, Undefined):
            apart[entry] = Apart(entry, d, None, float("inf"))
        elif not d.overlaps(c):
            apart[entry] = Apart(entry, d, c, float((abs(d - c) / scale).mid()))
        else:
            radius = arb(max(d.rad(), c.rad(), key=float)) / scale
            if not radius < arb(2) ** -RESOLVED:
                reason = "its values could not be told sharply enough"
                continue
            told += 1
            if radius > 0:
                agreement = min(agreement, int(-float((radius.upper().log() / arb(2).log()).mid())))
    whole = told == derived.size and not apart
    return apart, Met(bits=agreement if whole else 0, truth=_floats(derived), reason=reason)


def _floats(balls: np.ndarray) -> np.ndarray:
    flat = [float(b.mid()) if isinstance(b, arb) else np.nan for b in balls.flat]
    return np.array(flat, np.float64).reshape(balls.shape)


# -- how far to believe ----------------------------------------------------------------------------


def rounded_constants(nodes: Sequence[Node]) -> bool:
    """Whether code holds floats that some rounding may have made: an array of them, or a number
    written with as many digits as a float has."""
    for node in reached(nodes):
        if node.op == "const" and node.params[0] == "number":
            digits = abs(node.params[1].numerator) if _decimal(node.params[1]) else 0
            if digits >= 10**14 and node.params[1].denominator > 1:
                return True
        if node.op == "const" and node.params[0] == "array" and node.kind == "f":
            values = constant(node).reshape(-1)
            if np.any(np.ldexp(values, 10) != np.rint(np.ldexp(values, 10))):
                return True
    return False


def _decimal(value: Fraction) -> bool:
    """Whether a fraction is a decimal: its denominator divides a power of ten."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def constant_arrays(nodes: Sequence[Node]) -> list[np.ndarray]:
    """The arrays of floats that code holds as constants."""
    arrays = [n for n in reached(nodes) if n.op == "const" and n.params[0] == "array"]
    return [constant(n) for n in arrays if n.kind == "f"]


def near_constants(nodes: Sequence[Node]) -> list[str]:
    """The constants that are read as a real number within ±4 ulp."""
    found = [
        f"{constant(n)!r} ± 4 ulp"
        for n in reached(nodes)
        if n.op == "const" and n.params[0] == "near"
    ]
    return list(dict.fromkeys(found))


def graph_values(side: Side, point: Values) -> list[tuple[np.ndarray, np.ndarray]]:
    """The nodes in float64, each with its bound."""
    values = side.values(point)
    return float64.bounded(list(side.nodes.values()), values, side.sizes(values))


SPREADS = 16  # times what one ulp of the inputs does
ROUNDINGS = 64  # units of the largest entry, for the operations themselves


def allowance(side: Side, key: str, point: Values, truth: np.ndarray, unit: float) -> float:
    """What float64 code may be off by at a point: its inputs' last digits, its own rounding, and
    the bound of the literal derived graph. unit : half the distance from 1 to the next float."""
    scale = float(np.max(np.abs(truth), where=np.isfinite(truth), initial=0.0))
    moved, times = spread(side, key, point, unit), unit / 2.0**-53
    values = side.values(point)
    (_, bound), *_ = float64.bounded([side.nodes[key]], values, side.sizes(values))
    most = float(np.max(bound, initial=0.0)) * times
    parts = [SPREADS * moved, ROUNDINGS * unit * scale, most if np.isfinite(most) else 0.0]
    return sum(parts) + float(np.finfo(float).tiny)


def spread(side: Side, key: str, point: Values, unit: float) -> float:
    """How far the derived entries move when the inputs move by one ulp; 0 where it is not told."""
    values = side.values(point)
    moved = dict(values)
    for name, node in side.inputs.items():
        if node.kind == "f":
            array = np.asarray(values[name], np.float64)
            ulps = np.spacing(np.abs(array)) * (unit / 2.0**-53)
            balls = np.empty(array.shape, object)
            balls.reshape(-1)[:] = [
                arb(m, r) for m, r in zip(array.flat, np.asarray(ulps).flat, strict=True)
            ]
            moved[name] = balls
    with precision(BITS[0]):
        (found,) = holed([side.nodes[key]], moved, side.sizes(values))
    radii = [float(b.rad()) for b in found.flat if isinstance(b, arb)]
    return max(radii, default=0.0)


def entry_of(side: Side, key: str, entry: tuple[int, ...]) -> Side:
    """The same side with one entry of one of its nodes."""
    node = side.nodes[key]
    spec = tuple(("at", Size.of(i)) for i in entry)
    one = node.graph.index(node, spec) if entry else node  # type: ignore[arg-type]
    return Side(side.trace, {key: one}, side.names, side.own, side.inputs)


UNFIT = "its code uses {}, the memory of arrays, where exact numbers are only references"


def unfit(name: str) -> Claimed:
    """Code that is never run on exact numbers: it touches the memory of arrays. name : by what."""

    def claimed(point: Values) -> Balls:
        raise Undecided(UNFIT.format(name))

    return claimed


def on_balls(run: Callable[[Values], Mapping[str, Any]]) -> Claimed:
    """Code that is not traced, run unmodified on arrays of balls."""

    def claimed(point: Values) -> Balls:
        try:
            found = run({n: _balls(v) for n, v in {**point, **meant(point)}.items()})
        except (Undecided, Undefined):
            raise
        except (Exception, SystemExit) as why:
            raise Undecided(f"{type(why).__name__}: {why}") from None
        out = {}
        for key, value in found.items():
            array = np.asarray(value, object)
            balls = [Ball.number(v) for v in array.flat]
            if None in balls:
                raise Undecided("it returned something that is no exact number")
            out[key] = np.empty(array.shape, object)
            out[key].reshape(-1)[:] = balls
        return out

    return claimed


def _balls(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "fO":
        out = np.empty(value.shape, object)
        out.reshape(-1)[:] = [Ball(v) for v in value.reshape(-1).tolist()]
        return out if out.shape or value.dtype.kind == "f" else out.item()
    return Ball(float(value)) if isinstance(value, float | np.floating) else value
