"""What the running error's rules share: the constants, and steps that make an estimate a bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.graph.node import Node
from chainrule.values.structure import Array, Sizes

#: (node, its value, float64 copies of its inputs, their errors, sizes) → its error.
Rule = Callable[[Node, Array, list[Array], list[Array], Sizes], Any]

U = 2.0**-53
UP = 1 + 2.0**-40  # makes up for the rounding of the bounds themselves
TINY = 2.0**-1070  # more than what underflows in a few operations
LEAST = 2.0**-1022  # more than what a slope loses where it underflows
SAFE = 2.0**-900  # far from where anything underflows
WHOLE = 2.0**62  # integers below it are certainly right


def up(total: Any, alive: Any) -> Any:
    """A sum of products of magnitudes, made a bound; 0 where nothing is alive."""
    return np.where(alive, total * UP + TINY, 0.0)


def rounded(node: Node, y: Array, ulps: float = 0.5) -> Any:
    """What rounding to float adds; integers are exact until they overflow."""
    if node.kind != "f":
        return 0.0
    return np.abs(y) * (2 * U * ulps * UP) + np.where(np.abs(y) < SAFE, TINY, 0.0)


def whole(node: Node, y: Any, e: Any) -> Any:
    """The error e, but inf where an integer may have left int64. y : the value in floats."""
    return e if node.kind == "f" else np.where(np.abs(y) < WHOLE, e, np.inf)


def mean(slope: Any, e: Any) -> Any:
    """An input's error through a function that is nowhere steeper than `slope`."""
    return np.where(e > 0, (slope * UP + LEAST) * e * UP + TINY, 0.0)


def nearest(x: Array, e: Array) -> Array:
    """The smallest magnitude within the error."""
    return np.maximum(np.abs(x) - e * UP, 0.0)


def inside(ok: Any, error: Any) -> Any:
    """The error where all of an interval is in the domain, else inf."""
    return np.where(ok, error, np.inf)
