"""The graph in balls: every entry is an interval that surely contains the exact value.

Inputs are exact numbers, sums are exact but for the precision in force, and a function is FLINT's
own where it has one. An entry that has no value, or whose value cannot be told, is a `Hole`: the
exception itself in the entry's place. Whatever uses a hole is a hole; `select` uses only the
branch that it takes, so an undefined other branch does no harm. A hole in an output is raised.

One object is one real number: an entry that was moved, or picked as the largest, is still the same
object, so that `x == max(x)` is decided where x is known only roughly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from flint import arb

from chainrule.errors import UsageError
from chainrule.graph.node import Node, constant
from chainrule.values import structure
from chainrule.values.ball import Ball, Undecided, Undefined, finite_or_infinite
from chainrule.values.ball_sums import checked, contracted, det, folded, logdet, solve
from chainrule.values.entries import (
    LIFTED,
    ONE,
    ZERO,
    add,
    as_objects,
    balls,
    both,
    divide,
    floor,
    infinities,
    larger,
    lifted,
    multiply,
    negate,
    polygamma,
    raise_hole,
    rational_power,
    sign_between,
)
from chainrule.values.structure import Array, Sizes

Rule = Callable[[Node, list[Array], Sizes], Array]


def enclose(
    outputs: Sequence[Node], values: Mapping[str, Any], sizes: Sizes | None = None
) -> list[Array]:
    """Balls that contain the exact values of nodes, at the precision in force (`ball.precision`).

    values : by input name, numbers or arrays of them: int, float, Fraction, as exactly what they
    are, or arb. sizes : axis → size, for axes that no input reached tells.
    Returns object arrays of arb; conditions are 0 or 1.
    Raises Undefined where an entry of an output certainly has no value, Undecided where that
    cannot be told or a comparison cannot, UsageError and ShapeError for inputs that do not fit.

    >>> from chainrule.graph.node import Graph
    >>> g = Graph()
    >>> x = g.input("x", ())
    >>> root = g.call("log", x)
    >>> print(enclose([g.select(g.less(x, g.number(0)), g.number(0), root)], {"x": -1})[0])
    0
    """
    found = holed(outputs, values, sizes)
    for array in found:
        raise_hole(array)
    return found


def holed(
    outputs: Sequence[Node],
    values: Mapping[str, Any],
    sizes: Sizes | None = None,
    *,
    infinite: bool = False,
) -> list[Array]:
    """`enclose` with its holes: an entry is an arb, or what `enclose` would raise for it.

    infinite : whether an entry may be ±∞; that is no real number, and else a hole.
    """
    arrays = given(outputs, values)
    known = structure.sizes_of(outputs, {k: v.shape for k, v in arrays.items()}, sizes)

    def rule(node: Node, xs: list[Array]) -> Array:
        if node.op == "input":
            return arrays[node.params[0]]
        return RULES[node.op](node, xs, known)

    found = [np.array(v) for v in structure.interpret(outputs, rule)]
    if infinite:
        return found
    pairs = zip(outputs, found, strict=True)
    return [np.array(checked(v)) if o.infinite else v for o, v in pairs]


def given(outputs: Sequence[Node], values: Mapping[str, Any]) -> dict[str, Array]:
    """The inputs reached as arrays of balls. Raises UsageError for what does not fit."""
    arrays = {}
    for name, node in structure.inputs_of(outputs).items():
        if name not in values:
            raise UsageError(f"no value was given for {name}")
        arrays[name] = array = balls(values[name])
        if node.kind == "i" and not all(x.is_integer() for x in array.flat):
            raise UsageError(f"{name} must hold integers, and holds others")
        if node.kind == "b" and not all(x.is_exact() and (x == 0 or x == 1) for x in array.flat):
            raise UsageError(f"{name} must hold bools, and holds others")
    return arrays


def named(name: str) -> arb:
    """pi, e, euler_gamma."""
    return {"pi": arb.pi, "e": arb.const_e, "euler_gamma": arb.const_euler}[name]()


def _const(node: Node, xs: list[Array], sizes: Sizes) -> Array:
    how = node.params[0]
    if how == "named":
        return as_objects(named(node.params[1]))
    if how == "infinite":
        return infinities(node.params[1])
    if how == "near":
        value = Ball.number(constant(node))
        assert value is not None
        return as_objects(value)
    return balls(constant(node))


def _elementwise(f: Callable[..., Array]) -> Rule:
    return lambda node, xs, sizes: f(*xs)


def _power(node: Node, xs: list[Array], sizes: Sizes) -> Array:
    return lifted(lambda x: rational_power(node.params[0], x), 1)(xs[0])


def _polygamma(node: Node, xs: list[Array], sizes: Sizes) -> Array:
    return lifted(lambda x: polygamma(node.params[0], x), 1)(xs[0])


def _chosen(c: Any, a: Any, b: Any) -> Any:
    return c if not isinstance(c, arb) else a if c == 1 else b


_SELECT = np.frompyfunc(_chosen, 3, 1)


def _reduce_max(node: Node, xs: list[Array], sizes: Sizes) -> Array:
    nothing = Undefined("the largest of no numbers")
    return folded(larger, xs[0], node.params[0], nothing, finite_or_infinite)


def _reduce_mul(node: Node, xs: list[Array], sizes: Sizes) -> Array:
    return folded(lambda a, b: a * b, xs[0], node.params[0], ONE)


def whole(x: Array) -> Array:
    """Balls as the integers that they are, to index with. Raises Undecided, Undefined."""
    raise_hole(x)
    out = []
    for v in x.flat:
        n = v.unique_fmpz() if v.is_exact() else None
        if n is None:
            raise Undecided("an index that cannot be told")
        out.append(int(n))
    return np.array(out, np.int64).reshape(x.shape)


def _moved(node: Node, xs: list[Array], sizes: Sizes) -> Array:
    moving, where = structure.split(node, xs)
    try:
        return structure.moved(node, moving, [whole(x) for x in where], sizes, ZERO, _ADD)
    except IndexError as e:
        raise Undefined(f"an index out of range: {e}") from None


def _plus(a: Any, b: Any) -> Any:
    return add(a, b)[()]


_ADD = np.frompyfunc(_plus, 2, 1)


RULES: dict[str, Rule] = {
    "const": _const,
    "size": lambda node, xs, sizes: balls(structure.lengths(node.params, sizes)[0]),
    "iota": lambda node, xs, sizes: balls(np.arange(structure.lengths(node.shape, sizes)[0])),
    "delta": lambda node, xs, sizes: balls(structure.delta(node, sizes)),
    "add": _elementwise(add),
    "mul": _elementwise(multiply),
    "div": _elementwise(divide),
    "neg": _elementwise(negate),
    "power": _power,
    "less": _elementwise(lifted(lambda a, b: ONE if sign_between(a, b) < 0 else ZERO, 2)),
    "equal": _elementwise(lifted(lambda a, b: ONE if sign_between(a, b) == 0 else ZERO, 2)),
    "not": _elementwise(lifted(lambda c: 1 - c, 1)),
    "and": _elementwise(lifted(both, 2)),
    "select": lambda node, xs, sizes: as_objects(_SELECT(*xs)),
    "floor": _elementwise(lifted(floor, 1)),
    "contract": lambda node, xs, sizes: contracted(node.params[0], node.params[1], xs),
    "reduce_mul": _reduce_mul,
    "reduce_max": _reduce_max,
    "solve": solve,
    "det": det,
    "logdet": logdet,
    **dict.fromkeys(structure.MOVES, _moved),
    "polygamma": _polygamma,
    **{name: _elementwise(f) for name, f in LIFTED.items()},
}
#: Handled by `enclose` itself.
GIVEN = frozenset({"input"})
