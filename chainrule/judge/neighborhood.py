"""What surrounds a kink: the paths that lead there, the slopes on all sides, and points next to it.

A path is one way in which the looks of the code at values come out; the point lies on one of them,
and others end there. All of them count, and where one may be missing nothing is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from flint import arb

from chainrule.claim.pair import PairClaim
from chainrule.errors import ChainruleError
from chainrule.evidence import drawing
from chainrule.evidence.drawing import Point
from chainrule.evidence.enclosures import AT_A_KINK, BITS, AtKink, OffPath, Side, asked
from chainrule.graph.fingerprint import fingerprints
from chainrule.graph.node import Node
from chainrule.judge.sides import Ways
from chainrule.points import generator
from chainrule.values.ball import precision
from chainrule.values.certified import holed
from chainrule.values.entries import HOLES, as_objects, balls
from chainrule.values.spans import spans, union

COORDINATES = 32  # numbers that are moved one by one
BESIDE = 12  # further points beside a kink
NEXT, FINE = -400, 1200  # how near they are, as a power of two, and the bits to see that
SPARE = 64  # bits that a value may lose, and be sharp
TURNED = 8  # points beside a kink whose paths are looked at
PASS = 4  # what a span costs, in evaluations

Moves = dict[str, np.ndarray]


@dataclass(frozen=True)
class Kink:
    """One function and one point. others : both sides on the other paths that lead there."""

    claim: PairClaim
    ways: Ways
    point: Point
    others: tuple[Ways, ...] = ()

    @property
    def names(self) -> list[str]:
        """The inputs with respect to which is derived."""
        if self.claim.mode == "jvp":
            return list(dict.fromkeys(self.claim.directions.values()))
        return list(self.ways.derived.side.nodes)

    @property
    def output(self) -> Node:
        """What is derived."""
        return _output(self.ways)

    def shape(self, name: str) -> tuple[int, ...]:
        """Of an input."""
        return np.shape(self.point.values[name])

    @property
    def count(self) -> int:
        """How many numbers move."""
        return sum(int(np.prod(self.shape(n))) for n in self.names)

    def cost(self) -> int:
        """Operations that it takes to judge the point, roughly."""
        side = self.ways.derived.side
        forward = drawing.work([self.output], side.sizes(side.values(self.point.values)))
        whole = self.ways.work(self.point)
        coordinates = self.count if self.count <= COORDINATES else 2
        once = 2 * PASS * forward * coordinates + whole * (BESIDE + 2)
        return once * (1 + len(self.others))

    def along(self, moves: Moves) -> np.ndarray:
        """The spans of the derived values along a direction; for vjp their sum with the cotangent.

        Raises AtKink where forward jumps, or may.
        """
        value, slope = self._along(self.ways, moves)
        for there in self.others:
            other, more = self._along(there, moves)
            value, slope = as_objects(_UNION(value, other)), as_objects(_UNION(slope, more))
        side = self.ways.derived.side
        values = side.values(self.point.values, exact=True)
        (sure,) = holed([self.output], values, side.sizes(values))
        if not all(_sharp(a, b) for a, b in zip(value.flat, sure.flat, strict=True)):
            raise AtKink("the forward code jumps there, or may jump")
        if self.claim.mode == "vjp":
            name = self.claim.of_part(next(iter(self.claim.directions)))
            slope = np.asarray(_DOT(balls(values[name]), slope)).sum()
        return np.asarray(slope, object)

    def _along(self, there: Ways, moves: Moves) -> tuple[np.ndarray, np.ndarray]:
        side = there.derived.side
        values = side.values(self.point.values, exact=True)
        return spans([_output(there)], values, moves, side.sizes(values))[0]

    def unit(self, name: str, at: tuple[int, ...]) -> Moves:
        """The direction of one number."""
        moves: Moves = {n: np.zeros(self.shape(n)) for n in self.names}
        moves[name][at] = 1.0
        return moves

    def split(self, flat: np.ndarray) -> Moves:
        """A direction from one vector."""
        moves, start = {}, 0
        for name in self.names:
            n = int(np.prod(self.shape(name)))
            moves[name] = np.array(flat[start : start + n]).reshape(self.shape(name))
            start += n
        return moves

    def box(self) -> dict[str, np.ndarray]:
        """Key → for every entry, what all members of the hull have there."""
        nodes = self.ways.derived.side.nodes
        if self.claim.mode == "jvp":
            moves = {
                place: self.point.values[self.claim.of_part(argument)]
                for argument, place in self.claim.directions.items()
            }
            return dict.fromkeys(nodes, self.along(moves))
        found = {}
        for name in nodes:
            shape = self.shape(name)
            columns = [self.along(self.unit(name, at)) for at in np.ndindex(shape)]
            lead = columns[0].shape if columns else self.output.number_shape
            found[name] = np.empty((*lead, *shape), object)
            for at, column in zip(np.ndindex(shape), columns, strict=True):
                found[name][(..., *at)] = column
        return found

    def beside(self, claimed: Mapping[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
        """Exact derivatives, as floats, at points next to this one."""
        found = []
        for direction in self._directions(claimed):
            with precision(FINE):
                there = self._next_to(self.split(direction))
            if there is None or any(isinstance(x, HOLES) for a in there for x in a.flat):
                continue
            floats = [np.array([float(x.mid()) for x in a.flat]).reshape(a.shape) for a in there]
            if all(np.isfinite(f).all() for f in floats):
                found.append(dict(zip(self.ways.derived.side.nodes, floats, strict=True)))
        return found

    def _next_to(self, moves: Moves) -> list[np.ndarray] | None:
        """The derived entries a little way along a direction; None where no path leads there."""
        for there in (self.ways, *self.others):
            side = there.derived.side
            values = dict(side.values(self.point.values, exact=True))
            sizes = side.sizes(values)
            for name, step in moves.items():
                if name in values:
                    values[name] = balls(values[name]) + balls(step) * arb(2) ** NEXT
            looked = _looked(side) if self.others else []
            found = holed([*side.nodes.values(), *(g.node for g in looked)], values, sizes)
            n = len(side.nodes)
            if all(_comes_out(g, x) for g, x in zip(looked, found[n:], strict=True)):
                return found[:n]
        return None

    def _directions(self, claimed: Mapping[str, np.ndarray]) -> Iterator[np.ndarray]:
        rng, n = generator("next to a kink"), self.count

        def noise(size: float) -> np.ndarray:
            return np.array([rng.choice((1, -1)) * rng.randrange(64, 128) for _ in range(n)]) * size

        yield np.ones(n) + noise(2.0**-16)
        yield -np.ones(n) + noise(2.0**-16)
        if self.claim.mode in ("gradient", "vjp"):
            flat = [x for name in self.names for x in claimed[name].flat]
            if all(isinstance(x, arb) for x in flat):
                vector = np.array([float(x.mid()) for x in flat])
                if np.isfinite(vector).all() and vector.any():
                    yield vector
                    yield -vector
        if n <= BESIDE:
            for k in range(n):
                for sign in (1.0, -1.0):
                    step = noise(2.0**-16)
                    step[k] += sign
                    yield step
        for _ in range(BESIDE):
            yield noise(2.0**-6)


_DOT = np.frompyfunc(lambda g, d: d if isinstance(d, HOLES) else g * d, 2, 1)
_UNION = np.frompyfunc(union, 2, 1)


def _output(ways: Ways) -> Node:
    (output,) = ways.derived.side.trace.outputs.values()
    return output


# -- paths that meet -------------------------------------------------------------------------------


class _Look(NamedTuple):
    """A look at a value that decides the path: its node, and what came out."""

    node: Node
    value: bool


def _looked(side: Side) -> list[_Look]:
    """The looks at conditions. Raises AtKink where something else was looked at as well."""
    found = []
    for g in side.trace.guards:
        if g.node is None or g.how is not None:
            continue
        if g.node.kind != "b" or g.node.ndim:
            raise AtKink(AT_A_KINK)
        found.append(_Look(g.node, bool(g.value)))
    return found


def _comes_out(look: _Look, seen: np.ndarray) -> bool:
    x: Any = seen[()]
    return isinstance(x, arb) and bool(x == int(look.value))


def _decisions(kink: Kink, there: Ways) -> list[tuple[Any, bool]] | None:
    """The looks of a path that may come out either way at the point; None where it leads elsewhere.

    A look is known by what is looked at, whatever the trace.
    """
    side = there.derived.side
    for turning, same in asked(side, kink.point.values):
        if turning:
            raise AtKink(AT_A_KINK)
        if not same:
            return None
    looked = _looked(side)
    values = side.values(kink.point.values, exact=True)
    moves = {n: np.zeros(kink.shape(n)) for n in kink.names}
    seen = spans([g.node for g in looked], values, moves, side.sizes(values))
    prints = fingerprints([g.node for g in looked])
    out: dict[tuple[Any, bool], None] = {}
    for look, (found, _) in zip(looked, seen, strict=True):
        x: Any = found[()]
        if isinstance(x, HOLES):
            raise AtKink(AT_A_KINK)
        if not x.is_exact():
            out[prints[look.node], look.value] = None
        elif not _comes_out(look, found):
            return None
    return list(out)


def _complete(paths: Sequence[Sequence[tuple[Any, bool]]]) -> bool:
    """Whether paths, as decisions in their order, leave nothing out."""
    if any(not p for p in paths):
        return True
    first = paths[0][0][0]
    if any(p[0][0] != first for p in paths):
        return False
    sides = [[p[1:] for p in paths if p[0][1] is out] for out in (True, False)]
    return all(s and _complete(s) for s in sides)


def with_paths(kink: Kink, elsewhere: Callable[[Point], Ways]) -> Kink:
    """The same with every path that leads to the point. Raises AtKink where one may be missing."""
    side = kink.ways.derived.side
    with precision(BITS[0]):
        if not any(g.node is not None for g in side.trace.guards):
            return kink
        own = _decisions(kink, kink.ways)
        if own is None:
            raise AtKink(AT_A_KINK)
        if not own:
            return kink
        ways, paths = [kink.ways], [own]
        for k in range(TURNED):
            near = drawing.beside(kink.point.values, k)
            moved = {n: near[n] if n in kink.names else v for n, v in kink.point.values.items()}
            try:
                there = elsewhere(Point(moved))
            except (OffPath, ChainruleError, ValueError, IndexError):
                continue
            if there.derived.side.nodes.keys() != side.nodes.keys() or any(
                there is w for w in ways
            ):
                continue
            decisions = _decisions(kink, there)
            if decisions is not None and decisions not in paths:
                ways.append(there)
                paths.append(decisions)
    if not _complete(paths):
        raise AtKink(AT_A_KINK)
    return replace(kink, others=tuple(ways[1:]))


def _sharp(value: Any, sure: Any) -> bool:
    """Whether a value is as sharp as it is at the point itself: all branches meet in it."""
    if isinstance(value, HOLES) or isinstance(sure, HOLES):
        return False
    room = (abs(sure).upper() + 1) * arb(2) ** (SPARE - BITS[0])
    return bool(arb(value.rad()) <= 4 * arb(sure.rad()) + room)
