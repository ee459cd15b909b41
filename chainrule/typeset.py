"""SymPy to LaTeX and to text, as a person writes it. Prints; never changes an expression.

σ′(z) for the derivative of an undefined function of one variable, ∂x₁/∂u₁ for one of several, a
vector's entries as x_{0}, conditions as ``t ≠ 0``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

_RELATIONS = {
    sp.Ne: ("≠", r"\neq"),
    sp.Eq: ("=", "="),
    sp.Gt: (">", ">"),
    sp.Ge: ("≥", r"\geq"),
    sp.Lt: ("<", "<"),
    sp.Le: ("≤", r"\leq"),
}


def _primes(e: sp.Derivative) -> int:
    """How many primes say this derivative: σ(z) by z; 0 where primes cannot."""
    inner, *by = e.args
    if isinstance(inner, AppliedUndef) and len(inner.args) == 1 and len(by) == 1:
        variable, count = by[0]
        if variable == inner.args[0] and int(count) <= 3:
            return int(count)
    return 0


def _partial(e: sp.Derivative) -> tuple[str, str] | None:
    """("x1", "u1") for ∂x₁/∂u₁, the first derivative of an undefined function of several."""
    inner, *by = e.args
    if isinstance(inner, AppliedUndef) and len(by) == 1 and by[0][1] == 1:
        variable = by[0][0]
        if isinstance(variable, AppliedUndef):
            variable = sp.Symbol(variable.func.__name__)
        return (inner.func.__name__, variable)
    return None


def _primes_at(e: sp.Subs) -> tuple[str, int, sp.Expr] | None:
    """("sigma", 1, w·a0 + b) for σ′ taken at w·a0 + b."""
    inner, variables, at = e.args
    if len(variables) == 1 and isinstance(inner, sp.Derivative):
        primes = _primes(inner)
        if primes and inner.args[0].args[0] == variables[0]:
            return inner.args[0].func.__name__, primes, at[0]
    return None


class _Latex(LatexPrinter):  # type: ignore[misc]
    def _print_Derivative(self, e: sp.Derivative) -> str:
        primes = _primes(e)
        if primes:
            name = self._print(sp.Symbol(e.args[0].func.__name__))
            mark = "'" * primes
            return f"{name}{mark}\\left({self._print(e.args[0].args[0])}\\right)"
        partial = _partial(e)
        if partial:
            of = self._print(sp.Symbol(partial[0]))
            return f"\\frac{{\\partial {of}}}{{\\partial {self._print(partial[1])}}}"
        return str(super()._print_Derivative(e))

    def _print_Subs(self, e: sp.Subs) -> str:
        found = _primes_at(e)
        if found is None:
            return str(super()._print_Subs(e))
        name, primes, at = found
        mark = "'" * primes
        return f"{self._print(sp.Symbol(name))}{mark}\\left({self._print(at)}\\right)"

    def _print_Heaviside(self, e: sp.Expr, exp: str | None = None) -> str:
        power = f"^{{{exp}}}" if exp else ""
        return f"\\operatorname{{step}}{power}\\left({self._print(e.args[0])}\\right)"

    def _print_sign(self, e: sp.Expr, exp: str | None = None) -> str:
        power = f"^{{{exp}}}" if exp else ""
        return f"\\operatorname{{sign}}{power}\\left({self._print(e.args[0])}\\right)"


class _Text(StrPrinter):  # type: ignore[misc]
    def _print_Derivative(self, e: sp.Derivative) -> str:
        primes = _primes(e)
        if primes:
            mark = "'" * primes
            return f"{e.args[0].func.__name__}{mark}({self._print(e.args[0].args[0])})"
        partial = _partial(e)
        if partial:
            return f"∂{partial[0]}/∂{self._print(partial[1])}"
        return str(super()._print_Derivative(e))

    def _print_Subs(self, e: sp.Subs) -> str:
        found = _primes_at(e)
        if found is None:
            return str(super()._print_Subs(e))
        name, primes, at = found
        mark = "'" * primes
        return f"{name}{mark}({self._print(at)})"

    def _print_Heaviside(self, e: sp.Expr) -> str:
        return f"step({self._print(e.args[0])})"

    def _print_Max(self, e: sp.Expr) -> str:
        return f"max({', '.join(self._print(a) for a in e.args)})"

    def _print_Min(self, e: sp.Expr) -> str:
        return f"min({', '.join(self._print(a) for a in e.args)})"

    def _print_Abs(self, e: sp.Expr) -> str:
        return f"abs({self._print(e.args[0])})"

    def _print_MatrixBase(self, e: Any) -> str:
        if e.cols == 1:
            return "[" + ", ".join(self._print(v) for v in e) + "]"
        rows = (", ".join(self._print(e[i, j]) for j in range(e.cols)) for i in range(e.rows))
        return "[" + ", ".join(f"[{row}]" for row in rows) + "]"

    _print_ImmutableDenseMatrix = _print_MutableDenseMatrix = _print_MatrixBase


def latex(e: Any, names: Mapping[sp.Symbol, str] | None = None) -> str:
    """LaTeX of an expression, a matrix or a condition.

    names : symbol → LaTeX, for symbols that need their own.
    """
    settings = {"symbol_names": dict(names or {}), "mat_delim": "["}
    for kind, (_, sign) in _RELATIONS.items():
        if isinstance(e, kind):
            return f"{latex(e.lhs, names)} {sign} {latex(e.rhs, names)}"
    if isinstance(e, (sp.And, sp.Or)):
        word = r" \;\text{and}\; " if isinstance(e, sp.And) else r" \;\text{or}\; "
        return word.join(latex(a, names) for a in sorted(e.args, key=str))
    return str(_Latex(settings).doprint(e))


def text(e: Any) -> str:
    """One line of text; where it is a formula, one that `chainrule.text` reads back.

    >>> x = sp.Symbol("x", real=True)
    >>> text(sp.Ne(x, 0)), text(sp.Max(x, 0)), text(sp.Function("s")(x).diff(x))
    ('x ≠ 0', 'max(0, x)', "s'(x)")
    """
    for kind, (sign, _) in _RELATIONS.items():
        if isinstance(e, kind):
            return f"{text(e.lhs)} {sign} {text(e.rhs)}"
    if isinstance(e, (sp.And, sp.Or)):
        word = " and " if isinstance(e, sp.And) else " or "
        return word.join(text(a) for a in sorted(e.args, key=str))
    return str(_Text().doprint(e))
