"""Why a difference may come from how the code was followed, and not from the code.

Exact values of a graph are no witness against code that gives others: float64 has the last word on
what the code is, and none on what is right.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.code.trace.audit import on_path
from chainrule.errors import ChainruleError
from chainrule.evidence import calling, enclosures
from chainrule.evidence.drawing import Point
from chainrule.evidence.enclosures import Apart, Met, Side
from chainrule.judge.sides import Ways

if TYPE_CHECKING:
    from chainrule.judge.trials import Trials

UNTOLD = (ChainruleError, ValueError, IndexError, np.linalg.LinAlgError)
TINY = 2.0**-56  # of the largest entry: what no float64 code can show
SOFT = 2.0**-40  # of the largest entry: what rounded constants may explain
SOFT_ULPS = 4  # times what one unit in the last place of the inputs may explain
EXPLAINED = "the difference is no larger than rounded constants explain"
LAST_DIGITS = "the difference is no larger than the last digits of the inputs explain"


def doubt(
    trials: Trials, ways: Ways, point: Point, key: str, met: Met, code: np.ndarray | None
) -> str:
    """Why a difference may come from how the code was followed; "" if it cannot."""
    apart = met.apart
    assert apart is not None
    if not forward_is_followed(trials, ways, point):
        return "the forward code gives other values there than its graph"
    value = None if code is None else code[apart.entry] if code.shape else code[()]
    if value is None and ways.graph is not None:
        if apart.claimed is None and _raises(trials, point):
            return ""
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
        if ways.graph is None or trials.held or enclosures.rounded_constants(nodes):
            return EXPLAINED
    if point.yours and of_last_digits(trials, ways, dict(point.values), key, apart):
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


def of_last_digits(
    trials: Trials, ways: Ways, values: Mapping[str, Any], key: str, apart: Apart
) -> bool:
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


def strays(trials: Trials, ways: Ways, point: Point, key: str, code: np.ndarray) -> bool:
    """Whether the claimed code gives at a point what its own graph, on this path, cannot give: it
    depends on something that was not seen when it was followed."""
    if ways.graph is None or any(coarse(v) for v in (code, *point.values.values())):
        return False
    try:
        if not on_path(ways.graph.trace, ways.graph.values(point.values)):
            return False
        pairs = enclosures.graph_values(ways.graph, point.values)
    except UNTOLD:
        return False
    value, limit = pairs[list(ways.graph.nodes).index(key)]
    if value.shape != code.shape:
        return False
    told = np.isfinite(code) & np.isfinite(value) & np.isfinite(limit)
    with np.errstate(all="ignore"):
        return bool(np.any(told & (np.abs(code - value) > 2 * limit + np.finfo(float).tiny)))


def coarse(value: Any) -> bool:
    """Whether numbers are coarser than float64, in which graphs are followed."""
    kind = np.asarray(value).dtype
    return kind.kind == "f" and kind.itemsize < 8


def forward_is_followed(trials: Trials, ways: Ways, point: Point) -> bool:
    """Whether the forward code gives at a point what its graph gives, within the bounds."""
    side = ways.derived.side
    outputs = side.trace.outputs
    looked = Side(side.trace, dict(outputs), side.names, side.own, side.inputs)
    own = {n: point.values[n] for n in trials.claim.derivation.prepared.inputs if n in point.values}
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            returned = dict(calling.parts(trials.claim.derivation.prepared.run(own)))
        ((value, limit),) = enclosures.graph_values(looked, point.values)
    except (Exception, SystemExit):
        return False
    name = next(iter(outputs))
    key = name if name in returned else ""
    found = np.asarray(returned.get(key), np.float64)
    if found.shape != value.shape:
        return False
    told = np.isfinite(found) & np.isfinite(value)
    with np.errstate(all="ignore"):
        gap = np.abs(np.subtract(found, value, where=told, out=np.zeros(value.shape)))
        return bool(np.all(gap[told] <= 2 * limit[told] + np.finfo(float).tiny))


def _raises(trials: Trials, point: Point) -> bool:
    """Whether the user's function raises at a point what Python does for an undefined value."""
    try:
        trials.caller.run(point.values)
    except ArithmeticError:
        return True
    except Exception as why:
        return isinstance(why, ValueError) and "math domain error" in str(why)
    return False
