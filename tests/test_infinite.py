"""−∞ in code: masks, running maxima. What has a value is proved; what is nan is never a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flint import arb
from numpy.lib.stride_tricks import sliding_window_view

import chainrule as cr
from chainrule.graph.infinite import ABOVE, BELOW, NONE, needs
from chainrule.graph.lowering.source import source
from chainrule.graph.node import Graph, Node
from chainrule.graph.notation.notation import Notation
from chainrule.proof import Condition, holds, prove_equal
from chainrule.values import certified, float64, jets, residues
from chainrule.values.ball import Ball, Undecided, finite_or_infinite, infinite
from chainrule.values.running import bounded

INF = float("inf")
Array = np.ndarray
RNG = np.random.default_rng(5)
SQUARE = {"S": RNG.normal(size=(4, 4)), "g": RNG.normal(size=(4, 4))}


def softmax(S: Array) -> Array:
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def pulled(P: Array, g: Array) -> Array:
    return P * (g - (g * P).sum(axis=1, keepdims=True))


# -- how a mask is written -------------------------------------------------------------------------


def chosen(S: Array) -> Array:
    n = S.shape[0]
    return softmax(np.where(np.tril(np.ones((n, n), bool)), S, -np.inf))


def assigned(S: Array) -> Array:
    n = S.shape[0]
    S = S.copy()
    S[np.triu(np.ones((n, n), bool), 1)] = -np.inf
    return softmax(S)


def added(S: Array) -> Array:
    n = S.shape[0]
    return softmax(S + np.triu(np.full((n, n), -np.inf), 1))


def back(S: Array, g: Array) -> Array:
    return pulled(chosen(S), g)


def verdict(f: Callable[..., Any], b: Callable[..., Any], at: Any, **options: Any) -> Any:
    return cr.check(cr.pair(f, b, at=at, **options))


def of_softmax(b: Callable[..., Any], f: Callable[..., Any] = chosen) -> Any:
    found = verdict(f, b, SQUARE, mode="vjp", cotangent="g")
    (finding,) = found.findings.values()
    return finding


@pytest.mark.parametrize("forward", [chosen, assigned, added])
def test_a_causal_softmax_is_proved(forward: Callable[..., Any]) -> None:
    """For every shape; no row is masked altogether, and the prover sees that."""
    found = of_softmax(back, forward)
    assert found.status == "proved", found.reason
    assert not any("is −∞" in text or "] = 0" in text for text in found.scope.excepting)


def forgotten(S: Array, g: Array) -> Array:
    return pulled(softmax(S), g)


def transposed(S: Array, g: Array) -> Array:
    n = S.shape[0]
    return pulled(softmax(np.where(np.triu(np.ones((n, n), bool)), S, -np.inf)), g)


def off_by_one(S: Array, g: Array) -> Array:
    n = S.shape[0]
    return pulled(softmax(np.where(np.tril(np.ones((n, n), bool), 1), S, -np.inf)), g)


def where_positive(S: Array, g: Array) -> Array:
    """e^(−∞) is 0, and not positive."""
    P = chosen(S)
    return np.where(P > 0, pulled(P, g), 777.0)


def where_alike(S: Array, g: Array) -> Array:
    """−∞ + 1 is −∞."""
    T = np.where(np.tril(np.ones((len(S), len(S)), bool)), S, -np.inf)
    return np.where(T == T + 1, 777.0, back(S, g))


def where_below(S: Array, g: Array) -> Array:
    """−∞ is not below −∞ + 1."""
    T = np.where(np.tril(np.ones((len(S), len(S)), bool)), S, -np.inf)
    return back(S, g) + np.where(T < T + 1, 0.0, 5.0)


def divided(S: Array, g: Array) -> Array:
    """0/0 where the mask hides."""
    T = np.where(np.tril(np.ones((len(S), len(S)), bool)), S, -np.inf)
    return back(S, g) * np.exp(T) / np.exp(T)


WRONG = (forgotten, transposed, off_by_one, where_positive, where_alike, where_below, divided)


@pytest.mark.parametrize("claimed", WRONG)
def test_near_misses_are_refuted(claimed: Callable[..., Any]) -> None:
    """The mask left out or turned round, and what a formal −∞ would get wrong."""
    assert of_softmax(claimed).status == "refuted"


def difference(S: Array, g: Array) -> Array:
    """(−∞) − (−∞) is not 0."""
    T = np.where(np.tril(np.ones((len(S), len(S)), bool)), S, -np.inf)
    return back(S, g) + (T - T)


def product(S: Array, g: Array) -> Array:
    """0·(−∞) is not 0."""
    m = np.tril(np.ones((len(S), len(S))))
    return pulled(softmax(m * S + (1 - m) * -np.inf), g)


@pytest.mark.parametrize("claimed", [difference, product])
def test_what_is_nan_is_never_proved(claimed: Callable[..., Any]) -> None:
    """Both are nan in NumPy where the mask hides."""
    found = of_softmax(claimed)
    assert found.status in ("agrees", "inconclusive")
    assert found.code is not None and found.code.status == "fails"


# -- a row that is masked altogether ---------------------------------------------------------------


def masked(Z: Array, mask: Array) -> Array:
    return softmax(np.where(mask, Z, -np.inf))


def masked_back(Z: Array, mask: Array, g: Array) -> Array:
    return pulled(masked(Z, mask), g)


def test_a_row_masked_altogether_is_no_witness() -> None:
    """The softmax is 0/0 there: nothing is said of that point."""
    Z, g = RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3))
    mask = np.array([[True, False, True], [False, False, False], [True, True, True]])
    at = {"Z": Z, "mask": mask, "g": g}
    (found,) = verdict(masked, masked_back, at, mode="vjp", cotangent="g").findings.values()
    assert found.status in ("agrees", "inconclusive", "proved")
    assert "your own point was not compared" in found.reason
    assert "is no number" in found.reason


# -- log-sum-exp, with a maximum that starts at −∞ -------------------------------------------------


def running(x: Array) -> Any:
    m, s = -np.inf, 0.0
    for i in range(len(x)):
        new = np.maximum(m, x[i])
        s = s * np.exp(m - new) + np.exp(x[i] - new)
        m = new
    return m + np.log(s)


def largest(x: Array) -> Any:
    m = x.max(initial=-np.inf)
    return m + np.log(np.exp(x - m).sum())


def share(x: Array) -> Array:
    e = np.exp(x - x.max())
    return e / e.sum()


@pytest.mark.parametrize("forward", [running, largest])
def test_log_sum_exp_is_proved(forward: Callable[..., Any]) -> None:
    x = RNG.normal(size=3)
    (found,) = verdict(forward, share, {"x": x}).findings.values()
    assert found.status == "proved", found.reason
    assert not any("is −∞" in text for text in found.scope.excepting)
    (found,) = verdict(forward, lambda x: share(x) * (1 + 1e-9), {"x": x}).findings.values()
    assert found.status == "refuted"


# -- the graph and its interpreters ----------------------------------------------------------------


def graph() -> tuple[Graph, Node, Node]:
    g = Graph({"n": 3})
    return g, g.input("x", (g.axis("n", 3),)), g.number(-INF)


def test_which_nodes_may_be_infinite() -> None:
    g, x, low = graph()
    hidden = g.select(g.less(x, g.number(0)), low, x)
    assert (low.infinite, g.neg(low).infinite, x.infinite) == (BELOW, ABOVE, NONE)
    assert hidden.infinite == g.add(hidden, x).infinite == BELOW
    assert g.mul(g.number(2), hidden).infinite == BELOW
    assert g.mul(x, hidden).infinite == BELOW | ABOVE
    top = g.reduce("reduce_max", hidden, [0])
    assert [*needs(top)] == [top] and top.infinite == NONE
    assert g.call("maximum", low, x).infinite == g.call("exp", hidden).infinite == NONE
    assert [*needs(g.sub(hidden, hidden))] == [g.neg(hidden)]
    assert [*needs(g.call("exp", g.neg(hidden)))] == [g.neg(hidden)]


def test_an_array_says_where_it_is_infinite() -> None:
    node = Graph().array(np.array([1.0, -INF, INF]))
    assert node.op == "select" and node.infinite == BELOW | ABOVE
    assert float64.evaluate([node], {})[0].tolist() == [1.0, -INF, INF]


def test_balls() -> None:
    """exp(−∞) = 0 and the largest are certain; ∞ − ∞ and 0·∞ are never a number."""
    g, x, low = graph()
    at = {"x": [1, 2, 3]}
    top = g.reduce("reduce_max", g.select(g.less(x, g.number(2)), low, x), [0])
    (found,) = certified.enclose([g.add(top, g.call("exp", low))], at)
    assert found == 3
    for node in (low, g.sub(low, low), g.mul(g.number(0), low), g.sum(g.add(low, x), [0])):
        with pytest.raises(Undecided):
            certified.enclose([node], at)
    (kept,) = certified.holed([g.add(low, x)], at, infinite=True)
    assert [infinite(v) for v in kept] == [-1, -1, -1]


def test_a_wide_ball_is_no_infinity() -> None:
    assert infinite(arb(0, "inf")) == 0 and infinite(arb("nan")) == 0
    assert infinite(arb(3, 1) + arb("-inf")) == -1
    for x in (arb(0, "inf"), arb("nan"), arb(0, 1) * arb("inf")):
        with pytest.raises(Undecided):
            finite_or_infinite(x)
    assert Ball(arb("-inf")).exp().value == 0


def test_jets() -> None:
    g, x, low = graph()
    y = g.call("exp", g.select(g.less(x, g.number(2)), low, x))
    ((value, slope),) = jets.enclose([y], {"x": [1, 3, 4]}, {"x": [1, 1, 1]})
    assert value[0] == slope[0] == 0 and slope[1].overlaps(arb(3).exp())
    with pytest.raises(Undecided):  # 0·∞ in the derivative, too
        jets.enclose([g.call("exp", g.mul(x, low))], {"x": [1, 3, 4]}, {"x": [1, 1, 1]})


def test_residues_refuse() -> None:
    g, x, low = graph()
    with pytest.raises(residues.NoResidue, match="infinity"):
        residues.evaluate([g.call("exp", g.add(low, x))], {"x": [1, 2, 3]}, residues.field(1))


def test_the_bound_of_what_is_masked_is_exact() -> None:
    """−∞ as the code says it has no error; what overflows has."""
    g, x, low = graph()
    values = {"x": [1.0, 2.0, 1e308]}
    hidden = g.select(g.less(x, g.number(2)), low, x)
    top = g.reduce("reduce_max", hidden, [0])
    for node in (g.call("exp", g.sub(hidden, top)), top, g.add(hidden, low)):
        assert np.isfinite(bounded([node], values)[0][1]).all()
    over = g.mul(g.number(-16), g.select(g.less(x, g.number(2)), low, x))
    assert bounded([over], values)[0][1].tolist()[2] == INF


# -- the prover ------------------------------------------------------------------------------------


def test_the_prover_never_cancels_infinities() -> None:
    g, x, low = graph()
    c = g.less(x, g.number(0))
    hidden = g.select(c, low, x)
    kept = g.select(c, g.number(0), g.call("exp", x))
    assert prove_equal(g.call("exp", hidden), kept).equal
    assert not prove_equal(g.call("exp", hidden), g.call("exp", x)).equal
    zero = prove_equal(g.sub(hidden, hidden), g.mul(g.number(0), x))
    assert Condition("finite", g.neg(hidden)) in zero.conditions  # it is said, and never holds
    assert not holds(Condition("finite", g.neg(hidden)))
    assert not holds(Condition("nonzero", g.call("exp", hidden)))
    assert holds(Condition("nonzero", g.call("exp", x)))


def test_a_largest_entry_is_finite_where_one_is_left() -> None:
    g = Graph({"n": 3})
    n = g.axis("n", 3)
    x = g.input("x", (n, n))
    row, column = g.reshape(g.iota(n), (n, 1)), g.reshape(g.iota(n), (1, n))
    for condition, left in ((g.less(row, column), True), (g.less(column, row), False)):
        top = g.reduce("reduce_max", g.select(condition, g.number(-INF), x), [1])
        assert holds(Condition("finite", top)) is left


# -- how it is written -----------------------------------------------------------------------------


def test_how_it_is_written() -> None:
    g, x, low = graph()
    hidden = g.select(g.less(x, g.number(0)), low, x)
    assert "-np.inf" in source({"y": hidden}, {"x": x}, {})
    assert "-∞" in Notation({"x": x}).text(hidden)


# -- windows ---------------------------------------------------------------------------------------


def slid(x: Array, w: Array) -> Array:
    return sliding_window_view(x, w.shape[0]) @ w


def slid_back(x: Array, w: Array, g: Array) -> Any:
    return {"w": sliding_window_view(x, w.shape[0]).T @ g}


def test_windows() -> None:
    at = {"x": RNG.normal(size=6), "w": RNG.normal(size=3), "g": RNG.normal(size=4)}
    options = {"mode": "vjp", "cotangent": "g"}
    (found,) = verdict(slid, slid_back, at, **options).findings.values()
    assert found.status == "proved", found.reason
    turned = lambda x, w, g: {"w": slid_back(x, w, g)["w"][::-1]}  # noqa: E731
    (found,) = verdict(slid, turned, at, **options).findings.values()
    assert found.status == "refuted"


def test_a_later_write_shows_in_a_window() -> None:
    """A window is a view of x."""

    def f(x: Array) -> Any:
        x = x.copy()
        v = sliding_window_view(x, 2)
        x[0] = 7 * x[1]
        return (v * v).sum()

    def b(x: Array) -> Array:
        y = x.copy()
        y[0] = 7 * y[1]
        d = 2 * y
        d[1:-1] *= 2
        d[1] += 7 * d[0]
        d[0] = 0
        return d

    (found,) = verdict(f, b, {"x": RNG.normal(size=4)}).findings.values()
    assert found.status == "proved", found.reason


def only(found: Any) -> Any:
    """The finding that is no remark."""
    (one,) = [f for f in found.findings.values() if not f.remark]
    return one


def test_a_forward_that_cannot_be_followed_says_so() -> None:
    """Why it is a black box, in the words of the one who could not follow it."""

    def f(x: Array) -> Any:
        return sliding_window_view(x, 2, writeable=True).sum()

    found = only(verdict(f, lambda x: 2 * x, {"x": RNG.normal(size=4)}))
    assert found.status == "disagrees" and found.scope.followed == "black box"
    assert "f is a black box" in found.reason and "leave writeable= out" in found.reason

    def h(x: Array) -> Any:
        return np.sum(np.abs(np.fft.fft(x)) ** 2)

    found = only(verdict(h, lambda x: 2 * x.size * x, {"x": RNG.normal(size=4)}))
    assert found.status == "agrees" and "has no rule" in found.reason


# -- rows that came with it ------------------------------------------------------------------------


def labeled(x: Array, w: Array, y: Array) -> Array:
    """Sums by label, sums of stretches, and what is chosen by membership."""
    sums = np.bincount(y, weights=x, minlength=3)
    return sums**2 + np.add.reduceat(w, [0, 2, 3]) * np.isin(np.arange(3), [0, 2])


def labeled_back(x: Array, w: Array, y: Array, g: Array) -> Any:
    sums = np.bincount(y, weights=x, minlength=3)
    kept = g * np.array([1.0, 0.0, 1.0])
    return {"x": 2 * (g * sums)[y], "w": kept[np.array([0, 0, 1, 2, 2])]}


def test_sums_by_label() -> None:
    at = {"x": RNG.normal(size=5), "w": RNG.normal(size=5), "y": np.array([0, 2, 2, 1, 0])}
    at["g"] = RNG.normal(size=3)
    options = {"mode": "vjp", "cotangent": "g", "wrt": ["x", "w"]}
    found = verdict(labeled, labeled_back, at, **options)
    assert found.ok, str(found)

    def wrong(x: Array, w: Array, y: Array, g: Array) -> Any:
        right = labeled_back(x, w, y, g)
        return {"x": right["x"][::-1], "w": right["w"] * 1.000001}

    assert {f.status for f in verdict(labeled, wrong, at, **options).findings.values()} == {
        "refuted"
    }


def test_bincount_without_a_length() -> None:
    """How long its result is depends on the values."""
    f = lambda x, y: (np.bincount(y, weights=x) ** 2).sum()  # noqa: E731
    at = {"x": RNG.normal(size=3), "y": np.array([0, 2, 1])}
    found = only(verdict(f, lambda x, y: 3 * x, at, wrt=["x"]))
    assert found.status == "disagrees" and "Give minlength=" in found.reason


def guarded(Z: Array) -> Any:
    m = np.full(Z.shape[0], -np.inf)
    m = np.where(np.isneginf(m), Z[:, 0], m)
    return np.where(np.isfinite(m) & ~np.isinf(m), np.exp(m), 0.0).sum()


def test_whether_it_is_infinite() -> None:
    Z = RNG.normal(size=(3, 2))
    b = lambda Z: np.stack([np.exp(Z[:, 0]), 0 * Z[:, 0]], 1)  # noqa: E731
    (found,) = verdict(guarded, b, {"Z": Z}).findings.values()
    assert found.status in ("proved", "agrees"), found.reason
