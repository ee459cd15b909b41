"""Exact algebra: are two real expressions the same function? Answers *equal* or *don't know*.

Both sides become one rational function over shared generators (symbols, e^u, sin u and cos u of
independent u, roots, logarithms, opaque functions), with FLINT's integer polynomials underneath.
Every rewriting holds for real numbers wherever both sides are defined; generators are then treated
as independent, which can lose a proof but never invent one. Signs that matter (|u|, max, roots of
squares, conditions) split the proof into cells, each proved by itself. Budgets count term products,
not seconds. Nothing here says *different*: only a witness may.

Rules, each on the common domain of both sides:

* e^(a+b) = e^a e^b; e^(c·log u) = u^c for u > 0; sin and cos of sums by the addition theorem, with
  sin² = 1 − cos²; sinh, cosh, tanh through e^u;
* log and roots split over factors of known sign only (√u² is |u|, not u);
* sin and cos of atan u, asin u, atan2(v, u) are algebraic; asinh, acosh, atanh are logarithms;
* at a switch (u = 0 in |u|, sign u, max) nothing is claimed: it is named in `Proof.switches`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, lcm
from typing import Any

import flint
import sympy as sp
from sympy.core.function import AppliedUndef

from chainrule.errors import BudgetError

GENERATORS = 48
TERM_PRODUCTS = 3_000_000
TERMS = 4_000
EXPONENT = 128
DEGREE = 4_096
CELLS = 64
RESTARTS = 40

Frac = tuple[Any, Any]  # numerator and denominator, fmpz_mpoly; the denominator is not zero
Key = tuple[Any, ...]

_RING = flint.fmpz_mpoly_ctx.get([f"g{i}" for i in range(GENERATORS)], flint.Ordering.degrevlex)
_ONE = _RING.constant(1)
_ZERO = _RING.constant(0)


@dataclass(frozen=True)
class Proof:
    """That two expressions are one function.

    equal : True, or False for *don't know*.
    reason : why it could not be shown, where equal is False.
    switches : expressions whose zeros the proof leaves out (a kink, a jump of a selection).
    cells : into how many cells of signs it was split. products : term products spent.
    """

    equal: bool
    reason: str = ""
    switches: tuple[sp.Expr, ...] = ()
    cells: int = 1
    products: int = 0


class _Unknown(Exception):
    """An expression that the normal form has no rule for."""


class _Vacuous(Exception):
    """In this cell one side is undefined: nothing has to be shown."""


class _Restart(Exception):
    """A common denominator was learned: begin this cell again with it."""


class _NeedSign(Exception):
    """The sign of a factor decides: split into two cells.

    only : the one sign that leaves this cell defined (under a log or a root); 0 if both do.
    """

    def __init__(self, key: Key, only: int = 0) -> None:
        self.key = key
        self.only = only
        super().__init__(key)


@dataclass
class _Learned:
    """What one pass over the expressions teaches the next. Grows only."""

    denominators: dict[Key, int] = field(default_factory=dict)
    units: dict[Key, Fraction] = field(default_factory=dict)
    numbers: dict[Key, int] = field(default_factory=dict)  # one short name for each generator
    factors: dict[Key, sp.Expr] = field(default_factory=dict)  # what a cell's signs are of
    switches: dict[Key, sp.Expr] = field(default_factory=dict)
    products: int = 0


class _Normal:
    """One pass: expressions to fractions over generators numbered in the order in which they are
    met. A generator's definition uses only earlier ones, so relations reduce from the last down."""

    def __init__(self, learned: _Learned, signs: Mapping[Key, int], asks: bool = True) -> None:
        self.learned = learned
        self.signs = signs
        self.asks = asks  # whether cells may be split for what reads well without
        self.index: dict[Key, int] = {}
        self.names: list[Key] = []
        self.meaning: list[sp.Expr] = []
        self.positive: list[bool] = []
        self.roots: dict[int, tuple[int, Any]] = {}  # generator → (order, polynomial): r^q = f
        self.sines: dict[int, int] = {}  # generator of sin → generator of cos
        self.logs: dict[int, Frac] = {}  # generator of log u → u
        self.exps: dict[int, Frac] = {}  # generator of e^v → v
        self.arcs: dict[int, tuple[str, tuple[Frac, ...]]] = {}  # generator of an angle → of what
        self.memo: dict[sp.Basic, Frac] = {}

    # -- polynomials ---------------------------------------------------------------------------

    def spend(self, a: Any, b: Any) -> None:
        """Count a product before it is made; refuse what would be too large."""
        products = len(a) * len(b)
        self.learned.products += products
        if self.learned.products > TERM_PRODUCTS or products > 64 * TERMS:
            raise BudgetError(f"more than {TERM_PRODUCTS:,} term products")

    def multiply(self, a: Any, b: Any) -> Any:
        self.spend(a, b)
        if a != 0 and b != 0 and a.total_degree() + b.total_degree() > DEGREE:
            raise BudgetError(f"a polynomial of a degree above {DEGREE:,}")
        product = a * b
        if len(product) > TERMS:
            raise BudgetError(f"a polynomial of more than {TERMS:,} terms")
        return product

    def power(self, a: Any, n: int) -> Any:
        if n > EXPONENT:
            raise BudgetError(f"an exponent above {EXPONENT}")
        result, base = _ONE, a
        while n:
            if n & 1:
                result = self.multiply(result, base)
            n >>= 1
            if n:
                base = self.multiply(base, base)
        return result

    def reduce(self, p: Any) -> Any:
        """p modulo sin² = 1 − cos² and r^q = f, from the last generator to the first."""
        for g in sorted({*self.roots, *self.sines}, reverse=True):
            order = 2 if g in self.sines else self.roots[g][0]
            if int(p.degrees()[g]) < order:
                continue
            groups: dict[int, dict[tuple[int, ...], Any]] = {}
            for exponents, coefficient in p.terms():
                e = [int(x) for x in exponents]
                quotient, e[g] = divmod(e[g], order)
                group = groups.setdefault(quotient, {})
                group[tuple(e)] = group.get(tuple(e), 0) + coefficient
            if g in self.sines:
                cosine = _RING.gen(self.sines[g])
                value = _ONE - cosine * cosine
            else:
                value = self.roots[g][1]
            total = _ZERO
            for quotient, terms in groups.items():
                part = _RING.from_dict(terms)
                total = total + self.multiply(part, self.power(value, quotient))
            p = total
        return p

    # -- fractions -----------------------------------------------------------------------------

    def fraction(self, num: Any, den: Any) -> Frac:
        """num/den in lowest terms, relations applied, the denominator's leading sign positive."""
        num, den = self.reduce(num), self.reduce(den)
        if den == 0:
            raise _Vacuous
        if num == 0:
            return (_ZERO, _ONE)
        self.spend(num, den)
        common = num.gcd(den)
        if common != 1:
            num, den = num / common, den / common
        if int(den.leading_coefficient()) < 0:
            num, den = -num, -den
        return (num, den)

    def add(self, a: Frac, b: Frac) -> Frac:
        if a[1] == b[1]:
            return self.fraction(a[0] + b[0], a[1])
        return self.fraction(
            self.multiply(a[0], b[1]) + self.multiply(b[0], a[1]), self.multiply(a[1], b[1])
        )

    def times(self, a: Frac, b: Frac) -> Frac:
        return self.fraction(self.multiply(a[0], b[0]), self.multiply(a[1], b[1]))

    def raised(self, a: Frac, n: int) -> Frac:
        if n < 0:
            if a[0] == 0:
                raise _Vacuous
            a, n = (a[1], a[0]), -n
        return self.fraction(self.power(a[0], n), self.power(a[1], n))

    def generator(self, key: Key, meaning: sp.Expr, positive: bool = False) -> int:
        if key not in self.index:
            if len(self.names) == GENERATORS:
                raise BudgetError(f"more than {GENERATORS} independent functions")
            self.index[key] = len(self.names)
            self.names.append(key)
            self.meaning.append(meaning)
            self.positive.append(positive)
        return self.index[key]

    def gen(self, g: int) -> Frac:
        return (_RING.gen(g), _ONE)

    # -- keys, and the way back ----------------------------------------------------------------

    def key(self, p: Any) -> Key:
        """A name of a polynomial that does not depend on how generators are numbered."""
        numbers = self.learned.numbers
        terms = []
        for exponents, coefficient in p.terms():
            powers = [
                (numbers.setdefault(self.names[g], len(numbers)), int(e))
                for g, e in enumerate(exponents)
                if int(e)
            ]
            terms.append((tuple(sorted(powers)), int(coefficient)))
        return tuple(sorted(terms))

    def fraction_key(self, f: Frac) -> Key:
        return (self.key(f[0]), self.key(f[1]))

    def expression(self, p: Any) -> sp.Expr:
        """A polynomial as a SymPy expression."""
        terms = []
        for exponents, coefficient in p.terms():
            factors = [self.meaning[g] ** int(e) for g, e in enumerate(exponents) if int(e)]
            terms.append(sp.Mul(sp.Integer(int(coefficient)), *factors))
        return sp.Add(*terms)

    def quotient(self, f: Frac) -> sp.Expr:
        return self.expression(f[0]) / self.expression(f[1])

    # -- signs ---------------------------------------------------------------------------------

    def sign_of(self, p: Any, ask: bool = True, switch: bool = True) -> int:
        """The sign of an irreducible polynomial: ±1; 0 where unknown and `ask` is False.

        switch : whether its zeros are a kink or a jump (not just the border of a domain).
        """
        if self.clearly_positive(p):
            return 1
        if self.clearly_positive(-p):
            return -1
        if by_root := self.sign_by_root(p):
            return by_root
        key, lead = self.oriented(p)
        if switch:
            self.learned.switches[key] = self.learned.factors[key]
        if key in self.signs:
            return lead * self.signs[key]
        if ask:
            raise _NeedSign(key)
        return 0

    def oriented(self, p: Any) -> tuple[Key, int]:
        """One key for p and −p, and which of them it is."""
        key, opposite = self.key(p), self.key(-p)
        lead = 1 if int(p.leading_coefficient()) > 0 else -1
        if opposite in self.learned.factors or (lead < 0 and key not in self.learned.factors):
            key, lead = opposite, -1
        else:
            lead = 1
        self.learned.factors.setdefault(key, self.expression(p if lead > 0 else -p))
        return key, lead

    def clearly_positive(self, p: Any) -> bool:
        """Every term is positive or a positive number times squares, and one cannot vanish."""
        strict = False
        for exponents, coefficient in p.terms():
            if int(coefficient) < 0:
                return False
            odd = [g for g, e in enumerate(exponents) if int(e) and not self.positive[g]]
            if any(int(exponents[g]) % 2 for g in odd):
                return False
            strict = strict or not odd
        return strict

    def sign_by_root(self, p: Any) -> int:
        """The sign of A + B√f where the form of A² − B²f tells which of the two is larger."""
        if len(p) > 20:
            return 0
        for plain, rooted, norm in self.conjugates(p):
            larger = rooted if self.clearly_positive(-norm) else plain
            if larger is rooted or self.clearly_positive(norm):
                way = self.clearly_positive(larger) - self.clearly_positive(-larger)
                if way:
                    return int(way)
        return 0

    def conjugates(self, p: Any) -> Iterator[tuple[Any, Any, Any]]:
        """A, B√f and A² − B²f for each square root in p = A + B√f."""
        degrees = [int(d) for d in p.degrees()]
        for g, (order, _) in self.roots.items():
            if order == 2 and degrees[g] == 1:
                plain: dict[tuple[int, ...], Any] = {}
                rooted: dict[tuple[int, ...], Any] = {}
                for exponents, coefficient in p.terms():
                    e = tuple(int(x) for x in exponents)
                    (rooted if e[g] else plain)[e] = coefficient
                if plain:
                    a, b = _RING.from_dict(plain), _RING.from_dict(rooted)
                    yield a, b, self.reduce(self.multiply(a + b, a - b))

    def factors(self, f: Frac) -> tuple[int, int, list[tuple[Any, int]]]:
        """f as (numerator of the constant, its denominator, [(irreducible, exponent)])."""
        out: list[tuple[Any, int]] = []
        constants = []
        for p, direction in ((f[0], 1), (f[1], -1)):
            if len(p) > 200:
                raise BudgetError("factoring a polynomial of more than 200 terms")
            constant, parts = p.factor()
            constants.append(int(constant))
            out += [(q, direction * int(e)) for q, e in parts]
        return constants[0], constants[1], out

    def sign(self, f: Frac, switch: bool = True) -> int:
        """The sign of f in this cell: ±1, or 0 where f is the zero function."""
        if f[0] == 0:
            return 0
        a, b, parts = self.factors(f)
        result = (1 if a > 0 else -1) * (1 if b > 0 else -1)
        for p, e in parts:
            if e % 2:
                result *= self.sign_of(p, switch=switch)
        return result

    def must_be_positive(self, f: Frac) -> None:
        """f > 0 is asked for (log, a root): leave the cells where it fails."""
        if f[0] == 0:
            raise _Vacuous
        a, b, parts = self.factors(f)
        known = (1 if a > 0 else -1) * (1 if b > 0 else -1)
        unknown = []
        for p, e in parts:
            if e % 2:
                sign = self.sign_of(p, ask=False, switch=False)
                known *= sign or 1
                unknown += [p] if sign == 0 else []
        if len(unknown) == 1:
            key, lead = self.oriented(unknown[0])
            raise _NeedSign(key, only=known * lead)
        if self.sign(f, switch=False) < 0:
            raise _Vacuous

    # -- functions -----------------------------------------------------------------------------

    def split(self, f: Frac) -> list[tuple[int, int, Frac, Key]]:
        """f as a sum of (numerator, denominator) · monomial/denominator, with a key for each."""
        parts = []
        for exponents, coefficient in f[0].terms():
            monomial = _RING.from_dict({tuple(int(e) for e in exponents): 1})
            content = abs(int(f[1].leading_coefficient())) if len(f[1]) == 1 else 1
            den = f[1] / content if content != 1 else f[1]
            m, d = self.fraction(monomial, den)
            common = gcd(int(coefficient), content)
            sign_adjusted = int(coefficient) // common
            parts.append((sign_adjusted, content // common, (m, d), self.fraction_key((m, d))))
        return parts

    def unit(self, key: Key, denominator: int) -> int:
        """The common denominator D of all powers of one root; learns, then restarts."""
        known = self.learned.denominators.get(key, 1)
        if known % denominator:
            self.learned.denominators[key] = lcm(known, denominator)
            raise _Restart
        return known

    def common_unit(self, kind: str, key: Key, a: int, b: int) -> tuple[Fraction, int]:
        """A unit of which all multiples of one argument are whole ones, and how many a/b is."""
        name, wanted = (kind, key), Fraction(a, b)
        known = self.learned.units.setdefault(name, Fraction(1 if abs(a) <= 24 else abs(a), b))
        count = wanted / known
        if count.denominator > 1:
            bottom = lcm(known.denominator, b)
            top = gcd(int(known * bottom), int(wanted * bottom))
            self.learned.units[name] = Fraction(top, bottom)
            raise _Restart
        return known, int(count)

    def exponential(self, f: Frac) -> Frac:
        """e^f as a product of powers of generators e^(m/D)."""
        result: Frac = (_ONE, _ONE)
        for a, b, m, key in self.split(f):
            logarithm = self.single_log(m)
            if logarithm is not None:  # e^(c log u) = u^c
                result = self.times(result, self.rational_power(self.logs[logarithm], a, b))
                continue
            unit, count = self.common_unit("exp", key, a, b)
            meaning = sp.exp(self.quotient(m) * sp.Rational(unit.numerator, unit.denominator))
            g = self.generator(("exp", key, unit), meaning, positive=True)
            self.exps[g] = self.fraction(m[0] * unit.numerator, m[1] * unit.denominator)
            result = self.times(result, self.raised(self.gen(g), count))
        return result

    def single_log(self, m: Frac) -> int | None:
        """The generator, if m is exactly one logarithm."""
        for g in self.logs:
            if m == self.gen(g):
                return g
        return None

    def circular(self, f: Frac) -> tuple[Frac, Frac]:
        """cos f and sin f by the addition theorem."""
        c: Frac = (_ONE, _ONE)
        s: Frac = (_ZERO, _ONE)
        for a, b, m, key in self.split(f):
            if b in (1, 2, 3, 4, 6) and m == self.of(sp.pi):
                part = sp.pi * sp.Rational(a, b)
                c, s = self.rotate((c, s), (self.of(sp.cos(part)), self.of(sp.sin(part))))
                continue
            unit, count = self.common_unit("trig", key, a, b)
            turn = self.turn(m, unit)
            if turn is None:
                angle = self.quotient(m) * sp.Rational(unit.numerator, unit.denominator)
                cosine = self.generator(("cos", key, unit), sp.cos(angle))
                sine = self.generator(("sin", key, unit), sp.sin(angle))
                self.sines[sine] = cosine
                turn = self.gen(cosine), self.gen(sine)
            c1, s1 = self.multiple(*turn, count)
            c, s = self.rotate((c, s), (c1, s1))
        return c, s

    def turn(self, m: Frac, unit: Fraction) -> tuple[Frac, Frac] | None:
        """cos and sin of unit·m, if m is exactly one inverse function and they are algebraic."""
        found = next((arc for g, arc in self.arcs.items() if m == self.gen(g)), None)
        if found is None or unit not in (1, Fraction(1, 2)):
            return None
        kind, arguments = found
        u = arguments[0]
        square = self.times(u, u)
        if kind == "asin":
            c = self.rational_power(self.add((_ONE, _ONE), (-square[0], square[1])), 1, 2)
            s = u
        else:
            x = arguments[1] if kind == "atan2" else (_ONE, _ONE)
            hypotenuse = self.add(self.times(x, x), square)
            if hypotenuse[0] == 0:
                raise _Vacuous  # atan2(0, 0)
            over = self.rational_power(hypotenuse, -1, 2, known=True)
            c, s = self.times(x, over), self.times(u, over)
        if unit == 1:
            return c, s
        if kind == "atan2":  # half a turn of π has the cosine 0
            return None
        # |asin u|, |atan u| ≤ π/2: the cosine of half of it is positive
        half = self.times(_HALF, self.add((_ONE, _ONE), c))
        c1 = self.rational_power(half, 1, 2, known=True)
        return c1, self.times(self.times(s, _HALF), self.raised(c1, -1))

    def rotate(self, u: tuple[Frac, Frac], v: tuple[Frac, Frac]) -> tuple[Frac, Frac]:
        (c, s), (c1, s1) = u, v
        minus: Frac = (-s1[0], s1[1])
        return (
            self.add(self.times(c, c1), self.times(s, minus)),
            self.add(self.times(s, c1), self.times(c, s1)),
        )

    def multiple(self, c: Frac, s: Frac, n: int) -> tuple[Frac, Frac]:
        if abs(n) > 24:
            raise BudgetError("a multiple angle above 24")
        if n < 0:
            return self.multiple(c, (-s[0], s[1]), -n)
        result: tuple[Frac, Frac] = ((_ONE, _ONE), (_ZERO, _ONE))
        for _ in range(n):
            result = self.rotate(result, (c, s))
        return result

    def positive_factors(self, f: Frac, known: bool) -> tuple[int, int, list[tuple[Any, int]]]:
        """The factors of f > 0, each turned so that it is positive in this cell.

        known : f is positive wherever it is defined, and that need not be asked.
        """
        if not known:
            self.must_be_positive(f)
        a, b, parts = self.factors(f)
        lone = [p for p, e in parts if e % 2 and self.sign_of(p, ask=False, switch=False) == 0]
        rest = 1 if (a > 0) == (b > 0) else -1
        for p, e in parts:
            if e % 2:
                rest *= self.sign_of(p, ask=False, switch=False) or 1
        out = []
        for p, e in parts:
            if known and len(lone) == 1 and p == lone[0]:
                sign = rest  # what makes the product positive
            else:
                sign = self.sign_of(p, switch=e % 2 == 0)
            out.append((p if sign > 0 else -p, e))
        return abs(a), abs(b), out

    def logarithm(self, f: Frac, known: bool = False) -> Frac:
        """log f for f > 0, split over factors of known sign."""
        a, b, parts = self.positive_factors(f, known)
        result = self.add(self.log_integer(a, 1), self.log_integer(b, -1))
        for q, e in parts:
            result = self.add(result, self.times((_RING.constant(e), _ONE), self.log_factor(q)))
        return result

    def log_integer(self, n: int, direction: int) -> Frac:
        total: Frac = (_ZERO, _ONE)
        for prime, e in _primes(n):
            g = self.generator(("log", prime), sp.log(sp.Integer(prime)))
            self.logs[g] = (_RING.constant(prime), _ONE)
            total = self.add(total, (_RING.gen(g) * (direction * e), _ONE))
        return total

    def log_factor(self, p: Any) -> Frac:
        for g, inner in self.exps.items():
            if p == _RING.gen(g):
                return inner
        for g, (order, radicand) in self.roots.items():
            if p == _RING.gen(g):
                return self.times((_ONE, _RING.constant(order)), self.logarithm((radicand, _ONE)))
        conjugate = self.conjugate(p)
        if conjugate is not None:
            q, norm = conjugate
            whole = self.logarithm((norm, _ONE), known=True)
            part = self.log_factor(q)
            return self.add(whole, (-part[0], part[1]))
        g = self.generator(("log", self.key(p)), sp.log(self.expression(p)))
        self.logs[g] = (p, _ONE)
        return self.gen(g)

    def conjugate(self, p: Any) -> tuple[Any, Any] | None:
        """q and p·q > 0, one term, for p = A ± B√f > 0, if q is the one of the two to be kept.

        q has the sign of p·q, which is known from its form: √(x² + 1) − x is 1/(√(x² + 1) + x).
        """
        for a, b, norm in self.conjugates(p):
            if (int(a.leading_coefficient()) > 0) == (int(b.leading_coefficient()) > 0):
                continue
            q = a - b
            if len(norm) != 1:
                continue
            if self.clearly_positive_or_square(norm):
                return q, norm
            if self.clearly_positive_or_square(-norm):
                return -q, -norm
        return None

    def clearly_positive_or_square(self, monomial: Any) -> bool:
        """A positive number times positive generators and squares: not negative."""
        ((exponents, coefficient),) = monomial.terms()
        return int(coefficient) > 0 and not any(
            int(e) % 2 and not self.positive[g] for g, e in enumerate(exponents) if int(e)
        )

    def rational_power(self, f: Frac, a: int, b: int, known: bool = False) -> Frac:
        """f^(a/b), f ≥ 0 where b > 1 (the real, principal root)."""
        if b == 1:
            return self.raised(f, a)
        if f[0] == 0:
            if a < 0:
                raise _Vacuous
            return (_ZERO, _ONE)
        top, bottom, parts = self.positive_factors(f, known)
        result = self.times(self.root_integer(top, a, b), self.root_integer(bottom, -a, b))
        for q, e in parts:
            result = self.times(result, self.root_factor(q, e * a, b))
        return result

    def real_power(self, base: Frac, exponent: Frac, integer: bool) -> Frac:
        """base^exponent for base > 0; integer exponents for every base."""
        if exponent[0].is_constant() and exponent[1].is_constant():
            top = int(exponent[0].leading_coefficient()) if exponent[0] != 0 else 0
            return self.rational_power(base, top, int(exponent[1].leading_coefficient()))
        if base[0] == 0:
            if self.sign(exponent) < 0:
                raise _Vacuous
            return (_ZERO, _ONE)
        if integer and self.sign(base, switch=False) < 0:
            raise _Unknown("an integer power of a negative number has no rule in exact algebra")
        return self.exponential(self.times(exponent, self.logarithm(base)))

    def root_integer(self, n: int, a: int, b: int) -> Frac:
        result: Frac = (_ONE, _ONE)
        for prime, e in _primes(n):
            base = _RING.constant(prime)
            result = self.times(result, self.root(base, ("prime", prime), e * a, b, prime))
        return result

    def root_factor(self, p: Any, a: int, b: int) -> Frac:
        for g, inner in self.exps.items():
            if p == _RING.gen(g):  # (e^v)^(a/b) = e^(v a/b)
                scaled = self.times(inner, (_RING.constant(a), _RING.constant(b)))
                return self.exponential(scaled)
        return self.root(p, self.key(p), a, b, self.expression(p))

    def root(self, base: Any, key: Key, a: int, b: int, meaning: Any) -> Frac:
        common = gcd(a, b)
        a, b = a // common, b // common
        unit = self.unit(key, b)
        if unit == 1:
            return self.raised((base, _ONE), a)
        g = self.generator(
            ("root", key, unit), sp.sympify(meaning) ** sp.Rational(1, unit), positive=True
        )
        self.roots[g] = (unit, base)
        return self.raised(self.gen(g), a * (unit // b))

    def opaque(
        self, name: str, arguments: Sequence[Frac], build: Callable[..., sp.Expr], odd: bool = False
    ) -> Frac:
        """A function with no rule of its own: one generator for each argument."""
        flip = odd and arguments[0][0] != 0 and int(arguments[0][0].leading_coefficient()) < 0
        if flip:
            arguments = [(-arguments[0][0], arguments[0][1])]
        key = (name, *(self.fraction_key(f) for f in arguments))
        g = self.generator(key, build(*(self.quotient(f) for f in arguments)))
        if name in ("asin", "atan", "atan2"):
            self.arcs[g] = (name, tuple(arguments))
        return (-_RING.gen(g), _ONE) if flip else self.gen(g)

    def known_sign(self, f: Frac) -> int:
        """The sign of f where this cell or its form tells it, else 0; asks for no cells."""
        if f[0] == 0:
            return 0
        a, b, parts = self.factors(f)
        result = 1 if (a > 0) == (b > 0) else -1
        for p, e in parts:
            sign = self.sign_of(p, ask=False, switch=False)
            result *= sign if e % 2 else sign * sign
        return result

    def rooted(self, f: Frac) -> bool:
        """Whether a root of an expression stands in f."""
        used = [int(a) + int(b) for a, b in zip(f[0].degrees(), f[1].degrees(), strict=True)]
        return any(used[g] and not self.roots[g][1].is_constant() for g in self.roots)

    def over_root(self, u: Frac, sign: int) -> Frac:
        """u/√(1 + sign·u²): the tangent from the sine (−1), or the sine from the tangent."""
        square = self.times(u, u)
        rest = self.add((_ONE, _ONE), (square[0] * sign, square[1]))
        return self.times(u, self.rational_power(rest, -1, 2, known=sign > 0))

    def arctangent(self, u: Frac, turn: bool = True) -> Frac:
        """atan u; ±π/2 − atan(1/u) for u = 1/p; asin(u/√(1 + u²)) where that has no root."""
        if self.asks and u[0].is_constant() and u[0] != 0 and not u[1].is_constant():
            sign = int(u[0].leading_coefficient()) // abs(int(u[0].leading_coefficient()))
            quarter = (_RING.constant(self.sign(u, switch=False)), _RING.constant(2))
            rest = self.arctangent((u[1] * sign, u[0] * sign), turn)
            return self.add(self.times(quarter, self.of(sp.pi)), (-rest[0], rest[1]))
        if turn and self.rooted(u):
            sine = self.over_root(u, 1)
            if not self.rooted(sine):
                return self.opaque("asin", [sine], sp.asin, odd=True)
        return self.opaque("atan", [u], sp.atan, odd=True)

    def arcsine(self, u: Frac) -> Frac:
        """asin u; atan(u/√(1 − u²)) where u has a root, except for asin 1."""
        square = self.times(u, u)
        if self.rooted(u) and self.add((_ONE, _ONE), (-square[0], square[1]))[0] != 0:
            return self.arctangent(self.over_root(u, -1), turn=False)
        return self.opaque("asin", [u], sp.asin, odd=True)

    def angle(self, y: Frac, x: Frac) -> Frac:
        """atan2(y, x); atan(y/x) and a half turn where the signs are known without asking."""
        right, up = self.known_sign(x), self.known_sign(y)
        if right > 0 or (right < 0 and up):
            turn = self.arctangent(self.times(y, self.raised(x, -1)))
            half = self.times((_RING.constant(up if right < 0 else 0), _ONE), self.of(sp.pi))
            return self.add(turn, half)
        return self.opaque("atan2", [y, x], sp.atan2)

    def area(self, u: Frac, sign: int) -> Frac:
        """log(u + √(u² + sign)): asinh, and acosh for u ≥ 1."""
        one: Frac = (_RING.constant(sign), _ONE)
        if sign < 0:
            above = self.add(u, one)
            if above[0] == 0:
                return (_ZERO, _ONE)
            self.must_be_positive(above)
        root = self.rational_power(self.add(self.times(u, u), one), 1, 2, known=True)
        result = self.logarithm(self.add(u, root), known=True)
        g = self.single_log(result)
        if g is not None:  # reads better
            self.meaning[g] = (sp.asinh if sign > 0 else sp.acosh)(self.quotient(u))
        return result

    # -- SymPy ---------------------------------------------------------------------------------

    def of(self, e: sp.Basic) -> Frac:
        """The fraction of a SymPy expression."""
        if e not in self.memo:
            self.memo[e] = self.rule(e)
        return self.memo[e]

    def rule(self, e: sp.Basic) -> Frac:
        if isinstance(e, sp.Rational):
            if max(abs(int(e.p)).bit_length(), int(e.q).bit_length()) > 8192:
                raise BudgetError("a number of more than 8192 bits")
            return (_RING.constant(int(e.p)), _RING.constant(int(e.q)))
        if isinstance(e, sp.Symbol):
            return self.gen(self.generator(("symbol", e.name), e, positive=bool(e.is_positive)))
        if e is sp.E:
            return self.exponential((_ONE, _ONE))
        if e is sp.pi:
            return self.gen(self.generator(("pi",), sp.pi, positive=True))
        if isinstance(e, sp.Add):
            total: Frac = (_ZERO, _ONE)
            for term in e.args:
                total = self.add(total, self.of(term))
            return total
        if isinstance(e, sp.Mul):
            product: Frac = (_ONE, _ONE)
            for factor in e.args:
                product = self.times(product, self.of(factor))
            return product
        if isinstance(e, sp.Pow):
            base, exponent = e.args
            if isinstance(exponent, sp.Rational):
                return self.rational_power(self.of(base), int(exponent.p), int(exponent.q))
            if base is sp.E:
                return self.exponential(self.of(exponent))
            return self.real_power(self.of(base), self.of(exponent), bool(exponent.is_integer))
        if isinstance(e, sp.Piecewise):
            for value, condition in e.args:
                if self.holds(condition):
                    return self.of(value)
            raise _Unknown("a definition by cases leaves some values out")
        for kind, rule in _RULES.items():
            if isinstance(e, kind):
                return rule(self, e)
        if isinstance(e, (AppliedUndef, sp.Derivative, sp.Subs)):
            return self.gen(self.generator(("undefined", e), e))
        raise _Unknown(f"{type(e).__name__} has no rule in exact algebra")

    def holds(self, condition: Any) -> bool:
        """A condition inside this cell; at the switch itself nothing is claimed."""
        if condition in (sp.true, True):
            return True
        if condition in (sp.false, False):
            return False
        if isinstance(condition, (sp.Gt, sp.Ge, sp.Lt, sp.Le)):
            sign = self.sign(self.of(condition.gts - condition.lts))
            return sign > 0 or (sign == 0 and isinstance(condition, (sp.Ge, sp.Le)))
        if isinstance(condition, (sp.Eq, sp.Ne)):
            same = self.of(condition.lhs - condition.rhs)[0] == 0
            if not same:
                self.sign(self.of(condition.lhs - condition.rhs))
            return bool(same == isinstance(condition, sp.Eq))
        if isinstance(condition, sp.And):
            return all(self.holds(c) for c in condition.args)
        if isinstance(condition, sp.Or):
            return any(self.holds(c) for c in condition.args)
        if isinstance(condition, sp.Not):
            return not self.holds(condition.args[0])
        raise _Unknown(f"the condition {condition} has no rule in exact algebra")


def _primes(n: int) -> list[tuple[int, int]]:
    """Prime factors, of numbers for which that is cheap; others are one factor."""
    if n <= 1:
        return []
    if n.bit_length() > 64:
        return [(n, 1)]
    return [(int(p), int(e)) for p, e in flint.fmpz(n).factor()]


def _extreme(pick: int) -> Callable[[_Normal, sp.Expr], Frac]:
    def rule(n: _Normal, e: sp.Expr) -> Frac:
        best = n.of(e.args[0])
        for argument in e.args[1:]:
            other = n.of(argument)
            difference = n.add(other, (-best[0], best[1]))
            if n.sign(difference) == pick:
                best = other
        return best

    return rule


def _hyperbolic(e: sp.Expr, n: _Normal) -> tuple[Frac, Frac]:
    """e^u + e^−u and e^u − e^−u."""
    grow = n.exponential(n.of(e.args[0]))
    fall = n.raised(grow, -1)
    return n.add(grow, fall), n.add(grow, (-fall[0], fall[1]))


def _ratio(n: _Normal, a: Frac, b: Frac) -> Frac:
    return n.times(a, n.raised(b, -1))


_TWO: Frac = (_RING.constant(2), _ONE)
_HALF: Frac = (_ONE, _RING.constant(2))


def _absolute(n: _Normal, e: sp.Expr) -> Frac:
    f = n.of(e.args[0])
    return f if n.sign(f) >= 0 else (-f[0], f[1])


def _sign(n: _Normal, e: sp.Expr) -> Frac:
    return (_RING.constant(n.sign(n.of(e.args[0]))), _ONE)


def _area_tangent(n: _Normal, e: sp.Expr) -> Frac:
    """atanh u = log((1 + u)/(1 − u))/2, which is defined for the same u."""
    u = n.of(e.args[0])
    return n.times(_HALF, n.logarithm(n.fraction(u[1] + u[0], u[1] - u[0])))


def _step(n: _Normal, e: sp.Expr) -> Frac:
    sign = n.sign(n.of(e.args[0]))
    return n.of(e.args[1]) if sign == 0 else (_RING.constant(int(sign > 0)), _ONE)


def _named(name: str, build: Any, odd: bool = False) -> Callable[[_Normal, sp.Expr], Frac]:
    return lambda n, e: n.opaque(name, [n.of(a) for a in e.args], build, odd)


#: SymPy's class → its normal form. What is missing here is *don't know*, never a guess.
_RULES: Mapping[Any, Callable[[_Normal, Any], Frac]] = {
    sp.exp: lambda n, e: n.exponential(n.of(e.args[0])),
    sp.log: lambda n, e: n.logarithm(n.of(e.args[0])),
    sp.cos: lambda n, e: n.circular(n.of(e.args[0]))[0],
    sp.sin: lambda n, e: n.circular(n.of(e.args[0]))[1],
    sp.tan: lambda n, e: _ratio(n, *reversed(n.circular(n.of(e.args[0])))),
    sp.cot: lambda n, e: _ratio(n, *n.circular(n.of(e.args[0]))),
    sp.sec: lambda n, e: n.raised(n.circular(n.of(e.args[0]))[0], -1),
    sp.csc: lambda n, e: n.raised(n.circular(n.of(e.args[0]))[1], -1),
    sp.cosh: lambda n, e: n.times(_HALF, _hyperbolic(e, n)[0]),
    sp.sinh: lambda n, e: n.times(_HALF, _hyperbolic(e, n)[1]),
    sp.tanh: lambda n, e: _ratio(n, *reversed(_hyperbolic(e, n))),
    sp.coth: lambda n, e: _ratio(n, *_hyperbolic(e, n)),
    sp.sech: lambda n, e: _ratio(n, _TWO, _hyperbolic(e, n)[0]),
    sp.csch: lambda n, e: _ratio(n, _TWO, _hyperbolic(e, n)[1]),
    sp.Abs: _absolute,
    sp.sign: _sign,
    sp.Heaviside: _step,
    sp.Max: _extreme(1),
    sp.Min: _extreme(-1),
    sp.erfc: lambda n, e: n.add((_ONE, _ONE), n.times((-_ONE, _ONE), n.of(sp.erf(e.args[0])))),
    sp.erf: _named("erf", sp.erf, odd=True),
    sp.atan: lambda n, e: n.arctangent(n.of(e.args[0])),
    sp.asin: lambda n, e: n.arcsine(n.of(e.args[0])),
    sp.acos: lambda n, e: n.of(sp.pi / 2 - sp.asin(e.args[0])),
    sp.asinh: lambda n, e: n.area(n.of(e.args[0]), 1),
    sp.acosh: lambda n, e: n.area(n.of(e.args[0]), -1),
    sp.atanh: _area_tangent,
    sp.atan2: lambda n, e: n.angle(n.of(e.args[0]), n.of(e.args[1])),
    sp.gamma: _named("gamma", sp.gamma),
    sp.loggamma: _named("loggamma", sp.loggamma),
    sp.polygamma: _named("polygamma", sp.polygamma),
}


def _feasible(signs: Mapping[Key, int], factors: Mapping[Key, sp.Expr]) -> bool:
    """False only if the signs of linear factors in one symbol leave that symbol no value."""
    lower: dict[sp.Symbol, sp.Rational] = {}
    upper: dict[sp.Symbol, sp.Rational] = {}
    for key, sign in signs.items():
        factor = factors[key]
        if not (len(factor.free_symbols) == 1 and factor.is_polynomial(*factor.free_symbols)):
            continue
        polynomial = sp.Poly(factor, *factor.free_symbols)
        if polynomial.degree() != 1 or not all(c.is_Rational for c in polynomial.all_coeffs()):
            continue
        slope, offset = polynomial.all_coeffs()
        symbol, root = polynomial.gens[0], -offset / slope
        if (slope > 0) == (sign > 0):
            lower[symbol] = max(lower.get(symbol, root), root)
        else:
            upper[symbol] = min(upper.get(symbol, root), root)
    return not any(bool(lower[s] >= upper[s]) for s in lower.keys() & upper.keys())


def prove_zero(expression: sp.Expr) -> Proof:
    """Whether an expression in real symbols is 0 wherever it is defined.

    >>> x = sp.Symbol("x", real=True)
    >>> prove_zero(sp.tanh(x) ** 2 + 1 / sp.cosh(x) ** 2 - 1).equal
    True
    >>> prove_zero(sp.sqrt(x**2) - x).equal
    False
    """
    learned = _Learned()
    done = vacuous = 0
    restarts = 0
    open_cells: list[dict[Key, int]] = [{}]
    try:
        while open_cells:
            signs = open_cells.pop()
            normal = _Normal(learned, signs)
            try:
                numerator, _ = normal.of(expression)
            except _Restart:
                restarts += 1
                if restarts > RESTARTS:
                    return Proof(False, "too many denominators", products=learned.products)
                open_cells.append(signs)
                continue
            except _NeedSign as need:
                if done + vacuous + len(open_cells) + 2 > CELLS:
                    return Proof(False, f"more than {CELLS} cells", products=learned.products)
                for sign in (need.only,) if need.only else (-1, 1):
                    cell = {**signs, need.key: sign}
                    if _feasible(cell, learned.factors):
                        open_cells.append(cell)
                continue
            except _Vacuous:
                vacuous += 1
                continue
            if numerator != 0:
                return Proof(False, "the normal forms differ", products=learned.products)
            done += 1
    except (_Unknown, BudgetError) as why:
        return Proof(False, str(why), products=learned.products)
    except RecursionError:
        return Proof(False, "nested too deeply for exact algebra", products=learned.products)
    if not done:
        return Proof(False, "undefined everywhere", products=learned.products)
    switches = tuple(learned.switches.values())
    return Proof(True, "", switches, done, learned.products)


def _alone(expression: sp.Expr) -> tuple[_Normal, Frac] | None:
    """The normal form of one expression by itself; None where there is none without cells."""
    learned = _Learned()
    for _ in range(RESTARTS):
        normal = _Normal(learned, {}, asks=False)
        try:
            return normal, normal.of(expression)
        except _Restart:
            continue
        except (_NeedSign, _Vacuous, _Unknown, BudgetError, RecursionError):
            return None
    return None


def sign(expression: sp.Expr) -> int:
    """1 or −1 where the sign is the same for all values of the symbols, by its form; 0 unknown.

    >>> x = sp.Symbol("x", real=True)
    >>> sign(1 + sp.exp(x)), sign(-1 - x**2), sign(x), sign(x**2)
    (1, -1, 0, 0)
    """
    found = _alone(expression)
    if found is None:
        return 0
    normal, f = found
    if f[0] == 0:
        return 0
    try:
        top, bottom, parts = normal.factors(f)
    except BudgetError:
        return 0
    result = (1 if top > 0 else -1) * (1 if bottom > 0 else -1)
    for p, e in parts:
        result *= normal.sign_of(p, ask=False, switch=False) ** abs(e)
    return result


def nonzero_factors(expression: sp.Expr) -> tuple[sp.Expr, ...]:
    """The factors that may vanish, so that expression ≠ 0 says: none of them does.

    >>> t = sp.Symbol("t", real=True)
    >>> nonzero_factors(-2 * t**3 * sp.exp(t))
    (t,)
    """
    found = _alone(expression)
    if found is None:
        return (expression,)
    normal, f = found
    if f[0] == 0:
        return (sp.S.Zero,)
    try:
        parts = normal.factors((f[0], _ONE))[2]
    except BudgetError:
        return (expression,)
    out = []
    for p, _ in parts:
        if normal.sign_of(p, ask=False, switch=False) == 0:
            shown = normal.expression(p if int(p.leading_coefficient()) > 0 else -p)
            out.append(shown)
    # The same set of zeros in the user's own form reads better than an expanded one.
    if len(out) == 1 and sp.count_ops(expression) <= sp.count_ops(out[0]):
        return (expression,)
    return tuple(out)


def even_factors(expression: sp.Expr) -> tuple[sp.Expr, ...]:
    """The factors that may vanish, where the expression is never negative by its form; else ().

    >>> x = sp.Symbol("x", real=True)
    >>> even_factors(3 * x**2 * sp.exp(x)), even_factors(x**3)
    ((x,), ())
    """
    found = _alone(expression)
    if found is None or found[1][0] == 0:
        return ()
    normal, f = found
    try:
        top, bottom, parts = normal.factors(f)
    except BudgetError:
        return ()
    way = (1 if top > 0 else -1) * (1 if bottom > 0 else -1)
    vanishing = []
    for p, e in parts:
        sign = normal.sign_of(p, ask=False, switch=False)
        if sign == 0:
            if e % 2:
                return ()
            vanishing.append(normal.expression(p if int(p.leading_coefficient()) > 0 else -p))
        way *= sign ** abs(e) if sign else 1
    return tuple(vanishing) if way > 0 else ()


def prove_equal(left: sp.Expr, right: sp.Expr) -> Proof:
    """Whether two expressions in real symbols are one function on their common domain."""
    return prove_zero(sp.Add(left, sp.Mul(-1, right, evaluate=False), evaluate=False))
