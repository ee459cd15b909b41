"""Sums of products for derivative nodes: the same sum, with less in it.

Transposes, diagonals and stretched axes are read through, δ is taken out by renaming its label, an
axis that nothing depends on gives its size, what depends on a summed axis alone is summed first,
and an outer product that is summed at once becomes a product of matrices. Every step is an identity
for all sizes, 0 and 1 included; none computes anew what is cheaper to take.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from chainrule.graph.node import Node
from chainrule.graph.sizes import Size

if TYPE_CHECKING:
    from chainrule.graph.derivative.simplify import Lean

Binary = Callable[[Node, Node], Node]
Labels = tuple[int, ...]
Factor = tuple[Node, Labels]


def is_unit(node: Node) -> bool:
    """Whether a node is a square δ."""
    return node.op == "delta" and node.params[2] == 0 and node.shape[0] == node.shape[1]


def unit_like(node: Node) -> bool:
    """Whether a node is a δ, or a product of them over different axes."""
    if node.op == "contract":
        return len(node.inputs) > 0 and all(map(is_unit, node.inputs))
    return is_unit(node)


class Product:
    """A sum of products while it is made smaller.

    factors : nodes with the labels of their axes. out : the labels of the result, all different.
    sizes : label → size. scale : sizes and scalars that multiply the whole.
    """

    def __init__(
        self,
        lean: Lean,
        labels: Sequence[Sequence[int]],
        out: Sequence[int],
        inputs: Sequence[Node],
    ) -> None:
        self.lean, self.out = lean, tuple(out)
        self.factors: list[Factor] = [(x, tuple(n)) for x, n in zip(inputs, labels, strict=True)]
        self.sizes: dict[int, Size] = {}
        for node, names in self.factors:
            for label, size in zip(names, node.shape, strict=True):
                known = self.sizes.setdefault(label, size)
                if known != size:
                    self.sizes[label] = lean.graph.same(known, size, "a sum over a shared axis")
        self.scale: list[Node] = []

    def fresh(self, size: Size) -> int:
        """A new label."""
        label = max(self.sizes, default=-1) + 1
        self.sizes[label] = size
        return label

    # -- reading through -----------------------------------------------------------------------

    def peel(self, factor: Factor) -> Factor | None:
        """The factor as something simpler; None if it is simple."""
        node, names = factor
        if node.op == "broadcast":
            x = node.inputs[0]
            names = names[node.ndim - x.ndim :]
            kept = [k for k in range(x.ndim) if x.shape[k] == self.sizes[names[k]]]
            x = self.lean.reshape(x, [x.shape[k] for k in kept])
            return x, tuple(names[k] for k in kept)
        if node.op == "reshape":
            x, at = node.inputs[0], 0
            found: list[int] = []
            for label, size in zip(names, node.shape, strict=True):
                if at < x.ndim and x.shape[at] == size:
                    found.append(label)
                    at += 1
                elif size != 1:
                    return None
            return (x, tuple(found)) if at == x.ndim else None
        if node.op == "contract" and len(node.inputs) == 1:
            summed = set(node.params[0][0]) - set(node.params[1])
            new = node.number >= self.lean.first
            if not summed or (new and len(self.factors) == 1):
                return self.inner(node, names)[0]
        return None

    def inner(self, node: Node, names: Labels) -> list[Factor]:
        """The factors of a contract node whose axes have these labels."""
        labels, out = node.params
        put = dict(zip(out, names, strict=True))
        factors = []
        for x, axes in zip(node.inputs, labels, strict=True):
            for label, size in zip(axes, x.shape, strict=True):
                if label not in put:
                    put[label] = self.fresh(size)
            factors.append((x, tuple(put[a] for a in axes)))
        return factors

    def read_through(self) -> None:
        """Peel every factor as far as it goes."""
        done: list[Factor] = []
        todo = list(reversed(self.factors))
        while todo:
            factor = todo.pop()
            peeled = self.peel(factor)
            if peeled is None:
                done.append(factor)
            else:
                todo.append(peeled)
        self.factors = done

    # -- δ -------------------------------------------------------------------------------------

    def rename(self, old: int, new: int) -> None:
        self.factors = [(x, tuple(new if n == old else n for n in ns)) for x, ns in self.factors]

    def without_units(self) -> bool:
        """Takes out every δ with a label that is summed; tells whether there was one."""
        found = False
        for _ in range(len(self.factors)):
            for at, (node, names) in enumerate(self.factors):
                if not is_unit(node):
                    continue
                a, b = names
                if a != b and a in self.out and b in self.out:
                    continue
                del self.factors[at]
                if a != b:
                    old, new = (a, b) if a not in self.out else (b, a)
                    self.rename(old, new)
                    del self.sizes[old]
                found = True
                break
            else:
                break
        return found

    def opened(self) -> list[Factor] | None:
        """The factors with products that contain a δ written out; None if none does."""
        out: list[Factor] = []
        some, sign = False, False
        for node, names in self.factors:
            if node.op == "neg" and node.inputs[0].op in ("mul", "contract", "delta"):
                core = node.inputs[0]
                bare = core.inputs[0] if core.op == "mul" else core
                if unit_like(bare):
                    node, sign = core, not sign
            if node.op == "mul" and unit_like(node.inputs[0]) and node.kind == "f":
                parts = [(x, names[node.ndim - x.ndim :]) for x in node.inputs]
                parts = [self.squeezed(x, n) for x, n in parts]
            else:
                parts = [(node, names)]
            for x, n in parts:
                if x.op == "contract" and unit_like(x):
                    out.extend(self.inner(x, n))
                    some = True
                else:
                    some = some or is_unit(x)
                    out.append((x, n))
        if some and sign:
            out.append((self.lean.number(-1), ()))
        return out if some else None

    def squeezed(self, x: Node, names: Labels) -> Factor:
        """A factor without the axes that are 1 where the label is not."""
        kept = [k for k in range(x.ndim) if x.shape[k] == self.sizes[names[k]]]
        if len(kept) == x.ndim:
            return x, tuple(names)
        return self.lean.reshape(x, [x.shape[k] for k in kept]), tuple(names[k] for k in kept)

    # -- one factor ----------------------------------------------------------------------------

    def expanded(self) -> bool:
        """A single factor that is itself a product, where the whole is then no dearer."""
        if len(self.factors) != 1:
            return False
        node, names = self.factors[0]
        if node.op == "contract" and len(node.inputs) > 1:
            turned = set(names) == set(self.out) and node.number >= self.lean.first
            if turned or len(set(names)) < len(names):
                self.factors = self.inner(node, names)
                return True
            return False
        if node.op != "mul" or set(names) <= set(self.out) or len(set(names)) < len(names):
            return False
        parts = [self.stripped(x, names[node.ndim - x.ndim :]) for x in node.inputs]
        wide = {n for n in names if self.sizes[n] != 1}
        if all(wide - set(part[1]) for part in parts) and all(x.ndim for x, _ in parts):
            self.factors = parts
            return True
        return False

    def stripped(self, x: Node, names: Labels) -> Factor:
        """A factor without stretched axes, read through broadcasts and added axes."""
        factor = self.squeezed(x, names)
        for _ in range(4):
            if factor[0].op not in ("broadcast", "reshape"):
                break
            peeled = self.peel(factor)
            if peeled is None:
                break
            factor = peeled
        return factor

    def summed_first(self) -> None:
        """The axes that are summed and that one factor has, or none: each of these is as often."""
        uses = Counter(label for _, names in self.factors for label in set(names))
        for label, size in self.sizes.items():
            if label not in uses and label not in self.out:
                self.scale.append(self.lean.sized(size))
        if len(self.factors) < 2:
            return
        out: list[Factor] = []
        for node, names in self.factors:
            rest = tuple(dict.fromkeys(n for n in names if n in self.out or uses[n] > 1))
            if set(rest) != set(names):
                node, names = contract(self.lean, [names], rest, [node]), rest
            out.append((node, names))
        self.factors = out

    # -- the result ----------------------------------------------------------------------------

    def node(self) -> Node:
        """The node of what is left."""
        lean = self.lean
        covered = {label for _, names in self.factors for label in names}
        self.scale += [x for x, names in self.factors if not names]
        factors = [(x, names) for x, names in self.factors if names]
        kept = tuple(label for label in self.out if label in covered)
        core = self.core(factors, kept)
        for scale in self.scale:
            core = lean.mul(scale, core)
        if kept != self.out:
            shape = [self.sizes[n] if n in covered else Size.of(1) for n in self.out]
            core = lean.reshape(core, shape)
        return lean.real(lean.broadcast(core, [self.sizes[n] for n in self.out]))

    def core(self, factors: list[Factor], kept: Labels) -> Node:
        if not factors:
            return self.lean.number(1)
        if all(names == kept for _, names in factors):
            core = factors[0][0]
            for x, _ in factors[1:]:
                core = self.lean.mul(core, x)
            return core
        return self.lean.graph.contract([n for _, n in factors], kept, *(x for x, _ in factors))


def contract(
    lean: Lean, labels: Sequence[Sequence[int]], out: Sequence[int], inputs: Sequence[Node]
) -> Node:
    """Σ over the labels that `out` leaves out, of the product of the inputs: real, made lean."""
    product = Product(lean, labels, out, inputs)
    if all(x.kind != "f" for x in inputs) or len(set(out)) < len(out):
        return lean.graph.contract(labels, out, *inputs)
    if any(lean.is_zero(x) for x in inputs):
        return lean.zeros([product.sizes[label] for label in out])
    while True:
        product.read_through()
        before, names, sizes = product.factors, product.out, dict(product.sizes)
        opened = product.opened()
        if opened is not None:
            product.factors = opened
            if product.without_units():
                continue
            product.factors, product.out, product.sizes = before, names, sizes
        if not product.expanded():
            break
    product.summed_first()
    return product.node()
