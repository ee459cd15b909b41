"""Linear algebra and statistics: `statistics_`."""

from __future__ import annotations

import numpy as np

from ways import statistics_ as st
from ways.way import Way, anp, gradient, hand


def gaussian_by_hand(x, mu, S):
    """S⁻¹d for mu; ½ (S⁻¹ddᵀS⁻¹ − S⁻¹)ᵀ for S, all entries free."""
    S1 = np.linalg.inv(S)
    d = x - mu
    g = S1.T @ d
    return 0.5 * (S1 + S1.T) @ d, 0.5 * (np.outer(g, S1 @ d) - S1.T)


def gaussian_inverse(X, mu, S):
    P = anp.linalg.inv(S)
    total = 0.0
    for k in range(X.shape[0]):
        d = X[k] - mu
        total = total - 0.5 * anp.dot(d, anp.dot(P, d))
    n = X.shape[0]
    return total - n / 2 * (anp.linalg.slogdet(S)[1] + X.shape[1] * anp.log(2 * anp.pi))


def ridge(X, y, lam):
    w = anp.dot(anp.linalg.inv(anp.dot(X.T, X) + lam * anp.eye(X.shape[1])), anp.dot(X.T, y))
    return anp.sum((anp.dot(X, w) - y) ** 2)


def least_squares(X, y):
    w = anp.linalg.solve(anp.dot(X.T, X), anp.dot(X.T, y))
    return anp.sum(w**2)


def marginal_likelihood(x, y, length, noise):
    n = x.shape[0]
    D = anp.reshape(x, (n, 1)) - anp.reshape(x, (1, n))
    K = anp.exp(-D * D / (2 * length * length)) + noise * anp.eye(n)
    return 0.5 * anp.dot(y, anp.dot(anp.linalg.inv(K), y)) + 0.5 * anp.log(anp.linalg.det(K))


def several_right_sides(A, B):
    """X = A⁻¹B: −A⁻ᵀ 2X Xᵀ and A⁻ᵀ 2X."""
    A1 = np.linalg.inv(A)
    X = A1 @ B
    return -A1.T @ (2 * X) @ X.T, A1.T @ (2 * X)


def determinant(A):
    """2 det² A⁻ᵀ / (1 + t²) − det² 2t I / (1 + t²)²."""
    d, t = np.linalg.det(A), np.sum(np.diagonal(A))
    n = len(A)
    return 2 * d**2 * np.linalg.inv(A).T / (1 + t**2) - d**2 * 2 * t / (1 + t**2) ** 2 * np.eye(n)


def mahalanobis(x, mu, A):
    v = A @ (x - mu)
    r = np.sqrt(np.sum(v**2))
    return A.T @ v / r, -A.T @ v / r, np.outer(v, x - mu) / r


def polynomial_features(x, w):
    p = sum(w[k] * x**k for k in range(w.shape[0]))
    return anp.mean((p - anp.sin(x)) ** 2)


def vandermonde(x, w):
    return anp.sum(sum(w[k] * x**k for k in range(w.shape[0])) ** 2)


def fourier_features(x, w, a):
    n, total = w.shape[0], 0.0
    for k in range(n):
        total = total + a[k] * anp.sum(anp.sin(w[k] * x)) + a[n + k] * anp.sum(anp.cos(w[k] * x))
    return total


def covariance(X):
    """4/(n − 1) D S: the centering is a projection, and columns of D sum to 0."""
    D = X - np.sum(X, axis=0) / len(X)
    return 4 / (len(X) - 1) * D @ (D.T @ D / (len(X) - 1))


def correlation(x, y):
    n = x.shape[0]
    c = n * anp.sum(x * y) - anp.sum(x) * anp.sum(y)
    v = (n * anp.sum(x * x) - anp.sum(x) ** 2) * (n * anp.sum(y * y) - anp.sum(y) ** 2)
    return c / v**0.5


def weighted(x, w):
    m = np.sum(x * w) / np.sum(w)
    return 2 * m * w / np.sum(w) + 1 / len(x), 2 * m * (x - m) / np.sum(w)


def geometric(x):
    return np.exp(np.mean(np.log(x))) / (len(x) * x)


def entropy(z):
    p = np.exp(z) / np.sum(np.exp(z))
    return -p * (np.log(p) - np.sum(p * np.log(p))) / np.log(2)


def norms(x, A):
    dx = x / np.sqrt(np.sum(x**2)) + np.sign(x) + np.sign(x) * (np.abs(x) == np.max(np.abs(x)))
    dA = A / np.sqrt(np.sum(A**2)) + A / np.sqrt(np.sum(A**2, axis=0))
    dA[0] += A[0] / np.sqrt(np.sum(A[0] ** 2))
    return dx, dA


def sums(T):
    a = anp.sum(anp.sum(anp.sum(T, axis=0), axis=0) ** 2)
    c = anp.sum(anp.sum(T, axis=2) ** 2)
    m = 1.0
    for k in range(T.shape[1]):
        m = m * anp.sum(T[:, k, :]) / T.shape[2]
    return a + c + m + anp.sum(T[0, 0])


def rosenbrock_by_hand(x):
    """As in scipy.optimize.rosen_der."""
    d = np.zeros_like(x)
    d[:-1] = -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    d[1:] += 200 * (x[1:] - x[:-1] ** 2)
    return d


def survival(t, w, d):
    return w * np.exp(w * t) * t + np.exp(w * t) - d * w, np.sum(t**2 * np.exp(w * t) - d * t)


def projections(A, x):
    """r = (I − P)x: −2 r (A⁺x)ᵀ, and 2r."""
    c = np.linalg.solve(A.T @ A, A.T @ x)
    r = x - A @ c
    return -2 * np.outer(r, c), 2 * r


def trapezoid(f, h):
    w = np.ones_like(f)
    w[0] = w[-1] = 0.5
    s, d = np.sum(w * f), f[1:] - f[:-1]
    df = 2 * h * s * w
    df[1:] += 2 * d
    df[:-1] -= 2 * d
    return df, s**2


def _way(module, name, style, axes, wrt, reference, **more):
    where = module.__name__.split(".")[-1].rstrip("_")
    return Way(f"{where}.{name}", style, getattr(module, name), axes, wrt, reference, **more)


def _all(module, name, style, axes, reference, **more):
    return _way(module, name, style, axes, tuple(axes), reference, **more)


SQUARE = {"A": "spread n1 n1"}


WAYS = [
    _way(
        st,
        "gaussian_solve",
        "solve, slogdet unpacked",
        {"x": "n1", "mu": "n1", "S": "spread n1 n1"},
        ("mu", "S"),
        hand(gaussian_by_hand),
    ),
    _way(
        st,
        "gaussian_inverse",
        "inv, log(det)",
        {"X": "N n0", "mu": "n0", "S": "spread n0 n0"},
        ("mu", "S"),
        gradient(gaussian_inverse),
    ),
    _all(
        st,
        "ridge",
        "normal equations",
        {"X": "L K", "y": "L", "lam": "positive"},
        gradient(ridge),
    ),
    _all(
        st,
        "least_squares",
        "inv(X.T @ X) @ X.T @ y",
        {"X": "L K", "y": "L"},
        gradient(least_squares),
    ),
    _all(
        st,
        "marginal_likelihood",
        "np.linalg.slogdet(K)[1]",
        {"x": "N", "y": "N", "length": "positive", "noise": "positive"},
        gradient(marginal_likelihood),
    ),
    _all(
        st,
        "several_right_sides",
        "solve with a matrix",
        {**SQUARE, "B": "n1 N"},
        hand(several_right_sides),
    ),
    _all(st, "determinant", "det and trace", SQUARE, hand(determinant)),
    _all(
        st,
        "mahalanobis",
        "sqrt of a form",
        {"x": "n1", "mu": "n1", "A": "N n1"},
        hand(mahalanobis),
    ),
    _all(
        st,
        "polynomial_features",
        "stack of powers",
        {"x": "N", "w": "n1"},
        gradient(polynomial_features),
    ),
    _all(
        st, "vandermonde", "x[:, None]**np.arange(n)", {"x": "N", "w": "n1"}, gradient(vandermonde)
    ),
    _all(
        st,
        "fourier_features",
        "outer, hstack of sin and cos",
        {"x": "N", "w": "n1", "a": "n1+n1"},
        gradient(fourier_features),
    ),
    _all(st, "covariance", "D.T @ D/(n - 1)", {"X": "N n1"}, hand(covariance)),
    _all(st, "correlation", "Pearson", {"x": "N", "y": "N"}, gradient(correlation)),
    _all(st, "weighted", "np.average", {"x": "N", "w": "positive N"}, hand(weighted)),
    _all(st, "geometric", "prod**(1/n)", {"x": "positive N"}, hand(geometric)),
    _all(st, "entropy", "np.log2", {"z": "N"}, hand(entropy)),
    _all(st, "norms", "norm in six ways", {"x": "N", "A": "n1 n0"}, hand(norms)),
    _all(st, "sums", "axis=(0, 1), negative axes, cumsum", {"T": "n0 n1 N"}, gradient(sums)),
    _all(st, "rosenbrock", "x**2.0", {"x": "N"}, hand(rosenbrock_by_hand)),
    _way(
        st,
        "survival",
        "censored data",
        {"t": "positive N", "w": "", "d": "bits N"},
        ("t", "w"),
        hand(survival),
    ),
    _all(st, "projections", "A @ inv(A.T @ A) @ A.T", {"A": "N n0", "x": "N"}, hand(projections)),
    _all(st, "trapezoid", "f[1:-1].sum(), np.diff", {"f": "N", "h": "positive"}, hand(trapezoid)),
]
