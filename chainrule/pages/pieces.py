"""The small pieces of which HTML pages are made. Every text that goes into one is escaped here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from chainrule.pages import words
from chainrule.pages.mathml import mathml
from chainrule.verdict import MEANING, Status, Verdict

_RAISED = re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "−0123456789")


def safe(text: object) -> str:
    """A text as the contents of an element or of an attribute in double quotes."""
    return escape(words.plain(text))


def paragraph(kind: str, text: object) -> str:
    """A paragraph of a class; nothing where there is nothing to say."""
    return f'<p class="{kind}">{safe(text)}</p>\n' if text else ""


def formula(latex: str) -> str:
    """A formula in a box of its own, which scrolls where it is too wide."""
    return f'<div class="formula">{mathml(latex)}</div>'


def code(text: object) -> str:
    """Something typed: in the line where it is short, else in a block."""
    shown = safe(text)
    return (
        f"<code>{shown}</code>" if len(shown) < 60 and "\n" not in shown else f"<pre>{shown}</pre>"
    )


def number(value: float) -> str:
    """A number with its exponent raised."""
    return _RAISED.sub(
        lambda m: f"<sup>{m[0].translate(_LOWERED)}</sup>", safe(words.scientific(value))
    )


def badge(status: Status, word: str = "") -> str:
    """A status: its mark and its word, never its colour alone."""
    mark = f'<span class="mark" aria-hidden="true">{words.MARK[status]}</span>'
    return f'<span class="badge {status}">{mark} {safe(word or status)}</span>'


def tally(seen: Iterable[Verdict]) -> str:
    """How many verdicts have each status."""
    items = (
        f'<li title="{safe(MEANING[status])}">{badge(status, f"{times} {status}")}</li>'
        for status, times in words.tally(seen)
    )
    return f'<ul class="tally">{"".join(items)}</ul>\n'


def rows(pairs: Iterable[tuple[str, str]]) -> str:
    """A list of labels and what they label."""
    items = (
        f"<dt>{safe(label)}</dt><dd>{code(text) if label == words.CORRECT else safe(text)}</dd>"
        for label, text in pairs
    )
    return f"<dl>{''.join(items)}</dl>\n"


def table(head: Iterable[tuple[str, str]], body: str) -> str:
    """A table that scrolls where it is too wide. head : (title, class) of each column."""
    cells = "".join(f'<th scope="col" class="{kind}">{safe(text)}</th>' for text, kind in head)
    return (
        f'<div class="scroll" tabindex="0"><table><thead><tr>{cells}</tr></thead>\n'
        f"<tbody>\n{body}</tbody></table></div>\n"
    )


def heading(kicker: str, title: str) -> str:
    """What kind of page it is, and its title."""
    return f"{paragraph('kicker', kicker)}<h1>{safe(title)}</h1>\n"
