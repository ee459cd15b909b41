"""Operations that go entry by entry, on what their inputs are written as."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.node import ELEMENTWISE, Node
from chainrule.graph.notation.terms import (
    Call,
    Cases,
    Number,
    Relation,
    Term,
    added,
    divided,
    negated,
    raised,
    scalars,
    times,
)
from chainrule.graph.notation.typography import opposite

_HEADS = {  # what the rows of `functions` cannot say about brackets
    "log1p": ("log1p", r"\operatorname{log1p}"),
    "expm1": ("expm1", r"\operatorname{expm1}"),
    "exp2": ("exp2", r"\operatorname{exp2}"),
    "cbrt": ("cbrt", r"\operatorname{cbrt}"),
    "logaddexp": ("logaddexp", r"\operatorname{logaddexp}"),
    "hypot": ("hypot", r"\operatorname{hypot}"),
    "lgamma": ("lgamma", r"\log\Gamma"),
}
_FLIPPED = {"<": ">", ">": "<", "≤": "≥", "≥": "≤"}


def elementwise(node: Node) -> bool:
    """Whether an entry of it needs only the entries at the same place."""
    return node.op in ELEMENTWISE or node.op in FUNCTIONS


def operation(node: Node, parts: Sequence[Term], array: bool) -> Term:
    """An elementwise operation on numbers, or on arrays of one shape. array : whether it is one."""
    op = node.op
    if op == "add":
        return added(parts)
    if op == "mul":
        return times(*parts)
    if op == "div":
        return divided(parts[0], parts[1])
    if op == "neg":
        return negated(parts[0])
    if op == "power":
        return raised(parts[0], node.params[0])
    if op == "floor":
        return Call("floor", "floor", tuple(parts), array, "floor")
    if op == "not":
        return denied(parts[0])
    if op in ("less", "equal", "and"):
        return _relation(op, scalars(parts))
    if op == "select":
        return _cases(scalars(parts))
    return function(op, tuple(parts), array, node.params)


def _relation(op: str, parts: Sequence[Term]) -> Term:
    return _number_last({"less": "<", "equal": "=", "and": "and"}[op], tuple(parts))


def _number_last(sign: str, sides: tuple[Term, ...]) -> Term:
    """x > 0, not 0 < x."""
    a, b = sides
    if isinstance(a, Number) and not isinstance(b, Number) and sign not in ("and", "or"):
        return Relation(_FLIPPED.get(sign, sign), (b, a))
    return Relation(sign, (a, b))


def denied(c: Term) -> Term:
    """What holds where a condition does not."""
    if isinstance(c, Relation):
        sign = opposite(c.sign)
        if sign is not None:
            return _number_last(sign, c.sides)
        if c.sign == "not":
            return c.sides[0]
        if c.sign == "and":
            return Relation("or", tuple(denied(s) for s in c.sides))
        if c.sign == "or":
            return Relation("and", tuple(denied(s) for s in c.sides))
    return Relation("not", (c,))


def _cases(parts: Sequence[Term]) -> Term:
    c, a, b = parts
    if isinstance(c, Relation):
        if a == Number(Fraction(1)) and b == Number(Fraction(0)):
            return c
        if a == Number(Fraction(0)) and b == Number(Fraction(1)):
            return denied(c)
    return Cases(c, a, b)


def function(name: str, parts: tuple[Term, ...], array: bool, params: tuple[object, ...]) -> Term:
    """A function of the table."""
    row = FUNCTIONS[name]
    if name == "exp":
        return Call("exp", r"\exp", parts, array, "exp")
    if name == "abs":
        return Call("abs", "abs", parts, array, "bars")
    if name == "pow":
        return Call("pow", r"\operatorname{pow}", parts, array, "to")
    if name == "polygamma":
        order = Number(Fraction(str(params[0])))
        return Call("polygamma", r"\operatorname{polygamma}", (order, *parts), array)
    text = row.text.split("(")[0]
    latex = row.latex.split("{{{0}")[0].split("({0")[0].replace("{{", "{").replace("}}", "}")
    return Call(*_HEADS.get(name, (text, latex)), parts, array)
