"""A report as one HTML file that needs nothing else. Reads, never computes; escapes everything.

No script, no network: the page forbids both to itself, so that no text in it can have its way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape, unescape

from chainrule.derivation import Derivation, FormulaDerivation, Line, Step, show_shape
from chainrule.exhibition import Checked, Exhibit, Exhibition, NetworkExhibit, NetworkRow, Training
from chainrule.pages import words
from chainrule.pages.figures import cost, heart, heat_map
from chainrule.pages.font import math_font, sign_font
from chainrule.pages.mathml import mathml
from chainrule.pages.pieces import (
    badge,
    code,
    formula,
    heading,
    number,
    paragraph,
    rows,
    safe,
    table,
    tally,
)
from chainrule.pages.style import style
from chainrule.verdict import MEANING, Finding, Verdict

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
_MATH = re.compile(r"<math.*?</math>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


def html(thing: Derivation | Verdict | Exhibition) -> str:
    """The page of a derivation, a verdict or an exhibition; the same text each time."""
    if isinstance(thing, FormulaDerivation):
        return _page(thing.name, _derivation_body(thing))
    if isinstance(thing, Derivation):
        return _page(thing.name, _code_body(thing))
    if isinstance(thing, Verdict):
        return _page(thing.subject, _verdict_body(thing))
    return _page(thing.title, _exhibition_body(thing), book=True)


def _page(title: str, body: str, book: bool = False) -> str:
    formulas = unescape(_TAG.sub("", "".join(_MATH.findall(body))))
    around = unescape(_TAG.sub("", _MATH.sub("", body + safe(title))))
    fonts = {"Page Math": math_font(formulas), "Page Signs": sign_font(around)}
    kind = ' class="book"' if book else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{safe(title)}</title>\n<style>\n{style(fonts)}</style>\n</head>\n"
        f"<body{kind}>\n{body}\n</body>\n</html>\n"
    )


# ---- one verdict ---------------------------------------------------------------------------------


def _finding(finding: Finding) -> str:
    out = [
        f'<div class="finding {finding.status}"><p class="headline">{badge(finding.status)}'
        f"<span>{safe(words.headline(finding))}</span></p>\n"
    ]
    seen = words.witness(finding)
    if seen is not None:
        point, values, how = seen
        out.append(
            f'<div class="witness"><p><span class="label">At</span> <code>{safe(point)}</code></p>'
            f'{rows(values)}<p class="soft">{safe(how)}</p></div>\n'
        )
    return "".join([*out, rows(words.rows(finding)), "</div>\n"])


def _plain(verdict: Verdict) -> str:
    return f"<details><summary>As plain text</summary><pre>{safe(verdict)}</pre></details>\n"


def _verdict_body(verdict: Verdict) -> str:
    lede = f"{badge(verdict.status)} <span>{safe(MEANING[verdict.status])}</span>"
    boxes = (
        f'<section class="claim {f.status}">{_finding(f)}</section>\n'
        for f in verdict.findings.values()
    )
    return (
        f"<header>{heading('A verdict', verdict.subject)}"
        f'<p class="lede headline">{lede}</p></header>\n<main>\n'
        f"{''.join(boxes)}{_plain(verdict)}</main>"
    )


def _checked(checked: Checked) -> str:
    out = [
        f'<section class="claim {checked.verdict.status}">',
        f'<div class="claimed"><span class="label">Claimed</span> {code(checked.claimed)}</div>\n',
        f'<div class="line"><span class="label">As printed</span>{formula(checked.printed)}</div>'
        if checked.printed
        else "",
        *map(_finding, checked.verdict.findings.values()),
    ]
    if checked.correction:
        out.append(
            '<div class="words"><span class="label">What should stand there</span> '
            f"{code(checked.correction)}</div>\n"
        )
    out.append(paragraph("words", checked.note))
    if not checked.as_expected:
        right = "right" if checked.right else "wrong"
        said = f"✗ Not as expected: the gallery holds this claim to be {right}."
        out.append(paragraph("unexpected", said))
    return "".join([*out, _plain(checked.verdict), "</section>\n"])


# ---- one derivation ------------------------------------------------------------------------------


def _line(line: Line) -> str:
    note = paragraph("note", line.note)
    shown = formula(line.latex) if line.latex else code(line.text)
    return f'<div class="line">{shown}{note}</div>\n'


def _step(step: Step, typed: str = "") -> str:
    kind = re.sub(r"[^a-z]+", "-", step.kind.lower())
    says = paragraph("says", step.says)
    lines = "".join(map(_line, step.lines))
    return f'<li class="step {kind}"><h4>{safe(step.title)}</h4>{says}{lines}{typed}</li>\n'


def _typed(definitions: Iterable[tuple[str, str]]) -> str:
    lines = "\n".join(f"{name} = {text}" for name, text in definitions)
    return f"<pre>{safe(lines)}</pre>\n" if lines else ""


def _derivation(d: Derivation, definitions: Iterable[tuple[str, str]] = ()) -> str:
    typed = _typed(definitions)
    if typed and any(step.kind == "definitions" for step in d.steps):
        typed = f"<details><summary>As typed</summary>{typed}</details>"
        before = ""
    else:
        typed, before = "", typed
    first = next((i for i, step in enumerate(d.steps) if step.kind == "definitions"), -1)
    steps = (_step(step, typed if i == first else "") for i, step in enumerate(d.steps))
    return f'{before}<ol class="steps">\n{"".join(steps)}</ol>\n'


def _derivation_body(d: FormulaDerivation) -> str:
    blocks = ", ".join(f"{b.name} {show_shape(b.shape)}" for b in d if b.shape != (1, 1))
    return (
        f"<header>{heading('A derivative', d.name)}{paragraph('soft', blocks)}"
        f'<div class="line result"><span>{safe(d.name)} =</span>'
        f"{formula(d.latex)}</div></header>\n"
        f"<main>\n<h2>Step by step</h2>\n{_derivation(d)}</main>"
    )


def _code_body(d: Derivation) -> str:
    """The derivative of code: each gradient, the steps, and NumPy that computes it."""
    blocks = "".join(
        f'<div class="line result"><span>{safe(b.name)} =</span>{formula(b.latex)}'
        f"<small>{safe(b.shape)}</small></div>\n"
        for b in d
    )
    return (
        f"<header>{heading('A derivative of code', d.name)}{blocks}</header>\n"
        f"<main>\n<h2>Step by step</h2>\n{_derivation(d)}"
        f"<h2>As NumPy</h2>\n<pre>{safe(d.source)}</pre>\n</main>"
    )


# ---- an exhibition -------------------------------------------------------------------------------


def _anchor(part: str, number: int, key: str) -> str:
    return f"{part}-{number}-{re.sub(r'[^a-z0-9]+', '-', key.lower()).strip('-')}"


def _exhibit(exhibit: Exhibit, anchor: str) -> str:
    out = [
        f'<article id="{anchor}"><h3>{safe(exhibit.title)}</h3>',
        paragraph("where", exhibit.where),
    ]
    out.append(paragraph("words", exhibit.note))
    if exhibit.derivation is not None:
        out.append(_derivation(exhibit.derivation, exhibit.definitions))
    else:
        out.append(_typed(exhibit.definitions))
    if exhibit.error:
        out.append(
            '<div class="error"><p class="label">Refused</p>'
            f"<pre>{safe(exhibit.error)}</pre></div>\n"
        )
    if exhibit.checks:
        heading = "Claims" if len(exhibit.checks) > 1 else "The claim"
        out += [f"<h4>{heading}</h4>\n", *map(_checked, exhibit.checks)]
    return "".join([*out, "</article>\n"])


def _network_row(row: NetworkRow) -> str:
    relative = row.worst / row.scale if row.scale else row.worst
    return (
        f'<tr><td class="name">{safe(row.name)}</td>'
        f'<td class="shape">{safe(show_shape(row.shape))}</td>'
        f"<td>{mathml(row.formula, display=False)}</td><td>{badge(row.verdict.status)}</td>"
        f'<td class="figure">{number(row.worst)}</td>'
        f'<td class="figure">{number(relative)}</td></tr>\n'
    )


def _network(network: NetworkExhibit) -> str:
    local = "".join(
        f'<tr><td>{mathml(latex, display=False)}</td><td class="shape">{safe(shape)}</td>'
        f"<td>{safe(says)}</td></tr>\n"
        for latex, shape, says in network.local
    )
    head = [
        ("Jacobian", "name"),
        ("shape", ""),
        ("product of local Jacobians", ""),
        ("verdict", ""),
    ]
    head += [("worst difference", "figure"), ("relative", "figure")]
    plain = "\n\n".join(str(row.verdict) for row in network.rows)
    return (
        f'<section id="network"><h2>The network</h2>\n{paragraph("soft", words.network(network))}'
        f"<h3>Local Jacobians</h3>\n{table([('Jacobian', ''), ('shape', ''), ('of', '')], local)}"
        "<h3>Hand-coded against derived</h3>\n"
        f"{table(head, ''.join(map(_network_row, network.rows)))}"
        '<figure class="wide"><div class="drawing" tabindex="0">'
        f"{heat_map(network)}</div><figcaption>{safe(words.HEAT_MAP)}</figcaption></figure>\n"
        f"<details><summary>The verdicts as plain text</summary><pre>{safe(plain)}</pre>"
        "</details></section>\n"
    )


def _training(training: Training) -> str:
    return (
        f'<section id="training"><h2>Training</h2>\n{paragraph("soft", words.training(training))}'
        f'<div class="pair"><figure>{heart(training)}'
        f"<figcaption>{safe(words.HEART)}</figcaption></figure>\n"
        f"<figure>{cost(training)}<figcaption>{safe(words.COST)}</figcaption></figure></div>\n"
        "</section>\n"
    )


def _exhibition_body(show: Exhibition) -> str:
    contents: list[str] = []
    sections: list[str] = []
    for part, title, sentence in words.PARTS:
        exhibits: tuple[Exhibit, ...] = getattr(show, part)
        if not exhibits:
            continue
        anchors = [_anchor(part, i, e.key) for i, e in enumerate(exhibits, 1)]
        links = "".join(
            f'<li><a href="#{a}">{safe(e.title)}</a></li>\n'
            for a, e in zip(anchors, exhibits, strict=True)
        )
        contents.append(f'<li><a href="#{part}">{safe(title)}</a>\n<ol>{links}</ol></li>\n')
        shown = "".join(_exhibit(e, a) for a, e in zip(anchors, exhibits, strict=True))
        sections.append(
            f'<section id="{part}"><h2>{safe(title)}</h2>\n{paragraph("soft", sentence)}'
            f"{shown}</section>\n"
        )
    for part, title in (("network", "The network"), ("training", "Training")):
        contents.append(f'<li><a href="#{part}">{title}</a></li>\n')
    sections += [_network(show.network), _training(show.training)]
    holds, came_out, fine = words.summary(show)
    mark = badge("proved" if fine else "refuted", came_out)
    versions = " · ".join(f"{name} {version}" for name, version in show.versions.items())
    return (
        f"<header>{heading('A report by chainrule', show.title)}"
        f'<p class="lede">{safe(holds)}.</p>\n'
        f'<p class="headline">{mark}</p>\n{tally(v for v, _ in words.verdicts(show))}</header>\n'
        f'<nav aria-label="Contents"><h2>Contents</h2>\n<ol>{"".join(contents)}</ol></nav>\n'
        f"<main>\n{''.join(sections)}</main>\n"
        f"<footer>{paragraph('versions', versions and 'Made with ' + versions)}</footer>"
    )
