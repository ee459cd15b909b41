"""Whether a function gives the same when it is called again, here and after it was elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.claim.pair import Part
from chainrule.evidence.calling.record import shown


def which(part: Part, a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    """What of a function's results differs, as the user calls it."""
    differ = [k for k in a if k in b and not alike({k: a[k]}, {k: b[k]})]
    labels = [part.labels.get(k) or (shown(part.name, k) if k else part.name) for k in differ]
    return ", ".join(labels) if part.labels and labels else part.name


def hidden(
    part: Part,
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    again: Mapping[str, Any],
    drew: bool,
) -> str:
    """What to say of a function that gives another result when it is called again."""
    name = which(part, first, again)
    differ = [k for k in first if k in again and not alike({k: first[k]}, {k: again[k]})]
    try:
        grows = bool(differ) and all(
            np.allclose(again[k] - second[k], first[k], rtol=1e-6) and np.any(first[k])
            for k in differ
        )
    except (KeyError, TypeError, ValueError):
        grows = False
    if grows:
        return (
            f"{name} grows with each call of {part.name}: the derivative is added to what an "
            "earlier call left, so a second call gives twice as much; assign it, or set it to zero "
            "first"
        )
    if drew:
        return (
            f"{name} gives another result when it is called again with the same arguments; it "
            "depends on something hidden: random numbers, drawn from a global state. Give it the "
            "generator as an argument, such as rng=np.random.default_rng(0): each call then gets "
            "a copy in the same state"
        )
    return (
        f"{name} gives another result when it is called again with the same arguments; "
        "it depends on something hidden (random numbers, a counter, what an earlier call left)"
    )


def elsewhere(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value * value.dtype.type(0.75) if value.dtype.kind == "f" else value
    return value * 0.75 if isinstance(value, float) else value


def alike(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    if a.keys() != b.keys():
        return False
    return all(
        np.shape(v) == np.shape(b[k])
        and np.array_equal(v, b[k], equal_nan=np.asarray(v).dtype.kind in "fc")
        for k, v in a.items()
    )
