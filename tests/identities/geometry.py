"""Triangles, rotations, places on a sphere; test functions; the energies of physics."""

from __future__ import annotations

import math

import numpy as np

from tests.identities import Case

rng = np.random.default_rng(101)
CASES = []

# -- triangles -----------------------------------------------------------------------------------


def third_side(a, b, gamma):
    return math.sqrt(a**2 + b**2 - 2 * a * b * math.cos(gamma))


def third_side_grad(a, b, gamma):
    c = math.sqrt(a**2 + b**2 - 2 * a * b * math.cos(gamma))
    return (a - b * math.cos(gamma)) / c, (b - a * math.cos(gamma)) / c, a * b * math.sin(gamma) / c


def heron(a, b, c):
    s = (a + b + c) / 2
    return np.sqrt(s * (s - a) * (s - b) * (s - c))


def heron_grad(a, b, c):
    area = 0.25 * np.sqrt(4 * a**2 * b**2 - (a**2 + b**2 - c**2) ** 2)
    return a * (b**2 + c**2 - a**2) / (8 * area)


def sine_sum(x, y):
    return np.sin(x) * np.cos(y) + np.cos(x) * np.sin(y)


def sine_sum_grad(x, y, g):
    return g * np.cos(x + y), g * np.cos(x + y)


def double_angle(t):
    return np.sum(2 * np.sin(t) * np.cos(t))


def double_angle_grad(t):
    return 2 * np.cos(2 * t)


def cosine_squared(t):
    return np.sum(np.cos(t) ** 2)


def cosine_squared_grad(t):
    return -np.sin(2 * t)


# -- rotations -----------------------------------------------------------------------------------


def rotate(t, p):
    R = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
    return R @ p


def rotate_jacobian(t, p):
    dR = np.array([[-np.sin(t), -np.cos(t)], [np.cos(t), -np.sin(t)]])
    return dR @ p


def align(t, P, Q):
    c, s = np.cos(t), np.sin(t)
    R = np.array([[c, -s], [s, c]])
    return np.sum((P @ R.T - Q) ** 2)


def align_grad(t, P, Q):
    x, y = P[:, 0], P[:, 1]
    u, v = Q[:, 0], Q[:, 1]
    dot, cross = np.sum(x * u + y * v), np.sum(x * v - y * u)
    return 2 * (np.sin(t) * dot - np.cos(t) * cross)


def rodrigues(t, v):
    k = np.array([0.0, 0.0, 1.0])
    c, s = np.cos(t), np.sin(t)
    return v * c + np.cross(k, v) * s + k * (k @ v) * (1 - c)


def rodrigues_grad(t, v, g):
    c, s = np.cos(t), np.sin(t)
    dx = -s * v[0] - c * v[1]
    dy = c * v[0] - s * v[1]
    return g[0] * dx + g[1] * dy


def haversine(lat1, lon1, lat2, lon2):
    a = np.sin((lat2 - lat1) / 2) ** 2
    a = a + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * np.arcsin(np.sqrt(a))


def haversine_grad(lat1, lon1, lat2, lon2):
    u, w = (lat2 - lat1) / 2, (lon2 - lon1) / 2
    a = np.sin(u) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin(w) ** 2
    dlat = np.sin(u) * np.cos(u) - np.cos(lat1) * np.sin(lat2) * np.sin(w) ** 2
    dlon = np.cos(lat1) * np.cos(lat2) * np.sin(w) * np.cos(w)
    root = np.sqrt(a * (1 - a))
    return dlat / root, dlon / root


def polar(x, y):
    return np.array([np.hypot(x, y), np.arctan2(y, x)])


def polar_jacobian(x, y):
    r2 = x**2 + y**2
    return np.array([y / np.sqrt(r2), x / r2])


def arm(q, links):
    a = np.cumsum(q)
    return np.array([links @ np.cos(a), links @ np.sin(a)])


def arm_jacobian(q, links):
    a = np.cumsum(q)
    J = np.zeros((2, len(q)))
    for k in range(len(q)):
        J[0, k] = -np.sum(links[k:] * np.sin(a[k:]))
        J[1, k] = np.sum(links[k:] * np.cos(a[k:]))
    return J


CASES += [
    Case(
        "law_of_cosines",
        "third_side",
        "third_side_grad",
        {"a": 2.0, "b": 3.0, "gamma": 0.75},
        (
            ("factor", "a * b * math.sin(gamma)", "(1 + 1e-9) * a * b * math.sin(gamma)"),
            ("term", "(a - b * math.cos(gamma))", "a"),
            ("sides swapped", "(b - a * math.cos", "(a - b * math.cos"),
        ),
    ),
    Case(
        "heron",
        "heron",
        "heron_grad",
        {"a": 2.0, "b": 3.0, "c": 2.5},
        (
            ("factor", "(8 * area)", "(8.000000008 * area)"),
            ("term", "c**2 - a**2)", "c**2)"),
            ("side", "return a", "return b"),
        ),
        options={"wrt": "a"},
    ),
    Case(
        "angle_addition",
        "sine_sum",
        "sine_sum_grad",
        {"x": rng.normal(size=4), "y": rng.normal(size=4)},
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("term", "return g * np.cos(x + y)", "return g * np.cos(x)"),
            ("sign", "return g * np.cos(x + y)", "return g * np.cos(x - y)"),
        ),
    ),
    Case(
        "double_angle",
        "double_angle",
        "double_angle_grad",
        {"t": rng.normal(size=5)},
        (
            ("factor", "return 2", "return 2.000000002"),
            ("term", "return 2 * ", "return "),
            ("argument", "np.cos(2 * t)", "np.cos(t)"),
        ),
    ),
    Case(
        "cosine_squared",
        "cosine_squared",
        "cosine_squared_grad",
        {"t": rng.normal(size=5)},
        (
            ("factor", "return -np", "return -(1 + 1e-9) * np"),
            ("sign", "return -np", "return np"),
            ("argument", "2 * t", "t"),
        ),
    ),
    Case(
        "rotation",
        "rotate",
        "rotate_jacobian",
        {"t": 0.625, "p": rng.normal(size=2)},
        (
            ("factor", "return dR", "return (1 + 1e-9) * dR"),
            ("sign", "[[-np.sin(t), -np.cos(t)]", "[[-np.sin(t), np.cos(t)]"),
            ("transposed", "dR @ p", "dR.T @ p"),
        ),
        options={"wrt": "t", "mode": "jacobian"},
    ),
    Case(
        "alignment",
        "align",
        "align_grad",
        {"t": 0.5, "P": rng.normal(size=(4, 2)), "Q": rng.normal(size=(4, 2))},
        (
            ("factor", "return 2", "return 2.000000002"),
            ("term", " - np.cos(t) * cross", ""),
            ("index", "x * v - y * u", "x * u - y * v"),
        ),
        options={"wrt": "t"},
    ),
    Case(
        "rodrigues",
        "rodrigues",
        "rodrigues_grad",
        {"t": 0.875, "v": rng.normal(size=3)},
        (
            ("factor", "return g[0]", "return (1 + 1e-9) * g[0]"),
            ("term", " - s * v[1]", ""),
            ("index", "g[1] * dy", "g[2] * dy"),
        ),
        options={"wrt": "t", "cotangent": "g"},
    ),
    Case(
        "haversine",
        "haversine",
        "haversine_grad",
        {"lat1": 0.75, "lon1": 0.125, "lat2": 0.5, "lon2": 0.875},
        (
            ("factor", "return dlat", "return (1 + 1e-9) * dlat"),
            ("term", " - np.cos(lat1) * np.sin(lat2) * np.sin(w) ** 2", ""),
            ("argument", "np.sin(lat2)", "np.sin(lat1)"),
        ),
        options={"wrt": ("lat2", "lon2")},
    ),
    Case(
        "polar",
        "polar",
        "polar_jacobian",
        {"x": 1.25, "y": -0.5},
        (
            ("factor", "x / r2]", "(1 + 1e-9) * x / r2]"),
            ("term", "x**2 + y**2", "x**2"),
            ("argument", "x / r2]", "y / r2]"),
        ),
        options={"wrt": "y", "mode": "jacobian"},
    ),
    Case(
        "arm",
        "arm",
        "arm_jacobian",
        {"q": rng.normal(size=3), "links": rng.random(3) + 0.5},
        (
            ("factor", "J[1, k] = np", "J[1, k] = (1 + 1e-9) * np"),
            ("off by one", "np.cos(a[k:])", "np.cos(a[: len(q) - k])"),
            ("term", "links[k:] * np.sin", "np.sin"),
        ),
        options={"wrt": "q", "mode": "jacobian"},
    ),
]


# -- test functions of optimization ----------------------------------------------------------------


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_grad(x):
    xm, before, after = x[1:-1], x[:-2], x[2:]
    d = np.zeros_like(x)
    d[1:-1] = 200 * (xm - before**2) - 400 * (after - xm**2) * xm - 2 * (1 - xm)
    d[0] = -400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0])
    d[-1] = 200 * (x[-1] - x[-2] ** 2)
    return d


def banana(x, y, a=1.0, b=100.0):
    return (a - x) ** 2 + b * (y - x * x) ** 2


def banana_hessian(x, y, a=1.0, b=100.0):
    return 2 - 4 * b * (y - 3 * x**2)


def beale(x, y):
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def beale_grad(x, y):
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y**2, 2.625 - x + x * y**3
    dx = 2 * a * (y - 1) + 2 * b * (y**2 - 1) + 2 * c * (y**3 - 1)
    dy = 2 * a * x + 4 * b * x * y + 6 * c * x * y**2
    return dx, dy


def styblinski(x):
    return 0.5 * sum(v**4 - 16 * v**2 + 5 * v for v in x)


def styblinski_grad(x):
    return np.array([2 * v**3 - 16 * v + 2.5 for v in x])


# -- energies ------------------------------------------------------------------------------------


def kepler(r, v, mu=1.5):
    return 0.5 * v @ v - mu / np.linalg.norm(r)


def kepler_grad(r, v, mu=1.5):
    return mu * r / np.linalg.norm(r) ** 3, v * 1.0


def eccentric(E, e, M):
    return 0.5 * (E - e * np.sin(E) - M) ** 2


def eccentric_grad(E, e, M):
    f = E - e * np.sin(E) - M
    return f * (1 - e * np.cos(E)), -f * np.sin(E)


def gravity(X, m):
    U = 0.0
    for i in range(len(m)):
        for j in range(i):
            U -= m[i] * m[j] / np.sqrt(np.sum((X[i] - X[j]) ** 2))
    return U


def gravity_grad(X, m):
    F = np.zeros_like(X)
    for i in range(len(m)):
        for j in range(len(m)):
            if i != j:
                d = X[i] - X[j]
                F[i] += m[i] * m[j] * d / (d @ d) ** 1.5
    return F


def lennard_jones(r, eps, sigma):
    s6 = (sigma / r) ** 6
    return np.sum(4 * eps * (s6**2 - s6))


def lennard_jones_grad(r, eps, sigma):
    s6 = (sigma / r) ** 6
    return 24 * eps * (s6 - 2 * s6**2) / r


def springs(x, k, rest):
    d = x[1:] - x[:-1]
    return 0.5 * np.sum(k * (d - rest) ** 2)


def springs_grad(x, k, rest):
    t = k * (np.diff(x) - rest)
    return np.concatenate([[0], t]) - np.concatenate([t, [0]])


def pendulum(theta, omega, m, length, g=9.81):
    return 0.5 * m * length**2 * omega**2 + m * g * length * (1 - np.cos(theta))


def pendulum_grad(theta, omega, m, length, g=9.81):
    return m * g * length * np.sin(theta), m * length**2 * omega


def ising(s, J, h):
    return -0.5 * s @ J @ s - h @ s


def ising_grad(s, J, h):
    return -0.5 * (J @ s + s @ J) - h


def relativistic(p, m, c):
    return np.sqrt(c**2 * p @ p + m**2 * c**4)


def relativistic_grad(p, m, c):
    return c**2 * p / relativistic(p, m, c)


CASES += [
    Case(
        "rosenbrock",
        "rosenbrock",
        "rosenbrock_grad",
        {"x": rng.normal(size=5)},
        (
            ("factor", "d[-1] = 200", "d[-1] = 200.0000002"),
            ("term", " - 2 * (1 - xm)", ""),
            ("one slice off", "(after - xm**2)", "(before - xm**2)"),
        ),
    ),
    Case(
        "rosenbrock_second",
        "banana",
        "banana_hessian",
        {"x": 0.75, "y": -0.5},
        (
            ("factor", "- 4 * b", "- 4.000000004 * b"),
            ("term", "2 - 4", "-4"),
            ("argument", "3 * x**2", "3 * y**2"),
        ),
        options={"wrt": "x", "mode": "hessian"},
    ),
    Case(
        "beale",
        "beale",
        "beale_grad",
        {"x": 1.25, "y": 0.5},
        (
            ("factor", "6 * c", "6.000000006 * c"),
            ("term", " + 4 * b * x * y", ""),
            ("power", "(y**3 - 1)", "(y**2 - 1)"),
        ),
    ),
    Case(
        "styblinski",
        "styblinski",
        "styblinski_grad",
        {"x": rng.normal(size=4)},
        (
            ("factor", "2 * v**3", "2.000000002 * v**3"),
            ("term", " + 2.5", ""),
            ("power", "v**3", "v**4"),
        ),
    ),
    Case(
        "kepler",
        "kepler",
        "kepler_grad",
        {"r": rng.normal(size=3), "v": rng.normal(size=3)},
        (
            ("factor", "return mu", "return (1 + 1e-9) * mu"),
            ("power", "** 3", "** 2"),
            ("argument", "mu * r / np.linalg.norm(r)", "mu * r / np.linalg.norm(v)"),
        ),
    ),
    Case(
        "kepler_equation",
        "eccentric",
        "eccentric_grad",
        {"E": 1.25, "e": 0.25, "M": 0.75},
        (
            ("factor", "-f * np", "-(1 + 1e-9) * f * np"),
            ("term", "(1 - e * np.cos(E))", "1"),
            ("argument", "-f * np.sin(E)", "-f * np.sin(M)"),
        ),
        options={"wrt": ("E", "e")},
    ),
    Case(
        "gravity",
        "gravity",
        "gravity_grad",
        {"X": rng.normal(size=(3, 2)), "m": rng.random(3) + 0.5},
        (
            ("factor", "F[i] += m[i]", "F[i] += (1 + 1e-9) * m[i]"),
            ("power", "** 1.5", "** 2"),
            ("i for j", "m[i] * m[j] * d", "m[j] * m[j] * d"),
        ),
        options={"wrt": "X"},
    ),
    Case(
        "lennard_jones",
        "lennard_jones",
        "lennard_jones_grad",
        {"r": rng.random(4) + 0.75, "eps": 0.5, "sigma": 1.125},
        (
            ("factor", "return 24", "return 24.000000024"),
            ("term", "s6 - 2 * s6**2", "-2 * s6**2"),
            ("inner derivative", " / r\n", " / r**2\n"),
        ),
        options={"wrt": "r"},
    ),
    Case(
        "springs",
        "springs",
        "springs_grad",
        {"x": np.array([0.0, 1.25, 2.0, 3.5]), "k": np.array([1.0, 2, 1.5]), "rest": 0.75},
        (
            ("factor", "t = k", "t = (1 + 1e-9) * k"),
            ("term", " - np.concatenate([t, [0]])", ""),
            ("one slice off", "np.concatenate([[0], t])", "np.concatenate([t[:1], t])"),
        ),
        options={"wrt": "x"},
    ),
    Case(
        "pendulum",
        "pendulum",
        "pendulum_grad",
        {"theta": 0.5, "omega": 1.25, "m": 2.0, "length": 0.75},
        (
            ("factor", "return m", "return (1 + 1e-9) * m"),
            ("power", "length**2", "length"),
            ("argument", "np.sin(theta)", "np.cos(theta)"),
        ),
        options={"wrt": ("theta", "omega")},
    ),
    Case(
        "ising",
        "ising",
        "ising_grad",
        {"s": rng.normal(size=4), "J": rng.normal(size=(4, 4)), "h": rng.normal(size=4)},
        (
            ("factor", "return -0.5", "return -0.5000000005"),
            ("term", " - h", ""),
            ("symmetric assumed", "(J @ s + s @ J)", "(2 * J @ s)"),
        ),
        options={"wrt": "s"},
    ),
    Case(
        "relativistic",
        "relativistic",
        "relativistic_grad",
        {"p": rng.normal(size=3), "m": 1.5, "c": 2.0},
        (
            ("factor", "return c", "return (1 + 1e-9) * c"),
            ("power", "c**2 * p", "c * p"),
            ("mass dropped", "relativistic(p, m, c)", "relativistic(p, 0, c)"),
        ),
        options={"wrt": "p"},
    ),
]
