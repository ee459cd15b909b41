"""What is worth seeing in a derivation: what depends on nothing, what collapses, what cancels.

A part is looked at closely only if its certified values say that it may be constant, or 0; said is
only what exact algebra then proves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy as sp

from chainrule.derivation import Line
from chainrule.formulas.definitions import entries, replacements
from chainrule.formulas.differentiate import simpler, size
from chainrule.formulas.wording import Words
from chainrule.points import points
from chainrule.values.ball import Undecided, Undefined, exact, precision
from chainrule.values.enclose import enclose

REMARKS = 6
CLOSE_SIZE = 300  # nodes of a part that is looked at


def remarks(words: Words) -> list[Line]:
    """The remarks on a derivation, as lines."""
    found = list(independences(words))
    if not words.derivation.undefined:
        swap = replacements(words.system.symbols, words.derivation.closed)
        variables = {s for i in words.derivation.wrt for s in entries(words.system.symbols[i])}
        found += list(_collapses(words, swap, variables))[:REMARKS]
        found += list(_cancellations(words, swap))[:REMARKS]
    return found


def independences(words: Words) -> Iterator[Line]:
    """Outputs that no path connects with an input."""
    uses: dict[str, set[str]] = {}
    for name in words.chain.reached:
        uses[name] = {name}.union(*(uses[n] for n in words.system.needs.get(name, ())))
    for (o, i), paths in words.chain.paths.items():
        if paths != () or o == i:
            continue
        verb = "change with" if i in uses.get(o, ()) else "depend on"
        yield _words(f"{o} does not {verb} {i}: the derivative is 0")


def _words(sentence: str) -> Line:
    return Line(rf"\text{{{sentence.replace('_', chr(92) + '_')}}}", sentence)


def _values(parts: Sequence[sp.Expr], at: Mapping[sp.Symbol, object]) -> list[object] | None:
    try:
        return [enclose(p, at) for p in parts]  # type: ignore[arg-type]
    except (Undefined, Undecided):
        return None


def _may_be_constant(e: sp.Expr, variables: set[sp.Symbol]) -> bool:
    """Whether certified values allow it to be the same at points that differ in `variables`."""
    symbols = sorted(e.free_symbols, key=str)
    moving = [s for s in symbols if s in variables]
    first = None
    with precision(128):
        fixed = next(points(symbols, seed="constant", count=1))
        for point in points(moving, seed="moving", count=4):
            found = _values([e], {s: exact(v) for s, v in {**fixed, **point}.items()})
            if found is None:
                continue
            if first is not None and not found[0].overlaps(first):  # type: ignore[attr-defined]
                return False
            first = found[0] if first is None else first
    return first is not None


def _may_cancel(a: sp.Expr, b: sp.Expr) -> bool:
    """Whether certified values allow a + b = 0 and show a ≠ 0."""
    symbols = sorted(a.free_symbols | b.free_symbols, key=str)
    apart = False
    with precision(128):
        for point in points(symbols, seed="cancel", count=3):
            found = _values([a, a + b], {s: exact(v) for s, v in point.items()})
            if found is None:
                continue
            if not found[1].contains(0):  # type: ignore[attr-defined]
                return False
            apart = apart or not found[0].contains(0)  # type: ignore[attr-defined]
    return apart


def _collapses(
    words: Words, swap: Mapping[sp.Basic, sp.Expr], variables: set[sp.Symbol]
) -> Iterator[Line]:
    """Parts of a definition that change with nothing once everything is put in."""
    d = words.derivation
    for name in words.chain.active:
        if name not in d.closed:
            continue
        for e in entries(words.system.values[name]):
            found = _constant_part(e, swap, variables)
            if found is None:
                continue
            part, constant = found
            shown, plain = words.value(part), words.value(constant)
            note = f"it does not change with {', '.join(d.wrt)}"
            yield Line(f"{shown[0]} = {plain[0]}", f"{shown[1]} = {plain[1]}", note)
            whole = d.closed[name]
            if name in d.of and part != e and not isinstance(whole, sp.MatrixBase):
                left = words.value(simpler(whole))
                yield Line(
                    f"{words.symbol(name)} = {left[0]}",
                    f"{name} = {left[1]}",
                    "so this is all that is left",
                )


def _constant_part(
    e: sp.Expr, swap: Mapping[sp.Basic, sp.Expr], variables: set[sp.Symbol]
) -> tuple[sp.Expr, sp.Expr] | None:
    for part in sp.postorder_traversal(e):  # the innermost says most
        inner = part.free_symbols & set(swap)
        if not part.args or not inner or not isinstance(part, sp.Expr):
            continue
        if not any(swap[s].free_symbols & variables for s in inner):
            continue
        value = part.xreplace(dict(swap))
        if size(value) > CLOSE_SIZE:
            continue
        if value.free_symbols & variables and _may_be_constant(value, variables):
            value = simpler(value)
        if not value.free_symbols & variables:
            return part, value
    return None


def _cancellations(words: Words, swap: Mapping[sp.Basic, sp.Expr]) -> Iterator[Line]:
    """Paths whose contributions are not 0 and whose sum is."""
    for paths in words.chain.paths.values():
        if paths is None or len(paths) < 3:
            continue
        terms = [words.chain.along(p).xreplace(dict(swap)) for p in paths]
        if any(t.shape != (1, 1) or size(t[0, 0]) > CLOSE_SIZE for t in terms):
            continue
        for a in range(len(paths)):
            for b in range(a + 1, len(paths)):
                first, second = terms[a][0, 0], terms[b][0, 0]
                if _may_cancel(first, second) and simpler(first + second) == 0:
                    via = [", ".join(paths[k][1:-1]) or f"{paths[k][-1]} itself" for k in (a, b)]
                    yield _words(f"the terms through {' and '.join(via)} cancel")
