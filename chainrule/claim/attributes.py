"""What is in an object, and where: its numbers, the derivatives beside them, its passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from chainrule.claim import adapted
from chainrule.claim.calls import signature_of
from chainrule.claim.matching import PATTERNS
from chainrule.code.trace.places import parse, written
from chainrule.errors import UsageError

#: What people call the attribute that holds the output.
OUTPUTS = ("output", "outputs", "out", "y", "a", "A")
#: What people call the container of all derivatives, and that of all parameters.
CONTAINERS = ("grads", "grad", "gradients", "gradient", "dparams", "d", "param_grads")
PARAMETERS = ("params", "parameters", "param", "weights")
DEPTH, MANY = 4, 2_000

Path = tuple[tuple[str, Any], ...]  # steps from the object: ("attribute", name), ("item", key)


@dataclass(frozen=True)
class Parameter:
    """An array of the object's, and where its derivative is left. label : as the user writes it."""

    place: str
    path: Path
    gradient: Path


def attributes(obj: Any) -> dict[str, Any]:
    """An object's attributes, slots among them."""
    found: dict[str, Any] = {}
    for kind in type(obj).__mro__:
        slots = vars(kind).get("__slots__", ())
        for n in [slots] if isinstance(slots, str) else slots:
            if hasattr(obj, n):
                found[n] = getattr(obj, n)
    return found | getattr(obj, "__dict__", {})


def numbers(self: Any) -> dict[str, tuple[Any, Any]]:
    """Place → every float array and float in the object and in what it holds, and a copy."""
    found: dict[str, tuple[Any, Any]] = {}
    for place, _, v in _walk(self):
        if isinstance(v, np.ndarray) and v.dtype.kind == "f":
            found[place] = (v, v.copy())
        elif isinstance(v, float):
            found[place] = (v, v)
    return found


def _walk(self: Any) -> Iterator[tuple[str, Path, Any]]:
    """Place, path and value of everything in an object, its lists, dictionaries and objects."""
    seen: set[int] = set()
    todo: list[tuple[Path, Any, int]] = [((), self, 0)]
    while todo and len(seen) < MANY:
        path, value, depth = todo.pop(0)
        if path:
            yield "self" + text_of(path), path, value
        if id(value) in seen or depth > DEPTH:
            continue
        seen.add(id(value))
        for step, part in _inside(value):
            todo.append(((*path, step), part, depth + 1))


def _inside(value: Any) -> Iterator[tuple[tuple[str, Any], Any]]:
    if isinstance(value, dict):
        for k, v in value.items():
            if isinstance(k, str | int):
                yield ("item", k), v
    elif isinstance(value, list | tuple):
        for k, v in enumerate(value):
            yield ("item", k), v
    elif not isinstance(value, np.ndarray | np.generic | type | str | FunctionType | MethodType):
        if type(value).__module__.split(".")[0] not in ("numpy", "builtins"):
            for k, v in attributes(value).items():
                yield ("attribute", k), v


def parameters_of(
    self: Any, untouched: Mapping[str, Any], kept: Mapping[str, tuple[Any, Any]]
) -> Iterator[Parameter]:
    """The numbers that no pass replaced, and that have a derivative beside them.

    kept : what was there before the passes. What is only called like a derivative (`dx`, a step)
    is none: the passes set it, or it is None, or an array of the right shape.
    """
    for place, value in untouched.items():
        path = path_of(place)
        for gradient in _candidates(path):
            try:
                now = read_at(self, gradient)
            except (AttributeError, KeyError, IndexError, TypeError):
                continue
            old, copy = kept.get("self" + text_of(gradient), (None, None))
            new = now is not old or not np.array_equal(now, copy)
            like = isinstance(now, np.ndarray) and now.shape == np.shape(value) != ()
            if new or like or now is None:
                yield Parameter(place, path, gradient)
                break


def _candidates(path: Path) -> Iterator[Path]:
    """Where the derivative of what is at a path may be left, likeliest first."""
    (kind, last), owner = path[-1], path[:-1]
    if kind == "attribute":
        for pattern in PATTERNS:
            yield (*owner, ("attribute", pattern.format(last)))
        for container in CONTAINERS:
            for key in (last, *(p.format(last) for p in PATTERNS)):
                yield (*owner, ("attribute", container), ("item", key))
        return
    if not owner or owner[-1][0] != "attribute":
        return
    (_, name), above = owner[-1], owner[:-1]
    for pattern in PATTERNS:
        yield (*above, ("attribute", pattern.format(name)), ("item", last))
    if isinstance(last, str):
        for key in (last, *(p.format(last) for p in PATTERNS)):
            for container in CONTAINERS:
                yield (*above, ("attribute", container), ("item", key))
    elif name in PARAMETERS:
        for container in CONTAINERS:
            yield (*above, ("attribute", container), ("item", last))


def given_places(self: Any, given: Any, name: str) -> list[Parameter]:
    """What the user said of where derivatives are left."""
    if not isinstance(given, Mapping):
        raise UsageError("grads= says place → where its derivative is left: {'W': 'grad_of_W'}")
    found = []
    for place, text in given.items():
        path, gradient = path_of(str(place)), path_of(str(text))
        for p, said in ((path, place), (gradient, text)):
            try:
                read_at(self, p)
            except (AttributeError, KeyError, IndexError, TypeError):
                raise UsageError(f"grads= names {said}, and {name} has none") from None
        found.append(Parameter("self" + text_of(path), path, gradient))
    return found


def path_of(text: str) -> Path:
    """``self.W``, ``W``, ``grads["W"]`` as steps from the object."""
    root, steps = parse(text)
    return tuple(steps) if root == "self" else (("attribute", root), *steps)


def text_of(path: Path) -> str:
    return "".join(written(kind, key) for kind, key in path)


def read_at(obj: Any, path: Path) -> Any:
    """What is at a path from an object."""
    for kind, key in path:
        obj = getattr(obj, key) if kind == "attribute" else obj[key]
    return obj


# -- methods ---------------------------------------------------------------------------------------


def method_of(self: Any, name: str | None, usual: Sequence[str], what: str) -> tuple[Any, str]:
    """A method as a function of the object, and its name."""
    names = usual if name is None else (name,)
    for n in names:
        method = getattr(self, n, None)
        if isinstance(method, MethodType) and method.__self__ is self:
            return method.__func__, n
        if callable(method) and isinstance(method, FunctionType | MethodType):
            return adapted.without_self(method), n
    has = [
        n
        for n in dict.fromkeys(k for c in type(self).__mro__ for k in vars(c))
        if not n.startswith("_") and isinstance(getattr(self, n, None), MethodType)
    ]
    listed = ", ".join(has) or "none"
    kind = type(self).__name__
    raise UsageError(
        f"{kind} has no method {' or '.join(names)} (its methods are: {listed}); say with "
        f"{what}= which is meant"
    )


def before_of(self: Any, before: Any) -> tuple[str, ...]:
    if before is not None:
        return (before,) if isinstance(before, str) else tuple(before)
    method = getattr(self, "zero_grad", None)
    if not isinstance(method, MethodType):
        return ()
    needed = [p for p in signature_of(method).parameters.values() if p.default is p.empty]
    return () if needed else ("zero_grad",)


def output_of(self: Any, output: str | None, name: str) -> Path:
    """Where forward left its output."""
    if output is not None:
        return path_of(output)
    for n in OUTPUTS:
        if isinstance(getattr(self, n, None), np.ndarray | float):
            return (("attribute", n),)
    raise UsageError(
        f"{name} returns None; let it return its output, or say with output= which attribute holds "
        "it"
    )
