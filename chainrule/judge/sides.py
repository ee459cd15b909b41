"""Both sides of one function of the user's, on the path that the code takes at a point."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

import numpy as np

from chainrule.claim.pair import PairClaim
from chainrule.code.derive import CodeDerivation, derive_code
from chainrule.code.trace.places import Prepared, bound
from chainrule.code.trace.record import Trace
from chainrule.code.trace.run import traced_and_prepared
from chainrule.errors import ChainruleError, ShapeError
from chainrule.evidence import calling, drawing, enclosures
from chainrule.evidence.calling import Caller, Contract
from chainrule.evidence.drawing import Point
from chainrule.evidence.enclosures import Derived, OffPath, Side
from chainrule.graph.node import Node, reached
from chainrule.graph.sizes import Size


@dataclass
class Ways:
    """Both sides on one path; graph is None where the user's code is not traced."""

    derived: Derived
    claimed: enclosures.Claimed | None
    graph: Side | None

    @property
    def there(self) -> enclosures.Claimed:
        """What encloses the user's side."""
        assert self.claimed is not None
        return self.claimed

    def fit(self, shapes: Mapping[str, tuple[int, ...]]) -> bool:
        """Whether the nodes exist at these shapes of the inputs: no cut leaves its array."""
        if any(size < 0 for shape in shapes.values() for size in shape):
            return False
        point = {n: np.zeros(s) for n, s in shapes.items()}
        for side in (self.derived.side, self.graph):
            if side is not None:
                try:
                    sizes = side.sizes(side.values(point))
                except ShapeError:  # this side has fewer sizes of its own
                    return False
                nodes = reached([*side.nodes.values(), *side.trace.outputs.values()])
                if any(n.at(sizes) < 0 for node in nodes for n in node.shape):
                    return False
        return True

    def work(self, point: Point) -> int:
        """Operations that one comparison takes, roughly."""
        sides = [s for s in (self.derived.side, self.graph) if s is not None]
        return 2 * sum(
            drawing.work(list(s.nodes.values()), s.sizes(s.values(point.values))) for s in sides
        )


def followed(
    claim: PairClaim, given: Mapping[str, Any], one: Caller, kept: Contract
) -> tuple[Caller, Trace | None, str]:
    """The user's function followed; or why it cannot be."""
    full = Caller(one.part, one.prepared, one.names, kept.wrt, kept.keys)
    numbers = tuple(n for n in given if n in kept.wrt and isinstance(given[n], int | np.integer))
    try:
        trace, prepared = traced_and_prepared(one.part.function, given, numbers)
    except ChainruleError as error:
        return full, None, str(error).splitlines()[0]
    except Exception as error:
        return full, None, f"following it ended in {type(error).__name__}: {error}"
    there = calling.caller(claim, one.part, prepared)
    return Caller(one.part, prepared, there.names, kept.wrt, kept.keys), trace, ""


def ways_of(claim: PairClaim, derivation: CodeDerivation, trace: Trace | None, one: Caller) -> Ways:
    wrt = list(one.wrt)
    if claim.mode == "jvp":
        wrt = list(claim.directions.values())
    nodes = claim.derived(derivation, wrt)
    inputs = inputs_of(claim, derivation)
    side = Side(derivation.trace, nodes, {n: n for n in inputs}, {}, inputs)
    moving = [derivation.trace.inputs[n] for n in wrt]
    derived = Derived(side, enclosures.kinks_of(derivation.trace, moving))
    if trace is None:
        return Ways(derived, None, None)
    claimed = {k: _output(trace, at) for k, at in one.keys.items()}
    graph = Side(
        trace,
        claimed,
        {n: one.names.get(n, "") for n in trace.inputs},
        {n: one.prepared.inputs[n] for n in trace.inputs if n in one.prepared.inputs},
        trace.inputs,
    )
    return Ways(derived, lambda point: graph.enclose(point)[0], graph)


def inputs_of(claim: PairClaim, derivation: CodeDerivation) -> dict[str, Node]:
    """Every input of the derived nodes: the trace's, and the directions."""
    inputs = dict(derivation.trace.inputs)
    (output,) = derivation.trace.outputs.values()
    for argument, place in claim.directions.items():
        shape = inputs[place].shape if place else output.shape
        name = claim.of_part(argument)
        inputs[name] = derivation.trace.graph.input(name, shape)
    return inputs


def again(claim: PairClaim, one: Caller, main: Ways, point: Point) -> Ways:
    """Both sides, followed anew at a point where the path is another one. Raises OffPath."""
    d = claim.derivation
    try:
        with ExitStack() as stack:
            at = _bound(stack, d.prepared, point.values)
            there = derive_code(d.prepared.function, at, d.prepared.wrt or None, d.of[0])
        if main.graph is None:
            ways = ways_of(claim, there, None, one)
            ways.claimed = main.claimed
            return ways
        with ExitStack() as stack:
            at = _bound(stack, one.prepared, one.own(point.values))
            trace, _ = traced_and_prepared(one.part.function, at)
        if not {*trace.inputs} <= {*one.names} or not {*there.trace.inputs} <= {*d.trace.inputs}:
            raise OffPath("it reads other places there")
        return ways_of(claim, there, trace, one)
    except OffPath:
        raise
    except Exception as why:
        raise OffPath(f"it could not be followed there: {why}") from None


def _output(trace: Trace, at: str) -> Node:
    """The node of what was returned at a key; single numbers as one array."""
    g = trace.graph
    if at.startswith(calling.ENTRY):
        (whole,) = trace.outputs.values()
        return g.index(whole, (("at", Size.of(int(at.removeprefix(calling.ENTRY)))),))
    if at != "stacked":
        return trace.outputs[at]
    return g.concat([g.reshape(x, (1,)) for x in trace.outputs.values()], 0)


def _bound(stack: ExitStack, prepared: Prepared, values: Mapping[str, Any]) -> dict[str, Any]:
    """Places bound while the stack is open; and the arguments, to be followed there."""
    box: dict[str, Any] = {}

    def take(*args: Any, **named: Any) -> None:
        if prepared.signature is None:
            box.update(zip(prepared.arguments, args, strict=False))
            return
        for name, value in prepared.signature.bind(*args, **named).arguments.items():
            if prepared.signature.parameters[name].kind is Parameter.VAR_KEYWORD:
                box.update(value)
            else:
                box[name] = value

    prepared.call(take, lambda name, kept: values.get(name, kept))
    outside = {n: values.get(n, prepared.inputs[n]) for n in prepared.originals}
    stack.enter_context(bound(prepared, outside))
    return box
