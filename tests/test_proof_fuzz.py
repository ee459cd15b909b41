"""Random pairs of graphs that move entries: what is proved agrees at every size and point tried.

Expressions are drawn over two axes and share their parts, so that many pairs nearly agree: a place
off by one, another order, a write that another one covers. Sizes go down to 1.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from chainrule.errors import ChainruleError
from chainrule.graph.node import At, Cut, Graph, Node, reached
from chainrule.graph.sizes import Size
from chainrule.proof import prove_all
from chainrule.values.float64 import evaluate

N, M = Size.axis("n"), Size.axis("m")
SIZES = [(4, 3), (2, 2), (1, 3), (3, 1), (2, 5), (5, 2)]
EXPRESSIONS, PAIRS = 26, 40


class Drawn:
    """Expressions over x (n), y (m), A (n×m), v (n·m) and an index array of m places below n."""

    def __init__(self, seed: int) -> None:
        self.rnd = random.Random(seed)
        self.g = g = Graph({"n": 4, "m": 3})
        self.x, self.y = g.input("x", (N,)), g.input("y", (M,))
        self.array, self.flat = g.input("A", (N, M)), g.input("v", (N * M,))
        self.places = g.input("i", (M,), "i")
        self.pool = [self.x, self.y, self.array, self.flat, g.iota(N), g.delta(N, N, 1)]
        for _ in range(EXPRESSIONS * 10):
            if len(self.pool) >= EXPRESSIONS:
                break
            try:
                made = self.rnd.choice(self.ways)(self.rnd.choice(self.pool[-20:]))
            except ChainruleError:
                continue
            if made is not None and made.ndim <= 3:
                self.pool.append(made)
        assert not g.axes

    def part(self, size: Size) -> At | Cut:
        cuts: list[At | Cut] = [
            ("cut", Size.of(1), 1, size - 1),
            ("cut", Size.of(0), 1, size - 1),
            ("cut", size - 1, -1, size),
            ("cut", size - 2, -1, size - 1),
            ("cut", Size.of(0), 1, size),
            ("cut", Size.of(1), 1, Size.of(1)),
            ("at", Size.of(0)),
            ("at", Size.of(1)),
            ("at", size - 1),
        ]
        return self.rnd.choice(cuts)

    def like(self, shape: tuple[Size, ...]) -> Node:
        found = [p for p in self.pool if p.shape == shape]
        if found and self.rnd.random() < 0.7:
            return self.rnd.choice(found)
        return self.g.broadcast(self.g.number(Fraction(self.rnd.randrange(3))), shape)

    @property
    def ways(self) -> list[Callable[[Node], Node | None]]:
        g, r = self.g, self.rnd
        table = g.array(np.array(r.choice([[0, 1], [1, 0], [0, 0], [-1, 0], [1, 1]])))
        apart = g.array(np.array(r.choice([[0, 1], [1, 0]])))

        def concat(a: Node) -> Node | None:
            b = self.like(a.shape)
            both = [a, b] if r.random() < 0.5 else [b, a]
            return g.concat(both, r.randrange(a.ndim)) if a.ndim else None

        def put(a: Node) -> Node:
            spec = tuple(map(self.part, a.shape))
            return g.put(a, self.like(g.cut_shape(spec)), spec)

        def reshaped(a: Node) -> Node | None:
            shapes = {(N, M): [(N * M,)], (N * M,): [(N, M), (M, N)], (M, N): [(N * M,)]}
            found = shapes.get(a.shape)
            return g.reshape(a, r.choice(found)) if found else None

        return [
            lambda a: g.index(a, tuple(map(self.part, a.shape))),
            lambda a: g.index(a, tuple(map(self.part, a.shape))),
            concat,
            put,
            put,
            reshaped,
            reshaped,
            lambda a: g.gather(a, self.places) if a.shape[:1] == (N,) else None,
            lambda a: g.scatter_add(a, [N], self.places) if a.shape[:1] == (M,) else None,
            lambda a: g.gather(a, table) if a.shape[:1] == (N,) else None,
            lambda a: g.scatter_add(a, [N], table) if a.shape[:1] == (2,) else None,
            lambda a: g.put_at(a, self.like((Size.of(2),)), apart) if a.shape == (N,) else None,
            lambda a: g.add(a, self.like(a.shape)),
            lambda a: g.mul(a, self.like(a.shape)),
            lambda a: g.sum(a, [r.randrange(a.ndim)]) if a.ndim else None,
            lambda a: g.transpose(a) if a.ndim == 2 else None,
            lambda a: g.power(a, 2),
            lambda a: g.call("abs", a),
            lambda a: g.reduce("reduce_max", a, [r.randrange(a.ndim)]) if a.ndim else None,
            lambda a: g.reduce("reduce_mul", a, [r.randrange(a.ndim)]) if a.ndim else None,
            lambda a: (
                g.select(g.less(g.iota(a.shape[-1]), g.number(1)), a, g.neg(a)) if a.ndim else None
            ),
        ]


def sensible(node: Node, sizes: dict[str, int]) -> bool:
    """Whether all sizes and places of a graph make sense at sizes."""
    for q in reached([node]):
        if any(s.at(sizes) < 0 for s in q.shape):
            return False
        for part, s in zip(q.params[0] if q.op in ("index", "put") else (), q.inputs[0].shape
                           if q.inputs else (), strict=False):  # fmt: skip
            first, size = part[1].at(sizes), s.at(sizes)
            last = first if part[0] == "at" else first + part[2] * (part[3].at(sizes) - 1)
            empty = part[0] == "cut" and part[3].at(sizes) == 0
            if not empty and not (0 <= first < size and 0 <= last < size):
                return False
        if q.op == "reduce_max" and any(q.inputs[0].shape[a].at(sizes) == 0 for a in q.params[0]):
            return False
    return True


def value(node: Node, number: int) -> np.ndarray | None:
    """A node at one of the points, None where it makes no sense."""
    n, m = SIZES[number]
    sizes = {"n": n, "m": m}
    rng = np.random.default_rng(number)
    at = {"x": rng.normal(size=n), "y": rng.normal(size=m), "A": rng.normal(size=(n, m))}
    at |= {"v": rng.normal(size=n * m), "i": rng.integers(0, n, size=m)}
    if not sensible(node, sizes):
        return None
    try:
        return np.asarray(evaluate([node], at, sizes)[0], dtype=float)
    except (IndexError, ValueError):
        return None


@pytest.mark.parametrize("seed", range(6))
def test_pairs(seed: int) -> None:
    """No pair that differs anywhere is proved; some that agree are."""
    drawn = Drawn(seed)
    nodes = [p for p in dict.fromkeys(drawn.pool) if p.kind == "f"]
    values = {p: [value(p, k) for k in range(len(SIZES))] for p in nodes}
    pairs = [(a, b) for a, b in combinations(nodes, 2) if a.shape == b.shape]
    drawn.rnd.shuffle(pairs)
    pairs = pairs[:PAIRS] + [(p, drawn.g.neg(drawn.g.neg(p))) for p in nodes[:5]]
    values |= {b: values[a] for a, b in pairs[-5:]}
    proved = 0
    for apart in (False, True):
        for (a, b), proof in zip(pairs, prove_all(pairs, apart=apart, budget=10_000), strict=True):
            proved += proof.equal
            for u, w in zip(values[a], values[b], strict=True):
                if proof.equal and u is not None and w is not None:
                    assert np.allclose(u, w, rtol=1e-9, atol=1e-9, equal_nan=True), (a, b)
    assert proved >= 5
