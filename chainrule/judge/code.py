"""Code against code climbs the ladder: contract, enclosures of both graphs, else exact numbers,
else black box; and its float64 code, apart. Here what the points told becomes a finding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.claim.pair import PairClaim, Part
from chainrule.code.trace.places import prepare, said
from chainrule.code.trace.watch import TRAPS
from chainrule.domains.values import placed
from chainrule.errors import ChainruleError, TraceError
from chainrule.evidence import accuracy, calling, drawing, enclosures, keeping, memory, rounding
from chainrule.evidence.calling import Contract, Fault
from chainrule.evidence.drawing import Point
from chainrule.evidence.enclosures import Derived, Met, OffPath, Side
from chainrule.judge.again import Judged, Kept
from chainrule.judge.proofs import Proofs, Standing
from chainrule.judge.sides import Ways, followed, ways_of
from chainrule.judge.trials import ENOUGH, UNTOLD, YOURS, Tally, Trials
from chainrule.values.ball import reading_constants
from chainrule.verdict import CodeReport, Evidence, Finding, Followed, Scope, Status, Witness

SLIGHT = 1e-6  # of the value: a difference whose size is worth saying
READABLE = 400  # characters of a formula that a person reads
SHARP = 2.0**-20  # of the largest entry: what bounds must tell, to tell anything


def judge_pair(claim: PairClaim, only: int | None = None) -> dict[str, Finding]:
    """The findings, by place (by output, for tangents), and one for each broken rule."""
    return judge_and_keep(claim, only)[0]


def judge_and_keep(
    claim: PairClaim, only: int | None = None
) -> tuple[dict[str, Finding], Kept | None]:
    """The same, and what a check at another point may begin with."""
    findings: dict[str, Finding] = {}
    parts: list[Judged] = []
    point = Point(placed(claim.domains, calling.point(claim, drawing.direction)), yours=True)
    asked = claim.parts if only is None else claim.parts[only : only + 1]
    counts = calling.forward_counts(
        claim.derivation.prepared, point.values, lambda f: keeping.keep([f])
    )
    if counts:
        return {k: at_fault(p.name, counts) for p in asked for k in p.wrt or (p.name,)}, None
    for part in asked:
        judge, keys = _Judge(claim, part, point), {}
        for key, finding in judge.findings().items():
            unique, n = key, 1
            while unique in findings:
                n += 1
                unique = f"{key} ({n})"
            findings[unique] = finding
            keys[unique] = key
        if judge.standings:
            everywhere = all(s.everywhere for s in judge.standings.values())
            parts.append(Judged(judge.caller, judge.main, keys, everywhere))
    return findings, Kept.of(claim, parts, findings, point.values)


def not_followed(
    forward: Any, functions: Mapping[str, Any], keys: Sequence[str], why: Exception
) -> dict[str, Finding]:
    """The findings where the forward code itself cannot be followed, or raises."""
    found = {}
    if isinstance(why, TraceError):
        text = _of_forward(why)
    else:
        text = " ".join(str(why).split())
    if not isinstance(why, ChainruleError):
        text = f"{type(why).__name__}{calling.where(why)}: {text}"
    for key in keys:
        function = functions.get(key) or next(iter(functions.values()))
        reason = f"{said(forward)} cannot be followed: {text}"
        found[key or said(function)] = Finding(
            said(function), "inconclusive", reason, Scope("none", followed="black box")
        )
    return found


#: What may still be done with a claimed function; the forward code itself is differentiated.
_STILL = re.compile(r"[;.,]? (it|and) can still be checked [^;.]*", re.IGNORECASE)


def _of_forward(why: TraceError) -> str:
    """What a tracer says, as true of forward: its message, then the line of code in quotes."""
    message, _, line = str(why).partition("\n    ")
    text = _STILL.sub("", " ".join(message.split())).rstrip(".;, ")
    quoted = f", in `{' '.join(line.split())}`" if line.strip() else ""
    return f"{text}{quoted}. Only forward code that is traced can be differentiated"


def raised(name: str, why: BaseException) -> Finding:
    """The finding where a function of the user's raises at the point, before it is judged."""
    text = " ".join(str(why).split())
    return at_fault(name, f"{name} raises {type(why).__name__}{calling.where(why)}: {text}")


def at_fault(name: str, says: str) -> Finding:
    """The finding where the code breaks the contract, and nothing can be judged."""
    evidence = (Evidence("contract", says),)
    return Finding(name, "inconclusive", says, Scope("none", followed="black box"), evidence)


class _Judge:
    """One function of the user's against the derivation."""

    def __init__(self, claim: PairClaim, part: Part, point: Point) -> None:
        self.claim, self.part, self.point = claim, part, point
        self.constants: tuple[str, ...] = ()
        self.kept = Contract(())
        self.tried: Mapping[str, None] = {}
        self.standings: Mapping[str, Standing] = {}

    # -- the ladder ----------------------------------------------------------------------------

    def findings(self) -> dict[str, Finding]:
        """Contract first; then what can be said of every value that is returned."""
        given = calling.arguments(self.claim, self.part, self.point.values)
        given |= calling.places(self.claim, self.part, given)
        loose = calling.with_places(self.claim, prepare(self.part.function, given))
        one = calling.caller(self.claim, self.part, loose)
        with keeping.kept([self.part.function], {}):
            kept = calling.contract(self.claim, one, self.point.values, lambda f: keeping.keep([f]))
        found = {k: f for fault in kept.faults for k, f in self._fault(fault)}
        if kept.fatal:
            return found
        self.kept = kept
        one, trace, why = followed(self.claim, given, one, kept)
        self.caller = one
        self.main = ways = ways_of(self.claim, self.claim.derivation, trace, one)
        how: Followed = "traced"
        if ways.graph is None:
            how = "run on exact numbers"
            raw = memory.raw_memory(self.part.function)
            ways.claimed = enclosures.unfit(raw) if raw else enclosures.on_balls(one.run)
        self.trials = Trials(self.claim, self.point, one, ways)
        proofs = Proofs(self.claim, one, self.trials)
        with reading_constants() as readings:
            self.trials.climb(proofs.sure)
        self.constants = (
            tuple(enclosures.near_constants(list(ways.graph.nodes.values())))
            if ways.graph
            else tuple(f"{c!r} ± 4 ulp" for c in readings)
        )
        self.tried, tallies = self.trials.sizes, self.trials.tallies
        self.standings = proofs.standings()
        for key, tally in tallies.items():
            black = ways.graph is None and not tally.points and tally.witness is None
            finding = (
                self._outside(key, tally, why) if black else self._finding(key, tally, how, why)
            )
            found[key] = finding
        return found

    def _fault(self, fault: Fault) -> list[tuple[str, Finding]]:
        """The findings on a broken rule: in place of the derivatives that it leaves without a
        value, else one of its own."""
        part = self.part
        name = self._name(fault.key) if fault.key else part.name
        keys: tuple[str, ...] = (fault.key,)
        if not fault.fatal:
            keys = (f"{part.name} {fault.what}",)
        elif not fault.key:
            keys = part.wrt or (part.name,)
        witness = Witness({}, fault.yours, fault.right, where="shape") if fault.wrong else None
        scope = Scope(self._shapes(), followed="black box")
        evidence = (Evidence("contract", fault.says),)
        status: Status = (
            "refuted" if fault.wrong else "agrees" if fault.harmless else "inconclusive"
        )
        return [(k, Finding(name, status, fault.says, scope, evidence, witness)) for k in keys]

    def _name(self, key: str) -> str:
        """The derivative as the user wrote it: J_W3, backward["W3"]."""
        at = self.kept.keys.get(key, "")
        label = self.part.labels.get(at or key)
        if label or at in ("", "stacked"):
            return label or self.part.name
        return calling.shown(self.part.name, at)

    # -- what it comes to ----------------------------------------------------------------------

    def _shapes(self) -> str:
        shapes = [
            f"{n} ({'×'.join(map(str, np.shape(v)))})"
            for n, v in self.point.values.items()
            if np.shape(v)
        ]
        first = ", ".join(shapes[:8]) + (", …" if len(shapes) > 8 else "") or "scalars"
        more = [f"sizes {s}" for s in self.tried]
        if not more:
            return first
        sets = "1 other set" if len(more) == 1 else f"{len(more)} other sets"
        rest = ", …" if len(more) > 1 else ""
        return f"{first}; and {sets} of sizes ({more[0].removeprefix('sizes ')}{rest})"

    def _scope(self, followed: Followed) -> Scope:
        guards = [g.text for g in self.claim.derivation.trace.guards]
        if self.main.graph is not None:
            guards += [g.text for g in self.main.graph.trace.guards]
        guards = list(dict.fromkeys(guards))
        if len(guards) > 3:
            guards = [*guards[:2], f"{len(guards) - 2} more conditions on the path"]
        held = (*self.claim.said_domains(), *((self.trials.held,) if self.trials.held else ()))
        return Scope(self._shapes(), tuple(guards), held, (), self.constants, followed)

    def _correct(self, key: str) -> str | None:
        """The right formula, where it is known how to write it."""
        d = self.claim.derivation
        if self.claim.mode not in ("gradient", "jacobian"):
            return None
        formula = d.blocks[d.of[0], key].formula
        if len(formula) <= READABLE:
            return formula
        return f"long; derive({d.trace.function}, …)[{key!r}].source is it as NumPy code"

    def _finding(self, key: str, tally: Tally, followed: Followed, why: str) -> Finding:
        name, said = self._name(key), self.claim.said(key)
        figures = {
            "points": tally.points,
            "undecided": tally.undecided,
            "operations": self.trials.spent,
        }
        notes = "".join(f"; {n}" for n in self.kept.notes if f" for {key} " in n)
        tried = tally.edge_evidence()
        edges = () if tried is None else (tried,)
        if tally.at_kink:
            notes = f"; {tally.at_kink}{notes}"
        code = accuracy.report(tally.samples, self.trials.edge(key, tally))
        scope = self._scope(followed)
        if tally.witness is not None:
            undefined = tally.witness.claimed == "undefined"
            does = tally.does or f"its value is not {said}"
            if undefined:
                does = f"it is undefined, and {said} exists"
            if tally.least < SLIGHT:
                does += f" (apart by {tally.least:.1e} of its value)"
            place = {"yours": "at your point", "drawn": "at a drawn point of your sizes"}.get(
                tally.where, f"at a drawn point with {tally.where}"
            )
            right = "; and at your point" if tally.yours_too and tally.where != "yours" else ""
            if tally.points:
                others = "1 other point" if tally.points == 1 else f"{tally.points} other points"
                right += f"; at {others} it is right"
                right += ", your own among them" if tally.yours else ""
            if tally.points and tally.right_where:
                right += f", where {tally.right_where}"
            if tally.assumes:
                right += f"; it is right where {tally.assumes}"
            return Finding(
                name,
                "refuted",
                f"{does} {place}{right}",
                scope,
                (Evidence("witness", "certified enclosures are disjoint", figures), *edges),
                tally.witness,
                code if code is not None and code.failed and not code.at_users_point else None,
                self._correct(key),
            )
        if tally.seen is not None:
            yours, derived = tally.seen
            reason = (
                f"it gives {yours} where {said} is {derived}; but it reads {self.trials.lonely}, "
                f"which {self.claim.derivation.trace.function} does not: if that is what forward "
                "leaves behind, let it run forward first"
            )
            return Finding(
                name, "disagrees", reason, scope, (), code=None, correction=self._correct(key)
            )
        if tally.stray is not None or self.trials.forward_strays is not None:
            return self._unseen(key, tally, name, said, scope)
        if self.standings.get(key, Standing(False)).reason.endswith(TRAPS):
            reason = f"{TRAPS}, and here none is set: nothing is said of what it does where one is"
            return Finding(name, "inconclusive", reason, scope, code=code)
        alone = tally.points == 1 and tally.undecided > ENOUGH and not self.trials.held
        if alone and tally.yours and not self.standings.get(key, Standing(False)).proved:
            why = next(iter(tally.reasons), "")
            reason = f"it is {said} at your point, and nothing could be told at {tally.undecided} "
            return Finding(name, "inconclusive", f"{reason}others ({why})", scope, code=code)
        if tally.points:
            if tally.apart_where:
                equal = ", ".join(tally.apart_where)
                scope = replace(scope, conditions=(equal, *scope.conditions))
                notes += f"; where {equal} does not hold, the two are apart"
            own = ", your own among them" if tally.yours else ""
            count = "1 point" if tally.points == 1 else f"{tally.points} points"
            reason = f"it is {said}: certified values agree to {tally.bits} bits at {count}{own}"
            if self.trials.rounded:
                reason += "; smaller differences are rounding of constants or of stored arrays"
            if followed == "run on exact numbers":
                reason += f" (it cannot be traced: {why})"
            evidence = Evidence("witness", reason, {**figures, "bits": tally.bits})
            standing = self.standings.get(key, Standing(False))
            here = None if tally.yours else self._bounds(key)
            if standing.proved and not tally.outside:
                if not tally.yours:
                    code = self._at_your_point(key, here, code)
                found = self._proved(name, said, standing, scope, evidence, code, notes)
                return replace(found, evidence=(*found.evidence, *edges))
            if standing.reason:
                notes += f"; {standing.reason}"
            if tally.outside:
                reason = (
                    "at your point, which lies at a kink of "
                    f"{self.claim.derivation.trace.function}, "
                    f"{tally.outside}; elsewhere {reason}"
                )
                return Finding(name, "inconclusive", reason, scope, (evidence, *edges), code=code)
            if not tally.yours:
                if here is not None and here[1] > here[2]:
                    return self._beyond(key, name, said, scope, here, reason, code)
                if here is not None and here[2] <= SHARP * here[3]:
                    reason += "; at your point the float64 values agree within their bounds"
                elif tally.mine:
                    reason += f"; your own point was not compared ({tally.mine})"
            return Finding(name, "agrees", reason + notes, scope, (evidence, *edges), code=code)
        return self._by_bounds(key, tally, name, said, scope, code)

    def _unseen(self, key: str, tally: Tally, name: str, said: str, scope: Scope) -> Finding:
        """The code, or forward, is not what it was followed as: nothing is proved of it."""
        forward = self.claim.derivation.trace.function
        who = self.part.name if tally.stray is not None else forward
        point = tally.stray or self.trials.forward_strays
        assert point is not None
        at = Witness(drawing.written(point), "", "").at()
        reason = (
            f"at {at} {who} gives other values than what it was followed as: it depends on "
            "something that no hook sees"
        )
        bad = [s for s in tally.samples if s.gap > max(s.allowed, rounding.GROSS * s.scale)]
        if tally.stray is None or not bad:
            return Finding(name, "inconclusive", reason, scope)
        worst = max(bad, key=lambda s: s.error)
        k = int(np.argmax(np.where(worst.known, np.abs(worst.code - worst.truth), 0.0)))
        reason = (
            f"{worst.says} it gives {float(worst.code.flat[k])!r} where {said} is "
            f"{float(worst.truth.flat[k])!r}; it is not certified, for {reason}"
        )
        return Finding(name, "disagrees", reason, scope, correction=self._correct(key))

    def _proved(
        self,
        name: str,
        said: str,
        standing: Standing,
        scope: Scope,
        met: Evidence,
        code: CodeReport | None,
        notes: str,
    ) -> Finding:
        """One function with the derivative, within its scope."""
        scope = Scope(
            standing.shapes,
            standing.conditions,
            scope.domain,
            standing.excepting,
            standing.constants,
            "traced",
        )
        says = "both sides have one normal form"
        if standing.rung == "signature":
            luck = standing.figures["log2 of the chance of luck"]
            says = f"both sides are one modulo random primes (by luck: below 2^{luck})"
        says += f", {standing.reason}" if standing.reason else ""
        reason = f"it is {said}: {says}; certified values agree to {met.figures['bits']} bits at "
        points = met.figures["points"]
        reason += "1 point" if points == 1 else f"{points} points"
        proof = Evidence(standing.rung, says, standing.figures)
        return Finding(name, "proved", reason + notes, scope, (proof, met), code=code)

    def _at_your_point(
        self,
        key: str,
        here: tuple[tuple[int, ...], float, float, float] | None,
        code: CodeReport | None,
    ) -> CodeReport | None:
        """The code of a formula that is proved, at a point of the user's that is too large for
        certified values: held to the bounds of both graphs."""
        result = self.kept.results[key]
        if not np.isfinite(result).all():
            count = int((~np.isfinite(result)).sum())
            says = f"{count} of {result.size} entries are nan or inf at your point"
            return CodeReport("fails", says, None, 1, 1, self._finite_there(key))
        if here is None:
            return code
        entry, gap, limit, scale = here
        if gap > limit:
            shown = f"entry {list(entry)} of " if entry else ""
            says = f"{shown}it is off by {gap:.1e} at your point, beyond its bound of {limit:.1e}"
            return CodeReport("loses digits", says, gap / scale if scale else None, 1, 0)
        if code is not None and code.status == "accurate" and limit <= SHARP * scale:
            share = f"within both bounds ({limit / scale:.0e} of its scale)"
            return replace(code, summary=f"{code.summary}; at your point {share}")
        return code

    def _finite_there(self, key: str) -> bool:
        """Whether the derivative is certainly a finite number at the user's point."""
        side = self.main.derived.side
        try:
            ((truth, bound),) = enclosures.graph_values(
                Side(side.trace, {key: side.nodes[key]}, side.names, side.own, side.inputs),
                self.point.values,
            )
        except UNTOLD:
            return False
        return bool(np.isfinite(truth).all() and np.isfinite(bound).all())

    def _bounds(self, key: str) -> tuple[tuple[int, ...], float, float, float] | None:
        """At the user's point: the worst entry, its |yours − derived|, both bounds, the scale."""
        graph, side, values = self.main.graph, self.main.derived.side, self.point.values
        code = self.kept.results[key]
        if graph is None or not np.isfinite(code).all() or not code.size or self.trials.untold:
            return None
        one = Side(graph.trace, {key: graph.nodes[key]}, graph.names, graph.own, graph.inputs)
        two = Side(side.trace, {key: side.nodes[key]}, side.names, side.own, side.inputs)
        try:
            ((_, a),) = enclosures.graph_values(one, values)
            ((truth, b),) = enclosures.graph_values(two, values)
            if enclosures.near_a_kink(self.main.derived.kinks, side, values):
                return None
        except UNTOLD:
            return None
        both = a + b
        if truth.shape != code.shape or not np.isfinite(both).all():
            return None
        gap = np.abs(code - truth)
        entry = tuple(int(i) for i in np.unravel_index(np.argmax(gap - both), gap.shape))
        scale = float(np.max(np.abs(truth)))
        return entry, float(gap[entry]), float(both[entry]), scale

    def _by_bounds(
        self, key: str, tally: Tally, name: str, said: str, scope: Scope, code: CodeReport | None
    ) -> Finding:
        """No point was certified: the derived bounds at the user's point."""
        why = next(iter(tally.reasons), "it takes too many operations")
        here = self._bounds(key)
        if here is None or (here[1] <= here[2] and here[2] > SHARP * here[3]):
            reason = f"no point could be certified ({why})"
            return Finding(name, "inconclusive", reason, scope, code=code)
        if here[1] > here[2]:
            return self._beyond(key, name, said, scope, here, f"({why})", code)
        reason = (
            f"it is {said} at your point, within the derived bounds of both sides ({here[2]:.1e} "
            f"at the worst entry); no point could be certified ({why})"
        )
        figures = {"bound": here[2], "gap": here[1]}
        return Finding(
            name, "agrees", reason, scope, (Evidence("rounding", reason, figures),), code=code
        )

    def _beyond(
        self,
        key: str,
        name: str,
        said: str,
        scope: Scope,
        here: tuple[tuple[int, ...], float, float, float],
        why: str,
        code: CodeReport | None,
    ) -> Finding:
        """At the user's point apart beyond both bounds: one entry in balls, else disagrees."""
        entry, gap, limit, _ = here
        found = self._one_entry(key, entry)
        shown = f"entry {list(entry)} " if entry else ""
        if found is not None and found.apart is not None:
            yours, derived = found.apart.digits()
            witness = Witness(
                drawing.written(self.point), yours, derived, entry, bits=enclosures.BITS
            )
            evidence = (Evidence("witness", "certified enclosures of one entry are disjoint"),)
            reason = f"its value is not {said} at your point"
            return Finding(
                name, "refuted", reason, scope, evidence, witness, correction=self._correct(key)
            )
        if found is not None and found.bits:
            reason = f"{why}; at your point {shown}loses digits: it is off by {gap:.1e}"
            return Finding(name, "agrees", reason, scope, code=code)
        reason = (
            f"at your point {shown}is {float(self.kept.results[key][entry])!r}, off from {said} by "
            f"{gap:.1e}, and both bounds together are {limit:.1e}; nothing is certified {why}"
        )
        return Finding(name, "disagrees", reason, scope, correction=self._correct(key))

    def _one_entry(self, key: str, entry: tuple[int, ...]) -> Met | None:
        """One entry of one derivative at the user's point, certified, if that can be paid."""
        graph = self.main.graph
        assert graph is not None
        one = enclosures.entry_of(self.main.derived.side, key, entry)
        two = enclosures.entry_of(graph, key, entry)
        ways = Ways(Derived(one, self.main.derived.kinks), lambda p: two.enclose(p)[0], two)
        if ways.work(self.point) > YOURS:
            return None
        try:
            return enclosures.compare(ways.derived, ways.there, self.point.values)[key]
        except (OffPath, *UNTOLD):
            return None

    def _outside(self, key: str, tally: Tally, why: str) -> Finding:
        """Float64 values only: agrees, disagrees, or cannot say."""
        name, said = self._name(key), self.claim.said(key)
        exact = next(iter(tally.reasons), "no point could be told")
        scope = self._scope("black box")
        how = f"it cannot be traced ({why}) nor run on exact numbers ({exact})"
        code = accuracy.report(tally.samples, self.trials.edge(key, tally))
        fine = [s for s in tally.samples if s.known.all() and np.isfinite(s.code).all()]
        beyond = [s for s in fine if s.gap > s.allowed]
        figures = {"points": len(fine), "beyond": len(beyond)}
        says = f"{len(fine)} points compared, {len(beyond)} beyond rounding"
        evidence = (Evidence("rounding", says, figures),)
        if not fine:
            reason = f"{how}; no float64 value could be compared"
            return Finding(name, "inconclusive", reason, scope, evidence, code=code)
        if not beyond:
            reason = f"{how}; its float64 values are {said} within rounding at {len(fine)} points"
            return Finding(name, "agrees", reason, scope, evidence, code=code)
        gross = [s for s in fine if s.gap > max(rounding.GROSS * s.scale, rounding.FAR * s.allowed)]
        bad = max(gross or beyond, key=lambda s: s.error)
        if len(gross) >= 3 or (gross and bad.yours) or len(beyond) * 2 > len(fine):
            k = int(np.argmax(np.abs(bad.code - bad.truth)))
            reason = (
                f"{how}; {bad.says} it gives {float(bad.code.flat[k])!r} where {said} is "
                f"{float(bad.truth.flat[k])!r}, beyond every error that is known of"
            )
            return Finding(
                name, "disagrees", reason, scope, evidence, correction=self._correct(key)
            )
        reason = (
            f"{how}; at {len(beyond)} of {len(fine)} points it differs by more than rounding "
            "explains: it loses digits there, or is wrong there"
        )
        return Finding(name, "inconclusive", reason, scope, evidence, code=code)
