"""A line along which a function was called, and what was seen there beside what is claimed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import floor
from types import MappingProxyType
from typing import Any

import numpy as np

from chainrule.evidence.differences import Array, Slope
from chainrule.evidence.drawing import Point

TIMES = 10.0  # the estimated error, for two values to differ
GROSS = 2.0**-10  # of a value: no tolerance of a solver explains as much
SLIGHT, ABSOLUTE = 2.0**-21, 2.0**-36  # of a value, and in a value: less may be such a tolerance
#: Functions that stop at a tolerance, by name → what their defaults may leave, of a value.
LOOSE: Mapping[str, float] = MappingProxyType(
    {
        **dict.fromkeys(("solve_ivp", "solve_bvp", "minimize", "RK45", "LSODA", "quad_vec"), 2e-2),
        **dict.fromkeys(("curve_fit", "least_squares", "linprog", "newton_krylov"), 1e-4),
        **dict.fromkeys(("odeint", "fsolve", "minimize_scalar", "fmin", "leastsq"), 1e-4),
    }
)
SMALL = 2.0**-10  # of the largest entry: smaller ones are measured by this


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
    size : the largest derivative of its kind at the point. slight : what a tolerance in forward may
    explain, of a value."""

    probe: Probe
    point: Point
    slope: Slope
    claimed: Array
    besides: Array
    size: float = 0.0
    slight: float = SLIGHT

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
        large = (gap > self.slight * value) & (gap * self.probe.scale > ABSOLUTE)
        return self.apart & (large | (gap > max(GROSS, self.slight) * value))

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


def typical(value: Any) -> float:
    """The size that steps of an input are measured by: its largest entry; 1 for zeros."""
    return float(np.max(np.abs(np.asarray(value, float)), initial=0.0)) or 1.0


def entry_line(key: str, x: Array, index: tuple[int, ...]) -> Probe:
    """The line that moves one entry."""
    wide = abs(float(x[index])) or typical(x)
    move = np.zeros(x.shape)
    move[index] = 1.0
    shown = f"at entry {list(index)}" if index else f"as {key} moves"
    return Probe(shown, index, {key: move}, 2.0 ** floor(np.log2(wide)))
