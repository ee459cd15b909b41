"""A function of a derivation's variables as its trace: SymPy entries, case by case.

The function is followed at points until every point is on a path that is known. Where it branches
by `if`, its entries are definitions by cases; where no point took a branch, nothing is claimed.
Values and places without a value come from the literal graph, in balls: x*y/x stays what it is.
The conditions are those of the literal operations, and stay although what they guard cancels.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from flint import arb

from chainrule.claim import CodeClaim, FormulaClaim, accepted_shapes
from chainrule.code.trace.record import Guard, Trace
from chainrule.code.trace.run import traced_and_prepared
from chainrule.code.trace.watch import all_finite
from chainrule.errors import ChainruleError
from chainrule.formulas.definitions import entries
from chainrule.graph.lowering.components import components
from chainrule.graph.node import (
    LINEAR_ALGEBRA,
    REDUCTIONS,
    STRUCTURE,
    Node,
    constant,
    count,
    reached,
)
from chainrule.typeset import text
from chainrule.values import float64
from chainrule.values.ball import Undecided, exact
from chainrule.values.certified import holed

PATHS = 12  # that are followed at most
DIGITS = 15  # that a decimal may have to be read as the number that it says
ASKED = 400  # literal operations that have conditions, at most
LONG = 20_000  # operations of one entry, written out, that SymPy gets

Key = str | None
Values = Mapping[str, Any]  # input of a trace → its float64 value
Arguments = Sequence[Any]  # the values of a claim's arguments, in order


class NoPath(Exception):
    """Why a function cannot be followed so that algebra can read it."""


@dataclass(frozen=True)
class Path:
    """One path through a function.

    nodes : key → the nodes that hold the block's entries, in order.
    symbols : input → its entries as symbols of the derivation, or numbers where it is a place that
        the function reads. looked : the guards on values. cases : the same as conditions in the
        derivation's symbols, each with how it came out.
    """

    trace: Trace
    nodes: Mapping[Key, tuple[Node, ...]]
    symbols: Mapping[str, tuple[sp.Expr, ...]]
    looked: tuple[Guard, ...]
    cases: tuple[tuple[sp.Basic, bool], ...]

    def enclose(self, key: Key, at: Mapping[sp.Symbol, arb]) -> list[Any]:
        """The entries in balls, or in their place why there is none. Undecided: off this path."""
        values = {}
        for name, node in self.trace.inputs.items():
            array = np.empty(node.number_shape, object)
            array.reshape(-1)[:] = [
                at[s] if isinstance(s, sp.Symbol) else exact(s) for s in self.symbols[name]
            ]
            values[name] = array
        guards = [g.node for g in self.looked if g.node is not None]
        found = holed([*self.nodes[key], *guards], values, self.trace.sizes)
        count_ = len(self.nodes[key])
        for guard, value in zip(self.looked, found[count_:], strict=True):
            one = value[()]
            if not isinstance(one, arb):
                raise Undecided(f"whether {guard.text} cannot be told there: {one}")
            if bool(one == 1) != bool(guard.value):
                raise Undecided("it takes another path there")
        return [v for array in found[:count_] for v in array.flat]

    def on_it(self, values: Values) -> bool:
        """Whether float64 values of the inputs lead along this path."""
        nodes = [g.node for g in self.looked if g.node is not None]
        try:
            with np.errstate(all="ignore"):
                found = float64.evaluate(nodes, self._floats(values), self.trace.sizes)
        except (np.linalg.LinAlgError, ArithmeticError, IndexError):
            return False
        return all(bool(v) == bool(g.value) for v, g in zip(found, self.looked, strict=True))

    def bounded(self, key: Key, values: Values) -> tuple[np.ndarray, np.ndarray]:
        """The graph's own float64 entries, each with how far off rounding may leave it."""
        with np.errstate(all="ignore"):
            found = float64.bounded(list(self.nodes[key]), self._floats(values), self.trace.sizes)
        pairs = [np.broadcast_arrays(np.asarray(v, float), b) for v, b in found]
        return (
            np.concatenate([np.reshape(v, -1) for v, _ in pairs]),
            np.concatenate([np.reshape(b, -1) for _, b in pairs]),
        )

    def _floats(self, values: Values) -> dict[str, Any]:
        out = {}
        for name, node in self.trace.inputs.items():
            if name in values:
                out[name] = np.asarray(values[name], float)
            else:
                numbers = [float(s) for s in self.symbols[name]]
                out[name] = np.array(numbers, float).reshape(node.number_shape)
        return out


@dataclass(frozen=True)
class Followed:
    """A function as the paths that points take through it.

    constants : how its constants were read. unread : a constant that no exact number stands for,
        so that nothing can be proved; "" if there is none.
    untaken : branches by an equality that no point took, as text. unseen : such a branch of some
        extent, which leaves the question open; "" if there is none.
    """

    claim: CodeClaim
    paths: tuple[Path, ...]
    constants: tuple[str, ...]
    unread: str
    untaken: tuple[str, ...]
    unseen: str

    @property
    def conditions(self) -> tuple[sp.Basic, ...]:
        """What the paths branch by, in the derivation's symbols."""
        return tuple(dict.fromkeys(c for p in self.paths for c, _ in p.cases))

    def bounded(self, key: Key, given: Arguments) -> tuple[np.ndarray, np.ndarray] | None:
        """The literal graph's float64 entries and their bounds; None on no known path."""
        _, values = _given(self.claim, given)
        path = next((p for p in self.paths if p.on_it(values)), None)
        try:
            return None if path is None else path.bounded(key, values)
        except (np.linalg.LinAlgError, ArithmeticError, IndexError):
            return None

    def literal(self, key: Key, at: Mapping[sp.Symbol, arb]) -> list[Any]:
        """The literal graph's entries in balls; where one has no value, the reason in its place.

        Raises Undecided where the path cannot be told.
        """
        reasons = []
        for path in self.paths:
            try:
                return path.enclose(key, at)
            except Undecided as why:
                reasons.append(why)
        raise reasons[-1]

    def formula(self, key: Key) -> FormulaClaim:
        """What it computes as a claimed formula, with its literal conditions.

        Raises NoPath where there is no such formula.
        """
        try:
            return self._formula(key)
        except (NoPath, ChainruleError):
            raise
        except Exception as why:  # SymPy's own: a comparison of what is no number
            raise NoPath(f"SymPy cannot write it: {type(why).__name__}: {why}") from None

    def _formula(self, key: Key) -> FormulaClaim:
        block = self.claim.blocks[key]
        tables = [self._entries(p, key) for p in self.paths]
        made = [
            _by_cases(
                [(p.cases, table[k]) for p, table in zip(self.paths, tables, strict=True)],
                block.raw[k],
            )
            for k in range(len(block.matrix))
        ]
        for entry in made:
            if entry.has(sp.nan, sp.zoo, sp.oo, -sp.oo, sp.I):
                raise NoPath("an entry of it is no real number")
        defined: dict[sp.Basic, None] = {}
        for path in self.paths:
            defined |= dict.fromkeys(_conditions(path, key))
        return FormulaClaim(
            self.claim.name,
            self.claim.derivation,
            block,
            tuple(made),
            block.shape,
            "",
            tuple(defined),
        )

    def _entries(self, path: Path, key: Key) -> list[sp.Expr]:
        found = _components(path, path.nodes[key])
        out = []
        for node in path.nodes[key]:
            out += [_number(e) for e in found[node].flat]
        return out


def follow(
    claim: CodeClaim,
    points: Sequence[Arguments],
    further: Callable[[Sequence[sp.Basic]], Sequence[Arguments]],
) -> Followed:
    """Follow the function at points until each is on a known path.

    points : float64 values of the arguments. further : conditions that the function looked at →
        more points, where a branch may switch.
    Raises NoPath, with the reason.
    """
    paths: list[Path] = []
    _along(claim, points, paths)
    asked: dict[sp.Basic, None] = {}
    while True:
        new = [c for p in paths for c, _ in p.cases if c not in asked]
        if not new:
            break
        asked |= dict.fromkeys(new)
        _along(claim, further(new), paths, strict=False)
    nodes = reached(
        [n for p in paths for some in p.nodes.values() for n in some]
        + [g.node for p in paths for g in p.looked if g.node is not None]
    )
    constants, unread = _constants(nodes)
    for path in paths:
        for name, values in path.symbols.items():
            if not any(isinstance(v, sp.Symbol) for v in values):
                shown = ", ".join(str(v) for v in values[:6]) + (", …" if len(values) > 6 else "")
                constants[f"{name} = [{shown}]"] = None
    untaken = _untaken([p.cases for p in paths], ())
    thin = [" and ".join(map(text, c)) for c in untaken if any(isinstance(x, sp.Eq) for x in c)]
    wide = [" and ".join(map(text, c)) for c in untaken if not any(isinstance(x, sp.Eq) for x in c)]
    unseen = f"no point took the branch where {wide[0]}" if wide else ""
    return Followed(claim, tuple(paths), tuple(constants), unread, tuple(thin), unseen)


def _along(
    claim: CodeClaim, points: Sequence[Arguments], paths: list[Path], strict: bool = True
) -> None:
    failed = None
    for given in points:
        at, values = _given(claim, given)
        if any(p.on_it(values) for p in paths):
            continue
        if len(paths) >= PATHS:
            raise NoPath(f"it takes more than {PATHS} paths")
        try:
            paths.append(_path(claim, at, tuple(values)))
        except NoPath as why:
            if paths and strict:
                raise
            failed = why
    if not paths:
        raise failed or NoPath("there is no point to follow it at")


def _given(claim: CodeClaim, given: Arguments) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameter → value, as a trace takes it; and input of the trace → value, in order."""
    try:
        parameters = list(inspect.signature(claim.function).parameters.values())
    except (TypeError, ValueError):
        raise NoPath("its parameters are not known") from None
    at: dict[str, Any] = {}
    values: dict[str, Any] = {}
    rest = list(given[: claim.by_position])
    for p in parameters:
        if rest and p.kind is p.VAR_POSITIONAL:
            at[p.name] = rest
            values |= {f"{p.name}[{k}]": v for k, v in enumerate(rest)}
            rest = []
        elif rest:
            at[p.name] = values[p.name] = rest.pop(0)
    by_name = zip(claim.arguments[claim.by_position :], given[claim.by_position :], strict=True)
    for name, value in by_name:
        at[name] = values[name] = value
    if len(values) != len(given):
        raise NoPath("its parameters do not take the variables one by one")
    return at, values


def _path(claim: CodeClaim, at: Mapping[str, Any], names: Sequence[str]) -> Path:
    """The path that the function takes at a point. names : the arguments as inputs of the trace."""
    try:
        trace, prepared = traced_and_prepared(claim.function, at)
    except ChainruleError as why:
        raise NoPath(str(why).splitlines()[0]) from None
    except (Exception, SystemExit) as why:
        raise NoPath(f"following it ended in {type(why).__name__}: {why}") from None
    if trace.notes:
        raise NoPath("; ".join(trace.notes))
    named = dict(zip(names, claim.arguments, strict=True))
    symbols: dict[str, tuple[sp.Expr, ...]] = {}
    for name, node in trace.inputs.items():
        if name in named:
            symbols[name] = tuple(entries(claim.derivation.symbols[named[name]]))
        elif name in prepared.inputs and node.kind != "b":
            symbols[name] = _numbers(name, prepared.inputs[name])
        else:
            raise NoPath(f"it reads {name}")
        if len(symbols[name]) != count(node.shape, trace.sizes):
            raise NoPath(f"{name} has another size in its trace")
    looked = []
    for guard in trace.guards:
        if guard.size is not None or guard.how is all_finite or guard.node is None:
            continue
        if guard.how is not None or guard.node.kind != "b" or guard.node.ndim:
            raise NoPath(f"it looks at values: {guard.text}")
        looked.append(guard)
    path = Path(trace, _outputs(claim, trace), symbols, tuple(looked), ())
    try:
        found = _components(path, [g.node for g in looked if g.node is not None])
    except ChainruleError as why:
        raise NoPath(str(why)) from None
    cases = tuple((_truth(found[g.node].flat[0]), bool(g.value)) for g in looked if g.node)
    return replace(path, cases=cases)


def _outputs(claim: CodeClaim, trace: Trace) -> dict[Key, tuple[Node, ...]]:
    """The nodes of each block, in the order of what was returned, row by row."""
    out: dict[Key, tuple[Node, ...]] = {}
    for key, block in claim.blocks.items():
        found = [
            node
            for at, node in trace.outputs.items()
            if key is None or at == key or at.startswith(f"{key}[")
        ]
        total = sum(count(n.shape, trace.sizes) for n in found)
        if total != len(block.matrix) or len({n.number_shape for n in found}) != 1:
            raise NoPath("its trace returns another number of entries")
        if len(found) == 1 and found[0].number_shape not in accepted_shapes(block):
            raise NoPath("its trace returns another shape")
        out[key] = tuple(found)
    return out


# -- constants -------------------------------------------------------------------------------------


def _numbers(name: str, value: Any) -> tuple[sp.Expr, ...]:
    """A place's entries as the numbers that their decimals say."""
    out: list[sp.Expr] = []
    for v in np.asarray(value).reshape(-1).tolist():
        found = _said(v)
        if found is None:
            raise NoPath(f"{name} holds {v!r}, which may have been rounded")
        out.append(found)
    return tuple(out)


def _said(value: Any) -> sp.Rational | None:
    """The number that a short decimal, or an integer, says; None where rounding may have made it.

    >>> _said(0.1), _said(3.0), _said(0.1 + 0.2)
    (1/10, 3, None)
    """
    if not np.isfinite(value):
        return None
    said = Fraction(repr(value)) if isinstance(value, float) else Fraction(int(value))
    if isinstance(value, float) and not _short(said):
        return None
    return sp.Rational(said.numerator, said.denominator)


def _short(value: Fraction) -> bool:
    """Whether a decimal has so few digits that no rounding made it."""
    if value.denominator & (value.denominator - 1) == 0 and value.denominator <= 2**10:
        return abs(value) <= 2**20 or value.denominator == 1
    tens = 10 ** max(value.denominator.bit_length(), 1)
    scaled = value * tens
    return scaled.denominator == 1 and len(str(abs(scaled.numerator)).strip("0")) <= DIGITS


def _constants(nodes: Iterable[Node]) -> tuple[dict[str, None], str]:
    """Readings that a reader must know; and the first constant that has none."""
    shown: dict[str, None] = {}
    for node in nodes:
        if node.op != "const":
            continue
        how, *rest = node.params
        if how == "near":
            return shown, f"{constant(node)!r} is no exact number"
        if how == "named":
            shown[{"pi": "pi = π", "e": "e = exp(1)"}.get(rest[0], rest[0])] = None
        elif how == "array" and node.kind == "f":
            for v in constant(node).reshape(-1).tolist():
                if not (np.isfinite(v) and abs(v) <= 2**20 and (v * 2**10).is_integer()):
                    return shown, f"an array holds {v!r}, which may have been rounded"
        elif how == "number" and rest[0].denominator & (rest[0].denominator - 1):
            shown[f"{float(rest[0])!r} = {rest[0]}"] = None
    return shown, ""


# -- SymPy -----------------------------------------------------------------------------------------


def _components(path: Path, nodes: Sequence[Node]) -> dict[Node, np.ndarray]:
    """The entries in the derivation's symbols, for everything that nodes need."""
    trace = path.trace
    swap: dict[sp.Symbol, sp.Expr] = {}
    for name, node in trace.inputs.items():
        shape = node.number_shape
        for place, s in zip(np.ndindex(*shape), path.symbols[name], strict=True):
            index = f"[{','.join(map(str, place))}]" if place else ""
            swap[sp.Symbol(f"{name}{index}", real=True)] = s
    swap = {a: b for a, b in swap.items() if a != b}
    if _length(nodes, trace.sizes) > LONG:
        raise NoPath(f"written out, an entry of it has more than {LONG:,} operations")
    try:
        found = components(nodes, trace.sizes)
    except ChainruleError as why:
        raise NoPath(str(why)) from None
    except Exception as why:  # SymPy's own
        raise NoPath(f"SymPy cannot write it: {type(why).__name__}: {why}") from None
    if not swap:
        return found
    out = {}
    for node, array in found.items():
        out[node] = np.empty(array.shape, object)
        for place in np.ndindex(*array.shape):
            e = array[place]
            out[node][place] = e.xreplace(swap) if isinstance(e, sp.Basic) else e
    return out


def _length(nodes: Sequence[Node], sizes: Mapping[str, int]) -> int:
    """How many operations the longest entry has when what it shares is written out each time."""
    lengths: dict[Node, int] = {}
    for node in reached(nodes):
        inner = [lengths[i] for i in node.inputs]
        if node.op in STRUCTURE:  # entries are moved
            lengths[node] = max(inner)
            continue
        summed = 1
        if node.op == "contract":
            labels, kept = node.params
            shapes = zip(labels, (i.shape for i in node.inputs), strict=True)
            extent = {n: s for of, shape in shapes for n, s in zip(of, shape, strict=True)}
            summed = count(tuple(s for n, s in extent.items() if n not in kept), sizes)
        elif node.op in REDUCTIONS or node.op in LINEAR_ALGEBRA:
            summed = count(node.inputs[0].shape, sizes)
        lengths[node] = 1 + summed * sum(inner)
    return max((lengths[n] for n in nodes), default=0)


def _truth(entry: Any) -> sp.Basic:
    """A number as the condition that it is not 0; a condition as it is."""
    if isinstance(entry, (bool, np.bool_)):
        return sp.true if entry else sp.false
    if isinstance(entry, sp.logic.boolalg.Boolean) and not isinstance(entry, sp.Symbol):
        return entry
    return sp.Ne(entry, 0)


def _number(entry: Any) -> sp.Expr:
    """A condition as 1 or 0, by cases; a number as it is."""
    if isinstance(entry, sp.Expr):
        return entry
    truth = _truth(entry)
    if truth in (sp.true, sp.false):
        return sp.Integer(1 if truth == sp.true else 0)
    return sp.Piecewise((1, truth), (0, True))


Cases = tuple[tuple[sp.Basic, bool], ...]


def _split(paths: Sequence[tuple[Cases, Any]]) -> tuple[sp.Basic, list[Any], list[Any]]:
    """The first condition that paths looked at, and those where it was true, and false."""
    first = {cases[0][0] if cases else None for cases, _ in paths}
    if len(first) != 1 or None in first:
        raise NoPath("its paths do not branch by the same conditions")
    (condition,) = first
    sides = [
        [(cases[1:], entry) for cases, entry in paths if cases[0][1] is way]
        for way in (True, False)
    ]
    return condition, sides[0], sides[1]


def _by_cases(paths: Sequence[tuple[Cases, sp.Expr]], otherwise: sp.Expr) -> sp.Expr:
    """One expression for all paths; `otherwise` on branches that no point took."""
    if not paths:
        return otherwise
    if all(not cases for cases, _ in paths):
        if len({entry for _, entry in paths}) != 1:
            raise NoPath("it has two formulas on one path")
        return paths[0][1]
    condition, yes, no = _split(paths)
    if condition in (sp.true, sp.false):
        if no if condition == sp.true else yes:
            raise NoPath("rounding decides which path it takes")
        return _by_cases(yes if condition == sp.true else no, otherwise)
    one, other = _by_cases(yes, otherwise), _by_cases(no, otherwise)
    return one if one == other else sp.Piecewise((one, condition), (other, True))


def _untaken(paths: Sequence[Cases], so_far: tuple[sp.Basic, ...]) -> list[tuple[sp.Basic, ...]]:
    """The branches that no path takes, each as its conditions."""
    if not paths:
        return [so_far]
    if all(not cases for cases in paths):
        return []
    condition, yes, no = _split([(cases, None) for cases in paths])
    if condition in (sp.true, sp.false):
        return _untaken([c for c, _ in (yes if condition == sp.true else no)], so_far)
    sides = ((yes, condition), (no, sp.Not(condition)))
    return [
        found for side, says in sides for found in _untaken([c for c, _ in side], (*so_far, says))
    ]


# -- where the literal operations have values ------------------------------------------------------

_Need = Callable[..., Sequence[sp.Basic]]
#: Operation → under which it has a value, of its arguments' entries; others always have one.
_NEEDS: Mapping[str, _Need] = {
    "div": lambda a, b: [sp.Ne(b, 0)],
    "log": lambda a: [sp.Gt(a, 0)],
    "log2": lambda a: [sp.Gt(a, 0)],
    "log10": lambda a: [sp.Gt(a, 0)],
    "log1p": lambda a: [sp.Gt(1 + a, 0)],
    "arcsin": lambda a: [sp.Gt(1 - a**2, 0)],
    "arccos": lambda a: [sp.Gt(1 - a**2, 0)],
    "arctanh": lambda a: [sp.Gt(1 - a**2, 0)],
    "arccosh": lambda a: [sp.Gt(a, 1)],
    "tan": lambda a: [sp.Ne(sp.cos(a), 0)],
    "lgamma": lambda a: [sp.Gt(a, 0)],
    "polygamma": lambda a: [sp.Gt(a, 0)],
    "pow": lambda a, b: [sp.Gt(a, 0)],
}


def _conditions(path: Path, key: Key) -> list[sp.Basic]:
    """Under which the literal operations of a block have values; none that always holds."""
    found = _components(path, path.nodes[key])
    asking = [n for n in found if n.op in _NEEDS or n.op in ("power", "solve", "det", "logdet")]
    out: dict[sp.Basic, None] = {}
    for node in asking:
        xs = [found[i] for i in node.inputs]
        if node.op in ("solve", "logdet"):
            for lead in np.ndindex(*xs[0].shape[:-2]):
                out[sp.Ne(sp.Matrix(xs[0][lead].tolist()).det(method="berkowitz"), 0)] = None
            continue
        if node.op == "power":
            exponent = node.params[0]
            for e in xs[0].flat:
                if exponent.denominator > 1:
                    out[sp.Gt(_number(e), 0)] = None
                elif exponent < 0:
                    out[sp.Ne(_number(e), 0)] = None
            continue
        if node.op == "det":
            continue
        arrays = np.broadcast_arrays(*xs)
        for place in np.ndindex(*arrays[0].shape):
            for need in _NEEDS[node.op](*(_number(a[place]) for a in arrays)):
                out[need] = None
        if len(out) > ASKED:
            raise NoPath(f"more than {ASKED} operations of it have conditions")
    if sp.false in out:
        raise NoPath("it divides by zero, or has no real value, whatever the point")
    return [c for c in out if c != sp.true]


__all__ = ["Followed", "NoPath", "Path", "follow"]
