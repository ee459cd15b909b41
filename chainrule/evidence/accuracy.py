"""The float64 code of a function of the user's: accurate, loses digits, or fails, and where.

What a result may be off by is what one unit in the last place of the inputs does to the derivative,
what rounding does to its largest entry, and the derived bound of the literal graph that computes
it. There is no tolerance to choose, and nothing here touches whether the formula is right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.code.trace.record import Trace
from chainrule.graph.node import Node, bind_sizes, reached
from chainrule.values import float64
from chainrule.verdict import CodeReport

LARGEST = float(np.finfo(float).max)
STEPS = 60


@dataclass(frozen=True)
class Sample:
    """One result of the code at one point.

    code : what it returned. truth : certified, nan where nothing is certified. allowed : what it
    may be off by. says : the point in words. why : what overflows first, where something does.
    raised : the exception that there was in place of a result.
    """

    code: np.ndarray
    truth: np.ndarray
    allowed: float
    says: str
    yours: bool
    why: str = ""
    raised: str = ""

    @property
    def known(self) -> np.ndarray:
        """Where the truth is a float64."""
        return np.asarray(np.isfinite(self.truth) & (np.abs(self.truth) < LARGEST))

    @property
    def broken(self) -> np.ndarray:
        """Where it is nan or inf, and the truth is a float64."""
        return np.asarray(~np.isfinite(self.code) & self.known)

    @property
    def gap(self) -> float:
        """max |code − truth| over what is finite."""
        fine = self.known & np.isfinite(self.code)
        with np.errstate(all="ignore"):
            return float(np.max(np.abs(self.code - self.truth), where=fine, initial=0.0))

    @property
    def scale(self) -> float:
        """max |truth|."""
        return float(np.max(np.abs(self.truth), where=self.known, initial=0.0))

    @property
    def error(self) -> float:
        """max |code − truth| / max |truth|."""
        return self.gap / self.scale if self.scale else (math.inf if self.gap else 0.0)


def report(samples: Sequence[Sample], edge: str = "") -> CodeReport | None:
    """What the samples say of the code; None if there are none. edge : where it begins to fail."""
    samples = [s for s in samples if s.known.any() or not s.truth.size]
    if not samples:
        return None
    n = len(samples)
    failed = [s for s in samples if s.broken.any()]
    fine = [s for s in samples if not s.broken.any()]
    worst = max((s.error for s in fine), default=None)
    if failed:
        bad = min(failed, key=lambda s: not s.yours)
        kind = "nan" if np.isnan(bad.code[bad.broken]).any() else "inf"
        count = f"{int(bad.broken.sum())} of {bad.code.size} entries" if bad.code.ndim else "it"
        verb = "is" if count == "it" else "are"
        does = f"it raises {bad.raised}" if bad.raised else f"{count} {verb} {kind}"
        says = (
            f"{does} {bad.says}{f' ({bad.why})' if bad.why else ''}, where the "
            f"derivative is a finite number{f'; it fails {edge}' if edge else ''}; "
            f"{len(failed)} of {n} points here"
        )
        return CodeReport("fails", says, worst, n, len(failed), any(s.yours for s in failed))
    lossy = [s for s in fine if s.gap > s.allowed]
    if lossy:
        bad = max(lossy, key=lambda s: s.error)
        digits = 16 if bad.error >= 1 else max(1, round(16 + math.log10(bad.error)))
        says = f"about {digits} of 16 digits are lost {bad.says}; {len(lossy)} of {n} points here"
        return CodeReport("loses digits", says, worst, n, 0)
    said = f"{worst:.1e}" if worst else "0"
    says = f"within its derived bound at {_points(n)}; the largest relative error is {said}"
    return CodeReport("accurate", says, worst, n, 0)


def _points(n: int) -> str:
    return "1 point" if n == 1 else f"{n} points"


def overflow(trace: Trace, outputs: Sequence[Node], values: Mapping[str, Any]) -> str:
    """What first becomes nan or inf from finite numbers: ``exp of 812, from z3 = −812``."""
    sizes = bind_sizes(trace.inputs, {n: np.shape(values[n]) for n in trace.inputs})
    nodes = list(reached(outputs))
    known = dict(zip(nodes, float64.evaluate(nodes, values, sizes), strict=True))
    for node in nodes:
        if node.kind != "f" or not node.inputs or np.isfinite(known[node]).all():
            continue
        if not all(np.isfinite(known[i]).all() for i in node.inputs):
            continue
        bad = ~np.isfinite(known[node])
        source = node.inputs[-1]
        while source not in trace.names and source.op in ("neg", "broadcast") and source.inputs:
            source = source.inputs[0]
        what = "the division" if node.op == "div" else node.op
        if source in trace.names and known[source].shape == bad.shape:
            value = known[source][bad].reshape(-1)[0]
            return f"{what} overflows, {trace.names[source]} = {value:.6g}".replace("-", "−")
        return f"{what} overflows"
    return ""


def threshold(fails: Callable[[float], bool], name: str) -> str:
    """``for z ≤ −709.783``: where a function of one input begins to fail; "" if untold."""
    found = []
    for sign, relation in ((-1.0, "≤"), (1.0, "≥")):
        good, bad = 0.0, 0.0
        for t in (1.0, 32.0, 512.0, 1024.0, 2.0**14):
            if fails(sign * t):
                bad = sign * t
                break
            good = sign * t
        if not bad or not good:
            continue
        for _ in range(STEPS):
            middle = (bad + good) / 2
            if middle in (bad, good):
                break
            bad, good = (middle, good) if fails(middle) else (bad, middle)
        found.append(f"for {name} {relation} {bad:.6g}".replace("-", "−"))
    return " and ".join(found)
