"""What matplotlib writes, made fit to stand inside a page. Knows nothing of what is drawn.

matplotlib's SVG sets a style for every element of the page (``*``), and its ids are those of any
other figure. Here only listed elements and attributes pass, styles become attributes, ids get the
figure's own prefix, and the ink becomes the colour of the text around it.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, fromstring, tostring

#: Drawn in this, a thing has the colour of the text around it, in light and in dark.
INK = "#0a0b0c"

ELEMENTS = frozenset("svg g path text tspan use defs clipPath rect image".split())
ATTRIBUTES = frozenset(
    "viewBox d x y width height transform clip-path href id fill fill-opacity fill-rule stroke "
    "stroke-width stroke-opacity stroke-linejoin stroke-linecap stroke-dasharray "
    "stroke-dashoffset opacity text-anchor font-size font-weight font-style".split()
)
_NUMBER = re.compile(r"-?\d+\.\d+")
_REFERENCE = re.compile(r"#([\w.-]+)")
_LOCAL = re.compile(r"#[\w.-]+|data:image/png;base64,[A-Za-z0-9+/=\s]*")


def inline(svg: str, prefix: str, label: str) -> str:
    """An SVG document of matplotlib as an element for a page.

    prefix : what its ids begin with; another one for each figure of a page.
    label : what it shows, for those who cannot see it.
    """
    root = fromstring(svg)
    used = sorted(
        {
            name
            for element in root.iter()
            for key, value in element.attrib.items()
            if _local(key) in ("href", "clip-path", "style")
            for name in _REFERENCE.findall(value)
        }
        & {element.get("id", "") for element in root.iter()}
    )
    order = [e.get("id", "") for e in root.iter() if e.get("id") in used]
    names = {name: f"{prefix}-{number}" for number, name in enumerate(order, 1)}
    clean = _clean(root, names)
    if clean is None:
        raise ValueError("matplotlib wrote no SVG element")
    for name in ("width", "height"):
        clean.attrib.pop(name, None)
    clean.attrib |= {"class": "plot", "role": "img", "aria-label": label}
    clean.attrib |= {"stroke-linejoin": "round", "stroke-linecap": "butt"}
    return tostring(clean, encoding="unicode")


def _local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]


def _clean(source: Element, names: dict[str, str]) -> Element | None:
    """A copy with listed elements and attributes only; None for anything else and empty groups."""
    tag = _local(source.tag)
    if tag not in ELEMENTS:
        return None
    given = {_local(name): value for name, value in source.attrib.items()}
    for declaration in given.pop("style", "").split(";"):
        name, _, value = declaration.partition(":")
        given[name.strip()] = value.strip()
    kept: dict[str, str] = {}
    for name, value in given.items():
        if name not in ATTRIBUTES or value.startswith("rotate(-0 "):
            continue
        if name == "id":
            if value in names:
                kept[name] = names[value]
            continue
        if name == "href" and not _LOCAL.fullmatch(value):
            continue
        if tag != "image" or name != "href":
            value = _REFERENCE.sub(lambda m: "#" + names.get(m[1], m[1]), value)
            value = value.replace(INK, "currentColor").removesuffix("px")
            value = _NUMBER.sub(lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), value)
        kept[name] = " ".join(value.split())
    element = Element(tag, kept)
    if tag in ("text", "tspan"):
        element.text = source.text
    children = (_clean(child, names) for child in source)
    element.extend(child for child in children if child is not None)
    return None if tag in ("g", "defs") and not len(element) else element
