"""Losses and their gradients."""
# People's own code stays as they write it.
# ruff: noqa: B905, RUF007, RUF059

from __future__ import annotations

import numpy as np

from tests.gradients import Case

rng = np.random.default_rng(7)


def huber(y, t, delta=1.0):
    r = y - t
    return np.where(np.abs(r) <= delta, 0.5 * r**2, delta * (np.abs(r) - 0.5 * delta)).sum()


def huber_grad(y, t, delta=1.0):
    return np.clip(y - t, -delta, delta)


def hinge(w, X, y, lam):
    return np.mean(np.maximum(0, 1 - y * (X @ w))) + lam / 2 * w @ w


def hinge_grad(w, X, y, lam):
    active = y * (X @ w) < 1
    return -(X[active].T @ y[active]) / len(y) + lam * w


def focal(z, y, gamma=2.0, alpha=0.25):
    p = 1 / (1 + np.exp(-z))
    loss = -alpha * y * (1 - p) ** gamma * np.log(p)
    loss -= (1 - alpha) * (1 - y) * p**gamma * np.log(1 - p)
    return loss.mean()


def focal_grad(z, y, gamma=2.0, alpha=0.25):
    p = 1 / (1 + np.exp(-z))
    one = alpha * (1 - p) ** gamma * (gamma * p * np.log(p) - (1 - p))
    two = (1 - alpha) * p**gamma * (p - gamma * (1 - p) * np.log(1 - p))
    return (y * one + (1 - y) * two) / z.size


def dice(p, t, smooth=1.0):
    inter = (p * t).sum()
    return 1 - (2 * inter + smooth) / (p.sum() + t.sum() + smooth)


def dice_grad(p, t, smooth=1.0):
    num = 2 * (p * t).sum() + smooth
    den = p.sum() + t.sum() + smooth
    return -(2 * t * den - num) / den**2


def kl(mu, logvar):
    return -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar))


def kl_grad(mu, logvar):
    return mu, 0.5 * (np.exp(logvar) - 1)


def triplet(a, p, n, margin=1.0):
    d = np.sum((a - p) ** 2, axis=1) - np.sum((a - n) ** 2, axis=1) + margin
    return np.maximum(d, 0).mean()


def triplet_grad(a, p, n, margin=1.0):
    d = np.sum((a - p) ** 2, axis=1) - np.sum((a - n) ** 2, axis=1) + margin
    on = (d > 0)[:, None] / len(a)
    return 2 * (n - p) * on, 2 * (p - a) * on, 2 * (a - n) * on


def contrastive(x1, x2, y, m=2.0):
    d = np.linalg.norm(x1 - x2, axis=1)
    return 0.5 * np.mean(y * d**2 + (1 - y) * np.maximum(0, m - d) ** 2)


def contrastive_grad(x1, x2, y, m=2.0):
    diff = x1 - x2
    d = np.sqrt((diff**2).sum(axis=1))
    c = y - (1 - y) * np.maximum(0, m - d) / d
    g = c[:, None] * diff / len(y)
    return {"x1": g, "x2": -g}


def cosine(u, v):
    return 1 - u @ v / (np.linalg.norm(u) * np.linalg.norm(v))


def cosine_grad(u, v):
    nu, nv = np.linalg.norm(u), np.linalg.norm(v)
    c = u @ v / (nu * nv)
    du = -(v / (nu * nv) - c * u / nu**2)
    dv = -(u / (nu * nv) - c * v / nv**2)
    return du, dv


def logistic(w, b, X, y):
    z = X @ w + b
    p = 1 / (1 + np.exp(-z))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def logistic_grad(w, b, X, y):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    m = len(y)
    return {"dw": X.T @ (p - y) / m, "db": np.sum(p - y) / m}


def linear(theta, X, y):
    m = y.size
    cost = 0
    for i in range(m):
        cost += (X[i] @ theta - y[i]) ** 2
    return cost / (2 * m)


def linear_grad(theta, X, y):
    m = y.size
    grad = np.zeros(theta.shape)
    for j in range(len(theta)):
        for i in range(m):
            grad[j] += (X[i] @ theta - y[i]) * X[i, j]
    return grad / m


def softmax_regression(W, X, Y, *, lam=0.01):
    S = X @ W
    S = S - S.max(1, keepdims=True)
    P = np.exp(S) / np.exp(S).sum(1, keepdims=True)
    return -np.sum(Y * np.log(P)) / len(X) + lam * np.linalg.norm(W) ** 2


def softmax_regression_grad(W, X, Y, *, lam=0.01):
    S = X @ W
    E = np.exp(S - S.max(1, keepdims=True))
    P = E / E.sum(1, keepdims=True)
    return X.T @ (P * Y.sum(1, keepdims=True) - Y) / len(X) + 2 * lam * W


def gauss(mu, log_sigma, x):
    s = np.exp(log_sigma)
    return np.sum(0.5 * ((x - mu) / s) ** 2 + log_sigma + 0.5 * np.log(2 * np.pi))


def gauss_grad(mu, log_sigma, x):
    s2 = np.exp(2 * log_sigma)
    return np.sum(mu - x) / s2, len(x) - np.sum((x - mu) ** 2) / s2


def mvn(mu, Sigma, X):
    d = X - mu
    sign, logdet = np.linalg.slogdet(Sigma)
    return 0.5 * len(X) * logdet + 0.5 * np.sum(d @ np.linalg.inv(Sigma) * d)


def mvn_grad(mu, Sigma, X):
    d = X - mu
    P = np.linalg.inv(Sigma)
    dmu = -0.5 * (P + P.T) @ d.sum(axis=0)
    dSigma = 0.5 * len(X) * P.T - 0.5 * P.T @ d.T @ d @ P.T
    return dmu, dSigma


def poisson(w, X, y):
    return np.sum(np.exp(X @ w) - y * (X @ w))


def poisson_grad(w, X, y):
    return X.T @ (np.exp(X @ w) - y)


def bce_logits(z, y):
    return np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))


def bce_logits_grad(z, y):
    return (1 / (1 + np.exp(-z)) - y) / z.size


def info_nce(za, zb, tau=0.5):
    s = za @ zb.T / tau
    return np.mean(np.log(np.exp(s).sum(axis=1)) - np.diag(s))


def info_nce_grad(za, zb, tau=0.5):
    s = za @ zb.T / tau
    p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    g = (p - np.eye(len(za))) / len(za) / tau
    return g @ zb, g.T @ za


V = rng.normal(size=(4, 3))
Y01 = np.array([1.0, 0.0, 1.0, 0.0])
PAIR = {"u": rng.normal(size=4), "v": rng.normal(size=4)}
LOG = {"w": rng.normal(size=3), "b": 0.25, "X": V, "y": Y01}
TRI = {n: rng.normal(size=(4, 3)) for n in "apn"}

CASES = [
    Case(
        "huber",
        "huber",
        "huber_grad",
        {"y": rng.normal(size=6) * 2, "t": rng.normal(size=6)},
        (
            ("one side open", "np.clip(y - t, -delta, delta)", "np.minimum(y - t, delta)"),
            ("squared everywhere", "np.clip(y - t, -delta, delta)", "y - t"),
            ("sign forgotten", "-delta, delta", "delta, delta"),
            ("bound off", "-delta, delta", "-delta, 1.01 * delta"),
        ),
        options={"wrt": "y"},
    ),
    Case(
        "hinge",
        "hinge",
        "hinge_grad",
        {"w": rng.normal(size=3), "X": V, "y": np.array([1.0, -1.0, 1.0, -1.0]), "lam": 0.1},
        (
            ("N forgotten", "/ len(y)", "/ 1"),
            ("active where right", "< 1", "> 1"),
            ("factor 2", "lam * w", "2 * lam * w"),
            ("divided by the active ones", "/ len(y)", "/ max(1, active.sum())"),
        ),
        options={"wrt": "w"},
    ),
    Case(
        "focal",
        "focal",
        "focal_grad",
        {"z": rng.normal(size=5), "y": np.array([1.0, 0.0, 0.0, 1.0, 1.0])},
        (
            ("gamma off by one", "(1 - p) ** gamma", "(1 - p) ** (gamma - 1)"),
            ("wrong sign", "(p - gamma * (1 - p)", "(p + gamma * (1 - p)"),
            ("alpha for both", "two = (1 - alpha)", "two = alpha"),
        ),
        options={"wrt": "z"},
    ),
    Case(
        "dice",
        "dice",
        "dice_grad",
        {"p": rng.random(6), "t": (rng.random(6) > 0.5) * 1.0},
        (
            ("square forgotten", "den**2", "den"),
            ("factor 2 missing", "2 * t * den", "t * den"),
            ("smoothing missing below", "t.sum() + smooth", "t.sum()"),
        ),
        options={"wrt": "p"},
    ),
    Case(
        "kl_vae",
        "kl",
        "kl_grad",
        {"mu": V, "logvar": rng.normal(size=(4, 3))},
        (
            ("half forgotten", "0.5 * (", "("),
            ("wrong sign", "return mu", "return -mu"),
            ("variance for its logarithm", "np.exp(logvar) - 1", "1 - np.exp(-logvar)"),
        ),
    ),
    Case(
        "triplet",
        "triplet",
        "triplet_grad",
        TRI,
        (
            ("p and n swapped", "2 * (n - p)", "2 * (p - n)"),
            ("factor 2 missing", "2 * (a - n)", "(a - n)"),
            ("N forgotten", "[:, None] / len(a)", "[:, None] / 1"),
        ),
    ),
    Case(
        "contrastive",
        "contrastive",
        "contrastive_grad",
        {"x1": V, "x2": rng.normal(size=(4, 3)), "y": Y01},
        (
            ("division by d forgotten", "(m - d) / d".replace("(m", "(0, m"), "(0, m - d)"),
            ("sign of the second", '"x2": -g', '"x2": g'),
            ("wrong sign of the margin", "c = y - (1 - y)", "c = y + (1 - y)"),
        ),
    ),
    Case(
        "cosine",
        "cosine",
        "cosine_grad",
        PAIR,
        (
            ("no projection", "v / (nu * nv) - c * u / nu**2", "v / (nu * nv)"),
            ("norm not squared", "c * v / nv**2", "c * v / nv"),
            ("wrong sign", "du = -(v", "du = (v"),
        ),
    ),
    Case(
        "logistic",
        "logistic",
        "logistic_grad",
        LOG,
        (
            ("mean forgotten", "X.T @ (p - y) / m", "X.T @ (p - y)"),
            ("y - p", "np.sum(p - y)", "np.sum(y - p)"),
            ("squared-loss slope", "X.T @ (p - y)", "X.T @ ((p - y) * p * (1 - p))"),
        ),
    ),
    Case(
        "linear",
        "linear",
        "linear_grad",
        {"theta": rng.normal(size=3), "X": V, "y": rng.normal(size=4)},
        (
            ("factor 2", "grad / m", "2 * grad / m"),
            ("= for +=", "grad[j] +=", "grad[j] ="),
            ("off by one", "range(m)", "range(m - 1)"),
            ("a factor 1 + 1e-9", "grad / m", "grad / m * (1 + 1e-9)"),
        ),
        options={"wrt": "theta"},
    ),
    Case(
        "softmax_regression",
        "softmax_regression",
        "softmax_regression_grad",
        {"W": rng.normal(size=(3, 3)), "X": V, "Y": np.eye(3)[[0, 2, 1, 1]], "lam": 0.02},
        (
            ("labels must sum to 1", "P * Y.sum(1, keepdims=True) - Y", "P - Y"),
            ("regularizer without 2", "2 * lam * W", "lam * W"),
            ("wrong axis", "E.sum(1, keepdims=True)", "E.sum(0, keepdims=True)"),
        ),
        options={"wrt": "W"},
    ),
    Case(
        "gaussian",
        "gauss",
        "gauss_grad",
        {"mu": 0.5, "log_sigma": -0.25, "x": rng.normal(size=5)},
        (
            ("sigma for its square", "np.exp(2 * log_sigma)", "np.exp(log_sigma)"),
            ("one for n", "len(x) - np.sum", "1 - np.sum"),
            ("wrong sign", "np.sum(mu - x)", "np.sum(x - mu)"),
        ),
        options={"wrt": ("mu", "log_sigma")},
    ),
    Case(
        "mvn",
        "mvn",
        "mvn_grad",
        {
            "mu": rng.normal(size=2),
            "Sigma": np.array([[2.0, 0.3], [0.3, 1.0]]),
            "X": rng.normal(size=(4, 2)),
        },
        (
            ("holds for symmetric only", "-0.5 * (P + P.T) @", "-P @"),
            ("half forgotten", "0.5 * len(X) * P.T", "len(X) * P.T"),
            ("transposes missing", "0.5 * P.T @ d.T @ d @ P.T", "0.5 * P @ d.T @ d @ P"),
        ),
        options={"wrt": ("mu", "Sigma")},
    ),
    Case(
        "poisson",
        "poisson",
        "poisson_grad",
        {"w": rng.normal(size=3), "X": V, "y": np.array([1, 0, 3, 2])},
        (
            ("identity link", "np.exp(X @ w) - y", "X @ w - y"),
            ("mean", "(np.exp(X @ w) - y)", "(np.exp(X @ w) - y) / len(y)"),
            ("square for a transpose", "X.T @", "X[:3] @ X.T @"),
        ),
        options={"wrt": "w"},
    ),
    Case(
        "bce_with_logits",
        "bce_logits",
        "bce_logits_grad",
        {"z": rng.normal(size=6), "y": (rng.random(6) > 0.5) * 1.0},
        (
            ("sign of z", "np.exp(-z)", "np.exp(z)"),
            ("mean forgotten", "/ z.size", "/ 1"),
            ("slope of the sigmoid too", " - y)", " - y) * np.exp(-z) / (1 + np.exp(-z)) ** 2"),
        ),
        options={"wrt": "z"},
    ),
    Case(
        "info_nce",
        "info_nce",
        "info_nce_grad",
        {"za": rng.normal(size=(3, 3)), "zb": rng.normal(size=(3, 3))},
        (
            ("transpose missing", "g.T @ za", "g @ za"),
            ("temperature forgotten", "/ len(za) / tau", "/ len(za)"),
            ("positive pair forgotten", "(p - np.eye(len(za)))", "p"),
        ),
    ),
]
