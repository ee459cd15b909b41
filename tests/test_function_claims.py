"""A function of a derivation's variables is proved where it is right, and never where it is not.

Each right function has near misses beside it; what algebra must not be fooled by (a cancelled
division, a root of a square, a branch, a constant's last digits) stands in the traps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ContradictionError
from chainrule.verdict import Finding

SYSTEMS: dict[str, dict[str, Any]] = {
    "chain": {"definitions": {"f": "u**5", "u": "1 - x**2"}, "of": "f", "wrt": "x"},
    "plain": {"definitions": {"f": "x**2*y"}, "of": "f", "wrt": "x"},
    "half": {"definitions": {"f": "x**2/2"}, "of": "f", "wrt": "x"},
    "sigma": {"definitions": {"s": "1/(1 + exp(-z))"}, "of": "s", "wrt": "z"},
    "tanh": {"definitions": {"s": "tanh(z)"}, "of": "s", "wrt": "z"},
    "softplus": {"definitions": {"s": "log(1 + exp(z))"}, "of": "s", "wrt": "z"},
    "wave": {"definitions": {"f": "sin(x)**2 + pi*x"}, "of": "f", "wrt": "x"},
    "scaled": {"definitions": {"f": "0.3*x**2/2"}, "of": "f", "wrt": "x"},
    "log": {"definitions": {"f": "log(x**2)"}, "of": "f", "wrt": "x"},
    "root": {"definitions": {"f": "sqrt(x)"}, "of": "f", "wrt": "x"},
    "abs": {"definitions": {"f": "abs(x)"}, "of": "f", "wrt": "x"},
    "relu": {"definitions": {"f": "max(x, 0)**2/2"}, "of": "f", "wrt": "x"},
    "jacobian": {
        "definitions": {"f": ["x[0]*x[1]", "x[0]**2 + sin(x[1])"]},
        "of": "f",
        "wrt": "x",
        "shapes": {"x": 2},
    },
    "norm": {
        "definitions": {"f": "x[0]**2 + x[1]**2 + x[2]**2"},
        "of": "f",
        "wrt": "x",
        "shapes": {"x": 3},
    },
    "product": {
        "definitions": {"f": "x.T @ A @ x"},
        "of": "f",
        "wrt": "x",
        "shapes": {"x": 2, "A": (2, 2)},
    },
    "matrix": {
        "definitions": {"f": "x.T @ A @ x"},
        "of": "f",
        "wrt": "A",
        "shapes": {"x": 2, "A": (2, 2)},
    },
    "layers": {
        "definitions": {"f": "a[0]**2 + a[1]**2", "a": "W @ x"},
        "of": "f",
        "wrt": "x",
        "shapes": {"x": 2, "W": (2, 2)},
    },
    "two": {"definitions": {"f": "x*y**2"}, "of": "f", "wrt": ("x", "y")},
}


@cache
def derivation(key: str) -> Any:
    """A derivation by its key, made once."""
    given = dict(SYSTEMS[key])
    return cr.derive(given.pop("definitions"), **given)


def found(key: str, function: Callable[..., Any]) -> Finding:
    """The worst finding on a function."""
    return cr.check(derivation(key), function).worst


# ── right ─────────────────────────────────────────────────────────────────────────────────────────

WEIGHTS = np.array([0.1, 0.2])
SCALE = 0.3


def by_loop(x: Any) -> Any:
    """2x, entry by entry."""
    out = np.zeros(3)
    for i in range(len(x)):
        out[i] = 2 * x[i]
    return out


def in_place(x: Any) -> Any:
    """2x, in a copy."""
    out = x.copy()
    out *= 2
    return out


def filled(x: Any) -> Any:
    """A Jacobian by rows and entries."""
    jacobian = np.empty((2, 2))
    jacobian[0] = x[::-1]
    jacobian[1, 0] = 2 * x[0]
    jacobian[1, 1] = math.cos(x[1])
    return jacobian


def power(x: float, n: int) -> float:
    """xⁿ by a loop."""
    result = 1.0
    for _ in range(n):
        result = result * x
    return result


def sigma(z: Any) -> Any:
    """The logistic function, in its stable form."""
    if z >= 0:
        return 1 / (1 + math.exp(-z))
    return math.exp(z) / (1 + math.exp(z))


def through_helper(x: float) -> float:
    """With a helper of one's own."""
    return 5 * power(1 - x**2, 4) * (-2 * x)


def quadratic(x: Any, A: Any) -> Any:
    """(A + Aᵀ) x by two loops."""
    out = [0.0, 0.0]
    for i in range(2):
        for j in range(2):
            out[i] += (A[i, j] + A[j, i]) * x[j]
    return out


class Slope:
    """An object that is called."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, x: float, y: float) -> float:
        return self.factor * x * y


RIGHT: list[tuple[str, Callable[..., Any], str]] = [
    ("chain", lambda u, x: 5 * u**4 * (-2 * x), "intermediate names"),
    ("chain", lambda x: 5 * (1 - x**2) ** 4 * (-2 * x), "put in"),
    ("chain", lambda x, u: -10 * x * u * u * u * u, "a product of names"),
    ("chain", lambda x: -10 * x * (1 - x**2) * (1 - 3 * x**2 + 3 * x**4 - x**6), "multiplied out"),
    ("chain", lambda x: -10 * x * np.power(1 - np.square(x), 4), "np.power"),
    ("chain", through_helper, "helpers with a loop"),
    ("plain", lambda x, y: 2 * x * y, "a lambda"),
    ("plain", lambda x, y: x * y + y * x, "a sum"),
    ("plain", lambda y, x: np.multiply(2 * x, y), "another order, np.multiply"),
    ("plain", lambda x, y: 2 * x * y + 0 * math.exp(x), "plus nothing"),
    ("plain", partial(lambda k, x, y: k * x * y, 2), "partial"),
    ("plain", Slope(2.0), "an object"),
    ("plain", lambda x, y: float(2 * x * y), "float()"),
    ("plain", lambda x, y: [2 * x * y], "a list"),
    ("plain", lambda *v: 2 * v[0] * v[1], "*args"),
    ("plain", lambda x, y: 2 * x * y if x > 0 else y * (x + x), "two branches"),
    ("plain", lambda x, y: np.sum([x * y] * 2), "np.sum of a list"),
    ("half", lambda q: q, "another name"),
    ("half", lambda x: x**1, "a power"),
    ("sigma", lambda z: np.exp(-z) / (np.exp(-z) + 1) ** 2, "np.exp"),
    ("sigma", lambda z: math.exp(-z) / (math.exp(-z) + 1) ** 2, "math.exp"),
    ("sigma", lambda s: s * (1 - s), "of the value"),
    ("sigma", lambda z: sigma(z) * (1 - sigma(z)), "a stable helper with a branch"),
    ("sigma", lambda z: 1 / (2 * np.cosh(z / 2)) ** 2, "np.cosh"),
    ("sigma", lambda z: (1 - np.tanh(z / 2) ** 2) / 4, "np.tanh"),
    ("tanh", lambda z: 1 - np.tanh(z) ** 2, "np.tanh alone"),
    ("tanh", lambda z: 1 / np.cosh(z) ** 2, "1/cosh²"),
    ("tanh", lambda z: 4 / (math.exp(z) + math.exp(-z)) ** 2, "math.exp twice"),
    ("softplus", lambda z: np.where(z > 0, 1 / (1 + np.exp(-z)), np.exp(z) / (1 + np.exp(z))),
     "np.where"),
    ("softplus", lambda z: 1 - 1 / (1 + np.exp(z)), "one minus"),
    ("wave", lambda x: 2 * np.sin(x) * np.cos(x) + np.pi, "np.pi"),
    ("wave", lambda x: math.sin(2 * x) + math.pi, "the double angle"),
    ("scaled", lambda x: 3 * 0.1 * x, "3*0.1"),
    ("scaled", lambda x: 0.3 * x, "0.3"),
    ("scaled", lambda x: SCALE * x, "a global"),
    ("scaled", lambda x: np.sum(WEIGHTS) * x, "a global array"),
    ("log", lambda x: 2 / x, "2/x"),
    ("root", lambda x: 0.5 / np.sqrt(x), "0.5/√x"),
    ("root", lambda x: 0.5 * x**-0.5, "a power of −1/2"),
    ("abs", lambda x: 1.0 if x > 0 else -1.0, "sign by a branch"),
    ("abs", lambda x: np.sign(x), "np.sign"),
    ("abs", lambda x: x / abs(x), "x/|x|"),
    ("relu", lambda x: np.maximum(x, 0), "np.maximum"),
    ("relu", lambda x: np.where(x > 0, x, 0), "np.where for relu"),
    ("relu", lambda x: x if x > 0 else 0.0, "a branch for relu"),
    ("relu", lambda x: max(x, 0.0), "Python's max"),
    ("relu", lambda x: (x + abs(x)) / 2, "(x + |x|)/2"),
    ("jacobian", lambda x: np.array([[x[1], x[0]], [2 * x[0], np.cos(x[1])]]), "np.array"),
    ("jacobian", lambda x: [[x[1], x[0]], [2 * x[0], math.cos(x[1])]], "lists of lists"),
    ("jacobian", filled, "filled in place"),
    ("jacobian", lambda x: np.stack([x[::-1], np.array([2 * x[0], np.cos(x[1])])]), "np.stack"),
    ("jacobian", lambda x: np.array([[x[1], 2 * x[0]], [x[0], np.cos(x[1])]]).T, "transposed back"),
    ("norm", lambda x: 2 * x, "whole arrays"),
    ("norm", by_loop, "a loop"),
    ("norm", in_place, "in a copy"),
    ("norm", lambda x: (2 * x)[:, None], "a column"),
    ("norm", lambda x: [2 * v for v in x], "a comprehension"),
    ("product", lambda x, A: (A + A.T) @ x, "@"),
    ("product", lambda x, A: np.dot(A, x) + x @ A, "np.dot"),
    ("product", lambda x, A: np.einsum("ij,j->i", A + A.T, x), "np.einsum"),
    ("product", quadratic, "two loops"),
    ("matrix", lambda x: np.outer(x, x), "np.outer"),
    ("matrix", lambda x: x[:, None] * x, "broadcast"),
    ("layers", lambda x, W: 2 * W.T @ (W @ x), "products"),
    ("layers", lambda a, W: 2 * a @ W, "of the layer's value"),
    ("two", lambda x, y: {"x": y**2, "y": 2 * x * y}, "a mapping"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "function"), [r[:2] for r in RIGHT], ids=[f"{r[0]}, {r[2]}" for r in RIGHT]
)
def test_right_functions_are_proved(key: str, function: Callable[..., Any]) -> None:
    """Whatever the style, the trace is proved, and the scope says that it was traced."""
    finding = found(key, function)
    assert finding.status == "proved", f"{finding.status}: {finding.reason}"
    assert finding.scope.followed == "traced" and finding.witness is None
    assert [e.rung for e in finding.evidence] == ["identity", "witness"]
    assert dict(finding.evidence[1].figures)["points"] >= 16  # type: ignore[operator]


def test_there_are_enough() -> None:
    """The tables are what they are said to be."""
    assert len(RIGHT) >= 40 and len(WRONG) >= 60


# ── near misses ───────────────────────────────────────────────────────────────────────────────────


def forgot_an_entry(x: Any) -> Any:
    """The last entry stays 0."""
    out = np.zeros(3)
    for i in range(len(x) - 1):
        out[i] = 2 * x[i]
    return out


def wrong_far_out(x: float) -> float:
    """Right up to a million."""
    return x if x < 1e6 else 2 * x


def wrong_beside(x: float) -> float:
    """Wrong between two points that anybody would try."""
    return x if abs(x - 0.123456789) > 1e-7 else 0.0


WRONG: list[tuple[str, Callable[..., Any], str]] = [
    ("chain", lambda u, x: 5 * u**4 * (2 * x), "a sign"),
    ("chain", lambda u, x: 5 * u**3 * (-2 * x), "a power"),
    ("chain", lambda u, x: 5 * u**4, "the inner derivative left out"),
    ("chain", lambda u, x: 5 * x**4 * (-2 * x), "at x and not at u"),
    ("chain", lambda u, x: 5 * u**4 * (-2 * u), "the inner one at u"),
    ("chain", lambda x: -10 * x * (1 - x) ** 4, "x for x²"),
    ("chain", lambda u, x: 5 * u**4 * (-2 * x) * (1 + 1e-9), "1e-9"),
    ("chain", lambda u, x: 5 * u**4 * (-2 * x) + 1e-9, "1e-9 added"),
    ("plain", lambda x, y: 2 * x, "y left out"),
    ("plain", lambda x, y: x * y, "a factor"),
    ("plain", lambda x, y: 2 * y * y, "the wrong letter"),
    ("plain", lambda x, y: x**2, "∂f/∂y"),
    ("plain", lambda x, y: 2 * abs(x) * y, "|x|"),
    ("plain", lambda x, y: 2 * math.sqrt(x**2) * y, "√x²"),
    ("plain", lambda x, y: 2 * np.sqrt(x * x) * y, "√(x·x)"),
    ("plain", lambda x, y: 2 * x * y if x > 0 else 2 * x, "one branch of two"),
    ("plain", lambda x, y: 2 * x * y if y < 100 else 0.0, "a branch far out"),
    ("plain", lambda x, y: 2 * x * y if x != 0 else 1.0, "wrong at 0 alone"),
    ("plain", lambda x, y: 2 * x * x * y / x, "x·x/x"),
    ("plain", lambda x, y: 2 * x * y * x**0 / (x / x), "x/x"),
    ("plain", lambda x, y: 2 * x * y + (x - x) / x, "0/x"),
    ("plain", lambda x, y: 2 * x * y + 1 - np.sign(x) ** 2, "1 − sign(x)²"),
    ("plain", lambda x, y: 2 * np.exp(np.log(x)) * y, "exp(log x)"),
    ("plain", lambda x, y: 2 * np.sqrt(x) ** 2 * y, "√x²"),
    ("half", wrong_far_out, "wrong far out"),
    ("half", wrong_beside, "wrong in a sliver"),
    ("half", lambda x: x + max(x - 1e6, 0.0), "a kink far out"),
    ("half", lambda x: x + np.maximum(x - 3, 0) * np.maximum(3.001 - x, 0), "a bump"),
    ("half", lambda x: x * (1 + 1e-15), "a few ulp"),
    ("half", lambda x: np.float32(x), "float32"),
    ("half", lambda x: x // 1, "floor division"),
    ("half", lambda x: int(x), "int()"),
    ("half", lambda x: round(x, 9), "round()"),
    ("half", lambda x: x + 1e-300, "1e-300 added"),
    ("half", lambda x: 1 // 2 * x + x / 2, "1//2"),
    ("sigma", lambda z: np.exp(-z) / (np.exp(-z) + 1), "a square left out"),
    ("sigma", lambda z: np.exp(z) / (np.exp(-z) + 1) ** 2, "the sign of z"),
    ("sigma", lambda s: s * (1 + s), "1 + s"),
    ("sigma", lambda z: z * (1 - z), "of z and not of s"),
    ("sigma", lambda z: sigma(z) * (1 - sigma(z)) if z < 20 else 0.0, "cut off at 20"),
    ("tanh", lambda z: 1 - np.tanh(z), "a square left out of tanh"),
    ("tanh", lambda z: 1 + np.tanh(z) ** 2, "a sign of tanh"),
    ("softplus", lambda z: np.where(z > 0, 1 / (1 + np.exp(-z)), np.exp(z)), "a branch of where"),
    ("softplus", lambda z: 1 / (1 + np.exp(z)), "the sign of softplus"),
    ("softplus", lambda z: np.where(z > 30, 1.0, 1 / (1 + np.exp(-z))), "saturated by hand"),
    ("wave", lambda x: 2 * np.sin(x) * np.cos(x) + 3.14159265, "π cut short"),
    ("wave", lambda x: 2 * np.sin(x) + np.pi, "a cosine left out"),
    ("scaled", lambda x: 0.30000000000000004 * x, "3*0.1 as a float"),
    ("scaled", lambda x: 0.3000000001 * x, "a constant off"),
    ("scaled", lambda x: np.float32(0.3) * x, "a float32 constant"),
    ("scaled", lambda x: 3 // 10 * x, "integer division"),
    ("log", lambda x: 2 / abs(x), "2/|x|"),
    ("log", lambda x: 1 / x, "1/x"),
    ("log", lambda x: 2 * math.exp(-math.log(x)), "2 exp(−log x)"),
    ("root", lambda x: 0.5 * np.sqrt(x), "√x"),
    ("root", lambda x: 1 / np.sqrt(x), "a half"),
    ("abs", lambda x: 1.0, "one side of |x|"),
    ("abs", lambda x: -np.sign(x), "the sign of |x|"),
    ("abs", lambda x: 1.0 if x > -1 else -1.0, "the kink moved"),
    ("relu", lambda x: np.maximum(x, 0.01 * x), "leaky"),
    ("relu", lambda x: x if x > 1e-9 else 0.0 * x + 1e-9, "wrong below"),
    ("jacobian", lambda x: np.array([[x[1], x[0]], [2 * x[0], np.cos(x[1])]]).T, "transposed"),
    ("jacobian", lambda x: [[x[1], 2 * x[0]], [x[0], math.cos(x[1])]], "transposed lists"),
    ("jacobian", lambda x: filled(x)[::-1], "rows changed round"),
    ("jacobian", lambda x: filled(x)[:, ::-1], "columns changed round"),
    ("jacobian", lambda x: filled(x)[0], "a row alone"),
    ("jacobian", lambda x: filled(x) + np.eye(2) * 1e-12, "1e-12 on the diagonal"),
    ("norm", forgot_an_entry, "an entry left out"),
    ("norm", lambda x: 2 * x[::-1], "turned round"),
    ("norm", lambda x: 2 * x / len(x), "divided by n"),
    ("norm", lambda x: np.sort(2 * x), "sorted"),
    ("norm", lambda x: (2 * x).astype(np.float32), "cast to float32"),
    ("norm", lambda x: 2 * np.sqrt(x * x), "√x² of arrays"),
    ("product", lambda x, A: 2 * A @ x, "symmetric taken for granted"),
    ("product", lambda x, A: A @ x, "half of it"),
    ("product", lambda x, A: (A + A.T) @ x * (x @ x) / (x @ x), "x·x/x·x"),
    ("matrix", lambda x: np.outer(x, x[::-1]), "outer turned round"),
    ("matrix", lambda x: np.diag(x * x), "the diagonal alone"),
    ("layers", lambda x, W: 2 * W @ (W @ x), "W for Wᵀ"),
    ("layers", lambda a, W: 2 * W @ a, "W a"),
    ("two", lambda x, y: {"x": y**2, "y": x * y}, "one of two"),
    ("two", lambda x, y: {"x": 2 * x * y, "y": y**2}, "names changed round"),
]  # fmt: skip

#: Wrong by less than any point shows, or by what no rung may certify: not refuted, and not proved.
UNSEEN = {"a few ulp", "float32", "wrong in a sliver", "a kink far out", "a bump", "1e-300 added",
          "3*0.1 as a float", "a float32 constant", "cast to float32"}  # fmt: skip


@pytest.mark.parametrize(("key", "function", "name"), WRONG, ids=[f"{w[0]}, {w[2]}" for w in WRONG])
def test_near_misses_are_refuted_or_at_least_never_proved(
    key: str, function: Callable[..., Any], name: str
) -> None:
    """A wrong function is refuted with a witness; what no point shows is never proved."""
    finding = found(key, function)
    if name in UNSEEN:
        assert finding.status != "proved", finding.reason
    else:
        assert finding.status in ("refuted", "disagrees"), f"{finding.status}: {finding.reason}"
        assert finding.witness is not None or finding.status == "disagrees"


# ── traps ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_cancelled_division_is_judged_as_it_stands() -> None:
    """SymPy reads x·x·y/x as x·y; the code has no value at x = 0, and the derivative has."""
    finding = found("plain", lambda x, y: 2 * x * x * y / x)
    assert finding.status == "refuted" and finding.witness is not None
    assert finding.witness.where == "edge" and finding.witness.point["x"] == "0"
    assert (finding.witness.claimed, finding.witness.derived) == ("undefined", "0")
    assert "undefined where x = 0" in finding.reason and "elsewhere it is right" in finding.reason


def test_an_undefined_point_of_two_variables() -> None:
    """x·x is 0 at the origin alone."""
    finding = found("product", lambda x, A: (A + A.T) @ x * (x @ x) / (x @ x))
    assert finding.witness is not None and finding.witness.point["x"] == "[0, 0]"


def test_where_a_norm_vanishes() -> None:
    """The message names the place, not a condition that never holds."""
    finding = found("norm", lambda x: 2 * np.linalg.norm(x) * x / np.linalg.norm(x))
    assert finding.status == "refuted" and "x[2]**2 = 0, and" in finding.reason


def test_a_division_by_what_is_held_fixed_is_a_condition() -> None:
    """As for formulas: y ≠ 0 stands in the scope."""
    finding = found("plain", lambda x, y: 2 * x * y * y / y)
    assert finding.status == "proved" and finding.scope.conditions == ("y ≠ 0",)


def test_code_that_goes_through_infinity_is_not_called_wrong() -> None:
    """exp(log 0) is 0 in float64; that says nothing against the code, and is part of the scope."""
    with np.errstate(divide="ignore"):
        finding = found("relu", lambda x: np.exp(np.log(np.maximum(x, 0.0))))
    assert finding.status in ("proved", "agrees"), finding.reason
    if finding.status == "proved":
        assert finding.scope.conditions


def test_conditions_of_the_forward_are_not_the_codes_fault() -> None:
    """2/x has no value at 0, and neither has the derivative of log x²."""
    finding = found("log", lambda x: 2 / x)
    assert finding.status == "proved" and finding.scope.conditions == ("x ≠ 0",)


def test_branches_are_all_followed() -> None:
    """Both sides of an `if` are proved, and the reason says so; one wrong side refutes."""
    right = found("plain", lambda x, y: 2 * x * y if x > 0 else y * (x + x))
    assert "on each of its 2 paths" in right.reason and right.scope.excepting == ()
    wrong = found("plain", lambda x, y: 2 * x * y if x > 0 else 2 * x)
    assert wrong.status == "refuted"


def test_nested_branches() -> None:
    """Three paths; a wrong one in the middle is found."""

    def clipped(x: float) -> float:
        if x > 1:
            return x
        if x < -1:
            return x * 1.0
        return x + 0.0

    def wrong(x: float) -> float:
        if x > 1:
            return x
        if x < -1:
            return x
        return x**3

    right = found("half", clipped)
    assert right.status == "proved" and "on each of its 3 paths" in right.reason
    assert found("half", wrong).status == "refuted"


def test_a_lone_point_by_an_equality() -> None:
    """`x == 0` is solved for and compared there; the right value is an exception of the scope."""
    right = found("plain", lambda x, y: 2 * x * y if x != 0 else 0.0)
    assert right.status == "proved" and right.scope.excepting == ("x = 0",)
    wrong = found("plain", lambda x, y: 2 * x * y if x != 0 else 1.0)
    assert wrong.status == "refuted" and wrong.witness is not None
    assert (wrong.witness.claimed, wrong.witness.derived) == ("1", "0")


def test_a_branch_that_no_point_takes_leaves_it_at_agrees() -> None:
    """The reason names the branch."""
    finding = found("half", wrong_beside)
    assert finding.status == "agrees" and "no point took the branch" in finding.reason


def test_constants_are_listed_as_they_are_read() -> None:
    """3*0.1 is 3/10; 0.30000000000000004 is not; π is π, short or long."""
    assert found("scaled", lambda x: 3 * 0.1 * x).scope.constants == ("0.1 = 1/10",)
    assert found("scaled", lambda x: SCALE * x).scope.constants == ("0.3 = 3/10",)
    assert "WEIGHTS = [1/10, 1/5]" in found("scaled", lambda x: WEIGHTS.sum() * x).scope.constants
    assert found("wave", lambda x: math.sin(2 * x) + math.pi).scope.constants == ("pi = π",)
    off = found("scaled", lambda x: 0.30000000000000004 * x)
    assert off.status == "agrees" and "0.30000000000000004 is no exact number" in off.reason


def test_an_array_of_rounded_numbers_is_not_read() -> None:
    """What rounding may have made stands for no exact number."""
    rounded = np.array([0.1 + 0.2])
    finding = found("scaled", lambda x: rounded[0] * x)
    assert finding.status == "agrees" and "may have been rounded" in finding.reason


def test_functions_with_state_are_not_proved() -> None:
    """A counter that changes the result is told; one that does not is no matter."""
    calls: list[int] = []

    def counting(x: float) -> float:
        calls.append(1)
        return x if len(calls) % 2 else 2 * x

    def logging(x: float) -> float:
        calls.append(1)
        return x

    finding = found("half", counting)
    assert finding.status == "inconclusive" and "called again" in finding.reason
    assert found("half", logging).status in ("proved", "agrees")


def test_what_code_does_meanwhile_is_undone() -> None:
    """Following a function leaves its globals, generators and arguments alone."""
    before = WEIGHTS.copy()

    def writes(x: float) -> float:
        WEIGHTS[0] = 0.1
        return x * (WEIGHTS[0] + WEIGHTS[1])

    found("scaled", writes)
    assert np.array_equal(WEIGHTS, before)


def test_what_tells_floats_from_other_numbers_is_judged_for_floats() -> None:
    """Certified numbers are no floats, so the run on them may say otherwise; floats count."""
    wrong = found("half", lambda x: 0.0 * x if isinstance(x, float) else x)
    assert wrong.status in ("refuted", "disagrees")
    right = found("half", lambda x: x if isinstance(x, float) else 0.0 * x)
    assert right.status in ("proved", "agrees", "inconclusive")


def test_the_code_is_judged_apart() -> None:
    """A proved formula may have code that fails, and then the users' own points decide."""
    d = derivation("sigma")
    v = cr.check(d, lambda z: np.exp(-z) / (np.exp(-z) + 1) ** 2, at={"z": -800.0})
    finding = v.worst
    assert finding.status == "proved" and finding.code is not None
    assert finding.code.status == "fails" and finding.code.at_users_point and not v.ok


def test_one_of_several_blocks() -> None:
    """Each block is proved or refuted by itself."""
    v = cr.check(derivation("two"), lambda x, y: {"x": y * y, "y": x * y})
    assert {k: f.status for k, f in v.findings.items()} == {
        "<lambda>['x']": "proved",
        "<lambda>['y']": "refuted",
    }


def test_a_formula_that_doubles_with_each_turn_is_not_written_out() -> None:
    """Forty turns of x(1 − x) are 2⁴⁰ operations, written out."""

    def mapped(x: float) -> float:
        value, slope = x, 1.0
        for _ in range(40):
            value, slope = value * (1 - value), slope * (1 - 2 * value)
        return x + 0 * slope

    finding = found("half", mapped)
    assert finding.status != "proved" and finding.status != "refuted"


def test_code_that_leaves_is_not_followed() -> None:
    """SystemExit at some points ends nothing."""

    def leaves(x: float) -> float:
        if x < -1:
            raise SystemExit
        return x

    finding = found("half", leaves)
    assert finding.status == "agrees" and "following it ended in SystemExit" in finding.reason


def test_a_proof_against_a_witness_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """If algebra ever proved what certified values deny, nobody would be told `proved`."""
    from chainrule.evidence import identity
    from chainrule.judge import function

    said = identity.Identity(True, "", (), 1, 1)
    monkeypatch.setattr(function.identity, "identity", lambda claim: said)
    with pytest.raises(ContradictionError, match="please report"):
        found("half", lambda x: 2 * x)


def test_a_proof_where_the_float64_code_does_something_else_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The trace must do in float64 what the code does, at every point that was tried."""
    from chainrule.evidence import paths

    bounded = paths.Path.bounded
    monkeypatch.setattr(paths.Path, "bounded", lambda *a: tuple(1.5 * v for v in bounded(*a)))
    finding = found("half", lambda x: x)
    assert finding.status == "agrees" and "something else than its trace" in finding.reason
