"""The graph in float64, as literally as NumPy computes it: the very function that a row names.

Integers are int64 and conditions bool, as in NumPy. `bounded` tells beside each value how far from
the exact one it can be at most. `erf` and `erfc` come from `math`, `lgamma` and `polygamma` are
rounded balls: NumPy has none of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from flint import arb

from chainrule.errors import UsageError
from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.node import Node, constant
from chainrule.values import structure
from chainrule.values.ball import Ball, Undecided, Undefined, precision
from chainrule.values.entries import polygamma
from chainrule.values.structure import Array, Kernel, Sizes

Rule = Callable[[Node, list[Array], Sizes], Array]

DTYPES: dict[str, Any] = {"b": np.bool_, "i": np.int64, "f": np.float64}
KERNEL = Kernel(np.multiply, lambda x, axes: np.asarray(x.sum(axis=axes)), np.matmul, 1.0)


def evaluate(
    outputs: Sequence[Node], values: Mapping[str, Any], sizes: Sizes | None = None
) -> list[Array]:
    """The values of nodes in float64 (int64, bool by their kind), each a fresh array.

    values : the arrays of the inputs reached, by name. sizes : axis → size, for axes that no input
    reached tells. NumPy's warnings are silent: what overflows is inf, what is undefined nan.
    Raises UsageError, ShapeError for inputs that do not fit, and what NumPy raises: LinAlgError
    (a singular matrix), IndexError, ValueError (the largest of nothing).

    >>> from chainrule.graph.node import Graph
    >>> g = Graph({"n": 2})
    >>> x = g.input("x", (g.axis("n", 2),))
    >>> evaluate([g.einsum("i,i->", x, g.call("exp", x))], {"x": [0.0, 1.0, 2.0]})
    [array(17.49639403)]
    """
    arrays = given(outputs, values)
    known = structure.sizes_of(outputs, {k: v.shape for k, v in arrays.items()}, sizes)

    def rule(node: Node, xs: list[Array]) -> Array:
        if node.op == "input":
            return arrays[node.params[0]]
        return np.asarray(RULES[node.op](node, xs, known))

    with np.errstate(all="ignore"):
        return [np.array(v) for v in structure.interpret(outputs, rule)]


def bounded(
    outputs: Sequence[Node], values: Mapping[str, Any], sizes: Sizes | None = None
) -> list[tuple[Array, Array]]:
    """The values of `evaluate`, each with how far from the exact one every entry can be at most.

    See `chainrule.values.running`.
    """
    from chainrule.values import running

    return running.bounded(outputs, values, sizes)


def given(outputs: Sequence[Node], values: Mapping[str, Any]) -> dict[str, Array]:
    """The arrays of the inputs reached, in the dtype of their kind.

    Raises UsageError for what is missing, complex, or no integer where one is needed.
    """
    arrays = {}
    for name, node in structure.inputs_of(outputs).items():
        if name not in values:
            raise UsageError(f"no value was given for {name}")
        array = np.asarray(values[name])
        if array.dtype.kind not in "biuf":
            raise UsageError(f"{name} has the dtype {array.dtype}; give floats, integers or bools")
        wanted = array.astype(DTYPES[node.kind])
        if node.kind != "f" and not np.array_equal(wanted, array):
            what = "integers" if node.kind == "i" else "bools"
            raise UsageError(f"{name} must hold {what}, and holds others")
        arrays[name] = wanted
    return arrays


# -- functions that NumPy lacks ------------------------------------------------------------------


def _each(f: Callable[..., float]) -> Callable[..., Array]:
    ufunc = np.frompyfunc(f, 1, 1)
    return lambda x: np.asarray(ufunc(np.asarray(x, np.float64)), np.float64)


def _rounded(f: Callable[[arb], arb]) -> Callable[[float], float]:
    def value(x: float) -> float:
        if not math.isfinite(x):
            return math.nan
        with precision(128):
            try:
                return float(f(arb(x)).mid())
            except (Undefined, Undecided):
                return math.nan

    return value


def _lgamma(x: float) -> float:
    if math.isfinite(x) and x > 0:
        return _rounded(lambda v: Ball(v).lgamma().value)(x)
    try:
        return math.lgamma(x)
    except ValueError:
        return math.inf


def expit(x: Array) -> Array:
    """1/(1 + e⁻ˣ), without overflow."""
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(np.signbit(x), small, 1.0) / (1.0 + small))


OWN: dict[str, Callable[..., Array]] = {
    "erf": _each(math.erf),
    "erfc": _each(math.erfc),
    "expit": expit,
    "lgamma": _each(_lgamma),
}


@cache
def digamma_like(order: int) -> Callable[..., Array]:
    """The polygamma function of an order, entry by entry."""
    return _each(_rounded(lambda v: polygamma(order, v)))


@cache
def function(name: str) -> Callable[..., Any]:
    """The function that a row's source names; KeyError for a name that nobody has."""
    source = FUNCTIONS[name].source
    if "**" in source:
        return np.power
    head = source.partition("(")[0]
    return getattr(np, head[3:]) if head.startswith("np.") else OWN[head]


# -- rules ---------------------------------------------------------------------------------------


def number(value: Fraction, kind: str) -> Array:
    """An exact number, rounded once; integers beyond int64 are floats."""
    if kind == "i" and abs(value) < 2**63:
        return np.array(int(value), np.int64)
    try:
        return np.array(float(value))
    except OverflowError:
        return np.array(math.copysign(math.inf, value))


def _const(node: Node, xs: list[Array], sizes: Sizes) -> Array:
    if node.params[0] == "number":
        return number(node.params[1], node.kind)
    return np.asarray(constant(node))


def cast(node: Node, xs: Sequence[Array]) -> list[Array]:
    """Arrays in the dtype of a node's kind."""
    return [np.asarray(x, DTYPES[node.kind]) for x in xs]


def _ufunc(f: Callable[..., Any]) -> Rule:
    return lambda node, xs, sizes: f(*cast(node, xs))


def power_of(exponent: Fraction) -> Callable[[Array], Any]:
    """x to a constant power, by the function that NumPy's own ** takes for it."""
    special: dict[Fraction, Callable[[Array], Any]] = {
        Fraction(0): np.ones_like,
        Fraction(1): np.positive,
        Fraction(2): np.square,
        Fraction(-1): np.reciprocal,
        Fraction(1, 2): np.sqrt,
    }
    return special.get(exponent, lambda x: np.power(x, float(exponent)))


def _power(node: Node, xs: list[Array], sizes: Sizes) -> Array:
    exponent, x = node.params[0], cast(node, xs)[0]
    if node.kind == "i":
        return np.asarray(np.power(x, int(exponent)))
    return np.asarray(power_of(exponent)(x))


def _call(node: Node, xs: list[Array], sizes: Sizes) -> Array:
    if node.op == "polygamma":
        return digamma_like(node.params[0])(xs[0])
    dtype = DTYPES["i" if node.kind == "b" else node.kind]  # np.sign has no bool
    value = function(node.op)(*(np.asarray(x, dtype) for x in xs))
    return np.asarray(value, DTYPES[node.kind])


def _contract(node: Node, xs: list[Array], sizes: Sizes) -> Array:
    labels, out = node.params
    return np.asarray(structure.contract(labels, out, cast(node, xs), KERNEL), DTYPES[node.kind])


def indices(xs: Sequence[Array]) -> list[Array]:
    """Arrays that index: int64."""
    return [np.asarray(x, np.int64) for x in xs]


def _moved(node: Node, xs: list[Array], sizes: Sizes) -> Array:
    moving, where = structure.split(node, xs)
    return structure.moved(node, cast(node, moving), indices(where), sizes, 0, np.add)


RULES: dict[str, Rule] = {
    "const": _const,
    "size": lambda node, xs, sizes: np.array(structure.lengths(node.params, sizes)[0]),
    "iota": lambda node, xs, sizes: np.arange(structure.lengths(node.shape, sizes)[0]),
    "delta": lambda node, xs, sizes: structure.delta(node, sizes),
    "add": _ufunc(np.add),
    "mul": _ufunc(np.multiply),
    "div": _ufunc(np.divide),
    "neg": _ufunc(np.negative),
    "power": _power,
    "less": lambda node, xs, sizes: np.less(*xs),
    "equal": lambda node, xs, sizes: np.equal(*xs),
    "not": _ufunc(np.logical_not),
    "and": _ufunc(np.logical_and),
    "select": lambda node, xs, sizes: np.where(xs[0].astype(bool), *cast(node, xs[1:])),
    "floor": lambda node, xs, sizes: np.asarray(np.floor(xs[0]), DTYPES[node.kind]),
    "contract": _contract,
    "reduce_mul": lambda node, xs, sizes: np.asarray(
        np.multiply.reduce(xs[0], axis=node.params[0]), DTYPES[node.kind]
    ),
    "reduce_max": lambda node, xs, sizes: np.maximum.reduce(xs[0], axis=node.params[0]),
    "solve": _ufunc(np.linalg.solve),
    "det": _ufunc(np.linalg.det),
    "logdet": _ufunc(lambda a: np.linalg.slogdet(a)[1]),
    **dict.fromkeys(structure.MOVES, _moved),
    **dict.fromkeys(FUNCTIONS, _call),
}
#: Handled by `evaluate` itself.
GIVEN = frozenset({"input"})
