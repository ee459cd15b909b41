"""The running error of large arrays, whose magnitudes are taken in single precision, is a bound."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from chainrule.graph.node import Graph
from chainrule.values import running_sums
from chainrule.values.float64 import bounded

N, K, M = 60, 64, 20  # 76,800 products


def exactly(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A product of matrices of fractions or floats, without rounding."""
    to = np.frompyfunc(Fraction, 1, 1)
    return np.asarray(to(a) @ to(b))


def test_they_are_large() -> None:
    assert N * K * M >= running_sums.LARGE


@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e12, 1e-30, 1e30, 1e-150, 1e100])
@pytest.mark.parametrize("seed", range(3))
def test_a_chain_of_products_is_within_its_bound(scale: float, seed: int) -> None:
    """W₂(W₁x − ½) against fractions: exact inputs first, then errors that go through a product."""
    rng = np.random.default_rng(seed)
    spread = np.exp(rng.normal(size=(N, K)) * (3 if seed else 0))
    W2, W1 = rng.normal(size=(N, K)) * spread, rng.normal(size=(K, K)) * scale
    x = rng.normal(size=(K, M))
    if seed == 2:
        W2[rng.random(W2.shape) < 0.9] = 0.0
        x[3] = 0.0
    g = Graph({"n": N, "k": K, "m": M})
    n, k, m = (g.axis(a, s) for a, s in g.env.items())
    A, B, X = g.input("W2", (n, k)), g.input("W1", (k, g.size(k))), g.input("x", (k, m))
    inner = g.einsum("ij,jk->ik", B, X)
    outer = g.einsum("ij,jk->ik", A, g.sub(inner, g.number(Fraction(1, 2))))
    pairs = bounded([inner, outer], {"W2": W2, "W1": W1, "x": x})
    first = exactly(W1, x)
    second = exactly(W2, first - Fraction(1, 2))
    for (value, bound), truth in zip(pairs, (first, second), strict=True):
        off = np.abs(np.frompyfunc(Fraction, 1, 1)(value) - truth)
        assert (off <= np.frompyfunc(Fraction, 1, 1)(bound)).all()
        scales = np.abs(value).max()
        assert bound.max() <= 1e-11 * scales  # and it says something


def test_what_no_single_number_holds_goes_the_other_way() -> None:
    """Beyond single precision the bound is taken in double; what overflows there is untold."""
    g = Graph({"n": N, "k": K, "m": M})
    n, k, m = (g.axis(a, s) for a, s in g.env.items())
    node = g.einsum("ij,jk->ik", g.input("a", (n, k)), g.input("b", (k, m)))
    a, b = np.full((N, K), 1e60), np.full((K, M), 3.0)
    ((value, bound),) = bounded([node], {"a": a, "b": b})
    assert np.isfinite(bound).all() and (bound >= np.spacing(value) / 2).all()
    a[0, 0] = 1e308
    b[0, 0] = 1e10
    ((value, bound),) = bounded([node], {"a": a, "b": b})
    assert np.isinf(bound[0, 0]) and np.isfinite(bound[1, 1])


def test_sums_of_many_entries_within_their_bound() -> None:
    """x·y + z − x elementwise, 5,000 entries."""
    rng = np.random.default_rng(5)
    g = Graph({"n": 5000})
    x, y, z = (g.input(name, (g.axis("n", 5000),)) for name in "xyz")
    p = g.mul(x, y)
    q = g.sub(g.add(p, z), x)
    r = g.mul(q, p)
    at = {name: rng.normal(size=5000) * 10.0 ** rng.integers(-9, 9, 5000) for name in "xyz"}
    made = bounded([p, q, r], at)
    exact = {name: np.frompyfunc(Fraction, 1, 1)(value) for name, value in at.items()}
    P = exact["x"] * exact["y"]
    Q = P + exact["z"] - exact["x"]
    for (value, bound), truth in zip(made, (P, Q, Q * P), strict=True):
        off = np.abs(np.frompyfunc(Fraction, 1, 1)(value) - truth)
        assert (off <= np.frompyfunc(Fraction, 1, 1)(bound)).all()
