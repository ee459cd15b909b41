"""The graph in jets: every entry is a value and its derivative in one direction, both balls.

The rules are forward ones, for the primitives only, and lean on nothing of `graph.adjoint`; a
defined function is differentiated through its definition and not by its row's slopes. So jets can
hold both to account. A derivative at a kink (two sides of a comparison that are equal, a tie for
the largest, an integer under a floor) is a hole: there is none, or it cannot be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from chainrule.errors import UsageError
from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.node import Node
from chainrule.values import certified, structure
from chainrule.values.ball import Undecided, exact
from chainrule.values.ball_sums import checked, contracted
from chainrule.values.entries import (
    ENTRIES,
    LIFTED,
    ONE,
    ZERO,
    add,
    as_objects,
    balls,
    collected,
    divide,
    filled,
    lifted,
    multiply,
    negate,
    polygamma,
    raise_hole,
    rational_power,
)
from chainrule.values.structure import Array, Sizes

#: Values, and derivatives; None where nothing moves, whatever the direction.
Jet = tuple[Array, Array | None]
Rule = Callable[[Node, list[Jet], Sizes], Array | None]  # given the value as the first jet


def enclose(
    outputs: Sequence[Node],
    values: Mapping[str, Any],
    tangents: Mapping[str, Any],
    sizes: Sizes | None = None,
) -> list[tuple[Array, Array]]:
    """The values of nodes and their derivatives in a direction, as arrays of balls.

    values : as for `certified.enclose`. tangents : the direction, by input name and of the inputs'
    shapes; an input without one stays where it is. sizes : axis → size.
    Returns (value, derivative) for each output.
    Raises Undefined, Undecided (also at a kink), UsageError, ShapeError.

    >>> from chainrule.graph.node import Graph
    >>> g = Graph()
    >>> x = g.input("x", ())
    >>> value, slope = enclose([g.power(x, 3)], {"x": 2}, {"x": 1})[0]
    >>> print(value, slope)
    8.00000000000000 12.0000000000000
    """
    found = holed(outputs, values, tangents, sizes)
    for value, slope in found:
        raise_hole(value)
        raise_hole(slope)
    return found


def holed(
    outputs: Sequence[Node],
    values: Mapping[str, Any],
    tangents: Mapping[str, Any],
    sizes: Sizes | None = None,
) -> list[tuple[Array, Array]]:
    """`enclose` with its holes: an entry is an arb, or what `enclose` would raise for it."""
    arrays = certified.given(outputs, values)
    known = structure.sizes_of(outputs, {k: v.shape for k, v in arrays.items()}, sizes)
    moves: dict[str, Array] = {}
    for name, node in structure.inputs_of(outputs).items():
        if name not in tangents:
            continue
        if node.kind != "f":
            raise UsageError(f"{name} is not a real input: it has no direction to move in")
        moves[name] = balls(tangents[name])
        if moves[name].shape != arrays[name].shape:
            raise UsageError(
                f"the direction of {name} has the shape {moves[name].shape}, "
                f"and {name} has {arrays[name].shape}"
            )

    def rule(node: Node, xs: list[Jet]) -> Jet:
        if node.op == "input":
            return arrays[node.params[0]], moves.get(node.params[0])
        return through(node, xs, known)

    out = []
    for value, slope in structure.interpret(outputs, rule):
        still = filled(value.shape) if slope is None else checked(as_objects(slope))
        value = checked(as_objects(value))
        out.append((np.array(value), np.array(_where_defined(value, still))))
    return out


def through(node: Node, xs: list[Jet], sizes: Sizes) -> Jet:
    """One node on jets."""
    if node.op == "reduce_max":
        return _reduce_max(node, xs[0])
    value = certified.RULES[node.op](node, [x for x, _ in xs], sizes)
    if all(d is None for _, d in xs):
        return value, None
    slope = RULES[node.op](node, [(value, None), *xs], sizes)
    return value, None if slope is None else _where_defined(value, slope)


def _where_defined(value: Array, slope: Array) -> Array:
    """Slopes, with the holes of the values."""
    return as_objects(_DEFINED(value, slope))


_DEFINED = np.frompyfunc(lambda v, d: d if isinstance(v, arb) else v, 2, 1)


def _sum(*parts: Array | None) -> Array | None:
    total: Array | None = None
    for part in parts:
        if part is not None:
            total = part if total is None else add(total, part)
    return total


def _times(a: Array | None, b: Array) -> Array | None:
    return None if a is None else multiply(a, b)


def _over(a: Array | None, b: Array) -> Array | None:
    return None if a is None else divide(a, b)


def _still(x: Jet) -> Array:
    """The derivatives, zeros where nothing moves."""
    return filled(x[0].shape) if x[1] is None else np.broadcast_to(x[1], x[0].shape)


# -- elementwise ---------------------------------------------------------------------------------


def _mul(node: Node, js: list[Jet], sizes: Sizes) -> Array | None:
    _, (a, da), (b, db) = js
    return _sum(_times(da, b), _times(db, a))


def _div(node: Node, js: list[Jet], sizes: Sizes) -> Array | None:
    (y, _), (_, da), (b, db) = js
    return _over(_sum(da, _times(None if db is None else negate(db), y)), b)


def _power(node: Node, js: list[Jet], sizes: Sizes) -> Array | None:
    q: Fraction = node.params[0]
    if q == 0:
        return None
    slope = lifted(lambda x: exact(q) * rational_power(q - 1, x), 1)
    return _times(js[1][1], slope(js[1][0]))


def _unary(slope: Callable[[arb, arb], arb]) -> Rule:
    """A rule from (value, argument) → slope."""
    on_arrays = lifted(slope, 2)

    def rule(node: Node, js: list[Jet], sizes: Sizes) -> Array | None:
        return _times(js[1][1], on_arrays(js[0][0], js[1][0]))

    return rule


def _erf_slope(y: arb, x: arb) -> arb:
    return 2 / arb.pi().sqrt() * ENTRIES["exp"](-(x * x))


def _polygamma(node: Node, js: list[Jet], sizes: Sizes) -> Array | None:
    slope = lifted(lambda x: polygamma(node.params[0] + 1, x), 1)
    return _times(js[1][1], slope(js[1][0]))


def _kink(a: Any, b: Any, da: Any, db: Any) -> Any:
    """The derivative of a comparison: 0 where its sides are apart or move as one, else a hole."""
    for x in (a, b, da, db):
        if not isinstance(x, arb):
            return x
    if a is b and da is db:
        return ZERO
    if a < b or a > b:
        return ZERO
    return Undecided("a derivative where the two sides of a comparison may be equal")


_KINK = np.frompyfunc(_kink, 4, 1)


def _compare(node: Node, js: list[Jet], sizes: Sizes) -> Array | None:
    if node.inputs[0] is node.inputs[1]:
        return None
    _, a, b = js
    return as_objects(_KINK(a[0], b[0], _still(a), _still(b)))


def _chosen(c: Any, dc: Any, da: Any, db: Any) -> Any:
    for x in (c, dc):
        if not isinstance(x, arb):
            return x
    return da if c == 1 else db


_SELECT = np.frompyfunc(_chosen, 4, 1)


def _select(node: Node, js: list[Jet], sizes: Sizes) -> Array | None:
    _, c, a, b = js
    return as_objects(_SELECT(c[0], _still(c), _still(a), _still(b)))


def _step(x: Any, dx: Any) -> Any:
    for part in (x, dx):
        if not isinstance(part, arb):
            return part
    if x.contains_integer():
        return Undecided("the derivative of floor where its argument may be an integer")
    return ZERO


_FLOOR = np.frompyfunc(_step, 2, 1)


def _defined(node: Node, js: list[Jet], sizes: Sizes) -> Array | None:
    """Through the definition."""
    arguments, result = structure.definition(node.op)
    at = dict(zip(arguments, js[1:], strict=True))

    def rule(inner: Node, xs: list[Jet]) -> Jet:
        return at[inner] if inner.op == "input" else through(inner, xs, sizes)

    return structure.interpret([result], rule)[0][1]


# -- reductions, moves, linear algebra -----------------------------------------------------------


def _contract(node: Node, js: list[Jet], sizes: Sizes) -> Array | None:
    labels, out = node.params
    xs = [x for x, _ in js[1:]]
    parts = []
    for k, (x, d) in enumerate(js[1:]):
        if d is not None:
            moving = np.broadcast_to(d, x.shape)
            parts.append(contracted(labels, out, [*xs[:k], moving, *xs[k + 1 :]]))
    return _sum(*parts)


def _joined(pairs: Jet, axes: Sequence[int], join: Callable[[Any, Any], Any], start: Any) -> Jet:
    """(value, derivative) pairs of entries joined along axes."""
    x, d = pairs[0], _still(pairs)
    others = [a for a in range(x.ndim) if a not in axes]
    shape = tuple(x.shape[a] for a in others)
    count = int(np.prod(shape)), int(np.prod([x.shape[a] for a in axes]))
    lines = zip(
        *(np.transpose(a, (*others, *axes)).reshape(count).tolist() for a in (x, d)), strict=True
    )
    out = []
    for values, slopes in lines:
        total = start
        for pair in zip(values, slopes, strict=True):
            total = pair if total is start else join(total, pair)
        out.append(total)
    return collected([v for v, _ in out], shape), collected([d for _, d in out], shape)


def _product(a: tuple[Any, Any], b: tuple[Any, Any]) -> tuple[Any, Any]:
    slope = add(multiply(a[1], b[0]), multiply(a[0], b[1]))
    return multiply(a[0], b[0])[()], slope[()]


def _reduce_mul(node: Node, js: list[Jet], sizes: Sizes) -> Array | None:
    return _joined(js[1], node.params[0], _product, (ONE, ZERO))[1]


def _larger(a: tuple[Any, Any], b: tuple[Any, Any]) -> tuple[Any, Any]:
    for x in (a[0], b[0]):
        if not isinstance(x, arb):
            return x, x
    if a[0] is b[0] and a[1] is b[1]:
        return a
    if a[0] > b[0]:
        return a
    if b[0] > a[0]:
        return b
    larger = LIFTED["maximum"](a[0], b[0])[()]
    return larger, Undecided("the derivative of the largest where two may be equal")


def _reduce_max(node: Node, x: Jet) -> Jet:
    if x[1] is None:
        return certified.RULES["reduce_max"](node, [x[0]], {}), None
    hole = Undecided("the largest of no numbers")
    return _joined(x, node.params[0], _larger, (hole, hole))


def _moved(node: Node, js: list[Jet], sizes: Sizes) -> Array | None:
    moving, where = structure.split(node, js[1:])
    return certified.RULES[node.op](node, [*map(_still, moving), *(i for i, _ in where)], sizes)


def _solve(node: Node, js: list[Jet], sizes: Sizes) -> Array | None:
    """(A⁻¹B)' = A⁻¹(B' − A'A⁻¹B)."""
    (y, _), a, b = js
    right = _still(b)
    if a[1] is not None:
        right = add(right, negate(_batch_product(_still(a), y)))
    return certified.RULES["solve"](node, [a[0], right], sizes)


def _batch_product(a: Array, b: Array) -> Array:
    lead = list(range(2, a.ndim))
    return contracted([[*lead, 0, 1], [*lead, 1, a.ndim]], [*lead, 0, a.ndim], [a, b])


def _logdet(node: Node, js: list[Jet], sizes: Sizes) -> Array | None:
    """tr(A⁻¹A')."""
    a = js[1]
    lead = list(range(1, a[0].ndim - 1))
    ratio = certified.RULES["solve"](node, [a[0], _still(a)], sizes)
    return contracted([[*lead, 0, 0]], lead, [ratio])


def _det(node: Node, js: list[Jet], sizes: Sizes) -> Array | None:
    """The sum, over the rows, of the determinant with that row's derivative in its place."""
    a, d = js[1][0], _still(js[1])
    total: Array = filled(a.shape[:-2])
    for row in range(a.shape[-1]):
        with_row = np.array(a)
        with_row[..., row, :] = d[..., row, :]
        total = add(total, certified.RULES["det"](node, [with_row], sizes))
    return total


def _none(node: Node, js: list[Jet], sizes: Sizes) -> Array | None:
    return None


RULES: dict[str, Rule] = {
    **dict.fromkeys(("const", "size", "iota", "delta"), _none),
    "add": lambda node, js, sizes: _sum(js[1][1], js[2][1]),
    "mul": _mul,
    "div": _div,
    "neg": lambda node, js, sizes: negate(_still(js[1])),
    "power": _power,
    "less": _compare,
    "equal": _compare,
    "not": lambda node, js, sizes: js[1][1],
    "and": lambda node, js, sizes: _sum(js[1][1], js[2][1]),
    "select": _select,
    "floor": lambda node, js, sizes: as_objects(_FLOOR(js[1][0], _still(js[1]))),
    "contract": _contract,
    "reduce_mul": _reduce_mul,
    "reduce_max": lambda node, js, sizes: _reduce_max(node, js[1])[1],
    "solve": _solve,
    "det": _det,
    "logdet": _logdet,
    **dict.fromkeys(structure.MOVES, _moved),
    "exp": _unary(lambda y, x: y),
    "log": _unary(lambda y, x: 1 / x),
    "sin": _unary(lambda y, x: ENTRIES["cos"](x)),
    "cos": _unary(lambda y, x: -ENTRIES["sin"](x)),
    "arctan": _unary(lambda y, x: 1 / (1 + x * x)),
    "erf": _unary(_erf_slope),
    "lgamma": _unary(lambda y, x: polygamma(0, x)),
    "polygamma": _polygamma,
    **{name: _defined for name, f in FUNCTIONS.items() if f.define is not None},
}
#: Handled by `enclose` itself.
GIVEN = frozenset({"input"})
