"""Code on both sides: functions said to compute the derivative of a function's code.

Says which of the user's arguments is what: forward's own by name, a cotangent or a tangent by what
is left; and of which places the derivatives are. Decides nothing about them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from chainrule.code.derive import CodeDerivation, derive_code
from chainrule.code.trace.places import Prepared, canonical, prepare, said
from chainrule.derivation import show_shape
from chainrule.domains import Domain, Lines, Square, declared
from chainrule.errors import UsageError
from chainrule.graph.derivative.adjoint import hessian, reverse
from chainrule.graph.derivative.tangent import forward
from chainrule.graph.node import Node

Mode = Literal["gradient", "vjp", "jacobian", "hessian", "jvp"]


@dataclass(frozen=True)
class Part:
    """One function of the user's, and what it is said to return.

    name : its own. wrt : the places whose derivatives it returns; None: what it returns says.
    labels : key of what it returns, or place → what the user calls it, where that is another name.
    """

    name: str
    function: Callable[..., Any]
    wrt: tuple[str, ...] | None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PairClaim:
    """Functions said to compute the derivative of a function's code.

    derivation : of the forward code. given : the places asked for; () if nobody named any.
    directions : argument of the user's → the place whose tangent it is, "" for the cotangent.
    renamed : argument of the user's → forward's argument that it is, where their names differ.
    values : what was given for directions. domains : input → what is declared of it.
    """

    derivation: CodeDerivation
    parts: tuple[Part, ...]
    mode: Mode
    given: tuple[str, ...]
    directions: Mapping[str, str]
    renamed: Mapping[str, str]
    values: Mapping[str, Any]
    domains: Mapping[str, Domain] = field(default_factory=dict)

    def said_domains(self) -> tuple[str, ...]:
        """What is declared, as one says it: "y one-hot along axis 0"."""
        tied = [n for n, d in self.domains.items() if isinstance(d, (Square, Lines))]
        free = [n for n in tied if any(n in (p.wrt or (n,)) for p in self.parts)]
        return tuple(
            f"{n} {d.said}" + (" (derivatives with all its entries free)" if n in free else "")
            for n, d in self.domains.items()
        )

    def of_part(self, name: str) -> str:
        """The name in the graph of a direction: the argument's own, unless a place has it."""
        return f"{name} (argument)" if name in self.derivation.trace.inputs else name

    def derived(self, derivation: CodeDerivation, wrt: Sequence[str]) -> dict[str, Node]:
        """Key → the derived node: a place's derivative, or the output's tangent.

        derivation : this claim's, or one of the same code on another path.
        """
        (name, output), inputs = next(iter(_outputs(derivation).items())), derivation.trace.inputs
        nodes = {n: _input(inputs, n) for n in wrt}
        graph = output.graph
        if self.mode == "hessian":
            return {n: hessian(output, x, x) for n, x in nodes.items()}
        if self.mode == "jvp":
            tangents = {
                inputs[place]: graph.input(self.of_part(argument), inputs[place].shape)
                for argument, place in self.directions.items()
            }
            found = forward([output], tangents)[0]
            return {name: graph.full(0, output.shape) if found is None else found}
        if self.mode == "vjp":
            seed = graph.input(self.of_part(next(iter(self.directions))), output.shape)
            of = reverse(output, nodes.values(), seed=seed).of
            return {n: of[x] for n, x in nodes.items()}
        return {n: derivation.blocks[name, n].node for n in wrt}

    def said(self, key: str) -> str:
        """What is derived, as one writes it: ∂cost/∂W1."""
        name = self.derivation.of[0]
        return {
            "gradient": f"∂{name}/∂{key}",
            "jacobian": f"∂{name}/∂{key}",
            "vjp": f"{', '.join(self.directions)} · ∂{name}/∂{key}",
            "hessian": f"∂²{name}/∂{key}²",
            "jvp": f"the tangent of {name}",
        }[self.mode]


def _outputs(derivation: CodeDerivation) -> dict[str, Node]:
    return dict(zip(derivation.of, derivation.trace.outputs.values(), strict=True))


def _input(inputs: Mapping[str, Node], name: str) -> Node:
    if name not in inputs:
        raise UsageError(f"{name} is none of {', '.join(inputs)}")
    return inputs[name]


def _parameters(function: Any) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return {}


def _knows(prepared: Prepared, name: str) -> bool:
    """Whether forward has an argument or reads a place of that name, or of parts of it."""
    return name in prepared.arguments or any(
        n == name or n.startswith((f"{name}[", f"{name}.")) for n in prepared.inputs
    )


def functions_of(claimed: Any) -> dict[str, Callable[..., Any]]:
    """Key → function, "" for the only one. Raises UsageError for what is no function."""
    parts = dict(claimed) if isinstance(claimed, Mapping) else {"": claimed}
    if not parts:
        raise UsageError("there is nothing to check; give a function, or place → function")
    for key, function in parts.items():
        if not callable(function):
            where = f" for {key!r}" if key else ""
            raise UsageError(
                f"a {type(function).__name__} was given{where}; give the function that computes "
                "the derivative, not its result"
            )
    return parts


def pair_claim(
    forward_code: Callable[..., Any] | CodeDerivation,
    claimed: Any,
    at: Mapping[str, Any] | None,
    *,
    wrt: str | Sequence[str] | None = None,
    of: str | None = None,
    mode: Mode | None = None,
    cotangent: str | None = None,
    tangent: str | Mapping[str, str] | None = None,
    shapes: Mapping[str, str] | None = None,
    domains: Mapping[str, Domain] | None = None,
) -> PairClaim:
    """What is claimed of two pieces of code; see `chainrule.check`.

    Raises UsageError, ShapeError; TraceError where forward cannot be followed.
    """
    functions = functions_of(claimed)
    keys = tuple(canonical(k) for k in functions if k)
    if mode is not None and mode not in get_args(Mode):
        raise UsageError(f"mode={mode!r}: it must be one of {', '.join(get_args(Mode))}")
    wanted = keys if wrt is None else (wrt,) if isinstance(wrt, str) else tuple(wrt)
    named = (
        {tangent: ""} if isinstance(tangent, str) else {v: k for k, v in (tangent or {}).items()}
    )
    derivation, values = _followed(
        forward_code, functions, dict(at or {}), wanted or None, of, {cotangent, *named}, shapes
    )
    if len(derivation.of) != 1:
        raise UsageError(
            f"{derivation.trace.function} returns {', '.join(derivation.of)}; say with of= which "
            f"of them is meant, such as of={derivation.of[0]!r}"
        )
    (output,) = _outputs(derivation).values()
    given = derivation.wrt if wanted else ()
    parts = []
    for key, function in functions.items():
        mine = _under(canonical(key), derivation.wrt) if key else given or None
        if mine == ():
            raise UsageError(f"a function is given for {key}, and wrt= names {', '.join(given)}")
        parts.append(Part(said(function), function, mine, getattr(function, "labels", {})))
    if keys:
        for name in given:
            if not any(name in (p.wrt or ()) for p in parts):
                raise UsageError(f"wrt= names {name}, and no function is given for it")
    renamed, extra = _unknown(derivation.prepared, functions.values(), {cotangent, *named})
    if mode is None:
        mode = (
            "jvp"
            if tangent is not None
            else "vjp"
            if cotangent is not None or (output.shape and len(extra) == 1)
            else "jacobian"
            if output.shape
            else "gradient"
        )
    if output.shape and mode in ("gradient", "hessian"):
        raise UsageError(
            f"mode={mode!r} speaks of a scalar, and {derivation.of[0]} has the shape "
            f"{show_shape(output.number_shape)}; there are vjp, jvp and jacobian"
        )
    directions: dict[str, str] = {}
    if mode == "vjp":
        if cotangent is None and len(extra) != 1:
            raise UsageError("mode='vjp' needs cotangent=, the argument that takes the cotangent")
        directions = {cotangent if cotangent is not None else extra.pop(): ""}
        extra = [e for e in extra if e not in directions]
    elif mode == "jvp":
        directions = _tangents(named, given or derivation.wrt, extra)
        given = given or tuple(directions.values())
        parts = [replace(p, wrt=(derivation.of[0],)) for p in parts]
        extra = [e for e in extra if e not in directions]
    elif cotangent is not None or tangent is not None:
        raise UsageError(f"mode={mode!r} has no cotangent and no tangent")
    for function in functions.values():
        lacking = [d for d in directions if d not in _parameters(function)]
        if lacking:
            raise UsageError(f"{said(function)} has no argument {lacking[0]}")
    if extra:
        known = ", ".join(n for n in derivation.prepared.inputs) or "nothing"
        backward, forward_name = said(next(iter(functions.values()))), derivation.trace.function
        advice = "call it by the same names, or say which argument is the cotangent"
        if len(extra) > 1:
            advice = (
                f"check a function of {forward_name}'s own arguments, and one more at most (the "
                "cotangent), that runs forward for its cache and then calls it"
            )
        raise UsageError(
            f"{'the second' if backward == '<lambda>' else backward} needs {', '.join(extra)}, "
            f"which {'the first' if forward_name == '<lambda>' else forward_name} does not have "
            f"(it has {known}); {advice}"
        )
    stray = sorted(values.keys() - directions.keys())
    if stray:
        raise UsageError(f"at gives {stray[0]}, which {derivation.trace.function} does not read")
    held = _domains(derivation, domains)
    return PairClaim(derivation, tuple(parts), mode, given, directions, renamed, values, held)


def _domains(derivation: CodeDerivation, domains: Any) -> dict[str, Domain]:
    """Input → what is declared of it, held to the user's own values."""
    if domains is None:
        return {}
    if not isinstance(domains, Mapping):
        raise UsageError(
            f"domains={domains!r}: give input → domain, such as {{'y': cr.one_hot(axis=0)}}"
        )
    inputs = derivation.prepared.inputs
    found: dict[str, Domain] = {}
    for name, domain in domains.items():
        places = _under(canonical(str(name)), [n for n in derivation.trace.inputs if n in inputs])
        if not places:
            known = ", ".join(derivation.trace.inputs)
            raise UsageError(
                f"domains names {name}, which {derivation.trace.function} does not read "
                f"(it reads {known})"
            )
        for place in places:
            declared(place, domain, inputs[place])
            found[place] = domain
    return found


def _tangents(named: Mapping[str, str], wrt: Sequence[str], extra: list[str]) -> dict[str, str]:
    """Argument → the place whose tangent it is."""
    if not named and len(extra) == 1:
        named = {extra[0]: ""}
    found = {a: canonical(p) if p else wrt[0] for a, p in named.items() if p or len(wrt) == 1}
    unknown = [p for p in found.values() if p not in wrt]
    if not found or unknown:
        raise UsageError(
            "mode='jvp' needs tangent=: the argument that takes the tangent and wrt= its place, "
            "or place → argument where there are several"
        )
    return found


def _unknown(
    prepared: Prepared, functions: Iterable[Callable[..., Any]], named: Collection[str | None]
) -> tuple[dict[str, str], list[str]]:
    """Arguments under another name than forward's, and those that forward does not have."""
    renamed: dict[str, str] = {}
    extra: dict[str, None] = {}
    for function in functions:
        needed = [
            p.name
            for p in _parameters(function).values()
            if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
        strange = [n for n in needed if n not in named and not _knows(prepared, n)]
        others = [n for n in needed if n not in named]
        if len(strange) == len(others) == len(prepared.arguments) == 1:
            renamed[strange[0]] = next(iter(prepared.arguments))
            continue
        extra |= dict.fromkeys(strange)
    return renamed, list(extra)


def _under(name: str, places: Sequence[str]) -> tuple[str, ...]:
    """The places that a name stands for: itself, or its parts."""
    return tuple(p for p in places if p == name or p.startswith((f"{name}[", f"{name}.")))


def _followed(
    forward_code: Callable[..., Any] | CodeDerivation,
    functions: Mapping[str, Callable[..., Any]],
    at: dict[str, Any],
    wrt: tuple[str, ...] | None,
    of: str | None,
    directions: Collection[str | None],
    shapes: Mapping[str, str] | None,
) -> tuple[CodeDerivation, dict[str, Any]]:
    """The derivation at the point, and what the point gives for directions."""
    if isinstance(forward_code, CodeDerivation):
        prepared = forward_code.prepared
        function, arguments = prepared.function, prepared.arguments
        wrt = wrt or forward_code.wrt
        of = of or (forward_code.of[0] if len(forward_code.of) == 1 else None)
    else:
        function, arguments = forward_code, {}
    values = {}
    own = _parameters(function)
    takes = {p for f in functions.values() for p in _parameters(f)}
    for name in [n for n in at if n not in own]:
        if name in directions or (name in takes and not _place(function, arguments | at, name)):
            values[name] = at.pop(name)
    if (
        isinstance(forward_code, CodeDerivation)
        and not at
        and set(wrt or ()) <= {*forward_code.wrt}
    ):
        return forward_code, values
    return derive_code(function, {**arguments, **at}, wrt, of, shapes), values


def _place(function: Callable[..., Any], at: Mapping[str, Any], name: str) -> bool:
    """Whether a name is a place that a function can read."""
    own = _parameters(function)
    try:
        prepare(function, {n: v for n, v in at.items() if n in own}, [name])
    except UsageError:
        return False
    return True


def returned_places(claim: PairClaim, part: Part, keys: Sequence[str], mapping: bool) -> list[str]:
    """The places whose derivatives a function returns, where nobody named them.

    keys : of what it returned, "" for one array. mapping : whether they are names.
    Raises UsageError where that cannot be told.
    """
    d = claim.derivation
    if part.wrt is not None:
        return list(part.wrt)
    real = [n for n in d.wrt if d.trace.inputs[n].kind == "f"]
    if mapping:
        return [n for n in (named_place(k, real) for k in keys) if n]
    arguments = [n for n in real if n not in d.prepared.originals]
    arrays = [n for n in arguments if d.trace.inputs[n].shape]
    for candidates in (arrays, arguments, real):
        if len(candidates) == len(keys):
            return candidates
    vectors = [n for n in arrays if d.trace.inputs[n].number_shape == (len(keys),)]
    if len(vectors) == 1:  # a list of numbers
        return vectors
    what = "one array" if len(keys) == 1 else f"{len(keys)} values"
    raise UsageError(
        f"{part.name} returns {what}, and {d.trace.function} reads {', '.join(real)}; "
        "say with wrt= whose derivatives they are, in order"
        + ("; what is no derivative (the loss) must not be among them" if len(keys) > 1 else "")
    )


def places_meant(claim: PairClaim, keys: Sequence[str]) -> list[str]:
    """The places that the keys of a returned mapping mean, those among them that forward reads and
    that nobody named (`self.b`, a list of weights); empty if none of that kind is among them."""
    prepared = claim.derivation.prepared
    real = [n for n in claim.derivation.wrt if claim.derivation.trace.inputs[n].kind == "f"]
    found, new = [], False
    for key in keys:
        known = named_place(key, real)
        words = [key.removeprefix(p) for p in ("", "d", "d_", "grad_") if key.startswith(p)]
        tried = [f"{root}{w}" for w in words for root in ("", "self.") if w.isidentifier()]
        read = [t for t in tried if not known and _place(prepared.function, prepared.arguments, t)]
        new |= bool(read)
        found += [known] if known else read[:1]
    return found if new else []


def named_place(key: str, places: Sequence[str]) -> str:
    """The place that a key of a returned mapping means: W1, dW1, d_W1, grad_W1; "" if none."""
    for prefix in ("", "d", "d_", "grad_"):
        if not key.startswith(prefix):
            continue
        name = key[len(prefix) :]
        if name in places:
            return name
        ends = [p for p in places if _last(p) == name]
        if len(ends) == 1:
            return ends[0]
    return ""


def _last(place: str) -> str:
    """The last word of a place: W1 of ``params["W1"]`` and of ``net.W1``."""
    return place.replace('["', ".").replace('"]', "").rsplit(".", 1)[-1]
