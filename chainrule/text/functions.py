"""The table of functions: their values in SymPy, their conditions, their limits.

A row takes arguments that were audited, gives the `Need`s under which it is defined and
differentiable, then the value; it never makes SymPy compare, conjugate or compute without end.
A function that is not in the table is not read; a row without an independent test fails the tests.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import sympy as sp

from chainrule.text.bounds import MAX_ARGUMENTS, MAX_COMPARED, MAX_CONSTANT, check_exponent


class Need(NamedTuple):
    """A condition `relation(left, right)`.

    edge : where the function has a value at equality, but no derivative: how to say it.
    """

    relation: Any
    left: Any
    right: Any = 0
    edge: str = ""
    why: str = "is not a real number"


@dataclass(frozen=True)
class Function:
    """A row of the table: the value, the conditions, how many arguments.

    limit : magnitude of a constant argument, where SymPy's own evaluation would not end.
    whole : takes vectors and matrices whole; other functions take them entry by entry.
    """

    make: Callable[..., Any]
    needs: Callable[..., list[Need]] = lambda *args: []
    limit: int | None = MAX_CONSTANT
    least: int = 1
    most: int = 1
    whole: bool = False


# ── conditions ────────────────────────────────────────────────────────────────────────────────────

_EDGE = "its argument is always {}"


def _above(bound: int, edge: str = "") -> Callable[[Any], list[Need]]:
    return lambda a: [Need(sp.Gt, a, bound, edge)]


def _within(edge: str) -> Callable[[Any], list[Need]]:
    return lambda a: [Need(sp.Gt, a, -1, edge), Need(sp.Lt, a, 1, edge)]


def _no_zero(of: Callable[[Any], Any]) -> Callable[[Any], list[Need]]:
    return lambda a: [Need(sp.Ne, of(a))]


def _kink(a: Any) -> list[Need]:
    return [Need(sp.Ne, a, 0, _EDGE)]


def _apart(*args: Any) -> list[Need]:
    edge = "two of its arguments are always equal"
    pairs = itertools.combinations(args, 2)
    return [Need(sp.Ne, sp.Add(a, sp.Mul(-1, b)), 0, edge) for a, b in pairs]


def _gamma(a: Any) -> list[Need]:
    return [Need(sp.Gt, a, why="is read for arguments > 0 only")]


def _power(a: Any, b: Any) -> list[Need]:
    if b.is_Integer:
        return [Need(sp.Ne, a)] if b < 0 else []
    if a == sp.E:
        return []
    return [Need(sp.Gt, a, 0, "its base is always {}" if b.is_positive else "")]


def _logarithm(a: Any, base: Any = sp.E) -> list[Need]:
    if base == sp.E:
        return [Need(sp.Gt, a)]
    return [Need(sp.Gt, a), Need(sp.Gt, base), Need(sp.Ne, sp.log(base))]


def _off_origin(y: Any, x: Any) -> list[Need]:
    return [Need(sp.Gt, sp.Add(sp.Pow(x, 2), sp.Pow(y, 2)))]


# ── values ────────────────────────────────────────────────────────────────────────────────────────


def _pow(a: Any, b: Any) -> Any:
    check_exponent(a, b)
    return sp.Pow(a, b)


def _exp(a: Any) -> Any:
    check_exponent(sp.E, a)
    return sp.exp(a)


def _root(a: Any) -> Any:
    return sp.Pow(a, sp.S.Half)


def _sigmoid(a: Any) -> Any:
    return sp.Pow(sp.Add(1, _exp(sp.Mul(-1, a))), -1)


def _abs(a: Any) -> Any:
    # Where SymPy does not know that a is real (log(x)), it would write conjugates.
    return sp.Abs(a) if a.is_extended_real else sp.Abs(a, evaluate=False)


def _cbrt(a: Any) -> Any:
    return sp.Mul(sp.sign(a), sp.Pow(_abs(a), sp.Rational(1, 3)))


def _atan2(y: Any, x: Any) -> Any:
    value = sp.atan2(y, x)
    return sp.atan2(y, x, evaluate=False) if value.has(sp.I) else value


def _extreme(kind: Any, *args: Any) -> Any:
    nodes = itertools.chain(*map(sp.preorder_traversal, args))
    few = len(list(itertools.islice(nodes, MAX_COMPARED + 1))) <= MAX_COMPARED
    return kind(*args, evaluate=few)


def _max(*args: Any) -> Any:
    return _extreme(sp.Max, *args)


def _min(*args: Any) -> Any:
    return _extreme(sp.Min, *args)


def _sum(v: Any) -> Any:
    return sp.Add(*v.flat())


def _dot(u: Any, v: Any) -> Any:
    return sp.Add(*map(sp.Mul, u.flat(), v.flat()))


def _squares(v: Any) -> Any:
    return sp.Add(*[sp.Pow(a, 2) for a in v.flat()])


# ── the table ─────────────────────────────────────────────────────────────────────────────────────

CONSTANTS: Mapping[str, Any] = {"pi": sp.pi, "E": sp.E}

_TABLE = {
    "sin": Function(sp.sin),
    "cos": Function(sp.cos),
    "tan": Function(sp.tan, _no_zero(sp.cos)),
    "cot": Function(sp.cot, _no_zero(sp.sin)),
    "sec": Function(sp.sec, _no_zero(sp.cos)),
    "csc": Function(sp.csc, _no_zero(sp.sin)),
    "asin": Function(sp.asin, _within(_EDGE)),
    "acos": Function(sp.acos, _within(_EDGE)),
    "atan": Function(sp.atan),
    "atan2": Function(_atan2, _off_origin, None, least=2, most=2),
    "sinh": Function(sp.sinh),
    "cosh": Function(sp.cosh),
    "tanh": Function(sp.tanh),
    "coth": Function(sp.coth, _no_zero(lambda a: a)),
    "sech": Function(sp.sech),
    "csch": Function(sp.csch, _no_zero(lambda a: a)),
    "asinh": Function(sp.asinh),
    "acosh": Function(sp.acosh, _above(1, _EDGE)),
    "atanh": Function(sp.atanh, _within("")),
    "exp": Function(_exp),
    "expm1": Function(lambda a: sp.Add(_exp(a), -1)),
    "log": Function(sp.log, _logarithm, None, most=2),
    "ln": Function(sp.log, _above(0), None),
    "log1p": Function(lambda a: sp.log(sp.Add(1, a)), _above(-1), None),
    "log2": Function(lambda a: sp.log(a, 2), _above(0), None),
    "log10": Function(lambda a: sp.log(a, 10), _above(0), None),
    "sqrt": Function(_root, _above(0, _EDGE), None),
    "cbrt": Function(_cbrt, _kink, None),
    "pow": Function(_pow, _power, None, least=2, most=2),
    "abs": Function(_abs, _kink, None),
    "sign": Function(sp.sign, _kink, None),
    "heaviside": Function(sp.Heaviside, _kink, None),
    "relu": Function(lambda a: _max(a, sp.S.Zero), _kink, None),
    "max": Function(_max, _apart, None, least=2, most=MAX_ARGUMENTS),
    "min": Function(_min, _apart, None, least=2, most=MAX_ARGUMENTS),
    "sigmoid": Function(_sigmoid),
    "softplus": Function(lambda a: sp.log(sp.Add(1, _exp(a)))),
    "erf": Function(sp.erf),
    "erfc": Function(sp.erfc),
    "gamma": Function(sp.gamma, _gamma, 400),
    "lgamma": Function(sp.loggamma, _gamma, 400),
    "digamma": Function(sp.digamma, _gamma, 400),
    "sum": Function(_sum, whole=True),
    "mean": Function(lambda v: sp.Mul(sp.Rational(1, len(v)), _sum(v)), whole=True),
    "norm": Function(
        lambda v: _root(_squares(v)),
        lambda v: [Need(sp.Gt, _squares(v), 0, "its vector is always {}")],
        whole=True,
    ),
    "dot": Function(_dot, least=2, most=2, whole=True),
    "transpose": Function(lambda m: m.T, whole=True),
}
_ALIASES = {
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "sgn": "sign",
    "step": "heaviside",
    "maximum": "max",
    "minimum": "min",
    "sigma": "sigmoid",
    "logistic": "sigmoid",
    "loggamma": "lgamma",
}
FUNCTIONS: Mapping[str, Function] = _TABLE | {a: _TABLE[name] for a, name in _ALIASES.items()}
