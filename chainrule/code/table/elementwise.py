"""Arithmetic, exponentials, logarithms and angles, entry by entry.

Each is the literal operation: a division stays one, a square is a power, x − y is x + (−y).
"""

from __future__ import annotations

import math
import operator
from fractions import Fraction

import numpy as np

from chainrule.code.table.arguments import (
    counted,
    exponent,
    floored,
    real,
    truncated,
    zero,
)
from chainrule.code.table.row import Sample, Unsupported, row
from chainrule.code.table.ufunc import PAIRS, SHAPES, named, number, one, present, two
from chainrule.graph.node import Graph, Node

# -- arithmetic ------------------------------------------------------------------------------------


def add(g: Graph, a: Node, b: Node) -> Node:
    """a + b; of two bools, whether one is true."""
    return g.or_(a, b) if a.kind == b.kind == "b" else g.add(a, b)


def subtract(g: Graph, a: Node, b: Node) -> Node:
    """a − b. Raises TypeError for two bools, as NumPy does."""
    if a.kind == b.kind == "b":
        raise TypeError(
            "numpy boolean subtract, the `-` operator, is not supported; "
            "use np.logical_xor, or convert to float first"
        )
    return g.sub(a, counted(g, b))


def multiply(g: Graph, a: Node, b: Node) -> Node:
    """a·b; of two bools, whether both are true."""
    return g.and_(a, b) if a.kind == b.kind == "b" else g.mul(a, b)


def negative(g: Graph, x: Node) -> Node:
    """−x. Raises TypeError for bools, as NumPy does."""
    if x.kind == "b":
        raise TypeError(
            "numpy boolean negative, the `-` operator, is not supported; use np.logical_not"
        )
    return g.neg(x)


def positive(g: Graph, x: Node) -> Node:
    """x. Raises TypeError for bools, as NumPy does."""
    if x.kind == "b":
        raise TypeError("numpy boolean positive, the `+` operator, is not supported")
    return x


def power(g: Graph, a: Node, b: Node) -> Node:
    """a to the power b: `power` for a constant rational b, else `pow`, where a is positive."""
    p = exponent(b)
    if p is None:
        return g.call("pow", a, b)
    base = counted(g, a) if b.kind != "f" else real(g, a)
    return g.power(base, p)


def floor_divide(g: Graph, a: Node, b: Node) -> Node:
    """⌊a/b⌋."""
    return floored(g, g.div(a, b), whole=a.kind != "f" and b.kind != "f")


def remainder(g: Graph, a: Node, b: Node) -> Node:
    """a − b·⌊a/b⌋, with the sign of b."""
    return g.sub(a, g.mul(b, floor_divide(g, a, b)))


def fmod(g: Graph, a: Node, b: Node) -> Node:
    """a − b·(a/b cut off), with the sign of a."""
    quotient = truncated(g, g.div(a, b), whole=a.kind != "f" and b.kind != "f")
    return g.sub(a, g.mul(b, quotient))


def square(g: Graph, x: Node) -> Node:
    """x²."""
    return g.power(x, 2)


def sqrt(g: Graph, x: Node) -> Node:
    """√x."""
    return g.power(x, Fraction(1, 2))


def reciprocal(g: Graph, x: Node) -> Node:
    """1/x."""
    if x.kind != "f":
        raise Unsupported(
            "np.reciprocal: of integers it cuts the quotient off. Write 1 / x, or use floats"
        )
    return g.div(number(g, 1), x)


_NUMBERS = (2, 0.5, -3)
two("np.add", add, "x1 + x2; of two bools: or", np.add, operator.add, constants=_NUMBERS)
two(
    "np.subtract",
    subtract,
    "x1 − x2 = x1 + (−x2)",
    np.subtract,
    operator.sub,
    constants=_NUMBERS,
)
two(
    "np.multiply",
    multiply,
    "x1 · x2; of two bools: and",
    np.multiply,
    operator.mul,
    constants=_NUMBERS,
)
two(
    "np.divide",
    lambda g, a, b: g.div(a, b),
    "x1 / x2",
    np.divide,
    operator.truediv,
    domain="real, nonzero",
    constants=_NUMBERS,
)
two(
    "np.power",
    power,
    "x1 to the power x2; exp(x2 log x1) unless x2 is a constant",
    np.power,
    operator.pow,
    domain="positive, real",
    constants=(2, 3, -1, 0.5, 1.5, 0.1, 0, 1),
)
two(
    "np.float_power",
    lambda g, a, b: power(g, real(g, a), b),
    "as np.power, of floats",
    np.float_power,
    math.pow,
    domain="positive, integers",
    constants=(2, 0.5),
)
two(
    "np.floor_divide",
    floor_divide,
    "⌊x1 / x2⌋",
    np.floor_divide,
    operator.floordiv,
    domain="real, nonzero",
    constants=_NUMBERS,
)
two(
    "np.remainder",
    remainder,
    "x1 − x2 ⌊x1 / x2⌋",
    np.remainder,
    operator.mod,
    domain="real, nonzero",
    constants=_NUMBERS,
)
two(
    "np.fmod",
    fmod,
    "x1 − x2 · (x1 / x2, cut off)",
    np.fmod,
    domain="real, nonzero",
    constants=_NUMBERS,
)
two(
    "math.fmod",
    lambda g, a, b: fmod(g, real(g, a), b),
    "as np.fmod, of floats",
    math.fmod,
    domain="real, nonzero",
    pairs=(((), ()), ((), 2)),
)


def _divmod(g: Graph, x1: Node, x2: Node) -> tuple[Node, Node]:
    return floor_divide(g, x1, x2), remainder(g, x1, x2)


row(
    "np.divmod",
    np.divmod,
    divmod,
    operands=("x1", "x2"),
    says="(⌊x1 / x2⌋, x1 − x2 ⌊x1 / x2⌋)",
    samples=[Sample(pair, domain="real, nonzero") for pair in PAIRS],
)(_divmod)

one("np.negative", negative, "−x", np.negative, operator.neg)
one("np.positive", positive, "x", np.positive, operator.pos)
one("np.square", square, "x²", np.square)
one("np.sqrt", sqrt, "x to the power 1/2", np.sqrt, math.sqrt, domain="positive")
one(
    "np.cbrt",
    named("cbrt"),
    "sign(x) |x| to the power 1/3",
    np.cbrt,
    *present(math, "cbrt"),
    late=("scipy.special.cbrt",),
)
one("np.reciprocal", reciprocal, "1 / x", np.reciprocal, domain="nonzero")
one(
    "np.conjugate",
    lambda g, x: x,
    "x",
    np.conjugate,
    methods=("conj", "conjugate"),
)

row(
    "np.real",
    np.real,
    operands=("val",),
    attributes=("real",),
    says="x",
    samples=[Sample((shape,)) for shape in SHAPES],
)(lambda g, val: val)

# -- exponentials, logarithms, angles --------------------------------------------------------------

one("np.exp", named("exp"), "exp x", np.exp, math.exp)
one("np.expm1", named("expm1"), "exp x − 1", np.expm1, math.expm1, late=("scipy.special.expm1",))
one(
    "np.exp2",
    named("exp2"),
    "exp(x log 2)",
    np.exp2,
    *present(math, "exp2"),
    late=("scipy.special.exp2",),
)
one("np.log", named("log"), "log x", np.log, domain="positive")
one(
    "np.log1p",
    named("log1p"),
    "log(1 + x)",
    np.log1p,
    math.log1p,
    domain="positive",
    late=("scipy.special.log1p",),
)
one("np.log2", named("log2"), "log x / log 2", np.log2, math.log2, domain="positive")
one("np.log10", named("log10"), "log x / log 10", np.log10, math.log10, domain="positive")
one("np.sin", named("sin"), "sin x", np.sin, math.sin)
one("np.cos", named("cos"), "cos x", np.cos, math.cos)
one("np.tan", named("tan"), "sin x / cos x", np.tan, math.tan)
one("np.arcsin", named("arcsin"), "arctan(x / √(1 − x²))", np.arcsin, math.asin, domain="unit")
one(
    "np.arccos",
    named("arccos"),
    "π/2 − arctan(x / √(1 − x²))",
    np.arccos,
    math.acos,
    domain="unit",
)
one("np.arctan", named("arctan"), "arctan x", np.arctan, math.atan)
one("np.sinh", named("sinh"), "(exp x − exp(−x)) / 2", np.sinh, math.sinh)
one("np.cosh", named("cosh"), "(exp x + exp(−x)) / 2", np.cosh, math.cosh)
one("np.tanh", named("tanh"), "(exp 2x − 1) / (exp 2x + 1)", np.tanh, math.tanh)
one("np.arcsinh", named("arcsinh"), "log(x + √(x² + 1))", np.arcsinh, math.asinh)
one(
    "np.arccosh",
    named("arccosh"),
    "log(x + √(x − 1) √(x + 1))",
    np.arccosh,
    math.acosh,
    domain="above one",
)
one(
    "np.arctanh",
    named("arctanh"),
    "log((1 + x) / (1 − x)) / 2",
    np.arctanh,
    math.atanh,
    domain="unit",
)
two("np.arctan2", named("arctan2"), "the angle of (x2, x1)", np.arctan2, math.atan2)
two("np.hypot", named("hypot"), "√(x1² + x2²)", np.hypot)
two("np.logaddexp", named("logaddexp"), "log(exp x1 + exp x2)", np.logaddexp)


def _logaddexp2(g: Graph, a: Node, b: Node) -> Node:
    return g.call("log2", g.add(g.call("exp2", a), g.call("exp2", b)))


two("np.logaddexp2", _logaddexp2, "log2(2^x1 + 2^x2)", np.logaddexp2)


def _to_radians(g: Graph, x: Node) -> Node:
    return g.mul(x, g.div(g.number("pi"), number(g, 180)))


def _to_degrees(g: Graph, x: Node) -> Node:
    return g.mul(x, g.div(number(g, 180), g.number("pi")))


one("np.deg2rad", _to_radians, "x · π/180", np.deg2rad, np.radians, math.radians)
one("np.rad2deg", _to_degrees, "x · 180/π", np.rad2deg, np.degrees, math.degrees)


def _sinc(g: Graph, x: Node) -> Node:
    """1 at 0, by two selections: no branch ever divides by 0."""
    at_zero = g.equal(x, zero(g, x))
    turned = g.mul(g.number("pi"), g.select(at_zero, number(g, 1), x))
    return g.select(at_zero, number(g, 1), g.div(g.call("sin", turned), turned))


one("np.sinc", _sinc, "sin(πx) / (πx), and 1 at 0", np.sinc)
