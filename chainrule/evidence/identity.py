"""Exact algebra on both sides: *proved*, or *don't know*. Never says that something is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from chainrule.algebra import Proof, prove_equal
from chainrule.claim import FormulaClaim
from chainrule.formulas.definitions import put_in


@dataclass(frozen=True)
class Identity:
    """proved : whether every entry has one normal form on both sides. reason : if not, why.

    switches : expressions whose zeros the proof leaves out.
    """

    proved: bool
    reason: str
    switches: tuple[sp.Expr, ...]
    cells: int
    products: int


def _entry(derived: sp.Expr, claimed: sp.Expr, swap: dict[sp.Symbol, sp.Expr]) -> Proof:
    """As written first (undefined functions, intermediate variables); then put in."""
    proof = prove_equal(derived, claimed)
    if proof.equal or not swap:
        return proof
    return prove_equal(put_in(derived, swap), put_in(claimed, swap))


def identity(claim: FormulaClaim) -> Identity:
    """Whether derived and claimed are one function, by their normal forms."""
    swap = claim.closing
    switches: dict[sp.Expr, None] = {}
    cells = products = 0
    for derived, claimed in zip(claim.derived, claim.entries, strict=True):
        proof = _entry(derived, claimed, swap)
        cells, products = max(cells, proof.cells), products + proof.products
        if not proof.equal:
            return Identity(False, proof.reason, (), cells, products)
        switches |= dict.fromkeys(proof.switches)
    return Identity(True, "", tuple(switches), cells, products)
