"""Code on which a derivative was wrong, or fell over, when somebody tried to break it.

The reference is central differences of the function as it stands.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr

RNG = np.random.default_rng(3)
G1, RATE = np.array([[1.0, 0.5], [0.25, 2.0]]), 0.5


def numeric(f: Callable[..., Any], at: dict[str, Any], name: str, h: float = 1e-5) -> np.ndarray:
    """∂f/∂name by central differences, in the shape output + input."""
    base = np.asarray(at[name], float)

    def moved(place: Any, step: float) -> np.ndarray:
        values = {k: np.array(v) if isinstance(v, np.ndarray) else v for k, v in at.items()}
        there = base.copy()
        there[place] += step
        values[name] = there if isinstance(at[name], np.ndarray) else float(there)
        return np.asarray(f(**values), float)

    parts = [(moved(i, h) - moved(i, -h)) / (2 * h) for i in np.ndindex(base.shape)]
    return np.moveaxis(np.array(parts), 0, -1).reshape((*parts[0].shape, *base.shape))


def agrees(d: Any, f: Callable[..., Any], at: dict[str, Any]) -> None:
    """The derivation, its source and its formula's steps, at a point."""
    found = d.evaluate(at)
    namespace: dict[str, Any] = {}
    exec(d.source, namespace)
    made = namespace[f"d_{f.__name__}"](**{k: at.get(k, v) for k, v in d.point.items()})
    for name in d.wrt:
        expected = numeric(f, at, name)
        np.testing.assert_allclose(found[name], expected, rtol=1e-5, atol=1e-7)
        value = made[name] if isinstance(made, dict) else made
        if not isinstance(made, tuple):
            np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-7)
    assert d.steps and all(d[n].formula for n in d.wrt)


def two(a: Any, b: Any) -> Any:
    return a * np.tanh(b)


def one_value_twice(x: Any) -> Any:
    return (two(x, x) + two(two(x, x), x)).sum()


def unused(x: Any, y: Any) -> Any:
    return (x * x).sum()


def truth_of_a_float(x: Any) -> Any:
    return x * (x > 0) + x**2


def remainder_as_index(x: Any) -> Any:
    z = np.zeros(len(x))
    np.add.at(z, np.arange(len(x)) % 2, x**2)
    return (z * np.arange(len(x))).sum()


def inserted(x: Any) -> Any:
    return (np.insert(x, 0, 1.0) * np.arange(1.0, len(x) + 2)).sum() ** 2


def enumerated(x: Any) -> Any:
    return sum(v * i[0] + v**2 * i[1] for i, v in np.ndenumerate(x))


def indexed(x: Any) -> Any:
    return sum(x[i, j] * i for i, j in np.ndindex(*x.shape)) + x.sum() ** 2


def where_it_is_least(x: Any) -> Any:
    return x[x.argmin()] ** 2 + x[x.argsort()[-1]] ** 3


def scalar_filled(x: Any) -> Any:
    s = x.sum()
    s.fill(0.0)
    return s * s


def no_axes(x: Any) -> Any:
    x[()] = x * x
    x += 1
    return x * x


V, M = RNG.normal(size=3), RNG.normal(size=(2, 3))
CASES: list[tuple[Callable[..., Any], dict[str, Any], list[dict[str, Any]]]] = [
    (one_value_twice, {"x": V}, [{"x": RNG.normal(size=5)}]),
    (unused, {"x": V, "y": M}, []),
    (truth_of_a_float, {"x": 1.5}, []),
    (remainder_as_index, {"x": V}, [{"x": RNG.normal(size=4)}]),
    (inserted, {"x": V}, [{"x": RNG.normal(size=4)}]),
    (enumerated, {"x": M}, [{"x": RNG.normal(size=(3, 2))}]),
    (indexed, {"x": M}, [{"x": RNG.normal(size=(3, 2))}]),
    (where_it_is_least, {"x": V}, [{"x": V[::-1].copy()}]),
    (scalar_filled, {"x": V}, []),
    (no_axes, {"x": np.array(1.5)}, [{"x": np.array(0.5)}]),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].__name__)
def test_right_where_it_was_not(case: Any) -> None:
    """Right at the point, and right or refused at others."""
    f, at, others = case
    d = cr.derive(f, at=at, wrt=tuple(at))
    agrees(d, f, at)
    for values in others:
        try:
            found = d.evaluate(values)
        except cr.ChainruleError:
            continue
        for name in d.wrt:
            np.testing.assert_allclose(found[name], numeric(f, values, name), rtol=1e-5, atol=1e-7)


# ---- what is no input stays as it was, or is refused --------------------------------------------


def with_options(x: Any, k: int, ws: list[Any], scale: dict[str, Any]) -> Any:
    for w in ws:
        x = w * x**k
    return (x * scale["a"]).sum()


def test_other_options_are_no_other_point() -> None:
    """An integer that was followed as it is cannot be changed later; arrays in lists can."""
    at = {"x": np.ones(2), "k": 2, "ws": [np.ones(2), np.ones(2)], "scale": {"a": 3.0}}
    d = cr.derive(with_options, at=at, wrt="x")
    changed = {"ws": [np.full(2, 2.0), np.ones(2)], "scale": {"a": 5.0}}
    np.testing.assert_allclose(
        d.evaluate({**at, **changed})["x"], numeric(with_options, {**at, **changed}, "x")
    )
    with pytest.raises(cr.ChainruleError, match="k = 2"):
        d.evaluate({**at, "k": 3})
    with pytest.raises(cr.ChainruleError, match="ws"):
        d.evaluate({**at, "ws": [np.ones(2)]})
    with pytest.raises(cr.ChainruleError, match="reads no X"):
        d.evaluate({"X": np.ones(2)})


# ---- Hessian times vector ------------------------------------------------------------------------


def branched(x: Any, v0: Any) -> Any:
    return (x**3).sum() * v0 if x[0] > 0 else (x**2).sum() * v0**2


def test_directions_are_no_inputs() -> None:
    """An input called v0, directions by inputs of several shapes, and the path."""
    at = {"x": np.array([1.0, 2.0]), "v0": 3.0}
    d = cr.derive(branched, at=at, wrt=("x", "v0"))
    np.testing.assert_allclose(d.hvp({"x": [1.0, -1.0]})["x"], [18.0, -36.0])
    np.testing.assert_allclose(d.hvp({"v0": 1.0})["v0"], 0.0)
    both = d.hvp({"x": [1.0, -1.0], "v0": 2.0})
    np.testing.assert_allclose(both["x"], [18.0 + 6.0, -36.0 + 24.0])
    np.testing.assert_allclose(both["v0"], 3.0 - 12.0)
    with pytest.raises(cr.ChainruleError, match="another path"):
        d.hvp({"x": [1.0, 1.0]}, {"x": np.array([-1.0, 1.0])})


# ---- adjoints by name ----------------------------------------------------------------------------


def by_entries(x: Any) -> Any:
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = x[i] ** 2
    half = out[:2]
    return (out * out).sum() + half.sum()


def test_a_buffer_has_no_adjoint_of_its_own() -> None:
    """What reads a buffer goes to what was written into it: its own would be 0."""
    d = cr.derive(by_entries, at={"x": V}, wrt="x")
    for name in ("out", "half"):
        with pytest.raises(cr.ChainruleError, match="entry by entry"):
            d.adjoint(name)


# ---- threads -------------------------------------------------------------------------------------


def by_globals(x: Any) -> Any:
    return ((G1 @ x) ** 2).sum() * RATE


def test_threads_read_no_bound_place() -> None:
    """Places are read only while nobody else has bound them."""
    wrong: list[Any] = []
    before = sys.getswitchinterval()

    def work(k: int) -> None:
        x = np.full(2, float(k))
        for _ in range(4):
            try:
                found = cr.derive(by_globals, at={"x": x}, wrt=("G1", "RATE")).evaluate()
                expected = 2 * 0.5 * np.outer(np.array([[1.0, 0.5], [0.25, 2.0]]) @ x, x)
                np.testing.assert_allclose(found["G1"], expected)
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 4)]
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not wrong


# ---- errors and costs ----------------------------------------------------------------------------


def test_errors_are_ours() -> None:
    """No inverse, and a shape that a slice cannot take."""
    at = {"x": np.outer([1.0, 2.0], [1.0, 1.0])}
    with pytest.raises(cr.ChainruleError, match="inverse"):
        cr.derive(_det, at=at).evaluate()
    d = cr.derive(_first_two, at={"x": V, "w": np.ones(2)}, wrt=("x", "w"))
    with pytest.raises(cr.ChainruleError):
        d.evaluate(x=np.ones(1), w=np.ones(2))


def _det(x: Any) -> Any:
    return np.linalg.det(x)


def _first_two(x: Any, w: Any) -> Any:
    y = x * 2
    y[:2] *= w
    return (y * y).sum()


def decaying(x: Any) -> Any:
    s = 0.0
    for k in range(3000):
        s = s * 0.999 + x[k % 3]
    return s


def running(x: Any, y: Any) -> Any:
    return np.cumsum(np.multiply.outer(y, x)).mean()


def test_costs_stay_small() -> None:
    """Powers of a number are not written out, and fresh sizes are no larger than need be."""
    begin = time.perf_counter()
    d = cr.derive(decaying, at={"x": np.ones(3)})
    assert 0 < d.evaluate()["x"][0] < 1000 and d["x"].formula
    cr.derive(running, at={"x": np.ones((3, 3, 3)), "y": np.ones(3)})
    assert time.perf_counter() - begin < 20
