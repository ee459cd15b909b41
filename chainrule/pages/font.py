"""The mathematical font of a page: the part of STIX Two Math that it uses, as a data: URI.

Without a font that has a MATH table, browsers do not stretch brackets. The font comes with
ziamath (SIL Open Font License 1.1, which puts nothing on documents that embed it).
"""

from __future__ import annotations

import base64
import io
import string
from functools import cache, lru_cache
from pathlib import Path

#: What every page takes: digits, brackets and braces that stretch, signs, and the status marks.
ALWAYS = frozenset(
    string.digits + " ()[]{}|/‖⌊⌋⌈⌉⟨⟩⏞⏟=+-−×·⊙∂∇′″‴,.:;<>≤≥≠≈∈∞√∑∏∫→⇒↦⊤…⋯⋮⋱¯^~𝕀✓✗?≈\u2061\u00a0"
)


def math_font(text: str) -> str | None:
    """A WOFF for formulas, as a data: URI; None where the font is not found.

    text : what stands in the formulas. Single letters are set in mathematical italics, so that
    for each letter its italic is taken too.
    """
    wanted = ALWAYS | {c for c in text if c.isprintable()}
    return _uri(frozenset(wanted | {_italic(c) for c in wanted}))


def sign_font(text: str) -> str | None:
    """A WOFF with the signs in a text in words (≠ → ∂): many text fonts lack them, and a browser
    then puts them together from parts. None where there are none, or the font is not found."""
    signs = frozenset(c for c in text if "\u2190" <= c <= "\u22ff" or c in "′″‴⟨⟩✓✗")
    return _uri(signs) if signs else None


def _uri(characters: frozenset[str]) -> str | None:
    try:
        woff = _subset(characters)
    except (ImportError, OSError):
        return None
    return "data:font/woff;base64," + base64.b64encode(woff).decode("ascii")


def _italic(letter: str) -> str:
    """The mathematical italic of a letter; other characters as they are.

    >>> _italic("a"), _italic("h"), _italic("σ"), _italic("Ω"), _italic("∂"), _italic("1")
    ('𝑎', 'ℎ', '𝜎', '𝛺', '𝜕', '1')
    """
    special = {"h": "ℎ", "∂": "𝜕", "ϵ": "𝜖", "ϑ": "𝜗", "ϰ": "𝜘", "ϕ": "𝜙", "ϱ": "𝜚", "ϖ": "𝜛"}
    if letter in special:
        return special[letter]
    for first, last, italic in (("A", "Z", 0x1D434), ("a", "z", 0x1D44E)):
        if first <= letter <= last:
            return chr(italic + ord(letter) - ord(first))
    for first, last, italic in (("Α", "Ω", 0x1D6E2), ("α", "ω", 0x1D6FC)):
        if first <= letter <= last:
            return chr(italic + ord(letter) - ord(first))
    return letter


@cache
def _file() -> bytes:
    """The whole font, from the installed ziamath; FileNotFoundError where it is not."""
    from importlib.util import find_spec

    spec = find_spec("ziamath")  # found, not imported: its import warns, and reads more
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder, "fonts", "STIXTwoMath-Regular.ttf")
        if path.is_file():
            return path.read_bytes()
    raise FileNotFoundError("STIXTwoMath-Regular.ttf, of ziamath")


@lru_cache(maxsize=8)
def _subset(characters: frozenset[str]) -> bytes:
    """The font with these characters, their stretched variants and script forms, as a WOFF."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options()
    options.hinting = False
    options.glyph_names = False
    options.notdef_outline = True
    options.layout_features = ["ssty", "dtls", "flac", "kern", "mark", "mkmk", "ccmp"]
    options.name_IDs = [0, 1, 2, 13, 14]  # copyright, name and licence stay in it
    font = TTFont(io.BytesIO(_file()), recalcTimestamp=False)
    if not characters & set("()[]"):
        options.drop_tables += ["MATH", "GPOS", "GSUB", "GDEF"]  # signs alone stretch nowhere
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=sorted(ord(c) for c in characters))
    subsetter.subset(font)
    font.flavor = "woff"
    out = io.BytesIO()
    font.save(out, reorderTables=False)
    return out.getvalue()
