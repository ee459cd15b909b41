"""Elementwise functions of the graph: one row each.

A row says what the function is in primitives (None: it is one), its slope with respect to each
argument in terms of the arguments and of its own value, how many units in the last place NumPy's
version may be off, and how it is written. Slopes are held to `sympy.diff` by the tests.
Imports nothing of chainrule at run time: the graph is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.graph.node import Graph, Node

Build = Callable[..., "Node"]  # (graph, *arguments) → node
Slope = Callable[..., "Node"]  # (graph, value, *arguments) → node; value is the function's own


@dataclass(frozen=True)
class Function:
    """One row. source : NumPy, with {0}, {1} for the arguments. text, latex : how it is read.

    ulps : how far NumPy's value may be from the exact one, in units in the last place.
    keeps_kind : integers stay integers.
    singular : where it has no derivative, in words ("" where it is smooth in its domain).
    """

    name: str
    arity: int
    define: Build | None
    slopes: tuple[Slope, ...]
    source: str
    text: str
    latex: str
    ulps: float = 4.0
    keeps_kind: bool = False
    singular: str = ""


HALF = Fraction(1, 2)


def _n(g: Graph, value: int | Fraction) -> Node:
    return g.number(Fraction(value))


def _over_root(g: Graph, below: Node) -> Node:
    return g.div(_n(g, 1), g.power(below, HALF))


def _square(g: Graph, x: Node) -> Node:
    return g.power(x, 2)


def _erf_slope(g: Graph, y: Node, x: Node) -> Node:
    two_over_root = g.div(_n(g, 2), g.power(g.number("pi"), HALF))
    return g.mul(two_over_root, g.call("exp", g.neg(_square(g, x))))


def _polygamma_slope(g: Graph, y: Node, x: Node) -> Node:
    return g.call("polygamma", x, order=int(y.params[0]) + 1)


def _sinh(g: Graph, x: Node) -> Node:
    e = g.call("exp", x)
    return g.mul(_n(g, HALF), g.sub(e, g.call("exp", g.neg(x))))


def _cosh(g: Graph, x: Node) -> Node:
    e = g.call("exp", x)
    return g.mul(_n(g, HALF), g.add(e, g.call("exp", g.neg(x))))


def _tanh(g: Graph, x: Node) -> Node:
    e = g.call("exp", g.mul(_n(g, 2), x))
    return g.div(g.sub(e, _n(g, 1)), g.add(e, _n(g, 1)))


def _arcsin(g: Graph, x: Node) -> Node:
    """2·arctan(x/(1 + √(1 − x²))): it has NumPy's value at ±1 as well."""
    root = g.power(g.sub(_n(g, 1), _square(g, x)), HALF)
    return g.mul(_n(g, 2), g.call("arctan", g.div(x, g.add(_n(g, 1), root))))


def _arctan2(g: Graph, y: Node, x: Node) -> Node:
    """By quadrants, with NumPy's value on the axes and at the origin."""
    zero, pi = _n(g, 0), g.number("pi")
    half = g.mul(_n(g, HALF), pi)
    angle = g.call("arctan", g.div(y, x))
    left = g.select(g.less(y, zero), g.sub(angle, pi), g.add(angle, pi))
    side = g.select(g.less(y, zero), g.neg(half), g.select(g.less(zero, y), half, zero))
    return g.select(g.less(zero, x), angle, g.select(g.less(x, zero), left, side))


def _sign(g: Graph, x: Node) -> Node:
    zero = g.number(0) if x.kind != "f" else _n(g, 0)
    return g.sub(_as_number(g, g.less(zero, x)), _as_number(g, g.less(x, zero)))


def _as_number(g: Graph, c: Node) -> Node:
    return g.select(c, _n(g, 1), _n(g, 0))


def _steps(f: Callable[..., Any]) -> Slope:
    return lambda g, y, *xs: _as_number(g, f(g, *xs))


def _r2(g: Graph, a: Node, b: Node) -> Node:
    return g.add(_square(g, a), _square(g, b))


_ROWS: tuple[Function, ...] = (
    # -- primitives ------------------------------------------------------------------------------
    Function("exp", 1, None, (lambda g, y, x: y,), "np.exp({0})", "exp({0})", r"e^{{{0}}}", 2),
    Function(
        "log",
        1,
        None,
        (lambda g, y, x: g.div(_n(g, 1), x),),
        "np.log({0})",
        "log({0})",
        r"\log{{{0}}}",
        2,
    ),
    Function(
        "sin",
        1,
        None,
        (lambda g, y, x: g.call("cos", x),),
        "np.sin({0})",
        "sin({0})",
        r"\sin{{{0}}}",
        2,
    ),
    Function(
        "cos",
        1,
        None,
        (lambda g, y, x: g.neg(g.call("sin", x)),),
        "np.cos({0})",
        "cos({0})",
        r"\cos{{{0}}}",
        2,
    ),
    Function(
        "arctan",
        1,
        None,
        (lambda g, y, x: g.div(_n(g, 1), g.add(_n(g, 1), _square(g, x))),),
        "np.arctan({0})",
        "arctan({0})",
        r"\arctan{{{0}}}",
        2,
    ),
    Function(
        "erf", 1, None, (_erf_slope,), "erf({0})", "erf({0})", r"\operatorname{{erf}}{{{0}}}", 2
    ),
    Function(
        "lgamma",
        1,
        None,
        (lambda g, y, x: g.call("polygamma", x, order=0),),
        "lgamma({0})",
        "lgamma({0})",
        r"\log\Gamma{{{0}}}",
        8,
    ),
    Function(
        "polygamma",
        1,
        None,
        (_polygamma_slope,),
        "polygamma({0})",
        "polygamma({0})",
        r"\psi{{{0}}}",
        16,
    ),
    # -- defined in primitives ---------------------------------------------------------------------
    Function(
        "log1p",
        1,
        lambda g, x: g.call("log", g.add(_n(g, 1), x)),
        (lambda g, y, x: g.div(_n(g, 1), g.add(_n(g, 1), x)),),
        "np.log1p({0})",
        "log1p({0})",
        r"\log(1 + {0})",
        2,
    ),
    Function(
        "expm1",
        1,
        lambda g, x: g.sub(g.call("exp", x), _n(g, 1)),
        (lambda g, y, x: g.call("exp", x),),
        "np.expm1({0})",
        "expm1({0})",
        r"(e^{{{0}}} - 1)",
        2,
    ),
    Function(
        "log2",
        1,
        lambda g, x: g.div(g.call("log", x), g.call("log", _n(g, 2))),
        (lambda g, y, x: g.div(_n(g, 1), g.mul(x, g.call("log", _n(g, 2)))),),
        "np.log2({0})",
        "log2({0})",
        r"\log_2{{{0}}}",
        2,
    ),
    Function(
        "log10",
        1,
        lambda g, x: g.div(g.call("log", x), g.call("log", _n(g, 10))),
        (lambda g, y, x: g.div(_n(g, 1), g.mul(x, g.call("log", _n(g, 10)))),),
        "np.log10({0})",
        "log10({0})",
        r"\log_{{10}}{{{0}}}",
        2,
    ),
    Function(
        "exp2",
        1,
        lambda g, x: g.call("exp", g.mul(x, g.call("log", _n(g, 2)))),
        (lambda g, y, x: g.mul(y, g.call("log", _n(g, 2))),),
        "np.exp2({0})",
        "exp2({0})",
        r"2^{{{0}}}",
        2,
    ),
    Function(
        "tan",
        1,
        lambda g, x: g.div(g.call("sin", x), g.call("cos", x)),
        (lambda g, y, x: g.add(_n(g, 1), _square(g, y)),),
        "np.tan({0})",
        "tan({0})",
        r"\tan{{{0}}}",
        4,
    ),
    Function(
        "tanh",
        1,
        _tanh,
        (lambda g, y, x: g.sub(_n(g, 1), _square(g, y)),),
        "np.tanh({0})",
        "tanh({0})",
        r"\tanh{{{0}}}",
        4,
    ),
    Function(
        "sinh",
        1,
        _sinh,
        (lambda g, y, x: g.call("cosh", x),),
        "np.sinh({0})",
        "sinh({0})",
        r"\sinh{{{0}}}",
        4,
    ),
    Function(
        "cosh",
        1,
        _cosh,
        (lambda g, y, x: g.call("sinh", x),),
        "np.cosh({0})",
        "cosh({0})",
        r"\cosh{{{0}}}",
        4,
    ),
    Function(
        "arcsin",
        1,
        _arcsin,
        (lambda g, y, x: _over_root(g, g.sub(_n(g, 1), _square(g, x))),),
        "np.arcsin({0})",
        "arcsin({0})",
        r"\arcsin{{{0}}}",
        4,
        singular="{0} = ±1",
    ),
    Function(
        "arccos",
        1,
        lambda g, x: g.sub(g.mul(_n(g, HALF), g.number("pi")), _arcsin(g, x)),
        (lambda g, y, x: g.neg(_over_root(g, g.sub(_n(g, 1), _square(g, x)))),),
        "np.arccos({0})",
        "arccos({0})",
        r"\arccos{{{0}}}",
        4,
        singular="{0} = ±1",
    ),
    Function(
        "arcsinh",
        1,
        lambda g, x: g.call("log", g.add(x, g.power(g.add(_square(g, x), _n(g, 1)), HALF))),
        (lambda g, y, x: _over_root(g, g.add(_square(g, x), _n(g, 1))),),
        "np.arcsinh({0})",
        "arcsinh({0})",
        r"\operatorname{{arsinh}}{{{0}}}",
        4,
    ),
    Function(
        "arccosh",
        1,
        lambda g, x: g.call(
            "log",
            g.add(
                x,
                g.mul(g.power(g.sub(x, _n(g, 1)), HALF), g.power(g.add(x, _n(g, 1)), HALF)),
            ),
        ),
        (lambda g, y, x: _over_root(g, g.sub(_square(g, x), _n(g, 1))),),
        "np.arccosh({0})",
        "arccosh({0})",
        r"\operatorname{{arcosh}}{{{0}}}",
        4,
        singular="{0} = 1",
    ),
    Function(
        "arctanh",
        1,
        lambda g, x: g.mul(
            _n(g, HALF), g.call("log", g.div(g.add(_n(g, 1), x), g.sub(_n(g, 1), x)))
        ),
        (lambda g, y, x: g.div(_n(g, 1), g.sub(_n(g, 1), _square(g, x))),),
        "np.arctanh({0})",
        "arctanh({0})",
        r"\operatorname{{artanh}}{{{0}}}",
        4,
    ),
    Function(
        "expit",
        1,
        lambda g, x: g.div(_n(g, 1), g.add(_n(g, 1), g.call("exp", g.neg(x)))),
        (lambda g, y, x: g.mul(y, g.sub(_n(g, 1), y)),),
        "expit({0})",
        "expit({0})",
        r"\operatorname{{expit}}{{{0}}}",
        4,
    ),
    Function(
        "erfc",
        1,
        lambda g, x: g.sub(_n(g, 1), g.call("erf", x)),
        (lambda g, y, x: g.neg(_erf_slope(g, y, x)),),
        "erfc({0})",
        "erfc({0})",
        r"\operatorname{{erfc}}{{{0}}}",
        8,
    ),
    Function(
        "abs",
        1,
        lambda g, x: g.select(g.less(x, _n(g, 0)), g.neg(x), x),
        (lambda g, y, x: g.call("sign", x),),
        "np.abs({0})",
        "|{0}|",
        r"\left|{0}\right|",
        0,
        keeps_kind=True,
        singular="{0} = 0",
    ),
    Function(
        "sign",
        1,
        _sign,
        (lambda g, y, x: _n(g, 0),),
        "np.sign({0})",
        "sign({0})",
        r"\operatorname{{sign}}{{{0}}}",
        0,
        keeps_kind=True,
        singular="{0} = 0",
    ),
    Function(
        "cbrt",
        1,
        lambda g, x: g.mul(g.call("sign", x), g.power(g.call("abs", x), Fraction(1, 3))),
        (lambda g, y, x: g.div(_n(g, 1), g.mul(_n(g, 3), _square(g, y))),),
        "np.cbrt({0})",
        "cbrt({0})",
        r"\sqrt[3]{{{0}}}",
        4,
        singular="{0} = 0",
    ),
    Function(
        "maximum",
        2,
        lambda g, a, b: g.select(g.less(a, b), b, a),
        (
            _steps(lambda g, a, b: g.less_equal(b, a)),
            _steps(lambda g, a, b: g.less(a, b)),
        ),
        "np.maximum({0}, {1})",
        "max({0}, {1})",
        r"\max({0}, {1})",
        0,
        keeps_kind=True,
        singular="{0} = {1}",
    ),
    Function(
        "minimum",
        2,
        lambda g, a, b: g.select(g.less(b, a), b, a),
        (
            _steps(lambda g, a, b: g.less_equal(a, b)),
            _steps(lambda g, a, b: g.less(b, a)),
        ),
        "np.minimum({0}, {1})",
        "min({0}, {1})",
        r"\min({0}, {1})",
        0,
        keeps_kind=True,
        singular="{0} = {1}",
    ),
    Function(
        "logaddexp",
        2,
        lambda g, a, b: g.call("log", g.add(g.call("exp", a), g.call("exp", b))),
        (
            lambda g, y, a, b: g.call("exp", g.sub(a, y)),
            lambda g, y, a, b: g.call("exp", g.sub(b, y)),
        ),
        "np.logaddexp({0}, {1})",
        "logaddexp({0}, {1})",
        r"\log(e^{{{0}}} + e^{{{1}}})",
        4,
    ),
    Function(
        "arctan2",
        2,
        _arctan2,
        (
            lambda g, v, y, x: g.div(x, _r2(g, y, x)),
            lambda g, v, y, x: g.neg(g.div(y, _r2(g, y, x))),
        ),
        "np.arctan2({0}, {1})",
        "arctan2({0}, {1})",
        r"\operatorname{{atan2}}({0}, {1})",
        4,
        singular="{0} = 0 and {1} ≤ 0",
    ),
    Function(
        "hypot",
        2,
        lambda g, a, b: g.power(_r2(g, a, b), HALF),
        (lambda g, y, a, b: g.div(a, y), lambda g, y, a, b: g.div(b, y)),
        "np.hypot({0}, {1})",
        "hypot({0}, {1})",
        r"\sqrt{{{0}^2 + {1}^2}}",
        4,
        singular="{0} = {1} = 0",
    ),
    Function(  # for a positive base; whole constant exponents are `power`
        "pow",
        2,
        lambda g, a, b: g.call("exp", g.mul(b, g.call("log", a))),
        (
            lambda g, y, a, b: g.mul(b, g.call("pow", a, g.sub(b, _n(g, 1)))),
            lambda g, y, a, b: g.mul(y, g.call("log", a)),
        ),
        "{0} ** {1}",
        "{0}^{1}",
        r"{0}^{{{1}}}",
        4,
    ),
)

FUNCTIONS: dict[str, Function] = {row.name: row for row in _ROWS}
