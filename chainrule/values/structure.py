"""What all interpreters share: the order of work, the sizes, and operations that only move entries.

Nothing here knows what an entry is: the same code moves floats, balls and residues. Sums and
products of entries come from the interpreter, as a `Kernel`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any, TypeVar

import numpy as np

from chainrule.errors import ShapeError, UsageError
from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.node import Graph, Node, bind_sizes, reached, slices
from chainrule.graph.sizes import Shape

Array = np.ndarray[Any, Any]
Sizes = Mapping[str, int]
V = TypeVar("V")

#: Operations that move entries and do nothing else (`scatter_add` adds those that meet).
MOVES = ("reshape", "broadcast", "index", "put", "gather", "scatter_add", "put_at", "concat")


def interpret(outputs: Sequence[Node], rule: Callable[[Node, list[V]], V]) -> list[V]:
    """The values of the outputs by one rule for all nodes, inputs before what uses them.

    A value is released after its last use, so that memory follows the width of the graph and not
    its length; there is no recursion.
    """
    order = list(reached(outputs))
    uses = Counter(i.number for node in order for i in node.inputs)
    uses.update(o.number for o in outputs)
    known: dict[int, V] = {}
    for node in order:
        known[node.number] = rule(node, [known[i.number] for i in node.inputs])
        for i in node.inputs:
            uses[i.number] -= 1
            if not uses[i.number]:
                del known[i.number]
    return [known[o.number] for o in outputs]


def inputs_of(outputs: Sequence[Node]) -> dict[str, Node]:
    """The inputs that the outputs reach, by name."""
    return {node.params[0]: node for node in reached(outputs) if node.op == "input"}


def sizes_of(
    outputs: Sequence[Node], shapes: Mapping[str, tuple[int, ...]], sizes: Sizes | None = None
) -> dict[str, int]:
    """The size of every axis, from the shapes of the inputs reached and from those given.

    Axes that turned out to be another size are among them. Raises UsageError where an input is
    missing, ShapeError where a shape does not fit.
    """
    inputs = inputs_of(outputs)
    missing = sorted(inputs.keys() - shapes.keys())
    if missing:
        raise UsageError(f"no value was given for {', '.join(missing)}")
    known = bind_sizes(inputs, shapes, sizes)
    for graph in {id(o.graph): o.graph for o in outputs}.values():
        for name, size in graph.axes.items():
            if size.names <= known.keys():
                known[name] = size.at(known)
    return known


def lengths(shape: Shape, sizes: Sizes) -> tuple[int, ...]:
    """A shape in numbers. Raises ShapeError where an axis is not known."""
    try:
        return tuple(s.at(sizes) for s in shape)
    except KeyError as e:
        raise ShapeError(
            f"no input tells the size of the axis {e.args[0]}; give it in sizes"
        ) from None


def moved(
    node: Node,
    xs: Sequence[Array],
    indices: Sequence[Array],
    sizes: Sizes,
    zero: Any,
    add: Any,
) -> Array:
    """One of `MOVES` on arrays of any entries.

    xs : the arrays that are moved, all of one dtype; indices : integer arrays.
    zero : what `scatter_add` starts from; add : a ufunc that adds two entries.
    Raises ShapeError where a cut leaves the array, IndexError where an index does.
    """
    shape = lengths(node.shape, sizes)
    if node.op == "reshape":
        return xs[0].reshape(shape)
    if node.op == "broadcast":
        return np.broadcast_to(xs[0], shape)
    if node.op == "concat":
        return np.concatenate(xs, axis=node.params[0])
    if node.op == "index":
        part: Array = xs[0][(*slices(node.params[0], sizes), ...)]
        if part.shape != shape:
            raise ShapeError(f"a cut of shape {shape} does not lie in the shape {xs[0].shape}")
        return part
    where: Any = (*indices, ...)
    if node.op == "gather":
        return np.asarray(xs[0][where])
    if node.op == "scatter_add":
        total = np.full(shape, zero, dtype=xs[0].dtype)
        add.at(total, where, xs[0])
        return total
    copy = xs[0].copy()
    if node.op == "put":
        where = (*slices(node.params[0], sizes), ...)
        if copy[where].shape != xs[1].shape:
            raise ShapeError(f"{xs[1].shape} does not fit where it is written, {copy.shape}")
    copy[where] = xs[1]
    return copy


def delta(node: Node, sizes: Sizes) -> Array:
    """The matrix of a delta node, of floats."""
    rows, columns = lengths(node.shape, sizes)
    return np.eye(rows, columns, node.params[2])


def split(node: Node, xs: Sequence[V]) -> tuple[list[V], list[V]]:
    """The inputs of one of `MOVES`: what is moved, and the indices."""
    first = {"gather": 1, "scatter_add": 1, "put_at": 2}.get(node.op, len(xs))
    return list(xs[:first]), list(xs[first:])


@dataclass(frozen=True)
class Kernel:
    """How entries are multiplied and summed.

    multiply : two arrays, broadcast. total : the sum over axes, which go.
    matmul : (b, n, k) and (b, k, m) → (b, n, m).
    """

    multiply: Callable[[Array, Array], Array]
    total: Callable[[Array, tuple[int, ...]], Array]
    matmul: Callable[[Array, Array], Array]
    one: Any


def contract(
    labels: Sequence[Sequence[int]], out: Sequence[int], arrays: Sequence[Array], kernel: Kernel
) -> Array:
    """Σ over the labels that `out` leaves out, of the product of the arrays.

    Two arrays at a time, the pair first whose product is smallest; each pair is one stack of
    matrix products. A label twice in one array is its diagonal.
    Raises UsageError for a label twice in `out`.
    """
    if len(set(out)) != len(out):
        raise UsageError(f"a contraction's result has a label twice: {tuple(out)}")
    if not arrays:
        return np.array(kernel.one)
    terms = [_diagonal(x, list(names)) for x, names in zip(arrays, labels, strict=True)]
    for k, (x, names) in enumerate(terms):
        others = {*out, *(n for j, t in enumerate(terms) if j != k for n in t[1])}
        gone = tuple(a for a, n in enumerate(names) if n not in others)
        if gone:
            terms[k] = (kernel.total(x, gone), [n for n in names if n in others])
    while len(terms) > 1:
        i, j = _pair(terms, set(out))
        a, b = terms[i], terms[j]
        rest = [t for k, t in enumerate(terms) if k not in (i, j)]
        keep = {*out, *(n for t in rest for n in t[1])}
        terms = [*rest, _product(a, b, keep, kernel)]
    x, names = terms[0]
    return np.transpose(x, [names.index(n) for n in out])


_Term = tuple[Array, list[int]]


def _diagonal(x: Array, names: list[int]) -> _Term:
    for name in dict.fromkeys(names):
        while names.count(name) > 1:
            i = names.index(name)
            j = names.index(name, i + 1)
            x = np.diagonal(x, axis1=i, axis2=j)
            names = [n for k, n in enumerate(names) if k not in (i, j)] + [name]
    return x, names


def _pair(terms: list[_Term], out: set[int]) -> tuple[int, int]:
    if len(terms) == 2:
        return 0, 1
    best: tuple[float, int, int] | None = None
    size = {n: s for x, names in terms for n, s in zip(names, x.shape, strict=True)}
    holders = Counter(n for _, names in terms for n in names)
    for j in range(1, len(terms)):
        for i in range(j):
            a, b = terms[i][1], terms[j][1]
            left = {n for n in {*a, *b} if n in out or holders[n] > (n in a) + (n in b)}
            growth = prod(size[n] for n in left) - terms[i][0].size - terms[j][0].size
            if best is None or growth < best[0]:
                best = (growth, i, j)
    assert best is not None
    return best[1], best[2]


def _product(a: _Term, b: _Term, keep: set[int], kernel: Kernel) -> _Term:
    (x, left), (y, right) = a, b
    both = [n for n in left if n in right and n in keep]
    summed = [n for n in left if n in right and n not in keep]
    rows = [n for n in left if n not in right]
    columns = [n for n in right if n not in left]
    names = [*both, *rows, *columns]
    size = dict(zip([*left, *right], [*x.shape, *y.shape], strict=True))
    if not summed:
        x = np.transpose(x, [left.index(n) for n in (*both, *rows)])
        y = np.transpose(y, [right.index(n) for n in (*both, *columns)])
        x = x.reshape((*x.shape, *(1 for _ in columns)))
        y = y.reshape((*y.shape[: len(both)], *(1 for _ in rows), *y.shape[len(both) :]))
        return kernel.multiply(x, y), names
    b_, n, k, m = (prod(size[i] for i in part) for part in (both, rows, summed, columns))
    x = np.transpose(x, [left.index(i) for i in (*both, *rows, *summed)]).reshape(b_, n, k)
    y = np.transpose(y, [right.index(i) for i in (*both, *summed, *columns)]).reshape(b_, k, m)
    return kernel.matmul(x, y).reshape([size[i] for i in names]), names


@cache
def definition(name: str) -> tuple[tuple[Node, ...], Node]:
    """The arguments and the value of a defined function, as a graph of scalars of its own."""
    graph = Graph()
    arguments = tuple(graph.input(str(k), ()) for k in range(FUNCTIONS[name].arity))
    return arguments, graph.expanded(graph.call(name, *arguments))
