"""Residues entry by entry: what entries are reduced by, and the rules of elementwise operations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.graph.node import Node, constant
from chainrule.values.cells import Element, Point, entries
from chainrule.values.exponents import ONE, Form
from chainrule.values.fields import NoResidue, Unlucky
from chainrule.values.known import is_short
from chainrule.values.structure import Array, Sizes

if TYPE_CHECKING:
    from chainrule.values.residues import Reading

LONGEST = 100_000  # bits that an exact integer may have


@dataclass(frozen=True)
class Modulus:
    """What entries are reduced by: p, or 0 for exact integers; and where it is done."""

    m: int
    reading: Reading

    @property
    def point(self) -> Point:
        """The generators and names."""
        return self.reading.point

    @property
    def sizes(self) -> Sizes:
        """Axis → size."""
        return self.reading.sizes

    def __call__(self, value: Any) -> Array:
        """Entries reduced, as an object array."""
        array = objects(value)
        if self.m:
            return objects(array % self.m)
        if any(not isinstance(v, Element) and abs(int(v)) >> LONGEST for v in array.flat):
            raise NoResidue("integers", "numbers too long")
        return array

    def one(self, value: Any) -> int:
        """An exact number as a residue."""
        return residue_of(value, self.m) if self.m else int(value)


def objects(value: Any) -> Array:
    if isinstance(value, np.ndarray) and value.dtype == object:
        return value
    array = np.empty(np.shape(value), object)
    array[...] = value
    return array


def residue_of(value: Any, m: int) -> int:
    if isinstance(value, (float, np.floating)):
        value = Fraction(float(value))
    if isinstance(value, Fraction):
        if value.denominator % m == 0:
            raise Unlucky("const", "a denominator that the prime divides")
        return value.numerator * pow(value.denominator, -1, m) % m
    return int(value) % m


def each(f: Callable[..., Any], *xs: Array) -> Array:
    return objects(np.frompyfunc(f, len(xs), 1)(*xs))


def plain_numbers(*xs: Array) -> bool:
    return not any(True for x in xs for _ in entries(x))


# -- rules: (node, entries, what they are reduced by) → entries ------------------------------------


def constants(node: Node, xs: list[Array], mod: Modulus) -> Array:
    how, value = node.params[0], constant(node)
    if how == "infinite":
        raise NoResidue("const", "an infinity is no number modulo a prime")
    if how == "named" and node.params[1] == "e":
        return objects(mod.reading.exponents.exp(Form({((), ONE): Fraction(1)})))
    if how == "near" and is_short(value):
        return objects(mod.one(value))
    if how == "near":  # any real number near it: what holds for all holds for it
        unknown = mod.point.unknown(("near", abs(value).hex()))
        return mod(objects(unknown if value > 0 else -unknown))
    if how == "named":
        return objects(mod.point.unknown((how, node.params[1])))
    return each(mod.one, objects(value))


def unknown(node: Node, xs: list[Array], mod: Modulus) -> Array:
    """A function of which nothing is used but that it is one."""
    name = (node.op, *node.params)
    return each(lambda *a: mod.point.unknown(name, *a), *xs)


def odd(node: Node, xs: list[Array], mod: Modulus) -> Array:
    """A function with f(−x) = −f(x), of which nothing more is used."""

    def one(x: Any) -> int:
        key, sign = mod.point.oriented(x)
        return sign * mod.point.over.random(mod.m, node.op, key) % mod.m if sign else 0

    return each(one, *xs)


def floor(node: Node, xs: list[Array], mod: Modulus) -> Array:
    return xs[0] if node.inputs[0].kind != "f" else unknown(node, xs, mod)


def div(node: Node, xs: list[Array], mod: Modulus) -> Array:
    return mod(each(lambda a, b: a * mod.point.inverse(b), *xs))


def power(node: Node, xs: list[Array], mod: Modulus) -> Array:
    q: Fraction = node.params[0]
    inner = node.inputs[0]
    if q.denominator == 2 and inner.op == "power" and inner.params[0] == 2:  # (w²)^(n/2) = |w|ⁿ
        w, n = mod.reading.squared[inner.number], Fraction(q.numerator)
        smooth = bool(mod.reading.smooth.get(inner.number))
        plain = mod.reading.signs[inner.inputs[0].number]

        def size(v: Any) -> Any:
            return v if plain else v * (1 - 2 * mod.point.below(v, smooth))

        return mod(each(lambda v: mod.point.power(size(v), n), w))
    if mod.m:
        return each(lambda a: mod.point.power(a, q), xs[0])

    def whole(a: Any) -> Any:
        if int(a).bit_length() * q > LONGEST:
            raise NoResidue("power", "an integer too long")
        return int(a) ** int(q)

    return each(lambda a: mod.point.lifted(whole, a), xs[0])


def compared(node: Node, xs: list[Array], mod: Modulus) -> Array:
    point = mod.point
    if all(i.kind != "f" for i in node.inputs):
        f = (lambda a, b: int(a < b)) if node.op == "less" else (lambda a, b: int(a == b))
        return each(lambda a, b: point.lifted(f, a, b), *xs)
    smooth = False
    if point.apart:
        known = mod.reading.smooth
        smooth = any(known[i.number] for i in node.inputs) and all(
            known[i.number] or i.number in mod.reading.numeric or i.op == "const"
            for i in node.inputs
        )
    a, b = node.inputs
    if node.op == "less" and _nought(b) and mod.reading.signs[a.number]:
        return each(lambda a, b: 0, *xs)
    for one, other in ((a, b), (b, a)):  # 0 < a positive number, and never equal
        if (
            _nought(one)
            and mod.reading.signs[other.number] == 2
            and (node.op == "equal" or one is a)
        ):
            return each(lambda a, b: int(node.op == "less"), *xs)
    test = point.below if node.op == "less" else point.zero
    return each(lambda a, b: point.compared(test, a - b, smooth), *xs)


def _nought(node: Node) -> bool:
    """Whether a node is the number 0."""
    return node.op == "const" and node.params[:2] == ("number", 0)


def truths(node: Node, xs: list[Array], mod: Modulus, many: int) -> list[Array]:
    """The first inputs as conditions: 0 or 1 in every cell."""
    out = []
    for i, x in zip(node.inputs[:many], xs, strict=False):
        if i.kind == "f":
            raise NoResidue(node.op, "of a real number that stands for a condition")
        plain = i.kind == "b"
        out.append(x if plain else each(lambda v: mod.point.lifted(lambda c: int(c != 0), v), x))
    return out


def negated(node: Node, xs: list[Array], mod: Modulus) -> Array:
    (c,) = truths(node, xs, mod, 1)
    return objects(1 - c)


def both(node: Node, xs: list[Array], mod: Modulus) -> Array:
    a, b = truths(node, xs, mod, 2)
    return objects(a * b)


def select(node: Node, xs: list[Array], mod: Modulus) -> Array:
    (condition,) = truths(node, xs, mod, 1)

    def one(c: Any, a: Any, b: Any) -> Any:
        if isinstance(c, Element):
            return b + c * (a - b)
        return a if c else b

    return mod(each(one, condition, *xs[1:]))
