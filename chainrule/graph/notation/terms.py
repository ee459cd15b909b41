"""Formulas as a person builds them: scalars, and arrays as matrices; one-axis arrays are columns.

A `Term` is what is about to be written down, above symbols and below text: products with their
number in front, sums with signs, chains of matrices with transposes pushed to their factors. The
functions here build terms and use only laws that hold for all real arrays: associativity,
(A B)ᵀ = Bᵀ Aᵀ, −(−a) = a, 𝟏ᵀ𝟏 = n, I A = A. Nothing is cancelled: x ⊙ x ⊘ x stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from chainrule.graph.sizes import Size

ONE = Fraction(1)


@dataclass(frozen=True)
class Term:
    """Anything that can be written. array : whether it has entries (else it is one number)."""

    @property
    def array(self) -> bool:
        """Whether it is more than one number."""
        return False


@dataclass(frozen=True)
class Number(Term):
    """An exact number."""

    value: Fraction


@dataclass(frozen=True)
class Name(Term):
    """A name. kind : axis for a size, value for a written number, derivative for ∂C/∂z."""

    text: str
    latex: str
    entries: bool = False
    kind: Literal["name", "axis", "value", "derivative"] = "name"

    @property
    def array(self) -> bool:
        """Whether it names an array."""
        return self.entries


@dataclass(frozen=True)
class Array(Term):
    """A term that always has entries."""

    @property
    def array(self) -> bool:
        """True."""
        return True


@dataclass(frozen=True)
class Ones(Array):
    """A column of ones; as `block`, an array of ones of that shape."""

    size: Size
    block: tuple[Size, ...] = ()


@dataclass(frozen=True)
class Identity(Array):
    """The identity matrix."""


@dataclass(frozen=True)
class Sum(Term):
    """Terms added; a number, or a named column, is added to every entry or column."""

    terms: tuple[Term, ...]

    @property
    def array(self) -> bool:
        """Whether a term is an array."""
        return any(t.array for t in self.terms)


@dataclass(frozen=True)
class Product(Term):
    """number · over / under · body; over and under are scalars, body is the array if there is."""

    number: Fraction
    over: tuple[Term, ...] = ()
    under: tuple[Term, ...] = ()
    body: Term | None = None

    @property
    def array(self) -> bool:
        """Whether it has a body."""
        return self.body is not None


@dataclass(frozen=True)
class Hadamard(Array):
    """The product entry by entry of arrays of one shape, over others."""

    over: tuple[Term, ...]
    under: tuple[Term, ...] = ()


@dataclass(frozen=True)
class Chain(Term):
    """A product of matrices, columns and rows."""

    factors: tuple[Term, ...]
    entries: bool

    @property
    def array(self) -> bool:
        """Whether it is more than one number (a row times a column is one)."""
        return self.entries


@dataclass(frozen=True)
class Transposed(Array):
    """aᵀ."""

    of: Term


@dataclass(frozen=True)
class Inverse(Array):
    """A⁻¹."""

    of: Term


@dataclass(frozen=True)
class Power(Term):
    """A constant rational power, entry by entry."""

    of: Term
    exponent: Fraction

    @property
    def array(self) -> bool:
        """As its base."""
        return self.of.array


@dataclass(frozen=True)
class Call(Term):
    """A function: how it is spelled (see `typography`), and its arguments.

    style : call for f(x), bars for |x|, norm, floor, log|det|, exp, power of two terms, brackets
        for concatenated parts.
    """

    text: str
    latex: str
    arguments: tuple[Term, ...]
    entries: bool = False
    style: str = "call"

    @property
    def array(self) -> bool:
        """Whether its result is an array."""
        return self.entries


@dataclass(frozen=True)
class Relation(Term):
    """A condition as a number: 1 where it holds. sign : < ≤ > ≥ = ≠, and, or, not, holds."""

    sign: str
    sides: tuple[Term, ...]

    @property
    def array(self) -> bool:
        """Whether a side is an array."""
        return any(s.array for s in self.sides)


@dataclass(frozen=True)
class Cases(Term):
    """`then` where the condition holds, `other` elsewhere."""

    condition: Term
    then: Term
    other: Term

    @property
    def array(self) -> bool:
        """Whether a part is an array."""
        return any(t.array for t in (self.condition, self.then, self.other))


@dataclass(frozen=True)
class Entry(Term):
    """One entry of an array, or with ``cut`` what a subscript with slices takes."""

    of: Term
    at: tuple[Term, ...]
    cut: bool = False

    @property
    def array(self) -> bool:
        """Whether slices leave an array."""
        return self.cut


@dataclass(frozen=True)
class Total(Term):
    """Σ, Π or max over indices of a term in them."""

    sign: Literal["sum", "prod", "max"]
    indices: tuple[Term, ...]
    of: Term


@dataclass(frozen=True)
class Family(Array):
    """The array with these entries: (x[i, y[i]])_i."""

    entry: Term
    indices: tuple[Term, ...]


def entries(shape: Sequence[Size]) -> bool:
    """Whether a shape has more than one entry, as far as is known."""
    return any(s != 1 for s in shape)


# -- parts of a product ----------------------------------------------------------------------------


def number(value: int | Fraction) -> Number:
    """An exact number."""
    return Number(Fraction(value))


def split(t: Term) -> Product:
    """Any term as a product."""
    if isinstance(t, Product):
        return t
    if isinstance(t, Number):
        return Product(t.value)
    return Product(ONE, (), (), t) if t.array else Product(ONE, (t,))


def joined(p: Product) -> Term:
    """A product as the plainest term that it is."""
    if not p.over and not p.under and p.body is None:
        return Number(p.number)
    if p.number == 1 and not p.under:
        if p.body is not None and not p.over:
            return p.body
        if p.body is None and len(p.over) == 1:
            return p.over[0]
    return p


def is_ones(t: Term) -> bool:
    """Whether it is an array of nothing but ones."""
    if isinstance(t, Transposed):
        return is_ones(t.of)
    if isinstance(t, Chain):
        return len(t.factors) == 2 and all(is_ones(f) for f in t.factors)
    return isinstance(t, Ones)


def is_family(t: Term) -> bool:
    """Whether it could be written only by its entries."""
    return isinstance(split(t).body, Family)


# -- entry by entry --------------------------------------------------------------------------------


def hadamard(over: Iterable[Term], under: Iterable[Term] = ()) -> Term | None:
    """Arrays of one shape multiplied entry by entry, over others; None of none."""
    above: list[Term] = []
    below: list[Term] = []
    for inputs, up, down in ((over, above, below), (under, below, above)):
        for t in inputs:
            if isinstance(t, Hadamard):
                up.extend(t.over)
                down.extend(t.under)
            else:
                up.append(t)
    below = [t for t in below if not is_ones(t)] if above or len(below) > 1 else below
    kept = [t for t in above if not is_ones(t)]
    above = kept if kept or below else above[:1]
    if not below:
        return (above[0] if len(above) == 1 else Hadamard(tuple(above))) if above else None
    return Hadamard(tuple(above), tuple(below))


def times(*terms: Term) -> Term:
    """The product entry by entry of numbers, and of arrays of one shape."""
    parts = [split(t) for t in terms]
    value = ONE
    for p in parts:
        value *= p.number
    return joined(
        Product(
            value,
            tuple(t for p in parts for t in p.over),
            tuple(t for p in parts for t in p.under),
            hadamard(p.body for p in parts if p.body is not None),
        )
    )


def divided(a: Term, b: Term) -> Term:
    """a/b, entry by entry."""
    p, q = split(a), split(b)
    zero = q.number == 0
    return joined(
        Product(
            p.number if zero else p.number / q.number,
            p.over + q.under,
            p.under + q.over + ((Number(q.number),) if zero else ()),
            hadamard(
                [t for t in (p.body,) if t is not None], [t for t in (q.body,) if t is not None]
            ),
        )
    )


def negated(t: Term) -> Term:
    """−a."""
    return times(number(-1), t)


def raised(t: Term, exponent: Fraction) -> Term:
    """A constant power; a negative one stands below a fraction, and √(‖x‖²) is ‖x‖."""
    if exponent < 0:
        return divided(number(1), raised(t, -exponent))
    if exponent == 1:
        return t
    inner = isinstance(t, Power) and isinstance(t.of, Call) and t.of.style == "norm"
    if inner and isinstance(t, Power) and t.exponent * exponent == 1:
        return t.of
    return Power(t, exponent)


def added(terms: Sequence[Term]) -> Term:
    """The sum of numbers and arrays; c 𝟏𝟏ᵀ beside another array is c, added to every entry."""
    flat: list[Term] = []
    for t in terms:
        flat.extend(t.terms if isinstance(t, Sum) else (t,))
    whole = [t for t in flat if t.array and not is_ones(split(t).body or t)]
    if whole:
        flat = [_bare(t) for t in flat]
    return flat[0] if len(flat) == 1 else Sum(tuple(flat))


def _bare(t: Term) -> Term:
    p = split(t)
    if p.body is not None and is_ones(p.body):
        return joined(Product(p.number, p.over, p.under))
    return t


def scalars(terms: Sequence[Term]) -> list[Term]:
    """c 𝟏𝟏ᵀ as c where another of these terms is an array that keeps the shape."""
    if any(t.array and not is_ones(split(t).body or t) for t in terms):
        return [_bare(t) for t in terms]
    return list(terms)


# -- matrices --------------------------------------------------------------------------------------


def sized(size: Size) -> Term:
    """A size as a number: 2·n·N as a product, n + 1 as a sum."""
    parts = [joined(Product(Fraction(c), tuple(axis(n) for n in names))) for names, c in size.terms]
    if not parts:
        return number(0)
    parts.sort(key=lambda t: isinstance(t, Number))
    return parts[0] if len(parts) == 1 else Sum(tuple(parts))


def axis(name: str) -> Name:
    """The size of a named axis."""
    from chainrule.typeset import letter

    return Name(name, letter(name), kind="axis")


def transposed(t: Term) -> Term:
    """aᵀ, pushed to the factors of a chain; a number is its own transpose."""
    if isinstance(t, Product) and t.body is not None:
        return joined(Product(t.number, t.over, t.under, transposed(t.body)))
    if not t.array or isinstance(t, Identity):
        return t
    if isinstance(t, Transposed):
        return t.of
    if isinstance(t, Chain):
        return Chain(tuple(transposed(f) for f in reversed(t.factors)), t.entries)
    if isinstance(t, Call) and t.text == "diag" and t.style == "matrix":
        return t
    return Transposed(t)


def chained(factors: Sequence[Term], entries: bool = True) -> Term:
    """The product of matrices, columns and rows. entries : whether it is more than a number."""
    value = ONE
    over: list[Term] = []
    under: list[Term] = []
    chain: list[Term] = []
    for factor in factors:
        p = split(factor)
        value *= p.number
        over += p.over
        under += p.under
        if p.body is not None:
            chain.extend(p.body.factors if isinstance(p.body, Chain) else (p.body,))
    some = bool(chain)
    chain = [f for f in chain if not isinstance(f, Identity)]
    k = 0
    while k + 1 < len(chain):
        row, column = chain[k], chain[k + 1]
        if isinstance(row, Transposed) and row.of == column and isinstance(column, Ones):
            chain[k : k + 2] = []
            p = split(sized(column.size))
            value, over, under = value * p.number, [*over, *p.over], [*under, *p.under]
        else:
            k += 1
    if not entries:
        square = len(chain) == 2 and chain[0] == transposed(chain[1])
        if square:
            inner: Term = Power(norm(chain[1]), Fraction(2))
            return joined(Product(value, (*over, inner), tuple(under)))
        last = (Chain(tuple(chain), False),) if chain else ()
        return joined(Product(value, (*over, *last), tuple(under)))
    if not chain:
        body: Term | None = Identity() if some else None
    else:
        body = chain[0] if len(chain) == 1 else Chain(tuple(chain), True)
    return joined(Product(value, tuple(over), tuple(under), body))


def inverted(t: Term) -> Term:
    """A⁻¹; a number in front is divided by, and (Aᵀ)⁻¹ is (A⁻¹)ᵀ."""
    p = split(t)
    if p.body is None or p.number == 0:
        return Inverse(t)
    body = p.body
    if isinstance(body, Identity):
        inverse: Term = body
    elif isinstance(body, Inverse):
        inverse = body.of
    elif isinstance(body, Transposed):
        inverse = transposed(inverted(body.of))
    else:
        inverse = Inverse(body)
    q = split(inverse)
    return joined(Product(q.number / p.number, q.over + p.under, q.under + p.over, q.body))


def norm(t: Term) -> Call:
    """‖x‖, the root of the sum of the squares of all entries."""
    t = t.of if isinstance(t, Transposed) else t
    return Call("norm", "norm", (t,), False, "norm")


def diagonal(t: Term) -> Term:
    """diag(v) as a matrix, with numbers in front."""
    p = split(t)
    assert p.body is not None
    inner = Call("diag", r"\operatorname{diag}", (p.body,), True, "matrix")
    return joined(Product(p.number, p.over, p.under, inner))


def trace(t: Term, size: Size) -> Term:
    """tr(A) of a matrix of a size, with numbers in front."""
    p = split(t)
    body = p.body
    assert body is not None
    if isinstance(body, Identity):
        return times(joined(Product(p.number, p.over, p.under)), sized(size))
    plain = body.of if isinstance(body, Transposed) else body
    inner = Call("tr", r"\operatorname{tr}", (plain,))
    return times(joined(Product(p.number, p.over, p.under)), inner)


def total(t: Term, axes: int, shape: Sequence[Size]) -> Term:
    """The sum of all entries; shape : of the array, one axis (a column) or two."""
    p = split(t)
    body = p.body
    assert body is not None
    inner: Term
    if isinstance(body, Power) and body.exponent == 2:
        inner = Power(norm(body.of), Fraction(2))
    elif isinstance(body, Hadamard) and len(body.over) == 2 and not body.under and axes == 1:
        inner = chained([transposed(body.over[0]), body.over[1]], entries=False)
    elif isinstance(body, Hadamard) and not body.under and body.over[:1] * 2 == body.over:
        inner = Power(norm(body.over[0]), Fraction(2))
    elif isinstance(body, Identity):
        inner = sized(shape[0])
    elif axes == 1 and is_ones(body):
        inner = chained([transposed(Ones(shape[0])), Ones(shape[0])], entries=False)
    elif isinstance(body, Chain) and (is_ones(body.factors[0]) or is_ones(body.factors[-1])):
        ends: list[Term] = [transposed(Ones(shape[0])), body]
        inner = chained(ends if axes == 1 else [*ends, Ones(shape[1])], entries=False)
    else:
        plain = body.of if isinstance(body, Transposed) else body
        inner = Call("sum", r"\operatorname{sum}", (plain,))
    return times(joined(Product(p.number, p.over, p.under)), inner)
