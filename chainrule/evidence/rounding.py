"""The float64 code against certified values: accurate, loses digits, or fails, and where.

What rounding alone may do is measured by moving the inputs by one unit in the last place, as
intervals. There is no tolerance to choose, and nothing here touches the status of the formula,
except for a black box, which has nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from flint import arb

from chainrule.values.ball import Undecided, Undefined, exact, precision
from chainrule.values.enclose import enclose
from chainrule.verdict import CodeReport

UNIT = 2.0**-53
LARGEST = float(np.finfo(float).max)
SPREADS = 16  # times what one ulp of the inputs does
ROUNDINGS = 64  # units of the largest entry, for the operations themselves
FAR = 2.0**20  # times what rounding alone may do
GROSS, SMALL = 2.0**-10, 2.0**-20  # of the largest derivative at moderate points

Numbers = Mapping[sp.Symbol, Any]


@dataclass(frozen=True)
class Sample:
    """One point: the code's values, the truth and what rounding may do, per entry.

    problem : why there are no values, where the code raised.
    """

    numbers: Numbers
    code: np.ndarray
    truth: np.ndarray
    allowed: float
    scale: float
    users: bool
    problem: str = ""

    @property
    def failed(self) -> bool:
        """nan or inf where the truth is a float64."""
        return bool(np.any(~np.isfinite(self.code) & (np.abs(self.truth) < LARGEST)))

    @property
    def moderate(self) -> bool:
        """Inputs neither large nor small, where cancellation leaves some digits."""
        return all(2.0**-4 <= abs(float(v)) <= 2.0**3 for v in self.numbers.values())

    @property
    def gap(self) -> float:
        """max |code − truth|."""
        return float(np.max(np.abs(self.code - self.truth), initial=0.0))

    @property
    def error(self) -> float:
        """max |code − truth| / max |truth|."""
        return self.gap / self.scale if self.scale else (math.inf if self.gap else 0.0)


def sample(
    numbers: Numbers,
    code: np.ndarray,
    bind: Callable[[Mapping[sp.Symbol, arb]], Mapping[sp.Symbol, arb]],
    derived: Sequence[sp.Expr],
    users: bool,
    problem: str = "",
) -> Sample | None:
    """A sample, or None where the derivative has no certified float64 value.

    code : its own dtype says with how many digits it was computed at the end.
    """
    kind = np.finfo(code.dtype if code.dtype.kind == "f" else float)
    unit = max(UNIT, float(kind.eps) / 2)
    try:
        with precision(320):
            at = bind({s: exact(v) for s, v in numbers.items()})
            truth = [enclose(e, at) for e in derived]
        values = np.array([float(t.mid()) for t in truth])
        spread = 0.0
        with precision(320):
            step = unit / UNIT
            moved = bind(
                {s: arb(exact(v).mid(), step * math.ulp(float(v))) for s, v in numbers.items()}
            )
            for e in derived:
                spread = max(spread, float(enclose(e, moved).rad()))
    except (Undefined, Undecided, OverflowError):
        return None
    if not np.all(np.isfinite(values)):
        return None
    scale = float(np.max(np.abs(values), initial=0.0))
    allowed = SPREADS * spread + ROUNDINGS * unit * scale + float(kind.tiny)
    return Sample(numbers, np.asarray(code, dtype=float), values, allowed, scale, users, problem)


def far_off(samples: Sequence[Sample]) -> Sample | None:
    """The worst point, if the code is off by more than lost digits explain; else None.

    Where digits cancel or saturate, right code may be off by all of them. So only moderate points
    count, measured by the largest derivative among them: three that are grossly wrong, or most.
    """
    fine = [s for s in samples if s.moderate and not s.failed]
    scale = max((s.scale for s in fine), default=0.0)
    gross = [s for s in fine if s.gap > max(GROSS * scale, s.allowed)]
    far = [s for s in fine if s.gap > max(SMALL * scale, FAR * s.allowed)]
    if len(gross) < 3 and len(far) * 2 <= len(fine):
        return None
    return max(gross or far, key=lambda s: s.gap)


def report(samples: Sequence[Sample], edge: str = "") -> CodeReport:
    """What the samples say of the code. edge : words for where it begins to fail."""
    failed = [s for s in samples if s.failed]
    fine = [s for s in samples if not s.failed]
    worst = max((s.error for s in fine), default=None)
    n = len(samples)
    if failed:
        bad = failed[0]
        shown = ", ".join(f"{s} = {float(v):.6g}" for s, v in bad.numbers.items())
        kind = "nan" if np.any(np.isnan(bad.code)) else "inf"
        does = bad.problem or f"returns {kind}"
        where = edge or f"at {shown}"
        return CodeReport(
            "fails",
            f"the formula is right there, but its float64 code {does} {where}; "
            f"{len(failed)} of {n} points here",
            worst,
            n,
            len(failed),
            any(s.users for s in failed),
        )
    lossy = [s for s in fine if s.gap > s.allowed]
    if lossy:
        bad = max(lossy, key=lambda s: s.error)
        shown = ", ".join(f"{s} = {float(v):.6g}" for s, v in bad.numbers.items())
        digits = 16 if bad.error >= 1 else round(16 + math.log10(bad.error))
        return CodeReport(
            "loses digits",
            f"about {digits} of 16 digits are lost at {shown}; {len(lossy)} of {n} points here",
            worst,
            n,
            0,
        )
    return CodeReport(
        "accurate",
        f"within what rounding explains at {n} points; the worst relative error is {worst:.1e}"
        if n
        else "no point could be compared",
        worst,
        n,
        0,
    )


def threshold(fails: Callable[[float], bool], bad: float, good: float, steps: int = 60) -> float:
    """Between a failing and a good value of one variable, where it begins to fail."""
    for _ in range(steps):
        middle = (bad + good) / 2
        if middle in (bad, good):
            break
        if fails(middle):
            bad = middle
        else:
            good = middle
    return bad
