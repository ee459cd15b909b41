"""In which interval the values of a node surely lie, for all real inputs and every size.

Operation by operation, for every entry at which the node is defined; an axis has one place at
least. What is not sure has no end. A product of a node with itself is a square.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

import numpy as np

from chainrule.graph.node import Node, constant, reached
from chainrule.graph.sizes import Size
from chainrule.proof.indices import least
from chainrule.proof.intervals import Interval
from chainrule.values.running import largest_over

ALL = Interval()
UNIT = Interval.of(0, 1)
POSITIVE = Interval.of(0, None, open_low=True)
NONNEGATIVE = Interval.of(0, None)
INSIDE = Interval.of(-1, 1, open_low=True, open_high=True)
ONE, ZERO = Interval.of(1, 1), Interval.of(0, 0)
#: π/2 lies below 11/7.
ANGLE = Interval.of(Fraction(-11, 7), Fraction(11, 7), open_low=True, open_high=True)
#: How far a float in code may lie from the number that it means, in units of its last place.
ULPS = 4

Given = Mapping[Node, Interval]


def ranges(nodes: Iterable[Node], given: Given | None = None) -> dict[Node, Interval]:
    """Node → its interval, for nodes and all that they need. given : what is known of some."""
    known = given or {}
    out: dict[Node, Interval] = {}
    for node in reached(nodes):
        rule = _RULES.get(node.op)
        found = UNIT if node.kind == "b" else ALL
        if rule is not None and node.kind != "b":
            found = rule(node, [out[x] for x in node.inputs])
        out[node] = found.meet(known[node]) if node in known else found
    return out


Rule = Callable[[Node, list[Interval]], Interval]


def _const(node: Node, xs: list[Interval]) -> Interval:
    value, how = constant(node), node.params[0]
    if how == "number":
        return Interval.of(value, value)
    entries = np.asarray(value, dtype=np.float64)
    if not entries.size or not np.isfinite(entries).all():
        return ALL
    if node.kind == "i" and np.abs(entries).max() >= 2**53:
        return ALL
    low, high = Fraction(float(entries.min())), Fraction(float(entries.max()))
    slack = Fraction(ULPS, 2**52) if node.kind == "f" else Fraction(0)
    found = Interval.of(low - abs(low) * slack, high + abs(high) * slack)
    return Interval(found.low, found.high, bool((entries != 0).all()))


def _size(node: Node, xs: list[Interval]) -> Interval:
    low = least(node.graph.size(node.params[0]))
    return ALL if low is None else Interval.of(low, None)


def _add(node: Node, xs: list[Interval]) -> Interval:
    return xs[0] + xs[1]


def _mul(node: Node, xs: list[Interval]) -> Interval:
    return xs[0].square() if node.inputs[0] is node.inputs[1] else xs[0] * xs[1]


def _div(node: Node, xs: list[Interval]) -> Interval:
    if node.inputs[0] is node.inputs[1]:
        return ONE
    return xs[0] * xs[1].inverse()


def _power(node: Node, xs: list[Interval]) -> Interval:
    p: Fraction = node.params[0]
    x = xs[0]
    if p.denominator > 1:
        return _root(x.meet(NONNEGATIVE), p)
    n = abs(p.numerator)
    if n > 16:
        side = NONNEGATIVE.low if n % 2 == 0 or x.nonnegative else None
        base = Interval(side, None, x.without_zero)
    else:
        base = ONE
        for _ in range(n // 2):
            base = base * x.square()
        base = base * x if n % 2 else base
    return base.inverse() if p < 0 else base


def _root(x: Interval, p: Fraction) -> Interval:
    """x^p for x ≥ 0: on which side of 0 and of 1."""
    out = POSITIVE if x.positive or p < 0 else NONNEGATIVE
    above = Interval.of(1, None).meet(x) == x
    below = x.high is not None and x.high[0] <= 1
    if above or below:
        side = Interval.of(1, None) if above == (p > 0) else Interval.of(None, 1)
        out = out.meet(side)
    return out


def _exp(node: Node, xs: list[Interval]) -> Interval:
    """e^x ≥ 1 + x; e^(−∞) = 0."""
    above = NONNEGATIVE if node.inputs[0].infinite else POSITIVE
    low = (ONE + xs[0]).meet(above).low
    high = xs[0].high
    if high is None or high[0] > 0:
        return Interval(low, None)
    return Interval(low, (Fraction(1), high[1] or high[0] < 0))


def _log_of(x: Interval) -> Interval:
    """log x ≤ x − 1, and above 0 where x is above 1."""
    high = (x + Interval.of(-1, -1)).high
    low = None
    if x.low is not None and x.low[0] >= 1:
        low = (Fraction(0), x.low[1] or x.low[0] > 1)
    return Interval(low, high)


def _odd(within: Interval) -> Rule:
    """An odd function that grows: on the side of 0 where its argument is."""

    def rule(node: Node, xs: list[Interval]) -> Interval:
        side = POSITIVE if xs[0].positive else NONNEGATIVE if xs[0].nonnegative else ALL
        if side == ALL and (-xs[0]).nonnegative:
            side = -(POSITIVE if (-xs[0]).positive else NONNEGATIVE)
        found = within.meet(side)
        return Interval(found.low, found.high, xs[0].without_zero)

    return rule


def _select(node: Node, xs: list[Interval]) -> Interval:
    """Both cases, each with what its condition says of it."""
    c, a, b = node.inputs
    yes, no = xs[1], xs[2]
    while c.op == "not":
        c, a, b, yes, no = c.inputs[0], b, a, no, yes
    if c.op == "less":
        low, high = c.inputs
        below, above = _number(high), _number(low)
        if a is low and below is not None:
            yes = yes.meet(Interval.of(None, below, open_high=True))
        if a is high and above is not None:
            yes = yes.meet(Interval.of(above, None, open_low=True))
        if b is low and below is not None:
            no = no.meet(Interval.of(below, None))
        if b is high and above is not None:
            no = no.meet(Interval.of(None, above))
    if c.op == "equal":
        for x, y in (c.inputs, c.inputs[::-1]):
            if b is x and _number(y) == 0:
                no = Interval(no.low, no.high, True)
    return yes.union(no)


def _number(node: Node) -> Fraction | None:
    while node.op == "broadcast":
        node = node.inputs[0]
    return node.params[1] if node.op == "const" and node.params[0] == "number" else None


def _maximum(node: Node, xs: list[Interval]) -> Interval:
    a, b = xs
    lows = [e for e in (a.low, b.low) if e is not None]
    return Interval(max(lows, default=None), a.union(b).high)


def _minimum(node: Node, xs: list[Interval]) -> Interval:
    return -_maximum(node, [-x for x in xs])


def _logaddexp(node: Node, xs: list[Interval]) -> Interval:
    low = _maximum(node, xs).low
    return Interval(None if low is None else (low[0], True), None)


def _hypot(node: Node, xs: list[Interval]) -> Interval:
    return POSITIVE if any(x.without_zero for x in xs) else NONNEGATIVE


def _contract(node: Node, xs: list[Interval]) -> Interval:
    """A sum of products; a factor that stands there twice is a square."""
    labels, out = node.params
    counts = Counter(zip(node.inputs, labels, strict=True))
    each = ONE
    for (x, _), n in counts.items():
        found = xs[node.inputs.index(x)]
        for _ in range(n // 2):
            each = each * found.square()
        each = each * found if n % 2 else each
    sizes: dict[int, Size] = {}
    for names, x in zip(labels, node.inputs, strict=True):
        for name, size in zip(names, x.shape, strict=True):
            if name not in out:
                sizes[name] = size
    found = _summed(each, sizes.values())
    return found.meet(Interval.of(1, None)) if _leads(node) else found


def _leads(node: Node) -> bool:
    """Whether a sum of e^(x − max x), or of [x = max x], holds the largest entry: it is 1 there."""
    (x, *more), ((names, *_), out) = node.inputs, node.params
    if more or len({*names}) < len(names) or not x.inputs:
        return False
    summed = {k for k, name in enumerate(names) if name not in out}
    if x.op == "exp" and x.inputs[0].op == "add":
        sides = [(a, b.inputs[0]) for a, b in _orders(x.inputs[0]) if b.op == "neg"]
    else:
        sides = _orders(x) if x.op == "equal" else []
    axes = [largest_over(a, b) for a, b in sides if a.shape == x.shape]
    return any(a is not None and {*a} <= summed for a in axes)


def _orders(node: Node) -> list[tuple[Node, Node]]:
    a, b = node.inputs
    return [(a, b), (b, a)]


def _summed(each: Interval, sizes: Iterable[Size]) -> Interval:
    many = ONE
    for size in sizes:
        low = least(size)
        many = many * Interval.of(max(low or 0, 0), size.const)
    if not many.positive:
        each = each.union(ZERO)
    if each.nonnegative or (-each).nonnegative:
        return each * many
    return each if many == ONE else ALL


def _product(node: Node, xs: list[Interval]) -> Interval:
    low = NONNEGATIVE.low if xs[0].nonnegative else None
    return Interval(low, None, xs[0].without_zero)


def _same(node: Node, xs: list[Interval]) -> Interval:
    return xs[0]


def _any(count: int | None) -> Rule:
    def rule(node: Node, xs: list[Interval]) -> Interval:
        out = xs[0]
        for x in xs[1:count]:
            out = out.union(x)
        return out

    return rule


def _scatter(node: Node, xs: list[Interval]) -> Interval:
    side = xs[0].union(ZERO)
    if side.nonnegative:
        return NONNEGATIVE
    return -NONNEGATIVE if (-side).nonnegative else ALL


_RULES: dict[str, Rule] = {
    "const": _const,
    "size": _size,
    "iota": lambda node, xs: NONNEGATIVE,
    "delta": lambda node, xs: UNIT,
    "add": _add,
    "mul": _mul,
    "div": _div,
    "neg": lambda node, xs: -xs[0],
    "power": _power,
    "exp": _exp,
    "exp2": lambda node, xs: Interval.of(1, None) if xs[0].nonnegative else POSITIVE,
    "expm1": lambda node, xs: _exp(node, xs) + Interval.of(-1, -1),
    "log": lambda node, xs: _log_of(xs[0]),
    "log1p": lambda node, xs: _log_of(ONE + xs[0]),
    "log2": lambda node, xs: Interval(_log_of(xs[0]).low, None),
    "log10": lambda node, xs: Interval(_log_of(xs[0]).low, None),
    "sin": lambda node, xs: Interval.of(-1, 1),
    "cos": lambda node, xs: Interval.of(-1, 1),
    "arctan": _odd(ANGLE),
    "erf": _odd(INSIDE),
    "erfc": lambda node, xs: Interval.of(0, 2, open_low=True, open_high=True),
    "tanh": _odd(INSIDE),
    "sinh": _odd(ALL),
    "arcsinh": _odd(ALL),
    "cbrt": _odd(ALL),
    "sign": _odd(Interval.of(-1, 1)),
    "cosh": lambda node, xs: Interval.of(1, None),
    "arccosh": lambda node, xs: NONNEGATIVE,
    "expit": lambda node, xs: Interval.of(0, 1, open_low=True, open_high=True),
    "abs": lambda node, xs: abs(xs[0]),
    "maximum": _maximum,
    "minimum": _minimum,
    "logaddexp": _logaddexp,
    "hypot": _hypot,
    "pow": lambda node, xs: POSITIVE,
    "select": _select,
    "contract": _contract,
    "reduce_max": _same,
    "reduce_mul": _product,
    "reshape": _same,
    "broadcast": _same,
    "index": _same,
    "gather": _same,
    "put": _any(2),
    "put_at": _any(2),
    "concat": _any(None),
    "scatter_add": _scatter,
}

__all__ = ["ranges"]
