"""The errors of sums, products, largest entries, moved entries and linear algebra.

A sum of k products is off by k roundings of the sum of their magnitudes at most, in whatever order
it was done. A solution is held to its residual by an approximate inverse; a determinant to one in
balls.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from flint import arb, arb_mat

from chainrule.graph.node import Node
from chainrule.values import float64, structure
from chainrule.values.ball import precision
from chainrule.values.float64 import KERNEL
from chainrule.values.roundoff import SAFE, TINY, UP, Rule, U, inside, up, whole
from chainrule.values.structure import Array, Sizes

LARGE = 1 << 16  # products of two entries, above which magnitudes are taken in single precision
LONGEST = 1 << 18  # terms that single precision adds up with a small relative error


def _contract(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    labels, out = node.params
    if node.kind == "f" and len(x) == 2:
        terms, steps = _steps(labels, out, x)
        if steps and terms <= LONGEST and y.size * terms >= LARGE:
            made = _large_product(node, x, e, terms, steps)
            if made is not None:
                return made
    if len(x) == 1 and len(labels[0]) == len(out):  # nothing is summed
        moved = structure.contract(labels, out, [np.broadcast_to(e[0], x[0].shape)], KERNEL)
        return whole(node, y, moved)
    xs, es = (
        [np.abs(a) for a in x],
        [np.broadcast_to(b, a.shape) for a, b in zip(x, e, strict=True)],
    )
    total = np.zeros(y.shape)
    alive = False
    for k, error in enumerate(es):
        if np.any(error > 0):
            before = [a + b for a, b in zip(xs[:k], es[:k], strict=True)]
            parts = [*before, error, *xs[k + 1 :]]
            total = total + structure.contract(labels, out, parts, KERNEL)
            alive = True
    size = structure.contract(labels, out, xs, KERNEL)
    terms, steps = _steps(labels, out, x)
    total = total * (1 + 2 * steps * U) if alive else total
    if node.kind == "f":
        total = total + size * (steps * U / (1 - 3 * steps * U))
        parts = xs + [b for b in es if alive]
        if steps and prod(min(_smallest(a), 1.0) for a in parts) < SAFE:
            largest = prod(
                max(float(np.max(a + b, initial=0)), 1.0) for a, b in zip(xs, es, strict=True)
            )
            total = total + TINY * terms * largest * len(parts)
    return whole(node, size, total * UP)


def _large_product(
    node: Node, x: Sequence[Array], e: Sequence[Array], terms: int, steps: int
) -> Any:
    """The same for a large product of two arrays, in single precision; None if that is too coarse.

    With s for what the roundings of the sum make: |a|(s|b| + eᵦ) + eₐ(|b| + eᵦ), in one product
    where one of the two is exact.
    """
    labels, out = node.params
    share = steps * U / (1 - 3 * steps * U) * UP
    (a, b), (ea, eb) = (_single(v) for v in x), (_single(v) for v in e)
    if not all(np.isfinite(v[1]) for v in (a, b, ea, eb)):
        return None
    if not eb[1]:
        parts = [(_sum(a, share, ea), b)]
    elif not ea[1]:
        parts = [(a, _sum(b, share, eb))]
    else:
        wide = np.broadcast_to(ea[0], a[0].shape), ea[1]
        parts = [(a, _sum(b, share, eb)), (wide, _sum(b, 1.0, eb))]
    total: Any = None
    for (first, up_a), (second, up_b) in parts:
        made = structure.contract(labels, out, [first, second], KERNEL).astype(np.float64)
        made += terms * TINY32
        made *= (1 + 2 * (terms + 24) * U32) * (1 + 4 * steps * U) * up_a * up_b
        total = made if total is None else total + made
    total += TINY * terms
    return total


U32, TINY32 = 2.0**-24, 2.0**-80
PLAIN = (2.0**-8, 2.0**40)  # largest entries that need no scaling

Single = tuple[Array, float]  # magnitudes in single precision, and by what they were divided


def _single(x: Array) -> Single:
    """Divided by a power of two where they are small or large: 0 for zeros alone, inf for what has
    no such numbers."""
    with np.errstate(all="ignore"):
        made = np.asarray(x, np.float64).astype(np.float32)
        np.abs(made, out=made)
        top = float(np.max(made, initial=0.0))
        if PLAIN[0] < top < PLAIN[1]:
            return made, 1.0
        top = float(np.max(np.abs(x), initial=0.0))
        if not TINY < top < np.inf:
            return made, 0.0 if top == 0 else np.inf
        power = 2.0 ** np.ceil(np.log2(top))
        return np.abs(x * (1 / power)).astype(np.float32), float(power)


def _sum(a: Single, share: float, e: Single) -> Single:
    """share·a + e, scaled again."""
    (x, p), (y, q) = a, e
    p = p * share
    if not q or not p:
        return (x, p) if not q else (np.broadcast_to(y, x.shape), q)
    top = max(p, q)
    made = x * np.float32(p / top)
    made += y * np.float32(q / top)
    return made, top


def _smallest(x: Array) -> float:
    """The smallest magnitude that is not zero."""
    return float(np.min(x, initial=1.0, where=x > 0))


def _steps(labels: Any, out: Any, x: Sequence[Array]) -> tuple[int, int]:
    """How many terms are summed, and how many roundings each of them meets at most."""
    size = {
        n: s
        for a, names in zip(x, labels, strict=True)
        for n, s in zip(names, a.shape, strict=True)
    }
    summed = [s for n, s in size.items() if n not in out]
    terms = prod(summed)
    if len(x) <= 1:
        return terms, max(terms - 1, 0)
    return terms, max(terms - 1, 0) + len(x) - 1 + len(summed) * (len(summed) > 1 or len(x) > 2)


def _lines(x: Array, axes: Sequence[int]) -> Array:
    """The entries along some axes as the last axis."""
    others = [a for a in range(x.ndim) if a not in axes]
    line = prod(x.shape[a] for a in axes)
    return np.transpose(x, (*others, *axes)).reshape(*(x.shape[a] for a in others), line)


def _spread(x: Array, e: Array) -> Array:
    """An error for each entry."""
    return np.broadcast_to(e, x.shape)


def _reduce_mul(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    a, ea = (_lines(v, node.params[0]) for v in (np.abs(x[0]), _spread(x[0], e[0])))
    n = a.shape[-1]
    if n == 0:
        return 0.0
    high = a + ea
    before = np.cumprod(np.concatenate([np.ones_like(high[..., :1]), high[..., :-1]], -1), -1)
    turned = high[..., ::-1]
    after = np.cumprod(np.concatenate([np.ones_like(high[..., :1]), turned[..., :-1]], -1), -1)
    total = (ea * before * after[..., ::-1]).sum(-1) * (1 + 4 * n * U)
    if node.kind == "f":
        total = total + np.prod(a, -1) * ((n - 1) * U / (1 - 3 * n * U))
    zero = np.any((a == 0) & (ea == 0), -1) & np.all(np.isfinite(high), -1)
    small = np.prod(np.minimum(np.where(high > 0, high, 1.0), 1.0), -1) < SAFE
    alive = (n > 1) | np.any(ea > 0, -1)
    error = np.where(small & alive, np.inf, up(total, np.any(ea > 0, -1) | (total > 0)))
    return whole(node, np.prod(np.maximum(a, 1.0), -1), np.where(zero, 0.0, error))


def _reduce_max(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    a, ea = (_lines(v, node.params[0]) for v in (x[0], _spread(x[0], e[0])))
    may = may_lead(a, ea, (a.ndim - 1,))
    worst = np.max(np.where(may, ea, 0.0), -1)
    real = np.isfinite(a) | ((a == -np.inf) & (ea == 0))  # −∞ as the code says it
    return np.where(np.all(real, -1) & np.isfinite(y).reshape(worst.shape), worst, np.inf)


# -- moving entries ------------------------------------------------------------------------------


def _moved(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    moving, where = structure.split(node, x)
    errors, unsure = structure.split(node, e)
    if any(np.any(u > 0) for u in unsure):
        return np.inf
    errors = [np.broadcast_to(b, a.shape) for a, b in zip(moving, errors, strict=True)]
    indices = float64.indices(where)

    def move(arrays: list[Array]) -> Array:
        return structure.moved(node, arrays, indices, sizes, 0, np.add)

    if node.op != "scatter_add":
        return move(errors)
    met = move([np.ones_like(moving[0])])
    extra = np.maximum(met - 1, 0) * U if node.kind == "f" else np.zeros_like(met)
    size, inputs = move([np.abs(moving[0])]), move(errors)
    total = (inputs + size * extra / (1 - 3 * extra)) * (1 + 2 * met * U)
    return whole(node, size, up(total, (inputs > 0) | (extra > 0) & (size > 0)))


# -- linear algebra ------------------------------------------------------------------------------


def _inverse(a: Array) -> Array:
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return np.full(a.shape, np.nan)


def _contraction(c: Array, a: Array, e: Array) -> Any:
    """An upper bound of ‖1 − CA'‖∞ for every A' within the error, for each matrix of a stack."""
    n = a.shape[-1]
    gamma = (n + 2) * U / (1 - (n + 2) * U)
    rest = np.abs(np.eye(n) - c @ a) + gamma * (np.eye(n) + np.abs(c) @ np.abs(a)) + np.abs(c) @ e
    return np.max(np.sum(rest, -1), -1, initial=0.0) * (1 + 8 * n * U) * UP + TINY


def _solve(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    (a, b), (ea, eb) = x, e
    ea, eb = np.broadcast_to(ea, a.shape), np.broadcast_to(eb, b.shape)
    if y.size == 0:
        return np.zeros(y.shape)
    c, n = _inverse(a), a.shape[-1]
    alpha = _contraction(c, a, ea)[..., None, None]
    gamma = (n + 2) * U / (1 - (n + 2) * U)
    size = np.abs(b) + np.abs(a) @ np.abs(y)
    rest = np.abs(b - a @ y) + gamma * size + eb + ea @ np.abs(y) + n * TINY
    first = np.abs(c) @ rest
    more = alpha / (1 - alpha) * np.max(first, -2, keepdims=True)
    return inside(alpha < 0.99, (first + more) * (1 + 16 * n * U) * UP + TINY)


def _determinant(node: Node, y: Array, x: list[Array], e: list[Array], sizes: Sizes) -> Any:
    a, ea = x[0], np.broadcast_to(e[0], x[0].shape)
    n = a.shape[-1]
    if n == 0 or y.size == 0:
        return np.zeros(y.shape)
    if not np.any(ea > 0):
        alpha = np.zeros(y.shape)
    else:
        c = _inverse(a)  # A⁻¹ = (CA)⁻¹C, so ‖A⁻¹E‖ ≤ ‖|C|E‖/(1 − ‖1 − CA‖)
        off = _contraction(c, a, np.zeros_like(a))
        alpha = np.max(np.sum(np.abs(c) @ ea, -1), -1) * UP / np.where(off < 0.99, 1 - off, np.nan)
        alpha = np.where(alpha < 0.9, alpha * UP, np.nan)
    out = np.full(y.shape, np.inf)
    for at in np.ndindex(y.shape):
        out[at] = _determinant_error(node.op, a[at], float(y[at]), float(alpha[at]))
    return out


def _determinant_error(op: str, a: Array, y: float, alpha: float) -> float:
    """|y − exact| for one matrix, whose relative error ‖A⁻¹E‖ is alpha at most."""
    n = a.shape[-1]
    if not (np.all(np.isfinite(a)) and np.isfinite(y) and alpha >= 0):
        return np.inf
    with precision(128 + 64 * n.bit_length()):
        d = arb_mat(n, n, [arb(float(v)) for v in a.flat]).det()
        r = arb(alpha)
        if op == "det":
            off = abs(d) * ((1 + r) ** n - 1) + abs(d - arb(y))
        elif d.contains(0):
            return np.inf
        else:
            off = abs(abs(d).log() - arb(y)) - n * (1 - r).log()
        return float(off.upper()) * UP + TINY if not off == 0 else 0.0


def may_lead(a: Array, e: Array, axes: tuple[int, ...]) -> Any:
    """Where an entry may be a largest one along axes."""
    known = np.where(np.isfinite(e), a - e, -np.inf)
    sure = np.max(known, axis=axes, keepdims=True, initial=-np.inf)
    slack = np.where(np.isfinite(sure), (np.abs(a) + np.abs(sure) + e) * (4 * U), np.inf)
    below = (a == -np.inf) & (e == 0) & (sure > -np.inf)  # −∞ as the code says it
    return ~((a + e + slack < sure) | below)


RULES: dict[str, Rule] = {
    "contract": _contract,
    "reduce_mul": _reduce_mul,
    "reduce_max": _reduce_max,
    "solve": _solve,
    "det": _determinant,
    "logdet": _determinant,
    **dict.fromkeys(structure.MOVES, _moved),
}
