"""Ways in which people write the same layer: each is followed as it stands, and its derivatives are
somebody else's to rounding; nothing of the user's is touched.

The references are HIPS autograd on second writings and formulas by hand; that they speak of the
functions as they stand is held here too, by central differences.
"""

from __future__ import annotations

import functools
import random
import sys
import warnings
from collections.abc import Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import pytest
import sympy  # noqa: F401  (its import sets a filter for its own warnings)
from ways.told import WAYS
from ways.way import OTHERS, Way

import chainrule as cr
from chainrule.gallery import lecture

each = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.id)


@pytest.fixture(autouse=True)
def _weights_of_the_lecture(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lecture's globals are those that its ways hold, whatever other tests left there."""
    way = next(w for w in WAYS if w.id == "lecture.cost")
    for name, array in way.places.items():
        monkeypatch.setattr(lecture, name, array)


# ---- the corpus itself ---------------------------------------------------------------------------


def test_there_are_many_and_each_has_its_name() -> None:
    """At least 80 ways, and no name twice."""
    assert len(WAYS) >= 80
    assert len({way.id for way in WAYS}) == len(WAYS)


def central(way: Way, values: dict[str, Any], name: str, h: float = 1e-5) -> np.ndarray:
    """Central differences of the function as it stands."""
    base = np.asarray(values[name], float)
    columns = []
    for at in np.ndindex(base.shape):
        ends = []
        for sign in (1, -1):
            moved = base.copy()
            moved[at] += sign * h
            ends.append(np.asarray(way.run({**values, name: moved}), float))
        columns.append((ends[0] - ends[1]) / (2 * h))
    return np.moveaxis(np.array(columns), 0, -1).reshape(columns[0].shape + base.shape)


@each
def test_the_reference_speaks_of_this_function(way: Way) -> None:
    """At both points, and at other sizes where no place fixes them: 1e-6 of the scale."""
    points = [way.values(0), way.values(1)]
    if way.grows and not way.places:
        points.append(way.values(2, OTHERS))
    for values in points:
        expected = way.reference(way, values)
        assert tuple(expected) == way.wrt
        scale = max(np.max(np.abs(e)) for e in expected.values())
        assert scale > 1e-3, "a derivative of 0 shows nothing"
        for name, found in expected.items():
            measured = central(way, values, name)
            assert np.shape(found) == measured.shape, name
            assert np.max(np.abs(found - measured)) <= 1e-6 * max(scale, 1.0), name


# ---- followed ------------------------------------------------------------------------------------


@functools.cache
def followed(number: int) -> tuple[Any, list[Any], list[Any]]:
    """The derivation of a way at its own point, made once; and the world before and after."""
    way = WAYS[number]
    at = way.at(way.values(0))
    way.run(way.values(0))  # what Python itself keeps of a first call (the cache of a dispatch)
    before = world(way, at)
    derivation = cr.derive(way.function, at=at, wrt=way.wrt)
    return derivation, before, world(way, at)


def derived(way: Way) -> Any:
    """The derivation of a way."""
    return followed(WAYS.index(way))[0]


def expect(way: Way, values: dict[str, Any], found: Any) -> None:
    """Every derivative, of the right shape, within 1e-11 of the largest."""
    expected = way.reference(way, values)
    scale = max(np.max(np.abs(e)) for e in expected.values())
    for name, right in expected.items():
        value = np.asarray(found[name])
        assert value.shape == np.shape(right), name
        assert value.dtype == np.float64, name
        off = np.max(np.abs(value - right))
        assert off <= 1e-11 * scale, f"{name}: off by {off / scale:.1e} of the scale"


@each
def test_the_derivatives_are_right(way: Way) -> None:
    """At the point, and at a second one of the same shapes."""
    lowered = derived(way).lower()
    for seed in (0, 1):
        values = way.values(seed)
        kept = {k: np.array(v) for k, v in values.items()}
        expect(way, values, lowered(values))
        for name, value in values.items():
            np.testing.assert_array_equal(value, kept[name], err_msg=f"{name} was written to")


@each
def test_at_other_sizes_it_is_right_or_refuses(way: Way) -> None:
    """A derivation that holds for its own sizes only says so, and never gives a wrong number."""
    lowered = derived(way).lower()
    values = way.values(2, OTHERS)
    try:
        found = lowered(values)
    except cr.ChainruleError:
        return
    assert way.grows, "it gives a value where the function itself has none"
    expect(way, values, found)


def test_most_hold_for_every_size() -> None:
    """What is not written for one size, and not unrolled by Python's own loops, grows."""
    grown = set()
    for way in WAYS:
        try:
            derived(way).lower()(way.values(2, OTHERS))
        except cr.ChainruleError:
            continue
        grown.add(way.id)
    modules = ("page", "arguments", "containers", "objects", "imported", "contractions", "losses")
    plain = [w.id for w in WAYS if w.id.split(".")[0] in modules]
    missing = [i for i in plain if i not in grown]
    assert len(missing) <= len(plain) // 10, missing
    assert len(grown) >= 220


# ---- untouched -----------------------------------------------------------------------------------


def held(obj: Any, path: str, seen: set[int], depth: int = 6) -> Iterator[tuple[Any, ...]]:
    """Everything that can be reached, by path, with its identity; arrays with their bits."""
    if id(obj) in seen or depth < 0 or isinstance(obj, ModuleType | type):
        return
    if not isinstance(obj, str | int | float | bytes | tuple):
        seen.add(id(obj))
    yield path, id(obj), type(obj).__name__
    if isinstance(obj, np.ndarray):
        yield path, obj.tobytes(), obj.dtype.str, obj.shape, obj.strides, obj.flags.writeable
        return
    parts: list[tuple[str, Any]] = []
    if isinstance(obj, dict):
        parts = [(f"{path}[{k!r}]", v) for k, v in obj.items()]
    elif isinstance(obj, list | tuple):
        parts = [(f"{path}[{k}]", v) for k, v in enumerate(obj)]
    elif isinstance(obj, FunctionType):
        cells = zip(obj.__code__.co_freevars, obj.__closure__ or (), strict=True)
        parts = [(f"{path}.{n}", c.cell_contents) for n, c in cells]
        parts += [
            (f"{path}.__code__", obj.__code__),
            (f"{path}.__defaults__", obj.__defaults__),
            (f"{path}.__kwdefaults__", obj.__kwdefaults__),
        ]
    elif isinstance(obj, MethodType):
        parts = [(f"{path}.__self__", obj.__self__)]
    elif isinstance(obj, functools.partial):
        parts = [(f"{path}.func", obj.func), (f"{path}.keywords", obj.keywords)]
    slots = [s for c in type(obj).__mro__ for s in getattr(c, "__slots__", ())]
    if type(obj).__module__.startswith("ways"):
        parts += [(f"{path}.{s}", getattr(obj, s)) for s in slots if hasattr(obj, s)]
    if hasattr(obj, "__dict__"):
        parts += [(f"{path}.{k}", v) for k, v in vars(obj).items()]
    for where, part in parts:
        yield from held(part, where, seen, depth - 1)


MODULES = {"lecture": "chainrule.gallery.lecture", "statistics": "ways.statistics_"}


def world(way: Way, at: dict[str, Any]) -> list[Any]:
    """All that a trace might touch: the arguments, the module of the function and the modules that
    it imports from, the state of the process."""
    out: list[Any] = [np.geterr(), np.geterrcall(), list(warnings.filters), sys.gettrace()]
    out += [sys.getrecursionlimit(), random.getstate(), sys.getprofile()]
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002
    out += [kind, keys.tobytes(), rest, np.get_printoptions()]
    out += [(n, id(getattr(np, n))) for n in ("exp", "sum", "zeros", "ndarray", "linalg", "add")]
    seen: set[int] = set()
    out += held(at, "at", seen)
    own = way.id.split(".")[0]
    for name in (MODULES.get(own, f"ways.{own}"), "ways.weights", "ways.activations"):
        for key, value in list(vars(sys.modules[name]).items()):
            if not key.startswith("__"):
                out += held(value, f"{name}.{key}", seen)
    return out


@each
def test_nothing_of_the_users_is_changed(way: Way) -> None:
    """Arguments, globals, attributes, cells, defaults, random and error states: the same objects
    with the same bits, after deriving and after evaluating."""
    derivation, before, after = followed(WAYS.index(way))
    same(before, after)
    values = way.values(1)
    at = way.at(values)
    before = world(way, at)
    derivation.lower()(values)
    same(before, world(way, at))


def same(before: list[Any], after: list[Any]) -> None:
    """Entry by entry, for a short message."""
    assert len(after) == len(before)
    for old, new in zip(before, after, strict=True):
        assert old == new
