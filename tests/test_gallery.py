"""The laws of the gallery: its derivatives are right, by means that share nothing with chainrule.

The references are HIPS autograd, torch, mpmath at 60 digits, and the complex step; the networks are
written again for each of them, from the formulas.
"""

from __future__ import annotations

import ast
import math
import pathlib
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import hypothesis.strategies as st
import mpmath  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given, settings

from chainrule.gallery import activations, lecture, network, page
from chainrule.gallery.activations import ACTIVATIONS
from chainrule.gallery.heart import heart

NAMES = tuple(ACTIVATIONS)
CASES = [
    ((1, 6, 7, 2), 100),
    ((1, 1), 1),
    ((3, 2), 4),
    ((2, 5, 3), 1),
    ((4, 3, 5, 2, 6, 1), 7),
]


def drawn(widths: tuple[int, ...], N: int, seed: int = 0) -> tuple[Any, Any, list[Any], list[Any]]:
    rng = np.random.default_rng(seed)
    Ws, bs = network.parameters(widths, rng)
    return rng.standard_normal((widths[0], N)), rng.standard_normal((widths[-1], N)), Ws, bs


def assert_close(mine: list[Any], reference: list[Any]) -> None:
    assert len(mine) == len(reference)
    scale = max(float(np.max(np.abs(r))) for r in reference)
    for m, r in zip(mine, reference, strict=True):
        assert m.shape == r.shape
        np.testing.assert_allclose(
            np.asarray(m, dtype=float), np.asarray(r, dtype=float), rtol=1e-11, atol=1e-13 * scale
        )


# ---- the network against other programs ----------------------------------------------------------


def autograd_gradients(x: Any, y: Any, Ws: Any, bs: Any, name: str) -> tuple[list[Any], list[Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import autograd.numpy as anp  # type: ignore[import-untyped]
        from autograd import grad

    sigma: dict[str, Callable[[Any], Any]] = {
        "sigmoid": lambda z: 1 / (1 + anp.exp(-z)),
        "tanh": anp.tanh,
        "relu": lambda z: anp.where(z > 0, z, 0.0),
        "leaky_relu": lambda z: anp.where(z > 0, z, 0.01 * z),
        "softplus": lambda z: anp.logaddexp(0.0, z),
        "swish": lambda z: z * (1 + anp.tanh(z / 2)) / 2,
        "elu": lambda z: anp.where(z > 0, z, anp.exp(anp.minimum(z, 0.0)) - 1),
        "arctan": anp.arctan,
        "softsign": lambda z: z / (1 + anp.abs(z)),
        "identity": lambda z: z,
    }

    def C(parameters: Any) -> Any:
        a = x
        for W, b in zip(*parameters, strict=True):
            a = sigma[name](anp.dot(W, a) + b)
        return anp.sum((a - y) ** 2) / x.shape[1]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        dWs, dbs = grad(C)((list(Ws), list(bs)))
    return list(dWs), list(dbs)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("widths", "N"), CASES, ids=str)
def test_gradients_equal_autograds(widths: tuple[int, ...], N: int, name: str) -> None:
    """Law: `gradients` is the gradient of the cost, as HIPS autograd has it, for any network."""
    x, y, Ws, bs = drawn(widths, N)
    dWs, dbs = network.gradients(x, y, Ws, bs, ACTIVATIONS[name])
    rWs, rbs = autograd_gradients(x, y, Ws, bs, name)
    assert_close(dWs + dbs, rWs + rbs)


@settings(max_examples=60, deadline=None)
@given(
    widths=st.lists(st.integers(1, 6), min_size=2, max_size=6).map(tuple),
    N=st.integers(1, 8),
    name=st.sampled_from(NAMES),
    seed=st.integers(0, 2**32 - 1),
)
def test_gradients_equal_autograds_for_all_shapes(
    widths: tuple[int, ...], N: int, name: str, seed: int
) -> None:
    """Law: the same, for shapes, activations and numbers that Hypothesis draws."""
    x, y, Ws, bs = drawn(widths, N, seed)
    dWs, dbs = network.gradients(x, y, Ws, bs, ACTIVATIONS[name])
    rWs, rbs = autograd_gradients(x, y, Ws, bs, name)
    assert_close(dWs + dbs, rWs + rbs)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_equal_torchs(name: str) -> None:
    """Law: the same, as torch has it, with torch's own activations."""
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")
    F = torch.nn.functional
    sigma = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": F.relu,
        "leaky_relu": F.leaky_relu,  # its default slope is 0.01, too
        "softplus": F.softplus,
        "swish": F.silu,
        "elu": F.elu,
        "arctan": torch.atan,
        "softsign": F.softsign,
        "identity": lambda z: z,
    }[name]
    for widths, N in CASES:
        x, y, Ws, bs = drawn(widths, N, seed=1)
        tWs = [torch.tensor(W, requires_grad=True) for W in Ws]
        tbs = [torch.tensor(b, requires_grad=True) for b in bs]
        a = torch.tensor(x)
        for W, b in zip(tWs, tbs, strict=True):
            a = sigma(W @ a + b)
        (((a - torch.tensor(y)) ** 2).sum() / N).backward()
        dWs, dbs = network.gradients(x, y, Ws, bs, ACTIVATIONS[name])
        assert_close(dWs + dbs, [p.grad.numpy() for p in tWs + tbs])


def test_the_comparison_can_fail() -> None:
    """Law: the comparison above refuses a gradient with one entry wrong by a part in 1e9."""
    x, y, Ws, bs = drawn((2, 3, 2), 5)
    dWs, dbs = network.gradients(x, y, Ws, bs, ACTIVATIONS["tanh"])
    rWs, rbs = autograd_gradients(x, y, Ws, bs, "tanh")
    dWs[1][0, 2] *= 1 + 1e-9
    with pytest.raises(AssertionError, match="Mismatched elements: 1 / 6"):
        assert_close(dWs + dbs, rWs + rbs)


def test_forward_and_cost() -> None:
    """Law: a_l = σ(W_l a_{l−1} + b_l), column by column, and C is the mean over the columns."""
    x, y, Ws, bs = drawn((3, 4, 2), 5)
    zs, a = network.forward(x, Ws, bs, ACTIVATIONS["tanh"])
    assert a[0] is x
    total = 0.0
    for k in range(5):
        column = x[:, k]
        for layer, (W, b) in enumerate(zip(Ws, bs, strict=True)):
            z = np.array([sum(W[i] * column) + b[i, 0] for i in range(len(W))])
            np.testing.assert_allclose(zs[layer][:, k], z, rtol=1e-12)
            column = np.tanh(z)
            np.testing.assert_allclose(a[layer + 1][:, k], column, rtol=1e-12)
        total += float(sum((column - y[:, k]) ** 2))
    C = network.cost(x, y, Ws, bs, ACTIVATIONS["tanh"])
    assert math.isclose(C, total / 5, rel_tol=1e-12)


def test_parameters_are_seeded() -> None:
    """Law: the same generator state gives the same parameters, another one others."""
    first, again, other = (
        network.parameters((2, 3, 1), np.random.default_rng(seed)) for seed in (5, 5, 6)
    )
    assert all(
        np.array_equal(p, q) for p, q in zip(first[0] + first[1], again[0] + again[1], strict=True)
    )
    assert not np.array_equal(first[0][0], other[0][0])


# ---- what it refuses -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": (2,)}, r"x has shape \(2,\): give it the shape \(n0, N\)"),
        ({"x": (2, 0), "y": (1, 0)}, r"x has shape \(2, 0\): .* N ≥ 1"),
        ({"x": (3, 4)}, r"W1 has shape \(3, 2\), but .* 3 rows: .* \(n1, 3\); W1.T would fit"),
        ({"W2": (1, 2)}, r"W2 has shape \(1, 2\), but .* 3 rows: give it the shape \(n2, 3\)$"),
        ({"W2": (3,)}, r"W2 has shape \(3,\), but .* 3 rows: give it the shape \(n2, 3\)$"),
        ({"W2": (3, 1)}, r"W2 has shape \(3, 1\), .* give it the shape \(n2, 3\); W2.T would fit"),
        ({"b1": (3,)}, r"b1 has shape \(3,\), but W1 has 3 rows: give it the shape \(3, 1\)"),
        ({"b1": (3, 4)}, r"b1 has shape \(3, 4\), but W1 has 3 rows"),
        ({"b2": (1, 4)}, r"b2 has shape \(1, 4\), but W2 has 1 rows"),
        ({"y": (2, 4)}, r"y has shape \(2, 4\), but the network's output has shape \(1, 4\)"),
        ({"y": (1, 1)}, r"y has shape \(1, 1\), but the network's output has shape \(1, 4\)"),
    ],
    ids=str,
)
def test_shapes_that_do_not_fit(change: dict[str, tuple[int, ...]], message: str) -> None:
    """Law: a shape that does not fit is refused by name, with its value and what to do, even where
    NumPy would broadcast it."""
    shapes = {"x": (2, 4), "y": (1, 4), "W1": (3, 2), "b1": (3, 1), "W2": (1, 3), "b2": (1, 1)}
    v = {name: np.ones(shape) for name, shape in (shapes | change).items()}
    for function in (network.cost, network.gradients):
        with pytest.raises(ValueError, match=message):
            function(v["x"], v["y"], [v["W1"], v["W2"]], [v["b1"], v["b2"]], ACTIVATIONS["tanh"])


def test_counts_that_make_no_sense() -> None:
    """Law: so are counts: of layers, widths, iterations, records and points."""
    tanh, rng, one = ACTIVATIONS["tanh"], np.random.default_rng(0), np.ones((1, 1))
    with pytest.raises(ValueError, match="there are 2 weight matrices and 1 biases: give one of"):
        network.forward(one, [one, one], [one], tanh)
    with pytest.raises(ValueError, match="there are 0 weight matrices"):
        network.forward(one, [], [], tanh)
    with pytest.raises(ValueError, match=r"widths = \[3\] has 1 entries: give at least two"):
        network.parameters([3], rng)
    with pytest.raises(ValueError, match=r"widths = \[3, 0\] has an entry below 1"):
        network.parameters([3, 0], rng)
    with pytest.raises(ValueError, match="iterations = -1 is negative: give 0 or more"):
        network.descend(one, one, [one], [one], tanh, 1.0, -1)
    with pytest.raises(ValueError, match="record_every = 0 is below 1: give 1"):
        network.descend(one, one, [one], [one], tanh, 1.0, 3, record_every=0)
    with pytest.raises(ValueError, match="N = 0 is below 1: give at least one point"):
        heart(0)
    wrong: list[Any] = [2.5, "3", True, None]
    for N in wrong:
        with pytest.raises(TypeError, match=r"N = .* is no number of points: give an integer"):
            heart(N)


def test_entries_of_no_size() -> None:
    """Law: so are sizes for which an entry would say nothing."""
    with pytest.raises(ValueError, match="n = 0 is below 1"):
        page.neuron(0)
    with pytest.raises(ValueError, match="m = 0 is below 1"):
        page.layer(0, 2)
    with pytest.raises(ValueError, match=r"widths = \(3,\) make no layer: give at least two"):
        page.layers((3,))
    with pytest.raises(ValueError, match=r"widths\[1\] = 0 is below 1"):
        page.layers((3, 0))
    with pytest.raises(ValueError, match="N = 1: give at least 2 samples"):
        page.mean_cost(1)
    with pytest.raises(ValueError, match="n_before = n = 2: give two sizes"):
        page.weight_size(2, 2)


# ---- nothing is changed --------------------------------------------------------------------------


def test_nothing_changes_its_inputs() -> None:
    """Law: every function works on arrays that refuse to be written to, and aliases no output."""
    x, y, Ws, bs = drawn((1, 3, 4, 2), 5)
    before = [p.copy() for p in (x, y, *Ws, *bs)]
    for p in (x, y, *Ws, *bs):
        p.flags.writeable = False
    lists = list(Ws), list(bs)
    for activation in ACTIVATIONS.values():
        network.cost(x, y, Ws, bs, activation)
        network.gradients(x, y, Ws, bs, activation)
        network.descend(x, y, Ws, bs, activation, 0.1, 3)
        zs, a = network.forward(x, Ws, bs, activation)
        assert not any(np.shares_memory(z, out) for z, out in zip(zs, a[1:], strict=True))
    assert all(np.array_equal(p, q) for p, q in zip((x, y, *Ws, *bs), before, strict=True))
    assert all(p is q for p, q in zip(Ws + bs, lists[0] + lists[1], strict=True))
    with globals_of_lecture(Ws, bs):
        for function in (lecture.cost, *JACOBIANS.values()):
            function(x, y)
    assert all(np.array_equal(p, q) for p, q in zip((x, y, *Ws, *bs), before, strict=True))


def test_the_table_is_frozen() -> None:
    """Law: the table of activations and its rows cannot be changed, and are keyed by name."""
    with pytest.raises(TypeError):
        ACTIVATIONS["mine"] = ACTIVATIONS["tanh"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        ACTIVATIONS["tanh"].name = "mine"  # type: ignore[misc]
    assert all(key == row.name for key, row in ACTIVATIONS.items())


# ---- activations against mpmath ------------------------------------------------------------------

PRECISE: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "tanh": mpmath.tanh,
    "relu": lambda z: max(z, mpmath.mpf(0)),
    "leaky_relu": lambda z: max(z, z / 100),
    "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
    "swish": lambda z: z / (1 + mpmath.exp(-z)),
    "elu": lambda z: z if z > 0 else mpmath.exp(z) - 1,
    "arctan": mpmath.atan,
    "softsign": lambda z: z / (1 + abs(z)),
    "identity": lambda z: z,
}
SIZES = (5e-324, 1e-300, 1e-20, 1e-8, 0.1, 0.5, 1.0, 1.2784645, 3.0, 17.3, 36.5, 40.0, 355.0)
LARGE = (700.0, 709.9, 745.2, 800.0, 1421.0, 1e5, 1e155, 1e200, 1e308, 1.7976931348623157e308)
POINTS = [sign * z for z in SIZES + LARGE for sign in (1.0, -1.0)]
KINKED = {"relu", "leaky_relu"}


def precise_derivative(name: str, z: float) -> Any:
    # A central difference is exact to O(h²); with h = |z|·1e-80 and digits to spare that is far
    # below float64, and a step relative to z never crosses a kink at 0.
    digits = 400 + 2 * int(abs(math.log10(abs(z))))
    # 1 + exp(−z) keeps exp(−z) only with |z|/2.3 digits; beyond |z| = 1e4 its derivative is 0 or 1
    # to hundreds of digits, and the far ones are compared with that limit.
    digits += 2 * int(min(abs(z), 2000.0))
    with mpmath.workdps(digits):
        x = mpmath.mpf(z)
        h = abs(x) * mpmath.mpf(10) ** -80
        return (PRECISE[name](x + h) - PRECISE[name](x - h)) / (2 * h)


def tiny(name: str, z: float) -> float:
    # exp underflows to within the smallest float; swish multiplies what is left by z
    return 1e-323 * (1 + abs(z) * (name == "swish" and abs(z) < 1e4))


@pytest.mark.parametrize("name", NAMES)
def test_slope_is_the_derivative_of_the_value(name: str) -> None:
    """Law: slope = σ′ to a few ulp of itself, for every finite z, with no overflow and no nan.

    Only swish's has a zero, near −1.278, where two terms cancel; there the ulp are those of 1.
    """
    z = np.array(POINTS)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        slope = ACTIVATIONS[name].slope(z)
    assert slope.shape == z.shape and slope.dtype == np.float64
    for point, mine in zip(POINTS, slope, strict=True):
        if abs(point) > 1e4 and name not in {"arctan", "softsign"}:
            right = {"tanh": 0.0, "sigmoid": 0.0}.get(name, 1.0)
            left = {"leaky_relu": 0.01, "identity": 1.0}.get(name, 0.0)
            assert mine == (right if point > 0 else left), point
            continue
        truth = precise_derivative(name, point)
        relative = 1.0 if name == "swish" else 0.0
        bound = 1e-15 * (float(abs(truth)) + relative * (-2 < point < 0))
        assert abs(mpmath.mpf(float(mine)) - truth) <= 4 * bound + tiny(name, point), (point, mine)


@pytest.mark.parametrize("name", NAMES)
def test_value(name: str) -> None:
    """Law: value = σ to a few ulp, for every finite z; sigmoid to a few ulp of 1, as it says."""
    z = np.array([0.0, *POINTS])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value = ACTIVATIONS[name].value(z)
    assert value.shape == z.shape and value.dtype == np.float64
    for point, mine in zip(z.tolist(), value, strict=True):
        if abs(point) > 1e4 and name in {"sigmoid", "tanh", "softplus", "swish", "elu"}:
            left, right = {"sigmoid": (0, 1), "tanh": (-1, 1), "elu": (-1, point)}.get(
                name, (0, point)
            )
            assert mine == (right if point > 0 else left), point
            continue
        with mpmath.workdps(700 + 2 * int(min(abs(point), 2000.0))):
            truth = PRECISE[name](mpmath.mpf(point))
            floor = 2.3e-16 if name == "sigmoid" else 0.0
            bound = 4e-15 * (float(abs(truth)) if abs(truth) < 1e308 else 1e308)
            assert abs(mpmath.mpf(float(mine)) - truth) <= bound + floor + tiny(name, point), (
                point,
                mine,
            )


def test_slope_at_a_kink_and_at_zero() -> None:
    """Law: at 0 the slope is the derivative, or at a kink that of the left side."""
    zero = np.array([0.0, -0.0])
    expected = {"sigmoid": 0.25, "relu": 0.0, "leaky_relu": 0.01, "softplus": 0.5, "swish": 0.5}
    for name, row in ACTIVATIONS.items():
        assert row.slope(zero).tolist() == [expected.get(name, 1.0)] * 2, name


@pytest.mark.parametrize("name", NAMES)
def test_formula_says_what_value_computes(name: str) -> None:
    """Law: the text of σ, read as Python, is σ."""
    names = {"exp": math.exp, "log": math.log, "tanh": math.tanh, "atan": math.atan}
    for z in (-3.7, -1.0, -0.2, 0.0, 0.3, 1.0, 5.1):
        text = eval(ACTIVATIONS[name].formula, {"z": z, "max": max, "abs": abs, **names})
        assert math.isclose(
            float(ACTIVATIONS[name].value(np.array(z))), text, rel_tol=1e-14, abs_tol=1e-15
        )


# ---- the same lines on other numbers -------------------------------------------------------------


class Precise:
    """A number of 60 digits, with the arithmetic and the methods that NumPy calls for objects.

    Comparisons raise, as those of a ball or of a jet may.
    """

    def __init__(self, value: Any) -> None:
        self.value: Any = value.value if isinstance(value, Precise) else mpmath.mpf(value)

    def __add__(self, other: Any) -> Precise:
        return Precise(self.value + Precise(other).value)

    def __sub__(self, other: Any) -> Precise:
        return Precise(self.value - Precise(other).value)

    def __mul__(self, other: Any) -> Precise:
        return Precise(self.value * Precise(other).value)

    def __truediv__(self, other: Any) -> Precise:
        return Precise(self.value / Precise(other).value)

    def __rsub__(self, other: Any) -> Precise:
        return Precise(other) - self

    def __rtruediv__(self, other: Any) -> Precise:
        return Precise(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def __pow__(self, n: int) -> Precise:
        return Precise(self.value**n)

    def __neg__(self) -> Precise:
        return Precise(-self.value)

    def __abs__(self) -> Precise:
        return Precise(abs(self.value))

    def refuse(self, other: object) -> bool:
        raise TypeError("this number has no order")

    __lt__ = __le__ = __gt__ = __ge__ = refuse

    def __bool__(self) -> bool:
        raise TypeError("this number is neither true nor false")

    def exp(self) -> Precise:
        return Precise(mpmath.exp(self.value))

    def log(self) -> Precise:
        return Precise(mpmath.log(self.value))

    def log1p(self) -> Precise:
        return Precise(mpmath.log1p(self.value))

    def expm1(self) -> Precise:
        return Precise(mpmath.expm1(self.value))

    def tanh(self) -> Precise:
        return Precise(mpmath.tanh(self.value))

    def sqrt(self) -> Precise:
        return Precise(mpmath.sqrt(self.value))

    def arctan(self) -> Precise:
        return Precise(mpmath.atan(self.value))


def precise(array: Any) -> Any:
    out = np.empty(array.shape, dtype=object)
    out.ravel()[:] = [Precise(v) for v in array.flat]
    return out


def floats(array: Any) -> Any:
    assert all(isinstance(v, Precise) for v in array.flat)
    return np.array([float(v.value) for v in array.flat]).reshape(array.shape)


@pytest.mark.parametrize("name", sorted(set(NAMES) - KINKED))
def test_network_runs_on_objects(name: str) -> None:
    """Law: cost and gradients run unmodified on object arrays, without one comparison of entries,
    and at 60 digits give the same numbers."""
    x, y, Ws, bs = drawn((2, 3, 2), 4)
    with mpmath.workdps(60):
        exact = [precise(W) for W in Ws], [precise(b) for b in bs]
        C = network.cost(precise(x), precise(y), *exact, ACTIVATIONS[name])
        dWs, dbs = network.gradients(precise(x), precise(y), *exact, ACTIVATIONS[name])
    assert math.isclose(
        float(C.value), network.cost(x, y, Ws, bs, ACTIVATIONS[name]), rel_tol=1e-13
    )
    mWs, mbs = network.gradients(x, y, Ws, bs, ACTIVATIONS[name])
    assert_close(mWs + mbs, [floats(g) for g in dWs + dbs])


def test_only_the_kinked_ones_compare() -> None:
    """Law: relu and leaky relu, which are comparisons, are the only ones that ask for an order."""
    with mpmath.workdps(60):
        z = precise(np.array([[-1.5, 0.25, 3.0]]))
        for name, row in ACTIVATIONS.items():
            for function in (row.value, row.slope):
                if name in KINKED:
                    with pytest.raises(TypeError, match="no order"):
                        function(z)
                else:
                    function(z)


def test_lecture_runs_on_objects() -> None:
    """Law: so does the lecture's code, np.linalg.norm included."""
    x, y, Ws, bs = drawn((1, 3, 2, 2), 4)
    with globals_of_lecture(Ws, bs):
        C, mine = lecture.cost(x, y), {key: J(x, y) for key, J in JACOBIANS.items()}
    with mpmath.workdps(60), globals_of_lecture([*map(precise, Ws)], [*map(precise, bs)]):
        exact = lecture.cost(precise(x), precise(y))
        Js = {key: J(precise(x), precise(y)) for key, J in JACOBIANS.items()}
    assert math.isclose(C, float(exact.value), rel_tol=1e-13)
    assert_close(list(mine.values()), [floats(J) for J in Js.values()])


# ---- the lecture ---------------------------------------------------------------------------------

PARAMETERS = ("W1", "W2", "W3", "b1", "b2", "b3")
JACOBIANS: dict[str, Callable[[Any, Any], Any]] = {
    name: getattr(lecture, f"J_{name}") for name in PARAMETERS
}


class globals_of_lecture:
    """The lecture's module globals set to these weights, and set back afterwards."""

    def __init__(self, Ws: list[Any], bs: list[Any]) -> None:
        self.values = dict(zip(PARAMETERS, [*Ws, *bs], strict=True))

    def __enter__(self) -> None:
        self.saved = {name: getattr(lecture, name) for name in PARAMETERS}
        for name, value in self.values.items():
            setattr(lecture, name, value)

    def __exit__(self, *_: object) -> None:
        for name, value in self.saved.items():
            setattr(lecture, name, value)


@pytest.mark.parametrize("N", [1, 2, 100])
@pytest.mark.parametrize("hidden", [(6, 7), (1, 1), (3, 2)], ids=str)
def test_lecture_equals_the_network(hidden: tuple[int, int], N: int) -> None:
    """Law: for one input row the lecture's cost and six Jacobians are the network's."""
    x, y, Ws, bs = drawn((1, *hidden, 2), N)
    with globals_of_lecture(Ws, bs):
        C, Js = lecture.cost(x, y), [J(x, y) for J in JACOBIANS.values()]
    dWs, dbs = network.gradients(x, y, Ws, bs, ACTIVATIONS["sigmoid"])
    assert math.isclose(C, network.cost(x, y, Ws, bs, ACTIVATIONS["sigmoid"]), rel_tol=1e-13)
    assert_close(Js, dWs + dbs)


def test_lecture_resets() -> None:
    """Law: reset_network draws weights of the stated shapes: those of its generator, else new."""
    with globals_of_lecture([lecture.W1, lecture.W2, lecture.W3], [lecture.b1] * 3):
        lecture.reset_network(4, 5, np.random.default_rng(3))
        shapes = [getattr(lecture, name).shape for name in PARAMETERS]
        assert shapes == [(4, 1), (5, 4), (2, 5), (4, 1), (5, 1), (2, 1)]
        W1 = lecture.W1
        lecture.reset_network(4, 5, np.random.default_rng(3))
        assert np.array_equal(lecture.W1, W1)
        lecture.reset_network(4, 5)
        assert not np.array_equal(lecture.W1, W1)


# ---- the heart -----------------------------------------------------------------------------------


def test_heart_at_known_points() -> None:
    """Law: at a quarter turn each, the heart is where the formula says, by hand."""
    x, y = heart(4)
    assert x.tolist() == [[0.0, 0.25, 0.5, 0.75]]
    np.testing.assert_allclose(
        y, [[0.5, 0.9, 0.5, 0.1], [0.625, 0.6, 0.075, 0.6]], rtol=0, atol=1e-15
    )


@settings(deadline=None)
@given(N=st.integers(1, 500))
def test_heart_of_any_size(N: int) -> None:
    """Law: N points for every N, in the unit square, symmetric about the vertical line ½."""
    x, y = heart(N)
    assert x.shape == (1, N) and y.shape == (2, N)
    assert x.min() == 0 and x.max() < 1
    assert y.min() >= 0 and y.max() <= 1
    np.testing.assert_allclose(y[0, 1:], 1 - y[0, :0:-1], atol=1e-13)
    np.testing.assert_allclose(y[1, 1:], y[1, :0:-1], atol=1e-13)


def test_heart_counts_where_the_page_miscounts() -> None:
    """Law: the page's arange(0, 1, 1/49) has 50 entries; heart(49) has 49."""
    assert len(np.arange(0, 1, 1 / 49)) == 50
    assert heart(49)[0].shape == (1, 49)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_training_on_the_heart(seed: int) -> None:
    """Law: with the page's widths and rate, descent brings the cost down to a fraction."""
    x, y = heart()
    Ws, bs = network.parameters((1, 6, 7, 2), np.random.default_rng(seed))
    before = [p.copy() for p in Ws + bs]
    trained_Ws, trained_bs, history = network.descend(
        x, y, Ws, bs, ACTIVATIONS["sigmoid"], rate=7, iterations=350, record_every=100
    )
    assert [k for k, _ in history] == [0, 100, 200, 300, 350]
    assert history[0][1] == network.cost(x, y, Ws, bs, ACTIVATIONS["sigmoid"])
    assert history[-1][1] == network.cost(x, y, trained_Ws, trained_bs, ACTIVATIONS["sigmoid"])
    assert history[-1][1] < 0.6 * history[0][1]
    assert all(np.array_equal(p, q) for p, q in zip(Ws + bs, before, strict=True))


def test_descent_is_one_step_at_a_time() -> None:
    """Law: two steps are one step twice; none are none, and the history still has the start."""
    x, y, Ws, bs = drawn((2, 3, 1), 4)
    tanh = ACTIVATIONS["tanh"]
    two = network.descend(x, y, Ws, bs, tanh, 0.3, 2)
    one = network.descend(x, y, Ws, bs, tanh, 0.3, 1)
    twice = network.descend(x, y, one[0], one[1], tanh, 0.3, 1)
    for p, q in zip(two[0] + two[1], twice[0] + twice[1], strict=True):
        assert np.array_equal(p, q)
    dWs, _ = network.gradients(x, y, Ws, bs, tanh)
    assert np.array_equal(one[0][0], Ws[0] - 0.3 * dWs[0])
    none = network.descend(x, y, Ws, bs, tanh, 0.3, 0)
    assert none[2] == [(0, network.cost(x, y, Ws, bs, tanh))] and none[0][0] is Ws[0]


# ---- the page ------------------------------------------------------------------------------------

EVERY = (*page.ENTRIES, *page.MISPRINTS)
LANGUAGE: dict[str, Callable[..., Any]] = {
    "sin": np.sin,
    "cos": np.cos,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "sum": np.sum,
    "dot": np.dot,
}


def names_in(text: str | list[str]) -> set[str]:
    texts = [text] if isinstance(text, str) else text
    trees = [ast.parse(t, mode="eval") for t in texts]
    return {n.id for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Name)}


def undefined(*arguments: Any) -> Any:
    # stands in for every undefined function: smooth, and different in each argument
    return np.sin(sum((k + 1.5) * v for k, v in enumerate(arguments)) + 0.3)


def value_of(entry: page.Entry, inputs: Mapping[str, Any], name: str) -> Any:
    """`name` at these inputs: the texts read as Python, over NumPy (complex) numbers."""
    if name in inputs:
        return inputs[name]
    text = entry.definitions[name]
    scope: dict[str, Any] = {**LANGUAGE, **{f: undefined for f in entry.functions}}
    for n in names_in(text) - set(scope):
        is_function = isinstance(text, str) and text.startswith(f"{n}(")
        scope[n] = undefined if is_function else value_of(entry, inputs, n)
    if isinstance(text, list):
        return np.array([eval(t, scope) for t in text])
    return eval(text, scope)


def free_inputs(entry: page.Entry) -> list[str]:
    names = set(entry.shapes) | ({entry.wrt} if isinstance(entry.wrt, str) else set(entry.wrt))
    for text in entry.definitions.values():
        names |= names_in(text)
    return sorted(names - set(entry.definitions) - set(entry.functions) - set(LANGUAGE))


def drawn_inputs(entry: page.Entry, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {n: rng.uniform(0.4, 1.6, entry.shapes.get(n, ())) for n in free_inputs(entry)}


def complex_step(entry: page.Entry, inputs: Mapping[str, Any], wrt: str) -> Any:
    """∂of/∂wrt, shape of + wrt: all functions of the language are analytic, so Im f(x + ih)/h."""
    columns = []
    for index in np.ndindex(inputs[wrt].shape):
        moved = inputs[wrt].astype(complex)
        moved[index] += 1e-200j
        columns.append(np.imag(value_of(entry, {**inputs, wrt: moved}, entry.of)) / 1e-200)
    out = np.stack(columns, axis=-1)
    return out.reshape(out.shape[:-1] + inputs[wrt].shape)


def claims() -> Iterator[Any]:
    for entry in EVERY:
        for number, claim in enumerate(entry.claims):
            yield pytest.param(entry, claim, id=f"{entry.key}-{number}")


@pytest.mark.parametrize(("entry", "claim"), list(claims()))
def test_claims_are_what_the_page_says_they_are(entry: page.Entry, claim: page.Claimed) -> None:
    """Law: a claim marked right is the derivative, one marked wrong is not, and its correction is
    (by the complex step, at random points)."""
    assert claim.wrt or isinstance(entry.wrt, str)
    wrt = claim.wrt or str(entry.wrt)
    for seed in range(3):
        inputs = drawn_inputs(entry, seed)
        truth = complex_step(entry, inputs, wrt)
        assert (
            np.allclose(eval(claim.text, {**LANGUAGE, **inputs}), truth, rtol=1e-12) is claim.right
        )
        if claim.right:
            assert claim.correction == ""
        elif "=" not in claim.correction:
            corrected = eval(claim.correction, {**LANGUAGE, **inputs})
            np.testing.assert_allclose(corrected, truth, rtol=1e-12)
        else:
            name, text = claim.correction.split(" = ")
            fixed = page.Entry(
                entry.key,
                entry.title,
                entry.where,
                {**entry.definitions, name: text},
                entry.of,
                wrt,
            )
            np.testing.assert_allclose(
                eval(claim.text, {**LANGUAGE, **inputs}),
                complex_step(fixed, inputs, wrt),
                rtol=1e-12,
            )


@pytest.mark.parametrize("entry", [e for e in EVERY if e.by_hand], ids=lambda e: e.key)
def test_by_hand_is_the_derivative(entry: page.Entry) -> None:
    """Law: the NumPy function of an entry is its derivative, given the free inputs by name."""
    assert entry.by_hand is not None and isinstance(entry.wrt, str)
    for seed in range(3):
        inputs = drawn_inputs(entry, seed)
        np.testing.assert_allclose(
            entry.by_hand(**inputs), complex_step(entry, inputs, entry.wrt), rtol=1e-12
        )


@pytest.mark.parametrize("entry", EVERY, ids=lambda e: e.key)
def test_entries_are_whole(entry: page.Entry) -> None:
    """Law: an entry's texts have a value, given its free inputs; unless it is said to fail."""
    assert entry.of in entry.definitions
    wrts = (entry.wrt,) if isinstance(entry.wrt, str) else entry.wrt
    assert set(wrts) | set(entry.shapes) <= set(free_inputs(entry))
    assert entry.key and entry.title and entry.where
    inputs = drawn_inputs(entry, 0)
    if entry.fails:
        assert entry.fails == "shape"
        with pytest.raises(ValueError, match="matmul"):
            value_of(entry, inputs, entry.of)
    else:
        value = value_of(entry, inputs, entry.of)
        assert np.isfinite(value).all()
        for wrt in wrts:
            assert np.any(complex_step(entry, inputs, wrt) != 0)


def test_keys_and_corrections() -> None:
    """Law: keys are unique; every misprint is refused by a claim or by its shapes, and names the
    entry that has it right, which claims nothing wrong."""
    keys = [e.key for e in EVERY] + [n.key for n in page.NARROW]
    assert len(keys) == len(set(keys))
    right = {e.key: e for e in page.ENTRIES}
    for entry in page.ENTRIES:
        assert all(claim.right for claim in entry.claims) and not entry.fails
        assert not entry.corrected_by
    for entry in page.MISPRINTS:
        assert entry.fails or any(not claim.right for claim in entry.claims)
        assert entry.corrected_by in right


@settings(max_examples=25, deadline=None)
@given(
    widths=st.lists(st.integers(1, 4), min_size=2, max_size=5).map(tuple),
    seed=st.integers(0, 2**32 - 1),
)
def test_layers_are_the_network(widths: tuple[int, ...], seed: int) -> None:
    """Law: the entry `layers(widths)` computes the network's cost for one sample."""
    entry = page.layers(widths, "tanh(z)")
    x, y, Ws, bs = drawn(widths, 1, seed)
    inputs = {"a0": x[:, 0], "y": y[:, 0]}
    for k, (W, b) in enumerate(zip(Ws, bs, strict=True), start=1):
        inputs |= {f"W{k}": W, f"b{k}": b[:, 0]}
    C = value_of(entry, inputs, "C")
    assert math.isclose(C, network.cost(x, y, Ws, bs, ACTIVATIONS["tanh"]), rel_tol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_neurons_and_layers_of_other_sizes(n: int) -> None:
    """Law: a neuron is a layer of one, for any number of inputs."""
    one, many = page.neuron(n), page.layer(1, n)
    inputs = drawn_inputs(one, 0)
    W = {"W": inputs["w"][None], "a0": inputs["a0"]}
    rest = {"b": np.array([inputs["b"]]), "y": np.array([inputs["y"]])}
    assert math.isclose(value_of(one, inputs, "C"), value_of(many, W | rest, "C"), rel_tol=1e-13)


# ---- what is narrow ------------------------------------------------------------------------------


def test_x_size_is_the_number_of_samples_only_for_one_row() -> None:
    """Law: the lecture's cost divides by n0·N; for two input rows that is half of the mean."""
    entry = {n.key: n for n in page.NARROW}["narrow-x-size"]
    assert entry.definitions["size"] == "n0*N"
    x = np.ones((2, 5))
    assert x.size == 2 * x.shape[1]


@pytest.mark.parametrize("d_sigma", [lecture.d_sigma, page.d_sigma], ids=["lecture", "page"])
def test_d_sigma_is_nan_on_the_far_left(d_sigma: Callable[[Any], Any]) -> None:
    """Law: σ′ as printed is right above −354.9, 0 below it, nan below −709.8, and NumPy warns;
    the gallery's own slope is right throughout."""
    z = np.linspace(-354.8, 700, 5001)
    np.testing.assert_allclose(d_sigma(z), ACTIVATIONS["sigmoid"].slope(z), rtol=1e-14)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert d_sigma(np.array(-355.0)) == 0 and d_sigma(np.array(-709.7)) == 0
        assert np.isnan(d_sigma(np.array(-709.8))) and np.isnan(d_sigma(np.array(-800.0)))
    assert ACTIVATIONS["sigmoid"].slope(np.array(-355.0)) == np.exp(-355.0)
    with pytest.warns(RuntimeWarning, match="overflow encountered"):
        d_sigma(np.array(-355.0))


# ---- the rule of the room ------------------------------------------------------------------------


def test_the_room_imports_only_numpy_and_the_standard_library() -> None:
    """Law: what is checked shares nothing with what checks it: the gallery's imports say so."""
    folder = pathlib.Path(str(activations.__file__)).parent
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level <= 1, (path.name, node.lineno)
                modules = [] if node.level == 1 else [str(node.module)]
            else:
                continue
            for module in modules:
                top = module.partition(".")[0]
                assert top == "numpy" or top in sys.stdlib_module_names, (path.name, module)
