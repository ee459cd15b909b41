"""From a function and a point to an audited `Trace`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

import chainrule.code.table  # noqa: F401  (the rows)
from chainrule.code.instrument import NoSource, instrument
from chainrule.code.source import Unfollowable
from chainrule.code.table.extents import needs
from chainrule.code.trace.audit import audit
from chainrule.code.trace.places import (
    LOCK,
    Prepared,
    bound,
    own_functions,
    prepare,
    random_kept,
    said,
)
from chainrule.code.trace.record import Call, Event, Guard, Trace
from chainrule.code.trace.traced import leaves
from chainrule.code.trace.tracer import Tracer
from chainrule.errors import ShapeError, TraceError
from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import Size


def trace(
    function: Callable[..., Any],
    at: Mapping[str, Any],
    wrt: Sequence[str] = (),
    shapes: Mapping[str, str] | None = None,
) -> Trace:
    """Run a function once at a point and give what it does as a graph.

    at : argument or place → array, float, or a list or dict of such; everything else (integers,
        strings, objects) is passed as it is.
    wrt : places that must be inputs; more that the function reads are found by themselves.
    shapes : names for axes, such as {"x": "n0 N"}; others get names of their own.

    Raises UsageError for a point that does not fit, TraceError for code that cannot be followed.
    """
    return traced_and_prepared(function, at, wrt, shapes)[0]


def traced_and_prepared(
    function: Callable[..., Any],
    at: Mapping[str, Any],
    wrt: Sequence[str] = (),
    shapes: Mapping[str, str] | None = None,
) -> tuple[Trace, Prepared]:
    """The same, with what can call the function at other points."""
    with LOCK:  # another thread's places must not be read while they are bound
        prepared = prepare(function, at, wrt)
        tracer = Tracer(Graph())
        outputs = _run(prepared, tracer)
        prepared.functions = list(
            {id(f): f for f in (*prepared.functions, *tracer.functions.values())}.values()
        )
        prepared.keepers, prepared.found = tracer.keepers, tuple(tracer.found)
        for name, original in tracer.found.items():
            prepared.originals[name] = original
            prepared.inputs[name] = original
        made = _settled(prepared, tracer, outputs, shapes or {})
        return audit(prepared, made), prepared


def _run(prepared: Prepared, tracer: Tracer) -> dict[str, Node]:
    try:
        with random_kept(), np.errstate(all="ignore"):
            try:
                target: Callable[..., Any] = instrument(prepared.function, tracer)
                for f in own_functions(prepared.function):
                    tracer.followed(f)
                    tracer.functions[id(f)] = f
            except (NoSource, Unfollowable) as why:
                target = prepared.function
                tracer.notes[f"{why}; it is followed through NumPy's protocols"] = None
            stand_ins = {
                name: tracer.place(name, prepared.inputs[name], original)
                for name, original in prepared.originals.items()
            }
            with bound(prepared, stand_ins):
                result = prepared.call(target, tracer.place)
            return outputs_of(tracer, result, said(prepared.function))
    finally:
        tracer.restore()


def outputs_of(tracer: Tracer, result: Any, name: str) -> dict[str, Node]:
    """The nodes in what a function returned."""
    found = {k: tracer.node_of(tracer.met(v)) for k, v in leaves(result)}
    if not found:
        what = "None; is a return missing?" if result is None else f"a {type(result).__name__}"
        raise TraceError(f"{name} returns {what}; an array or a number is needed")
    return found


def _settled(
    prepared: Prepared, tracer: Tracer, outputs: Mapping[str, Node], shapes: Mapping[str, str]
) -> Trace:
    g = tracer.graph
    g.on_condition = None
    zero = Size.of(0)
    for size in needs(g):
        if size.const is None:
            tracer.guards.append(Guard(f"{size} >= 0", None, size=(size, ">=", zero)))
    parameters = prepared.wrt or tuple(prepared.originals)  # arguments are data, more often
    _name_axes(g, tracer.inputs, parameters, shapes)
    events, calls = tracer.events, tracer.calls
    guarded = [x for x in tracer.guards if x.node is not None]
    wanted: list[Node] = [*outputs.values(), *tracer.inputs.values()]
    wanted += [e.node for e in events] + [x.node for x in guarded if x.node is not None]
    wanted += [c.result for c in calls] + [n for c in calls for _, n in c.arguments]
    pinned: dict[str, str] = {}
    for name, node in tracer.inputs.items():
        for k, size in enumerate(node.shape):
            if size.const is not None:
                why = tracer.pinned.get(f"{name}.{k}", "it is stretched, or must be so")
                pinned[f"{name}.shape[{k}] = {size}"] = why
    new, nodes = g.settled(wanted)
    put = dict(zip(wanted, nodes, strict=True))
    names: dict[Node, str] = {}
    for event in events:
        if event.kind == "assign":
            node = put[event.node]
            if node not in names or (names[node][0] == "_" and event.name[0] != "_"):
                if node.op not in ("const", "size"):
                    names[node] = event.name
    inputs = {n: put[v] for n, v in tracer.inputs.items()}
    order = [n for n in prepared.inputs if n in inputs]
    inputs = {n: inputs[n] for n in (*order, *(n for n in inputs if n not in order))}
    names |= {v: n for n, v in inputs.items()}
    for key, output in outputs.items():
        if put[output].inputs:
            names.setdefault(put[output], key or said(prepared.function))
    return Trace(
        said(prepared.function),
        new,
        inputs,
        {k: put[v] for k, v in outputs.items()},
        names,
        tuple(
            Call(
                c.function,
                tuple((n, put[v]) for n, v in c.arguments),
                put[c.result],
                c.site,
                c.frame,
                c.caller,
            )
            for c in calls
        ),
        tuple(
            Event(e.kind, e.name, e.version, put[e.node], e.site, e.frame, e.loops) for e in events
        ),
        tuple(_kept(g, x, put) for x in _distinct(g, tracer.guards)),
        pinned,
        tuple(tracer.notes),
        frozenset(tracer.literals),
    )


def _kept(g: Graph, guard: Guard, put: Mapping[Node, Node]) -> Guard:
    size = guard.size and (g.size(guard.size[0]), guard.size[1], g.size(guard.size[2]))
    node = put[guard.node] if guard.node is not None else None
    text = guard.text
    if guard.size is not None and size is not None:
        text = _compared(*size)
    return Guard(text, guard.site, node, guard.value, guard.how, size)


def _compared(a: Size, op: str, b: Size) -> str:
    """``n ≥ 1``: numbers on the right."""
    sign = {"==": "=", "!=": "≠", ">=": "≥", "<=": "≤"}.get(op, op)
    number = next((c for monomial, c in a.terms if not monomial), 0)
    return f"{a - number} {sign} {b - number}"


def _distinct(g: Graph, guards: Iterable[Guard]) -> list[Guard]:
    """Guards that still say something, each once."""
    out: dict[Any, Guard] = {}
    for guard in guards:
        if guard.size is not None:
            a, op, b = g.size(guard.size[0]), guard.size[1], g.size(guard.size[2])
            if (a - b).const is None:
                out.setdefault((a, op, b), guard)
        else:
            value = np.asarray(guard.value).tobytes() if guard.how is None else guard.text
            out.setdefault((guard.node, value), guard)
    return list(out.values())


def _name_axes(
    g: Graph, inputs: Mapping[str, Node], wrt: Sequence[str], shapes: Mapping[str, str]
) -> None:
    """The user's names for axes, then names that a person would choose."""
    taken: dict[str, Size] = {}
    for name, text in shapes.items():
        if name not in inputs:
            raise ShapeError(f"shapes: {name} is no input (they are {', '.join(inputs)})")
        tokens = text.split()
        node = inputs[name]
        if len(tokens) != node.ndim:
            raise ShapeError(
                f"shapes: {name} has {node.ndim} axes, and {text!r} names {len(tokens)}"
            )
        for token, size in zip(tokens, node.shape, strict=True):
            here = size.at(g.env)
            if token.isdigit():
                if int(token) != here:
                    raise ShapeError(f"shapes: {name} has an axis of {here}, not {token}")
                g.pin(size)
                continue
            if token in taken:
                g.same(taken[token], size, f"the axis {token}")
            else:
                g.env.setdefault(token, here)
                taken[token] = Size.axis(token)
                g.same(taken[token], size, f"the axis {token}")
    for old, new in _nice(g, inputs, wrt, set(taken)).items():
        g.env[new] = g.env[old]
        g._bind(old, Size.axis(new))


def _nice(
    g: Graph, inputs: Mapping[str, Node], wrt: Sequence[str], taken: set[str]
) -> dict[str, str]:
    where: dict[str, list[tuple[str, int]]] = {}
    for name, node in inputs.items():
        for k, size in enumerate(node.shape):
            for axis in sorted(size.names):
                where.setdefault(axis, []).append((name, k))
    names: dict[str, str] = {}
    used = set(taken)
    letters = [*"nmpqrsdhklvw", *(f"n{k}" for k in range(10, 200))]
    for axis, members in where.items():
        if axis in taken:
            continue
        wishes: list[str] = []
        if not any(name in wrt for name, _ in members):
            wishes.append("N")
        for name, k in members:
            stem = name.rsplit(".", 1)[-1].rstrip("]").rstrip('"')
            digits = stem[len(stem.rstrip("0123456789")) :]
            if digits and name in wrt and len(digits) < 3 and k < 2:
                layer = int(digits) + name.endswith("]")  # W1, b1; Ws[0], bs[0]
                wishes.append(f"n{max(layer - k, 0)}")
        wishes += [w for w in letters]
        names[axis] = next(w for w in wishes if w not in used)
        used.add(names[axis])
    return names


__all__ = ["trace", "traced_and_prepared"]
