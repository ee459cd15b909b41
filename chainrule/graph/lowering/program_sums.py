"""Sums of products as instructions: BLAS calls on views, two factors at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chainrule.graph.lowering.numpy_text import letters
from chainrule.graph.lowering.program_terms import ONE, Lowering, Value
from chainrule.graph.node import Node
from chainrule.graph.sizes import product


class Products(Lowering):
    """The instructions of contractions and reductions."""

    def op_contract(self, node: Node) -> Value:
        labels, out = node.params
        operands: list[tuple[Value, tuple[int, ...]]] = []
        if not labels:
            return Value("1.0" if node.kind == "f" else "1", (), node.kind)
        if len(labels) == 1:
            (x,) = node.inputs
            value = self.values[x]
            if value.held == () and len(out) == len(labels[0]):
                return value
            full = self.full(x, node.kind)
            return self.single(full, labels[0], out)
        self.extent = {
            label: size
            for names, x in zip(labels, node.inputs, strict=True)
            for label, size in zip(names, x.shape, strict=True)
        }
        values = [self.as_kind(self.values[x], node.kind) for x in node.inputs]
        held = [
            {n for n, keep in zip(names, self.own(v, x), strict=True) if keep}
            for names, v, x in zip(labels, values, node.inputs, strict=True)
        ]
        for k, (names, x, value) in enumerate(zip(labels, node.inputs, values, strict=True)):
            others = set().union(*(h for j, h in enumerate(held) if j != k))
            own = self.own(value, x)
            if all(keep or n in others for n, keep in zip(names, own, strict=True)):
                operands.append(self.squeezed(value, names, own))
            else:
                operands.append((self.full(x, node.kind), names))
                held[k] = set(names)
        env = node.graph.env
        while len(operands) > 2:
            i, j = self.cheapest(operands, out, env)
            (a, p), (b, q) = operands[i], operands[j]
            rest = [x for k, x in enumerate(operands) if k not in (i, j)]
            needed = set(out).union(*(names for _, names in rest))
            kept = tuple(n for n in dict.fromkeys((*p, *q)) if n in needed)
            operands = [*rest, (self.pair(a, p, b, q, kept), kept)]
        (a, p), (b, q) = operands
        return self.pair(a, p, b, q, out)

    def own(self, value: Value, x: Node) -> list[bool]:
        """For each axis of a node whether its value has it; if not, it is stretched."""
        lead = x.ndim - len(value.held)
        return [k >= lead and value.held[k - lead] == n for k, n in enumerate(x.shape)]

    def squeezed(
        self, value: Value, names: Sequence[int], own: Sequence[bool]
    ) -> tuple[Value, tuple[int, ...]]:
        """A value without the axes along which it is stretched."""
        kept = tuple(n for n, keep in zip(names, own, strict=True) if keep)
        lead = len(names) - len(value.held)
        cuts = [":" if keep else "0" for keep in own[lead:]]
        if "0" in cuts:
            held = tuple(n for n, keep in zip(value.held, own[lead:], strict=True) if keep)
            value = self.emit(
                f"{{0}}[{', '.join(cuts)}]", (value.at,), held, value.kind, owned="view"
            )
        return value, kept

    def cheapest(
        self,
        operands: Sequence[tuple[Value, tuple[int, ...]]],
        out: Sequence[int],
        env: Mapping[str, int],
    ) -> tuple[int, int]:
        """The two operands to join first: the fewest multiplications, at the graph's sizes."""
        pairs = [(i, j) for j in range(len(operands)) for i in range(j)]

        def cost(pair: tuple[int, int]) -> int:
            names = {*operands[pair[0]][1], *operands[pair[1]][1]}
            return product(self.extent[n] for n in names).at(env)

        return min(pairs, key=cost)

    def single(self, x: Value, of: tuple[int, ...], out: tuple[int, ...]) -> Value:
        """A sum over axes, in another order, or a diagonal."""
        extent = dict(zip(of, x.held, strict=True))
        if len(set(of)) < len(of):
            once = tuple(dict.fromkeys(of))
            held = tuple(extent[n] for n in once)
            form = f'np.einsum("{letters((of,), once)}", {{0}})'
            x, of = self.emit(form, (x.at,), held, x.kind, owned="view", whole=False), once
        gone = tuple(k for k, n in enumerate(of) if n not in out)
        if gone:
            of = tuple(n for n in of if n in out)
            held = tuple(extent[n] for n in of)
            axis = gone[0] if len(gone) == 1 else gone if of else None
            x = self.emit(f"np.add.reduce({{0}}, {axis})", (x.at,), held, x.kind)
        return self.moved(x, of, out)

    def moved(self, x: Value, of: tuple[int, ...], out: tuple[int, ...]) -> Value:
        """The axes in another order: a view."""
        if of == out:
            return x
        held = tuple(x.held[of.index(n)] for n in out)
        order = tuple(of.index(n) for n in out)
        form = "{0}.T" if out == of[::-1] else f"{{0}}.transpose({order})"
        return self.emit(form, (x.at,), held, x.kind, owned="view")

    def joined(self, x: Value, of: tuple[int, ...], groups: Sequence[Sequence[int]]) -> Value:
        """The axes of each group as one axis; groups in that order; an empty one has no axis."""
        order = tuple(n for group in groups for n in group)
        x = self.moved(x, of, order)
        if all(len(group) <= 1 for group in groups):
            return x
        extent = dict(zip(order, x.held, strict=True))
        held = tuple(product(extent[n] for n in group) for group in groups if group)
        form = f"{{0}}.reshape({self.sizes.of_shape(held)})"
        return self.emit(form, (x.at,), held, x.kind, owned="view")

    def pair(
        self, a: Value, p: tuple[int, ...], b: Value, q: tuple[int, ...], out: tuple[int, ...]
    ) -> Value:
        """The sum of products of two."""
        needed_a, needed_b = {*q, *out}, {*p, *out}
        if len({*p}) < len(p) or not needed_a.issuperset(p):
            once = tuple(n for n in dict.fromkeys(p) if n in needed_a)
            a, p = self.single(a, p, once), once
        if len({*q}) < len(q) or not needed_b.issuperset(q):
            once = tuple(n for n in dict.fromkeys(q) if n in needed_b)
            b, q = self.single(b, q, once), once
        over = tuple(n for n in p if n in q and n not in out)
        if not over:
            return self.pointwise(a, p, b, q, out)
        if out and out[0] in q and out[0] not in p:
            a, b, p, q = b, a, q, p
        batch = tuple(n for n in out if n in p and n in q)
        left = tuple(n for n in out if n in p and n not in q)
        right = tuple(n for n in out if n in q and n not in p)
        extent = {**dict(zip(p, a.held, strict=True)), **dict(zip(q, b.held, strict=True))}
        given = (*batch, *left, *right)
        held = tuple(extent[n] for n in given)
        if batch and not (left and right):
            text = f'np.einsum("{letters((p, q), given)}", {{0}}, {{1}})'
            x = self.emit(text, (a.at, b.at), held, a.kind)
            return self.moved(x, given, out)
        own = [(n,) for n in batch]
        x, y = self.joined(a, p, [*own, left, over]), self.joined(b, q, [*own, over, right])
        flat = tuple(extent[n] for n in batch) + tuple(
            product(extent[n] for n in group) for group in (left, right) if group
        )
        z = self.emit("np.matmul({0}, {1})", (x.at, y.at), flat, a.kind)
        if flat != held:
            form = f"{{0}}.reshape({self.sizes.of_shape(held)})"
            z = self.emit(form, (z.at,), held, z.kind, owned="view")
        return self.moved(z, given, out)

    def pointwise(
        self, a: Value, p: tuple[int, ...], b: Value, q: tuple[int, ...], out: tuple[int, ...]
    ) -> Value:
        """A product entry by entry, or of each with each."""
        extent = {**dict(zip(p, a.held, strict=True)), **dict(zip(q, b.held, strict=True))}
        parts = []
        for x, names in ((a, p), (b, q)):
            x = self.moved(x, names, tuple(n for n in out if n in names))
            first = next((k for k, n in enumerate(out) if n in names), len(out))
            cuts = [":" if n in names else "None" for n in out[first:]]
            if "None" in cuts:
                held = tuple(extent[n] if n in names else ONE for n in out[first:])
                form = f"{{0}}[{', '.join(cuts)}]"
                x = self.emit(form, (x.at,), held, x.kind, owned="view")
            parts.append(x)
        held = tuple(extent[n] for n in out)
        form, at = "np.multiply({0}, {1}{out})", [x.at for x in parts]
        return self.emit(form, at, held, a.kind, commutes=True)

    def op_reduce_mul(self, node: Node) -> Value:
        name = "np.logical_and" if node.kind == "b" else "np.multiply"
        return self.reduced(node, f"{name}.reduce")

    def op_reduce_max(self, node: Node) -> Value:
        return self.reduced(node, "np.maximum.reduce")

    def reduced(self, node: Node, name: str) -> Value:
        x, axes = self.full(node.inputs[0]), tuple(node.params[0])
        if not axes:
            return x
        return self.emit(f"{name}({{0}}, {axes})", (x.at,), node.shape, node.kind)
