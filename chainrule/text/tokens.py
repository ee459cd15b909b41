"""Text to tokens: numbers, names and operators, each with its offsets. Knows no grammar.

Letters are ASCII or Greek; a Greek letter becomes its English name; · ⋅ × − ^ become * * * - **.
Every other character, a word of Python, and what is too long are refused at their spot.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from chainrule.errors import TextError, UsageError
from chainrule.text.bounds import MAX_DIGITS, MAX_LENGTH, MAX_NAME, MAX_SCALE, MAX_TOKENS

# λ is `lamda`, as in SymPy: the other spelling is a word of Python.
GREEK: Mapping[str, str] = dict(
    zip(
        "αβγδεζηθικλμνξοπρστυφχψω" + "ΓΔΘΛΞΠΣΦΨΩ" + "ςϑϕϵϱµ",
        (
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lamda mu nu xi omicron pi rho"
            " sigma tau upsilon phi chi psi omega Gamma Delta Theta Lamda Xi Pi Sigma Phi Psi Omega"
            " sigma theta phi epsilon rho mu"
        ).split(),
        strict=True,
    )
)

_LETTER = "A-Za-z_" + "".join(GREEK)
_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<name>[{_LETTER}][0-9{_LETTER}]*)"
    r"|//|:=|<=|>=|!=|->|<<|>>|&&|\|\|"  # neither these nor what is left are of any kind
    r"|(?P<op>\*\*|==|[-+*/@^(),.=|√\[\]·×⋅−²³⁴⁵⁶⁷⁸⁹½⅓⅔¼¾])"
    r"|(?s:.)"
)
_PLAIN = str.maketrans({**GREEK, "·": "*", "⋅": "*", "×": "*", "−": "-", "^": "**"})


class Token(NamedTuple):
    kind: str  # number, name, op or end
    text: str
    start: int
    stop: int


def snippet(text: str) -> str:
    """A text, cut where it is long."""
    return text if len(text) <= 40 else f"{text[:39]}…"


def tokens_of(text: str, name: str | None) -> list[Token]:
    """The tokens of a text, ending with one of the kind `end`."""
    if not isinstance(text, str):
        raise UsageError(f"a formula is a text, not {type(text).__name__}; write it as a str")
    if len(text) > MAX_LENGTH:
        message = f"the text has {len(text):,} characters; the limit is {MAX_LENGTH:,}"
        raise TextError(message, text, MAX_LENGTH, name=name)
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind, word, (start, stop) = match.lastgroup or "bad", match.group(), match.span()
        if kind == "space":
            continue
        before = tokens[-1] if tokens and tokens[-1].stop == start else None
        if trouble := _trouble(kind, word, before):
            raise TextError(trouble, text, start, stop - start, name)
        tokens.append(Token(kind, word.translate(_PLAIN), start, stop))
    if len(tokens) > MAX_TOKENS:
        message = f"the text has {len(tokens):,} symbols; the limit is {MAX_TOKENS:,}"
        raise TextError(message, text, tokens[MAX_TOKENS].start, name=name)
    return [*tokens, Token("end", "", len(text), len(text))]


def _trouble(kind: str, word: str, before: Token | None) -> str:
    """Why a word is not read, or nothing; `before` is the token that touches it."""
    if kind == "number":
        mantissa, _, exponent = word.lower().partition("e")
        digits = len(mantissa.replace(".", ""))
        scale = exponent.lstrip("+-0")
        if digits > MAX_DIGITS:
            return f"a number of {digits:,} digits; the limit is {MAX_DIGITS}"
        if len(scale) > 3 or int(scale or 0) > MAX_SCALE:
            return f"the decimal exponent {snippet(exponent)}; the limit is ±{MAX_SCALE}"
    elif kind == "name":
        length = len(word.translate(_PLAIN))
        if length > MAX_NAME:
            return f"a name of {length:,} characters; the limit is {MAX_NAME}"
        if keyword.iskeyword(word):
            return f"'{word}' is not part of a formula"
        if word.startswith("_"):
            return f"'{word}' begins with an underscore; no name may"
    elif kind == "bad":
        if word == "||":
            return "'||' is not read; write norm(x) for the length of a vector, abs(x) for |x|"
        if word in "⁻⁺⁰¹ⁿ":
            return f"{word} is not read in an exponent; write x**(…)"
        if word in ("'", "′", "’") and before and before.kind == "name":
            shown = before.text
            return f"{shown}{word} is not read; give a derivative a name, such as d{shown}"
        if word.isascii() and word.isprintable():
            return f"'{word}' is not part of a formula"
        shown = f"U+{ord(word):04X} {unicodedata.name(word, '')}".rstrip()
        return f"{shown} is not part of a formula"
    return ""
