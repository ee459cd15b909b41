"""The law of messages: bad input is refused soon, in words that name it and say what to do.

`TABLE` holds, for each call, the class of the error and its message: whole, or where it ends in …
its beginning. Nothing in a text is ever executed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp

import chainrule as cr
from chainrule.errors import BudgetError

SECONDS = 4.0  # of processor time: twice what is promised, for slow machines

x = sp.Symbol("x")
n = sp.Symbol("n", integer=True)
nested = x
for _ in range(300):
    nested = sp.sin(nested)


def D(definitions: Any, of: Any = "f", wrt: Any = "x", **more: Any) -> cr.Derivation:
    return cr.derive(definitions, of=of, wrt=wrt, **more)


def scalar() -> cr.Derivation:
    return D({"f": "w*x + sqrt(y)", "x": "t**2"}, wrt="t")


def matrix() -> cr.Derivation:
    return D({"f": "sum(z**2)", "z": "W @ a"}, wrt="W", shapes={"W": (2, 3), "a": (3,)})


Row = tuple[Callable[[], object], type[Exception], str]

DEFINE: dict[str, Row] = {
    "unknown output": (
        lambda: D({"loss": "x1*2"}, of="los", wrt="x1"),
        cr.DefinitionError,
        "of='los' is not defined; did you mean 'loss'? known: loss",
    ),
    "output that is an input": (
        lambda: D({"f": "x1*2"}, of="x1", wrt="t"),
        cr.DefinitionError,
        "of='x1' is not defined; known: f",
    ),
    "cycle of two": (
        lambda: D({"f": "x*2", "x": "f + 1"}, wrt="t"),
        cr.DefinitionError,
        "the definitions go round in a circle: f needs x, x needs f; "
        "one of them must do without the other",
    ),
    "cycle of one": (
        lambda: D({"f": "f*2"}, wrt="t"),
        cr.DefinitionError,
        "the definitions go round in a circle: f needs f; …",
    ),
    "cycle of three, beside f": (
        lambda: D({"f": "a", "a": "b", "b": "c", "c": "a"}, wrt="t"),
        cr.DefinitionError,
        "the definitions go round in a circle: a needs b, b needs c, c needs a; …",
    ),
    "defined twice": (
        lambda: D(["f = x", "f = 2*x"]),
        cr.DefinitionError,
        "'f' is defined twice; keep one of the two definitions",
    ),
    "no definition": (
        lambda: D({}),
        cr.UsageError,
        'there is no definition; give at least one, such as {"f": "t**2"}',
    ),
    "empty list": (lambda: D({"f": []}), cr.UsageError, "f = [] is empty; give at least one entry"),
    "empty text": (
        lambda: D({"f": ""}),
        cr.TextError,
        "f: the text is empty; write a formula, such as sin(x)*exp(y)…",
    ),
    "definitions of a wrong kind": (
        lambda: D(42),
        cr.UsageError,
        'definitions are of the type int; give a mapping such as {"f": "5*x", "x": "t**2"}, '
        'or a list of texts such as "f = 5*x"',
    ),
    "definition of a wrong kind": (
        lambda: D([3]),
        cr.UsageError,
        "3 is no definition; give (name, value) or 'name = formula'",
    ),
    "value of a wrong kind": (
        lambda: D({"f": None}),
        cr.UsageError,
        "f is of the type NoneType; give a text, a SymPy expression, a number, or a list of them",
    ),
    "equation": (
        lambda: D({"f": sp.Eq(x, 1)}),
        cr.UsageError,
        "f is of the type Equality; give a text, …",
    ),
    "truth value": (
        lambda: D({"f": True}),
        cr.UsageError,
        "f = True is no real formula; give a real number or a formula",
    ),
    "nan": (
        lambda: D({"f": float("nan")}),
        cr.DefinitionError,
        "f = nan is not a real number; give a finite one",
    ),
    "inf in a list": (
        lambda: D({"f": [1, float("inf")]}),
        cr.DefinitionError,
        "f[1] = inf is not a real number; give a finite one",
    ),
    "complex": (lambda: D({"f": 1j}), cr.UsageError, "f = 1j is no real formula; …"),
    "imaginary unit": (
        lambda: D({"f": sp.I * x}),
        cr.DefinitionError,
        "f = I*x is not a real number; formulas are real",
    ),
    "infinity": (lambda: D({"f": sp.oo}), cr.DefinitionError, "f = oo is not a real number; …"),
    "nowhere real": (
        lambda: D({"f": (-2) ** x}),
        cr.DefinitionError,
        "f: (-2)**x is nowhere a real number; formulas are real",
    ),
    "imaginary symbol": (
        lambda: D({"f": sp.Symbol("x", imaginary=True)}),
        cr.UsageError,
        "f: the symbol x is not real; formulas are over the real numbers, make it with real=True",
    ),
    "integer symbol": (
        lambda: D({"f": n**2}, wrt=n),
        cr.UsageError,
        "wrt='n' is an integer symbol; give one with real=True",
    ),
    "dummy": (
        lambda: D({"f": sp.Dummy("x")}),
        cr.UsageError,
        "f: _x (Dummy) cannot be used; use a Symbol",
    ),
    "two symbols of one name": (
        lambda: D({"f": sp.Symbol("x", real=True) * x}),
        cr.DefinitionError,
        "two different symbols are called 'x'; give both the same assumptions",
    ),
    "function that is not known": (
        lambda: D({"f": sp.floor(x)}),
        cr.UsageError,
        "f uses floor, which is not supported; use Abs, Heaviside, Max, …",
    ),
    "integral": (
        lambda: D({"f": sp.Integral(x, x)}),
        cr.UsageError,
        "f uses Integral, which is not supported; use …",
    ),
    "derivative to be carried out": (
        lambda: D({"f": sp.Derivative(sp.sin(x), x)}),
        cr.UsageError,
        "f holds Derivative(sin(x), x); carry it out first, with .doit()",
    ),
    "huge number": (
        lambda: D({"f": 10**5000}),
        BudgetError,
        "f holds a number of 16,610 bits; the limit is 4,096: give it a name",
    ),
    "symbolic size": (
        lambda: D({"f": sp.MatrixSymbol("W", n, 2)}, wrt="W"),
        cr.ShapeError,
        "f: the matrix W is n×2; give it sizes that are numbers",
    ),
    "two sizes": (
        lambda: D({"f": sp.MatrixSymbol("W", 2, 2), "g": sp.MatrixSymbol("W", 2, 3)}, wrt="W"),
        cr.ShapeError,
        "g uses W as (2×3), and it is (2×2); give it one shape",
    ),
    "ragged rows": (
        lambda: D({"f": [["x"], ["x", "x"]]}),
        cr.ShapeError,
        "f has rows of 1, 2 entries; they must be equally long",
    ),
    "lists too deep": (
        lambda: D({"f": [[["x", "x"]]]}),
        cr.ShapeError,
        "f[0] is a matrix; a list holds scalars or rows of them",
    ),
    "nested SymPy object": (
        lambda: D({"f": nested}),
        BudgetError,
        "the definitions are nested too deep; name a part of the longest and use the name",
    ),
}

NAMES: dict[str, Row] = {
    "digit first": (
        lambda: D({"2f": "x"}, of="2f"),
        cr.DefinitionError,
        "definition '2f' is no name: write a letter, then letters, digits and _",
    ),
    "two words": (lambda: D({"f": "x"}, wrt="x y"), cr.DefinitionError, "wrt 'x y' is no name: …"),
    "underscore": (lambda: D({"_f": "x"}, of="_f"), cr.DefinitionError, "definition '_f' is no …"),
    "empty": (lambda: D({"": "x"}), cr.DefinitionError, "definition '' is no name: …"),
    "word of Python": (
        lambda: D({"lambda": "x"}, of="lambda"),
        cr.DefinitionError,
        "definition 'lambda' is a word of Python; write it another way",
    ),
    "too long": (
        lambda: D({"f" * 100: "x"}),
        cr.DefinitionError,
        "definition 'ffffffffffffffffffff…' has 100 characters; the limit is 40",
    ),
    "number": (
        lambda: D({3: "x"}),
        cr.UsageError,
        "3 names a definition; give a text or a SymPy symbol",
    ),
    "wrt a number": (lambda: D({"f": "x"}, wrt=3), cr.UsageError, "wrt=3: give a name or several"),
    "wrt numbers": (
        lambda: D({"f": "x"}, wrt=("x", 3)),
        cr.UsageError,
        "wrt=3 (int) is no name; give a name",
    ),
    "wrt nothing": (lambda: D({"f": "x"}, wrt=()), cr.UsageError, "wrt=(): give a name or several"),
    "wrt empty": (lambda: D({"f": "x"}, wrt=""), cr.UsageError, "wrt='': give a name or several"),
    "wrt twice": (
        lambda: D({"f": "x"}, wrt=("x", "x")),
        cr.UsageError,
        "wrt names 'x' twice; keep one of them",
    ),
    "wrt a function": (
        lambda: D({"f": "g(x)"}, wrt="g", functions="g"),
        cr.DefinitionError,
        "wrt='g' is a function; known: x, f",
    ),
    "wrt a constant": (
        lambda: D({"f": "pi*x"}, wrt="pi"),
        cr.DefinitionError,
        "wrt='pi' is a constant; known: x, f",
    ),
    "functions of a wrong kind": (
        lambda: D({"f": "g(x)"}, functions=3),
        cr.UsageError,
        'functions=3: give names, such as ("sigma",)',
    ),
    "function that is no name": (
        lambda: D({"f": "g(x)"}, functions=["g h"]),
        cr.DefinitionError,
        "function 'g h' is no name: …",
    ),
}

SHAPES: dict[str, Row] = {
    "inner sizes": (
        lambda: D({"f": "W@x"}, shapes={"W": (3, 2), "x": (3,)}),
        cr.ShapeError,
        "f: (3×2) @ (3×1): the inner sizes 2 and 3 differ\n  W@x\n   ^",
    ),
    "sum": (
        lambda: D({"f": "x + b"}, shapes={"x": (3,), "b": (2,)}),
        cr.ShapeError,
        "f: (3×1) + (2×1): entry by entry needs equal shapes\n  x + b\n    ^",
    ),
    "text": (
        lambda: D({"f": "x"}, shapes={"x": "2x3"}),
        cr.ShapeError,
        "shapes['x'] = '2x3': give (), (n,) or (m, n), sizes above 0",
    ),
    "zero": (
        lambda: D({"f": "x"}, shapes={"x": (0,)}),
        cr.ShapeError,
        "shapes['x'] = (0,): give …",
    ),
    "three axes": (
        lambda: D({"f": "x"}, shapes={"x": (2, 2, 2)}),
        cr.ShapeError,
        "shapes['x'] = (2, 2, 2): give …",
    ),
    "name that is not used": (
        lambda: D({"f": "W1@x"}, shapes={"W": (2, 2), "W1": (2, 2), "x": (2,)}),
        cr.DefinitionError,
        "shapes names 'W', which no definition uses; did you mean 'W1'? known: W1, x, f",
    ),
    "no mapping": (
        lambda: D({"f": "x"}, shapes=[("x", 2)]),
        cr.UsageError,
        "shapes=[('x', 2)]: give a mapping such as {\"W\": (2, 3)}",
    ),
    "of a definition": (
        lambda: D({"f": "[x, x]"}, shapes={"f": (3,)}),
        cr.ShapeError,
        "f has shape (2); shapes['f'] says (3)",
    ),
    "too large": (
        lambda: D({"f": "sum(x)"}, shapes={"x": (10**9,)}),
        BudgetError,
        "shapes['x'] = (1000000000,) has 1,000,000,000 entries; the limit is 10,000: "
        "derive it for smaller sizes",
    ),
    "Jacobian too large": (
        lambda: D({"f": "2*x"}, shapes={"x": (500,)}),
        BudgetError,
        "a Jacobian of 500×500 entries; the limit is 200,000: derive it for smaller sizes",
    ),
    "index": (
        lambda: D({"f": "x[5]"}, shapes={"x": (3,)}),
        cr.TextError,
        "f: x is (3×1); the index is out of it; …",
    ),
}

TEXTS: dict[str, Row] = {
    "no formula": (
        lambda: D({"f": "2 +* x"}),
        cr.TextError,
        "f: '*' needs something on its left\n  2 +* x\n     ^",
    ),
    "100,000 characters": (
        lambda: D({"f": "x+" * 50_000 + "x"}),
        cr.TextError,
        "f: the text has 100,001 characters; the limit is 10,000\n…",
    ),
    "import": (
        lambda: D({"f": '__import__("os").system("touch executed")'}),
        cr.TextError,
        "f: '__import__' begins with an underscore; no name may\n…",
    ),
    "attribute": (lambda: D({"f": "x.__class__"}), cr.TextError, "f: '__class__' begins with …"),
    "lambda": (lambda: D({"f": "lambda: 1"}), cr.TextError, "f: 'lambda' is not part of a …"),
    "tower": (
        lambda: D({"f": "9**9**9"}),
        cr.TextError,
        "f: 9**9**9 has more than 1,233 digits, the limit for a number\n  9**9**9\n  ^^^^^^^",
    ),
    "300 brackets": (
        lambda: D({"f": "(" * 300 + "x" + ")" * 300}),
        cr.TextError,
        "f: nested 65 deep here; the limit is 64; name a part of it\n…",
    ),
    "300 sines": (
        lambda: D({"f": "sin(" * 300 + "x" + ")" * 300}),
        cr.TextError,
        "f: nested 65 deep here; …",
    ),
    "unknown function": (
        lambda: D({"f": "sni(x)"}),
        cr.TextError,
        "f: unknown function 'sni'; did you mean sin?\n  sni(x)\n  ^^^^^^",
    ),
    "division by zero": (lambda: D({"f": "1/(x - x)"}), cr.TextError, "f: division by zero: …"),
    "logarithm": (lambda: D({"f": "log(-1)"}), cr.TextError, "f: log(-1) is not a real number…"),
    "no equals sign": (
        lambda: D(["sin(x)"]),
        cr.TextError,
        "sin: a definition needs '='; write f = …\n  sin(x)\n        ^",
    ),
}

EVALUATE: dict[str, Row] = {
    "missing": (
        lambda: scalar().evaluate(t=1),
        cr.UsageError,
        "∂f/∂t: no value for w; it needs t, w, y",
    ),
    "unknown": (
        lambda: scalar().evaluate(t=1, w=1, y=2, q=3),
        cr.UsageError,
        "∂f/∂t: q is no free variable; it needs t, w, y",
    ),
    "array for a scalar": (
        lambda: scalar().evaluate(t=[1, 2], w=1, y=1),
        cr.ShapeError,
        "t is a scalar and got shape (2,); …",
    ),
    "wrong shape": (
        lambda: matrix().evaluate(W=np.ones((3, 2)), a=np.ones(3)),
        cr.ShapeError,
        "W has shape (3, 2); it must be (2, 3)",
    ),
    "outside the domain": (
        lambda: D({"f": "log(x)"}).evaluate(x=-1),
        cr.DefinitionError,
        "df/dx is not defined there: x > 0 is needed",
    ),
    "at a pole": (
        lambda: D({"f": "1/x"}).evaluate(x=0),
        cr.DefinitionError,
        "df/dx is not defined there: …",
    ),
    "nan": (
        lambda: D({"f": "x**2"}).evaluate(x=float("nan")),
        cr.UsageError,
        "nan is not a finite number…",
    ),
    "complex": (lambda: D({"f": "x**2"}).evaluate(x=1j), cr.UsageError, "1j (complex) is no …"),
    "undefined function": (
        lambda: D({"f": "s(x)"}, functions="s").evaluate(x=1),
        cr.UsageError,
        "df/dx holds undefined functions (s); it has no numbers",
    ),
    "lowered, missing": (
        lambda: scalar().lower()(t=1),
        cr.UsageError,
        "∂f/∂t: give t, w, y; got t",
    ),
    "block": (
        lambda: scalar()["q"],
        cr.UsageError,
        "∂f/∂t has no block 'q'; it has 't'",
    ),
    "which block": (
        lambda: D({"f": "x*y"}, wrt=("x", "y")).only,
        cr.UsageError,
        "∂f/∂(x, y) has 2 blocks; say which, as in d['x']",
    ),
}

CLAIM: dict[str, Row] = {
    "unknown name": (
        lambda: scalar().check("q*t"),
        cr.TextError,
        "∂f/∂t: unknown name 'q'; known names: f, t, w, x, y\n  q*t\n  ^",
    ),
    "unknown symbol": (
        lambda: scalar().check(sp.Symbol("tt")),
        cr.DefinitionError,
        "∂f/∂t: the claim uses 'tt', which the derivation does not have; did you mean 't'? …",
    ),
    "empty": (lambda: scalar().check(""), cr.TextError, "∂f/∂t: the text is empty; write a …"),
    "empty list": (lambda: scalar().check([]), cr.UsageError, "∂f/∂t = [] is empty; give …"),
    "ends too soon": (
        lambda: scalar().check("2*w*t +"),
        cr.TextError,
        "∂f/∂t: the formula ends here, after '+'; …",
    ),
    "None": (lambda: scalar().check(None), cr.UsageError, "∂f/∂t is of the type NoneType; give …"),
    "nan": (
        lambda: scalar().check(float("nan")),
        cr.DefinitionError,
        "∂f/∂t = nan is not a real number; give a finite one",
    ),
    "import": (
        lambda: scalar().check("__import__('os')"),
        cr.TextError,
        "∂f/∂t: '__import__' begins with an underscore; …",
    ),
    "tower": (lambda: scalar().check("9**9**9"), cr.TextError, "∂f/∂t: 9**9**9 has more than …"),
    "imaginary": (lambda: scalar().check(sp.I), cr.DefinitionError, "∂f/∂t = I is not a real …"),
    "unknown block": (
        lambda: scalar().check({"q": "1"}),
        cr.UsageError,
        "∂f/∂t has no block 'q'; it has 't'",
    ),
    "argument of a function": (
        lambda: scalar().check(lambda q: q),
        cr.UsageError,
        "<lambda>(q): the argument 'q' is no variable of ∂f/∂t; name its arguments after …",
    ),
    "too few entries": (
        lambda: D({"f": "x*y"}, wrt=("x", "y")).check("[1, 2, 3]"),
        cr.UsageError,
        "∂f/∂(x, y) has the shape (1×2), the claim has 3 entries; give the whole Jacobian, "
        "or a mapping with the keys 'x', 'y'",
    ),
    "no derivation": (
        lambda: cr.check("f", "2"),
        cr.UsageError,
        "check needs a Derivation and got a str; make one with chainrule.derive",
    ),
    "point of a wrong kind": (
        lambda: cr.check(scalar(), "2*w*t", at=3),
        cr.UsageError,
        "at=3: give a point such as {'t': 0.3}, or a list of them",
    ),
    "point with nan": (
        lambda: cr.check(scalar(), "2*w*t", at={"t": float("nan"), "w": 1, "y": 1}),
        cr.UsageError,
        "at: t = nan is not a finite number…",
    ),
    "status": (
        lambda: cr.assert_derivative(scalar(), "2*w*t", require="sure"),  # type: ignore[arg-type]
        cr.UsageError,
        "require='sure': must be one of proved, agrees, inconclusive, disagrees, refuted",
    ),
}

TABLE = {
    f"{group}: {name}": row
    for group, rows in {
        "define": DEFINE,
        "names": NAMES,
        "shapes": SHAPES,
        "text": TEXTS,
        "evaluate": EVALUATE,
        "claim": CLAIM,
    }.items()
    for name, row in rows.items()
}


@pytest.mark.parametrize("key", TABLE)
def test_message(key: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call of the table is refused with its message, within two seconds, running nothing."""
    call, kind, message = TABLE[key]
    monkeypatch.chdir(tmp_path)
    begun = time.process_time()
    with pytest.raises(kind) as caught:
        call()
    assert time.process_time() - begun < SECONDS
    shown = str(caught.value)
    if message.endswith("…"):
        assert shown.startswith(message[:-1])
    else:
        assert shown == message
    assert isinstance(caught.value, cr.ChainruleError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("claimed", "wanted"),
    [("[1, 2]", "(1×6) or (2×3) or (6)"), ("2*W.T", "(1×6) or (2×3)"), ("1", "(1×6) or (2×3)")],
)
def test_a_claim_of_a_wrong_shape_is_refuted_with_both_shapes(claimed: str, wanted: str) -> None:
    """A wrong shape is no error of the call: the claim is refuted, and both shapes are named."""
    verdict = matrix().check(claimed)
    assert verdict.status == "refuted"
    assert wanted in str(verdict)
    assert "the claim has the shape" in str(verdict)


def test_a_failed_assertion_carries_the_verdict() -> None:
    """assert_derivative raises DerivativeError, an AssertionError, whose text is the verdict's."""
    with pytest.raises(cr.DerivativeError) as caught:
        cr.assert_derivative(scalar(), "2*w")
    assert isinstance(caught.value, AssertionError)
    assert str(caught.value) == str(caught.value.verdict)
    assert "correct    2*t*w" in str(caught.value)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: cr.derive({"f": "x"}, of="f", wrt="x", positive="x"), cr.UsageError, "is a text"),
        (
            lambda: cr.derive({"f": "x"}, of="f", wrt="x", positive=["y"]),
            cr.DefinitionError,
            "positive='y' is no free variable; known: x",
        ),
        (
            lambda: cr.derive({"f": "x"}, of="f", wrt="x").check({}),
            cr.UsageError,
            "there is nothing to check; give a formula or a function for df/dx",
        ),
    ],
)
def test_messages_about_what_is_positive_and_what_is_claimed(
    call: Any, error: type[Exception], says: str
) -> None:
    """Wrong names and empty claims are named."""
    with pytest.raises(error) as raised:
        call()
    assert says in str(raised.value)
