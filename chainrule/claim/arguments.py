"""Which argument of a backward pass is what: the cotangent, the cache, or one of forward's.

Names first, then order. What could be two things is a UsageError that says what was seen.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.claim.calls import signature_of
from chainrule.claim.matching import returned_names
from chainrule.derivation import show_shape
from chainrule.errors import UsageError

#: What people call what forward keeps for backward.
CACHES = frozenset(
    "cache caches cached ctx context saved saved_tensors residuals res memory mem memo tape state "
    "store stored fwd_cache intermediates aux".split()
)
#: What people call what comes into a backward pass.
COTANGENTS = frozenset("g gy gz v u ybar upstream output_gradient cotangent".split())
PREFIXES = ("d", "grad", "g_", "nabla", "upstream")
EMPTY, KEYWORD = inspect.Parameter.empty, inspect.Parameter.KEYWORD_ONLY
STARS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def comes_in(name: str) -> bool:
    """Whether an argument of a backward pass is called as a cotangent is."""
    small = name.lower()
    return small in COTANGENTS or (small.startswith(PREFIXES) and small not in CACHES)


@dataclass(frozen=True)
class Plan:
    """How a backward pass is called after a forward pass.

    cotangent : the name of its argument; "" if it takes none. seat : the name that the cotangent
    has among the arguments of both. own : forward's signature; signature : that with the cotangent.
    sources : for each argument of backward, its name and where it comes from: "cotangent", "cache",
    "star" (the cache, taken apart), "forward", or the number of one of forward's results. of :
    where the output is in what forward returns.
    """

    cotangent: str
    seat: str
    own: inspect.Signature
    sources: tuple[tuple[inspect.Parameter, str | int], ...]
    of: Any

    @property
    def signature(self) -> inspect.Signature:
        parameters = list(self.own.parameters.values())
        if self.seat:
            seat = inspect.Parameter(self.seat, KEYWORD)
            last = parameters and parameters[-1].kind is inspect.Parameter.VAR_KEYWORD
            parameters.insert(len(parameters) - bool(last), seat)
        return self.own.replace(parameters=parameters, return_annotation=EMPTY)

    def split(self, args: Any, named: Any) -> tuple[Any, Any]:
        """The arguments of forward."""
        return args, {k: v for k, v in named.items() if k != self.seat}

    def arguments(self, args: Any, named: Any, result: Any = None) -> tuple[Any, Any]:
        """The arguments of backward, after forward returned a result."""
        given = self.own.bind_partial(*args, **self.split(args, named)[1]).arguments
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        for p, source in self.sources:
            if source == "star":
                kept = kept_of(result, self.of)
                positional += kept if isinstance(kept, list | tuple) else [kept]
                continue
            if source == "forward" and p.name not in given and p.default is not EMPTY:
                continue  # both have a default
            value = (
                named[self.seat]
                if source == "cotangent"
                else kept_of(result, self.of)
                if source == "cache"
                else result[source]
                if isinstance(source, int)
                else given.get(p.name, self.own.parameters[p.name].default)
            )
            if p.kind is inspect.Parameter.POSITIONAL_ONLY or not (keywords or p.kind is KEYWORD):
                positional.append(value)
            else:
                keywords[p.name] = value
        return positional, keywords


def kept_of(result: Any, of: Any) -> Any:
    """What forward returned besides its output."""
    if isinstance(result, Mapping):
        return result.get("cache", result)
    rest = [v for k, v in enumerate(result) if k != of]
    return rest[0] if len(rest) == 1 else tuple(rest)


def plan(
    forward: Any,
    backward: Any,
    result: Any,
    of: Any,
    cotangent: str | None,
    cache: str | None,
    names: tuple[str, str],
    free: bool = False,
) -> Plan:
    """What each argument of a backward pass is.

    result : what forward returned at the point. of : where its output is; None if it is all of it.
    cotangent, cache : names that the user gave. names : of both functions, for messages.
    free : whether no cotangent is needed although the output is an array (mode="jacobian").
    """
    own, theirs = signature_of(forward, names[0]), signature_of(backward, names[1])
    parameters = list(theirs.parameters.values())
    plain = [p for p in parameters if p.kind not in STARS]
    listed = f"{names[1]}({', '.join(str(p).split(':')[0] for p in parameters)})"
    for asked, option in ((cotangent, "cotangent"), (cache, "cache")):
        if asked is not None and asked not in theirs.parameters:
            raise UsageError(f"{option}={asked!r}: {listed} has no such argument")
    output = result if of is None else result[of]
    unknown = [
        p.name
        for k, p in enumerate(plain)
        if p.name not in own.parameters and (p.default is EMPTY or k == 0 or p.name in CACHES)
    ]
    has_rest = of is not None
    if cache is None and has_rest:
        cache = next((n for n in unknown if n in CACHES and n != cotangent), None)
    left = [n for n in unknown if n not in (cache, cotangent)]
    scalar = np.ndim(output) == 0
    if cotangent is None and not free:
        needs = not scalar or not has_rest or cache is not None or len(left) > 1
        likely = next((n for n in left if comes_in(n)), None)
        if left and (needs or likely is not None):
            cotangent = likely or left[0]
            left.remove(cotangent)
        elif not scalar and plain and plain[0].name != cache:
            cotangent = plain[0].name
        elif not scalar:
            raise UsageError(
                f"{names[0]} returns an array of {show_shape(np.shape(output))}, and {listed} "
                "takes no cotangent; its first argument should be the derivative of the loss by "
                "that array, or say which with cotangent="
            )
    kept = returned_names(forward) if has_rest and not isinstance(result, Mapping) else ()
    by_name = {n: kept.index(n) for n in left if kept.count(n) == 1 and len(kept) == len(result)}
    if len(by_name) == len(left) > 1:
        left = []
    else:
        by_name = {}
    if cache is None and left:
        if not has_rest:
            raise UsageError(
                f"{listed} needs {left[0]}, and {names[0]} returns its output only and has no "
                f"argument of that name; let it return (output, {left[0]})"
            )
        if comes_in(left[0]):
            raise UsageError(
                f"{listed}: {cotangent} is taken for the cotangent, and {left[0]} looks like "
                "another; check one output with one cotangent at a time (of= says which output); "
                f"if {left[0]} is what {names[0]} keeps, say cache={left[0]!r}"
            )
        cache = left.pop(0)
    if left:
        raise UsageError(_too_many(names, listed, left, result, cotangent, cache))
    sources: list[tuple[inspect.Parameter, str | int]] = []
    for p in parameters:
        if p.name == cotangent:
            sources.append((p, "cotangent"))
        elif p.name == cache:
            sources.append((p, "cache"))
        elif p.name in by_name:
            sources.append((p, by_name[p.name]))
        elif p.kind is inspect.Parameter.VAR_POSITIONAL and has_rest and cache is None:
            sources.append((p, "star"))
        elif p.kind not in STARS and p.name in own.parameters:
            sources.append((p, "forward"))
    seat = cotangent or ""
    while seat in own.parameters:
        seat = f"{seat}_bar"
    return Plan(cotangent or "", seat, own, tuple(sources), of)


def _too_many(
    names: tuple[str, str],
    listed: str,
    left: Sequence[str],
    result: Any,
    cotangent: str | None,
    cache: str | None,
) -> str:
    told = [f"{cotangent} is taken for the cotangent"] if cotangent else []
    told += [f"{cache} for what {names[0]} keeps"] if cache else []
    several = isinstance(result, tuple) and len(result) > 2
    how = f"{names[0]} returns {len(result)} values" if several else f"{names[0]} has none of them"
    return (
        f"{listed} needs {', '.join(left)}, and nothing says what that is ({'; '.join(told)}; "
        f"{how}); keep everything that backward needs in one cache, and check one output with one "
        "cotangent at a time"
    )
