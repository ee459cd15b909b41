"""At a kink of the forward code: is what the user's code gives there one of the derivatives beside?

The reference is the convex hull of the Jacobians of the adjacent cells, jointly over all parameters
of one call. Spans contain, for a direction, what every member of the hull gives along it: a value
beyond is refuted, and no cell need be counted. Where they are sharp the derivative exists, kink or
no kink. That a value lies inside is told from exact Jacobians at points next to this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from flint import arb

from chainrule.claim.pair import PairClaim
from chainrule.evidence.drawing import Point
from chainrule.evidence.enclosures import AT_A_KINK, BITS, Apart, AtKink, Met
from chainrule.evidence.hull import nearest
from chainrule.judge.neighborhood import COORDINATES, SPARE, Kink, with_paths
from chainrule.judge.sides import Ways
from chainrule.values.ball import Undecided, Undefined, decimals, precision
from chainrule.values.entries import HOLES, as_objects

SHOWN = 8  # numbers of a direction that are written out
FAINT = 2.0**-30  # of the largest: parts of a direction that are rounding


def _narrow(slope: Any, scale: arb) -> bool:
    """Whether a span is one number."""
    return isinstance(slope, arb) and bool(arb(slope.rad()) <= scale * arb(2) ** (SPARE - BITS[0]))


def told(
    claim: PairClaim,
    ways: Ways,
    point: Point,
    budget: int,
    elsewhere: Callable[[Point], Ways],
) -> tuple[dict[str, Met], int]:
    """Key → what a point at a kink tells, and what that cost.

    elsewhere : both sides on the path of another point; may raise OffPath.
    Raises AtKink where nothing is told (as at a jump), OffPath, Undecided.
    """
    kink = Kink(claim, ways, point)
    if claim.mode == "hessian" or not kink.count or kink.cost() > budget:
        raise AtKink(AT_A_KINK)
    kink = with_paths(kink, elsewhere)
    if kink.cost() > budget:
        raise AtKink(AT_A_KINK)
    met = _told(kink, claim, ways, point)
    return {k: replace(m, kink=True) for k, m in met.items()}, kink.cost()


def _told(kink: Kink, claim: PairClaim, ways: Ways, point: Point) -> dict[str, Met]:
    claimed: list[Mapping[str, np.ndarray]] = []
    boxes: list[dict[str, np.ndarray]] = []
    for bits in BITS:
        with precision(bits):
            claimed.append(ways.there(point.values))
            if kink.count <= COORDINATES or claim.mode == "jvp":
                boxes.append(kink.box())
            else:
                kink.along(kink.split(np.zeros(kink.count)))  # a jump, or another path?
    met: dict[str, Met] = {}
    for key in ways.derived.side.nodes:
        shapes = {c[key].shape for c in claimed} | {b[key].shape for b in boxes}
        if len(shapes) > 1:
            raise AtKink(AT_A_KINK)
        met[key] = _entries(key, claimed, boxes)
    if any(m.apart for m in met.values()) or all(m.bits for m in met.values()):
        return met
    corners = kink.beside(claimed[-1])
    whole = _flat(claimed[-1], kink)
    if whole is None or not corners:
        return met
    found = nearest([np.concatenate([c[k].reshape(-1) for k in met]) for c in corners], whole)
    if found.inside:
        return {k: m if m.bits else replace(m, inside=True) for k, m in met.items()}
    return _jointly(kink, claimed, corners, met)


def _flat(claimed: Mapping[str, np.ndarray], kink: Kink) -> np.ndarray | None:
    entries = [x for k in kink.ways.derived.side.nodes for x in claimed[k].flat]
    if any(isinstance(x, HOLES) for x in entries):
        return None
    flat = np.array([float(x.mid()) for x in entries])
    return flat if np.isfinite(flat).all() else None


def _entries(
    key: str, claimed: Sequence[Mapping[str, np.ndarray]], boxes: Sequence[dict[str, np.ndarray]]
) -> Met:
    """One derivative held to the spans of its entries."""
    if not boxes:
        return Met(reason=AT_A_KINK)
    shape = boxes[-1][key].shape
    known = [x for x in boxes[-1][key].flat if isinstance(x, arb)]
    scale = max((abs(x).upper() for x in known), default=arb(0), key=float)
    scale = scale if scale > 0 else arb(1)
    truth = np.full(shape, np.nan)
    sharp, worst, reason = 0, None, AT_A_KINK
    for at in np.ndindex(shape):
        pairs: list[tuple[Any, Any]] = [
            (c[key][at], b[key][at]) for c, b in zip(claimed, boxes, strict=True)
        ]
        narrow = all(_narrow(t, scale) for _, t in pairs)
        mine, slope = pairs[-1]
        if narrow:
            truth[at] = float(slope.mid())
        if any(isinstance(c, Undecided) or isinstance(t, HOLES) for c, t in pairs):
            reason = str(next((x for p in pairs for x in p if isinstance(x, HOLES)), reason))
            continue
        if any(isinstance(c, Undefined) for c, _ in pairs):
            if narrow and all(isinstance(c, Undefined) for c, _ in pairs):
                worst = worst or Apart(at, slope, None, float("inf"))
            continue
        if all(not c.overlaps(t) for c, t in pairs):
            gap = float((_distance(mine, slope) / scale).mid())
            if worst is None or (worst.claimed is not None and gap > worst.gap):
                worst = _outside(at, mine, slope, gap, narrow)
        elif narrow:
            sharp += 1
    if worst is not None:
        return Met(worst, truth=truth)
    if sharp == truth.size:
        return Met(bits=BITS[0] - SPARE, truth=truth)
    return Met(truth=truth, reason=reason)


def _distance(c: arb, t: arb) -> arb:
    return (t.lower() - c) if c < t else (c - t.upper())


def _outside(at: tuple[int, ...], c: arb, t: arb, gap: float, narrow: bool) -> Apart:
    if narrow:
        return Apart(at, t, c, gap)
    near = t.lower() if c < t else t.upper()
    size = float(abs(t).upper())
    low, high = _number(t.lower(), size), _number(t.upper(), size)
    entry = f"entry {list(at)}" if at else "it"
    says = (
        f"{entry} is {decimals(c, 12)}, and the derivatives on all sides of that kink lie between "
        f"{low} and {high},"
    )
    return Apart(at, near, c, gap, (decimals(c), f"between {low} and {high}"), says)


def _short(part: np.ndarray) -> str:
    """A direction as text; the few entries that are not 0, of a long one."""
    rounded = np.round(part, 6) + 0.0
    if part.size <= SHOWN:
        return str(rounded.tolist())
    first = [tuple(map(int, at)) for at in np.argwhere(rounded)]
    told = ", ".join(f"{list(at)}: {rounded[at]:g}" for at in first[:SHOWN])
    return f"{{{told}{', …' if len(first) > SHOWN else ''}}}"


def _number(x: arb, size: float) -> str:
    """An end of a span, which is rounded outward by less than 2⁻²⁸ of its size."""
    value = float(x.mid())
    return "0" if abs(value) <= 2.0**-28 * size else f"{value:.7g}"


def _jointly(
    kink: Kink,
    claimed: Sequence[Mapping[str, np.ndarray]],
    corners: Sequence[Mapping[str, np.ndarray]],
    met: dict[str, Met],
) -> dict[str, Met]:
    """A direction along which the values go beyond every member of the hull, row by row."""
    if kink.claim.mode == "jvp":
        return met
    keys = list(met)
    lead = kink.output.ndim if kink.claim.mode == "jacobian" else 0
    for row in np.ndindex(claimed[-1][keys[0]].shape[:lead]):
        rows = [np.concatenate([np.ravel(c[k][row]) for k in keys]) for c in corners]
        mine = [[x for k in keys for x in as_objects(c[k][row]).flat] for c in claimed]
        if any(isinstance(x, HOLES) for line in mine for x in line):
            continue
        vector = np.array([float(x.mid()) for x in mine[-1]])
        found = nearest(rows, vector)
        if found.inside or not np.isfinite(found.gap).all() or not found.gap.any():
            continue
        w = found.gap / np.max(np.abs(found.gap))
        w = np.where(np.abs(w) < FAINT, 0.0, w)
        told_apart: list[tuple[arb, arb]] = []
        for bits, line in zip(BITS, mine, strict=True):
            with precision(bits):
                slope: Any = kink.along(kink.split(w))[row]
                if isinstance(slope, HOLES):
                    break
                total = sum((arb(float(a)) * x for a, x in zip(w, line, strict=True)), arb(0))
                if not total > slope.upper():
                    break
                told_apart.append((total, slope))
        if len(told_apart) == len(BITS):
            return _blamed(kink, claimed[-1], found.gap, w, row, told_apart[-1], met)
    return met


def _blamed(
    kink: Kink,
    claimed: Mapping[str, np.ndarray],
    gap: np.ndarray,
    w: np.ndarray,
    row: tuple[int, ...],
    ends: tuple[arb, arb],
    met: dict[str, Met],
) -> dict[str, Met]:
    """The derivatives that are wrong together."""
    total, slope = ends
    parts, gaps, out = kink.split(w), kink.split(gap), dict(met)
    shown = ", ".join(f"{n}: {_short(p)}" for n, p in parts.items() if p.any())
    most = _number(slope.upper(), float(abs(slope).upper()))
    for key, part in parts.items():
        if not part.any():
            continue
        k = np.unravel_index(int(np.argmax(np.abs(part))), part.shape) if part.shape else ()
        at = (*row, *(int(i) for i in k))
        mine = claimed[key][at]
        says = (
            f"its entries are no one derivative: along w = {{{shown}}} they come to "
            f"{decimals(total, 12)}, and the derivatives on all sides of that kink to {most} at "
            "most,"
        )
        near = arb(float(mine.mid()) - float(gaps[key][k]))
        size = max(float(abs(mine).upper()), 1e-300)
        apart = Apart(
            at,
            near,
            mine,
            abs(float(gaps[key][k])) / size,
            (f"{decimals(total)} along w", f"at most {most} along w"),
            says,
        )
        out[key] = Met(apart, truth=met[key].truth)
    return out
