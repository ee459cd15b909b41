"""Functions that share a cache, and functions that do both: what `check` takes of them.

Their code is run once at the point, as it stands, to see how its results are arranged.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.claim import adapted
from chainrule.claim.arguments import Plan, comes_in, plan
from chainrule.claim.calls import dressed, probed, signature_of
from chainrule.claim.matching import Leaf, assigned, gathered, leaves, returned_names
from chainrule.claim.styles import Sides, Stopped
from chainrule.code.trace.places import Prepared, canonical, said
from chainrule.errors import UsageError

#: What people call the value, and its derivatives, in a dictionary of both.
VALUES = ("loss", "cost", "value", "out", "output", "objective", "f", "L", "J")
GRADS = ("grads", "grad", "gradients", "gradient")
#: Modes in which backward takes no cotangent.
WHOLE = ("jacobian", "hessian")


def pair_sides(
    forward: Any, backward: Any, at: Mapping[str, Any], options: Mapping[str, Any]
) -> Sides:
    """See `chainrule.pair`."""
    rest = dict(options)
    cotangent, cache, of = (rest.pop(n, None) for n in ("cotangent", "cache", "of"))
    names = (said(forward), said(backward))
    if backward is None:
        forward, backward, names, cotangent, cache = _class(forward, cotangent)
    for function in (forward, backward):
        if not callable(function):
            raise UsageError(f"{function!r} is no function; pair takes two functions, or a class")
    prepared, result = probed(forward, at, tuple(signature_of(backward).parameters))
    of = output_in(result, of, names[0])
    free = rest.get("mode") in WHOLE
    made = plan(forward, backward, result, of, cotangent, cache, names, free)
    whole = adapted.pulled(forward, backward, made.split, made.arguments, None)
    dressed(whole, names[1], made.signature)
    told = _arranged(whole, made, at, prepared, result, rest.get("wrt"), returned_names(backward))
    if told is not None:
        named_as = gathered({p: leaf.path for p, leaf in told.items()})
        whole = adapted.pulled(forward, backward, made.split, made.arguments, named_as)
        labels = {place: names[1] + leaf.shown for place, leaf in told.items()}
        dressed(whole, names[1], made.signature, labels)
        rest["wrt"] = tuple(told)
    if of is not None:
        forward = dressed(adapted.picked(forward, of), names[0], made.own)
    if made.seat:
        rest["cotangent"] = made.seat
        at = {(made.seat if n == made.cotangent else n): v for n, v in at.items()}
    return Sides(forward, whole, at, rest)


def output_in(result: Any, of: Any, name: str) -> Any:
    """Where the output is in what forward returned; None if it is all of it."""
    if isinstance(result, Mapping):
        key = of if of is not None else next((k for k in VALUES if k in result), None)
        if key not in result:
            has = ", ".join(map(repr, result))
            raise UsageError(f"{name} returns a dictionary with {has}; say with of= which is meant")
        return key
    if not isinstance(result, list | tuple):
        if of is not None:
            raise UsageError(f"of={of!r}: {name} returns one value only")
        return None
    at = 0 if of is None else of
    if not isinstance(at, int) or not -len(result) <= at < len(result):
        raise UsageError(f"of={of!r}: {name} returns {len(result)} values, numbered from 0")
    return at % len(result)


class Context:
    """What stands in for the `ctx` of a class with forward(ctx, x) and backward(ctx, dout)."""

    def __init__(self, count: int) -> None:
        self.saved_tensors: tuple[Any, ...] = ()
        self.needs_input_grad = (True,) * count

    def save_for_backward(self, *tensors: Any) -> None:
        """Keeps them as `saved_tensors`."""
        self.saved_tensors = tensors


def _class(kind: Any, cotangent: str | None) -> tuple[Any, Any, tuple[str, str], str, str]:
    """A class of two static methods as a forward and a backward function with a cache."""
    both: list[Any] = [getattr(kind, n, None) for n in ("forward", "backward")]
    if not isinstance(kind, type) or not all(inspect.isfunction(f) for f in both):
        raise UsageError(
            f"pair({said(kind)}): the backward pass is missing; give both functions, or a class "
            "with static methods forward(ctx, …) and backward(ctx, …), or an object to layer"
        )
    signatures = [signature_of(f) for f in both]
    first, theirs = ([*s.parameters.values()] for s in signatures)
    if not first or len(theirs) < 2 or first[0].name == "self":
        raise UsageError(
            f"pair({said(kind)}): forward and backward need a context as their first argument, and "
            "backward a cotangent; methods that keep things in self are checked with layer"
        )
    own = signatures[0].replace(parameters=first[1:])
    name = kind.__name__
    forward = adapted.with_both(both[0], lambda: Context(len(first) - 1))
    names = (name, f"{name}.backward")
    return dressed(forward, name, own), both[1], names, cotangent or theirs[1].name, theirs[0].name


def _arranged(
    whole: Any,
    made: Plan,
    at: Mapping[str, Any],
    prepared: Prepared,
    result: Any,
    wrt: Any,
    names: Sequence[str],
) -> dict[str, Leaf] | None:
    """Place → where in what backward returns its derivative is; None: as `check` understands it."""
    values = dict(at)
    if made.seat:
        output = result if made.of is None else result[made.of]
        given = values.pop(made.cotangent, None)
        values[made.seat] = np.ones(np.shape(output)) if given is None else given
    try:
        returned = probed(whole, values)[1]
    except Stopped:  # the contract says where it raises
        return None
    found = list(leaves(returned))
    own = {n: v for n, v in prepared.inputs.items() if n not in prepared.originals}
    return arrangement(found, names, own, list(made.own.parameters), wrt)


def arrangement(
    found: Sequence[Leaf],
    names: Sequence[str],
    places: Mapping[str, Any],
    arguments: Sequence[str],
    wrt: Any,
) -> dict[str, Leaf] | None:
    """Place → value; None: as `check` understands it.

    places : forward's real arguments. arguments : all of them. wrt : as the user gave it.
    """
    words = any(leaf.word for leaf in found)
    if wrt is not None:
        wanted = [canonical(w) for w in ([wrt] if isinstance(wrt, str) else wrt)]
        if not words or all(len(leaf.path) == 1 for leaf in found):
            return None
        return assigned(found, (), {w: np.asarray(places.get(w, 0.0)) for w in wanted})
    if any(leaf.value is None for leaf in found) and not words and len(found) == len(arguments):
        pairs = zip(arguments, found, strict=True)
        return {n: leaf for n, leaf in pairs if leaf.value is not None} or None
    return assigned(found, names, places)


def fused_sides(function: Any, at: Mapping[str, Any], options: Mapping[str, Any]) -> Sides:
    """See `chainrule.fused`."""
    rest = dict(options)
    cotangent, of, where = (rest.pop(n, None) for n in ("cotangent", "of", "grads"))
    name = said(function)
    own = signature_of(function)
    free = [cotangent] if cotangent else []
    if at:
        free += [n for n in at if n not in own.parameters and comes_in(n)]
    prepared, result = probed(function, at, free)
    if not isinstance(result, Mapping | list | tuple) or len(result) < 2:
        raise UsageError(
            f"{name} returns {_kind(result)}; fused needs the value and its derivatives: "
            "return loss, grads"
        )
    of = output_in(result, of, name)
    where = _derivatives(result, of, where, name)
    grads = result[where]
    forward = dressed(adapted.picked(function, of), name, own)
    if callable(grads):
        return _closure(function, grads, own, of, where, cotangent, at, result, rest)
    label = name + _shown(where)
    found = list(leaves(grads))
    inside = {n: v for n, v in prepared.inputs.items() if n not in prepared.originals}
    told = arrangement(
        found, _words(function, where), inside, list(own.parameters), rest.get("wrt")
    )
    claimed = adapted.picked(function, where)
    labels: dict[str, str] = {}
    if told is not None:
        named_as = gathered({p: leaf.path for p, leaf in told.items()})
        claimed = adapted.passed(claimed, named_as)
        labels = {p: _labelled(name, where, leaf) for p, leaf in told.items()}
        rest["wrt"] = tuple(told)
    elif isinstance(where, slice):
        shift = where.start or 0
        labels = {f"[{k}]": f"{name}[{k + shift}]" for k in range(len(grads))}
        label = name
    return Sides(forward, dressed(claimed, label, own, labels), at, rest)


def _kind(result: Any) -> str:
    if isinstance(result, list | tuple):
        return f"{len(result)} values"
    return f"a {type(result).__name__}" if result is not None else "None"


def _shown(where: Any) -> str:
    if isinstance(where, slice):
        return ""
    return f'["{where}"]' if isinstance(where, str) else f"[{where}]"


def _labelled(name: str, where: Any, leaf: Leaf) -> str:
    if isinstance(where, slice):
        first = leaf.path[0] + (where.start or 0)
        return name + Leaf((first, *leaf.path[1:]), "", None).shown
    return name + _shown(where) + leaf.shown


def _words(function: Any, where: Any) -> tuple[str, ...]:
    """The names under which a function returns its derivatives."""
    names = returned_names(function)
    if isinstance(where, slice):
        return names[where]
    return names[where : where + 1] if isinstance(where, int) else ()


def _derivatives(result: Any, of: Any, where: Any, name: str) -> Any:
    """Where the derivatives are in what a function returned."""
    if where is not None:
        try:
            result[where]
        except (KeyError, IndexError, TypeError):
            raise UsageError(f"grads={where!r}: {name} returns nothing there") from None
        return where
    if isinstance(result, Mapping):
        key = next((k for k in GRADS if k in result), None)
        if key is None:
            has = ", ".join(map(repr, result))
            raise UsageError(
                f"{name} returns a dictionary with {has}; say with grads= where the derivatives are"
            )
        return key
    others = [k for k in range(len(result)) if k != of]
    if len(others) == 1:
        return others[0]
    mappings = [k for k in others if isinstance(result[k], Mapping) or callable(result[k])]
    if len(mappings) == 1:
        return mappings[0]
    if of != 0:
        raise UsageError(f"say with grads= where in what {name} returns the derivatives are")
    return slice(1, None)


def _closure(
    function: Any,
    backward: Any,
    own: inspect.Signature,
    of: Any,
    where: Any,
    cotangent: str | None,
    at: Mapping[str, Any],
    result: Any,
    rest: dict[str, Any],
) -> Sides:
    """A function whose second result is its backward pass."""
    name = said(function)
    inner = said(backward)
    label = f"{name}{_shown(where)}" if inner == "<lambda>" else inner
    shown = dressed(adapted.picked(function, of), name, own)
    made = plan(
        shown, backward, result[of], None, cotangent, None, (name, label), rest.get("mode") in WHOLE
    )
    whole = adapted.closed(function, where, made.split, made.arguments, None)
    dressed(whole, label, made.signature)
    prepared = probed(shown, at, (made.cotangent,))[0]
    told = _arranged(
        whole, made, at, prepared, result[of], rest.get("wrt"), returned_names(backward)
    )
    if told is not None:
        named_as = gathered({p: leaf.path for p, leaf in told.items()})
        whole = adapted.closed(function, where, made.split, made.arguments, named_as)
        labels = {place: label + leaf.shown for place, leaf in told.items()}
        dressed(whole, label, made.signature, labels)
        rest["wrt"] = tuple(told)
    if made.seat:
        rest["cotangent"] = made.seat
        at = {(made.seat if n == made.cotangent else n): v for n, v in at.items()}
    return Sides(shown, whole, at, rest)


__all__ = ["Context", "fused_sides", "output_in", "pair_sides"]
