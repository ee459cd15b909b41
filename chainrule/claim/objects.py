"""Objects that keep what their passes need, and the derivatives, in themselves.

Which attribute is whose derivative is told by names: `dW` beside `W`, `grads["W"]`, `grads[0]`
beside `params[0]`, in the object and in those that it holds; or by the user.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MethodType
from typing import Any, Literal

import numpy as np

from chainrule.claim import adapted
from chainrule.claim.arguments import Plan, plan
from chainrule.claim.attributes import (
    Parameter,
    Path,
    attributes,
    before_of,
    given_places,
    method_of,
    numbers,
    output_of,
    parameters_of,
    path_of,
    read_at,
    text_of,
)
from chainrule.claim.calls import LAYER, dressed, probed, signature_of
from chainrule.claim.matching import (
    PATTERNS,
    Leaf,
    assigned,
    last_word,
    leaves,
    meant,
    read,
    returned_names,
)
from chainrule.claim.passes import WHOLE, output_in
from chainrule.claim.styles import Sides
from chainrule.code.trace.places import canonical, parse
from chainrule.errors import UsageError

MARK = 1234.5  # what is put where a derivative should be written


@dataclass(frozen=True)
class Source:
    """Where a derivative is after both passes: in what backward returned, left in the object, or
    nowhere: what is there was there before. label : as the user writes it."""

    kind: Literal["returned", "left", "former"]
    path: Any
    label: str


@dataclass(frozen=True)
class Passes:
    """How both passes of an object are called.

    first : what is called before them. at : the point. inputs : forward's real arguments. plan :
    what backward's arguments are. output : where forward leaves its output, if it returns nothing.
    """

    self: Any
    name: str
    label: str
    first: tuple[Any, ...]
    forward: Any
    backward: Any
    at: Mapping[str, Any]
    inputs: Mapping[str, Any]
    plan: Plan
    output: Path | None
    shape: tuple[int, ...]

    def both(self, gather: Callable[[Any, Any], Any], labels: Mapping[str, str]) -> Any:
        """backward after forward, and what is gathered of both."""
        parts = (self.self, self.first, self.forward, self.backward)
        made = adapted.ridden(*parts, self.plan.split, self.plan.arguments, gather)
        return dressed(made, self.label, self.plan.signature, labels)

    def alone(self) -> Any:
        """forward, and its output."""
        where = self.output
        left = None if where is None else lambda obj: read_at(obj, where)
        made = adapted.held(self.self, self.forward, left)
        if self.plan.of is not None:
            inner = adapted.picked(made, self.plan.of)
            made = adapted.held(self.self, adapted.without_self(inner), None)
        return dressed(made, self.name, self.plan.own)

    def tried(self) -> Any:
        """What backward returns at the point; the object is left as both passes leave it."""
        seen: list[Any] = []

        def look(obj: Any, returned: Any) -> Any:
            seen.append(returned)
            return {}

        values = {n: v for n, v in self.at.items() if n != self.plan.cotangent}
        if self.plan.seat:
            values[self.plan.seat] = self.at.get(self.plan.cotangent, np.ones(self.shape))
        probed(self.both(look, {}), values)
        return seen[0]


def layer_sides(self: Any, at: Mapping[str, Any], options: Mapping[str, Any]) -> Sides:
    """See `chainrule.layer`."""
    rest = dict(options)
    kept = numbers(self)
    own = {n: rest.pop(n, None) for n in (*LAYER, "cotangent", "of")}
    passes = _passes(self, at, own, free=rest.get("mode") in WHOLE)
    wanted = rest.pop("wrt", None)
    asked = [wanted] if isinstance(wanted, str) else list(wanted or ())
    sources = _sources(passes, kept, own["grads"], asked)
    if wanted is not None:
        sources = _wanted(asked, sources, passes.name)
    if not sources:
        raise UsageError(
            f"{passes.label} returns nothing, and leaves nothing in {passes.name} that is called "
            "like a derivative (dW, grads['W']); say with grads= where they are, such as "
            "grads={'W': 'grad_of_W'}"
        )

    def gather(obj: Any, returned: Any) -> dict[str, Any]:
        return {
            place: source.path.tolist()
            if source.kind == "former"
            else read(returned, source.path)
            if source.kind == "returned"
            else read_at(obj, source.path)
            for place, source in sources.items()
        }

    whole = passes.both(gather, {place: source.label for place, source in sources.items()})
    arguments = {*passes.plan.own.parameters, passes.plan.cotangent}
    for option, value in rest.items():
        rest[option] = _places(self, value, arguments) if isinstance(value, Mapping) else value
    seat, point = passes.plan.seat, dict(passes.at)
    if seat:
        rest["cotangent"] = seat
        point = {(seat if n == passes.plan.cotangent else n): v for n, v in point.items()}
    return Sides(passes.alone(), whole, point, {**rest, "wrt": tuple(sources)})


def _passes(self: Any, at: Mapping[str, Any], own: Mapping[str, Any], free: bool) -> Passes:
    """Which methods they are, and what their arguments are. own : the options of `layer`."""
    name = type(self).__name__
    forward, says = method_of(self, own["forward"], ("forward", "__call__"), "forward")
    backward, label = method_of(self, own["backward"], ("backward",), "backward")
    names = (f"{name}.{says}", f"{name}.{label}")
    mine = signature_of(MethodType(forward, self), names[0])
    theirs = signature_of(MethodType(backward, self), names[1])
    at = _places(self, at, {*mine.parameters, *theirs.parameters})
    plain = dressed(adapted.held(self, forward, None), name, mine)
    prepared, result = probed(plain, at, tuple(theirs.parameters))
    output = output_of(self, own["output"], names[0]) if result is None else None
    if output is not None:
        result = read_at(self, output)
    of = output_in(result, own["of"], names[0]) if output is None else None
    made = plan(
        plain,
        MethodType(backward, self),
        result,
        of,
        own["cotangent"],
        own["cache"],
        names,
        free,
    )
    first = tuple(method_of(self, n, (), "before")[0] for n in before_of(self, own["before"]))
    inputs = {n: v for n, v in prepared.inputs.items() if n not in prepared.originals}
    shape = np.shape(result if of is None else result[of])
    return Passes(self, name, names[1], first, forward, backward, at, inputs, made, output, shape)


def _sources(
    passes: Passes, kept: Mapping[str, tuple[Any, Any]], given: Any, asked: Sequence[str]
) -> dict[str, Source]:
    """Place → where its derivative is after both passes.

    kept : what the object held before any. given, asked : grads= and wrt=.
    """
    self, name, label = passes.self, passes.name, passes.label
    result = passes.tried()
    untouched = {p: v for p, (v, _) in kept.items() if read_at(self, path_of(p)) is v}
    found = given_places(self, given, name) if given else list(parameters_of(self, untouched, kept))
    returned = [] if result is None else list(leaves(result))
    told = _returned(returned, passes.backward, passes.inputs, untouched, found, asked, label)
    sources = {p: Source("returned", x.path, label + x.shown) for p, x in told.items()}
    for argument in passes.inputs if not returned else ():
        left = [n for n in (p.format(argument) for p in PATTERNS) if n in attributes(self)]
        if left:
            sources[argument] = Source("left", (("attribute", left[0]),), f"{name}.{left[0]}")
    never = _never_written(passes, [p.gradient for p in found])
    for one in found:
        text = name + text_of(one.gradient)
        if one.place in sources:
            continue
        sources[one.place] = Source("left", one.gradient, text)
        if one.gradient in never:
            label = f"{text} (never written)"
            sources[one.place] = Source("former", never[one.gradient], label)
    return sources


def _never_written(passes: Passes, gradients: Sequence[Path]) -> dict[Path, Any]:
    """The arrays among them that both passes leave as they are, each with what is in it."""
    held = {g: read_at(passes.self, g) for g in gradients}
    there = {g: v for g, v in held.items() if isinstance(v, np.ndarray) and v.flags.writeable}
    former = {g: v.copy() for g, v in there.items()}
    for v in there.values():
        v.fill(MARK)
    passes.tried()
    never = {}
    for g, v in there.items():
        if read_at(passes.self, g) is v and v.size and bool((v == MARK).all()):
            never[g] = former[g]
            v[...] = former[g]
    return never


# -- what belongs to what --------------------------------------------------------------------------


def _places(self: Any, at: Mapping[str, Any], arguments: set[str]) -> dict[str, Any]:
    """The point, with parameters as places of the object: W is self.W."""
    found = {}
    for name, value in at.items():
        root = parse(name)[0]
        mine = root not in arguments and root != "self" and hasattr(self, root)
        found[f"self.{name}" if mine else name] = value
    return found


def _returned(
    returned: Sequence[Leaf],
    backward: Any,
    inputs: Mapping[str, Any],
    arrays: Mapping[str, Any],
    parameters: Sequence[Parameter],
    asked: Sequence[str],
    label: str,
) -> dict[str, Leaf]:
    """Place → the value that backward returns for it: by names, then the arguments in order.

    inputs : forward's real arguments. arrays : places of the object that no pass replaced;
    parameters : those with a derivative beside them. asked : what wrt= names.
    """
    if not returned:
        return {}
    names = returned_names(backward)
    told = assigned(returned, names, {**inputs, **arrays}, ordered=False)
    if told is None:
        told = assigned(returned, names, inputs)
    left = [n for n in inputs if n in [canonical(a) for a in asked]]
    if told is None and len(left) == len(returned):
        told = assigned(returned, (), {n: inputs[n] for n in left})
    if told is None:
        beside = {p.place: arrays[p.place] for p in parameters if p.place in arrays}
        told = assigned(returned, names, {**inputs, **beside})
    if told is None:
        gives = "one array" if len(returned) == 1 else f"{len(returned)} values"
        reads = ", ".join(p.place for p in parameters)
        raise UsageError(
            f"{label} returns {gives}, and forward takes {', '.join(inputs) or 'no real array'}"
            + (f" and reads {reads}" if reads else "")
            + "; whose derivatives they are cannot be told: say it with wrt=, or return them by "
            "name, such as {'x': dx}"
        )
    return told


def _wanted(asked: Sequence[str], sources: Mapping[str, Source], name: str) -> dict[str, Source]:
    """Only the places that were asked for."""
    found = {}
    for wish in asked:
        place = canonical(wish)
        place = place if place in sources else meant(last_word(place), list(sources))
        if place not in sources:
            raise UsageError(
                f"wrt= names {wish}, and no derivative of it was found in {name} (there are those "
                f"of {', '.join(sources)}); say with grads= where it is left"
            )
        found[place] = sources[place]
    return found
