"""What the user defined, read and put in order: names, values, shapes. Differentiates nothing.

A definition is text, a SymPy object, a number, or a list of them (a vector). Every symbol inside is
real; a user's own symbol of the same name is recognized and is what the user gets back.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from math import prod
from typing import Any, TypeAlias

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from chainrule import text
from chainrule.derivation import Shape, show_shape
from chainrule.errors import BudgetError, DefinitionError, ShapeError, TextError, UsageError
from chainrule.formulas.objects import Users as _Users
from chainrule.formulas.objects import (
    assumed,
    check_name,
    conditions_of,
    number,
    real,
    spelled,
    symbols_of,
)

Value: TypeAlias = sp.Expr | sp.ImmutableDenseMatrix
MAX_ENTRIES = 10_000  # of one variable


@dataclass(frozen=True)
class System:
    """Definitions in an order in which each uses only what stands before it.

    symbols : name → its symbol, or matrix of symbols, for every name.
    shapes : name → (), (n,) or (m, n).
    values : defined name → its value in the symbols of other names, in that order.
    needs : defined name → the names that it uses.
    conditions : defined name → under which its text is defined and differentiable.
    free : names without a definition, in the order in which they were met.
    undefined : names of undefined functions.
    theirs : our symbol → the user's own, where they differ.
    """

    symbols: Mapping[str, Value]
    shapes: Mapping[str, Shape]
    values: Mapping[str, Value]
    needs: Mapping[str, tuple[str, ...]]
    conditions: Mapping[str, tuple[sp.Basic, ...]]
    free: tuple[str, ...]
    undefined: tuple[str, ...]
    theirs: Mapping[sp.Symbol, sp.Symbol]


def entries(value: Value) -> list[sp.Expr]:
    """The entries of a value, row by row; of a scalar, itself."""
    return list(value) if isinstance(value, sp.MatrixBase) else [value]


def replacements(
    symbols: Mapping[str, Value], values: Mapping[str, Value]
) -> dict[sp.Symbol, sp.Expr]:
    """Symbol → value, entry by entry, for every name that has both."""
    return {
        s: v
        for name in values
        if name in symbols
        for s, v in zip(entries(symbols[name]), entries(values[name]), strict=True)
    }


def put_in(expression: sp.Expr, swap: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    """Substitution that also reaches into σ′(z), where SymPy needs its slower way."""
    if expression.has(sp.Derivative):
        return expression.subs(swap, simultaneous=True).doit()
    return expression.xreplace(swap)


def suggest(name: str, known: Iterable[str]) -> str:
    """``did you mean 'x1'? known: x1, x2`` — or just what is known."""
    names = list(known)
    near = get_close_matches(name, names, 1, 0.6)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}known: {', '.join(names) or 'nothing'}"


def shape_of(value: Value) -> Shape:
    """(), (n,) for a column, (m, n) otherwise."""
    if not isinstance(value, sp.MatrixBase):
        return ()
    return (int(value.rows),) if value.cols == 1 else (int(value.rows), int(value.cols))


def _pairs(definitions: Any) -> list[tuple[str, Any]]:
    """Definitions as (name, value), in the order given."""
    if isinstance(definitions, str):
        definitions = [definitions]
    if isinstance(definitions, Mapping):
        items: list[Any] = list(definitions.items())
    elif isinstance(definitions, Sequence):
        items = [text.read_definition(d) if isinstance(d, str) else d for d in definitions]
    else:
        raise UsageError(
            f"definitions are of the type {type(definitions).__name__}; give a mapping such as "
            '{"f": "5*x", "x": "t**2"}, or a list of texts such as "f = 5*x"'
        )
    pairs: dict[str, Any] = {}
    for item in items:
        if not (isinstance(item, tuple) and len(item) == 2):
            raise UsageError(f"{item!r} is no definition; give (name, value) or 'name = formula'")
        name, value = item
        if isinstance(name, (sp.Symbol, sp.MatrixSymbol)):
            name = name.name
        if not isinstance(name, str):
            raise UsageError(f"{name!r} names a definition; give a text or a SymPy symbol")
        name = check_name(name, "definition")
        if name in pairs:
            raise DefinitionError(f"{name!r} is defined twice; keep one of the two definitions")
        pairs[name] = value
    if not pairs:
        raise UsageError('there is no definition; give at least one, such as {"f": "t**2"}')
    return list(pairs.items())


def read(
    definitions: Any,
    *,
    shapes: Mapping[str, Any] | None = None,
    functions: Iterable[str] = (),
    cut: Iterable[str] = (),
) -> System:
    """Definitions of every accepted kind as a System.

    shapes : free name → its shape, where it is no scalar. functions : names of undefined functions.
    cut : names to be taken as free variables even where they are defined.
    """
    pairs = [(n, v) for n, v in _pairs(definitions) if n not in set(cut)]
    names = {n: None for n, _ in pairs}
    declared = dict.fromkeys(_functions(functions))
    free_shapes = given_shapes(shapes)
    users = _Users({}, free_shapes)
    sources: dict[str, Any] = {}
    needs: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        sources[name] = _source(name, value, users)
        used: dict[str, None] = {}
        for part in _parts(sources[name]):
            if isinstance(part, text.Source):
                used |= dict.fromkeys(part.names)
                if name in part.calls:  # x1 = x1(u1, u2): an undefined function of that name
                    declared[name] = None
            else:
                used |= _used(part)
                declared |= {f.func.__name__: None for f in part.atoms(AppliedUndef)}
        needs[name] = tuple(n for n in used if n not in text.CONSTANTS or n in names)
    order = _order(names, needs)
    free = tuple(dict.fromkeys([n for name in names for n in needs[name] if n not in names]))
    symbols: dict[str, Value] = {n: symbols_of(n, free_shapes.get(n, ())) for n in free}
    values: dict[str, Value] = {}
    conditions: dict[str, tuple[sp.Basic, ...]] = {}
    for name in order:
        values[name], conditions[name], _ = _build(name, sources[name], symbols, tuple(declared))
        conditions[name] += tuple(
            c for n in needs[name] if n in users.symbols for c in assumed(users.symbols[n])
        )
        symbols[name] = symbols_of(name, shape_of(values[name]))
        wanted = free_shapes.get(name)
        if wanted is not None and wanted != shape_of(values[name]):
            raise ShapeError(
                f"{name} has shape {show_shape(shape_of(values[name]))}; "
                f"shapes[{name!r}] says {show_shape(wanted)}"
            )
    swaps = {
        sp.Symbol(n, real=True): s for n, s in users.symbols.items() if s != sp.Symbol(n, real=True)
    }
    return System(
        symbols=symbols,
        # a free W of (2, 1) stays a matrix, though its symbols are a column
        shapes={n: free_shapes.get(n, shape_of(v)) for n, v in symbols.items()},
        values=values,
        needs=needs,
        conditions=conditions,
        free=free,
        undefined=tuple(declared),
        theirs=swaps,
    )


def _functions(functions: Any) -> list[str]:
    """Given names of undefined functions, each of them a name."""
    given = [functions] if isinstance(functions, str) else functions
    if not isinstance(given, Iterable):
        raise UsageError(f'functions={functions!r}: give names, such as ("sigma",)')
    names = [f if isinstance(f, str) else getattr(f, "__name__", f) for f in given]
    for name in names:
        if not isinstance(name, str):
            raise UsageError(f"functions: {name!r} is no name; give names, such as ('sigma',)")
    return [check_name(name, "function") for name in names]


def given_shapes(shapes: Any) -> dict[str, Shape]:
    """Given shapes as tuples, each of them possible."""
    if shapes is None:
        return {}
    if not isinstance(shapes, Mapping):
        raise UsageError(f'shapes={shapes!r}: give a mapping such as {{"W": (2, 3)}}')
    found: dict[str, Shape] = {}
    for key, given in shapes.items():
        name = spelled(str(getattr(key, "name", key)))
        sizes = tuple(given) if isinstance(given, (tuple, list)) else (given,)
        if len(sizes) > 2 or not all(type(n) is int and n > 0 for n in sizes):
            raise ShapeError(
                f"shapes[{name!r}] = {given!r}: give (), (n,) or (m, n), sizes above 0"
            )
        if prod(sizes) > MAX_ENTRIES:
            raise BudgetError(
                f"shapes[{name!r}] = {given!r} has {prod(sizes):,} entries; "
                f"the limit is {MAX_ENTRIES:,}: derive it for smaller sizes"
            )
        found[name] = sizes
    return found


def _parts(source: Any) -> list[Any]:
    """A source's parts, of lists in lists as well."""
    return [p for s in source for p in _parts(s)] if isinstance(source, list) else [source]


def _used(expression: sp.Basic) -> dict[str, None]:
    """Names used by a SymPy value; an entry ``x[0]`` belongs to x."""
    return {str(s).split("[")[0]: None for s in sorted(expression.free_symbols, key=str)}


def _source(name: str, value: Any, users: _Users) -> Any:
    """A value as a text.Source, a real SymPy object, or a list of those."""
    if isinstance(value, text.Source):
        return value
    if isinstance(value, str):
        return text.read(value, name=name)
    if isinstance(value, (sp.MatrixBase, sp.MatrixExpr)):
        return sp.ImmutableDenseMatrix(real(value, users, name))
    if isinstance(value, sp.Expr):
        return real(value, users, name)
    if isinstance(value, (bool, complex)):
        raise UsageError(f"{name} = {value!r} is no real formula; give a real number or a formula")
    if isinstance(value, (int, float, np.integer, np.floating, Fraction, Decimal)):
        return number(value, name)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        if not value:
            raise UsageError(f"{name} = {value!r} is empty; give at least one entry")
        return [_source(f"{name}[{i}]", v, users) for i, v in enumerate(value)]
    raise UsageError(
        f"{name} is of the type {type(value).__name__}; give a text, a SymPy expression, a number, "
        "or a list of them"
    )


def _order(names: Iterable[str], needs: Mapping[str, Sequence[str]]) -> list[str]:
    """Names so that each comes after all that it needs; a cycle is an error that shows it."""
    done: dict[str, None] = {}
    for first in names:
        stack = [(first, iter(needs[first]))]
        path = {first: None}
        while stack and first not in done:
            name, rest = stack[-1]
            for need in rest:
                if need in path:
                    cycle = [*list(path)[list(path).index(need) :], need]
                    way = ", ".join(f"{a} needs {b}" for a, b in itertools.pairwise(cycle))
                    raise DefinitionError(
                        f"the definitions go round in a circle: {way}; "
                        "one of them must do without the other"
                    )
                if need in names and need not in done:
                    path[need] = None
                    stack.append((need, iter(needs[need])))
                    break
            else:
                done[name] = None
                path.pop(name)
                stack.pop()
    return list(done)


def _build(
    name: str, source: Any, symbols: Mapping[str, Value], undefined: tuple[str, ...]
) -> tuple[Value, tuple[sp.Basic, ...], tuple[sp.Basic, ...]]:
    """The value, the conditions under which it is differentiable, and those under which it is
    defined: of them the inequalities, and ≠ where it has no value at equality (no kinks)."""
    if isinstance(source, text.Source):
        built = text.build(source, symbols, undefined=undefined, name=name)
        defined = [c for c in built.conditions if c in built.defined or not isinstance(c, sp.Ne)]
        return built.value, built.conditions, tuple(defined)
    if isinstance(source, list):
        rows: list[list[sp.Expr]] = []
        conditions: list[sp.Basic] = []
        needed: list[sp.Basic] = []
        for i, part in enumerate(source):
            value, more, least = _build(f"{name}[{i}]", part, symbols, undefined)
            if isinstance(value, sp.MatrixBase) and value.cols != 1:
                raise ShapeError(f"{name}[{i}] is a matrix; a list holds scalars or rows of them")
            rows.append(entries(value))
            conditions += more
            needed += least
        if len({len(r) for r in rows}) > 1:
            raise ShapeError(
                f"{name} has rows of {', '.join(str(len(r)) for r in rows)} entries; "
                "they must be equally long"
            )
        unique = tuple(dict.fromkeys(conditions)), tuple(dict.fromkeys(needed))
        return sp.ImmutableDenseMatrix(rows), *unique
    known = {s: s for n in symbols for s in entries(symbols[n])}
    stray = [s for s in source.free_symbols if s not in known]
    if stray:
        bad = min(map(str, stray))
        owner = bad.split("[")[0]
        raise ShapeError(
            f"{name} uses {bad}, but {owner} is {show_shape(shape_of(symbols[owner]))}; "
            f"for a free vector or matrix give shapes={{{owner!r}: …}}"
        )
    both = [
        tuple(dict.fromkeys(c for e in entries(source) for c in conditions_of(e, kinks=kinks)))
        for kinks in (True, False)
    ]
    return source, both[0], both[1]


def claimed_value(
    claimed: Any,
    symbols: Mapping[str, Value],
    undefined: tuple[str, ...],
    name: str,
) -> tuple[Value, tuple[sp.Basic, ...]]:
    """A claimed derivative of every accepted kind, in the symbols of a derivation, and the
    conditions under which it is defined as written.

    Raises TextError for text that is no formula or uses an unknown name, DefinitionError for a
    SymPy object with symbols that the derivation does not have.
    """
    by_name = {str(s.name): s for n in symbols for s in entries(symbols[n])}
    source = _source(name, claimed, _Users({}, {}))

    def adopt(part: Any) -> Any:
        if isinstance(part, list):
            return [adopt(p) for p in part]
        if isinstance(part, text.Source):
            return part
        swap = {s: by_name[s.name] for s in part.free_symbols if s.name in by_name}
        strange = [s.name for s in part.free_symbols if s.name not in by_name]
        if strange:
            raise DefinitionError(
                f"{name}: the claim uses {min(strange)!r}, which the derivation does not have; "
                + suggest(min(strange), by_name)
            )
        return part.xreplace(swap)

    value, _, defined = _build(name, adopt(source), symbols, undefined)
    return value, defined


__all__ = [
    "System",
    "TextError",
    "Value",
    "claimed_value",
    "conditions_of",
    "entries",
    "given_shapes",
    "read",
    "shape_of",
    "suggest",
    "symbols_of",
]
