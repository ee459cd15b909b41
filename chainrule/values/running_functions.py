"""How errors go through elementwise functions: by the steepest slope within the error.

Beside that, each function's own rounding is what its row in `graph.functions` says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.node import Node
from chainrule.values import float64
from chainrule.values.roundoff import (
    LEAST,
    TINY,
    UP,
    Rule,
    U,
    inside,
    mean,
    nearest,
    rounded,
    up,
    whole,
)
from chainrule.values.structure import Array, Sizes


def _gauss(x: Array, e: Array) -> Any:
    m = nearest(x, e)
    return mean(1.1283791671 * np.exp(-m * m) * (1 + 2.0**-30), e)


def _growth(y: Array, d: Any) -> Any:
    """Of eˣ, where x is off by d at most."""
    return np.where(d == 0, 0.0, (np.abs(y) * (1 + 2.0**-45) + TINY) * np.expm1(d) * UP + TINY)


def _wave(slope: Callable[[Array], Any]) -> Callable[[Array, Array, Array], Any]:
    return lambda y, x, e: np.minimum(mean(np.abs(slope(x)) * UP + e / 2 + 4 * U, e), 2.0)


def _tan(y: Array, x: Array, e: Array) -> Any:
    t = np.tan(np.minimum(e, 0.5)) * UP
    left = 1 - np.abs(y) * t * UP
    error = t * (1 + y * y) / left
    return inside((e < 0.5) & (left > 2.0**-20), np.where(e > 0, error * (1 + 2.0**-25) + TINY, 0))


def _log(scale: float, shift: float = 0.0) -> Callable[[Array, Array, Array], Any]:
    def error(y: Array, x: Array, e: Array) -> Any:
        low = (x + shift) * (1 - 2 * U) - e * UP
        return inside(low > 0, mean(scale / low, e))

    return error


def _bell(x: Array, e: Array) -> Any:
    """The largest e⁻ˣ/(1 + e⁻ˣ)²."""
    small = np.exp(-nearest(x, e))
    return small / (1 + small) ** 2


def _arcsin(y: Array, x: Array, e: Array) -> Any:
    far = (np.abs(x) + e) * UP
    return np.where(e > 0, inside(far < 1, mean(1 / np.sqrt(1 - far * far), e)), 0.0)


def _arccosh(y: Array, x: Array, e: Array) -> Any:
    low = x - e * UP - np.abs(x) * 2 * U
    slope = 1 / (np.sqrt(low - 1) * np.sqrt(low + 1))
    return np.where(e > 0, inside(low > 1, mean(slope, e)), inside(x >= 1, 0.0))


def _arctanh(y: Array, x: Array, e: Array) -> Any:
    far = np.abs(x) + e * UP
    far = np.where(e > 0, far * (1 + 2 * U), far)
    return inside(far < 1, mean(1 / ((1 - far) * (1 + far)), e))


def _lgamma(y: Array, x: Array, e: Array) -> Any:
    digamma = float64.digamma_like(0)
    low, high = x - e * UP, x + e * UP
    slope = np.zeros_like(x)
    some = (e > 0) & (low > 0) & np.isfinite(high)
    slope[some] = np.maximum(np.abs(digamma(low[some])), np.abs(digamma(high[some])))
    return inside((x > 0) & (low > 0), mean(slope * (1 + 2.0**-30) + 2.0**-45, e))


def _polygamma(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    order, low = node.params[0], x[0] - e[0] * UP
    slope = np.zeros_like(x[0])
    some = (e[0] > 0) & (low > 0)
    slope[some] = np.abs(float64.digamma_like(order + 1)(low[some]))
    error = np.where(e[0] > 0, inside(low > 0, mean(slope, e[0])), 0.0)
    return error + rounded(node, y, FUNCTIONS["polygamma"].ulps) + TINY


def _sign(y: Array, x: Array, e: Array) -> Any:
    return np.where((e == 0) | (np.abs(x) > e), 0.0, inside(np.isfinite(e), 2.0))


#: (value, argument, its error) → error through the function, apart from its own rounding.
THROUGH: dict[str, Callable[[Array, Array, Array], Any]] = {
    "exp": lambda y, x, e: _growth(y, e),
    "exp2": lambda y, x, e: _growth(y, e * 0.6931471806),
    "expm1": lambda y, x, e: _growth(np.exp(x), e),
    "log": _log(1.0),
    "log1p": _log(1.0, 1.0),
    "log2": _log(1.442695041),
    "log10": _log(0.4342944820),
    "sin": _wave(np.cos),
    "cos": _wave(np.sin),
    "tan": _tan,
    "arctan": lambda y, x, e: mean(1 / (1 + nearest(x, e) ** 2), e),
    "erf": lambda y, x, e: _gauss(x, e),
    "erfc": lambda y, x, e: _gauss(x, e),
    "lgamma": _lgamma,
    "tanh": lambda y, x, e: mean(4 * _bell(2 * x, 2 * e) * (1 + 2.0**-35), e),
    "sinh": lambda y, x, e: mean(np.cosh(np.abs(x) + e) * (1 + 2.0**-35), e),
    "cosh": lambda y, x, e: mean(np.sinh(np.abs(x) + e) * (1 + 2.0**-35), e),
    "arcsin": _arcsin,
    "arccos": _arcsin,
    "arcsinh": lambda y, x, e: mean(1 / np.hypot(1.0, nearest(x, e)), e),
    "arccosh": _arccosh,
    "arctanh": _arctanh,
    "expit": lambda y, x, e: mean(_bell(x, e) * (1 + 2.0**-35), e),
    "abs": lambda y, x, e: e,
    "sign": _sign,
    "cbrt": lambda y, x, e: np.where(
        np.abs(x) > 2 * e,
        mean(np.cbrt(nearest(x, e)) ** -2 / 3, e),
        1.6 * np.cbrt(e),
    ),
}
#: These never underflow to 0: a 0 is exact.
_TRUE_ZERO = frozenset(THROUGH) - {"exp", "exp2", "expit", "erfc", "lgamma"}


def _call(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    own = rounded(node, y, FUNCTIONS[node.op].ulps) if FUNCTIONS[node.op].ulps else 0.0
    if node.op in _TRUE_ZERO:
        own = np.where((y == 0) & (e[0] == 0), 0.0, own)
    return whole(node, y.astype(np.float64), THROUGH[node.op](y, x[0], e[0]) + own)


def _extreme(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    apart = np.abs(x[0] - x[1]) > (e[0] + e[1]) * UP
    first = (x[0] > x[1]) == (node.op == "maximum")
    both = np.maximum(e[0], e[1])
    told = np.where(first, e[0], e[1])
    return np.where(apart & np.isfinite(both), told, both)


def _logaddexp(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    a, b = (np.where(np.isinf(v) & (r == 0), 0.0, np.abs(v)) for v, r in zip(x, e, strict=True))
    size = np.abs(y) + np.maximum(a, b) + 1  # it may cancel
    return np.maximum(e[0], e[1]) * UP + rounded(node, size, FUNCTIONS[node.op].ulps)


def _arctan2(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    (b, a), (eb, ea) = x, e  # b is up, a is to the right
    distance = np.hypot(ea, eb) * UP
    far = np.hypot(a, b) * (1 - 2.0**-50) - distance
    smooth = (a > ea * UP) | (np.abs(b) > eb * UP)
    on_axis = (b == 0) & (eb == 0) & ~np.signbit(b)
    moved = inside((far > 0) & (smooth | on_axis), distance / far * UP + TINY)
    exact = (eb == 0) & (ea == 0)
    signed = (b == 0) & ((np.signbit(b) & (a <= 0)) | (np.signbit(a) & (a == 0)))  # −0 is not 0
    moved = np.where(exact, inside(~signed, 0.0), moved)
    still = np.where(on_axis & (a > 0), 0.0, rounded(node, y, FUNCTIONS[node.op].ulps))
    return moved + still


def _hypot(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    moved = up(np.hypot(e[0], e[1]), (e[0] > 0) | (e[1] > 0))
    return moved + np.where(y == 0, 0.0, rounded(node, y, FUNCTIONS[node.op].ulps))


def _pow(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    a, b = x
    low = a - e[0] * UP
    d = e[1] * np.abs(np.log(a)) * UP + (np.abs(b) + e[1]) * (e[0] / low) * UP
    moved = _growth(y, np.where((e[0] > 0) | (e[1] > 0), d * UP + LEAST, 0.0))
    return inside((low > 0) & (a > 0), moved + rounded(node, y, FUNCTIONS[node.op].ulps))


RULES: dict[str, Rule] = {
    **dict.fromkeys(THROUGH, _call),
    "polygamma": _polygamma,
    "maximum": _extreme,
    "minimum": _extreme,
    "logaddexp": _logaddexp,
    "arctan2": _arctan2,
    "hypot": _hypot,
    "pow": _pow,
}
