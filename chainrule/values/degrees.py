"""How often equal residues are luck: bounds on degrees and coefficients along the graph.

An entry is a quotient of polynomials with integer coefficients in the inputs, the names of unknown
functions and the T of exp; each coefficient of an `Element` is one, over one denominator. A
`Degree` bounds, for numerator and denominator, both the degree and log₂ of the sum of the
|coefficients|. Unknown functions and exp start again at 1: so the bound grows with a layer's width,
layer by layer, and not with the function.

By Schwartz and Zippel a quotient that is not 0 has the residue 0 with a chance of at most degree/q;
its coefficients are all 0 modulo p with a chance of at most (log₂ coefficient/62)/2⁵⁰. Both
together are below (the larger one)·2⁻⁵⁵. Names are equal by chance if their difference is 0 by
chance: that is counted for every pair of names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import inf, log2, prod
from typing import Any

import numpy as np

from chainrule.graph.node import Node, constant

#: log₂ of the chance for each degree.
LUCK = -55.0
MOST = 1e300


@dataclass(frozen=True)
class Degree:
    """top, below : bounds for the numerator and for the denominator."""

    top: float
    below: float = 0.0

    @property
    def most(self) -> float:
        """The larger one; infinite if it cannot be told."""
        worst = max(self.top, self.below)
        return worst if worst < MOST else inf

    def times(self, n: float) -> Degree:
        """Of a product of n such."""
        return Degree(self.top * n, self.below * n)

    def summed(self, n: float) -> Degree:
        """Of a sum of n such, each with a denominator of its own."""
        if n <= 1:
            return self
        return Degree(self.top + (n - 1) * self.below + log2(n), n * self.below)

    def more(self, extra: float) -> Degree:
        """Both bounds raised."""
        return Degree(self.top + extra, self.below + extra)


def together(*parts: Degree) -> Degree:
    """Of a product."""
    return Degree(sum(d.top for d in parts), sum(d.below for d in parts))


def _upright(d: Degree) -> Degree:
    return Degree(d.below, d.top)


def _either(*parts: Degree) -> Degree:
    return Degree(max(d.top for d in parts), max(d.below for d in parts))


@dataclass
class Ledger:
    """The degrees of a graph while it is read at a point.

    radicand : the largest degree of what a root is of. most : the largest of all.
    """

    of: dict[int, Degree]
    most: float = 1.0
    radicand: float = 0.0

    def enter(self, node: Node, arrays: Mapping[str, Any]) -> Degree:
        """The degree of a node.

        arrays : "shapes" of its inputs, "bits" of integers that are themselves, "generators" in one
        entry at most (of the inputs and of the node), "states" of one generator at most, "atom" the
        degree of an exp.
        """
        try:
            out = self._entered(node, arrays)
        except OverflowError:
            out = Degree(inf, inf)
        self.of[node.number] = out
        self.most = max(self.most, out.most)
        return out

    def _entered(self, node: Node, arrays: Mapping[str, Any]) -> Degree:
        out = _degree(node, [self.of[i.number] for i in node.inputs], arrays)
        if node.op == "power" and node.params[0].denominator > 1:
            self.radicand = max(self.radicand, self.of[node.inputs[0].number].most)
        many = arrays["generators"]
        if many:
            products = float(arrays["products"])
            extra = products * many * (self.radicand + 8 + 2 * log2(max(arrays["states"], 2)))
            out = out.more(extra)
            if node.op in LIFTED:
                out = out.more(out.most).times(float(arrays["states"]) ** (2 * many))
        return out


#: Operations that go from cell to cell, or through norms.
LIFTED = frozenset({"div", "power", "exp", "sin", "cos", "solve", "less", "equal"})
ATOMS = frozenset(
    "log arctan erf lgamma polygamma floor less equal reduce_max logdet input delta not and".split()
)


def _degree(node: Node, xs: list[Degree], arrays: Mapping[str, Any]) -> Degree:
    op = node.op
    if node.kind != "f" and arrays["bits"]:
        return Degree(float(arrays["bits"]))
    if op in ("exp", "sin", "cos"):
        return Degree(float(arrays["atom"]), float(arrays["atom"]))
    if op == "const":
        return _constant(node)
    if op in ATOMS:
        return Degree(1.0)
    if op == "neg":
        return xs[0]
    if op == "add":
        return Degree(
            max(xs[0].top + xs[1].below, xs[1].top + xs[0].below) + 1, xs[0].below + xs[1].below
        )
    if op == "mul":
        return together(*xs)
    if op == "div":
        return together(xs[0], _upright(xs[1]))
    if op == "power":
        n = float(abs(node.params[0]) + (node.params[0].denominator > 1))  # ρ·u^(whole, below)
        base = xs[0] if node.params[0] > 0 else _upright(xs[0])
        return base.times(n).more(1.0)
    if op == "select":
        return Degree(
            xs[1].top + xs[2].top + xs[1].below + xs[2].below + 2, xs[1].below + xs[2].below
        )
    if op in ("contract", "scatter_add", "reduce_mul"):
        if op == "contract":
            return together(*xs).summed(arrays["products"])
        return (
            xs[0].times(arrays["products"])
            if op == "reduce_mul"
            else xs[0].summed(arrays["products"])
        )
    if op in ("solve", "det"):
        n = arrays["shapes"][0][-1]
        all_ = n * n * xs[0].below + n * (xs[0].top + log2(n + 1))
        if op == "det":
            return Degree(all_, n * n * xs[0].below)
        b = xs[1].summed(n)
        return Degree(all_ + b.top + b.below, all_ + b.below)
    return _either(*xs)


def _constant(node: Node) -> Degree:
    value = constant(node)
    if isinstance(value, Fraction):
        return Degree(_bits(value.numerator), _bits(value.denominator) - 1.0)
    if node.params[0] in ("named", "near"):
        return Degree(64.0, 64.0)
    numbers = [Fraction(float(v)) for v in np.ravel(value).tolist()]
    if not numbers:
        return Degree(1.0)
    return Degree(
        max(_bits(v.numerator) for v in numbers), max(_bits(v.denominator) for v in numbers) - 1.0
    )


def _bits(n: int) -> float:
    return float(max(abs(n).bit_length(), 1))


def products_of(node: Node, shapes: list[tuple[int, ...]], out: tuple[int, ...]) -> int:
    """How many products are added up to one entry, at most; for reduce_mul: multiplied."""
    if node.op == "contract":
        labels, kept = node.params
        size = {
            name: n
            for names, s in zip(labels, shapes, strict=True)
            for name, n in zip(names, s, strict=True)
        }
        summed = [int(n) for name, n in size.items() if name not in kept]
        return max(prod(summed), 1)
    if node.op == "scatter_add":
        return max(prod(shapes[0]), 1)
    if node.op == "reduce_mul":
        return max(prod(int(shapes[0][a]) for a in node.params[0]), 1)
    rows: int = shapes[0][-1] if node.op in ("solve", "det") else 1
    return rows * rows


def luck(most: float, keyed: int, cases: int) -> float:
    """log₂ of the chance that two different entries agree at one point.

    most : the largest degree; keyed : names given; cases : zeros looked for.
    """
    if most >= inf:
        return 0.0
    events = keyed * (keyed - 1) / 2 + keyed + cases + 1
    return log2(events) + log2(2 * most + 1) + LUCK + 1  # + 1: where no denominator is 0


__all__ = ["Degree", "Ledger", "luck", "products_of", "together"]
