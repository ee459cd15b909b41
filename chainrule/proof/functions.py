"""Functions of elements: what is known of exp, log, roots, sin, cos and comparisons.

e^(a+b) = e^a·e^b, and e^(c·log u) = u^c; a logarithm splits off positive factors alone; √(f²·g) is
|f|·√g, never f·√g; u^p for u ≥ 0. sin and −sin, t < c and −t > −c are one atom. A comparison is
decided only by its form. x < 0 and x ≤ 0 are different: x ≤ 0 is 1 − [x > 0].
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import flint

from chainrule.errors import BudgetError
from chainrule.proof import polynomials as po
from chainrule.proof.algebra import Algebra
from chainrule.proof.elements import ONE, Element, Unknown, Vacuous
from chainrule.proof.indices import ZERO
from chainrule.proof.places import counted
from chainrule.proof.polynomials import Monomial, Poly
from chainrule.proof.templates import opaque, oriented, template

#: Functions of which nothing is known, or that they are odd.
OPAQUE = ("arctan", "erf", "lgamma", "polygamma", "floor")
ODD = ("arctan", "erf", "sin")
#: The most angles that a sum of angles is taken apart into.
ANGLES = 6


def exp(algebra: Algebra, a: Element) -> Element:
    """e^a."""
    return algebra.lifted(lambda e: _exp(algebra, e), a)


def _exp(algebra: Algebra, a: Element) -> Element:
    end = infinite(algebra, a)
    if end > 0:
        raise Unknown("the exponential of ∞")
    if end < 0:
        return algebra.number(0)
    out = algebra.number(1)
    for m, c in a.num.items():
        if len(m) == 1 and m[0][1] == 1 and not a.den and algebra.kind(m[0][0]) == "log":
            out = algebra.mul(out, power(algebra, inside(algebra, m[0][0]), _fraction(c)))
            continue
        made = opaque(algebra, "exp", Element({m: ONE}, a.den), sign=2)
        ((mono, _),) = made.num.items()
        out = algebra.mul(out, Element({po.raised(mono, po.whole(_fraction(c))): ONE}))
    return out


def infinite(algebra: Algebra, a: Element) -> int:
    """−1 for −∞, 1 for ∞, 0 for a real number, where conditions have been taken outside.

    Raises Unknown where it cannot be told.
    """
    found: set[int] = set()
    for m, c in a.num.items():
        ends = [(x, e) for x, e in m if algebra.kind(x) == "infinite"]
        if not ends:
            continue
        ((x, e), *more), rest = ends, [y for y in m if algebra.kind(y[0]) != "infinite"]
        key = algebra.heads[algebra.of[x][0]].key
        plain = all(algebra.heads[algebra.of[y][0]].sign == 2 for y, _ in rest)
        if more or e != 1 or not isinstance(key, int) or not plain:
            raise Unknown("what may be an infinity")
        found.add(key if c > 0 else -key)
    if found and any(algebra.sign_of(dict(q)) != 2 for q, _ in a.den):
        raise Unknown("what may be an infinity")
    if len(found) > 1:
        raise Unknown("∞ − ∞")
    return found.pop() if found else 0


def _fraction(c: Any) -> Fraction:
    return Fraction(int(c.p), int(c.q))


def inside(algebra: Algebra, atom: int) -> Element:
    """What a log, root or exp is of."""
    head, args = algebra.of[atom]
    return algebra.instance(algebra.heads[head].payload, args)


def _primes(c: Any) -> Iterator[tuple[int, int]]:
    for n, way in ((int(c.p), 1), (int(c.q), -1)):
        if n.bit_length() > 64:
            yield n, way
            continue
        for p, e in flint.fmpz(n).factor() if n > 1 else ():
            yield int(p), way * int(e)


def factored(algebra: Algebra, a: Element) -> tuple[Any, list[tuple[Poly, Any]]]:
    """a as number·∏ factorᵉ, with atoms as factors of one term."""
    lead, shift, q = po.normal(a.num)
    parts: list[tuple[Poly, Any]] = [({((x, 1),): ONE}, e) for x, e in shift]
    if len(q) > 1:
        algebra.spend(len(q) ** 2)
        constant, found = po.factors(q)
        lead, parts = lead * constant, [*parts, *found]
    return lead, [*parts, *((dict(k), -e) for k, e in a.den)]


def log(algebra: Algebra, a: Element) -> Element:
    """log a."""
    return algebra.lifted(lambda e: _log(algebra, e), a)


def _log(algebra: Algebra, a: Element) -> Element:
    if not a.num:
        raise Vacuous("a logarithm of 0")
    lead, parts = factored(algebra, a)
    out, rest = algebra.number(0), algebra.number(-1 if lead < 0 else 1)
    for p, k in _primes(abs(lead)):
        value = opaque(algebra, "log", algebra.number(p), sign=2)
        out = algebra.add(out, algebra.scale(value, po.rational(k)))
    for f, k in parts:
        term = None
        if len(f) == 1:
            ((((x, _),), _),) = f.items()
            if algebra.kind(x) == "exp":
                term = inside(algebra, x)
            elif algebra.kind(x) == "root":  # a log of 0 is undefined, so u is positive
                term = log(algebra, inside(algebra, x))
        if term is None and algebra.sign_of(f):  # a log of 0 is undefined
            term = opaque(algebra, "log", Element(f))
        if term is not None:
            out = algebra.add(out, algebra.scale(term, po.rational(k)))
            continue
        rest = algebra.mul(rest, algebra.power(Element(f), int(k)))
    if rest.key == algebra.number(1).key:
        return out
    if len(rest.num) == 1 and not max(e for m in rest.num for _, e in (*m, (0, 0))) > 0:
        upside = algebra.inverse(rest)
        return algebra.add(out, algebra.neg(opaque(algebra, "log", upside)))
    return algebra.add(out, opaque(algebra, "log", rest))


def power(algebra: Algebra, a: Element, s: Fraction) -> Element:
    """a^s; for s that is not whole a must not be negative."""
    if s.denominator == 1:
        return algebra.power(a, int(s))
    return algebra.lifted(lambda e: _power(algebra, e, s), a)


def _power(algebra: Algebra, a: Element, s: Fraction) -> Element:
    if not a.num:
        if s > 0:
            return a
        raise Vacuous("0 below a bar")
    lead, parts = factored(algebra, a)
    out, rest = algebra.number(1), algebra.number(-1 if lead < 0 else 1)
    for p, k in _primes(abs(lead)):
        out = algebra.mul(out, _root(algebra, algebra.number(p), s * k, 2))
    # √(f·g) = √f·√g where neither is below 0; where only f is, g may be, at f = 0
    apart = lead > 0 and all(algebra.sign_of(f) for f, k in parts if k % 2)
    for f, k in parts:
        if len(f) == 1 and algebra.kind(next(iter(f))[0][0]) == "exp":
            ((m, _),) = f.items()
            out = algebra.mul(out, Element({po.raised(m, s * k): ONE}))
        elif algebra.sign_of(f) == 2 or (algebra.sign_of(f) and (apart or s < 0)):
            out = algebra.mul(out, _split(algebra, f, s * k))
        elif s.denominator == 2 and isinstance(k, int) and k % 2 == 0:
            n = int(s * k)
            value = algebra.power(Element(f), n)
            if n % 2:
                value = algebra.mul(value, sign(algebra, Element(f)))
            out = algebra.mul(out, value)
        elif s.denominator == 2 and isinstance(k, int) and abs(k) > 1:
            n = (k - 1) if k > 0 else (k + 1)  # an even part; f itself stays below the root
            value = algebra.power(Element(f), int(s * n))
            if int(s * n) % 2:
                value = algebra.mul(value, sign(algebra, Element(f)))
            out = algebra.mul(out, value)
            rest = algebra.mul(rest, algebra.power(Element(f), k - n))
        else:
            if not isinstance(k, int):
                raise Unknown("a root of a root")
            rest = algebra.mul(rest, algebra.power(Element(f), k))
    if rest.key == algebra.number(1).key:
        return out
    return algebra.mul(out, _root(algebra, rest, s, 1))


def _split(algebra: Algebra, f: Poly, s: Fraction) -> Element:
    """f^s for a factor that is not below 0; of a root, a power of what that is of."""
    if len(f) == 1:
        ((m, _),) = f.items()
        if len(m) == 1 and algebra.kind(m[0][0]) == "root":
            return power(algebra, inside(algebra, m[0][0]), s)
    return _root(algebra, Element(f), s, algebra.sign_of(f))


def _root(algebra: Algebra, base: Element, s: Fraction, positive: int) -> Element:
    t = template(algebra, base)
    head = algebra.head("root", t.key, t.symmetries, positive, t.body)
    return algebra.monomial(((algebra.atom(head, t.args), po.whole(s)),))


def sign(algebra: Algebra, a: Element) -> Element:
    """1 − 2·[a < 0], where it does not matter what it is at a = 0."""
    return algebra.add(algebra.number(1), algebra.scale(below(algebra, a), po.rational(-2)))


def circular(algebra: Algebra, name: str, a: Element) -> Element:
    """sin a, cos a; of a sum and of multiples by the addition theorems."""

    def one(e: Element) -> Element:
        if not e.num:
            return algebra.number(1 if name == "cos" else 0)
        multiples = [(m, _fraction(c)) for m, c in e.num.items()]
        if sum(abs(c.numerator) for _, c in multiples) <= ANGLES and not e.den:
            return _angles(algebra, multiples)[name == "cos"]
        return single(e)

    def single(e: Element) -> Element:
        t, flipped = oriented(algebra, e)
        cosine = algebra.head("cos", t.key, t.symmetries, 0, t.body)
        if name == "cos":
            return algebra.gen(algebra.atom(cosine, t.args))
        sine = algebra.head("sin", t.key, t.symmetries, 0, cosine)
        value = algebra.gen(algebra.atom(sine, t.args))
        return algebra.neg(value) if flipped else value

    return algebra.lifted(one, a)


def _angles(
    algebra: Algebra, multiples: list[tuple[Monomial, Fraction]]
) -> tuple[Element, Element]:
    """The sine and the cosine of Σ c·m: of each m over c's denominator, then added up."""
    sine, cosine = algebra.number(0), algebra.number(1)
    for m, c in multiples:
        s, k = _angle(algebra, m, c.denominator)
        if c < 0:
            s = algebra.neg(s)
        for _ in range(abs(c.numerator)):
            sine, cosine = (
                algebra.add(algebra.mul(sine, k), algebra.mul(cosine, s)),
                algebra.add(algebra.mul(cosine, k), algebra.neg(algebra.mul(sine, s))),
            )
    return sine, cosine


def _angle(algebra: Algebra, m: Monomial, parts: int) -> tuple[Element, Element]:
    """The sine and the cosine of m/parts."""
    if len(m) == 1 and m[0][1] == 1 and algebra.kind(m[0][0]) == "named":
        pi = algebra.heads[algebra.of[m[0][0]][0]].key == "pi"
        if pi and parts in (1, 2):
            exact = (0, -1) if parts == 1 else (1, 0)
            return algebra.number(exact[0]), algebra.number(exact[1])
    unit = algebra.angle if parts == 1 else 1  # all angles are halved where some are
    e = Element({m: po.rational(Fraction(1, parts * unit))})
    t = template(algebra, e)
    cosine = algebra.head("cos", t.key, t.symmetries, 0, t.body)
    sine = algebra.head("sin", t.key, t.symmetries, 0, cosine)
    s, c = (algebra.gen(algebra.atom(h, t.args)) for h in (sine, cosine))
    for _ in range(unit - 1):
        double = algebra.scale(algebra.mul(s, c), po.rational(2))
        s, c = double, algebra.add(algebra.mul(c, c), algebra.neg(algebra.mul(s, s)))
    return s, c


def other(algebra: Algebra, name: str, a: Element, more: Any = ()) -> Element:
    """A function of which nothing is known but its name."""

    def one(e: Element) -> Element:
        if name in ODD:
            if not e.num:
                return e
            _, flipped = oriented(algebra, e)
            value = opaque(algebra, name, algebra.neg(e) if flipped else e)
            return algebra.neg(value) if flipped else value
        return opaque(algebra, name, e, more=more)

    return algebra.lifted(one, a)


# -- comparisons -----------------------------------------------------------------------------------


def below(algebra: Algebra, a: Element) -> Element:
    """1 where a < 0, else 0."""
    return algebra.lifted(lambda e: _below(algebra, e), a)


def _below(algebra: Algebra, a: Element) -> Element:
    if not a.num:
        return algebra.number(0)
    end = infinite(algebra, a)
    if end:
        return algebra.number(int(end < 0))
    place = counted(algebra, a)
    if place is not None:
        return algebra.before(place)
    num = Element(a.num)
    for k, e in a.den:  # n/d < 0 where n·d < 0
        if e % 2 and algebra.sign_of(dict(k)) != 2:
            num = algebra.mul(num, Element(dict(k)))
    shift = po.common(num.num)
    drop = tuple((x, e) for x, e in shift if algebra.heads[algebra.of[x][0]].sign == 2)
    p = po.shifted(num.num, po.raised(drop, -1), ONE)
    if algebra.sign_of(p):
        return algebra.number(0)
    if algebra.sign_of({m: -c for m, c in p.items()}) == 2:
        return algebra.number(1)
    if num.den:
        raise Unknown("a comparison of quotients")
    moving = {m: c for m, c in p.items() if m}
    if not moving:
        return algebra.number(int(p[()] < 0))
    scale = po.content(moving)
    t, flipped = oriented(algebra, Element({m: c / scale for m, c in moving.items()}))
    limit = p.get((), flint.fmpq(0)) / scale
    quantity = algebra.head("quantity", t.key, t.symmetries, 0, t.body)
    over = flipped and algebra.apart and _smooth(algebra, t.body)  # t > c is then no t < c
    name = (quantity, ">", limit) if flipped and not over else (quantity, "<", -limit)
    if over:
        name = (quantity, "<", limit)
    head = algebra.head("order", name, t.symmetries, 1)
    value = algebra.gen(algebra.atom(head, t.args))
    return algebra.add(algebra.number(1), algebra.neg(value)) if over else value


#: What a quantity may hold for its zeros to be a kink and not a case of their own.
SMOOTH = ("input", "exp", "log", "root", "sin", "cos", "arctan", "erf", "sum", "cut", "near")


def _smooth(algebra: Algebra, a: Element) -> bool:
    """Whether an element is a smooth function of real inputs by its form, and of one at least."""
    found = False
    for x in po.atoms_of([a.num, *(dict(q) for q, _ in a.den)]):
        info = algebra.heads[algebra.of[x][0]]
        if info.kind not in SMOOTH:
            return False
        body = info.payload[0] if info.kind == "sum" else info.payload
        if info.kind == "sin":
            body = algebra.heads[body].payload
        if isinstance(body, Element):
            if not _smooth(algebra, body) and body.num.keys() - {()}:
                return False
            found = found or bool(body.num.keys() - {()})
        found = found or info.kind == "input"
    return found


def less(algebra: Algebra, a: Element, b: Element) -> Element:
    """1 where a < b, else 0."""
    return below(algebra, algebra.add(a, algebra.neg(b)))


def equal(algebra: Algebra, a: Element, b: Element) -> Element:
    """1 where a = b, else 0."""
    d = algebra.add(a, algebra.neg(b))
    place = counted(algebra, d)
    if place is not None:
        return algebra.delta(place, ZERO)
    if algebra.apart and d.num:  # its case must not be lost: x = max(x) holds somewhere
        t, _ = oriented(algebra, d)
        head = algebra.head("flag", ("equal", t.key), t.symmetries, 1)
        return algebra.gen(algebra.atom(head, t.args))
    either = algebra.add(below(algebra, d), below(algebra, algebra.neg(d)))
    return algebra.add(algebra.number(1), algebra.neg(either))


__all__ = ["OPAQUE", "BudgetError", "circular", "equal", "exp", "less", "log", "other", "power"]
