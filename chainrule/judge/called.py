"""A forward function that is called and not followed: a stand-in for its derivation, that knows its
inputs and shapes and derives nothing; and what is claimed of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import CellType, CodeType, FunctionType
from typing import Any

import numpy as np

from chainrule.claim.pair import PairClaim, functions_of, pair_claim
from chainrule.code.derive import CodeDerivation
from chainrule.code.trace.places import Prepared, canonical, own, prepare, said
from chainrule.code.trace.record import Trace
from chainrule.errors import UsageError
from chainrule.evidence import calling
from chainrule.graph.node import Graph
from chainrule.graph.sizes import Size

DEEP = 4  # functions that call functions

Given = Mapping[str, Any]
Array = np.ndarray[Any, np.dtype[np.float64]]


class Called(CodeDerivation):
    """A function that is called and not followed, in a derivation's place: inputs and shapes."""

    @cached_property
    def blocks(self) -> Mapping[tuple[str, str], Any]:
        """Nothing is derived of it."""
        raise UsageError(f"{self.trace.function} was not followed")


def claim_of(
    forward: Any, claimed: Any, at: dict[str, Any], options: dict[str, Any]
) -> PairClaim | None:
    """The claim, with a stand-in for the derivation; None if forward cannot be called."""
    functions = functions_of(claimed)
    options.pop("shapes", None)
    wrt, of = options.pop("wrt", None), options.pop("of", None)
    keys = tuple(canonical(k) for k in functions if k)
    wanted = keys if wrt is None else (wrt,) if isinstance(wrt, str) else tuple(wrt)
    directed = {options.get("cotangent"), *_arguments(options.get("tangent"))}
    takes = {p for f in functions.values() for p in _parameters(f)}
    own = _parameters(forward)
    directions = {}
    for name in [n for n in at if n not in own]:
        if name in directed or (name in takes and not _reads(forward, own, at, name)):
            directions[name] = at.pop(name)
    prepared = prepare(forward, at, wanted)
    derivation = _called(prepared, of)
    if derivation is None:
        return None
    asked = {**options, "wrt": derivation.wrt if wanted else None}
    claim = pair_claim(derivation, claimed, directions, **asked)
    meant = calling.unnamed(claim)
    if meant:
        return claim_of(forward, claimed, {**at, **directions}, {**options, "wrt": meant, "of": of})
    return claim


def _arguments(tangent: Any) -> tuple[Any, ...]:
    """The arguments that take tangents."""
    return tuple(tangent.values()) if isinstance(tangent, Mapping) else (tangent,)


def _parameters(function: Any) -> Mapping[str, Any]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


def _reads(forward: Any, own: Given, at: Given, name: str) -> bool:
    """Whether a name is a place that forward can read."""
    try:
        prepare(forward, {n: v for n, v in at.items() if n in own}, [name])
    except UsageError:
        return False
    return True


def _called(prepared: Prepared, of: str | None) -> Called | None:
    """The stand-in of a function that was called once; None where it gives no real numbers."""
    inputs = float64(prepared.inputs)
    if any(type(v) is not np.ndarray for v in inputs.values() if isinstance(v, np.ndarray)):
        return None  # masked arrays and the like: a copy of one is another thing
    name = said(prepared.function)
    values = outputs_of(prepared, inputs)
    if not values:
        return None
    shapes = {key or name: v.shape for key, v in values.items() if of in (None, key, key or name)}
    if not shapes:
        return None
    graph = Graph()
    nodes = {}
    for place, value in prepared.inputs.items():
        kind: Any = "f" if np.asarray(value).dtype.kind == "f" else "i"
        nodes[place] = graph.input(place, tuple(Size.of(n) for n in np.shape(value)), kind)
    outputs = {
        key: graph.input(f"value of {key}", tuple(Size.of(n) for n in shape))
        for key, shape in shapes.items()
    }
    trace = Trace(name, graph, nodes, outputs, {})
    wrt = prepared.wrt or tuple(n for n, v in nodes.items() if v.kind == "f")
    if not wrt or any(nodes[n].kind != "f" for n in wrt):
        return None
    return Called(trace, prepared, tuple(outputs), wrt)


def float64(values: Given) -> dict[str, Any]:
    """Values as they are differentiated: arrays of coarser floats in float64."""
    return {
        n: v.astype(np.float64) if type(v) is np.ndarray and v.dtype.kind == "f" else v
        for n, v in values.items()
    }


def repeats(prepared: Prepared, values: Given) -> bool:
    """Whether forward gives the same bits again, after it was called elsewhere."""
    moved = {n: v * 0.875 if is_real(v) else v for n, v in values.items()}
    first, _, second = (outputs_of(prepared, v) for v in (values, moved, values))
    return first.keys() == second.keys() and all(
        first[k].tobytes() == second[k].tobytes() for k in first
    )


def outputs_of(prepared: Prepared, values: Given) -> dict[str, Array]:
    """Key → what forward gives, where that is finite real numbers; empty if it raises."""
    try:
        returned = dict(calling.parts(prepared.run(values)))
    except (Exception, SystemExit):
        return {}
    found = {}
    for key, value in returned.items():
        if value is None or (np.ma.isMaskedArray(value) and np.ma.getmaskarray(value).any()):
            continue
        array = np.asarray(value)
        if array.dtype.kind == "O":
            numbers = all(isinstance(v, float | np.floating) for v in array.ravel())
            array = array.astype(np.float64) if numbers else array
        if array.dtype.kind == "f" and np.isfinite(array).all():
            found[key] = array.astype(np.float64)
    return found


def names_of(functions: Sequence[FunctionType]) -> set[str]:
    """Every name that functions, and the user's functions that they name, look up."""
    found: set[str] = set()
    todo = list(functions)
    for _ in range(DEEP):
        codes: list[CodeType] = [f.__code__ for f in todo]
        for code in codes:  # grows: functions within functions
            found |= {*code.co_names}
            codes += [c for c in code.co_consts if isinstance(c, CodeType)]
        there = [g for f in todo for n in found for g in own(f.__globals__.get(n))]
        cells = [g for f in todo for c in f.__closure__ or () for g in own(_content(c))]
        aliases = [f.__globals__.get(n) for f in todo for n in found]
        found |= {str(getattr(a, "__name__", "")) for a in aliases if callable(a)}
        todo = [*there, *cells]
    return found


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def is_real(value: Any) -> bool:
    return np.asarray(value).dtype.kind == "f"
