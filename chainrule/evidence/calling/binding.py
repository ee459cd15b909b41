"""What a function of the user's is called with: which of its inputs is which of forward's."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chainrule.claim.pair import PairClaim, Part
from chainrule.code.trace.places import Prepared, parse, prepare
from chainrule.derivation import show_shape
from chainrule.errors import UsageError
from chainrule.evidence.calling.record import Caller, Values


def point(claim: PairClaim, drawn: Callable[[str, tuple[int, ...]], Any]) -> dict[str, Any]:
    """The user's own point: every input of the derivation, and the directions.

    drawn : (name, shape) → a value for a direction that was not given.
    """
    d = claim.derivation
    values = {n: d.prepared.inputs[n] for n in d.trace.inputs}
    (output,) = d.trace.outputs.values()
    for argument, place in claim.directions.items():
        node = d.trace.inputs[place] if place else output
        value = claim.values.get(argument)
        if value is None:
            value = drawn(argument, node.number_shape)
        elif np.shape(value) != node.number_shape:
            raise UsageError(
                f"at: {argument} has the shape {show_shape(np.shape(value))}; "
                f"{place or d.of[0]} has {show_shape(node.number_shape)}"
            )
        values[claim.of_part(argument)] = value
    return values


def arguments(claim: PairClaim, part: Part, values: Values) -> dict[str, Any]:
    """What a function is called with by name, at the user's own point; places given in at."""
    forward = claim.derivation.prepared
    given: dict[str, Any] = {}
    try:
        parameters = inspect.signature(part.function).parameters
    except (TypeError, ValueError):
        return dict(forward.arguments)
    for name, parameter in parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            if not given:
                given[name] = tuple(forward.arguments.values())
        elif parameter.kind is parameter.VAR_KEYWORD:
            rest = {n: v for n, v in forward.arguments.items() if n not in given}
            given |= rest if len(parameters) == 1 or rest.keys() - parameters.keys() else {}
        elif name in claim.directions:
            given[name] = values[claim.of_part(name)]
        elif claim.renamed.get(name, name) in forward.arguments:
            given[name] = forward.arguments[claim.renamed.get(name, name)]
        elif name in forward.inputs:
            given[name] = forward.inputs[name]
        else:
            inside = [n for n in forward.slots if n.startswith((f"{name}[", f"{name}."))]
            if inside and len(parse(inside[0])[1]) == 1:
                given[name] = forward.slots[inside[0]][0]
    return given


def places(claim: PairClaim, part: Part, given: Mapping[str, Any]) -> dict[str, Any]:
    """The places of forward's that the function can read under the same names: none of them may
    be taken for a constant there."""
    forward = claim.derivation.prepared
    found = {}
    for name, original in forward.originals.items():
        if parse_root(name) in given:
            continue
        try:
            there = prepare(part.function, given, [name]).originals.get(name)
        except UsageError:
            continue
        if there is original:
            found[name] = forward.inputs[name]
    return found


def parse_root(name: str) -> str:
    """The first word of a place."""
    try:
        return parse(name)[0]
    except UsageError:
        return name


def caller(claim: PairClaim, part: Part, prepared: Prepared) -> Caller:
    """How a prepared function is called: which of its inputs is which of the derivation's."""
    inputs, forward = claim.derivation.trace.inputs, claim.derivation.prepared
    star = [
        n
        for n, p in (prepared.signature.parameters if prepared.signature else {}).items()
        if p.kind is p.VAR_POSITIONAL
    ]
    names = {}
    for mine in prepared.inputs:
        root = parse_root(mine)
        if mine in prepared.originals:
            names[mine] = _same_place(claim, mine, prepared)
        elif root in claim.directions:
            names[mine] = claim.of_part(root)
        else:
            there = claim.renamed.get(root, root) + mine[len(root) :]
            if root in star:
                number = parse(mine)[1][0][1]
                there = list(forward.arguments)[number] + mine[len(f"{root}[{number}]") :]
            names[mine] = there if there in inputs else ""
    return Caller(part, prepared, names)


def _same_place(claim: PairClaim, mine: str, prepared: Prepared) -> str:
    """The derivation's name of a place: arrays by identity, floats by where they are held.

    An array that the point holds twice is the one of the same name, or none.
    """
    forward, inputs = claim.derivation.prepared, claim.derivation.trace.inputs
    original = prepared.originals[mine]
    if isinstance(original, np.ndarray):
        held = [n for n in inputs if forward.originals.get(n, forward.inputs[n]) is original]
        return held[0] if len(held) == 1 else mine if mine in held else ""
    same = mine in inputs and mine in forward.slots and mine in prepared.slots
    return mine if same and prepared.slots[mine][0] is forward.slots[mine][0] else ""


def with_places(claim: PairClaim, prepared: Prepared) -> Prepared:
    """For a function that is not traced: forward's places are bound for its calls as well."""
    forward = claim.derivation.prepared
    for name, original in forward.originals.items():
        if name not in prepared.inputs:
            prepared.originals[name] = original
            prepared.inputs[name] = forward.inputs[name]
            if name in forward.slots:
                prepared.slots[name] = forward.slots[name]
    return prepared
