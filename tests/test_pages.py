"""Laws of the report: it computes nothing, no text becomes markup, no file tears."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

from chainrule.derivation import Block, FormulaDerivation, Line, Step
from chainrule.errors import UsageError
from chainrule.exhibition import (
    Checked,
    Exhibit,
    Exhibition,
    NetworkExhibit,
    NetworkRow,
    Training,
)
from chainrule.pages import mathml as mathml_room
from chainrule.pages import report
from chainrule.pages import svg as svg_room
from chainrule.pages.figures import cost, heart, heat_map
from chainrule.pages.font import math_font, sign_font
from chainrule.pages.html import html
from chainrule.pages.markdown import markdown
from chainrule.pages.mathml import mathml
from chainrule.pages.words import MARK, scientific
from chainrule.verdict import CodeReport, Evidence, Finding, Scope, Status, Verdict, Witness

# ---- an exhibition made by hand ------------------------------------------------------------------

t = sp.Symbol("t", real=True)


def finding(name: str, status: Status, **more: object) -> Finding:
    reasons = {
        "proved": "the difference is 0 in normal form",
        "agrees": "the enclosures overlap at 64 points at 128 bits; no proof was found",
        "inconclusive": "the point lies on a kink, and the budget of cells is spent",
        "disagrees": "differences at three steps lie beyond every error that is known of",
        "refuted": "there is a point at which the two sides are certainly different",
    }
    given = {"scope": Scope(domain=("t real",), conditions=("t ≠ 0",)), **more}
    return Finding(name, status, reasons[status], **given)  # type: ignore[arg-type]


WITNESS = Witness(
    point={"t": "1/2"},
    claimed="-0.438791280945186252954586690",
    derived="2.38551673095913537562396849",
    bits=(64, 128),
)


def verdict(status: Status, name: str = "df/dt", **more: object) -> Verdict:
    if status == "refuted":
        more = {"witness": WITNESS, "correction": "E*cos(t - 1)", **more}
    evidence = (
        Evidence("witness", "no point was found that separates the sides", {"points": 64}),
        Evidence("identity", "the normal form of the difference is 0", {"operations": 12345}),
    )
    return Verdict(name, {name: finding(name, status, evidence=evidence, **more)})


def derivation(extra: tuple[Step, ...] = ()) -> FormulaDerivation:
    matrix = sp.ImmutableDenseMatrix([[sp.E * sp.cos(t - 1)]])
    f = r"\frac{\mathrm{d} f}{\mathrm{d} t}"
    brace = (
        f + r" = \underbrace{\begin{bmatrix} e^{y z^{2}} \cos{\left(x \right)} & z^{2} e^{y z^{2}}"
        r" \sin{\left(x \right)} & 2 y z e^{y z^{2}} \sin{\left(x \right)} \end{bmatrix}}"
        r"_{\frac{\partial f}{\partial (x, y, z)},\ 1 \times 3} \cdot "
        r"\underbrace{\left[\begin{matrix}1\\2 t\\- \frac{1}{t^{2}}\end{matrix}\right]}"
        r"_{3 \times 1}"
    )
    steps = (
        Step(
            "definitions",
            "Definitions",
            "",
            (
                Line(r"f = e^{y z^{2}} \sin{\left(x \right)}", "f = exp(y*z**2)*sin(x)"),
                Line(r"x = t - 1, \quad y = t^{2}, \quad z = \frac{1}{t}", "x = t - 1"),
            ),
        ),
        Step(
            "partials",
            "Partial derivatives",
            "Each formula for each variable that stands in it.",
            (
                Line(
                    r"\frac{\partial f}{\partial x} = e^{y z^{2}} \cos{\left(x \right)}",
                    "∂f/∂x = exp(y*z**2)*cos(x)",
                    "y and z are held",
                ),
                Line(
                    r"\frac{\partial f}{\partial y} = z^{2} e^{y z^{2}} \sin{\left(x \right)}", "…"
                ),
            ),
        ),
        Step(
            "product",
            "Product of Jacobians",
            "The rule multiplies Jacobians, left to right.",
            (Line(brace, "df/dt = (1×3)(3×1)", "shapes (1×3)(3×1) → (1×1)"),),
        ),
        *extra,
        Step(
            "substitution",
            "Written in t alone",
            "",
            (Line(f + r" = e \cos{\left(t - 1 \right)}", "df/dt = E*cos(t - 1)", "as y z² = 1"),),
        ),
    )
    return FormulaDerivation(
        of=("f",),
        wrt=("t",),
        blocks={("f", "t"): Block("f", "t", matrix, matrix)},
        steps=steps,
        factors=(),
        conditions=(sp.Ne(t, 0),),
        parameters=(),
        symbols={"t": t},
        local={},
        closed={},
    )


def sympy_lines() -> Step:
    """What SymPy prints for the constructs that a derivation may hold."""
    x, y, u1, u2 = sp.symbols("x y u1 u2", real=True)
    f = sp.Function("f")
    inner = [sp.Function(f"x{i}")(u1, u2) for i in (1, 2)]
    first = 1 / (1 + sp.exp(-x))
    shown = [
        f(*inner).diff(u1),
        sp.Derivative(f(x, y), x, 2, y),
        sp.Subs(sp.Derivative(f(x, y), x), (x, y), (u1**2, 1 / u2)),
        sp.Piecewise((x**2, x > 0), (sp.sin(x) / x, sp.Ne(x, 0)), (0, True)),
        2 * sp.Max(x, 0) + sp.sign(y) * sp.Abs(x) * sp.log(x) / sp.sqrt(1 + x**2),
        sp.Matrix(2, 7, lambda i, j: sp.Symbol(f"w_{i}{j}") * (first if j < 2 else 1)),
        sp.Matrix(7, 12, lambda i, j: sp.Symbol(f"W_{{{i},{j}}}")),
        sp.Matrix([[1, 2], [3, 4]]) @ sp.Matrix([x, y]),
    ]
    lines = [Line(sp.latex(e), str(e)) for e in shown]
    more = [
        r"\frac{\partial C}{\partial W^{(2)}} = \frac{2}{N} \left( a^{(3)} - y \right) \odot "
        r"\sigma'\left(z^{(3)}\right) \quad\Rightarrow\quad \text{for } t \neq 0",
        r"f = \begin{cases} x^{2} & \text{for}\: x > 0 \\ 0 & \text{otherwise}\end{cases}",
        r"\operatorname{relu}(x)_{i} \neq \max_{j} x_{j}, \quad "
        r"\begin{pmatrix} 1 \\ 2 \end{pmatrix} "
        r"\begin{bmatrix} 1 & 0 \\ 0 & 1 \\ 0 & 0\end{bmatrix} "
        r"\mathbb{I}_{3} 2 \sin x",
        r"\frac{\mathrm{d}^{2} f}{\mathrm{d} t^{2}} = \left\| a^{(3)} - y \right\|^{2} / N, \quad "
        r"\mathrm{diag}(\sigma'(z)) W^{\top} \operatorname{diag}\left(s\right)",
        r"\sum_{i=1}^{n} \frac{\partial f}{\partial x_{i}} \frac{\mathrm{d} x_{i}}{\mathrm{d} t}",
        r"\begin{aligned} a &= b \\ &= \frac{c}{d}\end{aligned}",
    ]
    return Step("remark", "What SymPy prints", "", (*lines, *(Line(m, m) for m in more)))


def network() -> NetworkExhibit:
    random = np.random.default_rng(1)
    shapes = {"W3": (2, 7), "b3": (2, 1), "W2": (7, 6), "b2": (7, 1), "W1": (6, 1), "b1": (6, 1)}
    rows = []
    for name, shape in shapes.items():
        difference = 10.0 ** random.uniform(-19.5, -17, shape) * (random.random(shape) > 0.3)
        layer = name[1]
        rows.append(
            NetworkRow(
                f"J_{name}",
                name,
                shape,
                rf"\frac{{\partial C}}{{\partial a^{{(3)}}}} \frac{{\partial a^{{(3)}}}}"
                rf"{{\partial z^{{(3)}}}} \frac{{\partial z^{{(3)}}}}"
                rf"{{\partial {name[0]}^{{({layer})}}}}",
                verdict("agrees", f"J_{name}"),
                float(difference.max()),
                0.05,
                difference,
            )
        )
    local = (
        (
            r"\frac{\partial C}{\partial a^{(3)}} = \frac{2}{N} (a^{(3)} - y)^{\top}",
            "(1×2)",
            "cost",
        ),
        (
            r"\frac{\partial a^{(3)}}{\partial z^{(3)}} = "
            r"\operatorname{diag}\left(\sigma'(z^{(3)})\right)",
            "(2×2)",
            "the activation, entry by entry",
        ),
    )
    return NetworkExhibit((1, 6, 7, 2), 100, "sigmoid", tuple(rows), local)


def training() -> Training:
    angle = np.linspace(0, 2 * np.pi, 100)
    heart_curve = np.vstack(
        [
            16 * np.sin(angle) ** 3,
            13 * np.cos(angle) - 5 * np.cos(2 * angle) - 2 * np.cos(3 * angle) - np.cos(4 * angle),
        ]
    )
    target = 0.5 + heart_curve / 40
    start = np.vstack([np.linspace(0.45, 0.62, 100), np.linspace(0.4, 0.45, 100)])
    curves = {
        i: target + (start - target) * (1 - i / 50000) ** 2 for i in (0, 500, 5000, 20000, 50000)
    }
    history = tuple((i, 0.2 / (1 + i / 300) + 1e-4) for i in range(0, 50001, 500))
    return Training((1, 6, 7, 2), 7.0, angle[None] / 7, target, curves, history)


def exhibition() -> Exhibition:
    d = derivation()
    given = (("f", "sin(x)*exp(y*z**2)"), ("x", "t - 1"), ("y", "t**2"), ("z", "1/t"))
    first = Exhibit(
        "total-derivative",
        "A total derivative",
        "multivariate chain rule, first example",
        "The three paths from t to f meet in a single cosine.",
        given,
        d,
        checks=(
            Checked("exp(1)*cos(t - 1)", verdict("proved"), True, note="As printed on the page."),
            Checked("exp(1)*sin(t - 1)", verdict("refuted"), False, correction="exp(1)*cos(t - 1)"),
        ),
    )
    second = Exhibit(
        "constructs",
        "What SymPy prints",
        "nowhere",
        "",
        (("f", "f(x1, x2)"),),
        derivation((sympy_lines(),)),
        checks=(
            Checked("a function", verdict("agrees"), True),
            Checked("x**2*sign(x)", verdict("inconclusive"), False),
            Checked("a black box", verdict("disagrees"), False),
        ),
    )
    misprint = Exhibit(
        "misprint-size",
        "The size of a weight matrix",
        "neural network",
        "",
        (("z", "W @ a + b"),),
        None,
        "z: W @ a: W is (2×3) and a is (2×1); the inner sides must be equal",
    )
    failing = CodeReport("fails", "nan at 3 of 40 points, first at z = -710", 2.3e-16, 40, 3)
    narrow = Exhibit(
        "narrow-d-sigma",
        "The derivative of the sigmoid in float64",
        "backpropagation practice",
        "As a formula it is right everywhere.",
        (("s", "1/(1 + exp(-z))"),),
        None,
        checks=(
            Checked("np.exp(-z) / (np.exp(-z) + 1)**2", verdict("proved", code=failing), True),
        ),
    )
    return Exhibition(
        "The chain rule, checked",
        (first, second),
        (misprint, replace(first, key="misprint-sigmoid", title="The sigmoid", derivation=None)),
        (narrow,),
        (),
        network(),
        training(),
        {"chainrule": "0.1.0", "sympy": "1.14.0", "numpy": "2.4.6", "python-flint": "0.9.0"},
    )


# ---- what a page may hold ------------------------------------------------------------------------

HTML = (
    "html head meta title style body header nav main section article footer h1 h2 h3 h4 p a ol ul "
    "li div span code pre dl dt dd table thead tbody tr th td sup figure figcaption details summary"
)
ALLOWED = frozenset(HTML.split()) | mathml_room.ELEMENTS | {e.lower() for e in svg_room.ELEMENTS}
PLAIN_ATTRIBUTES = frozenset(
    "class id href title lang charset name content http-equiv scope tabindex role aria-label "
    "aria-hidden".split()
)
ATTRIBUTES = (
    PLAIN_ATTRIBUTES
    | mathml_room.ATTRIBUTES
    | {"mathvariant"}
    | {a.lower() for a in svg_room.ATTRIBUTES}
)
VOID = frozenset({"meta"})


class Page(HTMLParser):
    """Every element, attribute and id of a page, and whether its elements close in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


def assert_safe(page: str) -> Page:
    """Only listed elements and attributes, no handler, no link out of the page."""
    parsed = Page(page)
    for tag, attributes in parsed.elements:
        assert tag in ALLOWED, tag
        for name, value in attributes.items():
            assert name in ATTRIBUTES, (tag, name)
            if name == "href":
                assert (value or "").startswith(("#", "data:image/png;base64,")), value
    ids = [a["id"] for _, a in parsed.elements if "id" in a]
    assert len(ids) == len(set(ids))
    return parsed


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'><a href=javascript:alert(1)>x</a>",
    r"\href{javascript:alert(1)}{x}",
    r"\style{background:url(https://evil.example)}{x}\class{claim}{y}",
    r"\text{<script>alert(1)</script>}",
    r"\text{</math><img src=x onerror=alert(1)>}",
    r"\text{&lt;script&gt;alert(1)&lt;/script&gt;}",
    r"x \mathrm{&#x3c;script&#x3e;}",
    r"\hspace{1em;background:url(x)}",
    "</style><script>alert(1)</script>",
    "</title></pre><iframe src=x>",
    "<!-- --><!DOCTYPE x> <![CDATA[ x ]]>",
    "![x](https://evil.example) [y](javascript:alert(1))",
    "```\n<b>x</b>\n```",
    "# $x$ | @someone www.evil.example &#60;i&#62;",
    "\x00\x1b[31m\u202egnp.exe\ud800",
    "미분 名 🙂 ﷽",
]


def hostile_exhibition(text: str) -> Exhibition:
    """An exhibition that says `text` wherever a text can be."""
    witness = Witness({text: text}, text, text, bits=(64, 128))
    code = CodeReport("fails", text, None, 1, 1)
    scope = Scope(text, (text,), (text,), (text,), (text,))
    pieces = (Evidence(text, text, {text: text}),)
    found = Finding(text, "refuted", text, scope, pieces, witness, code, text)
    judged = Verdict(text, {text: found})
    line = Line(text, text, text)
    shown = replace(derivation(), steps=(Step(text, text, text, (line,)),), of=(text,))
    checked = Checked(text, judged, True, text, text)
    exhibit = Exhibit(text, text, text, text, ((text, text),), shown, text, (checked,))
    given = network()
    rows = (replace(given.rows[0], name=text, wrt=text, formula=text, verdict=judged),)
    return Exhibition(
        text,
        (exhibit, exhibit),
        (replace(exhibit, derivation=None),),
        (exhibit,),
        (exhibit,),
        replace(given, rows=rows, activation=text, local=((text, text, text),)),
        training(),
        {text: text},
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_markup(text: str) -> None:
    """Whatever a name, a sentence or a formula says, a page has listed elements only."""
    page = html(hostile_exhibition(text))
    assert_safe(page)
    assert "\x00" not in page and "\u202e" not in page and "\x1b" not in page
    page.encode("utf-8")
    assert_safe(f"<div>{mathml(text)}{mathml(text, display=False)}</div>")


def test_no_text_becomes_markup_on_the_smaller_pages() -> None:
    """A page of one derivation, or of one verdict, is as safe."""
    first = hostile_exhibition("".join(HOSTILE)).exhibits[0]
    assert first.derivation is not None
    assert_safe(html(first.derivation))
    assert_safe(html(first.checks[0].verdict))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_markdown(text: str) -> None:
    """Outside of code, Markdown holds no <, no link and no $ that came from a text."""
    outside = without_code(markdown(hostile_exhibition(text)))
    bare = re.sub(r"\\[\\`*_{}\[\]<>#|~.)=+-]", "", outside)
    assert not re.search(r"[<>\[\]$@`]|https?://|www\.", bare), bare


def without_code(text: str) -> str:
    """Markdown without its fences and code spans; fails if a fence is left open."""
    kept: list[str] = []
    fence = ""
    for line in text.splitlines():
        ticks = re.match(r"`{3,}", line)
        if fence:
            fence = "" if line == fence else fence
        elif ticks:
            fence = ticks[0]
        else:
            kept.append(line)
    assert not fence
    return re.sub(r"(?<![`\\])(`+)(?!`).*?(?<!`)\1(?!`)", "", "\n".join(kept))


def test_pages_hold_listed_elements_only_and_need_nothing_else() -> None:
    """No script, no handler, no address but those of the namespaces; the policy says so too."""
    for thing in (exhibition(), derivation((sympy_lines(),)), verdict("refuted")):
        page = html(thing)
        parsed = assert_safe(page)
        bare = re.sub(r"base64,[A-Za-z0-9+/=]*", "", page)
        assert not re.search(r"https?:|//[a-z]|<script|@import", bare)
        policies = [a["content"] for _, a in parsed.elements if "http-equiv" in a]
        assert len(policies) == 1 and "default-src 'none'" in (policies[0] or "")
        assert "style" not in {name for _, a in parsed.elements for name in a}


def test_contents_lead_somewhere() -> None:
    """Each link of the contents is to an id of the page, and each exhibit is linked."""
    parsed = Page(html(exhibition()))
    links = {(a["href"] or "")[1:] for tag, a in parsed.elements if tag == "a"}
    ids = {a.get("id") for _, a in parsed.elements}
    assert links <= ids
    assert {a.get("id") for tag, a in parsed.elements if tag == "article"} <= links


def test_all_that_was_found_is_on_the_page() -> None:
    """Claims, reasons, both certified values, corrections, errors and versions can be read."""
    show = exhibition()
    plain_page = Page(html(show)).text
    source = markdown(show)
    for text in (
        show.title,
        WITNESS.claimed,
        WITNESS.derived,
        "t = 1/2",
        "E*cos(t - 1)",
        "exp(1)*sin(t - 1)",
        "64 and 128 bits",
        "the inner sides must be equal",
        "nan at 3 of 40 points",
        "Not as expected",
    ):
        assert text in plain_page, text
    for text in (WITNESS.claimed, WITNESS.derived, "t = 1/2", "J\\_W2", "Not as expected"):
        assert text in source, text
    assert str(show.exhibits[0].checks[1].verdict) in plain_page
    assert "1 verdict did not come out as expected" in plain_page


@pytest.mark.parametrize("status", MARK)
def test_a_status_has_its_mark_and_its_word(status: Status) -> None:
    """Nothing is told by colour alone."""
    page = Page(html(verdict(status))).text
    assert f"{MARK[status]} {status}" in page
    assert f"{MARK[status]} {status}" in markdown(verdict(status))
    assert len(set(MARK.values())) == len(MARK)


def test_expected_means_as_the_gallery_says() -> None:
    """A right claim must be ok; a wrong one must be found wrong, not merely undecided."""
    for status, right, expected in [
        ("proved", True, True),
        ("agrees", True, True),
        ("inconclusive", True, False),
        ("inconclusive", False, False),
        ("refuted", True, False),
        ("refuted", False, True),
        ("disagrees", False, True),
        ("proved", False, False),
    ]:
        assert Checked("x", verdict(status), right).as_expected is expected  # type: ignore[arg-type]


def test_the_same_thing_gives_the_same_bytes() -> None:
    """Pages, figures and fonts do not depend on when, or after what, they are made."""
    code = (
        "import sys, hashlib; sys.path[:0] = sys.argv[1:]; import test_pages as T;"
        "s = T.exhibition(); t = T.html(s) + T.markdown(s);"
        "print(hashlib.sha256(t.encode()).hexdigest())"
    )
    tests = Path(__file__).parent
    digests = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tests.parent), str(tests)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout)
    assert len(digests) == 1
    assert html(exhibition()) == html(exhibition())


# ---- formulas ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [r"\frac{1}{", r"\begin{matrix} 1", "}", r"\left(", "^", "{" * 3000, r"\sqrt[", "a & b", ""],
)
def test_broken_latex_is_shown_as_it_is(broken: str) -> None:
    """What cannot be converted stands in a <pre>, whole, or is converted; nothing is raised."""
    shown = mathml(broken)
    page = Page(f"<div>{shown}</div>")
    assert shown.startswith("<math") or page.text == broken


@pytest.mark.parametrize("line", [line.latex for line in sympy_lines().lines])
def test_what_sympy_prints_is_converted(line: str) -> None:
    """Derivatives, substitutions, cases, functions and matrices all become MathML."""
    shown = mathml(line)
    assert shown.startswith('<math display="block">')
    assert (
        "\\" not in shown and "&amp;" not in shown and "{" not in re.sub("<mo.*?</mo>", "", shown)
    )


def test_formulas_are_set_as_in_print() -> None:
    """Upright d, words as words, brackets as tall as their own matrix, one prime."""
    assert '<mi mathvariant="normal">d</mi>' in mathml(r"\mathrm{d}")
    assert "<mi>diag</mi>" in mathml(r"\mathrm{diag}(x)")
    assert "<mi>relu</mi>" in mathml(r"\operatorname{relu}(x)")
    assert '<mspace width="0.167em" /><mi>sin</mi>' in mathml(r"2 \sin x")
    assert 'stretchy="false" fence="true" form="prefix">(' in mathml(r"\sin{\left(x \right)}")
    assert 'stretchy="true" fence="true" form="prefix">(' in mathml(r"\left(\frac{1}{x}\right)")
    assert '<mi>σ</mi><mo lspace="0" rspace="0">′</mo>' in mathml(r"\sigma'(z)")
    two = mathml(r"\begin{bmatrix}1\end{bmatrix}\begin{bmatrix}1\\2\end{bmatrix}")
    assert two.count('<mrow><mo stretchy="true" fence="true" form="prefix">[</mo><mtable>') == 2
    assert 'class="left"' in mathml(r"\begin{cases}1 & x\end{cases}")
    assert "a & b" in Page(mathml(r"\text{a \& b}")).text.replace("\xa0", " ")


def test_the_font_has_what_the_formulas_need() -> None:
    """The subset keeps its MATH table, italics and the variants of brackets; none is fetched."""
    import base64
    import io

    from fontTools.ttLib import TTFont

    def opened(uri: str | None) -> TTFont:
        assert uri is not None and uri.startswith("data:font/woff;base64,")
        return TTFont(io.BytesIO(base64.b64decode(uri.partition(",")[2])))

    font = opened(math_font("fhσ"))
    assert "MATH" in font
    assert {ord(c) for c in "[](){}⊙∂′𝑓ℎ𝜎0"} <= set(font.getBestCmap())
    assert len(font.getGlyphOrder()) > len(font.getBestCmap())
    small = opened(sign_font("t ≠ 0 → x"))
    assert set(small.getBestCmap()) == {ord("≠"), ord("→")}
    assert sign_font("plain") is None


def test_a_page_without_the_font_still_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where ziamath is not found there is no font, and no complaint on the page."""
    from chainrule.pages import font

    def missing() -> bytes:
        raise FileNotFoundError("no font")

    monkeypatch.setattr(font, "_file", missing)
    font._subset.cache_clear()
    page = html(verdict("proved"))
    font._subset.cache_clear()
    assert_safe(page)
    assert "@font-face" not in page


# ---- figures -------------------------------------------------------------------------------------


def figures() -> list[str]:
    return [heat_map(network()), heart(training()), cost(training())]


def test_figures_share_a_page() -> None:
    """Ids do not collide, colours follow the text, nothing reaches out of the figure."""
    seen: set[str] = set()
    for figure in figures():
        parsed = Page(figure)
        ids = {a["id"] or "" for _, a in parsed.elements if "id" in a}
        assert not ids & seen
        seen |= ids
        used = {(a["href"] or "")[1:] for tag, a in parsed.elements if tag == "use"}
        assert used <= ids
        assert "currentColor" in figure and "#000000" not in figure
        root = parsed.elements[0][1]
        assert root["role"] == "img" and root["aria-label"]
        assert not re.search(r"style|<script|metadata|https?:", figure)


def test_equal_and_unequal_entries_are_told_apart() -> None:
    """Exact zeros are grey, numbers coloured, nan red; a map of zeros alone has no scale."""
    given = network()
    nothing = tuple(replace(r, difference=np.zeros(r.shape), worst=0.0) for r in given.rows)
    equal = heat_map(replace(given, rows=nothing))
    assert "10⁻" not in equal and "exactly equal" in equal
    nan = replace(given.rows[0], difference=np.full((2, 7), np.nan))
    assert "not finite" in heat_map(replace(given, rows=(nan,)))
    assert heat_map(replace(given, rows=())).startswith("<svg")


def test_large_jacobians_become_a_picture() -> None:
    """A map of thousands of entries stays small, and inside the page."""
    big = replace(network().rows[0], difference=np.full((90, 90), 1e-17), shape=(90, 90))
    figure = heat_map(replace(network(), rows=(big,)))
    assert "data:image/png;base64," in figure and len(figure) < 100_000
    assert_safe(figure)


def test_the_users_matplotlib_is_left_alone() -> None:
    """Settings are neither used nor changed, and pyplot is not imported."""
    import matplotlib

    with matplotlib.rc_context({"font.size": 31, "lines.color": "red"}):
        before = dict(matplotlib.rcParams)
        first = figures()
        assert dict(matplotlib.rcParams) == before
    assert first == figures()


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (-0.0, "0"), (float("nan"), "nan"), (float("inf"), "inf"), (12.0, "12")],
)
def test_numbers_are_short(value: float, shown: str) -> None:
    """Zero is 0, and what is no number says so."""
    assert scientific(value) == shown


# ---- files ---------------------------------------------------------------------------------------


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Path]:
    """A file with an old report; afterwards no temporary file may be left beside it."""
    path = tmp_path / "report.html"
    path.write_text("old")
    yield path
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".tmp")] == []


def test_the_suffix_chooses(tmp_path: Path) -> None:
    """.html and .htm give HTML, .md and .markdown Markdown; `format` overrides."""
    for name, format, start in [
        ("a.html", None, "<!DOCTYPE html>"),
        ("a.HTM", None, "<!DOCTYPE html>"),
        ("a.md", None, "# "),
        ("a.markdown", None, "# "),
        ("a.txt", "md", "# "),
        ("a.md", "html", "<!DOCTYPE html>"),
    ]:
        path = report(verdict("proved"), tmp_path / name, format=format)
        assert path == tmp_path / name
        assert path.read_text(encoding="utf-8").startswith(start)


def test_calls_that_make_no_sense_are_named(tmp_path: Path) -> None:
    """Each error names the value and what to do instead; nothing is written."""
    good = verdict("proved")
    for thing, path, format, words in [
        (good, tmp_path / "a.pdf", None, r"\.pdf.*\.html"),
        (good, tmp_path / "a", None, "format"),
        (good, tmp_path / "a.html", "pdf", r"'pdf'.*'html'"),
        (good, tmp_path / "none" / "a.html", None, "none"),
        (good, tmp_path, "html", "folder"),
        ("text", tmp_path / "a.html", None, r"'text' \(str\)"),
    ]:
        with pytest.raises(UsageError, match=words):
            report(thing, path, format=format)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file(
    old: Path, monkeypatch: pytest.MonkeyPatch, step: str, failure: BaseException
) -> None:
    """Whatever fails while writing, the old report is whole and no temporary file stays."""

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(failure)):
        report(verdict("proved"), old)
    assert old.read_text() == "old"


@pytest.mark.skipif(os.name != "posix", reason="signals and modes of POSIX")
def test_a_kill_leaves_one_of_the_two(old: Path) -> None:
    """A process killed while it writes leaves the old report or the new one, never a part."""
    code = (
        "import sys; from pathlib import Path; from chainrule.pages import _write\n"
        "print('go', flush=True)\n"
        "while True: _write(Path(sys.argv[1]), b'x' * 3_000_000)"
    )
    for delay in (0.0, 0.01, 0.03):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(old)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parent.parent,
        )
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert old.read_bytes() in (b"old", b"x" * 3_000_000)
    for left in old.parent.glob(".chainrule-*.tmp"):
        left.unlink()  # a killed process cannot tidy up after itself


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_modes_and_links_are_kept(old: Path) -> None:
    """An existing file keeps its mode, a link stays a link, a new file gets the usual mode."""
    old.chmod(0o640)
    link = old.with_name("link.html")
    link.symlink_to(old)
    report(verdict("proved"), link)
    assert link.is_symlink() and old.read_text(encoding="utf-8").startswith("<!DOCTYPE")
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    plain_file = old.with_name("plain.txt")
    plain_file.write_text("")
    new = report(verdict("proved"), old.with_name("new.md"))
    assert new.stat().st_mode == plain_file.stat().st_mode


def test_markdown_sets_formulas_in_fences() -> None:
    """Every formula stands in a ```math fence, none between dollar signs; the fences close."""
    source = markdown(exhibition())
    assert source.count("```math") > 20
    assert "$" not in without_code(source)
    assert r"\left[\begin{matrix}" in source
