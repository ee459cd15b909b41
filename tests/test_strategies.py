"""The strategies draw what they promise."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.strategies import NetworkPoint, arrays, chains, networks, points


def test_matrices_are_not_constant() -> None:
    """Constant matrices are rare (Hypothesis' own default makes a fifth of them so)."""
    constant = total = 0

    @settings(max_examples=200, database=None, derandomize=True)
    @given(arrays((6, 7)))
    def draw(a: np.ndarray) -> None:
        nonlocal constant, total
        total += 1
        constant += bool(np.all(a == a.flat[0]))

    draw()
    assert total >= 200 and constant < 0.05 * total


@given(networks(max_depth=3))
def test_networks_fit_together(point: NetworkPoint) -> None:
    """Widths, weights, biases and data have matching shapes."""
    assert point.x.shape[0] == point.widths[0] and point.y.shape[0] == point.widths[-1]
    assert point.x.shape[1] == point.y.shape[1]
    for W, b, m, n in zip(point.Ws, point.bs, point.widths[1:], point.widths, strict=False):
        assert W.shape == (m, n) and b.shape == (m, 1)


@given(st.data())
def test_points_fit_the_derivation(data: st.DataObject) -> None:
    """A drawn point can be evaluated, and is accepted as the user's own."""
    d = cr.derive({"z": "W @ a + c"}, of="z", wrt=("W", "a"), shapes={"W": (2, 3), "a": 3})
    point = data.draw(points(d, extreme=True))
    assert set(point) == {"W", "a", "c"}
    assert np.shape(d.evaluate(**point)) == (2, 9)


@settings(max_examples=30)
@given(chains())
def test_chains_derive(chain: tuple[dict[str, str], str, tuple[str, ...]]) -> None:
    """A drawn chain is acyclic, and both routes to its derivative agree."""
    definitions, of, wrt = chain
    d = cr.derive(definitions, of=of, wrt=wrt)
    assert "agree" in d.steps[-1].says or "too long" in d.steps[-1].says
