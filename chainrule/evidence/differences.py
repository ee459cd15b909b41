"""What float64 calls alone can tell of a derivative: central differences at many steps.

Along a line the function is called at steps that are halved again and again, twice, from two
starts; each sequence is extrapolated to step 0 (Richardson). How far the result may be off is the
worst of: what the last extrapolation changed, what the rounding noise of the function (measured,
not assumed) does at that step, and by how much the two sequences are apart; and on top of it what
values that are smooth but inexact would hide. Where one-sided
differences do not meet, or no step can be used, the line is untold. An estimate is no bound:
nothing here proves or refutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Values = Callable[[float], Array | None]

EPS = 2.0**-52
STARTS = (4.0, 2.875)  # of the line's scale: the first step of each sequence
LOOKED = 18  # steps that are looked at for a kink
STEPS = 34  # at most
SCALES = (2.0**-48, 2.0**-40, 2.0**-30, 2.0**-18)  # at which noise is looked for
SAMPLES = 10  # at each of them
TYPICAL = 924**0.5  # sixth differences of independent noise of size 1
SHRINKS = 0.85  # one-sided differences that come together are halved with the step
COMPLEX = 2.0**-100  # of the scale
#: Of the values: code that solves, integrates or sums a series may be off by about as much without
#: any jump between neighbors, so that no difference shows it.
SMOOTH = 2.0**-38


@dataclass(frozen=True)
class Line:
    """A function on a line through a point.

    at : step → values, of shape (m,); None where there are none (it raises, or is not finite).
    scale : the length over which a step counts as large. moved : step → how far the point went,
    in float64.
    """

    at: Values
    scale: float = 1.0
    moved: Callable[[float], float] = float


@dataclass(frozen=True)
class Slope:
    """The derivative on a line, of shape (m,).

    error : how far it may be off, inf where it is untold. kinked : where one-sided differences do
    not meet. both : what each of the two sequences gave, with its own error.
    """

    value: Array
    error: Array
    kinked: np.ndarray[Any, np.dtype[np.bool_]]
    both: tuple[tuple[Array, Array], ...]

    def beyond(self, claimed: Array, besides: Array, times: float) -> Any:
        """Where a claimed slope is further away than `times` every error, of both sequences."""
        apart = np.abs(claimed - self.value) > times * (self.error + besides)
        for value, error in self.both:
            apart &= np.abs(claimed - value) > times * (error + besides)
        return apart & np.isfinite(self.error) & ~self.kinked


def noise(line: Line, here: Array) -> Array:
    """How far values jump between neighbors, of shape (m,): the largest sixth difference of
    evenly spaced points at several scales, as the size of one jump; at least half a last place.

    >>> line = Line(lambda h: np.array([round(1 + h, 6)]))
    >>> bool(1e-8 < noise(line, np.array([1.0]))[0] < 1e-4)
    True
    """
    found = EPS / 2 * np.abs(here)
    for scale in SCALES:
        taken = [line.at(scale * line.scale * k) for k in range(SAMPLES)]
        values = [v for v in taken if v is not None]
        if len(values) < SAMPLES:
            continue
        sixth = np.abs(np.diff(np.array(values), 6, axis=0)).max(axis=0)
        found = np.maximum(found, 2 * sixth / TYPICAL)
    return found


def slope(line: Line, here: Array, jitter: Array) -> Slope:
    """The derivative at step 0. here : the values there. jitter : `noise`.

    >>> line = Line(lambda h: np.array([np.sin(1 + h)]))
    >>> here = np.array([np.sin(1.0)])
    >>> found = slope(line, here, noise(line, here))
    >>> bool(abs(found.value[0] - np.cos(1.0)) < found.error[0] < 1e-10)
    True
    >>> kink = Line(lambda h: np.array([abs(h)]))
    >>> slope(kink, np.zeros(1), np.zeros(1)).kinked.tolist()
    [True]
    """
    first, kinked = _sequence(line, here, jitter, STARTS[0], LOOKED)
    second, _ = _sequence(line, here, jitter, STARTS[1], 10)
    with np.errstate(invalid="ignore"):
        apart = np.abs(first[0] - second[0])
        better = np.where(first[1] <= second[1], first[0], second[0])
        error = np.maximum(np.maximum(first[1], second[1]), apart)
    hidden = SMOOTH * (np.abs(better) + np.abs(here) / line.scale)
    error = np.where(np.isfinite(error), error + hidden, np.inf)
    return Slope(better, error, kinked, (first, second))


def _sequence(
    line: Line, here: Array, jitter: Array, start: float, least: int
) -> tuple[tuple[Array, Array], np.ndarray[Any, np.dtype[np.bool_]]]:
    """Halved steps: the best extrapolated slope with its error; and where there is a kink."""
    best, error = np.full(here.shape, np.nan), np.full(here.shape, np.inf)
    row: list[Array] = []
    gaps: list[Array] = []
    floors: list[Array] = []
    for k in range(STEPS):
        h = start * line.scale * 2.0**-k
        ahead, behind = line.at(h), line.at(-h)
        if ahead is None or behind is None:
            row, gaps, floors = [], [], []
            continue
        up, down = line.moved(h), line.moved(-h)
        if not up > 0 > down:
            break
        most = np.maximum(np.abs(ahead), np.abs(behind))
        blur = 2 * np.maximum(jitter, EPS / 2 * most) / h
        new = [(ahead - behind) / (up - down)]
        for j, old in enumerate(row):
            new.append(new[j] + (new[j] - old) / (4.0 ** (j + 1) - 1))
            off = np.maximum(np.abs(new[j + 1] - new[j]), np.abs(new[j + 1] - old)) + blur
            better = off < error
            best, error = np.where(better, new[j + 1], best), np.where(better, off, error)
        row = new[:8]
        gaps.append(np.abs((ahead - here) / up - (behind - here) / down))
        floors.append(20 * blur + 64 * EPS * np.abs(new[0]))
        if k >= least and bool(np.all(blur > error)):
            break
    return (best, error), _kinked(gaps, floors, here.shape)


def _kinked(gaps: list[Array], floors: list[Array], shape: tuple[int, ...]) -> Any:
    """Whether the last gaps of one-sided differences that noise leaves visible do not shrink, and
    no later one, however blurred, is smaller for sure."""
    found, settled = np.zeros(shape, bool), np.zeros(shape, bool)
    least = np.full(shape, np.inf)
    for a, b, c, floor in reversed(list(zip(gaps, gaps[1:], gaps[2:], floors[2:], strict=False))):
        seen = (c > floor) & ~settled
        found |= seen & (b > SHRINKS * a) & (c > SHRINKS * b) & (least > c / 2)
        settled |= seen
        least = np.minimum(least, c + floor)
    return found


def complex_slope(at: Callable[[complex], Any], scale: float) -> Array | None:
    """The derivative by one complex step; None if the function does not take complex numbers.
    To be believed only where differences confirm it: code that drops imaginary parts gives 0.

    >>> complex_slope(lambda h: np.exp(2 + h), 1.0).round(9)
    array([7.3890561])
    """
    h = COMPLEX * scale
    try:
        found = np.asarray(at(complex(0, h)))
    except Exception:
        return None
    if found.dtype.kind != "c" or not np.isfinite(found).all():
        return None
    return np.asarray(found.imag / h, np.float64).ravel()
