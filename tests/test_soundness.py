"""Soundness of `check`: right claims are never refuted, wrong ones never proved, nor agreed with.

Every row was found by somebody who tried to make it lie.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import autograd  # type: ignore[import-untyped]
import autograd.numpy as anp  # type: ignore[import-untyped]
import numpy as np
import pytest
import sympy as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import UsageError
from chainrule.strategies import chains
from chainrule.verdict import Finding

x, y = sp.symbols("x y", real=True)
HALF = "x**2/2"  # its derivative is x


def status(f: Any, claim: Any, **more: Any) -> str:
    """The status of a claim on df/dx."""
    at = more.pop("at", None)
    verdict = cr.check(cr.derive({"f": f}, of="f", wrt="x", **more), claim, at=at)
    assert str(verdict)
    return str(verdict.status)


# ── formulas ──────────────────────────────────────────────────────────────────────────────────────

RIGHT = [
    (HALF, "abs(x)*sign(x)"),
    (HALF, "x*sign(x)**2"),
    (HALF, "max(x, 0) + min(x, 0)"),
    (HALF, "relu(x) - relu(-x)"),
    (HALF, "cbrt(x)**3"),
    (HALF, "log(exp(x))"),
    (HALF, "x + 2*log(2) - log(4)"),
    (HALF, "x + abs(x**12 - 3) - abs(3 - x**12)"),
    (HALF, sp.Piecewise((3, sp.Eq(x, 3)), (x, True))),
    ("x*log(abs(x)) - x", "log(x**2)/2"),
    ("log(-x)", "1/x"),
    ("log(abs(x))", "1/x"),
    ("asin(x)", "1/(sqrt(1 - x)*sqrt(1 + x))"),
    ("acosh(x)", "1/(sqrt(x - 1)*sqrt(1 + x))"),
    ("atan(1/x)", "-1/(1 + x**2)"),
    ("x**n", "n*x**n/x"),
    ("x**x", "x**x*(1 + log(x))"),
    ("4**x", "2**(2*x)*2*log(2)"),
    ("tan(x)", "1/cos(x)**2"),
    ("sin(x)**2", "sin(2*x)"),
    ("-2*cos(x/2)", "sin(x/2)"),
    ("x*abs(x)/2", "sqrt(x**2)"),
    ("x**2/x", "(2*x*x - x**2)/x**2"),
    ("sqrt(x)*sqrt(x)", "2**(log(x)/log(2))/x"),
    ("abs(x)", "x/sqrt(x**2)"),
    ("max(x, y, z)", "heaviside(x - y)*heaviside(x - z)"),
    ("max(x, min(y, z))", "1 - heaviside(min(y, z) - x)"),
    ("softplus(x)", "1 - sigmoid(-x)"),
    ("erf(x)", "2/sqrt(pi)*exp(-x*x)"),
    ("gamma(x)", "gamma(x)*digamma(x)"),
]


@pytest.mark.parametrize(("f", "claim"), RIGHT, ids=[f"{f} ~ {c}" for f, c in RIGHT])
def test_right_formulas_are_proved(f: str, claim: Any) -> None:
    """What is the derivative, in whatever form, is proved."""
    assert status(f, claim) == "proved"


WRONG = [
    (HALF, "sqrt(x**2)"),  # |x|
    (HALF, "exp(log(x))"),  # no value for x ≤ 0
    (HALF, "sqrt(x)*sqrt(x)"),  # nor here
    (HALF, "x*x/x"),  # nor at 0
    (HALF, "(x**3)**(1/3)"),  # a principal root
    (HALF, "x + sqrt(x - 3000) - sqrt(x - 3000)"),  # it cancels, and was never defined
    (HALF, "sin(asin(x))"),  # only for |x| ≤ 1
    (HALF, "x + 1 - sign(x)**2"),  # wrong at x = 0 alone
    (HALF, sp.Piecewise((5, sp.Eq(x, 3)), (x, True))),  # wrong at x = 3 alone
    (HALF, sp.Piecewise((x, x < 3))),  # no value beyond
    (HALF, "x*(1 + 1e-30)"),
    (HALF, "x + 1e-30"),
    (HALF, "x + atan(x) + atan(1/x) - pi/2"),  # π too little for x < 0
    (HALF, "2*x"),
    (HALF, "x + relu(x - 3)"),
    ("erf(x)", "1.1283791670955126*exp(-x**2)"),  # a float is no 2/√π
    ("x*log(abs(x)) - x", "log(x)"),
    ("sin(x)*cos(x)", "1"),
    ("acos(x)", "1/sqrt(1 - x**2)"),
    ("log10(x)", "1/x"),
    ("max(x, y)", "heaviside(y - x)"),
    ("x**n", "n*x**n"),
    ("abs(x)", "abs(x)"),
]


@pytest.mark.parametrize(("f", "claim"), WRONG, ids=[f"{f} ≁ {c}" for f, c in WRONG])
def test_wrong_formulas_are_refuted(f: str, claim: Any) -> None:
    """What is not the derivative is refuted, with a point, however small the difference."""
    verdict = cr.check(cr.derive({"f": f}, of="f", wrt="x"), claim)
    assert verdict.status == "refuted" and verdict.worst.witness is not None
    assert "refuted" in str(verdict) and not verdict.ok


HIDDEN = [
    "x + relu(x - 1e6)",  # a kink far outside
    "x + relu(x - 3)*relu(3.001 - x)",  # a bump between two points
    "x*(1 + 1e-60)",  # below the precision of the points
    sp.Piecewise((x, x < 10**6)),  # no value beyond
    sp.Piecewise((x, x < 10**9), (0, True)),
]


@pytest.mark.parametrize("claim", HIDDEN, ids=map(str, HIDDEN))
def test_what_no_point_shows_is_still_not_proved(claim: Any) -> None:
    """An error that the points miss may leave `agrees`, which says what it rests on; no proof."""
    assert status(HALF, claim) != "proved"


def test_witnesses_are_named_for_what_they_are() -> None:
    """Undefined, or another value at a lone point: the message says which, and where."""
    d = cr.derive({"f": HALF}, of="f", wrt="x")
    assert "undefined where x < 0" in str(cr.check(d, "exp(log(x))"))
    assert "undefined where x = 0" in str(cr.check(d, "x*x/x"))
    found = cr.check(d, "x + 1 - sign(x)**2").worst
    assert "something else where x = 0" in found.reason and found.witness is not None
    assert (found.witness.claimed, found.witness.derived) == ("1", "0")


def test_points_outside_the_forwards_own_domain_show_nothing() -> None:
    """x²/x has no derivative at 0; a claim that has no value there either is right."""
    claim = "(2*x*x - x**2)/x**2"
    assert status("x**2/x", claim, at={"x": 0}) == "proved"
    assert status("abs(x)", "x/abs(x)", at={"x": 0}) == "proved"
    assert status("sqrt(x)*sqrt(x)", "1", at={"x": -2}) == "proved"


def test_a_transposed_square_jacobian_is_refuted_and_a_gradient_may_stand() -> None:
    """The shape does not tell J from J^T, the values do; a gradient is right as a row or column."""
    d = cr.derive({"f": "[x[0]*x[1], x[0] + x[1]**2]"}, of="f", wrt="x", shapes={"x": 2})
    assert d.check("[[x[1], x[0]], [1, 2*x[1]]]").status == "proved"
    assert d.check("[[x[1], 1], [x[0], 2*x[1]]]").status == "refuted"
    g = cr.derive({"f": "x[0]**2*x[1]"}, of="f", wrt="x", shapes={"x": 2})
    row = g.check("[[2*x[0]*x[1], x[0]**2]]")
    column = g.check("[2*x[0]*x[1], x[0]**2]")
    assert row.status == column.status == "proved"
    assert g.check("[2*x[0]*x[1], x[0]**2, 0]").status == "refuted"
    assert g.check("2*x[0]*x[1] + x[0]**2").status == "refuted"


def test_claims_in_intermediate_variables() -> None:
    """A claim may use any name of the derivation; two names for one value are one value."""
    d = cr.derive({"f": "sin(u)*u", "u": "x**2"}, of="f", wrt="x")
    assert d.check("(cos(u)*u + sin(u))*2*x").status == "proved"
    assert d.check("(cos(x**2)*u + sin(u))*2*x").status == "proved"
    assert d.check("(cos(u)*u + sin(u))").status == "refuted"


def test_undefined_functions() -> None:
    """With f left open the claim must hold for every f."""
    d = cr.derive({"z": "f(u)*u", "u": "x**2"}, of="z", wrt="x", functions=["f"])
    assert d.check(d.result).status == "proved"
    assert d.check("f(u)*2*x").status == "refuted"


# ── code ──────────────────────────────────────────────────────────────────────────────────────────

SUM = sum(0.1 for _ in range(1000))  # 99.9999999999986
SINGLE = np.array([0.1, 0.7], dtype=np.float32)


def stable_sigmoid(x: Any) -> Any:
    """1/(1 + e^−x) with a branch on the sign."""
    return 1 / (1 + np.exp(-x)) if x >= 0 else np.exp(x) / (1 + np.exp(x))


def default_first(scale: float = 2.0, x: Any = 0.0) -> Any:
    """A default that is no variable stands before x."""
    return x


def only_keyword(*, x: Any) -> Any:
    """x by keyword."""
    return x


def any_keywords(**named: Any) -> Any:
    """x in a mapping."""
    return named["x"]


def any_positions(*values: Any) -> Any:
    """x in a tuple."""
    return values[0]


class Callable_:
    """An object that can be called."""

    def __call__(self, x: Any) -> Any:
        return x


RIGHT_CODE: list[tuple[str, Callable[..., Any], str]] = [
    ("0.3*x**2/2", lambda x: 3 * 0.1 * x, "3*0.1, folded"),
    ("x**2/6", lambda x: 1 / 3 * x, "1/3"),
    ("pi*x**2/2", lambda x: np.pi * x, "np.pi"),
    ("sqrt(2/pi)*x**2/2", lambda x: np.sqrt(2 / np.pi) * x, "np.sqrt(2/np.pi)"),
    ("x*log(x) - x", lambda x: np.where(x > 0, np.log(x), 0), "where over an invalid branch"),
    ("max(x, 0)**2/2", lambda x: np.where(x > 0, np.exp(np.log(x)), 0), "where, log inside"),
    ("max(x, 0)**2/2", lambda x: np.maximum(x, 0), "maximum"),
    ("max(x, 0)**2/2", lambda x: np.clip(x, 0, None), "clip"),
    ("max(x, 0)", lambda x: np.heaviside(x, 0.5), "heaviside"),
    ("abs(x)", np.sign, "np.sign"),
    ("x*abs(x)/2", np.abs, "np.abs"),
    ("softplus(x)", stable_sigmoid, "stable sigmoid"),
    ("softplus(x)", lambda x: np.exp(-np.logaddexp(0, -x)), "logaddexp"),
    ("sin(x)", np.cos, "np.cos itself"),
    ("sin(x)", math.cos, "a builtin"),
    ("x**3", functools.partial(lambda k, x: k * x**2, 3), "partial"),
    (HALF, default_first, "a default first"),
    (HALF, only_keyword, "keyword only"),
    (HALF, any_keywords, "**kwargs"),
    (HALF, any_positions, "*args"),
    (HALF, Callable_(), "an object"),
    (HALF, lambda q: q, "another name"),
    (HALF, lambda x: [x], "a list"),
    (HALF, lambda x: float(x), "float()"),
    (HALF, lambda x: math.exp(math.log(x)) if x > 0 else x, "math with a branch"),
    (HALF, lambda x: np.array(x, dtype=object), "an object array"),
    ("3*x", lambda x: 3, "an int"),
    ("(sin(x) - x)/x", lambda x: (x * np.cos(x) - np.sin(x)) / x**2, "loses digits"),
    ("(exp(x) - 1)/x", lambda x: (x * np.exp(x) - np.exp(x) + 1) / x**2, "loses digits"),
    ("0.1*x**2/2", lambda x: np.float32(0.1) * np.float32(x), "float32 throughout"),
    ("tanh(x)", lambda x: 1 - math.tanh(x) ** 2, "saturates, black box"),
]


@pytest.mark.parametrize(("f", "code"), [r[:2] for r in RIGHT_CODE], ids=[r[2] for r in RIGHT_CODE])
def test_right_code_agrees(f: str, code: Any) -> None:
    """Code that is right is proved, or agrees, however it is called; digits lost are the code's,
    not the claim's.

    Of a black box that loses digits nothing may be said against the formula.
    """
    found = cr.check(cr.derive({"f": f}, of="f", wrt="x"), code).worst
    if "black box" in found.scope.followed and "rounding" in found.reason:
        assert found.status in ("agrees", "inconclusive"), str(found)
    else:
        assert found.status in ("proved", "agrees"), str(found)


NOT_REFUTED: list[tuple[str, Callable[..., Any], str]] = [
    ("100*x", lambda x: SUM, "a sum of 0.1"),
    ("sin(x)", lambda x: np.cos(x) + np.sin(np.pi) * x, "sin(pi)"),
    ("0.1*x**2/2 + 0.7*x", lambda x: SINGLE[0] * x + SINGLE[1], "float32 constants"),
    ("0.1*x**2/2", lambda x: (SINGLE * x)[0], "a float32 array"),
    (HALF, lambda x: x * (1 + 1e-15), "a few ulp"),
    (HALF, lambda x: x if isinstance(x, float) else 0 * x, "another branch for floats"),
    (HALF, lambda x: x if np.isscalar(x) else 3 * x, "isscalar"),
    (HALF, lambda x: complex(x, 0), "complex values"),
    ("(1 - cos(x))/x", lambda x: (x * math.sin(x) - 1 + math.cos(x)) / x**2, "digits, black box"),
]


@pytest.mark.parametrize(
    ("f", "code"), [r[:2] for r in NOT_REFUTED], ids=[r[2] for r in NOT_REFUTED]
)
def test_code_that_means_the_right_thing_is_not_called_wrong(f: str, code: Any) -> None:
    """Rounded constants, float32, branches on types: right for floats, or cannot say."""
    assert status(f, code) in ("proved", "agrees", "inconclusive")


WRONG_CODE: list[tuple[str, Callable[..., Any], str]] = [
    (HALF, lambda x: 2 * x, "a factor"),
    (HALF, lambda x: x * (1 + 1e-9), "1e-9"),
    (HALF, lambda x: 0.0 * x if isinstance(x, float) else x, "wrong for floats alone"),
    ("max(x, 0)**2/2", lambda x: np.where(x > 0, np.exp(np.log(x)), 1.0), "wrong in a branch"),
    (HALF, lambda x: math.exp(math.log(x)) if x > 0 else 3 * x, "wrong in a branch, math"),
    ("gamma(x)", lambda x: x, "another function"),
    ("0.044715*x**2/2", lambda x: 0.0447 * x, "a constant cut short"),
    ("cos(x)", np.cos, "a ufunc"),
    (HALF, lambda x: None, "None"),
    (HALF, lambda x: np.array([x, x]), "a shape"),
    (HALF, lambda x: 5.0, "a constant"),
    (HALF, lambda x: math.floor(x), "floor, black box"),
]


@pytest.mark.parametrize(("f", "code"), [r[:2] for r in WRONG_CODE], ids=[r[2] for r in WRONG_CODE])
def test_wrong_code_never_passes(f: str, code: Any) -> None:
    """Wrong code is refuted or disagrees; a wrong branch cannot hide behind right ones."""
    verdict = cr.check(cr.derive({"f": f}, of="f", wrt="x"), code)
    assert verdict.status in ("refuted", "disagrees") and not verdict.ok


def raising(message: str, kind: type[BaseException] = ValueError) -> Callable[[Any], Any]:
    """A function that only raises."""

    def code(x: Any) -> Any:
        raise kind(message)

    return code


@pytest.mark.parametrize(
    "code",
    [
        raising("the shape is wrong"),
        raising("it returns nothing"),
        raising("stop", SystemExit),
        lambda x: {1, 2},
        lambda x: (i for i in [x]),
        lambda x: object(),
        lambda x: "a",
        lambda x: np.array([None]),
        lambda x: sp.Symbol("q"),
        lambda x: [[1], [1, 2]],
        lambda x: {"x": x},
    ],
)
def test_code_that_cannot_be_compared_is_inconclusive(code: Any) -> None:
    """What raises, or returns what is no number, is not refuted by the words of its message."""
    found = cr.check(cr.derive({"f": HALF}, of="f", wrt="x"), code).worst
    assert found.status == "inconclusive" and ("raises" in found.reason or "return" in found.reason)


def test_hidden_state_and_written_inputs_are_found() -> None:
    """Random code and code that writes into its input break the contract, and it is said."""
    rng = np.random.default_rng(0)
    d = cr.derive({"f": HALF}, of="f", wrt="x")
    found = cr.check(d, lambda x: x + 1e-3 * rng.normal()).worst
    assert found.status == "inconclusive" and "called again" in found.reason

    def writes(x: Any) -> Any:
        x += 1
        return x - 1

    v = cr.derive({"f": "x[0]**2/2 + x[1]**2/2"}, of="f", wrt="x", shapes={"x": 2})
    found = cr.check(v, writes).worst
    assert found.status == "inconclusive" and "work on a copy" in found.reason


def test_code_that_raises_at_some_points_is_reported() -> None:
    """Where the derivative exists and the code raises, its code fails there, in its own words."""

    def half(x: Any) -> Any:
        if x < 0:
            raise ValueError("negative")
        return x

    code = cr.check(cr.derive({"f": HALF}, of="f", wrt="x"), half).worst.code
    assert code is not None and code.status == "fails" and "negative" in code.summary


def test_arguments_by_name_and_in_any_order() -> None:
    """Arguments are found by their names, behind other defaults too; unknown ones are refused."""
    d = cr.derive({"f": "a*x**2/2"}, of="f", wrt="x")

    def shuffled(scale: float = 2.0, x: Any = 0.0, other: Any = None, a: Any = 0.0) -> Any:
        return a * x

    assert cr.check(d, shuffled).status == "proved"
    assert cr.check(d, lambda x, a: a * x).status == "proved"
    with pytest.raises(UsageError, match="'b' is no variable"):
        cr.check(d, lambda x, b: b * x)


def test_several_blocks() -> None:
    """A mapping gives each derivative; a tuple is no mapping, and is told so."""
    d = cr.derive({"f": "x*y**2"}, of="f", wrt=("x", "y"))
    assert cr.check(d, lambda x, y: {"x": y**2, "y": 2 * x * y}).status == "proved"
    mixed = cr.check(d, lambda x, y: {"x": y**2, "y": x * y})
    assert [f.status for f in mixed.findings.values()] == ["proved", "refuted"]
    assert cr.check(d, lambda x, y: (y**2, 2 * x * y)).status == "inconclusive"


def test_vectors_and_matrices_in_code() -> None:
    """zeros, zeros_like, lists, rows and columns are all ways to write a gradient."""
    d = cr.derive({"f": "x[0]**2/2 + x[1]**2*x[2]"}, of="f", wrt="x", shapes={"x": 3})

    def right(x: Any) -> Any:
        return np.array([x[0], 2 * x[1] * x[2], x[1] ** 2])

    def filled(x: Any) -> Any:
        out = np.zeros(3)
        out[:] = right(x)
        return out

    def like(x: Any) -> Any:
        out = np.zeros_like(x)
        out[:] = right(x)
        return out

    for code in (right, filled, like, lambda x: list(right(x)), lambda x: right(x)[:, None]):
        assert cr.check(d, code).status == "proved"
    for bad in (lambda x: right(x)[:2], lambda x: right(x)[::-1], lambda x: right(x).sum()):
        assert cr.check(d, bad).status == "refuted"


def test_code_in_intermediate_variables() -> None:
    """Names on the way may be arguments, also where their floats overflow."""
    d = cr.derive({"f": "1/u", "u": "exp(x*x)"}, of="f", wrt="x")
    assert cr.check(d, lambda u, x: -2 * x / u).status == "proved"
    assert cr.check(d, lambda u, x: -2 * x / u**2).status == "refuted"


# ── random chains against autograd ────────────────────────────────────────────────────────────────

NAMES = {
    name: getattr(anp, {"atan": "arctan"}.get(name, name))
    for name in ("sin", "cos", "tanh", "exp", "log", "sqrt", "atan")
}


def by_autograd(definitions: dict[str, str], of: str, wrt: tuple[str, ...]) -> Callable[..., Any]:
    """The same texts, evaluated by Python over autograd's NumPy."""

    def value(point: Any) -> Any:
        known = dict(zip(wrt, point, strict=True))
        todo = dict(definitions)
        while todo:
            for name, text in list(todo.items()):
                try:
                    known[name] = eval(text, {"__builtins__": {}, **NAMES}, known)
                except NameError:
                    continue
                del todo[name]
        return known[of]

    return value


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(chains(max_definitions=4), st.lists(st.integers(-96, 96), min_size=2, max_size=2))
def test_random_chains(
    chain: tuple[dict[str, str], str, tuple[str, ...]], numbers: list[int]
) -> None:
    """The derivative is autograd's to 1e−9; given back as a claim it is proved or agrees; changed
    by a part in 10⁹ it is refuted."""
    definitions, of, wrt = chain
    d = cr.derive(definitions, of=of, wrt=wrt)
    point = np.array(numbers) / 64.0
    theirs = autograd.grad(by_autograd(definitions, of, wrt))(point)
    ours = np.asarray(d.evaluate(**dict(zip(wrt, point, strict=True)))).reshape(-1)
    scale = max(1.0, float(np.max(np.abs(theirs))))
    assert np.all(np.abs(ours - theirs) <= 1e-9 * scale)

    def statuses(claim: Any) -> list[Finding]:
        return list(cr.check(d, claim).findings.values())

    right = list(d.jacobian)
    assert all(f.status in ("proved", "agrees") for f in statuses(right))
    wrong = [e * (1 + sp.Rational(1, 10**9)) for e in right]
    for entry, finding in zip(right, statuses(wrong), strict=True):
        assert finding.status == ("refuted" if entry != 0 else "proved")
