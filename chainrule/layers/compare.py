"""Hand-coded gradients of a network against the derived ones, at one point: a verdict.

The code is run twice: as float64, and unmodified on arrays of balls. The second says whether its
formula is the product of the local Jacobians; the first, how its float64 does. There is no
tolerance: what rounding may do is measured by moving every input by one unit in the last place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb

from chainrule.evidence.rounding import ROUNDINGS, SPREADS, UNIT
from chainrule.layers import Gradients, Network
from chainrule.values.ball import Ball, Undecided, Undefined, decimals, precision, reading_constants
from chainrule.verdict import CodeReport, Evidence, Finding, Scope, Verdict, Witness

BITS = ((160, 320), (1280, 2560))  # the second pair where the first is not sharp enough
RESOLVED = 40  # bits of the largest entry that an enclosure must have
UNDERFLOW = 2.0**-1000  # what gradual underflow on the way may cost
SHOWN = 40  # numbers of a point that a witness writes out

#: hand(x, y, Ws, bs) → {"W1": …, "b1": …}, for float64 arrays and for arrays of balls alike.
Hand = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True)
class Comparison:
    """verdict : a finding for each parameter. gaps : |hand-coded − derived| of the float64 code,
    in the parameter's shape. derived : certified gradients; None where there are none."""

    verdict: Verdict
    gaps: Mapping[str, np.ndarray]
    derived: Gradients | None


def _array(a: np.ndarray) -> np.ndarray:
    """The same numbers as an array of balls."""
    out = np.empty(a.shape, dtype=object)
    out.reshape(-1)[:] = [Ball(v) for v in a.reshape(-1).tolist()]
    return out


@dataclass(frozen=True)
class _Trial:
    """Both sides at one precision; values is empty where the code cannot be run on balls."""

    derived: Gradients
    values: Mapping[str, np.ndarray]
    problem: str

    def apart(self, key: str) -> tuple[int, ...] | None:
        """The first entry whose enclosures have no number in common."""
        truth: Any = self.derived.exact[key]
        values: Any = self.values[key]
        for index in np.ndindex(*truth.shape):
            if not values[index].overlaps(truth[index]):
                return tuple(index)
        return None

    def sharp(self, key: str) -> bool:
        """Whether both sides are known well enough for meeting to mean anything."""
        sides = [*self.derived.exact[key].flat, *self.values[key].flat]
        scale = max((abs(v).upper() for v in self.derived.exact[key].flat), key=float)
        allowed = (scale if scale > 0 else arb(1)) * arb(2) ** -RESOLVED
        return all(bool(arb(v.rad()) <= allowed) for v in sides)


def _try(network: Network, hand: Hand, point: Sequence[Any]) -> _Trial:
    """Both sides at the precision in force. Undecided, Undefined: the derivative is not known."""
    x, y, Ws, bs = point
    derived = network.gradients(x, y, Ws, bs)
    try:
        returned = hand(_array(x), _array(y), [_array(W) for W in Ws], [_array(b) for b in bs])
    except (Undecided, Undefined, TypeError) as why:
        return _Trial(derived, {}, str(why))
    values: dict[str, np.ndarray] = {}
    for key in derived.shapes:
        balls = [Ball.number(v) for v in np.asarray(returned[key], dtype=object).flat]
        if any(b is None for b in balls):
            return _Trial(derived, {}, f"{key} holds something that is no number")
        values[key] = np.empty(np.shape(returned[key]), dtype=object)
        values[key].reshape(-1)[:] = balls
    return _Trial(derived, values, "")


def compare(
    network: Network,
    hand: Hand,
    x: np.ndarray,
    y: np.ndarray,
    Ws: Sequence[np.ndarray],
    bs: Sequence[np.ndarray],
    *,
    name: str = "∂C/∂{}",
) -> Comparison:
    """Compare every entry of every gradient at one point.

    hand : computes the gradients by name, for float64 arrays and for arrays of balls.
    x : n_0 × N. y : n_L × N. Ws : n_l × n_{l−1}. bs : n_l × 1. name : of a finding, {} the
    parameter's.
    """
    point = (x, y, Ws, bs)
    with np.errstate(all="ignore"):
        floats = hand(*point)
    trials: list[_Trial] = []
    why = ""
    for pair in BITS:
        with reading_constants() as constants:
            try:
                trials = []
                for bits in pair:
                    with precision(bits):
                        trials.append(_try(network, hand, point))
            except (Undecided, Undefined) as reason:
                trials, why = [], str(reason)
                continue
        if trials[-1].problem or all(trials[-1].sharp(key) for key in network.shapes()):
            break
    shapes = ", ".join(f"{n} {r}×{c}" for n, (r, c) in network.shapes().items())
    scope = Scope(
        shapes=f"{shapes}, N = {x.shape[1]}",
        constants=tuple(f"{c!r} ± 4 ulp" for c in constants),
        followed="black box" if not trials or trials[-1].problem else "run on exact numbers",
    )
    labels = {key: name.format(key) for key in network.shapes()}
    if not trials:
        findings = {
            label: Finding(
                label, "inconclusive", f"the derivative cannot be told here: {why}", scope
            )
            for label in labels.values()
        }
        return Comparison(Verdict(name.format("…"), findings), {}, None)
    moved = _moved(network, point)
    gaps: dict[str, np.ndarray] = {}
    findings = {}
    for key, label in labels.items():
        truth = trials[-1].derived.floats(key)
        code = np.asarray(floats[key], dtype=float)
        if code.shape != truth.shape:
            gaps[key] = np.full(truth.shape, math.inf)
            findings[label] = _wrong_shape(label, code.shape, truth.shape, scope)
            continue
        gaps[key] = np.abs(code - truth)
        report = _report(code, truth, gaps[key], moved.get(key))
        findings[label] = _finding(label, key, trials, report, scope, point)
    return Comparison(Verdict(name.format("…"), findings), gaps, trials[-1].derived)


def _moved(network: Network, point: Sequence[Any]) -> Mapping[str, np.ndarray]:
    """How far each entry moves when every input moves by one ulp; {} where that meets a kink."""
    x, y, Ws, bs = point
    with precision(BITS[0][1]):
        try:
            exact = network.gradients(x, y, Ws, bs, ulps=1).exact
        except (Undecided, Undefined):
            return {}
    return {k: np.vectorize(lambda v: float(v.rad()), otypes=[float])(a) for k, a in exact.items()}


def _report(
    code: np.ndarray, truth: np.ndarray, gap: np.ndarray, moved: np.ndarray | None
) -> CodeReport:
    """How the float64 code does, all entries of one parameter."""
    scale = float(np.max(np.abs(truth), initial=0.0))
    failed = int(np.sum(~np.isfinite(code) & np.isfinite(truth)))
    if failed:
        summary = f"{failed} of {code.size} entries are nan or inf"
        return CodeReport("fails", summary, None, 1, 1, at_users_point=True)
    worst = float(np.max(gap, initial=0.0))
    relative = worst / scale if scale else worst
    allowed = math.inf if moved is None else SPREADS * moved + ROUNDINGS * UNIT * scale + UNDERFLOW
    return CodeReport(
        "accurate" if np.all(gap <= allowed) else "loses digits",
        f"worst difference {worst:.1e}, {relative:.1e} of the largest entry",
        relative,
        1,
        0,
    )


def _wrong_shape(
    label: str, got: tuple[int, ...], wanted: tuple[int, ...], scope: Scope
) -> Finding:
    witness = Witness({}, str(got), str(wanted), where="shape")
    reason = f"it has the shape {got}; it must be {wanted}"
    return Finding(label, "refuted", reason, scope, (), witness)


def _finding(
    label: str,
    key: str,
    trials: Sequence[_Trial],
    report: CodeReport,
    scope: Scope,
    point: Sequence[Any],
) -> Finding:
    """What both precisions together say of one parameter."""
    first, last = trials
    if last.problem or first.problem:
        why = f"it cannot be run on exact numbers: {last.problem or first.problem}"
        return Finding(label, "inconclusive", why, scope, code=report)
    index = last.apart(key)
    if index is not None and first.apart(key) is not None:
        x, y, Ws, bs = point
        named = {"x": x, "y": y, **{f"W{k}": W for k, W in enumerate(Ws, 1)}}
        named |= {f"b{k}": b for k, b in enumerate(bs, 1)}
        small = sum(a.size for a in named.values()) <= SHOWN
        return Finding(
            label,
            "refuted",
            "run on exact numbers, it is not the product of SymPy's local Jacobians",
            scope,
            (Evidence("witness", "certified enclosures are disjoint"),),
            Witness(
                {k: str(a.tolist()) for k, a in named.items()} if small else {"here": "as given"},
                decimals(last.values[key][index]),
                decimals(last.derived.exact[key][index]),
                entry=index,
                bits=BITS[0],
            ),
        )
    if index is not None or not last.sharp(key):
        why = "its exact values could not be told sharply enough"
        return Finding(label, "inconclusive", why, scope, code=report)
    size = last.values[key].size
    return Finding(
        label,
        "agrees",
        f"run on exact numbers, it is the product of SymPy's local Jacobians in all {size} entries",
        scope,
        (Evidence("witness", "certified enclosures meet", {"entries": size}),),
        code=report,
    )
