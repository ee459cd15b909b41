"""Conditions that surely hold, and near misses of which that must not be said."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import Size
from chainrule.proof import Condition, conditions, holding, holds
from chainrule.proof.conditions import Kind
from chainrule.proof.intervals import Interval
from chainrule.proof.ranges import ranges
from chainrule.values.float64 import evaluate

G = Graph({"n": 4, "m": 3})
N, M = Size.axis("n"), Size.axis("m")
X, Y, Z = (G.input(name, (N,)) for name in "xyz")
A, S = G.input("A", (N, M)), G.input("S", (N, N))
B = G.input("B", (N,), "b")
HALF = Fraction(1, 2)


def c(value: int | str | Fraction) -> Node:
    return G.number(Fraction(value))


def f(name: str, *xs: Node) -> Node:
    return G.call(name, *xs)


def sq(x: Node) -> Node:
    return G.power(x, 2)


def plus(*xs: Node) -> Node:
    total = xs[0]
    for x in xs[1:]:
        total = G.add(total, x)
    return total


def some(x: Node) -> Node:
    """An axis that may be empty: all but the first."""
    return G.index(x, (("cut", Size.of(1), 1, N - 1),))


EXPS = G.sum(f("exp", A), [1])
CENTERED = G.sub(X, G.div(G.sum(X, [0]), G.sized(N)))
SURE: list[tuple[Kind, Node]] = [
    ("positive", f("exp", X)),
    ("positive", plus(c(1), f("exp", G.neg(X)))),
    ("nonzero", G.power(plus(c(1), f("exp", G.neg(X))), 2)),
    ("positive", plus(sq(X), c("1/100"))),
    ("nonzero", G.power(plus(sq(X), c("1/100")), HALF)),
    ("positive", EXPS),
    ("positive", G.div(f("exp", A), G.reshape(EXPS, (N, 1)))),
    ("positive", G.sum(f("exp", G.sub(A, G.reshape(G.reduce("reduce_max", A, [1]), (N, 1)))), [1])),
    ("positive", plus(c(1), f("tanh", X))),
    ("positive", G.sub(c(1), sq(f("tanh", X)))),
    ("positive", G.sub(c(1), f("expit", X))),
    ("nonzero", f("cosh", X)),
    ("positive", G.mul(f("exp", X), f("cosh", Y))),
    ("nonzero", G.div(c(-1), plus(c(2), f("sin", X)))),
    ("nonnegative", G.mul(X, X)),
    ("nonnegative", G.einsum("i,i->", X, X)),
    ("positive", plus(G.div(G.sum(sq(CENTERED), [0]), G.sized(N)), G.number(1e-5))),
    ("nonzero", G.sized(N * M)),
    ("positive", f("log1p", f("exp", X))),
    ("inside", f("log1p", f("exp", X))),
    ("inside", f("log1p", f("exp", G.neg(f("abs", X))))),
    ("inside", f("arctanh", f("tanh", X))),
    ("positive", f("maximum", X, c("1/1000"))),
    ("positive", f("logaddexp", c(0), X)),
    ("nonzero", f("hypot", X, c(1))),
    ("nonzero", G.select(G.equal(X, c(0)), c(1), X)),
    ("positive", G.select(G.less(c(0), X), X, c(1))),
    ("nonnegative", G.sum(some(f("exp", X)), [0])),
    ("positive", G.sub(c(2), G.select(B, c(1), c(0)))),
    ("nonnegative", f("abs", X)),
    ("positive", G.concat([f("exp", X), f("cosh", Y)], 0)),
    ("positive", plus(sq(X), G.mul(c(-2), G.mul(X, Y)), G.mul(c(2), G.mul(X, Y)), c(1))),
    ("positive", G.reduce("reduce_mul", f("exp", X), [0])),
    ("positive", G.array(np.array([0.5, 2.0]))),
]
UNSURE: list[tuple[Kind, Node]] = [
    ("nonzero", plus(sq(X), c(0))),
    ("positive", sq(X)),
    ("nonzero", G.sub(sq(X), c(1))),
    ("nonzero", G.sub(f("exp", X), c(1))),
    ("nonzero", f("expm1", X)),
    ("nonzero", G.sub(c(1), f("exp", X))),
    ("positive", G.sum(some(f("exp", X)), [0])),
    ("nonzero", G.reduce("reduce_mul", some(X), [0])),
    ("nonzero", G.power(sq(X), HALF)),
    ("nonzero", f("abs", X)),
    ("positive", plus(c(1), f("sin", X))),
    ("nonzero", plus(c(1), G.mul(c(2), f("tanh", X)))),
    ("nonzero", f("tanh", X)),
    ("nonzero", G.mul(X, f("exp", Y))),
    ("nonzero", plus(f("exp", X), G.neg(f("exp", Y)))),
    ("nonnegative", G.power(X, 3)),
    ("nonnegative", G.einsum("ij,ji->", S, S)),
    ("nonnegative", G.mul(X, Y)),
    ("positive", plus(sq(X), c("-1/100"))),
    ("nonzero", G.sub(c(1), f("cosh", X))),
    ("positive", f("log", plus(c(1), sq(X)))),
    ("positive", f("maximum", X, c(0))),
    ("nonzero", f("minimum", X, c(1))),
    ("nonzero", G.sub(G.sized(N), c(1))),
    ("nonzero", G.sized(N - M)),
    ("nonzero", G.iota(N)),
    ("nonzero", G.delta(N, N)),
    ("positive", G.select(G.less(X, c(0)), X, c(1))),
    ("nonzero", G.select(G.equal(Y, c(0)), c(1), X)),
    ("nonzero", G.select(B, c(1), c(0))),
    ("nonzero", G.concat([f("exp", X), Y], 0)),
    ("nonzero", G.scatter_add(f("exp", X), [N], G.input("i", (N,), "i"))),
    ("nonzero", f("arctan", X)),
    ("nonzero", f("hypot", X, Y)),
    ("inside", f("log1p", X)),
    ("inside", f("log1p", f("sin", X))),
    ("inside", f("arcsin", f("sin", X))),
    ("inside", f("tan", X)),
    ("inside", f("tan", f("arctan", X))),
    ("positive", G.number(Fraction(0))),
    ("nonzero", G.array(np.array([0.0, 2.0]))),
    ("singular", S),
    ("switch", f("abs", X)),
    ("apart", f("abs", X)),
    ("largest", G.reduce("reduce_max", X, [0])),
]


@pytest.mark.parametrize("number", range(len(SURE)))
def test_sure(number: int) -> None:
    """Conditions that hold for all real inputs; the values at random points do not contradict."""
    kind, node = SURE[number]
    assert holds(Condition(kind, node))
    if kind == "inside":
        return
    for value in values(node):
        assert {"positive": value > 0, "nonzero": value != 0, "nonnegative": value >= 0}[kind].all()


@pytest.mark.parametrize("number", range(len(UNSURE)))
def test_unsure(number: int) -> None:
    """Near misses: each fails somewhere, or nobody knows."""
    kind, node = UNSURE[number]
    assert not holds(Condition(kind, node))


def values(node: Node) -> list[np.ndarray]:
    """Values of a node at random points and sizes."""
    out = []
    rng = np.random.default_rng(0)
    for n, m in ((4, 3), (1, 1), (2, 5)):
        at = {name: rng.normal(size=n) for name in "xyz"}
        at |= {"A": rng.normal(size=(n, m)), "S": rng.normal(size=(n, n))}
        at |= {"B": rng.normal(size=n) > 0, "i": rng.integers(0, n, size=n)}
        out.append(np.asarray(evaluate([node], at, {"n": n, "m": m})[0]))
    return out


GIVEN: list[tuple[Kind, Node, Sequence[tuple[Kind, Node]], bool]] = [
    ("nonzero", X, [("positive", X)], True),
    ("nonnegative", X, [("positive", X)], True),
    ("nonzero", G.mul(X, sq(Y)), [("nonzero", X), ("nonzero", Y)], True),
    ("nonzero", X, [("nonzero", G.mul(X, Y))], True),
    ("nonzero", G.power(X, 3), [("nonzero", G.mul(c(2), X))], True),
    ("nonzero", G.sub(X, Y), [("nonzero", G.sub(Y, X))], True),
    ("nonzero", plus(X, Y), [("nonzero", G.sub(sq(X), sq(Y)))], True),
    ("positive", G.mul(X, f("exp", Y)), [("positive", X)], True),
    ("positive", G.sub(X, Y), [("positive", G.sub(X, Y))], True),
    ("positive", G.mul(c(3), G.sub(X, Y)), [("positive", G.sub(X, Y))], True),
    ("nonzero", G.power(X, HALF), [("positive", X)], True),
    ("positive", sq(X), [("nonzero", X)], True),
    ("nonzero", plus(c(1), X), [("inside", f("log1p", X))], True),
    ("nonzero", G.sub(c(1), sq(X)), [("inside", f("arctanh", X))], True),
    ("singular", G.transpose(S), [("singular", S)], True),
    ("singular", G.mul(c(1), S), [("singular", S)], True),
    ("nonzero", X, [("nonzero", Y)], False),
    ("nonzero", plus(X, Y), [("nonzero", X), ("nonzero", Y)], False),
    ("nonzero", X, [("nonnegative", X)], False),
    ("positive", X, [("nonzero", X)], False),
    ("positive", X, [("positive", sq(X))], False),
    ("positive", X, [("positive", G.mul(X, Y))], False),
    ("positive", G.sub(Y, X), [("positive", G.sub(X, Y))], False),
    ("nonzero", X, [("nonzero", some(X))], False),
    ("nonzero", X, [("nonzero", G.index(X, (("at", Size.of(0)),)))], False),
    ("nonzero", S, [("nonzero", G.einsum("ii->i", S))], False),
    ("nonzero", G.sum(X, [0]), [("nonzero", X)], False),
    ("positive", X, [("inside", f("log1p", X))], False),
    ("nonzero", G.sub(X, c(1)), [("nonzero", X)], False),
    ("nonzero", X, [("switch", f("abs", X))], False),
    ("singular", G.mul(c(2), S), [("nonzero", S)], False),
    ("singular", plus(S, G.transpose(S)), [("singular", S)], False),
    ("positive", G.power(X, 3), [("nonzero", X)], False),
]


@pytest.mark.parametrize("number", range(len(GIVEN)))
def test_given(number: int) -> None:
    """What follows from other conditions, and what does not."""
    kind, node, given, expected = GIVEN[number]
    known = [Condition(k, x) for k, x in given]
    assert holds(Condition(kind, node), known) is expected


def test_several() -> None:
    """One reading for several conditions says the same."""
    asked = [Condition(k, x) for k, x in (*SURE, *UNSURE)]
    assert holding(asked) == [True] * len(SURE) + [False] * len(UNSURE)
    assert holding([]) == []


def test_inside_is_not_positive() -> None:
    """The argument of log1p and its value are two things, and so are their conditions."""
    logs = f("log1p", X)
    found = [*conditions([G.power(logs, -HALF)])]
    assert Condition("inside", logs) in found and Condition("positive", logs) in found
    assert not holds(Condition("positive", logs), [Condition("inside", logs)])


def test_ends() -> None:
    """Ends that belong to an interval, and those that do not."""
    unit = Interval.of(0, 1, open_low=True)
    assert (unit * unit).positive and not (unit + Interval.of(-1, 0)).without_zero
    assert Interval.of(-1, 1).square() == Interval.of(0, 1)
    assert not (Interval.of(-1, 1) * Interval.of(-1, 1)).nonnegative
    assert Interval.of(1, None).inverse().positive
    assert Interval.of(0, None).inverse().positive and not Interval.of(-1, None).inverse().positive
    assert Interval.of(0, None).union(Interval.of(None, -1)).low is None
    assert (Interval.of(0, 0) * Interval()).nonnegative  # 0·x
    assert ranges([f("minimum", X, c(-1))])[f("minimum", X, c(-1))].without_zero
    assert not (Interval.of(2, 3) + Interval.of(-2, 0)).positive


def test_intervals_enclose() -> None:
    """Sums, products, squares and quotients of what lies inside lie inside."""
    rng = np.random.default_rng(0)
    ends = [Fraction(k, 2) for k in range(-4, 5)]

    def draw() -> tuple[Interval, list[Fraction]]:
        low, high = sorted((ends[rng.integers(9)], ends[rng.integers(9)]))
        a = None if rng.random() < 0.2 else low
        b = None if rng.random() < 0.2 else high
        inner = [low, high, (low + high) / 2]
        inner += [low - 10] if a is None else []
        inner += [high + 10] if b is None else []
        return Interval.of(a, b), inner

    def within(x: Fraction, i: Interval) -> bool:
        low = i.low is None or x > i.low[0] or (x == i.low[0] and not i.low[1])
        high = i.high is None or x < i.high[0] or (x == i.high[0] and not i.high[1])
        return low and high and not (i.nonzero and x == 0)

    for _ in range(400):
        (a, xs), (b, ys) = draw(), draw()
        for x in xs:
            assert within(x * x, a.square()) and within(-x, -a) and within(abs(x), abs(a))
            assert x == 0 or within(1 / x, a.inverse())
            assert within(x, a.union(b))
            for y in ys:
                assert within(x + y, a + b) and within(x * y, a * b)
