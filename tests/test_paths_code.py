"""Code that branches on values: proved where every path is, and nothing is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr


def huber(r: float) -> Any:
    return 0.5 * r * r if abs(r) <= 1 else abs(r) - 0.5


def huber_slope(r: float) -> Any:
    if r > 1:
        return 1.0
    if r < -1:
        return -1.0
    return r


def huber_late(r: float) -> Any:
    if r > 1.01:
        return 1.0
    if r < -1:
        return -1.0
    return r


def relu(x: float) -> Any:
    return x if x > 0 else 0.0


def relu_slope(x: float) -> Any:
    if x > 0:
        return 1.0
    return 0.0


def leaky(x: float) -> Any:
    return x if x > 0 else 0.1 * x


def leaky_wrong(x: float) -> Any:
    return 1.0 if x > 0 else 0.01


def sinc(x: float) -> Any:
    if x == 0:
        return 1.0
    return np.sin(x) / x


def sinc_slope(x: float) -> Any:
    if x == 0:
        return 0.0
    return (x * np.cos(x) - np.sin(x)) / x**2


def square(x: float) -> Any:
    return x * x


def never(x: float) -> Any:
    if x * x < -1:
        return 7.0
    return 2 * x


def far(x: float) -> Any:
    if x > 1e9:
        return 3 * x
    return 2 * x


def at_one_point(x: float) -> Any:
    if x > 3:
        return 2 * x
    if x < 3:
        return 2 * x
    return 5.0


def by_floor(x: float) -> Any:
    if np.floor(x) == 1e15:
        return 3 * x
    return 2 * x


def by_root(x: float) -> Any:
    if np.sqrt((x - 1e15) ** 2) == x - 1e15:
        return 3 * x
    return 2 * x


def length(x: Any) -> Any:
    return np.sqrt(np.sum(x * x))


def direction(x: Any) -> Any:
    n = np.sqrt(np.sum(x * x))
    if n == 0:
        return np.zeros_like(x)
    return x / n


RIGHT = {
    "huber": (huber, huber_slope, 0.3),
    "relu": (relu, relu_slope, 0.3),
    "a branch that cannot be": (square, never, 0.7),
}
WRONG = {
    "late": (huber, huber_late, 0.3),
    "leaky": (leaky, leaky_wrong, 0.5),
    "far": (square, far, 0.7),
    "at one point": (square, at_one_point, 0.7),
}
Pair = tuple[Callable[..., Any], Callable[..., Any], float]


def finding(pair: Pair) -> Any:
    f, g, x = pair
    name = f.__code__.co_varnames[0]
    (found,) = cr.check(f, g, at={name: x}).findings.values()
    return found


@pytest.mark.parametrize("name", RIGHT)
def test_every_path_is_proved(name: str) -> None:
    """No path is a condition: |r| ≤ 1 and r > 1 cannot both be."""
    found = finding(RIGHT[name])
    assert found.status == "proved" and found.scope.conditions == (), str(found)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_path_is_refuted(name: str) -> None:
    """Also where it begins beyond 10⁹, or is one point."""
    found = finding(WRONG[name])
    assert found.status == "refuted" and "your own among them" in found.reason, str(found)


def test_a_path_of_one_point_is_an_exception() -> None:
    """x = 0 is a path of its own, of which the proof says nothing."""
    found = finding((sinc, sinc_slope, 0.7))
    assert found.status == "proved" and "x == 0" in found.scope.excepting


@pytest.mark.parametrize("backward", [by_floor, by_root])
def test_an_equality_that_holds_on_an_interval_is_no_exception(backward: Any) -> None:
    """What is equal on more than a thin set, far away, is a path that must be proved."""
    assert finding((square, backward, 0.7)).status != "proved"


def test_the_origin_of_a_length() -> None:
    """Its own path, where the length has a kink; elsewhere proved."""
    verdict = cr.check(length, direction, at={"x": np.array([0.3, -0.4])})
    assert verdict.status == "proved" and "n==0" in str(verdict.worst.scope.excepting).replace(
        " ", ""
    )


def test_what_no_hook_sees_is_never_right() -> None:
    """A trap of floating point as a branch: the code gives what its own graph cannot give."""

    def trapped(x: Any) -> Any:
        try:
            with np.errstate(over="raise"):
                np.exp(x * 300)
        except FloatingPointError:
            return 3 * x
        return 2 * x

    verdict = cr.check(lambda x: np.sum(x**2), trapped, at={"x": np.array([0.7, -1.3, 2.1])})
    assert verdict.status in ("refuted", "disagrees", "inconclusive") and not verdict.ok


def test_without_source_nothing_is_proved() -> None:
    """What it compares is not seen."""
    space: dict[str, Any] = {}
    exec("def b(x):\n    return 2 * x", space)
    at = {"x": np.array([0.7, -1.3, 2.1])}
    right = cr.check(lambda x: np.sum(x**2), space["b"], at=at)
    assert right.status == "agrees" and "has no source" in right.worst.reason
    exec("def b(x):\n    return 2 * x if float(x[0]) < 5 else 3 * x", space)
    assert not cr.check(lambda x: np.sum(x**2), space["b"], at=at).ok
