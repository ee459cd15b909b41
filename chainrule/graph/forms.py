"""A node as a term: as matrices where that says it, else entry by entry with indices.

`Former.form` writes a node without indices; where it cannot, the array is the family of its
entries, (Σ_k W[i,k,l] x[k])_i,l. `Former.entry` writes one entry. Both stop where the one who asks
says so: at named nodes, at calls of functions, at their slopes. Indices count from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.matrix_form import contracted, lifted, ones
from chainrule.graph.node import ELEMENTWISE, Node, constant
from chainrule.graph.sizes import Shape, Size
from chainrule.graph.terms import (
    Call,
    Cases,
    Entry,
    Family,
    Identity,
    Name,
    Number,
    Product,
    Relation,
    Sum,
    Term,
    Total,
    added,
    chained,
    divided,
    inverted,
    is_family,
    is_ones,
    joined,
    negated,
    number,
    raised,
    scalars,
    sized,
    split,
    times,
    transposed,
)
from chainrule.graph.typography import opposite

Indices = tuple[Term, ...]
Stop = Callable[[Node], Term | None]
SHOWN_ENTRIES = 12
_LETTERS = "ijklpqrsuvw"


def entries(shape: Shape) -> bool:
    """Whether a shape has more than one entry, as far as is known."""
    return any(s != 1 for s in shape)


def elementwise(node: Node) -> bool:
    """Whether an entry of it needs only the entries at the same place."""
    return node.op in ELEMENTWISE or node.op in FUNCTIONS


class Former:
    """Writes nodes.

    stop : a node as the term that stands for it, or None to go on.
    taken : names that indices must not have.
    """

    def __init__(self, stop: Stop, taken: Iterable[str] = ()) -> None:
        self.stop = stop
        self.taken = set(taken)

    # -- without indices -----------------------------------------------------------------------

    def form(self, node: Node, used: frozenset[str] = frozenset(), open_: bool = False) -> Term:
        """A node without indices outside of brackets. open_ : do not stop at the node itself."""
        found = None if open_ else self.stop(node)
        if found is not None:
            return found
        if elementwise(node):
            return self._elementwise(node, used) or self._family(node, used)
        if node.op == "contract":
            terms = [self.form(i, used) for i in node.inputs]
            return contracted(node, terms) or self._family(node, used)
        if node.op == "broadcast":
            return self._broadcast(node, used) or self._family(node, used)
        if node.op in _FORMS:
            return _FORMS[node.op](self, node, used)
        return self._family(node, used)

    def _family(self, node: Node, used: frozenset[str]) -> Term:
        indices, inner = self.letters(node.shape, used)
        term = self.entry(node, indices, inner, open_=True)
        return Family(term, indices) if entries(node.shape) else term

    def letters(self, shape: Shape, used: frozenset[str]) -> tuple[Indices, frozenset[str]]:
        """An index for each axis, 0 for axes of size 1, and the letters in use then."""
        free = self._free(used)
        indices: list[Term] = []
        for s in shape:
            if s == 1:
                indices.append(number(0))
            else:
                letter = next(free)
                used |= {letter}
                indices.append(Name(letter, letter))
        return tuple(indices), used

    def _free(self, used: frozenset[str]) -> Iterator[str]:
        for letter in [*_LETTERS, *(f"i_{k}" for k in range(1, 10**6))]:
            if letter not in used and letter not in self.taken:
                yield letter

    def _elementwise(self, node: Node, used: frozenset[str]) -> Term | None:
        parts = [self.form(i, used) for i in node.inputs]
        if any(is_family(p) for p in parts):
            return None
        whole = [
            i.shape == node.shape and not is_ones(split(p).body or p)
            for i, p in zip(node.inputs, parts, strict=True)
        ]
        stretched: list[Term] = []
        for i, p in zip(node.inputs, parts, strict=True):
            bare = node.op == "add" and any(whole) and i.ndim == 2 and i.shape != node.shape
            if bare and isinstance(split(p).body, Name):
                stretched.append(p)  # a named column is added to every column
                continue
            lift = lifted(p, i.shape, node.shape)
            if lift is None:
                return None
            stretched.append(lift)
        return operation(node, stretched, entries(node.shape))

    def _broadcast(self, node: Node, used: frozenset[str]) -> Term | None:
        x = node.inputs[0]
        term = self.form(x, used)
        if entries(x.shape) or not entries(node.shape):
            return lifted(term, x.shape, node.shape)
        block = ones(node.shape)
        return times(term, block) if block is not None else term

    # -- one entry -----------------------------------------------------------------------------

    def entry(self, node: Node, at: Indices, used: frozenset[str], open_: bool = False) -> Term:
        """The entry of a node at indices, one for each axis."""
        found = None if open_ else self.stop(node)
        if found is not None:
            return self._at(found, at, used)
        if elementwise(node):
            parts = [self.entry(i, _aligned(at, i.shape), used) for i in node.inputs]
            return operation(node, parts, False)
        if node.op in _ENTRIES:
            result = _ENTRIES[node.op](self, node, at, used)
            if result is not None:
                return result
        return self._at(self.form(node, used, open_), at, used)

    def _at(self, term: Term, at: Indices, used: frozenset[str]) -> Term:
        if not at or not term.array:
            return term
        p = split(term)
        front = joined(Product(p.number, p.over, p.under))
        body = p.body
        assert body is not None
        if is_ones(body):
            return front
        return times(front, Entry(body, at))


def _aligned(at: Indices, shape: Shape) -> Indices:
    """The indices of an input that is broadcast."""
    back = at[len(at) - len(shape) :]
    return tuple(number(0) if s == 1 else i for i, s in zip(back, shape, strict=True))


# -- operations on numbers, or on arrays of one shape ----------------------------------------------


def operation(node: Node, parts: Sequence[Term], array: bool) -> Term:
    """An elementwise operation on what its inputs are written as."""
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
    if op in ("less", "equal", "not", "and"):
        return _relation(op, scalars(parts))
    if op == "select":
        return _cases(scalars(parts))
    return function(op, tuple(parts), array, node.params)


def _relation(op: str, parts: Sequence[Term]) -> Term:
    if op == "less":
        a, b = parts
        if isinstance(a, Number) and not isinstance(b, Number):
            return Relation(">", (b, a))
        return Relation("<", (a, b))
    if op == "equal":
        return Relation("=", tuple(parts))
    if op == "and":
        return Relation("and", tuple(parts))
    inner = parts[0]
    if isinstance(inner, Relation):
        sign = opposite(inner.sign)
        if sign is not None:
            return _numbers_right(sign, inner.sides)
        if inner.sign == "not":
            return inner.sides[0]
        if inner.sign == "and":  # not (not a and not b) is a or b
            return Relation("or", tuple(_relation("not", [s]) for s in inner.sides))
    return Relation("not", (inner,))


def _numbers_right(sign: str, sides: tuple[Term, ...]) -> Term:
    a, b = sides
    if isinstance(a, Number) and not isinstance(b, Number):
        flipped = {"<": ">", ">": "<", "≤": "≥", "≥": "≤"}.get(sign, sign)
        return Relation(flipped, (b, a))
    return Relation(sign, (a, b))


def _cases(parts: Sequence[Term]) -> Term:
    c, a, b = parts
    if isinstance(c, Relation) and c.sign != "not":
        if a == Number(Fraction(1)) and b == Number(Fraction(0)):
            return c
        if a == Number(Fraction(0)) and b == Number(Fraction(1)):
            return _relation("not", [c])
    return Cases(c, a, b)


_HEADS = {  # what the rows of `functions` cannot say about brackets
    "log1p": ("log1p", r"\operatorname{log1p}"),
    "expm1": ("expm1", r"\operatorname{expm1}"),
    "exp2": ("exp2", r"\operatorname{exp2}"),
    "cbrt": ("cbrt", r"\operatorname{cbrt}"),
    "logaddexp": ("logaddexp", r"\operatorname{logaddexp}"),
    "hypot": ("hypot", r"\operatorname{hypot}"),
    "lgamma": ("lgamma", r"\log\Gamma"),
}


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
    latex = row.latex.split("{{{0}")[0].split("({0")[0]
    return Call(
        *_HEADS.get(name, (text, latex.replace("{{", "{").replace("}}", "}"))), parts, array
    )


# -- leaves ----------------------------------------------------------------------------------------


def _decimal(value: float) -> Term:
    """A written float, its sign in front."""
    if np.isinf(value):
        return Name("∞" if value > 0 else "(-∞)", r"\infty" if value > 0 else r"(-\infty)")
    text = repr(abs(value)).replace("e-0", "e-").replace("e+", "e").removesuffix(".0")
    digits, _, power = text.partition("e")
    latex = (
        (f"{digits} \\cdot 10^{{{power}}}" if digits != "1" else f"10^{{{power}}}")
        if power
        else digits
    )
    name = Name(text, latex, kind="value")
    return negated(name) if value < 0 else name


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


def _const(former: Former, node: Node, used: frozenset[str]) -> Term:
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
    if how == "near":
        return _decimal(value)
    if value.size and np.all(value == value.flat[0]) and np.isfinite(float(value.flat[0])):
        block = ones(node.shape)
        one = Number(Fraction(int(value.flat[0]))) if node.kind != "f" else None
        if one is None:
            first = float(value.flat[0])
            one = Number(Fraction(first)) if first.is_integer() else None
        if one is not None:
            return times(one, block) if block is not None else one
    if not entries(node.shape):
        return _decimal(float(value.flat[0]))
    if value.size > SHOWN_ENTRIES or value.ndim > 2:
        text = f"const#{node.number}"
        return Name(text, rf"\mathrm{{const}}_{{{node.number}}}", True)
    return _array(value)


def _size(former: Former, node: Node, used: frozenset[str]) -> Term:
    return sized(node.graph.size(node.params[0]))


def _iota(former: Former, node: Node, used: frozenset[str]) -> Term:
    last = added([sized(node.shape[0]), number(-1)])
    parts = (number(0), Name("…", r"\dots"), last)
    return Call(", ", ", ", parts, entries(node.shape), "brackets")


def _delta(former: Former, node: Node, used: frozenset[str]) -> Term:
    k = node.params[2]
    if k == 0 and node.shape[0] == node.shape[1]:
        return Identity() if entries(node.shape) else number(1)
    parts = (sized(node.shape[0]), sized(node.shape[1]), *((number(k),) if k else ()))
    return Call("eye", r"\operatorname{eye}", parts, entries(node.shape))


# -- structure -------------------------------------------------------------------------------------


def _reshape(former: Former, node: Node, used: frozenset[str]) -> Term:
    x = node.inputs[0]
    term = former.form(x, used)
    have = [s for s in x.shape if s != 1]
    want = [s for s in node.shape if s != 1]
    if not want or not have:
        if not term.array and not want:
            return term
    elif have == want and len(want) <= 2 and x.ndim <= 2 and node.ndim <= 2:
        row = x.ndim == 2 and len(have) == 1 and x.shape[0] == 1
        to_row = node.ndim == 2 and len(want) == 1 and node.shape[0] == 1
        return transposed(term) if row != to_row else term
    shape = ", ".join(str(s) for s in node.shape)
    comma = "," if node.ndim == 1 else ""
    wanted = Name(f"({shape}{comma})", rf"({shape})")
    return Call("reshape", r"\operatorname{reshape}", (term, wanted), entries(node.shape))


def _subscript(node_shape: Shape, spec: Sequence[tuple[object, ...]]) -> Indices:
    out: list[Term] = []
    for part, whole in zip(spec, node_shape, strict=True):
        first = part[1]
        assert isinstance(first, Size)
        if part[0] == "at":
            out.append(sized(first))
            continue
        step, length = part[2], part[3]
        assert isinstance(step, int) and isinstance(length, Size)
        out.append(_slice(first, step, length, whole))
    return tuple(out)


def _slice(first: Size, step: int, length: Size, whole: Size) -> Term:
    """first:stop:step, as NumPy writes it; stop is the first position that is not taken."""
    stop = first + step * length
    start_text = (
        "" if (first == 0 and step > 0) or (first == whole - 1 and step < 0) else str(first)
    )
    if step == 1:
        stop_text = "" if stop == whole else str(stop)
        text = f"{start_text}:{stop_text}"
    else:
        ends = stop == whole or (step < 0 and stop == -1)
        text = f"{start_text}:{'' if ends else stop}:{step}"
    return Name(text.replace(" ", ""), text.replace("·", r" \cdot "))


def _index(former: Former, node: Node, used: frozenset[str]) -> Term:
    x = node.inputs[0]
    spec = node.params[0]
    term = former.form(x, used)
    return Entry(term, _subscript(x.shape, spec), entries(node.shape))


def _put(former: Former, node: Node, used: frozenset[str]) -> Term:
    base, value = (former.form(i, used) for i in node.inputs)
    if is_ones(split(base).body or base):
        base = joined(Product(*_front(base)))
    at = _subscript(node.inputs[0].shape, node.params[0])
    target = Entry(Name("…", r"\dots"), at)
    change = Relation("=", (target, value))
    return Call("with", r"\operatorname{with}", (base, change), entries(node.shape), "put")


def _front(t: Term) -> tuple[Fraction, tuple[Term, ...], tuple[Term, ...]]:
    p = split(t)
    return p.number, p.over, p.under


def _put_at(former: Former, node: Node, used: frozenset[str]) -> Term:
    base, value, *at = (former.form(i, used) for i in node.inputs)
    if is_ones(split(base).body or base):
        base = joined(Product(*_front(base)))
    change = Relation("=", (Entry(Name("…", r"\dots"), tuple(at)), value))
    return Call("with", r"\operatorname{with}", (base, change), entries(node.shape), "put")


def _concat(former: Former, node: Node, used: frozenset[str]) -> Term:
    axis = node.params[0]
    parts = tuple(former.form(i, used) for i in node.inputs)
    if node.ndim <= 2 and entries(node.shape):
        if axis == 1 and not any(p.array for p in parts):  # a row of numbers
            return transposed(Call("; ", r" \\ ", parts, True, "brackets"))
        text, latex = ("; ", r" \\ ") if axis == 0 else (", ", " & ")
        return Call(text, latex, parts, True, "brackets")
    named = (*parts, Name(f"axis {axis}", rf"\text{{axis }}{axis}"))
    return Call("concat", r"\operatorname{concat}", named, entries(node.shape))


def _solve(former: Former, node: Node, used: frozenset[str]) -> Term:
    a, b = (former.form(i, used) for i in node.inputs)
    if node.ndim == 2 and not is_family(a) and not is_family(b):
        if not a.array:
            return divided(b, a)
        return chained([inverted(a), b])
    return Call("solve", r"\operatorname{solve}", (a, b), entries(node.shape))


def _det(former: Former, node: Node, used: frozenset[str]) -> Term:
    return Call("det", r"\det", (former.form(node.inputs[0], used),), entries(node.shape))


def _logdet(former: Former, node: Node, used: frozenset[str]) -> Term:
    inner = (former.form(node.inputs[0], used),)
    return Call("logdet", "logdet", inner, entries(node.shape), "logdet")


# -- entries ---------------------------------------------------------------------------------------


def _contract_entry(former: Former, node: Node, at: Indices, used: frozenset[str]) -> Term:
    labels, out = node.params
    index: dict[int, Term] = {}
    factors: list[Term] = []
    for name, i in zip(out, at, strict=True):
        if name in index:
            factors.append(Relation("=", (index[name], i)))
        index.setdefault(name, i)
    sizes = {
        n: s
        for ns, x in zip(labels, node.inputs, strict=True)
        for n, s in zip(ns, x.shape, strict=True)
    }
    gone = [n for n in sizes if n not in index]
    letters, inner = former.letters(tuple(sizes[n] for n in gone), used)
    index |= dict(zip(gone, letters, strict=True))
    for names, x in zip(labels, node.inputs, strict=True):
        factors.append(former.entry(x, tuple(index[n] for n in names), inner))
    return summed(factors, tuple(i for i in letters if isinstance(i, Name)))


def summed(factors: Sequence[Term], over: Indices) -> Term:
    """Σ of a product; the number in front of it goes in front of Σ."""
    product = times(*factors)
    if not over:
        return product
    p = split(product)
    bound = {i for i in over}
    outer = [t for t in p.over if not mentions(t, bound)]
    below = [t for t in p.under if not mentions(t, bound)]
    inner = joined(
        Product(
            Fraction(1),
            tuple(t for t in p.over if mentions(t, bound)),
            tuple(t for t in p.under if mentions(t, bound)),
        )
    )
    total = Total("sum", over, inner)
    return joined(Product(p.number, (*outer, total), tuple(below)))


def mentions(t: Term, names: set[Term]) -> bool:
    """Whether a term has one of these names in it."""
    if t in names:
        return True
    return any(mentions(x, names) for x in inside(t))


def inside(t: Term) -> Iterator[Term]:
    """The terms that a term is made of."""
    for value in vars(t).values():
        for x in value if isinstance(value, tuple) else (value,):
            if isinstance(x, Term):
                yield x


def _broadcast_entry(former: Former, node: Node, at: Indices, used: frozenset[str]) -> Term:
    x = node.inputs[0]
    return former.entry(x, _aligned(at, x.shape), used)


def _reshape_entry(former: Former, node: Node, at: Indices, used: frozenset[str]) -> Term | None:
    x = node.inputs[0]
    if [s for s in x.shape if s != 1] != [s for s in node.shape if s != 1]:
        return None
    left = [i for i, s in zip(at, node.shape, strict=True) if s != 1]
    return former.entry(x, tuple(number(0) if s == 1 else left.pop(0) for s in x.shape), used)


def _index_entry(former: Former, node: Node, at: Indices, used: frozenset[str]) -> Term:
    left = list(at)
    whole: list[Term] = []
    for part in node.params[0]:
        first = sized(part[1])
        if part[0] == "at":
            whole.append(first)
        else:
            move = times(number(part[2]), left.pop(0))
            whole.append(move if first == number(0) else _moved(first, move))
    return former.entry(node.inputs[0], tuple(whole), used)


def _moved(first: Term, move: Term) -> Term:
    if isinstance(move, Number) and isinstance(first, Number):
        return Number(move.value + first.value)
    if move == number(0):
        return first
    return added([move, first]) if split(move).number > 0 else added([first, move])


def _gather_entry(former: Former, node: Node, at: Indices, used: frozenset[str]) -> Term:
    x, *where = node.inputs
    d = where[0].ndim
    chosen = tuple(former.entry(w, at[:d], used) for w in where)
    return former.entry(x, (*chosen, *at[d:]), used)


def _scatter_entry(former: Former, node: Node, at: Indices, used: frozenset[str]) -> Term:
    g, *where = node.inputs
    d = where[0].ndim
    letters, inner = former.letters(g.shape[:d], used)
    tests = [
        Relation("=", (former.entry(w, letters, inner), i)) for w, i in zip(where, at, strict=False)
    ]
    value = former.entry(g, (*letters, *at[len(where) :]), inner)
    return summed([value, *tests], tuple(i for i in letters if isinstance(i, Name)))


def _delta_entry(former: Former, node: Node, at: Indices, used: frozenset[str]) -> Term:
    row = at[0] if node.params[2] == 0 else added([at[0], number(node.params[2])])
    return Relation("=", (row, at[1]))


def _iota_entry(former: Former, node: Node, at: Indices, used: frozenset[str]) -> Term:
    return at[0]


def _reduced_entry(former: Former, node: Node, at: Indices, used: frozenset[str]) -> Term:
    x, gone = node.inputs[0], node.params[0]
    letters, inner = former.letters(tuple(x.shape[a] for a in gone), used)
    left, bound = list(at), list(letters)
    whole = tuple(bound.pop(0) if a in gone else left.pop(0) for a in range(x.ndim))
    term = former.entry(x, whole, inner)
    over = tuple(i for i in letters if isinstance(i, Name))
    return Total("prod" if node.op == "reduce_mul" else "max", over, term) if over else term


def _reduced(former: Former, node: Node, used: frozenset[str]) -> Term:
    x = node.inputs[0]
    term = former.form(x, used)
    if len(node.params[0]) < x.ndim or is_family(term) or not term.array:
        return former._family(node, used)
    head = "prod" if node.op == "reduce_mul" else "max"
    latex = r"\operatorname{prod}" if head == "prod" else r"\max"
    return Call(head, latex, (term,))


_FORMS: dict[str, Callable[[Former, Node, frozenset[str]], Term]] = {
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
_ENTRIES: dict[str, Callable[[Former, Node, Indices, frozenset[str]], Term | None]] = {
    "contract": _contract_entry,
    "broadcast": _broadcast_entry,
    "reshape": _reshape_entry,
    "index": _index_entry,
    "gather": _gather_entry,
    "scatter_add": _scatter_entry,
    "delta": _delta_entry,
    "iota": _iota_entry,
    "reduce_mul": _reduced_entry,
    "reduce_max": _reduced_entry,
}
__all__ = ["Former", "Sum", "elementwise", "entries", "function", "summed"]
