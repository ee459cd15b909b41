"""Constants, parts of arrays and linear algebra without indices: one rule for each operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.graph.node import Node, constant
from chainrule.graph.notation.matrix_form import ones
from chainrule.graph.notation.terms import (
    Call,
    Entry,
    Identity,
    Name,
    Number,
    Product,
    Relation,
    Term,
    added,
    chained,
    divided,
    entries,
    inverted,
    is_family,
    is_ones,
    joined,
    negated,
    number,
    sized,
    split,
    times,
    transposed,
)
from chainrule.graph.sizes import Shape, Size

if TYPE_CHECKING:
    from chainrule.graph.notation.former import Former

Used = frozenset[str]
SHOWN_ENTRIES = 12  # of a constant array; a longer one is const#3

# -- leaves ----------------------------------------------------------------------------------------


def _decimal(value: float) -> Term:
    """A written float, its sign in front."""
    if not np.isfinite(value):
        name = Name("nan", r"\mathrm{nan}") if np.isnan(value) else Name("∞", r"\infty")
        return negated(name) if value < 0 else name
    text = repr(abs(value)).replace("e-0", "e-").replace("e+", "e").removesuffix(".0")
    digits, _, power = text.partition("e")
    latex = digits
    if power:
        latex = f"10^{{{power}}}" if digits == "1" else rf"{digits} \cdot 10^{{{power}}}"
    found = Name(text, latex, kind="value")
    return negated(found) if value < 0 else found


def _scalar(value: Any) -> str:
    return str(int(value)) if np.asarray(value).dtype.kind in "ib" else repr(float(value))


def _array(value: np.ndarray) -> Term:
    """[1, 2] for one axis, a column; [1, 2; 3, 4] for a matrix."""
    if value.ndim == 1 or 1 in value.shape:
        text = ", ".join(_scalar(v) for v in value.flat)
        column = Name(f"[{text}]", rf"\left[{text}\right]", True)
        return transposed(column) if value.ndim == 2 and value.shape[0] == 1 else column
    rows = [", ".join(_scalar(v) for v in row) for row in value]
    text, latex = "; ".join(rows), r" \\ ".join(r.replace(",", " &") for r in rows)
    return Name(f"[{text}]", rf"\begin{{bmatrix}} {latex} \end{{bmatrix}}", True)


def _const(former: Former, node: Node, used: Used) -> Term:
    how = node.params[0]
    if how == "number":
        return Number(node.params[1])
    if how == "named":
        return {
            "pi": Name("π", r"\pi"),
            "e": Call("exp", r"\exp", (number(1),), False, "exp"),
            "euler_gamma": Name("γ", r"\gamma"),
        }[node.params[1]]
    value = constant(node)
    if how in ("near", "infinite"):
        return _decimal(value)
    if not value.size:
        return Name(f"empty{value.shape}".replace(" ", ""), r"\emptyset", True)
    first = float(value.flat[0])
    if np.all(value == value.flat[0]) and first.is_integer():
        block = ones(node.shape)
        one = number(int(first))
        return times(one, block) if block is not None else one
    if not entries(node.shape):
        return _decimal(first)
    if value.size > SHOWN_ENTRIES or value.ndim > 2:
        return Name(f"const#{node.number}", rf"\mathrm{{const}}_{{{node.number}}}", True)
    return _array(value)


def _size(former: Former, node: Node, used: Used) -> Term:
    return sized(node.graph.size(node.params[0]))


def _iota(former: Former, node: Node, used: Used) -> Term:
    last = added([sized(node.shape[0]), number(-1)])
    parts = (number(0), Name("…", r"\dots"), last)
    return Call(", ", ", ", parts, entries(node.shape), "brackets")


def _delta(former: Former, node: Node, used: Used) -> Term:
    k = node.params[2]
    if k == 0 and node.shape[0] == node.shape[1]:
        return Identity() if entries(node.shape) else number(1)
    parts = (sized(node.shape[0]), sized(node.shape[1]), *((number(k),) if k else ()))
    return Call("eye", r"\operatorname{eye}", parts, entries(node.shape))


# -- structure -------------------------------------------------------------------------------------


def _reshape(former: Former, node: Node, used: Used) -> Term:
    """Columns and rows stay what they are; else reshape(A, (n, m)), row by row."""
    x = node.inputs[0]
    term = former.form(x, used)
    have = [s for s in x.shape if s != 1]
    want = [s for s in node.shape if s != 1]
    if not have and not want:
        return term
    if have == want and len(want) <= 2 and x.ndim <= 2 and node.ndim <= 2:
        row = x.ndim == 2 and len(have) == 1 and x.shape[0] == 1
        to_row = node.ndim == 2 and len(want) == 1 and node.shape[0] == 1
        if row == to_row:
            return term
        if not is_family(term):
            return transposed(term)
    shape = ", ".join(str(s) for s in node.shape) + ("," if node.ndim == 1 else "")
    parts = (term, Name(f"({shape})", f"({shape})"))
    return Call("reshape", r"\operatorname{reshape}", parts, entries(node.shape))


def _subscript(shape: Shape, spec: Sequence[tuple[Any, ...]]) -> tuple[Term, ...]:
    return tuple(
        sized(part[1]) if part[0] == "at" else _slice(part[1], part[2], part[3], whole)
        for part, whole in zip(spec, shape, strict=True)
    )


def _slice(first: Size, step: int, length: Size, whole: Size) -> Term:
    """first:stop:step, as NumPy writes it; stop is the first position that is not taken."""
    stop = first + step * length
    begins = first == 0 if step > 0 else first == whole - 1
    ends = stop == whole if step > 0 else first - stop == first + 1
    text = f"{'' if begins else first}:{'' if ends else stop}" + (f":{step}" if step != 1 else "")
    return Name(text.replace(" ", ""), text.replace("·", r" \cdot "))


def _index(former: Former, node: Node, used: Used) -> Term:
    x = node.inputs[0]
    at = _subscript(x.shape, node.params[0])
    return Entry(former.form(x, used), at, entries(node.shape))


def _changed(base: Term, at: tuple[Term, ...], value: Term, array: bool) -> Term:
    """with(A, …[0, :] = v): A with another value there."""
    p = split(base)
    if p.body is not None and is_ones(p.body):
        base = joined(Product(p.number, p.over, p.under))
    change = Relation("=", (Entry(Name("…", r"\dots"), at), value))
    return Call("with", r"\operatorname{with}", (base, change), array, "put")


def _put(former: Former, node: Node, used: Used) -> Term:
    base, value = (former.form(i, used) for i in node.inputs)
    at = _subscript(node.inputs[0].shape, node.params[0])
    return _changed(base, at, value, entries(node.shape))


def _put_at(former: Former, node: Node, used: Used) -> Term:
    base, value, *at = (former.form(i, used) for i in node.inputs)
    return _changed(base, tuple(at), value, entries(node.shape))


def _concat(former: Former, node: Node, used: Used) -> Term:
    axis = node.params[0]
    parts = tuple(former.form(i, used) for i in node.inputs)
    if node.ndim <= 2 and entries(node.shape):
        if axis == 1 and not any(p.array for p in parts):  # a row of numbers
            return transposed(Call("; ", r" \\ ", parts, True, "brackets"))
        text, latex = ("; ", r" \\ ") if axis == 0 else (", ", " & ")
        return Call(text, latex, parts, True, "brackets")
    named = (*parts, Name(f"axis {axis}", rf"\text{{axis }}{axis}"))
    return Call("concat", r"\operatorname{concat}", named, entries(node.shape))


# -- linear algebra, and the largest entry ---------------------------------------------------------


def _solve(former: Former, node: Node, used: Used) -> Term:
    a, b = (former.form(i, used) for i in node.inputs)
    if node.ndim == 2 and not is_family(a) and not is_family(b):
        if not a.array:
            return divided(b, a)
        return chained([inverted(a), b])
    return Call("solve", r"\operatorname{solve}", (a, b), entries(node.shape))


def _det(former: Former, node: Node, used: Used) -> Term:
    return Call("det", r"\det", (former.form(node.inputs[0], used),), entries(node.shape))


def _logdet(former: Former, node: Node, used: Used) -> Term:
    inner = (former.form(node.inputs[0], used),)
    return Call("logdet", "logdet", inner, entries(node.shape), "logdet")


def _reduced(former: Former, node: Node, used: Used) -> Term:
    x = node.inputs[0]
    term = former.form(x, used)
    if len(node.params[0]) < x.ndim or is_family(term) or not term.array:
        return former.family(node, used)
    if node.op == "reduce_mul":
        return Call("prod", r"\operatorname{prod}", (term,))
    return Call("max", r"\max", (term,))


FORMS: dict[str, Callable[[Former, Node, Used], Term]] = {
    "const": _const,
    "size": _size,
    "iota": _iota,
    "delta": _delta,
    "reshape": _reshape,
    "index": _index,
    "put": _put,
    "put_at": _put_at,
    "concat": _concat,
    "solve": _solve,
    "det": _det,
    "logdet": _logdet,
    "reduce_mul": _reduced,
    "reduce_max": _reduced,
}
