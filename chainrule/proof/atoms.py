"""Atoms: what polynomials are made of, a head (input, e^u, √u, Σ…, a condition) with indices.

Equal heads and equal atoms are one number each, so that keys made of them compare. Where a head has
symmetries, an atom's indices stand in the first of the orders that mean the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chainrule.domains import Domain
from chainrule.errors import BudgetError
from chainrule.graph.sizes import Size
from chainrule.proof.indices import Floors, Index, letters, surely
from chainrule.proof.polynomials import PolyKey, Zero

#: Operations of a step on no terms at all.
STEP = 2


@dataclass(frozen=True)
class Head:
    """What an atom is. symmetries : orders of its indices that give the same value.

    sign : 2 where it is positive, 1 where it is never negative, else 0. payload : what it is of.
    """

    kind: str
    key: Any
    symmetries: tuple[tuple[int, ...], ...] = ()
    sign: int = 0
    payload: Any = None


@dataclass
class Atoms:
    """The atoms and heads of one proof.

    ranges : variable → the size that it runs over. products : operations spent, of `budget`.
    digits : variable → the digits that it was split into. unrolled : the longest axis whose sum is
    written out. angle : 2 where sines are written in sines of half the angle.
    floors : how many places axes have at least.
    apart : whether the places where a comparison switches are left out.
    assuming : input → its declared domain. facts : head of an input → what is assumed of it.
    """

    budget: int = 400_000
    apart: bool = False
    assuming: Mapping[str, Domain] = field(default_factory=dict)
    facts: dict[int, Any] = field(default_factory=dict)
    products: int = 0
    heads: list[Head] = field(default_factory=list)
    known_heads: dict[Any, int] = field(default_factory=dict)
    of: list[tuple[int, tuple[Index, ...]]] = field(default_factory=list)
    known: dict[tuple[int, tuple[Index, ...]], int] = field(default_factory=dict)
    ranges: dict[int, Size] = field(default_factory=dict)

    digits: dict[int, Index] = field(default_factory=dict)
    unrolled: int = 0
    angle: int = 1
    floors: Floors = ()
    held: dict[int, frozenset[int]] = field(default_factory=dict)
    kinds: list[str] = field(default_factory=list)
    zeros: dict[PolyKey, Zero] = field(default_factory=dict)
    picks: dict[int, Any] = field(default_factory=dict)
    templates: dict[Any, Any] = field(default_factory=dict)

    # -- atoms ---------------------------------------------------------------------------------

    def fresh(self, size: Size) -> int:
        """A new variable that runs over 0 … size − 1."""
        v = len(self.ranges) + 1
        self.ranges[v] = size
        return v

    def head(
        self, kind: str, key: Any, symmetries: Any = (), sign: int = 0, payload: Any = None
    ) -> int:
        """The number of a head."""
        name = (kind, key)
        if name not in self.known_heads:
            self.known_heads[name] = len(self.heads)
            self.heads.append(Head(kind, key, tuple(symmetries), sign, payload))
        return self.known_heads[name]

    def ordered(self, head: int, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Arguments in the first of the orders that mean the same."""
        symmetries = self.heads[head].symmetries
        if len(symmetries) < 2:
            return args
        return min(tuple(args[k] for k in s) for s in symmetries)

    def atom(self, head: int, args: Iterable[Index] = ()) -> int:
        """The number of an atom."""
        name = (head, self.ordered(head, tuple(args)))
        if name not in self.known:
            self.known[name] = len(self.of)
            self.of.append(name)
            self.kinds.append(self.heads[head].kind)
        return self.known[name]

    def kind(self, atom: int) -> str:
        """The kind of an atom's head."""
        return self.kinds[atom]

    def surely(self, size: Size) -> bool:
        """Whether a size is 0 or more for all sizes of the axes."""
        return surely(size, self.floors)

    def at(self, atom: int) -> frozenset[int]:
        """The variables in an atom's indices."""
        found = self.held.get(atom)
        if found is None:
            found = frozenset(v for i in self.of[atom][1] for v in letters(i))
            self.held[atom] = found
        return found

    def spend(self, operations: int) -> None:
        """Count operations before they are made: terms, or products of terms, that are met."""
        self.products += operations + STEP
        if self.products > self.budget:
            raise BudgetError(f"more than {self.budget:,} operations")
