"""Derivatives that are right only under an assumption: labels that sum to one, symmetric matrices,
unit vectors. Each is checked with the assumption declared, and is refuted without it.
"""

from __future__ import annotations

import numpy as np

import chainrule as cr
from tests.identities import Case

rng = np.random.default_rng(127)
CASES = []


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def ce_one_hot(z, t):
    return -np.mean(np.sum(t * np.log(softmax(z)), axis=1))


def ce_one_hot_grad(z, t):
    return (softmax(z) - t) / len(z)


def ce_columns(W, X, Y):
    Z = W @ X
    return -np.sum(Y * (Z - np.log(np.sum(np.exp(Z), axis=0))))


def ce_columns_grad(W, X, Y):
    E = np.exp(W @ X)
    return (E / E.sum(axis=0) - Y) @ X.T


def distill(z, q, T=2.0):
    logp = z / T - np.log(np.sum(np.exp(z / T), axis=-1, keepdims=True))
    return -np.sum(q * logp)


def distill_grad(z, q, T=2.0):
    e = np.exp(z / T)
    return (e / e.sum(axis=-1, keepdims=True) - q) / T


def bernoulli(p, y):
    return -np.sum(np.log(y * p + (1 - y) * (1 - p)))


def bernoulli_grad(p, y):
    return np.where(y == 1, -1 / p, 1 / (1 - p))


def quadratic(x, A, b):
    return 0.5 * x @ A @ x - b @ x


def quadratic_grad(x, A, b):
    return A @ x - b


def rayleigh(x, A):
    return x @ A @ x / (x @ x)


def rayleigh_grad(x, A):
    return 2 * (A @ x - (x @ A @ x) * x)


def gauss_precision(mu, P, X):
    d = X - mu
    return 0.5 * np.sum((d @ P) * d)


def gauss_precision_grad(mu, P, X):
    return P @ np.sum(mu - X, axis=0)


def log_det(S):
    return np.linalg.slogdet(S)[1]


def log_det_grad(S):
    return np.linalg.inv(S)


def mahalanobis(S, d):
    return d @ np.linalg.solve(S, d)


def mahalanobis_grad(S, d):
    u = np.linalg.solve(S, d)
    return -np.outer(u, u)


def isometry(x, Q, y):
    return 0.5 * np.sum((Q @ x - y) ** 2)


def isometry_grad(x, Q, y):
    return x - Q.T @ y


def on_sphere(u):
    return u / np.linalg.norm(u)


def on_sphere_grad(u, g):
    return g - u * (u @ g)


def cosine_of_units(a, b):
    return a @ b / np.linalg.norm(a)


def cosine_of_units_grad(a, b):
    return b - (a @ b) * a


def relu(x):
    return np.maximum(x, 0)


def relu_positive(x, g):
    return 1 * g


def geometric(x, y):
    return np.sum(np.sqrt(x**2 * y))


def geometric_grad(x, y):
    return 0.5 * x / np.sqrt(y)


def softsign(x):
    return x / (1 + np.abs(x))


def softsign_positive(x, g):
    return g / (1 + x) ** 2


def hardtanh(x):
    return np.clip(x, -1, 1)


def hardtanh_inside(x, g):
    return g.copy()


def angle(a, b, c):
    return np.arccos((a**2 + b**2 - c**2) / (2 * a * b))


def angle_grad(a, b, c):
    root = np.sqrt(4 * a**2 * b**2 - (a**2 + b**2 - c**2) ** 2)
    return 2 * c / root


SYM = np.array([[2.0, 0.5, 0.25], [0.5, 1.5, -0.25], [0.25, -0.25, 1.75]])
UNIT = np.array([0.6, 0.0, 0.8])
Q90 = np.array([[0.0, -1.0], [1.0, 0.0]])


def mat(*shape):
    return rng.normal(size=shape)


CASES += [
    Case(
        "ce_one_hot",
        "ce_one_hot",
        "ce_one_hot_grad",
        {"z": mat(4, 3), "t": np.eye(3)[[2, 0, 1, 2]]},
        (
            ("factor", "return (", "return (1 + 1e-9) * ("),
            ("mean dropped", " / len(z)", ""),
            ("classes for samples", "len(z)", "z.shape[1]"),
        ),
        options={"wrt": "z", "domains": {"t": cr.one_hot(axis=1)}},
    ),
    Case(
        "ce_columns",
        "ce_columns",
        "ce_columns_grad",
        {"W": mat(2, 3), "X": mat(3, 4), "Y": np.eye(2)[:, [0, 1, 1, 0]]},
        (
            ("factor", "return (E", "return (1 + 1e-9) * (E"),
            ("term", " - Y", ""),
            ("axis", "E.sum(axis=0)", "E.sum(axis=1)[:, None]"),
        ),
        options={"wrt": "W", "domains": {"Y": cr.one_hot(axis=0)}},
    ),
    Case(
        "distillation",
        "distill",
        "distill_grad",
        {"z": mat(2, 3), "q": np.array([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]])},
        (
            ("factor", "return (e", "return (1 + 1e-9) * (e"),
            ("temperature dropped", " - q) / T", " - q)"),
            ("axis", "e.sum(axis=-1", "e.sum(axis=0"),
        ),
        options={"wrt": "z", "domains": {"q": cr.simplex(axis=1)}},
    ),
    Case(
        "bernoulli",
        "bernoulli",
        "bernoulli_grad",
        {"p": np.array([0.25, 0.5, 0.875]), "y": np.array([1.0, 0.0, 1.0])},
        (
            ("factor", "return np", "return (1 + 1e-9) * np"),
            ("term", "1 / (1 - p)", "0 * p"),
            ("argument", "y == 1", "y == 0"),
        ),
        options={"wrt": "p", "domains": {"y": cr.integers(0, 1)}},
    ),
    Case(
        "quadratic_symmetric",
        "quadratic",
        "quadratic_grad",
        {"x": mat(3), "A": SYM, "b": mat(3)},
        (
            ("factor", "return A", "return (1 + 1e-9) * A"),
            ("term", " - b", ""),
            ("power", "A @ x", "A @ A @ x"),
        ),
        options={"wrt": "x", "domains": {"A": cr.symmetric()}},
    ),
    Case(
        "rayleigh_unit",
        "rayleigh",
        "rayleigh_grad",
        {"x": UNIT, "A": SYM},
        (
            ("factor", "return 2", "return 2.000000002"),
            ("term", " - (x @ A @ x) * x", ""),
            ("argument", "(x @ A @ x) * x", "(x @ x) * x"),
        ),
        options={"wrt": "x", "domains": {"x": cr.unit_vector(), "A": cr.symmetric()}},
    ),
    Case(
        "gauss_precision",
        "gauss_precision",
        "gauss_precision_grad",
        {"mu": mat(3), "P": SYM, "X": mat(4, 3)},
        (
            ("factor", "return P", "return (1 + 1e-9) * P"),
            ("mean for sum", "np.sum", "np.mean"),
            ("sign", "mu - X", "X - mu"),
        ),
        options={"wrt": "mu", "domains": {"P": cr.symmetric()}},
    ),
    Case(
        "log_det_definite",
        "log_det",
        "log_det_grad",
        {"S": SYM},
        (
            ("factor", "return np", "return (1 + 1e-9) * np"),
            ("no inverse", "np.linalg.inv(S)", "S"),
            ("term", "inv(S)", "inv(S + np.eye(len(S)))"),
        ),
        options={"domains": {"S": cr.positive_definite()}},
    ),
    Case(
        "mahalanobis_symmetric",
        "mahalanobis",
        "mahalanobis_grad",
        {"S": SYM, "d": mat(3)},
        (
            ("factor", "return -np", "return -(1 + 1e-9) * np"),
            ("sign", "return -np", "return np"),
            ("argument", "np.outer(u, u)", "np.outer(u, d)"),
        ),
        options={"wrt": "S", "domains": {"S": cr.symmetric()}},
    ),
    Case(
        "isometry",
        "isometry",
        "isometry_grad",
        {"x": mat(2), "Q": Q90, "y": mat(2)},
        (
            ("factor", "return x", "return (1 + 1e-9) * x"),
            ("term", "x - Q", "-Q"),
            ("transposed", "Q.T @ y", "Q @ y"),
        ),
        options={"wrt": "x", "domains": {"Q": cr.orthogonal()}},
    ),
    Case(
        "on_sphere",
        "on_sphere",
        "on_sphere_grad",
        {"u": UNIT},
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("term", " - u * (u @ g)", ""),
            ("argument", "u * (u @ g)", "g * (u @ u)"),
        ),
        options={"domains": {"u": cr.unit_vector()}},
    ),
    Case(
        "cosine_of_units",
        "cosine_of_units",
        "cosine_of_units_grad",
        {"a": UNIT, "b": mat(3)},
        (
            ("factor", "return b", "return (1 + 1e-9) * b"),
            ("term", " - (a @ b) * a", ""),
            ("argument", "(a @ b) * a", "(a @ b) * b"),
        ),
        options={"wrt": "a", "domains": {"a": cr.unit_vector()}},
    ),
    Case(
        "relu_positive",
        "relu",
        "relu_positive",
        {"x": np.array([0.5, 1.25, 2.0])},
        (
            ("factor", "1 * g", "(1 + 1e-9) * g"),
            ("sign", "1 * g", "-1 * g"),
            ("value for slope", "1 * g", "x * g"),
        ),
        options={"cotangent": "g", "domains": {"x": cr.positive()}},
    ),
    Case(
        "geometric",
        "geometric",
        "geometric_grad",
        {"x": np.array([0.5, 1.25, 2.0]), "y": np.array([2.0, 0.75, 1.5])},
        (
            ("factor", "return 0.5", "return 0.5000000005"),
            ("half", "return 0.5 * x", "return x"),
            ("argument", "np.sqrt(y)", "np.sqrt(x)"),
        ),
        options={"wrt": "y", "domains": {"x": cr.positive()}},
    ),
    Case(
        "softsign_positive",
        "softsign",
        "softsign_positive",
        {"x": np.array([0.5, 1.25, 2.0])},
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("power", " ** 2", ""),
            ("argument", "(1 + x)", "(1 + g)"),
        ),
        options={"domains": {"x": cr.positive()}},
    ),
    Case(
        "hardtanh_inside",
        "hardtanh",
        "hardtanh_inside",
        {"x": np.array([0.5, -0.25, 0.75])},
        (
            ("factor", "g.copy()", "g * (1 + 1e-9)"),
            ("sign", "g.copy()", "-g"),
            ("value for slope", "g.copy()", "g * x"),
        ),
        options={"cotangent": "g", "domains": {"x": cr.interval(-1, 1)}},
    ),
    Case(
        "angle_of_triangle",
        "angle",
        "angle_grad",
        {"a": 2.0, "b": 3.0, "c": 2.5},
        (
            ("factor", "2 * c", "2.000000002 * c"),
            ("term", " - c**2", ""),
            ("side", "2 * c", "2 * a"),
        ),
        options={"wrt": "c", "domains": {"a": cr.positive(), "b": cr.positive()}},
    ),
]
