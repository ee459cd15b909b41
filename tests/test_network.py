"""The network: hand-coded Jacobians against products of SymPy's local ones, any shape, any point.

Shapes and points are drawn by Hypothesis. The derived side shares no code with the gallery.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from chainrule.errors import ShapeError
from chainrule.exhibition import lecture_gradients
from chainrule.gallery import lecture, network
from chainrule.gallery.activations import ACTIVATIONS, Activation
from chainrule.gallery.heart import heart
from chainrule.layers import Network
from chainrule.layers.compare import Comparison, compare
from chainrule.strategies import NetworkPoint, networks

CHOICES = ("sigmoid", "tanh", "relu", "softplus")
Gradients = dict[str, np.ndarray]


def by_hand(activation: Activation) -> Callable[..., Gradients]:
    """The gallery's gradients, by name."""

    def hand(x: Any, y: Any, Ws: Any, bs: Any) -> Gradients:
        dWs, dbs = network.gradients(x, y, Ws, bs, activation)
        named = {f"W{k}": dW for k, dW in enumerate(dWs, 1)}
        return named | {f"b{k}": db for k, db in enumerate(dbs, 1)}

    return hand


def judge(point: NetworkPoint, name: str) -> Comparison:
    """The gallery's gradients at a drawn point, compared."""
    activation = ACTIVATIONS[name]
    derived = Network(point.widths, activation.formula)
    return compare(derived, by_hand(activation), point.x, point.y, point.Ws, point.bs)


@pytest.mark.parametrize("name", CHOICES)
@settings(max_examples=125)
@given(point=networks())
def test_hand_coded_gradients_agree(name: str, point: NetworkPoint) -> None:
    """Every entry of every Jacobian is the derived one, certified, and its float64 code is
    within what rounding explains: 4 × 125 = 500 networks of drawn shape."""
    compared = judge(point, name)
    verdict = compared.verdict
    for key, finding in zip(
        Network(point.widths, "z").shapes(), verdict.findings.values(), strict=True
    ):
        if finding.status == "inconclusive":  # a kink of ReLU, or a gradient that is all but 0
            tiny = compared.derived and np.all(np.abs(compared.derived.floats(key)) < 1e-60)
            assert "at its jump" in finding.reason or tiny, str(verdict)
            continue
        assert finding.status == "agrees", str(verdict)
        assert finding.code is not None and finding.code.status == "accurate", str(verdict)
    if compared.derived is not None:
        assert set(compared.gaps) == set(compared.derived.shapes)


@pytest.mark.parametrize("name", CHOICES)
@settings(max_examples=40)
@given(point=networks(extreme=True, max_depth=3, max_width=3))
def test_extreme_values_never_accuse(name: str, point: NetworkPoint) -> None:
    """At magnitudes from 1e−20 to 1e20, zeros and ties, right code is never refuted."""
    verdict = judge(point, name).verdict
    assert verdict.status in ("agrees", "inconclusive"), str(verdict)


@settings(max_examples=40)
@given(point=networks(max_depth=3))
def test_lambdified_product_is_the_certified_one(point: NetworkPoint) -> None:
    """The float64 product of lambdified local Jacobians is the certified one, to rounding, where
    SymPy's 1 − tanh² does not cancel: lambdified code is no oracle."""
    point = NetworkPoint(
        point.widths,
        point.x / 16,
        point.y / 16,
        tuple(W / 16 for W in point.Ws),
        tuple(b / 16 for b in point.bs),
    )
    derived = Network(point.widths, ACTIVATIONS["tanh"].formula)
    compared = compare(
        derived,
        lambda x, y, Ws, bs: (
            derived.lambdified(x, y, Ws, bs)
            if np.asarray(x).dtype == float
            else by_hand(ACTIVATIONS["tanh"])(x, y, Ws, bs)
        ),
        point.x,
        point.y,
        point.Ws,
        point.bs,
    )
    verdict = compared.verdict
    assert verdict.ok, str(verdict)
    for finding in verdict.findings.values():
        assert finding.code is not None and finding.code.status == "accurate", str(verdict)


Fault = Callable[[Gradients], Gradients]
FAULTS: dict[str, Fault] = {
    "no 1/N": lambda g: g | {"W1": g["W1"] * 4},
    "one entry by 1e-9": lambda g: g | {"W2": g["W2"] * _one_entry(g["W2"].shape)},
    "transposed": lambda g: g | {"W2": np.ascontiguousarray(g["W2"].T)},
    "sign": lambda g: g | {"b3": -g["b3"]},
    "factor two": lambda g: g | {"b1": g["b1"] * 2},
    "swapped rows": lambda g: g | {"W3": g["W3"][::-1]},
    "a bias not summed": lambda g: g | {"b2": g["b2"] / 3},
}


def _one_entry(shape: tuple[int, ...]) -> np.ndarray:
    factor = np.ones(shape, dtype=object)
    factor[-1, 0] = 1 + 2.0**-30
    return factor


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_refuted(fault: str) -> None:
    """A planted fault is refuted with a witness, in its own Jacobian and in no other."""
    rng = np.random.default_rng(4)
    widths = (2, 3, 3, 2)
    Ws, bs = network.parameters(widths, rng)
    x, y = rng.normal(size=(2, 4)), rng.normal(size=(2, 4))
    activation = ACTIVATIONS["sigmoid"]
    right = by_hand(activation)
    changed = {
        k
        for k, v in FAULTS[fault](right(x, y, Ws, bs)).items()
        if v is not None
        and (
            np.shape(v) != right(x, y, Ws, bs)[k].shape
            or np.any(np.asarray(v, dtype=float) != right(x, y, Ws, bs)[k])
        )
    }
    verdict = compare(
        Network(widths, activation.formula),
        lambda *a: FAULTS[fault](right(*a)),
        x,
        y,
        Ws,
        bs,
        name="{}",
    ).verdict
    refuted = {k for k, f in verdict.findings.items() if f.status == "refuted"}
    assert refuted == changed and len(changed) == 1, str(verdict)
    assert all(verdict.findings[k].witness is not None for k in refuted)


def test_the_page_in_its_own_style() -> None:
    """J_W1 … J_b3 with weights as globals agree on the 1-6-7-2 network, for the heart's data, with
    random, saturated and trained weights; the globals are as before."""
    before = {k: getattr(lecture, k) for k in ("W1", "W2", "W3", "b1", "b2", "b3")}
    widths = (1, 6, 7, 2)
    derived = Network(widths, ACTIVATIONS["sigmoid"].formula)
    x, y = (a[:, ::20] for a in heart(100))
    rng = np.random.default_rng(1)
    drawn = network.parameters(widths, rng)
    trained = network.descend(
        *heart(100), *drawn, ACTIVATIONS["sigmoid"], rate=7.0, iterations=200
    )[:2]
    saturated = tuple([50 * p for p in part] for part in drawn)
    for Ws, bs in (drawn, trained, saturated):
        verdict = compare(derived, lecture_gradients, x, y, Ws, bs).verdict
        assert {f.status for f in verdict.findings.values()} == {"agrees"}, str(verdict)
    assert all(getattr(lecture, k) is v for k, v in before.items())


def test_two_rows_of_input_show_x_size() -> None:
    """With two input rows x.size is 2N: the lecture's J_W1 then is half of the mean's gradient,
    and that is refuted with a ratio that says so."""
    widths = (2, 3, 3, 2)
    rng = np.random.default_rng(0)
    Ws, bs = network.parameters(widths, rng)
    x, y = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    derived = Network(widths, ACTIVATIONS["sigmoid"].formula)
    compared = compare(derived, lecture_gradients, x, y, Ws, bs, name="{}")
    truth = compared.derived
    assert compared.verdict.status == "refuted" and truth is not None
    hand = lecture_gradients(x, y, Ws, bs)
    np.testing.assert_allclose(2 * hand["W1"], truth.floats("W1"), rtol=1e-12)


def test_shapes_that_do_not_fit_are_named() -> None:
    """A weight of the wrong shape is a ShapeError that names it and both shapes."""
    Ws, bs = network.parameters((1, 2, 1), np.random.default_rng(0))
    with pytest.raises(ShapeError, match=r"W2 must have the shape \(1, 2\) and has \(2, 1\)"):
        Network((1, 2, 1), "tanh(z)").gradients(
            np.ones((1, 1)), np.ones((1, 1)), [Ws[0], Ws[1].T], bs
        )
