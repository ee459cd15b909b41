"""A report as GitHub Markdown. Reads, never computes; no text of the user becomes markup.

Formulas stand in ```` ```math ```` fences: between dollar signs, Markdown would eat the
backslashes that end the rows of a matrix. Figures are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from chainrule.derivation import Derivation, FormulaDerivation, show_shape
from chainrule.exhibition import Checked, Exhibit, Exhibition, NetworkExhibit, Training
from chainrule.pages import words
from chainrule.verdict import MEANING, Finding, Status, Verdict

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
#: Read by GitHub as a formula, an entity, a mention or the beginning of a link, whatever precedes.
_ENTITY = re.compile(r"[$&@]|:(?=//)|(?<=www)\.", re.IGNORECASE)
#: A list, or a line under a heading, where it begins a line.
_LEADING = re.compile(r"^(\d*)([.)=+-])")


def markdown(thing: Derivation | Verdict | Exhibition) -> str:
    """The Markdown of a derivation, a verdict or an exhibition; the same text each time."""
    if isinstance(thing, FormulaDerivation):
        parts = _derivation_page(thing)
    elif isinstance(thing, Derivation):
        parts = _code_page(thing)
    elif isinstance(thing, Verdict):
        parts = [f"# {_text(thing.subject)}", _lede(thing), *_verdict(thing)]
    else:
        parts = _exhibition(thing)
    return "\n\n".join(part for part in parts if part) + "\n"


def _text(text: object) -> str:
    """Text that Markdown shows as it is, in one line.

    >>> _text("a*b <i> $x$")
    'a\\\\*b \\\\<i\\\\> &#36;x&#36;'
    """
    line = " ".join(words.plain(text).split())
    marked = _SPECIAL.sub(r"\\\1", line)
    return _LEADING.sub(r"\1\\\2", _ENTITY.sub(lambda m: f"&#{ord(m[0])};", marked))


def _code(text: object, table: bool = False) -> str:
    """Text as code in a line, between more backticks than it holds."""
    line = " ".join(words.plain(text).split())
    if table:
        line = line.replace("|", "\\|")
    ticks = "`" * (_longest(line) + 1)
    return f"{ticks} {line} {ticks}" if "`" in line or not line else f"{ticks}{line}{ticks}"


def _longest(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _fence(text: object, kind: str = "text") -> str:
    """Text in a fence that is longer than any within it."""
    body = words.plain(text)
    ticks = "`" * max(3, _longest(body) + 1)
    return f"{ticks}{kind}\n{body}\n{ticks}"


def _status(status: Status) -> str:
    return f"**{words.MARK[status]} {status}**"


def _lede(verdict: Verdict) -> str:
    return f"{_status(verdict.status)}: {_text(MEANING[verdict.status])}."


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


# ---- one verdict ---------------------------------------------------------------------------------


def _finding(finding: Finding) -> list[str]:
    items = [
        f"- {f'{label}: ' if label else ''}{_code(text) if label == words.CORRECT else _text(text)}"
        for label, text in words.rows(finding)
    ]
    seen = words.witness(finding)
    table = ""
    if seen is not None:
        point, values, how = seen
        table = _table(
            [f"at {_code(point, table=True)}", "value"],
            [[side, _code(value, table=True)] for side, value in values],
        )
        items.insert(0, f"- {_text(how)}")
    return [
        f"{_status(finding.status)}: {_text(words.headline(finding))}",
        table,
        "\n".join(items),
    ]


def _verdict(verdict: Verdict) -> list[str]:
    return [part for f in verdict.findings.values() for part in _finding(f)]


def _checked(checked: Checked) -> list[str]:
    out = [f"Claimed: {_code(checked.claimed)}", *_verdict(checked.verdict)]
    if checked.correction:
        out.append(f"What should stand there: {_code(checked.correction)}")
    out.append(_text(checked.note))
    if not checked.as_expected:
        right = "right" if checked.right else "wrong"
        out.append(f"**✗ Not as expected**: the gallery holds this claim to be {right}.")
    return out


# ---- one derivation ------------------------------------------------------------------------------


def _steps(d: Derivation, level: str) -> list[str]:
    out: list[str] = []
    for number, step in enumerate(d.steps, 1):
        out += [f"{level} {number}. {_text(step.title)}", _text(step.says)]
        for line in step.lines:
            shown = _fence(line.latex, "math") if line.latex else _text(line.text)
            out += [shown, _text(line.note)]
    if isinstance(d, FormulaDerivation) and d.conditions:
        from sympy import latex

        shown = r",\quad ".join(latex(condition) for condition in d.conditions)
        out += ["All of it holds for", _fence(shown, "math")]
    return out


def _code_page(d: Derivation) -> list[str]:
    out = [f"# {_text(d.name)}"]
    for block in d:
        out += [f"{_text(block.name)} {_text(block.shape)}", _fence(block.latex, "math")]
    return [*out, *_steps(d, "##"), "## As NumPy", _fence(d.source, "python")]


def _derivation_page(d: FormulaDerivation) -> list[str]:
    blocks = ", ".join(f"{b.name} {show_shape(b.shape)}" for b in d)
    return [f"# {_text(d.name)}", _text(blocks), _fence(d.latex, "math"), *_steps(d, "##")]


# ---- an exhibition -------------------------------------------------------------------------------


def _exhibit(exhibit: Exhibit) -> list[str]:
    typed = "\n".join(f"{name} = {text}" for name, text in exhibit.definitions)
    out = [
        f"### {_text(exhibit.title)}",
        f"*{_text(exhibit.where)}*" if exhibit.where else "",
        _text(exhibit.note),
        _fence(typed) if typed else "",
    ]
    if exhibit.derivation is not None:
        out += _steps(exhibit.derivation, "####")
    if exhibit.error:
        out += ["Refused:", _fence(exhibit.error)]
    if exhibit.checks:
        out.append("#### Claims" if len(exhibit.checks) > 1 else "#### The claim")
    for checked in exhibit.checks:
        out += _checked(checked)
    return out


def _network(network: NetworkExhibit) -> list[str]:
    out = ["## The network", _text(words.network(network)), "### Local Jacobians"]
    for latex, shape, says in network.local:
        out += [_fence(latex, "math"), f"{_text(shape)}: {_text(says)}"]
    rows = [
        [
            _text(row.name),
            _text(show_shape(row.shape)),
            _status(row.verdict.status),
            words.scientific(row.worst),
            words.scientific(row.worst / row.scale if row.scale else row.worst),
        ]
        for row in network.rows
    ]
    head = ["Jacobian", "shape", "verdict", "worst difference", "relative"]
    out += ["### Hand-coded against derived", _table(head, rows)]
    for row in network.rows:
        out += [f"{_text(row.name)}:", _fence(row.formula, "math"), _fence(row.verdict)]
    return [*out, "The heat map of the differences is in the HTML report."]


def _training(training: Training) -> list[str]:
    return [
        "## Training",
        _text(words.training(training)),
        _table(
            ["step", "cost"],
            [[words.grouped(int(i)), words.scientific(c)] for i, c in _thinned(training.history)],
        ),
        "The curves are in the HTML report.",
    ]


def _thinned(history: tuple[tuple[int, float], ...]) -> list[tuple[int, float]]:
    """A dozen of its entries, the first and the last among them."""
    stride = max(1, len(history) // 10)
    return [h for i, h in enumerate(history) if i % stride == 0 or i == len(history) - 1]


def _exhibition(show: Exhibition) -> list[str]:
    holds, came_out, fine = words.summary(show)
    mark = words.MARK["proved" if fine else "refuted"]
    statuses = words.tally(verdict for verdict, _ in words.verdicts(show))
    out = [
        f"# {_text(show.title)}",
        f"**{mark} {_text(holds)}: {_text(came_out)}.**",
        _table(
            ["verdicts", "status", "which says"],
            [[str(n), f"{words.MARK[s]} {s}", _text(MEANING[s])] for s, n in statuses],
        ),
    ]
    for part, title, sentence in words.PARTS:
        exhibits: tuple[Exhibit, ...] = getattr(show, part)
        if exhibits:
            out += [f"## {title}", sentence]
        for exhibit in exhibits:
            out += _exhibit(exhibit)
    out += [*_network(show.network), *_training(show.training)]
    versions = ", ".join(f"{name} {version}" for name, version in show.versions.items())
    return [*out, "---", f"Made with {_text(versions)}" if versions else ""]
