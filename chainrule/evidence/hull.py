"""Whether a vector lies in the convex hull of others; if not, a direction that tells them apart.

Floats only: what is found here is a guess, and certifies nothing. A direction becomes a witness
when balls confirm it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Vector = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
ROUNDS = 200
SMALL = 2.0**-40  # of the largest number: what is no distance


@dataclass(frozen=True)
class Nearest:
    """The point of a hull that is nearest to a target.

    weights : of the corners, ≥ 0 and of sum 1. gap : target − point. inside : whether that is 0 as
    far as floats tell.
    """

    weights: Vector
    gap: Vector
    inside: bool


def nearest(corners: Sequence[Vector], target: Vector) -> Nearest:
    """The point nearest to a target in the convex hull of corners, all of one shape (n).

    Wolfe's method: corners are added one at a time, the one farthest toward the target first; those
    whose weight would be negative are dropped.

    >>> found = nearest([np.array([1.0, 0.0]), np.array([0.0, 1.0])], np.array([1.0, 1.0]))
    >>> print(found.weights, found.gap, found.inside)
    [0.5 0.5] [0.5 0.5] False
    """
    points = np.array(corners, np.float64) - target
    scale = max(float(np.max(np.abs(np.array(corners)), initial=0.0)), float(np.max(np.abs(target),
                initial=0.0)), 1e-300)  # fmt: skip
    points = points / scale
    kept = [int(np.argmin(np.sum(points * points, axis=1)))]
    weights = np.array([1.0])
    for _ in range(ROUNDS):
        x = weights @ points[kept]
        if float(np.sqrt(x @ x)) <= SMALL:
            break
        far = int(np.argmin(points @ x))
        if far in kept or float(points[far] @ x) >= float(x @ x) * (1 - SMALL):
            break
        kept.append(far)
        weights = np.append(weights, 0.0)
        while True:  # to the nearest point of the plane through the kept ones, inside the hull
            best = _flat(points[kept])
            if np.all(best > SMALL):
                weights = best
                break
            out = best <= SMALL
            steps = np.full(len(best), np.inf)
            falling = out & (weights - best > 0)
            steps[falling] = weights[falling] / (weights - best)[falling]
            step = min(1.0, float(np.min(steps)))
            weights = (1 - step) * weights + step * best
            stay = weights > SMALL
            if np.all(stay):
                stay[int(np.argmin(weights))] = False
            kept = [k for k, s in zip(kept, stay, strict=True) if s]
            weights = weights[stay] / weights[stay].sum()
    x = weights @ points[kept]
    full = np.zeros(len(points))
    full[kept] = weights
    return Nearest(full, -x * scale, float(np.max(np.abs(x), initial=0.0)) <= SMALL)


def _flat(points: np.ndarray) -> np.ndarray:
    """Weights of sum 1 for the point nearest to 0 in the plane through points."""
    n = len(points)
    system = np.zeros((n + 1, n + 1))
    system[:n, :n] = points @ points.T
    system[:n, n] = system[n, :n] = 1.0
    right = np.zeros(n + 1)
    right[n] = 1.0
    return np.linalg.lstsq(system, right, rcond=None)[0][:n]
