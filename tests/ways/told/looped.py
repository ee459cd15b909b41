"""Loops: `loops`."""

from __future__ import annotations

import numpy as np

from ways import loops
from ways.told import clean
from ways.told.clean import LAYER
from ways.told.plain import flat_layer, one_sample
from ways.way import Way, anp, gradient, hand

FLAT = {**LAYER, "b": "n1"}
SAMPLE = {"x": "n0", "y": "n1", "W": "n1 n0", "b": "n1"}


def floats(x, y, W, b):
    return anp.sum((anp.tanh(anp.dot(x, W) + b) - y) ** 2)


def product_by_hand(A, B):
    """∂/∂A ‖AB‖² = 2 AB Bᵀ,  ∂/∂B = 2 Aᵀ AB."""
    return 2 * A @ B @ B.T, 2 * A.T @ A @ B


def polynomial(c, x):
    p = anp.sum(anp.stack([c[k] * x**k for k in range(c.shape[0])]), axis=0)
    return anp.sum(p**2)


def descent(W, x, y, rate):
    """The residual shrinks by 1 − 2·rate·xᵀx each step."""
    r = (anp.dot(W, x) - y) * (1 - 2 * rate * anp.sum(x * x)) ** 3
    return anp.sum(r * r)


def momentum(w, g, beta):
    v = 0.0 * w
    for k in range(g.shape[0]):
        v = beta * v + (1 - beta) * g[k]
        w = w - 0.1 * v / (1 - beta ** (k + 1))
    return anp.sum(w**2)


def power_iteration(A, v):
    for _ in range(4):
        v = anp.dot(A, v)
    return anp.dot(v, anp.dot(A, v)) / anp.dot(v, v)


def smallest_largest(x):
    """At 0 < x0 < x1: x1² − x0 x1."""
    return np.array([-x[1], 2 * x[1] - x[0]])


def skipping(x, y, w):
    """The samples 0, 2, 4 of six, and the else of the loop."""
    r = w * x[[0, 2, 4]] - y[[0, 2, 4]]
    return 2 * np.sum(r * x[[0, 2, 4]]) + 1


def downwards(W, x):
    return anp.sum(anp.tanh(W[0] * anp.tanh(W[1] * anp.tanh(W[2] * x))))


def branching(x, w, b):
    return anp.sum(clean.sigmoid(w * x + b) ** 2)


def differences(x):
    d = x[1:] - x[:-1]
    return anp.sum(d**2 * (1 + x[:-1] ** 2))


def euler(x0, theta):
    x, total = x0, anp.sum(x0**2)
    for _ in range(10):
        x = x + 0.1 * anp.tanh(anp.dot(theta, x))
        total = total + anp.sum(x**2)
    return total / 11


def itemized(x, w):
    """∂/∂w Σ log(1 + e^{wx}) = Σ x σ(wx)."""
    return np.sum(x / (1 + np.exp(-w * x))), w / (1 + np.exp(-w * x))


def way(name, style, axes, wrt, reference, **more):
    return Way(f"loops.{name}", style, getattr(loops, name), axes, wrt, reference, **more)


WAYS = [
    way("over_samples", "for i in range(N)", FLAT, ("W", "b"), gradient(flat_layer)),
    way("over_columns", "for xi, yi in zip(x.T, y.T)", FLAT, ("W", "b"), gradient(flat_layer)),
    way("over_neurons", "s += W[j, k]*x[k, i], math.exp", FLAT, ("W", "b"), gradient(flat_layer)),
    way(
        "floats",
        "float(W[k]), x[i][k], math.tanh",
        {"x": "N n0", "y": "N", "W": "n0", "b": ""},
        ("W", "b"),
        gradient(floats),
    ),
    way(
        "matrix_product",
        "lists of lists",
        {"A": "n0 n1", "B": "n1 N"},
        ("A", "B"),
        hand(product_by_hand),
    ),
    way("python_lists", "sum(w*v for … in zip)", SAMPLE, ("W", "b"), gradient(one_sample)),
    way(
        "newton_root",
        "while i < 12",
        {"x": "positive n1"},
        ("x",),
        hand(lambda x: 0.5 / np.sqrt(x)),
    ),
    way(
        "newton_until",
        "while abs(…) > tolerance",
        {"a": "positive"},
        ("a",),
        hand(lambda a: np.asarray(a ** (-2 / 3) / 3)),
        fixed=("a",),
    ),
    way("horner", "reversed", {"c": "n1", "x": "N"}, ("c", "x"), gradient(polynomial)),
    way("powers", "sum(c*x**k)", {"c": "n1", "x": "N"}, ("c", "x"), gradient(polynomial)),
    way(
        "descent",
        "three steps of gradient descent",
        {"W": "n1 n0", "x": "n0", "y": "n1", "rate": "small"},
        ("W", "x", "rate"),
        gradient(descent),
    ),
    way(
        "momentum",
        "zeros_like, beta**t",
        {"w": "n0", "g": "n1 n0", "beta": "unit"},
        ("w", "g", "beta"),
        gradient(momentum),
    ),
    way(
        "power_iteration",
        "v = v/norm(v)",
        {"A": "K K", "v": "K"},
        ("A", "v"),
        gradient(power_iteration),
    ),
    way(
        "smallest_largest",
        "min and max of Python",
        {"x": "rising two"},
        ("x",),
        hand(smallest_largest),
    ),
    way(
        "skipping",
        "continue, break, for … else",
        {"x": "T", "y": "T", "w": ""},
        ("w",),
        hand(skipping),
        grows=False,
    ),
    way("downwards", "range(2, -1, -1)", {"W": "3", "x": "N"}, ("W", "x"), gradient(downwards)),
    way(
        "branching",
        "a branch on the sign, math.exp",
        {"x": "positive N", "w": "positive", "b": "positive"},
        ("w", "b"),
        gradient(branching),
    ),
    way("differences", "zip(x[:-1], x[1:])", {"x": "L"}, ("x",), gradient(differences)),
    way(
        "euler",
        "while len(trajectory) < 11",
        {"x0": "K", "theta": "K K"},
        ("x0", "theta"),
        gradient(euler),
    ),
    way("itemized", ".item()", {"x": "L", "w": ""}, ("w", "x"), hand(itemized)),
]
