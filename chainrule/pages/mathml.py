"""LaTeX to MathML that is safe to put on a page. Knows nothing of what the formulas mean.

latex2mathml writes the elements; only those listed here pass, with the attributes listed here.
Whatever cannot be converted is shown as the LaTeX it is, escaped.
"""

from __future__ import annotations

import re
from html import escape, unescape
from xml.etree.ElementTree import Element, SubElement, tostring

from chainrule.pages.words import plain

ELEMENTS = frozenset(
    "math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover "
    "mtable mtr mtd mstyle mpadded mphantom mmultiscripts".split()
)
ATTRIBUTES = frozenset(
    "display stretchy fence form lspace rspace separator largeop movablelimits minsize maxsize "
    "symmetric accent accentunder linethickness width height depth voffset displaystyle "
    "scriptlevel columnspan rowspan".split()
)
#: What an attribute may say: a word, a number or a length, never a URL or a list.
_VALUE = re.compile(r"[+-]?[A-Za-z0-9.]{1,16}")
_ASCII_ENTITY = re.compile(r"&#x000(4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A]);")
_TEXT_ESCAPE = re.compile(r"\\([&$#%_{}])")
_OPENING, _CLOSING = frozenset("([{|‖⌊⌈⟨"), frozenset(")]}|‖⌋⌉⟩")
_THIN = "0.167em"


class Refused(Exception):
    """An element that is none of mathematics, or a construct that was not converted."""


def mathml(latex: str, display: bool = True) -> str:
    """A formula as a MathML element; the escaped LaTeX in a ``<pre>`` where that fails.

    >>> mathml("x^{2}", display=False)
    '<math display="inline"><mrow><msup><mi>x</mi><mrow><mn>2</mn></mrow></msup></mrow></math>'
    >>> mathml(r"\\frac{1}{")
    '<pre class="latex">\\\\frac{1}{</pre>'
    """
    from latex2mathml.converter import convert_to_element

    # It knows align*, and takes the & of aligned for a letter.
    source = latex.replace("{aligned}", "{align*}")
    try:
        element = convert_to_element(source, display="block" if display else "inline")
        return tostring(_tidy(_clean(element)), encoding="unicode")
    except Exception:  # a dozen kinds, RecursionError and StopIteration among them
        return f'<pre class="latex">{escape(plain(latex))}</pre>'


_BOLD_DIGITS = {ord("0") + k: chr(0x1D7CE + k) for k in range(10)}


def _clean(source: Element) -> Element:
    """A copy with nothing in it but listed elements and attributes, and text."""
    if source.tag not in ELEMENTS:
        raise Refused(source.tag)
    kept = {
        name: value
        for name, value in source.attrib.items()
        if name in ATTRIBUTES and name != "xmlns" and _VALUE.fullmatch(value)
    }
    raw = source.text or ""
    element = Element(source.tag, kept)
    element.text = plain(unescape(raw)) or None
    if source.tag == "mi":
        # \mathrm{d} comes as an entity, or as single letters marked as upright.
        if source.get("mathvariant") == "normal" or _ASCII_ENTITY.fullmatch(raw):
            element.set("mathvariant", "normal")
        if raw == "&":
            raise Refused("an & outside of a table")
    elif source.tag == "mn" and source.get("mathvariant") == "bold":  # not in MathML Core
        element.text = (element.text or "").translate(_BOLD_DIGITS)
    elif source.tag == "mtext" and element.text:
        element.text = _TEXT_ESCAPE.sub(r"\1", element.text)
    elif source.tag == "mo" and element.text == "―":
        element.text = "¯"
    elif source.tag == "mtd" and source.get("columnalign") in ("left", "right"):
        element.set("class", source.attrib["columnalign"])  # columnalign is not in MathML Core
    element.extend(_clean(child) for child in source)
    return element


def _tidy(element: Element) -> Element:
    """The same formula, with what latex2mathml leaves untidy put right."""
    for child in element:
        _tidy(child)
    if element.tag == "mrow" and len(element) > 1 and all(_is_upright_letter(c) for c in element):
        letters = "".join(c.text or "" for c in element)
        element[:] = []
        SubElement(element, "mi").text = letters
    if element.tag == "mo" and len(element.text or "") > 1 and (element.text or "").isalpha():
        element.tag, element.attrib = "mi", {}  # \max, \operatorname{relu}: no infix operators
    if element.tag == "munder" and len(element) == 2 and element[1].text == "⏟":
        # Chromium cuts off stretched braces where it tiles the page; a border it draws whole.
        element.tag, element.attrib, element[:] = "mrow", {"class": "under"}, [element[0]]
    if element.tag in ("mrow", "math", "mtd", "mstyle", "msqrt"):
        element[:] = _space_names(_group_tables(list(element)))
        _settle_fences(element)
    if element.tag == "msup" and len(element) == 2 and element[0].tag == "mi":
        _lower_primes(element)
    return element


def _settle_fences(row: Element) -> None:
    """Brackets around what is no taller than they are keep their size, as in TeX: sin(x)."""
    if len(row) < 2 or row[0].tag != "mo" or row[-1].tag != "mo":
        return
    if row[0].get("stretchy") == row[-1].get("stretchy") == "true" and (
        all(_is_flat(child, scripts=1) for child in row[1:-1])
    ):
        for fence in (row[0], row[-1]):
            fence.set("stretchy", "false")
    if row[0].get("form") == "prefix" and not row[0].text:
        del row[0]  # \left. is nothing, and would take space


def _is_flat(element: Element, scripts: int) -> bool:
    """Whether it is letters and signs in a line, with at most so many levels of scripts."""
    if element.tag in ("msup", "msub", "msubsup"):
        return scripts > 0 and all(_is_flat(child, scripts - 1) for child in element)
    if element.tag == "mrow":
        return all(_is_flat(child, scripts) for child in element)
    return element.tag in ("mi", "mn", "mtext", "mspace") or (
        element.tag == "mo" and (element.text or "") not in ("∑", "∏", "∫")
    )


def _lower_primes(power: Element) -> None:
    """f′ as a row: the font's prime is a raised one already, and would be raised twice."""
    script = power[1][0] if power[1].tag == "mrow" and len(power[1]) == 1 else power[1]
    if (script.text or "x").strip("′″‴⁗") == "" and script.tag in ("mi", "mo"):
        script.tag, script.attrib = "mo", {"lspace": "0", "rspace": "0"}
        power.tag, power[:] = "mrow", [power[0], script]


def _is_upright_letter(element: Element) -> bool:
    return (
        element.tag == "mi"
        and element.get("mathvariant") == "normal"
        and (element.text or "").isalpha()
    )


def _group_tables(children: list[Element]) -> list[Element]:
    """Each ``[ table ]`` in a row of its own, so that its brackets stretch to it alone."""
    out: list[Element] = []
    for child in children:
        out.append(child)
        fenced = out[-3:]
        if [e.tag for e in fenced] == ["mo", "mtable", "mo"] and (
            fenced[0].text in _OPENING and fenced[2].text in _CLOSING
        ):
            if len(children) == 3:
                continue
            row = Element("mrow")
            for fence, form in ((fenced[0], "prefix"), (fenced[2], "postfix")):
                fence.attrib = {"stretchy": "true", "fence": "true", "form": form}
            row.extend(fenced)
            out[-3:] = [row]
    return out


def _space_names(children: list[Element]) -> list[Element]:
    """Thin spaces around function names, as TeX sets them: 2 sin x, but sin(x)."""
    out: list[Element] = []
    for i, child in enumerate(children):
        named = _is_name(child)
        if named and out and out[-1].tag not in ("mo", "mspace", "mtext"):
            out.append(Element("mspace", width=_THIN))
        out.append(child)
        after = children[i + 1] if i + 1 < len(children) else None
        if named and after is not None and not _is_name(after) and not _opens(after):
            if after.tag not in ("mo", "mspace", "mtext"):
                out.append(Element("mspace", width=_THIN))
    return out


def _is_name(element: Element) -> bool:
    """Whether it is a word such as sin, with or without an index or a power."""
    if element.tag in ("msup", "msub", "msubsup", "munder", "mrow") and len(element):
        return (element.tag != "mrow" or len(element) == 1) and _is_name(element[0])
    return element.tag == "mi" and len(element.text or "") > 1 and (element.text or "").isalpha()


def _opens(element: Element) -> bool:
    """Whether it begins with a bracket."""
    if element.tag in ("mrow", "msup", "msub") and len(element):
        return _opens(element[0])
    return element.tag == "mo" and (element.text or "") in _OPENING
