"""A function climbs the ladder: contract, witness, identity, edges, else black box; and its code.

The code is run on balls, and followed: its trace is a formula like another, where it was confirmed
to do in float64 what the code does. The float64 code is judged apart from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp
from flint import arb

from chainrule.claim import CodeClaim, FormulaClaim, wanted_shapes
from chainrule.derivation import Block
from chainrule.errors import ContradictionError
from chainrule.evidence import contract, edges, identity, memory, rounding, witness
from chainrule.evidence.enclosures import UNFIT
from chainrule.formulas.definitions import entries
from chainrule.judge.scope import scope as shared_scope
from chainrule.points import WIDE, points
from chainrule.typeset import text
from chainrule.values.ball import Ball, Undecided, Undefined, precision, reading_constants
from chainrule.verdict import CodeReport, Evidence, Finding, Scope, Witness

if TYPE_CHECKING:
    from chainrule.evidence.paths import Followed as Paths

Numbers = Mapping[sp.Symbol, Any]
Bound = list[tuple[Numbers, dict[sp.Symbol, Any], bool]]
FLOAT_POINTS = 60
SWITCHING = 100  # points at most, where a function may branch


def judge_code(claim: CodeClaim, users: Sequence[Numbers] = ()) -> list[Finding]:
    """A finding for each block that a function says it computes."""
    derivation = claim.derivation
    first = next(iter(claim.blocks.values()))
    sides = {
        key: witness.prepare(derivation, tuple(block.raw)) for key, block in claim.blocks.items()
    }
    any_sides = next(iter(sides.values()))
    if derivation.undefined:
        names = ", ".join(derivation.undefined)
        reason = f"the derivation leaves {names} undefined; a function cannot be compared with it"
        return [Finding(claim.name, "inconclusive", reason, shared_scope(derivation))]
    bound = _bound_points(claim, any_sides, users)
    if not bound:
        reason = "no point was found where the derivative has a value"
        return [Finding(claim.name, "inconclusive", reason, shared_scope(derivation))]
    broken = contract.contract(claim, [numbers for _, numbers, _ in bound[: 3 + len(users)]])
    if broken is not None:
        says = broken.problem
        wrong = Witness({}, says, f"{first.name} of {wanted_shapes(first)}", where="shape")
        return [
            Finding(
                claim.name,
                "refuted" if broken.wrong else "inconclusive",
                f"{claim.name} {says}",
                shared_scope(derivation, followed="black box"),
                (Evidence("contract", says),),
                wrong if broken.wrong else None,
            )
        ]
    paths = _followed(claim, any_sides, bound)
    return [
        _Block(claim, key, block, sides[key], bound, users, paths).finding()
        for key, block in claim.blocks.items()
    ]


def _followed(claim: CodeClaim, sides: witness.Sides, bound: Bound) -> Paths | str:
    """The function's paths, or why there are none that algebra can read."""
    from chainrule.evidence.keeping import kept
    from chainrule.evidence.paths import NoPath, follow

    def switching(conditions: Sequence[sp.Basic]) -> list[list[Any]]:
        there = []
        for point in edges.switching(claim.derivation, conditions):
            try:
                with precision(160):
                    at = sides.bind(point)
                    numbers = {s: point[s] if s in point else float(at[s].mid()) for s in wanted}
                there.append(contract.arguments(claim, numbers, float))
            except (Undecided, Undefined, OverflowError):
                continue
        return there

    wanted = [s for n in claim.arguments for s in entries(claim.derivation.symbols[n])]
    points = [contract.arguments(claim, numbers, float) for _, numbers, _ in bound]
    try:
        with kept([claim.function], {}):
            return follow(claim, points, switching)
    except NoPath as why:
        return str(why)


def _bound_points(claim: CodeClaim, sides: witness.Sides, users: Sequence[Numbers]) -> Bound:
    """Points in the domain: (free numbers, numbers of the function's arguments, the user's own).

    Where the function takes intermediate names, their numbers are the floats nearest to the truth,
    and the derivative is then compared as a function of those.
    """
    derivation = claim.derivation
    wanted = [s for n in claim.arguments for s in entries(derivation.symbols[n])]
    out: Bound = []
    near = list(points(sides.free, seed=claim.name, count=4 * FLOAT_POINTS))
    far = list(points(sides.free, seed=claim.name, count=4 * FLOAT_POINTS, scales=WIDE))
    drawn = [p for pair in zip(near, far, strict=True) for p in pair]
    for point, own in [*((u, True) for u in users), *((p, False) for p in drawn)]:
        if len(out) >= FLOAT_POINTS + len(users):
            break
        try:
            with precision(160):
                at = sides.bind(point)
                sides.values(at)
                numbers = {
                    s: point[s] if s in point else Fraction(float(at[s].mid())) for s in wanted
                }
        except (Undecided, Undefined, OverflowError):
            continue
        out.append((point, numbers, own))
    return out


def _inner(claim: CodeClaim) -> bool:
    """Whether the function takes intermediate names as arguments."""
    return any(n in claim.derivation.local for n in claim.arguments)


class _Block:
    """One block that a function says it computes."""

    def __init__(
        self,
        claim: CodeClaim,
        key: str | None,
        block: Block,
        sides: witness.Sides,
        bound: Bound,
        users: Sequence[Numbers],
        paths: Paths | str,
    ) -> None:
        self.claim, self.key, self.block, self.sides = claim, key, block, sides
        self.bound, self.users = bound, users
        self.name = claim.name if key is None else f"{claim.name}[{key!r}]"
        self.correction = text(block.result)
        self.paths: Paths | None = None
        self.formula: FormulaClaim | None = None
        self.why = paths if isinstance(paths, str) else ""
        if not isinstance(paths, str):
            self._read(paths)

    def _read(self, paths: Paths) -> None:
        """The trace as a formula, if it does what the code does."""
        from chainrule.evidence.paths import NoPath

        self.why = _unlike(self.claim, self.key, paths, self.bound)
        if self.why:
            return
        self.paths = paths
        try:
            if paths.unread or paths.unseen:
                raise NoPath(paths.unread or paths.unseen)
            self.formula = paths.formula(self.key)
        except NoPath as why:
            self.why = str(why)

    def finding(self) -> Finding:
        """What the rungs say, the strongest first."""
        raw = memory.raw_memory(self.claim.function)
        with reading_constants() as constants:
            seen = self._compare(
                lambda at: _exactly(self.claim, self.key, at, raw),
                lambda *seen: _doubt(self.claim, self.key, bool(constants), *seen),
            )
        self.code, self.samples = _code(self.claim, self.key, self.sides, self.bound)
        readings = tuple(f"{c!r} ± 4 ulp" for c in constants)
        self.scope = shared_scope(
            self.claim.derivation, followed="run on exact numbers", constants=readings
        )
        self.how = "run on exact numbers"
        proof = identity.identity(self.formula) if self.formula is not None else None
        sure = bool(seen.points) and proof is not None and proof.proved
        if seen.witness is None and self.paths is not None and not sure:
            # what looks at types, or casts, may do something else on exact numbers than on floats
            traced = self._by_trace(self.paths)
            if traced.witness is not None or (traced.points and not seen.points):
                seen, self.how = traced, "followed by its trace"
                self.scope = self._traced(self.paths)
        if seen.witness is not None:
            if proof is not None and proof.proved:
                return self._torn(seen.witness)
            return self._refuted(seen.witness)
        if seen.points and self.formula is not None and self.paths is not None:
            assert proof is not None
            return self._as_formula(self.paths, self.formula, proof, seen)
        return self._agrees(seen)

    def _by_trace(self, paths: Paths) -> witness.Comparison:
        """The trace's values, also where it branches."""
        there = edges.switching(self.claim.derivation, paths.conditions)
        return self._compare(self._literal, _slight, list(islice(there, SWITCHING)))

    def _compare(
        self,
        claimed: witness.Claimed,
        doubt: witness.Doubt,
        more: Sequence[Numbers] = (),
    ) -> witness.Comparison:
        return witness.compare(
            self.sides,
            claimed,
            self.block.shape,
            seed=self.claim.name,
            users=(*self.users, *more),
            undefined_refutes=False,
            doubt=doubt,
        )

    def _literal(self, at: Mapping[sp.Symbol, arb]) -> list[arb]:
        """The trace in balls."""
        assert self.paths is not None
        found = self.paths.literal(self.key, at)
        for value in found:
            if not isinstance(value, arb):
                raise value
        return found

    def _at_an_edge(self, point: Numbers, at: Mapping[sp.Symbol, arb]) -> list[arb | None]:
        """The trace in balls; None where it has no value, and the float64 code gives none."""
        assert self.paths is not None
        found = self.paths.literal(self.key, at)
        if any(isinstance(v, Undecided) for v in found):
            raise Undecided("its value cannot be told there")
        if any(isinstance(v, Undefined) for v in found):
            wanted = [s for n in self.claim.arguments for s in self._entries(n)]
            numbers = {s: point[s] if s in point else float(at[s].mid()) for s in wanted}
            outcome = contract.call(self.claim, numbers, float)
            if not outcome.problem and np.all(np.isfinite(outcome.values[self.key])):
                raise Undecided("its float64 code goes through infinity, and gives a number")
        return [v if isinstance(v, arb) else None for v in found]

    def _entries(self, name: str) -> list[sp.Expr]:
        return entries(self.claim.derivation.symbols[name])

    def _traced(self, paths: Paths) -> Scope:
        return shared_scope(self.claim.derivation, followed="traced", constants=paths.constants)

    def _refuted(self, found: Witness) -> Finding:
        reason = f"{self.how}, it does not give the derivative"
        evidence = Evidence("witness", "certified enclosures are disjoint", _BITS)
        return Finding(
            self.name,
            "refuted",
            reason,
            self.scope,
            (evidence,),
            found,
            self.code if self.code.failed else None,
            self.correction,
        )

    def _torn(self, found: Witness) -> Finding:
        """A proof of the trace, and a witness of the code: the trace decides whether both are of
        one formula."""
        if self.scope.followed == "traced" or self._compare(self._literal, _slight).witness:
            raise ContradictionError(
                f"{self.name}: exact algebra proves its trace, and at {found.at()} it is "
                f"{found.claimed} against {found.derived}; please report this"
            )
        why = "run on exact numbers it does something else than when it is followed"
        return self._outside(why)

    def _as_formula(
        self,
        paths: Paths,
        formula: FormulaClaim,
        proof: identity.Identity,
        seen: witness.Comparison,
    ) -> Finding:
        """Values agree: the edges, then the proof."""
        edge = edges.edge(formula, self._at_an_edge)
        scope = self._traced(paths)
        tried = Evidence(
            "witness", f"{self.how} it gives the derivative at {seen.points} points", _figures(seen)
        )
        algebra = Evidence(
            "identity",
            "one normal form" if proof.proved else f"not proved: {proof.reason}",
            {"term products": proof.products, "cells": proof.cells},
        )
        if edge.witness is not None:
            does = "undefined" if edge.witness.where == "edge" else "something else"
            right = "it is right (proved)" if proof.proved else "it was equal at all points tried"
            return Finding(
                self.name,
                "refuted",
                f"it is {does} where {edge.says}, and the derivative exists there; "
                f"elsewhere {right}",
                scope,
                (Evidence("edges", f"{does} where {edge.says}"), tried, algebra),
                edge.witness,
                self.code,
                self.correction,
            )
        if not proof.proved:
            self.why = proof.reason
            return self._agrees(seen)
        known = set(scope.conditions)
        more = [text(c) for c in edge.remaining if text(c) not in known]
        kinks = [text(sp.Eq(s, 0, evaluate=False)) for s in proof.switches]
        kinks = [k for k in kinks if k.replace("=", "≠") not in known]
        scope = replace(
            scope,
            conditions=(*scope.conditions, *dict.fromkeys(more)),
            excepting=tuple(dict.fromkeys((*kinks, *paths.untaken))),
        )
        cells = f" in each of {proof.cells} cells" if proof.cells > 1 else ""
        ways = f" on each of its {len(paths.paths)} paths" if len(paths.paths) > 1 else ""
        reason = (
            f"exact algebra gives its trace and the derivative one normal form{cells}{ways}; "
            f"{self.how} it gives the derivative at {seen.points} points"
        )
        return Finding(self.name, "proved", reason, scope, (algebra, tried), code=self.code)

    def _agrees(self, seen: witness.Comparison) -> Finding:
        """Equal in exact numbers, without a proof; else what float64 says."""
        if not seen.points:
            undecided = seen.reasons[0] if seen.reasons else "no point could be told"
            return self._outside(f"it cannot be run on exact numbers ({undecided})")
        reason = (
            f"{self.how} it gives the derivative at {seen.points} points, "
            f"to {seen.bits} bits at least"
        )
        if rounding.far_off(self.samples) is not None:
            return self._outside(f"{reason}, and its float64 code goes another way")
        exactly = Evidence("witness", reason, _figures(seen))
        if self.why:
            reason += f"; it could not be proved: {self.why}"
        return Finding(self.name, "agrees", reason, self.scope, (exactly,), code=self.code)

    def _outside(self, why: str) -> Finding:
        scope = replace(self.scope, followed="black box", constants=())
        return _black_box(self.name, self.samples, self.code, scope, self.correction, why)


_BITS = {"bits": witness.BITS[1]}


def _figures(seen: witness.Comparison) -> dict[str, int | float | str]:
    return {"points": seen.points, "bits": seen.bits, "undecided": seen.undecided}


def _slight(point: Numbers, derived: Sequence[arb], claimed: Sequence[arb]) -> None:
    """No refutation rests on the last digits of constants."""
    scale = max(abs(d) for d in derived)
    if bool(max(abs(d - c) for d, c in zip(derived, claimed, strict=True)) < scale / 2**40):
        raise Undecided("the difference is no larger than rounded constants explain")


def _unlike(claim: CodeClaim, key: str | None, paths: Paths, bound: Bound) -> str:
    """Where the float64 code does not do what its trace does, within rounding; "" if nowhere."""
    for numbers, code in _called(claim, key, bound):
        found = paths.bounded(key, contract.arguments(claim, numbers, float))
        if found is None:
            return "it takes a path there that was not followed"
        values, allowed = found
        both = np.isfinite(values) & np.isfinite(code) & np.isfinite(allowed)
        with np.errstate(all="ignore"):
            apart = both & (np.abs(values - code) > 2 * allowed + np.finfo(float).tiny)
        if apart.any():
            where = ", ".join(f"{s} = {float(v):.6g}" for s, v in numbers.items())
            return f"at {where} it gives something else than its trace"
    return ""


def _called(
    claim: CodeClaim, key: str | None, bound: Bound
) -> Iterator[tuple[Mapping[sp.Symbol, Any], np.ndarray]]:
    """The points where the float64 code gives values, with those."""
    for _, numbers, _ in bound:
        outcome = contract.call(claim, numbers, float)
        if not outcome.problem:
            yield numbers, np.asarray(outcome.values[key], float)


def _doubt(
    claim: CodeClaim,
    key: str | None,
    constants: bool,
    point: Numbers,
    derived: Sequence[arb],
    run: Sequence[arb],
) -> None:
    """Whether a difference may come from how the code was run, and not from its formula.

    Its float constants may carry rounding that no unit in the last place bounds (sin(π) is 1e−16);
    and on exact numbers it may take another branch than in float64.
    """
    scale = max(abs(d) for d in derived)
    gap = max(abs(d - r) for d, r in zip(derived, run, strict=True))
    small = bool(gap < scale / 2**40)
    if small and constants:
        raise Undecided("the difference is no larger than rounded constants explain")
    if small or _inner(claim):
        return
    outcome = contract.call(claim, point, float)
    if outcome.problem:
        return
    values = [float(v) for v in outcome.values[key]]
    if not np.all(np.isfinite(values)):
        return
    to_derived = max(abs(arb(v) - d) for v, d in zip(values, derived, strict=True))
    to_run = max(abs(arb(v) - r) for v, r in zip(values, run, strict=True))
    if not to_run < to_derived:
        raise Undecided("its float64 values are those of another path through the code")


def _exactly(claim: CodeClaim, key: str | None, at: Mapping[sp.Symbol, arb], raw: str) -> list[arb]:
    """The function run on balls. raw : what of it touches the memory of arrays, if anything."""
    if raw:
        raise Undecided(UNFIT.format(raw))
    result = contract.call(claim, at, Ball)
    if result.problem:
        raise Undecided(result.problem)
    values = []
    for v in result.values[key]:
        ball = Ball.number(v)
        if ball is None:
            raise Undecided(f"it returned {v!r}")
        values.append(ball)
    return values


def _black_box(
    name: str,
    samples: list[rounding.Sample],
    code: CodeReport,
    scope: Scope,
    correction: str,
    why: str,
) -> Finding:
    """Float64 values only: agrees, disagrees, or cannot say."""
    fine = [s for s in samples if not s.failed]
    beyond = [s for s in fine if s.gap > s.allowed]
    evidence = (
        Evidence(
            "rounding",
            f"{len(fine)} points compared, {len(beyond)} beyond rounding",
            {"points": len(fine), "beyond": len(beyond)},
        ),
    )
    if not fine:
        return Finding(
            name,
            "inconclusive",
            f"{why}; no float64 value could be compared",
            scope,
            evidence,
            code=code,
        )
    bad = rounding.far_off(samples)
    if bad is not None:
        shown_at = ", ".join(f"{s} = {float(v):.6g}" for s, v in bad.numbers.items())
        k = int(np.argmax(np.abs(bad.code - bad.truth)))
        return Finding(
            name,
            "disagrees",
            f"{why}; at {shown_at} it gives {float(bad.code[k])!r}, the derivative is "
            f"{float(bad.truth[k])!r}, far beyond rounding",
            scope,
            evidence,
            correction=correction,
        )
    if beyond:
        return Finding(
            name,
            "inconclusive",
            f"{why}; at {len(beyond)} of {len(fine)} points it differs by more than rounding of "
            "its inputs explains: it loses digits there, or is wrong there",
            scope,
            evidence,
            code=code,
        )
    return Finding(
        name,
        "agrees",
        f"{why}; equal within rounding at {len(fine)} points",
        scope,
        evidence,
        code=code,
    )


def _code(
    claim: CodeClaim,
    key: str | None,
    sides: witness.Sides,
    bound: Bound,
) -> tuple[CodeReport, list[rounding.Sample]]:
    """The float64 code at many points, and where it begins to fail."""
    inner = _inner(claim)

    def bind(numbers: Mapping[sp.Symbol, arb]) -> Mapping[sp.Symbol, arb]:
        if not inner:
            return sides.bind_balls(numbers)
        return numbers

    samples = []
    for point, numbers, own in bound:
        result = contract.call(claim, numbers, float)
        nothing = np.full(len(sides.derived), np.nan)
        values = nothing if result.problem else result.values[key]
        base = {**point, **numbers} if inner else point
        taken = rounding.sample(base, values, bind, sides.derived, own, result.problem)
        if taken is not None:
            samples.append(taken)
    return rounding.report(samples, _where_it_fails(claim, key, sides, samples)), samples


def _where_it_fails(
    claim: CodeClaim, key: str | None, sides: witness.Sides, samples: list[rounding.Sample]
) -> str:
    """``for z < −709.783`` for a function of one scalar that fails on one side."""
    free = sides.free
    if len(free) != 1 or _inner(claim):
        return ""
    (symbol,) = free
    bad = sorted(float(s.numbers[symbol]) for s in samples if s.failed)
    good = sorted(float(s.numbers[symbol]) for s in samples if not s.failed)
    if not bad or not good or bad[0] < good[0] < bad[-1] or good[0] < bad[0] < good[-1]:
        return ""

    def fails(x: float) -> bool:
        result = contract.call(claim, {symbol: x}, float)
        return bool(result.problem) or not np.all(
            np.isfinite(np.asarray(result.values[key], dtype=float))
        )

    below = bad[-1] < good[0]
    border = rounding.threshold(fails, bad[-1] if below else bad[0], good[0] if below else good[-1])
    sign = "≤" if below else "≥"
    return f"for {symbol} {sign} {border:.6g}".replace("-", "−")
