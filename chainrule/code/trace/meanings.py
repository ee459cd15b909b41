"""What a number that a module keeps means: ``K = np.sqrt(2 / np.pi)`` is √(2/π), and no decimal.

The source of the module says it, in its own lines and outside of any function: numbers, names of
such constants, π and e, arithmetic, roots, exponentials and logarithms. Nothing is executed; the
meaning is believed only if its value is the number that the module holds, but for rounding.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from types import FunctionType
from typing import Any

import numpy as np

from chainrule.code.source import Unfollowable, locate
from chainrule.graph.node import Graph, Node
from chainrule.values.float64 import evaluate

ULPS = 4  # units in the last place that evaluation may be off by
DEEPEST = 12  # names that lead to names

_OPERATORS: Mapping[type, Callable[[Graph, Node, Node], Node]] = {
    ast.Add: lambda g, a, b: g.add(a, b),
    ast.Sub: lambda g, a, b: g.sub(a, b),
    ast.Mult: lambda g, a, b: g.mul(a, b),
    ast.Div: lambda g, a, b: g.div(a, b),
}
_NAMED = {"pi": "pi", "e": "e"}
_FUNCTIONS = ("exp", "log", "sin", "cos")


def written(functions: Iterable[FunctionType]) -> dict[float, tuple[ast.expr, Mapping[str, Any]]]:
    """Value → the expression that a module's own line gives it, and the module's such lines."""
    found: dict[float, tuple[ast.expr, Mapping[str, Any]]] = {}
    seen: set[int] = set()
    for function in functions:
        held = function.__globals__
        if id(held) in seen:
            continue
        seen.add(id(held))
        try:
            tree = locate(function.__code__, held)[0].tree
        except (Unfollowable, SyntaxError):
            continue
        lines = dict(_lines(tree))
        for name, expression in lines.items():
            value = held.get(name)
            if isinstance(value, float) and math.isfinite(value):
                found.setdefault(float(value), (expression, lines))
    return found


def _lines(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Name → what it is given, for names that a module gives a value once."""
    given: dict[str, list[ast.expr]] = {}
    for line in ast.walk(tree):
        if isinstance(line, ast.Name) and isinstance(line.ctx, ast.Store):
            given.setdefault(line.id, [])
    for line in tree.body:
        if isinstance(line, ast.Assign):
            for target in line.targets:
                if isinstance(target, ast.Name):
                    given[target.id].append(line.value)
        elif isinstance(line, ast.AnnAssign) and line.value and isinstance(line.target, ast.Name):
            given[line.target.id].append(line.value)
    for name, values in given.items():
        if len(values) == 1:
            yield name, values[0]


def is_plain(line: tuple[ast.expr, Mapping[str, Any]]) -> bool:
    """Whether a line gives a number outright: LAMBDA = 1.0507009873554805."""
    return isinstance(line[0], ast.Constant)


def meant(
    graph: Graph, value: float, known: Mapping[float, tuple[ast.expr, Mapping[str, Any]]]
) -> Node | None:
    """The node of what a number means, if a module's line says it and it has this value."""
    if value not in known or is_plain(known[value]):
        return None
    expression, lines = known[value]
    try:
        node = _node(graph, expression, lines, 0)
        (found,) = evaluate([node], {}, {})
    except (_NoReading, ValueError, ArithmeticError):
        return None
    apart = abs(float(found) - value)
    return node if apart <= ULPS * float(np.spacing(abs(value))) else None


class _NoReading(Exception):
    """An expression that is more than arithmetic on constants."""


def _node(g: Graph, x: ast.expr, lines: Mapping[str, ast.expr], depth: int) -> Node:
    if depth > DEEPEST:
        raise _NoReading
    if isinstance(x, ast.Constant) and type(x.value) in (int, float):
        return g.number(x.value if type(x.value) is int else Fraction(repr(x.value)))
    if isinstance(x, ast.Name) and x.id in lines:
        return _node(g, lines[x.id], lines, depth + 1)
    if isinstance(x, ast.UnaryOp) and isinstance(x.op, ast.USub | ast.UAdd):
        inner = _node(g, x.operand, lines, depth)
        return g.neg(inner) if isinstance(x.op, ast.USub) else inner
    if isinstance(x, ast.BinOp) and type(x.op) in _OPERATORS:
        a, b = (_node(g, y, lines, depth) for y in (x.left, x.right))
        return _OPERATORS[type(x.op)](g, a, b)
    if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Pow):
        return g.power(_node(g, x.left, lines, depth), _exponent(x.right))
    if isinstance(x, ast.Attribute) and _module(x.value) and x.attr in _NAMED:
        return g.number(_NAMED[x.attr])
    if isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) and _module(x.func.value):
        if len(x.args) == 1 and not x.keywords:
            inner = _node(g, x.args[0], lines, depth)
            if x.func.attr == "sqrt":
                return g.power(inner, Fraction(1, 2))
            if x.func.attr in _FUNCTIONS:
                return g.call(x.func.attr, inner)
    raise _NoReading


def _exponent(x: ast.expr) -> Fraction:
    sign = 1
    if isinstance(x, ast.UnaryOp) and isinstance(x.op, ast.USub):
        sign, x = -1, x.operand
    if isinstance(x, ast.Constant) and type(x.value) in (int, float):
        return sign * Fraction(repr(x.value))
    raise _NoReading


def _module(x: ast.expr) -> bool:
    return isinstance(x, ast.Name) and x.id in ("np", "numpy", "math")


__all__ = ["is_plain", "meant", "written"]
