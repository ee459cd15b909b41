"""A user's SymPy objects and numbers, made ready: real symbols, exact numbers, explicit entries.

Only functions that chainrule can enclose are let in: of others it knows neither where they are
defined nor what their values are. A symbol's assumptions become conditions, and the user gets the
symbol back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from keyword import iskeyword
from math import isfinite
from typing import Any

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import Boolean, BooleanFunction
from sympy.matrices.expressions.matexpr import MatrixElement

from chainrule import text
from chainrule.derivation import Shape, show_shape
from chainrule.errors import BudgetError, DefinitionError, ShapeError, UsageError

_FUNCTIONS: tuple[Any, ...] = (
    *(sp.exp, sp.log, sp.sin, sp.cos, sp.tan, sp.cot, sp.sec, sp.csc),
    *(sp.asin, sp.acos, sp.atan, sp.acot, sp.atan2),
    *(sp.sinh, sp.cosh, sp.tanh, sp.coth, sp.sech, sp.csch, sp.asinh, sp.acosh, sp.atanh),
    *(sp.erf, sp.erfc, sp.gamma, sp.loggamma, sp.polygamma),
    *(sp.Abs, sp.sign, sp.Heaviside, sp.Max, sp.Min, sp.Piecewise),
)
_KINKED = (sp.Abs, sp.sign, sp.Heaviside, sp.Max, sp.Min, sp.Piecewise)
_KNOWN = (
    *(sp.Symbol, sp.Rational, sp.Add, sp.Mul, sp.Pow, AppliedUndef, sp.Derivative, sp.Subs),
    *(type(sp.pi), type(sp.E), sp.Tuple, Boolean, BooleanFunction),
    *_FUNCTIONS,
    sp.functions.elementary.piecewise.ExprCondPair,
)


@dataclass(frozen=True)
class Users:
    """What SymPy objects of the user's teach: their symbols by name, and shapes of matrices."""

    symbols: dict[str, sp.Symbol] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)


def symbols_of(name: str, shape: Shape) -> sp.Expr | sp.ImmutableDenseMatrix:
    """A real symbol ``x``, a column ``x[0], x[1]``, or a matrix ``W[0,0] …``."""
    if shape == ():
        return sp.Symbol(name, real=True)
    if len(shape) == 1:
        return sp.ImmutableDenseMatrix(
            [sp.Symbol(f"{name}[{i}]", real=True) for i in range(shape[0])]
        )
    m, n = shape
    cells = [sp.Symbol(f"{name}[{i},{j}]", real=True) for i in range(m) for j in range(n)]
    return sp.ImmutableDenseMatrix(m, n, cells)


def spelled(name: str) -> str:
    """A name with its Greek letters written out, as in a text: σ is sigma."""
    return "".join(text.GREEK.get(c, c) for c in name)


def check_name(given: str, what: str) -> str:
    """The name, spelled out, if it is one."""
    name = spelled(given)
    if not (name.isascii() and name.isidentifier()) or name.startswith("_"):
        raise DefinitionError(
            f"{what} {given!r} is no name: write a letter, then letters, digits and _"
        )
    if iskeyword(name):
        raise DefinitionError(f"{what} {given!r} is a word of Python; write it another way")
    if len(name) > text.MAX_NAME:
        raise DefinitionError(
            f"{what} {given[:20] + '…'!r} has {len(name):,} characters; "
            f"the limit is {text.MAX_NAME}"
        )
    return name


def number(value: Any, name: str) -> sp.Rational:
    """A number as the decimals that it shows, exactly."""
    if isinstance(value, (float, np.floating, Decimal)) and not isfinite(value):
        raise DefinitionError(f"{name} = {value} is not a real number; give a finite one")
    if isinstance(value, (int, np.integer)):
        exact = sp.Integer(int(value))
    elif isinstance(value, Fraction):
        exact = sp.Rational(value.numerator, value.denominator)
    else:
        exact = sp.Rational(str(value))
    _bounded(exact, name)
    return exact


def _bounded(exact: sp.Rational, name: str) -> None:
    bits = max(abs(int(exact.p)).bit_length(), int(exact.q).bit_length())
    if bits > text.MAX_BITS:
        raise BudgetError(
            f"{name} holds a number of {bits:,} bits; the limit is {text.MAX_BITS:,}: "
            "give it a name"
        )


def _explicit(expression: Any, name: str) -> Any:
    """Matrix expressions as their entries, traces and determinants written out."""

    def entries(e: Any) -> sp.ImmutableDenseMatrix:
        symbolic = [s for s in e.atoms(sp.MatrixSymbol) if not all(n.is_Integer for n in s.shape)]
        if symbolic:
            rows, columns = symbolic[0].shape
            raise ShapeError(
                f"{name}: the matrix {symbolic[0].name} is {rows}×{columns}; "
                "give it sizes that are numbers"
            )
        return sp.ImmutableDenseMatrix(e.as_explicit())

    if isinstance(expression, sp.MatrixExpr):
        return entries(expression)
    if expression.has(sp.Trace, sp.Determinant, MatrixElement):
        expression = expression.replace(sp.Trace, lambda m: entries(m).trace())
        expression = expression.replace(sp.Determinant, lambda m: entries(m).det())
        expression = expression.replace(
            lambda e: isinstance(e, MatrixElement) and not isinstance(e.args[0], sp.MatrixSymbol),
            lambda e: entries(e.args[0])[e.args[1:]],
        )
    return expression


def real(expression: Any, users: Users, name: str) -> Any:
    """A SymPy object with real symbols, Floats as the decimals they show."""
    expression = _explicit(expression, name)
    swap: dict[Any, Any] = {}
    for s in sorted(expression.free_symbols, key=str):
        if isinstance(s, sp.MatrixSymbol):
            continue
        if not isinstance(s, sp.Symbol) or isinstance(s, (sp.Dummy, sp.Wild)):
            raise UsageError(f"{name}: {s!r} ({type(s).__name__}) cannot be used; use a Symbol")
        called = check_name(s.name, f"{name}: the symbol")
        if s.is_extended_real is False:
            raise UsageError(
                f"{name}: the symbol {s.name} is not real; formulas are over the real numbers, "
                "make it with real=True"
            )
        if users.symbols.setdefault(called, s) != s:
            raise DefinitionError(
                f"two different symbols are called {s.name!r}; give both the same assumptions"
            )
        swap[s] = sp.Symbol(called, real=True)
    for e in sorted(expression.atoms(MatrixElement), key=str):
        matrix, *index = e.args
        if not all(i.is_Integer for i in index):
            raise UsageError(f"{name}: {e} has an index that is no number; give explicit entries")
        rows, columns = int(matrix.rows), int(matrix.cols)
        shape = (rows,) if columns == 1 else (rows, columns)
        known = users.shapes.setdefault(matrix.name, shape)
        if known != shape:
            raise ShapeError(
                f"{name} uses {matrix.name} as {show_shape(shape)}, and it is {show_shape(known)}; "
                "give it one shape"
            )
        swap[e] = symbols_of(matrix.name, shape)[tuple(map(int, index))]
    swap |= {f: number(f, name) for f in expression.atoms(sp.Float)}
    out = expression.xreplace(swap)
    if out.has(sp.factorial):
        out = out.replace(sp.factorial, lambda n: sp.gamma(n + 1))
    # Text makes real functions as well: an f of one and an f of the other are the same.
    out = out.replace(
        lambda e: isinstance(e, AppliedUndef),
        lambda e: sp.Function(e.func.__name__, real=True)(*e.args),
    )
    if out.has(sp.I, sp.nan, sp.zoo, sp.oo, -sp.oo):
        raise DefinitionError(f"{name} = {expression} is not a real number; formulas are real")
    for e in out if isinstance(out, sp.MatrixBase) else (out,):
        _known(e, name)
    return out


def _known(expression: sp.Basic, name: str) -> None:
    """Refuse what chainrule knows nothing of, and what is nowhere a real number."""
    seen: set[sp.Basic] = set()
    stack = [expression]
    while stack:
        e = stack.pop()
        if e in seen:
            continue
        seen.add(e)
        if not isinstance(e, _KNOWN):
            what = e if not e.args else type(e).__name__
            names = ", ".join(sorted(f.__name__ for f in _FUNCTIONS))
            raise UsageError(f"{name} uses {what}, which is not supported; use {names}")
        if isinstance(e, (sp.Derivative, sp.Subs)) and not e.has(AppliedUndef):
            raise UsageError(f"{name} holds {e}; carry it out first, with .doit()")
        if isinstance(e, sp.Rational):
            _bounded(e, name)
        if sp.false in _needs(e):
            raise DefinitionError(f"{name}: {e} is nowhere a real number; formulas are real")
        stack += e.args


def _needs(e: sp.Basic) -> list[sp.Basic]:
    """Under which one node is defined and differentiable."""
    if isinstance(e, sp.Pow) and e.exp.is_Rational:
        if not e.exp.is_Integer:
            return [sp.Gt(e.base, 0)] if not (e.base.is_Integer and e.base >= 0) else []
        return [sp.Ne(e.base, 0)] if e.exp.is_negative else []
    if isinstance(e, sp.Pow) and e.base is not sp.E:
        return [sp.Gt(e.base, 0)]
    if isinstance(e, (sp.log, sp.gamma, sp.loggamma)):
        return [sp.Gt(e.args[0], 0)]
    if isinstance(e, sp.polygamma):
        return [sp.Gt(e.args[1], 0)]
    if isinstance(e, (sp.tan, sp.sec)):
        return [sp.Ne(sp.cos(e.args[0]), 0)]
    if isinstance(e, (sp.cot, sp.csc)):
        return [sp.Ne(sp.sin(e.args[0]), 0)]
    if isinstance(e, (sp.asin, sp.acos, sp.atanh)):
        return [sp.Gt(e.args[0], -1), sp.Lt(e.args[0], 1)] if not e.is_number else []
    if isinstance(e, sp.acosh):
        return [sp.Gt(e.args[0], 1)]
    if isinstance(e, sp.atan2):
        return [sp.Gt(e.args[0] ** 2 + e.args[1] ** 2, 0)]
    if isinstance(e, (sp.Abs, sp.sign, sp.Heaviside, sp.acot, sp.coth, sp.csch)):
        return [sp.Ne(e.args[0], 0)]
    if isinstance(e, (sp.Max, sp.Min)):
        return [sp.Ne(a - b, 0) for i, a in enumerate(e.args) for b in e.args[i + 1 :]]
    if isinstance(e, sp.Piecewise):
        relations = [
            r for _, c in e.args for r in sorted(c.atoms(sp.core.relational.Relational), key=str)
        ]
        return [sp.Ne(r.lhs - r.rhs, 0) for r in relations]
    return []


def conditions_of(expression: sp.Basic, kinks: bool = True) -> list[sp.Basic]:
    """Under which a SymPy expression is defined and differentiable, read off its nodes.

    kinks : False leaves out where it has a value and no derivative: |x| at 0.
    """
    nodes = [e for e in sp.preorder_traversal(expression) if kinks or not isinstance(e, _KINKED)]
    found = [c for e in nodes for c in _needs(e)]
    return [c for c in dict.fromkeys(found) if c not in (sp.true, sp.false)]


def assumed(symbol: sp.Symbol) -> list[sp.Basic]:
    """What a user's symbol assumes, as conditions on ours of the same name."""
    ours = sp.Symbol(spelled(symbol.name), real=True)
    if symbol.is_positive:
        return [sp.Gt(ours, 0)]
    if symbol.is_negative:
        return [sp.Lt(ours, 0)]
    found = [sp.Ge(ours, 0)] if symbol.is_nonnegative else []
    found += [sp.Le(ours, 0)] if symbol.is_nonpositive else []
    return found + ([sp.Ne(ours, 0)] if symbol.is_nonzero else [])
