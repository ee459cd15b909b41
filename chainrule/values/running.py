"""Float64 with a running error: beside each value, how far from the exact one it is at most.

The exact value is that of the literal graph at the given floats. Every rule is a theorem about
rounding to nearest with unit roundoff u = 2⁻⁵³, not a first-order estimate: an input's error goes
through a function by the steepest slope that the function has within it. What cannot be told is
inf: an operand that may leave the domain, an overflow, an integer beyond int64. A comparison whose
sides are not further apart than their errors is 0 or 1 with the error 1, and a `select` on it has
the hull of both branches. Of NumPy's own functions it is believed that they are as good as their
rows in `graph.functions` say; the tests hold them to certified values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.node import Node, constant
from chainrule.values import float64, running_functions, running_sums, structure
from chainrule.values.ball import Ball, precision
from chainrule.values.roundoff import LEAST, TINY, UP, Rule, U, mean, rounded, up, whole
from chainrule.values.running_sums import may_lead
from chainrule.values.structure import Array, Sizes

Pair = tuple[Array, Array]


def bounded(
    outputs: Sequence[Node], values: Mapping[str, Any], sizes: Sizes | None = None
) -> list[tuple[Array, Array]]:
    """The values of `float64.evaluate`, and a bound of |computed − exact| for each entry.

    The bound is inf where nothing can be told, 0 where the value is certainly exact. A condition
    that cannot be told has the bound 1. A singular matrix gives nan and inf instead of LinAlgError.
    Raises what `float64.evaluate` raises otherwise.

    >>> from chainrule.graph.node import Graph
    >>> g = Graph()
    >>> x = g.input("x", ())
    >>> value, bound = bounded([g.sub(g.call("exp", x), g.number(1))], {"x": 1e-9})[0]
    >>> bool(abs(value - 1.0000000005e-9) <= bound < 1e-15)
    True
    """
    arrays = float64.given(outputs, values)
    known = structure.sizes_of(outputs, {k: v.shape for k, v in arrays.items()}, sizes)

    def rule(node: Node, xs: list[Pair]) -> Pair:
        if node.op == "input":
            value = arrays[node.params[0]]
            if _all_finite(value):
                return value, np.zeros(())
            return value, np.where(np.isfinite(value), 0.0, np.inf)
        try:
            value = np.asarray(float64.RULES[node.op](node, [x for x, _ in xs], known))
        except np.linalg.LinAlgError:
            value = np.full(structure.lengths(node.shape, known), np.nan)
        floats, errors = _floats(xs)
        error = np.asarray(RULES[node.op](node, value, floats, errors, known), np.float64)
        told = node.op not in FUNCTIONS or all(map(_all_finite, errors))
        if told and _all_finite(value) and _all_finite(error):
            return value, error
        good = np.isfinite(value) & ~np.isnan(error)
        if node.op in FUNCTIONS:  # sin is at most 1, but not where its argument has no value
            for e in errors:
                good = good & np.isfinite(e)
        bound = np.where(good, error, np.inf)
        if node.infinite:
            bound = np.where(_surely_infinite(node, value, error, floats, errors), 0.0, bound)
        return value, bound

    with np.errstate(all="ignore"):
        pairs = structure.interpret(outputs, rule)
    mine = [
        np.array(v) if any(np.may_share_memory(v, a) for a in arrays.values()) else v
        for v, _ in pairs
    ]
    return [(v, np.broadcast_to(e, v.shape)) for v, (_, e) in zip(mine, pairs, strict=True)]


def _all_finite(x: Array) -> bool:
    """Whether every entry is a number; a finite sum says so at once."""
    return bool(np.isfinite(x.sum()) or np.isfinite(x).all())


def _surely_infinite(node: Node, y: Array, told: Array, x: list[Array], e: list[Array]) -> Any:
    """Where a value is ±∞ because the code says so, and not because it overflowed.

    told : the bound by the node's rule; of what moves entries it is the entry's own.
    """
    if node.op not in ("add", "mul", "div"):
        return np.isinf(y) & ((told == 0) | (node.op == "const"))
    meant = [np.isinf(a) & (b == 0) for a, b in zip(x, e, strict=True)]
    least = 0.0 if node.op == "add" else 1.0  # a factor must surely not be 0
    real = [
        np.isfinite(a) & (least * b < np.abs(a) + (least == 0)) for a, b in zip(x, e, strict=True)
    ]
    sure = [m | (r & np.isfinite(b)) for m, r, b in zip(meant, real, e, strict=True)]
    return np.isinf(y) & sure[0] & sure[1] & (meant[0] | meant[1])


def _floats(xs: Sequence[Pair]) -> tuple[list[Array], list[Array]]:
    """The values as floats; what large integers lose goes to their errors."""
    floats, errors = [], []
    for x, e in xs:
        f = x.astype(np.float64) if x.dtype != np.float64 else x
        if x.dtype == np.int64:
            e = np.where(np.abs(f) >= 2.0**53, e + np.abs(f) * (2 * U), e)
        floats.append(f)
        errors.append(e)
    return floats, errors


# -- arithmetic ----------------------------------------------------------------------------------


MANY = 4096  # entries, above which an error is not taken apart into exact and other ones


def _plenty(node: Node, y: Array, e: list[Array]) -> bool:
    """Whether there are many entries, none of which is likely to be exact."""
    return node.kind == "f" and y.size > MANY and any(np.any(x) for x in e)


def _add(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    a, b = x
    if _plenty(node, y, e):
        error = np.abs(y)
        error *= U
        error += e[0] + e[1]
        error *= UP
        error += TINY
        return error
    inputs = up(e[0] + e[1], (e[0] > 0) | (e[1] > 0))
    if node.kind != "f":
        return whole(node, a + b, inputs)
    back = y - a  # what the sum lost is a float, and these six operations find it
    lost = np.abs((a - (y - back)) + (b - back))
    return inputs + lost


def _power_of_two(x: Array) -> Any:
    return np.abs(np.frexp(x)[0]) == 0.5


def _mul(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    a, b = map(np.abs, x)
    if _plenty(node, y, e):
        error = np.abs(y)
        error *= U
        error += a * e[1]
        error += (b + e[1]) * e[0]
        error *= UP
        error += TINY * 4
        return error
    total = a * e[1] + b * e[0] + e[0] * e[1]
    exact = (a == 0) | (b == 0)
    exact = exact | ((_power_of_two(a) | _power_of_two(b)) & (np.abs(y) > LEAST))
    alive = ((e[0] > 0) | (e[1] > 0)) & ~_surely_zero(a, e[0], b, e[1])
    return whole(node, a * b, up(total, alive) + np.where(exact, 0.0, rounded(node, y)))


def _surely_zero(a: Any, ea: Any, b: Any, eb: Any) -> Any:
    """Where a product is exactly 0, since one side is and the other is some number."""
    return ((a == 0) & (ea == 0) & np.isfinite(eb)) | ((b == 0) & (eb == 0) & np.isfinite(ea))


def _div(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    below = np.abs(x[1])
    relative = e[1] / below
    total = (e[0] / below + np.abs(y) * relative) / (1 - relative * UP)
    exact = (x[0] == 0) | (_power_of_two(x[1]) & (np.abs(y) > LEAST))
    error = up(total, (e[0] > 0) | (e[1] > 0)) + np.where(exact, 0.0, rounded(node, y, 0.6))
    return np.where(relative < 0.999, error, np.inf)


def _power(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    q: Fraction = node.params[0]
    a, ea = np.abs(x[0]), e[0]
    high, low = a + ea, a - ea * UP
    if q == 0 or q == 1:
        return ea if q else np.where(np.isfinite(ea), 0.0, np.inf)
    if q.denominator == 1 and q > 0:
        n = int(q)
        slope = n * high ** (n - 1)
    else:
        end = high if q > 1 else low
        slope = np.abs(float(q)) * end ** (float(q) - 1) * (1 + 2.0**-35)
    ulps = 0.5 if q == 2 or q in (Fraction(1, 2), Fraction(-1)) else FUNCTIONS["pow"].ulps
    error = mean(slope, ea) + rounded(node, y, ulps)
    if Fraction(float(q)) != q:  # the exponent itself was rounded
        error = error + np.abs(y) * np.abs(np.log(a)) * (abs(float(q)) * 2 * U)
    if q.denominator != 1:
        in_domain = (x[0] > ea * UP) | ((x[0] == 0) & (ea == 0) & (q > 0))
        error = np.where(x[0] == 0, np.where(in_domain, 0.0, np.inf), error)
        return np.where(in_domain, error, np.inf)
    if q < 0:
        return np.where(a > ea * UP, error, np.inf)
    return whole(node, a ** int(q), np.where((a == 0) & (ea == 0), 0.0, error))


# -- conditions ----------------------------------------------------------------------------------


def _compare(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    if node.inputs[0] is node.inputs[1]:
        return np.where(np.isfinite(e[0]), 0.0, np.inf)
    total = e[0] + e[1]
    told = (total == 0) | (np.abs(x[0] - x[1]) > total * UP)
    for k in (0, 1):
        axes = largest_over(node.inputs[k], node.inputs[1 - k]) if node.op == "equal" else None
        if axes is not None:
            told = told | (_leads(x[k], e[k], axes) & np.isfinite(total))
    return np.where(told, 0.0, np.where(np.isfinite(total), 1.0, np.inf))


def largest_over(x: Node, other: Node) -> tuple[int, ...] | None:
    """The axes over which `other` is the largest entry of x, spread over x again; else None."""
    while other.op == "broadcast":
        other = other.inputs[0]
    shape = other.shape
    largest = other.inputs[0] if other.op == "reshape" else other
    if largest.op != "reduce_max" or largest.inputs[0] is not x:
        return None
    axes: tuple[int, ...] = largest.params[0]
    kept = [1 if a in axes else s for a, s in enumerate(x.shape)]
    extra = len(kept) - len(shape)
    return axes if [*[1] * extra, *shape] == kept else None


def _leads(a: Array, e: Array, axes: tuple[int, ...]) -> Any:
    """Where an entry is certainly the only largest one along axes."""
    e = np.broadcast_to(e, a.shape)
    may = may_lead(a, e, axes)
    return may & (np.sum(may, axis=axes, keepdims=True) == 1)


def _and(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    total = np.maximum(e[0], e[1])
    no = ((x[0] == 0) & (e[0] == 0)) | ((x[1] == 0) & (e[1] == 0))
    return np.where(no & np.isfinite(total), 0.0, total)


def _select(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    c = x[0] != 0
    taken, other = np.where(c, e[1], e[2]), np.where(c, x[2], x[1])
    # y is the branch taken; the other's value differs from it by this
    hull = np.maximum(taken, (np.abs(other - y) + np.where(c, e[2], e[1])) * UP)
    return np.where(e[0] == 0, taken, np.where(np.isfinite(e[0]), hull, np.inf))


def _floor(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    low = np.floor(np.nextafter(x[0] - e[0], -np.inf))
    high = np.floor(np.nextafter(x[0] + e[0], np.inf))
    return np.where(e[0] == 0, 0.0, np.maximum(y - low, high - y))


# -- leaves and the table ------------------------------------------------------------------------


def _const(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    how = node.params[0]
    if how in ("array", "infinite"):
        return np.where(np.isfinite(y), 0.0, np.inf)
    if how == "named":
        return abs(float(y)) * U
    if how == "near":
        with precision(64):
            value = Ball.number(constant(node))
            assert value is not None
            return float(value.rad()) * UP
    if not np.isfinite(y):
        return np.inf
    off = abs(Fraction(float(y)) - node.params[1]) if y.dtype != np.int64 else Fraction(0)
    return float(off) * UP + TINY if off else 0.0


def _exact(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    return np.zeros(y.shape)


RULES: dict[str, Rule] = {
    "const": _const,
    "size": _exact,
    "iota": _exact,
    "delta": _exact,
    "add": _add,
    "mul": _mul,
    "div": _div,
    "neg": lambda node, y, x, e, sizes: whole(node, x[0], e[0]),
    "power": _power,
    "less": _compare,
    "equal": _compare,
    "not": lambda node, y, x, e, sizes: e[0],
    "and": _and,
    "select": _select,
    "floor": _floor,
    **running_sums.RULES,
    **running_functions.RULES,
}
#: Handled by `bounded` itself.
GIVEN = frozenset({"input"})
