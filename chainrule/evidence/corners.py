"""The places where code breaks: zeros, ones, ties, equal labels, extreme magnitudes, and points at
which an operation of the code itself is at the end of its domain or switches.

The latter are solved for: where what decides is affine in one number of an input, or 0 at a plain
number. Whether a point is what it was made for, exact arithmetic says; here are candidates only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.node import Node, constant, reached
from chainrule.values.kinks import nonnegative

Values = Mapping[str, Any]
PLAIN = (0.0, 1.0, -1.0, 0.5, 2.0)
SCALES = (2.0**500, 2.0**-500, 2.0**996, 2.0**-996, 2.0**-1070)
ENTRIES = 4  # numbers of an input that are solved for


@dataclass(frozen=True)
class Critical:
    """An operation with an edge. what : as `values.kinks` says it, "singular" for a matrix.

    node : the operation. inputs : what decides. switch : whether it is defined on both sides.
    """

    what: str
    node: Node
    inputs: tuple[Node, ...]
    switch: bool = False


def critical(outputs: Sequence[Node]) -> list[Critical]:
    """The operations whose value or domain changes somewhere, in the order of the graph.

    >>> from chainrule.graph.node import Graph
    >>> g = Graph()
    >>> x = g.input("x", ())
    >>> [(c.what, c.node.op) for c in critical([g.div(x, x), g.div(x, g.call("exp", x))])]
    [('{0} = 0', 'div')]
    """
    found = []
    sure = positive(outputs)
    for node in sure:
        one = _critical(node, sure)
        if one is not None and any(_moves(i) for i in one.inputs):
            found.append(one)
    return found


def _critical(node: Node, sure: Mapping[Node, bool]) -> Critical | None:
    op, xs = node.op, node.inputs
    if op in ("less", "equal"):
        real = any(i.kind == "f" for i in xs)
        return Critical("{0} = {1}", node, xs, True) if real else None
    if op in ("floor", "reduce_max"):
        return Critical(op, node, xs, True)
    if op == "div":
        return None if sure[xs[1]] else Critical("{0} = 0", node, xs[1:])
    if op == "power":
        q = node.params[0]
        open_ = (q.denominator > 1 or q < 0) and not sure[xs[0]]
        return Critical("{0} = 0", node, xs) if open_ else None
    if op in FUNCTIONS and FUNCTIONS[op].singular:
        what = FUNCTIONS[op].singular
        if op in ("hypot", "arctan2"):
            what = "{0} = {1} = 0"
        return Critical(what, node, xs, op not in ("arcsin", "arccos", "arccosh"))
    if op in ("log", "log2", "log10", "pow", "lgamma", "polygamma"):
        return None if sure[xs[0]] else Critical("{0} = 0", node, xs[:1])
    if op == "arctanh":
        return Critical("{0} = ±1", node, xs)
    if op in ("solve", "logdet"):
        return Critical("singular", node, xs[:1])
    return None


def positive(outputs: Sequence[Node]) -> dict[Node, bool]:
    """For every node below, whether it is > 0 wherever it is defined, by the look of it."""
    known: dict[Node, bool] = {}
    least = nonnegative(outputs)
    for node in least:
        signs = [known[i] for i in node.inputs]
        if node.op == "const":
            known[node] = node.params[0] != "array" and bool(constant(node) > 0)
        elif node.op == "add":
            known[node] = any(signs) and all(least[i] for i in node.inputs)
        elif node.op in ("power", *_KEEP):
            known[node] = bool(signs) and all(signs)
        elif node.op == "maximum":
            known[node] = any(signs)
        elif node.op == "select":
            known[node] = signs[1] and signs[2]
        else:
            known[node] = node.op in ("exp", "exp2", "expit", "size", "cosh", "erfc")
    return known


_KEEP = ("mul", "div", "reshape", "broadcast", "index", "gather", "concat", "minimum", "reduce_mul")


def _moves(node: Node) -> bool:
    """Whether a node depends on real inputs."""
    return any(n.op == "input" and n.kind == "f" for n in reached([node]))


# -- solving ---------------------------------------------------------------------------------------


def margins(one: Critical, xs: Sequence[np.ndarray]) -> np.ndarray:
    """What is 0 where an operation is at its edge, in one line; xs : its inputs, floats."""
    x = np.asarray(xs[0], float)
    with np.errstate(all="ignore"):
        if one.what == "{0} = {1}":
            out = x - np.asarray(xs[1], float)
        elif one.what == "{0} = ±1":
            out = np.stack([x - 1, x + 1])
        elif one.what == "{0} = 1":
            out = x - 1
        elif one.what == "floor":
            out = x - np.rint(x)
        elif one.what == "singular":
            out = np.linalg.det(x) if x.size else x
        elif one.what == "reduce_max":
            gone = one.node.params[0]
            lines = np.moveaxis(x, gone, range(x.ndim - len(gone), x.ndim))
            lines = lines.reshape(-1, int(np.prod([x.shape[a] for a in gone])))
            top = np.sort(lines, axis=-1)
            out = top[:, -1] - top[:, -2] if lines.shape[-1] > 1 else np.zeros(0)
        else:
            out = x
    return np.asarray(out, float).reshape(-1)


def solved(
    margin: Callable[[Values], np.ndarray], base: Values, names: Sequence[str], neighbors: bool
) -> Iterator[dict[str, Any]]:
    """Points at which a margin is 0 for some entry, each unlike `base` in one number of an input.

    names : the inputs to look at. neighbors : also the floats on both sides.
    """
    for name in names:
        array = np.asarray(base[name])
        for k in _few(array.size):
            number = float(array.reshape(-1)[k])

            def at(t: float, name: str = name, k: int = k) -> np.ndarray:
                return margin(changed(base, name, k, t))

            try:
                here, one, two = at(number), at(number + 1), at(number + 2)
            except (ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError):
                continue
            if not here.shape == one.shape == two.shape:
                continue
            for t in _roots(number, here, one, two, array.dtype):
                yield changed(base, name, k, t)
                if neighbors:
                    for way in (np.inf, -np.inf):
                        side = float(np.nextafter(array.dtype.type(t), array.dtype.type(way)))
                        yield changed(base, name, k, side)
                return
            for t in PLAIN:
                try:
                    found = at(t)
                except (ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError):
                    continue
                if np.any(found == 0) and not np.any(here == 0):
                    yield changed(base, name, k, t)
                    return


def _roots(
    number: float, here: np.ndarray, one: np.ndarray, two: np.ndarray, dtype: Any
) -> Iterator[float]:
    with np.errstate(all="ignore"):
        slope = one - here
        straight = np.isfinite(slope) & (slope != 0)
        straight &= np.abs(two - one - slope) <= 2.0**-40 * (np.abs(slope) + np.abs(here))
        for entry in np.flatnonzero(straight)[:1]:
            t = number - here[entry] / slope[entry]
            if np.isfinite(t) and abs(t) < 2.0**60:
                short = float(np.rint(t * 2.0**20) * 2.0**-20)
                yield float(dtype.type(short if abs(short - t) < 2.0**-40 else t))


def _few(size: int) -> list[int]:
    return list(dict.fromkeys([*range(min(size, ENTRIES - 1)), size - 1])) if size else []


def changed(base: Values, name: str, k: int, t: float) -> dict[str, Any]:
    """A point with one number of an input put in."""
    value = base[name]
    if not isinstance(value, np.ndarray):
        return {**base, name: type(value)(t)}
    array = value.copy()
    array.reshape(-1)[k] = t
    return {**base, name: array}


# -- without looking at the code -------------------------------------------------------------------


def filled(base: Values, name: str, t: float) -> dict[str, Any]:
    """A point with one input all of one number."""
    value = base[name]
    put = np.full_like(value, t) if isinstance(value, np.ndarray) else type(value)(t)
    return {**base, name: put}


def plain(base: Values, real: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind of edge, point): zeros, ones, and ties among the real inputs."""
    if not real:
        return
    arrays = [n for n in real if np.size(base[n]) > 1]
    for label, t in (("zeros", 0.0), ("ones", 1.0)):
        every = dict(base)
        for name in real:
            every = filled(every, name, t)
        yield label, every
        for name in real if len(real) > 1 else ():
            yield label, filled(base, name, t)
    for name in arrays:
        yield "zeros", changed(base, name, 0, 0.0)
        if np.ndim(base[name]) > 1:
            row = base[name].copy()
            row[0] = 0.0
            yield "zeros", {**base, name: row}
    for name in arrays:
        first = base[name].reshape(-1)
        yield "ties", filled(base, name, float(first[0]))
        yield "ties", changed(base, name, 1, float(first[0]))
        tops = base[name].copy().reshape(-1)
        tops[int(np.argmin(tops))] = tops.max()
        yield "ties", {**base, name: tops.reshape(np.shape(base[name]))}
    for k, name in enumerate(real):
        for other in real[k + 1 :]:
            if np.shape(base[name]) == np.shape(base[other]):
                yield "ties", {**base, other: base[name]}


def labels(base: Values, whole: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Integer inputs of which all entries are one."""
    for name in whole:
        array = np.asarray(base[name])
        for t in dict.fromkeys((array.min(), array.max())) if array.size > 1 else ():
            yield "repeated labels", {**base, name: np.full_like(array, t)}


def extreme(base: Values, real: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every real number of an extreme magnitude, as far as its type holds it."""
    for scale in SCALES if real else ():
        moved = dict(base)
        for name in real:
            value = np.asarray(base[name])
            with np.errstate(all="ignore"):
                big = (value.astype(np.float64) * scale).astype(value.dtype)
            if not np.isfinite(big).all():
                break
            moved[name] = big if isinstance(base[name], np.ndarray) else type(base[name])(big)
        else:
            yield "huge and tiny numbers", moved


def of_condition(kind: str, node: Node) -> Critical | None:
    """What a proof's condition is about; kind : as `proof.conditions` has it."""
    if kind in ("nonzero", "nonnegative", "positive"):
        return Critical("{0} = 0", node, (node,))
    if kind == "singular":
        return Critical("singular", node, (node,))
    return _critical(node, dict.fromkeys(reached([node]), False))
