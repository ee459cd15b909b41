"""Edges of code: wrong only there is refuted there; right at an edge is never accused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.evidence import corners
from chainrule.evidence.hull import nearest
from chainrule.graph.node import Graph
from chainrule.judge.trials import Trials
from chainrule.proof.conditions import conditions
from chainrule.values import kinks
from chainrule.values.ball import precision
from chainrule.values.spans import spans
from chainrule.verdict import Finding

Array = Any
THREE = {"x": np.array([0.5, 1.0, -1.0])}
ZERO = {"x": np.array([0.0, 1.0, -1.0])}
TIED = {"x": np.array([1.0, 1.0, -1.0])}
ABOVE = {"x": np.array([0.5, 1.0, 2.0])}


@dataclass(frozen=True)
class Case:
    """Code and its gradient. says : words of the verdict; where : of the witness."""

    name: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    at: Mapping[str, Any]
    says: tuple[str, ...] = ()
    where: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def relu(x: Array) -> Any:
    return np.sum(np.maximum(x, 0))


def relu_if(x: float) -> Any:
    return x if x > 0 else 0.0


def abs_if(x: float) -> Any:
    if x > 0:
        return x
    elif x < 0:
        return -x
    return 0.0


def hinge(x: Array) -> Any:
    return np.sum(np.maximum(0, 1 - x))


def square_signed(x: Array) -> Any:
    return np.sum(np.where(x > 0, x**2, -(x**2)))


def elu(x: Array) -> Any:
    return np.sum(np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1))


def huber(x: Array) -> Any:
    return np.sum(np.where(np.abs(x) < 1, x**2 / 2, np.abs(x) - 0.5))


def largest(x: Array) -> Any:
    return np.max(x)


def three(x: float, y: float, z: float) -> Any:
    return max(x, y, z)


def top_two(x: Array) -> Any:
    return np.sum(np.sort(x)[-2:])


def top_two_back(x: Array) -> Any:
    out = np.zeros(len(x))
    out[np.argsort(x)[-2:]] = 1.0
    return out


def pool(x: Array) -> Any:
    return np.sum(np.max(np.reshape(x, (2, 2)), axis=1))


def pool_first(x: Array) -> Any:
    pairs = np.reshape(x, (2, 2))
    out = np.zeros((2, 2))
    out[np.arange(2), np.argmax(pairs, axis=1)] = 1.0
    return out.reshape(-1)


def pool_all(x: Array) -> Any:
    pairs = np.reshape(x, (2, 2))
    return (pairs == np.max(pairs, axis=1, keepdims=True)).astype(float).reshape(-1)


def norm(x: Array) -> Any:
    return np.linalg.norm(x)


def norm_guarded(x: Array) -> Any:
    n = np.linalg.norm(x)
    return x / n if n > 0 else np.zeros_like(x)


def norm_ones(x: Array) -> Any:
    n = np.linalg.norm(x)
    return x / n if n > 0 else np.ones_like(x)


def batch_norm(x: Array, eps: float = 0.125) -> Any:
    d = x - np.mean(x, axis=0)
    return np.sum((d / np.sqrt(np.mean(d**2, axis=0) + eps)) ** 3)


def batch_norm_back(x: Array, eps: float = 0.125) -> Any:
    d = x - np.mean(x, axis=0)
    s = np.sqrt(np.mean(d**2, axis=0) + eps)
    h = d / s
    g = 3 * h**2
    return (g - np.mean(g, axis=0) - h * np.mean(g * h, axis=0)) / s


def batch_norm_bare(x: Array) -> Any:
    d = x - np.mean(x, axis=0)
    return np.sum((d / np.sqrt(np.mean(d**2, axis=0))) ** 3)


def batch_norm_bare_back(x: Array) -> Any:
    return batch_norm_back(x, 0.0)


def batch_norm_by_variance(x: Array, eps: float = 0.125) -> Any:
    v = np.mean((x - np.mean(x, axis=0)) ** 2, axis=0)
    return batch_norm_back(x, eps) * v / v


def cross_entropy(z: Array, y: Array) -> Any:
    z = z - np.max(z, axis=1, keepdims=True)
    p = np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True)
    return -np.sum(np.log(p[np.arange(len(y)), y]))


def cross_entropy_back(z: Array, y: Array) -> Any:
    p = np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return p


CLASSES = {
    "z": np.array([[0.5, 1.0, -1.0], [0.25, -2.0, 1.5], [1.0, 2.0, 0.5]]),
    "y": np.array([2, 2, 2]),
}


def embedding(E: Array, i: Array) -> Any:
    return np.sum(E[i] ** 2)


def embedding_add(E: Array, i: Array) -> Any:
    out = np.zeros_like(E)
    np.add.at(out, i, 2 * E[i])
    return out


def embedding_set(E: Array, i: Array) -> Any:
    out = np.zeros_like(E)
    out[i] = 2 * E[i]
    return out


ROWS = {"E": np.array([[0.5, 1.0], [2.0, -1.0], [0.25, 3.0]]), "i": np.array([0, 1, 2])}


def linear(W: Array, x: Array) -> Any:
    return np.sum((x @ W) ** 2)


def linear_mean(W: Array, x: Array) -> Any:
    return np.mean((x @ W) ** 2)


LAYER = {"W": np.array([[0.5, 1.0], [2.0, -1.0]]), "x": np.array([[1.0, 2.0], [0.5, 0.25]])}


def sinc(x: Array) -> Any:
    return np.sum(np.where(x == 0, 1.0, np.sin(x) / x))


def sinc_back(x: Array) -> Any:
    return np.where(x == 0, 0.0, np.cos(x) / x - np.sin(x) / x**2)


def entropy(x: Array) -> Any:
    return np.sum(np.where(x > 0, x * np.log(x), 0.0))


def jump(x: Array) -> Any:
    return np.sum(np.where(x > 0, x + 1, x))


#: Right at every edge, or without a derivative there: proved or agrees, nothing else.
RIGHT = (
    Case("relu, open", relu, lambda x: 1.0 * (x > 0), ZERO, ("convex hull",)),
    Case("relu, closed", relu, lambda x: 1.0 * (x >= 0), ZERO, ("convex hull",)),
    Case("relu, half", relu, lambda x: np.where(x == 0, 0.5, x > 0), ZERO, ("convex hull",)),
    Case("relu, off the kink", relu, lambda x: 1.0 * (x >= 0), THREE),
    Case("relu by if, open", relu_if, lambda x: 1.0 if x > 0 else 0.0, {"x": 0.0}),
    Case("relu by if, closed", relu_if, lambda x: 1.0 if x >= 0 else 0.0, {"x": 0.0}, ("hull",)),
    Case("abs by if", abs_if, lambda x: 1.0 if x > 0 else -1.0, {"x": 0.0}, ("convex hull",)),
    Case("abs by if, 0", abs_if, lambda x: float(np.sign(x)), {"x": 0.0}, ("convex hull",)),
    Case("abs, sign", lambda x: np.sum(np.abs(x)), np.sign, ZERO, ("convex hull",)),
    Case("abs, 1", lambda x: np.sum(np.abs(x)), lambda x: np.where(x < 0, -1.0, 1.0), ZERO),
    Case("hinge, open", hinge, lambda x: -1.0 * (x < 1), THREE, ("convex hull",)),
    Case("hinge, closed", hinge, lambda x: -1.0 * (x <= 1), THREE, ("convex hull",)),
    Case("elu", elu, lambda x: np.where(x > 0, 1.0, np.exp(np.minimum(x, 0))), ZERO),
    Case("x|x|", square_signed, lambda x: 2 * np.abs(x), ZERO),
    Case("huber, open", huber, lambda x: np.where(np.abs(x) < 1, x, np.sign(x)), THREE),
    Case("huber, closed", huber, lambda x: np.where(np.abs(x) <= 1, x, np.sign(x)), THREE),
    Case("max, the first", largest, lambda x: np.eye(3)[np.argmax(x)], TIED, ("convex hull",)),
    Case("max, shared", largest, lambda x: (x == np.max(x)) / np.sum(x == np.max(x)), TIED),
    Case("the two largest", top_two, top_two_back, TIED),
    Case("max pool, the first", pool, pool_first, {"x": np.array([1.0, 1.0, 0.5, 2.0])}),
    Case("clip, open", lambda x: np.sum(np.clip(x, -1, 1)), lambda x: 1.0 * (np.abs(x) < 1), THREE),
    Case("clip, closed", lambda x: np.sum(np.clip(x, -1, 1)), lambda x: 1.0 * (abs(x) <= 1), THREE),
    Case("norm, undefined at 0", norm, lambda x: x / np.linalg.norm(x), THREE),
    Case("norm, 0 at 0", norm, norm_guarded, {"x": np.zeros(3)}, ("convex hull",)),
    Case("sqrt", lambda x: np.sum(np.sqrt(x)), lambda x: 0.5 / np.sqrt(x), ABOVE),
    Case("x^0.5", lambda x: np.sum(x**0.5), lambda x: 0.5 * x**-0.5, ABOVE),
    Case("x^1.5", lambda x: np.sum(x**1.5), lambda x: 1.5 * x**0.5, ABOVE),
    Case("x^1.5, undefined at 0", lambda x: np.sum(x**1.5), lambda x: 1.5 * x**1.5 / x, ABOVE),
    Case("log, by |x|", lambda x: np.sum(np.log(x)), lambda x: 1 / np.abs(x), ABOVE),
    Case(
        "arctan2",
        lambda y, x: np.arctan2(y, x),
        lambda y, x: (x / (x**2 + y**2), -y / (x**2 + y**2)),
        {"y": 0.5, "x": 1.5},
        options={"wrt": ("y", "x")},
    ),
    Case("sinc", sinc, sinc_back, ZERO),
    Case(
        "a guard by eps",
        lambda x: np.sum(x / (x**2 + 1e-8)),
        lambda x: (1e-8 - x**2) / (x**2 + 1e-8) ** 2,
        THREE,
    ),
    Case("batch norm", batch_norm, batch_norm_back, {"x": np.array([[0.5], [1.0], [-1.0]])}),
    Case("batch norm of one", batch_norm, batch_norm_back, {"x": np.array([[0.5, 2.0]])}),
    Case(
        "batch norm without eps",
        batch_norm_bare,
        batch_norm_bare_back,
        {"x": np.array([[0.5], [1.0], [-1.0]])},
    ),
    Case("labels all alike", cross_entropy, cross_entropy_back, CLASSES, options={"wrt": "z"}),
    Case("rows twice", embedding, embedding_add, ROWS, options={"wrt": "E"}),
    Case("empty batch", linear, lambda W, x: 2 * x.T @ (x @ W), LAYER, options={"wrt": "W"}),
    Case(
        "mean of none",
        linear_mean,
        lambda W, x: 2 * x.T @ (x @ W) / (x @ W).size,
        LAYER,
        options={"wrt": "W"},
    ),
    Case("x log x, guarded", entropy, lambda x: np.where(x > 0, np.log(x) + 1, 0.0), ABOVE),
    Case("sign", lambda x: np.sum(x * np.sign(x) ** 2), lambda x: np.sign(x) ** 2, THREE),
    Case("a jump has no derivative", jump, lambda x: np.where(x == 0, 7.0, 1.0), THREE),
    Case(
        "softmax, shifted by its maximum",
        lambda x: np.sum(np.exp(x - np.max(x)) ** 2) / np.sum(np.exp(x - np.max(x))) ** 2,
        lambda x: (
            2
            * (
                np.exp(2 * x) / np.sum(np.exp(x)) ** 2
                - np.exp(x) * np.sum(np.exp(2 * x)) / np.sum(np.exp(x)) ** 3
            )
        ),
        TIED,
    ),
)

#: Wrong at an edge, most of them nowhere else: refuted.
WRONG = (
    Case(
        "relu, 2 at your 0",
        relu,
        lambda x: np.where(x == 0, 2.0, x > 0),
        ZERO,
        ("entry [0] is 2", "lie between 0 and 1", "at your point"),
        "edge",
    ),
    Case(
        "relu, 2 at 0",
        relu,
        lambda x: np.where(x == 0, 2.0, x > 0),
        THREE,
        ("lie between 0 and 1", "it is right", "where no entry of x is 0"),
        "edge",
    ),
    Case(
        "relu by if, 5 at 0",
        relu_if,
        lambda x: 5.0 if x == 0 else float(x > 0),
        {"x": 1.5},
        ("it is 5", "between 0 and 1"),
        "edge",
    ),
    Case(
        "abs, 3 at 0",
        lambda x: np.sum(np.abs(x)),
        lambda x: np.where(x == 0, 3.0, np.sign(x)),
        THREE,
        ("between -1 and 1",),
        "edge",
    ),
    Case(
        "hinge, 5 at 1",
        hinge,
        lambda x: np.where(x == 1, 5.0, -1.0 * (x < 1)),
        THREE,
        ("between -1 and 0",),
        "edge",
    ),
    Case(
        "elu, 7 at 0",
        elu,
        lambda x: np.where(x > 0, 1.0, np.where(x == 0, 7.0, np.exp(x))),
        THREE,
        ("where no entry of x is 0",),
        "edge",
    ),
    Case(
        "x|x|, 5 at 0",
        square_signed,
        lambda x: np.where(x == 0, 5.0, 2 * np.abs(x)),
        THREE,
        ("where no entry of x is 0",),
        "edge",
    ),
    Case(
        "max, all of them",
        largest,
        lambda x: 1.0 * (x == np.max(x)),
        THREE,
        ("no one derivative", "at most"),
        "edge",
    ),
    Case(
        "max pool, all of them",
        pool,
        pool_all,
        {"x": np.array([1.0, 3.0, 0.5, 2.0])},
        ("no one derivative",),
        "edge",
    ),
    Case(
        "maximum, both of two inputs",
        lambda x, y: np.maximum(x, y),
        lambda x, y: (1.0 * (x >= y), 1.0 * (y >= x)),
        {"x": 0.5, "y": 1.5},
        ("no one derivative", "x: 1.0, y: 1.0"),
        "edge",
        {"wrt": ("x", "y")},
    ),
    Case(
        "max of three, all of them",
        three,
        lambda x, y, z: tuple(1.0 * (v == max(x, y, z)) for v in (x, y, z)),
        {"x": 1.0, "y": 1.0, "z": 1.0},
        ("no one derivative",),
        "edge",
        {"wrt": ("x", "y", "z")},
    ),
    Case(
        "clip, 2 at the bound",
        lambda x: np.sum(np.clip(x, -1, 1)),
        lambda x: np.where(np.abs(x) == 1, 2.0, np.abs(x) < 1),
        THREE,
        ("between 0 and 1",),
        "edge",
    ),
    Case("norm, ones at 0", norm, norm_ones, {"x": np.zeros(3)}, ("no one derivative",), "edge"),
    Case(
        "norm, (2, 0, 0) at 0",
        norm,
        lambda x: norm_guarded(x) + np.where(x @ x == 0, 2.0, 0.0) * np.eye(3)[0],
        {"x": np.zeros(3)},
        ("entry [0] is 2", "between -1 and 1"),
        "edge",
    ),
    Case(
        "norm squared",
        lambda x: np.linalg.norm(x) ** 2,
        lambda x: 2 * x * np.linalg.norm(x) / np.linalg.norm(x),
        THREE,
        ("it is undefined", "no entry of x is 0"),
        "edge",
    ),
    Case("2x²/x", lambda x: np.sum(x * x), lambda x: 2 * x**2 / x, THREE, ("undefined",), "edge"),
    Case(
        "xy/x",
        lambda x, y: x * y,
        lambda x, y: x * y / x,
        {"x": 2.0, "y": 3.0},
        ("it is undefined", "where no x is 0"),
        "edge",
        {"wrt": "x"},
    ),
    Case(
        "(a² − b²)/(a − b)",
        lambda a, b: a * a / 2 + a * b,
        lambda a, b: (a * a - b * b) / (a - b),
        {"a": 2.0, "b": 3.0},
        ("it is undefined",),
        "edge",
        {"wrt": "a"},
    ),
    Case(
        "2s·s/s, s = Σx",
        lambda x: np.sum(x) ** 2,
        lambda x: np.full(len(x), 2 * np.sum(x) * np.sum(x) / np.sum(x)),
        THREE,
        ("it is undefined",),
        "edge",
    ),
    Case(
        "(1 − x)/(1 − x)",
        lambda x: np.sum(x * x),
        lambda x: 2 * x * (1 - x) / (1 - x),
        ABOVE,
        ("it is undefined",),
        "edge",
    ),
    Case(
        "one number among all",
        lambda x: np.sum(x * x),
        lambda x: np.where(x == 0.375, 9.0, 2 * x),
        THREE,
        ("its value is not",),
        "edge",
    ),
    Case(
        "batch norm, by a variance of 0",
        batch_norm,
        batch_norm_by_variance,
        {"x": np.array([[0.5], [1.0], [-1.0]])},
        ("it is undefined",),
        "edge",
    ),
    Case(
        "rows twice, set",
        embedding,
        embedding_set,
        ROWS,
        ("its value is not",),
        options={"wrt": "E"},
    ),
)


def verdict(case: Case) -> cr.Verdict:
    return cr.check(case.forward, case.backward, at=case.at, **case.options)


@pytest.mark.parametrize("case", RIGHT, ids=lambda c: c.name)
def test_right_at_its_edges(case: Case) -> None:
    """Proved, or agrees; at a kink of the user's own it is said."""
    found = verdict(case)
    assert found.status in ("proved", "agrees"), str(found)
    text = " ".join(str(found).split())
    assert all(words in text for words in case.says), text


@pytest.mark.parametrize("case", WRONG, ids=lambda c: c.name)
def test_wrong_at_an_edge(case: Case) -> None:
    """Refuted, with the witness and where it is right."""
    found = verdict(case)
    assert found.status == "refuted", str(found)
    text = " ".join(str(found).split())
    assert all(words in text for words in case.says), text
    if case.where:
        wheres = {f.witness.where for f in found.findings.values() if f.witness is not None}
        assert wheres == {case.where}, text


def test_there_are_enough_cases() -> None:
    """≥ 40, right and wrong."""
    assert len(RIGHT) + len(WRONG) >= 40 and len(WRONG) >= 20


# -- what is said ----------------------------------------------------------------------------------


def only(found: cr.Verdict) -> Finding:
    (finding,) = found.findings.values()
    return finding


def test_what_edges_were_tried_is_said() -> None:
    """As evidence, with figures."""
    finding = only(cr.check(relu, lambda x: 1.0 * (x > 0), at=THREE))
    (tried,) = [e for e in finding.evidence if e.rung == "edges"]
    for kind in ("zeros", "ones", "ties", "thresholds", "one-element axes", "empty axes"):
        assert kind in tried.summary
    assert tried.figures["right"] + tried.figures["inside"] >= 10
    assert set(tried.figures) == {"right", "inside", "undecided"}


def test_code_without_edges_is_not_searched_for_them() -> None:
    """A polynomial has only its sizes."""
    finding = only(cr.check(lambda x: np.sum(x**3), lambda x: 3 * x**2, at=THREE))
    (tried,) = [e for e in finding.evidence if e.rung == "edges"]
    assert tried.summary == "edges: one-element axes, empty axes"


def test_a_witness_at_a_kink_can_be_pasted() -> None:
    """The point that is shown gives the value that is shown."""
    finding = only(cr.check(relu, lambda x: np.where(x == 0, 2.0, x > 0), at=ZERO))
    assert finding.witness is not None and finding.witness.at() == "x = [0.0, 1.0, -1.0]"
    assert (finding.witness.claimed, finding.witness.derived) == ("2", "between 0 and 1")
    assert finding.witness.entry == (0,) and finding.witness.bits == (160, 320)


def test_a_domain_without_the_edge() -> None:
    """Where x is positive, x·y/x is y."""
    found = cr.check(lambda x, y: x * y, lambda x, y: x * y / x, at={"x": 2.0, "y": 3.0}, wrt="x",
                     domains={"x": cr.positive()})  # fmt: skip
    assert found.status in ("proved", "agrees"), str(found)


def test_empty_axes_are_said() -> None:
    """mean·N is the sum, but for no number at all."""
    found = cr.check(
        lambda w, x: np.sum(w * x), lambda w, x: np.mean(x) * x.size, at={"w": 0.5, **THREE},
        wrt="w",
    )  # fmt: skip
    assert found.status == "refuted" and "where no axis is empty" in " ".join(str(found).split())


def test_code_without_a_trace_at_a_kink() -> None:
    """Run on exact numbers, it is held to the same hull."""
    right = cr.check(
        relu, lambda x: np.frompyfunc(lambda v: 1 if v > 0 else 0, 1, 1)(x).astype(float), at=ZERO
    )
    assert right.status != "refuted" and right.status != "disagrees"


def test_nested_branches_that_meet() -> None:
    """|x| + |y| by four ifs at the origin: every path is followed, or nothing is told."""

    def f(x: float, y: float) -> Any:
        a = x if x > 0 else -x
        b = y if y > 0 else -y
        return a + b

    def slopes(at_zero: float) -> Any:
        def g(x: float, y: float) -> Any:
            return (at_zero if x == 0 else float(np.sign(x)), float(np.sign(y)))

        return g

    at = {"x": 0.0, "y": 0.0}
    right = cr.check(f, slopes(0.5), at=at, wrt=("x", "y"))
    assert right.status in ("proved", "agrees"), str(right)
    wrong = cr.check(f, slopes(1.5), at=at, wrt=("x", "y"))
    assert wrong.findings["x"].status == "refuted" and wrong.findings["y"].status != "refuted"
    assert "it is 1.5" in str(wrong) and "between -1 and 1" in str(wrong)


def test_two_runs_say_the_same() -> None:
    """Points are solved for and drawn from a text."""
    texts = {str(cr.check(largest, lambda x: 1.0 * (x == np.max(x)), at=THREE)) for _ in range(2)}
    assert len(texts) == 1


def test_many_kinks_at_once() -> None:
    """2¹⁰⁰ cells are not counted: the masks of all of them are one direction."""
    at = {"x": np.zeros(100)}
    assert cr.check(relu, lambda x: 1.0 * (x > 0), at=at).ok
    assert cr.check(relu, lambda x: 1.0 * (x >= 0), at=at).ok
    assert cr.check(relu, lambda x: np.where(x == 0, 2.0, x > 0), at=at).status == "refuted"


def test_vjp_and_jacobian_at_a_kink() -> None:
    """Row by row; with the cotangent."""
    layer = lambda x: np.maximum(x, 0)  # noqa: E731
    assert cr.check(layer, lambda x: np.diag(1.0 * (x > 0)), at=ZERO).ok
    assert cr.check(layer, lambda x, g: g * (x >= 0), at=ZERO).ok
    wrong = cr.check(layer, lambda x, g: np.where(x == 0, 3 * g, g * (x > 0)), at=ZERO)
    assert wrong.status == "refuted"
    wrong = cr.check(layer, lambda x: np.diag(np.where(x == 0, 2.0, x > 0)), at=ZERO)
    assert wrong.status == "refuted"


# -- spans -----------------------------------------------------------------------------------------


def span(build: Callable[[Graph, Any], Any], x: list[float], w: list[float]) -> tuple[float, float]:
    """The interval of one number's derivative along w."""
    g = Graph({"n": len(x)})
    node = g.input("x", (g.axis("n", len(x)),))
    with precision(160):
        ((_, slope),) = spans([build(g, node)], {"x": np.array(x)}, {"x": np.array(w)})
        ball: Any = slope[()]
        return float(ball.lower().mid()), float(ball.upper().mid())


def at_zero(k: int) -> tuple[Any, ...]:
    from chainrule.graph.sizes import Size

    return (("at", Size.of(k)),)


@pytest.mark.parametrize(
    ("build", "x", "w", "low", "high"),
    [
        (lambda g, x: g.sum(g.call("abs", x), [0]), [0, 0], [1, 2], -3, 3),
        (lambda g, x: g.sum(g.call("abs", x), [0]), [0, 5], [1, 2], 1, 3),
        (lambda g, x: g.make("reduce_max", (x,), ((0,),), (), "f"), [2, 2, 1], [1, 3, 9], 1, 3),
        (lambda g, x: g.power(g.einsum("i,i->", x, x), Fraction(1, 2)), [0, 0], [3, 4], -5, 5),
        (lambda g, x: g.power(g.einsum("i,i->", x, x), Fraction(3, 2)), [0, 0], [3, 4], 0, 0),
        (
            lambda g, x: g.call("hypot", g.index(x, at_zero(0)), g.index(x, at_zero(1))),
            [0, 0],
            [3, 4],
            -5,
            5,
        ),
        (lambda g, x: g.power(g.sum(g.call("abs", x), [0]), 2), [0, 0], [1, 2], 0, 0),
    ],
)
def test_spans(build: Any, x: list[float], w: list[float], low: float, high: float) -> None:
    """They hold what every cell gives, and little more."""
    a, b = span(build, x, w)
    assert a <= low and b >= high and low - a < 1e-7 and b - high < 1e-7


def test_spans_hold_every_derivative_beside() -> None:
    """Random piecewise functions: differences next to a kink lie in the span at it."""
    rng = np.random.default_rng(3)
    for _ in range(40):
        A, B = rng.integers(-2, 3, (2, 3, 3)).astype(float)

        def build(g: Graph, x: Any, A: Array = A, B: Array = B) -> Any:
            z = g.call("maximum", g.einsum("ij,j->i", g.array(A), x), g.number(Fraction(0)))
            y = g.call("abs", g.einsum("ij,j->i", g.array(B), z))
            return g.add(g.make("reduce_max", (y,), ((0,),), (), "f"), g.sum(y, [0]))

        def value(x: Array, A: Array = A, B: Array = B) -> float:
            y = np.abs(B @ np.maximum(A @ x, 0))
            return float(np.max(y) + np.sum(y))

        w = rng.integers(-2, 3, 3).astype(float)
        low, high = span(build, [0.0, 0.0, 0.0], list(w))
        for _ in range(20):
            x = rng.standard_normal(3)
            slope = (value(x + 1e-7 * w) - value(x - 1e-7 * w)) / 2e-7
            assert low - 1e-5 <= slope <= high + 1e-5


def test_the_end_of_a_domain_is_no_inner_point() -> None:
    """x^1.5 ends at 0; (x²)^1.5 does not."""
    g = Graph()
    x = g.input("x", ())
    assert [w for w, _ in kinks.switches([g.power(x, Fraction(3, 2))])] == ["{0} = 0"]
    assert kinks.switches([g.power(g.power(x, 2), Fraction(3, 2))]) == []
    assert kinks.switches([g.power(g.mul(x, x), Fraction(5, 2))]) == []


# -- hulls, corners --------------------------------------------------------------------------------


def test_nearest_points_of_hulls() -> None:
    """Inside is inside; outside, the gap points away from every corner."""
    rng = np.random.default_rng(1)
    for _ in range(200):
        n, m = int(rng.integers(1, 6)), int(rng.integers(1, 12))
        c = rng.integers(-1, 2, (m, n)).astype(float)
        weights = rng.random(m)
        assert nearest(list(c), weights / weights.sum() @ c).inside
        target = 3 * rng.standard_normal(n)
        found = nearest(list(c), target)
        assert found.inside or np.max(c @ found.gap) <= (target - found.gap) @ found.gap + 1e-9


def test_what_is_positive_has_no_edge() -> None:
    """1 + e^x, √(x² + 1) and cosh are never 0."""
    g = Graph()
    x = g.input("x", ())
    one = g.number(Fraction(1))
    for below in (g.add(one, g.call("exp", x)), g.call("cosh", x), g.add(g.power(x, 2), one)):
        assert corners.critical([g.div(x, below), g.power(below, Fraction(-1, 2))]) == []
    assert len(corners.critical([g.div(one, g.add(x, one)), g.call("log", x)])) == 2


def test_thresholds_are_solved_for() -> None:
    """3x − 1.5 is 0 at 0.5, exactly; and both neighbors."""
    base = {"x": np.array([0.25, 2.0])}
    found = list(corners.solved(lambda v: 3 * v["x"] - 1.5, base, ["x"], True))
    assert [p["x"][0] for p in found] == [0.5, np.nextafter(0.5, 1), np.nextafter(0.5, 0)]
    assert all(p["x"][1] == 2.0 for p in found)


def test_extremes_stay_in_their_type() -> None:
    """Float32 holds no 2⁵⁰⁰; infinities are no points."""
    for kind in (np.float32, np.float64):
        for _, point in corners.extreme({"x": np.ones(2, kind)}, ["x"]):
            assert np.isfinite(point["x"]).all() and point["x"].dtype == kind
    assert len(list(corners.extreme({"x": np.ones(2)}, ["x"]))) == 5


# -- conditions of a proof -------------------------------------------------------------------------


def probed(
    monkeypatch: pytest.MonkeyPatch, forward: Any, backward: Any, at: Any, **options: Any
) -> dict[str, str]:
    """What is found of every condition of the user's side: its kind → the status."""
    kept: list[Trials] = []
    climb = Trials.climb
    monkeypatch.setattr(
        Trials, "climb", lambda self, sure: (kept.append(self), climb(self, sure))[1]
    )
    cr.check(forward, backward, at=at, **options)
    trials = kept[0]
    assert trials.ways.graph is not None
    asked = list(conditions(trials.ways.graph.nodes.values()))
    return {p.kind: p.status for p in trials.probe(asked)}


def test_a_condition_that_fails_where_the_sides_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """xy/x needs x ≠ 0, and the derivative does not."""
    found = probed(
        monkeypatch, lambda x, y: x * y, lambda x, y: x * y / x, {"x": 2.0, "y": 3.0}, wrt="x"
    )
    assert found == {"nonzero": "apart"}


def test_a_condition_that_fails_where_forward_has_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """1/x of log x needs x ≠ 0; so does log x."""
    found = probed(monkeypatch, lambda x: np.sum(np.log(x)), lambda x: 1 / x, ABOVE)
    assert found == {"nonzero": "right"}


def test_a_condition_that_never_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """x² + 1 ≠ 0 holds everywhere."""
    found = probed(monkeypatch, lambda x: np.sum(np.arctan(x)), lambda x: 1 / (x * x + 1), THREE)
    assert found == {"nonzero": "none"}


def test_a_switch_at_a_kink_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """x > 0 switches at the kink of relu, and either slope is one."""
    assert probed(monkeypatch, relu, lambda x: 1.0 * (x > 0), THREE) == {"switch": "right"}


def test_a_branch_that_is_not_taken_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    """sin(x)/x below np.where: x = 0 is met, and nothing is wrong there."""
    found = probed(monkeypatch, lambda x: np.sum(x * x),
                   lambda x: np.where(x == 0, 0.0, 2 * x * x / x), THREE)  # fmt: skip
    assert found["nonzero"] == "right"
