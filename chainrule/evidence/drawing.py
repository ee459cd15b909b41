"""Points for code: the user's sizes and small ones, values over decades of magnitude and all signs.

Every drawn float is a binary fraction of few digits and never zero, so that the same point can be
handed to the code in float64 and to balls exactly. A declared domain that holds no such floats (a
unit vector) gets exact fractions for the balls and the nearest floats for the code. What a text
decides is alike on every machine.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from types import MappingProxyType
from typing import Any

import numpy as np

from chainrule.code.trace.audit import off_path
from chainrule.code.trace.places import Prepared
from chainrule.code.trace.record import Trace
from chainrule.derivation import show_shape
from chainrule.domains import Domain, Square, exactly
from chainrule.domains.values import Values, meant, nearest
from chainrule.errors import ShapeError
from chainrule.graph.node import Node, bind_sizes, count, reached
from chainrule.points import SCALES, WIDE, generator

_NONE: Mapping[str, Any] = MappingProxyType({})

#: How values are drawn, in the order in which that is tried.
KINDS = ("positive", "signed", "near", "scaled", "unit", "mixed", "scaled", "near", "wide")


@dataclass(frozen=True)
class Point:
    """values : by the derivation's input names. sizes : in words; "" for the user's own sizes.

    breaks : sizes that are equal in the user's point and not here, "N = n". yours : whether it is
    the user's own point. edge : the kind of edge that it was made for; "" for other points.
    """

    values: Mapping[str, Any]
    sizes: str = ""
    breaks: str = ""
    yours: bool = False
    edge: str = ""

    @property
    def entries(self) -> int:
        """How many numbers it has."""
        return sum(int(np.size(v)) for v in self.values.values())


@dataclass(frozen=True)
class Sizing:
    """Sizes to try: the shape of each input, and how that is said; breaks : as in `Point`."""

    shapes: Mapping[str, tuple[int, ...]]
    says: str
    breaks: str = ""


def sizings(
    trace: Trace,
    others: Sequence[tuple[Trace, Mapping[str, str]]],
    inputs: Mapping[str, Node],
    domains: Mapping[str, Domain] = _NONE,
) -> list[Sizing]:
    """Small sizes on which every trace keeps its path: pairwise different, equal, ones.

    others : further traces, each with its input → the first one's (or "").
    inputs : every input of the derivation, directions as well. domains : what must hold there too.
    """
    env = trace.graph.env
    free = [n for n in env if any(n in s.names for x in inputs.values() for s in x.shape)]
    if not free:
        return []
    groups = list(dict.fromkeys(env[n] for n in free))  # equal in the user's point: kept equal
    many = [n for n in free if env[n] != 1]
    ones = dict.fromkeys(free, 1)  # one place stays one: a column, a single output
    up = ones | {n: 2 + groups.index(env[n]) for n in many}
    down = ones | {n: 1 + len(groups) - groups.index(env[n]) for n in many}
    split = {n: 2 + k for k, n in enumerate(free)}
    tried = [up, down, ones | dict.fromkeys(many, 2), ones | dict.fromkeys(many, 3), ones, split]
    fixed = {  # sizes that are plain numbers in the code: equal ones are kept equal
        size
        for x in inputs.values()
        for size, axis in zip(x.number_shape, x.shape, strict=True)
        if not axis.names and size > 1
    }
    found: list[Sizing] = []
    seen = {tuple(env[n] for n in free)}
    larger = {n: v + 5 for n, v in up.items()}  # for code that writes to an entry such as [3, 5]
    for sizes in [*tried, larger]:
        if sizes is larger and len(found) > 1:
            break
        key = tuple(sizes.values())
        shapes = {n: tuple(s.at(sizes) for s in x.shape) for n, x in inputs.items()}
        if key in seen or not _fits(trace, shapes):
            continue
        if any(d.misfit(shapes[n]) for n, d in domains.items() if n in shapes):
            continue
        if all(_fits(t, _named(t, names, shapes)) for t, names in others):
            seen.add(key)
            says = ", ".join(f"{n} = {v}" for n, v in sizes.items())
            if len(free) > 1 and len({*key}) == 1:
                says = f"every size {key[0]}"
            broken = [
                " = ".join(n for n in free if env[n] == value)
                for value in groups
                if len({sizes[n] for n in free if env[n] == value}) > 1
            ]
            # an axis of one place is often one by its nature: a column, a single output
            broken += [
                f"{n} = {env[n]}"
                for n in free
                if (env[n] in fixed or env[n] == 1) and sizes[n] != env[n]
            ]
            found.append(Sizing(shapes, says, ", ".join(broken)))
    return found


def squared(
    domains: Mapping[str, Domain], inputs: Mapping[str, Node], sizes: Mapping[str, int]
) -> dict[str, int]:
    """Sizes by axis, those of matrices that are declared square made one."""
    out = dict(sizes)
    for name, domain in domains.items():
        if isinstance(domain, Square) and name in inputs:
            rows, columns = inputs[name].shape[-2:]
            if columns.name in out:
                out[columns.name] = rows.at(out)
    return out


def _named(
    trace: Trace, names: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, tuple[int, ...]]:
    return {
        mine: shapes[names[mine]] if names.get(mine) in shapes else node.number_shape
        for mine, node in trace.inputs.items()
    }


def _fits(trace: Trace, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    try:
        sizes = bind_sizes(trace.inputs, shapes)
        return not off_path(trace, sizes, {})
    except (ShapeError, KeyError):
        return False


def numbers_as_sizes(prepared: Prepared, trace: Trace) -> str:
    """A whole number that code reads, and that is one of the sizes: N = 5; "" if there is none.

    Such a number does not follow when the sizes change.
    """
    sizes = {n for n in trace.graph.env.values() if n > 1}
    held: dict[str, Any] = dict(prepared.arguments)
    for f in prepared.functions:
        held |= {n: f.__globals__[n] for n in f.__code__.co_names if n in f.__globals__}
        held |= inspect.getclosurevars(f).nonlocals
    for name, value in held.items():
        if isinstance(value, int | np.integer) and not isinstance(value, bool) and value in sizes:
            return f"{name} = {value}"
    return ""


def drawn(
    inputs: Mapping[str, Node],
    own: Mapping[str, Any],
    shapes: Mapping[str, tuple[int, ...]],
    fixed: Sequence[str],
    *,
    seed: str,
    domains: Mapping[str, Domain] = _NONE,
) -> Iterator[Values]:
    """Values for inputs of given shapes, one kind after another, without end.

    own : the user's values; integers and bools are taken from those. fixed : inputs that stay.
    domains : what inputs must belong to, by name; nothing is drawn where none fits these shapes.
    """
    if any(d.misfit(shapes[n]) for n, d in domains.items() if n in shapes and n not in fixed):
        return
    rng = generator(seed)
    turn = 0
    while True:
        kind = KINDS[turn % len(KINDS)]
        shared = SCALES[1 + rng.randrange(len(SCALES) - 1)]
        values: dict[str, Any] = {}
        exact: dict[str, Any] = {}
        for n, node in inputs.items():
            if n in fixed:
                values[n] = own[n]
                exact |= {n: meant(own)[n]} if n in meant(own) else {}
            elif n in domains:
                values[n], more = _member(domains[n], rng, kind, shared, own[n], shapes[n])
                exact |= {} if more is None else {n: more}
            else:
                values[n] = _value(rng, kind, shared, node, own[n], shapes[n])
        yield Values(values, exact)
        turn += 1


def _member(
    domain: Domain, rng: Random, kind: str, shared: Fraction, own: Any, shape: tuple[int, ...]
) -> tuple[Any, Any]:
    """A member of a domain in the user's own type; and exactly, if the floats are none."""
    flat, size = np.asarray(own).reshape(-1), int(np.prod(shape))
    raw = [_float(rng, kind, shared, flat.astype(float), k, flat.size == size) for k in range(size)]
    exact = domain.member(exactly(np.array(raw).reshape(shape)), rng)
    return nearest(exact, own)


def _value(
    rng: Random, kind: str, shared: Fraction, node: Node, own: Any, shape: tuple[int, ...]
) -> Any:
    size = int(np.prod(shape))
    flat = np.asarray(own).reshape(-1)
    if node.kind != "f":
        if np.shape(own) == shape and kind != "mixed":
            return own
        few = [v for v in flat.tolist() if abs(v) < max(min(shape, default=2), 2)] or [0, 1]
        values: list[Any] = [rng.choice(few) for _ in range(size)]
        return np.array(values, dtype=np.asarray(own).dtype).reshape(shape)
    floats = [_float(rng, kind, shared, flat, k, flat.size == size) for k in range(size)]
    if isinstance(own, np.ndarray):
        kept = own.dtype if own.dtype.kind == "f" else np.float64
        return np.array(floats, dtype=kept).reshape(shape)
    return floats[0]


def _float(
    rng: Random, kind: str, shared: Fraction, own: np.ndarray, k: int, aligned: bool
) -> float:
    digits = Fraction(rng.randrange(9, 512), 256)
    sign = rng.choice((1, -1))
    if kind == "near":
        value = float(own[k] if aligned else (own[rng.randrange(own.size)] if own.size else 1.0))
        factor = 1 + Fraction(rng.randrange(-16, 17), 64)
        return value * float(factor) or float(digits) / 4
    if kind == "unit":
        return float(digits / 2)
    if kind == "positive":
        return float(digits)
    scale = {"signed": Fraction(1), "scaled": shared}.get(kind)
    if scale is None:
        scale = rng.choice(SCALES if kind == "mixed" else WIDE)
    return float(sign * digits * scale)


def beside(values: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A point very near to one: every float moved by its own small amount; first all of them up,
    then all down."""
    rng = generator(f"beside {number}")
    moved: dict[str, Any] = {}
    for name, value in values.items():
        array = np.asarray(value)
        if array.dtype.kind != "f":
            moved[name] = value
            continue
        signs = [1 - 2 * number if number < 2 else rng.choice((1, -1)) for _ in range(array.size)]
        steps = np.array([s * rng.randrange(64, 128) for s in signs], float).reshape(array.shape)
        unit = 2.0**-30 if array.dtype == np.float64 else 2.0**-18
        there = (array + steps * unit * np.maximum(1.0, np.abs(array))).astype(array.dtype)
        moved[name] = there if isinstance(value, np.ndarray) else float(there)
    return moved


CLOSE = 1e-12


def structure(value: Any) -> str:
    """What is special about an array, in words; "" if nothing is seen."""
    array = np.asarray(value)
    if array.dtype.kind != "f" or array.size < 2 or not np.isfinite(array).all():
        return ""
    close = CLOSE if array.dtype == np.float64 else 1e-5
    said = "it holds 0 and 1 only" if np.isin(array, (0.0, 1.0)).all() else ""
    if np.all(array >= 0):
        for axis, line in enumerate(("column", "row")[: array.ndim] if array.ndim == 2 else ()):
            if np.allclose(array.sum(axis=axis), 1.0, rtol=0, atol=close):
                return f"each {line} sums to 1"
        if abs(float(array.sum()) - 1) < close:
            return "its entries sum to 1"
    if said:
        return said
    if array.ndim == 2 and array.shape[0] == array.shape[1]:
        if np.allclose(array, array.T, rtol=close, atol=0):
            return "symmetric"
        if np.allclose(array @ array.T, np.eye(len(array)), rtol=0, atol=close):
            return "orthogonal"
    if array.ndim == 1 and abs(float(array @ array) - 1) < close:
        return "its length is 1"
    if np.all(array == np.rint(array)):
        return "whole numbers"
    return ""


def direction(name: str, shape: tuple[int, ...]) -> Any:
    """A value for a cotangent or a tangent that was not given."""
    rng = generator(f"direction {name}")
    values = [float(rng.choice((1, -1)) * Fraction(rng.randrange(9, 512), 256)) for _ in
              range(int(np.prod(shape)))]  # fmt: skip
    return np.array(values).reshape(shape) if shape else values[0]


def work(outputs: Sequence[Node], sizes: Mapping[str, int]) -> int:
    """How many operations on single numbers the nodes take, roughly."""
    total = 0
    for node in reached(outputs):
        n = count(node.shape, sizes)
        if node.op == "contract":
            labels: dict[int, int] = {}
            for names, x in zip(node.params[0], node.inputs, strict=True):
                for label, size in zip(names, x.shape, strict=True):
                    labels[label] = size.at(sizes)
            n = int(np.prod(list(labels.values()), dtype=object)) if labels else 1
        elif node.op in ("solve", "det", "logdet"):
            n *= 4 * node.inputs[0].shape[-1].at(sizes) ** 2
        elif node.inputs:
            n = max(n, *(count(i.shape, sizes) for i in node.inputs))
        total += n + 8
    return total


def written(point: Point) -> dict[str, str]:
    """A point as text that Python reads; what is long, as the user gave it."""
    exact = {} if point.yours else meant(point.values)
    return {
        name: _text(exact.get(name, value), point.yours) for name, value in point.values.items()
    }


LONG = 60


def _text(value: Any, yours: bool) -> str:
    array = np.asarray(value)
    if yours and array.size > LONG:
        return f"yours, {show_shape(array.shape)}"
    if array.dtype == object:
        return _fractions(array.tolist())
    return repr(array.tolist())


def _fractions(value: Any) -> str:
    return f"[{', '.join(map(_fractions, value))}]" if isinstance(value, list) else str(value)
