"""Test functions of optimization, physics and textbooks; scalars, lists, several styles."""
# People's own code stays as they write it.
# ruff: noqa: B905, RUF007, RUF059

from __future__ import annotations

import math
from collections import namedtuple
from functools import partial

import numpy as np

from tests.gradients import Case

rng = np.random.default_rng(3)
Grads = namedtuple("Grads", "mass speed")


def rosenbrock(x):
    return sum(100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0)


def rosenbrock_der(x):
    xm = x[1:-1]
    xm_m1 = x[:-2]
    xm_p1 = x[2:]
    der = np.zeros_like(x)
    der[1:-1] = 200 * (xm - xm_m1**2) - 400 * (xm_p1 - xm**2) * xm - 2 * (1 - xm)
    der[0] = -400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0])
    der[-1] = 200 * (x[-1] - x[-2] ** 2)
    return der


def himmelblau(x, y):
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def himmelblau_grad(x, y):
    a, b = x**2 + y - 11, x + y**2 - 7
    return 4 * x * a + 2 * b, 2 * a + 4 * y * b


def rastrigin(x, A=10):
    return A * len(x) + np.sum(x**2 - A * np.cos(2 * np.pi * x))


def rastrigin_grad(x, A=10):
    return 2 * x + 2 * np.pi * A * np.sin(2 * np.pi * x)


def ackley(x):
    n = len(x)
    one = -20 * np.exp(-0.2 * np.sqrt(np.sum(x**2) / n))
    return one - np.exp(np.sum(np.cos(2 * np.pi * x)) / n) + 20 + np.e


def ackley_grad(x):
    n = len(x)
    r = np.sqrt(np.sum(x**2) / n)
    one = 4 * np.exp(-0.2 * r) * x / (n * r)
    return one + 2 * np.pi / n * np.sin(2 * np.pi * x) * np.exp(np.cos(2 * np.pi * x).mean())


def kinetic(mass, speed):
    return 0.5 * mass * speed**2 / math.sqrt(1 - (speed / 3.0) ** 2)


def kinetic_grad(mass, speed):
    g = 1 / math.sqrt(1 - (speed / 3.0) ** 2)
    return Grads(0.5 * speed**2 * g, mass * speed * g + 0.5 * mass * speed**3 / 9 * g**3)


def black_scholes(S, K, r, sigma, T):
    from math import erf, exp, log, sqrt

    d1 = (log(S / K) + (r + sigma**2 / 2) * T) / (sigma * sqrt(T))
    d2 = d1 - sigma * sqrt(T)

    def cdf(z):
        return 0.5 * (1 + erf(z / sqrt(2)))

    return S * cdf(d1) - K * exp(-r * T) * cdf(d2)


def greeks(S, K, r, sigma, T):
    d1 = (math.log(S / K) + (r + sigma**2 / 2) * T) / (sigma * math.sqrt(T))
    d2 = d1 - sigma * math.sqrt(T)
    delta = 0.5 * (1 + math.erf(d1 / math.sqrt(2)))
    vega = S * math.exp(-(d1**2) / 2) / math.sqrt(2 * math.pi) * math.sqrt(T)
    rho = K * T * math.exp(-r * T) * 0.5 * (1 + math.erf(d2 / math.sqrt(2)))
    return {"S": delta, "sigma": vega, "r": rho}


def quadratic(A, x, b):
    return 0.5 * x.T @ A @ x - b.T @ x


def quadratic_grad(A, x, b):
    return {"x": 0.5 * (A + A.T) @ x - b, "A": 0.5 * np.outer(x, x)}


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def gelu_grad(x, dy):
    c = np.sqrt(2 / np.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * c * (1 + 3 * 0.044715 * x**2))


def softmax(z):
    e = np.exp(z - np.max(z))
    return e / e.sum()


def softmax_jacobian(z):
    s = softmax(z)
    J = np.zeros((len(z), len(z)))
    for i in range(len(z)):
        for j in range(len(z)):
            J[i, j] = s[i] * ((i == j) - s[j])
    return J


def polynomial(coef, ts, ys):
    total = 0.0
    for t, y in zip(ts, ys):
        p = 0.0
        for c in reversed(coef):
            p = p * t + c
        total += (p - y) ** 2
    return total


def polynomial_grad(coef, ts, ys):
    g = [0.0 for _ in coef]
    for t, y in zip(ts, ys):
        p = sum(c * t**k for k, c in enumerate(coef))
        for k in range(len(coef)):
            g[k] += 2 * (p - y) * t**k
    return np.array(g)


def arm(angles, lengths, target):
    a = np.cumsum(angles)
    x = np.sum(lengths * np.cos(a))
    y = np.sum(lengths * np.sin(a))
    return (x - target[0]) ** 2 + (y - target[1]) ** 2


def arm_grad(angles, lengths, target):
    a = np.cumsum(angles)
    x, y = lengths @ np.cos(a), lengths @ np.sin(a)
    da = 2 * (x - target[0]) * -lengths * np.sin(a) + 2 * (y - target[1]) * lengths * np.cos(a)
    return np.cumsum(da[::-1])[::-1]


def heat(u, k, steps):
    for _ in range(steps):
        u = u + k * (np.roll(u, 1) - 2 * u + np.roll(u, -1))
    return 0.5 * np.sum(u**2)


def heat_grad(u, k, steps):
    for _ in range(steps):
        u = u + k * (np.roll(u, 1) - 2 * u + np.roll(u, -1))
    for _ in range(steps):
        u = u + k * (np.roll(u, -1) - 2 * u + np.roll(u, 1))
    return u


three_steps = partial(heat, k=0.125, steps=3)
three_steps_grad = partial(heat_grad, k=0.125, steps=3)

CASES = [
    Case(
        "rosenbrock",
        "rosenbrock",
        "rosenbrock_der",
        {"x": np.array([1.3, 0.7, 0.8, 1.9, 1.2])},
        (
            ("missing term", " - 2 * (1 - xm)", ""),
            ("200 for 400", "- 400 * (xm_p1", "- 200 * (xm_p1"),
            ("off by one", "x[-2] ** 2", "x[-1] ** 2"),
            ("wrong sign in one term", "der[0] = -400 *", "der[0] = 400 *"),
        ),
    ),
    Case(
        "himmelblau",
        "himmelblau",
        "himmelblau_grad",
        {"x": 1.5, "y": -0.5},
        (
            ("square forgotten", "2 * b, 2 * a", "2 * b * 0, 2 * a"),
            ("swapped", "4 * y * b", "4 * x * b"),
            ("a factor 1 + 1e-9", "2 * a + 4", "(1 + 1e-9) * 2 * a + 4"),
        ),
    ),
    Case(
        "rastrigin",
        "rastrigin",
        "rastrigin_grad",
        {"x": rng.normal(size=4)},
        (
            ("inner derivative", "2 * np.pi * A", "A"),
            ("wrong sign", "2 * x + 2", "2 * x - 2"),
            ("pi rounded", "+ 2 * np.pi * A", "+ 2 * 3.1416 * A"),
        ),
    ),
    Case(
        "ackley",
        "ackley",
        "ackley_grad",
        {"x": rng.normal(size=3)},
        (
            ("n forgotten", "(n * r)", "r"),
            ("wrong sign", "one + 2 * np.pi", "one - 2 * np.pi"),
            ("0.2 for 0.02", "-0.2 * r", "-0.02 * r"),
        ),
    ),
    Case(
        "kinetic",
        "kinetic",
        "kinetic_grad",
        {"mass": 2.0, "speed": 1.25},
        (
            ("missing term", " + 0.5 * mass * speed**3 / 9 * g**3", ""),
            ("power", "g**3", "g**2"),
            ("constant off", "/ 9 *", "/ 9.000001 *"),
        ),
    ),
    Case(
        "black_scholes",
        "black_scholes",
        "greeks",
        {"S": 1.0, "K": 1.1, "r": 0.03, "sigma": 0.2, "T": 0.5},
        (
            ("root of T missing", " * math.sqrt(T)\n    rho", "\n    rho"),
            ("d1 for d2", "math.erf(d2", "math.erf(d1"),
            ("T missing", "K * T *", "K *"),
        ),
    ),
    Case(
        "quadratic",
        "quadratic",
        "quadratic_grad",
        {"A": rng.normal(size=(3, 3)), "x": rng.normal(size=3), "b": rng.normal(size=3)},
        (
            ("holds for symmetric only", "0.5 * (A + A.T) @ x", "A @ x"),
            ("wrong sign", "@ x - b", "@ x + b"),
            ("half missing", "0.5 * np.outer(x, x)", "np.outer(x, x)"),
        ),
    ),
    Case(
        "gelu",
        "gelu",
        "gelu_grad",
        {"x": rng.normal(size=4)},
        (
            ("0.0447 for 0.044715", "(x + 0.044715", "(x + 0.0447"),
            ("missing factor 3", "3 * 0.044715", "0.044715"),
            ("missing term", "0.5 * (1 + t) + ", ""),
        ),
    ),
    Case(
        "softmax_jacobian",
        "softmax",
        "softmax_jacobian",
        {"z": rng.normal(size=4)},
        (
            ("diagonal only", "((i == j) - s[j])", "(i == j) * (1 - s[j])"),
            ("wrong sign", "((i == j) - s[j])", "((i == j) + s[j])"),
            ("one loop short", "for j in range(len(z))", "for j in range(len(z) - 1)"),
        ),
    ),
    Case(
        "polynomial",
        "polynomial",
        "polynomial_grad",
        {"coef": [0.5, -1.0, 2.0], "ts": [0.1, 0.4, 0.9], "ys": [1.0, 0.5, 2.0]},
        (
            ("power off by one", "(p - y) * t**k", "(p - y) * t ** (k + 1)"),
            ("factor 2", "2 * (p - y)", "(p - y)"),
            ("= for +=", "g[k] +=", "g[k] ="),
        ),
        options={"wrt": "coef"},
    ),
    Case(
        "robot_arm",
        "arm",
        "arm_grad",
        {"angles": rng.normal(size=3), "lengths": rng.random(3), "target": [0.5, 1.0]},
        (
            ("cumulated the wrong way", "np.cumsum(da[::-1])[::-1]", "np.cumsum(da)"),
            ("wrong sign", "* -lengths", "* lengths"),
            ("joints by themselves", "np.cumsum(da[::-1])[::-1]", "da"),
        ),
        options={"wrt": "angles"},
    ),
    Case(
        "heat_equation",
        "three_steps",
        "three_steps_grad",
        {"u": rng.normal(size=5)},
        (
            ("one neighbour", "np.roll(u, -1) - 2 * u + np.roll(u, 1)", "np.roll(u, -1) - u"),
            (
                "shifted",
                "np.roll(u, -1) - 2 * u + np.roll(u, 1)",
                "np.roll(u, -1) - 2 * u + np.roll(u, 2)",
            ),
            ("no way back", "    return u", "    return u * k"),
        ),
        within="heat_grad",
    ),
]
