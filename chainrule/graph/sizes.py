"""Sizes of axes as integer polynomials in named axes: `x.size` is n0·N, not 12.

Exact and canonical: equal polynomials are equal objects. A size never forgets its axes; what a
polynomial cannot say (a floor division that leaves a remainder) is not a `Size`, and the one who
asks must say so. Imports nothing of chainrule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

Monomial = tuple[str, ...]


class Size:
    """An integer polynomial in axis names; immutable, hashable.

    >>> n, m = Size.axis("n"), Size.axis("m")
    >>> (n + 1) * m - m == n * m, str(2 * n * m - 3)
    (True, '2·m·n - 3')
    >>> (n * m).exact_div(m), (n + 1).exact_div(m)
    (Size('n'), None)
    """

    __slots__ = ("_hash", "terms")
    terms: tuple[tuple[Monomial, int], ...]

    def __new__(cls, terms: Mapping[Monomial, int]) -> Self:
        self = object.__new__(cls)
        kept = tuple(sorted((m, c) for m, c in terms.items() if c))
        object.__setattr__(self, "terms", kept)
        object.__setattr__(self, "_hash", hash(kept))
        return self

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Size does not change")

    def __reduce__(self) -> tuple[type[Size], tuple[dict[Monomial, int]]]:
        return Size, (dict(self.terms),)

    @staticmethod
    def of(value: int | Size) -> Size:
        """A size from an integer; a size as it is."""
        return value if isinstance(value, Size) else Size({(): int(value)})

    @staticmethod
    def axis(name: str) -> Size:
        """The size of a named axis."""
        return Size({(name,): 1})

    @property
    def const(self) -> int | None:
        """The integer that it is whatever the axes are, else None."""
        if not self.terms:
            return 0
        return self.terms[0][1] if len(self.terms) == 1 and not self.terms[0][0] else None

    @property
    def name(self) -> str | None:
        """The axis that it is the size of, if it is just one axis."""
        if len(self.terms) == 1 and self.terms[0][1] == 1 and len(self.terms[0][0]) == 1:
            return self.terms[0][0][0]
        return None

    @property
    def names(self) -> frozenset[str]:
        """The axes that it depends on."""
        return frozenset(name for monomial, _ in self.terms for name in monomial)

    def __add__(self, other: int | Size) -> Size:
        total = dict(self.terms)
        for monomial, c in Size.of(other).terms:
            total[monomial] = total.get(monomial, 0) + c
        return Size(total)

    __radd__ = __add__

    def __neg__(self) -> Size:
        return Size({m: -c for m, c in self.terms})

    def __sub__(self, other: int | Size) -> Size:
        return self + -Size.of(other)

    def __rsub__(self, other: int | Size) -> Size:
        return Size.of(other) + -self

    def __mul__(self, other: int | Size) -> Size:
        total: dict[Monomial, int] = {}
        for m, c in self.terms:
            for k, d in Size.of(other).terms:
                both = tuple(sorted(m + k))
                total[both] = total.get(both, 0) + c * d
        return Size(total)

    __rmul__ = __mul__

    def exact_div(self, other: int | Size) -> Size | None:
        """self/other where other is one term that divides every term of self, else None."""
        divisor = Size.of(other)
        if self == divisor and divisor.terms:
            return Size.of(1)
        if len(divisor.terms) != 1:
            return None
        (names, factor), out = divisor.terms[0], {}
        for monomial, c in self.terms:
            left = list(monomial)
            for name in names:
                if name not in left:
                    return None
                left.remove(name)
            if c % factor:
                return None
            out[tuple(left)] = c // factor
        return Size(out)

    def at(self, sizes: Mapping[str, int]) -> int:
        """Its value where the axes have these sizes."""
        total = 0
        for monomial, c in self.terms:
            for name in monomial:
                c *= sizes[name]
            total += c
        return total

    def put(self, axes: Mapping[str, Size]) -> Size:
        """With axes replaced by sizes."""
        if not any(name in axes for name in self.names):
            return self
        total = Size.of(0)
        for monomial, c in self.terms:
            term = Size.of(c)
            for name in monomial:
                term = term * axes.get(name, Size.axis(name))
            total = total + term
        return total

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int):
            return self.const == other
        return isinstance(other, Size) and self.terms == other.terms

    def __hash__(self) -> int:
        return self._hash  # type: ignore[no-any-return, attr-defined]

    def __str__(self) -> str:
        out = ""
        for monomial, c in sorted(self.terms, key=lambda t: (-len(t[0]), t[0])):
            body = "·".join(monomial)
            number = "" if abs(c) == 1 and body else f"{abs(c)}·" if body else str(abs(c))
            sign = (" - " if out else "-") if c < 0 else (" + " if out else "")
            out += sign + number + body
        return out or "0"

    def __repr__(self) -> str:
        return f"Size({str(self)!r})"


Shape = tuple[Size, ...]


def product(sizes: Iterable[Size]) -> Size:
    """The product of sizes, 1 of none."""
    total = Size.of(1)
    for size in sizes:
        total = total * size
    return total


def show(shape: Iterable[Size]) -> str:
    """A shape as it is read: ``(n1×N)``, ``scalar``."""
    parts = [str(s) if len(s.terms) <= 1 else f"({s})" for s in shape]
    return f"({'×'.join(parts)})" if parts else "scalar"
