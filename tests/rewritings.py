"""Other ways to write a node of a graph: the same function, or a near miss of it.

A rule takes the graph, one node, a source of chance and other nodes, and gives a node to stand in
its place, or None where it does not fit. `TRUE` rules give the same real function wherever both are
defined; `MISSES` are what people get wrong, and now and then change nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from chainrule.graph.node import Graph, Node, reached
from chainrule.graph.sizes import Size

Rule = Callable[[Graph, Node, random.Random, Sequence[Node]], Node | None]
SLIGHT = Fraction(10**9 + 1, 10**9)


def like(node: Node, rnd: random.Random, others: Sequence[Node]) -> Node | None:
    """Another real node of the same shape."""
    found = [o for o in others if o is not node and o.shape == node.shape and o.kind == "f"]
    return rnd.choice(found) if found else None


def entries(g: Graph, node: Node) -> Node | None:
    """Two halves along the first axis, put together again."""
    if not node.ndim or node.number_shape[0] < 2:
        return None
    whole, n = g.whole(node)[1:], node.shape[0]
    head = g.index(node, (("cut", Size.of(0), 1, Size.of(1)), *whole))
    tail = g.index(node, (("cut", Size.of(1), 1, n - 1), *whole))
    return g.concat([head, tail], 0)


def _distributed(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    if n.op == "mul":
        for a, b in (n.inputs, n.inputs[::-1]):
            if b.op == "add":
                return g.add(g.mul(a, b.inputs[0]), g.mul(a, b.inputs[1]))
    if n.op == "div" and n.inputs[0].op == "add":
        p, q = n.inputs[0].inputs
        return g.add(g.div(p, n.inputs[1]), g.div(q, n.inputs[1]))
    return None


def _split(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    """A sum of a sum is a sum of two."""
    if n.op != "contract":
        return None
    for k, x in enumerate(n.inputs):
        if x.op == "add" and all(i.shape == x.shape for i in x.inputs):
            parts = [[*n.inputs[:k], i, *n.inputs[k + 1 :]] for i in x.inputs]
            return g.add(*(g.contract(*n.params, *p) for p in parts))
    return None


def _grouped(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    if n.op not in ("add", "mul"):
        return None
    a, b = n.inputs
    if a.op == n.op:
        return g.elementwise(n.op, a.inputs[0], g.elementwise(n.op, a.inputs[1], b))
    if b.op == n.op:
        return g.elementwise(n.op, g.elementwise(n.op, a, b.inputs[0]), b.inputs[1])
    return None


def _function(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    """Laws of one function."""
    if len(n.inputs) != 1:
        return None
    (u,), one, two = n.inputs, g.number(1), g.number(2)
    half = g.div(u, two)
    if n.op == "exp":
        if u.op == "add" and r.random() < 0.5:
            return g.mul(*(g.call("exp", i) for i in u.inputs))
        return r.choice([g.power(g.call("exp", half), 2), g.div(one, g.call("exp", g.neg(u)))])
    if n.op == "tanh":
        return g.sub(one, g.div(two, g.add(g.call("exp", g.mul(two, u)), one)))
    if n.op == "sin":
        return g.mul(two, g.mul(g.call("sin", half), g.call("cos", half)))
    if n.op == "cos":
        return g.sub(one, g.mul(two, g.power(g.call("sin", half), 2)))
    if n.op == "log":
        return g.div(g.call("log", g.power(u, 2)), two)
    if n.op == "expm1":
        return g.sub(g.call("exp", u), one)
    if n.op == "log1p":
        return g.call("log", g.add(one, u))
    if n.op == "power" and n.params[0] in (2, 3):
        return g.mul(u, u) if n.params[0] == 2 else g.mul(u, g.mul(u, u))
    if n.op == "power":
        return g.mul(u, g.power(u, n.params[0] - 1))
    if n.op == "neg":
        return g.mul(g.number(-1), u)
    return None


def _chosen(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    if n.op == "select":
        c, a, b = n.inputs
        return g.select(g.not_(c), b, a)
    if n.op == "less":
        return g.less(g.neg(n.inputs[1]), g.neg(n.inputs[0])) if n.inputs[0].kind == "f" else None
    if n.op in ("maximum", "minimum"):
        c = g.less(*(n.inputs if n.op == "minimum" else n.inputs[::-1]))
        return g.select(c, *n.inputs)
    return g.expanded(n) if len(n.inputs) == 1 and g.expanded(n) is not n else None


def _turned(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    """A transposition there and back, and the factors of a product in another order."""
    if n.op == "contract" and len(n.inputs) > 1 and n.kind == "f":
        labels, out = n.params
        return g.contract(labels[::-1], out, *n.inputs[::-1])
    if n.ndim < 2 or n.kind != "f":
        return None
    order = list(range(n.ndim))
    r.shuffle(order)
    back = [order.index(k) for k in range(n.ndim)]
    return g.transpose(g.neg(g.transpose(g.neg(n), order)), back)


def _around(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    """Plus and minus the same, times and divided by the same."""
    other = like(n, r, o)
    if other is None or n.kind != "f":
        return None
    if r.random() < 0.5:
        return g.sub(g.add(n, other), other)
    other = g.add(g.power(other, 2), g.number(1))
    return g.div(g.mul(n, other), other)


def _reshaped(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    if not n.ndim:
        return None
    total = Size.of(1)
    for s in n.shape:
        total = total * s
    return g.reshape(g.reshape(n, [total]), n.shape)


def _ratio(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    if n.op == "div":
        a, b = n.inputs
        return r.choice([g.mul(a, g.power(b, -1)), g.neg(g.div(g.neg(a), b))])
    return None


TRUE: Mapping[str, Rule] = {
    "distributed": _distributed,
    "sums split": _split,
    "grouped": _grouped,
    "laws of a function": _function,
    "cases": _chosen,
    "turned": _turned,
    "around": _around,
    "reshaped": _reshaped,
    "ratios": _ratio,
    "in two parts": lambda g, n, r, o: entries(g, n) if n.kind == "f" else None,
}


# -- near misses -----------------------------------------------------------------------------------


def _factor(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    return g.mul(g.number(SLIGHT), n) if n.kind == "f" else None


def _dropped(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    if n.op not in ("add", "mul"):
        return None
    kept = [i for i in n.inputs if i.shape == n.shape and i.kind == n.kind]
    return r.choice(kept) if kept else None


def _swapped(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    """A square array transposed, or an axis back to front."""
    if n.kind != "f" or not n.ndim:
        return None
    if n.ndim >= 2 and n.shape[-1] == n.shape[-2]:
        return g.transpose(n, [*range(n.ndim - 2), n.ndim - 1, n.ndim - 2])
    size = n.shape[-1]
    return g.index(n, (*g.whole(n)[:-1], ("cut", size - 1, -1, size)))


def _argument(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    """A function of something else."""
    real = [k for k, i in enumerate(n.inputs) if i.kind == "f"]
    if not real:
        return None
    k = r.choice(real)
    other = like(n.inputs[k], r, o)
    if other is None or r.random() < 0.5:
        other = g.mul(g.number(SLIGHT), n.inputs[k])
    return g.remade(n, [*n.inputs[:k], other, *n.inputs[k + 1 :]])


def _flipped(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    if n.op == "less":
        return g.less(*n.inputs[::-1])
    return g.select(n.inputs[0], *n.inputs[:0:-1]) if n.op == "select" else None


def _rooted(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    return g.power(g.power(n, 2), Fraction(1, 2)) if n.kind == "f" else None


def _exponent(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    return g.power(n.inputs[0], n.params[0] + r.choice([-1, 1])) if n.op == "power" else None


def _sign(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    return n.inputs[0] if n.op == "neg" else g.neg(n) if n.kind == "f" else None


def _sized(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    """A size taken for the number that it is here."""
    return g.number(int(n.params[0].at(g.env))) if n.op == "size" else None


def _one_entry(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    if n.kind != "f" or not n.ndim or 0 in n.number_shape:
        return None
    at = tuple(("at", Size.of(r.randrange(k))) for k in n.number_shape)
    return g.put(n, g.mul(g.number(SLIGHT), g.index(n, at)), at)


def _diagonal(g: Graph, n: Node, r: random.Random, o: Sequence[Node]) -> Node | None:
    """A sum over two axes taken over their diagonal."""
    if n.op != "contract":
        return None
    labels, out = n.params
    gone = sorted({x for names in labels for x in names} - {*out})
    lengths = {
        x: s for names, i in zip(labels, n.inputs, strict=True)
        for x, s in zip(names, i.shape, strict=True)
    }  # fmt: skip
    for a in gone:
        for b in (*gone, *out):
            if a != b and lengths[a] == lengths[b]:
                return g.contract(
                    [[b if x == a else x for x in names] for names in labels], out, *n.inputs
                )
    return None


MISSES: Mapping[str, Rule] = {
    "a factor 1 + 1e-9": _factor,
    "a term dropped": _dropped,
    "an index off": _swapped,
    "an argument off": _argument,
    "a comparison flipped": _flipped,
    "a root of a square": _rooted,
    "an exponent off": _exponent,
    "a sign off": _sign,
    "a size for a number": _sized,
    "one entry off": _one_entry,
    "a diagonal for a sum": _diagonal,
}


def replaced(output: Node, old: Node, new: Node) -> Node:
    """The output with one node put in another's place."""
    put = {old: new}
    for node in reached([output]):
        if node not in put:
            xs = [put[i] for i in node.inputs]
            changed = any(x is not i for x, i in zip(xs, node.inputs, strict=True))
            put[node] = node.graph.remade(node, xs) if changed else node
    return put[output]


def rewritten(
    output: Node, rules: Mapping[str, Rule], rnd: random.Random, tries: int = 40
) -> tuple[str, Node] | None:
    """The output with one node written in another way, and by which rule; None if none fits."""
    nodes = list(reached([output]))
    names = list(rules)
    for _ in range(tries):
        name, node = rnd.choice(names), rnd.choice(nodes)
        new = rules[name](node.graph, node, rnd, nodes)
        if new is None or new is node or new.shape != node.shape or new.kind != node.kind:
            continue
        whole = replaced(output, node, new)
        if whole is not output and whole.shape == output.shape:
            return name, whole
    return None
