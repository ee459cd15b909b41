"""Whether a function of the user's keeps to the contract of a derivative, at the user's own point.

It is called with copies: it returns what it says, real arrays of the right shapes, the same when
it is called again; it writes to nothing that it was given or can reach. Only a wrong shape, or no
value at all, shows that a derivative is wrong; what else breaks the contract leaves that open.
"""

from __future__ import annotations

import inspect
import os
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.claim.pair import PairClaim, Part, named_place, places_meant, returned_places
from chainrule.code.trace.places import Prepared, bound, canonical, parse, prepare
from chainrule.derivation import show_shape
from chainrule.errors import UsageError

Values = Mapping[str, Any]
#: Where code lies that is not the user's: this package, installed ones, Python's own.
LIBRARIES = tuple(
    path + os.sep
    for path in {
        str(Path(__file__).parent.parent),
        *(sysconfig.get_path(k) for k in ("purelib", "platlib", "stdlib", "platstdlib")),
    }
)
WORK: Any = 100_000  # steps to find out whether two arrays share memory


@dataclass(frozen=True)
class Fault:
    """One thing that breaks the contract.

    key : the derivative that it concerns; "" for all that the function returns. wrong : whether it
    shows that the derivative is wrong; yours, right : the two shapes then. fatal : whether there
    are no values to go on with. what : one word for the finding's name.
    """

    key: str
    what: str
    says: str
    wrong: bool = False
    fatal: bool = True
    yours: str = ""
    right: str = ""


@dataclass(frozen=True)
class Caller:
    """How a function of the user's is called at any point.

    names : its input → the derivation's input that it is; "" for what only it reads.
    wrt : the keys that it gives, in order; keys : likewise → where in what it returns.
    """

    part: Part
    prepared: Prepared
    names: Mapping[str, str]
    wrt: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)

    def own(self, values: Values) -> dict[str, Any]:
        """Values by the function's own names; what only it reads is as it is now."""
        return {
            mine: values[name] if name in values else self.prepared.inputs[mine]
            for mine, name in self.names.items()
            if name in values or mine in self.prepared.inputs
        }

    def run(self, values: Values) -> dict[str, Any]:
        """What it returns at a point, by the derivation's keys; whatever it raises."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            returned = dict(parts(self.prepared.run(self.own(values))))
        if set(self.keys.values()) == {"stacked"}:
            return {self.wrt[0]: np.array(list(returned.values()))}
        return {key: part_of(returned, place) for key, place in self.keys.items()}

    def floats(self, values: Values) -> dict[str, np.ndarray]:
        """`run` in its own precision; empty where it raises or gives something else."""
        try:
            found = {k: np.asarray(v) for k, v in self.run(values).items()}
            return {k: v if v.dtype.kind == "f" else v.astype(float) for k, v in found.items()}
        except (Exception, SystemExit):
            return {}


def parts(returned: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in what a function returned, each with its key; as the trace names it."""
    if isinstance(returned, Mapping):
        for k, v in returned.items():
            yield from parts(v, f"{key}[{k!r}]" if key else str(k))
    elif isinstance(returned, tuple) and hasattr(returned, "_fields"):
        for k, v in zip(returned._fields, returned, strict=True):
            yield from parts(v, f"{key}.{k}" if key else str(k))
    elif isinstance(returned, list | tuple):
        for n, v in enumerate(returned):
            yield from parts(v, f"{key}[{n}]")
    else:
        yield key, returned


ENTRY = "entry "  # before a number: that entry of the only array that is returned


def part_of(returned: Mapping[str, Any], at: str) -> Any:
    """What was returned at a key; one entry of an array, for places that are single numbers."""
    if at.startswith(ENTRY):
        return next(iter(returned.values()))[int(at.removeprefix(ENTRY))]
    return returned[at]


def unnamed(claim: PairClaim) -> list[str]:
    """Where nobody said whose derivatives a function returns, and it returns them by name: the
    places meant, if one of them is none that the derivation knows of."""
    part = claim.parts[0]
    if len(claim.parts) > 1 or part.wrt is not None or claim.mode == "jvp":
        return []
    values = point(claim, lambda _, shape: np.ones(shape))
    given = arguments(claim, part, values)
    one = caller(claim, part, with_places(claim, prepare(part.function, given)))
    returned = _call(one, values).returned
    return places_meant(claim, list(map(str, returned))) if isinstance(returned, Mapping) else []


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


# -- the contract ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contract:
    """wrt, keys : as `Caller` has them. results : key → what was returned, float64."""

    faults: tuple[Fault, ...]
    wrt: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def fatal(self) -> bool:
        """Whether there is nothing to go on with."""
        return not self.results


@dataclass
class _Call:
    returned: Any = None
    problem: str = ""
    passed: dict[str, Any] = field(default_factory=dict)
    written: tuple[str, ...] = ()
    stored: tuple[str, ...] = ()


def _call(one: Caller, values: Values, look: Callable[[Any], Any] | None = None) -> _Call:
    """One call with copies. look : keeps the state of what it is given, to compare afterwards."""
    own, prepared, out = one.own(values), one.prepared, _Call()

    def leaf(name: str, kept: Any) -> Any:
        value = own.get(name, kept)
        out.passed[name] = np.array(value) if isinstance(value, np.ndarray) else value
        return out.passed[name]

    outside = {n: leaf(n, prepared.inputs[n]) for n in prepared.originals}
    with bound(prepared, outside), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        state = look(prepared.function) if look else None
        try:
            out.returned = prepared.call(prepared.function, leaf)
        except (Exception, SystemExit) as why:
            out.problem = f"raises {type(why).__name__}{where(why)}: {why}"
        changed = state.changes() if state else []
        owned = state.owned if state else set()
        out.stored = tuple(c for c in changed if _owner(c) not in owned)
    before = {n: own.get(n, prepared.inputs[n]) for n in out.passed}
    out.written = tuple(
        n for n, v in out.passed.items() if isinstance(v, np.ndarray) and not _same(v, before[n])
    )
    return out


def _owner(name: str) -> str:
    cut = max(name.rfind("."), name.rfind("["))
    return name[:cut] if cut > 0 else name


def where(why: BaseException) -> str:
    """`` at net.py:31 (J = J @ a1.T)``: the innermost line of the user's."""
    for frame in reversed(traceback.extract_tb(why.__traceback__)):
        path = frame.filename
        library = path.startswith(LIBRARIES) and "gallery" not in Path(path).parts
        if not library and not path.startswith("<"):
            return f" at {path}:{frame.lineno}" + (f" ({frame.line})" if frame.line else "")
    return ""


def _same(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return bool(a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes())


def contract(claim: PairClaim, one: Caller, values: Values, look: Callable[[Any], Any]) -> Contract:
    """What the function does at the user's own point; called three times, once elsewhere."""
    first = _call(one, values, look)
    part = one.part
    if first.problem:
        return Contract((Fault("", "call", f"{part.name} {first.problem}"),))
    if first.returned is None:
        return Contract((_none(claim, part.name),))
    found = dict(parts(first.returned))
    mapping = isinstance(first.returned, Mapping) or hasattr(first.returned, "_fields")
    wrt, keys, faults = _keys(claim, part, found, mapping)
    results: dict[str, np.ndarray] = {}
    notes: list[str] = []
    for key, at in keys.items():
        value = list(found.values()) if at == "stacked" else part_of(found, at)
        fault = _value(claim, part, key, at, value, values)
        if fault is not None:
            faults.append(fault)
            continue
        results[key] = np.array(value, np.float64)
        shared = [
            n
            for n, v in first.passed.items()
            if isinstance(v, np.ndarray) and isinstance(value, np.ndarray) and _shares(value, v)
        ]
        if shared:
            notes.append(f"what it returns for {key} is the memory of {shared[0]}: return a copy")
    wrt = [k for k in wrt if k in results]
    for names, verb in ((first.written, "writes into"), (first.stored, "changes")):
        fresh = [n for n in names if verb == "writes into" or n not in first.written]
        if fresh:
            says = f"{part.name} {verb} {', '.join(fresh)}; work on a copy (it was put back here)"
            faults.append(Fault("", verb, says, fatal=False))
    _call(one, {n: _elsewhere(v) for n, v in values.items()})
    again = _call(one, values)
    if again.problem or not _alike(found, dict(parts(again.returned))):
        says = (
            f"{part.name} gives another result when it is called again with the same arguments; "
            "it depends on something hidden (random numbers, a counter, what an earlier call left)"
        )
        return Contract((Fault("", "call", says), *(f for f in faults if not f.fatal)))
    return Contract(tuple(faults), tuple(wrt), {k: keys[k] for k in wrt}, results, tuple(notes))


def _none(claim: PairClaim, name: str, key: str = "") -> Fault:
    what = claim.said(key) if key else f"the derivative of {claim.derivation.of[0]}"
    says = f"{name} returns None{f' for {key}' if key else ''}; is a return missing?"
    return Fault(key, "value", says, wrong=True, yours="None", right=what)


def _keys(
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
            says = f"{part.name} returns {k!r}, which is none of what it is about: {names}"
            faults.append(Fault("", f"[{k!r}]", says, fatal=False))
    for name in wrt:
        if name not in keys:
            has = ", ".join(map(repr, found)) or "nothing"
            says = f"{part.name} returns no {name!r}; it returns {has}"
            faults.append(Fault(name, "value", says))
    return list(keys), keys, faults


def _canonical(key: str) -> str:
    try:
        return canonical(key)
    except UsageError:
        return key


def _value(
    claim: PairClaim, part: Part, key: str, at: str, value: Any, values: Values
) -> Fault | None:
    """What is wrong with one returned value; None if nothing."""
    label = part.name if at in ("", "stacked") else shown(part.name, at)
    if value is None:
        return _none(claim, part.name, key)
    try:
        array = np.asarray(value)
    except Exception as why:
        return Fault(key, "value", f"{label} is no array of numbers: {why}")
    if array.dtype.kind not in "fiub":
        kind = {"c": "complex", "O": "object"}.get(array.dtype.kind, str(array.dtype))
        return Fault(key, "dtype", f"{label} holds {kind} values; real numbers are needed")
    wanted = wanted_shape(claim, key)
    if array.shape == wanted:
        return None
    if claim.mode == "jacobian" and _entry_by_entry(claim, key, array):
        says = (
            f"{label} has the shape {show_shape(array.shape)}, and {claim.said(key)} has "
            f"{show_shape(wanted)}; for a derivative entry by entry, check it at one number, or as "
            "a function that also takes a cotangent dy and returns dy times it"
        )
        return Fault(key, "shape", says, False, True)
    turned = array.shape == wanted[::-1] and len(wanted) > 1
    hint = "; that is the shape of its transpose" if turned else ""
    if not turned and array.size == int(np.prod(wanted)):
        hint = "; it has as many entries: reshape it"
    says = (
        f"{label} has the shape {show_shape(array.shape)}, and {claim.said(key)} has "
        f"{show_shape(wanted)}{hint}"
    )
    return Fault(key, "shape", says, True, True, show_shape(array.shape), show_shape(wanted))


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


def shown(name: str, key: str) -> str:
    """``backward["W2"]``, ``backward[1]``: one of several that a function returns."""
    if key.startswith(ENTRY):
        return f"{name}[{key.removeprefix(ENTRY)}]"
    return name + key if key.startswith("[") else f'{name}["{key}"]'


def wanted_shape(claim: PairClaim, key: str) -> tuple[int, ...]:
    """The shape of a derivative at the user's own point."""
    d = claim.derivation
    (output,) = d.trace.outputs.values()
    if claim.mode == "jvp":
        return output.number_shape
    x = d.trace.inputs[key].number_shape
    first = {"jacobian": output.number_shape, "hessian": x}.get(claim.mode, ())
    return (*first, *x)


def _elsewhere(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value * value.dtype.type(0.75) if value.dtype.kind == "f" else value
    return value * 0.75 if isinstance(value, float) else value


def _alike(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    if a.keys() != b.keys():
        return False
    return all(
        np.shape(v) == np.shape(b[k])
        and np.array_equal(v, b[k], equal_nan=np.asarray(v).dtype.kind in "fc")
        for k, v in a.items()
    )


def _shares(a: np.ndarray, b: np.ndarray) -> bool:
    try:
        return bool(np.shares_memory(a, b, max_work=WORK))
    except Exception:
        return bool(np.may_share_memory(a, b))


__all__ = ["Caller", "Contract", "Fault", "Sequence", "caller", "contract", "point"]
