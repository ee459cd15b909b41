"""What a row is, and how it is found: by the callable's identity, never by its name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import ChainruleError


class Unsupported(ChainruleError):
    """A call that a row does not cover; the message says what of it, and what to do instead."""


@dataclass(frozen=True)
class Sample:
    """A call for the tests: argument shapes (or plain arguments) and options.

    args : positional arguments; a tuple of ints stands for a drawn array of that shape, a list for
        a sequence of such, anything else for itself. (A plain tuple goes among the options.)
    domain : where entries are drawn: "real", "positive", "unit" (−1, 1), "share" (0, 1),
        "above one", "integers", "bool", "nonzero", "regular" (well-conditioned square matrices);
        with commas, one for each array in turn, of which the last goes on.
    pins : whether the call fixes sizes, as a cross product fixes 3.
    """

    args: tuple[Any, ...]
    options: tuple[tuple[str, Any], ...] = ()
    domain: str = "real"
    pins: bool = False


@dataclass(frozen=True)
class Row:
    """One NumPy function (or one of Python's), defined in primitives.

    name : as a person calls it ("np.sum"). callables : the objects that are it.
    operands : which parameters of `build` are arrays and become nodes; "*xs" is a sequence of them
        (a list, or the star parameter of that name).
    build : (graph, *arguments) → node, or a tuple of nodes; its parameters are named as NumPy's.
        Sizes come as `Size` or int, options as they were given. Raises Unsupported, ShapeError.
    methods, attributes : of ndarray, that are it ("sum"; "T").
    view : whether NumPy may give a view of its first operand.
    says : the definition, for docs/numpy.md.
    samples : calls with which the tests hold the row to NumPy.
    late : dotted names of callables that are it as well, once the user has imported their module
        ("scipy.special.expit"); nothing here ever does.
    refused : whether the row is there to say that the call cannot be followed, and what to do.
    """

    name: str
    callables: tuple[Any, ...]
    operands: tuple[str, ...]
    build: Callable[..., Any]
    methods: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    view: bool = False
    says: str = ""
    samples: tuple[Sample, ...] = ()
    late: tuple[str, ...] = ()
    refused: bool = False


ROWS: list[Row] = []
METHODS: dict[str, Row] = {}
ATTRIBUTES: dict[str, Row] = {}
_BY_KEY: dict[Any, tuple[Any, Row]] = {}
#: module → names in it, whose rows are found when somebody else has imported the module.
_LATE: dict[str, dict[str, Row]] = {}


def _key(function: Any) -> Any:
    """The identity of a callable; a ufunc's methods (`np.add.reduce`) are made anew each time."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return id(owner), function.__name__
    return id(function)


def find(function: Any) -> Row | None:
    """The row of a callable, if it has one."""
    key = _key(function)
    if key not in _BY_KEY:
        _bind_late()
    known = _BY_KEY.get(key)
    return known[1] if known is not None else None


def _bind_late() -> None:
    for module in [m for m in _LATE if m in sys.modules]:
        for name, new in _LATE.pop(module).items():
            function = getattr(sys.modules[module], name, None)
            if function is not None:
                _BY_KEY.setdefault(_key(function), (function, new))


def row(
    name: str,
    *callables: Any,
    operands: Sequence[str] = ("a",),
    methods: Sequence[str] = (),
    attributes: Sequence[str] = (),
    view: bool = False,
    says: str = "",
    samples: Sequence[Sample] = (),
    late: Sequence[str] = (),
    refused: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds a row; the function below it is its definition."""

    def add(build: Callable[..., Any]) -> Callable[..., Any]:
        new = Row(
            name,
            callables,
            tuple(operands),
            build,
            tuple(methods),
            tuple(attributes),
            view,
            says,
            tuple(samples),
            tuple(late),
            refused,
        )
        for function in callables:
            if _key(function) in _BY_KEY:
                raise ValueError(f"{name}: {function!r} has a row already")
            _BY_KEY[_key(function)] = (function, new)
        for dotted in late:
            module, _, attribute = dotted.rpartition(".")
            _LATE.setdefault(module, {})[attribute] = new
        METHODS.update((m, new) for m in methods)
        ATTRIBUTES.update((a, new) for a in attributes)
        ROWS.append(new)
        return build

    return add


def refuse(name: str, *callables: Any, says: str, late: Sequence[str] = ()) -> None:
    """Adds a row whose every call raises Unsupported with what `says` says."""

    def build(g: Any, *args: Any, **options: Any) -> Any:
        raise Unsupported(f"{name}: {says}")

    row(name, *callables, operands=(), says=says, late=late, refused=True)(build)
