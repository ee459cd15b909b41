"""Losses on distances: triplet, contrastive, InfoNCE, t-SNE, clusters, ranking."""

from __future__ import annotations

import numpy as np

from tests.identities import Case

rng = np.random.default_rng(113)
CASES = []


def mat(*shape):
    return rng.normal(size=shape)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def triplet(a, p, n, margin=1.0):
    dp = ((a - p) ** 2).sum(axis=1)
    dn = ((a - n) ** 2).sum(axis=1)
    return np.maximum(0, dp - dn + margin).sum()


def triplet_grad(a, p, n, margin=1.0):
    da, dp, dn = np.zeros_like(a), np.zeros_like(p), np.zeros_like(n)
    for i in range(len(a)):
        u, v = a[i] - p[i], a[i] - n[i]
        if u @ u - v @ v + margin > 0:
            da[i] = 2 * (n[i] - p[i])
            dp[i] = -2 * u
            dn[i] = 2 * v
    return da, dp, dn


def triplet_soft(a, p, n):
    return np.mean(np.log1p(np.exp(np.sum((a - p) ** 2, 1) - np.sum((a - n) ** 2, 1))))


def triplet_soft_grad(a, p, n):
    w = sigmoid(np.sum((a - p) ** 2, 1) - np.sum((a - n) ** 2, 1))[:, None] / len(a)
    return 2 * w * (n - p)


def triplet_distance(a, p, n, margin=0.5):
    return np.maximum(np.linalg.norm(a - p) - np.linalg.norm(a - n) + margin, 0)


def triplet_distance_grad(a, p, n, margin=0.5):
    u, v = a - p, a - n
    nu, nv = np.linalg.norm(u), np.linalg.norm(v)
    on = float(nu - nv + margin > 0)
    return on * (u / nu - v / nv), -on * u / nu, on * v / nv


def contrastive(x, y, same, margin=2.0):
    d = np.sqrt(np.sum((x - y) ** 2, axis=1))
    return np.sum(same * d**2 + (1 - same) * np.maximum(margin - d, 0) ** 2) / 2


def contrastive_grad(x, y, same, margin=2.0):
    diff = x - y
    d = np.sqrt(np.sum(diff**2, axis=1))
    w = same - (1 - same) * np.maximum(margin - d, 0) / d
    return w[:, None] * diff, -w[:, None] * diff


def info_nce(z, w, tau=0.25):
    s = z @ w.T / tau
    return -np.mean(np.diagonal(s) - np.log(np.sum(np.exp(s), axis=1)))


def info_nce_grad(z, w, tau=0.25):
    s = np.exp(z @ w.T / tau)
    p = s / s.sum(axis=1, keepdims=True)
    n = len(z)
    return (p @ w - w) / (n * tau), (p.T @ z - z) / (n * tau)


def clip_loss(a, b, t):
    s = np.exp(t) * a @ b.T
    rows = np.log(np.exp(s).sum(axis=1))
    cols = np.log(np.exp(s).sum(axis=0))
    return 0.5 * np.sum(rows + cols) - np.trace(s)


def clip_loss_grad(a, b, t):
    s = np.exp(t) * (a @ b.T)
    e = np.exp(s)
    g = 0.5 * (e / e.sum(1, keepdims=True) + e / e.sum(0, keepdims=True)) - np.eye(len(a))
    return np.exp(t) * g @ b, np.exp(t) * g.T @ a, np.sum(g * s)


def tsne(Y, P):
    D = np.sum(Y**2, 1)[:, None] - 2 * Y @ Y.T + np.sum(Y**2, 1)[None, :]
    W = (1 - np.eye(len(Y))) / (1 + D)
    return -np.sum(P * np.log(1 / (1 + D))) + np.sum(P) * np.log(np.sum(W))


def tsne_grad(Y, P):
    n = len(Y)
    D = ((Y[:, None] - Y[None]) ** 2).sum(-1)
    W = (1 - np.eye(n)) / (1 + D)
    A = (P + P.T) / (1 + D) / 2 - np.sum(P) * W**2 / np.sum(W)
    return 4 * (A.sum(axis=1)[:, None] * Y - A @ Y)


def k_means(C, X):
    D = ((X[:, None, :] - C[None, :, :]) ** 2).sum(axis=2)
    return D.min(axis=1).sum()


def k_means_grad(C, X):
    D = ((X[:, None, :] - C[None, :, :]) ** 2).sum(axis=2)
    nearest = D.argmin(axis=1)
    G = np.zeros_like(C)
    for i in range(len(X)):
        G[nearest[i]] += 2 * (C[nearest[i]] - X[i])
    return G


def soft_k_means(C, X):
    D = ((X[:, None, :] - C[None, :, :]) ** 2).sum(axis=2)
    return -np.sum(np.log(np.exp(-D).sum(axis=1)))


def soft_k_means_grad(C, X):
    D = ((X[:, None, :] - C[None, :, :]) ** 2).sum(axis=2)
    R = np.exp(-D)
    R /= R.sum(axis=1, keepdims=True)
    return 2 * (R.sum(axis=0)[:, None] * C - R.T @ X)


def ranking(s_pos, s_neg):
    return -np.sum(np.log(sigmoid(s_pos[:, None] - s_neg[None, :])))


def ranking_grad(s_pos, s_neg):
    q = sigmoid(s_neg[None, :] - s_pos[:, None])
    return -q.sum(axis=1), q.sum(axis=0)


def stress(X, delta):
    D = np.sqrt(((X[:, None] - X[None]) ** 2).sum(-1) + 0.01)
    return np.sum((D - delta) ** 2)


def stress_grad(X, delta):
    diff = X[:, None] - X[None]
    D = np.sqrt((diff**2).sum(-1) + 0.01)
    w = 2 * (D - delta) / D
    return np.einsum("ij,ijd->id", w + w.T, diff)


TRI = {"a": mat(3, 2), "p": mat(3, 2), "n": mat(3, 2)}
CASES += [
    Case(
        "triplet",
        "triplet",
        "triplet_grad",
        TRI,
        (
            ("factor", "-2 * u", "-2.000000002 * u"),
            ("term", "2 * (n[i] - p[i])", "2 * n[i]"),
            ("p and n swapped", "(n[i] - p[i])", "(p[i] - n[i])"),
        ),
    ),
    Case(
        "triplet_soft",
        "triplet_soft",
        "triplet_soft_grad",
        TRI,
        (
            ("factor", "return 2 *", "return 2.000000002 *"),
            ("term", "(n - p)", "n"),
            ("mean dropped", "[:, None] / len(a)", "[:, None]"),
        ),
        options={"wrt": "a"},
    ),
    Case(
        "triplet_distance",
        "triplet_distance",
        "triplet_distance_grad",
        {"a": mat(3), "p": mat(3), "n": mat(3)},
        (
            ("factor", "-on * u", "-(1 + 1e-9) * on * u"),
            ("term", "(u / nu - v / nv)", "(u / nu)"),
            ("norms swapped", "on * v / nv", "on * v / nu"),
        ),
    ),
    Case(
        "contrastive",
        "contrastive",
        "contrastive_grad",
        {"x": mat(4, 2), "y": mat(4, 2), "same": np.array([1.0, 0.0, 0.0, 1.0])},
        (
            ("factor", "return w", "return (1 + 1e-9) * w"),
            ("term", "w = same - (1", "w = -(1"),
            ("inner derivative", "np.maximum(margin - d, 0) / d", "np.maximum(margin - d, 0)"),
        ),
        options={"wrt": ("x", "y")},
    ),
    Case(
        "info_nce",
        "info_nce",
        "info_nce_grad",
        {"z": mat(3, 2), "w": mat(3, 2)},
        (
            ("factor", "return (p @ w", "return (1 + 1e-9) * (p @ w"),
            ("term", "p.T @ z - z", "p.T @ z"),
            ("transposed", "p.T @ z", "p @ z"),
            ("axis", "s.sum(axis=1", "s.sum(axis=0"),
        ),
    ),
    Case(
        "clip",
        "clip_loss",
        "clip_loss_grad",
        {"a": mat(3, 2), "b": mat(3, 2), "t": 0.25},
        (
            ("factor", "np.sum(g * s)", "np.sum(g * s) * (1 + 1e-9)"),
            ("term", " - np.eye(len(a))", ""),
            ("transposed", "g.T @ a", "g @ a"),
            ("axis", "e / e.sum(0, keepdims=True)", "e / e.sum(1, keepdims=True)"),
        ),
    ),
    Case(
        "tsne",
        "tsne",
        "tsne_grad",
        {"Y": mat(4, 2), "P": rng.random((4, 4))},
        (
            ("factor", "return 4", "return 4.000000004"),
            ("term", " - A @ Y", ""),
            ("symmetric assumed", "(P + P.T)", "(2 * P)"),
            ("power", "W**2", "W"),
        ),
        options={"wrt": "Y"},
    ),
    Case(
        "k_means",
        "k_means",
        "k_means_grad",
        {"C": mat(3, 2), "X": mat(5, 2)},
        (
            ("factor", "+= 2 *", "+= 2.000000002 *"),
            ("= for +=", "+= 2", "= 2"),
            ("index", "C[nearest[i]] - X[i]", "C[nearest[i]] - X[i - 1]"),
        ),
        options={"wrt": "C"},
    ),
    Case(
        "soft_k_means",
        "soft_k_means",
        "soft_k_means_grad",
        {"C": mat(3, 2), "X": mat(5, 2)},
        (
            ("factor", "return 2", "return 2.000000002"),
            ("term", "R /= R.sum(axis=1, keepdims=True)", "R = R * 1"),
            ("axis", "R.sum(axis=1", "R.sum(axis=0"),
        ),
        options={"wrt": "C"},
    ),
    Case(
        "ranking",
        "ranking",
        "ranking_grad",
        {"s_pos": mat(3), "s_neg": mat(4)},
        (
            ("factor", "return -q", "return -(1 + 1e-9) * q"),
            ("sign", "return -q", "return q"),
            ("argument", "s_neg[None, :] - s_pos[:, None]", "s_pos[:, None] - s_neg[None, :]"),
        ),
    ),
    Case(
        "stress",
        "stress",
        "stress_grad",
        {"X": mat(4, 2), "delta": rng.random((4, 4))},
        (
            ("factor", "w = 2", "w = 2.000000002"),
            ("symmetric assumed", "w + w.T", "2 * w"),
            ("term", "(D - delta) / D", "(D - delta)"),
        ),
        options={"wrt": "X"},
    ),
]
