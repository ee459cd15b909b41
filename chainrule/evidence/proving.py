"""The identity rung for code: both sides in the normal form, for symbolic sizes.

*Proved* or *don't know*. A proof holds wherever both sides are defined, so it comes with what must
hold for that: of forward and of its derivative (their own domain), and of the claimed code alone,
where that is not sure to hold: there somebody must look. The sizes are those that both traces left
open; two that had to be made one, and comparisons of sizes on the path, are conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

import numpy as np

from chainrule.code.trace.record import Guard, Trace
from chainrule.domains import Domain, Positive, Square
from chainrule.graph.node import Node, constant, reached
from chainrule.graph.sizes import Size, show
from chainrule.proof import Condition, Joined, Proof, conditions, joined, prove_all
from chainrule.proof.equality import operations
from chainrule.proof.floors import floors
from chainrule.proof.holding import holding

LOOKS = 6  # looks at single conditions that a proof may use
SHOWN = 8  # inputs whose shapes are written
LONG = 40  # characters of a constant that a person reads


@dataclass(frozen=True)
class Proved:
    """What the normal form, or the signature, says of one derivative.

    equal : proved, or *don't know* with the reason. apart : whether the proof says nothing where a
    comparison switches. own : what forward and its derivative need. left : what the claimed code
    alone needs, and is not sure to have. Their nodes are those of the traces.
    """

    equal: bool
    reason: str
    apart: bool = False
    own: tuple[Condition, ...] = ()
    left: tuple[Condition, ...] = ()
    products: int = 0
    depth: int = 0
    luck: float | None = None  # log₂ of the chance that it is luck; None for the normal form


def _endless(c: Condition) -> bool:
    """Whether an infinity may have no value but in a row that is masked altogether."""
    return c.kind == "finite" and c.node.op != "reduce_max"


class Side(Protocol):
    """Nodes of one trace, by key; and which of its inputs is which of the point's."""

    @property
    def trace(self) -> Trace: ...

    @property
    def nodes(self) -> Mapping[str, Node]: ...

    @property
    def names(self) -> Mapping[str, str]: ...

    @property
    def inputs(self) -> Mapping[str, Node]: ...


@dataclass(frozen=True)
class Sizes:
    """For which sizes. text : "every shape: x (n×N)". free : whether any size is left open.
    conditions : what sizes must obey: "n = N", "n ≥ 2"."""

    text: str
    free: bool
    conditions: tuple[str, ...]


class Paper:
    """Both sides on one sheet.

    derived, claimed : with the same keys.
    Raises ShapeError where they read an input in different ways.
    """

    def __init__(
        self, derived: Side, claimed: Side, assuming: Mapping[str, Domain] | None = None
    ) -> None:
        self.derived, self.claimed, self.assuming = derived, claimed, assuming or {}
        outputs = tuple(derived.trace.outputs.values())
        self._own = {k: [*conditions([n, *outputs])] for k, n in derived.nodes.items()}
        self._theirs = {k: [*conditions([claimed.nodes[k]])] for k in derived.nodes}
        # the inputs too: what both sides read has the same axes, whether it matters here or not
        first = [*derived.inputs.values(), *derived.nodes.values()]
        first += [*(c.node for x in self._own.values() for c in x)]
        second = [*claimed.inputs.values(), *(claimed.nodes[k] for k in derived.nodes)]
        second += [c.node for x in self._theirs.values() for c in x]
        looked = [_looked(derived.trace), _looked(claimed.trace)]
        first += [g.node for g in looked[0] if g.node is not None]
        second += [g.node for g in looked[1] if g.node is not None]
        name = claimed.trace.function
        names = {m: n or f"{m} (of {name} alone)" for m, n in claimed.names.items()}
        square = [n for n, d in self.assuming.items() if isinstance(d, Square)]
        self.joined: Joined = joined(first, second, names, square)
        self._first = dict(zip(first, self.joined.first, strict=True))
        self._given = [
            Condition("positive", node)
            for name, node in self.joined.inputs.items()
            if isinstance(self.assuming.get(name), Positive)
        ]
        self._second = dict(zip(second, self.joined.second, strict=True))
        guards = [(g, side[g.node]) for g, side in
                  [*((g, self._first) for g in looked[0]), *((g, self._second) for g in looked[1])]
                  if g.node is not None]  # fmt: skip
        self._path = [n if g.value else self.joined.graph.not_(n) for g, n in guards]
        self._looks = [g for g, _ in guards]

    def prove(self, keys: Sequence[str], budget: int | None = None) -> dict[str, Proved]:
        """Key → what the normal form says. budget : operations for all keys together; what holds
        off switches only is proved with what is left of it."""
        pairs = {k: self.pair(k) for k in keys}
        whole = operations(list(pairs.values())) if budget is None else budget
        some = any(map(self.switches, keys))
        first = self._proofs(pairs, whole * 2 // 3 if some else whole, apart=False)
        rest = {k: pairs[k] for k in keys if not first[k].equal and self.switches(k)}
        spent = max((p.products for p in first.values()), default=0)
        second = self._proofs(rest, whole - spent, apart=True)
        if self._path and len(self._path) <= LOOKS:
            left = [k for k in keys if not first[k].equal and not (k in second and second[k].equal)]
            here = {k: self._on_path(pairs[k]) for k in left}
            first |= self._proofs(here, whole // 3, apart=False)
        return {
            k: self._told(k, second[k], True)
            if k in second and second[k].equal
            else self._told(k, first[k], False)
            for k in keys
        }

    def pair(self, key: str) -> tuple[Node, Node]:
        """Both sides of one derivative, in one graph."""
        return self._first[self.derived.nodes[key]], self._second[self.claimed.nodes[key]]

    def impossible(self, look: Guard) -> bool:
        """Whether a look can surely not come out otherwise where those before it came out as they
        did: |x| ≤ 1 and x > 1."""
        number = next((k for k, g in enumerate(self._looks) if g is look), LOOKS)
        if number >= LOOKS:
            return False
        g = self.joined.graph
        held = g.not_(self._path[number])
        for node in self._path[:number]:
            held = g.and_(node, held)
        one, zero = g.number(Fraction(1)), g.number(Fraction(0))
        (proof,) = prove_all([(g.select(held, one, zero), zero)], assuming=self.assuming)
        return proof.equal

    def _on_path(self, pair: tuple[Node, Node]) -> tuple[Node, Node]:
        """Both sides where the looks came out as they did, and 0 elsewhere: there nothing is
        claimed."""
        g, zero = self.joined.graph, self.joined.graph.number(Fraction(0))
        held = self._path[0]
        for node in self._path[1:]:
            held = g.and_(held, node)
        a, b = (g.select(held, node, zero) for node in pair)
        return a, b

    def signed(self, key: str, apart: bool, luck: float) -> Proved:
        """A derivative that is proved by its signature, with what both sides need."""
        return replace(self._told(key, Proof(True), apart), luck=luck)

    def _proofs(
        self, pairs: Mapping[str, tuple[Node, Node]], budget: int, apart: bool
    ) -> dict[str, Proof]:
        proofs = prove_all(list(pairs.values()), apart=apart, budget=budget, assuming=self.assuming)
        return dict(zip(pairs, proofs, strict=True))

    def switches(self, key: str) -> bool:
        """Whether a comparison or a kink is met on the way to a derivative."""
        both = [*self._own[key], *self._theirs[key]]
        return any(c.kind in ("switch", "largest") for c in both)

    def _told(self, key: str, proof: Proof, apart: bool) -> Proved:
        if not proof.equal:
            return Proved(False, proof.reason, products=proof.products)
        given = self._given + [Condition(c.kind, self._first[c.node]) for c in self._own[key]]
        theirs = [Condition(c.kind, self._second[c.node]) for c in self._theirs[key]]
        sure = holding(theirs, given)
        left = tuple(
            c
            for c, there, holds in zip(self._theirs[key], theirs, sure, strict=True)
            if not holds and (apart or there.kind not in ("switch", "largest"))
        )
        mine = [Condition(c.kind, self._first[c.node]) for c in self._own[key]]
        sure = holding(mine, self._given)
        own = tuple(c for c, holds in zip(self._own[key], sure, strict=True) if not holds)
        if any(map(_endless, own)) or any(c.kind == "finite" for c in left):
            return Proved(False, "an ∞ of the code may meet another one, or a 0")
        return Proved(True, "", apart, own, left, proof.products, proof.depth)

    # -- sizes ---------------------------------------------------------------------------------

    def sizes(self) -> Sizes:
        """For which sizes of the inputs a proof holds."""
        shapes = {
            n: tuple(self.joined.size(s) for s in node.shape)
            for n, node in self.derived.inputs.items()
        }
        shapes = {n: s for n, s in shapes.items() if s}
        names = sorted({a for s in shapes.values() for x in s for a in x.names})
        if not shapes:
            return Sizes("scalars", False, ())
        parts = [f"{n} {show(s)}" for n, s in shapes.items()]
        listed = ", ".join(parts[:SHOWN]) + (", …" if len(parts) > SHOWN else "")
        whole = all(x.names or x == 1 for s in shapes.values() for x in s)
        if not names:
            return Sizes(listed, False, ())
        text = "every shape" if whole else f"every {', '.join(names)}"
        return Sizes(f"{text}: {listed}", True, tuple(dict.fromkeys(self._tied())))

    def _tied(self) -> Iterable[str]:
        """Sizes that had to be made one for the claimed code, and comparisons on the path."""
        free = {a for n in self.derived.inputs.values() for s in n.shape for a in s.names}
        for name in sorted(free):
            there = self.joined.size(Size.axis(name))
            if there != Size.axis(name):
                yield f"{name} = {there}"
        nodes = [*self.joined.first, *self.joined.second]
        for name, least in sorted(floors(nodes).items()):
            yield f"{name} ≥ {least}"
        for side, trace in enumerate((self.derived.trace, self.claimed.trace)):
            for guard in trace.guards:
                if guard.size is None:
                    continue
                a, relation, b = guard.size
                rest = self.joined.size(a, side) - self.joined.size(b, side)
                if not _always(rest, relation):
                    yield guard.text


def _looked(trace: Trace) -> list[Guard]:
    """The looks at single conditions."""
    return [
        g
        for g in trace.guards
        if g.node is not None
        and g.how is None
        and not g.node.shape
        and g.node.kind == "b"
        and np.shape(g.value) == ()
    ]


def _always(rest: Size, relation: str) -> bool:
    """Whether rest ∘ 0 for all axes of one place or more."""
    shifted = rest.put({n: Size.axis(n) + 1 for n in rest.names})
    low = all(c >= 0 for _, c in shifted.terms)
    high = all(c <= 0 for _, c in shifted.terms)
    least = dict(shifted.terms).get((), 0)
    return {
        "==": not rest.terms,
        "!=": (low and least > 0) or (high and least < 0),
        ">=": low,
        ">": low and least > 0,
        "<=": high,
        "<": high and least < 0,
    }[relation]


def readings(nodes: Sequence[Node]) -> list[str]:
    """How the constants in code were read, those that are no whole numbers or short fractions."""
    found: dict[str, None] = {}
    for node in reached(nodes):
        if node.op != "const":
            continue
        how, value = node.params[0], node.params[1]
        if how == "number" and value.denominator & (value.denominator - 1):
            found[f"{float(value)!r} = {_exact(value)}"] = None
        elif how == "named":
            found[{"pi": "np.pi = π", "e": "np.e = e"}.get(value, f"{value}")] = None
        elif how == "near":
            found[f"{constant(node)!r} ± 4 ulp"] = None
    return list(found)


def _exact(value: Fraction) -> str:
    """A number as it is read: a fraction, or its digits times a power of ten where that is long.

    >>> _exact(Fraction(1, 10)), _exact(Fraction(-3, 10**320))
    ('1/10', '-3·10^-320')
    """
    if len(str(value)) <= LONG:
        return str(value)
    for power in range(len(str(value.denominator)) + 1):
        if (value * 10**power).denominator == 1:
            digits = str((value * 10**power).numerator)
            shown = digits if len(digits) <= LONG else f"{digits[:LONG]}…"
            return f"{shown}·10^-{power}"
    return f"{float(value)!r}…"


__all__ = ["Paper", "Proved", "Sizes", "readings"]
