"""Terms to text and to LaTeX, with no more brackets than their meaning needs.

Juxtaposition is the product of matrices (and numbers in front scale); ⊙ and ⊘ go entry by entry and
bind less, so that a product of matrices beside ⊙ stands in brackets. Functions act entry by entry;
A² of an array would be a product of matrices, so powers entry by entry are A^⊙2. 𝟏 is a column of
ones. A reader of the text has one reading only: tests/test_notation.py reads it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from chainrule.graph.notation.terms import (
    Array,
    Call,
    Cases,
    Chain,
    Entry,
    Family,
    Hadamard,
    Identity,
    Inverse,
    Name,
    Number,
    Ones,
    Power,
    Product,
    Relation,
    Sum,
    Term,
    Total,
    Transposed,
    split,
)

# How tightly a spelled term holds together.
CHOICE, SIGMA, SUM, HADAMARD, PRODUCT, DERIVATIVE, POSTFIX, ATOM = range(8)
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SIGNS = {
    "<": "<",
    ">": ">",
    "≤": r"\leq",
    "≥": r"\geq",
    "=": "=",
    "≠": r"\neq",
    "and": r"\wedge",
    "or": r"\vee",
}
_OPPOSITE = {"<": "≥", ">": "≤", "≤": ">", "≥": "<", "=": "≠", "≠": "="}
MANY = 10**20  # a whole number above which zeros are written as a power of ten
_BIG = {"sum": ("Σ", r"\sum"), "prod": ("Π", r"\prod"), "max": ("max", r"\max")}


@dataclass(frozen=True)
class Spelled:
    """Text, LaTeX, and how tightly they hold together."""

    text: str
    latex: str
    level: int = ATOM

    def at(self, level: int) -> Spelled:
        """In brackets unless it holds together at least so tightly."""
        if self.level >= level:
            return self
        return Spelled(f"({self.text})", rf"\left({self.latex}\right)")


def spelled(t: Term) -> Spelled:
    """A term as text and LaTeX."""
    return _SPELL[type(t)](t)


def opposite(sign: str) -> str | None:
    """The relation that holds where this one does not."""
    return _OPPOSITE.get(sign)


def _commas(parts: Iterable[Spelled]) -> tuple[str, str]:
    parts = list(parts)
    return ", ".join(p.text for p in parts), ", ".join(p.latex for p in parts)


def superscript(power: int) -> str:
    """A whole number raised: ², ⁻¹."""
    return str(power).translate(_SUPERSCRIPTS)


# -- leaves ----------------------------------------------------------------------------------------


def _number(t: Number) -> Spelled:
    p, q = abs(t.value.numerator), t.value.denominator
    sign = "-" if t.value < 0 else ""
    if max(p, q) >= MANY:
        (over, above), (under, below) = _whole(p), _whole(q)
        if q == 1:
            level = PRODUCT if sign or "·" in over else POSTFIX
            return Spelled(sign + over, sign + above, level)
        return Spelled(f"{sign}{over}/{under}", rf"{sign}\frac{{{above}}}{{{below}}}", PRODUCT)
    if q == 1:
        return Spelled(f"{sign}{p}", f"{sign}{p}", PRODUCT if sign else ATOM)
    return Spelled(f"{sign}{p}/{q}", rf"{sign}\frac{{{p}}}{{{q}}}", PRODUCT)


def _whole(n: int) -> tuple[str, str]:
    """A whole number as text and LaTeX, with its zeros as a power of ten where they are many."""
    zeros = len(str(n)) - len(str(n).rstrip("0"))
    if n < MANY or zeros < 6:
        return str(n), str(n)
    power, raised = f"10{superscript(zeros)}", rf"10^{{{zeros}}}"
    if n == 10**zeros:
        return power, raised
    front = str(n // 10**zeros)
    return f"{front}·{power}", rf"{front} \cdot {raised}"


def _name(t: Name) -> Spelled:
    level = DERIVATIVE if t.kind == "derivative" else ATOM
    return Spelled(t.text, t.latex, level)


def _ones(t: Ones) -> Spelled:
    if t.block:
        text = ", ".join(str(s) for s in t.block)
        return Spelled(f"𝟏({text})", rf"\mathbf{{1}}_{{{'×'.join(str(s) for s in t.block)}}}")
    return Spelled("𝟏", r"\mathbf{1}")


def _identity(t: Identity) -> Spelled:
    return Spelled("𝐈", r"\mathbf{I}")


# -- sums and products -----------------------------------------------------------------------------


def _sum(t: Sum) -> Spelled:
    order = list(t.terms)
    first = next((k for k, x in enumerate(order) if split(x).number >= 0), 0)
    order.insert(0, order.pop(first))
    text, latex = "", ""
    for k, x in enumerate(order):
        p = split(x)
        minus = p.number < 0 and k > 0
        if minus:
            x = _with(p, -p.number)
        part = spelled(x).at(SUM if not k else HADAMARD)
        joint = "" if not k else " - " if minus else " + "
        text, latex = text + joint + part.text, latex + joint + part.latex
    return Spelled(text, latex, SUM)


def _with(p: Product, value: Fraction) -> Term:
    from chainrule.graph.notation.terms import joined

    return joined(Product(value, p.over, p.under, p.body))


def _plain(t: Term) -> bool:
    """Whether it belongs into the fraction in front: a number or a size."""
    if isinstance(t, Sum):
        return all(_plain(x) for x in t.terms)
    if isinstance(t, Product):
        return t.body is None and all(_plain(x) for x in (*t.over, *t.under))
    if isinstance(t, Power):
        return _plain(t.of)
    return isinstance(t, Number) or (isinstance(t, Name) and t.kind == "axis")


def _row(parts: Sequence[Spelled]) -> tuple[str, str]:
    """Factors beside each other; a dot between numbers and sizes, which would run together."""
    text, latex = parts[0].text, parts[0].latex
    for before, after in pairwise(parts):
        dot = after.text[0] in "0123456789" or (_dotted(before) and _dotted(after))
        text += ("·" if dot else " ") + after.text
        latex += (r" \cdot " if dot else r" \, ") + after.latex
    return text, latex


def _dotted(p: Spelled) -> bool:
    return isinstance(p, _Dotted)


class _Dotted(Spelled):
    """A number or a size."""


def _factor(t: Term, level: int) -> Spelled:
    s = spelled(t).at(level)
    return _Dotted(s.text, s.latex, s.level) if _plain(t) else s


def _ratio(over: list[Spelled], under: list[Spelled]) -> Spelled:
    """over/under; over may be empty."""
    one = _Dotted("1", "1")
    top, top_latex = _row(over or [one])
    if not under:
        return Spelled(top, top_latex, over[0].level if len(over) == 1 else PRODUCT)
    bottom, bottom_latex = _row(under)
    if len(under) > 1 or under[0].level < POSTFIX:
        bottom = f"({bottom})"
    return Spelled(f"{top}/{bottom}", rf"\frac{{{top_latex}}}{{{bottom_latex}}}", PRODUCT)


def _product(t: Product) -> Spelled:
    sign = "-" if t.number < 0 else ""
    p, q = abs(t.number.numerator), t.number.denominator
    over, under = list(t.over), list(t.under)
    big = [x for x in over if isinstance(x, Total)]
    tail = over.pop(over.index(big[0])) if len(big) == 1 and t.body is None else None
    front = [x for x in over if _plain(x)], [x for x in under if _plain(x)]
    rest = [x for x in over if not _plain(x)], [x for x in under if not _plain(x)]
    if rest[1]:  # something unknown below: one fraction of all
        front, rest = ([*front[0], *rest[0]], [*front[1], *rest[1]]), ([], [])
    above = [_factor(Number(Fraction(p)), ATOM)] if p != 1 else []
    below = [_factor(Number(Fraction(q)), ATOM)] if q != 1 else []
    several = bool(front[1] or below)
    above += [_factor(x, POSTFIX if several else DERIVATIVE) for x in front[0]]
    below += [_factor(x, DERIVATIVE) for x in front[1]]
    pieces = [_ratio(above, below)] if above or below else []
    alone = not pieces and t.body is None and tail is None and len(rest[0]) == 1
    pieces += [
        _factor(x, PRODUCT if alone or _only(x, rest[0], t) else DERIVATIVE) for x in rest[0]
    ]
    body = t.body if t.body is not None else tail
    if body is not None:
        if isinstance(body, Hadamard) and not body.over and pieces:
            if len(pieces) == 1 and not below and len(above) == 1 and not rest[0]:
                inner = _slashed(pieces[0], body)
                return Spelled(sign + inner.text, sign + inner.latex, HADAMARD)
            last = spelled(body).at(ATOM)
        else:
            last = spelled(body).at(SIGMA if body is tail else HADAMARD)
        level = SIGMA if body is tail else min(last.level, PRODUCT)
        pieces.append(last)
    else:
        level = PRODUCT
    text, latex = _row(pieces)
    return Spelled(sign + text, sign + latex, level)


def _only(x: Term, rest: Sequence[Term], t: Product) -> bool:
    """Whether a row times a column may stand bare: last, and nothing after it."""
    return isinstance(x, Chain) and len(rest) == 1 and t.body is None


def _slashed(top: Spelled, t: Hadamard) -> Spelled:
    under = [spelled(x).at(DERIVATIVE) for x in t.under]
    text, latex = " ⊙ ".join(u.text for u in under), r" \odot ".join(u.latex for u in under)
    if len(under) > 1:
        text, latex = f"({text})", rf"\left({latex}\right)"
    return Spelled(f"{top.text} ⊘ {text}", rf"{top.latex} \oslash {latex}", HADAMARD)


def _hadamard(t: Hadamard) -> Spelled:
    over = [spelled(x).at(DERIVATIVE) for x in t.over] or [Spelled("1", "1")]
    top = Spelled(
        " ⊙ ".join(o.text for o in over), r" \odot ".join(o.latex for o in over), HADAMARD
    )
    if not t.under:
        return top
    return _slashed(top.at(HADAMARD if len(over) == 1 else ATOM), t)


def _chain(t: Chain) -> Spelled:
    parts = [spelled(f).at(DERIVATIVE) for f in t.factors]
    if not parts:
        return Spelled("1", "1")
    return Spelled(" ".join(p.text for p in parts), r" \, ".join(p.latex for p in parts), PRODUCT)


# -- above the line --------------------------------------------------------------------------------


def _raised(t: Term, text: str, latex: str) -> Spelled:
    base = spelled(t).at(ATOM)
    stem = f"{{{base.latex}}}" if "^" in base.latex else base.latex
    return Spelled(base.text + text, f"{stem}^{{{latex}}}", POSTFIX)


def _transposed(t: Transposed) -> Spelled:
    if isinstance(t.of, Inverse):
        return _raised(t.of.of, "⁻ᵀ", r"-\top")
    return _raised(t.of, "ᵀ", r"\top")


def _inverse(t: Inverse) -> Spelled:
    return _raised(t.of, "⁻¹", "-1")


def _power(t: Power) -> Spelled:
    e = t.exponent
    if e == Fraction(1, 2):
        inner = spelled(t.of)
        return Spelled(f"sqrt({inner.text})", rf"\sqrt{{{inner.latex}}}")
    whole = e.denominator == 1
    if t.array:
        return _raised(t.of, f"^⊙{e}" if whole else f"^⊙({e})", rf"\odot {e}")
    return _raised(t.of, superscript(int(e)) if whole else f"^({e})", str(e))


# -- functions, conditions, entries ----------------------------------------------------------------


def _call(t: Call) -> Spelled:
    parts = [spelled(a) for a in t.arguments]
    text, latex = _commas(parts)
    if t.style == "bars":  # bars within bars have no beginning and no end
        plain = f"abs({text})" if "|" in text else f"|{text}|"
        return Spelled(plain, rf"\left|{latex}\right|")
    if t.style == "norm":
        plain = f"norm({text})" if "‖" in text else f"‖{text}‖"
        return Spelled(plain, rf"\left\Vert {latex} \right\Vert")
    if t.style == "floor":
        return Spelled(f"⌊{text}⌋", rf"\left\lfloor {latex} \right\rfloor")
    if t.style == "logdet":
        plain = f"log(abs(det({text})))" if "|" in text else f"log|det({text})|"
        return Spelled(plain, rf"\log\left|\det\left({latex}\right)\right|")
    if t.style == "exp" and not t.array:
        return Spelled(f"exp({text})", f"e^{{{latex}}}", POSTFIX)
    if t.style == "to" and not t.array:
        low, high = parts[0].at(ATOM), parts[1]
        stem = f"{{{low.latex}}}" if "^" in low.latex else low.latex
        return Spelled(f"{low.text}^{high.at(ATOM).text}", f"{stem}^{{{high.latex}}}", POSTFIX)
    if t.style == "brackets":
        return Spelled(
            f"[{t.text.join(p.text for p in parts)}]",
            rf"\begin{{bmatrix}} {t.latex.join(p.latex for p in parts)} \end{{bmatrix}}",
        )
    return Spelled(f"{t.text}({text})", rf"{t.latex}\left({latex}\right)")


def _condition(t: Term) -> Spelled:
    """Without the brackets that make it a number."""
    if not isinstance(t, Relation):
        inner = spelled(t)
        return Spelled(inner.text, inner.latex, inner.level)
    if t.sign == "not":
        inner = _condition(t.sides[0]).at(ATOM)
        return Spelled(f"not {inner.text}", rf"\neg {inner.latex}", SUM)
    if t.sign in ("and", "or"):
        parts = [_condition(s).at(SUM) for s in t.sides]
        return Spelled(
            f" {t.sign} ".join(p.text for p in parts),
            f" {_SIGNS[t.sign]} ".join(p.latex for p in parts),
            SIGMA,
        )
    a, b = (spelled(s).at(SUM) for s in t.sides)
    return Spelled(f"{a.text} {t.sign} {b.text}", f"{a.latex} {_SIGNS[t.sign]} {b.latex}", SUM)


def _relation(t: Relation) -> Spelled:
    inner = _condition(t)
    return Spelled(f"[{inner.text}]", rf"\left[{inner.latex}\right]")


def _cases(t: Cases) -> Spelled:
    a, c, b = spelled(t.then).at(SIGMA), _condition(t.condition), spelled(t.other)
    text = f"({a.text} if {c.text} else {b.text})"
    rows = rf"{a.latex} & \text{{if }} {c.latex} \\ {b.latex} & \text{{else}}"
    return Spelled(text, rf"\begin{{cases}} {rows} \end{{cases}}")


def _entry(t: Entry) -> Spelled:
    base = spelled(t.of).at(ATOM)
    text, latex = _commas(spelled(i) for i in t.at)
    if all(isinstance(i, Number) or (isinstance(i, Name) and i.text.isalpha()) for i in t.at):
        text, latex = text.replace(" ", ""), latex.replace(" ", "")
    stem = base.latex
    if "_" in stem or "^" in stem:
        stem = f"{{{stem}}}"
    return Spelled(f"{base.text}[{text}]", f"{stem}_{{{latex}}}")


def _total(t: Total) -> Spelled:
    text, latex = _BIG[t.sign]
    under_text = ",".join(spelled(i).text for i in t.indices)
    under = ", ".join(spelled(i).latex for i in t.indices)
    inner = spelled(t.of).at(PRODUCT)
    return Spelled(f"{text}_{under_text} {inner.text}", f"{latex}_{{{under}}} {inner.latex}", SIGMA)


def _family(t: Family) -> Spelled:
    inner = spelled(t.entry)
    text = ",".join(spelled(i).text for i in t.indices)
    latex = ",".join(spelled(i).latex for i in t.indices)
    return Spelled(f"({inner.text})_{text}", rf"\left({inner.latex}\right)_{{{latex}}}", POSTFIX)


_SPELL: dict[type[Term], Callable[[Any], Spelled]] = {
    Number: _number,
    Name: _name,
    Ones: _ones,
    Identity: _identity,
    Sum: _sum,
    Product: _product,
    Hadamard: _hadamard,
    Chain: _chain,
    Transposed: _transposed,
    Inverse: _inverse,
    Power: _power,
    Call: _call,
    Relation: _relation,
    Cases: _cases,
    Entry: _entry,
    Total: _total,
    Family: _family,
}
assert Array not in _SPELL
