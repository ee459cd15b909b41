"""Which of a backward pass's results is whose derivative.

Names first, as the user wrote them (`dW`, `grads["W"]`, `return dx, dw, db`), then order. What
cannot be told is left open, or is a UsageError that says what was seen.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.claim.pair import named_place
from chainrule.code.source import Unfollowable, locate
from chainrule.code.trace.places import own_functions
from chainrule.derivation import show_shape
from chainrule.errors import UsageError

#: How the derivative of p is called.
PATTERNS = (
    "d{}",
    "d_{}",
    "grad_{}",
    "{}_grad",
    "g_{}",
    "grad{}",
    "nabla_{}",
    "{}_gradient",
    "d{}s",
)


@dataclass(frozen=True)
class Leaf:
    """One value in what a backward pass returned: where it is, what it is called, and the value."""

    path: tuple[Any, ...]
    word: str
    value: Any

    @property
    def shown(self) -> str:
        """``[1]["W"]``: as one writes it behind the function's name."""
        parts = [f".{s[1]}" if isinstance(s, tuple) else _bracket(s) for s in self.path]
        return "".join(parts)


def _bracket(step: Any) -> str:
    return f'["{step}"]' if isinstance(step, str) else f"[{step!r}]"


def leaves(value: Any, path: tuple[Any, ...] = (), word: str = "") -> Iterator[Leaf]:
    """The values in what a backward pass returned; fields of named tuples are ("field", name)."""
    if isinstance(value, Mapping):
        for k, v in value.items():
            yield from leaves(v, (*path, k), str(k))
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        for k, v in zip(value._fields, value, strict=True):
            yield from leaves(v, (*path, ("field", k)), k)
    elif isinstance(value, list | tuple):
        for k, v in enumerate(value):
            yield from leaves(v, (*path, k), f"{word}[{k}]" if word else "")
    else:
        yield Leaf(path, word, value)


def read(value: Any, path: tuple[Any, ...]) -> Any:
    """The value at a path."""
    for step in path:
        if isinstance(step, tuple) and len(step) == 2 and step[0] == "field":
            value = getattr(value, step[1])
        else:
            value = value[step]
    return value


def returned_names(function: Any) -> tuple[str, ...]:
    """The names in a function's only `return a, b`; () if it has none, or several."""
    for inner in own_functions(function)[:1]:
        try:
            _, definition, _ = locate(inner.__code__, inner.__globals__)
        except (Unfollowable, OSError):
            return ()
        found = {tuple(_names(r.value)) for r in _returns(definition)}
        if len(found) == 1:
            return found.pop()
    return ()


def _returns(node: ast.AST) -> Iterator[ast.Return]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Return):
            yield child
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _returns(child)


def _names(value: ast.expr | None) -> Iterator[str]:
    parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value] if value else []
    for part in parts:
        name = part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "")
        yield name


def assigned(
    found: Sequence[Leaf], names: Sequence[str], places: Mapping[str, Any], ordered: bool = True
) -> dict[str, Leaf] | None:
    """Place → the value that is said to be its derivative; None if names and order do not tell.

    names : of a returned tuple's parts. places : place → value: arguments, in order. ordered :
    whether what no name tells is told by the order of the places.
    """
    words = [
        leaf.word or (names[leaf.path[0]] if leaf.path and len(names) > 1 else "") for leaf in found
    ]
    if len(found) == 1:
        words = [found[0].word or (names[0] if names else "")]
    told: dict[str, Leaf] = {}
    rest: list[Leaf] = []
    for leaf, word in zip(found, words, strict=True):
        place = meant(word, list(places)) if word else ""
        if place and place not in told:
            told[place] = leaf
        else:
            rest.append(leaf)
    if not rest:
        return told
    if not ordered or any(leaf.word for leaf in rest):
        return None
    real = [n for n in places if n not in told]
    arrays = [n for n in real if np.ndim(places[n])]
    for candidates in (arrays, real):
        if len(candidates) == len(rest):
            _in_order(rest, {n: places[n] for n in candidates})
            return told | dict(zip(candidates, rest, strict=True))
    return None


def _in_order(rest: Sequence[Leaf], places: Mapping[str, Any]) -> None:
    """Raises UsageError if the shapes fit in another order only: then it is not this one."""
    given = [np.shape(leaf.value) for leaf in rest]
    wanted = [np.shape(v) for v in places.values()]
    if given == wanted or sorted(given) != sorted(wanted):
        return
    shown = ", ".join(f"{n} {show_shape(s)}" for n, s in zip(places, wanted, strict=True))
    got = ", ".join(map(show_shape, given))
    raise UsageError(
        f"the backward pass returns values of the shapes {got}, and the order of the arguments is "
        f"{shown}; say with wrt= whose derivatives they are, in order, or return them by name"
    )


def meant(word: str, places: Sequence[str]) -> str:
    """The place whose derivative a word names; "" if none."""
    place = named_place(word, places)
    if place:
        return place
    lasts = [p for p in places if word in (pattern.format(last_word(p)) for pattern in PATTERNS)]
    return lasts[0] if len(lasts) == 1 else ""


def last_word(place: str) -> str:
    """The last word of a place: W of ``self.W`` and of ``params["W"]``."""
    return place.replace('["', ".").replace('"]', "").rsplit(".", 1)[-1]


def gathered(assignment: Mapping[str, tuple[Any, ...]]) -> Callable[[Any], dict[str, Any]]:
    """What takes a result apart: place → value."""
    return lambda result: {place: read(result, path) for place, path in assignment.items()}
