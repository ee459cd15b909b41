"""What the user defined, read and put in order: names, values, shapes. Differentiates nothing.

A definition is text, a SymPy object, a number, or a list of them (a vector). Every symbol inside is
real; a user's own symbol of the same name is recognized and is what the user gets back.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from chainrule import text
from chainrule.derivation import Shape, show_shape
from chainrule.errors import DefinitionError, ShapeError, TextError, UsageError

Value: TypeAlias = sp.Expr | sp.ImmutableDenseMatrix


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


def suggest(name: str, known: Iterable[str]) -> str:
    """``did you mean 'x1'? known: x1, x2`` — or just what is known."""
    names = list(known)
    near = get_close_matches(name, names, 1, 0.6)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}known: {', '.join(names) or 'nothing'}"


def symbols_of(name: str, shape: Shape) -> Value:
    """A real symbol ``x``, a column ``x[0], x[1]``, or a matrix ``W[0,0] …``."""
    if shape == ():
        return sp.Symbol(name, real=True)
    if len(shape) == 1:
        return sp.ImmutableDenseMatrix(
            [sp.Symbol(f"{name}[{i}]", real=True) for i in range(shape[0])]
        )
    return sp.ImmutableDenseMatrix(
        *shape,
        [
            sp.Symbol(f"{name}[{i},{j}]", real=True)
            for i in range(shape[0])
            for j in range(shape[1])
        ],
    )


def shape_of(value: Value) -> Shape:
    """(), (n,) for a column, (m, n) otherwise."""
    if not isinstance(value, sp.MatrixBase):
        return ()
    return (int(value.rows),) if value.cols == 1 else (int(value.rows), int(value.cols))


def conditions_of(expression: sp.Basic) -> list[sp.Basic]:
    """Under which a SymPy expression is defined and differentiable, read off its nodes."""
    found: list[sp.Basic] = []
    for e in sp.preorder_traversal(expression):
        if isinstance(e, sp.Pow) and e.exp.is_Rational:
            if not e.exp.is_Integer:
                found.append(sp.Gt(e.base, 0))
            elif e.exp.is_negative:
                found.append(sp.Ne(e.base, 0))
        elif isinstance(e, sp.Pow) and e.base is not sp.E:
            found.append(sp.Gt(e.base, 0))
        elif isinstance(e, (sp.log, sp.gamma, sp.loggamma)):
            found.append(sp.Gt(e.args[0], 0))
        elif isinstance(e, (sp.tan, sp.sec)):
            found.append(sp.Ne(sp.cos(e.args[0]), 0))
        elif isinstance(e, (sp.cot, sp.csc)):
            found.append(sp.Ne(sp.sin(e.args[0]), 0))
        elif isinstance(e, (sp.asin, sp.acos, sp.atanh)):
            found += [sp.Gt(e.args[0], -1), sp.Lt(e.args[0], 1)]
        elif isinstance(e, sp.acosh):
            found.append(sp.Gt(e.args[0], 1))
        elif isinstance(e, (sp.Abs, sp.sign, sp.Heaviside)):
            found.append(sp.Ne(e.args[0], 0))
        elif isinstance(e, (sp.Max, sp.Min)):
            found += [sp.Ne(a - b, 0) for i, a in enumerate(e.args) for b in e.args[i + 1 :]]
        elif isinstance(e, sp.Piecewise):
            for _, condition in e.args:
                found += [
                    sp.Ne(r.lhs - r.rhs, 0) for r in condition.atoms(sp.core.relational.Relational)
                ]
    return [c for c in dict.fromkeys(found) if c not in (sp.true, sp.false)]


def _check_name(name: str, what: str) -> str:
    if not (name.isascii() and name.isidentifier()) or name.startswith("_"):
        raise DefinitionError(
            f"{what} {name!r} is no name: write a letter, then letters, digits and _"
        )
    return name


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
            f"definitions are a {type(definitions).__name__}; give a mapping such as "
            '{"f": "5*x", "x": "t**2"}, or a list of texts such as "f = 5*x"'
        )
    pairs: list[tuple[str, Any]] = []
    for item in items:
        if not (isinstance(item, tuple) and len(item) == 2):
            raise UsageError(f"{item!r} is no definition; give (name, value) or 'name = formula'")
        name, value = item
        if isinstance(name, (sp.Symbol, sp.MatrixSymbol)):
            name = name.name
        if not isinstance(name, str):
            raise UsageError(f"{name!r} names a definition; give a text or a SymPy symbol")
        _check_name(name, "definition")
        if name in dict(pairs):
            raise DefinitionError(f"{name!r} is defined twice; keep one of the two definitions")
        pairs.append((name, value))
    if not pairs:
        raise UsageError('there is no definition; give at least one, such as {"f": "t**2"}')
    return pairs


@dataclass(frozen=True)
class _Users:
    """What SymPy objects of the user's teach: their symbols by name, and shapes of matrices."""

    symbols: dict[str, sp.Symbol]
    shapes: dict[str, Shape]


def _real(expression: Any, users: _Users, name: str) -> Any:
    """A SymPy object with real symbols, Floats as the decimals they show."""
    if isinstance(expression, sp.MatrixExpr):
        expression = expression.as_explicit()
    swap: dict[Any, Any] = {}
    for s in sorted(expression.free_symbols, key=str):
        if isinstance(s, (sp.Dummy, sp.Wild)) or not isinstance(s, sp.Symbol):
            if isinstance(s, sp.MatrixSymbol):
                continue
            raise UsageError(f"{name}: {s!r} ({type(s).__name__}) cannot be used; use a Symbol")
        _check_name(s.name, "symbol")
        if s.is_extended_real is False:
            raise UsageError(f"{name}: {s.name} is not real; formulas are over the real numbers")
        if users.symbols.setdefault(s.name, s) != s:
            raise DefinitionError(
                f"two different symbols are called {s.name!r}; give both the same assumptions"
            )
        if s.is_real is not True:
            swap[s] = sp.Symbol(s.name, real=True)
    for e in expression.atoms(sp.matrices.expressions.matexpr.MatrixElement):
        if not all(i.is_Integer for i in e.args[1:]):
            raise UsageError(f"{name}: {e} has an index that is no number; give explicit entries")
        matrix, row, column = e.args
        rows, columns = int(matrix.rows), int(matrix.cols)
        shape = (rows,) if columns == 1 else (rows, columns)
        users.shapes[matrix.name] = shape
        swap[e] = symbols_of(matrix.name, shape)[int(row), int(column)]
    swap |= {f: sp.Rational(str(f)) for f in expression.atoms(sp.Float)}
    out = expression.xreplace(swap)
    if out.has(sp.I, sp.nan, sp.zoo, sp.oo, -sp.oo):
        raise DefinitionError(f"{name} = {expression} is not a real number everywhere it is used")
    return out


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
    names = [n for n, _ in pairs]
    declared = {_check_name(f, "function"): None for f in functions}
    free_shapes: dict[str, Shape] = {}
    users = _Users({}, free_shapes)
    for name, given in (shapes or {}).items():
        shape = (given,) if isinstance(given, int) else tuple(given)
        if not all(isinstance(n, int) and n > 0 for n in shape) or len(shape) > 2:
            raise ShapeError(
                f"shapes[{name!r}] = {given!r}: give (), (n,) or (m, n), sizes above 0"
            )
        free_shapes[name] = shape

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
        values[name], conditions[name] = _build(name, sources[name], symbols, tuple(declared))
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
        shapes={n: shape_of(v) for n, v in symbols.items()},
        values=values,
        needs=needs,
        conditions=conditions,
        free=free,
        undefined=tuple(declared),
        theirs=swaps,
    )


def _parts(source: Any) -> list[Any]:
    return source if isinstance(source, list) else [source]


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
        return sp.ImmutableDenseMatrix(_real(value, users, name))
    if isinstance(value, sp.Expr):
        return _real(value, users, name)
    if isinstance(value, (bool, complex)):
        raise UsageError(f"{name} = {value!r} is no real formula")
    if isinstance(value, (int, float, np.integer, np.floating)):
        return sp.Rational(str(value))
    if isinstance(value, (list, tuple)):
        if not value:
            raise UsageError(f"{name} = {value!r} is empty; give at least one entry")
        return [_source(f"{name}[{i}]", v, users) for i, v in enumerate(value)]
    raise UsageError(
        f"{name} is a {type(value).__name__}; give a text, a SymPy expression, a number, "
        "or a list of them"
    )


def _order(names: Sequence[str], needs: Mapping[str, Sequence[str]]) -> list[str]:
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
                    way = ", ".join(
                        f"{a} needs {b}" for a, b in itertools.pairwise(cycle)
                    )
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
) -> tuple[Value, tuple[sp.Basic, ...]]:
    if isinstance(source, text.Source):
        built = text.build(source, symbols, undefined=undefined, name=name)
        return built.value, built.conditions
    if isinstance(source, list):
        rows: list[list[sp.Expr]] = []
        conditions: list[sp.Basic] = []
        for i, part in enumerate(source):
            value, more = _build(f"{name}[{i}]", part, symbols, undefined)
            if isinstance(value, sp.MatrixBase) and value.cols != 1:
                raise ShapeError(f"{name}[{i}] is a matrix; a list holds scalars or rows of them")
            rows.append(entries(value))
            conditions += more
        if len({len(r) for r in rows}) > 1:
            raise ShapeError(
                f"{name} has rows of {', '.join(str(len(r)) for r in rows)} entries; "
                "they must be equally long"
            )
        return sp.ImmutableDenseMatrix(rows), tuple(dict.fromkeys(conditions))
    known = {s: s for n in symbols for s in entries(symbols[n])}
    stray = [s for s in source.free_symbols if s not in known]
    if stray:
        bad = min(map(str, stray))
        owner = bad.split("[")[0]
        raise ShapeError(
            f"{name} uses {bad}, but {owner} is {show_shape(shape_of(symbols[owner]))}; "
            f"for a free vector or matrix give shapes={{{owner!r}: …}}"
        )
    return source, tuple(dict.fromkeys(c for e in entries(source) for c in conditions_of(e)))


def claimed_value(
    claimed: Any,
    symbols: Mapping[str, Value],
    undefined: tuple[str, ...],
    name: str,
) -> tuple[Value, tuple[sp.Basic, ...]]:
    """A claimed derivative of every accepted kind, in the symbols of a derivation.

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

    return _build(name, adopt(source), symbols, undefined)


__all__ = [
    "System",
    "TextError",
    "Value",
    "claimed_value",
    "conditions_of",
    "entries",
    "read",
    "shape_of",
    "suggest",
    "symbols_of",
]
