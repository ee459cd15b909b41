"""Functions of `math` and Python's own that are no ufunc: on single numbers, or on a sequence.

What gives Python an int has a node of kind "i".
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from chainrule.code.table.arguments import (
    as_node,
    counted,
    floored,
    nodes,
    real,
    truncated,
    zero,
)
from chainrule.code.table.choice import rounded, to_decimals
from chainrule.code.table.elementwise import multiply, power, subtract
from chainrule.code.table.row import Sample, Unsupported, row
from chainrule.code.table.ufunc import number, present
from chainrule.graph.node import Graph, Node

HALF = Fraction(1, 2)


def _math_log(g: Graph, x: Node, base: Any = None) -> Node:
    log = g.call("log", x)
    return log if base is None else g.div(log, g.call("log", as_node(g, base)))


row(
    "math.log",
    math.log,
    operands=("x", "base"),
    says="log x / log base",
    samples=[Sample(((),), domain="positive"), Sample(((), 3), domain="positive")],
)(_math_log)


def _hypot(g: Graph, *coordinates: Node) -> Node:
    if len(coordinates) == 2:
        return g.call("hypot", *coordinates)
    total = number(g, 0)
    for k, x in enumerate(coordinates):
        total = g.power(x, 2) if k == 0 else g.add(total, g.power(x, 2))
    return g.power(total, HALF)


row(
    "math.hypot",
    math.hypot,
    operands=("*coordinates",),
    says="√ of the sum of squares",
    samples=[Sample(((), ())), Sample(((),)), Sample(((), (), ()))],
)(_hypot)


def _dist(g: Graph, p: Any, q: Any) -> Node:
    differences = [
        subtract(g, a, b) for a, b in zip(nodes("math.dist", p), nodes("math.dist", q), strict=True)
    ]
    return _hypot(g, *differences)


row(
    "math.dist",
    math.dist,
    operands=("*p", "*q"),
    says="√Σ (p − q)²",
    samples=[Sample(([(), (), ()], [(), (), ()])), Sample(([()], [()]))],
)(_dist)


def _total(g: Graph, parts: Sequence[Node], start: Node) -> Node:
    """start + a + b + …; a 0 to start with is left out."""
    total = start
    for k, part in enumerate(parts):
        alone = k == 0 and start.op == "const" and start.ndim == 0 and start is g.number(0)
        total = counted(g, part) if alone else g.add(total, part)
    return total


def _python_sum(g: Graph, iterable: Any, start: Any = 0) -> Node:
    first = as_node(g, start)
    if isinstance(iterable, Node):
        total = g.sum(counted(g, iterable), [0])
        return total if first is g.number(0) else g.add(first, total)
    return _total(g, [as_node(g, x) for x in iterable], first)


row(
    "sum",
    builtins.sum,
    operands=("*iterable", "start"),
    says="start + a + b + …",
    samples=[
        Sample(([(), (), ()],)),
        Sample(([(2, 3), (3,)],)),
        Sample(([(), ()], 2)),
        Sample(((3,),)),
        Sample(((3, 2),)),
        Sample(((3, 2), 2)),
        Sample(((3,),), domain="bool"),
    ],
)(_python_sum)


def _fsum(g: Graph, seq: Any) -> Node:
    return real(g, _python_sum(g, seq))


row(
    "math.fsum",
    math.fsum,
    operands=("*seq",),
    says="a + b + …",
    samples=[Sample(([(), (), ()],)), Sample(((4,),))],
)(_fsum)


def _prod(g: Graph, iterable: Any, start: Any = 1) -> Node:
    first = as_node(g, start)
    if isinstance(iterable, Node):
        whole = g.reduce("reduce_mul", counted(g, iterable), [0])
        return whole if first is g.number(1) else g.mul(first, whole)
    result = first
    for k, part in enumerate(iterable):
        x = counted(g, as_node(g, part))
        result = x if k == 0 and first is g.number(1) else multiply(g, result, x)
    return result


row(
    "math.prod",
    math.prod,
    operands=("*iterable", "start"),
    says="start · a · b · …",
    samples=[
        Sample(([(), (), ()],)),
        Sample(([(), ()],), (("start", 2),)),
        Sample(((4,),)),
    ],
)(_prod)


def _sumprod(g: Graph, p: Any, q: Any) -> Node:
    pairs = zip(nodes("math.sumprod", p), nodes("math.sumprod", q), strict=True)
    return _total(g, [g.mul(a, b) for a, b in pairs], g.number(0))


if present(math, "sumprod"):
    row(
        "math.sumprod",
        *present(math, "sumprod"),
        operands=("*p", "*q"),
        says="Σ p q",
        samples=[Sample(([(), ()], [(), ()]))],
    )(_sumprod)


def _extreme(name: str, function: str) -> Any:
    def build(g: Graph, *args: Any, key: Any = None, default: Any = None) -> Node:
        if key is not None:
            raise Unsupported(
                f"{name}: key= is not followed. Compute the keys first and use np.where"
            )
        parts: list[Node] = list(args)
        if len(args) == 1:
            x = args[0]
            if isinstance(x, Node) and x.ndim == 1:
                if function == "maximum":
                    return g.reduce("reduce_max", x, [0])
                return g.neg(g.reduce("reduce_max", g.neg(x), [0]))
            parts = nodes(name, x)
        result = parts[0]
        for part in parts[1:]:
            result = g.call(function, result, part)
        return result

    return build


for _name, _builtin, _function, _word in (
    ("max", builtins.max, "maximum", "largest"),
    ("min", builtins.min, "minimum", "smallest"),
):
    row(
        _name,
        _builtin,
        operands=("*args",),
        says=f"the {_word}, the first one where they are equal",
        samples=[
            Sample(((), ())),
            Sample(((), (), ())),
            Sample(((), 0.5)),
            Sample(((4,),)),
            Sample(([(), ()],)),
        ],
    )(_extreme(_name, _function))


def _python_pow(g: Graph, base: Node, exp: Node, mod: Any = None) -> Node:
    if mod is not None:
        raise Unsupported("pow: the third argument is not followed. Write (base ** exp) % mod")
    return power(g, base, exp)


row(
    "pow",
    builtins.pow,
    operands=("base", "exp"),
    says="base to the power exp",
    samples=[Sample(((), 2)), Sample(((), ()), domain="positive, real"), Sample(((2, 3), 3))],
)(_python_pow)


def _python_round(g: Graph, number: Node, ndigits: Any = None) -> Node:
    if ndigits is None:
        return rounded(g, counted(g, number), whole=number.ndim == 0)
    return to_decimals(g, "round", counted(g, number), ndigits)


row(
    "round",
    builtins.round,
    operands=("number",),
    says="the nearest integer, the even one of two; with ndigits, as np.round",
    samples=[Sample(((),)), Sample(((), 2)), Sample(((), None))],
)(_python_round)


def _float(g: Graph, x: Any = 0) -> Node:
    node = as_node(g, x)
    return real(g, counted(g, node))


row("float", float, operands=("x",), says="x", samples=[Sample(((),))])(_float)


def _int(g: Graph, x: Any = 0) -> Node:
    return truncated(g, as_node(g, x), whole=True)


row("int", int, operands=("x",), says="x, cut off", samples=[Sample(((),))])(_int)

for _name, _f, _says, _build in (
    ("math.floor", math.floor, "⌊x⌋", lambda g, x: floored(g, x, whole=True)),
    (
        "math.ceil",
        math.ceil,
        "−⌊−x⌋",
        lambda g, x: g.neg(floored(g, g.neg(counted(g, x)), whole=True)),
    ),
    (
        "math.trunc",
        math.trunc,
        "⌊x⌋, or −⌊−x⌋ where x < 0",
        lambda g, x: truncated(g, x, whole=True),
    ),
    ("math.erf", math.erf, "erf x", lambda g, x: g.call("erf", x)),
    ("math.erfc", math.erfc, "1 − erf x", lambda g, x: g.call("erfc", x)),
):
    row(_name, _f, operands=("x",), says=_says, samples=[Sample(((),))])(_build)


def gamma(g: Graph, x: Node) -> Node:
    """exp(log |Γ(x)|) with the sign of Γ: − where x < 0 and ⌊x⌋ is odd."""
    size = g.call("exp", g.call("lgamma", x))
    below = floored(g, real(g, x))
    half = floored(g, g.div(below, number(g, 2)))
    odd = g.not_(g.equal(g.mul(number(g, 2), half), below))
    negative = g.and_(g.less(x, zero(g, x)), odd)
    return g.select(negative, g.neg(size), size)


row(
    "math.gamma",
    math.gamma,
    operands=("x",),
    says="±exp(lgamma x)",
    samples=[Sample(((),), domain="positive"), Sample(((),), domain="unit")],
    late=("scipy.special.gamma",),
)(gamma)
row(
    "math.lgamma",
    math.lgamma,
    operands=("x",),
    says="log |Γ(x)|",
    samples=[Sample(((),), domain="positive")],
)(lambda g, x: g.call("lgamma", x))


def _math_isclose(g: Graph, a: Node, b: Node, *, rel_tol: Any = 1e-09, abs_tol: Any = 0.0) -> Node:
    size = g.call("maximum", g.call("abs", a), g.call("abs", b))
    bound = g.call("maximum", g.mul(as_node(g, rel_tol), size), as_node(g, abs_tol))
    return g.less_equal(g.call("abs", subtract(g, a, b)), bound)


row(
    "math.isclose",
    math.isclose,
    operands=("a", "b", "rel_tol", "abs_tol"),
    says="|a − b| ≤ max(rel_tol · max(|a|, |b|), abs_tol)",
    samples=[Sample(((), ())), Sample(((), ()), (("abs_tol", 5),))],
)(_math_isclose)
