"""SymPy to LaTeX and to text, as a person writes it. Prints; never changes an expression.

σ′(z) for the derivative of an undefined function of one variable, ∂x₁/∂u₁ for one of several and
∂₁f(x·y, x) where its arguments are no names; x − y and not −y + x; a vector's entries as x_{0};
conditions as t ≠ 1 and not t − 1 ≠ 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp
from sympy.core.alphabets import greeks
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
_FLIPPED = {sp.Gt: sp.Lt, sp.Ge: sp.Le, sp.Lt: sp.Gt, sp.Le: sp.Ge}
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_COMPLEX = (sp.re, sp.im, sp.conjugate, sp.arg)


# -- what a derivative of an undefined function is called ------------------------------------------


def _primes(e: sp.Derivative) -> int:
    """How many primes say this derivative: σ(z) by z; 0 where primes cannot."""
    inner, *by = e.args
    if isinstance(inner, AppliedUndef) and len(inner.args) == 1 and len(by) == 1:
        variable, count = by[0]
        if variable == inner.args[0] and int(count) <= 3:
            return int(count)
    return 0


def _partial(e: sp.Derivative) -> tuple[str, list[sp.Basic]] | None:
    """("x1", [u1]) for ∂x₁/∂u₁, a derivative of an undefined function of several variables."""
    inner, *by = e.args
    if not isinstance(inner, AppliedUndef) or len(inner.args) < 2:
        return None
    variables = [v for v, count in by for _ in range(int(count))]
    if not all(v in inner.args for v in variables):
        return None
    named = [sp.Symbol(v.func.__name__) if isinstance(v, AppliedUndef) else v for v in variables]
    return inner.func.__name__, named


def _taken_at(e: sp.Subs) -> tuple[str, int, list[int], Sequence[sp.Expr]] | None:
    """What SymPy writes as Subs: (function, primes, slots, arguments).

    ("sigma", 1, [], [w·a0 + b]) is σ′(w·a0 + b); ("f", 0, [1], [x·y, x]) is ∂₁f(x·y, x).
    """
    inner, variables, at = e.args
    if not isinstance(inner, sp.Derivative) or not isinstance(inner.args[0], AppliedUndef):
        return None
    call, *by = inner.args
    if any(v not in call.args for v, _ in by):
        return None
    arguments = [a.xreplace(dict(zip(variables, at, strict=True))) for a in call.args]
    if len(call.args) == 1:
        primes = _primes(inner)
        return (call.func.__name__, primes, [], arguments) if primes else None
    slots = [call.args.index(v) + 1 for v, count in by for _ in range(int(count))]
    return call.func.__name__, 0, sorted(slots), arguments


# -- in which order --------------------------------------------------------------------------------


def _positive_first(terms: list[sp.Expr]) -> list[sp.Expr]:
    """Terms in SymPy's order, but with one in front that has no minus, if there is one."""
    if not terms or not terms[0].could_extract_minus_sign():
        return terms
    first = next((k for k, t in enumerate(terms) if not t.could_extract_minus_sign()), 0)
    return [terms[first], *terms[:first], *terms[first + 1 :]]


def _sides(e: sp.Basic) -> tuple[sp.Expr, type, sp.Expr]:
    """A relation with what is subtracted brought to the other side: t − 1 ≠ 0 is t ≠ 1."""
    left, right, kind = e.lhs, e.rhs, next(k for k in _RELATIONS if isinstance(e, k))
    if right != 0 or not isinstance(left, sp.Add):
        return left, kind, right
    terms = sp.Add.make_args(left)
    taken = [t for t in terms if t.could_extract_minus_sign() or t.is_Number]
    kept = [t for t in terms if t not in taken]
    if not kept:  # 1 − t > 0 is t < 1
        kept = [-t for t in terms if not t.is_Number]
        taken = [-t for t in terms if t.is_Number]
        kind = _FLIPPED.get(kind, kind)
    return sp.Add(*kept), kind, sp.Add(*(-t for t in taken))


class _Latex(LatexPrinter):  # type: ignore[misc]
    def _as_ordered_terms(self, expr: sp.Expr, order: str | None = None) -> list[sp.Expr]:
        return _positive_first(super()._as_ordered_terms(expr, order=order))

    def _call(self, head: str, arguments: Sequence[sp.Expr]) -> str:
        return f"{head}\\left({', '.join(self._print(a) for a in arguments)}\\right)"

    def _print_Derivative(self, e: sp.Derivative) -> str:
        primes = _primes(e)
        if primes:
            name = self._print(sp.Symbol(e.args[0].func.__name__))
            return self._call(name + "'" * primes, e.args[0].args)
        partial = _partial(e)
        if partial:
            name, by = partial
            power = f"^{{{len(by)}}}" if len(by) > 1 else ""
            below = " ".join(rf"\partial {self._print(v)}" for v in by)
            return rf"\frac{{\partial{power} {self._print(sp.Symbol(name))}}}{{{below}}}"
        return str(super()._print_Derivative(e))

    def _print_Subs(self, e: sp.Subs) -> str:
        found = _taken_at(e)
        if found is None:
            return str(super()._print_Subs(e))
        name, primes, slots, arguments = found
        marks = "".join(rf"\partial_{{{k}}} " for k in slots)
        return self._call(marks + self._print(sp.Symbol(name)) + "'" * primes, arguments)

    def _print_Heaviside(self, e: sp.Expr, exp: str | None = None) -> str:
        power = f"^{{{exp}}}" if exp else ""
        return self._call(rf"\operatorname{{step}}{power}", e.args[:1])

    def _print_sign(self, e: sp.Expr, exp: str | None = None) -> str:
        power = f"^{{{exp}}}" if exp else ""
        return self._call(rf"\operatorname{{sign}}{power}", e.args[:1])


class _Text(StrPrinter):  # type: ignore[misc]
    def _as_ordered_terms(self, expr: sp.Expr, order: str | None = None) -> list[sp.Expr]:
        return _positive_first(super()._as_ordered_terms(expr, order=order))

    def _call(self, head: str, arguments: Sequence[sp.Expr]) -> str:
        return f"{head}({', '.join(self._print(a) for a in arguments)})"

    def _print_Derivative(self, e: sp.Derivative) -> str:
        primes = _primes(e)
        if primes:
            return self._call(e.args[0].func.__name__ + "'" * primes, e.args[0].args)
        partial = _partial(e)
        if partial:
            name, by = partial
            power = {1: "", 2: "²", 3: "³"}.get(len(by), f"^{len(by)}")
            return f"∂{power}{name}/" + "".join(f"∂{self._print(v)}" for v in by)
        return str(super()._print_Derivative(e))

    def _print_Subs(self, e: sp.Subs) -> str:
        found = _taken_at(e)
        if found is None:
            return str(super()._print_Subs(e))
        name, primes, slots, arguments = found
        marks = "".join("∂" + str(k).translate(_SUBSCRIPTS) for k in slots)
        return self._call(marks + name + "'" * primes, arguments)

    def _print_Piecewise(self, e: sp.Expr) -> str:
        cases = [
            self._print(value) + ("" if condition == sp.true else f" if {text(condition)}")
            for value, condition in e.args
        ]
        return "(" + " else ".join(cases) + ")"

    def _print_Heaviside(self, e: sp.Expr) -> str:
        return self._call("step", e.args[:1])

    def _print_Max(self, e: sp.Expr) -> str:
        return self._call("max", e.args)

    def _print_Min(self, e: sp.Expr) -> str:
        return self._call("min", e.args)

    def _print_Abs(self, e: sp.Expr) -> str:
        return self._call("abs", e.args)

    def _print_MatrixBase(self, e: Any) -> str:
        if e.cols == 1:
            return "[" + ", ".join(self._print(v) for v in e) + "]"
        rows = (", ".join(self._print(e[i, j]) for j in range(e.cols)) for i in range(e.rows))
        return "[" + ", ".join(f"[{row}]" for row in rows) + "]"

    _print_ImmutableDenseMatrix = _print_MutableDenseMatrix = _print_MatrixBase


def letter(name: str) -> str:
    r"""A name as LaTeX: one letter in italics, a word upright, a number after it below.

    >>> letter("x1"), letter("theta_0"), letter("loss"), letter("W_hh"), letter("a0"), letter("_")
    ('x_{1}', '\\theta_{0}', '\\mathrm{loss}', 'W_{hh}', 'a_{0}', '\\_')
    """
    parts = [part for part in re.split(r"_+|(?<=[A-Za-z])(?=\d)", name) if part]
    if not parts:
        return name.replace("_", r"\_")
    stem, *below = parts
    shown = str(sp.latex(sp.Symbol(stem)))
    if len(stem) > 1 and shown == stem:
        shown = rf"\mathrm{{{stem}}}"
    below = [str(sp.latex(sp.Symbol(b))) if b.lower() in greeks else b for b in below]
    return shown + (f"_{{{' '.join(below)}}}" if below else "")


def letters(symbols: Mapping[str, Any]) -> dict[sp.Symbol, str]:
    r"""How LaTeX writes the symbols of variables: ``x[0]`` as x_{0}, ``W1[0,1]`` as {W_{1}}_{0,1}.

    Names that would look the same are written out: of x1 and x_1, x1 becomes \mathrm{x1}.

    symbols : name → its symbol, or the matrix of its symbols.
    Returns symbol → LaTeX; also for `Symbol(name)` itself, which stands for the whole variable.
    """
    shown: dict[sp.Symbol, str] = {}
    taken: set[str] = set()
    for name in sorted(symbols, key=lambda n: ("_" not in n, n)):
        value = symbols[name]
        plain, spelled = letter(name), rf"\mathrm{{{name.replace('_', chr(92) + '_')}}}"
        for base in (plain, spelled):
            new = _written(base, name, value)
            if taken.isdisjoint({base, *new.values()}):
                break
        taken |= {base, *new.values()}
        shown |= {**new, sp.Symbol(name): base}
    return shown


def _written(base: str, name: str, value: Any) -> dict[sp.Symbol, str]:
    if not isinstance(value, sp.MatrixBase):
        return {value: base} if isinstance(value, sp.Symbol) else {}
    head = f"{{{base}}}" if "_" in base else base
    return {
        s: f"{head}_{{{str(s.name)[len(name) + 1 : -1].replace(' ', '')}}}"
        for s in value
        if isinstance(s, sp.Symbol)
    }


def latex(e: Any, names: Mapping[sp.Symbol, str] | None = None) -> str:
    """LaTeX of an expression, a matrix or a condition.

    names : symbol → LaTeX, for symbols that need their own.
    """
    if isinstance(e, tuple(_RELATIONS)):
        left, kind, right = _sides(e)
        return f"{latex(left, names)} {_RELATIONS[kind][1]} {latex(right, names)}"
    if isinstance(e, (sp.And, sp.Or)):
        word = r" \;\text{and}\; " if isinstance(e, sp.And) else r" \;\text{or}\; "
        return word.join(latex(a, names) for a in sorted(e.args, key=str))
    # SymPy's printer asks for signs; of nested functions of a real symbol it takes minutes.
    known = dict(names or {})
    bare = {s: sp.Symbol(s.name) for s in e.free_symbols if s.is_real is not None}
    swapped = e.xreplace(bare)
    if not swapped.has(*_COMPLEX):
        e, known = swapped, {bare.get(s, s): name for s, name in known.items()}
    for s in e.free_symbols:
        known.setdefault(s, letter(s.name))
    return str(_Latex({"symbol_names": known, "mat_delim": "["}).doprint(e))


def text(e: Any) -> str:
    """One line of text; where it is a formula, one that `chainrule.text` reads back.

    >>> x, y = sp.symbols("x y", real=True)
    >>> text(sp.Ne(x - 1, 0)), text(sp.Max(x, 0)), text(sp.Function("s")(x).diff(x)), text(x - y)
    ('x ≠ 1', 'max(0, x)', "s'(x)", 'x - y')
    """
    if isinstance(e, tuple(_RELATIONS)):
        left, kind, right = _sides(e)
        return f"{text(left)} {_RELATIONS[kind][0]} {text(right)}"
    if isinstance(e, (sp.And, sp.Or)):
        word = " and " if isinstance(e, sp.And) else " or "
        return word.join(text(a) for a in sorted(e.args, key=str))
    return str(_Text().doprint(e))
