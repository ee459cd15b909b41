"""The derivative of every primitive: one rule for cotangents, one for tangents.

Elementwise operations have slopes (`graph.slopes`). The others are linear in each input, or a
product or a largest entry, and have a pair of rules each. A cotangent may have more axes in front
than the value (`extra` of them): a whole Jacobian goes back at once.

The product of the others, which reduce_mul needs, is never a quotient: up to `UNROLLED` entries it
is built of the products before and after each, beyond that (or where the number is a symbol) as the
product of a square in which the diagonal is 1. So it is right where entries are 0, and its own
derivatives are too. The largest entry passes its derivative on in equal shares to all that are it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chainrule.graph.derivative.simplify import Lean
from chainrule.graph.derivative.slopes import elementwise_back, elementwise_push
from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.infinite import endless
from chainrule.graph.node import At, Cut, Node
from chainrule.graph.sizes import Shape, Size, product

#: (lean, node, cotangent of the node, number of extra axes, which inputs) → one for each of these.
Pullback = Callable[[Lean, Node, Node, int, Sequence[int]], list[Node | None]]
#: (lean, node, tangents of its inputs, None where zero) → tangent of the node.
Pushforward = Callable[[Lean, Node, Sequence[Node | None]], Node | None]

#: How many factors a product over axes is written out for.
UNROLLED = 12

# -- sums, shapes ------------------------------------------------------------------------------


def to_end(lean: Lean, x: Node, extra: int) -> Node:
    """The extra axes last."""
    return lean.transpose(x, [*range(extra, x.ndim), *range(extra)]) if extra else x


def to_front(lean: Lean, x: Node, extra: int) -> Node:
    """The extra axes, which are last, first."""
    n = x.ndim - extra
    return lean.transpose(x, [*range(n, x.ndim), *range(n)]) if extra else x


def whole(shape: Shape) -> tuple[At | Cut, ...]:
    """The spec that takes everything."""
    return tuple(("cut", Size.of(0), 1, n) for n in shape)


def _contract_back(
    lean: Lean, node: Node, bar: Node, extra: int, wanted: Sequence[int]
) -> list[Node | None]:
    labels, out = node.params
    top = 1 + max((label for names in labels for label in names), default=-1)
    lead = tuple(range(top, top + extra))
    results: list[Node | None] = []
    for k in wanted:
        x, names = node.inputs[k], labels[k]
        others = [j for j in range(len(node.inputs)) if j != k]
        given = {*out, *(label for j in others for label in labels[j])}
        first = tuple(dict.fromkeys(names))
        kept = tuple(n for n in first if n in given)
        t = lean.contract(
            [(*lead, *out), *(labels[j] for j in others)],
            (*lead, *kept),
            bar,
            *(node.inputs[j] for j in others),
        )
        sizes = dict(zip(names, x.shape, strict=True))
        if kept != first:
            ones = [sizes[n] if n in given else Size.of(1) for n in first]
            t = lean.reshape(t, [*bar.shape[:extra], *ones])
            t = lean.broadcast(t, [*bar.shape[:extra], *(sizes[n] for n in first)])
        if len(first) < len(names):  # a diagonal was taken
            new, units = list(names), []
            for at, name in enumerate(names):
                if name in names[:at]:
                    new[at] = top + extra + at
                    units.append((lean.graph.delta(sizes[name], sizes[name]), (name, new[at])))
            t = lean.contract(
                [(*lead, *first), *(n for _, n in units)], (*lead, *new), t, *(u for u, _ in units)
            )
        results.append(t)
    return results


def _contract_push(lean: Lean, node: Node, dots: Sequence[Node | None]) -> Node | None:
    total: Node | None = None
    for k, dot in enumerate(dots):
        if dot is not None:
            xs = [*node.inputs[:k], dot, *node.inputs[k + 1 :]]
            t = lean.contract(*node.params, *xs)
            total = t if total is None else lean.add(total, t)
    return total


def _reshape_back(
    lean: Lean, node: Node, bar: Node, extra: int, wanted: Sequence[int]
) -> list[Node | None]:
    return [lean.reshape(bar, (*bar.shape[:extra], *node.inputs[0].shape))]


def _broadcast_back(
    lean: Lean, node: Node, bar: Node, extra: int, wanted: Sequence[int]
) -> list[Node | None]:
    return [lean.unbroadcast(bar, node.inputs[0].shape, extra)]


def _index_back(
    lean: Lean, node: Node, bar: Node, extra: int, wanted: Sequence[int]
) -> list[Node | None]:
    lead = bar.shape[:extra]
    zeros = lean.zeros((*lead, *node.inputs[0].shape))
    return [lean.put(zeros, bar, (*whole(lead), *node.params[0]))]


def _put_back(
    lean: Lean, node: Node, bar: Node, extra: int, wanted: Sequence[int]
) -> list[Node | None]:
    lead = bar.shape[:extra]
    spec = (*whole(lead), *node.params[0])
    hole = lean.zeros((*lead, *node.inputs[1].shape))
    return [lean.put(bar, hole, spec) if k == 0 else lean.index(bar, spec) for k in wanted]


def _gather_back(
    lean: Lean, node: Node, bar: Node, extra: int, wanted: Sequence[int]
) -> list[Node | None]:
    x, where = node.inputs[0], node.inputs[1:]
    t = lean.scatter_add(to_end(lean, bar, extra), x.shape[: len(where)], *where)
    return [to_front(lean, t, extra)]


def _scatter_back(
    lean: Lean, node: Node, bar: Node, extra: int, wanted: Sequence[int]
) -> list[Node | None]:
    t = lean.gather(to_end(lean, bar, extra), *node.inputs[1:])
    return [to_front(lean, t, extra)]


def _put_at_back(
    lean: Lean, node: Node, bar: Node, extra: int, wanted: Sequence[int]
) -> list[Node | None]:
    value, where = node.inputs[1], node.inputs[2:]
    moved, out = to_end(lean, bar, extra), []
    hole = lean.zeros((*where[0].shape, *moved.shape[len(where) :]))
    for k in wanted:
        if k == 0:
            out.append(to_front(lean, lean.put_at(moved, hole, *where), extra))
        else:
            t = to_front(lean, lean.gather(moved, *where), extra)
            out.append(lean.unbroadcast(t, value.shape, extra))
    return list(out)


def _concat_back(
    lean: Lean, node: Node, bar: Node, extra: int, wanted: Sequence[int]
) -> list[Node | None]:
    axis, first = node.params[0], [Size.of(0)]
    for x in node.inputs:
        first.append(first[-1] + x.shape[axis])
    out: list[Node | None] = []
    for k in wanted:
        spec: list[At | Cut] = list(whole(bar.shape))
        spec[extra + axis] = ("cut", first[k], 1, node.inputs[k].shape[axis])
        out.append(lean.index(bar, tuple(spec)))
    return out


# -- products and largest entries --------------------------------------------------------------


def spread(lean: Lean, x: Node, like: Shape, axes: Sequence[int], extra: int = 0) -> Node:
    """What a reduction over axes gave, back over these axes."""
    lead = x.shape[:extra]
    ones = [Size.of(1) if k in axes else n for k, n in enumerate(like)]
    return lean.broadcast(lean.reshape(x, (*lead, *ones)), (*lead, *like))


def others(lean: Lean, x: Node, axes: Sequence[int]) -> Node:
    """For each entry, the product over axes of all others."""
    rest = [k for k in range(x.ndim) if k not in axes]
    order = [*rest, *axes]
    lead = tuple(x.shape[k] for k in rest)
    n = lean.graph.size(product(x.shape[k] for k in axes))
    line = lean.reshape(lean.transpose(x, order), (*lead, n))
    if n.const is not None and n.const <= UNROLLED:
        result = _unrolled(lean, line, lead, n.const)
    else:
        i = lean.graph.iota(n)
        on = lean.graph.equal(lean.graph.reshape(i, (n, 1)), lean.graph.reshape(i, (1, n)))
        row = lean.reshape(line, (*lead, 1, n))
        square = lean.broadcast(lean.select(on, lean.number(1), row), (*lead, n, n))
        result = lean.reduce("reduce_mul", square, [len(lead) + 1])
    result = lean.reshape(result, [x.shape[k] for k in order])
    return lean.transpose(result, [order.index(k) for k in range(x.ndim)])


def _unrolled(lean: Lean, line: Node, lead: Shape, n: int) -> Node:
    if n == 0:
        return lean.zeros((*lead, 0))
    items = [lean.index(line, (*whole(lead), ("at", Size.of(k)))) for k in range(n)]
    before, after = [lean.full(1, lead)], [lean.full(1, lead)]
    for k in range(n - 1):
        before.append(lean.mul(before[-1], items[k]))
        after.append(lean.mul(items[n - 1 - k], after[-1]))
    parts = [lean.mul(before[k], after[n - 1 - k]) for k in range(n)]
    return lean.concat([lean.reshape(p, (*lead, 1)) for p in parts], len(lead))


def _reduce_mul_back(
    lean: Lean, node: Node, bar: Node, extra: int, wanted: Sequence[int]
) -> list[Node | None]:
    x, axes = node.inputs[0], node.params[0]
    return [lean.mul(spread(lean, bar, x.shape, axes, extra), others(lean, x, axes))]


def _reduce_mul_push(lean: Lean, node: Node, dots: Sequence[Node | None]) -> Node | None:
    x, axes, dot = node.inputs[0], node.params[0], dots[0]
    return None if dot is None else lean.sum(lean.mul(dot, others(lean, x, axes)), axes)


def _largest(lean: Lean, node: Node) -> tuple[Node, Node]:
    """Where the entries are the largest, and how many are."""
    x, axes = node.inputs[0], node.params[0]
    on = lean.equal(x, spread(lean, node, x.shape, axes))
    kept = [k for k in range(x.ndim) if k not in axes]
    return on, lean.graph.contract([range(x.ndim)], kept, on)


def _reduce_max_back(
    lean: Lean, node: Node, bar: Node, extra: int, wanted: Sequence[int]
) -> list[Node | None]:
    x, axes = node.inputs[0], node.params[0]
    on, many = _largest(lean, node)
    share = spread(lean, lean.div(bar, many), x.shape, axes, extra)
    return [lean.select(on, share, lean.number(0))]


def _reduce_max_push(lean: Lean, node: Node, dots: Sequence[Node | None]) -> Node | None:
    if dots[0] is None:
        return None
    on, many = _largest(lean, node)
    picked = lean.select(on, dots[0], lean.number(0))
    return lean.div(lean.sum(picked, node.params[0]), many)


# -- linear algebra ----------------------------------------------------------------------------


def turned(lean: Lean, a: Node) -> Node:
    """The last two axes in turn."""
    return lean.transpose(a, [*range(a.ndim - 2), a.ndim - 1, a.ndim - 2])


def inverse_transposed(lean: Lean, a: Node) -> Node:
    """A⁻ᵀ, for batches of matrices."""
    unit = lean.graph.delta(a.shape[-1], a.shape[-1])
    return lean.solve(turned(lean, a), lean.broadcast(unit, a.shape))


def _solve_back(
    lean: Lean, node: Node, bar: Node, extra: int, wanted: Sequence[int]
) -> list[Node | None]:
    a = node.inputs[0]
    lead, batch = bar.shape[:extra], node.shape[:-2]
    n, k = node.shape[-2:]
    if extra:  # all columns of all cotangents at once
        flat = lean.reshape(to_end(lean, bar, extra), (*batch, n, k * product(lead)))
        t = lean.solve(turned(lean, a), flat)
        t = to_front(lean, lean.reshape(t, (*batch, n, k, *lead)), extra)
    else:
        t = lean.solve(turned(lean, a), bar)
    e, b = tuple(range(extra)), tuple(range(extra, extra + len(batch)))
    i, j, c = range(extra + len(batch), extra + len(batch) + 3)
    out: list[Node | None] = []
    for which in wanted:
        if which == 1:
            out.append(t)
        else:
            labels = [(*e, *b, i, c), (*b, j, c)]
            out.append(lean.neg(lean.contract(labels, (*e, *b, i, j), t, node)))
    return out


def _solve_push(lean: Lean, node: Node, dots: Sequence[Node | None]) -> Node | None:
    a, rhs = node.inputs[0], dots[1]
    if dots[0] is not None:
        b = tuple(range(node.ndim - 2))
        i, j, c = range(len(b), len(b) + 3)
        moved = lean.neg(lean.contract([(*b, i, j), (*b, j, c)], (*b, i, c), dots[0], node))
        rhs = moved if rhs is None else lean.add(rhs, moved)
    return None if rhs is None else lean.solve(a, rhs)


def _det_back(
    lean: Lean, node: Node, bar: Node, extra: int, wanted: Sequence[int]
) -> list[Node | None]:
    a = node.inputs[0]
    scale = lean.mul(bar, node) if node.op == "det" else bar
    scale = lean.reshape(scale, (*bar.shape, 1, 1))
    return [
        lean.broadcast(lean.mul(scale, inverse_transposed(lean, a)), (*bar.shape[:extra], *a.shape))
    ]


def _det_push(lean: Lean, node: Node, dots: Sequence[Node | None]) -> Node | None:
    a, dot = node.inputs[0], dots[0]
    if dot is None:
        return None
    b = tuple(range(node.ndim))
    m = (*b, len(b), len(b) + 1)
    t = lean.contract([m, m], b, inverse_transposed(lean, a), dot)
    return lean.mul(node, t) if node.op == "det" else t


# -- linear in each place ----------------------------------------------------------------------


def _kept(op: str) -> Pushforward:
    """The operation itself, on the tangents of what is no index; zeros for those that are none."""

    def push(lean: Lean, node: Node, dots: Sequence[Node | None]) -> Node | None:
        xs = node.inputs
        if op == "reshape":
            return lean.reshape(dots[0], node.shape) if dots[0] is not None else None
        if op == "broadcast":
            return lean.broadcast(dots[0], node.shape) if dots[0] is not None else None
        count = {"put": 2, "put_at": 2, "concat": len(xs)}.get(op, 1)
        filled = [
            lean.zeros(x.shape) if d is None else d
            for x, d in zip(xs[:count], dots[:count], strict=True)
        ]
        if op == "index":
            return lean.index(filled[0], node.params[0])
        if op == "put":
            return lean.put(filled[0], filled[1], node.params[0])
        if op == "gather":
            return lean.gather(filled[0], *xs[1:])
        if op == "scatter_add":
            return lean.scatter_add(filled[0], node.shape[: len(xs) - 1], *xs[1:])
        if op == "put_at":
            return lean.put_at(filled[0], filled[1], *xs[2:])
        return lean.concat(filled, node.params[0])

    return push


PULLBACKS: dict[str, Pullback] = {
    "contract": _contract_back,
    "reshape": _reshape_back,
    "broadcast": _broadcast_back,
    "index": _index_back,
    "put": _put_back,
    "gather": _gather_back,
    "scatter_add": _scatter_back,
    "put_at": _put_at_back,
    "concat": _concat_back,
    "reduce_mul": _reduce_mul_back,
    "reduce_max": _reduce_max_back,
    "solve": _solve_back,
    "det": _det_back,
    "logdet": _det_back,
    **{op: elementwise_back for op in ("add", "mul", "div", "neg", "power", "select")},
    **{op: elementwise_back for op in FUNCTIONS},
}
PUSHFORWARDS: dict[str, Pushforward] = {
    "contract": _contract_push,
    "reduce_mul": _reduce_mul_push,
    "reduce_max": _reduce_max_push,
    "solve": _solve_push,
    "det": _det_push,
    "logdet": _det_push,
    **{op: _kept(op) for op in ("reshape", "broadcast", "index", "put", "gather")},
    **{op: _kept(op) for op in ("scatter_add", "put_at", "concat")},
    **{op: elementwise_push for op in ("add", "mul", "div", "neg", "power", "select")},
    **{op: elementwise_push for op in FUNCTIONS},
}


def kinks(node: Node, switches: Sequence[bool]) -> list[str]:
    """Where an operation has no derivative; {0}, {1} stand for its inputs.

    switches : for each input, whether it is a condition or an integer that depends on a variable.
    """
    if any(map(endless, node.inputs)):  # no real number meets ∞
        return []
    found = [f"where {{{k}}} switches" for k, on in enumerate(switches) if on and node.kind == "f"]
    if node.op in FUNCTIONS and FUNCTIONS[node.op].singular:
        found.append(FUNCTIONS[node.op].singular)
    if node.op == "power" and 0 < node.params[0] < 1:
        found.append("{0} = 0")
    if node.op == "reduce_max":
        found.append("more than one largest entry in {0}")
    if node.op == "floor":
        found.append("{0} a whole number")
    if node.op == "det":
        found.append("det {0} = 0")  # the formula's, not the function's
    return found
