"""What a check answers: frozen data, and how it reads. Decides nothing.

A `Verdict` holds one `Finding` for each thing that was asked; its status is that of the worst.
A finding answers two questions apart: is the *formula* right (as real mathematics), and does its
float64 *code* compute it. Imports nothing of chainrule but `errors`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from chainrule.errors import DerivativeError, UsageError

Status = Literal["proved", "agrees", "inconclusive", "disagrees", "refuted"]
CodeStatus = Literal["accurate", "loses digits", "fails"]
Followed = Literal["as a formula", "traced", "run on exact numbers", "black box"]

#: Best first; the last one met decides.
STATUSES: tuple[Status, ...] = ("proved", "agrees", "inconclusive", "disagrees", "refuted")

MEANING: Mapping[Status, str] = MappingProxyType(
    {
        "proved": "the same function, within the scope",
        "agrees": "equal at all points tried; no proof was found",
        "inconclusive": "cannot say",
        "disagrees": "different, seen only from outside, without a certificate",
        "refuted": "different: there is a certified witness",
    }
)

SCHEMA_VERSION = 1
LONG = 100  # characters of a point that stand in one line
WIDE = 400  # characters of one of its arrays that are printed


@dataclass(frozen=True)
class Scope:
    """For what a finding holds. Every field is text that a person can read.

    shapes : the shapes it holds for ("scalars", "x (3×1)", "every shape").
    conditions : what must hold ("t ≠ 0"), from the formulas themselves.
    domain : what the free variables are ("t real").
    excepting : places that the finding does not cover ("x = 0").
    constants : how the constants in code were read.
    followed : how the claimed side was followed, best first: as a formula, traced, run on exact
        numbers, black box.
    """

    shapes: str = "scalars"
    conditions: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()
    excepting: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    followed: Followed = "as a formula"

    def __str__(self) -> str:
        parts = [self.shapes, *self.domain, *self.conditions]
        parts += [f"except where {e}" for e in self.excepting]
        if self.constants:
            parts.append("constants: " + ", ".join(self.constants))
        if self.followed != "as a formula":
            parts.append(self.followed)
        return "; ".join(parts)


@dataclass(frozen=True)
class Evidence:
    """One piece of what a status rests on.

    rung : the policy that found it (contract, witness, identity, rounding, edges).
    summary : one sentence.
    figures : numbers behind it (points tried, bits, operations).
    """

    rung: str
    summary: str
    figures: Mapping[str, int | float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Witness:
    """A point where the two sides are certainly different.

    point : each input with its exact value, as text that Python reads ("1/2", "[1.0, -0.25]").
    entry : which entry of the derivative, () for a scalar.
    claimed, derived : certified decimals, or "undefined".
    where : "interior"; "edge" where one side is undefined and the derivative exists; "shape"
        where claimed and derived are shapes, which differ at every point.
    bits : the working precisions at which the enclosures were disjoint.
    """

    point: Mapping[str, str]
    claimed: str
    derived: str
    entry: tuple[int, ...] = ()
    where: Literal["interior", "edge", "shape"] = "interior"
    bits: tuple[int, ...] = ()

    def at(self) -> str:
        """The point in one line: ``t = 1/2, x = [1, 2]``."""
        return ", ".join(f"{name} = {value}" for name, value in self.point.items()) or "any point"


@dataclass(frozen=True)
class CodeReport:
    """How the float64 code does, at the points tried.

    status : accurate, loses digits, fails.
    summary : one sentence; says where, and how many points.
    worst : the largest |code − truth| / max(|truth|) of one call, over the finite points; None
        where nothing finite was seen.
    points, failed : how many points were tried, and at how many the code returned nan or inf.
    at_users_point : whether it fails at a point that the user gave.
    """

    status: CodeStatus
    summary: str
    worst: float | None
    points: int
    failed: int
    at_users_point: bool = False


@dataclass(frozen=True)
class Finding:
    """What is known of one claimed derivative.

    name : as the user wrote it ("df/dt", "J_W1").
    reason : one sentence: why this status and not a better one.
    correction : the right formula, where the claim is wrong and the formula is known.
    """

    name: str
    status: Status
    reason: str
    scope: Scope
    evidence: tuple[Evidence, ...] = ()
    witness: Witness | None = None
    code: CodeReport | None = None
    correction: str | None = None

    @property
    def ok(self) -> bool:
        """Proved or agrees, and the code does not fail at the user's own points."""
        return self.status in ("proved", "agrees") and not (
            self.code is not None and self.code.at_users_point
        )

    @property
    def remark(self) -> bool:
        """Whether it is no answer of its own: the code keeps the contract but for a trifle, such
        as a result that shares memory with an input. A remark decides no status."""
        return self.status == "agrees" and {e.rung for e in self.evidence} == {"contract"}


_VERB: Mapping[Status, str] = MappingProxyType(
    {
        "proved": "is right: proved",
        "agrees": "agrees",
        "inconclusive": "cannot be decided: inconclusive",
        "disagrees": "seems wrong: disagrees",
        "refuted": "is wrong: refuted",
    }
)


def _cut(value: str) -> str:
    """An array as text, cut where nobody reads on."""
    return value if len(value) <= WIDE else value[: WIDE // 2].rsplit(",", 1)[0] + ", …"


def _lines(finding: Finding) -> list[str]:
    """A finding as a person reads it, the headline first."""
    conditions = ", ".join(finding.scope.conditions)
    headline = f"{finding.name} {_VERB[finding.status]}"
    if finding.witness is not None and finding.witness.where == "edge":
        headline = f"{finding.name} is refuted at an edge"
    if finding.status == "inconclusive" and any(e.rung == "contract" for e in finding.evidence):
        headline = f"{finding.name} breaks the contract: inconclusive"
    if finding.status == "agrees" and any(e.rung == "contract" for e in finding.evidence):
        headline = f"{finding.name}: a remark"
    if conditions and finding.status in ("proved", "agrees"):
        headline += f", for {conditions}"
    rows: list[tuple[str, str]] = [("because", finding.reason)]
    witness = finding.witness
    if witness is not None:
        entry = f"entry {list(witness.entry)}" if witness.entry else ""
        whole = ", ".join(filter(None, (witness.at(), entry)))
        if len(whole) > LONG:  # arrays: a line for each, to be pasted
            lines = [f"{name} = {_cut(value)}" for name, value in witness.point.items()]
            if any(len(value) > WIDE for value in witness.point.values()):
                lines.append("(cut here; whole in findings[…].witness.point)")
            rows += [("at" if k == 0 else "", line) for k, line in enumerate([*lines, entry])]
        else:
            rows.append(("at", whole))
        rows += [
            ("yours", witness.claimed),
            ("derived", witness.derived),
        ]
        if witness.where == "interior":
            bits = " and ".join(str(b) for b in witness.bits)
            rows.append(("certified", f"the enclosures at {bits} bits have no number in common"))
    if finding.correction:
        rows.append(("correct", finding.correction))
    if finding.code is not None:
        rows.append(("code", f"{finding.code.status}: {finding.code.summary}"))
    rows.append(("scope", str(finding.scope)))
    return [headline, *(f"  {label:<10} {text}" for label, text in rows if text)]


def _data(finding: Finding) -> dict[str, Any]:
    """A finding's fields; figures may be any mapping, and dataclasses copy only dicts."""
    evidence = [{**vars(e), "figures": dict(e.figures)} for e in finding.evidence]
    witness = finding.witness and {**vars(finding.witness), "point": dict(finding.witness.point)}
    return {
        "name": finding.name,
        "status": finding.status,
        "reason": finding.reason,
        "scope": asdict(finding.scope),
        "evidence": evidence,
        "witness": witness,
        "correction": finding.correction,
        "code": finding.code and asdict(finding.code),
    }


def _plain(value: Any) -> Any:
    """JSON data of the same meaning; numbers of other libraries become Python's own."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    single = getattr(value, "item", None)  # NumPy's scalars
    if single is not None and not isinstance(value, str):
        return _plain(single())
    return str(value)


@dataclass(frozen=True)
class Verdict:
    """The answer of a check: one finding for each derivative, the worst one first in weight.

    subject : what was checked, in one line.
    findings : name → Finding, in the order in which they were asked.

    `bool(verdict)` is `verdict.ok`. `print(verdict)` is a few lines to act on.
    """

    subject: str
    findings: Mapping[str, Finding]

    def __post_init__(self) -> None:
        if not self.findings:
            raise UsageError(f"{self.subject}: a verdict needs at least one finding")
        object.__setattr__(self, "findings", MappingProxyType(dict(self.findings)))

    @property
    def worst(self) -> Finding:
        """The finding that decides the status; a remark only where there is nothing else."""
        found = [f for f in self.findings.values() if not f.remark] or [*self.findings.values()]
        return max(found, key=lambda f: (STATUSES.index(f.status), not f.ok))

    @property
    def status(self) -> Status:
        """The status of the worst finding."""
        return self.worst.status

    @property
    def ok(self) -> bool:
        """Whether every finding is proved or agrees, and no code fails at the user's points."""
        return all(f.ok for f in self.findings.values())

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        blocks = ("\n".join(_lines(f)) for f in self.findings.values())
        return "\n".join(dict.fromkeys(blocks))  # one thing that concerns several is said once

    def require(self, status: Status = "agrees") -> None:
        """Raise DerivativeError unless every finding is ok and at least as good as `status`."""
        if status not in STATUSES:
            raise UsageError(f"require={status!r}: must be one of {', '.join(STATUSES)}")
        if not self.ok or STATUSES.index(self.status) > STATUSES.index(status):
            raise DerivativeError(self)

    def to_dict(self) -> dict[str, Any]:
        """The verdict as JSON data, with a schema version: see docs/verdict.md.

        Only dicts with text as keys, lists, text, bools, ints, finite floats and None; what is no
        finite float is the text "nan", "inf" or "-inf".

        >>> fine = Finding("df/dx", "proved", "one normal form", Scope())
        >>> Verdict("df/dx", {"df/dx": fine}).to_dict()["findings"]["df/dx"]["scope"]["shapes"]
        'scalars'
        """
        return {
            "schema_version": SCHEMA_VERSION,
            "subject": str(self.subject),
            "status": self.status,
            "ok": self.ok,
            "findings": {
                str(name): {**_plain(_data(finding)), "ok": finding.ok}
                for name, finding in self.findings.items()
            },
        }

    def to_json(self, indent: int | None = 2) -> str:
        """`to_dict` as JSON text. indent : as for json.dumps; None for one line."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return Verdict, (self.subject, dict(self.findings))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """In a notebook: the plain lines, and Markdown with the status in bold."""
        quoted = "\n".join("    " + line for line in str(self).splitlines())
        return {
            "text/plain": str(self),
            "text/markdown": f"**{self.status}** — {MEANING[self.status]}\n\n{quoted}",
        }
