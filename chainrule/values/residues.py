"""The graph modulo a random prime: equal residues at random inputs mean an identity, but for luck.

Rational operations are exact modulo p. A smooth function is an unknown one: a random value for
its name and the residue of its argument. So what agrees would hold for any functions of these
names, but for luck of about 1 in 2⁵⁹ for each degree; and what differs may still be equal
(sin² + cos² is not 1 here): residues speak for an identity, they never refute one.

exp keeps its law exp(a + b) = exp(a)·exp(b). With p = 2q + 1, both prime, exp(a) is gᵃ modulo p,
for a random g of order q; its argument lives modulo q. Hence every value is carried modulo p and
modulo q, and an input is a random integer below pq, whose two residues are independent. An exp
inside the argument of another is an unknown function modulo q.

A root or a step is never given a random value: of √(x²) and x residues cannot tell which sign is
meant, and one bit agrees by chance. Selections by real conditions, comparisons of reals, powers
that are not whole, abs, sign, floor, largest and smallest raise `NoResidue` by name. Integers are
themselves and not residues, so that masks of positions work. What is shown holds where both sides
are defined.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from flint import fmpz, nmod_mat

from chainrule.errors import ChainruleError, UsageError
from chainrule.graph.node import Node, constant
from chainrule.values import structure
from chainrule.values.ball import Ball
from chainrule.values.structure import Array, Kernel, Sizes

#: Integers and their residues modulo p and modulo q. Integer kinds: the same array twice, exact.
Pair = tuple[Array, Array]
LONGEST = 100_000  # bits that an exact integer may have


class NoResidue(ChainruleError):
    """An operation that has no sound residue, by its name; or a division by what is 0 here."""

    def __init__(self, op: str, why: str) -> None:
        self.op = op
        super().__init__(f"{op}: {why}")


@dataclass(frozen=True)
class Field:
    """p = 2q + 1, both prime, and g of order q modulo p; all drawn from the seed."""

    seed: str
    p: int
    q: int
    g: int

    def random(self, modulus: int, *key: Any) -> int:
        """A number below the modulus that depends on nothing but the seed and the key."""
        text = "\x1f".join(map(str, (self.seed, modulus, *key)))
        digest = hashlib.blake2b(text.encode(), digest_size=32).digest()
        return int.from_bytes(digest, "big") % modulus


@cache
def field(seed: str | int = 0) -> Field:
    """A field with p between 2⁶⁰ and 2⁶², by a seed.

    >>> f = field(1)
    >>> f.p == 2 * f.q + 1, pow(f.g, f.q, f.p)
    (True, 1)
    """
    draw = Field(str(seed), 0, 0, 0)
    q = 2**59 + draw.random(2**59, "prime")
    while not (fmpz(q).is_prime() and fmpz(2 * q + 1).is_prime()):
        q += 1
    p = 2 * q + 1
    g = pow(2 + draw.random(p - 3, "generator"), 2, p)  # a square other than 1 has the order q
    return Field(str(seed), p, q, g)


def draw(inputs: Iterable[Node], sizes: Sizes, over: Field) -> dict[str, Array]:
    """Random integers below pq for real inputs, by name.

    Raises UsageError for integer inputs: they are data, and must be given.
    """
    out = {}
    for node in inputs:
        name = node.params[0]
        if node.kind != "f":
            raise UsageError(f"{name} holds integers; give them")
        shape = structure.lengths(node.shape, sizes)
        entries = np.empty(shape, object)
        for at in np.ndindex(shape):
            entries[at] = over.random(over.p * over.q, "input", name, at)
        out[name] = entries
    return out


def evaluate(
    outputs: Sequence[Node],
    values: Mapping[str, Any],
    over: Field,
    sizes: Sizes | None = None,
) -> list[Array]:
    """The residues of nodes modulo p, as object arrays of Python integers.

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
    arrays: dict[str, Pair] = {}
    for name, node in structure.inputs_of(outputs).items():
        if name not in values:
            raise UsageError(f"no value was given for {name}")
        arrays[name] = _read(values[name], node, over)
    shapes = {name: pair[0].shape for name, pair in arrays.items()}
    known = structure.sizes_of(outputs, shapes, sizes)

    def rule(node: Node, xs: list[Pair]) -> Pair:
        return arrays[node.params[0]] if node.op == "input" else _apply(node, xs, known, over)

    return [np.array(pair[0]) for pair in structure.interpret(outputs, rule)]


def _apply(node: Node, xs: list[Pair], sizes: Sizes, over: Field) -> Pair:
    if node.op in REFUSED and node.kind == "f":
        raise NoResidue(node.op, REFUSED[node.op])
    if node.op in EXPANDED:
        return _defined(node, xs, sizes, over)
    if node.op == "exp":
        return _exp(xs[0], over)
    rule = RULES[node.op]
    if node.kind != "f":
        exact = rule(node, [x[0] for x in xs], Modulus(0, over, sizes))
        return exact, exact
    p, q = (
        rule(node, [x[k] for x in xs], Modulus(m, over, sizes))
        for k, m in enumerate((over.p, over.q))
    )
    return p, q


@dataclass(frozen=True)
class Modulus:
    """What entries are reduced by: p, q, or 0 for exact integers; and where it is done."""

    m: int
    over: Field
    sizes: Sizes

    def __call__(self, value: Any) -> Array:
        """Entries reduced, as an object array."""
        array = _objects(value)
        if self.m:
            return _objects(array % self.m)
        if any(abs(int(v)) >> LONGEST for v in array.flat):
            raise NoResidue("integers", "numbers too long")
        return array

    def one(self, value: Any) -> int:
        """An exact number as a residue."""
        return _residue(value, self.m) if self.m else int(value)

    def inverse(self, x: int) -> int:
        """1/x; raises NoResidue for 0."""
        if x % self.m == 0:
            raise NoResidue("div", "a denominator that is 0 for these inputs, or always")
        return pow(x, -1, self.m)


def _objects(value: Any) -> Array:
    if isinstance(value, np.ndarray) and value.dtype == object:
        return value
    array = np.empty(np.shape(value), object)
    array[...] = value
    return array


def _residue(value: Any, m: int) -> int:
    if isinstance(value, (float, np.floating)):
        value = Fraction(float(value))
    if isinstance(value, Fraction):
        if value.denominator % m == 0:
            raise NoResidue("const", "a denominator that the prime divides")
        return value.numerator * pow(value.denominator, -1, m) % m
    return int(value) % m


def _read(value: Any, node: Node, over: Field) -> Pair:
    entries = _objects(np.asarray(value, object))
    if node.kind != "f":
        if any(v != int(v) for v in entries.flat):
            raise UsageError(f"{node.params[0]} must hold integers, and holds others")
        exact = _each(int, entries)
        return exact, exact
    p, q = (_each(lambda v, m=m: _residue(v, m), entries) for m in (over.p, over.q))
    return p, q


def _each(f: Callable[..., Any], *xs: Array) -> Array:
    return _objects(np.frompyfunc(f, len(xs), 1)(*xs))


# -- functions -----------------------------------------------------------------------------------


def _exp(x: Pair, over: Field) -> Pair:
    return (
        _each(lambda a: pow(over.g, int(a) % over.q, over.p), x[1]),
        _each(lambda a: over.random(over.q, "exp", int(a) % over.q), x[1]),
    )


def _unknown(node: Node, xs: list[Array], mod: Modulus) -> Array:
    """A function of which nothing is used but that it is one."""
    key = (node.op, *node.params)
    return _each(lambda *a: mod.over.random(mod.m, *key, *(int(v) % mod.m for v in a)), *xs)


def _defined(node: Node, xs: list[Pair], sizes: Sizes, over: Field) -> Pair:
    arguments, result = structure.definition(node.op)
    at = dict(zip(arguments, xs, strict=True))
    return structure.interpret(
        [result],
        lambda inner, pairs: (
            at[inner] if inner.op == "input" else _apply(inner, pairs, sizes, over)
        ),
    )[0]


# -- rules: (node, entries modulo m, m) → entries modulo m ----------------------------------------


def _const(node: Node, xs: list[Array], mod: Modulus) -> Array:
    how = node.params[0]
    if how == "named" and node.params[1] == "e":
        one = np.array(1, object)
        return _exp((one, one), mod.over)[mod.m == mod.over.q]
    if how == "near" and (exactly := Ball.number(constant(node))) is not None:
        if exactly.is_exact():  # a short binary fraction means itself
            return _objects(mod.one(constant(node)))
    if how in ("near", "named"):  # any real number: what holds for all holds for it
        return _objects(mod.over.random(mod.m, how, node.params[1]))
    return _each(mod.one, _objects(constant(node)))


def _div(node: Node, xs: list[Array], mod: Modulus) -> Array:
    return mod(_each(lambda a, b: a * mod.inverse(int(b)), *xs))


def _power(node: Node, xs: list[Array], mod: Modulus) -> Array:
    q: Fraction = node.params[0]
    if q.denominator != 1:
        raise NoResidue("power", f"the exponent {q} is not whole")
    n = int(q)
    if mod.m == 0:
        if any(int(v).bit_length() * n > LONGEST for v in xs[0].flat):
            raise NoResidue("power", "an integer too long")
        return _each(lambda a: int(a) ** n, xs[0])
    if n < 0:
        return _each(lambda a: pow(mod.inverse(int(a)), -n, mod.m), xs[0])
    return _each(lambda a: pow(int(a), n, mod.m), xs[0])


def _exactly(f: Callable[..., Any]) -> Callable[[Node, list[Array], Modulus], Array]:
    """A rule for integers that are themselves."""

    def rule(node: Node, xs: list[Array], mod: Modulus) -> Array:
        if any(i.kind == "f" for i in node.inputs):
            raise NoResidue(node.op, "of real numbers")
        return _each(lambda *a: int(f(*a)), *xs)

    return rule


def _select(node: Node, xs: list[Array], mod: Modulus) -> Array:
    if node.inputs[0].kind == "f":
        raise NoResidue("select", "by a real number")
    return mod(_each(lambda c, a, b: a if c else b, *xs))


def _total(x: Array, axes: tuple[int, ...]) -> Array:
    return _objects(x.sum(axis=axes, initial=0))


def _matmul(mod: Modulus) -> Callable[[Array, Array], Array]:
    def product(x: Array, y: Array) -> Array:
        (b, n, k), m = x.shape, y.shape[2]
        out = np.empty((b, n, m), object)
        out.fill(0)
        for batch in range(b):
            if not (n and k and m):
                break
            if mod.m == 0:
                out[batch] = x[batch] @ y[batch]
                continue
            left, right = _matrix(x[batch], mod), _matrix(y[batch], mod)
            flat = [int(v) for v in (left * right).entries()]
            out[batch] = np.array(flat, object).reshape(n, m)
        return out

    return product


def _matrix(x: Array, mod: Modulus) -> nmod_mat:
    rows, columns = x.shape
    return nmod_mat(rows, columns, [int(v) % mod.m for v in x.flat], mod.m)


def _contract(node: Node, xs: list[Array], mod: Modulus) -> Array:
    multiply = lambda x, y: mod(_objects(x * y))  # noqa: E731
    labels, out = node.params
    return mod(structure.contract(labels, out, xs, Kernel(multiply, _total, _matmul(mod), 1)))


def _folded(f: Callable[[int, int], int], start: int | None) -> Callable[..., Array]:
    def rule(node: Node, xs: list[Array], mod: Modulus) -> Array:
        axes, x = node.params[0], xs[0]
        others = [a for a in range(x.ndim) if a not in axes]
        shape = tuple(x.shape[a] for a in others)
        line = int(np.prod([x.shape[a] for a in axes]))
        if not line and start is None:
            raise NoResidue(node.op, "of nothing")
        lines = np.transpose(x, (*others, *axes)).reshape(int(np.prod(shape)), line)
        out = np.empty(len(lines), object)
        for k, entries in enumerate(lines.tolist()):
            total = entries.pop() if start is None else start
            for entry in entries:
                total = f(int(total), int(entry))
                total = total % mod.m if mod.m else total
            out[k] = total
        return out.reshape(shape)

    return rule


def _moved(node: Node, xs: list[Array], mod: Modulus) -> Array:
    moving, where = structure.split(node, xs)
    indices = [x.astype(np.int64) for x in where]
    return mod(structure.moved(node, moving, indices, mod.sizes, 0, np.add))


def _stack(x: Array) -> list[Array]:
    return [x[at] for at in np.ndindex(x.shape[:-2])]


def _solve(node: Node, xs: list[Array], mod: Modulus) -> Array:
    out = np.empty(xs[1].shape, object)
    if not out.size:
        return out
    for at in np.ndindex(out.shape[:-2]):
        try:
            found = _matrix(xs[0][at], mod).solve(_matrix(xs[1][at], mod))
        except ZeroDivisionError:
            raise NoResidue("solve", "a matrix that is singular for these inputs") from None
        flat = [int(v) for v in found.entries()]
        out[at] = np.array(flat, object).reshape(out.shape[-2:])
    return out


def _det(node: Node, xs: list[Array], mod: Modulus) -> Array:
    flat = [int(_matrix(a, mod).det()) if a.size else 1 for a in _stack(xs[0])]
    return np.array([*flat, None], object)[:-1].reshape(xs[0].shape[:-2])


Rule = Callable[[Node, list[Array], Modulus], Array]

#: Functions that are taken apart into primitives, because exp's law sees through them.
EXPANDED = frozenset(
    "log1p expm1 log2 log10 exp2 tan tanh sinh cosh arctanh expit erfc logaddexp pow".split()
)
#: What has no residue where its value is real, and why. Integers have one.
REFUSED: dict[str, str] = {
    **dict.fromkeys(("abs", "sign", "maximum", "minimum", "floor"), "a step has no residue"),
    **dict.fromkeys(("reduce_max", "arctan2"), "a choice by size has no residue"),
    **dict.fromkeys(("cbrt", "hypot"), "a root has no residue"),
}
RULES: dict[str, Rule] = {
    "const": _const,
    "size": lambda node, xs, mod: _objects(structure.lengths(node.params, mod.sizes)[0]),
    "iota": lambda node, xs, mod: _objects(
        np.arange(structure.lengths(node.shape, mod.sizes)[0]).astype(object)
    ),
    "delta": lambda node, xs, mod: _each(int, _objects(structure.delta(node, mod.sizes))),
    "add": lambda node, xs, mod: mod(xs[0] + xs[1]),
    "mul": lambda node, xs, mod: mod(xs[0] * xs[1]),
    "neg": lambda node, xs, mod: mod(-xs[0]),
    "div": _div,
    "power": _power,
    "less": _exactly(lambda a, b: a < b),
    "equal": _exactly(lambda a, b: a == b),
    "not": _exactly(lambda c: not c),
    "and": _exactly(lambda a, b: a and b),
    "select": _select,
    "contract": _contract,
    "reduce_mul": _folded(lambda a, b: a * b, 1),
    "reduce_max": _folded(max, None),
    **dict.fromkeys(structure.MOVES, _moved),
    "solve": _solve,
    "det": _det,
    "logdet": lambda node, xs, mod: _unknown(node, [_det(node, xs, mod)], mod),
    **dict.fromkeys(
        (
            *("log", "sin", "cos", "arctan", "erf", "lgamma", "polygamma"),
            *("arcsin", "arccos", "arcsinh", "arccosh"),
        ),
        _unknown,
    ),
    "abs": _exactly(abs),
    "sign": _exactly(lambda a: (a > 0) - (a < 0)),
    "maximum": _exactly(max),
    "minimum": _exactly(min),
}
#: Handled by `evaluate` itself: inputs, and exp by its law.
GIVEN = frozenset({"input", "exp"})
