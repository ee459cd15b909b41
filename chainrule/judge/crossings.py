"""Where either code switches, and beside the user's own kink: points close together.

A threshold that is a little off is met by no drawn point; and a value far from all that the
derivative is beside a kink is worth a word where nothing is certified.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.domains.values import Values, within
from chainrule.errors import ChainruleError
from chainrule.evidence import drawing, enclosures
from chainrule.evidence.drawing import Point
from chainrule.evidence.enclosures import OffPath
from chainrule.judge.sides import Ways, inputs_of

if TYPE_CHECKING:
    from chainrule.judge.trials import Trials

BESIDE = 24  # points looked at beside a kink
SWITCHES, CROSSED, HALVINGS = 6, 2, 25  # selections looked at, pairs of points, bisections
SMALL = 100_000  # operations at a point of the user's sizes
UNTOLD = (ChainruleError, ValueError, IndexError, np.linalg.LinAlgError)


def switching(trials: Trials, ways: Ways) -> Iterator[Point]:
    """Pairs of points close together, between which a selection switches."""
    sides = [s for s in (ways.derived.side, ways.graph) if s is not None]
    switches = [(s, n) for s in sides for n in enclosures.crossed(s)]
    if not switches:
        return
    inputs, own = inputs_of(trials.claim, trials.claim.derivation), trials.point.values
    shapes = {n: np.shape(own[n]) for n in inputs}
    if ways.work(trials.point) > SMALL:
        small = next(trials._points(ways, small=True), None)
        if small is None:
            return
        shapes = {n: np.shape(small.values[n]) for n in inputs}
    seed = f"{trials.claim.derivation.trace.function}: switches"
    drawn = list(islice(trials.drawn(inputs, shapes, trials.free[1], seed), 4))
    same = all(np.shape(own[n]) == shapes[n] for n in inputs)
    pairs: list[tuple[Mapping[str, Any], Values]] = [(own, drawn[0])] if same else []
    pairs += [(drawn[0], drawn[1]), (drawn[2], drawn[3])]
    done: dict[int, int] = {}
    for one, two in pairs:
        for number, (side, node) in enumerate(switches):
            if done.get(number, 0) < CROSSED and len(done) <= SWITCHES:
                for values in enclosures.bisected(side, node, one, two, HALVINGS):
                    done[number] = done.get(number, 0) + 1
                    yield Point(within(trials.claim.domains, values, one))


def beside(trials: Trials, ways: Ways) -> None:
    """At a point of the user's that is a kink: whether what the code gives there lies far
    outside of what the derivative is beside it."""
    floats = trials.caller.floats(trials.point.values)
    seen: dict[str, list[np.ndarray]] = {}
    for k in range(BESIDE):
        try:
            found = enclosures.truth_only(ways.derived, drawing.beside(trials.point.values, k))
        except OffPath:
            try:
                moved = Point(drawing.beside(trials.point.values, k))
                found = enclosures.truth_only(trials.followed_at(moved).derived, moved.values)
            except (OffPath, *UNTOLD):
                continue
        except UNTOLD:
            continue
        for key, value in found.items():
            seen.setdefault(key, []).append(value)
    for key, tally in trials.tallies.items():
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
