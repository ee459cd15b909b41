"""What a function returned, held to what a derivative is: names, kinds of numbers, shapes."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np

from chainrule.claim.pair import PairClaim, Part, named_place, returned_places
from chainrule.code.trace.places import canonical
from chainrule.derivation import show_shape
from chainrule.errors import UsageError
from chainrule.evidence.calling.record import ENTRY, Fault, shown


def nothing(claim: PairClaim, name: str, key: str = "") -> Fault:
    what = claim.said(key) if key else f"the derivative of {claim.derivation.of[0]}"
    says = f"{name} returns None{f' for {key}' if key else ''}; is a return missing?"
    return Fault(key, "value", says, wrong=True, yours="None", right=what)


def keys_of(
    claim: PairClaim, part: Part, found: Mapping[str, Any], mapping: bool
) -> tuple[list[str], dict[str, str], list[Fault]]:
    """Which derivatives were returned, and where in what was returned."""
    faults: list[Fault] = []
    wrt = returned_places(claim, part, list(found), mapping)
    if not mapping:
        if len(found) == len(wrt):
            return wrt, dict(zip(wrt, found, strict=True)), faults
        if len(wrt) == 1 and all(np.ndim(v) == 0 for v in found.values()):
            return wrt, {wrt[0]: "stacked"}, faults
        inputs = claim.derivation.trace.inputs
        numbers = claim.mode in ("gradient", "hessian") and not any(inputs[n].shape for n in wrt)
        if numbers and [np.shape(v) for v in found.values()] == [(len(wrt),)]:
            return wrt, {n: f"{ENTRY}{k}" for k, n in enumerate(wrt)}, faults
        asked = "1 is" if len(wrt) == 1 else f"{len(wrt)} are"
        gives = "1 value" if len(found) == 1 else f"{len(found)} values"
        says = (
            f"{part.name} returns {gives}, and {asked} asked for: {', '.join(wrt)}; it must return "
            "these derivatives and nothing else"
        )
        return wrt, {}, [Fault("", "value", says)]
    keys: dict[str, str] = {}
    known = wrt if part.wrt is not None else list(claim.derivation.trace.inputs)
    for k in found:
        name = named_place(k, known) or named_place(_canonical(k), known)
        if name and name not in keys:
            keys[name] = k
        else:
            names = ", ".join(known)
            near = "" if name else _nearest(k, [n for n in known if n not in found])
            says = f"{part.name} returns {k!r}, which is none of what it is about: {names}"
            says += f"; is {near} meant?" if near else ""
            faults.append(Fault("", f"[{k!r}]", says, fatal=False))
    for name in wrt:
        if name not in keys:
            has = ", ".join(map(repr, found)) or "nothing"
            near = _nearest(name, [k for k in found if k not in keys.values()])
            says = f"{part.name} returns no {name!r}; it returns {has}"
            says += f": is {near!r} meant? Name it {name!r}" if near else ""
            faults.append(Fault(name, "value", says))
    return list(keys), keys, faults


def _nearest(name: str, others: list[str]) -> str:
    """Which of other names is likely meant; "" if none."""
    plain = {o.casefold().strip("_ "): o for o in others}
    close = get_close_matches(name.casefold().strip("_ "), list(plain), 1, 0.6)
    return plain[close[0]] if close else ""


def _canonical(key: str) -> str:
    try:
        return canonical(key)
    except UsageError:
        return key


def label_of(part: Part, at: str) -> str:
    """What was returned at a key, as the user calls it."""
    label = part.name if at in ("", "stacked") else shown(part.name, at)
    return str(part.labels.get(at, label))


def value_fault(
    claim: PairClaim, part: Part, key: str, at: str, value: Any, returned: Any
) -> Fault | None:
    """What is wrong with one returned value; None if nothing. returned : the whole of it."""
    label = label_of(part, at)
    if value is None:
        return nothing(claim, part.name, key)
    try:
        array = np.asarray(value)
    except Exception as why:
        return Fault(key, "value", f"{label} is no array of numbers: {why}")
    if np.ma.isMaskedArray(value) and np.ma.getmaskarray(value).any():
        count = int(np.ma.getmaskarray(value).sum())
        says = (
            f"{label} has {count} masked {'entry' if count == 1 else 'entries'} of {array.size}; a "
            "derivative has a value at each entry: fill them"
        )
        return Fault(key, "value", says)
    if array.dtype.kind not in "fiub":
        kind = {"c": "complex", "O": "object"}.get(array.dtype.kind, str(array.dtype))
        return Fault(key, "dtype", f"{label} holds {kind} values; real numbers are needed")
    wanted = wanted_shape(claim, key)
    if array.shape == wanted:
        return None
    if at == "stacked" and _nested(returned) == wanted:
        says = f"{label} returns lists of numbers; return np.array of them"
        return Fault(key, "value", says)
    if claim.mode == "jacobian" and _entry_by_entry(claim, key, array):
        says = (
            f"{label} has the shape {show_shape(array.shape)}, and {claim.said(key)} has "
            f"{show_shape(wanted)}; for a derivative entry by entry, check it at one number, or as "
            "a function that also takes a cotangent dy and returns dy times it"
        )
        return Fault(key, "shape", says, False, True)
    turned = array.shape == wanted[::-1] and len(wanted) > 1
    hint = "; that is the shape of its transpose" if turned else ""
    if not turned and len(wanted) > 2 and sorted(array.shape) == sorted(wanted):
        hint = "; it has the same axes in another order: transpose it"
    elif not turned and array.size == int(np.prod(wanted)):
        hint = "; it has as many entries: reshape it"
    says = (
        f"{label} has the shape {show_shape(array.shape)}, and {claim.said(key)} has "
        f"{show_shape(wanted)}{hint}"
    )
    return Fault(key, "shape", says, True, True, show_shape(array.shape), show_shape(wanted))


def _nested(returned: Any) -> tuple[int, ...]:
    """The shape of lists in lists; () where they have none."""
    try:
        return np.shape(returned)
    except ValueError:
        return ()


def _entry_by_entry(claim: PairClaim, key: str, array: np.ndarray) -> bool:
    """Whether a value has the shape of input and output, and the Jacobian is diagonal here."""
    (output,) = claim.derivation.trace.outputs.values()
    shape = claim.derivation.trace.inputs[key].number_shape
    if not array.shape == shape == output.number_shape or array.size > 2**8:
        return False
    try:
        whole = claim.derivation.blocks[claim.derivation.of[0], key].evaluate()
    except Exception:
        return False
    square = np.reshape(whole, (array.size, array.size))
    return not np.any(square[~np.eye(array.size, dtype=bool)])


def wanted_shape(claim: PairClaim, key: str) -> tuple[int, ...]:
    """The shape of a derivative at the user's own point."""
    d = claim.derivation
    (output,) = d.trace.outputs.values()
    if claim.mode == "jvp":
        return output.number_shape
    x = d.trace.inputs[key].number_shape
    first = {"jacobian": output.number_shape, "hessian": x}.get(claim.mode, ())
    return (*first, *x)
