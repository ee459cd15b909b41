"""Both sides modulo random primes, at given sizes: *proved* at these, or *don't know*.

An entry of either side is evaluated at random points over random prime fields (`values.residues`):
exactly, with roots and conditions kept as symbols and unknown functions named by the residues of
their arguments. If the sides are the same at every point, they are one function wherever both are
defined, but for luck below 2⁻⁶⁰: the chance follows from the degrees along the graph, and so does
the number of points. Where residues differ nothing is said: a law may be missing.

It complements the normal form for symbolic sizes: here reshape, concat, put, gather, scatter and
unrolled loops only move residues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from chainrule.errors import ChainruleError, ShapeError, UsageError
from chainrule.graph.node import Node, reached
from chainrule.values import residues, structure
from chainrule.values.residues import Unlucky

#: log₂ of the chance that is allowed.
ENOUGH = -60.0
#: Points at least and at most; entries of all nodes together at most; other points where a
#: denominator was 0.
LEAST, POINTS, ENTRIES, TRIES = 2, 12, 500_000, 2


@dataclass(frozen=True)
class Assumed:
    """What is known of an input.

    how : "symmetric" (its last two axes), or "sums to one" along an axis.
    """

    how: Literal["symmetric", "sums to one"]
    axis: int = 0


@dataclass(frozen=True)
class Told:
    """Whether two nodes are the same real function wherever both are defined, at these sizes.

    equal : True, or False for *don't know*. reason : why not, where equal is False.
    log2_error : log₂ of a bound on the chance that this is luck, where equal is True.
    points : how many points were tried.
    """

    equal: bool
    reason: str = ""
    log2_error: float = 0.0
    points: int = 0


def signature(
    pairs: Sequence[tuple[Node, Node]],
    sizes: Mapping[str, int],
    *,
    seed: str,
    assuming: Mapping[str, Assumed] | None = None,
    given: Mapping[str, Any] | None = None,
    apart: bool = False,
) -> list[Told]:
    """Whether the two nodes of each pair are one function at these sizes.

    pairs : nodes of one graph (see `proof.joined`). sizes : axis → size, for every axis.
    seed : the same seed, the same points. assuming : input name → what is known of it.
    given : integer inputs by name; they are data, and the proof is for these alone.
    apart : leave out where a comparison of smooth functions of the inputs switches.
    What must hold for both sides to be defined is in `proof.equality.conditions`.

    >>> from chainrule.graph.node import Graph
    >>> g = Graph({"n": 3})
    >>> x = g.input("x", (g.axis("n", 3),))
    >>> left, right = g.einsum("i,j->", x, x), g.power(g.sum(x, [0]), 2)
    >>> (told,) = signature([(left, right)], {"n": 3}, seed="doc")
    >>> told.equal, told.log2_error < -60
    (True, True)
    >>> signature([(left, g.einsum("i,i->", x, x))], {"n": 3}, seed="doc")[0].equal
    False
    """
    if not pairs:
        return []
    if any(node.graph is not pairs[0][0].graph for pair in pairs for node in pair):
        raise ShapeError("the nodes belong to different graphs; see joined")
    asked = _Asked(dict(sizes), seed, dict(assuming or {}), dict(given or {}), apart)
    told: dict[int, Told] = {}
    for k, (a, b) in enumerate(pairs):
        if a is b:
            told[k] = Told(True, "", float("-inf"))
    rest = [k for k in range(len(pairs)) if k not in told]
    try:
        together = _compare([pairs[k] for k in rest], asked)
    except ChainruleError:  # one that cannot be read must not hide the others
        together = [_alone(pairs[k], asked) for k in rest]
    told.update(zip(rest, together, strict=True))
    return [told[k] for k in range(len(pairs))]


@dataclass(frozen=True)
class _Asked:
    sizes: dict[str, int]
    seed: str
    assuming: dict[str, Assumed]
    given: dict[str, Any]
    apart: bool


def _alone(pair: tuple[Node, Node], asked: _Asked) -> Told:
    try:
        return _compare([pair], asked)[0]
    except ChainruleError as why:
        return Told(False, str(why))


def _compare(pairs: Sequence[tuple[Node, Node]], asked: _Asked) -> list[Told]:
    """All pairs at the same points. Raises ChainruleError where one cannot be read."""
    if not pairs:
        return []
    nodes = residues.primitive([node for pair in pairs for node in pair])
    inputs = structure.inputs_of(nodes)
    _fits(nodes[0], asked.sizes)
    size = sum(
        int(np.prod(structure.lengths(n.shape, asked.sizes), dtype=float)) for n in reached(nodes)
    )
    if size > ENTRIES:
        raise UsageError(f"{size:,} entries are too many to read; take smaller sizes")
    same = [True] * len(pairs)
    error, points = 0.0, 0
    while any(same) and (points < LEAST or error >= ENOUGH):
        seen = _point(nodes, inputs, asked, points)
        for k, (left, right) in enumerate(pairs):
            a, b = seen.arrays[2 * k], seen.arrays[2 * k + 1]
            same[k] = same[k] and _same(left, right, a, b, seen.over.p)
        if seen.luck * POINTS >= ENOUGH:
            raise UsageError(
                f"degrees are too high: the chance of luck at one point is below 2^{seen.luck:.0f} "
                f"only, and {POINTS} points are too few; take smaller sizes"
            )
        error, points = error + seen.luck, points + 1
    different = "the residues differ: not equal by the laws that residues know"
    return [
        Told(True, "", error, points) if s else Told(False, different, 0.0, points) for s in same
    ]


def _same(left: Node, right: Node, a: Any, b: Any, p: int) -> bool:
    """Whether all entries agree; integers are exact on both sides, or residues."""
    if a.shape != b.shape:
        raise UsageError(f"the shapes differ at these sizes: {a.shape} and {b.shape}")
    if not a.size:
        raise UsageError("there is no entry to compare at these sizes")
    m = p if "f" in (left.kind, right.kind) else 0
    entries = zip(a.flat, b.flat, strict=True)
    return a.shape == b.shape and all(
        (v % m if m else v) == (w % m if m else w) for v, w in entries
    )


def _fits(node: Node, sizes: Mapping[str, int]) -> None:
    """Axes that turned out to be another size must have it here too."""
    for name, size in node.graph.axes.items():
        if name in sizes and size.names <= sizes.keys() and size.at(sizes) != sizes[name]:
            raise ShapeError(
                f"{name} = {sizes[name]}, but the code needs {name} = {size} = {size.at(sizes)}"
            )


def _point(
    nodes: Sequence[Node], inputs: Mapping[str, Node], asked: _Asked, number: int
) -> residues.Seen:
    """The entries at one random point; at another one where a denominator is 0."""
    for attempt in range(TRIES + 1):
        over = residues.field(f"{asked.seed}/{number}/{attempt}")
        real = [n for n in inputs.values() if n.params[0] not in asked.given]
        values: dict[str, Any] = dict(residues.draw(real, asked.sizes, over))
        for name, how in asked.assuming.items():
            if name in values:
                values[name] = _assumed(values[name], how, over.p, name)
        values |= {n: v for n, v in asked.given.items() if n in inputs}
        try:
            return residues.observe(nodes, values, over, asked.sizes, asked.apart)
        except Unlucky:
            if attempt == TRIES:
                raise
        except (IndexError, OverflowError) as why:
            raise UsageError(f"an index leaves its array: {why}") from None
    raise AssertionError("not reached")


def _assumed(values: Any, how: Assumed, p: int, name: str) -> Any:
    """Random values of which something is known: linear in free ones, so no degree grows."""
    out = values.copy()
    if how.how == "symmetric":
        if out.ndim < 2 or out.shape[-1] != out.shape[-2]:
            raise UsageError(f"{name} cannot be symmetric: its shape is {out.shape}")
        for i in range(out.shape[-1]):
            for j in range(i):
                out[..., i, j] = out[..., j, i]
        return out
    if not -out.ndim <= how.axis < out.ndim or not out.shape[how.axis]:
        raise UsageError(f"{name} has no entries along axis {how.axis} that could sum to one")
    moved = np.moveaxis(out, how.axis, 0)
    moved[0] = (1 - moved[1:].sum(axis=0, initial=0)) % p
    return out


__all__ = ["ENOUGH", "Assumed", "Told", "signature"]
