"""Random graphs over all primitives and functions, with the point where they are taken.

Values ride along while a graph is drawn, so that no kink and no edge of a domain is near the point:
an operand that comes too near is moved first, by an operation of the graph's own. Shapes are drawn
from none, one, equal, stretched and empty axes; index arrays count from both ends.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from engines import torch_rule

from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.node import Graph, Node, reached
from chainrule.graph.sizes import Size

MARGIN = 0.1
LARGEST = 8.0
ENTRIES = 24


@dataclass
class Drawn:
    """A graph while it is drawn. values : node → its tensor. pool : real nodes to take from."""

    rnd: random.Random
    empty: bool = True
    g: Graph = field(init=False)
    values: dict[Node, Any] = field(default_factory=dict)
    pool: list[Node] = field(default_factory=list)
    inputs: list[Node] = field(default_factory=list)

    def __post_init__(self) -> None:
        r = self.rnd
        few = [0, 1, 2, 3] if self.empty else [1, 2, 3]
        self.env = {"n": r.choice(few), "m": r.choice([1, 2, 3]), "k": r.choice([2, 3])}
        self.g = Graph(self.env)
        axes = [Size.axis(a) for a in self.env]
        self.drawn_from = [*axes, *axes, Size.of(1), Size.of(2)]
        self.noise = np.random.default_rng(r.getrandbits(32))
        for name in ("x", "y", "z")[: r.choice([1, 2, 2, 3])]:
            shape = tuple(r.choice(self.some) for _ in range(r.choice([0, 1, 1, 2, 2, 3])))
            self.inputs.append(self.input(name, shape))

    @property
    def some(self) -> list[Size]:
        """Sizes to draw from, in the axes that are left."""
        return [self.g.size(s) for s in self.drawn_from]

    # -- pieces ------------------------------------------------------------------------------

    def random_array(self, shape: tuple[int, ...]) -> np.ndarray:
        """Entries away from 0 and different in size; 16 bits each, so that they are short."""
        out = self.noise.uniform(0.3, 1.5, shape) * self.noise.choice([-1, 1], shape)
        return np.asarray(np.round(out * 2**15) / 2**15)

    def input(self, name: str, shape: tuple[Size, ...]) -> Node:
        import torch

        node = self.g.input(name, shape)
        self.values[node] = torch.tensor(self.random_array(node.number_shape))
        self.pool.append(node)
        return node

    def at(self, node: Node) -> np.ndarray:
        """The value of a node at the point."""
        for n in reached([node]) if node not in self.values else ():
            if n not in self.values:
                xs = [self.values[i] for i in n.inputs]
                self.values[n] = torch_rule(n, xs, self.env)
        return np.asarray(self.values[node])

    def pick(self, *, ndim: int = 0) -> Node:
        """A node of the pool, later ones rather, with at least so many axes."""
        nodes = self.pool[-5:] + self.pool
        for _ in range(8):
            node = self.rnd.choice(nodes)
            if node.ndim >= ndim:
                return node
        shape = tuple(self.rnd.choice(self.some) for _ in range(ndim))
        return self.g.add(
            self.rnd.choice([n for n in nodes if not n.ndim] or [self.c(1)]), self.constant(shape)
        )

    def c(self, value: int | str | Fraction) -> Node:
        return self.g.number(Fraction(value))

    def constant(self, shape: tuple[Size, ...]) -> Node:
        """An array of the graph's own numbers, stretched to a shape that may be a symbol's."""
        lengths = [s.const if s.const is not None else 1 for s in shape]
        return self.g.broadcast(self.g.array(self.random_array(tuple(lengths))), shape)

    def fits(self, a: Node, b: Node) -> bool:
        """Whether two nodes can be stretched to one shape."""
        pairs = zip(reversed(a.number_shape), reversed(b.number_shape), strict=False)
        return all(p == q or 1 in (p, q) for p, q in pairs)

    def pair(self) -> tuple[Node, Node]:
        a = self.pick()
        for _ in range(6):
            b = self.pick()
            if self.fits(a, b):
                return (a, b) if self.rnd.random() < 0.5 else (b, a)
        return a, self.g.index(b, tuple(("cut", Size.of(0), 1, Size.of(1)) for _ in b.shape)) if (
            0 not in b.number_shape
        ) else a

    # -- away from edges -----------------------------------------------------------------------

    def positive(self, x: Node, least: str = "1/5") -> Node:
        if (self.at(x) >= float(Fraction(least))).all():
            return x
        return self.g.add(self.g.mul(x, x), self.c(Fraction(least) + Fraction(1, 4)))

    def small(self, x: Node, most: str) -> Node:
        if (abs(self.at(x)) <= float(Fraction(most))).all():
            return x
        return self.g.mul(self.c(Fraction(most)), self.g.call("sin", x))

    def nonzero(self, x: Node) -> Node:
        """x, moved by a number if an entry is close to 0."""
        for step in range(12):
            y = self.g.add(x, self.c(Fraction(step, 7))) if step else x
            if (abs(self.at(y)) >= MARGIN).all():
                return y
        return self.positive(x)

    def apart(self) -> tuple[Node, Node]:
        """Two nodes of which no entries are close."""
        a, b = self.pair()
        for step in range(12):
            c = self.g.add(a, self.c(Fraction(step, 7))) if step else a
            if (abs(self.at(c) - self.at(b)) >= MARGIN).all():
                return c, b
        return self.g.add(b, self.c(1)), b

    def condition(self) -> Node:
        g, r = self.g, self.rnd
        how = r.randrange(4)
        if how == 0:
            return g.less(*self.apart())
        if how == 1:
            return g.not_(g.less(*self.apart()))
        if how == 2:
            a = g.less(*self.apart())
            b = self.pick(ndim=1)
            i = g.iota(b.shape[-1])
            last = g.equal(i, g.number(r.randrange(2)))
            return g.and_(a, last) if self.fits(a, last) else last
        return g.not_(g.and_(*(g.less(x, self.c(0)) for x in self.signed_pair())))

    def signed_pair(self) -> list[Node]:
        a, b = self.pair()
        moved = [self.nonzero(a), self.nonzero(b)]
        return moved

    def matrix(self) -> Node:
        """A regular matrix, or a batch of them."""
        g, r = self.g, self.rnd
        x = self.pick(ndim=1)
        if x.ndim >= 2 and x.shape[-1] == x.shape[-2]:
            m = x
        elif r.random() < 0.5 and x.ndim == 2:
            m = g.einsum("bi,bj->bij", x, x)
        else:
            x = self.pick(ndim=1)
            while x.ndim > 1:
                x = g.sum(x, [0])
            m = g.einsum("i,j->ij", g.call("sin", x), x)
        n = m.shape[-1]
        return g.add(g.mul(self.c(Fraction(1, 4)), m), g.mul(self.c(2), g.delta(n, n)))

    def places(self, n: int, shape: tuple[int, ...], different: bool = False) -> Node:
        """An array of places on an axis of n, counted from the front or from the end."""
        if different:
            places = self.noise.permutation(n)[: int(np.prod(shape))].reshape(shape)
        else:
            places = self.noise.integers(0, n, shape)
        return self.g.array(np.where(self.noise.random(places.shape) < 0.3, places - n, places))

    # -- steps ---------------------------------------------------------------------------------

    def step(self, op: str) -> Node | None:
        """A node that uses an operation, or None where nothing in the pool suits it."""
        make = getattr(self, f"draw_{op}", None)
        return make() if make is not None else self.draw_function(op)

    def draw_function(self, op: str) -> Node:
        g = self.g
        if op in ("add", "mul"):
            return g.elementwise(op, *self.pair())
        if op in ("maximum", "minimum"):
            return g.call(op, *self.apart())
        if op == "hypot":
            a, b = self.pair()
            return g.call(op, self.nonzero(a), b)
        if op == "arctan2":
            a, b = self.pair()
            return g.call(op, self.nonzero(a), b)
        if op == "pow":
            a, b = self.pair()
            return g.call(op, self.positive(a), self.small(b, "2"))
        if op == "logaddexp":
            return g.call(op, *self.pair())
        x = self.pick()
        if op in ("log", "log2", "log10", "lgamma"):
            return g.call(op, self.positive(x))
        if op == "log1p":
            return g.call(op, x if (self.at(x) > -0.7).all() else g.mul(x, x))
        if op in ("arcsin", "arccos", "arctanh"):
            return g.call(op, self.small(x, "3/4"))
        if op == "tan":
            return g.call(op, self.small(x, "1"))
        if op == "arccosh":
            return g.call(op, self.positive(x, "5/4"))
        if op in ("exp", "expm1", "exp2", "sinh", "cosh"):
            return g.call(op, self.small(x, "2"))
        if op in ("abs", "sign", "cbrt"):
            return g.call(op, self.nonzero(x))
        assert op in FUNCTIONS and FUNCTIONS[op].arity == 1, op
        return g.call(op, x)

    def draw_neg(self) -> Node:
        return self.g.neg(self.pick())

    def draw_div(self) -> Node:
        a, b = self.pair()
        return self.g.div(a, self.nonzero(b))

    def draw_power(self) -> Node:
        p = self.rnd.choice(["2", "3", "0", "1", "-1", "-2", "1/2", "1/3", "-1/2", "3/2"])
        x = self.pick()
        if Fraction(p) < 0 or "/" in p:
            x = self.positive(x) if "/" in p else self.nonzero(x)
        y = self.g.power(x, Fraction(p))
        if p in ("1/2", "3/2", "1/3") and self.rnd.random() < 0.4:
            return self.g.power(y, self.rnd.choice([2, 3])) if p != "1/3" else self.g.mul(y, y)
        return y

    def draw_polygamma(self) -> Node:
        x = self.positive(self.pick(), "1/2")
        return self.g.call("polygamma", x, order=self.rnd.randrange(3))

    def draw_floor(self) -> Node | None:
        x = self.g.mul(self.c(3), self.pick())
        off = np.abs(self.at(x) - np.round(self.at(x)))
        return (
            self.g.mul(
                self.g.floor(x) if hasattr(self.g, "floor") else self.g.elementwise("floor", x),
                self.pick_like(x),
            )
            if (off >= MARGIN / 2).all()
            else None
        )

    def pick_like(self, x: Node) -> Node:
        y = self.pick()
        return y if self.fits(x, y) else x

    def draw_select(self) -> Node | None:
        c = self.condition()
        a, b = self.pair()
        return (
            self.g.select(c, a, b)
            if self.fits(c, a) and self.fits(c, b) and self.fits(self.g.add(a, b), c)
            else None
        )

    draw_less = draw_equal = draw_not = draw_and = draw_select

    def draw_mask(self) -> Node | None:
        c, x = self.condition(), self.pick()
        return self.g.mul(c, x) if self.fits(c, x) else None

    def draw_const(self) -> Node:
        how = self.rnd.randrange(3)
        x = self.pick()
        if how == 0:
            return self.g.mul(self.g.number(self.rnd.choice(["pi", "e"])), x)
        return self.g.add(x, self.g.number(0.1) if how == 1 else self.constant(x.shape))

    draw_input = draw_const

    def draw_size(self) -> Node:
        x = self.pick(ndim=1)
        return self.g.mul(self.g.sized(x.shape[0]), x)

    def draw_iota(self) -> Node:
        x = self.pick(ndim=1)
        return self.g.mul(x, self.g.iota(x.shape[-1]))

    def draw_delta(self) -> Node:
        x = self.pick(ndim=1)
        k = self.rnd.choice([0, 0, 0, 1, -1])
        other = self.rnd.choice([x.shape[-1], x.shape[-1], self.rnd.choice(self.some)])
        d = self.g.delta(other, x.shape[-1], k)
        if x.ndim == 1 and self.rnd.random() < 0.5:
            return self.g.mul(d, x)
        return self.g.einsum("ij,...j->...i".replace("...", "abc"[: x.ndim - 1]), d, x)

    def draw_contract(self) -> Node:
        r, xs = (
            self.rnd,
            [self.pick(ndim=r) for r in self.rnd.choices([1, 2], k=self.rnd.choice([1, 2, 2, 3]))],
        )
        labels, sizes = [], {}
        for x in xs:
            names = []
            for size in x.shape:
                known = [k for k, s in sizes.items() if s == size]
                if known and r.random() < 0.65:
                    names.append(r.choice(known))
                else:
                    names.append(len(sizes))
                    sizes[names[-1]] = size
            labels.append(names)
        out = [k for k in sizes if r.random() < 0.5]
        r.shuffle(out)
        return self.g.contract(labels, out, *xs)

    def draw_reshape(self) -> Node:
        x, r = self.pick(), self.rnd
        how = r.randrange(3)
        if how == 0:
            shape = list(x.shape)
            shape.insert(r.randint(0, len(shape)), Size.of(1))
        elif how == 1:
            total = Size.of(1)
            for s in x.shape:
                total = total * s
            shape = [total]
        else:
            shape = [s for s in x.shape if s != 1]
        return self.g.reshape(x, shape)

    def draw_broadcast(self) -> Node:
        x, r = self.pick(), self.rnd
        shape = [r.choice(self.some) if s == 1 else s for s in x.shape]
        for _ in range(r.choice([0, 1, 1, 2])):
            shape.insert(0, r.choice(self.some))
        return self.g.broadcast(x, shape)

    def spec(self, x: Node) -> Any:
        out: list[Any] = []
        for size in x.shape:
            n, how = size.at(self.env), self.rnd.randrange(4)
            if how == 0 and n:
                out.append(("at", Size.of(self.rnd.randrange(n))))
            elif how == 1 and n:
                out.append(("cut", size - 1, -1, size))
            elif how == 2 and n > 1:
                out.append(("cut", Size.of(1), 1, size - 1))
            else:
                out.append(("cut", Size.of(0), 1, size))
        return tuple(out)

    def draw_index(self) -> Node:
        x = self.pick(ndim=1)
        if self.rnd.random() < 0.3 and x.number_shape[0] > 1:  # entries, one by one
            rows = self.rnd.choices(range(x.number_shape[0]), k=3)
            whole = self.g.whole(x)[1:]
            total = self.g.index(x, (("at", Size.of(rows[0])), *whole))
            for row in rows[1:]:
                total = self.g.mul(total, self.g.index(x, (("at", Size.of(row)), *whole)))
            return total
        return self.g.index(x, self.spec(x))

    def draw_put(self) -> Node | None:
        x = self.pick(ndim=1)
        spec = self.spec(x)
        shape = self.g.cut_shape(spec)
        value = self.pick()
        if value.shape != shape:
            if value.ndim:
                value = self.g.index(x, spec)
            value = self.g.broadcast(self.g.call("sin", value), shape)
        return self.g.put(x, value, spec)

    def draw_gather(self) -> Node | None:
        x = self.pick(ndim=1)
        if 0 in x.number_shape:
            return None
        shape = self.rnd.choice([(), (2,), (1, 2), (3,), (0,)])
        k = self.rnd.randint(1, min(2, x.ndim))
        return self.g.gather(x, *(self.places(n, shape) for n in x.number_shape[:k]))

    def draw_scatter_add(self) -> Node | None:
        x = self.pick(ndim=1)
        leading = [
            self.rnd.choice([s for s in self.some if s.at(self.env)])
            for _ in range(self.rnd.choice([1, 2]))
        ]
        shape = x.number_shape[: self.rnd.choice([1, 1, 2])]
        if any(s.const is None for s in x.shape[: len(shape)]):
            x = self.g.broadcast(self.g.reshape(x, [*x.shape]), x.shape)
            for s in x.shape[: len(shape)]:
                self.g.pin(s)
            leading = [self.g.size(s) for s in leading]
        return self.g.scatter_add(
            x, leading, *(self.places(s.at(self.env), shape) for s in leading)
        )

    def draw_put_at(self) -> Node | None:
        x = self.pick(ndim=1)
        if 0 in x.number_shape:
            return None
        n = x.number_shape[0]
        shape = (self.rnd.randint(1, n),)
        where = self.places(n, shape, different=True)
        value = self.g.call("cos", self.g.gather(x, self.places(n, shape)))
        return self.g.put_at(x, value, where)

    def draw_concat(self) -> Node:
        x = self.pick(ndim=1)
        axis = self.rnd.randrange(x.ndim)
        y = self.g.call("sin", x)
        other = self.pick(ndim=1)
        same = other.ndim == x.ndim and all(
            a == b for k, (a, b) in enumerate(zip(x.shape, other.shape, strict=True)) if k != axis
        )
        return self.g.concat([x, other if same else y, y], axis)

    def axes(self, x: Node) -> list[int]:
        return sorted(self.rnd.sample(range(x.ndim), self.rnd.randint(1, x.ndim)))

    def draw_reduce_mul(self) -> Node:
        x = self.pick(ndim=1)
        if self.rnd.random() < 0.4 and x.number_shape[-1]:  # with zeros
            keep = np.ones(x.number_shape[-1])
            keep[: self.rnd.choice([1, 2])] = 0.0
            self.g.pin(x.shape[-1])
            x = self.g.mul(x, self.g.array(keep))
        return self.g.reduce("reduce_mul", x, self.axes(x))

    def draw_reduce_max(self) -> Node | None:
        x = self.pick(ndim=1)
        axes = self.axes(x)
        v = self.at(x)
        lines = (
            np.moveaxis(v, axes, range(-len(axes), 0)).reshape(
                *(n for k, n in enumerate(v.shape) if k not in axes), -1
            )
            if v.size
            else v
        )
        if not v.size:
            return None
        top = np.sort(lines, axis=-1)
        if top.shape[-1] > 1 and (top[..., -1] - top[..., -2] < MARGIN).any():
            return None
        return self.g.reduce("reduce_max", x, axes)

    def draw_solve(self) -> Node:
        a = self.matrix()
        b = self.pick(ndim=1)
        if b.shape != a.shape:
            b = (
                self.g.add(a, self.c(1))
                if self.rnd.random() < 0.5
                else self.g.index(
                    a,
                    (
                        *self.g.whole(a)[:-1],
                        ("cut", Size.of(0), 1, Size.of(min(1, a.number_shape[-1]))),
                    ),
                )
            )
        return self.g.solve(a, b)

    def draw_det(self) -> Node:
        return self.g.det(self.matrix())

    def draw_logdet(self) -> Node:
        return self.g.logdet(self.matrix())


def fits_in(drawn: Drawn, node: Node) -> bool:
    """Whether a new node's values are fit to go on with."""
    if np.prod(node.number_shape) > ENTRIES or node.ndim > 4:
        return False
    v = drawn.at(node)
    return v.dtype == float and bool(np.isfinite(v).all() and (abs(v) <= LARGEST).all())


def draw(
    rnd: random.Random, ops: tuple[str, ...], steps: int, empty: bool = True
) -> tuple[Drawn, Node, Counter[str]]:
    """A graph of some steps, an output that needs the last of them, and its operations."""
    d = Drawn(rnd, empty)
    done = 0
    for _ in range(4 * steps):
        if done == steps:
            break
        node = d.step(rnd.choice(ops))
        if node is not None and node.kind == "f" and fits_in(d, node):
            d.pool.append(node)
            done += 1
    return d, d.pool[-1], Counter(n.op for n in reached([d.pool[-1]]))


__all__: list[str] = ["Callable", "Drawn", "draw"]
