"""What things are called: ∂f/∂x or df/dt, x for (x1, x2), a value, a factor in brackets.

Each comes as (LaTeX, text). Says nothing about a derivation as a whole: that is `steps`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

import sympy as sp

from chainrule.derivation import FormulaDerivation, show_shape
from chainrule.formulas.chain import Chain
from chainrule.formulas.definitions import System, Value
from chainrule.formulas.differentiate import size
from chainrule.typeset import latex, letters, text

Both: TypeAlias = tuple[str, str]  # LaTeX, text
SHOWN_ENTRIES = 48
SHOWN_SIZE = 250
SHOWN_NAMES = 3


class Words:
    """The names of a derivation's variables, and what is made of them."""

    def __init__(self, derivation: FormulaDerivation, system: System, chain: Chain) -> None:
        self.derivation = derivation
        self.system = system
        self.chain = chain
        self.letters = letters(system.symbols)
        self.recursive = any(paths is None for paths in chain.paths.values())
        self.below: dict[str, set[str]] = {}  # what a name depends on, itself included
        for name in chain.active:
            self.below[name] = {name}.union(*(self.below[p] for p in chain.parents(name)))

    def latex(self, e: sp.Basic) -> str:
        return latex(e, self.letters)

    def symbol(self, name: str) -> str:
        return self.latex(sp.Symbol(name))

    def group(self, names: Sequence[str]) -> Both:
        """What several variables together are called: x for x1, x2; else (x, y)."""
        if len(names) == 1:
            return self.symbol(names[0]), names[0]
        stems = {re.sub(r"\d+$", "", n) for n in names}
        stem = next(iter(stems))
        if len(stems) == 1 and stem and stem not in self.system.symbols:
            return self.symbol(stem), stem
        return (
            r"\left(" + ", ".join(self.symbol(n) for n in names) + r"\right)",
            f"({', '.join(names)})",
        )

    def shaped(self, names: Sequence[str]) -> str:
        """``W (2×3), b (2×1), t``: variables with their shapes."""
        return ", ".join(f"{n} {self.shape(n)}".strip() for n in names)

    def shape(self, name: str) -> str:
        shape = self.system.shapes[name]
        return show_shape((*shape, 1) if len(shape) == 1 else shape) if shape else ""

    # -- quotients -----------------------------------------------------------------------------

    def single(self, names: Sequence[str]) -> bool:
        """Whether these depend on one scalar alone, so that d is written and not ∂."""
        return all(
            len(self.system.needs.get(n, ())) == 1
            and self.system.shapes[self.system.needs[n][0]] == ()
            for n in names
        )

    @property
    def total(self) -> bool:
        """Whether the whole derivative is by the only free scalar there is."""
        d = self.derivation
        return len(d.wrt) == 1 and self.system.shapes[d.wrt[0]] == () and not d.parameters

    def quotient(self, outputs: Sequence[str], inputs: Sequence[str], total: bool) -> Both:
        """∂outputs/∂inputs, or d for a total derivative."""
        (top, top_text), (bottom, bottom_text) = self.group(outputs), self.group(inputs)
        if total:
            return (
                rf"\frac{{\mathrm{{d}} {top}}}{{\mathrm{{d}} {bottom}}}",
                f"d{top_text}/d{bottom_text}",
            )
        return rf"\frac{{\partial {top}}}{{\partial {bottom}}}", f"∂{top_text}/∂{bottom_text}"

    def whole(self, output: str, variable: str) -> Both:
        """The derivative itself: of an output by an input, all paths together."""
        return self.quotient([output], [variable], self.total and variable in self.derivation.wrt)

    def held(self, output: str, used: str) -> list[str]:
        """What ∂output/∂used holds fixed, where it could be taken for the whole derivative."""
        d = self.derivation
        if output not in d.of or not (self.recursive or used in d.wrt):
            return []
        if self.total and used in d.wrt:
            return []
        return [p for p in self.chain.parents(output) if p != used and used in self.below[p]]

    def edge(self, output: str, used: str) -> Both:
        """A local partial; with a bar, ∂f/∂x|y, where the whole derivative is called the same."""
        shown, plain = self.quotient([output], [used], self.single([output]))
        held = self.held(output, used)
        if not held:
            return shown, plain
        more = len(held) > SHOWN_NAMES
        letters = ", ".join([self.symbol(n) for n in held[:SHOWN_NAMES]] + [r"\dots"] * more)
        names = ",".join(held[:SHOWN_NAMES] + ["…"] * more)
        return rf"\left.{shown}\right|_{{{letters}}}", f"{plain}|{names}"

    # -- values --------------------------------------------------------------------------------

    def readable(self, e: Value) -> bool:
        """Whether a value is small enough to be written out."""
        nodes = sum(map(size, e)) if isinstance(e, sp.MatrixBase) else size(e)
        return nodes <= SHOWN_SIZE and not (isinstance(e, sp.MatrixBase) and len(e) > SHOWN_ENTRIES)

    def value(self, e: Value) -> Both:
        """A matrix of one entry as that entry; what is too large to read by its size."""
        if isinstance(e, sp.MatrixBase) and e.shape == (1, 1):
            e = e[0, 0]
        if isinstance(e, sp.MatrixBase) and not self.readable(e):
            return (
                rf"\text{{a matrix }} {e.rows} \times {e.cols}",
                f"a matrix {show_shape(e.shape)}",
            )
        if not self.readable(e):
            says = f"a formula of {size(e):,} symbols"
            return rf"\text{{{says}}}", says
        return self.latex(e), text(e)

    def factor(self, e: Value) -> Both:
        """A value as a factor: in brackets where it needs them."""
        shown, plain = self.value(e)
        if isinstance(e, sp.MatrixBase) and e.shape != (1, 1):
            return shown, plain
        inner = e[0, 0] if isinstance(e, sp.MatrixBase) else e
        power = inner.is_Pow and inner.base.is_Symbol and not inner.exp.could_extract_minus_sign()
        if isinstance(inner, (sp.Symbol, sp.Derivative, sp.Subs, sp.Function)) or (
            power or (inner.is_Integer and inner >= 0)
        ):
            return shown, plain
        return rf"\left({shown}\right)", f"({plain})"

    def product(self, values: Sequence[Value]) -> Both:
        """Values multiplied: in brackets where they need them; one alone needs them as a term."""
        if len(values) == 1:
            inner = values[0][0, 0] if isinstance(values[0], sp.MatrixBase) else values[0]
            bare = not (inner.is_Add or inner.could_extract_minus_sign())
            return self.value(inner) if bare else self.factor(inner)
        parts = [self.factor(v) for v in values]
        return r" \cdot ".join(p[0] for p in parts), "·".join(p[1] for p in parts)
