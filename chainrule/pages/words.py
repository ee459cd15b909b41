"""What a report says in words, for every kind of page alike. Reads the data; decides nothing.

A status is never told by colour alone: each has a mark and its word.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from chainrule.exhibition import Exhibit, Exhibition, NetworkExhibit, Training
from chainrule.verdict import STATUSES, Finding, Status, Verdict

MARK: Mapping[Status, str] = MappingProxyType(
    {"proved": "✓", "agrees": "≈", "inconclusive": "?", "disagrees": "≠", "refuted": "✗"}
)

#: What the parts of an exhibition are called, and one sentence on each: (key, title, sentence).
PARTS: tuple[tuple[str, str, str], ...] = (
    (
        "exhibits",
        "Derivations",
        "Each derived step by step; what was claimed is checked against it.",
    ),
    ("misprints", "Misprints", "What the page prints, and what should stand there."),
    ("narrow", "Right, but not as far as it looks", "True where it is used, and not beyond."),
    ("code", "The code", "NumPy as it stands: followed, derived and checked."),
)

CORRECT = "correct is"  # the label of a formula; the other labels are of sentences

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: object) -> str:
    """Text without control characters, lone surrogates and marks that turn its direction.

    >>> plain("a\\x00b")
    'a�b'
    """
    return "".join(
        "�" if c in _BIDI or (unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t") else c
        for c in str(text)
    )


def scientific(value: float) -> str:
    """A number for a table: two digits and a power of ten.

    >>> scientific(2.2e-16), scientific(0.0), scientific(0.25)
    ('2.2 × 10⁻¹⁶', '0', '0.25')
    """
    if value == 0:
        return "0"
    if not math.isfinite(value):
        return str(value)
    if 1e-3 <= abs(value) < 1e4:
        return f"{value:.3g}"
    digits, power = f"{value:.1e}".split("e")
    return f"{digits} × 10{power_of(int(power))}"


def power_of(exponent: int) -> str:
    """An exponent, raised: ``⁻¹⁶``."""
    return str(exponent).translate(_SUPERSCRIPT)


def grouped(value: int | float | str) -> str:
    """A figure: whole numbers with thin spaces between the thousands, the rest as it is."""
    return f"{value:,}".replace(",", "\u202f") if type(value) is int else str(value)


def count(number: int, singular: str, plural: str = "") -> str:
    """``1 claim``, ``2 claims``."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def headline(finding: Finding) -> str:
    """The first line of the verdict on one finding, as `print` shows it."""
    return str(Verdict(finding.name, {finding.name: finding})).partition("\n")[0]


def rows(finding: Finding) -> list[tuple[str, str]]:
    """What a finding says below its headline: (label, text)."""
    out = [(CORRECT, finding.correction)] if finding.correction else []
    out.append(("because", finding.reason))
    if finding.code is not None:
        out.append(("float64 code", f"{finding.code.status}: {finding.code.summary}"))
    out.append(("holds for", str(finding.scope)))
    pieces = [evidence(*piece) for piece in _pieces(finding)]
    return out + [("" if i else "rests on", piece) for i, piece in enumerate(pieces)]


def _pieces(finding: Finding) -> Iterable[tuple[str, str, Mapping[str, int | float | str]]]:
    """The evidence of a finding, less what merely repeats its reason."""
    for e in finding.evidence:
        if e.figures or e.summary != finding.reason:
            yield e.rung, e.summary, e.figures


def evidence(rung: str, summary: str, figures: Mapping[str, int | float | str]) -> str:
    """One piece of evidence in a line, its figures after it."""
    tail = ", ".join(f"{name} {grouped(value)}" for name, value in figures.items())
    return f"{rung}: {summary}" + (f" ({tail})" if tail else "")


def witness(finding: Finding) -> tuple[str, list[tuple[str, str]], str] | None:
    """Where the two sides differ: (the point, [(side, certified value)], what certifies it)."""
    seen = finding.witness
    if seen is None:
        return None
    entry = f", entry {list(seen.entry)}" if seen.entry else ""
    bits = " and ".join(str(b) for b in seen.bits)
    if seen.where == "shape":
        return (
            "every point",
            [("claimed", seen.claimed), ("needed", seen.derived)],
            ("The shapes differ, whatever the values."),
        )
    if seen.where == "edge":
        how = "One side is undefined there, and the derivative exists."
    elif bits:
        how = f"Certified: the enclosures at {bits} bits have no number in common."
    else:
        how = "Certified: the enclosures have no number in common."
    return seen.at() + entry, [("claimed", seen.claimed), ("derived", seen.derived)], how


def _shown(exhibition: Exhibition) -> list[Exhibit]:
    return [e for part, _, _ in PARTS for e in getattr(exhibition, part)]


def verdicts(exhibition: Exhibition) -> list[tuple[Verdict, bool]]:
    """Every verdict of an exhibition, and whether it came out as expected."""
    shown = _shown(exhibition)
    out = [(c.verdict, c.as_expected) for exhibit in shown for c in exhibit.checks]
    return out + [(row.verdict, row.verdict.ok) for row in exhibition.network.rows]


def tally(seen: Iterable[Verdict]) -> list[tuple[Status, int]]:
    """How many verdicts have each status, best first, the absent ones left out."""
    statuses = [verdict.status for verdict in seen]
    return [(status, statuses.count(status)) for status in STATUSES if status in statuses]


def summary(exhibition: Exhibition) -> tuple[str, str, bool]:
    """The top of the page: (what is in it, how it came out, whether all is as expected)."""
    shown = _shown(exhibition)
    derived = sum(exhibit.derivation is not None for exhibit in shown)
    refused = sum(bool(exhibit.error) for exhibit in shown)
    checked = verdicts(exhibition)
    odd = sum(not expected for _, expected in checked)
    parts = [count(derived, "derivation"), count(len(checked), "claim")]
    if refused:
        parts.append(count(refused, "set") + " of definitions refused")
    came_out = (
        "Every verdict came out as expected"
        if not odd
        else f"{count(odd, 'verdict')} did not come out as expected"
    )
    return ", ".join(parts), came_out, exhibition.as_expected


HEAT_MAP = (
    "Every entry of every Jacobian: |hand-coded − derived|, all in one logarithmic scale; "
    "what is exactly equal is grey."
)
HEART = "The target, and what the network draws on the way to it, after so many steps."
COST = "The cost over the steps of gradient descent."


def widths(sizes: Iterable[int]) -> str:
    """The widths of a network: ``1-6-7-2``."""
    return "-".join(map(str, sizes))


def network(exhibit: NetworkExhibit) -> str:
    """One sentence on a network."""
    return (
        f"Widths {widths(exhibit.widths)}, {exhibit.activation}, "
        f"{count(exhibit.samples, 'sample')}. Each hand-coded Jacobian is compared with the "
        "product of local ones, each of which was derived."
    )


def training(record: Training) -> str:
    """One sentence on a training."""
    steps = record.history[-1][0] if record.history else 0
    points = record.x.shape[-1]
    return (
        f"Gradient descent with these Jacobians: widths {widths(record.widths)}, rate "
        f"{record.rate:g}, {count(points, 'point')}, {grouped(int(steps))} steps."
    )
