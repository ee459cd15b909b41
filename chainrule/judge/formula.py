"""A claimed formula climbs the ladder: shape, witness, identity, edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sympy as sp

from chainrule.claim import FormulaClaim, shown, wanted_shapes
from chainrule.derivation import show_shape
from chainrule.errors import ContradictionError
from chainrule.evidence import edges, identity, witness
from chainrule.judge.scope import scope as shared_scope
from chainrule.points import put_instances
from chainrule.typeset import text
from chainrule.values.enclose import enclose
from chainrule.verdict import Evidence, Finding, Status, Witness

Numbers = Mapping[sp.Symbol, Any]


def judge_formula(claim: FormulaClaim, users: Sequence[Numbers] = ()) -> Finding:
    """The finding on one claimed formula."""
    derivation, block = claim.derivation, claim.block
    scope = shared_scope(derivation)
    if not claim.entries:
        wanted = wanted_shapes(block)
        return Finding(
            claim.name,
            "refuted",
            f"the claim has the shape {show_shape(claim.shape)}; it must be {wanted}",
            scope,
            (Evidence("contract", "the shapes differ"),),
            Witness({}, show_shape(claim.shape), wanted, where="shape"),
            correction=shown(claim),
        )
    sides = witness.prepare(derivation, claim.derived, claim.entries)
    formulas = [put_instances(e, sides.made) for e in claim.entries]
    seed = f"{claim.name}: {', '.join(map(str, claim.entries))}"
    seen = witness.compare(
        sides, lambda at: [enclose(e, at) for e in formulas], block.shape, seed=seed, users=users
    )
    proof = identity.identity(claim)
    if seen.witness is not None and seen.witness.where == "interior":
        if proof.proved:
            raise ContradictionError(
                f"{claim.name}: exact algebra proves the claim, and at {seen.witness.at()} it is "
                f"{seen.witness.claimed} against {seen.witness.derived}; please report this"
            )
        where = "at the first point tried" if seen.points == 0 else "there"
        return Finding(
            claim.name,
            "refuted",
            f"its value is not that of the derivative {where}",
            scope,
            (Evidence("witness", "certified enclosures are disjoint", {"bits": witness.BITS[1]}),),
            seen.witness,
            correction=shown(claim),
        )
    edge = edges.edge(claim) if seen.witness is None else None
    found = seen.witness or (edge.witness if edge else None)
    tried = Evidence(
        "witness",
        f"equal at {seen.points} certified points, to {seen.bits} bits at least",
        {"points": seen.points, "bits": seen.bits, "undecided": seen.undecided},
    )
    algebra = Evidence(
        "identity",
        "one normal form" if proof.proved else f"not proved: {proof.reason}",
        {"term products": proof.products, "cells": proof.cells},
    )
    if found is not None:  # right elsewhere, undefined or another value at an edge
        says = edge.says if edge and edge.says else found.at()
        right = "proved" if proof.proved else "equal at all points tried"
        does = "undefined" if found.where == "edge" else "something else"
        return Finding(
            claim.name,
            "refuted",
            f"it is {does} where {says}, and the derivative exists there"
            + (f"; elsewhere it is right ({right})" if seen.points or proof.proved else ""),
            scope,
            (Evidence("edges", f"{does} where {says}"), tried, algebra),
            found,
            correction=shown(claim),
        )
    assert edge is not None
    known = set(scope.conditions)
    more = [text(c) for c in edge.remaining if text(c) not in known]
    kinks = [text(sp.Eq(s, 0, evaluate=False)) for s in proof.switches]
    kinks = [k for k in kinks if k.replace("=", "≠") not in known]
    scope = replace(
        scope, conditions=(*scope.conditions, *more), excepting=tuple(dict.fromkeys(kinks))
    )
    status, reason = _formula_status(proof, seen)
    if claim.layout and status in ("proved", "agrees"):
        reason += f" (written {claim.layout})"
    return Finding(claim.name, status, reason, scope, (algebra, tried))


def _formula_status(proof: identity.Identity, seen: witness.Comparison) -> tuple[Status, str]:
    if seen.points == 0:
        why = f" ({seen.reasons[0]})" if seen.reasons else ""
        form = "it has the normal form of the derivative, but " if proof.proved else ""
        return "inconclusive", f"{form}no point was found where both sides have a value{why}"
    if proof.proved:
        cells = f" in each of {proof.cells} cells" if proof.cells > 1 else ""
        return (
            "proved",
            f"exact algebra gives both sides one normal form{cells}; "
            f"their certified values agree at {seen.points} points",
        )
    return (
        "agrees",
        f"certified values agree to {seen.bits} bits at {seen.points} points; "
        f"exact algebra could not prove it: {proof.reason}",
    )
