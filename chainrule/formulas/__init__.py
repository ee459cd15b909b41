"""Definitions to a derivation: local partials, the chain rule, substitution, a second route.

`derive` multiplies Jacobians from the output back to the inputs, in the user's own intermediate
variables; then it substitutes, shortens, and does it once more the other way round (substitute
first, then differentiate). The two must agree, by exact algebra or at certified points; if they
ever differ, that is a bug of ours and is raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sympy as sp

from chainrule import algebra, text
from chainrule.derivation import Block, FormulaDerivation, Shape
from chainrule.errors import BudgetError, ContradictionError, DefinitionError, UsageError
from chainrule.formulas.chain import Chain, follow
from chainrule.formulas.definitions import (
    System,
    Value,
    entries,
    given_shapes,
    put_in,
    read,
    replacements,
    suggest,
)
from chainrule.formulas.differentiate import Shortener, height, partial, size, tidy
from chainrule.formulas.objects import check_name, spelled, symbols_of
from chainrule.formulas.steps import Agreement, write
from chainrule.points import instances, points, put_instances
from chainrule.values.ball import Undecided, Undefined, exact, precision
from chainrule.values.enclose import enclose

CLOSED_SIZE = 4_000  # nodes of a formula, written out, above which it is not substituted
CLOSED_HEIGHT = 80  # how deep it is nested, likewise
SIMPLIFIED_ENTRIES = 64
JACOBIAN_ENTRIES = 200_000
PROVED_SIZE = 3_000  # nodes of both routes, written out, above which no proof is tried

__all__ = ["derive"]


def _names(value: Any, what: str) -> tuple[str, ...]:
    """`of` or `wrt` as names, without repeats."""
    single = isinstance(value, (str, sp.Symbol, sp.MatrixSymbol))
    given = [value] if single else value
    if not isinstance(given, (Sequence, sp.MatrixBase)) or len(given) == 0 or value == "":
        raise UsageError(f"{what}={value!r}: give a name or several")
    names: dict[str, None] = {}
    for each in given:
        name = each if isinstance(each, str) else getattr(each, "name", None)
        if not isinstance(name, str):
            raise UsageError(f"{what}={each!r} ({type(each).__name__}) is no name; give a name")
        name = spelled(name)
        if name in names:
            raise UsageError(f"{what} names {name!r} twice; keep one of them")
        names[name] = None
    return tuple(names)


def _closed(system: System) -> dict[str, Value]:
    """Each defined name in the free variables alone, as far as that stays readable."""
    closed: dict[str, Value] = {}
    swap: dict[sp.Basic, sp.Basic] = {}
    heights: dict[sp.Basic, int] = {}
    sizes: dict[sp.Basic, int] = {}
    for name, value in system.values.items():
        defined = [n for n in system.needs[name] if n in system.values]
        if any(n not in closed for n in defined):
            continue
        below = max((height(e, heights) for n in defined for e in entries(closed[n])), default=0)
        own = max(height(e, heights) for e in entries(value))
        if defined and below + own > CLOSED_HEIGHT:
            continue
        substituted = value.xreplace(swap)
        if sum(size(e, sizes) for e in entries(substituted)) > CLOSED_SIZE:
            continue
        closed[name] = substituted
        swap |= dict(zip(entries(system.symbols[name]), entries(substituted), strict=True))
    return closed


def _jacobian(outputs: Sequence[sp.Expr], inputs: Sequence[sp.Symbol]) -> sp.ImmutableDenseMatrix:
    if len(outputs) * len(inputs) > JACOBIAN_ENTRIES:
        raise BudgetError(
            f"a Jacobian of {len(outputs):,}×{len(inputs):,} entries; the limit is "
            f"{JACOBIAN_ENTRIES:,}: derive it for smaller sizes"
        )
    return sp.ImmutableDenseMatrix(
        len(outputs), len(inputs), [partial(o, i) for o in outputs for i in inputs]
    )


def _agreement(chain_rule: list[sp.Expr], direct: list[sp.Expr], undefined: tuple[str, ...]) -> str:
    """How the two routes agree: "exact", "points" or "" (could not be told)."""
    memo: dict[sp.Basic, int] = {}
    small = sum(size(e, memo) for e in (*chain_rule, *direct)) <= PROVED_SIZE
    pairs = list(zip(chain_rule, direct, strict=True))
    if all(a == b or (small and algebra.prove_equal(a, b).equal) for a, b in pairs):
        return "exact"
    if undefined:
        made = instances([*chain_rule, *direct])
        chain_rule = [put_instances(e, made) for e in chain_rule]
        direct = [put_instances(e, made) for e in direct]
    symbols = sorted({s for e in [*chain_rule, *direct] for s in e.free_symbols}, key=str)
    decided = 0
    for point in points(symbols, seed="second route", count=12):
        with precision(256):
            at = {s: exact(v) for s, v in point.items()}
            for a, b in zip(chain_rule, direct, strict=True):
                try:
                    left, right = enclose(a, at), enclose(b, at)
                except (Undefined, Undecided):
                    continue
                if not left.overlaps(right):
                    raise ContradictionError(
                        f"the two routes give {a} and {b}, which differ at {point}; "
                        "please report these definitions"
                    )
                decided += 1
    return "points" if decided else ""


def derive(
    definitions: Any,
    *,
    of: Any,
    wrt: Any,
    shapes: Mapping[str, Any] | None = None,
    functions: Iterable[str] = (),
    positive: Iterable[str] = (),
) -> FormulaDerivation:
    """The derivative of defined names, by the chain rule, with every step.

    d of/d wrt = Σ over paths of the product of the local Jacobians along the path

    definitions : name → text, SymPy expression or matrix, number, or a list of these (a vector);
        or a list of texts ``"f = 5*x"``. Any order; any acyclic graph. A name that is used and not
        defined is a free real variable. ``x1 = x1(u1, u2)`` makes x1 an undefined function.
    of : the output, or several. wrt : the input, or several; a defined name is taken as free.
    shapes : free name → (n,) or (m, n), where it is no scalar.
    functions : names of undefined functions, so that ``sigma(z)`` stands for any function.
    positive : free names that are greater than 0 (a length, a mass), every entry of them.

    Returns a FormulaDerivation: blocks (output × input), numerator layout, row-major in matrices.
    Raises TextError for text that is no formula; DefinitionError for unknown names, cycles, a name
    defined twice; ShapeError for shapes that do not fit; UsageError for a call that makes no sense.

    Source: Spivak, Calculus on Manifolds (1965), theorem 2-2.

    >>> d = derive({"f": "sin(x)*exp(y*z**2)", "x": "t - 1", "y": "t**2", "z": "1/t"},
    ...            of="f", wrt="t")
    >>> d.result, d.conditions
    (E*cos(t - 1), (Ne(t, 0),))
    >>> derive({"f": "x*y"}, of="f", wrt=("x", "y")).jacobian
    Matrix([[y, x]])
    >>> period = derive({"T": "2*pi*sqrt(L/g)"}, of="T", wrt="L", positive=("L", "g"))
    >>> period.result, period.conditions
    (pi/(sqrt(L)*sqrt(g)), ())
    """
    outputs, inputs = _names(of, "of"), _names(wrt, "wrt")
    try:
        return _derive(definitions, outputs, inputs, shapes, functions, positive)
    except RecursionError:
        raise BudgetError(
            "the definitions are nested too deep; name a part of the longest and use the name"
        ) from None


def _derive(
    definitions: Any,
    outputs: tuple[str, ...],
    inputs: tuple[str, ...],
    shapes: Mapping[str, Any] | None,
    functions: Iterable[str],
    positive: Iterable[str],
) -> FormulaDerivation:
    shapes = given_shapes(shapes)
    system = read(definitions, shapes=shapes, functions=functions, cut=inputs)
    system = _with_positive(system, positive)
    for name in outputs:
        if name not in system.values and name not in inputs:
            raise DefinitionError(f"of={name!r} is not defined; " + suggest(name, system.values))
    for name in inputs:
        theirs = system.theirs.get(sp.Symbol(name, real=True))
        if theirs is not None and theirs.is_integer:
            raise UsageError(f"wrt={name!r} is an integer symbol; give one with real=True")
    system = _with_free(system, inputs, shapes)
    closed = _closed(system)
    chain = follow(system, outputs, inputs, _jacobian)

    # With undefined functions the formula in the intermediate variables is the readable one.
    swap = {} if system.undefined else replacements(system.symbols, closed)
    blocks: dict[tuple[str, str], Block] = {}
    plain: dict[tuple[str, str], sp.ImmutableDenseMatrix] = {}
    complete = all(n in closed for n in chain.active if n in system.values)
    memo: dict[sp.Basic, int] = {}
    shorter = Shortener()
    for pair, raw in chain.totals.items():
        substituted = raw.xreplace(swap) if complete else raw
        if sum(size(e, memo) for e in substituted) > 4 * CLOSED_SIZE:
            substituted = raw
        plain[pair] = substituted
        short = (
            substituted.applyfunc(shorter)
            if len(substituted) <= SIMPLIFIED_ENTRIES
            else substituted
        )
        blocks[pair] = Block(
            pair[0],
            pair[1],
            sp.ImmutableDenseMatrix(short),
            raw,
            system.shapes[pair[0]],
            system.shapes[pair[1]],
        )
    agreement = _second_route(system, chain, blocks, closed)
    conditions = tidy(
        c.xreplace(swap) for name in chain.reached for c in system.conditions.get(name, ())
    )
    derivation = FormulaDerivation(
        of=outputs,
        wrt=inputs,
        blocks=blocks,
        steps=(),
        factors=tuple(f.matrix for f in chain.factors),
        conditions=conditions,
        parameters=tuple(n for n in system.free if n not in inputs and n in chain.reached),
        symbols={n: system.symbols[n] for n in (*inputs, *chain.reached)},
        local={n: system.values[n] for n in system.values if n in chain.reached},
        closed={n: closed[n] for n in closed if n in chain.reached},
        undefined=system.undefined,
    )
    derivation = replace(derivation, steps=write(derivation, system, chain, plain, agreement))
    return _in_their_symbols(derivation, system) if system.theirs else derivation


def _with_free(system: System, inputs: tuple[str, ...], shapes: Mapping[str, Shape]) -> System:
    """The system with those inputs added that no definition uses: their derivative is 0."""
    extra: dict[str, Shape] = {}
    for name in inputs:
        if name in system.symbols:
            continue
        if name in system.undefined or name in text.FUNCTIONS or name in text.CONSTANTS:
            what = "constant" if name in text.CONSTANTS else "function"
            raise DefinitionError(f"wrt={name!r} is a {what}; {suggest(name, system.symbols)}")
        check_name(name, "wrt")
        extra[name] = shapes.get(name, ())
    unused = [n for n in shapes if n not in system.symbols and n not in extra]
    if unused:
        raise DefinitionError(
            f"shapes names {unused[0]!r}, which no definition uses; "
            + suggest(unused[0], system.symbols)
        )
    return replace(
        system,
        symbols={**system.symbols, **{n: symbols_of(n, s) for n, s in extra.items()}},
        shapes={**system.shapes, **extra},
        free=(*system.free, *extra),
    )


def _second_route(
    system: System,
    chain: Chain,
    blocks: Mapping[tuple[str, str], Block],
    closed: Mapping[str, Value],
) -> Agreement:
    """Substitute first, then differentiate; compare with the chain rule's result."""
    outputs = {o for o, _ in blocks}
    if any(o in system.values and o not in closed for o in outputs):
        return Agreement("", {}, {})
    swap = replacements(system.symbols, closed)
    direct: dict[tuple[str, str], sp.ImmutableDenseMatrix] = {}
    composed: dict[str, Value] = {}
    chained: list[sp.Expr] = []
    straight: list[sp.Expr] = []
    for (o, i), block in blocks.items():
        composed[o] = closed.get(o, system.symbols[o])
        direct[o, i] = _jacobian(entries(composed[o]), entries(system.symbols[i]))
        chained += [put_in(e, swap) for e in block.matrix]
        straight += [e.doit() if system.undefined else e for e in direct[o, i]]
    return Agreement(_agreement(chained, straight, system.undefined), composed, direct)


def _with_positive(system: System, positive: Iterable[str]) -> System:
    """The system with symbols that know that they are positive, to be put in at the end."""
    if isinstance(positive, str):
        raise UsageError(f"positive={positive!r} is a text; give a list of names, [{positive!r}]")
    theirs = dict(system.theirs)
    for name in positive:
        if name not in system.free:
            raise DefinitionError(
                f"positive={name!r} is no free variable; " + suggest(str(name), system.free)
            )
        for s in entries(system.symbols[name]):
            theirs[s] = sp.Symbol(s.name, positive=True)
    return replace(system, theirs=theirs)


def _in_their_symbols(derivation: FormulaDerivation, system: System) -> FormulaDerivation:
    """The same with the user's own symbols, where they carry other assumptions than ours."""

    def swap(value: Any) -> Any:
        return value.xreplace(system.theirs)

    return replace(
        derivation,
        blocks={
            k: replace(b, matrix=swap(b.matrix), raw=swap(b.raw))
            for k, b in derivation.blocks.items()
        },
        factors=tuple(swap(f) for f in derivation.factors),
        # A condition that the symbol assumes by itself, x > 0, is always true of it.
        conditions=tuple(c for c in map(swap, derivation.conditions) if c != sp.true),
        symbols={n: swap(v) for n, v in derivation.symbols.items()},
        local={n: swap(v) for n, v in derivation.local.items()},
        closed={n: swap(v) for n, v in derivation.closed.items()},
    )
