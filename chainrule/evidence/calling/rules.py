"""The contract of a derivative, rule by rule, at the user's own point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chainrule.claim.pair import PairClaim, places_meant
from chainrule.code.trace.places import prepare
from chainrule.evidence.calling.again import alike, elsewhere, hidden, which
from chainrule.evidence.calling.binding import arguments, caller, point, with_places
from chainrule.evidence.calling.counting import counting
from chainrule.evidence.calling.once import call, copied
from chainrule.evidence.calling.record import Caller, Contract, Fault, Values, part_of, parts
from chainrule.evidence.calling.remarks import remarks
from chainrule.evidence.calling.returned import keys_of, label_of, nothing, value_fault


def unnamed(claim: PairClaim) -> list[str]:
    """Where nobody said whose derivatives a function returns, and it returns them by name: the
    places meant, if one of them is none that the derivation knows of."""
    part = claim.parts[0]
    if len(claim.parts) > 1 or part.wrt is not None or claim.mode == "jvp":
        return []
    values = point(claim, lambda _, shape: np.ones(shape))
    given = arguments(claim, part, values)
    one = caller(claim, part, with_places(claim, prepare(part.function, given)))
    returned = call(one, values).returned
    return places_meant(claim, list(map(str, returned))) if isinstance(returned, Mapping) else []


def contract(claim: PairClaim, one: Caller, values: Values, look: Callable[[Any], Any]) -> Contract:
    """What the function does at the user's own point; called four times, twice elsewhere: there
    after it was here, and there first; and some more times in a row where it may count its calls.
    """
    before = look(one.prepared.function)
    first = call(one, values, look)
    part = one.part
    if first.problem:
        return Contract((Fault("", "call", f"{part.name} {first.problem}"),))
    if first.returned is None:
        return Contract((nothing(claim, part.name),))
    found, kept = dict(parts(first.returned)), copied(first)
    mapping = isinstance(first.returned, Mapping) or hasattr(first.returned, "_fields")
    wrt, keys, faults = keys_of(claim, part, found, mapping)
    results: dict[str, np.ndarray] = {}
    values_of: dict[str, Any] = {}
    for key, at in keys.items():
        value = list(found.values()) if at == "stacked" else part_of(found, at)
        fault = value_fault(claim, part, key, at, value, first.returned)
        if fault is not None:
            faults.append(fault)
            continue
        results[key] = np.array(value, np.float64)
        values_of[key] = value
    wrt = [k for k in wrt if k in results]
    faults += remarks(values_of, {k: label_of(part, keys[k]) for k in values_of}, first)
    for names, verb in ((first.written, "writes into"), (first.stored, "changes")):
        fresh = [n for n in names if verb == "writes into" or n not in first.written]
        if fresh:
            says = f"{part.name} {verb} {', '.join(fresh)}; work on a copy (it was put back here)"
            faults.append(Fault("", verb, says, fatal=False))
    moved = {n: elsewhere(v) for n, v in values.items()}
    second = copied(call(one, moved))
    overwritten = [k for k in kept if not alike({k: found[k]}, {k: kept[k]})]
    again = copied(call(one, values))
    says = "" if alike(kept, again) else hidden(part, kept, second, again, first.drew)
    if not says and overwritten:
        labels = ", ".join(label_of(part, k) for k in overwritten)
        kept_on = (
            f"{labels} is overwritten by the next call of {part.name}: it returns an array that it "
            "keeps; return a copy"
        )
        faults.append(Fault("", "keeps its result", kept_on, fatal=False, harmless=True))
    if not says:
        before.restore()
        there = copied(call(one, moved))
        if not alike(second, there):
            says = (
                f"{which(part, second, there)} gives one result at a point, and another there "
                "after a call at another point: it uses what an earlier call left (a cache that is "
                "not set anew, a default that is kept)"
            )
    if not says and first.counted:
        says = counting(part.name, first.counted, kept, lambda: _again(one, values))
    if says:
        return Contract((Fault("", "call", says), *(f for f in faults if not f.fatal)))
    return Contract(tuple(faults), tuple(wrt), {k: keys[k] for k in wrt}, results)


def _again(one: Caller, values: Values) -> dict[str, Any] | str:
    """One more call of a function: its values, or what it raised."""
    found = call(one, values)
    return found.problem or copied(found)
