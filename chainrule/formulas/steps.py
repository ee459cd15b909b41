"""A derivation in words and formulas: the steps that a careful person writes down.

Every line comes twice, as LaTeX for pages and as text for a terminal, from the same objects.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import sympy as sp

from chainrule.derivation import Derivation, Line, Step, show_shape, symbol_names
from chainrule.formulas.chain import Chain
from chainrule.formulas.definitions import System, Value, entries
from chainrule.formulas.differentiate import simpler
from chainrule.typeset import latex, text

Matrix: TypeAlias = sp.ImmutableDenseMatrix
SHOWN_ENTRIES = 48
SHOWN_TERMS = 6


@dataclass(frozen=True)
class Agreement:
    """The second route: how it agrees ("exact", "points", "" unknown), and what it gave."""

    how: str
    composed: Mapping[str, Value]
    direct: Mapping[tuple[str, str], Matrix]


class _Writer:
    def __init__(self, derivation: Derivation, system: System, chain: Chain) -> None:
        self.derivation = derivation
        self.system = system
        self.chain = chain
        self.names = symbol_names(system.symbols)
        self.taken = set(system.symbols)

    # -- how things are called -------------------------------------------------------------------

    def latex(self, e: sp.Basic) -> str:
        return latex(e, self.names)

    def group(self, names: Sequence[str]) -> tuple[str, str]:
        """What several variables together are called: x for x1, x2; else (x, y)."""
        if len(names) == 1:
            return self.symbol(names[0]), names[0]
        stems = {re.sub(r"\d+$", "", n) for n in names}
        stem = next(iter(stems))
        if len(stems) == 1 and stem and stem not in self.taken:
            return self.symbol(stem), stem
        return (
            r"\left(" + ", ".join(self.symbol(n) for n in names) + r"\right)",
            f"({', '.join(names)})",
        )

    def symbol(self, name: str) -> str:
        return latex(sp.Symbol(name))

    def single(self, names: Sequence[str]) -> bool:
        """Whether these depend on one scalar alone, so that d is written and not ∂."""
        return all(
            len(self.system.needs.get(n, ())) == 1
            and self.system.shapes[self.system.needs[n][0]] == ()
            for n in names
        )

    def total(self, outputs: Sequence[str]) -> bool:
        """Whether the whole derivative is by the only free scalar there is."""
        d = self.derivation
        return len(d.wrt) == 1 and self.system.shapes[d.wrt[0]] == () and not d.parameters

    def quotient(
        self, outputs: Sequence[str], inputs: Sequence[str], total: bool
    ) -> tuple[str, str]:
        """∂outputs/∂inputs, or d for a total derivative."""
        (top, top_text), (bottom, bottom_text) = self.group(outputs), self.group(inputs)
        if total:
            return (
                rf"\frac{{\mathrm{{d}} {top}}}{{\mathrm{{d}} {bottom}}}",
                f"d{top_text}/d{bottom_text}",
            )
        return (
            rf"\frac{{\partial {top}}}{{\partial {bottom}}}",
            f"∂{top_text}/∂{bottom_text}",
        )

    def edge(self, output: str, used: str) -> tuple[str, str]:
        return self.quotient([output], [used], self.single([output]))

    def value(self, e: Value) -> tuple[str, str]:
        """A matrix of one entry as that entry; a large one by its shape."""
        if isinstance(e, sp.MatrixBase):
            if e.shape == (1, 1):
                e = e[0, 0]
            elif len(e) > SHOWN_ENTRIES:
                shape = show_shape(e.shape)
                return rf"\text{{a matrix }} {e.rows} \times {e.cols}", f"a matrix {shape}"
        return self.latex(e), text(e)

    def factor(self, e: Value) -> tuple[str, str]:
        """A value as a factor: in brackets where it needs them."""
        shown, plain = self.value(e)
        if isinstance(e, sp.MatrixBase) and e.shape != (1, 1):
            return shown, plain
        inner = e[0, 0] if isinstance(e, sp.MatrixBase) else e
        if isinstance(inner, (sp.Symbol, sp.Derivative, sp.Function)) or (
            inner.is_Number and inner.is_Integer and inner >= 0
        ):
            return shown, plain
        return rf"\left({shown}\right)", f"({plain})"

    # -- the steps -------------------------------------------------------------------------------

    def definitions(self) -> Step:
        lines = []
        met = list(self.derivation.of)
        for name in met:  # outputs first, then what they use, level by level
            met += [n for n in self.system.needs.get(name, ()) if n not in met]
        for name in met:
            if name not in self.system.values:
                continue
            value = self.system.values[name]
            shown, plain = self.value(value)
            shape = self.system.shapes[name]
            lines.append(
                Line(
                    f"{self.symbol(name)} = {shown}",
                    f"{name} = {plain}",
                    show_shape((*shape, 1) if len(shape) == 1 else shape) if shape else "",
                )
            )
        held = [n for n in self.derivation.parameters]
        free = ", ".join(self.derivation.wrt)
        says = (
            f"The variable is {free}."
            if len(self.derivation.wrt) == 1
            else (f"The variables are {free}.")
        )
        if held:
            says += f" Held fixed: {', '.join(held)}."
        if self.derivation.undefined:
            says += f" Not specified further: {', '.join(self.derivation.undefined)}."
        return Step("definitions", "Definitions", says, tuple(lines))

    def partials(self) -> Step | None:
        lines = []
        if self.chain.factors:
            for f in self.chain.factors:
                name, plain = self.quotient(f.outputs, f.inputs, self.single(f.outputs))
                shown, value = self.value(f.matrix)
                lines.append(
                    Line(f"{name} = {shown}", f"{plain} = {value}", show_shape(f.matrix.shape))
                )
        else:
            for (output, used), matrix in reversed(list(self.chain.local.items())):
                name, plain = self.edge(output, used)
                shown, value = self.value(matrix)
                lines.append(
                    Line(f"{name} = {shown}", f"{plain} = {value}", show_shape(matrix.shape))
                )
        if not lines:
            return None
        says = "Each as a Jacobian: a row for each output, a column for each input."
        return Step("partials", "Local partial derivatives", says, tuple(lines))

    def rule(self) -> list[Step]:
        """The chain rule itself: a product of Jacobians, or a sum over paths."""
        out = []
        d = self.derivation
        if self.chain.factors:
            left, left_text = self.quotient(d.of, d.wrt, self.total(d.of))
            parts = [
                self.quotient(f.outputs, f.inputs, self.single(f.outputs))
                for f in self.chain.factors
            ]
            shape = show_shape(d.jacobian.shape)
            shapes = "".join(show_shape(f.matrix.shape) for f in self.chain.factors)
            product = " ".join(self.factor(f.matrix)[0] for f in self.chain.factors)
            plain = " · ".join(self.factor(f.matrix)[1] for f in self.chain.factors)
            if len(parts) > 1:
                out.append(
                    Step(
                        "product",
                        "Chain rule: the product of the Jacobians",
                        "",
                        (
                            Line(
                                f"{left} = " + r" \cdot ".join(p[0] for p in parts),
                                f"{left_text} = " + " · ".join(p[1] for p in parts),
                                f"{shape} = {shapes}",
                            ),
                            Line(f"{left} = {product}", f"{left_text} = {plain}"),
                        ),
                    )
                )
        sums = []
        for (o, i), paths in self.chain.paths.items():
            if paths is None:
                sums += self.recursion(o, i)
            elif len(paths) > 1 or (paths and not self.chain.factors):
                sums += self.path_sum(o, i, paths)
        if sums:
            several = any(p is None or len(p) > 1 for p in self.chain.paths.values())
            title = "sum over the paths" if several else "product along the path"
            out.append(Step("paths", f"Chain rule: the {title}", "", tuple(sums)))
        return out

    def path_sum(self, o: str, i: str, paths: Sequence[tuple[str, ...]]) -> list[Line]:
        left, left_text = self.quotient([o], [i], self.total([o]))
        terms, plain, shapes = [], [], []
        for path in paths:
            edges = list(itertools.pairwise(path))
            terms.append(r" ".join(self.edge(a, b)[0] for a, b in edges))
            plain.append(" ".join(self.edge(a, b)[1] for a, b in edges))
            shapes.append("".join(show_shape(self.chain.local[e].shape) for e in edges))
        total = show_shape(self.chain.totals[o, i].shape)
        scalar = all(
            self.chain.local[a, b].shape == (1, 1)
            for path in paths
            for a, b in itertools.pairwise(path)
        )
        note = "" if scalar else f"{total} = {' + '.join(shapes)}"
        lines = [Line(f"{left} = {' + '.join(terms)}", f"{left_text} = {' + '.join(plain)}", note)]
        if scalar and len(paths) <= SHOWN_TERMS:
            values = [
                [self.factor(self.chain.local[e]) for e in itertools.pairwise(path)]
                for path in paths
            ]
            lines.append(
                Line(
                    f"{left} = " + " + ".join(" ".join(v[0] for v in term) for term in values),
                    f"{left_text} = " + " + ".join("·".join(v[1] for v in term) for term in values),
                )
            )
        return lines

    def recursion(self, o: str, i: str) -> list[Line]:
        """∂o/∂u = Σ ∂o/∂v ∂v/∂u for every u, where the paths are too many to list."""
        lines = []
        for used in reversed(self.chain.active):
            users = [a for a, b in self.chain.local if b == used and a != o]
            if used == o or not users:
                continue
            direct = [(o, used)] if (o, used) in self.chain.local else []
            left, left_text = self.quotient([o], [used], False)
            terms = [self.edge(o, used)] if direct else []
            for user in users:
                a, b = self.quotient([o], [user], False), self.edge(user, used)
                terms.append((f"{a[0]} {b[0]}", f"{a[1]} {b[1]}"))
            lines.append(
                Line(
                    f"{left} = " + " + ".join(t[0] for t in terms),
                    f"{left_text} = " + " + ".join(t[1] for t in terms),
                )
            )
        return lines

    def results(self, plain: Mapping[tuple[str, str], Matrix]) -> list[Step]:
        substituted, simplified = [], []
        for (o, i), block in self.derivation.blocks.items():
            left, left_text = self.quotient([o], [i], self.total([o]))
            raw, raw_text = self.value(block.raw)
            value, value_text = self.value(plain[o, i])
            short, short_text = self.value(block.matrix)
            note = "" if block.shape == (1, 1) else show_shape(block.shape)
            substituted.append(Line(f"{left} = {raw}", f"{left_text} = {raw_text}", note))
            if plain[o, i] != block.raw:
                substituted.append(
                    Line(f"{left} = {value}", f"{left_text} = {value_text}", "in the variables")
                )
            if block.matrix != plain[o, i]:
                simplified.append(Line(f"{left} = {short}", f"{left_text} = {short_text}", note))
        out = [Step("substitution", "Put together", "", tuple(substituted))]
        if simplified:
            out.append(
                Step(
                    "simplification",
                    "Simplified",
                    "Shorter forms, each proved equal by exact algebra.",
                    tuple(simplified),
                )
            )
        return out

    def conditions(self) -> Step:
        found = self.derivation.conditions
        if not found:
            return Step("conditions", "Conditions", "None: it holds for all real values.")
        lines = tuple(Line(self.latex(c), text(c)) for c in found)
        return Step("conditions", "Conditions", "All of this holds where", lines)

    def second(self, agreement: Agreement) -> Step:
        title = "Second route: substitute first, then differentiate"
        if not agreement.composed:
            return Step(
                "second route",
                title,
                "Left out: written out in the variables alone the formulas are too long to read.",
            )
        lines = []
        for o, value in agreement.composed.items():
            shown, plain = self.value(value)
            lines.append(Line(f"{self.symbol(o)} = {shown}", f"{o} = {plain}"))
        for (o, i), matrix in agreement.direct.items():
            left, left_text = self.quotient([o], [i], self.total([o]))
            shown, plain = self.value(matrix)
            lines.append(Line(f"{left} = {shown}", f"{left_text} = {plain}"))
        says = {
            "exact": "Both routes agree: exact algebra proves it.",
            "points": "Both routes agree at every certified point tried; exact algebra could not "
            "prove it.",
            "": "Whether the routes agree could not be told: no point could be evaluated.",
        }[agreement.how]
        return Step("second route", title, says, tuple(lines))

    def remarks(self, plain: Mapping[tuple[str, str], Matrix]) -> list[Step]:
        lines: list[Line] = []
        d = self.derivation
        for name in d.wrt:
            if name not in self.chain.active:
                for o in d.of:
                    lines.append(
                        Line(
                            rf"\text{{{self._words(o)} does not depend on {self._words(name)}}}",
                            f"{o} does not depend on {name}: the derivative is 0",
                        )
                    )
        lines += self.collapses()
        lines += self.cancellations()
        return [Step("remark", "Worth seeing", "", tuple(lines))] if lines else []

    @staticmethod
    def _words(name: str) -> str:
        return name.replace("_", r"\_")

    def collapses(self) -> list[Line]:
        """Parts of a definition that change with nothing once everything is put in."""
        closed = self.derivation.closed
        if self.derivation.undefined:
            return []
        swap = {
            s: v
            for n in closed
            for s, v in zip(entries(self.system.symbols[n]), entries(closed[n]), strict=True)
        }
        variables = {s for i in self.derivation.wrt for s in entries(self.system.symbols[i])}
        lines: list[Line] = []
        for name in self.chain.active:
            if name not in closed or name not in self.system.values:
                continue
            value = self.system.values[name]
            for e in entries(value):
                found = self._constant_part(e, swap, variables)
                if found is None:
                    continue
                part, constant = found
                whole = closed[name]
                lines.append(
                    Line(
                        f"{self.latex(part)} = {self.latex(constant)}",
                        f"{text(part)} = {text(constant)}",
                        f"it does not change with {', '.join(self.derivation.wrt)}",
                    )
                )
                if (
                    name in self.derivation.of
                    and part != e
                    and not isinstance(whole, sp.MatrixBase)
                ):
                    short = simpler(whole)
                    lines.append(
                        Line(
                            f"{self.symbol(name)} = {self.latex(short)}",
                            f"{name} = {text(short)}",
                            "so this is all that is left",
                        )
                    )
        return lines[:SHOWN_TERMS]

    def _constant_part(
        self, e: sp.Expr, swap: Mapping[sp.Basic, sp.Basic], variables: set[sp.Symbol]
    ) -> tuple[sp.Expr, sp.Expr] | None:
        for part in sp.postorder_traversal(e):  # the innermost says most
            inner = part.free_symbols & set(swap)
            if len(part.args) == 0 or not inner or not isinstance(part, sp.Expr):
                continue
            value = part.xreplace(dict(swap))
            depends = any(swap[s].free_symbols & variables for s in inner)
            if depends and sp.count_ops(value) < 100:
                value = simpler(value)
                if not value.free_symbols & variables:
                    return part, value
        return None

    def cancellations(self) -> list[Line]:
        """Paths whose contributions are not 0 and whose sum is."""
        lines: list[Line] = []
        swap = {
            s: v
            for n, value in self.derivation.closed.items()
            for s, v in zip(entries(self.system.symbols[n]), entries(value), strict=True)
        }
        for paths in self.chain.paths.values():
            if paths is None or len(paths) < 3 or self.derivation.undefined:
                continue
            terms = [self.chain.along(p).xreplace(swap) for p in paths]
            if any(t.shape != (1, 1) or sp.count_ops(t[0, 0]) > 100 for t in terms):
                continue
            for a in range(len(paths)):
                for b in range(a + 1, len(paths)):
                    total = simpler(terms[a][0, 0] + terms[b][0, 0])
                    if total == 0 and simpler(terms[a][0, 0]) != 0:
                        via = [", ".join(paths[k][1:-1]) for k in (a, b)]
                        names = " and ".join(via)
                        lines.append(
                            Line(
                                rf"\text{{the terms through {self._words(names)} cancel}}",
                                f"the terms through {names} cancel",
                            )
                        )
        return lines


def write(
    derivation: Derivation,
    system: System,
    chain: Chain,
    plain: Mapping[tuple[str, str], Matrix],
    agreement: Agreement,
) -> tuple[Step, ...]:
    """The steps of a derivation, in order."""
    w = _Writer(derivation, system, chain)
    partials = w.partials()
    return (
        w.definitions(),
        *([partials] if partials else []),
        *w.rule(),
        *w.results(plain),
        *w.remarks(plain),
        w.conditions(),
        w.second(agreement),
    )
