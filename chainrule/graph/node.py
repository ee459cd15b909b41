"""The primitives: literal operations on arrays whose sizes are symbols.

A `Graph` owns its nodes; equal nodes are one node (keys hold exact bytes and fractions, never a
`repr`). A node's shape follows from its inputs; two sizes that must be equal are made one, and the
graph keeps that as a condition. Nothing is simplified here: x*x/x stays x*x/x.

Elementwise operations broadcast as NumPy does, where only the size that *is* 1 stretches: an axis
that merely happens to be 1 is pinned to 1, which is a condition like any other.

| op | inputs, params | value |
|---|---|---|
| input | (name) | an array of the user's |
| const | a `Fraction`, a name (pi, e), a float ±4 ulp, ±∞, or the bytes of an array | |
| size | (Size) | the size as a number |
| iota | (Size) | 0, 1, …, n − 1 |
| delta | (rows, columns, k) | 1 where column − row = k, else 0 |
| add, mul, div, neg | | elementwise |
| power | x; (Fraction) | x to a constant rational power |
| exp log sin cos arctan erf lgamma polygamma | x; polygamma (order) | elementwise |
| less, equal | a, b | 1 where a < b, a = b, else 0 |
| not, and, select | c; a, b; c, a, b | 1 − c; both; a where c else b |
| floor | x | the largest integer ≤ x |
| contract | xs; (labels of each, labels of the result) | Σ of products over the labels left out |
| reshape, broadcast | x; (shape) | |
| index, put | x, (base, value); (spec) | read, or write into a copy, at axes, slices, integers |
| gather | x, i…; | x[i, …]: the leading axes are indexed by arrays of one shape |
| scatter_add | g, i…; (leading sizes) | zeros, to which g is added at i… |
| put_at | base, value, i… | a copy with base[i, …] = value |
| concat | xs; (axis) | |
| reduce_mul, reduce_max | x; (axes) | product, largest entry |
| solve, det, logdet | A, B; A; A | A⁻¹B; determinant; log of its absolute value; batches lead |

Every other elementwise function (tanh, maximum, …) is a node of its own name as well, defined in
primitives by its row in `graph.functions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import inf, isinf, prod
from typing import Any, Literal

import numpy as np

from chainrule.errors import ShapeError
from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.infinite import signs
from chainrule.graph.sizes import Shape, Size, product, show

Kind = Literal["f", "i", "b"]
#: One axis of an index: ("at", position) or ("cut", first position, step, length).
At = tuple[Literal["at"], Size]
Cut = tuple[Literal["cut"], Size, int, Size]
Spec = tuple[At | Cut, ...]

LEAVES = ("input", "const", "size", "iota", "delta")
ELEMENTWISE = (
    "add",
    "mul",
    "div",
    "neg",
    "power",
    "less",
    "equal",
    "not",
    "and",
    "select",
    "floor",
)
STRUCTURE = ("reshape", "broadcast", "index", "put", "gather", "scatter_add", "put_at", "concat")
REDUCTIONS = ("contract", "reduce_mul", "reduce_max")
LINEAR_ALGEBRA = ("solve", "det", "logdet")
SMOOTH = tuple(name for name, f in FUNCTIONS.items() if f.define is None)
#: Every primitive, by name; what an interpreter must answer for.
PRIMITIVES: tuple[str, ...] = (
    *LEAVES,
    *ELEMENTWISE,
    *SMOOTH,
    *REDUCTIONS,
    *STRUCTURE,
    *LINEAR_ALGEBRA,
)
#: Functions that are defined in primitives.
DEFINED: tuple[str, ...] = tuple(name for name, f in FUNCTIONS.items() if f.define is not None)


class Node:
    """One operation. Made by a `Graph`, equal only to itself.

    op, inputs, params : see the module. number : its place in the graph's order; inputs come first.
    kind : "f" real, "i" integer, "b" 0 or 1. infinite : which infinities its entries may be, see
    `graph.infinite`; 0 where it is surely a real number.
    """

    __slots__ = (
        *("_shape", "_version", "graph", "infinite", "inputs", "kind", "number", "op", "params"),
    )

    def __init__(
        self,
        graph: Graph,
        op: str,
        inputs: tuple[Node, ...],
        params: tuple[Any, ...],
        shape: Shape,
        kind: Kind,
    ) -> None:
        self.graph, self.op, self.inputs, self.params = graph, op, inputs, params
        self.kind: Kind = kind
        self._shape, self._version = shape, graph.version
        self.number = len(graph.nodes)
        self.infinite = signs(op, inputs, params)

    @property
    def shape(self) -> Shape:
        """The sizes of its axes, as far as they are known to be equal by now."""
        if self._version != self.graph.version:
            self._shape = tuple(self.graph.size(s) for s in self._shape)
            self._version = self.graph.version
        return self._shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._shape)

    @property
    def number_shape(self) -> tuple[int, ...]:
        """Its shape at the graph's own sizes."""
        return tuple(s.at(self.graph.env) for s in self.shape)

    def __repr__(self) -> str:
        inner = ", ".join(f"%{i.number}" for i in self.inputs)
        more = f" {self.params}" if self.params and self.op != "const" else ""
        return f"<%{self.number} = {self.op}({inner}){more} {show(self.shape)}>"


class Graph:
    """Nodes in an order in which inputs come first, and the sizes of their axes.

    env : axis → its size where the graph was made.
    axes : axis → the size that it turned out to be (another axis, 1, a polynomial).
    conditions : pairs of sizes that had to be equal, in the order in which that was met.
    on_condition : told of each new pair, by the one who knows where in the code it was met.
    """

    def __init__(self, env: Mapping[str, int] | None = None) -> None:
        self.env: dict[str, int] = dict(env or {})
        self.axes: dict[str, Size] = {}
        self.version = 0
        self.nodes: list[Node] = []
        self.conditions: list[tuple[Size, Size]] = []
        self.on_condition: Callable[[Size, Size], None] | None = None
        self._known: dict[tuple[Any, ...], Node] = {}

    # -- sizes ---------------------------------------------------------------------------------

    def axis(self, name: str, size: int) -> Size:
        """A new named axis; the same name must have the same size."""
        if self.env.setdefault(name, size) != size:
            raise ShapeError(f"the axis {name} has the sizes {self.env[name]} and {size}")
        return Size.axis(name)

    def size(self, size: Size) -> Size:
        """A size in the axes that are left."""
        return size.put(self.axes) if self.axes else size

    def same(self, a: Size, b: Size, what: str = "sizes") -> Size:
        """The size that a and b both are; makes them one.

        Raises ShapeError where they differ at the graph's own sizes.
        """
        a, b = self.size(a), self.size(b)
        if a == b:
            return a
        if a.at(self.env) != b.at(self.env):
            raise ShapeError(
                f"{what}: {a} = {a.at(self.env)} and {b} = {b.at(self.env)} are not equal"
            )
        self.conditions.append((a, b))
        if self.on_condition is not None:
            self.on_condition(a, b)
        self._solve(a, b)
        return self.size(a)

    def pin(self, size: Size) -> int:
        """Fix a size at the number that it is here."""
        size = self.size(size)
        value = size.at(self.env)
        self.same(size, Size.of(value))
        for name in sorted(self.size(size).names):  # a product, or a sum: fix each axis
            self.same(Size.axis(name), Size.of(self.env[name]))
        return value

    def _solve(self, a: Size, b: Size) -> None:
        rest = a - b
        # axes that nobody named go first; theirs have a dot
        for monomial, c in sorted(rest.terms, key=lambda t: ("." not in "".join(t[0]), t)):
            if len(monomial) == 1 and abs(c) == 1:
                others = rest - Size({monomial: c})
                if monomial[0] not in others.names:
                    self._bind(monomial[0], others * -c)
                    return
        for name in sorted(rest.names):
            self._bind(name, Size.of(self.env[name]))

    def _bind(self, name: str, size: Size) -> None:
        self.version += 1
        self.axes = {k: v.put({name: size}) for k, v in self.axes.items()}
        self.axes[name] = size

    def stretched(self, *shapes: Shape) -> Shape:
        """The shape that shapes broadcast to, as NumPy does it."""
        out: list[Size] = []
        for back in range(1, max((len(s) for s in shapes), default=0) + 1):
            size = Size.of(1)
            for shape in shapes:
                if back <= len(shape):
                    size = self._stretch(size, self.size(shape[-back]))
            out.append(size)
        return tuple(self.size(s) for s in reversed(out))

    def _stretch(self, a: Size, b: Size) -> Size:
        if a == b or b == 1:
            return a
        if a == 1:
            return b
        x, y = a.at(self.env), b.at(self.env)
        if x != y and 1 in (x, y):
            self.pin(a if x == 1 else b)
            return b if x == 1 else a
        return self.same(a, b, "broadcasting")

    # -- nodes ---------------------------------------------------------------------------------

    def make(
        self,
        op: str,
        inputs: Sequence[Node],
        params: tuple[Any, ...],
        shape: Shape,
        kind: Kind,
    ) -> Node:
        """The node of an operation; equal operations are one node."""
        key = (op, params, kind, *(i.number for i in inputs))
        known = self._known.get(key)
        if known is None:
            settled = tuple(map(self.size, shape))
            known = Node(self, op, tuple(inputs), params, settled, kind)
            self._known[key] = known
            self.nodes.append(known)
        return known

    def input(self, name: str, shape: Shape, kind: Kind = "f") -> Node:
        """An array of the user's."""
        return self.make("input", (), (name,), shape, kind)

    def number(self, value: int | Fraction | float | str) -> Node:
        """A constant scalar: an exact number, "pi" or "e", ±∞, or a float that means a real
        ±4 ulp."""
        if isinstance(value, str):
            return self.make("const", (), ("named", value), (), "f")
        if isinstance(value, float) and isinf(value):
            return self.make("const", (), ("infinite", 1 if value > 0 else -1), (), "f")
        if isinstance(value, float):
            return self.make("const", (), ("near", value.hex()), (), "f")
        exact = Fraction(value)
        kind: Kind = "i" if exact.denominator == 1 and not isinstance(value, Fraction) else "f"
        return self.make("const", (), ("number", exact), (), kind)

    def array(self, value: np.ndarray) -> Node:
        """A constant array, by its exact bytes; where it is ±∞, it says so by a `select`."""
        value = np.asarray(value)
        if value.dtype.kind == "f" and np.isinf(value).any():
            node = self.array(np.where(np.isinf(value), 0.0, value))
            for end in (inf, -inf):
                if (value == end).any():
                    node = self.select(self.array(value == end), self.number(end), node)
            return node
        kind: Kind = "b" if value.dtype.kind == "b" else "i" if value.dtype.kind in "iu" else "f"
        dtype = {"b": np.bool_, "i": np.int64, "f": np.float64}[kind]
        exact: np.ndarray = value.astype(dtype, order="C")
        params = ("array", value.shape, exact.tobytes())
        return self.make("const", (), params, tuple(Size.of(n) for n in value.shape), kind)

    def sized(self, size: int | Size) -> Node:
        """A size as a number."""
        size = self.size(Size.of(size))
        if size.const is not None:
            return self.number(size.const)
        return self.make("size", (), (size,), (), "i")

    def iota(self, length: int | Size) -> Node:
        """0, 1, …, length − 1."""
        length = self.size(Size.of(length))
        return self.make("iota", (), (length,), (length,), "i")

    def delta(self, rows: int | Size, columns: int | Size, k: int = 0) -> Node:
        """A matrix with 1 where column − row = k, and 0 elsewhere."""
        rows, columns = self.size(Size.of(rows)), self.size(Size.of(columns))
        return self.make("delta", (), (rows, columns, k), (rows, columns), "f")

    # -- elementwise ---------------------------------------------------------------------------

    def elementwise(self, op: str, *inputs: Node, params: tuple[Any, ...] = ()) -> Node:
        """Any elementwise operation or function by name, broadcast."""
        shape = self.stretched(*(i.shape for i in inputs))
        return self.make(op, inputs, params, shape, self._kind(op, inputs, params))

    def _kind(self, op: str, inputs: Sequence[Node], params: tuple[Any, ...]) -> Kind:
        if op in ("less", "equal", "not", "and"):
            return "b"
        kinds = [i.kind for i in (inputs[1:] if op == "select" else inputs)]
        if op == "floor" or "f" in kinds:
            return "f"
        if op == "power":
            whole = params[0].denominator == 1 and params[0] >= 0
            return "i" if whole else "f"
        if op in ("add", "mul", "neg"):
            return "i"
        if op == "select" or (op in FUNCTIONS and FUNCTIONS[op].keeps_kind):
            return "b" if set(kinds) == {"b"} else "i"
        return "f"

    def add(self, a: Node, b: Node) -> Node:
        """a + b."""
        return self.elementwise("add", a, b)

    def sub(self, a: Node, b: Node) -> Node:
        """a − b, as a + (−b): the sign is exact."""
        return self.add(a, self.neg(b))

    def mul(self, a: Node, b: Node) -> Node:
        """a·b, elementwise."""
        return self.elementwise("mul", a, b)

    def div(self, a: Node, b: Node) -> Node:
        """a/b."""
        return self.elementwise("div", a, b)

    def neg(self, a: Node) -> Node:
        """−a."""
        return self.elementwise("neg", a)

    def power(self, a: Node, exponent: int | Fraction) -> Node:
        """a to a constant rational power."""
        return self.elementwise("power", a, params=(Fraction(exponent),))

    def call(self, name: str, *inputs: Node, order: int | None = None) -> Node:
        """An elementwise function of `graph.functions` by name."""
        if len(inputs) != FUNCTIONS[name].arity:
            raise ShapeError(f"{name} takes {FUNCTIONS[name].arity} inputs, not {len(inputs)}")
        return self.elementwise(name, *inputs, params=() if order is None else (order,))

    def less(self, a: Node, b: Node) -> Node:
        """1 where a < b, else 0."""
        return self.elementwise("less", a, b)

    def less_equal(self, a: Node, b: Node) -> Node:
        """1 where a ≤ b, else 0."""
        return self.not_(self.less(b, a))

    def equal(self, a: Node, b: Node) -> Node:
        """1 where a = b, else 0."""
        return self.elementwise("equal", a, b)

    def not_(self, c: Node) -> Node:
        """1 − c, for c of kind "b"."""
        return self.elementwise("not", c)

    def and_(self, a: Node, b: Node) -> Node:
        """Both, for kind "b"."""
        return self.elementwise("and", a, b)

    def or_(self, a: Node, b: Node) -> Node:
        """One at least, for kind "b"."""
        return self.not_(self.and_(self.not_(a), self.not_(b)))

    def select(self, c: Node, a: Node, b: Node) -> Node:
        """a where c, else b."""
        return self.elementwise("select", c, a, b)

    def expanded(self, node: Node) -> Node:
        """A defined function as its primitives (one level); a primitive as it is."""
        define = FUNCTIONS[node.op].define if node.op in FUNCTIONS else None
        return node if define is None else define(self, *node.inputs)

    # -- sums and shapes -----------------------------------------------------------------------

    def contract(self, labels: Sequence[Sequence[int]], out: Sequence[int], *inputs: Node) -> Node:
        """Σ over the labels that `out` leaves out, of the product of the inputs.

        labels : one label for each axis of each input; a label twice in one input is a diagonal.
        """
        sizes: dict[int, Size] = {}
        for names, node in zip(labels, inputs, strict=True):
            for label, size in zip(names, node.shape, strict=True):
                sizes[label] = self.same(sizes.get(label, size), size, "a sum over a shared axis")
        numbered = {label: k for k, label in enumerate(dict.fromkeys(x for n in labels for x in n))}
        params = (
            tuple(tuple(numbered[x] for x in n) for n in labels),
            tuple(numbered[x] for x in out),
        )
        shape = tuple(self.size(sizes[x]) for x in out)
        kind: Kind = "f" if any(i.kind == "f" for i in inputs) else "i"
        if len(inputs) == 1 and len(out) == inputs[0].ndim:
            kind = inputs[0].kind  # a transposition
        return self.make("contract", inputs, params, shape, kind)

    def einsum(self, subscripts: str, *inputs: Node) -> Node:
        """`contract` in NumPy's letters, without an ellipsis: ``ij,jk->ik``."""
        left, out = subscripts.replace(" ", "").split("->")
        labels = [[ord(c) for c in part] for part in left.split(",")]
        return self.contract(labels, [ord(c) for c in out], *inputs)

    def sum(self, x: Node, axes: Iterable[int]) -> Node:
        """The sum over axes, which go."""
        gone = {a % x.ndim for a in axes}
        return self.contract([range(x.ndim)], [a for a in range(x.ndim) if a not in gone], x)

    def transpose(self, x: Node, order: Sequence[int] | None = None) -> Node:
        """The axes in another order; reversed if none is given."""
        order = list(reversed(range(x.ndim))) if order is None else list(order)
        return self.contract([range(x.ndim)], order, x)

    def reshape(self, x: Node, shape: Sequence[int | Size]) -> Node:
        """The entries in row-major order in another shape."""
        wanted = tuple(self.size(Size.of(s)) for s in shape)
        self.same(product(x.shape), product(wanted), "reshape")
        return self.make("reshape", (x,), (wanted,), tuple(map(self.size, wanted)), x.kind)

    def broadcast(self, x: Node, shape: Sequence[int | Size]) -> Node:
        """Stretched to a shape."""
        wanted = tuple(self.size(Size.of(s)) for s in shape)
        full = self.stretched(x.shape, wanted)
        if len(full) != len(wanted):
            raise ShapeError(f"{show(x.shape)} cannot be broadcast to {show(wanted)}")
        for a, b in zip(full, wanted, strict=True):
            self.same(a, b, "broadcasting")
        return self.make("broadcast", (x,), (wanted,), tuple(map(self.size, wanted)), x.kind)

    def full(self, value: int | Fraction, shape: Sequence[int | Size], kind: Kind = "f") -> Node:
        """An array of one number."""
        number = Fraction(value) if kind == "f" else int(value)
        return self.broadcast(self.number(number), shape)

    def index(self, x: Node, spec: Spec) -> Node:
        """x at a spec: one ("at", i) or ("cut", first, step, length) for each axis."""
        return self.make("index", (x,), (spec,), self.cut_shape(spec), x.kind)

    def put(self, base: Node, value: Node, spec: Spec) -> Node:
        """A copy of base with base[spec] = value; value has the shape that is written."""
        for a, b in zip(value.shape, self.cut_shape(spec), strict=True):
            self.same(a, b, "an assignment")
        return self.make("put", (base, value), (spec,), base.shape, _joined(base, value))

    def cut_shape(self, spec: Spec) -> Shape:
        """The shape of what a spec takes."""
        return tuple(self.size(part[3]) for part in spec if part[0] == "cut")

    def whole(self, x: Node) -> list[At | Cut]:
        """The spec that takes everything."""
        return [("cut", Size.of(0), 1, n) for n in x.shape]

    def gather(self, x: Node, *indices: Node) -> Node:
        """x[i, j, …]: the leading axes by index arrays of one shape; negative: from the end."""
        shape = (*indices[0].shape, *x.shape[len(indices) :])
        return self.make("gather", (x, *indices), (), shape, x.kind)

    def scatter_add(self, g: Node, leading: Sequence[int | Size], *indices: Node) -> Node:
        """Zeros of shape (*leading, …), with g added at i, j, …; the transpose of `gather`."""
        sizes = tuple(Size.of(s) for s in leading)
        shape = (*sizes, *g.shape[indices[0].ndim :])
        kind: Kind = "i" if g.kind == "b" else g.kind
        return self.make("scatter_add", (g, *indices), (sizes,), shape, kind)

    def put_at(self, base: Node, value: Node, *indices: Node) -> Node:
        """A copy of base with base[i, j, …] = value; the positions must be different ones."""
        return self.make("put_at", (base, value, *indices), (), base.shape, _joined(base, value))

    def concat(self, parts: Sequence[Node], axis: int) -> Node:
        """Arrays one after another along an axis."""
        first, total = parts[0], Size.of(0)
        for part in parts:
            for k, (a, b) in enumerate(zip(first.shape, part.shape, strict=True)):
                if k != axis:
                    self.same(a, b, "concatenation")
            total = total + part.shape[axis]
        shape = (*first.shape[:axis], total, *first.shape[axis + 1 :])
        return self.make("concat", tuple(parts), (axis,), shape, _joined(*parts))

    def reduce(self, op: str, x: Node, axes: Iterable[int]) -> Node:
        """reduce_mul or reduce_max over axes, which go."""
        gone = tuple(sorted({a % x.ndim for a in axes}))
        shape = tuple(s for a, s in enumerate(x.shape) if a not in gone)
        return self.make(op, (x,), (gone,), shape, x.kind)

    # -- linear algebra ------------------------------------------------------------------------

    def _square(self, a: Node) -> None:
        if a.ndim < 2:
            raise ShapeError(f"a square matrix is needed, and this has the shape {show(a.shape)}")
        self.same(a.shape[-1], a.shape[-2], "a square matrix")

    def solve(self, a: Node, b: Node) -> Node:
        """A⁻¹B for A (…, n, n) and B (…, n, k), with the same leading axes."""
        self._square(a)
        for x, y in zip(a.shape[:-1], b.shape[:-1], strict=True):
            self.same(x, y, "solve")
        return self.make("solve", (a, b), (), b.shape, "f")

    def det(self, a: Node) -> Node:
        """The determinant of A (…, n, n)."""
        self._square(a)
        return self.make("det", (a,), (), a.shape[:-2], "f")

    def logdet(self, a: Node) -> Node:
        """log |det A| of A (…, n, n)."""
        self._square(a)
        return self.make("logdet", (a,), (), a.shape[:-2], "f")

    # -- the whole -----------------------------------------------------------------------------

    def remade(self, node: Node, inputs: Sequence[Node], target: Graph | None = None) -> Node:
        """The same operation on other inputs, which may have other shapes; in `target` if given."""
        g = self if target is None else target
        p, xs = node.params, list(inputs)
        params = tuple(_settled(self, x) for x in p)
        if node.op in LEAVES:
            return g.make(node.op, (), params, tuple(map(self.size, node.shape)), node.kind)
        if node.op == "floor":  # of integers it stays one
            return g.make("floor", xs, (), tuple(map(g.size, xs[0].shape)), node.kind)
        if node.op in FUNCTIONS or node.op in ELEMENTWISE:
            return g.elementwise(node.op, *xs, params=p)
        if node.op == "contract":
            return g.contract(p[0], p[1], *xs)
        if node.op == "concat":
            return g.concat(xs, p[0])
        if node.op in ("reduce_mul", "reduce_max"):
            return g.reduce(node.op, xs[0], p[0])
        if node.op == "put":
            return g.put(xs[0], xs[1], params[0])
        if node.op in ("reshape", "broadcast", "index"):
            return getattr(g, node.op)(xs[0], params[0])  # type: ignore[no-any-return]
        if node.op == "scatter_add":
            return g.scatter_add(xs[0], params[0], *xs[1:])
        return getattr(g, node.op)(*xs)  # type: ignore[no-any-return]

    def settled(self, outputs: Sequence[Node]) -> tuple[Graph, list[Node]]:
        """The same graph with only the axes that are left and the nodes that outputs need."""
        left = {n for n in self.env if n not in self.axes}
        new = Graph({name: size for name, size in self.env.items() if name in left})
        put: dict[Node, Node] = {}
        for node in reached(outputs):
            put[node] = self.remade(node, [put[i] for i in node.inputs], new)
        return new, [put[o] for o in outputs]


def _joined(*nodes: Node) -> Kind:
    kinds = {n.kind for n in nodes}
    return "f" if "f" in kinds else "i" if "i" in kinds else "b"


def _settled(graph: Graph, param: Any) -> Any:
    if isinstance(param, Size):
        return graph.size(param)
    if isinstance(param, tuple):
        return tuple(_settled(graph, p) for p in param)
    return param


def reached(outputs: Iterable[Node]) -> Iterator[Node]:
    """Every node that the outputs need, inputs before what uses them."""
    seen: dict[int, Node] = {}
    todo = list(outputs)
    while todo:
        node = todo.pop()
        if node.number not in seen:
            seen[node.number] = node
            todo.extend(node.inputs)
    return iter([seen[n] for n in sorted(seen)])


def constant(node: Node) -> Any:
    """The number or array of a const node: a Fraction, a float, or a NumPy array."""
    how = node.params[0]
    if how == "number":
        return node.params[1]
    if how == "named":
        return {"pi": np.pi, "e": np.e, "euler_gamma": np.euler_gamma}[node.params[1]]
    if how == "near":
        return float.fromhex(node.params[1])
    if how == "infinite":
        return inf * node.params[1]
    dtype = {"b": np.bool_, "i": np.int64, "f": np.float64}[node.kind]
    return np.frombuffer(node.params[2], dtype).reshape(node.params[1])


def slices(spec: Spec, sizes: Mapping[str, int]) -> tuple[int | slice, ...]:
    """A spec as what NumPy indexes with, at given sizes of the axes."""
    out: list[int | slice] = []
    for part in spec:
        first = part[1].at(sizes)
        if part[0] == "at":
            out.append(first)
            continue
        step, length = part[2], part[3].at(sizes)
        stop: int | None = first + step * length
        if stop is not None and stop < 0:
            stop = None
        out.append(slice(first, stop, step) if length > 0 else slice(0, 0, 1))
    return tuple(out)


def count(shape: Shape, sizes: Mapping[str, int]) -> int:
    """How many entries a shape has at given sizes."""
    return prod(s.at(sizes) for s in shape)


def bind_sizes(
    inputs: Mapping[str, Node],
    shapes: Mapping[str, tuple[int, ...]],
    given: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """The size of every axis from the shapes of the inputs, and those given.

    Raises ShapeError naming the input whose shape does not fit.
    """
    sizes: dict[str, int] = dict(given or {})
    later: list[tuple[str, Size, int]] = []
    for name, node in inputs.items():
        shape = shapes[name]
        if len(shape) != node.ndim:
            raise ShapeError(f"{name} has the shape {shape}; it needs {show(node.shape)}")
        for size, n in zip(node.shape, shape, strict=True):
            if size.name is None:
                later.append((name, size, n))
            elif sizes.setdefault(size.name, n) != n:
                raise ShapeError(
                    f"{name} has the shape {shape}; it needs {show(node.shape)}, and "
                    f"{size.name} is {sizes[size.name]} already"
                )
    for name, size, n in later:
        missing = size.names - sizes.keys()
        if missing:
            raise ShapeError(f"{name}: the size {size} does not tell {min(missing)}")
        if size.at(sizes) != n:
            raise ShapeError(
                f"{name} has the shape {shapes[name]}; it needs "
                f"{show(inputs[name].shape)}, where {size} is {size.at(sizes)}"
            )
    return sizes
