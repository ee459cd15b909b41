"""Traps where code looks at sizes or values: the path is part of the answer. Made on one side, a
derivative is right there; on another side it is refused, or right.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ways.honest import matches, right, right_or_refused, told

import chainrule as cr
from chainrule.code.trace.run import trace

Array = Any


def drawn(*shape: int, seed: int = 0) -> Array:
    """Normal numbers."""
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def on_length(x: Array) -> Any:
    if len(x) > 4:
        return np.sum(x**2)
    return np.sum(x**3)


def d_on_length(x: Array) -> Array:
    return 2 * x if len(x) > 4 else 3 * x**2


@pytest.mark.parametrize("n", [1, 4, 5, 9])
def test_a_branch_on_a_shape(n: int) -> None:
    """Each side is right on its side; across the border it is refused, and the guard is named."""
    others = [{"x": drawn(k)} for k in (1, 2, 4, 5, 6, 9)]
    derivation = right(on_length, {"x": drawn(n)}, ("x",), d_on_length, others)
    crossed = {"x": drawn(9 if n < 5 else 3)}
    with pytest.raises(cr.ChainruleError):
        derivation.lower()(crossed)


def square_or_not(x: Array) -> Any:
    x = x if x.shape[0] == x.shape[1] else x @ x.T
    return np.sum(x**3)


def transposed_if_needed(W: Array, x: Array) -> Any:
    z = W @ x if W.shape[1] == len(x) else W.T @ x
    return np.sum(np.tanh(z))


def test_sizes_that_happen_to_be_equal() -> None:
    """A comparison of two sizes that came out equal is a condition, not a law."""
    right(
        square_or_not,
        {"x": drawn(3, 3)},
        ("x",),
        lambda x: 3 * x**2 if x.shape[0] == x.shape[1] else 6 * (x @ x.T) ** 2 @ x,
        [{"x": drawn(4, 4)}, {"x": drawn(2, 5)}, {"x": drawn(5, 2)}],
    )

    def d(W: Array, x: Array) -> tuple[Array, Array]:
        if W.shape[1] == len(x):
            s = 1 - np.tanh(W @ x) ** 2
            return np.outer(s, x), W.T @ s
        s = 1 - np.tanh(W.T @ x) ** 2
        return np.outer(x, s), W @ s

    others = [{"W": drawn(m, n), "x": drawn(k)} for m, n, k in [(5, 5, 5), (2, 4, 4), (4, 2, 4)]]
    right(transposed_if_needed, {"W": drawn(3, 3), "x": drawn(3)}, ("W", "x"), d, others)


@pytest.mark.parametrize("n", [1, 3])
def test_a_size_of_one_stretches_and_others_do_not(n: int) -> None:
    """Where b has one entry it is stretched; a derivation made there is none for b of n entries,
    and the other way round."""

    def d(x: Array, b: Array) -> tuple[Array, Array]:
        r = 2 * (x + b)
        return r, r.sum(axis=0) if b.size > 1 else np.array([np.sum(r)])

    others = [{"x": drawn(4, 3), "b": drawn(k)} for k in (1, 3)]
    others += [{"x": drawn(4, 1), "b": drawn(1)}, {"x": drawn(1, 3), "b": drawn(3)}]
    right(
        lambda x, b: np.sum((x + b) ** 2), {"x": drawn(2, 3), "b": drawn(n)}, ("x", "b"), d, others
    )


def test_one_sample_is_no_law_for_many() -> None:
    """N = 1, where every mean is a sum and every row a column."""

    def cost(x: Array, y: Array) -> Any:
        return np.sum((x - y) ** 2) / len(x)

    def d(x: Array, y: Array) -> Array:
        z = np.broadcast_to(2 * (x - y) / len(x), np.broadcast_shapes(x.shape, y.shape))
        return z if x.shape == z.shape else np.sum(z, axis=0, keepdims=True)

    others = [{"x": drawn(n), "y": drawn(m)} for n, m in [(4, 4), (4, 1), (1, 4)]]
    right(cost, {"x": drawn(1), "y": drawn(1)}, ("x",), d, others)


def by_sign(x: Array) -> Any:
    if x[0] > 0:
        return np.sum(x**2)
    return np.sum(x**3)


def by_any(x: Array) -> Any:
    if np.any(x < 0):
        return np.sum(x**3)
    return np.sum(x**2)


def by_and(x: Array) -> Any:
    if x[0] > 0 and x.min() > 0:
        return np.sum(x**2)
    return np.sum(x**3)


def by_or(x: Array) -> Any:
    if x[0] < 0 or not x.min() > 0:
        return np.sum(x**3)
    return np.sum(x**2)


def by_chain(x: Array) -> Any:
    return np.sum(x**2) if 0 < x[0] < 1e9 and np.all(x > 0) else np.sum(x**3)


def by_value_of_and(x: Array) -> Any:
    power = (x.min() > 0 and 2.0) or 3.0
    return np.sum(x**power)


def by_index(x: Array) -> Any:
    return np.sum(x ** [3, 2][int(x.min() > 0)])


def by_dictionary(x: Array) -> Any:
    return np.sum(x ** {True: 2, False: 3}[bool(x.min() > 0)])


def by_assertion(x: Array) -> Any:
    try:
        assert x.min() > 0
    except AssertionError:
        return np.sum(x**3)
    return np.sum(x**2)


def by_match(x: Array) -> Any:
    match bool(x.min() > 0):
        case True:
            return np.sum(x**2)
        case _:
            return np.sum(x**3)


def by_while(x: Array) -> Any:
    power = 2
    while power < 3 and x.min() <= 0:
        power += 1
    return np.sum(x**power)


def by_filter(x: Array) -> Any:
    negative = [v for v in x if v < 0]
    return np.sum(x**3) if negative else np.sum(x**2)


def by_count(x: Array) -> Any:
    return np.sum(x ** (2 + min(1, np.count_nonzero(x < 0))))


def by_mask(x: Array) -> Any:
    return np.sum(x**3) if x[x < 0].size else np.sum(x**2)


def by_length_of_mask(x: Array) -> Any:
    return np.sum(x**2) if len(np.where(x > 0)[0]) == len(x) else np.sum(x**3)


def by_key(x: Array) -> Any:
    worst = min(range(len(x)), key=lambda k: x[k])
    return np.sum(x**2) if x[worst] > 0 else np.sum(x**3)


def by_next(x: Array) -> Any:
    found = next((v for v in x if v < 0), None)
    return np.sum(x**2) if found is None else np.sum(x**3)


def by_all(x: Array) -> Any:
    return np.sum(x**2) if all(v > 0 for v in x) else np.sum(x**3)


def by_sign_function(x: Array) -> Any:
    return np.sum(x**2) if np.sign(x).sum() == len(x) else np.sum(x**3)


def by_copysign(x: Array) -> Any:
    return np.sum(x**2) if all(math.copysign(1, v) > 0 for v in x) else np.sum(x**3)


def by_text(x: Array) -> Any:
    return np.sum(x**3) if "-" in str([float(v) for v in x]) else np.sum(x**2)


def by_allclose(x: Array) -> Any:
    return np.sum(x**2) if np.allclose(np.abs(x), x) else np.sum(x**3)


def by_array_equal(x: Array) -> Any:
    return np.sum(x**2) if np.array_equal(np.abs(x), x) else np.sum(x**3)


def by_errstate(x: Array) -> Any:
    try:
        with np.errstate(invalid="raise"):
            np.sqrt(x)
    except FloatingPointError:
        return np.sum(x**3)
    return np.sum(x**2)


def by_domain(x: Array) -> Any:
    try:
        [math.sqrt(v) for v in x]
    except ValueError:
        return np.sum(x**3)
    return np.sum(x**2)


def by_nan(x: Array) -> Any:
    with np.errstate(invalid="ignore"):
        return np.sum(x**3) if np.isnan(np.sqrt(x)).any() else np.sum(x**2)


def by_sort(x: Array) -> Any:
    return np.sum(x**2) if sorted(x)[0] > 0 else np.sum(x**3)


def by_floor(x: Array) -> Any:
    return np.sum(x**2) if math.floor(x.min()) >= 0 else np.sum(x**3)


#: No comparison of numbers is made: the text, the exception, the nan tell the sign.
HIDDEN = [by_text, by_errstate, by_domain, by_nan]
BRANCHES = [
    value
    for name, value in list(globals().items())
    if name.startswith("by_") and value not in HIDDEN
]
SIDES = pytest.mark.parametrize("side", [1.0, -1.0], ids=["positive", "negative"])


def two_sided(function: Callable[..., Any], side: float) -> None:
    """2x on one side, 3x² on the other: made on one, right there and nowhere wrong."""
    base = np.abs(drawn(3)) + 0.5
    others = [{"x": side * (np.abs(drawn(3, seed=1)) + 0.5)}, {"x": -side * base}]
    others += [{"x": base * [1, 1, -1]}, {"x": base * [-1, 1, 1]}]

    def expected(x: Array) -> Array:
        return 2 * x if function(x) == np.sum(x**2) else 3 * x**2

    right_or_refused(function, {"x": side * base}, ("x",), expected, others)


@SIDES
@pytest.mark.parametrize("function", BRANCHES, ids=lambda f: f.__name__)
def test_a_branch_on_a_value(function: Callable[..., Any], side: float) -> None:
    """Off its path a derivation refuses, or is still right."""
    two_sided(function, side)


@SIDES
@pytest.mark.parametrize("function", HIDDEN, ids=lambda f: f.__name__)
def test_a_branch_that_no_comparison_shows(function: Callable[..., Any], side: float) -> None:
    """The same where the path hangs on a text, an exception, or on whether a number is one."""
    two_sided(function, side)


@pytest.mark.parametrize("function", [by_sign, by_any, by_and, by_chain, by_while, by_all])
def test_everyday_branches_are_followed_and_told(function: Callable[..., Any]) -> None:
    """They are not refused at their own point, off it they are, and the guard says what of."""
    at = {"x": np.abs(drawn(3)) + 0.5}
    derivation = cr.derive(function, at=at, wrt=("x",))
    matches(derivation.lower()(at)["x"], 2 * at["x"], "x")
    with pytest.raises(cr.ChainruleError):
        derivation.lower()({"x": -at["x"]})
    guards = trace(function, at, ("x",)).guards
    assert any("0" in g.text and ("<" in g.text or ">" in g.text) for g in guards), guards
    assert any(g.site is not None and g.site.line for g in guards)
    assert "0" in told(derivation)


def largest(x: Array) -> Any:
    return max(x) ** 2 + x[np.argmin(x)] ** 3


def newton(a: float) -> Any:
    r = 1.0
    while abs(r * r - a) > 1e-12:
        r = (r + a / r) / 2
    return r


def bisection(a: float) -> Any:
    low, high = 0.0, 4.0
    for _ in range(60):
        middle = (low + high) / 2
        if middle * middle < a:
            low = middle
        else:
            high = middle
    return middle


def test_a_choice_by_comparison() -> None:
    """max, argmin, and loops that end when it is good enough: the path is part of the answer."""

    def d(x: Array) -> Array:
        out = np.zeros_like(x)
        out[np.argmax(x)] += 2 * np.max(x)
        out[np.argmin(x)] += 3 * np.min(x) ** 2
        return out

    x = np.array([0.3, 1.7, -0.4])
    right_or_refused(largest, {"x": x}, ("x",), d, [{"x": x[::-1]}, {"x": -x}, {"x": x * 2}])
    derivation = cr.derive(newton, at={"a": 2.0}, wrt=("a",))
    matches(derivation.lower()({"a": 2.0})["a"], 0.5 / np.sqrt(2.0), "a")
    for a in (2.0 + 1e-9, 1.5, 3.0, 9.0, 100.0):
        try:
            found = derivation.lower()({"a": a})["a"]
        except cr.ChainruleError:
            continue
        matches(found, 0.5 / np.sqrt(a), f"a = {a}", 1e-9)
    # every step of a bisection only compares: along its path nothing depends on a
    try:
        derivation = cr.derive(bisection, at={"a": 2.0}, wrt=("a",))
    except cr.ChainruleError:
        return
    with pytest.raises(cr.ChainruleError):
        derivation.lower()({"a": 2.1})


@pytest.mark.parametrize(
    ("function", "at_zero"),
    [
        (lambda x: np.sum(np.where(x > 0, 2 * x, 3 * x)), 3.0),
        (lambda x: np.sum(np.where(x >= 0, 2 * x, 3 * x)), 2.0),
        (lambda x: np.sum(np.where(x < 0, 2 * x, 3 * x)), 3.0),
        (lambda x: np.sum(np.where(x <= 0, 2 * x, 3 * x)), 2.0),
        (lambda x: np.sum(np.where(0 < x, 2 * x, 3 * x)), 3.0),
        (lambda x: np.sum(np.where(np.logical_not(x <= 0), 2 * x, 3 * x)), 3.0),
        (lambda x: np.sum(np.where(x == 0, 2 * x, 3 * x)), 2.0),
        (lambda x: np.sum(np.where(x != 0, 2 * x, 3 * x)), 3.0),
    ],
    ids=[">", ">=", "<", "<=", "0 <", "not <=", "==", "!="],
)
def test_a_strict_comparison_is_no_weak_one(function: Callable[..., Any], at_zero: float) -> None:
    """At 0 the derivative follows the side that the code takes there."""
    lowered = cr.derive(function, at={"x": np.array([1.0, -1.0, 0.5])}, wrt=("x",)).lower()
    found = lowered({"x": np.array([0.0, 0.0, -0.0])})["x"]
    np.testing.assert_array_equal(found, np.full(3, at_zero))
