"""A function climbs the ladder: contract, witness over exact numbers, else black box; and its code.

The formula that the code follows is judged on balls; the float64 code is judged apart from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from flint import arb

from chainrule.claim import CodeClaim, wanted_shapes
from chainrule.derivation import Block
from chainrule.evidence import contract, rounding, witness
from chainrule.formulas.definitions import entries
from chainrule.judge.scope import scope as shared_scope
from chainrule.points import WIDE, points
from chainrule.typeset import text
from chainrule.values.ball import Ball, Undecided, Undefined, precision, reading_constants
from chainrule.verdict import CodeReport, Evidence, Finding, Followed, Scope, Witness

Numbers = Mapping[sp.Symbol, Any]
FLOAT_POINTS = 60


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
    return [
        _judge_block(claim, key, block, sides[key], bound, users)
        for key, block in claim.blocks.items()
    ]


def _bound_points(
    claim: CodeClaim, sides: witness.Sides, users: Sequence[Numbers]
) -> list[tuple[Numbers, dict[sp.Symbol, Any], bool]]:
    """Points in the domain: (free numbers, numbers of the function's arguments, the user's own).

    Where the function takes intermediate names, their numbers are the floats nearest to the truth,
    and the derivative is then compared as a function of those.
    """
    derivation = claim.derivation
    wanted = [s for n in claim.arguments for s in entries(derivation.symbols[n])]
    out: list[tuple[Numbers, dict[sp.Symbol, Any], bool]] = []
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


def _judge_block(
    claim: CodeClaim,
    key: str | None,
    block: Block,
    sides: witness.Sides,
    bound: list[tuple[Numbers, dict[sp.Symbol, Any], bool]],
    users: Sequence[Numbers],
) -> Finding:
    derivation = claim.derivation
    name = claim.name if key is None else f"{claim.name}[{key!r}]"
    followed: Followed = "run on exact numbers"
    with reading_constants() as constants:
        seen = witness.compare(
            sides,
            lambda at: _exactly(claim, key, at),
            block.shape,
            seed=claim.name,
            users=users,
            undefined_refutes=False,
            doubt=lambda *seen: _doubt(claim, key, bool(constants), *seen),
        )
    code, samples = _code(claim, key, sides, bound)
    readings = tuple(f"{c!r} ± 4 ulp" for c in constants)
    scope = shared_scope(derivation, followed=followed, constants=readings)
    correction = text(block.result)
    if seen.witness is not None:
        return Finding(
            name,
            "refuted",
            "run on exact numbers, it does not give the derivative",
            scope,
            (Evidence("witness", "certified enclosures are disjoint", {"bits": witness.BITS[1]}),),
            seen.witness,
            code if code.failed else None,
            correction,
        )
    if seen.points:
        reason = (
            f"run on exact numbers it gives the derivative at {seen.points} points, "
            f"to {seen.bits} bits at least"
        )
        if rounding.far_off(samples) is None:
            figures = {"points": seen.points, "bits": seen.bits, "undecided": seen.undecided}
            exactly = Evidence("witness", reason, figures)
            return Finding(name, "agrees", reason, scope, (exactly,), code=code)
        why = f"{reason}, and its float64 code goes another way"
    else:
        undecided = seen.reasons[0] if seen.reasons else "no point could be told"
        why = f"it cannot be run on exact numbers ({undecided})"
    outside = replace(scope, followed="black box", constants=())
    return _black_box(name, samples, code, outside, correction, why)


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


def _exactly(claim: CodeClaim, key: str | None, at: Mapping[sp.Symbol, arb]) -> list[arb]:
    """The function run on balls."""
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
    bound: list[tuple[Numbers, dict[sp.Symbol, Any], bool]],
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
