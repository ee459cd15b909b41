"""The same functions at another point: proof, derivation and traces are kept from the first check.

At the new point both functions run once, and both graphs are evaluated once, with their bounds. If
the functions are still their graphs (within those bounds), on the same path and off every kink,
what was found of the formula stands; the float64 code is judged at the new point. Anything else is
a new check: what is kept is never stretched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any

import numpy as np

from chainrule.claim.pair import PairClaim
from chainrule.code.trace.audit import off_path
from chainrule.code.trace.places import Prepared, prepare
from chainrule.code.trace.record import Guard
from chainrule.errors import ChainruleError
from chainrule.evidence import calling
from chainrule.evidence.calling import Caller
from chainrule.graph.node import Node, bind_sizes
from chainrule.judge.sides import Ways
from chainrule.proof import Joined, joined
from chainrule.values import float64
from chainrule.values.kinks import near_a_kink
from chainrule.verdict import CodeReport, Evidence, Finding

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Judged:
    """One function of the user's, judged once.

    keys : finding's key → the derivative's key. everywhere : whether the findings hold at every
    size that keeps the path, and not only at those of the first point.
    """

    caller: Caller
    ways: Ways
    keys: Mapping[str, str]
    everywhere: bool


class _Anew(Exception):
    """What is kept says nothing of this point."""


class Kept:
    """What a first check leaves.

    claim, parts, findings : of that check. point : its values, directions among them.
    """

    def __init__(
        self,
        claim: PairClaim,
        parts: Sequence[Judged],
        findings: Mapping[str, Finding],
        point: Values,
    ) -> None:
        self.claim, self.parts, self.findings = claim, parts, dict(findings)
        self.directions = {a: point[claim.of_part(a)] for a in claim.directions}
        self.first = dict(point)
        self.codes = [_codes(p) for p in self._prepared()]
        self.built = {id(p): _built(p) for p in self._prepared()}  # a list may be changed later
        self.sheets = [_Sheet(claim, part) for part in parts]

    @staticmethod
    def of(
        claim: PairClaim,
        parts: Sequence[Judged],
        findings: Mapping[str, Finding],
        point: Values,
    ) -> Kept | None:
        """What can be kept of findings that are all proved; None if a check must begin anew."""
        told = sum(len(p.keys) for p in parts)
        if told < len(findings) or any(f.status != "proved" or not f.ok for f in findings.values()):
            return None
        try:
            return Kept(claim, parts, findings, point)
        except ChainruleError:
            return None

    def _prepared(self) -> list[Prepared]:
        return [self.claim.derivation.prepared, *(p.caller.prepared for p in self.parts)]

    @property
    def pure(self) -> bool:
        """Whether the code changed nothing at all, neither arguments nor what it can reach."""
        return not any(p.keepers for p in self._prepared())

    def check(self, at: Values) -> dict[str, Finding] | None:
        """The findings at another point; None where what is kept says nothing of it."""
        try:
            return self._check(at)
        except (_Anew, ChainruleError, ValueError, IndexError, np.linalg.LinAlgError):
            return None

    def _check(self, at: Values) -> dict[str, Finding]:
        if [_codes(p) for p in self._prepared()] != self.codes:
            raise _Anew
        at = {**self.directions, **at}
        derivation = self.claim.derivation
        forward = self._at(derivation.prepared, at)
        values = {n: forward.inputs[n] for n in derivation.trace.inputs}
        values |= {self.claim.of_part(a): at[a] for a in self.directions}
        if any(not _same_kind(v, self.first[n]) for n, v in values.items()):
            raise _Anew
        resized = any(np.shape(v) != np.shape(self.first[n]) for n, v in values.items())
        returned = dict(calling.parts(_called(forward, values, self.pure)))
        name = next(iter(derivation.trace.outputs))
        findings = dict(self.findings)
        for part, sheet in zip(self.parts, self.sheets, strict=True):
            if resized and not part.everywhere:
                raise _Anew
            prepared = self._at(part.caller.prepared, at)
            own = {m: values[n] for m, n in part.caller.names.items() if n}
            if any(not _alike(prepared.inputs[m], v) for m, v in own.items()):
                raise _Anew
            found = dict(calling.parts(_called(prepared, own, self.pure)))
            told = sheet.evaluate(values)
            sheet.same(told.forward, returned[name if name in returned else ""])
            for key, derivative in part.keys.items():
                code = calling.part_of(found, part.caller.keys[derivative])
                value, bound = told.claimed[derivative]
                sheet.same((value, bound), code)
                findings[key] = _anew(self.findings[key], np.asarray(code), value, bound)
        return findings

    def _at(self, prepared: Prepared, at: Values) -> Prepared:
        """The function prepared at a point; places that `at` leaves out are as they are now."""
        takes = prepared.signature.parameters if prepared.signature else prepared.arguments
        mine = {n: v for n, v in at.items() if n in takes}
        if any(n not in mine for n in prepared.arguments) or {*at} - {*mine} - {*self._takes()}:
            raise _Anew  # a default, or a place that is bound for the call
        new = prepare(prepared.function, mine, [n for n in prepared.originals])
        new.functions, new.keepers, new.found = prepared.functions, prepared.keepers, prepared.found
        if {*prepared.inputs} - {*new.inputs}:
            raise _Anew
        if not _built_alike(_built(new), self.built[id(prepared)]):
            raise _Anew
        return new

    def _takes(self) -> set[str]:
        return {n for p in self._prepared() for n in p.arguments}


def _called(prepared: Prepared, values: Values, pure: bool) -> Any:
    """One call; places are read where they are. pure : whether nothing is written to, as the
    contract found; else the arguments are copies."""

    def leaf(name: str, kept: Any) -> Any:
        value = values.get(name, kept)
        return np.array(value) if isinstance(value, np.ndarray) and not pure else value

    with np.errstate(all="ignore"):
        return prepared.call(prepared.function, leaf)


def _built(prepared: Prepared) -> Any:
    """The arguments without their numbers: lists, dicts, tuples, with inputs by name."""
    return prepared.call(lambda *a, **k: (a, k), lambda name, kept: _Place(name))


@dataclass(frozen=True)
class _Place:
    name: str


def _built_alike(a: Any, b: Any) -> bool:
    """Whether two sets of arguments hold the same beside their inputs."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(_built_alike(v, b[k]) for k, v in a.items())
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_built_alike, a, b))
    return a == b if isinstance(a, _Place) else _alike(a, b)


def _codes(prepared: Prepared) -> list[tuple[CodeType, Any]]:
    """What the functions are made of: their code and defaults."""
    return [(f.__code__, f.__defaults__) for f in prepared.functions]


def _same_kind(a: Any, b: Any) -> bool:
    return np.ndim(a) == np.ndim(b) and np.asarray(a).dtype == np.asarray(b).dtype


def _alike(a: Any, b: Any) -> bool:
    if a is b:
        return True
    try:
        return type(a) is type(b) and bool(np.array_equal(a, b))
    except Exception:  # an equality of the user's
        return False


@dataclass(frozen=True)
class _Told:
    forward: tuple[np.ndarray, np.ndarray]
    claimed: Mapping[str, tuple[np.ndarray, np.ndarray]]


class _Sheet:
    """Both graphs of one function of the user's in one, so that what they share is done once."""

    def __init__(self, claim: PairClaim, part: Judged) -> None:
        derived, graph = part.ways.derived, part.ways.graph
        assert graph is not None
        self.traces = (derived.side.trace, graph.trace)
        self.kinks = derived.kinks
        self.guards: list[tuple[int, Guard]] = [
            (k, g) for k, t in enumerate(self.traces) for g in t.guards if g.node is not None
        ]
        (output,) = derived.side.trace.outputs.values()
        kinks = [i for _, node in self.kinks for i in node.inputs]
        first: list[Node] = [output, *kinks, *(g.node for k, g in self.guards if g.node and not k)]
        second = [*graph.nodes.values(), *(g.node for k, g in self.guards if g.node and k)]
        both: Joined = joined(first, second, dict(graph.names))
        self.keys, self.inputs = tuple(graph.nodes), both.inputs
        self.names = dict(graph.names)
        self.nodes = [*both.first, *both.second]
        self.cut = len(both.first), len(kinks)

    def evaluate(self, values: Values) -> _Told:
        """Every node with its bound. Raises _Anew off the path, or near a kink."""
        given = {n: np.asarray(values[n], np.float64) if self.inputs[n].kind == "f" else values[n]
                 for n in self.inputs}  # fmt: skip
        here = {n: np.shape(v) for n, v in values.items()}
        theirs = {m: here[n] for m, n in self.names.items() if m in self.traces[1].inputs}
        sizes = [
            bind_sizes(t.inputs, {n: s for n, s in shapes.items() if n in t.inputs})
            for t, shapes in zip(self.traces, (here, theirs), strict=True)
        ]
        joint = bind_sizes(self.inputs, {n: here[n] for n in self.inputs})
        found = float64.bounded(self.nodes, given, joint)
        first, second = found[: self.cut[0]], found[self.cut[0] :]
        kinks = first[1 : 1 + self.cut[1]]
        if near_a_kink(self.kinks, kinks):
            raise _Anew
        looked = iter([*first[1 + self.cut[1] :], *second[len(self.keys) :]])
        seen: list[dict[Guard, Any]] = [{}, {}]
        for k, guard in self.guards:
            value, bound = next(looked)
            if np.any(bound != 0) and guard.how is None:
                raise _Anew
            seen[k][guard] = value
        for trace, size, guards in zip(self.traces, sizes, seen, strict=True):
            if off_path(trace, size, guards):
                raise _Anew
        return _Told(first[0], dict(zip(self.keys, second[: len(self.keys)], strict=True)))

    @staticmethod
    def same(told: tuple[np.ndarray, np.ndarray], code: Any) -> None:
        """The code gives what its graph gives, within the bounds of both."""
        value, bound = told
        array = np.asarray(code)
        if array.dtype.kind != "f" or array.shape != value.shape:
            raise _Anew
        if not np.isfinite(bound).all() or not np.all(np.abs(array - value) <= 2 * bound):
            raise _Anew


def _anew(finding: Finding, code: np.ndarray, value: np.ndarray, bound: np.ndarray) -> Finding:
    """The finding with its float64 code judged at the new point."""
    scale = float(np.max(np.abs(value), initial=0.0))
    off = float(np.max(np.abs(code - value) + bound, initial=0.0))
    worst = off / scale if scale else 0.0
    says = f"within its derived bound at your point; it is off by {worst:.1e} of its scale at most"
    report = CodeReport("accurate", says, worst, 1, 0)
    evidence = tuple(e for e in finding.evidence if e.rung != "rounding")
    bounded = Evidence("rounding", says, {"bound": off, "scale": scale})
    return replace(finding, code=report, evidence=(*evidence, bounded))


__all__ = ["Judged", "Kept"]
