"""Gradients of statistics and machine learning away from networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.gradients import Case

rng = np.random.default_rng(42)


@dataclass
class Config:
    lam: float = 0.1
    steps: int = 4


def factorize(P, Q, R, M, lam):
    E = M * (R - P @ Q.T)
    return np.sum(E**2) + lam * (np.sum(P**2) + np.sum(Q**2))


def factorize_grad(P, Q, R, M, lam):
    E = M * (R - P @ Q.T)
    dP = -2 * E @ Q + 2 * lam * P
    dQ = -2 * E.T @ P + 2 * lam * Q
    return dP, dQ


def tsne(Y, P):
    D = np.sum((Y[:, None, :] - Y[None, :, :]) ** 2, axis=2)
    num = 1 / (1 + D)
    num = num * (1 - np.eye(len(Y)))
    Q = num / num.sum()
    mask = P > 0
    return np.sum(P[mask] * np.log(P[mask] / Q[mask]))


def tsne_grad(Y, P):
    D = np.sum((Y[:, None, :] - Y[None, :, :]) ** 2, axis=2)
    num = 1 / (1 + D)
    np.fill_diagonal(num, 0)
    Q = num / num.sum()
    PQ = P - Q
    grad = np.zeros_like(Y)
    for i in range(len(Y)):
        grad[i] = 4 * np.sum((PQ[i] * num[i])[:, None] * (Y[i] - Y), axis=0)
    return grad


def gp_nll(log_l, log_s, log_n, X, y):
    D = (X[:, None] - X[None, :]) ** 2
    K = np.exp(2 * log_s) * np.exp(-0.5 * D / np.exp(2 * log_l)) + np.exp(2 * log_n) * np.eye(
        len(X)
    )
    alpha = np.linalg.solve(K, y)
    return 0.5 * y @ alpha + 0.5 * np.linalg.slogdet(K)[1]


def gp_grad(log_l, log_s, log_n, X, y):
    D = (X[:, None] - X[None, :]) ** 2
    R = np.exp(2 * log_s) * np.exp(-0.5 * D / np.exp(2 * log_l))
    K = R + np.exp(2 * log_n) * np.eye(len(X))
    Ki = np.linalg.inv(K)
    alpha = Ki @ y
    A = Ki - np.outer(alpha, alpha)
    dl = 0.5 * np.trace(A @ (R * D / np.exp(2 * log_l)))
    ds = 0.5 * np.trace(A @ (2 * R))
    dn = 0.5 * np.trace(A) * 2 * np.exp(2 * log_n)
    return [dl, ds, dn]


def kalman(q, r, ys):
    m, p, nll = 0.0, 1.0, 0.0
    for y in ys:
        p = p + q
        s = p + r
        v = y - m
        nll += 0.5 * (np.log(s) + v**2 / s)
        k = p / s
        m = m + k * v
        p = (1 - k) * p
    return nll


def kalman_grad(q, r, ys):
    m, p = 0.0, 1.0
    dm, dp, grad = np.zeros(2), np.zeros(2), np.zeros(2)
    for y in ys:
        p, dp = p + q, dp + np.array([1.0, 0.0])
        s, ds = p + r, dp + np.array([0.0, 1.0])
        v, dv = y - m, -dm
        grad = grad + 0.5 * (ds / s + 2 * v * dv / s - v**2 * ds / s**2)
        k, dk = p / s, dp / s - p * ds / s**2
        m, dm = m + k * v, dm + dk * v + k * dv
        p, dp = (1 - k) * p, (1 - k) * dp - dk * p
    return {"q": grad[0], "r": grad[1]}


def svm_dual(alpha, X, y):
    K = X @ X.T
    return 0.5 * np.sum(np.outer(alpha * y, alpha * y) * K) - alpha.sum()


def svm_dual_grad(alpha, X, y):
    return y * ((X @ X.T) @ (alpha * y)) - 1


def pca(W, X):
    return np.linalg.norm(X - X @ W @ W.T) ** 2


def pca_grad(W, X):
    E = X - X @ W @ W.T
    return -2 * (X.T @ E @ W + E.T @ X @ W)


def lotka(theta, cfg):
    a, b, c, d = theta
    x, y, h = 1.0, 0.5, 0.125
    for _ in range(cfg.steps):
        x, y = x + h * (a * x - b * x * y), y + h * (c * x * y - d * y)
    return x**2 + y**2


def lotka_grad(theta, cfg):
    a, b, c, d = theta
    x, y, h = 1.0, 0.5, 0.125
    sx, sy = np.zeros(4), np.zeros(4)
    for _ in range(cfg.steps):
        fx = np.array([x, -x * y, 0, 0])
        fy = np.array([0, 0, x * y, -y])
        nx = sx + h * ((a - b * y) * sx - b * x * sy + fx)
        ny = sy + h * (c * y * sx + (c * x - d) * sy + fy)
        x, y = x + h * (a * x - b * x * y), y + h * (c * x * y - d * y)
        sx, sy = nx, ny
    return 2 * x * sx + 2 * y * sy


def lennard_jones(pos, eps=1.0, sigma=1.0):
    e = 0.0
    for i in range(len(pos)):
        for j in range(i + 1, len(pos)):
            r2 = np.sum((pos[i] - pos[j]) ** 2)
            s6 = (sigma**2 / r2) ** 3
            e += 4 * eps * (s6**2 - s6)
    return e


def lj_grad(pos, eps=1.0, sigma=1.0):
    g = np.zeros_like(pos)
    for i in range(len(pos)):
        for j in range(i + 1, len(pos)):
            rij = pos[i] - pos[j]
            r2 = rij @ rij
            s6 = (sigma**2 / r2) ** 3
            f = 4 * eps * (-12 * s6**2 + 6 * s6) / r2 * rij
            g[i] += f
            g[j] -= f
    return g


def neg_sampling(v, U, o, neg):
    def s(z):
        return 1 / (1 + np.exp(-z))

    loss = -np.log(s(U[o] @ v))
    for k in neg:
        loss -= np.log(s(-U[k] @ v))
    return loss


def neg_sampling_grad(v, U, o, neg):
    def s(z):
        return 1 / (1 + np.exp(-z))

    dv = (s(U[o] @ v) - 1) * U[o]
    dU = np.zeros(U.shape)
    dU[o] = (s(U[o] @ v) - 1) * v
    for k in neg:
        dv = dv + s(U[k] @ v) * U[k]
        dU[k] += s(U[k] @ v) * v
    return dv, dU


def naive_softmax(center, outside, target):
    scores = outside @ center
    y_hat = np.exp(scores - np.max(scores))
    y_hat = y_hat / np.sum(y_hat)
    return -np.log(y_hat[target])


def naive_softmax_grad(center, outside, target):
    scores = outside @ center
    y_hat = np.exp(scores - np.max(scores))
    y_hat /= np.sum(y_hat)
    y_hat[target] -= 1
    return outside.T @ y_hat, y_hat[:, np.newaxis] @ center[np.newaxis, :]


class Ridge:
    """Parameters in the object, data in the call."""

    def __init__(self, n, cfg):
        self.w, self.b, self.cfg = rng.normal(size=n), 0.5, cfg

    def loss(self, X, y):
        r = X @ self.w + self.b - y
        return r @ r / len(y) + self.cfg.lam * self.w @ self.w

    def grad(self, X, y):
        r = X @ self.w + self.b - y
        return {"w": 2 * X.T @ r / len(y) + 2 * self.cfg.lam * self.w, "b": 2 * r.mean()}


ridge = Ridge(3, Config())


def springs(x, k=2.0, rest=0.5):
    d = np.diff(x, axis=0)
    length = np.sqrt((d**2).sum(axis=1))
    return 0.5 * k * np.sum((length - rest) ** 2)


def springs_grad(x, k=2.0, rest=0.5):
    d = x[1:] - x[:-1]
    length = np.sqrt((d**2).sum(axis=1, keepdims=True))
    f = k * (length - rest) * d / length
    g = np.zeros_like(x)
    g[1:] += f
    g[:-1] -= f
    return g


PQ = {"P": rng.normal(size=(3, 2)), "Q": rng.normal(size=(4, 2)), "R": rng.normal(size=(3, 4))}
PQ |= {"M": (rng.random((3, 4)) > 0.3) * 1.0, "lam": 0.1}
B = rng.random((4, 4)) + 0.1
B = (B + B.T) * (1 - np.eye(4))
GP = {"log_l": 0.1, "log_s": 0.2, "log_n": -0.5, "X": rng.normal(size=3), "y": rng.normal(size=3)}

CASES = [
    Case(
        "factorization",
        "factorize",
        "factorize_grad",
        PQ,
        (
            ("transpose missing", "E.T @ P + 2", "E.T @ P * 1.5 + 2"),
            ("regularizer without 2", "2 * lam * P", "lam * P"),
            ("wrong sign", "-2 * E @ Q", "2 * E @ Q"),
            ("mask forgotten", "E = M * (R", "E = 1 * (R"),
        ),
        options={"wrt": ("P", "Q")},
    ),
    Case(
        "tsne",
        "tsne",
        "tsne_grad",
        {"Y": rng.normal(size=(4, 2)), "P": B / B.sum()},
        (
            ("2 for 4", "4 * np.sum", "2 * np.sum"),
            ("no Student kernel", "(PQ[i] * num[i])", "PQ[i]"),
            ("Q - P", "PQ = P - Q", "PQ = Q - P"),
        ),
        options={"wrt": "Y"},
    ),
    Case(
        "gaussian_process",
        "gp_nll",
        "gp_grad",
        GP,
        (
            ("half missing", "dl = 0.5 * np.trace", "dl = np.trace"),
            ("sign of the data term", "Ki - np.outer(alpha, alpha)", "Ki + np.outer(alpha, alpha)"),
            (
                "chain rule of the logarithm",
                "(R * D / np.exp(2 * log_l))",
                "(R * D / np.exp(3 * log_l))",
            ),
        ),
        options={"wrt": ("log_l", "log_s", "log_n")},
    ),
    Case(
        "kalman",
        "kalman",
        "kalman_grad",
        {"q": 0.25, "r": 0.5, "ys": [0.5, -0.25, 1.0]},
        (
            ("gain held fixed", "dm + dk * v + k * dv", "dm + k * dv"),
            ("stale variance", "(1 - k) * dp - dk * p", "(1 - k) * dp"),
            ("wrong sign", "v, dv = y - m, -dm", "v, dv = y - m, dm"),
        ),
    ),
    Case(
        "svm_dual",
        "svm_dual",
        "svm_dual_grad",
        {"alpha": rng.random(4), "X": rng.normal(size=(4, 3)), "y": np.array([1, -1, 1, -1])},
        (
            ("half kept", "y * ((X", "0.5 * y * ((X"),
            ("sum for its slope", ") - 1", ") - alpha"),
            (
                "label forgotten",
                "return y * (",
                "return (",
            ),
        ),
        options={"wrt": "alpha"},
    ),
    Case(
        "pca",
        "pca",
        "pca_grad",
        {"W": rng.normal(size=(3, 2)), "X": rng.normal(size=(4, 3))},
        (
            ("second term missing", " + E.T @ X @ W)", ")"),
            ("wrong sign in one term", " + E.T @ X @ W)", " - E.T @ X @ W)"),
            ("factor 2 missing", "-2 * (", "-1 * ("),
        ),
        options={"wrt": "W"},
    ),
    Case(
        "lotka_volterra",
        "lotka",
        "lotka_grad",
        {"theta": np.array([1.5, 1.0, 0.75, 1.25]), "cfg": Config()},
        (
            ("no coupling", " - b * x * sy + fx)", " + fx)"),
            ("new state for old", "ny = sy + h * (c * y * sx", "ny = sy + h * (c * y * nx"),
            ("one step short", "range(cfg.steps)", "range(cfg.steps - 1)"),
        ),
    ),
    Case(
        "lennard_jones",
        "lennard_jones",
        "lj_grad",
        {"pos": np.array([[0.0, 0.1], [1.2, 0.0], [0.4, 1.3]])},
        (
            ("force for gradient", "g[i] += f", "g[i] -= f"),
            ("exponent", "-12 * s6**2", "-6 * s6**2"),
            ("r for its square", "/ r2 * rij", "/ np.sqrt(r2) * rij"),
            ("= for +=", "g[i] += f", "g[i] = f"),
        ),
        options={"wrt": "pos"},
    ),
    Case(
        "negative_sampling",
        "neg_sampling",
        "neg_sampling_grad",
        {"v": rng.normal(size=3), "U": rng.normal(size=(5, 3)), "o": 1, "neg": [0, 3, 3]},
        (
            ("= for += at a repeated index", "dU[k] += s", "dU[k] = s"),
            ("wrong sign", "dv = dv + s", "dv = dv - s"),
            ("one forgotten", "dU[o] = (s(U[o] @ v) - 1) * v", "dU[o] = s(U[o] @ v) * v"),
        ),
    ),
    Case(
        "naive_softmax",
        "naive_softmax",
        "naive_softmax_grad",
        {"center": rng.normal(size=3), "outside": rng.normal(size=(3, 3)), "target": 2},
        (
            ("transpose missing", "outside.T @ y_hat", "outside @ y_hat"),
            ("target not subtracted", "y_hat[target] -= 1", "y_hat[target] -= 0"),
            (
                "outer turned",
                "y_hat[:, np.newaxis] @ center[np.newaxis, :]",
                "center[:, None] @ y_hat[None, :]",
            ),
        ),
    ),
    Case(
        "ridge_object",
        "ridge.loss",
        "ridge.grad",
        {"X": rng.normal(size=(4, 3)), "y": rng.normal(size=4)},
        (
            ("regularizer without 2", "2 * self.cfg.lam", "self.cfg.lam"),
            ("sum for mean", "2 * r.mean()", "2 * r.sum()"),
            ("bias forgotten", "X @ self.w + self.b - y", "X @ self.w - y"),
        ),
        within="grad",
    ),
    Case(
        "springs",
        "springs",
        "springs_grad",
        {"x": rng.normal(size=(4, 2))},
        (
            ("= for +=", "g[:-1] -= f", "g[:-1] = -f"),
            ("unit vector missing", "d / length", "d"),
            ("off by one", "g[1:] += f", "g[:-1] += f"),
        ),
        options={"wrt": "x"},
    ),
]
