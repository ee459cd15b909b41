"""Forward code that cannot be followed: what differences of its values tell of a derivative."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq

import chainrule as cr
from chainrule.evidence import differences
from chainrule.evidence.differences import Line

Array = np.ndarray[Any, Any]
Case = tuple[Callable[..., Any], Callable[..., Any], dict[str, Any], dict[str, Any]]

RNG = np.random.default_rng(11)
X = np.array([0.3, -1.2, 2.5, 0.7])
W = RNG.standard_normal((3, 4))
A = RNG.standard_normal((3, 3))


# -- forward functions that cannot be followed, each with its right derivative ---------------------


def bessel(x: Array) -> Any:
    return np.sum(special.jv(0, x))


def d_bessel(x: Array) -> Any:
    return -special.jv(1, x)


def integral(a: float) -> Any:
    return quad(lambda t: math.exp(-a * t * t), 0, 1)[0]


def d_integral(a: float) -> Any:
    return -quad(lambda t: t * t * math.exp(-a * t * t), 0, 1)[0]


def root(a: float) -> Any:
    return brentq(lambda y: y**3 + y - a, -10, 10)


def d_root(a: float) -> Any:
    y = brentq(lambda y: y**3 + y - a, -10, 10)
    return 1 / (3 * y**2 + 1)


def running(x: Array) -> Any:
    return np.maximum.accumulate(x) @ np.arange(1.0, 5.0)


def d_running(x: Array) -> Any:
    out, best = np.zeros_like(x), 0
    for k in range(len(x)):
        best = k if x[k] > x[best] else best
        out[best] += k + 1.0
    return out


def masked(x: Array) -> Any:
    return (np.ma.masked_less(x, 0.0) ** 3).sum()


def d_masked(x: Array) -> Any:
    return np.where(x < 0, 0.0, 3 * x**2)


def layer(x: Array) -> Any:
    return special.erfinv(np.tanh(W @ x) / 2)


def d_layer(x: Array, dy: Array) -> Any:
    t = np.tanh(W @ x)
    y = special.erfinv(t / 2)
    return W.T @ (dy * np.sqrt(np.pi) / 2 * np.exp(y**2) / 2 * (1 - t**2))


def jacobian_of_layer(x: Array) -> Any:
    t = np.tanh(W @ x)
    y = special.erfinv(t / 2)
    return (np.sqrt(np.pi) / 4 * np.exp(y**2) * (1 - t**2))[:, None] * W


def pushed_layer(x: Array, dx: Array) -> Any:
    return jacobian_of_layer(x) @ dx


swish = np.frompyfunc(lambda t: t / (1 + math.exp(-t)), 1, 1)


def called_back(x: Array) -> Any:
    return float(sum(swish(x)))


def d_called_back(x: Array) -> Any:
    s = 1 / (1 + np.exp(-x))
    return s + x * s * (1 - s)


def table(x: Array) -> Any:
    return np.sum(np.interp(x, [-3.0, 0.0, 1.0, 4.0], [1.0, 2.0, -1.0, 5.0]) * special.j1(1.0))


def d_table(x: Array) -> Any:
    slopes = np.array([1 / 3, -3.0, 2.0])
    return slopes[np.searchsorted([0.0, 1.0], x)] * special.j1(1.0)


def quadratic(x: Array) -> Any:
    return special.expi(1 + x @ (A @ A.T) @ x + x @ A @ x)


def d_quadratic(x: Array) -> Any:
    z = 1 + x @ (A @ A.T) @ x + x @ A @ x
    return np.exp(z) / z * (2 * A @ A.T + A + A.T) @ x


def folded(x: Array) -> Any:
    return functools.reduce(operator.mul, map(float, swish(3 + x[0] + x)))


def d_folded(x: Array) -> Any:
    z = 3 + x[0] + x
    values = swish(z).astype(float)
    each = np.prod(values) * d_called_back(z) / values
    each[0] += each.sum()
    return each


def two(x: Array, s: float) -> Any:
    return s**2 * np.sum(special.i0e(x))


def d_two(x: Array, s: float) -> Any:
    return {
        "x": s**2 * (special.i1e(x) - np.sign(x) * special.i0e(x)),
        "s": 2 * s * np.sum(special.i0e(x)),
    }


def spectrum(x: Array) -> Any:
    return np.sum(np.abs(np.fft.fft(x)) ** 2)


def d_spectrum(x: Array) -> Any:
    return 2 * len(x) * x


RIGHT: dict[str, Case] = {
    "a Bessel function": (bessel, d_bessel, {"x": X}, {}),
    "an integral": (integral, d_integral, {"a": 1.3}, {}),
    "a root": (root, d_root, {"a": 2.0}, {}),
    "a running maximum": (running, d_running, {"x": X}, {}),
    "masked arrays": (masked, d_masked, {"x": X}, {}),
    "vjp": (layer, d_layer, {"x": X}, {}),
    "vjp, with its cotangent": (layer, d_layer, {"x": X, "dy": np.array([1.0, -2.0, 0.5])}, {}),
    "jacobian": (layer, jacobian_of_layer, {"x": X}, {}),
    "jvp": (layer, pushed_layer, {"x": X}, {"wrt": "x", "mode": "jvp", "tangent": "dx"}),
    "a callback": (called_back, d_called_back, {"x": X}, {}),
    "a table": (table, d_table, {"x": X}, {}),
    "a quadratic form": (quadratic, d_quadratic, {"x": np.array([0.2, -0.3, 0.1])}, {}),
    "a fold": (folded, d_folded, {"x": X}, {}),
    "two inputs": (two, d_two, {"x": X, "s": 1.5}, {}),
    "a spectrum": (spectrum, d_spectrum, {"x": X}, {}),
    "at 1e-3": (bessel, d_bessel, {"x": np.array([2e-3, -1e-3, 3e-3])}, {}),
    "at 1e3": (bessel, d_bessel, {"x": np.array([2e3, -1e3, 3e3])}, {}),
}


def only(verdict: cr.Verdict) -> Any:
    (finding,) = verdict.findings.values()
    return finding


def followed(verdict: cr.Verdict) -> bool:
    """Whether forward could be traced after all: its function has got a rule."""
    return not any(f.scope.followed == "black box" for f in verdict.findings.values())


def test_enough_of_them_cannot_be_followed() -> None:
    """The cases are what they are here for."""
    verdicts = [cr.check(f, g, at=at, **options) for f, g, at, options in RIGHT.values()]
    assert sum(not followed(v) for v in verdicts) >= 12


@pytest.mark.parametrize("name", RIGHT)
def test_right_ones_agree(name: str) -> None:
    """Within the digits that differences tell; never proved; and it says why."""
    forward, backward, at, options = RIGHT[name]
    verdict = cr.check(forward, backward, at=at, **options)
    if followed(verdict):
        assert verdict.ok
        return
    assert verdict.status == "agrees", str(verdict)
    for finding in verdict.findings.values():
        assert finding.scope.followed == "black box"
        assert "what differences can tell" in finding.reason
        assert f"{forward.__name__} is a black box (" in finding.reason
        assert finding.evidence[0].rung == "differences"


# -- wrong ones ------------------------------------------------------------------------------------


def scaled(by: float) -> Callable[[Any], Any]:
    def wrong(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: v * by for k, v in value.items()}
        return value * by

    return wrong


WRONG: dict[str, Callable[[Any], Any]] = {
    "twice": scaled(2.0),
    "a millionth": scaled(1 + 1e-6),
    "sign": scaled(-1.0),
}


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.parametrize("name", [n for n in RIGHT if n != "at 1e-3"])
def test_wrong_ones_disagree(name: str, how: str) -> None:
    """A factor, a sign, a millionth: beyond every error that is known of."""
    forward, backward, at, options = RIGHT[name]

    @functools.wraps(backward)
    def wrong(*args: Any, **named: Any) -> Any:
        return WRONG[how](backward(*args, **named))

    verdict = cr.check(forward, wrong, at=at, **options)
    if followed(verdict):
        assert verdict.status == "refuted"
        return
    assert verdict.status == "disagrees", str(verdict)
    assert "beyond every error that is known of" in str(verdict)


def test_dropped_transposed_and_misplaced() -> None:
    """A term left out, a matrix the other way around, an entry off: each disagrees."""
    x = np.array([0.2, -0.3, 0.1])

    def dropped(x: Array) -> Any:
        z = 1 + x @ (A @ A.T) @ x + x @ A @ x
        return np.exp(z) / z * (2 * A @ A.T) @ x

    def one_sided(x: Array) -> Any:
        z = 1 + x @ (A @ A.T) @ x + x @ A @ x
        return np.exp(z) / z * (2 * A @ A.T + 2 * A) @ x

    def rolled(x: Array) -> Any:
        return np.roll(d_quadratic(x), 1)

    def without_root(x: Array, dy: Array) -> Any:
        return d_layer(x, dy) * 2 / np.sqrt(np.pi)

    for wrong in (dropped, one_sided, rolled):
        assert cr.check(quadratic, wrong, at={"x": x}).status == "disagrees", wrong.__name__
    assert cr.check(layer, without_root, at={"x": X}).status == "disagrees"

    def square(x: Array) -> Any:
        return special.erfinv(np.tanh(A @ x) / 2)

    def turned(x: Array, dy: Array) -> Any:
        t = np.tanh(A @ x)
        return A @ (dy * np.sqrt(np.pi) / 4 * np.exp(special.erfinv(t / 2) ** 2) * (1 - t**2))

    assert cr.check(square, turned, at={"x": x}).status == "disagrees"


def test_the_message_shows_both_values() -> None:
    """What it gives, what differences give with their error, and where."""
    finding = only(cr.check(integral, lambda a: 2 * d_integral(a), at={"a": 1.3}))
    assert "at your point, as a moves, it gives -0.3243680" in finding.reason
    assert "differences of integral give -0.162184" in finding.reason
    assert "± " in finding.reason and "∂integral/∂a" in finding.reason


def test_one_wrong_entry_is_named() -> None:
    """The entry, of the input that is wrong."""

    def wrong(x: Array) -> Any:
        out = d_bessel(x)
        out[2] *= 1 + 1e-5
        return out

    finding = only(cr.check(bessel, wrong, at={"x": X}))
    assert finding.status == "disagrees" and "at entry [2]" in finding.reason


def test_contract_comes_first() -> None:
    """A wrong shape and no value at all refute, as where forward is followed."""
    shape = only(cr.check(bessel, lambda x: d_bessel(x)[None], at={"x": X}))
    assert shape.status == "refuted" and "has the shape (1×4)" in shape.reason
    assert only(cr.check(bessel, lambda x: None, at={"x": X})).status == "refuted"
    failing = only(cr.check(bessel, lambda x: d_bessel(x) @ np.ones(2), at={"x": X}))
    assert failing.status == "inconclusive" and "raises ValueError" in failing.reason


# -- what cannot be told ---------------------------------------------------------------------------


def test_noise_is_inconclusive() -> None:
    """Values that are kept to two decimals have no slope that can be seen."""

    def coarse(x: Array) -> Any:
        return float(special.jv(0, np.round(x, 2)).sum().round(2))

    finding = only(cr.check(coarse, d_bessel, at={"x": np.array([0.301, 1.207])}))
    assert finding.status == "inconclusive" and "too noisy, or jump" in finding.reason


def test_random_numbers_are_inconclusive() -> None:
    """Another result at the same arguments."""
    generator = np.random.default_rng()

    def drawn(x: Array) -> Any:
        return float(np.sum(special.jv(0, x)) + generator.standard_normal())

    finding = only(cr.check(drawn, d_bessel, at={"x": X}))
    assert finding.status == "inconclusive"
    assert "again" in finding.reason or "generator" in finding.reason


@pytest.mark.parametrize("claimed", [0.0, 0.5, 1.0])
def test_a_kink_at_your_point(claimed: float) -> None:
    """One-sided differences that do not meet; whatever is claimed."""

    def bent(x: Array) -> Any:
        return float(special.jv(0, x[0]) + x[1] ** 2 + 1e-3 * abs(x[1]))

    def slope(x: Array) -> Any:
        return np.array([-special.jv(1, x[0]), 2 * x[1] + 1e-3 * claimed * np.sign(x[1])])

    finding = only(cr.check(bent, slope, at={"x": np.array([1.0, 0.0])}))
    assert finding.status in ("inconclusive", "disagrees")
    right = only(cr.check(bent, lambda x: slope(x) + np.array([0, 1e-3 * (1 - claimed)])
                          * np.sign(x[1]), at={"x": np.array([1.0, 0.0])}))  # fmt: skip
    assert right.status == "inconclusive"
    assert "one-sided differences do not meet at entry [1]" in right.reason


def test_less_than_a_tolerance_is_inconclusive() -> None:
    """A part in 10⁹: more than differences explain, less than a solver may be off."""
    finding = only(cr.check(bessel, lambda x: d_bessel(x) * (1 + 1e-8), at={"x": X}))
    assert finding.status == "inconclusive" and "to a tolerance" in finding.reason


def test_a_solver_that_stops_early_is_no_alarm() -> None:
    """The right derivative of a differential equation that is solved to 3 digits, and twice it."""

    def solved(k: float) -> Any:
        return solve_ivp(lambda t, y: -k * y, (0, 1), [1.0]).y[0, -1]

    right = only(cr.check(solved, lambda k: -np.exp(-k), at={"k": 1.5}))
    assert right.status == "inconclusive" and "to a tolerance" in right.reason
    assert cr.check(solved, lambda k: -2 * np.exp(-k), at={"k": 1.5}).status == "disagrees"


def test_a_forward_that_raises_stays_as_it_was() -> None:
    """No values, no differences: the reason is forward's own exception."""

    def fails(x: Array) -> Any:
        return special.jv(0, x) @ np.ones(7)

    finding = only(cr.check(fails, d_bessel, at={"x": X}))
    assert finding.status == "inconclusive" and "cannot be followed" in finding.reason


# -- large inputs, places, nothing changed ---------------------------------------------------------


def test_large_inputs_by_directions() -> None:
    """More entries than are taken one by one: random directions, and that is said."""
    x = RNG.standard_normal(1000)
    right = only(cr.check(bessel, d_bessel, at={"x": x}))
    assert right.status == "agrees" and "in 6 random directions" in right.reason
    for wrong in (lambda x: d_bessel(x) * 1.001, lambda x: d_bessel(x)[::-1]):
        assert only(cr.check(bessel, wrong, at={"x": x})).status == "disagrees"


def test_the_claim_may_name_places() -> None:
    """A weight in a dict that forward reads, bound for every call and put back."""
    params = {"w": np.array([0.5, -1.0, 2.0, 0.25])}

    def loss(x: Array) -> Any:
        return float(np.sum(special.jv(0, params["w"] * x)))

    def slope(x: Array) -> Any:
        return -special.jv(1, params["w"] * x) * x

    kept = params["w"].copy()
    place = 'params["w"]'
    assert cr.check(loss, {place: slope}, at={"x": X}).status == "agrees"
    wrong = {place: lambda x: slope(x) * params["w"]}
    assert cr.check(loss, wrong, at={"x": X}).status == "disagrees"
    assert np.array_equal(params["w"], kept)


def test_nothing_of_yours_changes() -> None:
    """Arguments as they were, though forward writes into its own."""
    x = X.copy()

    def writes(x: Array) -> Any:
        total = float(np.sum(special.jv(0, x)))
        x += 1
        return total

    cr.check(writes, d_bessel, at={"x": x})
    assert np.array_equal(x, X)


# -- 0 false alarms --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_no_false_alarms(seed: int) -> None:
    """Right ones at scales 1e-3 … 1e3: never disagrees, never refuted."""
    rng = np.random.default_rng(seed)
    cases = [(bessel, d_bessel), (masked, d_masked), (called_back, d_called_back), (two, d_two)]
    for forward, backward in cases:
        for _ in range(4):
            scale = 10 ** rng.uniform(-3, 3)
            at: dict[str, Any] = {"x": rng.normal(size=int(rng.integers(1, 6))) * scale}
            if forward is called_back:
                at["x"] = np.clip(at["x"], -300, 300)
            if forward is two:
                at["s"] = float(rng.normal() * 10 ** rng.uniform(-3, 3))
            verdict = cr.check(forward, backward, at=at)
            assert verdict.status in ("agrees", "proved", "inconclusive"), f"{at}\n{verdict}"


# -- the policy by itself --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "slope", "x"),
    [
        (math.sin, math.cos, 1.0),
        (math.sin, math.cos, 900.0),
        (math.log, lambda x: 1 / x, 1e-3),
        (lambda x: math.exp(-x * x), lambda x: -2 * x * math.exp(-x * x), 3.0),
        (lambda x: round(math.sin(x), 9), math.cos, 1.0),
    ],
)
def test_the_error_covers(f: Any, slope: Any, x: float) -> None:
    """What a slope is off by lies within the error that is told."""

    def at(h: float) -> Any:
        try:
            return np.array([f(x + h)])
        except ValueError:
            return None

    line, here = Line(at, abs(x), lambda h: (x + h) - x), np.array([f(x)])
    found = differences.slope(line, here, differences.noise(line, here))
    assert abs(found.value[0] - slope(x)) <= found.error[0] < 1e-3 * abs(slope(x)) + 1e-4
    assert not found.kinked[0]


def test_nothing_is_told_of_a_jump() -> None:
    """A step function at its step: no slope, however small the step."""
    line = Line(lambda h: np.array([float(h >= 0)]))
    found = differences.slope(line, np.ones(1), differences.noise(line, np.ones(1)))
    assert not found.error[0] < 1e-3 or found.kinked[0]


def test_complex_steps_where_they_are_taken() -> None:
    """A function of complex numbers gives all digits; one that raises, or drops them, None."""
    found = differences.complex_slope(lambda h: np.sin(1 + h), 1.0)
    assert found is not None and abs(found[0] - math.cos(1)) < 1e-15
    assert differences.complex_slope(lambda h: math.sin(1 + h), 1.0) is None  # type: ignore[arg-type]
    assert differences.complex_slope(lambda h: abs(1 + h), 1.0) is None
