"""A trace is handed out only after its graph gave what the function gives: at the point, at fresh
values, at fresh sizes. A graph that fails at other sizes is fixed to those that it was made at; one
that fails at its own sizes never leaves the room.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.code.trace.places import Prepared, random_kept
from chainrule.code.trace.record import Guard, Trace
from chainrule.code.trace.traced import leaves
from chainrule.errors import TraceError
from chainrule.graph.node import Node, bind_sizes, count
from chainrule.graph.sizes import Size
from chainrule.values.float64 import bounded, evaluate

TRIES = ((0, 0.3), (1, 0.1), (2, 0.01), (3, 1e-3), (4, 1e-5))
SIZES = (3, 5, 7, 11, 13, 17, 19, 23, 29, 31)
CLOSE = 1e-9  # of the largest entry, where no bound is known or it would cost too much
TINY = float(np.finfo(float).tiny)
SMALL, MANY = 4_000, 4_000  # entries of the inputs, and nodes, up to which the bound is computed
HUGE = 1_000_000  # entries of an array, above which fresh sizes are smaller ones, if possible
LARGE = 20_000  # entries, above which fresh values are tried at fresh sizes only, if there are any

Values = dict[str, Any]


def audit(prepared: Prepared, trace: Trace) -> Trace:
    """The trace, perhaps with a narrower scope and more notes. Raises TraceError."""
    own = {n: _float(v) for n, v in prepared.inputs.items() if n in trace.inputs}
    both = prepared.run(own, times=2)
    first, again = (_leaves(result) for result in both)
    if not _equal(first, again):
        raise TraceError(
            f"{trace.function} gives another result when it is called again at the same point; it "
            "depends on something hidden (random numbers, a counter): give that as an argument"
        )
    _compare(trace, own, first, "at the point itself")
    if not trace.graph.env and not trace.inputs:
        return trace
    sized = _sizes(prepared, trace, own)
    fresh_sizes = sized is None
    if sized is not None:
        trace = _fixed(trace, sized)
    entries = sum(count(n.shape, trace.graph.env) for n in trace.inputs.values())
    if entries > LARGE and fresh_sizes and trace.graph.env:
        return trace
    for seed, spread in TRIES:
        values = _drawn(trace, own, trace.graph.env, seed, spread)
        if on_path(trace, values):
            _compare(trace, values, _function(prepared, values), "at fresh values")
            return trace
    note = "the path was confirmed at the given point only: fresh values left it"
    return replace(trace, notes=(*trace.notes, note))


def _float(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return np.array(value, dtype=np.float64)
    return value


def _function(prepared: Prepared, values: Values) -> dict[str, Any]:
    with random_kept():
        return _leaves(prepared.run(values))


def _leaves(result: Any) -> dict[str, Any]:
    return {k: np.array(v) for k, v in leaves(result)}


def _equal(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    return a.keys() == b.keys() and all(
        x.shape == b[k].shape and np.array_equal(x, b[k], equal_nan=x.dtype.kind == "f")
        for k, x in a.items()
    )


def _difference(trace: Trace, values: Values, wanted: Mapping[str, Any]) -> str:
    """What the function gives otherwise than the graph, as a clause; "" if nothing."""
    if wanted.keys() != trace.outputs.keys():
        missing = [k for k in trace.outputs if k not in wanted]
        if missing:
            which = "it returns" if missing == [""] else f"{missing[0]} is"
            return f"{which} no real numbers, and its graph gives some"
        return f"it returns {', '.join(wanted)}, and its graph gives {', '.join(trace.outputs)}"
    apart = _apart(trace, values, wanted)
    return apart and f"it gives {apart}, as its graph does"


def _apart(trace: Trace, values: Values, wanted: Mapping[str, Any]) -> str:
    """Two values that differ: "2.0 and not 3.0"; "" if none do."""
    sizes = bind_sizes(trace.inputs, {n: np.shape(values[n]) for n in trace.inputs})
    nodes = list(trace.outputs.values())
    with np.errstate(all="ignore"):
        if sum(np.size(values[n]) for n in trace.inputs) <= SMALL and len(trace.graph.nodes) < MANY:
            found = bounded(nodes, values, sizes)
        else:
            found = [(value, np.asarray(np.inf)) for value in evaluate(nodes, values, sizes)]
    for (key, node), (got, bound) in zip(trace.outputs.items(), found, strict=True):
        true = wanted[key]
        if true.shape != np.shape(got):
            return f"the shape {true.shape} and not {np.shape(got)}"
        if not true.size:
            continue
        both = np.isfinite(true) & np.isfinite(got)
        if not np.array_equal(np.isfinite(true), np.isfinite(got)):
            return f"{_first(true, ~(np.isfinite(true) == np.isfinite(got)))} and not a number"
        scale = float(np.max(np.abs(true), where=both, initial=0.0))
        with np.errstate(all="ignore"):
            # the function and the graph do the same operations: each is as far off as the bound
            allowed = np.minimum(CLOSE * scale, np.asarray(2 * bound)) + TINY
            apart = both & (np.abs(true - got) > allowed)
        if apart.any():
            return f"{_first(true, apart)} and not {_first(np.asarray(got), apart)}"
        if node.kind == "i" and not np.array_equal(true, got):
            return "other integers"
    return ""


def _first(array: np.ndarray, mask: np.ndarray) -> str:
    return repr(array[mask].reshape(-1)[0].item())


def _compare(trace: Trace, values: Values, wanted: Mapping[str, Any], where: str) -> None:
    apart = _difference(trace, values, wanted)
    if apart:
        raise TraceError(
            f"{trace.function} could not be followed: {where} {apart}; it depends on something "
            "that no hook sees. It can still be checked as a black box"
        )


def on_path(trace: Trace, values: Values) -> bool:
    """Whether the guards come out at these values as they did in the run."""
    sizes = bind_sizes(trace.inputs, {n: np.shape(values[n]) for n in trace.inputs})
    looked = [g for g in trace.guards if g.node is not None]
    nodes = [g.node for g in looked if g.node is not None]
    with np.errstate(all="ignore"):
        found = evaluate(nodes, values, sizes)
    return not off_path(trace, sizes, dict(zip(looked, found, strict=True)))


def off_path(trace: Trace, sizes: Mapping[str, int], found: Mapping[Guard, Any]) -> str:
    """The first guard that comes out otherwise than in the run; "" if none does.

    found : guard → the value of its node.
    """
    for guard in trace.guards:
        if guard.size is not None and not _size_holds(guard, sizes):
            return guard.text
        if guard in found and not _holds(guard, found[guard]):
            return guard.text
    return ""


def _holds(guard: Guard, value: Any) -> bool:
    if guard.how is not None:
        return _same(guard.how(value), guard.value)
    return _same(value, guard.value)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    return np.array_equal(np.asarray(a), np.asarray(b))


def _size_holds(guard: Guard, sizes: Mapping[str, int]) -> bool:
    assert guard.size is not None
    a, b = guard.size[0].at(sizes), guard.size[2].at(sizes)
    return {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[
        guard.size[1]
    ]


def _drawn(trace: Trace, own: Values, sizes: Mapping[str, int], seed: int, spread: float) -> Values:
    """Inputs of given sizes, near the user's own and of the same signs."""
    rng = np.random.default_rng(seed)
    out: Values = {}
    for name, node in trace.inputs.items():
        value = np.asarray(own[name])
        shape = tuple(s.at(sizes) for s in node.shape)
        if value.shape != shape:
            flat = value.reshape(-1)
            value = rng.choice(flat, size=shape) if flat.size else np.zeros(shape, value.dtype)
        elif value.dtype.kind != "f" and seed and value.ndim:
            value = rng.permutation(value.reshape(-1)).reshape(shape)
        if value.dtype.kind == "f":
            value = value * np.exp(spread * rng.standard_normal(shape))
        kind = type(own[name])
        out[name] = np.asarray(value) if kind is np.ndarray else kind(value)
    return out


def _sizes(prepared: Prepared, trace: Trace, own: Values) -> str | None:
    """Why the graph does not hold at other sizes; None if it does, or if there are none."""
    free = [n for n in trace.graph.env if any(n in s.names for s in _all_sizes(trace))]
    if not free:
        return None
    why, confirmed = "", 0
    other = [n for n in (*SIZES, *range(37, 60 + len(free))) if n not in trace.sizes.values()]
    small = [n for n in range(2, 60 + len(free)) if n not in trace.sizes.values()]
    most = max(HUGE, 4 * _largest(trace, trace.sizes))
    for shift in range(5):
        few = [*small[:3], *small[:2]][shift % 3 :][:3] * len(free)
        for candidates in (other[shift:], small[shift:], few):  # apart, if that stays small
            order = candidates[: len(free)]
            sizes = dict(zip(free, reversed(order) if shift == 1 else order, strict=True))
            if _largest(trace, sizes) <= most:
                break
        if any(s.at(sizes) < 1 for s in _all_sizes(trace)):
            why = "no other sizes were found that fit"
            continue
        if not all(_size_holds(g, sizes) for g in trace.guards if g.size is not None):
            why = "no other sizes were found that keep to the path"
            continue
        for seed, spread in (*TRIES[:3], *((k, 0.3) for k in range(5, 12))):
            values = _drawn(trace, own, sizes, seed, spread)
            try:
                if not on_path(trace, values):
                    why = "fresh values of other sizes left the path"
                    continue
                apart = _difference(trace, values, _function(prepared, values))
            except Exception as error:
                why = f"at other sizes it raises {type(error).__name__}: {error}"
                continue
            if apart:
                return f"at other sizes {apart}"
            confirmed += 1
            break
        if confirmed == 2:
            return None
    return None if confirmed else why


def _largest(trace: Trace, sizes: Mapping[str, int]) -> int:
    """How many entries the largest array of a graph has."""
    return max((count(n.shape, sizes) for n in trace.graph.nodes), default=0)


def _all_sizes(trace: Trace) -> list[Size]:
    return [s for n in trace.inputs.values() for s in n.shape]


def _fixed(trace: Trace, why: str) -> Trace:
    """The same trace for its own sizes only."""
    g = trace.graph
    for name in list(g.env):
        g._bind(name, Size.of(g.env[name]))
    nodes: list[Node] = [*trace.outputs.values(), *trace.inputs.values()]
    nodes += list(trace.names) + [e.node for e in trace.events]
    nodes += [x.node for x in trace.guards if x.node is not None]
    nodes += [c.result for c in trace.calls] + [n for c in trace.calls for _, n in c.arguments]
    new, made = g.settled(nodes)
    put = dict(zip(nodes, made, strict=True))
    return Trace(
        trace.function,
        new,
        {k: put[v] for k, v in trace.inputs.items()},
        {k: put[v] for k, v in trace.outputs.items()},
        {put[k]: v for k, v in trace.names.items()},
        tuple(
            replace(c, result=put[c.result], arguments=tuple((n, put[v]) for n, v in c.arguments))
            for c in trace.calls
        ),
        tuple(replace(e, node=put[e.node]) for e in trace.events),
        tuple(
            replace(x, node=put[x.node] if x.node is not None else None, size=None)
            for x in trace.guards
            if x.node is not None
        ),
        {**trace.pinned, "every size": why},
        (*trace.notes, f"it holds for these shapes only: {why}"),
        trace.literals,
    )
