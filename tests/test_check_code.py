"""Code on both sides: right code is never accused, wrong code is shown where it is wrong."""

from __future__ import annotations

import functools
import importlib
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.gallery import lecture, network
from chainrule.gallery.activations import ACTIVATIONS
from chainrule.verdict import Finding

Array = Any
RNG = np.random.default_rng(5)
X, Y = RNG.standard_normal((1, 5)), RNG.random((2, 5))
POINT = {"x": X, "y": Y}
SIX = {name: getattr(lecture, f"J_{name}") for name in ("W1", "W2", "W3", "b1", "b2", "b3")}


def only(verdict: cr.Verdict) -> Finding:
    """The finding of a verdict that has one."""
    (finding,) = verdict.findings.values()
    return finding


# -- the page's six Jacobians ----------------------------------------------------------------------


def test_the_six_jacobians_of_the_page_agree() -> None:
    """Code as it stands, weights in globals: every one agrees, at other sizes too."""
    before = [getattr(lecture, n).copy() for n in SIX]
    verdict = cr.check(lecture.cost, SIX, at=POINT)
    assert {k: f.status for k, f in verdict.findings.items()} == dict.fromkeys(SIX, "proved")
    assert verdict
    for finding in verdict.findings.values():
        assert finding.scope.followed == "traced" and finding.code is not None
        assert finding.code.status == "accurate" and "every shape: x (n0×N)" in str(finding.scope)
    assert all((getattr(lecture, n) == b).all() for n, b in zip(SIX, before, strict=True))


def _delta(x: Array, y: Array) -> Any:
    a0, z1, a1, z2, a2, z3, a3 = lecture.network_function(x)
    return 2 * (a3 - y) / x.size * lecture.d_sigma(z3), a2, z2, a1, z1, a0


def factor_two(x: Array, y: Array) -> Any:
    return 2 * lecture.J_W2(x, y)


def tiny_factor(x: Array, y: Array) -> Any:
    return lecture.J_W2(x, y) * (1 + 1e-9)


def transposed(x: Array, y: Array) -> Any:
    return lecture.J_W2(x, y).T


def slope_at_a(x: Array, y: Array) -> Any:
    _, _z1, a1, _z2, a2, z3, a3 = lecture.network_function(x)
    J = 2 * (a3 - y) / x.size * lecture.d_sigma(z3)
    return ((J.T @ lecture.W3).T * lecture.d_sigma(a2)) @ a1.T


def wrong_layer(x: Array, y: Array) -> Any:
    _, _z1, a1, z2, _a2, z3, a3 = lecture.network_function(x)
    J = 2 * (a3 - y) / x.size * lecture.d_sigma(z3)
    return ((J.T @ lecture.W3).T * lecture.d_sigma(z2)) @ (a1 * a1).T


def one_entry(x: Array, y: Array) -> Any:
    J = lecture.J_W2(x, y)
    J[0, 0] = J[0, 0] + 1e-12
    return J


def other_count(x: Array, y: Array) -> Any:
    return lecture.J_W2(x, y) * x.size / x.shape[1]


def sign(x: Array, y: Array) -> Any:
    return -lecture.J_W2(x, y)


WRONG = (factor_two, tiny_factor, transposed, slope_at_a, wrong_layer, one_entry, other_count, sign)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda f: f.__name__)
def test_a_wrong_variant_is_refuted_in_its_own_finding(wrong: Any) -> None:
    """Each planted error is found, by a certified witness, and nothing else is accused."""
    verdict = cr.check(
        lecture.cost, {"W3": lecture.J_W3, "W2": wrong, "b2": lecture.J_b2}, at=POINT
    )
    statuses = {k: f.status for k, f in verdict.findings.items()}
    finding = verdict.findings["W2"]
    if wrong is other_count:  # x has one row here, and so far it is right
        assert statuses == dict.fromkeys(statuses, "proved")
        (one,) = finding.scope.conditions
        assert one.endswith(" = 1") and f"where {one} does not hold, the two are apart" in str(
            finding.reason
        )
        return
    assert statuses == {"W3": "proved", "W2": "refuted", "b2": "proved"}
    assert finding.witness is not None and finding.name == wrong.__name__
    if wrong is transposed:
        assert finding.witness.where == "shape" and "transpose" in finding.reason
        assert (finding.witness.claimed, finding.witness.derived) == ("(6×7)", "(7×6)")
    else:
        assert finding.witness.where == "interior" and finding.witness.bits == (160, 320)
        assert finding.witness.claimed != finding.witness.derived
        assert "⊙" in str(finding.correction)
    assert not verdict


def test_how_small_a_difference_is() -> None:
    """Where the decimals look alike, the reason says how far they are apart."""
    finding = only(cr.check(lecture.cost, {"W2": tiny_factor}, at=POINT))
    assert "(apart by 1.0e-09 of its value)" in finding.reason


def mean_for_sum(x: Array, y: Array) -> Any:
    return np.mean(_delta(x, y)[0], axis=1, keepdims=True)


def missing_sum(x: Array, y: Array) -> Any:
    return _delta(x, y)[0]


def test_a_bias_with_mean_for_sum_is_refuted() -> None:
    """The mean over the samples has the right shape, and N times too small a value."""
    finding = only(cr.check(lecture.cost, {"b3": mean_for_sum}, at=POINT))
    assert finding.status == "refuted" and finding.witness is not None
    assert finding.witness.where == "interior"


def test_a_bias_without_its_sum_has_the_wrong_shape() -> None:
    """Both shapes are shown."""
    finding = only(cr.check(lecture.cost, {"b3": missing_sum}, at=POINT))
    assert finding.status == "refuted"
    assert "missing_sum has the shape (2×5), and ∂cost/∂b3 has (2×1)" in finding.reason


def test_the_count_of_samples_is_right_where_x_has_one_row() -> None:
    """x.shape[1] for x.size: one row may be all there ever is, so it is a condition, and said."""
    finding = only(cr.check(lecture.cost, {"W2": other_count}, at=POINT))
    (one,) = finding.scope.conditions
    assert finding.status == "proved" and one.endswith(" = 1")
    assert f"where {one} does not hold, the two are apart" in finding.reason
    assert f"proved, for {one}" in str(cr.check(lecture.cost, {"W2": other_count}, at=POINT))
    wide = {**POINT, "x": np.ones((2, 5)), "W1": np.ones((6, 2))}
    assert only(cr.check(lecture.cost, {"W2": other_count}, at=wide)).status == "refuted"


def eval_list(text: str) -> Any:
    """A point's text is Python."""
    import ast

    return ast.literal_eval(text)


def test_a_witness_can_be_pasted_and_seen() -> None:
    """The point of a witness, put in, gives the two numbers that it shows."""
    finding = only(cr.check(lecture.cost, {"W2": factor_two}, at=POINT))
    assert finding.witness is not None
    values = {k: np.array(eval_list(v)) for k, v in finding.witness.point.items()}
    kept = {n: getattr(lecture, n) for n in SIX}
    try:
        for n in SIX:
            setattr(lecture, n, values[n])
        yours = factor_two(values["x"], values["y"])[finding.witness.entry]
    finally:
        for n, v in kept.items():
            setattr(lecture, n, v)
    assert yours == pytest.approx(float(finding.witness.claimed.rstrip("…")), rel=1e-12)
    assert yours / 2 == pytest.approx(float(finding.witness.derived.rstrip("…")), rel=1e-12)


def test_how_a_refutation_reads() -> None:
    """What is wrong, where, both values, the right formula, the scope."""
    text = str(cr.check(lecture.cost, {"b3": mean_for_sum}, at=POINT))
    assert text.startswith("mean_for_sum is wrong: refuted\n")
    for line in ("because    its value is not ∂cost/∂b3 at", "at         x = [[", "yours ",
                 "derived ", "certified  the enclosures at 160 and 320 bits",
                 "correct    2/", "scope      x (1×5), y (2×5)"):  # fmt: skip
        assert f"\n  {line}" in text


# -- the network of any depth ----------------------------------------------------------------------


SIGMOID = ACTIVATIONS["sigmoid"]
WS, BS = network.parameters([2, 3, 2], np.random.default_rng(0))
NET = {"x": RNG.standard_normal((2, 4)), "y": RNG.random((2, 4)), "Ws": WS, "bs": BS}


def net_cost(x: Array, y: Array, Ws: Any, bs: Any) -> Any:
    return network.cost(x, y, Ws, bs, SIGMOID)


def net_gradients(x: Array, y: Array, Ws: Any, bs: Any) -> Any:
    return network.gradients(x, y, Ws, bs, SIGMOID)


def net_gradients_by_name(x: Array, y: Array, Ws: Any, bs: Any) -> Any:
    dWs, dbs = network.gradients(x, y, Ws, bs, SIGMOID)
    return {"Ws": dWs, "bs": dbs}


def net_gradients_wrong(x: Array, y: Array, Ws: Any, bs: Any) -> Any:
    dWs, dbs = network.gradients(x, y, Ws, bs, SIGMOID)
    return [dWs[0] * 3, dWs[1]], dbs


def test_lists_of_parameters() -> None:
    """Ws and bs are lists; so is what is returned, in the same order."""
    verdict = cr.check(net_cost, net_gradients, at=NET, wrt=("Ws", "bs"))
    assert {k: f.status for k, f in verdict.findings.items()} == dict.fromkeys(
        ("Ws[0]", "Ws[1]", "bs[0]", "bs[1]"), "proved"
    )


def test_lists_in_a_dict() -> None:
    """A dict by name, whose values are lists; wrt is read from it."""
    verdict = cr.check(net_cost, net_gradients_by_name, at=NET)
    assert verdict.ok and set(verdict.findings) == {"Ws[0]", "Ws[1]", "bs[0]", "bs[1]"}


def test_one_wrong_layer_among_lists() -> None:
    """Only the wrong one is refuted, and it is named as it was returned."""
    verdict = cr.check(net_cost, net_gradients_wrong, at=NET, wrt=("Ws", "bs"))
    assert [f.status for f in verdict.findings.values()] == ["refuted", *["proved"] * 3]
    assert verdict.findings["Ws[0]"].name == "net_gradients_wrong[0][0]"


# -- scipy's Rosenbrock function -------------------------------------------------------------------


@pytest.fixture()
def optimize() -> ModuleType:
    """scipy.optimize, where it is installed."""
    pytest.importorskip("scipy")
    return importlib.import_module("scipy.optimize")


AT = {"x": np.array([0.7, -1.2, 0.4, 2.0, 1.5])}


def test_scipys_rosenbrock_gradient(optimize: ModuleType) -> None:
    """Code of a library, as it is: slices, buffers, corner entries."""
    assert cr.check(optimize.rosen, optimize.rosen_der, at=AT, mode="gradient").status == "proved"


def test_scipys_rosenbrock_hessian(optimize: ModuleType) -> None:
    """A matrix of second derivatives, built from diagonals."""
    verdict = cr.check(optimize.rosen, optimize.rosen_hess, at=AT, mode="hessian")
    assert only(verdict).status == "proved"


def test_a_wrong_rosenbrock_gradient(optimize: ModuleType) -> None:
    """The last entry alone is wrong."""

    def wrong(x: Array) -> Any:
        out = optimize.rosen_der(x)
        out[-1] = 200 * (x[-1] - x[-2])
        return out

    finding = only(cr.check(optimize.rosen, wrong, at=AT))
    assert finding.status == "refuted" and finding.witness is not None


# -- cotangents, tangents, Jacobians ---------------------------------------------------------------


def dense(x: Array, W: Array, b: Array) -> Any:
    return x @ W + b


LAYER = {"x": RNG.standard_normal((4, 3)), "W": RNG.standard_normal((3, 2)), "b": np.ones(2)}


def dense_back(dout: Array, x: Array, W: Array) -> Any:
    return dout @ W.T, x.T @ dout, dout.sum(axis=0)


def dense_back_wrong(dout: Array, x: Array, W: Array) -> Any:
    return dout @ W.T, x.T @ dout, dout.mean(axis=0)


def test_a_layer_by_its_cotangent() -> None:
    """The argument that forward does not have takes the cotangent; a tuple in forward's order."""
    verdict = cr.check(dense, dense_back, at=LAYER)
    assert {k: f.status for k, f in verdict.findings.items()} == {
        "x": "proved", "W": "proved", "b": "proved",
    }  # fmt: skip


def test_a_wrong_layer_by_its_cotangent() -> None:
    """The witness holds the cotangent, too."""
    verdict = cr.check(dense, dense_back_wrong, at=LAYER, cotangent="dout")
    assert [f.status for f in verdict.findings.values()] == ["proved", "proved", "refuted"]
    witness = verdict.findings["b"].witness
    assert witness is not None and "dout" in witness.point
    assert verdict.findings["b"].name == "dense_back_wrong[2]"


def test_a_cotangent_can_be_given() -> None:
    """Its value at the user's point comes from at."""
    dout = np.arange(8.0).reshape(4, 2)
    assert cr.check(dense, dense_back, at={**LAYER, "dout": dout}).ok
    with pytest.raises(cr.UsageError, match="dout has the shape"):
        cr.check(dense, dense_back, at={**LAYER, "dout": dout[:2]})


def softmax(z: Array) -> Any:
    e = np.exp(z - np.max(z))
    return e / np.sum(e)


def softmax_jacobian(z: Array) -> Any:
    s = softmax(z)
    return np.diag(s) - np.outer(s, s)


def softmax_vjp(z: Array, g: Array) -> Any:
    s = softmax(z)
    return s * (g - np.sum(g * s))


Z = {"z": np.array([0.3, -1.0, 2.0])}


def test_a_jacobian() -> None:
    """The output's shape, then the input's."""
    finding = only(cr.check(softmax, softmax_jacobian, at=Z))
    assert finding.status == "proved"


def test_a_jacobian_without_its_diagonal() -> None:
    """Wrong on the diagonal only."""

    def wrong(z: Array) -> Any:
        s = softmax(z)
        return -np.outer(s, s)

    finding = only(cr.check(softmax, wrong, at=Z, mode="jacobian"))
    assert finding.status == "refuted" and finding.witness is not None
    assert finding.witness.entry[0] == finding.witness.entry[1]


def test_a_vjp_of_softmax() -> None:
    """The maximum that is taken away for safety does no harm."""
    assert only(cr.check(softmax, softmax_vjp, at=Z)).status == "proved"


def test_a_jvp() -> None:
    """The tangent of the output; one finding, named after the output."""

    def tangent(z: Array, v: Array) -> Any:
        s = softmax(z)
        return s * (v - np.sum(s * v))

    def wrong(z: Array, v: Array) -> Any:
        return softmax(z) * v

    verdict = cr.check(softmax, tangent, at=Z, wrt="z", mode="jvp", tangent="v")
    assert verdict.ok and list(verdict.findings) == ["softmax"]
    verdict = cr.check(softmax, wrong, at=Z, tangent="v")
    assert verdict.status == "refuted"


# -- how gradients are returned --------------------------------------------------------------------


def fit(a: float, b: float, t: Array, y: Array) -> Any:
    return np.sum((a * np.exp(-b * t) - y) ** 2)


def fit_dict(a: float, b: float, t: Array, y: Array) -> Any:
    r = 2 * (a * np.exp(-b * t) - y)
    return {"a": np.sum(r * np.exp(-b * t)), "b": np.sum(-r * a * t * np.exp(-b * t))}


FIT = {"a": 1.5, "b": 0.5, "t": np.array([0.1, 1.0, 2.0]), "y": np.array([1.0, 0.5, 0.2])}


def test_scalars_and_a_dict() -> None:
    """Floats are inputs like arrays; wrt comes from the dict."""
    verdict = cr.check(fit, fit_dict, at=FIT)
    assert verdict.ok and list(verdict.findings) == ["a", "b"]
    assert verdict.findings["b"].name == 'fit_dict["b"]'


def test_a_tuple_and_wrt() -> None:
    """Positions in the order of wrt; the wrong order is wrong."""

    def backward(a: float, b: float, t: Array, y: Array) -> Any:
        return tuple(fit_dict(a, b, t, y).values())

    assert cr.check(fit, backward, at=FIT, wrt=("a", "b")).ok
    verdict = cr.check(fit, backward, at=FIT, wrt=("b", "a"))
    assert [f.status for f in verdict.findings.values()] == ["refuted", "refuted"]


def test_a_list_of_numbers_is_an_array() -> None:
    """[∂f/∂x₀, ∂f/∂x₁] for an x of two entries."""

    def f(x: Array) -> Any:
        return x[0] ** 2 * x[1]

    def g(x: Array) -> Any:
        return [2 * x[0] * x[1], x[0] ** 2]

    assert cr.check(f, g, at={"x": np.array([1.5, -2.0])}).ok


def test_d_before_a_name() -> None:
    """dW and d_b are what one calls them."""

    def f(W: Array, b: Array) -> Any:
        return np.sum(W * W) + np.sum(b**3)

    def g(W: Array, b: Array) -> Any:
        return {"dW": 2 * W, "d_b": 3 * b**2}

    verdict = cr.check(f, g, at={"W": np.eye(2), "b": np.ones(3)})
    assert verdict.ok and list(verdict.findings) == ["W", "b"]


def test_one_argument_of_another_name() -> None:
    """f(x) against g(t): there is nothing else that t could be."""

    def f(x: Array) -> Any:
        return np.sum(np.sin(x))

    assert cr.check(f, lambda t: np.cos(t), at={"x": np.array([0.4, 2.0])}).ok


def test_arguments_of_any_kind() -> None:
    """By keyword only, with defaults, as **kwargs, as *args, bound by partial."""

    def f(x: Array, *, k: float = 2.0) -> Any:
        return np.sum(k * x * x)

    at = {"x": np.array([1.0, -2.0]), "k": 3.0}
    assert cr.check(f, lambda x, *, k=2.0: 2 * k * x, at=at, wrt="x").ok
    assert cr.check(f, lambda x, k=2.0: 2 * k * x, at={"x": at["x"]}).ok
    assert cr.check(f, lambda **given: 2 * given["k"] * given["x"], at=at, wrt="x").ok
    assert cr.check(np.dot, lambda *given: (given[1], given[0]), at={"a": at["x"], "b": at["x"]}).ok
    ten = functools.partial(lambda x, c: c * x, c=10.0)
    assert cr.check(functools.partial(f, k=5.0), ten, at={"x": at["x"]}).ok


def test_a_size_that_is_written_out() -> None:
    """np.ones(3) for x of three entries: nothing is said of other sizes."""
    finding = only(cr.check(lambda x: np.sum(x), lambda x: np.ones(3), at=SQUARE))
    assert finding.status == "proved" and finding.scope.shapes == "x (3)"


def test_values_that_are_no_numbers() -> None:
    """nan and inf in the user's point: drawn points decide."""
    for bad in (np.nan, np.inf):
        finding = only(cr.check(square, lambda x: 2 * x, at={"x": np.array([bad, 1.0])}))
        assert finding.status == "proved" and "your own among" not in finding.reason


def test_a_derivation_in_place_of_the_function() -> None:
    """What derive gave is checked against, at its own point."""
    d = cr.derive(fit, at=FIT, wrt=("a", "b"))
    assert cr.check(d, fit_dict).ok
    assert cr.check(d, fit_dict, at={"a": -3.0}).ok


def test_assert_derivative() -> None:
    """Nothing for right code; for wrong code an AssertionError with the whole text."""
    assert cr.assert_derivative(lecture.cost, {"b3": lecture.J_b3}, at=POINT).ok
    with pytest.raises(cr.DerivativeError, match="mean_for_sum is wrong: refuted"):
        cr.assert_derivative(lecture.cost, {"b3": mean_for_sum}, at=POINT)
    assert cr.assert_derivative(lecture.cost, {"b3": lecture.J_b3}, at=POINT, require="proved")
    with pytest.raises(cr.DerivativeError):
        cr.assert_derivative(
            lambda x: np.sum(np.where(x > 0, x, 0)) if x[0] > 3 else np.sum(x),
            lambda x: np.ones_like(x),
            at={"x": np.array([1.0, -2.0])},
            require="proved",
        )


def test_places_in_the_point() -> None:
    """W3 of another value, and of another number of columns with W2 and b2, for the call alone."""
    kept = lecture.W3
    at = {**POINT, "W3": np.full((2, 7), 0.25)}
    verdict = cr.check(lecture.cost, {"W3": lecture.J_W3, "b3": lecture.J_b3}, at=at)
    assert verdict.ok and lecture.W3 is kept
    at |= {"W3": np.ones((2, 3)), "W2": np.ones((3, 6)), "b2": np.ones((3, 1))}
    verdict = cr.check(lecture.cost, {"W3": lecture.J_W3, "b3": mean_for_sum}, at=at)
    assert [f.status for f in verdict.findings.values()] == ["proved", "refuted"]
    assert "W3 (n3×n2)" in verdict.findings["W3"].scope.shapes and lecture.W3 is kept


def test_places_that_backward_takes_as_arguments() -> None:
    """Weights in globals on one side, arguments of the same names on the other."""

    def backward(x: Array, y: Array, W3: Array, b3: Array) -> Any:
        a2 = lecture.network_function(x)[4]
        a3 = lecture.sigma(W3 @ a2 + b3)
        return 2 * (a3 - y) / x.size * a3 * (1 - a3) @ a2.T

    assert only(cr.check(lecture.cost, {"W3": backward}, at=POINT)).status == "proved"


def test_a_verdict_is_data() -> None:
    """JSON, a pickle, and the same verdict again."""
    import json
    import pickle

    verdict = cr.check(fit, fit_dict, at=FIT)
    assert json.loads(json.dumps(verdict.to_dict()))["findings"]["a"]["status"] == "proved"
    assert str(pickle.loads(pickle.dumps(verdict))) == str(verdict)
    assert str(cr.check(fit, fit_dict, at=FIT)) == str(verdict)


# -- questions that make no sense ------------------------------------------------------------------


def test_what_cannot_be_asked() -> None:
    """Each message says what to do."""
    x = np.array([1.0, 2.0])

    def f(x: Array) -> Any:
        return np.sum(x * x)

    with pytest.raises(cr.UsageError, match="mode='slope': it must be one of gradient"):
        cr.check(f, lambda x: 2 * x, at={"x": x}, mode="slope")  # type: ignore[arg-type]
    with pytest.raises(cr.UsageError, match="give the function that computes"):
        cr.check(f, 2 * x, at={"x": x})
    with pytest.raises(cr.UsageError, match="nothing to check"):
        cr.check(f, {}, at={"x": x})
    with pytest.raises(cr.UsageError, match="needs cache, which f does not have"):
        cr.check(f, lambda x, cache: 2 * x, at={"x": x})
    with pytest.raises(cr.UsageError, match="has no argument g"):
        cr.check(lambda x: x * x, lambda x: 2 * x, at={"x": x}, cotangent="g")
    with pytest.raises(cr.UsageError, match="speaks of a scalar"):
        cr.check(lambda x: x * x, lambda x: 2 * x, at={"x": x}, mode="hessian")
    with pytest.raises(cr.UsageError, match="has no cotangent and no tangent"):
        cr.check(f, lambda x: 2 * x, at={"x": x}, mode="gradient", cotangent="x")
    with pytest.raises(cr.UsageError, match="say with wrt= whose derivatives"):
        cr.check(f, lambda x: (x, x, x), at={"x": x})
    with pytest.raises(cr.UsageError, match="wrt= names b3, and no function is given"):
        cr.check(lecture.cost, {"W3": lecture.J_W3}, at=POINT, wrt=("W3", "b3"))
    with pytest.raises(cr.UsageError, match="speaks of a function's code"):
        cr.check(cr.derive({"f": "t**2"}, of="f", wrt="t"), "2*t", wrt="t")  # type: ignore[call-overload]
    with pytest.raises(cr.UsageError, match="check needs a Derivation and got a str"):
        cr.check("f", lambda x: 2 * x)  # type: ignore[arg-type]


def test_several_outputs_need_of() -> None:
    """of= picks the one whose derivative is claimed."""

    def f(x: Array) -> Any:
        return {"loss": np.sum(x * x), "mean": np.mean(x)}

    def g(x: Array) -> Any:
        return 2 * x

    with pytest.raises(cr.UsageError, match="say with of="):
        cr.check(f, g, at={"x": np.array([1.0, 3.0])})
    assert cr.check(f, g, at={"x": np.array([1.0, 3.0])}, of="loss").ok
    assert cr.check(f, g, at={"x": np.array([1.0, 3.0])}, of="mean").status == "refuted"


# -- the contract ----------------------------------------------------------------------------------


def square(x: Array) -> Any:
    return np.sum(x * x)


SQUARE = {"x": np.array([1.0, -2.0, 3.0])}


def test_no_value_at_all() -> None:
    """A forgotten return."""

    def g(x: Array) -> None:
        _ = 2 * x

    finding = only(cr.check(square, g, at=SQUARE))
    assert finding.status == "refuted" and finding.reason.endswith("is a return missing?")


def test_none_for_one_name() -> None:
    """One of two is None; the other is judged all the same."""

    def g(a: float, b: float, t: Array, y: Array) -> Any:
        return {"a": fit_dict(a, b, t, y)["a"], "b": None}

    verdict = cr.check(fit, g, at=FIT)
    assert {k: f.status for k, f in verdict.findings.items()} == {"a": "proved", "b": "refuted"}
    assert "returns None for b; is a return missing?" in verdict.findings["b"].reason


def test_names_missing_and_unknown() -> None:
    """A name that wrt asks for, and one that means nothing."""

    def g(a: float, b: float, t: Array, y: Array) -> Any:
        return {"a": fit_dict(a, b, t, y)["a"], "c": 1.0}

    verdict = cr.check(fit, g, at=FIT, wrt=("a", "b"))
    assert verdict.findings["a"].status == "proved" and not verdict.ok
    assert "returns no 'b'; it returns 'a', 'c'" in verdict.findings["b"].reason
    assert "returns 'c', which is none of" in verdict.findings["g ['c']"].reason


def test_complex_and_object_values() -> None:
    """Neither is a real derivative."""
    finding = only(cr.check(square, lambda x: 2 * x + 0j, at=SQUARE, wrt="x"))
    assert finding.status == "inconclusive" and "complex values" in finding.reason
    finding = only(cr.check(square, lambda x: (2 * x).astype(object), at=SQUARE, wrt="x"))
    assert finding.status == "inconclusive" and "object values" in finding.reason


def test_an_exception_with_its_line() -> None:
    """The user's own file, line and text."""

    def g(x: Array) -> Any:
        y = np.ones((2, 2))
        return y @ x

    finding = only(cr.check(square, g, at=SQUARE))
    assert finding.status == "inconclusive" and "g raises ValueError at " in finding.reason
    assert "test_check_code.py:" in finding.reason and "(return y @ x)" in finding.reason


def test_an_argument_that_is_written_to() -> None:
    """Right values, and a finding of its own for what it does to x; x is as it was."""

    def g(x: Array) -> Any:
        x *= 2
        return x.copy()

    x = SQUARE["x"].copy()
    verdict = cr.check(square, g, at={"x": x})
    assert verdict.findings["x"].status == "proved" and not verdict.ok
    assert verdict.findings["g writes into"].reason.startswith("g writes into x; work on a copy")
    assert str(verdict).startswith("g breaks the contract: inconclusive")
    assert (x == SQUARE["x"]).all()


WEIGHT = np.array([1.0, 2.0, 3.0])
COUNTER = [0]


def weighted(x: Array) -> Any:
    return np.sum(WEIGHT * x * x)


def stepping(x: Array) -> Any:
    global WEIGHT
    J = 2 * WEIGHT * x
    WEIGHT = WEIGHT - 0.1 * J
    return J


def stepping_in_place(x: Array) -> Any:
    J = x * x
    np.subtract(WEIGHT, 0.1 * J, out=WEIGHT)
    return J


def test_a_global_that_is_changed_is_named_and_restored() -> None:
    """A training step inside of the gradient: named; the weights are the same object as before."""
    before, values = WEIGHT, WEIGHT.copy()
    verdict = cr.check(weighted, {"x": stepping}, at=SQUARE)
    assert any("WEIGHT" in f.reason and "put back" in f.reason for f in verdict.findings.values())
    assert not verdict.ok
    assert before is globals()["WEIGHT"] and (WEIGHT == values).all()
    verdict = cr.check(weighted, {"WEIGHT": stepping_in_place}, at=SQUARE)
    assert not verdict.ok and (WEIGHT == values).all()
    assert any("writes into WEIGHT" in f.reason for f in verdict.findings.values())


def test_nothing_is_changed_by_code_that_raises() -> None:
    """The counter that was moved before the exception is back."""

    def g(x: Array) -> Any:
        COUNTER.append(1)
        raise RuntimeError("no gradient today")

    finding = only(cr.check(square, g, at=SQUARE))
    assert "no gradient today" in finding.reason and COUNTER == [0]


def test_another_result_when_called_again() -> None:
    """A counter behind it, and random numbers; the generators are where they were."""

    def counting(x: Array) -> Any:
        COUNTER[0] += 1
        return 2 * x * COUNTER[0]

    verdict = cr.check(square, counting, at=SQUARE)
    assert any(
        "another result when it is called again" in f.reason for f in verdict.findings.values()
    )
    assert not verdict.ok and COUNTER == [0]
    np.random.seed(3)  # noqa: NPY002
    first = np.random.get_state()[1]  # noqa: NPY002

    def noisy(x: Array) -> Any:
        return 2 * x + 1e-9 * np.random.standard_normal(3)  # noqa: NPY002

    verdict = cr.check(square, noisy, at=SQUARE)
    assert verdict.status == "inconclusive" and "hidden" in str(verdict)
    assert (np.random.get_state()[1] == first).all()  # noqa: NPY002


def test_a_result_that_is_its_argument() -> None:
    """Right, with a remark: writing to the gradient would change x."""

    def half(x: Array) -> Any:
        return np.sum(x * x) / 2

    def g(x: Array) -> Any:
        return x

    verdict = cr.check(half, g, at=SQUARE)
    assert verdict.ok and verdict.findings["x"].ok
    remark = verdict.findings["g shares memory"]
    assert remark.reason == "what it returns for x is the memory of x: return a copy"


def test_a_forward_that_keeps_a_cache_is_left_as_it_was() -> None:
    """self.cache and self.dW of a layer are what they were before."""

    class Layer:
        def __init__(self) -> None:
            self.W = np.array([[1.0, 2.0], [0.5, -1.0]])
            self.cache: Any = None
            self.dW: Any = None

        def forward(self, x: Array) -> Any:
            self.cache = x
            return np.sum((x @ self.W) ** 2)

        def backward(self, x: Array) -> Any:
            self.dW = 2 * x.T @ (x @ self.W)
            return self.dW

    layer = Layer()
    verdict = cr.check(layer.forward, {"self.W": layer.backward}, at={"x": np.eye(3, 2)})
    assert verdict.findings["self.W"].status == "proved"
    assert layer.cache is None and layer.dW is None


# -- right code is never accused -------------------------------------------------------------------


def quadratic(x: Array, A: Array) -> Any:
    return x @ A @ x


EQUIVALENT = {
    "by matrices": lambda x, A: (A + A.T) @ x,
    "by einsum": lambda x, A: np.einsum("ij,j->i", A, x) + np.einsum("ij,i->j", A, x),
    "by sums": lambda x, A: np.sum(A * x, axis=1) + np.sum(A * x[:, None], axis=0),
    "by dot": lambda x, A: np.dot(A, x) + np.dot(x, A),
    "from a sum of three": lambda x, A: (A @ x + x @ A) * 0.1 + 0.9 * (A @ x + x @ A),
    "through logarithms": lambda x, A: (A + A.T) @ (np.sign(x) * np.exp(np.log(np.abs(x)))),
}


@pytest.mark.parametrize("magnitude", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("how", EQUIVALENT)
def test_equivalent_code_is_never_accused(how: str, magnitude: float) -> None:
    """The same gradient in other words, at small and large inputs."""
    at = {
        "x": magnitude * np.array([0.3, -1.1, 0.7]),
        "A": magnitude * np.arange(1.0, 10.0).reshape(3, 3),
    }
    finding = only(cr.check(quadratic, {"x": EQUIVALENT[how]}, at=at))
    wanted = "agrees" if how == "through logarithms" else "proved"  # log 0, where x is 0
    assert finding.status == wanted, str(finding)
    assert finding.code is None or not finding.code.at_users_point


SLOPES = {
    "textbook": lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2,
    "by the value": lambda z: lecture.sigma(z) * (1 - lecture.sigma(z)),
    "by cosh": lambda z: 1 / (4 * np.cosh(z / 2) ** 2),
    "by tanh": lambda z: (1 - np.tanh(z / 2) ** 2) / 4,
}


def sigmoids(z: Array) -> Any:
    return np.sum(lecture.sigma(z))


@pytest.mark.parametrize("how", SLOPES)
def test_the_slope_of_the_sigmoid_in_many_forms(how: str) -> None:
    """One formula, four codes; where they fail or lose digits is told apart from that."""
    finding = only(cr.check(sigmoids, SLOPES[how], at={"z": np.array([0.5, -3.0, 30.0])}))
    assert finding.status == "proved"


def test_rounded_constants_are_no_error() -> None:
    """√(2/π) as a module's float, and computed: the same within 4 ulp, and listed."""
    scale = float(np.sqrt(2 / np.pi))

    def f(x: Array) -> Any:
        return np.sum(np.sqrt(2 / np.pi) * x**2)

    def g(x: Array) -> Any:
        return 2 * scale * x

    finding = only(cr.check(f, g, at=SQUARE))
    assert finding.status == "agrees" and "± 4 ulp" in str(finding.scope)

    def wrong(x: Array) -> Any:
        return 2 * 0.797884 * x

    assert only(cr.check(f, wrong, at=SQUARE)).status == "refuted"


def test_what_hangs_together_is_not_pulled_apart() -> None:
    """A transposed copy that only backward reads: only the variables move."""
    data = np.arange(6.0).reshape(3, 2)
    turned = data.T.copy()

    def f(w: Array) -> Any:
        return np.sum((data @ w) ** 2)

    def g(w: Array) -> Any:
        return 2 * turned @ (data @ w)

    finding = only(cr.check(f, g, at={"w": np.array([1.0, -0.5])}))
    assert finding.status == "agrees" and "turned is read by g only" in str(finding.scope)

    def wrong(w: Array) -> Any:
        return 3 * turned @ (data @ w)

    finding = only(cr.check(f, wrong, at={"w": np.array([1.0, -0.5])}))
    assert finding.status == "disagrees" and "it reads turned, which f does not" in finding.reason


def test_a_cache_of_forward_is_no_constant() -> None:
    """Backward reads what forward left: right at the point, and not held to drawn ones."""
    cache: dict[str, Array] = {}

    def f(w: Array, x: Array) -> Any:
        cache["a"] = np.tanh(x @ w)
        return np.sum(cache["a"])

    def g(x: Array) -> Any:
        return x.T @ (1 - cache["a"] ** 2)

    at = {"w": np.array([1.0, -0.5]), "x": np.arange(6.0).reshape(3, 2) / 4}
    f(**at)
    left = cache["a"]
    assert only(cr.check(f, {"w": g}, at=at)).status == "agrees" and cache == {"a": left}
    assert only(cr.check(f, {"w": g}, at={**at, "w": np.ones(2)})).status == "disagrees"


def test_a_number_that_forward_left_is_no_constant() -> None:
    """The same with a float: it is right at the point, and no drawn point accuses it."""
    cache: dict[str, float] = {}

    def f(x: Array) -> Any:
        cache["norm"] = np.sqrt(np.sum(x * x))
        return cache["norm"]

    def g(x: Array) -> Any:
        return x / cache["norm"]

    at = {"x": np.array([1.0, -2.5, 0.3])}
    f(**at)
    finding = only(cr.check(f, g, at=at))
    assert finding.status == "agrees" and "the number 2.7" in str(finding.scope)


def test_one_array_given_twice() -> None:
    """a and b are the same object: each argument is still its own."""
    x = np.array([1.0, -2.0])
    assert cr.check(lambda a, b: a @ a @ b if a.ndim > 1 else 2 * a @ b,
                    lambda a, b: (2 * b, 2 * a), at={"a": x, "b": x}).ok  # fmt: skip


def test_a_size_that_is_a_number_in_a_global() -> None:
    """N = 3 beside data of 3 rows: the sizes are left alone, and it says so."""
    count = 3

    def f(w: Array, x: Array) -> Any:
        return np.sum((x @ w) ** 2) / count

    def g(w: Array, x: Array) -> Any:
        return 2 * x.T @ (x @ w) / x.shape[0]

    at = {"w": np.array([1.0, -0.5]), "x": np.arange(6.0).reshape(3, 2)}
    finding = only(cr.check(f, g, at=at, wrt="w"))
    assert finding.status == "proved" and "count = 3 is read as a number" in str(finding.scope)


def test_sizes_that_are_equal_in_the_point_are_kept_equal() -> None:
    """Rows and labels, five of each: where they differ is nobody's question, but it is said."""

    def f(w: Array, x: Array, y: Array) -> Any:
        return np.sum(x @ w) / len(y) + np.sum(y)

    def g(w: Array, x: Array, y: Array) -> Any:
        return np.sum(x, axis=0) / len(x)

    at = {"w": np.ones(3), "x": RNG.standard_normal((5, 3)), "y": np.zeros(5)}
    finding = only(cr.check(f, {"w": g}, at=at))
    assert finding.status == "proved" and " = " in finding.scope.conditions[0]
    assert "does not hold, the two are apart" in finding.reason
    finding = only(cr.check(f, {"w": g}, at={**at, "y": np.zeros(4)}))
    assert finding.status == "refuted"


def test_a_rounded_literal_is_no_error() -> None:
    """0.7978845608028654 means √(2/π); 0.79788456 does not."""

    def f(x: Array) -> Any:
        return np.sum(np.tanh(np.sqrt(2 / np.pi) * x))

    def right(x: Array) -> Any:
        return 0.7978845608028654 * (1 - np.tanh(0.7978845608028654 * x) ** 2)

    def wrong(x: Array) -> Any:
        return 0.79788456 * (1 - np.tanh(0.79788456 * x) ** 2)

    assert cr.check(f, right, at=SQUARE).ok
    assert cr.check(f, wrong, at=SQUARE).status == "refuted"


# -- textbook layers, right and off by a little ----------------------------------------------------


def entropy(X: Array, W: Array, y: Array) -> Any:
    z = X @ W
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    return -np.mean(np.log(p[np.arange(len(y)), y]))


def entropy_back(X: Array, W: Array, y: Array) -> Any:
    p = np.exp(X @ W)
    p = p / p.sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return X.T @ p / len(y)


def normalize(x: Array, gamma: Array, beta: Array) -> Any:
    return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5) + beta


def normalize_back(dout: Array, x: Array, gamma: Array) -> Any:
    s = np.sqrt(x.var(axis=0) + 1e-5)
    h, d, n = (x - x.mean(axis=0)) / s, dout * gamma, len(x)
    dx = (n * d - d.sum(axis=0) - h * (d * h).sum(axis=0)) / (n * s)
    return dx, (dout * h).sum(axis=0), dout.sum(axis=0)


def convolve(x: Array, w: Array) -> Any:
    out = np.zeros(len(x) - len(w) + 1)
    for i in range(len(out)):
        out[i] = np.sum(x[i : i + len(w)] * w)
    return out


def convolve_back(dout: Array, x: Array, w: Array) -> Any:
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(len(dout)):
        dx[i : i + len(w)] += dout[i] * w
        dw += dout[i] * x[i : i + len(w)]
    return dx, dw


def attend(Q: Array, K: Array, V: Array) -> Any:
    s = Q @ K.T / np.sqrt(Q.shape[1])
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ V


def attend_back(g: Array, Q: Array, K: Array, V: Array) -> Any:
    c = 1 / np.sqrt(Q.shape[1])
    e = np.exp(Q @ K.T * c)
    p = e / e.sum(axis=1, keepdims=True)
    d = g @ V.T
    d = p * (d - (d * p).sum(axis=1, keepdims=True)) * c
    return d @ K, d.T @ Q, p.T @ g


def pool(x: Array) -> Any:
    return np.sum(x.reshape(-1, 2).max(axis=1) ** 2)


def pool_back(x: Array) -> Any:
    r = x.reshape(-1, 2)
    m = r.max(axis=1, keepdims=True)
    return ((r == m) * 2 * m).reshape(x.shape)


def gauss(S: Array, x: Array) -> Any:
    return np.linalg.slogdet(S)[1] + x @ np.linalg.solve(S, x)


def gauss_back(S: Array, x: Array) -> Any:
    inverse = np.linalg.inv(S)
    return inverse.T - np.outer(inverse.T @ x, inverse @ x)


def embed(E: Array, k: Array, w: Array) -> Any:
    return np.sum(np.tanh(E[k] @ w))


def embed_back(E: Array, k: Array, w: Array) -> Any:
    out = np.zeros_like(E)
    np.add.at(out, k, (1 - np.tanh(E[k] @ w) ** 2)[:, None] * w)
    return out


DRAW = np.random.default_rng(9).standard_normal
LAYERS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "cross-entropy": (
        entropy,
        {"W": entropy_back},
        {"X": DRAW((5, 3)), "W": DRAW((3, 4)), "y": np.array([0, 3, 1, 2, 0])},
    ),
    "batch norm": (
        normalize,
        normalize_back,
        {"x": DRAW((6, 3)), "gamma": np.ones(3), "beta": DRAW(3)},
    ),
    "convolution": (convolve, convolve_back, {"x": DRAW(7), "w": DRAW(3)}),
    "attention": (attend, attend_back, {"Q": DRAW((2, 3)), "K": DRAW((4, 3)), "V": DRAW((4, 2))}),
    "max pooling": (pool, pool_back, {"x": DRAW(6)}),
    "gauss": (gauss, {"S": gauss_back}, {"S": np.eye(3) + 0.1 * DRAW((3, 3)), "x": DRAW(3)}),
    "embedding": (
        embed,
        {"E": embed_back},
        {"E": DRAW((5, 3)), "k": np.array([0, 2, 2, 4]), "w": DRAW(3)},
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_of_the_textbooks(name: str) -> None:
    """Right code agrees; with 1e-11 on one entry of its first derivative it is refuted."""
    f, g, at = LAYERS[name]
    right = cr.check(f, g, at=at)
    if name == "max pooling":  # where two are the largest, both get the whole derivative
        (pooled,) = right.findings.values()
        assert pooled.witness is not None and pooled.witness.where == "edge"
        assert "where no two entries of x are equal" in pooled.reason
    else:
        assert right.ok

    def spoiled(one: Any) -> Any:
        @functools.wraps(one)
        def wrong(*args: Any, **named: Any) -> Any:
            found = one(*args, **named)
            first = np.array(found[0] if isinstance(found, tuple) else found)
            first[(0,) * first.ndim] = first[(0,) * first.ndim] + 1e-11
            return (first, *found[1:]) if isinstance(found, tuple) else first

        return wrong

    off = {k: spoiled(v) for k, v in g.items()} if isinstance(g, dict) else spoiled(g)
    statuses = [x.status for x in cr.check(f, off, at=at).findings.values()]
    assert statuses[0] == "refuted" and {*statuses[1:]} <= {"proved", "agrees"}


# -- branches, selections, loops, buffers ----------------------------------------------------------


def relu_cost(W: Array, x: Array) -> Any:
    return np.sum(np.maximum(W @ x, 0) ** 2)


def relu_back(W: Array, x: Array) -> Any:
    z = W @ x
    return np.outer(2 * np.maximum(z, 0) * (z > 0), x)


RELU = {"W": np.array([[1.0, -2.0], [0.5, 0.25]]), "x": np.array([1.0, 2.0])}


def test_relu() -> None:
    """A mask for the slope; and one the wrong way round."""
    assert cr.check(relu_cost, {"W": relu_back}, at=RELU).ok

    def wrong(W: Array, x: Array) -> Any:
        z = W @ x
        return np.outer(2 * np.maximum(z, 0) * (z > 1), x)

    assert cr.check(relu_cost, {"W": wrong}, at=RELU).status == "refuted"


def test_a_kink_is_passed_over() -> None:
    """At |0| there is no derivative: any value there is no error."""

    def f(x: Array) -> Any:
        return np.sum(np.abs(x))

    def g(x: Array) -> Any:
        return np.where(x >= 0, 1.0, -1.0)

    assert cr.check(f, g, at={"x": np.array([0.0, 1.0, -2.0])}).ok


def test_where() -> None:
    """Huber's loss with np.where on both sides."""

    def huber(r: Array) -> Any:
        return np.sum(np.where(np.abs(r) < 1, r**2 / 2, np.abs(r) - 0.5))

    def right(r: Array) -> Any:
        return np.where(np.abs(r) < 1, r, np.sign(r))

    def wrong(r: Array) -> Any:
        return np.clip(r, -2, 2)

    at = {"r": np.array([0.3, -4.0, 2.0])}
    assert cr.check(huber, right, at=at).ok
    assert cr.check(huber, wrong, at=at).status == "refuted"


def test_an_if_on_a_value_is_followed_on_both_paths() -> None:
    """The branch that the point does not take is wrong, and found all the same."""

    def f(x: float) -> Any:
        if x > 0:
            return x * x
        return x**3

    def right(x: float) -> Any:
        return 2 * x if x > 0 else 3 * x**2

    def wrong(x: float) -> Any:
        return 2 * x if x > 0 else 2 * x**2

    assert cr.check(f, right, at={"x": 1.5}).ok
    finding = only(cr.check(f, wrong, at={"x": 1.5}))
    assert finding.status == "refuted" and finding.witness is not None
    assert float(eval_list(finding.witness.point["x"])) < 0


def test_loops_and_buffers() -> None:
    """A recurrence run forward and backward through time."""

    def f(x: Array, w: float) -> Any:
        h = 0.0
        for t in range(len(x)):
            h = np.tanh(w * h + x[t])
        return h

    def g(x: Array, w: float) -> Any:
        hs = np.zeros(len(x) + 1)
        for t in range(len(x)):
            hs[t + 1] = np.tanh(w * hs[t] + x[t])
        dx, back, dw = np.zeros(len(x)), 1.0, 0.0
        for t in reversed(range(len(x))):
            back = back * (1 - hs[t + 1] ** 2)
            dx[t] = back
            dw += back * hs[t]
            back = back * w
        return dx, dw

    at = {"x": np.array([0.5, -0.25, 1.0]), "w": 0.75}
    assert cr.check(f, g, at=at, wrt=("x", "w")).ok

    def wrong(x: Array, w: float) -> Any:
        dx, dw = g(x, w)
        return dx[::-1].copy(), dw

    verdict = cr.check(f, wrong, at=at, wrt=("x", "w"))
    assert [f.status for f in verdict.findings.values()] == ["refuted", "proved"]


# -- undefined, saturated, large -------------------------------------------------------------------


def test_undefined_where_the_derivative_exists() -> None:
    """2x²/x is 2x but for x = 0, where the code gives nan: refuted, at an edge."""

    def g(x: Array) -> Any:
        return 2 * x**2 / x

    finding = only(cr.check(square, g, at=SQUARE))
    assert finding.status == "refuted" and finding.witness is not None
    assert finding.witness.where == "edge" and finding.witness.claimed == "undefined"
    assert "at an edge" in str(cr.check(square, g, at=SQUARE))


def test_a_saturated_network_fails_in_float64_only() -> None:
    """z3 = −800: the formula is right, and the code gives nan; the report says where."""
    kept = lecture.W3.copy(), lecture.b3.copy()
    at = {**POINT, "b3": np.array([[-800.0], [0.0]])}
    verdict = cr.check(lecture.cost, {"W3": lecture.J_W3, "b3": lecture.J_b3}, at=at)
    finding = verdict.findings["b3"]
    assert finding.status == "proved" and not finding.ok and not verdict.ok
    assert finding.code is not None and finding.code.status == "fails"
    assert finding.code.at_users_point and "at your point" in finding.code.summary
    assert "overflows" in finding.code.summary
    assert (lecture.W3 == kept[0]).all() and (lecture.b3 == kept[1]).all()


def test_where_a_function_of_one_input_begins_to_fail() -> None:
    """The threshold is found: exp(−z) overflows for z ≤ −709.78."""
    finding = only(cr.check(sigmoids, SLOPES["textbook"], at={"z": np.array([0.5, -3.0])}))
    assert finding.status == "proved" and finding.code is not None and finding.ok
    assert finding.code.status == "fails" and "for z ≤ −709.78" in finding.code.summary


def test_lost_digits_are_counted() -> None:
    """s(1 − s) at 40 has no digit left; nothing is accused."""
    finding = only(cr.check(sigmoids, SLOPES["by the value"], at={"z": np.array([40.0])}))
    assert finding.ok and finding.code is not None and finding.code.status == "loses digits"
    assert "about 16 of 16 digits are lost" in finding.code.summary


def test_large_arrays_are_checked_at_small_sizes() -> None:
    """More operations than the budget at the user's own point: small sizes, and float64 bounds."""

    def f(W: Array, x: Array) -> Any:
        return np.mean(np.tanh(W @ x) ** 2)

    def g(W: Array, x: Array) -> Any:
        a = np.tanh(W @ x)
        return (2 * a * (1 - a**2) / a.size) @ x.T

    at = {"W": RNG.standard_normal((30, 40)), "x": RNG.standard_normal((40, 400))}
    finding = only(cr.check(f, {"W": g}, at=at))
    assert finding.status == "proved" and "your own among" not in finding.reason
    assert finding.code is not None and "at your point within both bounds" in finding.code.summary


# -- code that cannot be traced --------------------------------------------------------------------


def test_a_forward_that_cannot_be_followed() -> None:
    """np.fft has no rule: differences tell, and it says why and where; of nothing that it cannot
    call."""

    def f(x: Array) -> Any:
        return np.sum(np.abs(np.fft.fft(x)) ** 2)

    finding = only(cr.check(f, lambda x: 2 * len(x) * x, at=SQUARE))
    assert finding.status == "agrees" and "f is a black box" in finding.reason
    assert "fft" in finding.reason
    second = only(cr.check(f, lambda x: np.eye(len(x)), at=SQUARE, mode="hessian"))
    assert second.status == "inconclusive" and "f cannot be followed" in second.reason
    assert "fft" in second.reason


def test_a_forward_that_raises() -> None:
    """The user's own exception and line."""

    def f(x: Array) -> Any:
        return np.ones((2, 2)) @ x

    finding = only(cr.check(f, lambda x: x, at=SQUARE))
    assert finding.status == "inconclusive" and "(return np.ones((2, 2)) @ x)" in finding.reason


def test_a_backward_that_cannot_be_followed_is_a_black_box() -> None:
    """Parseval through np.fft: float64 values only; right agrees, wrong disagrees at most."""

    def f(x: Array) -> Any:
        return np.sum(x * x)

    def g(x: Array) -> Any:
        return 2 * np.real(np.fft.ifft(np.fft.fft(x)))

    finding = only(cr.check(f, g, at=SQUARE))
    assert finding.status == "agrees" and finding.scope.followed == "black box"
    assert "fft" in finding.reason

    def wrong(x: Array) -> Any:
        return 3 * np.real(np.fft.ifft(np.fft.fft(x)))

    finding = only(cr.check(f, wrong, at=SQUARE))
    assert finding.status == "disagrees" and "beyond every error" in finding.reason


def test_a_backward_that_is_run_on_exact_numbers() -> None:
    """What the tracer does not follow may still run on balls: a set of positions, a sort key."""

    def f(x: Array) -> Any:
        return np.sum(x**3)

    def g(x: Array) -> Any:
        return np.frompyfunc(lambda v: 3 * v * v, 1, 1)(x).astype(x.dtype)

    def wrong(x: Array) -> Any:
        return np.frompyfunc(lambda v: 2 * v * v, 1, 1)(x).astype(x.dtype)

    right = only(cr.check(f, g, at=SQUARE))
    assert right.status == "agrees"
    finding = only(cr.check(f, wrong, at=SQUARE))
    assert finding.status == "refuted" and finding.scope.followed in (
        "run on exact numbers",
        "traced",
    )
