"""The points to try: exact binary fractions, all signs, decades of magnitude, seeded by a text.

The same seed gives the same points on every machine.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

import sympy as sp
from sympy.core.function import AppliedUndef

#: Magnitudes in the order in which they are tried: near one first, then small, large, mixed.
SCALES: tuple[Fraction, ...] = (
    Fraction(1),
    Fraction(1, 4),
    Fraction(4),
    Fraction(1, 64),
    Fraction(32),
    Fraction(1, 1024),
    Fraction(512),
)

#: Further out, for float64 code: where it overflows, underflows or cancels.
WIDE: tuple[Fraction, ...] = (
    Fraction(512),
    Fraction(1, 2**30),
    Fraction(32),
    Fraction(2**14),
    Fraction(1, 2**200),
    Fraction(2**40),
)


def generator(seed: str) -> random.Random:
    """A random generator that a text decides."""
    return random.Random(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big"))


def points(
    symbols: Sequence[sp.Symbol],
    *,
    seed: str,
    count: int,
    scales: tuple[Fraction, ...] = SCALES,
) -> Iterator[dict[sp.Symbol, Fraction]]:
    """`count` points: every other one near 1, the rest over decades and mixed.

    scales : the magnitudes, in the order in which they are tried.
    symbols : real symbols; one that SymPy knows to be positive gets positive values only.

    >>> x = sp.Symbol("x", real=True)
    >>> [list(p.values())[0] for p in points([x], seed="a", count=3)] == [
    ...     list(p.values())[0] for p in points([x], seed="a", count=3)]
    True
    """
    rng = generator(seed)
    ordered = sorted(symbols, key=str)
    for number in range(count):
        if number == 0:  # where logarithms and roots live
            signs = [1] * len(ordered)
        else:
            signs = [rng.choice((1, -1)) for _ in ordered]
        shared = scales[(number // 2) % len(scales)] if number % 2 else Fraction(1)
        mixed = number % 4 == 3
        point = {}
        for s, sign in zip(ordered, signs, strict=True):
            scale = rng.choice(scales) if mixed else shared
            value = Fraction(rng.randrange(9, 512), 256) * scale
            if s.is_positive or (s.is_nonnegative and value > 0):
                sign = 1
            elif s.is_negative:
                sign = -1
            if s.is_integer:
                value = Fraction(max(1, round(value * 4)))
            point[s] = sign * value
        yield point


def instances(expressions: Iterable[sp.Basic]) -> dict[sp.Basic, sp.Lambda]:
    """A polynomial, with coefficients of its own, for each undefined function that is used."""
    applied = {f for e in expressions for f in e.atoms(AppliedUndef)}
    arities = {f.func: len(f.args) for f in sorted(applied, key=str)}
    made: dict[sp.Basic, sp.Lambda] = {}
    for k, (function, arity) in enumerate(arities.items()):
        slots = tuple(sp.Symbol(f"s{i}", real=True) for i in range(1, arity + 1))
        terms = [
            (3 * k + 2 * i + 2) * s + (k + i + 3) * s**2 + (2 * k + 5) * s**3
            for i, s in enumerate(slots)
        ]
        made[function] = sp.Lambda(slots, sp.Add(*terms, sp.Mul(k + 2, *slots)))
    return made


def put_instances(expression: sp.Expr, made: Mapping[sp.Basic, sp.Lambda]) -> sp.Expr:
    """The expression with undefined functions replaced, derivatives carried out."""
    for function, body in made.items():
        expression = expression.replace(function, body)
    return expression.doit() if made else expression
