"""Builders for derivative nodes: local rewritings that are exact in real arithmetic.

Each holds wherever the operands are defined: 1·x, 0 + x, x − x, −−x, 0·x, folded fractions, sums of
broadcasts, transposes in products. None cancels x/x, √(x²) or log(exp x); a rewriting may leave a
value defined where it was not, never the other way round. The literal graph is never touched: nodes
made by a `Graph` stay as they are, and only what is built here is built lean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from chainrule.graph.derivative import products
from chainrule.graph.derivative.written import Domain, coefficient, coefficient_of_product, fraction
from chainrule.graph.node import Graph, Node, Spec
from chainrule.graph.sizes import Shape, Size


class Lean:
    """A graph's builders, under the graph's names, with the rewritings.

    graph : where the nodes are made. first : the number of the first node that is made here; nodes
    before it are values that others compute anyway.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.first = len(graph.nodes)
        self.domain = Domain()

    # -- numbers -------------------------------------------------------------------------------

    def number(self, value: int | Fraction | str) -> Node:
        """A real constant."""
        return self.graph.number(value if isinstance(value, str) else Fraction(value))

    def full(self, value: int | Fraction, shape: Sequence[int | Size]) -> Node:
        """An array of one number."""
        return self.broadcast(self.number(value), shape)

    def zeros(self, shape: Sequence[int | Size]) -> Node:
        """An array of zeros."""
        return self.full(0, shape)

    def sized(self, size: int | Size) -> Node:
        """A size as a real number."""
        size = self.graph.size(Size.of(size))
        return self.number(size.const) if size.const is not None else self.graph.sized(size)

    def real(self, x: Node) -> Node:
        """x as an array of reals."""
        if x.kind == "f":
            return x
        c = fraction(x)
        return self.graph.mul(self.number(1), x) if c is None else self.full(c, x.shape)

    def is_zero(self, x: Node) -> bool:
        """Whether it is written on the node that all entries are 0."""
        return fraction(x) == 0

    # -- elementwise ---------------------------------------------------------------------------

    def _shape(self, *nodes: Node) -> Shape:
        return self.graph.stretched(*(n.shape for n in nodes))

    def bare(self, *nodes: Node) -> list[Node]:
        """Operands without the broadcasts that the operation does itself."""
        if not any(n.op == "broadcast" for n in nodes):
            return list(nodes)
        shape, out = self._shape(*nodes), list(nodes)
        for k, node in enumerate(out):
            if node.op == "broadcast":
                inner = node.inputs[0]
                if self._shape(*out[:k], inner, *out[k + 1 :]) == shape:
                    out[k] = inner
        return out

    def add(self, a: Node, b: Node) -> Node:
        """a + b."""
        if a.kind != "f" or b.kind != "f":
            return self.graph.add(a, b)
        shape = self._shape(a, b)
        p, q = fraction(a), fraction(b)
        if p is not None and q is not None:
            return self.full(p + q, shape)
        if p == 0 or q == 0:
            return self.broadcast(b if p == 0 else a, shape)
        (c, x), (d, y) = coefficient(a), coefficient(b)
        if x is y:
            return self.mul(self.number(c + d), x)
        if a.op == "neg" and b.op == "neg":
            return self.neg(self.add(a.inputs[0], b.inputs[0]))
        if a.op == b.op == "select" and a.inputs[0] is b.inputs[0] and a.shape == b.shape:
            if self.is_zero(a.inputs[2]) and self.is_zero(b.inputs[1]):
                return self.broadcast(self.select(a.inputs[0], a.inputs[1], b.inputs[2]), shape)
            if self.is_zero(a.inputs[1]) and self.is_zero(b.inputs[2]):
                return self.broadcast(self.select(a.inputs[0], b.inputs[1], a.inputs[2]), shape)
        if a.op == b.op == "broadcast":
            inner = self._shape(a.inputs[0], b.inputs[0])
            if inner != shape and (a.inputs[0].shape == inner or b.inputs[0].shape == inner):
                return self.broadcast(self.add(a.inputs[0], b.inputs[0]), shape)
        if a.op == "neg":
            a, b = b, a
        return self.graph.add(*self.bare(a, b))

    def sub(self, a: Node, b: Node) -> Node:
        """a − b."""
        return self.add(a, self.neg(b))

    def neg(self, a: Node) -> Node:
        """−a."""
        if a.kind != "f":
            return self.graph.neg(a)
        c = fraction(a)
        if c is not None:
            return self.full(-c, a.shape)
        if a.op == "neg" and a.inputs[0].kind == "f":
            return a.inputs[0]
        if a.op == "broadcast":
            return self.broadcast(self.neg(a.inputs[0]), a.shape)
        if a.op == "select":
            within = self._within(a, self.neg)
            if within is not None:
                return within
        if a.op in ("mul", "div"):
            c = fraction(a.inputs[0])
            if c is not None:
                return self.graph.elementwise(a.op, self.full(-c, a.inputs[0].shape), a.inputs[1])
        if a.op == "add" and a.inputs[1].op == "neg" and a.inputs[1].inputs[0].kind == "f":
            return self.graph.add(a.inputs[1].inputs[0], self.neg(a.inputs[0]))
        return self.graph.neg(a)

    def mul(self, a: Node, b: Node) -> Node:
        """a·b, elementwise, numbers and then scalars in front."""
        if a.kind != "f" and b.kind != "f":
            return self.graph.mul(a, b)
        shape = self._shape(a, b)
        p, q = fraction(a), fraction(b)
        if p is not None and q is not None:
            return self.full(p * q, shape)
        if q is not None or (b.ndim == 0 and a.ndim > 0 and p is None):
            a, b, p = b, a, q
        if p is not None:
            return self._times(p, b, shape)
        flips = 0
        while flips < 2 and "neg" in (a.op, b.op):  # literal chains of signs may be long
            if a.op == "neg":
                a = a.inputs[0]
            else:
                b = b.inputs[0]
            flips += 1
        out = self._product(self.real(a), b, shape)
        return self.neg(out) if flips == 1 else out

    def _product(self, a: Node, b: Node, shape: Shape) -> Node:
        """a·b, where neither is a number that is known."""
        if fraction(a) is not None or fraction(b) is not None:
            return self.mul(a, b)
        guarded = self._guarded(a, b, self.mul)
        if guarded is not None:
            return guarded
        a, b = self.bare(a, b)
        for x, y in ((a, b), (b, a)):
            if x.op == "sign" and y.op == "abs" and x.inputs[0] is y.inputs[0]:
                return self.broadcast(x.inputs[0], shape)
            if x.op == "mul" and products.unit_like(x.inputs[0]):  # δ·s·t: s·t is smaller
                return self.mul(x.inputs[0], self.mul(x.inputs[1], y))
        if a.ndim == 0 and b.op == "mul" and b.inputs[0].ndim == 0 and b.inputs[1].ndim > 0:
            if b.number >= self.first:  # scalars first
                return self.mul(self.mul(a, b.inputs[0]), b.inputs[1])
        for x, y in ((b, a), (a, b)):
            new = x.number >= self.first and x.op == "div" and fraction(x.inputs[0]) == 1
            if new and (x.inputs[1].ndim > 0 or y.ndim == 0):
                return self.broadcast(self.div(y, x.inputs[1]), shape)
        return self.graph.mul(a, b)

    def _times(self, c: Fraction, x: Node, shape: Shape) -> Node:
        if c == 0:
            return self.zeros(shape)
        x = self.broadcast(x, shape)
        if c == 1:
            return self.real(x)
        if c == -1 and x.kind == "f":
            return self.neg(x)
        if x.kind == "f":
            if x.op == "neg":
                return self._times(-c, x.inputs[0], shape)
            if x.op == "broadcast":
                return self.broadcast(self.mul(self.number(c), x.inputs[0]), shape)
            if x.op == "select":
                within = self._within(x, lambda y: self.mul(self.number(c), y))
                if within is not None:
                    return within
            if x.op in ("mul", "div"):
                d = fraction(x.inputs[0])
                if d is not None:
                    again = self.mul if x.op == "mul" else self.div
                    return self.broadcast(again(self.number(c * d), x.inputs[1]), shape)
            if x.op == "mul":
                s, y = x.inputs  # the number joins a scalar in front, also one with axes of 1
                if s.kind == "f" and all(n == 1 for n in s.shape) and x.ndim == y.ndim > 0:
                    if s.ndim == 0 or any(n != 1 for n in y.shape):
                        return self.mul(self.mul(self.number(c), s), y)
            if x.op == "div":
                d = fraction(x.inputs[1])
                if d:
                    return self.broadcast(self.mul(self.number(c / d), x.inputs[0]), shape)
        return self.graph.mul(self.number(c), x)

    def _guarded(self, a: Node, b: Node, op: products.Binary) -> Node | None:
        """A selection with 0 on one side, times what may be undefined there: selected last."""
        for x, other, turned in ((a, b, False), (b, a, True)):
            if x.op != "select" or (turned and op == self.div):
                continue
            c, u, v = x.inputs
            zero = [self.is_zero(u), self.is_zero(v)]
            fine = self.domain.total(other) and (op != self.div or self.domain.nonzero(other))
            if not any(zero) or (fine and not self._plain(u, v)):
                continue
            if other.op == "select" and other.inputs[0] is c:
                continue
            sides = [
                self.number(0) if z else (op(other, s) if turned else op(s, other))
                for z, s in zip(zero, (u, v), strict=True)
            ]
            return self.broadcast(self.select(c, sides[0], sides[1]), self._shape(a, b))
        return None

    def _within(self, x: Node, op: Callable[[Node], Node]) -> Node | None:
        """What keeps 0, done to the one side of a selection that is not 0."""
        c, u, v = x.inputs
        zero = [self.is_zero(u), self.is_zero(v)]
        if not any(zero) or "select" in (u.op, v.op):
            return None
        sides = [self.number(0) if z else op(s) for z, s in zip(zero, (u, v), strict=True)]
        return self.broadcast(self.select(c, sides[0], sides[1]), x.shape)

    def _plain(self, *nodes: Node) -> bool:
        return all(fraction(n) is not None for n in nodes)

    def div(self, a: Node, b: Node) -> Node:
        """a/b."""
        shape = self._shape(a, b)
        p, q = fraction(a), fraction(b)
        if q:
            if p is not None:
                return self.full(p / q, shape)
            if q in (1, -1):
                return self._times(q, a, shape)
        if p == 0:
            return self.zeros(shape)
        if a.op == "neg" and a.inputs[0].kind == "f":
            return self.neg(self._quotient(a.inputs[0], b, shape))
        if b.op == "neg" and b.inputs[0].kind == "f":
            return self.neg(self._quotient(a, b.inputs[0], shape))
        return self._quotient(a, b, shape)

    def _quotient(self, a: Node, b: Node, shape: Shape) -> Node:
        """a/b without a sign on either."""
        q = fraction(b)
        guarded = self._guarded(a, b, self.div)
        if guarded is not None:
            return guarded
        c, core = coefficient_of_product(a)
        if q and c != 1:
            return self.broadcast(self.mul(self.number(c / q), core), shape)
        return self.graph.div(*self.bare(a, b))

    def power(self, a: Node, exponent: int | Fraction) -> Node:
        """a to a constant rational power."""
        p, c = Fraction(exponent), fraction(a)
        if p == 0:
            return self.full(1, a.shape)
        if p == 1:
            return self.real(a)
        if c is not None and p.denominator == 1 and (c or p > 0) and abs(p) <= 64:
            return self.full(c ** int(p), a.shape)
        return self.graph.power(a, p)

    def call(self, name: str, *inputs: Node, order: int | None = None) -> Node:
        """An elementwise function by name."""
        return self.graph.call(name, *inputs, order=order)

    def less(self, a: Node, b: Node) -> Node:
        """1 where a < b, else 0."""
        return self.graph.less(*self.bare(a, b))

    def less_equal(self, a: Node, b: Node) -> Node:
        """1 where a ≤ b, else 0."""
        return self.not_(self.less(b, a))

    def equal(self, a: Node, b: Node) -> Node:
        """1 where a = b, else 0."""
        return self.graph.equal(*self.bare(a, b))

    def not_(self, c: Node) -> Node:
        """1 − c."""
        return c.inputs[0] if c.op == "not" and c.inputs[0].kind == "b" else self.graph.not_(c)

    def and_(self, a: Node, b: Node) -> Node:
        """Both."""
        return a if a is b else self.graph.and_(a, b)

    def or_(self, a: Node, b: Node) -> Node:
        """One at least."""
        return self.not_(self.and_(self.not_(a), self.not_(b)))

    def select(self, c: Node, a: Node, b: Node) -> Node:
        """a where c, else b; a condition that is negated or repeated goes."""
        if a.kind != "f" and b.kind != "f":
            return self.graph.select(c, a, b)
        if c.op == "not" and c.inputs[0].kind == "b":
            return self.select(c.inputs[0], b, a)
        shape = self._shape(c, a, b)
        p, q = fraction(a), fraction(b)
        if a is b or (p is not None and p == q):
            return self.broadcast(self.real(a) if a is b else self.number(p or 0), shape)
        if a.op == "select" and self.is_zero(b) and self.is_zero(a.inputs[2]):
            both = self.and_(c, a.inputs[0])
            if self._shape(both, a.inputs[1]) == shape:
                return self.select(both, a.inputs[1], self.number(0))
        if b.op == "select" and self.is_zero(a) and self.is_zero(b.inputs[1]):
            either = self.or_(c, b.inputs[0])
            if self._shape(either, b.inputs[2]) == shape:
                return self.select(either, self.number(0), b.inputs[2])
        return self.broadcast(self.graph.select(*self.bare(c, a, b)), shape)

    # -- sums and shapes -----------------------------------------------------------------------

    def contract(self, labels: Sequence[Sequence[int]], out: Sequence[int], *inputs: Node) -> Node:
        """Σ over the labels that `out` leaves out; see `graph.products`."""
        return products.contract(self, labels, out, inputs)

    def sum(self, x: Node, axes: Iterable[int]) -> Node:
        """The sum over axes, which go."""
        gone = {a % x.ndim for a in axes}
        return self.contract([range(x.ndim)], [a for a in range(x.ndim) if a not in gone], x)

    def transpose(self, x: Node, order: Sequence[int]) -> Node:
        """The axes in another order."""
        return self.contract([range(x.ndim)], order, x)

    def reshape(self, x: Node, shape: Sequence[int | Size]) -> Node:
        """The entries in row-major order in another shape."""
        wanted = tuple(self.graph.size(Size.of(s)) for s in shape)
        while x.op == "reshape":
            x = x.inputs[0]
        if x.shape == wanted:
            return x
        c = fraction(x)
        if c is not None and x.kind == "f":
            return self.full(c, wanted)
        return self.graph.reshape(x, wanted)

    def broadcast(self, x: Node, shape: Sequence[int | Size]) -> Node:
        """Stretched to a shape."""
        wanted = tuple(self.graph.size(Size.of(s)) for s in shape)
        while x.op == "broadcast" and x.shape != wanted:
            x = x.inputs[0]
        return x if x.shape == wanted else self.graph.broadcast(x, wanted)

    def unbroadcast(self, x: Node, shape: Shape, extra: int = 0) -> Node:
        """The transpose of broadcasting: summed back to x.shape[:extra] + shape."""
        lead, full = x.shape[:extra], x.shape[extra:]
        new = len(full) - len(shape)
        gone = [
            extra + k for k, n in enumerate(full) if k < new or shape[k - new] != n
        ]  # only a size that is 1 was stretched
        return self.reshape(self.sum(x, gone), (*lead, *shape)) if gone else x

    def spec(self, spec: Spec) -> Spec:
        """A spec in the axes that are left."""
        size = self.graph.size
        return tuple(
            ("at", size(p[1])) if p[0] == "at" else ("cut", size(p[1]), p[2], size(p[3]))
            for p in spec
        )

    def takes_all(self, spec: Spec, shape: Shape) -> bool:
        """Whether a spec takes the array as it is."""
        return all(
            p[0] == "cut" and p[1] == 0 and p[2] == 1 and p[3] == n
            for p, n in zip(spec, shape, strict=True)
        )

    def index(self, x: Node, spec: Spec) -> Node:
        """x at a spec."""
        spec = self.spec(spec)
        if self.takes_all(spec, x.shape):
            return x
        c = fraction(x)
        if c is not None and x.kind == "f":
            return self.full(c, self.graph.cut_shape(spec))
        if x.op == "put" and self.spec(x.params[0]) == spec and x.inputs[1].kind == x.kind:
            return x.inputs[1]
        return self.graph.index(x, spec)

    def put(self, base: Node, value: Node, spec: Spec) -> Node:
        """A copy of base with base[spec] = value."""
        spec = self.spec(spec)
        if self.takes_all(spec, base.shape) and value.kind == base.kind:
            return value
        if self.is_zero(base) and self.is_zero(value):
            return self.zeros(base.shape)
        if base.op == "put" and self.spec(base.params[0]) == spec:
            base = base.inputs[0]
        return self.graph.put(base, value, spec)

    def gather(self, x: Node, *indices: Node) -> Node:
        """x[i, j, …]."""
        c = fraction(x)
        if c is not None and x.kind == "f":
            return self.full(c, (*indices[0].shape, *x.shape[len(indices) :]))
        return self.graph.gather(x, *indices)

    def scatter_add(self, g: Node, leading: Sequence[int | Size], *indices: Node) -> Node:
        """Zeros, to which g is added at i, j, …."""
        if self.is_zero(g):
            return self.zeros((*leading, *g.shape[indices[0].ndim :]))
        return self.graph.scatter_add(g, leading, *indices)

    def put_at(self, base: Node, value: Node, *indices: Node) -> Node:
        """A copy of base with base[i, j, …] = value."""
        if self.is_zero(base) and self.is_zero(value):
            return self.zeros(base.shape)
        return self.graph.put_at(base, value, *indices)

    def concat(self, parts: Sequence[Node], axis: int) -> Node:
        """Arrays one after another along an axis; the empty ones are left out."""
        kept = [p for p in parts if p.shape[axis] != 0] or list(parts[:1])
        if len(kept) == 1:
            return kept[0]
        node = self.graph.concat(kept, axis)
        return self.zeros(node.shape) if all(map(self.is_zero, kept)) else node

    def reduce(self, op: str, x: Node, axes: Iterable[int]) -> Node:
        """reduce_mul or reduce_max over axes, which go."""
        return self.graph.reduce(op, x, axes)

    def solve(self, a: Node, b: Node) -> Node:
        """A⁻¹B."""
        return self.zeros(b.shape) if self.is_zero(b) else self.graph.solve(a, b)
