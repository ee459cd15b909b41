"""The graph modulo a random prime: equal residues at random inputs mean an identity, but for luck.

Rational operations are exact modulo p. A smooth function is an unknown one: a random value for
its name and the residue of its argument. So what agrees would hold for any functions of these
names, but for luck, which `degrees` bounds; and what differs may still be equal (arctan(x) +
arctan(1/x) is no constant here): residues speak for an identity, they never refute one.

Known laws: e^(a+b) = eᵃ·eᵇ, e^(c·log u) = uᶜ, the theorems of sin and cos (`exponents`); (u^(1/d))ᵈ
= u, and a comparison has three cases (`cells`). Neither roots nor comparisons have a random value:
they stay symbols. Defined functions are taken apart first. Integers are themselves and not
residues, so that masks of positions work. What is shown holds where both sides are defined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import Any

import numpy as np

from chainrule.errors import UsageError
from chainrule.graph.node import DEFINED, Graph, Node, constant, reached
from chainrule.values import residue_arrays as arrays_
from chainrule.values import residue_entries as entries_
from chainrule.values import structure
from chainrule.values.cells import Point, entries, generators_of
from chainrule.values.degrees import Ledger, luck, products_of
from chainrule.values.exponents import PI, Exponents, Form, leaf, number
from chainrule.values.fields import Field, NoResidue, Unlucky, field
from chainrule.values.known import formed, is_short, numeric, signs, smooth
from chainrule.values.residue_entries import Modulus, each, objects, residue_of, truths
from chainrule.values.structure import Array, Sizes

LARGEST = 10**300  # exponents of an exp, in its smallest part


@dataclass(frozen=True)
class Seen:
    """What was seen at one point.

    arrays : the entries of each output. luck : log₂ of the chance that two different entries agree.
    """

    over: Field
    arrays: list[Array]
    luck: float


def draw(inputs: Iterable[Node], sizes: Sizes, over: Field) -> dict[str, Array]:
    """Random residues for real inputs, by name.

    Raises UsageError for integer inputs: they are data, and must be given.
    """
    out = {}
    for node in inputs:
        name = node.params[0]
        if node.kind != "f":
            raise UsageError(f"{name} holds integers; give them")
        values = np.empty(structure.lengths(node.shape, sizes), object)
        for at in np.ndindex(values.shape):
            values[at] = over.random(over.p, "input", name, at)
        out[name] = values
    return out


def evaluate(
    outputs: Sequence[Node],
    values: Mapping[str, Any],
    over: Field,
    sizes: Sizes | None = None,
) -> list[Array]:
    """The residues of nodes modulo p: object arrays of Python integers and of `cells.Element`.

    values : by input name, integers (as `draw` makes them), Fractions or floats as what they are.
    sizes : axis → size, for axes that no input reached tells. An output of integers is exact.
    Raises NoResidue, UsageError, ShapeError, IndexError.

    >>> from chainrule.graph.node import Graph
    >>> g, f = Graph(), field(0)
    >>> x = g.input("x", ())
    >>> e = g.call("exp", x)
    >>> a, b, c = evaluate(
    ...     [g.mul(e, e), g.call("exp", g.mul(g.number(2), x)), e], draw([x], {}, f), f)
    >>> bool(a == b), bool(a == c)
    (True, False)
    """
    return observe(primitive(outputs), values, over, sizes).arrays


def primitive(outputs: Sequence[Node]) -> list[Node]:
    """The same nodes with the functions that are defined taken apart, in a graph of their own."""
    outputs = list(outputs)
    while any(n.op in EXPANDED for n in reached(outputs)):  # definitions may use others
        old = outputs[0].graph
        new = Graph(old.env)
        new.axes = dict(old.axes)
        put: dict[Node, Node] = {}
        for node in reached(outputs):
            put[node] = new.expanded(old.remade(node, [put[i] for i in node.inputs], new))
        outputs = [put[o] for o in outputs]
    return outputs


def observe(
    outputs: Sequence[Node],
    values: Mapping[str, Any],
    over: Field,
    sizes: Sizes | None = None,
    apart: bool = False,
) -> Seen:
    """`evaluate` for nodes without defined functions, with the chance of luck.

    apart : nothing is claimed where a comparison of smooth functions of the inputs switches.
    """
    reading = Reading(outputs, values, Point(over, apart), sizes)
    found = structure.interpret(outputs, reading.rule)
    point = reading.point
    return Seen(
        over,
        [np.array(v.entries) for v in found],
        luck(reading.ledger.most, point.keyed, point.cases),
    )


@dataclass(frozen=True)
class _Value:
    """The entries of a node; their exponents, where an exp needs them."""

    entries: Array
    forms: Array | None


class Reading:
    """One pass over a graph at one point."""

    def __init__(
        self,
        outputs: Sequence[Node],
        values: Mapping[str, Any],
        point: Point,
        sizes: Sizes | None,
    ) -> None:
        self.point, self.over = point, point.over
        self.given: dict[str, Array] = {}
        for name, node in structure.inputs_of(outputs).items():
            if name not in values:
                raise UsageError(f"no value was given for {name}")
            self.given[name] = _read(values[name], node, self.over)
        shapes = {name: a.shape for name, a in self.given.items()}
        self.sizes = structure.sizes_of(outputs, shapes, sizes)
        self.exponents = Exponents(point)
        self.ledger = Ledger({})
        order = list(reached(outputs))
        self.numeric = numeric(order)
        self.smooth = smooth(order) if point.apart else {}
        self.formed = formed(order, self.numeric)
        self.signs = signs(order)
        self.squared: dict[int, Array] = {}

    def rule(self, node: Node, xs: list[_Value]) -> _Value:
        """One node: entries, exponents if they are needed, and the bound."""
        arrays = [x.entries for x in xs]
        m = self.over.p if node.kind == "f" else 0
        mod = Modulus(m, self)
        if node.op == "input":
            found = self.given[node.params[0]]
        elif node.op in ("exp", "sin", "cos"):
            assert xs[0].forms is not None
            found = each(getattr(self.exponents, node.op), xs[0].forms)
        else:
            found = RULES[node.op](node, arrays, mod)
        if node.op == "power" and node.params[0] == 2:
            self.squared[node.number] = arrays[0]
        self.enter(node, arrays, found)
        forms = self.forms(node, xs, found, mod) if node.number in self.formed else None
        return _Value(found, forms)

    def enter(self, node: Node, arrays: list[Array], found: Array) -> None:
        """The bound on the degree of a node."""
        many, states, bits = 0, 2, 0
        if self.point.generators:
            inside = [generators_of(e) for a in (*arrays, found) for e in entries(a)]
            many = max(map(len, inside), default=0)
            states = max(max(g.states + 1, g.order) for g in self.point.generators)
        if node.kind != "f" and not any(True for _ in entries(found)):
            bits = max((abs(int(v)).bit_length() for v in found.flat), default=0) + 1
        atom = 0.0
        if node.op in ("exp", "sin", "cos"):
            weight = self.exponents.heaviest * self.exponents.common
            atom = 2 * float(weight) + 1 if weight < LARGEST else inf
            if self.exponents.logs:
                self.ledger.radicand = max(self.ledger.radicand, self.ledger.most)
                atom *= self.ledger.most + 1
        shapes = [a.shape for a in arrays]
        products = products_of(node, shapes, found.shape)
        facts = {"generators": many, "states": states, "bits": bits, "atom": atom}
        self.ledger.enter(node, {**facts, "shapes": shapes, "products": products})

    def forms(self, node: Node, xs: list[_Value], found: Array, mod: Modulus) -> Array:
        """The exponents of a node: linear in those of its inputs where the node is."""
        if node.kind != "f":
            return each(number, found)
        if node.op == "const":
            return each(self.constant(node), found)
        if node.op == "log":
            return each(self.exponents.log, xs[0].entries)
        if node.op == "delta":
            return each(number, found)
        if self.formed[node.number] and node.op == "select":
            choose = lambda c, a, b: b + (a + -b).chosen(self.point, c)  # noqa: E731
            (condition,) = truths(node, [xs[0].entries], mod, 1)
            return each(choose, condition, *(x.forms for x in xs[1:] if x.forms is not None))
        if self.formed[node.number]:
            inner = [x.entries if x.forms is None else x.forms for x in xs]
            return LINEAR[node.op](node, inner, mod)
        return each(lambda v: leaf(self.point, v), found)

    def constant(self, node: Node) -> Callable[[Any], Form]:
        """The form of an entry of a constant."""
        how, value = node.params[0], constant(node)
        if node.params == ("named", "pi"):
            return lambda v: Form({((), PI): Fraction(1)})
        if how == "number" or (how == "near" and is_short(value)):
            return lambda v: number(Fraction(value))
        return lambda v: leaf(self.point, v)


def _read(value: Any, node: Node, over: Field) -> Array:
    found = objects(np.asarray(value, object))
    if node.kind != "f":
        if any(v != int(v) for v in found.flat):
            raise UsageError(f"{node.params[0]} must hold integers, and holds others")
        return each(int, found)
    return each(lambda v: residue_of(v, over.p), found)


Rule = Callable[[Node, list[Array], Modulus], Array]

#: How exponents go through operations that are linear in them.
LINEAR: dict[str, Rule] = {
    "add": lambda node, xs, mod: objects(xs[0] + xs[1]),
    "neg": lambda node, xs, mod: objects(-xs[0]),
    "mul": lambda node, xs, mod: objects(xs[0] * xs[1]),
    "div": arrays_.quotient,
    "contract": arrays_.linear_sum,
    **dict.fromkeys(
        structure.MOVES,
        lambda node, xs, mod: each(
            lambda v: v if isinstance(v, Form) else number(v), arrays_.moved_as(node, xs, mod)
        ),
    ),
}
#: Functions that are taken apart into primitives, whose laws see through them.
EXPANDED = frozenset(DEFINED)
#: What has no residue, and why: nothing by now.
REFUSED: dict[str, str] = {}
RULES: dict[str, Rule] = {
    "const": entries_.constants,
    "size": lambda node, xs, mod: objects(structure.lengths(node.params, mod.sizes)[0]),
    "iota": lambda node, xs, mod: objects(
        np.arange(structure.lengths(node.shape, mod.sizes)[0]).astype(object)
    ),
    "delta": lambda node, xs, mod: each(int, objects(structure.delta(node, mod.sizes))),
    "add": lambda node, xs, mod: mod(xs[0] + xs[1]),
    "mul": lambda node, xs, mod: mod(xs[0] * xs[1]),
    "neg": lambda node, xs, mod: mod(-xs[0]),
    "div": entries_.div,
    "power": entries_.power,
    "less": entries_.compared,
    "equal": entries_.compared,
    "not": entries_.negated,
    "and": entries_.both,
    "select": entries_.select,
    "floor": entries_.floor,
    "contract": arrays_.contract,
    "reduce_mul": arrays_.folded(arrays_.product),
    "reduce_max": arrays_.folded(arrays_.largest),
    **dict.fromkeys(structure.MOVES, arrays_.moved),
    "solve": arrays_.solve,
    "det": arrays_.det,
    "logdet": lambda node, xs, mod: entries_.unknown(node, [arrays_.det(node, xs, mod)], mod),
    **dict.fromkeys(("log", "lgamma", "polygamma"), entries_.unknown),
    **dict.fromkeys(("arctan", "erf"), entries_.odd),
}
#: Handled by the reading itself: inputs, and the functions of exponents.
GIVEN = frozenset({"input", "exp", "sin", "cos"})

__all__ = [
    "EXPANDED",
    "GIVEN",
    "REFUSED",
    "RULES",
    "Field",
    "NoResidue",
    "Seen",
    "Unlucky",
    "draw",
    "evaluate",
    "field",
    "observe",
    "primitive",
]
