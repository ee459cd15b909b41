"""Softmax and what is built on it: cross entropy in many hands, focal, smoothed, hinge losses."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax as scipy_log_softmax
from scipy.special import logsumexp

from tests.identities import Case

rng = np.random.default_rng(37)
LOGITS = rng.normal(size=(4, 3))
LABELS = np.array([2, 0, 1, 2])
Z = {"z": LOGITS}
ZY = {"z": LOGITS, "y": LABELS}
CASES = []


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softmax_vjp(z, dp):
    p = softmax(z)
    return p * (dp - np.sum(dp * p, axis=1, keepdims=True))


def softmax_row(z):
    e = np.exp(z)
    return e / np.sum(e)


def softmax_row_vjp(z, v):
    s = softmax_row(z)
    J = np.diag(s) - np.outer(s, s)
    return J @ v


def softmax_rows_loop(z, dp):
    p = softmax(z)
    dz = np.empty_like(z)
    for i in range(z.shape[0]):
        J = np.diag(p[i]) - np.outer(p[i], p[i])
        dz[i] = J.dot(dp[i])
    return dz


def softmax_temperature(z, T):
    return softmax_row(z / T)


def softmax_temperature_vjp(z, T, v):
    s = softmax_temperature(z, T)
    d = s * (v - v @ s) / T
    return d, -(d @ z) / T


def softmax_jacobian(z):
    s = softmax_row(z)
    return -np.outer(s, s) + np.diag(s.flatten())


def log_softmax(z):
    c = np.max(z, axis=-1, keepdims=True)
    return z - c - np.log(np.sum(np.exp(z - c), axis=-1, keepdims=True))


def log_softmax_vjp(z, g):
    return g - np.exp(log_softmax(z)) * g.sum(axis=-1, keepdims=True)


def log_softmax_lse(z):
    return z - logsumexp(z, axis=0)


def log_softmax_lse_vjp(z, g):
    return g - np.exp(z) / np.exp(z).sum(axis=0) * g.sum(axis=0)


def lse(z):
    m = z.max()
    return m + np.log(np.exp(z - m).sum())


def lse_grad(z):
    w = np.exp(z - z.max())
    return w / w.sum()


CASES += [
    Case(
        "softmax",
        "softmax",
        "softmax_vjp",
        Z,
        (
            ("factor", "return p", "return (1 + 1e-9) * p"),
            ("term", "(dp - np.sum(dp * p, axis=1, keepdims=True))", "dp"),
            ("axis", "axis=1", "axis=0"),
            ("diagonal only", "np.sum(dp * p, axis=1, keepdims=True)", "dp * p"),
        ),
    ),
    Case(
        "softmax_row",
        "softmax_row",
        "softmax_row_vjp",
        {"z": rng.normal(size=4)},
        (
            ("factor", "np.diag(s)", "(1 + 1e-9) * np.diag(s)"),
            ("term", " - np.outer(s, s)", ""),
            ("argument", "np.outer(s, s)", "np.outer(s, s * s)"),
            ("diagonal only", "np.outer(s, s)", "np.diag(s * s)"),
        ),
    ),
    Case(
        "softmax_rows_loop",
        "softmax",
        "softmax_rows_loop",
        Z,
        (
            ("factor", "J.dot(dp[i])", "J.dot(dp[i]) * (1 + 1e-9)"),
            ("term", " - np.outer(p[i], p[i])", ""),
            ("row", "np.outer(p[i], p[i])", "np.outer(p[i - 1], p[i])"),
        ),
    ),
    Case(
        "softmax_temperature",
        "softmax_temperature",
        "softmax_temperature_vjp",
        {"z": rng.normal(size=4), "T": 1.75},
        (
            ("factor", "d, -(d", "d, -(1 + 1e-9) * (d"),
            ("temperature dropped", "(v - v @ s) / T", "(v - v @ s)"),
            ("argument", "(v - v @ s)", "(v - v @ z)"),
        ),
        options={"wrt": ("z", "T"), "cotangent": "v"},
    ),
    Case(
        "softmax_jacobian",
        "softmax_row",
        "softmax_jacobian",
        {"z": rng.normal(size=5)},
        (
            ("factor", "return -np", "return -(1 + 1e-9) * np"),
            ("term", " + np.diag(s.flatten())", ""),
            ("argument", "np.diag(s.flatten())", "np.diag(z.flatten())"),
        ),
        options={"mode": "jacobian"},
    ),
    Case(
        "log_softmax",
        "log_softmax",
        "log_softmax_vjp",
        Z,
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("term", " * g.sum(axis=-1, keepdims=True)", ""),
            ("axis", "g.sum(axis=-1", "g.sum(axis=0"),
        ),
    ),
    Case(
        "log_softmax_columns",
        "log_softmax_lse",
        "log_softmax_lse_vjp",
        Z,
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("term", " / np.exp(z).sum(axis=0)", ""),
            ("all for the axis", "g.sum(axis=0)", "g.sum()"),
        ),
    ),
    Case(
        "logsumexp",
        "lse",
        "lse_grad",
        {"z": rng.normal(size=6)},
        (
            ("factor", "return w", "return (1 + 1e-9) * w"),
            ("term", " / w.sum()", ""),
            ("max for sum", "w.sum()", "w.max()"),
        ),
    ),
]


# -- cross entropy -------------------------------------------------------------------------------


def ce_labels(z, y):
    p = softmax(z)
    return -np.log(p[np.arange(len(y)), y]).mean()


def ce_labels_grad(z, y):
    p = softmax(z)
    p[np.arange(len(y)), y] -= 1
    return p / len(y)


def ce_loop(z, y):
    loss = 0.0
    for i in range(len(z)):
        loss += np.log(np.sum(np.exp(z[i]))) - z[i, y[i]]
    return loss / len(z)


def ce_loop_grad(z, y):
    n, k = z.shape
    dz = np.zeros((n, k))
    for i in range(n):
        s = np.sum(np.exp(z[i]))
        for j in range(k):
            dz[i, j] = np.exp(z[i, j]) / s - (j == y[i])
    return dz / n


def ce_soft(z, t):
    return -np.sum(t * log_softmax(z), axis=1).mean()


def ce_soft_grad(z, t):
    return (softmax(z) * t.sum(axis=1, keepdims=True) - t) / z.shape[0]


def nll(logp, y):
    return -np.sum(logp[np.arange(y.size), y])


def nll_grad(logp, y):
    g = np.zeros_like(logp)
    g[np.arange(y.size), y] = -1
    return g


def nll_weighted(z, y, w):
    logp = scipy_log_softmax(z, axis=1)
    picked = logp[np.arange(len(y)), y]
    return -np.sum(w * picked) / np.sum(w)


def nll_weighted_grad(z, y, w):
    p = np.exp(scipy_log_softmax(z, axis=1))
    d = p * w[:, None]
    d[np.arange(len(y)), y] -= w
    return d / w.sum()


EPS = 0.1


def smoothed(z, y):
    n, k = z.shape
    q = np.full((n, k), EPS / k)
    q[np.arange(n), y] += 1 - EPS
    return -(q * log_softmax(z)).sum() / n


def smoothed_grad(z, y):
    n, k = z.shape
    d = softmax(z) - EPS / k
    d[np.arange(n), y] -= 1 - EPS
    return d / n


def focal(z, y, gamma=2):
    p = softmax(z)[np.arange(len(y)), y]
    return np.mean(-((1 - p) ** gamma) * np.log(p))


def focal_grad(z, y, gamma=2):
    P = softmax(z)
    rows = np.arange(len(y))
    p = P[rows, y]
    dp = gamma * (1 - p) ** (gamma - 1) * np.log(p) - (1 - p) ** gamma / p
    dz = -P * (dp * p)[:, None]
    dz[rows, y] += dp * p
    return dz / len(y)


CASES += [
    Case(
        "ce_labels",
        "ce_labels",
        "ce_labels_grad",
        ZY,
        (
            ("factor", "return p", "return (1 + 1e-9) * p"),
            ("mean dropped", " / len(y)", ""),
            ("row", "np.arange(len(y)), y", "np.arange(len(y)), y[::-1]"),
            ("label dropped", "-= 1", "-= 0"),
        ),
        options={"wrt": "z"},
    ),
    Case(
        "ce_loop",
        "ce_loop",
        "ce_loop_grad",
        ZY,
        (
            ("factor", "dz / n", "dz / n * (1 + 1e-9)"),
            ("term", " - (j == y[i])", ""),
            ("index", "j == y[i]", "j == y[j]"),
            ("off by one", "range(k)", "range(1, k)"),
        ),
        options={"wrt": "z"},
    ),
    Case(
        "ce_soft",
        "ce_soft",
        "ce_soft_grad",
        {"z": LOGITS, "t": rng.random((4, 3))},
        (
            ("factor", "return (", "return (1 + 1e-9) * ("),
            ("term", " * t.sum(axis=1, keepdims=True)", ""),
            ("axis", "t.sum(axis=1", "t.sum(axis=0"),
        ),
        options={"wrt": "z"},
    ),
    Case(
        "nll",
        "nll",
        "nll_grad",
        {"logp": LOGITS, "y": LABELS},
        (
            ("factor", "= -1", "= -1 - 1e-9"),
            ("sign", "= -1", "= 1"),
            ("index", ", y] =", ", -y] ="),
        ),
        options={"wrt": "logp"},
    ),
    Case(
        "nll_weighted",
        "nll_weighted",
        "nll_weighted_grad",
        {**ZY, "w": rng.random(4) + 0.5},
        (
            ("factor", "return d", "return (1 + 1e-9) * d"),
            ("weights dropped", " * w[:, None]", ""),
            ("mean for sum", "w.sum()", "w.mean()"),
            ("count for weights", "d / w.sum()", "d / len(w)"),
        ),
        options={"wrt": "z"},
    ),
    Case(
        "label_smoothing",
        "smoothed",
        "smoothed_grad",
        ZY,
        (
            ("factor", "return d", "return (1 + 1e-9) * d"),
            ("term", " - EPS / k", ""),
            ("all but one", "EPS / k", "EPS / (k - 1)"),
            ("argument", "-= 1 - EPS", "-= 1"),
        ),
        options={"wrt": "z"},
    ),
    Case(
        "focal",
        "focal",
        "focal_grad",
        ZY,
        (
            ("factor", "return dz", "return (1 + 1e-9) * dz"),
            ("term", " - (1 - p) ** gamma / p", ""),
            ("power", "(gamma - 1)", "gamma"),
            ("index", "dz[rows, y] +=", "dz[rows, 0] +="),
        ),
        options={"wrt": "z"},
    ),
]


# -- two classes, and margins --------------------------------------------------------------------


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def bce_logits(z, y):
    return np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))


def bce_logits_grad(z, y):
    return (sigmoid(z) - y) / z.size


def bce_weighted(z, y, pos=3.0):
    soft = np.log1p(np.exp(-np.abs(z))) + np.maximum(-z, 0)
    return np.sum((1 - y) * z + (1 + (pos - 1) * y) * soft)


def bce_weighted_grad(z, y, pos=3.0):
    return (1 - y) - (1 + (pos - 1) * y) * (1 - sigmoid(z))


def bce(w, b, X, y):
    p = sigmoid(X @ w + b)
    return -(y @ np.log(p) + (1 - y) @ np.log(1 - p)) / len(y)


def bce_grad(w, b, X, y):
    err = sigmoid(X @ w + b) - y
    return err @ X / len(y), err.mean()


def dice(z, t):
    p = sigmoid(z)
    return 1 - 2 * np.sum(p * t) / np.sum(p + t)


def dice_grad(z, t):
    p = sigmoid(z)
    total = np.sum(p + t)
    dp = 2 * np.sum(p * t) / total**2 - 2 * t / total
    return dp * p * (1 - p)


def hinge_multi(S, y):
    n = len(y)
    correct = S[np.arange(n), y].reshape(-1, 1)
    M = np.maximum(0, S - correct + 1)
    M[np.arange(n), y] = 0
    return M.sum() / n


def hinge_multi_grad(S, y):
    n = len(y)
    correct = S[np.arange(n), y].reshape(-1, 1)
    B = (S - correct + 1 > 0).astype(float)
    B[np.arange(n), y] = 0
    B[np.arange(n), y] = -B.sum(axis=1)
    return B / n


def hinge_squared(w, X, y):
    m = np.maximum(0, 1 - y * (X @ w))
    return 0.5 * w @ w + np.sum(m**2)


def hinge_squared_grad(w, X, y):
    m = np.maximum(0, 1 - y * (X @ w))
    return w - 2 * X.T @ (m * y)


def perceptron(w, X, y):
    return np.maximum(0, -y * (X @ w)).sum()


def perceptron_grad(w, X, y):
    wrong = y * (X @ w) < 0
    return -(y * wrong) @ X


def exponential(w, X, y):
    return np.mean(np.exp(-y * (X @ w)))


def exponential_grad(w, X, y):
    e = np.exp(-y * (X @ w))
    return -np.einsum("n,n,nd->d", e, y, X) / X.shape[0]


BIN = {"z": rng.normal(size=(2, 3)), "y": np.array([[1.0, 0, 1], [0, 0, 1]])}
REG = {"w": rng.normal(size=3), "X": rng.normal(size=(5, 3)), "y": np.array([1.0, -1, 1, 1, -1])}
CASES += [
    Case(
        "bce_logits",
        "bce_logits",
        "bce_logits_grad",
        BIN,
        (
            ("factor", "return (", "return (1 + 1e-9) * ("),
            ("term", " - y", ""),
            ("rows for entries", "z.size", "len(z)"),
            ("argument", "sigmoid(z)", "sigmoid(sigmoid(z))"),
        ),
        options={"wrt": "z"},
    ),
    Case(
        "bce_weighted",
        "bce_weighted",
        "bce_weighted_grad",
        BIN,
        (
            ("factor", "return (1", "return (1 + 1e-9) * (1"),
            ("weight dropped", "(1 + (pos - 1) * y) * ", ""),
            ("argument", "(1 - sigmoid(z))", "sigmoid(z)"),
        ),
        options={"wrt": "z"},
    ),
    Case(
        "bce",
        "bce",
        "bce_grad",
        {"w": rng.normal(size=3), "b": 0.5, "X": REG["X"], "y": np.array([1.0, 0, 1, 1, 0])},
        (
            ("factor", "err @ X", "(1 + 1e-9) * err @ X"),
            ("term", " - y", ""),
            ("mean for sum", "err.mean()", "err.sum()"),
            ("features for samples", "X / len(y)", "X / len(w)"),
        ),
        options={"wrt": ("w", "b")},
    ),
    Case(
        "dice",
        "dice",
        "dice_grad",
        {"z": rng.normal(size=(2, 3)), "t": rng.random((2, 3))},
        (
            ("factor", "return dp", "return (1 + 1e-9) * dp"),
            ("term", " - 2 * t / total", ""),
            ("at p for z", "dp * p * (1 - p)", "dp * sigmoid(p) * (1 - sigmoid(p))"),
        ),
        options={"wrt": "z"},
    ),
    Case(
        "hinge_multi",
        "hinge_multi",
        "hinge_multi_grad",
        {"S": rng.normal(size=(4, 3)), "y": LABELS},
        (
            ("factor", "return B", "return (1 + 1e-9) * B"),
            ("term", "-B.sum(axis=1)", "0"),
            ("argument", "correct + 1 > 0", "correct > 0"),
            ("classes for samples", "B / n", "B / S.shape[1]"),
        ),
        options={"wrt": "S"},
    ),
    Case(
        "hinge_squared",
        "hinge_squared",
        "hinge_squared_grad",
        REG,
        (
            ("factor", "- 2 * X", "- 2.000000002 * X"),
            ("term", "w - 2", "-2"),
            ("label dropped", "(m * y)", "m"),
        ),
        options={"wrt": "w"},
    ),
    Case(
        "perceptron",
        "perceptron",
        "perceptron_grad",
        REG,
        (
            ("factor", "return -(y", "return -(1 + 1e-9) * (y"),
            ("mask dropped", "(y * wrong)", "y"),
            ("side", "< 0", "> 0"),
        ),
        options={"wrt": "w"},
    ),
    Case(
        "exponential_loss",
        "exponential",
        "exponential_grad",
        REG,
        (
            ("factor", "return -np", "return -(1 + 1e-9) * np"),
            ("label dropped", '"n,n,nd->d", e, y, X', '"n,nd->d", e, X'),
            ("features for samples", "X.shape[0]", "X.shape[1]"),
        ),
        options={"wrt": "w"},
    ),
]
