"""How a row of a ufunc is added: for one array, or for two with its `.outer`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.code.table.arguments import (
    ones_at,
    typed,
    whole,
)
from chainrule.code.table.row import Sample, row
from chainrule.graph.node import Graph, Node

One = Callable[[Graph, Node], Node]
Two = Callable[[Graph, Node, Node], Node]

SHAPES = ((), (0,), (1,), (3,), (2, 3))
PAIRS = (((), ()), ((2, 3), (3,)), ((2, 1), (1, 4)), ((0,), (1,)), ((3, 2, 2), (3, 1, 2)))


def present(owner: Any, *names: str) -> list[Any]:
    """Those of the named callables that this NumPy, or this Python, has, each once."""
    found = {id(f): f for f in (getattr(owner, name, None) for name in names) if f is not None}
    return list(found.values())


def number(g: Graph, value: int | Fraction) -> Node:
    """A real constant."""
    return g.number(Fraction(value))


def _caller() -> str:
    """The module that adds a row, whose family the row belongs to (as namedtuple finds it)."""
    return str(sys._getframe(2).f_globals["__name__"])


def one(
    name: str,
    f: One,
    says: str,
    *callables: Any,
    domain: str = "real",
    late: Sequence[str] = (),
    methods: Sequence[str] = (),
) -> None:
    """Adds the row of a function of one array."""

    def build(
        g: Graph,
        x: Node,
        out: Any = None,
        *,
        where: Any = True,
        casting: str = "same_kind",
        order: str = "K",
        dtype: Any = None,
        subok: bool = True,
    ) -> Node:
        whole(name, where)
        return typed(g, name, f(g, x), dtype)

    build.__module__ = _caller()
    samples = [Sample((shape,), domain=domain) for shape in SHAPES]
    row(
        name,
        *callables,
        operands=("x",),
        says=says,
        samples=samples,
        late=late,
        methods=methods,
    )(build)


def two(
    name: str,
    f: Two,
    says: str,
    *callables: Any,
    domain: str = "real",
    late: Sequence[str] = (),
    constants: Sequence[Any] = (),
    pairs: Sequence[tuple[Any, Any]] = PAIRS,
) -> None:
    """Adds the row of a function of two arrays, and that of its `.outer`."""

    def build(
        g: Graph,
        x1: Node,
        x2: Node,
        out: Any = None,
        *,
        where: Any = True,
        casting: str = "same_kind",
        order: str = "K",
        dtype: Any = None,
        subok: bool = True,
    ) -> Node:
        whole(name, where)
        return typed(g, name, f(g, x1, x2), dtype)

    build.__module__ = family = _caller()
    samples = [Sample(pair, domain=domain) for pair in pairs]
    samples += [Sample(((2, 3), c), domain=domain) for c in constants]
    row(name, *callables, operands=("x1", "x2"), says=says, samples=samples, late=late)(build)

    def outer(g: Graph, a: Node, b: Node, out: Any = None, *, dtype: Any = None) -> Node:
        spread = ones_at(g, a, range(a.ndim, a.ndim + b.ndim))
        return typed(g, f"{name}.outer", f(g, spread, b), dtype)

    outer.__module__ = family
    outers = [c.outer for c in callables if isinstance(c, np.ufunc) and c.signature is None]
    if outers:
        row(
            f"{name}.outer",
            *outers,
            operands=("a", "b"),
            says=f"{says.split(' = ')[0]} of every pair of entries".replace("x1", "a").replace(
                "x2", "b"
            ),
            samples=[Sample(p, domain=domain) for p in (((2,), (3,)), ((), (2,)), ((2, 3), (0,)))],
        )(outer)


def named(function: str) -> Any:
    """An elementwise function of the graph, by its name there."""
    return lambda g, *xs: g.call(function, *xs)
