"""A derivation in words and formulas: the steps that a careful person writes down.

Every line comes twice, as LaTeX for pages and as text for a terminal, from the same objects.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import sympy as sp

from chainrule.derivation import FormulaDerivation, Line, Step, show_shape
from chainrule.formulas.chain import Chain
from chainrule.formulas.definitions import System, Value
from chainrule.formulas.remarks import remarks
from chainrule.formulas.wording import Both, Words
from chainrule.typeset import text

Matrix: TypeAlias = sp.ImmutableDenseMatrix
SHOWN_WIDTH = 200  # characters of a line of the second route
SHOWN_TERMS = 6


@dataclass(frozen=True)
class Agreement:
    """The second route: how it agrees ("exact", "points", "" unknown), and what it gave."""

    how: str
    composed: Mapping[str, Value]
    direct: Mapping[tuple[str, str], Matrix]


def _equals(left: Both, right: Both, note: str = "") -> Line:
    return Line(f"{left[0]} = {right[0]}", f"{left[1]} = {right[1]}", note)


def _joined(parts: Sequence[Both], sign: str, plain: str) -> Both:
    return sign.join(p[0] for p in parts), plain.join(p[1] for p in parts)


def _definitions(w: Words) -> Step:
    lines = []
    met = list(w.derivation.of)
    for name in met:  # outputs first, then what they use, level by level
        met += [n for n in w.system.needs.get(name, ()) if n not in met]
        if name in w.system.values:
            value = w.value(w.system.values[name])
            lines.append(_equals((w.symbol(name), name), value, w.shape(name)))
    d = w.derivation
    several = len(d.wrt) > 1
    says = f"The variable{'s are' if several else ' is'} {w.shaped(d.wrt)}."
    if d.parameters:
        says += f" Held fixed: {w.shaped(d.parameters)}."
    if d.undefined:
        says += f" Not specified further: {', '.join(d.undefined)}."
    return Step("definitions", "Definitions", says, tuple(lines))


def _partials(w: Words) -> Step | None:
    says = "Each as a Jacobian: a row for each output, a column for each input."
    lines = []
    if w.chain.factors:
        for f in w.chain.factors:
            name = w.quotient(f.outputs, f.inputs, w.single(f.outputs))
            lines.append(_equals(name, w.value(f.matrix), show_shape(f.matrix.shape)))
    else:
        for (output, used), matrix in reversed(list(w.chain.local.items())):
            name = w.edge(output, used)
            lines.append(_equals(name, w.value(matrix), show_shape(matrix.shape)))
        barred = [w.edge(*pair)[1] for pair in w.chain.local if w.held(*pair)]
        if barred:
            shortest = min(barred, key=len)
            says += f" {shortest} is taken with {shortest.split('|')[1]} fixed."
    return Step("partials", "Local partial derivatives", says, tuple(lines)) if lines else None


def _rule(w: Words) -> list[Step]:
    """The chain rule itself: a product of Jacobians, or a sum over paths."""
    out = []
    d, factors = w.derivation, w.chain.factors
    if len(factors) > 1:
        left = w.quotient(d.of, d.wrt, w.total)
        names = [w.quotient(f.outputs, f.inputs, w.single(f.outputs)) for f in factors]
        shapes = "".join(show_shape(f.matrix.shape) for f in factors)
        values = [w.factor(f.matrix) for f in factors]
        note = f"{show_shape(d.jacobian.shape)} = {shapes}"
        lines = (
            _equals(left, _joined(names, r" \cdot ", " · "), note),
            _equals(left, _joined(values, r" \cdot ", " · ")),
        )
        out.append(Step("product", "Chain rule: the product of the Jacobians", "", lines))
    sums = []
    for (o, i), paths in w.chain.paths.items():
        if paths is None:
            sums += _recursion(w, o, i)
        elif len(paths) > 1 or (not factors and any(len(p) > 2 for p in paths)):
            sums += _path_sum(w, o, i, paths)
    if sums:
        several = any(p is None or len(p) > 1 for p in w.chain.paths.values())
        title = "sum over the paths" if several else "product along the path"
        out.append(Step("paths", f"Chain rule: the {title}", "", tuple(sums)))
    return out


def _path_sum(w: Words, o: str, i: str, paths: Sequence[tuple[str, ...]]) -> list[Line]:
    left = w.whole(o, i)
    edges = [list(itertools.pairwise(path)) for path in paths]
    terms = [_joined([w.edge(a, b) for a, b in path], " ", " ") for path in edges]
    local = [[w.chain.local[e] for e in path] for path in edges]
    scalar = all(m.shape == (1, 1) for path in local for m in path)
    shapes = " + ".join("".join(show_shape(m.shape) for m in path) for path in local)
    note = "" if scalar else f"{show_shape(w.chain.totals[o, i].shape)} = {shapes}"
    lines = [_equals(left, _joined(terms, " + ", " + "), note)]
    if scalar and len(paths) <= SHOWN_TERMS:
        lines.append(_equals(left, _joined([w.product(path) for path in local], " + ", " + ")))
    return lines


def _recursion(w: Words, o: str, i: str) -> list[Line]:
    """∂o/∂u = Σ ∂o/∂v ∂v/∂u for every u between, where the paths are too many to list."""
    lines = []
    for used in reversed(w.chain.active):
        users = [a for a, b in w.chain.local if b == used and a != o and a in w.below[o]]
        if used == o or i not in w.below[used] or not users:
            continue
        terms = [w.edge(o, used)] if (o, used) in w.chain.local else []
        terms += [_joined([w.whole(o, a), w.edge(a, used)], " ", " ") for a in users]
        lines.append(_equals(w.whole(o, used), _joined(terms, " + ", " + ")))
    return lines


def _results(w: Words, plain: Mapping[tuple[str, str], Matrix]) -> list[Step]:
    substituted: list[Line] = []
    simplified: list[Line] = []
    for (o, i), block in w.derivation.blocks.items():
        left = w.whole(o, i)
        in_shape = block.output_shape == () and len(block.input_shape) == 2
        shape = block.input_shape if in_shape else block.shape
        note = "" if shape == (1, 1) else show_shape(shape)
        if in_shape:
            note += f", in the shape of {i}"
        raw, put, short = (Matrix(*shape, list(m)) for m in (block.raw, plain[o, i], block.matrix))
        substituted.append(_equals(left, w.value(raw), note))
        if put != raw and w.readable(put):
            substituted.append(_equals(left, w.value(put), "in the variables"))
        if short != put and w.readable(short):
            simplified.append(_equals(left, w.value(short), note))
    out = [Step("substitution", "Put together", "", tuple(substituted))]
    if simplified:
        says = "Shorter forms, each proved equal by exact algebra."
        out.append(Step("simplification", "Simplified", says, tuple(simplified)))
    return out


def _conditions(w: Words) -> Step:
    found = w.derivation.conditions
    if not found:
        return Step("conditions", "Conditions", "None: it holds for all real values.")
    lines = tuple(Line(w.latex(c), text(c)) for c in found)
    return Step("conditions", "Conditions", "All of this holds where", lines)


def _second(w: Words, agreement: Agreement) -> Step:
    title = "Second route: substitute first, then differentiate"
    if not agreement.composed:
        says = "Left out: written out in the variables alone the formulas are too long to read."
        return Step("second route", title, says)
    sides = [((w.symbol(o), o), value) for o, value in agreement.composed.items()]
    sides += [(w.whole(o, i), matrix) for (o, i), matrix in agreement.direct.items()]
    lines = [_equals(left, w.value(value)) for left, value in sides if w.readable(value)]
    shown = [line for line in lines if len(line.text) <= SHOWN_WIDTH]
    says = {
        "exact": "Both routes agree: exact algebra proves it.",
        "points": "Both routes agree at every certified point tried; exact algebra could not "
        "prove it.",
        "": "Whether the routes agree could not be told: no point could be evaluated.",
    }[agreement.how]
    if len(shown) < len(sides):
        says += " What is too long to read is left out."
    return Step("second route", title, says, tuple(shown))


def write(
    derivation: FormulaDerivation,
    system: System,
    chain: Chain,
    plain: Mapping[tuple[str, str], Matrix],
    agreement: Agreement,
) -> tuple[Step, ...]:
    """The steps of a derivation, in order."""
    w = Words(derivation, system, chain)
    partials, seen = _partials(w), remarks(w)
    return (
        _definitions(w),
        *([partials] if partials else []),
        *_rule(w),
        *_results(w, plain),
        *([Step("remark", "Worth seeing", "", tuple(seen))] if seen else []),
        _conditions(w),
        _second(w, agreement),
    )
